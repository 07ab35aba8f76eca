//! Under which names a struct and its fields are stored; knows nothing of their types.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::attr::Given;
use crate::case::{self, Case};
use crate::diag::Errors;

pub(crate) struct Key {
    pub(crate) text: String,
    /// The literal that the user wrote for it, if any.
    literal: Option<LitStr>,
}

/// The name that a struct's slice has in the record.
pub(crate) fn slice_name(
    ident: &Ident,
    name: Option<Given<LitStr>>,
    errors: &mut Errors,
) -> String {
    let Some(Given { value: literal, .. }) = name else {
        return case::snake(&ident.unraw().to_string());
    };
    let name = literal.value();
    reject_unwritable("name", &name, &literal, errors);
    name
}

/// The key that a field is written under, then those that are also read.
pub(crate) fn of_field(
    ident: &Ident,
    rename: Option<Given<LitStr>>,
    aliases: Vec<Given<LitStr>>,
    case: Option<Case>,
    errors: &mut Errors,
) -> Vec<Key> {
    let mut keys = Vec::new();
    if rename.is_none() {
        let name = ident.unraw().to_string();
        let text = case.map_or(name.clone(), |case| case.apply(&name));
        reject_unwritable("key", &text, ident, errors);
        let literal = None;
        keys.push(Key { text, literal });
    }
    for Given { value: literal, .. } in rename.into_iter().chain(aliases) {
        let text = literal.value();
        reject_unwritable("key", &text, &literal, errors);
        let literal = Some(literal);
        keys.push(Key { text, literal });
    }
    keys
}

/// Each key is one field's.
pub(crate) fn reject_alike<'a>(
    fields: impl Iterator<Item = (&'a Ident, &'a [Key])>,
    errors: &mut Errors,
) {
    let mut taken: Vec<(&Ident, &Key)> = Vec::new();
    for (field, keys) in fields {
        for key in keys {
            match taken.iter().find(|(_, other)| other.text == key.text) {
                Some((owner, other)) => reject_pair((owner, other), (field, key), errors),
                None => taken.push((field, key)),
            }
        }
    }
}

/// Where only the earlier of two keys was written as a literal, that literal is what to edit.
fn reject_pair(earlier: (&Ident, &Key), later: (&Ident, &Key), errors: &mut Errors) {
    let already = |(owner, key): (&Ident, &Key)| {
        let (key, owner) = (&key.text, owner.unraw());
        format!("`{key}` is already the key of field `{owner}`")
    };
    match (&earlier.1.literal, &later.1.literal) {
        (_, Some(literal)) => errors.reject(literal, already(earlier)),
        (Some(literal), None) => errors.reject(literal, already(later)),
        (None, None) => errors.reject(later.0, already(earlier)),
    }
}

/// What a session in Express has of its own: its `cookie`, and what its `Session` object and every
/// other object inherit. A stored value of such a name is dropped at load and deleted at the next save.
pub(crate) const EXPRESS: &[&str] = &[
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "cookie",
    "destroy",
    "hasOwnProperty",
    "id",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "regenerate",
    "reload",
    "req",
    "resetMaxAge",
    "save",
    "toLocaleString",
    "toString",
    "touch",
    "valueOf",
];

/// Flattened fields may be an Express app's too.
pub(crate) fn reject_names_of_express<'a>(
    fields: impl Iterator<Item = (&'a Ident, &'a [Key])>,
    flatten: &Ident,
    errors: &mut Errors,
) {
    let all = fields.flat_map(|(field, keys)| keys.iter().map(move |key| (field, key)));
    for (field, Key { text, literal }) in all.filter(|(_, key)| is_of_express(key)) {
        let at = literal
            .as_ref()
            .map_or(field as &dyn ToTokens, |literal| literal);
        errors.reject(
            at,
            format!("Express drops or overwrites `{text}` at the top level of a record: choose another key, or remove `{flatten}`"),
        );
    }
}

fn is_of_express(key: &Key) -> bool {
    EXPRESS.contains(&key.text.as_str())
}

/// Keys are kept as JSON has them between its quotes, so one that JSON would escape has two forms.
fn reject_unwritable(what: &str, text: &str, at: impl ToTokens, errors: &mut Errors) {
    let escaped = |letter: &char| letter.is_control() || matches!(letter, '"' | '\\');
    if text.is_empty() {
        errors.reject(at, format!("a {what} cannot be empty"));
    } else if let Some(letter) = text.chars().find(escaped) {
        let letter = match letter {
            '"' | '\\' => letter.to_string(),
            control => control.escape_default().to_string(),
        };
        errors.reject(
            at,
            format!("a {what} cannot contain `{letter}`, which JSON escapes"),
        );
    }
}
