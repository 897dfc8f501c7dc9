//! Settlement: what a partner is owed for closed business dates, as one numbered batch
//! (`spec/13`, 26 and 27).

use crate::id::{EventId, PartnerId};
use crate::money::{Currency, Money, MoneyError};
use crate::time::{CivilDate, Timestamp};

/// What is settled together: one partner's account in one currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SettlementKey {
    /// Whose.
    pub partner: PartnerId,
    /// In which currency.
    pub currency: Currency,
}

/// What moved on a partner's account on some business dates; every sum is zero or more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moves {
    /// Payments.
    pub gross: Money,
    /// What went back, by refunds and cancels.
    pub refunds: Money,
    /// Our share of the payments.
    pub commission: Money,
    /// What of it came back.
    pub commission_back: Money,
    /// Payments, refunds and cancels.
    pub count: u64,
}

impl Moves {
    /// Nothing.
    pub const fn nothing(currency: Currency) -> Self {
        Self {
            gross: Money::zero(currency),
            refunds: Money::zero(currency),
            commission: Money::zero(currency),
            commission_back: Money::zero(currency),
            count: 0,
        }
    }

    /// Both together.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn and(&self, other: &Self) -> Result<Self, MoneyError> {
        Ok(Self {
            gross: self.gross.checked_add(other.gross)?,
            refunds: self.refunds.checked_add(other.refunds)?,
            commission: self.commission.checked_add(other.commission)?,
            commission_back: self.commission_back.checked_add(other.commission_back)?,
            count: self.count.saturating_add(other.count),
        })
    }

    /// What is owed for them; below zero when more went back than came in.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.gross
            .checked_sub(self.refunds)?
            .checked_sub(self.commission)?
            .checked_add(self.commission_back)
    }
}

/// A settlement batch: business dates of one partner in one currency, settled together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Its number: the event of its payout.
    pub id: EventId,
    /// Whose, and in which currency.
    pub key: SettlementKey,
    /// The date of settlement, S.
    pub date: CivilDate,
    /// The first business date in it.
    pub first: CivilDate,
    /// The last one.
    pub last: CivilDate,
    /// What moved.
    pub moves: Moves,
    /// What was left below zero by the batch before.
    pub carried_in: Money,
    /// What is paid out through the bank: zero when nothing is owed.
    pub paid_out: Money,
    /// When it was settled.
    pub at: Timestamp,
}

impl Batch {
    /// What is left below zero for the next batch.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn carried_out(&self) -> Result<Money, MoneyError> {
        let owed = self.moves.net()?.checked_add(self.carried_in)?;
        owed.checked_sub(self.paid_out)
    }
}

/// Which of the two files of a day (`spec/07`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileKind {
    /// All payments, refunds and cancels of a business date.
    Transaction,
    /// What the settlement batches of a day hold.
    Settlement,
}

impl FileKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Transaction, Self::Settlement];

    /// The word in a file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Settlement => "settlement",
        }
    }
}

/// What a published file is kept under: there is one of a kind for a partner and a date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileKey {
    /// Whose.
    pub partner: PartnerId,
    /// Which of the two.
    pub kind: FileKind,
    /// The business date of the transactions, or the day of the settlement.
    pub date: CivilDate,
}

/// A published file: it never changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishedFile {
    /// Which.
    pub key: FileKey,
    /// Records, without the lines above them.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// When it was published.
    pub at: Timestamp,
}
