//! Asynchronous refunds: accepted by day, worked off by night.

use super::check;

// Goal: an accepted refund moves nothing and counts against the rest at once; the batch does it.
#[test]
fn accepted_then_done() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  ming CN 1000.00
        rate    HKD CNY 0.92
        pay     tea-house T1 100.00 HKD ming   -> paid CNY 92.00 at 0.92000000 commission 1.20
        refund  tea-house T1 R1 33.33 async    -> accepted CNY 30.66 due 23:00:00, left 66.67
        show    tea-house T1                   -> paid CNY 92.00 at 0.92000000 commission 1.20 at 12:00:00, pending 33.33
        balance ming                           -> CNY 908.00 spent 92.00 on 2026-11-23, 92.00 in its month
        refund  tea-house T1 R2 66.68 sync     -> refused ExceedsRemaining { remaining: HKD 66.67 }
        refund  tea-house T1 R2 66.68 async    -> refused ExceedsRemaining { remaining: HKD 66.67 }
        refund  tea-house T1 R2 33.33 sync     -> done CNY 30.66 at 12:00:00, left 33.34
        refund  tea-house T1 R1 33.33 async    -> repeat, accepted CNY 30.67 due 23:00:00, left 33.34
        refund  tea-house T1 R3 33.34 async    -> accepted CNY 30.68 due 23:00:00, left 0.00    # if it were next
        refund  tea-house T1 R4 0.01 async     -> refused ExceedsRemaining { remaining: HKD 0.00 }
        show    tea-house T1                   -> paid CNY 92.00 at 0.92000000 commission 1.20 at 12:00:00, refunded 33.33, pending 66.67
        workoff tea-house R1                   -> Early
        workoff tea-house R2                   -> Nothing
        workoff tea-house R9                   -> Nothing
        until   22:59:59.999999
        workoff tea-house R1                   -> Early
        until   23:00:00                       -> R1 Done, R3 Done
        show    refund tea-house R1            -> 33.33 done CNY 30.67 at 23:00:00
        show    refund tea-house R3            -> 33.34 done CNY 30.67 at 23:00:00
        show    tea-house T1                   -> closed Refunded after payment at 23:00:00
        workoff tea-house R1                   -> Nothing
        books                                  -> tea-house HKD -1.20, commission HKD 1.20, ming CNY 1000.00, topups CNY -1000.00
        ",
    );
}

// Goal: a night takes what was accepted until midnight; what comes after it waits for the next one.
#[test]
fn which_night() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 100.00
        pay     tea-house T1 50.00 HKD alice
        at      22:59:59.999999
        refund  tea-house T1 R1 1.00 async -> accepted due 23:00:00, left 49.00
        at      23:00:00
        refund  tea-house T1 R2 1.00 async -> accepted due 23:00:00, left 48.00
        at      23:59:59.999999
        refund  tea-house T1 R3 1.00 async -> accepted due 23:59:59.999999, left 47.00
        at      2026-11-24 00:00:00
        refund  tea-house T1 R4 1.00 async -> accepted due 23:00:00, left 46.00
        timers                             -> R1 Done, R2 Done, R3 Done
        at      04:59:59.999999
        refund  tea-house T1 R5 1.00 async -> accepted due 23:00:00, left 45.00
        at      05:00:00
        refund  tea-house T1 R6 1.00 async -> accepted due 23:00:00, left 44.00
        timers
        until   22:59:59.999999
        until   23:00:00                   -> R4 Done, R5 Done, R6 Done
        refund  tea-house T1 R7 1.00 async -> accepted due 23:00:00, left 43.00
        timers                             -> R7 Done
        ",
    );
}

// Goal: a night begins no refund from five on; one that nobody worked off is put off to the next
// night, and is not short for that.
#[test]
fn the_hours_of_a_night() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 100.00
        pay     tea-house T1 50.00 HKD alice
        refund  tea-house T1 R1 1.00 async
        refund  tea-house T1 R2 1.00 async
        refund  tea-house T1 R3 1.00 async
        at      2026-11-24 04:59:59.999999
        workoff tea-house R1        -> Done
        at      05:00:00
        workoff tea-house R2        -> PutOff
        show    refund tea-house R2 -> 1.00 accepted due 23:00:00
        workoff tea-house R2        -> Early
        at      22:59:59.999999
        workoff tea-house R3        -> PutOff
        at      2026-11-25 12:00:00
        timers                      -> R2 PutOff, R3 PutOff
        show    refund tea-house R3 -> 1.00 accepted due 23:00:00
        show    tea-house T1        -> paid commission 0.60 at 12:00:00, refunded 1.00, pending 2.00
        until   2026-11-26 00:00:00 -> R2 Done, R3 Done
        show    refund tea-house R2 -> 1.00 done at 2026-11-25 23:00:00
        ",
    );
}

// Goal: short funds put a refund off from night to night until money comes in; others go before.
#[test]
fn short_funds_by_night() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        pay     noodles   T1 100.00 HKD alice
        pay     noodles   T2 100.00 HKD alice
        refund  tea-house T1 R1 98.81 async -> accepted due 23:00:00, left 1.19
        refund  tea-house T1 R2 1.00 async  -> accepted due 23:00:00, left 0.19
        refund  noodles   T1 R1 100.00 async
        until   2026-11-23 23:00:00         -> R1 PutOff, R2 Done, R1 Done
        show    refund tea-house R1         -> 98.81 accepted short due 2026-11-24 23:00:00
        show    refund noodles R1           -> 100.00 done at 23:00:00
        refund  tea-house T1 R1 98.81 async -> repeat, accepted short due 2026-11-24 23:00:00, left 0.19
        show    tea-house T1                -> paid commission 1.20 at 12:00:00, refunded 1.00, pending 98.81
        refund  tea-house T1 R3 0.20 sync   -> refused ExceedsRemaining { remaining: HKD 0.19 }
        workoff tea-house R1                -> Early
        until   2026-11-27 12:00:00         -> R1 PutOff x3
        pay     tea-house T2 1.02 HKD alice -> paid commission 0.01
        show    refund tea-house R1         -> 98.81 accepted short due 23:00:00
        at      2026-11-28 06:00:00
        timers                              -> R1 PutOff    # a night without us; still short for all we know
        show    refund tea-house R1         -> 98.81 accepted short due 23:00:00
        until   2026-11-28 23:00:00         -> R1 Done
        show    refund tea-house R1         -> 98.81 done at 23:00:00
        books                               -> alice HKD 898.79, noodles HKD 97.60, commission HKD 3.61, topups HKD -1000.00
        ",
    );
}

// Goal: within one night each refund sees the funds that the ones before it left.
#[test]
fn a_night_with_funds_for_some() {
    check(
        "
        partner tea-house HK
        partner returns   HK commission_on_refund=returned
        wallet  alice HK 1000.00
        pay     tea-house T1 50.00 HKD alice
        pay     tea-house T2 50.00 HKD alice
        refund  tea-house T1 R1 50.00 async
        refund  tea-house T2 R2 50.00 async
        refund  tea-house T2 R3 48.80 async  -> refused ExceedsRemaining { remaining: HKD 0.00 }
        pay     tea-house T3 50.00 HKD alice
        refund  tea-house T3 R4 48.21 async
        refund  tea-house T3 R5 1.00 async
        at      23:00:00
        timers  10                           -> R1 Done, R2 Done, R4 PutOff, R5 Done
        show    tea-house T1                 -> closed Refunded after payment at 23:00:00
        show    tea-house T3                 -> paid commission 0.60 at 12:00:00, refunded 1.00, pending 48.21
        pay     returns T1 50.00 HKD alice
        pay     returns T2 50.00 HKD alice
        refund  returns T1 R1 50.00 async
        refund  returns T2 R2 20.00 async
        refund  returns T2 R3 30.00 async
        timers  10                           -> R1 Done, R2 Done, R3 Done    # each gives its commission back
        show    refund returns R2            -> 20.00 done commission 0.24 at 23:00:00
        ",
    );
}

// Goal: half a year after its acceptance a refund that was short to the end fails; what it held is
// free, and a new number may try.
#[test]
fn half_a_year_of_short_funds() {
    check(
        "
        partner tea-house HK refund_days=200
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        pay     tea-house T2 50.00 HKD alice
        refund  tea-house T2 R0 49.40 sync
        refund  tea-house T1 R1 100.00 async      -> accepted due 23:00:00, left 0.00
        until   2027-05-22 11:59:59.999999        -> R1 PutOff x180
        show    refund tea-house R1               -> 100.00 accepted short due 12:00:00
        workoff tea-house R1                      -> Early
        until   2027-05-22 12:00:00               -> R1 Done
        show    refund tea-house R1               -> 100.00 failed at 12:00:00
        show    tea-house T1                      -> paid commission 1.20 at 12:00:00
        refund  tea-house T1 R1 100.00 async      -> refused FundsShort
        refund  tea-house T1 R1 99.00 async       -> refused ContentDiffers
        workoff tea-house R1                      -> Nothing
        pay     tea-house T3 10.00 HKD alice
        refund  tea-house T1 R1 100.00 async      -> refused FundsShort
        refund  tea-house T1 R2 100.00 async      -> accepted due 23:00:00, left 0.00
        until   23:00:00                          -> R2 Done
        ",
    );
}

// Goal: the last tries of a refund that was accepted by night, of one that nobody worked off for
// half a year, and of one whose funds came while nobody looked.
#[test]
fn the_end_of_half_a_year() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        partner late      HK
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        pay     noodles   T1 100.00 HKD alice
        pay     noodles   T2 100.00 HKD alice
        pay     late      T1 100.00 HKD alice
        at      23:30:00.5
        refund  tea-house T1 R1 100.00 async      -> accepted due 23:30:00.5, left 0.00
        refund  late      T1 L1 100.00 async      -> accepted due 23:30:00.5, left 0.00
        until   2027-05-22 22:59:59               -> R1 PutOff x180, L1 PutOff x180
        until   2027-05-22 23:00:00               -> R1 PutOff, L1 PutOff
        show    refund tea-house R1               -> 100.00 accepted short due 23:30:00
        pay     late      T2 100.00 HKD alice
        refund  noodles   T1 N1 50.00 async
        at      2027-12-01 12:00:00
        timers                                    -> N1 PutOff, R1 Done, L1 Done
        show    refund tea-house R1               -> 100.00 failed at 12:00:00
        show    refund late L1                    -> 100.00 failed at 12:00:00    # the time is over, funds or not
        show    refund noodles N1                 -> 50.00 accepted due 23:00:00
        until   2027-12-01 23:00:00               -> N1 Done    # it was never short
        ",
    );
}

// Goal: a refund that is found short for the first time after its half year fails at once.
#[test]
fn short_for_the_first_time_after_half_a_year() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        refund  tea-house T1 R1 100.00 async
        at      2027-06-01 23:30:00
        timers                      -> R1 PutOff, R1 Done
        show    refund tea-house R1 -> 100.00 failed at 23:30:00
        show    tea-house T1        -> paid commission 1.20 at 12:00:00
        ",
    );
}

// Goal: where the contract says so, refunds of the payment's day are due at once; of any other day,
// and those that did not make it, in the night.
#[test]
fn same_day() {
    check(
        "
        partner quick HK reserve=1.20 async_refund=same_day
        wallet  alice HK 1000.00
        wallet  carol HK 1000.00 ask=yes
        pay     quick T1 100.00 HKD alice
        pay     quick T2 100.00 HKD alice
        wait    1
        refund  quick T1 R1 10.00 async     -> accepted due 12:00:01, left 90.00
        timers                              -> R1 Done
        show    refund quick R1             -> 10.00 done at 12:00:01
        refund  quick T1 R2 90.00 async     -> accepted due 12:00:01, left 0.00
        refund  quick T2 R3 99.99 async     -> accepted due 12:00:01, left 0.01
        timers                              -> R2 Done, R3 PutOff
        show    refund quick R3             -> 99.99 accepted short due 23:00:00
        pay     quick T3 10.00 HKD alice
        until   23:00:00                    -> R3 Done
        at      23:59:00
        pay     quick W1 10.00 HKD carol
        pay     quick T4 10.00 HKD alice
        refund  quick T4 R4 1.00 async      -> accepted due 23:59:00, left 9.00
        refund  quick T4 R5 1.00 async      -> accepted due 23:59:00, left 8.00
        at      2026-11-24 00:00:00
        accept  quick W1 carol
        refund  quick T4 R6 1.00 async      -> accepted due 23:00:00, left 7.00    # yesterday's
        refund  quick W1 R7 1.00 async      -> accepted due 00:00:00, left 9.00    # paid today
        workoff quick R4                    -> Done
        at      12:00:00
        timers                              -> R5 PutOff, R7 Done
        until   23:00:00                    -> R5 Done, R6 Done
        ",
    );
}

// Goal: a cancel ends all that waits on its trade, and nothing else.
#[test]
fn cancel_with_pending_refunds() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        pay     tea-house T2 100.00 HKD alice
        refund  tea-house T1 R1 10.00 sync
        refund  tea-house T1 R2 20.00 async
        refund  tea-house T1 R3 30.00 async
        refund  tea-house T2 R4 40.00 async
        wait    1
        cancel  tea-house T1               -> closed Cancelled(Cancel), Refund
        show    tea-house T1               -> closed Cancelled(Cancel) after payment at 12:00:01
        show    refund tea-house R1        -> 10.00 done at 12:00:00
        show    refund tea-house R2        -> 20.00 cancelled at 12:00:01
        show    refund tea-house R3        -> 30.00 cancelled at 12:00:01
        show    refund tea-house R4        -> 40.00 accepted due 23:00:00
        refund  tea-house T1 R2 20.00 async -> refused CancelledSince
        workoff tea-house R2               -> Nothing
        cancel  tea-house T1               -> repeat, closed Cancelled(Cancel), Refund
        entries tea-house T1               -> alice > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission; tea-house > alice HKD 10.00 refund; tea-house > alice HKD 90.00 cancel; commission > tea-house HKD 1.20 commission back
        until   23:00:00                   -> R4 Done
        refund  tea-house T2 R5 60.00 async -> accepted due 23:00:00, left 0.00
        cancel  tea-house T2               -> closed Cancelled(Cancel), Refund    # a trade with nothing left is not closed yet
        timers
        books                              -> alice HKD 1000.00, topups HKD -1000.00
        ",
    );
}

// Goal: a cancel that comes too late leaves what waits to its night.
#[test]
fn cancel_too_late_for_pending_refunds() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        at      23:59:00
        refund  tea-house T1 R1 20.00 async -> accepted due 23:59:00, left 80.00
        at      2026-11-24 00:00:00
        cancel  tea-house T1                -> refused TooLate
        show    refund tea-house R1         -> 20.00 accepted due 2026-11-23 23:59:00
        timers                              -> R1 Done
        ",
    );
}

// Goal: the night and a cancel in one batch, in both orders, and the refunds of one trade together.
#[test]
fn nights_in_batches() {
    check(
        "
        partner tea-house HK reserve=100.00
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        pay     tea-house T2 100.00 HKD alice
        pay     tea-house T3 100.00 HKD alice
        refund  tea-house T1 R1 10.00 async
        refund  tea-house T1 R2 20.00 async
        refund  tea-house T2 S1 10.00 async
        refund  tea-house T2 S2 20.00 async
        refund  tea-house T3 U1 30.00 async
        refund  tea-house T3 U2 30.00 async
        refund  tea-house T3 U3 40.00 async
        at      23:00:00
        batch
        workoff tea-house R1                -> Done
        workoff tea-house R1                -> Nothing
        cancel  tea-house T1                -> closed Cancelled(Cancel), Refund
        workoff tea-house R2                -> Nothing
        cancel  tea-house T2                -> closed Cancelled(Cancel), Refund
        workoff tea-house S1                -> Nothing
        workoff tea-house S2                -> Nothing
        workoff tea-house U1                -> Done
        workoff tea-house U2                -> Done
        workoff tea-house U3                -> Done
        cancel  tea-house T3                -> repeat, closed Refunded, Refund
        end
        show    refund tea-house R1         -> 10.00 done at 23:00:00
        show    refund tea-house R2         -> 20.00 cancelled at 23:00:00
        show    refund tea-house S1         -> 10.00 cancelled at 23:00:00
        show    tea-house T3                -> closed Refunded after payment at 23:00:00
        pay     tea-house T4 100.00 HKD alice
        batch
        refund  tea-house T4 V1 60.00 async -> accepted due 23:00:00, left 40.00
        workoff tea-house V1                -> Done
        refund  tea-house T4 V1 60.00 async -> repeat, done at 23:00:00, left 40.00
        refund  tea-house T4 V2 40.00 async -> accepted due 23:00:00, left 0.00
        cancel  tea-house T4                -> closed Cancelled(Cancel), Refund
        workoff tea-house V2                -> Nothing
        end
        timers
        books                               -> alice HKD 1000.00, tea-house HKD -1.20, commission HKD 1.20, topups HKD -1000.00
        ",
    );
}

// Goal: what the night gives back to a limited partner makes room only on the payment's day.
#[test]
fn nights_and_the_partners_day() {
    check(
        "
        partner tea-house HK day=100.00 reserve=100.00
        wallet  alice HK 1000.00
        pay     tea-house T1 100.00 HKD alice
        refund  tea-house T1 R1 10.00 async
        pay     tea-house T2 1.00 HKD alice -> refused AbovePartnerDayLimit    # accepted is not given back
        until   23:00:00                    -> R1 Done
        turnover tea-house                  -> HKD 90.00
        at      23:59:59
        refund  tea-house T1 R2 20.00 async
        at      2026-11-24 00:00:01
        pay     tea-house T2 50.00 HKD alice
        timers                              -> R2 Done
        turnover tea-house                  -> HKD 50.00
        balance alice                       -> HKD 880.00 spent 50.00 on 2026-11-24, 120.00 in its month
        ",
    );
}
