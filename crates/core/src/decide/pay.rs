//! Pay: a fresh trade, or the present state of one that exists.

use crate::command::{Buyer, Pay};
use crate::decide::{Context, Decision, PayingRefusal, Reply, pay_trade};
use crate::money::{FxRate, MoneyError};
use crate::partner::{Partner, Product};
use crate::payment_code::CodeRefusal;
use crate::shop::{ShopFound, ShopRefusal};
use crate::trade::{Conversion, Slot, Trade, TradeState};
use crate::wallet::{Confirmation, PaymentInst, Wallet, WalletLimit, WalletState};
use crate::working_set::{Changes, TimerChange, WorkingSet};

/// A trade that is paid or waits for its buyer, with what an answer says of the buyer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayDone {
    /// The trade as it is now.
    pub trade: Box<Trade>,
    /// The buyer's masked login.
    pub login: Box<str>,
}

/// Why a pay is refused, in the order of the checks. A refused pay leaves no trade behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PayRefusal {
    /// A cancel came before (`spec/13`, 4).
    CancelledBefore,
    /// The id is of a trade with other data (`spec/13`, 2).
    ContentDiffers,
    /// The id is of a trade that is closed.
    TradeClosed,
    /// The id is of a trade of another wallet.
    BuyerDiffers,
    /// The partner is not in the configuration.
    PartnerUnknown,
    /// The currency is not the contract's (`spec/13`, 13 and 18).
    CurrencyNotAgreed,
    /// The code does not pay.
    Code(CodeRefusal),
    /// The wallet behind the code is gone.
    WalletUnknown,
    /// The contract does not take this wallet type.
    WalletNotAccepted,
    /// There is no shop.
    Shop(ShopRefusal),
    /// The wallet may not pay.
    WalletFrozen,
    /// Above what the product takes.
    AboveProductLimit,
    /// Above what the partner takes in one payment.
    AbovePartnerPaymentLimit,
    /// There is no rate into the wallet's currency.
    NoRate,
    /// Above what the partner takes in one day.
    AbovePartnerDayLimit,
    /// Above a limit of the wallet.
    AboveWalletLimit(WalletLimit),
    /// The wallet has too little.
    FundsShort,
    /// A sum does not fit.
    Money(MoneyError),
}

pub(super) fn decide(set: &WorkingSet, pay: &Pay, context: &Context<'_>) -> Decision {
    let decided = match set.slot(&pay.key) {
        None => fresh(set, pay, context),
        Some(Slot::Mark(_)) => Err(PayRefusal::CancelledBefore),
        Some(Slot::Trade(trade)) => {
            repeat(set, pay, trade, context).map(|done| (Changes::default(), done))
        }
    };
    match decided {
        Ok((changes, done)) => Decision {
            changes,
            reply: Reply::Pay(Ok(done)),
        },
        Err(refusal) => Decision::unchanged(Reply::Pay(Err(refusal))),
    }
}

/// The present state of the trade, without a second effect.
fn repeat(
    set: &WorkingSet,
    pay: &Pay,
    trade: &Trade,
    context: &Context<'_>,
) -> Result<PayDone, PayRefusal> {
    if trade.content != pay.content {
        return Err(PayRefusal::ContentDiffers);
    }
    match trade.state_at(context.now) {
        TradeState::Waiting | TradeState::Paid(_) => {}
        // Whatever code comes with it: an answer that told right codes from wrong ones here would
        // let codes be guessed under an id that can do no harm any more.
        TradeState::Closed { .. } => return Err(PayRefusal::TradeClosed),
    }
    if trade.code != pay.code {
        let buyer = pay.buyer.map_err(PayRefusal::Code)?;
        if buyer.wallet != trade.wallet {
            return Err(PayRefusal::BuyerDiffers);
        }
    }
    let wallet = set.wallet(trade.wallet).ok_or(PayRefusal::WalletUnknown)?;
    Ok(PayDone {
        trade: Box::new(trade.clone()),
        login: wallet.login.clone(),
    })
}

fn fresh(
    set: &WorkingSet,
    pay: &Pay,
    context: &Context<'_>,
) -> Result<(Changes, PayDone), PayRefusal> {
    let partner = context
        .config
        .partner(pay.key.partner)
        .ok_or(PayRefusal::PartnerUnknown)?;
    check_currency(pay, partner)?;
    let (buyer, wallet) = find_buyer(set, pay, partner, context)?;
    let shop = pay
        .shop
        .as_ref()
        .map_err(|refusal| PayRefusal::Shop(*refusal))?;
    check_limits(pay, wallet, partner)?;
    let trade = new_trade(pay, wallet, partner, shop, context)?;

    let mut spent = wallet.clone();
    spent.codes_used.insert(buyer.code, context.now);
    let login = wallet.login.clone();
    let (trade, mut changes) = match wallet.confirmation {
        Confirmation::Asked => {
            // Whoever waits holds nothing (`spec/13`, 3): only the code is spent.
            let timer = Some(TimerChange::Set(
                trade.waits_until(),
                Box::new(trade.clone()),
            ));
            (
                trade,
                Changes {
                    wallet: Some(spent),
                    timer,
                    ..Changes::default()
                },
            )
        }
        Confirmation::NotAsked => {
            let paying = pay_trade(set, &trade, &spent, partner, trade.id.into(), context.now)?;
            paying.into_changes(partner, context)
        }
    };
    changes.slot = Some(Slot::Trade(Box::new(trade.clone())));
    changes.shop = match shop {
        ShopFound::Stored(_) => None,
        ShopFound::New(shop) => Some(shop.clone()),
    };
    Ok((
        changes,
        PayDone {
            trade: Box::new(trade),
            login,
        },
    ))
}

fn check_currency(pay: &Pay, partner: &Partner) -> Result<(), PayRefusal> {
    let agreed = partner.contract.settlement_currency;
    let foreign =
        pay.amount.currency() != agreed || pay.list_currency.is_some_and(|list| list != agreed);
    if foreign {
        Err(PayRefusal::CurrencyNotAgreed)
    } else {
        Ok(())
    }
}

/// The wallet behind the code, if this contract takes it and the code is not spent.
fn find_buyer<'a>(
    set: &'a WorkingSet,
    pay: &Pay,
    partner: &Partner,
    context: &Context<'_>,
) -> Result<(Buyer, &'a Wallet), PayRefusal> {
    let buyer = pay.buyer.map_err(PayRefusal::Code)?;
    // The code was good when it was checked; it may have run out of time in the queue, and with it
    // the memory of its use.
    if buyer.code.is_over(context.now) {
        return Err(PayRefusal::Code(CodeRefusal::OutOfTime));
    }
    let wallet = set.wallet(buyer.wallet).ok_or(PayRefusal::WalletUnknown)?;
    if wallet.codes_used.contains(buyer.code) {
        return Err(PayRefusal::Code(CodeRefusal::Used));
    }
    if !partner.contract.wallets.accepts(wallet.inst) {
        return Err(PayRefusal::WalletNotAccepted);
    }
    Ok((buyer, wallet))
}

fn check_limits(pay: &Pay, wallet: &Wallet, partner: &Partner) -> Result<(), PayRefusal> {
    match wallet.state {
        WalletState::Active => {}
        WalletState::Frozen => return Err(PayRefusal::WalletFrozen),
    }
    let price = pay.amount.money().minor();
    let above = |limit: Option<crate::money::Amount>| {
        limit.is_some_and(|limit| price > limit.money().minor())
    };
    if above(partner.contract.limit_product) {
        return Err(PayRefusal::AboveProductLimit);
    }
    if above(partner.contract.limit_per_payment) {
        return Err(PayRefusal::AbovePartnerPaymentLimit);
    }
    Ok(())
}

fn new_trade(
    pay: &Pay,
    wallet: &Wallet,
    partner: &Partner,
    shop: &ShopFound,
    context: &Context<'_>,
) -> Result<Trade, PayRefusal> {
    let conversion = conversion(pay, wallet.inst, partner, context)?;
    let id = context
        .trade_id(pay.key.bucket())
        .ok_or(PayRefusal::Money(MoneyError::Overflow))?;
    Ok(Trade {
        id,
        key: pay.key.clone(),
        amount: pay.amount,
        wallet: wallet.id,
        inst: wallet.inst,
        conversion,
        shop: shop.key(),
        terminal: pay.terminal.clone(),
        title: pay.title.clone(),
        memo: pay.memo.clone(),
        notify_url: pay.notify_url.clone(),
        dialect: pay.dialect,
        content: pay.content,
        code: pay.code,
        state: TradeState::Waiting,
    })
}

/// A rate for buyers in another currency, and for every trade of a standard contract.
fn conversion(
    pay: &Pay,
    inst: PaymentInst,
    partner: &Partner,
    context: &Context<'_>,
) -> Result<Option<Conversion>, PayRefusal> {
    let same = inst.currency() == pay.amount.currency();
    match (partner.contract.product, same) {
        (Product::Hk, true) => Ok(None),
        (Product::Standard, true) => {
            let rate = FxRate::of_e8(100_000_000).map_err(PayRefusal::Money)?;
            Ok(Some(Conversion {
                rate,
                buyer_amount: pay.amount,
            }))
        }
        (Product::Hk | Product::Standard, false) => {
            let date = context.now.business_date();
            let found = Conversion::of(pay.amount, inst, &context.config.rates, date)
                .map_err(PayRefusal::Money)?;
            found.map(Some).ok_or(PayRefusal::NoRate)
        }
    }
}

impl From<PayingRefusal> for PayRefusal {
    fn from(refusal: PayingRefusal) -> Self {
        match refusal {
            PayingRefusal::PartnerDay => Self::AbovePartnerDayLimit,
            PayingRefusal::Wallet(limit) => Self::AboveWalletLimit(limit),
            PayingRefusal::FundsShort => Self::FundsShort,
            PayingRefusal::Money(error) => Self::Money(error),
        }
    }
}
