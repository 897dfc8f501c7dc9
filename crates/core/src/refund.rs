//! A refund: money back after payment, in part or whole, under a number of its own (`spec/05`).

use crate::id::{EventId, PartnerId, PartnerRefundId, TradeId};
use crate::money::{Amount, Money};
use crate::time::{Span, Timestamp};
use crate::trade::TradeKey;

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
    /// Where it is in its life.
    pub state: RefundState,
}

impl Refund {
    /// When it was asked for, to the second.
    pub const fn created_at(&self) -> Timestamp {
        self.id.at()
    }
}
