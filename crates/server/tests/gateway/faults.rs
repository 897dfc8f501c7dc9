//! Fault rules for answers: each effect with each service, and how rules are counted, chosen and
//! taken away.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use spotpay_server::listen::{self, Limits, Traffic};
use spotpay_wire::signature::SignType;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::receiver::{spawn, within};
use crate::sandbox::has;
use crate::till::{Params, Till, set};
use crate::world::{Answer, World, send};

const PAY: &str = "alipay.acquire.overseas.spot.pay";
const QUERY: &str = "alipay.acquire.overseas.query";
const CANCEL: &str = "alipay.acquire.cancel";
const REVERSE: &str = "alipay.acquire.overseas.spot.reverse";
const SPOT_CANCEL: &str = "alipay.acquire.overseas.spot.cancel";
const REFUND: &str = "alipay.acquire.overseas.spot.refund";
const REFUND_QUERY: &str = "alipay.acquire.refund.query";
const REGISTER: &str = "alipay.overseas.secmerchant.offline.maintain";
const STORE_STATUS: &str = "alipay.overseas.secmerchant.maintain.queryStatus";

const SERVICES: [&str; 9] = [
    PAY,
    QUERY,
    CANCEL,
    REVERSE,
    SPOT_CANCEL,
    REFUND,
    REFUND_QUERY,
    REGISTER,
    STORE_STATUS,
];

/// Adds a rule; the answer is the rule.
async fn rule(world: &World, rule: Value) -> Value {
    world.does("POST", "/faults", &rule.to_string()).await
}

/// Makes a rule for a service of everybody's, once.
async fn once(world: &World, service: &str, effect: Value) -> Value {
    rule(world, json!({"service": service, "effect": effect})).await
}

/// A request of a service that must work, about its own trade or store, which is there before.
async fn prepare(world: &World, till: &Till, service: &str, id: &str) -> Params {
    let code = world.code("alice").await;
    if service == PAY {
        return till.pay(id, &code, "10.00");
    }
    let merchant = format!("M{id}");
    let pay = till.pay(id, &code, "10.00");
    assert_eq!(till.ask(world, &pay).await.outcome(), "SUCCESS");
    let refund_id = format!("{id}-R");
    let mut refund = till.refund(id, &refund_id, "4.00");
    set(&mut refund, "is_sync", "Y");
    match service {
        QUERY => till.query(id),
        CANCEL => till.cancel(id),
        REVERSE | SPOT_CANCEL => {
            let mut params = till.query(id);
            set(&mut params, "service", service);
            params
        }
        REFUND => refund,
        REFUND_QUERY => {
            assert_eq!(till.ask(world, &refund).await.outcome(), "SUCCESS");
            till.refund_query(id, &refund_id)
        }
        REGISTER => till.register(&merchant, "S1", world.now()),
        STORE_STATUS => {
            let register = till.register(&merchant, "S1", world.now());
            assert_eq!(till.ask(world, &register).await.outcome(), "SUCCESS");
            till.store_status(&merchant, "S1", world.now())
        }
        other => panic!("{other}"),
    }
}

/// Whether what the service does is done; none for those that only look.
async fn is_done(world: &World, till: &Till, service: &str, id: &str) -> Option<bool> {
    let status = till.ask(world, &till.query(id)).await;
    let status = status.field("alipay_trans_status").to_owned();
    match service {
        PAY => Some(status == "TRADE_SUCCESS"),
        CANCEL | REVERSE | SPOT_CANCEL => Some(status == "TRADE_CLOSED"),
        REFUND => {
            let query = till.refund_query(id, &format!("{id}-R"));
            Some(till.ask(world, &query).await.outcome() == "SUCCESS:SUCCESS")
        }
        REGISTER => {
            let status = till.store_status(&format!("M{id}"), "S1", world.now());
            Some(till.ask(world, &status).await.outcome() == "SUCCESS")
        }
        _ => None,
    }
}

/// Asks, whatever the signature of the answer.
async fn ask_unchecked(world: &World, till: &Till, params: &Params) -> Answer {
    let (query, body) = till.signed(params, "");
    send(world.router.clone(), query, body.into()).await
}

/// The outcome of a request that works.
fn works(service: &str) -> &'static str {
    match service {
        REFUND_QUERY => "SUCCESS:SUCCESS",
        _ => "SUCCESS",
    }
}

// Goal: a named error stands in the service's own words, or in the gateway's, as the rule says; where
// it does not say, where the published table puts the code. Nothing is done, and the same request
// after it works.
#[tokio::test]
async fn answers() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let own = [
        (PAY, "PAYMENT_FAIL", "FAILED:PAYMENT_FAIL"),
        (QUERY, "TRADE_NOT_EXIST", "FAIL:TRADE_NOT_EXIST"),
        (CANCEL, "TRADE_HAS_FINISHED", "FAIL:TRADE_HAS_FINISHED"),
        (REVERSE, "TRADE_HAS_FINISHED", "FAILED:TRADE_HAS_FINISHED"),
        (
            SPOT_CANCEL,
            "TRADE_HAS_FINISHED",
            "FAILED:TRADE_HAS_FINISHED",
        ),
        (
            REFUND,
            "TRADE_NOT_ALLOW_REFUND",
            "FAILED:TRADE_NOT_ALLOW_REFUND",
        ),
        (REFUND_QUERY, "QUERY_FAILED", "QUERY_FAILED"),
        (REGISTER, "PARAM_ILLEGAL", "PARAM_ILLEGAL"),
        (STORE_STATUS, "PARAM_ILLEGAL", "PARAM_ILLEGAL"),
    ];
    for (number, (service, code, in_words)) in own.into_iter().enumerate() {
        let gateway = format!("F:{code}");
        let rows = [
            (json!({"answer": code}), in_words.to_owned(), "T"),
            (
                json!({"answer": code, "is_success": "T"}),
                in_words.to_owned(),
                "T",
            ),
            (json!({"answer": code, "is_success": "F"}), gateway, "F"),
            (
                json!({"answer": "SESSION_TIMEOUT"}),
                "F:SESSION_TIMEOUT".to_owned(),
                "F",
            ),
        ];
        for (row, (effect, expected, is_success)) in rows.into_iter().enumerate() {
            let id = format!("A{number}{row}");
            let params = prepare(&world, &till, service, &id).await;
            let added = once(&world, service, effect.clone()).await;
            assert_eq!(added["effect"]["answer"], effect["answer"]);
            assert_eq!(added["effect"]["is_success"], is_success, "{effect}");
            let said = till.ask(&world, &params).await.outcome();
            assert_eq!(said, expected, "{service} {effect}");
            assert_ne!(
                is_done(&world, &till, service, &id).await,
                Some(true),
                "{service}"
            );
            let said = till.ask(&world, &params).await.outcome();
            assert_eq!(said, works(service), "{service} after {effect}");
            assert_ne!(
                is_done(&world, &till, service, &id).await,
                Some(false),
                "{service}"
            );
        }
    }
    world.books().await;
}

// Goal: what is told as unknown is done: in the service's own word where it has one, as the
// gateway's SYSTEM_ERROR where it has none or the rule says so; the same request again tells.
#[tokio::test]
async fn unknown_after() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for (number, service) in SERVICES.into_iter().enumerate() {
        let word = match service {
            PAY | REFUND | REVERSE | SPOT_CANCEL => "UNKNOW:SYSTEM_ERROR",
            CANCEL => "UNKNOWN:SYSTEM_ERROR",
            _ => "F:SYSTEM_ERROR",
        };
        for (told, expected) in [
            ("UNKNOWN", word),
            ("UNKNOW", word),
            ("SYSTEM_ERROR", "F:SYSTEM_ERROR"),
        ] {
            let id = format!("U{number}{told}");
            let params = prepare(&world, &till, service, &id).await;
            once(&world, service, json!({"unknown_after": told})).await;
            let said = till.ask(&world, &params).await;
            assert_eq!(said.outcome(), expected, "{service} {told}");
            if expected.starts_with("UNKNOWN") {
                assert_eq!(said.field("retry_flag"), "Y");
            }
            assert_ne!(
                is_done(&world, &till, service, &id).await,
                Some(false),
                "{service}"
            );
            let again = till.ask(&world, &params).await.outcome();
            assert_eq!(again, works(service), "{service} {told}");
        }
    }
    world.books().await;
}

/// The world's router behind a real port.
struct Door {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

impl Door {
    fn open(world: &World) -> Self {
        let listener = listen::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, is_stopped) = oneshot::channel::<()>();
        let router = world.router.clone();
        spawn(async move {
            let stopped = async { drop(is_stopped.await) };
            let (limits, traffic) = (Limits::default(), Arc::new(Traffic::default()));
            listen::serve_counted(listener, router, None, limits, traffic, stopped).await
        });
        Self {
            address,
            stop: Some(stop),
        }
    }

    /// Posts on a connection; all that comes back until it is closed.
    async fn post(&self, till: &Till, params: &Params, connection: &str) -> Vec<u8> {
        let (query, body) = till.signed(params, "");
        let length = body.len();
        let request = format!(
            "POST /gateway.do?{query} HTTP/1.1\r\nhost: gateway\r\ncontent-length: {length}\r\nconnection: {connection}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        within(stream.read_to_end(&mut answer)).await.unwrap();
        answer
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

// Goal: a dropped connection closes without a byte, also one that was to stay open: before the work
// nothing is done, after it all is; the next request on another connection is answered.
#[tokio::test]
async fn dropped_connections() {
    let world = World::start().await;
    let door = Door::open(&world);
    let till = world.till("tea-house").await;
    for (number, service) in SERVICES.into_iter().enumerate() {
        for (when, done) in [("before", false), ("after", true)] {
            let id = format!("D{number}{when}");
            let params = prepare(&world, &till, service, &id).await;
            once(&world, service, json!({"drop": when})).await;
            let answer = door.post(&till, &params, "keep-alive").await;
            assert_eq!(answer, b"", "{service} {when}");
            let is_done = is_done(&world, &till, service, &id).await;
            assert_ne!(is_done, Some(!done), "{service} {when}");
            let answer = door.post(&till, &params, "close").await;
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.contains(">SUCCESS<"), "{answer}");
        }
    }
    // What the inspector keeps says how it ended.
    let requests = world.does("GET", "/requests?limit=1000", "").await;
    let hung_up = |one: &&Value| one["result"] == "hung up" && one["answer"] == "";
    let requests = requests.as_array().unwrap();
    assert_eq!(requests.iter().filter(hung_up).count(), SERVICES.len());
    world.books().await;
}

// Goal: a late answer is late, not undone: while it is kept back the work is done, and others are
// answered; a short delay ends in the answer itself.
#[tokio::test]
async fn late_answers() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for (number, service) in SERVICES.into_iter().enumerate() {
        let id = format!("L{number}");
        let params = prepare(&world, &till, service, &id).await;
        let added = once(&world, service, json!({"delay_ms": 600_000})).await;
        let (router, asking) = (world.router.clone(), till.clone());
        let late = {
            let params = params.clone();
            spawn(async move { asking.ask_with(router, params, "").await.outcome() })
        };
        within(async {
            while fired(&world, &added).await == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        within(async {
            while is_done(&world, &till, service, &id).await == Some(false) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(!late.is_finished(), "{service}");
        late.abort();
        once(&world, service, json!({"delay_ms": 1})).await;
        let said = till.ask(&world, &params).await.outcome();
        assert_eq!(said, works(service), "{service}");
    }
}

async fn fired(world: &World, rule: &Value) -> u64 {
    let rules = world.does("GET", "/faults", "").await;
    let mut rules = rules.as_array().unwrap().iter();
    let found = rules.find(|one| one["id"] == rule["id"]).unwrap();
    found["fired"].as_u64().unwrap()
}

// Goal: an answer whose signature does not verify, in every sign type: a careful client refuses it,
// although the request is done and all else in it is right.
#[tokio::test]
async fn bad_signatures() {
    let world = World::start().await;
    for sign_type in [SignType::Md5, SignType::Rsa, SignType::Rsa2] {
        let till = world.rsa_till("tea-house", sign_type).await;
        for (number, service) in SERVICES.into_iter().enumerate() {
            let id = format!("B{number}{}", sign_type.as_str());
            let params = prepare(&world, &till, service, &id).await;
            once(&world, service, json!({"bad_sign": true})).await;
            let answer = ask_unchecked(&world, &till, &params).await;
            assert!(!answer.accepted().verify(&till.verifier), "{service}");
            assert_eq!(answer.outcome(), works(service));
            assert_ne!(
                is_done(&world, &till, service, &id).await,
                Some(false),
                "{service}"
            );
            let again = till.ask(&world, &params).await.outcome();
            assert_eq!(again, works(service));
        }
    }
}

// Goal: rules are counted down in the order in which they were made, each for its service and its
// partner only; what went off is shown; whoever failed the gateway's checks sets none off.
#[tokio::test]
async fn counting() {
    let world = World::start().await;
    let answer = |code: &str| json!({"answer": code});
    let first = rule(
        &world,
        json!({"service": PAY, "partner": "tea-house", "times": 2, "effect": answer("PAYMENT_FAIL")}),
    )
    .await;
    let expected = json!({"service": PAY, "partner": "tea-house", "times": 2, "times_left": 2, "fired": 0,
        "effect": {"answer": "PAYMENT_FAIL", "is_success": "T"}});
    assert!(has(&first, &expected), "{first}");
    rule(
        &world,
        json!({"service": PAY, "partner": "2088621900000202", "effect": answer("TOTAL_FEE_EXCEED")}),
    )
    .await;
    rule(
        &world,
        json!({"service": PAY, "effect": answer("SELLER_NOT_EXIST")}),
    )
    .await;
    world
        .check(
            "
        query tea-house C1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house C1 alice 1.00 partner=2088000000000000 -> F:ILLEGAL_PARTNER
        pay tea-house C1 alice 1.00 -> FAILED:PAYMENT_FAIL
        pay dim-sum C1 alice 1.00 -> FAILED:TOTAL_FEE_EXCEED
        pay tea-house C1 alice 1.00 -> FAILED:PAYMENT_FAIL
        pay duty-free C1 bob 1.00 -> FAILED:SELLER_NOT_EXIST
        pay tea-house C1 alice 1.00 -> SUCCESS
        pay dim-sum C1 alice 1.00 -> SUCCESS
        ",
        )
        .await;
    let rules = world.does("GET", "/faults", "").await;
    let spent = json!([
        {"id": first["id"], "partner": "tea-house", "times": 2, "times_left": 0, "fired": 2},
        {"partner": "dim-sum", "times": 1, "times_left": 0, "fired": 1},
        {"partner": null, "times": 1, "times_left": 0, "fired": 1},
    ]);
    assert!(has(&rules, &spent), "{rules}");
    world.books().await;
}

// Goal: a rule that is deleted, alone or with all, or by a reset, does not go off any more.
#[tokio::test]
async fn taking_away() {
    let world = World::start().await;
    let always = |code: &str| json!({"service": PAY, "times": 1_000, "effect": {"answer": code}});
    let first = rule(&world, always("PAYMENT_FAIL")).await;
    let second = rule(&world, always("SELLER_NOT_EXIST")).await;
    world
        .check("pay tea-house T1 alice 1.00 -> FAILED:PAYMENT_FAIL")
        .await;
    let id = first["id"].as_u64().unwrap();
    world
        .calls(&[
            (
                &format!("DELETE /faults/{id}"),
                200,
                json!({"id": id, "deleted": true}),
            ),
            (&format!("DELETE /faults/{id}"), 404, json!("not_found")),
            ("DELETE /faults/first", 400, json!("bad_request")),
            (
                "GET /faults",
                200,
                json!([{"id": second["id"], "fired": 0}]),
            ),
        ])
        .await;
    world
        .check("pay tea-house T1 alice 1.00 -> FAILED:SELLER_NOT_EXIST")
        .await;
    assert_eq!(world.does("DELETE", "/faults", "").await, json!([]));
    assert_eq!(world.does("GET", "/faults", "").await, json!([]));
    world.check("pay tea-house T1 alice 1.00 -> SUCCESS").await;
    rule(&world, always("PAYMENT_FAIL")).await;
    world.does("POST", "/reset", "").await;
    assert_eq!(world.does("GET", "/faults", "").await, json!([]));
    world.check("pay tea-house T2 alice 1.00 -> SUCCESS").await;
}

/// Rules, with `$` for the service of pay, and behind the bar the status and what the message says.
const BAD_RULES: &str = r#"
{}                                                              | 400 service
{"service":"$"}                                                 | 400 effect
{"service":"spot.pay","effect":{"bad_sign":true}}               | 400 service; notify_trade; spot.pay
{"service":"notify_verify","effect":{"bad_sign":true}}          | 400 service; notify_verify
{"service":"$","partner":"nobody","effect":{"bad_sign":true}}   | 404 partner; nobody
{"service":"$","partner":"2088000000000000","effect":{"bad_sign":true}} | 404 partner; 2088000000000000
{"service":"$","times":0,"effect":{"bad_sign":true}}            | 400 times; 1 or more; 0
{"service":"$","times":-1,"effect":{"bad_sign":true}}           | 400 -1
{"service":"$","time":1,"effect":{"bad_sign":true}}             | 400 time
{"service":"$","effect":{}}                                     | 400 effect is one of
{"service":"$","effect":{"answer":"NO_SUCH_CODE"}}              | 400 effect.answer; docs/error-codes.md; NO_SUCH_CODE
{"service":"$","effect":{"answer":"ACQ.PAYMENT_FAIL"}}          | 400 effect.answer; ACQ.PAYMENT_FAIL
{"service":"$","effect":{"answer":"PAYMENT_FAIL","is_success":"Y"}} | 400 effect.is_success; T or F; Y
{"service":"$","effect":{"is_success":"T"}}                     | 400 effect is one of
{"service":"$","effect":{"bad_sign":true,"is_success":"T"}}     | 400 effect is one of
{"service":"$","effect":{"answer":"PAYMENT_FAIL","bad_sign":true}} | 400 effect is one of
{"service":"$","effect":{"unknown_after":"MAYBE"}}              | 400 effect.unknown_after; UNKNOWN or SYSTEM_ERROR; MAYBE
{"service":"$","effect":{"drop":"now"}}                         | 400 effect.drop; before or after; now
{"service":"$","effect":{"drop":"before","delay_ms":1}}         | 400 effect is one of
{"service":"$","effect":{"delay_ms":600001}}                    | 400 effect.delay_ms; at most 600000; 600001
{"service":"$","effect":{"delay_ms":18446744073709551615}}      | 400 effect.delay_ms; at most 600000; 18446744073709551615
{"service":"$","effect":{"delay_ms":-1}}                        | 400 -1
{"service":"$","effect":{"bad_sign":false}}                     | 400 effect is one of
{"service":"$","effect":{"explode":true}}                       | 400 explode
{"service":"$","effect":{"notify":"lose"}}                      | 400 effect is one of
{"service":"$","effect":{"bad_sign":true,"by":"PT1M"}}          | 400 effect is one of
{"service":"notify_trade","effect":{}}                          | 400 effect is one of
{"service":"notify_trade","effect":{"drop":"before"}}           | 400 effect is one of
{"service":"notify_trade","effect":{"notify":"lose","delay_ms":1}} | 400 effect is one of
{"service":"notify_trade","effect":{"notify":"burn"}}           | 400 effect.notify; lose, double; burn
{"service":"notify_trade","effect":{"notify":"late"}}           | 400 effect.by; PT5M
{"service":"notify_trade","effect":{"notify":"late","by":"soon"}} | 400 effect.by; ISO 8601; soon
{"service":"notify_trade","effect":{"notify":"late","by":"-PT5M"}} | 400 effect.by; below zero; -PT5M
{"service":"notify_trade","effect":{"notify":"lose","by":"PT5M"}} | 400 effect.by; late
{"service":"notify_refund","effect":{"notify":"before_answer"}} | 422 before_answer; notify_trade
{"service":1}                                                   | 400 body; 1
[]                                                              | 400 body
{                                                               | 400 body
                                                                | 400 service
"#;

// Goal: a rule that cannot be is refused with the field, the rule and the value in its words, and is
// not kept.
#[tokio::test]
async fn bad_rules() {
    let world = World::start().await;
    for line in BAD_RULES.trim_matches('\n').lines() {
        let (rule, expected) = line.rsplit_once(" | ").unwrap();
        let (status, words) = expected.split_once(' ').unwrap();
        let rule = rule.trim().replace('$', PAY);
        let (answered, answer) = world.api("POST", "/faults", &rule).await;
        assert_eq!(answered.to_string(), status, "{rule}: {answer}");
        let message = answer["message"].as_str().unwrap();
        for word in words.split("; ") {
            assert!(
                message.contains(word),
                "{rule}: {word:?} is not in {message}"
            );
        }
    }
    assert_eq!(world.does("GET", "/faults", "").await, json!([]));
    world.check("pay tea-house R1 alice 1.00 -> SUCCESS").await;
}
