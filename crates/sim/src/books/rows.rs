//! The rows as plain numbers, by SQL of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use rusqlite::{Connection, Row};

pub(super) const TOP_UP: i64 = 1;
pub(super) const PAYMENT: i64 = 2;
pub(super) const COMMISSION: i64 = 3;
pub(super) const CANCEL: i64 = 4;
pub(super) const COMMISSION_BACK: i64 = 5;
pub(super) const REFUND: i64 = 6;
pub(super) const SETTLEMENT: i64 = 7;

pub(super) const INCOME: i64 = 3;
pub(super) const FX: i64 = 4;
pub(super) const BANK: i64 = 5;

/// A state of a trade.
pub(super) const WAITING: i64 = 0;
pub(super) const PAID: i64 = 1;
pub(super) const MARK: i64 = 3;

/// A state of a refund.
pub(super) const ACCEPTED: i64 = 0;
pub(super) const DONE: i64 = 1;

#[derive(Debug)]
pub(super) struct Trade {
    pub(super) key: i64,
    pub(super) partner: i64,
    pub(super) partner_trans_id: String,
    pub(super) state: i64,
    pub(super) amount: i64,
    pub(super) currency: i64,
    pub(super) wallet: i64,
    pub(super) inst: i64,
    pub(super) code: Option<i64>,
    pub(super) notify_url: Option<String>,
    pub(super) rate: Option<i64>,
    pub(super) buyer_amount: Option<i64>,
    pub(super) paid_after: Option<i64>,
    pub(super) event: i64,
    pub(super) commission: i64,
    pub(super) refunded: i64,
    pub(super) refunded_buyer: i64,
    pub(super) commission_returned: i64,
    pub(super) refund_pending: i64,
    pub(super) closed_at: Option<i64>,
    pub(super) close_cause: Option<i64>,
}

impl Trade {
    /// The wallet's currency: Hong Kong dollars or yuan.
    pub(super) fn buyer_currency(&self) -> i64 {
        wallet_currency(self.inst)
    }

    pub(super) fn buyer_amount(&self) -> i64 {
        if self.buyer_currency() == self.currency {
            self.amount
        } else {
            self.buyer_amount.unwrap_or(0)
        }
    }

    pub(super) fn is_paid(&self) -> bool {
        self.paid_after.is_some()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self.close_cause, Some(3..=5))
    }

    /// When it was paid.
    pub(super) fn paid_at(&self) -> i64 {
        super::instant(self.key) + self.paid_after.unwrap_or(0)
    }
}

/// The currency of an `ALIPAYHK` or an `ALIPAYCN` wallet.
pub(super) fn wallet_currency(inst: i64) -> i64 {
    if inst == 0 { 344 } else { 156 }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: i64,
    pub(super) event: i64,
    /// None of a top-up and a settlement.
    pub(super) trade: Option<i64>,
    pub(super) debit: i64,
    pub(super) credit: i64,
    pub(super) amount: i64,
    pub(super) currency: i64,
    pub(super) cause: i64,
}

impl Entry {
    /// The instant of its event, to the second.
    pub(super) fn at(&self) -> i64 {
        super::instant(self.event)
    }
}

#[derive(Debug)]
pub(super) struct Total {
    pub(super) account: i64,
    pub(super) currency: i64,
    pub(super) date: i64,
    pub(super) debits: i64,
    pub(super) credits: i64,
}

#[derive(Debug)]
pub(super) struct Wallet {
    pub(super) id: i64,
    pub(super) inst: i64,
    pub(super) balance: i64,
    pub(super) spent_date: i64,
    pub(super) spent_day: i64,
    pub(super) spent_month: i64,
    pub(super) codes_used: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Partner {
    pub(super) product: i64,
    pub(super) commission: i64,
    pub(super) commission_on_refund: i64,
    pub(super) notify_url: Option<String>,
}

#[derive(Debug)]
pub(super) struct Refund {
    pub(super) key: i64,
    pub(super) partner: i64,
    pub(super) partner_refund_id: String,
    pub(super) trade: i64,
    pub(super) amount: i64,
    pub(super) currency: i64,
    pub(super) mode: i64,
    pub(super) state: i64,
    pub(super) due: Option<i64>,
    pub(super) at: Option<i64>,
    pub(super) event: Option<i64>,
    pub(super) buyer_amount: i64,
    pub(super) buyer_currency: Option<i64>,
    pub(super) commission_returned: i64,
    pub(super) notify_url: Option<String>,
}

#[derive(Debug)]
pub(super) struct Notification {
    pub(super) key: i64,
    pub(super) partner: i64,
    pub(super) trade: i64,
    pub(super) tidings: i64,
    pub(super) refund: Option<i64>,
    pub(super) state: i64,
    pub(super) attempts: i64,
    pub(super) next_at: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) attempt: i64,
    pub(super) at: i64,
    pub(super) status: Option<i64>,
    pub(super) body: String,
    pub(super) next_at: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) key: i64,
    pub(super) partner: i64,
    pub(super) currency: i64,
    pub(super) date: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) gross: i64,
    pub(super) refunds: i64,
    pub(super) commission: i64,
    pub(super) commission_back: i64,
    pub(super) count: i64,
    pub(super) carried_in: i64,
    pub(super) paid_out: i64,
    pub(super) at: i64,
}

#[derive(Debug)]
pub(super) struct Published {
    pub(super) partner: i64,
    pub(super) kind: i64,
    pub(super) date: i64,
    pub(super) rows: i64,
    pub(super) bytes: i64,
    pub(super) sha256: Vec<u8>,
}

/// A store's file at one instant.
#[derive(Debug)]
pub struct Books {
    /// The instant of the last commit.
    pub(super) committed_at: i64,
    pub(super) trades: Vec<Trade>,
    pub(super) entries: Vec<Entry>,
    pub(super) totals: Vec<Total>,
    pub(super) wallets: BTreeMap<i64, Wallet>,
    /// Alias and wallet.
    pub(super) devices: BTreeMap<i64, i64>,
    pub(super) partners: BTreeMap<i64, Partner>,
    pub(super) refunds: Vec<Refund>,
    pub(super) notifications: Vec<Notification>,
    pub(super) deliveries: BTreeMap<i64, Vec<Delivery>>,
    pub(super) batches: Vec<Batch>,
    /// Due and trade.
    pub(super) timers: Vec<(i64, i64)>,
    /// Account and trade.
    pub(super) activity: Vec<(i64, i64)>,
    pub(super) activity_cursor: i64,
    /// Partner, event, trade.
    pub(super) statement: Vec<(i64, i64, i64)>,
    pub(super) statement_cursor: i64,
    pub(super) published: Vec<Published>,
    /// The published files by name, where they were read.
    pub(super) files: Option<BTreeMap<String, Vec<u8>>>,
}

impl Books {
    /// Reads everything as of one commit.
    ///
    /// # Errors
    /// What SQLite says: the file is no store, or is damaged.
    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let tx = connection.unchecked_transaction()?;
        let mut books = Self {
            committed_at: tx.query_row("SELECT coalesce(max(at), 0) FROM lane", [], |row| {
                row.get(0)
            })?,
            trades: trades(&tx)?,
            entries: entries(&tx)?,
            totals: totals(&tx)?,
            wallets: wallets(&tx)?,
            devices: all(&tx, "SELECT alias, wallet FROM device", pair)?
                .into_iter()
                .collect(),
            partners: partners(&tx)?,
            refunds: refunds(&tx)?,
            notifications: notifications(&tx)?,
            deliveries: BTreeMap::new(),
            batches: batches(&tx)?,
            timers: all(&tx, "SELECT due, trade FROM timer", pair)?,
            activity: all(
                &tx,
                "SELECT account, trade FROM activity ORDER BY 1, 2",
                pair,
            )?,
            activity_cursor: cursor(&tx, "activity_cursor")?,
            statement: all(
                &tx,
                "SELECT partner, event, trade FROM statement ORDER BY 1, 2",
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?,
            statement_cursor: cursor(&tx, "statement_cursor")?,
            published: published(&tx)?,
            files: None,
        };
        for (notification, delivery) in deliveries(&tx)? {
            books
                .deliveries
                .entry(notification)
                .or_default()
                .push(delivery);
        }
        Ok(books)
    }

    /// Looks at the published files in a folder as well; one that is not there yet is empty.
    ///
    /// # Errors
    /// What the system says of the folder or of a file in it.
    pub fn with_files(mut self, folder: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        if folder.exists() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                files.insert(name, fs::read(entry.path())?);
            }
        }
        self.files = Some(files);
        Ok(self)
    }

    pub(super) fn trade(&self, key: i64) -> Option<&Trade> {
        let place = self.trades.binary_search_by_key(&key, |trade| trade.key);
        place.ok().and_then(|place| self.trades.get(place))
    }

    /// The entries of an event.
    pub(super) fn event(&self, event: i64) -> &[Entry] {
        let first = self.entries.partition_point(|entry| entry.event < event);
        let end = self.entries.partition_point(|entry| entry.event <= event);
        self.entries.get(first..end).unwrap_or_default()
    }

    /// The refunds of each trade, in order of their numbers.
    pub(super) fn refunds_by_trade(&self) -> BTreeMap<i64, Vec<&Refund>> {
        let mut found: BTreeMap<i64, Vec<&Refund>> = BTreeMap::new();
        for refund in &self.refunds {
            found.entry(refund.trade).or_default().push(refund);
        }
        found
    }
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map([], read)?.collect()
}

fn pair(row: &Row<'_>) -> rusqlite::Result<(i64, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn cursor(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT coalesce(max(value), 0) FROM setting WHERE name = ?",
        [name],
        |row| row.get(0),
    )
}

fn trades(connection: &Connection) -> rusqlite::Result<Vec<Trade>> {
    let sql = "SELECT key, partner, partner_trans_id, state, coalesce(amount, 0), coalesce(currency, 0),
        coalesce(wallet, 0), coalesce(inst, 0), code, notify_url, rate, buyer_amount, paid_after,
        coalesce(event, key), coalesce(commission, 0), coalesce(refunded, 0), coalesce(refunded_buyer, 0),
        coalesce(commission_returned, 0), coalesce(refund_pending, 0), closed_at, close_cause
        FROM trade ORDER BY key";
    all(connection, sql, |row| {
        Ok(Trade {
            key: row.get(0)?,
            partner: row.get(1)?,
            partner_trans_id: row.get(2)?,
            state: row.get(3)?,
            amount: row.get(4)?,
            currency: row.get(5)?,
            wallet: row.get(6)?,
            inst: row.get(7)?,
            code: row.get(8)?,
            notify_url: row.get(9)?,
            rate: row.get(10)?,
            buyer_amount: row.get(11)?,
            paid_after: row.get(12)?,
            event: row.get(13)?,
            commission: row.get(14)?,
            refunded: row.get(15)?,
            refunded_buyer: row.get(16)?,
            commission_returned: row.get(17)?,
            refund_pending: row.get(18)?,
            closed_at: row.get(19)?,
            close_cause: row.get(20)?,
        })
    })
}

fn entries(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let sql = "SELECT key, trade, debit, credit, amount, currency, cause FROM entry ORDER BY key";
    all(connection, sql, |row| {
        let key: i64 = row.get(0)?;
        let event = key.div_euclid(4);
        let cause = row.get(6)?;
        let trade: Option<i64> = row.get(1)?;
        Ok(Entry {
            key,
            event,
            trade: match cause {
                TOP_UP | SETTLEMENT => trade,
                _ => trade.or(Some(event)),
            },
            debit: row.get(2)?,
            credit: row.get(3)?,
            amount: row.get(4)?,
            currency: row.get(5)?,
            cause,
        })
    })
}

fn totals(connection: &Connection) -> rusqlite::Result<Vec<Total>> {
    let sql = "SELECT account, currency, date, debits, credits FROM account_total";
    all(connection, sql, |row| {
        Ok(Total {
            account: row.get(0)?,
            currency: row.get(1)?,
            date: row.get(2)?,
            debits: row.get(3)?,
            credits: row.get(4)?,
        })
    })
}

fn wallets(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, Wallet>> {
    let sql =
        "SELECT id, inst, balance, spent_date, spent_day, spent_month, coalesce(codes_used, x'')
        FROM wallet";
    let found = all(connection, sql, |row| {
        Ok(Wallet {
            id: row.get(0)?,
            inst: row.get(1)?,
            balance: row.get(2)?,
            spent_date: row.get(3)?,
            spent_day: row.get(4)?,
            spent_month: row.get(5)?,
            codes_used: row.get(6)?,
        })
    })?;
    Ok(found
        .into_iter()
        .map(|wallet| (wallet.id, wallet))
        .collect())
}

fn partners(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, Partner>> {
    let sql = "SELECT id, product, commission, commission_on_refund, notify_url FROM partner";
    let found = all(connection, sql, |row| {
        let partner = Partner {
            product: row.get(1)?,
            commission: row.get(2)?,
            commission_on_refund: row.get(3)?,
            notify_url: row.get(4)?,
        };
        Ok((row.get(0)?, partner))
    })?;
    Ok(found.into_iter().collect())
}

fn refunds(connection: &Connection) -> rusqlite::Result<Vec<Refund>> {
    let sql = "SELECT key, partner, partner_refund_id, trade, amount, currency, mode, state, due, at, event,
        coalesce(buyer_amount, 0), buyer_currency, coalesce(commission_returned, 0), notify_url
        FROM refund ORDER BY key";
    all(connection, sql, |row| {
        Ok(Refund {
            key: row.get(0)?,
            partner: row.get(1)?,
            partner_refund_id: row.get(2)?,
            trade: row.get(3)?,
            amount: row.get(4)?,
            currency: row.get(5)?,
            mode: row.get(6)?,
            state: row.get(7)?,
            due: row.get(8)?,
            at: row.get(9)?,
            event: row.get(10)?,
            buyer_amount: row.get(11)?,
            buyer_currency: row.get(12)?,
            commission_returned: row.get(13)?,
            notify_url: row.get(14)?,
        })
    })
}

fn notifications(connection: &Connection) -> rusqlite::Result<Vec<Notification>> {
    let sql = "SELECT key, partner, trade, tidings, refund, state, attempts, next_at
        FROM notification ORDER BY key";
    all(connection, sql, |row| {
        Ok(Notification {
            key: row.get(0)?,
            partner: row.get(1)?,
            trade: row.get(2)?,
            tidings: row.get(3)?,
            refund: row.get(4)?,
            state: row.get(5)?,
            attempts: row.get(6)?,
            next_at: row.get(7)?,
        })
    })
}

fn deliveries(connection: &Connection) -> rusqlite::Result<Vec<(i64, Delivery)>> {
    let sql = "SELECT notification, attempt, at, status, body, next_at FROM delivery ORDER BY 1, 2";
    all(connection, sql, |row| {
        let delivery = Delivery {
            attempt: row.get(1)?,
            at: row.get(2)?,
            status: row.get(3)?,
            body: row.get(4)?,
            next_at: row.get(5)?,
        };
        Ok((row.get(0)?, delivery))
    })
}

fn batches(connection: &Connection) -> rusqlite::Result<Vec<Batch>> {
    let sql = "SELECT key, partner, currency, date, first, last, gross, refunds, commission, commission_back,
        count, carried_in, paid_out, at FROM settlement_batch ORDER BY partner, currency, last";
    all(connection, sql, |row| {
        Ok(Batch {
            key: row.get(0)?,
            partner: row.get(1)?,
            currency: row.get(2)?,
            date: row.get(3)?,
            first: row.get(4)?,
            last: row.get(5)?,
            gross: row.get(6)?,
            refunds: row.get(7)?,
            commission: row.get(8)?,
            commission_back: row.get(9)?,
            count: row.get(10)?,
            carried_in: row.get(11)?,
            paid_out: row.get(12)?,
            at: row.get(13)?,
        })
    })
}

fn published(connection: &Connection) -> rusqlite::Result<Vec<Published>> {
    let sql = "SELECT partner, kind, date, rows, bytes, sha256 FROM published_file";
    all(connection, sql, |row| {
        Ok(Published {
            partner: row.get(0)?,
            kind: row.get(1)?,
            date: row.get(2)?,
            rows: row.get(3)?,
            bytes: row.get(4)?,
            sha256: row.get(5)?,
        })
    })
}
