//! The sessions of an owner: device lists, sign-out everywhere, and how many somebody may have.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use sessile::{
    AtMaxSessions, MemoryStore, Owned, PublicId, Secret, Session, SessionError, SessionHandle,
    SessionLayer, SessionStore, Sessions, merge,
};
use support::{Probe, TestClock, Visitor};
use tokio::sync::Notify;

#[derive(Session, Debug, PartialEq)]
struct Account {
    #[session(required, owner)]
    user: u64,
    #[session(privilege)]
    role: String,
}

#[derive(Session)]
struct Device {
    name: String,
}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

/// The routes, and the layer around them for jobs.
fn app(sessions: &SessionLayer) -> Router {
    routes().layer(sessions.clone())
}

fn layer(store: impl SessionStore) -> SessionLayer {
    SessionLayer::new(store, Secret::generate())
}

fn routes() -> Router {
    Router::new()
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                visits.page_views.to_string()
            }),
        )
        .route("/login/{user}", get(login))
        .route(
            "/remember/{user}",
            get(async |session: SessionHandle, user: Path<u64>| {
                session.set_max_age(Duration::from_hours(24 * 7));
                login(session, user).await
            }),
        )
        .route(
            "/login/{user}/{device}",
            get(
                async |session: SessionHandle,
                       mut device: Session<Device>,
                       Path((user, name)): Path<(u64, String)>| {
                    device.name = name;
                    login(session, Path(user)).await
                },
            ),
        )
        .route(
            "/me",
            get(async |account: Account| account.user.to_string()),
        )
        .route(
            "/promote",
            get(async |mut account: Session<Account>| account.role = "admin".into()),
        )
        .route(
            "/become/{user}",
            get(async |mut account: Session<Account>, user: Path<u64>| account.user = user.0),
        )
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/leave",
            get(async |session: SessionHandle| session.remove::<Account>().map(|_| ())),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route("/devices", get(devices))
        .route(
            "/revoke/{id}",
            get(async |all: Sessions, id: Path<PublicId>| {
                all.revoke(id.0).await.map(|ended| ended.to_string())
            }),
        )
        .route(
            "/revoke-others",
            get(async |all: Sessions| all.revoke_others().await.map(|ended| ended.to_string())),
        )
        .route(
            "/revoke-all/{user}",
            get(async |all: Sessions, user: Path<u64>| {
                let ended = all.revoke_all::<Account>(&user.0).await?;
                Ok::<_, SessionError>(ended.to_string())
            }),
        )
        .route(
            "/reset/{user}",
            get(
                async |all: Sessions, session: SessionHandle, user: Path<u64>| {
                    let ended = all.revoke_all::<Account>(&user.0).await?;
                    login(session, user).await?;
                    Ok::<_, SessionError>(ended.to_string())
                },
            ),
        )
        .route(
            "/new-password",
            get(async |all: Sessions, session: SessionHandle| {
                let ended = all.revoke_others().await?;
                session.renew();
                Ok::<_, SessionError>(ended.to_string())
            }),
        )
}

async fn login(session: SessionHandle, Path(user): Path<u64>) -> Result<(), SessionError> {
    session.insert(Account {
        user,
        role: "customer".to_owned(),
    })
}

async fn devices(all: Sessions, account: Account) -> Result<String, SessionError> {
    let sessions = all.list::<Account>(&account.user).await?;
    let lines = sessions.iter().map(|session| {
        let device = session.get::<Device>().unwrap();
        let mark = if session.is_current() { "*" } else { "" };
        format!("{}{mark} {}\n", device.name, session.id())
    });
    Ok(lines.collect())
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
    let sessions = layer.sessions();
    sessions.list::<Account>(&user).await.unwrap().len()
}

#[tokio::test]
async fn the_device_list_shows_the_sessions_of_one_owner_and_which_is_this() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let (mut phone, mut laptop) = (Visitor::new(&app), Visitor::new(&app));
    phone.get("/login/1/phone").await;
    laptop.get("/visit").await;
    laptop.get("/login/1/laptop").await;
    signed_in(&app, 2).await;
    Visitor::new(&app).get("/visit").await;

    let list = laptop.get("/devices").await.body;
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("laptop* "), "{list}");
    assert!(list.contains("phone "), "{list}");
    assert!(phone.get("/devices").await.body.contains("phone* "));
}

#[tokio::test]
async fn a_listed_session_says_when_it_was_begun_and_last_seen() {
    let clock = TestClock::new();
    let layer = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .clock(clock.reader())
        .build()
        .unwrap();
    let app = app(&layer);
    let begun = clock.now();
    let minute = Duration::from_mins(1);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    clock.advance(minute);
    visitor.get("/login/1").await;
    clock.advance(10 * minute);
    visitor.get("/me").await;
    clock.advance(minute / 2);
    visitor.get("/me").await;

    let listed = layer.sessions().list::<Account>(&1).await.unwrap();
    let [session] = &listed[..] else {
        panic!("one session is listed: {listed:?}");
    };
    assert_eq!(session.created_at(), begun);
    assert_eq!(session.signed_in_at(), begun + minute);
    assert_eq!(session.last_seen_at(), begun + 11 * minute);
    let day = Duration::from_hours(24);
    assert_eq!(session.expires_at(), begun + 11 * minute + day);
    assert!(!session.is_current());
}

#[tokio::test]
async fn the_session_last_seen_is_listed_first() {
    let clock = TestClock::new();
    let layer = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .clock(clock.reader())
        .build()
        .unwrap();
    let app = app(&layer);
    let mut visitors = Vec::new();
    for device in ["first", "second", "third"] {
        let mut visitor = Visitor::new(&app);
        visitor.get(&format!("/login/1/{device}")).await;
        visitors.push(visitor);
        clock.advance(Duration::from_mins(5));
    }
    visitors[1].get("/me").await;
    let listed = layer.sessions().list::<Account>(&1).await.unwrap();
    let names: Vec<_> = listed
        .iter()
        .map(|session| session.get::<Device>().unwrap().name)
        .collect();
    assert_eq!(names, ["second", "third", "first"]);
    assert!(listed.iter().all(|it| it.last_seen_at() <= clock.now()));
}

#[tokio::test]
async fn one_session_is_revoked_by_its_public_handle() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let listed = layer.sessions().list::<Account>(&1).await.unwrap();
    let current = here.get("/devices").await.body;
    let current = current.lines().find(|line| line.starts_with('*')).unwrap();
    let other = listed
        .iter()
        .find(|session| !current.ends_with(&session.id().to_string()));
    let other = other.unwrap().id();

    assert_eq!(here.get(&format!("/revoke/{other}")).await.body, "true");
    assert_eq!(status(&mut there, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&mut here, "/me").await, StatusCode::OK);
    assert_eq!(here.get(&format!("/revoke/{other}")).await.body, "false");
    assert_eq!(
        status(&mut here, "/revoke/no-handle").await,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn nobody_revokes_the_session_of_another() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let (mut ann, mut bob) = (signed_in(&app, 1).await, signed_in(&app, 2).await);
    let bobs = layer.sessions().list::<Account>(&2).await.unwrap()[0].id();
    assert_eq!(ann.get(&format!("/revoke/{bobs}")).await.body, "false");
    let mut stranger = Visitor::new(&app);
    let answer = stranger.get(&format!("/revoke/{bobs}")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&mut bob, "/me").await, StatusCode::OK);

    let jobs = layer.sessions();
    assert!(matches!(
        jobs.revoke(bobs).await,
        Err(SessionError::NoOwner)
    ));
    assert!(!jobs.revoke_of::<Account>(&1, bobs).await.unwrap());
    assert!(jobs.revoke_of::<Account>(&2, bobs).await.unwrap());
    assert_eq!(status(&mut bob, "/me").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn revoking_ones_own_session_removes_the_cookie() {
    let app = app(&layer(MemoryStore::new()));
    let mut visitor = signed_in(&app, 1).await;
    let list = visitor.get("/devices").await.body;
    let id = list.trim().trim_start_matches("* ");
    let answer = visitor.get(&format!("/revoke/{id}")).await;
    assert_eq!(answer.body, "true");
    assert!(
        answer.set_cookie().contains("Max-Age=0"),
        "{}",
        answer.set_cookie()
    );
    assert_eq!(status(&mut visitor, "/me").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn revoke_all_ends_every_session_of_an_owner_and_no_other() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let (mut a, mut b) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let (mut other, mut anonymous) = (signed_in(&app, 2).await, Visitor::new(&app));
    anonymous.get("/visit").await;

    let answer = a.get("/revoke-all/1").await;
    assert_eq!(answer.body, "2");
    assert!(answer.set_cookie().contains("Max-Age=0"));
    for visitor in [&mut a, &mut b] {
        assert_eq!(status(visitor, "/me").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(status(&mut other, "/me").await, StatusCode::OK);
    assert_eq!(anonymous.get("/visit").await.body, "2");
    assert_eq!(count(&layer, 1).await, 0);
}

#[tokio::test]
async fn a_job_revokes_without_a_request() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let mut visitor = signed_in(&app, 1).await;
    assert_eq!(layer.sessions().revoke_all::<Account>(&1).await.unwrap(), 1);
    assert_eq!(layer.sessions().revoke_all::<Account>(&1).await.unwrap(), 0);
    assert_eq!(status(&mut visitor, "/me").await, StatusCode::UNAUTHORIZED);
    let none = layer.sessions().revoke_others().await;
    assert!(matches!(none, Err(SessionError::NoOwner)));
}

#[tokio::test]
async fn a_request_that_revokes_all_of_an_owner_may_sign_them_in_anew() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let mut thief = signed_in(&app, 1).await;
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    assert_eq!(visitor.get("/reset/1").await.body, "1");
    assert_eq!(visitor.get("/me").await.body, "1");
    assert_eq!(visitor.get("/visit").await.body, "2");
    assert_eq!(status(&mut thief, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(count(&layer, 1).await, 1);
}

#[tokio::test]
async fn revoke_others_keeps_this_session_and_its_later_rotations() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let (mut here, mut there) = (signed_in(&app, 1).await, signed_in(&app, 1).await);
    let mut other = signed_in(&app, 2).await;
    assert_eq!(here.get("/revoke-others").await.body, "1");
    assert_eq!(status(&mut there, "/me").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&mut other, "/me").await, StatusCode::OK);
    for rotation in ["/promote", "/renew", "/new-password", "/renew"] {
        let answer = here.get(rotation).await;
        assert_eq!(answer.status, StatusCode::OK, "{rotation}");
        assert!(answer.set_cookie().starts_with("__Host-sid="));
    }
    assert_eq!(here.get("/me").await.body, "1");
    let nobody = Visitor::new(&app).get("/revoke-others").await.status;
    assert_eq!(nobody, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_that_changes_hands_is_listed_under_its_new_owner_alone() {
    let layer = layer(MemoryStore::new());
    let app = app(&layer);
    let mut visitor = signed_in(&app, 1).await;
    visitor.get("/become/2").await;
    assert_eq!((count(&layer, 1).await, count(&layer, 2).await), (0, 1));
    visitor.get("/login/3").await;
    assert_eq!((count(&layer, 2).await, count(&layer, 3).await), (0, 1));
    visitor.get("/leave").await;
    assert_eq!(count(&layer, 3).await, 0);
    visitor.get("/login/4").await;
    visitor.get("/logout").await;
    assert_eq!(count(&layer, 4).await, 0);
}

#[tokio::test]
async fn who_was_remembered_does_not_have_the_next_one_remembered() {
    let app = app(&layer(MemoryStore::new()));
    for next in ["/login/2", "/login/1", "/become/2", "/leave"] {
        let mut visitor = Visitor::new(&app);
        let remembered = visitor.get("/remember/1").await.set_cookie();
        assert!(remembered.contains("; Max-Age=604800"), "{remembered}");
        let promoted = visitor.get("/promote").await.set_cookie();
        assert!(promoted.contains("; Max-Age=604800"), "{promoted}");
        let cookie = visitor.get(next).await.set_cookie();
        assert!(!cookie.contains("Max-Age"), "{next}: {cookie}");
    }
}

#[derive(Session)]
#[session(flatten)]
struct Guest {
    #[session(owner)]
    email: Option<String>,
}

#[derive(Session)]
#[session(flatten)]
struct Support {
    #[session(owner)]
    on_behalf_of: Option<String>,
}

#[tokio::test]
async fn a_session_may_have_an_owner_in_each_struct_and_none_is_nobody() {
    let layer = layer(MemoryStore::new());
    let app = Router::new()
        .route(
            "/guest/{email}",
            get(async |mut guest: Session<Guest>, email: Path<String>| {
                guest.email = Some(email.0);
            }),
        )
        .route(
            "/support/{email}",
            get(async |mut support: Session<Support>, email: Path<String>| {
                support.on_behalf_of = Some(email.0);
            }),
        )
        .route(
            "/unguest",
            get(async |mut guest: Session<Guest>| guest.email = None),
        )
        .layer(layer.clone());
    let jobs = layer.sessions();
    let some = |email: &str| Some(email.to_owned());
    let mut visitor = Visitor::new(&app);
    visitor.get("/guest/ann").await;
    visitor.get("/support/bob").await;
    assert_eq!(jobs.list::<Guest>(&some("ann")).await.unwrap().len(), 1);
    assert_eq!(jobs.list::<Support>(&some("bob")).await.unwrap().len(), 1);
    assert_eq!(jobs.list::<Guest>(&some("bob")).await.unwrap().len(), 0);
    visitor.get("/unguest").await;
    assert_eq!(jobs.list::<Guest>(&some("ann")).await.unwrap().len(), 0);
    assert_eq!(jobs.list::<Guest>(&None).await.unwrap().len(), 0);
    assert_eq!(jobs.revoke_all::<Guest>(&None).await.unwrap(), 0);
    assert_eq!(jobs.revoke_all::<Support>(&some("bob")).await.unwrap(), 1);
}

#[tokio::test]
async fn a_binary_that_does_not_know_the_owner_keeps_the_session_theirs() {
    let (store, secret) = (Arc::new(MemoryStore::new()), [7; 32]);
    let secret = || Secret::try_from(&secret[..]).unwrap();
    let newer = SessionLayer::new(Arc::clone(&store), secret());
    let older = Router::new()
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| visits.page_views += 1),
        )
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .layer(SessionLayer::new(store, secret()));
    let visitor = signed_in(&app(&newer), 1).await;
    let mut at_older = Visitor::new(&older);
    at_older.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    at_older.get("/visit").await;
    at_older.get("/renew").await;
    assert_eq!(count(&newer, 1).await, 1);
    assert_eq!(newer.sessions().revoke_all::<Account>(&1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_sign_in_that_began_before_revoke_all_does_not_survive_it() {
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let clock = TestClock::new();
    let layer = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .clock(clock.reader())
        .build()
        .unwrap();
    let slow = {
        let (entered, go) = (Arc::clone(&entered), Arc::clone(&go));
        async move |session: SessionHandle| {
            entered.notify_one();
            go.notified().await;
            login(session, Path(1)).await
        }
    };
    let app = routes()
        .route("/slow-login", get(slow))
        .layer(layer.clone());
    // In the millisecond of the mark, and one before it.
    for (begin, between) in [("/me", 0), ("/visit", 1)] {
        let mut visitor = Visitor::new(&app);
        visitor.get(begin).await;
        let login = tokio::spawn(async move { (visitor.get("/slow-login").await, visitor) });
        entered.notified().await;
        clock.advance(Duration::from_millis(between));
        layer.sessions().revoke_all::<Account>(&1).await.unwrap();
        go.notify_one();
        let (answer, mut visitor) = login.await.unwrap();
        assert_eq!(answer.status, StatusCode::CONFLICT, "{begin}");
        assert!(answer.set_cookies().is_empty());
        assert_eq!(status(&mut visitor, "/me").await, StatusCode::UNAUTHORIZED);
        assert_eq!(count(&layer, 1).await, 0);
    }
    clock.advance(Duration::from_millis(2));
    let mut visitor = signed_in(&app, 1).await;
    assert_eq!(status(&mut visitor, "/me").await, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_costs_one_look_at_the_mark_and_an_anonymous_visit_none() {
    let store = Probe::new();
    let app = app(&layer(store.clone()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    assert_eq!(store.calls(), ["insert"]);
    visitor.get("/visit").await;
    assert_eq!(store.calls(), ["load", "replace"]);
    visitor.get("/login/1").await;
    assert_eq!(store.calls(), ["load", "rotate", "marked"]);
    visitor.get("/visit").await;
    assert_eq!(store.calls(), ["load", "replace"]);
}

#[tokio::test]
async fn a_sign_in_whose_mark_cannot_be_read_is_withdrawn() {
    let store = Probe::new();
    let layer = layer(store.clone());
    let app = app(&layer);
    let mut visitor = Visitor::new(&app);
    store.fail(&["marked"]);
    let answer = visitor.get("/login/1").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.set_cookies().is_empty());
    assert!(store.memory().is_empty());
    store.fail(&[]);
    assert_eq!(status(&mut visitor, "/login/1").await, StatusCode::OK);
}

#[tokio::test]
async fn revoke_all_that_cannot_end_a_session_says_so() {
    let store = Probe::new();
    let layer = layer(store.clone());
    let app = app(&layer);
    let mut visitor = signed_in(&app, 1).await;
    for operation in ["mark", "owned_by", "remove"] {
        store.fail(&[operation]);
        let ended = layer.sessions().revoke_all::<Account>(&1).await;
        assert!(matches!(ended, Err(SessionError::Store(_))), "{operation}");
    }
    store.fail(&[]);
    assert_eq!(layer.sessions().revoke_all::<Account>(&1).await.unwrap(), 1);
    assert_eq!(status(&mut visitor, "/me").await, StatusCode::UNAUTHORIZED);
}

fn limited(max: usize, then: AtMaxSessions) -> (SessionLayer, TestClock) {
    let clock = TestClock::new();
    let layer = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .max_sessions(max)
        .at_max_sessions(then)
        .clock(clock.reader())
        .build();
    (layer.unwrap(), clock)
}

#[tokio::test]
async fn one_session_too_many_evicts_the_oldest() {
    let (layer, clock) = limited(2, AtMaxSessions::EvictOldest);
    let app = app(&layer);
    let mut visitors = Vec::new();
    for _ in 0..3 {
        visitors.push(signed_in(&app, 1).await);
        clock.advance(Duration::from_secs(1));
    }
    let mut other = signed_in(&app, 2).await;
    let mut alive = Vec::new();
    for visitor in &mut visitors {
        alive.push(status(visitor, "/me").await == StatusCode::OK);
    }
    assert_eq!(alive, [false, true, true]);
    assert_eq!(status(&mut other, "/me").await, StatusCode::OK);
    visitors[1].get("/renew").await;
    visitors[1].get("/login/1").await;
    assert_eq!(status(&mut visitors[2], "/me").await, StatusCode::OK);
}

#[tokio::test]
async fn one_session_too_many_is_refused_and_costs_nothing_else() {
    let (layer, _) = limited(1, AtMaxSessions::RefuseNew);
    let app = app(&layer);
    let mut first = signed_in(&app, 1).await;
    let mut second = Visitor::new(&app);
    second.get("/visit").await;
    let answer = second.get("/login/1").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.body, "too many sessions: sign out elsewhere first");
    assert_eq!(second.get("/visit").await.body, "2");
    assert_eq!(status(&mut second, "/me").await, StatusCode::UNAUTHORIZED);
    first.get("/renew").await;
    assert_eq!(status(&mut first, "/me").await, StatusCode::OK);
    first.get("/logout").await;
    assert_eq!(status(&mut second, "/login/1").await, StatusCode::OK);
}

#[tokio::test]
async fn a_handler_may_answer_a_refused_sign_in_by_itself() {
    let (layer, _) = limited(1, AtMaxSessions::RefuseNew);
    let polite = async |session: SessionHandle| {
        login(session.clone(), Path(1)).await?;
        match session.save().await {
            Err(SessionError::TooManySessions { max }) => Ok(format!("only {max}, please")),
            other => other.map(|()| "welcome".to_owned()),
        }
    };
    let app = routes().route("/polite", get(polite)).layer(layer);
    let mut first = Visitor::new(&app);
    assert_eq!(first.get("/polite").await.body, "welcome");
    let mut second = Visitor::new(&app);
    let answer = second.get("/polite").await;
    assert_eq!(
        (answer.status, &*answer.body),
        (StatusCode::OK, "only 1, please")
    );
    assert!(answer.set_cookies().is_empty());
    assert_eq!(status(&mut first, "/me").await, StatusCode::OK);
}

#[tokio::test]
async fn no_sessions_at_all_cannot_be_configured() {
    let layer = SessionLayer::builder(MemoryStore::new(), Secret::generate()).max_sessions(0);
    let error = layer.build().unwrap_err().to_string();
    assert_eq!(error, "`max_sessions` is 0: nobody could sign in");
}

#[test]
fn the_owner_of_a_struct_has_the_type_of_its_field() {
    fn owner_is<T: Owned<Owner = O>, O>() {}
    owner_is::<Account, u64>();
    owner_is::<Guest, Option<String>>();
}
