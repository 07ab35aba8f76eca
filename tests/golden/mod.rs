//! Records and cookies of every released format: each still reads, and today's are written so.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use sessile::{
    CookieOptions, ID_BYTES, Record, Secret, Session, SessionHandle, SessionId, SessionLayer,
};

use crate::json_store::JsonStore;
use crate::support::{TestClock, Visitor};

/// In base64; a secret of these tests alone.
const SECRET: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

const RECORDS: &str = include_str!("records.jsonl");
const COOKIES: &str = include_str!("cookies.txt");

#[derive(Session)]
struct Visits {
    page_views: u64,
}

#[derive(Session, Default)]
struct Profile {
    name: String,
    ratio: f64,
    nothing: Option<u8>,
    nested: Vec<(i64, bool)>,
}

/// At the top level of the record.
#[derive(Session)]
#[session(flatten)]
struct Express {
    views: u64,
}

#[derive(Session)]
struct Account {
    #[session(required, owner)]
    user: u64,
}

/// Has an owner at the top level.
#[derive(Session)]
#[session(flatten)]
struct Support {
    #[session(owner)]
    on_behalf_of: Option<String>,
}

/// What each session of the golden files was made by, line by line: only ever added to.
const PATHS: [&[&str]; 6] = [
    &["/visit"],
    &["/visit", "/profile"],
    &["/visit", "/remember"],
    &["/view", "/visit"],
    &["/visit", "/remove"],
    &["/sign-in"],
];

/// What `/dump` answers for each.
const DUMPS: [&str; 6] = [
    r#"1 0 "" 0 None []"#,
    r#"1 0 "Zoë \"\\\u{1}" 0.1 None [(-9007199254740993, true)]"#,
    r#"1 0 "" 0 None []"#,
    r#"1 1 "" 0 None []"#,
    r#"0 0 "" 0 None []"#,
    r#"0 0 "" 0 None [] 17 for Zoë"#,
];

fn routes() -> Router {
    Router::new()
        .route(
            "/visit",
            get(async |mut visits: Session<Visits>| visits.page_views += 1),
        )
        .route(
            "/view",
            get(async |mut express: Session<Express>| express.views += 1),
        )
        .route("/profile", get(set_profile))
        .route(
            "/remove",
            get(async |session: SessionHandle| drop(session.remove::<Visits>())),
        )
        .route(
            "/remember",
            get(async |session: SessionHandle| session.set_max_age(Duration::from_hours(48))),
        )
        .route("/sign-in", get(sign_in))
        .route("/dump", get(dump))
}

async fn set_profile(session: SessionHandle) {
    let profile = Profile {
        name: "Zoë \"\\\u{1}".to_owned(),
        ratio: 0.1,
        nothing: None,
        nested: vec![(-9_007_199_254_740_993, true)],
    };
    session.insert(profile).unwrap();
}

async fn sign_in(session: SessionHandle) {
    session.insert(Account { user: 17 }).unwrap();
    let on_behalf_of = Some("Zoë".to_owned());
    session.insert(Support { on_behalf_of }).unwrap();
}

async fn dump(
    visits: Visits,
    express: Express,
    profile: Profile,
    account: Option<Account>,
    support: Support,
) -> String {
    let (views, page_views) = (express.views, visits.page_views);
    let Profile {
        name,
        ratio,
        nothing,
        nested,
    } = profile;
    let signed_in = account.zip(support.on_behalf_of);
    let signed_in = signed_in.map(|(account, other)| format!(" {} for {other}", account.user));
    let signed_in = signed_in.unwrap_or_default();
    format!("{page_views} {views} {name:?} {ratio} {nothing:?} {nested:?}{signed_in}")
}

/// An application whose ids are these bytes, one after another.
fn app(store: Arc<JsonStore>, id: u8) -> Router {
    let secret = Secret::from_base64(SECRET).unwrap();
    let sessions = SessionLayer::builder(store, secret)
        .cookie(CookieOptions::new())
        .clock(TestClock::new().reader())
        .id_generator(move || [id; ID_BYTES]);
    routes().layer(sessions.build().unwrap())
}

/// Each session's number from 1, its record and its cookie.
fn golden() -> impl Iterator<Item = (u8, &'static str, &'static str)> {
    let lines = (RECORDS.lines().count(), COOKIES.lines().count());
    assert_eq!(
        lines,
        (DUMPS.len(), DUMPS.len()),
        "each session has a line in each file"
    );
    let both = RECORDS.lines().zip(COOKIES.lines());
    (1..)
        .zip(both)
        .map(|(number, (record, cookie))| (number, record, cookie))
}

#[tokio::test]
async fn every_released_record_and_cookie_still_reads() {
    for (number, record, cookie) in golden() {
        let store = Arc::new(JsonStore::default());
        store.put(SessionId::from_bytes([number; ID_BYTES]).key(), record);
        let mut visitor = Visitor::new(&app(store, 99));
        let (name, token) = cookie.split_once('=').unwrap();
        visitor.plant(name, token);
        let dump = visitor.get("/dump").await.body;
        assert_eq!(dump, DUMPS[usize::from(number) - 1], "line {number}");
    }
}

#[tokio::test]
async fn every_released_record_is_written_as_it_was_read() {
    for (number, record, _) in golden() {
        let read = Record::from_json(record.as_bytes()).unwrap();
        assert_eq!(read.to_json(), record, "line {number}");
    }
}

#[tokio::test]
async fn todays_records_and_cookies_have_the_released_form() {
    for ((number, record, cookie), paths) in golden().zip(PATHS) {
        let store = Arc::new(JsonStore::default());
        let mut visitor = Visitor::new(&app(Arc::clone(&store), number));
        for path in paths {
            visitor.get(path).await;
        }
        assert_eq!(visitor.cookies().unwrap(), cookie, "line {number}");
        let written = store.json(&SessionId::from_bytes([number; ID_BYTES]).key());
        assert_eq!(with_revision_of(&written, record), record, "line {number}");
    }
}

/// The revision is random: this puts another record's in its place.
fn with_revision_of(json: &str, other: &str) -> String {
    let revision = |json: &str| {
        Record::from_json(json.as_bytes())
            .unwrap()
            .revision
            .as_u64()
    };
    let member = |revision: u64| format!(r#""rev":{revision},"#);
    json.replacen(&member(revision(json)), &member(revision(other)), 1)
}
