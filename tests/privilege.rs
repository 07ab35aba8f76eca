//! Login changes the id by itself: a privilege field that differs at commit means a new id and a dead
//! old one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::StatusCode;
use sessile::{
    MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer, SessionRejection,
    SessionStore, merge,
};
use support::{Probe, Visitor};

#[derive(Session, Debug, PartialEq)]
struct Account {
    #[session(required, privilege)]
    user: String,
    theme: String,
}

#[derive(Session)]
struct Role {
    #[session(privilege)]
    admin: bool,
}

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

fn app(store: impl SessionStore) -> Router {
    routes().layer(SessionLayer::new(store, Secret::generate()))
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
            "/login-500/{user}",
            get(async |session: SessionHandle, user: Path<String>| {
                login(session, user).await.unwrap();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route(
            "/logout-500",
            get(async |session: SessionHandle| {
                session.destroy();
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
        .route(
            "/leave",
            get(async |session: SessionHandle| session.remove::<Account>().map(|_| ())),
        )
        .route("/me", get(async |account: Account| account.user))
        .route(
            "/live",
            get(async |account: Session<Account>| account.user.clone()),
        )
        .route(
            "/maybe",
            get(async |account: Option<Session<Account>>| {
                account.map_or_else(|| "nobody".to_owned(), |account| account.user.clone())
            }),
        )
        .route("/or-login", get(or_login))
        .route(
            "/theme/{theme}",
            get(async |mut account: Session<Account>, theme: Path<String>| {
                account.theme = theme.0;
            }),
        )
        .route(
            "/become/{user}",
            get(async |mut account: Session<Account>, user: Path<String>| {
                account.user = user.0;
            }),
        )
        .route(
            "/promote",
            get(async |mut role: Session<Role>| role.admin = true),
        )
        .route(
            "/promote-and-back",
            get(async |mut role: Session<Role>| {
                role.admin = true;
                role.admin = false;
            }),
        )
        .route("/admin", get(async |role: Role| role.admin.to_string()))
}

async fn login(session: SessionHandle, Path(user): Path<String>) -> Result<(), SessionError> {
    session.insert(Account {
        user,
        theme: "light".to_owned(),
    })
}

async fn or_login(account: Result<Session<Account>, SessionRejection>) -> Response {
    match account {
        Ok(account) => account.user.clone().into_response(),
        Err(SessionRejection::Absent) => Redirect::to("/login").into_response(),
        Err(outage) => outage.into_response(),
    }
}

#[tokio::test]
async fn an_absent_struct_is_401_none_or_a_redirect() {
    let store = Probe::new();
    let app = app(store.clone());
    let mut visitor = Visitor::new(&app);
    for session in ["without", "with"] {
        assert_eq!(
            visitor.get("/me").await.status,
            StatusCode::UNAUTHORIZED,
            "{session}"
        );
        assert_eq!(
            visitor.get("/live").await.status,
            StatusCode::UNAUTHORIZED,
            "{session}"
        );
        assert_eq!(visitor.get("/maybe").await.body, "nobody", "{session}");
        let redirect = visitor.get("/or-login").await;
        assert_eq!(redirect.status, StatusCode::SEE_OTHER, "{session}");
        assert_eq!(redirect.header("vary"), Some("Cookie"), "{session}");
        visitor.get("/visit").await;
    }
    visitor.get("/login/ada").await;
    for path in ["/me", "/live", "/maybe", "/or-login"] {
        assert_eq!(visitor.get(path).await.body, "ada", "{path}");
    }
    store.fail(&["load"]);
    for path in ["/me", "/live", "/maybe", "/or-login"] {
        let status = visitor.get(path).await.status;
        assert_eq!(
            status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{path}: an outage is not an absence"
        );
    }
}

#[tokio::test]
async fn a_login_rotates_and_keeps_what_the_session_held() {
    let store = Probe::new();
    let app = app(store.clone());
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let before = visitor.clone();
    store.calls();
    let answer = visitor.get("/login/ada").await;
    assert_eq!(store.calls(), ["load", "rotate"]);
    assert_eq!(answer.set_cookies().len(), 1);
    assert_ne!(visitor.cookies(), before.cookies());
    assert_eq!(visitor.get("/me").await.body, "ada");
    assert_eq!(visitor.get("/visit").await.body, "2");
    assert_eq!(
        before.peek("/visit").await.body,
        "1",
        "the old id begins anew"
    );
    assert_eq!(before.peek("/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_change_of_a_privilege_rotates_and_no_other_change_does() {
    let app = app(MemoryStore::new());
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    for (path, rotates) in [
        ("/login/ada", true),
        ("/login/ada", true),
        ("/theme/dark", false),
        ("/become/eve", true),
        ("/become/eve", false),
        ("/promote-and-back", false),
        ("/promote", true),
        ("/promote", false),
        ("/leave", true),
        ("/visit", false),
    ] {
        let before = visitor.cookies();
        assert_eq!(visitor.get(path).await.status, StatusCode::OK, "{path}");
        assert_eq!(visitor.cookies() != before, rotates, "{path}");
    }
}

#[tokio::test]
async fn a_planted_id_never_sees_the_account() {
    let app = app(MemoryStore::new());
    let mut attacker = Visitor::new(&app);
    attacker.get("/visit").await;
    let mut victim = attacker.clone();
    assert_eq!(
        victim.get("/visit").await.body,
        "2",
        "the victim carries the attacker's id"
    );
    victim.get("/login/ada").await;
    assert_eq!(victim.get("/me").await.body, "ada");
    assert_eq!(attacker.get("/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        attacker.get("/visit").await.body,
        "1",
        "the attacker's id is dead"
    );
}

#[tokio::test]
async fn a_login_that_fails_leaves_the_old_session_as_it_was() {
    let app = app(MemoryStore::new());
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let before = visitor.cookies();
    let answer = visitor.get("/login-500/ada").await;
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(visitor.cookies(), before);
    assert_eq!(visitor.get("/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.get("/visit").await.body, "2");
}

#[tokio::test]
async fn a_logout_that_fails_is_a_logout() {
    let app = app(MemoryStore::new());
    let mut visitor = Visitor::new(&app);
    visitor.get("/login/ada").await;
    let old = visitor.clone();
    visitor.get("/logout-500").await;
    assert_eq!(old.peek("/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn of_100_sign_ins_that_loaded_one_session_one_lives() {
    let gate = Arc::new(tokio::sync::Barrier::new(100));
    let store = Arc::new(MemoryStore::new());
    let slow_login = get(
        async |State(gate): State<Arc<tokio::sync::Barrier>>, session: SessionHandle| {
            gate.wait().await;
            session.insert(Account {
                user: "ada".to_owned(),
                theme: String::new(),
            })
        },
    );
    let sessions = SessionLayer::new(Arc::clone(&store), Secret::generate());
    let app = Router::new()
        .route("/slow-login", slow_login)
        .with_state(gate);
    let app = app.merge(routes()).layer(sessions);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let logins: Vec<_> = (0..100)
        .map(|_| {
            let mut visitor = visitor.clone();
            tokio::spawn(async move {
                let answer = visitor.get("/slow-login").await;
                (answer.status, answer.set_cookies().len())
            })
        })
        .collect();
    let (mut won, mut lost) = (0, 0);
    for login in logins {
        match login.await.unwrap() {
            (StatusCode::OK, 1) => won += 1,
            (StatusCode::CONFLICT, 0) => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((won, lost, store.len()), (1, 99, 1));
}

#[tokio::test]
async fn a_privilege_that_no_longer_decodes_is_nobody() {
    mod newer {
        #[derive(sessile::Session)]
        pub(super) struct Account {
            #[session(required, privilege)]
            pub(super) user: Vec<u8>,
        }
        #[derive(sessile::Session)]
        pub(super) struct Role {
            #[session(privilege)]
            pub(super) admin: String,
        }
    }
    let (store, secret) = (Arc::new(MemoryStore::new()), Secret::generate());
    let old = routes().layer(SessionLayer::new(Arc::clone(&store), secret.clone()));
    let mut visitor = Visitor::new(&old);
    visitor.get("/login/ada").await;
    visitor.get("/promote").await;
    visitor.get("/visit").await;
    let new = Router::new()
        .route("/me", get(async |_: newer::Account| "somebody"))
        .route(
            "/admin",
            get(async |role: Option<newer::Role>| role.is_some().to_string()),
        )
        .route(
            "/visits",
            get(async |visits: Visits| visits.page_views.to_string()),
        )
        .layer(SessionLayer::new(store, secret));
    let mut moved = Visitor::new(&new);
    moved.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    assert_eq!(moved.get("/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(moved.get("/admin").await.body, "false");
    assert_eq!(
        moved.get("/visits").await.body,
        "1",
        "the rest of the session stands"
    );
}

#[tokio::test]
async fn no_privilege_changes_once_the_response_is_sent() {
    let kept: Arc<std::sync::Mutex<Option<SessionHandle>>> = Arc::default();
    let keep = {
        let kept = Arc::clone(&kept);
        get(async move |session: SessionHandle| *kept.lock().unwrap() = Some(session))
    };
    let app = routes()
        .route("/keep", keep)
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let handle = kept.lock().unwrap().take().unwrap();
    let late = handle.update(|role: &mut Role| role.admin = true).await;
    assert!(matches!(late, Err(SessionError::TooLate)), "{late:?}");
    assert_eq!(visitor.get("/admin").await.body, "false");
    handle
        .update(|visits: &mut Visits| visits.page_views += 1)
        .await
        .unwrap();
    assert_eq!(visitor.get("/visit").await.body, "3");
}

/// Many structs stand at the top level of a record; taking one out leaves the others.
#[tokio::test]
async fn a_demotion_beside_a_removal_of_another_flattened_struct_is_stored() {
    #[derive(Session)]
    #[session(flatten)]
    struct Rights {
        #[session(privilege)]
        is_admin: bool,
    }
    #[derive(Session)]
    #[session(flatten)]
    struct Cart {
        items: Vec<u32>,
    }
    let set = |is_admin: bool| {
        get(
            async move |mut rights: Session<Rights>, session: SessionHandle| {
                rights.is_admin = is_admin;
                session.remove::<Cart>()?;
                session.insert(Cart { items: vec![1] })
            },
        )
    };
    let app = Router::new()
        .route("/promote", set(true))
        .route("/demote", set(false))
        .route(
            "/see",
            get(async |rights: Rights, cart: Cart| format!("{} {:?}", rights.is_admin, cart.items)),
        )
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/promote").await;
    assert_eq!(visitor.get("/see").await.body, "true [1]");
    visitor.get("/demote").await;
    assert_eq!(visitor.get("/see").await.body, "false [1]");
}
