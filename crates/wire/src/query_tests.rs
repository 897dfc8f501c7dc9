use spotpay_core::money::{Currency, Money};

use super::*;
use crate::charset::Charset;
use crate::signature::{Signer, Verifier};
use crate::xml::{AnswerDoc, accepted, read_answer};

fn form(pairs: &[(&str, &str)]) -> Form {
    Form::from_pairs(
        Charset::Utf8,
        [("partner", "2088331370005945")]
            .into_iter()
            .chain(pairs.iter().copied()),
    )
}

// Goal: either number on either contract; none at all is a gateway refusal.
#[test]
fn requests() {
    for (pairs, found) in [
        (&[("partner_trans_id", "T1")][..], "T1 -"),
        (
            &[("alipay_trans_id", "201311221703338463")],
            "- 201311221703338463",
        ),
        (
            &[("partner_trans_id", "T1"), ("alipay_trans_id", "1")],
            "T1 1",
        ),
        (
            &[("partner_trans_id", ""), ("alipay_trans_id", "")],
            "partner_trans_id is missing",
        ),
        (
            &[("partner_trans_id", "a\"")],
            "partner_trans_id is \"a\\\"\"; it must be 1 to 64 characters without controls, quotes and outer or doubled blanks",
        ),
        (
            &[("alipay_trans_id", "1 2")],
            "alipay_trans_id is \"1 2\"; it must be 1 to 64 characters without blanks",
        ),
    ] {
        let request = Request::parse(&form(pairs));
        let text = match &request {
            Ok(Request {
                partner_trans_id,
                alipay_trans_id,
                ..
            }) => format!(
                "{} {}",
                partner_trans_id
                    .as_ref()
                    .map_or("-", PartnerTransId::as_str),
                alipay_trans_id.as_ref().map_or("-", TradeNo::as_str)
            ),
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(text, found);
        if let Ok(request) = request {
            let back = Form::from_pairs(Charset::Utf8, request.params());
            assert_eq!(Request::parse(&back), Ok(request));
        }
    }
}

fn found() -> Found {
    Found {
        partner_trans_id: "201207152001584151024".parse().unwrap(),
        alipay_trans_id: "2020120722001401701436761112".parse().unwrap(),
        status: TradeStatus::TradeSuccess,
        amount: Amount::new(Money::parse_major("3997.60", Currency::HKD).unwrap()).unwrap(),
        pay_time: Timestamp::parse_compact("20201207152003"),
        buyer: Some(Buyer {
            login_id: "132****6685".into(),
            user_id: "2088112549401700".parse().unwrap(),
        }),
        payment_inst: Some(PaymentInst::AlipayCn),
        conversion: None,
    }
}

// Goal: the real answer of December 2020 is read, and our writer would have written it: the same
// declaration, echo and fields, but for its white space and the signature of a key we do not have.
#[test]
fn the_real_answer() {
    let real = include_str!("../tests/answers/query-2020.xml");
    let AnswerDoc::Accepted(doc) = read_answer(real.as_bytes(), "text/xml;charset=GBK").unwrap()
    else {
        panic!("rejected")
    };
    let answer = Answer::Found(Box::new(found()));
    assert_eq!(Answer::read(&doc), Ok(answer.clone()));

    // That gateway answered a UTF-8 request in GBK; ours follows the request (`spec/13`, 14).
    let form = Form::from_pairs(Charset::Gbk, doc.params.clone());
    let signer = Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap());
    let written = String::from_utf8(accepted(&form, &answer.fields(), &signer)).unwrap();
    let packed: String = real.lines().map(str::trim).collect();
    let before_sign = |xml: &str| xml.split_once("<sign>").unwrap().0.to_owned();
    assert_eq!(before_sign(&written), before_sign(&packed));
    assert!(written.ends_with("</sign><sign_type>MD5</sign_type></alipay>"));
}

// Goal: which fields each finding has (`spec/03`, `spec/13` 11 and 19).
#[test]
fn fields_of_each_finding() {
    let key = "0123456789abcdefghijklmnopqrstuv";
    let id: PartnerTransId = "T1".parse().unwrap();
    let conversion = Conversion {
        rate: "0.92".parse().unwrap(),
        cny: Money::parse_major("0.07", Currency::CNY).unwrap(),
    };
    let waiting = Found {
        status: TradeStatus::WaitBuyerPay,
        pay_time: None,
        buyer: None,
        payment_inst: None,
        conversion: Some(conversion),
        ..found()
    };
    for (answer, fields) in [
        (
            Answer::Found(Box::new(waiting)),
            "alipay_trans_id=2020120722001401701436761112 alipay_trans_status=WAIT_BUYER_PAY currency=HKD exchange_rate=0.92000000 out_trade_no=201207152001584151024 partner_trans_id=201207152001584151024 result_code=SUCCESS trans_amount=3997.60 trans_amount_cny=0.07",
        ),
        (
            Answer::Failed {
                error: "TRADE_NOT_EXIST".into(),
                partner_trans_id: Some(id),
            },
            "detail_error_code=TRADE_NOT_EXIST detail_error_des=there is no such trade error=TRADE_NOT_EXIST out_trade_no=T1 partner_trans_id=T1 result_code=FAIL",
        ),
        (
            Answer::Failed {
                error: "INVALID_PARAMETER".into(),
                partner_trans_id: None,
            },
            "detail_error_code=INVALID_PARAMETER detail_error_des=a parameter is malformed error=INVALID_PARAMETER result_code=FAIL",
        ),
    ] {
        let listed: Vec<String> = answer
            .fields()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(listed.join(" "), fields);
        let bytes = accepted(
            &form(&[]),
            &answer.fields(),
            &Signer::Md5(key.parse().unwrap()),
        );
        let AnswerDoc::Accepted(doc) = read_answer(&bytes, "").unwrap() else {
            panic!("rejected")
        };
        assert!(doc.verify(&Verifier::Md5(key.parse().unwrap())));
        assert_eq!(Answer::read(&doc), Ok(answer));
    }
}
