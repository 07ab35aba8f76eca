use sessile::Session;

#[derive(Session)]
#[session(flatten, rename_all = "camelCase")]
struct Visits {
    id: u64,
    #[session(rename = "cookie")]
    consent: bool,
    #[session(alias = "touch", alias = "seen")]
    touches: u64,
    reset_max_age: bool,
    constructor: String,
    #[session(skip)]
    save: bool,
    #[session(rename = "n")]
    reload: u64,
    #[session(rename = "__proto__")]
    proto: u64,
}

fn main() {}
