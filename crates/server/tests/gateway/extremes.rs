//! Times far off and numbers far too large, in every field that takes one.

use crate::till::{Params, pair, set};
use crate::world::World;

const CODE_BAD: &str = "FAILED:SOUNDWAVE_PARSER_FAIL";
const PAY_BAD: &str = "FAILED:INVALID_PARAMETER";

/// Digits of a time as pay has it, and whether there is such a time.
const COMPACT: [(&str, bool); 12] = [
    // The calendar goes on backwards before year 1, and nobody pays then.
    ("00000101000000", true),
    ("00010101000000", true),
    ("19700101000000", true),
    ("99991231235959", true),
    ("999990101000000", false),
    ("20261123240000", false),
    ("20261123235960", false),
    ("20261123236000", false),
    ("20260229120000", false),
    ("20280229120000", true),
    ("20260230120000", false),
    ("20261131120000", false),
];

// Goal: the shop's own time of a payment decides nothing: any time that exists is taken, one that
// does not exist is malformed.
#[tokio::test]
async fn times_of_a_payment() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for (time, exists) in COMPACT {
        let mut params = till.pay("T1", "288888888888888888", "1.00");
        set(&mut params, "trans_create_time", time);
        let expected = if exists { CODE_BAD } else { PAY_BAD };
        let said = till.ask(&world, &params).await.outcome();
        assert_eq!(said, expected, "{time}");
    }
}

// Goal: a stamp of a store call far from now, or of no time at all, is refused, spaced or in
// milliseconds; nothing is registered by it.
#[tokio::test]
async fn times_of_store_calls() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let before = world.does("GET", "/partners/tea-house/stores", "").await;
    let spaced = COMPACT.iter().map(|(time, _)| {
        let mut text = (*time).to_owned();
        for (place, mark) in [(12, ":"), (10, ":"), (8, " "), (6, "-"), (4, "-")] {
            text.insert_str(place, mark);
        }
        text
    });
    let millis = [
        "0",
        "-1",
        "-9223372036854775808",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "253402300799999",
        "1e400",
        "0x7fffffffffffffff",
    ];
    for time in spaced.chain(millis.map(str::to_owned)) {
        for mut params in [
            till.register("M002", "S002", world.now()),
            till.store_status("M001", "S001", world.now()),
        ] {
            set(&mut params, "timestamp", &time);
            let said = till.ask(&world, &params).await.outcome();
            assert_eq!(said, "PARAM_ILLEGAL", "{time}");
        }
    }
    let after = world.does("GET", "/partners/tea-house/stores", "").await;
    assert_eq!(after, before);
}

// Goal: a cancel's stamp is looked at for its form only; the days of a file must exist, be over and
// not be more than a month.
#[tokio::test]
async fn times_of_cancels_and_files() {
    let world = World::start().await;
    let till = world.till("duty-free").await;
    for (time, expected) in [
        ("0", "SUCCESS"),
        ("-1", "FAIL:INVALID_PARAMETER"),
        ("9223372036854775808", "FAIL:INVALID_PARAMETER"),
        ("99999999999999999999", "FAIL:INVALID_PARAMETER"),
        ("0001-01-01 00:00:00", "SUCCESS"),
        ("9999-12-31 23:59:59", "SUCCESS"),
        ("99999-01-01 00:00:00", "FAIL:INVALID_PARAMETER"),
        ("2026-11-23 24:00:00", "FAIL:INVALID_PARAMETER"),
        ("2026-11-23 23:59:60", "FAIL:INVALID_PARAMETER"),
        ("2026-02-30 12:00:00", "FAIL:INVALID_PARAMETER"),
    ] {
        let mut params = till.cancel("C1");
        set(&mut params, "timestamp", time);
        let said = till.ask(&world, &params).await.outcome();
        assert_eq!(said, expected, "{time}");
    }
    for service in ["forex_compare_file", "forex_liquidation_file"] {
        for (start, end) in [
            ("00010101", "99991231"),
            ("19700101", "20261122"),
            ("99991201", "99991231"),
            ("999990101", "999990102"),
            ("20260230", "20260301"),
            ("20261100", "20261101"),
            ("20261322", "20261323"),
            ("-0010101", "-0010102"),
        ] {
            let mut params: Params = till.params(service);
            params.extend([pair("start_date", start), pair("end_date", end)]);
            let said = till.ask(&world, &params).await.outcome();
            assert_eq!(said, "F:ILLEGAL_ARGUMENT", "{service} {start} {end}");
        }
    }
}

// Goal: amounts and counts beyond every type, in refunds and payments: the published refusal, never
// a fault; the payment that is refunded keeps its money.
#[tokio::test]
async fn numbers_of_requests() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    world.check("pay tea-house N1 alice 10.00 -> SUCCESS").await;
    let many = "9".repeat(300);
    for number in [
        "9223372036854775807",
        "9223372036854775808",
        "92233720368547758.07",
        "92233720368547758.08",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        many.as_str(),
        "1e400",
        "Infinity",
        "-9223372036854775808",
        "0.0000000000000000000000001",
    ] {
        let mut refund = till.refund("N1", "R1", number);
        refund.push(pair("is_sync", "Y"));
        let said = till.ask(&world, &refund).await.outcome();
        let refused = [
            "FAILED:INVALID_PARAMETER",
            "FAILED:REFUND_AMT_NOT_EQUAL_TOTAL",
        ];
        assert!(refused.contains(&&*said), "refund {number}: {said}");
        let code = world.code("alice").await;
        let pay = till.pay("N2", &code, number);
        let said = till.ask(&world, &pay).await.outcome();
        let refused = ["FAILED:INVALID_PARAMETER", "FAILED:TOTAL_FEE_EXCEED"];
        assert!(refused.contains(&&*said), "pay {number}: {said}");
        let mut counted = till.pay("N2", &code, "1.00");
        set(&mut counted, "quantity", number);
        let said = till.ask(&world, &counted).await.outcome();
        // A quantity is a note for people, whatever fits it.
        let known = ["FAILED:INVALID_PARAMETER", "SUCCESS"];
        assert!(known.contains(&&*said), "quantity {number}: {said}");
    }
    world
        .check("cancel tea-house N1 -> SUCCESS action=refund")
        .await;
    world.check("cancel tea-house N2 -> SUCCESS").await;
    assert_eq!(world.balance("alice").await, "100000.00");
    world.books().await;
}

// Goal: the sandbox API takes no number, time or depth that it cannot keep: 4xx with a word, the
// clock where it was, and the books in order.
#[tokio::test]
async fn numbers_and_times_of_the_sandbox() {
    let world = World::start().await;
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let values = [
        "1e400",
        "-1e400",
        "1e-400",
        "18446744073709551616",
        "-9223372036854775809",
        "4294967296",
        "0.1",
        "-1",
        "\"1e400\"",
        "\"99999999999999999999.99\"",
        "\"-1\"",
        "\"NaN\"",
        "\"0000-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59Z\"",
        "\"99999-01-01T00:00:00Z\"",
        "\"2027-02-30T12:00:00+08:00\"",
        "\"2027-01-01T24:00:00+08:00\"",
        "\"2027-01-01T12:00:00+99:99\"",
        "\"P99999999999Y\"",
        "\"PT9223372036854775807S\"",
        "\"P1Y\"",
        deep.as_str(),
        objects.as_str(),
    ];
    let before = world.now();
    for (method, path, field) in [
        ("POST", "/clock", "advance"),
        ("POST", "/clock", "set"),
        ("POST", "/wallets/alice/topup", "amount"),
        ("PATCH", "/wallets/alice", "limit_per_day"),
        ("PATCH", "/partners/tea-house", "limit_product"),
        ("POST", "/wallets/alice/code", "count"),
        ("POST", "/wallets/alice/code", "digits"),
    ] {
        for value in values {
            let body = format!("{{\"{field}\":{value}}}");
            let (status, said) = world.api(method, path, &body).await;
            let shown: String = body.chars().take(60).collect();
            assert!(
                (400..500).contains(&status),
                "{path} {shown}: {status} {said}"
            );
            assert_eq!(world.now(), before, "{path} {shown}");
        }
    }
    for query in [
        "/requests?limit=18446744073709551616",
        "/requests?limit=-1",
        "/requests?limit=1e400",
        "/requests?before=99999999999999999999",
        "/notifications?limit=18446744073709551616",
    ] {
        let (status, said) = world.api("GET", query, "").await;
        assert!((400..500).contains(&status), "{query}: {status} {said}");
    }
    world.books().await;
}
