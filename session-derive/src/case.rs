//! The ways to write a name; knows no option.

/// How `rename_all` writes keys. The words and what they do are serde's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

/// What a user writes for each case: its own name, written in it.
const WRITTEN: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// The words of all cases.
    pub(crate) fn words() -> [&'static str; 8] {
        WRITTEN.map(|(word, _)| word)
    }

    /// The case that `word` names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let (_, case) = WRITTEN.iter().find(|(written, _)| *written == word)?;
        Some(*case)
    }

    /// Writes the name of a field, which is in `snake_case`, in this case.
    pub(crate) fn apply(self, field: &str) -> String {
        match self {
            // A field's name is taken to be lowercase already, as serde does.
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => camel(field),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(field: &str) -> String {
    field.split('_').map(capitalized).collect()
}

fn camel(field: &str) -> String {
    let pascal = pascal(field);
    let mut letters = pascal.chars();
    letters
        .next()
        .map(|first| first.to_ascii_lowercase())
        .into_iter()
        .chain(letters)
        .collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}

/// Writes the name of a type in `snake_case`; an abbreviation is one word: `HTTPCache` is
/// `http_cache`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if begins_word(&letters, at) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Whether the letter at `at` is the first of a word, and not of the first one.
fn begins_word(letters: &[char], at: usize) -> bool {
    if at == 0 || !letters[at].is_uppercase() {
        return false;
    }
    let before = letters[at - 1];
    let ends_abbreviation = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
    before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && ends_abbreviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_serdes() {
        let cases = Case::words().map(|word| Case::named(word).unwrap());
        for (field, expected) in [
            (
                "page_views",
                [
                    "page_views",
                    "PAGE_VIEWS",
                    "PageViews",
                    "pageViews",
                    "page_views",
                    "PAGE_VIEWS",
                    "page-views",
                    "PAGE-VIEWS",
                ],
            ),
            ("id", ["id", "ID", "Id", "id", "id", "ID", "id", "ID"]),
            (
                "_a__b2_",
                [
                    "_a__b2_", "_A__B2_", "AB2", "aB2", "_a__b2_", "_A__B2_", "-a--b2-", "-A--B2-",
                ],
            ),
            (
                "été",
                ["été", "éTé", "été", "été", "été", "éTé", "été", "éTé"],
            ),
        ] {
            assert_eq!(cases.map(|case| case.apply(field)), expected);
        }
    }

    #[test]
    fn no_other_word_is_a_case() {
        assert_eq!(Case::named("camelcase"), None);
    }

    #[test]
    fn a_types_name_is_split_at_its_capitals() {
        for (name, expected) in [
            ("Visits", "visits"),
            ("ShoppingCart", "shopping_cart"),
            ("HTTPCache", "http_cache"),
            ("CacheHTTP", "cache_http"),
            ("V2Cart", "v2_cart"),
            ("Cart2", "cart2"),
            ("My_Cart", "my_cart"),
            ("ÉtatCivil", "état_civil"),
            ("visits", "visits"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }
}
