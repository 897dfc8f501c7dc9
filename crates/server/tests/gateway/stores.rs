//! Stores: registered, reviewed, and named by payments (`spec/08`; `spec/13`, 15 and 16).

use serde_json::json;
use tokio::task::JoinSet;

use crate::parameters::{check_presence, check_value};
use crate::till::{Till, set};
use crate::world::World;

const BAD: &str = "PARAM_ILLEGAL";

// Goal: a store is registered, found, and registered anew; each partner's own.
#[tokio::test]
async fn register_and_ask() {
    let world = World::start().await;
    world
        .check(
            "
        # What the contract was signed with.
        store-status tea-house M001 S001 -> SUCCESS fields=payment_method,secondary_merchant_id,status,store_id secondary_merchant_id=M001 store_id=S001 payment_method=INSTORE_PAYMENT
        store-status tea-house M002 S002 -> DATA_NOT_EXIST fields=error,result_code error=DATA_NOT_EXIST
        register tea-house M002 S002 -> SUCCESS fields=result_code
        store-status tea-house M002 S002 -> SUCCESS secondary_merchant_id=M002 store_id=S002 !reject_reason
        # Merchant and store name it together, and only for its partner.
        store-status tea-house M002 S001 -> DATA_NOT_EXIST
        store-status tea-house M001 S002 -> DATA_NOT_EXIST
        store-status dim-sum M002 S002 -> DATA_NOT_EXIST
        register tea-house M002 S003 `store_name=Lucky Cat Two` -> SUCCESS
        register dim-sum M002 S002 `store_name=Dumpling Cat` -> SUCCESS
        store-status dim-sum M002 S002 -> SUCCESS
        # Of another product.
        store-status tea-house M002 S002 payment_method=ONLINE_PAYMENT -> DATA_NOT_EXIST
        store-status tea-house M002 - payment_method=ONLINE_PAYMENT -> DATA_NOT_EXIST
        clock P1D
        register tea-house M002 S002 `store_name=Lucky Cat Central` `store_address=2 Queen's Road Central` -> SUCCESS
        store-status tea-house M002 S002 -> SUCCESS
        ",
        )
        .await;
    world
        .calls(&[
            ("GET /partners/tea-house/stores", 200, json!([
                {"secondary_merchant_id": "M001", "store_id": "S001", "status": "SUCCESS", "reject_reason": null,
                    "store_name": "tea-house Central", "secondary_merchant_name": "tea-house", "store_country": "HK"},
                {"secondary_merchant_id": "M002", "store_id": "S002", "status": "SUCCESS", "store_name": "Lucky Cat Central",
                    "secondary_merchant_name": "Lucky Cat Limited", "store_industry": "5499", "store_country": "HK",
                    "register_country": null, "drivers": [], "at": "2026-11-24T12:00:00+08:00",
                    "details": {"store_address": "2 Queen's Road Central"}},
                {"store_id": "S003", "store_name": "Lucky Cat Two", "at": "2026-11-23T12:00:00+08:00"}])),
            ("GET /partners/dim-sum/stores", 200, json!([{"store_id": "S001"}, {"store_name": "Dumpling Cat"}])),
            ("GET /partners/nobody/stores", 404, json!("not_found")),
        ])
        .await;
}

// Goal: payments name a store by `extend_info` and show its names as they are then; a payment keeps
// the names that it was made with, and is still the same payment under other names.
#[tokio::test]
async fn payments_follow_registrations() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay tea-house T1 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> FAILED:INVALID_STORE_ID
        register tea-house M002 S002 -> SUCCESS
        code A alice
        pay tea-house T1 $A 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        bill alice tea-house T1 -> `store_name=Lucky Cat`
        register tea-house M002 S002 `store_name=Brave Cat` -> SUCCESS
        pay tea-house T2 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        bill alice tea-house T1 -> `store_name=Lucky Cat`
        bill alice tea-house T2 -> `store_name=Brave Cat`
        pay tea-house T1 $A 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        # What is registered counts, whatever names a payment brings.
        pay tea-house T3 alice 1.00 extend_info={"SECONDARY_MERCHANT_ID":"M002","STORE_ID":"S002","STORE_NAME":"Sly_Cat","SECONDARY_MERCHANT_NAME":"Sly","SECONDARY_MERCHANT_INDUSTRY":"5812"} -> SUCCESS
        bill alice tea-house T3 -> `store_name=Brave Cat`
        # Another's store, and half a name.
        pay dim-sum T1 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> FAILED:INVALID_STORE_ID
        pay tea-house T4 alice 1.00 extend_info={"secondary_merchant_id":"M002"} -> FAILED:INVALID_STORE_ID
        pay tea-house T4 alice 1.00 extend_info={"store_id":"S002"} -> FAILED:INVALID_STORE_ID
        pay tea-house T4 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S009"} -> FAILED:INVALID_STORE_ID
        # Not registered, but described; registered later.
        pay tea-house T4 alice 1.00 extend_info={"secondary_merchant_id":"M003","store_id":"S1","store_name":"Stall","secondary_merchant_name":"Market","secondary_merchant_industry":"5499"} -> SUCCESS
        bill alice tea-house T4 -> store_name=Stall
        store-status tea-house M003 S1 -> DATA_NOT_EXIST
        register tea-house M003 S1 store_name=Market -> SUCCESS
        pay tea-house T5 alice 1.00 extend_info={"secondary_merchant_id":"M003","store_id":"S1"} -> SUCCESS
        bill alice tea-house T5 -> store_name=Market
        bill alice tea-house T4 -> store_name=Stall
        # A contract that wants store data takes what is registered.
        patch partners tea-house {"store_data":"required"} -> 200
        pay tea-house T6 alice 1.00 -> FAILED:PAYMENT_REQUEST_HAS_RISK
        pay tea-house T6 alice 1.00 extend_info={"secondary_merchant_id":"M003","store_id":"S1"} -> SUCCESS
        wallet alice -> 200 balance=99994.00
        books
        "#,
        )
        .await;
}

// Goal: payments that name no store follow the default one's registration; other terms of the
// contract leave its names alone.
#[tokio::test]
async fn the_default_store() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay tea-house T1 alice 1.00 -> SUCCESS
        bill alice tea-house T1 -> `store_name=tea-house Central`
        register tea-house M001 S001 `store_name=New Front` -> SUCCESS
        store-status tea-house M001 S001 -> SUCCESS
        pay tea-house T2 alice 1.00 -> SUCCESS
        pay tea-house T3 alice 1.00 extend_info={"secondary_merchant_id":"M001","store_id":"S001"} -> SUCCESS
        bill alice tea-house T1 -> `store_name=tea-house Central`
        bill alice tea-house T2 -> `store_name=New Front`
        bill alice tea-house T3 -> `store_name=New Front`
        patch partners tea-house {"reserve":"5.00","store_review":"manual"} -> 200
        pay tea-house T4 alice 1.00 -> SUCCESS
        bill alice tea-house T4 -> `store_name=New Front`
        # It is reviewed by nobody.
        register tea-house M001 S001 `store_name=Newer Front` -> SUCCESS
        store-status tea-house M001 S001 -> SUCCESS
        review tea-house M001 S001 {"status":"FAILED"} -> 422:default_store
        review tea-house M001 S001 {"status":"PROCESSING"} -> 422:default_store
        pay tea-house T5 alice 1.00 -> SUCCESS
        bill alice tea-house T5 -> `store_name=Newer Front`
        pay dim-sum T1 alice 1.00 -> SUCCESS
        bill alice dim-sum T1 -> `store_name=dim-sum Central`
        books
        "#,
        )
        .await;
}

// Goal: with a review by hand a store is looked at first: payments need names and industry until it
// is verified, and are refused once it is rejected.
#[tokio::test]
async fn reviews_by_hand() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch partners tea-house {"store_review":"manual"} -> 200 store_review=manual
        register tea-house M002 S002 -> SUCCESS
        store-status tea-house M002 S002 -> PROCESSING fields=payment_method,secondary_merchant_id,status,store_id
        pay tea-house T1 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> FAILED:INVALID_STORE_ID
        code A alice
        pay tea-house T1 $A 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002","secondary_merchant_name":"Cat","secondary_merchant_industry":"5499"} -> SUCCESS
        bill alice tea-house T1 -> store_name=Cat
        review tea-house M002 S002 {"status":"FAILED"} -> 200 status=FAILED `reject_reason=refused for security reasons`
        store-status tea-house M002 S002 -> FAILED fields=payment_method,reject_reason,secondary_merchant_id,status,store_id `reject_reason=refused for security reasons`
        pay tea-house T2 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> FAILED:PAYMENT_REQUEST_HAS_RISK
        pay tea-house T2 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002","secondary_merchant_name":"Cat","secondary_merchant_industry":"5499"} -> FAILED:PAYMENT_REQUEST_HAS_RISK
        # A repeat of what was paid before is answered as ever, and can go back.
        pay tea-house T1 $A 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        refund tea-house T1 R1 1.00 is_sync=Y -> SUCCESS
        # Other stores are not touched.
        pay tea-house T2 alice 1.00 -> SUCCESS
        review tea-house M002 S002 {"status":"FAILED","reject_reason":"高風險"} -> 200
        store-status tea-house M002 S002 -> FAILED reject_reason=高風險
        # Said again, it is looked at again.
        register tea-house M002 S002 -> SUCCESS
        store-status tea-house M002 S002 -> PROCESSING !reject_reason
        review tea-house M002 S002 {"status":"SUCCESS"} -> 200 status=SUCCESS reject_reason=null
        store-status tea-house M002 S002 -> SUCCESS
        pay tea-house T3 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        bill alice tea-house T3 -> `store_name=Lucky Cat`
        # Verified, the same words change nothing; other words do.
        register tea-house M002 S002 -> SUCCESS
        store-status tea-house M002 S002 -> SUCCESS
        register tea-house M002 S002 `store_address=3 Queen's Road Central` -> SUCCESS
        store-status tea-house M002 S002 -> PROCESSING
        pay tea-house T4 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> FAILED:INVALID_STORE_ID
        review tea-house M002 S002 {"status":"PROCESSING"} -> 200
        patch partners tea-house {"store_review":"instant"} -> 200
        store-status tea-house M002 S002 -> PROCESSING
        register tea-house M002 S002 -> SUCCESS
        store-status tea-house M002 S002 -> SUCCESS
        pay tea-house T4 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        # What cannot be decided.
        review tea-house M002 S009 {"status":"SUCCESS"} -> 404:not_found
        review dim-sum M002 S002 {"status":"SUCCESS"} -> 404:not_found
        review nobody M002 S002 {"status":"SUCCESS"} -> 404:not_found
        review tea-house M002 S002 {"status":"MAYBE"} -> 400:bad_request
        review tea-house M002 S002 {"status":"SUCCESS","reject_reason":"x"} -> 400:bad_request
        review tea-house M002 S002 {"status":"FAILED","reject_reason":""} -> 400:bad_request
        review tea-house M002 S002 {} -> 400:bad_request
        wallet alice -> 200 balance=99997.00
        books
        "#,
        )
        .await;
}

// Goal: under an HK contract stores and businesses are in Hong Kong, under a standard one anywhere
// (`spec/13`, 15); of acquirers the second half of the table is wanted whole.
#[tokio::test]
async fn countries_and_acquirers() {
    const HALF: &str = "register_address=`1 Rue` register_country=FR contact_email=a@b.example shareholder_name=Li shareholder_id=X1";
    let world = World::start().await;
    world
        .check(
            &"
        register tea-house M002 S002 store_country=CN -> PARAM_ILLEGAL fields=error,result_code error=PARAM_ILLEGAL
        register tea-house M002 S002 HALF secondary_merchant_type=INDIVIDUAL -> PARAM_ILLEGAL
        store-status tea-house M002 S002 -> DATA_NOT_EXIST
        register tea-house M002 S002 HALF secondary_merchant_type=INDIVIDUAL register_country=HK -> SUCCESS
        register duty-free M002 S002 store_country=FR -> SUCCESS
        register duty-free M002 S003 store_country=JP HALF secondary_merchant_type=INDIVIDUAL -> SUCCESS
        register duty-free M002 S004 HALF secondary_merchant_type=ENTERPRISE -> PARAM_ILLEGAL
        register duty-free M002 S004 HALF secondary_merchant_type=ENTERPRISE registration_no=R1 -> SUCCESS
        register duty-free M002 S005 HALF secondary_merchant_type=FAMILY -> PARAM_ILLEGAL
        register duty-free M002 S005 HALF -> PARAM_ILLEGAL
        register duty-free M002 S005 HALF secondary_merchant_type=INDIVIDUAL shareholder_name= -> PARAM_ILLEGAL
        register duty-free M002 S005 HALF secondary_merchant_type=INDIVIDUAL register_address= -> PARAM_ILLEGAL
        register duty-free M002 S005 HALF secondary_merchant_type=INDIVIDUAL contact_email= -> PARAM_ILLEGAL
        store-status duty-free M002 S005 -> DATA_NOT_EXIST
        # What was refused leaves the registration as it was.
        register duty-free M002 S002 store_country=FRA store_name=Wrong -> PARAM_ILLEGAL
        pay duty-free T1 bob 1.00 extend_info={\"secondary_merchant_id\":\"M002\",\"store_id\":\"S002\"} -> SUCCESS
        bill bob duty-free T1 -> `store_name=Lucky Cat`
        "
            .replace("HALF", HALF),
        )
        .await;
}

// Goal: taxis: drivers come with the first registration, and stay who they are (`spec/08`).
#[tokio::test]
async fn taxis() {
    let world = World::start().await;
    let drivers = |count| {
        let one = |number| format!(r#"{{"operation_id":"D{number}","contact_person":"Chan"}}"#);
        let all: Vec<String> = (0..count).map(one).collect();
        format!("[{}]", all.join(","))
    };
    for (name, count) in [("ten", 10), ("eleven", 11), ("none", 0)] {
        world.name(name, &drivers(count));
    }
    world
        .check(
            r#"
        register tea-house M002 HK1234 store_industry=4121 store_name=HK1234 -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 extend_params=$none -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 extend_params=$eleven -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 extend_params=[{"operation_id":"D1"}] -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 extend_params=[{"operation_id":"D_1","contact_person":"Chan"}] -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 `extend_params=[{"operation_id":"D1","contact_person":"Chan"},{"operation_id":"D1","contact_person":"Lee"}]` -> PARAM_ILLEGAL
        store-status tea-house M002 HK1234 -> DATA_NOT_EXIST
        register tea-house M002 HK1234 store_industry=4121 store_name=HK1234 `extend_params=[{"operation_id":"D1","contact_person":"Chan","contact_way":"+852 1234-5678"},{"operation_id":"D2","contact_person":"陳 大文"}]` -> SUCCESS
        store-status tea-house M002 HK1234 -> SUCCESS
        # The same two in another order, one with another telephone.
        register tea-house M002 HK1234 store_industry=4121 `extend_params=[{"operation_id":"D2","contact_person":"陳 大文","contact_way":"999"},{"operation_id":"D1","contact_person":"Chan"}]` -> SUCCESS
        # One more, one less, another.
        register tea-house M002 HK1234 store_industry=4121 extend_params=[{"operation_id":"D1","contact_person":"Chan"}] -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 extend_params=$ten -> PARAM_ILLEGAL
        register tea-house M002 HK1234 store_industry=4121 extend_params=[{"operation_id":"D1","contact_person":"Chan"},{"operation_id":"D3","contact_person":"Lee"}] -> PARAM_ILLEGAL
        register tea-house M002 HK1234 -> PARAM_ILLEGAL
        # Another taxi may have the same drivers, and ten of them.
        register tea-house M002 HK5678 store_industry=4121 extend_params=$ten -> SUCCESS
        # A shop that becomes a taxi gets its first ones.
        register tea-house M002 S009 -> SUCCESS
        register tea-house M002 S009 store_industry=4121 extend_params=$ten -> SUCCESS
        pay tea-house T1 alice 35.50 extend_info={"secondary_merchant_id":"M002","store_id":"HK1234"} -> SUCCESS
        bill alice tea-house T1 -> `store_name=Lucky Cat`
        "#,
        )
        .await;
    world
        .calls(&[(
            "GET /partners/tea-house/stores",
            200,
            json!([
                {"store_id": "S001"},
                {"store_id": "HK1234", "drivers": ["D2", "D1"], "store_industry": "4121", "details": {"extend_params":
                    r#"[{"operation_id":"D2","contact_way":"999","contact_person":"陳 大文"},{"operation_id":"D1","contact_person":"Chan"}]"#}},
                {"store_id": "HK5678"},
                {"store_id": "S009"}]),
        )])
        .await;
}

// Goal: `timestamp` is good within thirty minutes of the sandbox's clock or the real one
// (`spec/13`, 16), as text or as milliseconds.
#[tokio::test]
async fn timestamps() {
    let world = World::start().await;
    let script = "
        VERB `timestamp=2026-11-23 11:29:59` -> PARAM_ILLEGAL fields=error,result_code
        VERB `timestamp=2026-11-23 11:30:00` -> SUCCESS
        VERB `timestamp=2026-11-23 12:30:00` -> SUCCESS
        VERB `timestamp=2026-11-23 12:30:01` -> PARAM_ILLEGAL
        VERB timestamp=1795406400000 -> SUCCESS
        VERB timestamp=1795404599999 -> PARAM_ILLEGAL
        VERB timestamp=1795408200000 -> SUCCESS
        VERB timestamp=1795408200001 -> PARAM_ILLEGAL
        VERB timestamp= -> PARAM_ILLEGAL
        VERB timestamp=20261123120000 -> PARAM_ILLEGAL
        VERB timestamp=now -> PARAM_ILLEGAL
        ";
    let moved = "
        VERB `timestamp=2027-11-23 11:29:59` -> PARAM_ILLEGAL
        VERB `timestamp=2027-11-23 11:30:00` -> SUCCESS
        VERB `timestamp=2027-11-23 12:30:00` -> SUCCESS
        VERB `timestamp=2027-11-23 12:30:01` -> PARAM_ILLEGAL
        VERB `timestamp=2027-05-23 12:00:00` -> PARAM_ILLEGAL
        ";
    let both = [
        "register tea-house M002 S002",
        "store-status tea-house M001 S001",
    ];
    for verb in both {
        world.check(&script.replace("VERB", verb)).await;
    }
    world.check("clock 2027-11-23T12:00:00+08:00").await;
    for verb in both {
        world.check(&script.replace("VERB", verb)).await;
        world.check(&moved.replace("VERB", verb)).await;
    }
}

// Goal: both calls name what is missing or malformed in one way, and nothing is registered by it.
#[tokio::test]
async fn values() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let base = till.register("M002", "S002", world.now());
    for name in [
        "timestamp",
        "secondary_merchant_name",
        "secondary_merchant_id",
        "store_id",
        "store_name",
        "store_country",
        "store_address",
        "store_industry",
    ] {
        // Doubled with another value is the gateway's complaint, missing is the service's.
        check_presence(&till, &world, &base, name, BAD).await;
    }
    let long = |count| "茶".repeat(count);
    let (merchant_65, name_128, name_129) = ("m".repeat(65), long(128), long(129));
    let (id_64, id_65, name_256, name_257) = (long(64), long(65), long(256), long(257));
    for row in [
        ("secondary_merchant_id", "M 2", BAD),
        ("secondary_merchant_id", &merchant_65, BAD),
        ("store_id", &id_65, BAD),
        ("store_id", &id_64, "SUCCESS"),
        ("secondary_merchant_name", &name_128, "SUCCESS"),
        ("secondary_merchant_name", &name_129, BAD),
        ("secondary_merchant_name", "a \"b\"", BAD),
        ("store_name", &name_256, "SUCCESS"),
        ("store_name", &name_257, BAD),
        ("store_country", "hk", BAD),
        ("store_country", "HKG", BAD),
        ("store_industry", "742", BAD),
        ("store_industry", "0742", "SUCCESS"),
        ("store_industry", "54999", BAD),
        ("store_industry", "food", BAD),
        ("store_address", "a \"b\"", BAD),
        ("extend_params", "{", BAD),
        ("extend_params", "null", "SUCCESS"),
        ("internal_store_photo", "not looked at", "SUCCESS"),
    ] {
        check_value(&till, &world, &base, row).await;
    }
    let base = till.store_status("M001", "S001", world.now());
    for name in [
        "timestamp",
        "secondary_merchant_id",
        "store_id",
        "payment_method",
    ] {
        check_presence(&till, &world, &base, name, BAD).await;
    }
    for row in [
        ("payment_method", "INSTORE", BAD),
        ("secondary_merchant_id", "M 2", BAD),
        ("store_id", &id_65, BAD),
        ("store_id", &id_64, "DATA_NOT_EXIST"),
    ] {
        check_value(&till, &world, &base, row).await;
    }
}

// Goal: the default store's names and the contract's terms are one row: whatever meets, none of
// them is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_terms_at_once() {
    let world = World::start().await;
    let till: Till = world.till("tea-house").await;
    let mut asking = JoinSet::new();
    for number in 0..24 {
        let mut params = till.register("M001", "S001", world.now());
        set(&mut params, "store_name", &format!("Front {number}"));
        let (till, router) = (till.clone(), world.router.clone());
        asking.spawn(async move { till.ask_with(router, params, "").await.outcome() });
        let terms = match number % 2 {
            0 => json!({"reserve": "7.00"}),
            _ => json!({"refund_days": 77}),
        };
        let router = world.router.clone();
        asking.spawn(async move {
            let path = "/partners/tea-house".to_owned();
            let (status, _) =
                crate::world::api(router, "PATCH".to_owned(), path, terms.to_string()).await;
            status.to_string()
        });
    }
    let mut heard = asking.join_all().await;
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard, ["200", "SUCCESS"]);
    let partner = world.does("PATCH", "/partners/tea-house", "{}").await;
    assert_eq!(partner["reserve"], "7.00");
    assert_eq!(partner["refund_days"], 77);
    let stores = world.does("GET", "/partners/tea-house/stores", "").await;
    let registered = stores[0]["store_name"].as_str().unwrap();
    assert!(registered.starts_with("Front "), "{registered}");
    world
        .check(&format!(
            "
        pay tea-house T1 alice 1.00 -> SUCCESS
        bill alice tea-house T1 -> `store_name={registered}`
        "
        ))
        .await;
}
