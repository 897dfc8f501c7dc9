//! The keys by which clients know the server: made on the first start, the same ever after.
//!
//! Clients take the Ed25519 key; the P-256 key is for old ones, such as JSch 0.1, that know no
//! Ed25519.

use std::io::{self, Write as _};
use std::path::Path;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;

use crate::entropy::Entropy;

/// Inside the data directory, readable by the owner only.
pub const HOST_KEY_FILE: &str = "sftp-host-key";
/// The same for old clients.
pub const OLD_HOST_KEY_FILE: &str = "sftp-host-key-ecdsa";

/// The server's keys.
#[derive(Clone)]
pub struct HostKey {
    pub(super) usual: PrivateKey,
    pub(super) for_old_clients: PrivateKey,
}

impl HostKey {
    /// The keys in the data directory; what is not there is made. A file that is there and cannot
    /// be read is an error: with another key every client would take us for a stranger.
    ///
    /// # Errors
    /// A file is no key, or cannot be read or written.
    pub fn load_or_make(data: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let usual = keep(data, HOST_KEY_FILE, || {
            let mut seed = [0; 32];
            entropy.fill(&mut seed);
            Ok(Ed25519Keypair::from_seed(&seed).into())
        })?;
        let for_old_clients = keep(data, OLD_HOST_KEY_FILE, || {
            let pair = rcgen::KeyPair::generate().map_err(io::Error::other)?;
            russh::keys::decode_secret_key(&pair.serialize_pem(), None).map_err(io::Error::other)
        })?;
        Ok(Self {
            usual,
            for_old_clients,
        })
    }

    /// As `known_hosts` and `ssh-keyscan` write it: `ssh-ed25519 AAAA...`.
    pub fn public(&self) -> String {
        self.usual.public_key().to_openssh().unwrap_or_default()
    }
}

/// The key of a file, which is made when it is not there.
fn keep(
    data: &Path,
    name: &str,
    make: impl FnOnce() -> io::Result<PrivateKey>,
) -> io::Result<PrivateKey> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
    match std::fs::read_to_string(data.join(name)) {
        Ok(text) => PrivateKey::from_openssh(text)
            .map_err(|error| named(io::Error::new(io::ErrorKind::InvalidData, error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = make()?;
            let text = key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
            write(data, name, text.as_bytes()).map_err(named)?;
            Ok(key)
        }
        Err(error) => Err(named(error)),
    }
}

/// Writes a file whole or not at all.
fn write(data: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    let fresh = data.join(format!(".{name}.new"));
    // What a crash left behind may have been opened by others.
    if fresh.exists() {
        std::fs::remove_file(&fresh)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&fresh)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&fresh, data.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn it_stays_the_same() {
        let data = tempfile::tempdir().unwrap();
        let entropy = SystemEntropy::default();
        let first = HostKey::load_or_make(data.path(), &entropy).unwrap();
        let again = HostKey::load_or_make(data.path(), &entropy).unwrap();
        assert_eq!(first.public(), again.public());
        assert!(first.public().starts_with("ssh-ed25519 AAAA"));
        assert_eq!(
            first.for_old_clients.public_key(),
            again.for_old_clients.public_key()
        );
        for name in [HOST_KEY_FILE, OLD_HOST_KEY_FILE] {
            let path = data.path().join(name);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            let text = std::fs::read(&path).unwrap();
            std::fs::write(&path, "no key").unwrap();
            assert!(HostKey::load_or_make(data.path(), &entropy).is_err());
            std::fs::write(&path, text).unwrap();
        }
    }
}
