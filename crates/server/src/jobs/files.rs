//! The two files of a day: rows streamed from the store, written beside, synced, named, and from
//! then on never changed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use spotpay_core::command::Command;
use spotpay_core::decide::Reply;
use spotpay_core::id::PartnerId;
use spotpay_core::settlement::{FileKey, FileKind, PublishedFile};
use spotpay_core::time::CivilDate;
use spotpay_store::StoreError;
use spotpay_wire::files::{FileName, Style};

use super::JobError;
use super::rows::{Teller, batches_of};
use crate::app::App;
use crate::shelf::FILES_FOLDER;

/// What is written at once.
const BUFFER_BYTES: usize = 256 * 1_024;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The rows cannot be read.
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    /// The disk did not take it.
    #[error("{path}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An event's trade or refund is gone: a bug.
    #[error("the rows of an event do not fit each other")]
    Rows,
}

/// Where a file lies.
pub fn path_of(data: &Path, key: FileKey) -> PathBuf {
    data.join(FILES_FOLDER).join(name_of(key).to_string())
}

/// Takes all files away, of a store that begins anew.
///
/// # Errors
/// [`MakeError::Disk`].
pub fn forget_files(data: &Path) -> Result<(), MakeError> {
    let path = data.join(FILES_FOLDER);
    match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|source| MakeError::Disk { path, source }),
    }
}

/// The name of a file.
pub const fn name_of(key: FileKey) -> FileName {
    FileName {
        partner: key.partner,
        kind: key.kind,
        date: key.date,
    }
}

/// Publishes both files of a date for every partner; how many are new.
pub(super) async fn publish_day(app: &Arc<App>, date: CivilDate) -> Result<usize, JobError> {
    let partners: Vec<PartnerId> = app
        .snapshot
        .load()
        .config
        .partners
        .keys()
        .copied()
        .collect();
    let mut made = 0;
    for partner in partners {
        for kind in FileKind::ALL {
            let key = FileKey {
                partner,
                kind,
                date,
            };
            if app.readers.read(|reader| reader.file(key))?.is_none() {
                make(app, key).await?;
                made += 1;
            }
        }
    }
    Ok(made)
}

/// Makes a file of a day that is over, unless it is published already. That a day was empty is
/// published too: without rows, and without a file.
///
/// # Errors
/// [`JobError`]; what was begun is thrown away.
pub async fn make(app: &Arc<App>, key: FileKey) -> Result<PublishedFile, JobError> {
    let _turn = app.file_turns.lock().await;
    if let Some(known) = app.readers.read(|reader| reader.file(key))? {
        return Ok(known);
    }
    fill_statements(app, key.date).await?;
    let making = Arc::clone(app);
    let made = app.blocking(move || write_file(&making, key)).await;
    let file = made.ok_or(JobError::Stopped)??;
    let reply = app.engine.submit(Command::Publish(Box::new(file))).await?;
    let Reply::Published(file) = reply else {
        return Err(JobError::Confused);
    };
    Ok(*file)
}

/// Lists are filled behind the commits; a file waits until they have its day.
pub(super) async fn fill_statements(app: &Arc<App>, date: CivilDate) -> Result<(), JobError> {
    let end = date.plus_days(1).start();
    while !app
        .readers
        .read(|reader| reader.are_statements_filled(end))?
    {
        app.engine.tend().await?;
    }
    Ok(())
}

/// A file on its way to its name.
struct Draft {
    out: BufWriter<File>,
    digest: digest::Context,
    path: PathBuf,
    text: String,
    rows: u64,
    bytes: u64,
}

impl Draft {
    fn begin(path: PathBuf) -> Result<Self, MakeError> {
        let failed = |source| MakeError::Disk {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::create(&path).map_err(failed)?;
        Ok(Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, file),
            digest: digest::Context::new(&digest::SHA256),
            path,
            text: String::with_capacity(BUFFER_BYTES),
            rows: 0,
            bytes: 0,
        })
    }

    fn failed(&self, source: std::io::Error) -> MakeError {
        MakeError::Disk {
            path: self.path.clone(),
            source,
        }
    }

    /// Counts a row, and writes what has gathered when it is much.
    fn end_row(&mut self) -> Result<(), MakeError> {
        self.rows += 1;
        if self.text.len() < BUFFER_BYTES / 2 {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what has gathered.
    fn flush(&mut self) -> Result<(), MakeError> {
        let text = std::mem::take(&mut self.text);
        self.digest.update(text.as_bytes());
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        let written = self.out.write_all(text.as_bytes());
        written.map_err(|source| self.failed(source))?;
        self.text = text;
        self.text.clear();
        Ok(())
    }

    /// Synced, and then under its name: whoever sees the name sees all of it.
    fn end(mut self, path: &Path) -> Result<(u64, u64, [u8; 32]), MakeError> {
        self.flush()?;
        let synced = self
            .out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&self.path, path))
            .and_then(|()| sync_folder(path));
        synced.map_err(|source| self.failed(source))?;
        Ok((self.rows, self.bytes, sha256(self.digest)))
    }
}

fn sha256(read: digest::Context) -> [u8; 32] {
    read.finish().as_ref().try_into().unwrap_or_default()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The rows of a date, or of the batches of a day.
fn write_file(app: &App, key: FileKey) -> Result<PublishedFile, MakeError> {
    let snapshot = app.snapshot.load();
    let entry = snapshot.partner(key.partner).ok_or(MakeError::Rows)?;
    let path = path_of(&app.data, key);
    let batches = match key.kind {
        FileKind::Transaction => Vec::new(),
        FileKind::Settlement => batches_of(app, key.partner, key.date)?,
    };
    let count = match key.kind {
        FileKind::Transaction => app
            .readers
            .read(|reader| reader.count_events(key.partner, (key.date, key.date)))?,
        FileKind::Settlement => batches.iter().map(|batch| batch.moves.count).sum(),
    };
    if count == 0 {
        return Ok(PublishedFile {
            key,
            rows: 0,
            bytes: 0,
            sha256: sha256(digest::Context::new(&digest::SHA256)),
            at: app.clock.now(),
        });
    }
    let style = Style::of(&entry.partner.contract);
    let mut draft = Draft::begin(path.with_extension("part"))?;
    let mut teller = Teller::new(app, key.partner, style);
    match key.kind {
        FileKind::Transaction => {
            style.transaction_head(key.partner, key.date, count, &mut draft.text);
            teller.rows((key.date, key.date), None, |row| {
                style.transaction(&row.transaction(), &mut draft.text);
                draft.end_row()
            })?;
        }
        FileKind::Settlement => {
            style.settlement_head(&mut draft.text);
            for batch in &batches {
                teller.rows((batch.first, batch.last), Some(batch), |row| {
                    style.settlement(&row.settlement(batch.at), &mut draft.text);
                    draft.end_row()
                })?;
            }
        }
    }
    let (rows, bytes, sha256) = draft.end(&path)?;
    Ok(PublishedFile {
        key,
        rows,
        bytes,
        sha256,
        at: app.clock.now(),
    })
}
