//! Explains a history, or says what cannot be explained: which write was lost, doubled or brought
//! back, which id outlived its end, who was refused without a reason.

macro_rules! demand {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err(format!($($sentence)+));
        }
    };
}

mod revoked;

use http::StatusCode;
use sessile::StoreKey;

use super::fate::{End, Fate};
use super::journal::{Ending, Id, Journal, Request, Result as Done, Sent, Tick};
use super::program::{Log, Step};

type Explained = Result<(), String>;

/// Holds a history against every rule. `follows` says whether the store remembers where a session was
/// rotated to.
pub(super) fn explain(journal: &Journal, follows: bool) -> Explained {
    let history = History::of(journal, follows);
    for (number, request) in journal.requests.iter().enumerate() {
        history.nothing_is_read_that_was_not_written(number, request)?;
        history.a_session_is_found_until_it_ends(number, request)?;
        history.refusals_have_a_reason(number, request)?;
        history.cookies_follow_the_session(number, request)?;
        history.what_was_revoked_is_never_opened(number, request)?;
    }
    for id in &journal.ids {
        history.what_is_stored_was_written(id)?;
        history.a_logout_leaves_nothing(id)?;
        history.dead_ids_hold_nothing(id)?;
        history.what_was_revoked_is_not_stored(id)?;
    }
    history.a_session_lives_under_one_id()?;
    history.acknowledged_writes_are_stored_once()
}

/// A session through all its ids: by the request that began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lineage(usize);

/// A write of a program: by which request, to which session, and what became of it.
struct Write {
    number: u32,
    by: usize,
    lineage: Lineage,
    fate: Fate,
}

/// A journal, and what follows from it.
struct History<'j> {
    journal: &'j Journal,
    /// Which session each request worked on.
    lineages: Vec<Lineage>,
    writes: Vec<Write>,
    /// A logout ends a session where it was rotated to meanwhile.
    follows: bool,
}

impl<'j> History<'j> {
    fn of(journal: &'j Journal, follows: bool) -> Self {
        let mut history = Self {
            journal,
            lineages: Vec::new(),
            writes: Vec::new(),
            follows,
        };
        for (number, request) in journal.requests.iter().enumerate() {
            let lineage = match (request.key, &request.opened) {
                // Whoever drew an id was invoked before whoever came with it.
                (Some(key), Some(opened)) if !opened.is_new => history.lineages[history.id(key).by],
                _ => Lineage(number),
            };
            history.lineages.push(lineage);
            for (index, step) in request.program.steps.iter().enumerate() {
                if let Step::Write(write) | Step::Update(write) | Step::CutUpdate(write, _) = *step
                {
                    history.writes.push(Write {
                        number: write,
                        by: number,
                        lineage,
                        fate: request.fate(index),
                    });
                }
            }
        }
        history
    }

    fn id(&self, key: StoreKey) -> &'j Id {
        let id = self.journal.ids.iter().find(|id| id.key == key);
        id.expect("every cookie names an id that was drawn")
    }

    fn lineage(&self, number: usize) -> Lineage {
        self.lineages[number]
    }

    /// The requests that worked on a session.
    fn on(&self, lineage: Lineage) -> impl Iterator<Item = (usize, &'j Request)> {
        let requests = self.journal.requests.iter().enumerate();
        requests.filter(move |(number, _)| self.lineage(*number) == lineage)
    }

    /// What may have ended the life of an id.
    fn ends_of_id(&self, key: StoreKey) -> Vec<End> {
        let born = self.id(key).drawn;
        let ends = self
            .journal
            .requests
            .iter()
            .enumerate()
            .flat_map(|(number, request)| {
                let mine = request.key == Some(key) && !request.is_new();
                mine.then(|| request.ends(number, |step| step != Step::Pause))
                    .into_iter()
                    .flatten()
            });
        let revoked = self.revocations_of(self.lineage(self.id(key).by));
        ends.chain(self.logouts_that_follow(key))
            .chain(revoked)
            .chain(self.jump_after(born))
            .collect()
    }

    /// The logouts that may have come after a session to this id: by requests with an id before it.
    fn logouts_that_follow(&self, key: StoreKey) -> Vec<End> {
        let mut logouts = Vec::new();
        let mut before = self.rotated_from(key).filter(|_| self.follows);
        while let Some(key) = before {
            for (number, request) in self.journal.requests.iter().enumerate() {
                if request.key == Some(key) && !request.is_new() {
                    let ends = request.ends(number, |step| step == Step::Destroy);
                    let may_have = ends.into_iter().map(|end| End {
                        certain: false,
                        ..end
                    });
                    logouts.extend(may_have);
                }
            }
            before = self.rotated_from(key);
        }
        logouts
    }

    /// The id that a session had before this one.
    fn rotated_from(&self, key: StoreKey) -> Option<StoreKey> {
        let request = &self.journal.requests[self.id(key).by];
        request.key.filter(|_| !request.is_new())
    }

    /// What may have taken the content of a session away.
    fn ends_of_content(&self, lineage: Lineage) -> Vec<End> {
        let ends = self.on(lineage).flat_map(|(number, request)| {
            request.ends(number, |step| matches!(step, Step::Clear | Step::Destroy))
        });
        ends.chain(self.revocations_of(lineage))
            .chain(self.jump_after(0))
            .collect()
    }

    fn jump_after(&self, moment: Tick) -> Option<End> {
        let at = self.journal.jump.filter(|at| *at > moment)?;
        Some(End {
            from: at,
            until: Some(at),
            certain: true,
            by: None,
        })
    }

    fn coherent(&self, log: &Log, lineage: Lineage, at: &str) -> Explained {
        let Log {
            entries,
            count,
            set,
            by_parity,
        } = log;
        let whole = entries.len() == *count
            && entries.len() == set.len()
            && entries.iter().all(|entry| set.contains(entry))
            && by_parity.values().sum::<usize>() == *count;
        demand!(whole, "{at} is a mixture, or holds a write twice: {log:?}");
        for write in self
            .writes
            .iter()
            .filter(|write| set.contains(&write.number))
        {
            let number = write.number;
            demand!(
                write.lineage == lineage,
                "{at} holds {number} of another session"
            );
            demand!(
                write.fate != Fate::Refused,
                "{at} holds {number}, which was refused"
            );
        }
        Ok(())
    }

    fn nothing_is_read_that_was_not_written(&self, number: usize, request: &Request) -> Explained {
        let Some(opened) = &request.opened else {
            return Ok(());
        };
        let at = format!("what request {number} read");
        if opened.is_new {
            demand!(
                opened.log == Log::default(),
                "{at} is not empty: {:?}",
                opened.log
            );
            return Ok(());
        }
        let lineage = self.lineage(number);
        self.coherent(&opened.log, lineage, &at)?;
        let ends = self.ends_of_content(lineage);
        let of_this_session = |write: &&Write| write.lineage == lineage;
        for write in self.writes.iter().filter(of_this_session) {
            let seen = opened.log.set.contains(&write.number);
            let before = matches!(write.fate, Fate::Acknowledged(told) if told < request.invoked);
            if seen || !before {
                continue;
            }
            let written = self.journal.requests[write.by].invoked;
            let taken = ends
                .iter()
                .any(|end| end.from < opened.at && end.is_after(written));
            demand!(
                taken,
                "{at} lacks {}, which was acknowledged before",
                write.number
            );
        }
        Ok(())
    }

    fn a_session_is_found_until_it_ends(&self, number: usize, request: &Request) -> Explained {
        let (Some(key), Some(opened)) = (request.key, &request.opened) else {
            return Ok(());
        };
        for end in self.ends_of_id(key) {
            let ended = end.certain && end.until.is_some_and(|until| until < request.invoked);
            demand!(
                opened.is_new || !ended,
                "request {number} found a session whose id had ended: {end:?}"
            );
        }
        let may_have = |end: &End| end.from < opened.at && end.by != Some(number);
        let explained = !opened.is_new || self.ends_of_id(key).iter().any(may_have);
        demand!(
            explained,
            "request {number} found no session, and nothing had ended it"
        );
        Ok(())
    }

    fn refusals_have_a_reason(&self, number: usize, request: &Request) -> Explained {
        let Ending::Answered(status, _) = &request.ending else {
            return Ok(());
        };
        let ended = request.ended.expect("an answer has a moment");
        match *status {
            StatusCode::CONFLICT => {
                let keys = request.key.filter(|_| !request.is_new()).into_iter();
                let own = self
                    .journal
                    .ids
                    .iter()
                    .filter(|id| id.by == number)
                    .map(|id| id.key);
                let reason = keys.chain(own).flat_map(|key| self.ends_of_id(key));
                let reason = reason.filter(|end| end.by != Some(number));
                let reason = reason.into_iter().any(|end| end.from < ended);
                let ends = |step: Step| step == Step::Destroy || step.revokes();
                let own = request.notes.iter().any(|note| ends(note.step));
                demand!(
                    reason || own,
                    "request {number} was told that its session had ended"
                );
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let cut = request.notes.iter().any(|note| note.result == Done::Cut);
                demand!(
                    cut,
                    "request {number} was refused though nothing was in doubt: {}",
                    request.said
                );
            }
            StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::INTERNAL_SERVER_ERROR => {}
            status => return Err(format!("request {number} was answered {status}")),
        }
        Ok(())
    }

    fn cookies_follow_the_session(&self, number: usize, request: &Request) -> Explained {
        let Ending::Answered(status, sent) = &request.ending else {
            return Ok(());
        };
        let did = |wanted: fn(Step) -> bool| request.notes.iter().any(|note| wanted(note.step));
        // By itself, or with all others of its owner.
        let destroyed = did(|step| step == Step::Destroy || step.revokes());
        let left_alone = *sent == Sent::Nothing || destroyed || *status != StatusCode::CONFLICT;
        demand!(
            left_alone,
            "request {number} was refused, and its cookie changed"
        );
        let moved = did(Step::rotates);
        match sent {
            Sent::Nothing => {
                let told = |write: &Write| {
                    write.by == number && matches!(write.fate, Fate::Acknowledged(_))
                };
                let holds = request.is_new() && self.writes.iter().any(told);
                let expired = self.journal.jump.is_some();
                // Whose sign-in was revoked meanwhile is told, and has nothing left.
                let revoked = *status == StatusCode::CONFLICT
                    || self.may_have_lost_its_sign_in(number, request);
                let follows = !holds || destroyed || expired || revoked;
                demand!(
                    follows,
                    "request {number} began a session and sent no cookie"
                );
                let ok = status.is_success();
                let stays = request.is_new() || request.key.is_none() || !moved || destroyed;
                demand!(
                    stays || !ok,
                    "request {number} moved a session and sent no cookie"
                );
            }
            Sent::Removal => demand!(destroyed, "request {number} removed a cookie unasked"),
            Sent::Cookie(key) => {
                demand!(
                    self.id(*key).by == number,
                    "request {number} sent another's id"
                );
                let due = request.is_new() || moved;
                demand!(due, "request {number} sent a cookie that nobody needs");
            }
        }
        Ok(())
    }

    /// Whether a sign-in was cut short, arrived, and was revoked: what failed meanwhile has no session
    /// left, and says why it failed.
    fn may_have_lost_its_sign_in(&self, number: usize, request: &Request) -> bool {
        let cut = request.notes.iter().any(|note| note.result == Done::Cut);
        let mut revocations = self.revocations_of(self.lineage(number));
        cut && revocations.any(|end| end.is_after(request.invoked))
    }

    fn what_is_stored_was_written(&self, id: &Id) -> Explained {
        let Some(log) = &id.stored else { return Ok(()) };
        let at = format!("the session that request {} left", id.by);
        self.coherent(log, self.lineage(id.by), &at)
    }

    fn dead_ids_hold_nothing(&self, id: &Id) -> Explained {
        let dead = self.ends_of_id(id.key).iter().any(|end| end.certain);
        let holds = dead && id.stored.is_some();
        demand!(
            !holds,
            "the id that request {} drew has ended and is alive",
            id.by
        );
        Ok(())
    }

    /// A logout that was carried out has ended the session, under whatever id.
    fn a_logout_leaves_nothing(&self, id: &Id) -> Explained {
        if id.stored.is_none() || self.holds_a_place(id) {
            return Ok(());
        }
        let mut on_it = self.on(self.lineage(id.by));
        let logout = on_it.find(|(_, request)| {
            let mut notes = request.notes.iter();
            !request.is_new()
                && request.removed_its_cookie()
                && notes.any(|note| note.step == Step::Destroy)
        });
        demand!(
            logout.is_none(),
            "the id that request {} drew is alive, though a logout had ended its session",
            id.by
        );
        Ok(())
    }

    /// Whether a first visit was cut short and begun again under another id: an empty record keeps the
    /// first one from being taken, and nobody was told of it.
    fn holds_a_place(&self, id: &Id) -> bool {
        let request = &self.journal.requests[id.by];
        let cut = request.notes.iter().any(|note| note.result == Done::Cut);
        let ids = self.journal.ids.iter();
        let mut later = ids.skip_while(|other| other.key != id.key).skip(1);
        id.is_empty
            && cut
            && request.is_new()
            && !self.is_sent(id)
            && later.any(|other| other.by == id.by)
    }

    /// Whether any answer told a browser of an id.
    fn is_sent(&self, id: &Id) -> bool {
        let mut requests = self.journal.requests.iter();
        requests.any(|request| {
            matches!(&request.ending, Ending::Answered(_, Sent::Cookie(key)) if *key == id.key)
        })
    }

    fn a_session_lives_under_one_id(&self) -> Explained {
        let live: Vec<_> = self
            .journal
            .ids
            .iter()
            .filter(|id| id.stored.is_some() && !self.holds_a_place(id))
            .collect();
        for (index, id) in live.iter().enumerate() {
            let lineage = self.lineage(id.by);
            let twin = live[..index]
                .iter()
                .find(|twin| self.lineage(twin.by) == lineage);
            demand!(
                twin.is_none(),
                "the session of {lineage:?} lives under two ids"
            );
        }
        Ok(())
    }

    fn acknowledged_writes_are_stored_once(&self) -> Explained {
        let told = |write: &&Write| matches!(write.fate, Fate::Acknowledged(_));
        for write in self.writes.iter().filter(told) {
            let mut stored = self.journal.ids.iter().filter_map(|id| id.stored.as_ref());
            if stored.any(|log| log.set.contains(&write.number)) {
                continue;
            }
            let written = self.journal.requests[write.by].invoked;
            let ends = self.ends_of_content(write.lineage);
            let taken = ends.iter().any(|end| end.is_after(written));
            let Write { number, by, .. } = write;
            demand!(
                taken,
                "{number} of request {by} was acknowledged, and is lost"
            );
        }
        Ok(())
    }
}
