//! Terminal ends: request A is held at each of its calls to the store, before and after it, while
//! request B ends the session; then A goes on.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use sessile::{
    CookieOptions, Rolling, Secret, Session, SessionError, SessionHandle, SessionLayerBuilder,
    SessionStore, merge,
};

use super::world::{CookieChange, World, field, key_of, request, secret};
use super::wrapped::{Gate, Side, Wrapped};
use crate::support::Answer;
use crate::support::visitor::ask;

const IDLE: Duration = Duration::from_hours(1);

/// What stands in the session before A and B; what A adds is 100.
const BEFORE: u64 = 1;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

/// What A does, and what it is told if the session has ended before it could.
const KINDS: [(&str, StatusCode); 10] = [
    ("/read", StatusCode::OK),
    ("/write", StatusCode::CONFLICT),
    ("/save", StatusCode::CONFLICT),
    ("/save-twice", StatusCode::CONFLICT),
    ("/update", StatusCode::CONFLICT),
    ("/renew", StatusCode::CONFLICT),
    ("/clear", StatusCode::CONFLICT),
    ("/remember", StatusCode::CONFLICT),
    ("/destroy", StatusCode::OK),
    ("/fail", StatusCode::INTERNAL_SERVER_ERROR),
];

fn routes() -> Router {
    Router::new()
        .route("/begin", get(async |mut visits: Session<Visits>| visits.count = BEFORE))
        .route("/read", get(async |visits: Visits| visits.count.to_string()))
        .route("/write", get(async |mut visits: Session<Visits>| visits.count += 100))
        .route("/save", get(save))
        .route("/save-twice", get(save_twice))
        .route("/update", get(update))
        .route("/renew", get(async |session: SessionHandle| session.renew()))
        .route("/clear", get(async |session: SessionHandle| session.clear()))
        .route("/destroy", get(async |session: SessionHandle| session.destroy()))
        .route(
            "/remember",
            get(async |session: SessionHandle| session.set_max_age(IDLE / 2)),
        )
        .route(
            "/fail",
            get(async |mut visits: Session<Visits>| {
                visits.count += 100;
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
}

async fn save(mut visits: Session<Visits>) -> Result<(), SessionError> {
    visits.count += 100;
    Session::save(&mut visits).await
}

/// The second write is refused at the commit, though the handler had no error to return.
async fn save_twice(mut visits: Session<Visits>) {
    visits.count += 60;
    let _ = Session::save(&mut visits).await;
    visits.count += 40;
}

async fn update(mut visits: Session<Visits>) -> Result<(), SessionError> {
    Session::update(&mut visits, |visits| visits.count += 100).await
}

/// How B ends the session.
#[derive(Debug, Clone, Copy)]
enum End {
    Destroy,
    Renew,
    Clear,
    Expire,
}

/// When A's cookie goes out again though its id stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resends {
    Never,
    /// It is as old as the session's last use.
    OnTouch,
    Always,
    /// It was signed by a secret that is to retire.
    OldSecret,
}

impl Resends {
    fn configure(self, layer: SessionLayerBuilder<'static>) -> SessionLayerBuilder<'static> {
        let persistent = CookieOptions::new().max_age(IDLE);
        match self {
            Self::Never => layer,
            Self::OnTouch => layer.cookie(persistent),
            Self::Always => layer.cookie(persistent).rolling(Rolling::EveryResponse),
            Self::OldSecret => layer.previous_secrets([secret()]),
        }
    }

    fn secret(self) -> Secret {
        if self == Self::OldSecret {
            Secret::generate()
        } else {
            secret()
        }
    }
}

/// Where A was held.
#[derive(Debug, Clone, Copy)]
struct Hold {
    call: usize,
    side: Side,
}

/// One run: what A was answered, or `None` if it makes fewer calls.
struct Run<S> {
    world: World<S>,
    token: String,
    /// What stands under B's new id, where B gave the session one.
    successor: Option<String>,
    answer: Answer,
    since: usize,
}

async fn run<S: SessionStore + Clone>(
    store: S,
    path: &'static str,
    resends: Resends,
    hold: Hold,
    end: End,
) -> Option<Run<S>> {
    let (world, gate) = (World::new(store), Gate::default());
    let held = Wrapped(world.store.clone(), gate.clone());
    let a = world.layer_signed(held, resends.secret()).idle_timeout(IDLE);
    let a = routes().layer(resends.configure(a).build().unwrap());
    let b = world.layer(world.store.clone()).idle_timeout(IDLE);
    let b = routes().layer(b.build().unwrap());

    let since = world.drawn();
    let begun = CookieChange::of(&ask(&b, request("/begin", None)).await);
    let CookieChange::Set(token) = begun else {
        panic!("a first write sets a cookie");
    };
    // A touch is due.
    world.clock.advance(IDLE / 10);

    gate.hold(hold.call, hold.side);
    let asked = request(path, Some(&token));
    let mut answer = tokio::spawn(async move { ask(&a, asked).await });
    tokio::select! {
        () = gate.is_holding() => {}
        _ = &mut answer => return None,
    }
    let mut successor = None;
    let path = match end {
        End::Destroy => "/destroy",
        End::Renew => "/renew",
        End::Clear => "/clear",
        End::Expire => {
            world.clock.advance(2 * IDLE);
            "/read"
        }
    };
    let ended = ask(&b, request(path, Some(&token))).await;
    assert_eq!(ended.status, StatusCode::OK);
    if let CookieChange::Set(token) = CookieChange::of(&ended) {
        successor = Some(token);
    }
    gate.release();
    Some(Run {
        world,
        token,
        successor,
        answer: answer.await.unwrap(),
        since,
    })
}

impl<S: SessionStore + Clone> Run<S> {
    /// What each live session holds, B's successor's aside.
    async fn others(&self) -> Vec<u64> {
        let successor = self.successor.as_deref().map(key_of);
        let live = self.world.stored_since(self.since).await;
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

/// Whatever A was about to do, and wherever it was held: the id stays dead, nothing of the session
/// stands under another id but B's own, A is told if it had changed something, and A's answer leaves
/// the visitor's cookie alone.
pub(crate) async fn nothing_brings_an_ended_session_back(store: impl SessionStore + Clone) {
    let mut runs = 0;
    for resends in [Resends::Never, Resends::OnTouch, Resends::Always, Resends::OldSecret] {
        for (path, told) in KINDS {
            for end in [End::Destroy, End::Renew, End::Clear, End::Expire] {
                runs += hold_everywhere(&store, path, told, resends, end).await;
            }
        }
    }
    eprintln!("{runs} requests held, 0 brought a session back");
}

async fn hold_everywhere<S: SessionStore + Clone>(
    store: &S,
    path: &'static str,
    told: StatusCode,
    resends: Resends,
    end: End,
) -> usize {
    let mut holds = Vec::new();
    for call in 0.. {
        for side in [Side::Before, Side::After] {
            let hold = Hold { call, side };
            let Some(run) = run(store.clone(), path, resends, hold, end).await else {
                check_all(path, told, resends, end, &holds).await;
                return holds.len();
            };
            holds.push((hold, run));
        }
    }
    unreachable!("a request makes a finite number of calls")
}

async fn check_all<S: SessionStore + Clone>(
    path: &str,
    told: StatusCode,
    resends: Resends,
    end: End,
    runs: &[(Hold, Run<S>)],
) {
    let last = runs.len() - 1;
    for (index, (hold, run)) in runs.iter().enumerate() {
        // A call tells the store what time it was when it began, so that it comes before an expiry
        // that took place while it was held.
        let begun_in_time = usize::from(matches!(end, End::Expire));
        let expected = match index + begun_in_time {
            0 => Expected::CameLater,
            index if index >= last => Expected::WasFirst,
            _ => Expected::TooLate(told),
        };
        let at = format!("{path}, {resends:?}, held {hold:?}, B: {end:?}");
        check(path, resends, end, expected, run, &at).await;
    }
}

/// How A and B follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A loaded after B: for A the visitor is new.
    CameLater,
    /// A loaded before B, and would have written after it.
    TooLate(StatusCode),
    /// A had done all before B.
    WasFirst,
}

async fn check<S: SessionStore + Clone>(
    path: &str,
    resends: Resends,
    end: End,
    expected: Expected,
    run: &Run<S>,
    at: &str,
) {
    assert_eq!(run.world.find(&key_of(&run.token)).await, None, "{at}: the id is dead");
    let Run { answer, .. } = run;
    let cookie = CookieChange::of(answer);
    let writes = matches!(path, "/write" | "/save" | "/save-twice" | "/update");
    let (others, in_successor) = (run.others().await, run.in_successor().await);
    match expected {
        Expected::TooLate(told) => {
            // Of two saves the first may have been first.
            let half = u64::from(path == "/save-twice") * 60;
            let stood = in_successor.is_none_or(|count| count == BEFORE || count == BEFORE + half);
            assert_eq!(answer.status, told, "{at}");
            assert_eq!(cookie, CookieChange::Untouched, "{at}");
            assert_eq!(others, [0; 0], "{at}: nothing is created");
            assert!(stood || matches!(end, End::Clear), "{at}: {in_successor:?}");
        }
        Expected::CameLater => {
            let status = if path == "/fail" { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
            assert_eq!(answer.status, status, "{at}");
            assert_eq!(others, if writes { vec![100] } else { vec![] }, "{at}: a session of its own");
            assert_eq!(matches!(cookie, CookieChange::Set(_)), writes, "{at}");
        }
        Expected::WasFirst if path == "/fail" => {}
        Expected::WasFirst => {
            assert_eq!(answer.status, StatusCode::OK, "{at}");
            match path {
                "/renew" | "/clear" => {
                    let CookieChange::Set(token) = &cookie else {
                        panic!("{at}: the visitor must be able to follow");
                    };
                    let alive = run.world.find(&key_of(token)).await.is_some();
                    assert_eq!(alive, !matches!(end, End::Expire), "{at}");
                }
                "/destroy" => assert_eq!(cookie, CookieChange::Removed, "{at}"),
                _ => assert_eq!(others, [0; 0], "{at}: nothing is created"),
            }
            if resends == Resends::Never && !matches!(path, "/renew" | "/clear" | "/destroy" | "/remember") {
                assert_eq!(cookie, CookieChange::Untouched, "{at}");
            }
        }
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
        let CookieChange::Set(other) = CookieChange::of(&ask(&b, request("/begin", None)).await)
        else {
            panic!("a first write sets a cookie");
        };
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
