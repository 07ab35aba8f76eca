//! Plans a write: what is known to be stored, and what is wanted, make the record that is to stand.

use crate::data::{self, Change};
use crate::dialect::CookieObject;
use crate::expiry::Timestamp;
use crate::protocol::rules::Rules;
use crate::protocol::state::{Idle, Phase, Session, Snapshot, Wanted, Write};
use crate::protocol::words::{Draw, Refusal};
use crate::record::{Fields, Owners, Record};

/// The inputs of a step: the settings, the time, and numbers to draw.
pub(crate) struct Inputs<'i> {
    pub(crate) rules: &'i Rules,
    /// The cookie as the record describes it, where an Express app reads it.
    pub(crate) cookie: Option<&'i CookieObject>,
    pub(crate) now: Timestamp,
    pub(crate) draw: &'i mut dyn Draw,
}

/// Plans what is pending, and `last`, which comes after it; `None` where nothing is to be stored.
pub(super) fn plan(
    session: &Session,
    last: &[Change],
    inputs: &mut Inputs<'_>,
) -> Result<Option<Write>, Refusal> {
    let Inputs { rules, .. } = *inputs;
    let Some(wanted) = session.pending.changes() else {
        return Ok(None);
    };
    if wanted.is_empty() && last.is_empty() {
        return Ok(None);
    }
    let stored = session.stored_fields();
    let mut fields = stored.clone();
    for changes in [wanted.changes.as_slice(), last] {
        if !changes.is_empty() {
            fields = data::apply(changes, &fields);
        }
    }
    let snapshot = session.link.stored();
    let all = || wanted.changes.iter().chain(last);
    let signs_in = all().any(Change::is_of_privilege);
    let renews = wanted.renew || signs_in;
    // A change of owner takes back what was set for the owner before.
    let idle = match wanted.idle {
        Idle::Unchanged if all().any(Change::is_of_owner) => Idle::Dropped,
        idle => idle,
    };
    let differs = fields != *stored;
    let asked = renews || wanted.affirm || idle != Idle::Unchanged;
    // A session that holds nothing is not begun.
    if !(differs || wanted.force || (snapshot.is_some() && asked)) {
        return Ok(None);
    }
    session.writable()?;
    let (bytes, max) = (fields.size(), rules.max_record_bytes);
    if bytes > max {
        return Err(Refusal::TooLarge { bytes, max });
    }
    if let Some(field) = rules.dialect.unsafe_integer(stored, &fields) {
        return Err(Refusal::UnsafeInteger { field });
    }
    let idle = idle.of(
        snapshot.map_or(session.initial_idle, |it| it.record.idle),
        session.initial_idle,
    );
    let record = Record {
        revision: inputs.draw.revision(),
        created: snapshot.map_or(inputs.now, |it| it.record.created),
        idle,
        owners: session.owners(last),
        fields,
    };
    let expires = rules.deadline(&record, inputs.now);
    if expires <= inputs.now {
        return Err(Refusal::EndIsPast);
    }
    let (id, key) = match snapshot {
        Some(it) if !renews => (it.id, it.key),
        _ if session.phase == Phase::Sent => return Err(Refusal::TooLate),
        _ => {
            let id = inputs.draw.id();
            (id, rules.dialect.key(id))
        }
    };
    let target = Snapshot {
        id,
        key,
        record: rules.dialect.seal(record, expires, inputs.cookie),
        expires,
    };
    Ok(Some(Write {
        from: snapshot.cloned(),
        target,
        held: Wanted::default(),
        is_again: snapshot.is_some() && !differs && !asked,
        signs_in,
    }))
}

/// The record that takes the place of `from`, so that no write that expects its revision can arrive.
pub(super) fn fence(from: &Snapshot, inputs: &mut Inputs<'_>) -> Snapshot {
    let record = Record {
        revision: inputs.draw.revision(),
        ..from.record.clone()
    };
    let expires = inputs.rules.deadline(&record, inputs.now);
    let record = inputs.rules.dialect.seal(record, expires, inputs.cookie);
    from.anew(record, expires)
}

/// An empty record under the id of a session that was to begin, so that it never does: an id takes one
/// record only. Nobody can open it, and it stays for as long as the session would have.
pub(super) fn placeholder(target: &Snapshot, inputs: &mut Inputs<'_>) -> Snapshot {
    let record = Record {
        revision: inputs.draw.revision(),
        owners: Owners::default(),
        fields: Fields::default(),
        ..target.record
    };
    let expires = target.expires;
    let record = inputs.rules.dialect.seal(record, expires, inputs.cookie);
    target.anew(record, expires)
}
