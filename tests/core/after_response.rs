//! A handle that is kept after the response, as in a websocket: `touch`, `load` and `update` count
//! as use of the session.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use sessile::{SessionError, SessionHandle};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message as Sent;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::routes::{Account, Visits, routes};
use crate::support::{Builder, Probe, Stage, Visitor};
use crate::wire;

const MINUTE: Duration = Duration::from_mins(1);

/// The idle timeout of every session here.
const IDLE: Duration = Duration::from_mins(10);

type Kept = Arc<Mutex<Option<SessionHandle>>>;

async fn keep(State(kept): State<Kept>, session: SessionHandle) {
    *kept.lock().unwrap() = Some(session);
}

/// Returns a visitor whose response has been sent, and the handle that its handler kept.
async fn connected(settings: impl FnOnce(Builder) -> Builder) -> (Stage, Visitor, SessionHandle) {
    let kept = Kept::default();
    let keep = Router::new()
        .route("/keep", get(keep))
        .with_state(Arc::clone(&kept));
    let stage = Stage::new(routes().merge(keep), |b| settings(b.idle_timeout(IDLE)));
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/login/ann").await;
    visitor.get("/keep").await;
    stage.store.calls();
    let handle = kept.lock().unwrap().take().unwrap();
    (stage, visitor, handle)
}

fn touches(store: &Probe) -> usize {
    let calls = store.calls();
    calls.iter().filter(|call| call.ends_with("touch")).count()
}

#[tokio::test]
async fn a_touch_keeps_the_session_alive() {
    let (stage, visitor, session) = connected(|builder| builder).await;
    for _ in 0..6 {
        stage.clock.advance(6 * MINUTE);
        session.touch().await.unwrap();
        let end = stage.clock.now() + IDLE;
        assert_eq!(session.expires_at(), Some(end));
    }
    stage.clock.advance(6 * MINUTE);
    assert_eq!(visitor.peek("/me").await.body, "ann");
}

#[tokio::test]
async fn a_load_keeps_the_session_alive() {
    let (stage, visitor, session) = connected(|builder| builder).await;
    for _ in 0..6 {
        stage.clock.advance(6 * MINUTE);
        let account = session.load::<Account>().await.unwrap();
        assert_eq!(account.unwrap().user, "ann");
    }
    stage.clock.advance(6 * MINUTE);
    assert_eq!(visitor.peek("/me").await.body, "ann");
}

#[tokio::test]
async fn an_update_keeps_the_session_alive_though_it_changes_nothing() {
    for by in [1, 0] {
        let (stage, visitor, session) = connected(|builder| builder).await;
        for _ in 0..6 {
            stage.clock.advance(6 * MINUTE);
            let updated = session.update(|visits: &mut Visits| visits.count += by);
            updated.await.unwrap();
        }
        stage.clock.advance(6 * MINUTE);
        assert_eq!(visitor.peek("/me").await.body, "ann", "{by}");
        assert_eq!(visitor.peek("/read").await.body, (6 * by).to_string());
    }
}

#[tokio::test]
async fn a_handle_that_nobody_uses_keeps_nothing_alive() {
    let (stage, visitor, session) = connected(|builder| builder).await;
    for _ in 0..11 {
        stage.clock.advance(MINUTE);
        assert!(session.id().is_some());
        session.get::<Account>().unwrap();
        assert!(session.expires_at().is_some());
    }
    assert_eq!(visitor.peek("/me").await.body, "nobody");
    let touched = session.touch().await;
    assert!(matches!(touched, Err(SessionError::Gone)), "{touched:?}");
}

#[tokio::test]
async fn a_load_moves_the_end_only_when_that_is_due() {
    let (stage, _visitor, session) = connected(|builder| builder).await;
    for (passed, expected) in [(0, 0), (2, 1), (0, 0), (2, 1)] {
        stage.clock.advance(passed * MINUTE);
        session.load::<Account>().await.unwrap();
        assert_eq!(touches(&stage.store), expected, "after {passed} minutes");
    }
}

#[tokio::test]
async fn a_touch_after_the_response_asks_the_store_at_once() {
    let (stage, _visitor, session) = connected(|builder| builder).await;
    session.touch().await.unwrap();
    assert_eq!(touches(&stage.store), 1);
}

#[tokio::test]
async fn a_touch_in_a_handler_is_noted_for_the_commit() {
    let touch = get(
        async |session: SessionHandle, Extension(store): Extension<Probe>| {
            session.touch().await.unwrap();
            assert_eq!(store.calls(), ["load"]);
        },
    );
    let touch = Router::new().route("/touch", touch);
    let Stage { app, store, .. } = Stage::new(routes().merge(touch), |builder| builder);
    let app = app.layer(Extension(store.clone()));
    let mut visitor = Visitor::new(&app);
    visitor.get("/login/ann").await;
    store.calls();
    assert_eq!(visitor.get("/touch").await.status, StatusCode::OK);
    assert_eq!(store.calls(), ["touch"]);
}

#[tokio::test]
async fn a_touch_after_the_end_is_gone() {
    for path in ["/logout", "/renew"] {
        let (stage, mut visitor, session) = connected(|builder| builder).await;
        visitor.get(path).await;
        let touched = session.touch().await;
        assert!(
            matches!(touched, Err(SessionError::Gone)),
            "{path}: {touched:?}"
        );
        stage.store.calls();
        let touched = session.touch().await;
        assert!(
            matches!(touched, Err(SessionError::Gone)),
            "{path}: {touched:?}"
        );
    }
}

#[tokio::test]
async fn a_touch_where_nothing_is_stored_is_gone() {
    let kept = Kept::default();
    let keep = Router::new().route("/keep", get(keep));
    let stage = Stage::new(keep.with_state(Arc::clone(&kept)), |builder| builder);
    Visitor::new(&stage.app).get("/keep").await;
    let session = kept.lock().unwrap().take().unwrap();
    let touched = session.touch().await;
    assert!(matches!(touched, Err(SessionError::Gone)), "{touched:?}");
}

#[tokio::test]
async fn a_touch_that_the_store_fails_is_an_error_and_the_session_is_not_gone() {
    let (stage, visitor, session) = connected(|builder| builder).await;
    stage.store.fail(&["load", "touch"]);
    let touched = session.touch().await;
    assert!(
        matches!(touched, Err(SessionError::Store(_))),
        "{touched:?}"
    );
    stage.store.fail(&[]);
    session.touch().await.unwrap();
    assert_eq!(visitor.peek("/me").await.body, "ann");
}

#[tokio::test]
async fn no_use_moves_the_end_beyond_the_absolute_timeout() {
    let (stage, visitor, session) = connected(|b| b.absolute_timeout(6 * IDLE)).await;
    for _ in 0..11 {
        stage.clock.advance(5 * MINUTE);
        session.touch().await.unwrap();
        session.load::<Account>().await.unwrap();
    }
    stage.clock.advance(5 * MINUTE);
    let touched = session.touch().await;
    assert!(matches!(touched, Err(SessionError::Gone)), "{touched:?}");
    assert_eq!(visitor.peek("/me").await.body, "nobody");
}

/// Echoes every message; `touch` also touches the session.
async fn socket(upgrade: WebSocketUpgrade, session: SessionHandle) -> Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        while let Some(Ok(Message::Text(text))) = socket.recv().await {
            if text == "touch" {
                session.touch().await.unwrap();
            }
            socket.send(Message::Text(text)).await.unwrap();
        }
    })
}

#[tokio::test]
async fn a_websocket_keeps_its_session_alive_only_by_a_touch() {
    for (says, user) in [("touch", "ann"), ("hello", "nobody")] {
        let socket = Router::new().route("/socket", get(socket));
        let stage = Stage::new(routes().merge(socket), |b| b.idle_timeout(IDLE));
        let mut visitor = Visitor::new(&stage.app);
        visitor.get("/login/ann").await;
        let address = wire::serve(stage.app.clone()).await;
        let request = format!("ws://{address}/socket").into_client_request();
        let mut request = request.unwrap();
        let cookies = visitor.cookies().unwrap().parse().unwrap();
        request.headers_mut().insert("cookie", cookies);
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut socket, _) = client_async(request, stream).await.unwrap();
        for _ in 0..6 {
            stage.clock.advance(6 * MINUTE);
            socket.send(Sent::text(says)).await.unwrap();
            socket.next().await.unwrap().unwrap();
        }
        assert_eq!(visitor.peek("/me").await.body, user, "{says}");
    }
}

#[tokio::test]
async fn a_touch_keeps_the_session_alive_though_another_request_has_written_since() {
    let (stage, mut visitor, session) = connected(|builder| builder).await;
    visitor.get("/visit").await;
    for _ in 0..3 {
        stage.clock.advance(IDLE / 2);
        session.touch().await.unwrap();
    }
    assert_eq!(visitor.get("/me").await.body, "ann");
}
