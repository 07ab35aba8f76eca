//! A cookie whose options are a function of the request.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use http::{HeaderName, StatusCode};
use sessile::{
    ConfigError, CookieError, CookieOptions, Head, Hop, MemoryStore, Rolling, SameSite, Secret,
    Secure, Session, SessionError, SessionHandle, SessionLayer, SessionRejection, Transport,
    TrustedProxy, merge,
};
use support::visitor::{Answer, ask};
use support::{Builder, Log, Stage};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MILLI: Duration = Duration::from_millis(1);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

fn stage(settings: impl FnOnce(Builder) -> Builder) -> Stage {
    Stage::new(routes(), |builder| settings(builder.name("sid")))
}

fn routes() -> Router {
    let inner = Router::new()
        .route("/untouched", get(|| async { "hello" }))
        .route("/read", get(read))
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| visits.page_views += 1),
        )
        .route(
            "/remember",
            get(
                async |session: SessionHandle, mut visits: Session<Visits>| {
                    session.set_max_age(7 * DAY);
                    visits.page_views += 1;
                },
            ),
        )
        .route(
            "/clear",
            get(
                async |session: SessionHandle, mut visits: Session<Visits>| {
                    session.clear();
                    visits.page_views += 1;
                },
            ),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route(
            "/tolerant",
            get(async |visits: Result<Session<Visits>, SessionRejection>| {
                matches!(visits, Err(SessionRejection::Cookie(_))).to_string()
            }),
        );
    inner.clone().nest("/embed", inner)
}

async fn read(visits: Session<Visits>) -> String {
    visits.page_views.to_string()
}

async fn visit(app: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(app, request.body(Body::empty()).unwrap()).await
}

fn pair(answer: &Answer) -> String {
    answer.set_cookie().split_once(';').unwrap().0.to_owned()
}

fn attributes(answer: &Answer) -> String {
    answer.set_cookie().split_once("; ").unwrap().1.to_owned()
}

fn by_host(head: Head<'_>) -> CookieOptions<'_> {
    match head.host() {
        Some(host) if host.contains('.') => CookieOptions::new().domain(host),
        _ => CookieOptions::new(),
    }
}

fn by_path(head: Head<'_>) -> CookieOptions<'_> {
    let is_embedded = head.uri().path().starts_with("/embed/");
    let options = CookieOptions::new().partitioned(is_embedded);
    options.same_site(if is_embedded {
        SameSite::None
    } else {
        SameSite::Strict
    })
}

fn by_scheme(head: Head<'_>) -> CookieOptions<'_> {
    assert!(!format!("{head:?}").contains("forwarded"));
    let is_secure = head.is_https();
    let secure = if is_secure {
        Secure::Always
    } else {
        Secure::Never
    };
    CookieOptions::new()
        .secure(secure)
        .same_site(SameSite::Auto)
}

#[tokio::test]
async fn a_domain_for_each_host() {
    let Stage { app, .. } = stage(|b| b.cookie_for(by_host));
    for (host, expected) in [
        (
            "shop.example",
            "HttpOnly; SameSite=Lax; Secure; Path=/; Domain=shop.example",
        ),
        (
            "cafe.example:8080",
            "HttpOnly; SameSite=Lax; Secure; Path=/; Domain=cafe.example",
        ),
        ("localhost:3000", "HttpOnly; SameSite=Lax; Secure; Path=/"),
    ] {
        let answer = visit(&app, "/visit", &[("host", host)]).await;
        assert_eq!(attributes(&answer), expected);
    }
}

#[tokio::test]
async fn partitioned_and_third_party_only_where_a_page_is_embedded() {
    let Stage { app, .. } = stage(|b| b.cookie_for(by_path));
    let answer = visit(&app, "/visit", &[]).await;
    assert_eq!(
        attributes(&answer),
        "HttpOnly; SameSite=Strict; Secure; Path=/"
    );
    // The router has taken `/embed` from the path that the handler's side sees.
    let answer = visit(&app, "/embed/visit", &[]).await;
    let expected = "HttpOnly; SameSite=None; Partitioned; Secure; Path=/";
    assert_eq!(attributes(&answer), expected);
}

#[tokio::test]
async fn a_layer_inside_a_nest_sees_what_comes_to_it() {
    let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate());
    let sessions = sessions.cookie_for(by_path).name("sid").build().unwrap();
    let app = Router::new().nest("/embed", routes().layer(sessions));
    assert!(attributes(&visit(&app, "/embed/visit", &[]).await).contains("SameSite=Strict"));
}

#[tokio::test]
async fn what_middleware_inside_changes_is_not_seen() {
    let rewrite = from_fn(async |mut request: Request, next: Next| {
        *request.uri_mut() = "/visit".parse().unwrap();
        request
            .headers_mut()
            .insert("host", "evil.example".parse().unwrap());
        next.run(request).await
    });
    let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate());
    let sessions = sessions.cookie_for(|head| match head.host() {
        Some("evil.example") => CookieOptions::new().path("/evil"),
        _ => by_path(head),
    });
    let app = routes()
        .layer(rewrite)
        .layer(sessions.name("sid").build().unwrap());
    let answer = visit(&app, "/embed/visit", &[("host", "a.example")]).await;
    assert!(attributes(&answer).contains("Partitioned"));
}

#[tokio::test]
async fn extensions_of_layers_further_out_may_decide() {
    #[derive(Clone)]
    struct Tenant(Arc<str>);
    let sessions = SessionLayer::builder(MemoryStore::new(), Secret::generate());
    let sessions = sessions.name("sid").cookie_for(|head| {
        let Tenant(domain) = head.extensions().get().unwrap();
        CookieOptions::new().domain(domain)
    });
    let tenant = from_fn(async |mut request: Request, next: Next| {
        request
            .extensions_mut()
            .insert(Tenant("shop.example".into()));
        next.run(request).await
    });
    let app = routes().layer(sessions.build().unwrap()).layer(tenant);
    let answer = visit(&app, "/visit", &[("host", "www.shop.example")]).await;
    assert!(attributes(&answer).ends_with("; Domain=shop.example"));
}

#[tokio::test]
async fn the_word_of_the_trusted_proxy_counts() {
    let https = [("x-forwarded-proto", "https"), ("host", "a.example")];
    for (proxy, expected) in [
        (TrustedProxy::Nobody, "HttpOnly; SameSite=Lax; Path=/"),
        (
            TrustedProxy::XForwardedProto(Hop::Last),
            "HttpOnly; SameSite=None; Secure; Path=/",
        ),
    ] {
        let Stage { app, .. } = stage(|b| b.trusted_proxy(proxy).cookie_for(by_scheme));
        assert_eq!(attributes(&visit(&app, "/visit", &https).await), expected);
    }
}

#[tokio::test]
async fn a_removal_has_the_scope_that_the_same_head_gave() {
    let Stage { app, .. } = stage(|b| {
        b.cookie_for(|head| match head.host() {
            Some(host) => by_path(head).domain(host),
            None => by_path(head).path("/embed"),
        })
    });
    for (headers, path) in [
        (vec![("host", "shop.example")], ""),
        (vec![("host", "shop.example")], "/embed"),
        (vec![], "/embed"),
    ] {
        let answer = visit(&app, &format!("{path}/visit"), &headers).await;
        let (set, cookie) = (attributes(&answer), pair(&answer));
        let mut headers = headers.clone();
        headers.push(("cookie", &cookie));
        let removal = visit(&app, &format!("{path}/destroy"), &headers).await;
        let expected = format!("{set}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(attributes(&removal), expected);
        assert_eq!(pair(&removal), "sid=");
    }
}

#[tokio::test]
async fn what_a_browser_would_reject_is_500_and_says_why() {
    let secure = CookieOptions::new();
    let plain = secure.secure(Secure::Never);
    for (name, options, reason) in [
        ("__Host-sid", secure.path("/a"), "allows no path"),
        ("__Host-sid", secure.domain("a.example"), "allows no domain"),
        ("__Host-sid", plain, "needs `Secure::Always`"),
        ("__Secure-sid", plain, "needs `Secure::Always`"),
        (
            "sid",
            plain.same_site(SameSite::None),
            "needs `Secure::Always`",
        ),
        ("sid", plain.partitioned(true), "needs `Secure::Always`"),
        (
            "sid",
            secure.secure(Secure::Auto).partitioned(true),
            "needs `Secure::Always`",
        ),
        ("sid", secure.path("a; Domain=b"), "start with `/`"),
        ("sid", secure.domain("a.example; Secure"), "not a host name"),
        (
            "sid",
            secure.domain("other.example"),
            "does not cover the host `a.example`",
        ),
        (
            "sid",
            secure.domain("b.a.example"),
            "does not cover the host",
        ),
        ("sid", secure.domain("ple.com"), "does not cover the host"),
        ("sid", secure.max_age(Duration::ZERO), "at least one second"),
        (
            "sid",
            secure.max_age(31 * DAY),
            "longer than the absolute timeout",
        ),
        (
            "sid",
            secure.expires(SystemTime::now() + DAY),
            "cannot set `expires`",
        ),
    ] {
        let Stage { app, store, .. } = stage(|b| b.name(name).cookie_for(move |_| options));
        let host = [("host", "a.example")];
        // What was said once before is known to tracing when the log comes.
        visit(&app, "/read", &host).await;
        let (log, guard) = Log::listen();
        for path in ["/visit", "/read", "/destroy"] {
            let answer = visit(&app, path, &host).await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{reason}");
            assert_eq!(answer.body, "a session cannot be had here");
            assert_eq!(answer.set_cookies(), [""; 0]);
        }
        drop(guard);
        let said = log.warnings();
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(
            said.iter().all(|line| line.contains(reason)),
            "{reason}: {said:?}"
        );
        assert_eq!(visit(&app, "/tolerant", &host).await.body, "true");
        assert_eq!(
            visit(&app, "/untouched", &host).await.status,
            StatusCode::OK
        );
        assert_eq!(store.calls(), [""; 0]);
    }
}

#[tokio::test]
async fn a_domain_covers_its_host_and_subdomains_in_any_case() {
    for host in ["a.example", "A.Example:80", "b.a.example"] {
        let Stage { app, .. } =
            stage(|b| b.cookie_for(|_| CookieOptions::new().domain("A.example")));
        let answer = visit(&app, "/visit", &[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn where_untouched_requests_pay_they_are_refused_too() {
    let options = CookieOptions::new().secure(Secure::Never).partitioned(true);
    for rolling in [Rolling::OnTouch, Rolling::EveryResponse] {
        let Stage { app, store, .. } = stage(|b| {
            b.save_uninitialized(true)
                .rolling(rolling)
                .cookie_for(move |_| options)
        });
        let answer = visit(&app, "/untouched", &[]).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.body, "the session could not be stored");
        assert_eq!(store.calls(), [""; 0]);
    }
}

#[test]
fn a_name_that_no_cookie_may_have_cannot_be_built() {
    let built = |name: &str| {
        let builder = SessionLayer::builder(MemoryStore::new(), Secret::generate());
        builder.name(name).cookie_for(by_host).build()
    };
    let refused = Err(ConfigError::Cookie(CookieError::NameNotToken));
    assert_eq!(built("a sid").map(|_| ()), refused);
    for name in ["sid", "__Host-sid", "__Secure-sid", "__Host-Http-sid"] {
        assert!(built(name).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn of_cookie_and_cookie_for_the_last_one_counts() {
    let strict = CookieOptions::new()
        .same_site(SameSite::Strict)
        .max_age(HOUR);
    let Stage { app, .. } = stage(|b| b.cookie_for(by_host).cookie(strict));
    let answer = visit(&app, "/visit", &[("host", "a.example")]).await;
    let expected = "HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=3600";
    assert_eq!(attributes(&answer), expected);
    let Stage { app, .. } = stage(|b| b.cookie(strict).cookie_for(by_host));
    let answer = visit(&app, "/visit", &[("host", "a.example")]).await;
    let expected = "HttpOnly; SameSite=Lax; Secure; Path=/; Domain=a.example";
    assert_eq!(attributes(&answer), expected);
}

#[tokio::test]
async fn the_function_runs_once_a_request_and_not_where_no_cookie_is() {
    for (transport, expected) in [
        (Transport::Cookie, 2),
        (Transport::Header(HeaderName::from_static("x-session")), 0),
    ] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let Stage { app, .. } = stage(move |b| {
            b.transport(transport).cookie_for(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                CookieOptions::new()
            })
        });
        visit(&app, "/clear", &[]).await;
        visit(&app, "/untouched", &[]).await;
        assert_eq!(calls.load(Ordering::Relaxed), expected);
    }
}

/// An hour for who begins under `/embed`, the browser's session for others.
fn an_hour_if_embedded(head: Head<'_>) -> CookieOptions<'_> {
    let options = CookieOptions::new();
    if head.uri().path().starts_with("/embed/") {
        options.max_age(HOUR)
    } else {
        options
    }
}

#[tokio::test]
async fn a_max_age_ends_the_cookie_and_the_record_together_whatever_later_requests_get() {
    let Stage { app, clock, .. } = stage(|b| b.cookie_for(an_hour_if_embedded));
    let answer = visit(&app, "/embed/visit", &[]).await;
    assert!(answer.set_cookie().ends_with("; Max-Age=3600"));
    let cookie = pair(&answer);
    let headers = [("cookie", cookie.as_str())];
    // The other route's options say nothing of an end, and still the cookie goes on with the record.
    clock.advance(HOUR / 2);
    let answer = visit(&app, "/read", &headers).await;
    assert_eq!(answer.body, "1");
    assert!(answer.set_cookie().ends_with("; Max-Age=3600"));
    clock.advance(HOUR.saturating_sub(MILLI));
    assert_eq!(
        visit(&app, "/tolerant", &headers).await.set_cookies().len(),
        1
    );
    clock.advance(HOUR);
    assert_eq!(visit(&app, "/read", &headers).await.body, "0");
}

#[tokio::test]
async fn a_max_age_counts_where_a_session_begins_or_is_cleared() {
    let Stage { app, clock, .. } = stage(|b| b.cookie_for(an_hour_if_embedded));
    let cookie = pair(&visit(&app, "/visit", &[]).await);
    let headers = [("cookie", cookie.as_str())];
    let answer = visit(&app, "/embed/visit", &headers).await;
    assert_eq!(answer.set_cookies(), [""; 0], "it has begun without");
    clock.advance(2 * HOUR);
    assert_eq!(visit(&app, "/read", &headers).await.body, "2");
    let answer = visit(&app, "/embed/clear", &headers).await;
    assert!(answer.set_cookie().ends_with("; Max-Age=3600"));
}

#[tokio::test]
async fn a_handler_that_sets_a_max_age_has_the_last_word() {
    let Stage { app, clock, .. } = stage(|b| b.cookie_for(an_hour_if_embedded));
    let answer = visit(&app, "/embed/remember", &[]).await;
    assert!(answer.set_cookie().ends_with("; Max-Age=604800"));
    clock.advance(6 * DAY);
    let cookie = pair(&answer);
    assert_eq!(
        visit(&app, "/embed/read", &[("cookie", &cookie)])
            .await
            .body,
        "1"
    );
}

#[tokio::test]
async fn of_max_age_and_idle_timeout_the_shorter_counts() {
    for (idle, expected) in [(HOUR / 2, "; Max-Age=1800"), (2 * HOUR, "; Max-Age=3600")] {
        let Stage { app, .. } = stage(|b| b.idle_timeout(idle).cookie_for(an_hour_if_embedded));
        let answer = visit(&app, "/embed/visit", &[]).await;
        assert!(answer.set_cookie().ends_with(expected), "{expected}");
    }
}

#[tokio::test]
async fn a_secure_cookie_over_plain_http_is_doubted_once() {
    let plain = [("host", "a.example")];
    visit(&stage(|b| b.cookie_for(by_host)).app, "/visit", &plain).await;
    let Stage { app, .. } = stage(|b| b.cookie_for(by_host));
    // What was said once before is known to tracing when the log comes.
    let (log, guard) = Log::listen();
    for host in ["localhost", "a.example", "a.example"] {
        visit(&app, "/visit", &[("host", host)]).await;
    }
    drop(guard);
    assert_eq!(log.warnings().len(), 1);
}

#[test]
fn a_refused_cookie_is_500() {
    let error = SessionError::Cookie(ConfigError::ExpiresByRequest);
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
