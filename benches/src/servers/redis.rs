//! A Redis that keeps nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Folder, Missing, Program, find, free_port};

pub struct Redis {
    _program: Program,
    _folder: Folder,
    port: u16,
}

impl Redis {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`Missing`] where Redis is not installed.
    pub fn start() -> Result<Self, Missing> {
        let file = find("redis-server", "redis-server")?;
        let (folder, port) = (Folder::new("redis"), free_port());
        let program = Program::start("TERM", &file, |command| {
            command
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--appendonly", "no", "--dir"])
                .arg(folder.path())
                .stdout(Stdio::null())
        });
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "Redis starts");
            sleep(Duration::from_millis(20));
        }
        Ok(Self {
            _program: program,
            _folder: folder,
            port,
        })
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    #[must_use]
    pub fn version(&self) -> String {
        self.info("server", "redis_version")
    }

    fn info(&self, section: &str, key: &str) -> String {
        let mut connection = self.connect(&format!("INFO {section}"));
        let mut length = String::new();
        connection.read_line(&mut length).expect("a length");
        let length = length.trim().trim_start_matches('$').parse();
        let mut info = vec![0; length.expect("the length of a text")];
        connection.read_exact(&mut info).expect("a text");
        let info = String::from_utf8(info).expect("text");
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(found, _)| *found == key);
        found.expect("Redis tells it").1.to_owned()
    }

    fn connect(&self, command: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let sent = stream.write_all(format!("{command}\r\n").as_bytes());
        sent.expect("it reads");
        BufReader::new(stream)
    }

    fn answer(&self, command: &str) -> String {
        let mut answer = String::new();
        let read = self.connect(command).read_line(&mut answer);
        read.expect("it answers");
        answer
    }

    /// What clients ask of it meanwhile: the name of each command, and how often. What a script does is
    /// not asked by a client; the script is.
    pub fn commands_of<T>(&self, asking: impl FnOnce() -> T) -> (T, Commands) {
        let mut monitor = self.connect("MONITOR");
        let mut line = String::new();
        monitor.read_line(&mut line).expect("OK");
        let done = asking();
        let end = format!("end-of-{}", self.port);
        self.answer(&format!("ECHO {end}"));
        let mut commands = Commands::new();
        loop {
            line.clear();
            monitor.read_line(&mut line).expect("a command");
            if line.contains(&end) {
                return (done, commands);
            }
            if let Some(name) = asked(&line) {
                *commands.entry(name).or_default() += 1;
            }
        }
    }
}

pub type Commands = BTreeMap<String, u64>;

/// The command in a line as `+1700000000.1 [0 127.0.0.1:5000] "GET" "key"`, if a client asked for it.
fn asked(line: &str) -> Option<String> {
    let (from, command) = line.split_once("] \"")?;
    let name = command.split('"').next()?;
    (!from.ends_with(" lua")).then(|| name.to_ascii_uppercase())
}
