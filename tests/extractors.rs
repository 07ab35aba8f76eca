//! What handlers take: live sessions, copies, options, handles; and what they may do with them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use sessile::{MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer, merge};
use support::{Probe, Visitor};

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

#[derive(Session, Debug, PartialEq)]
struct Theme {
    #[session(default = "light".to_owned())]
    colour: String,
}

#[derive(Session)]
#[session(flatten)]
struct Express {
    views: u64,
    user: Option<String>,
}

/// Stores under the name that `Visits` has too.
#[derive(Session)]
#[session(name = "visits")]
struct Impostor {
    page_views: String,
}

#[derive(Session)]
#[session(flatten)]
struct FlatImpostor {
    #[session(rename = "visits")]
    _visits: u64,
}

fn app(routes: Router) -> Router {
    routes.layer(SessionLayer::new(MemoryStore::new(), Secret::generate()))
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

#[tokio::test]
async fn a_copy_is_for_reading_and_is_not_saved() {
    let change = get(async |mut visits: Visits| {
        visits.page_views += 1;
        visits.page_views.to_string()
    });
    let app = app(Router::new()
        .route("/visit", get(visit))
        .route("/change", change));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    assert_eq!(visitor.get("/change").await.body, "2");
    assert_eq!(visitor.get("/change").await.body, "2");
}

#[tokio::test]
async fn several_structs_share_one_session_and_one_load() {
    let both = get(
        async |mut visits: Session<Visits>, mut theme: Session<Theme>, copy: Theme| {
            visits.page_views += 1;
            theme.colour = "dark".to_owned();
            copy.colour
        },
    );
    let store = Probe::new();
    let app = Router::new()
        .route("/both", both)
        .layer(SessionLayer::new(store.clone(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/both").await.body, "light");
    assert_eq!(store.calls(), ["insert"]);
    assert_eq!(visitor.get("/both").await.body, "dark");
    assert_eq!(store.calls(), ["load", "replace"]);
}

#[tokio::test]
async fn a_struct_without_a_required_field_is_always_there() {
    let options = get(async |live: Option<Session<Visits>>, copy: Option<Theme>| {
        format!("{} {}", live.is_some(), copy.is_some())
    });
    let app = app(Router::new().route("/", options));
    assert_eq!(Visitor::new(&app).get("/").await.body, "true true");
}

#[tokio::test]
async fn two_structs_of_one_name_are_an_error_that_names_both() {
    let routes = Router::new()
        .route("/visit", get(visit))
        .route(
            "/impostor",
            get(async |visits: Session<Impostor>| visits.page_views.clone()),
        )
        .route("/flat", get(async |_: Session<FlatImpostor>| "flat"));
    let app = app(routes);
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/visit").await.body, "1");
    for (path, second) in [("/impostor", "Impostor"), ("/flat", "FlatImpostor")] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        let expected = format!(
            "`extractors::Visits` and `extractors::{second}` both store under `visits`: \
             give one of them another name with `#[session(name = \"..\")]`"
        );
        assert_eq!(answer.body, expected);
    }
    assert_eq!(visitor.get("/visit").await.body, "2");
}

#[tokio::test]
async fn flattened_fields_stand_at_the_top_of_the_record() {
    let login = get(async |mut express: Session<Express>| {
        express.views += 1;
        express.user = Some("ada".to_owned());
        format!("{} {:?}", express.views, express.user)
    });
    let both = get(async |express: Express, mut visits: Session<Visits>| {
        visits.page_views += 1;
        format!("{} {}", express.views, visits.page_views)
    });
    let app = app(Router::new().route("/login", login).route("/both", both));
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/login").await.body, "1 Some(\"ada\")");
    assert_eq!(visitor.get("/both").await.body, "1 1");
    assert_eq!(visitor.get("/login").await.body, "2 Some(\"ada\")");
}

#[tokio::test]
async fn a_handle_puts_in_takes_out_and_shows_what_is_there() {
    let insert = get(async |session: SessionHandle| {
        session.insert(Theme {
            colour: "red".to_owned(),
        })?;
        let shown: Option<Theme> = session.get()?;
        Ok::<_, SessionError>(shown.map(|theme| theme.colour).unwrap_or_default())
    });
    let remove = get(async |session: SessionHandle| {
        let removed: Option<Theme> = session.remove()?;
        let left: Option<Theme> = session.get()?;
        Ok::<_, SessionError>(format!("{removed:?} {left:?}"))
    });
    let colour = get(async |theme: Theme| theme.colour);
    let routes = Router::new()
        .route("/insert", insert)
        .route("/remove", remove)
        .route("/colour", colour);
    let app = app(routes);
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/insert").await.body, "red");
    assert_eq!(visitor.get("/colour").await.body, "red");
    let expected = "Some(Theme { colour: \"red\" }) Some(Theme { colour: \"light\" })";
    assert_eq!(visitor.get("/remove").await.body, expected);
    assert_eq!(visitor.get("/colour").await.body, "light");
}

#[tokio::test]
async fn the_public_handle_is_stable_until_a_rotation() {
    let id = get(async |session: SessionHandle| {
        format!(
            "{:?} {}",
            session.id().map(|id| id.to_string()),
            session.is_new()
        )
    });
    let renew = get(async |session: SessionHandle| session.renew());
    let routes = Router::new()
        .route("/id", id)
        .route("/visit", get(visit))
        .route("/renew", renew);
    let app = app(routes);
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/id").await.body, "None true");
    visitor.get("/visit").await;
    let first = visitor.get("/id").await.body;
    assert!(
        first.starts_with("Some(") && first.ends_with(" false"),
        "{first}"
    );
    assert_eq!(visitor.get("/id").await.body, first);
    visitor.get("/renew").await;
    assert_ne!(visitor.get("/id").await.body, first);
}

#[tokio::test]
async fn an_update_runs_against_the_newest_value_and_stores_at_once() {
    let store = Probe::new();
    let update = get(async |mut visits: Session<Visits>| {
        visits.page_views += 10;
        let before = Session::update(&mut visits, |visits| {
            visits.page_views += 1;
            visits.page_views
        });
        let answer = before.await?;
        Ok::<_, SessionError>(format!("{answer} {}", visits.page_views))
    });
    let app = Router::new()
        .route("/update", update)
        .route("/visit", get(visit))
        .layer(SessionLayer::new(store.clone(), Secret::generate()));
    let mut visitor = Visitor::new(&app);
    assert_eq!(
        visitor.get("/update").await.body,
        "11 11",
        "a new session is stored too"
    );
    store.calls();
    assert_eq!(visitor.get("/update").await.body, "22 22");
    assert_eq!(store.calls(), ["load", "load", "replace"]);
}

#[tokio::test]
async fn a_reload_takes_what_others_stored_and_drops_what_was_not_saved() {
    let reload = get(async |mut visits: Session<Visits>| {
        visits.page_views += 100;
        Session::reload(&mut visits).await?;
        visits.page_views += 1;
        Ok::<_, SessionError>(visits.page_views.to_string())
    });
    let app = app(Router::new()
        .route("/reload", reload)
        .route("/visit", get(visit)));
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    assert_eq!(visitor.get("/reload").await.body, "2");
    assert_eq!(visitor.get("/visit").await.body, "3");
}

#[tokio::test]
async fn two_live_views_of_one_request_merge_as_two_requests_do() {
    async fn count_outside(mut visits: Session<Visits>, request: Request, next: Next) -> Response {
        visits.page_views += 1;
        next.run(request).await
    }
    let routes = Router::new()
        .route("/visit", get(visit))
        .layer(from_fn(count_outside));
    let app = app(routes);
    let mut visitor = Visitor::new(&app);
    assert_eq!(
        visitor.get("/visit").await.body,
        "1",
        "a view sees no other live view"
    );
    assert_eq!(visitor.get("/visit").await.body, "3", "both were added");
}

#[tokio::test]
async fn a_handle_that_is_kept_goes_on_after_the_response() {
    let kept: Arc<Mutex<Option<SessionHandle>>> = Arc::default();
    let keep = {
        let kept = Arc::clone(&kept);
        get(async move |session: SessionHandle| *kept.lock().unwrap() = Some(session))
    };
    let destroy = get(async |session: SessionHandle| session.destroy());
    let routes = Router::new()
        .route("/visit", get(visit))
        .route("/keep", keep)
        .route("/destroy", destroy);
    let app = app(routes);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let handle = kept.lock().unwrap().take().unwrap();
    visitor.get("/visit").await;
    let loaded: Option<Visits> = handle.load().await.unwrap();
    assert_eq!(loaded.unwrap().page_views, 2);
    let updated = handle.update(|visits: &mut Visits| {
        visits.page_views += 1;
        visits.page_views
    });
    assert_eq!(updated.await.unwrap(), 3);
    assert_eq!(visitor.get("/visit").await.body, "4");
    visitor.get("/destroy").await;
    assert!(matches!(
        handle.load::<Visits>().await,
        Err(SessionError::Gone)
    ));
    let late = handle
        .update(|visits: &mut Visits| visits.page_views += 1)
        .await;
    assert!(matches!(late, Err(SessionError::Gone)));
}

#[tokio::test]
async fn no_session_begins_after_its_response() {
    let kept: Arc<Mutex<Option<SessionHandle>>> = Arc::default();
    let keep = {
        let kept = Arc::clone(&kept);
        get(async move |session: SessionHandle| *kept.lock().unwrap() = Some(session))
    };
    let store = Probe::new();
    let sessions = SessionLayer::new(store.clone(), Secret::generate());
    let app = Router::new().route("/keep", keep).layer(sessions);
    Visitor::new(&app).get("/keep").await;
    let handle = kept.lock().unwrap().take().unwrap();
    let late = handle
        .update(|visits: &mut Visits| visits.page_views += 1)
        .await;
    assert!(matches!(late, Err(SessionError::Gone)));
    assert_eq!(store.calls(), [""; 0]);
}

#[tokio::test]
async fn a_handle_that_is_kept_can_end_the_session() {
    let kept: Arc<Mutex<Option<SessionHandle>>> = Arc::default();
    let keep = {
        let kept = Arc::clone(&kept);
        get(async move |session: SessionHandle| *kept.lock().unwrap() = Some(session))
    };
    let store = MemoryStore::new();
    let store = Arc::new(store);
    let sessions = SessionLayer::new(Arc::clone(&store), Secret::generate());
    let app = Router::new()
        .route("/visit", get(visit))
        .route("/keep", keep)
        .layer(sessions);
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    kept.lock().unwrap().take().unwrap().destroy();
    while !store.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(visitor.get("/visit").await.body, "1");
}

#[tokio::test]
async fn an_update_may_ask_the_session_while_it_runs() {
    let nested = get(
        async |session: SessionHandle, mut visits: Session<Visits>| {
            let inside = session.clone();
            let updated = Session::update(&mut visits, move |visits| {
                visits.page_views += 1;
                inside.get::<Theme>().is_ok()
            });
            Ok::<_, SessionError>(updated.await?.to_string())
        },
    );
    let app = app(Router::new().route("/", nested));
    assert_eq!(Visitor::new(&app).get("/").await.body, "true");
}

#[tokio::test]
async fn a_value_that_cannot_be_stored_may_be_mended() {
    #[derive(Session)]
    struct Scale {
        weight: f64,
        unit: String,
    }
    let weigh = get(async |mut scale: Session<Scale>| {
        scale.weight = f64::NAN;
        scale.unit = "kg".to_owned();
        let refused = Session::save(&mut scale).await;
        scale.weight = 1.0;
        matches!(refused, Err(SessionError::Unstorable(_))).to_string()
    });
    let read = get(async |scale: Scale| format!("{} {}", scale.weight, scale.unit));
    let app = app(Router::new().route("/weigh", weigh).route("/read", read));
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/weigh").await.body, "true");
    assert_eq!(visitor.get("/read").await.body, "1 kg");
}
