//! Payments, the buyer's answer to those that wait, and the limits.

use crate::world::World;

// Goal: both wallets pay an HK partner in HKD; the answer and the query have exactly the fields of
// the HK contract, the buyer is debited, and the books balance.
#[tokio::test]
async fn both_wallets_pay_a_hong_kong_partner() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house A1 alice 39.30 -> SUCCESS fields=alipay_buyer_login_id,alipay_buyer_user_id,alipay_pay_time,alipay_trans_id,currency,partner_trans_id,payment_inst,result_code,trans_amount alipay_buyer_login_id=852****0111 alipay_buyer_user_id=2088722100000111 alipay_pay_time=20261123120000 currency=HKD partner_trans_id=A1 payment_inst=ALIPAYHK trans_amount=39.30
        query tea-house A1 -> SUCCESS fields=alipay_buyer_login_id,alipay_buyer_user_id,alipay_pay_time,alipay_trans_id,alipay_trans_status,currency,out_trade_no,partner_trans_id,payment_inst,result_code,trans_amount alipay_trans_id=$tea-house/A1 alipay_trans_status=TRADE_SUCCESS alipay_pay_time=20261123120000 out_trade_no=A1 partner_trans_id=A1 payment_inst=ALIPAYHK trans_amount=39.30
        wallet alice -> 200 balance=99960.70
        pay tea-house B1 bob 39.30 -> SUCCESS payment_inst=ALIPAYCN currency=HKD trans_amount=39.30 alipay_buyer_login_id=138****0222 alipay_buyer_user_id=2088722100000222 !exchange_rate !trans_amount_cny
        query tea-house B1 -> SUCCESS payment_inst=ALIPAYCN currency=HKD trans_amount=39.30 !exchange_rate !trans_amount_cny
        # 39.30 x 0.92 = 36.156
        wallet bob -> 200 balance=99963.84
        # By the gateway's number, alone and beside another id.
        query tea-house - alipay_trans_id=$tea-house/B1 -> SUCCESS partner_trans_id=B1
        query tea-house - alipay_trans_id=$tea-house/B1 partner_trans_id=A1 -> SUCCESS partner_trans_id=B1
        query tea-house A1 alipay_trans_id=201311221703338463 -> SUCCESS partner_trans_id=A1
        # Another partner's trade is none, under either number.
        query dim-sum B1 -> FAIL:TRADE_NOT_EXIST
        query dim-sum - alipay_trans_id=$tea-house/B1 -> FAIL:TRADE_NOT_EXIST
        books
        ",
        )
        .await;
}

// Goal: a standard partner is answered in its currency with rate and CNY, in pay and in query; the
// rate of the payment's moment holds for its life.
#[tokio::test]
async fn a_standard_partner_sees_the_conversion() {
    let world = World::start().await;
    world
        .check(
            "
        pay duty-free U1 bob 10.05 -> SUCCESS fields=alipay_buyer_login_id,alipay_buyer_user_id,alipay_pay_time,alipay_trans_id,currency,exchange_rate,partner_trans_id,result_code,trans_amount,trans_amount_cny currency=USD trans_amount=10.05 exchange_rate=7.20000000 trans_amount_cny=72.36
        query duty-free U1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS exchange_rate=7.20000000 trans_amount_cny=72.36 trans_amount=10.05 !payment_inst
        wallet bob -> 200 balance=99927.64
        # One cent is CNY 0.072, and never less than CNY 0.01.
        pay duty-free U2 bob 0.01 -> SUCCESS trans_amount_cny=0.07
        ",
        )
        .await;
    let rate = r#"{"base":"USD","quote":"CNY","rate":"0.1","from":"2026-11-23"}"#;
    world.does("POST", "/rates", rate).await;
    world
        .check(
            "
        pay duty-free U3 bob 0.01 -> SUCCESS exchange_rate=0.10000000 trans_amount_cny=0.01
        query duty-free U1 -> SUCCESS exchange_rate=7.20000000 trans_amount_cny=72.36
        # Half up: 0.15 x 0.1 = 0.015.
        pay duty-free U4 bob 0.15 -> SUCCESS trans_amount_cny=0.02
        pay duty-free U5 bob 0.14 -> SUCCESS trans_amount_cny=0.01
        books
        ",
        )
        .await;
}

// Goal: who cannot pay is refused with the published code; nothing is left behind, and the code
// stays good.
#[tokio::test]
async fn refusals_leave_no_trade() {
    let world = World::start().await;
    world
        .check(
            "
        code B bob
        pay dim-sum R1 $B 10.00 -> FAILED:NOT_SUPPORT_PAYMENT_INST fields=error,partner_trans_id,result_code partner_trans_id=R1
        query dim-sum R1 -> FAIL:TRADE_NOT_EXIST detail_error_code=TRADE_NOT_EXIST error=TRADE_NOT_EXIST !payment_inst
        code A alice
        pay duty-free R1 $A 10.00 -> FAILED:NOT_SUPPORT_PAYMENT_INST !payment_inst !exchange_rate
        query duty-free R1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house R1 poor 0.01 -> FAILED:BUYER_BALANCE_NOT_ENOUGH !payment_inst
        query tea-house R1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house R1 frozen 0.01 -> FAILED:BUYER_ENABLE_STATUS_FORBID
        query tea-house R1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house R1 $A 10.00 currency=USD -> FAILED:EXCHANGE_AMOUNT_OR_CURRENCY_ERROR
        pay tea-house R1 $A 10.00 currency=CNY -> FAILED:EXCHANGE_AMOUNT_OR_CURRENCY_ERROR
        pay duty-free R1 $B 10.00 currency=HKD -> FAILED:EXCHANGE_AMOUNT_OR_CURRENCY_ERROR
        pay duty-free R1 $B 10.00 trans_currency=HKD -> FAILED:EXCHANGE_AMOUNT_OR_CURRENCY_ERROR
        query tea-house R1 -> FAIL:TRADE_NOT_EXIST
        wallet alice -> 200 balance=100000.00
        wallet bob -> 200 balance=100000.00
        books
        # The next pay under such an id is decided afresh, with the same code.
        pay tea-house R1 $A 10.00 -> SUCCESS
        pay dim-sum R1 alice 10.00 -> SUCCESS payment_inst=ALIPAYHK
        pay duty-free R1 $B 10.00 trans_currency=USD -> SUCCESS
        books
        ",
        )
        .await;
}

// Goal: money is spent to the last cent and not beyond; frozen and unfrozen take effect at once.
#[tokio::test]
async fn to_the_last_cent() {
    let world = World::start().await;
    let wallet = r#"{"name":"eve","payment_inst":"ALIPAYHK","balance":"10.00"}"#;
    world.does("POST", "/wallets", wallet).await;
    world
        .check(
            r#"
        pay tea-house L1 eve 10.01 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        pay tea-house L2 eve 10.00 -> SUCCESS
        wallet eve -> 200 balance=0.00
        pay tea-house L3 eve 0.01 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        patch wallets eve {"frozen":true} -> 200 frozen=true
        pay tea-house L3 eve 0.01 -> FAILED:BUYER_ENABLE_STATUS_FORBID
        patch wallets eve {"frozen":false} -> 200 frozen=false
        pay tea-house L3 eve 0.01 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        books
        "#,
        )
        .await;
}

// Goal: a payment that asks its buyer answers UNKNOW with a number, without wallet and error; then
// the buyer accepts, declines, or lets three minutes pass.
#[tokio::test]
async fn the_buyer_is_asked() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house C1 careful 25.00 -> UNKNOW fields=alipay_trans_id,currency,partner_trans_id,result_code,trans_amount currency=HKD partner_trans_id=C1 trans_amount=25.00 !error !payment_inst
        query tea-house C1 -> SUCCESS fields=alipay_buyer_login_id,alipay_buyer_user_id,alipay_trans_id,alipay_trans_status,currency,out_trade_no,partner_trans_id,payment_inst,result_code,trans_amount alipay_trans_status=WAIT_BUYER_PAY payment_inst=ALIPAYHK !alipay_pay_time alipay_trans_id=$tea-house/C1
        wallet careful -> 200 balance=100000.00
        clock PT1M
        confirm careful C1 yes -> 200 state=TRADE_SUCCESS
        query tea-house C1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS alipay_pay_time=20261123120100
        wallet careful -> 200 balance=99975.00
        # A second tap on the same button, and on the other one.
        confirm careful C1 yes -> 200 state=TRADE_SUCCESS
        confirm careful C1 no -> 409:not_waiting
        wallet careful -> 200 balance=99975.00

        pay tea-house C2 careful 25.00 -> UNKNOW
        confirm careful C2 no -> 200 state=TRADE_CLOSED
        query tea-house C2 -> SUCCESS alipay_trans_status=TRADE_CLOSED !alipay_pay_time payment_inst=ALIPAYHK
        confirm careful C2 yes -> 409:not_waiting

        pay tea-house C3 careful 25.00 -> UNKNOW
        clock PT2M59S
        query tea-house C3 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        clock PT1S
        query tea-house C3 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        confirm careful C3 yes -> 409:not_waiting
        wallet careful -> 200 balance=99975.00
        books
        ",
        )
        .await;
}

// Goal: a waiting trade holds nothing: short funds, a frozen wallet and a stranger refuse the
// confirmation and leave the trade waiting.
#[tokio::test]
async fn a_confirmation_can_be_refused() {
    let world = World::start().await;
    let wallet = r#"{"name":"eve","payment_inst":"ALIPAYCN","balance":"10.00"}"#;
    world.does("POST", "/wallets", wallet).await;
    world
        .check(
            r#"
        patch wallets eve {"confirm":true} -> 200 confirm=true
        pay duty-free W1 eve 2.00 -> UNKNOW !exchange_rate !trans_amount_cny
        query duty-free W1 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY exchange_rate=7.20000000 trans_amount_cny=14.40
        confirm eve W1 yes -> 409:funds_short
        query duty-free W1 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        confirm alice W1 yes -> 404:not_found
        confirm alice W1 yes duty-free -> 409:not_this_wallet
        confirm eve W9 yes -> 404:not_found
        patch wallets eve {"frozen":true}
        confirm eve W1 yes -> 409:frozen
        patch wallets eve {"frozen":false}
        query duty-free W1 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        "#,
        )
        .await;
    world
        .does("POST", "/wallets/eve/topup", r#"{"amount":"4.40"}"#)
        .await;
    world
        .check(
            "
        confirm eve W1 yes -> 200 state=TRADE_SUCCESS
        wallet eve -> 200 balance=0.00
        query duty-free W1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        books
        ",
        )
        .await;
}

// Goal: the wallet's own limits: one payment, one day of GMT+8, one month; a cancel makes room again.
#[tokio::test]
async fn limits_of_the_wallet() {
    let world = World::start().await;
    world
        .check(
            r#"
        clock 2026-11-29T12:00:00+08:00
        patch wallets alice {"limit_per_payment":"50.00","limit_per_day":"80.00","limit_per_month":"120.00"}
        pay tea-house L1 alice 50.01 -> FAILED:BEYOND_PER_RECEIPT_RESTRICTION
        pay tea-house L1 alice 50.00 -> SUCCESS
        pay tea-house L2 alice 30.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        pay tea-house L2 alice 30.00 -> SUCCESS
        pay dim-sum L3 alice 0.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        cancel tea-house L2 -> SUCCESS action=refund
        pay dim-sum L3 alice 30.00 -> SUCCESS
        # The last instant of the day, and the first of the next.
        clock 2026-11-29T23:59:59+08:00
        pay tea-house L4 alice 0.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        clock PT1S
        pay tea-house L4 alice 40.01 -> FAILED:BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR
        pay tea-house L4 alice 40.00 -> SUCCESS
        pay tea-house L5 alice 0.01 -> FAILED:BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR
        clock 2026-12-01T00:00:00+08:00
        pay tea-house L5 alice 50.00 -> SUCCESS
        patch wallets alice {"limit_per_day":null} -> 200 limit_per_day=null limit_per_payment=50.00
        pay tea-house L6 alice 50.00 -> SUCCESS
        books
        "#,
        )
        .await;
}

// Goal: a limit of the wallet is in the wallet's currency, also for a price in another one.
#[tokio::test]
async fn limits_are_in_the_wallets_currency() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch wallets bob {"limit_per_payment":"72.00"}
        pay duty-free L1 bob 10.01 -> FAILED:BEYOND_PER_RECEIPT_RESTRICTION
        pay duty-free L1 bob 10.00 -> SUCCESS trans_amount_cny=72.00
        "#,
        )
        .await;
}

// Goal: the partner's limits, each with its code, and the product before the partner.
#[tokio::test]
async fn limits_of_the_partner() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch partners tea-house {"limit_product":"60.00","limit_per_payment":"50.00","limit_per_day":"80.00"}
        pay tea-house P1 alice 60.01 -> FAILED:PRODUCT_AMOUNT_LIMIT_ERROR
        pay tea-house P1 alice 50.01 -> FAILED:BEYOND_PER_RECEIPT_RESTRICTION
        pay tea-house P1 alice 50.00 -> SUCCESS
        pay tea-house P2 bob 30.01 -> FAILED:BEYOND_PAY_RESTRICTION
        pay tea-house P2 bob 30.00 -> SUCCESS
        pay tea-house P3 alice 0.01 -> FAILED:BEYOND_PAY_RESTRICTION
        # Another partner's day is its own.
        pay dim-sum P3 alice 500.00 -> SUCCESS
        # A waiting trade counts when it is paid.
        pay tea-house P4 careful 10.00 -> UNKNOW
        confirm careful P4 yes -> 409:partner_day_limit
        query tea-house P4 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        cancel tea-house P2 -> SUCCESS action=refund
        confirm careful P4 yes -> 200 state=TRADE_SUCCESS
        clock 2026-11-24T00:00:00+08:00
        pay tea-house P5 alice 50.00 -> SUCCESS
        patch partners tea-house {"limit_product":null,"limit_per_payment":null,"limit_per_day":null} -> 200 limit_per_day=null
        pay tea-house P6 alice 5000.00 -> SUCCESS
        books
        "#,
        )
        .await;
}

// Goal: store data (`spec/13`, 15; `spec/12`, wire 6): absent or null means the default store, a
// registered one is known, an unknown one has to describe itself.
#[tokio::test]
async fn store_data() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay tea-house S1 alice 1.00 -> SUCCESS
        pay tea-house S2 alice 1.00 extend_info=null -> SUCCESS
        pay tea-house S3 alice 1.00 extend_info={} -> SUCCESS
        pay tea-house S4 alice 1.00 extend_info={"secondary_merchant_id":"M001","store_id":"S001"} -> SUCCESS
        pay tea-house S5 alice 1.00 extend_info={"SECONDARY_MERCHANT_ID":"M001","STORE_ID":"S001","TERMINAL_ID":null} -> SUCCESS
        pay tea-house S6 alice 1.00 extend_info={"secondary_merchant_id":null,"store_id":null} -> SUCCESS
        pay tea-house S7 alice 1.00 extend_info={"secondary_merchant_id":"\u004d001","store_id":"S001","store_name":"\u8336"} -> SUCCESS
        pay tea-house S8 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S001"} -> FAILED:INVALID_STORE_ID
        pay tea-house S8 alice 1.00 extend_info={"secondary_merchant_id":"M001","store_id":"S002"} -> FAILED:INVALID_STORE_ID
        pay tea-house S8 alice 1.00 extend_info={"secondary_merchant_id":"M002","secondary_merchant_name":"Two","store_id":"S001","store_name":"Two"} -> FAILED:INVALID_STORE_ID
        pay tea-house S8 alice 1.00 extend_info={"secondary_merchant_id":"M002","secondary_merchant_industry":"5812","store_id":"S001","store_name":"Two"} -> FAILED:INVALID_STORE_ID
        query tea-house S8 -> FAIL:TRADE_NOT_EXIST
        pay tea-house S8 alice 1.00 extend_info={"secondary_merchant_id":"M002","secondary_merchant_name":"Two","secondary_merchant_industry":"5812","store_id":"S001","store_name":"Two"} -> SUCCESS
        # The description of a payment registers nothing.
        pay tea-house S9 alice 1.00 extend_info={"secondary_merchant_id":"M002","store_id":"S001"} -> FAILED:INVALID_STORE_ID
        patch partners tea-house {"store_data":"required"} -> 200 store_data=required
        pay tea-house S9 alice 1.00 -> FAILED:PAYMENT_REQUEST_HAS_RISK
        pay tea-house S9 alice 1.00 extend_info=null -> FAILED:PAYMENT_REQUEST_HAS_RISK
        pay tea-house S9 alice 1.00 extend_info={} -> FAILED:PAYMENT_REQUEST_HAS_RISK
        pay tea-house S9 alice 1.00 extend_info={"secondary_merchant_id":"M001","store_id":"S001"} -> SUCCESS
        books
        "#,
        )
        .await;
    let eve = world.does("GET", "/wallets/alice", "").await;
    let names: Vec<&str> = eve["trades"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trade| trade["store_name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"Two") && names.contains(&"tea-house Central"));
}
