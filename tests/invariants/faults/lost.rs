//! A write that the server has done and whose answer was lost: it is recognised by its revision when it
//! is read back, and never blindly repeated.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::Path;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{
    Record, Session, SessionError, SessionHandle, SessionId, SessionLayer, SessionStore,
    StoreError, StoreKey, Stored, Swap, Timestamp, merge,
};

use super::Site;
use crate::invariants::world::{CookieChange, random_bytes, request, secret};
use crate::servers::proxy::{Fault, Proxy};
use crate::support::visitor::ask;

/// The server has done it, and nobody hears so.
const LOST: Fault = Fault::CutReply(0);

/// What the request contains that stores a record.
const RECORD: &[u8] = br#""rev":"#;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

/// Each operation of a store: its answer is lost, its effect is there, and to ask again changes nothing.
pub(crate) async fn an_operation_whose_answer_was_lost_is_done_once<T: Site>(site: T) {
    let (store, proxy) = site.place();
    let (direct, now) = (site.direct(), Timestamp::from(SystemTime::now()));
    warm(&direct).await;
    let load = async |key| direct.load(key, now).await.unwrap();
    let lose = |key| proxy.set_for_next_with(&site.names(key), LOST);
    let (one, other, first, second, third) =
        (fresh_key(), fresh_key(), session(), session(), session());
    let expected = first.record.revision;

    lose(one);
    is_lost(&proxy, &store.insert(one, first.clone(), now).await);
    assert_eq!(load(one).await, Some(first.clone()));
    assert!(!store.insert(one, first.clone(), now).await.unwrap());

    lose(one);
    is_lost(
        &proxy,
        &store.replace(one, expected, second.clone(), now).await,
    );
    let again = store.replace(one, expected, second.clone(), now).await;
    assert_eq!(again.unwrap(), Swap::Conflict(second.clone()));

    lose(one);
    let expected = second.record.revision;
    let rotated = store.rotate(one, expected, other, third.clone(), now);
    is_lost(&proxy, &rotated.await);
    assert_eq!(load(one).await, None);
    assert_eq!(load(other).await, Some(third.clone()));
    let again = store.replace(one, expected, second, now).await;
    assert_eq!(again.unwrap(), Swap::Gone);

    lose(other);
    is_lost(&proxy, &store.remove(other, now).await);
    assert_eq!(load(other).await, None);
    assert!(!store.remove(other, now).await.unwrap());
    let again = store
        .replace(other, third.record.revision, first, now)
        .await;
    assert_eq!(again.unwrap(), Swap::Gone);
}

/// A `save` whose answer is lost, and a request that goes on: it is stored once.
pub(crate) async fn a_request_goes_on_after_an_answer_was_lost<T: Site>(site: T) {
    async fn unheard(
        mut visits: Session<Visits>,
        Path((renews, afterwards)): Path<(bool, String)>,
        Extension(proxy): Extension<Arc<Proxy>>,
    ) -> Result<(), SessionError> {
        visits.count += 1;
        if renews {
            Session::handle(&visits).renew();
        }
        proxy.set_for_next_with(RECORD, LOST);
        let saved = Session::save(&mut visits).await;
        assert!(matches!(saved, Err(SessionError::Store(_))), "{saved:?}");
        assert!(proxy.has_struck());
        match afterwards.as_str() {
            "save" => Session::save(&mut visits).await,
            "reload" => Session::reload(&mut visits).await,
            "update" => Session::update(&mut visits, |visits| visits.count += 10).await,
            _ => Ok(()),
        }
    }

    let (store, proxy) = site.place();
    let direct = app(site.direct(), Router::new());
    warm(&site.direct()).await;
    let unheard = Router::new().route("/unheard/{renews}/{afterwards}", get(unheard));
    let app = app(store, unheard.layer(Extension(proxy)));
    for renews in [false, true] {
        for (afterwards, added) in [("nothing", 1), ("save", 1), ("reload", 1), ("update", 11)] {
            let path = format!("/unheard/{renews}/{afterwards}");
            for before in [0, 1] {
                let token = if before == 1 {
                    written(&direct, "/write", None).await
                } else {
                    None
                };
                let newest = written(&app, &path, token.as_deref()).await.or(token);
                let read = ask(&direct, request("/read", newest.as_deref())).await;
                assert_eq!(read.body, (before + added).to_string(), "{path}");
            }
        }
    }
}

/// The answer to the commit is lost: the request is refused, and the next one finds what it stored.
pub(crate) async fn the_next_request_finds_what_was_lost<T: Site>(site: T) {
    let (store, proxy) = site.place();
    let direct = app(site.direct(), Router::new());
    warm(&site.direct()).await;
    let heard = app(store.clone(), Router::new());
    let lose = Arc::clone(&proxy);
    let lose = map_response(move |response: Response| {
        lose.set_for_next(LOST);
        async { response }
    });
    let unheard = routes().layer(lose).layer(layer(store));
    for (path, expected, after_a_write) in [("/write", "2", "3"), ("/logout", "0", "0")] {
        let token = written(&direct, "/write", None).await;
        // So that no statement has to be prepared first.
        let another = written(&direct, "/write", None).await;
        written(&heard, path, another.as_deref()).await;
        let answer = ask(&unheard, request(path, token.as_deref())).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert!(proxy.has_struck());
        let read = ask(&heard, request("/read", token.as_deref())).await;
        assert_eq!(
            (read.status, &*read.body),
            (StatusCode::OK, expected),
            "{path}"
        );
        written(&heard, "/write", token.as_deref()).await;
        let read = ask(&direct, request("/read", token.as_deref())).await;
        assert_eq!(read.body, after_a_write, "{path}, and a write");
    }
}

/// Does each operation a few times, so that each server has the scripts of each.
async fn warm(store: &impl SessionStore) {
    let now = Timestamp::from(SystemTime::now());
    for _ in 0..40 {
        let (one, other, first, second) = (fresh_key(), fresh_key(), session(), session());
        let (before, after) = (first.record.revision, second.record.revision);
        assert!(store.insert(one, first, now).await.unwrap());
        let swap = store.replace(one, before, second.clone(), now).await;
        assert_eq!(swap.unwrap(), Swap::Done);
        let swap = store.rotate(one, after, other, second, now).await;
        assert_eq!(swap.unwrap(), Swap::Done);
        assert!(store.remove(other, now).await.unwrap());
    }
}

fn routes() -> Router {
    Router::new()
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 1),
        )
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
}

fn app(store: impl SessionStore, more: Router) -> Router {
    routes().merge(more).layer(layer(store))
}

fn layer(store: impl SessionStore) -> SessionLayer {
    SessionLayer::builder(store, secret()).build().unwrap()
}

/// Asks, and answers the token that the visitor has then, if it is a new one.
async fn written(app: &Router, path: &str, token: Option<&str>) -> Option<String> {
    let answer = ask(app, request(path, token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    match CookieChange::of(&answer) {
        CookieChange::Set(token) => Some(token),
        CookieChange::Untouched | CookieChange::Removed => None,
    }
}

fn is_lost<V: std::fmt::Debug>(proxy: &Proxy, answer: &Result<V, StoreError>) {
    assert!(proxy.has_struck());
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
}

fn fresh_key() -> StoreKey {
    SessionId::from_bytes(random_bytes()).key()
}

fn session() -> Stored {
    let revision = fastrand::u64(..1 << 53);
    let json = format!(r#"{{"v":1,"rev":{revision},"created":0,"data":{{}}}}"#);
    Stored {
        record: Record::from_json(json.as_bytes()).unwrap(),
        expires: Timestamp::from(SystemTime::now()).plus(Duration::from_hours(1)),
    }
}
