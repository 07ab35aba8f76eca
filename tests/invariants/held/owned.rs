//! Request A, which signs in or uses what it has signed in to, is held at each of its calls to the
//! store while B ends the sessions of its owner; then A goes on.

use axum::Router;
use http::StatusCode;
use sessile::{OwnedSession, PublicId, SessionLayer, SessionStore};

use crate::invariants::accounts::{Account, routes, visit, visitor};
use crate::invariants::world::{CookieChange, World, key_of, request};
use crate::invariants::wrapped::{Gate, Side, Wrapped};
use crate::support::Answer;
use crate::support::visitor::ask;

/// Whatever A was about to do, and wherever it was held: nothing survives that B ended, and A is told.
pub(crate) async fn nothing_brings_a_revoked_session_back(store: impl SessionStore + Clone) {
    let mut held = 0;
    for (path, comes) in KINDS {
        for end in End::ALL {
            held += hold_everywhere(&store, Case { path, comes, end }).await;
        }
    }
    eprintln!("{held} requests held, 0 brought a revoked session back");
}

#[derive(Debug, Clone, Copy)]
struct Case {
    path: &'static str,
    comes: Comes,
    end: End,
}

/// What A comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    WithNothing,
    Anonymous,
    SignedIn,
}

const KINDS: [(&str, Comes); 9] = [
    ("sign-in", Comes::WithNothing),
    ("sign-in", Comes::Anonymous),
    ("sign-in", Comes::SignedIn),
    ("visit", Comes::SignedIn),
    ("renew", Comes::SignedIn),
    ("promote", Comes::SignedIn),
    ("others", Comes::SignedIn),
    ("reset", Comes::WithNothing),
    ("reset", Comes::Anonymous),
];

/// How B ends A's session, or those of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    AllByJob,
    /// From another session of the owner.
    All,
    /// From another session of the owner, which stays.
    Others,
    /// Each one by its public handle.
    Handles,
    /// By a sign-in, where one session is allowed.
    Evict,
}

impl End {
    const ALL: [Self; 5] = [
        Self::AllByJob,
        Self::All,
        Self::Others,
        Self::Handles,
        Self::Evict,
    ];

    fn sets_a_mark(self) -> bool {
        matches!(self, Self::AllByJob | Self::All | Self::Others)
    }
}

/// What came of A and B.
struct Run<S> {
    case: Case,
    place: usize,
    stage: Stage<S>,
    answer: Answer,
    /// The session that B has for itself afterwards.
    own: Option<String>,
    /// What was ended by its handle.
    ended: Vec<PublicId>,
}

struct Stage<S> {
    world: World<S>,
    user: u64,
    layer: SessionLayer,
    app: Router,
}

async fn hold_everywhere<S: SessionStore + Clone>(store: &S, case: Case) -> usize {
    let mut statuses = Vec::new();
    for place in 0.. {
        let Some(run) = Run::of(store.clone(), case, place).await else {
            break;
        };
        statuses.push(run.check().await);
        run.stage.world.clean_up().await;
    }
    let refused = statuses
        .iter()
        .filter(|it| **it == StatusCode::CONFLICT)
        .count();
    let told = case.end.sets_a_mark() || case.comes == Comes::SignedIn;
    assert!(refused > 0 || !told, "{case:?}: {statuses:?}");
    if !matches!(case.path, "others" | "reset") {
        // Before its load A is a new visitor; then it is told, until it has done all there is to do.
        let later: Vec<_> = statuses[1..].iter().collect();
        let sorted = later.is_sorted_by_key(|it| **it == StatusCode::OK);
        assert!(sorted, "{case:?}: {statuses:?}");
        assert_eq!(statuses.last(), Some(&StatusCode::OK), "{case:?}");
    }
    statuses.len()
}

impl<S: SessionStore + Clone> Run<S> {
    /// `None` if A makes fewer calls.
    async fn of(store: S, case: Case, place: usize) -> Option<Self> {
        let (world, gate) = (World::new(store), Gate::default());
        let limit = |layer: sessile::SessionLayerBuilder<'static>| match case.end {
            End::Evict => layer.max_sessions(1),
            _ => layer,
        };
        let held = world.layer(Wrapped(world.store.clone(), gate.clone()));
        let held = limit(held.clock(world.clock.ticking())).build().unwrap();
        let layer = world
            .layer(world.store.clone())
            .clock(world.clock.ticking());
        let layer = limit(layer).build().unwrap();
        let stage = Stage {
            user: fastrand::u64(..1 << 50),
            app: routes().layer(layer.clone()),
            layer,
            world,
        };
        let other = match case.end {
            End::All | End::Others => stage.signed_in().await,
            _ => None,
        };
        let token = match case.comes {
            Comes::WithNothing => None,
            Comes::Anonymous => visitor(&stage.app, "/visit").await,
            Comes::SignedIn => stage.signed_in().await,
        };

        let side = [Side::Before, Side::After][place % 2];
        gate.hold(place / 2, side);
        let path = match case.path {
            "sign-in" | "reset" => format!("/{}/{}/2", case.path, stage.user),
            path => format!("/{path}"),
        };
        let (a, asked) = (routes().layer(held), request(&path, token.as_deref()));
        let mut answer = tokio::spawn(async move { ask(&a, asked).await });
        tokio::select! {
            () = gate.is_holding() => {}
            _ = &mut answer => return None,
        }
        let (own, ended) = stage.end(case.end, other).await;
        gate.release();
        Some(Self {
            case,
            place,
            stage,
            answer: answer.await.unwrap(),
            own,
            ended,
        })
    }

    async fn check(&self) -> StatusCode {
        let at = format!("{:?}, held at {}", self.case, self.place);
        let listed = self.stage.listed().await;
        let is_own = |session: &&OwnedSession| {
            let own = self.own.as_deref().map(|token| key_of(token).public());
            own == Some(session.id())
        };
        let left = listed.iter().filter(|it| !is_own(it)).count();
        match self.case.end {
            // A revokes too: whoever came first has ended the other.
            End::Evict | End::Others if matches!(self.case.path, "others" | "reset") => {
                assert!(listed.len() <= 1, "{at}: {}", listed.len());
            }
            // To end one session keeps nobody from signing in.
            End::Handles => {
                let may_begin = self.case.comes != Comes::SignedIn || self.place == 0;
                assert!(left == 0 || may_begin, "{at}: {left} left");
            }
            _ => assert_eq!(left, 0, "{at}"),
        }
        let back = listed.iter().find(|it| self.ended.contains(&it.id()));
        assert!(back.is_none(), "{at}: it had been ended by its handle");
        let change = CookieChange::of(&self.answer);
        match self.answer.status {
            StatusCode::OK => {}
            StatusCode::CONFLICT | StatusCode::UNAUTHORIZED => {
                let ended_itself = self.case.path == "others" && change == CookieChange::Removed;
                let left_alone = change == CookieChange::Untouched;
                assert!(left_alone || ended_itself, "{at}: {change:?}");
            }
            status => panic!("{at}: {status}"),
        }
        self.answer.status
    }
}

impl<S: SessionStore + Clone> Stage<S> {
    async fn signed_in(&self) -> Option<String> {
        visitor(&self.app, &format!("/sign-in/{}/1", self.user)).await
    }

    async fn listed(&self) -> Vec<OwnedSession> {
        let sessions = self.layer.sessions();
        sessions.list::<Account>(&self.user).await.unwrap()
    }

    /// Lets B end what there is: its own session afterwards, and what it ended by handle.
    async fn end(&self, end: End, mut other: Option<String>) -> (Option<String>, Vec<PublicId>) {
        let jobs = self.layer.sessions();
        let mut ended = Vec::new();
        match end {
            End::AllByJob => {
                jobs.revoke_all::<Account>(&self.user).await.unwrap();
            }
            End::All => {
                visit(&self.app, &mut other, &format!("/all/{}", self.user)).await;
            }
            End::Others => {
                visit(&self.app, &mut other, "/others").await;
            }
            End::Handles => {
                for session in self.listed().await {
                    let id = session.id();
                    if jobs.revoke_of::<Account>(&self.user, id).await.unwrap() {
                        ended.push(id);
                    }
                }
            }
            End::Evict => other = self.signed_in().await,
        }
        (other, ended)
    }
}
