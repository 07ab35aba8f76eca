//! Expiry over HTTP, against a model: alive if and only if now is before the absolute end and before
//! the last touch or write plus the idle timeout.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use fastrand::Rng;
use http::StatusCode;
use sessile::{
    CookieOptions, Session, SessionError, SessionHandle, SessionStore, Sessions, Timestamp, merge,
};

use super::accounts::sign_in;
use super::world::{CookieChange, World, key_of, request};
use crate::support::Answer;
use crate::support::visitor::ask;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

fn routes() -> Router {
    Router::new()
        .route(
            "/read",
            get(async |session: SessionHandle| session.is_new().to_string()),
        )
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 1),
        )
        .route(
            "/touch",
            get(async |session: SessionHandle| session.touch().await),
        )
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route("/max-age/{secs}", get(set_max_age))
        .route("/sign-in/{user}/{number}", get(sign_in))
        .route("/others", get(revoke_others))
}

async fn set_max_age(session: SessionHandle, Path(secs): Path<u64>) {
    session.set_max_age(Duration::from_secs(secs));
}

async fn revoke_others(all: Sessions) -> Result<(), SessionError> {
    all.revoke_others().await.map(drop)
}

/// What a session should be, in seconds since the layer's epoch.
#[derive(Debug, Clone)]
struct Model {
    token: String,
    created: u64,
    idle: u64,
    /// The instant from which it is dead.
    expires: u64,
    /// Whether its cookie outlives the browser.
    persistent: bool,
    /// Whose it is, once somebody has signed in, and when they revoked their other sessions.
    owner: Option<u64>,
    revoked: Option<u64>,
}

/// The settings of one layer, in seconds.
#[derive(Debug, Clone, Copy)]
struct Timeouts {
    idle: u64,
    absolute: u64,
    persistent: bool,
}

impl Timeouts {
    fn random(rng: &mut Rng) -> Self {
        let idle = *rng
            .choice([7, 60, 100, 600, 3600, 86_400].as_slice())
            .unwrap();
        let absolute = idle * rng.u64(1..12) + rng.u64(..idle);
        Self {
            idle,
            absolute,
            persistent: rng.bool(),
        }
    }
}

impl Model {
    fn begun(token: String, now: u64, timeouts: Timeouts) -> Self {
        Self {
            token,
            created: now,
            idle: timeouts.idle,
            expires: now + timeouts.idle.min(timeouts.absolute),
            persistent: timeouts.persistent,
            owner: None,
            revoked: None,
        }
    }

    fn deadline(&self, now: u64, timeouts: Timeouts) -> u64 {
        (now + self.idle).min(self.created + timeouts.absolute)
    }

    /// A tenth of the idle timeout or a minute must have passed, whichever is shorter, in
    /// milliseconds; and there must be something to gain.
    fn touch_is_due(&self, now: u64, timeouts: Timeouts) -> bool {
        let gained = 1000 * self.deadline(now, timeouts).saturating_sub(self.expires);
        gained > 0 && gained >= (self.idle * 100).min(60_000)
    }
}

/// One layer with a few sessions, and what they should be.
struct Simulation<S> {
    world: World<S>,
    app: Router,
    timeouts: Timeouts,
    sessions: Vec<Model>,
}

/// Takes so many random steps, under ever new timeouts.
pub(crate) async fn sessions_live_as_long_as_the_model(
    store: impl SessionStore + Clone,
    steps: usize,
) {
    const STEPS_EACH: usize = 250;

    let seed = fastrand::u64(..);
    let mut rng = Rng::with_seed(seed);
    let mut deaths = 0;
    for _ in 0..steps / STEPS_EACH {
        let mut simulation = Simulation::new(store.clone(), Timeouts::random(&mut rng));
        for step in 0..STEPS_EACH {
            let at = format!("seed {seed}, step {step}, {:?}", simulation.timeouts);
            deaths += simulation.step(&mut rng, &at).await;
        }
    }
    eprintln!("{steps} steps, {deaths} sessions died as they should");
    assert!(
        deaths > steps / 50,
        "sessions die in the simulation: {deaths}"
    );
}

impl<S: SessionStore + Clone> Simulation<S> {
    fn new(store: S, timeouts: Timeouts) -> Self {
        let world = World::new(store);
        let mut layer = world
            .layer(world.store.clone())
            .absolute_timeout(Duration::from_secs(timeouts.absolute));
        let idle = Duration::from_secs(timeouts.idle);
        layer = if timeouts.persistent {
            layer.cookie(CookieOptions::new().max_age(idle))
        } else {
            layer.idle_timeout(idle)
        };
        Self {
            app: routes().layer(layer.build().unwrap()),
            world,
            timeouts,
            sessions: Vec::new(),
        }
    }

    fn now(&self) -> u64 {
        Timestamp::from(self.world.clock.now()).as_millis() / 1000
    }

    /// Does something, and holds what happened against the model: how many sessions were found dead.
    async fn step(&mut self, rng: &mut Rng, at: &str) -> usize {
        let Timeouts { idle, .. } = self.timeouts;
        if rng.u8(..3) == 0 {
            let ahead = match rng.u8(..4) {
                0 => 1,
                1 => idle / 10,
                2 => rng.u64(..idle),
                // To the very instant at which some session ends, or one second before it.
                _ => {
                    let ends = self.sessions.iter().map(|model| model.expires);
                    let left = ends.map(|end| end - self.now().min(end)).min().unwrap_or(1);
                    left.saturating_sub(u64::from(rng.bool()))
                }
            };
            self.world.clock.advance(Duration::from_secs(ahead));
            return 0;
        }
        if self.sessions.len() < 3 {
            self.begin(None, at).await;
            return 0;
        }
        let index = rng.usize(..self.sessions.len());
        let model = &self.sessions[index];
        // Who signs in at the very instant of a revocation is revoked.
        let signs_in = model.revoked.is_none_or(|at| at < self.now());
        let path = match rng.u8(..12) {
            0..5 => "/read".to_owned(),
            5..7 => "/write".to_owned(),
            7 => "/touch".to_owned(),
            8 => "/renew".to_owned(),
            // Each session has an owner of its own: a revocation ends no other session of the model.
            9 if signs_in => format!("/sign-in/{}/0", model.owner.unwrap_or(rng.u64(..1 << 50))),
            10 if model.owner.is_some() => "/others".to_owned(),
            _ => format!("/max-age/{}", rng.u64(1..2 * idle)),
        };
        self.visit(index, &path, at).await
    }

    /// A first write, by a visitor without a cookie or with one that opens nothing any more.
    async fn begin(&mut self, token: Option<&str>, at: &str) {
        let answer = ask(&self.app, request("/write", token)).await;
        let CookieChange::Set(token) = CookieChange::of(&answer) else {
            panic!("{at}: a first write sets a cookie");
        };
        let model = Model::begun(token, self.now(), self.timeouts);
        self.check_cookie(&model, &answer, at);
        self.sessions.push(model);
    }

    async fn visit(&mut self, index: usize, path: &str, at: &str) -> usize {
        let mut model = self.sessions.swap_remove(index);
        let (now, at) = (
            self.now(),
            format!("{at}: {path} at {} of {model:?}", self.now()),
        );
        if now >= model.expires {
            let answer = ask(&self.app, request("/read", Some(&model.token))).await;
            assert_eq!(answer.body, "true", "{at}: it should be dead");
            assert_eq!(CookieChange::of(&answer), CookieChange::Untouched, "{at}");
            self.begin(Some(&model.token), &at).await;
            return 1;
        }
        let answer = ask(&self.app, request(path, Some(&model.token))).await;
        assert_eq!(answer.status, StatusCode::OK, "{at}");
        if path == "/read" {
            assert_eq!(answer.body, "false", "{at}: it should be alive");
        }
        if let Some(secs) = path.strip_prefix("/max-age/") {
            model.idle = secs.parse().unwrap();
            model.persistent = true;
        }
        if let Some(owner) = path.strip_prefix("/sign-in/") {
            let (owner, _) = owner.split_once('/').unwrap();
            model.owner = owner.parse().ok();
            // Who signs in is not remembered for as long as who was there before.
            (model.idle, model.persistent) = (self.timeouts.idle, self.timeouts.persistent);
        }
        if path == "/others" {
            model.revoked = Some(now);
        }
        let rotates = path == "/renew" || path.starts_with("/sign-in/");
        let moved = !matches!(path, "/read") || model.touch_is_due(now, self.timeouts);
        if moved {
            model.expires = model.deadline(now, self.timeouts);
        }
        match CookieChange::of(&answer) {
            CookieChange::Set(token) => {
                assert!(
                    moved,
                    "{at}: the cookie was sent again though nothing had moved"
                );
                assert_eq!(token != model.token, rotates, "{at}");
                model.token = token;
                self.check_cookie(&model, &answer, &at);
            }
            change => {
                assert_eq!(change, CookieChange::Untouched, "{at}");
                assert!(
                    !(moved && model.persistent),
                    "{at}: the cookie dies before the session"
                );
                assert!(!rotates, "{at}");
            }
        }
        let stored = self.world.find(&key_of(&model.token)).await.unwrap();
        let expires = stored.expires.as_millis();
        assert_eq!(
            expires,
            model.expires * 1000,
            "{at}: the record ends when it should"
        );
        assert_eq!(
            stored.record.created.as_millis(),
            model.created * 1000,
            "{at}"
        );
        // The mark is there for as long as whatever it ends could live.
        for owner in stored.record.owners.keys() {
            let at_once = self.world.clock.now().into();
            let mark = self.world.store.marked(owner, at_once).await.unwrap();
            let kept = |revoked| now < revoked + self.timeouts.absolute;
            assert_eq!(mark.is_some(), model.revoked.is_some_and(kept), "{at}");
        }
        self.sessions.push(model);
        0
    }

    /// The cookie ends with the record, or with the browser.
    fn check_cookie(&self, model: &Model, answer: &Answer, at: &str) {
        let cookie = answer.set_cookie();
        let max_age = cookie
            .rsplit_once("; Max-Age=")
            .map(|(_, secs)| secs.parse().unwrap());
        let left = model.expires - self.now();
        assert_eq!(max_age, model.persistent.then_some(left), "{at}: {cookie}");
    }
}
