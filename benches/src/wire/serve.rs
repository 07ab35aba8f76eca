//! A contender as a process of its own: `serve <part> <name> [<url of its store>]`.

use std::io::Write;
use std::net::TcpListener;

use axum::Router;
use tokio::runtime::Builder;

use super::part::Part;
use super::served::Server;
use crate::contenders::Starting;
use crate::servers::LISTENING;

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
