//! What the wire costs a payment, piece by piece: `cargo bench -p spotpay-wire --bench hot`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::canonical::{self, Spelling};
use spotpay_wire::charset::Charset;
use spotpay_wire::form::Form;
use spotpay_wire::keys::PrivateKey;
use spotpay_wire::pay::{self, Buyer, CodeType, Paid, StoreData};
use spotpay_wire::request::{self, SignedRequest};
use spotpay_wire::signature::{Signer, Verifier};
use spotpay_wire::xml;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let md5 = Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().expect("a key"));
    let private: PrivateKey = include_str!("../tests/keys/rsa2048.pkcs8.pem")
        .parse()
        .expect("a key");
    read(&mut criterion, &md5);
    wrong(&mut criterion, &md5);
    rsa2(&mut criterion, &Signer::Rsa2(private));
    answer(&mut criterion, &md5);
    criterion.final_summary();
}

/// A request as the load generator sends it.
fn signed(signer: &Signer) -> SignedRequest {
    let payment = pay::Request {
        partner: "2088000000000001".parse().expect("a partner"),
        partner_trans_id: "TILL0001-000000000001".parse().expect("an id"),
        amount: amount(),
        trans_currency: None,
        trans_name: "Tea".into(),
        code: "281234567890123456".parse(),
        code_type: CodeType::Barcode,
        trans_create_time: Some(instant()),
        quantity: None,
        memo: None,
        notify_url: None,
        store: StoreData {
            secondary_merchant_id: Some("M001".parse().expect("an id")),
            store_id: Some("S001".parse().expect("an id")),
            ..StoreData::default()
        },
    };
    request::sign(Charset::Utf8, payment.params(), signer)
}

fn form(request: &SignedRequest) -> Form {
    Form::read(request.query.as_bytes(), request.body.as_bytes())
}

fn amount() -> Amount {
    Amount::new(Money::of_minor(3_930, Currency::HKD)).expect("above zero")
}

fn instant() -> Timestamp {
    Timestamp::parse_compact("20261123120000").expect("an instant")
}

/// From bytes to a typed request.
fn read(criterion: &mut Criterion, signer: &Signer) {
    let (request, verifier) = (signed(signer), signer.verifier());
    let mut group = criterion.benchmark_group("request");
    group.throughput(Throughput::Elements(1));
    let mut text = Vec::new();
    group.bench_function("read, canonical text, verify MD5", |bencher| {
        bencher.iter(|| {
            let form = form(black_box(&request));
            canonical::verify(&form, &verifier, &mut text)
        });
    });
    assert_verifies(&request, &verifier);

    let form = form(&request);
    group.bench_function("parse", |bencher| {
        bencher.iter(|| pay::Request::parse(black_box(&form)));
    });
    assert!(pay::Request::parse(&form).is_ok(), "a refusal was measured");
    group.finish();
}

fn assert_verifies(request: &SignedRequest, verifier: &Verifier) {
    let spelling = canonical::verify(&form(request), verifier, &mut Vec::new());
    assert_eq!(spelling, Some(Spelling::Usual), "a refusal was measured");
}

/// Wrong MD5 signatures: all must take the same time, wherever the first difference is.
fn wrong(criterion: &mut Criterion, signer: &Signer) {
    let verifier = signer.verifier();
    let text = b"partner=2088000000000001&partner_trans_id=T1";
    let right = signer.sign(text);
    let other = |letter: char| if letter == '0' { '1' } else { '0' };
    let changed = |from: usize, to: usize| -> String {
        let letters = right.chars().enumerate();
        let change = |(at, letter)| {
            if (from..to).contains(&at) {
                other(letter)
            } else {
                letter
            }
        };
        letters.map(change).collect()
    };
    let mut group = criterion.benchmark_group("wrong MD5");
    for (name, sign) in [
        ("in the first character", changed(0, 1)),
        ("in the last character", changed(31, 32)),
        ("in every character", changed(0, 32)),
    ] {
        assert!(!verifier.verify(text, &sign), "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| verifier.verify(black_box(text), black_box(&sign)));
        });
    }
    group.finish();
}

/// The two halves of RSA2 over the text of a request.
fn rsa2(criterion: &mut Criterion, signer: &Signer) {
    let (request, verifier) = (signed(signer), signer.verifier());
    assert_verifies(&request, &verifier);
    let form = form(&request);
    let sign = form.get("sign").expect("a signed request").to_owned();
    let mut text = Vec::new();
    canonical::canonical(&form, &mut text);

    let mut group = criterion.benchmark_group("RSA2");
    group.throughput(Throughput::Elements(1));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| verifier.verify(black_box(&text), &sign));
    });
    group.bench_function("sign", |bencher| {
        bencher.iter(|| signer.sign(black_box(&text)));
    });
    group.finish();
}

/// From an outcome to the bytes of its answer.
fn answer(criterion: &mut Criterion, signer: &Signer) {
    let form = form(&signed(signer));
    let answer = pay::Answer::Success(Box::new(Paid {
        partner_trans_id: "TILL0001-000000000001".parse().expect("an id"),
        alipay_trans_id: "2026112322001400000000100001".parse().expect("a number"),
        pay_time: instant(),
        amount: amount(),
        buyer: Some(Buyer {
            login_id: "852****0000".into(),
            user_id: "2088000000000001".parse().expect("a wallet"),
        }),
        payment_inst: Some(PaymentInst::AlipayHk),
        conversion: None,
    }));
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Elements(1));
    group.bench_function("write XML, sign MD5", |bencher| {
        bencher.iter(|| xml::accepted(&form, &black_box(&answer).fields(), signer));
    });
    group.finish();
}
