//! No lost update: every acknowledged change of parallel requests is stored, exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use sessile::{Session, SessionError, SessionHandle, SessionStore, merge};
use tokio::sync::Barrier;

use super::size;
use super::world::{CookieChange, World, field, key_of, request};
use crate::support::visitor::ask;

const AT_ONCE: u32 = 200;
const TICKETS: u32 = 50;

/// How long each request waits between reading and writing.
const WAIT: Duration = Duration::from_millis(5);

#[derive(Session)]
struct Tally {
    #[session(merge = merge::Sum)]
    sum: u64,
    #[session(merge = merge::Union)]
    members: BTreeSet<u32>,
    #[session(merge = merge::PerKey<merge::Sum>)]
    votes: BTreeMap<String, u64>,
    #[session(merge = merge::Append)]
    list: Vec<u32>,
    #[session(merge = merge::Max)]
    max: u32,
    left: String,
    right: String,
    #[session(default = TICKETS)]
    tickets: u32,
}

fn candidate(n: u32) -> String {
    format!("candidate {}", n % 7)
}

/// Begins a session with the members 0 to 199.
async fn begin(mut tally: Session<Tally>) {
    tally.members = (0..AT_ONCE).collect();
    tally.left = "as it began".into();
}

/// Changes one field or several, after all requests of the round have read.
async fn change(
    mut tally: Session<Tally>,
    Path((what, n)): Path<(String, u32)>,
    Extension(all_have_read): Extension<Arc<Barrier>>,
) {
    let sum = tally.sum;
    all_have_read.wait().await;
    tokio::time::sleep(WAIT).await;
    match what.as_str() {
        "sum" => tally.sum = sum + 1,
        "insert" => drop(tally.members.insert(AT_ONCE + n)),
        "remove" => drop(tally.members.remove(&n)),
        "votes" => *tally.votes.entry(candidate(n)).or_default() += 1,
        "list" => tally.list.push(n),
        "max" => tally.max = n,
        "left" => tally.left = "changed".into(),
        "right" => tally.right = "changed".into(),
        _ => unreachable!("no such field"),
    }
}

async fn take_ticket(mut tally: Session<Tally>) -> Result<StatusCode, SessionError> {
    let take = |tally: &mut Tally| {
        let left = tally.tickets.checked_sub(1);
        tally.tickets = left.unwrap_or_default();
        left.is_some()
    };
    let taken = Session::update(&mut tally, take).await?;
    Ok(if taken {
        StatusCode::OK
    } else {
        StatusCode::FORBIDDEN
    })
}

fn routes(at_once: u32) -> Router {
    let all_have_read = Arc::new(Barrier::new(at_once as usize));
    Router::new()
        .route("/begin", get(begin))
        .route("/ticket", get(take_ticket))
        .route("/{what}/{n}", get(change))
        .layer(Extension(all_have_read))
}

/// Several servers over one store.
struct Servers(Vec<Router>);

impl Servers {
    fn of<S: SessionStore + Clone>(world: &World<S>, routes: &Router, count: usize) -> Self {
        let server = || world.layer(world.store.clone()).build().unwrap();
        Self((0..count).map(|_| routes.clone().layer(server())).collect())
    }

    /// Begins a session and returns its token.
    async fn begin(&self) -> String {
        let answer = ask(&self.0[0], request("/begin", None)).await;
        match CookieChange::of(&answer) {
            CookieChange::Set(token) => token,
            other => panic!("a session begins with a cookie: {other:?}"),
        }
    }

    /// Asks for all paths at once, of one server after another, and returns what they were answered.
    async fn ask_at_once(
        &self,
        token: Option<&str>,
        paths: impl IntoIterator<Item = String>,
    ) -> Vec<(StatusCode, CookieChange)> {
        let servers = self.0.iter().cycle().cloned();
        let asked: Vec<_> = paths
            .into_iter()
            .zip(servers)
            .map(|(path, server)| {
                let request = request(&path, token);
                tokio::spawn(async move {
                    let answer = ask(&server, request).await;
                    (answer.status, CookieChange::of(&answer))
                })
            })
            .collect();
        let mut answers = Vec::new();
        for asked in asked {
            answers.push(asked.await.unwrap());
        }
        answers
    }
}

async fn read<T, S>(world: &World<S>, token: &str, key: &str) -> T
where
    T: serde::de::DeserializeOwned + Default,
    S: SessionStore + Clone,
{
    let stored = world.find(&key_of(token)).await.unwrap();
    field(&stored.record, "tally", key)
}

/// 200 requests at once on one session, by every rule: none is refused, none is lost.
pub(crate) async fn no_update_is_lost(
    store: impl SessionStore + Clone,
    servers: usize,
    rounds: usize,
) {
    let world = World::new(store);
    let began = std::time::Instant::now();
    for _ in 0..rounds {
        let servers = Servers::of(&world, &routes(AT_ONCE), servers);
        let token = servers.begin().await;
        let all = u64::from(AT_ONCE);
        for what in ["sum", "insert", "remove", "votes", "list", "max"] {
            let paths = (0..AT_ONCE).map(|n| format!("/{what}/{n}"));
            for answer in servers.ask_at_once(Some(&token), paths).await {
                assert_eq!(answer, (StatusCode::OK, CookieChange::Untouched), "{what}");
            }
        }
        assert_eq!(read::<u64, _>(&world, &token, "sum").await, all);
        let members: BTreeSet<u32> = read(&world, &token, "members").await;
        assert_eq!(members, (AT_ONCE..2 * AT_ONCE).collect());
        let votes: BTreeMap<String, u64> = read(&world, &token, "votes").await;
        assert_eq!((votes.len(), votes.values().sum()), (7, all));
        assert_eq!(votes["candidate 0"], 29);
        let mut list: Vec<u32> = read(&world, &token, "list").await;
        list.sort_unstable();
        assert_eq!(list, (0..AT_ONCE).collect::<Vec<_>>());
        assert_eq!(read::<u32, _>(&world, &token, "max").await, AT_ONCE - 1);
    }
    let updates = rounds * 6 * AT_ONCE as usize;
    eprintln!("{updates} updates, 0 lost, in {:?}", began.elapsed());
}

/// Fields without a rule: each request that changed one of its own keeps it.
pub(crate) async fn two_fields_changed_by_two_requests_are_both_kept(
    store: impl SessionStore + Clone,
) {
    let world = World::new(store);
    let servers = Servers::of(&world, &routes(2), 2);
    let token = servers.begin().await;
    let paths = ["/left/0", "/right/0"].map(str::to_owned);
    servers.ask_at_once(Some(&token), paths).await;
    for key in ["left", "right"] {
        assert_eq!(
            read::<String, _>(&world, &token, key).await,
            "changed",
            "{key}"
        );
    }
}

/// A middleware's live session and the handler's own, both changed.
pub(crate) async fn two_live_views_of_one_request_merge(store: impl SessionStore + Clone) {
    async fn outer(mut tally: Session<Tally>, request: Request, next: Next) -> Response {
        tally.sum += 1;
        tally.list.push(1);
        tally.left = "by the middleware".into();
        let response = next.run(request).await;
        tally.sum += 1;
        tally.list.push(3);
        response
    }
    async fn inner(mut tally: Session<Tally>) {
        tally.sum += 40;
        tally.list.push(2);
        tally.right = "by the handler".into();
    }

    let world = World::new(store);
    let both = get(inner).layer(from_fn(outer));
    let routes = Router::new()
        .route("/begin", get(begin))
        .route("/both", both);
    let servers = Servers::of(&world, &routes, 1);
    let token = servers.begin().await;
    let answer = ask(&servers.0[0], request("/both", Some(&token))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(read::<u64, _>(&world, &token, "sum").await, 42);
    assert_eq!(read::<Vec<u32>, _>(&world, &token, "list").await, [1, 2, 3]);
    assert_eq!(
        read::<String, _>(&world, &token, "left").await,
        "by the middleware"
    );
    assert_eq!(
        read::<String, _>(&world, &token, "right").await,
        "by the handler"
    );
}

/// A check and an act that are not parted: of 200 requests for 50 tickets exactly 50 get one.
pub(crate) async fn no_ticket_is_taken_twice(store: impl SessionStore + Clone) {
    let world = World::new(store);
    for _ in 0..size(1, 1000) {
        let servers = Servers::of(&world, &routes(1), 2);
        let token = servers.begin().await;
        let paths = (0..AT_ONCE).map(|_| "/ticket".to_owned());
        let answers = servers.ask_at_once(Some(&token), paths).await;
        let count = |status| answers.iter().filter(|(found, _)| *found == status).count();
        let (sold, refused) = (count(StatusCode::OK), count(StatusCode::FORBIDDEN));
        assert_eq!((sold, refused), (50, 150));
        assert_eq!(read::<u32, _>(&world, &token, "tickets").await, 0);
    }
}

/// Nothing ties two first requests of a visitor together: the last cookie that arrives wins.
pub(crate) async fn two_first_requests_are_two_sessions(store: impl SessionStore + Clone) {
    let world = World::new(store);
    let servers = Servers::of(&world, &routes(2), 1);
    let paths = ["/list/1", "/list/2"].map(str::to_owned);
    let answers = servers.ask_at_once(None, paths).await;
    let mut tokens = Vec::new();
    for (n, (status, cookie)) in (1..).zip(answers) {
        assert_eq!(status, StatusCode::OK);
        let CookieChange::Set(token) = cookie else {
            panic!("a first change sets a cookie");
        };
        assert_eq!(read::<Vec<u32>, _>(&world, &token, "list").await, [n]);
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

/// A session that everybody keeps changing still lets `SessionHandle::update` through.
pub(crate) async fn updates_by_handle_are_not_lost_either(store: impl SessionStore + Clone) {
    async fn add(session: SessionHandle) -> Result<(), SessionError> {
        session.update(|tally: &mut Tally| tally.sum += 1).await
    }

    let world = World::new(store);
    let routes = Router::new()
        .route("/begin", get(begin))
        .route("/add", get(add));
    let servers = Servers::of(&world, &routes, 2);
    let token = servers.begin().await;
    let paths = (0..AT_ONCE).map(|_| "/add".to_owned());
    for (status, _) in servers.ask_at_once(Some(&token), paths).await {
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(
        read::<u64, _>(&world, &token, "sum").await,
        u64::from(AT_ONCE)
    );
}
