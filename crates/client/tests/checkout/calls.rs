//! Single calls: what is sent, and what is made of what comes back.

use std::cell::RefCell;

use spotpay_client::{
    Charset, Client, Doubt, Gateway, HttpAnswer, HttpRequest, Outcome, Retry, Sale, Transport,
    TransportFailure,
};
use spotpay_wire::form::Form;
use spotpay_wire::signature::Signer;
use spotpay_wire::xml::{Fields, accepted};

use crate::model::{Fate, MD5_KEY, Temper, World, hkd, settings};

/// Gives the same bytes to every request.
struct Canned(Vec<u8>, &'static str);

impl Transport for Canned {
    fn post(&self, _request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        Ok(HttpAnswer {
            status: 200,
            content_type: self.1.to_owned(),
            body: self.0.clone(),
        })
    }
}

fn describe<T>(outcome: Outcome<T>) -> String {
    match outcome {
        Outcome::Success(_) => "success".to_owned(),
        Outcome::Refused(refusal) => format!("refused {} {:?}", refusal.code(), refusal.retry()),
        Outcome::Unknown(doubt) => format!("unknown {}", doubt.name()),
        _ => "?".to_owned(),
    }
}

fn signed(charset: &str, fields: &[(&'static str, &str)]) -> Vec<u8> {
    let form = Form::read(format!("_input_charset={charset}").as_bytes(), b"");
    let mut all = Fields::new();
    for (name, value) in fields {
        all.put(name, *value);
    }
    accepted(&form, &all, &Signer::Md5(MD5_KEY.parse().unwrap()))
}

// Goal: each kind of answer to a query and to a cancel.
#[test]
fn answers() {
    let id = "T1".parse().unwrap();
    let at = spotpay_client::Timestamp::from_seconds(1_800_000_000);
    let xml = "text/xml;charset=UTF-8";
    let rejected = |code: &str| {
        format!("<alipay><is_success>F</is_success><error>{code}</error></alipay>").into_bytes()
    };
    let cancel = |result: &str, retry: &str, code: &str| {
        signed(
            "UTF-8",
            &[
                ("detail_error_code", code),
                ("out_trade_no", "T1"),
                ("result_code", result),
                ("retry_flag", retry),
            ],
        )
    };
    for (body, query, cancelled) in [
        (
            rejected("ILLEGAL_SIGN"),
            "refused ILLEGAL_SIGN Never",
            "refused ILLEGAL_SIGN Never",
        ),
        (
            rejected("SYSTEM_ERROR"),
            "unknown SYSTEM_ERROR",
            "unknown SYSTEM_ERROR",
        ),
        (
            rejected("ACQ.SESSION_TIMEOUT"),
            "unknown SESSION_TIMEOUT",
            "unknown SESSION_TIMEOUT",
        ),
        (
            rejected("BRAND_NEW"),
            "unknown BRAND_NEW",
            "unknown BRAND_NEW",
        ),
        (rejected(""), "unknown ", "unknown "),
        (
            b"<alipay>".to_vec(),
            "unknown unreadable_answer",
            "unknown unreadable_answer",
        ),
        (
            Vec::new(),
            "unknown unreadable_answer",
            "unknown unreadable_answer",
        ),
        (
            signed("UTF-8", &[]),
            "unknown unreadable_answer",
            "unknown unreadable_answer",
        ),
        (
            cancel("SUCCESS", "N", ""),
            "unknown unreadable_answer",
            "success",
        ),
        (
            cancel("FAIL", "Y", "SELLER_BALANCE_NOT_ENOUGH"),
            "unknown SELLER_BALANCE_NOT_ENOUGH",
            "refused SELLER_BALANCE_NOT_ENOUGH SameRequest",
        ),
        (
            cancel("FAIL", "N", "SELLER_BALANCE_NOT_ENOUGH"),
            "unknown SELLER_BALANCE_NOT_ENOUGH",
            "refused SELLER_BALANCE_NOT_ENOUGH Never",
        ),
        (
            cancel("FAIL", "N", "TRADE_CANCEL_TIME_OUT"),
            "unknown TRADE_CANCEL_TIME_OUT",
            "refused TRADE_CANCEL_TIME_OUT QueryFirst",
        ),
        (
            cancel("UNKNOWN", "Y", "SYSTEM_ERROR"),
            "unknown SYSTEM_ERROR",
            "unknown SYSTEM_ERROR",
        ),
        (
            cancel("FAIL", "N", "TRADE_NOT_EXIST"),
            "refused TRADE_NOT_EXIST Never",
            "refused TRADE_NOT_EXIST Never",
        ),
    ] {
        let text = String::from_utf8_lossy(&body).into_owned();
        let client = Client::new(settings(), Canned(body, xml));
        assert_eq!(describe(client.query(&id)), query, "{text}");
        assert_eq!(describe(client.cancel(&id, at)), cancelled, "{text}");
    }
}

// Goal: an answer in GBK is decoded, and verified over its GBK bytes.
#[test]
fn gbk() {
    let fields = [
        ("alipay_buyer_login_id", "茶****客"),
        ("alipay_buyer_user_id", "2088000000000002"),
        ("alipay_trans_id", "2020120722001401701436761112"),
        ("alipay_trans_status", "TRADE_SUCCESS"),
        ("currency", "HKD"),
        ("out_trade_no", "T1"),
        ("partner_trans_id", "T1"),
        ("result_code", "SUCCESS"),
        ("trans_amount", "39.30"),
    ];
    let body = signed("GBK", &fields);
    assert!(std::str::from_utf8(&body).is_err(), "it is not UTF-8");
    let mut settings = settings();
    settings.charset = Charset::Gbk;
    let client = Client::new(settings, Canned(body, "text/xml;charset=GBK"));
    match client.query(&"T1".parse().unwrap()) {
        Outcome::Success(found) => {
            assert_eq!(&*found.buyer.unwrap().login_id, "茶****客");
            assert_eq!(found.amount, hkd("39.3"));
        }
        other => panic!("{other:?}"),
    }
}

// Goal: a request is signed in its charset and carries the default store; nobody prints its body.
#[test]
fn a_request() {
    let world = World::new(Temper::default(), vec![]);
    let mut settings = settings();
    settings.charset = Charset::Gbk;
    settings.store.secondary_merchant_id = Some("M001".parse().unwrap());
    settings.store.secondary_merchant_name = Some("茶屋".into());
    let code = "288888888888888888".parse().unwrap();
    let sale = Sale::new("T1".parse().unwrap(), hkd("39.30"), "茶", code);
    let call = sale.call(&settings);
    let request = call.seal(&settings);
    assert_eq!(
        request.url,
        "http://gateway.test/gateway.do?_input_charset=GBK"
    );
    let form = Form::read(b"_input_charset=GBK", request.body.as_bytes());
    assert_eq!(form.get("trans_name"), Some("茶"));
    assert!(form.get("extend_info").unwrap().contains("茶屋"));
    assert!(!format!("{request:?} {call:?}").contains("288888888888888888"));
    assert!(matches!(
        Client::new(settings, &world).send(&call),
        spotpay_client::Reply::Pay(Outcome::Success(_))
    ));
}

/// Cannot be reached by its first name.
struct TwoDoors<'w>(&'w World, RefCell<Vec<String>>);

impl Transport for TwoDoors<'_> {
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        self.1.borrow_mut().push(request.url.clone());
        if request.url.starts_with("https://first/") {
            return Err(TransportFailure::never("no such host"));
        }
        self.0.post(request)
    }
}

// Goal: the backup is asked when no connection was made, and only then.
#[test]
fn backup() {
    for (fate, expected) in [
        (Fate::Ok, "refused TRADE_NOT_EXIST Never"),
        (Fate::Lost, "unknown no_answer"),
    ] {
        let world = World::new(Temper::default(), vec![fate]);
        let mut settings = settings();
        let first: Gateway = "https://first/gateway.do".parse().unwrap();
        settings.gateway = first.with_backup("https://second/g".parse().unwrap());
        let client = Client::new(settings, TwoDoors(&world, RefCell::default()));
        assert_eq!(describe(client.query(&"T1".parse().unwrap())), expected);
        let urls = client.transport().1.borrow().clone();
        let query = "?_input_charset=UTF-8";
        assert_eq!(
            urls,
            [
                format!("https://first/gateway.do{query}"),
                format!("https://second/g{query}")
            ]
        );
    }
    let world = World::new(Temper::default(), vec![Fate::Unreachable]);
    let client = Client::new(settings(), &world);
    assert!(matches!(
        client.query(&"T1".parse().unwrap()),
        Outcome::Unknown(Doubt::NotSent(_))
    ));
}

#[test]
fn advice_of_codes() {
    for (code, retry) in [
        ("ILLEGAL_SIGN", Retry::Never),
        ("aop.ACQ.SYSTEM_ERROR", Retry::QueryFirst),
        ("NEW", Retry::QueryFirst),
    ] {
        assert_eq!(spotpay_client::Refusal::new(code).retry(), retry);
    }
}
