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
