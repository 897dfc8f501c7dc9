use spotpay_core::money::Currency;

use super::*;
use crate::charset::Charset;
use crate::request;
use crate::signature::Signer;
use crate::xml::{AnswerDoc, accepted, read_answer};

fn signer() -> Signer {
    Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap())
}

/// Body, then what is read: trade, refund, whether that can be a refund's number. `x*65` repeats.
const REQUESTS: &str = r#"
out_trade_no=T1&out_return_no=R1          -> T1 R1 true
out_trade_no=T1&out_return_no=x*64        -> T1 x*64 true
out_trade_no=T1&out_return_no=x*65        -> T1 x*65 false
out_trade_no=T1&out_return_no=x*128       -> T1 x*128 false
out_trade_no=T1&out_return_no=a%22b       -> T1 a"b false
out_trade_no=T1&out_return_no=R1&trade_no=1 -> T1 R1 true
out_trade_no=&out_return_no=              -> out_trade_no is missing
out_return_no=R1&partner_trans_id=T1      -> out_trade_no is missing
out_trade_no=a%22&out_return_no=          -> out_return_no is missing
out_trade_no=T1&partner_refund_id=R1      -> out_return_no is missing
out_trade_no=x*65&out_return_no=x*129     -> out_trade_no is
out_trade_no=a%22&out_return_no=R1        -> out_trade_no is
out_trade_no=T1&out_return_no=x*129       -> out_return_no is
"#;

/// `x*3` is `xxx`.
fn repeated(text: &str) -> String {
    let mut cells = text.split("x*");
    let mut out = cells.next().unwrap().to_owned();
    for cell in cells {
        let end = cell.find(|letter: char| !letter.is_ascii_digit());
        let (times, rest) = cell.split_at(end.unwrap_or(cell.len()));
        out += &"x".repeat(times.parse().unwrap());
        out += rest;
    }
    out
}

// Goal: a number that can be no refund's is understood, so that it is answered with NOT_FOUND.
#[test]
fn requests() {
    for row in REQUESTS.trim().lines() {
        let (body, found) = row.split_once("->").unwrap();
        let body = format!("partner=2088331370005945&{}", repeated(body.trim()));
        let request = Request::parse(&Form::read(b"_input_charset=UTF-8", body.as_bytes()));
        let text = match &request {
            Ok(request) => format!(
                "{} {} {}",
                request.out_trade_no,
                request.out_return_no,
                request.refund_id().is_some()
            ),
            Err(refusal) => refusal.to_string(),
        };
        assert!(text.starts_with(&repeated(found.trim())), "{row}: {text}");
        match request {
            Ok(request) => {
                let signed = request::sign(Charset::Gbk, request.params(), &signer());
                let back = Form::read(signed.query.as_bytes(), signed.body.as_bytes());
                assert_eq!(back.get("service"), Some("alipay.acquire.refund.query"));
                assert_eq!(Request::parse(&back), Ok(request));
            }
            Err(refusal) => assert_eq!(refusal.is_gateway(), text.ends_with("missing")),
        }
    }
}

fn found() -> Found {
    Found {
        status: RefundStatus::Success,
        error: None,
        out_return_no: "R1".parse().unwrap(),
        out_trade_no: "T1".parse().unwrap(),
        trade_no: "2020120722001455203001700042".parse().unwrap(),
        gmt_create: Timestamp::parse_compact("20201207152003").unwrap(),
        amount: Some(Amount::new(Money::parse_major("39.25", Currency::HKD).unwrap()).unwrap()),
        gmt_refund: Timestamp::parse_compact("20201207230000"),
    }
}

// Goal: the fields of each finding, ascending (`spec/05`, `spec/11` 19).
#[test]
fn answers() {
    let waiting = Found {
        status: RefundStatus::Processing,
        error: Some("MERCHANT_BALANCE_NOT_ENOUGH".into()),
        gmt_refund: None,
        ..found()
    };
    let bare = Found {
        status: RefundStatus::Cancelled,
        amount: None,
        gmt_refund: None,
        ..found()
    };
    let no_refund = Answer::Failed {
        error: "NOT_FOUND".into(),
        out_trade_no: "T1".parse().ok(),
        out_return_no: Some("R\"2".into()),
    };
    let malformed = Answer::Failed {
        error: "INVALID_PARAMETER".into(),
        out_trade_no: None,
        out_return_no: None,
    };
    let answers = [
        ("done", Answer::Found(Box::new(found()))),
        ("waiting", Answer::Found(Box::new(waiting))),
        ("bare", Answer::Found(Box::new(bare))),
        ("no such refund", no_refund),
        ("malformed", malformed),
    ];
    let form = Form::from_pairs::<&str, &str>(Charset::Utf8, []);
    let mut golden = String::new();
    for (name, answer) in answers {
        let xml = accepted(&form, &answer.fields(), &signer());
        let AnswerDoc::Accepted(doc) = read_answer(&xml, "").unwrap() else {
            panic!("rejected")
        };
        assert!(doc.verify(&signer().verifier()));
        assert_eq!(Answer::read(&doc), Ok(answer));
        golden += &format!("{name}: {}\n", String::from_utf8(xml).unwrap());
    }
    insta::assert_snapshot!(golden, @r#"
    done: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><currency>HKD</currency><gmt_create>2020-12-07 15:20:03</gmt_create><gmt_refund>2020-12-07 23:00:00</gmt_refund><out_return_no>R1</out_return_no><out_trade_no>T1</out_trade_no><refund_amount>39.25</refund_amount><refund_result_code>SUCCESS</refund_result_code><response_code>SUCCESS</response_code><trade_no>2020120722001455203001700042</trade_no></alipay></response><sign>e953d0b524e79c58f006bcefdf8d9d83</sign><sign_type>MD5</sign_type></alipay>
    waiting: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><currency>HKD</currency><gmt_create>2020-12-07 15:20:03</gmt_create><out_return_no>R1</out_return_no><out_trade_no>T1</out_trade_no><refund_amount>39.25</refund_amount><refund_error_code>MERCHANT_BALANCE_NOT_ENOUGH</refund_error_code><refund_result_code>PROCESSING</refund_result_code><response_code>SUCCESS</response_code><trade_no>2020120722001455203001700042</trade_no></alipay></response><sign>38f7f7ac8541227676b2e6accd45eebb</sign><sign_type>MD5</sign_type></alipay>
    bare: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><gmt_create>2020-12-07 15:20:03</gmt_create><out_return_no>R1</out_return_no><out_trade_no>T1</out_trade_no><refund_result_code>CANCELED</refund_result_code><response_code>SUCCESS</response_code><trade_no>2020120722001455203001700042</trade_no></alipay></response><sign>03ad1e70b385349f71ca3912d42d838b</sign><sign_type>MD5</sign_type></alipay>
    no such refund: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><out_return_no>R&quot;2</out_return_no><out_trade_no>T1</out_trade_no><response_code>NOT_FOUND</response_code></alipay></response><sign>c1dce07a1dd981fa51b3ffb8c49e815c</sign><sign_type>MD5</sign_type></alipay>
    malformed: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><response_code>INVALID_PARAMETER</response_code></alipay></response><sign>e5300e80090584cad4dc31b99e91710a</sign><sign_type>MD5</sign_type></alipay>
    "#);
}

// Goal: what a client makes of answers that are not ours.
#[test]
fn odd_answers() {
    for (fields, reads) in [
        ("response_code=ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST"),
        ("response_code=QUERY_FAILED", "QUERY_FAILED"),
        ("error=QUERY_FAILED", "the answer has no response_code"),
        (
            "response_code=SUCCESS",
            "the answer has no refund_result_code",
        ),
        (
            "response_code=SUCCESS refund_result_code=CANCELLED",
            "the answer's refund_result_code is \"CANCELLED\"",
        ),
        (
            "response_code=SUCCESS refund_result_code=FAILED out_return_no=R1 out_trade_no=T1 trade_no=1 gmt_create=20201207152003",
            "the answer's gmt_create is \"20201207152003\"",
        ),
    ] {
        let pairs = fields.split(' ').map(|pair| pair.split_once('=').unwrap());
        let doc = Accepted {
            charset: Charset::Utf8,
            params: vec![],
            fields: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            sign: String::new(),
            sign_type: String::new(),
        };
        let found = match Answer::read(&doc) {
            Ok(Answer::Found(found)) => found.status.to_string(),
            Ok(Answer::Failed { error, .. }) => error.into_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, reads, "{fields}");
    }
}
