//! One batch, one transaction.

use rusqlite::{CachedStatement, Connection, OptionalExtension, named_params, params};
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{ClosedMark, Payment, Slot, Trade, TradeState};
use spotpay_core::wallet::{Confirmation, Wallet, WalletState};
use spotpay_core::working_set::{TimerChange, WorkingSet, Writes};

use super::{LANE, config, notifications, refunds, rows, settlement, stores};
use crate::{BatchId, CommitError, StoreError};

/// Writes the batch into the transaction that its load began, and syncs it. Anything that fails
/// before COMMIT leaves nothing behind.
pub(super) fn commit(
    connection: &Connection,
    set: &WorkingSet,
    batch: BatchId,
    now: Timestamp,
) -> Result<(), CommitError> {
    if let Err(error) = write_all(connection, set, batch, now) {
        roll_back(connection);
        return Err(CommitError::Failed(error));
    }
    let committed = connection
        .prepare_cached("COMMIT")
        .and_then(|mut commit| commit.execute([]));
    committed
        .map(|_| ())
        .map_err(|error| CommitError::InDoubt(error.into()))
}

/// Ends a transaction without a trace; SQLite may have ended it already after a fault.
pub(super) fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // What cannot be rolled back was not committed either; the next BEGIN will say so.
        let _ = connection
            .prepare_cached("ROLLBACK")
            .and_then(|mut roll_back| roll_back.execute([]));
    }
}

fn write_all(
    tx: &Connection,
    set: &WorkingSet,
    batch: BatchId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let writes = set.writes();
    write_slots(tx, set)?;
    write_entries(tx, writes)?;
    write_wallets(tx, set)?;
    write_timers(tx, writes)?;
    refunds::write(tx, set)?;
    notifications::write(tx, set)?;
    for shop in &writes.shops {
        config::write_shop(tx, shop)?;
    }
    for (key, taken) in &writes.turnovers {
        let partner = rows::number(key.partner.number());
        let currency = taken.currency().numeric();
        tx.prepare_cached(
            "INSERT OR REPLACE INTO turnover (partner, date, taken, currency) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![
            partner,
            key.date.as_days(),
            taken.minor(),
            currency
        ])?;
    }
    for device in &writes.devices {
        let (alias, wallet) = (device.alias.number(), rows::number(device.wallet.number()));
        tx.prepare_cached("INSERT INTO device (alias, wallet, secret) VALUES (?, ?, ?)")?
            .execute(params![alias, wallet, device.secret.expose()])?;
    }
    for change in &writes.config {
        config::write(tx, change)?;
    }
    stores::write(tx, set)?;
    settlement::write(tx, writes)?;
    tx.prepare_cached(
        "INSERT INTO lane (lane, batch, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (lane) DO UPDATE SET batch = ?2, at = ?3",
    )?
    .execute(params![LANE, batch.0, now.as_micros()])?;
    Ok(())
}

fn write_slots(tx: &Connection, set: &WorkingSet) -> Result<(), StoreError> {
    let writes = set.writes();
    if !writes.slots_new.is_empty() {
        let mut insert = tx.prepare_cached(
            "INSERT INTO trade (key, partner, partner_trans_id, state, amount, currency, wallet, inst, shop, content,
             code, title, terminal, memo, notify_url, rate, buyer_amount, paid_after, event, commission, refunded,
             refunded_buyer, commission_returned, closed_at, close_cause, dialect)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for slot in writes.slots_new.iter().filter_map(|key| set.slot(key)) {
            insert_slot(&mut insert, slot)?;
        }
    }
    for slot in writes.slots_changed.iter().filter_map(|key| set.slot(key)) {
        match slot {
            Slot::Trade(trade) => update_trade(tx, trade)?,
            Slot::Mark(_) => debug_assert!(false, "a mark never changes"),
        }
    }
    Ok(())
}

/// The columns that tell a trade's state.
struct StateColumns {
    state: i64,
    paid_after: Option<i64>,
    event: Option<i64>,
    payment: Option<Payment>,
    closed_at: Option<i64>,
    close_cause: Option<i64>,
}

impl StateColumns {
    fn of(trade: &Trade) -> Self {
        let (state, closed_at, close_cause) = match trade.state {
            TradeState::Waiting => (0, None, None),
            TradeState::Paid(_) => (1, None, None),
            TradeState::Closed { at, cause, .. } => {
                (2, Some(at.as_micros()), Some(rows::close_cause_code(cause)))
            }
        };
        let payment = trade.payment();
        let own = trade.id.as_i64();
        let event = payment
            .map(|payment| payment.event.as_i64())
            .filter(|event| *event != own);
        Self {
            state,
            paid_after: payment.map(|payment| payment.at.since(trade.created_at()).as_micros()),
            event: event.map(rows::row_key),
            payment,
            closed_at,
            close_cause,
        }
    }
}

fn insert_slot(insert: &mut CachedStatement<'_>, slot: &Slot) -> Result<(), StoreError> {
    match slot {
        Slot::Mark(mark) => insert_mark(insert, mark),
        Slot::Trade(trade) => insert_trade(insert, trade),
    }
}

fn insert_mark(insert: &mut CachedStatement<'_>, mark: &ClosedMark) -> Result<(), StoreError> {
    let (partner, id) = (
        rows::number(mark.key.partner.number()),
        mark.key.id.as_str(),
    );
    let (row_key, at, none) = (
        rows::row_key(mark.id.as_i64()),
        mark.at.as_micros(),
        None::<i64>,
    );
    insert.execute(params![
        row_key,
        partner,
        id,
        rows::MARK,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        none,
        at,
        none,
        0
    ])?;
    Ok(())
}

fn insert_trade(insert: &mut CachedStatement<'_>, trade: &Trade) -> Result<(), StoreError> {
    let columns = StateColumns::of(trade);
    let rate = trade
        .conversion
        .map(|conversion| i64::try_from(conversion.rate.e8()).unwrap_or(i64::MAX));
    let payment = columns.payment;
    insert.execute(params![
        rows::row_key(trade.id.as_i64()),
        rows::number(trade.key.partner.number()),
        trade.key.id.as_str(),
        columns.state,
        trade.amount.money().minor(),
        trade.amount.currency().numeric(),
        rows::number(trade.wallet.number()),
        rows::inst_code(trade.inst),
        trade.shop.0,
        trade.content.0,
        trade.code.0,
        trade.title,
        trade.terminal,
        trade.memo,
        trade.notify_url,
        rate,
        trade
            .conversion
            .map(|conversion| conversion.buyer_amount.money().minor()),
        columns.paid_after,
        columns.event,
        payment.map(|payment| payment.commission.minor()),
        payment.map(|payment| payment.refunded.minor()),
        payment.map(|payment| payment.refunded_buyer.minor()),
        payment.map(|payment| payment.commission_returned.minor()),
        columns.closed_at,
        columns.close_cause,
        trade.dialect.0,
    ])?;
    Ok(())
}

fn update_trade(tx: &Connection, trade: &Trade) -> Result<(), StoreError> {
    let columns = StateColumns::of(trade);
    let payment = columns.payment;
    let changed = tx
        .prepare_cached(
            "UPDATE trade SET state = :state, paid_after = :paid_after, event = :event, commission = :commission,
             refunded = :refunded, refunded_buyer = :refunded_buyer, commission_returned = :commission_returned,
             closed_at = :closed_at, close_cause = :close_cause, refund_pending = :refund_pending WHERE key = :key",
        )?
        .execute(named_params! {
            ":key": rows::row_key(trade.id.as_i64()),
            ":state": columns.state,
            ":paid_after": columns.paid_after,
            ":event": columns.event,
            ":commission": payment.map(|payment| payment.commission.minor()),
            ":refunded": payment.map(|payment| payment.refunded.minor()),
            ":refunded_buyer": payment.map(|payment| payment.refunded_buyer.minor()),
            ":commission_returned": payment.map(|payment| payment.commission_returned.minor()),
            ":closed_at": columns.closed_at,
            ":close_cause": columns.close_cause,
            // Where nothing waits the column stays empty, as it was when the trade was made.
            ":refund_pending": payment
                .map(|payment| payment.refund_pending.minor())
                .filter(|pending| *pending != 0),
        })?;
    if changed == 1 {
        Ok(())
    } else {
        Err(rows::corrupt("trade", "key"))
    }
}

fn write_entries(tx: &Connection, writes: &Writes) -> Result<(), StoreError> {
    if writes.entries.is_empty() {
        return Ok(());
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO entry (key, trade, debit, credit, amount, currency, cause) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for entry in &writes.entries {
        let own = entry.event.as_i64();
        let trade = entry
            .trade
            .map(|trade| trade.as_i64())
            .filter(|trade| *trade != own);
        insert.execute(params![
            rows::entry_key(entry.event, entry.number),
            trade.map(rows::row_key),
            entry.debit.code(),
            entry.credit.code(),
            entry.amount.money().minor(),
            entry.currency().numeric(),
            entry.cause.code(),
        ])?;
    }
    let mut add = tx.prepare_cached(
        "INSERT INTO account_total (account, currency, date, lane, debits, credits) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET debits = debits + ?5, credits = credits + ?6",
    )?;
    for ((account, currency, date), moved) in &writes.totals {
        let key = (account.code(), currency.numeric(), date.as_days());
        add.execute(params![
            key.0,
            key.1,
            key.2,
            LANE,
            moved.debits,
            moved.credits
        ])?;
    }
    Ok(())
}

fn write_wallets(tx: &Connection, set: &WorkingSet) -> Result<(), StoreError> {
    let writes = set.writes();
    for wallet in writes.wallets_new.iter().filter_map(|id| set.wallet(*id)) {
        tx.prepare_cached(
            "INSERT INTO wallet (id, name, login, inst, balance, state, confirmation, limit_per_payment,
             limit_per_day, limit_per_month, spent_date, spent_day, spent_month, codes_used)
             VALUES (?, ?, ?, ?, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0, NULL)",
        )?
        .execute(params![
            rows::number(wallet.id.number()),
            wallet.name,
            wallet.login,
            rows::inst_code(wallet.inst),
        ])?;
    }
    let mut update = tx.prepare_cached(
        "UPDATE wallet SET balance = ?2, state = ?3, confirmation = ?4, limit_per_payment = ?5,
         limit_per_day = ?6, limit_per_month = ?7, spent_date = ?8, spent_day = ?9, spent_month = ?10,
         codes_used = ?11 WHERE id = ?1",
    )?;
    let ids = writes.wallets_new.iter().chain(&writes.wallets_changed);
    for wallet in ids.filter_map(|id| set.wallet(*id)) {
        update_wallet(&mut update, wallet)?;
    }
    Ok(())
}

fn update_wallet(update: &mut CachedStatement<'_>, wallet: &Wallet) -> Result<(), StoreError> {
    let state = match wallet.state {
        WalletState::Active => 0,
        WalletState::Frozen => 1,
    };
    let confirmation = match wallet.confirmation {
        Confirmation::NotAsked => 0,
        Confirmation::Asked => 1,
    };
    let limit = |limit: Option<Amount>| limit.map(|limit| limit.money().minor());
    let changed = update.execute(params![
        rows::number(wallet.id.number()),
        wallet.balance.minor(),
        state,
        confirmation,
        limit(wallet.limits.per_payment),
        limit(wallet.limits.per_day),
        limit(wallet.limits.per_month),
        wallet.spent.date.as_days(),
        wallet.spent.day.minor(),
        wallet.spent.month.minor(),
        rows::codes_used_bytes(&wallet.codes_used),
    ])?;
    if changed == 1 {
        Ok(())
    } else {
        Err(rows::corrupt("wallet", "id"))
    }
}

fn write_timers(tx: &Connection, writes: &Writes) -> Result<(), StoreError> {
    for timer in &writes.timers {
        let (sql, due, trade) = match timer {
            TimerChange::Set(due, trade) => (
                "INSERT OR IGNORE INTO timer (due, trade) VALUES (?, ?)",
                due,
                trade,
            ),
            TimerChange::Clear(due, trade) => {
                ("DELETE FROM timer WHERE due = ? AND trade = ?", due, trade)
            }
        };
        tx.prepare_cached(sql)?
            .execute(params![due.as_micros(), rows::row_key(trade.id.as_i64())])?;
    }
    Ok(())
}

/// A list that is filled behind the commits, from the rows of a table in the order of their keys.
pub(super) struct Behind {
    /// The setting that holds the last key that is entered.
    pub(super) cursor: &'static str,
    /// Whether a key follows, and the last of the next slice.
    pub(super) next: [&'static str; 2],
    /// Enters the rows behind the key `?1`, up to `?2`.
    pub(super) insert: &'static str,
}

const ACTIVITY: Behind = Behind {
    cursor: "activity_cursor",
    next: [
        "SELECT EXISTS (SELECT 1 FROM trade WHERE key > ?)",
        "SELECT max(key) FROM (SELECT key FROM trade WHERE key > ? ORDER BY key LIMIT ?)",
    ],
    insert: "INSERT OR IGNORE INTO activity (account, trade)
         SELECT account, key FROM (
             SELECT wallet * 8 + 1 AS account, key FROM trade WHERE key > ?1 AND key <= ?2 AND wallet IS NOT NULL
             UNION ALL
             SELECT partner * 8 + 2, key FROM trade WHERE key > ?1 AND key <= ?2 AND wallet IS NOT NULL)
         ORDER BY account, key",
};

/// Enters the next trades in their wallets' activity; whether there are more.
pub(super) fn fill_activity(connection: &mut Connection, limit: usize) -> Result<bool, StoreError> {
    fill_behind(connection, &ACTIVITY, limit)
}

/// Enters the next slice of a list; whether there is more.
pub(super) fn fill_behind(
    connection: &mut Connection,
    list: &Behind,
    limit: usize,
) -> Result<bool, StoreError> {
    let [more, last] = list.next;
    let cursor: i64 = connection
        .prepare_cached("SELECT value FROM setting WHERE name = ?")?
        .query_row([list.cursor], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let last: Option<i64> = connection
        .prepare_cached(last)?
        .query_row(params![cursor, limit], |row| row.get(0))?;
    let Some(last) = last else { return Ok(false) };
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.prepare_cached(list.insert)?
        .execute(params![cursor, last])?;
    config::put_setting(&tx, list.cursor, last)?;
    tx.commit()?;
    let more: bool = connection
        .prepare_cached(more)?
        .query_row([last], |row| row.get(0))?;
    Ok(more)
}
