//! What is written for fields that say who the visitor is, and what they may do.

use super::*;

#[test]
fn a_required_field_has_no_default_and_a_privilege_says_so() {
    writes_first(
        &parse_quote! {
            struct Account {
                #[session(required, privilege)]
                user: String,
            }
        },
        &expect![[r#"
            const _: () = {
                use ::sessile::__private as __sessile;
                #[automatically_derived]
                impl Account {
                    const __user: &'static __sessile::Column<String> = &__sessile::Column {
                        keys: &["user"],
                        json: __sessile::json(),
                        default: ::core::option::Option::None,
                        merge: ::core::option::Option::None,
                        privilege: true,
                        owner: false,
                    };
                }
                #[automatically_derived]
                impl __sessile::SessionData for Account {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Named("account");
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[Self::__user];
                    fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::Some(Self {
                            user: Self::__user.load(__from)?,
                        })
                    }
                    fn encode(&self, __into: &mut __sessile::Writer<'_>) {
                        Self::__user.encode(&self.user, __into);
                    }
                }
            };
        "#]],
    );
}

#[test]
fn an_owner_is_a_privilege_whose_type_is_known() {
    writes_first(
        &parse_quote! {
            struct Account<Id: Eq> {
                theme: u8,
                #[allow(deprecated)]
                #[session(required, owner)]
                user: Id,
            }
        },
        &expect![[r#"
            const _: () = {
                use ::sessile::__private as __sessile;
                #[automatically_derived]
                impl<Id: Eq> Account<Id>
                where
                    Id: ::core::marker::Send + ::core::marker::Sync + 'static,
                    Id: __sessile::Stored,
                {
                    const __theme: &'static __sessile::Column<u8> = &__sessile::Column {
                        keys: &["theme"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    #[allow(deprecated)]
                    const __user: &'static __sessile::Column<Id> = &__sessile::Column {
                        keys: &["user"],
                        json: __sessile::json(),
                        default: ::core::option::Option::None,
                        merge: ::core::option::Option::None,
                        privilege: true,
                        owner: true,
                    };
                }
                #[automatically_derived]
                impl<Id: Eq> __sessile::SessionData for Account<Id>
                where
                    Id: ::core::marker::Send + ::core::marker::Sync + 'static,
                    Id: __sessile::Stored,
                {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Named("account");
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[
                        Self::__theme,
                        Self::__user,
                    ];
                    fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::Some(Self {
                            theme: Self::__theme.load(__from)?,
                            user: Self::__user.load(__from)?,
                        })
                    }
                    fn encode(&self, __into: &mut __sessile::Writer<'_>) {
                        Self::__theme.encode(&self.theme, __into);
                        Self::__user.encode(&self.user, __into);
                    }
                }
                #[automatically_derived]
                impl<Id: Eq> __sessile::Owned for Account<Id>
                where
                    Id: ::core::marker::Send + ::core::marker::Sync + 'static,
                    Id: __sessile::Stored,
                {
                    #[allow(deprecated)]
                    type Owner = Id;
                    fn encode_owner(__owner: &Self::Owner, __into: &mut __sessile::Writer<'_>) {
                        Self::__user.encode(__owner, __into);
                    }
                }
            };
        "#]],
    );
}
