//! Refunds that are asked for and done at once; and which are refused.

use super::check;

// Goal: partial, several and full refunds, their repeats, and the books at the end.
#[test]
fn parts_until_nothing_is_left() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice -> paid commission 1.20
        refund  tea-house T1 R1 60.00 sync    -> done at 12:00:00, left 40.00
        refund  tea-house T1 R1 60.00 sync    -> repeat, done at 12:00:00, left 40.00
        refund  tea-house T1 R1 50.00 sync    -> refused ContentDiffers
        refund  tea-house T1 R2 40.01 sync    -> refused ExceedsRemaining { remaining: HKD 40.00 }
        show    refund tea-house R2           -> nothing
        refund  tea-house T1 R2 10.00 sync    -> done at 12:00:00, left 30.00    # a refused number is free
        show    tea-house T1                  -> paid commission 1.20 at 12:00:00, refunded 70.00
        balance alice                         -> HKD 970.00 spent 30.00 on 2026-11-23, 30.00 in its month
        pay     tea-house T1 100.00 HKD alice -> repeat, paid commission 1.20
        wait    1
        refund  tea-house T1 R3 30.00 sync    -> done at 12:00:01, left 0.00
        show    tea-house T1                  -> closed Refunded after payment at 12:00:01
        show    refund tea-house R1           -> 60.00 done at 12:00:00
        refund  tea-house T1 R4 0.01 sync     -> refused ExceedsRemaining { remaining: HKD 0.00 }
        refund  tea-house T1 R4 0.01 async    -> refused ExceedsRemaining { remaining: HKD 0.00 }
        refund  tea-house T1 R3 30.00 sync    -> repeat, done at 12:00:01, left 0.00
        refund  tea-house T1 R1 60.00 sync    -> repeat, done at 12:00:00, left 0.00
        cancel  tea-house T1                  -> repeat, closed Refunded, Refund
        entries tea-house T1                  -> alice > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission; tea-house > alice HKD 60.00 refund; tea-house > alice HKD 10.00 refund; tea-house > alice HKD 30.00 refund
        books                                 -> alice HKD 1000.00, tea-house HKD -1.20, commission HKD 1.20, topups HKD -1000.00
        balance alice                         -> HKD 1000.00 spent 0.00 on 2026-11-23, 0.00 in its month
        pay     tea-house T2 0.01 HKD alice   -> paid commission 0.00
        refund  tea-house T2 R5 0.01 sync     -> done at 12:00:01, left 0.00
        ",
    );
}

// Goal: a full refund closes at once; pay and confirm under its number are answered as closed.
#[test]
fn a_full_refund_closes() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house T1 10.00 HKD alice/c1
        refund  tea-house T1 R1 10.00 sync       -> done at 12:00:00, left 0.00
        pay     tea-house T1 10.00 HKD alice/c1  -> refused TradeClosed
        pay     tea-house T2 10.00 HKD carol     -> waiting until 12:03:00
        accept  tea-house T2 carol
        refund  tea-house T2 R2 4.00 sync        -> done at 12:00:00, left 6.00
        accept  tea-house T2 carol               -> repeat, paid commission 0.12
        refund  tea-house T2 R3 6.00 sync        -> done at 12:00:00, left 0.00
        accept  tea-house T2 carol               -> refused NotWaiting
        decline tea-house T2 carol               -> refused NotWaiting
        close   tea-house T2                     -> Nothing
        at      2026-11-24 00:20:00
        cancel  tea-house T1                     -> repeat, closed Refunded, Refund
        ",
    );
}

// Goal: a mainland buyer gets CNY back by the payment's rate, whatever the rate is since: shares of
// the whole, so that the last part takes the rest.
#[test]
fn shares_of_cny_at_hk_contract() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  ming CN 1000.00
        rate    HKD CNY 0.92
        pay     tea-house T1 100.00 HKD ming     -> paid CNY 92.00 at 0.92000000 commission 1.20
        rate    HKD CNY 0.50
        refund  tea-house T1 R1 33.33 CNY sync   -> refused CurrencyDiffers
        refund  tea-house T1 R1 33.33 sync       -> done CNY 30.66 at 12:00:00, left 66.67
        refund  tea-house T1 R2 33.33 sync       -> done CNY 30.67 at 12:00:00, left 33.34
        balance ming                             -> CNY 969.33 spent 30.67 on 2026-11-23, 30.67 in its month
        refund  tea-house T1 R3 33.34 sync       -> done CNY 30.67 at 12:00:00, left 0.00
        entries tea-house T1                     -> ming > fx CNY 92.00 payment; fx > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission; tea-house > fx HKD 33.33 refund; fx > ming CNY 30.66 refund; tea-house > fx HKD 33.33 refund; fx > ming CNY 30.67 refund; tea-house > fx HKD 33.34 refund; fx > ming CNY 30.67 refund
        books                                    -> tea-house HKD -1.20, commission HKD 1.20, ming CNY 1000.00, topups CNY -1000.00
        pay     tea-house T2 0.03 HKD ming       -> paid CNY 0.02 at 0.50000000 commission 0.00
        refund  tea-house T2 R4 0.01 sync        -> done CNY 0.01 at 12:00:00, left 0.02
        refund  tea-house T2 R5 0.01 sync        -> done CNY 0.00 at 12:00:00, left 0.01    # no posting of nothing
        refund  tea-house T2 R6 0.01 sync        -> done CNY 0.01 at 12:00:00, left 0.00
        entries tea-house T2                     -> ming > fx CNY 0.02 payment; fx > tea-house HKD 0.03 payment; tea-house > fx HKD 0.01 refund; fx > ming CNY 0.01 refund; tea-house > fx HKD 0.01 refund; tea-house > fx HKD 0.01 refund; fx > ming CNY 0.01 refund
        ",
    );
}

// Goal: the same for prices in dollars, yen and CNY itself, down to parts of one cent.
#[test]
fn shares_of_cny_at_standard_contract() {
    check(
        "
        partner louvre STANDARD USD reserve=100.00
        partner ginza  STANDARD JPY reserve=1000
        partner border STANDARD CNY reserve=100.00
        wallet  ming CN 1000.00
        rate    USD CNY 7.1111
        rate    JPY CNY 0.0487
        pay     louvre T1 10.00 USD ming    -> paid CNY 71.11 at 7.11110000 commission 0.12
        refund  louvre T1 R0 1.00 HKD sync  -> refused CurrencyDiffers
        refund  louvre T1 R0 1.00 CNY sync  -> refused CurrencyDiffers
        refund  louvre T1 R1 3.33 sync      -> done CNY 23.68 at 12:00:00, left 6.67
        refund  louvre T1 R2 3.33 sync      -> done CNY 23.68 at 12:00:00, left 3.34
        refund  louvre T1 R3 3.34 sync      -> done CNY 23.75 at 12:00:00, left 0.00
        rate    USD CNY 6.6667
        pay     louvre T2 0.03 USD ming     -> paid CNY 0.20 at 6.66670000 commission 0.00
        refund  louvre T2 R4 0.01 sync      -> done CNY 0.07 at 12:00:00, left 0.02
        refund  louvre T2 R5 0.01 sync      -> done CNY 0.06 at 12:00:00, left 0.01
        refund  louvre T2 R6 0.01 sync      -> done CNY 0.07 at 12:00:00, left 0.00
        pay     ginza T1 500 JPY ming       -> paid CNY 24.35 at 0.04870000 commission 6
        refund  ginza T1 R1 250 sync        -> done CNY 12.18 at 12:00:00, left 250
        refund  ginza T1 R2 1 sync          -> done CNY 0.04 at 12:00:00, left 249
        refund  ginza T1 R3 249 sync        -> done CNY 12.13 at 12:00:00, left 0
        pay     border T1 50.00 CNY ming    -> paid CNY 50.00 at 1.00000000 commission 0.60
        refund  border T1 R1 20.00 sync     -> done at 12:00:00, left 30.00
        entries border T1                   -> ming > border CNY 50.00 payment; border > commission CNY 0.60 commission; border > ming CNY 20.00 refund
        books                               -> ming CNY 970.00, border CNY 29.40, commission CNY 0.60, topups CNY -1000.00, louvre USD -0.12, commission USD 0.12, ginza JPY -6, commission JPY 6
        ",
    );
}

// Goal: the commission stays with us, or comes back in shares that sum to the whole of it; a part
// follows the terms of its own moment.
#[test]
fn commission_on_refund() {
    check(
        "
        partner keeps   HK reserve=100.00
        partner returns HK commission_on_refund=returned
        partner all     HK commission_on_refund=returned rate=1
        wallet  alice HK 1000.00
        pay     keeps T1 100.00 HKD alice   -> paid commission 1.20
        refund  keeps T1 R1 100.00 sync     -> done at 12:00:00, left 0.00
        pay     returns T1 100.00 HKD alice -> paid commission 1.20
        refund  returns T1 R1 33.33 sync    -> done commission 0.40 at 12:00:00, left 66.67
        refund  returns T1 R2 33.33 sync    -> done commission 0.40 at 12:00:00, left 33.34
        refund  returns T1 R3 33.34 sync    -> done commission 0.40 at 12:00:00, left 0.00
        entries returns T1                  -> alice > returns HKD 100.00 payment; returns > commission HKD 1.20 commission; returns > alice HKD 33.33 refund; commission > returns HKD 0.40 commission back; returns > alice HKD 33.33 refund; commission > returns HKD 0.40 commission back; returns > alice HKD 33.34 refund; commission > returns HKD 0.40 commission back
        pay     returns T2 0.42 HKD alice   -> paid commission 0.01
        refund  returns T2 R4 0.20 sync     -> done at 12:00:00, left 0.22
        refund  returns T2 R5 0.01 sync     -> done commission 0.01 at 12:00:00, left 0.21
        refund  returns T2 R6 0.21 sync     -> done at 12:00:00, left 0.00
        pay     all T1 0.03 HKD alice       -> paid commission 0.03
        refund  all T1 R1 0.01 sync         -> done commission 0.01 at 12:00:00, left 0.02
        refund  all T1 R2 0.02 sync         -> done commission 0.02 at 12:00:00, left 0.00
        books                               -> alice HKD 1000.00, keeps HKD -1.20, commission HKD 1.20, topups HKD -1000.00
        pay     returns T3 100.00 HKD alice -> paid commission 1.20
        partner returns HK reserve=5.00
        refund  returns T3 R7 50.00 sync    -> done at 12:00:00, left 50.00
        partner returns HK commission_on_refund=returned
        refund  returns T3 R8 25.00 sync    -> done commission 0.30 at 12:00:00, left 25.00
        cancel  returns T3                  -> closed Cancelled(Cancel), Refund    # always gives all of it back
        books                               -> alice HKD 1000.00, keeps HKD -1.20, commission HKD 1.20, topups HKD -1000.00
        ",
    );
}

// Goal: a cancel gives back what refunds left, in CNY as well, and the whole commission.
#[test]
fn cancel_after_some_refunds() {
    check(
        "
        partner tea-house HK
        wallet  ming CN 1000.00
        rate    HKD CNY 0.9211
        pay     tea-house T1 100.00 HKD ming   -> paid CNY 92.11 at 0.92110000 commission 1.20
        refund  tea-house T1 R1 33.33 sync     -> done CNY 30.70 at 12:00:00, left 66.67
        refund  tea-house T1 R2 33.33 sync     -> done CNY 30.70 at 12:00:00, left 33.34
        cancel  tea-house T1                   -> closed Cancelled(Cancel), Refund
        refund  tea-house T1 R1 33.33 sync     -> repeat, done CNY 30.70 at 12:00:00, left 0.00
        refund  tea-house T1 R3 33.34 sync     -> refused NotPaid
        show    refund tea-house R2            -> 33.33 done CNY 30.70 at 12:00:00
        entries tea-house T1                   -> ming > fx CNY 92.11 payment; fx > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission; tea-house > fx HKD 33.33 refund; fx > ming CNY 30.70 refund; tea-house > fx HKD 33.33 refund; fx > ming CNY 30.70 refund; tea-house > fx HKD 33.34 cancel; fx > ming CNY 30.71 cancel; commission > tea-house HKD 1.20 commission back
        books                                  -> ming CNY 1000.00, topups CNY -1000.00
        ",
    );
}

// Goal: refusals come in the order of their declaration: a request that is wrong in everything is
// mended step by step, and each answer names the first thing still wrong.
#[test]
fn refund_refusals_in_order() {
    check(
        "
        partner tea-house HK refund_days=1 sync_refund_pause=after_midnight
        partner noodles   HK
        wallet  alice HK 1000.00
        wallet  carol HK 1000.00 ask=yes
        at      2026-11-23 23:58:00
        pay     tea-house T1 100.00 HKD alice
        pay     tea-house T2 100.00 HKD alice
        pay     tea-house C1 100.00 HKD alice
        refund  tea-house T1 R1 1.00 sync              -> done at 23:58:00, left 99.00
        refund  tea-house C1 R2 2.00 async             -> accepted due 23:58:00, left 98.00
        cancel  tea-house C1
        cancel  tea-house M1                           -> nothing
        pay     tea-house W1 10.00 HKD carol           -> waiting until 00:01:00

        refund  stranger  T9 R9 900.00 CNY             -> refused PartnerUnknown
        refund  tea-house T9 R1 900.00 CNY             -> refused ContentDiffers
        refund  tea-house C1 R2 900.00 async           -> refused ContentDiffers
        refund  tea-house C1 R2 2.00 async             -> refused CancelledSince
        refund  tea-house T9 R9 900.00 CNY             -> refused TradeUnknown
        refund  tea-house M1 R9 900.00 CNY             -> refused TradeUnknown
        refund  tea-house T1 R9 900.00 CNY trade=T2    -> refused TradeUnknown    # two numbers, two trades
        refund  tea-house T1 R9 900.00 CNY trade=T9    -> refused TradeUnknown
        refund  noodles   T1 R9 900.00 CNY             -> refused TradeUnknown    # another partner's
        refund  tea-house W1 R9 900.00 CNY             -> refused CurrencyDiffers
        refund  tea-house C1 R9 900.00 CNY             -> refused CurrencyDiffers
        refund  tea-house T1 R9 900.00 CNY trade=T1    -> refused CurrencyDiffers
        refund  tea-house W1 R9 900.00                 -> refused NotPaid
        refund  tea-house C1 R9 900.00                 -> refused NotPaid
        at      2026-11-25 00:00:00
        refund  tea-house C1 R9 900.00                 -> refused NotPaid
        refund  tea-house W1 R9 900.00                 -> refused NotPaid
        refund  tea-house T1 R9 900.00                 -> refused TooLate
        refund  tea-house T1 R9 900.00 async           -> refused TooLate
        partner tea-house HK refund_days=2 sync_refund_pause=after_midnight
        refund  tea-house T1 R9 900.00                 -> refused ExceedsRemaining { remaining: HKD 99.00 }
        refund  tea-house T1 R9 99.01                  -> refused ExceedsRemaining { remaining: HKD 99.00 }
        refund  tea-house T1 R8 98.00                  -> refused Paused
        show    refund tea-house R8                    -> nothing
        at      01:30:00
        refund  tea-house T1 R8 98.00                  -> done at 01:30:00, left 1.00
        refund  tea-house T2 R9 100.00                 -> refused FundsShort
        show    refund tea-house R9                    -> 100.00 failed at 01:30:00
        ",
    );
}

// Goal: trades that no refund reaches: waiting in and out of time, declined, expired, cancelled
// before and after the payment, never there.
#[test]
fn trades_without_a_payment() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        pay     tea-house W1 1.00 HKD carol
        pay     tea-house D1 1.00 HKD carol
        pay     tea-house E1 1.00 HKD carol
        pay     tea-house C1 1.00 HKD carol
        pay     tea-house C2 1.00 HKD alice
        decline tea-house D1 carol
        cancel  tea-house C1
        cancel  tea-house C2
        cancel  tea-house M1
        refund  tea-house W1 R1 1.00 sync  -> refused NotPaid
        refund  tea-house W1 R1 1.00 async -> refused NotPaid
        refund  tea-house D1 R1 1.00 sync  -> refused NotPaid
        refund  tea-house C1 R1 1.00 sync  -> refused NotPaid
        refund  tea-house C2 R1 1.00 sync  -> refused NotPaid
        refund  tea-house C2 R1 1.00 async -> refused NotPaid
        refund  tea-house M1 R1 1.00 sync  -> refused TradeUnknown
        refund  tea-house N1 R1 1.00 async -> refused TradeUnknown
        at      12:03:00
        refund  tea-house W1 R1 1.00 sync  -> refused NotPaid    # closed, whether its timer ran
        close   tea-house E1               -> Done
        refund  tea-house E1 R1 1.00 sync  -> refused NotPaid    # or not
        show    refund tea-house R1        -> nothing
        ",
    );
}

// Goal: refunds are taken on the payment's day and so many days after it, by business dates; the
// day of a trade that was confirmed after midnight is that of its payment.
#[test]
fn the_time_for_refunds() {
    check(
        "
        partner tea-house HK reserve=100.00 refund_days=7
        partner today     HK reserve=100.00 refund_days=0
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        at      2026-11-23 23:59:00
        pay     tea-house T1 10.00 HKD alice
        pay     tea-house W1 10.00 HKD carol
        pay     today     T1 10.00 HKD alice
        pay     today     W1 10.00 HKD carol
        refund  tea-house T1 R1 1.00 sync   -> done at 23:59:00, left 9.00
        at      23:59:59.999999
        refund  today     T1 R1 1.00 sync   -> done at 23:59:59.999999, left 9.00
        at      2026-11-24 00:00:00
        refund  today     T1 R2 1.00 sync   -> refused TooLate
        refund  today     T1 R2 1.00 async  -> refused TooLate
        accept  tea-house W1 carol
        accept  today     W1 carol
        at      2026-11-24 23:59:59.999999
        refund  today     W1 R3 1.00 sync   -> done at 23:59:59.999999, left 9.00
        at      2026-11-30 23:59:59.999999
        refund  tea-house T1 R2 1.00 sync   -> done at 23:59:59.999999, left 8.00
        refund  tea-house T1 R3 1.00 async  -> accepted due 23:59:59.999999, left 7.00
        at      2026-12-01 00:00:00
        refund  tea-house T1 R4 1.00 sync   -> refused TooLate
        refund  tea-house T1 R4 1.00 async  -> refused TooLate
        refund  tea-house T1 R2 1.00 sync   -> repeat, done at 2026-11-30 23:59:59.999999, left 7.00
        refund  tea-house T1 R3 1.00 async  -> repeat, accepted due 2026-11-30 23:59:59.999999, left 7.00
        timers                              -> R3 Done    # accepted in time
        refund  tea-house W1 R5 1.00 sync   -> done at 00:00:00, left 9.00
        at      2026-12-02 00:00:00
        refund  tea-house W1 R6 1.00 sync   -> refused TooLate
        ",
    );
}

// Goal: the time is looked at before what is left, also of a trade that was refunded in full.
#[test]
fn a_refunded_trade_after_its_time() {
    check(
        "
        partner tea-house HK reserve=100.00 refund_days=1
        wallet  alice HK 100.00
        pay     tea-house T1 10.00 HKD alice
        refund  tea-house T1 R1 10.00 sync
        refund  tea-house T1 R2 1.00 sync -> refused ExceedsRemaining { remaining: HKD 0.00 }
        at      2026-11-25 12:00:00
        refund  tea-house T1 R2 1.00 sync -> refused TooLate
        ",
    );
}

// Goal: a repeat is told by trade, amount and mode; whatever else differs is not looked at. It
// tells the present state, whatever became of it.
#[test]
fn repeats() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        pay     tea-house T2 100.00 HKD alice
        pay     noodles   T1 100.00 HKD alice
        refund  tea-house T1 R1 10.00 sync                    -> done at 12:00:00, left 90.00
        wait    60
        refund  tea-house T1 R1 10.00 sync trade=T1 reason=no -> repeat, done at 12:00:00, left 90.00
        refund  tea-house T1 R1 10.00 sync url=http://shop/n  -> repeat, done at 12:00:00, left 90.00
        refund  tea-house T1 R1 10.01 sync                    -> refused ContentDiffers
        refund  tea-house T1 R1 10.00 CNY sync                -> refused ContentDiffers
        refund  tea-house T1 R1 10.00 async                   -> refused ContentDiffers
        refund  tea-house T2 R1 10.00 sync                    -> refused ContentDiffers
        refund  tea-house T9 R1 10.00 sync                    -> refused ContentDiffers
        refund  tea-house T1 R1 10.00 sync trade=T2           -> refused ContentDiffers
        refund  noodles   T1 R1 20.00 sync                    -> done at 12:01:00, left 80.00    # numbers are per partner
        refund  tea-house T1 R2 10.00 async                   -> accepted due 23:00:00, left 80.00
        refund  tea-house T1 R2 10.00 async                   -> repeat, accepted due 23:00:00, left 80.00
        refund  tea-house T1 R2 10.00 sync                    -> refused ContentDiffers
        refund  tea-house T1 R2 9.00 async                    -> refused ContentDiffers
        refund  tea-house T1 R1 10.00 sync                    -> repeat, done at 12:00:00, left 80.00
        until   23:00:00                                      -> R2 Done
        refund  tea-house T1 R2 10.00 async                   -> repeat, done at 23:00:00, left 80.00
        refund  tea-house T1 R2 10.00 sync                    -> refused ContentDiffers
        refund  tea-house T1 R3 5.00 async                    -> accepted due 23:00:00, left 75.00
        cancel  tea-house T1                                  -> closed Cancelled(Cancel), Refund
        refund  tea-house T1 R3 5.00 async                    -> refused CancelledSince
        refund  tea-house T1 R3 5.01 async                    -> refused ContentDiffers
        refund  tea-house T1 R3 5.00 sync                     -> refused ContentDiffers
        refund  tea-house T1 R2 10.00 async                   -> repeat, done at 23:00:00, left 0.00
        refund  tea-house T1 R4 5.00 async                    -> refused NotPaid
        ",
    );
}

// Goal: a synchronous refund that finds the funds short has failed for good under its number; the
// merchant takes money in and asks under another.
#[test]
fn funds_short() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        wallet  alice HK 1000.00
        pay     noodles   T1 500.00 HKD alice
        pay     tea-house T1 100.00 HKD alice -> paid commission 1.20
        refund  tea-house T1 R1 98.81 sync    -> refused FundsShort    # 98.80 is unsettled
        show    refund tea-house R1           -> 98.81 failed at 12:00:00
        show    tea-house T1                  -> paid commission 1.20 at 12:00:00
        refund  tea-house T1 R1 98.81 sync    -> refused FundsShort
        refund  tea-house T1 R1 98.80 sync    -> refused ContentDiffers
        refund  tea-house T1 R1 98.81 async   -> refused ContentDiffers
        refund  tea-house T1 R2 98.80 sync    -> done at 12:00:00, left 1.20
        refund  tea-house T1 R3 0.01 sync     -> refused FundsShort
        pay     tea-house T2 10.00 HKD alice  -> paid commission 0.12
        refund  tea-house T1 R1 98.81 sync    -> refused FundsShort
        refund  tea-house T1 R3 0.01 sync     -> refused FundsShort
        refund  tea-house T1 R4 1.20 sync     -> done at 12:00:00, left 0.00
        refund  tea-house T1 R1 98.81 sync    -> refused FundsShort
        refund  tea-house T2 R5 8.69 sync     -> refused FundsShort
        refund  tea-house T2 R6 8.68 sync     -> done at 12:00:00, left 1.32
        cancel  tea-house T2                  -> closed Cancelled(Cancel), Refund    # never refused for funds
        books                                 -> alice HKD 500.00, tea-house HKD -1.20, noodles HKD 494.00, commission HKD 7.20, topups HKD -1000.00
        pay     tea-house T3 1.21 HKD alice   -> paid commission 0.01
        refund  tea-house T3 R7 0.01 sync     -> refused FundsShort    # 1.20 makes good what the cancel took
        ",
    );
}

// Goal: the deposit counts as funds, in its own currency; commission that comes back is not needed.
#[test]
fn funds_and_deposit() {
    check(
        "
        partner deposit HK reserve=1.19
        partner returns HK commission_on_refund=returned
        partner louvre  STANDARD USD reserve=10.00
        wallet  alice HK 1000.00
        wallet  ming  CN 1000.00
        rate    USD CNY 7.00
        pay     deposit T1 100.00 HKD alice -> paid commission 1.20
        refund  deposit T1 R1 100.00 sync   -> refused FundsShort
        refund  deposit T1 R2 99.99 sync    -> done at 12:00:00, left 0.01
        refund  deposit T1 R3 0.01 sync     -> refused FundsShort
        partner deposit HK reserve=1.20
        refund  deposit T1 R3 0.01 sync     -> refused FundsShort    # for good
        refund  deposit T1 R4 0.01 sync     -> done at 12:00:00, left 0.00
        pay     returns T1 100.00 HKD alice -> paid commission 1.20
        refund  returns T1 R1 100.00 sync   -> done commission 1.20 at 12:00:00, left 0.00
        pay     louvre T1 10.00 USD ming    -> paid CNY 70.00 at 7.00000000 commission 0.12
        partner louvre STANDARD EUR reserve=10.00
        refund  louvre T1 R1 10.00 USD sync -> refused FundsShort    # euros are no dollars
        refund  louvre T1 R2 9.88 USD sync  -> done CNY 69.16 at 12:00:00, left 0.12
        books                               -> alice HKD 1000.00, deposit HKD -1.20, commission HKD 1.20, topups HKD -1000.00, ming CNY 999.16, fx CNY 0.84, topups CNY -1000.00, commission USD 0.12, fx USD -0.12
        ",
    );
}

// Goal: a sum that does not fit refuses and leaves nothing; the night puts such a refund off, so
// that it does not come up again at once.
#[test]
fn sums_that_do_not_fit() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        partner tea-house HK reserve=92233720368547758.07
        refund  tea-house T1 R1 1.00 sync  -> refused Money(Overflow)
        show    refund tea-house R1        -> nothing
        refund  tea-house T1 R1 1.00 async -> accepted due 23:00:00, left 99.00
        at      23:00:00
        workoff tea-house R1               -> PutOff
        show    refund tea-house R1        -> 1.00 accepted due 2026-11-24 23:00:00
        ",
    );
}

// Goal: where the contract says so, synchronous refunds rest from midnight to half past one;
// nothing else does.
#[test]
fn the_pause_after_midnight() {
    check(
        "
        partner rests HK reserve=100.00 sync_refund_pause=after_midnight
        partner works HK reserve=100.00 sync_refund_pause=none
        wallet  alice HK 1000.00
        at      23:59:59.999999
        pay     rests T1 10.00 HKD alice
        pay     works T1 10.00 HKD alice
        refund  rests T1 R1 1.00 sync    -> done at 23:59:59.999999, left 9.00
        refund  rests T1 R2 1.00 async   -> accepted due 23:59:59.999999, left 8.00
        at      2026-11-24 00:00:00
        refund  rests T1 R3 1.00 sync    -> refused Paused
        refund  rests T1 R1 1.00 sync    -> repeat, done at 2026-11-23 23:59:59.999999, left 8.00
        refund  rests T1 R4 1.00 async   -> accepted due 23:00:00, left 7.00
        refund  works T1 R1 1.00 sync    -> done at 00:00:00, left 9.00
        timers                           -> R2 Done
        at      01:29:59.999999
        refund  rests T1 R3 1.00 sync    -> refused Paused
        at      01:30:00
        refund  rests T1 R3 1.00 sync    -> done at 01:30:00, left 6.00
        ",
    );
}

// Goal: a frozen wallet and one that its contract no longer takes get their money back, by the
// terms of today.
#[test]
fn refunds_reach_every_wallet() {
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
        partner tea-house HK wallets=hk payment=1.00 rate=0 commission_on_refund=returned
        refund  tea-house T1 R1 10.00 sync -> done commission 0.12 at 12:00:00, left 0.00
        refund  tea-house T2 R2 10.00 sync -> done CNY 9.20 commission 0.12 at 12:00:00, left 0.00
        books                              -> alice HKD 100.00, topups HKD -100.00, ming CNY 100.00, topups CNY -100.00
        ",
    );
}

// Goal: what goes back makes room in the wallet's day and month of the payment, and in the
// partner's day when it is still that day.
#[test]
fn refunds_make_room() {
    check(
        "
        partner tea-house HK day=100.00 reserve=100.00
        wallet  alice HK 1000.00
        amend   alice day=80.00 month=150.00
        at      2026-11-29 12:00:00
        pay     tea-house T1 80.00 HKD alice
        turnover tea-house                   -> HKD 80.00
        refund  tea-house T1 R1 30.00 sync
        turnover tea-house                   -> HKD 50.00
        balance alice                        -> HKD 950.00 spent 50.00 on 2026-11-29, 50.00 in its month
        pay     tea-house T2 30.01 HKD alice -> refused AboveWalletLimit(PerDay)
        pay     tea-house T2 30.00 HKD alice -> paid commission 0.36
        cancel  tea-house T1                 -> closed Cancelled(Cancel), Refund
        turnover tea-house                   -> HKD 30.00
        pay     tea-house T3 50.00 HKD alice
        at      2026-11-30 12:00:00
        pay     tea-house T4 60.00 HKD alice
        refund  tea-house T3 R2 20.00 sync   -> done at 12:00:00, left 30.00    # of yesterday
        turnover tea-house                   -> HKD 60.00
        balance alice                        -> HKD 880.00 spent 60.00 on 2026-11-30, 120.00 in its month
        at      2026-12-01 12:00:00
        pay     tea-house T5 10.00 HKD alice
        refund  tea-house T4 R3 60.00 sync   -> done at 12:00:00, left 0.00    # of last month
        balance alice                        -> HKD 930.00 spent 10.00 on 2026-12-01, 10.00 in its month
        turnover tea-house                   -> HKD 10.00
        ",
    );
}

// Goal: commands of one batch see each other: a refund before and after the confirmation, two that
// want the same rest, one before and after a cancel, one that lives on the payment beside it.
#[test]
fn refunds_in_batches() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 1000.00
        wallet  carol HK 1000.00 ask=yes
        pay     tea-house W1 100.00 HKD carol
        batch
        refund  tea-house W1 R1 10.00 sync      -> refused NotPaid
        accept  tea-house W1 carol              -> paid commission 1.20
        refund  tea-house W1 R1 10.00 sync      -> done at 12:00:00, left 90.00
        refund  tea-house W1 R1 10.00 sync      -> repeat, done at 12:00:00, left 90.00
        refund  tea-house W1 R1 20.00 sync      -> refused ContentDiffers
        refund  tea-house W1 R2 80.00 sync      -> done at 12:00:00, left 10.00
        refund  tea-house W1 R3 10.01 sync      -> refused ExceedsRemaining { remaining: HKD 10.00 }
        refund  tea-house W1 R4 10.00 sync      -> refused FundsShort
        refund  tea-house W1 R4 10.00 sync      -> refused FundsShort
        pay     tea-house T1 100.00 HKD alice   -> paid commission 1.20
        refund  tea-house W1 R5 10.00 sync      -> done at 12:00:00, left 0.00
        end
        show    tea-house W1                    -> closed Refunded after payment at 12:00:00
        pay     tea-house T2 100.00 HKD alice
        pay     tea-house T3 100.00 HKD alice
        batch
        refund  tea-house T1 S1 10.00 sync      -> done at 12:00:00, left 90.00
        refund  tea-house T1 S2 20.00 async     -> accepted due 23:00:00, left 70.00
        cancel  tea-house T1                    -> closed Cancelled(Cancel), Refund
        refund  tea-house T1 S2 20.00 async     -> refused CancelledSince
        cancel  tea-house T2                    -> closed Cancelled(Cancel), Refund
        refund  tea-house T2 S3 10.00 sync      -> refused NotPaid
        refund  tea-house T2 S4 10.00 async     -> refused NotPaid
        refund  tea-house T3 S5 100.00 async    -> accepted due 23:00:00, left 0.00
        end
        show    refund tea-house S1             -> 10.00 done at 12:00:00
        show    refund tea-house S2             -> 20.00 cancelled at 12:00:00
        show    refund tea-house S4             -> nothing
        timer   tea-house W1                    -> none
        ",
    );
}
