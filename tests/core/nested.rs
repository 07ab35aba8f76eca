//! What layers around each other, and a panic, leave of a session: nothing twice, and no end undone.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{Secret, Session, SessionHandle, SessionLayer, merge};

use crate::support::{Probe, Visitor};

#[derive(Session)]
struct Tally {
    #[session(merge = merge::Sum)]
    count: u64,
}

fn layer(store: &Probe, secret: &Secret) -> SessionLayer {
    let builder = SessionLayer::builder(store.clone(), secret.clone());
    builder.build().unwrap()
}

fn counting() -> Router {
    Router::new()
        .route(
            "/count",
            get(async |mut tally: Session<Tally>| {
                tally.count += 1;
                tally.count.to_string()
            }),
        )
        .route("/read", get(async |tally: Tally| tally.count.to_string()))
}

#[tokio::test]
async fn what_middleware_did_is_stored_once_though_a_save_inside_is_in_doubt() {
    async fn excuses(mut tally: Session<Tally>, request: Request, next: Next) -> Response {
        tally.count += 10;
        drop(tally);
        let answer = next.run(request).await;
        if answer.status().is_server_error() {
            return "never mind".into_response();
        }
        answer
    }
    let fails = async |mut tally: Session<Tally>, Extension(store): Extension<Probe>| {
        tally.count += 1;
        store.fail(&["replace"]);
        assert!(Session::save(&mut tally).await.is_err());
        store.fail(&[]);
        StatusCode::SERVICE_UNAVAILABLE
    };
    let (store, secret) = (Probe::new(), Secret::generate());
    let sessions = layer(&store, &secret);
    let app = Router::new()
        .route("/fail", get(fails))
        .layer(sessions.clone())
        .layer(from_fn(excuses))
        .merge(counting())
        .layer(sessions)
        .layer(Extension(store));
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.get("/count").await.body, "1");
    assert_eq!(visitor.get("/fail").await.body, "never mind");
    assert_eq!(visitor.get("/read").await.body, "11");
}

#[tokio::test]
async fn a_logout_outside_of_a_layer_of_the_same_name_is_carried_out() {
    async fn ends(session: SessionHandle, request: Request, next: Next) -> Response {
        session.destroy();
        next.run(request).await
    }
    let (store, secret) = (Probe::new(), Secret::generate());
    let outer = layer(&store, &secret);
    let app = Router::new()
        .route("/inside", get(async |tally: Tally| tally.count.to_string()))
        .layer(layer(&store, &secret))
        .layer(from_fn(ends))
        .merge(counting())
        .layer(outer.clone());
    let mut visitor = Visitor::new(&app);
    visitor.get("/count").await;
    let before = visitor.clone();
    visitor.get("/inside").await;
    outer.drained().await;
    assert_eq!(before.peek("/read").await.body, "0");
}

#[tokio::test]
async fn a_logout_is_carried_out_though_its_handler_panics_and_nobody_catches_it() {
    let panics = async |session: SessionHandle| -> StatusCode {
        session.destroy();
        std::panic::resume_unwind(Box::new("the test wants this"))
    };
    let (store, secret) = (Probe::new(), Secret::generate());
    let sessions = layer(&store, &secret);
    let app = Router::new().route("/panic", get(panics)).merge(counting());
    let app = app.layer(sessions.clone());
    let mut visitor = Visitor::new(&app);
    visitor.get("/count").await;
    let before = visitor.clone();
    let request = tokio::spawn(async move { visitor.get("/panic").await });
    assert!(request.await.is_err_and(|error| error.is_panic()));
    sessions.drained().await;
    assert_eq!(before.peek("/read").await.body, "0");
}

#[tokio::test]
async fn what_middleware_does_after_a_failure_inside_is_kept_while_it_holds_the_future() {
    async fn notes(session: SessionHandle, request: Request, next: Next) -> Response {
        let mut answer = std::pin::pin!(next.run(request));
        let status = answer.as_mut().await.status();
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        session.insert(Tally { count: 5 }).unwrap();
        "never mind".into_response()
    }
    let fails = async |mut tally: Session<Tally>| {
        tally.count += 1;
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let (store, secret) = (Probe::new(), Secret::generate());
    let sessions = layer(&store, &secret);
    let app = Router::new()
        .route("/fail", get(fails))
        .layer(sessions.clone())
        .layer(from_fn(notes))
        .merge(counting())
        .layer(sessions);
    let mut visitor = Visitor::new(&app);
    visitor.get("/count").await;
    assert_eq!(visitor.get("/fail").await.body, "never mind");
    assert_eq!(visitor.get("/read").await.body, "5");
}

#[test]
fn a_former_cookie_of_the_scope_of_today_is_refused() {
    let builder = SessionLayer::builder(Probe::new(), Secret::generate());
    let refused = builder
        .former_cookie("__Host-sid", sessile::CookieOptions::new())
        .build();
    let error = refused.map(drop).unwrap_err().to_string();
    assert!(
        error.starts_with("the former cookie `__Host-sid` has the name"),
        "{error}"
    );
}
