//! Refunds and what became of them (`spec/05`; `spec/13`, 8 to 10, 12, 20).

use crate::parameters::{check_presence, check_value};
use crate::world::World;

// Goal: at once, in parts and to the end, in HKD: the buyer's money, the trade's state, and an
// answer that has neither FX fields nor a wallet's tag (`spec/13`, 10).
#[tokio::test]
async fn at_once() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house T1 alice 100.00 -> SUCCESS
        refund tea-house T1 R1 30.00 is_sync=Y -> SUCCESS fields=alipay_trans_id,currency,partner_refund_id,partner_trans_id,refund_amount,result_code alipay_trans_id=$tea-house/T1 currency=HKD partner_refund_id=R1 partner_trans_id=T1 refund_amount=30.00
        wallet alice -> 200 balance=99930.00
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS trans_amount=100.00
        bill alice tea-house T1 -> state=TRADE_SUCCESS amount=100.00
        refund-query tea-house T1 R1 -> SUCCESS:SUCCESS fields=currency,gmt_create,gmt_refund,out_return_no,out_trade_no,refund_amount,refund_result_code,response_code,trade_no trade_no=$tea-house/T1 out_trade_no=T1 out_return_no=R1 refund_amount=30.00 currency=HKD `gmt_create=2026-11-23 12:00:00` `gmt_refund=2026-11-23 12:00:00`
        account tea-house HKD -> balance=68.80
        account commission-income HKD -> balance=1.20
        books

        # One cent above the rest; it leaves no trace.
        refund tea-house T1 R2 70.01 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL fields=alipay_trans_id,currency,error,partner_refund_id,partner_trans_id,refund_amount,result_code refund_amount=70.01
        refund-query tea-house T1 R2 -> NOT_FOUND fields=out_return_no,out_trade_no,response_code out_return_no=R2 out_trade_no=T1
        refund tea-house T1 R3 100 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL refund_amount=100.00

        refund tea-house T1 R2 0.01 is_sync=Y -> SUCCESS refund_amount=0.01
        clock PT1M
        refund tea-house T1 R4 69.99 is_sync=Y alipay_trans_id=$tea-house/T1 -> SUCCESS
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED trans_amount=100.00 payment_inst=ALIPAYHK alipay_pay_time=20261123120000
        bill alice tea-house T1 -> state=TRADE_CLOSED
        refund-query tea-house T1 R4 -> SUCCESS:SUCCESS `gmt_create=2026-11-23 12:01:00` `gmt_refund=2026-11-23 12:01:00`
        wallet alice -> 200 balance=100000.00
        # Nothing is left: that is above the rest too.
        refund tea-house T1 R5 0.01 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        refund tea-house T1 R5 0.01 -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        # A pay under its id says that it is closed, a cancel that the money is back.
        pay tea-house T1 alice 100.00 -> FAILED:TRADE_HAS_CLOSE
        cancel tea-house T1 -> SUCCESS action=refund
        wallet alice -> 200 balance=100000.00
        account tea-house HKD -> balance=-1.20
        account commission-income HKD -> balance=1.20
        books

        # In one piece, by a program that spells the reason as the table does, and one that does not.
        pay tea-house T2 alice 39.25 -> SUCCESS
        refund tea-house T2 W1 39.25 is_sync=Y `refund_reson=no sugar` -> SUCCESS
        pay tea-house T3 alice 39.25 -> SUCCESS
        refund tea-house T3 W2 39.25 is_sync=y refund_reason=cold -> SUCCESS
        query tea-house T3 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        wallet alice -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: accepted is not refunded: the batch at 23:00 does it, on the payment day too; what is
// accepted counts against the rest at once, and only the batch closes the trade (`spec/13`, 8).
#[tokio::test]
async fn later() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house T1 alice 100.00 -> SUCCESS
        refund tea-house T1 A1 40.00 -> SUCCESS fields=alipay_trans_id,currency,partner_refund_id,partner_trans_id,refund_amount,result_code alipay_trans_id=$tea-house/T1 refund_amount=40.00
        refund-query tea-house T1 A1 -> SUCCESS:PROCESSING fields=currency,gmt_create,out_return_no,out_trade_no,refund_amount,refund_result_code,response_code,trade_no `gmt_create=2026-11-23 12:00:00`
        wallet alice -> 200 balance=99900.00
        refund tea-house T1 A2 60.01 -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        refund tea-house T1 A2 60.01 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        refund tea-house T1 S1 10.00 is_sync=Y -> SUCCESS
        refund tea-house T1 A2 50.00 is_sync=n -> SUCCESS
        refund tea-house T1 A3 0.01 -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        clock 2026-11-23T22:59:59+08:00
        refund-query tea-house T1 A1 -> SUCCESS:PROCESSING !gmt_refund
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        wallet alice -> 200 balance=99910.00
        clock PT1S
        refund-query tea-house T1 A1 -> SUCCESS:SUCCESS `gmt_create=2026-11-23 12:00:00` `gmt_refund=2026-11-23 23:00:00`
        refund-query tea-house T1 A2 -> SUCCESS:SUCCESS
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        wallet alice -> 200 balance=100000.00
        account tea-house HKD -> balance=-1.20
        books

        # The run takes what comes until midnight; from midnight on it waits for the next one.
        pay tea-house T2 alice 100.00 -> SUCCESS
        clock 2026-11-23T23:30:00+08:00
        refund tea-house T2 B1 10.00 -> SUCCESS
        clock PT1S
        refund-query tea-house T2 B1 -> SUCCESS:SUCCESS
        wallet alice -> 200 balance=99910.00
        clock 2026-11-23T23:59:59+08:00
        refund tea-house T2 B2 10.00 -> SUCCESS
        clock PT1S
        refund-query tea-house T2 B2 -> SUCCESS:SUCCESS
        refund tea-house T2 B3 10.00 -> SUCCESS
        clock 2026-11-24T04:00:00+08:00
        refund-query tea-house T2 B3 -> SUCCESS:PROCESSING
        clock 2026-11-24T22:59:59+08:00
        refund-query tea-house T2 B3 -> SUCCESS:PROCESSING
        wallet alice -> 200 balance=99920.00
        clock PT1S
        refund-query tea-house T2 B3 -> SUCCESS:SUCCESS `gmt_refund=2026-11-24 23:00:00`
        query tea-house T2 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        wallet alice -> 200 balance=99930.00
        books
        ",
        )
        .await;
}

// Goal: the option `same_day`: what was paid today goes back right after the request, what was
// paid before waits for the batch.
#[tokio::test]
async fn later_on_the_same_day() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch partners tea-house {"async_refund":"same_day"} -> 200 async_refund=same_day
        pay tea-house T1 alice 100.00 -> SUCCESS
        pay tea-house T2 alice 100.00 -> SUCCESS
        refund tea-house T1 A1 100.00 -> SUCCESS
        clock PT1S
        refund-query tea-house T1 A1 -> SUCCESS:SUCCESS `gmt_create=2026-11-23 12:00:00`
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        wallet alice -> 200 balance=99900.00
        clock 2026-11-24T00:00:00+08:00
        refund tea-house T2 A2 100.00 -> SUCCESS
        clock 2026-11-24T22:59:59+08:00
        refund-query tea-house T2 A2 -> SUCCESS:PROCESSING
        clock PT1S
        refund-query tea-house T2 A2 -> SUCCESS:SUCCESS `gmt_refund=2026-11-24 23:00:00`
        wallet alice -> 200 balance=100000.00
        books
        # Short of funds it waits for the night like any other.
        patch partners dim-sum {"async_refund":"same_day"} -> 200
        pay dim-sum T3 alice 100.00 -> SUCCESS
        refund dim-sum T3 A3 100.00 -> SUCCESS
        clock PT1S
        refund-query dim-sum T3 A3 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        # What it has is paid out by day; what comes then waits for the night too.
        clock 2026-11-25T16:00:00+08:00
        pay dim-sum T4 alice 101.22 -> SUCCESS
        clock 2026-11-25T22:59:59+08:00
        refund-query dim-sum T3 A3 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        clock PT1S
        refund-query dim-sum T3 A3 -> SUCCESS:SUCCESS !refund_error_code
        wallet alice -> 200 balance=99898.78
        books
        "#,
        )
        .await;
}

// Goal: a buyer in CNY gets back by the payment's rate, the last part the rest (`spec/13`, 12); the
// partner never sees it (`spec/13`, 10 and 22).
#[tokio::test]
async fn to_a_wallet_in_cny() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house T1 bob 39.30 -> SUCCESS payment_inst=ALIPAYCN
        wallet bob -> 200 balance=99963.84
        refund tea-house T1 R1 10.00 is_sync=Y -> SUCCESS fields=alipay_trans_id,currency,partner_refund_id,partner_trans_id,refund_amount,result_code currency=HKD
        wallet bob -> 200 balance=99973.04
        refund tea-house T1 R2 10.00 -> SUCCESS fields=alipay_trans_id,currency,partner_refund_id,partner_trans_id,refund_amount,result_code
        clock 2026-11-23T23:00:00+08:00
        wallet bob -> 200 balance=99982.24
        refund-query tea-house T1 R2 -> SUCCESS:SUCCESS currency=HKD refund_amount=10.00
        refund tea-house T1 R3 19.30 is_sync=Y -> SUCCESS
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        wallet bob -> 200 balance=100000.00
        account fx-clearing CNY -> balance=0.00
        account fx-clearing HKD -> balance=0.00
        books

        # The seventh cent is worth nothing, which is no reason to refuse it.
        pay tea-house T2 bob 1.00 -> SUCCESS
        wallet bob -> 200 balance=99999.08
        refund tea-house T2 Z1 0.06 is_sync=Y -> SUCCESS
        wallet bob -> 200 balance=99999.14
        refund tea-house T2 Z2 0.01 is_sync=Y -> SUCCESS
        wallet bob -> 200 balance=99999.14
        refund-query tea-house T2 Z2 -> SUCCESS:SUCCESS refund_amount=0.01
        refund tea-house T2 Z3 0.93 is_sync=Y -> SUCCESS
        wallet bob -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: a standard contract hears the rate and the CNY, under both names and the same, also where
// the batch will do it; another rate since then changes nothing.
#[tokio::test]
async fn of_a_standard_contract() {
    let world = World::start().await;
    let rate = r#"{"base":"USD","quote":"CNY","rate":"7.50","from":"2026-11-24"}"#;
    world.does("POST", "/rates", rate).await;
    for (path, body) in [
        (
            "/partners",
            r#"{"name":"ginza","product":"STANDARD","country":"JP","settlement_currency":"JPY","reserve":"1000"}"#,
        ),
        (
            "/rates",
            r#"{"base":"JPY","quote":"CNY","rate":"0.00477123","from":"2026-11-23"}"#,
        ),
    ] {
        world.does("POST", path, body).await;
    }
    world
        .check(
            "
        pay duty-free T1 bob 33.33 -> SUCCESS trans_amount_cny=239.98 exchange_rate=7.20000000
        wallet bob -> 200 balance=99760.02
        refund duty-free T1 R1 11.11 is_sync=Y -> SUCCESS fields=alipay_trans_id,currency,exchange_rate,partner_refund_id,partner_trans_id,refund_amount,refund_amount_cny,result_code,trans_amount_cny currency=USD exchange_rate=7.20000000 refund_amount_cny=79.99 trans_amount_cny=79.99
        wallet bob -> 200 balance=99840.01
        clock 2026-11-24T12:00:00+08:00
        refund duty-free T1 R2 11.11 -> SUCCESS fields=alipay_trans_id,currency,exchange_rate,partner_refund_id,partner_trans_id,refund_amount,refund_amount_cny,result_code,trans_amount_cny exchange_rate=7.20000000 refund_amount_cny=80.00 trans_amount_cny=80.00
        wallet bob -> 200 balance=99840.01
        clock 2026-11-24T23:00:00+08:00
        wallet bob -> 200 balance=99920.01
        refund duty-free T1 R2 11.11 -> SUCCESS refund_amount_cny=80.00
        refund-query duty-free T1 R2 -> SUCCESS:SUCCESS currency=USD refund_amount=11.11
        refund duty-free T1 R3 11.12 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL fields=alipay_trans_id,currency,error,partner_refund_id,partner_trans_id,refund_amount,result_code
        refund duty-free T1 R4 11.11 is_sync=Y -> SUCCESS exchange_rate=7.20000000 refund_amount_cny=79.99 trans_amount_cny=79.99
        query duty-free T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED trans_amount_cny=239.98
        wallet bob -> 200 balance=100000.00
        refund duty-free T1 R1 11.11 is_sync=Y -> SUCCESS refund_amount_cny=79.99 trans_amount_cny=79.99
        books
        # One yen is less than half a fen.
        pay ginza G1 bob 500 -> SUCCESS trans_amount_cny=2.39
        refund ginza G1 R1 1 is_sync=Y -> SUCCESS refund_amount=1 refund_amount_cny=0.00 trans_amount_cny=0.00
        refund ginza G1 R2 1.5 is_sync=Y -> FAILED:INVALID_PARAMETER
        refund ginza G1 R2 499 is_sync=Y -> SUCCESS refund_amount_cny=2.39
        wallet bob -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: which payment: the partner's number, and ours where it is given; both of one trade, which
// is paid and this partner's own (`spec/13`, 20).
#[tokio::test]
async fn of_which_trade() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house T1 alice 10.00 -> SUCCESS
        pay tea-house T2 alice 10.00 -> SUCCESS
        pay dim-sum D1 alice 10.00 -> SUCCESS
        pay dim-sum D2 alice 10.00 -> SUCCESS
        refund tea-house T9 R1 1.00 is_sync=Y -> FAILED:TRADE_NOT_EXIST fields=currency,error,partner_refund_id,partner_trans_id,refund_amount,result_code
        refund tea-house T9 R1 1.00 -> FAILED:TRADE_NOT_EXIST
        refund tea-house D1 R1 1.00 is_sync=Y -> FAILED:TRADE_NOT_EXIST !alipay_trans_id
        refund tea-house T1 R1 1.00 is_sync=Y alipay_trans_id=$tea-house/T2 -> FAILED:TRADE_NOT_EXIST
        refund tea-house T1 R1 1.00 is_sync=Y alipay_trans_id=$dim-sum/D1 -> FAILED:TRADE_NOT_EXIST
        refund tea-house D1 R1 1.00 is_sync=Y alipay_trans_id=$dim-sum/D1 -> FAILED:TRADE_NOT_EXIST
        refund tea-house T1 R1 1.00 is_sync=Y alipay_trans_id=2013112211001004610000123456 -> FAILED:TRADE_NOT_EXIST
        refund tea-house T1 R1 1.00 is_sync=Y alipay_trans_id=201311221703338463 -> FAILED:TRADE_NOT_EXIST
        refund-query tea-house T1 R1 -> NOT_FOUND
        refund-query tea-house T9 R1 -> TRADE_NOT_EXIST fields=out_return_no,out_trade_no,response_code
        refund-query tea-house D1 R1 -> TRADE_NOT_EXIST

        # The mark that a cancel left is no trade.
        cancel tea-house M1 -> SUCCESS
        refund tea-house M1 R1 1.00 is_sync=Y -> FAILED:TRADE_NOT_EXIST !alipay_trans_id
        refund-query tea-house M1 R1 -> TRADE_NOT_EXIST

        # Unpaid, declined, run out, cancelled.
        pay tea-house W1 careful 10.00 -> UNKNOW
        refund tea-house W1 R1 10.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR alipay_trans_id=$tea-house/W1
        refund tea-house W1 R1 10.00 -> FAILED:TRADE_STATUS_ERROR
        refund-query tea-house W1 R1 -> NOT_FOUND
        confirm careful W1 no -> 200
        refund tea-house W1 R1 10.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR
        pay tea-house W2 careful 10.00 -> UNKNOW
        clock PT3M
        refund tea-house W2 R1 10.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR
        cancel tea-house T2 -> SUCCESS action=refund
        refund tea-house T2 R1 1.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR alipay_trans_id=$tea-house/T2
        refund tea-house T2 R1 1.00 -> FAILED:TRADE_STATUS_ERROR

        # After all of that the number is still free; it is each partner's own.
        refund tea-house T1 R1 1.00 is_sync=Y alipay_trans_id=$tea-house/T1 -> SUCCESS
        refund dim-sum D1 R1 2.00 is_sync=Y -> SUCCESS
        refund-query tea-house T1 R1 -> SUCCESS:SUCCESS refund_amount=1.00
        refund-query dim-sum D1 R1 -> SUCCESS:SUCCESS refund_amount=2.00
        # A refund is found under its own payment only.
        refund-query dim-sum D2 R1 -> NOT_FOUND
        refund-query tea-house T2 R1 -> NOT_FOUND
        # A number of a refund may be a number of another trade.
        refund tea-house T1 T2 1.00 is_sync=Y -> SUCCESS
        wallet alice -> 200 balance=99974.00
        books
        ",
        )
        .await;
}

// Goal: the same again answers the refund's present state and has no second effect; anything else
// under its number is refused (`spec/05`; `spec/13`, 20), whatever became of it.
#[tokio::test]
async fn repeats() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay tea-house T1 alice 100.00 -> SUCCESS
        pay tea-house T2 alice 100.00 -> SUCCESS
        # Done.
        refund tea-house T1 R1 30.00 is_sync=Y refund_reason=first -> SUCCESS
        refund tea-house T1 R1 30.00 is_sync=Y refund_reason=first -> SUCCESS fields=alipay_trans_id,currency,partner_refund_id,partner_trans_id,refund_amount,result_code refund_amount=30.00
        refund tea-house T1 R1 30 is_sync=Y refund_reason=second alipay_trans_id=$tea-house/T1 -> SUCCESS
        refund tea-house T1 R1 30.01 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST fields=alipay_trans_id,currency,error,partner_refund_id,partner_trans_id,refund_amount,result_code
        refund tea-house T1 R1 30.00 currency=CNY is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund tea-house T1 R1 30.00 is_sync=N -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund tea-house T2 R1 30.00 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund tea-house T9 R1 30.00 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST !alipay_trans_id
        refund tea-house T1 R1 30.00 is_sync=Y alipay_trans_id=$tea-house/T2 -> FAILED:DISCORDANT_REPEAT_REQUEST
        # A changed one that is above the rest, too: the number is what is wrong.
        refund tea-house T1 R1 1000.00 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST
        wallet alice -> 200 balance=99830.00
        # Accepted.
        refund tea-house T1 A1 70.00 -> SUCCESS
        refund tea-house T1 A1 70.00 -> SUCCESS refund_amount=70.00
        refund tea-house T1 A1 70.00 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund tea-house T1 A1 69.99 -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund-query tea-house T1 A1 -> SUCCESS:PROCESSING
        wallet alice -> 200 balance=99830.00
        # Cancelled with its trade.
        refund tea-house T2 C1 10.00 -> SUCCESS
        cancel tea-house T2 -> SUCCESS action=refund
        refund tea-house T2 C1 10.00 -> FAILED:TRADE_STATUS_ERROR
        refund tea-house T2 C1 10.01 -> FAILED:DISCORDANT_REPEAT_REQUEST
        wallet alice -> 200 balance=99930.00
        clock 2026-11-23T23:00:00+08:00
        # Done by the batch, its trade closed with it.
        refund tea-house T1 A1 70.00 -> SUCCESS refund_amount=70.00
        refund tea-house T1 A1 69.99 -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund tea-house T1 R1 30.00 is_sync=Y -> SUCCESS
        wallet alice -> 200 balance=100000.00
        # A year later.
        clock P365D
        refund tea-house T1 R1 30.00 is_sync=Y -> SUCCESS
        refund tea-house T1 A1 70.00 -> SUCCESS
        refund tea-house T1 A1 70.00 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund-query tea-house T1 R1 -> SUCCESS:SUCCESS
        wallet alice -> 200 balance=100000.00
        books
        "#,
        )
        .await;
}

// Goal: the values of a refund, each just inside and just outside of what it takes; nothing of it
// moves money or takes a number.
#[tokio::test]
async fn values() {
    const MISSING: &str = "F:ILLEGAL_ARGUMENT";
    const BAD: &str = "FAILED:INVALID_PARAMETER";
    const ABOVE: &str = "FAILED:REFUND_AMT_NOT_EQUAL_TOTAL";
    let world = World::start().await;
    world.check("pay tea-house T1 alice 10.00 -> SUCCESS").await;
    let till = world.till("tea-house").await;
    let base = till.refund("T1", "R1", "10.01");
    for (name, missing) in [
        ("service", "F:ILLEGAL_SERVICE"),
        ("partner", "F:ILLEGAL_PARTNER"),
        ("partner_trans_id", MISSING),
        ("partner_refund_id", MISSING),
        ("refund_amount", MISSING),
        ("currency", MISSING),
    ] {
        check_presence(&till, &world, &base, name, missing).await;
    }
    let mut optional = base.clone();
    let number = world.names.lock().unwrap()["tea-house/T1"].clone();
    for (name, value) in [
        ("alipay_trans_id", number.as_str()),
        ("refund_reson", "cold"),
        ("refund_reason", "cold"),
        ("is_sync", "Y"),
        ("notify_url", "https://shop.example/n"),
    ] {
        crate::till::set(&mut optional, name, value);
    }
    for (name, _) in optional.iter().skip(base.len()) {
        check_presence(&till, &world, &optional, name, ABOVE).await;
    }
    let [long_64, long_65] = [64, 65].map(|count| "茶".repeat(count));
    let [long_128, long_129] = [128, 129].map(|count| "茶".repeat(count));
    for row in [
        // `spec/05`: it must differ from the payment's.
        ("partner_refund_id", "T1", BAD),
        ("partner_refund_id", long_65.as_str(), BAD),
        ("partner_refund_id", "a\"b", BAD),
        ("partner_refund_id", " a", BAD),
        ("partner_refund_id", &long_64, ABOVE),
        ("partner_trans_id", &long_65, BAD),
        ("partner_trans_id", &long_64, "FAILED:TRADE_NOT_EXIST"),
        ("alipay_trans_id", &long_65, BAD),
        ("alipay_trans_id", "2026 1123", BAD),
        ("currency", "CNY", "FAILED:CURRENCY_NOT_SAME"),
        ("currency", "USD", "FAILED:CURRENCY_NOT_SAME"),
        ("currency", "hkd", "FAILED:CURRENCY_NOT_SAME"),
        ("currency", "XXX", "FAILED:CURRENCY_NOT_SAME"),
        ("refund_amount", "0", BAD),
        ("refund_amount", "0.00", BAD),
        ("refund_amount", "-1", BAD),
        ("refund_amount", "-0.01", BAD),
        ("refund_amount", "+1", BAD),
        ("refund_amount", "1.001", BAD),
        ("refund_amount", "1.000", BAD),
        ("refund_amount", "1.", BAD),
        ("refund_amount", ".5", BAD),
        ("refund_amount", "1,00", BAD),
        ("refund_amount", "1e1", BAD),
        ("refund_amount", " 1", BAD),
        ("refund_amount", "NaN", BAD),
        ("refund_amount", "9999999.99", ABOVE),
        ("refund_amount", "10000000.00", BAD),
        ("refund_amount", "99999999999999999999", BAD),
        ("is_sync", "X", BAD),
        ("is_sync", "YES", BAD),
        ("is_sync", "true", BAD),
        ("is_sync", "Y", ABOVE),
        ("is_sync", "y", ABOVE),
        ("is_sync", "n", ABOVE),
        ("refund_reson", &long_129, BAD),
        ("refund_reson", &long_128, ABOVE),
        ("refund_reason", &long_129, BAD),
        ("refund_reason", &long_128, ABOVE),
        ("notify_url", "shop.example", BAD),
        ("notify_url", "https://shop.example/n", ABOVE),
    ] {
        check_value(&till, &world, &base, row).await;
    }
    world
        .check(
            "
        # A malformed one is answered with the numbers that can be read.
        refund tea-house T1 R1 1.001 -> FAILED:INVALID_PARAMETER fields=error,partner_refund_id,partner_trans_id,result_code partner_refund_id=R1
        refund tea-house T1 T1 1.00 -> FAILED:INVALID_PARAMETER
        refund-query tea-house T1 R1 -> NOT_FOUND
        wallet alice -> 200 balance=99990.00
        ",
        )
        .await;
    let base = till.refund_query("T1", "R1");
    for (name, missing) in [
        ("service", "F:ILLEGAL_SERVICE"),
        ("partner", "F:ILLEGAL_PARTNER"),
        ("out_trade_no", MISSING),
        ("out_return_no", MISSING),
    ] {
        check_presence(&till, &world, &base, name, missing).await;
    }
    for row in [
        ("out_return_no", long_65.as_str(), "NOT_FOUND"),
        ("out_return_no", &long_128, "NOT_FOUND"),
        ("out_return_no", &long_129, "INVALID_PARAMETER"),
        ("out_return_no", "a\"b", "NOT_FOUND"),
        ("out_trade_no", &long_65, "INVALID_PARAMETER"),
        ("out_trade_no", &long_64, "TRADE_NOT_EXIST"),
    ] {
        check_value(&till, &world, &base, row).await;
    }
    world.books().await;
}

// Goal: a cancel gives back what is left after refunds, turns the accepted ones into CANCELED, and
// gives the commission back (`spec/13`, 6); the batch finds nothing to do.
#[tokio::test]
async fn and_cancels() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house T1 alice 100.00 -> SUCCESS
        refund tea-house T1 S1 30.00 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.20
        cancel tea-house T1 -> SUCCESS action=refund trade_no=$tea-house/T1
        wallet alice -> 200 balance=100000.00
        account tea-house HKD -> balance=0.00
        account commission-income HKD -> balance=0.00
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        refund-query tea-house T1 S1 -> SUCCESS:SUCCESS
        books

        pay tea-house T2 bob 100.00 -> SUCCESS
        wallet bob -> 200 balance=99908.00
        refund tea-house T2 A1 30.00 -> SUCCESS
        refund tea-house T2 A2 20.00 -> SUCCESS
        refund tea-house T2 S2 33.33 is_sync=Y -> SUCCESS
        wallet bob -> 200 balance=99938.66
        cancel tea-house T2 -> SUCCESS action=refund
        wallet bob -> 200 balance=100000.00
        refund-query tea-house T2 A1 -> SUCCESS:CANCELED fields=currency,gmt_create,out_return_no,out_trade_no,refund_amount,refund_result_code,response_code,trade_no
        refund-query tea-house T2 A2 -> SUCCESS:CANCELED
        refund-query tea-house T2 S2 -> SUCCESS:SUCCESS
        query tea-house T2 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        cancel tea-house T2 -> SUCCESS action=refund
        refund tea-house T2 S3 1.00 is_sync=Y -> FAILED:TRADE_STATUS_ERROR
        clock 2026-11-23T23:30:00+08:00
        wallet bob -> 200 balance=100000.00
        refund-query tea-house T2 A1 -> SUCCESS:CANCELED
        account tea-house HKD -> balance=0.00
        account commission-income HKD -> balance=0.00
        account fx-clearing HKD -> balance=0.00
        account fx-clearing CNY -> balance=0.00
        books

        # A whole payment that waits to go back goes back with the cancel; reverse does the same.
        pay tea-house T3 alice 50.00 -> SUCCESS
        clock 2026-11-24T12:00:00+08:00
        pay tea-house T4 alice 50.00 -> SUCCESS
        refund tea-house T4 A4 50.00 -> SUCCESS
        refund tea-house T3 A3 50.00 -> SUCCESS
        reverse tea-house T4 -> SUCCESS
        refund-query tea-house T4 A4 -> SUCCESS:CANCELED
        # Too late to cancel: the refund stands.
        cancel tea-house T3 -> FAIL:TRADE_CANCEL_TIME_OUT
        refund-query tea-house T3 A3 -> SUCCESS:PROCESSING
        clock 2026-11-24T23:00:00+08:00
        refund-query tea-house T3 A3 -> SUCCESS:SUCCESS
        refund-query tea-house T4 A4 -> SUCCESS:CANCELED
        # All of it went back: a cancel of that succeeds at any time.
        cancel tea-house T3 -> SUCCESS action=refund
        wallet alice -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: a reset forgets refunds in every state, and stores; the clock goes on.
#[tokio::test]
async fn after_a_reset() {
    let world = World::start().await;
    world
        .check(
            r#"
        register tea-house M002 S002 -> SUCCESS
        register tea-house M001 S001 `store_name=New Front` -> SUCCESS
        pay tea-house T1 alice 100.00 extend_info={"secondary_merchant_id":"M002","store_id":"S002"} -> SUCCESS
        pay tea-house T2 alice 100.00 -> SUCCESS
        pay dim-sum T3 alice 100.00 -> SUCCESS
        refund tea-house T1 R1 30.00 is_sync=Y notify_url=http://localhost:1/n -> SUCCESS
        refund tea-house T1 R2 30.00 -> SUCCESS
        refund tea-house T2 R3 30.00 -> SUCCESS
        cancel tea-house T2 -> SUCCESS
        refund dim-sum T3 R4 99.00 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        refund dim-sum T3 R5 99.00 -> SUCCESS
        clock 2026-11-24T12:00:00+08:00
        refund tea-house T1 R6 30.00 -> SUCCESS
        "#,
        )
        .await;
    world.does("POST", "/reset", "").await;
    world.names.lock().unwrap().clear();
    world
        .check(
            "
        refund-query tea-house T1 R1 -> TRADE_NOT_EXIST
        store-status tea-house M002 S002 -> DATA_NOT_EXIST
        wallet alice -> 200 balance=100000.00
        pay tea-house T1 alice 100.00 -> SUCCESS
        bill alice tea-house T1 -> `store_name=tea-house Central`
        refund-query tea-house T1 R1 -> NOT_FOUND
        refund tea-house T1 R1 31.00 -> SUCCESS
        clock 2026-11-24T23:00:00+08:00
        refund-query tea-house T1 R1 -> SUCCESS:SUCCESS
        wallet alice -> 200 balance=99931.00
        account tea-house HKD -> balance=67.80
        books
        ",
        )
        .await;
}
