//! Settlement: closes business dates into a batch and pays out what is owed.

use crate::command::Settle;
use crate::decide::{Context, Decision, EventEntries, Reply};
use crate::ledger::{Account, Cause};
use crate::money::{Money, MoneyError};
use crate::settlement::{Batch, PublishedFile};
use crate::working_set::{Changes, WorkingSet};

/// Why there is no batch, in the order of the checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettleRefusal {
    /// A date is not over yet.
    NotOver,
    /// Another batch holds some of these dates, or one before them is not settled: what moved has
    /// to be added up anew.
    DatesMoved,
    /// Nothing moved on these dates.
    Nothing,
    /// A sum does not fit.
    Money(MoneyError),
}

impl From<MoneyError> for SettleRefusal {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

pub(super) fn decide(set: &WorkingSet, settle: &Settle, context: &Context<'_>) -> Decision {
    match settle_days(set, settle, context) {
        Ok((changes, batch)) => Decision {
            changes,
            reply: Reply::Settled(Ok(Box::new(batch))),
        },
        Err(refusal) => Decision::unchanged(Reply::Settled(Err(refusal))),
    }
}

fn settle_days(
    set: &WorkingSet,
    settle: &Settle,
    context: &Context<'_>,
) -> Result<(Changes, Batch), SettleRefusal> {
    if context.now.business_date() <= settle.last {
        return Err(SettleRefusal::NotOver);
    }
    let before = set.last_batch(settle.key);
    if before.map(|batch| batch.last) != settle.after || settle.after >= Some(settle.last) {
        return Err(SettleRefusal::DatesMoved);
    }
    if settle.moves.count == 0 {
        return Err(SettleRefusal::Nothing);
    }
    let currency = settle.key.currency;
    let carried_in = match before {
        Some(batch) => batch.carried_out()?,
        None => Money::zero(currency),
    };
    let owed = settle.moves.net()?.checked_add(carried_in)?;
    let paid_out = if owed.minor() > 0 {
        owed
    } else {
        Money::zero(currency)
    };
    let event = context.event_id(0);
    let event = event.ok_or(SettleRefusal::Money(MoneyError::Overflow))?;
    let mut entries = EventEntries::new(event, None);
    entries.add(
        Account::PartnerPayable(settle.key.partner),
        Account::BankClearing,
        paid_out,
        Cause::Settlement,
    );
    let batch = Batch {
        id: event,
        key: settle.key,
        date: settle.date,
        first: settle.first,
        last: settle.last,
        moves: settle.moves,
        carried_in,
        paid_out,
        at: context.now,
    };
    let changes = Changes {
        entries: entries.entries,
        batch: Some(Box::new(batch.clone())),
        ..Changes::default()
    };
    Ok((changes, batch))
}

/// A file that is published stays as it is.
pub(super) fn decide_publish(set: &WorkingSet, file: &PublishedFile) -> Decision {
    if let Some(known) = set.file(file.key) {
        return Decision::unchanged(Reply::Published(Box::new(known.clone())));
    }
    Decision {
        changes: Changes {
            file: Some(Box::new(file.clone())),
            ..Changes::default()
        },
        reply: Reply::Published(Box::new(file.clone())),
    }
}
