//! Starts Redis: one server, a cluster, a master with a replica and a sentinel.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::proxy::{Fault, Proxy};
use super::{Folder, Program, free_port};

/// How far from its port a node of a cluster listens to the others.
const BUS: u16 = 10_000;

/// One server.
pub struct Redis {
    /// Absent while it is down.
    program: Option<Program>,
    folder: Folder,
    pub port: u16,
    options: Vec<String>,
}

impl Redis {
    /// Starts a server that keeps nothing.
    pub fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts a server and waits until it answers.
    pub fn with(options: &[&str]) -> Self {
        Self::on(free_port(BUS), options)
    }

    fn on(port: u16, options: &[&str]) -> Self {
        let mut redis = Self {
            program: None,
            folder: Folder::new("redis"),
            port,
            options: options.iter().map(|&option| option.to_owned()).collect(),
        };
        redis.up();
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it where it was.
    pub fn up(&mut self) {
        let log = File::create(self.folder.path().join("log")).unwrap();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string()])
            .args(["--bind", "127.0.0.1"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(["--rdbcompression", "no"])
            .args(&self.options)
            .stderr(log.try_clone().unwrap())
            .stdout(log);
        let program = Program::start(&mut command);
        let own = format!("process_id:{}\r", program.id());
        self.program = Some(program);
        self.wait_for(&["PING"], "PONG");
        // Not somebody else's who has taken the port meanwhile.
        let server = self.ask(&["INFO", "server"]);
        assert!(server.contains(&own), "the port {} is taken", self.port);
    }

    /// Kills it.
    pub fn down(&mut self) {
        self.program = None;
    }

    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("it is up")
    }

    /// What is on its disk.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        files
    }

    /// What it answers to a command.
    pub fn ask(&self, command: &[&str]) -> String {
        ask(self.port, command)
    }

    /// Waits until its answer to a command contains a text.
    pub fn wait_for(&self, command: &[&str], text: &str) {
        wait_for(self.port, command, text);
    }

    /// How often each command was carried out, by clients and by scripts, since it was last asked.
    pub fn commands(&self) -> Vec<(String, u64)> {
        let stats = self.ask(&["INFO", "commandstats"]);
        self.ask(&["CONFIG", "RESETSTAT"]);
        let mut commands: Vec<_> = stats
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="))
            .map(|(name, rest)| {
                let calls = rest.split(',').next().unwrap();
                (name.to_owned(), calls.parse().unwrap())
            })
            .filter(|(name, _)| !matches!(name.as_str(), "info" | "config|resetstat" | "ping"))
            .collect();
        commands.sort();
        commands
    }

    /// Writes down every command that the server carries out from now on.
    pub fn monitor(&self) -> Monitor {
        let path = self.folder.path().join("monitor");
        let file = File::create(&path).unwrap();
        let mut command = Command::new("redis-cli");
        command
            .args(["-p", &self.port.to_string(), "MONITOR"])
            .stdout(file)
            .stderr(Stdio::null());
        let program = Program::start(&mut command);
        let monitor = Monitor {
            _program: program,
            path,
        };
        monitor.wait_for("OK");
        monitor
    }
}

/// What a server has carried out.
pub struct Monitor {
    _program: Program,
    path: PathBuf,
}

impl Monitor {
    /// All that was carried out so far, where `redis` is the server.
    pub fn lines(&self, redis: &Redis) -> String {
        static ASKED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let asked = ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let last = format!("last line {asked}");
        redis.ask(&["ECHO", &last]);
        self.wait_for(&last)
    }

    fn wait_for(&self, text: &str) -> String {
        until(|| {
            let lines = fs::read(&self.path).unwrap();
            let lines = String::from_utf8_lossy(&lines).into_owned();
            lines.contains(text).then_some(lines)
        })
    }
}

/// Three masters, and then the replicas of each, if any.
pub struct Cluster(pub Vec<Redis>);

impl Cluster {
    pub fn start() -> Self {
        Self::with(&["--save", ""], 0)
    }

    /// Starts a cluster with options of its own and so many replicas of each master.
    pub fn with(options: &[&str], replicas: usize) -> Self {
        let nodes = (0..3 * (1 + replicas)).map(|_| Redis::with(&of_cluster(options)));
        Self::of(nodes.collect(), replicas)
    }

    /// Starts a cluster whose nodes name, in the place of their own addresses, those of a proxy.
    pub fn behind_a_proxy() -> (Self, Proxy) {
        let ports: Vec<_> = (0..3).map(|_| free_port(BUS)).collect();
        let proxy = Proxy::before(&ports);
        let node = |(port, announced): (&u16, &u16)| {
            let (bus, announced) = ((port + BUS).to_string(), announced.to_string());
            let options = ["--save", "", "--cluster-announce-port", &announced];
            let options = [&options[..], &["--cluster-announce-bus-port", &bus]].concat();
            Redis::on(*port, &of_cluster(&options))
        };
        let nodes = ports.iter().zip(proxy.ports()).map(node).collect();
        (Self::of(nodes, 0), proxy)
    }

    fn of(nodes: Vec<Redis>, replicas: usize) -> Self {
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", &replicas.to_string()])
            .arg("--cluster-yes")
            .output()
            .unwrap();
        assert!(created.status.success(), "{created:?}");
        let cluster = Self(nodes);
        cluster.wait_until_whole();
        cluster
    }

    /// Waits until all nodes that are up agree that all slots are served, and replicas follow.
    pub fn wait_until_whole(&self) {
        for node in self.0.iter().filter(|node| node.program.is_some()) {
            node.wait_for(&["CLUSTER", "INFO"], "cluster_state:ok");
            if node.ask(&["ROLE"]).starts_with("slave") {
                node.wait_for(&["INFO", "replication"], "master_link_status:up");
            }
        }
    }

    pub fn url(&self) -> String {
        let ports: Vec<_> = self.0.iter().map(|node| node.port).collect();
        url_of_cluster(&ports)
    }

    /// The name of a node.
    pub fn id(&self, node: usize) -> String {
        self.0[node].ask(&["CLUSTER", "MYID"]).trim().to_owned()
    }
}

pub fn url_of_cluster(ports: &[u16]) -> String {
    let nodes: Vec<_> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    format!("redis+cluster://{}", nodes.join(","))
}

fn of_cluster<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    all.extend(options);
    all
}

/// Moves so many slots from one node to another, while both are in use.
pub fn reshard(port: u16, from: &str, to: &str, slots: u32) {
    let moved = Command::new("redis-cli")
        .args(["--cluster", "reshard", &format!("127.0.0.1:{port}")])
        .args(["--cluster-from", from, "--cluster-to", to])
        .args(["--cluster-slots", &slots.to_string(), "--cluster-yes"])
        .output()
        .unwrap();
    assert!(moved.status.success(), "{moved:?}");
}

/// A master, its replicas, and a sentinel that puts one of them in its place.
pub struct Sentinel {
    pub master: Redis,
    pub replicas: Vec<Redis>,
    _program: Program,
    folder: Folder,
    _lagging: Proxy,
    port: u16,
}

impl Sentinel {
    /// How often another server has become the master.
    pub fn switches(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.matches("+switch-master").count()
    }

    pub fn start() -> Self {
        Self::with(&[], 1, Duration::ZERO)
    }

    /// With options of its own, and so many replicas, which hear everything so much later.
    pub fn with(options: &[&str], replicas: usize, lag: Duration) -> Self {
        let options = [&["--save", "", "--repl-diskless-sync-delay", "0"], options].concat();
        let master = Redis::with(&options);
        let lagging = Proxy::before(&[master.port]);
        lagging.set(Fault::Delay(lag));
        let port = if lag.is_zero() {
            master.port.to_string()
        } else {
            lagging.ports()[0].to_string()
        };
        let of_master = [&options[..], &["--replicaof", "127.0.0.1", &port]].concat();
        let replicas: Vec<_> = (0..replicas).map(|_| Redis::with(&of_master)).collect();
        for replica in &replicas {
            replica.wait_for(&["INFO", "replication"], "master_link_status:up");
        }
        let (folder, port) = (Folder::new("sentinel"), free_port(BUS));
        let file = folder.path().join("sentinel.conf");
        let config = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
            folder.path().display(),
            master.port,
        );
        fs::write(&file, config).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").stdout(log);
        let program = Program::start(&mut command);
        wait_for(port, &["PING"], "PONG");
        // It knows of the replicas once it has asked the master.
        for replica in &replicas {
            let known = replica.port.to_string();
            wait_for(port, &["SENTINEL", "REPLICAS", "main"], &known);
        }
        Self {
            master,
            replicas,
            _program: program,
            folder,
            _lagging: lagging,
            port,
        }
    }

    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.port)
    }

    /// Waits until a replica is the master.
    pub fn wait_for_failover(&self) {
        let command = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"];
        until(|| {
            let named = ask(self.port, &command);
            let is_master = |replica: &&Redis| replica.ask(&["ROLE"]).starts_with("master");
            let mut named = self
                .replicas
                .iter()
                .filter(|replica| named.contains(&replica.port.to_string()));
            named.find(is_master).map(drop)
        });
    }
}

fn ask(port: u16, command: &[&str]) -> String {
    let answer = Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(command)
        .output()
        .unwrap_or_else(|error| panic!("redis-cli: {error}"));
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

fn wait_for(port: u16, command: &[&str], text: &str) {
    until(|| ask(port, command).contains(text).then_some(()));
}

fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "a server must come up within a minute"
        );
        sleep(Duration::from_millis(20));
    }
}
