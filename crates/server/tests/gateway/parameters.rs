//! Every parameter of pay, query and cancel: missing, empty, doubled, oversized, malformed.
//!
//! A code is not used up by a refused pay, so one code serves all refusals of a table.

use crate::till::{Params, Till, set, tail, unset};
use crate::world::World;

const MISSING: &str = "F:ILLEGAL_ARGUMENT";
const PAY_BAD: &str = "FAILED:INVALID_PARAMETER";
const CODE_BAD: &str = "FAILED:SOUNDWAVE_PARSER_FAIL";
const CURRENCY_BAD: &str = "FAILED:EXCHANGE_AMOUNT_OR_CURRENCY_ERROR";
const BAD: &str = "FAIL:INVALID_PARAMETER";
const NONE: &str = "FAIL:TRADE_NOT_EXIST";

/// What becomes of a request when one parameter of it is missing, empty or doubled.
pub(crate) async fn check_presence(
    till: &Till,
    world: &World,
    base: &Params,
    name: &str,
    missing: &str,
) {
    let mut without = base.clone();
    unset(&mut without, name);
    let said = till.ask(world, &without).await.outcome();
    assert_eq!(said, missing, "{name} missing");
    let empty = format!("&{name}=");
    let said = till.ask_tailed(world, &without, &empty).await.outcome();
    assert_eq!(said, missing, "{name} empty");
    let (_, value) = base.iter().find(|(given, _)| given == name).unwrap();
    for (other, expected) in [("x", MISSING), (value, "")] {
        let tail = tail(till.charset, name, other);
        let said = till.ask_tailed(world, base, &tail).await.outcome();
        match expected {
            // The same value twice is as good as once, which the caller looks at.
            "" => assert_ne!(said, MISSING, "{name} doubled, the same"),
            expected => assert_eq!(said, expected, "{name} doubled, another"),
        }
    }
}

pub(crate) async fn check_value(
    till: &Till,
    world: &World,
    base: &Params,
    row: (&str, &str, &str),
) {
    let (name, value, expected) = row;
    let mut params = base.clone();
    set(&mut params, name, value);
    let said = till.ask(world, &params).await.outcome();
    let shown: String = value.chars().take(40).collect();
    assert_eq!(said, expected, "{name}={shown}");
}

fn long(count: usize) -> String {
    "茶".repeat(count)
}

// Goal: what pay requires, in the order of `spec/02`, each missing, empty or given twice.
#[tokio::test]
async fn presence_in_pay() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    // A code that does not pay: what is doubled with the same value gets as far as that.
    let base = till.pay("P1", "288888888888888888", "1.00");
    for (name, missing) in [
        ("service", "F:ILLEGAL_SERVICE"),
        ("partner", "F:ILLEGAL_PARTNER"),
        ("alipay_seller_id", MISSING),
        ("trans_name", MISSING),
        ("partner_trans_id", MISSING),
        ("currency", MISSING),
        ("trans_amount", MISSING),
        ("buyer_identity_code", MISSING),
        ("identity_code_type", MISSING),
        ("biz_product", MISSING),
        ("trans_create_time", CODE_BAD),
    ] {
        check_presence(&till, &world, &base, name, missing).await;
    }
    let mut optional = base.clone();
    for (name, value) in [
        ("quantity", "2"),
        ("memo", "fresh"),
        ("extend_info", "null"),
        ("trade_information", "{}"),
        ("notify_url", "https://shop.example/n"),
        ("trans_currency", "HKD"),
    ] {
        set(&mut optional, name, value);
    }
    for (name, _) in optional.iter().skip(base.len()) {
        check_presence(&till, &world, &optional, name, CODE_BAD).await;
    }
    assert_eq!(world.balance("alice").await, "100000.00");
}

// Goal: the values of pay, each just inside and just outside of what it takes.
#[tokio::test]
async fn values_in_pay() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let base = till.pay("V1", &code, "1.00");
    let names = [long(256), long(257)];
    let ids = [long(64), long(65)];
    let urls = [
        format!("http://a.example/{}", "n".repeat(183)),
        format!("http://a.example/{}", "n".repeat(184)),
    ];
    let [store_65, store_name_257] = [
        format!(
            r#"{{"secondary_merchant_id":"{}","store_id":"S1"}}"#,
            "m".repeat(65)
        ),
        format!(r#"{{"store_name":"{}"}}"#, long(257)),
    ];
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    // Refused, and nothing is used up by it.
    for row in [
        (
            "alipay_seller_id",
            "2088621900000202",
            "FAILED:SELLER_NOT_EXIST",
        ),
        ("alipay_seller_id", "tea-house", "FAILED:SELLER_NOT_EXIST"),
        ("trans_name", &names[1], PAY_BAD),
        ("partner_trans_id", &ids[1], PAY_BAD),
        ("partner_trans_id", "a\"b", PAY_BAD),
        ("partner_trans_id", " a", PAY_BAD),
        ("partner_trans_id", "a ", PAY_BAD),
        ("partner_trans_id", "a  b", PAY_BAD),
        ("partner_trans_id", " ", PAY_BAD),
        ("partner_trans_id", "a\nb", PAY_BAD),
        ("partner_trans_id", "a\tb", PAY_BAD),
        ("currency", "USD", CURRENCY_BAD),
        ("currency", "XXX", CURRENCY_BAD),
        ("currency", "hkd", CURRENCY_BAD),
        ("currency", "HKDHKDHKD", CURRENCY_BAD),
        ("trans_amount", "0", PAY_BAD),
        ("trans_amount", "0.00", PAY_BAD),
        ("trans_amount", "0.001", PAY_BAD),
        ("trans_amount", "1.001", PAY_BAD),
        ("trans_amount", "-1", PAY_BAD),
        ("trans_amount", "-0.01", PAY_BAD),
        ("trans_amount", "+1", PAY_BAD),
        ("trans_amount", " 1", PAY_BAD),
        ("trans_amount", "1,00", PAY_BAD),
        ("trans_amount", "1,000.00", PAY_BAD),
        ("trans_amount", "1e3", PAY_BAD),
        ("trans_amount", "0x10", PAY_BAD),
        ("trans_amount", "NaN", PAY_BAD),
        ("trans_amount", ".", PAY_BAD),
        ("trans_amount", ".5", PAY_BAD),
        ("trans_amount", "1.", PAY_BAD),
        ("trans_amount", "1.0.0", PAY_BAD),
        ("trans_amount", "１.00", PAY_BAD),
        ("trans_amount", "100000000.01", "FAILED:TOTAL_FEE_EXCEED"),
        (
            "trans_amount",
            "99999999999999999999",
            "FAILED:TOTAL_FEE_EXCEED",
        ),
        (
            "trans_amount",
            "100000000.00",
            "FAILED:BUYER_BALANCE_NOT_ENOUGH",
        ),
        ("buyer_identity_code", "1", CODE_BAD),
        ("buyer_identity_code", "251234567890123", CODE_BAD),
        ("buyer_identity_code", "2512345678901234567890123", CODE_BAD),
        ("buyer_identity_code", "312345678901234567", CODE_BAD),
        ("buyer_identity_code", "241234567890123456", CODE_BAD),
        ("buyer_identity_code", "25abcdefghijklmnop", CODE_BAD),
        ("buyer_identity_code", "２5１234567890123456", CODE_BAD),
        ("buyer_identity_code", &names[1], CODE_BAD),
        ("identity_code_type", "face", PAY_BAD),
        ("identity_code_type", "barcode ", PAY_BAD),
        ("biz_product", "OVERSEAS_MBARCODE_PAY2", PAY_BAD),
        ("biz_product", "overseas_mbarcode_pay", PAY_BAD),
        ("trans_create_time", "2026-11-23 12:00:00", PAY_BAD),
        ("trans_create_time", "20261123", PAY_BAD),
        ("trans_create_time", "20261323120000", PAY_BAD),
        ("trans_create_time", "20260230120000", PAY_BAD),
        ("trans_create_time", "202611231200000", PAY_BAD),
        ("quantity", "0", PAY_BAD),
        ("quantity", "-1", PAY_BAD),
        ("quantity", "two", PAY_BAD),
        ("quantity", "99999999999999999999", PAY_BAD),
        ("memo", &names[1], PAY_BAD),
        ("extend_info", "x", PAY_BAD),
        ("extend_info", "{", PAY_BAD),
        ("extend_info", "[]", PAY_BAD),
        ("extend_info", "\"M001\"", PAY_BAD),
        ("extend_info", "{}x", PAY_BAD),
        ("extend_info", "{'store_id':'S001'}", PAY_BAD),
        ("extend_info", r#"{"store_id":"\ud800"}"#, PAY_BAD),
        ("extend_info", r#"{"store_name":"\u0000"}"#, PAY_BAD),
        (
            "extend_info",
            r#"{"secondary_merchant_id":"M 1","store_id":"S1"}"#,
            PAY_BAD,
        ),
        ("extend_info", &store_65, PAY_BAD),
        ("extend_info", &store_name_257, PAY_BAD),
        ("extend_info", &deep, PAY_BAD),
        ("notify_url", "shop.example", PAY_BAD),
        ("notify_url", "ftp://shop.example", PAY_BAD),
        ("notify_url", "javascript:alert(1)", PAY_BAD),
        ("notify_url", "https://", PAY_BAD),
        ("notify_url", &urls[1], PAY_BAD),
        ("trans_currency", "XXX", CURRENCY_BAD),
        ("trans_currency", "USD", CURRENCY_BAD),
    ] {
        check_value(&till, &world, &base, row).await;
    }
    assert_eq!(world.balance("alice").await, "100000.00");
    // Taken; the number of the row is the id of the trade.
    for (number, (name, value)) in [
        ("trans_name", names[0].as_str()),
        ("trans_name", " Tea  with \"milk\"\n"),
        ("trans_amount", "0.01"),
        ("trans_amount", "1"),
        ("trans_amount", "0.1"),
        ("trans_amount", "0001.00"),
        ("identity_code_type", "BARCODE"),
        ("identity_code_type", "QRcode"),
        ("identity_code_type", "qrcode"),
        ("trans_create_time", "19991231235959"),
        ("quantity", "1"),
        ("quantity", "007"),
        ("memo", names[0].as_str()),
        ("trade_information", "not JSON at all"),
        (
            "trade_information",
            r#"{"business_type":"4","goods_info":"tea^1","total_quantity":"1"}"#,
        ),
        ("extend_info", " null "),
        (
            "extend_info",
            r#"{"unknown":{"deep":[1,2,{"x":null}]},"terminal_id":7}"#,
        ),
        ("notify_url", urls[0].as_str()),
        ("notify_url", "https://[::1]:8443/n?a=b&c=d"),
        ("trans_currency", "HKD"),
        ("timestamp", "long ago"),
        ("partner_trans_id", ids[0].as_str()),
        ("partner_trans_id", "a b'c<&>%2B"),
    ]
    .into_iter()
    .enumerate()
    {
        let code = world.code("alice").await;
        let base = till.pay(&format!("OK{number}"), &code, "1.00");
        check_value(&till, &world, &base, (name, value, "SUCCESS")).await;
    }
    assert_eq!(world.balance("alice").await, "99978.89");
    world.books().await;
}

// Goal: query takes either number; malformed ones are its own complaint.
#[tokio::test]
async fn query() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let base = till.query("Q1");
    for (name, missing) in [
        ("service", "F:ILLEGAL_SERVICE"),
        ("partner", "F:ILLEGAL_PARTNER"),
        ("partner_trans_id", MISSING),
    ] {
        check_presence(&till, &world, &base, name, missing).await;
    }
    let mut both = base.clone();
    set(&mut both, "alipay_trans_id", "2026112322001443200000000001");
    for name in ["partner_trans_id", "alipay_trans_id"] {
        check_presence(&till, &world, &both, name, NONE).await;
    }
    let ids = [long(64), long(65)];
    for row in [
        ("partner_trans_id", ids[0].as_str(), NONE),
        ("partner_trans_id", &ids[1], BAD),
        ("partner_trans_id", "a\"b", BAD),
        ("partner_trans_id", " a", BAD),
        ("partner_trans_id", "a\u{1f}b", "F:ILLEGAL_ARGUMENT"),
        ("alipay_trans_id", &ids[0], NONE),
        ("alipay_trans_id", &ids[1], BAD),
        ("alipay_trans_id", "2026 1123", BAD),
        ("alipay_trans_id", "0", NONE),
        ("alipay_trans_id", "9999999999999999999999999999", NONE),
        ("alipay_trans_id", "2026113922001443200000000001", NONE),
        ("timestamp", "whenever", NONE),
    ] {
        check_value(&till, &world, &base, row).await;
    }
}

// Goal: cancel takes either number and three spellings of its time (`spec/12`, wire 7).
#[tokio::test]
async fn cancel() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let mut base = till.cancel("C1");
    set(&mut base, "timestamp", "1795406400000");
    for (name, missing) in [
        ("service", "F:ILLEGAL_SERVICE"),
        ("partner", "F:ILLEGAL_PARTNER"),
        ("out_trade_no", MISSING),
        ("timestamp", "SUCCESS"),
    ] {
        check_presence(&till, &world, &base, name, missing).await;
    }
    let ids = [long(64), long(65)];
    for row in [
        ("timestamp", "2026-11-23 12:00:00", "SUCCESS"),
        ("timestamp", "1456507704121", "SUCCESS"),
        ("timestamp", "now", BAD),
        ("timestamp", "2026-13-23 12:00:00", BAD),
        ("timestamp", "99999999999999999999", BAD),
        ("terminal_timestamp", "1456507704102", "SUCCESS"),
        ("terminal_timestamp", "later", "SUCCESS"),
        ("out_trade_no", &ids[0], "SUCCESS"),
        ("out_trade_no", &ids[1], BAD),
        ("out_trade_no", "a\"b", BAD),
        ("out_trade_no", "a  b", BAD),
        ("trade_no", &ids[0], "SUCCESS"),
        ("trade_no", &ids[1], BAD),
        ("trade_no", "2026 1123", BAD),
        ("trade_no", "0", "SUCCESS"),
    ] {
        check_value(&till, &world, &base, row).await;
    }
    // Malformed is final: the same request would be refused again.
    set(&mut base, "timestamp", "now");
    let answer = till.ask(&world, &base).await;
    assert_eq!(answer.field("retry_flag"), "N");
    assert_eq!(answer.field("out_trade_no"), "C1");
    // The old names have the other names of the numbers.
    for service in ["reverse", "cancel"] {
        let mut base = till.query("C2");
        let service = format!("alipay.acquire.overseas.spot.{service}");
        set(&mut base, "service", &service);
        check_presence(&till, &world, &base, "partner_trans_id", MISSING).await;
        let row = ("partner_trans_id", &*ids[1], "FAILED:INVALID_PARAMETER");
        check_value(&till, &world, &base, row).await;
        let row = ("partner_trans_id", "C2", "SUCCESS");
        check_value(&till, &world, &base, row).await;
    }
}

// Goal: of several wrongs the first in the order of the parameters is said: missing before
// malformed, malformed before what a rule says.
#[tokio::test]
async fn the_first_wrong_parameter_is_said() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let base = till.pay("D1", "1", "1.00");
    for (changes, expected) in [
        ([("trans_amount", "none"), ("biz_product", "")], MISSING),
        (
            [("alipay_seller_id", "x"), ("trans_amount", "none")],
            "FAILED:SELLER_NOT_EXIST",
        ),
        (
            [("trans_amount", "none"), ("currency", "XXX")],
            CURRENCY_BAD,
        ),
        ([("trans_amount", "none"), ("currency", "USD")], PAY_BAD),
        ([("trans_name", "x"), ("currency", "USD")], CURRENCY_BAD),
        (
            [("memo", "x"), ("extend_info", r#"{"store_id":"S9"}"#)],
            CODE_BAD,
        ),
    ] {
        let mut params = base.clone();
        for (name, value) in changes {
            match value {
                "" => unset(&mut params, name),
                value => set(&mut params, name, value),
            }
        }
        let said = till.ask(&world, &params).await.outcome();
        assert_eq!(said, expected, "{changes:?}");
    }
}
