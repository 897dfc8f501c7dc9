use super::*;
use crate::charset::Charset;
use crate::notification::{NotifyId, NotifySecret, sign};
use crate::signature::{Md5Key, Signer};

fn signer() -> Signer {
    let key: Md5Key = "0123456789abcdefghijklmnopqrstuv".parse().unwrap();
    Signer::Md5(key)
}

fn amount(text: &str, currency: Currency) -> Amount {
    Amount::new(Money::parse_major(text, currency).unwrap()).unwrap()
}

fn at(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse_spaced(text).unwrap())
}

fn paid() -> TradeEvent {
    let id = NotifyId::make(&NotifySecret::new(&[7; 32]), 42);
    TradeEvent {
        notify_id: id.as_str().into(),
        notify_time: at("2026-11-23 12:00:05"),
        out_trade_no: "T1".parse().unwrap(),
        trade_no: "2020120722001455203001700042".parse().unwrap(),
        end: TradeEnd::Paid {
            at: at("2026-11-23 12:00:03"),
        },
        amount: amount("39.3", Currency::HKD),
        subject: Some("茶 & \"cake\"".into()),
        created_at: at("2026-11-23 12:00:01"),
        buyer: Some(Buyer {
            login_id: "852****1234".into(),
            user_id: "2088000000000002".parse().unwrap(),
        }),
        seller_id: "2088000000000001".parse().ok(),
        seller_email: Some("till@shop.example".into()),
        payment_inst: Some(PaymentInst::AlipayHk),
    }
}

fn closed() -> TradeEvent {
    TradeEvent {
        end: TradeEnd::Closed {
            at: at("2026-11-23 12:05:01"),
        },
        amount: amount("500", Currency::JPY),
        payment_inst: None,
        ..paid()
    }
}

fn refunded() -> RefundEvent {
    RefundEvent {
        notify_id: paid().notify_id,
        notify_time: at("2026-11-23 23:00:05"),
        out_trade_no: "T1".parse().unwrap(),
        out_return_no: "R1".parse().unwrap(),
        trade_no: paid().trade_no,
        amount: amount("10", Currency::HKD),
        refunded_at: at("2026-11-23 23:00:00"),
        seller_id: paid().seller_id,
    }
}

/// An event and the fields that tell it.
fn told() -> [(Event, Pairs<'static>); 3] {
    fn owned(fields: Pairs<'_>) -> Pairs<'static> {
        let fields = fields.into_iter();
        fields
            .map(|(name, value)| (name, value.into_owned().into()))
            .collect()
    }
    [
        (Event::Trade(Box::new(paid())), owned(trade_fields(&paid()))),
        (
            Event::Trade(Box::new(closed())),
            owned(trade_fields(&closed())),
        ),
        (
            Event::Refund(Box::new(refunded())),
            owned(refund_fields(&refunded())),
        ),
    ]
}

// Goal: which fields each kind has, ascending (`spec/11`, 4 and 5).
#[test]
fn fields_of_each_kind() {
    let mut golden = String::new();
    for (_, fields) in told() {
        assert!(fields.is_sorted_by(|left, right| left.0 < right.0));
        let listed: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        golden += &(listed.join("\n") + "\n\n");
    }
    insta::assert_snapshot!(golden, @r#"
    buyer_email=852****1234
    buyer_id=2088000000000002
    currency=HKD
    gmt_create=2026-11-23 12:00:01
    gmt_payment=2026-11-23 12:00:03
    notify_id=0000000000016l8ur5vn1wofel3fz4alwk
    notify_time=2026-11-23 12:00:05
    notify_type=trade_status_sync
    out_trade_no=T1
    payment_inst=ALIPAYHK
    seller_email=till@shop.example
    seller_id=2088000000000001
    subject=茶 & "cake"
    total_fee=39.30
    trade_no=2020120722001455203001700042
    trade_status=TRADE_SUCCESS

    buyer_email=852****1234
    buyer_id=2088000000000002
    currency=JPY
    gmt_close=2026-11-23 12:05:01
    gmt_create=2026-11-23 12:00:01
    notify_id=0000000000016l8ur5vn1wofel3fz4alwk
    notify_time=2026-11-23 12:00:05
    notify_type=trade_status_sync
    out_trade_no=T1
    seller_email=till@shop.example
    seller_id=2088000000000001
    subject=茶 & "cake"
    total_fee=500
    trade_no=2020120722001455203001700042
    trade_status=TRADE_CLOSED

    currency=HKD
    gmt_refund=2026-11-23 23:00:00
    notify_id=0000000000016l8ur5vn1wofel3fz4alwk
    notify_time=2026-11-23 23:00:05
    notify_type=refund_status_sync
    out_return_no=R1
    out_trade_no=T1
    refund_status=REFUND_SUCCESS
    return_amount=10.00
    seller_id=2088000000000001
    trade_no=2020120722001455203001700042
    "#);
}

// Goal: what is sent is verified and read by the receiver, in each charset.
#[test]
fn round_trips() {
    for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
        for (event, fields) in told() {
            let body = sign(charset, fields, &signer());
            let received = Notification::read(charset, body.as_bytes());
            assert!(received.verify(&signer().verifier()));
            assert_eq!(received.read_event(), Ok(event));
        }
    }
    let body = sign(Charset::Gbk, trade_fields(&paid()), &signer());
    assert!(body.contains("subject=%B2%E8%20%26%20%22cake%22"), "{body}");
}

/// What the real notification of `spec/06` carried, with changes: `name=value` sets, `name=` drops.
fn real(changes: &str) -> Notification {
    let mut params: std::collections::BTreeMap<&str, &str> = [
        ("currency", "USD"),
        ("notify_id", "9938e4a7a8c50aa92aede16c8ffb9cam3i"),
        ("notify_time", "2018-07-04 12:08:56"),
        ("notify_type", "trade_status_sync"),
        ("out_trade_no", "T1"),
        ("total_fee", "8.00"),
        ("trade_no", "2018070421001004910200335476"),
        ("trade_status", "TRADE_FINISHED"),
    ]
    .into();
    let changes = changes.split_whitespace();
    params.extend(changes.map(|change| change.split_once('=').unwrap()));
    let body = sign(Charset::Utf8, params, &signer());
    Notification::read(Charset::Utf8, body.as_bytes())
}

// Goal: gateways that say less, or say it otherwise, are understood as far as they are known.
#[test]
fn other_gateways() {
    const REFUND: &str =
        "out_return_no=R1 refund_status=REFUND_SUCCESS return_amount=1 trade_status=TRADE_SUCCESS";
    for (changes, reads) in [
        ("".to_owned(), "paid USD 8.00"),
        (
            "trade_status=TRADE_SUCCESS total_fee=8".to_owned(),
            "paid USD 8.00",
        ),
        ("trade_status=TRADE_CLOSED".to_owned(), "closed USD 8.00"),
        ("notify_id=1234 notify_time=".to_owned(), "paid USD 8.00"),
        ("buyer_id=x buyer_email=y".to_owned(), "paid USD 8.00"),
        (
            "refund_status=REFUND_SUCCESS gmt_refund=x".to_owned(),
            "paid USD 8.00",
        ),
        (REFUND.to_owned(), "refund R1 USD 1.00"),
        (
            format!("{REFUND} notify_type=refund_status_sync"),
            "refund R1 USD 1.00",
        ),
        (
            format!("{REFUND} refund_status=REFUND_CLOSED"),
            "the notification's refund_status is \"REFUND_CLOSED\"",
        ),
        (
            "notify_type=refund_status_sync".to_owned(),
            "the notification has no refund_status",
        ),
        (
            format!("{REFUND} return_amount=0"),
            "the notification's return_amount is \"0\"",
        ),
        (
            "notify_type=".to_owned(),
            "the notification has no notify_type",
        ),
        (
            "notify_type=dut_user_sign".to_owned(),
            "the notification's notify_type is \"dut_user_sign\", of neither a trade nor a refund",
        ),
        ("notify_id=".to_owned(), "the notification has no notify_id"),
        (
            "trade_status=WAIT_BUYER_PAY".to_owned(),
            "the notification's trade_status is \"WAIT_BUYER_PAY\"",
        ),
        ("total_fee=".to_owned(), "the notification has no total_fee"),
        (
            "total_fee=8.001".to_owned(),
            "the notification's total_fee is \"8.001\"",
        ),
        ("currency=".to_owned(), "the notification has no currency"),
        (
            "currency=XXX".to_owned(),
            "the notification's currency is \"XXX\"",
        ),
        (
            "out_trade_no=a\"b".to_owned(),
            "the notification's out_trade_no is \"a\\\"b\"",
        ),
        (
            "seller_id=x".to_owned(),
            "the notification's seller_id is \"x\"",
        ),
        (
            "notify_time=12:00".to_owned(),
            "the notification's notify_time is \"12:00\"",
        ),
    ] {
        let received = real(&changes);
        assert!(received.verify(&signer().verifier()));
        let found = match received.read_event() {
            Ok(Event::Trade(event)) => {
                let end = match event.end {
                    TradeEnd::Paid { at: None } => "paid",
                    TradeEnd::Closed { at: None } => "closed",
                    TradeEnd::Paid { .. } | TradeEnd::Closed { .. } => "a time from nowhere",
                };
                format!("{end} {}", event.amount.money())
            }
            Ok(Event::Refund(event)) => {
                format!("refund {} {}", event.out_return_no, event.amount.money())
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, reads, "{changes}");
    }
}
