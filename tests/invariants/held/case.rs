//! Who A and B are, and what they do.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use sessile::{
    CookieOptions, Rolling, Secret, Session, SessionError, SessionHandle, SessionLayerBuilder,
    merge,
};

use crate::invariants::world::secret;

pub(super) const IDLE: Duration = Duration::from_hours(1);

/// One thing to try at each of A's calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// What A asks for.
    pub(super) path: &'static str,
    /// What A is told if the session has ended before it could.
    pub(super) told: StatusCode,
    pub(super) resends: Resends,
    /// How long the session has rested before.
    pub(super) rest: Duration,
    pub(super) end: End,
}

impl Case {
    /// All of them; `expires` says whether the store goes by the layer's clock.
    pub(super) fn all(expires: bool) -> Vec<Self> {
        let mut cases = Vec::new();
        for (path, told) in KINDS {
            for resends in Resends::ALL {
                // Too short for a touch to be due, and long enough.
                for rest in [Duration::ZERO, IDLE / 10] {
                    let ends = End::ALL.into_iter();
                    let ends = ends.filter(|end| expires || *end != End::Expire);
                    cases.extend(ends.map(|end| Self {
                        path,
                        told,
                        resends,
                        rest,
                        end,
                    }));
                }
            }
        }
        cases
    }

    /// Whether A adds to the session.
    pub(super) fn adds(&self) -> bool {
        matches!(self.path, "/write" | "/save" | "/save-twice" | "/update")
    }

    /// Whether A logs out, and B gives the session another id.
    pub(super) fn destroys_what_moved(&self) -> bool {
        self.path == "/destroy" && matches!(self.end, End::Renew | End::Clear)
    }

    /// Whether A gives the session another id.
    pub(super) fn moves(&self) -> bool {
        matches!(self.path, "/renew" | "/clear")
    }
}

/// What stands in the session before A and B; what A adds is 100.
pub(super) const BEFORE: u64 = 1;

#[derive(Session)]
struct Visits {
    #[session(merge = merge::Sum)]
    count: u64,
}

/// What A does, and what it is told if the session has ended before it could.
pub(super) const KINDS: [(&str, StatusCode); 10] = [
    ("/read", StatusCode::OK),
    ("/write", StatusCode::CONFLICT),
    ("/save", StatusCode::CONFLICT),
    ("/save-twice", StatusCode::CONFLICT),
    ("/update", StatusCode::CONFLICT),
    ("/renew", StatusCode::CONFLICT),
    ("/clear", StatusCode::CONFLICT),
    ("/remember", StatusCode::CONFLICT),
    ("/destroy", StatusCode::CONFLICT),
    ("/fail", StatusCode::INTERNAL_SERVER_ERROR),
];

pub(super) fn routes() -> Router {
    Router::new()
        .route(
            "/begin",
            get(async |mut visits: Session<Visits>| visits.count = BEFORE),
        )
        .route(
            "/read",
            get(async |visits: Visits| visits.count.to_string()),
        )
        .route(
            "/write",
            get(async |mut visits: Session<Visits>| visits.count += 100),
        )
        .route("/save", get(save))
        .route("/save-twice", get(save_twice))
        .route("/update", get(update))
        .route(
            "/renew",
            get(async |session: SessionHandle| session.renew()),
        )
        .route(
            "/clear",
            get(async |session: SessionHandle| session.clear()),
        )
        .route(
            "/destroy",
            get(async |session: SessionHandle| session.destroy()),
        )
        .route(
            "/remember",
            get(async |session: SessionHandle| session.set_max_age(IDLE / 2)),
        )
        .route(
            "/fail",
            get(async |mut visits: Session<Visits>| {
                visits.count += 100;
                StatusCode::INTERNAL_SERVER_ERROR
            }),
        )
}

async fn save(mut visits: Session<Visits>) -> Result<(), SessionError> {
    visits.count += 100;
    Session::save(&mut visits).await
}

/// The second write is refused at the commit, though the handler had no error to return.
async fn save_twice(mut visits: Session<Visits>) {
    visits.count += 60;
    let _ = Session::save(&mut visits).await;
    visits.count += 40;
}

async fn update(mut visits: Session<Visits>) -> Result<(), SessionError> {
    Session::update(&mut visits, |visits| visits.count += 100).await
}

/// How B ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Destroy,
    Renew,
    Clear,
    Expire,
}

impl End {
    const ALL: [Self; 4] = [Self::Destroy, Self::Renew, Self::Clear, Self::Expire];
}

/// When A's cookie goes out again though its id stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resends {
    Never,
    /// It is as old as the session's last use.
    OnTouch,
    Always,
    /// It was signed by a secret that is to retire.
    OldSecret,
}

impl Resends {
    const ALL: [Self; 4] = [Self::Never, Self::OnTouch, Self::Always, Self::OldSecret];

    pub(super) fn configure(
        self,
        layer: SessionLayerBuilder<'static>,
    ) -> SessionLayerBuilder<'static> {
        let persistent = CookieOptions::new().max_age(IDLE);
        match self {
            Self::Never => layer,
            Self::OnTouch => layer.cookie(persistent),
            Self::Always => layer.cookie(persistent).rolling(Rolling::EveryResponse),
            Self::OldSecret => layer.previous_secrets([secret()]),
        }
    }

    pub(super) fn secret(self) -> Secret {
        if self == Self::OldSecret {
            Secret::generate()
        } else {
            secret()
        }
    }
}
