//! Histories of concurrent clients: random programs over few sessions, interleaved step by step by a
//! seeded generator, written down, and checked.

mod check;
mod fate;
mod journal;
mod program;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use fastrand::Rng;
use sessile::{SessionLayer, SessionStore};

use self::journal::{Ending, Journal};
use self::program::{Program, Running};
use super::first_seed;
use super::schedule::{caught, dropped_after, interleave, settle, step};
use super::world::{CookieChange, World, key_of, request};
use super::wrapped::{Manner, Wrapped};
use crate::support::visitor::ask;

const IDLE: Duration = Duration::from_secs(100);

/// Runs so many histories, each from a seed of its own, and checks each. `expires` says whether the
/// store goes by the layer's clock, so that sessions may expire in a history.
pub(crate) async fn every_history_is_explained(
    store: impl SessionStore + Clone,
    manner: impl Manner,
    histories: usize,
    expires: bool,
) {
    let (first, began) = (first_seed(), Instant::now());
    let follows = World::new(store.clone()).remembers_rotations().await;
    let mut requests = 0;
    for seed in (0..histories as u64).map(|history| first.wrapping_add(history)) {
        let journal = play(seed, &store, manner.clone(), expires).await;
        if let Err(broken) = check::explain(&journal, follows) {
            panic!("SESSILE_SEED={seed}: {broken}\n{journal}");
        }
        requests += journal.requests.len();
    }
    eprintln!(
        "{histories} histories of {requests} requests, in {:?}",
        began.elapsed()
    );
}

/// The tokens of one browser, the last one its own; the older ones are in a thief's hands too.
type Jar = Mutex<Vec<String>>;

struct Stage<S, M> {
    world: World<S>,
    slow: Wrapped<S, M>,
    /// A layer for each request, so that each id is known by the request that has drawn it.
    layers: Mutex<Vec<SessionLayer>>,
    jars: Vec<Jar>,
    journal: Arc<Mutex<Journal>>,
    /// The first of two owners who may sign in, others in each history: marks stay in the store.
    users: u64,
    owned: bool,
}

async fn play<S: SessionStore + Clone>(
    seed: u64,
    store: &S,
    manner: impl Manner,
    expires: bool,
) -> Journal {
    // The ids, the revisions and the pauses of the layer are drawn from the thread's generator.
    fastrand::seed(seed);
    let mut rng = Rng::with_seed(seed);
    let world = World::new(store.clone());
    let stage = Stage {
        slow: Wrapped(world.store.clone(), manner),
        layers: Mutex::default(),
        world,
        jars: (0..rng.usize(1..3)).map(|_| Jar::default()).collect(),
        journal: Arc::default(),
        users: rng.u64(..1 << 50),
        owned: rng.bool(),
    };
    for jar in &stage.jars {
        if let CookieChange::Set(token) = visit(&stage, None, Program::first(), usize::MAX).await {
            jar.lock().unwrap().push(token);
        }
    }
    let clients = (0..rng.usize(2..6)).map(|_| client(&stage, rng.fork()));
    let mut actors: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    actors.extend(
        clients.map(|client| -> Pin<Box<dyn Future<Output = ()> + '_>> { Box::pin(client) }),
    );
    let jumps = expires && rng.u8(..3) == 0;
    actors.push(Box::pin(time(&stage, rng.fork(), jumps)));
    interleave(&mut rng, actors).await;
    // A commit that has begun, and an end, outlive their request.
    let layers = std::mem::take(&mut *stage.layers.lock().unwrap());
    for layer in layers {
        layer.drained().await;
    }
    settle().await;
    let stored = stage.world.stored_since(0).await;
    let mut journal = std::mem::take(&mut *stage.journal.lock().unwrap());
    journal.finish(&stage.world.keys_since(0), &stored);
    stage.world.clean_up().await;
    journal
}

/// Lets time pass: little by little, or once so much that whatever is stored expires.
async fn time<S: SessionStore + Clone, M: Manner>(stage: &Stage<S, M>, mut rng: Rng, jumps: bool) {
    for _ in 0..rng.usize(..4) {
        pause(&mut rng, 20).await;
        // Together less than half of what would expire anything.
        stage.world.clock.advance(IDLE / 9);
    }
    if jumps {
        pause(&mut rng, 40).await;
        stage.world.clock.advance(2 * IDLE);
        stage.journal.lock().unwrap().jump();
    }
}

async fn pause(rng: &mut Rng, longest: usize) {
    for _ in 0..rng.usize(..longest) {
        step().await;
    }
}

/// One client: some requests, one after another, with the cookie of one browser or another.
async fn client<S: SessionStore + Clone, M: Manner>(stage: &Stage<S, M>, mut rng: Rng) {
    for _ in 0..rng.usize(1..5) {
        pause(&mut rng, 10).await;
        let jar = &stage.jars[rng.usize(..stage.jars.len())];
        let token = {
            let jar = jar.lock().unwrap();
            // Mostly the newest cookie, now and then one that should be dead by now.
            let old = rng.u8(..5) == 0;
            if old {
                rng.choice(&*jar).cloned()
            } else {
                jar.last().cloned()
            }
        };
        let program = Program::random(&mut rng, stage.owned);
        let polls = if rng.u8(..6) == 0 {
            rng.usize(..30)
        } else {
            usize::MAX
        };
        if let CookieChange::Set(token) = visit(stage, token, program, polls).await {
            jar.lock().unwrap().push(token);
        }
    }
}

/// One request, written down; it may be dropped at any poll.
async fn visit<S: SessionStore + Clone, M: Manner>(
    stage: &Stage<S, M>,
    token: Option<String>,
    program: Program,
    polls: usize,
) -> CookieChange {
    let (number, program) = {
        let mut journal = stage.journal.lock().unwrap();
        journal.invoke(token.as_deref().map(key_of), program)
    };
    let running = Running {
        number,
        program,
        journal: Arc::clone(&stage.journal),
        users: stage.users,
    };
    let mut asked = request("/", token.as_deref());
    asked.extensions_mut().insert(running);
    let app = app(stage, number);
    let answer = dropped_after(polls, caught(ask(&app, asked))).await;
    let mut journal = stage.journal.lock().unwrap();
    let (ending, cookie) = match answer {
        None => (Ending::Dropped, CookieChange::Untouched),
        Some(None) => (Ending::Panicked, CookieChange::Untouched),
        Some(Some(answer)) => {
            let cookie = CookieChange::of(&answer);
            if answer.status.is_server_error() {
                journal.say(number, answer.body);
            }
            (
                Ending::Answered(answer.status, journal::Sent::of(&cookie)),
                cookie,
            )
        }
    };
    journal.end(number, ending);
    cookie
}

/// The application of one request, which writes down the ids that it draws.
fn app<S: SessionStore + Clone, M: Manner>(stage: &Stage<S, M>, number: usize) -> Router {
    let (world, journal) = (stage.world.clone(), Arc::clone(&stage.journal));
    // No sign-in begins at the very moment of a revocation.
    let sessions = world
        .layer(stage.slow.clone())
        .clock(world.clock.ticking())
        .id_generator(move || {
            journal.lock().unwrap().draw(number);
            world.draw()
        });
    let sessions = sessions.idle_timeout(IDLE).build().unwrap();
    stage.layers.lock().unwrap().push(sessions.clone());
    Router::new().route("/", get(program::run)).layer(sessions)
}
