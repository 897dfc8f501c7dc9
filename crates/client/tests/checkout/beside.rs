//! What merchants ask for beside payments and refunds: stores, and whether a notification was sent.

use std::cell::RefCell;

use spotpay_client::notify::Verdict;
use spotpay_client::{
    Client, Driver, Gateway, HttpAnswer, HttpRequest, Outcome, StoreOrder, StoreState, Timestamp,
    Transport, TransportFailure,
};
use spotpay_wire::form::Form;
use spotpay_wire::signature::Signer;
use spotpay_wire::xml::{Fields, accepted, rejected};
use spotpay_wire::{canonical, code, store, store_query};

use crate::model::{MD5_KEY, settings};

fn at() -> Timestamp {
    Timestamp::parse_compact("20261123120000").unwrap()
}

/// Reads what is sent, and answers the same fields to each.
struct Says {
    fields: Vec<(&'static str, &'static str)>,
    sent: RefCell<Vec<Form>>,
}

impl Says {
    fn new(fields: &[(&'static str, &'static str)]) -> Self {
        Self {
            fields: fields.to_vec(),
            sent: RefCell::default(),
        }
    }
}

impl Transport for Says {
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        let (_, query) = request.url.split_once('?').unwrap();
        let form = Form::read(query.as_bytes(), request.body.as_bytes());
        let signer = Signer::Md5(MD5_KEY.parse().unwrap());
        let verified = canonical::verify(&form, &signer.verifier(), &mut Vec::new());
        assert!(verified.is_some());
        let mut fields = Fields::new();
        for (name, value) in &self.fields {
            fields.put(name, *value);
        }
        let body = match self.fields.as_slice() {
            [("rejected", _)] => rejected(form.answer_charset(), code::SYSTEM_ERROR),
            _ => accepted(&form, &fields, &signer),
        };
        self.sent.borrow_mut().push(form);
        Ok(HttpAnswer {
            status: 200,
            content_type: "text/xml;charset=UTF-8".to_owned(),
            body,
        })
    }
}

fn describe<T>(outcome: Outcome<T>) -> String {
    match outcome {
        Outcome::Success(_) => "success".to_owned(),
        Outcome::Refused(refusal) => format!("refused {}", refusal.code()),
        Outcome::Unknown(doubt) => format!("unknown {}", doubt.name()),
        _ => "?".to_owned(),
    }
}

fn shop() -> StoreOrder {
    let mut order = StoreOrder::new("M001", "S001");
    order.secondary_merchant_name = "茶屋".to_owned();
    order.store_name = "Tea & House".to_owned();
    order.industry = "5499".to_owned();
    order.address = "1 Queen's Road, Hong Kong".to_owned();
    order
}

fn taxi() -> StoreOrder {
    let mut order = shop();
    order.industry = "4121".to_owned();
    order.drivers = vec![
        Driver {
            operation_id: "OP1".to_owned(),
            contact_way: Some("+852 1234".to_owned()),
            contact_person: "陳".to_owned(),
        },
        Driver {
            operation_id: "OP2".to_owned(),
            contact_way: None,
            contact_person: "Lee".to_owned(),
        },
    ];
    order
}

// Goal: what a gateway reads is what was said, and each of its answers.
#[test]
fn registrations() {
    for (fields, expected) in [
        (vec![("result_code", "SUCCESS")], "success"),
        (
            vec![("error", "PARAM_ILLEGAL"), ("result_code", "PARAM_ILLEGAL")],
            "refused PARAM_ILLEGAL",
        ),
        (vec![("rejected", "")], "unknown SYSTEM_ERROR"),
        (vec![("x", "y")], "unknown unreadable_answer"),
    ] {
        let client = Client::new(settings(), Says::new(&fields));
        for order in [shop(), taxi()] {
            let request = order.request(client.settings(), at()).unwrap();
            assert_eq!(describe(client.register_store(&request)), expected);
            let sent = client.transport().sent.borrow_mut().pop().unwrap();
            assert_eq!(store::Request::parse(&sent), Ok(request));
            assert_eq!(sent.get("timestamp"), Some("2026-11-23 12:00:00"));
            assert_eq!(sent.get("store_name"), Some("Tea & House"));
            let drivers = (!order.drivers.is_empty()).then_some(
                r#"[{"operation_id":"OP1","contact_way":"+852 1234","contact_person":"陳"},{"operation_id":"OP2","contact_person":"Lee"}]"#,
            );
            assert_eq!(sent.get("extend_params"), drivers);
        }
    }
}

// Goal: what the gateway would refuse is named before anything is sent.
#[test]
fn refused_before() {
    let refusal = |change: &dyn Fn(&mut StoreOrder)| {
        let mut order = taxi();
        change(&mut order);
        let request = order.request(&settings(), at());
        request
            .err()
            .map_or(String::new(), |error| error.to_string())
    };
    for (found, expected) in [
        (refusal(&|_| {}), ""),
        (
            refusal(&|order| order.industry = "41".to_owned()),
            "store_industry is \"41\"; it must be four digits",
        ),
        (
            refusal(&|order| order.address = String::new()),
            "store_address is missing; it is required in every request",
        ),
        (
            refusal(&|order| order.drivers.clear()),
            "extend_params is missing; it is required when store_industry is 4121",
        ),
        (
            refusal(&|order| {
                order.others.push((
                    "secondary_merchant_type".to_owned(),
                    "ENTERPRISE".to_owned(),
                ));
            }),
            "registration_no is missing; it is required when secondary_merchant_type is ENTERPRISE",
        ),
    ] {
        assert_eq!(found, expected);
    }
}

// Goal: the state of a registration, of this store and of no other.
#[test]
fn statuses() {
    let found = |store, status, reason| {
        vec![
            ("payment_method", "INSTORE_PAYMENT"),
            ("reject_reason", reason),
            ("secondary_merchant_id", "M001"),
            ("status", status),
            ("store_id", store),
        ]
    };
    let reason = || StoreState::Rejected {
        reason: "high risk".into(),
    };
    for (fields, expected) in [
        (found("S001", "SUCCESS", ""), Ok(StoreState::Verified)),
        (found("S001", "PROCESSING", ""), Ok(StoreState::Processing)),
        (found("S001", "FAILED", "high risk"), Ok(reason())),
        (found("S002", "SUCCESS", ""), Err("unknown other_answer")),
        (found("S001", "NEW", ""), Err("unknown unreadable_answer")),
        (
            vec![
                ("error", "DATA_NOT_EXIST"),
                ("result_code", "DATA_NOT_EXIST"),
            ],
            Err("refused DATA_NOT_EXIST"),
        ),
    ] {
        let client = Client::new(settings(), Says::new(&fields));
        let (merchant, store) = ("M001".parse().unwrap(), "S001".parse().unwrap());
        let outcome = client.store_status(&merchant, &store, at());
        let sent = client.transport().sent.borrow_mut().pop().unwrap();
        assert!(store_query::Request::parse(&sent).is_ok());
        match (outcome, expected) {
            (Outcome::Success(found), Ok(state)) => assert_eq!(found.state, state),
            (outcome, expected) => assert_eq!(Err(&*describe(outcome)), expected.map(|_| ())),
        }
    }
}

/// Answers what is read with a body; the first gateway cannot be reached.
struct Reads(u16, &'static str, RefCell<Vec<String>>);

impl Transport for Reads {
    fn post(&self, _request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        panic!("notify_verify reads");
    }

    fn fetch(&self, url: &str) -> Result<HttpAnswer, TransportFailure> {
        self.2.borrow_mut().push(url.to_owned());
        if url.starts_with("https://first/") {
            return Err(TransportFailure::never("no such host"));
        }
        Ok(HttpAnswer {
            status: self.0,
            content_type: "text/html".to_owned(),
            body: self.1.as_bytes().to_vec(),
        })
    }
}

// Goal: unsigned, by GET, and only the word `true` itself is one.
#[test]
fn notify_verify() {
    for (status, body, expected) in [
        (200, "true", "True"),
        (200, "false", "False"),
        (200, "invalid", "Invalid"),
        (200, "true\n", "Unknown(NoVerdict)"),
        (200, "TRUE", "Unknown(NoVerdict)"),
        (200, "", "Unknown(NoVerdict)"),
        (502, "true", "Unknown(NoVerdict)"),
    ] {
        let mut settings = settings();
        let first: Gateway = "https://first/gateway.do".parse().unwrap();
        settings.gateway = first.with_backup("https://second/g".parse().unwrap());
        let client = Client::new(settings, Reads(status, body, RefCell::default()));
        let verdict = client.notify_verify("a&b=c");
        assert_eq!(format!("{verdict:?}"), expected);
        let query = "?service=notify_verify&partner=2088000000000001&notify_id=a%26b%3Dc";
        let urls = client.transport().2.borrow().clone();
        assert_eq!(
            urls,
            [
                format!("https://first/gateway.do{query}"),
                format!("https://second/g{query}")
            ]
        );
    }
    let client = Client::new(settings(), Says::new(&[]));
    assert!(matches!(client.notify_verify("n"), Verdict::Unknown(_)));
}
