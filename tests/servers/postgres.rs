//! A PostgreSQL of the tests' own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sessile::PostgresStore;
use sessile::deadpool_postgres::tokio_postgres::{Client, NoTls};
use sessile::deadpool_postgres::{Manager, Pool};

use super::{free_port, signal};

/// Starts the server when it is told to, and ends it when nobody is left to tell it anything: however
/// the test ends, its end of the pipe is closed.
const KEEPER: &str = r#"
folder=$1; shift
while read -r command; do
    "$@" >>"$folder/log" 2>&1 &
    pid=$!
done
kill -CONT $pid; kill -QUIT $pid; wait $pid
rm -rf "$folder"
"#;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server and its data, both gone when it is dropped.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
    keeper: Child,
}

impl Postgres {
    /// One server for all tests of this process, as one that loses nothing but with its machine.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&["max_connections=300"]))
    }

    /// A server with settings of its own.
    pub fn start(settings: &[&str]) -> Self {
        let port = free_port(0);
        let folder = std::env::temp_dir().join(format!("sessile-postgres-{port}"));
        fs::create_dir(&folder).unwrap();
        // PostgreSQL refuses to run as root.
        let user = postgres_user();
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let command = |program: &str| {
            let mut command = Command::new(program);
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command.current_dir(&folder).process_group(0);
            command
        };
        let data = folder.join("data");
        let made = command(&program("initdb"))
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .args(["--username=postgres", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb is there");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut keeper = command("sh");
        keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .arg(program("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", &format!("port={port}")])
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            // The disk need not be waited for: it is the server that ends here, not the machine.
            .args(["-c", "fsync=off"]);
        for setting in settings {
            keeper.args(["-c", setting]);
        }
        let keeper = keeper.stdin(Stdio::piped()).spawn().unwrap();
        let mut server = Self {
            folder,
            port,
            keeper,
        };
        server.start_again();
        server
    }

    /// Starts the server after it has ended.
    pub fn start_again(&mut self) {
        let told = self.keeper.stdin.as_mut().unwrap().write_all(b"start\n");
        told.expect("the keeper listens");
        let port = self.port.to_string();
        let began = Instant::now();
        while !Command::new(program("pg_isready"))
            .args(["--quiet", "--host=127.0.0.1", "--port", &port])
            .status()
            .unwrap()
            .success()
        {
            assert!(began.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub fn url_of(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/postgres", self.port)
    }

    /// A store with tables of its own.
    pub async fn store(&self) -> PostgresStore {
        self.store_over(16).await
    }

    /// A store with tables of its own, over a pool of so many connections.
    pub async fn store_over(&self, connections: usize) -> PostgresStore {
        static STORES: AtomicUsize = AtomicUsize::new(0);
        let schema = format!("s{}", STORES.fetch_add(1, Ordering::Relaxed));
        let pool = pool(&self.url(), connections);
        let store = PostgresStore::new(pool).schema(schema).unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// A connection for the test itself.
    pub async fn connect(&self) -> Client {
        let (client, connection) =
            sessile::deadpool_postgres::tokio_postgres::connect(&self.url(), NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Ends the server as a crash does, and all its processes.
    pub fn kill(&self) {
        let pids = self.pids();
        signal("KILL", &pids);
        let began = Instant::now();
        while pids.iter().any(|pid| is_running(*pid)) {
            assert!(began.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops the server and all its processes where they are, until it is dropped.
    pub fn freeze(&self) -> Frozen {
        let pids = self.pids();
        signal("STOP", &pids);
        Frozen(pids)
    }

    /// The server, and the processes that serve its connections.
    fn pids(&self) -> Vec<u32> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let postmaster: u32 = file.lines().next().unwrap().parse().unwrap();
        let processes = fs::read_dir("/proc").unwrap();
        let running = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let children = running.filter(|pid| parent(*pid) == Some(postmaster));
        std::iter::once(postmaster).chain(children).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Processes that stand still.
pub struct Frozen(Vec<u32>);

impl Frozen {
    /// Stops one process.
    pub fn of(pid: u32) -> Self {
        signal("STOP", &[pid]);
        Self(vec![pid])
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("CONT", &self.0);
    }
}

/// A pool as an application has one.
pub fn pool(url: &str, connections: usize) -> Pool {
    let manager = Manager::new(url.parse().unwrap(), NoTls);
    Pool::builder(manager)
        .max_size(connections)
        .build()
        .unwrap()
}

/// What Debian does not put on the path lies in a folder of each version.
fn program(name: &str) -> String {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path);
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let versions = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let found = on_path.chain(versions).map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    let found = found.unwrap_or_else(|| panic!("{name} is missing: install Debian's postgresql"));
    found.into_os_string().into_string().unwrap()
}

/// Whom to be in the place of root.
fn postgres_user() -> Option<(u32, u32)> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    if uid.unwrap().split_whitespace().next() != Some("0") {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = user
        .expect("Debian's postgresql makes a user")
        .split(':')
        .skip(2);
    let mut id = || fields.next().unwrap().parse().unwrap();
    Some((id(), id()))
}

/// A process's parent and its state, as `/proc` tells: after the name, which stands in parentheses.
fn stat(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid).map(|(_, parent)| parent)
}

fn is_running(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}
