//! What was committed is there after every crash, whole, and nothing is there by half; on a disk
//! that lies about syncs the same check finds the loss.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]

use std::collections::BTreeMap;

use fastrand::Rng;
use rusqlite::{Connection, Error};
use spotpay_disk::{Disk, Fault};

const PLACES: i64 = 8;
const SUM: i64 = 8_000;
const STEPS: u32 = 40;

/// One world: a disk, what it must hold, and what it may hold.
struct World {
    disk: Disk,
    rng: Rng,
    /// The last transaction whose COMMIT said yes.
    sure: i64,
    /// Every transaction that was tried, by number: from where to where, and how much.
    tried: BTreeMap<i64, (i64, i64, i64)>,
}

impl World {
    fn new(seed: u64, lies: bool) -> Self {
        let disk = Disk::new(seed);
        let connection = open(&disk).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE place (id INTEGER PRIMARY KEY, amount INTEGER, pad TEXT);
                 CREATE TABLE done (n INTEGER PRIMARY KEY, pad TEXT);
                 INSERT INTO place SELECT value, 1000, '' FROM json_each('[1,2,3,4,5,6,7,8]');",
            )
            .unwrap();
        drop(connection);
        disk.lie_about_syncs(lies);
        Self {
            disk,
            rng: Rng::with_seed(seed),
            sure: 0,
            tried: BTreeMap::new(),
        }
    }

    /// Plays one world to its end; the hash of its trace, or what was lost.
    fn play(seed: u64, lies: bool) -> Result<u64, String> {
        let mut world = Self::new(seed, lies);
        let mut connection = world.reopen()?;
        for step in 0..STEPS {
            world.plan();
            let went_right = world.step(&connection).is_ok();
            let crashes = world.rng.u32(..8) == 0;
            if crashes {
                world.crash();
            }
            if !went_right || crashes {
                world.disk.clear_faults();
                world.disk.set_capacity(None);
                // A call that died inside is a crash as well.
                if !crashes && world.disk.is_dying() {
                    world.crash();
                }
                drop(connection);
                connection = world
                    .reopen()
                    .map_err(|lost| format!("step {step}: {lost}"))?;
            }
        }
        world.disk.clear_faults();
        world.disk.set_capacity(None);
        world.crash();
        world.reopen()?;
        Ok(world.disk.trace_hash())
    }

    fn plan(&mut self) {
        let after = self.rng.u64(..12);
        let fault = match self.rng.u32(..16) {
            0 => Fault::WriteFails { after },
            1 => Fault::ShortWrite { after },
            2 => Fault::Full { after },
            3 => Fault::ReadFails { after: after / 4 },
            4 => Fault::TruncateFails { after: 0 },
            5 => Fault::SyncFails { after: after / 6 },
            6..9 => Fault::Dies { after },
            9 => {
                let room = self.rng.u64(..20_000);
                self.disk.set_capacity(Some(self.disk.used() + room));
                return;
            }
            _ => return,
        };
        self.disk.plan(fault);
    }

    /// One transaction, and sometimes a reader or a checkpoint beside it.
    fn step(&mut self, connection: &Connection) -> Result<(), Error> {
        let reader = if self.rng.u32(..4) == 0 {
            let reader = Connection::open(self.disk.folder().join("test.db"))?;
            reader.execute_batch("BEGIN; SELECT * FROM done")?;
            Some(reader)
        } else {
            None
        };
        let n = self.sure + 1;
        let (from, to) = (self.rng.i64(1..=PLACES), self.rng.i64(1..=PLACES));
        let amount = self.rng.i64(1..100);
        let pad = self.rng.usize(..6_000);
        self.tried.insert(n, (from, to, amount));
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             UPDATE place SET amount = amount - {amount}, pad = hex(zeroblob({pad})) WHERE id = {from};
             UPDATE place SET amount = amount + {amount} WHERE id = {to};
             INSERT INTO done VALUES ({n}, hex(zeroblob({pad} / 7)));
             COMMIT"
        ))?;
        self.sure = n;
        if let Some(reader) = reader {
            let seen = read(&reader, "SELECT sum(amount) FROM place")?;
            assert_eq!(seen, SUM);
        }
        if self.rng.u32(..4) == 0 {
            let mode = ["PASSIVE", "FULL", "TRUNCATE"][self.rng.usize(..3)];
            connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
        }
        Ok(())
    }

    fn crash(&mut self) {
        if self.rng.bool() {
            self.disk.kill_process();
        } else {
            let rng = &mut self.rng;
            self.disk.cut_power(&mut |below| rng.u64(..below));
        }
    }

    /// Opens what is there and holds it against what must be.
    fn reopen(&mut self) -> Result<Connection, String> {
        let connection = open(&self.disk).map_err(|error| format!("open: {error}"))?;
        let found = self.check(&connection)?;
        // Doubt is cleared: from now on it is this.
        self.sure = found;
        Ok(connection)
    }

    fn check(&self, connection: &Connection) -> Result<i64, String> {
        let said = |error: Error| error.to_string();
        let health: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .map_err(said)?;
        if health != "ok" {
            return Err(health);
        }
        let last = read(connection, "SELECT ifnull(max(n), 0) FROM done").map_err(said)?;
        let count = read(connection, "SELECT count(*) FROM done").map_err(said)?;
        if count != last || last < self.sure || last > self.sure + 1 {
            return Err(format!("{count} up to {last}, sure of {}", self.sure));
        }
        let mut amounts: BTreeMap<i64, i64> = (1..=PLACES).map(|id| (id, SUM / PLACES)).collect();
        for (from, to, amount) in self.tried.range(..=last).map(|(_, moved)| moved) {
            *amounts.entry(*from).or_default() -= amount;
            *amounts.entry(*to).or_default() += amount;
        }
        for (id, amount) in amounts {
            let sql = format!("SELECT amount FROM place WHERE id = {id}");
            let found = read(connection, &sql).map_err(said)?;
            if found != amount {
                return Err(format!("place {id} has {found}, not {amount}"));
            }
        }
        Ok(last)
    }
}

/// Opens the file as the store does after doubt: what the WAL holds is moved and the WAL cut off,
/// because a failed sync may have left pages that only look clean.
fn open(disk: &Disk) -> Result<Connection, Error> {
    let connection = Connection::open(disk.folder().join("test.db"))?;
    connection.execute_batch(
        "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(connection)
}

fn read(connection: &Connection, sql: &str) -> Result<i64, Error> {
    connection.query_row(sql, [], |row| row.get(0))
}

/// Whatever fails and wherever it stops, what was committed is there and nothing is by half.
#[test]
fn what_was_committed_outlives_every_crash() {
    for seed in 0..250 {
        if let Err(lost) = World::play(seed, false) {
            panic!("seed {seed}: {lost}");
        }
    }
}

/// The check above would see a loss: on a disk that lies about syncs it does, in most worlds.
#[test]
fn a_lying_disk_is_found_out() {
    let lost = (0..40).filter(|seed| World::play(*seed, true).is_err());
    let count = lost.count();
    assert!(count > 20, "{count} of 40");
}

/// A seed gives the same calls each time, and another seed gives others.
#[test]
fn a_seed_repeats_its_calls() {
    for seed in 0..20 {
        assert_eq!(World::play(seed, false), World::play(seed, false), "{seed}");
    }
    assert_ne!(World::play(1, false), World::play(2, false));
}

/// A commit that dies at any of its calls is there as a whole or not at all, wherever the power
/// goes and whatever of it the platter kept.
#[test]
fn a_commit_is_whole_or_not_there_at_every_call() {
    for checkpoints in [false, true] {
        for kept in 0..24 {
            let mut after = 0;
            loop {
                let mut world = World::new(kept, false);
                let connection = world.reopen().unwrap();
                connection
                    .execute_batch("UPDATE place SET pad = hex(zeroblob(900))")
                    .unwrap();
                world.disk.plan(Fault::Dies { after });
                let sql = "BEGIN; UPDATE place SET amount = amount - 5 WHERE id = 1;
                           UPDATE place SET amount = amount + 5 WHERE id = 2;
                           INSERT INTO done VALUES (1, hex(zeroblob(4000))); COMMIT";
                world.tried.insert(1, (1, 2, 5));
                if connection.execute_batch(sql).is_ok() {
                    world.sure = 1;
                }
                if checkpoints {
                    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
                    let _: Result<(), Error> = connection.query_row(sql, [], |_| Ok(()));
                }
                let died = world.disk.is_dying();
                world.disk.clear_faults();
                let rng = &mut world.rng;
                world.disk.cut_power(&mut |below| rng.u64(..below));
                drop(connection);
                if let Err(lost) = world.reopen() {
                    panic!("kept {kept}, died at {after}, checkpoints {checkpoints}: {lost}");
                }
                if !died {
                    break;
                }
                after += 1;
            }
            assert!(after > 3, "a commit is several calls");
        }
    }
}
