//! What a visitor shows of a session, `ID.TAG`: reads and writes it; knows no header and no store.
//!
//! 32 characters of base64url, a dot, 43 characters of base64url. Where Express is to read it, `s:` before it
//! and a tag in standard base64, all of it percent-encoded.

use crate::id::{ID_CHARS, SessionId};
use crate::secret::{KeyRing, Signer, TAG_CHARS, Tag};
use crate::wire::Wire;

#[cfg(test)]
mod tests;

/// What Express writes before what it has signed.
const SIGNED: &[u8] = b"s:";

/// How many characters the longest token has, once it is percent-decoded: `s:`, the id, a dot, the tag.
const TOKEN_CHARS: usize = SIGNED.len() + ID_CHARS + 1 + TAG_CHARS;

/// How many characters the longest token takes as it is written. A native one has no other length, so that a
/// buffer of this size is filled, and need not be copied into one that fits.
pub(crate) const fn room(wire: Wire) -> usize {
    match wire {
        Wire::Native => ID_CHARS + 1 + TAG_CHARS,
        // `s%3A`, and a tag of nothing but `%2B`.
        Wire::Express => 4 + ID_CHARS + 1 + 3 * TAG_CHARS,
    }
}

/// So many well-formed candidates are checked, that a visitor cannot have us compute tags at will.
const CHECKED: usize = 4;

/// How a token comes, and how another one goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    #[default]
    Cookie,
    Header,
}

/// What the candidates of a request say about its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// No well-formed token.
    Nothing,
    /// Well-formed tokens, of which we signed none.
    Forged,
    /// Tokens that we signed, for different sessions: which one is meant nobody can tell.
    Ambiguous,
    /// The token of one session.
    Token { id: SessionId, signer: Signer },
}

/// What is presented, and how that came which we signed: by cookie, if anything did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) presented: Presented,
    pub(crate) way: Option<Way>,
}

/// Judges all candidates of a request, wherever they come from.
///
/// A candidate is well-formed if it is exactly `ID.TAG`, without quotes or percent-encoding;
/// another is no candidate, so garbage logs nobody out. The order of candidates does not matter,
/// nor does their number up to the fourth; after that they are ignored.
pub(crate) fn judge<'v>(
    candidates: impl Iterator<Item = (Way, &'v [u8])>,
    keys: &KeyRing,
) -> Verdict {
    let mut seen = Verdict {
        presented: Presented::Nothing,
        way: None,
    };
    let mut checked = 0;
    for (way, value) in candidates {
        let Some(candidate) = Candidate::parse(value, keys.wire()) else {
            continue;
        };
        seen = seen.and(way, candidate.id, candidate.signer(keys));
        checked += 1;
        if checked == CHECKED {
            break;
        }
    }
    seen
}

/// The token of a session, signed by the first secret.
pub(crate) fn token(id: &SessionId, keys: &KeyRing) -> String {
    let mut token = String::with_capacity(room(keys.wire()));
    write(id, keys, &mut token);
    token
}

/// Writes a token at the end of a line.
pub(crate) fn write(id: &SessionId, keys: &KeyRing, line: &mut String) {
    let tag = keys.sign(id.as_bytes()).encode(keys.wire());
    let tag = str::from_utf8(&tag).expect("base64 is ASCII");
    match keys.wire() {
        Wire::Native => {
            line.push_str(id.as_str());
            line.push('.');
            line.push_str(tag);
        }
        Wire::Express => {
            line.push_str("s%3A");
            line.push_str(id.as_str());
            line.push('.');
            // As `encodeURIComponent` does: of the alphabet it leaves all but these two.
            for c in tag.chars() {
                match c {
                    '+' => line.push_str("%2B"),
                    '/' => line.push_str("%2F"),
                    c => line.push(c),
                }
            }
        }
    }
}

/// A token whose signature nobody has looked at yet.
struct Candidate {
    id: SessionId,
    tag: Tag,
}

impl Candidate {
    fn parse(value: &[u8], wire: Wire) -> Option<Self> {
        match wire {
            Wire::Native => Self::split(value, wire),
            Wire::Express => {
                let mut decoded = [0; TOKEN_CHARS];
                let decoded = percent_decode(value, &mut decoded)?;
                Self::split(decoded.strip_prefix(SIGNED)?, wire)
            }
        }
    }

    fn split(value: &[u8], wire: Wire) -> Option<Self> {
        let (id, rest) = value.split_at_checked(ID_CHARS)?;
        Some(Self {
            id: SessionId::parse(id)?,
            tag: Tag::parse(rest.strip_prefix(b".")?, wire)?,
        })
    }

    fn signer(&self, keys: &KeyRing) -> Option<Signer> {
        keys.verify(self.id.as_bytes(), &self.tag)
    }
}

/// Undoes `encodeURIComponent`; `None` for what it never writes, and for what is too long.
fn percent_decode<'d>(mut value: &[u8], decoded: &'d mut [u8]) -> Option<&'d [u8]> {
    let mut length = 0;
    while let [first, rest @ ..] = value {
        let (byte, rest) = match (first, rest) {
            (b'%', [high, low, rest @ ..]) => {
                let digit = |c: u8| char::from(c).to_digit(16);
                let byte = digit(*high)? << 4 | digit(*low)?;
                (u8::try_from(byte).ok()?, rest)
            }
            (b'%', _) => return None,
            (byte, rest) => (*byte, rest),
        };
        *decoded.get_mut(length)? = byte;
        (length, value) = (length + 1, rest);
    }
    decoded.get(..length)
}

impl Verdict {
    fn and(self, way: Way, id: SessionId, signer: Option<Signer>) -> Self {
        let presented = self.presented.and(id, signer);
        let way = match signer {
            Some(_) => Some(self.way.map_or(way, |seen| seen.min(way))),
            None => self.way,
        };
        Self { presented, way }
    }
}

impl Presented {
    fn and(self, id: SessionId, signer: Option<Signer>) -> Self {
        match (self, signer) {
            (Self::Nothing, None) => Self::Forged,
            (seen, None) => seen,
            (Self::Nothing | Self::Forged, Some(signer)) => Self::Token { id, signer },
            (Self::Token { id: seen, signer }, Some(other)) if seen == id => Self::Token {
                id,
                signer: signer.min(other),
            },
            (Self::Token { .. } | Self::Ambiguous, Some(_)) => Self::Ambiguous,
        }
    }
}
