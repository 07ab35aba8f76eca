//! Who waits for the end of which session in this process, and how the news reach them; stores
//! nothing, ends nothing.

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::attempt::Attempt;
use super::config::Config;
use super::request::RequestSession;
use super::state::{Fate, Stage, State};
use crate::expiry::Timestamp;
use crate::id::{SessionId, StoreKey};

/// A store that could not say whether a session lives is asked again after this long.
const RETRY: Duration = Duration::from_secs(10);

/// The sessions whose end somebody waits for.
#[derive(Default)]
pub(super) struct Endings {
    /// How many there are: all that an end looks at where nobody waits.
    awaited: AtomicUsize,
    /// A channel for each, with the end it was last stored with. It closes when the session has ended.
    channels: Mutex<HashMap<StoreKey, watch::Sender<Option<Timestamp>>>>,
}

impl Endings {
    /// Tells whoever waits for it that the session under `key` is dead.
    pub(super) fn announce(&self, key: StoreKey) {
        if self.nobody_waits() {
            return;
        }
        if self.channels().remove(&key).is_some() {
            self.awaited.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Tells whoever waits for its end that the session under `key` has been stored with this one: a
    /// later one than they know of, they find out when they ask.
    pub(super) fn hasten(&self, key: StoreKey, ends: Timestamp) {
        if self.nobody_waits() {
            return;
        }
        if let Some(channel) = self.channels().get(&key) {
            channel.send_replace(Some(ends));
        }
    }

    /// Waits for the end of a session from now on. What ended before is not announced again: ask the
    /// store afterwards.
    fn wait(&self, key: StoreKey) -> Waiting<'_> {
        let mut channels = self.channels();
        let channel = channels.entry(key).or_insert_with(|| {
            self.awaited.fetch_add(1, Ordering::Relaxed);
            watch::Sender::default()
        });
        Waiting {
            endings: self,
            key,
            news: Some(channel.subscribe()),
        }
    }

    // Relaxed: who waits is counted before it asks the store, and an end is announced after the store
    // has carried it out. One who found the session alive was therefore counted before the store ended
    // it, and whatever lets the store order the two (a lock, a socket) orders the count too.
    fn nobody_waits(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) == 0
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<StoreKey, watch::Sender<Option<Timestamp>>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows how many sessions are waited for, never which.
impl fmt::Debug for Endings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.awaited.load(Ordering::Relaxed))
    }
}

/// One that waits. It leaves nothing behind when it is dropped.
struct Waiting<'e> {
    endings: &'e Endings,
    key: StoreKey,
    /// Always there, but while it is dropped.
    news: Option<watch::Receiver<Option<Timestamp>>>,
}

impl Waiting<'_> {
    /// Waits for the next news of the session.
    async fn news(&mut self) -> News {
        let news = self.news.as_mut().expect("it is there until it is dropped");
        match news.changed().await {
            Ok(()) => news.borrow_and_update().map_or(News::Changed, News::Stored),
            Err(_) => News::Ended,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut channels = self.endings.channels();
        // Under the lock, so that the last of two that go at once sees that it is.
        self.news = None;
        let channel = channels.get(&self.key);
        if channel.is_some_and(|channel| channel.receiver_count() == 0) {
            channels.remove(&self.key);
            self.endings.awaited.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What wakes one that waits.
enum News {
    /// The session is dead.
    Ended,
    /// It was stored with this end.
    Stored(Timestamp),
    /// Its own request has changed what it knows of its session.
    Changed,
}

/// Tells those that wait of what their own request does to its session; costs nothing where nobody
/// does.
#[derive(Default)]
pub(super) struct Stirs(Option<watch::Sender<()>>);

impl Stirs {
    pub(super) fn stir(&self) {
        if let Some(stirred) = &self.0 {
            stirred.send_replace(());
        }
    }

    fn watch(&mut self) -> watch::Receiver<()> {
        self.0.get_or_insert_default().subscribe()
    }
}

/// How a request's session stands, to one that waits for its end.
enum Standing {
    /// There is none, or none any more.
    Over,
    /// The request may yet store it, give it another id, or end it.
    Undecided,
    Stored(SessionId),
}

impl State {
    /// The response is on its way, or there will be none.
    pub(super) fn close(&mut self) {
        self.stage = Stage::Sent;
        if matches!(self.fate, Fate::Destroyed | Fate::Revoked) {
            self.fate = Fate::Gone;
        }
        self.stirs.stir();
    }

    fn standing(&self) -> Standing {
        let may_move =
            self.stage != Stage::Sent && self.attempt.as_deref().is_some_and(Attempt::has_new_id);
        match (&self.live, self.fate) {
            (_, Fate::Gone) => Standing::Over,
            _ if may_move => Standing::Undecided,
            (Some(live), _) => Standing::Stored(live.id),
            (None, Fate::Open) if self.stage == Stage::Sent => Standing::Over,
            (None, _) => Standing::Undecided,
        }
    }
}

impl RequestSession {
    /// Waits until this process knows that the session has ended.
    ///
    /// It takes no turn, so that a write of the same task never waits for it.
    pub(crate) async fn ended(self: Arc<Self>) {
        let mut dead = None;
        loop {
            let (mut stirred, standing) = {
                let mut state = self.state();
                (state.stirs.watch(), state.standing())
            };
            match standing {
                Standing::Over => return,
                // Not given up for another id by its own request.
                Standing::Stored(id) if dead == Some(self.config.key(id)) => return,
                Standing::Stored(id) => {
                    if self.config.outlive(id, &mut stirred).await {
                        dead = Some(self.config.key(id));
                    }
                }
                Standing::Undecided => {
                    let stirred = stirred.changed().await;
                    stirred.expect("the sender lives as long as the request");
                }
            }
        }
    }
}

impl Config {
    /// Waits until the session is dead; `false` if its own request has stirred before.
    async fn outlive(&self, id: SessionId, stirred: &mut watch::Receiver<()>) -> bool {
        let mut waiting = self.endings.wait(self.key(id));
        loop {
            let mut ends = match self.find(id, self.now()).await {
                Ok(None) => return true,
                Ok(Some(live)) => self.end(&live),
                // An outage is not an end.
                Err(_) => self.now().plus(RETRY),
            };
            loop {
                let left = ends.since(self.now());
                if left.is_zero() {
                    break;
                }
                let woken = tokio::time::timeout(left, first(waiting.news(), stirred));
                match woken.await {
                    Ok(News::Ended) => return true,
                    Ok(News::Stored(with)) => ends = ends.min(with),
                    Ok(News::Changed) => return false,
                    // Whether it is time is for the layer's clock to say.
                    Err(_elapsed) => {}
                }
            }
        }
    }
}

async fn first(news: impl Future<Output = News>, stirred: &mut watch::Receiver<()>) -> News {
    let (mut news, mut stirred) = (pin!(news), pin!(stirred.changed()));
    poll_fn(|context| match news.as_mut().poll(context) {
        Poll::Pending => stirred.as_mut().poll(context).map(|_| News::Changed),
        news @ Poll::Ready(_) => news,
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> StoreKey {
        SessionId::from_bytes([n; 24]).key()
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        crate::trace::install();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn an_end_reaches_all_that_wait_for_it_and_nobody_else() {
        let endings = Endings::default();
        let (mut first, mut second) = (endings.wait(key(1)), endings.wait(key(1)));
        let mut other = endings.wait(key(2));
        endings.announce(key(1));
        endings.hasten(key(2), Timestamp::MAX);
        block_on(async {
            assert!(matches!(first.news().await, News::Ended));
            assert!(matches!(second.news().await, News::Ended));
            assert!(matches!(other.news().await, News::Stored(Timestamp::MAX)));
        });
    }

    #[test]
    fn who_goes_leaves_nothing_behind() {
        let endings = Endings::default();
        let (first, second, third) = (
            endings.wait(key(1)),
            endings.wait(key(1)),
            endings.wait(key(2)),
        );
        drop(first);
        assert_eq!(format!("{endings:?}"), "2");
        endings.announce(key(2));
        drop((second, third));
        assert_eq!(format!("{endings:?}"), "0");
        assert!(endings.channels().is_empty());
    }

    #[test]
    fn who_waits_after_an_end_does_not_end_with_those_before() {
        let endings = Endings::default();
        let before = endings.wait(key(1));
        endings.announce(key(1));
        let after = endings.wait(key(1));
        drop(before);
        assert_eq!(format!("{endings:?}"), "1");
        drop(after);
        assert_eq!(format!("{endings:?}"), "0");
    }

    /// A session of one bit, that ends while somebody begins to wait for it.
    #[test]
    fn no_end_is_missed_between_registering_and_announcing() {
        for _ in 0..10_000 {
            let (endings, alive) = (Endings::default(), Mutex::new(true));
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    *alive.lock().unwrap() = false;
                    endings.announce(key(1));
                });
                let mut waiting = endings.wait(key(1));
                let is_alive = *alive.lock().unwrap();
                if is_alive {
                    block_on(async { assert!(matches!(waiting.news().await, News::Ended)) });
                }
            });
            assert!(endings.channels().is_empty());
        }
    }
}
