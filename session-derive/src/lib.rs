//! The derive of sessile: `#[derive(Session)]`, which users take from `sessile`.
//!
//! A derive goes through its modules from the top: `syntax` splits the attributes, `attr` knows the
//! options, `keys` and `model` find out what is meant and everything that is wrong with it, `expand`
//! writes it down, `fallback` writes a stub beside errors.

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
///
/// In a handler, `Session<Visits>` is then the live struct, `Visits` a copy to read, and
/// `Option<Visits>` a copy too, if there is one. A change to a copy is not saved.
///
/// The struct has named fields and owns what it holds. The type of a field is one that serde writes
/// and reads back (`Serialize` and `DeserializeOwned`), and has a value for a session that holds none
/// yet: its `Default`, or what `default = …` says. No other derive is needed.
///
/// # Options of a struct
///
/// They stand in `#[session(..)]` above it.
///
/// | option | meaning |
/// |---|---|
/// | `name = "cart"` | The name under which the record holds the struct. Without it, the struct's name in `snake_case`: `ShoppingCart` is `shopping_cart`, `HTTPCache` is `http_cache`. Two structs of one application need two names. |
/// | `flatten` | The fields stand at the top level of the record, beside the other structs: what an Express app calls `req.session.page_views`. So no key is a name that an Express app drops or has of its own: `cookie`, the methods of its sessions (`id`, `req`, `save`, `touch`, `reload`, `destroy`, `regenerate`, `resetMaxAge`), what every object inherits (`constructor`, `toString`, `__proto__`, …). |
/// | `rename_all = "camelCase"` | How the fields' names become keys, as in serde: `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case` or `SCREAMING-KEBAB-CASE`. It leaves `rename` and `alias` as they are written. |
/// | `crate = my_crate::sessile` | The path of `sessile`, where it is not a dependency of its own: in a crate that re-exports it, `crate = $crate::sessile` in a macro. |
///
/// # Options of a field
///
/// They stand in `#[session(..)]` above it.
///
/// | option | meaning |
/// |---|---|
/// | `rename = "n"` | The key under which the field is stored. Without it, the field's name: that of `r#type` is `type`. |
/// | `alias = "old"` | A key that is also read, and written again where the value was found under it, so that an older binary still sees it. It may be given more than once. |
/// | `default = 10` | The value of the field where nothing is stored, or nothing that still decodes: any expression of the field's type, such as `Vec::with_capacity(8)`. It is stored once the field changes. On a skipped field, its value at each load. |
/// | `skip` | The field is not stored: at each load it has its default. Its type needs nothing from serde. |
/// | `merge = merge::Sum` | How the changes of two requests are joined, as the path of a type that implements `merge::Rule` for the field's type: `merge::Sum`, `merge::PerKey<merge::Max>`, or your own. Without it, the later writer wins, and only with what it changed. |
/// | `required` | The field has no default: where it is not stored, or no longer decodes, the whole struct is absent until `SessionHandle::insert` puts one in. `Session<Account>` and `Account` then answer 401, `Option<…>` is `None`. |
/// | `privilege` | What the visitor may do. A change gives the session a new id in the same commit, and the old id is dead; `insert` and `remove` of the struct do so always. A stored value that no longer decodes makes the whole struct absent. |
/// | `owner` | Whose session it is: the field's value names the user. It is a `privilege` with all that this means, and the struct is `Owned`, with the field's type as its `Owner`, which is to be as public as the struct. A struct has one, and it is `required`, or an `Option` of which `None` is nobody. Sessions are found by the owner's JSON, so equal owners must be written alike: no `HashMap`. |
///
/// A key or a name is neither empty nor has `"`, `\` or a control character in it, and no two fields
/// share one.
///
/// # Parameters
///
/// A struct may have type and const parameters; what its fields need of them is added to its bounds,
/// as is `Send + Sync + 'static`. It has no lifetimes: a session outlives the request.
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
