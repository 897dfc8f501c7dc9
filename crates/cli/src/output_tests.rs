use super::*;
use spotpay_client::{Cancelled, Currency, Doubt, Money, Refusal, Stuck, TransportFailure};

fn id() -> PartnerTransId {
    "T1".parse().unwrap()
}

fn price() -> Amount {
    Amount::new(Money::parse_major("39.30", Currency::HKD).unwrap()).unwrap()
}

fn check(report: &Report, exit: u8, json: &str, line: &str) {
    assert_eq!(serde_json::to_string(report).unwrap(), json);
    assert_eq!((report.exit().number(), report.line.as_str()), (exit, line));
}

// Goal: the object that other people's scripts read, its names and their order.
#[test]
fn refusals() {
    let refusal = || Refusal::new("BUYER_BALANCE_NOT_ENOUGH");
    check(
        &Report::of_ending(
            &Ending::NotPaid(NotPaid::Refused(refusal())),
            &id(),
            price(),
        ),
        1,
        r#"{"outcome":"refused","state":null,"error":"BUYER_BALANCE_NOT_ENOUGH","partner_trans_id":"T1","alipay_trans_id":null,"payment_inst":null,"amount":"39.30","currency":"HKD"}"#,
        "not paid: refused: BUYER_BALANCE_NOT_ENOUGH (the wallet's balance is too low); id T1",
    );
    check(
        &Report::of_query(&Outcome::Refused(Refusal::new("TRADE_NOT_EXIST")), &id()),
        1,
        r#"{"outcome":"refused","state":null,"error":"TRADE_NOT_EXIST","partner_trans_id":"T1","alipay_trans_id":null,"payment_inst":null,"amount":null,"currency":null}"#,
        "no answer about the trade: refused: TRADE_NOT_EXIST (there is no such trade); id T1",
    );
}

// Goal: a payment cancelled at the limit is refused, exit 1.
#[test]
fn cancelled_at_the_limit() {
    let action = Some(spotpay_client::Action::Close);
    for why in [NotPaid::Cancelled { action }, NotPaid::Closed] {
        let report = Report::of_ending(&Ending::NotPaid(why), &id(), price());
        assert_eq!(
            (report.exit().number(), report.state),
            (1, Some("TRADE_CLOSED"))
        );
    }
}

// Goal: what is not known is never a refusal: exit 3.
#[test]
fn unknown() {
    for stuck in [
        Stuck::CancelWindowOver,
        Stuck::CancelRefused(Refusal::new("REASON_TRADE_BEEN_FREEZEN")),
        Stuck::CancelUnanswered(Doubt::BadSignature),
        Stuck::OtherTrade,
    ] {
        let report = Report::of_ending(&Ending::Unknown(stuck), &id(), price());
        assert_eq!(report.exit().number(), 3);
        assert!(report.error.is_some());
    }
    let never = NotPaid::NeverSent(TransportFailure::never("refused"));
    let report = Report::of_ending(&Ending::NotPaid(never), &id(), price());
    assert_eq!(report.exit().number(), 3);
    let waiting = Outcome::Unknown(Doubt::Waiting {
        alipay_trans_id: None,
    });
    let report = Report::of_pay(&waiting, &id(), price());
    assert_eq!(
        (report.exit().number(), report.state),
        (3, Some("WAIT_BUYER_PAY"))
    );
    let fault = Outcome::<Cancelled>::Unknown(Doubt::Fault(Refusal::new("SYSTEM_ERROR")));
    check(
        &Report::of_cancel(&fault, &id()),
        3,
        r#"{"outcome":"unknown","state":null,"error":"SYSTEM_ERROR","partner_trans_id":"T1","alipay_trans_id":null,"payment_inst":null,"amount":null,"currency":null}"#,
        "unknown: the gateway says SYSTEM_ERROR (the gateway could not answer); id T1",
    );
}

#[test]
fn exits() {
    let numbers = [Exit::Success, Exit::Refused, Exit::Usage, Exit::Unknown].map(Exit::number);
    assert_eq!(numbers, [0, 1, 2, 3]);
}
