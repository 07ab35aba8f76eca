//! Keeps one connection open, and opens another when it is lost; knows no session.
//!
//! All calls of a process share one connection, in a pipeline: there is no pool to wait for. A call
//! that is dropped leaves its place in the pipeline to its reply, which nobody then hears. Nothing
//! that may have been carried out is sent again, except what only reads.

mod line;
mod redirect;
mod source;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use ::redis::{AsyncConnectionConfig, Cmd, PushInfo, PushKind, RedisError, RedisResult, Value};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use self::line::{Line, is_lost};
pub(super) use self::source::Source;
use super::script::Script;

/// How long an attempt to connect may take. Callers do not wait for it beyond their own deadlines.
const OPENING: Duration = Duration::from_secs(5);

/// Callers who gave up after waiting so long, one after another and without any answer, take the
/// connection for dead: the next one is opened to wherever the server is then. An attempt to connect
/// that takes as long has another one beside it.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many calls may wait to be written, before further ones wait for a place.
const PIPELINE: usize = 1024;

pub(super) struct Link {
    source: Source,
    slot: Mutex<Slot>,
    /// For how long, in microseconds, callers have waited in vain since the last answer. Each may
    /// have a deadline that is shorter than the patience.
    silence: AtomicU64,
}

/// A command's fate when the connection is lost before its answer.
#[derive(Clone, Copy)]
pub(super) enum Resend {
    /// It is sent again: the second time it changes nothing.
    IfLost,
    Never,
}

#[derive(Default)]
struct Slot {
    /// Counts the connections, so that nobody gives up a newer one than their own.
    generation: u64,
    /// The connection that is open, or will be.
    line: Option<Opening>,
    /// To a cluster: the one before, until the next is open, since most of its nodes may be well.
    before: Option<(u64, Line)>,
}

type Opened = Option<RedisResult<Line>>;

/// A connection that is open, or being opened.
struct Opening {
    hear: watch::Receiver<Opened>,
    /// The attempts' side of the channel, for as long as there are any.
    tell: Weak<watch::Sender<Opened>>,
    /// When the last attempt began.
    since: Instant,
}

impl Link {
    pub(super) fn new(source: Source) -> Arc<Self> {
        Arc::new(Self {
            source,
            slot: Mutex::default(),
            silence: AtomicU64::default(),
        })
    }

    /// Sends what may be carried out twice; and does so, if the connection was lost.
    pub(super) async fn ask(self: &Arc<Self>, command: &Cmd) -> RedisResult<Value> {
        let answer = match self.source {
            Source::Cluster(_) => Box::pin(self.ask_one_or_another(command)).await,
            _ => self.tell(command).await,
        };
        match answer {
            Err(error) if is_lost(&error) => Box::pin(self.tell(command)).await,
            answered => answered,
        }
    }

    /// One node that is dead may have the client hold up the requests to all.
    async fn ask_one_or_another(self: &Arc<Self>, command: &Cmd) -> RedisResult<Value> {
        let mut first = pin!(self.tell(command));
        if let Ok(answer) = timeout(PATIENCE, &mut first).await {
            return answer;
        }
        let mut again = pin!(self.ask_anew(command));
        let either = poll_fn(|context| match first.as_mut().poll(context) {
            Poll::Pending => again.as_mut().poll(context),
            answered @ Poll::Ready(_) => answered,
        });
        either.await
    }

    async fn ask_anew(self: &Arc<Self>, command: &Cmd) -> RedisResult<Value> {
        let (generation, line) = self.newest().await?;
        self.tell_by(generation, line, command).await
    }

    /// Runs a script by its hash, and in full if the server does not have it yet.
    pub(super) async fn run(
        self: &Arc<Self>,
        script: &Script,
        keys: &[String],
        args: &[&str],
        resend: Resend,
    ) -> RedisResult<Value> {
        let answer = self.send(&script.by_hash(keys, args), resend).await;
        if answer.as_ref().is_err_and(is_unknown_script) {
            return Box::pin(self.send(&script.in_full(keys, args), resend)).await;
        }
        answer
    }

    async fn send(self: &Arc<Self>, command: &Cmd, resend: Resend) -> RedisResult<Value> {
        match resend {
            Resend::IfLost => self.ask(command).await,
            Resend::Never => self.tell(command).await,
        }
    }

    /// Sends what is carried out once or not at all.
    pub(super) async fn tell(self: &Arc<Self>, command: &Cmd) -> RedisResult<Value> {
        let (generation, line) = self.line().await?;
        self.tell_by(generation, line, command).await
    }

    async fn tell_by(
        self: &Arc<Self>,
        generation: u64,
        line: Line,
        command: &Cmd,
    ) -> RedisResult<Value> {
        let mut waiting = Waiting {
            link: self,
            generation,
            since: Some(Instant::now()),
        };
        let answer = if matches!(line, Line::Cluster(_)) {
            Box::pin(self.doubting(generation, line.call(command))).await
        } else {
            line.call(command).await
        };
        waiting.since = None;
        self.silence.store(0, Ordering::Relaxed);
        if answer.as_ref().is_err_and(is_lost) {
            self.give_up(generation);
        }
        answer
    }

    /// Waits for an answer, and after a while has those who come later try another connection.
    async fn doubting<T>(&self, generation: u64, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        if let Ok(answer) = timeout(PATIENCE, &mut call).await {
            return answer;
        }
        self.give_up(generation);
        call.await
    }

    /// The connection, and which one it is.
    async fn line(self: &Arc<Self>) -> RedisResult<(u64, Line)> {
        if let Source::Given(given) = &self.source {
            return Ok((0, Line::Given(Arc::clone(given))));
        }
        let (_, line, _) = self.opened();
        let is_open = line.borrow().is_some();
        match self.before() {
            Some(before) if !is_open => Ok(before),
            _ => Box::pin(self.newest()).await,
        }
    }

    /// The newest connection, once it is open.
    async fn newest(self: &Arc<Self>) -> RedisResult<(u64, Line)> {
        loop {
            let (generation, mut line, since) = self.opened();
            let opened = line.wait_for(Option::is_some);
            let line = match tokio::time::timeout_at(since + PATIENCE, opened).await {
                Ok(Ok(line)) => line.clone(),
                // The runtime has ended that opened it.
                Ok(Err(_)) => None,
                Err(_) => continue,
            };
            match line {
                Some(Ok(line)) => return Ok((generation, line)),
                Some(Err(error)) => return Err(error),
                None => self.give_up(generation),
            }
        }
    }

    fn before(&self) -> Option<(u64, Line)> {
        self.slot().before.clone()
    }

    /// The connection that is open, or being opened, and since when: if for too long, by another
    /// attempt too.
    fn opened(self: &Arc<Self>) -> (u64, watch::Receiver<Opened>, Instant) {
        let mut slot = self.slot();
        let (generation, now) = (slot.generation, Instant::now());
        if let Some(line) = &mut slot.line {
            let is_late = line.hear.borrow().is_none() && now >= line.since + PATIENCE;
            if let (true, Some(tell)) = (is_late, line.tell.upgrade()) {
                line.since = now;
                self.attempt(generation, tell);
            }
            return (generation, line.hear.clone(), line.since);
        }
        let (tell, hear) = watch::channel(None);
        let tell = Arc::new(tell);
        slot.generation += 1;
        slot.line = Some(Opening {
            hear: hear.clone(),
            tell: Arc::downgrade(&tell),
            since: now,
        });
        self.silence.store(0, Ordering::Relaxed);
        self.attempt(slot.generation, tell);
        (slot.generation, hear, now)
    }

    /// Opens a connection in a task of its own, so that callers who give up do not undo what has been
    /// reached. Of several attempts the first that ends tells how.
    fn attempt(self: &Arc<Self>, generation: u64, tell: Arc<watch::Sender<Opened>>) {
        let link = Arc::clone(self);
        tokio::spawn(async move {
            let config = link.config(generation);
            let opened = timeout(OPENING, link.source.open(&config)).await;
            let opened = opened.unwrap_or_else(|_| Err(frozen()));
            // Of one that comes after another, or is given up, nothing is heard.
            let is_first = tell.borrow().is_none();
            match &opened {
                Ok(_) if is_first => link.replace_before(generation),
                Err(_) if is_first => link.give_up(generation),
                Ok(_) | Err(_) => {}
            }
            tell.send_if_modified(|told| {
                let is_first = told.is_none();
                told.get_or_insert(opened);
                is_first
            });
        });
    }

    /// Callers have deadlines of their own. That a connection was closed is heard at once, and not
    /// only by who uses it next.
    fn config(self: &Arc<Self>, generation: u64) -> AsyncConnectionConfig {
        let link = Arc::downgrade(self);
        AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(PIPELINE)
            .set_push_sender(move |push: PushInfo| {
                let link = Weak::upgrade(&link);
                if let (PushKind::Disconnection, Some(link)) = (push.kind, link) {
                    link.give_up(generation);
                }
                Ok::<_, RedisError>(())
            })
    }

    /// Lets the next call open a connection anew, if this one is still the newest.
    fn give_up(&self, generation: u64) {
        let mut slot = self.slot();
        if slot.generation != generation {
            return;
        }
        let line = slot.line.take();
        let line = line.and_then(|line| line.hear.borrow().clone());
        if let Some(Ok(line @ Line::Cluster(_))) = line {
            slot.before = Some((generation, line));
        }
    }

    /// A new connection serves where the one before it did so far.
    fn replace_before(&self, generation: u64) {
        let mut slot = self.slot();
        if slot.generation == generation {
            slot.before = None;
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        // Nothing panics while it is held.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// Somebody who waits for an answer.
struct Waiting<'a> {
    link: &'a Link,
    generation: u64,
    since: Option<Instant>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(since) = self.since else { return };
        let waited = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let before = self.link.silence.fetch_add(waited, Ordering::Relaxed);
        if Duration::from_micros(before.saturating_add(waited)) >= PATIENCE {
            self.link.give_up(self.generation);
        }
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT")
}

fn frozen() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
