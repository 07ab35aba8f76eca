//! What a handler may do around a revocation, in whatever order, and what is left where the store fails.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{
    AtMaxSessions, MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer,
    SessionStore, Sessions, merge,
};
use support::{Answer, Probe, TestClock, Visitor};
use tokio::sync::Notify;

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: u64,
}

/// A second owner, of the same session.
#[derive(Session)]
struct Team {
    #[session(required, owner)]
    name: u64,
}

#[derive(Session)]
struct Cart {
    #[session(merge = merge::Sum)]
    items: u64,
    note: String,
}

/// Where a request waits until the test has done something else.
#[derive(Clone, Default)]
struct Pause(Arc<(Notify, Notify)>);

impl Pause {
    /// In the handler.
    async fn here(&self) {
        self.0.0.notify_one();
        self.0.1.notified().await;
    }

    async fn is_reached(&self) {
        self.0.0.notified().await;
    }

    fn end(&self) {
        self.0.1.notify_one();
    }
}

/// A layer whose clock moves on by a millisecond with each reading: none of two things is as late as
/// the other.
fn layer(store: impl SessionStore) -> SessionLayer {
    let clock = TestClock::new();
    let layer = SessionLayer::builder(store, Secret::generate()).clock(clock.ticking());
    layer.build().unwrap()
}

fn limited(store: impl SessionStore, max: usize, then: AtMaxSessions) -> SessionLayer {
    let clock = TestClock::new();
    let layer = SessionLayer::builder(store, Secret::generate()).clock(clock.ticking());
    let layer = layer.max_sessions(max).at_max_sessions(then);
    layer.build().unwrap()
}

fn routes() -> Router {
    Router::new()
        .route(
            "/visit",
            get(async |mut cart: Session<Cart>| {
                cart.items += 1;
                cart.items.to_string()
            }),
        )
        .route(
            "/login/{user}",
            get(async |session: SessionHandle, user: Path<u64>| {
                session.insert(Account { user: user.0 })
            }),
        )
        .route(
            "/join/{name}",
            get(async |session: SessionHandle, name: Path<u64>| {
                session.insert(Team { name: name.0 })
            }),
        )
        .route(
            "/me",
            get(async |account: Account| account.user.to_string()),
        )
        .route(
            "/renew",
            get(async |_: Account, session: SessionHandle| session.renew()),
        )
        .route(
            "/others",
            get(async |all: Sessions| all.revoke_others().await.map(|ended| ended.to_string())),
        )
}

async fn signed_in(app: &Router, user: u64) -> Visitor {
    let mut visitor = Visitor::new(app);
    let answer = visitor.get(&format!("/login/{user}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    visitor
}

async fn status(visitor: &mut Visitor, path: &str) -> StatusCode {
    visitor.get(path).await.status
}

async fn count(layer: &SessionLayer, user: u64) -> usize {
    let listed = layer.sessions().list::<Account>(&user).await;
    listed.unwrap().len()
}

fn removes_the_cookie(answer: &Answer) -> bool {
    answer.set_cookies().len() == 1 && answer.set_cookie().contains("Max-Age=0")
}

#[tokio::test]
async fn a_logout_before_or_after_a_revocation_removes_the_cookie() {
    let layer = layer(MemoryStore::new());
    let app = routes()
        .route(
            "/revoke-and-log-out",
            get(async |all: Sessions, session: SessionHandle| {
                all.revoke_all::<Account>(&1).await?;
                session.destroy();
                Ok::<_, SessionError>(())
            }),
        )
        .route(
            "/log-out-and-revoke",
            get(async |all: Sessions, session: SessionHandle| {
                session.destroy();
                all.revoke_all::<Account>(&1).await.map(drop)
            }),
        )
        .layer(layer.clone());
    for path in ["/revoke-and-log-out", "/log-out-and-revoke"] {
        let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
        let answer = here.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(removes_the_cookie(&answer), "{path}");
        assert_eq!(status(&mut there, "/me").await, StatusCode::UNAUTHORIZED);
        assert_eq!(count(&layer, 1).await, 0);
    }
}

#[tokio::test]
async fn who_has_logged_out_revokes_no_others() {
    let layer = layer(MemoryStore::new());
    let app = routes()
        .route(
            "/log-out-and-others",
            get(async |all: Sessions, session: SessionHandle| {
                session.destroy();
                all.revoke_others().await.map(drop)
            }),
        )
        .layer(layer.clone());
    let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let answer = here.get("/log-out-and-others").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(removes_the_cookie(&answer), "a logout is a logout");
    assert_eq!(status(&mut there, "/renew").await, StatusCode::OK);
    assert_eq!(count(&layer, 1).await, 1);
}

#[tokio::test]
async fn what_a_request_does_after_it_revoked_its_own_session_is_dropped() {
    async fn flash(all: Sessions, session: SessionHandle) -> Result<(), SessionError> {
        all.revoke(session.id().unwrap()).await?;
        session.insert(Cart {
            items: 0,
            note: "you have signed out".to_owned(),
        })
    }
    async fn view(all: Sessions, mut cart: Session<Cart>) -> Result<(), SessionError> {
        all.revoke_all::<Account>(&1).await?;
        cart.items += 100;
        Ok(())
    }
    async fn fail(all: Sessions) -> Result<StatusCode, SessionError> {
        all.revoke_all::<Account>(&1).await?;
        Ok(StatusCode::INTERNAL_SERVER_ERROR)
    }

    let store = Arc::new(MemoryStore::new());
    let app = routes()
        .route("/flash", get(flash))
        .route("/view", get(view))
        .route("/fail", get(fail))
        .layer(layer(Arc::clone(&store)));
    for (path, expected) in [
        ("/flash", StatusCode::CONFLICT),
        ("/view", StatusCode::OK),
        ("/fail", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let mut visitor = signed_in(&app, 1).await;
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, expected, "{path}");
        assert!(removes_the_cookie(&answer), "{path}");
        assert!(store.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_panic_after_a_revocation_brings_nothing_back() {
    async fn panics(all: Sessions, mut cart: Session<Cart>) {
        cart.items += 1;
        all.revoke_all::<Account>(&1).await.unwrap();
        std::panic::resume_unwind(Box::new("the test wants this"));
    }
    async fn caught(request: Request, next: Next) -> Response {
        let mut answer = std::pin::pin!(next.run(request));
        std::future::poll_fn(|context| {
            let poll = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
            poll.unwrap_or_else(|_| Poll::Ready(StatusCode::INTERNAL_SERVER_ERROR.into_response()))
        })
        .await
    }

    let store = Arc::new(MemoryStore::new());
    let app = routes()
        .route("/panics", get(panics).layer(from_fn(caught)))
        .layer(layer(Arc::clone(&store)));
    let (mut here, _there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let answer = here.get("/panics").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(removes_the_cookie(&answer));
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_failure_after_revoke_others_keeps_the_session_and_drops_the_rest() {
    async fn switch(all: Sessions, session: SessionHandle) -> Result<StatusCode, SessionError> {
        all.revoke_others().await?;
        session.insert(Account { user: 2 })?;
        Ok(StatusCode::INTERNAL_SERVER_ERROR)
    }

    let layer = layer(MemoryStore::new());
    let app = routes().route("/switch", get(switch)).layer(layer.clone());
    let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let answer = here.get("/switch").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(here.get("/me").await.body, "1");
    assert_eq!(status(&mut here, "/renew").await, StatusCode::OK);
    assert_eq!(status(&mut there, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!((count(&layer, 1).await, count(&layer, 2).await), (1, 0));
}

#[tokio::test]
async fn a_sign_in_that_is_saved_first_may_revoke_the_others() {
    async fn sign_in(all: Sessions, session: SessionHandle) -> Result<(), SessionError> {
        session.insert(Account { user: 1 })?;
        session.save().await?;
        all.revoke_others().await.map(drop)
    }
    async fn at_once(all: Sessions, session: SessionHandle) -> Result<(), SessionError> {
        session.insert(Account { user: 1 })?;
        all.revoke_others().await.map(drop)
    }

    let layer = layer(MemoryStore::new());
    let app = routes()
        .route("/saved", get(sign_in))
        .route("/at-once", get(at_once))
        .layer(layer.clone());
    for path in ["/saved", "/at-once"] {
        for begin in ["/me", "/visit", "/login/1"] {
            let mut there = signed_in(&app, 1).await;
            let mut here = Visitor::new(&app);
            here.get(begin).await;
            assert_eq!(status(&mut here, path).await, StatusCode::OK, "{path}");
            assert_eq!(status(&mut here, "/renew").await, StatusCode::OK);
            assert_eq!(status(&mut there, "/me").await, StatusCode::UNAUTHORIZED);
            assert_eq!(count(&layer, 1).await, 1);
        }
    }
}

#[tokio::test]
async fn of_a_sign_in_in_a_middleware_and_one_in_the_handler_the_later_one_counts() {
    async fn as_guest(session: SessionHandle, request: Request, next: Next) -> Response {
        session.insert(Account { user: 7 }).unwrap();
        next.run(request).await
    }

    let store = Probe::new();
    let layer = layer(store.clone());
    let login = get(async |session: SessionHandle| session.insert(Account { user: 1 }));
    let nothing = get(async || ());
    let app = routes()
        .route("/both", login.layer(from_fn(as_guest)))
        .route("/guest", nothing.layer(from_fn(as_guest)))
        .layer(layer.clone());
    let mut visitor = Visitor::new(&app);
    visitor.get("/both").await;
    assert_eq!(store.calls(), ["insert", "marked"]);
    assert_eq!((count(&layer, 1).await, count(&layer, 7).await), (1, 0));
    visitor.get("/guest").await;
    assert_eq!((count(&layer, 1).await, count(&layer, 7).await), (0, 1));
}

/// A request that began, and waits in its handler while `meanwhile` is done; what it is answered.
async fn while_waiting(
    mut visitor: Visitor,
    path: &'static str,
    pause: &Pause,
    meanwhile: impl Future,
) -> (Answer, Visitor) {
    let request = tokio::spawn(async move { (visitor.get(path).await, visitor) });
    pause.is_reached().await;
    meanwhile.await;
    pause.end();
    request.await.unwrap()
}

#[tokio::test]
async fn to_revoke_is_no_way_around_a_revocation() {
    // Each begins before somebody else revokes all that user 1 has, and signs them in after it.
    async fn reset(
        all: Sessions,
        session: SessionHandle,
        pause: Extension<Pause>,
    ) -> Result<(), SessionError> {
        pause.here().await;
        all.revoke_all::<Account>(&1).await?;
        session.insert(Account { user: 1 })
    }
    async fn of_another(
        all: Sessions,
        session: SessionHandle,
        pause: Extension<Pause>,
    ) -> Result<(), SessionError> {
        pause.here().await;
        all.revoke_all::<Account>(&2).await?;
        session.insert(Account { user: 1 })
    }
    async fn switch(
        all: Sessions,
        session: SessionHandle,
        pause: Extension<Pause>,
    ) -> Result<(), SessionError> {
        session.insert(Account { user: 2 })?;
        pause.here().await;
        all.revoke_others().await?;
        session.insert(Account { user: 1 })
    }

    let (layer, pause) = (layer(MemoryStore::new()), Pause::default());
    let app = routes()
        .route("/reset", get(reset))
        .route("/of-another", get(of_another))
        .route("/switch", get(switch))
        .layer(Extension(pause.clone()))
        .layer(layer.clone());
    for path in ["/reset", "/of-another", "/switch"] {
        let jobs = layer.sessions();
        let revoked = jobs.revoke_all::<Account>(&1);
        let (answer, _) = while_waiting(Visitor::new(&app), path, &pause, revoked).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert_eq!(count(&layer, 1).await, 0, "{path}");
        // Nobody is in the way of who begins after it.
        let mut after = signed_in(&app, 1).await;
        assert_eq!(status(&mut after, "/renew").await, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn who_is_revoked_revokes_nobody() {
    async fn others(all: Sessions, pause: Extension<Pause>) -> Result<(), SessionError> {
        pause.here().await;
        all.revoke_others().await.map(drop)
    }

    let (store, pause) = (Probe::new(), Pause::default());
    let layer = layer(store.clone());
    let app = routes()
        .route("/slow-others", get(others))
        .layer(Extension(pause.clone()))
        .layer(layer.clone());

    let thief = signed_in(&app, 1).await;
    let (answer, _) = while_waiting(thief, "/slow-others", &pause, async {
        layer.sessions().revoke_all::<Account>(&1).await.unwrap();
    })
    .await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.set_cookies().is_empty());
    let mut owner = signed_in(&app, 1).await;
    assert_eq!(status(&mut owner, "/renew").await, StatusCode::OK);

    // The revocation has set its mark, and could not end the thief's session.
    let mut thief = owner;
    store.fail(&["owned_by"]);
    let failed = layer.sessions().revoke_all::<Account>(&1).await;
    assert!(matches!(failed, Err(SessionError::Store(_))));
    store.fail(&[]);
    let answer = thief.get("/others").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(removes_the_cookie(&answer), "it ends now");
    assert!(store.memory().is_empty());
}

#[tokio::test]
async fn revoke_others_that_cannot_store_what_is_pending_revokes_nobody() {
    async fn too_large(all: Sessions, session: SessionHandle) -> Result<(), SessionError> {
        session.insert(Cart {
            items: 1,
            note: "x".repeat(100_000),
        })?;
        all.revoke_others().await.map(drop)
    }
    async fn one_more(all: Sessions, session: SessionHandle) -> Result<(), SessionError> {
        session.insert(Account { user: 1 })?;
        all.revoke_others().await.map(drop)
    }

    let layer = limited(MemoryStore::new(), 2, AtMaxSessions::RefuseNew);
    let app = routes()
        .route("/too-large", get(too_large))
        .route("/one-more", get(one_more))
        .layer(layer.clone());
    let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let mut third = Visitor::new(&app);
    third.get("/visit").await;
    for (visitor, path, expected) in [
        (&mut here, "/too-large", StatusCode::INTERNAL_SERVER_ERROR),
        (&mut third, "/one-more", StatusCode::CONFLICT),
    ] {
        assert_eq!(status(visitor, path).await, expected, "{path}");
    }
    assert_eq!(third.get("/visit").await.body, "2");
    for visitor in [&mut here, &mut there] {
        assert_eq!(status(visitor, "/renew").await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_save_after_a_sign_in_was_withdrawn_is_no_success() {
    type Saved = Arc<Mutex<Vec<String>>>;
    async fn insists(
        session: SessionHandle,
        Extension((store, saved)): Extension<(Probe, Saved)>,
    ) -> Result<(), SessionError> {
        session.insert(Account { user: 1 })?;
        let first = session.save().await;
        store.fail(&[]);
        let second = session.save().await;
        let told = [&first, &second].map(|it| it.as_ref().unwrap_err().to_string());
        saved.lock().unwrap().extend(told);
        second
    }

    let (store, saved) = (Probe::new(), Saved::default());
    let app = routes()
        .route("/insists", get(insists))
        .layer(Extension((store.clone(), Arc::clone(&saved))))
        .layer(layer(store.clone()));
    for begin in ["/me", "/visit"] {
        let mut visitor = Visitor::new(&app);
        visitor.get(begin).await;
        store.fail(&["marked"]);
        let answer = visitor.get("/insists").await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(answer.set_cookies().is_empty());
        let told = std::mem::take(&mut *saved.lock().unwrap());
        assert_eq!(
            told,
            ["the session store is unavailable", "the session has ended"]
        );
        assert!(store.memory().is_empty());
    }
}

/// Which calls a sign-in makes beside its write, and what the visitor keeps where one of them fails.
#[tokio::test]
async fn a_sign_in_that_cannot_be_checked_fails_closed() {
    for (then, operation, keeps) in [
        // Asked before anything is written.
        (AtMaxSessions::RefuseNew, "owned_by", true),
        (AtMaxSessions::RefuseNew, "marked", false),
        (AtMaxSessions::EvictOldest, "marked", false),
        (AtMaxSessions::EvictOldest, "owned_by", false),
    ] {
        let at = format!("{then:?}, {operation}");
        let store = Probe::new();
        let layer = limited(store.clone(), 1, then);
        let app = routes().layer(layer.clone());
        let mut visitor = Visitor::new(&app);
        visitor.get("/visit").await;
        store.fail(&[operation]);
        let answer = visitor.get("/login/1").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{at}");
        assert_eq!(answer.set_cookies(), [""; 0], "{at}");
        store.fail(&[]);
        assert_eq!(count(&layer, 1).await, 0, "{at}");
        assert_eq!(status(&mut visitor, "/me").await, StatusCode::UNAUTHORIZED);
        let items = if keeps { "2" } else { "1" };
        assert_eq!(visitor.get("/visit").await.body, items, "{at}");
        assert_eq!(status(&mut visitor, "/login/1").await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_sign_in_that_cannot_evict_is_withdrawn_as_soon_as_it_can() {
    let store = Probe::new();
    let layer = limited(store.clone(), 1, AtMaxSessions::EvictOldest);
    let app = routes().layer(layer.clone());
    let mut first = signed_in(&app, 1).await;
    store.fail(&["remove"]);
    let answer = Visitor::new(&app).get("/login/1").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(status(&mut first, "/me").await, StatusCode::OK);
    store.fail(&[]);
    // Nobody learned of the id that could not be withdrawn: the next sign-in evicts it.
    let mut second = signed_in(&app, 1).await;
    assert_eq!(status(&mut second, "/me").await, StatusCode::OK);
    assert_eq!(count(&layer, 1).await, 1);
}

#[tokio::test]
async fn revoke_others_says_so_where_the_store_fails() {
    for (operation, again) in [
        ("mark", StatusCode::OK),
        // The mark is set, and nobody can tell any more whose it is.
        ("replace", StatusCode::CONFLICT),
        ("owned_by", StatusCode::OK),
        ("remove", StatusCode::OK),
    ] {
        let store = Probe::new();
        let layer = layer(store.clone());
        let app = routes().layer(layer.clone());
        let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
        store.fail(&[operation]);
        let answer = here.get("/others").await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{operation}"
        );
        assert!(answer.set_cookies().is_empty(), "{operation}");
        store.fail(&[]);
        assert_eq!(status(&mut here, "/me").await, StatusCode::OK);
        assert_eq!(status(&mut here, "/others").await, again, "{operation}");
        let there = status(&mut there, "/renew").await;
        assert!(there.is_client_error(), "{operation}: {there}");
        let left = usize::from(again == StatusCode::OK);
        assert_eq!(count(&layer, 1).await, left, "{operation}");
    }
}

#[tokio::test]
async fn a_session_of_two_owners_ends_with_either() {
    let layer = layer(MemoryStore::new());
    let app = routes().layer(layer.clone());
    let both = async || {
        let mut visitor = signed_in(&app, 1).await;
        visitor.get("/join/5").await;
        visitor
    };
    let jobs = layer.sessions();
    for by_team in [false, true] {
        let mut visitor = both().await;
        let ended = if by_team {
            jobs.revoke_all::<Team>(&5).await
        } else {
            jobs.revoke_all::<Account>(&1).await
        };
        assert_eq!(ended.unwrap(), 1);
        assert_eq!(status(&mut visitor, "/me").await, StatusCode::UNAUTHORIZED);
    }

    let (mut here, mut account) = (both().await, signed_in(&app, 1).await);
    let mut team = Visitor::new(&app);
    team.get("/join/5").await;
    assert_eq!(here.get("/others").await.body, "2");
    assert_eq!(status(&mut account, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(jobs.list::<Team>(&5).await.unwrap().len(), 1);
    team.get("/visit").await;
    assert_eq!(status(&mut here, "/renew").await, StatusCode::OK);
}

#[tokio::test]
async fn each_owner_of_a_session_has_a_limit_of_their_own() {
    let layer = limited(MemoryStore::new(), 1, AtMaxSessions::EvictOldest);
    let app = routes().layer(layer.clone());
    let mut first = signed_in(&app, 1).await;
    first.get("/join/5").await;
    let mut second = signed_in(&app, 2).await;
    assert_eq!(status(&mut first, "/me").await, StatusCode::OK);
    assert_eq!(status(&mut second, "/join/5").await, StatusCode::OK);
    assert_eq!(status(&mut first, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(second.get("/me").await.body, "2");
    assert_eq!((count(&layer, 1).await, count(&layer, 2).await), (0, 1));
}

#[tokio::test]
async fn a_task_revokes_after_the_response() {
    type Kept = Arc<Mutex<Option<(Sessions, SessionHandle)>>>;
    let kept = Kept::default();
    let keep = {
        let kept = Arc::clone(&kept);
        async move |all: Sessions, session: SessionHandle| {
            *kept.lock().unwrap() = Some((all, session));
        }
    };
    let layer = layer(MemoryStore::new());
    let app = routes().route("/keep", get(keep)).layer(layer.clone());
    let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    here.get("/keep").await;
    let (all, session) = kept.lock().unwrap().take().unwrap();

    let task = tokio::spawn(async move {
        assert_eq!(all.revoke_others().await.unwrap(), 1);
        session
            .update(|cart: &mut Cart| cart.items += 1)
            .await
            .unwrap();
        assert_eq!(all.revoke_all::<Account>(&1).await.unwrap(), 1);
        let late = session.update(|cart: &mut Cart| cart.items += 1).await;
        assert!(matches!(late, Err(SessionError::Gone)), "{late:?}");
        assert!(matches!(all.revoke_others().await, Err(SessionError::Gone)));
        session.destroy();
    });
    task.await.unwrap();
    for visitor in [&mut here, &mut there] {
        assert_eq!(status(visitor, "/me").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(count(&layer, 1).await, 0);
    tokio::time::sleep(Duration::from_millis(1)).await;
}
