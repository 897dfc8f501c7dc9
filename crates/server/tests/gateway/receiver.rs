//! A merchant's receiver of notifications: a real socket that notes what arrives and answers from a
//! script.
#![expect(
    clippy::disallowed_methods,
    reason = "a receiver is a driver: it owns its tasks and its patience"
)]

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use spotpay_wire::charset::Charset;
use spotpay_wire::notification::{Event, Notification};
use spotpay_wire::signature::Verifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::world::World;

/// Anything that takes longer than this is stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// Letters that a receiver holds until a test looks at them.
const LETTERS_MAX: usize = 10_000;

/// What a receiver does with a letter.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// A status and a body; the connection stays open for the next letter.
    Text(u16, &'static str),
    /// These bytes, then the connection closes, announced or not.
    Raw(&'static str),
    /// 302 to another address.
    Redirect(String),
    /// Closes without a byte.
    Close,
    /// Takes the letter and never answers.
    Hang,
    /// 200 and megabytes.
    Flood,
    /// 200, this body of no stated length, and an end that never comes.
    Endless(&'static str),
    /// This body with 200, once the test lets it.
    Held(Arc<Notify>, &'static str),
}

/// The acknowledgement.
pub(crate) const SUCCESS: Say = Say::Text(200, "success");
/// The opposite.
pub(crate) const FAIL: Say = Say::Text(200, "fail");

/// What arrived: the head of the request and its body.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Letter {
    /// The letter as wire reads it.
    pub(crate) fn read(&self, charset: Charset) -> Notification {
        Notification::read(charset, &self.body)
    }

    /// A field of a letter in UTF-8; empty when it is not there.
    pub(crate) fn field(&self, name: &str) -> String {
        let letter = self.read(Charset::Utf8);
        letter.get(name).unwrap_or_default().to_owned()
    }

    /// Its number.
    pub(crate) fn notify_id(&self) -> String {
        self.field("notify_id")
    }

    /// What it tells, if it is genuine.
    pub(crate) fn event(&self, charset: Charset, verifier: &Verifier) -> Event {
        let letter = self.read(charset);
        assert!(letter.verify(verifier), "{letter:?}");
        letter.read_event().unwrap()
    }

    /// `name=value` in the order in which they came.
    pub(crate) fn fields(&self, charset: Charset) -> Vec<(String, String)> {
        let letter = self.read(charset);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        letter.form().iter().map(owned).collect()
    }
}

/// One receiver with its own port; it ends with the test.
pub(crate) struct Receiver {
    pub(crate) url: String,
    script: Arc<Script>,
    letters: tokio::sync::Mutex<mpsc::Receiver<Letter>>,
    listening: JoinHandle<()>,
}

struct Script {
    first: Mutex<VecDeque<Say>>,
    after: Mutex<Say>,
    taken: AtomicUsize,
    letters: mpsc::Sender<Letter>,
}

impl Receiver {
    /// Listens, and answers everything alike.
    pub(crate) async fn start(say: Say) -> Self {
        Self::with([], say).await
    }

    /// Listens; the first letters are answered one by one, the rest alike.
    pub(crate) async fn with(first: impl IntoIterator<Item = Say>, after: Say) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify?a=1", listener.local_addr().unwrap());
        let (sender, letters) = mpsc::channel(LETTERS_MAX);
        let script = Arc::new(Script {
            first: Mutex::new(first.into_iter().collect()),
            after: Mutex::new(after),
            taken: AtomicUsize::new(0),
            letters: sender,
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&script)));
        Self {
            url,
            script,
            letters: tokio::sync::Mutex::new(letters),
            listening,
        }
    }

    /// Answers everything alike from now on.
    pub(crate) fn says(&self, say: Say) {
        self.script.first.lock().unwrap().clear();
        *self.script.after.lock().unwrap() = say;
    }

    /// The next letter.
    pub(crate) async fn next(&self) -> Letter {
        let mut letters = self.letters.lock().await;
        within(letters.recv()).await.unwrap()
    }

    /// What has arrived and was not looked at.
    pub(crate) async fn rest(&self) -> Vec<Letter> {
        let mut letters = self.letters.lock().await;
        std::iter::from_fn(|| letters.try_recv().ok()).collect()
    }

    /// How many letters arrived in all.
    pub(crate) fn taken(&self) -> usize {
        self.script.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// What a future comes to, unless it is stuck.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, future).await;
    done.unwrap_or_else(|_| panic!("stuck for {} s", PATIENCE.as_secs()))
}

/// A task of a test's.
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(future)
}

async fn listen(listener: TcpListener, script: Arc<Script>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(stream, Arc::clone(&script)));
    }
}

async fn answer(mut stream: TcpStream, script: Arc<Script>) {
    while let Some(letter) = read_letter(&mut stream).await {
        let say = script.first.lock().unwrap().pop_front();
        let say = say.unwrap_or_else(|| script.after.lock().unwrap().clone());
        script.taken.fetch_add(1, Ordering::SeqCst);
        script.letters.send(letter).await.unwrap();
        let stays_open = matches!(say, Say::Text(..) | Say::Held(..));
        let Some(text) = written(say).await else {
            return;
        };
        // Whoever has read enough of megabytes hangs up.
        let is_taken = stream.write_all(text.as_bytes()).await.is_ok();
        if text.ends_with(ENDLESS) {
            pending().await
        }
        if !is_taken || !stays_open {
            break;
        }
    }
    drop(stream.shutdown().await);
}

/// Behind a body that never ends.
const ENDLESS: &str = "\n\n";

/// The answer as bytes; none closes without one.
async fn written(say: Say) -> Option<String> {
    let text = match say {
        Say::Text(status, body) => with_length(status, body),
        Say::Raw(text) => text.to_owned(),
        Say::Redirect(to) => {
            format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
        }
        Say::Close => return None,
        Say::Hang => pending().await,
        Say::Flood => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nsuccess\r\n";
            let megabytes = " ".repeat(8_000_000);
            format!("{head}{megabytes}")
        }
        Say::Endless(body) => format!("HTTP/1.1 200 OK\r\n\r\n{body}{ENDLESS}"),
        Say::Held(gate, body) => {
            gate.notified().await;
            with_length(200, body)
        }
    };
    Some(text)
}

fn with_length(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The head up to the empty line, and as much as it says that follows.
async fn read_letter(stream: &mut TcpStream) -> Option<Letter> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))?;
        let length: usize = length.parse().unwrap();
        if bytes.len() < end + 4 + length {
            continue;
        }
        let body = bytes.split_off(end + 4);
        return Some(Letter { head, body });
    }
}

impl World {
    /// The notifications, the newest first.
    pub(crate) async fn notifications(&self) -> Vec<Value> {
        let list = self.does("GET", "/notifications?limit=1000", "").await;
        list.as_array().unwrap().clone()
    }

    /// The only notification.
    pub(crate) async fn notification(&self) -> Value {
        let mut all = self.notifications().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Waits until nothing that is due is left, without moving the clock.
    pub(crate) async fn settled(&self) {
        loop {
            let clock = self.does("POST", "/clock", r#"{"advance":"PT0S"}"#).await;
            let now = clock["now"].as_str().unwrap();
            let due = |one: &Value| one["next_at"].as_str().is_some_and(|at| at <= now);
            if !self.notifications().await.iter().any(due) {
                return;
            }
        }
    }

    /// Moves the clock by so much, and waits until nothing that is due is left.
    pub(crate) async fn advance(&self, by: &str) {
        let wish = format!(r#"{{"advance":"{by}"}}"#);
        self.does("POST", "/clock", &wish).await;
        self.settled().await;
    }

    /// Agrees on an address with a partner.
    pub(crate) async fn agree(&self, partner: &str, url: &str) {
        let terms = format!(r#"{{"notify_url":"{url}"}}"#);
        self.does("PATCH", &format!("/partners/{partner}"), &terms)
            .await;
    }

    /// The body of `notify_verify`, unsigned and by GET as old programs ask.
    pub(crate) async fn verify(&self, partner: &str, notify_id: &str) -> String {
        let query = format!("service=notify_verify&partner={partner}&notify_id={notify_id}");
        let (content_type, body) = plain(self.router.clone(), &query).await;
        assert_eq!(content_type, "text/plain;charset=UTF-8");
        body
    }
}

/// A GET of the gateway whose answer is no XML: its type and its body.
pub(crate) async fn plain(router: axum::Router, query: &str) -> (String, String) {
    use axum::http::header::CONTENT_TYPE;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    let uri = format!("/gateway.do?{query}");
    let request = axum::http::Request::get(uri).body(axum::body::Body::empty());
    let response = router.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap();
    let content_type = content_type.to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (content_type, String::from_utf8(body.to_vec()).unwrap())
}
