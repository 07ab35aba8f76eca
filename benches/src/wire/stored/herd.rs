//! Many requests at once on one session in Redis.

use crate::herd::{HEAD, Herds, REQUESTS, ROUNDS, Waiting, one, runtime};
use crate::markdown::table;
use crate::servers::Missing;
use crate::servers::redis::Redis;
use crate::wire::apps;
use crate::wire::served::App;

/// The section of the report.
#[must_use]
pub fn section() -> String {
    let head = "### Through Redis\n\n";
    let redis = match Redis::start() {
        Ok(redis) => redis,
        Err(Missing(line)) => return format!("{head}{line}"),
    };
    let contenders = [
        ("sessile", apps::sessile_redis as App),
        ("tower-sessions 0.14, signed", apps::tower_sessions_redis),
    ];
    let rows = contenders.map(|(name, app)| {
        let herds = (0..ROUNDS).map(|_| one(&runtime(), app(redis.url())));
        Herds(herds.collect()).row(name)
    });
    let asked = contenders.map(|(name, app)| format!("- {name}: {}\n", commands(&redis, app)));
    let (table, asked) = (table(HEAD, rows), asked.concat());
    format!(
        "{head}Redis {}, on this machine.\n\n{table}\n\
         What the server was asked by the {REQUESTS} of one more such round, by its own count:\n\n{asked}",
        redis.version()
    )
}

/// In words: how often each command was asked, and how many that are a request.
fn commands(redis: &Redis, app: App) -> String {
    let runtime = runtime();
    let waiting = runtime.block_on(async { Waiting::at(app(redis.url()).await).await });
    let (_, commands) = redis.commands_of(|| runtime.block_on(waiting.all_at_once()));
    let all: u64 = commands.values().sum();
    let names = commands
        .iter()
        .map(|(name, count)| format!("{name} {count}"));
    let names = names.collect::<Vec<_>>().join(", ");
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let of_each = all as f64 / REQUESTS as f64;
    format!("{names}, which is {of_each:.2} a request, one of which reads")
}
