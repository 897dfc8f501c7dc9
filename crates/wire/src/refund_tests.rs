use proptest::prelude::*;

use super::*;
use crate::charset::Charset;
use crate::request;
use crate::signature::Signer;
use crate::xml::{AnswerDoc, accepted, read_answer};

fn signer() -> Signer {
    Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap())
}

/// The parameters of a refund with only what is required, with changes: `name=value` sets,
/// `name=` drops.
fn form(changes: &[&str]) -> Form {
    let mut params: std::collections::BTreeMap<&str, &str> = [
        ("_input_charset", "UTF-8"),
        ("currency", "HKD"),
        ("partner", "2088000000000001"),
        ("partner_refund_id", "R1"),
        ("partner_trans_id", "T1"),
        ("refund_amount", "39.25"),
        ("service", "alipay.acquire.overseas.spot.refund"),
    ]
    .into();
    params.extend(changes.iter().map(|change| change.split_once('=').unwrap()));
    Form::from_pairs(Charset::Utf8, params)
}

fn amount(text: &str) -> Amount {
    Amount::new(Money::parse_major(text, Currency::HKD).unwrap()).unwrap()
}

/// Changes, then what is read: gateway's number, amount, reason, mode, URL. `x*200` repeats.
const ACCEPTED: &str = "
                                              | - HKD 39.25 - Async -
is_sync=Y                                     | - HKD 39.25 - Sync -
is_sync=y                                     | - HKD 39.25 - Sync -
is_sync=N                                     | - HKD 39.25 - Async -
is_sync=n                                     | - HKD 39.25 - Async -
is_sync= refund_reson= refund_reason= notify_url= alipay_trans_id= | - HKD 39.25 - Async -
refund_reson=cold                             | - HKD 39.25 cold Async -
refund_reason=late                            | - HKD 39.25 late Async -
refund_reson=cold refund_reason=late          | - HKD 39.25 cold Async -
refund_reson= refund_reason=late              | - HKD 39.25 late Async -
refund_reson=cold refund_reason=x*129         | - HKD 39.25 cold Async -
refund_amount=0.1                             | - HKD 0.10 - Async -
refund_amount=10                              | - HKD 10.00 - Async -
refund_amount=0.01                            | - HKD 0.01 - Async -
refund_amount=9999999.99                      | - HKD 9999999.99 - Async -
currency=JPY refund_amount=9999999            | - JPY 9999999 - Async -
currency=CNY                                  | - CNY 39.25 - Async -
alipay_trans_id=201311221703338463            | 201311221703338463 HKD 39.25 - Async -
notify_url=http://shop.example/n?a=1          | - HKD 39.25 - Async http://shop.example/n?a=1
partner_refund_id=t1 trade_information={}     | - HKD 39.25 - Async -
";

/// A cell of the tables: `*` repeats the last character.
fn change(cell: &str) -> String {
    let Some((text, times)) = cell.split_once('*') else {
        return cell.to_owned();
    };
    let last = text.chars().last().unwrap().to_string();
    text.to_owned() + &last.repeat(times.parse::<usize>().unwrap() - 1)
}

// Goal: what is taken, and that a client builds the same request (`spec/05`, `spec/12` wire 5).
#[test]
fn accepted_requests() {
    for row in ACCEPTED.lines().filter(|row| !row.is_empty()) {
        let (cells, found) = row.split_once(" | ").unwrap();
        let changes: Vec<String> = cells.split_whitespace().map(change).collect();
        let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
        let request = Request::parse(&form(&changes)).unwrap();
        let text = format!(
            "{} {} {} {:?} {}",
            request
                .alipay_trans_id
                .as_ref()
                .map_or("-", TradeNo::as_str),
            request.amount.money(),
            request.reason.as_deref().unwrap_or("-"),
            request.mode,
            request.notify_url.as_deref().unwrap_or("-"),
        );
        assert_eq!(text, found, "{row}");

        let signed = request::sign(Charset::Gbk, request.params(), &signer());
        let back = Form::read(signed.query.as_bytes(), signed.body.as_bytes());
        let sync = match request.mode {
            RefundMode::Sync => "Y",
            RefundMode::Async => "N",
        };
        assert_eq!(back.get("is_sync"), Some(sync), "sent in any case");
        assert_eq!(back.get("refund_reson"), request.reason.as_deref());
        assert_eq!(Request::parse(&back), Ok(request));
    }
    let long = format!("refund_reson={}", "茶".repeat(128));
    assert!(Request::parse(&form(&[&long])).is_ok());
    let request = Request::parse(&form(&["refund_reson=a\nb"])).unwrap();
    assert_eq!(request.reason.as_deref(), Some("a b"));
}

/// Changes, the code, and what the message says.
const REFUSALS: &str = r#"
partner=                                  | ILLEGAL_ARGUMENT | partner is missing
partner_trans_id= partner_refund_id=      | ILLEGAL_ARGUMENT | partner_trans_id is missing
partner_refund_id= refund_amount=x        | ILLEGAL_ARGUMENT | partner_refund_id is missing
refund_amount= currency=                  | ILLEGAL_ARGUMENT | refund_amount is missing
currency= notify_url=x                    | ILLEGAL_ARGUMENT | currency is missing
notify_url=ftp://a/ partner_trans_id=a"b  | INVALID_PARAMETER | notify_url is "ftp://a/"
notify_url=https://a*193                  | INVALID_PARAMETER | notify_url is
partner_trans_id=x*65                     | INVALID_PARAMETER | partner_trans_id is
partner_trans_id=a"b                      | INVALID_PARAMETER | partner_trans_id is
alipay_trans_id=x*65 partner_refund_id=T1 | INVALID_PARAMETER | alipay_trans_id is
partner_refund_id=T1                      | INVALID_PARAMETER | partner_refund_id is "T1"; it must be another number than partner_trans_id
partner_refund_id=x*65                    | INVALID_PARAMETER | partner_refund_id is
partner_refund_id=a"b currency=XXX        | INVALID_PARAMETER | partner_refund_id is
currency=XXX refund_amount=0              | CURRENCY_NOT_SAME | currency is "XXX"
currency=hkd                              | CURRENCY_NOT_SAME | currency is "hkd"
refund_amount=0 refund_reson=x*129        | INVALID_PARAMETER | refund_amount is "0"
refund_amount=0.00                        | INVALID_PARAMETER | refund_amount
refund_amount=-1                          | INVALID_PARAMETER | refund_amount
refund_amount=+1                          | INVALID_PARAMETER | refund_amount
refund_amount=1e3                         | INVALID_PARAMETER | refund_amount
refund_amount=39.250                      | INVALID_PARAMETER | refund_amount
refund_amount=1.                          | INVALID_PARAMETER | refund_amount
refund_amount=.5                          | INVALID_PARAMETER | refund_amount
refund_amount=10000000.00                 | INVALID_PARAMETER | refund_amount
refund_amount=99999999999999999999        | INVALID_PARAMETER | refund_amount
currency=JPY refund_amount=1.5            | INVALID_PARAMETER | refund_amount
currency=JPY refund_amount=10000000       | INVALID_PARAMETER | refund_amount
refund_reson=茶*129                       | INVALID_PARAMETER | refund_reson is
refund_reason=x*129 is_sync=X             | INVALID_PARAMETER | refund_reason is
is_sync=X                                 | INVALID_PARAMETER | is_sync is "X"; it must be Y or N
is_sync=true                              | INVALID_PARAMETER | is_sync is "true"
"#;

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

fn refunded(conversion: Option<Conversion>) -> Answer {
    Answer::Success(Box::new(Refunded {
        partner_trans_id: "T1".parse().unwrap(),
        alipay_trans_id: "2020120722001455203001700042".parse().unwrap(),
        partner_refund_id: "R1".parse().unwrap(),
        amount: amount("39.25"),
        conversion,
    }))
}

fn conversion() -> Conversion {
    Conversion {
        rate: "0.92".parse().unwrap(),
        cny: Money::parse_major("36.11", Currency::CNY).unwrap(),
    }
}

/// The answer to a request without parameters.
fn written(answer: &Answer) -> String {
    let form = Form::from_pairs::<&str, &str>(Charset::Utf8, []);
    String::from_utf8(accepted(&form, &answer.fields(), &signer())).unwrap()
}

fn read(xml: &str) -> Answer {
    let AnswerDoc::Accepted(doc) = read_answer(xml.as_bytes(), "").unwrap() else {
        panic!("rejected")
    };
    assert!(doc.verify(&signer().verifier()));
    Answer::read(&doc).unwrap()
}

// Goal: the fields of each outcome, ascending; CNY only on standard contracts (`spec/13`, 10).
#[test]
fn answers() {
    let request = Request::parse(&form(&["alipay_trans_id=1"])).unwrap();
    let failed = Answer::Failed {
        error: "REFUND_AMT_NOT_EQUAL_TOTAL".into(),
        about: request.about(),
    };
    let nameless = Answer::Failed {
        error: "INVALID_PARAMETER".into(),
        about: About::default(),
    };
    let unknown = Answer::Unknown {
        error: Some("SYSTEM_ERROR".into()),
        about: About {
            alipay_trans_id: None,
            amount: None,
            ..request.about()
        },
    };
    let answers = [
        ("hk", refunded(None)),
        ("standard", refunded(Some(conversion()))),
        ("failed", failed),
        ("failed, nothing known", nameless),
        ("unknown", unknown),
    ];
    let mut golden = String::new();
    for (name, answer) in answers {
        let xml = written(&answer);
        assert_eq!(read(&xml), answer);
        golden += &format!("{name}: {xml}\n");
    }
    insta::assert_snapshot!(golden, @r#"
    hk: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><alipay_trans_id>2020120722001455203001700042</alipay_trans_id><currency>HKD</currency><partner_refund_id>R1</partner_refund_id><partner_trans_id>T1</partner_trans_id><refund_amount>39.25</refund_amount><result_code>SUCCESS</result_code></alipay></response><sign>3e1bb91e69f47a902f7bb9a238b37024</sign><sign_type>MD5</sign_type></alipay>
    standard: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><alipay_trans_id>2020120722001455203001700042</alipay_trans_id><currency>HKD</currency><exchange_rate>0.92000000</exchange_rate><partner_refund_id>R1</partner_refund_id><partner_trans_id>T1</partner_trans_id><refund_amount>39.25</refund_amount><refund_amount_cny>36.11</refund_amount_cny><result_code>SUCCESS</result_code><trans_amount_cny>36.11</trans_amount_cny></alipay></response><sign>1300698d1726d4af5f597b5acf32a9f7</sign><sign_type>MD5</sign_type></alipay>
    failed: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><alipay_trans_id>1</alipay_trans_id><currency>HKD</currency><error>REFUND_AMT_NOT_EQUAL_TOTAL</error><partner_refund_id>R1</partner_refund_id><partner_trans_id>T1</partner_trans_id><refund_amount>39.25</refund_amount><result_code>FAILED</result_code></alipay></response><sign>3446e10602684164ea68c661cf7e832e</sign><sign_type>MD5</sign_type></alipay>
    failed, nothing known: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><error>INVALID_PARAMETER</error><result_code>FAILED</result_code></alipay></response><sign>06e7f8ddaf0201a5c84ccabd45d230d2</sign><sign_type>MD5</sign_type></alipay>
    unknown: <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><error>SYSTEM_ERROR</error><partner_refund_id>R1</partner_refund_id><partner_trans_id>T1</partner_trans_id><result_code>UNKNOW</result_code></alipay></response><sign>53c6ebe75fab0162a9a2637b086606eb</sign><sign_type>MD5</sign_type></alipay>
    "#);
}

// Goal: clients read every spelling of a result, and the CNY under either name.
#[test]
fn spellings_are_read() {
    const DONE: &str = "alipay_trans_id=1 currency=HKD partner_refund_id=R1 partner_trans_id=T1 refund_amount=39.25";
    let rows = [
        ("result_code=SUCCESS".to_owned() + " " + DONE, "SUCCESS -"),
        (
            format!("result_code=SUCCESS {DONE} exchange_rate=0.92 trans_amount_cny=36.11"),
            "SUCCESS 36.11",
        ),
        (
            format!("result_code=SUCCESS {DONE} exchange_rate=0.92 refund_amount_cny=36.11"),
            "SUCCESS 36.11",
        ),
        (
            "result_code=FAIL error=ACQ.TRADE_NOT_EXIST".into(),
            "FAILED TRADE_NOT_EXIST",
        ),
        (
            "result_code=FAILED detail_error_code=NEW_CODE".into(),
            "FAILED NEW_CODE",
        ),
        ("result_code=UNKNOWN".into(), "UNKNOW "),
        (
            "result_code=UNKNOW error=SYSTEM_ERROR".into(),
            "UNKNOW SYSTEM_ERROR",
        ),
        (
            "result_code=SUCCESS".into(),
            "the answer has no partner_trans_id",
        ),
        ("result_code=FAILED".into(), "the answer has no error"),
        (
            "result_code=DONE".into(),
            "the answer's result_code is \"DONE\"",
        ),
        ("error=SYSTEM_ERROR".into(), "the answer has no result_code"),
    ];
    for (fields, reads) in rows {
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
            Ok(Answer::Success(done)) => {
                let cny = done.conversion.map(|conversion| conversion.cny.major());
                format!("SUCCESS {}", cny.as_deref().unwrap_or("-"))
            }
            Ok(Answer::Failed { error, .. }) => format!("FAILED {error}"),
            Ok(Answer::Unknown { error, .. }) => format!("UNKNOW {}", error.unwrap_or_default()),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, reads, "{fields}");
    }
}

proptest! {
    // Goal: any value of any parameter is refused or understood, and what is understood survives
    // the client's way back.
    #[test]
    fn any_value_is_parsed(name in 0..REQUIRED.len() + 5, value: String) {
        let optional = ["alipay_trans_id", "refund_reson", "refund_reason", "is_sync", "notify_url"];
        let name = REQUIRED.iter().chain(&optional).nth(name).unwrap();
        if let Ok(request) = Request::parse(&form(&[&format!("{name}={value}")])) {
            let back = Form::from_pairs(Charset::Utf8, request.params());
            prop_assert_eq!(Request::parse(&back), Ok(request));
        }
    }
}

// Goal: a number that an answer could not carry back unchanged is refused, as a trade's is.
#[test]
fn numbers_with_blanks_that_parsers_fold() {
    for (number, is_taken) in [
        ("R 1", true),
        ("R  1", false),
        (" R1", false),
        ("R1 ", false),
    ] {
        let change = format!("partner_refund_id={number}");
        let read = Request::parse(&form(&[&change]));
        assert_eq!(read.is_ok(), is_taken, "{number:?}");
    }
}
