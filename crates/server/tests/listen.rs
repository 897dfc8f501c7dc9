//! The listening shell against partners who are slow, endless, many, old or gone.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "these tests drive real sockets: they time answers, start tasks, and fail loudly"
)]

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post};
use spotpay_server::listen::{self, Limits, Peer, Traffic, read_body};
use spotpay_server::tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

/// A wait that is over at once on any machine unless the server lost something.
const PATIENCE: Duration = Duration::from_secs(10);
/// A bound that a test waits for.
const SHORT: Duration = Duration::from_millis(100);

/// A server under test; it stops with the test.
struct Server {
    address: SocketAddr,
    traffic: Arc<Traffic>,
    stop: Arc<Notify>,
    served: JoinHandle<std::io::Result<()>>,
    /// One permit for each request to `/slow` that has arrived.
    arrived: Arc<Semaphore>,
    /// Lets requests to `/slow` be answered.
    gate: Arc<Semaphore>,
}

fn start(limits: Limits) -> Server {
    start_with(limits, None)
}

fn start_with(limits: Limits, tls: Option<Arc<rustls::ServerConfig>>) -> Server {
    let arrived = Arc::new(Semaphore::new(0));
    let gate = Arc::new(Semaphore::new(0));
    let slow = {
        let (arrived, gate) = (Arc::clone(&arrived), Arc::clone(&gate));
        move || async move {
            arrived.add_permits(1);
            gate.acquire().await.unwrap().forget();
            "slow"
        }
    };
    let read = move |request: Request| async move {
        match read_body(request.into_body(), &limits).await {
            Ok(body) => (StatusCode::OK, body.len().to_string()),
            Err(error) => (error.status(), error.to_string()),
        }
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route(
            "/peer",
            get(|request: Request| async move {
                request.extensions().get::<Peer>().unwrap().0.to_string()
            }),
        )
        .route("/read", post(read))
        .route(
            "/form",
            post(|body: axum::body::Bytes| async move { body.len().to_string() }),
        )
        .route("/deaf", post(|| async { "no body read" }))
        .route("/slow", get(slow))
        .route(
            "/large",
            get(|| async { Body::from(vec![b'x'; 30_000_000]) }),
        )
        .route(
            "/bug",
            get(|| async {
                if true {
                    panic!("a bug")
                }
            }),
        );
    let listener = listen::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let traffic = Arc::new(Traffic::default());
    let stop = Arc::new(Notify::new());
    let shutdown = {
        let stop = Arc::clone(&stop);
        async move { stop.notified().await }
    };
    let served = listen::serve_counted(
        listener,
        router,
        tls,
        limits,
        Arc::clone(&traffic),
        shutdown,
    );
    Server {
        address,
        traffic,
        stop,
        served: tokio::spawn(served),
        arrived,
        gate,
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a fresh connection and reads all that comes back until it is closed.
    async fn talk(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // A server that refuses early may close before it has read everything.
        drop(stream.write_all(request.as_ref()).await);
        read_to_close(&mut stream).await
    }

    async fn stopped(self) {
        self.stop.notify_one();
        within(self.served).await.unwrap().unwrap();
    }
}

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("the server is stuck")
}

async fn read_to_close(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    // A reset after the answer is as good as an end.
    drop(within(stream.read_to_end(&mut text)).await);
    String::from_utf8(text).unwrap()
}

/// Reads one answer whose body has this text at its end.
async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut buffer = [0; 1_024];
        let count = within(stream.read(&mut buffer)).await.unwrap();
        assert!(
            count > 0,
            "closed after {:?}",
            String::from_utf8_lossy(&text)
        );
        text.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(text).unwrap()
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = read_until(stream, "hello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn requests_are_answered_on_one_connection() {
    let server = start(Limits::default());
    let mut stream = server.connect().await;
    for _ in 0..3 {
        ask(&mut stream).await;
    }
    let me = stream.local_addr().unwrap().to_string();
    stream
        .write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, &me).await;
    assert_eq!((server.traffic.open(), server.traffic.accepted()), (1, 1));
    drop(stream);
    server.stopped().await;
}

/// Old clients say HTTP/1.0 and wait for the close.
#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let server = start(Limits::default());
    let answer = server.talk("GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    let answer = server
        .talk("POST /read HTTP/1.0\r\ncontent-length: 3\r\n\r\na=b")
        .await;
    assert!(answer.ends_with("\r\n\r\n3"), "{answer}");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(Limits::default());
    let post = "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\na=bc";
    let get = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = server
        .talk(format!("{post}{get}{}{last}", get.repeat(20)))
        .await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 23, "{answer}");
    assert!(answer.find("\r\n\r\n4").unwrap() < answer.find("hello").unwrap());
}

/// A till that closes its sending side after the request still gets its answer.
#[tokio::test]
async fn a_half_closed_connection_is_answered() {
    let server = start(Limits::default());
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    server.arrived.acquire().await.unwrap().forget();
    server.gate.add_permits(1);
    assert!(read_to_close(&mut stream).await.ends_with("slow"));
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let server = start(Limits {
        head_time: SHORT,
        ..Limits::default()
    });
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
    // The second request of a connection as much as the first.
    let mut second = server.connect().await;
    ask(&mut second).await;
    second.write_all(b"G").await.unwrap();
    let dripping = async {
        let mut stream = server.connect().await;
        // A byte now and then does not help: the whole head counts.
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    let began = Instant::now();
    for stream in [&mut silent, &mut slow, &mut second] {
        assert_eq!(read_to_close(stream).await, "");
    }
    within(dripping).await;
    assert!(began.elapsed() < PATIENCE / 2);
    assert_eq!(server.traffic.timed_out(), 4);
}

// Goal: one address has its own bound, which a connection that ends makes room in.
#[tokio::test]
async fn an_address_has_a_bound_of_its_own() {
    let server = start(Limits {
        connections_per_address: 2,
        ..Limits::default()
    });
    let mut first = server.connect().await;
    ask(&mut first).await;
    let mut second = server.connect().await;
    ask(&mut second).await;
    let mut third = server.connect().await;
    let said = read_to_close(&mut third).await;
    assert_eq!(status(&said), "503", "{said}");
    assert_eq!((server.traffic.open(), server.traffic.shed()), (2, 1));
    first
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    read_to_close(&mut first).await;
    let fresh = async {
        loop {
            let mut fresh = server.connect().await;
            fresh
                .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
            // The other end may not have counted the first one out yet.
            if status(&read_to_close(&mut fresh).await) == "200" {
                break;
            }
        }
    };
    within(fresh).await;
    ask(&mut second).await;
}

#[tokio::test]
async fn a_slow_body_is_answered_408() {
    let server = start(Limits {
        body_time: SHORT,
        ..Limits::default()
    });
    for request in [
        "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n",
        "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\na=b",
        "POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
    ] {
        let answer = server.talk(request).await;
        assert_eq!(status(&answer), "408", "{answer}");
    }
    // The same for those who read with an extractor; axum names the status.
    let answer = server
        .talk("POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\na=b")
        .await;
    assert_eq!(status(&answer), "400", "{answer}");
}

/// One who asks for the body in another task, where the deadline cannot be told, is cut off.
#[tokio::test]
async fn a_slow_body_that_nobody_polls_is_cut_off() {
    // Such a wait is only seen when the watch looks anyway, at most an idle time later.
    let limits = Limits {
        body_time: SHORT,
        late_answer_time: SHORT,
        idle_time: SHORT,
        ..Limits::default()
    };
    let listener = listen::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route(
        "/",
        post(|request: Request| async move {
            let read = tokio::spawn(read_at_length(request.into_body()));
            read.await.unwrap()
        }),
    );
    tokio::spawn(listen::serve(listener, router, None, limits, pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        .await
        .unwrap();
    let answer = read_to_close(&mut stream).await;
    assert!(matches!(status(&answer), "" | "408"), "{answer}");
}

async fn read_at_length(body: Body) -> StatusCode {
    read_body(body, &Limits::default())
        .await
        .map_or_else(|error| error.status(), |_| StatusCode::OK)
}

#[tokio::test]
async fn an_endless_head_is_answered_431() {
    let server = start(Limits::default());
    let start_line = "GET / HTTP/1.1\r\nhost: x\r\n";
    for endless in [
        format!("{start_line}x: {}", "a".repeat(2_000_000)),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(20_000)),
        format!("{start_line}{}\r\n", "x: y\r\n".repeat(64)),
        format!("{start_line}{}\r\n", "x: y\r\n".repeat(200)),
    ] {
        let answer = server.talk(&endless).await;
        let length = endless.len();
        assert_eq!(status(&answer), "431", "{length}: {answer}");
    }
    let fits = format!(
        "{start_line}connection: close\r\n{}\r\n",
        "x: y\r\n".repeat(62)
    );
    assert_eq!(status(&server.talk(fits).await), "200");
}

#[tokio::test]
async fn a_body_of_five_megabytes_is_answered_413() {
    let server = start(Limits::default());
    let body = "a".repeat(5_000_000);
    let sized = format!(
        "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(status(&server.talk(format!("{sized}{body}")).await), "413");
    let chunked = "POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 10_000, &body[..10_000]);
    let answer = server.talk(format!("{chunked}{}", chunk.repeat(500))).await;
    assert_eq!(status(&answer), "413");
    // One who waits for leave to send gets the answer instead of it.
    let waits = format!(
        "{}expect: 100-continue\r\n\r\n",
        sized.trim_end_matches("\r\n").to_owned() + "\r\n"
    );
    assert_eq!(status(&server.talk(waits).await), "413");
    // A handler that reads nothing is heard nevertheless.
    let deaf = format!("{}{body}", sized.replace("/read", "/deaf"));
    assert_eq!(status(&server.talk(deaf).await), "200");

    let exactly =
        "POST /read HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 64000\r\n\r\n";
    let answer = server.talk(format!("{exactly}{}", &body[..64_000])).await;
    assert!(answer.ends_with("\r\n\r\n64000"), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = start(Limits {
        idle_time: SHORT,
        ..Limits::default()
    });
    let mut stream = server.connect().await;
    ask(&mut stream).await;
    ask(&mut stream).await;
    assert_eq!(read_to_close(&mut stream).await, "");
    assert_eq!(server.traffic.timed_out(), 0, "it did nothing wrong");
}

/// One who asks and does not read holds neither memory nor a place for ever.
#[tokio::test]
async fn one_who_does_not_read_is_cut_off() {
    let server = start(Limits {
        stall_time: SHORT,
        ..Limits::default()
    });
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    within(async {
        while server.traffic.timed_out() == 0 {
            tokio::time::sleep(SHORT / 10).await;
        }
    })
    .await;
    assert!(read_to_close(&mut stream).await.len() < 30_000_000);
}

/// A handler may take longer than any bound on the partner's side.
#[tokio::test]
async fn a_handler_has_its_own_time() {
    let server = start(Limits {
        head_time: SHORT,
        body_time: SHORT,
        idle_time: SHORT,
        stall_time: SHORT,
        ..Limits::default()
    });
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.arrived.acquire().await.unwrap().forget();
    tokio::time::sleep(SHORT * 4).await;
    server.gate.add_permits(1);
    read_until(&mut stream, "slow").await;
}

#[tokio::test]
async fn two_thousand_idle_connections_disturb_nobody() {
    assert!(
        listen::raise_file_limit() > 4_200,
        "too few files for this test"
    );
    let server = start(Limits::default());
    let mut idle = Vec::new();
    for number in 0..2_000 {
        let mut stream = server.connect().await;
        // Some say nothing, some stop half-way, some have been answered.
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap(),
            _ => ask(&mut stream).await,
        }
        idle.push(stream);
    }
    let mut stream = server.connect().await;
    for _ in 0..100 {
        ask(&mut stream).await;
    }
    assert_eq!(server.traffic.open(), 2_001);
    // The ones that wait are not in the way of a stop either.
    idle.truncate(1_000);
    for stream in &mut idle {
        stream.set_zero_linger().unwrap();
    }
    drop(idle);
    drop(stream);
    server.stopped().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_are_shed() {
    let server = start(Limits {
        connections: 4,
        ..Limits::default()
    });
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut stream = server.connect().await;
        ask(&mut stream).await;
        open.push(stream);
    }
    let answer = read_to_close(&mut server.connect().await).await;
    assert_eq!(status(&answer), "503", "{answer}");
    assert_eq!(server.traffic.shed(), 1);
    for stream in &mut open {
        ask(stream).await;
    }
    open.pop();
    // The place is free once the server has seen the close.
    within(async {
        while server.traffic.open() == 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    ask(&mut server.connect().await).await;
}

#[tokio::test]
async fn a_panic_ends_one_connection() {
    let server = start(Limits::default());
    assert_eq!(
        server.talk("GET /bug HTTP/1.1\r\nhost: x\r\n\r\n").await,
        ""
    );
    ask(&mut server.connect().await).await;
    assert_eq!(server.traffic.open(), 1);
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way() {
    let server = start(Limits::default());
    let mut idle = server.connect().await;
    ask(&mut idle).await;
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.arrived.acquire().await.unwrap().forget();
    server.stop.notify_one();
    assert_eq!(read_to_close(&mut idle).await, "", "closed at once");
    assert_eq!(read_to_close(&mut silent).await, "", "closed at once");
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens"
    );
    assert!(!server.served.is_finished());
    server.gate.add_permits(1);
    let answer = read_to_close(&mut busy).await;
    assert!(
        answer.ends_with("slow") && answer.contains("connection: close"),
        "{answer}"
    );
    within(server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = start(Limits {
        drain_time: SHORT,
        ..Limits::default()
    });
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.arrived.acquire().await.unwrap().forget();
    let traffic = Arc::clone(&server.traffic);
    server.stopped().await;
    assert_eq!(traffic.open(), 0);
    assert_eq!(read_to_close(&mut busy).await, "");
}

fn trusting(data: &Path) -> tokio_rustls::TlsConnector {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    let authority = data.join(tls::CA_FILE);
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_file(authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config).into()
}

#[tokio::test]
async fn tls_is_spoken_for_the_names_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let names = ["gateway.example".to_owned(), "::1".to_owned()];
    let config = tls::server_config(data.path(), &names).unwrap();
    let server = start_with(Limits::default(), Some(config));
    let connector = trusting(data.path());
    for (name, is_taken) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("gateway.example", true),
        ("bank.example", false),
        ("127.0.0.2", false),
    ] {
        let name = rustls::pki_types::ServerName::try_from(name).unwrap();
        let shaken = within(connector.connect(name.clone(), server.connect().await)).await;
        assert_eq!(shaken.is_ok(), is_taken, "{name:?}: {shaken:?}");
        if let Ok(mut stream) = shaken {
            ask(&mut stream).await;
            ask(&mut stream).await;
        }
    }
    // Two in a row resume: the second takes the short way.
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let mut stream = within(connector.connect(name, server.connect().await))
        .await
        .unwrap();
    ask(&mut stream).await;
    let kind = stream.get_ref().1.handshake_kind();
    assert_eq!(kind, Some(rustls::HandshakeKind::Resumed));
    drop(stream);
    server.stopped().await;
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let config = tls::server_config(data.path(), &[]).unwrap();
    let limits = Limits {
        handshake_time: SHORT,
        ..Limits::default()
    };
    let server = start_with(limits, Some(Arc::clone(&config)));
    let mut silent = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
        .await
        .unwrap();
    assert_eq!(read_to_close(&mut silent).await, "");
    assert_eq!(read_to_close(&mut half).await, "");
    assert_eq!(server.traffic.timed_out(), 2);
    // Plain HTTP is no handshake.
    let mut plain = server.connect().await;
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut alert = Vec::new();
    within(plain.read_to_end(&mut alert)).await.unwrap();
    assert!(!alert.starts_with(b"HTTP"));

    // And one under way does not hold up a stop.
    let server = start_with(Limits::default(), Some(config));
    let _silent = server.connect().await;
    server.stopped().await;
}
