//! What outlives its request: a websocket, a stream, a spawned task; and how it learns that its
//! session is gone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;
#[path = "support/wire.rs"]
mod wire;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use http::StatusCode;
use http::header::COOKIE;
use http_body_util::BodyExt;
use sessile::{
    MemoryStore, Secret, Session, SessionError, SessionHandle, SessionLayer, SessionLayerBuilder,
    SessionStore, merge,
};
use support::{Log, Probe, TestClock, Visitor, size};
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: String,
}

/// The handles of requests that are over.
type Kept = Arc<Mutex<Option<SessionHandle>>>;

struct Stage {
    store: Probe,
    clock: TestClock,
    kept: Kept,
    sessions: SessionLayer,
    app: Router,
}

fn stage() -> Stage {
    let (store, clock) = (Probe::new(), TestClock::new());
    let sessions = layer(store.clone(), &clock).build().unwrap();
    let kept = Kept::default();
    let app = routes(&kept).layer(sessions.clone());
    Stage {
        store,
        clock,
        kept,
        sessions,
        app,
    }
}

fn layer(store: impl SessionStore, clock: &TestClock) -> SessionLayerBuilder<'static> {
    let secret = Secret::try_from(&[4; 32][..]).unwrap();
    SessionLayer::builder(store, secret)
        .clock(clock.reader())
        .idle_timeout(HOUR)
}

fn routes(kept: &Kept) -> Router {
    Router::new()
        .route("/visit", get(visit))
        .route("/keep", get(keep))
        .route("/keep-and/{what}", get(keep_and))
        .route("/wait-and/{what}", get(wait_and))
        .route("/login", get(login))
        .route(
            "/short",
            get(async |session: SessionHandle| session.set_max_age(MINUTE)),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route("/events", get(events))
        .route("/socket", get(socket))
        .with_state(Arc::clone(kept))
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

async fn login(session: SessionHandle) {
    let user = "ada".to_owned();
    session.insert(Account { user }).unwrap();
}

async fn keep(State(kept): State<Kept>, session: SessionHandle) {
    *kept.lock().unwrap() = Some(session);
}

/// Keeps the handle, then does this to its session.
async fn keep_and(
    State(kept): State<Kept>,
    session: SessionHandle,
    visits: Session<Visits>,
    Path(what): Path<String>,
) -> Result<Response, SessionError> {
    *kept.lock().unwrap() = Some(session.clone());
    match what.as_str() {
        "store" => return Ok(visit(visits).await.into_response()),
        "login" => login(session).await,
        "login-twice" => {
            session.renew();
            session.save().await?;
            login(session).await;
        }
        "destroy" => session.destroy(),
        "fail" => {
            visit(visits).await;
            return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        "linger" => sleep(HOUR).await,
        _ => unreachable!("nothing else is done"),
    }
    Ok(().into_response())
}

/// Waits from within the handler, while it goes on.
async fn wait_and(
    State(kept): State<Kept>,
    session: SessionHandle,
    visits: Session<Visits>,
    what: Path<String>,
) -> Result<Response, SessionError> {
    let waiting = tokio::spawn(session.ended());
    yield_now().await;
    let answer = keep_and(State(kept), session, visits, what).await;
    assert!(!waiting.is_finished(), "nothing has been committed");
    answer
}

/// A visitor with a session, and a task that waits for its end.
async fn waiting(stage: &Stage) -> (Visitor, JoinHandle<()>) {
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let waiting = wait(&stage.kept).await;
    (visitor, waiting)
}

/// A task that waits for the end of what was kept, as a websocket would.
async fn wait(kept: &Kept) -> JoinHandle<()> {
    let session = kept.lock().unwrap().take().unwrap();
    let waiting = tokio::spawn(session.ended());
    settle().await;
    waiting
}

/// Lets all other tasks do what they can.
async fn settle() {
    for _ in 0..32 {
        yield_now().await;
    }
}

async fn has_ended(waiting: &JoinHandle<()>) -> bool {
    settle().await;
    waiting.is_finished()
}

/// How many sessions are waited for.
fn awaited(sessions: &SessionLayer) -> usize {
    let shown = format!("{sessions:?}");
    let (_, rest) = shown.split_once("awaited: ").unwrap();
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
    digits.unwrap().parse().unwrap()
}

async fn pass(clock: &TestClock, time: Duration) {
    clock.advance(time);
    sleep(time).await;
}

#[tokio::test]
async fn a_logout_by_another_request_ends_it() {
    let stage = stage();
    let (mut visitor, waiting) = waiting(&stage).await;
    visitor.get("/visit").await;
    assert!(!has_ended(&waiting).await);
    visitor.get("/logout").await;
    waiting.await.unwrap();
    assert_eq!(awaited(&stage.sessions), 0);
}

#[tokio::test]
async fn a_login_by_another_request_ends_it() {
    let stage = stage();
    let (mut visitor, waiting) = waiting(&stage).await;
    visitor.get("/login").await;
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_revocation_by_a_job_ends_it() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/login").await;
    visitor.get("/keep").await;
    let waiting = wait(&stage.kept).await;
    let (jobs, ada) = (stage.sessions.sessions(), "ada".to_owned());
    assert!(!has_ended(&waiting).await);
    assert_eq!(jobs.revoke_all::<Account>(&ada).await.unwrap(), 1);
    assert!(has_ended(&waiting).await);
}

#[tokio::test]
async fn another_visitors_logout_does_not_end_it() {
    let stage = stage();
    let (_visitor, waiting) = waiting(&stage).await;
    let mut other = Visitor::new(&stage.app);
    other.get("/visit").await;
    other.get("/logout").await;
    assert!(!has_ended(&waiting).await);
}

#[tokio::test]
async fn it_follows_its_own_request_to_another_id() {
    for what in ["login", "login-twice"] {
        for path in ["keep-and", "wait-and"] {
            let stage = stage();
            let mut visitor = Visitor::new(&stage.app);
            visitor.get("/visit").await;
            let answer = visitor.get(&format!("/{path}/{what}")).await;
            assert_eq!(answer.status, StatusCode::OK);
            let waiting = wait(&stage.kept).await;
            visitor.get("/visit").await;
            assert!(!has_ended(&waiting).await, "{path} {what}");
            visitor.get("/logout").await;
            waiting.await.unwrap();
            settle().await;
            assert_eq!(awaited(&stage.sessions), 0);
        }
    }
}

#[tokio::test]
async fn a_session_that_is_stored_by_its_commit_is_waited_for() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/wait-and/store").await;
    let waiting = wait(&stage.kept).await;
    visitor.get("/visit").await;
    assert!(!has_ended(&waiting).await);
    visitor.get("/logout").await;
    waiting.await.unwrap();
}

#[tokio::test]
async fn where_nothing_is_stored_there_is_nothing_to_wait_for() {
    let stage = stage();
    for path in ["/keep", "/keep-and/fail", "/wait-and/fail"] {
        Visitor::new(&stage.app).get(path).await;
        wait(&stage.kept).await.await.unwrap();
    }
    assert_eq!(awaited(&stage.sessions), 0);
}

#[tokio::test(start_paused = true)]
async fn where_a_visitor_went_away_there_is_nothing_to_wait_for() {
    let stage = stage();
    let visitor = Visitor::new(&stage.app);
    let cut = timeout(MINUTE, visitor.peek("/keep-and/linger")).await;
    assert!(cut.is_err());
    wait(&stage.kept).await.await.unwrap();
}

#[tokio::test]
async fn its_own_destroy_ends_it_once_it_is_carried_out() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/wait-and/destroy").await;
    wait(&stage.kept).await.await.unwrap();
    assert!(stage.store.memory().is_empty());
}

#[tokio::test(start_paused = true)]
async fn its_destroy_after_the_response_ends_it_once_it_is_carried_out() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let session = stage.kept.lock().unwrap().clone().unwrap();
    let before = tokio::spawn(session.ended());
    settle().await;
    stage.store.delay(Duration::from_secs(1));
    session.destroy();
    sleep(Duration::from_millis(500)).await;
    let during = tokio::spawn(session.ended());
    assert!(!has_ended(&before).await && !has_ended(&during).await);
    assert!(!stage.store.memory().is_empty());
    before.await.unwrap();
    during.await.unwrap();
    assert!(stage.store.memory().is_empty());
}

#[tokio::test]
async fn what_ended_before_it_waited_is_found_out() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    visitor.get("/logout").await;
    wait(&stage.kept).await.await.unwrap();
    assert_eq!(awaited(&stage.sessions), 0);
}

#[tokio::test]
async fn a_request_that_finds_the_session_gone_ends_it() {
    let stage = stage();
    let elsewhere = layer(stage.store.clone(), &stage.clock).build().unwrap();
    let elsewhere = routes(&Kept::default()).layer(elsewhere);
    for found_by in ["/visit", "/keep"] {
        let (mut visitor, waiting) = waiting(&stage).await;
        let mut there = Visitor::new(&elsewhere);
        there.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
        there.get("/logout").await;
        assert!(!has_ended(&waiting).await, "another server has ended it");
        visitor.get(found_by).await;
        waiting.await.unwrap();
    }
}

#[tokio::test]
async fn a_load_by_the_handle_finds_out_what_another_server_has_ended() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let session = stage.kept.lock().unwrap().clone().unwrap();
    let waiting = wait(&stage.kept).await;
    let elsewhere = layer(stage.store.clone(), &stage.clock).build().unwrap();
    let mut there = Visitor::new(&routes(&Kept::default()).layer(elsewhere));
    there.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    there.get("/logout").await;
    assert!(!has_ended(&waiting).await);
    let found = session.load::<Visits>().await;
    assert!(matches!(found, Err(SessionError::Gone)));
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_time_and_asks_the_store_once() {
    let stage = stage();
    let (_visitor, waiting) = waiting(&stage).await;
    stage.store.calls();
    pass(&stage.clock, 59 * MINUTE).await;
    assert!(!has_ended(&waiting).await);
    pass(&stage.clock, MINUTE).await;
    waiting.await.unwrap();
    let mut calls = stage.store.calls();
    calls.retain(|call| *call != "remove_expired");
    assert_eq!(calls, ["load"]);
    assert_eq!(awaited(&stage.sessions), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_touched_elsewhere_meanwhile_goes_on() {
    let stage = stage();
    let elsewhere = layer(stage.store.clone(), &stage.clock).build().unwrap();
    let mut there = Visitor::new(&routes(&Kept::default()).layer(elsewhere));
    let (visitor, waiting) = waiting(&stage).await;
    there.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    pass(&stage.clock, 50 * MINUTE).await;
    there.get("/visit").await;
    pass(&stage.clock, 59 * MINUTE).await;
    assert!(!has_ended(&waiting).await);
    pass(&stage.clock, MINUTE).await;
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_time_was_shortened_ends_with_it() {
    let stage = stage();
    let (mut visitor, waiting) = waiting(&stage).await;
    visitor.get("/short").await;
    assert!(!has_ended(&waiting).await);
    pass(&stage.clock, MINUTE).await;
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_an_end() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    stage.store.fail(&["load"]);
    let waiting = wait(&stage.kept).await;
    pass(&stage.clock, 2 * HOUR).await;
    assert!(!has_ended(&waiting).await);
    stage.store.fail(&[]);
    pass(&stage.clock, MINUTE).await;
    waiting.await.unwrap();
}

#[tokio::test]
async fn any_number_may_wait_and_who_goes_leaves_nothing() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let session = stage.kept.lock().unwrap().clone().unwrap();
    let mut waiting: Vec<_> = (0..100).map(|_| tokio::spawn(session.ended())).collect();
    settle().await;
    assert_eq!(awaited(&stage.sessions), 1, "one session is waited for");
    for gone in waiting.drain(..98) {
        gone.abort();
        gone.await.unwrap_err();
    }
    assert_eq!(awaited(&stage.sessions), 1);
    visitor.get("/logout").await;
    for waiting in waiting {
        waiting.await.unwrap();
    }
    assert_eq!(awaited(&stage.sessions), 0);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let session = stage.kept.lock().unwrap().clone().unwrap();
    let unpolled = session.ended();
    assert_eq!(awaited(&stage.sessions), 0, "it begins with its first poll");
    drop(unpolled);
    let cut = timeout(Duration::ZERO, session.ended()).await;
    assert!(cut.is_err());
    assert_eq!(awaited(&stage.sessions), 0);
}

/// A task that waits beside what it does is not waited for by what it does.
#[tokio::test(start_paused = true)]
async fn what_waits_and_is_not_polled_holds_up_nothing() {
    let stage = stage();
    let mut visitor = Visitor::new(&stage.app);
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let session = stage.kept.lock().unwrap().clone().unwrap();
    stage.store.delay(Duration::from_millis(1));
    let mut ended = std::pin::pin!(session.ended());
    for _ in 0..20 {
        let beside = session.clone();
        let writing = tokio::spawn(async move {
            beside
                .update(|visits: &mut Visits| visits.page_views += 1)
                .await
        });
        assert!(
            timeout(Duration::from_micros(300), &mut ended)
                .await
                .is_err()
        );
        let updated = session.update(|visits: &mut Visits| visits.page_views += 1);
        updated.await.unwrap();
        writing.await.unwrap().unwrap();
    }
    assert_eq!(visitor.get("/visit").await.body, "42");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_end_is_missed_whoever_comes_first() {
    let kept = Kept::default();
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let app = routes(&kept).layer(sessions.clone());
    let mut waiting = JoinSet::new();
    for round in 0..size(1000, 100_000) {
        let mut visitor = Visitor::new(&app);
        visitor.get("/visit").await;
        visitor.get("/keep").await;
        let session = kept.lock().unwrap().take().unwrap();
        let logout = if round % 2 == 0 { "/logout" } else { "/login" };
        waiting.spawn(session.ended());
        waiting.spawn(async move { drop(visitor.get(logout).await) });
    }
    let all = async { while waiting.join_next().await.transpose().unwrap().is_some() {} };
    timeout(MINUTE, all).await.expect("an end was missed");
    assert_eq!(awaited(&sessions), 0);
}

/// Says what the session holds, whenever it changes, until it ends.
async fn events(session: SessionHandle) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(session, async |session| {
        let updated = session.update(|visits: &mut Visits| {
            visits.page_views += 1;
            visits.page_views
        });
        let event = Event::default().data(updated.await.ok()?.to_string());
        Some((Ok(event), session))
    }))
}

#[tokio::test]
async fn a_stream_of_events_goes_on_with_the_session_and_ends_with_it() {
    let app = stage().app;
    let mut visitor = Visitor::new(&app);
    visitor.get("/visit").await;
    let request = http::Request::get("/events").header(COOKIE, visitor.cookies().unwrap());
    let request = request.body(Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(app.clone(), request)
        .await
        .unwrap();
    let mut body = answer.into_body();
    let mut next = async || {
        let frame = body.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    };
    assert_eq!(next().await.unwrap(), "data: 2\n\n");
    assert_eq!(visitor.get("/visit").await.body, "3");
    assert_eq!(next().await.unwrap(), "data: 4\n\n");
    visitor.get("/logout").await;
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn a_live_view_that_a_task_takes_along_is_lost_and_said() {
    let take_along = get(async |mut visits: Session<Visits>| {
        tokio::spawn(async move {
            yield_now().await;
            visits.page_views += 1;
        });
    });
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let routes = Router::new()
        .route("/visit", get(visit))
        .route("/take-along", take_along);
    let mut visitor = Visitor::new(&routes.layer(sessions));
    visitor.get("/visit").await;
    let (log, _listening) = Log::listen();
    visitor.get("/take-along").await;
    settle().await;
    let errors = log.warnings();
    assert!(
        matches!(&errors[..], [error] if error.starts_with("ERROR ") && error.contains("ended::Visits")),
        "{errors:?}"
    );
    assert_eq!(visitor.get("/visit").await.body, "2");
}

async fn socket(upgrade: WebSocketUpgrade, session: SessionHandle) -> Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let hello = session.load::<Visits>().await.unwrap().unwrap().page_views;
        let hello = Message::text(hello.to_string());
        socket.send(hello).await.unwrap();
        session.ended().await;
        let late = session
            .update(|visits: &mut Visits| visits.page_views += 1)
            .await;
        assert!(matches!(late, Err(SessionError::Gone)));
        socket.send(Message::Close(None)).await.unwrap();
    })
}

#[tokio::test]
async fn a_websocket_closes_when_another_connection_logs_out() {
    let sessions = SessionLayer::new(MemoryStore::new(), Secret::generate());
    let address = wire::serve(routes(&Kept::default()).layer(sessions.clone())).await;
    let visit = wire::ask(address, "GET /visit", &[], "").await;
    let cookie = visit.header("set-cookie").next().unwrap();
    let cookie = cookie.split_once(';').unwrap().0;

    let mut request = format!("ws://{address}/socket")
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert(COOKIE, cookie.parse().unwrap());
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert_eq!(hello.to_text().unwrap(), "1");
    while awaited(&sessions) == 0 {
        yield_now().await;
    }
    let early = timeout(Duration::from_millis(50), socket.next()).await;
    assert!(early.is_err(), "it stays open while the session lives");

    wire::ask(address, "GET /logout", &[&format!("cookie: {cookie}")], "").await;
    let close = timeout(Duration::from_secs(5), socket.next())
        .await
        .unwrap();
    assert!(close.unwrap().unwrap().is_close());
    while awaited(&sessions) != 0 {
        yield_now().await;
    }
}
