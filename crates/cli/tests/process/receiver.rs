//! A partner's end of notifications: answers `success` and remembers who came.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use spotpay_wire::charset::Charset;
use spotpay_wire::notification::Notification;

/// What has arrived: the numbers under which each thing was told.
pub(crate) type Told = BTreeMap<String, BTreeSet<String>>;

/// Listens as long as the test lives.
pub(crate) struct Receiver {
    address: SocketAddr,
    told: Arc<Mutex<Told>>,
}

impl Receiver {
    /// A receiver that takes so long for each answer.
    pub(crate) fn start(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let told = Arc::new(Mutex::default());
        let notes = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let notes = Arc::clone(&notes);
                std::thread::spawn(move || serve(stream, delay, &notes));
            }
        });
        Self { address, told }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/notify", self.address)
    }

    pub(crate) fn told(&self) -> Told {
        self.told.lock().expect("nobody panics here").clone()
    }
}

/// Answers until the other side hangs up, which a gateway that is killed does at any point.
fn serve(stream: TcpStream, delay: Duration, told: &Mutex<Told>) -> Option<()> {
    let mut out = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).ok()?;
        let heard = Notification::read(Charset::Utf8, &body);
        let about = ["out_return_no", "out_trade_no"]
            .into_iter()
            .find_map(|name| heard.get(name));
        let (about, id) = (
            about.expect("a number"),
            heard.get("notify_id").expect("an id"),
        );
        told.lock()
            .expect("nobody panics here")
            .entry(about.to_owned())
            .or_default()
            .insert(id.to_owned());
        super::pause(delay);
        out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsuccess")
            .ok()?;
    }
}
