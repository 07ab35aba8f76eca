//! What stands beside an error.

use syn::Meta;

use super::*;

#[test]
fn a_mistake_leaves_a_stub_beside_its_error() {
    writes_first(
        &parse_quote! {
            struct Visits<'a, T> {
                #[session(defualt = 10)]
                page_views: &'a T,
            }
        },
        &expect![[r#"
            ::core::compile_error! {
                "unknown field option `defualt`, did you mean `default`?"
            }
            ::core::compile_error! {
                "a session outlives the request it was loaded for, so it cannot borrow: use owned fields"
            }
            const _: () = {
                use ::sessile::__private as __sessile;
                #[automatically_derived]
                impl<'a, T> __sessile::SessionData for Visits<'a, T>
                where
                    'a: 'static,
                    T: ::core::marker::Send + ::core::marker::Sync + 'static,
                {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Top;
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[];
                    fn load(_: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::None
                    }
                    fn encode(&self, _: &mut __sessile::Writer<'_>) {}
                }
            };
        "#]],
    );
}

#[test]
fn a_mistake_leaves_the_owner_in_its_place_unless_its_type_can_stand_nowhere_else() {
    writes_first(
        &parse_quote! {
            struct Account {
                #[session(owner, skip)]
                user: u64,
            }
        },
        &expect![[r#"
            ::core::compile_error! {
                "`owner` has no effect on a skipped field: remove `owner` or `skip`"
            }
            const _: () = {
                use ::sessile::__private as __sessile;
                #[automatically_derived]
                impl __sessile::SessionData for Account {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Top;
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[];
                    fn load(_: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::None
                    }
                    fn encode(&self, _: &mut __sessile::Writer<'_>) {}
                }
                #[automatically_derived]
                impl __sessile::Owned for Account {
                    type Owner = u64;
                    fn encode_owner(__owner: &Self::Owner, __into: &mut __sessile::Writer<'_>) {}
                }
            };
        "#]],
    );
    writes_first(
        &parse_quote! {
            struct Account {
                #[session(owner)]
                user: Option<&str>,
            }
        },
        &expect![[r#"
            ::core::compile_error! {
                "a session outlives the request it was loaded for, so it cannot borrow: use owned fields"
            }
            const _: () = {
                use ::sessile::__private as __sessile;
                #[automatically_derived]
                impl __sessile::SessionData for Account {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Top;
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[];
                    fn load(_: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::None
                    }
                    fn encode(&self, _: &mut __sessile::Writer<'_>) {}
                }
            };
        "#]],
    );
}

#[test]
fn whatever_express_drops_or_owns_is_no_key_at_the_top_level_and_is_one_elsewhere() {
    for &key in crate::keys::EXPRESS {
        let field = |option: Option<&Meta>| {
            let options = option.into_iter();
            crate::derive(&parse_quote! {
                #(#[session(#options)])*
                struct Visits {
                    #[session(rename = "seen", alias = #key)]
                    views: u64,
                    #[session(skip, default = #key)]
                    save: &'static str,
                }
            })
        };
        let flattened = field(Some(&parse_quote!(flatten))).to_string();
        assert_eq!(flattened.matches("compile_error").count(), 1, "{key}");
        let named = field(None).to_string();
        assert!(!named.contains("compile_error"), "{key}: {named}");
    }
}
