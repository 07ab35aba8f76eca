//! A client of bare TCP that asks each question once, and says whether it was answered in full.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Nobody listens: nothing was asked.
    Refused,
    /// The question was on its way, or the answer was.
    CutOff,
}

/// A connection for one question.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
}

/// An answer that came in full.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    head: String,
}

/// Asks for the page, with the value of the session cookie.
pub(crate) async fn ask(address: SocketAddr, cookie: Option<&str>) -> Result<Answer, Lost> {
    Connection::open(address).await?.get(cookie).await
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Lost> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|_| Lost::Refused)?;
        Ok(Self { stream, address })
    }

    pub(crate) async fn get(mut self, cookie: Option<&str>) -> Result<Answer, Lost> {
        let cookie = cookie.map(|cookie| format!("cookie: __Host-sid={cookie}\r\n"));
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{}\r\n",
            self.address,
            cookie.unwrap_or_default()
        );
        let answer = self.exchange(&request).await;
        answer.ok().and_then(|text| read(&text)).ok_or(Lost::CutOff)
    }

    async fn exchange(&mut self, request: &str) -> io::Result<String> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut text = String::new();
        self.stream.read_to_string(&mut text).await?;
        Ok(text)
    }
}

impl Answer {
    /// The value of the session cookie that it sets.
    pub(crate) fn cookie(&self) -> String {
        let set = self.head.split_once("set-cookie: __Host-sid=");
        let (_, rest) = set.unwrap_or_else(|| panic!("no cookie: {}", self.head));
        rest.split_once(';').unwrap().0.to_owned()
    }
}

/// `None` where the end is missing.
fn read(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let (_, length) = head.split_once("content-length: ")?;
    let length: usize = length.lines().next()?.parse().ok()?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: (body.len() == length).then(|| body.to_owned())?,
    })
}
