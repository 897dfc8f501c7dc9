//! Every service for both contracts, in each charset and with each key; and services that a
//! contract does not have.

use serde_json::json;
use spotpay_core::refund::RefundKey;
use spotpay_server::seed;
use spotpay_wire::charset::Charset;
use spotpay_wire::signature::SignType;

use crate::till::{Params, Till, pair, set};
use crate::world::World;

const CHARSETS: [Charset; 3] = [Charset::Utf8, Charset::Gbk, Charset::Gb2312];

/// Text that each charset has, and that wants encoding and escaping everywhere.
const REASON: &str = "太甜 & 50% <冷> = 'x' + 港";
const STORE: &str = "幸运猫 & <一号>";

/// A partner's three programs, one for each kind of key.
async fn programs(world: &World, name: &str) -> [Till; 3] {
    let md5 = world.till(name).await;
    let mut seeded = seed::PARTNERS.iter();
    let key = seeded.find(|partner| partner.name == name).unwrap();
    let rsa = md5.with_rsa(SignType::Rsa, key.rsa_private_key);
    let rsa2 = md5.with_rsa(SignType::Rsa2, key.rsa_private_key);
    [md5, rsa, rsa2]
}

/// Which wallet pays at a partner of the seed.
fn buyer_at(partner: &str) -> &'static str {
    match partner {
        "duty-free" => "bob",
        _ => "alice",
    }
}

// Goal: a payment, its refunds, a store and a cancel, in every charset, with every key, for both
// contracts. The till checks charset, echo and signature of each answer; what is said in other
// letters is kept.
#[tokio::test]
async fn every_service_charset_and_key() {
    let world = World::start().await;
    for partner in ["tea-house", "duty-free"] {
        let review = r#"{"store_review":"manual"}"#;
        world
            .does("PATCH", &format!("/partners/{partner}"), review)
            .await;
        let mut number = 0;
        for program in programs(&world, partner).await {
            for charset in CHARSETS {
                number += 1;
                let till = Till {
                    charset,
                    ..program.clone()
                };
                let case = format!("{partner} {charset:?} {:?}", till.signer.sign_type());
                let store = format!("一号{number}");
                reviewed_store(&world, &till, partner, &store, &case).await;
                refunded_payment(&world, &till, partner, (&store, number), &case).await;
                cancelled_payments(&world, &till, partner, number, &case).await;
            }
        }
    }
    assert_eq!(world.balance("alice").await, "100000.00");
    assert_eq!(world.balance("bob").await, "100000.00");
    world.books().await;
}

/// A store that is refused with words of another alphabet, and verified after all.
async fn reviewed_store(world: &World, till: &Till, partner: &str, store: &str, case: &str) {
    let mut params = till.register("M002", store, world.now());
    set(&mut params, "store_name", STORE);
    set(&mut params, "store_address", "皇后大道中 1 号");
    let said = till.ask(world, &params).await.outcome();
    assert_eq!(said, "SUCCESS", "{case}");
    // One letter that two of the charsets lack.
    let reason = "高風險 & 😀";
    let page = world
        .does("GET", &format!("/partners/{partner}/stores"), "")
        .await;
    let mut stores = page.as_array().unwrap().iter();
    let shown = stores
        .find(|one| one["store_id"] == store)
        .unwrap_or_else(|| panic!("{case}: {page}"));
    assert_eq!(
        shown["details"]["store_address"], "皇后大道中 1 号",
        "{case}"
    );
    assert_eq!(shown["store_name"], STORE, "{case}");
    let path = format!("/partners/{partner}/stores/M002/{}", escaped(store));
    for (body, status) in [
        (
            json!({"status": "FAILED", "reject_reason": reason}),
            "FAILED",
        ),
        (json!({"status": "SUCCESS"}), "SUCCESS"),
    ] {
        world.does("PATCH", &path, &body.to_string()).await;
        let params = till.store_status("M002", store, world.now());
        let found = till.ask(world, &params).await;
        assert_eq!(found.outcome(), status, "{case}");
        assert_eq!(found.field("store_id"), store, "{case}");
        let said = if status == "FAILED" { reason } else { "" };
        assert_eq!(found.field("reject_reason"), said, "{case}");
    }
}

/// A payment at that store, which goes back at once and in the batch.
async fn refunded_payment(
    world: &World,
    till: &Till,
    partner: &str,
    (store, number): (&str, usize),
    case: &str,
) {
    let wallet = buyer_at(partner);
    let id = format!("茶&+=<'{number}");
    let (refund, later) = (format!("退&<'{number}"), format!("后退{number}"));
    let mut params = till.pay(&id, &world.code(wallet).await, "10.00");
    let named = json!({"secondary_merchant_id": "M002", "store_id": store}).to_string();
    set(&mut params, "extend_info", &named);
    assert_eq!(
        till.ask(world, &params).await.outcome(),
        "SUCCESS",
        "{case}"
    );
    let page = world.does("GET", &format!("/wallets/{wallet}"), "").await;
    assert_eq!(page["trades"][0]["store_name"], STORE);

    let mut params = till.refund(&id, &refund, "4.00");
    set(&mut params, "refund_reson", REASON);
    set(&mut params, "is_sync", "Y");
    let back = till.ask(world, &params).await;
    assert_eq!(back.outcome(), "SUCCESS", "{case}");
    assert_eq!(back.field("partner_trans_id"), id, "{case}");
    assert_eq!(back.field("partner_refund_id"), refund, "{case}");
    let cny = if partner == "duty-free" { "28.80" } else { "" };
    assert_eq!(back.field("refund_amount_cny"), cny, "{case}");
    assert_eq!(back.field("trans_amount_cny"), cny, "{case}");
    let mut params = till.refund(&id, &later, "6.00");
    set(&mut params, "refund_reason", REASON);
    assert_eq!(
        till.ask(world, &params).await.outcome(),
        "SUCCESS",
        "{case}"
    );
    for (name, said) in [(&refund, "SUCCESS:SUCCESS"), (&later, "SUCCESS:PROCESSING")] {
        let found = till.ask(world, &till.refund_query(&id, name)).await;
        assert_eq!(found.outcome(), said, "{case}");
        assert_eq!(found.field("out_trade_no"), id, "{case}");
        assert_eq!(found.field("out_return_no"), name.as_str(), "{case}");
        let key = RefundKey {
            partner: till.partner.parse().unwrap(),
            id: name.parse().unwrap(),
        };
        let stored = world.app().readers.read(|reader| reader.refund(&key));
        let stored = stored.unwrap().unwrap();
        assert_eq!(stored.reason.as_deref(), Some(REASON), "{case}");
    }
    // A refusal, in the same letters.
    let refused = till.ask(world, &till.refund(&id, "退多", "0.01")).await;
    assert_eq!(refused.outcome(), "FAILED:REFUND_AMT_NOT_EQUAL_TOTAL");
    assert_eq!(refused.field("partner_refund_id"), "退多", "{case}");
    let found = till.ask(world, &till.refund_query(&id, "退多")).await;
    assert_eq!(found.outcome(), "NOT_FOUND", "{case}");
    assert_eq!(found.field("out_return_no"), "退多", "{case}");

    world.does("POST", "/clock", r#"{"advance":"P1D"}"#).await;
    let found = till.ask(world, &till.refund_query(&id, &later)).await;
    assert_eq!(found.outcome(), "SUCCESS:SUCCESS", "{case}");
    let found = till.ask(world, &till.query(&id)).await;
    assert_eq!(found.field("alipay_trans_status"), "TRADE_CLOSED", "{case}");
}

/// The three names of a cancel.
async fn cancelled_payments(world: &World, till: &Till, partner: &str, number: usize, case: &str) {
    for name in ["cancel", "overseas.spot.cancel", "overseas.spot.reverse"] {
        let id = format!("取消{name}{number}");
        let code = world.code(buyer_at(partner)).await;
        let paid = till.ask(world, &till.pay(&id, &code, "1.00")).await;
        assert_eq!(paid.outcome(), "SUCCESS", "{case}");
        let mut params = match name {
            "cancel" => till.cancel(&id),
            _ => till.query(&id),
        };
        set(&mut params, "service", &format!("alipay.acquire.{name}"));
        let said = till.ask(world, &params).await.outcome();
        assert_eq!(said, "SUCCESS", "{case} {name}");
        let found = till.ask(world, &till.query(&id)).await;
        assert_eq!(found.field("alipay_trans_status"), "TRADE_CLOSED", "{case}");
    }
}

/// As part of a path.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// One request of each service, with the contract's name of it.
fn one_of_each(till: &Till, world: &World) -> Vec<(&'static str, Params)> {
    let spot = |name: &str| {
        let mut params = till.params(&format!("alipay.acquire.overseas.spot.{name}"));
        params.push(pair("partner_trans_id", "X1"));
        params
    };
    vec![
        (
            "alipay.acquire.overseas.spot.pay",
            till.pay("X1", "288888888888888888", "1.00"),
        ),
        ("alipay.acquire.overseas.query", till.query("X1")),
        ("alipay.acquire.cancel", till.cancel("X1")),
        ("alipay.acquire.cancel", spot("cancel")),
        ("alipay.acquire.cancel", spot("reverse")),
        (
            "alipay.acquire.overseas.spot.refund",
            till.refund("X1", "R1", "1.00"),
        ),
        ("alipay.acquire.refund.query", till.refund_query("X1", "R1")),
        (
            "alipay.overseas.secmerchant.offline.maintain",
            till.register("M002", "S002", world.now()),
        ),
        (
            "alipay.overseas.secmerchant.maintain.queryStatus",
            till.store_status("M002", "S002", world.now()),
        ),
    ]
}

// Goal: a service that is not in the contract is refused, alone and before the signature is looked
// at (`spec/13`, 17); the old names of cancel go with it (`spec/13`, 7).
#[tokio::test]
async fn services_out_of_the_contract() {
    const OUT: &str = "F:ILLEGAL_PARTNER_EXTERFACE";
    let world = World::start().await;
    for partner in ["tea-house", "duty-free"] {
        let path = format!("/partners/{partner}");
        let till = world.till(partner).await;
        let shown = world.does("PATCH", &path, "{}").await;
        let all: Vec<&str> = shown["services"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(all.len(), 7);
        for out in &all {
            let rest: Vec<&str> = all.iter().copied().filter(|name| name != out).collect();
            let terms = json!({"services": rest});
            let shown = world.does("PATCH", &path, &terms.to_string()).await;
            assert_eq!(shown["services"], terms["services"]);
            for (name, params) in one_of_each(&till, &world) {
                let said = till.ask(&world, &params).await.outcome();
                assert_eq!(said == OUT, name == *out, "{name} without {out}: {said}");
                let (query, body) = till.signed(&params, "&memo=unsigned");
                let said = world.send(&query, body).await.outcome();
                let wrong = if name == *out { OUT } else { "F:ILLEGAL_SIGN" };
                assert_eq!(said, wrong, "{name} without {out}");
            }
        }
        world.does("PATCH", &path, r#"{"services":[]}"#).await;
        for (name, params) in one_of_each(&till, &world) {
            let said = till.ask(&world, &params).await.outcome();
            assert_eq!(said, OUT, "{name}");
        }
        let back = json!({"services": all}).to_string();
        world.does("PATCH", &path, &back).await;
        for (name, params) in one_of_each(&till, &world) {
            let said = till.ask(&world, &params).await.outcome();
            assert!(!said.starts_with("F:"), "{name}: {said}");
        }
    }
    world
        .calls(&[
            (r#"PATCH /partners/tea-house {"services":["alipay.acquire.cancel","alipay.acquire.overseas.spot.reverse"]}"#, 400, json!("bad_request")),
            (r#"PATCH /partners/tea-house {"services":["notify_verify"]}"#, 400, json!("bad_request")),
            (r#"PATCH /partners/tea-house {"services":"alipay.acquire.cancel"}"#, 400, json!("bad_request")),
            (r#"PATCH /partners/tea-house {"services":["alipay.acquire.cancel","alipay.acquire.cancel"]}"#, 200, json!({"services": ["alipay.acquire.cancel"]})),
        ])
        .await;
}

// Goal: an engine that takes nothing: what moves or registers is refused as a fault, at gateway
// level (`spec/13`, 21); what only reads is still answered.
#[tokio::test]
async fn without_an_engine() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    world
        .check("pay tea-house X1 alice 10.00 -> SUCCESS\nrefund tea-house X1 R1 1.00 -> SUCCESS")
        .await;
    world.app().engine.close();
    for (name, params) in one_of_each(&till, &world) {
        let said = till.ask(&world, &params).await.outcome();
        let right = match name {
            "alipay.acquire.overseas.query" => "SUCCESS",
            "alipay.acquire.refund.query" => "SUCCESS:PROCESSING",
            "alipay.overseas.secmerchant.maintain.queryStatus" => "DATA_NOT_EXIST",
            _ => "F:SYSTEM_ERROR",
        };
        assert_eq!(said, right, "{name}");
    }
}
