//! A store and some requests on it, and the steps that they can take.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Bounds;
use super::check;
use super::model::Model;
use super::operation::{Exit, Operation};
use super::structs::{Account, Note, Tally, edit, numbers, read};
use crate::data::{self, Change, SessionData, Shape};
use crate::dialect::Dialect;
use crate::expiry::{Lifetime, Timestamp};
use crate::id::{SessionId, StoreKey};
use crate::protocol::{
    AtMaxSessions, Call, Done, Draw, Event, Fault, Inputs, Machine, Question, Refusal, Reply,
    Rolling, Rules, Session, Step, Token,
};
use crate::record::{Fields, OwnerKey, Owners, Record, Revision};
use crate::store::Stored;
use crate::token::{Candidate, Candidates};

/// The sessions that stand at first, and the tokens of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// All requests have the token of one session, which is nobody's.
    Anonymous,
    /// All requests have the token of one session, which is a user's.
    SignedIn,
    /// The requests have sessions of their own, all of one user.
    Devices,
    /// The first request has no token, the others have a user's.
    FirstVisit,
    /// The first request has the tokens of two live sessions, the others have one of them.
    TwoTokens,
}

/// All that there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) store: Model,
    pub(super) requests: Vec<Request>,
    /// A write whose caller has an error or has gone, and which may be carried out yet.
    late: Option<(Question, Timestamp)>,
    clock: u64,
    pub(super) faults: u8,
    has_expired: bool,
    /// The keys that can never be live again.
    pub(super) dead: BTreeSet<StoreKey>,
    /// The numbers of sessions that have ended.
    pub(super) buried: BTreeSet<u8>,
    /// The keys that the store has removed, and since when each session was its owner's.
    removed: BTreeMap<StoreKey, Option<Timestamp>>,
    /// The keys whose token a visitor has.
    told: BTreeSet<StoreKey>,
    /// A `clear` may have taken numbers out.
    pub(super) is_cleared: bool,
    /// The users whose sign-ins up to a mark are revoked.
    pub(super) revoked: Vec<(OwnerKey, Timestamp)>,
    pub(super) broken: Option<String>,
    /// The last step, to be shown.
    pub(super) last: Shown,
}

/// Text that does not tell states apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(pub(super) String);

impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

impl std::hash::Hash for Shown {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) machine: Machine,
    pub(super) tokens: Vec<SessionId>,
    pub(super) stage: Stage,
    asked: Option<Question>,
    is_paused: bool,
    /// The kind of the call under way.
    call: Option<Kind>,
    used: u8,
    drawn: (u8, u8),
    /// The numbers that the session held when it was opened.
    pub(super) came: Vec<u8>,
    /// The numbers that are to be stored.
    pending: BTreeSet<u8>,
    /// The numbers that a call has taken up whose outcome nobody knows.
    exposed: BTreeSet<u8>,
    pub(super) acknowledged: BTreeSet<u8>,
    /// The numbers that are surely not stored.
    pub(super) never: BTreeSet<u8>,
    /// The number that the closure under way appends.
    appends: Option<u8>,
    pub(super) has_destroyed: bool,
    /// The marks that the revocation under way has set.
    marks: Vec<(OwnerKey, Timestamp)>,
    pub(super) told: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    New,
    Handling,
    Ending,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Open,
    Store,
    Update,
    Reload,
    Revoke(Option<u8>),
    /// Whether the response keeps what the handler did.
    Commit(bool),
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Open(usize),
    Do(usize, Operation),
    Exit(usize, Exit),
    Answer(usize),
    /// The store fails, and has done nothing; it may do it later.
    FailBefore(usize),
    FailAfter(usize),
    Refuse(usize),
    /// The handler drops its call, and goes on.
    CutBefore(usize),
    CutAfter(usize),
    Resume(usize),
    Deliver,
    Expire,
}

const BASE: u64 = 1_000_000_000;
const IDLE: Duration = Duration::from_hours(1);

/// The request that appends a number, where one does.
pub(super) const fn appended_by(number: u8) -> Option<u8> {
    if number < 200 {
        Some((number - 1) / 16)
    } else {
        None
    }
}

/// The number in the list of the session with this index at first.
const fn first_number(session: u8) -> u8 {
    200 + session
}

struct Numbers<'d>(usize, &'d mut (u8, u8));

impl Draw for Numbers<'_> {
    fn id(&mut self) -> SessionId {
        self.1.0 += 1;
        id(u8::try_from(self.0).expect("few requests") + 10, self.1.0)
    }

    fn revision(&mut self) -> Revision {
        self.1.1 += 1;
        Revision::from_u64(u64::from(self.1.1) + 1000 * (self.0 as u64 + 1))
    }
}

fn id(who: u8, number: u8) -> SessionId {
    let mut bytes = [0; 24];
    (bytes[0], bytes[1]) = (who, number);
    SessionId::from_bytes(bytes)
}

pub(super) fn owner(user: u8) -> OwnerKey {
    data::owners(&[sign_in(user)], &Owners::default(), |_| {
        Timestamp::default()
    })
    .keys()
    .next()
    .expect("an account has an owner")
}

/// Since when a session is its owner's.
pub(super) fn since(record: &Record) -> Option<Timestamp> {
    let owner = record.owners.keys().next()?;
    record.owners.since(owner)
}

fn sign_in(user: u8) -> Change {
    data::insertion(&Account { user }).expect("plain values can be stored")
}

impl World {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let mut store = Model::default();
        let mut put = |session: u8, user: Option<u8>| {
            let tally = Tally {
                list: vec![first_number(session)],
                sum: 0,
            };
            let mut changes = vec![data::insertion(&tally).expect("plain values")];
            changes.extend(user.map(sign_in));
            let since = Timestamp::from_millis(BASE - 10);
            let record = Record {
                revision: Revision::from_u64(u64::from(session) + 1),
                created: since,
                idle: None,
                owners: data::owners(&changes, &Owners::default(), |_| since),
                fields: data::apply(&changes, &Fields::default()),
            };
            let id = id(0, session);
            let expires = since.plus(IDLE);
            store.sessions.insert(id.key(), Stored { record, expires });
            id
        };
        let count = bounds.programs.len();
        let tokens: Vec<Vec<SessionId>> = match bounds.start {
            Start::Anonymous => vec![vec![put(0, None)]; count],
            Start::SignedIn => vec![vec![put(0, Some(1))]; count],
            Start::Devices => (0..count)
                .map(|at| vec![put(u8::try_from(at).expect("few requests"), Some(1))])
                .collect(),
            Start::FirstVisit => {
                let theirs = put(0, Some(1));
                (0..count)
                    .map(|at| if at == 0 { vec![] } else { vec![theirs] })
                    .collect()
            }
            Start::TwoTokens => {
                let (one, two) = (put(0, None), put(1, Some(1)));
                (0..count)
                    .map(|at| if at == 0 { vec![one, two] } else { vec![two] })
                    .collect()
            }
        };
        let requests = tokens.into_iter().map(|tokens| Request {
            machine: Machine::new(Session::new(None)),
            tokens,
            stage: Stage::New,
            asked: None,
            is_paused: false,
            call: None,
            used: 0,
            drawn: (0, 0),
            came: Vec::new(),
            pending: BTreeSet::new(),
            exposed: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            never: BTreeSet::new(),
            appends: None,
            has_destroyed: false,
            marks: Vec::new(),
            told: None,
        });
        let requests: Vec<_> = requests.collect();
        Self {
            store,
            requests: requests.clone(),
            late: None,
            clock: BASE,
            faults: 0,
            has_expired: false,
            dead: BTreeSet::new(),
            buried: BTreeSet::new(),
            removed: BTreeMap::new(),
            told: requests
                .iter()
                .flat_map(|it| it.tokens.iter().map(SessionId::key))
                .collect(),
            is_cleared: false,
            revoked: Vec::new(),
            broken: None,
            last: Shown::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock)
    }

    /// Whether all requests have ended; a late write may still come.
    pub(super) fn is_over(&self) -> bool {
        self.requests.iter().all(|it| it.stage == Stage::Done)
    }

    /// Whether another request has removed the session: its numbers are buried.
    pub(super) fn was_removed(&self, key: StoreKey) -> bool {
        self.removed.contains_key(&key)
    }

    /// Whether no visitor has the token of a session.
    pub(super) fn is_untold(&self, key: &StoreKey) -> bool {
        !self.told.contains(key)
    }

    pub(super) fn has_expired(&self) -> bool {
        self.has_expired
    }

    /// The steps that can be taken. A handler that does not wait goes on first: what it does meets nobody.
    pub(super) fn actions(&self, bounds: &Bounds) -> Vec<Action> {
        let runs = |request: &Request| {
            request.stage == Stage::Handling && request.asked.is_none() && !request.is_paused
        };
        let mut actions = Vec::new();
        if let Some(at) = self.requests.iter().position(runs) {
            if self.requests[at].used < bounds.length {
                actions.extend(bounds.programs[at].iter().map(|it| Action::Do(at, *it)));
            }
            actions.extend(bounds.exits.iter().map(|it| Action::Exit(at, *it)));
            return actions;
        }
        let may_fail = self.faults < bounds.faults;
        for (at, request) in self.requests.iter().enumerate() {
            if request.stage == Stage::New {
                actions.push(Action::Open(at));
            }
            if request.is_paused {
                actions.push(Action::Resume(at));
            }
            let Some(asked) = &request.asked else {
                continue;
            };
            actions.push(Action::Answer(at));
            if may_fail {
                actions.push(Action::FailBefore(at));
                if is_write(asked) {
                    actions.push(Action::FailAfter(at));
                }
                if matches!(
                    asked,
                    Question::Insert { .. } | Question::Replace { .. } | Question::Rotate { .. }
                ) {
                    actions.push(Action::Refuse(at));
                }
                if request.stage == Stage::Handling {
                    actions.push(Action::CutBefore(at));
                    if is_write(asked) {
                        actions.push(Action::CutAfter(at));
                    }
                }
            }
        }
        if self.late.is_some() {
            actions.push(Action::Deliver);
        }
        if bounds.expires && !self.has_expired && !self.is_over() {
            actions.push(Action::Expire);
        }
        actions
    }

    pub(super) fn take(&mut self, action: Action, bounds: &Bounds) {
        self.last = Shown(format!("{action:?}"));
        match action {
            Action::Open(at) => {
                self.clock += 1;
                let request = &mut self.requests[at];
                request.stage = Stage::Handling;
                let mut candidates = Candidates::default();
                for id in &request.tokens {
                    candidates.add(Candidate {
                        id: *id,
                        is_stale: false,
                    });
                }
                self.begin(at, Kind::Open, Call::Open(candidates), bounds);
            }
            Action::Do(at, operation) => self.act(at, operation, bounds),
            Action::Exit(at, exit) => self.exit(at, exit, bounds),
            Action::Answer(at) => {
                let asked = self.requests[at].asked.clone();
                let reply = self.carry_out(at);
                if let (Some(Question::Mark { owner, .. }), Reply::Mark(Some(mark))) =
                    (asked, &reply)
                {
                    self.requests[at].marks.push((owner, *mark));
                }
                self.answer(at, Ok(reply), bounds);
            }
            Action::FailBefore(at) => {
                self.postpone(at);
                self.answer(at, Err(Fault::Unknown), bounds);
            }
            Action::FailAfter(at) => {
                self.faults += 1;
                self.carry_out(at);
                self.answer(at, Err(Fault::Unknown), bounds);
            }
            Action::Refuse(at) => {
                self.faults += 1;
                self.answer(at, Err(Fault::Refused), bounds);
            }
            Action::CutBefore(at) => {
                self.postpone(at);
                self.cut(at, bounds);
            }
            Action::CutAfter(at) => {
                self.faults += 1;
                self.carry_out(at);
                self.cut(at, bounds);
            }
            Action::Resume(at) => {
                self.requests[at].is_paused = false;
                let step = self.with(at, bounds, Machine::resumed);
                self.go_on(at, step, bounds);
            }
            Action::Deliver => {
                if let Some((question, now)) = self.late.take() {
                    self.do_now(&question, now);
                }
            }
            Action::Expire => {
                self.clock += 2 * u64::try_from(IDLE.as_millis()).expect("an hour");
                self.has_expired = true;
            }
        }
    }

    /// Forgets what tells no states apart.
    pub(super) fn forget_counters(&mut self) {
        for request in &mut self.requests {
            request.machine.session.forget_counters();
        }
    }

    fn act(&mut self, at: usize, operation: Operation, bounds: &Bounds) {
        let request = &mut self.requests[at];
        let number = 1 + u8::try_from(at).expect("few requests") * 16 + request.used;
        request.used += 1;
        let session = &mut request.machine.session;
        match operation {
            Operation::Read => drop(session.fields()),
            Operation::Set => drop(request.change::<Note>(|note| note.word = number)),
            Operation::Sum => drop(request.change::<Tally>(|tally| tally.sum += 1)),
            Operation::Append => {
                if request.change::<Tally>(|tally| tally.list.push(number)) {
                    request.pending.insert(number);
                }
            }
            Operation::Insert => {
                let note = data::insertion(&Note { word: number }).expect("plain values");
                drop(session.push(Shape::of::<Note>(), note));
            }
            Operation::Remove => {
                drop(session.push(Shape::of::<Note>(), data::removal::<Note>()));
            }
            Operation::SignIn(user) => {
                drop(session.push(Shape::of::<Account>(), sign_in(user)));
            }
            Operation::SignOut => {
                drop(session.push(Shape::of::<Account>(), data::removal::<Account>()));
            }
            Operation::Renew => {
                session.note(|changes| changes.renew = true);
            }
            Operation::Clear => {
                session.clear();
                // What this request has not stored goes too.
                let pending = std::mem::take(&mut request.pending);
                request.exposed.extend(pending);
                self.is_cleared = true;
            }
            Operation::Destroy => {
                session.destroy();
                request.has_destroyed = true;
                request.forget();
            }
            Operation::Touch => {
                session.note(|changes| changes.touch = true);
            }
            Operation::Save => self.begin(at, Kind::Store, Call::Save, bounds),
            Operation::Update => {
                request.appends = Some(number);
                self.begin(at, Kind::Update, Call::Update, bounds);
            }
            Operation::Reload => self.begin(at, Kind::Reload, Call::Reload, bounds),
            Operation::RevokeAll(user) => {
                let call = Call::RevokeAll {
                    owner: owner(user),
                    by_request: true,
                };
                self.begin(at, Kind::Revoke(Some(user)), call, bounds);
            }
            Operation::RevokeOthers => {
                self.begin(at, Kind::Revoke(None), Call::RevokeOthers, bounds);
            }
        }
    }

    fn exit(&mut self, at: usize, exit: Exit, bounds: &Bounds) {
        let request = &mut self.requests[at];
        request.stage = Stage::Ending;
        let session = &mut request.machine.session;
        let has_panicked = matches!(exit, Exit::Panicked | Exit::Excused);
        if has_panicked {
            session.drop_changes();
            session.drop_held();
        }
        if exit != Exit::Ok {
            request.forget();
        }
        let session = &mut self.requests[at].machine.session;
        let answers = matches!(exit, Exit::Ok | Exit::Failed | Exit::Excused);
        if !answers && !session.is_to_end() {
            session.close_in_haste();
            self.requests[at].stage = Stage::Done;
            return;
        }
        let keeps = matches!(exit, Exit::Ok | Exit::Excused);
        let call = Call::Commit {
            unopened: None,
            is_dropped: !keeps,
            by_cookie: true,
        };
        self.begin(at, Kind::Commit(answers), call, bounds);
    }

    /// The handler drops its call.
    fn cut(&mut self, at: usize, bounds: &Bounds) {
        let request = &mut self.requests[at];
        request.asked = None;
        request.machine.abandoned();
        let exposed: Vec<u8> = request
            .pending
            .iter()
            .copied()
            .chain(request.appends.take())
            .collect();
        request.exposed.extend(exposed);
        if request.call.take() == Some(Kind::Open) {
            // The handler was never called.
            self.exit(at, Exit::Dropped, bounds);
        }
    }

    /// Has the question of a request carried out later, or never.
    fn postpone(&mut self, at: usize) {
        self.faults += 1;
        let asked = self.requests[at].asked.clone();
        if let Some(asked) = asked.filter(is_write)
            && self.late.is_none()
        {
            self.late = Some((asked, self.now()));
        }
    }

    fn carry_out(&mut self, at: usize) -> Reply {
        let asked = self.requests[at].asked.clone();
        let now = self.now();
        self.do_now(&asked.expect("a question is answered"), now)
    }

    fn do_now(&mut self, question: &Question, now: Timestamp) -> Reply {
        let before = self.store.clone();
        let reply = self.store.carry_out(question, now, lifetime());
        if let Question::Mark { .. } = question {
            self.clock += 1;
        }
        if let (Question::Remove(key), Reply::Did(true)) = (question, &reply)
            && let Some(removed) = before.sessions.get(key)
        {
            self.buried.extend(numbers(&removed.record.fields));
            self.removed.insert(*key, since(&removed.record));
        }
        if let Err(broken) = check::write(question, &before, &self.store, now) {
            self.broken.get_or_insert(broken);
        }
        reply
    }

    fn begin(&mut self, at: usize, kind: Kind, call: Call, bounds: &Bounds) {
        self.requests[at].call = Some(kind);
        self.requests[at].marks.clear();
        let step = self.with(at, bounds, |machine, inputs| machine.begin(call, inputs));
        self.go_on(at, step, bounds);
    }

    fn answer(&mut self, at: usize, reply: Result<Reply, Fault>, bounds: &Bounds) {
        self.requests[at].asked = None;
        let step = self.with(at, bounds, |machine, inputs| {
            machine.answered(reply, inputs)
        });
        self.go_on(at, step, bounds);
    }

    fn with<T>(
        &mut self,
        at: usize,
        bounds: &Bounds,
        step: impl FnOnce(&mut Machine, &mut Inputs<'_>) -> T,
    ) -> T {
        let now = self.now();
        let request = &mut self.requests[at];
        let rules = bounds.rules();
        let mut inputs = Inputs {
            rules: &rules,
            cookie: None,
            now,
            draw: &mut Numbers(at, &mut request.drawn),
        };
        let done = step(&mut request.machine, &mut inputs);
        for event in request.machine.news() {
            if let Event::Evicted(key) = event {
                let evicted = self.removed.get(&key).copied().flatten();
                // A revocation of others may have made a session newer since it was listed.
                let evicted = evicted.filter(|_| !self.store.has_marks());
                if let Err(broken) = check::eviction(request, evicted, bounds) {
                    self.broken.get_or_insert(broken);
                }
            }
            match event {
                Event::Rotated { from: key, .. }
                | Event::Destroyed(key)
                | Event::Revoked(key)
                | Event::Evicted(key)
                | Event::NotFound(key)
                | Event::Expired(key)
                | Event::Gone(key, _) => {
                    self.dead.insert(key);
                }
                _ => {}
            }
        }
        done
    }

    fn go_on(&mut self, at: usize, step: Step<Done>, bounds: &Bounds) {
        match step {
            Step::Ask(question) => self.requests[at].asked = Some(question),
            Step::Pause(_) | Step::Queue(_) => self.requests[at].is_paused = true,
            Step::Run(fields) => {
                let number = self.requests[at].appends.expect("an update appends");
                let changes = match read::<Tally>(&fields) {
                    Some(_) => Ok(edit::<Tally>(&fields, |tally| tally.list.push(number))),
                    None => Err(Refusal::Absent("Tally")),
                };
                let step = self.with(at, bounds, |machine, inputs| machine.ran(changes, inputs));
                self.go_on(at, step, bounds);
            }
            Step::Done(ended) => self.ended(at, ended, bounds),
        }
    }

    /// A call of a request has ended.
    fn ended(&mut self, at: usize, ended: Result<Done, Refusal>, bounds: &Bounds) {
        let request = &mut self.requests[at];
        let kind = request.call.take().expect("a call has ended");
        let appended = request.appends.take();
        match (kind, ended) {
            (Kind::Open, Ok(_)) => {
                request.came = numbers(&request.machine.session.fields());
            }
            // The extractor answers 503.
            (Kind::Open, Err(_)) => self.exit(at, Exit::Failed, bounds),
            (Kind::Store | Kind::Update, Ok(_)) => request.acknowledge(appended),
            (Kind::Reload, Ok(_)) => request.forget(),
            (Kind::Revoke(user), Ok(_)) => {
                let marks = std::mem::take(&mut request.marks);
                if let Err(broken) = check::revocation(request, user.is_none(), &marks) {
                    self.broken.get_or_insert(broken);
                }
                self.revoked.extend(marks);
                if user.is_none() {
                    request.acknowledge(None);
                }
                if request.machine.session.has_ended() {
                    request.forget();
                }
            }
            // It has stored what was pending, and failed afterwards.
            (Kind::Revoke(None), Err(_)) => request.expose(None),
            (Kind::Store | Kind::Update | Kind::Reload | Kind::Revoke(_), Err(refusal)) => {
                request.doubt(&refusal, appended);
            }
            (Kind::Commit(answers), Ok(Done::Response { token, instead })) => {
                request.stage = Stage::Done;
                request.told = answers.then_some(instead.is_none());
                match &instead {
                    None => request.acknowledge(None),
                    Some(refusal) => {
                        request.doubt(refusal, None);
                        request.forget();
                    }
                }
                if instead.is_none() && request.has_destroyed && answers {
                    self.buried.extend(request.came.iter().copied());
                    let presented: Vec<_> = request.tokens.iter().map(SessionId::key).collect();
                    self.dead.extend(presented);
                }
                self.told.extend(given(&token).filter(|_| answers));
                if answers && let Err(broken) = check::response(self, at, &token, instead.as_ref())
                {
                    self.broken.get_or_insert(broken);
                }
            }
            (Kind::Commit(_), other) => {
                self.broken
                    .get_or_insert(format!("a commit ends as {other:?}"));
            }
        }
    }
}

impl Request {
    /// Wanted a struct through a view; `false` where the change was refused.
    fn change<T: SessionData>(&mut self, change: impl FnOnce(&mut T)) -> bool {
        let session = &mut self.machine.session;
        let changes = edit::<T>(&session.fields(), change);
        if changes.is_empty() {
            return false;
        }
        let ticket = session.lend(Shape::of::<T>(), std::panic::Location::caller());
        let Some(lent) = session.give_back(ticket) else {
            return false;
        };
        session.hand_over(&lent, changes).is_ok_and(|handed| handed)
    }

    fn acknowledge(&mut self, appended: Option<u8>) {
        let stored = std::mem::take(&mut self.pending);
        self.acknowledged.extend(stored.into_iter().chain(appended));
    }

    /// What is pending is dropped.
    fn forget(&mut self) {
        let dropped = std::mem::take(&mut self.pending);
        let never = dropped.into_iter().filter(|it| !self.exposed.contains(it));
        self.never.extend(never);
    }

    /// Nobody knows what is stored of what was pending.
    fn expose(&mut self, appended: Option<u8>) {
        let exposed: Vec<u8> = self.pending.iter().copied().chain(appended).collect();
        self.exposed.extend(exposed);
        if self.machine.session.has_ended() {
            self.forget();
        }
    }

    /// A call has failed.
    fn doubt(&mut self, refusal: &Refusal, appended: Option<u8>) {
        match refusal {
            Refusal::Store | Refusal::Contended | Refusal::Taken | Refusal::Broken(_) => {
                self.expose(appended);
            }
            _ => {
                let is_exposed = |it: &u8| self.exposed.contains(it);
                self.never.extend(appended.filter(|it| !is_exposed(it)));
            }
        }
        if self.machine.session.has_ended() {
            self.forget();
        }
    }
}

fn is_write(question: &Question) -> bool {
    !matches!(
        question,
        Question::Load(_) | Question::Successor(_) | Question::OwnedBy(_) | Question::Marked(_)
    )
}

fn lifetime() -> Lifetime {
    Lifetime {
        idle: IDLE,
        absolute: 10 * IDLE,
        until: Timestamp::MAX,
    }
}

impl Bounds {
    pub(super) fn rules(&self) -> Rules {
        Rules {
            dialect: Dialect::NATIVE,
            lifetime: lifetime(),
            longest_idle: IDLE,
            cookie_persists: false,
            rolling: Rolling::OnTouch,
            resave: false,
            save_uninitialized: false,
            max_record_bytes: usize::MAX,
            max_sessions: self.limit.map(|_| 1),
            at_max_sessions: self.limit.unwrap_or(AtMaxSessions::EvictOldest),
        }
    }
}

/// Whether a token was given.
pub(super) fn given(token: &Token) -> Option<StoreKey> {
    match token {
        Token::Give { id, .. } => Some(id.key()),
        Token::Keep | Token::Remove => None,
    }
}
