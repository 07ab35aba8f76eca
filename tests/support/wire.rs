//! An application on a port of its own, and a client of bare TCP that knows when each byte came.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Everything that came back for one request.
pub struct Reply {
    pub first_byte: Instant,
    pub text: String,
}

/// Serves an application, for as long as the test's runtime lives.
pub async fn serve(app: Router) -> SocketAddr {
    crate::support::trace::install();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

/// Sends a request of these lines, and reads until the server closes the connection.
pub async fn ask(address: SocketAddr, request_line: &str, headers: &[&str], body: &str) -> Reply {
    let length = format!("content-length: {}", body.len());
    let (start, host) = (
        format!("{request_line} HTTP/1.1"),
        format!("host: {address}"),
    );
    let mut lines = vec![start.as_str(), &host, "connection: close", &length];
    lines.extend(headers);
    let request = lines.join("\r\n") + "\r\n\r\n" + body;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let first = stream.read_u8().await.unwrap();
    let first_byte = Instant::now();
    let mut bytes = vec![first];
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    Reply { first_byte, text }
}

impl Reply {
    pub fn status(&self) -> u16 {
        let status = self.text.split(' ').nth(1).unwrap();
        status.parse().unwrap()
    }

    pub fn head(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().0
    }

    /// The body as it came: what is chunked is not put together.
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }

    /// The values of a header, of a name in lower case.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head().lines().skip(1);
        let fields = lines.filter_map(|line| line.split_once(": "));
        fields
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}
