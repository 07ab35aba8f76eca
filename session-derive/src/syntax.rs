//! Splits `#[session(..)]` into options and their values; knows the name of none.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Ident, Meta, Token, Type, token};

use crate::diag::Errors;

/// What follows an option's name.
pub(crate) enum Value {
    Nothing,
    /// Tokens after `=`.
    Assigned(TokenStream),
    /// As in `rename("key")`, which no option takes.
    Enclosed(Group),
}

/// Splits an attribute into its options.
pub(crate) fn split(attr: &Attribute, errors: &mut Errors) -> Vec<(Ident, Value)> {
    let mut options = Vec::new();
    let Meta::List(list) = &attr.meta else {
        errors.reject(&attr.meta, "options stand in parentheses: `#[session(..)]`");
        return options;
    };
    let parsed = list.parse_args_with(|input: ParseStream<'_>| {
        while !input.is_empty() {
            match split_off(input) {
                Ok(option) => options.push(option),
                Err(error) => errors.push(error),
            }
            tokens_before_comma(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    });
    parsed.unwrap_or_else(|error| errors.push(error));
    options
}

fn split_off(input: ParseStream<'_>) -> syn::Result<(Ident, Value)> {
    let no_name = |_| input.error("expected the name of an option");
    let name = input.call(Ident::parse_any).map_err(no_name)?;
    let value = if input.peek(Token![=]) {
        Value::Assigned(assigned(&name, input)?)
    } else if input.peek(token::Paren) {
        Value::Enclosed(input.parse()?)
    } else {
        Value::Nothing
    };
    if !ends_option(input) {
        return Err(input.error(format!("expected `,` or `=` after `{name}`")));
    }
    Ok((name, value))
}

fn assigned(name: &Ident, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let equals: Token![=] = input.parse()?;
    if ends_option(input) {
        let message = format!("`{name}` has no value after `=`");
        return Err(syn::Error::new_spanned(equals, message));
    }
    // As an expression, `Rule<A, B>` ends at its comma; as a type, what a macro's `$value:expr`
    // stands for ends within.
    let readings = if input.peek(token::Group) {
        [whole::<Expr>, whole::<Type>]
    } else {
        [whole::<Type>, whole::<Expr>]
    };
    if let Some(tokens) = readings.iter().find_map(|whole| whole(input)) {
        return Ok(tokens);
    }
    let ahead = input.fork();
    match ahead.parse::<Expr>() {
        Ok(_) => Err(ahead.error("expected `,`")),
        Err(_) => tokens_before_comma(input),
    }
}

/// Takes the rest of an option, if it is a `T`.
fn whole<T: Parse + ToTokens>(input: ParseStream<'_>) -> Option<TokenStream> {
    let ahead = input.fork();
    let parsed: T = ahead.parse().ok()?;
    if !ends_option(&ahead) {
        return None;
    }
    input.advance_to(&ahead);
    Some(parsed.into_token_stream())
}

fn tokens_before_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !ends_option(input) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}

fn ends_option(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}
