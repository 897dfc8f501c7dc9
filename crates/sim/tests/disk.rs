//! The store as it is, on a disk in memory.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]

use std::path::Path;

use spotpay_core::command::Keys;
use spotpay_core::config::ConfigChange;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::working_set::Changes;
use spotpay_disk::{Disk, Fault};
use spotpay_store::sqlite::SqliteStore;
use spotpay_store::{BatchId, CommitError, Store};

/// Commits a batch that moves the clock by its number, so that each is told from the others.
fn commit(store: &mut SqliteStore, batch: i64) -> Result<(), CommitError> {
    let mut set = store.load(&Keys::default()).map_err(CommitError::Failed)?;
    set.apply(Changes {
        config: Some(ConfigChange::MoveClock(Span::micros(batch))),
        ..Changes::default()
    });
    store.commit(&set, BatchId(batch), Timestamp::from_micros(batch))
}

/// The batch that a store has, by its lane and by its content, which must agree.
fn last(folder: &Path) -> i64 {
    let mut store = SqliteStore::open(folder).unwrap();
    let batch = store.resume().unwrap().batch.0;
    assert_eq!(store.config().unwrap().clock_offset, Span::micros(batch));
    batch
}

/// The store, its reader and its checkpointer work side by side; a batch that was committed is
/// there after the power went.
#[test]
fn the_store_runs_on_the_disk() {
    let disk = Disk::new(1);
    let mut store = SqliteStore::open(&disk.folder()).unwrap();
    let reader = store.reader().unwrap();
    let mut checkpointer = store.checkpointer().unwrap();
    for batch in 1..=50 {
        commit(&mut store, batch).unwrap();
        if batch % 7 == 0 {
            checkpointer.run().unwrap();
            store.maintain().unwrap();
        }
    }
    assert!(reader.check().is_ok());
    disk.cut_power(&mut |below| below - 1);
    assert!(commit(&mut store, 51).is_err());
    assert_eq!(last(&disk.folder()), 50);
    assert!(!Path::new("/spotpay-disk").exists());
}

/// A batch whose commit dies at any of its calls is there or not, and the one before is there.
#[test]
fn a_batch_is_whole_wherever_the_power_goes() {
    let ready = Disk::new(1);
    commit(&mut SqliteStore::open(&ready.folder()).unwrap(), 1).unwrap();
    let image = ready.image();
    for lot in 0..4_u64 {
        for after in 0.. {
            let disk = Disk::from_image(lot, &image);
            let mut store = SqliteStore::open(&disk.folder()).unwrap();
            commit(&mut store, 2).unwrap();
            disk.plan(Fault::Dies { after });
            let got = commit(&mut store, 3);
            disk.clear_faults();
            let mut draws = lot;
            disk.cut_power(&mut |below| {
                draws = draws
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (draws >> 33) % below
            });
            let found = last(&disk.folder());
            assert!(found == 3 || (found == 2 && got.is_err()), "{lot} {after}");
            if got.is_ok() {
                break;
            }
        }
    }
}

/// A sync fails, and doubt is cleared before anything else: the next batch outlives the power,
/// though what the failed sync lost counts as clean.
#[test]
fn a_failed_sync_takes_nothing_later_with_it() {
    for seed in 0..16 {
        let disk = Disk::new(seed);
        let mut store = SqliteStore::open(&disk.folder()).unwrap();
        commit(&mut store, 1).unwrap();
        disk.plan(Fault::SyncFails { after: 0 });
        assert!(matches!(
            commit(&mut store, 2),
            Err(CommitError::InDoubt(_))
        ));
        let is_stored = store.resolve(BatchId(2)).unwrap();
        commit(&mut store, 3).unwrap();
        disk.cut_power(&mut |below| below - 1);
        assert_eq!(last(&disk.folder()), 3, "seed {seed}, stored {is_stored}");
    }
}
/// A sync fails and the process dies before it clears the doubt: what the next process commits
/// outlives the power all the same.
#[test]
fn a_failed_sync_before_a_crash_takes_nothing_later_with_it() {
    for seed in 0..16 {
        let disk = Disk::new(seed);
        let mut store = SqliteStore::open(&disk.folder()).unwrap();
        commit(&mut store, 1).unwrap();
        disk.plan(Fault::SyncFails { after: 0 });
        assert!(commit(&mut store, 2).is_err());
        disk.kill_process();
        let mut store = SqliteStore::open(&disk.folder()).unwrap();
        commit(&mut store, 3).unwrap();
        disk.cut_power(&mut |below| below - 1);
        assert_eq!(last(&disk.folder()), 3, "seed {seed}");
    }
}
