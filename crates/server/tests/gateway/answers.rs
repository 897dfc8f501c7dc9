//! `spec/12`, in the answer, item by item, on the bytes; [`crate::world`] and [`crate::till`] check
//! the same of every answer in all other tests.

use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt as _;
use spotpay_wire::charset::Charset;
use tower::ServiceExt as _;

use crate::till::{Till, set};
use crate::world::World;

// Goal: items 1 to 5 and 7 on one answer of each kind, as literal bytes around what varies.
#[tokio::test]
async fn the_envelope() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let (query, body) = till.signed(&till.pay("E<1", &code, "39.30"), "");
    let request = Request::post(format!("/gateway.do?{query}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.clone()))
        .unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/xml;charset=UTF-8"
    );
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&bytes).unwrap();
    let (_, sign) = body.split_once("&sign=").unwrap();
    let (_, id) = text.split_once("<alipay_trans_id>").unwrap();
    let (id, _) = id.split_once('<').unwrap();
    assert!(id.len() == 28 && id.starts_with("20261123220014"), "{id}");
    let (_, answer_sign) = text.rsplit_once("<sign>").unwrap();
    let (answer_sign, _) = answer_sign.split_once('<').unwrap();
    let partner = &till.partner;
    assert_eq!(
        text,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><alipay><is_success>T</is_success><request>\
             <param name=\"_input_charset\">UTF-8</param>\
             <param name=\"service\">alipay.acquire.overseas.spot.pay</param>\
             <param name=\"partner\">{partner}</param>\
             <param name=\"alipay_seller_id\">{partner}</param>\
             <param name=\"trans_name\">Tea</param>\
             <param name=\"partner_trans_id\">E&lt;1</param>\
             <param name=\"currency\">HKD</param>\
             <param name=\"trans_amount\">39.30</param>\
             <param name=\"buyer_identity_code\">{code}</param>\
             <param name=\"identity_code_type\">barcode</param>\
             <param name=\"trans_create_time\">20261123120000</param>\
             <param name=\"biz_product\">OVERSEAS_MBARCODE_PAY</param>\
             <param name=\"sign_type\">MD5</param>\
             <param name=\"sign\">{sign}</param>\
             </request><response><alipay>\
             <alipay_buyer_login_id>852****0111</alipay_buyer_login_id>\
             <alipay_buyer_user_id>2088722100000111</alipay_buyer_user_id>\
             <alipay_pay_time>20261123120000</alipay_pay_time>\
             <alipay_trans_id>{id}</alipay_trans_id>\
             <currency>HKD</currency>\
             <partner_trans_id>E&lt;1</partner_trans_id>\
             <payment_inst>ALIPAYHK</payment_inst>\
             <result_code>SUCCESS</result_code>\
             <trans_amount>39.30</trans_amount>\
             </alipay></response><sign>{answer_sign}</sign><sign_type>MD5</sign_type></alipay>"
        )
    );
    // What is signed: the fields in that order, decoded.
    let signed = format!(
        "alipay_buyer_login_id=852****0111&alipay_buyer_user_id=2088722100000111&alipay_pay_time=20261123120000&alipay_trans_id={id}&currency=HKD&partner_trans_id=E<1&payment_inst=ALIPAYHK&result_code=SUCCESS&trans_amount=39.30"
    );
    assert_eq!(answer_sign, till.signer.sign(signed.as_bytes()));
}

// Goal: item 1, whatever the method; and every method is read alike.
#[tokio::test]
async fn status_200_for_every_method() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let (query, body) = till.signed(&till.query("M1"), "");
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("/gateway.do?{query}"))
            .body(Body::from(body.clone()))
            .unwrap();
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{method}");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("TRADE_NOT_EXIST"), "{method}: {text}");
    }
    // A body is a form, whatever its header says, as in programs that set none.
    for kind in [
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded;charset=GBK",
    ] {
        let request = Request::post(format!("/gateway.do?{query}"))
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body.clone()))
            .unwrap();
        let response = world.router.clone().oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("TRADE_NOT_EXIST"), "{kind}: {text}");
    }
}

// Goal: item 3: the bytes that are signed are the text in the charset of the answer, so the same
// answer has another signature in each charset.
#[tokio::test]
async fn the_charset_decides_the_signature() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let mut signs = Vec::new();
    for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
        let till = Till {
            charset,
            ..till.clone()
        };
        let answer = till.ask(&world, &till.query("茶")).await;
        signs.push(answer.accepted().sign.clone());
    }
    assert_ne!(signs[0], signs[1]);
    // These two have the same bytes for it.
    assert_eq!(signs[1], signs[2]);
}

// Goal: item 4: blanks are neither outer nor doubled in what is signed, empty fields are not there,
// whatever the partner sent.
#[tokio::test]
async fn blanks_and_empties() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let mut params = till.pay("B 1", &code, "1.00");
    set(&mut params, "trans_name", "  Tea   for two  ");
    set(&mut params, "memo", " ");
    let answer = till
        .ask_tailed(&world, &params, "&extend_info=&quantity=")
        .await;
    assert_eq!(answer.outcome(), "SUCCESS");
    assert_eq!(answer.field("partner_trans_id"), "B 1");
    assert_eq!(answer.param("trans_name"), Some("  Tea   for two  "));
    assert_eq!(answer.param("extend_info"), Some(""));
}

// Goal: item 6: the query answer carries the partner's number twice, found or not.
#[tokio::test]
async fn both_names_of_the_number() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house I1 alice 1.00 -> SUCCESS
        query tea-house I1 -> SUCCESS out_trade_no=I1 partner_trans_id=I1
        query tea-house I2 -> FAIL:TRADE_NOT_EXIST out_trade_no=I2 partner_trans_id=I2
        pay duty-free I1 bob 1.00 -> SUCCESS
        query duty-free - alipay_trans_id=$duty-free/I1 -> SUCCESS out_trade_no=I1 partner_trans_id=I1
        ",
        )
        .await;
}
