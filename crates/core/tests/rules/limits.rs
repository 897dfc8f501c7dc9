//! Limits, batches, and the wallets' own commands.

use super::check;

// Goal: each limit of a wallet is passed by one cent over it, in its own currency, counted per
// GMT+8 day and month; a refused payment counts nothing.
#[test]
fn wallet_limits() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 10000.00
        amend   alice payment=100.00 day=150.00 month=250.00
        at      2026-11-29 23:59:59.999999
        pay     tea-house T1 100.01 HKD alice -> refused AboveWalletLimit(PerPayment)
        pay     tea-house T1 100.00 HKD alice -> paid commission 1.20
        pay     tea-house T2 50.01 HKD alice  -> refused AboveWalletLimit(PerDay)
        pay     tea-house T2 50.00 HKD alice  -> paid commission 0.60
        pay     tea-house T3 0.01 HKD alice   -> refused AboveWalletLimit(PerDay)
        at      2026-11-30 00:00:00
        pay     tea-house T3 100.00 HKD alice -> paid commission 1.20
        balance alice                         -> HKD 9750.00 spent 100.00 on 2026-11-30, 250.00 in its month
        pay     tea-house T4 0.01 HKD alice   -> refused AboveWalletLimit(PerMonth)
        at      23:59:59.999999
        pay     tea-house T4 0.01 HKD alice   -> refused AboveWalletLimit(PerMonth)
        at      2026-12-01 00:00:00
        pay     tea-house T4 100.00 HKD alice -> paid commission 1.20
        balance alice                         -> HKD 9650.00 spent 100.00 on 2026-12-01, 100.00 in its month
        ",
    );
}

// Goal: what a mainland wallet spends counts in CNY.
#[test]
fn wallet_limits_in_cny() {
    check(
        "
        partner tea-house HK
        rate    HKD CNY 0.92
        wallet  ming CN 10000.00
        amend   ming payment=92.00
        pay     tea-house T1 100.01 HKD ming -> refused AboveWalletLimit(PerPayment)
        pay     tea-house T1 100.00 HKD ming -> paid CNY 92.00 at 0.92000000 commission 1.20
        amend   ming day=100.00
        pay     tea-house T2 8.71 HKD ming   -> refused AboveWalletLimit(PerDay)
        pay     tea-house T2 8.70 HKD ming   -> paid CNY 8.00 at 0.92000000 commission 0.10
        ",
    );
}

// Goal: money given back makes room again, in the day and month that it was spent in and in no other.
#[test]
fn cancel_makes_room_in_a_wallet() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 10000.00
        amend   alice day=100.00 month=150.00
        at      2026-11-29 23:50:00
        pay     tea-house T1 100.00 HKD alice -> paid commission 1.20
        pay     tea-house T2 10.00 HKD alice  -> refused AboveWalletLimit(PerDay)
        cancel  tea-house T1
        balance alice                         -> HKD 10000.00 spent 0.00 on 2026-11-29, 0.00 in its month
        pay     tea-house T2 100.00 HKD alice -> paid commission 1.20
        at      2026-11-30 00:01:00
        pay     tea-house T3 50.00 HKD alice  -> paid commission 0.60
        pay     tea-house T4 1.00 HKD alice   -> refused AboveWalletLimit(PerMonth)
        cancel  tea-house T2                  -> closed Cancelled(Cancel), Refund    # of yesterday
        balance alice                         -> HKD 9950.00 spent 50.00 on 2026-11-30, 50.00 in its month
        pay     tea-house T4 50.01 HKD alice  -> refused AboveWalletLimit(PerDay)
        pay     tea-house T4 50.00 HKD alice  -> paid commission 0.60
        at      23:55:00
        cancel  tea-house T4
        pay     tea-house T5 40.00 HKD alice  -> paid commission 0.48
        at      2026-12-01 00:05:00
        pay     tea-house T6 30.00 HKD alice  -> paid commission 0.36
        cancel  tea-house T5                  -> closed Cancelled(Cancel), Refund    # of last month
        balance alice                         -> HKD 9920.00 spent 30.00 on 2026-12-01, 30.00 in its month
        ",
    );
}

// Goal: a partner's limits per payment and for the product, one cent over each.
#[test]
fn partner_limits_per_payment() {
    check(
        "
        partner receipt HK payment=50.00
        partner product HK product=50.00
        wallet  alice HK 1000.00
        pay     receipt T1 50.01 HKD alice -> refused AbovePartnerPaymentLimit
        pay     receipt T1 50.00 HKD alice -> paid commission 0.60
        pay     receipt T2 50.00 HKD alice -> paid commission 0.60
        pay     product T1 50.01 HKD alice -> refused AboveProductLimit
        pay     product T1 50.00 HKD alice -> paid commission 0.60
        turnover receipt                   -> none
        ",
    );
}

// Goal: a partner's day holds what was paid on it, by any wallet and also by confirmation; a cancel
// on the same day gives room back, one after midnight does not.
#[test]
fn partner_limit_per_day() {
    check(
        "
        partner tea-house HK day=100.00
        partner noodles   HK day=100.00
        wallet  alice HK 1000.00
        wallet  carol HK 1000.00 ask=yes
        wallet  ming  CN 1000.00
        rate    HKD CNY 0.92
        at      23:58:00
        pay     tea-house T1 60.00 HKD alice  -> paid commission 0.72
        pay     tea-house T2 40.01 HKD ming   -> refused AbovePartnerDayLimit
        pay     tea-house T2 30.00 HKD ming   -> paid CNY 27.60 at 0.92000000 commission 0.36
        turnover tea-house                    -> HKD 90.00
        turnover noodles                      -> none
        pay     tea-house W1 10.00 HKD carol
        pay     tea-house W2 10.00 HKD carol
        pay     tea-house W3 100.00 HKD carol
        accept  tea-house W1 carol            -> paid commission 0.12
        accept  tea-house W2 carol            -> refused AbovePartnerDayLimit
        pay     tea-house T3 0.01 HKD alice   -> refused AbovePartnerDayLimit
        pay     noodles   T1 100.00 HKD alice -> paid commission 1.20
        cancel  tea-house T2                  -> closed Cancelled(Cancel), Refund
        turnover tea-house                    -> HKD 70.00
        accept  tea-house W2 carol            -> paid commission 0.12
        cancel  tea-house W2
        cancel  tea-house W2                  -> repeat, closed Cancelled(Cancel), Refund
        turnover tea-house                    -> HKD 70.00
        at      2026-11-24 00:00:30
        turnover tea-house                    -> none
        accept  tea-house W3 carol            -> paid commission 1.20
        turnover tea-house                    -> HKD 100.00
        cancel  tea-house T1                  -> closed Cancelled(Cancel), Refund    # of yesterday
        turnover tea-house                    -> HKD 100.00
        pay     tea-house T4 0.01 HKD alice   -> refused AbovePartnerDayLimit
        cancel  tea-house W3                  -> closed Cancelled(Cancel), Refund    # created yesterday, paid today
        turnover tea-house                    -> HKD 0.00
        pay     tea-house T4 100.00 HKD alice -> paid commission 1.20
        ",
    );
}

// Goal: commands of one batch see each other, and each row is written once.
#[test]
fn batches() {
    check(
        "
        partner tea-house HK day=100.00
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        batch
        pay     tea-house T1 10.00 HKD alice/c1 -> paid commission 0.12
        pay     tea-house T1 10.00 HKD alice/c1 -> repeat, paid commission 0.12
        pay     tea-house T1 11.00 HKD alice/c1 -> refused ContentDiffers
        cancel  tea-house T1                    -> closed Cancelled(Cancel), Refund
        cancel  tea-house T1 by=spot            -> repeat, closed Cancelled(Cancel), Refund
        pay     tea-house T1 10.00 HKD alice/c1 -> refused TradeClosed
        pay     tea-house T2 60.00 HKD alice    -> paid commission 0.72
        pay     tea-house T3 60.00 HKD alice    -> refused AbovePartnerDayLimit
        pay     tea-house T3 40.01 HKD alice    -> refused AbovePartnerDayLimit
        pay     tea-house T3 40.00 HKD alice    -> paid commission 0.48
        pay     tea-house T4 1.00 HKD alice     -> refused AbovePartnerDayLimit
        end
        partner tea-house HK
        batch
        pay     tea-house T4 1.00 HKD alice     -> refused FundsShort
        topup   alice 1.00                      -> HKD 1.00
        pay     tea-house T4 1.00 HKD alice     -> paid commission 0.01
        cancel  tea-house T5                    -> nothing
        pay     tea-house T5 1.00 HKD alice     -> refused CancelledBefore
        amend   alice state=frozen
        pay     tea-house T6 1.00 HKD alice     -> refused WalletFrozen
        end
        batch
        pay     tea-house W1 1.00 HKD carol     -> waiting until 12:03:00
        accept  tea-house W1 carol              -> paid commission 0.01
        accept  tea-house W1 carol              -> repeat, paid commission 0.01
        close   tea-house W1                    -> Nothing
        cancel  tea-house W1                    -> closed Cancelled(Cancel), Refund
        accept  tea-house W1 carol              -> refused NotWaiting
        pay     tea-house W2 1.00 HKD carol     -> waiting until 12:03:00
        cancel  tea-house W2                    -> closed Cancelled(Cancel), Close
        accept  tea-house W2 carol              -> refused NotWaiting
        pay     tea-house W3 1.00 HKD carol     -> waiting until 12:03:00
        pay     tea-house W4 1.00 HKD carol     -> waiting until 12:03:00
        end
        timer   tea-house W1                    -> none
        timer   tea-house W2                    -> none
        timer   tea-house W3                    -> 12:03:00
        at      12:03:00
        batch
        accept  tea-house W3 carol              -> refused NotWaiting
        close   tea-house W3                    -> Done
        close   tea-house W3                    -> Nothing
        cancel  tea-house W3                    -> repeat, closed Expired, Close
        cancel  tea-house W4                    -> closed Expired, Close
        close   tea-house W4                    -> Nothing
        end
        books                                   -> carol HKD 100.00, tea-house HKD 99.79, commission HKD 1.21, topups HKD -201.00
        ",
    );
}

// Goal: two buyers race for one trade number, two tills for one code, two taps for one balance:
// the first of the batch has it.
#[test]
fn races() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        wallet  alice HK 10.00
        wallet  bob   HK 10.00
        wallet  carol HK 10.00 ask=yes
        batch
        pay     tea-house T1 6.00 HKD alice    -> paid commission 0.07
        pay     tea-house T1 6.00 HKD bob      -> refused BuyerDiffers
        pay     noodles   T1 6.00 HKD bob/c1   -> paid commission 0.07
        pay     tea-house T2 6.00 HKD bob/c1   -> refused Code(Used)
        pay     tea-house W1 6.00 HKD carol    -> waiting until 12:03:00
        pay     noodles   W1 6.00 HKD carol    -> waiting until 12:03:00
        accept  tea-house W1 carol             -> paid commission 0.07
        accept  noodles   W1 carol             -> refused FundsShort
        pay     tea-house S1 1.00 HKD alice shop=two -> paid commission 0.01
        pay     tea-house S2 1.00 HKD alice shop=two -> paid commission 0.01
        end
        pay     tea-house S3 1.00 HKD alice shop=two -> paid commission 0.01
        ",
    );
}

// Goal: wallets are opened, amended and topped up, or refused in the order of the declaration.
#[test]
fn wallets() {
    check(
        "
        partner tea-house HK
        wallet  alice HK -                                      -> HKD 0.00
        wallet  ming  CN 5.00                                   -> CNY 5.00
        wallet  alice HK 5.00:USD                               -> refused IdTaken
        wallet  bella HK 5.00:USD id=alice                      -> refused IdTaken
        wallet  alice HK 5.00:USD id=other alias=1001           -> refused NameTaken
        wallet  bella HK 5.00:USD alias=1001                    -> refused AliasTaken
        wallet  bella HK 5.00:USD                               -> refused CurrencyDiffers
        wallet  bella CN 5.00:HKD                               -> refused CurrencyDiffers
        wallet  bella HK 5.00                                   -> HKD 5.00
        topup   nobody 1.00                                     -> refused Unknown
        topup   ming 1.00:HKD                                   -> refused CurrencyDiffers
        topup   ming 1.00                                       -> CNY 6.00
        topup   ming 92233720368547758.07                       -> refused Money(Overflow)
        amend   nobody state=frozen                             -> refused Unknown
        amend   ming day=1.00:HKD                               -> refused CurrencyDiffers
        amend   ming state=frozen ask=yes month=1.00:HKD        -> refused CurrencyDiffers
        amend   ming payment=1.00:USD                           -> refused CurrencyDiffers
        amend   ming                                            -> CNY 6.00
        alias   nobody 7                                        -> refused Unknown
        alias   nobody 1001                                     -> refused Unknown
        alias   ming 1001                                       -> refused AliasTaken
        alias   ming 7                                          -> CNY 6.00
        alias   ming 7                                          -> refused AliasTaken
        wallet  carol HK 1.00 alias=7                           -> refused AliasTaken
        rate    HKD CNY 1.00
        pay     tea-house T1 1.00 HKD ming~7                    -> paid CNY 1.00 at 1.00000000 commission 0.01
        batch
        wallet  carol HK 1.00                                   -> HKD 1.00
        wallet  carol HK 1.00                                   -> refused IdTaken
        wallet  carol HK 1.00 id=dora                           -> refused NameTaken
        wallet  dora  HK 1.00 alias=8                           -> HKD 1.00
        wallet  emma  HK 1.00 alias=8                           -> refused AliasTaken
        alias   carol 8                                         -> refused AliasTaken
        alias   carol 9                                         -> HKD 1.00
        alias   dora 9                                          -> refused AliasTaken
        topup   carol 1.00                                      -> HKD 2.00
        end
        pay     tea-house T2 2.00 HKD carol~9                   -> paid commission 0.02
        ",
    );
}

// Goal: an amendment changes what it names and leaves the rest, limits as a whole.
#[test]
fn amendments() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00 ask=yes state=frozen
        pay     tea-house T1 1.00 HKD alice -> refused WalletFrozen
        amend   alice day=10.00
        pay     tea-house T1 1.00 HKD alice -> refused WalletFrozen
        amend   alice state=active
        pay     tea-house T1 1.00 HKD alice -> waiting until 12:03:00
        amend   alice ask=no
        pay     tea-house T2 1.00 HKD alice -> paid commission 0.01
        pay     tea-house T3 9.01 HKD alice -> refused AboveWalletLimit(PerDay)
        amend   alice ask=yes state=frozen
        accept  tea-house T1 alice          -> refused WalletFrozen
        amend   alice state=active payment=5.00
        accept  tea-house T1 alice          -> paid commission 0.01
        amend   alice ask=no
        pay     tea-house T3 5.01 HKD alice -> refused AboveWalletLimit(PerPayment)
        amend   alice month=12.00
        pay     tea-house T3 9.01 HKD alice -> paid commission 0.11                  # no limit per day now
        ",
    );
}
