//! Pay: contracts and wallets, commission, refusals, repeats, codes.

use super::check;

// Goal: a Hong Kong payment, its repeats, its cancel, and the books after each.
#[test]
fn hk_wallet_at_hk_contract() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 1000.00                 -> HKD 1000.00
        pay     tea-house T1 100.00 HKD alice/c1 -> paid commission 1.20
        pay     tea-house T1 100.00 HKD alice/c1 -> repeat, paid commission 1.20
        pay     tea-house T1 50.00 HKD alice     -> refused ContentDiffers
        pay     tea-house T1 100.00 HKD alice    -> repeat, paid commission 1.20
        show    tea-house T1                     -> paid commission 1.20 at 12:00:00
        entries tea-house T1                     -> alice > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission
        books                                    -> alice HKD 900.00, tea-house HKD 98.80, commission HKD 1.20, topups HKD -1000.00
        balance alice                            -> HKD 900.00 spent 100.00 on 2026-11-23, 100.00 in its month
        wait    0.5
        cancel  tea-house T1                     -> closed Cancelled(Cancel), Refund
        cancel  tea-house T1                     -> repeat, closed Cancelled(Cancel), Refund
        show    tea-house T1                     -> closed Cancelled(Cancel) after payment at 12:00:00.5
        entries tea-house T1                     -> alice > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission; tea-house > alice HKD 100.00 cancel; commission > tea-house HKD 1.20 commission back
        books                                    -> alice HKD 1000.00, topups HKD -1000.00
        pay     tea-house T1 100.00 HKD alice    -> refused TradeClosed
        pay     tea-house T2 1000.00 HKD alice   -> paid commission 12.00
        pay     tea-house T3 0.01 HKD alice      -> refused FundsShort
        ",
    );
}

// Goal: the same number of two partners is two trades.
#[test]
fn ids_are_per_partner() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        wallet  alice HK 100.00
        pay     tea-house T1 10.00 HKD alice -> paid commission 0.12
        pay     noodles   T1 20.00 HKD alice -> paid commission 0.24
        cancel  noodles   T1                 -> closed Cancelled(Cancel), Refund
        show    tea-house T1                 -> paid commission 0.12 at 12:00:00
        books                                -> alice HKD 90.00, tea-house HKD 9.88, commission HKD 0.12, topups HKD -100.00
        ",
    );
}

// Goal: a mainland wallet pays HKD through FX clearing, half-up, at least CNY 0.01; a cancel goes the same way back.
#[test]
fn cn_wallet_at_hk_contract() {
    check(
        "
        partner tea-house HK
        wallet  ming CN 1000.00                    -> CNY 1000.00
        pay     tea-house T1 100.00 HKD ming/c1    -> refused NoRate
        rate    HKD CNY 0.92
        pay     tea-house T1 100.00 HKD ming/c1    -> paid CNY 92.00 at 0.92000000 commission 1.20
        entries tea-house T1                       -> ming > fx CNY 92.00 payment; fx > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission
        books                                      -> tea-house HKD 98.80, commission HKD 1.20, fx HKD -100.00, ming CNY 908.00, fx CNY 92.00, topups CNY -1000.00
        balance ming                               -> CNY 908.00 spent 92.00 on 2026-11-23, 92.00 in its month
        rate    HKD CNY 0.90
        pay     tea-house T1 100.00 HKD ming/c1    -> repeat, paid CNY 92.00 at 0.92000000 commission 1.20
        pay     tea-house T2 0.05 HKD ming         -> paid CNY 0.05 at 0.90000000 commission 0.00
        pay     tea-house T3 0.04 HKD ming         -> paid CNY 0.04 at 0.90000000 commission 0.00
        rate    HKD CNY 0.004
        pay     tea-house T4 0.01 HKD ming         -> paid CNY 0.01 at 0.00400000 commission 0.00
        cancel  tea-house T1                       -> closed Cancelled(Cancel), Refund
        entries tea-house T1                       -> ming > fx CNY 92.00 payment; fx > tea-house HKD 100.00 payment; tea-house > commission HKD 1.20 commission; tea-house > fx HKD 100.00 cancel; fx > ming CNY 92.00 cancel; commission > tea-house HKD 1.20 commission back
        cancel  tea-house T2
        cancel  tea-house T3
        cancel  tea-house T4                       -> closed Cancelled(Cancel), Refund
        books                                      -> ming CNY 1000.00, topups CNY -1000.00
        ",
    );
}

// Goal: the rate of a trade is the one of its creation, to the business day, and the buyer is
// debited by it whenever the confirmation comes.
#[test]
fn rates_by_day() {
    check(
        "
        partner tea-house HK
        wallet  ming CN 1000.00 ask=yes
        rate    HKD CNY 0.92
        at      23:59:00
        pay     tea-house T1 100.00 HKD ming       -> waiting CNY 92.00 at 0.92000000 until 00:02:00
        at      2026-11-24 00:00:00
        rate    HKD CNY 0.50
        pay     tea-house T2 100.00 HKD ming       -> waiting CNY 50.00 at 0.50000000 until 00:03:00
        accept  tea-house T1 ming                  -> paid CNY 92.00 at 0.92000000 commission 1.20
        accept  tea-house T2 ming                  -> paid CNY 50.00 at 0.50000000 commission 1.20
        balance ming                               -> CNY 858.00 spent 142.00 on 2026-11-24, 142.00 in its month
        rate    HKD CNY 0.60
        cancel  tea-house T1                       -> closed Cancelled(Cancel), Refund
        cancel  tea-house T2                       -> closed Cancelled(Cancel), Refund
        books                                      -> ming CNY 1000.00, topups CNY -1000.00
        ",
    );
}

// Goal: the standard contract takes mainland wallets in its own currency, and a conversion is told
// even where none is needed.
#[test]
fn standard_contract() {
    check(
        "
        partner louvre STANDARD USD
        partner border STANDARD CNY
        rate    USD CNY 7.20
        wallet  ming  CN 1000.00
        wallet  alice HK 1000.00
        pay     louvre T1 10.00 USD ming          -> paid CNY 72.00 at 7.20000000 commission 0.12
        pay     louvre T2 10.00 USD ming list=USD -> paid CNY 72.00 at 7.20000000 commission 0.12
        pay     louvre T3 10.00 USD ming list=EUR -> refused CurrencyNotAgreed
        pay     louvre T4 10.00 HKD ming          -> refused CurrencyNotAgreed
        pay     louvre T5 10.00 USD alice         -> refused WalletNotAccepted
        pay     border T1 50.00 CNY ming          -> paid CNY 50.00 at 1.00000000 commission 0.60
        pay     border T2 50.00 CNY alice         -> refused WalletNotAccepted
        entries louvre T1                         -> ming > fx CNY 72.00 payment; fx > louvre USD 10.00 payment; louvre > commission USD 0.12 commission
        entries border T1                         -> ming > border CNY 50.00 payment; border > commission CNY 0.60 commission
        books                                     -> alice HKD 1000.00, topups HKD -1000.00, ming CNY 806.00, border CNY 49.40, commission CNY 0.60, fx CNY 144.00, topups CNY -1000.00, louvre USD 19.76, commission USD 0.24, fx USD -20.00
        cancel  louvre T1                         -> closed Cancelled(Cancel), Refund
        cancel  border T1                         -> closed Cancelled(Cancel), Refund
        books                                     -> alice HKD 1000.00, topups HKD -1000.00, ming CNY 928.00, fx CNY 72.00, topups CNY -1000.00, louvre USD 9.88, commission USD 0.12, fx USD -10.00
        ",
    );
}

// Goal: a currency without decimals is converted into one with two, and its commission is whole yen.
#[test]
fn yen() {
    check(
        "
        partner ginza STANDARD JPY
        rate    JPY CNY 0.0487
        wallet  ming CN 1000.00
        pay     ginza T1 500 JPY ming -> paid CNY 24.35 at 0.04870000 commission 6
        pay     ginza T2 541 JPY ming -> paid CNY 26.35 at 0.04870000 commission 6
        pay     ginza T3 542 JPY ming -> paid CNY 26.40 at 0.04870000 commission 7
        pay     ginza T4 41 JPY ming  -> paid CNY 2.00 at 0.04870000 commission 0
        entries ginza T4              -> ming > fx CNY 2.00 payment; fx > ginza JPY 41 payment
        pay     ginza T5 42 JPY ming  -> paid CNY 2.05 at 0.04870000 commission 1
        cancel  ginza T4              -> closed Cancelled(Cancel), Refund
        cancel  ginza T3              -> closed Cancelled(Cancel), Refund
        books                         -> ming CNY 947.25, fx CNY 52.75, topups CNY -1000.00, ginza JPY 1070, commission JPY 13, fx JPY -1083
        ",
    );
}

// Goal: contracts that cannot be are never in the configuration, and a wallet type that a contract
// does not take is refused both ways.
#[test]
fn contracts_and_wallet_types() {
    check(
        "
        partner abroad HK country=FR             -> refused HkEntityRequired
        partner abroad HK USD                    -> refused HkSettlesInHkd
        partner abroad STANDARD USD wallets=both -> refused StandardTakesCnOnly
        partner abroad HK day=5.00:USD           -> refused CurrencyDiffers
        wallet  alice HK 100.00
        wallet  ming  CN 100.00
        rate    HKD CNY 0.92
        partner locals  HK wallets=hk
        partner tourist HK wallets=cn
        pay     abroad  T1 1.00 HKD alice        -> refused PartnerUnknown
        pay     locals  T1 1.00 HKD alice        -> paid commission 0.01
        pay     locals  T2 1.00 HKD ming         -> refused WalletNotAccepted
        pay     tourist T1 1.00 HKD alice        -> refused WalletNotAccepted
        pay     tourist T2 1.00 HKD ming         -> paid CNY 0.92 at 0.92000000 commission 0.01
        ",
    );
}

// Goal: the commission is half-up to the cent, a zero one makes no entry, and it always comes back.
#[test]
fn commission() {
    check(
        "
        partner tea-house HK
        partner half HK rate=0.5
        partner none HK rate=0
        partner all  HK rate=1
        wallet  alice HK 10000.00
        pay     tea-house T1 0.41 HKD alice    -> paid commission 0.00
        entries tea-house T1                   -> alice > tea-house HKD 0.41 payment
        pay     tea-house T2 0.42 HKD alice    -> paid commission 0.01
        pay     tea-house T3 2899.05 HKD alice -> paid commission 34.79
        pay     tea-house T4 0.01 HKD alice    -> paid commission 0.00
        entries tea-house T4                   -> alice > tea-house HKD 0.01 payment
        pay     half T1 0.01 HKD alice         -> paid commission 0.01
        pay     half T2 0.03 HKD alice         -> paid commission 0.02
        pay     none T1 100.00 HKD alice       -> paid commission 0.00
        pay     all  T1 100.00 HKD alice       -> paid commission 100.00
        partner tea-house HK rate=0.5          # other terms do not reach what is paid
        cancel  tea-house T3                   -> closed Cancelled(Cancel), Refund
        cancel  tea-house T4                   -> closed Cancelled(Cancel), Refund
        entries tea-house T4                   -> alice > tea-house HKD 0.01 payment; tea-house > alice HKD 0.01 cancel
        cancel  half T1
        cancel  half T2
        cancel  none T1
        cancel  all  T1
        books                                  -> alice HKD 9999.17, tea-house HKD 0.82, commission HKD 0.01, topups HKD -10000.00
        ",
    );
}

// Goal: refusals come in the order of their declaration: a request that is wrong in everything is
// mended step by step, and each answer names the first thing still wrong.
#[test]
fn pay_refusals_in_order() {
    check(
        "
        partner tea-house HK payment=50.00 day=20.00 product=80.00
        partner locals HK wallets=hk
        wallet  alice HK 1000.00
        wallet  bob   HK 1000.00
        wallet  cold  HK 5.00 state=frozen
        wallet  poor  HK 5.00
        amend   poor payment=10.00
        wallet  ming  CN 5.00
        wallet  tang  CN 1000.00

        pay     stranger X1 900.00 USD bad:Forged list=EUR shop=missing      -> refused PartnerUnknown
        cancel  tea-house M1                                                  -> nothing
        pay     tea-house M1 900.00 USD bad:Forged list=EUR shop=missing      -> refused CancelledBefore

        pay     tea-house C1 10.00 HKD alice                                  -> paid commission 0.12
        cancel  tea-house C1
        pay     tea-house C1 900.00 USD bad:Forged list=EUR shop=missing      -> refused ContentDiffers
        pay     tea-house C1 10.00 HKD bob shop=other                         -> refused ContentDiffers
        pay     tea-house C1 10.00 HKD bob                                    -> refused TradeClosed
        pay     tea-house C1 10.00 HKD alice                                  -> refused TradeClosed

        pay     tea-house X2 900.00 USD bad:Forged list=EUR shop=missing      -> refused CurrencyNotAgreed
        pay     tea-house X2 900.00 HKD bad:Forged list=EUR shop=missing      -> refused CurrencyNotAgreed
        pay     tea-house X2 900.00 HKD bad:Malformed shop=missing            -> refused Code(Malformed)
        pay     tea-house X2 900.00 HKD bad:UnknownAlias shop=missing         -> refused Code(UnknownAlias)
        pay     tea-house X2 900.00 HKD bad:OutOfTime shop=missing            -> refused Code(OutOfTime)
        pay     tea-house X2 900.00 HKD bad:Forged shop=missing               -> refused Code(Forged)
        pay     tea-house X2 900.00 HKD bad:TooManyTries shop=missing         -> refused Code(TooManyTries)
        pay     tea-house X2 900.00 HKD nobody shop=missing                   -> refused Code(UnknownAlias)
        pay     tea-house X2 900.00 HKD gone shop=missing                     -> refused WalletUnknown

        rate    HKD CNY 1.00
        pay     tea-house C2 1.00 HKD tang/t1
        pay     locals    X2 900.00 HKD tang/t1 shop=missing                  -> refused Code(Used)
        pay     locals    X2 900.00 HKD ming shop=missing                     -> refused WalletNotAccepted
        pay     tea-house X2 900.00 HKD cold shop=missing                     -> refused Shop(StoreDataRequired)
        pay     tea-house X2 900.00 HKD cold shop=unregistered                -> refused Shop(NotRegistered)
        pay     tea-house X2 900.00 HKD cold                                  -> refused WalletFrozen
        amend   cold state=active
        amend   cold payment=2.00
        pay     tea-house X2 900.00 HKD cold                                  -> refused AboveProductLimit
        pay     tea-house X2 80.01 HKD cold                                   -> refused AboveProductLimit
        pay     tea-house X2 80.00 HKD cold                                   -> refused AbovePartnerPaymentLimit
        pay     tea-house X2 50.01 HKD cold                                   -> refused AbovePartnerPaymentLimit
        pay     tea-house X2 50.00 HKD cold                                   -> refused AbovePartnerDayLimit
        pay     tea-house X2 19.01 HKD cold                                   -> refused AbovePartnerDayLimit
        pay     tea-house X2 19.00 HKD cold                                   -> refused AboveWalletLimit(PerPayment)
        amend   cold day=6.00 month=5.50
        pay     tea-house X2 6.01 HKD cold                                    -> refused AboveWalletLimit(PerDay)
        pay     tea-house X2 6.00 HKD cold                                    -> refused AboveWalletLimit(PerMonth)
        pay     tea-house X2 5.50 HKD cold                                    -> refused FundsShort
        pay     tea-house X2 5.00 HKD cold                                    -> paid commission 0.06
        books   -> alice HKD 1000.00, bob HKD 1000.00, poor HKD 5.00, tea-house HKD 5.93, commission HKD 0.07, fx HKD -1.00, topups HKD -2010.00, ming CNY 5.00, tang CNY 999.00, fx CNY 1.00, topups CNY -1005.00
        ",
    );
}

// Goal: without a rate nothing else about the wallet is told; a sum beyond 64 bits is a refusal.
#[test]
fn no_rate_and_sums_that_do_not_fit() {
    check(
        "
        partner tea-house HK
        wallet  ming CN 5.00
        amend   ming payment=1.00
        pay     tea-house T1 900.00 HKD ming              -> refused NoRate
        rate    CNY HKD 1.08                              # the other way round is no rate
        rate    USD CNY 7.20
        pay     tea-house T1 900.00 HKD ming              -> refused NoRate
        rate    HKD CNY 7.20
        pay     tea-house T1 92233720368547758.07 HKD ming -> refused Money(Overflow)
        pay     tea-house T1 900.00 HKD ming              -> refused AboveWalletLimit(PerPayment)
        show    tea-house T1                              -> nothing
        wallet  rich HK 92233720368547758.07
        topup   rich 0.01                                 -> refused Money(Overflow)
        pay     tea-house T2 92233720368547758.07 HKD rich -> paid commission 1106804644422573.10
        topup   rich 0.01                                 -> HKD 0.01
        pay     tea-house T3 0.01 HKD rich                -> refused Money(Overflow)
        ",
    );
}

// Goal: `spec/02`, idempotency: a repeat answers the present state, whatever became of its code.
#[test]
fn repeats_of_a_paid_trade() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  bob   HK 100.00
        alias   alice 7
        pay     tea-house T1 10.00 HKD alice/c1           -> paid commission 0.12
        pay     tea-house T1 10.00 HKD alice/c1           -> repeat, paid commission 0.12
        pay     tea-house T1 10.00 HKD alice/c2           -> repeat, paid commission 0.12
        pay     tea-house T1 10.00 HKD alice~7            -> repeat, paid commission 0.12
        pay     tea-house T2 1.00 HKD alice/c2            -> paid commission 0.01    # the repeat left c2 unused
        pay     tea-house T1 10.00 HKD bob                -> refused BuyerDiffers
        pay     tea-house T1 10.00 HKD bad:Forged         -> refused Code(Forged)
        pay     tea-house T1 10.01 HKD alice/c1           -> refused ContentDiffers
        pay     tea-house T1 10.00 USD alice/c1           -> refused ContentDiffers
        pay     tea-house T1 10.00 HKD alice/c1 list=HKD  -> refused ContentDiffers
        pay     tea-house T1 10.00 HKD alice/c1 shop=two  -> refused ContentDiffers
        pay     tea-house T1 10.01 HKD bob                -> refused ContentDiffers
        wait    126                                       # c1 is out of time now
        pay     tea-house T3 1.00 HKD alice/c1            -> refused Code(OutOfTime)
        pay     tea-house T1 10.00 HKD alice/c1           -> repeat, paid commission 0.12
        pay     tea-house T1 10.00 HKD alice              -> repeat, paid commission 0.12
        amend   alice state=frozen
        amend   alice payment=1.00
        partner tea-house HK payment=1.00 wallets=cn
        pay     tea-house T1 10.00 HKD alice              -> repeat, paid commission 0.12
        at      2026-12-24 12:00:00
        pay     tea-house T1 10.00 HKD alice              -> repeat, paid commission 0.12
        books                                             -> alice HKD 89.00, bob HKD 100.00, tea-house HKD 10.87, commission HKD 0.13, topups HKD -200.00
        ",
    );
}

// Goal: the same for a trade that waits.
#[test]
fn repeats_of_a_waiting_trade() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00 ask=yes
        wallet  bob   HK 100.00
        pay     tea-house T1 10.00 HKD alice/c1     -> waiting until 12:03:00
        pay     tea-house T1 10.00 HKD alice/c1     -> repeat, waiting until 12:03:00
        wait    60
        pay     tea-house T1 10.00 HKD alice        -> repeat, waiting until 12:03:00
        pay     tea-house T1 10.00 HKD bob          -> refused BuyerDiffers
        pay     tea-house T1 10.00 HKD bad:OutOfTime -> refused Code(OutOfTime)
        pay     tea-house T1 9.00 HKD alice/c1      -> refused ContentDiffers
        pay     tea-house T2 10.00 HKD alice/c1     -> refused Code(Used)
        wait    70
        pay     tea-house T1 10.00 HKD alice/c1     -> repeat, waiting until 12:03:00
        amend   alice ask=no
        pay     tea-house T1 10.00 HKD alice/c1     -> repeat, waiting until 12:03:00
        timer   tea-house T1                        -> 12:03:00
        balance alice                               -> HKD 100.00 spent 0.00 on 1970-01-01, 0.00 in its month
        accept  tea-house T1 alice                  -> paid commission 0.12
        pay     tea-house T1 10.00 HKD alice/c1     -> repeat, paid commission 0.12
        ",
    );
}

// Goal: the same for trades closed by cancel, by the timer, by their buyer, and by nobody yet.
#[test]
fn repeats_of_a_closed_trade() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  carol HK 100.00 ask=yes
        wallet  bob   HK 100.00
        pay     tea-house P1 10.00 HKD alice/p1
        cancel  tea-house P1
        pay     tea-house W1 10.00 HKD carol/w1
        cancel  tea-house W1                   -> closed Cancelled(Cancel), Close
        pay     tea-house D1 10.00 HKD carol/d1
        decline tea-house D1 carol             -> closed Declined
        pay     tea-house E1 10.00 HKD carol/e1
        pay     tea-house E2 10.00 HKD carol/e2
        at      12:03:00
        close   tea-house E1                   -> Done
        show    tea-house P1                   -> closed Cancelled(Cancel) after payment at 12:00:00
        show    tea-house W1                   -> closed Cancelled(Cancel) unpaid at 12:00:00
        show    tea-house D1                   -> closed Declined unpaid at 12:00:00
        show    tea-house E1                   -> closed Expired unpaid at 12:03:00
        show    tea-house E2                   -> closed Expired unpaid at 12:03:00

        pay     tea-house P1 10.00 HKD alice/p1 -> refused TradeClosed
        pay     tea-house W1 10.00 HKD carol/w1 -> refused TradeClosed
        pay     tea-house D1 10.00 HKD carol/d1 -> refused TradeClosed
        pay     tea-house E1 10.00 HKD carol/e1 -> refused TradeClosed
        pay     tea-house E2 10.00 HKD carol/e2 -> refused TradeClosed
        pay     tea-house P1 10.00 HKD alice    -> refused TradeClosed
        pay     tea-house E2 10.00 HKD carol    -> refused TradeClosed
        pay     tea-house P1 10.00 HKD bob      -> refused TradeClosed
        pay     tea-house W1 10.00 HKD bob      -> refused TradeClosed
        pay     tea-house D1 10.00 HKD bob      -> refused TradeClosed
        pay     tea-house E2 10.00 HKD bob      -> refused TradeClosed
        pay     tea-house P1 9.00 HKD alice/p1  -> refused ContentDiffers
        pay     tea-house W1 9.00 HKD carol/w1  -> refused ContentDiffers
        pay     tea-house D1 9.00 HKD carol/d1  -> refused ContentDiffers
        pay     tea-house E2 9.00 HKD carol/e2  -> refused ContentDiffers
        timer   tea-house E2                    -> 12:03:00
        close   tea-house E2                    -> Done
        books                                   -> alice HKD 100.00, carol HKD 100.00, bob HKD 100.00, topups HKD -300.00
        ",
    );
}

// Goal: a refused pay leaves neither trade nor shop, its code stays unused, and the id is free for
// other data (`spec/13`, 1).
#[test]
fn a_refused_pay_leaves_nothing() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 5.00
        wallet  bob   HK 50.00
        pay     tea-house T1 10.00 HKD alice/c1 shop=two -> refused FundsShort
        show    tea-house T1                             -> nothing
        entries tea-house T1                             ->
        timer   tea-house T1                             -> none
        topup   alice 5.00                               -> HKD 10.00
        pay     tea-house T1 10.00 HKD alice/c1 shop=two -> paid commission 0.12
        pay     tea-house T2 10.00 HKD alice             -> refused FundsShort
        pay     tea-house T2 9.00 HKD bob shop=two       -> paid commission 0.11
        pay     tea-house T2 10.00 HKD alice             -> refused ContentDiffers
        cancel  tea-house T3                             -> nothing
        pay     tea-house T3 1.00 HKD bob/c3             -> refused CancelledBefore
        pay     tea-house T4 1.00 HKD bob/c3             -> paid commission 0.01
        ",
    );
}

// Goal: a code pays once and for two minutes; how long it took to the decision does not matter
// while it lives (`spec/13`, 18).
#[test]
fn codes() {
    check(
        "
        partner tea-house HK
        partner noodles   HK
        wallet  alice HK 100.00
        alias   alice 7
        pay     tea-house T1 1.00 HKD alice/c1                -> paid commission 0.01
        pay     tea-house T2 1.00 HKD alice/c1                -> refused Code(Used)
        pay     noodles   T1 1.00 HKD alice/c1                -> refused Code(Used)
        pay     tea-house T3 1.00 HKD alice~7/c1              -> paid commission 0.01   # same slot, another device
        pay     tea-house T4 1.00 HKD alice~7/c1              -> refused Code(Used)
        pay     tea-house T5 1.00 HKD alice~8                 -> refused Code(UnknownAlias)
        wait    60
        pay     tea-house T6 1.00 HKD alice/c6 read=12:00:59  -> paid commission 0.01
        pay     tea-house T7 1.00 HKD alice/c6 read=12:00:59  -> refused Code(Used)
        cancel  tea-house T6                                  -> closed Cancelled(Cancel), Refund
        pay     tea-house T7 1.00 HKD alice/c6                -> refused Code(Used)     # a cancel does not give it back
        at      12:02:05.999999
        pay     tea-house T8 1.00 HKD alice/c1                -> refused Code(Used)
        at      12:02:06
        pay     tea-house T8 1.00 HKD alice/c1                -> refused Code(OutOfTime)
        wait    54
        batch
        pay     tea-house U1 1.00 HKD alice/u1                -> paid commission 0.01
        pay     tea-house U2 1.00 HKD alice/u1                -> refused Code(Used)
        pay     tea-house U1 1.00 HKD alice/u1                -> repeat, paid commission 0.01
        end
        ",
    );
}

// Goal: a code that runs out of time in the queue does not pay; the memory of its use may be gone.
#[test]
fn a_code_that_expires_in_the_queue() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        alias   alice 7
        pay     tea-house T1 1.00 HKD alice/c1               -> paid commission 0.01
        at      12:02:07
        pay     tea-house T2 1.00 HKD alice~7                -> paid commission 0.01
        pay     tea-house T3 1.00 HKD alice/c1 read=12:02:05 -> refused Code(OutOfTime)
        ",
    );
}

// Goal: the missing rate is told before the partner's day, a closed trade before a bad code.
#[test]
fn refusals_that_were_told_out_of_order() {
    check(
        "
        partner tea-house HK day=50.00
        wallet  ming CN 100.00
        wallet  alice HK 100.00
        pay     tea-house T1 60.00 HKD ming       -> refused NoRate
        pay     tea-house T2 10.00 HKD alice
        cancel  tea-house T2
        pay     tea-house T2 10.00 HKD bad:Forged -> refused TradeClosed
        ",
    );
}

// Goal: under the id of a closed trade a right code and a wrong one sound the same, so that nobody
// learns there which is which.
#[test]
fn a_closed_trade_tells_nothing_about_codes() {
    check(
        "
        partner tea-house HK
        wallet  alice HK 100.00
        wallet  bob   HK 100.00
        pay     tea-house T1 10.00 HKD alice
        cancel  tea-house T1
        pay     tea-house T1 10.00 HKD bob              -> refused TradeClosed
        pay     tea-house T1 10.00 HKD bad:Forged       -> refused TradeClosed
        pay     tea-house T1 10.00 HKD bad:UnknownAlias -> refused TradeClosed
        pay     tea-house T1 10.00 HKD alice            -> refused TradeClosed
        ",
    );
}
