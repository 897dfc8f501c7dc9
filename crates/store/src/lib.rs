//! Rows to core types and back: the [`Store`] seam, the SQLite store behind it, and what pages read.
//!
//! SQL drivers live in this crate only. The engine owns one [`Store`] per lane and is the only
//! writer; everything else reads through [`sqlite::Reader`].

mod check;
mod error;
pub mod request_log;
pub mod sqlite;

use spotpay_core::command::{Command, Keys};
use spotpay_core::config::Config;
use spotpay_core::time::Timestamp;
use spotpay_core::working_set::WorkingSet;

pub use check::{Report, TrialLine};
pub use error::{CommitError, StoreError};

/// The number of a batch, made by the engine before it commits; how doubt is cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchId(pub i64);

/// Where the engine loads and commits. One value is one lane; it is used by one thread at a time.
pub trait Store: Send {
    /// The rows that the keys name, and the wallets of the trades among them, held for this lane
    /// until [`Store::commit`] or [`Store::abandon`].
    ///
    /// # Errors
    /// A fault of the store; nothing is held.
    fn load(&mut self, keys: &Keys) -> Result<WorkingSet, StoreError>;

    /// Writes what the batch changed, in one durable transaction: when this returns, the disk has it.
    ///
    /// # Errors
    /// [`CommitError::Failed`]: nothing of it is stored. [`CommitError::InDoubt`]: it may be.
    fn commit(
        &mut self,
        set: &WorkingSet,
        batch: BatchId,
        now: Timestamp,
    ) -> Result<(), CommitError>;

    /// Lets go of what was loaded: there is nothing to write.
    fn abandon(&mut self);

    /// After doubt: whether the batch is stored. Until this returns, nobody may be answered.
    ///
    /// # Errors
    /// The store does not answer yet; try again.
    fn resolve(&mut self, batch: BatchId) -> Result<bool, StoreError>;

    /// The configuration as stored.
    ///
    /// # Errors
    /// A fault of the store, or rows that no longer mean anything.
    fn config(&mut self) -> Result<Config, StoreError>;

    /// The commands of everything that is due at an instant, trades that wait and refunds for the
    /// batch, the earliest first, at most so many.
    ///
    /// # Errors
    /// A fault of the store.
    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Command>, StoreError>;

    /// When the next of them is due.
    ///
    /// # Errors
    /// A fault of the store.
    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// What the last process left: where ids and time go on from.
    ///
    /// # Errors
    /// A fault of the store.
    fn resume(&mut self) -> Result<Resume, StoreError>;

    /// What is due between two batches, once their callers are answered: short, and never needed
    /// for correctness.
    ///
    /// # Errors
    /// A fault of the store; nothing is lost.
    fn maintain(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Leaves everything in the main file, for whoever copies it while nobody serves.
    ///
    /// # Errors
    /// A fault of the store; nothing is lost.
    fn close(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// One slice of work that waits behind the commits; whether there is more.
    ///
    /// # Errors
    /// A fault of the store.
    fn tend(&mut self, rows: usize) -> Result<bool, StoreError>;

    /// Throws away every row: an empty store with the newest schema.
    ///
    /// # Errors
    /// A fault of the store.
    fn reset(&mut self) -> Result<(), StoreError>;
}

/// Where a new process goes on from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resume {
    /// The last batch.
    pub batch: BatchId,
    /// Its instant; `now` may not go below it.
    pub at: Timestamp,
    /// The number in the newest trade's id, and the second in which it was made.
    pub newest: Option<(Timestamp, u32)>,
}
