//! One fault, and each kind of request while it lasts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use http::StatusCode;

use super::ledger::Ledger;
use super::visits::{Kind, app, app_with_end, begin, look};
use super::{DEADLINE, GRACE, Site};
use crate::invariants::world::{CookieChange, request};
use crate::servers::proxy::{Fault, Proxy};
use crate::support::Answer;
use crate::support::visitor::ask;

/// A fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    name: &'static str,
    what: What,
    effect: Effect,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// All connections, while it lasts.
    All(Fault),
    /// Those that are open when it begins, for good.
    Open(Fault),
    /// The server itself.
    Frozen,
}

/// What becomes of a request that needs the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Answered,
    Refused,
    Either,
}

/// All faults but the one of the server itself.
pub(super) fn cases(wrong: &[(&'static str, &'static [u8])]) -> Vec<Case> {
    use Effect::{Answered, Either, Refused};
    use What::{All, Open};

    let short = Fault::Delay(Duration::from_millis(15));
    let long = Fault::Delay(2 * DEADLINE);
    let mut cases: Vec<_> = [
        ("a delay below the deadline", All(short), Answered),
        ("a delay beyond the deadline", All(long), Refused),
        ("requests swallowed", All(Fault::SwallowRequests), Refused),
        ("replies swallowed", All(Fault::SwallowReplies), Refused),
        ("connections stand still", All(Fault::Stall), Refused),
        ("connections reset", All(Fault::Reset), Refused),
        ("accepted, then closed", All(Fault::HangUp), Refused),
        ("connections refused", All(Fault::Refuse), Refused),
        ("replies lost", All(Fault::CutReply(0)), Refused),
        ("replies cut", All(Fault::CutReply(3)), Refused),
        ("reset within replies", All(Fault::ResetReply(3)), Refused),
        ("open connections reset", Open(Fault::Reset), Either),
        ("open connections closed", Open(Fault::HangUp), Either),
        ("half-open", Open(Fault::SwallowRequests), Either),
        ("half-open for replies", Open(Fault::SwallowReplies), Either),
    ]
    .map(|(name, what, effect)| Case { name, what, effect })
    .into();
    cases.extend(wrong.iter().map(|(name, wrong)| Case {
        name,
        what: All(Fault::WrongReply(wrong)),
        effect: Refused,
    }));
    cases
}

pub(super) fn frozen() -> Case {
    Case {
        name: "a frozen server",
        what: What::Frozen,
        effect: Effect::Refused,
    }
}

/// What was seen.
#[derive(Clone, Copy, Default)]
pub(super) struct Figures {
    faults: usize,
    requests: usize,
    refused: usize,
    slowest: Duration,
    recovery: Duration,
}

impl Figures {
    pub(super) fn add(&mut self, other: Self) {
        let Self {
            faults,
            requests,
            refused,
            slowest,
            recovery,
        } = other;
        self.faults += faults;
        self.requests += requests;
        self.refused += refused;
        self.slowest = self.slowest.max(slowest);
        self.recovery = self.recovery.max(recovery);
    }

    pub(super) fn print(&self) {
        let Self {
            faults,
            requests,
            refused,
            slowest,
            recovery,
        } = self;
        eprintln!(
            "{faults} faults, {requests} requests, {refused} refused, the slowest after {slowest:?} \
             (deadline {DEADLINE:?}), healthy again after at most {recovery:?}"
        );
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} refused, the slowest after {:?}, healthy again after at most {:?}",
            self.refused, self.requests, self.slowest, self.recovery
        )
    }
}

/// Tries each kind of request, with a fault that is there before it, or comes when its handler is done.
pub(super) async fn run(site: &impl Site, case: Case) -> Figures {
    let (store, proxy) = site.place();
    let at_end = {
        let proxy = Arc::clone(&proxy);
        move || case.what.strike(&proxy)
    };
    let mut stage = Stage {
        case,
        site,
        app: app(store.clone()),
        app_with_end: app_with_end(store, at_end),
        direct: app(site.direct()),
        control: String::new(),
        proxy,
        ledger: Ledger::default(),
        figures: Figures {
            faults: 1,
            ..Figures::default()
        },
    };
    stage.control = begin(&stage.direct, None).await;
    stage.recovers("at first", None).await;
    for kind in Kind::ALL {
        stage.try_one(kind, false).await;
    }
    // The server itself is not stopped from within a handler.
    if !matches!(case.what, What::Frozen) {
        for kind in Kind::COMMITTING {
            stage.try_one(kind, true).await;
        }
    }
    stage.ledger.check(&stage.direct, case.name).await;
    eprintln!("{}: {}", case.name, stage.figures);
    stage.figures
}

impl What {
    fn strike(self, proxy: &Proxy) {
        match self {
            Self::All(fault) => proxy.set(fault),
            Self::Open(fault) => proxy.set_for_open(fault),
            Self::Frozen => {}
        }
    }
}

struct Stage<'a, T> {
    case: Case,
    site: &'a T,
    app: Router,
    app_with_end: Router,
    /// The same unhindered.
    direct: Router,
    /// A visitor whose session counts 1.
    control: String,
    proxy: Arc<Proxy>,
    ledger: Ledger,
    figures: Figures,
}

impl<T: Site> Stage<'_, T> {
    async fn try_one(&mut self, kind: Kind, late: bool) {
        static USERS: AtomicU64 = AtomicU64::new(1);
        let user = USERS.fetch_add(1, Ordering::Relaxed);
        let when = if late {
            "at its commit"
        } else {
            "from the start"
        };
        let what = format!("{}, {kind:?}, {when}", self.case.name);
        let token = begin(&self.direct, kind.is_signed_in().then_some(user)).await;
        let shown = Some(token.as_str()).filter(|_| kind != Kind::FirstVisit);

        let app = if late { &self.app_with_end } else { &self.app };
        if !late {
            self.strike();
        }
        let asked = request(&kind.path(user), shown);
        let (answer, took) = in_time(&what, app, asked).await;
        self.clear();
        self.judge(&what, kind, &answer, took);
        self.recovers(&what, shown).await;
        self.check(&what, kind, &token, &answer).await;
    }

    fn strike(&self) {
        match self.case.what {
            What::Frozen => self.site.freeze(),
            what => what.strike(&self.proxy),
        }
    }

    fn clear(&self) {
        self.proxy.clear();
        if let What::Frozen = self.case.what {
            self.site.thaw();
        }
    }

    /// Answered, or refused with nothing that the visitor would keep.
    fn judge(&mut self, what: &str, kind: Kind, answer: &Answer, took: Duration) {
        let is_refused = match (kind, self.case.effect) {
            (Kind::Untouched, _) | (_, Effect::Answered) => false,
            (_, Effect::Refused) => true,
            (_, Effect::Either) => answer.status != StatusCode::OK,
        };
        let expected = if is_refused {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        assert_eq!(answer.status, expected, "{what}");
        if is_refused {
            assert_eq!(answer.set_cookies(), [""; 0], "{what}");
        }
        self.figures.requests += 1;
        self.figures.refused += usize::from(is_refused);
        self.figures.slowest = self.figures.slowest.max(took);
    }

    /// Requests are served again, soon: this visitor's, and those of one who did nothing meanwhile and
    /// finds what was there.
    async fn recovers(&mut self, what: &str, token: Option<&str>) {
        let begun = Instant::now();
        for token in [token, Some(&self.control)] {
            loop {
                let answer = ask(&self.app, request("/read", token)).await;
                if answer.status == StatusCode::OK {
                    let is_control = token == Some(&self.control);
                    assert!(!is_control || answer.body == "1", "{what}: {}", answer.body);
                    break;
                }
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{what}");
                let (waited, most) = (begun.elapsed(), self.site.recovery());
                assert!(waited < most, "{what}: still refused after {waited:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.figures.recovery = self.figures.recovery.max(begun.elapsed());
    }

    /// Nothing was overwritten, doubled or undone.
    async fn check(&mut self, what: &str, kind: Kind, token: &str, answer: &Answer) {
        let acknowledged = answer.status == StatusCode::OK;
        let counts: &[u64] = match (kind, acknowledged) {
            (Kind::Untouched | Kind::Read | Kind::FirstVisit | Kind::List, _) => &[1],
            (Kind::Logout | Kind::RevokeAll | Kind::SignIn, true) => &[0],
            (Kind::Logout | Kind::RevokeAll | Kind::SignIn, false) => &[0, 1],
            (Kind::Write, _) => {
                let again = ask(&self.app, request("/write", Some(token))).await;
                assert_eq!(again.status, StatusCode::OK, "{what}");
                if acknowledged { &[3] } else { &[2, 3] }
            }
        };
        if let CookieChange::Set(new) = CookieChange::of(answer) {
            self.ledger.expect(&self.direct, what, &new, &[1]).await;
        }
        self.ledger.expect(&self.direct, what, token, counts).await;
        if kind == Kind::SignIn {
            let me = look(&self.direct, "/me", token).await;
            assert_eq!(me.status, StatusCode::UNAUTHORIZED, "{what}: by the old id");
        }
        if kind == Kind::List && acknowledged {
            assert_eq!(answer.body, "1", "{what}");
        }
    }
}

/// Asks, and checks that there is an answer in time: by a timer that runs beside it, since a machine
/// that has other things to do is late with both.
async fn in_time(
    what: &str,
    app: &Router,
    asked: http::Request<axum::body::Body>,
) -> (Answer, Duration) {
    let begun = Instant::now();
    let timer = tokio::spawn(async move {
        tokio::time::sleep(DEADLINE).await;
        begun.elapsed()
    });
    let answer = ask(app, asked).await;
    let took = begun.elapsed();
    if took > DEADLINE {
        let deadline = timer.await.unwrap();
        assert!(took < deadline + GRACE, "{what}: {took:?} of {deadline:?}");
    }
    (answer, took)
}
