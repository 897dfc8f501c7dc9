//! The embedded store: one SQLite file in WAL mode, synced at every commit.

mod config;
mod notifications;
mod read;
mod refunds;
mod rows;
mod settlement;
mod stores;
mod write;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use spotpay_core::command::{Command, Keys};
use spotpay_core::config::Config;
use spotpay_core::time::Timestamp;
use spotpay_core::working_set::WorkingSet;

use crate::{BatchId, CommitError, Resume, Store, StoreError};
pub use notifications::DeliveryRow;
pub use read::{EntryRow, Reader, WalletTrade};
pub use settlement::{DayMoves, StatementRow};

/// The schema, one step after the other; a step, once published, is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_initial.sql"),
    include_str!("../migrations/sqlite/0002_refunds.sql"),
    include_str!("../migrations/sqlite/0003_settlement.sql"),
];

/// Bytes of a page. Most pages that a payment touches are touched for one row (its wallet, its place
/// in the index of ids), so half a usual page is half the bytes to sync.
const PAGE_BYTES: u32 = 2_048;

/// Pages in the WAL from which a checkpoint is worth it: 64 MiB, in which a hot page was written
/// many times and is moved once.
pub const CHECKPOINT_PAGES: u32 = 32_000;

/// A WAL that a long read let grow beyond this is cut back when it begins anew.
const WAL_BYTES_KEPT: u32 = 4 * CHECKPOINT_PAGES * PAGE_BYTES;

/// Memory for pages, in KiB. Not more: after a split SQLite walks its whole table of cached pages
/// at the next commit.
const CACHE_KIB: u32 = 16_384;

/// The file inside a data directory.
pub const FILE_NAME: &str = "spotpay.db";

/// The lane of a process that is alone on its file.
const LANE: i64 = 0;

/// How full the WAL is, shared between the writer and its [`Checkpointer`].
#[derive(Clone, Debug, Default)]
pub struct WalGauge(Arc<Gauge>);

#[derive(Debug, Default)]
struct Gauge {
    /// Pages of the WAL, as the last commit left it.
    pages: AtomicU32,
    /// A checkpointer moved the bulk; the writer moves the rest between two batches.
    bulk_moved: AtomicBool,
}

impl WalGauge {
    /// The pages that the last commit left.
    pub fn pages(&self) -> u32 {
        self.0.pages.load(Ordering::Relaxed)
    }

    /// Whether a checkpoint is worth it.
    pub fn is_full(&self) -> bool {
        self.pages() >= CHECKPOINT_PAGES
    }
}

/// The writer's side of the file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    rewrite: Rewrite,
    connection: Connection,
    gauge: WalGauge,
}

impl SqliteStore {
    /// Opens the file of a data directory, or makes it; brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, or is of a newer version.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_on(data, rewrite)
    }

    /// The same on a disk that has a way of its own to rewrite a file.
    ///
    /// # Errors
    /// As with [`Self::open`].
    pub fn open_on(data: &Path, rewrite: Rewrite) -> Result<Self, StoreError> {
        let path = data.join(FILE_NAME);
        let gauge = WalGauge::default();
        let named = |error: StoreError| error.in_file(&path);
        let mut connection = open_emptied(&path, rewrite, &gauge).map_err(named)?;
        migrate(&mut connection).map_err(named)?;
        Ok(Self {
            path,
            rewrite,
            connection,
            gauge,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How full the WAL is.
    pub fn gauge(&self) -> WalGauge {
        self.gauge.clone()
    }

    /// A reader of the same file.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Someone else may move WAL pages into the main file while this store writes on.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn checkpointer(&self) -> Result<Checkpointer, StoreError> {
        let connection =
            Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
        Ok(Checkpointer {
            connection,
            gauge: self.gauge.clone(),
        })
    }
}

/// Moves WAL pages into the main file, from another thread than the writer's.
#[derive(Debug)]
pub struct Checkpointer {
    connection: Connection,
    gauge: WalGauge,
}

impl Checkpointer {
    /// One pass over what is committed by now; it waits for nobody.
    ///
    /// # Errors
    /// The disk failed; nothing is lost.
    pub fn run(&mut self) -> Result<(), StoreError> {
        checkpoint(&self.connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        self.gauge.0.bulk_moved.store(true, Ordering::Release);
        Ok(())
    }
}

/// Whether all of the WAL is in the main file after it.
fn checkpoint(connection: &Connection, pragma: &str) -> Result<bool, StoreError> {
    let (busy, log, moved): (i64, i64, i64) = connection.query_row(pragma, [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    Ok(busy == 0 && log == moved)
}

fn open_writer(path: &Path, gauge: &WalGauge) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_BYTES};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {WAL_BYTES_KEPT};
         PRAGMA cache_size = -{CACHE_KIB};
         PRAGMA temp_store = MEMORY;"
    ))?;
    let gauge = Arc::clone(&gauge.0);
    connection.wal_hook(Some(
        move |_: &mut rusqlite::hooks::Wal, count: std::ffi::c_int| {
            gauge
                .pages
                .store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        },
    ))?;
    Ok(connection)
}

/// Writes the bytes of a file over themselves and syncs it; a file that is not there is left so.
pub type Rewrite = fn(&Path) -> io::Result<()>;

fn rewrite(path: &Path) -> io::Result<()> {
    let mut file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut piece = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let count = file.read(&mut piece)?;
        let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return file.sync_all();
        };
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)?;
        at = file.stream_position()?;
    }
}

/// A writer whose WAL is in the main file. A failed sync, of this process or of one that died after
/// it, may have left pages in the WAL that only look clean: commits behind them would go with them
/// when the power goes. So what counts is moved, and the rest cut off, before anything is read.
///
/// The WAL is written over itself and synced first: while its pages are on their way into the main
/// file, only a WAL that is on the disk makes them whole again when the power goes.
fn open_emptied(path: &Path, rewrite: Rewrite, gauge: &WalGauge) -> Result<Connection, StoreError> {
    let connection = open_writer(path, gauge)?;
    // Nobody else may write to the WAL meanwhile.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut wal = path.to_owned().into_os_string();
    wal.push("-wal");
    let rewritten = rewrite(Path::new(&wal));
    connection.execute_batch("ROLLBACK")?;
    rewritten.map_err(|source| StoreError::File {
        path: wal.into(),
        source,
    })?;
    if !checkpoint(&connection, "PRAGMA wal_checkpoint(TRUNCATE)")? {
        return Err(StoreError::Busy("a reader holds the WAL".into()));
    }
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(found..) else {
        return Err(StoreError::TooNew {
            found,
            known: MIGRATIONS.len(),
        });
    };
    for (step, sql) in missing.iter().enumerate() {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {}", found + step + 1))?;
        transaction.commit()?;
    }
    Ok(())
}

impl Store for SqliteStore {
    fn load(&mut self, keys: &Keys) -> Result<WorkingSet, StoreError> {
        // One transaction from load to commit: a statement outside of one locks and unlocks the
        // WAL by itself, which costs more than a look-up.
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])?;
        let set = read::working_set(&self.connection, keys);
        if set.is_err() {
            self.abandon();
        }
        set
    }

    fn commit(
        &mut self,
        set: &WorkingSet,
        batch: BatchId,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        write::commit(&self.connection, set, batch, now)
    }

    fn abandon(&mut self) {
        write::roll_back(&self.connection);
    }

    fn resolve(&mut self, batch: BatchId) -> Result<bool, StoreError> {
        self.connection = open_emptied(&self.path, self.rewrite, &self.gauge)?;
        Ok(self.resume()?.batch == batch)
    }

    fn config(&mut self) -> Result<Config, StoreError> {
        config::load(&self.connection)
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Command>, StoreError> {
        read::due(&self.connection, now, limit)
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        read::next_due(&self.connection)
    }

    fn resume(&mut self) -> Result<Resume, StoreError> {
        let last: Option<(i64, i64)> = self
            .connection
            .query_row("SELECT batch, at FROM lane WHERE lane = ?", [LANE], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let (batch, at) = last.unwrap_or((0, 0));
        let newest = |table: &str| -> Result<Option<i64>, StoreError> {
            Ok(self
                .connection
                .query_row(&format!("SELECT max(key) FROM {table}"), [], |row| {
                    row.get(0)
                })?)
        };
        let entry = newest("entry")?.map(rows::row_key_of_entry);
        let rest = newest("settlement_batch")?
            .max(newest("trade")?)
            .max(newest("refund")?)
            .max(newest("notification")?);
        let newest = entry.max(rest).map(|key| {
            let id = rows::trade_id(key);
            (id.at(), id.number())
        });
        Ok(Resume {
            batch: BatchId(batch),
            at: Timestamp::from_micros(at),
            newest,
        })
    }

    fn maintain(&mut self) -> Result<(), StoreError> {
        // The rest behind a checkpointer's bulk: with all pages moved, the next commit begins the
        // WAL from its start.
        if self.gauge.0.bulk_moved.swap(false, Ordering::Acquire)
            && checkpoint(&self.connection, "PRAGMA wal_checkpoint(PASSIVE)")?
        {
            self.gauge.0.pages.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if checkpoint(&self.connection, "PRAGMA wal_checkpoint(TRUNCATE)")? {
            Ok(())
        } else {
            Err(StoreError::Busy("a reader holds the WAL".into()))
        }
    }

    fn tend(&mut self, rows: usize) -> Result<bool, StoreError> {
        let trades = write::fill_activity(&mut self.connection, rows)?;
        let events = settlement::fill_statements(&mut self.connection, rows)?;
        Ok(trades || events)
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        let names: Vec<String> = self
            .connection
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let transaction = self.connection.transaction()?;
        for name in names {
            transaction.execute_batch(&format!("DELETE FROM {name}"))?;
        }
        transaction.commit()?;
        Ok(())
    }
}
