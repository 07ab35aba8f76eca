//! The structs that the explored requests use: a list, a word and an account.

use crate::data::{
    self, Baseline, Change, Column, Field, HasDefault, Reader, SessionData, Writer, json,
};
use crate::record::{Fields, Slice};

/// Numbers that are appended, and their sum. Each write appends a number of its own.
pub(super) struct Tally {
    pub(super) list: Vec<u8>,
    pub(super) sum: u32,
}

/// Text of which the last writer wins.
pub(super) struct Note {
    pub(super) word: u8,
}

/// The owner of the session.
pub(super) struct Account {
    pub(super) user: u8,
}

static LIST: Column<Vec<u8>> = Column {
    keys: &["list"],
    default: Some(HasDefault::value),
    json: json(),
    merge: Some(|base, mine, theirs| {
        let mut merged = theirs;
        merged.extend_from_slice(&mine[base.len()..]);
        merged
    }),
    privilege: false,
    owner: false,
};

static SUM: Column<u32> = Column {
    keys: &["sum"],
    default: Some(HasDefault::value),
    json: json(),
    merge: Some(|base, mine, theirs| theirs + (mine - base)),
    privilege: false,
    owner: false,
};

static WORD: Column<u8> = Column {
    keys: &["word"],
    default: None,
    json: json(),
    merge: None,
    privilege: false,
    owner: false,
};

static USER: Column<u8> = Column {
    keys: &["user"],
    default: None,
    json: json(),
    merge: None,
    privilege: true,
    owner: true,
};

impl SessionData for Tally {
    const SLICE: Slice<'static> = Slice::Named("tally");
    const FIELDS: &'static [&'static dyn Field] = &[&LIST, &SUM];

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            list: LIST.load(from)?,
            sum: SUM.load(from)?,
        })
    }

    fn encode(&self, into: &mut Writer<'_>) {
        LIST.encode(&self.list, into);
        SUM.encode(&self.sum, into);
    }
}

impl SessionData for Note {
    const SLICE: Slice<'static> = Slice::Named("note");
    const FIELDS: &'static [&'static dyn Field] = &[&WORD];

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            word: WORD.load(from)?,
        })
    }

    fn encode(&self, into: &mut Writer<'_>) {
        WORD.encode(&self.word, into);
    }
}

impl SessionData for Account {
    const SLICE: Slice<'static> = Slice::Named("account");
    const FIELDS: &'static [&'static dyn Field] = &[&USER];

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            user: USER.load(from)?,
        })
    }

    fn encode(&self, into: &mut Writer<'_>) {
        USER.encode(&self.user, into);
    }
}

/// Reads a struct of a record.
pub(super) fn read<T: SessionData>(fields: &Fields) -> Option<T> {
    data::read(fields)
}

/// The changes that a view of `T` makes.
pub(super) fn edit<T: SessionData>(fields: &Fields, change: impl FnOnce(&mut T)) -> Vec<Change> {
    let Some(mut value) = data::read::<T>(fields) else {
        return Vec::new();
    };
    let before = Baseline::of(&value, fields.clone());
    change(&mut value);
    data::changes(&before, &value).expect("plain values can be stored")
}

/// The numbers in a record's list.
pub(super) fn numbers(fields: &Fields) -> Vec<u8> {
    read::<Tally>(fields).map_or_else(Vec::new, |tally| tally.list)
}
