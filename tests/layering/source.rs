//! Reads what a file declares, imports and names from its tokens; knows no other file.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as its segments, as `["super", "text", "found"]`.
pub(crate) type Path = Vec<String>;

/// A module's own text. Code for tests alone is left out.
#[derive(Default)]
pub(crate) struct Source {
    /// Modules in files of their own: `mod text;`.
    pub(crate) children: Vec<String>,
    /// Modules in the same file: `mod text { .. }`.
    pub(crate) inline: Vec<(String, Source)>,
    /// Items that stand here, by name.
    pub(crate) items: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// Paths in code, signatures and macro calls.
    pub(crate) paths: Vec<Path>,
}

/// A leaf of a `use`.
pub(crate) struct Import {
    /// The name here; `*` for all names of a module.
    pub(crate) name: String,
    pub(crate) path: Path,
    /// `pub use`, with any visibility: the module passes the name on and need not use it.
    pub(crate) exported: bool,
}

impl Source {
    /// # Panics
    ///
    /// If the text is not Rust.
    pub(crate) fn read(text: &str) -> Self {
        let tokens: TokenStream = text.parse().expect("a file of Rust");
        Self::of(tokens)
    }

    fn of(tokens: TokenStream) -> Self {
        let mut source = Self::default();
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            let (item, after) = rest.split_at(item_length(rest));
            if !is_for_tests(item) {
                source.add(item);
            }
            rest = after;
        }
        source
    }

    fn add(&mut self, item: &[TokenTree]) {
        let Some((keyword, after)) = keyword(item) else {
            return self.add_paths(item);
        };
        match keyword.as_str() {
            "use" => {
                let exported = item.iter().any(|token| is_ident(token, "pub"));
                let mut leaves = Vec::new();
                add_leaves(after, &[], &mut leaves);
                self.imports
                    .extend(leaves.into_iter().map(|(name, path)| Import {
                        name,
                        path,
                        exported,
                    }));
            }
            "mod" => match after {
                [TokenTree::Ident(name), TokenTree::Group(body), ..] => {
                    let inline = Self::of(body.stream());
                    self.inline.push((name.to_string(), inline));
                }
                [TokenTree::Ident(name), ..] => self.children.push(name.to_string()),
                _ => {}
            },
            _ => {
                let name = after.iter().find_map(|token| match token {
                    TokenTree::Ident(name) if name != "mut" => Some(name.to_string()),
                    _ => None,
                });
                self.items
                    .extend(name.filter(|_| keyword.as_str() != "impl"));
                self.add_paths(item);
            }
        }
    }

    /// Adds each path among the tokens, and in the groups below them.
    fn add_paths(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => {
                    let inside: Vec<_> = group.stream().into_iter().collect();
                    self.add_paths(&inside);
                    at += 1;
                }
                TokenTree::Ident(_) => {
                    let (leaves, length) = path(tokens.split_at(at).1);
                    if !is_member(tokens, at, length) {
                        self.paths.extend(leaves.into_iter().map(|(_, path)| path));
                    }
                    at += length;
                }
                _ => at += 1,
            }
        }
    }
}

/// An item ends with its `;` or its `{ .. }`; a `use` always with its `;`.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_use = keyword(tokens).is_some_and(|(keyword, _)| keyword == "use");
    let end = tokens.iter().position(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
        _ => false,
    });
    end.map_or(tokens.len(), |end| end + 1)
}

/// The word that says what an item is, and the tokens after it.
fn keyword(item: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    const KEYWORDS: [&str; 12] = [
        "use",
        "mod",
        "fn",
        "struct",
        "enum",
        "union",
        "trait",
        "type",
        "const",
        "static",
        "macro_rules",
        "impl",
    ];
    for (at, token) in item.iter().enumerate() {
        let TokenTree::Ident(word) = token else {
            continue;
        };
        let is_const_fn = item.get(at + 1).is_some_and(|next| is_ident(next, "fn"));
        if KEYWORDS.iter().any(|it| word == it) && !is_const_fn {
            return Some((word.to_string(), item.split_at(at + 1).1));
        }
    }
    None
}

/// `#[cfg(test)]`, `#[cfg(all(test, ..))]`, or a module with the name `tests`. What
/// `cfg(any(test, ..))` admits is no code for tests alone.
fn is_for_tests(item: &[TokenTree]) -> bool {
    let attributes = item.windows(2).filter_map(|pair| match pair {
        [TokenTree::Punct(hash), TokenTree::Group(attribute)] if hash.as_char() == '#' => {
            Some(attribute.stream().to_string().replace(' ', ""))
        }
        _ => None,
    });
    let mut attributes = attributes;
    attributes.any(|it| it.starts_with("cfg(test)") || it.starts_with("cfg(all(test"))
        || keyword(item).is_some_and(|(keyword, after)| {
            keyword == "mod" && after.first().is_some_and(|name| is_ident(name, "tests"))
        })
}

/// The path that begins with the first token, or the paths if it ends in `{ .. }`; and how many
/// tokens it takes.
fn path(tokens: &[TokenTree]) -> (Vec<(String, Path)>, usize) {
    let mut path = Vec::new();
    let mut at = 0;
    while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
        path.push(segment.to_string().trim_start_matches("r#").to_owned());
        at += 1;
        if !is_separator(tokens, at) {
            break;
        }
        at += 2;
        if let Some(TokenTree::Group(group)) = tokens.get(at)
            && group.delimiter() == Delimiter::Brace
        {
            let inside: Vec<_> = group.stream().into_iter().collect();
            let mut leaves = Vec::new();
            add_leaves(&inside, &path, &mut leaves);
            return (leaves, at + 1);
        }
    }
    let name = path.last().cloned().unwrap_or_default();
    (vec![(name, path)], at)
}

/// Adds the leaves of a `use`, each with its name and its path.
fn add_leaves(tree: &[TokenTree], prefix: &[String], leaves: &mut Vec<(String, Path)>) {
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';'));
    for branch in tree.split(is_end) {
        if branch.is_empty() || is_separator(branch, 0) {
            continue;
        }
        let (below, length) = path(branch);
        let renamed = match branch.split_at(length).1 {
            [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "as" => {
                Some(name.to_string())
            }
            [TokenTree::Punct(star), ..] if star.as_char() == '*' => Some("*".to_owned()),
            _ => None,
        };
        for (name, path) in below {
            let path = [prefix, &path].concat();
            // `text::{self, Parts}` imports `text`.
            let (name, path) = match path.split_last() {
                Some((last, module)) if last == "self" && !module.is_empty() => {
                    (module.last().cloned().unwrap_or_default(), module.to_vec())
                }
                _ => (name, path),
            };
            leaves.push((renamed.clone().unwrap_or(name), path));
        }
    }
}

/// A field, a method, a lifetime, or the rest of a path that does not begin here.
fn is_member(tokens: &[TokenTree], at: usize, length: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let follows = |mark| matches!(before, Some(TokenTree::Punct(it)) if it.as_char() == mark);
    let is_tail = at >= 2 && is_separator(tokens, at - 2);
    let after = at + length;
    let is_named = matches!(tokens.get(after), Some(TokenTree::Punct(it)) if it.as_char() == ':')
        && !is_separator(tokens, after);
    follows('.') || follows('\'') || is_tail || (is_named && length == 1)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == ':');
    is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
}

fn is_ident(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}
