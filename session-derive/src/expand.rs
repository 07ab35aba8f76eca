//! Writes a model down as Rust: constants, and two methods that walk them; cannot fail.
//!
//! Where rustc may find fault with a field, the tokens that it would blame carry the spans of what
//! the user wrote: the type, the rule, the default.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Generics, Ident, WherePredicate, parse_quote};

use crate::model::{Absence, Field, Head, Model, Slice, Storage};

/// Everything that is generated for a struct.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let Model {
        head,
        slice,
        fields,
    } = model;
    let slice = match slice {
        Slice::Top => quote!(__sessile::Slice::Top),
        Slice::Named(name) => quote!(__sessile::Slice::Named(#name)),
    };
    let stored = fields.iter().filter(|field| field.is_stored());
    let columns = stored.clone().map(constant_name);
    let loads = fields.iter().map(load);
    let encodes = stored.map(encode);
    let session_data = quote! {
        const SLICE: __sessile::Slice<'static> = #slice;
        const FIELDS: &'static [&'static dyn __sessile::Field] = &[#(Self::#columns),*];

        fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
            ::core::option::Option::Some(Self { #(#loads),* })
        }

        fn encode(&self, __into: &mut __sessile::Encoded) {
            #(#encodes)*
        }
    };
    let constants: TokenStream = fields.iter().map(constant).collect();
    implement(head, bounds(model), &constants, &session_data)
}

/// Puts what differs from struct to struct into what is the same for all.
pub(crate) fn implement(
    head: &Head<'_>,
    bounds: Vec<WherePredicate>,
    constants: &TokenStream,
    session_data: &TokenStream,
) -> TokenStream {
    let Head {
        facade,
        ident,
        generics,
        allowed,
    } = head;
    let extracted = with_state(generics);
    let (impl_extracted, _, where_extracted) = extracted.split_for_impl();
    let bounded = with_bounds(generics, bounds);
    let (impl_generics, ty_generics, where_clause) = bounded.split_for_impl();
    let inherent = (!constants.is_empty()).then(|| {
        quote! {
            use __sessile::{ByEq as _, ByJson as _};

            #[automatically_derived]
            impl #impl_generics #ident #ty_generics #where_clause {
                #constants
            }
        }
    });

    quote! {
        #(#[allow(#allowed)])*
        const _: () = {
            use #facade::__private as __sessile;

            #inherent

            #[automatically_derived]
            impl #impl_generics __sessile::SessionData for #ident #ty_generics #where_clause {
                #session_data
            }

            #[automatically_derived]
            impl #impl_extracted __sessile::FromRequestParts<__S>
            for #ident #ty_generics #where_extracted {
                type Rejection = __sessile::SessionRejection;

                async fn from_request_parts(
                    __parts: &mut __sessile::Parts,
                    __state: &__S,
                ) -> ::core::result::Result<Self, Self::Rejection> {
                    __sessile::copy(__parts).await
                }
            }

            #[automatically_derived]
            impl #impl_extracted __sessile::OptionalFromRequestParts<__S>
            for #ident #ty_generics #where_extracted {
                type Rejection = __sessile::SessionRejection;

                async fn from_request_parts(
                    __parts: &mut __sessile::Parts,
                    __state: &__S,
                ) -> ::core::result::Result<::core::option::Option<Self>, Self::Rejection> {
                    __sessile::optional_copy(__parts).await
                }
            }
        };
    }
}

/// What is known of a field: its column, or where it is not stored, its value.
fn constant(field: &Field<'_>) -> TokenStream {
    let Field {
        ident: _,
        ty,
        allowed,
        absence,
        storage,
    } = field;
    let name = constant_name(field);
    let default = match absence {
        Absence::TypesDefault => Some(blaming(ty, quote!(__sessile::default))),
        Absence::Value(value) => Some(quote!(|| #value)),
        Absence::OfStruct => None,
    };
    let constant = match storage {
        Storage::Skipped => quote!(#name: fn() -> #ty = #default),
        Storage::Stored {
            keys,
            merge,
            privilege,
        } => {
            let keys = keys.iter().map(|key| &key.text);
            let json = blaming(ty, quote!(__sessile::json()));
            let default = option(default);
            let merge = option(
                merge
                    .as_ref()
                    .map(|rule| quote!(<#rule as __sessile::Rule<#ty>>::merge)),
            );
            quote! {
                #name: &'static __sessile::Column<#ty> = &__sessile::Column {
                    keys: &[#(#keys),*],
                    json: #json,
                    default: #default,
                    same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                    merge: #merge,
                    privilege: #privilege,
                }
            }
        }
    };
    quote! {
        #(#[allow(#allowed)])*
        const #constant;
    }
}

fn option(tokens: Option<TokenStream>) -> TokenStream {
    tokens.map_or_else(
        || quote!(::core::option::Option::None),
        |tokens| quote!(::core::option::Option::Some(#tokens)),
    )
}

fn constant_name(field: &Field<'_>) -> Ident {
    format_ident!("__{}", field.ident.unraw(), span = Span::call_site())
}

fn load(field: &Field<'_>) -> TokenStream {
    let (ident, constant) = (field.ident, constant_name(field));
    match field.storage {
        Storage::Stored { .. } => quote!(#ident: Self::#constant.load(__from)?),
        Storage::Skipped => quote!(#ident: (Self::#constant)()),
    }
}

fn encode(field: &Field<'_>) -> TokenStream {
    let (ident, constant) = (field.ident, constant_name(field));
    quote!(Self::#constant.encode(&self.#ident, __into);)
}

/// Gives generated tokens the place of those that the user wrote, so that rustc's errors show them.
///
/// The first token takes the place of the first, and the others that of the last: rustc draws its
/// line from the one to the other.
fn blaming(written: impl ToTokens, generated: TokenStream) -> TokenStream {
    let mut places = written
        .into_token_stream()
        .into_iter()
        .map(|token| token.span());
    let Some(first) = places.next() else {
        return generated;
    };
    let last = places.last().unwrap_or(first);
    let spans = std::iter::once(first).chain(std::iter::repeat(last));
    let place = |(mut token, span): (TokenTree, Span)| {
        token.set_span(span);
        token
    };
    generated.into_iter().zip(spans).map(place).collect()
}

/// Adds what a session asks of every parameter, and what is asked of this struct's.
fn with_bounds(generics: &Generics, bounds: Vec<WherePredicate>) -> Generics {
    let mut bounded = generics.clone();
    let predicates = &mut bounded.make_where_clause().predicates;
    for param in generics.lifetimes() {
        let lifetime = &param.lifetime;
        predicates.push(parse_quote!(#lifetime: 'static));
    }
    for param in generics.type_params() {
        let ty = &param.ident;
        predicates.push(parse_quote!(#ty: ::core::marker::Send + ::core::marker::Sync + 'static));
    }
    predicates.extend(bounds);
    bounded
}

/// Adds the state of a router, which no session looks at.
fn with_state(generics: &Generics) -> Generics {
    let mut extracted = generics.clone();
    if !generics.params.is_empty() {
        let predicates = &mut extracted.make_where_clause().predicates;
        predicates.push(parse_quote!(Self: __sessile::SessionData));
    }
    let state = parse_quote!(__S: ::core::marker::Send + ::core::marker::Sync);
    extracted.params.push(state);
    extracted
}

/// What the fields ask of the struct's parameters: where a type names one, rustc can check it only
/// once the parameter is known.
fn bounds(model: &Model<'_>) -> Vec<WherePredicate> {
    let params = params(model.head.generics);
    let mut bounds = Vec::new();
    for field in &model.fields {
        let Field { ty, storage, .. } = field;
        let generic = mentions(ty, &params);
        if generic && matches!(field.absence, Absence::TypesDefault) {
            bounds.push(parse_quote!(#ty: __sessile::HasDefault));
        }
        let Storage::Stored { merge, .. } = storage else {
            continue;
        };
        if generic {
            bounds.push(parse_quote!(#ty: __sessile::Stored));
        }
        if let Some(rule) = merge
            && (generic || mentions(rule, &params))
        {
            bounds.push(parse_quote!(#rule: __sessile::Rule<#ty>));
        }
    }
    bounds
}

fn params(generics: &Generics) -> Vec<&Ident> {
    let types = generics.type_params().map(|param| &param.ident);
    let consts = generics.const_params().map(|param| &param.ident);
    types.chain(consts).collect()
}

fn mentions(tokens: impl ToTokens, params: &[&Ident]) -> bool {
    let mut tokens = tokens.into_token_stream().into_iter();
    tokens.any(|token| match token {
        TokenTree::Ident(ident) => params.contains(&&ident),
        TokenTree::Group(group) => mentions(group.stream(), params),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
