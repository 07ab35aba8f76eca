//! Collects what is wrong with a struct and guesses which word was meant; knows no option.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Every mistake found so far, so that one compile shows them all.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Reports `message` under the tokens of `at`.
    pub(crate) fn reject(&mut self, at: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(at, message));
    }

    /// Reports an error that a parser returned.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(syn::Error::to_compile_error));
    }
}

/// The article that `word` is spoken with.
pub(crate) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// Says which of `words` was meant by `written`, or else which there are.
pub(crate) fn hint(written: &str, words: &[&str]) -> String {
    match nearest(written, words) {
        Some(word) => format!(", did you mean `{word}`?"),
        None => format!(": there are `{}`", words.join("`, `")),
    }
}

/// The word that is at most a third of `written` away from it.
fn nearest<'w>(written: &str, words: &[&'w str]) -> Option<&'w str> {
    let most = written.chars().count().max(3) / 3;
    words
        .iter()
        .map(|word| (distance(written, word), *word))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many letters must be inserted, removed, replaced or swapped with the next to turn `a` into
/// `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut two_above = above.clone();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = above[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(two_above[j - 1] + 1);
            }
            row.push(least);
        }
        two_above = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &[&str] = &["alias", "default", "merge", "rename", "skip"];

    #[test]
    fn letters_are_inserted_removed_replaced_and_swapped() {
        for (a, b, expected) in [
            ("skip", "skip", 0),
            ("skp", "skip", 1),
            ("skipp", "skip", 1),
            ("skap", "skip", 1),
            ("defualt", "default", 1),
            ("", "skip", 4),
            ("übrig", "skip", 4),
        ] {
            assert_eq!(distance(a, b), expected, "{a} -> {b}");
            assert_eq!(distance(b, a), expected, "{b} -> {a}");
        }
    }

    #[test]
    fn a_near_miss_names_the_word() {
        assert_eq!(hint("defualt", WORDS), ", did you mean `default`?");
        assert_eq!(hint("aliases", WORDS), ", did you mean `alias`?");
    }

    #[test]
    fn a_strange_word_lists_what_there_is() {
        assert_eq!(
            hint("ttl", &["merge", "skip"]),
            ": there are `merge`, `skip`"
        );
    }
}
