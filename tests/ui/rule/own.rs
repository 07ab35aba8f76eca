use sessile::{Session, merge};

struct Longest;

impl merge::Rule<String> for Longest {
    fn merge(_base: &String, mine: String, theirs: String) -> String {
        if mine.len() >= theirs.len() { mine } else { theirs }
    }
}

#[derive(Session)]
struct Profile {
    #[session(merge = Longest)]
    age: u8,
}

fn main() {}
