//! Reconciliation files.

use spotpay_core::id::PartnerId;
use spotpay_core::money::{Currency, FxRate, Money};
use spotpay_core::partner::WalletColumn;
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::files::{
    FileError, FileName, FileRow, HttpRow, Pricing, Reader, Record, Rmb, RmbColumns, RowKind,
    SettlementRow, SettlementType, Status, StoreColumns, Style, TransactionRow, TransactionType,
    plain,
};

use super::BYTES_MAX;

/// As a file, the bytes are read row by row to their end or to an error that names the line; as a
/// number and the texts of rows, they come back out of every layout as they were written.
///
/// # Panics
/// When one of these is not so.
pub fn files(data: &[u8]) {
    if data.len() > BYTES_MAX {
        return;
    }
    read(data);
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = text.parse::<FileName>() {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
    let (number, texts) = match data.split_first_chunk::<8>() {
        Some((number, rest)) => (u64::from_le_bytes(*number), String::from_utf8_lossy(rest)),
        None => (0, text),
    };
    // A row of the longest texts is still below the longest line.
    if texts.len() <= 8_192 {
        written(number, &texts);
    }
}

fn read(data: &[u8]) {
    let lines = data.split(|&byte| byte == b'\n').count();
    let mut reader = match Reader::new(data) {
        Ok(reader) => reader,
        Err(error) => return named(&error),
    };
    // A reader goes on behind a bad line, but never beyond the last one; the count is one more.
    for _ in 0..lines + 2 {
        match reader.read() {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => named(&error),
        }
    }
    panic!("{lines} lines have no end");
}

fn named(error: &FileError) {
    let text = error.to_string();
    let begins = matches!(error, FileError::Empty) || text.starts_with("line ");
    assert!(begins, "{text}");
}

/// The numbers of a row come out of one.
fn written(number: u64, text: &str) {
    let mut parts = text.split('\u{1e}');
    let mut part = || parts.next().unwrap_or(text);
    let minor = |divisor: u64| i64::try_from(number / divisor).unwrap_or(i64::MAX);
    let choice = usize::try_from(number % 12).unwrap_or(0);
    let currency = Currency::ALL[choice % Currency::ALL.len()];
    let money = |divisor| Money::of_minor(minor(divisor), currency);
    let rate = FxRate::of_e8(number % 10_000_000_000 + 1).ok();
    let rmb = rate.map(|rate| Rmb {
        rate,
        amount: Money::of_minor(minor(11), Currency::CNY),
        settlement: Money::of_minor(minor(13), Currency::CNY),
    });
    // Up to the year 9892.
    let time = |divisor| Timestamp::from_seconds(minor(divisor) % 250_000_000_000);
    let row = TransactionRow {
        partner_transaction_id: part(),
        transaction_id: "2026112322001443200000100042",
        amount: money(1),
        fee: money(7),
        payment_time: time(1),
        kind: KINDS[choice % KINDS.len()].0,
        remark: part(),
        store: StoreColumns {
            industry: part(),
            merchant_name: part(),
            merchant_id: part(),
            operator_name: part(),
        },
        order_scene: part(),
        pricing: Some(Pricing {
            amount: money(3),
            forex_rate: rate,
        }),
        wallet: [
            None,
            Some(PaymentInst::AlipayHk),
            Some(PaymentInst::AlipayCn),
        ][choice % 3],
        rmb,
    };
    let settled = Settled {
        amount: money(5),
        at: time(3),
    };
    for style in [
        Style::Hk(WalletColumn::PaymentInst),
        Style::Hk(WalletColumn::Issue),
        Style::Standard(RmbColumns::Shown),
        Style::Standard(RmbColumns::Hidden),
    ] {
        in_transactions(style, &row);
        in_settlements(style, &row, settled);
        over_http(style, &row, settled);
    }
}

const KINDS: [(TransactionType, RowKind); 4] = [
    (TransactionType::Payment, RowKind::Payment),
    (TransactionType::Refund, RowKind::Refund),
    (TransactionType::Cancel, RowKind::Cancel),
    (TransactionType::Reverse, RowKind::Reverse),
];

/// What a settlement adds to a row.
#[derive(Clone, Copy)]
struct Settled {
    amount: Money,
    at: Timestamp,
}

/// As settlements tell it: a payment, or money that goes back; under our own number it is read as a
/// cancel, which has no number of its partner's.
fn direction(row: &TransactionRow<'_>) -> (SettlementType, RowKind) {
    match row.kind {
        TransactionType::Payment => (SettlementType::P, RowKind::Payment),
        TransactionType::Refund | TransactionType::Cancel | TransactionType::Reverse => {
            let is_cancel = plain(row.partner_transaction_id) == row.transaction_id;
            let read = if is_cancel {
                RowKind::Cancel
            } else {
                RowKind::Refund
            };
            (SettlementType::R, read)
        }
    }
}

fn in_transactions(style: Style, row: &TransactionRow<'_>) {
    let Some(partner) = PartnerId::from_number(621_900_000_101) else {
        unreachable!("twelve digits")
    };
    let mut file = String::new();
    style.transaction_head(partner, CivilDate::from_days(20_000), 1, &mut file);
    style.transaction(row, &mut file);
    comes_back(&file, |read| {
        as_written(read, row);
        at_the_store(read, row, style);
        let kind = KINDS.iter().find(|(kind, _)| *kind == row.kind);
        assert_eq!(Some(read.kind), kind.map(|(_, kind)| *kind));
        assert_eq!(read.status, None);
        let rmb = match style {
            Style::Standard(RmbColumns::Shown) => row.rmb,
            Style::Standard(RmbColumns::Hidden) | Style::Hk(_) => None,
        };
        in_yuan(read, rmb);
    });
}

fn in_settlements(style: Style, row: &TransactionRow<'_>, settled: Settled) {
    let (kind, expected) = direction(row);
    let settlement = SettlementRow {
        partner_transaction_id: row.partner_transaction_id,
        transaction_id: row.transaction_id,
        amount: row.amount,
        fee: row.fee,
        settlement: settled.amount,
        payment_time: row.payment_time,
        settlement_time: settled.at,
        kind,
        remark: row.remark,
        store: row.store,
        order_scene: row.order_scene,
        pricing: row.pricing,
        wallet: row.wallet,
        rmb: row.rmb,
    };
    let mut file = String::new();
    style.settlement_head(&mut file);
    style.settlement(&settlement, &mut file);
    comes_back(&file, |read| {
        as_written(read, row);
        at_the_store(read, row, style);
        assert_eq!((read.kind, read.status), (expected, Some(Status::Settled)));
        assert_eq!(read.settlement, Some(settled.amount));
        assert_eq!(read.settlement_time, Some(settled.at));
        in_yuan(read, row.rmb.filter(|_| is_standard(style)));
    });
}

fn over_http(style: Style, row: &TransactionRow<'_>, settled: Settled) {
    let (kind, expected) = direction(row);
    for (settlement_time, status) in [(None, Status::Pending), (Some(settled.at), Status::Settled)]
    {
        let http = HttpRow {
            partner_transaction_id: row.partner_transaction_id,
            transaction_id: row.transaction_id,
            amount: row.amount,
            fee: row.fee,
            settlement: settled.amount,
            payment_time: row.payment_time,
            settlement_time,
            kind,
            remark: row.remark,
            rmb: row.rmb,
        };
        let mut file = String::new();
        Style::http_head(&mut file);
        style.http(&http, &mut file);
        comes_back(&file, |read| {
            as_written(read, row);
            assert_eq!((read.kind, read.status), (expected, Some(status)));
            assert_eq!(read.settlement, Some(settled.amount));
            assert_eq!(read.settlement_time, settlement_time);
            in_yuan(read, row.rmb.filter(|_| is_standard(style)));
        });
    }
}

/// The one row of a file.
fn comes_back(file: &str, check: impl Fn(&FileRow<'_>)) {
    let mut reader = match Reader::new(file.as_bytes()) {
        Ok(reader) => reader,
        Err(error) => panic!("{error}: {file}"),
    };
    match reader.read() {
        Ok(Some(Record::Row(read))) => check(&read),
        other => panic!("{other:?}: {file}"),
    }
    assert!(matches!(reader.read(), Ok(None)), "one row: {file}");
}

/// What every layout has.
fn as_written(read: &FileRow<'_>, row: &TransactionRow<'_>) {
    let id = plain(row.partner_transaction_id);
    assert_eq!(read.partner_transaction_id, id);
    assert_eq!(read.transaction_id, row.transaction_id);
    assert_eq!((read.amount, read.fee), (row.amount, Some(row.fee)));
    assert_eq!(read.payment_time, Some(row.payment_time));
    assert_eq!(read.remark, plain(row.remark));
}

/// What files have, and answers over HTTP do not.
fn at_the_store(read: &FileRow<'_>, row: &TransactionRow<'_>, style: Style) {
    let is_hk = !is_standard(style);
    let merchant_id = if is_hk { row.store.merchant_id } else { "" };
    assert_eq!(read.store.industry, plain(row.store.industry));
    assert_eq!(read.store.merchant_name, plain(row.store.merchant_name));
    assert_eq!(read.store.merchant_id, plain(merchant_id));
    assert_eq!(read.store.operator_name, plain(row.store.operator_name));
    assert_eq!(read.order_scene, plain(row.order_scene));
    assert_eq!(read.pricing, row.pricing);
    assert_eq!(read.wallet, row.wallet.filter(|_| is_hk));
}

fn in_yuan(read: &FileRow<'_>, rmb: Option<Rmb>) {
    assert_eq!(read.rate, rmb.map(|rmb| rmb.rate));
    assert_eq!(read.rmb_amount, rmb.map(|rmb| rmb.amount));
    assert_eq!(read.rmb_settlement, rmb.map(|rmb| rmb.settlement));
}

const fn is_standard(style: Style) -> bool {
    match style {
        Style::Hk(_) => false,
        Style::Standard(_) => true,
    }
}
