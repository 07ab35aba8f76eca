//! Atomic under cancel: a `save` that is cut short while its handler goes on.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{
    AtMaxSessions, Session, SessionError, SessionHandle, SessionLayer, SessionLayerBuilder,
    SessionStore,
};

use super::accounts::{self, Account, Cart, visitor};
use super::pair::{Pair, add, begin, routes, values};
use super::schedule::{dropped_after, settle};
use super::size;
use super::world::{CookieChange, World, key_of, request};
use super::wrapped::{Manner, Wrapped};
use crate::support::visitor::ask;

/// What a handler does after its `save` was cut short.
const AFTERWARDS: [&str; 11] = [
    "nothing", "save", "write", "update", "renew", "clear", "reload", "insert", "read", "destroy",
    "fail",
];

/// Changes the session, begins to save it, and goes on though the `save` did not end.
async fn cut_short(
    mut pair: Session<Pair>,
    Path((renews, polls, afterwards)): Path<(bool, usize, String)>,
) -> Result<Response, SessionError> {
    let session = Session::handle(&pair);
    add(&mut pair);
    if renews {
        session.renew();
    }
    let saved = dropped_after(polls, Session::save(&mut pair)).await;
    let saved = saved.transpose()?.is_some();
    match afterwards.as_str() {
        "nothing" => {}
        "save" => Session::save(&mut pair).await?,
        "write" => add(&mut pair),
        "update" => Session::update(&mut pair, add).await?,
        "renew" => session.renew(),
        // A live view is handed over when it is dropped; what follows comes after it.
        "clear" => {
            drop(pair);
            session.clear();
        }
        "insert" => {
            drop(pair);
            session.insert(Pair { left: 7, right: 7 })?;
        }
        "reload" => {
            drop(pair);
            session.reload().await?;
        }
        "read" => {
            let left = pair.left;
            drop(pair);
            // What is stored: the save that was cut short, or what was there before it.
            let stored = session.load::<Pair>().await?.unwrap().left;
            assert!(stored == left || stored + 1 == left, "{stored} of {left}");
        }
        "destroy" => session.destroy(),
        "fail" => return Ok((StatusCode::INTERNAL_SERVER_ERROR, saved.to_string()).into_response()),
        _ => unreachable!("nothing else is done"),
    }
    Ok(saved.to_string().into_response())
}

/// What may be stored after each; 1 is what was there before, `save` had added 1 to it.
fn allowed(afterwards: &str) -> &'static [&'static [u64]] {
    match afterwards {
        "nothing" | "save" | "renew" | "read" => &[&[2]],
        "write" | "update" => &[&[3]],
        "clear" => &[&[0]],
        "insert" => &[&[7]],
        "destroy" => &[&[]],
        "reload" | "fail" => &[&[1], &[2]],
        _ => unreachable!("nothing else is done"),
    }
}

/// A `save` that is cut short at any poll, and a handler that goes on: what it answers 200 for is
/// stored exactly once, and the visitor's cookie opens the session, wherever it is by then.
pub(crate) async fn a_save_cut_short_loses_nothing_and_doubles_nothing(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let routes = routes().route("/cut/{renews}/{polls}/{afterwards}", get(cut_short));
    let app = routes.layer(world.layer(slow).build().unwrap());
    for _ in 0..size(5, 500) {
        for afterwards in AFTERWARDS {
            for renews in [false, true] {
                let mut polls = 0;
                while is_cut(&world, &app, (renews, polls, afterwards)).await {
                    polls += 1;
                }
            }
        }
    }
}

/// Asks once, and checks what comes of it; `false` if the `save` came to its end.
async fn is_cut<S: SessionStore + Clone>(
    world: &World<S>,
    app: &Router,
    (renews, polls, afterwards): (bool, usize, &str),
) -> bool {
    let (since, token) = begin(world, app).await;
    let path = format!("/cut/{renews}/{polls}/{afterwards}");
    let answer = ask(app, request(&path, Some(&token))).await;
    settle().await;
    let found = values(world, since).await;
    let status = match afterwards {
        "fail" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    assert_eq!(answer.status, status, "{path}: {found:?}");
    let as_allowed = allowed(afterwards).contains(&&found[..]);
    assert!(as_allowed, "{path}: {found:?}");
    let opens = match CookieChange::of(&answer) {
        CookieChange::Untouched => Some(token.clone()),
        CookieChange::Set(token) => Some(token),
        CookieChange::Removed => None,
    };
    let read = ask(app, request("/read", opens.as_deref())).await;
    let value = found.first().copied().unwrap_or_default();
    assert_eq!(read.body, value.to_string(), "{path}: the cookie opens it");
    if matches!(afterwards, "renew" | "clear" | "destroy") {
        assert_eq!(world.find(&key_of(&token)).await, None, "{path}");
    }
    answer.body == "false"
}

/// The next `save` is cut short as well, while it finds out what became of the first: what is answered
/// 200 is stored once, and what is answered 503 at most once.
pub(crate) async fn a_save_cut_short_twice_doubles_nothing(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    async fn cut_twice(
        mut pair: Session<Pair>,
        Path((renews, first, second)): Path<(bool, usize, usize)>,
    ) -> Result<String, SessionError> {
        add(&mut pair);
        if renews {
            Session::handle(&pair).renew();
        }
        let mut saved = false;
        for polls in [first, second] {
            let save = dropped_after(polls, Session::save(&mut pair)).await;
            saved = save.transpose()?.is_some();
        }
        Ok(saved.to_string())
    }

    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let routes = routes().route("/twice/{renews}/{first}/{second}", get(cut_twice));
    let app = routes.layer(world.layer(slow).build().unwrap());
    for first in 0..8 {
        for renews in [false, true] {
            for second in 0.. {
                let (since, token) = begin(&world, &app).await;
                let path = format!("/twice/{renews}/{first}/{second}");
                let answer = ask(&app, request(&path, Some(&token))).await;
                settle().await;
                let found = values(&world, since).await;
                match answer.status {
                    StatusCode::OK => assert_eq!(found, [2], "{path}"),
                    StatusCode::SERVICE_UNAVAILABLE => {
                        assert!(matches!(found[..], [1 | 2]), "{path}: {found:?}");
                    }
                    status => panic!("{path}: {status}"),
                }
                if answer.body == "true" {
                    break;
                }
            }
        }
    }
}

/// What is left to check when a `save` of a sign-in is cut short: that it is not revoked, and that its
/// owner has not too many sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// All that the owner has is revoked, before the handler goes on.
    Revoked,
}

/// A sign-in whose `save` is cut short at any poll is checked like any other, whoever finds out that it
/// was stored: it is revoked if that was meanwhile, it evicts, and it is refused.
pub(crate) async fn a_sign_in_cut_short_is_not_let_in_unchecked(
    store: impl SessionStore + Clone,
    manner: impl Manner,
) {
    async fn cut_sign_in(
        session: SessionHandle,
        Path((user, polls, afterwards)): Path<(u64, usize, String)>,
        Extension((jobs, meanwhile)): Extension<(SessionLayer, Meanwhile)>,
    ) -> Result<Response, SessionError> {
        session.insert(Account { user, sign_in: 2 })?;
        dropped_after(polls, session.save()).await.transpose()?;
        if meanwhile == Meanwhile::Revoked {
            jobs.sessions().revoke_all::<Account>(&user).await?;
        }
        match afterwards.as_str() {
            "nothing" => {}
            "save" => session.save().await?,
            "update" => session.update(|cart: &mut Cart| cart.items += 1).await?,
            "fail" => return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            _ => unreachable!("nothing else is done"),
        }
        Ok(().into_response())
    }

    let world = World::new(store);
    for (meanwhile, limit) in [
        (Meanwhile::Revoked, None),
        (Meanwhile::Nothing, Some(AtMaxSessions::EvictOldest)),
        (Meanwhile::Nothing, Some(AtMaxSessions::RefuseNew)),
    ] {
        let build = |layer: SessionLayerBuilder<'static>| {
            let layer = layer.clock(world.clock.ticking());
            let layer = match limit {
                Some(then) => layer.max_sessions(1).at_max_sessions(then),
                None => layer,
            };
            layer.build().unwrap()
        };
        let layer = build(world.layer(world.store.clone()));
        let app = accounts::routes().layer(layer.clone());
        let slow = build(world.layer(Wrapped(world.store.clone(), manner.clone())));
        let cut = get(cut_sign_in).layer(Extension((layer.clone(), meanwhile)));
        let slow = Router::new()
            .route("/cut/{user}/{polls}/{afterwards}", cut)
            .layer(slow);
        for (afterwards, polls) in ["nothing", "save", "update", "fail"]
            .into_iter()
            .flat_map(|afterwards| (0..size(24, 40)).map(move |polls| (afterwards, polls)))
        {
            for begins in [None, Some("/visit")] {
                let at =
                    format!("{meanwhile:?}, {limit:?}, {polls} polls, {afterwards}, {begins:?}");
                let user = fastrand::u64(..1 << 50);
                let there = visitor(&app, &format!("/sign-in/{user}/1")).await;
                let mut here = match begins {
                    Some(path) => visitor(&app, path).await,
                    None => None,
                };
                let path = format!("/cut/{user}/{polls}/{afterwards}");
                let answer = accounts::visit(&slow, &mut here, &path).await;
                settle().await;
                let listed = layer.sessions().list::<Account>(&user).await.unwrap();
                let of = |token: &Option<String>| {
                    let id = token.as_deref().map(|token| key_of(token).public());
                    listed.iter().any(|session| Some(session.id()) == id)
                };
                let (here, there) = (of(&here), of(&there));
                let told = answer.status == StatusCode::OK;
                match (meanwhile, limit) {
                    (Meanwhile::Revoked, _) => assert!(!here && !there, "{at}"),
                    // A call that goes on after a handler has failed may store what nobody can open.
                    _ if afterwards == "fail" => assert!(!(here && there), "{at}"),
                    (_, Some(AtMaxSessions::EvictOldest)) => {
                        assert_eq!((told, here, there), (true, true, false), "{at}");
                    }
                    _ => assert_eq!((told, here, there), (false, false, true), "{at}"),
                }
                let nobody = listed.len() - usize::from(here) - usize::from(there);
                assert!(nobody == 0 || afterwards == "fail", "{at}: {nobody}");
                world.clean_up().await;
            }
        }
    }
}
