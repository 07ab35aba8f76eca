//! Asks a server once, over a connection of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::cookies::sent_back;

/// What a server has answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// What a browser sends back.
    pub cookies: Option<String>,
    pub text: String,
}

/// Asks for a path as somebody with these cookies, or with none.
#[must_use]
pub fn get(address: SocketAddr, path: &str, cookies: Option<&str>) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let cookies = cookies.map(|pairs| format!("Cookie: {pairs}\r\n"));
    let cookies = cookies.unwrap_or_default();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{cookies}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers text");
    Answer::parse(&answer).unwrap_or_else(|| panic!("no answer of HTTP: {answer:?}"))
}

impl Answer {
    fn parse(answer: &str) -> Option<Self> {
        let (head, text) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let set = lines.filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then_some(value)
        });
        Some(Self {
            status,
            cookies: sent_back(set),
            text: text.to_owned(),
        })
    }
}

/// The counter of a session, as `/read` tells it.
#[must_use]
pub fn page_views(address: SocketAddr, cookies: &str) -> u64 {
    let answer = get(address, "/read", Some(cookies));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text.parse().expect("a number")
}
