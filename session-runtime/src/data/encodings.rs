//! Holds the JSON of some fields of a struct in one allocation; knows neither keys nor types.

/// The JSON of some fields of a struct, each with the field's index in `SessionData::FIELDS`.
///
/// Nothing is allocated before the first one.
#[derive(Default)]
pub(super) struct Encodings {
    /// Before each value its header: the field's index, and the length of the value.
    bytes: Vec<u8>,
}

const HEADER: usize = 2 * WORD;
const WORD: usize = size_of::<usize>();

/// Room for the fields of a small struct, so that a buffer that holds them never grows.
const ROOM: usize = 256;

/// The place of a value that is being written.
#[derive(Clone, Copy)]
pub(super) struct Open(usize);

impl Encodings {
    pub(super) const NONE: &Self = &Self { bytes: Vec::new() };

    /// Begins the value of a field, of about so many bytes.
    pub(super) fn open(&mut self, index: usize, room: usize) -> Open {
        let at = self.bytes.len();
        let room = if at == 0 { room.max(ROOM) } else { room };
        self.bytes.reserve(HEADER + room);
        self.bytes.extend_from_slice(&index.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; WORD]);
        Open(at)
    }

    /// Adds to the value that was begun last.
    pub(super) fn extend(&mut self, json: &[u8]) {
        self.bytes.extend_from_slice(json);
    }

    /// Ends the value that was begun last.
    pub(super) fn close(&mut self, Open(at): Open) {
        let length = self.bytes.len() - at - HEADER;
        self.bytes[at + WORD..][..WORD].copy_from_slice(&length.to_ne_bytes());
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.bytes }
    }

    #[cfg(test)]
    pub(super) fn is_unallocated(&self) -> bool {
        self.bytes.capacity() == 0
    }

    /// The first value alone.
    pub(super) fn into_first(mut self) -> Option<Vec<u8>> {
        let (_, first) = self.iter().next()?;
        let end = HEADER + first.len();
        self.bytes.truncate(end);
        self.bytes.drain(..HEADER);
        Some(self.bytes)
    }
}

/// Each field's index and JSON, in the order in which they were written.
pub(super) struct Iter<'e> {
    rest: &'e [u8],
}

impl<'e> Iter<'e> {
    /// The JSON of a field, if it comes next.
    #[inline]
    pub(super) fn next_if(&mut self, index: usize) -> Option<&'e [u8]> {
        let (next, _) = self.rest.split_first_chunk()?;
        if usize::from_ne_bytes(*next) != index {
            return None;
        }
        self.next().map(|(_, json)| json)
    }
}

impl<'e> Iterator for Iter<'e> {
    type Item = (usize, &'e [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (index, rest) = self.rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at(usize::from_ne_bytes(*length));
        self.rest = rest;
        Some((usize::from_ne_bytes(*index), value))
    }
}
