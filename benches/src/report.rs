//! Says what machine, what day and what versions a report is of.

use std::fs;
use std::process::Command;

/// A part of a report, by the word that asks for it alone.
pub type Part = (&'static str, fn() -> String);

/// What was measured where, and when.
#[must_use]
pub fn heading() -> String {
    let date = said("date", &["-I"]);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = proc("cpuinfo", "model name").unwrap_or_default();
    let memory = proc("meminfo", "MemTotal").unwrap_or_default();
    let (system, compiler) = (said("uname", &["-sr"]), said("rustc", &["-V"]));
    format!(
        "# What sessions cost\n\n\
         `cargo run --release --manifest-path benches/Cargo.toml` wrote this on {date}.\n\n\
         {model}, {cores} cores, {memory}; {system}; {compiler}, the plain release profile.\n\n{}\n",
        versions()
    )
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output.unwrap_or_else(|_| format!("no `{program}`"))
}

/// What the kernel says under a name.
fn proc(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{file}")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().to_owned())
}

/// The versions that the lock file names, of all that is compared.
fn versions() -> String {
    const COMPARED: [&str; 9] = [
        "actix-session",
        "actix-web",
        "axum",
        "axum_session",
        "ruts",
        "sessile",
        "tokio",
        "tower-sessions",
        "tower-sessions-redis-store",
    ];
    let lock = include_str!("../Cargo.lock");
    let packages = lock.split("[[package]]").filter_map(|package| {
        let value = |name: &str| {
            let line = package.lines().find(|line| line.starts_with(name))?;
            line.split('"').nth(1)
        };
        let name = value("name")?;
        let is_compared = COMPARED.contains(&name);
        is_compared.then(|| Some(format!("{name} {}", value("version")?)))?
    });
    let packages: Vec<_> = packages.collect();
    format!("{}.", packages.join(", "))
}
