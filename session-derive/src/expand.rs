//! Writes a model down as Rust: constants, and two methods that walk them; cannot fail.
//!
//! Where rustc may find fault with a field, the tokens that it would blame carry the spans of what
//! the user wrote: the type, the rule, the default.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Generics, Ident, WherePredicate, parse_quote};

use crate::model::{Absence, Field, Head, Model, Role, Slice, Storage, allowed};

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

        fn encode(&self, __into: &mut __sessile::Writer<'_>) {
            #(#encodes)*
        }
    };
    let body = Body {
        bounds: bounds(model),
        constants: fields.iter().map(constant).collect(),
        session_data,
        encode_owner: fields
            .iter()
            .filter(|field| field.is_owner())
            .map(encode_owner)
            .collect(),
    };
    implement(head, body)
}

/// What differs from struct to struct.
#[derive(Default)]
pub(crate) struct Body {
    pub(crate) bounds: Vec<WherePredicate>,
    pub(crate) constants: TokenStream,
    pub(crate) session_data: TokenStream,
    pub(crate) encode_owner: TokenStream,
}

/// Puts what differs from struct to struct into what is the same for all.
pub(crate) fn implement(head: &Head<'_>, body: Body) -> TokenStream {
    let Head {
        facade,
        ident,
        generics,
        allowed,
        owner,
    } = head;
    let Body {
        bounds,
        constants,
        session_data,
        encode_owner,
    } = body;
    let extractors = extractors(ident, generics);
    let bounded = with_bounds(generics, bounds);
    let (impl_generics, ty_generics, where_clause) = bounded.split_for_impl();
    let inherent = (!constants.is_empty()).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #ident #ty_generics #where_clause {
                #constants
            }
        }
    });
    let owned = owner.map(|field| {
        let owner_type = owner_type(field);
        quote! {
            #[automatically_derived]
            impl #impl_generics __sessile::Owned for #ident #ty_generics #where_clause {
                #owner_type

                fn encode_owner(__owner: &Self::Owner, __into: &mut __sessile::Writer<'_>) {
                    #encode_owner
                }
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

            #owned

            #extractors
        };
    }
}

/// A copy to read, and one if there is one: they ask only that the struct is a session.
fn extractors(ident: &Ident, generics: &Generics) -> TokenStream {
    let (_, ty_generics, _) = generics.split_for_impl();
    let extracted = with_state(generics);
    let (impl_extracted, _, where_extracted) = extracted.split_for_impl();
    quote! {
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
    }
}

fn owner_type(field: &syn::Field) -> TokenStream {
    let (ty, allowed) = (&field.ty, allowed(&field.attrs));
    // Of a type that is more private than the struct, rustc blames the whole item.
    let (begin, end) = (blaming(ty, quote!(type Owner =)), blaming(ty, quote!(;)));
    quote!(#(#[allow(#allowed)])* #begin #ty #end)
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
        Storage::Stored { keys, role } => {
            let keys = keys.iter().map(|key| &key.text);
            let json = blaming(ty, quote!(__sessile::json()));
            let default = option(default);
            let (merge, privilege, owner) = match role {
                Role::Value { merge } => (merge.as_ref(), false, false),
                Role::Privilege => (None, true, false),
                Role::Owner => (None, true, true),
            };
            let merge = option(merge.map(|rule| quote!(<#rule as __sessile::Rule<#ty>>::merge)));
            quote! {
                #name: &'static __sessile::Column<#ty> = &__sessile::Column {
                    keys: &[#(#keys),*],
                    json: #json,
                    default: #default,
                    merge: #merge,
                    privilege: #privilege,
                    owner: #owner,
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

fn encode_owner(field: &Field<'_>) -> TokenStream {
    let constant = constant_name(field);
    quote!(Self::#constant.encode(__owner, __into);)
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
        let Storage::Stored { role, .. } = storage else {
            continue;
        };
        if generic {
            bounds.push(parse_quote!(#ty: __sessile::Stored));
        }
        if let Role::Value { merge: Some(rule) } = role
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
