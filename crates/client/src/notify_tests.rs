use super::*;
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_wire::notification::{self, refund_fields, trade_fields};
use spotpay_wire::signature::Signer;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";
const OTHER_KEY: &str = "vutsrqponmlkjihgfedcba9876543210";

fn settings() -> Settings {
    let gateway = "http://gateway.test/gateway.do".parse().unwrap();
    Settings::md5(gateway, "2088000000000001".parse().unwrap(), KEY).unwrap()
}

fn signer(key: &str) -> Signer {
    Signer::Md5(key.parse().unwrap())
}

fn hkd(major: &str) -> Amount {
    Amount::new(Money::parse_major(major, Currency::HKD).unwrap()).unwrap()
}

fn trade(notify_id: &str, seller: Option<&str>) -> TradeEvent {
    TradeEvent {
        notify_id: notify_id.into(),
        notify_time: None,
        out_trade_no: "T1".parse().unwrap(),
        trade_no: "2020120722001455203001700042".parse().unwrap(),
        end: TradeEnd::Paid { at: None },
        amount: hkd("39.30"),
        subject: Some("茶".into()),
        created_at: None,
        buyer: None,
        seller_id: seller.map(|seller| seller.parse().unwrap()),
        seller_email: None,
        payment_inst: None,
    }
}

fn refund(notify_id: &str, refund_id: &str) -> RefundEvent {
    RefundEvent {
        notify_id: notify_id.into(),
        notify_time: None,
        out_trade_no: "T1".parse().unwrap(),
        out_return_no: refund_id.parse().unwrap(),
        trade_no: "2020120722001455203001700042".parse().unwrap(),
        amount: hkd("10"),
        refunded_at: None,
        seller_id: "2088000000000001".parse().ok(),
    }
}

fn trade_body(notify_id: &str) -> String {
    let event = trade(notify_id, Some("2088000000000001"));
    notification::sign(Charset::Utf8, trade_fields(&event), &signer(KEY))
}

fn refund_body(notify_id: &str, refund_id: &str) -> String {
    let event = refund(notify_id, refund_id);
    notification::sign(Charset::Utf8, refund_fields(&event), &signer(KEY))
}

fn describe(handled: &Handled) -> String {
    let event = match &handled.event {
        Some(Event::Trade(trade)) => format!(" trade {}", trade.out_trade_no),
        Some(Event::Refund(refund)) => format!(" refund {}", refund.out_return_no),
        None => String::new(),
    };
    let refusal = handled.refusal.as_ref();
    let refusal = refusal.map_or(String::new(), |refusal| format!(" ({refusal})"));
    format!("{}{event}{refusal}", handled.reply)
}

fn handle(body: &[u8]) -> String {
    describe(&Handler::new(&settings(), MemorySeen::new()).handle(body))
}

// Goal: what is genuine is acted upon; whatever was done to it, it is not.
#[test]
fn genuine_or_not() {
    let body = trade_body("n1");
    assert_eq!(handle(body.as_bytes()), "success trade T1");
    assert_eq!(
        handle(refund_body("n1", "R1").as_bytes()),
        "success refund R1"
    );
    let signed = |fields: &[(&str, &str)], key: &str| {
        notification::sign(Charset::Utf8, fields.iter().copied(), &signer(key))
    };
    let other_partner = trade("n1", Some("2088000000000002"));
    let other_partner =
        notification::sign(Charset::Utf8, trade_fields(&other_partner), &signer(KEY));
    let refund_of_another = RefundEvent {
        seller_id: "2088000000000002".parse().ok(),
        ..refund("n1", "R1")
    };
    let refund_of_another = refund_fields(&refund_of_another);
    let refund_of_another = notification::sign(Charset::Utf8, refund_of_another, &signer(KEY));
    let forged = notification::sign(
        Charset::Utf8,
        trade_fields(&trade("n1", None)),
        &signer(OTHER_KEY),
    );
    for (body, expected) in [
        (forged, "(the signature does not verify)"),
        (
            body.replace("39.30", "39.31"),
            "(the signature does not verify)",
        ),
        (body.replace("T1", "T2"), "(the signature does not verify)"),
        (
            body.replace("currency=HKD&", ""),
            "(the signature does not verify)",
        ),
        (body.clone() + "&more=1", "(the signature does not verify)"),
        (
            body.replace("sign=", "sign=0"),
            "(the signature does not verify)",
        ),
        (
            body.clone() + "&total_fee=1.00",
            "(the body is no sound form: total_fee is given twice with different values)",
        ),
        (
            body.clone() + "&sign=0",
            "(the body is no sound form: sign is given twice with different values)",
        ),
        (
            body.replace("sign_type=MD5", "sign_type=RSA2"),
            "(sign_type is RSA2, and there is no key of this type here)",
        ),
        (
            body.replace("sign_type=MD5", "sign_type=md5"),
            "(sign_type is \"md5\", which is none)",
        ),
        (
            body.replace("sign_type=MD5", ""),
            "(sign_type is \"\", which is none)",
        ),
        (
            other_partner,
            "(seller_id is \"2088000000000002\", another partner)",
        ),
        (
            refund_of_another,
            "(seller_id is \"2088000000000002\", another partner)",
        ),
        (
            signed(&[("partner", "2088000000000009")], KEY),
            "(partner is \"2088000000000009\", another partner)",
        ),
        (
            signed(&[("notify_type", "batch_trans_notify")], KEY),
            "(the notification's notify_type is \"batch_trans_notify\", of neither a trade nor a refund)",
        ),
        (String::new(), "(sign_type is \"\", which is none)"),
        (
            "x".repeat(BODY_BYTES_MAX + 1),
            "(the body has 64001 bytes, more than 64000)",
        ),
        ("a=%FF".to_owned(), "(the body is not in UTF-8)"),
    ] {
        assert_eq!(
            handle(body.as_bytes()),
            format!("fail {expected}"),
            "{body:.200}"
        );
    }
}

// Goal: the charset is that of the settings, whatever the body is called.
#[test]
fn gbk() {
    let event = trade("n1", None);
    let body = notification::sign(Charset::Gbk, trade_fields(&event), &signer(KEY));
    let mut settings = settings();
    settings.charset = Charset::Gbk;
    let handled = Handler::new(&settings, MemorySeen::new()).handle(body.as_bytes());
    match handled.event {
        Some(Event::Trade(found)) => assert_eq!(*found, event),
        other => panic!("{other:?}"),
    }
    assert!(handle(body.as_bytes()).starts_with("fail"));
}

// Goal: further keys count when they are given, and only with their own name.
#[test]
fn further_keys() {
    let body = notification::sign(
        Charset::Utf8,
        trade_fields(&trade("n1", None)),
        &signer(OTHER_KEY),
    );
    let handler =
        Handler::new(&settings(), MemorySeen::new()).with_verifier(signer(OTHER_KEY).verifier());
    assert_eq!(
        describe(&handler.handle(body.as_bytes())),
        "success trade T1"
    );
}

// Goal: each is acted upon once, a repeat is acknowledged, and another one is another one.
#[test]
fn once() {
    let handler = Handler::new(&settings(), MemorySeen::new());
    for (body, expected) in [
        (trade_body("n1"), "success trade T1"),
        (trade_body("n1"), "success"),
        (refund_body("n1", "R1"), "success refund R1"),
        (refund_body("n1", "R2"), "success refund R2"),
        (refund_body("n1", "R1"), "success"),
        (trade_body("n2"), "success trade T1"),
        (trade_body("n1"), "success"),
    ] {
        assert_eq!(describe(&handler.handle(body.as_bytes())), expected);
    }
}

// Goal: what could not be acted upon comes again; what was does not, even when it cannot be kept.
#[test]
fn acts() {
    let handler = Handler::new(&settings(), MemorySeen::new());
    let body = trade_body("n1");
    let acted = Cell::new(0);
    let act = |done| {
        let handled = handler.handle_with(body.as_bytes(), |_| {
            acted.set(acted.get() + 1);
            done
        });
        (describe(&handled), acted.get())
    };
    assert_eq!(
        act(false),
        ("fail (it could not be acted upon)".to_owned(), 1)
    );
    assert_eq!(act(true), ("success trade T1".to_owned(), 2));
    assert_eq!(act(true), ("success".to_owned(), 2));

    struct Full;
    impl Seen for Full {
        fn contains(&self, _key: &SeenKey) -> bool {
            false
        }
        fn keep(&mut self, _key: &SeenKey) -> Result<(), SeenError> {
            Err(SeenError::Other("the disk is full".into()))
        }
    }
    let handler = Handler::new(&settings(), Full);
    assert_eq!(
        describe(&handler.handle(body.as_bytes())),
        "fail (the disk is full)"
    );
    let handled = handler.handle_with(body.as_bytes(), |_| true);
    assert_eq!(describe(&handled), "success trade T1 (the disk is full)");
}

// Goal: a gateway that is asked is asked once per new notification, and believed.
#[test]
fn asking() {
    let doubt = || Verdict::Unknown(Doubt::NoVerdict);
    for (verdict, expected) in [
        (Verdict::True, "success trade T1"),
        (
            Verdict::False,
            "fail (the gateway says that it did not send it (false))",
        ),
        (
            Verdict::Invalid,
            "fail (the gateway says that it did not send it (invalid))",
        ),
        (
            doubt(),
            "fail (whether the gateway sent it is not known: \
             the gateway does not say whether it sent the notification)",
        ),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let handler = Handler::new(&settings(), MemorySeen::new()).asking(move |notify_id| {
            assert_eq!(notify_id, "n1");
            count.fetch_add(1, Ordering::Relaxed);
            verdict.clone()
        });
        let body = trade_body("n1");
        let forged = body.replace("39.30", "1.00");
        assert!(describe(&handler.handle(forged.as_bytes())).starts_with("fail"));
        assert_eq!(
            asked.load(Ordering::Relaxed),
            0,
            "a forgery is not asked about"
        );
        assert_eq!(describe(&handler.handle(body.as_bytes())), expected);
        let again = describe(&handler.handle(body.as_bytes()));
        let (again_expected, questions) = match expected.strip_prefix("success") {
            Some(_) => ("success", 1),
            None => (expected, 2),
        };
        assert_eq!(again, again_expected);
        assert_eq!(asked.load(Ordering::Relaxed), questions);
    }
}

// Goal: a memory with a bound forgets the oldest, and no other.
#[test]
fn bounded() {
    let mut seen = MemorySeen::holding(2);
    let key = |id: &str| SeenKey::of(&Event::Trade(Box::new(trade(id, None))));
    for id in ["a", "b", "b", "c"] {
        seen.keep(&key(id)).unwrap();
    }
    let known = ["a", "b", "c"].map(|id| seen.contains(&key(id)));
    assert_eq!(known, [false, true, true]);
}

// Goal: a file remembers over a restart, a line that was cut off costs itself only, and one
// process has it.
#[test]
fn file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seen");
    let handled = |bodies: &[String]| -> Vec<String> {
        let handler = Handler::new(&settings(), FileSeen::open(&path).unwrap());
        let other = FileSeen::open(&path).err().unwrap();
        assert!(other.to_string().ends_with("is in use"), "{other}");
        let handle = |body: &String| describe(&handler.handle(body.as_bytes()));
        bodies.iter().map(handle).collect()
    };
    let bodies = [trade_body("n1"), refund_body("n2", "R 1")];
    assert_eq!(handled(&bodies), ["success trade T1", "success refund R 1"]);
    assert_eq!(handled(&bodies), ["success", "success"]);
    let text = std::fs::read_to_string(&path).unwrap();
    let (first, second) = (
        r#"{"notify_id":"n1","out_trade_no":"T1"}"#,
        r#"{"notify_id":"n2","out_trade_no":"T1","out_return_no":"R 1"}"#,
    );
    assert_eq!(text, format!("{first}\n{second}\n"));
    std::fs::write(&path, text.get(..text.len() - 9).unwrap()).unwrap();
    assert_eq!(handled(&bodies), ["success", "success refund R 1"]);
    assert_eq!(handled(&bodies), ["success", "success"]);
    let error = FileSeen::open("no/such/folder/seen").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the file of notifications no/such/folder/seen: ")
    );
}
