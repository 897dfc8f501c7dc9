//! A refund: money back after payment, in part or whole, under a number of its own (`spec/05`).

use crate::id::{EventId, PartnerId, PartnerRefundId, TradeId};
use crate::money::{Amount, Money};
use crate::partner::AsyncRefund;
use crate::time::{Span, Timestamp};
use crate::trade::{Dialect, TradeKey};

/// The hour, GMT+8, at which the batch of a business date begins (`spec/13`, 8).
const BATCH_HOUR: i64 = 23;
/// The hour of the next date from which the batch begins no new refund.
const BATCH_END_HOUR: i64 = 5;
/// How long a refund waits for its merchant's funds (`spec/13`, 9).
pub const PATIENCE: Span = Span::hours(24 * 180);

/// The partner's key of a refund: what a repeat repeats.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RefundKey {
    /// Who calls.
    pub partner: PartnerId,
    /// Its number for the refund.
    pub id: PartnerRefundId,
}

/// When the caller wants to hear the result, as `is_sync` says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundMode {
    /// In the answer.
    Sync,
    /// Later: the answer says that it is accepted, the batch does it.
    Async,
}

/// What a refund moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefundMoved {
    /// When.
    pub at: Timestamp,
    /// The event of its entries.
    pub event: EventId,
    /// What the buyer got back, in the buyer's currency.
    pub buyer_amount: Money,
    /// What of our share went back, in the price's currency.
    pub commission_returned: Money,
}

/// Where a refund is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundState {
    /// It counts against the rest; a batch will do it.
    Accepted {
        /// When it is worked off next.
        due: Timestamp,
        /// Whether the last try found the merchant's funds short.
        short: bool,
    },
    /// The money went back.
    Done(RefundMoved),
    /// The merchant's funds were short: at once for a synchronous one, to the end for another.
    FundsShort {
        /// When it failed.
        at: Timestamp,
    },
    /// Its trade was cancelled before it was worked off (`spec/13`, 6).
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// One refund.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refund {
    /// Our number: the event of its request.
    pub id: EventId,
    /// The partner's.
    pub key: RefundKey,
    /// The trade's number.
    pub trade: TradeId,
    /// The partner's number of the trade.
    pub trade_key: TradeKey,
    /// How much, in the price's currency.
    pub amount: Amount,
    /// When the caller wants to hear the result.
    pub mode: RefundMode,
    /// Why, in the partner's words.
    pub reason: Option<Box<str>>,
    /// Where the partner wants to hear of it.
    pub notify_url: Option<Box<str>>,
    /// How its request was written.
    pub dialect: Dialect,
    /// Where it is in its life.
    pub state: RefundState,
}

impl Refund {
    /// When it was asked for, to the second.
    pub const fn created_at(&self) -> Timestamp {
        self.id.at()
    }

    /// The instant from which its merchant's funds are waited for no longer.
    pub const fn waits_until(&self) -> Timestamp {
        self.created_at().plus(PATIENCE)
    }
}

/// When a refund that is accepted now is worked off: in today's batch, which takes what comes
/// until midnight; or at once, where the contract says so and the payment is of today.
pub fn first_due(term: AsyncRefund, paid_at: Timestamp, now: Timestamp) -> Timestamp {
    match term {
        AsyncRefund::SameDay if paid_at.business_date() == now.business_date() => now,
        AsyncRefund::SameDay | AsyncRefund::Batch => batch_of(now).max(now),
    }
}

/// Whether a refund that is due may begin now: between the batch's hours, or at once where
/// [`first_due`] said so.
pub fn may_begin(term: AsyncRefund, paid_at: Timestamp, now: Timestamp) -> bool {
    let night_ends = now
        .business_date()
        .start()
        .plus(Span::hours(BATCH_END_HOUR));
    let at_once = match term {
        AsyncRefund::SameDay => paid_at.business_date() == now.business_date(),
        AsyncRefund::Batch => false,
    };
    at_once || now < night_ends || batch_of(now) <= now
}

/// The first batch that begins after an instant.
pub fn next_batch(now: Timestamp) -> Timestamp {
    let today = batch_of(now);
    if now < today {
        today
    } else {
        today.plus(Span::hours(24))
    }
}

/// When the batch of an instant's business date begins.
fn batch_of(now: Timestamp) -> Timestamp {
    now.business_date().start().plus(Span::hours(BATCH_HOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_spaced(text).unwrap()
    }

    // Goal: ruling 8, hour by hour.
    #[test]
    fn the_batch_of_a_day() {
        use AsyncRefund::{Batch, SameDay};
        let (noon, eve) = (at("2026-11-25 12:00:00"), at("2026-11-24 12:00:00"));
        for (term, paid, now, due) in [
            (Batch, noon, "2026-11-25 12:00:01", "2026-11-25 23:00:00"),
            (Batch, noon, "2026-11-25 22:59:59", "2026-11-25 23:00:00"),
            (Batch, noon, "2026-11-25 23:59:59", "2026-11-25 23:59:59"),
            (Batch, noon, "2026-11-26 00:00:00", "2026-11-26 23:00:00"),
            (SameDay, noon, "2026-11-25 12:00:01", "2026-11-25 12:00:01"),
            (SameDay, eve, "2026-11-25 12:00:01", "2026-11-25 23:00:00"),
        ] {
            assert_eq!(first_due(term, paid, at(now)), at(due), "{term:?} {now}");
        }
        for (term, paid, now, begins) in [
            (Batch, noon, "2026-11-25 22:59:59", false),
            (Batch, noon, "2026-11-25 23:00:00", true),
            (Batch, noon, "2026-11-26 04:59:59", true),
            (Batch, noon, "2026-11-26 05:00:00", false),
            (SameDay, noon, "2026-11-25 13:00:00", true),
            (SameDay, noon, "2026-11-26 13:00:00", false),
        ] {
            assert_eq!(may_begin(term, paid, at(now)), begins, "{term:?} {now}");
        }
        for (now, next) in [
            ("2026-11-25 22:59:59", "2026-11-25 23:00:00"),
            ("2026-11-25 23:00:00", "2026-11-26 23:00:00"),
            ("2026-11-26 00:30:00", "2026-11-26 23:00:00"),
        ] {
            assert_eq!(next_batch(at(now)), at(next), "{now}");
        }
    }
}
