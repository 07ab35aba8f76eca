//! Cookies that were signed here verify in Node's `cookie-signature`, and the other way round.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use fastrand::Rng;
use serde_json::{Value, json};
use sessile::{CookieOptions, ExpressSecret, ID_BYTES, Secure, Session, SessionLayer, merge};

use crate::both::World;
use crate::support::{Answer, Probe, Visitor, size};

#[derive(Session)]
#[session(flatten)]
struct Visits {
    #[session(merge = merge::Sum)]
    views: u64,
}

/// A layer whose next id is this.
fn app(secret: &str, id: Arc<Mutex<[u8; ID_BYTES]>>) -> (Router, Probe) {
    let store = Probe::new();
    let secret = ExpressSecret::new(secret).unwrap();
    let sessions = SessionLayer::beside_express(store.clone(), secret)
        .cookie(CookieOptions::new().secure(Secure::Never))
        .id_generator(move || *id.lock().unwrap())
        .build()
        .unwrap();
    let routes = Router::new()
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.views += 1),
        )
        .route(
            "/read",
            get(async |visits: Visits| visits.views.to_string()),
        );
    (routes.layer(sessions), store)
}

/// As Express makes them, and we do.
fn new_id(random: &mut Rng) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letters: Vec<char> = ALPHABET.chars().collect();
    (0..32).map(|_| *random.choice(&letters).unwrap()).collect()
}

fn new_secret(random: &mut Rng) -> String {
    const LETTERS: [char; 10] = ['a', ' ', '.', '%', '"', 'ü', '日', '👩', '\u{0}', '\u{7f}'];
    let longest = *random.choice(&[1, 20, 200]).unwrap();
    let length = random.usize(1..=longest);
    (0..length)
        .map(|_| *random.choice(&LETTERS).unwrap())
        .collect()
}

fn value_of(answer: &Answer) -> String {
    let set = answer.set_cookie();
    let (pair, _) = set.split_once(';').unwrap();
    pair.strip_prefix("connect.sid=").unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn node_signs_the_vectors() {
    let vectors = [
        (
            "apple",
            "s%3Aapple.D8Y%2BpkTAmeR0PobOhY4G97PRW%2Bj7bUnP%2F5m6%2FOn1MCU",
        ),
        ("%", "s%3A%25.kzQ6x52kKVdF35Qh62AWk4ZekS28K5XYCXKa%2FOTZ01g"),
        (
            "/foo",
            "s%3A%2Ffoo.paEKBtAHbV5s1IB8B2zPnzAgYmmnRPIqObW4VRYj%2FMQ",
        ),
    ];
    let world = World::start();
    let ids = vectors.map(|(id, _)| json!({ "id": id, "secret": "keyboard cat" }));
    let signed = world.ask("/sign", &Value::from_iter(ids)).await;
    assert_eq!(signed, Value::from_iter(vectors.map(|(_, value)| value)));
    // No id of ours looks like these, so nobody asks the store for one.
    let (app, store) = app("keyboard cat", Arc::default());
    for (_, value) in vectors {
        let mut visitor = Visitor::new(&app);
        visitor.plant("connect.sid", value);
        assert_eq!(visitor.get("/read").await.body, "0");
        assert_eq!(store.calls(), [""; 0], "{value}");
    }
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn what_is_signed_here_verifies_in_node() {
    let seed = fastrand::u64(..);
    let mut random = Rng::with_seed(seed);
    let (mut signed, mut ids) = (Vec::new(), Vec::new());
    // Each secret signs ten, as a layer with a store is made for each.
    for _ in 0..size(1_000, 10_000) {
        let (secret, next) = (new_secret(&mut random), Arc::default());
        let (app, _) = app(&secret, Arc::clone(&next));
        for _ in 0..10 {
            *next.lock().unwrap() = std::array::from_fn(|_| random.u8(..));
            let value = value_of(&Visitor::new(&app).get("/write").await);
            let (id, _) = value.strip_prefix("s%3A").unwrap().split_once('.').unwrap();
            ids.push(Value::from(id));
            signed.push(json!({ "value": value, "secret": secret }));
        }
    }
    assert!(signed.len() >= 10_000);
    let world = World::start();
    let verified = world.ask("/unsign", &signed.into()).await;
    assert_eq!(verified, Value::from(ids), "{seed}");
}

#[tokio::test]
#[ignore = "needs node, npm and redis-server: ./tests/all installs and runs them"]
async fn the_store_is_asked_for_what_node_signed_and_for_nothing_else() {
    let seed = fastrand::u64(..);
    let mut random = Rng::with_seed(seed);
    let secrets = (0..size(1_000, 10_000)).map(|_| new_secret(&mut random));
    let secrets: Vec<_> = secrets.collect();
    let ids = secrets
        .iter()
        .flat_map(|secret| std::iter::repeat_n(secret, 10));
    let ids: Vec<_> = ids
        .map(|secret| json!({ "id": new_id(&mut random), "secret": secret }))
        .collect();
    let world = World::start();
    let signed = world.ask("/sign", &ids.into()).await;
    let signed: Vec<_> = signed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(signed.len() >= 10_000);
    for (secret, signed) in secrets.iter().zip(signed.chunks(10)) {
        let (app, store) = app(secret, Arc::default());
        let mut visitor = Visitor::new(&app);
        for value in signed {
            visitor.plant("connect.sid", value);
            visitor.peek("/read").await;
            assert_eq!(store.calls(), ["load"], "{value} {secret:?} {seed}");
            visitor.plant("connect.sid", &tampered(value, &mut random));
            visitor.peek("/read").await;
            assert_eq!(store.calls(), [""; 0], "{value} {secret:?} {seed}");
        }
    }
}

/// Another letter somewhere behind `s%3A`, where the letter is not one of those that stand for another.
fn tampered(value: &str, random: &mut Rng) -> String {
    let mut letters: Vec<char> = value.chars().collect();
    let plain = |at: usize| {
        letters[at].is_ascii_alphanumeric()
            && at > 3
            && letters[at - 1] != '%'
            && letters[at - 2] != '%'
    };
    let places: Vec<_> = (4..letters.len()).filter(|at| plain(*at)).collect();
    let at = *random.choice(&places).unwrap();
    letters[at] = if letters[at] == 'x' { 'y' } else { 'x' };
    letters.into_iter().collect()
}
