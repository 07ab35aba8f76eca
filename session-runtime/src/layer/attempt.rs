//! One compare-and-swap: what it starts from, what is to stand, and whether it arrived.

use super::config::Config;
use super::error::SessionError;
use super::live::Live;
use crate::expiry::Timestamp;
use crate::store::{Answer, StoreError, Stored, Swap};

/// A write that was begun: what it started from, and the session as it stands if the write arrived.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) from: Option<Live>,
    pub(super) target: Live,
}

impl Attempt {
    /// Whether the session stands under another id if the write arrived.
    pub(super) fn has_new_id(&self) -> bool {
        self.from
            .as_ref()
            .is_none_or(|from| from.key != self.target.key)
    }

    /// Whether a session that is there goes to another id.
    pub(super) fn rotates(&self) -> bool {
        self.from.is_some() && self.has_new_id()
    }

    /// The session as another write has left it, where this one met it.
    pub(super) fn met(&self, standing: Stored) -> Option<Live> {
        let from = self.from.as_ref()?;
        Some(Live::new(from.id, from.key, standing))
    }

    /// Asks the store.
    pub(super) async fn carry_out(
        &self,
        config: &Config,
        now: Timestamp,
    ) -> Result<Swap, SessionError> {
        let swap = config.ask(self.ask(config, now)).await?;
        self.announce(config, &swap);
        Ok(swap)
    }

    /// The question to the store; what it answers is to be [announced](Self::announce).
    pub(super) fn ask<'c>(&self, config: &'c Config, now: Timestamp) -> Answer<'c, Swap> {
        let Self { from, target } = self;
        let (store, new) = (&config.store, target.stored());
        match from {
            None => store.insert(target.key, new, now).map(|inserted| {
                if inserted {
                    Ok(Swap::Done)
                } else {
                    Err(StoreError::Taken)
                }
            }),
            Some(from) if from.key == target.key => {
                store.replace(target.key, from.record.revision, new, now)
            }
            Some(from) => store.rotate(from.key, from.record.revision, target.key, new, now),
        }
    }

    /// Tells those who wait for the end of a session what the store has answered.
    pub(super) fn announce(&self, config: &Config, swap: &Swap) {
        let Self { from, target } = self;
        match (swap, from) {
            (Swap::Done, _) if !self.has_new_id() => {
                config.endings.hasten(target.key, config.end(target));
            }
            (Swap::Done | Swap::Gone, Some(from)) => config.endings.announce(from.key),
            (Swap::Conflict(_), _) | (_, None) => {}
        }
    }

    /// Asks the store whether it is this write that stands.
    pub(super) async fn has_arrived(&self, config: &Config) -> Result<bool, StoreError> {
        let standing = config.find(self.target.id, config.now()).await?;
        let expected = self.target.record.revision;
        let has_arrived = standing.is_some_and(|live| live.record.revision == expected);
        if let (true, true, Some(from)) = (has_arrived, self.has_new_id(), &self.from) {
            config.endings.announce(from.key);
        }
        Ok(has_arrived)
    }
}
