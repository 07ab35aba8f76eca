//! A storm of cancelled requests over a few sessions, each of which holds a tag of its own: no
//! request ever sees another session's tag, no change is half there, and all work afterwards.

use std::pin::Pin;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use fastrand::Rng;
use http::StatusCode;
use sessile::{Session, SessionError, SessionStore, merge};

use super::schedule::{dropped_after, interleave, settle};
use super::world::{CookieChange, World, field, key_of, request};
use super::wrapped::{Manner, Wrapped};
use crate::support::visitor::ask;

const SESSIONS: usize = 4;
const AT_ONCE: usize = 8;

/// Both counters always change together.
#[derive(Session)]
struct Tagged {
    tag: String,
    #[session(merge = merge::Sum)]
    left: u64,
    #[session(merge = merge::Sum)]
    right: u64,
}

fn add(tagged: &mut Tagged) {
    tagged.left += 1;
    tagged.right += 1;
}

fn routes() -> Router {
    Router::new()
        .route("/begin/{tag}", get(begin))
        .route("/read", get(async |tagged: Tagged| tagged.tag))
        .route(
            "/write",
            get(async |mut tagged: Session<Tagged>| {
                add(&mut tagged);
                tagged.tag.clone()
            }),
        )
        .route("/save", get(save))
        .route("/update", get(update))
}

async fn begin(mut tagged: Session<Tagged>, Path(tag): Path<String>) {
    tagged.tag = tag;
}

async fn save(mut tagged: Session<Tagged>) -> Result<String, SessionError> {
    add(&mut tagged);
    Session::save(&mut tagged).await?;
    add(&mut tagged);
    Ok(tagged.tag.clone())
}

async fn update(mut tagged: Session<Tagged>) -> Result<String, SessionError> {
    Session::update(&mut tagged, |tagged| {
        add(tagged);
        tagged.tag.clone()
    })
    .await
}

/// Drops requests after a random number of polls, several at a time.
pub(crate) async fn cancelled_requests_touch_nothing_else(
    store: impl SessionStore + Clone,
    manner: impl Manner,
    cancels: usize,
) {
    let seed = fastrand::u64(..);
    let mut rng = Rng::with_seed(seed);
    let world = World::new(store);
    let slow = Wrapped(world.store.clone(), manner);
    let layer = world.layer(slow).build().unwrap();
    let app = routes().layer(layer.clone());
    let mut tokens = Vec::new();
    for tag in 0..SESSIONS {
        let answer = ask(&app, request(&format!("/begin/{tag}"), None)).await;
        let CookieChange::Set(token) = CookieChange::of(&answer) else {
            panic!("a first write sets a cookie");
        };
        tokens.push(token);
    }
    let (mut cancelled, mut completed) = (0, 0);
    while cancelled < cancels {
        let requests: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let path = ["/read", "/write", "/save", "/update"][rng.usize(..4)];
                (rng.usize(..SESSIONS), path, rng.usize(..14))
            })
            .collect();
        let mut answers = vec![None; AT_ONCE];
        let all = requests
            .iter()
            .zip(&mut answers)
            .map(|((session, path, polls), slot)| {
                let asked = ask(&app, request(path, Some(&tokens[*session])));
                let one: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(async move {
                    *slot = dropped_after(*polls, asked).await;
                });
                one
            });
        interleave(&mut rng, all).await;
        for ((session, path, _), answer) in requests.iter().zip(answers) {
            let Some(answer) = answer else {
                cancelled += 1;
                continue;
            };
            completed += 1;
            assert_eq!(answer.status, StatusCode::OK, "seed {seed}: {path}");
            assert_eq!(
                answer.body,
                session.to_string(),
                "seed {seed}: {path}, another's answer"
            );
        }
    }
    layer.drained().await;
    settle().await;
    for (tag, token) in tokens.iter().enumerate() {
        let stored = world.find(&key_of(token)).await.unwrap();
        let side = |key| field::<u64>(&stored.record, "tagged", key);
        assert_eq!(
            side("left"),
            side("right"),
            "seed {seed}: half of a change is stored"
        );
        let answer = ask(&app, request("/save", Some(token))).await;
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::OK, tag.to_string())
        );
    }
    eprintln!("{cancelled} requests cancelled, {completed} not, 0 cross-talk");
}
