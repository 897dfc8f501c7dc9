//! What a call or a checkout came to: success, refusal, or not known.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use spotpay_core::id::{PartnerRefundId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::code::{self, Retry};
use spotpay_wire::pay::{self, Buyer, Conversion};
use spotpay_wire::query;
use spotpay_wire::trade_no::TradeNo;
use spotpay_wire::xml::{FieldError, ReadError};

use crate::transport::TransportFailure;

/// What one call came to. Unknown is an answer: it is never guessed into one of the others.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// The gateway did what was asked.
    Success(T),
    /// The gateway refused, and nothing happened.
    Refused(Refusal),
    /// It is not known what happened.
    Unknown(Doubt),
}

/// A refusal: a published code (`spec/10`) and what may be done about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    code: Cow<'static, str>,
    retry: Retry,
}

impl Refusal {
    /// With wire's advice; a code that nobody published asks for a query.
    pub fn new(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let (code, retry) = match code::find(&code) {
            Some(known) => (Cow::Borrowed(known.code), known.retry),
            None => (code, Retry::QueryFirst),
        };
        Self { code, retry }
    }

    pub(crate) fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What may be done about it without asking anybody.
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// What it means, in words, when it is a published code.
    pub fn meaning(&self) -> Option<&'static str> {
        code::find(&self.code).map(|known| known.meaning)
    }

    pub(crate) fn is(&self, code: code::WireCode) -> bool {
        self.code == code.code
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({meaning})", self.code),
            None => f.write_str(&self.code),
        }
    }
}

/// Why it is not known what happened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// The request was not sent, so it did nothing.
    #[error(transparent)]
    NotSent(TransportFailure),
    /// The request may have arrived; no answer came.
    #[error(transparent)]
    NoAnswer(TransportFailure),
    /// What came is no answer.
    #[error(transparent)]
    Unreadable(Arc<ReadError>),
    /// An answer without a field that it must have.
    #[error(transparent)]
    Incomplete(FieldError),
    /// The signature is not the gateway's.
    #[error("the answer is not signed by the gateway")]
    BadSignature,
    /// The answer is to another request: lost in the network, or replayed.
    #[error("the answer is about another trade")]
    OtherAnswer,
    /// Under this id the gateway has a trade with another amount.
    #[error("the gateway has another amount under this id")]
    AmountDiffers,
    /// A fault of the gateway, or a code that leaves the state open.
    #[error("the gateway says {0}")]
    Fault(Refusal),
    /// Refused; but an earlier copy of the request had no answer, and may yet do it.
    #[error("refused: {0}; but an earlier copy had no answer and may still arrive")]
    RefusedLate(Refusal),
    /// What came is neither `true` nor `false` nor `invalid`.
    #[error("the gateway does not say whether it sent the notification")]
    NoVerdict,
    /// The buyer has to confirm on the phone.
    #[error("the buyer has to confirm")]
    Waiting {
        /// The gateway's number.
        alipay_trans_id: Option<TradeNo>,
    },
}

impl Doubt {
    /// One word for programs: the gateway's code where there is one, else in lower case.
    pub fn name(&self) -> &str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::NoAnswer(_) => "no_answer",
            Self::Unreadable(_) | Self::Incomplete(_) | Self::NoVerdict => "unreadable_answer",
            Self::BadSignature => "bad_signature",
            Self::OtherAnswer => "other_answer",
            Self::AmountDiffers => "amount_differs",
            Self::Fault(refusal) | Self::RefusedLate(refusal) => refusal.code(),
            Self::Waiting { .. } => "waiting",
        }
    }
}

/// A payment that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// The partner's number.
    pub partner_trans_id: PartnerTransId,
    /// The gateway's number.
    pub alipay_trans_id: TradeNo,
    /// The price.
    pub amount: Amount,
    /// When.
    pub pay_time: Option<Timestamp>,
    /// Who paid, masked.
    pub buyer: Option<Buyer>,
    /// Which wallet paid: HK contracts.
    pub payment_inst: Option<PaymentInst>,
    /// What it was in CNY: standard contracts.
    pub conversion: Option<Conversion>,
}

impl From<pay::Paid> for Receipt {
    fn from(paid: pay::Paid) -> Self {
        Self {
            partner_trans_id: paid.partner_trans_id,
            alipay_trans_id: paid.alipay_trans_id,
            amount: paid.amount,
            pay_time: Some(paid.pay_time),
            buyer: paid.buyer,
            payment_inst: paid.payment_inst,
            conversion: paid.conversion,
        }
    }
}

impl From<query::Found> for Receipt {
    fn from(found: query::Found) -> Self {
        Self {
            partner_trans_id: found.partner_trans_id,
            alipay_trans_id: found.alipay_trans_id,
            amount: found.amount,
            pay_time: found.pay_time,
            buyer: found.buyer,
            payment_inst: found.payment_inst,
            conversion: found.conversion,
        }
    }
}

/// How a checkout ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ending {
    /// The buyer has paid: hand over the goods.
    Paid(Box<Receipt>),
    /// The buyer has not paid and will not: nothing is taken, and nothing will be.
    NotPaid(NotPaid),
    /// Not known: the checkout stays open in the journal, and people have to look.
    Unknown(Stuck),
}

/// Why a buyer has not paid.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotPaid {
    /// The gateway refused the payment.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The trade is closed: the buyer did not confirm in time, or said no.
    #[error("the trade is closed")]
    Closed,
    /// It did not come to an end in time, so it was cancelled.
    #[error("cancelled")]
    Cancelled {
        /// Whether money had moved and went back.
        action: Option<spotpay_wire::cancel::Action>,
    },
    /// It could no longer be cancelled, and all of it went back by refund.
    #[error("refunded{}", under(.partner_refund_id.as_ref()))]
    Refunded {
        /// The number of the refund; none when it is not certain that it was ours.
        partner_refund_id: Option<PartnerRefundId>,
    },
    /// No request ever left the till.
    #[error("nothing was sent: {0}")]
    NeverSent(TransportFailure),
}

fn under(id: Option<&PartnerRefundId>) -> String {
    id.map_or(String::new(), |id| format!(" under {id}"))
}

/// Why it is not known how a checkout ended.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Stuck {
    /// The cancel came after the cancel window, and a query did not tell that the buyer has paid,
    /// which is when it is refunded.
    #[error("the time for cancelling is over, and it is not known whether it is paid")]
    CancelWindowOver,
    /// The buyer has paid, the time for cancelling is over, and the gateway will not refund.
    #[error("the time for cancelling is over, and the refund was refused: {0}")]
    RefundRefused(Refusal),
    /// The buyer has paid, the time for cancelling is over, and the last of many tries to refund had
    /// no clear answer either.
    #[error("the time for cancelling is over, and the refund had no clear answer: {0}")]
    RefundUnanswered(Doubt),
    /// The gateway will not cancel.
    #[error("the cancel was refused: {0}")]
    CancelRefused(Refusal),
    /// The last of many tries to cancel had no clear answer either.
    #[error("the cancel had no clear answer: {0}")]
    CancelUnanswered(Doubt),
    /// Under this id the gateway has another trade. It is left alone; was the id used twice?
    #[error("the gateway has another trade under this id")]
    OtherTrade,
}

impl Stuck {
    /// One word for programs: the gateway's code where there is one, else in lower case.
    pub fn name(&self) -> &str {
        match self {
            Self::CancelWindowOver => code::TRADE_CANCEL_TIME_OUT.code,
            Self::CancelRefused(refusal) | Self::RefundRefused(refusal) => refusal.code(),
            Self::CancelUnanswered(doubt) | Self::RefundUnanswered(doubt) => doubt.name(),
            Self::OtherTrade => "other_trade",
        }
    }
}
