//! A contender over sockets: its name, the place of its counter, and its way to serve.

use std::net::TcpListener;

use crate::contenders::{Contender, Starting};

/// A contender over sockets.
pub(super) struct Served {
    pub(super) name: &'static str,
    pub(super) keeps: Keeps,
    pub(super) server: Server,
}

/// The place of the counter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Nowhere: the handlers answer as if there were one.
    Nothing,
    /// With the visitor, whose cookie is new after each change.
    InCookie,
    InStore,
}

/// An app, given the URL of its store.
pub(super) type App = fn(String) -> Starting;

/// The way to serve, given the URL of the store.
pub(super) enum Server {
    Axum(Box<dyn FnOnce(String) -> Starting>),
    Actix(fn(TcpListener, String)),
    Express,
}

impl Served {
    /// A contender that is measured in process as well.
    pub(super) fn in_memory(contender: Contender) -> Self {
        let app = move || Box::pin(async move { contender.app().await });
        Self {
            name: contender.name,
            keeps: if contender.has_sessions {
                Keeps::InStore
            } else {
                Keeps::Nothing
            },
            server: Server::Axum(Box::new(move |_| app())),
        }
    }

    pub(super) fn over_store(name: &'static str, app: App) -> Self {
        Self {
            name,
            keeps: Keeps::InStore,
            server: Server::Axum(Box::new(app)),
        }
    }
}
