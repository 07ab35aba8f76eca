//! Finds a session's token in `Cookie`; knows a header's bytes, and nothing of a store.

use http::HeaderMap;
use http::header::COOKIE;

use crate::id::{ID_CHARS, SessionId};
use crate::secret::{KeyRing, Signer, TAG_CHARS, Tag};

#[cfg(test)]
mod tests;

/// How many characters a token has: the id, a dot, the tag.
pub(crate) const TOKEN_CHARS: usize = ID_CHARS + 1 + TAG_CHARS;

/// So many well-formed candidates are checked, that a visitor cannot have us compute tags at will.
const CHECKED: usize = 4;

/// What the cookies of a request say about its session.
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

/// Reads the tokens of all cookies of this name.
///
/// A candidate is well-formed if it is exactly `ID.TAG`, without quotes or percent-encoding;
/// another is no candidate, so garbage logs nobody out. The order of candidates does not matter,
/// nor does their number up to the fourth; after that they are ignored.
pub(crate) fn presented(headers: &HeaderMap, name: &str, keys: &KeyRing) -> Presented {
    judge(values(headers, name), keys)
}

/// Writes the token of a session, signed by the first secret.
pub(crate) fn token(id: &SessionId, keys: &KeyRing) -> [u8; TOKEN_CHARS] {
    let mut token = [b'.'; TOKEN_CHARS];
    let (start, tag) = token.split_at_mut(ID_CHARS + 1);
    start[..ID_CHARS].copy_from_slice(id.as_bytes());
    tag.copy_from_slice(&keys.sign(id.as_bytes()).encode());
    token
}

/// Finds the values of the cookies of exactly this name, in every `Cookie` header.
///
/// Pairs end at `;`, a name ends at the first `=`, and the spaces and tabs around either side are
/// no part of it, as when a browser reads a pair (RFC 6265bis, section 5.6). Nothing is decoded,
/// and quotes belong to the value.
pub(crate) fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|c| *c == b';'))
        .filter_map(|pair| value(pair, name.as_bytes()))
}

fn value<'h>(pair: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    // A configured name has no `=` and no blank, so it need not be cut out to be compared.
    let rest = trim_start(pair).strip_prefix(name)?;
    let value = trim_start(rest).strip_prefix(b"=")?;
    Some(trim_end(trim_start(value)))
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn judge<'v>(values: impl Iterator<Item = &'v [u8]>, keys: &KeyRing) -> Presented {
    values
        .filter_map(Candidate::parse)
        .take(CHECKED)
        .fold(Presented::Nothing, |seen, candidate| {
            seen.and(candidate.id, candidate.signer(keys))
        })
}

/// A token whose signature nobody has looked at yet.
struct Candidate {
    id: SessionId,
    tag: Tag,
}

impl Candidate {
    fn parse(value: &[u8]) -> Option<Self> {
        let (id, rest) = value.split_at_checked(ID_CHARS)?;
        Some(Self {
            id: SessionId::parse(id)?,
            tag: Tag::parse(rest.strip_prefix(b".")?)?,
        })
    }

    fn signer(&self, keys: &KeyRing) -> Option<Signer> {
        keys.verify(self.id.as_bytes(), &self.tag)
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
