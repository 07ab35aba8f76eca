//! Secrets and values that are easy to recognise, sent through every way to fail; and every public
//! type that could show one.

use std::fmt::{Debug, Display};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::COOKIE;
use http::{HeaderValue, Request, StatusCode};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sessile::{
    CookieOptions, MemoryStore, Record, SameSite, Secret, Session, SessionError, SessionHandle,
    SessionId, SessionLayer, SessionRejection, SessionStore, Slice, StoreError, Stored, Swap,
    merge,
};
use tower::ServiceExt;

use super::scan::{CANARY, scan};
use crate::support::{Log, Probe, Visitor, visitor};

const VALUE: &str = "c4nary of a field";
const SECRET: &[u8] = b"the c4nary of a secret, in 32 bytes or more";

#[derive(Session)]
struct Diary {
    text: String,
    #[session(merge = merge::Append)]
    pages: Vec<String>,
    mood: Mood,
    weather: f64,
}

/// Its errors quote the value, as those of careless types do.
#[derive(Default, PartialEq)]
struct Mood(String);

impl Serialize for Mood {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.strip_prefix("unwritable ") {
            Some(quoted) => Err(S::Error::custom(quoted)),
            None => self.0.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Mood {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.strip_prefix("unreadable ") {
            Some(quoted) => Err(D::Error::custom(quoted)),
            None => Ok(Self(text)),
        }
    }
}

#[derive(Session)]
struct Account {
    #[session(required, privilege)]
    user: String,
}

/// Stores under the name that `Diary` has too.
#[derive(Session)]
#[session(name = "diary")]
struct Impostor {
    text: String,
}

mod newer {
    #[derive(sessile::Session)]
    pub(super) struct Diary {
        pub(super) text: u64,
        pub(super) pages: u64,
        pub(super) mood: Vec<super::Mood>,
    }
}

/// What handlers share: what they have seen printed, and what is to happen beside them.
#[derive(Clone, Default)]
struct Shared {
    shown: Arc<Mutex<Vec<String>>>,
    kept: Arc<Mutex<Option<Session<Diary>>>>,
    between: Arc<Mutex<Option<(Visitor, &'static str)>>>,
}

impl Shared {
    fn show(&self, shown: &(impl Debug + ?Sized)) {
        self.shown
            .lock()
            .unwrap()
            .push(format!("{shown:?} {shown:#?}"));
    }

    fn show_error(&self, error: &(impl Debug + Display)) {
        self.show(error);
        self.shown.lock().unwrap().push(error.to_string());
    }

    async fn come_between(&self) {
        let between = self.between.lock().unwrap().take();
        if let Some((visitor, path)) = between {
            visitor.peek(path).await;
        }
    }
}

/// Does to the session what the path says; `Err` where that was refused at once.
async fn act(
    State(shared): State<Shared>,
    Path(what): Path<String>,
    session: SessionHandle,
    mut diary: Session<Diary>,
) -> Result<Response, SessionError> {
    shared.show(&session);
    shared.show(&diary);
    shared.come_between().await;
    let user = VALUE.to_owned();
    match what.as_str() {
        "read" => return Ok(diary.text.clone().into_response()),
        "write" => {
            VALUE.clone_into(&mut diary.text);
            diary.pages.push(VALUE.to_owned());
        }
        "unreadable" => diary.mood.0 = format!("unreadable {VALUE}"),
        "unwritable" => diary.mood.0 = format!("unwritable {VALUE}"),
        "unwritable-save" => {
            diary.mood.0 = format!("unwritable {VALUE}");
            Session::save(&mut diary).await?;
        }
        "nan" => (diary.text, diary.weather) = (VALUE.to_owned(), f64::NAN),
        "huge" => diary.text = VALUE.repeat(10_000),
        "insert" => session.insert(Impostor { text: user })?,
        "login" => session.insert(Account { user })?,
        "login-save" => {
            session.insert(Account { user })?;
            session.save().await?;
        }
        "fail" => {
            diary.text = format!("{VALUE}, failing");
            return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        "logout" => session.destroy(),
        "logout-and-write" => {
            VALUE.clone_into(&mut diary.text);
            session.destroy();
            session.insert(Account { user })?;
        }
        "clear" => {
            diary.text = format!("{VALUE}, cleared");
            session.clear();
        }
        "keep" => *shared.kept.lock().unwrap() = Some(diary),
        "panic" => {
            diary.text = format!("{VALUE}, panicking");
            panic!("a handler panics");
        }
        "panic-update" => {
            Session::update(&mut diary, |diary| {
                diary.text = format!("{VALUE}, panicking");
                panic!("an update panics");
            })
            .await?;
        }
        _ => unreachable!("nothing else is done"),
    }
    Ok(().into_response())
}

fn secret() -> Secret {
    Secret::try_from(SECRET).unwrap()
}

fn app(store: impl SessionStore, shared: &Shared) -> Router {
    let routes = Router::new()
        .route("/impostor", get(async |_: Session<Impostor>| ()))
        .route("/account", get(async |account: Account| account.user))
        .route("/{what}", get(act))
        .with_state(shared.clone());
    routes.layer(SessionLayer::new(store, secret()))
}

/// What a visitor is told where something went wrong is shown too.
async fn ask(shared: &Shared, visitor: &mut Visitor, path: &str) -> StatusCode {
    let answer = visitor.get(path).await;
    if !answer.status.is_success() {
        shared.show(&answer.body);
    }
    answer.status
}

/// A visitor whose session holds planted values.
async fn visitor(shared: &Shared, app: &Router) -> Visitor {
    let mut visitor = Visitor::new(app);
    assert_eq!(ask(shared, &mut visitor, "/write").await, StatusCode::OK);
    assert_eq!(visitor.get("/read").await.body, VALUE, "it is stored");
    visitor
}

fn nothing_shows(shared: &Shared, log: &Log) {
    let mut lines = log.lines();
    assert!(lines.iter().any(|line| line.contains(" sessile: ")));
    lines.append(&mut shared.shown.lock().unwrap());
    let found: Vec<_> = lines.iter().flat_map(|line| scan(line)).collect();
    assert_eq!(found, [""; 0]);
}

#[tokio::test]
async fn values_that_are_refused_show_nowhere() {
    let shared = Shared::default();
    let app = app(MemoryStore::new(), &shared);
    let (log, _listening) = Log::listen();
    for (path, status) in [
        ("/unwritable", 500),
        ("/unwritable-save", 500),
        ("/nan", 500),
        ("/huge", 500),
        ("/insert", 500),
        ("/impostor", 500),
        ("/account", 401),
        ("/fail", 500),
        ("/logout-and-write", 409),
        ("/clear", 200),
        ("/login", 200),
        ("/login-save", 200),
        ("/logout", 200),
    ] {
        let mut visitor = visitor(&shared, &app).await;
        assert_eq!(ask(&shared, &mut visitor, path).await, status, "{path}");
    }
    nothing_shows(&shared, &log);
}

#[tokio::test]
async fn values_that_no_longer_decode_show_nowhere() {
    let (shared, store) = (Shared::default(), Arc::new(MemoryStore::new()));
    let before = app(Arc::clone(&store), &shared);
    let after = get(async |diary: Session<newer::Diary>| {
        let newer::Diary { text, pages, mood } = &*diary;
        format!("{text} {pages} {}", mood.len())
    });
    let sessions = SessionLayer::new(store, secret());
    let after = Router::new().route("/", after).layer(sessions);
    let (log, _listening) = Log::listen();
    let mut visitor = visitor(&shared, &before).await;
    ask(&shared, &mut visitor, "/unreadable").await;
    ask(&shared, &mut visitor, "/read").await;
    let mut moved = Visitor::new(&after);
    moved.plant("__Host-sid", visitor.cookie("__Host-sid").unwrap());
    assert_eq!(moved.get("/").await.body, "0 0 0", "nothing decodes");
    nothing_shows(&shared, &log);
}

#[tokio::test]
async fn values_that_others_overtake_show_nowhere() {
    let shared = Shared::default();
    let app = app(MemoryStore::new(), &shared);
    let (log, _listening) = Log::listen();
    for (path, between, status) in [
        ("/write", "/unreadable", 200),
        ("/write", "/logout", 409),
        ("/login", "/login", 409),
        ("/logout", "/logout", 409),
    ] {
        let mut visitor = visitor(&shared, &app).await;
        *shared.between.lock().unwrap() = Some((visitor.clone(), between));
        assert_eq!(ask(&shared, &mut visitor, path).await, status, "{path}");
    }
    nothing_shows(&shared, &log);
}

#[tokio::test]
async fn values_that_come_too_late_show_nowhere() {
    let shared = Shared::default();
    let app = app(MemoryStore::new(), &shared);
    let (log, _listening) = Log::listen();
    let mut visitor = visitor(&shared, &app).await;
    for late in [VALUE.to_owned(), format!("unwritable {VALUE}")] {
        ask(&shared, &mut visitor, "/keep").await;
        let mut diary = shared.kept.lock().unwrap().take().unwrap();
        diary.mood.0 = late;
        shared.show(&diary);
    }
    ask(&shared, &mut visitor, "/keep").await;
    let diary = shared.kept.lock().unwrap().take().unwrap();
    let handle = Session::handle(&diary);
    let user = VALUE.to_owned();
    shared.show_error(&handle.insert(Account { user }).unwrap_err());
    handle.clear();
    nothing_shows(&shared, &log);
}

#[tokio::test(start_paused = true)]
async fn values_that_a_store_does_not_take_show_nowhere() {
    let (shared, store) = (Shared::default(), Probe::new());
    let app = app(store.clone(), &shared);
    let (log, _listening) = Log::listen();
    let full = self::app(MemoryStore::new().max_sessions(0), &shared);
    ask(&shared, &mut Visitor::new(&full), "/write").await;
    for operation in ["load", "insert", "replace", "rotate", "remove", "touch"] {
        for path in [
            "/write",
            "/clear",
            "/login",
            "/login-save",
            "/logout",
            "/read",
        ] {
            let mut visitor = visitor(&shared, &app).await;
            store.fail(&[operation, "remove_expired"]);
            ask(&shared, &mut visitor, path).await;
            ask(&shared, &mut Visitor::new(&app), path).await;
            store.fail(&[]);
        }
    }
    let mut visitor = visitor(&shared, &app).await;
    store.delay(Duration::from_secs(10));
    assert_eq!(ask(&shared, &mut visitor, "/write").await, 503);
    store.fail(&["remove_expired"]);
    tokio::time::sleep(Duration::from_mins(2)).await;
    nothing_shows(&shared, &log);
}

#[tokio::test]
async fn values_that_a_panic_drops_show_nowhere() {
    let shared = Shared::default();
    let app = app(MemoryStore::new(), &shared);
    let (log, _listening) = Log::listen();
    for path in ["/panic", "/panic-update"] {
        let visitor = visitor(&shared, &app).await;
        let panicked = tokio::spawn(async move { drop(visitor.peek(path).await) }).await;
        let panic = panicked.unwrap_err().into_panic();
        shared.show(panic.downcast_ref::<&str>().unwrap());
    }
    nothing_shows(&shared, &log);
}

#[tokio::test]
async fn tokens_and_garbage_show_nowhere() {
    let shared = Shared::default();
    let app = app(MemoryStore::new(), &shared);
    let (log, _listening) = Log::listen();
    let (first, second) = (visitor(&shared, &app).await, visitor(&shared, &app).await);
    let (one, two) = (first.cookies().unwrap(), second.cookies().unwrap());
    let (id, _) = one.split_once('.').unwrap();
    let (_, tag) = two.split_once('.').unwrap();
    let garbage = [
        HeaderValue::try_from(format!("{id}.{tag}")).unwrap(),
        HeaderValue::try_from(format!("{one}; {two}")).unwrap(),
        HeaderValue::try_from(format!("{one}x; {VALUE}; =;;")).unwrap(),
        HeaderValue::try_from(format!("__Host-sid={VALUE}; __Host-sid=\"{id}\"")).unwrap(),
        HeaderValue::from_bytes(b"__Host-sid=c4nary\xff\xfe; c4nary=\x80").unwrap(),
    ];
    for cookie in garbage {
        let request = Request::get("/read").header(COOKIE, cookie);
        let request = request
            .header("host", VALUE)
            .header("x-forwarded-proto", VALUE);
        visitor::ask(&app, request.body(Body::empty()).unwrap()).await;
    }
    nothing_shows(&shared, &log);
}

#[tokio::test]
async fn public_types_show_no_secret() {
    let shared = Shared::default();
    let id = SessionId::from_bytes(std::array::from_fn(|_| fastrand::u8(..)));
    shared.show(&(id, id.key(), id.key().public(), secret()));
    for text in [VALUE, "c4naryc4nary", &format!("{VALUE}=")] {
        shared.show_error(&Secret::from_base64(text).unwrap_err());
        shared.show_error(&Secret::try_from(text.as_bytes()).unwrap_err());
    }

    let json =
        format!(r#"{{"v":1,"rev":1,"created":1,"data":{{"a":{{"b":"{VALUE}"}},"c":"{VALUE}"}}}}"#);
    let record = Record::from_json(json.as_bytes()).unwrap();
    let expires = sessile::Timestamp::MAX;
    let stored = || Stored {
        record: record.clone(),
        expires,
    };
    let raw = record.fields.get(Slice::Named("a"), "b").unwrap();
    assert!(
        String::from_utf8_lossy(&raw).contains(CANARY),
        "it is there"
    );
    shared.show(&(&record, &record.fields, stored(), Swap::Conflict(stored())));
    shared.show(&sessile::Answer::now(Ok(stored())));
    let memory = MemoryStore::new();
    memory
        .insert(id.key(), stored(), sessile::Timestamp::from_millis(0))
        .await
        .unwrap();
    shared.show(&memory);
    for malformed in [
        json.replace(r#""v":1"#, &format!(r#""v":"{VALUE}""#)),
        json.replace(r#""rev":1"#, &format!(r#""rev":"{VALUE}""#)),
        json.replace("}}", &format!("{VALUE}}}")),
        VALUE.to_owned(),
    ] {
        let error = Record::from_json(malformed.as_bytes()).unwrap_err();
        shared.show_error(&error);
        shared.show_error(&StoreError::from(error.clone()));
        shared.show_error(&SessionError::from(StoreError::from(error.clone())));
        let rejection = SessionRejection::from(StoreError::from(error));
        shared.show_error(&rejection);
        let answer = http_body_util::BodyExt::collect(rejection.into_response().into_body());
        shared.show(&answer.await.unwrap().to_bytes());
    }

    let builder = || SessionLayer::builder(Probe::new(), secret()).previous_secrets([secret()]);
    shared.show(&builder());
    let unsecured = CookieOptions::new()
        .same_site(SameSite::None)
        .secure(sessile::Secure::Never);
    shared.show_error(&builder().name("a b").build().unwrap_err());
    shared.show_error(&builder().cookie(unsecured).build().unwrap_err());
    shared.show_error(&builder().idle_timeout(Duration::ZERO).build().unwrap_err());
    let layer = builder().build().unwrap();
    let service = tower::Layer::layer(&layer, app(MemoryStore::new(), &shared));
    shared.show(&layer);
    let request = Request::get("/write").body(Body::empty()).unwrap();
    shared.show(&service.oneshot(request).await.unwrap().status());

    let diary = Diary {
        text: VALUE.to_owned(),
        pages: vec![VALUE.to_owned()],
        mood: Mood(format!("unwritable {VALUE}")),
        weather: 0.0,
    };
    let mut writer = sessile::__private::Writer::default();
    sessile::SessionData::encode(&diary, &mut writer);
    shared.show(&writer);
    let shown = std::mem::take(&mut *shared.shown.lock().unwrap());
    let found: Vec<_> = shown.iter().flat_map(|line| scan(line)).collect();
    assert_eq!(found, [""; 0]);
}

/// The characters of an id, which the library shows nowhere.
pub(crate) fn id_of(bytes: [u8; 24]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sixes = |three: &[u8]| {
        let number = three
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(ALPHABET[number >> shift & 63]))
    };
    bytes.chunks(3).flat_map(sixes).collect()
}
