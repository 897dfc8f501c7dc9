//! Published files over SFTP, for reading only: one login per partner, the folder `/download`, in
//! it the partner's own files and nothing else.
//!
//! SSH is russh's; the part of SFTP that gives files away is small enough to be our own. Paths never
//! reach the file system: a session asks a [`Shelf`] for a partner's files by their names.

mod desk;
mod door;
mod host_key;
mod packet;
mod tree;
mod tries;
mod visitor;

use std::fs::File;
use std::io;
use std::time::Duration;

use spotpay_core::id::PartnerId;
use spotpay_core::time::Timestamp;

pub use door::serve;
pub use host_key::{HOST_KEY_FILE, HostKey, OLD_HOST_KEY_FILE};

/// Connections at once.
pub const CONNECTIONS_MAX: usize = 64;
/// Wrong passwords in one connection.
pub const TRIES_MAX: usize = 3;
/// Files and folders that one session has open.
pub const HANDLES_MAX: usize = 8;
/// Wrong passwords of one address within [`WRONG_WITHIN`]; its connections are closed after that.
pub const WRONG_PER_ADDRESS_MAX: u32 = 30;
/// The time over which an address's wrong passwords are counted.
pub const WRONG_WITHIN: Duration = Duration::from_secs(300);
/// From the connection to the end of the key exchange.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// From then to the login: people type.
pub const LOGIN_TIME: Duration = Duration::from_secs(60);
/// Without a request.
pub const IDLE_TIME: Duration = Duration::from_secs(300);
/// From a wrong password to the answer.
pub const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// What the server gives away, and to whom.
pub trait Shelf: Send + Sync {
    /// The partner whose user name and password these are. It takes the same time for a wrong
    /// password however much of it is right.
    fn login(&self, user: &str, password: &str) -> Option<PartnerId>;

    /// The partner whose user name this is and who may log in with this key, `ssh-ed25519 AAAA...`.
    /// Whether the client has the private half is checked elsewhere.
    fn knows_key(&self, user: &str, key_openssh: &str) -> Option<PartnerId>;

    /// A partner's files.
    ///
    /// # Errors
    /// They cannot be read.
    fn list(&self, partner: PartnerId) -> io::Result<Vec<Listed>>;

    /// One of a partner's files, by the name under which it is listed.
    ///
    /// # Errors
    /// It cannot be read.
    fn open(&self, partner: PartnerId, name: &str) -> io::Result<Option<File>>;
}

/// A file of a partner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name, without a folder.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// When it was published.
    pub published_at: Timestamp,
}

/// How the server serves.
#[derive(Clone)]
pub struct Options {
    /// The keys by which clients know it.
    pub host_key: HostKey,
    /// [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// [`TRIES_MAX`].
    pub tries: usize,
    /// [`HANDLES_MAX`].
    pub handles: usize,
    /// [`WRONG_PER_ADDRESS_MAX`].
    pub wrong_per_address: u32,
    /// [`WRONG_WITHIN`].
    pub wrong_within: Duration,
    /// [`HANDSHAKE_TIME`].
    pub handshake_time: Duration,
    /// [`LOGIN_TIME`].
    pub login_time: Duration,
    /// [`IDLE_TIME`].
    pub idle_time: Duration,
    /// [`REFUSAL_TIME`].
    pub refusal_time: Duration,
}

impl Options {
    /// The usual limits.
    pub const fn new(host_key: HostKey) -> Self {
        Self {
            host_key,
            connections: CONNECTIONS_MAX,
            tries: TRIES_MAX,
            handles: HANDLES_MAX,
            wrong_per_address: WRONG_PER_ADDRESS_MAX,
            wrong_within: WRONG_WITHIN,
            handshake_time: HANDSHAKE_TIME,
            login_time: LOGIN_TIME,
            idle_time: IDLE_TIME,
            refusal_time: REFUSAL_TIME,
        }
    }
}
