//! Cancel under its three names (`spec/04`).

use std::borrow::Cow;
use std::str::FromStr;

use spotpay_core::id::{PartnerId, PartnerTransId};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::CancelName;

use crate::code;
use crate::field::{self, Code, ResultCode, parsed};
use crate::form::Form;
use crate::refusal::ParseRefusal;
use crate::service::Service;
use crate::trade_no::TradeNo;
use crate::xml::{Accepted, FieldError, Fields};

/// The cancel that a service is, if it is one.
pub const fn name_of(service: Service) -> Option<CancelName> {
    match service {
        Service::Cancel => Some(CancelName::Cancel),
        Service::Reverse => Some(CancelName::Reverse),
        Service::SpotCancel => Some(CancelName::SpotCancel),
        Service::Pay
        | Service::Query
        | Service::Refund
        | Service::RefundQuery
        | Service::StoreMaintain
        | Service::StoreQuery
        | Service::CompareFile
        | Service::LiquidationFile
        | Service::NotifyVerify => None,
    }
}

/// The service of a cancel.
pub const fn service_of(name: CancelName) -> Service {
    match name {
        CancelName::Cancel => Service::Cancel,
        CancelName::Reverse => Service::Reverse,
        CancelName::SpotCancel => Service::SpotCancel,
    }
}

/// The parameters and fields that hold the partner's and the gateway's number.
const fn number_names(name: CancelName) -> (&'static str, &'static str) {
    match name {
        CancelName::Cancel => ("out_trade_no", "trade_no"),
        CancelName::Reverse | CancelName::SpotCancel => ("partner_trans_id", "alipay_trans_id"),
    }
}

/// Which trade to cancel; at least one number is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller.
    pub partner: PartnerId,
    /// By which of the three names.
    pub name: CancelName,
    /// The partner's number. A cancel of an unknown trade leaves its mark under it.
    pub partner_trans_id: Option<PartnerTransId>,
    /// The gateway's number, which wins when both are there.
    pub trade_no: Option<TradeNo>,
    /// When the request was made, if it says so.
    pub timestamp: Option<Timestamp>,
}

impl Request {
    /// Reads a request whose signature has been verified; values in the order partner's number,
    /// gateway's number, `timestamp`.
    pub fn parse(name: CancelName, form: &Form) -> Result<Self, ParseRefusal> {
        let partner = field::partner(form)?;
        let (theirs, ours) = number_names(name);
        if form.get(theirs).is_none() && form.get(ours).is_none() {
            return Err(ParseRefusal::Missing(theirs));
        }
        let trade_no = |value| parsed(ours, value, "1 to 64 characters without blanks");
        let timestamp = |value| {
            field::timestamp(value)
                .ok_or_else(|| ParseRefusal::malformed("timestamp", field::TIMESTAMP_RULE, value))
        };
        Ok(Self {
            partner,
            name,
            partner_trans_id: form
                .get(theirs)
                .map(|value| field::partner_number(theirs, value))
                .transpose()?,
            trade_no: form.get(ours).map(trade_no).transpose()?,
            timestamp: form.get("timestamp").map(timestamp).transpose()?,
        })
    }

    /// The parameters, for [`crate::request::sign`].
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let (theirs, ours) = number_names(self.name);
        let mut params = vec![
            ("service", service_of(self.name).as_str().into()),
            ("partner", self.partner.to_string().into()),
        ];
        let id = self.partner_trans_id.as_ref().map(PartnerTransId::as_str);
        params.extend(id.map(|id| (theirs, id.into())));
        let number = self.trade_no.as_ref().map(TradeNo::as_str);
        params.extend(number.map(|number| (ours, number.into())));
        let millis = |at: Timestamp| at.as_micros().div_euclid(1_000).to_string();
        params.extend(self.timestamp.map(|at| ("timestamp", millis(at).into())));
        params
    }
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Closed; no money had moved.
    Close,
    /// The money went back.
    Refund,
}

impl Action {
    /// The value of the field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Refund => "refund",
        }
    }
}

/// Not an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is neither close nor refund")]
pub struct UnknownAction;

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        let mut all = [Self::Close, Self::Refund].into_iter();
        all.find(|action| action.as_str() == text)
            .ok_or(UnknownAction)
    }
}

/// What became of a cancel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The partner's number.
    pub partner_trans_id: Option<PartnerTransId>,
    /// The gateway's number; none for a trade that never was (`spec/13`, 4).
    pub trade_no: Option<TradeNo>,
    /// Whether it worked.
    pub outcome: Outcome,
}

/// Whether a cancel worked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// `SUCCESS`: nothing is taken from the buyer, and nothing will be.
    Done {
        /// What was done; none for a trade that never was.
        action: Option<Action>,
        /// When; the old names answer it.
        at: Option<Timestamp>,
    },
    /// `FAIL`.
    Failed {
        /// Why.
        error: Code,
        /// Whether the same request may be tried again.
        may_retry: bool,
    },
    /// `UNKNOWN`: repeat until it is known (`spec/13`, 21).
    Unknown {
        /// A fault's code.
        error: Code,
    },
}

impl Answer {
    /// The fields, ascending by name, in the shape of the name that was called. The old names
    /// spell failure as pay does, whose family they are.
    pub fn fields(&self, name: CancelName) -> Fields<'_> {
        match name {
            CancelName::Cancel => self.cancel_fields(),
            CancelName::Reverse => self.spot_fields("alipay_reverse_time"),
            CancelName::SpotCancel => self.spot_fields("alipay_cancel_time"),
        }
    }

    fn cancel_fields(&self) -> Fields<'_> {
        let (action, error, result, retry) = match &self.outcome {
            Outcome::Done { action, .. } => (action.map(Action::as_str), None, "SUCCESS", "N"),
            Outcome::Failed {
                error,
                may_retry: true,
            } => (None, Some(error), "FAIL", "Y"),
            Outcome::Failed {
                error,
                may_retry: false,
            } => (None, Some(error), "FAIL", "N"),
            Outcome::Unknown { error } => (None, Some(error), "UNKNOWN", "Y"),
        };
        let mut fields = Fields::new();
        fields.put_some("action", action);
        fields.put_some("detail_error_code", error.map(|error| &**error));
        let meaning = error
            .and_then(|error| code::find(error))
            .map(|code| code.meaning);
        fields.put_some("detail_error_des", meaning);
        let id = self.partner_trans_id.as_ref();
        fields.put_some("out_trade_no", id.map(PartnerTransId::as_str));
        fields.put("result_code", result);
        fields.put("retry_flag", retry);
        fields.put_some("trade_no", self.trade_no.as_ref().map(TradeNo::as_str));
        fields
    }

    fn spot_fields(&self, time_name: &'static str) -> Fields<'_> {
        let (time, error, result) = match &self.outcome {
            Outcome::Done { at, .. } => (at.map(Timestamp::compact), None, "SUCCESS"),
            Outcome::Failed { error, .. } => (None, Some(error), "FAILED"),
            Outcome::Unknown { error } => (None, Some(error), "UNKNOW"),
        };
        let mut fields = Fields::new();
        fields.put_some(time_name, time);
        fields.put_some(
            "alipay_trans_id",
            self.trade_no.as_ref().map(TradeNo::as_str),
        );
        fields.put_some("error", error.map(|error| &**error));
        let id = self.partner_trans_id.as_ref();
        fields.put_some("partner_trans_id", id.map(PartnerTransId::as_str));
        fields.put("result_code", result);
        fields
    }

    /// Reads the fields of any of the three shapes; an error means that the outcome is unknown.
    pub fn read(name: CancelName, doc: &Accepted) -> Result<Self, FieldError> {
        let error = || {
            let code = field::read_code(doc, ["detail_error_code", "error"]);
            code.ok_or(FieldError::Missing("detail_error_code"))
        };
        let (theirs, ours) = number_names(name);
        let time = ["alipay_reverse_time", "alipay_cancel_time"].into_iter();
        let time = time
            .filter_map(|name| doc.get(name))
            .find_map(Timestamp::parse_compact);
        let outcome = match ResultCode::read(doc)? {
            ResultCode::Success => Outcome::Done {
                action: doc.parsed("action")?,
                at: time,
            },
            ResultCode::Failed => Outcome::Failed {
                error: error()?,
                may_retry: doc.get("retry_flag") == Some("Y"),
            },
            ResultCode::Unknown => Outcome::Unknown {
                error: error().unwrap_or(code::SYSTEM_ERROR.code.into()),
            },
        };
        Ok(Self {
            partner_trans_id: doc.parsed(theirs)?,
            trade_no: doc.parsed(ours)?,
            outcome,
        })
    }
}

#[cfg(test)]
#[path = "cancel_tests.rs"]
mod tests;
