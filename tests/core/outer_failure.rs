//! Two layers with a cookie each: an outer commit that fails does not drop the inner cookie.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use sessile::{Secret, Session, SessionLayer};

use crate::routes::routes;
use crate::support::{Builder, Probe, Visitor};

#[derive(Session)]
struct Trace {
    steps: Vec<String>,
}

/// Changes the outer session, and marks the response.
async fn leave_a_trace(mut trace: Session<Trace>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    trace.steps.push(path);
    drop(trace);
    let mut response = next.run(request).await;
    let mark = HeaderValue::from_static("was here");
    response.headers_mut().insert("x-handler", mark);
    response
}

struct Site {
    app: Router,
    outer: Probe,
    inner: Probe,
}

fn site(settings: impl FnOnce(Builder) -> Builder) -> Site {
    let (outer, inner) = (Probe::new(), Probe::new());
    let layer = |name: &str, store: &Probe| {
        SessionLayer::builder(store.clone(), Secret::generate()).name(name)
    };
    let app = routes()
        .layer(layer("inner", &inner).build().unwrap())
        .layer(from_fn(leave_a_trace))
        .layer(settings(layer("outer", &outer)).build().unwrap());
    Site { app, outer, inner }
}

/// Returns the names of the cookies that the answer sets.
fn names(answer: &crate::support::Answer) -> Vec<String> {
    let cookies = answer.set_cookies();
    let names = cookies
        .iter()
        .map(|cookie| cookie.split('=').next().unwrap());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_sign_in_that_the_inner_layer_stored_reaches_its_visitor() {
    let Site { app, outer, inner } = site(|builder| builder);
    let mut visitor = Visitor::new(&app);
    for (path, user) in [
        ("/login/ann", "ann"),
        ("/login/bob", "bob"),
        ("/renew", "bob"),
        ("/clear", "nobody"),
    ] {
        outer.fail(&["insert"]);
        inner.calls();
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.body, "the session store is unavailable", "{path}");
        assert_eq!(answer.header("x-handler"), None, "{path}");
        let calls = inner.calls();
        assert!(matches!(
            calls.last(),
            Some(&"insert" | &"rotate" | &"marked")
        ));
        assert_eq!(names(&answer), ["inner"], "{path}: {calls:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        outer.fail(&[]);
        assert_eq!(visitor.peek("/me").await.body, user, "{path}");
    }
}

#[tokio::test]
async fn a_removal_by_the_inner_layer_reaches_its_visitor() {
    let Site { app, outer, .. } = site(|builder| builder);
    let mut visitor = Visitor::new(&app);
    outer.fail(&["insert", "replace"]);
    visitor.get("/login/ann").await;
    let answer = visitor.get("/logout").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(names(&answer), ["inner"]);
    assert_eq!(visitor.cookie("inner"), None);
}

#[tokio::test]
async fn an_outer_layer_that_answers_500_drops_no_inner_cookie() {
    let Site { app, outer, .. } = site(|builder| builder.max_record_bytes(8));
    let mut visitor = Visitor::new(&app);
    let answer = visitor.get("/login/ann").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(names(&answer), ["inner"]);
    assert_eq!(outer.memory().len(), 0);
}

#[tokio::test]
async fn layers_that_both_store_set_both_cookies() {
    let Site { app, outer, inner } = site(|builder| builder);
    let mut visitor = Visitor::new(&app);
    let answer = visitor.get("/visit").await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut names = names(&answer);
    names.sort();
    assert_eq!(names, ["inner", "outer"]);
    assert_eq!((outer.memory().len(), inner.memory().len()), (1, 1));
    assert_eq!(visitor.get("/read").await.body, "1");
}
