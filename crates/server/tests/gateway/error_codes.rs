//! Every published code, produced over HTTP; and the page that says how, made from the same table.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;
use spotpay_wire::code::{self, Place, WireCode};
use spotpay_wire::code_texts;
use spotpay_wire::signature::SignType;

use crate::till::{Params, set};
use crate::world::World;

/// How a code arises by itself.
struct Recipe {
    code: &'static str,
    /// For the page.
    how: &'static str,
    play: Play,
}

/// What the test does.
enum Play {
    /// Lines of a script; the last one is answered with the code.
    Script(&'static str),
    /// A pay request that is spoiled after it was signed.
    Spoiled(Spoil),
}

#[derive(Clone, Copy)]
enum Spoil {
    Charset,
    SignType,
    Profile,
    Sign,
}

macro_rules! recipes {
    ($($code:ident $how:literal => $play:expr;)*) => {
        &[$(Recipe { code: stringify!($code), how: $how, play: $play },)*]
    };
}

use Play::{Script, Spoiled};

const RECIPES: &[Recipe] = recipes! {
    ILLEGAL_CHARSET "`_input_charset` is neither UTF-8 nor GBK nor GB2312." => Spoiled(Spoil::Charset);
    ILLEGAL_SIGN_TYPE "`sign_type=DSA`, or `md5` in lower case." => Spoiled(Spoil::SignType);
    ILLEGAL_SECURITY_PROFILE "Sign with RSA2 as a partner that was created without a public key." => Spoiled(Spoil::Profile);
    ILLEGAL_SIGN "Change a parameter after signing. `spotpay sign explain` names the mistake behind a wrong signature." => Spoiled(Spoil::Sign);
    ILLEGAL_SERVICE "A `service` that is none." => Script("
        pay tea-house E1 alice 1.00 service=alipay.acquire.precreate -> F:ILLEGAL_SERVICE");
    ILLEGAL_PARTNER "A `partner` that is none." => Script("
        pay tea-house E1 alice 1.00 partner=2088999999999999 -> F:ILLEGAL_PARTNER");
    ILLEGAL_PARTNER_EXTERFACE "Take the service out of the partner's `services`." => Script("
        patch partners tea-house {\"services\":[\"alipay.acquire.overseas.query\"]}
        pay tea-house E1 alice 1.00 -> F:ILLEGAL_PARTNER_EXTERFACE");
    ILLEGAL_CLIENT_IP "Give the partner `client_ips` without the caller's." => Script("
        patch partners tea-house {\"client_ips\":[\"192.0.2.1\"]}
        pay tea-house E1 alice 1.00 -> F:ILLEGAL_CLIENT_IP");
    ILLEGAL_ARGUMENT "Leave a required parameter out, or send one twice with two values." => Script("
        pay tea-house E1 alice 1.00 trans_name= -> F:ILLEGAL_ARGUMENT");
    SYSTEM_ERROR "A synchronous refund between 00:00 and 01:30 GMT+8, with the partner's `sync_refund_pause` at `after_midnight`; a full queue or disk; or a fault rule." => Script("
        patch partners tea-house {\"sync_refund_pause\":\"after_midnight\"}
        pay tea-house E1 alice 1.00 -> SUCCESS
        clock 2026-11-24T00:30:00+08:00
        refund tea-house E1 R1 1.00 is_sync=Y -> F:SYSTEM_ERROR");
    INVALID_PARAMETER "A malformed value, such as `trans_amount=1.001`." => Script("
        pay tea-house E1 alice 1.001 -> FAILED:INVALID_PARAMETER");
    TRADE_HAS_CLOSE "Cancel a number, then pay under it." => Script("
        cancel tea-house E1 -> SUCCESS
        pay tea-house E1 alice 1.00 -> FAILED:TRADE_HAS_CLOSE");
    CONTEXT_INCONSISTENT "Pay again under the same number with another amount." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        pay tea-house E1 alice 2.00 -> FAILED:CONTEXT_INCONSISTENT");
    TRADE_BUYER_NOT_MATCH "Pay again under the same number with another wallet's code." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        pay tea-house E1 bob 1.00 -> FAILED:TRADE_BUYER_NOT_MATCH");
    EXCHANGE_AMOUNT_OR_CURRENCY_ERROR "Another currency than the contract's." => Script("
        pay tea-house E1 alice 1.00 currency=USD -> FAILED:EXCHANGE_AMOUNT_OR_CURRENCY_ERROR");
    SOUNDWAVE_PARSER_FAIL "A code that is mistyped, used, or older than two minutes." => Script("
        code C alice
        clock PT3M
        pay tea-house E1 $C 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL");
    NOT_SUPPORT_PAYMENT_INST "Wallet `bob` at `dim-sum`, or `alice` at `duty-free`." => Script("
        pay dim-sum E1 bob 1.00 -> FAILED:NOT_SUPPORT_PAYMENT_INST");
    PAYMENT_REQUEST_HAS_RISK "Set the partner's `store_data` to `required` and send no `extend_info`; or pay at a store that was rejected." => Script("
        patch partners tea-house {\"store_data\":\"required\"}
        pay tea-house E1 alice 1.00 extend_info= -> FAILED:PAYMENT_REQUEST_HAS_RISK");
    INVALID_STORE_ID "Name a store that is not registered, without its names and industry." => Script("
        pay tea-house E1 alice 1.00 extend_info={\"secondary_merchant_id\":\"M9\",\"store_id\":\"S9\"} -> FAILED:INVALID_STORE_ID");
    SELLER_NOT_EXIST "An `alipay_seller_id` that is not the partner." => Script("
        pay tea-house E1 alice 1.00 alipay_seller_id=2088000000000009 -> FAILED:SELLER_NOT_EXIST");
    BUYER_ENABLE_STATUS_FORBID "Wallet `frozen`, or any with `\"frozen\": true`." => Script("
        pay tea-house E1 frozen 1.00 -> FAILED:BUYER_ENABLE_STATUS_FORBID");
    BUYER_BALANCE_NOT_ENOUGH "Wallet `poor`." => Script("
        pay tea-house E1 poor 1.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH");
    TOTAL_FEE_EXCEED "An amount above 100000000.00." => Script("
        pay tea-house E1 alice 100000000.01 -> FAILED:TOTAL_FEE_EXCEED");
    PRODUCT_AMOUNT_LIMIT_ERROR "The partner's `limit_product`." => Script("
        patch partners tea-house {\"limit_product\":\"10.00\"}
        pay tea-house E1 alice 10.01 -> FAILED:PRODUCT_AMOUNT_LIMIT_ERROR");
    BEYOND_PER_RECEIPT_RESTRICTION "The partner's or the wallet's `limit_per_payment`." => Script("
        patch wallets alice {\"limit_per_payment\":\"10.00\"}
        pay tea-house E1 alice 10.01 -> FAILED:BEYOND_PER_RECEIPT_RESTRICTION");
    BEYOND_PAY_RESTRICTION "The partner's `limit_per_day`." => Script("
        patch partners tea-house {\"limit_per_day\":\"10.00\"}
        pay tea-house E1 alice 10.01 -> FAILED:BEYOND_PAY_RESTRICTION");
    BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR "The wallet's `limit_per_day`." => Script("
        patch wallets alice {\"limit_per_day\":\"10.00\"}
        pay tea-house E1 alice 10.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR");
    BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR "The wallet's `limit_per_month`." => Script("
        patch wallets alice {\"limit_per_month\":\"10.00\"}
        pay tea-house E1 alice 10.01 -> FAILED:BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR");
    TRADE_NOT_EXIST "Query a number that was never used." => Script("
        query tea-house E1 -> FAIL:TRADE_NOT_EXIST");
    TRADE_CANCEL_TIME_OUT "Pay, move the clock past midnight GMT+8 and 15 minutes, cancel." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        clock P1D
        cancel tea-house E1 -> FAIL:TRADE_CANCEL_TIME_OUT");
    TRADE_STATUS_ERROR "Refund a trade that waits, or was cancelled." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        cancel tea-house E1 -> SUCCESS
        refund tea-house E1 R1 1.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR");
    REFUND_AMT_NOT_EQUAL_TOTAL "Refund more than is left." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        refund tea-house E1 R1 1.01 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL");
    CURRENCY_NOT_SAME "Refund in another currency than the payment's; CNY under an HK contract too." => Script("
        pay tea-house E1 bob 1.00 -> SUCCESS
        refund tea-house E1 R1 0.92 is_sync=Y currency=CNY -> FAILED:CURRENCY_NOT_SAME");
    DISCORDANT_REPEAT_REQUEST "Refund again under the same number with another amount." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        refund tea-house E1 R1 0.10 is_sync=Y -> SUCCESS
        refund tea-house E1 R1 0.20 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST");
    REFUNDMENT_VALID_DATE_EXCEED "Refund after the partner's `refund_days`." => Script("
        patch partners tea-house {\"refund_days\":1}
        pay tea-house E1 alice 1.00 -> SUCCESS
        clock P2D
        refund tea-house E1 R1 1.00 is_sync=Y -> FAILED:REFUNDMENT_VALID_DATE_EXCEED");
    MERCHANT_BALANCE_NOT_ENOUGH "Refund a whole payment at once at `dim-sum`, whose commission is kept and whose `reserve` is nothing." => Script("
        pay dim-sum E1 alice 100.00 -> SUCCESS
        refund dim-sum E1 R1 100.00 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH");
    NOT_FOUND "Ask for a refund that was never asked for." => Script("
        pay tea-house E1 alice 1.00 -> SUCCESS
        refund-query tea-house E1 R1 -> NOT_FOUND");
    PARAM_ILLEGAL "Register a store of an HK contract in another country, or leave a field out." => Script("
        register tea-house M2 S2 store_country=CN -> PARAM_ILLEGAL");
    DATA_NOT_EXIST "Ask for the state of a store that was never registered." => Script("
        store-status tea-house M9 S9 -> DATA_NOT_EXIST");
};

/// Places in which a code may stand, with the service that a fault rule names for it.
const PLACES: [(Place, &str, &str); 8] = [
    (
        Place::Gateway,
        "every service",
        "alipay.acquire.overseas.spot.pay",
    ),
    (Place::Pay, "pay", "alipay.acquire.overseas.spot.pay"),
    (Place::Query, "query", "alipay.acquire.overseas.query"),
    (Place::Cancel, "cancel", "alipay.acquire.cancel"),
    (
        Place::Refund,
        "refund",
        "alipay.acquire.overseas.spot.refund",
    ),
    (
        Place::RefundQuery,
        "refund query",
        "alipay.acquire.refund.query",
    ),
    (
        Place::Store,
        "stores",
        "alipay.overseas.secmerchant.offline.maintain",
    ),
    (
        Place::Other,
        "other products",
        "alipay.acquire.overseas.spot.pay",
    ),
];

/// The rest of a line that asks a service, without the outcome.
fn line_for(place: Place) -> &'static str {
    match place {
        Place::Gateway | Place::Pay | Place::Other => "pay tea-house F1 alice 1.00",
        Place::Query => "query tea-house F1",
        Place::Cancel => "cancel tea-house F1",
        Place::Refund => "refund tea-house F1 R1 1.00",
        Place::RefundQuery => "refund-query tea-house F1 R1",
        Place::Store => "register tea-house M2 S2",
    }
}

fn outcome_for(place: Place, code: &str) -> String {
    match place {
        Place::Gateway | Place::Other => format!("F:{code}"),
        Place::Pay | Place::Refund => format!("FAILED:{code}"),
        Place::Query | Place::Cancel => format!("FAIL:{code}"),
        Place::RefundQuery | Place::Store => code.to_owned(),
    }
}

fn recipe(code: &str) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.code == code)
}

// Goal: every code that arises by itself does, as the page says.
#[tokio::test]
async fn codes_that_arise_by_themselves() {
    for recipe in RECIPES {
        assert!(code::find(recipe.code).is_some(), "{}", recipe.code);
        let world = World::start().await;
        match recipe.play {
            Script(script) => {
                let last = script.lines().last().unwrap();
                let (_, outcome) = last.split_once("-> ").unwrap();
                assert_eq!(outcome.rsplit(':').next(), Some(recipe.code), "{last}");
                world.check(script).await;
            }
            Spoiled(spoil) => {
                let outcome = spoiled(&world, spoil).await;
                assert_eq!(outcome, format!("F:{}", recipe.code));
            }
        }
    }
}

async fn spoiled(world: &World, spoil: Spoil) -> String {
    let mut till = world.till("tea-house").await;
    let code = world.code("alice").await;
    if let Spoil::Profile = spoil {
        let fresh = world
            .does("POST", "/partners", r#"{"name":"fresh","product":"HK"}"#)
            .await;
        let key = spotpay_server::seed::PARTNERS.first().unwrap();
        till = crate::till::Till::of(&fresh).with_rsa(SignType::Rsa2, key.rsa_private_key);
    }
    let mut params: Params = till.pay("E1", &code, "1.00");
    set(&mut params, "memo", "tea");
    let (mut query, mut body) = till.signed(&params, "");
    match spoil {
        Spoil::Charset => "_input_charset=latin1".clone_into(&mut query),
        Spoil::SignType => body = body.replace("sign_type=MD5", "sign_type=DSA"),
        Spoil::Sign => body = body.replace("memo=tea", "memo=coffee"),
        Spoil::Profile => {}
    }
    world.send(&query, body).await.outcome()
}

// Goal: a fault rule produces every code, in every place that it can stand in.
#[tokio::test]
async fn fault_rules_produce_every_code() {
    let world = World::start().await;
    for code in code::ALL {
        for place in code.places {
            let (_, _, service) = PLACES.iter().find(|(known, ..)| known == place).unwrap();
            let is_success = match place {
                Place::Gateway | Place::Other => "F",
                _ => "T",
            };
            let effect = json!({"answer": code.code, "is_success": is_success});
            // In the first of its places a code needs no word on where it goes: so says the page.
            let effect = match (code.places.first() == Some(place), code.places.len()) {
                (true, 1) => json!({"answer": code.code}),
                _ => effect,
            };
            let rule = json!({"service": service, "partner": "tea-house", "effect": effect});
            world.does("POST", "/faults", &rule.to_string()).await;
            let (line, outcome) = (line_for(*place), outcome_for(*place, code.code));
            world.check(&format!("{line} -> {outcome}")).await;
        }
    }
    let rules = world.does("GET", "/faults", "").await;
    let all = rules.as_array().unwrap();
    assert!(
        all.iter().all(|rule| rule["fired"] == 1),
        "each went off once"
    );
    world
        .check("query tea-house F1 -> FAIL:TRADE_NOT_EXIST")
        .await;
}

fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Every published code: where it stands, what it means, what to do about it, and how to produce it in the sandbox.\n\
         This page is made from the code tables and from the test that produces every code over HTTP: `cargo xtask codegen` writes it anew.\n\n\
         A code of *every service* stands in `error` beside `is_success=F`; all others stand in the service's own answer.\n\
         Where a code does not arise by itself, a fault rule answers it: `POST /sandbox/v1/faults` with the body that is shown, then the next request of that service.\n\
         Any other code can be had in the same way.\n",
    );
    for code in code::ALL {
        section(&mut page, code);
    }
    page
}

fn section(page: &mut String, code: &WireCode) {
    let text = code_texts::find(code.code).unwrap();
    let places: Vec<&str> = PLACES
        .iter()
        .filter(|(place, ..)| code.places.contains(place))
        .map(|(_, name, _)| *name)
        .collect();
    let here = match recipe(code.code) {
        Some(recipe) => recipe.how.to_owned(),
        None => {
            let mut places = PLACES.iter();
            let (_, _, service) = places
                .find(|(place, ..)| code.places.contains(place))
                .unwrap();
            let answer = code.code;
            let rule = format!(r#"{{"service": "{service}", "effect": {{"answer": "{answer}"}}}}"#);
            format!("It does not arise by itself; a fault rule: `{rule}`")
        }
    };
    let (meaning, action) = (&text.meaning, &text.action);
    write!(
        page,
        "\n## `{}`\n\n| | |\n| --- | --- |\n| where | {} |\n| English | {} {} |\n| 繁體中文 | {}{} |\n| 简体中文 | {}{} |\n| here | {} |\n",
        code.code,
        places.join(", "),
        meaning.en, action.en,
        meaning.zh_hant, action.zh_hant,
        meaning.zh_hans, action.zh_hans,
        here,
    )
    .unwrap();
}

// Goal: the page in the repository is the one that these tables make. `cargo xtask codegen` sets
// the variable and writes it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no arguments; this one is told to write by its environment"
)]
fn the_page_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/error-codes.md");
    let made = page();
    if std::env::var_os("SPOTPAY_CODEGEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/error-codes.md is not what the tables say; run `cargo xtask codegen`"
    );
}
