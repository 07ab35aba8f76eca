//! A PostgreSQL that counts what it is asked.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Folder, Missing, Program, find, free_port};

const PACKAGE: &str = "postgresql";

pub struct Postgres {
    // Ended before its folder is removed.
    _program: Program,
    _folder: Folder,
    psql: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts a server with data of its own, and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`Missing`] where PostgreSQL is not installed.
    pub fn start() -> Result<Self, Missing> {
        let [initdb, postgres, psql] =
            ["initdb", "postgres", "psql"].map(|program| find(program, PACKAGE));
        let (initdb, postgres, psql) = (initdb?, postgres?, psql?);
        let (folder, port, user) = (Folder::new("postgres"), free_port(), user());
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("root may");
        }
        let data = folder.path().join("data");
        let log = File::create(folder.path().join("log")).expect("a file");
        let mut command = Command::new(initdb);
        command
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--username=postgres", "--pgdata"])
            .arg(&data);
        let made = as_user(&mut command, user).output().expect("it runs");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        // A fast shutdown: connections are not waited for.
        let program = Program::start("INT", &postgres, |command| {
            command.arg("-D").arg(&data);
            for setting in SETTINGS {
                command.args(["-c", setting]);
            }
            command.args(["-c", &format!("port={port}")]);
            as_user(command, user).stdout(Stdio::null()).stderr(log)
        });
        let server = Self {
            _program: program,
            _folder: folder,
            psql,
            port,
        };
        server.wait();
        server.ask("CREATE EXTENSION pg_stat_statements");
        Ok(server)
    }

    fn wait(&self) {
        let began = Instant::now();
        while self.try_ask("SELECT 1").is_err() {
            let waited = began.elapsed();
            assert!(waited < Duration::from_secs(30), "PostgreSQL starts");
            sleep(Duration::from_millis(50));
        }
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    #[must_use]
    pub fn version(&self) -> String {
        self.ask("SHOW server_version")
    }

    /// How many statements clients ask of it meanwhile, those that begin and end a transaction among them.
    pub fn statements_of<T>(&self, asking: impl FnOnce() -> T) -> (T, u64) {
        self.ask("SELECT pg_stat_statements_reset()");
        let done = asking();
        let asked = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
             WHERE query NOT LIKE '%pg_stat_statements%'";
        (done, self.ask(asked).parse().expect("a number"))
    }

    fn ask(&self, sql: &str) -> String {
        self.try_ask(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn try_ask(&self, sql: &str) -> Result<String, String> {
        let mut command = Command::new(&self.psql);
        let command = command.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command",
            sql,
        ]);
        let answer = command.arg(self.url()).output().expect("it runs");
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        if answer.status.success() {
            Ok(text(&answer.stdout))
        } else {
            Err(text(&answer.stderr))
        }
    }
}

const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_preload_libraries=pg_stat_statements",
    // Else the disk is what is measured.
    "fsync=off",
    // A checkpoint in the middle of a round would be one contender's bad luck.
    "max_wal_size=4GB",
];

fn as_user(command: &mut Command, user: Option<(u32, u32)>) -> &mut Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid).current_dir("/");
    }
    command
}

/// Whom to be in the place of root, as whom PostgreSQL refuses to run.
fn user() -> Option<(u32, u32)> {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    if uid.split_whitespace().next() != Some("0") {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("Linux has it");
    let user = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = user.expect("Debian's postgresql makes a user").split(':');
    let mut id = |at| fields.nth(at)?.parse().ok();
    Some((id(2)?, id(0)?))
}
