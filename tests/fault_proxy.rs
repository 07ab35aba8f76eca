//! The proxy of the tests with a server does to connections what each of its faults says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod servers;

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use servers::proxy::{Fault, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Long enough for what comes to come.
const MOMENT: Duration = Duration::from_secs(2);

/// A server that answers `1` by `a1`, and says what it was asked.
async fn server() -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut chunk = [0; 64];
                while let Ok(length @ 1..) = client.read(&mut chunk).await {
                    let asked = String::from_utf8_lossy(&chunk[..length]).into_owned();
                    let answer = format!("a{asked}");
                    let _ = tell.send(asked);
                    let _ = client.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    (port, heard)
}

async fn connect(proxy: &Proxy) -> TcpStream {
    let address = (Ipv4Addr::LOCALHOST, proxy.ports()[0]);
    TcpStream::connect(address).await.unwrap()
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Text(String),
    Nothing,
    Closed,
    Reset,
}

async fn ask(stream: &mut TcpStream, question: &str) -> Heard {
    match stream.write_all(question.as_bytes()).await {
        Ok(()) => hear(stream).await,
        Err(error) => panic!("{error}"),
    }
}

async fn hear(stream: &mut TcpStream) -> Heard {
    let mut chunk = [0; 64];
    match timeout(MOMENT, stream.read(&mut chunk)).await {
        Err(_) => Heard::Nothing,
        Ok(Ok(0)) => Heard::Closed,
        Ok(Ok(length)) => answer(&String::from_utf8_lossy(&chunk[..length])),
        Ok(Err(error)) => failed(&error),
    }
}

fn failed(error: &std::io::Error) -> Heard {
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    Heard::Reset
}

fn answer(text: &str) -> Heard {
    Heard::Text(text.to_owned())
}

#[tokio::test]
async fn without_a_fault_everything_passes() {
    let (port, _heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let mut stream = connect(&proxy).await;
    for question in ["1", "22", "333"] {
        assert_eq!(
            ask(&mut stream, question).await,
            answer(&format!("a{question}"))
        );
    }
}

#[tokio::test]
async fn each_server_has_a_port() {
    let ((one, mut heard_by_one), (other, mut heard_by_other)) = (server().await, server().await);
    let proxy = Proxy::before(&[one, other]);
    for (port, heard) in [(0, &mut heard_by_one), (1, &mut heard_by_other)] {
        let address = (Ipv4Addr::LOCALHOST, proxy.ports()[port]);
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(ask(&mut stream, "1").await, answer("a1"));
        assert_eq!(heard.try_recv().unwrap(), "1");
    }
}

#[tokio::test]
async fn a_delay_is_for_each_chunk_and_both_ways() {
    let (port, _heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let mut stream = connect(&proxy).await;
    proxy.set(Fault::Delay(Duration::from_millis(40)));
    let begun = Instant::now();
    assert_eq!(ask(&mut stream, "1").await, answer("a1"));
    assert!(begun.elapsed() >= Duration::from_millis(80));
    // What is under way when it ends comes at once.
    proxy.set(Fault::Delay(Duration::from_mins(1)));
    assert_eq!(ask(&mut stream, "2").await, Heard::Nothing);
    proxy.clear();
    assert_eq!(hear(&mut stream).await, answer("a2"));
}

#[tokio::test]
async fn swallowed_requests_do_not_arrive() {
    let (port, mut heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let mut stream = connect(&proxy).await;
    proxy.set(Fault::SwallowRequests);
    assert_eq!(ask(&mut stream, "1").await, Heard::Nothing);
    proxy.clear();
    assert_eq!(ask(&mut stream, "2").await, Heard::Nothing);
    assert_eq!(ask(&mut connect(&proxy).await, "3").await, answer("a3"));
    assert_eq!(heard.try_recv().unwrap(), "3");
}

#[tokio::test]
async fn requests_whose_replies_are_swallowed_arrive() {
    let (port, mut heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let mut stream = connect(&proxy).await;
    proxy.set(Fault::SwallowReplies);
    assert_eq!(ask(&mut stream, "1").await, Heard::Nothing);
    proxy.clear();
    assert_eq!(ask(&mut stream, "2").await, Heard::Nothing);
    assert_eq!(ask(&mut connect(&proxy).await, "3").await, answer("a3"));
    for question in ["1", "2", "3"] {
        assert_eq!(heard.try_recv().unwrap(), question);
    }
}

#[tokio::test]
async fn what_stands_still_goes_on() {
    let (port, mut heard) = server().await;
    let proxy = Proxy::before(&[port]);
    proxy.set(Fault::Stall);
    let mut stream = connect(&proxy).await;
    assert_eq!(ask(&mut stream, "1").await, Heard::Nothing);
    assert!(heard.try_recv().is_err());
    proxy.clear();
    assert_eq!(hear(&mut stream).await, answer("a1"));
}

#[tokio::test]
async fn connections_are_reset_or_closed_and_so_are_new_ones() {
    for (fault, end) in [(Fault::Reset, Heard::Reset), (Fault::HangUp, Heard::Closed)] {
        let (port, mut heard) = server().await;
        let proxy = Proxy::before(&[port]);
        let mut open = connect(&proxy).await;
        assert_eq!(ask(&mut open, "1").await, answer("a1"));
        proxy.set(fault);
        assert_eq!(hear(&mut open).await, end, "{fault:?}");
        // A reset may come before the connection is known to be there.
        let address = (Ipv4Addr::LOCALHOST, proxy.ports()[0]);
        let heard_by_new = match TcpStream::connect(address).await {
            Ok(mut new) => hear(&mut new).await,
            Err(error) => failed(&error),
        };
        assert_eq!(heard_by_new, end, "{fault:?}");
        proxy.clear();
        let mut new = connect(&proxy).await;
        assert_eq!(ask(&mut new, "2").await, answer("a2"));
        assert_eq!(heard.try_recv().unwrap(), "1");
        assert_eq!(heard.try_recv().unwrap(), "2");
    }
}

#[tokio::test]
async fn a_port_that_refuses_listens_again() {
    let (port, _heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let address = (Ipv4Addr::LOCALHOST, proxy.ports()[0]);
    let mut open = connect(&proxy).await;
    assert_eq!(ask(&mut open, "1").await, answer("a1"));
    proxy.set(Fault::Refuse);
    assert_eq!(hear(&mut open).await, Heard::Closed);
    let begun = Instant::now();
    // A connection that comes while the port is closed is reset.
    let refused = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
    while !TcpStream::connect(address)
        .await
        .is_err_and(|error| refused(&error))
    {
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    proxy.clear();
    let mut new = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(5)),
        }
    };
    assert_eq!(ask(&mut new, "2").await, answer("a2"));
}

#[tokio::test]
async fn a_reply_is_cut_and_its_connection_ends() {
    for (fault, end) in [
        (Fault::CutReply(1), Heard::Closed),
        (Fault::ResetReply(1), Heard::Reset),
    ] {
        let (port, _heard) = server().await;
        let proxy = Proxy::before(&[port]);
        let mut stream = connect(&proxy).await;
        proxy.set(fault);
        let mut heard = vec![ask(&mut stream, "1").await];
        heard.push(hear(&mut stream).await);
        // A reset may overtake the byte before it.
        heard.retain(|heard| *heard != answer("a"));
        assert_eq!(heard[0], end, "{fault:?}");
    }
}

#[tokio::test]
async fn a_reply_is_replaced() {
    let (port, mut heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let mut stream = connect(&proxy).await;
    proxy.set(Fault::WrongReply(b"wrong"));
    assert_eq!(ask(&mut stream, "1").await, answer("wrong"));
    proxy.clear();
    assert_eq!(ask(&mut stream, "2").await, answer("a2"));
    assert_eq!(heard.try_recv().unwrap(), "1");
}

#[tokio::test]
async fn one_reply_is_spoilt_to_the_request_that_was_named() {
    let (port, mut heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let (mut one, mut other) = (connect(&proxy).await, connect(&proxy).await);
    proxy.set_for_next_with(b"write", Fault::CutReply(0));
    assert_eq!(ask(&mut one, "read").await, answer("aread"));
    assert!(!proxy.has_struck());
    assert_eq!(ask(&mut one, "write").await, Heard::Closed);
    assert!(proxy.has_struck());
    assert_eq!(ask(&mut other, "write").await, answer("awrite"));
    for question in ["read", "write", "write"] {
        assert_eq!(heard.try_recv().unwrap(), question);
    }
    proxy.set_for_next(Fault::WrongReply(b"wrong"));
    assert_eq!(ask(&mut other, "1").await, answer("wrong"));
    assert_eq!(ask(&mut other, "2").await, answer("a2"));
}

/// Half-open: who holds such a connection hears nothing, not even that it has ended.
#[tokio::test]
async fn open_connections_are_spoilt_for_good_and_new_ones_are_not() {
    let (port, _heard) = server().await;
    let proxy = Proxy::before(&[port]);
    let mut open = connect(&proxy).await;
    assert_eq!(ask(&mut open, "1").await, answer("a1"));
    proxy.set_for_open(Fault::SwallowRequests);
    assert_eq!(ask(&mut open, "2").await, Heard::Nothing);
    let mut new = connect(&proxy).await;
    assert_eq!(ask(&mut new, "3").await, answer("a3"));
    proxy.clear();
    assert_eq!(ask(&mut open, "4").await, Heard::Nothing);
    assert_eq!(ask(&mut new, "5").await, answer("a5"));
}
