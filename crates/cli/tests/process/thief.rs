//! A stretch of network between a till and its gateway that can lose answers.

#![expect(
    clippy::disallowed_methods,
    reason = "this is a driver: a thread for each connection"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::line::Line;

/// What becomes of a request that is about money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It goes through.
    Pass,
    /// It arrives and is answered; the answer never comes.
    LoseAnswer,
    /// It never arrives, and nobody says so.
    LoseRequest,
}

struct Shared {
    gateway: Mutex<SocketAddr>,
    fate: Mutex<Fate>,
    lost: AtomicUsize,
}

/// It listens on an address of its own as long as the test runs.
pub(crate) struct Thief {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Thief {
    pub(crate) fn before(gateway: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            gateway: Mutex::new(gateway),
            fate: Mutex::new(Fate::Pass),
            lost: AtomicUsize::new(0),
        });
        let watched = Arc::clone(&shared);
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&watched);
                std::thread::spawn(move || carry(stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn set(&self, fate: Fate) {
        *self.shared.fate.lock().expect("nobody panics with it") = fate;
    }

    /// The gateway came back somewhere else.
    pub(crate) fn lead_to(&self, gateway: SocketAddr) {
        *self.shared.gateway.lock().expect("nobody panics with it") = gateway;
    }

    /// Requests whose answer was lost, or that were.
    pub(crate) fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::Acquire)
    }
}

/// Requests of one connection, one after another; what breaks ends it.
fn carry(mut till: TcpStream, shared: &Shared) {
    while let Some(request) = read_request(&mut till) {
        let fate = if request.starts_with(b"POST /gateway.do") {
            *shared.fate.lock().expect("nobody panics with it")
        } else {
            Fate::Pass
        };
        if fate == Fate::LoseRequest {
            shared.lost.fetch_add(1, Ordering::Release);
            // The till waits for an answer until somebody ends it.
            let _ = till.read(&mut [0]);
            return;
        }
        let gateway = *shared.gateway.lock().expect("nobody panics with it");
        let Ok(answer) = Line::open(gateway).and_then(|mut line| line.ask(&request)) else {
            return;
        };
        if fate == Fate::LoseAnswer {
            shared.lost.fetch_add(1, Ordering::Release);
            let _ = till.read(&mut [0]);
            return;
        }
        let said = [answer.head.as_bytes(), b"\r\n\r\n", &answer.body].concat();
        if till.write_all(&said).is_err() {
            return;
        }
    }
}

fn read_request(till: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        till.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    till.read_exact(&mut body).ok()?;
    request.extend(body);
    Some(request)
}
