//! What the derive writes, to the letter. `UPDATE_EXPECT=1` takes over what it writes now.

use expect_test::{Expect, expect};
use syn::{DeriveInput, Expr, File, Item, Stmt, parse_quote};

mod mistakes;
mod roles;

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
                #[automatically_derived]
                impl Visits {
                    const __page_views: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["page_views"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
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
                    fn encode(&self, __into: &mut __sessile::Writer<'_>) {
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
                #[automatically_derived]
                impl ShoppingCart {
                    const __kind: &'static __sessile::Column<Kind> = &__sessile::Column {
                        keys: &["kind"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    const __item_count: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["n", "count", "size"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(__sessile::default),
                        merge: ::core::option::Option::None,
                        privilege: false,
                        owner: false,
                    };
                    #[allow(clippy::unreadable_literal)]
                    const __most_items: &'static __sessile::Column<u64> = &__sessile::Column {
                        keys: &["mostItems"],
                        json: __sessile::json(),
                        default: ::core::option::Option::Some(|| 1000000),
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
                    fn encode(&self, __into: &mut __sessile::Writer<'_>) {
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
                    fn encode(&self, __into: &mut __sessile::Writer<'_>) {
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
                    fn encode(&self, __into: &mut __sessile::Writer<'_>) {}
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
