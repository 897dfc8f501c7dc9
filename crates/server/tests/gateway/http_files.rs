//! The files of some days over HTTP: `forex_compare_file` and `forex_liquidation_file` (`spec/07`).

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use serde_json::json;
use spotpay_server::seed;
use spotpay_wire::charset::Charset;
use spotpay_wire::signature::SignType;
use tower::ServiceExt as _;

use crate::settlement::veiled;
use crate::till::{Params, Till, pair, set, unset};
use crate::world::World;

const COMPARE: &str = "forex_compare_file";
const LIQUIDATION: &str = "forex_liquidation_file";
const HEAD: &str = "Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks\n";

fn params(till: &Till, service: &str, start: &str, end: &str) -> Params {
    let mut params = till.params(service);
    params.extend([pair("start_date", start), pair("end_date", end)]);
    params
}

impl World {
    /// The text of some days, which must come in the charset of the request.
    async fn text(&self, till: &Till, service: &str, start: &str, end: &str) -> String {
        let (query, body) = till.signed(&params(till, service, start, end), "");
        let request = Request::post(format!("/gateway.do?{query}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let content_type = response.headers()[header::CONTENT_TYPE].clone();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = till.charset.decode(&bytes).unwrap().into_owned();
        let label = till.charset.label();
        assert_eq!(
            content_type,
            format!("text/plain;charset={label}"),
            "{text}"
        );
        assert!(text.starts_with(HEAD), "{text}");
        text
    }
}

// Goal: a day of a standard contract with a payment, a refund and a cancel, before and after
// settlement; the fee of a refund is kept, and CNY and its rate stand beside every amount.
#[tokio::test]
async fn a_standard_day() {
    let world = World::start().await;
    world
        .check(
            "
        pay duty-free D1 bob 10.00 memo=gift -> SUCCESS
        pay duty-free D2 bob 20.00 -> SUCCESS
        refund duty-free D1 R1 4.00 is_sync=Y refund_reason=太甜 -> SUCCESS
        cancel duty-free D2 -> SUCCESS
        pay tea-house D1 bob 10.00 -> SUCCESS
        clock 2026-11-24T00:00:00+08:00
        pay duty-free D3 bob 1.00 -> SUCCESS
        ",
        )
        .await;
    let till = world.till("duty-free").await;
    let compare = world.text(&till, COMPARE, "20261123", "20261123").await;
    insta::assert_snapshot!(veiled(&compare), @"
    Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks
    D1|N|10.00|72.00|0.12|||9.88|71.14|USD|7.20000000|2026-11-23 12:00:00||P|P|gift
    D2|N|20.00|144.00|0.24|||19.76|142.27|USD|7.20000000|2026-11-23 12:00:00||P|P|
    R1|N|4.00|28.80|0.00|||4.00|28.80|USD|7.20000000|2026-11-23 12:00:00||R|P|太甜
    N|N|20.00|144.00|0.24|||19.76|142.27|USD|7.20000000|2026-11-23 12:00:00||R|P|
    ");
    let gbk = Till {
        charset: Charset::Gbk,
        ..till.clone()
    };
    let same = world.text(&gbk, COMPARE, "20261101", "20261123").await;
    assert_eq!(same, compare, "in another charset, over empty days");
    let requests = world.does("GET", "/requests?limit=1", "").await;
    assert_eq!(requests[0]["answer"], same.as_str());
    world.check("clock 2026-11-25T00:00:00+08:00").await;
    let settled = world.text(&till, LIQUIDATION, "20261124", "20261124").await;
    insta::assert_snapshot!(veiled(&settled), @"
    Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks
    D1|N|10.00|72.00|0.12|||9.88|71.14|USD|7.20000000|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L|gift
    D2|N|20.00|144.00|0.24|||19.76|142.27|USD|7.20000000|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L|
    R1|N|4.00|28.80|0.00|||4.00|28.80|USD|7.20000000|2026-11-23 12:00:00|2026-11-24 15:30:00|R|L|太甜
    N|N|20.00|144.00|0.24|||19.76|142.27|USD|7.20000000|2026-11-23 12:00:00|2026-11-24 15:30:00|R|L|
    ");
    let more = world.text(&till, COMPARE, "20261123", "20261124").await;
    assert_eq!(more.lines().count(), compare.lines().count() + 1, "{more}");
    assert_eq!(
        more.strip_prefix(&compare)
            .map(|rest| rest.starts_with("D3|")),
        Some(true)
    );
}

// Goal: under a Hong Kong contract no figure in CNY and no rate appears, whoever pays.
#[tokio::test]
async fn a_day_in_hong_kong() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house A1 alice 100.00 -> SUCCESS
        pay tea-house A2 bob 50.00 -> SUCCESS
        reverse tea-house A2 -> SUCCESS
        clock 2026-11-25T09:00:00+08:00
        ",
        )
        .await;
    let till = world.till("tea-house").await;
    let compare = world.text(&till, COMPARE, "20261123", "20261124").await;
    insta::assert_snapshot!(veiled(&compare), @"
    Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks
    A1|N|100.00||1.20|||98.80||HKD||2026-11-23 12:00:00||P|P|
    A2|N|50.00||0.60|||49.40||HKD||2026-11-23 12:00:00||P|P|
    N|N|50.00||0.60|||49.40||HKD||2026-11-23 12:00:00||R|P|
    ");
    let settled = world.text(&till, LIQUIDATION, "20261123", "20261124").await;
    insta::assert_snapshot!(veiled(&settled), @"
    Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks
    A1|N|100.00||1.20|||98.80||HKD||2026-11-23 12:00:00|2026-11-24 15:30:00|P|L|
    A2|N|50.00||0.60|||49.40||HKD||2026-11-23 12:00:00|2026-11-24 15:30:00|P|L|
    N|N|50.00||0.60|||49.40||HKD||2026-11-23 12:00:00|2026-11-24 15:30:00|R|L|
    ");
}

// Goal: several batches stand in order of their days, each row once and with its own time.
#[tokio::test]
async fn several_settlements() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house A1 alice 100.00 -> SUCCESS
        clock P1D
        refund tea-house A1 R1 30.00 is_sync=Y -> SUCCESS
        clock P2D
        pay tea-house A2 alice 10.00 -> SUCCESS
        clock 2026-12-01T00:00:00+08:00
        ",
        )
        .await;
    let till = world.till("tea-house").await;
    let settled = world.text(&till, LIQUIDATION, "20261101", "20261130").await;
    insta::assert_snapshot!(veiled(&settled), @"
    Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks
    A1|N|100.00||1.20|||98.80||HKD||2026-11-23 12:00:00|2026-11-24 15:30:00|P|L|
    R1|N|30.00||0.00|||30.00||HKD||2026-11-24 12:00:00|2026-11-25 15:30:00|R|L|Refund
    A2|N|10.00||0.12|||9.88||HKD||2026-11-26 12:00:00|2026-11-27 15:30:00|P|L|
    ");
}

// Goal: days without rows give the names of the columns and nothing else, also long ago.
#[tokio::test]
async fn empty_days() {
    let world = World::start().await;
    let till = world.till("duty-free").await;
    for service in [COMPARE, LIQUIDATION] {
        for (start, end) in [
            ("20261122", "20261122"),
            ("20261023", "20261122"),
            ("19991231", "20000101"),
        ] {
            assert_eq!(world.text(&till, service, start, end).await, HEAD);
        }
    }
}

// Goal: each bad argument is refused as the gateway refuses, and says why in the inspector; so is a
// day that is not over until its last moment has passed.
#[tokio::test]
async fn bad_arguments() {
    let world = World::start().await;
    let till = world.till("duty-free").await;
    for service in [COMPARE, LIQUIDATION] {
        for (start, end) in [
            ("", "20261122"),
            ("20261122", ""),
            ("2026-11-22", "20261122"),
            ("20261122", "20261131"),
            ("20261122", "2026112"),
            ("20261122", "20261121"),
            ("20261022", "20261122"),
            ("20261123", "20261123"),
            ("20261122", "20261123"),
            ("20261124", "20261124"),
        ] {
            let mut params = params(&till, service, start, end);
            params.retain(|(_, value)| !value.is_empty());
            let answer = till.ask(&world, &params).await;
            assert_eq!(answer.outcome(), "F:ILLEGAL_ARGUMENT", "{start} {end}");
        }
    }
    world.check("clock 2026-11-23T23:59:59+08:00").await;
    let params = params(&till, COMPARE, "20261123", "20261123");
    let answer = till.ask(&world, &params).await;
    assert_eq!(answer.outcome(), "F:ILLEGAL_ARGUMENT");
    let requests = world.does("GET", "/requests?limit=1", "").await;
    let refused = json!({
        "service": COMPARE,
        "result": "ILLEGAL_ARGUMENT",
        "reason": "end_date is 2026-11-23, which is not over",
    });
    assert!(crate::sandbox::has(&requests[0], &refused), "{requests}");
    world.check("clock PT1S").await;
    let text = world.text(&till, COMPARE, "20261123", "20261123").await;
    let requests = world.does("GET", "/requests?limit=1", "").await;
    let told = json!({"service": COMPARE, "result": "SUCCESS", "answer": text});
    assert!(crate::sandbox::has(&requests[0], &told), "{requests}");
}

// Goal: the gateway's checks stand before both services; every kind of key opens them, and no list
// of a contract closes them.
#[tokio::test]
async fn checks_of_the_gateway() {
    let world = World::start().await;
    world
        .check(r#"patch partners duty-free {"services":[]} -> 200"#)
        .await;
    let till = world.till("duty-free").await;
    let strange = till.with_md5("0123456789abcdefghijklmnopqrstuv");
    let mut seeded = seed::PARTNERS.iter();
    let seeded = seeded.find(|partner| partner.name == "duty-free").unwrap();
    let rsa2 = till.with_rsa(SignType::Rsa2, seeded.rsa_private_key);
    for service in [COMPARE, LIQUIDATION] {
        let mut asked = params(&till, service, "20261122", "20261122");
        let refused = strange.ask(&world, &asked).await;
        assert_eq!(refused.outcome(), "F:ILLEGAL_SIGN");
        set(&mut asked, "partner", "2088000000000009");
        let refused = till.ask(&world, &asked).await;
        assert_eq!(refused.outcome(), "F:ILLEGAL_PARTNER");
        unset(&mut asked, "partner");
        let refused = till.ask(&world, &asked).await;
        assert_eq!(refused.outcome(), "F:ILLEGAL_PARTNER");
        for program in [&till, &rsa2] {
            let text = world.text(program, service, "20261122", "20261122").await;
            assert_eq!(text, HEAD);
        }
    }
}

// Goal: fault rules reach the services; what they say comes as XML, and a signature that is not
// there cannot be spoilt.
#[tokio::test]
async fn fault_rules() {
    let world = World::start().await;
    let till = world.till("duty-free").await;
    let params = params(&till, COMPARE, "20261122", "20261122");
    for (effect, said) in [
        (r#"{"answer":"SYSTEM_ERROR"}"#, "F:SYSTEM_ERROR"),
        (r#"{"answer":"TRADE_NOT_EXIST"}"#, "F:TRADE_NOT_EXIST"),
        (r#"{"unknown_after":"UNKNOWN"}"#, "F:SYSTEM_ERROR"),
    ] {
        let rule = format!(r#"{{"service":"{COMPARE}","effect":{effect}}}"#);
        world.does("POST", "/faults", &rule).await;
        assert_eq!(till.ask(&world, &params).await.outcome(), said);
    }
    let rule = format!(r#"{{"service":"{COMPARE}","effect":{{"bad_sign":true}}}}"#);
    let (status, _) = world.api("POST", "/faults", &rule).await;
    assert_eq!(status, 400);
    let text = world.text(&till, COMPARE, "20261122", "20261122").await;
    assert_eq!(text, HEAD);
}
