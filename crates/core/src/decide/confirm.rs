//! The buyer's answer to a payment that waits.

use crate::command::{BuyerAnswer, Confirm};
use crate::decide::{
    Context, Decision, PayingRefusal, Reply, clear_timer, close_waiting, pay_trade,
};
use crate::money::MoneyError;
use crate::trade::{CloseCause, Slot, Trade, TradeState};
use crate::wallet::{WalletLimit, WalletState};
use crate::working_set::{Changes, WorkingSet};

/// Why an answer has no effect, in the order of the checks. The trade waits on where it waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfirmRefusal {
    /// No trade stands under this id.
    TradeUnknown,
    /// Another wallet's code was scanned.
    NotThisWallet,
    /// The trade is paid or closed already.
    NotWaiting,
    /// The wallet may not pay.
    WalletFrozen,
    /// Above what the partner takes in one day.
    AbovePartnerDayLimit,
    /// Above a limit of the wallet.
    AboveWalletLimit(WalletLimit),
    /// The wallet has too little.
    FundsShort,
    /// A sum does not fit.
    Money(MoneyError),
}

pub(super) fn decide(set: &WorkingSet, confirm: &Confirm, context: &Context<'_>) -> Decision {
    match answer(set, confirm, context) {
        Ok((changes, trade)) => Decision {
            changes,
            reply: Reply::Confirm(Ok(Box::new(trade))),
        },
        Err(refusal) => Decision::unchanged(Reply::Confirm(Err(refusal))),
    }
}

fn answer(
    set: &WorkingSet,
    confirm: &Confirm,
    context: &Context<'_>,
) -> Result<(Changes, Trade), ConfirmRefusal> {
    let Some(Slot::Trade(trade)) = set.slot(&confirm.key) else {
        return Err(ConfirmRefusal::TradeUnknown);
    };
    if trade.wallet != confirm.wallet {
        return Err(ConfirmRefusal::NotThisWallet);
    }
    match (trade.state_at(context.now), confirm.answer) {
        (TradeState::Waiting, BuyerAnswer::Accept) => accept(set, trade, context),
        (TradeState::Waiting, BuyerAnswer::Decline) => Ok(close_waiting(
            trade,
            context.now,
            CloseCause::Declined,
            context,
        )),
        // A second tap on the same button.
        (TradeState::Paid(_), BuyerAnswer::Accept)
        | (
            TradeState::Closed {
                cause: CloseCause::Declined,
                ..
            },
            BuyerAnswer::Decline,
        ) => Ok((Changes::default(), Trade::clone(trade))),
        (TradeState::Paid(_), BuyerAnswer::Decline) | (TradeState::Closed { .. }, _) => {
            Err(ConfirmRefusal::NotWaiting)
        }
    }
}

fn accept(
    set: &WorkingSet,
    trade: &Trade,
    context: &Context<'_>,
) -> Result<(Changes, Trade), ConfirmRefusal> {
    let partner = context
        .config
        .partner(trade.key.partner)
        .ok_or(ConfirmRefusal::TradeUnknown)?;
    let wallet = set
        .wallet(trade.wallet)
        .ok_or(ConfirmRefusal::NotThisWallet)?;
    match wallet.state {
        WalletState::Active => {}
        WalletState::Frozen => return Err(ConfirmRefusal::WalletFrozen),
    }
    let event = context
        .event_id(trade.id.bucket())
        .ok_or(ConfirmRefusal::Money(MoneyError::Overflow))?;
    let paying = pay_trade(set, trade, wallet, partner, event, context.now)?;
    let (paid, changes) = paying.into_changes(partner, context);
    let changes = Changes {
        slot: Some(Slot::Trade(Box::new(paid.clone()))),
        timer: clear_timer(trade),
        ..changes
    };
    Ok((changes, paid))
}

impl From<PayingRefusal> for ConfirmRefusal {
    fn from(refusal: PayingRefusal) -> Self {
        match refusal {
            PayingRefusal::PartnerDay => Self::AbovePartnerDayLimit,
            PayingRefusal::Wallet(limit) => Self::AboveWalletLimit(limit),
            PayingRefusal::FundsShort => Self::FundsShort,
            PayingRefusal::Money(error) => Self::Money(error),
        }
    }
}
