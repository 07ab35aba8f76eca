//! Signs bytes for a name; knows nothing of cookies.

use std::env::{self, VarError};
use std::fmt;

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// As long as the hash's output, below which an HMAC key weakens the tag (RFC 2104, section 3).
const SECRET_BYTES: usize = 32;

const TAG_BYTES: usize = 32;

/// How many characters a tag has as text.
pub(crate) const TAG_CHARS: usize = 43;

// Part of the format: another string here, and every cookie in the world is forged.
const DOMAIN: &[u8] = b"sessile cookie v1\0";

/// What session cookies are signed with: at least 32 bytes, zeroized on drop, never printed.
///
/// Every instance of an application needs the same secret, and so does the next deployment.
///
/// ```
/// use session_runtime::{Secret, SecretError};
///
/// let secret = Secret::from_base64("uoRjq1uSqIVQ3mGAFfaoIBY0a53kPY6jf7KUTJQJTcY=")?;
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// # Ok::<(), SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Draws 32 bytes from the operating system.
    ///
    /// Nobody else knows them: with the process, every session that they signed ends.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give; no session would be safe without it.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES].into_boxed_slice());
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self(bytes)
    }

    /// Reads a secret in base64 from an environment variable.
    ///
    /// ```no_run
    /// use session_runtime::{Secret, SecretError};
    ///
    /// let secret = Secret::from_env("SESSION_SECRET")?;
    /// # Ok::<(), SecretError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SecretError::Missing`] if the variable is not set, [`SecretError::Unfit`] if
    /// [`Secret::from_base64`] does not take what it holds.
    pub fn from_env(name: &str) -> Result<Self, SecretError> {
        let read = match env::var(name) {
            Ok(text) => Self::from_base64(&Zeroizing::new(text)),
            Err(VarError::NotUnicode(_)) => Err(SecretError::NotBase64),
            Err(VarError::NotPresent) => {
                let name = name.to_owned();
                return Err(SecretError::Missing { name });
            }
        };
        read.map_err(|error| SecretError::Unfit {
            name: name.to_owned(),
            error: Box::new(error),
        })
    }

    /// Reads a secret in base64: the standard or the URL-safe alphabet, with or without padding;
    /// white space does not count.
    ///
    /// # Errors
    ///
    /// [`SecretError::NotBase64`], or [`SecretError::TooShort`] for less than 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        let text: String = text.split_ascii_whitespace().collect();
        let text = Zeroizing::new(text);
        let text = text.as_str();
        let spellings = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        let bytes = spellings.iter().find_map(|spelling| {
            let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
            let decoded = spelling.decode_vec(text, &mut bytes);
            decoded.is_ok().then_some(bytes)
        });
        let bytes = bytes.ok_or(SecretError::NotBase64)?;
        Self::try_from(bytes.as_slice())
    }
}

impl TryFrom<&[u8]> for Secret {
    type Error = SecretError;

    fn try_from(bytes: &[u8]) -> Result<Self, SecretError> {
        if bytes.len() < SECRET_BYTES {
            return Err(SecretError::TooShort { len: bytes.len() });
        }
        Ok(Self(Zeroizing::new(bytes.into())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why something is no secret; it never holds any of it.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecretError {
    /// There are too few bytes to sign with.
    #[error("a secret has {len} bytes, it needs at least 32")]
    #[non_exhaustive]
    TooShort {
        /// How many there are.
        len: usize,
    },
    /// There is nothing to sign with.
    #[error("a secret is empty")]
    Empty,
    /// The text is not base64.
    #[error("a secret is not base64")]
    NotBase64,
    /// The environment variable is not set.
    #[error("`{name}` is not set: set it to the output of `openssl rand -base64 32`")]
    #[non_exhaustive]
    Missing {
        /// The variable's name.
        name: String,
    },
    /// The environment variable holds no secret.
    #[error(
        "`{name}`, read as base64, holds no secret: {error}; set it to the output of `openssl rand -base64 32`"
    )]
    #[non_exhaustive]
    Unfit {
        /// The variable's name.
        name: String,
        /// What is wrong with it.
        #[source]
        error: Box<SecretError>,
    },
}

/// As `Display`: it is what a `main` that returns an error prints.
impl fmt::Debug for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A signature; as text, it has one spelling.
#[derive(Clone, Copy)]
pub(crate) struct Tag([u8; TAG_BYTES]);

impl Tag {
    /// Reads 43 characters of base64 without padding, canonical, else `None`.
    pub(crate) fn parse(chars: &[u8], alphabet: Alphabet) -> Option<Self> {
        let chars: &[u8; TAG_CHARS] = chars.try_into().ok()?;
        // As long as the decoder wants it, which guesses by whole groups of characters.
        let mut bytes = [0; TAG_BYTES + 1];
        alphabet.engine().decode_slice(chars, &mut bytes).ok()?;
        bytes.first_chunk().copied().map(Self)
    }

    pub(crate) fn encode(self, alphabet: Alphabet) -> [u8; TAG_CHARS] {
        let mut chars = [0; TAG_CHARS];
        let encoded = alphabet.engine().encode_slice(self.0, &mut chars);
        encoded.expect("32 bytes are 43 characters");
        chars
    }
}

/// The alphabet of base64 that a tag is written in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alphabet {
    UrlSafe,
    Standard,
}

impl Alphabet {
    fn engine(self) -> &'static GeneralPurpose {
        match self {
            Self::UrlSafe => &URL_SAFE_NO_PAD,
            Self::Standard => &STANDARD_NO_PAD,
        }
    }
}

/// Which secret a tag was made with, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signer {
    First,
    /// The message should be signed again, else its secret could never retire.
    Previous,
}

/// The secrets of one name: the first signs, all verify.
pub(crate) struct KeyRing {
    first: Hmac<Sha256>,
    previous: Box<[Hmac<Sha256>]>,
}

impl KeyRing {
    pub(crate) fn new(name: &str, first: &Secret, previous: &[Secret]) -> Self {
        Self {
            first: key(name, first),
            previous: previous.iter().map(|secret| key(name, secret)).collect(),
        }
    }

    /// Takes the keys as they are. Their tags are bound to no name: a tag for one cookie fits another.
    pub(crate) fn unbound<'k>(first: &[u8], previous: impl Iterator<Item = &'k [u8]>) -> Self {
        Self {
            first: hmac(first),
            previous: previous.map(hmac).collect(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Tag {
        let mac = self.first.clone().chain_update(message);
        Tag(mac.finalize().into_bytes().into())
    }

    /// Finds the secret that the tag was made with, comparing in constant time.
    pub(crate) fn verify(&self, message: &[u8], tag: &Tag) -> Option<Signer> {
        let made_tag = |key: &Hmac<Sha256>| {
            let mac = key.clone().chain_update(message);
            mac.verify_slice(&tag.0).is_ok()
        };
        if made_tag(&self.first) {
            return Some(Signer::First);
        }
        self.previous
            .iter()
            .any(made_tag)
            .then_some(Signer::Previous)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

// The name is in the key: a tag made for one name must not fit another.
fn key(name: &str, secret: &Secret) -> Hmac<Sha256> {
    let derived = hmac(&secret.0)
        .chain_update(DOMAIN)
        .chain_update(name)
        .finalize();
    hmac(&derived.into_bytes())
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}
