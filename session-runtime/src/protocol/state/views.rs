//! The views of a request's structs: what was lent out as `&mut`, and what was taken out meanwhile.

use std::any::TypeId;
use std::panic::Location;

use crate::data::Shape;

/// A place in the user's code.
pub(crate) type Place = &'static Location<'static>;

/// The views of one request that may hold changes, and the structs that were taken out of its session.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) struct Views {
    lent: Vec<Lent>,
    /// The structs that `clear`, `insert` and `remove` have taken out, in order; `None` for all of them. By
    /// type and not by slice, as several structs may stand at the top level.
    taken_out: Vec<Option<TypeId>>,
    tickets: Ticket,
}

/// Names a view for as long as it is lent out.
pub(crate) type Ticket = u32;

/// A view whose value is lent out as `&mut`, so that nobody but its holder can see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Lent {
    ticket: Ticket,
    data: TypeId,
    pub(crate) name: &'static str,
    /// The place that has lent the value as `&mut`.
    pub(crate) at: Place,
    /// How much had been taken out by then.
    taken_out: usize,
    /// How many changes had been handed over by then.
    pub(crate) position: usize,
    /// The first part of the request that has read the struct since.
    pub(crate) read_by: Option<Reader>,
}

/// A part of the request that reads a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reader {
    /// An extractor; it has no place in the user's code.
    Extractor,
    At(Place),
}

impl Views {
    /// Notes that a view of `shape` lends its value out.
    pub(crate) fn lend(&mut self, shape: Shape, position: usize, at: Place) -> Ticket {
        for other in self.of(shape.id) {
            if other.read_by == Some(Reader::Extractor) {
                other.read_by = Some(Reader::At(at));
            }
        }
        let ticket = self.tickets;
        self.tickets += 1;
        self.lent.push(Lent {
            ticket,
            data: shape.id,
            name: shape.type_name,
            at,
            taken_out: self.taken_out.len(),
            position,
            read_by: None,
        });
        ticket
    }

    /// Notes that another part of the request reads the struct; `true` if a view of it is lent out.
    pub(crate) fn read(&mut self, data: TypeId, by: Reader) -> bool {
        let mut is_lent = false;
        for lent in self.of(data) {
            lent.read_by.get_or_insert(by);
            is_lent = true;
        }
        is_lent
    }

    /// Takes back what was lent out.
    pub(crate) fn give_back(&mut self, ticket: Ticket) -> Option<Lent> {
        let at = self.lent.iter().position(|lent| lent.ticket == ticket)?;
        Some(self.lent.swap_remove(at))
    }

    /// A view that is still lent out.
    pub(crate) fn outstanding(&self) -> Option<&Lent> {
        self.lent.first()
    }

    /// Notes that a struct is taken out, or everything: what a view changed before is not put back.
    pub(crate) fn take_out(&mut self, data: Option<TypeId>) {
        self.taken_out.push(data);
    }

    /// Numbers the next ticket anew, where nothing is lent.
    #[cfg(test)]
    pub(crate) fn forget_tickets(&mut self) {
        if self.lent.is_empty() {
            self.tickets = 0;
            self.taken_out.clear();
        }
    }

    /// How much was taken out so far.
    pub(crate) fn taken_out(&self) -> usize {
        self.taken_out.len()
    }

    /// Forgets the structs that were taken out since.
    pub(crate) fn restore(&mut self, taken_out: usize) {
        self.taken_out.truncate(taken_out);
    }

    /// Returns `true` if the struct was taken out after it was lent.
    pub(crate) fn is_taken_out(&self, lent: &Lent) -> bool {
        let mut since = self.taken_out.iter().skip(lent.taken_out);
        since.any(|taken_out| taken_out.is_none_or(|data| data == lent.data))
    }

    fn of(&mut self, data: TypeId) -> impl Iterator<Item = &mut Lent> {
        self.lent.iter_mut().filter(move |lent| lent.data == data)
    }
}

impl Lent {
    /// Returns `true` if another part of the request has read the struct since.
    pub(crate) fn was_read(&self) -> bool {
        self.read_by.is_some()
    }
}
