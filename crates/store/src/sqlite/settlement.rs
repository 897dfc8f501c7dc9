//! Settlement batches, what moved on partners' accounts day by day, and the published files.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use spotpay_core::id::{EventId, PartnerId, TradeId};
use spotpay_core::ledger::{Account, Cause};
use spotpay_core::money::{Currency, Money};
use spotpay_core::settlement::{Batch, FileKey, FileKind, Moves, PublishedFile, SettlementKey};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::working_set::Writes;

use super::read::{all, one};
use super::rows::{self, corrupt};
use super::write::{Behind, fill_behind};
use crate::StoreError;

/// What moved on one account on one business date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayMoves {
    /// Whose, and in which currency.
    pub key: SettlementKey,
    /// When.
    pub date: CivilDate,
    /// What.
    pub moves: Moves,
}

/// An event on a partner's account, with the trade that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatementRow {
    /// What happened.
    pub event: EventId,
    /// To which trade.
    pub trade: TradeId,
}

const BATCH: &str = "SELECT key, partner, currency, date, first, last, gross, refunds, commission,
    commission_back, count, carried_in, paid_out, at FROM settlement_batch ";

fn batch(row: &Row<'_>) -> Result<Batch, StoreError> {
    let currency = rows::currency(row.get(2)?, "settlement_batch")?;
    let date =
        |index| -> Result<CivilDate, StoreError> { Ok(CivilDate::from_days(row.get(index)?)) };
    let money =
        |index| -> Result<Money, StoreError> { Ok(Money::of_minor(row.get(index)?, currency)) };
    let count: i64 = row.get(10)?;
    Ok(Batch {
        id: rows::event_id(row.get(0)?),
        key: SettlementKey {
            partner: rows::partner_id(row.get(1)?, "settlement_batch")?,
            currency,
        },
        date: date(3)?,
        first: date(4)?,
        last: date(5)?,
        moves: Moves {
            gross: money(6)?,
            refunds: money(7)?,
            commission: money(8)?,
            commission_back: money(9)?,
            count: u64::try_from(count).map_err(|_| corrupt("settlement_batch", "count"))?,
        },
        carried_in: money(11)?,
        paid_out: money(12)?,
        at: Timestamp::from_micros(row.get(13)?),
    })
}

pub(super) fn last_batch(
    connection: &Connection,
    key: SettlementKey,
) -> Result<Option<Batch>, StoreError> {
    let sql = format!("{BATCH} WHERE partner = ? AND currency = ? ORDER BY last DESC LIMIT 1");
    let params = params![rows::number(key.partner.number()), key.currency.numeric()];
    one(connection, &sql, params, batch)
}

/// The batches of a settlement date, or all of them; the newest first.
pub(super) fn batches(
    connection: &Connection,
    date: Option<CivilDate>,
    limit: usize,
) -> Result<Vec<Batch>, StoreError> {
    let sql = format!("{BATCH} WHERE ?1 IS NULL OR date = ?1 ORDER BY key DESC LIMIT ?2");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(
        connection,
        &sql,
        params![date.map(CivilDate::as_days), limit],
        batch,
    )
}

/// The accounts on which something moved until a date and is in no batch, each with the last date
/// of its last batch and the first date that is to be settled.
pub(super) fn unsettled(
    connection: &Connection,
    until: CivilDate,
) -> Result<Vec<(SettlementKey, Option<CivilDate>, CivilDate)>, StoreError> {
    let sql = "SELECT total.account, total.currency, batch.last, min(total.date)
        FROM account_total AS total LEFT JOIN (
            SELECT partner * 8 + 2 AS account, currency, max(last) AS last FROM settlement_batch GROUP BY 1, 2
        ) AS batch ON batch.account = total.account AND batch.currency = total.currency
        WHERE total.account % 8 = 2 AND total.date <= ? AND (batch.last IS NULL OR batch.last < total.date)
        GROUP BY total.account, total.currency ORDER BY total.account, total.currency";
    all(connection, sql, [until.as_days()], |row| {
        let account = Account::from_code(row.get(0)?);
        let Some(Account::PartnerPayable(partner)) = account else {
            return Err(corrupt("account_total", "account"));
        };
        let key = SettlementKey {
            partner,
            currency: rows::currency(row.get(1)?, "account_total")?,
        };
        let last: Option<i32> = row.get(2)?;
        let first = CivilDate::from_days(row.get(3)?);
        Ok((key, last.map(CivilDate::from_days), first))
    })
}

/// The key of the first entry that an instant may have.
fn first_entry_at(at: Timestamp) -> i64 {
    EventId::new(at, 0, 0).map_or(0, |event| rows::entry_key(event, 0))
}

/// What moved on every partner's account on a business date, in slices of an hour: no read is long.
pub(super) fn moves_of_day(
    connection: &Connection,
    date: CivilDate,
) -> Result<Vec<DayMoves>, StoreError> {
    let mut found: BTreeMap<SettlementKey, Moves> = BTreeMap::new();
    for hour in 0..24 {
        let from = date.start().plus(spotpay_core::time::Span::hours(hour));
        let to = from.plus(spotpay_core::time::Span::hours(1));
        add_moves(
            connection,
            (first_entry_at(from), first_entry_at(to)),
            &mut found,
        )?;
    }
    let days = found.into_iter();
    Ok(days
        .map(|(key, moves)| DayMoves { key, date, moves })
        .collect())
}

fn add_moves(
    connection: &Connection,
    (from, to): (i64, i64),
    found: &mut BTreeMap<SettlementKey, Moves>,
) -> Result<(), StoreError> {
    let sql = "SELECT CASE WHEN debit % 8 = 2 THEN debit ELSE credit END, currency, cause, sum(amount), count(*)
        FROM entry WHERE key >= ? AND key < ? AND (debit % 8 = 2 OR credit % 8 = 2) AND cause <> 7
        GROUP BY 1, 2, 3";
    let moved = all(connection, sql, params![from, to], |row| {
        let account = Account::from_code(row.get(0)?);
        let currency = rows::currency(row.get(1)?, "entry")?;
        let cause = Cause::from_code(row.get(2)?).ok_or(corrupt("entry", "cause"))?;
        let count: i64 = row.get(4)?;
        Ok((account, currency, cause, row.get::<_, i64>(3)?, count))
    })?;
    for (account, currency, cause, minor, count) in moved {
        let Some(Account::PartnerPayable(partner)) = account else {
            return Err(corrupt("entry", "debit"));
        };
        let key = SettlementKey { partner, currency };
        let moves = found.entry(key).or_insert(Moves::nothing(currency));
        add(moves, currency, cause, minor, count)?;
    }
    Ok(())
}

fn add(
    moves: &mut Moves,
    currency: Currency,
    cause: Cause,
    minor: i64,
    count: i64,
) -> Result<(), StoreError> {
    let (sum, counts) = match cause {
        Cause::Payment => (&mut moves.gross, true),
        Cause::Refund | Cause::Cancel => (&mut moves.refunds, true),
        Cause::Commission => (&mut moves.commission, false),
        Cause::CommissionBack => (&mut moves.commission_back, false),
        Cause::TopUp | Cause::Settlement => return Err(corrupt("entry", "cause")),
    };
    *sum = sum
        .checked_add(Money::of_minor(minor, currency))
        .map_err(|_| corrupt("entry", "amount"))?;
    if counts {
        let count = u64::try_from(count).map_err(|_| corrupt("entry", "key"))?;
        moves.count = moves.count.saturating_add(count);
    }
    Ok(())
}

const STATEMENTS: Behind = Behind {
    cursor: "statement_cursor",
    next: [
        "SELECT EXISTS (SELECT 1 FROM entry WHERE key > ?)",
        "SELECT max(key) FROM (SELECT key FROM entry WHERE key > ? ORDER BY key LIMIT ?)",
    ],
    insert: "INSERT OR IGNORE INTO statement (partner, event, trade)
         SELECT CASE WHEN debit % 8 = 2 THEN debit ELSE credit END / 8, key / 4, coalesce(trade, key / 4)
         FROM entry WHERE key > ?1 AND key <= ?2 AND cause IN (2, 4, 6) AND (debit % 8 = 2 OR credit % 8 = 2)
         ORDER BY 1, 2",
};

/// Enters the next events in their partners' statements; whether there are more.
pub(super) fn fill_statements(
    connection: &mut Connection,
    limit: usize,
) -> Result<bool, StoreError> {
    fill_behind(connection, &STATEMENTS, limit)
}

/// Whether the statements hold everything until an instant.
pub(super) fn are_filled(connection: &Connection, until: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE key < ? AND key >
        (SELECT coalesce(max(value), 0) FROM setting WHERE name = 'statement_cursor'))";
    let missing = one(connection, sql, [first_entry_at(until)], |row| {
        Ok(row.get::<_, bool>(0)?)
    })?;
    Ok(missing == Some(false))
}

/// The keys of the events of some business dates.
fn events_between(first: CivilDate, last: CivilDate) -> (i64, i64) {
    let key = |date: CivilDate| rows::row_key_of_entry(first_entry_at(date.start()));
    (key(first), key(last.plus_days(1)))
}

pub(super) fn count_events(
    connection: &Connection,
    partner: PartnerId,
    (first, last): (CivilDate, CivilDate),
) -> Result<u64, StoreError> {
    let (from, to) = events_between(first, last);
    let sql = "SELECT count(*) FROM statement WHERE partner = ? AND event >= ? AND event < ?";
    let count = one(
        connection,
        sql,
        params![rows::number(partner.number()), from, to],
        |row| Ok(row.get::<_, i64>(0)?),
    )?;
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0))
}

/// A page of a partner's events on some business dates, in order, from behind one on.
pub(super) fn events(
    connection: &Connection,
    partner: PartnerId,
    (first, last): (CivilDate, CivilDate),
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<StatementRow>, StoreError> {
    let (from, to) = events_between(first, last);
    let from = after.map_or(from - 1, rows::event_key);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = "SELECT event, trade FROM statement WHERE partner = ? AND event > ? AND event < ?
        ORDER BY event LIMIT ?";
    all(
        connection,
        sql,
        params![rows::number(partner.number()), from, to, limit],
        |row| {
            Ok(StatementRow {
                event: rows::event_id(row.get(0)?),
                trade: rows::trade_id(row.get(1)?),
            })
        },
    )
}

fn published(row: &Row<'_>) -> Result<PublishedFile, StoreError> {
    let unsigned = |index| -> Result<u64, StoreError> {
        u64::try_from(row.get::<_, i64>(index)?).map_err(|_| corrupt("published_file", "rows"))
    };
    let kind = usize::try_from(row.get::<_, i64>(1)?).ok();
    Ok(PublishedFile {
        key: FileKey {
            partner: rows::partner_id(row.get(0)?, "published_file")?,
            kind: kind
                .and_then(|kind| FileKind::ALL.get(kind).copied())
                .ok_or(corrupt("published_file", "kind"))?,
            date: CivilDate::from_days(row.get(2)?),
        },
        rows: unsigned(3)?,
        bytes: unsigned(4)?,
        sha256: row.get(5)?,
        at: Timestamp::from_micros(row.get(6)?),
    })
}

const FILE: &str = "SELECT partner, kind, date, rows, bytes, sha256, at FROM published_file ";

const fn kind_code(kind: FileKind) -> i64 {
    match kind {
        FileKind::Transaction => 0,
        FileKind::Settlement => 1,
    }
}

pub(super) fn file(
    connection: &Connection,
    key: FileKey,
) -> Result<Option<PublishedFile>, StoreError> {
    let sql = format!("{FILE} WHERE partner = ? AND kind = ? AND date = ?");
    let params = params![
        rows::number(key.partner.number()),
        kind_code(key.kind),
        key.date.as_days()
    ];
    one(connection, &sql, params, published)
}

/// A partner's published files, the newest first.
pub(super) fn files(
    connection: &Connection,
    partner: PartnerId,
    limit: usize,
) -> Result<Vec<PublishedFile>, StoreError> {
    let sql = format!("{FILE} WHERE partner = ? ORDER BY date DESC, kind LIMIT ?");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(
        connection,
        &sql,
        params![rows::number(partner.number()), limit],
        published,
    )
}

pub(super) fn write(tx: &Connection, writes: &Writes) -> Result<(), StoreError> {
    for batch in &writes.batches {
        let moves = &batch.moves;
        tx.prepare_cached(
            "INSERT INTO settlement_batch (key, partner, currency, date, first, last, gross, refunds, commission,
             commission_back, count, carried_in, paid_out, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            rows::event_key(batch.id),
            rows::number(batch.key.partner.number()),
            batch.key.currency.numeric(),
            batch.date.as_days(),
            batch.first.as_days(),
            batch.last.as_days(),
            moves.gross.minor(),
            moves.refunds.minor(),
            moves.commission.minor(),
            moves.commission_back.minor(),
            i64::try_from(moves.count).unwrap_or(i64::MAX),
            batch.carried_in.minor(),
            batch.paid_out.minor(),
            batch.at.as_micros(),
        ])?;
    }
    for file in &writes.files {
        tx.prepare_cached(
            "INSERT INTO published_file (partner, kind, date, rows, bytes, sha256, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            rows::number(file.key.partner.number()),
            kind_code(file.key.kind),
            file.key.date.as_days(),
            i64::try_from(file.rows).unwrap_or(i64::MAX),
            i64::try_from(file.bytes).unwrap_or(i64::MAX),
            file.sha256,
            file.at.as_micros(),
        ])?;
    }
    Ok(())
}
