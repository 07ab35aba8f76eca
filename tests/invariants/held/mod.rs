//! Terminal ends: request A is held at each of its calls to the store, before and after it, while
//! request B ends the session; then A goes on.

mod case;
mod owned;

use axum::Router;
use http::StatusCode;
use sessile::SessionStore;

use self::case::{BEFORE, Case, End, IDLE, Resends, routes};
pub(crate) use self::owned::nothing_brings_a_revoked_session_back;
use super::world::{CookieChange, World, field, key_of, request};
use super::wrapped::{Gate, Side, Wrapped};
use crate::support::Answer;
use crate::support::visitor::ask;

/// Whatever A was about to do, and wherever it was held: the id stays dead, nothing of the session
/// stands under another id but B's own, A is told if it had changed something, and A's answer leaves
/// the visitor's cookie alone. `expires` says whether the store goes by the layer's clock.
pub(crate) async fn nothing_brings_an_ended_session_back(
    store: impl SessionStore + Clone,
    expires: bool,
) {
    let mut held = 0;
    let follows = World::new(store.clone()).remembers_rotations().await;
    for case in Case::all(expires) {
        held += hold_everywhere(&store, case, follows).await;
    }
    eprintln!("{held} requests held, 0 brought a session back");
}

/// Where A was held.
#[derive(Debug, Clone, Copy)]
struct Hold {
    call: usize,
    side: Side,
}

/// `follows` says whether the store remembers where a session was rotated to.
async fn hold_everywhere<S: SessionStore + Clone>(store: &S, case: Case, follows: bool) -> usize {
    let mut runs: Vec<Run<S>> = Vec::new();
    for call in 0.. {
        for side in [Side::Before, Side::After] {
            let hold = Hold { call, side };
            let Some(run) = Run::of(store.clone(), case, hold).await else {
                for (index, run) in runs.iter().enumerate() {
                    let mut order = Order::of(case, index, runs.len());
                    if follows && order == Order::TooLate && case.destroys_what_moved() {
                        order = Order::Followed;
                    }
                    run.check(order).await;
                }
                return runs.len();
            };
            runs.push(run);
        }
    }
    unreachable!("a request makes a finite number of calls")
}

/// How A and B follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// A loaded after B: for A the visitor is new.
    CameLater,
    /// A loaded before B, and would have written after it.
    TooLate,
    /// A loaded before B, and has ended the session where B left it.
    Followed,
    /// A had done all before B.
    WasFirst,
}

impl Order {
    /// By the place where A was held, of so many.
    fn of(case: Case, place: usize, places: usize) -> Self {
        // A call tells the store what time it was when it began, so that it comes before an expiry
        // that took place while it was held.
        let begun_in_time = usize::from(case.end == End::Expire);
        match place + begun_in_time {
            0 => Self::CameLater,
            // A request that only loads has nothing to be first with.
            place if place + 1 >= places && places > 2 => Self::WasFirst,
            _ => Self::TooLate,
        }
    }
}

/// What came of A and B.
struct Run<S> {
    case: Case,
    hold: Hold,
    world: World<S>,
    /// What A and B came with.
    token: String,
    /// What opens the session after B, where B gave it a new id.
    successor: Option<String>,
    answer: Answer,
}

impl<S: SessionStore + Clone> Run<S> {
    /// `None` if A makes fewer calls.
    async fn of(store: S, case: Case, hold: Hold) -> Option<Self> {
        let (world, gate) = (World::new(store), Gate::default());
        let a = app_of_a(&world, gate.clone(), case.resends);
        let b = world.layer(world.store.clone()).idle_timeout(IDLE);
        let b = routes().layer(b.build().unwrap());
        let token = begin(&b).await;
        world.clock.advance(case.rest);

        gate.hold(hold.call, hold.side);
        let asked = request(case.path, Some(&token));
        let mut answer = tokio::spawn(async move { ask(&a, asked).await });
        tokio::select! {
            () = gate.is_holding() => {}
            _ = &mut answer => return None,
        }
        let successor = end(&world, &b, &token, case.end).await;
        gate.release();
        Some(Self {
            case,
            hold,
            world,
            token,
            successor,
            answer: answer.await.unwrap(),
        })
    }

    async fn check(&self, order: Order) {
        let at = format!("{:?}, held {:?}", self.case, self.hold);
        let stands = self.world.find(&key_of(&self.token)).await;
        assert_eq!(stands, None, "{at}: the id is dead");
        match order {
            Order::CameLater => self.check_a_came_later(&at).await,
            Order::TooLate => self.check_a_was_too_late(&at).await,
            Order::Followed => self.check_a_has_followed(&at).await,
            Order::WasFirst => self.check_a_was_first(&at).await,
        }
    }

    async fn check_a_came_later(&self, at: &str) {
        let new = self.case.adds();
        let status = match self.case.path {
            "/fail" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::OK,
        };
        assert_eq!(self.answer.status, status, "{at}");
        assert_eq!(
            self.others().await,
            vec![100; usize::from(new)],
            "{at}: a session of its own"
        );
        assert_eq!(matches!(self.cookie(), CookieChange::Set(_)), new, "{at}");
    }

    async fn check_a_was_too_late(&self, at: &str) {
        assert_eq!(self.answer.status, self.case.told, "{at}");
        assert_eq!(self.cookie(), CookieChange::Untouched, "{at}");
        assert_eq!(self.others().await, [0; 0], "{at}: nothing is created");
        let Some(count) = self.in_successor().await else {
            return;
        };
        // Of two saves the first may have been in time.
        let first_half = self.case.path == "/save-twice" && count == BEFORE + 60;
        let cleared = self.case.end == End::Clear && count == 0;
        assert!(count == BEFORE || first_half || cleared, "{at}: {count}");
    }

    async fn check_a_has_followed(&self, at: &str) {
        assert_eq!(self.answer.status, StatusCode::OK, "{at}");
        assert_eq!(self.cookie(), CookieChange::Removed, "{at}");
        assert_eq!(self.others().await, [0; 0], "{at}: nothing is created");
        assert_eq!(self.in_successor().await, None, "{at}: it has ended");
    }

    async fn check_a_was_first(&self, at: &str) {
        assert_eq!(self.answer.status, StatusCode::OK, "{at}");
        match (self.cookie(), self.case.path) {
            (CookieChange::Set(token), _) if self.case.moves() => {
                let alive = self.world.find(&key_of(&token)).await.is_some();
                assert_eq!(alive, self.case.end != End::Expire, "{at}");
            }
            (cookie, "/destroy") => assert_eq!(cookie, CookieChange::Removed, "{at}"),
            (cookie, path) => {
                assert!(
                    !self.case.moves(),
                    "{at}: the visitor must be able to follow"
                );
                assert_eq!(self.others().await, [0; 0], "{at}: nothing is created");
                let plain = self.case.resends == Resends::Never && path != "/remember";
                assert!(
                    !plain || cookie == CookieChange::Untouched,
                    "{at}: {cookie:?}"
                );
            }
        }
    }

    fn cookie(&self) -> CookieChange {
        CookieChange::of(&self.answer)
    }

    /// What each live session holds, B's successor's aside.
    async fn others(&self) -> Vec<u64> {
        let successor = self.successor.as_deref().map(key_of);
        let live = self.world.stored_since(0).await;
        live.iter()
            .filter(|(key, _)| Some(*key) != successor)
            .map(|(_, stored)| field(&stored.record, "visits", "count"))
            .collect()
    }

    async fn in_successor(&self) -> Option<u64> {
        let stored = self.world.find(&key_of(self.successor.as_deref()?)).await?;
        Some(field(&stored.record, "visits", "count"))
    }
}

fn app_of_a<S: SessionStore + Clone>(world: &World<S>, gate: Gate, resends: Resends) -> Router {
    let held = Wrapped(world.store.clone(), gate);
    let layer = world
        .layer_signed(held, resends.secret())
        .idle_timeout(IDLE);
    routes().layer(resends.configure(layer).build().unwrap())
}

async fn begin(app: &Router) -> String {
    match CookieChange::of(&ask(app, request("/begin", None)).await) {
        CookieChange::Set(token) => token,
        other => panic!("a first write sets a cookie: {other:?}"),
    }
}

/// Lets B end the session; the token of what follows it, if anything does.
async fn end<S: SessionStore + Clone>(
    world: &World<S>,
    b: &Router,
    token: &str,
    end: End,
) -> Option<String> {
    let path = match end {
        End::Destroy => "/destroy",
        End::Renew => "/renew",
        End::Clear => "/clear",
        End::Expire => {
            world.clock.advance(2 * IDLE);
            "/read"
        }
    };
    let ended = ask(b, request(path, Some(token))).await;
    assert_eq!(ended.status, StatusCode::OK);
    match CookieChange::of(&ended) {
        CookieChange::Set(token) => Some(token),
        CookieChange::Untouched | CookieChange::Removed => None,
    }
}

/// A visitor without a cookie is held while another logs out: neither knows of the other.
pub(crate) async fn a_first_visit_is_held_by_nobody_elses_end(store: impl SessionStore + Clone) {
    let world = World::new(store);
    for side in [Side::Before, Side::After] {
        let gate = Gate::default();
        let held = Wrapped(world.store.clone(), gate.clone());
        let a = routes().layer(world.layer(held).build().unwrap());
        let b = routes().layer(world.layer(world.store.clone()).build().unwrap());
        let other = begin(&b).await;
        gate.hold(0, side);
        let first = tokio::spawn(async move { ask(&a, request("/write", None)).await });
        gate.is_holding().await;
        ask(&b, request("/destroy", Some(&other))).await;
        gate.release();
        let CookieChange::Set(token) = CookieChange::of(&first.await.unwrap()) else {
            panic!("a first write sets a cookie");
        };
        assert_ne!(token, other);
        assert!(world.find(&key_of(&token)).await.is_some());
        assert_eq!(world.find(&key_of(&other)).await, None);
    }
}
