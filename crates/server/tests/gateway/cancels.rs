//! Cancel of everything, under three names, and its window.

use crate::world::World;

// Goal: a cancel of nothing succeeds and keeps the pay that arrives after it from debiting
// (`spec/13`, 4).
#[tokio::test]
async fn of_nothing() {
    let world = World::start().await;
    world
        .check(
            "
        code A alice
        cancel tea-house N1 -> SUCCESS fields=out_trade_no,result_code,retry_flag out_trade_no=N1 retry_flag=N
        query tea-house N1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house N1 $A 10.00 -> FAILED:TRADE_HAS_CLOSE !alipay_trans_id
        query tea-house N1 -> FAIL:TRADE_NOT_EXIST
        cancel tea-house N1 -> SUCCESS !trade_no !action retry_flag=N
        pay tea-house N1 alice 12.00 -> FAILED:TRADE_HAS_CLOSE
        # Not for other partners and other ids; the code is unused.
        pay dim-sum N1 alice 10.00 -> SUCCESS
        pay tea-house N2 $A 10.00 -> SUCCESS
        # After a refused pay there is nothing either.
        pay tea-house N3 poor 10.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        cancel tea-house N3 -> SUCCESS !trade_no !action
        pay tea-house N3 alice 10.00 -> FAILED:TRADE_HAS_CLOSE
        # The mark stays.
        clock PT720H
        pay tea-house N1 alice 10.00 -> FAILED:TRADE_HAS_CLOSE
        cancel tea-house N1 -> SUCCESS !trade_no !action
        wallet alice -> 200 balance=99980.00
        books
        ",
        )
        .await;
}

// Goal: a waiting trade is closed, a paid one gives the money back, both again and again; the
// customer's answer comes too late.
#[tokio::test]
async fn of_trades() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house W1 careful 10.00 -> UNKNOW
        cancel tea-house W1 -> SUCCESS fields=action,out_trade_no,result_code,retry_flag,trade_no action=close out_trade_no=W1 retry_flag=N trade_no=$tea-house/W1
        query tea-house W1 -> SUCCESS alipay_trans_status=TRADE_CLOSED !alipay_pay_time
        confirm careful W1 yes -> 409:not_waiting
        cancel tea-house W1 -> SUCCESS action=close trade_no=$tea-house/W1
        wallet careful -> 200 balance=100000.00

        pay tea-house P1 alice 10.00 -> SUCCESS
        cancel tea-house P1 -> SUCCESS fields=action,out_trade_no,result_code,retry_flag,trade_no action=refund retry_flag=N trade_no=$tea-house/P1
        query tea-house P1 -> SUCCESS alipay_trans_status=TRADE_CLOSED payment_inst=ALIPAYHK
        wallet alice -> 200 balance=100000.00
        cancel tea-house P1 -> SUCCESS action=refund trade_no=$tea-house/P1
        wallet alice -> 200 balance=100000.00

        # In CNY, to the fen.
        pay tea-house P2 bob 39.30 -> SUCCESS
        pay duty-free P2 bob 0.01 -> SUCCESS
        cancel tea-house P2 -> SUCCESS action=refund
        cancel duty-free P2 -> SUCCESS action=refund
        wallet bob -> 200 balance=100000.00

        pay tea-house T1 careful 10.00 -> UNKNOW
        clock PT3M
        cancel tea-house T1 -> SUCCESS action=close trade_no=$tea-house/T1
        # Days later still: it is closed, which is all that was asked (`spec/13`, 6).
        clock PT72H
        cancel tea-house T1 -> SUCCESS action=close
        cancel tea-house P1 -> SUCCESS action=refund

        pay tea-house D1 careful 10.00 -> UNKNOW
        confirm careful D1 no -> 200
        cancel tea-house D1 -> SUCCESS action=close

        # Paid after it waited.
        pay tea-house C1 careful 10.00 -> UNKNOW
        confirm careful C1 yes -> 200
        wallet careful -> 200 balance=99990.00
        cancel tea-house C1 -> SUCCESS action=refund
        wallet careful -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: a trade is found by either number, ours wins, and one that leads nowhere does not keep the
// partner's own from being closed.
#[tokio::test]
async fn by_either_number() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house B1 alice 1.00 -> SUCCESS
        pay tea-house B2 alice 1.00 -> SUCCESS
        pay tea-house B3 alice 1.00 -> SUCCESS
        cancel tea-house - trade_no=$tea-house/B1 -> SUCCESS out_trade_no=B1 trade_no=$tea-house/B1 action=refund
        query tea-house B1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        cancel tea-house B2 trade_no=$tea-house/B2 -> SUCCESS out_trade_no=B2 action=refund
        cancel tea-house - out_trade_no=B9 trade_no=$tea-house/B3 -> SUCCESS out_trade_no=B3 trade_no=$tea-house/B3 action=refund
        query tea-house B3 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        # B9 was not touched.
        pay tea-house B9 alice 1.00 -> SUCCESS
        # Numbers that lead nowhere: another gateway's, one of ours that is none, another partner's.
        pay dim-sum B1 alice 1.00 -> SUCCESS
        cancel tea-house - trade_no=201311221703338463 -> FAIL:TRADE_NOT_EXIST retry_flag=N detail_error_code=TRADE_NOT_EXIST !action !trade_no
        cancel tea-house - trade_no=2026112322001443200000000001 -> FAIL:TRADE_NOT_EXIST
        cancel tea-house - trade_no=$dim-sum/B1 -> FAIL:TRADE_NOT_EXIST retry_flag=N
        query dim-sum B1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        pay tea-house B4 alice 1.00 -> SUCCESS
        cancel tea-house - out_trade_no=B4 trade_no=201311221703338463 -> SUCCESS out_trade_no=B4 action=refund
        cancel tea-house - out_trade_no=B5 trade_no=201311221703338463 -> SUCCESS out_trade_no=B5 !trade_no !action
        pay tea-house B5 alice 1.00 -> FAILED:TRADE_HAS_CLOSE
        wallet alice -> 200 balance=99998.00
        books
        ",
        )
        .await;
}

// Goal: the old names are answered on both contracts in their own shapes (`spec/04`; `spec/13`, 7).
#[tokio::test]
async fn the_old_names() {
    let world = World::start().await;
    for (verb, time) in [
        ("spot-cancel", "alipay_cancel_time"),
        ("reverse", "alipay_reverse_time"),
    ] {
        let script = "
        pay tea-house VERB-P alice 10.00 -> SUCCESS
        VERB tea-house VERB-P -> SUCCESS fields=WHEN,alipay_trans_id,partner_trans_id,result_code partner_trans_id=VERB-P alipay_trans_id=$tea-house/VERB-P
        query tea-house VERB-P -> SUCCESS alipay_trans_status=TRADE_CLOSED
        VERB tea-house VERB-P -> SUCCESS alipay_trans_id=$tea-house/VERB-P
        cancel tea-house VERB-P -> SUCCESS action=refund

        pay tea-house VERB-W careful 10.00 -> UNKNOW
        VERB tea-house VERB-W -> SUCCESS alipay_trans_id=$tea-house/VERB-W
        query tea-house VERB-W -> SUCCESS alipay_trans_status=TRADE_CLOSED

        VERB tea-house VERB-N -> SUCCESS !alipay_trans_id partner_trans_id=VERB-N
        pay tea-house VERB-N alice 10.00 -> FAILED:TRADE_HAS_CLOSE

        pay duty-free VERB-P bob 10.00 -> SUCCESS
        VERB duty-free VERB-P -> SUCCESS

        pay tea-house VERB-L alice 10.00 -> SUCCESS
        clock PT24H
        VERB tea-house VERB-L -> FAILED:TRADE_CANCEL_TIME_OUT fields=error,partner_trans_id,result_code !WHEN
        VERB tea-house - -> F:ILLEGAL_ARGUMENT
        ";
        world
            .check(&script.replace("VERB", verb).replace("WHEN", time))
            .await;
    }
    world
        .check(
            "
        # Their times are those of the cancel.
        clock 2026-12-01T12:00:00+08:00
        pay tea-house O1 alice 1.00 -> SUCCESS
        pay tea-house O2 alice 1.00 -> SUCCESS
        clock PT90S
        spot-cancel tea-house O1 -> SUCCESS alipay_cancel_time=20261201120130
        reverse tea-house O2 -> SUCCESS alipay_reverse_time=20261201120130
        clock PT1M
        reverse tea-house O2 -> SUCCESS alipay_reverse_time=20261201120130
        wallet bob -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: the window (`spec/13`, 5): until midnight GMT+8 of the creation day or fifteen minutes
// after creation, whichever is later, paid or not.
#[tokio::test]
async fn the_window() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house N1 alice 10.00 -> SUCCESS
        pay tea-house N2 alice 10.00 -> SUCCESS
        clock 2026-11-23T23:50:00+08:00
        pay tea-house L1 alice 10.00 -> SUCCESS
        pay tea-house L2 alice 10.00 -> SUCCESS
        clock 2026-11-23T23:58:00+08:00
        pay tea-house C1 careful 10.00 -> UNKNOW
        clock 2026-11-23T23:59:59+08:00
        # A till that lost its answer in the last second of the day.
        pay tea-house M1 alice 10.00 -> SUCCESS
        pay tea-house W1 careful 10.00 -> UNKNOW
        cancel tea-house N1 -> SUCCESS action=refund

        clock 2026-11-24T00:00:00+08:00
        pay tea-house F1 alice 10.00 -> SUCCESS
        cancel tea-house N2 -> FAIL:TRADE_CANCEL_TIME_OUT fields=detail_error_code,detail_error_des,out_trade_no,result_code,retry_flag retry_flag=N out_trade_no=N2 !action
        query tea-house N2 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        cancel tea-house N1 -> SUCCESS action=refund
        cancel tea-house M1 -> SUCCESS action=refund
        cancel tea-house W1 -> SUCCESS action=close

        # Created before midnight, paid after it: the creation counts.
        confirm careful C1 yes -> 200
        clock 2026-11-24T00:04:59+08:00
        cancel tea-house L1 -> SUCCESS action=refund
        clock PT1S
        cancel tea-house L2 -> FAIL:TRADE_CANCEL_TIME_OUT retry_flag=N
        cancel tea-house L2 -> FAIL:TRADE_CANCEL_TIME_OUT retry_flag=N
        clock 2026-11-24T00:12:59+08:00
        cancel tea-house C1 -> SUCCESS action=refund

        clock 2026-11-24T23:59:59+08:00
        cancel tea-house F1 -> SUCCESS action=refund
        # N2 and L2 stay paid.
        wallet alice -> 200 balance=99980.00
        wallet careful -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: the option `unpaid_only`: the quarter of an hour after midnight is for unpaid trades.
#[tokio::test]
async fn the_window_for_unpaid_only() {
    let world = World::start().await;
    world
        .check(
            r#"
        patch partners tea-house {"cancel_grace":"unpaid_only"} -> 200 cancel_grace=unpaid_only
        clock 2026-11-23T23:58:00+08:00
        pay tea-house P1 alice 10.00 -> SUCCESS
        pay tea-house P2 alice 10.00 -> SUCCESS
        pay tea-house W1 careful 10.00 -> UNKNOW
        pay dim-sum P1 alice 10.00 -> SUCCESS
        clock 2026-11-23T23:59:59+08:00
        cancel tea-house P1 -> SUCCESS action=refund
        clock PT1S
        cancel tea-house P2 -> FAIL:TRADE_CANCEL_TIME_OUT retry_flag=N
        cancel tea-house W1 -> SUCCESS action=close
        cancel dim-sum P1 -> SUCCESS action=refund
        wallet alice -> 200 balance=99990.00
        books
        "#,
        )
        .await;
}
