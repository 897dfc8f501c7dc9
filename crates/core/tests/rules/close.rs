//! How a trade ends: cancel, the three minutes, the buyer's answer.

use super::check;

// Goal: a cancel of nothing leaves a mark that no pay passes, under each of the three names.
#[test]
fn cancel_before_pay() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        show    tea-house T1                        -> nothing
        cancel  tea-house T1                        -> nothing
        show    tea-house T1                        -> mark at 12:00:00
        wait    1
        cancel  tea-house T1                        -> repeat, nothing
        cancel  tea-house T1 by=reverse             -> repeat, nothing
        pay     tea-house T1 1.00 HKD alice/c1      -> refused CancelledBefore
        accept  tea-house T1 alice                  -> refused TradeUnknown
        close   tea-house T1                        -> Nothing
        close   tea-house T9                        -> Nothing
        show    tea-house T1                        -> mark at 12:00:00
        cancel  tea-house T2 by=spot                -> nothing
        cancel  tea-house T3 by=reverse             -> nothing
        pay     tea-house T2 1.00 HKD alice/c1      -> refused CancelledBefore
        pay     tea-house T3 1.00 HKD alice/c1      -> refused CancelledBefore
        at      2027-11-23 12:00:00
        pay     tea-house T1 1.00 HKD alice         -> refused CancelledBefore
        cancel  tea-house T1                        -> repeat, nothing
        pay     tea-house T4 1.00 HKD alice         -> paid commission 0.01
        ",
    );
}

// Goal: the first cancel decides what is written; repeats under any name tell it again.
#[test]
fn cancels() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house P1 1.00 HKD alice
        pay     tea-house P2 1.00 HKD alice
        pay     tea-house P3 1.00 HKD alice
        pay     tea-house W1 1.00 HKD carol
        pay     tea-house W2 1.00 HKD carol
        pay     tea-house W3 1.00 HKD carol
        pay     tea-house D1 1.00 HKD carol
        pay     tea-house E1 1.00 HKD carol
        pay     tea-house E2 1.00 HKD carol
        cancel  tea-house P1             -> closed Cancelled(Cancel), Refund
        cancel  tea-house P2 by=spot     -> closed Cancelled(SpotCancel), Refund
        cancel  tea-house P3 by=reverse  -> closed Cancelled(Reverse), Refund
        cancel  tea-house W1             -> closed Cancelled(Cancel), Close
        cancel  tea-house W2 by=spot     -> closed Cancelled(SpotCancel), Close
        cancel  tea-house W3 by=reverse  -> closed Cancelled(Reverse), Close
        timer   tea-house W1             -> none
        decline tea-house D1 carol       -> closed Declined
        wait    1
        cancel  tea-house P3             -> repeat, closed Cancelled(Reverse), Refund
        cancel  tea-house P3 by=reverse  -> repeat, closed Cancelled(Reverse), Refund
        cancel  tea-house W2             -> repeat, closed Cancelled(SpotCancel), Close
        cancel  tea-house D1             -> repeat, closed Declined, Close
        at      12:03:00
        close   tea-house E1             -> Done
        cancel  tea-house E1             -> repeat, closed Expired, Close
        cancel  tea-house E2             -> closed Expired, Close
        timer   tea-house E2             -> none
        show    tea-house E2             -> closed Expired unpaid at 12:03:00
        cancel  tea-house E2             -> repeat, closed Expired, Close
        amend   alice state=frozen
        pay     tea-house P4 1.00 HKD alice -> refused WalletFrozen
        at      2027-01-01 00:00:00
        cancel  tea-house P1             -> repeat, closed Cancelled(Cancel), Refund
        cancel  tea-house W1             -> repeat, closed Cancelled(Cancel), Close
        books                            -> alice HKD 100.00, carol HKD 100.00, topups HKD -200.00
        ",
    );
}

// Goal: a frozen wallet gets its money back, and so does one whose partner changed its terms.
#[test]
fn cancel_reaches_every_wallet() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  ming  CN 100.00
        rate    HKD CNY 0.92
        pay     tea-house T1 10.00 HKD alice
        pay     tea-house T2 10.00 HKD ming
        amend   alice state=frozen
        amend   alice payment=1.00 day=1.00 month=1.00
        partner tea-house HK wallets=hk payment=1.00 rate=0
        cancel  tea-house T1 -> closed Cancelled(Cancel), Refund
        cancel  tea-house T2 -> closed Cancelled(Cancel), Refund
        books                -> alice HKD 100.00, topups HKD -100.00, ming CNY 100.00, topups CNY -100.00
        ",
    );
}

// Goal: a paid trade can be cancelled until 24:00 of its day or a quarter of an hour after its
// creation, whichever is later, to the microsecond (`spec/13`, 5).
#[test]
fn cancel_window_with_grace() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house A1 1.00 HKD alice      # 12:00:00
        pay     tea-house A2 1.00 HKD alice
        at      23:45:00
        pay     tea-house B1 1.00 HKD alice
        pay     tea-house B2 1.00 HKD alice
        at      23:50:00
        pay     tea-house C1 1.00 HKD alice
        pay     tea-house C2 1.00 HKD alice
        at      23:59:59
        pay     tea-house D1 1.00 HKD alice
        pay     tea-house D2 1.00 HKD alice
        pay     tea-house W1 1.00 HKD carol      -> waiting until 00:02:59
        pay     tea-house W2 1.00 HKD carol      -> waiting until 00:02:59
        pay     tea-house W3 1.00 HKD carol      -> waiting until 00:02:59
        at      23:59:59.999999
        cancel  tea-house A1                     -> closed Cancelled(Cancel), Refund
        cancel  tea-house B1                     -> closed Cancelled(Cancel), Refund
        at      2026-11-24 00:00:00
        cancel  tea-house A2                     -> refused TooLate
        cancel  tea-house A2 by=spot             -> refused TooLate
        cancel  tea-house A2 by=reverse          -> refused TooLate
        cancel  tea-house B2                     -> refused TooLate
        show    tea-house A2                     -> paid commission 0.01 at 12:00:00
        cancel  tea-house A1                     -> repeat, closed Cancelled(Cancel), Refund
        cancel  tea-house W1                     -> closed Cancelled(Cancel), Close
        accept  tea-house W2 carol               -> paid commission 0.01
        accept  tea-house W3 carol               -> paid commission 0.01
        at      00:04:59.999999
        cancel  tea-house C1                     -> closed Cancelled(Cancel), Refund
        at      00:05:00
        cancel  tea-house C2                     -> refused TooLate
        at      00:14:58.999999
        cancel  tea-house D1                     -> closed Cancelled(Cancel), Refund
        cancel  tea-house W2                     -> closed Cancelled(Cancel), Refund
        at      00:14:59
        cancel  tea-house D2                     -> refused TooLate
        cancel  tea-house W3                     -> refused TooLate    # the creation counts, not the payment
        books                                    -> alice HKD 96.00, carol HKD 99.00, tea-house HKD 4.95, commission HKD 0.05, topups HKD -200.00
        ",
    );
}

// Goal: under `unpaid_only` midnight is the end for whatever is paid, and nothing for what is not.
#[test]
fn cancel_window_for_unpaid_only() {
    check(
        "
        partner tea-house HK grace=unpaid_only
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house A1 1.00 HKD alice      # 12:00:00
        at      23:50:00
        pay     tea-house C1 1.00 HKD alice
        pay     tea-house C2 1.00 HKD alice
        at      23:59:59
        pay     tea-house D1 1.00 HKD alice
        pay     tea-house D2 1.00 HKD alice
        pay     tea-house W1 1.00 HKD carol      -> waiting until 00:02:59
        pay     tea-house W2 1.00 HKD carol      -> waiting until 00:02:59
        pay     tea-house W3 1.00 HKD carol      -> waiting until 00:02:59
        at      23:59:59.999999
        cancel  tea-house A1                     -> closed Cancelled(Cancel), Refund
        cancel  tea-house C1                     -> closed Cancelled(Cancel), Refund
        cancel  tea-house D1                     -> closed Cancelled(Cancel), Refund
        at      2026-11-24 00:00:00
        cancel  tea-house C2                     -> refused TooLate
        cancel  tea-house D2                     -> refused TooLate
        cancel  tea-house W1                     -> closed Cancelled(Cancel), Close
        accept  tea-house W2 carol               -> paid commission 0.01
        cancel  tea-house W2                     -> refused TooLate
        at      00:02:59
        cancel  tea-house W3                     -> closed Expired, Close
        ",
    );
}

// Goal: a trade waits three minutes from the second of its creation, whether its timer runs or not.
#[test]
fn the_three_minutes() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00 ask=yes
        pay     tea-house T1 1.00 HKD alice   -> waiting until 12:03:00
        pay     tea-house T2 1.00 HKD alice
        pay     tea-house T3 1.00 HKD alice
        at      12:00:00.999999
        pay     tea-house T4 1.00 HKD alice   -> waiting until 12:03:00
        close   tea-house T1                  -> Early
        at      12:02:59.999999
        close   tea-house T1                  -> Early
        timer   tea-house T1                  -> 12:03:00
        show    tea-house T1                  -> waiting until 12:03:00
        accept  tea-house T1 alice            -> paid commission 0.01
        timer   tea-house T1                  -> none
        at      12:03:00
        show    tea-house T2                  -> closed Expired unpaid at 12:03:00
        accept  tea-house T2 alice            -> refused NotWaiting
        decline tea-house T2 alice            -> refused NotWaiting
        timer   tea-house T2                  -> 12:03:00
        at      12:07:00.25
        close   tea-house T2                  -> Done
        show    tea-house T2                  -> closed Expired unpaid at 12:03:00
        timer   tea-house T2                  -> none
        close   tea-house T2                  -> Nothing
        close   tea-house T1                  -> Nothing
        show    tea-house T1                  -> paid commission 0.01 at 12:02:59.999999
        cancel  tea-house T3                  -> closed Expired, Close
        close   tea-house T3                  -> Nothing
        accept  tea-house T4 alice            -> refused NotWaiting
        close   tea-house T4                  -> Done
        books                                 -> alice HKD 99.00, tea-house HKD 0.99, commission HKD 0.01, topups HKD -100.00
        ",
    );
}

// Goal: the buyer's answer, tapped once, twice, late, by somebody else, and after the other button.
#[test]
fn answers_of_the_buyer() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00 ask=yes
        wallet  bob   HK 100.00
        accept  tea-house T1 alice            -> refused TradeUnknown
        pay     tea-house T1 1.00 HKD alice
        accept  tea-house T1 bob              -> refused NotThisWallet
        decline tea-house T1 bob              -> refused NotThisWallet
        accept  tea-house T1 alice            -> paid commission 0.01
        accept  tea-house T1 alice            -> repeat, paid commission 0.01
        decline tea-house T1 alice            -> refused NotWaiting
        accept  tea-house T1 bob              -> refused NotThisWallet
        pay     tea-house T2 1.00 HKD alice/c2
        decline tea-house T2 alice            -> closed Declined
        timer   tea-house T2                  -> none
        decline tea-house T2 alice            -> repeat, closed Declined
        accept  tea-house T2 alice            -> refused NotWaiting
        pay     tea-house T3 1.00 HKD alice/c2 -> refused Code(Used)
        pay     tea-house T3 1.00 HKD alice
        cancel  tea-house T3
        accept  tea-house T3 alice            -> refused NotWaiting
        decline tea-house T3 alice            -> refused NotWaiting
        cancel  tea-house T1
        accept  tea-house T1 alice            -> refused NotWaiting
        pay     tea-house T4 1.00 HKD bob
        accept  tea-house T4 bob              -> repeat, paid commission 0.01
        books                                 -> alice HKD 100.00, bob HKD 99.00, tea-house HKD 0.99, commission HKD 0.01, topups HKD -200.00
        ",
    );
}

// Goal: a waiting trade holds nothing; what is wrong at the confirmation, in order of the checks,
// leaves it waiting (`spec/13`, 3).
#[test]
fn confirmation_refused() {
    check(
        "
        partner tea-house HK day=60.00
        wallet  alice HK 70.00 ask=yes
        wallet  bob   HK 100.00
        pay     tea-house T1 50.00 HKD alice  -> waiting until 12:03:00
        pay     tea-house T2 50.00 HKD alice  -> waiting until 12:03:00
        pay     tea-house T3 500.00 HKD alice -> waiting until 12:03:00   # no limit and no funds are looked at yet
        turnover tea-house                    -> none
        pay     tea-house B1 11.00 HKD bob    -> paid commission 0.13
        amend   alice state=frozen
        amend   alice payment=40.00 day=45.00 month=49.00
        accept  tea-house T1 alice            -> refused WalletFrozen
        amend   alice state=active
        accept  tea-house T1 alice            -> refused AbovePartnerDayLimit
        show    tea-house T1                  -> waiting until 12:03:00
        cancel  tea-house B1
        turnover tea-house                    -> HKD 0.00
        accept  tea-house T1 alice            -> refused AboveWalletLimit(PerPayment)
        amend   alice day=45.00 month=49.00
        accept  tea-house T1 alice            -> refused AboveWalletLimit(PerDay)
        amend   alice month=49.00
        accept  tea-house T1 alice            -> refused AboveWalletLimit(PerMonth)
        amend   alice month=1000.00
        accept  tea-house T3 alice            -> refused AbovePartnerDayLimit
        accept  tea-house T1 alice            -> paid commission 0.60
        turnover tea-house                    -> HKD 50.00
        partner tea-house HK day=1000.00
        accept  tea-house T2 alice            -> refused FundsShort
        timer   tea-house T2                  -> 12:03:00
        topup   alice 29.99
        accept  tea-house T2 alice            -> refused FundsShort
        topup   alice 0.01                    -> HKD 50.00
        accept  tea-house T2 alice            -> paid commission 0.60
        decline tea-house T3 alice            -> closed Declined
        turnover tea-house                    -> HKD 100.00
        ",
    );
}
