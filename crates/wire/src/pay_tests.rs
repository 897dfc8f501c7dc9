use proptest::prelude::*;

use super::*;
use crate::canonical;
use crate::charset::Charset;
use crate::request;
use crate::signature::{Md5Key, Signer, Verifier};
use crate::xml::{AnswerDoc, accepted, read_answer};

fn key() -> Md5Key {
    "0123456789abcdefghijklmnopqrstuv".parse().unwrap()
}

/// The parameters of the sample in `spec/02`, with changes: `name=value` sets, `name=` drops.
fn form(changes: &[&str]) -> Form {
    let mut params: std::collections::BTreeMap<&str, &str> = [
        ("_input_charset", "UTF-8"),
        ("alipay_seller_id", "2088000000000001"),
        ("biz_product", "OVERSEAS_MBARCODE_PAY"),
        ("buyer_identity_code", "288888888888888888"),
        ("currency", "HKD"),
        ("extend_info", r#"{"secondary_merchant_id":"M001","secondary_merchant_industry":"5812","secondary_merchant_name":"Tea House","store_id":"S001","store_name":"Tea House Central"}"#),
        ("identity_code_type", "barcode"),
        ("partner", "2088000000000001"),
        ("partner_trans_id", "HK20250101000001"),
        ("service", "alipay.acquire.overseas.spot.pay"),
        ("trans_amount", "39.30"),
        ("trans_create_time", "20250101120000"),
        ("trans_name", "Tea"),
    ]
    .into();
    params.extend(changes.iter().map(|change| change.split_once('=').unwrap()));
    Form::from_pairs(Charset::Utf8, params)
}

fn amount(text: &str) -> Amount {
    Amount::new(Money::parse_major(text, Currency::HKD).unwrap()).unwrap()
}

#[test]
fn the_sample_is_understood() {
    let request = Request::parse(&form(&[])).unwrap();
    assert_eq!(request.partner.to_string(), "2088000000000001");
    assert_eq!(request.partner_trans_id.as_str(), "HK20250101000001");
    assert_eq!(request.amount, amount("39.30"));
    assert_eq!(
        request.code.as_ref().unwrap().as_str(),
        "288888888888888888"
    );
    assert_eq!(
        request.trans_create_time,
        Timestamp::parse_compact("20250101120000")
    );
    assert_eq!(request.store.store_id.as_ref().unwrap().as_str(), "S001");
    assert_eq!(
        request.store.store_name.as_deref(),
        Some("Tea House Central")
    );
    assert_eq!(request.store.terminal_id, None);
}

// Goal: a client builds the sample's signed text and signature from the typed request.
#[test]
fn the_sample_is_built() {
    let request = Request::parse(&form(&[])).unwrap();
    let signed = request::sign(Charset::Utf8, request.params(), &Signer::Md5(key()));
    let form = Form::read(signed.query.as_bytes(), signed.body.as_bytes());
    assert_eq!(form.get("sign"), Some("26f0db939414f43f2420d49995b9f39c"));
    assert!(canonical::verify(&form, &Verifier::Md5(key()), &mut Vec::new()).is_some());
    assert_eq!(Request::parse(&form), Ok(request));
}

// Goal: what old programs send is taken (`spec/12`, wire 2, 5, 6).
#[test]
fn accepted_values() {
    let long_name = format!("trans_name={}", "茶".repeat(256));
    for changes in [
        &["trans_amount=0.1"][..],
        &["trans_amount=10"],
        &["trans_amount=0.01"],
        &["trans_amount=100000000.00"],
        &["currency=JPY", "trans_amount=100000000"],
        &["trans_currency=USD"],
        &["identity_code_type=QRcode"],
        &["identity_code_type=qrcode"],
        &["identity_code_type=BARCODE"],
        &["trans_create_time="],
        &["extend_info="],
        &["extend_info=null"],
        &["extend_info={\"store_id\":null,\"new\":{\"a\":[1]}}"],
        &["quantity=3"],
        &["memo=a\nb", "trade_information={}", "refund_reson=x"],
        &["notify_url=https://shop.example/notify?a=1"],
        &["notify_url=http://[::1]:80/"],
        &[long_name.as_str()],
    ] {
        assert!(Request::parse(&form(changes)).is_ok(), "{changes:?}");
    }
    let request = Request::parse(&form(&["memo=a\nb"])).unwrap();
    assert_eq!(
        request.memo.as_deref(),
        Some("a b"),
        "one line, in bills and files"
    );
    let upper = r#"extend_info={"SECONDARY_MERCHANT_ID":"M1","Store_Id":"S1","STORE_NAME":"\u8336","TERMINAL_ID":7}"#;
    let store = Request::parse(&form(&[upper])).unwrap().store;
    assert_eq!(store.secondary_merchant_id.unwrap().as_str(), "M1");
    assert_eq!(store.store_id.unwrap().as_str(), "S1");
    assert_eq!(
        (store.store_name.as_deref(), store.terminal_id.as_deref()),
        (Some("茶"), Some("7"))
    );
}

/// Changes to the sample, the code, and what the message says. `x*200` repeats.
const REFUSALS: &str = r#"
partner=                             | ILLEGAL_ARGUMENT | partner is missing
trans_amount= currency=X             | ILLEGAL_ARGUMENT | trans_amount is missing
buyer_identity_code=                 | ILLEGAL_ARGUMENT | buyer_identity_code is missing
identity_code_type=                  | ILLEGAL_ARGUMENT | identity_code_type is missing
biz_product= trans_name=             | ILLEGAL_ARGUMENT | trans_name is missing
alipay_seller_id=2088000000000002    | SELLER_NOT_EXIST | not the partner
quantity=0                           | INVALID_PARAMETER | quantity is "0"
quantity=1.5 trans_amount=0          | INVALID_PARAMETER | quantity is "1.5"
trans_name=茶*257                    | INVALID_PARAMETER | trans_name
partner_trans_id=x*65                | INVALID_PARAMETER | partner_trans_id
partner_trans_id=_a                  | INVALID_PARAMETER | partner_trans_id
partner_trans_id=a__b                | INVALID_PARAMETER | partner_trans_id
partner_trans_id=a"b                 | INVALID_PARAMETER | partner_trans_id
currency=XXX                         | EXCHANGE_AMOUNT_OR_CURRENCY_ERROR | currency is "XXX"
currency=hkd                         | EXCHANGE_AMOUNT_OR_CURRENCY_ERROR | currency is "hkd"
trans_currency=XXX                   | EXCHANGE_AMOUNT_OR_CURRENCY_ERROR | trans_currency is "XXX"
trans_amount=0                       | INVALID_PARAMETER | trans_amount
trans_amount=0.00                    | INVALID_PARAMETER | trans_amount
trans_amount=-1                      | INVALID_PARAMETER | trans_amount
trans_amount=+1                      | INVALID_PARAMETER | trans_amount
trans_amount=1e3                     | INVALID_PARAMETER | trans_amount
trans_amount=1.001                   | INVALID_PARAMETER | trans_amount
trans_amount=1.                      | INVALID_PARAMETER | trans_amount
trans_amount=.5                      | INVALID_PARAMETER | trans_amount
trans_amount=1,000                   | INVALID_PARAMETER | trans_amount
currency=JPY trans_amount=1.5        | INVALID_PARAMETER | trans_amount
trans_amount=100000000.01            | TOTAL_FEE_EXCEED | trans_amount
trans_amount=99999999999999999999    | TOTAL_FEE_EXCEED | trans_amount
identity_code_type=sound             | INVALID_PARAMETER | identity_code_type
trans_create_time=2025-01-01         | INVALID_PARAMETER | trans_create_time
biz_product=OTHER                    | INVALID_PARAMETER | biz_product
extend_info={                        | INVALID_PARAMETER | extend_info
extend_info={"store_id":"\u0000"}    | INVALID_PARAMETER | extend_info
extend_info={"store_name":"a\n"}     | INVALID_PARAMETER | extend_info
extend_info={"store_name":"\ufffe"}  | INVALID_PARAMETER | extend_info
extend_info={"secondary_merchant_id":"a.b"} | INVALID_PARAMETER | extend_info
notify_url=https://a*200             | INVALID_PARAMETER | notify_url
notify_url=ftp://a/                  | INVALID_PARAMETER | notify_url
notify_url=https:///a                | INVALID_PARAMETER | notify_url
notify_url=https://a_b/              | INVALID_PARAMETER | notify_url
"#;

/// A cell of the table: `*` repeats the last character, and for some values `_` is a blank.
fn change(cell: &str) -> String {
    let cell = match cell.split_once('*') {
        Some((text, times)) => {
            let last = text.chars().last().unwrap();
            format!(
                "{text}{}",
                last.to_string().repeat(times.parse::<usize>().unwrap() - 1)
            )
        }
        None => cell.to_owned(),
    };
    match cell.split_once('=').unwrap() {
        (name @ ("partner_trans_id" | "notify_url"), value) => {
            format!("{name}={}", value.replace('_', " "))
        }
        _ => cell,
    }
}

// Goal: each refusal and its code, and which one a doubly wrong request gets.
#[test]
fn refusals() {
    for row in REFUSALS.trim().lines() {
        let [cells, code, text] = row.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let changes: Vec<String> = cells.split_whitespace().map(change).collect();
        let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
        let refusal = Request::parse(&form(&changes)).unwrap_err();
        assert_eq!(refusal.code().code, code, "{row}: {refusal}");
        assert_eq!(refusal.is_gateway(), code == "ILLEGAL_ARGUMENT");
        assert!(refusal.to_string().contains(text), "{row}: {refusal}");
    }
}

// Goal: a bad code is a value beside the request, so that it becomes SOUNDWAVE_PARSER_FAIL.
#[test]
fn bad_codes_are_no_refusal() {
    for code in [
        "123",
        "24888888888888888",
        "28888888888888888x",
        "311111111111111111",
        "2888888888888888888888888",
    ] {
        let request = Request::parse(&form(&[&format!("buyer_identity_code={code}")])).unwrap();
        assert!(request.code.is_err(), "{code}");
    }
}

fn paid() -> Paid {
    Paid {
        partner_trans_id: "HK20250101000001".parse().unwrap(),
        alipay_trans_id: "2025010122001400020000000001".parse().unwrap(),
        pay_time: Timestamp::parse_compact("20250101120003").unwrap(),
        amount: amount("39.30"),
        buyer: Some(Buyer {
            login_id: "852****1234".into(),
            user_id: "2088000000000002".parse().unwrap(),
        }),
        payment_inst: Some(PaymentInst::AlipayHk),
        conversion: None,
    }
}

/// The answer to a request without parameters.
fn written(answer: &Answer) -> Vec<u8> {
    let form = Form::from_pairs::<&str, &str>(Charset::Utf8, []);
    accepted(&form, &answer.fields(), &Signer::Md5(key()))
}

fn read(bytes: &[u8]) -> Answer {
    let AnswerDoc::Accepted(doc) = read_answer(bytes, "text/xml;charset=UTF-8").unwrap() else {
        panic!("rejected")
    };
    assert!(doc.verify(&Verifier::Md5(key())));
    Answer::read(&doc).unwrap()
}

// Goal: the sample answer of `spec/02` to the byte, its signature included.
#[test]
fn the_sample_answer_is_written() {
    let answer = Answer::Success(Box::new(paid()));
    let sample = include_str!("../tests/answers/pay-sample.xml");
    assert_eq!(String::from_utf8(written(&answer)).unwrap(), sample);
    assert_eq!(read(sample.as_bytes()), answer);
}

// Goal: which fields each outcome has, ascending (`spec/02`, `spec/13` 11 and 18).
#[test]
fn fields_of_each_outcome() {
    let id: PartnerTransId = "T1".parse().unwrap();
    let number: TradeNo = "2025010122001400020000000001".parse().unwrap();
    let conversion = Conversion {
        rate: "6.6464".parse().unwrap(),
        cny: Money::parse_major("261.2", Currency::CNY).unwrap(),
    };
    let standard = Paid {
        payment_inst: None,
        conversion: Some(conversion),
        buyer: None,
        ..paid()
    };
    for (answer, fields) in [
        (
            Answer::Success(Box::new(standard)),
            "alipay_pay_time=20250101120003 alipay_trans_id=2025010122001400020000000001 currency=HKD exchange_rate=6.64640000 partner_trans_id=HK20250101000001 result_code=SUCCESS trans_amount=39.30 trans_amount_cny=261.20",
        ),
        (
            Answer::Failed {
                error: "TRADE_HAS_CLOSE".into(),
                partner_trans_id: Some(id.clone()),
                alipay_trans_id: None,
            },
            "error=TRADE_HAS_CLOSE partner_trans_id=T1 result_code=FAILED",
        ),
        (
            Answer::Unknown {
                error: None,
                partner_trans_id: Some(id.clone()),
                alipay_trans_id: Some(number),
                amount: Some(amount("1")),
            },
            "alipay_trans_id=2025010122001400020000000001 currency=HKD partner_trans_id=T1 result_code=UNKNOW trans_amount=1.00",
        ),
        (
            Answer::Unknown {
                error: Some("SYSTEM_ERROR".into()),
                partner_trans_id: Some(id),
                alipay_trans_id: None,
                amount: None,
            },
            "error=SYSTEM_ERROR partner_trans_id=T1 result_code=UNKNOW",
        ),
    ] {
        let listed: Vec<String> = answer
            .fields()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(listed.join(" "), fields);
        assert_eq!(read(&written(&answer)), answer);
    }
}

// Goal: clients read every spelling of a result and every prefix of a code (`spec/10`, `spec/11` 12).
#[test]
fn spellings_are_read() {
    for (result, code, reads) in [
        ("FAIL", "ACQ.TRADE_HAS_CLOSE", "FAILED TRADE_HAS_CLOSE"),
        ("FAILED", "aop.ACQ.NEW_CODE", "FAILED NEW_CODE"),
        ("UNKNOWN", "SYSTEM_ERROR", "UNKNOW SYSTEM_ERROR"),
        ("UNKNOW", "", "UNKNOW "),
        ("OTHER", "", "the answer's result_code is \"OTHER\""),
        ("SUCCESS", "", "the answer has no partner_trans_id"),
        ("FAILED", "", "the answer has no error"),
    ] {
        let fields = vec![
            ("result_code".to_owned(), result.to_owned()),
            ("error".to_owned(), code.to_owned()),
        ];
        let doc = Accepted {
            charset: Charset::Utf8,
            params: vec![],
            fields,
            sign: String::new(),
            sign_type: String::new(),
        };
        let found = match Answer::read(&doc) {
            Ok(Answer::Success(_)) => "SUCCESS".to_owned(),
            Ok(Answer::Failed { error, .. }) => format!("FAILED {error}"),
            Ok(Answer::Unknown { error, .. }) => format!("UNKNOW {}", error.unwrap_or_default()),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, reads);
    }
}

proptest! {
    // Goal: any value of any parameter is refused or understood, and what is understood survives
    // the client's way back.
    #[test]
    fn any_value_is_parsed(name in 0..REQUIRED.len() + 6, value: String) {
        let optional = ["quantity", "memo", "notify_url", "extend_info", "trans_create_time", "trans_currency"];
        let name = REQUIRED.iter().chain(&optional).nth(name).unwrap();
        if let Ok(request) = Request::parse(&form(&[&format!("{name}={value}")])) && request.code.is_ok() {
            let back = Form::from_pairs(Charset::Utf8, request.params());
            prop_assert_eq!(Request::parse(&back), Ok(request));
        }
    }
}
