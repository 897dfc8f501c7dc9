use super::*;
use crate::received::tests::{body, folder, reader};
use tokio::net::TcpStream;

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

fn desk(answer: Option<&str>, status: u16) -> Desk {
    Desk {
        reader: reader(&folder()),
        answer: answer.map(str::to_owned),
        delay: None,
        status,
        json: true,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// The answer's first line and body.
fn exchange(desk: &Desk, request: &str) -> String {
    runtime().block_on(async {
        let (mut ours, theirs) = tokio::io::duplex(256);
        let asked = async {
            // Too long a request is not read to its end.
            let _ = ours.write_all(request.as_bytes()).await;
            let mut answer = String::new();
            ours.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let (answer, ()) = tokio::join!(asked, converse(theirs, desk));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let line = head.lines().next().unwrap_or_default();
        format!("{line} {body}")
    })
}

fn post(body: &str) -> String {
    let length = body.len();
    format!("POST /notify HTTP/1.1\r\nHost: h\r\ncontent-length: {length}\r\n\r\n{body}")
}

// Goal: what is believed is acknowledged, and what was asked for is answered.
#[test]
fn answers() {
    let good = post(&body(KEY));
    for (answer, status, expected) in [
        (None, 200, "HTTP/1.1 200 - success"),
        (Some("later"), 200, "HTTP/1.1 200 - later"),
        (None, 500, "HTTP/1.1 500 - success"),
        (Some(""), 503, "HTTP/1.1 503 - "),
    ] {
        assert_eq!(exchange(&desk(answer, status), &good), expected);
    }
    let desk = desk(None, 200);
    for (request, expected) in [
        (good.clone(), "HTTP/1.1 200 - success"),
        (good, "HTTP/1.1 200 - success"),
        (post("a=1"), "HTTP/1.1 200 - fail"),
        (post(""), "HTTP/1.1 200 - fail"),
        (
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            "HTTP/1.1 405 - notifications come by POST",
        ),
        (
            "POST / HTTP/1.1\r\n\r\n".to_owned(),
            "HTTP/1.1 411 - there is no Content-Length",
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 64001\r\n\r\n".to_owned(),
            "HTTP/1.1 413 - the body is too long",
        ),
    ] {
        assert_eq!(exchange(&desk, &request), expected, "{request}");
    }
}

// Goal: who hangs up gets nothing, and endless headers end.
#[test]
fn bounds() {
    let desk = desk(None, 200);
    runtime().block_on(async {
        let (ours, theirs) = tokio::io::duplex(256);
        drop(ours);
        converse(theirs, &desk).await;
        let mut endless = b"POST / HTTP/1.1\r\n".to_vec();
        endless.resize(HEAD_BYTES_MAX + 10_000, b'x');
        match read(&mut endless.as_slice()).await {
            Err(NoRequest::Bad(status, _)) => assert_eq!(status, 431),
            Err(NoRequest::Nothing) | Ok(_) => panic!("endless headers were read"),
        }
    });
}

// Goal: a real port, more than one at once, and an end when it is told to.
#[test]
fn over_tcp() {
    runtime().block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, stop) = tokio::sync::oneshot::channel::<()>();
        let serving = serve(listener, Arc::new(desk(None, 200)), async {
            let _ = stop.await;
        });
        let asking = async {
            // One says nothing and does not stand in the way of the next.
            let _silent = TcpStream::connect(address).await.unwrap();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(post(&body(KEY)).as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("\r\n\r\nsuccess"), "{answer}");
            told.send(()).unwrap();
        };
        tokio::join!(serving, asking);
    });
}
