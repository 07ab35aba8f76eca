//! Bounded: visitors who only read cost nothing, and a flood of first writes takes nobody's place.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use sessile::{Session, SessionHandle, SessionStore};

use super::world::{CookieChange, World, key_of, request};
use crate::support::visitor::ask;

#[derive(Session)]
struct Visits {
    count: u64,
}

fn routes() -> Router {
    Router::new()
        .route(
            "/read",
            get(async |visits: Session<Visits>| visits.count.to_string()),
        )
        .route(
            "/copy",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/handle",
            get(async |session: SessionHandle| session.is_new().to_string()),
        )
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 1),
        )
}

/// Reads by visitors without a session draw no id, store no record and set no cookie.
pub(crate) async fn anonymous_reads_make_no_record(store: impl SessionStore + Clone, reads: usize) {
    let world = World::new(store);
    let app = routes().layer(world.layer(world.store.clone()).build().unwrap());
    for turn in 0..reads {
        let path = ["/read", "/copy", "/handle"][turn % 3];
        let answer = ask(&app, request(path, None)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(CookieChange::of(&answer), CookieChange::Untouched);
    }
    assert_eq!(world.drawn(), 0, "an id was drawn for a reader");
    eprintln!("{reads} anonymous reads, 0 records");
}

/// A flood of first writes against a store that takes at most `cap` anonymous sessions, `kept` of
/// which are there before: those stay, and who is refused is told so and gets no cookie.
pub(crate) async fn a_flood_takes_nobodys_place(
    store: impl SessionStore + Clone,
    cap: usize,
    kept: usize,
    flood: usize,
) {
    let world = World::new(store);
    let app = routes().layer(world.layer(world.store.clone()).build().unwrap());
    let mut before = Vec::new();
    for _ in 0..kept {
        let CookieChange::Set(token) = CookieChange::of(&ask(&app, request("/write", None)).await)
        else {
            panic!("a first write sets a cookie");
        };
        before.push(token);
    }
    let mut stored = kept;
    for _ in 0..flood {
        let answer = ask(&app, request("/write", None)).await;
        match CookieChange::of(&answer) {
            CookieChange::Set(_) => {
                assert_eq!(answer.status, StatusCode::OK);
                stored += 1;
            }
            change => {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                assert_eq!(change, CookieChange::Untouched);
            }
        }
        assert!(stored <= cap, "the store took more than its cap");
    }
    assert_eq!(stored, cap, "the store refused before it was full");
    assert_eq!(world.stored_since(0).await.len(), cap);
    for token in before {
        // A full store still serves those who are in it: writes, and reads.
        let answer = ask(&app, request("/write", Some(&token))).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            world.find(&key_of(&token)).await.is_some(),
            "a live session was evicted"
        );
    }
    eprintln!("{flood} first writes, {stored} sessions of at most {cap}, 0 of {kept} evicted");
}
