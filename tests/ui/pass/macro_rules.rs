mod reexport {
    pub use sessile;
}

macro_rules! session {
    ($name:ident { $($field:ident: $ty:ty = $value:expr, $rule:path, $key:literal;)* } $($skipped:ident: $as:ty),*) => {
        #[derive(reexport::sessile::Session)]
        #[session(crate = $crate::reexport::sessile)]
        #[session()]
        struct $name {
            $(
                #[session(default = $value, merge = $rule, alias = $key)]
                $field: $ty,
            )*
            $(
                #[session(skip)]
                $skipped: $as,
            )*
            hygienic: u8,
        }
    };
}

session!(Visits {
    page_views: u64 = 1 + 1, sessile::merge::Sum, "views";
    name: String = String::from("nobody"), sessile::merge::Append, "who";
} cache: Option<Vec<u8>>);

fn main() {
    use sessile::SessionData;
    let keys: Vec<_> = Visits::FIELDS.iter().flat_map(|field| field.keys()).collect();
    assert_eq!(keys, [&"page_views", &"views", &"name", &"who", &"hygienic"]);
    let visits = Visits { page_views: 0, name: String::new(), cache: None, hygienic: 0 };
    let _ = (visits.page_views, visits.name, visits.cache, visits.hygienic);
}
