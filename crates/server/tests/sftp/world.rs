//! A server over a folder with two partners, and the means to talk to it.

#![expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it starts a real server and waits for real clients"
)]

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use spotpay_core::id::PartnerId;
use spotpay_core::time::Timestamp;
use spotpay_server::entropy::SystemEntropy;
use spotpay_server::sftp::{self, HostKey, Listed, Options, Shelf};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const TEA: &str = "2088621900000101";
pub(crate) const DIM: &str = "2088621900000202";
pub(crate) const PASSWORD: &str = "tea password";
pub(crate) const TEA_FILE: &str = "2088621900000101_transaction_20261123.txt";
pub(crate) const DIM_FILE: &str = "2088621900000202_transaction_20261123.txt";
pub(crate) const TEA_TEXT: &str = "Partner:2088621900000101|one\n";
/// Nothing that is waited for takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The private half of the key that the tea house may log in with.
pub(crate) fn tea_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))
}

/// One folder with everybody's files.
struct Folder(PathBuf);

impl Shelf for Folder {
    fn login(&self, user: &str, password: &str) -> Option<PartnerId> {
        let is_right = match user {
            TEA => password == PASSWORD,
            DIM => password == "dim password",
            _ => false,
        };
        is_right.then(|| user.parse().expect("an id"))
    }

    fn knows_key(&self, user: &str, key_openssh: &str) -> Option<PartnerId> {
        let key = tea_key().public_key().to_openssh().expect("a key");
        (user == TEA && key_openssh == key).then(|| user.parse().expect("an id"))
    }

    fn list(&self, partner: PartnerId) -> io::Result<Vec<Listed>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().into_string().expect("a plain name");
            if name.starts_with(&partner.to_string()) {
                files.push(Listed {
                    name,
                    bytes: entry.metadata()?.len(),
                    published_at: Timestamp::from_seconds(1_795_500_000),
                });
            }
        }
        Ok(files)
    }

    fn open(&self, partner: PartnerId, name: &str) -> io::Result<Option<File>> {
        assert!(name.starts_with(&partner.to_string()), "{name}");
        File::open(self.0.join(name)).map(Some)
    }
}

/// A running server.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let files = dir.path().join("files");
        std::fs::create_dir(&files).expect("a folder");
        std::fs::write(files.join(TEA_FILE), TEA_TEXT).expect("a file");
        std::fs::write(files.join(DIM_FILE), "of the other\n").expect("a file");
        std::fs::write(dir.path().join("secret"), "secret\n").expect("a file");
        let key = HostKey::load_or_make(dir.path(), &SystemEntropy::default()).expect("a key");
        let mut options = Options {
            refusal_time: Duration::from_millis(20),
            ..Options::new(key)
        };
        change(&mut options);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stops) = oneshot::channel::<()>();
        let server = tokio::spawn(sftp::serve(
            listener,
            Arc::new(Folder(files)),
            options,
            async move { drop(stops.await) },
        ));
        Self {
            dir,
            address,
            stop: Some(stop),
            server,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// What is in the folder, to see that nothing changed.
    pub(crate) fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut contents: Vec<(String, Vec<u8>)> = std::fs::read_dir(self.files())
            .expect("a folder")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| {
                let name = entry.file_name().into_string().expect("a plain name");
                (name, std::fs::read(entry.path()).expect("a file"))
            })
            .collect();
        contents.sort();
        contents
    }

    /// Asks the server to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> Duration {
        let before = std::time::Instant::now();
        drop(self.stop.take());
        tokio::time::timeout(PATIENCE, &mut self.server)
            .await
            .expect("it stops")
            .expect("no panic");
        before.elapsed()
    }
}

/// What ends in time.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it takes too long")
}

pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// How much of memory this process holds, in bytes.
pub(crate) fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|field| field.parse().ok());
    pages.unwrap_or(0u64) * 4_096
}
