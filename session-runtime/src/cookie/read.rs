//! Finds the values of a cookie in `Cookie`; knows a header's bytes, and not what a value means.

use http::header::{COOKIE, ValueIter};
use http::{HeaderMap, HeaderValue};

#[cfg(test)]
mod tests;

/// Finds the values of the cookies of exactly this name, in every `Cookie` header.
///
/// Pairs end at `;`, a name ends at the first `=`, and the spaces and tabs around either side are
/// no part of it, as when a browser reads a pair (RFC 6265bis, section 5.6). Nothing is decoded,
/// and quotes belong to the value.
pub(crate) fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> Values<'h> {
    Values {
        lines: headers.get_all(COOKIE).iter(),
        line: None,
        name: name.as_bytes(),
    }
}

/// The values of the cookies of one name.
pub(crate) struct Values<'h> {
    lines: ValueIter<'h, HeaderValue>,
    /// What is left of the line at hand.
    line: Option<&'h [u8]>,
    name: &'h [u8],
}

impl<'h> Iterator for Values<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        loop {
            let Some(line) = self.line else {
                self.line = Some(self.lines.next()?.as_bytes());
                continue;
            };
            let pair;
            (pair, self.line) = next_pair(line);
            if let Some(value) = value(pair, self.name) {
                return Some(value);
            }
        }
    }
}

/// The first pair of a line, and what follows it. A byte at a time, 64 KiB would take three times as long.
fn next_pair(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b';', line) {
        Some(end) => (&line[..end], Some(&line[end + 1..])),
        None => (line, None),
    }
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
