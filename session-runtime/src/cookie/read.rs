//! Finds the values of a cookie in `Cookie`; knows a header's bytes, and not what a value means.

use http::HeaderMap;
use http::header::COOKIE;

#[cfg(test)]
mod tests;

/// Finds the values of the cookies of exactly this name, in every `Cookie` header.
///
/// Pairs end at `;`, a name ends at the first `=`, and the spaces and tabs around either side are
/// no part of it, as when a browser reads a pair (RFC 6265bis, section 5.6). Nothing is decoded,
/// and quotes belong to the value.
pub(crate) fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let lines = headers.get_all(COOKIE).iter();
    lines.flat_map(move |line| {
        let mut rest = Some(line.as_bytes());
        std::iter::from_fn(move || {
            while let Some(line) = rest {
                let pair;
                (pair, rest) = next_pair(line);
                let found = value(pair, name.as_bytes());
                if found.is_some() {
                    return found;
                }
            }
            None
        })
    })
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
