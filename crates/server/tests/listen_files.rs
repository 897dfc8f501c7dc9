//! The listening shell when the process has no file descriptor left. Alone in its process, whose
//! bound it lowers.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "this test drives real sockets: it waits for them, and fails loudly"
)]

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use spotpay_server::listen::{self, Limits, Traffic};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(10);
const FILES: u64 = 64;

async fn ask(stream: &mut TcpStream) -> String {
    let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    // Refused by a server that shed us.
    drop(stream.write_all(request).await);
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    drop(tokio::time::timeout(PATIENCE, read).await.unwrap());
    answer
}

/// Whoever comes when nothing is left is turned away at once, and the server goes on.
#[tokio::test]
async fn without_files_connections_are_shed() {
    let listener = listen::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let traffic = Arc::new(Traffic::default());
    let router = Router::new().route("/", get(|| async { "hello" }));
    let limits = Limits::default();
    let served = listen::serve_counted(
        listener,
        router,
        None,
        limits,
        Arc::clone(&traffic),
        std::future::pending(),
    );
    tokio::spawn(served);
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(FILES);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();

    // Both ends are ours, so files go in pairs; one more is kept for the last client alone.
    let mut extra = Some(File::open("/dev/null").unwrap());
    let mut clients = Vec::new();
    let began = Instant::now();
    while traffic.shed() == 0 {
        assert!(began.elapsed() < PATIENCE, "nobody was shed");
        match TcpStream::connect(address).await {
            Ok(client) => clients.push(client),
            Err(_) => drop(extra.take()),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut last = clients.pop().unwrap();
    assert_eq!(ask(&mut last).await, "", "closed at once");
    // The others are served as before.
    let mut first = clients.swap_remove(0);
    assert!(ask(&mut first).await.ends_with("hello"));

    let shed = traffic.shed();
    drop((clients, first, last));
    while traffic.open() > 0 {
        assert!(began.elapsed() < PATIENCE, "connections are not closed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut fresh = TcpStream::connect(address).await.unwrap();
    assert!(ask(&mut fresh).await.ends_with("hello"));
    assert_eq!(traffic.shed(), shed);

    // A process can take back what it gave up.
    assert_eq!(Some(listen::raise_file_limit()), maximum.or(Some(u64::MAX)));
    let few = Limits::default().within_files(FILES);
    assert_eq!(few.connections, 32);
}
