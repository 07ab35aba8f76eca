//! One layer applied twice, with middleware between: the inner one takes back the changes of a
//! handler that was cancelled, panicked or answered an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use sessile::{Secret, Session, SessionError, SessionHandle, SessionLayer};

use crate::routes::{Account, NAME, Visits, routes, user_of};
use crate::schedule::panic_quietly;
use crate::support::{Probe, Visitor};
use crate::unwound::make_up;

/// The number of times that a request is tried.
const TRIES: usize = 3;

/// Cancels a slow handler, and answers 429.
async fn time_out(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(Duration::from_secs(1), next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::TOO_MANY_REQUESTS.into_response())
}

/// Calls the handler again after a 5xx or 408.
async fn retry(request: Request, next: Next) -> Response {
    let (parts, _) = request.into_parts();
    let mut answer = StatusCode::SERVICE_UNAVAILABLE.into_response();
    for _ in 0..TRIES {
        let request = Request::from_parts(parts.clone(), Body::empty());
        answer = next.clone().run(request).await;
        let status = answer.status();
        if !status.is_server_error() && status != StatusCode::REQUEST_TIMEOUT {
            break;
        }
    }
    answer
}

/// Answers 200 in the place of a 5xx.
async fn excuse(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    if answer.status().is_server_error() {
        return "never mind".into_response();
    }
    answer
}

/// Changes the session by a view or a handle, and ends, as the path says.
async fn deed(
    mut visits: Session<Visits>,
    session: SessionHandle,
    State(tries): State<Arc<AtomicUsize>>,
    Path((deed, end)): Path<(String, String)>,
) -> Result<Response, SessionError> {
    let before = tries.fetch_add(1, Ordering::Relaxed);
    match deed.as_str() {
        "count" => {
            visits.count += 1;
            drop(visits);
        }
        "lend" => visits.count += 1,
        "sign-in" => session.insert(Account {
            user: format!("eve-{before}"),
        })?,
        "clear" => session.clear(),
        "renew" => session.renew(),
        "destroy" => session.destroy(),
        _ => unreachable!("no such deed"),
    }
    Ok(match end.as_str() {
        "hang" => std::future::pending().await,
        "panic" => panic_quietly(),
        "503-twice" if before + 1 < TRIES => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "408-twice" if before + 1 < TRIES => StatusCode::REQUEST_TIMEOUT.into_response(),
        "503" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => StatusCode::OK.into_response(),
    })
}

/// The middleware between the two layers, the way the handler ends, and the status.
const BETWEEN: [(&str, &str, StatusCode); 3] = [
    ("timeout", "hang", StatusCode::TOO_MANY_REQUESTS),
    ("catch", "panic", StatusCode::OK),
    ("excuse", "503", StatusCode::OK),
];

const CHANGES: [&str; 5] = ["count", "lend", "sign-in", "clear", "renew"];

struct Site {
    store: Probe,
    app: Router,
    visitor: Visitor,
}

/// Puts each middleware between the two layers; the visitor has signed in, and has one visit.
async fn site() -> Site {
    let store = Probe::new();
    let sessions = SessionLayer::new(store.clone(), Secret::generate());
    let inside = || {
        let tries = Arc::new(AtomicUsize::new(0));
        let routes = Router::new().route("/{deed}/{end}", get(deed));
        routes.with_state(tries).layer(sessions.clone())
    };
    let app = Router::new()
        .nest("/timeout", inside().layer(from_fn(time_out)))
        .nest("/catch", inside().layer(from_fn(make_up)))
        .nest("/excuse", inside().layer(from_fn(excuse)))
        .nest("/retry", inside().layer(from_fn(retry)))
        .nest(
            "/noted",
            inside().layer(from_fn(time_out)).layer(from_fn(note)),
        )
        .merge(routes())
        .layer(sessions.clone());
    let mut visitor = Visitor::new(&app);
    visitor.get("/login/ann").await;
    visitor.get("/visit").await;
    store.calls();
    Site {
        store,
        app,
        visitor,
    }
}

/// Changes the session between the two layers.
async fn note(mut visits: Session<Visits>, request: Request, next: Next) -> Response {
    visits.count += 10;
    drop(visits);
    next.run(request).await
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_did_that_was_cut_short_is_not_stored() {
    for (between, end, status) in BETWEEN {
        for deed in CHANGES {
            let path = format!("/{between}/{deed}/{end}");
            let Site {
                store,
                app,
                mut visitor,
            } = site().await;
            let token = visitor.cookie(NAME).unwrap().to_owned();
            let answer = visitor.get(&path).await;
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(answer.set_cookies(), [""; 0], "{path}");
            assert_eq!(store.calls(), ["load"], "{path}");
            assert_eq!(user_of(&app, &token).await, "ann", "{path}");
            assert_eq!(visitor.get("/read").await.body, "1", "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_destroyed_before_is_dead() {
    for (between, end, status) in BETWEEN {
        let path = format!("/{between}/destroy/{end}");
        let Site {
            app, mut visitor, ..
        } = site().await;
        let token = visitor.cookie(NAME).unwrap().to_owned();
        let answer = visitor.get(&path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(
            answer.set_cookie().starts_with(&format!("{NAME}=; ")),
            "{path}"
        );
        assert_eq!(user_of(&app, &token).await, "nobody", "{path}");
    }
}

#[tokio::test]
async fn of_several_tries_the_last_ones_change_is_stored_once() {
    for end in ["503-twice", "408-twice"] {
        for deed in ["count", "lend"] {
            let Site {
                store, mut visitor, ..
            } = site().await;
            let path = format!("/retry/{deed}/{end}");
            let answer = visitor.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert_eq!(store.calls(), ["load", "replace"], "{path}");
            assert_eq!(visitor.get("/read").await.body, "2", "{path}");
        }
    }
}

#[tokio::test]
async fn of_several_tries_the_last_ones_sign_in_counts() {
    let Site {
        store,
        app,
        mut visitor,
    } = site().await;
    let before = visitor.cookie(NAME).unwrap().to_owned();
    let answer = visitor.get("/retry/sign-in/503-twice").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.set_cookie().starts_with(&format!("{NAME}=")));
    let rotations = store
        .calls()
        .iter()
        .filter(|call| **call == "rotate")
        .count();
    assert_eq!(rotations, 1);
    assert_eq!(visitor.get("/me").await.body, format!("eve-{}", TRIES - 1));
    assert_eq!(user_of(&app, &before).await, "nobody");
    assert_eq!(store.memory().len(), 1);
}

#[tokio::test]
async fn of_tries_that_all_fail_nothing_is_stored() {
    for deed in CHANGES {
        let Site {
            store,
            app,
            mut visitor,
        } = site().await;
        let token = visitor.cookie(NAME).unwrap().to_owned();
        let answer = visitor.get(&format!("/retry/{deed}/503")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.set_cookies(), [""; 0], "{deed}");
        assert_eq!(store.calls(), ["load"], "{deed}");
        assert_eq!(user_of(&app, &token).await, "ann", "{deed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_middleware_between_the_layers_did_is_stored() {
    for deed in CHANGES {
        let Site {
            app, mut visitor, ..
        } = site().await;
        let token = visitor.cookie(NAME).unwrap().to_owned();
        let answer = visitor.get(&format!("/noted/{deed}/hang")).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(visitor.get("/read").await.body, "11", "{deed}");
        assert_eq!(user_of(&app, &token).await, "ann", "{deed}");
    }
}

#[tokio::test]
async fn what_a_handler_did_that_answers_is_stored_once() {
    for between in ["timeout", "catch", "excuse", "retry"] {
        let Site {
            store, mut visitor, ..
        } = site().await;
        let answer = visitor.get(&format!("/{between}/count/done")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(store.calls(), ["load", "replace"], "{between}");
        assert_eq!(visitor.get("/read").await.body, "2", "{between}");
    }
}
