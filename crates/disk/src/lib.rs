//! A disk in memory under the real SQLite: it fails, fills up and forgets on command.
//!
//! ```
//! let disk = spotpay_disk::Disk::new(1);
//! let connection = rusqlite::Connection::open(disk.folder().join("shop.db")).unwrap();
//! connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE till (id INTEGER)").unwrap();
//! assert!(disk.writes() > 0);
//! ```
//!
//! One thread at a time uses a disk and what is open on it; several disks live side by side.
//! Paths outside every disk's folder go to the file system of the machine as ever.
//!
//! What it does to data that no sync confirmed is the worst that real disks and Linux do, see
//! [`Disk::cut_power`] and [`Fault::SyncFails`]; it keeps one promise that SQLite relies on by
//! default: a write never harms bytes outside of itself.

mod disk;
mod file;
mod locks;
mod trace;
mod vfs;

pub use disk::{Disk, Fault, Image, rewrite};
