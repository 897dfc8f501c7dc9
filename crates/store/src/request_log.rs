//! What the inspector shows: the last requests, byte for byte, in a file of their own.
//!
//! It holds no truth. Nothing here is synced, the oldest is thrown away, and a file that cannot be
//! read is made anew.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};
use spotpay_core::id::TradeId;
use spotpay_core::time::Timestamp;

use crate::StoreError;

/// The file inside a data directory.
pub const FILE_NAME: &str = "requests.db";

/// Requests that are kept.
pub const ROWS_MAX: u32 = 100_000;
/// Bytes of the file; requests of the largest size would reach this long before the rows do.
pub const BYTES_MAX: u64 = 512 * 1_024 * 1_024;

/// Of another layout, the file is made anew: nobody migrates what nobody needs to keep.
const LAYOUT: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE request (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        service TEXT NOT NULL,
        partner TEXT NOT NULL,
        result TEXT NOT NULL,
        error TEXT,
        reason TEXT,
        duration_us INTEGER NOT NULL,
        params TEXT NOT NULL, -- JSON, an array of pairs: order and repeats are part of the evidence
        canonical BLOB NOT NULL,
        signature TEXT, -- 'right', 'wrong', or nothing when it was not checked
        likely_mistake TEXT,
        answer BLOB NOT NULL,
        trade INTEGER
    );
";

const COLUMNS: &str = "id, at, service, partner, result, error, reason, duration_us, params, \
     canonical, signature, likely_mistake, answer, trade";

/// One exchange with a partner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestRecord {
    /// When it was answered, by the gateway's clock.
    pub at: Timestamp,
    /// The parameter `service`, or what stands for an unknown one.
    pub service: String,
    /// The parameter `partner`, as it came.
    pub partner: String,
    /// `result_code`, or the gateway's code.
    pub result: String,
    /// The business error.
    pub error: Option<String>,
    /// Why, in words for people.
    pub reason: Option<String>,
    /// From its arrival to its answer.
    pub duration_us: u64,
    /// The parameters as they came, in their order.
    pub params: Vec<(String, String)>,
    /// The bytes that the signature covers.
    pub canonical: Vec<u8>,
    /// Whether the signature was right, when it was checked.
    pub sign_ok: Option<bool>,
    /// Which known mistake a wrong signature is.
    pub likely_mistake: Option<String>,
    /// The answer's bytes as sent.
    pub answer: Vec<u8>,
    /// The trade that it was about.
    pub trade: Option<TradeId>,
}

/// A record with its number in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRequest {
    /// Its number; later ones are larger.
    pub id: i64,
    /// What was recorded.
    pub record: RequestRecord,
}

/// The writer. One thread owns it.
#[derive(Debug)]
pub struct RequestLog {
    path: PathBuf,
    connection: Connection,
    next_id: i64,
    rows_max: i64,
    bytes_max: u64,
}

impl RequestLog {
    /// Opens the log of a data directory; makes it, or makes it anew, when there is none that can
    /// be read.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        Self::open_bounded(data, ROWS_MAX, BYTES_MAX)
    }

    /// [`RequestLog::open`] with other bounds.
    ///
    /// # Errors
    /// As [`RequestLog::open`].
    pub fn open_bounded(data: &Path, rows_max: u32, bytes_max: u64) -> Result<Self, StoreError> {
        let path = data.join(FILE_NAME);
        let (connection, next_id) = open_or_remake(&path)?;
        Ok(Self {
            path,
            connection,
            next_id,
            rows_max: i64::from(rows_max),
            bytes_max,
        })
    }

    /// A reader of the same log.
    pub fn reader(&self) -> RequestLogReader {
        RequestLogReader {
            path: self.path.clone(),
        }
    }

    /// Appends records in one transaction and throws away what is beyond the bounds. A file that
    /// went bad under us is made anew first.
    ///
    /// # Errors
    /// The disk failed or is full; the records are not kept.
    pub fn append(&mut self, records: &[RequestRecord]) -> Result<(), StoreError> {
        if let Err(error) = self.try_append(records) {
            if !is_bad_file(&error) {
                return Err(error);
            }
            let bad = std::mem::replace(&mut self.connection, Connection::open_in_memory()?);
            drop(bad);
            remove(&self.path)?;
            (self.connection, _) = open_or_remake(&self.path)?;
            self.try_append(records)?;
        }
        Ok(())
    }

    fn try_append(&mut self, records: &[RequestRecord]) -> Result<(), StoreError> {
        let mut next_id = self.next_id;
        let transaction = self.connection.transaction()?;
        for record in records {
            insert(&transaction, next_id, record)?;
            next_id += 1;
        }
        delete_below(&transaction, next_id - self.rows_max)?;
        while bytes_used(&transaction)? > self.bytes_max {
            let first: Option<i64> =
                transaction.query_row("SELECT min(id) FROM request", [], |row| row.get(0))?;
            let Some(first) = first else { break };
            // An eighth at once, so that this is rare.
            delete_below(&transaction, first + (next_id - first) / 8 + 1)?;
        }
        transaction.commit()?;
        self.next_id = next_id;
        Ok(())
    }

    /// Throws away all records; numbers go on.
    ///
    /// # Errors
    /// The disk failed.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("DELETE FROM request")?;
        Ok(())
    }
}

/// Reads the log. Pages are rare, so each call opens the file for itself and sees whatever file is
/// there by then.
#[derive(Clone, Debug)]
pub struct RequestLogReader {
    path: PathBuf,
}

impl RequestLogReader {
    /// The newest records, newest first; with `before`, the newest of those below that number.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn recent(
        &self,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Vec<StoredRequest>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(&format!(
            "SELECT {COLUMNS} FROM request WHERE id < ? ORDER BY id DESC LIMIT ?"
        ))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![before.unwrap_or(i64::MAX), limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// One record, while it is kept.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get(&self, id: i64) -> Result<Option<StoredRequest>, StoreError> {
        let connection = self.connect()?;
        let mut statement =
            connection.prepare(&format!("SELECT {COLUMNS} FROM request WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(read).transpose()
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(connection)
    }
}

fn open_or_remake(path: &Path) -> Result<(Connection, i64), StoreError> {
    if let Ok(opened) = open(path) {
        return Ok(opened);
    }
    remove(path)?;
    open(path)
}

/// The file as a log, and the number that comes next.
fn open(path: &Path) -> Result<(Connection, i64), StoreError> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = OFF;
         PRAGMA journal_size_limit = 16777216;
         PRAGMA temp_store = MEMORY;",
    )?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found != LAYOUT {
        // A file with tables of another layout refuses the table here and is made anew.
        let transaction = connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute_batch(&format!("PRAGMA user_version = {LAYOUT}"))?;
        transaction.commit()?;
    }
    // The newest row is read whole, so that a file of another shape is noticed now.
    let newest = connection
        .prepare(&format!(
            "SELECT {COLUMNS} FROM request ORDER BY id DESC LIMIT 1"
        ))?
        .query_row([], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    let next_id = newest.map_or(1, |newest| newest.id + 1);
    Ok((connection, next_id))
}

/// Removes the file and what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError::File { path, source }),
        }
    }
    Ok(())
}

/// Whether only a new file will help: it is damaged, or someone removed its table.
fn is_bad_file(error: &StoreError) -> bool {
    use rusqlite::ErrorCode;
    match error {
        StoreError::Unavailable(source) | StoreError::Driver(source) => matches!(
            source
                .downcast_ref::<rusqlite::Error>()
                .and_then(rusqlite::Error::sqlite_error_code),
            Some(
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ReadOnly
                    | ErrorCode::Unknown
            )
        ),
        StoreError::Constraint(_) | StoreError::Conflict(_) => true,
        StoreError::Busy(_)
        | StoreError::File { .. }
        | StoreError::Open { .. }
        | StoreError::Corrupt { .. }
        | StoreError::TooNew { .. } => false,
    }
}

fn insert(connection: &Connection, id: i64, record: &RequestRecord) -> Result<(), StoreError> {
    let params = serde_json::to_string(&record.params).unwrap_or_else(|_| "[]".to_owned());
    let signature = record.sign_ok.map(|ok| if ok { "right" } else { "wrong" });
    connection
        .prepare_cached(&format!(
            "INSERT INTO request ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ))?
        .execute(params![
            id,
            record.at.as_micros(),
            record.service,
            record.partner,
            record.result,
            record.error,
            record.reason,
            i64::try_from(record.duration_us).unwrap_or(i64::MAX),
            params,
            record.canonical,
            signature,
            record.likely_mistake,
            record.answer,
            record.trade.map(TradeId::as_i64),
        ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<StoredRequest, StoreError> {
    let corrupt = |column| StoreError::Corrupt {
        table: "request",
        column,
    };
    let duration: i64 = row.get(7)?;
    let params: String = row.get(8)?;
    let signature: Option<String> = row.get(10)?;
    let record = RequestRecord {
        at: Timestamp::from_micros(row.get(1)?),
        service: row.get(2)?,
        partner: row.get(3)?,
        result: row.get(4)?,
        error: row.get(5)?,
        reason: row.get(6)?,
        duration_us: u64::try_from(duration).map_err(|_| corrupt("duration_us"))?,
        params: serde_json::from_str(&params).map_err(|_| corrupt("params"))?,
        canonical: row.get(9)?,
        sign_ok: signature.map(|signature| signature == "right"),
        likely_mistake: row.get(11)?,
        answer: row.get(12)?,
        trade: row.get::<_, Option<i64>>(13)?.map(TradeId::from_i64),
    };
    Ok(StoredRequest {
        id: row.get(0)?,
        record,
    })
}

fn delete_below(connection: &Connection, id: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM request WHERE id < ?")?
        .execute([id])?;
    Ok(())
}

/// Bytes of the pages that hold something.
fn bytes_used(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name: &str| -> Result<u64, StoreError> {
        let value: i64 = connection
            .prepare_cached(&format!("PRAGMA {name}"))?
            .query_row([], |row| row.get(0))?;
        Ok(u64::try_from(value).unwrap_or(0))
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages.saturating_mul(pragma("page_size")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: i64, size: usize) -> RequestRecord {
        let name = || format!("value {number}, \"quoted\" \u{1f375}\n");
        RequestRecord {
            at: Timestamp::from_micros(1_795_000_000_000_000 + number),
            service: "alipay.acquire.overseas.query".to_owned(),
            partner: "2088000000000001".to_owned(),
            result: "FAILED".to_owned(),
            error: (number % 2 == 0).then(|| "TRADE_NOT_EXIST".to_owned()),
            reason: (number % 3 == 0).then(name),
            duration_us: 1_840,
            params: vec![
                ("b".to_owned(), name()),
                ("a".to_owned(), String::new()),
                ("b".to_owned(), "again".to_owned()),
            ],
            canonical: vec![0xff, 0x00, b'x'],
            sign_ok: [None, Some(true), Some(false)][usize::try_from(number % 3).unwrap()],
            likely_mistake: (number % 5 == 0).then(name),
            answer: vec![b'.'; size],
            trade: (number % 2 == 1).then(|| TradeId::from_i64(number)),
        }
    }

    fn records(numbers: std::ops::Range<i64>, size: usize) -> Vec<RequestRecord> {
        numbers.map(|number| record(number, size)).collect()
    }

    fn ids(log: &RequestLog, limit: usize, before: Option<i64>) -> Vec<i64> {
        let found = log.reader().recent(limit, before).unwrap();
        found.iter().map(|stored| stored.id).collect()
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let data = tempfile::tempdir().unwrap();
        let mut log = RequestLog::open(data.path()).unwrap();
        let kept = records(0..30, 100);
        log.append(&kept).unwrap();
        let found = log.reader().recent(100, None).unwrap();
        let found: Vec<_> = found
            .into_iter()
            .rev()
            .map(|stored| stored.record)
            .collect();
        assert_eq!(found, kept);
        assert_eq!(log.reader().get(3).unwrap().unwrap().record, kept[2]);
        assert_eq!(log.reader().get(31).unwrap(), None);
        assert_eq!(ids(&log, 3, None), [30, 29, 28]);
        assert_eq!(ids(&log, 2, Some(28)), [27, 26]);
    }

    #[test]
    fn the_oldest_make_room() {
        let data = tempfile::tempdir().unwrap();
        let mut log = RequestLog::open_bounded(data.path(), 10, BYTES_MAX).unwrap();
        for start in (0..25).step_by(5) {
            log.append(&records(start..start + 5, 10)).unwrap();
        }
        assert_eq!(ids(&log, 100, None), (16..=25).rev().collect::<Vec<_>>());
        // More than fit at once.
        log.append(&records(0..30, 10)).unwrap();
        assert_eq!(ids(&log, 100, None), (46..=55).rev().collect::<Vec<_>>());
    }

    #[test]
    fn large_requests_do_not_fill_the_disk() {
        let data = tempfile::tempdir().unwrap();
        let mut log = RequestLog::open_bounded(data.path(), ROWS_MAX, 1_000_000).unwrap();
        for _ in 0..20 {
            log.append(&records(0..10, 20_000)).unwrap();
        }
        let kept = ids(&log, 1_000, None);
        assert_eq!(kept.first(), Some(&200), "the newest is there");
        assert!((20..60).contains(&kept.len()), "{} kept", kept.len());
        let size = std::fs::metadata(data.path().join(FILE_NAME))
            .unwrap()
            .len();
        assert!(size < 1_500_000, "{size} bytes");
    }

    #[test]
    fn numbers_go_on_after_a_clear_and_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let mut log = RequestLog::open(data.path()).unwrap();
        log.append(&records(0..3, 10)).unwrap();
        log.clear().unwrap();
        assert_eq!(ids(&log, 10, None), Vec::<i64>::new());
        log.append(&records(0..1, 10)).unwrap();
        assert_eq!(ids(&log, 10, None), [4]);
        drop(log);
        let mut log = RequestLog::open(data.path()).unwrap();
        log.append(&records(0..1, 10)).unwrap();
        assert_eq!(ids(&log, 10, None), [5, 4]);
    }

    #[test]
    fn a_file_that_is_no_log_is_made_anew() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(FILE_NAME);
        let other_layout = "CREATE TABLE request (id INTEGER PRIMARY KEY, what TEXT);";
        for case in 0..4 {
            match case {
                0 => std::fs::write(&path, "no database at all").unwrap(),
                1 => std::fs::write(&path, vec![0x53; 100_000]).unwrap(),
                2 => {
                    remove(&path).unwrap();
                    let other = Connection::open(&path).unwrap();
                    other.execute_batch(other_layout).unwrap();
                }
                _ => {
                    remove(&path).unwrap();
                    let other = Connection::open(&path).unwrap();
                    other.execute_batch(other_layout).unwrap();
                    other.execute_batch("PRAGMA user_version = 1").unwrap();
                }
            }
            let mut log = RequestLog::open(data.path()).unwrap();
            log.append(&records(0..1, 10)).unwrap();
            assert_eq!(ids(&log, 10, None), [1], "case {case}");
        }
    }

    #[test]
    fn a_file_that_goes_bad_under_us_is_made_anew() {
        let data = tempfile::tempdir().unwrap();
        let mut log = RequestLog::open(data.path()).unwrap();
        log.append(&records(0..2, 10)).unwrap();
        let vandal = Connection::open(data.path().join(FILE_NAME)).unwrap();
        vandal.execute_batch("DROP TABLE request").unwrap();
        drop(vandal);
        log.append(&records(0..1, 10)).unwrap();
        assert_eq!(ids(&log, 10, None), [3]);
    }
}
