//! What a visitor sees when one of the two ends, or is none of the two; and what an operator sees.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::client::{Lost, ask};
use crate::servers::postgres::Postgres;
use crate::servers::redis::{Cluster, Redis};
use crate::servers::{Folder, signal};
use crate::support::Example;
use crate::{SECRETS, WELCOME, count, file, pair, start, visit, welcome};

/// Kills one of two servers in a stream of visits by one visitor, which all go on at the other.
async fn a_visitor_goes_on_at_the_other(store: &str) {
    const TABS: usize = 8;
    const BEFORE: u64 = 100;
    const AFTER: u64 = 100;

    let [mut first, second] = pair(store);
    let cookie = welcome(&first).await;
    let addresses = [first.address, second.address];
    let told = Arc::new(AtomicU64::new(0));
    let mut tabs = JoinSet::new();
    for tab in 0..TABS {
        let (cookie, told) = (cookie.clone(), Arc::clone(&told));
        tabs.spawn(async move {
            let (mut at, mut cut_off, mut after) = (tab % 2, 0, 0);
            let mut died = false;
            while after < AFTER {
                match ask(addresses[at], Some(&cookie)).await {
                    Ok(answer) => {
                        assert_eq!(answer.status, 200, "{}", answer.body);
                        assert!(count(&answer.body) > 1, "the visitor is known");
                        told.fetch_add(1, Ordering::SeqCst);
                        after += u64::from(died);
                        at = if died { 1 } else { 1 - at };
                    }
                    Err(lost) => {
                        assert_eq!(at, 0, "the other one goes on");
                        cut_off += u64::from(matches!(lost, Lost::CutOff));
                        (died, at) = (true, 1);
                    }
                }
            }
            cut_off
        });
    }
    while told.load(Ordering::SeqCst) < BEFORE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    first.kill();
    let cut_off: u64 = tabs.join_all().await.into_iter().sum();
    let (told, stands) = (
        told.load(Ordering::SeqCst),
        visit(&second, &cookie).await - 2,
    );
    eprintln!("{told} visits acknowledged, {cut_off} cut off, {stands} counted");
    assert!(
        (told..=told + cut_off).contains(&stands),
        "{told} acknowledged, {cut_off} cut off, {stands} counted"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_server_that_is_killed_takes_no_visit_from_redis_with_it() {
    let redis = Redis::start();
    a_visitor_goes_on_at_the_other(&redis.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (Debian package redis-server)"]
async fn a_server_that_is_killed_takes_no_visit_from_a_cluster_with_it() {
    let cluster = Cluster::start();
    a_visitor_goes_on_at_the_other(&cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs postgres (Debian package postgresql)"]
async fn a_server_that_is_killed_takes_no_visit_from_postgres_with_it() {
    a_visitor_goes_on_at_the_other(&Postgres::shared().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_takes_no_visit_from_a_file_with_it() {
    let folder = Folder::new("two-servers");
    a_visitor_goes_on_at_the_other(&file(&folder)).await;
}

#[tokio::test]
async fn a_cookie_under_another_secret_is_not_known() {
    let folder = Folder::new("two-servers");
    let [one, stranger] = SECRETS.map(|secret| start(&file(&folder), secret));
    let cookie = welcome(&one).await;
    let answer = ask(stranger.address, Some(&cookie)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, WELCOME));
    assert_ne!(answer.cookie(), cookie);
    assert_eq!(visit(&one, &cookie).await, 2);
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let folder = Folder::new("two-servers");
    let mut server = start(&file(&folder), SECRETS[0]);
    welcome(&server).await;
    signal("INT", &[server.pid()]);
    assert!(server.ended_well());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let folder = Folder::new("two-servers");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = ended(&[
        ("SESSION_STORE", &file(&folder)),
        ("SESSION_SECRET", SECRETS[0]),
        ("PORT", &port),
    ]);
    let says = format!("cannot listen on 127.0.0.1:{port}: Address already in use (os error 98)\n");
    assert_eq!(ended, says);
}

/// Each in one line, without the password.
#[test]
fn what_cannot_work_is_said_at_the_start() {
    let secret = ("SESSION_SECRET", SECRETS[0]);
    for (environment, says) in [
        (
            vec![],
            "`SESSION_SECRET` is not set: set it to the output of `openssl rand -base64 32`\n",
        ),
        (
            vec![("SESSION_SECRET", "c2hvcnQ=")],
            "`SESSION_SECRET`, read as base64, holds no secret: a secret has 5 bytes, it needs at least 32; \
             set it to the output of `openssl rand -base64 32`\n",
        ),
        (
            vec![secret],
            "`SESSION_STORE` is not set: set it to redis://127.0.0.1:6379, for one\n",
        ),
        (
            vec![secret, ("SESSION_STORE", "mysql://ann:s3cret@db/shop")],
            "`SESSION_STORE` cannot be used: it is none of redis://host, redis+cluster://host,host, \
             redis+sentinel://host,host/master, postgres://user@host/database, sqlite:path\n",
        ),
    ] {
        assert_eq!(ended(&environment), says);
    }
    for store in [
        "redis://:s3cret@127.0.0.1:1",
        "redis+cluster://:s3cret@127.0.0.1:1",
        "redis+sentinel://:s3cret@127.0.0.1:1/main",
        "postgres://ann:s3cret@127.0.0.1:1/shop",
        "sqlite:/nowhere/shop.db",
    ] {
        let said = ended(&[secret, ("SESSION_STORE", store)]);
        let begins = "`SESSION_STORE` cannot be used: the session store is unavailable: ";
        assert!(said.starts_with(begins), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

/// What it says, where it does not start.
fn ended(environment: &[(&str, &str)]) -> String {
    let mut command: Command = Example::command("two_servers");
    for name in ["SESSION_STORE", "SESSION_SECRET", "PORT"] {
        command.env_remove(name);
    }
    let ended: Output = command.envs(environment.iter().copied()).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stdout.is_empty());
    String::from_utf8(ended.stderr).unwrap()
}
