use super::*;
use spotpay_client::{Cancelled, Currency, Doubt, Money, Refusal, Stuck, TransportFailure};
use spotpay_client::{Client, HttpAnswer, HttpRequest, RefundOrder, Settings, Transport};

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
    let partner_refund_id = None;
    for why in [
        NotPaid::Cancelled { action },
        NotPaid::Closed,
        NotPaid::Refunded { partner_refund_id },
    ] {
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
        Stuck::RefundRefused(Refusal::new("MERCHANT_BALANCE_NOT_ENOUGH")),
        Stuck::RefundUnanswered(Doubt::BadSignature),
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

/// Answers `SUCCESS` to every refund.
struct Refunds;

impl Transport for Refunds {
    fn post(&self, _request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        let form = spotpay_wire::form::Form::read(b"_input_charset=UTF-8", b"");
        let mut fields = spotpay_wire::xml::Fields::new();
        for (name, value) in [
            ("alipay_trans_id", "2020120722001401701436761112"),
            ("currency", "HKD"),
            ("partner_refund_id", "R1"),
            ("partner_trans_id", "T1"),
            ("refund_amount", "39.30"),
            ("result_code", "SUCCESS"),
        ] {
            fields.put(name, value);
        }
        let signer = spotpay_client::Signer::Md5(KEY.parse().unwrap());
        Ok(HttpAnswer {
            status: 200,
            content_type: "text/xml;charset=UTF-8".to_owned(),
            body: spotpay_wire::xml::accepted(&form, &fields, &signer),
        })
    }
}

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

// Goal: the object of refunds: that of payments, and the refund's number behind it.
#[test]
fn refunds() {
    let refund_id: PartnerRefundId = "R1".parse().unwrap();
    let gateway = "http://127.0.0.1:1/".parse().unwrap();
    let settings = Settings::md5(gateway, "2088000000000001".parse().unwrap(), KEY).unwrap();
    let client = Client::new(settings, Refunds);
    let mut order = RefundOrder::new(id(), refund_id.clone(), price());
    for (mode, state, line) in [
        (spotpay_client::RefundMode::Sync, "REFUNDED", "refunded"),
        (
            spotpay_client::RefundMode::Async,
            "ACCEPTED",
            "accepted, not refunded yet:",
        ),
    ] {
        order.mode = mode;
        let outcome = client.refund(&order, &spotpay_client::SystemPace::new());
        check(
            &Report::of_refund(&outcome, &id(), &refund_id, price()),
            0,
            &format!(
                r#"{{"outcome":"success","state":"{state}","error":null,"partner_trans_id":"T1","alipay_trans_id":"2020120722001401701436761112","payment_inst":null,"amount":"39.30","currency":"HKD","partner_refund_id":"R1"}}"#
            ),
            &format!("{line} HKD 39.30; id T1, refund R1, trade 2020120722001401701436761112"),
        );
    }
    let refused = Outcome::Refused(Refusal::new("MERCHANT_BALANCE_NOT_ENOUGH"));
    check(
        &Report::of_refund(&refused, &id(), &refund_id, price()),
        1,
        r#"{"outcome":"refused","state":null,"error":"MERCHANT_BALANCE_NOT_ENOUGH","partner_trans_id":"T1","alipay_trans_id":null,"payment_inst":null,"amount":"39.30","currency":"HKD","partner_refund_id":"R1"}"#,
        "not refunded: refused: MERCHANT_BALANCE_NOT_ENOUGH (the merchant's funds are too low); id T1, refund R1",
    );
    let late = Refusal::new("TRADE_NOT_EXIST");
    let unknown = Outcome::Unknown(Doubt::RefusedLate(late));
    let report = Report::of_refund(&unknown, &id(), &refund_id, price());
    assert_eq!(report.exit().number(), 3);
}

// Goal: a query of a refund worked when there is one; its state says the rest.
#[test]
fn refund_queries() {
    let refund_id: PartnerRefundId = "R1".parse().unwrap();
    let found = |status, error: Option<&'static str>| {
        Outcome::Success(FoundRefund {
            status,
            error: error.map(Into::into),
            out_return_no: refund_id.clone(),
            out_trade_no: id(),
            trade_no: "2020120722001401701436761112".parse().unwrap(),
            gmt_create: spotpay_client::Timestamp::from_seconds(1_800_000_000),
            amount: Some(price()),
            gmt_refund: None,
        })
    };
    for (outcome, state, line) in [
        (
            found(RefundStatus::Success, None),
            "REFUNDED",
            "refunded: HKD 39.30",
        ),
        (
            found(
                RefundStatus::Processing,
                Some("MERCHANT_BALANCE_NOT_ENOUGH"),
            ),
            "ACCEPTED",
            "accepted, not refunded yet: HKD 39.30 (MERCHANT_BALANCE_NOT_ENOUGH)",
        ),
        (
            found(RefundStatus::Failed, Some("MERCHANT_BALANCE_NOT_ENOUGH")),
            "FAILED",
            "failed, nothing went back: HKD 39.30 (MERCHANT_BALANCE_NOT_ENOUGH)",
        ),
        (
            found(RefundStatus::Cancelled, None),
            "CANCELED",
            "the trade was cancelled first, which gave all back: HKD 39.30",
        ),
    ] {
        let report = Report::of_refund_query(&outcome, &id(), &refund_id);
        assert_eq!((report.exit().number(), report.state), (0, Some(state)));
        assert!(report.line.starts_with(line), "{}", report.line);
        assert_eq!(report.error.is_some(), line.contains("NOT_ENOUGH"));
    }
    let none = Outcome::Refused(Refusal::new("NOT_FOUND"));
    check(
        &Report::of_refund_query(&none, &id(), &refund_id),
        1,
        r#"{"outcome":"refused","state":null,"error":"NOT_FOUND","partner_trans_id":"T1","alipay_trans_id":null,"payment_inst":null,"amount":null,"currency":null,"partner_refund_id":"R1"}"#,
        "no answer about the refund: refused: NOT_FOUND (there is no such refund); id T1, refund R1",
    );
}

#[test]
fn exits() {
    let numbers = [Exit::Success, Exit::Refused, Exit::Usage, Exit::Unknown].map(Exit::number);
    assert_eq!(numbers, [0, 1, 2, 3]);
}
