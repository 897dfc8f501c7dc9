//! What the application gives away over SFTP: the files of `DIR/files`, to the partner whose number
//! their names begin with.
//!
//! For the sandbox, where files are published into that folder. A store that keeps them elsewhere
//! puts its own [`Shelf`] in the place of this one.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use aws_lc_rs::{constant_time, hmac};
use spotpay_core::id::PartnerId;
use spotpay_core::partner::{KeyKind, Partner};
use spotpay_core::time::Timestamp;

use crate::app::App;
use crate::sftp::{Listed, Shelf};

/// Published files, inside the data directory.
pub const FILES_FOLDER: &str = "files";
/// Keys that may log in, inside the data directory: a file for each partner, named by its number,
/// with lines as in `authorized_keys`.
pub const KEYS_FOLDER: &str = "sftp-keys";

/// What a file of keys may have.
const KEYS_BYTES_MAX: u64 = 64_000;

/// A partner's SFTP password in the sandbox: made from its newest MD5 key, so that it is the same on
/// every fresh start, and tells nothing of the key.
pub fn sandbox_password(partner: &Partner) -> Option<String> {
    let mut newest_first = partner.keys.iter().rev();
    let key = newest_first.find(|key| key.kind == KeyKind::Md5)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.text.as_bytes());
    let tag = hmac::sign(&key, b"sftp");
    let first = tag.as_ref().iter().take(12);
    Some(first.map(|byte| format!("{byte:02x}")).collect())
}

impl App {
    /// The published files, as the SFTP server asks for them.
    pub fn shelf(self: &Arc<Self>) -> Arc<dyn Shelf> {
        Arc::new(Folder {
            app: Arc::clone(self),
        })
    }
}

struct Folder {
    app: Arc<App>,
}

impl Folder {
    fn partner(&self, user: &str) -> Option<Arc<Partner>> {
        let id: PartnerId = user.parse().ok()?;
        let snapshot = self.app.snapshot.load();
        snapshot.partner(id).map(|entry| Arc::clone(&entry.partner))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.app.data.join(FILES_FOLDER).join(name)
    }
}

impl Shelf for Folder {
    fn login(&self, user: &str, password: &str) -> Option<PartnerId> {
        let partner = self.partner(user)?;
        let right = sandbox_password(&partner)?;
        let compared =
            constant_time::verify_slices_are_equal(right.as_bytes(), password.as_bytes());
        compared.is_ok().then_some(partner.id)
    }

    fn knows_key(&self, user: &str, key_openssh: &str) -> Option<PartnerId> {
        let partner = self.partner(user)?;
        let path = self.app.data.join(KEYS_FOLDER);
        let text = read_keys(&path.join(partner.id.to_string()))?;
        let known = text.lines().any(|line| is_key(line, key_openssh));
        known.then_some(partner.id)
    }

    fn list(&self, partner: PartnerId) -> io::Result<Vec<Listed>> {
        let entries = match std::fs::read_dir(self.app.data.join(FILES_FOLDER)) {
            Ok(entries) => entries,
            // Nothing was published yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files = Vec::new();
        for entry in entries {
            let Ok(name) = entry?.file_name().into_string() else {
                continue;
            };
            if !is_of(partner, &name) {
                continue;
            }
            if let Some(about) = look(&self.path(&name))? {
                files.push(Listed {
                    name,
                    bytes: about.len(),
                    published_at: changed(&about),
                });
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    fn open(&self, partner: PartnerId, name: &str) -> io::Result<Option<File>> {
        let path = self.path(name);
        if !is_of(partner, name) {
            return Ok(None);
        }
        let Some(about) = look(&path)? else {
            return Ok(None);
        };
        let file = File::open(&path)?;
        // Not what somebody put in its place in between.
        Ok(is_same(&about, &file.metadata()?).then_some(file))
    }
}

/// `PID_transaction_YYYYMMDD.txt` and `PID_settlement_YYYYMMDD.txt`.
fn is_of(partner: PartnerId, name: &str) -> bool {
    let day = || {
        let rest = name.strip_prefix(&partner.to_string())?;
        let rest = rest
            .strip_prefix("_transaction_")
            .or_else(|| rest.strip_prefix("_settlement_"))?;
        rest.strip_suffix(".txt")
    };
    day().is_some_and(|day| day.len() == 8 && day.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A file, and neither a folder nor a link to one elsewhere.
fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(about) => Ok(about.is_file().then_some(about)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }
    #[cfg(not(unix))]
    {
        one.file_type() == other.file_type()
    }
}

fn changed(about: &Metadata) -> Timestamp {
    let since = about.modified().ok();
    let since = since.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let micros = since.and_then(|since| i64::try_from(since.as_micros()).ok());
    Timestamp::from_micros(micros.unwrap_or_default())
}

fn read_keys(path: &Path) -> Option<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(KEYS_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether a line of `authorized_keys` is this key. Lines with options before the key are none.
fn is_key(line: &str, key: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let mut wanted = key.split_ascii_whitespace();
    let (kind, body) = (words.next(), words.next());
    kind.is_some() && body.is_some() && kind == wanted.next() && body == wanted.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_file() {
        let partner: PartnerId = "2088621900000101".parse().unwrap();
        for (name, is_its) in [
            ("2088621900000101_transaction_20261123.txt", true),
            ("2088621900000101_settlement_20261123.txt", true),
            ("2088621900000202_settlement_20261123.txt", false),
            ("2088621900000101_settlement_20261123.txt.new", false),
            ("2088621900000101_settlement_2026112.txt", false),
            ("2088621900000101_settlement_2026_123.txt", false),
            ("2088621900000101_other_20261123.txt", false),
            ("2088621900000101", false),
            ("20886219000001011_transaction_20261123.txt", false),
        ] {
            assert_eq!(is_of(partner, name), is_its, "{name}");
        }
    }

    #[test]
    fn keys() {
        for (line, is_it) in [
            ("ssh-ed25519 AAAA", true),
            ("  ssh-ed25519   AAAA me@till", true),
            ("ssh-ed25519 AAAB", false),
            ("ssh-ed25519", false),
            ("# ssh-ed25519 AAAA", false),
            ("from=\"10.0.0.1\" ssh-ed25519 AAAA", false),
            ("", false),
        ] {
            assert_eq!(is_key(line, "ssh-ed25519 AAAA"), is_it, "{line}");
        }
        assert!(!is_key("", ""));
    }
}
