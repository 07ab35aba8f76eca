//! Atomic under cancel: a request that is dropped at any poll leaves the old state or the new one,
//! never a mixture, and holds nothing.

use http::StatusCode;
use sessile::SessionStore;

use super::pair::{begin, routes, values};
use super::schedule::{dropped_after, settle};
use super::world::{World, key_of, request};
use super::wrapped::{Manner, Wrapped};
use crate::support::visitor::ask;

/// Drops a request at its first poll, at its second, and so on until it is done; every state that is
/// found must be one of its stages, and the next request must work.
pub(crate) async fn a_request_dropped_at_any_poll_leaves_the_old_state_or_the_new(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let app = routes().layer(world.layer(slow).build().unwrap());
    let kinds: [(&str, &[&[u64]]); 6] = [
        ("/write", &[&[1], &[2]]),
        ("/save-and-write", &[&[1], &[2], &[3]]),
        ("/update", &[&[1], &[2]]),
        ("/renew", &[&[1]]),
        ("/clear", &[&[1], &[0]]),
        ("/destroy", &[&[1], &[]]),
    ];
    for (path, stages) in kinds {
        for polls in 0.. {
            let (since, token) = begin(&world, &app).await;
            let done = dropped_after(polls, ask(&app, request(path, Some(&token)))).await;
            settle().await;
            let found = values(&world, since).await;
            assert!(
                stages.contains(&&found[..]),
                "{path}, {polls} polls: {found:?}"
            );
            if done.is_some() {
                assert_eq!(found, *stages[stages.len() - 1], "{path}");
            }
            let still_there = world.find(&key_of(&token)).await.is_some();
            let expected = if still_there { found[0] } else { 0 };
            let next = ask(&app, request("/read", Some(&token))).await;
            assert_eq!(next.body, expected.to_string(), "{path}, {polls} polls");
            let next = ask(&app, request("/write", Some(&token))).await;
            assert_eq!(next.status, StatusCode::OK, "{path}, {polls} polls");
            if done.is_some() {
                break;
            }
        }
    }
}

/// As above, for a visitor who came without a cookie.
pub(crate) async fn a_first_visit_dropped_at_any_poll_stores_one_session_or_none(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let app = routes().layer(world.layer(slow).build().unwrap());
    for (path, most) in [("/write", 1), ("/save-and-write", 2), ("/update", 1)] {
        for polls in 0.. {
            let since = world.drawn();
            let done = dropped_after(polls, ask(&app, request(path, None))).await;
            settle().await;
            let found = values(&world, since).await;
            assert!(found.len() <= 1, "{path}, {polls} polls: {found:?}");
            assert!(found.iter().all(|value| (1..=most).contains(value)));
            if done.is_some() {
                assert_eq!(found, [most], "{path}");
                break;
            }
        }
    }
}
