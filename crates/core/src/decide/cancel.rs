//! Cancel, and the timer that closes what nobody confirmed.

use crate::command::Cancel;
use crate::decide::{
    Context, Decision, EventEntries, Reply, TimerOutcome, clear_timer, closed_unpaid,
};
use crate::ledger::{Account, Cause};
use crate::money::{Amount, Money, MoneyError};
use crate::partner::{CancelGrace, Partner};
use crate::time::{Span, Timestamp};
use crate::trade::{
    CancelName, CloseCause, ClosedMark, Payment, Slot, Trade, TradeKey, TradeState,
};
use crate::wallet::Wallet;
use crate::working_set::{Changes, TurnoverKey, WorkingSet};

/// A trade created before midnight may be cancelled this long (`spec/13`, 5).
pub(crate) const GRACE: Span = Span::minutes(15);

/// What a cancel did to a trade, as `action` on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelAction {
    /// Closed without money.
    Close,
    /// The money went back.
    Refund,
}

/// A cancel that is done, now or before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CancelDone {
    /// There was nothing under the id; a pay that comes later is refused.
    Nothing,
    /// The trade is closed.
    Closed {
        /// The trade as it is now.
        trade: Box<Trade>,
        /// What the cancel did.
        action: CancelAction,
    },
}

/// Why a cancel is refused, in the order of the checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelRefusal {
    /// The window is over (`spec/13`, 5).
    TooLate,
    /// A sum does not fit, or a row is gone: nothing is changed.
    Money(MoneyError),
}

pub(super) fn decide(set: &WorkingSet, cancel: &Cancel, context: &Context<'_>) -> Decision {
    let decided = match set.slot(&cancel.key) {
        None => mark(&cancel.key, context),
        Some(Slot::Mark(_)) => Ok((Changes::default(), CancelDone::Nothing)),
        Some(Slot::Trade(trade)) => cancel_trade(set, trade, cancel.name, context),
    };
    match decided {
        Ok((changes, done)) => Decision {
            changes,
            reply: Reply::Cancel(Ok(done)),
        },
        Err(refusal) => Decision::unchanged(Reply::Cancel(Err(refusal))),
    }
}

/// Closes what nobody confirmed in time.
pub(super) fn decide_close(set: &WorkingSet, key: &TradeKey, context: &Context<'_>) -> Decision {
    let Some(Slot::Trade(trade)) = set.slot(key) else {
        return Decision::unchanged(Reply::Close(TimerOutcome::Nothing));
    };
    match (trade.state, trade.state_at(context.now)) {
        (TradeState::Waiting, TradeState::Closed { at, cause, .. }) => {
            let (changes, _) = close_waiting(trade, at, cause);
            Decision {
                changes,
                reply: Reply::Close(TimerOutcome::Closed),
            }
        }
        (TradeState::Waiting, TradeState::Waiting | TradeState::Paid(_)) => {
            Decision::unchanged(Reply::Close(TimerOutcome::Early))
        }
        (TradeState::Paid(_) | TradeState::Closed { .. }, _) => {
            // The row of a timer that has nothing left to do goes as well.
            let timer = clear_timer(&Trade {
                state: TradeState::Waiting,
                ..Trade::clone(trade)
            });
            let changes = Changes {
                timer,
                ..Changes::default()
            };
            Decision {
                changes,
                reply: Reply::Close(TimerOutcome::Nothing),
            }
        }
    }
}

/// Keeps a pay that is still on its way from debiting after its cancel was answered.
fn mark(key: &TradeKey, context: &Context<'_>) -> Result<(Changes, CancelDone), CancelRefusal> {
    let id = context
        .trade_id(key.bucket())
        .ok_or(CancelRefusal::Money(MoneyError::Overflow))?;
    let mark = ClosedMark {
        id,
        key: key.clone(),
        at: context.now,
    };
    Ok((
        Changes {
            slot: Some(Slot::Mark(mark)),
            ..Changes::default()
        },
        CancelDone::Nothing,
    ))
}

fn cancel_trade(
    set: &WorkingSet,
    trade: &Trade,
    name: CancelName,
    context: &Context<'_>,
) -> Result<(Changes, CancelDone), CancelRefusal> {
    let closed = |trade: &Trade, action| CancelDone::Closed {
        trade: Box::new(trade.clone()),
        action,
    };
    match (trade.state, trade.state_at(context.now)) {
        (TradeState::Waiting, TradeState::Closed { at, cause, .. }) => {
            let (changes, trade) = close_waiting(trade, at, cause);
            Ok((changes, closed(&trade, CancelAction::Close)))
        }
        (TradeState::Waiting, _) => {
            let (changes, trade) = close_waiting(trade, context.now, CloseCause::Cancelled(name));
            Ok((changes, closed(&trade, CancelAction::Close)))
        }
        (TradeState::Paid(payment), _) => {
            let partner = context.config.partner(trade.key.partner);
            let partner = partner.ok_or(CancelRefusal::Money(MoneyError::Malformed))?;
            if window_end(trade, partner) <= context.now {
                return Err(CancelRefusal::TooLate);
            }
            give_back(set, trade, payment, name, partner, context)
        }
        (
            TradeState::Closed {
                payment: Some(_), ..
            },
            _,
        ) => Ok((Changes::default(), closed(trade, CancelAction::Refund))),
        (TradeState::Closed { payment: None, .. }, _) => {
            Ok((Changes::default(), closed(trade, CancelAction::Close)))
        }
    }
}

fn close_waiting(trade: &Trade, at: Timestamp, cause: CloseCause) -> (Changes, Trade) {
    let closed = closed_unpaid(trade, at, cause);
    let slot = Some(Slot::Trade(Box::new(closed.clone())));
    (
        Changes {
            slot,
            timer: clear_timer(trade),
            ..Changes::default()
        },
        closed,
    )
}

/// The first instant at which a paid trade can no longer be cancelled.
fn window_end(trade: &Trade, partner: &Partner) -> Timestamp {
    let midnight = trade.created_at().business_date().plus_days(1).start();
    match partner.contract.cancel_grace {
        CancelGrace::PaidToo => midnight.max(trade.created_at().plus(GRACE)),
        CancelGrace::UnpaidOnly => midnight,
    }
}

/// Gives back what is left of a payment, and our share with it (`spec/13`, 6).
fn give_back(
    set: &WorkingSet,
    trade: &Trade,
    payment: Payment,
    name: CancelName,
    partner: &Partner,
    context: &Context<'_>,
) -> Result<(Changes, CancelDone), CancelRefusal> {
    let money = CancelRefusal::Money;
    let event = context
        .event_id(trade.id.bucket())
        .ok_or(money(MoneyError::Overflow))?;
    let wallet = set
        .wallet(trade.wallet)
        .ok_or(money(MoneyError::Malformed))?;
    let left = trade
        .amount
        .money()
        .checked_sub(payment.refunded)
        .map_err(money)?;
    let left_buyer = trade
        .buyer_amount()
        .money()
        .checked_sub(payment.refunded_buyer)
        .map_err(money)?;
    let commission = payment
        .commission
        .checked_sub(payment.commission_returned)
        .map_err(money)?;

    let mut entries = EventEntries::new(event, Some(trade.id));
    add_return(&mut entries, trade, left, left_buyer);
    let payable = Account::PartnerPayable(trade.key.partner);
    entries.add(
        Account::CommissionIncome,
        payable,
        commission,
        Cause::CommissionBack,
    );

    let paid_on = payment.at.business_date();
    let wallet = give_to_wallet(wallet, left_buyer, paid_on).map_err(money)?;
    let returned = payment.all_returned(trade);
    let state = TradeState::Closed {
        at: context.now,
        cause: CloseCause::Cancelled(name),
        payment: Some(returned),
    };
    let closed = Trade {
        state,
        ..trade.clone()
    };
    let changes = Changes {
        slot: Some(Slot::Trade(Box::new(closed.clone()))),
        wallet,
        entries: entries.entries,
        turnover: turnover_without(set, partner, left, payment.at, context.now).map_err(money)?,
        ..Changes::default()
    };
    Ok((
        changes,
        CancelDone::Closed {
            trade: Box::new(closed),
            action: CancelAction::Refund,
        },
    ))
}

/// The reverse of a payment's way: from the partner, through FX clearing, to the wallet.
fn add_return(entries: &mut EventEntries, trade: &Trade, price: Money, paid: Money) {
    let (wallet, payable) = (
        Account::Wallet(trade.wallet),
        Account::PartnerPayable(trade.key.partner),
    );
    if paid.currency() == price.currency() {
        entries.add(payable, wallet, price, Cause::Cancel);
    } else {
        entries.add(payable, Account::FxClearing, price, Cause::Cancel);
        entries.add(Account::FxClearing, wallet, paid, Cause::Cancel);
    }
}

fn give_to_wallet(
    wallet: &Wallet,
    paid: Money,
    paid_on: crate::time::CivilDate,
) -> Result<Option<Wallet>, MoneyError> {
    match Amount::new(paid) {
        Ok(amount) => wallet.given_back(amount, paid_on).map(Some),
        Err(_) => Ok(None),
    }
}

/// A cancel on the day of the payment makes room again in the partner's day.
fn turnover_without(
    set: &WorkingSet,
    partner: &Partner,
    left: Money,
    paid_at: Timestamp,
    now: Timestamp,
) -> Result<Option<(TurnoverKey, Money)>, MoneyError> {
    let date = now.business_date();
    if partner.contract.limit_per_day.is_none() || paid_at.business_date() != date {
        return Ok(None);
    }
    let key = TurnoverKey {
        partner: partner.id,
        date,
    };
    let taken = set.turnover(key, left.currency()).checked_sub(left)?;
    let taken = if taken.minor() < 0 {
        Money::zero(taken.currency())
    } else {
        taken
    };
    Ok(Some((key, taken)))
}
