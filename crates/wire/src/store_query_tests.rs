use super::*;
use crate::charset::Charset;
use crate::request;
use crate::signature::Signer;
use crate::xml::{AnswerDoc, accepted, read_answer};

fn signer() -> Signer {
    Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap())
}

/// Body, then what is read: merchant, method, store, time.
const REQUESTS: &str = r#"
NOW&secondary_merchant_id=M001&payment_method=INSTORE_PAYMENT&store_id=S001 -> M001 INSTORE_PAYMENT S001
timestamp=1795406400000&secondary_merchant_id=M001&payment_method=INSTORE_PAYMENT&store_id=S001 -> M001 INSTORE_PAYMENT S001
NOW&secondary_merchant_id=M001&payment_method=ONLINE_PAYMENT               -> M001 ONLINE_PAYMENT -
NOW&secondary_merchant_id=M001&payment_method=ONLINE_PAYMENT&store_id=%22  -> M001 ONLINE_PAYMENT -
timestamp=&payment_method=x             -> timestamp is missing; it is required in every request
NOW&payment_method=x                      -> secondary_merchant_id is missing
NOW&secondary_merchant_id=a+b&store_id=S1 -> payment_method is missing
NOW&secondary_merchant_id=a+b&payment_method=INSTORE_PAYMENT -> store_id is missing; it is required when payment_method is INSTORE_PAYMENT
timestamp=now&secondary_merchant_id=a+b&payment_method=x -> timestamp is "now"
NOW&secondary_merchant_id=a+b&payment_method=x -> secondary_merchant_id is "a b"
NOW&secondary_merchant_id=M001&payment_method=instore_payment&store_id=S001 -> payment_method is "instore_payment"; it must be INSTORE_PAYMENT or ONLINE_PAYMENT
NOW&secondary_merchant_id=M001&payment_method=INSTORE_PAYMENT&store_id=a%22 -> store_id is "a\""
"#;

// Goal: what is taken, what is refused and in which order; all refusals are one business error.
#[test]
fn requests() {
    for row in REQUESTS.trim().lines() {
        let (body, found) = row.split_once("->").unwrap();
        let body = body
            .trim()
            .replace("NOW&", "timestamp=2026-11-23+12:00:00&");
        let body = format!("partner=2088331370005945&{body}");
        let request = Request::parse(&Form::read(b"_input_charset=UTF-8", body.as_bytes()));
        let text = match &request {
            Ok(request) => format!(
                "{} {} {}",
                request.secondary_merchant_id,
                request.method.as_str(),
                request.method.store_id().map_or("-", StoreId::as_str)
            ),
            Err(refusal) => refusal.to_string(),
        };
        assert!(text.starts_with(found.trim()), "{row}: {text}");
        match request {
            Ok(request) => {
                assert_eq!(request.timestamp.spaced(), "2026-11-23 12:00:00");
                let signed = request::sign(Charset::Gbk, request.params(), &signer());
                let back = Form::read(signed.query.as_bytes(), signed.body.as_bytes());
                assert_eq!(Request::parse(&back), Ok(request));
            }
            Err(refusal) => {
                assert_eq!(refusal.code().code, "PARAM_ILLEGAL");
                assert!(!refusal.is_gateway());
            }
        }
    }
}

// Goal: the fields of each finding, and that they are read back (`spec/08`, `spec/11` 20).
#[test]
fn answers() {
    let found = |method, state| {
        Answer::Found(Box::new(Found {
            secondary_merchant_id: "M001".parse().unwrap(),
            method,
            state,
        }))
    };
    let in_store = || PaymentMethod::InStore("S001".parse().unwrap());
    let reason = "high-risk merchant refused".into();
    let silent = StoreState::Rejected { reason: "".into() };
    let error = "DATA_NOT_EXIST".into();
    let answers = [
        found(in_store(), StoreState::Processing),
        found(in_store(), StoreState::Verified),
        found(in_store(), StoreState::Rejected { reason }),
        found(in_store(), silent),
        found(PaymentMethod::Online, StoreState::Verified),
        Answer::Failed { error },
    ];
    let form = Form::from_pairs::<&str, &str>(Charset::Utf8, []);
    let mut golden = String::new();
    for answer in answers {
        let xml = accepted(&form, &answer.fields(), &signer());
        let AnswerDoc::Accepted(doc) = read_answer(&xml, "").unwrap() else {
            panic!("rejected")
        };
        assert!(doc.verify(&signer().verifier()));
        assert_eq!(Answer::read(&doc), Ok(answer));
        golden += &(String::from_utf8(xml).unwrap() + "\n");
    }
    insta::assert_snapshot!(golden, @r#"
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><payment_method>INSTORE_PAYMENT</payment_method><secondary_merchant_id>M001</secondary_merchant_id><status>PROCESSING</status><store_id>S001</store_id></alipay></response><sign>41eb14da944ce5f4bb310165f123dd5f</sign><sign_type>MD5</sign_type></alipay>
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><payment_method>INSTORE_PAYMENT</payment_method><secondary_merchant_id>M001</secondary_merchant_id><status>SUCCESS</status><store_id>S001</store_id></alipay></response><sign>9788b5af761b811cad1d8ebb32bf3bb7</sign><sign_type>MD5</sign_type></alipay>
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><payment_method>INSTORE_PAYMENT</payment_method><reject_reason>high-risk merchant refused</reject_reason><secondary_merchant_id>M001</secondary_merchant_id><status>FAILED</status><store_id>S001</store_id></alipay></response><sign>baf3e544533c43f6b155ed67a54b26d8</sign><sign_type>MD5</sign_type></alipay>
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><payment_method>INSTORE_PAYMENT</payment_method><secondary_merchant_id>M001</secondary_merchant_id><status>FAILED</status><store_id>S001</store_id></alipay></response><sign>2e88b10f491596adf4bb14ddddcf168f</sign><sign_type>MD5</sign_type></alipay>
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><payment_method>ONLINE_PAYMENT</payment_method><secondary_merchant_id>M001</secondary_merchant_id><status>SUCCESS</status></alipay></response><sign>60904100cde40b6991710c1f3fce84ae</sign><sign_type>MD5</sign_type></alipay>
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><error>DATA_NOT_EXIST</error><result_code>DATA_NOT_EXIST</result_code></alipay></response><sign>8e5a05ea37ab3d80830fee45179a914d</sign><sign_type>MD5</sign_type></alipay>
    "#);
}

#[test]
fn odd_answers() {
    const HERE: &str = "secondary_merchant_id=M001 store_id=S001 payment_method=INSTORE_PAYMENT";
    for (fields, reads) in [
        ("result_code=PARAM_ILLEGAL".to_owned(), "PARAM_ILLEGAL"),
        ("result_code=FAIL error=DATA_NEW".to_owned(), "DATA_NEW"),
        ("result_code=SUCCESS".to_owned(), "the answer has no status"),
        (
            "status=SUCCESS".to_owned(),
            "the answer has no payment_method",
        ),
        (format!("{HERE} status=FAILED"), "FAILED"),
        (
            format!("{HERE} result_code=SUCCESS status=SUCCESS"),
            "SUCCESS",
        ),
        (
            format!("{HERE} status=APPROVED"),
            "the answer's status is \"APPROVED\"",
        ),
        (
            "status=SUCCESS payment_method=CASH".to_owned(),
            "the answer's payment_method is \"CASH\"",
        ),
        (
            "status=SUCCESS payment_method=INSTORE_PAYMENT".to_owned(),
            "the answer has no store_id",
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
            Ok(Answer::Found(found)) => status(&found.state).to_owned(),
            Ok(Answer::Failed { error }) => error.into_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, reads, "{fields}");
    }
}
