//! The door: takes connections, gives each its time, and closes them all at the end.

#![expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it owns the sockets and their deadlines"
)]

use std::net::{IpAddr, Shutdown};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use russh::keys::PublicKey;
use russh::server::{Config, Handle};
use russh::{Disconnect, MethodKind, MethodSet, Preferred, SshId, kex};
use spotpay_core::time::Span;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::tries::{Allowance, Tries};
use super::visitor::Visitor;
use super::{Options, Shelf};

/// What a client has to hear why it is cut off.
const PARTING_TIME: Duration = Duration::from_secs(1);
/// Before the next look when no connection can be accepted.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);
/// Requests for a login of any kind in one connection: a client tries each of its keys first.
const LOGINS_MAX: usize = 20;

/// What all connections share.
pub(super) struct Shared {
    pub(super) shelf: Arc<dyn Shelf>,
    pub(super) options: Options,
    start: Instant,
    tries: Mutex<Tries>,
    is_ending: AtomicBool,
    end: Notify,
}

impl Shared {
    fn allowance(&self) -> (Allowance, Span) {
        let span =
            |time: Duration| Span::micros(i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
        let allowance = Allowance {
            wrong_max: self.options.wrong_per_address,
            within: span(self.options.wrong_within),
        };
        (allowance, span(self.start.elapsed()))
    }

    pub(super) fn is_shut(&self, address: IpAddr) -> bool {
        let (allowance, now) = self.allowance();
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.is_shut(address, allowance, now)
    }

    pub(super) fn note_wrong(&self, address: IpAddr) {
        let (allowance, now) = self.allowance();
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.note(address, allowance, now);
    }
}

/// How far a client has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Keys are exchanged.
    Shaking,
    /// Nobody knows who it is.
    LoggingIn,
    /// A partner is in.
    In,
}

/// When a client last did something that counts.
pub(super) struct Pulse {
    last: Mutex<(Stage, Instant)>,
    changed: Notify,
}

impl Pulse {
    fn new() -> Self {
        Self {
            last: Mutex::new((Stage::Shaking, Instant::now())),
            changed: Notify::new(),
        }
    }

    fn last(&self) -> (Stage, Instant) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has come so far, or did something there.
    pub(super) fn beat(&self, stage: Stage) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_further = last.0 != stage;
        *last = (stage, Instant::now());
        drop(last);
        // Within a stage the deadline only moves on, which the wait sees when it ends.
        if is_further {
            self.changed.notify_one();
        }
    }

    /// Ends when the client's time is over.
    async fn stops(&self, options: &Options) -> Stage {
        loop {
            let (stage, since) = self.last();
            let time = match stage {
                Stage::Shaking => options.handshake_time,
                Stage::LoggingIn => options.login_time,
                Stage::In => options.idle_time,
            };
            let due = since + time;
            if Instant::now() >= due {
                return stage;
            }
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep_until(due) => {}
            }
        }
    }
}

/// Serves a shelf on a listener until `shutdown` is ready; then tells every client and returns.
pub async fn serve(
    listener: TcpListener,
    shelf: Arc<dyn Shelf>,
    options: Options,
    shutdown: impl Future<Output = ()>,
) {
    let config = Arc::new(config(&options));
    let shared = Arc::new(Shared {
        shelf,
        options,
        start: Instant::now(),
        tries: Mutex::default(),
        is_ending: AtomicBool::new(false),
        end: Notify::new(),
    });
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => look_after(&ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip();
                    if connections.len() >= shared.options.connections {
                        tracing::warn!("an SFTP connection is closed: there are too many");
                    } else if !shared.is_shut(address) {
                        let (config, shared) = (Arc::clone(&config), Arc::clone(&shared));
                        connections.spawn(converse(stream, address, config, shared));
                    }
                }
                Err(error) => {
                    tracing::debug!(fault.source = %error, "no SFTP connection can be accepted");
                    sleep(SHORTAGE_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    shared.is_ending.store(true, Ordering::Release);
    shared.end.notify_waiters();
    while let Some(ended) = connections.join_next().await {
        look_after(&ended);
    }
}

fn config(options: &Options) -> Config {
    Config {
        server_id: SshId::Standard("SSH-2.0-Spotpay".into()),
        methods: methods(),
        auth_rejection_time: options.refusal_time,
        // The first question of a client is what there is, not whether it may in.
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![
            options.host_key.usual.clone(),
            options.host_key.for_old_clients.clone(),
        ],
        preferred: preferred(),
        max_auth_attempts: LOGINS_MAX,
        // The pulse cuts whoever is idle, also who only keeps the connection alive.
        inactivity_timeout: None,
        // What arrives is answered from a queue of its own, never through a channel's buffer.
        channel_buffer_size: 1,
        nodelay: true,
        ..Config::default()
    }
}

/// What russh takes for safe, and ECDH over P-256 behind that, for clients without Curve25519.
fn preferred() -> Preferred {
    let mut kex = Preferred::DEFAULT.kex.to_vec();
    let last_curve = kex
        .iter()
        .rposition(|name| *name == kex::CURVE25519_PRE_RFC_8731);
    let place = last_curve.map_or(0, |place| place + 1);
    kex.insert(place, kex::ECDH_SHA2_NISTP256);
    Preferred {
        kex: kex.into(),
        ..Preferred::DEFAULT
    }
}

/// The ways to log in.
pub(super) fn methods() -> MethodSet {
    MethodSet::from([MethodKind::PublicKey, MethodKind::Password].as_slice())
}

/// The key as the shelf knows it, without a comment.
pub(super) fn key_text(key: &PublicKey) -> Option<String> {
    let bare = PublicKey::new(key.key_data().clone(), "");
    bare.to_openssh().ok()
}

fn look_after(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        // What it said went to standard error already.
        tracing::error!("an SFTP session panicked; its connection is closed");
    }
}

/// One connection from its first byte to its last.
async fn converse(stream: TcpStream, address: IpAddr, config: Arc<Config>, shared: Arc<Shared>) {
    let ends = shared.end.notified();
    if shared.is_ending.load(Ordering::Acquire) {
        return;
    }
    let Ok((stream, socket)) = with_twin(stream) else {
        return;
    };
    let pulse = Arc::new(Pulse::new());
    let handle = OnceLock::new();
    let visitor = Visitor::new(Arc::clone(&shared), Arc::clone(&pulse), address);
    let talk = async {
        let running = russh::server::run_stream(config, stream, visitor).await?;
        // Nobody else sets it.
        let _ = handle.set(running.handle());
        running.await
    };
    let mut talk = pin!(talk);
    let why = tokio::select! {
        biased;
        ended = &mut talk => {
            if let Err(error) = ended {
                tracing::debug!(fault.source = %error, "an SFTP connection ended");
            }
            return;
        }
        stage = pulse.stops(&shared.options) => match stage {
            Stage::Shaking | Stage::LoggingIn => "the login took too long",
            Stage::In => "idle for too long",
        },
        () = ends => "the server stops",
    };
    tracing::debug!(why, "an SFTP connection is cut");
    let mut is_over = false;
    if let Some(handle) = handle.get() {
        let parting = async {
            part(handle, why).await;
            drop((&mut talk).await);
        };
        is_over = timeout(PARTING_TIME, parting).await.is_ok();
    }
    // Ends whatever the session still waits for.
    drop(socket.shutdown(Shutdown::Both));
    if !is_over {
        drop(timeout(PARTING_TIME, talk).await);
    }
}

async fn part(handle: &Handle, why: &str) {
    let told = handle.disconnect(Disconnect::ByApplication, why.to_owned(), "en".to_owned());
    // A session that has ended needs no telling.
    drop(told.await);
}

/// The stream, and the same socket once more to cut it with.
fn with_twin(stream: TcpStream) -> std::io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let twin = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, twin))
}
