//! Starts real servers, each on a port and in a folder of its own, and ends them with this process,
//! however it ends.

pub mod http;
pub mod node;
pub mod postgres;
pub mod redis;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{env, fs, process};

/// What cannot be measured here, and what a machine needs for it: a line of the report.
pub struct Missing(pub String);

/// Where a program lies. What Debian does not put on the path lies in a folder of each version.
///
/// # Errors
///
/// [`Missing`], which says the package that Debian has it in.
pub fn find(program: &str, package: &str) -> Result<PathBuf, Missing> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let versions = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let mut files = env::split_paths(&path)
        .chain(versions)
        .map(|folder| folder.join(program));
    files.find(|file| file.is_file()).ok_or_else(|| {
        Missing(format!(
            "*Left out: `{program}` is not installed. In Debian: `apt-get install {package}`.*\n"
        ))
    })
}

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("sessile-bench-{name}-{}-{count}", process::id());
        let folder = env::temp_dir().join(folder);
        fs::create_dir(&folder).expect("a new folder");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Runs a program until its own input is closed, which happens to it however we end.
const KEEPER: &str = r#"
signal=$1; shift
"$@" </dev/null &
exec >/dev/null
read -r _
kill -s "$signal" $!
wait
"#;

/// A program that ends when it is dropped.
pub struct Program {
    keeper: Child,
}

impl Program {
    /// Starts it, as somebody else if `prepare` says so. `signal` is what ends it.
    pub(crate) fn start(
        signal: &str,
        program: &Path,
        prepare: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper", signal]).arg(program);
        // What interrupts us must not reach it: it would go before its program.
        command.process_group(0).stdin(Stdio::piped());
        let keeper = prepare(&mut command).spawn();
        let keeper = keeper.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        Self { keeper }
    }

    /// The time that a processor has worked for it so far, in a process of its own or for it in the kernel.
    pub(crate) fn worked(&self) -> Duration {
        let keeper = self.keeper.id();
        let children = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children"));
        let program = children.expect("Linux has it").trim().to_owned();
        let stat = fs::read_to_string(format!("/proc/{program}/stat")).expect("it runs");
        // After the name, which stands in parentheses, in hundredths of a second.
        let (_, fields) = stat.rsplit_once(") ").expect("a name");
        let times = fields.split(' ').skip(11).take(2);
        let times = times.map(|time| time.parse::<u64>().expect("a number"));
        Duration::from_millis(times.sum::<u64>() * 10)
    }

    /// Where it listens, which is the first line it prints.
    ///
    /// # Panics
    ///
    /// If it prints something else, or ends.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let output: ChildStdout = self.keeper.stdout.take().expect("its output is ours");
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        read.expect("a line of text");
        let address = line.trim().strip_prefix(LISTENING);
        let address = address.unwrap_or_else(|| panic!("it does not start: {line:?}"));
        address.parse().expect("an address")
    }
}

/// What stands before the address that a server prints.
pub(crate) const LISTENING: &str = "listening on http://";

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

/// A port that nobody listens to.
pub(crate) fn free_port() -> u16 {
    let any = TcpListener::bind("127.0.0.1:0").expect("a machine has free ports");
    any.local_addr().expect("an address").port()
}
