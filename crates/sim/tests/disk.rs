//! The store as it is, on a disk in memory.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]

use std::path::Path;

use spotpay_core::command::Keys;
use spotpay_core::config::ConfigChange;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::working_set::Changes;
use spotpay_disk::{Disk, Fault};
use spotpay_store::sqlite::SqliteStore;
use spotpay_store::{BatchId, CommitError, Store, StoreError};

fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open_on(folder, spotpay_disk::rewrite)
}

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
    let mut store = open(folder).unwrap();
    let batch = store.resume().unwrap().batch.0;
    assert_eq!(store.config().unwrap().clock_offset, Span::micros(batch));
    batch
}

fn draw(draws: &mut u64, below: u64) -> u64 {
    *draws = draws
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1);
    (*draws >> 33) % below
}

/// The store, its reader and its checkpointer work side by side; a batch that was committed is
/// there after the power went.
#[test]
fn the_store_runs_on_the_disk() {
    let disk = Disk::new(1);
    let mut store = open(&disk.folder()).unwrap();
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
    commit(&mut open(&ready.folder()).unwrap(), 1).unwrap();
    let image = ready.image();
    for lot in 0..4_u64 {
        for after in 0.. {
            let disk = Disk::from_image(lot, &image);
            let mut store = open(&disk.folder()).unwrap();
            commit(&mut store, 2).unwrap();
            disk.plan(Fault::Dies { after });
            let got = commit(&mut store, 3);
            disk.clear_faults();
            let mut draws = lot;
            disk.cut_power(&mut |below| draw(&mut draws, below));
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
        let mut store = open(&disk.folder()).unwrap();
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
        let mut store = open(&disk.folder()).unwrap();
        commit(&mut store, 1).unwrap();
        disk.plan(Fault::SyncFails { after: 0 });
        assert!(commit(&mut store, 2).is_err());
        disk.kill_process();
        let mut store = open(&disk.folder()).unwrap();
        commit(&mut store, 3).unwrap();
        disk.cut_power(&mut |below| below - 1);
        assert_eq!(last(&disk.folder()), 3, "seed {seed}");
    }
}

/// The next process dies too, while it moves what the failed sync left, and then the power goes:
/// the batch is there as a whole or not at all.
#[test]
fn a_start_that_dies_after_a_failed_sync_tears_nothing() {
    for seed in 0..8 {
        for after in 0.. {
            let disk = Disk::new(seed);
            commit(&mut open(&disk.folder()).unwrap(), 1).unwrap();
            // The WAL begins anew, so that nothing older in it heals what tears. Its first sync is that
            // of its header.
            let mut store = open(&disk.folder()).unwrap();
            disk.plan(Fault::SyncFails { after: 1 });
            assert!(commit(&mut store, 2).is_err());
            disk.kill_process();
            disk.plan(Fault::Dies { after });
            let got = open(&disk.folder()).is_ok();
            disk.clear_faults();
            let mut draws = seed;
            disk.cut_power(&mut |below| draw(&mut draws, below));
            let found = last(&disk.folder());
            assert!(found == 1 || found == 2, "{seed} {after}");
            if got {
                break;
            }
        }
    }
}
