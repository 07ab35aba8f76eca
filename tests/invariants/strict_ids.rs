//! Strict ids: no id that this application did not draw, or that has ended, becomes the key of a
//! record.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use fastrand::Rng;
use http::StatusCode;
use sessile::{MemoryStore, Secret, Session, SessionHandle, SessionStore};

use super::world::{CookieChange, World, field, key_of, request};
use crate::support::visitor::ask;

const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Session)]
struct Visits {
    count: u64,
}

fn routes() -> Router {
    Router::new()
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 1),
        )
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
}

/// Where a planted token comes from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// Made up whole, in the form of a token.
    Forged,
    /// An id of a session that lives, with a made-up tag.
    WrongTag,
    /// A living session's own, with one character changed.
    Damaged,
    /// Signed by another secret: another application's.
    Foreign,
    /// Signed by ours for a session that this store never had.
    Absent,
    Destroyed,
    /// The id before a rotation.
    Renewed,
    Expired,
}

const ORIGINS: [Origin; 8] = [
    Origin::Forged,
    Origin::WrongTag,
    Origin::Damaged,
    Origin::Foreign,
    Origin::Absent,
    Origin::Destroyed,
    Origin::Renewed,
    Origin::Expired,
];

struct Fixation<S> {
    world: World<S>,
    app: Router,
    /// Over stores of their own: with another secret, and with ours.
    foreign: Router,
    absent: Router,
    rng: Rng,
    expires: bool,
}

impl<S: SessionStore + Clone> Fixation<S> {
    fn new(store: S, expires: bool) -> Self {
        let world = World::new(store);
        let app = routes().layer(world.layer(world.store.clone()).build().unwrap());
        let elsewhere = World::new(std::sync::Arc::new(MemoryStore::new()));
        let foreign = elsewhere.layer_signed(elsewhere.store.clone(), Secret::generate());
        let absent = elsewhere.layer(elsewhere.store.clone());
        Self {
            foreign: routes().layer(foreign.build().unwrap()),
            absent: routes().layer(absent.build().unwrap()),
            world,
            app,
            rng: Rng::new(),
            expires,
        }
    }

    fn base64url(&mut self, length: usize) -> String {
        let character = || char::from(BASE64URL[self.rng.usize(..64)]);
        std::iter::repeat_with(character).take(length).collect()
    }

    async fn token(&mut self, origin: Origin) -> String {
        let live = begin(&self.app).await;
        let (id, _) = live.split_once('.').unwrap();
        match origin {
            Origin::Forged => format!("{}.{}", self.base64url(32), self.base64url(43)),
            Origin::WrongTag => format!("{id}.{}", self.base64url(43)),
            Origin::Damaged => {
                let place = self.rng.usize(..32);
                let other = if live.as_bytes()[place] == b'A' {
                    "B"
                } else {
                    "A"
                };
                let mut damaged = live;
                damaged.replace_range(place..=place, other);
                damaged
            }
            Origin::Foreign => begin(&self.foreign).await,
            Origin::Absent => begin(&self.absent).await,
            Origin::Destroyed => {
                ask(&self.app, request("/destroy", Some(&live))).await;
                live
            }
            Origin::Renewed => {
                ask(&self.app, request("/renew", Some(&live))).await;
                live
            }
            Origin::Expired => {
                self.world.clock.advance(Duration::from_hours(24));
                live
            }
        }
    }
}

async fn begin(app: &Router) -> String {
    match CookieChange::of(&ask(app, request("/write", None)).await) {
        CookieChange::Set(token) => token,
        other => panic!("a first write sets a cookie: {other:?}"),
    }
}

/// Plants tokens in a visitor's browser, and lets the visitor begin a session: it has an id of its
/// own, never used before, and nothing in it. `expires` says whether the store goes by the layer's
/// clock.
pub(crate) async fn no_planted_id_is_adopted(
    store: impl SessionStore + Clone,
    tokens: usize,
    expires: bool,
) {
    let mut fixation = Fixation::new(store, expires);
    for turn in 0..tokens {
        let origin = ORIGINS[turn % ORIGINS.len()];
        if matches!(origin, Origin::Expired) && !fixation.expires {
            continue;
        }
        let planted = fixation.token(origin).await;
        let dead = key_of(&planted);
        let since = fixation.world.drawn();
        let answer = ask(&fixation.app, request("/write", Some(&planted))).await;
        assert_eq!(answer.status, StatusCode::OK, "{origin:?}");
        let CookieChange::Set(token) = CookieChange::of(&answer) else {
            panic!("{origin:?}: a visitor whose cookie opens nothing gets a new one");
        };
        let key = key_of(&token);
        assert_ne!(key, dead, "{origin:?}: the planted id was adopted");
        let drawn = fixation.world.keys_since(since);
        assert_eq!(
            drawn,
            [key],
            "{origin:?}: the new id was drawn for this visitor"
        );
        // A made-up tag leaves the session of the id alone; else there is none.
        let stands = fixation.world.find(&dead).await;
        assert_eq!(
            stands.is_some(),
            matches!(origin, Origin::WrongTag),
            "{origin:?}"
        );
        let own = fixation.world.find(&key).await.unwrap();
        for record in stands.into_iter().chain([own]).map(|stored| stored.record) {
            assert_eq!(field::<u64>(&record, "visits", "count"), 1, "{origin:?}");
        }
    }
    eprintln!("{tokens} planted tokens, 0 adopted");
}
