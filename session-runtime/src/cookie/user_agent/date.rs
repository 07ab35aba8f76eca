//! Reads a cookie's date as browsers do (RFC 6265bis, section 5.1.1); knows no cookie.

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Takes the first token that can be the time, the day, the month and the year, in that order.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let is_delimiter = |c: char| c.is_ascii() && c != ':' && !c.is_ascii_alphanumeric();
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if time.is_none() && clock(token).is_some() {
            time = clock(token);
        } else if day.is_none() && number(token, 1, 2).is_some() {
            day = number(token, 1, 2);
        } else if month.is_none() && month_of(token).is_some() {
            month = month_of(token);
        } else if year.is_none() {
            year = number(token, 2, 4);
        }
    }
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    let days = days_since_1970(year, month?, day?)?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + time?))
}

fn clock(token: &str) -> Option<u64> {
    let fields: Vec<u64> = token
        .split(':')
        .map(|field| number(field, 1, 2))
        .collect::<Option<_>>()?;
    match fields[..] {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => Some((hour * 60 + minute) * 60 + second),
        _ => None,
    }
}

fn number(token: &str, least: usize, most: usize) -> Option<u64> {
    let is_number = (least..=most).contains(&token.len());
    is_number.then(|| token.parse().ok())?
}

fn month_of(token: &str) -> Option<usize> {
    let token = token.to_lowercase();
    MONTHS.iter().position(|month| token.starts_with(month))
}

// No date of ours is before 1970, so a year before it is refused rather than represented.
fn days_since_1970(year: u64, month: usize, day: u64) -> Option<u64> {
    let is_leap = |year: u64| {
        let is_century = year.is_multiple_of(100);
        year.is_multiple_of(if is_century { 400 } else { 4 })
    };
    let length = |month| match month {
        1 => 28 + u64::from(is_leap(year)),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    if year < 1970 || day == 0 || day > length(month) {
        return None;
    }
    let years: u64 = (1970..year)
        .map(|year| 365 + u64::from(is_leap(year)))
        .sum();
    let months: u64 = (0..month).map(length).sum();
    Some(years + months + day - 1)
}

#[test]
fn dates_are_read_in_any_of_the_forms_of_old() {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_435_201);
    for text in [
        "Mon, 23 Nov 2026 12:00:01 GMT",
        "Monday, 23-Nov-26 12:00:01 GMT",
        "Mon Nov 23 12:00:01 2026",
    ] {
        assert_eq!(parse(text), Some(noon), "{text}");
    }
    for text in [
        "",
        "Mon, 31 Nov 2026 12:00:01 GMT",
        "23 Nov 2026",
        "23 Nov 2026 24:00:00",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(
        parse("Thu, 29 Feb 1972 00:00:00 GMT"),
        Some(SystemTime::UNIX_EPOCH + Duration::from_hours(789 * 24))
    );
}
