//! `alipay.acquire.overseas.query` (`spec/03`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use spotpay_core::id::{PartnerId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::PaymentInst;

use crate::code;
use crate::field::{self, Code, ResultCode, parsed};
use crate::form::Form;
use crate::refusal::ParseRefusal;
use crate::service::Service;
use crate::trade_no::TradeNo;
use crate::xml::{Accepted, FieldError, Fields};

pub use crate::field::{Buyer, Conversion};

/// Which trade; at least one number is there.
///
/// The HK page requires `partner_trans_id`, the standard page either; either is accepted on both,
/// and `alipay_trans_id` is looked at first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller.
    pub partner: PartnerId,
    /// The partner's number.
    pub partner_trans_id: Option<PartnerTransId>,
    /// The gateway's number.
    pub alipay_trans_id: Option<TradeNo>,
}

impl Request {
    /// Reads a request whose signature has been verified; values in the order
    /// `partner_trans_id`, `alipay_trans_id`.
    pub fn parse(form: &Form) -> Result<Self, ParseRefusal> {
        let partner = field::partner(form)?;
        let (ours, theirs) = (form.get("alipay_trans_id"), form.get("partner_trans_id"));
        if ours.is_none() && theirs.is_none() {
            return Err(ParseRefusal::Missing("partner_trans_id"));
        }
        let theirs = theirs.map(|value| field::partner_number("partner_trans_id", value));
        let ours = |value| {
            parsed(
                "alipay_trans_id",
                value,
                "1 to 64 characters without blanks",
            )
        };
        Ok(Self {
            partner,
            partner_trans_id: theirs.transpose()?,
            alipay_trans_id: form.get("alipay_trans_id").map(ours).transpose()?,
        })
    }

    /// The parameters, for [`crate::request::sign`].
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let mut params = vec![
            ("service", Service::Query.as_str().into()),
            ("partner", self.partner.to_string().into()),
        ];
        let theirs = self.partner_trans_id.as_ref().map(PartnerTransId::as_str);
        params.extend(theirs.map(|id| ("partner_trans_id", id.into())));
        let ours = self.alipay_trans_id.as_ref().map(TradeNo::as_str);
        params.extend(ours.map(|id| ("alipay_trans_id", id.into())));
        params
    }
}

/// `alipay_trans_status`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TradeStatus {
    /// The buyer has to confirm.
    WaitBuyerPay,
    /// Paid, also when refunded in part.
    TradeSuccess,
    /// Never paid, or all given back.
    TradeClosed,
}

impl TradeStatus {
    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitBuyerPay => "WAIT_BUYER_PAY",
            Self::TradeSuccess => "TRADE_SUCCESS",
            Self::TradeClosed => "TRADE_CLOSED",
        }
    }
}

/// Not the name of a status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is no status of a trade")]
pub struct UnknownStatus;

impl FromStr for TradeStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let mut all = [Self::WaitBuyerPay, Self::TradeSuccess, Self::TradeClosed].into_iter();
        all.find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

impl fmt::Display for TradeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a query finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// `SUCCESS`: the query worked; whether it is paid says [`Found::status`].
    Found(Box<Found>),
    /// `FAIL`: there is no such trade, or the query went wrong (`spec/13`, 19).
    Failed {
        /// Why; `TRADE_NOT_EXIST` for another partner's trade too.
        error: Code,
        /// The partner's number that was asked for.
        partner_trans_id: Option<PartnerTransId>,
    },
}

/// A trade that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The partner's number; the answer carries it twice (`spec/12`, answer 6).
    pub partner_trans_id: PartnerTransId,
    /// The gateway's number.
    pub alipay_trans_id: TradeNo,
    /// Where it is in its life.
    pub status: TradeStatus,
    /// The price.
    pub amount: Amount,
    /// When it was paid.
    pub pay_time: Option<Timestamp>,
    /// Who pays or paid.
    pub buyer: Option<Buyer>,
    /// Which wallet: HK contracts (`spec/13`, 11).
    pub payment_inst: Option<PaymentInst>,
    /// What it is in CNY: standard contracts.
    pub conversion: Option<Conversion>,
}

impl Answer {
    /// The fields, ascending by name.
    pub fn fields(&self) -> Fields<'_> {
        let mut fields = Fields::new();
        match self {
            Self::Found(found) => found.put(&mut fields),
            Self::Failed {
                error,
                partner_trans_id,
            } => {
                let id = partner_trans_id.as_ref().map(PartnerTransId::as_str);
                fields.put("detail_error_code", &**error);
                fields.put_some(
                    "detail_error_des",
                    code::find(error).map(|code| code.meaning),
                );
                fields.put("error", &**error);
                fields.put_some("out_trade_no", id);
                fields.put_some("partner_trans_id", id);
                fields.put("result_code", "FAIL");
            }
        }
        fields
    }

    /// Reads the fields; an error, or a `result_code` that is neither, says nothing of the trade.
    pub fn read(doc: &Accepted) -> Result<Self, FieldError> {
        match ResultCode::read(doc)? {
            ResultCode::Success => Ok(Self::Found(Box::new(Found::read(doc)?))),
            ResultCode::Failed | ResultCode::Unknown => Ok(Self::Failed {
                error: field::read_code(doc, ["error", "detail_error_code"])
                    .ok_or(FieldError::Missing("error"))?,
                partner_trans_id: doc.parsed("partner_trans_id")?,
            }),
        }
    }
}

impl Found {
    fn put<'a>(&'a self, fields: &mut Fields<'a>) {
        let money = self.amount.money();
        let (rate, cny) = self.conversion.map(|found| (found.rate, found.cny)).unzip();
        Buyer::put(self.buyer.as_ref(), fields);
        fields.put_some("alipay_pay_time", self.pay_time.map(Timestamp::compact));
        fields.put("alipay_trans_id", self.alipay_trans_id.as_str());
        fields.put("alipay_trans_status", self.status.as_str());
        fields.put("currency", money.currency().code());
        fields.put_some("exchange_rate", rate.map(|rate| rate.to_string()));
        fields.put("out_trade_no", self.partner_trans_id.as_str());
        fields.put("partner_trans_id", self.partner_trans_id.as_str());
        fields.put_some("payment_inst", self.payment_inst.map(PaymentInst::as_str));
        fields.put("result_code", "SUCCESS");
        fields.put("trans_amount", money.major());
        fields.put_some("trans_amount_cny", cny.map(|cny| cny.major()));
    }

    fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let id = match doc.parsed("partner_trans_id")? {
            Some(id) => id,
            None => field::read_required(doc, "out_trade_no")?,
        };
        Ok(Self {
            partner_trans_id: id,
            alipay_trans_id: field::read_required(doc, "alipay_trans_id")?,
            status: field::read_required(doc, "alipay_trans_status")?,
            amount: field::read_amount(doc, "trans_amount")?
                .ok_or(FieldError::Missing("trans_amount"))?,
            pay_time: doc.parsed_with("alipay_pay_time", Timestamp::parse_compact)?,
            buyer: Buyer::read(doc),
            payment_inst: doc.parsed("payment_inst")?,
            conversion: Conversion::read(doc, "trans_amount_cny")?,
        })
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
