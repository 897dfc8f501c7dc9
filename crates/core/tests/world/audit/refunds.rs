//! Refunds, reckoned again: what each decision may do to one, and what all of them leave.

use std::collections::BTreeSet;

use spotpay_core::command::Command;
use spotpay_core::decide::{Context, RefundDone, Reply};
use spotpay_core::id::EventId;
use spotpay_core::ledger::{Account, Cause, Entry};
use spotpay_core::money::Money;
use spotpay_core::partner::{AsyncRefund, CommissionOnRefund, Contract, SyncRefundPause};
use spotpay_core::refund::{Refund, RefundMode, RefundMoved, RefundState};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{CloseCause, Payment, Slot, Trade, TradeKey, TradeState};

use super::{Audit, DAY, Rows, SECOND, Seen, day_of, half_up, hold, minor, same, second_of};

const NIGHT_BEGINS: i64 = 23 * 3_600;
const NIGHT_ENDS: i64 = 5 * 3_600;

fn amount_of(money: Money) -> i128 {
    money.minor().into()
}

/// The instant of a second of the day, on the day of another.
fn on_day_of(at: Timestamp, second: i64) -> Timestamp {
    Timestamp::from_micros(day_of(at) * DAY + (second - 8 * 3_600) * SECOND)
}

fn plus_days(at: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + days * DAY)
}

/// A part of the whole that goes back when the refunded price grows by `price`.
fn part(of: Money, trade: &Trade, payment: &Payment, price: i128) -> i128 {
    let (whole, before) = (minor(trade.amount), amount_of(payment.refunded));
    let share = |part: i128| half_up(amount_of(of) * part, whole);
    share(before + price) - share(before)
}

fn paid_before<'a>(seen: &Seen<'a>, key: &TradeKey) -> Result<(&'a Trade, Payment), String> {
    match seen.set.slot(key) {
        Some(Slot::Trade(trade)) => match trade.state {
            TradeState::Paid(payment) => Ok((trade, payment)),
            TradeState::Waiting | TradeState::Closed { .. } => {
                Err("a refund of what is not paid".to_owned())
            }
        },
        Some(Slot::Mark(_)) | None => Err("a refund of nothing".to_owned()),
    }
}

/// What the changed refunds make of a payment.
pub(super) fn payment_after(
    trade: &Trade,
    was: Payment,
    seen: &Seen<'_>,
) -> Result<Payment, String> {
    let mut payment = was;
    let add = |to: &mut Money, minor: i64| {
        *to = Money::of_minor(to.minor() + minor, to.currency());
    };
    for refund in &seen.decision.changes.refunds {
        same("trade of a refund", &refund.trade_key, &trade.key)?;
        let price = refund.amount.money().minor();
        let pending = match seen.set.refund(&refund.key).map(|refund| refund.state) {
            Some(RefundState::Accepted { .. }) => price,
            Some(_) | None => 0,
        };
        add(&mut payment.refund_pending, -pending);
        match refund.state {
            RefundState::Accepted { .. } => add(&mut payment.refund_pending, price),
            RefundState::Done(moved) => {
                add(&mut payment.refunded, price);
                add(&mut payment.refunded_buyer, moved.buyer_amount.minor());
                let commission = moved.commission_returned.minor();
                add(&mut payment.commission_returned, commission);
            }
            RefundState::FundsShort { .. } | RefundState::Cancelled { .. } => {}
        }
    }
    Ok(payment)
}

impl Audit {
    /// Checks what a decision does to refunds, and what it says of them.
    pub(super) fn refunds(&self, seen: &Seen<'_>, context: &Context<'_>) -> Result<(), String> {
        let changes = &seen.decision.changes;
        if let Command::Refund(ask) = seen.command
            && seen.set.refund(&ask.key).is_some()
        {
            same("changes of a repeat", changes, &Default::default())?;
        }
        for refund in &changes.refunds {
            let (trade, payment) = paid_before(seen, &refund.trade_key)?;
            let partner = context.config.partner(refund.key.partner);
            let contract = &partner.ok_or("a stranger refunds")?.contract;
            let one = One {
                seen,
                trade,
                payment,
                contract,
                now: context.now,
            };
            let funds = self
                .payable
                .get(&(refund.key.partner, refund.amount.currency()));
            let reserve = match contract.reserve.currency() == refund.amount.currency() {
                true => amount_of(contract.reserve),
                false => 0,
            };
            let funds = funds.copied().unwrap_or(0) + reserve;
            match seen.set.refund(&refund.key) {
                None => one.asked(refund, funds)?,
                Some(was) => one.goes_on(was, refund, funds)?,
            }
        }
        match &seen.decision.reply {
            Reply::Refund(Ok(done)) => answer(seen, done),
            Reply::Refund(Err(_))
            | Reply::Pay(_)
            | Reply::Confirm(_)
            | Reply::Cancel(_)
            | Reply::Timer(_)
            | Reply::Settled(_)
            | Reply::Published(_)
            | Reply::Store(_)
            | Reply::Notification(_)
            | Reply::Wallet(_)
            | Reply::Configured => Ok(()),
        }
    }
}

/// A refund says what is stored, and what its buyer gets or would get.
fn answer(seen: &Seen<'_>, done: &RefundDone) -> Result<(), String> {
    let changes = &seen.decision.changes;
    let stored = seen.set.refund(&done.refund.key);
    let row = changes.refunds.first().or(stored);
    same("the refund of an answer", Some(&*done.refund), row)?;
    let slot = changes.slot.as_ref();
    let slot = slot.or_else(|| seen.set.slot(&done.refund.trade_key));
    let Some(Slot::Trade(trade)) = slot else {
        return Err("an answer about no trade".to_owned());
    };
    same("the trade of an answer", &done.trade, trade)?;
    let buyer = match done.refund.state {
        RefundState::Done(moved) => amount_of(moved.buyer_amount),
        RefundState::Accepted { .. } => {
            let payment = trade.payment().ok_or("an unpaid trade has a refund")?;
            let whole = trade.buyer_amount().money();
            part(whole, trade, &payment, minor(done.refund.amount))
        }
        RefundState::FundsShort { .. } | RefundState::Cancelled { .. } => {
            return Err("a refund that failed is answered as good".to_owned());
        }
    };
    same("what the buyer gets", amount_of(done.buyer_amount), buyer)
}

/// One changed refund, with what it depends on.
struct One<'a> {
    seen: &'a Seen<'a>,
    trade: &'a Trade,
    payment: Payment,
    contract: &'a Contract,
    now: Timestamp,
}

impl One<'_> {
    /// A new row: accepted when it is asynchronous, else done or failed at once.
    fn asked(&self, refund: &Refund, funds: i128) -> Result<(), String> {
        let Command::Refund(ask) = self.seen.command else {
            return Err("a refund that nobody asked for".to_owned());
        };
        let asked = (&ask.key, &ask.trade, ask.amount, ask.mode, &ask.notify_url);
        let noted = (
            &refund.key,
            &refund.trade_key,
            refund.amount,
            refund.mode,
            &refund.notify_url,
        );
        same("what was asked", noted, asked)?;
        let second = self.now.as_micros().div_euclid(SECOND) * SECOND;
        same("number of a refund", refund.id.at().as_micros(), second)?;
        same("trade of a refund", refund.trade, self.trade.id)?;
        let day = day_of(self.now) - day_of(self.payment.at);
        hold(day <= self.contract.refund_days.into(), "a refund too late")?;
        let taken = amount_of(self.payment.refunded) + amount_of(self.payment.refund_pending);
        let left = minor(self.trade.amount) - taken;
        hold(minor(refund.amount) <= left, "a refund above the rest")?;
        if refund.mode == RefundMode::Sync {
            hold(!self.rests(), "a refund while they rest")?;
        }
        match (refund.mode, refund.state) {
            (RefundMode::Async, RefundState::Accepted { due, short }) => {
                hold(!short, "a new refund is short")?;
                same("first turn of a refund", due, self.first_due())
            }
            (RefundMode::Sync, RefundState::Done(moved)) => {
                same("event of a refund", moved.event, refund.id)?;
                self.moved(refund, &moved, funds)
            }
            (RefundMode::Sync, RefundState::FundsShort { at }) => {
                same("instant of a failure", at, self.now)?;
                hold(funds < self.needed(refund), "a refund fails with funds")
            }
            (RefundMode::Sync | RefundMode::Async, _) => Err("a refund begins oddly".to_owned()),
        }
    }

    /// An accepted row that is put off, done, given up or cancelled.
    fn goes_on(&self, was: &Refund, refund: &Refund, funds: i128) -> Result<(), String> {
        let unchanged = Refund {
            state: was.state,
            ..refund.clone()
        };
        hold(unchanged == *was, "more than the state of a refund changes")?;
        let RefundState::Accepted { due, short } = was.state else {
            return Err("a refund that is over changes".to_owned());
        };
        let end = plus_days(was.id.at(), 180);
        match (self.seen.command, refund.state) {
            (Command::Cancel(_), RefundState::Cancelled { at }) => {
                same("instant of a cancelled refund", at, self.now)
            }
            (Command::WorkOff(_), state) => {
                hold(due <= self.now, "a refund has its turn too early")?;
                match state {
                    RefundState::Accepted { due, short: is } => {
                        self.put_off(was, (due, short, is), funds)
                    }
                    RefundState::Done(moved) => {
                        hold(self.may_begin(), "a refund is done by day")?;
                        hold(!short || self.now < end, "a refund is done after its end")?;
                        self.moved(refund, &moved, funds)
                    }
                    RefundState::FundsShort { at } => {
                        same("instant of a failure", at, self.now)?;
                        hold(short && end <= self.now, "a refund is given up early")
                    }
                    RefundState::Cancelled { .. } => Err("the night cancels".to_owned()),
                }
            }
            (_, _) => Err("a command that has no business with refunds".to_owned()),
        }
    }

    fn put_off(
        &self,
        was: &Refund,
        (due, was_short, is_short): (Timestamp, bool, bool),
        funds: i128,
    ) -> Result<(), String> {
        if self.may_begin() {
            // A sum that does not fit is the other reason.
            let fits = i64::try_from(funds).is_ok();
            hold(is_short == fits, "a refund is put off for nothing")?;
            hold(
                !fits || funds < self.needed(was),
                "a refund is put off with funds",
            )?;
        } else {
            same("a refund put off by day", is_short, was_short)?;
        }
        let night = on_day_of(self.now, NIGHT_BEGINS);
        let night = if self.now < night {
            night
        } else {
            plus_days(night, 1)
        };
        let end = plus_days(was.id.at(), 180);
        let should = if is_short { night.min(end) } else { night };
        same("next turn of a refund", due, should)
    }

    /// The shares, the funds, and what the trade becomes.
    fn moved(&self, refund: &Refund, moved: &RefundMoved, funds: i128) -> Result<(), String> {
        let price = minor(refund.amount);
        let whole = self.trade.buyer_amount().money();
        let buyer = part(whole, self.trade, &self.payment, price);
        same("what the buyer got", amount_of(moved.buyer_amount), buyer)?;
        let commission = amount_of(moved.commission_returned);
        same("commission given back", commission, self.commission(refund))?;
        same("instant of a refund", moved.at, self.now)?;
        hold(self.needed(refund) <= funds, "a refund without funds")?;
        let refunded = amount_of(self.payment.refunded) + price;
        let Some(Slot::Trade(after)) = &self.seen.decision.changes.slot else {
            return Err("a refund leaves its trade alone".to_owned());
        };
        let closed = matches!(
            after.state,
            TradeState::Closed {
                cause: CloseCause::Refunded,
                ..
            }
        );
        same("closed", closed, refunded == minor(self.trade.amount))
    }

    fn commission(&self, refund: &Refund) -> i128 {
        match self.contract.commission_on_refund {
            CommissionOnRefund::Kept => 0,
            CommissionOnRefund::Returned => {
                let commission = self.payment.commission;
                part(commission, self.trade, &self.payment, minor(refund.amount))
            }
        }
    }

    fn needed(&self, refund: &Refund) -> i128 {
        minor(refund.amount) - self.commission(refund)
    }

    fn rests(&self) -> bool {
        match self.contract.sync_refund_pause {
            SyncRefundPause::None => false,
            SyncRefundPause::AfterMidnight => second_of(self.now) < 5_400,
        }
    }

    fn is_same_day(&self) -> bool {
        match self.contract.async_refund {
            AsyncRefund::Batch => false,
            AsyncRefund::SameDay => day_of(self.payment.at) == day_of(self.now),
        }
    }

    fn may_begin(&self) -> bool {
        let second = second_of(self.now);
        self.is_same_day() || !(NIGHT_ENDS..NIGHT_BEGINS).contains(&second)
    }

    fn first_due(&self) -> Timestamp {
        if self.is_same_day() || NIGHT_BEGINS <= second_of(self.now) {
            self.now
        } else {
            on_day_of(self.now, NIGHT_BEGINS)
        }
    }
}

fn refunds_of<'a>(rows: &'a Rows, trade: &'a Trade) -> impl Iterator<Item = &'a Refund> {
    let of_trade = |refund: &&Refund| refund.trade == trade.id;
    rows.refunds.values().filter(of_trade)
}

fn done_of(rows: &Rows, trade: &Trade) -> Vec<(i128, RefundMoved)> {
    let done = refunds_of(rows, trade).filter_map(|refund| match refund.state {
        RefundState::Done(moved) => Some((minor(refund.amount), moved)),
        RefundState::Accepted { .. }
        | RefundState::FundsShort { .. }
        | RefundState::Cancelled { .. } => None,
    });
    done.collect()
}

/// The price of what went back on a date.
pub(super) fn back_on(rows: &Rows, trade: &Trade, day: i64) -> i128 {
    let done = done_of(rows, trade);
    let by_refunds: i128 = done.iter().map(|(price, _)| price).sum();
    let on_day = done.iter().filter(|(_, moved)| day_of(moved.at) == day);
    let refunded: i128 = on_day.map(|(price, _)| price).sum();
    match trade.state {
        TradeState::Closed {
            at,
            cause: CloseCause::Cancelled(_),
            payment: Some(_),
        } if day_of(at) == day => refunded + minor(trade.amount) - by_refunds,
        TradeState::Closed { .. } | TradeState::Waiting | TradeState::Paid(_) => refunded,
    }
}

/// A trade and its refunds agree, and each has its entries once.
pub(super) fn of_trade(rows: &Rows, trade: &Trade) -> Result<(), String> {
    let done = done_of(rows, trade);
    let pending: i128 = refunds_of(rows, trade)
        .filter(|refund| matches!(refund.state, RefundState::Accepted { .. }))
        .map(|refund| minor(refund.amount))
        .sum();
    for refund in refunds_of(rows, trade) {
        same("trade of a refund", &refund.trade_key, &trade.key)?;
    }
    let Some(payment) = trade.payment() else {
        return same("refunds of an unpaid trade", (done.len(), pending), (0, 0));
    };
    let (cancelled, refunded) = match trade.state {
        TradeState::Waiting | TradeState::Paid(_) => (false, false),
        TradeState::Closed { cause, .. } => match cause {
            CloseCause::Cancelled(_) => (true, false),
            CloseCause::Refunded => (false, true),
            CloseCause::Expired | CloseCause::Declined => (false, false),
        },
    };
    same("pending", amount_of(payment.refund_pending), pending)?;
    let whole = minor(trade.amount);
    let back = amount_of(payment.refunded);
    hold(back + pending <= whole, "refunds above the payment")?;
    hold(!cancelled || pending == 0, "pending after a cancel")?;
    hold(
        payment.commission_returned.minor() <= payment.commission.minor(),
        "more commission back than taken",
    )?;
    let sum = |of: fn(&(i128, RefundMoved)) -> i128| done.iter().map(of).sum::<i128>();
    let price = sum(|(price, _)| *price);
    let buyer = sum(|(_, moved)| amount_of(moved.buyer_amount));
    let commission = sum(|(_, moved)| amount_of(moved.commission_returned));
    let sums = (price, buyer, commission);
    let noted = (
        back,
        amount_of(payment.refunded_buyer),
        amount_of(payment.commission_returned),
    );
    if cancelled {
        hold(price < whole, "a cancel after a full refund")?;
    } else {
        same("sums of the refunds", sums, noted)?;
        same("closed by refunds", refunded, back == whole)?;
    }
    entries(rows, trade, &done)?;
    let rest = (noted.0 - price, noted.1 - buyer, noted.2 - commission);
    cancel_entries(rows, trade, rest)
}

type Move = (Account, Account, Money, Cause);

/// The way of money back to the buyer.
fn way_back(
    trade: &Trade,
    (price, buyer, commission): (i128, i128, i128),
    cause: Cause,
) -> Vec<Move> {
    let money =
        |minor: i128, of: Money| Money::of_minor(i64::try_from(minor).unwrap(), of.currency());
    let price = money(price, trade.amount.money());
    let buyer = money(buyer, trade.buyer_amount().money());
    let commission = money(commission, trade.amount.money());
    let wallet = Account::Wallet(trade.wallet);
    let payable = Account::PartnerPayable(trade.key.partner);
    let mut moves = if price.currency() == buyer.currency() {
        vec![(payable, wallet, price, cause)]
    } else {
        vec![
            (payable, Account::FxClearing, price, cause),
            (Account::FxClearing, wallet, buyer, cause),
        ]
    };
    let income = Account::CommissionIncome;
    moves.push((income, payable, commission, Cause::CommissionBack));
    moves.retain(|(_, _, money, _)| money.minor() != 0);
    moves
}

fn moves(entries: &[&Entry], event: EventId) -> Vec<Move> {
    let of_event = entries.iter().filter(|entry| entry.event == event);
    let told = of_event.map(|entry| (entry.debit, entry.credit, entry.amount.money(), entry.cause));
    told.collect()
}

fn events(entries: &[&Entry], cause: Cause) -> BTreeSet<EventId> {
    let of_cause = entries.iter().filter(|entry| entry.cause == cause);
    of_cause.map(|entry| entry.event).collect()
}

/// Each refund that is done has its entries, under its own event, and no other event has any.
fn entries(rows: &Rows, trade: &Trade, done: &[(i128, RefundMoved)]) -> Result<(), String> {
    let own = rows.trade_entries(&trade.key);
    for (price, moved) in done {
        let buyer = amount_of(moved.buyer_amount);
        let commission = amount_of(moved.commission_returned);
        let should = way_back(trade, (*price, buyer, commission), Cause::Refund);
        same("entries of a refund", moves(&own, moved.event), should)?;
    }
    let should: BTreeSet<EventId> = done.iter().map(|(_, moved)| moved.event).collect();
    same("refunds with one event", should.len(), done.len())?;
    same(
        "events of refunds",
        events(&own, Cause::Refund),
        should.clone(),
    )?;
    let others = events(&own, Cause::CommissionBack);
    let cancels = events(&own, Cause::Cancel);
    let known = others
        .iter()
        .all(|event| should.contains(event) || cancels.contains(event));
    hold(known, "commission comes back by itself")
}

/// A cancel's entries are all that refunds left, in one event.
fn cancel_entries(rows: &Rows, trade: &Trade, rest: (i128, i128, i128)) -> Result<(), String> {
    let own = rows.trade_entries(&trade.key);
    let cancels = events(&own, Cause::Cancel);
    same("cancels", cancels.len(), usize::from(rest.0 != 0))?;
    for event in cancels {
        let should = way_back(trade, rest, Cause::Cancel);
        same("entries of a cancel", moves(&own, event), should)?;
    }
    Ok(())
}
