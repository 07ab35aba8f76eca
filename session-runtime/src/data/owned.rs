//! Says what names the user of a session; knows nothing of an index.

use super::{SessionData, Writer};

/// A struct that says whose session it is. `#[derive(Session)]` implements it where a field is marked
/// `#[session(owner)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no owner: mark the field that names its user with `#[session(owner)]`",
    label = "no field of this struct is marked `#[session(owner)]`"
)]
pub trait Owned: SessionData {
    /// The type of the marked field, which names the user.
    // No bound: what the type lacks is reported where the field's column is, and only there.
    type Owner;

    #[doc(hidden)]
    /// Writes an owner as its field is written.
    fn encode_owner(owner: &Self::Owner, into: &mut Writer<'_>);
}
