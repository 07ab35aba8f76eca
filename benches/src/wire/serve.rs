//! A contender as a process of its own: `serve <part> <name> [<url of its store>]`.

use std::io::Write;
use std::net::TcpListener;

use axum::Router;
use tokio::runtime::Builder;

use super::{loopback, stored};
use crate::contenders::{Contender, Starting};
use crate::servers::LISTENING;

/// Somebody who is compared over sockets.
pub(super) struct Served {
    pub(super) name: &'static str,
    pub(super) keeps: Keeps,
    pub(super) server: Server,
}

/// Where the counter is.
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

/// How it serves, given the URL of its store.
pub(super) enum Server {
    Axum(Box<dyn FnOnce(String) -> Starting>),
    Actix(fn(TcpListener, String)),
    Express,
}

impl Served {
    /// One that is measured in process as well.
    pub(super) fn in_memory(contender: Contender) -> Self {
        let app = move || Box::pin(async move { contender.app().await });
        Self {
            name: contender.name,
            keeps: if contender.has_sessions() {
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

/// A part of the report, each with contenders of its own.
#[derive(Debug, Clone, Copy)]
pub enum Part {
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
            Self::Loopback => loopback::served(),
            Self::Redis => stored::redis(),
            Self::Postgres => stored::postgres(),
        }
    }
}

/// Serves until it is ended.
///
/// # Panics
///
/// If there is nobody of this name in that part.
pub fn serve(part: &str, name: &str, store: &str) {
    let parts = [Part::Loopback, Part::Redis, Part::Postgres];
    let part = parts.into_iter().find(|it| it.word() == part);
    let mut served = part.expect("a part").served().into_iter();
    let served = served.find(|it| it.name == name).expect("a contender");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    match served.server {
        Server::Axum(app) => serve_axum(listener, app(store.to_owned()), &address.to_string()),
        Server::Actix(serve) => {
            print(&address.to_string());
            serve(listener, store.to_owned());
        }
        Server::Express => panic!("Node serves it"),
    }
}

fn serve_axum(listener: TcpListener, app: Starting, address: &str) {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        // Both on the one worker thread.
        let served = tokio::spawn(async {
            let app: Router = app.await;
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            axum::serve(listener, app).await
        });
        print(address);
        let ended = served.await.expect("it serves");
        ended.expect("it serves");
    });
}

fn print(address: &str) {
    println!("{LISTENING}{address}");
    std::io::stdout().flush().expect("who started us reads");
}
