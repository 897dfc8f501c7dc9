//! Cancel, and the timer that closes what nobody confirmed.

use crate::command::Cancel;
use crate::decide::back::give_back;
use crate::decide::{Context, Decision, Reply, TimerOutcome, clear_timer, close_waiting, expire};
use crate::ledger::Cause;
use crate::money::{Money, MoneyError};
use crate::partner::{CancelGrace, Partner};
use crate::refund::{Refund, RefundState};
use crate::time::{Span, Timestamp};
use crate::trade::{
    CancelName, CloseCause, ClosedMark, Payment, Slot, Trade, TradeKey, TradeState,
};
use crate::working_set::{Changes, WorkingSet};

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
        return Decision::unchanged(Reply::Timer(TimerOutcome::Nothing));
    };
    if let Some((changes, _)) = expire(trade, context) {
        return Decision {
            changes,
            reply: Reply::Timer(TimerOutcome::Done),
        };
    }
    match trade.state {
        TradeState::Waiting => Decision::unchanged(Reply::Timer(TimerOutcome::Early)),
        TradeState::Paid(_) | TradeState::Closed { .. } => {
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
                reply: Reply::Timer(TimerOutcome::Nothing),
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
    match trade.state {
        TradeState::Waiting => {
            let (changes, trade) = expire(trade, context).unwrap_or_else(|| {
                let cause = CloseCause::Cancelled(name);
                close_waiting(trade, context.now, cause, context)
            });
            Ok((changes, closed(&trade, CancelAction::Close)))
        }
        TradeState::Paid(payment) => {
            let partner = context.config.partner(trade.key.partner);
            let partner = partner.ok_or(CancelRefusal::Money(MoneyError::Malformed))?;
            if window_end(trade, partner) <= context.now {
                return Err(CancelRefusal::TooLate);
            }
            cancel_paid(set, trade, payment, name, partner, context).map_err(CancelRefusal::Money)
        }
        TradeState::Closed {
            payment: Some(_), ..
        } => Ok((Changes::default(), closed(trade, CancelAction::Refund))),
        TradeState::Closed { payment: None, .. } => {
            Ok((Changes::default(), closed(trade, CancelAction::Close)))
        }
    }
}

/// The first instant at which a paid trade can no longer be cancelled.
fn window_end(trade: &Trade, partner: &Partner) -> Timestamp {
    let midnight = trade.created_at().business_date().plus_days(1).start();
    match partner.contract.cancel_grace {
        CancelGrace::PaidToo => midnight.max(trade.created_at().plus(GRACE)),
        CancelGrace::UnpaidOnly => midnight,
    }
}

/// Gives back what is left of a payment, and our share with it; refunds that wait are cancelled
/// (`spec/13`, 6).
fn cancel_paid(
    set: &WorkingSet,
    trade: &Trade,
    payment: Payment,
    name: CancelName,
    partner: &Partner,
    context: &Context<'_>,
) -> Result<(Changes, CancelDone), MoneyError> {
    let event = context.event_id(trade.id.bucket());
    let cause = (event.ok_or(MoneyError::Overflow)?, Cause::Cancel);
    let slice = payment.rest(trade)?;
    let changes = give_back(set, trade, &payment, &slice, cause, (partner, context))?;
    let returned = Payment {
        refund_pending: Money::zero(trade.amount.currency()),
        ..payment.without(&slice)?
    };
    let closed = Trade {
        state: TradeState::Closed {
            at: context.now,
            cause: CloseCause::Cancelled(name),
            payment: Some(returned),
        },
        ..trade.clone()
    };
    let cancelled = |refund: &Refund| Refund {
        state: RefundState::Cancelled { at: context.now },
        ..refund.clone()
    };
    let changes = Changes {
        slot: Some(Slot::Trade(Box::new(closed.clone()))),
        refunds: set.accepted_refunds(&trade.key).map(cancelled).collect(),
        ..changes
    };
    Ok((
        changes,
        CancelDone::Closed {
            trade: Box::new(closed),
            action: CancelAction::Refund,
        },
    ))
}
