//! What the log says of a session's life: each event, over HTTP, word for word.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::get;
use http::{Request, StatusCode};
use sessile::{
    Answer, MemoryStore, OwnerKey, Revision, Secret, Session, SessionHandle, SessionLayer,
    SessionLayerBuilder, SessionStore, StoreKey, Stored, Swap, Timestamp, merge,
};
use support::visitor::ask;
use support::{Log, Probe, TestClock, Visitor};

const HOUR: Duration = Duration::from_hours(1);

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    page_views: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, privilege)]
    user: String,
}

#[derive(Session)]
struct Scale {
    ratio: f64,
}

/// What outlives its request.
#[derive(Clone, Default)]
struct Kept {
    visits: Arc<Mutex<Option<Session<Visits>>>>,
    scale: Arc<Mutex<Option<Session<Scale>>>>,
    handle: Arc<Mutex<Option<SessionHandle>>>,
    /// The visitor in another tab, who comes in between, and where to.
    between: Arc<Mutex<Option<(Visitor, &'static str)>>>,
}

struct Stage {
    store: Probe,
    clock: TestClock,
    kept: Kept,
    app: Router,
}

fn stage() -> Stage {
    let (store, clock, kept) = (Probe::new(), TestClock::new(), Kept::default());
    let sessions = layer(store.clone(), &clock).build().unwrap();
    let app = routes(kept.clone()).layer(sessions);
    Stage {
        store,
        clock,
        kept,
        app,
    }
}

fn layer(store: impl SessionStore, clock: &TestClock) -> SessionLayerBuilder<'static> {
    SessionLayer::builder(store, secret()).clock(clock.reader())
}

fn secret() -> Secret {
    Secret::try_from(&[3; 32][..]).unwrap()
}

fn routes(kept: Kept) -> Router {
    Router::new()
        .route("/visit", get(visit))
        .route("/id", get(id))
        .route("/read", get(async |_: Visits| "read"))
        .route("/overtaken-visit", get(overtaken_visit))
        .route("/overtaken-touch", get(overtaken_touch))
        .route("/overtaken-logout", get(overtaken_logout))
        .route("/login", get(login))
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route("/login-in-doubt", get(login_in_doubt))
        .route("/me", get(async |account: Account| account.user))
        .route("/taken-out", get(taken_out))
        .route("/destroyed-before", get(destroyed_before))
        .route("/keep", get(keep))
        .with_state(kept)
}

async fn visit(mut visits: Session<Visits>) -> String {
    visits.page_views += 1;
    visits.page_views.to_string()
}

async fn id(session: SessionHandle) -> String {
    session.id().map(|id| id.to_string()).unwrap_or_default()
}

async fn login(session: SessionHandle) {
    let user = "ada".to_owned();
    session.insert(Account { user }).unwrap();
}

async fn overtaken_visit(visits: Session<Visits>, State(kept): State<Kept>) {
    kept.come_between().await;
    visit(visits).await;
}

async fn overtaken_touch(session: SessionHandle, State(kept): State<Kept>) {
    kept.come_between().await;
    session.touch().await.unwrap();
}

async fn overtaken_logout(session: SessionHandle, State(kept): State<Kept>) {
    kept.come_between().await;
    session.destroy();
}

/// The store, which fails to rotate, is asked again by the commit.
async fn login_in_doubt(session: SessionHandle) -> StatusCode {
    login(session.clone()).await;
    session.save().await.unwrap_err();
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn taken_out(mut visits: Session<Visits>, session: SessionHandle) {
    visits.page_views += 1;
    session.clear();
}

async fn destroyed_before(mut visits: Session<Visits>, session: SessionHandle) {
    visits.page_views += 1;
    session.destroy();
}

async fn keep(
    State(kept): State<Kept>,
    visits: Session<Visits>,
    scale: Session<Scale>,
    session: SessionHandle,
) {
    *kept.visits.lock().unwrap() = Some(visits);
    *kept.scale.lock().unwrap() = Some(scale);
    *kept.handle.lock().unwrap() = Some(session);
}

impl Kept {
    async fn come_between(&self) {
        let (visitor, path) = self.between.lock().unwrap().take().unwrap();
        visitor.peek(path).await;
    }
}

/// A visitor with a session, and its public handle.
async fn visitor(app: &Router) -> (Visitor, String) {
    let mut visitor = Visitor::new(app);
    visitor.get("/visit").await;
    let id = visitor.get("/id").await.body;
    (visitor, id)
}

#[tokio::test]
async fn a_life_can_be_followed_from_one_handle_to_the_next() {
    let app = stage().app;
    // The first cookie of a layer that goes out over http is spoken of.
    visitor(&app).await;
    let mut visitor = Visitor::new(&app);
    let (log, _listening) = Log::listen();
    visitor.get("/visit").await;
    let first = visitor.get("/id").await.body;
    visitor.get("/login").await;
    let second = visitor.get("/id").await.body;
    visitor.get("/logout").await;
    let life = [
        format!("INFO sessile: a session was created session={first}"),
        format!("INFO sessile: a session has a new id session={second} old={first}"),
        format!("INFO sessile: a session was destroyed session={second}"),
    ];
    assert_eq!(log.events(), life);
}

#[tokio::test]
async fn reading_and_changing_a_session_says_nothing() {
    let app = stage().app;
    let (mut visitor, _) = visitor(&app).await;
    let (log, _listening) = Log::listen();
    visitor.get("/read").await;
    visitor.get("/visit").await;
    assert_eq!(log.events(), [""; 0]);
}

#[tokio::test]
async fn a_cookie_that_opens_nothing_is_said() {
    let Stage { app, clock, .. } = stage();
    let (mut old, first) = visitor(&app).await;
    let (mut idle, second) = visitor(&app).await;
    old.clone().get("/logout").await;
    clock.advance(24 * HOUR);
    let (log, _listening) = Log::listen();
    old.get("/read").await;
    idle.get("/read").await;
    let expected = [first, second].map(|id| {
        format!(
            "INFO sessile: a genuine token opens no session: it has expired, was destroyed, or has \
             a new id session={id}"
        )
    });
    assert_eq!(log.events(), expected);
}

#[tokio::test]
async fn a_session_that_todays_timeouts_end_is_said() {
    let Stage {
        store,
        app,
        clock,
        kept,
    } = stage();
    let (mut visitor, id) = visitor(&app).await;
    let shorter = layer(store, &clock)
        .idle_timeout(HOUR)
        .absolute_timeout(HOUR);
    let after = routes(kept).layer(shorter.build().unwrap());
    let token = visitor.cookie("__Host-sid").unwrap().to_owned();
    visitor = Visitor::new(&after);
    visitor.plant("__Host-sid", &token);
    clock.advance(2 * HOUR);
    let (log, _listening) = Log::listen();
    visitor.get("/read").await;
    let expected = format!(
        "INFO sessile: a session has expired by the timeouts of today, sooner than by those it was \
         stored with session={id}"
    );
    assert_eq!(log.events(), [expected]);
}

#[tokio::test]
async fn a_forged_cookie_is_a_warning() {
    let app = stage().app;
    let (mut visitor, other) = (visitor(&app).await.0, visitor(&app).await.0);
    let (id, _) = visitor
        .cookie("__Host-sid")
        .unwrap()
        .split_once('.')
        .unwrap();
    let (_, tag) = other.cookie("__Host-sid").unwrap().split_once('.').unwrap();
    let forged = format!("{id}.{tag}");
    visitor.plant("__Host-sid", &forged);
    let (log, _listening) = Log::listen();
    visitor.get("/read").await;
    let expected = ["WARN sessile: a session token carries a tag that no secret made"];
    assert_eq!(log.events(), expected);
}

#[tokio::test]
async fn two_valid_cookies_are_a_warning() {
    let app = stage().app;
    let (first, _) = visitor(&app).await;
    let (second, _) = visitor(&app).await;
    let both = format!(
        "{}; {}",
        first.cookies().unwrap(),
        second.cookies().unwrap()
    );
    let request = Request::get("/read").header("cookie", both);
    let (log, _listening) = Log::listen();
    ask(&app, request.body(Body::empty()).unwrap()).await;
    let expected = [
        "WARN sessile: a request carries tokens of two different live sessions: neither counts \
         until the visitor signs in or out",
    ];
    assert_eq!(log.events(), expected);
}

#[tokio::test]
async fn a_request_that_finds_its_session_gone_says_so() {
    for (path, status, before) in [
        (
            "/overtaken-visit",
            StatusCode::CONFLICT,
            "its changes were stored",
        ),
        ("/overtaken-touch", StatusCode::OK, "it was touched"),
        (
            "/overtaken-logout",
            StatusCode::CONFLICT,
            "it was destroyed",
        ),
    ] {
        let Stage { app, kept, .. } = stage();
        let (mut visitor, id) = visitor(&app).await;
        *kept.between.lock().unwrap() = Some((visitor.clone(), "/logout"));
        let (log, listening) = Log::listen();
        assert_eq!(visitor.get(path).await.status, status, "{path}");
        drop(listening);
        let expected = [
            format!("INFO sessile: a session was destroyed session={id}"),
            format!("INFO sessile: a session had ended before {before} session={id}"),
        ];
        assert_eq!(log.events(), expected);
    }
}

#[tokio::test]
async fn a_lost_compare_and_swap_is_said_to_who_debugs() {
    let Stage { app, kept, .. } = stage();
    let (mut visitor, id) = visitor(&app).await;
    *kept.between.lock().unwrap() = Some((visitor.clone(), "/visit"));
    let (log, _listening) = Log::listen();
    visitor.get("/overtaken-visit").await;
    let expected = format!(
        "DEBUG sessile: another request has changed the session since: merging, and trying again \
         session={id}"
    );
    assert_eq!(log.events(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_others_keep_out_is_a_warning() {
    let (clock, kept) = (TestClock::new(), Kept::default());
    let store = Crowded::default();
    let sessions = layer(store.clone(), &clock).build().unwrap();
    let (mut visitor, id) = visitor(&routes(kept).layer(sessions)).await;
    let (log, _listening) = Log::listen();
    let answer = visitor.get("/visit").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let expected = [
        format!(
            "WARN sessile: a session was not stored: others kept changing it session={id} attempts=64"
        ),
        format!(
            "ERROR sessile: a session was not stored session={id} error=too many requests change \
             the session at once"
        ),
    ];
    assert_eq!(log.warnings(), expected);
}

#[tokio::test]
async fn an_outage_is_an_error_with_its_cause() {
    let Stage { store, app, .. } = stage();
    let (mut visitor, id) = visitor(&app).await;
    let (log, _listening) = Log::listen();
    let cause = "error=the session store is unavailable: the test lets this fail";
    store.fail(&["load"]);
    visitor.get("/visit").await;
    let expected = format!("ERROR sessile: a handler got no session {cause}");
    assert_eq!(log.events(), [expected]);
    store.fail(&["replace"]);
    visitor.get("/visit").await;
    let expected = format!("ERROR sessile: a session was not stored session={id} {cause}");
    assert_eq!(log.events(), [expected]);
}

#[tokio::test]
async fn a_logout_that_failed_after_the_response_is_an_error() {
    let Stage {
        store, app, kept, ..
    } = stage();
    let (mut visitor, id) = visitor(&app).await;
    visitor.get("/keep").await;
    store.fail(&["remove"]);
    let handle = kept.handle.lock().unwrap().take().unwrap();
    let (log, _listening) = Log::listen();
    handle.destroy();
    let mut events = log.events();
    while events.is_empty() {
        tokio::task::yield_now().await;
        events = log.events();
    }
    let expected = format!(
        "ERROR sessile: a session could not be destroyed after its response was sent session={id} \
         error=the session store is unavailable: the test lets this fail"
    );
    assert_eq!(events, [expected]);
}

#[tokio::test]
async fn a_logout_without_a_runtime_is_an_error() {
    let Stage { app, kept, .. } = stage();
    let (mut visitor, id) = visitor(&app).await;
    visitor.get("/keep").await;
    let handle = kept.handle.lock().unwrap().take().unwrap();
    let elsewhere = std::thread::spawn(move || {
        let (log, _listening) = Log::listen();
        handle.destroy();
        log.events()
    });
    let expected = format!(
        "ERROR sessile: a session is not destroyed: its response was sent, and no runtime is here \
         session={id}"
    );
    assert_eq!(elsewhere.join().unwrap(), [expected]);
}

#[tokio::test]
async fn a_sign_in_that_nobody_can_tell_the_end_of_is_a_warning() {
    let Stage { store, app, .. } = stage();
    let (mut visitor, id) = visitor(&app).await;
    let (log, _listening) = Log::listen();
    store.fail(&["rotate", "replace"]);
    visitor.get("/login-in-doubt").await;
    let expected = format!(
        "WARN sessile: nobody can tell whether a session has a new id session={id} \
         error=the session store is unavailable: the test lets this fail"
    );
    assert_eq!(log.warnings(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_failed_is_a_warning() {
    let Stage { store, app, .. } = stage();
    store.fail(&["remove_expired"]);
    let (log, _listening) = Log::listen();
    Visitor::new(&app).get("/read").await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    let expected = "WARN sessile: expired sessions could not be swept: trying again in a minute \
                    error=the session store is unavailable: the test lets this fail";
    assert_eq!(log.events(), [expected]);
}

#[tokio::test]
async fn what_is_done_after_the_response_is_an_error_that_names_it() {
    let Stage { app, kept, .. } = stage();
    let (mut visitor, id) = visitor(&app).await;
    visitor.get("/keep").await;
    let (log, _listening) = Log::listen();
    let lost = "ERROR sessile: a session was changed after its response was sent, the change is lost: \
                use `SessionHandle::update`";

    let mut visits = kept.visits.lock().unwrap().take().unwrap();
    visits.page_views += 1;
    drop(visits);
    assert_eq!(
        log.events(),
        [format!("{lost} session={id} data=events::Visits")]
    );

    let mut scale = kept.scale.lock().unwrap().take().unwrap();
    scale.ratio = f64::NAN;
    drop(scale);
    assert_eq!(
        log.events(),
        [format!("{lost} session={id} data=events::Scale")]
    );

    kept.handle.lock().unwrap().take().unwrap().renew();
    let expected = format!(
        "ERROR sessile: a session's response has been sent: this has no effect any more session={id} \
         method=renew"
    );
    assert_eq!(log.events(), [expected]);
}

/// As a subscriber does that names the session in each line.
#[test]
fn who_listens_may_ask_the_session() {
    let (done, is_done) = mpsc::channel();
    let served = thread::spawn(move || {
        let kept = Kept::default();
        let subscriber = Asking(Arc::clone(&kept.handle));
        let _listening = tracing::subscriber::set_default(subscriber);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(while_somebody_listens(kept));
        // None is there where this has panicked.
        done.send(()).ok();
    });
    let patience = Duration::from_mins(1);
    let answer = is_done.recv_timeout(patience);
    assert_ne!(
        answer,
        Err(RecvTimeoutError::Timeout),
        "it waits for itself"
    );
    served.join().unwrap();
}

/// Does what is logged, each while the handle of the same request is kept.
async fn while_somebody_listens(kept: Kept) {
    let clock = TestClock::new();
    let layers = layer(MemoryStore::new(), &clock).build().unwrap();
    let keep_handle =
        async |State(kept): State<Kept>, session: SessionHandle, request, next: Next| {
            *kept.handle.lock().unwrap() = Some(session);
            next.run(request).await
        };
    let app = routes(kept.clone())
        .layer(from_fn_with_state(kept.clone(), keep_handle))
        .layer(layers);
    let mut visitor = Visitor::new(&app);
    // No `Host`: that its cookie will be dropped is said with the first one.
    visitor.get("/visit").await;
    visitor.get("/login").await;
    for (path, meanwhile) in [
        ("/overtaken-visit", "/visit"),
        ("/overtaken-visit", "/logout"),
        ("/overtaken-touch", "/logout"),
        ("/overtaken-logout", "/logout"),
    ] {
        visitor.get("/visit").await;
        *kept.between.lock().unwrap() = Some((visitor.clone(), meanwhile));
        visitor.get(path).await;
    }
    visitor.get("/visit").await;
    visitor.get("/taken-out").await;
    visitor.get("/destroyed-before").await;
    visitor.get("/visit").await;
    visitor.get("/keep").await;
    let mut late = kept.visits.lock().unwrap().take().unwrap();
    late.page_views += 1;
    drop(late);
    let mut spoilt = kept.scale.lock().unwrap().take().unwrap();
    spoilt.ratio = f64::NAN;
    drop(spoilt);
    let handle = kept.handle.lock().unwrap().clone().unwrap();
    handle.renew();
}

/// Asks for the public handle with each event.
struct Asking(Arc<Mutex<Option<SessionHandle>>>);

impl tracing::Subscriber for Asking {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "sessile"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        let handle = self.0.lock().unwrap().clone();
        let _ = handle.map(|handle| handle.id());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn changes_that_cannot_take_place_are_said() {
    let app = stage().app;
    let (mut visitor, id) = visitor(&app).await;
    let (log, _listening) = Log::listen();
    visitor.get("/taken-out").await;
    let expected = format!(
        "WARN sessile: a change is dropped: what it changed was taken out of the session, or replaced \
         session={id} data=events::Visits"
    );
    assert_eq!(log.events()[0], expected);
    let id = visitor.get("/id").await.body;
    visitor.get("/destroyed-before").await;
    let expected = [
        format!(
            "DEBUG sessile: a change of a session is dropped session={id} data=events::Visits \
             error=the session has ended"
        ),
        format!("INFO sessile: a session was destroyed session={id}"),
    ];
    assert_eq!(log.events(), expected);
}

#[tokio::test]
async fn what_a_session_lacks_is_said_to_who_debugs() {
    let app = stage().app;
    let (log, _listening) = Log::listen();
    let answer = Visitor::new(&app).get("/me").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let expected = [
        "DEBUG sessile: a session does not hold this: `SessionHandle::insert` puts it in \
                     data=events::Account",
    ];
    assert_eq!(log.events(), expected);
}

/// Where another request is always faster.
#[derive(Clone, Default)]
struct Crowded(Arc<MemoryStore>);

impl SessionStore for Crowded {
    fn load(&self, key: StoreKey, now: Timestamp) -> Answer<'_, Option<Stored>> {
        self.0.load(key, now)
    }

    fn insert(&self, key: StoreKey, new: Stored, now: Timestamp) -> Answer<'_, bool> {
        self.0.insert(key, new, now)
    }

    fn replace(&self, _: StoreKey, _: Revision, new: Stored, _: Timestamp) -> Answer<'_, Swap> {
        // As somebody else has written it.
        let mut theirs = new;
        theirs.record.revision = Revision::from_u64(theirs.record.revision.as_u64() ^ 1);
        Answer::now(Ok(Swap::Conflict(theirs)))
    }

    fn rotate(
        &self,
        from: StoreKey,
        expected: Revision,
        to: StoreKey,
        new: Stored,
        now: Timestamp,
    ) -> Answer<'_, Swap> {
        self.0.rotate(from, expected, to, new, now)
    }

    fn touch(
        &self,
        key: StoreKey,
        expected: Revision,
        expires: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.0.touch(key, expected, expires, now)
    }

    fn remove(&self, key: StoreKey, now: Timestamp) -> Answer<'_, bool> {
        self.0.remove(key, now)
    }

    fn remove_expired(&self, now: Timestamp, limit: usize) -> Answer<'_, usize> {
        self.0.remove_expired(now, limit)
    }

    fn owned_by(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Vec<(StoreKey, Stored)>> {
        self.0.owned_by(owner, now)
    }

    fn mark(
        &self,
        owner: OwnerKey,
        at: Timestamp,
        until: Timestamp,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Answer<'_, Option<Timestamp>> {
        self.0.mark(owner, at, until, since, now)
    }

    fn marked(&self, owner: OwnerKey, now: Timestamp) -> Answer<'_, Option<Timestamp>> {
        self.0.marked(owner, now)
    }
}

#[derive(Session)]
struct Member {
    #[session(required, owner)]
    user: u64,
}

#[tokio::test]
async fn what_an_owner_ends_is_said_by_its_handle() {
    let clock = TestClock::new();
    let layer = SessionLayer::builder(MemoryStore::new(), Secret::generate())
        .max_sessions(1)
        .clock(clock.reader())
        .build()
        .unwrap();
    let login = get(async |session: SessionHandle| session.insert(Member { user: 1 }));
    let app = Router::new().route("/login", login).layer(layer.clone());
    let newest = async || layer.sessions().list::<Member>(&1).await.unwrap()[0].id();

    Visitor::new(&app).get("/login").await;
    let first = newest().await;
    clock.advance(Duration::from_millis(1));
    let (log, _guard) = Log::listen();
    Visitor::new(&app).get("/login").await;
    let second = newest().await;
    let said = log.events().join("\n");
    let evicted = "INFO sessile: a session was evicted: its owner has too many";
    assert!(said.contains(evicted), "{said}");
    assert!(said.contains(&first.to_string()), "{said}");

    layer.sessions().revoke_all::<Member>(&1).await.unwrap();
    let said = log.events().join("\n");
    assert!(
        said.contains("INFO sessile: a session was revoked"),
        "{said}"
    );
    assert!(said.contains(&second.to_string()), "{said}");
}
