use super::*;
use crate::transport::Arrival;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// What a server does with its connections, one after another.
type Serve = Box<dyn FnOnce(TcpListener) + Send>;

#[expect(
    clippy::disallowed_methods,
    reason = "a real socket needs somebody at its other end"
)]
fn server(serve: Serve) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || serve(listener));
    (format!("127.0.0.1:{}", address.port()), thread)
}

fn request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    let mut byte = [0];
    let length = |text: &str| {
        let (head, _) = text.split_once("\r\n\r\n")?;
        let lower = head.to_ascii_lowercase();
        let (_, after) = lower.split_once("content-length:")?;
        let body = after.lines().next()?.trim().parse::<usize>().ok()?;
        Some(head.len() + 4 + body)
    };
    while length(&text).is_none_or(|length| text.len() < length) {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            break;
        }
        text.push(char::from(byte[0]));
    }
    text
}

fn answer(stream: &mut impl Write, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
    // The client may hang up on a body that is too long.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
    let _ = stream.flush();
}

fn post(settings: &HttpSettings, url: String) -> Result<HttpAnswer, TransportFailure> {
    let body = "a=b%20c".to_owned();
    HttpTransport::new(settings)
        .unwrap()
        .post(&HttpRequest { url, body })
}

fn impatient() -> HttpSettings {
    HttpSettings {
        read: Duration::from_millis(100),
        ..HttpSettings::default()
    }
}

/// Serves one connection with an answer and gives what the client made of it.
fn once(head: &'static str, body: Vec<u8>) -> Result<HttpAnswer, TransportFailure> {
    let (host, thread) = server(Box::new(move |listener| {
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream);
        answer(&mut stream, head, &body);
    }));
    let got = post(
        &HttpSettings::default(),
        format!("http://{host}/gateway.do"),
    );
    thread.join().unwrap();
    got
}

// Goal: every status is an answer, and no redirect is followed.
#[test]
fn statuses() {
    for (head, status) in [
        ("200 OK\r\nContent-Type: text/xml;charset=GBK", 200),
        ("500 Oh\r\nContent-Type: text/xml;charset=GBK", 500),
        ("404 No\r\nContent-Type: text/xml;charset=GBK", 404),
        (
            "302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Type: text/xml;charset=GBK",
            302,
        ),
    ] {
        let got = once(head, b"<alipay/>".to_vec()).unwrap();
        let expected = HttpAnswer {
            status,
            content_type: "text/xml;charset=GBK".to_owned(),
            body: b"<alipay/>".to_vec(),
        };
        assert_eq!(got, expected);
    }
}

// Goal: an answer over the limit is cut off, not collected.
#[test]
fn huge_body() {
    let failure = once("200 OK", vec![b' '; 3_000_000]).unwrap_err();
    assert_eq!(failure.arrival(), Arrival::Maybe);
}

// Goal: connections are kept, and the form is posted as one.
#[test]
fn keep_alive() {
    let (host, thread) = server(Box::new(|listener| {
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..2 {
            let text = request(&mut stream);
            assert!(
                text.starts_with("POST /gateway.do?_input_charset=GBK HTTP/1.1\r\n"),
                "{text}"
            );
            let lower = text.to_ascii_lowercase();
            assert!(
                lower.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"),
                "{text}"
            );
            assert!(text.ends_with("\r\n\r\na=b%20c"), "{text}");
            answer(&mut stream, "200 OK", b"x");
        }
    }));
    let transport = HttpTransport::new(&HttpSettings::default()).unwrap();
    for _ in 0..2 {
        let url = format!("http://{host}/gateway.do?_input_charset=GBK");
        let body = "a=b%20c".to_owned();
        transport.post(&HttpRequest { url, body }).unwrap();
    }
    thread.join().unwrap();
}

// Goal: what cannot have arrived is told from what may have.
#[test]
fn arrivals() {
    let (host, thread) = server(Box::new(drop));
    thread.join().unwrap();
    let nobody = post(&impatient(), format!("http://{host}/")).unwrap_err();
    assert_eq!(nobody.arrival(), Arrival::Never, "{nobody}");

    let no_host = post(&impatient(), "http://no-such-host.invalid/".to_owned()).unwrap_err();
    assert_eq!(no_host.arrival(), Arrival::Never, "{no_host}");

    let (host, thread) = server(Box::new(|listener| {
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream);
    }));
    let hung_up = post(&HttpSettings::default(), format!("http://{host}/")).unwrap_err();
    assert_eq!(hung_up.arrival(), Arrival::Maybe, "{hung_up}");
    thread.join().unwrap();

    let (host, thread) = server(Box::new(|listener| {
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream);
        request(&mut stream);
    }));
    let silent = post(&impatient(), format!("http://{host}/")).unwrap_err();
    assert_eq!(silent.arrival(), Arrival::Maybe, "{silent}");
    thread.join().unwrap();
}

fn tls_server(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> (String, JoinHandle<()>) {
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    server(Box::new(move |listener| {
        let (stream, _): (TcpStream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        if !request(&mut stream).is_empty() {
            answer(&mut stream, "200 OK", b"safe");
        }
    }))
}

// Goal: a sandbox's own authority is trusted when it is given, and only then.
#[test]
fn own_authority() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let url = |host: &str| format!("https://{}/", host.replace("127.0.0.1", "localhost"));

    let (host, thread) = tls_server(&certificate, &key);
    let trusting = HttpSettings {
        ca_pem: Some(certificate.pem().into_bytes()),
        ..HttpSettings::default()
    };
    assert_eq!(post(&trusting, url(&host)).unwrap().body, b"safe");
    thread.join().unwrap();

    let (host, thread) = tls_server(&certificate, &key);
    let stranger = post(&HttpSettings::default(), url(&host)).unwrap_err();
    assert_eq!(stranger.arrival(), Arrival::Never, "{stranger}");
    thread.join().unwrap();
}

#[test]
fn certificates_that_are_none() {
    for pem in [
        "",
        "not PEM",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let ca_pem = Some(pem.as_bytes().to_vec());
        let settings = HttpSettings {
            ca_pem,
            ..HttpSettings::default()
        };
        assert!(HttpTransport::new(&settings).is_err(), "{pem}");
    }
}
