#![deny(warnings)]
#![allow(dead_code)]

use std::any::TypeId;
use std::marker::PhantomData;

use sessile::{Owned, Session, SessionData};

#[derive(Session)]
struct Required {
    #[session(required, owner)]
    user: String,
    theme: String,
}

#[derive(Session)]
struct Default {
    #[session(owner, default = 1)]
    user: u64,
}

#[derive(Session)]
#[session(rename_all = "camelCase")]
struct Renamed {
    theme: String,
    #[session(required, owner, rename = "uid", alias = "user_id", alias = "u")]
    user: u64,
}

#[derive(Session)]
struct Absent {
    #[session(owner)]
    user: Option<u64>,
}

#[derive(Session)]
#[session(flatten)]
struct Flat {
    #[session(required, owner)]
    r#type: u8,
    owner: u8,
}

#[derive(Session)]
struct Generic<Owner, const N: usize = 2, S = ()>
where
    Owner: Clone,
{
    #[session(required, owner)]
    users: [Owner; N],
    #[session(skip)]
    state: PhantomData<S>,
}

/// Has no `==`, and no `Default`.
#[derive(serde::Serialize, serde::Deserialize)]
struct Tenant {
    name: String,
}

#[derive(Session)]
pub(crate) struct Opaque {
    #[session(required, owner)]
    tenant: Tenant,
}

#[deprecated]
#[derive(serde::Serialize, serde::Deserialize)]
struct OldId(u64);

#[derive(Session)]
struct Deprecated {
    #[allow(deprecated)]
    #[session(required, owner)]
    user: OldId,
}

macro_rules! account {
    ($name:ident, $owner:ty) => {
        #[derive(Session)]
        struct $name {
            #[session(required, owner)]
            user: $owner,
        }
    };
}

account!(FromAMacro, Vec<u8>);

/// That `T` is owned by an `O`, and which keys its owner is read from.
fn owner<T: Owned<Owner = O>, O: 'static>() -> &'static [&'static str] {
    assert_eq!(TypeId::of::<T::Owner>(), TypeId::of::<O>());
    let mut owners = T::FIELDS.iter().filter(|field| field.is_owner());
    let owner = owners.next().expect("a field is the owner");
    assert!(owner.is_privilege());
    assert!(owners.next().is_none());
    owner.keys()
}

fn owns_by_method<T: Owned>(_: &Session<T>, _owner: &T::Owner) {}

async fn handler(required: Session<Required>, generic: Session<Generic<String>>) {
    owns_by_method(&required, &"ada".to_owned());
    owns_by_method(&generic, &["ada".to_owned(), "eve".to_owned()]);
}

fn main() {
    assert_eq!(owner::<Required, String>(), ["user"]);
    assert_eq!(owner::<Default, u64>(), ["user"]);
    assert_eq!(owner::<Renamed, u64>(), ["uid", "user_id", "u"]);
    assert_eq!(owner::<Absent, Option<u64>>(), ["user"]);
    assert_eq!(owner::<Flat, u8>(), ["type"]);
    assert_eq!(owner::<Generic<u8>, [u8; 2]>(), ["users"]);
    assert_eq!(owner::<Opaque, Tenant>(), ["tenant"]);
    assert_eq!(owner::<FromAMacro, Vec<u8>>(), ["user"]);
    let privileges = Required::FIELDS.iter().map(|field| field.is_privilege());
    assert_eq!(privileges.collect::<Vec<_>>(), [true, false]);
    let _ = handler;
}
