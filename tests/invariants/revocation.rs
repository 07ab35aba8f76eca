//! Revocation raced by sign-ins: none that began before a revocation survives it, by whatever way,
//! and all that began after it do.

mod check;

use std::pin::Pin;
use std::sync::Mutex;
use std::time::Instant;

use axum::Router;
use fastrand::Rng;
use http::StatusCode;
use sessile::{SessionLayer, SessionStore, Timestamp};

use self::check::End;
use super::accounts::{Account, routes, visit, visitor};
use super::first_seed;
use super::schedule::{interleave, settle, step};
use super::world::{CookieChange, World};
use super::wrapped::{Manner, Wrapped};
use crate::support::Answer;

const CLIENTS: usize = 32;

/// So many rounds: 32 clients sign in, rotate and use their sessions, on two servers, while one, two or
/// three others revoke. The clock's every reading is later than the one before, so that it is known
/// who began before whom.
pub(crate) async fn no_sign_in_that_began_before_survives(
    store: impl SessionStore + Clone,
    manner: impl Manner,
    rounds: usize,
) {
    let (first, began) = (first_seed(), Instant::now());
    let (mut survived, mut ended) = (0, 0);
    for seed in (0..rounds as u64).map(|round| first.wrapping_add(round)) {
        let race = Race::run(seed, &store, manner.clone()).await;
        let (alive, dead) = End::of(&race).await.check();
        survived += alive;
        ended += dead;
        race.world.clean_up().await;
    }
    eprintln!(
        "{rounds} races: {ended} sign-ins revoked, {survived} survived that began after, in {:?}",
        began.elapsed()
    );
    assert!(survived > 0 && ended > 0, "both happen");
}

/// Who a visitor is, and what opens their session.
#[derive(Default, Clone)]
struct Client {
    jar: Option<String>,
    /// The sign-in that made the session the user's.
    sign_in: Option<u64>,
}

/// What happened in one round.
#[derive(Default)]
struct Journal {
    sign_ins: Vec<SignIn>,
    revocations: Vec<Revocation>,
    /// The tokens that visitors were given, and a line for each request.
    given: Vec<String>,
    lines: Vec<String>,
}

struct SignIn {
    number: u64,
    began: Timestamp,
    acknowledged: bool,
    /// The same session was signed in to anew.
    replaced: bool,
}

/// Its mark was set between two readings of the clock.
struct Revocation {
    from: Timestamp,
    until: Timestamp,
    acknowledged: bool,
    /// The sign-in that it spares: its maker's own.
    spares: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    SignIn,
    Renew,
    Promote,
    Visit,
    /// The last three revoke.
    Others,
    All,
    Reset,
}

impl Action {
    fn harmless(rng: &mut Rng, has_signed_in: bool) -> Self {
        let last = if has_signed_in { 8 } else { 5 };
        match rng.u8(..last) {
            0..4 => Self::SignIn,
            4 => Self::Visit,
            5..7 => Self::Renew,
            _ => Self::Promote,
        }
    }

    fn path(self, user: u64, number: u64) -> String {
        match self {
            Self::SignIn => format!("/sign-in/{user}/{number}"),
            Self::Renew => "/renew".to_owned(),
            Self::Promote => "/promote".to_owned(),
            Self::Visit => "/visit".to_owned(),
            Self::Others => "/others".to_owned(),
            Self::All => format!("/all/{user}"),
            Self::Reset => format!("/reset/{user}/{number}"),
        }
    }

    fn signs_in(self) -> bool {
        matches!(self, Self::SignIn | Self::Reset)
    }

    fn revokes(self) -> bool {
        matches!(self, Self::Others | Self::All | Self::Reset)
    }
}

struct Race<S> {
    seed: u64,
    /// Another one in each round: the marks of the rounds before stay in the store.
    user: u64,
    world: World<S>,
    /// Two servers over one store.
    servers: Vec<(SessionLayer, Router)>,
    journal: Mutex<Journal>,
}

impl<S: SessionStore + Clone> Race<S> {
    async fn run(seed: u64, store: &S, manner: impl Manner) -> Self {
        fastrand::seed(seed);
        let mut rng = Rng::with_seed(seed);
        let world = World::new(store.clone());
        let server = || {
            let slow = Wrapped(world.store.clone(), manner.clone());
            let layer = world.layer(slow).clock(world.clock.ticking());
            let layer = layer.build().unwrap();
            (layer.clone(), routes().layer(layer))
        };
        let servers = vec![server(), server()];
        let race = Self {
            seed,
            user: rng.u64(..1 << 50),
            world,
            servers,
            journal: Mutex::default(),
        };
        let mut clients = race.clients().await;
        let mut actors: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for _ in 0..rng.usize(1..4) {
            let mut client = rng.choice(&clients).cloned().unwrap();
            if rng.u8(..3) == 0 {
                client = Client::default();
            }
            actors.push(Box::pin(race.revoker(client, rng.fork())));
        }
        rng.shuffle(&mut clients);
        for client in clients {
            actors.push(Box::pin(race.client(client, rng.fork())));
        }
        interleave(&mut rng, actors).await;
        settle().await;
        race.sign_in_at_last().await;
        race
    }

    fn now(&self) -> Timestamp {
        self.world.clock.tick().into()
    }

    /// A third has signed in, a third has a session, a third has none; and there is another user.
    async fn clients(&self) -> Vec<Client> {
        let (_, app) = &self.servers[0];
        let another = visitor(app, &format!("/sign-in/{}/0", self.user + 1)).await;
        self.journal.lock().unwrap().given.extend(another);
        let mut clients = Vec::new();
        for index in 0..CLIENTS {
            let mut client = Client::default();
            match index % 3 {
                0 => self.act(&mut client, Action::SignIn, app).await,
                1 => self.act(&mut client, Action::Visit, app).await,
                _ => {}
            }
            clients.push(client);
        }
        clients
    }

    async fn client(&self, mut client: Client, mut rng: Rng) {
        for _ in 0..rng.usize(1..4) {
            for _ in 0..rng.usize(..20) {
                step().await;
            }
            let action = Action::harmless(&mut rng, client.sign_in.is_some());
            let (_, app) = rng.choice(&self.servers).unwrap();
            self.act(&mut client, action, app).await;
        }
    }

    async fn revoker(&self, mut client: Client, mut rng: Rng) {
        for _ in 0..rng.usize(..25) {
            step().await;
        }
        let (layer, app) = rng.choice(&self.servers).unwrap();
        match rng.u8(..5) {
            0 => self.revoke_by_job(layer).await,
            1 => self.act(&mut client, Action::All, app).await,
            2 => self.act(&mut client, Action::Reset, app).await,
            _ => self.act(&mut client, Action::Others, app).await,
        }
    }

    async fn revoke_by_job(&self, layer: &SessionLayer) {
        let from = self.now();
        layer
            .sessions()
            .revoke_all::<Account>(&self.user)
            .await
            .unwrap();
        self.revoked(from, true, None);
    }

    fn revoked(&self, from: Timestamp, acknowledged: bool, spares: Option<u64>) {
        let until = self.now();
        let mut journal = self.journal.lock().unwrap();
        journal.lines.push(format!("revoked {from:?} to {until:?}"));
        journal.revocations.push(Revocation {
            from,
            until,
            acknowledged,
            spares,
        });
    }

    /// One request, written down. It asks for its session at once, so that it began just then.
    async fn act(&self, client: &mut Client, action: Action, app: &Router) {
        let began = self.now();
        let number = began.as_millis();
        let carried = client.sign_in;
        let answer = visit(app, &mut client.jar, &action.path(self.user, number)).await;
        let acknowledged = answer.status == StatusCode::OK;
        self.judge(action, &answer);
        if action.revokes() {
            let spares = match action {
                Action::Reset => Some(number),
                Action::Others => carried,
                _ => None,
            };
            self.revoked(began, acknowledged, spares);
        }
        let mut journal = self.journal.lock().unwrap();
        journal.lines.push(format!(
            "{began:?} {action:?} by {carried:?}: {}",
            answer.status
        ));
        journal.given.extend(client.jar.clone());
        if action.signs_in() {
            journal.sign_ins.push(SignIn {
                number,
                began,
                acknowledged,
                replaced: false,
            });
            let before = journal.sign_ins.iter_mut();
            for before in before.filter(|it| Some(it.number) == carried) {
                before.replaced = true;
            }
            if acknowledged {
                client.sign_in = Some(number);
            }
        }
        if client.jar.is_none() {
            client.sign_in = None;
        }
    }

    /// A refusal sets no cookie, and takes none away unless it has just ended the session itself.
    fn judge(&self, action: Action, answer: &Answer) {
        let change = CookieChange::of(answer);
        let at = format!("seed {}: {action:?} was answered {change:?}", self.seed);
        match answer.status {
            StatusCode::OK => {
                let follows = change != CookieChange::Untouched;
                let moves = matches!(action, Action::SignIn | Action::Reset | Action::Promote);
                assert!(follows || !moves, "{at}");
            }
            StatusCode::CONFLICT => {
                let ended = action.revokes() && change == CookieChange::Removed;
                assert!(ended || change == CookieChange::Untouched, "{at}");
            }
            // The session was gone by then.
            StatusCode::UNAUTHORIZED => {
                assert_eq!(change, CookieChange::Untouched, "{at}");
            }
            status => panic!("{at}: {status}"),
        }
    }

    /// Who signs in when all is over stays.
    async fn sign_in_at_last(&self) {
        for (_, app) in &self.servers {
            for path in ["/visit", "/me"] {
                let mut client = Client::default();
                visit(app, &mut client.jar, path).await;
                self.act(&mut client, Action::SignIn, app).await;
                self.act(&mut client, Action::Promote, app).await;
            }
        }
    }
}
