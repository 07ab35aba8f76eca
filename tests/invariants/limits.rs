//! How many sessions an owner has, where 32 sign in at once on a store of many steps.

use std::pin::Pin;
use std::time::Instant;

use axum::Router;
use fastrand::Rng;
use http::StatusCode;
use sessile::{AtMaxSessions, SessionLayer, SessionStore};

use super::accounts::{Account, is_alive, routes, visit, visitor};
use super::first_seed;
use super::schedule::{interleave, settle, step};
use super::world::World;
use super::wrapped::{Manner, Wrapped};

const CLIENTS: usize = 32;

struct Stage<S> {
    seed: u64,
    world: World<S>,
    layer: SessionLayer,
    app: Router,
    user: u64,
    max: usize,
}

/// A visitor who signs in, and what came of it.
#[derive(Default, Clone)]
struct Client {
    jar: Option<String>,
    /// The token of the anonymous session, where there was one.
    before: Option<String>,
    sign_in: Option<u64>,
    status: StatusCode,
}

impl<S: SessionStore + Clone> Stage<S> {
    fn new(seed: u64, rng: &mut Rng, store: &S, manner: impl Manner, then: AtMaxSessions) -> Self {
        fastrand::seed(seed);
        let world = World::new(store.clone());
        let max = rng.usize(1..6);
        let layer = world
            .layer(Wrapped(world.store.clone(), manner))
            .clock(world.clock.ticking())
            .max_sessions(max)
            .at_max_sessions(then)
            .build()
            .unwrap();
        Self {
            seed,
            world,
            app: routes().layer(layer.clone()),
            layer,
            user: rng.u64(..1 << 50),
            max,
        }
    }

    /// Signs in; the later, the greater the number.
    async fn sign_in(&self, client: &mut Client) {
        let number = sessile::Timestamp::from(self.world.clock.tick()).as_millis();
        let path = format!("/sign-in/{}/{number}", self.user);
        client.before.clone_from(&client.jar);
        client.sign_in = Some(number);
        client.status = visit(&self.app, &mut client.jar, &path).await.status;
    }

    async fn signed_in(&self) -> Client {
        let mut client = Client::default();
        self.sign_in(&mut client).await;
        assert_eq!(client.status, StatusCode::OK, "seed {}", self.seed);
        client
    }

    /// Which sign-ins are alive, in order.
    async fn alive(&self) -> Vec<u64> {
        let sessions = self.layer.sessions();
        let listed = sessions.list::<Account>(&self.user).await.unwrap();
        let accounts = listed.iter().map(|it| it.get::<Account>().unwrap());
        let mut alive: Vec<_> = accounts.map(|account| account.sign_in).collect();
        alive.sort_unstable();
        alive
    }

    /// Half of the clients have an anonymous session; they sign in at once, and those who have done so
    /// before renew their sessions again and again.
    async fn race(&self, rng: &mut Rng, before: &mut [Client]) -> Vec<Client> {
        // Of a crowd each repairs what another missed; where it is one or two, nobody does.
        let crowd = rng.bool();
        let mut clients = vec![Client::default(); if crowd { CLIENTS } else { rng.usize(1..4) }];
        for client in clients.iter_mut().step_by(2) {
            client.jar = visitor(&self.app, "/visit").await;
        }
        let mut actors: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for client in &mut clients {
            let mut rng = rng.fork();
            actors.push(Box::pin(async move {
                pause(&mut rng).await;
                self.sign_in(client).await;
            }));
        }
        for client in before {
            let mut rng = rng.fork();
            actors.push(Box::pin(async move {
                for _ in 0..4 {
                    pause(&mut rng).await;
                    visit(&self.app, &mut client.jar, "/renew").await;
                }
            }));
        }
        interleave(rng, actors).await;
        settle().await;
        clients
    }
}

async fn pause(rng: &mut Rng) {
    for _ in 0..rng.usize(..12) {
        step().await;
    }
}

/// `EvictOldest`: the last ones to sign in stay, exactly as many as allowed, and who was evicted before
/// the answer is told.
pub(crate) async fn the_last_to_sign_in_stay(
    store: impl SessionStore + Clone,
    manner: impl Manner,
    rounds: usize,
) {
    let (first, began) = (first_seed(), Instant::now());
    for seed in (0..rounds as u64).map(|round| first.wrapping_add(round)) {
        let mut rng = Rng::with_seed(seed);
        let then = AtMaxSessions::EvictOldest;
        let stage = Stage::new(seed, &mut rng, &store, manner.clone(), then);
        let at = format!("SESSILE_SEED={seed}, {} allowed", stage.max);
        let mut before = Vec::new();
        for _ in 0..rng.usize(..=stage.max) {
            before.push(stage.signed_in().await);
        }
        let clients = stage.race(&mut rng, &mut before).await;
        let all = before.iter().chain(&clients);
        let mut numbers: Vec<_> = all.filter_map(|client| client.sign_in).collect();
        numbers.sort_unstable();
        let last = &numbers[numbers.len().saturating_sub(stage.max)..];
        assert_eq!(stage.alive().await, last, "{at}");
        for client in clients {
            let stays = client.sign_in.is_some_and(|it| last.contains(&it));
            match client.status {
                StatusCode::OK => assert_ne!(client.jar, client.before, "{at}"),
                StatusCode::CONFLICT => assert_eq!(client.jar, client.before, "{at}"),
                status => panic!("{at}: {status}"),
            }
            let mut jar = client.jar;
            let me = visit(&stage.app, &mut jar, "/me").await;
            assert_eq!(me.status == StatusCode::OK, stays, "{at}");
        }
        stage.world.clean_up().await;
    }
    eprintln!(
        "{rounds} times up to {CLIENTS} sign-ins at once, the last ones stayed, in {:?}",
        began.elapsed()
    );
}

/// `RefuseNew`: nobody who is in is put out, never more are let in than allowed, and who is refused has
/// no session of the user's, and keeps what they had unless others signed in at that very moment.
pub(crate) async fn never_more_are_let_in_than_allowed(
    store: impl SessionStore + Clone,
    manner: impl Manner,
    rounds: usize,
) {
    let (first, began) = (first_seed(), Instant::now());
    let (mut kept, mut withdrawn) = (0, 0);
    for seed in (0..rounds as u64).map(|round| first.wrapping_add(round)) {
        let mut rng = Rng::with_seed(seed);
        let then = AtMaxSessions::RefuseNew;
        let stage = Stage::new(seed, &mut rng, &store, manner.clone(), then);
        let at = format!("SESSILE_SEED={seed}, {} allowed", stage.max);
        let mut before = Vec::new();
        for _ in 0..rng.usize(..=stage.max) {
            before.push(stage.signed_in().await);
        }
        let mut clients = stage.race(&mut rng, &mut before).await;
        // Those who were refused because too many came at once may try again, one by one.
        for _ in 0..stage.max {
            let mut client = Client::default();
            stage.sign_in(&mut client).await;
            clients.push(client);
        }
        let mut late = Client {
            jar: visitor(&stage.app, "/visit").await,
            ..Client::default()
        };
        stage.sign_in(&mut late).await;
        assert_eq!(late.status, StatusCode::CONFLICT, "{at}");
        let items = visit(&stage.app, &mut late.jar, "/items").await;
        assert_eq!(items.body, "1", "{at}: nobody else signed in");

        let alive = stage.alive().await;
        assert_eq!(alive.len(), stage.max, "{at}");
        let mut let_in: Vec<u64> = before.iter().filter_map(|it| it.sign_in).collect();
        for client in clients {
            match client.status {
                StatusCode::OK => let_in.extend(client.sign_in),
                StatusCode::CONFLICT => {
                    assert_eq!(client.jar, client.before, "{at}");
                    let Some(token) = client.before else { continue };
                    if is_alive(&stage.world, &token).await {
                        kept += 1;
                    } else {
                        withdrawn += 1;
                    }
                }
                status => panic!("{at}: {status}"),
            }
        }
        let_in.sort_unstable();
        assert_eq!(alive, let_in, "{at}");
        stage.world.clean_up().await;
    }
    eprintln!(
        "{rounds} times up to {CLIENTS} sign-ins at once, never too many let in; of those refused, {kept} kept \
         their sessions and {withdrawn} were too many at once, in {:?}",
        began.elapsed()
    );
    assert!(kept > 0 && withdrawn > 0, "both happen");
}
