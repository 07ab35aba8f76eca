//! Stands between a store and its server, and spoils on command what passes; knows no protocol.
//!
//! A chunk is what one read yields: on loopback a small request or reply comes in one piece.

use std::net::{Ipv4Addr, TcpListener as Listener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};

/// What is done to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Each chunk comes so much later.
    Delay(Duration),
    /// What clients send is read and goes nowhere; nor does what they send later on that connection,
    /// since no network leaves out what is in the middle.
    SwallowRequests,
    /// What the server answers is read and goes nowhere, and so on.
    SwallowReplies,
    /// Nothing is read from either side: connections are open, and stand still.
    Stall,
    /// Connections are reset, and those to come.
    Reset,
    /// Connections are closed in order, and those to come as soon as they are accepted.
    HangUp,
    /// Connections are closed, and nobody listens for more.
    Refuse,
    /// So many bytes of a reply are passed on, then its connection is closed.
    CutReply(usize),
    /// So many bytes of a reply are passed on, then its connection is reset.
    ResetReply(usize),
    /// These bytes come in the place of a reply.
    WrongReply(&'static [u8]),
}

/// Listens on a port for each server that it stands before.
pub struct Proxy {
    ports: Vec<u16>,
    state: Arc<watch::Sender<State>>,
    /// Dropped with it, which ends its thread and all its connections.
    _end: oneshot::Sender<()>,
}

#[derive(Default)]
struct State {
    /// How many connections there have been.
    accepted: u64,
    /// What is done to all of them.
    fault: Option<Fault>,
    /// What is done, for good, to the first so many.
    to_first: Option<(u64, Fault)>,
    /// What is done to the next request that contains these bytes, and to its reply.
    to_next: Option<(Vec<u8>, Fault)>,
}

impl Proxy {
    /// Stands before the servers on these ports, with a thread of its own: a test that blocks does
    /// not hold it up.
    pub fn before(servers: &[u16]) -> Self {
        let listeners: Vec<_> = servers
            .iter()
            .map(|_| Listener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
            .collect();
        let port = |listener: &Listener| listener.local_addr().unwrap().port();
        let ports = listeners.iter().map(port).collect();
        let state = Arc::new(watch::Sender::default());
        let (end, ended) = oneshot::channel();
        let served = listeners.into_iter().zip(servers.to_vec());
        let served: Vec<_> = served.collect();
        thread::spawn({
            let state = Arc::clone(&state);
            move || {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    for (listener, server) in served {
                        tokio::spawn(listen(listener, server, Arc::clone(&state)));
                    }
                    let _ = ended.await;
                });
            }
        });
        Self {
            ports,
            state,
            _end: end,
        }
    }

    /// Where it listens, in the order of the servers.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Does this to all connections until it is told to [`clear`](Self::clear).
    pub fn set(&self, fault: Fault) {
        self.state.send_modify(|state| state.fault = Some(fault));
    }

    /// Does this to the connections that are open now, for good; those to come are in order.
    pub fn set_for_open(&self, fault: Fault) {
        self.state
            .send_modify(|state| state.to_first = Some((state.accepted, fault)));
    }

    /// Does this to the next request, and to its reply.
    pub fn set_for_next(&self, fault: Fault) {
        self.set_for_next_with(b"", fault);
    }

    /// Does this to the next request that contains these bytes, and to its reply.
    pub fn set_for_next_with(&self, bytes: &[u8], fault: Fault) {
        self.state
            .send_modify(|state| state.to_next = Some((bytes.to_vec(), fault)));
    }

    /// Whether the request has come that [`set_for_next`](Self::set_for_next) waits for.
    pub fn has_struck(&self) -> bool {
        self.state.borrow().to_next.is_none()
    }

    /// Lets everything pass again, on connections that were not spoilt for good.
    pub fn clear(&self) {
        self.state.send_modify(|state| {
            state.fault = None;
            state.to_next = None;
        });
    }
}

async fn listen(listener: Listener, server: u16, state: Arc<watch::Sender<State>>) {
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut listener = TcpListener::from_std(listener).unwrap();
    let mut told = state.subscribe();
    loop {
        tokio::select! {
            () = accept(&listener, server, &state) => {}
            _ = told.wait_for(refuses) => {}
        }
        drop(listener);
        let _ = told.wait_for(|state| !refuses(state)).await;
        listener = TcpListener::bind(address).await.unwrap();
    }
}

async fn accept(listener: &TcpListener, server: u16, state: &Arc<watch::Sender<State>>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut number = 0;
        state.send_modify(|state| {
            state.accepted += 1;
            number = state.accepted;
        });
        let state = Arc::clone(state);
        tokio::spawn(Connection { number, state }.serve(client, server));
    }
}

fn refuses(state: &State) -> bool {
    state.fault == Some(Fault::Refuse)
}

struct Connection {
    number: u64,
    state: Arc<watch::Sender<State>>,
}

/// What becomes of a chunk.
enum Fate<'a> {
    Passed(&'a [u8]),
    /// Its connection is closed after so much of it.
    Last(&'a [u8]),
    /// Its connection is reset after so much of it.
    Torn(&'a [u8]),
}

impl Connection {
    async fn serve(self, mut client: TcpStream, server: u16) {
        if let Some(end) = self.fault().and_then(end_of) {
            return close(client, end);
        }
        let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
            return;
        };
        drop(client.set_nodelay(true));
        drop(server.set_nodelay(true));
        let end = self.pass_all(&mut client, &mut server).await;
        close(client, end);
    }

    /// Passes chunks on until it is over, and says whether it ends by a reset.
    async fn pass_all(&self, client: &mut TcpStream, server: &mut TcpStream) -> End {
        let mut told = self.state.subscribe();
        // What has been told since it was accepted counts too.
        told.mark_changed();
        let (mut request, mut reply) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        // What is done to the reply that is next.
        let mut next = None;
        let (mut requests_go_nowhere, mut replies_go_nowhere) = (false, false);
        loop {
            let stands_still = self.fault() == Some(Fault::Stall);
            tokio::select! {
                read = client.read(&mut request), if !stands_still => {
                    let Ok(length @ 1..) = read else { return End::Close };
                    let chunk = &request[..length];
                    next = self.take_next(chunk).or(next);
                    let fault = next.or(self.fault());
                    requests_go_nowhere |= fault == Some(Fault::SwallowRequests);
                    let fate = self.of_request(chunk, fault).await;
                    if !requests_go_nowhere && let Some(end) = send(server, fate).await {
                        return end;
                    }
                }
                read = server.read(&mut reply), if !stands_still => {
                    let Ok(length @ 1..) = read else { return End::Close };
                    let fault = next.take().or(self.fault());
                    let fate = self.of_reply(&reply[..length], fault).await;
                    replies_go_nowhere |= fault == Some(Fault::SwallowReplies);
                    if !replies_go_nowhere && let Some(end) = send(client, fate).await {
                        return end;
                    }
                }
                _ = told.changed() => {
                    if let Some(end) = self.fault().and_then(end_of) {
                        return end;
                    }
                }
            }
        }
    }

    /// What is done to this connection.
    fn fault(&self) -> Option<Fault> {
        let state = self.state.borrow();
        let for_good = state.to_first.filter(|(first, _)| self.number <= *first);
        for_good.map(|(_, fault)| fault).or(state.fault)
    }

    /// What is done to this request and its reply, if it is the one that is waited for.
    fn take_next(&self, request: &[u8]) -> Option<Fault> {
        let mut taken = None;
        self.state.send_if_modified(|state| {
            let awaited = |(bytes, _): &mut (Vec<u8>, _)| contains(request, bytes);
            taken = state.to_next.take_if(awaited);
            false
        });
        taken.map(|(_, fault)| fault)
    }

    async fn of_request<'a>(&self, chunk: &'a [u8], fault: Option<Fault>) -> Fate<'a> {
        match fault {
            Some(Fault::Delay(length)) => {
                self.wait(length).await;
                Fate::Passed(chunk)
            }
            Some(Fault::HangUp | Fault::Refuse) => Fate::Last(&[]),
            Some(Fault::Reset) => Fate::Torn(&[]),
            _ => Fate::Passed(chunk),
        }
    }

    async fn of_reply<'a>(&self, chunk: &'a [u8], fault: Option<Fault>) -> Fate<'a> {
        match fault {
            Some(Fault::Delay(length)) => {
                self.wait(length).await;
                Fate::Passed(chunk)
            }
            Some(Fault::HangUp | Fault::Refuse) => Fate::Last(&[]),
            Some(Fault::Reset) => Fate::Torn(&[]),
            Some(Fault::CutReply(length)) => Fate::Last(&chunk[..length.min(chunk.len())]),
            Some(Fault::ResetReply(length)) => Fate::Torn(&chunk[..length.min(chunk.len())]),
            Some(Fault::WrongReply(wrong)) => Fate::Passed(wrong),
            None | Some(Fault::SwallowRequests | Fault::SwallowReplies | Fault::Stall) => {
                Fate::Passed(chunk)
            }
        }
    }

    /// Waits, unless there is nothing to wait for any more.
    async fn wait(&self, length: Duration) {
        let mut told = self.state.subscribe();
        let delays = |state: &State| state.fault != Some(Fault::Delay(length));
        let _ = tokio::time::timeout(length, told.wait_for(delays)).await;
    }
}

/// How a connection ends.
#[derive(Clone, Copy)]
enum End {
    Close,
    Reset,
}

/// How a fault ends connections at once.
fn end_of(fault: Fault) -> Option<End> {
    match fault {
        Fault::HangUp | Fault::Refuse => Some(End::Close),
        Fault::Reset => Some(End::Reset),
        _ => None,
    }
}

fn close(client: TcpStream, end: End) {
    if let End::Reset = end {
        drop(client.set_zero_linger());
    }
    drop(client);
}

async fn send(to: &mut TcpStream, fate: Fate<'_>) -> Option<End> {
    let (chunk, end) = match fate {
        Fate::Passed(chunk) => (chunk, None),
        Fate::Last(chunk) => (chunk, Some(End::Close)),
        Fate::Torn(chunk) => (chunk, Some(End::Reset)),
    };
    match to.write_all(chunk).await {
        Ok(()) => end,
        Err(_) => Some(End::Close),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}
