//! What handlers, stores and stacks do that nobody planned for.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use sessile::{
    MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer, SessionRejection,
    merge,
};
use support::{Probe, Visitor};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, privilege)]
    user: String,
}

/// Equal to any other of its name, as entities often are.
#[derive(Serialize, Deserialize, Default)]
struct Role {
    name: String,
    may_write: bool,
}

impl PartialEq for Role {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[derive(Session)]
struct Rights {
    #[session(privilege)]
    role: Role,
}

#[derive(Session)]
struct Scale {
    ratio: f64,
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

async fn me(account: Option<Account>) -> String {
    account.map_or_else(|| "nobody".to_owned(), |account| account.user)
}

fn ada() -> Account {
    Account {
        user: "ada".to_owned(),
    }
}

#[tokio::test]
async fn a_sign_in_whose_save_failed_and_that_answers_5xx_never_happened() {
    let store = Probe::new();
    let failing = store.clone();
    let login = get(async move |session: SessionHandle| {
        session.insert(ada()).unwrap();
        failing.fail(&["rotate"]);
        let saved = session.save().await;
        failing.fail(&[]);
        assert!(matches!(saved, Err(SessionError::Store(_))));
        StatusCode::SERVICE_UNAVAILABLE
    });
    let routes = Router::new()
        .route("/", get(visit))
        .route("/login", login)
        .route("/me", get(me));
    let app = routes.layer(SessionLayer::new(store, Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    let before = visitor.cookies();
    assert_eq!(visitor.get("/login").await.set_cookies(), [""; 0]);
    assert_eq!(visitor.cookies(), before);
    assert_eq!(visitor.get("/me").await.body, "nobody");
}

#[tokio::test]
async fn an_update_that_failed_and_was_asked_for_again_counts_once() {
    let store = Probe::new();
    let failing = store.clone();
    let twice = get(async move |mut visits: Session<Visits>| {
        failing.fail(&["replace"]);
        let first = Session::update(&mut visits, |visits| visits.page_views += 1).await;
        assert!(matches!(first, Err(SessionError::Store(_))));
        failing.fail(&[]);
        Session::update(&mut visits, |visits| visits.page_views += 1)
            .await
            .unwrap();
        visits.page_views.to_string()
    });
    let routes = Router::new().route("/", get(visit)).route("/twice", twice);
    let app = routes.layer(SessionLayer::new(store, Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    assert_eq!(visitor.get("/twice").await.body, "2");
    assert_eq!(visitor.get("/").await.body, "3");
}

#[tokio::test]
async fn an_update_that_failed_is_not_made_up_for_by_the_commit() {
    let store = Probe::new();
    let failing = store.clone();
    let ignored = get(async move |mut visits: Session<Visits>| {
        failing.fail(&["replace"]);
        Session::update(&mut visits, |visits| visits.page_views += 100)
            .await
            .unwrap_err();
        failing.fail(&[]);
    });
    let routes = Router::new()
        .route("/", get(visit))
        .route("/ignored", ignored);
    let app = routes.layer(SessionLayer::new(store, Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    assert_eq!(visitor.get("/ignored").await.status, StatusCode::OK);
    assert_eq!(visitor.get("/").await.body, "2");
}

#[tokio::test]
async fn an_outage_gives_nobody_an_empty_session() {
    let store = Probe::new();
    let tolerant =
        get(async |account: Result<Account, SessionRejection>| account.is_ok().to_string());
    let login = get(async |session: SessionHandle| session.insert(ada()).unwrap());
    let sessions =
        SessionLayer::builder(store.clone(), Secret::generate()).save_uninitialized(true);
    let routes = Router::new().route("/", tolerant).route("/login", login);
    let app = routes.layer(sessions.build().unwrap());
    let mut visitor = Visitor::new(&app);
    visitor.get("/login").await;
    let before = visitor.cookies();
    store.fail(&["load"]);
    visitor.get("/").await;
    store.fail(&[]);
    assert_eq!(visitor.cookies(), before);
    assert_eq!(visitor.get("/").await.body, "true");
}

#[tokio::test]
async fn what_was_taken_out_is_not_put_back_by_a_view_that_changed_it_before() {
    let change_and_clear = get(
        async |mut rights: Session<Rights>, session: SessionHandle| {
            rights.role.name = "admin".to_owned();
            session.clear();
        },
    );
    let change_and_remove = get(
        async |mut rights: Session<Rights>, session: SessionHandle| {
            rights.role.name = "admin".to_owned();
            session.remove::<Rights>().map(|_| ())
        },
    );
    let clear_and_change = get(
        async |session: SessionHandle, mut rights: Session<Rights>| {
            session.clear();
            rights.role.name = "guest".to_owned();
        },
    );
    let role = get(async |rights: Rights| rights.role.name);
    let app = Router::new()
        .route("/change-and-clear", change_and_clear)
        .route("/change-and-remove", change_and_remove)
        .route("/clear-and-change", clear_and_change)
        .route("/role", role)
        .route("/", get(visit))
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    for (path, role) in [
        ("/change-and-clear", ""),
        ("/change-and-remove", ""),
        ("/clear-and-change", "guest"),
    ] {
        assert_eq!(visitor.get(path).await.status, StatusCode::OK, "{path}");
        assert_eq!(visitor.get("/role").await.body, role, "{path}");
    }
}

#[tokio::test]
async fn a_privilege_is_stored_though_its_type_finds_it_equal() {
    let grant = get(async |mut rights: Session<Rights>| rights.role.may_write = true);
    let show = get(async |rights: Rights| rights.role.may_write.to_string());
    let routes = Router::new()
        .route("/", get(visit))
        .route("/grant", grant)
        .route("/show", show);
    let app = routes.layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    let before = visitor.cookies();
    visitor.get("/grant").await;
    assert_ne!(visitor.cookies(), before);
    assert_eq!(visitor.get("/show").await.body, "true");
}

#[tokio::test]
async fn what_would_not_be_read_back_is_not_inserted() {
    let insert = get(async |session: SessionHandle| {
        let refused = session.insert(Scale {
            ratio: f64::INFINITY,
        });
        matches!(refused, Err(SessionError::Unstorable(_))).to_string()
    });
    let layer = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let app = Router::new().route("/", insert).layer(layer);
    assert_eq!(Visitor::new(&app).get("/").await.body, "true");
}

#[tokio::test]
async fn an_endless_max_age_is_cut_to_what_every_store_can_keep() {
    let remember = get(
        async |session: SessionHandle, mut visits: Session<Visits>| {
            visits.page_views += 1;
            session.set_max_age(std::time::Duration::MAX);
        },
    );
    let app = Router::new()
        .route("/remember", remember)
        .route("/", get(visit))
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/remember").await.status, StatusCode::OK);
    assert_eq!(visitor.get("/").await.body, "2");
}

#[tokio::test]
async fn a_view_that_is_kept_saves_and_updates_after_the_response() {
    let kept: Arc<Mutex<Option<Session<Visits>>>> = Arc::default();
    let handle: Arc<Mutex<Option<SessionHandle>>> = Arc::default();
    let keep = {
        let (kept, handle) = (Arc::clone(&kept), Arc::clone(&handle));
        get(
            async move |visits: Session<Visits>, session: SessionHandle| {
                *kept.lock().unwrap() = Some(visits);
                *handle.lock().unwrap() = Some(session);
            },
        )
    };
    let app = Router::new()
        .route("/", get(visit))
        .route("/keep", keep)
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/").await;
    visitor.get("/keep").await;
    let mut visits = kept.lock().unwrap().take().unwrap();
    visits.page_views += 10;
    Session::save(&mut visits).await.unwrap();
    visits.page_views += 100;
    Session::update(&mut visits, |visits| visits.page_views += 1000)
        .await
        .unwrap();
    assert_eq!(visitor.get("/").await.body, "1112");
    let session = handle.lock().unwrap().take().unwrap();
    assert!(matches!(session.insert(ada()), Err(SessionError::TooLate)));
}

#[tokio::test]
async fn one_layer_twice_around_a_route_serves_once() {
    async fn count(mut visits: Session<Visits>, request: Request, next: Next) -> Response {
        visits.page_views += 1;
        next.run(request).await
    }
    let login = get(async |session: SessionHandle| session.insert(ada()).unwrap());
    let layer = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let app = Router::new()
        .route("/login", login)
        .route("/me", get(me))
        .layer(layer.clone())
        .layer(from_fn(count))
        .layer(layer);
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/login").await.set_cookies().len(), 1);
    assert_eq!(visitor.get("/me").await.body, "ada");
    visitor.get("/login").await;
    assert_eq!(visitor.get("/me").await.body, "ada");
}

#[tokio::test]
async fn a_layer_inside_may_answer_with_another_type_of_body() {
    let rebuilt = tower::ServiceBuilder::new()
        .layer(SessionLayer::new(MemoryStore::new(), Secret::generate()))
        .map_response(|response: Response| response.map(|_| Full::from("another body")));
    let app = Router::new().route("/", get(visit)).layer(rebuilt);
    let answer = Visitor::new(&app).get("/").await;
    assert_eq!(answer.body, "another body");
    assert_eq!(answer.set_cookies().len(), 1);
}
