//! The parts of the report, and the contenders of each.

use super::served::{Keeps, Served, Server};
use super::{actix, apps};
use crate::contenders;

/// A part of the report, each with contenders of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Loopback,
    Redis,
    Postgres,
}

impl Part {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }

    pub(super) fn served(self) -> Vec<Served> {
        match self {
            Self::Loopback => in_memory(),
            Self::Redis => over_redis(),
            Self::Postgres => over_postgres(),
        }
    }
}

fn in_memory() -> Vec<Served> {
    let bare = contenders::all().into_iter().take(1);
    let in_memory = bare.chain(contenders::libraries());
    let mut served: Vec<_> = in_memory.map(Served::in_memory).collect();
    served.extend([
        Served {
            name: "bare actix-web",
            keeps: Keeps::Nothing,
            server: Server::Actix(actix::bare),
        },
        Served {
            name: "actix-session, in a cookie",
            keeps: Keeps::InCookie,
            server: Server::Actix(actix::in_cookie),
        },
        Served {
            name: "express-session",
            keeps: Keeps::InStore,
            server: Server::Express,
        },
    ]);
    served
}

fn over_redis() -> Vec<Served> {
    vec![
        Served::over_store("sessile", apps::sessile_redis),
        Served::over_store("tower-sessions 0.14, signed", apps::tower_sessions_redis),
        Served::over_store("axum_session, signed", apps::axum_session_redis),
        Served {
            name: "actix-session",
            keeps: Keeps::InStore,
            server: Server::Actix(actix::in_redis),
        },
        Served {
            name: "express-session, connect-redis",
            keeps: Keeps::InStore,
            server: Server::Express,
        },
    ]
}

fn over_postgres() -> Vec<Served> {
    vec![
        Served::over_store("sessile", apps::sessile_postgres),
        Served::over_store("tower-sessions 0.14, signed", apps::tower_sessions_postgres),
        Served::over_store("ruts, signed", apps::ruts_postgres),
        Served::over_store("axum_session, signed", apps::axum_session_postgres),
    ]
}
