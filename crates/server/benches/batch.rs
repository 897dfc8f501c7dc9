//! What the rules and the disk cost a payment: `cargo bench -p spotpay-server --bench batch`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
use spotpay_core::time::{Span, Timestamp};
use spotpay_server::bench::StoreAlone;

/// Enough that two payments of a batch seldom meet in one row.
const WALLETS: u64 = 50_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    code(&mut criterion);
    batch(&mut criterion);
    criterion.final_summary();
}

fn noon() -> Timestamp {
    Timestamp::parse_compact("20261123120000").expect("an instant")
}

/// A code from the scanner's digits to what its wallet remembers.
fn code(criterion: &mut Criterion) {
    let alias = Alias::from_number(123_456_789).expect("nine digits");
    let secret = CodeSecret::new([7; CodeSecret::BYTES]);
    let mut group = criterion.benchmark_group("payment code");
    group.throughput(Throughput::Elements(1));
    for (name, length) in [
        ("18 digits", CodeLength::Short),
        ("24 digits", CodeLength::Long),
    ] {
        let made = PaymentCode::make(alias, &secret, noon(), length);
        let (digits, now) = (made.as_str(), noon().plus(Span::seconds(30)));
        assert!(made.check(&secret, now).is_ok(), "a refusal was measured");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let code: PaymentCode = black_box(digits).parse().expect("digits");
                code.check(&secret, now)
            });
        });
    }
    group.finish();
}

/// Payments loaded, decided and synced to the disk of the temporary folder, one commit a batch.
fn batch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide and commit");
    for count in [32, 128] {
        let mut opened = None;
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("a batch of {count}"), |bencher| {
            let (_folder, store) = opened.get_or_insert_with(|| {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let store = StoreAlone::open(folder.path(), WALLETS, noon()).expect("a store");
                (folder, store)
            });
            bencher.iter(|| {
                store.pay(count, false).expect("a commit");
                // Once in 64 MiB of WAL, so its share is in the mean; the server does it on another thread.
                store.checkpoint().expect("a checkpoint");
            });
        });
    }
    group.finish();
}
