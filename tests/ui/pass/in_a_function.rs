fn main() {
    use sessile::{Session, SessionData, merge};

    #[derive(Default, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Local;

    struct Longest;

    impl merge::Rule<String> for Longest {
        fn merge(_base: &String, mine: String, theirs: String) -> String {
            if mine.len() >= theirs.len() { mine } else { theirs }
        }
    }

    #[derive(Session)]
    struct Visits {
        local: Local,
        #[session(merge = Longest)]
        name: String,
    }

    assert_eq!(Visits::FIELDS.len(), 2);

    async fn show(visits: Session<Visits>) {
        let _ = (&visits.local, &visits.name);
    }
    let _ = show;
}
