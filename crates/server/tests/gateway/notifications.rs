//! Notifications: what is told, to whom, in which words and under whose signature.

use serde_json::{Value, json};
use spotpay_wire::charset::Charset;
use spotpay_wire::notification::{Event, TradeEnd};
use spotpay_wire::signature::SignType;

use crate::receiver::{FAIL, Letter, Receiver, SUCCESS, Say, plain, spawn};
use crate::till::{Till, pair, set};
use crate::world::World;

/// What each letter tells, as `notify_type out_trade_no status amount`, in order of arrival.
pub(crate) fn told(letters: &[Letter]) -> Vec<String> {
    let line = |letter: &Letter| {
        let of = |names: [&str; 2]| {
            let found = names.map(|name| letter.field(name));
            found.concat()
        };
        [
            letter.field("notify_type"),
            letter.field("out_trade_no"),
            letter.field("out_return_no"),
            of(["trade_status", "refund_status"]),
            of(["total_fee", "return_amount"]),
        ]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
    };
    letters.iter().map(line).collect()
}

impl World {
    /// The same partner's program with its seeded RSA key.
    pub(crate) async fn rsa_till(&self, name: &str, sign_type: SignType) -> Till {
        let partners = self.does("GET", "/partners", "").await;
        let mut partners = partners.as_array().unwrap().iter();
        let partner = partners.find(|one| one["name"] == name).unwrap();
        let till = Till::of(partner);
        match sign_type {
            SignType::Md5 => till,
            SignType::Rsa | SignType::Rsa2 => {
                till.with_rsa(sign_type, partner["rsa_private_key"].as_str().unwrap())
            }
        }
    }
}

// Goal: the contract's address comes before the request's; without either nobody is told; the same
// on both products, and an address counts from the change of the contract on.
#[tokio::test]
async fn whose_address() {
    for (partner, wallet) in [("tea-house", "alice"), ("duty-free", "bob")] {
        let world = World::start().await;
        let agreed = Receiver::start(SUCCESS).await;
        let asked = Receiver::start(SUCCESS).await;
        let url = &asked.url;
        world
            .check(&format!("pay {partner} N1 {wallet} 1.00 -> SUCCESS"))
            .await;
        world.settled().await;
        assert!(world.notifications().await.is_empty());
        world
            .check(&format!(
                "pay {partner} N2 {wallet} 1.00 notify_url={url} -> SUCCESS"
            ))
            .await;
        world.settled().await;
        assert_eq!(
            told(&asked.rest().await),
            ["trade_status_sync N2 TRADE_SUCCESS 1.00"]
        );
        world.agree(partner, &agreed.url).await;
        world
            .check(&format!(
                "pay {partner} N3 {wallet} 1.00 notify_url={url} -> SUCCESS
                 pay {partner} N4 {wallet} 1.00 -> SUCCESS"
            ))
            .await;
        world.settled().await;
        let mut heard = told(&agreed.rest().await);
        heard.sort_unstable();
        assert_eq!(
            heard,
            [
                "trade_status_sync N3 TRADE_SUCCESS 1.00",
                "trade_status_sync N4 TRADE_SUCCESS 1.00"
            ]
        );
        world
            .check(&format!(
                "patch partners {partner} {{\"notify_url\":null}}
                 pay {partner} N5 {wallet} 1.00 notify_url={url} -> SUCCESS
                 pay {partner} N6 {wallet} 1.00 -> SUCCESS"
            ))
            .await;
        world.settled().await;
        assert_eq!(
            told(&asked.rest().await),
            ["trade_status_sync N5 TRADE_SUCCESS 1.00"]
        );
        assert_eq!((agreed.taken(), asked.taken()), (2, 2));
    }
}

// Goal: an address that is no public URL is refused where it is named, and nothing is done.
#[tokio::test]
async fn bad_addresses() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house B1 alice 1.00 notify_url=ftp://shop.example/ -> FAILED:INVALID_PARAMETER
        pay tea-house B1 alice 1.00 notify_url=shop.example -> FAILED:INVALID_PARAMETER
        query tea-house B1 -> FAIL:TRADE_NOT_EXIST
        ",
        )
        .await;
    let long = format!("https://{}/", "a".repeat(200));
    for url in [
        "ftp://shop.example/",
        "shop.example",
        "http://a b/",
        "http://",
        "https:///notify",
        "http://:80/",
        "http://shop.example/茶",
        &long,
        "",
    ] {
        let terms = json!({ "notify_url": url }).to_string();
        let (status, answer) = world.api("PATCH", "/partners/tea-house", &terms).await;
        assert_eq!(status, 400, "{url}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("notify_url"), "{message}");
    }
}

// Goal: final states are told once each, whoever caused them but the partner itself: paid at once,
// paid after the buyer agreed, closed by the timer, declined. Waiting, refused, repeated, queried
// and cancelled is told to nobody.
#[tokio::test]
async fn what_is_told_of_trades() {
    let world = World::start().await;
    let receiver = Receiver::start(SUCCESS).await;
    world.agree("tea-house", &receiver.url).await;
    let rows: [(&str, &[&str]); 11] = [
        (
            "pay tea-house W1 alice 1.00 -> SUCCESS",
            &["trade_status_sync W1 TRADE_SUCCESS 1.00"],
        ),
        (
            "pay tea-house W1 $C 1.00 -> SUCCESS
             query tea-house W1 -> SUCCESS",
            &[],
        ),
        (
            "pay tea-house W2 poor 2.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH",
            &[],
        ),
        ("pay tea-house W3 careful 3.00 -> UNKNOW", &[]),
        (
            "confirm careful W3 yes -> 200 state=TRADE_SUCCESS
             confirm careful W3 yes -> 200 state=TRADE_SUCCESS",
            &["trade_status_sync W3 TRADE_SUCCESS 3.00"],
        ),
        ("pay tea-house W4 careful 4.00 -> UNKNOW", &[]),
        (
            "confirm careful W4 no -> 200 state=TRADE_CLOSED",
            &["trade_status_sync W4 TRADE_CLOSED 4.00"],
        ),
        ("pay tea-house W5 careful 5.00 -> UNKNOW", &[]),
        (
            "clock PT3M
             query tea-house W5 -> SUCCESS alipay_trans_status=TRADE_CLOSED",
            &["trade_status_sync W5 TRADE_CLOSED 5.00"],
        ),
        (
            "pay tea-house W6 careful 6.00 -> UNKNOW
             cancel tea-house W6 -> SUCCESS action=close
             cancel tea-house W7 -> SUCCESS
             cancel tea-house W1 -> SUCCESS action=refund
             clock P1D",
            &[],
        ),
        ("reverse tea-house W3 -> FAILED:TRADE_CANCEL_TIME_OUT", &[]),
    ];
    for (script, expected) in rows {
        world.check(&format!("code C alice\n{script}")).await;
        world.settled().await;
        assert_eq!(told(&receiver.rest().await), expected, "{script}");
    }
    assert_eq!(world.notifications().await.len(), 4);
    world.books().await;
}

// Goal: an asynchronous refund is told when the night's batch has done it, in part and in full, to
// the refund's address; a synchronous or a cancelled one is not told, and a refund in full closes
// its trade without another word.
#[tokio::test]
async fn what_is_told_of_refunds() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let receiver = Receiver::start(SUCCESS).await;
    let url = &receiver.url;
    world
        .check(&format!(
            "
        pay tea-house F1 alice 10.00 notify_url={url} -> SUCCESS
        pay tea-house F2 alice 10.00 -> SUCCESS
        pay tea-house F3 alice 10.00 -> SUCCESS
        pay tea-house F4 alice 10.00 -> SUCCESS
        "
        ))
        .await;
    world.settled().await;
    assert_eq!(
        told(&receiver.rest().await),
        ["trade_status_sync F1 TRADE_SUCCESS 10.00"]
    );
    world
        .check(&format!(
            "
        # Told of the payment only: the refund's request names nobody.
        refund tea-house F1 F1R 1.00 -> SUCCESS
        refund tea-house F2 F2R 4.00 notify_url={url} -> SUCCESS
        refund tea-house F2 F2S 6.00 notify_url={url} -> SUCCESS
        refund tea-house F3 F3R 10.00 notify_url={url} is_sync=Y -> SUCCESS
        refund tea-house F4 F4R 10.00 notify_url={url} -> SUCCESS
        cancel tea-house F4 -> SUCCESS
        clock 2026-11-23T22:59:59+08:00
        "
        ))
        .await;
    world.settled().await;
    assert!(receiver.rest().await.is_empty());
    world.check("clock PT1S").await;
    world.settled().await;
    let letters = receiver.rest().await;
    let mut heard = told(&letters);
    heard.sort_unstable();
    assert_eq!(
        heard,
        [
            "refund_status_sync F2 F2R REFUND_SUCCESS 4.00",
            "refund_status_sync F2 F2S REFUND_SUCCESS 6.00",
        ]
    );
    for letter in &letters {
        let Event::Refund(refund) = letter.event(Charset::Utf8, &till.verifier) else {
            panic!("{letter:?}");
        };
        let at = refund
            .refunded_at
            .map(spotpay_core::time::Timestamp::spaced);
        assert_eq!(at.as_deref(), Some("2026-11-23 23:00:00"));
    }
    world
        .check("query tea-house F2 -> SUCCESS alipay_trans_status=TRADE_CLOSED")
        .await;
    world.agree("tea-house", &receiver.url).await;
    world
        .check("refund tea-house F1 F1S 9.00 -> SUCCESS\nclock P2D")
        .await;
    world.settled().await;
    assert_eq!(
        told(&receiver.rest().await),
        ["refund_status_sync F1 F1S REFUND_SUCCESS 9.00"]
    );
    world.books().await;
}

const HK_PAID: &str = "\
buyer_email=852****0111
buyer_id=2088722100000111
currency=HKD
gmt_create=2026-11-23 12:00:00
gmt_payment=2026-11-23 12:00:00
notify_id=[34]
notify_time=2026-11-23 12:00:00
notify_type=trade_status_sync
out_trade_no=G1
payment_inst=ALIPAYHK
seller_email=tea-house@spotpay.example
seller_id=2088621900000101
subject=茶 & + = 100%
total_fee=39.30
trade_no=[28]
trade_status=TRADE_SUCCESS
sign_type=[type]
sign=[sign]";

const STANDARD_CLOSED: &str = "\
buyer_email=[login]
buyer_id=[16]
currency=USD
gmt_close=2026-11-23 12:03:00
gmt_create=2026-11-23 12:00:00
notify_id=[34]
notify_time=2026-11-23 12:03:00
notify_type=trade_status_sync
out_trade_no=G1
seller_email=duty-free@spotpay.example
seller_id=2088621900000303
subject=茶 & + = 100%
total_fee=39.30
trade_no=[28]
trade_status=TRADE_CLOSED
sign_type=[type]
sign=[sign]";

const HK_REFUND: &str = "\
currency=HKD
gmt_refund=2026-11-23 23:00:00
notify_id=[34]
notify_time=2026-11-23 23:00:00
notify_type=refund_status_sync
out_return_no=G1R
out_trade_no=G1
refund_status=REFUND_SUCCESS
return_amount=9.30
seller_id=2088621900000101
trade_no=[28]
sign_type=[type]
sign=[sign]";

/// The fields with what differs from run to run taken out.
fn redacted(letter: &Letter, charset: Charset) -> String {
    let digits = |value: &str| value.bytes().all(|byte| byte.is_ascii_digit());
    let lines = letter.fields(charset).into_iter().map(|(name, value)| {
        let shown = match (&*name, value.len()) {
            ("notify_id", 34) => "[34]",
            ("trade_no", 28) if digits(&value) => "[28]",
            ("buyer_id", 16) if digits(&value) && !value.ends_with("111") => "[16]",
            ("buyer_email", 11) if value.starts_with("138****") => "[login]",
            ("sign_type", _) => "[type]",
            ("sign", _) => "[sign]",
            _ => &value,
        };
        format!("{name}={shown}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

// Goal: exactly these fields, in ascending order, in every sign type and charset; signed with the
// key and in the charset of the request that caused it, so that the receiver's check says so.
#[tokio::test]
async fn fields_and_signatures() {
    let all = [SignType::Md5, SignType::Rsa, SignType::Rsa2];
    for sign_type in all {
        for charset in [Charset::Utf8, Charset::Gbk] {
            let world = World::start().await;
            let receiver = Receiver::start(SUCCESS).await;
            let mut till = world.rsa_till("tea-house", sign_type).await;
            till.charset = charset;
            let mut pay = till.pay("G1", &world.code("alice").await, "39.30");
            set(&mut pay, "notify_url", &receiver.url);
            set(&mut pay, "trans_name", "茶 & + = 100%");
            assert_eq!(till.ask(&world, &pay).await.outcome(), "SUCCESS");
            world.settled().await;
            let letter = receiver.next().await;
            assert_eq!(redacted(&letter, charset), HK_PAID);
            check_seal(&letter, &till, charset);
            assert!(letter.head.starts_with("POST /notify?a=1 HTTP/1.1\r\n"));
            let form = "content-type: application/x-www-form-urlencoded";
            assert!(letter.head.contains(form), "{}", letter.head);
            let tea: &[u8] = match charset {
                Charset::Gbk => b"subject=%B2%E8%20%26",
                _ => b"subject=%E8%8C%B6%20%26",
            };
            let mut windows = letter.body.windows(tea.len());
            assert!(windows.any(|window| window == tea), "{letter:?}");

            let mut refund = till.refund("G1", "G1R", "9.30");
            set(&mut refund, "notify_url", &receiver.url);
            assert_eq!(till.ask(&world, &refund).await.outcome(), "SUCCESS");
            world.check("clock 2026-11-23T23:00:00+08:00").await;
            world.settled().await;
            let letter = receiver.next().await;
            assert_eq!(redacted(&letter, charset), HK_REFUND);
            check_seal(&letter, &till, charset);
            assert!(receiver.rest().await.is_empty());
        }
    }
}

fn check_seal(letter: &Letter, till: &Till, charset: Charset) {
    let read = letter.read(charset);
    assert!(read.verify(&till.verifier), "{read:?}");
    assert_eq!(read.sign_type().unwrap(), till.verifier.sign_type());
    let fields = letter.fields(charset);
    let signed: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    let (tail, names) = (&signed[signed.len() - 2..], &signed[..signed.len() - 2]);
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(tail, ["sign_type", "sign"]);
    // One letter of any field changed, and it is nobody's.
    for (place, name) in signed
        .iter()
        .enumerate()
        .filter(|(_, name)| **name != "sign")
    {
        let mut changed = fields.clone();
        changed[place].1.push('1');
        let form = spotpay_wire::form::Form::from_pairs(charset, changed);
        let mut body = String::new();
        for (name, value) in form.iter() {
            spotpay_wire::form::encode_pair(charset, name, value, &mut body);
        }
        let body = body.into_bytes();
        let head = String::new();
        let other = Letter { head, body }.read(charset);
        assert!(!other.verify(&till.verifier), "{name}");
    }
}

// Goal: under the standard contract no wallet is named; a trade that the timer closes is told in the
// manner of its pay request.
#[tokio::test]
async fn fields_of_a_closed_trade() {
    let world = World::start().await;
    let receiver = Receiver::start(SUCCESS).await;
    let ann = r#"{"name":"ann","payment_inst":"ALIPAYCN","balance":"1000.00"}"#;
    world.does("POST", "/wallets", ann).await;
    let asks = r#"{"confirm":true}"#;
    world.does("PATCH", "/wallets/ann", asks).await;
    let mut till = world.rsa_till("duty-free", SignType::Rsa2).await;
    till.charset = Charset::Gbk;
    let mut pay = till.pay("G1", &world.code("ann").await, "39.30");
    set(&mut pay, "notify_url", &receiver.url);
    set(&mut pay, "trans_name", "茶 & + = 100%");
    assert_eq!(till.ask(&world, &pay).await.outcome(), "UNKNOW");
    // The query in another manner changes nothing.
    let other = world.till("duty-free").await;
    assert_eq!(
        other.ask(&world, &other.query("G1")).await.outcome(),
        "SUCCESS"
    );
    world.advance("PT3M").await;
    let letter = receiver.next().await;
    assert_eq!(redacted(&letter, Charset::Gbk), STANDARD_CLOSED);
    check_seal(&letter, &till, Charset::Gbk);
    let Event::Trade(trade) = letter.event(Charset::Gbk, &till.verifier) else {
        panic!("{letter:?}");
    };
    assert!(matches!(trade.end, TradeEnd::Closed { at: Some(_) }));
}

// Goal: a refund is told in the manner of its own request, not of the payment's; and every sending
// is signed with the partner's key of its moment.
#[tokio::test]
async fn each_request_in_its_own_manner() {
    let world = World::start().await;
    let receiver = Receiver::start(FAIL).await;
    world.agree("tea-house", &receiver.url).await;
    let md5 = world.till("tea-house").await;
    let mut rsa2 = world.rsa_till("tea-house", SignType::Rsa2).await;
    rsa2.charset = Charset::Gbk;
    let pay = md5.pay("M1", &world.code("alice").await, "5.00");
    assert_eq!(md5.ask(&world, &pay).await.outcome(), "SUCCESS");
    world.settled().await;
    assert!(
        receiver
            .next()
            .await
            .read(Charset::Utf8)
            .verify(&md5.verifier)
    );
    let refund = rsa2.refund("M1", "M1R", "1.00");
    assert_eq!(rsa2.ask(&world, &refund).await.outcome(), "SUCCESS");
    receiver.says(SUCCESS);
    world.check("clock 2026-11-23T23:00:00+08:00").await;
    world.settled().await;
    let letters = receiver.rest().await;
    let refund = letters
        .iter()
        .find(|letter| letter.field("notify_type") == "refund_status_sync");
    assert!(refund.unwrap().read(Charset::Gbk).verify(&rsa2.verifier));

    receiver.says(FAIL);
    let pay = md5.pay("M2", &world.code("alice").await, "5.00");
    assert_eq!(md5.ask(&world, &pay).await.outcome(), "SUCCESS");
    world.settled().await;
    let first = receiver.next().await;
    assert!(first.read(Charset::Utf8).verify(&md5.verifier));
    let rotate = r#"{"rotate":"md5"}"#;
    world.does("POST", "/partners/tea-house/keys", rotate).await;
    world.advance("PT2M").await;
    let second = receiver.next().await;
    assert_eq!(first.notify_id(), second.notify_id());
    let fresh = world.till("tea-house").await;
    assert!(second.read(Charset::Utf8).verify(&fresh.verifier));
    assert!(!second.read(Charset::Utf8).verify(&md5.verifier));
}

// Goal: `notify_verify` as old programs ask it: `true` from the first sending on, asked by the
// receiver before it answers, until it acknowledges; `false` after, for another partner, and for a
// number that nobody sent; `invalid` without a partner or a number. Nothing but that word.
#[tokio::test]
async fn notify_verify() {
    let world = World::start().await;
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = Say::Held(std::sync::Arc::clone(&gate), "success");
    let receiver = Receiver::with([FAIL, held], FAIL).await;
    let till = world.till("tea-house").await;
    let other = world.till("dim-sum").await;
    world.agree("tea-house", &receiver.url).await;
    world.check("pay tea-house V1 alice 1.00 -> SUCCESS").await;
    world.settled().await;
    let id = receiver.next().await.notify_id();
    assert_eq!(world.verify(&till.partner, &id).await, "true");
    // During the second sending, asked from inside the receiver.
    let moved = {
        let router = world.router.clone();
        let advance = r#"{"advance":"PT2M"}"#.to_owned();
        spawn(crate::world::api(
            router,
            "POST".into(),
            "/clock".into(),
            advance,
        ))
    };
    assert_eq!(receiver.next().await.notify_id(), id);
    check_words(&world, &till.partner, &other.partner, &id).await;
    gate.notify_one();
    assert_eq!(moved.await.unwrap().0, 200);
    world.settled().await;
    assert_eq!(world.notification().await["state"], "acknowledged");
    assert_eq!(world.verify(&till.partner, &id).await, "false");
}

/// The word for every kind of question while a number is open.
async fn check_words(world: &World, partner: &str, other: &str, id: &str) {
    let mut altered = id.to_owned();
    let last = if id.ends_with('0') { "1" } else { "0" };
    altered.replace_range(33.., last);
    let mut earlier = id.to_owned();
    let digit = if &id[12..13] == "0" { "1" } else { "0" };
    earlier.replace_range(12..13, digit);
    let upper = id.to_uppercase();
    let rows: [(&str, &str, &str); 12] = [
        (partner, id, "true"),
        (partner, id, "true"),
        (other, id, "false"),
        (partner, &altered, "false"),
        (partner, &earlier, "false"),
        (partner, &upper, "false"),
        (partner, &id[..33], "false"),
        (partner, "9938e4a7a8c50aa92aede16c8ffb9cam3i", "false"),
        (partner, "%3Cb%3E", "false"),
        ("", id, "invalid"),
        ("2088000000000000", id, "invalid"),
        (partner, "", "invalid"),
    ];
    for (partner, notify_id, expected) in rows {
        let said = world.verify(partner, notify_id).await;
        assert_eq!(said, expected, "{partner} {notify_id}");
        let query = format!(
            "service=notify_verify&partner={partner}&notify_id={notify_id}&_input_charset=utf-8&sign_type=MD5"
        );
        let (_, said) = plain(world.router.clone(), &query).await;
        assert_eq!(said, expected, "{query}");
    }
    for (query, expected) in [
        (format!("service=notify_verify&notify_id={id}"), "invalid"),
        (
            format!("service=notify_verify&partner={}", partner),
            "invalid",
        ),
        ("service=notify_verify".to_owned(), "invalid"),
    ] {
        let (content_type, said) = plain(world.router.clone(), &query).await;
        assert_eq!(
            (&*content_type, &*said),
            ("text/plain;charset=UTF-8", expected),
            "{query}"
        );
    }
}

// Goal: the signed form is checked like every request: a right signature hears the word, a wrong one
// the gateway's refusal.
#[tokio::test]
async fn notify_verify_signed() {
    let world = World::start().await;
    let receiver = Receiver::start(FAIL).await;
    world.agree("tea-house", &receiver.url).await;
    world.check("pay tea-house V1 alice 1.00 -> SUCCESS").await;
    let id = receiver.next().await.notify_id();
    for sign_type in [SignType::Md5, SignType::Rsa, SignType::Rsa2] {
        let mut till = world.rsa_till("tea-house", sign_type).await;
        till.shape = crate::till::Shape::Get;
        let mut params = till.params("notify_verify");
        params.push(pair("notify_id", &id));
        let (query, _) = till.signed(&params, "");
        let (content_type, said) = plain(world.router.clone(), &query).await;
        assert_eq!(
            (&*content_type, &*said),
            ("text/plain;charset=UTF-8", "true")
        );
        let (content_type, said) =
            plain(world.router.clone(), &query.replace(&id[..4], "zzzz")).await;
        assert!(content_type.starts_with("text/xml;"), "{content_type}");
        assert!(said.contains("<error>ILLEGAL_SIGN</error>"), "{said}");
        let (query, _) = till.signed(&till.params("notify_verify"), "");
        let (_, said) = plain(world.router.clone(), &query).await;
        assert_eq!(said, "invalid");
    }
}

// Goal: what the inspector keeps of a notify_verify is what was said.
#[tokio::test]
async fn notify_verify_is_recorded() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    assert_eq!(world.verify(&till.partner, "none").await, "false");
    let requests = world.does("GET", "/requests", "").await;
    let expected = json!({"service": "notify_verify", "partner": till.partner, "result": "false", "answer": "false"});
    assert!(crate::sandbox::has(&requests[0], &expected), "{requests}");
}

// Goal: the shape that scripts read: numbers, address, state, fields and attempts; newest first, by
// pages; each by its number.
#[tokio::test]
async fn list_of_notifications() {
    let world = World::start().await;
    let receiver = Receiver::with([Say::Text(503, "busy")], SUCCESS).await;
    world.agree("tea-house", &receiver.url).await;
    world.check("pay tea-house L1 alice 1.00 -> SUCCESS").await;
    world.settled().await;
    world.advance("PT1M").await;
    world.check("pay tea-house L2 alice 2.00 -> SUCCESS").await;
    world.settled().await;
    let letters = receiver.rest().await;
    let all = world.notifications().await;
    let trade = |number: usize| letters[number].field("trade_no");
    let first = json!({
        "id": all[1]["id"], "notify_id": letters[0].notify_id(), "kind": "notify_trade",
        "partner": "tea-house", "alipay_trans_id": trade(0), "url": receiver.url,
        "state": "waiting", "next_at": "2026-11-23T12:02:00+08:00", "fields": all[1]["fields"],
        "attempts": [{"at": "2026-11-23T12:00:00+08:00", "status": 503, "body": "busy",
            "next_at": "2026-11-23T12:02:00+08:00"}],
    });
    let second = json!({
        "id": all[0]["id"], "notify_id": letters[1].notify_id(), "kind": "notify_trade",
        "partner": "tea-house", "alipay_trans_id": trade(1), "url": receiver.url,
        "state": "acknowledged", "next_at": null, "fields": all[0]["fields"],
        "attempts": [{"at": "2026-11-23T12:01:00+08:00", "status": 200, "body": "success",
            "next_at": null}],
    });
    assert_eq!(all, [second.clone(), first.clone()]);
    // The fields are those of the letter, without its time and seal.
    let mut fields = letters[0].fields(Charset::Utf8);
    fields.retain(|(name, _)| !["sign", "sign_type", "notify_time"].contains(&&**name));
    for (name, value) in fields {
        assert_eq!(first["fields"][&*name], Value::String(value), "{name}");
    }
    let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
    let (newer, older) = (id(&second), id(&first));
    world
        .calls(&[
            ("GET /notifications?limit=1", 200, json!([second])),
            (
                &format!("GET /notifications?before={newer}"),
                200,
                json!([first]),
            ),
            (
                &format!("GET /notifications?before={older}"),
                200,
                json!([]),
            ),
            (&format!("GET /notifications/{older}"), 200, first),
            ("GET /notifications/1", 404, json!("not_found")),
            ("GET /notifications/first", 400, json!("bad_request")),
            ("GET /notifications?limit=many", 400, json!("bad_request")),
            ("GET /notifications?before=now", 400, json!("bad_request")),
            ("POST /notifications/1/resend", 404, json!("not_found")),
            (
                "POST /notifications/first/resend",
                400,
                json!("bad_request"),
            ),
        ])
        .await;
}
