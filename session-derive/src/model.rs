//! What a user means by a struct and its options, after every check: a [`Model`] cannot be wrong.

mod rules;

use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, Fields, Generics, Ident, Path, Token, Type, TypePath,
    parse_quote,
};

use self::rules::{
    references, reject_borrows, reject_name_with_flatten, reject_on_skipped, reject_other_owners,
    reject_owner_of_everybody, reject_owner_with_privilege, reject_privilege_with_merge,
    reject_required_with_default,
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
    /// The field that names the user of a session.
    pub(crate) owner: Option<&'a syn::Field>,
}

/// A field that is to name the user, and the word that says so.
struct Owner<'a> {
    ident: &'a Ident,
    field: &'a syn::Field,
    option: Ident,
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

    pub(crate) fn is_owner(&self) -> bool {
        matches!(
            self.storage,
            Storage::Stored {
                role: Role::Owner,
                ..
            }
        )
    }
}

pub(crate) enum Storage {
    Stored {
        /// The key that is written, then those that are also read.
        keys: Vec<Key>,
        role: Role,
    },
    Skipped,
}

/// What a change of a stored field means.
pub(crate) enum Role {
    /// It is joined with others: by the rule, or the later one wins.
    Value { merge: Option<TypePath> },
    /// The visitor may do something else.
    Privilege,
    /// The session is another user's.
    Owner,
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
    reject_name_with_flatten(name.as_ref(), flatten.as_ref(), &mut errors);

    let slice = match &flatten {
        Some(_) => Slice::Top,
        None => Slice::Named(keys::slice_name(&input.ident, name, &mut errors)),
    };
    let case = rename_all.map(|case| case.value);
    let mut owners = Vec::new();
    let fields: Vec<Field<'_>> = named_fields(input, &mut errors)
        .into_iter()
        .flatten()
        .map(|field| read_field(field, case, &mut owners, &mut errors))
        .collect();
    if let Some((first, others)) = owners.split_first() {
        let others = others.iter().map(|owner| &owner.option);
        reject_other_owners(&input.ident, first.ident, others, &mut errors);
    }
    let stored = fields.iter().filter(|field| field.is_stored());
    reject_borrows(&input.generics, stored.map(|field| field.ty), &mut errors);
    let stored = fields.iter().filter_map(|field| match &field.storage {
        Storage::Stored { keys, .. } => Some((field.ident, keys.as_slice())),
        Storage::Skipped => None,
    });
    if let Some(Given { option, .. }) = &flatten {
        keys::reject_names_of_express(stored.clone(), option, &mut errors);
    }
    keys::reject_alike(stored, &mut errors);

    let head = Head {
        facade: crate_path.map_or_else(|| parse_quote!(::sessile), |path| path.value),
        ident: &input.ident,
        generics: &input.generics,
        allowed: allowed(&input.attrs),
        owner: owners
            .into_iter()
            .map(|owner| owner.field)
            .find(|field| !elides(&field.ty)),
    };
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

fn read_field<'a>(
    field: &'a syn::Field,
    case: Option<Case>,
    owners: &mut Vec<Owner<'a>>,
    errors: &mut Errors,
) -> Field<'a> {
    let FieldAttrs {
        aliases,
        default,
        merge,
        owner,
        privilege,
        rename,
        required,
        skip,
    } = attr::read(&field.attrs, errors);
    let ident = field.ident.as_ref().expect("a named field has a name");
    reject_required_with_default(required.as_ref(), default.as_ref(), errors);
    owners.extend(owner.as_ref().map(|owner| Owner {
        ident,
        field,
        option: owner.option.clone(),
    }));
    let storage = if let Some(skip) = skip {
        reject_on_skipped(&skip, merge.as_ref(), errors);
        for flag in [&owner, &privilege, &required] {
            reject_on_skipped(&skip, flag.as_ref(), errors);
        }
        for key in rename.iter().chain(&aliases) {
            reject_on_skipped(&skip, Some(key), errors);
        }
        Storage::Skipped
    } else {
        let is_always_there = required.is_none() && default.is_none();
        reject_owner_of_everybody(owner.as_ref(), is_always_there, &field.ty, errors);
        Storage::Stored {
            keys: keys::of_field(ident, rename, aliases, case, errors),
            role: read_role(owner, privilege, merge, errors),
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

/// What is said of a change; `privilege` and `merge` exclude each other, and an owner is a privilege.
fn read_role(
    owner: Option<Given<()>>,
    privilege: Option<Given<()>>,
    merge: Option<Given<TypePath>>,
    errors: &mut Errors,
) -> Role {
    reject_owner_with_privilege(owner.as_ref(), privilege.as_ref(), errors);
    let rotates = owner.as_ref().or(privilege.as_ref());
    reject_privilege_with_merge(rotates, merge.as_ref(), errors);
    match (owner, privilege) {
        (Some(_), _) => Role::Owner,
        (None, Some(_)) => Role::Privilege,
        (None, None) => Role::Value {
            merge: merge.map(|rule| rule.value),
        },
    }
}

/// Whether a type leaves out a lifetime, so that it can stand nowhere else.
fn elides(ty: &Type) -> bool {
    let mut references = references(ty).into_iter();
    references.any(|reference| reference.lifetime.is_none())
}

/// What `#[allow]` names: generated code repeats the user's types and expressions, and must not warn
/// of what they may do.
pub(crate) fn allowed(attrs: &[Attribute]) -> Vec<&TokenStream> {
    let lists = attrs
        .iter()
        .filter_map(|attr| attr.meta.require_list().ok());
    lists
        .filter(|list| list.path.is_ident("allow") || list.path.is_ident("expect"))
        .map(|list| &list.tokens)
        .collect()
}
