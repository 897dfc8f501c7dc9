//! What a row of a reconciliation file costs: `cargo bench -p spotpay-wire --bench files`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use spotpay_core::money::{Currency, Money};
use spotpay_core::partner::WalletColumn;
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::files::{
    Pricing, Reader, SettlementRow, SettlementType, StoreColumns, Style, TransactionRow,
    TransactionType,
};

const ROWS: u64 = 10_000;
const STYLE: Style = Style::Hk(WalletColumn::PaymentInst);

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let (mut transactions, mut settlements) = (String::new(), String::new());
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("write transactions", |bencher| {
        bencher.iter(|| write_transactions(black_box(&mut transactions)));
    });
    group.bench_function("write settlements", |bencher| {
        bencher.iter(|| write_settlements(black_box(&mut settlements)));
    });
    group.bench_function("read transactions", |bencher| {
        bencher.iter(|| assert_eq!(read(black_box(&transactions)), ROWS));
    });
    group.bench_function("read settlements", |bencher| {
        bencher.iter(|| assert_eq!(read(black_box(&settlements)), ROWS));
    });
    group.finish();
    criterion.final_summary();
}

fn hkd(minor: i64) -> Money {
    Money::of_minor(minor, Currency::HKD)
}

fn store() -> StoreColumns<'static> {
    StoreColumns {
        industry: "5812",
        merchant_name: "Tea House",
        merchant_id: "M001",
        operator_name: "Mong Kok",
    }
}

fn instant() -> Timestamp {
    Timestamp::parse_compact("20261123120000").expect("an instant")
}

fn write_transactions(out: &mut String) {
    out.clear();
    let partner = "2088000000000001".parse().expect("a partner");
    STYLE.transaction_head(partner, CivilDate::from_days(20_780), ROWS, out);
    for _ in 0..ROWS {
        let row = TransactionRow {
            partner_transaction_id: "TILL0001-000000000001",
            transaction_id: "2026112322001443200000100042",
            amount: hkd(3_930),
            fee: hkd(47),
            payment_time: instant(),
            kind: TransactionType::Payment,
            remark: "",
            store: store(),
            order_scene: "",
            pricing: Some(Pricing::equal(hkd(3_930))),
            wallet: Some(PaymentInst::AlipayHk),
            rmb: None,
        };
        STYLE.transaction(black_box(&row), out);
    }
}

fn write_settlements(out: &mut String) {
    out.clear();
    STYLE.settlement_head(out);
    for _ in 0..ROWS {
        let row = SettlementRow {
            partner_transaction_id: "TILL0001-000000000001",
            transaction_id: "2026112322001443200000100042",
            amount: hkd(3_930),
            fee: hkd(47),
            settlement: hkd(3_883),
            payment_time: instant(),
            settlement_time: instant(),
            kind: SettlementType::P,
            remark: "",
            store: store(),
            order_scene: "",
            pricing: Some(Pricing::equal(hkd(3_930))),
            wallet: Some(PaymentInst::AlipayHk),
            rmb: None,
        };
        STYLE.settlement(black_box(&row), out);
    }
}

fn read(file: &str) -> u64 {
    let mut reader = Reader::new(file.as_bytes()).expect("a layout");
    let mut rows = 0;
    while let Some(record) = reader.read().expect("a row") {
        black_box(record);
        rows += 1;
    }
    rows
}
