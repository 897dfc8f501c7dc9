//! What a partner hears: which changes say so, and how often it is told.

use super::check;

// Goal: a payment is told to the address of its request, whichever way it came about; nobody hears
// of one that waits, is refused or repeated.
#[test]
fn payments() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house T1 1.00 HKD alice/c1 url=http://shop/t1
        show    notification tea-house T1      -> TradePaid to http://shop/t1 waiting open, sent 0, next 12:00:00
        wait    1
        pay     tea-house T1 1.00 HKD alice/c1 url=http://shop/t2
        show    notification tea-house T1      -> TradePaid to http://shop/t1 waiting open, sent 0, next 12:00:00
        pay     tea-house T2 1.00 HKD alice
        show    notification tea-house T2      -> nothing
        pay     tea-house T3 999.00 HKD alice url=http://shop/t3 -> refused FundsShort
        show    notification tea-house T3      -> nothing
        pay     tea-house W1 1.00 HKD carol url=http://shop/w1
        show    notification tea-house W1      -> nothing
        accept  tea-house W1 carol
        show    notification tea-house W1      -> TradePaid to http://shop/w1 waiting open, sent 0, next 12:00:01
        wait    1
        accept  tea-house W1 carol             -> repeat, paid commission 0.01
        show    notification tea-house W1      -> TradePaid to http://shop/w1 waiting open, sent 0, next 12:00:01
        ",
    );
}

// Goal: a trade that closes by itself or by its buyer is told; what the partner did itself is not.
#[test]
fn ends_of_trades() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house D1 1.00 HKD carol url=http://shop/d1
        pay     tea-house E1 1.00 HKD carol url=http://shop/e1
        pay     tea-house E2 1.00 HKD carol url=http://shop/e2
        pay     tea-house E3 1.00 HKD carol
        pay     tea-house C1 1.00 HKD carol url=http://shop/c1
        pay     tea-house P1 1.00 HKD alice url=http://shop/p1
        pay     tea-house P2 1.00 HKD alice url=http://shop/p2
        decline tea-house D1 carol
        decline tea-house D1 carol
        cancel  tea-house C1                -> closed Cancelled(Cancel), Close
        cancel  tea-house M1                -> nothing
        cancel  tea-house P1                -> closed Cancelled(Cancel), Refund
        refund  tea-house P2 R1 1.00 sync url=http://shop/r1
        show    notification tea-house D1   -> TradeClosed to http://shop/d1 waiting open, sent 0, next 12:00:00
        show    notification tea-house C1   -> nothing
        show    notification tea-house M1   -> nothing
        show    notification tea-house P1   -> TradePaid to http://shop/p1 waiting open, sent 0, next 12:00:00
        show    notification tea-house P2   -> TradePaid to http://shop/p2 waiting open, sent 0, next 12:00:00
        show    notification tea-house R1   -> nothing
        at      12:04:00
        close   tea-house E1                -> Done
        close   tea-house E3                -> Done
        show    notification tea-house E1   -> TradeClosed to http://shop/e1 waiting open, sent 0, next 12:04:00
        show    notification tea-house E3   -> nothing
        cancel  tea-house E2                -> closed Expired, Close    # it had expired before
        show    notification tea-house E2   -> TradeClosed to http://shop/e2 waiting open, sent 0, next 12:04:00
        wait    1
        close   tea-house E1                -> Nothing
        cancel  tea-house E1                -> repeat, closed Expired, Close
        cancel  tea-house E2                -> repeat, closed Expired, Close
        show    notification tea-house E1   -> TradeClosed to http://shop/e1 waiting open, sent 0, next 12:04:00
        ",
    );
}

// Goal: a refund is told when the night did it, at its own address: not when it is accepted, put
// off, given up or cancelled, nor when it was synchronous.
#[test]
fn refunds() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice url=http://shop/t1
        pay     tea-house T2 10.00 HKD alice url=http://shop/t2
        pay     tea-house T3 10.00 HKD alice
        refund  tea-house T1 R1 30.00 sync url=http://shop/r1
        refund  tea-house T1 R2 30.00 async url=http://shop/r2
        refund  tea-house T1 R3 10.00 async
        refund  tea-house T2 R4 10.00 async url=http://shop/r4
        refund  tea-house T3 R5 10.00 async url=http://shop/r5
        refund  tea-house T1 R6 30.00 async url=http://shop/r6
        cancel  tea-house T3
        show    notification tea-house R2 -> nothing
        until   23:00:00                  -> R2 Done, R3 Done, R4 Done, R6 PutOff
        show    notification tea-house R1 -> nothing
        show    notification tea-house R2 -> RefundDone to http://shop/r2 waiting open, sent 0, next 23:00:00
        show    notification tea-house R3 -> nothing
        show    notification tea-house R4 -> RefundDone to http://shop/r4 waiting open, sent 0, next 23:00:00
        show    tea-house T2              -> closed Refunded after payment at 23:00:00
        show    notification tea-house T2 -> TradePaid to http://shop/t2 waiting open, sent 0, next 12:00:00
        show    notification tea-house R5 -> nothing
        show    notification tea-house R6 -> nothing
        until   2027-06-01 00:00:00       -> R6 PutOff x179, R6 Done
        show    refund tea-house R6       -> 30.00 failed at 2027-05-22 12:00:00
        show    notification tea-house R6 -> nothing
        ",
    );
}

// Goal: the contract's address comes before the request's, as it stands when it happens.
#[test]
fn the_address_of_the_contract() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house W1 1.00 HKD carol url=http://shop/w1
        pay     tea-house W2 1.00 HKD carol
        pay     tea-house T1 1.00 HKD alice url=http://shop/t1
        refund  tea-house T1 R1 1.00 async url=http://shop/r1
        partner tea-house HK reserve=100.00 notify_url=http://head/n
        accept  tea-house W1 carol
        decline tea-house W2 carol
        pay     tea-house T2 1.00 HKD alice
        pay     tea-house T3 1.00 HKD alice url=http://shop/t3
        refund  tea-house T2 R2 1.00 async
        until   23:00:00                  -> R1 Done, R2 Done
        show    notification tea-house W1 -> TradePaid to http://head/n waiting open, sent 0, next 12:00:00
        show    notification tea-house W2 -> TradeClosed to http://head/n waiting open, sent 0, next 12:00:00
        show    notification tea-house T1 -> TradePaid to http://shop/t1 waiting open, sent 0, next 12:00:00
        show    notification tea-house T2 -> TradePaid to http://head/n waiting open, sent 0, next 12:00:00
        show    notification tea-house T3 -> TradePaid to http://head/n waiting open, sent 0, next 12:00:00
        show    notification tea-house R1 -> RefundDone to http://head/n waiting open, sent 0, next 23:00:00
        show    notification tea-house R2 -> RefundDone to http://head/n waiting open, sent 0, next 23:00:00
        ",
    );
}

// Goal: eight sends in vain, each after its gap from the one before, then no more.
#[test]
fn the_ladder() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        pay     tea-house T1 1.00 HKD alice url=http://shop
        deliver tea-house T1 lost -> TradePaid to http://shop waiting open, sent 1, next 12:02:00
        at      12:02:00
        deliver tea-house T1 500  -> TradePaid to http://shop waiting open, sent 2, next 12:12:00
        at      12:12:00.25
        deliver tea-house T1 200  -> TradePaid to http://shop waiting open, sent 3, next 12:22:00.25
        at      12:22:01
        deliver tea-house T1 lost -> TradePaid to http://shop waiting open, sent 4, next 13:22:01
        at      13:22:01
        deliver tea-house T1 lost -> TradePaid to http://shop waiting open, sent 5, next 15:22:01
        at      15:22:01
        deliver tea-house T1 404  -> TradePaid to http://shop waiting open, sent 6, next 21:22:01
        at      21:22:01
        deliver tea-house T1 lost -> TradePaid to http://shop waiting open, sent 7, next 2026-11-24 12:22:01
        at      2026-11-24 12:22:01
        deliver tea-house T1 lost -> TradePaid to http://shop given up open, sent 8
        show    notification tea-house T1 -> TradePaid to http://shop given up open, sent 8
        ",
    );
}

// Goal: an acknowledgement ends it at any rung, also one that comes twice or after the end.
#[test]
fn acknowledgements() {
    check(
        "
        partner tea-house HK notify_url=http://shop
        wallet  alice HK 100.00
        pay     tea-house T1 1.00 HKD alice
        pay     tea-house T2 1.00 HKD alice
        deliver tea-house T1 success -> TradePaid to http://shop acknowledged void, sent 1
        deliver tea-house T1 success -> TradePaid to http://shop acknowledged void, sent 2
        deliver tea-house T1 lost    -> TradePaid to http://shop acknowledged void, sent 3
        deliver tea-house T2 lost
        deliver tea-house T2 success -> TradePaid to http://shop acknowledged void, sent 2
        deliver tea-house T9 success -> refused NotificationUnknown
        resend  tea-house T9         -> refused NotificationUnknown
        batch
        pay     tea-house T3 1.00 HKD alice
        deliver tea-house T1 lost    -> TradePaid to http://shop acknowledged void, sent 4
        deliver tea-house T1 success -> TradePaid to http://shop acknowledged void, sent 5
        end
        ",
    );
}

// Goal: by hand one is sent at any time and whatever it is; that takes a rung while it waits, and
// changes only its acknowledgement after that.
#[test]
fn sent_by_hand() {
    check(
        "
        partner tea-house HK notify_url=http://shop
        wallet  alice HK 100.00
        pay     tea-house T1 1.00 HKD alice
        deliver tea-house T1 lost    -> TradePaid to http://shop waiting open, sent 1, next 12:02:00
        at      12:01:00
        resend  tea-house T1         -> TradePaid to http://shop waiting open, sent 1, next 12:01:00
        deliver tea-house T1 lost    -> TradePaid to http://shop waiting open, sent 2, next 12:11:00
        resend  tea-house T1 at=15:00:00 -> TradePaid to http://shop waiting open, sent 2, next 15:00:00
        deliver tea-house T1 success -> TradePaid to http://shop acknowledged void, sent 3
        resend  tea-house T1         -> TradePaid to http://shop acknowledged open, sent 3, next 12:01:00
        deliver tea-house T1 lost    -> TradePaid to http://shop acknowledged void, sent 4
        resend  tea-house T1         -> TradePaid to http://shop acknowledged open, sent 4, next 12:01:00
        deliver tea-house T1 success -> TradePaid to http://shop acknowledged void, sent 5
        pay     tea-house T2 1.00 HKD alice
        deliver tea-house T2 lost
        deliver tea-house T2 lost
        deliver tea-house T2 lost
        deliver tea-house T2 lost
        deliver tea-house T2 lost
        deliver tea-house T2 lost
        deliver tea-house T2 lost
        deliver tea-house T2 lost    -> TradePaid to http://shop given up open, sent 8
        resend  tea-house T2         -> TradePaid to http://shop given up open, sent 8, next 12:01:00
        deliver tea-house T2 lost    -> TradePaid to http://shop given up open, sent 9
        resend  tea-house T2
        deliver tea-house T2 success -> TradePaid to http://shop acknowledged void, sent 10
        ",
    );
}
