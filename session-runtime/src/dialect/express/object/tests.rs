use std::time::Duration;

use super::super::read::read;
use super::*;
use crate::cookie::{Connection, CookieOptions, Priority, SameSite, Secure};

const HOUR: Duration = Duration::from_hours(1);

/// As Express writes it: `2026-11-23T08:34:21.267Z`.
const EXPIRES_AT: Timestamp = Timestamp::from_millis(1_795_422_861_267);

fn object(options: &CookieOptions<'_>) -> CookieObject {
    CookieObject::new(&options.on(Connection::Https))
}

/// The defaults of Express.
fn plain() -> CookieObject {
    let options = CookieOptions::new().secure(Secure::Never);
    object(&options.same_site(SameSite::Unset))
}

/// The text without our own member, whose number is drawn.
fn text(record: &Record) -> String {
    let json = record.fields.to_json();
    let (before, rest) = json.split_once(r#","rev":"#).expect("a nonce");
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}{digits}")
}

fn new(fields: &str, idle: Option<Duration>) -> Record {
    let json = format!(r#"{{"v":1,"rev":7,"created":0,"data":{fields}}}"#);
    let mut record = Record::from_json(json.as_bytes()).unwrap();
    record.idle = idle;
    record
}

#[test]
fn a_new_session_object_is_as_express_writes_it() {
    let stamped = stamp(&new(r#"{"page_views":1}"#, None), EXPIRES_AT, &plain());
    assert_eq!(
        text(&stamped),
        r#"{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"page_views":1}"#
    );
    let minute = Some(Duration::from_mins(1));
    let options = CookieOptions::new();
    let stamped = stamp(
        &new(r#"{"page_views":1}"#, minute),
        EXPIRES_AT,
        &object(&options),
    );
    assert_eq!(
        text(&stamped),
        r#"{"cookie":{"originalMaxAge":60000,"expires":"2026-11-23T08:34:21.267Z","secure":true,"httpOnly":true,"path":"/","sameSite":"lax"},"page_views":1}"#
    );
    let options = options
        .http_only(false)
        .domain("example.com")
        .path("/app")
        .same_site(SameSite::None)
        .partitioned(true)
        .priority(Priority::High);
    let stamped = stamp(&new("{}", None), EXPIRES_AT, &object(&options));
    assert_eq!(
        text(&stamped),
        r#"{"cookie":{"originalMaxAge":null,"partitioned":true,"priority":"high","expires":null,"secure":true,"httpOnly":false,"domain":"example.com","path":"/app","sameSite":"none"}}"#
    );
}

#[test]
fn what_express_wrote_is_kept_but_for_when_it_ends() {
    let theirs = r#"{"a":"\u00e9","cookie":{"originalMaxAge":3600000,"expires":"2020-01-01T00:00:00.000Z","httpOnly":false,"path":"/x"},"empty":{},"n":{"x":[1, 2],"y":{}}}"#;
    let record = read(theirs.as_bytes()).unwrap();
    assert_eq!(record.idle, Some(HOUR));
    assert_eq!(record.fields.to_json(), theirs);
    let stamped = stamp(&record, EXPIRES_AT, &plain());
    let expected = theirs.replace("2020-01-01T00:00:00.000Z", "2026-11-23T08:34:21.267Z");
    assert_eq!(text(&stamped), expected);
}

#[test]
fn a_session_object_without_a_cookie_gets_one() {
    for bare in [r#"{"a":1}"#, r#"{"a":1,"cookie":{}}"#] {
        let stamped = stamp(&read(bare.as_bytes()).unwrap(), EXPIRES_AT, &plain());
        assert_eq!(
            text(&stamped),
            r#"{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"a":1}"#,
            "{bare}"
        );
    }
}

#[test]
fn a_session_that_is_no_longer_remembered_ends_with_the_browser() {
    let theirs =
        r#"{"cookie":{"originalMaxAge":1000,"expires":"2020-01-01T00:00:00.000Z","path":"/"}}"#;
    let mut record = read(theirs.as_bytes()).unwrap();
    record.idle = None;
    assert_eq!(
        text(&stamp(&record, EXPIRES_AT, &plain())),
        r#"{"cookie":{"originalMaxAge":null,"expires":null,"path":"/"}}"#
    );
}

#[test]
fn the_revision_is_that_of_the_text() {
    let one = stamp(&new("{}", None), EXPIRES_AT, &plain());
    let read_back = read(one.fields.to_json().as_bytes()).unwrap();
    assert_eq!(read_back, one);
    // The same content, stored once more.
    let record = Record {
        revision: Revision::from_u64(8),
        ..one.clone()
    };
    assert_ne!(stamp(&record, EXPIRES_AT, &plain()).revision, one.revision);
    // SHA-1 of "abc": a9993e36 4706816a.
    assert_eq!(revision(b"abc").as_u64(), 0x000a_9993_e364_7068);
}

#[test]
fn what_is_no_session_object_is_an_error() {
    for text in ["", "x", "1", "null", "[]", "\"a\"", "{\"a\":}", "{} x"] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(read(b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn an_odd_max_age_is_none() {
    for age in [
        "null", "false", "0", "0.9", "-1", "\"1000\"", "1e400", "{}", "1e30",
    ] {
        let json = format!(r#"{{"cookie":{{"originalMaxAge":{age}}}}}"#);
        assert_eq!(read(json.as_bytes()).unwrap().idle, None, "{age}");
    }
    let json = br#"{"cookie":{"originalMaxAge":1500.5}}"#;
    assert_eq!(
        read(json).unwrap().idle,
        Some(Duration::from_micros(1_500_500))
    );
}

#[test]
fn a_max_age_is_counted_in_whole_milliseconds_and_none_is_lost() {
    for (age, millis) in [
        ("31535999996", 31_535_999_996_u64),
        ("31536000001", 31_536_000_001),
        ("1500.5", 1500),
    ] {
        let json = format!(r#"{{"cookie":{{"originalMaxAge":{age},"expires":null}}}}"#);
        let record = read(json.as_bytes()).unwrap();
        let stamped = stamp(&record, EXPIRES_AT, &plain());
        let kept = format!(r#""originalMaxAge":{millis},"#);
        assert!(text(&stamped).contains(&kept), "{age}");
    }
}

#[test]
fn a_max_age_for_ever_is_one_after_which_javascript_still_has_a_date() {
    let forever = Some(Duration::from_millis(u64::MAX));
    let stamped = stamp(&new("{}", forever), Timestamp::MAX, &plain());
    let kept = r#"{"cookie":{"originalMaxAge":6307200000000,"expires":"9999-12-31T"#;
    assert!(text(&stamped).starts_with(kept), "{}", text(&stamped));
    let read_back = read(stamped.fields.to_json().as_bytes()).unwrap();
    assert_eq!(read_back, stamped);
}

#[test]
fn dates_are_those_of_javascript() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_001, "2000-02-29T00:00:00.001Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(date(Timestamp::from_millis(millis)), text);
    }
    assert!(date(Timestamp::MAX).starts_with("9999-12-31T"));
}
