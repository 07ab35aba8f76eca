//! The log says what the layer refuses: a session after a fixed `expires`, a renewal without a
//! session.

use std::time::{Duration, SystemTime};

use axum::Router;
use http::StatusCode;
use sessile::{CookieOptions, Secret, SessionLayer};

use crate::routes::{NAME, routes};
use crate::support::{Log, Probe, Stage, TestClock, Visitor};

const HOUR: Duration = Duration::from_hours(1);

/// Returns an application whose sessions all end in an hour.
fn ends_in_an_hour() -> (Router, TestClock) {
    let clock = TestClock::new();
    let at: SystemTime = clock.now() + HOUR;
    let sessions = SessionLayer::builder(Probe::new(), Secret::generate())
        .clock(clock.reader())
        .cookie(CookieOptions::new().expires(at))
        .build()
        .unwrap();
    (routes().layer(sessions), clock)
}

#[tokio::test]
async fn a_sign_in_after_a_fixed_expires_is_409_and_is_logged() {
    for path in ["/login/ann", "/visit", "/promote"] {
        let (app, clock) = ends_in_an_hour();
        let mut visitor = Visitor::new(&app);
        assert_eq!(visitor.get(path).await.status, StatusCode::OK);
        clock.advance(2 * HOUR);
        let (log, _listening) = Log::listen();
        for mut visitor in [visitor, Visitor::new(&app)] {
            log.lines();
            let answer = visitor.get(path).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
            assert_eq!(answer.set_cookies(), [""; 0], "{path}");
            assert!(!log.warnings().is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_that_stores_nothing_is_served_after_a_fixed_expires() {
    let (app, clock) = ends_in_an_hour();
    clock.advance(2 * HOUR);
    let (log, _listening) = Log::listen();
    for path in ["/untouched", "/me", "/read"] {
        assert_eq!(Visitor::new(&app).get(path).await.status, StatusCode::OK);
    }
    assert_eq!(log.warnings(), [""; 0]);
}

#[tokio::test]
async fn a_renewal_without_a_session_is_logged() {
    let Stage { app, store, .. } = Stage::new(routes(), |builder| builder);
    let (log, _listening) = Log::listen();
    let answer = Visitor::new(&app).get("/renew").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(store.calls(), [""; 0]);
    assert_eq!(log.events().len(), 1);
}

#[tokio::test]
async fn a_renewal_of_a_session_is_no_warning() {
    let Stage { app, .. } = Stage::new(routes(), |builder| builder);
    let mut visitor = Visitor::new(&app);
    visitor.get("/login/ann").await;
    let before = visitor.cookie(NAME).unwrap().to_owned();
    let (log, _listening) = Log::listen();
    visitor.get("/renew").await;
    assert_ne!(visitor.cookie(NAME).unwrap(), before);
    assert_eq!(log.warnings(), [""; 0]);
}
