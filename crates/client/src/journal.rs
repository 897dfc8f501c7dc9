//! What a till must remember before it acts: one fact per line, kept before it is acted upon.

use std::path::PathBuf;

use spotpay_core::id::{PartnerId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_wire::trade_no::TradeNo;

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
            stuck: None,
        }
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
