//! Who came through the door: logs in, opens a channel, and is served on it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use russh::keys::PublicKey;
use russh::server::VerifiedPublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session};
use russh::{Channel, ChannelId, ChannelWriteHalf, MethodKind, MethodSet, Pty};
use spotpay_core::id::PartnerId;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::Shelf;
use super::desk::Desk;
use super::door::{Pulse, Shared, Stage, key_text, methods};
use super::packet::{self, Asked, Decoder, Incoming, REQUEST_WEIGHT_MIN};

/// Channels of one connection.
const CHANNELS_MAX: usize = 4;
/// Bytes of requests that wait in one channel. Some clients ask for a whole file at once, 32 KiB a
/// request; the answers go out as fast as they are taken.
const WAITING_BYTES_MAX: usize = 4_000_000;
/// Letters of a user name and of a password.
const LOGIN_BYTES_MAX: usize = 1_024;

/// Why a connection is closed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Farewell {
    #[error(transparent)]
    Ssh(#[from] russh::Error),
    #[error("too many wrong passwords")]
    WrongPasswords,
    #[error("what came is no SFTP")]
    Malformed,
    #[error("too many requests wait for their answers")]
    TooMuchAsked,
}

/// One client.
pub(super) struct Visitor {
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
    address: IpAddr,
    wrong: usize,
    partner: Option<PartnerId>,
    channels: BTreeMap<ChannelId, Line>,
    /// Ends with the visitor.
    tasks: JoinSet<()>,
}

/// One channel.
enum Line {
    /// Nothing was asked for.
    Open(ChannelWriteHalf<Msg>),
    /// SFTP is spoken.
    Sftp {
        decoder: Decoder,
        waiting: Arc<AtomicUsize>,
        /// Goes when the client has no more to say.
        queue: Option<mpsc::Sender<Incoming>>,
        task: AbortHandle,
    },
}

impl Visitor {
    pub(super) fn new(shared: Arc<Shared>, pulse: Arc<Pulse>, address: IpAddr) -> Self {
        Self {
            shared,
            pulse,
            address,
            wrong: 0,
            partner: None,
            channels: BTreeMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Asks the shelf, which may read files.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Shelf) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let shelf = Arc::clone(&self.shared.shelf);
        let answer = tokio::task::spawn_blocking(move || question(&*shelf)).await;
        answer.ok().flatten()
    }

    async fn owner_of(&self, user: &str, key: &PublicKey) -> Option<PartnerId> {
        let key = key_text(key)?;
        if user.len() > LOGIN_BYTES_MAX {
            return None;
        }
        let user = user.to_owned();
        self.ask(move |shelf| shelf.knows_key(&user, &key)).await
    }

    fn enter(&mut self, partner: PartnerId, by: &'static str) -> Auth {
        self.partner = Some(partner);
        tracing::info!(partner.id = %partner, login.by = by, "a partner is in over SFTP");
        Auth::Accept
    }

    /// Starts SFTP on a channel; whether it could.
    fn start(&mut self, id: ChannelId) -> bool {
        let Some(partner) = self.partner else {
            return false;
        };
        match self.channels.remove(&id) {
            Some(Line::Open(write)) => {
                let desk = Desk::new(
                    Arc::clone(&self.shared.shelf),
                    partner,
                    self.shared.options.handles,
                );
                let (queue, asked) = mpsc::channel(WAITING_BYTES_MAX / REQUEST_WEIGHT_MIN);
                let waiting = Arc::new(AtomicUsize::new(0));
                let served = serve(
                    desk,
                    asked,
                    write,
                    Arc::clone(&waiting),
                    Arc::clone(&self.pulse),
                );
                let task = self.tasks.spawn(async move {
                    if let Err(error) = served.await {
                        tracing::debug!(fault.source = %error, "an SFTP channel ended");
                    }
                });
                let line = Line::Sftp {
                    decoder: Decoder::default(),
                    waiting,
                    queue: Some(queue),
                    task,
                };
                self.channels.insert(id, line);
                true
            }
            Some(line @ Line::Sftp { .. }) => {
                self.channels.insert(id, line);
                false
            }
            None => false,
        }
    }
}

/// Answers what is asked, one after another, until there is no more.
async fn serve(
    mut desk: Desk,
    mut asked: mpsc::Receiver<Incoming>,
    write: ChannelWriteHalf<Msg>,
    waiting: Arc<AtomicUsize>,
    pulse: Arc<Pulse>,
) -> Result<(), russh::Error> {
    while let Some(incoming) = asked.recv().await {
        let answer = match incoming {
            Incoming::Init => packet::version(),
            Incoming::Asked(asked) => {
                let weight = asked.weight;
                let answered = tokio::task::spawn_blocking(move || {
                    let answer = desk.answer(&asked);
                    (desk, answer)
                });
                let Ok((back, answer)) = answered.await else {
                    return write.close().await;
                };
                desk = back;
                waiting.fetch_sub(weight, Ordering::Relaxed);
                answer
            }
        };
        write.data_bytes(answer).await?;
        pulse.beat(Stage::In);
    }
    write.exit_status(0).await?;
    write.eof().await?;
    write.close().await
}

impl Handler for Visitor {
    type Error = Farewell;

    async fn authentication_banner(&mut self) -> Result<Option<String>, Farewell> {
        self.pulse.beat(Stage::LoggingIn);
        Ok(None)
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Farewell> {
        if self.wrong >= self.shared.options.tries || self.shared.is_shut(self.address) {
            return Err(Farewell::WrongPasswords);
        }
        if user.len() <= LOGIN_BYTES_MAX && password.len() <= LOGIN_BYTES_MAX {
            let (user, password) = (user.to_owned(), password.to_owned());
            let partner = self.ask(move |shelf| shelf.login(&user, &password)).await;
            if let Some(partner) = partner {
                return Ok(self.enter(partner, "password"));
            }
        }
        self.wrong += 1;
        self.shared.note_wrong(self.address);
        tracing::warn!(peer.address = %self.address, "a wrong SFTP password");
        let methods = if self.wrong < self.shared.options.tries {
            methods()
        } else {
            MethodSet::from([MethodKind::PublicKey].as_slice())
        };
        Ok(Auth::Reject {
            proceed_with_methods: Some(methods),
            partial_success: false,
        })
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Farewell> {
        Ok(match self.owner_of(user, offer.public_key).await {
            Some(_) => Auth::Accept,
            None => Auth::reject(),
        })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Farewell> {
        Ok(match self.owner_of(user, key.public_key).await {
            Some(partner) => self.enter(partner, "key"),
            None => Auth::reject(),
        })
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Farewell> {
        self.pulse.beat(Stage::In);
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Farewell> {
        if self.partner.is_some() && self.channels.len() < CHANNELS_MAX {
            let (_, write) = channel.split();
            self.channels.insert(write.id(), Line::Open(write));
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Farewell> {
        match self.channels.remove(&id) {
            Some(Line::Sftp { task, .. }) => task.abort(),
            Some(Line::Open(_)) | None => {}
        }
        // Those that have ended are let go.
        while self.tasks.try_join_next().is_some() {}
        Ok(())
    }

    async fn channel_eof(&mut self, id: ChannelId, session: &mut Session) -> Result<(), Farewell> {
        match self.channels.get_mut(&id) {
            Some(Line::Sftp { queue, .. }) => *queue = None,
            Some(Line::Open(_)) => session.close(id)?,
            None => {}
        }
        Ok(())
    }

    async fn data(
        &mut self,
        id: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Farewell> {
        let Some(Line::Sftp {
            decoder,
            waiting,
            queue: Some(queue),
            ..
        }) = self.channels.get_mut(&id)
        else {
            return Ok(());
        };
        for incoming in decoder.feed(data).map_err(|_| Farewell::Malformed)? {
            if let Incoming::Asked(Asked { weight, .. }) = &incoming {
                let before = waiting.fetch_add(*weight, Ordering::Relaxed);
                if before.saturating_add(*weight) > WAITING_BYTES_MAX {
                    return Err(Farewell::TooMuchAsked);
                }
            }
            queue
                .try_send(incoming)
                .map_err(|_| Farewell::TooMuchAsked)?;
        }
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Farewell> {
        if name == "sftp" && self.start(id) {
            session.channel_success(id)?;
        } else {
            session.channel_failure(id)?;
        }
        Ok(())
    }

    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> Result<(), Farewell> {
        Ok(session.channel_failure(id)?)
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Farewell> {
        Ok(session.channel_failure(id)?)
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Farewell> {
        Ok(session.channel_failure(id)?)
    }

    async fn x11_request(
        &mut self,
        id: ChannelId,
        _single_connection: bool,
        _auth_protocol: &str,
        _auth_cookie: &str,
        _screen_number: u32,
        session: &mut Session,
    ) -> Result<(), Farewell> {
        Ok(session.channel_failure(id)?)
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Farewell> {
        Ok(session.channel_failure(id)?)
    }
}
