//! `SessionLayer::drained` resolves when no commit, end or sweep of the layer is under way.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use sessile::{Secret, SessionHandle, SessionLayer};
use tokio::time::{sleep, timeout};

use crate::routes::{routes, user_of};
use crate::support::{Probe, Visitor};

/// The time that each call of the store takes, by the runtime's paused clock.
const CALL: Duration = Duration::from_secs(10);

struct Site {
    store: Probe,
    layer: SessionLayer,
    app: Router,
}

/// Returns a layer over a store that has become slow, and a visitor who has a session.
async fn site() -> (Site, Visitor) {
    let store = Probe::new();
    let layer = SessionLayer::builder(store.clone(), Secret::generate())
        .store_timeout(6 * CALL)
        .build()
        .unwrap();
    let routes = routes().route("/end-and-hang", get(end_and_hang));
    let app = routes.layer(layer.clone());
    let mut visitor = Visitor::new(&app);
    visitor.get("/login/ann").await;
    store.calls();
    store.delay(CALL);
    (Site { store, layer, app }, visitor)
}

async fn end_and_hang(session: SessionHandle) {
    session.destroy();
    std::future::pending::<()>().await;
}

impl Site {
    async fn is_drained_within(&self, time: Duration) -> bool {
        timeout(time, self.layer.drained()).await.is_ok()
    }

    /// Waits until the layer calls this operation of the store.
    async fn is_asked(&self, operation: &str) {
        while !self.store.calls().contains(&operation) {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_has_nothing_under_way_is_drained() {
    let (site, _visitor) = site().await;
    // The future borrows nothing, so a task can own it.
    let drained = tokio::spawn(site.layer.drained());
    timeout(Duration::from_millis(1), drained)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_drained_when_its_commit_is_done() {
    let (site, visitor) = site().await;
    let asked = visitor.clone();
    let request = tokio::spawn(async move { asked.peek("/visit").await });
    site.is_asked("replace").await;
    assert!(!site.is_drained_within(CALL / 2).await);
    assert!(site.is_drained_within(4 * CALL).await);
    assert_eq!(request.await.unwrap().body, "1");
    site.store.delay(Duration::ZERO);
    assert_eq!(visitor.peek("/read").await.body, "1");
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_drained_when_the_commit_of_a_visitor_who_left_is_done() {
    let (site, visitor) = site().await;
    let asked = visitor.clone();
    let request = tokio::spawn(async move { asked.peek("/visit").await });
    site.is_asked("replace").await;
    request.abort();
    assert!(request.await.is_err());
    assert!(!site.is_drained_within(CALL / 2).await);
    assert!(site.is_drained_within(4 * CALL).await);
    site.store.delay(Duration::ZERO);
    assert_eq!(visitor.peek("/read").await.body, "1");
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_drained_when_the_end_is_done_whose_visitor_left() {
    let (site, visitor) = site().await;
    let token = visitor.cookie("__Host-sid").unwrap().to_owned();
    let asked = visitor.clone();
    let request = tokio::spawn(async move { asked.peek("/end-and-hang").await });
    site.is_asked("load").await;
    sleep(2 * CALL).await;
    request.abort();
    assert!(request.await.is_err());
    assert!(!site.is_drained_within(CALL / 2).await);
    assert!(site.is_drained_within(4 * CALL).await);
    site.store.delay(Duration::ZERO);
    assert_eq!(user_of(&site.app, &token).await, "nobody");
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_drained_when_the_end_is_done_that_came_after_the_response() {
    let (site, visitor) = site().await;
    let token = visitor.cookie("__Host-sid").unwrap().to_owned();
    site.store.delay(Duration::ZERO);
    let (send, mut kept) = tokio::sync::mpsc::unbounded_channel();
    let keep = get(async move |session: SessionHandle| send.send(session).unwrap());
    let app = Router::new().route("/keep", keep).layer(site.layer.clone());
    crate::routes::ask_with(&app, "/keep", &[&token]).await;
    site.store.delay(CALL);
    kept.recv().await.unwrap().destroy();
    assert!(!site.is_drained_within(CALL / 2).await);
    assert!(site.is_drained_within(4 * CALL).await);
    site.store.delay(Duration::ZERO);
    assert_eq!(user_of(&site.app, &token).await, "nobody");
}

#[tokio::test(start_paused = true)]
async fn a_layer_is_drained_when_its_sweep_is_done() {
    let (site, _visitor) = site().await;
    // The pause between two sweeps does not count.
    assert!(site.is_drained_within(Duration::from_millis(1)).await);
    site.is_asked("remove_expired").await;
    assert!(!site.is_drained_within(CALL / 2).await);
    assert!(site.is_drained_within(4 * CALL).await);
}
