//! What the services' parameters and fields have in common.

use std::borrow::Cow;
use std::str::FromStr;

use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::money::{Amount, Currency, FxRate, Money};
use spotpay_core::time::Timestamp;

use crate::code;
use crate::form::Form;
use crate::refusal::ParseRefusal;
use crate::xml::{Accepted, FieldError, Fields};

/// A parameter that must be there.
pub(crate) fn required<'f>(form: &'f Form, name: &'static str) -> Result<&'f str, ParseRefusal> {
    form.get(name).ok_or(ParseRefusal::Missing(name))
}

/// A value of a type with its own check.
pub(crate) fn parsed<T: FromStr>(
    field: &'static str,
    value: &str,
    rule: &'static str,
) -> Result<T, ParseRefusal> {
    value
        .parse()
        .map_err(|_| ParseRefusal::malformed(field, rule, value))
}

/// The calling partner; the gateway has looked it up already.
pub(crate) fn partner(form: &Form) -> Result<PartnerId, ParseRefusal> {
    parsed(
        "partner",
        required(form, "partner")?,
        "16 digits beginning with 2088",
    )
}

/// The partner's number for a trade or a refund. One that an answer could not carry back unchanged,
/// because parsers fold blanks (`spec/12`, answer 4), is refused before money moves under it.
pub(crate) fn partner_number<T: FromStr>(
    field: &'static str,
    value: &str,
) -> Result<T, ParseRefusal> {
    const RULE: &str = "1 to 64 characters without controls, quotes and outer or doubled blanks";
    if value.trim_matches(' ') != value || value.contains("  ") {
        return Err(ParseRefusal::malformed(field, RULE, value));
    }
    parsed(field, value, RULE)
}

/// A text of one line and at most `max` characters; breaks become blanks.
pub(crate) fn line(
    field: &'static str,
    value: &str,
    max: usize,
    rule: &'static str,
) -> Result<Box<str>, ParseRefusal> {
    if value.len() > max && value.chars().count() > max {
        return Err(ParseRefusal::malformed(field, rule, value));
    }
    Ok(if value.contains(char::is_control) {
        value.replace(char::is_control, " ").into()
    } else {
        value.into()
    })
}

/// What [`timestamp`] takes.
pub(crate) const TIMESTAMP_RULE: &str = "milliseconds since 1970 or yyyy-MM-dd HH:mm:ss";

/// Milliseconds since 1970 or `yyyy-MM-dd HH:mm:ss` of GMT+8 (`spec/12`, wire 7).
pub(crate) fn timestamp(value: &str) -> Option<Timestamp> {
    let digits = (1..=15).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    let millis = || value.parse::<i64>().ok().filter(|_| digits);
    let micros = || millis().and_then(|millis| millis.checked_mul(1_000));
    micros()
        .map(Timestamp::from_micros)
        .or_else(|| Timestamp::parse_spaced(value))
}

/// Characters of a `notify_url`.
const URL_MAX: usize = 200;

/// `notify_url`, when the request names one.
pub(crate) fn notify_url(form: &Form) -> Result<Option<Box<str>>, ParseRefusal> {
    const NAME: &str = "notify_url";
    const RULE: &str = "an http or https URL of at most 200 characters";
    let Some(value) = form.get(NAME) else {
        return Ok(None);
    };
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    let host = rest.is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_alphanumeric() || first == '[')
    });
    let plain = !value.contains(|letter: char| letter.is_control() || letter.is_whitespace());
    if host && plain && value.chars().count() <= URL_MAX {
        return Ok(Some(value.into()));
    }
    Err(ParseRefusal::malformed(NAME, RULE, value))
}

/// A `result_code`, read in every spelling (`spec/01`, two-level result).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ResultCode {
    Success,
    Failed,
    Unknown,
}

impl FromStr for ResultCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "SUCCESS" => Ok(Self::Success),
            "FAIL" | "FAILED" => Ok(Self::Failed),
            "UNKNOW" | "UNKNOWN" => Ok(Self::Unknown),
            _ => Err(()),
        }
    }
}

impl ResultCode {
    pub(crate) fn read(doc: &Accepted) -> Result<Self, FieldError> {
        doc.parsed("result_code")?
            .ok_or(FieldError::Missing("result_code"))
    }
}

/// A code in an answer, without the prefix of another generation.
pub(crate) type Code = Cow<'static, str>;

pub(crate) fn read_code(doc: &Accepted, names: [&'static str; 2]) -> Option<Code> {
    let code = names.into_iter().find_map(|name| doc.get(name))?;
    Some(match code::find(code) {
        Some(known) => Cow::Borrowed(known.code),
        None => Cow::Owned(code::without_prefix(code).to_owned()),
    })
}

/// Who paid, as answers show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buyer {
    /// Masked e-mail or mobile number.
    pub login_id: Box<str>,
    /// The wallet.
    pub user_id: WalletId,
}

impl Buyer {
    pub(crate) fn put(buyer: Option<&Self>, fields: &mut Fields<'_>) {
        if let Some(buyer) = buyer {
            fields.put("alipay_buyer_login_id", buyer.login_id.to_string());
            fields.put("alipay_buyer_user_id", buyer.user_id.to_string());
        }
    }

    pub(crate) fn read(doc: &Accepted) -> Option<Self> {
        Some(Self {
            login_id: doc.get("alipay_buyer_login_id")?.into(),
            user_id: doc.get("alipay_buyer_user_id")?.parse().ok()?,
        })
    }
}

/// What a payment was in CNY; in answers of standard contracts only (`spec/00`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conversion {
    /// CNY per unit of the pricing currency.
    pub rate: FxRate,
    /// What the buyer paid.
    pub cny: Money,
}

impl Conversion {
    /// `exchange_rate` and the field that holds the CNY.
    pub(crate) fn read(doc: &Accepted, cny_name: &'static str) -> Result<Option<Self>, FieldError> {
        let rate = doc.parsed("exchange_rate")?;
        let cny = doc.parsed_with(cny_name, |text| {
            Money::parse_major(text, Currency::CNY).ok()
        })?;
        Ok(rate.zip(cny).map(|(rate, cny)| Self { rate, cny }))
    }
}

/// `currency` and the field that holds the amount together.
pub(crate) fn read_amount(
    doc: &Accepted,
    name: &'static str,
) -> Result<Option<Amount>, FieldError> {
    let Some(currency) = doc.parsed::<Currency>("currency")? else {
        return Ok(None);
    };
    doc.parsed_with(name, |text| {
        Amount::new(Money::parse_major(text, currency).ok()?).ok()
    })
}

/// A field that must be there, of a type.
pub(crate) fn read_required<T: FromStr>(
    doc: &Accepted,
    name: &'static str,
) -> Result<T, FieldError> {
    doc.parsed(name)?.ok_or(FieldError::Missing(name))
}
