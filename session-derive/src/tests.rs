//! What the derive writes, to the letter. `UPDATE_EXPECT=1` takes over what it writes now.

use expect_test::{Expect, expect};
use syn::{DeriveInput, Expr, File, Item, Stmt, parse_quote};

fn writes(input: &DeriveInput, expected: &Expect) {
    let file = syn::parse2(crate::derive(input)).expect("the derive writes Rust");
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// Leaves out the extractors, which are the same for every struct without parameters.
fn writes_first(input: &DeriveInput, expected: &Expect) {
    let mut file: File = syn::parse2(crate::derive(input)).expect("the derive writes Rust");
    for item in &mut file.items {
        if let Item::Const(constant) = item
            && let Expr::Block(items) = &mut *constant.expr
        {
            items.block.stmts.retain(|item| !is_extractor(item));
        }
    }
    expected.assert_eq(&prettyplease::unparse(&file));
}

fn is_extractor(item: &Stmt) -> bool {
    let Stmt::Item(Item::Impl(item)) = item else {
        return false;
    };
    let Some((path, _)) = &item.trait_ else {
        return false;
    };
    let name = path.segments.last().map(|name| name.ident.to_string());
    name.is_some_and(|name| name.ends_with("FromRequestParts"))
}

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
                use __sessile::{ByEq as _, ByJson as _};
                #[automatically_derived]
                impl Account {
                    const __user: &'static __sessile::Column<String> = &__sessile::Column {
                        keys: &["user"],
                        json: __sessile::json(),
                        default: ::core::option::Option::None,
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
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
                    fn encode(&self, __into: &mut __sessile::Encoded) {
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
                use __sessile::{ByEq as _, ByJson as _};
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
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    #[allow(deprecated)]
                    const __user: &'static __sessile::Column<Id> = &__sessile::Column {
                        keys: &["user"],
                        json: __sessile::json(),
                        default: ::core::option::Option::None,
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
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
                    fn encode(&self, __into: &mut __sessile::Encoded) {
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
                    fn encode_owner(__owner: &Self::Owner, __into: &mut __sessile::Encoded) {
                        Self::__user.encode(__owner, __into);
                    }
                }
            };
        "#]],
    );
}

#[test]
fn a_struct_becomes_constants_and_methods_that_walk_them() {
    writes(
        &parse_quote! {
            struct Visits {
                #[session(merge = merge::Sum)]
                page_views: u64,
                #[session(skip)]
                cache: Cache,
            }
        },
        &expect![[r#"
            const _: () = {
                use ::sessile::__private as __sessile;
                use __sessile::{ByEq as _, ByJson as _};
                #[automatically_derived]
                impl Visits {
                    const __page_views: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["page_views"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::Some(
                            <merge::Sum as __sessile::Rule<u64>>::merge,
                        ),
                        privilege: false,
                        owner: false,
                    };
                    const __cache: fn() -> Cache = __sessile::default;
                }
                #[automatically_derived]
                impl __sessile::SessionData for Visits {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Named("visits");
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[Self::__page_views];
                    fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::Some(Self {
                            page_views: Self::__page_views.load(__from)?,
                            cache: (Self::__cache)(),
                        })
                    }
                    fn encode(&self, __into: &mut __sessile::Encoded) {
                        Self::__page_views.encode(&self.page_views, __into);
                    }
                }
                #[automatically_derived]
                impl<
                    __S: ::core::marker::Send + ::core::marker::Sync,
                > __sessile::FromRequestParts<__S> for Visits {
                    type Rejection = __sessile::SessionRejection;
                    async fn from_request_parts(
                        __parts: &mut __sessile::Parts,
                        __state: &__S,
                    ) -> ::core::result::Result<Self, Self::Rejection> {
                        __sessile::copy(__parts).await
                    }
                }
                #[automatically_derived]
                impl<
                    __S: ::core::marker::Send + ::core::marker::Sync,
                > __sessile::OptionalFromRequestParts<__S> for Visits {
                    type Rejection = __sessile::SessionRejection;
                    async fn from_request_parts(
                        __parts: &mut __sessile::Parts,
                        __state: &__S,
                    ) -> ::core::result::Result<::core::option::Option<Self>, Self::Rejection> {
                        __sessile::optional_copy(__parts).await
                    }
                }
            };
        "#]],
    );
}

#[test]
fn every_option_is_data() {
    writes_first(
        &parse_quote! {
            #[session(flatten, rename_all = "camelCase", crate = my::sessile)]
            pub struct ShoppingCart {
                kind: Kind,
                #[session(rename = "n", alias = "count", alias = "size")]
                item_count: u64,
                #[allow(clippy::unreadable_literal)]
                #[session(default = 1000000)]
                most_items: u64,
                #[session(skip, default = Cache::with_capacity(8))]
                cache: Cache,
            }
        },
        &expect![[r#"
            const _: () = {
                use my::sessile::__private as __sessile;
                use __sessile::{ByEq as _, ByJson as _};
                #[automatically_derived]
                impl ShoppingCart {
                    const __kind: &'static __sessile::Column<Kind> = &__sessile::Column {
                        keys: &["kind"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    const __item_count: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["n", "count", "size"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    #[allow(clippy::unreadable_literal)]
                    const __most_items: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["mostItems"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(|| 1000000),
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    const __cache: fn() -> Cache = || Cache::with_capacity(8);
                }
                #[automatically_derived]
                impl __sessile::SessionData for ShoppingCart {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Top;
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[
                        Self::__kind,
                        Self::__item_count,
                        Self::__most_items,
                    ];
                    fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::Some(Self {
                            kind: Self::__kind.load(__from)?,
                            item_count: Self::__item_count.load(__from)?,
                            most_items: Self::__most_items.load(__from)?,
                            cache: (Self::__cache)(),
                        })
                    }
                    fn encode(&self, __into: &mut __sessile::Encoded) {
                        Self::__kind.encode(&self.kind, __into);
                        Self::__item_count.encode(&self.item_count, __into);
                        Self::__most_items.encode(&self.most_items, __into);
                    }
                }
            };
        "#]],
    );
}

#[test]
fn a_parameter_gets_the_bounds_that_its_fields_ask_for() {
    writes_first(
        &parse_quote! {
            struct Paged<T = u8, const N: usize = 4>
            where
                T: Copy,
            {
                #[session(merge = merge::PerKey<R<T>>)]
                items: BTreeMap<u8, T>,
                #[session(skip, default = [0; N])]
                page: [u8; N],
                total: u64,
            }
        },
        &expect![[r#"
            const _: () = {
                use ::sessile::__private as __sessile;
                use __sessile::{ByEq as _, ByJson as _};
                #[automatically_derived]
                impl<T, const N: usize> Paged<T, N>
                where
                    T: Copy,
                    T: ::core::marker::Send + ::core::marker::Sync + 'static,
                    BTreeMap<u8, T>: __sessile::HasDefault,
                    BTreeMap<u8, T>: __sessile::Stored,
                    merge::PerKey<R<T>>: __sessile::Rule<BTreeMap<u8, T>>,
                {
                    const __items: &'static __sessile::Column<BTreeMap<u8, T>> = &__sessile::Column {
                        keys: &["items"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::Some(
                            <merge::PerKey<R<T>> as __sessile::Rule<BTreeMap<u8, T>>>::merge,
                        ),
                        privilege: false,
                        owner: false,
                    };
                    const __page: fn() -> [u8; N] = || [0; N];
                    const __total: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["total"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        same: |__a, __b| (&__sessile::Pair(__a, __b)).__same(),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                }
                #[automatically_derived]
                impl<T, const N: usize> __sessile::SessionData for Paged<T, N>
                where
                    T: Copy,
                    T: ::core::marker::Send + ::core::marker::Sync + 'static,
                    BTreeMap<u8, T>: __sessile::HasDefault,
                    BTreeMap<u8, T>: __sessile::Stored,
                    merge::PerKey<R<T>>: __sessile::Rule<BTreeMap<u8, T>>,
                {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Named("paged");
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[
                        Self::__items,
                        Self::__total,
                    ];
                    fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::Some(Self {
                            items: Self::__items.load(__from)?,
                            page: (Self::__page)(),
                            total: Self::__total.load(__from)?,
                        })
                    }
                    fn encode(&self, __into: &mut __sessile::Encoded) {
                        Self::__items.encode(&self.items, __into);
                        Self::__total.encode(&self.total, __into);
                    }
                }
            };
        "#]],
    );
}

#[test]
fn an_extractor_asks_only_that_its_struct_is_a_session() {
    writes(
        &parse_quote! {
            struct Marker<S: Copy> {}
        },
        &expect![[r#"
            const _: () = {
                use ::sessile::__private as __sessile;
                #[automatically_derived]
                impl<S: Copy> __sessile::SessionData for Marker<S>
                where
                    S: ::core::marker::Send + ::core::marker::Sync + 'static,
                {
                    const SLICE: __sessile::Slice<'static> = __sessile::Slice::Named("marker");
                    const FIELDS: &'static [&'static dyn __sessile::Field] = &[];
                    fn load(__from: &mut __sessile::Reader<'_>) -> ::core::option::Option<Self> {
                        ::core::option::Option::Some(Self {})
                    }
                    fn encode(&self, __into: &mut __sessile::Encoded) {}
                }
                #[automatically_derived]
                impl<
                    S: Copy,
                    __S: ::core::marker::Send + ::core::marker::Sync,
                > __sessile::FromRequestParts<__S> for Marker<S>
                where
                    Self: __sessile::SessionData,
                {
                    type Rejection = __sessile::SessionRejection;
                    async fn from_request_parts(
                        __parts: &mut __sessile::Parts,
                        __state: &__S,
                    ) -> ::core::result::Result<Self, Self::Rejection> {
                        __sessile::copy(__parts).await
                    }
                }
                #[automatically_derived]
                impl<
                    S: Copy,
                    __S: ::core::marker::Send + ::core::marker::Sync,
                > __sessile::OptionalFromRequestParts<__S> for Marker<S>
                where
                    Self: __sessile::SessionData,
                {
                    type Rejection = __sessile::SessionRejection;
                    async fn from_request_parts(
                        __parts: &mut __sessile::Parts,
                        __state: &__S,
                    ) -> ::core::result::Result<::core::option::Option<Self>, Self::Rejection> {
                        __sessile::optional_copy(__parts).await
                    }
                }
            };
        "#]],
    );
}

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
                    fn encode(&self, _: &mut __sessile::Encoded) {}
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
                    fn encode(&self, _: &mut __sessile::Encoded) {}
                }
                #[automatically_derived]
                impl __sessile::Owned for Account {
                    type Owner = u64;
                    fn encode_owner(__owner: &Self::Owner, __into: &mut __sessile::Encoded) {}
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
                    fn encode(&self, _: &mut __sessile::Encoded) {}
                }
            };
        "#]],
    );
}

#[test]
fn a_module_imports_only_from_those_above_it() {
    let modules = [
        ("diag", include_str!("diag.rs")),
        ("case", include_str!("case.rs")),
        ("syntax", include_str!("syntax.rs")),
        ("attr", include_str!("attr.rs")),
        ("keys", include_str!("keys.rs")),
        ("model", include_str!("model.rs")),
        ("expand", include_str!("expand.rs")),
        ("fallback", include_str!("fallback.rs")),
    ];
    for (at, (module, text)) in modules.iter().enumerate() {
        for (other, _) in &modules[at..] {
            let import = format!("crate::{other}");
            assert!(!text.contains(&import), "{module} imports {other}");
        }
    }
}
