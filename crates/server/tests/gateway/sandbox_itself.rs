//! The sandbox itself: clock, rates, books, requests, reset, and what is no call.

use std::collections::BTreeSet;

use serde_json::json;
use spotpay_wire::charset::Charset;

use crate::sandbox::has;
use crate::till::set;
use crate::world::World;

// Goal: the clock goes forward by durations and to instants, in any zone, and is answered after
// what was due has run; never backwards, never by nonsense.
#[tokio::test]
async fn clock() {
    let world = World::start().await;
    world
        .calls(&[
            (
                "GET /clock",
                200,
                json!({"now": "2026-11-23T12:00:00+08:00"}),
            ),
            (
                r#"POST /clock {"advance":"PT3M"}"#,
                200,
                json!({"now": "2026-11-23T12:03:00+08:00"}),
            ),
            (
                r#"POST /clock {"advance":"PT0S"}"#,
                200,
                json!({"now": "2026-11-23T12:03:00+08:00"}),
            ),
            (
                r#"POST /clock {"advance":"P1DT1H"}"#,
                200,
                json!({"now": "2026-11-24T13:03:00+08:00"}),
            ),
            (
                r#"POST /clock {"set":"2026-11-25T23:00:00+08:00"}"#,
                200,
                json!({"now": "2026-11-25T23:00:00+08:00"}),
            ),
            (
                r#"POST /clock {"set":"2026-11-25T15:00:00Z"}"#,
                200,
                json!({"now": "2026-11-25T23:00:00+08:00"}),
            ),
            (
                r#"POST /clock {"set":"2026-11-25T22:59:59+08:00"}"#,
                409,
                json!("backwards"),
            ),
            (
                r#"POST /clock {"set":"1970-01-01T00:00:00Z"}"#,
                409,
                json!("backwards"),
            ),
            (
                r#"POST /clock {"advance":"-PT1S"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /clock {"advance":"3m"}"#,
                200,
                json!({"now": "2026-11-25T23:03:00+08:00"}),
            ),
            (
                r#"POST /clock {"advance":"soon"}"#,
                400,
                json!("bad_request"),
            ),
            (r#"POST /clock {"advance":180}"#, 400, json!("bad_request")),
            (
                r#"POST /clock {"set":"2026-11-26"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /clock {"set":"2026-11-26T00:00:00"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /clock {"set":"tomorrow"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /clock {"set":"2099-01-01T00:00:00Z"}"#,
                422,
                json!("too_far"),
            ),
            (
                r#"POST /clock {"set":"2026-11-26T00:00:00Z","advance":"PT1S"}"#,
                400,
                json!("bad_request"),
            ),
            ("POST /clock", 400, json!("bad_request")),
            (r#"POST /clock {"to":"noon"}"#, 400, json!("bad_request")),
            ("POST /clock {", 400, json!("bad_request")),
            (
                "GET /clock",
                200,
                json!({"now": "2026-11-25T23:03:00+08:00"}),
            ),
        ])
        .await;
    // Three waiting trades, each closed when it is due; the wallet sees it without a query.
    world
        .check(
            "
        pay tea-house W1 careful 1.00 -> UNKNOW
        clock PT1M
        pay tea-house W2 careful 1.00 -> UNKNOW
        clock PT1M
        pay tea-house W3 careful 1.00 -> UNKNOW
        clock PT1M
        query tea-house W1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        query tea-house W2 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        clock P1D
        ",
        )
        .await;
    let careful = world.does("GET", "/wallets/careful", "").await;
    let trades = careful["trades"].as_array().unwrap();
    assert_eq!(trades.len(), 3);
    assert!(trades.iter().all(|trade| trade["state"] == "TRADE_CLOSED"));
}

// Goal: rates: the table, a new one from its date on, and what is none.
#[tokio::test]
async fn rates() {
    let world = World::start().await;
    let seeded = json!([
        {"base": "HKD", "quote": "CNY", "rate": "0.92000000"},
        {"base": "USD", "quote": "CNY", "rate": "7.20000000"},
    ]);
    world
        .calls(&[
            ("GET /rates", 200, seeded.clone()),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY","rate":"-1"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY","rate":"0"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY","rate":"0.123456789"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY","rate":0.92}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"XXX","quote":"CNY","rate":"1"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY","rate":"1","from":"23.11.2026"}"#,
                400,
                json!("bad_request"),
            ),
            (
                r#"POST /rates {"base":"HKD","quote":"CNY","rate":"1","until":"2026-11-23"}"#,
                400,
                json!("bad_request"),
            ),
            ("GET /rates", 200, seeded),
        ])
        .await;
    let tomorrow = r#"{"base":"HKD","quote":"CNY","rate":"0.93","from":"2026-11-24"}"#;
    let table = world.does("POST", "/rates", tomorrow).await;
    assert_eq!(table.as_array().unwrap().len(), 3);
    let today = r#"{"base":"USD","quote":"CNY","rate":"7.3"}"#;
    let table = world.does("POST", "/rates", today).await;
    let newest = json!({"base": "USD", "quote": "CNY", "rate": "7.30000000", "from": "2026-11-23"});
    assert!(
        table
            .as_array()
            .unwrap()
            .iter()
            .any(|rate| has(rate, &newest))
    );
    world
        .check(
            "
        pay tea-house R1 bob 100.00 -> SUCCESS
        wallet bob -> 200 balance=99908.00
        pay duty-free R1 bob 1.00 -> SUCCESS exchange_rate=7.30000000
        wallet bob -> 200 balance=99900.70
        clock 2026-11-24T00:00:00+08:00
        pay tea-house R2 bob 100.00 -> SUCCESS
        wallet bob -> 200 balance=99807.70
        # The cancel gives back what was taken.
        cancel tea-house R2 -> SUCCESS action=refund
        wallet bob -> 200 balance=99900.70
        books
        ",
        )
        .await;
}

// Goal: the inspector shows requests newest first, with the signed text, whether it verified, the
// answer and the entries of the trade; why it was refused, in words.
#[tokio::test]
async fn requests() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    assert_eq!(world.does("GET", "/requests", "").await, json!([]));
    let mut params = till.pay("Q1", &world.code("alice").await, "100.00");
    set(&mut params, "trans_name", "茶 & <cake>");
    assert_eq!(till.ask(&world, &params).await.outcome(), "SUCCESS");
    let foreign = till.with_md5("00000000000000000000000000000000");
    assert_eq!(
        foreign.ask(&world, &till.query("Q2")).await.outcome(),
        "F:ILLEGAL_SIGN"
    );
    world.send("service=nonsense&partner=me", "").await;
    set(&mut params, "trans_amount", "none");
    let refused = till.ask(&world, &params).await;
    assert_eq!(refused.outcome(), "FAILED:INVALID_PARAMETER");

    let list = world.does("GET", "/requests", "").await;
    let list = list.as_array().unwrap();
    let of = |name| list.iter().map(|one| one[name].clone()).collect::<Vec<_>>();
    let services = [
        "alipay.acquire.overseas.spot.pay",
        "unknown",
        "alipay.acquire.overseas.query",
        "alipay.acquire.overseas.spot.pay",
    ];
    assert_eq!(of("service"), services);
    assert_eq!(
        of("result"),
        ["FAILED", "ILLEGAL_SERVICE", "ILLEGAL_SIGN", "SUCCESS"]
    );
    assert_eq!(
        of("sign_ok"),
        [json!(true), json!(null), json!(false), json!(true)]
    );
    assert_eq!(list[0]["error"], "INVALID_PARAMETER");
    let reason = list[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("trans_amount") && reason.contains("none"),
        "{reason}"
    );
    assert!(
        list.windows(2)
            .all(|pair| pair[0]["id"].as_i64() > pair[1]["id"].as_i64())
    );

    let paid = &list[3];
    assert_eq!(paid["at"], "2026-11-23T12:00:00+08:00");
    assert_eq!(paid["partner"], till.partner);
    assert_eq!(paid["params"]["trans_name"], "茶 & <cake>");
    let canonical = paid["canonical"].as_str().unwrap();
    let begin = format!(
        "_input_charset=UTF-8&alipay_seller_id={}&biz_product=",
        till.partner
    );
    assert!(canonical.starts_with(&begin), "{canonical}");
    assert!(
        canonical.ends_with("&trans_name=茶 & <cake>"),
        "{canonical}"
    );
    let sign = till.signer.sign(canonical.as_bytes());
    assert_eq!(paid["params"]["sign"], sign);
    assert!(
        paid["answer"]
            .as_str()
            .unwrap()
            .contains("<result_code>SUCCESS<")
    );
    // The payment and the commission of 1.2 %.
    let entries = paid["entries"].as_array().unwrap();
    let amounts: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| {
            (
                entry["amount"].as_str().unwrap(),
                entry["currency"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(amounts, [("100.00", "HKD"), ("1.20", "HKD")]);
    for other in list.iter().take(3) {
        assert_eq!(other["entries"], json!([]));
    }

    let id = paid["id"].as_i64().unwrap();
    assert_eq!(
        world.does("GET", &format!("/requests/{id}"), "").await,
        *paid
    );
    let two = world.does("GET", "/requests?limit=2", "").await;
    assert_eq!(two.as_array().unwrap().as_slice(), list.get(..2).unwrap());
    let before = list[1]["id"].as_i64().unwrap();
    let older = world
        .does("GET", &format!("/requests?before={before}"), "")
        .await;
    assert_eq!(older.as_array().unwrap().as_slice(), list.get(2..).unwrap());
    world
        .calls(&[
            ("GET /requests/999999", 404, json!("not_found")),
            ("GET /requests?limit=many", 400, json!("bad_request")),
        ])
        .await;
}

// Goal: the trial balance: every account with its sides, all sums zero, checked against the wallets;
// a payment in two currencies goes through clearing.
#[tokio::test]
async fn trial_balance() {
    let world = World::start().await;
    world
        .check(
            "
        books
        pay tea-house T1 bob 100.00 -> SUCCESS
        pay duty-free T1 bob 10.00 -> SUCCESS
        pay tea-house T2 alice 50.00 -> SUCCESS
        cancel tea-house T2 -> SUCCESS action=refund
        books
        ",
        )
        .await;
    let books = world.does("GET", "/ledger/trial-balance", "").await;
    assert_eq!(
        books["sums"],
        json!({"HKD": "0.00", "CNY": "0.00", "USD": "0.00"})
    );
    let accounts = books["accounts"].as_array().unwrap();
    let balance = |account: &str, currency: &str| {
        let mut all = accounts.iter();
        let found = all.find(|one| one["account"] == account && one["currency"] == currency);
        found.unwrap()["balance"].as_str().unwrap()
    };
    // Bob paid CNY 92.00 and 72.00; the partners are owed the rest of 1.2 %.
    assert_eq!(balance("wallets", "CNY"), "99836.00");
    assert_eq!(balance("wallets", "HKD"), "300000.00");
    assert_eq!(balance("commission-income", "HKD"), "1.20");
    assert_eq!(balance("commission-income", "USD"), "0.12");
    assert_eq!(balance("fx-clearing", "CNY"), "164.00");
    assert_eq!(balance("fx-clearing", "HKD"), "-100.00");
    assert_eq!(balance("partner-payable:2088621900000101", "HKD"), "98.80");
    assert_eq!(balance("partner-payable:2088621900000303", "USD"), "9.88");
    for account in accounts {
        for side in ["debits", "credits", "balance"] {
            assert!(account[side].is_string(), "{account}");
        }
    }
}

// Goal: reset: an empty, freshly seeded store with the same numbers and keys; what was there is
// gone, codes included, and the clock does not go back.
#[tokio::test]
async fn reset() {
    let world = World::start().await;
    let partners = world.does("GET", "/partners", "").await;
    let wallets = world.does("GET", "/wallets", "").await;
    world
        .check(
            r#"
        clock PT10M
        code A alice
        code B alice
        pay tea-house Z1 $A 10.00 -> SUCCESS
        pay tea-house Z2 careful 10.00 -> UNKNOW
        cancel tea-house Z3 -> SUCCESS
        patch partners tea-house {"limit_per_payment":"1.00"}
        "#,
        )
        .await;
    world
        .does("POST", "/partners/tea-house/keys", r#"{"rotate":"md5"}"#)
        .await;
    world
        .does(
            "POST",
            "/wallets",
            r#"{"name":"eve","payment_inst":"ALIPAYHK"}"#,
        )
        .await;
    let old = world.till("tea-house").await;
    world.does("POST", "/reset", "").await;
    assert_eq!(world.does("GET", "/partners", "").await, partners);
    assert_eq!(world.does("GET", "/wallets", "").await, wallets);
    assert_eq!(world.does("GET", "/requests", "").await, json!([]));
    let stats = world.does("GET", "/stats", "").await;
    assert_eq!(stats["trades"], 0);
    assert_eq!(
        old.ask(&world, &old.query("Z1")).await.outcome(),
        "F:ILLEGAL_SIGN"
    );
    world.names.lock().unwrap().retain(|name, _| name == "B");
    world
        .check(
            "
        query tea-house Z1 -> FAIL:TRADE_NOT_EXIST
        query tea-house Z2 -> FAIL:TRADE_NOT_EXIST
        wallet eve -> 404:not_found
        wallet alice -> 200 balance=100000.00
        # The alias of the second code is gone with its device.
        pay tea-house Z1 $B 10.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay tea-house Z1 alice 10.00 -> SUCCESS
        pay tea-house Z3 careful 10.00 -> UNKNOW
        clock PT3M
        query tea-house Z3 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        books
        ",
        )
        .await;
    let now = world.does("GET", "/clock", "").await;
    assert_eq!(now["now"], "2026-11-23T12:13:00+08:00");
}

// Goal: what is no call, or no method of one, says so in JSON; the documents are there and agree
// with the routes.
#[tokio::test]
async fn calls_and_documents() {
    let world = World::start().await;
    world
        .calls(&[
            ("GET /nothing", 404, json!("not_found")),
            ("GET /wallets/alice/secrets", 404, json!("not_found")),
            ("DELETE /wallets/alice", 405, json!("method_not_allowed")),
            ("PUT /wallets {}", 405, json!("method_not_allowed")),
            ("GET /reset", 405, json!("method_not_allowed")),
            ("GET /wallets?limit=many", 400, json!("bad_request")),
            ("GET /requests/latest", 400, json!("bad_request")),
        ])
        .await;
    let file = world.does("GET", "/sandbox.json", "").await;
    let partner = |name, product, currency, id| json!({"name": name, "product": product, "settlement_currency": currency, "partner_id": id});
    let wallet = |name, id, inst, currency, balance| json!({"name": name, "wallet_id": id, "payment_inst": inst, "currency": currency, "balance": balance});
    let expected = json!({
        "partners": [
            partner("tea-house", "HK", "HKD", "2088621900000101"),
            partner("dim-sum", "HK", "HKD", "2088621900000202"),
            partner("duty-free", "STANDARD", "USD", "2088621900000303"),
        ],
        "wallets": [
            wallet("alice", "2088722100000111", "ALIPAYHK", "HKD", "100000.00"),
            wallet("bob", "2088722100000222", "ALIPAYCN", "CNY", "100000.00"),
            wallet("poor", "2088722100000333", "ALIPAYHK", "HKD", "0.00"),
            wallet("careful", "2088722100000444", "ALIPAYHK", "HKD", "100000.00"),
            wallet("frozen", "2088722100000555", "ALIPAYHK", "HKD", "100000.00"),
        ],
    });
    assert!(has(&file, &expected), "{file}");
    for one in file["partners"].as_array().unwrap() {
        assert_eq!(one["md5_key"].as_str().unwrap().len(), 32);
        let [private, public] = ["rsa_private_key", "gateway_rsa_public_key"];
        assert!(one[private].as_str().unwrap().starts_with("MII"));
        assert!(one[public].as_str().unwrap().starts_with("MII"));
    }
    let openapi = world.does("GET", "/openapi.json", "").await;
    let paths: BTreeSet<&str> = openapi["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(|path| path.strip_prefix("/sandbox/v1").unwrap_or(path))
        .collect();
    for path in [
        "/clock",
        "/ledger/trial-balance",
        "/partners",
        "/partners/{name}",
        "/partners/{name}/keys",
        "/rates",
        "/requests",
        "/requests/{id}",
        "/reset",
        "/wallets",
        "/wallets/{name}",
        "/wallets/{name}/code",
        "/wallets/{name}/confirm",
        "/wallets/{name}/topup",
    ] {
        assert!(paths.contains(path), "{path} is not described");
    }
    for path in paths {
        let path = path.replace("{name}", "alice").replace("{id}", "1");
        let (_, answer) = world.api("OPTIONS", &path, "").await;
        assert_eq!(answer["error"], "method_not_allowed", "{path} is no route");
    }
}

// Goal: errors of the API are JSON whatever is wrong, and what cannot work is refused, not put off.
#[tokio::test]
async fn odd_calls() {
    let world = World::start().await;
    for (method, path, body, status) in [
        ("GET", "/wallets/%FF", "", 400),
        ("PATCH", "/partners/%FF", "{}", 400),
        ("GET", "/", "", 404),
        ("DELETE", "/wallets", "", 405),
        ("GET", "/requests?limit=many", "", 400),
        ("GET", "/requests/first", "", 400),
        (
            "POST",
            "/wallets/alice/topup",
            r#"{"amount":"1000000000000.01"}"#,
            400,
        ),
        (
            "POST",
            "/rates",
            r#"{"base":"HKD","quote":"CNY","rate":"99999999999"}"#,
            400,
        ),
        (
            "POST",
            "/rates",
            r#"{"base":"CNY","quote":"CNY","rate":"2"}"#,
            422,
        ),
        (
            "POST",
            "/rates",
            r#"{"base":"USD","quote":"HKD","rate":"7.8"}"#,
            422,
        ),
    ] {
        let (answered, json) = world.api(method, path, body).await;
        assert_eq!(answered, status, "{method} {path} {body}: {json}");
        assert!(
            json["error"].is_string() && json["message"].is_string(),
            "{method} {path}: {json}"
        );
    }
    let (status, json) = world.api("POST", "/wallets", &"x".repeat(3_000_000)).await;
    assert_eq!((status, json["error"].as_str()), (413, Some("bad_request")));
}

// Goal: the inspector shows text as it was meant, in the charset of the request.
#[tokio::test]
async fn requests_in_gbk_are_readable() {
    let world = World::start().await;
    let mut till = world.till("tea-house").await;
    till.charset = Charset::Gbk;
    let params = till.query("\u{8336}");
    till.ask(&world, &params).await;
    let (_, requests) = world.api("GET", "/requests?limit=1", "").await;
    for field in ["canonical", "answer"] {
        let text = requests[0][field].as_str().unwrap();
        assert!(text.contains('\u{8336}'), "{field}: {text}");
    }
}
