//! Middleware and handler use one struct: the later write wins, the later reader sees the earlier
//! write, and a read of an old value is an error in the log.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::StatusCode;
use sessile::{CookieOptions, Secure, Session, SessionHandle};

use crate::support::{Log, Stage, Visitor};

#[derive(Session)]
struct Prefs {
    theme: String,
    size: u64,
}

/// Serves the handler inside its middleware, and `/stored` outside of it.
fn visitor(handler: MethodRouter, around: impl FnOnce(Router) -> Router) -> Visitor {
    let around = around(Router::new().route("/", handler));
    let stored = get(async |prefs: Prefs| format!("{} {}", prefs.theme, prefs.size));
    let Stage { app, .. } = Stage::new(around.route("/stored", stored), |builder| {
        // A `Secure` cookie over plain http would be a warning of its own.
        let plain = CookieOptions::new().secure(Secure::Never);
        builder.name("sid").cookie(plain)
    });
    Visitor::new(&app)
}

/// Returns the body of one request, and the values that are stored then.
async fn outcome(mut visitor: Visitor) -> (String, String) {
    let answer = visitor.get("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    (answer.body, visitor.get("/stored").await.body)
}

async fn writes_then_calls(mut prefs: Session<Prefs>, request: Request, next: Next) -> Response {
    prefs.size = 1;
    "light".clone_into(&mut prefs.theme);
    drop(prefs);
    next.run(request).await
}

/// The line of this file on which [`keeps_what_it_wrote`] lends its view.
static LENT_AT: AtomicU32 = AtomicU32::new(0);

async fn keeps_what_it_wrote(mut prefs: Session<Prefs>, request: Request, next: Next) -> Response {
    LENT_AT.store(line!() + 1, Ordering::Relaxed);
    prefs.size = 1;
    let response = next.run(request).await;
    drop(prefs);
    response
}

/// Answers the size that it read, and writes another.
async fn sets_size(mut prefs: Session<Prefs>) -> String {
    let seen = prefs.size.to_string();
    prefs.size = 10;
    seen
}

async fn sets_theme(mut prefs: Session<Prefs>) {
    "dark".clone_into(&mut prefs.theme);
}

#[tokio::test]
async fn what_middleware_wrote_before_is_seen_and_kept() {
    let app = |router: Router| router.layer(from_fn(writes_then_calls));
    let seen_and_stored = outcome(visitor(get(sets_size), app)).await;
    assert_eq!(seen_and_stored, ("1".to_owned(), "light 10".to_owned()));
}

#[tokio::test]
async fn fields_of_middleware_and_of_the_handler_are_both_kept() {
    let app = |router: Router| router.layer(from_fn(keeps_what_it_wrote));
    let (_, stored) = outcome(visitor(get(sets_theme), app)).await;
    assert_eq!(stored, "dark 1");
}

#[tokio::test]
async fn the_handlers_write_wins_over_an_earlier_one_of_middleware() {
    let app = |router: Router| router.layer(from_fn(keeps_what_it_wrote));
    let (_, stored) = outcome(visitor(get(sets_size), app)).await;
    assert_eq!(stored, " 10");
}

#[tokio::test]
async fn a_value_inserted_by_the_handler_wins_over_an_earlier_write_of_middleware() {
    let inserts = async |session: SessionHandle| {
        let theme = "dark".to_owned();
        session.insert(Prefs { theme, size: 10 }).unwrap();
    };
    let app = |router: Router| router.layer(from_fn(keeps_what_it_wrote));
    let (_, stored) = outcome(visitor(get(inserts), app)).await;
    assert_eq!(stored, "dark 10");
}

#[tokio::test]
async fn middleware_that_writes_again_sees_the_handlers_values() {
    async fn writes_again(mut prefs: Session<Prefs>, request: Request, next: Next) -> Response {
        prefs.size = 1;
        "light".clone_into(&mut prefs.theme);
        let response = next.run(request).await;
        prefs.size += 1;
        response
    }
    let sets_both = async |mut prefs: Session<Prefs>| {
        prefs.size = 10;
        "dark".clone_into(&mut prefs.theme);
    };
    let app = |router: Router| router.layer(from_fn(writes_again));
    let (_, stored) = outcome(visitor(get(sets_both), app)).await;
    assert_eq!(stored, "dark 11");
}

#[tokio::test]
async fn middleware_that_writes_only_after_the_handler_sees_its_values() {
    async fn writes_after(mut prefs: Session<Prefs>, request: Request, next: Next) -> Response {
        assert_eq!(prefs.size, 0);
        let response = next.run(request).await;
        prefs.size += 1;
        response
    }
    let app = |router: Router| router.layer(from_fn(writes_after));
    let (_, stored) = outcome(visitor(get(sets_size), app)).await;
    assert_eq!(stored, " 11");
}

#[tokio::test]
async fn middlewares_second_write_wins_over_the_handlers() {
    async fn overwrites(mut prefs: Session<Prefs>, request: Request, next: Next) -> Response {
        prefs.size = 1;
        let response = next.run(request).await;
        prefs.size = 20;
        response
    }
    let app = |router: Router| router.layer(from_fn(overwrites));
    let (_, stored) = outcome(visitor(get(sets_size), app)).await;
    assert_eq!(stored, " 20");
}

#[tokio::test]
async fn a_handler_that_read_an_old_value_is_an_error_that_names_the_struct_and_the_place() {
    let readers: [(&str, MethodRouter); 3] = [
        ("a live session", get(sets_size)),
        (
            "a copy",
            get(async |prefs: Prefs| assert_eq!(prefs.size, 0)),
        ),
        (
            "a handle",
            get(async |session: SessionHandle| {
                let prefs = session.get::<Prefs>().unwrap().unwrap();
                assert_eq!(prefs.size, 0);
            }),
        ),
    ];
    for (reader, handler) in readers {
        let visitor = visitor(handler, |router| router.layer(from_fn(keeps_what_it_wrote)));
        let (log, _listening) = Log::listen();
        outcome(visitor).await;
        let warnings = log.warnings();
        let place = format!("{}:{}", file!(), LENT_AT.load(Ordering::Relaxed));
        let names_it = |line: &&String| line.contains("Prefs") && line.contains(&place);
        let errors = warnings.iter().filter(|line| line.starts_with("ERROR "));
        assert_eq!(errors.filter(names_it).count(), 1, "{reader}: {warnings:?}");
    }
}

#[tokio::test]
async fn a_view_that_changed_nothing_or_that_nobody_missed_is_no_error() {
    async fn reads(prefs: Session<Prefs>, request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        assert_eq!(prefs.size, 0);
        response
    }
    async fn lends(mut prefs: Session<Prefs>, request: Request, next: Next) -> Response {
        let _: &mut Prefs = &mut prefs;
        next.run(request).await
    }
    let (log, _listening) = Log::listen();
    let middleware: [fn(Router) -> Router; 3] = [
        |router| router.layer(from_fn(reads)),
        |router| router.layer(from_fn(lends)),
        |router| router.layer(from_fn(writes_then_calls)),
    ];
    for around in middleware {
        outcome(visitor(get(sets_size), around)).await;
        assert_eq!(log.warnings(), [""; 0]);
    }
    let reads_nothing = get(async |_: SessionHandle| "hello");
    let (_, stored) = outcome(visitor(reads_nothing, |router| {
        router.layer(from_fn(keeps_what_it_wrote))
    }))
    .await;
    assert_eq!(stored, " 1");
    assert_eq!(log.warnings(), [""; 0]);
}

#[tokio::test]
async fn a_view_that_is_changed_after_an_update_of_the_handle_begins_with_its_value() {
    let updates = async |mut prefs: Session<Prefs>, session: SessionHandle| {
        let update = session.update::<Prefs, _>(|prefs| prefs.size = 7).await;
        update.unwrap();
        prefs.size += 1;
    };
    let (_, stored) = outcome(visitor(get(updates), |router| router)).await;
    assert_eq!(stored, " 8");
}
