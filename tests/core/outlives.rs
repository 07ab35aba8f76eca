//! A changed view that is alive when the response goes: the change is stored, or the response is
//! an error.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{Session, SessionError, SessionHandle};
use tokio::sync::Notify;

use crate::routes::{Account, me};
use crate::support::{Log, Stage, Visitor};

#[derive(Session)]
struct Prefs {
    size: u64,
}

/// The places in which a handler leaves its view.
const HOLDERS: [&str; 4] = ["body", "task", "extension", "kept"];

/// State that a test shares with its handlers.
#[derive(Clone, Default)]
struct Shared {
    /// The line on which a view was last lent.
    line: Arc<Mutex<u32>>,
    kept: Arc<Mutex<Option<Session<Prefs>>>>,
    tasks_end: Arc<Notify>,
}

async fn hand_on(
    State(shared): State<Shared>,
    mut prefs: Session<Prefs>,
    Path((holder, deed)): Path<(String, String)>,
) -> Result<Response, SessionError> {
    let session = Session::handle(&prefs);
    if deed != "read" {
        *shared.line.lock().unwrap() = line!() + 1;
        prefs.size = 10;
    }
    match deed.as_str() {
        "save" => Session::save(&mut prefs).await?,
        "insert" => session.insert(Account { user: "ann".into() })?,
        "destroy" => session.destroy(),
        _ => {}
    }
    Ok(hold(&shared, prefs, &holder))
}

fn hold(shared: &Shared, prefs: Session<Prefs>, holder: &str) -> Response {
    match holder {
        "body" => {
            let last = async move { Ok::<_, std::convert::Infallible>(prefs.size.to_string()) };
            Body::from_stream(futures_util::stream::once(last)).into_response()
        }
        "task" => {
            let end = Arc::clone(&shared.tasks_end);
            tokio::spawn(async move {
                end.notified().await;
                drop(prefs);
            });
            "done".into_response()
        }
        "extension" => Extension(Arc::new(Mutex::new(prefs))).into_response(),
        "kept" => {
            *shared.kept.lock().unwrap() = Some(prefs);
            "done".into_response()
        }
        _ => unreachable!("no such holder"),
    }
}

/// Returns a visitor whose size is 1.
async fn begin() -> (Visitor, Shared) {
    let shared = Shared::default();
    let routes = Router::new()
        .route("/{holder}/{deed}", get(hand_on))
        .route(
            "/begin",
            get(async |mut prefs: Session<Prefs>| prefs.size = 1),
        )
        .route("/size", get(async |prefs: Prefs| prefs.size.to_string()))
        .route("/me", get(me))
        .with_state(shared.clone());
    let Stage { app, .. } = Stage::new(routes, |builder| builder);
    let mut visitor = Visitor::new(&app);
    visitor.get("/begin").await;
    (visitor, shared)
}

/// Drops every view that a handler has left.
async fn let_go(shared: &Shared) {
    shared.kept.lock().unwrap().take();
    shared.tasks_end.notify_one();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_change_that_outlives_its_response_is_stored_or_an_error() {
    for holder in HOLDERS {
        let (visitor, shared) = begin().await;
        let (log, _listening) = Log::listen();
        let answer = visitor.peek(&format!("/{holder}/change")).await;
        let errors = log.warnings();
        let_go(&shared).await;
        let stored = visitor.peek("/size").await.body;
        if answer.status == StatusCode::OK {
            assert_eq!(stored, "10", "{holder}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{holder}");
        assert_eq!(answer.set_cookies(), [""; 0], "{holder}");
        assert_eq!(stored, "1", "{holder}");
        let place = format!("{}:{}", file!(), shared.line.lock().unwrap());
        let names_it = |line: &String| {
            line.starts_with("ERROR ") && line.contains("Prefs") && line.contains(&place)
        };
        assert!(errors.iter().any(names_it), "{holder}: {errors:?}");
    }
}

#[tokio::test]
async fn what_else_the_request_changed_is_stored_only_with_a_200() {
    for holder in HOLDERS {
        let (mut visitor, shared) = begin().await;
        let answer = visitor.get(&format!("/{holder}/insert")).await;
        let_go(&shared).await;
        let is_stored = visitor.get("/me").await.body == "ann";
        let size = visitor.get("/size").await.body;
        let expected = if answer.status == StatusCode::OK {
            (true, "10")
        } else {
            (false, "1")
        };
        assert_eq!((is_stored, size.as_str()), expected, "{holder}");
    }
}

#[tokio::test]
async fn a_view_that_was_saved_before_it_moved_is_stored() {
    for holder in HOLDERS {
        let (visitor, shared) = begin().await;
        let answer = visitor.peek(&format!("/{holder}/save")).await;
        assert_eq!(answer.status, StatusCode::OK, "{holder}");
        let_go(&shared).await;
        assert_eq!(visitor.peek("/size").await.body, "10", "{holder}");
    }
}

#[tokio::test]
async fn a_view_that_was_only_read_may_outlive_its_response() {
    for holder in HOLDERS {
        let (visitor, shared) = begin().await;
        let (log, _listening) = Log::listen();
        let answer = visitor.peek(&format!("/{holder}/read")).await;
        assert_eq!(answer.status, StatusCode::OK, "{holder}");
        let_go(&shared).await;
        assert_eq!(log.warnings(), [""; 0], "{holder}");
        assert_eq!(visitor.peek("/size").await.body, "1", "{holder}");
    }
}

#[tokio::test]
async fn a_logout_is_carried_out_though_a_changed_view_outlives_it() {
    for holder in HOLDERS {
        let (mut visitor, shared) = begin().await;
        let before = visitor.clone();
        let answer = visitor.get(&format!("/{holder}/destroy")).await;
        assert_eq!(answer.status, StatusCode::OK, "{holder}");
        assert_eq!(visitor.cookies(), None, "{holder}");
        let_go(&shared).await;
        assert_eq!(before.peek("/size").await.body, "0", "{holder}");
    }
}

#[test]
fn a_lent_view_is_an_error_of_the_server_that_names_its_struct() {
    let error = SessionError::Lent("shop::Prefs");
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(error.to_string().contains("shop::Prefs"), "{error}");
}

#[tokio::test]
async fn a_handle_may_outlive_its_response() {
    let kept: Arc<Mutex<Option<SessionHandle>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let changes = get(async move |mut prefs: Session<Prefs>| {
        prefs.size = 10;
        *keep.lock().unwrap() = Some(Session::handle(&prefs));
    });
    let Stage { app, .. } = Stage::new(Router::new().route("/", changes), |builder| builder);
    let answer = Visitor::new(&app).get("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    let session = kept.lock().unwrap().take().unwrap();
    assert_eq!(session.load::<Prefs>().await.unwrap().unwrap().size, 10);
}
