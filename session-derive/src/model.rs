//! What a user means by a struct and its options, after every check: a [`Model`] cannot be wrong.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, GenericArgument, Generics, Ident, LitStr, Path,
    PathArguments, Token, Type, TypePath, parse_quote,
};

use crate::attr::{self, FieldAttrs, Given, StructAttrs};
use crate::case::Case;
use crate::diag::Errors;
use crate::keys::{self, Key};

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
    /// The lints that the user allows for the struct.
    pub(crate) allowed: Vec<&'a TokenStream>,
}

/// Where the struct stands in a record.
pub(crate) enum Slice {
    Top,
    Named(String),
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    /// The lints that the user allows for the field.
    pub(crate) allowed: Vec<&'a TokenStream>,
    pub(crate) absence: Absence,
    pub(crate) storage: Storage,
}

/// What a field is where nothing is stored.
pub(crate) enum Absence {
    /// The type's own default.
    TypesDefault,
    Value(Expr),
    /// The whole struct is absent then.
    OfStruct,
}

impl Field<'_> {
    pub(crate) fn is_stored(&self) -> bool {
        matches!(self.storage, Storage::Stored { .. })
    }
}

pub(crate) enum Storage {
    Stored {
        /// The key that is written, then those that are also read.
        keys: Vec<Key>,
        merge: Option<TypePath>,
        privilege: bool,
    },
    Skipped,
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
        allowed: allowed(&input.attrs),
    };
    reject_name_with_flatten(name.as_ref(), flatten.as_ref(), &mut errors);

    let slice = match flatten {
        Some(_) => Slice::Top,
        None => Slice::Named(keys::slice_name(&input.ident, name, &mut errors)),
    };
    let case = rename_all.map(|case| case.value);
    let fields: Vec<Field<'_>> = named_fields(input, &mut errors)
        .into_iter()
        .flatten()
        .map(|field| read_field(field, case, &mut errors))
        .collect();
    reject_borrows(&input.generics, &fields, &mut errors);
    let stored = fields.iter().filter_map(|field| match &field.storage {
        Storage::Stored { keys, .. } => Some((field.ident, keys.as_slice())),
        Storage::Skipped => None,
    });
    keys::reject_alike(stored, &mut errors);

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
fn named_fields<'a>(
    input: &'a DeriveInput,
    errors: &mut Errors,
) -> Option<&'a Punctuated<syn::Field, Token![,]>> {
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
            Fields::Named(fields) => return Some(&fields.named),
            Fields::Unnamed(fields) => errors.reject(fields, unnamed),
            Fields::Unit => errors.reject(&input.ident, unnamed),
        },
    }
    None
}

fn read_field<'a>(field: &'a syn::Field, case: Option<Case>, errors: &mut Errors) -> Field<'a> {
    let FieldAttrs {
        aliases,
        default,
        merge,
        privilege,
        rename,
        required,
        skip,
    } = attr::read(&field.attrs, errors);
    let ident = field.ident.as_ref().expect("a named field has a name");
    reject_required_with_default(required.as_ref(), default.as_ref(), errors);
    reject_privilege_with_merge(privilege.as_ref(), merge.as_ref(), errors);
    let storage = if let Some(skip) = skip {
        reject_on_skipped(&skip, merge.as_ref(), errors);
        for flag in [&privilege, &required] {
            reject_on_skipped(&skip, flag.as_ref(), errors);
        }
        for key in rename.iter().chain(&aliases) {
            reject_on_skipped(&skip, Some(key), errors);
        }
        Storage::Skipped
    } else {
        Storage::Stored {
            keys: keys::of_field(ident, rename, aliases, case, errors),
            merge: merge.map(|rule| rule.value),
            privilege: privilege.is_some(),
        }
    };
    let absence = match default {
        _ if required.is_some() => Absence::OfStruct,
        Some(default) => Absence::Value(default.value),
        None => Absence::TypesDefault,
    };
    Field {
        ident,
        ty: &field.ty,
        allowed: allowed(&field.attrs),
        absence,
        storage,
    }
}

/// What `#[allow]` names: generated code repeats the user's types and expressions, and must not warn
/// of what they may do.
fn allowed(attrs: &[Attribute]) -> Vec<&TokenStream> {
    let lists = attrs
        .iter()
        .filter_map(|attr| attr.meta.require_list().ok());
    lists
        .filter(|list| list.path.is_ident("allow") || list.path.is_ident("expect"))
        .map(|list| &list.tokens)
        .collect()
}

const OUTLIVES: &str =
    "a session outlives the request it was loaded for, so it cannot borrow: use owned fields";

/// A session is gone from memory before the next request.
fn reject_borrows(generics: &Generics, fields: &[Field<'_>], errors: &mut Errors) {
    if generics.lifetimes().next().is_none() {
        let stored = fields.iter().filter(|field| field.is_stored());
        stored.for_each(|field| reject_references(field.ty, errors));
    }
    for param in generics.lifetimes() {
        errors.reject(&param.lifetime, OUTLIVES);
    }
}

/// A stored value is read back into new memory, so not even `&'static str` can be one.
fn reject_references(ty: &Type, errors: &mut Errors) {
    if let Type::Reference(reference) = ty {
        let (and, lifetime) = (&reference.and_token, &reference.lifetime);
        errors.reject(quote!(#and #lifetime), OUTLIVES);
    }
    let Type::Path(path) = ty else {
        return;
    };
    for segment in &path.path.segments {
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
            continue;
        };
        for argument in &arguments.args {
            if let GenericArgument::Type(ty) = argument {
                reject_references(ty, errors);
            }
        }
    }
}

/// Flattened fields stand in no slice that could have a name.
fn reject_name_with_flatten(
    name: Option<&Given<LitStr>>,
    flatten: Option<&Given<()>>,
    errors: &mut Errors,
) {
    if let (
        Some(Given { option: name, .. }),
        Some(Given {
            option: flatten, ..
        }),
    ) = (name, flatten)
    {
        errors.reject(
            name,
            format!("`{name}` has no effect with `{flatten}`: remove `{name}` or `{flatten}`"),
        );
    }
}

/// A field that must be there has no value for when it is not.
fn reject_required_with_default(
    required: Option<&Given<()>>,
    default: Option<&Given<Expr>>,
    errors: &mut Errors,
) {
    if let (Some(required), Some(Given { option, .. })) = (required, default) {
        let required = &required.option;
        errors.reject(
            option,
            format!("a `{required}` field is never absent, so it has no `{option}`: remove `{option}` or `{required}`"),
        );
    }
}

/// Of two requests that change a privilege at once, the id of the later one is dead.
fn reject_privilege_with_merge(
    privilege: Option<&Given<()>>,
    merge: Option<&Given<TypePath>>,
    errors: &mut Errors,
) {
    if let (Some(privilege), Some(Given { option, .. })) = (privilege, merge) {
        let privilege = &privilege.option;
        errors.reject(
            option,
            format!("a change of a `{privilege}` field ends the old id, so that no other change is left to merge: remove `{option}` or `{privilege}`"),
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
