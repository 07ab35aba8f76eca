//! Names a session: random, encode, parse, and the two hashes of an id; knows no secret and no cookie.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// How many random bytes an id holds: 192 bits (OWASP asks for at least 64 bits of entropy).
pub const ID_BYTES: usize = 24;

/// How many characters an id has in a cookie.
pub(crate) const ID_CHARS: usize = 32;

const PUBLIC_BYTES: usize = 12;

/// Draws the bytes of an id: from the thread's generator, which is made for secrets and which the operating
/// system seeds again and again, and mixed with the time. To ask the system for each takes four times as long.
///
/// # Panics
///
/// If the operating system gives no random bytes for a seed: no id may be guessed.
pub(crate) fn draw(now: SystemTime) -> [u8; ID_BYTES] {
    let mut drawn = [0; 32];
    rand::rng().fill_bytes(&mut drawn);
    mix(drawn, now.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A generator is copied with its process, by a snapshot of its machine or a fork, and both copies draw the
/// same, though hardly in the same nanosecond. Who has one's ids learns nothing of the other's.
fn mix(drawn: [u8; 32], at: Duration) -> [u8; ID_BYTES] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(drawn)
        .chain_update(at.as_nanos().to_le_bytes())
        .finalize()
        .into();
    *digest.first_chunk().expect("24 bytes are fewer than 32")
}

/// The secret name of a session, as the visitor's cookie carries it; it never prints.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct SessionId([u8; ID_CHARS]);

impl SessionId {
    /// Encodes 24 bytes, which should be random, as an id.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "24 bytes are always 32 characters"
    )]
    pub fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        let mut chars = [0; ID_CHARS];
        let encoded = URL_SAFE_NO_PAD.encode_slice(bytes, &mut chars);
        encoded.expect("24 bytes are 32 characters");
        Self(chars)
    }

    /// Reads an id's characters: exactly 32 of base64url, else `None`.
    pub(crate) fn parse(chars: &[u8]) -> Option<Self> {
        let is_base64url = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        let chars: [u8; ID_CHARS] = chars.try_into().ok()?;
        // All of them, without a branch at each: many at a time.
        let are_base64url = chars
            .iter()
            .map(is_base64url)
            .fold(true, |all, is| all & is);
        are_base64url.then_some(Self(chars))
    }

    /// The characters that are signed and sent.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same characters as text.
    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("an id is base64url")
    }

    /// The key under which a record lies in clear, where an Express app is to find it: the id itself.
    pub(crate) fn key_in_clear(&self) -> StoreKey {
        StoreKey(self.0)
    }

    /// The key under which a store keeps the record: the only thing that a store learns of the id.
    #[must_use]
    pub fn key(&self) -> StoreKey {
        StoreKey(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// Where a store keeps a session: the SHA-256 of its id, so that a leaked store opens no session. Beside
/// an Express app it is the id's own characters, since that keeps them in clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// The key of these 32 bytes, which a store has kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for a store with binary keys: uniformly distributed, unless they are an id's characters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as 43 characters of base64url, for a store with textual keys.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The id, where the key is one in clear.
    #[cfg(feature = "redis")]
    pub(crate) fn in_clear(&self) -> Option<SessionId> {
        SessionId::parse(&self.0)
    }

    /// Reads what [`StoreKey::to_text`] wrote.
    #[cfg(feature = "redis")]
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(decoded.try_into().ok()?))
    }

    /// The handle by which people may speak of the session.
    #[must_use]
    pub fn public(&self) -> PublicId {
        let digest = Sha256::new()
            .chain_update(b"sessile public id\0")
            .chain_update(self.0)
            .finalize();
        let mut bytes = [0; PUBLIC_BYTES];
        bytes.copy_from_slice(&digest[..PUBLIC_BYTES]);
        PublicId(bytes)
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({})", self.public())
    }
}

/// A session's public handle: safe to log and to show in a device list, new after a rotation.
///
/// It prints as 16 characters of base64url. Neither the id nor the store's key can be found from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicId([u8; PUBLIC_BYTES]);

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for PublicId {
    type Err = PublicIdError;

    fn from_str(text: &str) -> Result<Self, PublicIdError> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = decoded.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(PublicIdError)
    }
}

/// A text is no public handle of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session's public handle is 16 characters of base64url")]
pub struct PublicIdError;

/// As it prints, for forms and templates.
impl Serialize for PublicId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_characters_that_parse_back() {
        let id = SessionId::from_bytes([0xff; ID_BYTES]);
        assert_eq!(id.as_bytes(), "_".repeat(32).as_bytes());
        assert_eq!(SessionId::parse(id.as_bytes()), Some(id));
    }

    #[test]
    fn copies_of_a_generator_draw_different_ids_at_different_times() {
        let at = Duration::from_nanos;
        let drawn = [7; 32];
        assert_eq!(mix(drawn, at(1)), mix(drawn, at(1)));
        assert_ne!(mix(drawn, at(1)), mix(drawn, at(2)));
        assert_ne!(mix(drawn, at(1)), mix([8; 32], at(1)));
    }

    #[test]
    fn other_lengths_and_characters_are_no_id() {
        for chars in [
            "",
            "short",
            &"a".repeat(31),
            &"a".repeat(33),
            &"+".repeat(32),
            &"é".repeat(16),
        ] {
            assert_eq!(SessionId::parse(chars.as_bytes()), None, "{chars}");
        }
    }

    #[test]
    fn an_id_never_prints() {
        let id = SessionId::from_bytes([7; ID_BYTES]);
        assert_eq!(format!("{id:?}"), "SessionId(..)");
        assert!(!format!("{:?}", id.key()).contains(&id.key().to_text()));
    }

    #[test]
    fn a_public_handle_reads_back_as_it_prints_and_nothing_else_does() {
        let public = SessionId::from_bytes([3; ID_BYTES]).key().public();
        assert_eq!(public.to_string().parse(), Ok(public));
        let json = serde_json::to_string(&public).unwrap();
        assert_eq!(json, format!("\"{public}\""));
        assert_eq!(serde_json::from_str::<PublicId>(&json).unwrap(), public);
        for text in ["", "short", "aaaaaaaaaaaaaaa+", "aaaaaaaaaaaaaaaaa", "ééé"] {
            assert_eq!(text.parse::<PublicId>(), Err(PublicIdError), "{text}");
        }
    }

    #[test]
    fn the_store_key_is_the_sha_256_of_the_characters() {
        let id = SessionId::from_bytes([0; ID_BYTES]);
        let text = id.key().to_text();
        assert_eq!(text, URL_SAFE_NO_PAD.encode(Sha256::digest("A".repeat(32))));
    }
}
