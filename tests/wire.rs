//! A layer in the formats of Express, without an Express app: its cookie, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::{Request, StatusCode};
use sessile::{
    CookieOptions, ExpressSecret, MemoryStore, Priority, Rolling, SameSite, Secure, Session,
    SessionError, SessionHandle, SessionLayer, SessionLayerBuilder, Sessions, TrustedProxy, merge,
};
use support::{TestClock, Visitor};

#[derive(Session)]
#[session(flatten, rename_all = "camelCase")]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
    total: i64,
}

#[derive(Session)]
#[session(flatten)]
struct Account {
    #[session(required, owner)]
    user: String,
}

/// Its name is one of Express's own.
#[derive(Session)]
struct Cookie {
    crumbs: u64,
}

/// As an Express app has it that sets nothing.
const PLAIN: CookieOptions = CookieOptions::new()
    .secure(Secure::Never)
    .same_site(SameSite::Unset);

type Builder = SessionLayerBuilder<'static, ExpressSecret>;

fn builder() -> Builder {
    support::trace::install();
    let secret = ExpressSecret::new("keyboard cat").unwrap();
    SessionLayer::beside_express(MemoryStore::new(), secret)
        .cookie(PLAIN)
        .id_generator(|| [0; 24])
}

fn app(settings: Builder) -> Router {
    Router::new()
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| {
                visits.page_views += 1;
                visits.page_views.to_string()
            }),
        )
        .route(
            "/read",
            get(async |visits: Visits| visits.page_views.to_string()),
        )
        .route(
            "/huge",
            get(async |mut visits: Session<Visits>| visits.total = (1 << 53) + 1),
        )
        .route(
            "/safe",
            get(async |mut visits: Session<Visits>| visits.total = -(1 << 53) + 1),
        )
        .route(
            "/crumbs",
            get(async |cookie: Cookie| cookie.crumbs.to_string()),
        )
        .route(
            "/login",
            get(async |session: SessionHandle| {
                session.insert(Account {
                    user: "ann".to_owned(),
                })
            }),
        )
        .route(
            "/remember",
            get(async |session: SessionHandle| session.set_max_age(Duration::from_mins(1))),
        )
        .route("/list", get(list))
        .route("/others", get(others))
        .layer(settings.build().unwrap())
}

async fn list(all: Sessions) -> Result<String, SessionError> {
    let listed = all.list::<Account>(&"ann".to_owned()).await;
    Ok(listed?.len().to_string())
}

async fn others(all: Sessions) -> Result<String, SessionError> {
    Ok(all.revoke_others().await?.to_string())
}

/// The token of an id of 24 zero bytes, by the libraries of Express.
const TOKEN: &str =
    "s%3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.RT5Cal5xFtX9GjJLGoiK%2BGzZ%2BcCRnZ5ZbIS8ml7E5Xo";

#[tokio::test]
async fn the_cookie_is_the_one_that_express_sets() {
    let clock = TestClock::new();
    let expires = httpdate::fmt_http_date(clock.now() + Duration::from_hours(1));
    let hour = PLAIN.max_age(Duration::from_hours(1));
    let all = CookieOptions::new()
        .domain("example.com")
        .path("/visit")
        .same_site(SameSite::None)
        .max_age(Duration::from_hours(1))
        .partitioned(true)
        .priority(Priority::Medium);
    for (cookie, attributes) in [
        (PLAIN, "; Path=/; HttpOnly".to_owned()),
        (hour, format!("; Path=/; Expires={expires}; HttpOnly")),
        (
            all,
            format!(
                "; Domain=example.com; Path=/visit; Expires={expires}; HttpOnly; Secure; Partitioned; \
                 Priority=Medium; SameSite=None"
            ),
        ),
    ] {
        let trusted = TrustedProxy::XForwardedProto(sessile::Hop::First);
        let settings = builder().cookie(cookie).trusted_proxy(trusted);
        let mut visitor = Visitor::new(&app(settings.clock(clock.reader())));
        let request = Request::get("/visit").header("x-forwarded-proto", "https");
        let answer = visitor.send(request, "").await;
        let line = format!("connect.sid={TOKEN}{attributes}");
        assert_eq!(answer.set_cookies(), [line]);
    }
}

#[tokio::test]
async fn a_secure_cookie_stays_at_home_over_plain_http() {
    let mut visitor = Visitor::new(&app(builder().cookie(CookieOptions::new())));
    let answer = visitor.get("/visit").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "1"));
    assert_eq!(answer.set_cookies(), [""; 0]);
    let auto = CookieOptions::new().secure(Secure::Auto);
    let mut visitor = Visitor::new(&app(builder().cookie(auto)));
    assert_eq!(visitor.get("/visit").await.set_cookies().len(), 1);
}

#[tokio::test]
async fn each_session_has_a_lifetime_of_its_own() {
    let clock = TestClock::new();
    let settings = builder().rolling(Rolling::OnChange).clock(clock.reader());
    let mut visitor = Visitor::new(&app(settings));
    let cookies = visitor.get("/visit").await;
    assert!(!cookies.set_cookies()[0].contains("Expires"));
    let answer = visitor.get("/remember").await;
    let expires = httpdate::fmt_http_date(clock.now() + Duration::from_mins(1));
    assert!(answer.set_cookies()[0].contains(&format!("; Expires={expires}")));
    clock.advance(Duration::from_secs(59));
    assert_eq!(visitor.get("/visit").await.body, "2");
    clock.advance(Duration::from_mins(1));
    assert_eq!(visitor.get("/read").await.body, "0");
    // Without a maxAge it is the store's: 24 hours after the last use, and no end in all.
    let settings = builder().id_generator(|| [1; 24]).clock(clock.reader());
    let mut visitor = Visitor::new(&app(settings));
    visitor.get("/visit").await;
    for _ in 0..50 {
        clock.advance(Duration::from_hours(23));
        assert_eq!(visitor.get("/read").await.body, "1");
    }
    clock.advance(Duration::from_hours(24));
    assert_eq!(visitor.get("/read").await.body, "0");
}

#[tokio::test]
async fn a_max_age_is_the_session_s_own_whatever_the_idle_timeout_is() {
    const HOUR: Duration = Duration::from_hours(1);
    let clock = TestClock::new();
    let idle = || {
        let settings = builder().idle_timeout(Duration::from_mins(1));
        settings.clock(clock.reader())
    };
    let expires = httpdate::fmt_http_date(clock.now() + HOUR);
    for settings in [
        idle().cookie(PLAIN.max_age(HOUR)),
        idle().cookie_for(|_| PLAIN.max_age(HOUR)),
    ] {
        let mut visitor = Visitor::new(&app(settings));
        let set = visitor.get("/visit").await.set_cookie();
        assert!(set.contains(&format!("; Expires={expires}")), "{set}");
    }
}

#[tokio::test]
async fn an_integer_that_javascript_reads_as_another_is_refused_and_named() {
    let mut visitor = Visitor::new(&app(builder()));
    visitor.get("/visit").await;
    let answer = visitor.get("/huge").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(visitor.get("/safe").await.status, StatusCode::OK);
    assert_eq!(visitor.get("/visit").await.body, "2");
    let field = "total".to_owned();
    let error = SessionError::UnsafeInteger { field };
    assert!(
        error
            .to_string()
            .starts_with("`total` holds an integer beyond 2^53")
    );
}

#[tokio::test]
async fn a_slice_that_express_would_drop_is_refused() {
    let mut visitor = Visitor::new(&app(builder()));
    let answer = visitor.get("/crumbs").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn nobody_is_told_that_an_owner_has_no_sessions() {
    let mut visitor = Visitor::new(&app(builder()));
    assert_eq!(visitor.get("/login").await.status, StatusCode::OK);
    for path in ["/list", "/others"] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
    }
}

/// A struct at the top level is refused by the derive, any other by the layer: each has a list.
#[test]
fn the_derive_and_the_layer_reserve_the_same_names() {
    let derive = include_str!("../session-derive/src/keys.rs");
    let layer = include_str!("../session-runtime/src/dialect/express/reserved.rs");
    let reserved = names("const RESERVED: [&str; 21] = [", layer);
    assert_eq!(reserved.len(), 21);
    assert_eq!(names("const EXPRESS: &[&str] = &[", derive), reserved);
}

/// The names of the list that begins so.
fn names<'c>(start: &str, code: &'c str) -> Vec<&'c str> {
    let (_, list) = code.split_once(start).unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).collect()
}
