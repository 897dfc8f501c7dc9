//! Adds up what closed business dates moved, and has it settled.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use spotpay_core::command::{Command, Settle};
use spotpay_core::decide::{Reply, SettleRefusal};
use spotpay_core::settlement::{Batch, Moves, SettlementKey};
use spotpay_core::time::CivilDate;
use spotpay_store::sqlite::DayMoves;

use super::JobError;
use crate::app::App;

/// Accounts whose batches wait for the engine at once: fewer than one partner's queue holds.
const AT_ONCE: usize = 128;

/// Whose wish a settlement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The clock's: accounts whose calendar says so.
    Calendar,
    /// Somebody's in the sandbox: every account.
    Demand,
}

/// Settles, on the date `on`, what was not settled of the dates up to `until`.
///
/// # Errors
/// [`JobError`]: what is settled stays settled.
pub async fn settle(
    app: &Arc<App>,
    until: CivilDate,
    on: CivilDate,
    wish: Wish,
) -> Result<Vec<Batch>, JobError> {
    let open = app.readers.read(|reader| reader.unsettled(until))?;
    let wanted: Vec<_> = open
        .into_iter()
        .filter(|(key, ..)| match wish {
            Wish::Calendar => is_settlement_day(app, *key, on),
            Wish::Demand => true,
        })
        .collect();
    let Some(first) = wanted.iter().map(|(_, _, first)| *first).min() else {
        return Ok(Vec::new());
    };
    let days = add_up(app, first, until).await?;
    let mut batches = Vec::new();
    for some in wanted.chunks(AT_ONCE) {
        let mut waiting = Vec::with_capacity(some.len());
        for (key, after, first) in some {
            let own = days.get(key).map(Vec::as_slice).unwrap_or_default();
            let Some(moves) = sum(*key, own, *after)? else {
                continue;
            };
            let settle = Settle {
                key: *key,
                after: *after,
                first: *first,
                last: until,
                date: on,
                moves,
            };
            waiting.push(app.engine.submit(Command::Settle(Box::new(settle))));
        }
        // All at once, so that they share their commits.
        for reply in join_all(waiting).await {
            let Reply::Settled(settled) = reply? else {
                return Err(JobError::Confused);
            };
            match settled {
                Ok(batch) => batches.push(*batch),
                // Somebody else was first, or there is nothing: the next run looks again.
                Err(
                    SettleRefusal::DatesMoved | SettleRefusal::Nothing | SettleRefusal::NotOver,
                ) => {}
                Err(SettleRefusal::Money(_)) => return Err(JobError::Sum),
            }
        }
    }
    Ok(batches)
}

fn is_settlement_day(app: &App, key: SettlementKey, on: CivilDate) -> bool {
    let snapshot = app.snapshot.load();
    let Some(entry) = snapshot.partner(key.partner) else {
        return false;
    };
    let calendar = entry.partner.contract.calendar;
    snapshot.config.calendars.is_working_day(calendar, on)
}

/// What moved, by account and day; beside the threads that answer payments.
async fn add_up(
    app: &Arc<App>,
    first: CivilDate,
    until: CivilDate,
) -> Result<HashMap<SettlementKey, Vec<DayMoves>>, JobError> {
    let reading = Arc::clone(app);
    let read = move || -> Result<_, spotpay_store::StoreError> {
        let mut days: HashMap<SettlementKey, Vec<DayMoves>> = HashMap::new();
        let mut date = first;
        while date <= until {
            for moved in reading.readers.read(|reader| reader.moves_of_day(date))? {
                days.entry(moved.key).or_default().push(moved);
            }
            date = date.plus_days(1);
        }
        Ok(days)
    };
    let days = app.blocking(read).await.ok_or(JobError::Stopped)?;
    Ok(days?)
}

/// The sum of the days behind the last batch; none when nothing moved.
fn sum(
    key: SettlementKey,
    days: &[DayMoves],
    after: Option<CivilDate>,
) -> Result<Option<Moves>, JobError> {
    let mut sum = Moves::nothing(key.currency);
    for day in days.iter().filter(|day| after < Some(day.date)) {
        sum = sum.and(&day.moves).map_err(|_| JobError::Sum)?;
    }
    Ok((sum.count > 0).then_some(sum))
}
