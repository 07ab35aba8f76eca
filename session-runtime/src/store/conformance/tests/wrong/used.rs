//! How a wrong store loads a session for who uses it.

use std::time::Duration;

use super::{Fault, LONG_AGO, Wrong};
use crate::expiry::{Lifetime, Timestamp};
use crate::id::StoreKey;
use crate::record::Revision;
use crate::store::{SessionStore, StoreError, Stored};

impl Wrong {
    pub(super) async fn load_and_touch(
        &self,
        key: &StoreKey,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Option<Stored>, StoreError> {
        let seen_at = match self.fault {
            Fault::UseShowsTheDead => LONG_AGO,
            Fault::UseIgnoresTime => self.born,
            _ => now,
        };
        let Some(found) = self.right.load(*key, seen_at).await? else {
            return Ok(None);
        };
        let Stored { record, expires } = &found;
        let all = Lifetime {
            absolute: Duration::MAX,
            ..lifetime
        };
        let due = match self.fault {
            Fault::UseAlwaysTouches => Some(lifetime.deadline(record.created, now)),
            Fault::UseIgnoresTheAbsolute => all.due(record.created, *expires, now),
            Fault::UseTouchesOwnIdle => lifetime.due(record.created, *expires, now),
            Fault::UseEndsTheOld if record.created.plus(lifetime.absolute) <= now => Some(now),
            _ if record.idle.is_some() => None,
            _ => lifetime.due(record.created, *expires, now),
        };
        let Some(due) = due else {
            return Ok(Some(found));
        };
        let moved = Stored {
            expires: due,
            ..found.clone()
        };
        match self.fault {
            Fault::UseOnlySaysSo => return Ok(Some(moved)),
            Fault::UseChangesTheRevision => {
                let mut other = moved.clone();
                other.record.revision = Revision::from_u64(fastrand::u64(..));
                let expected = record.revision;
                self.right.replace(*key, expected, other, now).await?;
                return Ok(Some(moved));
            }
            Fault::UseUnlists => self.notes().hide(*key, &moved),
            _ => {}
        }
        self.right.touch(*key, record.revision, due, now).await?;
        Ok(Some(if self.fault == Fault::UseSaysNothing {
            found
        } else {
            moved
        }))
    }
}
