//! A small client in Rust: SSH by russh, the packets of SFTP by hand, so that it can ask for what
//! no decent client would.

use std::net::SocketAddr;
use std::sync::Arc;

use russh::client::{self, AuthResult, Config, Handle, Handler};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg};

use crate::world::soon;

pub(crate) struct Client {
    pub(crate) ssh: Handle<Anyone>,
}

/// Takes the server for whom it says it is.
pub(crate) struct Anyone;

impl Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, russh::Error> {
        let config = Arc::new(Config::default());
        let ssh = soon(client::connect(config, address, Anyone)).await?;
        Ok(Self { ssh })
    }

    pub(crate) async fn try_password(&mut self, user: &str, password: &str) -> Option<bool> {
        let asked = self.ssh.authenticate_password(user, password);
        let result = soon(asked).await.ok()?;
        Some(matches!(result, AuthResult::Success))
    }

    pub(crate) async fn try_key(&mut self, user: &str, key: PrivateKey) -> bool {
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        let asked = self.ssh.authenticate_publickey(user, key);
        matches!(soon(asked).await, Ok(AuthResult::Success))
    }

    /// Logged in, with a channel on which SFTP is spoken.
    pub(crate) async fn log_in(address: SocketAddr, user: &str, password: &str) -> (Self, Sftp) {
        let mut client = Self::connect(address).await.expect("a connection");
        assert_eq!(client.try_password(user, password).await, Some(true));
        let sftp = client.sftp().await;
        (client, sftp)
    }

    pub(crate) async fn channel(&self) -> Result<Channel<client::Msg>, russh::Error> {
        soon(self.ssh.channel_open_session()).await
    }

    pub(crate) async fn sftp(&self) -> Sftp {
        let mut channel = self.channel().await.expect("a channel");
        soon(channel.request_subsystem(true, "sftp"))
            .await
            .expect("sent");
        assert!(is_taken(&mut channel).await, "sftp is refused");
        let mut sftp = Sftp {
            channel,
            held: Vec::new(),
        };
        sftp.send(&packet(1, &[&3u32.to_be_bytes()])).await;
        assert_eq!(sftp.receive().await, Some(vec![2, 0, 0, 0, 3]));
        sftp
    }
}

/// What the server says to a channel's request.
pub(crate) async fn is_taken(channel: &mut Channel<client::Msg>) -> bool {
    loop {
        match soon(channel.wait()).await {
            Some(ChannelMsg::Success) => return true,
            Some(ChannelMsg::Failure) | None => return false,
            Some(_) => {}
        }
    }
}

/// A channel with packets.
pub(crate) struct Sftp {
    channel: Channel<client::Msg>,
    held: Vec<u8>,
}

pub(crate) fn packet(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let body = fields.concat();
    let length = u32::try_from(body.len() + 1).expect("short");
    [&length.to_be_bytes()[..], &[kind], &body].concat()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short");
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// An answer: a status by its name, or the kind of another answer and what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Status(&'static str),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<String>),
    Attrs(u64, u32),
    Gone,
}

impl Sftp {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // The server may have gone.
        let _ = soon(self.channel.data(bytes)).await;
    }

    pub(crate) async fn receive(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some((length, rest)) = self.held.split_first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*length)).expect("a length");
                if let Some(packet) = rest.get(..length) {
                    let packet = packet.to_vec();
                    self.held.drain(..4 + length);
                    return Some(packet);
                }
            }
            let message = soon(self.channel.wait()).await?;
            if let ChannelMsg::Data { data } = message {
                self.held.extend_from_slice(&data);
            }
        }
    }

    /// One request with the number 7, and its answer.
    pub(crate) async fn ask(&mut self, kind: u8, fields: &[&[u8]]) -> Answer {
        let id = 7u32.to_be_bytes();
        let fields = [&[&id[..]], fields].concat();
        self.send(&packet(kind, &fields)).await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let Some(packet) = self.receive().await else {
            return Answer::Gone;
        };
        let number = |at: usize| {
            let bytes = packet.get(at..at + 4).expect("a number");
            u32::from_be_bytes(bytes.try_into().expect("four bytes"))
        };
        let long = |at: usize| u64::from(number(at)) << 32 | u64::from(number(at + 4));
        match packet[0] {
            101 => Answer::Status(match number(5) {
                0 => "ok",
                1 => "eof",
                2 => "no such file",
                3 => "denied",
                4 => "failure",
                8 => "unsupported",
                code => panic!("status {code}"),
            }),
            102 => Answer::Handle(packet[5..].to_vec()),
            103 => Answer::Data(packet[9..].to_vec()),
            104 => {
                let mut at = 9;
                let mut names = Vec::new();
                for _ in 0..number(5) {
                    let length = usize::try_from(number(at)).expect("a length");
                    let name = &packet[at + 4..at + 4 + length];
                    names.push(String::from_utf8(name.to_vec()).expect("text"));
                    at += 4 + length;
                    at += 4 + usize::try_from(number(at)).expect("a length");
                    at += if number(at) == 0 { 4 } else { 24 };
                }
                Answer::Names(names)
            }
            105 => Answer::Attrs(long(9), number(17)),
            kind => panic!("answer {kind}"),
        }
    }

    pub(crate) async fn open(&mut self, path: &str, flags: u32) -> Answer {
        self.ask(3, &[&text(path), &flags.to_be_bytes(), &[0; 4]])
            .await
    }

    pub(crate) async fn list(&mut self, path: &str) -> Vec<String> {
        let Answer::Handle(handle) = self.ask(11, &[&text(path)]).await else {
            panic!("{path} is no folder");
        };
        let mut all = Vec::new();
        loop {
            let answer = self.ask(12, &[&handle]).await;
            let Answer::Names(names) = answer else {
                assert_eq!(answer, Answer::Status("eof"));
                break;
            };
            all.extend(names);
        }
        assert_eq!(self.ask(4, &[&handle]).await, Answer::Status("ok"));
        all
    }

    pub(crate) async fn read(&mut self, handle: &[u8], offset: u64, length: u32) -> Answer {
        self.ask(5, &[handle, &offset.to_be_bytes(), &length.to_be_bytes()])
            .await
    }
}
