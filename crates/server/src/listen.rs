//! The shell that listens: accepts, bounds and times connections, and hands requests to a router.
//!
//! It is a loop of its own over hyper instead of `axum::serve` because a payment gateway is
//! reachable by anyone in a shop's network: every wait for the other side has a bound here, running
//! out of file descriptors sheds instead of spinning, and a stop finishes what is under way.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the listening driver: it owns the sockets, their tasks and their deadlines"
)]

mod body;
mod connection;
mod link;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use body::{BodyError, read_body};

/// Connections that wait to be accepted, at most; the kernel may lower it.
const BACKLOG: u32 = 4_096;
/// File descriptors that connections leave to everything else: stores, files, deliveries.
const FILES_KEPT: u64 = 256;
/// How long accepting rests when the machine has nothing left to accept with.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(20);
/// What one connection may have buffered in either direction.
const BUFFER_BYTES: usize = 64 * 1_024;

/// The answer to a connection above the bound, as far as it can be written without waiting.
const SHED_ANSWER: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The other end of a connection, as a request extension.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Peer(pub SocketAddr);

/// In a response's extensions: the connection is to be closed instead of answered.
#[derive(Clone, Copy, Debug)]
pub struct HangUp;

/// Bounds on what a partner's side may take of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at one time; more are shed.
    pub connections: usize,
    /// The same of one address, or of one /64 in IPv6; 0 counts none.
    pub connections_per_address: usize,
    /// Bytes of a request's head; above: 431.
    pub header_bytes: usize,
    /// Lines of a request's head; above: 431.
    pub headers: usize,
    /// Bytes of a request's body; above: [`BodyError::TooLong`].
    pub body_bytes: usize,
    /// From accept, or a request's first byte, to the end of its head.
    pub head_time: Duration,
    /// From the first wait for the rest of a body to its end; after: [`BodyError::Late`].
    pub body_time: Duration,
    /// What a handler has left to answer that its body is late, before the connection is cut.
    pub late_answer_time: Duration,
    /// Between two requests.
    pub idle_time: Duration,
    /// How long a write may wait for the other side to read.
    pub stall_time: Duration,
    /// For the TLS handshake.
    pub handshake_time: Duration,
    /// How long what is under way may take once the server stops.
    pub drain_time: Duration,
    /// How long what a refused partner still sends is thrown away, so that the answer arrives.
    pub linger_time: Duration,
    /// How much of it.
    pub linger_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            // All tills of a mall may come from one address, and all of a proxy's do.
            connections_per_address: 0,
            header_bytes: 16 * 1_024,
            headers: 64,
            body_bytes: 64_000,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            late_answer_time: Duration::from_secs(2),
            idle_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(30),
            handshake_time: Duration::from_secs(10),
            drain_time: Duration::from_secs(10),
            linger_time: Duration::from_secs(2),
            linger_bytes: 8 * 1_024 * 1_024,
        }
    }
}

impl Limits {
    /// Lowers the bound on connections to what so many file descriptors carry
    /// ([`raise_file_limit`]), with some kept for everything else.
    #[must_use]
    pub fn within_files(mut self, files: u64) -> Self {
        let files = files.saturating_sub(FILES_KEPT).max(files / 2);
        self.connections = self
            .connections
            .min(usize::try_from(files).unwrap_or(usize::MAX));
        self
    }
}

/// Counts of connections, for metrics.
#[derive(Debug, Default)]
pub struct Traffic {
    open: AtomicU64,
    accepted: AtomicU64,
    shed: AtomicU64,
    timed_out: AtomicU64,
    /// By address, where that has a bound.
    of_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Traffic {
    fn of_address(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.of_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections that were served or are.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections closed at once because there was no room for them.
    pub fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    /// Connections cut because their other side was too slow; idle ones do not count.
    pub fn timed_out(&self) -> u64 {
        self.timed_out.load(Ordering::Relaxed)
    }
}

/// What all connections of a listener share.
struct Shared {
    limits: Limits,
    traffic: Arc<Traffic>,
    router: Router,
    http: http1::Builder,
    /// Set before `drain` wakes everyone.
    is_draining: AtomicBool,
    drain: Notify,
}

/// Binds a listening socket with a long backlog.
///
/// # Errors
/// The address is taken, not ours, or not allowed.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows the option would let another process take the address away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Lifts the process's bound on file descriptors to what the system allows it, and says what that
/// is.
pub fn raise_file_limit() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Refused for "unlimited" on some systems; then the old bound stays.
        let current = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        current.unwrap_or(u64::MAX)
    }
    #[cfg(not(unix))]
    u64::MAX
}

/// Serves a router on a listener until `shutdown` is ready; then stops accepting, finishes what is
/// under way within [`Limits::drain_time`], and returns.
///
/// Every request carries its [`Peer`] as an extension.
///
/// # Errors
/// None yet: what befalls single connections is logged.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_counted(listener, router, tls, limits, Arc::default(), shutdown).await
}

/// [`serve`], counting connections where metrics can see them.
///
/// # Errors
/// As [`serve`].
pub async fn serve_counted(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<rustls::ServerConfig>>,
    limits: Limits,
    traffic: Arc<Traffic>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let tls = tls.map(TlsAcceptor::from);
    let shared = Arc::new(Shared {
        http: http(&limits),
        traffic,
        limits,
        // Turns every route into its final form once instead of per connection.
        router: router.with_state(()),
        is_draining: AtomicBool::new(false),
        drain: Notify::new(),
    });
    let mut connections = JoinSet::new();
    let mut spare = Spare::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => look_after(&ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    admit(&mut connections, stream, Peer(peer), tls.as_ref(), &shared);
                }
                Err(error) if is_shortage(&error) => {
                    tracing::warn!(fault.source = %error, "no connection can be accepted");
                    if spare.shed(&listener) {
                        shared.traffic.shed.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(SHORTAGE_PAUSE).await;
                }
                // The other side was gone before we came.
                Err(_) => {}
            },
        }
    }
    // Who is in the backlog already is served like everybody who came before the stop.
    while let Poll::Ready(Ok((stream, peer))) =
        poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await
    {
        admit(&mut connections, stream, Peer(peer), tls.as_ref(), &shared);
    }
    drop(listener);
    drain(connections, &shared).await;
    Ok(())
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.max_header_size(limits.header_bytes)
        .max_buf_size(BUFFER_BYTES.max(limits.header_bytes * 2))
        // The watch of the connection keeps this deadline, without a timer for each request.
        .header_read_timeout(None)
        // A till that hangs up does not undo its payment: its handler runs to the end.
        .half_close(true);
    http
}

fn admit(
    connections: &mut JoinSet<()>,
    stream: TcpStream,
    peer: Peer,
    tls: Option<&TlsAcceptor>,
    shared: &Arc<Shared>,
) {
    let open = if connections.len() < shared.limits.connections {
        Open::new(&shared.traffic, peer, shared.limits.connections_per_address)
    } else {
        None
    };
    let Some(open) = open else {
        shared.traffic.shed.fetch_add(1, Ordering::Relaxed);
        if tls.is_none() {
            // What cannot be written at once is not worth waiting for.
            drop(stream.try_write(SHED_ANSWER));
        }
        return;
    };
    // An answer is one write; waiting to fill a packet only makes tills wait.
    drop(stream.set_nodelay(true));
    shared.traffic.accepted.fetch_add(1, Ordering::Relaxed);
    let shared = Arc::clone(shared);
    match tls.cloned() {
        None => connections.spawn(async move {
            connection::converse(stream, peer, shared).await;
            drop(open);
        }),
        Some(tls) => connections.spawn(async move {
            if let Some(stream) = shake_hands(stream, tls, &shared).await {
                connection::converse(stream, peer, shared).await;
            }
            drop(open);
        }),
    };
}

/// The stream inside TLS, if the other side gets that far in time and before the server stops.
async fn shake_hands(
    stream: TcpStream,
    tls: TlsAcceptor,
    shared: &Shared,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    let stops = shared.drain.notified();
    if shared.is_draining.load(Ordering::Acquire) {
        return None;
    }
    let time = shared.limits.handshake_time;
    tokio::select! {
        biased;
        shaken = tokio::time::timeout(time, tls.accept(stream)) => match shaken {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(fault.source = %error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                shared.traffic.timed_out.fetch_add(1, Ordering::Relaxed);
                None
            }
        },
        () = stops => None,
    }
}

/// Counts itself as an open connection as long as it lives, also through a panic.
struct Open {
    traffic: Arc<Traffic>,
    /// Whose it is, where that counts.
    address: Option<IpAddr>,
}

impl Open {
    /// `None` when its address has too many already; a bound of 0 counts none.
    fn new(traffic: &Arc<Traffic>, peer: Peer, per_address: usize) -> Option<Self> {
        let address = (per_address > 0).then(|| neighbourhood(peer.0.ip()));
        if let Some(address) = address {
            let mut all = traffic.of_address();
            let open = all.entry(address).or_default();
            if *open >= per_address {
                return None;
            }
            *open += 1;
        }
        traffic.open.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            traffic: Arc::clone(traffic),
            address,
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.traffic.open.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut all = self.traffic.of_address();
        if let Entry::Occupied(mut open) = all.entry(address) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}

/// What counts as one address: whoever has one of IPv6 has the 2^64 beside it.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(_) => address.to_canonical(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

fn look_after(ended: &Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        // What it said went to standard error already.
        tracing::error!("a handler panicked; its connection is closed");
    }
}

async fn drain(mut connections: JoinSet<()>, shared: &Shared) {
    shared.is_draining.store(true, Ordering::Release);
    shared.drain.notify_waiters();
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            look_after(&ended);
        }
    };
    let time = shared.limits.drain_time;
    if tokio::time::timeout(time, all_ended).await.is_err() {
        let connections_left = connections.len();
        tracing::warn!(connections_left, "connections are cut off at the stop");
        connections.shutdown().await;
    }
}

/// Whether an accept failed for want of descriptors or memory, so that the next would as well.
fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let shortages = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        error.raw_os_error().is_some_and(|code| {
            shortages
                .iter()
                .any(|shortage| shortage.raw_os_error() == code)
        })
    }
    // Winsock names other numbers: any error there pauses for a moment.
    #[cfg(not(unix))]
    {
        let _ = error;
        true
    }
}

/// One file descriptor held back, so that there is one to take a connection with and close it when
/// all others are in use: whoever waits learns at once, and the queue of the kernel moves.
struct Spare(Option<std::fs::File>);

impl Spare {
    fn new() -> Self {
        Self(std::fs::File::open("/dev/null").ok())
    }

    /// Accepts one connection in place of the spare and closes it; whether there was one.
    fn shed(&mut self, listener: &TcpListener) -> bool {
        self.0 = None;
        let mut accept = pin!(listener.accept());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let is_shed = match Pin::as_mut(&mut accept).poll(&mut context) {
            Poll::Ready(accepted) => accepted.is_ok(),
            Poll::Pending => false,
        };
        *self = Self::new();
        is_shed
    }
}
