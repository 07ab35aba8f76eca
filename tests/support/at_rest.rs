//! Looks for tokens in what a store has written, in whatever form they may lie there.

use std::collections::HashMap;

/// A form's first bytes, by which it is found: to look for each form by itself takes minutes.
const HEAD: usize = 8;

/// Ids and tags as text, raw and in hex.
#[derive(Default)]
pub struct Wanted(HashMap<[u8; HEAD], Vec<Vec<u8>>>);

impl Wanted {
    /// All forms of each token's id and tag.
    pub fn tokens<'t>(tokens: impl IntoIterator<Item = &'t String>) -> Self {
        let parts = tokens.into_iter().flat_map(|token| token.split('.'));
        Self::bytes(parts.flat_map(forms))
    }

    /// Exactly these bytes.
    pub fn bytes(forms: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut wanted = Self::default();
        for form in forms {
            let head = *form.first_chunk().unwrap();
            wanted.0.entry(head).or_default().push(form);
        }
        wanted
    }

    /// Where any of them is.
    pub fn found_in(&self, content: &[u8]) -> Vec<usize> {
        let windows = content.windows(HEAD).enumerate();
        let places = windows.filter(|(place, window)| {
            let forms = self.0.get(*window).into_iter().flatten();
            forms
                .into_iter()
                .any(|form| content[*place..].starts_with(form))
        });
        places.map(|(place, _)| place).collect()
    }
}

fn forms(part: &str) -> [Vec<u8>; 6] {
    let raw = decode(part);
    let (hex, hex_of_text) = (hex(&raw), hex(part.as_bytes()));
    let standard = part.replace('-', "+").replace('_', "/");
    [
        part.as_bytes().to_vec(),
        standard.into_bytes(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        hex_of_text.into_bytes(),
        raw,
    ]
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

fn decode(base64url: &str) -> Vec<u8> {
    let mut bits = (0u32, 0);
    let mut bytes = Vec::new();
    for character in base64url.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            .iter()
            .position(|known| *known == character)
            .unwrap();
        bits = (bits.0 << 6 | u32::try_from(digit).unwrap(), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push(u8::try_from(bits.0 >> bits.1 & 0xff).unwrap());
        }
    }
    bytes
}
