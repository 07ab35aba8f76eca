//! Fails closed, in bounded time: a store that is down, slow, frozen or wrong is an error within the
//! deadline; nothing is overwritten, and it is healthy again by itself.

mod case;
mod ledger;
pub(crate) mod lost;
mod visits;

use std::sync::Arc;
use std::time::Duration;

use sessile::{SessionStore, StoreKey};
use tokio::task::JoinSet;

use self::case::{Case, Figures};
use crate::servers::proxy::Proxy;
use crate::support::size;

const DEADLINE: Duration = Duration::from_millis(400);

/// How much later than its deadline an answer may come.
const GRACE: Duration = Duration::from_millis(50);

/// A real server, and how to reach it.
pub(crate) trait Site: Send + Sync + 'static {
    type Store: SessionStore + Clone;

    /// A new store, and what stands between it and its server.
    fn place(&self) -> (Self::Store, Arc<Proxy>);

    /// A store that reaches the server unhindered.
    fn direct(&self) -> Self::Store;

    /// Stops the server where it is.
    fn freeze(&self);

    fn thaw(&self);

    /// Replies that no request of a store has: no protocol at all, or one of another kind.
    fn wrong_replies(&self) -> &'static [(&'static str, &'static [u8])];

    /// What the request of a store contains that asks for this key.
    fn names(&self, key: StoreKey) -> Vec<u8>;

    /// How soon a request has to work once a fault is over.
    fn recovery(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Whether each place has a proxy of its own.
    fn places_are_apart(&self) -> bool {
        true
    }
}

/// How many faults are tried at once, each at a place of its own.
const AT_ONCE: usize = 6;

/// Several sites share the faults, and are tried side by side.
pub(crate) async fn a_store_that_fails_is_an_error_in_time<T: Site>(sites: Vec<T>) {
    let mut figures = Figures::default();
    let sites: Vec<_> = sites.into_iter().map(Arc::new).collect();
    for _ in 0..size(1, 10) {
        let mut shares = JoinSet::new();
        for (number, site) in sites.iter().enumerate() {
            let cases = case::cases(site.wrong_replies()).into_iter();
            let share: Vec<_> = cases.skip(number).step_by(sites.len()).collect();
            shares.spawn(try_all(Arc::clone(site), share));
        }
        for share in shares.join_all().await {
            figures.add(share);
        }
        // All places of a site stand still with its server.
        figures.add(case::run(&*sites[0], case::frozen()).await);
    }
    figures.print();
}

async fn try_all<T: Site>(site: Arc<T>, cases: Vec<Case>) -> Figures {
    let at_once = if site.places_are_apart() { AT_ONCE } else { 1 };
    let (mut figures, mut cases) = (Figures::default(), cases.into_iter());
    let mut running = JoinSet::new();
    loop {
        while running.len() < at_once
            && let Some(case) = cases.next()
        {
            let site = Arc::clone(&site);
            running.spawn(async move { case::run(&*site, case).await });
        }
        let Some(ran) = running.join_next().await else {
            return figures;
        };
        figures.add(ran.expect("no request was answered wrongly"));
    }
}
