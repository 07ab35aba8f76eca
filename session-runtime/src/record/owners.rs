//! Says whose a session is, and since when; knows no user type, no clock.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::expiry::Timestamp;

/// Names an owner to a store: the SHA-256 of where the owner's field stands and of its value's JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnerKey([u8; 32]);

impl OwnerKey {
    /// The owner with this value in the field that stands under `place`: a slice, or a key at the
    /// top level.
    pub(crate) fn of(place: &str, json: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"sessile owner\0")
            .chain_update(place)
            // In no name, so that no other place and value are the same bytes.
            .chain_update(b"\0")
            .chain_update(json)
            .finalize();
        Self(digest.into())
    }

    /// The 32 bytes, uniformly distributed, for a store with binary keys.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The owner as 43 characters of base64url, for a store with textual keys.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(decoded.try_into().ok()?))
    }
}

/// It never prints: who knows the users can tell whose hash it is.
impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerKey(..)")
    }
}

/// Whose a session is: at most one owner in each place. Nobody's at first.
///
/// A clone shares them.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Hash))]
pub struct Owners(Option<Arc<Vec<Owner>>>);

/// Whose a session is in one place. Owners are in the order of their places.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(super) struct Owner {
    /// The slice that names the owner, or the key at the top level.
    pub(super) place: Box<str>,
    pub(super) key: OwnerKey,
    /// When the request began that made the session theirs.
    pub(super) since: Timestamp,
}

impl Owners {
    pub(super) fn new(mut owners: Vec<Owner>) -> Self {
        owners.sort_by(|a, b| a.place.cmp(&b.place));
        owners.shrink_to_fit();
        Self((!owners.is_empty()).then(|| Arc::new(owners)))
    }

    /// Whether the session is nobody's.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Those whose session it is.
    pub fn keys(&self) -> impl Iterator<Item = OwnerKey> {
        self.as_slice().iter().map(|owner| owner.key)
    }

    /// Since when the session is this owner's, if it is: when the request began that signed in.
    #[must_use]
    pub fn since(&self, owner: OwnerKey) -> Option<Timestamp> {
        let mut owners = self.as_slice().iter();
        let theirs = owners.find(|theirs| theirs.key == owner);
        theirs.map(|theirs| theirs.since)
    }

    pub(super) fn as_slice(&self) -> &[Owner] {
        self.0.as_deref().map(Vec::as_slice).unwrap_or_default()
    }

    /// Gives the session to `key`, in the place of who had it there.
    #[must_use]
    pub(crate) fn with(&self, place: &str, key: OwnerKey, since: Timestamp) -> Self {
        let mut owners: Vec<_> = self.others(place).collect();
        let place = place.into();
        owners.push(Owner { place, key, since });
        Self::new(owners)
    }

    /// Takes the session from who had it in this place.
    #[must_use]
    pub(crate) fn without(&self, place: &str) -> Self {
        Self::new(self.others(place).collect())
    }

    /// The same owners, as if each for whom there is a `since` had signed in then.
    #[must_use]
    pub(crate) fn anew(&self, since: impl Fn(OwnerKey) -> Option<Timestamp>) -> Self {
        let anew = |owner: &Owner| Owner {
            since: since(owner.key).unwrap_or(owner.since),
            ..owner.clone()
        };
        Self::new(self.as_slice().iter().map(anew).collect())
    }

    fn others(&self, place: &str) -> impl Iterator<Item = Owner> {
        let others = self.as_slice().iter();
        others.filter(move |owner| *owner.place != *place).cloned()
    }
}

/// Places print, owners do not.
impl fmt::Debug for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.as_slice().iter().map(|owner| &owner.place))
            .finish()
    }
}
