//! Signatures and charsets: what old programs send, byte for byte, and what they verify.

use serde_json::json;
use spotpay_server::seed;
use spotpay_wire::charset::Charset;
use spotpay_wire::signature::{SignType, Signer};

use crate::till::{Params, Shape, Till, pair, set, tail};
use crate::world::{Answer, World};

const SHAPES: [Shape; 3] = [Shape::Get, Shape::Post, Shape::Split];
const CHARSETS: [Charset; 3] = [Charset::Utf8, Charset::Gbk, Charset::Gb2312];

/// The private key of the seeded tea-house.
fn private_key() -> &'static str {
    seed::PARTNERS.first().unwrap().rsa_private_key
}

/// The three programs of the tea-house, one for each kind of key.
async fn programs(world: &World) -> [Till; 3] {
    let md5 = world.till("tea-house").await;
    let rsa = md5.with_rsa(SignType::Rsa, private_key());
    let rsa2 = md5.with_rsa(SignType::Rsa2, private_key());
    [md5, rsa, rsa2]
}

/// The query and the body of a golden request.
fn golden(file: &str) -> (&str, &str) {
    let (query, body) = file.split_once('\n').unwrap();
    (query, body.trim_end())
}

// Goal: requests made by other tools, byte for byte, and answers that those tools would verify:
// MD5 in GBK by default, SHA1withRSA in GB2312 by GET, SHA256withRSA in UTF-8 with a bare `+`.
#[tokio::test]
async fn golden_requests() {
    let world = World::start().await;
    for (request, answer) in [
        (
            include_str!("golden/cancel-md5.request"),
            include_bytes!("golden/cancel-md5.answer").as_slice(),
        ),
        (
            include_str!("golden/query-rsa.request"),
            include_bytes!("golden/query-rsa.answer"),
        ),
        (
            include_str!("golden/reverse-rsa2.request"),
            include_bytes!("golden/reverse-rsa2.answer"),
        ),
    ] {
        let (query, body) = golden(request);
        let given = world.send(query, body).await;
        assert_eq!(
            String::from_utf8_lossy(&given.bytes),
            String::from_utf8_lossy(answer)
        );
        assert_eq!(given.bytes, answer);
    }
    let (query, body) = golden(include_str!("golden/pay-rsa2.request"));
    let paid = world.send(query, body).await;
    assert_eq!(paid.outcome(), "SUCCESS", "{paid:?}");
    assert_eq!(paid.field("trans_amount"), "39.30");
    assert_eq!(paid.field("partner_trans_id"), "茶-2");
    assert_eq!(paid.param("trans_name"), Some("茶 & \"cake\" + 1=1 😀"));
    let [_, _, rsa2] = programs(&world).await;
    assert!(paid.accepted().verify(&rsa2.verifier));
    // Sent again, it is the same answer and no second debit.
    assert_eq!(world.send(query, body).await, paid);
    assert_eq!(world.balance("alice").await, "99960.70");
}

// Goal: every shape, charset and key, with a title and an id that want encoding, escaping and a
// charset that is right; the till checks echo, charset and signature of each answer.
#[tokio::test]
async fn every_shape_charset_and_key() {
    let world = World::start().await;
    let mut number = 0;
    for program in programs(&world).await {
        for charset in CHARSETS {
            for shape in SHAPES {
                let till = Till {
                    charset,
                    shape,
                    ..program.clone()
                };
                number += 1;
                let id = format!("茶&+=<'{number}");
                let mut params = till.pay(&id, &world.code("alice").await, "0.1");
                set(&mut params, "trans_name", "茶 & + = \"q\" '<b>' %41 😀 港");
                set(&mut params, "memo", " two  blanks ");
                let paid = till.ask(&world, &params).await;
                let case = format!("{charset:?} {shape:?} {:?}", till.signer.sign_type());
                assert_eq!(paid.outcome(), "SUCCESS", "{case}");
                assert_eq!(paid.field("partner_trans_id"), id, "{case}");
                let found = till.ask(&world, &till.query(&id)).await;
                assert_eq!(found.field("out_trade_no"), id, "{case}");
                assert_eq!(found.field("alipay_trans_status"), "TRADE_SUCCESS");
                let cancelled = till.ask(&world, &till.cancel(&id)).await;
                assert_eq!(cancelled.field("action"), "refund", "{case}");
            }
        }
    }
    assert_eq!(world.balance("alice").await, "100000.00");
    world.books().await;
}

// Goal: an id from one charset is answered in another; what that one lacks comes as a reference,
// and is signed as the `?` that a verifier makes of it.
#[tokio::test]
async fn across_charsets() {
    let world = World::start().await;
    for program in programs(&world).await {
        let name = program.signer.sign_type().as_str();
        let id = format!("茶檯😀{name}");
        let code = world.code("alice").await;
        let paid = program.ask(&world, &program.pay(&id, &code, "1.00")).await;
        let mut params = program.params("alipay.acquire.overseas.query");
        params.push(pair("alipay_trans_id", paid.field("alipay_trans_id")));
        for charset in CHARSETS {
            let till = Till {
                charset,
                ..program.clone()
            };
            let found = till.ask(&world, &params).await;
            assert_eq!(found.field("partner_trans_id"), id, "{charset:?}");
        }
    }
}

/// Signs by hand: what is signed, and what is sent, are literals in any bytes.
async fn by_hand(world: &World, query: &str, signed: &[u8], sent: &str) -> Answer {
    let till = world.till("tea-house").await;
    let sign = till.signer.sign(signed);
    let sent = format!("{sent}&sign_type=MD5&sign={sign}");
    if query == "GET" {
        world.send(&sent, "").await
    } else {
        world.send(query, sent).await
    }
}

// Goal: the charset is the one in the URL, else the one in the body, else GBK (`spec/13`, 14), in
// any case of letters; the answer says the same in header, declaration and bytes.
#[tokio::test]
async fn which_charset() {
    const QUERY: &str = "service=alipay.acquire.overseas.query&partner=2088621900000101";
    const TAIL: &str = "partner=2088621900000101&partner_trans_id=";
    const SERVICE: &str = "&service=alipay.acquire.overseas.query";
    let world = World::start().await;
    let utf8 = "茶".as_bytes();
    let gbk: &[u8] = b"\xb2\xe8";
    for (query, in_body, signed_charset, bytes, label) in [
        // Nowhere: GBK.
        ("", "", "", gbk, "GBK"),
        ("GET", "", "", gbk, "GBK"),
        // In the URL.
        ("_input_charset=UTF-8", "", "UTF-8", utf8, "UTF-8"),
        ("_input_charset=utf-8", "", "utf-8", utf8, "UTF-8"),
        ("_input_charset=gbk", "", "gbk", gbk, "GBK"),
        ("_input_charset=GBK", "", "GBK", gbk, "GBK"),
        ("_input_charset=gb2312", "", "gb2312", gbk, "GB2312"),
        // In the body.
        ("", "utf-8", "utf-8", utf8, "UTF-8"),
        ("", "GBK", "GBK", gbk, "GBK"),
        ("GET", "utf-8", "utf-8", utf8, "UTF-8"),
        // In both, the same.
        ("_input_charset=UTF-8", "UTF-8", "UTF-8", utf8, "UTF-8"),
        // An empty one is none.
        ("_input_charset=", "utf-8", "utf-8", utf8, "UTF-8"),
        ("_input_charset=", "", "", gbk, "GBK"),
    ] {
        let mut signed = match signed_charset {
            "" => Vec::new(),
            label => format!("_input_charset={label}&").into_bytes(),
        };
        signed.extend_from_slice(TAIL.as_bytes());
        signed.extend_from_slice(bytes);
        signed.extend_from_slice(SERVICE.as_bytes());
        let encoded: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        let mut sent = format!("{QUERY}&partner_trans_id={encoded}");
        if !in_body.is_empty() {
            sent = format!("{sent}&_input_charset={in_body}");
        }
        let answer = by_hand(&world, query, &signed, &sent).await;
        let case = format!("{query:?} {in_body:?}");
        assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST", "{case}");
        assert_eq!(answer.field("partner_trans_id"), "茶", "{case}");
        let content_type = format!("text/xml;charset={label}");
        assert_eq!(answer.content_type, content_type, "{case}");
        let raw: &[u8] = if label == "UTF-8" { utf8 } else { gbk };
        assert!(answer.bytes.windows(raw.len()).any(|part| part == raw));
        let till = world.till("tea-house").await;
        assert!(answer.accepted().verify(&till.verifier), "{case}");
    }
}

// Goal: pay takes GBK too, also by default (`spec/13`, 14).
#[tokio::test]
async fn pay_without_a_charset() {
    let world = World::start().await;
    let code = world.code("alice").await;
    let signed = format!(
        "alipay_seller_id=2088621900000101&biz_product=OVERSEAS_MBARCODE_PAY&buyer_identity_code={code}&currency=HKD&identity_code_type=barcode&partner=2088621900000101&partner_trans_id=G1&service=alipay.acquire.overseas.spot.pay&trans_amount=10&trans_name="
    );
    let mut bytes = signed.clone().into_bytes();
    bytes.extend_from_slice(b"\xb2\xe8");
    let answer = by_hand(&world, "", &bytes, &format!("{signed}%B2%E8")).await;
    assert_eq!(answer.outcome(), "SUCCESS");
    assert_eq!(answer.field("trans_amount"), "10.00");
    let alice = world.does("GET", "/wallets/alice", "").await;
    assert_eq!(alice["trades"][0]["title"], "茶");
}

// Goal: `spec/12`, wire 3 to 5: unknown parameters are signed and ignored; empties may be signed as
// `name=` or not at all; a Base64 whose `+` became a blank verifies.
#[tokio::test]
async fn habits_of_old_programs() {
    let world = World::start().await;
    let [md5, rsa, rsa2] = programs(&world).await;
    for till in [&md5, &rsa, &rsa2] {
        let mut params = till.query("H1");
        params.extend([
            pair("refund_reson", "typo"),
            pair("A_Capital", "first"),
            pair("zz", "=&last"),
            pair("茶", "a name"),
        ]);
        let answer = till.ask(&world, &params).await;
        assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
        // An empty one that was not signed.
        let answer = till
            .ask_tailed(&world, &params, "&refund_reason=&memo=")
            .await;
        assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
        assert_eq!(answer.param("refund_reason"), Some(""));
        // And one that was.
        let empties = sign_by_hand(till, "refund_reason=&service=alipay.acquire.overseas.query");
        assert_eq!(
            world.send("", empties).await.outcome(),
            "FAIL:TRADE_NOT_EXIST"
        );
    }
    for till in [&rsa, &rsa2] {
        // One of these has a `+` in its signature, and many more than one.
        let mut seen = 0;
        for number in 0..8 {
            let (query, body) = till.signed(&till.query(&format!("H{number}")), "");
            seen += usize::from(body.contains("%2B"));
            for blank in ["+", "%20"] {
                let answer = world.send(&query, body.replace("%2B", blank)).await;
                assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST", "{blank}");
            }
        }
        assert!(seen > 0);
    }
}

/// A query whose signed text ends in `last`, in the body and without a charset.
fn sign_by_hand(till: &Till, last: &str) -> String {
    let signed = format!("partner=2088621900000101&partner_trans_id=H1&{last}");
    let sign = tail(Charset::Gbk, "sign", &till.signer.sign(signed.as_bytes()));
    format!("{signed}&sign_type={}{sign}", till.signer.sign_type())
}

// Goal: what is not the signature is refused: another key, another type, a changed parameter, one
// taken away, upper case, half of it.
#[tokio::test]
async fn wrong_signatures() {
    let world = World::start().await;
    let [md5, rsa, rsa2] = programs(&world).await;
    let foreign = world.till("dim-sum").await;
    let foreign_rsa = seed::PARTNERS.get(1).unwrap().rsa_private_key;
    for till in [
        Till {
            signer: foreign.signer.clone(),
            ..md5.clone()
        },
        md5.with_rsa(SignType::Rsa, foreign_rsa),
        md5.with_rsa(SignType::Rsa2, foreign_rsa),
    ] {
        let answer = till.ask(&world, &till.query("S1")).await;
        assert_eq!(answer.outcome(), "F:ILLEGAL_SIGN");
    }
    for till in [&md5, &rsa, &rsa2] {
        let (query, body) = till.signed(&till.query("S1"), "");
        let (before, sign) = body.split_once("&sign=").unwrap();
        let half = sign.get(..sign.len() / 2).unwrap();
        let other = match till.signer.sign_type() {
            SignType::Rsa => body.replace("sign_type=RSA", "sign_type=RSA2"),
            SignType::Rsa2 => body.replace("sign_type=RSA2", "sign_type=RSA"),
            SignType::Md5 => body.replace(sign, &sign.to_uppercase()),
        };
        for (case, body) in [
            ("changed", body.replace("=S1", "=S2")),
            ("added", format!("{body}&memo=x")),
            ("taken away", body.replace("partner_trans_id=S1&", "")),
            ("half", format!("{before}&sign={half}")),
            ("none", before.to_owned()),
            ("empty", format!("{before}&sign=")),
            ("of another kind", other),
            ("long", format!("{body}{}", "A".repeat(10_000))),
            ("not Base64", format!("{before}&sign=%00%01%FF")),
        ] {
            let outcome = world.send(&query, body).await.outcome();
            let expected = match case {
                // Not text in UTF-8, which is looked at first.
                "not Base64" => "F:ILLEGAL_CHARSET",
                _ => "F:ILLEGAL_SIGN",
            };
            assert_eq!(outcome, expected, "{case} {}", till.signer.sign_type());
        }
        // The charset is signed too.
        let outcome = world.send("_input_charset=gbk", body).await.outcome();
        assert_eq!(outcome, "F:ILLEGAL_SIGN");
    }
    assert_eq!(world.balance("alice").await, "100000.00");
}

async fn outcome(world: &World, till: &Till) -> String {
    till.ask(world, &till.query("K1")).await.outcome()
}

// Goal: a partner uploads a key of 1024 bits, armoured as openssl writes it; it verifies both RSA
// types at once, and the key before it ends at once when no overlap was asked for.
#[tokio::test]
async fn an_uploaded_key_of_1024_bits() {
    const PUBLIC: &str = include_str!("../../../wire/tests/keys/rsa1024.spki.pem");
    const PRIVATE: &str = include_str!("../../../wire/tests/keys/rsa1024.pkcs8.pem");
    let world = World::start().await;
    let [md5, rsa, rsa2] = programs(&world).await;
    let new = [
        md5.with_rsa(SignType::Rsa, PRIVATE),
        md5.with_rsa(SignType::Rsa2, PRIVATE),
    ];
    for till in &new {
        assert_eq!(outcome(&world, till).await, "F:ILLEGAL_SIGN");
    }
    let key = json!({"public_key": PUBLIC}).to_string();
    let partner = world.does("POST", "/partners/tea-house/keys", &key).await;
    let bare: String = PUBLIC
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    assert_eq!(partner["rsa_public_key"], *bare);
    for till in &new {
        assert_eq!(outcome(&world, till).await, "FAIL:TRADE_NOT_EXIST");
    }
    for till in [&rsa, &rsa2] {
        assert_eq!(outcome(&world, till).await, "F:ILLEGAL_SIGN");
    }
    assert_eq!(outcome(&world, &md5).await, "FAIL:TRADE_NOT_EXIST");
    // A new partner has no RSA key until it uploads one: here in one line, without armour.
    let new = r#"{"name":"kiosk","product":"HK"}"#;
    let kiosk = Till::of(&world.does("POST", "/partners", new).await);
    let kiosk = kiosk.with_rsa(SignType::Rsa2, PRIVATE);
    assert_eq!(outcome(&world, &kiosk).await, "F:ILLEGAL_SECURITY_PROFILE");
    let key = json!({"public_key": bare}).to_string();
    world.does("POST", "/partners/kiosk/keys", &key).await;
    assert_eq!(outcome(&world, &kiosk).await, "FAIL:TRADE_NOT_EXIST");
}

// Goal: keys rotate with an overlap: both verify until its last instant, each answered with its
// own; then only the new one does.
#[tokio::test]
async fn keys_rotate_with_an_overlap() {
    let world = World::start().await;
    let [old, _, old_rsa2] = programs(&world).await;
    let rotate = r#"{"rotate":"md5","overlap":"PT24H"}"#;
    let partner = world.does("POST", "/partners/tea-house/keys", rotate).await;
    let new = old.with_md5(partner["md5_key"].as_str().unwrap());
    assert_ne!(partner["md5_key"], seed::PARTNERS.first().unwrap().md5_key);
    let other = seed::PARTNERS.get(1).unwrap().rsa_private_key;
    let new_rsa2 = old.with_rsa(SignType::Rsa2, other);
    let Signer::Rsa2(key) = &new_rsa2.signer else {
        panic!("RSA2 was asked for")
    };
    let key = key.public_key().to_spki_base64();
    let upload = json!({"public_key": key, "overlap": "PT1H"}).to_string();
    world
        .does("POST", "/partners/tea-house/keys", &upload)
        .await;

    const GOOD: &str = "FAIL:TRADE_NOT_EXIST";
    const BAD: &str = "F:ILLEGAL_SIGN";
    for (step, old_said, new_said, old_rsa2_said) in [
        ("PT0S", GOOD, GOOD, GOOD),
        ("PT59M59S", GOOD, GOOD, GOOD),
        ("PT1S", GOOD, GOOD, BAD),
        ("PT22H59M59S", GOOD, GOOD, BAD),
        ("PT1S", BAD, GOOD, BAD),
        ("P30D", BAD, GOOD, BAD),
    ] {
        world.check(&format!("clock {step}")).await;
        for (till, said) in [
            (&old, old_said),
            (&new, new_said),
            (&old_rsa2, old_rsa2_said),
            (&new_rsa2, GOOD),
        ] {
            assert_eq!(outcome(&world, till).await, said, "{step}");
        }
    }
    // Without an overlap the old key ends at once.
    let rotate = r#"{"rotate":"md5"}"#;
    world.does("POST", "/partners/tea-house/keys", rotate).await;
    assert_eq!(outcome(&world, &new).await, BAD);
}

// Goal: the other services' parameters are read by name, wherever the charset stands among them,
// and in any order.
#[tokio::test]
async fn the_order_of_parameters_is_free() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let params: Params = till.query("O1");
    let (query, body) = till.signed(&params, "");
    let mut pairs: Vec<&str> = query.split('&').chain(body.split('&')).collect();
    for _ in 0..pairs.len() {
        pairs.rotate_left(1);
        let answer = world.send(&pairs.join("&"), "").await;
        assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
        // Empty pairs between them are nothing.
        let answer = world.send("", format!("&{}&&", pairs.join("&&"))).await;
        assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
    }
}

// Goal: whoever looks at a request with a wrong signature reads which mistake it is; the caller
// hears the published code and nothing else, and a right one has no mistake.
#[tokio::test]
async fn a_wrong_signature_is_explained_in_the_request_log() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let text = format!(
        "_input_charset=UTF-8&partner={}&partner_trans_id=T1&service=alipay.acquire.overseas.query",
        till.partner
    );
    for (signed, mistake) in [
        (format!("{text}&sign_type=MD5"), Some("sign_type")),
        (text.clone(), None),
        ("something else".to_owned(), None),
    ] {
        let sign = till.signer.sign(signed.as_bytes());
        let body = format!("{text}&sign={sign}&sign_type=MD5");
        let answer = world.send("_input_charset=UTF-8", body.into_bytes()).await;
        if signed == text {
            assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
        } else {
            assert_eq!(answer.outcome(), "F:ILLEGAL_SIGN");
        }
        let requests = world.does("GET", "/requests?limit=1", "").await;
        let told = &requests[0]["likely_mistake"];
        match mistake {
            Some(word) => assert!(
                told.as_str().is_some_and(|told| told.contains(word)),
                "{told}"
            ),
            None => assert!(told.is_null(), "{told}"),
        }
    }
}
