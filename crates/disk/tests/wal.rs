//! SQLite works on the disk as on any other: WAL, several connections, rollback journals, images.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]

use rusqlite::{Connection, Error, ErrorCode};
use spotpay_disk::{Disk, Fault};

fn open(disk: &Disk) -> Connection {
    let connection = Connection::open(disk.folder().join("test.db")).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        .unwrap();
    connection
}

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap()
}

fn code_of(error: &Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

/// A reader beside the writer keeps what it saw; a second writer is refused at once, without a wait.
#[test]
fn connections_share_a_file_in_wal_mode() {
    let disk = Disk::new(1);
    let writer = open(&disk);
    let mode: String = writer
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    writer.execute_batch("CREATE TABLE t (a)").unwrap();
    let reader = open(&disk);
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(count(&reader), 0);
    writer
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
        .unwrap();
    let other = open(&disk);
    let refused = other.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(code_of(&refused), Some(ErrorCode::DatabaseBusy));
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!((count(&reader), count(&other)), (0, 1));
    let busy: i64 = writer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(busy, 1, "the reader still needs the WAL");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&reader), 1);
}

/// Two disks of one process know nothing of each other, nor does a file of the machine.
#[test]
fn paths_lead_to_their_own_disk() {
    let (one, two) = (Disk::new(1), Disk::new(1));
    open(&one).execute_batch("CREATE TABLE t (a)").unwrap();
    let missing = open(&two).prepare("SELECT * FROM t").map(drop);
    assert!(missing.is_err());
    let folder = one.folder();
    drop(one);
    let gone = Connection::open(folder.join("test.db"));
    assert_eq!(
        gone.map(drop).map_err(|error| code_of(&error)),
        Err(Some(ErrorCode::CannotOpen))
    );
    let memory = Connection::open_in_memory().unwrap();
    memory.execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(count(&memory), 0);
}

/// A transaction rolls back by its journal, in each journal mode, also when its statement is
/// undone in the middle.
#[test]
fn rollback_journals_work() {
    for mode in ["DELETE", "TRUNCATE", "PERSIST", "WAL"] {
        let disk = Disk::new(1);
        let connection = Connection::open(disk.folder().join("test.db")).unwrap();
        connection
            .execute_batch(&format!("PRAGMA journal_mode = {mode}"))
            .unwrap();
        let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
                    INSERT INTO t SELECT i, hex(zeroblob(200)) FROM n";
        connection
            .execute_batch("CREATE TABLE t (a UNIQUE, b)")
            .unwrap();
        connection.execute_batch(fill).unwrap();
        connection.execute_batch("BEGIN; DELETE FROM t").unwrap();
        connection.execute_batch("ROLLBACK").unwrap();
        assert!(connection.execute("UPDATE t SET a = a + 1", []).is_err());
        assert_eq!(count(&connection), 999, "{mode}");
        let health: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(health, "ok", "{mode}");
    }
}

/// A disk begun from an image holds it, and neither changes the other.
#[test]
fn an_image_begins_other_disks() {
    let first = Disk::new(1);
    {
        let connection = open(&first);
        connection
            .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
    }
    let image = first.image();
    let (second, third) = (Disk::from_image(2, &image), Disk::from_image(3, &image));
    open(&second)
        .execute_batch("INSERT INTO t VALUES (2)")
        .unwrap();
    third.cut_power(&mut |_| 0);
    let counts = [&first, &second, &third].map(|disk| count(&open(disk)));
    assert_eq!(counts, [1, 2, 1]);
}

/// Each fault is answered by SQLite's own code for it, once, and the next try goes right.
#[test]
fn faults_strike_once() {
    let rows = [
        (Fault::WriteFails { after: 0 }, ErrorCode::SystemIoFailure),
        (Fault::WriteFails { after: 3 }, ErrorCode::SystemIoFailure),
        (Fault::SyncFails { after: 0 }, ErrorCode::SystemIoFailure),
        (Fault::ShortWrite { after: 1 }, ErrorCode::DiskFull),
        (Fault::Full { after: 0 }, ErrorCode::DiskFull),
    ];
    for (fault, code) in rows {
        let disk = Disk::new(1);
        let connection = open(&disk);
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        disk.plan(fault);
        let insert = "INSERT INTO t VALUES (hex(zeroblob(3000)))";
        let failed = connection.execute_batch(insert).unwrap_err();
        assert_eq!(code_of(&failed), Some(code), "{fault:?}");
        assert_eq!(disk.planned(), 0, "{fault:?}");
        connection.execute_batch(insert).unwrap();
        assert_eq!(count(&connection), 1, "{fault:?}");
    }
}

/// A read and a truncate fail as planned, and what is not asked for does not happen.
#[test]
fn reads_and_truncates_fail() {
    let disk = Disk::new(1);
    let connection = open(&disk);
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    let path = disk.folder().join("test.db");
    let fresh = Connection::open(&path).unwrap();
    disk.plan(Fault::ReadFails { after: 0 });
    assert!(fresh.prepare("SELECT * FROM t").is_err());
    assert!(fresh.prepare("SELECT * FROM t").is_ok());
    drop(fresh);
    disk.plan(Fault::TruncateFails { after: 0 });
    let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
    assert!(connection.query_row(truncate, [], |_| Ok(())).is_err());
    assert!(connection.query_row(truncate, [], |_| Ok(())).is_ok());
    disk.plan(Fault::ReadFails { after: 1_000 });
    disk.clear_faults();
    assert_eq!(disk.planned(), 0);
}

/// A full disk refuses what would not fit, and takes it once there is room.
#[test]
fn a_full_disk_has_room_again() {
    let disk = Disk::new(1);
    let connection = open(&disk);
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    let insert = "INSERT INTO t VALUES (hex(zeroblob(30000)))";
    disk.set_capacity(Some(disk.used() + 10_000));
    let full = connection.execute_batch(insert).unwrap_err();
    assert_eq!(code_of(&full), Some(ErrorCode::DiskFull));
    disk.set_capacity(None);
    connection.execute_batch(insert).unwrap();
    assert_eq!(count(&connection), 1);
}

/// The handles of a process that is gone fail for ever, and its locks hold nobody up.
#[test]
fn a_dead_process_holds_nothing() {
    let disk = Disk::new(1);
    let dead = open(&disk);
    dead.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        .unwrap();
    dead.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)")
        .unwrap();
    disk.kill_process();
    let alive = open(&disk);
    alive.execute_batch("INSERT INTO t VALUES (3)").unwrap();
    assert!(dead.execute_batch("COMMIT").is_err());
    assert!(dead.execute_batch("INSERT INTO t VALUES (4)").is_err());
    drop(dead);
    assert_eq!(count(&alive), 2);
}

/// SQL's own clock stands still.
#[test]
fn the_clock_of_sql_stands_still() {
    let connection = open(&Disk::new(1));
    let now: String = connection
        .query_row("SELECT datetime('now')", [], |row| row.get(0))
        .unwrap();
    assert_eq!(now, "2000-01-01 00:00:00");
}
