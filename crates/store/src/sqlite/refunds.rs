//! Refunds: rows to values and back.

use rusqlite::{Connection, Row, named_params, params};
use spotpay_core::id::{EventId, PartnerId, TradeId};
use spotpay_core::ledger::Account;
use spotpay_core::money::{Currency, Money};
use spotpay_core::refund::{Refund, RefundKey, RefundMode, RefundMoved, RefundState};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{Dialect, TradeKey};
use spotpay_core::working_set::WorkingSet;

use super::read::{all, one};
use super::rows::{self, corrupt};
use crate::StoreError;

/// The columns that [`refund`] reads, in their order, and where they come from.
macro_rules! select_refund {
    ($where:literal) => {
        concat!(
            "SELECT refund.key, refund.partner, partner_refund_id, refund.trade, trade.partner_trans_id, \
             refund.amount, refund.currency, mode, refund.state, due, short, at, refund.event, \
             refund.buyer_amount, buyer_currency, refund.commission_returned, reason, refund.notify_url, refund.dialect \
             FROM refund JOIN trade ON trade.key = refund.trade ",
            $where
        )
    };
}

fn refund(row: &Row<'_>) -> Result<Refund, StoreError> {
    let partner = rows::partner_id(row.get(1)?, "refund")?;
    let id: String = row.get(2)?;
    let trans_id: String = row.get(4)?;
    let price = rows::currency(row.get(6)?, "refund")?;
    Ok(Refund {
        id: rows::event_id(row.get(0)?),
        key: RefundKey {
            partner,
            id: id
                .parse()
                .map_err(|_| corrupt("refund", "partner_refund_id"))?,
        },
        trade: rows::trade_id(row.get(3)?),
        trade_key: TradeKey {
            partner,
            id: trans_id
                .parse()
                .map_err(|_| corrupt("trade", "partner_trans_id"))?,
        },
        amount: rows::amount(row.get(5)?, price, "refund")?,
        mode: match row.get(7)? {
            0 => RefundMode::Sync,
            1 => RefundMode::Async,
            _ => return Err(corrupt("refund", "mode")),
        },
        reason: row.get(16)?,
        notify_url: row.get(17)?,
        dialect: Dialect(row.get(18)?),
        state: state(row, price)?,
    })
}

fn state(row: &Row<'_>, price: Currency) -> Result<RefundState, StoreError> {
    let at =
        |index| -> Result<Timestamp, StoreError> { Ok(Timestamp::from_micros(row.get(index)?)) };
    Ok(match row.get(8)? {
        0 => RefundState::Accepted {
            due: at(9)?,
            short: row
                .get::<_, Option<i64>>(10)?
                .is_some_and(|short| short == 1),
        },
        1 => RefundState::Done(RefundMoved {
            at: at(11)?,
            event: rows::event_id(row.get(12)?),
            buyer_amount: Money::of_minor(row.get(13)?, rows::currency(row.get(14)?, "refund")?),
            commission_returned: Money::of_minor(row.get(15)?, price),
        }),
        2 => RefundState::FundsShort { at: at(11)? },
        3 => RefundState::Cancelled { at: at(11)? },
        _ => return Err(corrupt("refund", "state")),
    })
}

pub(super) fn by_key(
    connection: &Connection,
    key: &RefundKey,
) -> Result<Option<Refund>, StoreError> {
    let partner = rows::number(key.partner.number());
    one(
        connection,
        select_refund!("WHERE refund.partner = ? AND partner_refund_id = ?"),
        params![partner, key.id.as_str()],
        refund,
    )
}

pub(super) fn by_id(connection: &Connection, id: EventId) -> Result<Option<Refund>, StoreError> {
    one(
        connection,
        select_refund!("WHERE refund.key = ?"),
        [rows::event_key(id)],
        refund,
    )
}

pub(super) fn by_event(
    connection: &Connection,
    event: EventId,
) -> Result<Option<Refund>, StoreError> {
    one(
        connection,
        select_refund!("WHERE refund.event = ?"),
        [rows::event_key(event)],
        refund,
    )
}

pub(super) fn of_trade(
    connection: &Connection,
    trade: TradeId,
    accepted_only: bool,
) -> Result<Vec<Refund>, StoreError> {
    let key = rows::row_key(trade.as_i64());
    let sql = if accepted_only {
        select_refund!("WHERE refund.trade = ? AND refund.state = 0")
    } else {
        select_refund!("WHERE refund.trade = ? ORDER BY refund.key")
    };
    all(connection, sql, [key], refund)
}

/// The keys of refunds that are due, with their due instants, the earliest first.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(i64, RefundKey)>, StoreError> {
    all(
        connection,
        "SELECT due, partner, partner_refund_id FROM refund WHERE due <= ? ORDER BY due, key LIMIT ?",
        params![now.as_micros(), limit],
        |row| {
            let id: String = row.get(2)?;
            let key = RefundKey {
                partner: rows::partner_id(row.get(1)?, "refund")?,
                id: id
                    .parse()
                    .map_err(|_| corrupt("refund", "partner_refund_id"))?,
            };
            Ok((row.get(0)?, key))
        },
    )
}

/// What a partner is owed and was not settled, in each currency.
pub(super) fn funds(connection: &Connection, partner: PartnerId) -> Result<Vec<Money>, StoreError> {
    all(
        connection,
        "SELECT currency, sum(credits) - sum(debits) FROM account_total WHERE account = ? GROUP BY currency",
        [Account::PartnerPayable(partner).code()],
        |row| {
            Ok(Money::of_minor(
                row.get(1)?,
                rows::currency(row.get(0)?, "account_total")?,
            ))
        },
    )
}

/// The columns that tell a refund's state.
#[derive(Default)]
struct StateColumns {
    state: i64,
    due: Option<i64>,
    short: Option<i64>,
    at: Option<i64>,
    moved: Option<RefundMoved>,
}

impl StateColumns {
    fn of(state: &RefundState) -> Self {
        match state {
            RefundState::Accepted { due, short } => Self {
                due: Some(due.as_micros()),
                short: short.then_some(1),
                ..Self::default()
            },
            RefundState::Done(moved) => Self {
                state: 1,
                at: Some(moved.at.as_micros()),
                moved: Some(*moved),
                ..Self::default()
            },
            RefundState::FundsShort { at } => Self {
                state: 2,
                at: Some(at.as_micros()),
                ..Self::default()
            },
            RefundState::Cancelled { at } => Self {
                state: 3,
                at: Some(at.as_micros()),
                ..Self::default()
            },
        }
    }
}

pub(super) fn write(tx: &Connection, set: &WorkingSet) -> Result<(), StoreError> {
    let writes = set.writes();
    let find = |key| set.refund(key);
    for refund in writes.refunds_new.iter().filter_map(find) {
        let mode = match refund.mode {
            RefundMode::Sync => 0,
            RefundMode::Async => 1,
        };
        tx.prepare_cached(
            "INSERT INTO refund (key, partner, partner_refund_id, trade, amount, currency, mode, state, reason, notify_url,
             dialect) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        )?
        .execute(params![
            rows::event_key(refund.id),
            rows::number(refund.key.partner.number()),
            refund.key.id.as_str(),
            rows::row_key(refund.trade.as_i64()),
            refund.amount.money().minor(),
            refund.amount.currency().numeric(),
            mode,
            refund.reason,
            refund.notify_url,
            refund.dialect.0,
        ])?;
    }
    let both = writes.refunds_new.iter().chain(&writes.refunds_changed);
    for refund in both.filter_map(find) {
        update(tx, refund)?;
    }
    Ok(())
}

fn update(tx: &Connection, refund: &Refund) -> Result<(), StoreError> {
    let columns = StateColumns::of(&refund.state);
    let moved = columns.moved;
    let changed = tx
        .prepare_cached(
            "UPDATE refund SET state = :state, due = :due, short = :short, at = :at, event = :event,
             buyer_amount = :buyer_amount, buyer_currency = :buyer_currency,
             commission_returned = :commission_returned WHERE key = :key",
        )?
        .execute(named_params! {
            ":key": rows::event_key(refund.id),
            ":state": columns.state,
            ":due": columns.due,
            ":short": columns.short,
            ":at": columns.at,
            ":event": moved.map(|moved| rows::event_key(moved.event)),
            ":buyer_amount": moved.map(|moved| moved.buyer_amount.minor()),
            ":buyer_currency": moved.map(|moved| moved.buyer_amount.currency().numeric()),
            ":commission_returned": moved.map(|moved| moved.commission_returned.minor()),
        })?;
    if changed == 1 {
        Ok(())
    } else {
        Err(corrupt("refund", "key"))
    }
}
