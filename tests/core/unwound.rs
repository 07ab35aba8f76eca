//! A panic that middleware inside the layer turns into 200: nothing that the handler did is stored.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use sessile::{Session, SessionError, SessionHandle};

use crate::routes::{Account, NAME, Role, Visits, routes, user_of};
use crate::schedule::{caught, panic_quietly};
use crate::support::{Stage, Visitor};

/// Catches a panic, and answers 200.
pub(crate) async fn make_up(request: Request, next: Next) -> Response {
    let answer = caught(AssertUnwindSafe(next.run(request))).await;
    answer.unwrap_or_else(|| "never mind".into_response())
}

async fn by_handle(
    session: SessionHandle,
    Path(deed): Path<String>,
) -> Result<StatusCode, SessionError> {
    match deed.as_str() {
        "insert" => session.insert(Visits { count: 10 })?,
        "sign-in" => session.insert(Account { user: "eve".into() })?,
        "remove" => drop(session.remove::<Account>()?),
        "clear" => session.clear(),
        "renew" => session.renew(),
        "set-max-age" => session.set_max_age(Duration::from_mins(1)),
        "destroy" => session.destroy(),
        _ => unreachable!("no such deed"),
    }
    panic_quietly()
}

async fn by_view(
    mut visits: Session<Visits>,
    mut role: Session<Role>,
    Path(deed): Path<String>,
) -> StatusCode {
    match deed.as_str() {
        "change" => visits.count += 10,
        "promote" => role.level += 1,
        "hand-over" => {
            visits.count += 10;
            drop(visits);
        }
        _ => unreachable!("no such deed"),
    }
    panic_quietly()
}

/// Returns a visitor who has signed in, and has one visit.
async fn begin() -> (Stage, Visitor) {
    let panics = Router::new()
        .route("/by-handle/{deed}", get(by_handle))
        .route("/by-view/{deed}", get(by_view))
        .layer(from_fn(make_up));
    let stage = Stage::new(routes().merge(panics), |builder| builder);
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/login/ann").await;
    visitor.get("/visit").await;
    stage.store.calls();
    (stage, visitor)
}

async fn a_panic_stores_nothing_of(path: &str) {
    let (stage, mut visitor) = begin().await;
    let token = visitor.cookie(NAME).unwrap().to_owned();
    let answer = visitor.get(path).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "never mind")
    );
    assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    assert_eq!(stage.store.calls(), ["load"], "{path}");
    assert_eq!(user_of(&stage.app, &token).await, "ann", "{path}");
    assert_eq!(visitor.get("/read").await.body, "1", "{path}");
}

#[tokio::test]
async fn nothing_that_a_handle_did_is_stored() {
    for deed in [
        "insert",
        "sign-in",
        "remove",
        "clear",
        "renew",
        "set-max-age",
    ] {
        a_panic_stores_nothing_of(&format!("/by-handle/{deed}")).await;
    }
}

#[tokio::test]
async fn nothing_that_a_view_did_is_stored() {
    for deed in ["change", "promote", "hand-over"] {
        a_panic_stores_nothing_of(&format!("/by-view/{deed}")).await;
    }
}

#[tokio::test]
async fn a_first_visit_that_panics_begins_no_session() {
    let (stage, _visitor) = begin().await;
    for path in [
        "/by-handle/sign-in",
        "/by-handle/insert",
        "/by-view/hand-over",
    ] {
        let answer = Visitor::new(&stage.app).get(path).await;
        assert_eq!(answer.body, "never mind");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert_eq!(stage.store.memory().len(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_session_that_was_destroyed_before_a_panic_is_dead() {
    let (stage, mut visitor) = begin().await;
    let token = visitor.cookie(NAME).unwrap().to_owned();
    let answer = visitor.get("/by-handle/destroy").await;
    assert_eq!(answer.body, "never mind");
    assert!(answer.set_cookie().starts_with(&format!("{NAME}=; ")));
    assert_eq!(user_of(&stage.app, &token).await, "nobody");
}
