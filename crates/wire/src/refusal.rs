//! Why a request that is signed well is refused before any rule of core sees it.

use crate::code::{self, WireCode};

/// A parameter that is missing, malformed or at odds with another.
///
/// A request's parameters are looked at in this order, so the answer to a doubly wrong request is
/// fixed: first all that are required, in the order of their table in the spec; then the shape of
/// each that is there, in the same order.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseRefusal {
    /// A required parameter is not there, or is empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that its parameter does not take.
    #[error("{field} is {value:?}; it must be {rule}")]
    Malformed {
        /// The parameter.
        field: &'static str,
        /// What it takes.
        rule: &'static str,
        /// What was sent, cut at 80 characters.
        value: String,
    },
    /// `alipay_seller_id` is not the calling partner.
    #[error("alipay_seller_id is {seller:?}, not the partner itself")]
    SellerDiffers {
        /// What was sent.
        seller: String,
    },
    /// A currency that is none.
    #[error("{field} is {value:?}, which is no known currency")]
    UnknownCurrency {
        /// The parameter.
        field: &'static str,
        /// What was sent.
        value: String,
    },
    /// A refund's currency that is none, and so not its payment's.
    #[error("currency is {value:?}, which no payment has")]
    ForeignCurrency {
        /// What was sent.
        value: String,
    },
    /// Above 100000000.00.
    #[error("trans_amount is {value}, above {}", crate::pay::AMOUNT_MAX)]
    AboveMaximum {
        /// What was sent.
        value: String,
    },
    /// A store call.
    #[error(transparent)]
    Store(#[from] StoreRefusal),
}

/// The same for the store calls, which have one code for all of it and answer it as a business
/// error, what is missing included (`spec/08`).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreRefusal {
    /// A required parameter is not there, or is empty.
    #[error("{field} is missing; it is required {when}")]
    Missing {
        /// The parameter.
        field: &'static str,
        /// When it is required.
        when: &'static str,
    },
    /// A value that its parameter does not take.
    #[error("{field} is {value:?}; it must be {rule}")]
    Malformed {
        /// The parameter.
        field: &'static str,
        /// What it takes.
        rule: &'static str,
        /// What was sent, cut at 80 characters.
        value: String,
    },
}

impl StoreRefusal {
    pub(crate) fn malformed(field: &'static str, rule: &'static str, value: &str) -> Self {
        Self::Malformed {
            field,
            rule,
            value: cut(value),
        }
    }
}

impl ParseRefusal {
    pub(crate) fn malformed(field: &'static str, rule: &'static str, value: &str) -> Self {
        Self::Malformed {
            field,
            rule,
            value: cut(value),
        }
    }

    /// The published code (`spec/13`, 17 and 18; `spec/08`).
    pub const fn code(&self) -> WireCode {
        match self {
            Self::Missing(_) => code::ILLEGAL_ARGUMENT,
            Self::Malformed { .. } => code::INVALID_PARAMETER,
            Self::SellerDiffers { .. } => code::SELLER_NOT_EXIST,
            Self::UnknownCurrency { .. } => code::EXCHANGE_AMOUNT_OR_CURRENCY_ERROR,
            Self::ForeignCurrency { .. } => code::CURRENCY_NOT_SAME,
            Self::AboveMaximum { .. } => code::TOTAL_FEE_EXCEED,
            Self::Store(_) => code::PARAM_ILLEGAL,
        }
    }

    /// Whether it is answered with `is_success=F`, not as a business error (`spec/13`, 17).
    pub const fn is_gateway(&self) -> bool {
        match self {
            Self::Missing(_) => true,
            Self::Malformed { .. }
            | Self::SellerDiffers { .. }
            | Self::UnknownCurrency { .. }
            | Self::ForeignCurrency { .. }
            | Self::AboveMaximum { .. }
            | Self::Store(_) => false,
        }
    }
}

/// As much of a value as a message needs.
pub(crate) fn cut(value: &str) -> String {
    value.chars().take(80).collect()
}
