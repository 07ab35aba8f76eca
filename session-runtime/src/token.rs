//! Reads, verifies and writes the token by which a visitor shows a session; knows no header and no store.

use crate::id::{ID_CHARS, SessionId};
use crate::secret::{Alphabet, KeyRing, Signer, TAG_CHARS, Tag};

#[cfg(test)]
pub(crate) mod tests;

/// An escaped token begins with it.
const SIGNED: &[u8] = b"s:";

/// How many characters the longest token has, once it is percent-decoded: `s:`, the id, a dot, the tag.
const TOKEN_CHARS: usize = SIGNED.len() + ID_CHARS + 1 + TAG_CHARS;

/// How a token is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TokenFormat {
    /// `ID.TAG`: 32 characters of base64url, a dot, 43 characters of base64url.
    Plain,
    /// `s:ID.TAG`, the tag in standard base64, all of it percent-encoded.
    Escaped,
}

impl TokenFormat {
    /// How many characters the longest token takes as it is written. A plain one has no other length, so that a
    /// buffer of this size is filled, and need not be copied into one that fits.
    pub(crate) const fn room(self) -> usize {
        match self {
            Self::Plain => ID_CHARS + 1 + TAG_CHARS,
            // `s%3A`, and a tag of nothing but `%2B`.
            Self::Escaped => 4 + ID_CHARS + 1 + 3 * TAG_CHARS,
        }
    }

    fn alphabet(self) -> Alphabet {
        match self {
            Self::Plain => Alphabet::UrlSafe,
            Self::Escaped => Alphabet::Standard,
        }
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

/// A genuine token of the visitor: one that we signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Candidate {
    pub(crate) id: SessionId,
    /// A previous secret has signed it, or it came under a former name: another one is due.
    pub(crate) is_stale: bool,
}

/// The genuine tokens of a visitor, each session once; mostly there is one at most.
#[derive(Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(crate) struct Candidates {
    first: Option<Candidate>,
    others: Vec<Candidate>,
}

/// What a request presents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) candidates: Candidates,
    /// A well-formed token came that no secret signed.
    pub(crate) has_forged: bool,
    /// How the genuine tokens came: by cookie, if any did.
    pub(crate) way: Option<Way>,
    checked: usize,
}

impl Candidates {
    /// Adds a token. The same one may come twice.
    pub(crate) fn add(&mut self, candidate: Candidate) {
        let mut known = self.first.iter_mut().chain(&mut self.others);
        if let Some(known) = known.find(|known| known.id == candidate.id) {
            known.is_stale &= candidate.is_stale;
        } else if self.first.is_none() {
            self.first = Some(candidate);
        } else {
            self.others.push(candidate);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    pub(crate) fn pop(&mut self) -> Option<Candidate> {
        self.others.pop().or_else(|| self.first.take())
    }
}

/// Makes and verifies the tokens of one cookie name.
#[derive(Debug)]
pub(crate) struct Tokens {
    keys: KeyRing,
    format: TokenFormat,
}

impl Tokens {
    pub(crate) fn new(keys: KeyRing, format: TokenFormat) -> Self {
        Self { keys, format }
    }

    /// Judges values that came one way under the name of these tokens. `is_former` says that it is a name of
    /// before.
    ///
    /// A value is a candidate if it is a token in its format, to the character: garbage logs nobody out. The
    /// order of candidates does not matter, nor does their number up to the fourth of a request; after that
    /// they are ignored.
    pub(crate) fn judge<'v>(
        &self,
        presented: &mut Presented,
        way: Way,
        values: impl Iterator<Item = &'v [u8]>,
        is_former: bool,
    ) {
        for value in values {
            if presented.checked == CHECKED {
                return;
            }
            let Some(parsed) = Parsed::parse(value, self.format) else {
                continue;
            };
            presented.checked += 1;
            let Some(signer) = parsed.signer(&self.keys) else {
                presented.has_forged = true;
                continue;
            };
            presented.candidates.add(Candidate {
                id: parsed.id,
                is_stale: is_former || signer == Signer::Previous,
            });
            presented.way = Some(presented.way.map_or(way, |seen| seen.min(way)));
        }
    }

    /// The token of a session, signed by the first secret.
    pub(crate) fn token(&self, id: &SessionId) -> String {
        let mut token = String::with_capacity(self.room());
        self.write(id, &mut token);
        token
    }

    /// How many characters [`write`](Self::write) adds at most.
    pub(crate) fn room(&self) -> usize {
        self.format.room()
    }

    /// Writes a token at the end of a line.
    pub(crate) fn write(&self, id: &SessionId, line: &mut String) {
        let tag = self.keys.sign(id.as_bytes()).encode(self.format.alphabet());
        let tag = str::from_utf8(&tag).expect("base64 is ASCII");
        match self.format {
            TokenFormat::Plain => {
                line.push_str(id.as_str());
                line.push('.');
                line.push_str(tag);
            }
            TokenFormat::Escaped => {
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
}

/// A token whose signature nobody has looked at yet.
struct Parsed {
    id: SessionId,
    tag: Tag,
}

impl Parsed {
    fn parse(value: &[u8], format: TokenFormat) -> Option<Self> {
        let alphabet = format.alphabet();
        match format {
            TokenFormat::Plain => Self::split(value, alphabet),
            TokenFormat::Escaped => {
                let mut decoded = [0; TOKEN_CHARS];
                let decoded = percent_decode(value, &mut decoded)?;
                Self::split(decoded.strip_prefix(SIGNED)?, alphabet)
            }
        }
    }

    fn split(value: &[u8], alphabet: Alphabet) -> Option<Self> {
        let (id, rest) = value.split_at_checked(ID_CHARS)?;
        Some(Self {
            id: SessionId::parse(id)?,
            tag: Tag::parse(rest.strip_prefix(b".")?, alphabet)?,
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
