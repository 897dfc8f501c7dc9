//! What a contract says of refunds: funds, commission, the time for them, the hours of rest
//! (`spec/05`; `spec/13`, 8, 9 and 12).

use crate::world::World;

// Goal: a refund is short when it exceeds what is owed plus the reserve: at once it failed for good
// under its number, and holds nothing (`spec/13`, 9).
#[tokio::test]
async fn short_funds_at_once() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay dim-sum T1 alice 100.00 -> SUCCESS
        account dim-sum HKD -> balance=98.80
        refund dim-sum T1 R1 98.81 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH fields=alipay_trans_id,currency,error,partner_refund_id,partner_trans_id,refund_amount,result_code alipay_trans_id=$dim-sum/T1
        refund-query dim-sum T1 R1 -> SUCCESS:FAILED:MERCHANT_BALANCE_NOT_ENOUGH fields=currency,gmt_create,out_return_no,out_trade_no,refund_amount,refund_error_code,refund_result_code,response_code,trade_no
        query dim-sum T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        wallet alice -> 200 balance=99900.00
        # It holds nothing of the payment: the very last cent of the funds goes back.
        refund dim-sum T1 R2 98.80 is_sync=Y -> SUCCESS
        account dim-sum HKD -> balance=0.00
        refund dim-sum T1 R3 0.01 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        wallet alice -> 200 balance=99998.80
        # With new funds the same request stays failed; a new one succeeds.
        pay dim-sum T2 alice 10.00 -> SUCCESS
        refund dim-sum T1 R1 98.81 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        refund dim-sum T1 R1 98.80 is_sync=Y -> FAILED:DISCORDANT_REPEAT_REQUEST
        refund dim-sum T1 R3 0.01 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        refund dim-sum T1 R4 1.20 is_sync=Y -> SUCCESS
        query dim-sum T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        refund-query dim-sum T1 R1 -> SUCCESS:FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        # A deposit counts.
        account dim-sum HKD -> balance=8.68
        refund dim-sum T2 R5 10.00 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        patch partners dim-sum {"reserve":"1.31"} -> 200 reserve=1.31
        refund dim-sum T2 R6 10.00 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        patch partners dim-sum {"reserve":"1.32"} -> 200 reserve=1.32
        refund dim-sum T2 R7 10.00 is_sync=Y -> SUCCESS
        account dim-sum HKD -> balance=-1.32
        wallet alice -> 200 balance=100000.00
        # A cancel is never refused for funds.
        pay dim-sum T3 alice 10.00 -> SUCCESS
        patch partners dim-sum {"reserve":"0"} -> 200
        cancel dim-sum T3 -> SUCCESS action=refund
        wallet alice -> 200 balance=100000.00
        books
        "#,
        )
        .await;
}

// Goal: returned commission pays for part of a refund (`spec/13`, 9).
#[tokio::test]
async fn returned_commission_counts_as_funds() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch partners dim-sum {"commission_on_refund":"returned"} -> 200 commission_on_refund=returned
        pay dim-sum T1 alice 100.00 -> SUCCESS
        refund dim-sum T1 R1 100.00 is_sync=Y -> SUCCESS
        account dim-sum HKD -> balance=0.00
        account commission-income HKD -> balance=0.00
        pay dim-sum T2 alice 100.00 -> SUCCESS
        refund dim-sum T2 R2 100.00 -> SUCCESS
        clock 2026-11-23T23:00:00+08:00
        refund-query dim-sum T2 R2 -> SUCCESS:SUCCESS
        wallet alice -> 200 balance=100000.00
        books
        "#,
        )
        .await;
}

// Goal: asynchronous and short: accepted, found waiting with its reason, tried every night, done in
// the first one with funds (`spec/13`, 9).
#[tokio::test]
async fn short_funds_later() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay dim-sum T1 alice 100.00 -> SUCCESS
        refund dim-sum T1 A1 100.00 -> SUCCESS
        refund-query dim-sum T1 A1 -> SUCCESS:PROCESSING !refund_error_code
        clock 2026-11-23T23:00:00+08:00
        refund-query dim-sum T1 A1 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH !gmt_refund
        wallet alice -> 200 balance=99900.00
        query dim-sum T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        # It holds what it asked for, and a repeat says that it is accepted.
        refund dim-sum T1 S1 0.01 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        refund dim-sum T1 A1 100.00 -> SUCCESS
        clock P1D
        refund-query dim-sum T1 A1 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        # What was there is settled. Funds by day do not wake it; the night does.
        clock 2026-11-25T12:00:00+08:00
        pay dim-sum T2 alice 101.21 -> SUCCESS
        clock 2026-11-25T22:59:59+08:00
        refund-query dim-sum T1 A1 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        clock PT1S
        refund-query dim-sum T1 A1 -> SUCCESS:SUCCESS !refund_error_code `gmt_create=2026-11-23 12:00:00` `gmt_refund=2026-11-25 23:00:00`
        query dim-sum T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        account dim-sum HKD -> balance=0.00
        wallet alice -> 200 balance=99898.79
        books

        # Two that wait, funds for the second: it need not wait for the first.
        clock 2026-11-26T12:00:00+08:00
        pay dim-sum T3 alice 10.00 -> SUCCESS
        refund dim-sum T3 A2 9.90 -> SUCCESS
        refund dim-sum T3 A3 0.10 -> SUCCESS
        clock 2026-11-26T23:00:00+08:00
        refund-query dim-sum T3 A2 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        refund-query dim-sum T3 A3 -> SUCCESS:SUCCESS
        # Waiting for funds does not keep a cancel out, on its own day.
        cancel dim-sum T3 -> SUCCESS action=refund
        refund-query dim-sum T3 A2 -> SUCCESS:CANCELED !refund_error_code
        wallet alice -> 200 balance=99898.79
        clock P2D
        refund-query dim-sum T3 A2 -> SUCCESS:CANCELED
        books
        "#,
        )
        .await;
}

// Goal: after half a year of nights in vain it failed; what it held is free again.
#[tokio::test]
async fn patience_ends() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay dim-sum T1 alice 100.00 -> SUCCESS
        refund dim-sum T1 A1 100.00 -> SUCCESS
        clock 2027-05-22T11:59:59+08:00
        refund-query dim-sum T1 A1 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        clock PT1S
        refund-query dim-sum T1 A1 -> SUCCESS:FAILED:MERCHANT_BALANCE_NOT_ENOUGH !gmt_refund
        query dim-sum T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        refund dim-sum T1 A1 100.00 -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        wallet alice -> 200 balance=99900.00
        # What T1 brought was settled long ago.
        refund dim-sum T1 S0 50.00 is_sync=Y -> FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        pay dim-sum T0 alice 60.00 -> SUCCESS
        refund dim-sum T1 S1 50.00 is_sync=Y -> SUCCESS
        # Nothing wakes the failed one, funds or not.
        pay dim-sum T2 alice 100.00 -> SUCCESS
        clock P3D
        refund-query dim-sum T1 A1 -> SUCCESS:FAILED:MERCHANT_BALANCE_NOT_ENOUGH
        wallet alice -> 200 balance=99790.00
        refund dim-sum T1 S2 50.00 is_sync=Y -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        books

        patch partners dim-sum {"reserve":"20.00"} -> 200
        # Short once, then never looked at for funds again until the last night.
        pay dim-sum T3 alice 1000.00 -> SUCCESS
        refund dim-sum T3 S3 900.00 is_sync=Y -> SUCCESS
        refund dim-sum T3 A3 100.00 -> SUCCESS
        clock P179D
        refund-query dim-sum T3 A3 -> SUCCESS:SUCCESS
        books
        "#,
        )
        .await;
}

// Goal: whether our share comes back with a refund is a term of the contract; several parts give
// exactly what one would (`spec/13`, 12).
#[tokio::test]
async fn commission() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay tea-house K1 alice 100.00 -> SUCCESS
        refund tea-house K1 R1 33.33 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.20
        account tea-house HKD -> balance=65.47
        refund tea-house K1 R2 66.67 -> SUCCESS
        clock 2026-11-23T23:00:00+08:00
        account commission-income HKD -> balance=1.20
        account tea-house HKD -> balance=-1.20

        patch partners tea-house {"commission_on_refund":"returned"} -> 200
        pay tea-house B1 bob 100.00 -> SUCCESS
        account commission-income HKD -> balance=2.40
        refund tea-house B1 R3 33.33 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=2.00
        refund tea-house B1 R4 33.33 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.60
        refund tea-house B1 R5 0.34 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.60
        refund tea-house B1 R6 33.00 -> SUCCESS
        clock 2026-11-24T23:00:00+08:00
        account commission-income HKD -> balance=1.20
        account tea-house HKD -> balance=-1.20
        wallet bob -> 200 balance=100000.00

        # Too small for a share: there is none to give back.
        pay tea-house B2 alice 0.41 -> SUCCESS
        account commission-income HKD -> balance=1.20
        refund tea-house B2 R7 0.41 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.20

        # A cancel returns what refunds have not, whatever the contract says.
        pay tea-house B3 alice 100.00 -> SUCCESS
        refund tea-house B3 R8 50.00 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.80
        patch partners tea-house {"commission_on_refund":"kept"} -> 200
        refund tea-house B3 R9 25.00 is_sync=Y -> SUCCESS
        account commission-income HKD -> balance=1.80
        cancel tea-house B3 -> SUCCESS action=refund
        account commission-income HKD -> balance=1.20
        account tea-house HKD -> balance=-1.20
        wallet alice -> 200 balance=100000.00
        books
        "#,
        )
        .await;
}

// Goal: the time for refunds: whole days after the payment's, to the last second (`spec/05`).
#[tokio::test]
async fn the_time_for_refunds() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch partners tea-house {"refund_days":1} -> 200 refund_days=1
        patch partners duty-free {"refund_days":0} -> 200 refund_days=0
        patch partners dim-sum {"reserve":"10.00"} -> 200
        pay tea-house T1 alice 100.00 -> SUCCESS
        pay dim-sum D1 alice 100.00 -> SUCCESS
        pay duty-free F1 bob 1.00 -> SUCCESS
        clock 2026-11-23T23:59:59+08:00
        refund duty-free F1 R1 0.50 is_sync=Y -> SUCCESS
        clock PT1S
        refund duty-free F1 R2 0.50 is_sync=Y -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        refund duty-free F1 R2 0.50 -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        refund-query duty-free F1 R2 -> NOT_FOUND
        clock 2026-11-24T23:59:59+08:00
        refund tea-house T1 R1 10.00 is_sync=Y -> SUCCESS
        # Accepted in time is in time.
        refund tea-house T1 A1 10.00 -> SUCCESS
        clock PT1S
        refund-query tea-house T1 A1 -> SUCCESS:SUCCESS
        refund tea-house T1 R2 10.00 is_sync=Y -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        refund tea-house T1 R2 10.00 -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        refund tea-house T1 R1 10.00 is_sync=Y -> SUCCESS
        # Too late comes before too much.
        refund tea-house T1 R2 1000.00 is_sync=Y -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        # Of a longer contract it is in time again.
        patch partners tea-house {"refund_days":2} -> 200
        refund tea-house T1 R2 10.00 is_sync=Y -> SUCCESS
        # What the usual contract says: 180 days.
        clock 2027-05-22T23:59:59+08:00
        refund dim-sum D1 R1 1.00 is_sync=Y -> SUCCESS
        clock PT1S
        refund dim-sum D1 R2 1.00 is_sync=Y -> FAILED:REFUNDMENT_VALID_DATE_EXCEED
        wallet alice -> 200 balance=99831.00
        books
        "#,
        )
        .await;
}

// Goal: the option of mainland contracts: no synchronous refunds in the first ninety minutes of a
// day; the same request is good afterwards, and everything else goes on (`spec/05`).
#[tokio::test]
async fn the_rest_after_midnight() {
    let world = World::start().await;
    world
        .check(
            r#"
        pay tea-house T1 alice 100.00 -> SUCCESS
        pay dim-sum D1 alice 100.00 -> SUCCESS
        clock 2026-11-23T23:59:58+08:00
        pay tea-house T2 alice 100.00 -> SUCCESS
        patch partners tea-house {"sync_refund_pause":"after_midnight"} -> 200 sync_refund_pause=after_midnight
        refund tea-house T1 R1 10.00 is_sync=Y -> SUCCESS
        clock 2026-11-24T00:00:00+08:00
        refund tea-house T1 R2 10.00 is_sync=Y -> F:SYSTEM_ERROR
        refund-query tea-house T1 R2 -> NOT_FOUND
        # What is wrong anyway is said; what is done is told.
        refund tea-house T1 R3 1000.00 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        refund tea-house T1 R1 10.00 is_sync=Y -> SUCCESS
        refund tea-house T1 A1 10.00 -> SUCCESS
        cancel tea-house T2 -> SUCCESS action=refund
        refund dim-sum D1 R1 10.00 is_sync=Y -> SUCCESS
        clock 2026-11-24T01:29:59+08:00
        refund tea-house T1 R2 10.00 is_sync=Y -> F:SYSTEM_ERROR
        clock PT1S
        refund tea-house T1 R2 10.00 is_sync=Y -> SUCCESS
        wallet alice -> 200 balance=99830.00
        books
        "#,
        )
        .await;
}

// Goal: what goes back on its day makes room in the limits of that day; a frozen wallet still gets
// its money.
#[tokio::test]
async fn limits_and_frozen_wallets() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch wallets alice {"limit_per_day":"100.00"} -> 200
        pay tea-house T1 alice 100.00 -> SUCCESS
        pay tea-house T2 alice 0.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        refund tea-house T1 R1 40.00 is_sync=Y -> SUCCESS
        pay tea-house T2 alice 40.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        pay tea-house T2 alice 40.00 -> SUCCESS
        patch partners tea-house {"limit_per_day":"50.00"} -> 200
        pay tea-house T3 bob 50.01 -> FAILED:BEYOND_PAY_RESTRICTION
        pay tea-house T3 bob 50.00 -> SUCCESS
        pay tea-house T4 bob 0.01 -> FAILED:BEYOND_PAY_RESTRICTION
        refund tea-house T3 R2 10.00 is_sync=Y -> SUCCESS
        pay tea-house T4 bob 10.00 -> SUCCESS
        patch wallets alice {"frozen":true} -> 200
        refund tea-house T1 R3 60.00 is_sync=Y -> SUCCESS
        wallet alice -> 200 balance=99960.00
        # Yesterday's payment makes no room today.
        patch wallets alice {"frozen":false} -> 200
        clock P1D
        pay tea-house T5 alice 50.00 -> SUCCESS
        refund tea-house T2 R4 40.00 is_sync=Y -> SUCCESS
        pay tea-house T6 alice 0.01 -> FAILED:BEYOND_PAY_RESTRICTION
        pay dim-sum T6 alice 50.01 -> FAILED:BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        pay dim-sum T6 alice 50.00 -> SUCCESS
        wallet alice -> 200 balance=99900.00
        books
        "#,
        )
        .await;
}
