//! Whoever caught a request, or has a key of another's: replayed, re-ordered, altered and foreign.
//!
//! A request that was signed once is sent again byte for byte, so these tests keep what was sent.

use serde_json::{Value, json};
use spotpay_server::limits::{Change, Limits};
use spotpay_server::seed;
use spotpay_wire::charset::Charset;
use spotpay_wire::signature::SignType;

use crate::till::{Params, Shape, Till, pair, set, tail};
use crate::world::World;

/// A request as it was once sent.
type Caught = (String, String);

impl World {
    /// Everything that a request could move: purses, books, stores, contracts, notifications.
    async fn holdings(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for path in [
            "/wallets",
            "/wallets/alice",
            "/wallets/bob",
            "/ledger/trial-balance",
            "/partners",
            "/partners/tea-house/stores",
            "/partners/dim-sum/stores",
            "/notifications",
        ] {
            all.push(self.does("GET", path, "").await);
        }
        all
    }

    async fn replay(&self, (query, body): &Caught) -> String {
        self.send(query, body.as_bytes()).await.outcome()
    }
}

/// One request of each service, which all would be accepted.
async fn each_service(world: &World, till: &Till, id: &str) -> Vec<(&'static str, Params)> {
    let code = world.code("alice").await;
    let mut pay = till.pay(&format!("{id}-new"), &code, "1.00");
    pay.extend([
        pair("memo", "fresh"),
        pair("quantity", "1"),
        pair("trans_currency", "HKD"),
        pair("notify_url", "https://shop.example/n"),
        pair("extend_info", "null"),
    ]);
    let mut refund = till.refund(id, "R1", "1.00");
    refund.extend([pair("is_sync", "Y"), pair("refund_reason", "cold")]);
    let of_spot = |service: &str| {
        let mut params = till.query(id);
        set(&mut params, "service", service);
        params
    };
    let days = |service: &str| {
        let mut params = till.params(service);
        params.extend([pair("start_date", "20261122"), pair("end_date", "20261122")]);
        params
    };
    let mut notify = till.params("notify_verify");
    notify.push(pair("notify_id", "0123456789abcdef0123456789abcdef00"));
    vec![
        ("pay", pay),
        ("query", till.query(id)),
        ("cancel", till.cancel(id)),
        ("reverse", of_spot("alipay.acquire.overseas.spot.reverse")),
        (
            "spot.cancel",
            of_spot("alipay.acquire.overseas.spot.cancel"),
        ),
        ("refund", refund),
        ("refund.query", till.refund_query(id, "R1")),
        ("maintain", till.register("M009", "S009", world.now())),
        (
            "queryStatus",
            till.store_status("M001", "S001", world.now()),
        ),
        ("compare", days("forex_compare_file")),
        ("liquidation", days("forex_liquidation_file")),
        ("notify_verify", notify),
    ]
}

// Goal: whoever sends a caught request again gets the present state and moves nothing: at once,
// after the cancel, after the refund, and after a day; what was undone stays undone.
#[tokio::test]
async fn a_replay_moves_nothing() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for id in ["C1", "R1"] {
        let code = world.code("alice").await;
        let pay = till.signed(&till.pay(id, &code, "10.00"), "");
        assert_eq!(world.replay(&pay).await, "SUCCESS", "{id}");
        let before = world.holdings().await;
        assert_eq!(world.replay(&pay).await, "SUCCESS", "{id} again");
        assert_eq!(world.holdings().await, before, "{id} again");

        let mut refund = till.refund(id, &format!("RF-{id}"), "10.00");
        refund.push(pair("is_sync", "Y"));
        let undo = match id {
            "C1" => till.cancel(id),
            _ => refund,
        };
        let undo = till.signed(&undo, "");
        assert_eq!(world.replay(&undo).await, "SUCCESS", "{id}");
        let before = world.holdings().await;
        assert_eq!(world.replay(&undo).await, "SUCCESS", "{id} again");
        assert_eq!(world.replay(&pay).await, "FAILED:TRADE_HAS_CLOSE", "{id}");
        assert_eq!(world.holdings().await, before, "{id} undone");

        world.check("clock P1D").await;
        let before = world.holdings().await;
        assert_eq!(world.replay(&pay).await, "FAILED:TRADE_HAS_CLOSE", "{id}");
        let undone = world.replay(&undo).await;
        assert_eq!(undone, "SUCCESS", "{id} after a day");
        assert_eq!(world.holdings().await, before, "{id} after a day");
    }
    assert_eq!(world.balance("alice").await, "100000.00");
    world.books().await;
}

// Goal: a caught pay that was refused pays only while its code is good, since a refused pay leaves
// nothing behind; a registration is good for half an hour.
#[tokio::test]
async fn a_replay_of_what_was_refused_goes_stale() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let code = world.code("poor").await;
    let pay = till.signed(&till.pay("S1", &code, "5.00"), "");
    let store = till.signed(&till.register("M002", "S002", world.now()), "");
    assert_eq!(world.replay(&pay).await, "FAILED:BUYER_BALANCE_NOT_ENOUGH");
    world.check("topup poor 10.00 -> 200").await;
    world.check("clock PT10M").await;
    assert_eq!(world.replay(&pay).await, "FAILED:SOUNDWAVE_PARSER_FAIL");
    world.check("clock P1D").await;
    assert_eq!(world.replay(&pay).await, "FAILED:SOUNDWAVE_PARSER_FAIL");
    // The real clock stands still in a test, so the stamp stays good by it (`spec/13`, 16): it is
    // the same store again, and nothing else.
    assert_eq!(world.replay(&store).await, "SUCCESS");
    let before = world.does("GET", "/partners/tea-house/stores", "").await;
    assert_eq!(world.replay(&store).await, "SUCCESS");
    let after = world.does("GET", "/partners/tea-house/stores", "").await;
    assert_eq!(after, before);
    world.books().await;
}

// Goal: requests that overtake each other: a cancel before its pay stays in force, a refund or a
// question before its payment finds nothing and reserves nothing.
#[tokio::test]
async fn requests_that_overtake_each_other() {
    let world = World::start().await;
    world
        .check(
            "
        # The cancel first: the pay that comes after it must not debit.
        code C alice
        cancel tea-house C1 -> SUCCESS !action !trade_no
        pay tea-house C1 $C 10.00 -> FAILED:TRADE_HAS_CLOSE
        query tea-house C1 -> FAIL:TRADE_NOT_EXIST
        cancel tea-house C1 -> SUCCESS
        reverse tea-house C2 -> SUCCESS
        pay tea-house C2 $C 10.00 -> FAILED:TRADE_HAS_CLOSE
        wallet alice -> 200 balance=100000.00

        # The refund and the question about it first.
        refund-query tea-house F1 R1 -> TRADE_NOT_EXIST
        refund tea-house F1 R1 10.00 is_sync=Y -> FAILED:TRADE_NOT_EXIST
        query tea-house F1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house F1 $C 10.00 -> SUCCESS
        refund-query tea-house F1 R1 -> NOT_FOUND
        refund tea-house F1 R1 10.00 is_sync=Y -> SUCCESS
        refund-query tea-house F1 R1 -> SUCCESS:SUCCESS
        # A cancel that was overtaken by the refund gives back nothing more.
        cancel tea-house F1 -> SUCCESS
        wallet alice -> 200 balance=100000.00

        # A refund that was overtaken by the cancel.
        pay tea-house X1 alice 10.00 -> SUCCESS
        cancel tea-house X1 -> SUCCESS action=refund
        refund tea-house X1 R2 10.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR
        wallet alice -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: each parameter of each service, changed, emptied, dropped or renamed after signing, and any
// that is added: ILLEGAL_SIGN (or the check before it, for what is read before), and nothing moved.
#[tokio::test]
async fn every_parameter_altered_after_signing() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    world.check("pay tea-house A1 alice 10.00 -> SUCCESS").await;
    let services = each_service(&world, &till, "A1").await;
    let before = world.holdings().await;
    let mut tried = 0;
    for (service, params) in &services {
        let (query, body) = till.signed(params, "");
        let pairs: Vec<&str> = body.split('&').collect();
        for (place, (name, value)) in pairs
            .iter()
            .map(|pair| pair.split_once('=').unwrap())
            .enumerate()
        {
            let early = match name {
                "service" => "F:ILLEGAL_SERVICE",
                "partner" => "F:ILLEGAL_PARTNER",
                "sign_type" => "F:ILLEGAL_SIGN_TYPE",
                _ => "F:ILLEGAL_SIGN",
            };
            for (how, altered) in [
                ("changed", format!("{name}={value}1")),
                ("in front", format!("{name}=1{value}")),
                ("emptied", format!("{name}=")),
                ("renamed", format!("{name}x={value}")),
                ("dropped", String::new()),
            ] {
                let mut changed = pairs.clone();
                *changed.get_mut(place).unwrap() = &altered;
                // Of the unsigned form of notify_verify others tell (`spec/12`, wire 9).
                if *service == "notify_verify"
                    && name == "sign"
                    && !["changed", "in front"].contains(&how)
                {
                    continue;
                }
                let said = world.send(&query, changed.join("&")).await.outcome();
                assert_eq!(said, early, "{service}: {name} {how}");
                tried += 1;
            }
        }
        for added in [
            "memo2=x",
            "%20=x",
            "refund_amount2=100",
            "Service=x",
            "sign2=x",
        ] {
            let said = world
                .send(&query, format!("{body}&{added}"))
                .await
                .outcome();
            assert_eq!(said, "F:ILLEGAL_SIGN", "{service}: {added} added");
            let said = world.send(&format!("{added}&{query}"), body.clone()).await;
            assert_eq!(said.outcome(), "F:ILLEGAL_SIGN", "{service}: {added}");
        }
        for other in ["gbk", "GB2312", "utf-8"] {
            let said = world
                .send(&format!("_input_charset={other}"), body.clone())
                .await;
            assert_eq!(said.outcome(), "F:ILLEGAL_SIGN", "{service} in {other}");
        }
    }
    assert!(tried > 300, "{tried}");
    assert_eq!(world.holdings().await, before);
    world.books().await;
}

// Goal: a signature of one service, partner or trade is none for another: whole requests whose
// `sign` is swapped for another valid one of the same partner.
#[tokio::test]
async fn signatures_do_not_fit_elsewhere() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    world.check("pay tea-house A1 alice 10.00 -> SUCCESS").await;
    let mut caught = Vec::new();
    for (service, params) in each_service(&world, &till, "A1").await {
        let (query, body) = till.signed(&params, "");
        let (head, sign) = body.split_once("&sign=").unwrap();
        caught.push((service, query, head.to_owned(), sign.to_owned()));
    }
    let before = world.holdings().await;
    for (service, query, head, _) in &caught {
        for (from, _, _, sign) in caught.iter().filter(|one| one.0 != *service) {
            let said = world.send(query, format!("{head}&sign={sign}")).await;
            assert_eq!(said.outcome(), "F:ILLEGAL_SIGN", "{from} on {service}");
        }
    }
    assert_eq!(world.holdings().await, before);
}

/// A program that signs with one key and says another type of it.
fn says(till: &Till, params: &Params, sign_type: &str) -> Caught {
    let (query, body) = till.signed(params, "");
    let own = format!("sign_type={}", till.signer.sign_type());
    assert!(body.contains(&own), "{body}");
    (query, body.replace(&own, &format!("sign_type={sign_type}")))
}

// Goal: keys that are not the partner's key for that sign type: another partner's, the gateway's
// own, one that has expired, the key of another type; each for a request that moves money.
#[tokio::test]
async fn keys_of_others() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let mut seeded = seed::PARTNERS.iter();
    let own = seeded.next().unwrap().rsa_private_key;
    let other = seeded.next().unwrap();
    world.check("pay tea-house A1 alice 10.00 -> SUCCESS").await;
    let code = world.code("alice").await;
    let foreign = [
        ("another's MD5", till.with_md5(other.md5_key)),
        (
            "another's RSA",
            till.with_rsa(SignType::Rsa, other.rsa_private_key),
        ),
        (
            "another's RSA2",
            till.with_rsa(SignType::Rsa2, other.rsa_private_key),
        ),
        (
            "the gateway's RSA",
            till.with_rsa(SignType::Rsa, seed::GATEWAY_KEY),
        ),
        (
            "the gateway's RSA2",
            till.with_rsa(SignType::Rsa2, seed::GATEWAY_KEY),
        ),
    ];
    let mut refund = till.refund("A1", "R1", "1.00");
    refund.push(pair("is_sync", "Y"));
    let requests = [till.pay("A2", &code, "1.00"), till.cancel("A1"), refund];
    let before = world.holdings().await;
    for params in &requests {
        for (whose, program) in &foreign {
            let caught = program.signed(params, "");
            assert_eq!(world.replay(&caught).await, "F:ILLEGAL_SIGN", "{whose}");
        }
        // The right key under another type's name.
        for (sign_type, name) in [(SignType::Rsa, "RSA2"), (SignType::Rsa2, "RSA")] {
            let program = till.with_rsa(sign_type, own);
            for name in [name, "MD5"] {
                let caught = says(&program, params, name);
                assert_eq!(world.replay(&caught).await, "F:ILLEGAL_SIGN", "{name}");
            }
        }
        for (name, said) in [
            ("RSA", "F:ILLEGAL_SIGN"),
            ("RSA2", "F:ILLEGAL_SIGN"),
            ("DSA", "F:ILLEGAL_SIGN_TYPE"),
            ("none", "F:ILLEGAL_SIGN_TYPE"),
            ("", "F:ILLEGAL_SIGN_TYPE"),
        ] {
            let caught = says(&till, params, name);
            assert_eq!(world.replay(&caught).await, said, "MD5 as {name:?}");
        }
    }
    assert_eq!(world.holdings().await, before);
    // A key that has run out signs no more, also under requests that it signed while it was good.
    let caught = till.signed(requests.first().unwrap(), "");
    let rotate = r#"{"rotate":"md5","overlap":"PT1H"}"#;
    world.does("POST", "/partners/tea-house/keys", rotate).await;
    world.check("clock PT1H").await;
    let before = world.holdings().await;
    assert_eq!(world.replay(&caught).await, "F:ILLEGAL_SIGN");
    for params in &requests {
        let caught = till.signed(params, "");
        assert_eq!(world.replay(&caught).await, "F:ILLEGAL_SIGN");
    }
    assert_eq!(world.holdings().await, before);
    world.books().await;
}

// Goal: a partner that names another's trades, refunds and stores, by either number, learns what
// it would of a number that nobody has, and moves nothing of the other's.
#[tokio::test]
async fn what_is_anothers() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house T1 alice 10.00 -> SUCCESS
        refund tea-house T1 R1 1.00 is_sync=Y -> SUCCESS
        pay tea-house W1 careful 10.00 -> UNKNOW
        register tea-house M002 S002 -> SUCCESS
        ",
        )
        .await;
    let owner = world.holdings().await;
    let partner = world.till("tea-house").await.partner;
    world
        .check(
            "
        query dim-sum T1 -> FAIL:TRADE_NOT_EXIST !alipay_trans_id
        query dim-sum - alipay_trans_id=$tea-house/T1 -> FAIL:TRADE_NOT_EXIST
        query dim-sum T1 alipay_trans_id=$tea-house/T1 -> FAIL:TRADE_NOT_EXIST
        refund dim-sum T1 Z1 1.00 is_sync=Y -> FAILED:TRADE_NOT_EXIST !alipay_trans_id
        refund dim-sum T1 Z1 1.00 is_sync=Y alipay_trans_id=$tea-house/T1 -> FAILED:TRADE_NOT_EXIST
        refund dim-sum T1 Z1 1.00 -> FAILED:TRADE_NOT_EXIST
        refund-query dim-sum T1 R1 -> TRADE_NOT_EXIST
        refund-query dim-sum T1 R1 trade_no=$tea-house/T1 -> TRADE_NOT_EXIST
        store-status dim-sum M002 S002 -> DATA_NOT_EXIST
        pay dim-sum P1 alice 1.00 extend_info={\"secondary_merchant_id\":\"M002\",\"store_id\":\"S002\"} -> FAILED:INVALID_STORE_ID
        # A cancel of what it does not have leaves a mark of its own.
        cancel dim-sum T1 -> SUCCESS !action !trade_no
        cancel dim-sum W1 -> SUCCESS !action !trade_no
        cancel dim-sum - trade_no=$tea-house/T1 -> FAIL:TRADE_NOT_EXIST !action
        reverse dim-sum T1 -> SUCCESS !action
        spot-cancel dim-sum - alipay_trans_id=$tea-house/T1 -> FAILED:TRADE_NOT_EXIST !action
        ",
        )
        .await;
    assert_eq!(world.holdings().await, owner);
    world
        .check(
            "
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        query tea-house W1 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        ",
        )
        .await;
    // Its own signature under the other's number, and the other's number as its seller.
    let thief = world.till("dim-sum").await;
    let mut query = thief.query("T1");
    set(&mut query, "partner", &partner);
    assert_eq!(thief.ask(&world, &query).await.outcome(), "F:ILLEGAL_SIGN");
    let code = world.code("alice").await;
    let mut pay = thief.pay("P2", &code, "1.00");
    set(&mut pay, "alipay_seller_id", &partner);
    let said = thief.ask(&world, &pay).await.outcome();
    assert_eq!(said, "FAILED:SELLER_NOT_EXIST");
    world.books().await;
}

// Goal: a parameter twice, once in the query and once in the body, in any order, spelling and
// charset: whatever counts is what was signed, so a second value is refused and nothing moves; two
// signatures are one wrong one.
#[tokio::test]
async fn doubled_across_query_and_body() {
    let world = World::start().await;
    for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
        let till = Till {
            charset,
            shape: Shape::Split,
            ..world.till("tea-house").await
        };
        let code = world.code("alice").await;
        let params = till.pay(&format!("D{charset:?}"), &code, "1.00");
        let before = world.holdings().await;
        let (query, body) = till.signed(&params, "");
        let (_, sign) = body.split_once("&sign=").unwrap();
        let sign = sign.split('&').next().unwrap();
        for (name, other) in [
            ("trans_amount", "0.01"),
            ("partner_trans_id", "D2"),
            ("partner", "2088621900000202"),
            ("service", "alipay.acquire.cancel"),
            ("sign_type", "RSA2"),
            ("sign", "00000000000000000000000000000000"),
            ("trans_name", "茶"),
            ("_input_charset", "latin1"),
        ] {
            let more = tail(charset, name, other);
            let spelled = format!("&%{:02X}{}", more.as_bytes()[1], &more[2..]);
            let value = more.split_once('=').unwrap().1;
            for more in [more.clone(), spelled, format!("&{name}=&{name}={value}")] {
                for (place, query, body) in [
                    ("behind the query", format!("{query}{more}"), body.clone()),
                    (
                        "before the query",
                        format!("{}&{query}", &more[1..]),
                        body.clone(),
                    ),
                    ("behind the body", query.clone(), format!("{body}{more}")),
                    (
                        "before the body",
                        query.clone(),
                        format!("{}&{body}", &more[1..]),
                    ),
                ] {
                    let said = world.send(&query, body).await.outcome();
                    assert!(said.starts_with("F:ILLEGAL_"), "{name} {place}: {said}");
                }
            }
        }
        // The same signature twice says nothing else than once.
        let twice = format!("{query}&sign={sign}");
        assert_eq!(world.holdings().await, before);
        let said = world.send(&twice, body.clone()).await.outcome();
        assert_eq!(said, "SUCCESS", "{charset:?}");
    }
    world.books().await;
}

// Goal: a second value behind the signed one leaves the signature right, since the first one counts;
// the request is refused all the same, with its own code, and the inspector names the parameter.
#[tokio::test]
async fn a_second_value_behind_the_signed_one() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let before = world.holdings().await;
    for (name, other) in [("trans_amount", "0.01"), ("partner_trans_id", "D2")] {
        let (query, body) = till.signed(&till.pay("D1", &code, "1.00"), "");
        let more = tail(Charset::Utf8, name, other);
        for (query, body) in [
            (query.clone(), format!("{body}{more}")),
            (query.clone(), format!("{body}{more}{more}")),
        ] {
            let said = world.send(&query, body).await.outcome();
            assert_eq!(said, "F:ILLEGAL_ARGUMENT", "{name}");
        }
    }
    assert_eq!(world.holdings().await, before);
    let told = world.does("GET", "/requests?limit=1", "").await;
    let reason = json!("partner_trans_id is given twice with different values");
    assert_eq!(told[0]["reason"], reason);
}

// Goal: a partner beyond its requests a second hears that nothing was done, once its signature is
// right; others go on, and requests with wrong signatures use up nothing of its.
#[tokio::test]
async fn a_partner_has_a_pace() {
    let limits = ["partner-requests-per-second=3", "parameters=40"];
    let limits = limits.iter().fold(Limits::default(), |limits, limit| {
        limit.parse::<Change>().unwrap().set(limits)
    });
    let world = World::start_within(limits).await;
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let strange = till.with_md5("0123456789abcdefghijklmnopqrstuv");
    for _ in 0..10 {
        let said = strange.ask(&world, &till.query("P1")).await.outcome();
        assert_eq!(said, "F:ILLEGAL_SIGN");
    }
    // The other limit: 40 parameters are taken, `sign` and what names the charset among them.
    for (more, said) in [
        (35, "F:ILLEGAL_ARGUMENT"),
        (34, "FAIL:TRADE_NOT_EXIST"),
        (1, "FAIL:TRADE_NOT_EXIST"),
    ] {
        let mut params = till.query("P1");
        params.extend((0..more).map(|number| pair(&format!("p{number}"), "x")));
        assert_eq!(till.ask(&world, &params).await.outcome(), said, "{more}");
    }
    // So far two counted; the clock of this world stands still.
    let pay = till.pay("P1", &code, "1.00");
    assert_eq!(till.ask(&world, &pay).await.outcome(), "SUCCESS");
    for params in [&pay, &till.query("P1"), &till.cancel("P1")] {
        assert_eq!(till.ask(&world, params).await.outcome(), "F:SYSTEM_ERROR");
    }
    let told = world.does("GET", "/requests?limit=1", "").await;
    let reason = json!("the partner sends too many requests a second");
    assert_eq!(told[0]["reason"], reason);
    world.check("pay dim-sum P1 alice 1.00 -> SUCCESS").await;
    assert_eq!(world.balance("alice").await, "99998.00");
}
