//! Refunds beside a checkout: what is sent, how often, and what is made of what comes back.

use spotpay_client::{
    Client, Doubt, HttpAnswer, HttpRequest, Outcome, RefundMode, RefundOrder, RefundStatus,
    Refunding, Sale, Transport, TransportFailure,
};
use spotpay_wire::form::Form;
use spotpay_wire::signature::Signer;
use spotpay_wire::xml::{Fields, accepted};

use crate::model::{Fate, MD5_KEY, Temper, World, folded, hkd, settings};

fn order(amount: &str, mode: RefundMode) -> RefundOrder {
    let mut order = RefundOrder::new("T1".parse().unwrap(), "R1".parse().unwrap(), hkd(amount));
    order.mode = mode;
    order
}

fn describe(outcome: &Outcome<Refunding>) -> String {
    match outcome {
        Outcome::Success(Refunding::Refunded(receipt)) => {
            format!("refunded {}", receipt.amount.money().major())
        }
        Outcome::Success(Refunding::Accepted(receipt)) => {
            format!("accepted {}", receipt.amount.money().major())
        }
        Outcome::Refused(refusal) => format!("refused {}", refusal.code()),
        Outcome::Unknown(Doubt::RefusedLate(refusal)) => format!("late {}", refusal.code()),
        Outcome::Unknown(doubt) => format!("unknown {}", doubt.name()),
        other => format!("{other:?}"),
    }
}

fn world(temper: Temper, fates: Vec<Fate>) -> World {
    let world = World::new(temper, vec![]);
    let code = "288888888888888888".parse().unwrap();
    let sale = Sale::new("T1".parse().unwrap(), hkd("39.30"), "Tea", code);
    let paid = Client::new(settings(), &world).pay(sale);
    assert!(matches!(paid, Outcome::Success(_)));
    world.log.borrow_mut().clear();
    *world.fates.borrow_mut() = fates.into_iter().rev().collect();
    world
}

/// What a client makes of fates, with the number of requests.
fn check(temper: Temper, mode: RefundMode, fates: &[Fate], expected: &str, requests: &str) {
    let world = world(temper, fates.to_vec());
    let client = Client::new(settings(), &world);
    let outcome = client.refund(&order("39.30", mode), &world);
    assert_eq!(describe(&outcome), expected, "{fates:?}");
    assert_eq!(folded(&world.log.borrow()), requests, "{fates:?}");
    let ids: Vec<String> = world.refunds.borrow().keys().cloned().collect();
    assert!(ids.is_empty() || ids == ["R1"], "{ids:?}");
}

// Goal: the same number until it is known, a bounded number of times; accepted is not refunded.
#[test]
fn repeats() {
    let calm = Temper::default();
    for (mode, done) in [
        (RefundMode::Sync, "refunded 39.30"),
        (RefundMode::Async, "accepted 39.30"),
    ] {
        check(calm, mode, &[], done, "refund");
        for fate in [
            Fate::Lost,
            Fate::Mute,
            Fate::Late(0),
            Fate::Fault,
            Fate::Unknown,
            Fate::DoneUnknown,
            Fate::Forged,
            Fate::Page,
            Fate::Crossed,
            Fate::Unreachable,
        ] {
            check(calm, mode, &[fate], done, "refund*2");
        }
        check(calm, mode, &[Fate::Mute; 9], done, "refund*10");
        check(
            calm,
            mode,
            &[Fate::Mute; 10],
            "unknown no_answer",
            "refund*10",
        );
        check(
            calm,
            mode,
            &[Fate::Unknown; 10],
            "unknown SYSTEM_ERROR",
            "refund*10",
        );
        check(
            calm,
            mode,
            &[Fate::Unreachable; 10],
            "unknown not_sent",
            "refund*10",
        );
        // What may have arrived is not forgotten for what was not sent.
        let fates = [[Fate::Lost; 1].as_slice(), &[Fate::Unreachable; 9]].concat();
        check(calm, mode, &fates, "unknown no_answer", "refund*10");
    }
}

// Goal: a refusal is one only when no earlier copy can still be done.
#[test]
fn refusals() {
    let sync = RefundMode::Sync;
    let broke = Temper {
        broke: true,
        ..Temper::default()
    };
    let old = Temper {
        too_late: true,
        ..Temper::default()
    };
    let funds = "refused MERCHANT_BALANCE_NOT_ENOUGH";
    let time = "REFUNDMENT_VALID_DATE_EXCEED";
    check(broke, sync, &[], funds, "refund");
    check(broke, sync, &[Fate::Mute], funds, "refund*2");
    check(broke, RefundMode::Async, &[], "accepted 39.30", "refund");
    check(old, sync, &[], &format!("refused {time}"), "refund");
    check(
        old,
        sync,
        &[Fate::Unreachable],
        &format!("refused {time}"),
        "refund*2",
    );
    check(
        old,
        sync,
        &[Fate::Lost],
        &format!("late {time}"),
        "refund*2",
    );
    let world = world(Temper::default(), vec![]);
    let client = Client::new(settings(), &world);
    for (amount, mode, expected) in [
        ("39.31", sync, "refused REFUND_AMT_NOT_EQUAL_TOTAL"),
        ("10", sync, "refunded 10.00"),
        ("10", sync, "refunded 10.00"),
        ("11", sync, "refused DISCORDANT_REPEAT_REQUEST"),
    ] {
        let outcome = client.refund(&order(amount, mode), &world);
        assert_eq!(describe(&outcome), expected, "{amount}");
    }
}

// Goal: what became of a refund.
#[test]
fn queries() {
    let world = world(Temper::default(), vec![]);
    let client = Client::new(settings(), &world);
    let (trade, refund) = ("T1".parse().unwrap(), "R1".parse().unwrap());
    let Outcome::Refused(refusal) = client.refund_query(&trade, &refund) else {
        panic!("there is none yet");
    };
    assert_eq!(refusal.code(), "NOT_FOUND");
    let _ = client.refund(&order("10", RefundMode::Async), &world);
    let Outcome::Success(found) = client.refund_query(&trade, &refund) else {
        panic!("there is one");
    };
    assert_eq!(found.status, RefundStatus::Processing);
    assert_eq!(found.amount, Some(hkd("10")));
    let other = client.refund_query(&"T2".parse().unwrap(), &refund);
    assert!(!matches!(other, Outcome::Refused(_)), "{other:?}");
}

/// Answers every request with the same fields.
struct Says(Vec<(&'static str, &'static str)>);

impl Transport for Says {
    fn post(&self, _request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        let form = Form::read(b"_input_charset=UTF-8", b"");
        let mut all = Fields::new();
        for (name, value) in &self.0 {
            all.put(name, *value);
        }
        Ok(HttpAnswer {
            status: 200,
            content_type: "text/xml;charset=UTF-8".to_owned(),
            body: accepted(&form, &all, &Signer::Md5(MD5_KEY.parse().unwrap())),
        })
    }
}

// Goal: an answer that is about something else, or that nobody published, is none.
#[test]
fn answers_that_are_none() {
    let world = World::new(Temper::default(), vec![]);
    let failed = |code| vec![("error", code), ("result_code", "FAILED")];
    let done = |trade, refund, amount| {
        vec![
            ("alipay_trans_id", "2020120722001401701436761112"),
            ("currency", "HKD"),
            ("partner_refund_id", refund),
            ("partner_trans_id", trade),
            ("refund_amount", amount),
            ("result_code", "SUCCESS"),
        ]
    };
    for (fields, expected) in [
        (done("T1", "R1", "39.30"), "refunded 39.30"),
        (done("T1", "R2", "39.30"), "unknown other_answer"),
        (done("T2", "R1", "39.30"), "unknown other_answer"),
        (done("T1", "R1", "39.3"), "refunded 39.30"),
        (done("T1", "R1", "9.30"), "unknown amount_differs"),
        (failed("TRADE_STATUS_ERROR"), "refused TRADE_STATUS_ERROR"),
        (failed("ACQ.TRADE_NOT_EXIST"), "refused TRADE_NOT_EXIST"),
        (failed("SYSTEM_ERROR"), "unknown SYSTEM_ERROR"),
        (
            failed("SELLER_BALANCE_NOT_ENOUGH"),
            "unknown SELLER_BALANCE_NOT_ENOUGH",
        ),
        (failed("BRAND_NEW"), "unknown BRAND_NEW"),
        (vec![("result_code", "UNKNOW")], "unknown SYSTEM_ERROR"),
        (vec![("result_code", "FAILED")], "unknown unreadable_answer"),
    ] {
        let client = Client::new(settings(), Says(fields));
        let outcome = client.refund(&order("39.30", RefundMode::Sync), &world);
        assert_eq!(describe(&outcome), expected);
    }
}
