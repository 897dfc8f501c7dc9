//! The sandbox API for wallets and partners: each call's happy path and its errors, in tables of
//! requests and what must be in their answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::World;

/// Whether the answer has at least what is expected; an array has each element in its place.
pub(crate) fn has(answer: &Value, expected: &Value) -> bool {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|given| has(given, value))),
        (Value::Array(answer), Value::Array(expected)) => {
            answer.len() == expected.len()
                && answer
                    .iter()
                    .zip(expected)
                    .all(|(given, value)| has(given, value))
        }
        (answer, expected) => answer == expected,
    }
}

impl World {
    /// Rows of `METHOD PATH BODY`, status and what the answer has; a text is the word of an error.
    pub(crate) async fn calls(&self, rows: &[(&str, u16, Value)]) {
        for (asked, expected_status, expected) in rows {
            let mut parts = asked.splitn(3, ' ');
            let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
            let body = parts.next().unwrap_or_default();
            let (status, answer) = self.api(method, path, body).await;
            assert_eq!(status, *expected_status, "{asked}\n{answer}");
            if status == 200 {
                assert!(has(&answer, expected), "{asked}\n{answer}\n{expected}");
            } else {
                assert_eq!(answer["error"], *expected, "{asked}\n{answer}");
                let message = answer["message"].as_str().unwrap();
                assert!(!message.is_empty(), "{asked}");
            }
        }
    }
}

// Goal: a wallet is opened, shown, changed and topped up; whatever is wrong is said with 4xx and a
// word, and changes nothing.
#[tokio::test]
async fn wallets() {
    let world = World::start().await;
    let long = "n".repeat(65);
    let long_name = format!(r#"POST /wallets {{"name":"{long}","payment_inst":"ALIPAYHK"}}"#);
    world
        .calls(&[
            (r#"POST /wallets {"name":"eve","payment_inst":"ALIPAYHK","balance":"5"}"#, 200,
                json!({"name": "eve", "payment_inst": "ALIPAYHK", "currency": "HKD", "balance": "5.00",
                    "frozen": false, "confirm": false, "limit_per_payment": null, "limit_per_day": null, "limit_per_month": null})),
            (r#"POST /wallets {"name":"張三","payment_inst":"ALIPAYCN"}"#, 200,
                json!({"name": "張三", "currency": "CNY", "balance": "0.00"})),
            (r#"POST /wallets {"name":"zero","payment_inst":"ALIPAYCN","balance":"0.00"}"#, 200, json!({"balance": "0.00"})),
            ("GET /wallets/eve", 200, json!({"name": "eve", "balance": "5.00", "trades": []})),
            ("GET /wallets/%E5%BC%B5%E4%B8%89", 200, json!({"name": "張三"})),
            (r#"PATCH /wallets/eve {"confirm":true,"limit_per_day":"100"}"#, 200,
                json!({"confirm": true, "limit_per_day": "100.00", "limit_per_month": null})),
            (r#"PATCH /wallets/eve {"limit_per_month":"3000.00"}"#, 200,
                json!({"confirm": true, "limit_per_day": "100.00", "limit_per_month": "3000.00"})),
            (r#"PATCH /wallets/eve {"limit_per_day":null,"confirm":false}"#, 200,
                json!({"confirm": false, "limit_per_day": null, "limit_per_month": "3000.00"})),
            ("PATCH /wallets/eve", 200, json!({"limit_per_month": "3000.00"})),
            (r#"POST /wallets/eve/topup {"amount":"0.01"}"#, 200, json!({"balance": "5.01"})),
            ("GET /wallets/eve", 200, json!({"balance": "5.01"})),
            // Refusals.
            (r#"POST /wallets {"name":"eve","payment_inst":"ALIPAYHK"}"#, 409, json!("name_taken")),
            (r#"POST /wallets {"name":"alice","payment_inst":"ALIPAYHK"}"#, 409, json!("name_taken")),
            (r#"POST /wallets {"name":"mallory"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"payment_inst":"ALIPAYHK"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"mallory","payment_inst":"WECHAT"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"mallory","payment_inst":"ALIPAYHK","balance":"-1"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"mallory","payment_inst":"ALIPAYHK","balance":"1.001"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"mallory","payment_inst":"ALIPAYHK","balance":5}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"mallory","payment_inst":"ALIPAYHK","colour":"red"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"a/b","payment_inst":"ALIPAYHK"}"#, 400, json!("bad_request")),
            (r#"POST /wallets {"name":"","payment_inst":"ALIPAYHK"}"#, 400, json!("bad_request")),
            (&long_name, 400, json!("bad_request")),
            ("POST /wallets {\"name\":\"mallory\"", 400, json!("bad_request")),
            ("POST /wallets []", 400, json!("bad_request")),
            ("POST /wallets nonsense", 400, json!("bad_request")),
            ("GET /wallets/mallory", 404, json!("not_found")),
            ("PATCH /wallets/mallory {}", 404, json!("not_found")),
            (r#"PATCH /wallets/eve {"frozen":"yes"}"#, 400, json!("bad_request")),
            (r#"PATCH /wallets/eve {"balance":"1000000"}"#, 400, json!("bad_request")),
            (r#"PATCH /wallets/eve {"limit_per_day":"0"}"#, 400, json!("bad_request")),
            (r#"PATCH /wallets/eve {"limit_per_day":"x"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/mallory/topup {"amount":"1"}"#, 404, json!("not_found")),
            (r#"POST /wallets/eve/topup {"amount":"0"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/eve/topup {"amount":"-1"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/eve/topup {"amount":"1.234"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/eve/topup {"amount":1}"#, 400, json!("bad_request")),
            ("POST /wallets/eve/topup", 400, json!("bad_request")),
            (r#"POST /wallets/eve/topup {"amount":"99999999999999999999"}"#, 400, json!("bad_request")),
            ("GET /wallets/eve", 200, json!({"balance": "5.01", "frozen": false, "limit_per_day": null})),
        ])
        .await;
    let all = world.does("GET", "/wallets", "").await;
    let names: BTreeSet<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|wallet| wallet["name"].as_str().unwrap())
        .collect();
    let expected = [
        "alice", "bob", "careful", "eve", "frozen", "poor", "zero", "張三",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    world.books().await;
}

// Goal: codes: each call gives one that was not given before, also many at once and when the phone
// is asked within one slot; earlier ones stay good.
#[tokio::test]
async fn codes() {
    let world = World::start().await;
    world
        .calls(&[
            (
                r#"POST /wallets/alice/code {"digits":16}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /wallets/alice/code {"count":0}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /wallets/alice/code {"count":10001}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /wallets/alice/code {"length":24}"#,
                400,
                json!("bad_request"),
            ),
            ("POST /wallets/alice/code {", 400, json!("bad_request")),
            ("POST /wallets/mallory/code", 404, json!("not_found")),
            // Made at noon, in the slot that ends six seconds later, and good for two minutes more.
            (
                "POST /wallets/alice/code",
                200,
                json!({"expires_at": "2026-11-23T12:02:06+08:00"}),
            ),
            (r#"POST /wallets/alice/code {"digits":24}"#, 200, json!({})),
        ])
        .await;
    let first = world.code("alice").await;
    let mut codes = world.codes("alice", 100).await;
    codes.push(first.clone());
    codes.push(world.code("alice").await);
    let long = world.does("POST", "/wallets/alice/code", r#"{"digits":24,"count":3}"#);
    let long = long.await["codes"].as_array().unwrap().len();
    assert_eq!(long, 3);
    world.check("clock PT1M").await;
    codes.push(world.code("alice").await);
    let different: BTreeSet<&String> = codes.iter().collect();
    assert_eq!(different.len(), 103);
    assert!(codes.iter().all(|code| code.len() == 18));
    let till = world.till("tea-house").await;
    for (number, code) in codes.iter().step_by(17).enumerate() {
        let params = till.pay(&format!("C{number}"), code, "1.00");
        assert_eq!(till.ask(&world, &params).await.outcome(), "SUCCESS");
    }
    world.name("first", &first);
    world
        .check("pay tea-house C99 $first 1.00 -> SUCCESS")
        .await;
}

// Goal: partners: defaults, all terms, what contradicts the product, and what does not change.
#[tokio::test]
async fn partners() {
    let world = World::start().await;
    world
        .calls(&[
            (r#"POST /partners {"name":"kiosk","product":"HK"}"#, 200,
                json!({"name": "kiosk", "product": "HK", "country": "HK", "settlement_currency": "HKD",
                    "wallets": ["ALIPAYHK", "ALIPAYCN"], "commission": "0.012", "commission_on_refund": "kept",
                    "async_refund": "batch", "refund_days": 180, "notify_url": null, "reserve": "0.00",
                    "store_data": "optional", "cancel_grace": "paid_too", "wallet_column": "payment_inst",
                    "client_ips": [], "limit_per_payment": null, "limit_per_day": null, "limit_product": null,
                    "rsa_public_key": null, "rsa_private_key": null})),
            (r#"POST /partners {"name":"louvre","product":"STANDARD"}"#, 200,
                json!({"product": "STANDARD", "wallets": ["ALIPAYCN"]})),
            (r#"POST /partners {"name":"ginza","product":"STANDARD","country":"JP","settlement_currency":"JPY","reserve":"100000","limit_per_payment":"5000"}"#, 200,
                json!({"country": "JP", "settlement_currency": "JPY", "reserve": "100000", "limit_per_payment": "5000"})),
            (r#"PATCH /partners/kiosk {"wallets":["ALIPAYCN"],"commission":"0.006","commission_on_refund":"returned","async_refund":"same_day","refund_days":90,"notify_url":"https://shop.example/n","reserve":"10","store_data":"required","cancel_grace":"unpaid_only","wallet_column":"Issue","client_ips":["10.0.0.1","::1"],"limit_per_payment":"1","limit_per_day":"2","limit_product":"3"}"#, 200,
                json!({"wallets": ["ALIPAYCN"], "commission": "0.006", "commission_on_refund": "returned",
                    "async_refund": "same_day", "refund_days": 90, "notify_url": "https://shop.example/n", "reserve": "10.00",
                    "store_data": "required", "cancel_grace": "unpaid_only", "wallet_column": "Issue",
                    "client_ips": ["10.0.0.1", "::1"], "limit_per_payment": "1.00", "limit_per_day": "2.00", "limit_product": "3.00"})),
            (r#"PATCH /partners/kiosk {"limit_per_day":null,"notify_url":null}"#, 200,
                json!({"limit_per_day": null, "notify_url": null, "limit_per_payment": "1.00", "refund_days": 90})),
            (r#"PATCH /partners/kiosk {"name":"kiosk","product":"HK","country":"HK"}"#, 200, json!({"name": "kiosk"})),
            // Only entities in Hong Kong have the HK product, on POST and on PATCH.
            (r#"POST /partners {"name":"x","product":"HK","country":"SG"}"#, 422, json!("hk_entity_required")),
            (r#"PATCH /partners/kiosk {"country":"SG"}"#, 422, json!("hk_entity_required")),
            (r#"PATCH /partners/tea-house {"country":"CN"}"#, 422, json!("hk_entity_required")),
            (r#"POST /partners {"name":"x","product":"HK","settlement_currency":"USD"}"#, 422, json!("hk_settles_in_hkd")),
            (r#"POST /partners {"name":"x","product":"STANDARD","wallets":["ALIPAYHK"]}"#, 422, json!("standard_takes_alipaycn_only")),
            (r#"PATCH /partners/duty-free {"wallets":["ALIPAYHK","ALIPAYCN"]}"#, 422, json!("standard_takes_alipaycn_only")),
            (r#"PATCH /partners/kiosk {"product":"STANDARD"}"#, 422, json!("fixed")),
            (r#"PATCH /partners/kiosk {"name":"booth"}"#, 422, json!("fixed")),
            (r#"PATCH /partners/duty-free {"settlement_currency":"EUR"}"#, 422, json!("fixed")),
            // Malformed.
            (r#"POST /partners {"product":"HK"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"MACAU"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","country":"Hongkong"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"STANDARD","settlement_currency":"ZZZ"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","wallets":[]}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","commission":"1.5"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","commission":"-0.01"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","reserve":"-1"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","store_data":"maybe"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","client_ips":["localhost"]}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","limit_per_day":"0"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","notify_url":"shop.example"}"#, 400, json!("bad_request")),
            (r#"POST /partners {"name":"x","product":"HK","colour":"red"}"#, 400, json!("bad_request")),
            (r#"PATCH /partners/ginza {"limit_per_payment":"0.5"}"#, 400, json!("bad_request")),
            ("POST /partners {", 400, json!("bad_request")),
            (r#"POST /partners {"name":"tea-house","product":"HK"}"#, 409, json!("name_taken")),
            ("PATCH /partners/nobody {}", 404, json!("not_found")),
            // Keys.
            (r#"POST /partners/nobody/keys {"rotate":"md5"}"#, 404, json!("not_found")),
            (r#"POST /partners/kiosk/keys {"rotate":"rsa"}"#, 400, json!("bad_request")),
            ("POST /partners/kiosk/keys {}", 400, json!("bad_request")),
            (r#"POST /partners/kiosk/keys {"rotate":"md5","public_key":"x"}"#, 400, json!("bad_request")),
            (r#"POST /partners/kiosk/keys {"rotate":"md5","overlap":"one day"}"#, 400, json!("bad_request")),
            (r#"POST /partners/kiosk/keys {"rotate":"md5","overlap":"-PT1H"}"#, 400, json!("bad_request")),
            (r#"POST /partners/kiosk/keys {"public_key":"x"}"#, 422, json!("public_key")),
        ])
        .await;
    for (file, word) in [
        (
            include_str!("../../../wire/tests/keys/rsa512.spki.pem"),
            422,
        ),
        (
            include_str!("../../../wire/tests/keys/rsa4352.spki.pem"),
            422,
        ),
        (include_str!("../../../wire/tests/keys/ec.spki.pem"), 422),
        (
            include_str!("../../../wire/tests/keys/rsa2048.pkcs8.pem"),
            422,
        ),
        (
            include_str!("../../../wire/tests/keys/certificate.pem"),
            422,
        ),
        (
            include_str!("../../../wire/tests/keys/rsa4096.spki.pem"),
            200,
        ),
        (
            include_str!("../../../wire/tests/keys/rsa2048.pkcs1pub.pem"),
            200,
        ),
    ] {
        let body = json!({"public_key": file}).to_string();
        let (status, answer) = world.api("POST", "/partners/kiosk/keys", &body).await;
        assert_eq!(status, word, "{answer}");
    }
    let all = world.does("GET", "/partners", "").await;
    let names: BTreeSet<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|partner| partner["name"].as_str().unwrap())
        .collect();
    let expected = [
        "tea-house",
        "dim-sum",
        "duty-free",
        "kiosk",
        "louvre",
        "ginza",
    ];
    assert_eq!(names, BTreeSet::from(expected));
}

// Goal: new partners and wallets trade like the seeded ones, under their own terms.
#[tokio::test]
async fn new_partners_trade() {
    let world = World::start().await;
    for (path, body) in [
        (
            "/partners",
            r#"{"name":"kiosk","product":"HK","wallets":["ALIPAYCN"]}"#,
        ),
        (
            "/partners",
            r#"{"name":"ginza","product":"STANDARD","country":"JP","settlement_currency":"JPY"}"#,
        ),
        (
            "/rates",
            r#"{"base":"JPY","quote":"CNY","rate":"0.04771234","from":"2026-11-23"}"#,
        ),
        (
            "/wallets",
            r#"{"name":"eve","payment_inst":"ALIPAYCN","balance":"100.00"}"#,
        ),
    ] {
        world.does("POST", path, body).await;
    }
    world
        .check(
            "
        pay kiosk K1 alice 10.00 -> FAILED:NOT_SUPPORT_PAYMENT_INST
        pay kiosk K1 eve 10.00 -> SUCCESS payment_inst=ALIPAYCN
        wallet eve -> 200 balance=90.80
        pay ginza G1 eve 500.5 -> FAILED:INVALID_PARAMETER
        pay ginza G1 eve 500 -> SUCCESS trans_amount=500 currency=JPY exchange_rate=0.04771234 trans_amount_cny=23.86
        wallet eve -> 200 balance=66.94
        cancel ginza G1 -> SUCCESS action=refund
        wallet eve -> 200 balance=90.80
        books
        ",
        )
        .await;
}

// Goal: confirm: the trade in its answer, and each way in which it cannot be.
#[tokio::test]
async fn confirm() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house F1 careful 10.00 -> UNKNOW
        pay dim-sum F1 careful 20.00 -> UNKNOW
        pay dim-sum F2 careful 30.00 -> UNKNOW
        ",
        )
        .await;
    world
        .calls(&[
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":true}"#, 409, json!("ambiguous")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":true,"partner":"nobody"}"#, 404, json!("not_found")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":true,"partner":"duty-free"}"#, 404, json!("not_found")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F9","accept":true}"#, 404, json!("not_found")),
            (r#"POST /wallets/mallory/confirm {"partner_trans_id":"F1","accept":true}"#, 404, json!("not_found")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"","accept":true}"#, 400, json!("bad_request")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/careful/confirm {"accept":true}"#, 400, json!("bad_request")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":"yes"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":true,"pin":"1234"}"#, 400, json!("bad_request")),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":true,"partner":"tea-house"}"#, 200,
                json!({"partner": "tea-house", "partner_trans_id": "F1", "state": "TRADE_SUCCESS", "amount": "10.00", "currency": "HKD",
                    "paid_amount": "10.00", "paid_currency": "HKD", "title": "Tea", "created_at": "2026-11-23T12:00:00+08:00", "paid_at": "2026-11-23T12:00:00+08:00"})),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F1","accept":false,"partner":"2088621900000202"}"#, 200,
                json!({"partner": "dim-sum", "state": "TRADE_CLOSED", "paid_at": null})),
            (r#"POST /wallets/careful/confirm {"partner_trans_id":"F2","accept":true}"#, 200, json!({"state": "TRADE_SUCCESS"})),
            ("GET /wallets/careful", 200, json!({"balance": "99960.00", "trades": [
                {"partner": "dim-sum", "partner_trans_id": "F2", "state": "TRADE_SUCCESS"},
                {"partner": "dim-sum", "partner_trans_id": "F1", "state": "TRADE_CLOSED"},
                {"partner": "tea-house", "partner_trans_id": "F1", "state": "TRADE_SUCCESS", "store_name": "tea-house Central"}]})),
        ])
        .await;
    world.books().await;
}
