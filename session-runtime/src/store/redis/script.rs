//! The scripts that decide on the server, and what they answer; knows no connection.

use std::sync::LazyLock;

use ::redis::{Cmd, Value};

use super::super::{StoreError, Swap};
use super::text;

/// A script and the hash under which a server keeps it.
pub(super) struct Script {
    code: String,
    hash: String,
}

pub(super) static LOAD: LazyLock<Script> = LazyLock::new(|| Script::of(include_str!("load.lua")));
pub(super) static INSERT: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("insert.lua")));
pub(super) static REPLACE: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("replace.lua")));
pub(super) static ROTATE: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("rotate.lua")));
pub(super) static LEAVE: LazyLock<Script> = LazyLock::new(|| Script::of(include_str!("leave.lua")));
pub(super) static SETTLE: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("settle.lua")));
pub(super) static TOUCH: LazyLock<Script> = LazyLock::new(|| Script::of(include_str!("touch.lua")));
pub(super) static REMOVE: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("remove.lua")));
pub(super) static LIST: LazyLock<Script> = LazyLock::new(|| Script::of(include_str!("list.lua")));
pub(super) static UNLIST: LazyLock<Script> =
    LazyLock::new(|| Script::of(include_str!("unlist.lua")));
pub(super) static MARK: LazyLock<Script> = LazyLock::new(|| Script::of(include_str!("mark.lua")));

pub(super) static EXPRESS_LOAD: LazyLock<Script> =
    LazyLock::new(|| Script::beside_express(include_str!("express/load.lua")));
pub(super) static EXPRESS_REPLACE: LazyLock<Script> =
    LazyLock::new(|| Script::beside_express(include_str!("express/replace.lua")));
pub(super) static EXPRESS_ROTATE: LazyLock<Script> =
    LazyLock::new(|| Script::beside_express(include_str!("express/rotate.lua")));
pub(super) static EXPRESS_TOUCH: LazyLock<Script> =
    LazyLock::new(|| Script::beside_express(include_str!("express/touch.lua")));

impl Script {
    fn of(body: &str) -> Self {
        Self::after(include_str!("stands.lua"), body)
    }

    fn beside_express(body: &str) -> Self {
        Self::after(include_str!("express/stands.lua"), body)
    }

    fn after(common: &str, body: &str) -> Self {
        let code = format!("{common}\n{body}");
        let hash = ::redis::Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }

    pub(super) fn by_hash(&self, keys: &[String], args: &[&str]) -> Cmd {
        command("EVALSHA", &self.hash, keys, args)
    }

    /// For a server that does not have the script yet, and keeps it from then on.
    pub(super) fn in_full(&self, keys: &[String], args: &[&str]) -> Cmd {
        command("EVAL", &self.code, keys, args)
    }
}

fn command(name: &str, script: &str, keys: &[String], args: &[&str]) -> Cmd {
    let mut command = ::redis::cmd(name);
    command.arg(script).arg(keys.len()).arg(keys).arg(args);
    command
}

/// A script's answer: a word, and a value that goes with it.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is done. With it, until when the session was listed and who its owners were, or the mark.
    Done(Vec<u8>),
    /// A live session stands there.
    Live,
    /// No live session stands there.
    Gone,
    /// Another revision stands there.
    Conflict(Vec<u8>),
    /// The key that a session is to move to is not free.
    Taken,
    /// These owners' indexes have to list the session first.
    Unlisted(Vec<u8>),
    /// A session stands there that waits for the rotation from this key.
    Pending(String),
    /// No `RedisStore` wrote the content of the key.
    Foreign,
}

impl Reply {
    pub(super) fn read(value: Value) -> Result<Self, StoreError> {
        let Value::Array(parts) = value else {
            return Err(text::foreign());
        };
        let mut parts = parts.into_iter().map(bytes);
        let word = parts.next().unwrap_or_default();
        let rest = parts.next().unwrap_or_default();
        Ok(match word.as_slice() {
            b"done" => Self::Done(rest),
            b"live" => Self::Live,
            b"gone" => Self::Gone,
            b"conflict" => Self::Conflict(rest),
            b"taken" => Self::Taken,
            b"unlisted" => Self::Unlisted(rest),
            b"pending" => Self::Pending(String::from_utf8_lossy(&rest).into_owned()),
            _ => Self::Foreign,
        })
    }

    /// The answer of a script that inserts: `false` if the key is taken.
    pub(super) fn inserted(self) -> Result<bool, StoreError> {
        match self {
            Self::Done(_) => Ok(true),
            Self::Live | Self::Gone => Ok(false),
            _ => Err(text::foreign()),
        }
    }

    /// The answer of a script that compares and swaps.
    pub(super) fn swap(self) -> Result<Swap, StoreError> {
        match self {
            Self::Done(_) => Ok(Swap::Done),
            Self::Gone => Ok(Swap::Gone),
            Self::Conflict(stands) => Ok(Swap::Conflict(text::session(&stands)?)),
            Self::Taken => Err(StoreError::Taken),
            _ => Err(text::foreign()),
        }
    }
}

fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.into_bytes(),
        _ => Vec::new(),
    }
}
