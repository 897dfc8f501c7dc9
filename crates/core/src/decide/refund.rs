//! Refund: asked for by the partner, at once or worked off by the batch (`spec/05`; `spec/13`, 8
//! to 10 and 20).

use crate::command::AskRefund;
use crate::decide::back::give_back;
use crate::decide::{Context, Decision, Reply, TimerOutcome, notification};
use crate::id::EventId;
use crate::ledger::Cause;
use crate::money::{Money, MoneyError};
use crate::notification::Tidings;
use crate::partner::{Partner, SyncRefundPause};
use crate::refund::{
    Refund, RefundKey, RefundMode, RefundMoved, RefundState, first_due, may_begin, next_batch,
};
use crate::time::Timestamp;
use crate::trade::{CloseCause, Payment, Slice, Slot, Trade, TradeState};
use crate::working_set::{Changes, WorkingSet};

/// Seconds of the business day in which synchronous refunds rest, where the contract says so.
const PAUSE_SECONDS: u32 = 90 * 60;

/// A refund that is accepted or done, now or before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundDone {
    /// The refund as it is now.
    pub refund: Box<Refund>,
    /// Its trade as it is now.
    pub trade: Box<Trade>,
    /// What the buyer gets back, in the buyer's currency. For one that waits for the batch it is
    /// what it would be if it were done next.
    pub buyer_amount: Money,
}

/// Why a refund is refused, in the order of the checks. Only one that finds the merchant's funds
/// short leaves a trace: it failed, and stays failed under its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundRefusal {
    /// The partner is not in the configuration.
    PartnerUnknown,
    /// The number is of a refund with other data.
    ContentDiffers,
    /// The number is of a refund whose trade was cancelled before it was worked off.
    CancelledSince,
    /// No payment stands under these numbers.
    TradeUnknown,
    /// Not the currency of the payment.
    CurrencyDiffers,
    /// The trade waits, or is closed and was never paid or was cancelled.
    NotPaid,
    /// The time for refunds is over.
    TooLate,
    /// More than is left of the payment.
    ExceedsRemaining {
        /// What is left.
        remaining: Money,
    },
    /// Synchronous refunds rest at this hour.
    Paused,
    /// The merchant's funds are short.
    FundsShort,
    /// A sum does not fit, or a row is gone: nothing is changed.
    Money(MoneyError),
}

impl From<MoneyError> for RefundRefusal {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

type Decided = Result<(Changes, Result<RefundDone, RefundRefusal>), RefundRefusal>;

pub(super) fn decide(set: &WorkingSet, ask: &AskRefund, context: &Context<'_>) -> Decision {
    let decided = match set.refund(&ask.key) {
        Some(refund) => repeat(set, ask, refund).map(|done| (Changes::default(), Ok(done))),
        None => fresh(set, ask, context),
    };
    match decided {
        Ok((changes, reply)) => Decision {
            changes,
            reply: Reply::Refund(reply),
        },
        Err(refusal) => Decision::unchanged(Reply::Refund(Err(refusal))),
    }
}

/// The present state of the refund, without a second effect.
fn repeat(set: &WorkingSet, ask: &AskRefund, refund: &Refund) -> Result<RefundDone, RefundRefusal> {
    let same = refund.trade_key == ask.trade
        && refund.amount == ask.amount
        && refund.mode == ask.mode
        && ask.trade_id.is_none_or(|id| id == refund.trade);
    if !same {
        return Err(RefundRefusal::ContentDiffers);
    }
    let Some(Slot::Trade(trade)) = set.slot(&refund.trade_key) else {
        return Err(RefundRefusal::TradeUnknown);
    };
    match refund.state {
        RefundState::Accepted { .. } => done(refund.clone(), trade, None),
        RefundState::Done(moved) => done(refund.clone(), trade, Some(moved.buyer_amount)),
        RefundState::FundsShort { .. } => Err(RefundRefusal::FundsShort),
        RefundState::Cancelled { .. } => Err(RefundRefusal::CancelledSince),
    }
}

/// The answer about a refund; what the buyer gets is worked out where it has not moved yet.
fn done(refund: Refund, trade: &Trade, moved: Option<Money>) -> Result<RefundDone, RefundRefusal> {
    let buyer_amount = match (moved, trade.payment()) {
        (Some(moved), _) => moved,
        (None, Some(payment)) => {
            let kept = crate::partner::CommissionOnRefund::Kept;
            payment.slice(trade, refund.amount.money(), kept)?.buyer
        }
        (None, None) => return Err(RefundRefusal::NotPaid),
    };
    Ok(RefundDone {
        refund: Box::new(refund),
        trade: Box::new(trade.clone()),
        buyer_amount,
    })
}

fn fresh(set: &WorkingSet, ask: &AskRefund, context: &Context<'_>) -> Decided {
    let partner = context.config.partner(ask.key.partner);
    let partner = partner.ok_or(RefundRefusal::PartnerUnknown)?;
    let (trade, payment) = refundable(set, ask)?;
    let last_day = payment
        .at
        .business_date()
        .plus_days(partner.contract.refund_days.into());
    if last_day < context.now.business_date() {
        return Err(RefundRefusal::TooLate);
    }
    let remaining = payment.left(trade)?;
    if remaining.minor() < ask.amount.money().minor() {
        return Err(RefundRefusal::ExceedsRemaining { remaining });
    }
    let event = context.event_id(trade.id.bucket());
    let event = event.ok_or(RefundRefusal::Money(MoneyError::Overflow))?;
    let refund = |state| Refund {
        id: event,
        key: ask.key.clone(),
        trade: trade.id,
        trade_key: trade.key.clone(),
        amount: ask.amount,
        mode: ask.mode,
        reason: ask.reason.clone(),
        notify_url: ask.notify_url.clone(),
        dialect: ask.dialect,
        state,
    };
    match ask.mode {
        RefundMode::Async => {
            let due = first_due(partner.contract.async_refund, payment.at, context.now);
            accept(
                trade,
                payment,
                refund(RefundState::Accepted { due, short: false }),
            )
        }
        RefundMode::Sync => {
            if is_paused(partner, context.now) {
                return Err(RefundRefusal::Paused);
            }
            let blank = refund(RefundState::FundsShort { at: context.now });
            refund_now(set, trade, payment, blank, partner, context)
        }
    }
}

/// The trade that is meant, if it is paid, or was refunded in full.
fn refundable<'a>(
    set: &'a WorkingSet,
    ask: &AskRefund,
) -> Result<(&'a Trade, Payment), RefundRefusal> {
    let Some(Slot::Trade(trade)) = set.slot(&ask.trade) else {
        return Err(RefundRefusal::TradeUnknown);
    };
    if ask.trade_id.is_some_and(|id| id != trade.id) {
        return Err(RefundRefusal::TradeUnknown);
    }
    if ask.amount.currency() != trade.amount.currency() {
        return Err(RefundRefusal::CurrencyDiffers);
    }
    match trade.state {
        TradeState::Paid(payment) => Ok((trade, payment)),
        // Nothing is left of it, which is said after the period.
        TradeState::Closed {
            cause: CloseCause::Refunded,
            payment: Some(payment),
            ..
        } => Ok((trade, payment)),
        TradeState::Waiting | TradeState::Closed { .. } => Err(RefundRefusal::NotPaid),
    }
}

fn is_paused(partner: &Partner, now: Timestamp) -> bool {
    match partner.contract.sync_refund_pause {
        SyncRefundPause::None => false,
        SyncRefundPause::AfterMidnight => now.second_of_day() < PAUSE_SECONDS,
    }
}

/// Received and recorded: it counts against the rest, the batch does it.
fn accept(trade: &Trade, payment: Payment, refund: Refund) -> Decided {
    let refund_pending = payment.refund_pending.checked_add(refund.amount.money())?;
    let trade = Trade {
        state: TradeState::Paid(Payment {
            refund_pending,
            ..payment
        }),
        ..trade.clone()
    };
    let answer = done(refund.clone(), &trade, None)?;
    let changes = Changes {
        slot: Some(Slot::Trade(Box::new(trade))),
        refunds: vec![refund],
        ..Changes::default()
    };
    Ok((changes, Ok(answer)))
}

/// The money goes back now, or the merchant's funds are short and the refund failed for good.
fn refund_now(
    set: &WorkingSet,
    trade: &Trade,
    payment: Payment,
    refund: Refund,
    partner: &Partner,
    context: &Context<'_>,
) -> Decided {
    let term = partner.contract.commission_on_refund;
    let slice = payment.slice(trade, refund.amount.money(), term)?;
    if are_funds_short(set, partner, &slice)? {
        let changes = Changes {
            refunds: vec![refund],
            ..Changes::default()
        };
        return Ok((changes, Err(RefundRefusal::FundsShort)));
    }
    let event = refund.id;
    let (changes, trade, refund) = move_back(
        set,
        trade,
        payment,
        (refund, slice),
        event,
        (partner, context),
    )?;
    let answer = done(refund, &trade, Some(slice.buyer))?;
    Ok((changes, Ok(answer)))
}

/// Whether a slice, less what we give back of our share, is more than the partner is owed and has
/// deposited (`spec/13`, 9).
fn are_funds_short(set: &WorkingSet, partner: &Partner, slice: &Slice) -> Result<bool, MoneyError> {
    let currency = slice.price.currency();
    let funds = set.funds(partner.id, currency)?;
    let reserve = partner.contract.reserve;
    let funds = if reserve.currency() == currency {
        funds.checked_add(reserve)?
    } else {
        funds
    };
    let needed = slice.price.checked_sub(slice.commission)?;
    Ok(funds.minor() < needed.minor())
}

/// Moves a slice back to the buyer; the last one closes the trade.
fn move_back(
    set: &WorkingSet,
    trade: &Trade,
    payment: Payment,
    (refund, slice): (Refund, Slice),
    event: EventId,
    (partner, context): (&Partner, &Context<'_>),
) -> Result<(Changes, Trade, Refund), MoneyError> {
    let cause = (event, Cause::Refund);
    let mut changes = give_back(set, trade, &payment, &slice, cause, (partner, context))?;
    let payment = payment.without(&slice)?;
    let state = if payment.refunded == trade.amount.money() {
        TradeState::Closed {
            at: context.now,
            cause: CloseCause::Refunded,
            payment: Some(payment),
        }
    } else {
        TradeState::Paid(payment)
    };
    let trade = Trade {
        state,
        ..trade.clone()
    };
    let moved = RefundMoved {
        at: context.now,
        event,
        buyer_amount: slice.buyer,
        commission_returned: slice.commission,
    };
    let refund = Refund {
        state: RefundState::Done(moved),
        ..refund
    };
    changes.slot = Some(Slot::Trade(Box::new(trade.clone())));
    changes.refunds = vec![refund.clone()];
    Ok((changes, trade, refund))
}

/// The batch's turn of a refund: done, put off to another night, or failed for good.
pub(super) fn decide_work_off(
    set: &WorkingSet,
    key: &RefundKey,
    context: &Context<'_>,
) -> Decision {
    let Some(refund) = set.refund(key) else {
        return Decision::unchanged(Reply::Timer(TimerOutcome::Nothing));
    };
    // What cannot be worked off must not come up again at once.
    let decided =
        work_off(set, refund, context).unwrap_or_else(|_| put_off(refund, false, context));
    Decision {
        changes: decided.0,
        reply: Reply::Timer(decided.1),
    }
}

/// Another night; one that waits for funds waits until its time is over.
fn put_off(refund: &Refund, short: bool, context: &Context<'_>) -> (Changes, TimerOutcome) {
    let next = next_batch(context.now);
    let due = if short {
        next.min(refund.waits_until())
    } else {
        next
    };
    let refund = Refund {
        state: RefundState::Accepted { due, short },
        ..refund.clone()
    };
    let changes = Changes {
        refunds: vec![refund],
        ..Changes::default()
    };
    (changes, TimerOutcome::PutOff)
}

fn work_off(
    set: &WorkingSet,
    refund: &Refund,
    context: &Context<'_>,
) -> Result<(Changes, TimerOutcome), MoneyError> {
    let gone = MoneyError::Malformed;
    let RefundState::Accepted { due, short } = refund.state else {
        return Ok((Changes::default(), TimerOutcome::Nothing));
    };
    if context.now < due {
        return Ok((Changes::default(), TimerOutcome::Early));
    }
    let Some(Slot::Trade(trade)) = set.slot(&refund.trade_key) else {
        return Err(gone);
    };
    let TradeState::Paid(payment) = trade.state else {
        return Err(gone);
    };
    let partner = context.config.partner(refund.key.partner).ok_or(gone)?;
    if short && refund.waits_until() <= context.now {
        return give_up(trade, payment, refund, context.now);
    }
    if !may_begin(partner.contract.async_refund, payment.at, context.now) {
        return Ok(put_off(refund, short, context));
    }
    let term = partner.contract.commission_on_refund;
    let slice = payment.slice(trade, refund.amount.money(), term)?;
    if are_funds_short(set, partner, &slice)? {
        return Ok(put_off(refund, true, context));
    }
    let event = context.event_id(trade.id.bucket()).ok_or(gone)?;
    let payment = not_pending(payment, refund)?;
    let both = (partner.as_ref(), context);
    let (mut changes, trade, refund) =
        move_back(set, trade, payment, (refund.clone(), slice), event, both)?;
    let tidings = Tidings::RefundDone(refund.id);
    let requested = (refund.notify_url.as_deref(), refund.dialect);
    changes.notification = notification::of(event, &trade, tidings, requested, both);
    Ok((changes, TimerOutcome::Done))
}

fn not_pending(payment: Payment, refund: &Refund) -> Result<Payment, MoneyError> {
    let refund_pending = payment.refund_pending.checked_sub(refund.amount.money())?;
    Ok(Payment {
        refund_pending,
        ..payment
    })
}

/// Half a year of nights in vain: the refund failed, what it held is free again.
fn give_up(
    trade: &Trade,
    payment: Payment,
    refund: &Refund,
    at: Timestamp,
) -> Result<(Changes, TimerOutcome), MoneyError> {
    let trade = Trade {
        state: TradeState::Paid(not_pending(payment, refund)?),
        ..trade.clone()
    };
    let refund = Refund {
        state: RefundState::FundsShort { at },
        ..refund.clone()
    };
    let changes = Changes {
        slot: Some(Slot::Trade(Box::new(trade))),
        refunds: vec![refund],
        ..Changes::default()
    };
    Ok((changes, TimerOutcome::Done))
}
