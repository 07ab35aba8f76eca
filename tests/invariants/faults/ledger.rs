//! What must be stored in the end, by what was acknowledged and what is in doubt.

use axum::Router;

use super::visits::look;

/// What each visitor's session may count; 0 where it has ended.
#[derive(Default)]
pub(super) struct Ledger(Vec<(String, Vec<u64>)>);

impl Ledger {
    /// Looks at once, and notes it for the end.
    pub(super) async fn expect(
        &mut self,
        direct: &Router,
        what: &str,
        token: &str,
        counts: &[u64],
    ) {
        check(direct, what, token, counts).await;
        self.0.push((token.to_owned(), counts.to_vec()));
    }

    /// Looks again at everything: nothing that was late has undone it.
    pub(super) async fn check(&self, direct: &Router, what: &str) {
        for (token, counts) in &self.0 {
            check(direct, &format!("{what}, in the end"), token, counts).await;
        }
    }
}

async fn check(direct: &Router, what: &str, token: &str, counts: &[u64]) {
    let read = look(direct, "/read", token).await;
    let count: u64 = read.body.parse().unwrap();
    assert!(counts.contains(&count), "{what}: {count}, not {counts:?}");
}
