//! What cannot be meant: one function for each rule, under the sentence that it enforces.

use quote::quote;
use syn::ext::IdentExt;
use syn::{
    Expr, GenericArgument, Generics, Ident, LitStr, Path, PathArguments, Type, TypePath,
    TypeReference,
};

use crate::attr::Given;
use crate::diag::{Errors, article};

/// Flattened fields stand in no slice that could have a name.
pub(super) fn reject_name_with_flatten(
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
pub(super) fn reject_required_with_default(
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

/// A session is one user's.
pub(super) fn reject_other_owners<'a>(
    ident: &Ident,
    owner: &Ident,
    others: impl Iterator<Item = &'a Ident>,
    errors: &mut Errors,
) {
    let field = owner.unraw();
    for option in others {
        errors.reject(
            option,
            format!("`{field}` is already the `{option}` of `{ident}`: keep one of them"),
        );
    }
}

/// A struct whose fields all have a value is there for everybody, and proves nothing of anybody.
pub(super) fn reject_owner_of_everybody(
    owner: Option<&Given<()>>,
    is_always_there: bool,
    ty: &Type,
    errors: &mut Errors,
) {
    if let Some(Given { option, .. }) = owner
        && is_always_there
        && !is_option(ty)
    {
        let article = article(&option.to_string());
        errors.reject(
            option,
            format!("{article} `{option}` field needs `required`, or to be an `Option`: a visitor who has not signed in would have its default"),
        );
    }
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|segment| segment.ident == "Option")
}

/// Whoever the visitor is decides what the visitor may do.
pub(super) fn reject_owner_with_privilege(
    owner: Option<&Given<()>>,
    privilege: Option<&Given<()>>,
    errors: &mut Errors,
) {
    if let (Some(Given { option: owner, .. }), Some(Given { option, .. })) = (owner, privilege) {
        let article = article(&owner.to_string());
        errors.reject(
            option,
            format!("{article} `{owner}` field is a `{option}` already: remove `{option}`"),
        );
    }
}

/// Of two requests that change a privilege at once, the id of the later one is dead.
pub(super) fn reject_privilege_with_merge(
    privilege: Option<&Given<()>>,
    merge: Option<&Given<TypePath>>,
    errors: &mut Errors,
) {
    if let (Some(privilege), Some(Given { option, .. })) = (privilege, merge) {
        let privilege = &privilege.option;
        let article = article(&privilege.to_string());
        errors.reject(
            option,
            format!("a change of {article} `{privilege}` field ends the old id, so that no other change is left to merge: remove `{option}` or `{privilege}`"),
        );
    }
}

/// What says how a field is stored means nothing where it is not.
pub(super) fn reject_on_skipped<T>(
    skip: &Given<()>,
    other: Option<&Given<T>>,
    errors: &mut Errors,
) {
    if let Some(Given { option, .. }) = other {
        let skip = &skip.option;
        errors.reject(
            option,
            format!("`{option}` has no effect on a skipped field: remove `{option}` or `{skip}`"),
        );
    }
}

const OUTLIVES: &str =
    "a session outlives the request it was loaded for, so it cannot borrow: use owned fields";

/// A session is gone from memory before the next request.
pub(super) fn reject_borrows<'a>(
    generics: &Generics,
    stored: impl Iterator<Item = &'a Type>,
    errors: &mut Errors,
) {
    if generics.lifetimes().next().is_none() {
        for TypeReference {
            and_token,
            lifetime,
            ..
        } in stored.flat_map(references)
        {
            errors.reject(quote!(#and_token #lifetime), OUTLIVES);
        }
    }
    for param in generics.lifetimes() {
        errors.reject(&param.lifetime, OUTLIVES);
    }
}

/// What a type borrows. A stored value is read back into new memory, so not even `&'static str` can
/// be one.
pub(super) fn references(ty: &Type) -> Vec<&TypeReference> {
    match ty {
        Type::Reference(reference) => vec![reference],
        Type::Path(path) => arguments(&path.path).flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn arguments(path: &Path) -> impl Iterator<Item = &Type> {
    let arguments = path
        .segments
        .iter()
        .filter_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
            PathArguments::None | PathArguments::Parenthesized(_) => None,
        });
    arguments.flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
