//! Waits for the end of a request's session, wherever this process learns of it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::backend::News;
use super::request::RequestSession;
use super::settings::Config;
use crate::id::SessionId;
use crate::protocol::Standing;

/// A store that could not say whether a session lives is asked again after this long.
const RETRY: Duration = Duration::from_secs(10);

/// Waits until this process knows that the session has ended.
///
/// It takes no turn among the calls of the request, so that a write of the same task never waits for it.
pub(crate) async fn ended(session: Arc<RequestSession>) {
    let mut dead = None;
    loop {
        let (mut changed, standing) = session.watch();
        match standing {
            Standing::Over => return,
            // Its own request has not gone on under another id.
            Standing::Stored(id) if dead == Some(id) => return,
            Standing::Stored(id) => {
                if outlive(&session.config, id, &mut changed).await {
                    dead = Some(id);
                }
            }
            Standing::Undecided => {
                let changed = changed.changed().await;
                changed.expect("the sender lives as long as the request");
            }
        }
    }
}

/// Waits until the session is dead; `false` if its own request has changed it before.
async fn outlive(config: &Config, id: SessionId, changed: &mut watch::Receiver<()>) -> bool {
    let key = config.rules.dialect.key(id);
    let mut waiting = config.backend.registry.wait(key);
    loop {
        let mut ends = match config.find(key).await {
            Ok(None) => return true,
            Ok(Some(stored)) => config.rules.end(&stored.record, stored.expires),
            // An outage is not an end.
            Err(_) => config.now().plus(RETRY),
        };
        loop {
            let left = ends.since(config.now());
            if left.is_zero() {
                break;
            }
            let woken = tokio::time::timeout(left, first(waiting.news(), changed));
            match woken.await {
                Ok(News::Ended) => return true,
                Ok(News::Stored(with)) => ends = ends.min(with),
                Ok(News::Changed) => return false,
                // The layer's clock decides if it is time.
                Err(_elapsed) => {}
            }
        }
    }
}

async fn first(news: impl Future<Output = News>, changed: &mut watch::Receiver<()>) -> News {
    let (mut news, mut changed) = (pin!(news), pin!(changed.changed()));
    poll_fn(|context| match news.as_mut().poll(context) {
        Poll::Pending => changed.as_mut().poll(context).map(|_| News::Changed),
        news @ Poll::Ready(_) => news,
    })
    .await
}
