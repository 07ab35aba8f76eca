//! A deploy loses nobody's session: a binary and the one after it, side by side over one store.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod golden;
#[path = "deploys/json_store.rs"]
mod json_store;
#[path = "deploys/new.rs"]
mod new;
#[path = "deploys/old.rs"]
mod old;
mod support;

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use json_store::JsonStore;
use sessile::{ID_BYTES, Secret, SessionId, SessionLayer, StoreKey};
use support::{Log, Visitor};

const ID: [u8; ID_BYTES] = [5; ID_BYTES];

/// Both binaries, and a visitor of each with one session between them.
struct Deploy {
    store: Arc<JsonStore>,
    old: Visitor,
    new: Visitor,
}

impl Deploy {
    /// A session that the old binary began.
    async fn begun_by_old() -> Self {
        let mut deploy = Self::fresh();
        deploy.old.get("/add/a").await;
        let token = deploy.old.cookie("__Host-sid").unwrap().to_owned();
        deploy.new.plant("__Host-sid", &token);
        deploy
    }

    /// A session that the new binary began.
    async fn begun_by_new() -> Self {
        let mut deploy = Self::fresh();
        deploy.new.get("/add/a").await;
        let token = deploy.new.cookie("__Host-sid").unwrap().to_owned();
        deploy.old.plant("__Host-sid", &token);
        deploy
    }

    fn fresh() -> Self {
        let store = Arc::new(JsonStore::default());
        let served = |routes: Router| {
            let secret = Secret::try_from(&[1; 32][..]).unwrap();
            let layer = SessionLayer::builder(Arc::clone(&store), secret).id_generator(|| ID);
            Visitor::new(&routes.layer(layer.build().unwrap()))
        };
        Self {
            old: served(old::routes()),
            new: served(new::routes()),
            store,
        }
    }

    fn key() -> StoreKey {
        SessionId::from_bytes(ID).key()
    }

    /// What is stored of the session, without what the layer itself keeps.
    fn data(&self) -> String {
        let json = self.store.json(&Self::key());
        let (_, data) = json.split_once(r#""data":"#).unwrap();
        data.strip_suffix('}').unwrap().to_owned()
    }
}

#[tokio::test]
async fn what_an_older_binary_does_not_know_survives_its_writes() {
    let mut deploy = Deploy::begun_by_new().await;
    for path in ["/note/gift", "/wish/boat", "/view", "/copies/9"] {
        deploy.new.get(path).await;
    }
    let before = r#"{"cart":{"items":["a"],"note":"gift","copies":9},"wishlist":{"items":["boat"]},"page_views":1}"#;
    assert_eq!(deploy.data(), before);
    deploy.old.get("/add/b").await;
    assert_eq!(deploy.data(), before.replace(r#"["a"]"#, r#"["a","b"]"#));
}

#[tokio::test]
async fn a_field_that_no_longer_decodes_costs_that_field_alone() {
    let mut deploy = Deploy::begun_by_old().await;
    deploy.old.get("/layout/4").await;
    deploy.old.get("/voucher/spring").await;
    let (log, logged) = Log::listen();
    let answer = deploy.new.get("/cart").await;
    drop(logged);
    assert_eq!(answer.status, StatusCode::OK);
    let rest = r#"a "" Layout { columns: 0, dense: false } "spring" "" 3"#;
    assert_eq!(answer.body, rest);
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("layout"),
        "it names the field: {warnings:?}"
    );
    assert!(
        !warnings[0].contains('4'),
        "it shows no value: {warnings:?}"
    );
}

#[tokio::test]
async fn a_plain_value_in_the_place_of_a_struct_is_said_once_and_shown_never() {
    let mut deploy = Deploy::begun_by_old().await;
    let begun = deploy.store.json(&Deploy::key());
    for (plain, warned) in [("[4711]", 1), ("\"4711\"", 1), ("{}", 0), ("null", 0)] {
        let stored = begun.replace(r#"{"items":["a"]}"#, plain);
        deploy.store.put(Deploy::key(), &stored);
        let (log, logged) = Log::listen();
        let answer = deploy.old.get("/cart").await;
        drop(logged);
        assert_eq!(answer.body, r#" "" 0 """#, "{plain}");
        let warnings = log.warnings();
        assert_eq!(warnings.len(), warned, "{plain}: {warnings:?}");
        for warning in warnings {
            assert!(warning.contains("cart"), "it names the struct: {warning}");
            assert!(!warning.contains("4711"), "it shows no value: {warning}");
        }
    }
}

#[tokio::test]
async fn what_does_not_decode_is_left_alone_until_the_field_is_changed() {
    let mut deploy = Deploy::begun_by_old().await;
    deploy.old.get("/layout/4").await;
    deploy.new.get("/add/b").await;
    assert_eq!(deploy.data(), r#"{"cart":{"items":["a","b"],"layout":4}}"#);
    deploy.new.get("/layout/2").await;
    let changed = r#"{"cart":{"items":["a","b"],"layout":{"columns":2,"dense":false}}}"#;
    assert_eq!(deploy.data(), changed);
    assert_eq!(deploy.old.get("/cart").await.body, r#"ab "" 0 """#);
}

#[tokio::test]
async fn a_value_is_rewritten_under_the_key_it_was_found_under() {
    let mut deploy = Deploy::begun_by_old().await;
    deploy.old.get("/voucher/spring").await;
    deploy.new.get("/voucher/summer").await;
    assert_eq!(
        deploy.data(),
        r#"{"cart":{"items":["a"],"voucher":"summer"}}"#
    );
    assert!(deploy.old.get("/cart").await.body.contains("summer"));
}

#[tokio::test]
async fn a_value_that_was_not_there_is_written_under_its_new_key() {
    let mut deploy = Deploy::begun_by_old().await;
    deploy.new.get("/voucher/summer").await;
    assert_eq!(deploy.data(), r#"{"cart":{"items":["a"],"code":"summer"}}"#);
}

#[tokio::test]
async fn a_default_is_stored_only_once_its_field_changes() {
    let mut deploy = Deploy::begun_by_old().await;
    deploy.new.get("/add/b").await;
    deploy.new.get("/copies/3").await;
    assert_eq!(deploy.data(), r#"{"cart":{"items":["a","b"]}}"#);
    deploy.new.get("/copies/4").await;
    assert_eq!(deploy.data(), r#"{"cart":{"items":["a","b"],"copies":4}}"#);
}

#[tokio::test]
async fn both_binaries_write_one_session_in_turn() {
    let mut deploy = Deploy::begun_by_old().await;
    for turn in 0..10 {
        let old = deploy.old.get(&format!("/add/o{turn}")).await;
        let new = deploy.new.get(&format!("/add/n{turn}")).await;
        assert_eq!((old.status, new.status), (StatusCode::OK, StatusCode::OK));
    }
    let body = deploy.new.get("/cart").await.body;
    assert!(
        body.starts_with("ao0n0o1n1o2n2o3n3o4n4o5n5o6n6o7n7o8n8o9n9 "),
        "{body}"
    );
}

#[tokio::test]
async fn a_record_of_a_newer_format_is_503_and_stays_as_it_is() {
    let mut deploy = Deploy::begun_by_old().await;
    let newer = r#"{"v":2,"rev":"an invention of version 2","fields":[["cart","items",["a"]]]}"#;
    for text in [
        newer,
        "",
        "{}",
        "\u{0}",
        r#"{"v":1,"rev":1}"#,
        r#"{"v":1,"rev":1,"created":0,"data":[]}"#,
    ] {
        deploy.store.put(Deploy::key(), text);
        for path in ["/cart", "/add/b", "/layout/7"] {
            let answer = deploy.old.get(path).await;
            assert_eq!(
                answer.status,
                StatusCode::SERVICE_UNAVAILABLE,
                "{path} on {text}"
            );
            assert_eq!(answer.set_cookies(), [""; 0], "{path} on {text}");
        }
        assert_eq!(deploy.store.json(&Deploy::key()), text);
    }
}
