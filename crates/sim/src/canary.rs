//! Deliberately broken gateways: each has one mistake that a checker must find. They wrap the seam
//! between engine and store, and nothing that `serve` starts can reach them.

use rusqlite::Connection;
use spotpay_core::command::{Command, Keys};
use spotpay_core::config::Config;
use spotpay_core::time::Timestamp;
use spotpay_core::working_set::WorkingSet;
use spotpay_store::sqlite::SqliteStore;
use spotpay_store::{BatchId, CommitError, Resume, Store, StoreError};

/// One mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Canary {
    /// Does not know a trade's number again.
    ForgetsIds,
    /// Answers before the disk has the batch.
    AnswersBeforeSync,
    /// Answers some batches that it does not store.
    LosesBatches,
    /// Does not know a refund's number again.
    RefundsTwice,
    /// Loses what partners must hear.
    LosesLetters,
    /// Puts a day into two batches.
    SettlesTwice,
    /// Takes a payment code as often as it is shown.
    ReusesCodes,
    /// Takes one unit too much commission.
    RoundsUp,
}

impl Canary {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForgetsIds => "forgets-ids",
            Self::AnswersBeforeSync => "answers-before-sync",
            Self::LosesBatches => "loses-batches",
            Self::RefundsTwice => "refunds-twice",
            Self::LosesLetters => "loses-letters",
            Self::SettlesTwice => "settles-twice",
            Self::ReusesCodes => "reuses-codes",
            Self::RoundsUp => "rounds-up",
        }
    }

    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ForgetsIds,
        Self::AnswersBeforeSync,
        Self::LosesBatches,
        Self::RefundsTwice,
        Self::LosesLetters,
        Self::SettlesTwice,
        Self::ReusesCodes,
        Self::RoundsUp,
    ];
}

/// A store with a mistake.
pub(crate) struct Spoilt {
    inner: SqliteStore,
    canary: Canary,
    hand: Connection,
    rng: fastrand::Rng,
}

impl Spoilt {
    pub(crate) fn new(inner: SqliteStore, canary: Canary, seed: u64) -> Result<Self, StoreError> {
        let hand = Connection::open(inner.path())?;
        // What the schema itself would refuse is no longer refused.
        let indexes = match canary {
            Canary::ForgetsIds => "DROP INDEX IF EXISTS trade_by_partner_trans_id",
            Canary::RefundsTwice => "DROP INDEX IF EXISTS refund_by_partner_refund_id",
            Canary::SettlesTwice => "DROP INDEX IF EXISTS settlement_batch_by_last",
            Canary::AnswersBeforeSync
            | Canary::LosesBatches
            | Canary::LosesLetters
            | Canary::ReusesCodes
            | Canary::RoundsUp => "",
        };
        hand.execute_batch(indexes)?;
        Ok(Self {
            inner,
            canary,
            hand,
            rng: fastrand::Rng::with_seed(seed),
        })
    }

    fn is_time(&mut self, one_in: u8) -> bool {
        self.rng.u8(..one_in) == 0
    }

    /// What the mistake does to rows that are stored.
    fn spoil(&mut self, set: &WorkingSet) {
        let writes = set.writes();
        let sql = match self.canary {
            Canary::LosesLetters if !writes.notifications_new.is_empty() => {
                "DELETE FROM notification WHERE key = (SELECT max(key) FROM notification)"
            }
            Canary::SettlesTwice if !writes.batches.is_empty() => {
                "CREATE TEMP TABLE again AS SELECT * FROM settlement_batch
                     WHERE key = (SELECT max(key) FROM settlement_batch);
                 UPDATE again SET key = key + 1;
                 INSERT INTO settlement_batch SELECT * FROM again;
                 DROP TABLE again"
            }
            Canary::RoundsUp if !writes.slots_new.is_empty() => {
                "UPDATE trade SET commission = commission + 1
                     WHERE key = (SELECT max(key) FROM trade) AND state = 1"
            }
            Canary::ForgetsIds
            | Canary::AnswersBeforeSync
            | Canary::LosesBatches
            | Canary::RefundsTwice
            | Canary::LosesLetters
            | Canary::SettlesTwice
            | Canary::ReusesCodes
            | Canary::RoundsUp => return,
        };
        // A mistake that the disk does not take is made another time.
        let _ = self.hand.execute_batch(sql);
    }
}

impl Store for Spoilt {
    fn load(&mut self, keys: &Keys) -> Result<WorkingSet, StoreError> {
        let mut keys = keys.clone();
        match self.canary {
            Canary::ForgetsIds => keys.trades.clear(),
            // Only where a request names one: the night's batch would wait for ever.
            Canary::RefundsTwice if !keys.trades.is_empty() => keys.refunds.clear(),
            Canary::ReusesCodes => {
                let _ = self.hand.execute("UPDATE wallet SET codes_used = NULL", []);
            }
            Canary::AnswersBeforeSync
            | Canary::LosesBatches
            | Canary::LosesLetters
            | Canary::RefundsTwice
            | Canary::SettlesTwice
            | Canary::RoundsUp => {}
        }
        self.inner.load(&keys)
    }

    fn commit(
        &mut self,
        set: &WorkingSet,
        batch: BatchId,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        if self.canary == Canary::LosesBatches && self.is_time(20) {
            self.inner.abandon();
            return Ok(());
        }
        self.inner.commit(set, batch, now)?;
        self.spoil(set);
        Ok(())
    }

    fn abandon(&mut self) {
        self.inner.abandon();
    }

    fn resolve(&mut self, batch: BatchId) -> Result<bool, StoreError> {
        self.inner.resolve(batch)
    }

    fn config(&mut self) -> Result<Config, StoreError> {
        self.inner.config()
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Command>, StoreError> {
        self.inner.due(now, limit)
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due()
    }

    fn resume(&mut self) -> Result<Resume, StoreError> {
        self.inner.resume()
    }

    fn maintain(&mut self) -> Result<(), StoreError> {
        self.inner.maintain()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.inner.close()
    }

    fn tend(&mut self, rows: usize) -> Result<bool, StoreError> {
        self.inner.tend(rows)
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        self.inner.reset()
    }
}
