//! Atomic under cancel: a request that is dropped at any poll leaves the old state or the new one,
//! never a mixture, and holds nothing.

use http::StatusCode;
use sessile::{OwnedSession, SessionLayerBuilder, SessionStore};

use super::accounts::{self, Account, visitor};
use super::pair::{begin, routes, values};
use super::schedule::{dropped_after, settle};
use super::world::{World, field, key_of, request};
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
    let layer = world.layer(slow).build().unwrap();
    let app = routes().layer(layer.clone());
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
            // A commit that has begun outlives its request.
            layer.drained().await;
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
    let layer = world.layer(slow).build().unwrap();
    let app = routes().layer(layer.clone());
    for (path, most) in [("/write", 1), ("/save-and-write", 2), ("/update", 1)] {
        for polls in 0.. {
            let since = world.drawn();
            let done = dropped_after(polls, ask(&app, request(path, None))).await;
            layer.drained().await;
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

/// Sign-ins, rotations and revocations that are dropped at any poll: a session is somebody's or it is
/// not, the index says so, the visitor's own session is never lost to another's list, and whoever
/// comes next is served.
pub(crate) async fn a_sign_in_or_a_revocation_dropped_at_any_poll_leaves_nothing_half_done(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let ticking = |layer: SessionLayerBuilder<'static>| {
        let layer = layer.clock(world.clock.ticking()).build().unwrap();
        (layer.clone(), accounts::routes().layer(layer))
    };
    let (slow_layer, slow) = ticking(world.layer(Wrapped(world.store.clone(), manner)));
    let (layer, app) = ticking(world.layer(world.store.clone()));
    let kinds = [
        ("/sign-in/{user}/2", None),
        ("/sign-in/{user}/2", Some("/visit")),
        ("/sign-in/{user}/2", Some("/sign-in/{user}/1")),
        ("/renew", Some("/sign-in/{user}/1")),
        ("/promote", Some("/sign-in/{user}/1")),
        ("/others", Some("/sign-in/{user}/1")),
        ("/all/{user}", Some("/sign-in/{user}/1")),
        ("/all/{user}", None),
        ("/reset/{user}/2", None),
    ];
    for (path, begins) in kinds {
        for polls in 0.. {
            let (user, since) = (fastrand::u64(..1 << 50), world.drawn());
            let at = format!("{path} from {begins:?}, {polls} polls");
            let of = |path: &str| path.replace("{user}", &user.to_string());
            let mut there = visitor(&app, &of("/sign-in/{user}/0")).await;
            let mut here = match begins {
                Some(begins) => visitor(&app, &of(begins)).await,
                None => None,
            };
            let asked = ask(&slow, request(&of(path), here.as_deref()));
            let done = dropped_after(polls, asked).await;
            slow_layer.drained().await;
            settle().await;

            // Whose each session is says its account, and the index says the same.
            let mut owned = Vec::new();
            for (key, stored) in world.stored_since(since).await {
                let is_theirs = field::<u64>(&stored.record, "account", "user") == user;
                assert_eq!(is_theirs, !stored.record.owners.is_empty(), "{at}");
                owned.extend(is_theirs.then(|| key.public()));
            }
            let jobs = layer.sessions();
            let listed = jobs.list::<Account>(&user).await.unwrap();
            let mut listed: Vec<_> = listed.iter().map(OwnedSession::id).collect();
            owned.sort();
            listed.sort();
            assert_eq!(owned, listed, "{at}");
            assert!(listed.len() <= 2, "{at}: one there, and one here");
            if path == "/others" {
                let here = key_of(here.as_deref().unwrap());
                assert!(world.find(&here).await.is_some(), "{at}");
            }

            // Everybody is served, and told if they were revoked; to revoke again ends what is left.
            for jar in [&mut here, &mut there] {
                for path in ["/visit", "/renew", "/others"] {
                    let answer = accounts::visit(&app, jar, path).await;
                    assert!(!answer.status.is_server_error(), "{at}: {}", answer.status);
                }
            }
            jobs.revoke_all::<Account>(&user).await.unwrap();
            assert_eq!(jobs.list::<Account>(&user).await.unwrap().len(), 0, "{at}");
            let mut late = visitor(&app, &of("/sign-in/{user}/3")).await;
            let answer = accounts::visit(&app, &mut late, "/renew").await;
            assert_eq!(answer.status, StatusCode::OK, "{at}");
            world.clean_up().await;
            if done.is_some() {
                break;
            }
        }
    }
}
