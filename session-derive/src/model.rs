//! What a user means by a struct and its options, after every check: a [`Model`] cannot be wrong.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Data, DeriveInput, Expr, Fields, FieldsNamed, Generics, Ident, LitStr, Path, Type, TypePath,
    parse_quote,
};

use crate::attr::{self, FieldAttrs, Given, StructAttrs};
use crate::case::{self, Case};
use crate::diag::Errors;

/// A struct that is to live in a session.
pub(crate) struct Model<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) slice: Slice,
    pub(crate) fields: Vec<Field<'a>>,
}

/// What every generated item begins with, and what is known of a struct whatever is wrong with it.
pub(crate) struct Head<'a> {
    /// Where generated code finds the facade.
    pub(crate) facade: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
}

/// Where the struct stands in a record.
pub(crate) enum Slice {
    Top,
    Named(String),
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    /// The value of an absent or skipped field; the type's own without it.
    pub(crate) default: Option<Expr>,
    pub(crate) storage: Storage,
}

pub(crate) enum Storage {
    Stored {
        /// The key that is written, then those that are also read.
        keys: Vec<Key>,
        merge: Option<TypePath>,
    },
    Skipped,
}

pub(crate) struct Key {
    pub(crate) text: String,
    /// The literal that the user wrote for it, if any.
    literal: Option<LitStr>,
}

/// A struct with something wrong about it.
pub(crate) struct Rejected<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) errors: Errors,
}

/// Reads a whole struct and finds everything that is wrong with it.
pub(crate) fn read(input: &DeriveInput) -> Result<Model<'_>, Rejected<'_>> {
    let mut errors = Errors::default();
    let StructAttrs {
        crate_path,
        flatten,
        name,
        rename_all,
    } = attr::read(&input.attrs, &mut errors);
    let head = Head {
        facade: crate_path.map_or_else(|| parse_quote!(::sessile), |path| path.value),
        ident: &input.ident,
        generics: &input.generics,
    };
    reject_borrows(&input.generics, &mut errors);
    reject_name_with_flatten(name.as_ref(), flatten.as_ref(), &mut errors);

    let slice = match flatten {
        Some(_) => Slice::Top,
        None => Slice::Named(slice_name(&input.ident, name, &mut errors)),
    };
    let fields = match named_fields(input, &mut errors) {
        Some(fields) => read_fields(fields, rename_all.map(|case| case.value), &mut errors),
        None => Vec::new(),
    };
    reject_like_keys(&fields, &mut errors);

    if errors.is_empty() {
        Ok(Model {
            head,
            slice,
            fields,
        })
    } else {
        Err(Rejected { head, errors })
    }
}

/// The fields of a struct that has names for them.
fn named_fields<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<&'a FieldsNamed> {
    let not_a = |kind: &str| {
        let ident = &input.ident;
        format!(
            "`Session` can be derived for a struct, not {kind}: make `{ident}` the type of a field"
        )
    };
    let unnamed = "`Session` needs named fields: a field's name is the key it is stored under";
    match &input.data {
        Data::Enum(data) => errors.reject(data.enum_token, not_a("an enum")),
        Data::Union(data) => errors.reject(data.union_token, not_a("a union")),
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields),
            Fields::Unnamed(fields) => errors.reject(fields, unnamed),
            Fields::Unit => errors.reject(&input.ident, unnamed),
        },
    }
    None
}

fn slice_name(ident: &Ident, name: Option<Given<LitStr>>, errors: &mut Errors) -> String {
    let Some(Given { value: literal, .. }) = name else {
        return case::snake(&ident.unraw().to_string());
    };
    let name = literal.value();
    reject_unwritable("name", &name, &literal, errors);
    name
}

fn read_fields<'a>(
    fields: &'a FieldsNamed,
    case: Option<Case>,
    errors: &mut Errors,
) -> Vec<Field<'a>> {
    let mut read = Vec::new();
    for field in &fields.named {
        let attrs = attr::read(&field.attrs, errors);
        let ident = field.ident.as_ref().expect("a named field has a name");
        read.push(read_field(ident, &field.ty, attrs, case, errors));
    }
    read
}

fn read_field<'a>(
    ident: &'a Ident,
    ty: &'a Type,
    attrs: FieldAttrs,
    case: Option<Case>,
    errors: &mut Errors,
) -> Field<'a> {
    let FieldAttrs {
        aliases,
        default,
        merge,
        rename,
        skip,
    } = attrs;
    let storage = if let Some(skip) = skip {
        reject_on_skipped(&skip, merge.as_ref(), errors);
        for key in aliases.iter().chain(&rename) {
            reject_on_skipped(&skip, Some(key), errors);
        }
        Storage::Skipped
    } else {
        Storage::Stored {
            keys: keys(ident, rename, aliases, case, errors),
            merge: merge.map(|rule| rule.value),
        }
    };
    Field {
        ident,
        ty,
        default: default.map(|default| default.value),
        storage,
    }
}

fn keys(
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

/// A session lives in a store, where nothing can be borrowed from.
fn reject_borrows(generics: &Generics, errors: &mut Errors) {
    for param in generics.lifetimes() {
        errors.reject(
            &param.lifetime,
            "a session outlives the request it was loaded for, so it cannot borrow: use owned fields",
        );
    }
}

/// Flattened fields stand in no slice that could have a name.
fn reject_name_with_flatten(
    name: Option<&Given<LitStr>>,
    flatten: Option<&Given<()>>,
    errors: &mut Errors,
) {
    if let (Some(Given { option: name, .. }), Some(Given { option: flatten, .. })) = (name, flatten)
    {
        errors.reject(
            name,
            format!("`{name}` has no effect with `{flatten}`: remove `{name}` or `{flatten}`"),
        );
    }
}

/// What says how a field is stored means nothing where it is not.
fn reject_on_skipped<T>(skip: &Given<()>, other: Option<&Given<T>>, errors: &mut Errors) {
    if let Some(Given { option, .. }) = other {
        let skip = &skip.option;
        errors.reject(
            option,
            format!("`{option}` has no effect on a skipped field: remove `{option}` or `{skip}`"),
        );
    }
}

/// Keys are kept as JSON has them between its quotes, so one that JSON would escape has two forms.
fn reject_unwritable(what: &str, text: &str, at: impl ToTokens, errors: &mut Errors) {
    let escaped = |letter: &char| letter.is_control() || matches!(letter, '"' | '\\');
    if text.is_empty() {
        errors.reject(at, format!("a {what} cannot be empty"));
    } else if let Some(letter) = text.chars().find(escaped) {
        errors.reject(
            at,
            format!("a {what} cannot contain {letter:?}: JSON would write it differently"),
        );
    }
}

/// Each key is one field's.
fn reject_like_keys(fields: &[Field<'_>], errors: &mut Errors) {
    let mut taken: Vec<(&Ident, &Key)> = Vec::new();
    for field in fields {
        let Storage::Stored { keys, .. } = &field.storage else {
            continue;
        };
        for key in keys {
            match taken.iter().find(|(_, other)| other.text == key.text) {
                Some((owner, other)) => reject_like(owner, other, field.ident, key, errors),
                None => taken.push((field.ident, key)),
            }
        }
    }
}

/// Where only the earlier of two keys was written as a literal, that literal is what to edit.
fn reject_like(owner: &Ident, earlier: &Key, ident: &Ident, later: &Key, errors: &mut Errors) {
    let key = &later.text;
    let already = |owner: &Ident| format!("`{key}` is already the key of field `{owner}`");
    match (&earlier.literal, &later.literal) {
        (_, Some(literal)) => errors.reject(literal, already(owner)),
        (Some(literal), None) => errors.reject(literal, already(ident)),
        (None, None) => errors.reject(ident, already(owner)),
    }
}
