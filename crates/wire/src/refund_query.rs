//! `alipay.acquire.refund.query` (`spec/05`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use spotpay_core::id::{PartnerId, PartnerRefundId, PartnerTransId};
use spotpay_core::money::{Amount, Money};
use spotpay_core::time::Timestamp;

use crate::field::{self, Code, required};
use crate::form::Form;
use crate::refusal::ParseRefusal;
use crate::service::Service;
use crate::trade_no::TradeNo;
use crate::xml::{Accepted, FieldError, Fields};

/// Characters of an `out_return_no`, twice those of a refund's number.
const RETURN_NO_MAX: usize = 128;

/// Which refund.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller.
    pub partner: PartnerId,
    /// The partner's number for the trade.
    pub out_trade_no: PartnerTransId,
    /// What stands where the partner's number for the refund should; see [`Request::refund_id`].
    pub out_return_no: Box<str>,
}

impl Request {
    /// Reads a request whose signature has been verified; `out_trade_no` before `out_return_no`.
    pub fn parse(form: &Form) -> Result<Self, ParseRefusal> {
        let partner = field::partner(form)?;
        let trade = required(form, "out_trade_no")?;
        let refund = required(form, "out_return_no")?;
        let out_trade_no = field::partner_number("out_trade_no", trade)?;
        if refund.chars().count() > RETURN_NO_MAX {
            let rule = "at most 128 characters";
            return Err(ParseRefusal::malformed("out_return_no", rule, refund));
        }
        Ok(Self {
            partner,
            out_trade_no,
            out_return_no: refund.into(),
        })
    }

    /// The refund's number; `None` when it can be no refund's, which is `NOT_FOUND` then.
    pub fn refund_id(&self) -> Option<PartnerRefundId> {
        self.out_return_no.parse().ok()
    }

    /// The parameters, for [`crate::request::sign`].
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        vec![
            ("service", Service::RefundQuery.as_str().into()),
            ("partner", self.partner.to_string().into()),
            ("out_trade_no", self.out_trade_no.as_str().into()),
            ("out_return_no", (&*self.out_return_no).into()),
        ]
    }
}

/// `refund_result_code`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefundStatus {
    /// The money went back.
    Success,
    /// It did not, and under this number it will not.
    Failed,
    /// The trade was cancelled first, which gave back everything.
    Cancelled,
    /// Accepted; a batch will do it.
    Processing,
}

impl RefundStatus {
    /// The value of the field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELED",
            Self::Processing => "PROCESSING",
        }
    }
}

/// Not the name of a status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is no status of a refund")]
pub struct UnknownStatus;

impl FromStr for RefundStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let mut all = [
            Self::Success,
            Self::Failed,
            Self::Cancelled,
            Self::Processing,
        ]
        .into_iter();
        all.find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a query finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// `SUCCESS`: the query worked; what became of the refund says [`Found::status`].
    Found(Box<Found>),
    /// There is no such refund or trade, or the query went wrong: `response_code` says which.
    Failed {
        /// Why.
        error: Code,
        /// The partner's number for the trade that was asked for.
        out_trade_no: Option<PartnerTransId>,
        /// The refund that was asked for.
        out_return_no: Option<Box<str>>,
    },
}

/// A refund that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What became of it.
    pub status: RefundStatus,
    /// Why it failed, or what it waits for: `MERCHANT_BALANCE_NOT_ENOUGH`.
    pub error: Option<Code>,
    /// The partner's number for the refund.
    pub out_return_no: PartnerRefundId,
    /// The partner's number for the trade.
    pub out_trade_no: PartnerTransId,
    /// The gateway's number for the trade.
    pub trade_no: TradeNo,
    /// When it was accepted.
    pub gmt_create: Timestamp,
    /// How much; the published table stops before it (`spec/11`, 19).
    pub amount: Option<Amount>,
    /// When the money went back.
    pub gmt_refund: Option<Timestamp>,
}

impl Answer {
    /// The fields, ascending by name.
    pub fn fields(&self) -> Fields<'_> {
        match self {
            Self::Found(found) => found.fields(),
            Self::Failed {
                error,
                out_trade_no,
                out_return_no,
            } => {
                let trade = out_trade_no.as_ref().map(PartnerTransId::as_str);
                let mut fields = Fields::new();
                fields.put_some("out_return_no", out_return_no.as_deref());
                fields.put_some("out_trade_no", trade);
                fields.put("response_code", &**error);
                fields
            }
        }
    }

    /// Reads the fields; an error says nothing of the refund.
    pub fn read(doc: &Accepted) -> Result<Self, FieldError> {
        if doc.required("response_code")? == "SUCCESS" {
            return Ok(Self::Found(Box::new(Found::read(doc)?)));
        }
        Ok(Self::Failed {
            error: field::read_code(doc, ["response_code", "error"])
                .ok_or(FieldError::Missing("response_code"))?,
            out_trade_no: doc.parsed("out_trade_no")?,
            out_return_no: doc.get("out_return_no").map(Box::from),
        })
    }
}

impl Found {
    fn fields(&self) -> Fields<'_> {
        let money = self.amount.map(Amount::money);
        let mut fields = Fields::new();
        fields.put_some("currency", money.map(|money| money.currency().code()));
        fields.put("gmt_create", self.gmt_create.spaced());
        fields.put_some("gmt_refund", self.gmt_refund.map(Timestamp::spaced));
        fields.put("out_return_no", self.out_return_no.as_str());
        fields.put("out_trade_no", self.out_trade_no.as_str());
        fields.put_some("refund_amount", money.map(Money::major));
        fields.put_some("refund_error_code", self.error.as_deref());
        fields.put("refund_result_code", self.status.as_str());
        fields.put("response_code", "SUCCESS");
        fields.put("trade_no", self.trade_no.as_str());
        fields
    }

    fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let time = |name| doc.parsed_with(name, Timestamp::parse_spaced);
        Ok(Self {
            status: field::read_required(doc, "refund_result_code")?,
            error: field::read_code(doc, ["refund_error_code", "error"]),
            out_return_no: field::read_required(doc, "out_return_no")?,
            out_trade_no: field::read_required(doc, "out_trade_no")?,
            trade_no: field::read_required(doc, "trade_no")?,
            gmt_create: time("gmt_create")?.ok_or(FieldError::Missing("gmt_create"))?,
            amount: field::read_amount(doc, "refund_amount")?,
            gmt_refund: time("gmt_refund")?,
        })
    }
}

#[cfg(test)]
#[path = "refund_query_tests.rs"]
mod tests;
