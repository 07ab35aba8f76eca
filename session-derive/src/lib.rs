//! The derive of sessile: `#[derive(Session)]`.

mod attr;
mod case;
mod diag;
mod expand;
mod fallback;
mod keys;
mod model;
mod syntax;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct live in a session.
#[proc_macro_derive(Session, attributes(session))]
pub fn derive_session(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    derive(&input).into()
}

fn derive(input: &DeriveInput) -> proc_macro2::TokenStream {
    match model::read(input) {
        Ok(model) => expand::expand(&model),
        Err(rejected) => fallback::expand(&rejected),
    }
}
