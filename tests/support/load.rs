//! Visitors who write and log out, one request after another, while a server fails; and what they were
//! told against what is there afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use sessile::{Secret, Session, SessionHandle, SessionLayer, SessionStore, merge};
use tokio::task::JoinSet;

use super::Visitor;

/// How long what was stored may take to be found again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many writes a session takes before its visitor logs out, or leaves it to be looked at.
const WRITES: u64 = 10;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

async fn write(mut visits: Session<Visits>) -> String {
    visits.count += 1;
    visits.count.to_string()
}

/// The application that the visitors use.
pub fn app(store: impl SessionStore, deadline: Duration) -> Router {
    let sessions = SessionLayer::builder(store, Secret::generate()).store_timeout(deadline);
    Router::new()
        .route("/write", get(write))
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/logout",
            get(async |session: SessionHandle| session.destroy()),
        )
        .layer(sessions.build().unwrap())
}

/// Visitors at work.
pub struct Load {
    ended: Arc<AtomicBool>,
    running: JoinSet<Told>,
}

/// What became of what was acknowledged, and how long nothing was.
#[derive(Debug, Default)]
pub struct Findings {
    pub writes: u64,
    pub logouts: u64,
    pub refused: u64,
    /// Acknowledged writes that are not there.
    pub lost: u64,
    /// Acknowledged logouts whose session is there.
    pub undone: u64,
    /// The longest time that a visitor, who went on asking, was told nothing but errors.
    pub outage: Duration,
}

impl Load {
    pub fn start(app: &Router, visitors: usize) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let mut running = JoinSet::new();
        for _ in 0..visitors {
            running.spawn(Told::until(Arc::clone(&ended), app.clone()));
        }
        Self { ended, running }
    }

    /// Has the visitors go, and looks at what they left.
    pub async fn end(self) -> Findings {
        self.ended.store(true, Ordering::Relaxed);
        let mut findings = Findings::default();
        for told in self.running.join_all().await {
            findings.add(&told.check().await);
        }
        findings
    }
}

impl Findings {
    pub fn add(&mut self, other: &Self) {
        let Self {
            writes,
            logouts,
            refused,
            lost,
            undone,
            outage,
        } = other;
        self.writes += writes;
        self.logouts += logouts;
        self.refused += refused;
        self.lost += lost;
        self.undone += undone;
        self.outage = self.outage.max(*outage);
    }
}

/// What one visitor was told.
#[derive(Default)]
struct Told {
    findings: Findings,
    kept: Vec<Kept>,
    logged_out: Vec<Visitor>,
}

/// A session that is not logged out.
struct Kept {
    visitor: Visitor,
    /// How often it has been written, by the last answer.
    count: u64,
    /// The writes since that were refused: each may have arrived.
    doubtful: u64,
}

impl Kept {
    fn new(app: &Router) -> Self {
        Self {
            visitor: Visitor::new(app),
            count: 0,
            doubtful: 0,
        }
    }

    /// How many writes are lost if the session counts `count`; nothing is ever stored twice.
    fn lost(&self, count: u64, since: u64) -> u64 {
        let most = self.count + self.doubtful + since;
        assert!(count <= most, "{count} stored, {most} asked for");
        (self.count + since).saturating_sub(count)
    }
}

impl Told {
    async fn until(ended: Arc<AtomicBool>, app: Router) -> Self {
        let mut told = Self::default();
        let (mut session, mut last) = (Kept::new(&app), Instant::now());
        while !ended.load(Ordering::Relaxed) {
            let done = if session.count < WRITES {
                told.write(&mut session).await
            } else if told.kept.len() < told.logged_out.len() {
                told.kept
                    .push(std::mem::replace(&mut session, Kept::new(&app)));
                continue;
            } else {
                told.log_out(&mut session, &app).await
            };
            if done {
                let outage = &mut told.findings.outage;
                *outage = last.elapsed().max(*outage);
                last = Instant::now();
            } else {
                told.findings.refused += 1;
                // Not all of a core for being refused at once.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        told.kept.push(session);
        told
    }

    async fn write(&mut self, session: &mut Kept) -> bool {
        let answer = session.visitor.get("/write").await;
        if answer.status != StatusCode::OK {
            session.doubtful += 1;
            return false;
        }
        let count = answer.body.parse().unwrap();
        self.findings.writes += 1;
        self.findings.lost += session.lost(count, 1);
        (session.count, session.doubtful) = (count, 0);
        true
    }

    async fn log_out(&mut self, session: &mut Kept, app: &Router) -> bool {
        let before = session.visitor.clone();
        if session.visitor.get("/logout").await.status != StatusCode::OK {
            return false;
        }
        self.findings.logouts += 1;
        self.logged_out.push(before);
        *session = Kept::new(app);
        true
    }

    async fn check(mut self) -> Findings {
        for session in &self.kept {
            self.findings.lost += session.lost(found(&session.visitor).await, 0);
        }
        for visitor in &self.logged_out {
            self.findings.undone += u64::from(found(visitor).await > 0);
        }
        self.findings
    }
}

/// What a session counts; 0 where there is none.
async fn found(visitor: &Visitor) -> u64 {
    let begun = Instant::now();
    loop {
        let answer = visitor.peek("/read").await;
        if answer.status == StatusCode::OK {
            return answer.body.parse().unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "{}", answer.status);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
