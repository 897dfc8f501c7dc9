//! Whoever can reach the port: bodies of megabytes, heads without an end, slow senders, thousands
//! of idle connections, bytes that mean nothing. The service answers others meanwhile and after.

#![cfg(unix)]

mod process;

use std::io;
use std::time::Duration;

use process::line::{HttpAnswer, Line};
use process::till::{Heard, Phones, Till};
use process::{Dice, Gateway, Place, pause};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

/// Memory that no attack here may take the process beyond, in KiB: four times what was measured.
const RESIDENT_KIB_MAX: u64 = 80_000;
/// The same for each connection that is open; measured: 11.
const RESIDENT_KIB_MAX_OPEN: u64 = 20;

fn illegal_argument() -> Heard {
    Heard::Rejected("ILLEGAL_ARGUMENT".to_owned())
}

fn post(headers: &str) -> Vec<u8> {
    let head = "POST /gateway.do?_input_charset=UTF-8 HTTP/1.1\r\nhost: t\r\n\
                content-type: application/x-www-form-urlencoded\r\n";
    format!("{head}{headers}\r\n\r\n").into_bytes()
}

/// It serves, its books balance, and its memory stays within the bound.
fn assert_well(gateway: &Gateway, what: &str) {
    assert_well_beside(gateway, what, 0);
}

/// The same beside so many connections, which are open or were a moment ago.
fn assert_well_beside(gateway: &Gateway, what: &str, open: u64) {
    assert_eq!(gateway.ask("GET", "/healthz", "").status, 200);
    assert!(gateway.is_ready());
    let till = Till::of(gateway, "tea-house");
    let code = gateway.post("/wallets/alice/code", &json!({}));
    let code = code["code"].as_str().expect("a code");
    let pay = till.pay(&format!("WELL-{code}"), 3_930, code);
    assert!(till.ask_once(gateway, &pay).is_success());
    gateway.assert_balanced();
    if let Some(resident) = gateway.resident_kib() {
        println!("{what}: {resident} KiB resident");
        let bound = RESIDENT_KIB_MAX + RESIDENT_KIB_MAX_OPEN * open;
        assert!(resident < bound, "{resident} KiB after {what}");
    }
}

/// Sends as much as the other side takes, then listens; what came before the connection closed.
fn pour(gateway: &Gateway, bytes: &[u8]) -> io::Result<HttpAnswer> {
    let mut line = gateway.line();
    for some in bytes.chunks(16 * 1_024) {
        if line.send(some).is_err() {
            break;
        }
    }
    line.answer()
}

// Goal: a body of megabytes is refused with its published code, before it is sent if it says its
// length, and as soon as it is too long if it does not.
#[test]
fn bodies_of_megabytes() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    let megabytes = vec![b'a'; 5_000_000];

    // Not one byte of the body is there yet.
    for length in ["64001", "5000000", "1000000000000000000"] {
        let head = post(&format!("content-length: {length}"));
        let answer = gateway.line().ask(&head).expect("an answer at once");
        assert_eq!(till.hear(&answer), illegal_argument(), "{length}");
    }
    // All of it is sent, whether anybody reads it or not.
    let mut whole = post("content-length: 5000000");
    whole.extend_from_slice(&megabytes);
    let answer = pour(&gateway, &whole).expect("an answer");
    assert_eq!(till.hear(&answer), illegal_argument());
    // In chunks nobody knows the length beforehand.
    let mut chunks = post("transfer-encoding: chunked");
    for some in megabytes.chunks(10_000) {
        chunks.extend_from_slice(format!("{:x}\r\n", some.len()).as_bytes());
        chunks.extend_from_slice(some);
        chunks.extend_from_slice(b"\r\n");
    }
    let answer = pour(&gateway, &chunks).expect("an answer");
    assert_eq!(till.hear(&answer), illegal_argument());
    // The sandbox says no in its own way.
    let answer = gateway.ask("POST", "/sandbox/v1/clock", &"a".repeat(5_000_000));
    assert!((400..500).contains(&answer.status), "{}", answer.head);

    // At the bound it is read, and is nonsense.
    let mut longest = post("content-length: 64000");
    longest.extend_from_slice(&megabytes[..64_000]);
    let answer = pour(&gateway, &longest).expect("an answer");
    assert_eq!(
        till.hear(&answer),
        Heard::Rejected("ILLEGAL_SERVICE".into())
    );
    // Thousands of parameters fit into it.
    let body: String = (0..6_000).map(|number| format!("p{number}=v&")).collect();
    let mut many = post(&format!("content-length: {}", body.len()));
    many.extend_from_slice(body.as_bytes());
    assert!(matches!(
        till.hear(&pour(&gateway, &many).expect("an answer")),
        Heard::Rejected(_)
    ));
    assert_well(&gateway, "bodies of megabytes");
}

// Goal: a head has a bound in bytes and in lines.
#[test]
fn heads_without_an_end() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let start = "GET /healthz HTTP/1.1\r\nhost: t\r\n";
    let cases = [
        ("one line", format!("{start}x: {}", "a".repeat(1_000_000))),
        ("many lines", start.to_owned() + &"a: b\r\n".repeat(200_000)),
        ("a name", start.to_owned() + &"a".repeat(1_000_000)),
        ("a path", format!("GET /{}", "a".repeat(1_000_000))),
        (
            "a query",
            format!("GET /gateway.do?{}", "a=b&".repeat(250_000)),
        ),
        ("a method", "A".repeat(1_000_000)),
        ("empty lines", "\r\n".repeat(500_000)),
        (
            "65 lines",
            start.to_owned() + &"a: b\r\n".repeat(64) + "\r\n",
        ),
        (
            "101 lines",
            start.to_owned() + &"a: b\r\n".repeat(100) + "\r\n",
        ),
        (
            "17 KB",
            format!("{start}x: {}\r\n\r\n", "a".repeat(17 * 1_024)),
        ),
    ];
    for (name, bytes) in &cases {
        match pour(&gateway, bytes.as_bytes()) {
            Ok(answer) => {
                println!("{name}: {}", answer.status);
                assert!(
                    [400, 414, 431].contains(&answer.status),
                    "{name}: {}",
                    answer.head
                );
            }
            // Closed while we were still talking.
            Err(error) => println!("{name}: closed, {error}"),
        }
    }
    let fits = start.to_owned() + &"a: b\r\n".repeat(60) + "\r\n";
    assert_eq!(
        pour(&gateway, fits.as_bytes()).expect("an answer").status,
        200
    );
    assert_well(&gateway, "heads without an end");
}

// Goal: nothing is ever unpacked: a body that says it is compressed is bytes like any other, so a
// bomb is as large as what was sent.
#[test]
fn compressed_bodies() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    // What a deflated run of zeros looks like; unpacked it would be a thousand times as long.
    let mut bomb = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xec\xc1".to_vec();
    bomb.resize(60_000, 0);
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity"] {
        let length = bomb.len();
        let mut whole = post(&format!(
            "content-encoding: {encoding}\r\ncontent-length: {length}"
        ));
        whole.extend_from_slice(&bomb);
        let answer = pour(&gateway, &whole).expect("an answer");
        // The first bytes are no text in UTF-8.
        assert_eq!(
            till.hear(&answer),
            Heard::Rejected("ILLEGAL_CHARSET".into()),
            "{encoding}"
        );
        // hyper knows no coding of transfer but chunks.
        let mut whole = post("transfer-encoding: gzip, chunked");
        whole.extend_from_slice(b"5\r\n\x1f\x8b\x08\0\0\r\n0\r\n\r\n");
        if let Ok(answer) = pour(&gateway, &whole) {
            assert!(answer.status == 400 || matches!(till.hear(&answer), Heard::Rejected(_)));
        }
    }
    assert_well(&gateway, "compressed bodies");
}

// Goal: chunks have bounds around them as well: names behind their lengths, lines behind the last
// one, and lengths of nothing but zeros end in a refusal or a closed connection.
#[test]
fn chunks_without_an_end() {
    let place = Place::new();
    // Some of these never come as far as a byte of a body, so time is what ends them.
    let launch = place.launch().quiet().arg("--limit").arg("body-seconds=1");
    let gateway = launch.start();
    let till = Till::of(&gateway, "tea-house");
    for (name, endless) in [
        ("an extension", format!("1;{}", "a".repeat(1_000_000))),
        ("extensions", "1;a=b\r\na\r\n".repeat(200_000)),
        ("trailers", format!("0\r\n{}", "a: b\r\n".repeat(200_000))),
        ("a trailer", format!("0\r\na: {}", "b".repeat(1_000_000))),
        ("zeros", "0".repeat(1_000_000)),
        ("chunks of a byte", "1\r\na\r\n".repeat(200_000)),
    ] {
        let mut whole = post("transfer-encoding: chunked");
        whole.extend_from_slice(endless.as_bytes());
        match pour(&gateway, &whole) {
            Ok(answer) if answer.status == 200 => {
                assert!(matches!(till.hear(&answer), Heard::Rejected(_)), "{name}");
            }
            Ok(answer) => assert!((400..500).contains(&answer.status), "{name}"),
            Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "{name}"),
        }
    }
    assert_well(&gateway, "chunks without an end");
}

// Goal: requests that come all at once on one connection are answered one by one in their order,
// each with its own answer, up to the first that means nothing.
#[test]
fn requests_in_a_row() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 20);
    let mut row = Vec::new();
    for number in 0..20 {
        let (_, code) = phones.code(number);
        row.extend(till.pay(&format!("ROW-{number}"), 100, code.as_str()));
        row.extend(till.query(&format!("NONE-{number}")));
    }
    row.extend_from_slice(b"GET / HTTP/9.9\r\n\r\n");
    row.extend(till.cancel("ROW-0"));
    let mut line = gateway.line();
    line.send(&row).expect("it listens");
    for number in 0..20 {
        let paid = line.answer().expect("an answer");
        assert!(till.hear(&paid).is_success(), "{number}");
        let id = format!(">ROW-{number}<");
        assert!(paid.text().contains(&id), "{}", paid.text());
        let none = line.answer().expect("an answer").text();
        assert!(none.contains(&format!(">NONE-{number}<")), "{none}");
    }
    if let Ok(answer) = line.answer() {
        assert!((400..600).contains(&answer.status), "{}", answer.head);
    }
    assert!(line.rest().unwrap_or_default().is_empty());
    // What stood behind it was never read.
    let found = till.ask_once(&gateway, &till.query("ROW-0"));
    assert!(found.is("TRADE_SUCCESS"), "{found:?}");
    assert_well(&gateway, "requests in a row");
}

// Goal: limits are what `--limit` says: one step inside is served, one beyond is not.
#[test]
fn limits_are_settings() {
    let place = Place::new();
    let mut launch = place.launch().quiet();
    for limit in [
        "body-bytes=5000",
        "body-seconds=1",
        "head-lines=8",
        "head-bytes=2000",
        "connections-per-address=3",
    ] {
        launch = launch.arg("--limit").arg(limit);
    }
    let gateway = launch.start();
    let till = Till::of(&gateway, "tea-house");
    for (length, said) in [(5_000, "ILLEGAL_SERVICE"), (5_001, "ILLEGAL_ARGUMENT")] {
        let mut whole = post(&format!("content-length: {length}"));
        whole.resize(whole.len() + length, b'a');
        let answer = pour(&gateway, &whole).expect("an answer");
        assert_eq!(till.hear(&answer), Heard::Rejected(said.into()), "{length}");
    }
    let late = gateway.line().ask(&post("content-length: 10"));
    assert_eq!(late.expect("an answer").status, 408);
    let start = "GET /healthz HTTP/1.1\r\nhost: t\r\n";
    for (head, status) in [
        (start.to_owned() + &"a: b\r\n".repeat(7) + "\r\n", 200),
        (start.to_owned() + &"a: b\r\n".repeat(8) + "\r\n", 431),
        (format!("{start}x: {}\r\n\r\n", "a".repeat(1_900)), 200),
        (format!("{start}x: {}\r\n\r\n", "a".repeat(2_100)), 431),
    ] {
        let answer = pour(&gateway, head.as_bytes()).expect("an answer");
        assert_eq!(answer.status, status, "{head}");
    }
    let health = b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n";
    let mut open = Vec::new();
    process::until("three connections are open and no more fit", || {
        let mut line = gateway.line();
        match line.ask(health) {
            Ok(answer) if answer.status == 200 => open.push(line),
            Ok(_) | Err(_) => return open.len() == 3,
        }
        false
    });
    drop(open);
    process::until("there is room again", || {
        gateway
            .line()
            .ask(health)
            .is_ok_and(|answer| answer.status == 200)
    });
}

/// Sends a byte now and then until the other side has had enough; what it said.
fn trickle(mut line: Line, start: &[u8]) -> io::Result<HttpAnswer> {
    line.send(start)?;
    // Longer than any deadline for a request; it does not come that far.
    for _ in 0..300 {
        pause(Duration::from_millis(100));
        if line.send(b"a").is_err() {
            break;
        }
    }
    line.answer()
}

// Goal: who sends slowly is cut off, and whoever is quick does not notice.
#[test]
fn slow_senders() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 100);
    let head = post("content-length: 5000");
    let starts: [(&str, &[u8]); 4] = [
        ("a head", b"POST /gateway.do HTTP/1.1\r\nx: "),
        ("a method", b"P"),
        ("a body", &head),
        (
            "a second request",
            b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\nGET /he",
        ),
    ];
    std::thread::scope(|scope| {
        let mut slow = Vec::new();
        for (name, start) in starts {
            for _ in 0..25 {
                let line = gateway.line();
                slow.push((name, scope.spawn(move || trickle(line, start))));
            }
        }
        let silent: Vec<Line> = (0..25).map(|_| gateway.line()).collect();
        let mut line = gateway.line();
        for number in 0..200 {
            let (_, code) = phones.code(number);
            let pay = till.pay(&format!("QUICK-{number}"), 100, code.as_str());
            assert!(till.ask(&mut line, &pay).expect("an answer").is_success());
        }
        for (name, slow) in slow {
            match slow.join().expect("a slow sender") {
                Ok(answer) if name == "a body" => assert_eq!(answer.status, 408),
                // Of the first request.
                Ok(answer) if name == "a second request" => assert_eq!(answer.status, 200),
                Ok(answer) => panic!("{name}: {}", answer.head),
                Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "{name}"),
            }
        }
        for mut line in silent {
            let rest = line.rest().expect("the gateway closes");
            assert!(rest.is_empty());
        }
    });
    assert_well(&gateway, "slow senders");
}

// Goal: who asks and asks and never reads an answer is not answered into memory without a bound.
#[test]
fn nobody_reads() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let long = b"GET /sandbox/v1/openapi.json HTTP/1.1\r\nhost: t\r\n\r\n".repeat(1_000);
    let mut deaf = Vec::new();
    for _ in 0..30 {
        let mut line = gateway.line();
        line.hurry(Duration::from_millis(50)).expect("a deadline");
        let mut sent = 0;
        while sent < 500 && line.send(&long).is_ok() {
            sent += 1;
        }
        // The gateway stopped reading long before.
        assert!(sent < 500);
        deaf.push(line);
    }
    assert_well_beside(&gateway, "nobody reads", 10 * 30);
    drop(deaf);
}

/// Raises our own bound on open files; how many connections that carries, at most so many.
fn room_for(connections: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where "unlimited" is refused the old bound stays.
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // The other tests of this file run beside this one; the gateway keeps 256 for itself.
    connections.min(files.unwrap_or(u64::MAX).saturating_sub(600))
}

// Goal: ten thousand connections that do nothing, half of them before their first request, cost
// memory and nothing else.
#[test]
fn ten_thousand_idle_connections() {
    let place = Place::new();
    let count = room_for(10_000);
    if count < 10_000 {
        println!("this machine allows only {count} connections instead of 10000");
    }
    let gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 100);
    let before = gateway.resident_kib();
    let mut idle = Vec::new();
    for number in 0..count {
        let mut line = gateway.line();
        if number % 2 == 0 {
            let asked = line.ask(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
            assert_eq!(asked.expect("an answer").status, 200);
        }
        idle.push(line);
    }
    let mut line = gateway.line();
    for number in 0..200 {
        let (_, code) = phones.code(number);
        let pay = till.pay(&format!("IDLE-{number}"), 100, code.as_str());
        assert!(till.ask(&mut line, &pay).expect("an answer").is_success());
    }
    let metrics = gateway.ask("GET", "/metrics", "").text();
    let open = metrics
        .lines()
        .find_map(|line| line.strip_prefix("spotpay_connections "))
        .and_then(|open| open.parse::<u64>().ok())
        .expect("a number of connections");
    assert!(count / 2 <= open, "{open}");
    if let (Some(before), Some(with)) = (before, gateway.resident_kib()) {
        println!("{open} of {count} connections open: {before} KiB before, {with} KiB with them");
    }
    assert_well_beside(&gateway, "with idle connections", count);
    // Those that were kept alive are not forgotten.
    for line in idle.iter_mut().step_by(2).take(100) {
        let asked = line.ask(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n");
        assert_eq!(asked.expect("an answer").status, 200);
    }
    drop(idle);
    assert_well_beside(&gateway, "after idle connections", count);
}

// Goal: an old client that speaks HTTP/1.0 pays, and its connection is closed behind it.
#[test]
fn http_1_0() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 1);
    let (_, code) = phones.code(0);
    let pay = String::from_utf8(till.pay("OLD-1", 3_930, code.as_str())).expect("text");
    let old = pay.replace("HTTP/1.1\r\nhost: t\r\n", "HTTP/1.0\r\n");
    assert_ne!(old, pay);
    let mut line = gateway.line();
    let answer = line.ask(old.as_bytes()).expect("an answer");
    assert!(till.hear(&answer).is_success());
    assert!(answer.head.starts_with("HTTP/1.0 "), "{}", answer.head);
    assert!(line.rest().expect("an end").is_empty());
    // An old client that keeps its connection says so.
    let kept = "GET /healthz HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let mut line = gateway.line();
    for _ in 0..2 {
        assert_eq!(line.ask(kept.as_bytes()).expect("an answer").status, 200);
    }
}

// Goal: a path is what it says and nothing else.
#[test]
fn paths() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let before = gateway.fetch("/wallets");
    for path in [
        "/gateway.do/",
        "//gateway.do",
        "/GATEWAY.DO",
        "/%67ateway.do",
        "/gateway.do%00",
        "/gateway.do%0d%0ax:%20y",
        "/gateway.do;a=b",
        "/gateway.do\\..\\x",
        "\\gateway.do",
        "/..;/gateway.do",
        "/%2e%2e/gateway.do",
        "/.%2e/%2e./gateway.do",
        "/%252e%252e/gateway.do",
        "/metrics/../sandbox/v1/reset",
        "/healthz%2f..%2fsandbox%2fv1%2freset",
        "//sandbox/v1/reset",
        "/gateway.do/..",
        "/./gateway.do",
        "/x/../gateway.do",
        "/gateway.do/../sandbox/v1/reset",
        "/sandbox/v1/../v1/reset",
        "/sandbox/v1//reset",
        "/sandbox/v1/%72eset%00",
        "/sandbox/v1/reset%2f",
        "/..%2f..%2f..%2fetc/passwd",
        "/../../../../etc/passwd",
        "/sandbox/v1/../../../../etc/passwd",
        "/sandbox/v1/wallets/..%2f..%2fpartners",
        "/sandbox/v1/wallets/%00",
        "/sandbox/v1/wallets/%ff%fe",
        "/sandbox/v1/wallets/'%20OR%201=1--",
        "/sandbox/v1/requests/999999999999999999999",
        "/%",
        "/%2",
        "/%zz",
        "/\u{7f}",
        "*",
        "gateway.do",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "TRACE", "BREW"] {
            let answer = gateway.ask(method, path, "{}");
            let refused = [400, 404, 405].contains(&answer.status);
            assert!(refused, "{method} {path}: {}", answer.head);
            assert!(!answer.text().contains("root:"), "{path}");
        }
    }
    // A proxy's form of a path is the same path.
    let whole = format!("{}/healthz", gateway.origin);
    assert_eq!(gateway.ask("GET", &whole, "").status, 200);
    assert_eq!(gateway.fetch("/wallets"), before);
    assert_well(&gateway, "path tricks");
}

// Goal: bytes that mean nothing, or two things, end in a refusal or a closed connection.
#[test]
fn garbage() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let post = "POST /gateway.do HTTP/1.1\r\nhost: t\r\n";
    let meaningless = [
        "\0\0\0\0".to_owned(),
        "\r\n\r\n".to_owned(),
        "\n\n\n\n".to_owned(),
        "GET /\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET  /  HTTP/1.1\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned(),
        "SSH-2.0-x\r\n".to_owned(),
        "GET / HTTP/1.1\r\nbad name: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nx: a\0b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n folded: x\r\n\r\n".to_owned(),
        format!("{post}content-length: -1\r\n\r\n"),
        format!("{post}content-length: 99999999999999999999999\r\n\r\n"),
        format!("{post}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        format!("{post}content-length: 5 5\r\n\r\nab"),
        format!("{post}transfer-encoding: gzip\r\n\r\nab"),
        format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n"),
        format!("{post}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\na"),
        format!("{post}transfer-encoding: chunked\r\n\r\n-1\r\na"),
        // It breaks off in the middle of its body.
        format!("{post}content-length: 100\r\n\r\nab"),
    ];
    for bytes in &meaningless {
        let mut line = gateway.line();
        // It may be closed before all is said.
        let _ = line.send(bytes.as_bytes()).and_then(|()| line.finish());
        match line.answer() {
            Ok(answer) => {
                let refused = (400..600).contains(&answer.status) && answer.status != 500;
                assert!(refused, "{bytes:?}: {}", answer.head);
            }
            Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "{bytes:?}"),
        }
    }
    let mut dice = Dice(1);
    for _ in 0..300 {
        let length = 1 + dice.below(4_096);
        let byte = |_| u8::try_from(dice.below(256)).expect("a byte");
        let bytes: Vec<u8> = (0..length).map(byte).collect();
        let mut line = gateway.line();
        let _ = line.send(&bytes).and_then(|()| line.finish());
        if let Ok(answer) = line.answer() {
            assert!((400..500).contains(&answer.status), "{}", answer.head);
        }
    }
    assert_well(&gateway, "garbage");
}

// Goal: a length and chunks at once is how one request is smuggled inside another; nothing inside
// is answered as a request of its own that the length would have covered.
#[test]
fn smuggled() {
    let place = Place::new();
    let gateway = place.launch().quiet().start();
    let before = gateway.fetch("/wallets");
    let inside = "POST /sandbox/v1/reset HTTP/1.1\r\nhost: t\r\ncontent-length: 2\r\n\r\n{}";
    gateway.post("/wallets/alice/topup", &json!({"amount": "1.00"}));
    let after = gateway.fetch("/wallets");
    assert_ne!(before, after);
    let outside = format!(
        "POST /gateway.do HTTP/1.1\r\nhost: t\r\ncontent-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{inside}",
        5 + inside.len()
    );
    let mut line = gateway.line();
    line.send(outside.as_bytes()).expect("it listens");
    line.finish().expect("it listens");
    let said = String::from_utf8_lossy(&line.rest().unwrap_or_default()).into_owned();
    println!("{} answers: {said:?}", said.matches("HTTP/1.1 ").count());
    assert_eq!(gateway.fetch("/wallets"), after, "{said}");
    assert_well(&gateway, "smuggling");
}
