//! Reconciliation files.

use spotpay_core::id::PartnerId;
use spotpay_core::money::{Currency, FxRate, Money};
use spotpay_core::partner::WalletColumn;
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::files::{
    FileError, FileName, Pricing, Reader, Record, RmbColumns, StoreColumns, Style, TransactionRow,
    TransactionType, plain,
};

use super::BYTES_MAX;

/// As a file, the bytes are read row by row to their end or to an error that names the line; as
/// the texts of a row, they come back out of every style as they were written.
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
    // A row of the longest texts is still below the longest line.
    if text.len() <= 8_192 {
        written(&text);
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

fn written(text: &str) {
    let mut parts = text.split('\u{1e}');
    let mut part = || parts.next().unwrap_or(text);
    let hkd = |minor: usize| Money::of_minor(i64::try_from(minor).unwrap_or(0), Currency::HKD);
    let row = TransactionRow {
        partner_transaction_id: part(),
        transaction_id: "2026112322001443200000100042",
        amount: hkd(text.len()),
        fee: hkd(text.len() / 7),
        payment_time: Timestamp::from_seconds(1_795_406_400),
        kind: TransactionType::Refund,
        remark: part(),
        store: StoreColumns {
            industry: part(),
            merchant_name: part(),
            merchant_id: part(),
            operator_name: part(),
        },
        order_scene: part(),
        pricing: Some(Pricing {
            amount: hkd(text.len() * 3),
            forex_rate: FxRate::of_e8(92_000_000).ok(),
        }),
        wallet: Some(PaymentInst::AlipayHk),
        rmb: None,
    };
    for style in [
        Style::Hk(WalletColumn::PaymentInst),
        Style::Hk(WalletColumn::Issue),
        Style::Standard(RmbColumns::Shown),
        Style::Standard(RmbColumns::Hidden),
    ] {
        comes_back(style, &row);
    }
}

fn comes_back(style: Style, row: &TransactionRow<'_>) {
    let Some(partner) = PartnerId::from_number(621_900_000_101) else {
        unreachable!("twelve digits")
    };
    let mut file = String::new();
    style.transaction_head(partner, CivilDate::from_days(20_000), 1, &mut file);
    style.transaction(row, &mut file);
    let mut reader = match Reader::new(file.as_bytes()) {
        Ok(reader) => reader,
        Err(error) => panic!("{error}: {file}"),
    };
    let read = match reader.read() {
        Ok(Some(Record::Row(read))) => read,
        other => panic!("{other:?}: {file}"),
    };
    assert_eq!(
        read.partner_transaction_id,
        plain(row.partner_transaction_id)
    );
    assert_eq!(read.transaction_id, row.transaction_id);
    assert_eq!((read.amount, read.fee), (row.amount, Some(row.fee)));
    assert_eq!(read.payment_time, Some(row.payment_time));
    assert_eq!(read.remark, plain(row.remark));
    assert_eq!(read.store.merchant_name, plain(row.store.merchant_name));
    assert_eq!(read.store.operator_name, plain(row.store.operator_name));
    assert_eq!(read.order_scene, plain(row.order_scene));
    assert_eq!(read.pricing, row.pricing);
    assert!(matches!(reader.read(), Ok(None)), "one row: {file}");
}
