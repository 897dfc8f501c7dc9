//! `alipay.overseas.secmerchant.offline.maintain` (`spec/08`).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

use spotpay_core::id::PartnerId;
use spotpay_core::partner::Country;
use spotpay_core::registration::{StoreData, TAXI_INDUSTRY};
use spotpay_core::shop::Shop;
use spotpay_core::time::Timestamp;

use crate::field::{self, Code};
use crate::form::{Form, is_carriable};
use crate::json;
use crate::refusal::{ParseRefusal, StoreRefusal};
use crate::service::Service;
use crate::xml::{Accepted, FieldError, Fields};

/// Drivers of one taxi.
pub const DRIVERS_MAX: usize = 10;

/// What a `secondary_merchant_id` takes.
pub(crate) const MERCHANT_ID_RULE: &str = "1 to 64 letters, digits, - and _";
/// What a `store_id` takes.
pub(crate) const STORE_ID_RULE: &str =
    "1 to 64 characters without controls, quotes and outer or doubled blanks";
const INDIVIDUAL: &str = "INDIVIDUAL";
const ENTERPRISE: &str = "ENTERPRISE";

/// What a client wants to register, or what the server has understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The store, and whose it is. What no rule looks at are its `details`; the drivers of a taxi
    /// are among them as `extend_params`.
    pub data: StoreData,
    /// When the request was made; it lives for 30 minutes.
    pub timestamp: Timestamp,
}

/// Required in every request, in the order of the spec's table.
const REQUIRED: [&str; 8] = [
    "timestamp",
    "secondary_merchant_name",
    "secondary_merchant_id",
    "store_id",
    "store_name",
    "store_country",
    "store_address",
    "store_industry",
];
/// Who sends one of these is an acquirer, who must say more.
const OF_ACQUIRERS: [&str; 8] = [
    "secondary_merchant_type",
    "registration_no",
    "register_country",
    "register_address",
    "shareholder_name",
    "shareholder_id",
    "representative_name",
    "representative_id",
];
/// The end of the table, which is kept as it is.
const LAST: [&str; 9] = [
    "shareholder_name",
    "shareholder_id",
    "representative_name",
    "representative_id",
    "settlement_no",
    "contact_no",
    "contact_email",
    "cs_no",
    "cs_email",
];

impl Request {
    /// Reads a request whose signature has been verified; every refusal is `PARAM_ILLEGAL`.
    ///
    /// In this order: what is required in every request, what is required of taxis and of
    /// acquirers, each missing or not; then the values; all in the order of the spec's table.
    /// A client may check what it is about to send with [`Form::from_pairs`].
    pub fn parse(form: &Form) -> Result<Self, ParseRefusal> {
        for name in REQUIRED {
            required(form, name, "in every request")?;
        }
        if form.get("store_industry") == Some(TAXI_INDUSTRY) {
            required(form, "extend_params", "when store_industry is 4121")?;
        }
        if OF_ACQUIRERS.iter().any(|name| form.get(name).is_some()) {
            acquirer_half(form)?;
        }
        Ok(Self::read(form)?)
    }

    fn read(form: &Form) -> Result<Self, StoreRefusal> {
        let given = |name| form.get(name).unwrap_or_default();
        let partner = partner(form)?;
        let timestamp = timestamp(form)?;
        let name = "secondary_merchant_name";
        let secondary_merchant_name = text(name, given(name), UP_TO_128)?;
        let name = "secondary_merchant_id";
        let secondary_merchant_id = shaped(name, given(name), MERCHANT_ID_RULE)?;
        let store_id = shaped("store_id", given("store_id"), STORE_ID_RULE)?;
        let store_name = text("store_name", given("store_name"), UP_TO_256)?;
        let store_country = country("store_country", given("store_country"))?;
        let mut details = Details {
            form,
            kept: Vec::new(),
        };
        details.keep("store_address", FREE)?;
        let industry = industry(given("store_industry"))?;
        details.keep("internal_store_photo", FREE)?;
        details.keep("external_storefront_photo", FREE)?;
        let drivers = drivers(form.get("extend_params"), industry)?;
        if !drivers.is_empty() {
            details.push("extend_params", write_drivers(&drivers).into());
        }
        if let Some(kind) = form.get("secondary_merchant_type") {
            details.push("secondary_merchant_type", merchant_type(kind)?.into());
        }
        details.keep("registration_no", FREE)?;
        let register_country = form
            .get("register_country")
            .map(|value| country("register_country", value))
            .transpose()?;
        details.keep("register_address", UP_TO_256)?;
        for name in LAST {
            details.keep(name, FREE)?;
        }
        let shop = Shop {
            partner,
            secondary_merchant_id,
            secondary_merchant_name,
            secondary_merchant_industry: industry.into(),
            store_id,
            store_name,
        };
        let data = StoreData {
            shop,
            store_country,
            register_country,
            drivers: drivers.into_iter().map(|driver| driver.id).collect(),
            details: details.kept,
        };
        Ok(Self { data, timestamp })
    }

    /// The parameters, for [`crate::request::sign`].
    pub fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        let StoreData {
            shop,
            store_country,
            register_country,
            drivers: _,
            details,
        } = &self.data;
        let mut params: Vec<(&str, Cow<'_, str>)> = vec![
            ("service", Service::StoreMaintain.as_str().into()),
            ("partner", shop.partner.to_string().into()),
            ("timestamp", self.timestamp.spaced().into()),
            (
                "secondary_merchant_name",
                (&*shop.secondary_merchant_name).into(),
            ),
            (
                "secondary_merchant_id",
                shop.secondary_merchant_id.as_str().into(),
            ),
            ("store_id", shop.store_id.as_str().into()),
            ("store_name", (&*shop.store_name).into()),
            ("store_country", store_country.as_str().into()),
            (
                "store_industry",
                (&*shop.secondary_merchant_industry).into(),
            ),
        ];
        let country = register_country.as_ref().map(Country::as_str);
        params.extend(country.map(|country| ("register_country", country.into())));
        params.extend(
            details
                .iter()
                .map(|(name, value)| (&**name, (&**value).into())),
        );
        params
    }
}

/// What an acquirer must say of its merchant.
fn acquirer_half(form: &Form) -> Result<(), StoreRefusal> {
    let kind = required(form, "secondary_merchant_type", "of acquirers")?;
    if kind == ENTERPRISE {
        let when = "when secondary_merchant_type is ENTERPRISE";
        required(form, "registration_no", when)?;
    }
    required(form, "register_country", "of acquirers")?;
    required(form, "register_address", "of acquirers")?;
    if kind == INDIVIDUAL {
        let when = "when secondary_merchant_type is INDIVIDUAL";
        required(form, "shareholder_name", when)?;
        required(form, "shareholder_id", when)?;
    }
    if form.get("contact_email").is_none() {
        let when = "of acquirers, unless there is a contact_email";
        required(form, "contact_no", when)?;
    }
    Ok(())
}

/// A parameter that must be there.
pub(crate) fn required<'f>(
    form: &'f Form,
    field: &'static str,
    when: &'static str,
) -> Result<&'f str, StoreRefusal> {
    form.get(field).ok_or(StoreRefusal::Missing { field, when })
}

/// A value of a type with its own check.
pub(crate) fn shaped<T: FromStr>(
    field: &'static str,
    value: &str,
    rule: &'static str,
) -> Result<T, StoreRefusal> {
    value
        .parse()
        .map_err(|_| StoreRefusal::malformed(field, rule, value))
}

/// The calling partner; the gateway has looked it up already.
pub(crate) fn partner(form: &Form) -> Result<PartnerId, StoreRefusal> {
    let value = required(form, "partner", "in every request")?;
    shaped("partner", value, "16 digits beginning with 2088")
}

/// When the request was made; whether that is too long ago is not looked at here.
pub(crate) fn timestamp(form: &Form) -> Result<Timestamp, StoreRefusal> {
    const NAME: &str = "timestamp";
    let value = required(form, NAME, "in every request")?;
    field::timestamp(value)
        .ok_or_else(|| StoreRefusal::malformed(NAME, field::TIMESTAMP_RULE, value))
}

/// How long a text may be. Where the spec states no length, the form's own bounds are enough.
#[derive(Clone, Copy)]
struct Limit {
    characters: usize,
    rule: &'static str,
}

const FREE: Limit = Limit {
    characters: usize::MAX,
    rule: "a text without double quotes",
};
const UP_TO_128: Limit = Limit {
    characters: 128,
    rule: "at most 128 characters without double quotes",
};
const UP_TO_256: Limit = Limit {
    characters: 256,
    rule: "at most 256 characters without double quotes",
};

/// A text of one line; breaks become blanks.
fn text(field: &'static str, value: &str, limit: Limit) -> Result<Box<str>, StoreRefusal> {
    if value.contains('"') || value.chars().count() > limit.characters {
        return Err(StoreRefusal::malformed(field, limit.rule, value));
    }
    Ok(value.replace(char::is_control, " ").into())
}

/// The fields that are kept as they are, in the order of the table.
struct Details<'f> {
    form: &'f Form,
    kept: Vec<(Box<str>, Box<str>)>,
}

impl Details<'_> {
    fn push(&mut self, name: &str, value: Box<str>) {
        self.kept.push((name.into(), value));
    }

    /// Takes the field from the form, if it is there.
    fn keep(&mut self, name: &'static str, limit: Limit) -> Result<(), StoreRefusal> {
        if let Some(value) = self.form.get(name) {
            self.push(name, text(name, value, limit)?);
        }
        Ok(())
    }
}

fn country(field: &'static str, value: &str) -> Result<Country, StoreRefusal> {
    Country::parse(value)
        .ok_or_else(|| StoreRefusal::malformed(field, "two capital letters", value))
}

fn industry(value: &str) -> Result<&str, StoreRefusal> {
    if value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(value);
    }
    Err(StoreRefusal::malformed(
        "store_industry",
        "four digits",
        value,
    ))
}

fn merchant_type(value: &str) -> Result<&str, StoreRefusal> {
    if matches!(value, INDIVIDUAL | ENTERPRISE) {
        return Ok(value);
    }
    let rule = "INDIVIDUAL or ENTERPRISE";
    Err(StoreRefusal::malformed(
        "secondary_merchant_type",
        rule,
        value,
    ))
}

/// Who drives a taxi.
struct Driver {
    id: Box<str>,
    way: Option<Box<str>>,
    person: Box<str>,
}

/// The drivers of a taxi. Of other shops `extend_params` says nothing, but it must be JSON.
fn drivers(value: Option<&str>, industry: &str) -> Result<Vec<Driver>, StoreRefusal> {
    const NAME: &str = "extend_params";
    const RULE: &str = "a JSON list of 1 to 10 drivers: operation_id of 1 to 64 letters and \
        digits, each once; contact_person of 1 to 64 characters; contact_way of digits, blanks, \
        + and -, at most 256";
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    if industry != TAXI_INDUSTRY {
        return if json::is_json(value) {
            Ok(Vec::new())
        } else {
            Err(StoreRefusal::malformed(NAME, "JSON", value))
        };
    }
    let malformed = || StoreRefusal::malformed(NAME, RULE, value);
    let list = json::read_list(value).map_err(|_| malformed())?;
    let drivers: Option<Vec<Driver>> = list.into_iter().map(Driver::read).collect();
    let drivers = drivers.ok_or_else(malformed)?;
    let ids: BTreeSet<&str> = drivers.iter().map(|driver| &*driver.id).collect();
    if (1..=DRIVERS_MAX).contains(&drivers.len()) && ids.len() == drivers.len() {
        return Ok(drivers);
    }
    Err(malformed())
}

impl Driver {
    /// Takes one object; members that we do not know say nothing.
    fn read(members: json::Members<'_>) -> Option<Self> {
        let find = |wanted: &str| {
            let mut members = members.iter().rev();
            let (_, value) = members.find(|(name, _)| **name == *wanted)?;
            value.as_deref().filter(|value| !value.is_empty())
        };
        let (id, person) = (find("operation_id")?, find("contact_person")?);
        let way = find("contact_way");
        let said = |letter: char| is_carriable(letter) && !letter.is_control() && letter != '"';
        let dialled = |letter: char| letter.is_ascii_digit() || " +-".contains(letter);
        let fits = id.len() <= 64
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && person.chars().count() <= 64
            && person.chars().all(said)
            && way.is_none_or(|way| way.len() <= 256 && way.chars().all(dialled));
        fits.then(|| Self {
            id: id.into(),
            way: way.map(Box::from),
            person: person.into(),
        })
    }
}

/// The same list, always spelled in the same way.
fn write_drivers(drivers: &[Driver]) -> String {
    let mut json = String::from("[");
    for driver in drivers {
        json.push_str(if json.len() > 1 { ",{" } else { "{" });
        let members = [
            ("operation_id", Some(&driver.id)),
            ("contact_way", driver.way.as_ref()),
            ("contact_person", Some(&driver.person)),
        ];
        for (name, value) in members {
            let Some(value) = value else { continue };
            if !json.ends_with('{') {
                json.push(',');
            }
            json::write_string(name, &mut json);
            json.push(':');
            json::write_string(value, &mut json);
        }
        json.push('}');
    }
    json + "]"
}

/// What became of a registration; its status is another question ([`crate::store_query`]).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// `SUCCESS`: it is taken.
    Success,
    /// Nothing was changed.
    Failed {
        /// Why; the answer says it twice.
        error: Code,
    },
}

impl Answer {
    /// The fields, ascending by name.
    pub fn fields(&self) -> Fields<'_> {
        match self {
            Self::Success => {
                let mut fields = Fields::new();
                fields.put("result_code", SUCCESS);
                fields
            }
            Self::Failed { error } => failed_fields(error),
        }
    }

    /// Reads the fields; an error means that the outcome is unknown.
    pub fn read(doc: &Accepted) -> Result<Self, FieldError> {
        if doc.get("result_code") == Some(SUCCESS) {
            return Ok(Self::Success);
        }
        let error = field::read_code(doc, ["error", "result_code"]);
        Ok(Self::Failed {
            error: error.ok_or(FieldError::Missing("result_code"))?,
        })
    }
}

const SUCCESS: &str = "SUCCESS";

/// The fields of a store call that is refused.
pub(crate) fn failed_fields(error: &str) -> Fields<'_> {
    let mut fields = Fields::new();
    fields.put("error", error);
    fields.put("result_code", error);
    fields
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
