//! What a notification tells: its fields, written and read (`spec/06`; `spec/11`, 4 and 5).

use std::borrow::Cow;
use std::str::FromStr;

use spotpay_core::id::{PartnerId, PartnerRefundId, PartnerTransId};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::PaymentInst;

use super::Notification;
use crate::field::Buyer;
use crate::refusal::cut;
use crate::trade_no::TradeNo;

/// `notify_type` of a trade.
pub const TRADE_STATUS_SYNC: &str = "trade_status_sync";
/// `notify_type` of a refund; the genuine one is not published (`spec/11`, 5).
pub const REFUND_STATUS_SYNC: &str = "refund_status_sync";

const TRADE_SUCCESS: &str = "TRADE_SUCCESS";
/// Paid, and past refunds: what online trades end as. Spotpay does not send it.
const TRADE_FINISHED: &str = "TRADE_FINISHED";
const TRADE_CLOSED: &str = "TRADE_CLOSED";
const REFUND_SUCCESS: &str = "REFUND_SUCCESS";

/// What a notification tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A trade is paid or closed.
    Trade(Box<TradeEvent>),
    /// A refund is done.
    Refund(Box<RefundEvent>),
}

/// A trade that reached its final state. What is optional is sent by Spotpay and not by every
/// other gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TradeEvent {
    /// The number of the notification, the same at each sending; see [`super::NotifyId`].
    pub notify_id: Box<str>,
    /// When this was sent.
    pub notify_time: Option<Timestamp>,
    /// The partner's number.
    pub out_trade_no: PartnerTransId,
    /// The gateway's number.
    pub trade_no: TradeNo,
    /// The state that it reached.
    pub end: TradeEnd,
    /// The price.
    pub amount: Amount,
    /// What the buyer reads in the bill.
    pub subject: Option<Box<str>>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Who paid.
    pub buyer: Option<Buyer>,
    /// The partner.
    pub seller_id: Option<PartnerId>,
    /// The partner's e-mail address.
    pub seller_email: Option<Box<str>>,
    /// Which wallet paid: HK contracts.
    pub payment_inst: Option<PaymentInst>,
}

/// How a trade ended. One that waits is never told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TradeEnd {
    /// `TRADE_SUCCESS`.
    Paid {
        /// When.
        at: Option<Timestamp>,
    },
    /// `TRADE_CLOSED`.
    Closed {
        /// When.
        at: Option<Timestamp>,
    },
}

/// A refund that is done; what is optional is as in [`TradeEvent`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundEvent {
    /// The number of the notification, the same at each sending; see [`super::NotifyId`].
    pub notify_id: Box<str>,
    /// When this was sent.
    pub notify_time: Option<Timestamp>,
    /// The partner's number for the trade.
    pub out_trade_no: PartnerTransId,
    /// The partner's number for the refund.
    pub out_return_no: PartnerRefundId,
    /// The gateway's number for the trade.
    pub trade_no: TradeNo,
    /// How much.
    pub amount: Amount,
    /// When the money went back.
    pub refunded_at: Option<Timestamp>,
    /// Whose it is: the gateway signs for every partner with one key, and what was told to one must
    /// not be taken for another's.
    pub seller_id: Option<PartnerId>,
}

/// Fields in the order in which they are sent.
type Pairs<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// The fields of a trade's notification, ascending by name, for [`super::sign`].
pub fn trade_fields(event: &TradeEvent) -> Pairs<'_> {
    let money = event.amount.money();
    let buyer = event.buyer.as_ref();
    let (status, paid_at, closed_at) = match event.end {
        TradeEnd::Paid { at } => (TRADE_SUCCESS, at, None),
        TradeEnd::Closed { at } => (TRADE_CLOSED, None, at),
    };
    let text = |value: &'static str| Some(Cow::Borrowed(value));
    let time = |at: Option<Timestamp>| at.map(|at| Cow::Owned(at.spaced()));
    present([
        ("buyer_email", buyer.map(|buyer| (&*buyer.login_id).into())),
        (
            "buyer_id",
            buyer.map(|buyer| buyer.user_id.to_string().into()),
        ),
        ("currency", text(money.currency().code())),
        ("gmt_close", time(closed_at)),
        ("gmt_create", time(event.created_at)),
        ("gmt_payment", time(paid_at)),
        ("notify_id", Some((&*event.notify_id).into())),
        ("notify_time", time(event.notify_time)),
        ("notify_type", text(TRADE_STATUS_SYNC)),
        ("out_trade_no", Some(event.out_trade_no.as_str().into())),
        (
            "payment_inst",
            event.payment_inst.map(|inst| inst.as_str().into()),
        ),
        (
            "seller_email",
            event.seller_email.as_deref().map(Cow::Borrowed),
        ),
        ("seller_id", event.seller_id.map(|id| id.to_string().into())),
        ("subject", event.subject.as_deref().map(Cow::Borrowed)),
        ("total_fee", Some(money.major().into())),
        ("trade_no", Some(event.trade_no.as_str().into())),
        ("trade_status", text(status)),
    ])
}

/// The fields of a refund's notification, ascending by name, for [`super::sign`].
pub fn refund_fields(event: &RefundEvent) -> Pairs<'_> {
    let money = event.amount.money();
    let time = |at: Option<Timestamp>| at.map(|at| Cow::Owned(at.spaced()));
    present([
        ("currency", Some(money.currency().code().into())),
        ("gmt_refund", time(event.refunded_at)),
        ("notify_id", Some((&*event.notify_id).into())),
        ("notify_time", time(event.notify_time)),
        ("notify_type", Some(REFUND_STATUS_SYNC.into())),
        ("out_return_no", Some(event.out_return_no.as_str().into())),
        ("out_trade_no", Some(event.out_trade_no.as_str().into())),
        ("refund_status", Some(REFUND_SUCCESS.into())),
        ("return_amount", Some(money.major().into())),
        ("seller_id", event.seller_id.map(|id| id.to_string().into())),
        ("trade_no", Some(event.trade_no.as_str().into())),
    ])
}

fn present<'a, const N: usize>(fields: [(&'static str, Option<Cow<'a, str>>); N]) -> Pairs<'a> {
    let fields = fields.into_iter();
    fields
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Why a notification cannot be understood. It may be genuine all the same, and of a kind that is
/// not known here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EventError {
    /// A field that is not there.
    #[error("the notification has no {0}")]
    Missing(&'static str),
    /// Not what the field holds.
    #[error("the notification's {name} is {value:?}")]
    Malformed {
        /// The field.
        name: &'static str,
        /// What came, cut at 80 characters.
        value: String,
    },
    /// It tells of something else.
    #[error("the notification's notify_type is {value:?}, of neither a trade nor a refund")]
    UnknownType {
        /// What came, cut at 80 characters.
        value: String,
    },
}

impl Event {
    pub(super) fn read(from: &Notification) -> Result<Self, EventError> {
        let kind = from
            .get("notify_type")
            .ok_or(EventError::Missing("notify_type"))?;
        // Whatever a gateway calls it, a refund's number makes it one.
        let refund = from.get("out_return_no").is_some();
        match kind {
            TRADE_STATUS_SYNC if !refund => {
                TradeEvent::read(from).map(|event| Self::Trade(Box::new(event)))
            }
            TRADE_STATUS_SYNC | REFUND_STATUS_SYNC => {
                RefundEvent::read(from).map(|event| Self::Refund(Box::new(event)))
            }
            other => Err(EventError::UnknownType { value: cut(other) }),
        }
    }
}

impl TradeEvent {
    fn read(from: &Notification) -> Result<Self, EventError> {
        let buyer = || {
            Some(Buyer {
                login_id: from.get("buyer_email")?.into(),
                user_id: from.get("buyer_id")?.parse().ok()?,
            })
        };
        Ok(Self {
            notify_id: required(from, "notify_id")?.into(),
            notify_time: time(from, "notify_time")?,
            out_trade_no: parsed(from, "out_trade_no")?,
            trade_no: parsed(from, "trade_no")?,
            end: TradeEnd::read(from)?,
            amount: amount(from, "total_fee")?,
            subject: from.get("subject").map(Box::from),
            created_at: time(from, "gmt_create")?,
            buyer: buyer(),
            seller_id: optional(from, "seller_id")?,
            seller_email: from.get("seller_email").map(Box::from),
            payment_inst: optional(from, "payment_inst")?,
        })
    }
}

impl TradeEnd {
    fn read(from: &Notification) -> Result<Self, EventError> {
        match required(from, "trade_status")? {
            TRADE_SUCCESS | TRADE_FINISHED => Ok(Self::Paid {
                at: time(from, "gmt_payment")?,
            }),
            TRADE_CLOSED => Ok(Self::Closed {
                at: time(from, "gmt_close")?,
            }),
            other => Err(malformed("trade_status", other)),
        }
    }
}

impl RefundEvent {
    fn read(from: &Notification) -> Result<Self, EventError> {
        let status = required(from, "refund_status")?;
        if status != REFUND_SUCCESS {
            return Err(malformed("refund_status", status));
        }
        Ok(Self {
            notify_id: required(from, "notify_id")?.into(),
            notify_time: time(from, "notify_time")?,
            out_trade_no: parsed(from, "out_trade_no")?,
            out_return_no: parsed(from, "out_return_no")?,
            trade_no: parsed(from, "trade_no")?,
            amount: amount(from, "return_amount")?,
            refunded_at: time(from, "gmt_refund")?,
            seller_id: optional(from, "seller_id")?,
        })
    }
}

fn malformed(name: &'static str, value: &str) -> EventError {
    EventError::Malformed {
        name,
        value: cut(value),
    }
}

fn required<'f>(from: &'f Notification, name: &'static str) -> Result<&'f str, EventError> {
    from.get(name).ok_or(EventError::Missing(name))
}

fn parsed<T: FromStr>(from: &Notification, name: &'static str) -> Result<T, EventError> {
    let value = required(from, name)?;
    value.parse().map_err(|_| malformed(name, value))
}

fn optional<T: FromStr>(from: &Notification, name: &'static str) -> Result<Option<T>, EventError> {
    from.get(name).map(|_| parsed(from, name)).transpose()
}

fn time(from: &Notification, name: &'static str) -> Result<Option<Timestamp>, EventError> {
    let read = |value| Timestamp::parse_spaced(value).ok_or_else(|| malformed(name, value));
    from.get(name).map(read).transpose()
}

/// `currency` and the field that holds the amount together.
fn amount(from: &Notification, name: &'static str) -> Result<Amount, EventError> {
    let currency: Currency = parsed(from, "currency")?;
    let value = required(from, name)?;
    Money::parse_major(value, currency)
        .and_then(Amount::new)
        .map_err(|_| malformed(name, value))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
