//! `alipay.acquire.overseas.spot.refund` (`spec/05`).

use std::borrow::Cow;

use spotpay_core::id::{PartnerId, PartnerRefundId, PartnerTransId};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::refund::RefundMode;

use crate::field::{self, Code, ResultCode, parsed, required};
use crate::form::Form;
use crate::refusal::{ParseRefusal, cut};
use crate::service::Service;
use crate::trade_no::TradeNo;
use crate::xml::{Accepted, FieldError, Fields};

pub use crate::field::Conversion;

/// The largest `refund_amount`, in major units; a larger payment goes back in parts (`spec/11`, 29).
pub const AMOUNT_MAX: &str = "9999999.99";
/// The same without decimals, for currencies that have none.
const AMOUNT_MAX_MAJOR: &str = "9999999";
/// Characters of a reason.
const REASON_MAX: usize = 128;
/// Both spellings of the reason; the first counts when both are there (`spec/11`, 13).
const REASON_NAMES: [&str; 2] = ["refund_reson", "refund_reason"];

/// A refund request: what the server has understood, or what a client wants to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller.
    pub partner: PartnerId,
    /// Its number for the trade.
    pub partner_trans_id: PartnerTransId,
    /// The gateway's number for the trade, when the request names it.
    pub alipay_trans_id: Option<TradeNo>,
    /// The partner's number for the refund; a repeat repeats it.
    pub partner_refund_id: PartnerRefundId,
    /// How much goes back.
    pub amount: Amount,
    /// Why, in the partner's words.
    pub reason: Option<Box<str>>,
    /// When the caller wants to hear the result.
    pub mode: RefundMode,
    /// Where the partner wants to hear of an asynchronous one.
    pub notify_url: Option<Box<str>>,
}

const REQUIRED: [&str; 4] = [
    "partner_trans_id",
    "partner_refund_id",
    "refund_amount",
    "currency",
];

impl Request {
    /// Reads a request whose signature has been verified.
    ///
    /// In this order: `partner` and what is required, each missing or not; then the values of
    /// `notify_url`, `partner_trans_id`, `alipay_trans_id`, `partner_refund_id`, `currency`,
    /// `refund_amount`, the reason, `is_sync`.
    pub fn parse(form: &Form) -> Result<Self, ParseRefusal> {
        let partner = field::partner(form)?;
        let mut values = [""; 4];
        for (value, name) in values.iter_mut().zip(REQUIRED) {
            *value = required(form, name)?;
        }
        let [trans_id, refund_id, amount, currency] = values;
        let notify_url = field::notify_url(form)?;
        let partner_trans_id = field::partner_number("partner_trans_id", trans_id)?;
        let trade_no = |value| {
            parsed(
                "alipay_trans_id",
                value,
                "1 to 64 characters without blanks",
            )
        };
        Ok(Self {
            partner,
            partner_trans_id,
            alipay_trans_id: form.get("alipay_trans_id").map(trade_no).transpose()?,
            partner_refund_id: read_refund_id(refund_id, trans_id)?,
            amount: read_amount(amount, currency)?,
            reason: read_reason(form)?,
            mode: form
                .get("is_sync")
                .map_or(Ok(RefundMode::Async), read_mode)?,
            notify_url,
        })
    }

    /// The parameters, for [`crate::request::sign`], as the HK page spells them.
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let money = self.amount.money();
        let mut params = vec![
            ("service", Service::Refund.as_str().into()),
            ("partner", self.partner.to_string().into()),
            ("partner_trans_id", self.partner_trans_id.as_str().into()),
            ("partner_refund_id", self.partner_refund_id.as_str().into()),
            ("refund_amount", money.major().into()),
            ("currency", money.currency().code().into()),
            ("is_sync", sync_text(self.mode).into()),
        ];
        let optional = [
            (
                "alipay_trans_id",
                self.alipay_trans_id.as_ref().map(TradeNo::as_str),
            ),
            ("refund_reson", self.reason.as_deref()),
            ("notify_url", self.notify_url.as_deref()),
        ];
        let present = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?.into())));
        params.extend(present);
        params
    }

    /// What an answer that is not a success says of this request.
    pub fn about(&self) -> About {
        About {
            partner_trans_id: Some(self.partner_trans_id.clone()),
            alipay_trans_id: self.alipay_trans_id.clone(),
            partner_refund_id: Some(self.partner_refund_id.clone()),
            amount: Some(self.amount),
        }
    }
}

/// The partner's number for the refund, which must not be that of the trade.
fn read_refund_id(value: &str, trans_id: &str) -> Result<PartnerRefundId, ParseRefusal> {
    const NAME: &str = "partner_refund_id";
    if value == trans_id {
        let rule = "another number than partner_trans_id";
        return Err(ParseRefusal::malformed(NAME, rule, value));
    }
    field::partner_number(NAME, value)
}

/// A currency that is none is no payment's; any other that is not the payment's is for core to refuse
/// (`spec/13`, 20).
fn read_amount(value: &str, currency: &str) -> Result<Amount, ParseRefusal> {
    const RULE: &str = "0.01 to 9999999.99 with the decimals of the currency";
    let currency: Currency = currency
        .parse()
        .map_err(|_| ParseRefusal::ForeignCurrency {
            value: cut(currency),
        })?;
    let max = match currency.exponent() {
        0 => AMOUNT_MAX_MAJOR,
        _ => AMOUNT_MAX,
    };
    let read = |text| Money::parse_major(text, currency).ok();
    read(value)
        .zip(read(max))
        .filter(|(money, max)| money.minor() <= max.minor())
        .and_then(|(money, _)| Amount::new(money).ok())
        .ok_or_else(|| ParseRefusal::malformed("refund_amount", RULE, value))
}

fn read_reason(form: &Form) -> Result<Option<Box<str>>, ParseRefusal> {
    let mut given = REASON_NAMES
        .into_iter()
        .filter_map(|name| Some((name, form.get(name)?)));
    let line = |(name, value)| field::line(name, value, REASON_MAX, "at most 128 characters");
    given.next().map(line).transpose()
}

fn read_mode(value: &str) -> Result<RefundMode, ParseRefusal> {
    let mut all = [RefundMode::Sync, RefundMode::Async].into_iter();
    all.find(|&mode| value.eq_ignore_ascii_case(sync_text(mode)))
        .ok_or_else(|| ParseRefusal::malformed("is_sync", "Y or N", value))
}

/// The value of `is_sync`.
const fn sync_text(mode: RefundMode) -> &'static str {
    match mode {
        RefundMode::Sync => "Y",
        RefundMode::Async => "N",
    }
}

/// What became of a refund.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// `SUCCESS`: done when it was synchronous; when it was not, only accepted.
    Success(Box<Refunded>),
    /// `FAILED`: nothing went back and, under this number, nothing will.
    Failed {
        /// Why.
        error: Code,
        /// Of what.
        about: About,
    },
    /// `UNKNOW`: repeat it with the same `partner_refund_id`.
    Unknown {
        /// A fault's code.
        error: Option<Code>,
        /// Of what.
        about: About,
    },
}

/// A refund that is done or accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refunded {
    /// The partner's number for the trade.
    pub partner_trans_id: PartnerTransId,
    /// The gateway's number for the trade.
    pub alipay_trans_id: TradeNo,
    /// The partner's number for the refund.
    pub partner_refund_id: PartnerRefundId,
    /// How much.
    pub amount: Amount,
    /// What it is in CNY: standard contracts (`spec/13`, 10).
    pub conversion: Option<Conversion>,
}

/// What a refund that did not succeed was about, as far as that is known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct About {
    /// The partner's number for the trade.
    pub partner_trans_id: Option<PartnerTransId>,
    /// The gateway's number for the trade.
    pub alipay_trans_id: Option<TradeNo>,
    /// The partner's number for the refund.
    pub partner_refund_id: Option<PartnerRefundId>,
    /// How much.
    pub amount: Option<Amount>,
}

impl Answer {
    /// The fields, ascending by name.
    pub fn fields(&self) -> Fields<'_> {
        match self {
            Self::Success(refunded) => refunded.fields(),
            Self::Failed { error, about } => about.fields(Some(error), "FAILED"),
            Self::Unknown { error, about } => about.fields(error.as_deref(), "UNKNOW"),
        }
    }

    /// Reads the fields; an error means that the outcome is unknown.
    pub fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let error = field::read_code(doc, ["error", "detail_error_code"]);
        Ok(match ResultCode::read(doc)? {
            ResultCode::Success => Self::Success(Box::new(Refunded::read(doc)?)),
            ResultCode::Failed => Self::Failed {
                error: error.ok_or(FieldError::Missing("error"))?,
                about: About::read(doc)?,
            },
            ResultCode::Unknown => Self::Unknown {
                error,
                about: About::read(doc)?,
            },
        })
    }
}

impl Refunded {
    fn fields(&self) -> Fields<'_> {
        let money = self.amount.money();
        let (rate, cny) = self.conversion.map(|found| (found.rate, found.cny)).unzip();
        let cny = cny.map(Money::major);
        let mut fields = Fields::new();
        fields.put("alipay_trans_id", self.alipay_trans_id.as_str());
        fields.put("currency", money.currency().code());
        fields.put_some("exchange_rate", rate.map(|rate| rate.to_string()));
        fields.put("partner_refund_id", self.partner_refund_id.as_str());
        fields.put("partner_trans_id", self.partner_trans_id.as_str());
        fields.put("refund_amount", money.major());
        fields.put_some("refund_amount_cny", cny.clone());
        fields.put("result_code", "SUCCESS");
        fields.put_some("trans_amount_cny", cny);
        fields
    }

    fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let amount = field::read_amount(doc, "refund_amount")?;
        let conversion = match Conversion::read(doc, "refund_amount_cny")? {
            None => Conversion::read(doc, "trans_amount_cny")?,
            found => found,
        };
        Ok(Self {
            partner_trans_id: field::read_required(doc, "partner_trans_id")?,
            alipay_trans_id: field::read_required(doc, "alipay_trans_id")?,
            partner_refund_id: field::read_required(doc, "partner_refund_id")?,
            amount: amount.ok_or(FieldError::Missing("refund_amount"))?,
            conversion,
        })
    }
}

impl About {
    fn fields<'a>(&'a self, error: Option<&'a str>, result: &'static str) -> Fields<'a> {
        let money = self.amount.map(Amount::money);
        let mut fields = Fields::new();
        fields.put_some(
            "alipay_trans_id",
            self.alipay_trans_id.as_ref().map(TradeNo::as_str),
        );
        fields.put_some("currency", money.map(|money| money.currency().code()));
        fields.put_some("error", error);
        let refund = self.partner_refund_id.as_ref();
        fields.put_some("partner_refund_id", refund.map(PartnerRefundId::as_str));
        let trade = self.partner_trans_id.as_ref();
        fields.put_some("partner_trans_id", trade.map(PartnerTransId::as_str));
        fields.put_some("refund_amount", money.map(Money::major));
        fields.put("result_code", result);
        fields
    }

    fn read(doc: &Accepted) -> Result<Self, FieldError> {
        Ok(Self {
            partner_trans_id: doc.parsed("partner_trans_id")?,
            alipay_trans_id: doc.parsed("alipay_trans_id")?,
            partner_refund_id: doc.parsed("partner_refund_id")?,
            amount: field::read_amount(doc, "refund_amount")?,
        })
    }
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
