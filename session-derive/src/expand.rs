//! Writes a model down as Rust: constants and calls into the runtime; cannot fail.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, WherePredicate, parse_quote, parse_quote_spanned};

use crate::model::{Field, Head, Model, Slice, Storage};

/// Everything that is generated for a struct.
pub(crate) fn expand(model: &Model<'_>) -> TokenStream {
    let fields = &model.fields;
    let columns = fields.iter().filter_map(column);
    let slice = match &model.slice {
        Slice::Top => quote!(__sessile::Slice::Top),
        Slice::Named(name) => quote!(__sessile::Slice::Named(#name)),
    };
    let names = fields.iter().filter(is_stored).map(column_name);
    let loads = fields.iter().map(load);
    let encodes = fields.iter().filter(is_stored).map(|field| {
        let (column, ident) = (column_name(field), field.ident);
        quote!(Self::#column.encode(&self.#ident, __into);)
    });
    let session_data = quote! {
        const SLICE: __sessile::Slice<'static> = #slice;
        const FIELDS: &'static [&'static dyn __sessile::Field] = &[#(Self::#names),*];

        fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
            ::core::option::Option::Some(Self { #(#loads),* })
        }

        fn encode(&self, __into: &mut __sessile::Encoded) {
            #(#encodes)*
        }
    };
    implement(&model.head, &[], quote!(#(#columns)*), session_data)
}

/// Wraps what differs from struct to struct in what is the same for all.
pub(crate) fn implement(
    head: &Head<'_>,
    bounds: &[WherePredicate],
    columns: TokenStream,
    session_data: TokenStream,
) -> TokenStream {
    let Head {
        facade,
        ident,
        generics,
    } = head;
    let mut generics = (*generics).clone();
    let params: Vec<_> = generics.type_params().map(|param| param.ident.clone()).collect();
    let predicates = &mut generics.make_where_clause().predicates;
    for param in params {
        predicates.push(parse_quote!(#param: ::core::marker::Send + ::core::marker::Sync + 'static));
    }
    predicates.extend(bounds.iter().cloned());
    let mut with_state = generics.clone();
    with_state.params.push(parse_quote!(__S: ::core::marker::Send + ::core::marker::Sync));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (impl_with_state, _, _) = with_state.split_for_impl();

    quote! {
        const _: () = {
            use #facade::__private as __sessile;
            use __sessile::{ByEq as _, ByJson as _};

            #[automatically_derived]
            #[allow(non_upper_case_globals)]
            impl #impl_generics #ident #ty_generics #where_clause {
                #columns
            }

            #[automatically_derived]
            impl #impl_generics __sessile::SessionData for #ident #ty_generics #where_clause {
                #session_data
            }

            #[automatically_derived]
            impl #impl_with_state __sessile::FromRequestParts<__S> for #ident #ty_generics #where_clause {
                type Rejection = __sessile::SessionRejection;

                async fn from_request_parts(
                    __parts: &mut __sessile::Parts,
                    __state: &__S,
                ) -> ::core::result::Result<Self, Self::Rejection> {
                    __sessile::copy(__parts).await
                }
            }

            #[automatically_derived]
            impl #impl_with_state __sessile::OptionalFromRequestParts<__S> for #ident #ty_generics #where_clause {
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

fn is_stored(field: &&Field<'_>) -> bool {
    matches!(field.storage, Storage::Stored { .. })
}

fn column_name(field: &Field<'_>) -> Ident {
    format_ident!("__{}", field.ident.unraw(), span = Span::call_site())
}

fn column(field: &Field<'_>) -> Option<TokenStream> {
    let Storage::Stored { keys, merge } = &field.storage else {
        return None;
    };
    let name = column_name(field);
    let ty = field.ty;
    let keys = keys.iter().map(|key| &key.text);
    let default = default(field);
    let merge = match merge {
        None => quote!(::core::option::Option::None),
        Some(rule) => {
            let path = spanning(rule, |a, b| {
                let a = quote_spanned!(a=> <);
                let b = quote_spanned!(b=> merge);
                quote!(#a #rule as __sessile::Rule<_>>::#b)
            });
            quote!(::core::option::Option::Some(#path))
        }
    };
    let column = spanning(ty, |a, b| {
        let a = quote_spanned!(a=> __sessile);
        let b = quote_spanned!(b=> >);
        quote!(#a::Column<#ty #b)
    });
    Some(quote! {
        const #name: &'static #column = &__sessile::Column {
            keys: &[#(#keys),*],
            default: #default,
            same: |__a, __b| (&__sessile::Pair(__a, __b)).same(),
            merge: #merge,
        };
    })
}

fn default(field: &Field<'_>) -> TokenStream {
    match &field.default {
        Some(expr) => quote!(|| #expr),
        None => spanning(field.ty, |a, b| {
            let a = quote_spanned!(a=> __sessile);
            let b = quote_spanned!(b=> default);
            quote!(#a::#b)
        }),
    }
}

fn load(field: &Field<'_>) -> TokenStream {
    let ident = field.ident;
    let value = match field.storage {
        Storage::Stored { .. } => {
            let column = column_name(field);
            quote!(Self::#column.load(__from))
        }
        Storage::Skipped => match &field.default {
            Some(expr) => quote!(#expr),
            None => { let d = default(field); quote!(#d()) },
        }
    };
    quote!(#ident: #value)
}

/// Gives the spans of the first and the last token of `tokens` to `write`.
fn spanning(tokens: impl ToTokens, write: impl FnOnce(Span, Span) -> TokenStream) -> TokenStream {
    let spans: Vec<Span> = tokens
        .into_token_stream()
        .into_iter()
        .map(|token: TokenTree| token.span())
        .collect();
    match spans[..] {
        [first, .., last] => write(first, last),
        [only] => write(only, only),
        [] => write(Span::call_site(), Span::call_site()),
    }
}
