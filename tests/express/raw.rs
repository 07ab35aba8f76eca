//! What lies in Redis, byte for byte, without either app.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A connection to Redis.
pub(crate) struct Raw(BufReader<TcpStream>);

/// A stored session.
pub(crate) struct Entry {
    pub(crate) text: String,
    /// Absent where it never ends.
    pub(crate) ttl: Option<Duration>,
}

impl Raw {
    pub(crate) fn connect(port: u16) -> Self {
        Self(BufReader::new(
            TcpStream::connect(("127.0.0.1", port)).unwrap(),
        ))
    }

    /// What Redis answers to a command that has a text, a number or nothing for an answer.
    pub(crate) fn ask(&mut self, command: &[&str]) -> Option<String> {
        // In one piece, for which nobody waits.
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for word in command {
            write!(bytes, "${}\r\n{word}\r\n", word.len()).unwrap();
        }
        self.0.get_mut().write_all(&bytes).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let (kind, rest) = line.trim_end().split_at(1);
        match (kind, rest) {
            ("$", "-1") => None,
            ("$", length) => {
                let mut text = vec![0; length.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut text).unwrap();
                text.truncate(text.len() - 2);
                Some(String::from_utf8(text).unwrap())
            }
            (":" | "+", rest) => Some(rest.to_owned()),
            _ => panic!("{line}"),
        }
    }

    pub(crate) fn entry(&mut self, key: &str) -> Option<Entry> {
        let text = self.ask(&["GET", key])?;
        let ttl: i64 = self.ask(&["PTTL", key]).unwrap().parse().unwrap();
        Some(Entry {
            text,
            ttl: u64::try_from(ttl).ok().map(Duration::from_millis),
        })
    }

    /// How many sessions there are.
    pub(crate) fn count(&mut self) -> u64 {
        self.ask(&["DBSIZE"]).unwrap().parse().unwrap()
    }
}

impl Entry {
    /// The members of the record, as they are written.
    pub(crate) fn members(&self) -> BTreeMap<String, Box<RawValue>> {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The record but for its `cookie`.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let mut fields: Map<_, _> = serde_json::from_str(&self.text).unwrap();
        fields.remove("cookie").expect("a record has a cookie");
        fields
    }

    /// Its `cookie`, without what only we put there.
    pub(crate) fn cookie(&self) -> Map<String, Value> {
        let record: Value = serde_json::from_str(&self.text).unwrap();
        let mut cookie = record["cookie"].as_object().unwrap().clone();
        cookie.remove("rev");
        cookie
    }

    /// For how long it lives from now, in seconds, as Redis rounds them.
    pub(crate) fn seconds(&self) -> u64 {
        let ttl = self.ttl.expect("it ends");
        ttl.as_millis().div_ceil(1000).try_into().unwrap()
    }
}
