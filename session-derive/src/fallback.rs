//! Stub impls beside errors, so that a mistake in one struct is not one more in every handler.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::{Body, implement};
use crate::model::Rejected;

/// The errors, and a struct that has no fields as far as sessions know.
pub(crate) fn expand(rejected: &Rejected<'_>) -> TokenStream {
    let Rejected { head, errors } = rejected;
    let session_data = quote! {
        const SLICE: __sessile::Slice<'static> = __sessile::Slice::Top;
        const FIELDS: &'static [&'static dyn __sessile::Field] = &[];

        fn load(_: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
            ::core::option::Option::None
        }

        fn encode(&self, _: &mut __sessile::Writer<'_>) {}
    };
    let body = Body {
        session_data,
        ..Body::default()
    };
    let stub = implement(head, body);
    quote!(#errors #stub)
}
