//! What a till must remember before it acts: one fact per line, kept before it is acted upon.

use std::path::PathBuf;

use spotpay_core::id::{PartnerId, PartnerRefundId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_wire::trade_no::TradeNo;

use crate::refunding::LastResort;

/// Which checkout: ids are unique per partner, and partners per gateway.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CheckoutKey {
    /// The gateway's URL.
    pub gateway: Box<str>,
    /// Whose till.
    pub partner: PartnerId,
    /// The partner's number for the trade.
    pub partner_trans_id: PartnerTransId,
}

/// Something about a checkout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Which checkout.
    pub key: CheckoutKey,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: FactKind,
}

/// What happened, or is about to.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FactKind {
    /// A pay is about to be sent. The payment code is not kept: a checkout that was interrupted is
    /// finished by query and cancel, never by another pay.
    Begin {
        /// The price.
        amount: Amount,
    },
    /// A cancel is about to be sent; from here on the checkout does not turn into a payment.
    Cancel,
    /// The time for cancelling is over, and a full refund is about to be sent; its repeats, also
    /// after a restart, have the same number.
    Refund {
        /// The number.
        partner_refund_id: PartnerRefundId,
        /// Which number of this checkout it is, from 1.
        attempt: u32,
    },
    /// The gateway refused that refund for good: the next try needs another number.
    RefundRefused {
        /// The number.
        partner_refund_id: PartnerRefundId,
        /// The gateway's code.
        code: String,
    },
    /// It ended.
    End {
        /// Whether the buyer has paid.
        paid: bool,
        /// The gateway's number.
        alipay_trans_id: Option<TradeNo>,
        /// In words.
        note: String,
    },
    /// It did not come to an end: people have to look. It stays open.
    Stuck {
        /// In words.
        note: String,
    },
}

/// A checkout without an end.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OpenCheckout {
    /// Which.
    pub key: CheckoutKey,
    /// The price.
    pub amount: Amount,
    /// When it began.
    pub begun_at: Timestamp,
    /// Whether a cancel may have been sent.
    pub cancelling: bool,
    /// The refund that was sent after the time for cancelling, if there was one.
    pub refund: Option<LastResort>,
    /// Why people have to look, when they have to.
    pub stuck: Option<String>,
}

impl OpenCheckout {
    /// What a beginning leaves open.
    pub const fn new(key: CheckoutKey, amount: Amount, begun_at: Timestamp) -> Self {
        Self {
            key,
            amount,
            begun_at,
            cancelling: false,
            refund: None,
            stuck: None,
        }
    }

    /// What is known of it after one more fact; nothing of it stays open after its end.
    ///
    /// For journals that keep facts elsewhere than in a [`crate::FileJournal`].
    #[must_use]
    pub fn after(mut self, kind: &FactKind) -> Option<Self> {
        match kind {
            FactKind::Begin { .. } => {}
            FactKind::Cancel => self.cancelling = true,
            FactKind::Refund {
                partner_refund_id,
                attempt,
            } => {
                self.cancelling = true;
                self.refund = Some(LastResort::new(partner_refund_id.clone(), *attempt));
            }
            FactKind::RefundRefused {
                partner_refund_id, ..
            } => {
                let refund = self.refund.as_mut();
                if let Some(refund) =
                    refund.filter(|refund| refund.partner_refund_id == *partner_refund_id)
                {
                    refund.spent = true;
                }
            }
            FactKind::Stuck { note } => self.stuck = Some(note.clone()),
            FactKind::End { .. } => return None,
        }
        Some(self)
    }
}

/// Why a fact was not kept, or the journal not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The disk said no.
    #[error("the journal {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the journal {path} is in use by another till")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The id belongs to a checkout that has not ended.
    #[error("the checkout {0} has not ended; finish it, or use a new id")]
    StillOpen(PartnerTransId),
    /// What a caller's own journal says.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// The door to the till's memory; it only grows.
pub trait Journal {
    /// Keeps a fact; when this returns, a power failure does not lose it.
    ///
    /// A beginning under an id that is still open is refused with [`JournalError::StillOpen`].
    fn write(&mut self, fact: &Fact) -> Result<(), JournalError>;
}

impl<J: Journal + ?Sized> Journal for &mut J {
    fn write(&mut self, fact: &Fact) -> Result<(), JournalError> {
        (**self).write(fact)
    }
}
