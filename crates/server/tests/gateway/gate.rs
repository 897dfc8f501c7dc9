//! The gateway's own checks, in their order (`spec/13`, 17), and what it does before any of them.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;
use spotpay_wire::signature::SignType;
use tower::ServiceExt as _;

use crate::till::{Params, Till, set, unset};
use crate::world::World;

/// One way to be wrong, in the order of the checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    Charset,
    Service,
    Partner,
    SignType,
    Profile,
    Sign,
    Address,
    Argument,
    Fault,
    Value,
}

use Wrong::{Address, Argument, Charset, Fault, Partner, Profile, Service, Sign, Value};

const ORDER: [(Wrong, &str); 10] = [
    (Charset, "F:ILLEGAL_CHARSET"),
    (Service, "F:ILLEGAL_SERVICE"),
    (Partner, "F:ILLEGAL_PARTNER"),
    (Wrong::SignType, "F:ILLEGAL_SIGN_TYPE"),
    (Profile, "F:ILLEGAL_SECURITY_PROFILE"),
    (Sign, "F:ILLEGAL_SIGN"),
    (Address, "F:ILLEGAL_CLIENT_IP"),
    (Argument, "F:ILLEGAL_ARGUMENT"),
    // A malformed value is the service's complaint, and no fault keeps it from saying so.
    (Value, "FAILED:INVALID_PARAMETER"),
    (Fault, "F:SYSTEM_ERROR"),
];

/// A pay request that is wrong in all these ways, and what it is answered.
async fn ask(till: &Till, world: &World, code: &str, wrong: &[Wrong]) -> String {
    let is = |one| wrong.contains(&one);
    let mut params: Params = till.pay("G1", code, "1.00");
    if is(Value) {
        set(&mut params, "trans_amount", "none");
    }
    if is(Argument) {
        unset(&mut params, "trans_name");
    }
    if is(Service) {
        set(&mut params, "service", "alipay.acquire.precreate");
    }
    if is(Partner) {
        set(&mut params, "partner", "2088999999999999");
    }
    let till = if is(Profile) {
        // A seeded key, of which a partner without an uploaded one knows nothing.
        let key = spotpay_server::seed::PARTNERS.first().unwrap();
        till.with_rsa(SignType::Rsa2, key.rsa_private_key)
    } else {
        till.clone()
    };
    let (mut query, mut body) = till.signed(&params, "");
    if is(Wrong::SignType) {
        let name = till.signer.sign_type().as_str();
        body = body.replace(&format!("sign_type={name}"), "sign_type=DSA");
    }
    if is(Sign) {
        body.push_str("&memo=unsigned");
    }
    if is(Charset) {
        query = "_input_charset=latin1".to_owned();
    }
    let answer = world.send(&query, body).await;
    answer.outcome()
}

// Goal: each wrong in its own right, then with each that is checked later: the first one is said.
#[tokio::test]
async fn the_first_wrong_is_said() {
    let world = World::start().await;
    // Without an RSA key, so that a key can be missing; called from 127.0.0.1 in all tests.
    let kiosk =
        |name: &str, ips: &[&str]| json!({"name": name, "product": "HK", "client_ips": ips});
    let open = kiosk("kiosk", &[]).to_string();
    let open = Till::of(&world.does("POST", "/partners", &open).await);
    let walled = kiosk("walled", &["10.0.0.1", "::1"]).to_string();
    let walled = Till::of(&world.does("POST", "/partners", &walled).await);
    let code = world.code("alice").await;

    // The engine is well in the first round, and closed in the second.
    for round in ["well", "closed"] {
        for (place, (first, expected)) in ORDER.iter().enumerate() {
            let later = ORDER.get(place + 1..).unwrap().iter();
            let pairs = later.map(|(second, _)| vec![*first, *second]);
            for wrong in std::iter::once(vec![*first]).chain(pairs) {
                // What a signature needs, and a fault, cannot be switched on one by one.
                let impossible = wrong.contains(&Wrong::SignType) && wrong.contains(&Profile)
                    || wrong.contains(&Profile) && wrong.contains(&Partner);
                if impossible || wrong.contains(&Fault) != (round == "closed") {
                    continue;
                }
                let till = if wrong.contains(&Address) {
                    &walled
                } else {
                    &open
                };
                let said = ask(till, &world, &code, &wrong).await;
                assert_eq!(&said, expected, "{wrong:?}");
            }
        }
        if round == "well" {
            let allowed = r#"{"client_ips":["10.0.0.1","127.0.0.1"]}"#;
            world.does("PATCH", "/partners/walled", allowed).await;
            assert_eq!(ask(&walled, &world, &code, &[]).await, "SUCCESS");
            assert_eq!(world.balance("alice").await, "99999.00");
            let again = r#"{"client_ips":["10.0.0.1"]}"#;
            world.does("PATCH", "/partners/walled", again).await;
            world.app().engine.close();
        }
    }
    // Queries only read, so they are still answered; a cancel is not.
    let said = open.ask(&world, &open.query("G1")).await.outcome();
    assert_eq!(said, "FAIL:TRADE_NOT_EXIST");
    let said = open.ask(&world, &open.cancel("G1")).await.outcome();
    assert_eq!(said, "F:SYSTEM_ERROR");
}

// Goal: rejections are unsigned, HTTP 200, in the charset of the request when that is legal, else
// in GBK, byte for byte as the genuine gateway writes them (`spec/01`).
#[tokio::test]
async fn rejections_as_bytes() {
    let world = World::start().await;
    for (query, body, label, code) in [
        ("", "", "GBK", "ILLEGAL_SERVICE"),
        ("_input_charset=utf-8", "", "UTF-8", "ILLEGAL_SERVICE"),
        ("_input_charset=GB2312&a=b", "", "GB2312", "ILLEGAL_SERVICE"),
        ("", "_input_charset=utf-8", "UTF-8", "ILLEGAL_SERVICE"),
        ("service=", "", "GBK", "ILLEGAL_SERVICE"),
        (
            "service=Alipay.Acquire.Cancel",
            "",
            "GBK",
            "ILLEGAL_SERVICE",
        ),
        ("_input_charset=utf8", "", "GBK", "ILLEGAL_CHARSET"),
        ("_input_charset=big5", "", "GBK", "ILLEGAL_CHARSET"),
        ("", "_input_charset=big5", "GBK", "ILLEGAL_CHARSET"),
        (
            "_input_charset=big5",
            "_input_charset=utf-8",
            "UTF-8",
            "ILLEGAL_CHARSET",
        ),
        ("_input_charset=%FF", "", "GBK", "ILLEGAL_CHARSET"),
        // Bytes that are no text in the charset they are said to be in.
        (
            "_input_charset=utf-8",
            "memo=%B2%E8",
            "UTF-8",
            "ILLEGAL_CHARSET",
        ),
        ("_input_charset=utf-8", "%FF=x", "UTF-8", "ILLEGAL_CHARSET"),
        ("", "memo=%FF", "GBK", "ILLEGAL_CHARSET"),
        (
            "_input_charset=gb2312",
            "memo=%B2",
            "GB2312",
            "ILLEGAL_CHARSET",
        ),
        (
            "_input_charset=utf-8&service=alipay.acquire.cancel",
            "",
            "UTF-8",
            "ILLEGAL_PARTNER",
        ),
        (
            "service=alipay.acquire.cancel&partner=2088",
            "",
            "GBK",
            "ILLEGAL_PARTNER",
        ),
        (
            "service=alipay.acquire.cancel&partner=20886219000001011",
            "",
            "GBK",
            "ILLEGAL_PARTNER",
        ),
        (
            "service=alipay.acquire.cancel&partner=tea-house",
            "",
            "GBK",
            "ILLEGAL_PARTNER",
        ),
        (
            "service=alipay.acquire.cancel&partner=2088621900000101",
            "",
            "GBK",
            "ILLEGAL_SIGN_TYPE",
        ),
        (
            "service=alipay.acquire.cancel&partner=2088621900000101&sign_type=md5",
            "",
            "GBK",
            "ILLEGAL_SIGN_TYPE",
        ),
        (
            "service=alipay.acquire.cancel&partner=2088621900000101&sign_type=DSA",
            "",
            "GBK",
            "ILLEGAL_SIGN_TYPE",
        ),
        (
            "service=alipay.acquire.cancel&partner=2088621900000101&sign_type=MD5",
            "",
            "GBK",
            "ILLEGAL_SIGN",
        ),
        // A percent sign without two digits stands for itself.
        ("service=%zz%", "", "GBK", "ILLEGAL_SERVICE"),
    ] {
        let answer = world.send(query, body).await;
        let whole = format!(
            "<?xml version=\"1.0\" encoding=\"{label}\"?><alipay><is_success>F</is_success><error>{code}</error></alipay>"
        );
        let case = format!("{query} {body}");
        assert_eq!(String::from_utf8_lossy(&answer.bytes), whole, "{case}");
        assert_eq!(answer.content_type, format!("text/xml;charset={label}"));
    }
}

// Goal: a parameter given twice with the same value is given once; with other values it is
// refused once the signature is right (`spec/12`, wire 1), wherever the two stand.
#[tokio::test]
async fn given_twice() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let params = till.query("T1");
    for (tail, expected) in [
        ("&partner_trans_id=T1", "FAIL:TRADE_NOT_EXIST"),
        ("&partner_trans_id=", "FAIL:TRADE_NOT_EXIST"),
        ("&partner_trans_id=T2", "F:ILLEGAL_ARGUMENT"),
        ("&partner_trans_id=t1", "F:ILLEGAL_ARGUMENT"),
        ("&partner_trans_id=T1+", "F:ILLEGAL_ARGUMENT"),
        ("&_input_charset=UTF-8", "FAIL:TRADE_NOT_EXIST"),
        ("&_input_charset=utf-8", "F:ILLEGAL_ARGUMENT"),
        ("&_input_charset=GBK", "F:ILLEGAL_ARGUMENT"),
        ("&sign_type=MD5", "FAIL:TRADE_NOT_EXIST"),
        ("&sign_type=RSA2", "F:ILLEGAL_ARGUMENT"),
        ("&sign=0", "F:ILLEGAL_ARGUMENT"),
        ("&partner=2088621900000202", "F:ILLEGAL_ARGUMENT"),
        ("&service=alipay.acquire.cancel", "F:ILLEGAL_ARGUMENT"),
    ] {
        let answer = till.ask_tailed(&world, &params, tail).await;
        assert_eq!(answer.outcome(), expected, "{tail}");
        // Once in the query, once in the body.
        let (query, body) = till.signed(&params, "");
        let answer = world.send(&format!("{query}{tail}"), body).await;
        // What comes first is what was not signed.
        let expected = match tail {
            "&partner_trans_id=T2"
            | "&partner_trans_id=t1"
            | "&partner_trans_id=T1+"
            | "&sign=0" => "F:ILLEGAL_SIGN",
            "&sign_type=RSA2" => "F:ILLEGAL_SIGN",
            "&partner=2088621900000202" => "F:ILLEGAL_SIGN",
            "&service=alipay.acquire.cancel" => "F:ILLEGAL_SIGN",
            _ => expected,
        };
        assert_eq!(answer.outcome(), expected, "in the query: {tail}");
    }
}

// Goal: too many parameters and too many bytes are refused with a code and without reading them;
// as many as fit are taken.
#[tokio::test]
async fn too_much() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for (count, expected) in [(58, "FAIL:TRADE_NOT_EXIST"), (59, "F:ILLEGAL_ARGUMENT")] {
        // Beside service, partner, partner_trans_id, _input_charset, sign and sign_type.
        let mut params = till.query("M1");
        params.extend((0..count).map(|number| (format!("x{number}"), "1".to_owned())));
        let answer = till.ask(&world, &params).await;
        assert_eq!(answer.outcome(), expected, "{count}");
    }
    let mut params = till.query("M1");
    set(&mut params, "memo", &"m".repeat(60_000));
    let answer = till.ask(&world, &params).await;
    assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
    for size in [65_536, 1_000_000, 8_000_000] {
        let mut params = till.query("M1");
        set(&mut params, "memo", &"m".repeat(size));
        let answer = till.ask(&world, &params).await;
        assert_eq!(answer.outcome(), "F:ILLEGAL_ARGUMENT", "{size}");
    }
    // In the query and in the body together.
    let half = "m".repeat(40_000);
    let mut params = till.query("M1");
    set(&mut params, "memo", &half);
    let (query, body) = till.signed(&params, "");
    let answer = world.send(&query, body.clone()).await;
    assert_eq!(answer.outcome(), "FAIL:TRADE_NOT_EXIST");
    let answer = world.send(&format!("{query}&memo={half}"), body).await;
    assert_eq!(answer.outcome(), "F:ILLEGAL_ARGUMENT");
}

// Goal: services whose doors are not open yet say so, on both contracts; `notify_verify` is
// answered unsigned with a word (`spec/12`, wire 9).
#[tokio::test]
async fn other_services() {
    let world = World::start().await;
    for partner in ["tea-house", "duty-free"] {
        let till = world.till(partner).await;
        for service in [
            "alipay.acquire.overseas.spot.refun",
            "create_direct_pay_by_user",
        ] {
            let answer = till.ask(&world, &till.params(service)).await;
            assert_eq!(answer.outcome(), "F:ILLEGAL_SERVICE", "{service}");
        }
    }
    for (query, word) in [
        (
            "partner=2088621900000101&notify_id=9938e4a7a8c50aa92aede16c8ffb9cam3i",
            "false",
        ),
        ("partner=2088621900000101&notify_id=", "invalid"),
        ("partner=2088621900000101", "invalid"),
        ("partner=&notify_id=1234", "invalid"),
        ("partner=2088999999999999&notify_id=1234", "invalid"),
        ("notify_id=1234", "invalid"),
    ] {
        let uri = format!("/gateway.do?service=notify_verify&{query}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, word, "{query}");
    }
}
