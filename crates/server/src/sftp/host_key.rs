//! The key by which clients know the server: made on the first start, the same ever after.

use std::io::{self, Write as _};
use std::path::Path;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;

use crate::entropy::Entropy;

/// Inside the data directory, readable by the owner only.
pub const HOST_KEY_FILE: &str = "sftp-host-key";

/// The server's Ed25519 key.
#[derive(Clone)]
pub struct HostKey(pub(super) PrivateKey);

impl HostKey {
    /// The key in the data directory, which is made when there is none. A file that is there and
    /// cannot be read is an error: with another key every client would take us for a stranger.
    ///
    /// # Errors
    /// The file is no key, or cannot be read or written.
    pub fn load_or_make(data: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let path = data.join(HOST_KEY_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let key = PrivateKey::from_openssh(text);
                let key = key.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                return Ok(Self(key));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        let text = key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
        write(data, &path, text.as_bytes())?;
        Ok(Self(key))
    }

    /// As `known_hosts` and `ssh-keyscan` write it: `ssh-ed25519 AAAA...`.
    pub fn public(&self) -> String {
        self.0.public_key().to_openssh().unwrap_or_default()
    }
}

fn write(data: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let fresh = data.join(format!(".{HOST_KEY_FILE}.new"));
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
    std::fs::rename(&fresh, path)
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
        let path = data.path().join(HOST_KEY_FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, "no key").unwrap();
        assert!(HostKey::load_or_make(data.path(), &entropy).is_err());
    }
}
