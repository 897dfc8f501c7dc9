//! The published files: their bytes, and their rows against the entries of their days.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::money::civil;
use super::rows::{
    Books, CANCEL, COMMISSION, COMMISSION_BACK, DONE, PAYMENT, Published, REFUND, Refund, Trade,
};
use super::{DAY, SECOND, date, instant};

const TRANSACTIONS: i64 = 0;

/// The name under which a file lies.
fn name(file: &Published) -> String {
    let (year, month, day) = civil(file.date);
    let kind = if file.kind == TRANSACTIONS {
        "transaction"
    } else {
        "settlement"
    };
    format!(
        "2088{:012}_{kind}_{year:04}{month:02}{day:02}.txt",
        file.partner
    )
}

pub(super) fn bytes(books: &Books, broken: &mut Vec<String>) {
    let Some(files) = &books.files else { return };
    let mut named = BTreeSet::new();
    for file in &books.published {
        let name = name(file);
        let bytes = files.get(&name).map(Vec::as_slice).unwrap_or_default();
        let is_there = files.contains_key(&name);
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let digest = Sha256::digest(bytes);
        if is_there != (file.rows > 0)
            || length != file.bytes
            || digest.as_slice() != file.sha256.as_slice()
        {
            broken.push(format!("{name} of {length} bytes"));
        }
        named.insert(name);
    }
    for name in files.keys() {
        // What a process was writing when it was killed has no name of its own yet.
        if name.ends_with(".txt") && !named.contains(name) {
            broken.push(format!("{name} is not published"));
        }
    }
}

/// What is compared of a row, in both files: the columns and what they hold.
type Row = BTreeMap<&'static str, String>;

pub(super) fn rows(books: &Books, broken: &mut Vec<String>) {
    let Some(files) = &books.files else { return };
    let done = books.refunds.iter().filter(|refund| refund.state == DONE);
    let refunds = done
        .filter_map(|refund| Some((refund.event?, refund)))
        .collect();
    for file in &books.published {
        let name = name(file);
        let Some(bytes) = files.get(&name) else {
            continue;
        };
        let text = String::from_utf8_lossy(bytes);
        let mut wanted = wanted(books, &refunds, file);
        let mut found = found(&text, file.kind);
        wanted.sort();
        found.sort();
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        if wanted != found || count != file.rows || !has_head(&text, file) {
            let strange = found.iter().find(|row| !wanted.contains(row));
            let missing = wanted.iter().find(|row| !found.contains(row));
            broken.push(format!(
                "{name}: {strange:?} instead of {missing:?}, {count} of {}",
                file.rows
            ));
        }
    }
}

fn has_head(text: &str, file: &Published) -> bool {
    let (year, month, day) = civil(file.date);
    let head = format!(
        "Partner:2088{:012}|Payment_time: {year:04}-{month:02}-{day:02}|Total_count:{}",
        file.partner, file.rows
    );
    file.kind != TRANSACTIONS || text.lines().next() == Some(&head)
}

const TRANSACTION_COLUMNS: [&str; 7] = [
    "Partner_transaction_id",
    "Transaction_id",
    "Transaction_amount",
    "Charge_amount",
    "Currency",
    "Payment_time",
    "Transaction_type",
];

const SETTLEMENT_COLUMNS: [&str; 9] = [
    "Partner_transaction_id",
    "Transaction_id",
    "Amount",
    "Fee",
    "Settlement",
    "Currency",
    "Payment_time",
    "Settlement_time",
    "Type",
];

/// The rows of a file by the names of their columns.
fn found(text: &str, kind: i64) -> Vec<Row> {
    let (skipped, known) = if kind == TRANSACTIONS {
        (1, TRANSACTION_COLUMNS.as_slice())
    } else {
        (0, SETTLEMENT_COLUMNS.as_slice())
    };
    let mut lines = text.lines().skip(skipped);
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('|').collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        let cell = |column: &&'static str| {
            let place = columns.iter().position(|name| name == column)?;
            Some((*column, (*cells.get(place)?).to_owned()))
        };
        known.iter().filter_map(cell).collect()
    };
    lines.map(row).collect()
}

/// The rows that the entries say, each event of the file's days once.
fn wanted(books: &Books, refunds: &BTreeMap<i64, &Refund>, file: &Published) -> Vec<Row> {
    let account = file.partner * 8 + 2;
    let mut events: BTreeSet<i64> = BTreeSet::new();
    for entry in &books.entries {
        let is_own = entry.debit == account || entry.credit == account;
        if is_own && matches!(entry.cause, PAYMENT | CANCEL | REFUND) {
            events.insert(entry.event);
        }
    }
    let mut rows = Vec::new();
    for event in events {
        let day = date(instant(event));
        let Some(moved) = moved(books, refunds.get(&event).copied(), event, account) else {
            continue;
        };
        if file.kind == TRANSACTIONS {
            if day == file.date {
                rows.push(transaction(&moved));
            }
            continue;
        }
        let batch = books.batches.iter().find(|batch| {
            (batch.partner, batch.date, batch.currency)
                == (file.partner, file.date, moved.trade.currency)
                && (batch.first..=batch.last).contains(&day)
        });
        if let Some(batch) = batch {
            rows.push(settlement(&moved, batch.at));
        }
    }
    rows
}

/// What an event moved on a partner's account.
struct Moved<'a> {
    trade: &'a Trade,
    cause: i64,
    id: &'a str,
    at: i64,
    amount: i128,
    share: i128,
}

fn moved<'a>(
    books: &'a Books,
    refund: Option<&'a Refund>,
    event: i64,
    account: i64,
) -> Option<Moved<'a>> {
    let own = books.event(event).iter();
    let own: Vec<_> = own
        .filter(|entry| entry.debit == account || entry.credit == account)
        .collect();
    let sum = |causes: &[i64]| -> i128 {
        let counted = own.iter().filter(|entry| causes.contains(&entry.cause));
        counted.map(|entry| i128::from(entry.amount)).sum()
    };
    let main = own
        .iter()
        .find(|entry| matches!(entry.cause, PAYMENT | CANCEL | REFUND))?;
    let trade = books.trade(main.trade?)?;
    let id = match (main.cause, refund) {
        (REFUND, Some(refund)) => refund.partner_refund_id.as_str(),
        _ => trade.partner_trans_id.as_str(),
    };
    Some(Moved {
        trade,
        cause: main.cause,
        id,
        at: instant(event),
        amount: sum(&[PAYMENT, CANCEL, REFUND]),
        share: sum(&[COMMISSION, COMMISSION_BACK]),
    })
}

fn transaction(moved: &Moved<'_>) -> Row {
    let kind = match (moved.cause, moved.trade.close_cause) {
        (PAYMENT, _) => "PAYMENT",
        (REFUND, _) => "REFUND",
        (_, Some(5)) => "REVERSAL",
        _ => "CANCEL",
    };
    let currency = moved.trade.currency;
    let cells = [
        plain(moved.id),
        number(moved.trade.key),
        major(moved.amount, currency),
        major(moved.share, currency),
        code(currency),
        time(moved.at),
        kind.to_owned(),
    ];
    TRANSACTION_COLUMNS.into_iter().zip(cells).collect()
}

fn settlement(moved: &Moved<'_>, settled_at: i64) -> Row {
    let currency = moved.trade.currency;
    // A cancel is told by our own number.
    let id = if moved.cause == CANCEL {
        number(moved.trade.key)
    } else {
        plain(moved.id)
    };
    let cells = [
        id,
        number(moved.trade.key),
        major(moved.amount, currency),
        major(moved.share, currency),
        major(moved.amount - moved.share, currency),
        code(currency),
        time(moved.at),
        time(settled_at),
        if moved.cause == PAYMENT { "P" } else { "R" }.to_owned(),
    ];
    SETTLEMENT_COLUMNS.into_iter().zip(cells).collect()
}

/// A text without what would break a row.
fn plain(text: &str) -> String {
    text.replace(['|', '\n', '\r', '\t'], " ").trim().to_owned()
}

/// The 28 digits of a stored trade number: the store keeps the counter above the bucket.
fn number(key: i64) -> String {
    let at = instant(key);
    let (year, month, day) = civil(date(at));
    let second = (at + 8 * 3_600 * SECOND).rem_euclid(DAY) / SECOND;
    let low = key.rem_euclid(1_000_000_000);
    let (counter, bucket) = (low / 10_000, low % 10_000);
    format!("{year:04}{month:02}{day:02}220014{second:05}{bucket:04}{counter:05}")
}

fn time(at: i64) -> String {
    let (year, month, day) = civil(date(at));
    let second = (at + 8 * 3_600 * SECOND).rem_euclid(DAY) / SECOND;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn major(minor: i128, currency: i64) -> String {
    let mut text = String::new();
    // A string takes whatever is written to it.
    let _ = match super::trades::decimals(currency) {
        0 => write!(text, "{minor}"),
        _ => {
            let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.abs());
            write!(text, "{sign}{}.{:02}", minor / 100, minor % 100)
        }
    };
    text
}

/// The three letters of the currencies that shops here price in.
fn code(currency: i64) -> String {
    let code = match currency {
        156 => "CNY",
        344 => "HKD",
        392 => "JPY",
        410 => "KRW",
        702 => "SGD",
        704 => "VND",
        764 => "THB",
        826 => "GBP",
        840 => "USD",
        978 => "EUR",
        _ => "another",
    };
    code.to_owned()
}
