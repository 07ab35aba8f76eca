//! What was acknowledged survives the end of the process that acknowledged it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use http::StatusCode;
use sessile::SqliteStore;
use tokio::task::JoinSet;

use crate::app;
use crate::file::{File, child};
use crate::support::{Visitor, size};

const COOKIE: &str = "__Host-sid";
const VISITORS: usize = 8;
const DEADLINE: Duration = Duration::from_secs(10);

/// What the child has said of a session, by its token.
#[derive(Default)]
struct Told {
    writes: u64,
    /// Its end was asked for.
    leaving: bool,
    /// Its end was acknowledged.
    left: bool,
}

/// A process that serves visitors who write, and log out now and then. It says a word for each
/// acknowledgement, and one before a logout is asked for.
async fn serve(path: PathBuf) {
    let app = app(SqliteStore::open(path).await.unwrap(), DEADLINE);
    // The harness leaves a line unfinished.
    say("");
    let mut visitors = JoinSet::new();
    for _ in 0..VISITORS {
        let app = app.clone();
        visitors.spawn(async move {
            loop {
                visit(Visitor::new(&app)).await;
            }
        });
    }
    visitors.join_all().await;
}

async fn visit(mut visitor: Visitor) {
    for _ in 0..fastrand::u8(1..20) {
        let answer = visitor.get("/write").await;
        assert_eq!(answer.status, StatusCode::OK);
        say(&format!("wrote {}", visitor.cookie(COOKIE).unwrap()));
    }
    if fastrand::bool() {
        let token = visitor.cookie(COOKIE).unwrap().to_owned();
        say(&format!("leaves {token}"));
        assert_eq!(visitor.get("/logout").await.status, StatusCode::OK);
        say(&format!("left {token}"));
    }
}

/// In one call, so that a word is there whole or not at all.
fn say(word: &str) {
    let mut out = std::io::stdout();
    out.write_all(format!("{word}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Runs the child for a while, kills it, and adds what it has said.
fn kill(file: &File, told: &mut BTreeMap<String, Told>) {
    let mut child = file.child("kills::an_acknowledged_write_or_logout_survives_kill_9");
    let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (sender, words) = mpsc::channel();
    let listener = std::thread::spawn(move || {
        for word in out.lines() {
            let word = word.unwrap();
            if let Some((word, token)) = word.split_once(' ') {
                sender.send((word.to_owned(), token.to_owned())).unwrap();
            }
        }
    });
    let mut hear = |(word, token): (String, String)| match &*word {
        "wrote" => told.entry(token).or_default().writes += 1,
        "leaves" => told.entry(token).or_default().leaving = true,
        "left" => told.entry(token).or_default().left = true,
        // The harness's own.
        _ => {}
    };
    // It serves by now.
    while let Ok(word) = words.recv() {
        let is_first = word.0 == "wrote";
        hear(word);
        if is_first {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(fastrand::u64(100..500)));
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap();
    words.iter().for_each(hear);
}

/// How many writes a session has, or none if it has ended.
async fn writes(visitor: &Visitor) -> u64 {
    let answer = visitor.peek("/read").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_write_or_logout_survives_kill_9() {
    if let Some(path) = child() {
        return serve(path).await;
    }
    let kills = size(3, 200);
    let file = File::new();
    let mut told = BTreeMap::new();
    let mut doubtful = 0;
    for turn in 0..kills {
        kill(&file, &mut told);
        let app = app(file.open().await, DEADLINE);
        doubtful = 0;
        for (token, told) in &told {
            let mut visitor = Visitor::new(&app);
            visitor.plant(COOKIE, token);
            let found = writes(&visitor).await;
            let has_ended = found == 0;
            let Told {
                writes,
                leaving,
                left,
            } = *told;
            if left {
                assert!(has_ended, "kill {turn}: an acknowledged logout was undone");
            } else if !(leaving && has_ended) {
                // One write of a visitor may be under way, and be stored unheard.
                assert!(
                    (writes..=writes + 1).contains(&found),
                    "kill {turn}: {found} stored, {writes} acknowledged"
                );
            }
            doubtful += u64::from(!has_ended && found > writes) + u64::from(!left && has_ended);
        }
    }
    let writes: u64 = told.values().map(|told| told.writes).sum();
    let logouts = told.values().filter(|told| told.left).count();
    assert!(writes > 0 && logouts > 0);
    eprintln!(
        "{kills} kills, {writes} acknowledged writes, {logouts} acknowledged logouts, 0 lost, \
         {doubtful} had arrived unheard"
    );
}
