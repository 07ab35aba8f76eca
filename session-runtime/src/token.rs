//! What a visitor shows of a session, `ID.TAG`: reads and writes it; knows no header and no store.
//!
//! 32 characters of base64url, a dot, 43 characters of base64url.

use crate::id::{ID_CHARS, SessionId};
use crate::secret::{KeyRing, Signer, TAG_CHARS, Tag};

#[cfg(test)]
mod tests;

/// How many characters a token has: the id, a dot, the tag.
pub(crate) const TOKEN_CHARS: usize = ID_CHARS + 1 + TAG_CHARS;

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
    let nothing = Verdict {
        presented: Presented::Nothing,
        way: None,
    };
    candidates
        .filter_map(|(way, value)| Some((way, Candidate::parse(value)?)))
        .take(CHECKED)
        .fold(nothing, |seen, (way, candidate)| {
            seen.and(way, candidate.id, candidate.signer(keys))
        })
}

/// Writes the token of a session, signed by the first secret.
pub(crate) fn token(id: &SessionId, keys: &KeyRing) -> [u8; TOKEN_CHARS] {
    let mut token = [b'.'; TOKEN_CHARS];
    let (start, tag) = token.split_at_mut(ID_CHARS + 1);
    start[..ID_CHARS].copy_from_slice(id.as_bytes());
    tag.copy_from_slice(&keys.sign(id.as_bytes()).encode());
    token
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
