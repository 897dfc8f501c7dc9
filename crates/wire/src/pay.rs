//! `alipay.acquire.overseas.spot.pay` (`spec/02`).

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use spotpay_core::id::{IdError, PartnerId, PartnerTransId, SecondaryMerchantId, StoreId};
use spotpay_core::money::{Amount, Currency, Money, MoneyError};
use spotpay_core::payment_code::PaymentCode;
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::PaymentInst;

use crate::field::{self, Code, ResultCode, parsed, required};
use crate::form::{Form, is_carriable};
use crate::json;
use crate::refusal::{ParseRefusal, cut};
use crate::service::Service;
use crate::trade_no::TradeNo;
use crate::xml::{Accepted, FieldError, Fields};

pub use crate::field::{Buyer, Conversion};

/// The one value of `biz_product`.
pub const BIZ_PRODUCT: &str = "OVERSEAS_MBARCODE_PAY";
/// The largest `trans_amount`, in major units.
pub const AMOUNT_MAX: &str = "100000000.00";
/// The same without decimals, for every currency.
const AMOUNT_MAX_MAJOR: &str = "100000000";
/// Characters of a `trans_name`, a memo or a name in `extend_info`.
const TEXT_MAX: usize = 256;

/// How the code was shown (`identity_code_type`); the case varies (`spec/12`, wire 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeType {
    /// `barcode`.
    Barcode,
    /// `QRcode`.
    QrCode,
}

impl CodeType {
    /// The value of the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Barcode => "barcode",
            Self::QrCode => "QRcode",
        }
    }
}

/// Not an `identity_code_type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownCodeType;

impl fmt::Display for UnknownCodeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is neither barcode nor QRcode")
    }
}

impl std::error::Error for UnknownCodeType {}

impl FromStr for CodeType {
    type Err = UnknownCodeType;

    fn from_str(text: &str) -> Result<Self, UnknownCodeType> {
        let mut all = [Self::Barcode, Self::QrCode].into_iter();
        all.find(|known| text.eq_ignore_ascii_case(known.as_str()))
            .ok_or(UnknownCodeType)
    }
}

/// A pay request: what the server has understood, or what a client wants to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller, who is also the seller.
    pub partner: PartnerId,
    /// Its number for the trade.
    pub partner_trans_id: PartnerTransId,
    /// The price.
    pub amount: Amount,
    /// The list currency, which standard contracts know (`spec/13`, 13).
    pub trans_currency: Option<Currency>,
    /// The title in the wallet's bill.
    pub trans_name: Box<str>,
    /// What the scanner read. A bad code is refused with `SOUNDWAVE_PARSER_FAIL` like a wrong one,
    /// so it is no [`ParseRefusal`].
    pub code: Result<PaymentCode, IdError>,
    /// How it was shown.
    pub code_type: CodeType,
    /// When the partner made the order.
    pub trans_create_time: Option<Timestamp>,
    /// Number of goods.
    pub quantity: Option<NonZeroU64>,
    /// The partner's note.
    pub memo: Option<Box<str>>,
    /// Where the partner wants to hear of it.
    pub notify_url: Option<Box<str>>,
    /// Where it takes place.
    pub store: StoreData,
}

/// `extend_info`; all of it may be absent (`spec/13`, 15).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StoreData {
    /// The shop.
    pub secondary_merchant_id: Option<SecondaryMerchantId>,
    /// Its name.
    pub secondary_merchant_name: Option<Box<str>>,
    /// Its merchant category (MCC).
    pub secondary_merchant_industry: Option<Box<str>>,
    /// The place.
    pub store_id: Option<StoreId>,
    /// The place's name.
    pub store_name: Option<Box<str>>,
    /// The till.
    pub terminal_id: Option<Box<str>>,
    /// The technical provider.
    pub sys_service_provider_id: Option<Box<str>>,
}

const REQUIRED: [&str; 8] = [
    "alipay_seller_id",
    "trans_name",
    "partner_trans_id",
    "currency",
    "trans_amount",
    "buyer_identity_code",
    "identity_code_type",
    "biz_product",
];

impl Request {
    /// Reads a request whose signature has been verified.
    ///
    /// In this order: `partner` and what is required, each missing or not; then the values of
    /// `alipay_seller_id`, `quantity`, `trans_name`, `partner_trans_id`, `trans_currency`,
    /// `currency`, `trans_amount`, `identity_code_type`, `trans_create_time`, `memo`,
    /// `biz_product`, `extend_info`, `notify_url`.
    pub fn parse(form: &Form) -> Result<Self, ParseRefusal> {
        let partner = field::partner(form)?;
        let [
            seller,
            name,
            trans_id,
            currency,
            amount,
            code,
            code_type,
            product,
        ] = all_required(form)?;
        if seller != required(form, "partner")? {
            return Err(ParseRefusal::SellerDiffers {
                seller: cut(seller),
            });
        }
        let text = |name, value| field::line(name, value, TEXT_MAX, "at most 256 characters");
        let optional = |name| form.get(name).map(|value| text(name, value)).transpose();
        let quantity = form.get("quantity");
        let quantity = quantity.map(|value| parsed("quantity", value, "a whole number above zero"));
        let quantity = quantity.transpose()?;
        let trans_name = text("trans_name", name)?;
        let partner_trans_id = field::partner_number("partner_trans_id", trans_id)?;
        let trans_currency = form.get("trans_currency");
        let trans_currency = trans_currency.map(|value| known_currency("trans_currency", value));
        let trans_currency = trans_currency.transpose()?;
        let amount = read_amount(amount, known_currency("currency", currency)?)?;
        let code_type = parsed("identity_code_type", code_type, "barcode or QRcode")?;
        let trans_create_time = read_create_time(form)?;
        let memo = optional("memo")?;
        if product != BIZ_PRODUCT {
            return Err(ParseRefusal::malformed("biz_product", BIZ_PRODUCT, product));
        }
        Ok(Self {
            partner,
            partner_trans_id,
            amount,
            trans_currency,
            trans_name,
            code: code.parse(),
            code_type,
            trans_create_time,
            quantity,
            memo,
            store: StoreData::parse(form.get("extend_info").unwrap_or("null"))?,
            notify_url: field::notify_url(form)?,
        })
    }

    /// The parameters, for [`crate::request::sign`]; a code that is none is left out.
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let partner = self.partner.to_string();
        let money = self.amount.money();
        let optional = [
            (
                "trans_currency",
                self.trans_currency.map(|currency| currency.code().into()),
            ),
            (
                "trans_create_time",
                self.trans_create_time.map(|at| at.compact().into()),
            ),
            (
                "quantity",
                self.quantity.map(|quantity| quantity.to_string().into()),
            ),
            ("memo", self.memo.as_deref().map(Cow::Borrowed)),
            ("notify_url", self.notify_url.as_deref().map(Cow::Borrowed)),
            ("extend_info", self.store.to_json().map(Cow::Owned)),
            (
                "buyer_identity_code",
                self.code.as_ref().ok().map(|code| code.as_str().into()),
            ),
        ];
        let mut params = vec![
            ("service", Service::Pay.as_str().into()),
            ("alipay_seller_id", partner.clone().into()),
            ("partner", partner.into()),
            ("partner_trans_id", self.partner_trans_id.as_str().into()),
            ("currency", money.currency().code().into()),
            ("trans_amount", money.major().into()),
            ("trans_name", (&*self.trans_name).into()),
            ("identity_code_type", self.code_type.as_str().into()),
            ("biz_product", BIZ_PRODUCT.into()),
        ];
        params.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        params
    }
}

fn all_required(form: &Form) -> Result<[&str; 8], ParseRefusal> {
    let mut values = [""; 8];
    for (value, name) in values.iter_mut().zip(REQUIRED) {
        *value = required(form, name)?;
    }
    Ok(values)
}

fn known_currency(field: &'static str, value: &str) -> Result<Currency, ParseRefusal> {
    let unknown = || ParseRefusal::UnknownCurrency {
        field,
        value: cut(value),
    };
    value.parse().map_err(|_| unknown())
}

fn read_amount(value: &str, currency: Currency) -> Result<Amount, ParseRefusal> {
    const RULE: &str = "0.01 to 100000000.00 with the decimals of the currency";
    let malformed = || ParseRefusal::malformed("trans_amount", RULE, value);
    let above = || ParseRefusal::AboveMaximum { value: cut(value) };
    let money = Money::parse_major(value, currency).map_err(|error| match error {
        MoneyError::Overflow => above(),
        MoneyError::CurrencyDiffers
        | MoneyError::Malformed
        | MoneyError::TooManyDecimals
        | MoneyError::NotPositive
        | MoneyError::UnknownCurrency => malformed(),
    })?;
    let max = Money::parse_major(AMOUNT_MAX_MAJOR, currency).map_err(|_| malformed())?;
    if money.minor() > max.minor() {
        return Err(above());
    }
    Amount::new(money).map_err(|_| malformed())
}

/// Checked only when it is there (`spec/11`, 2).
fn read_create_time(form: &Form) -> Result<Option<Timestamp>, ParseRefusal> {
    const NAME: &str = "trans_create_time";
    let Some(value) = form.get(NAME) else {
        return Ok(None);
    };
    let malformed = || ParseRefusal::malformed(NAME, "yyyyMMddHHmmss", value);
    Timestamp::parse_compact(value)
        .ok_or_else(malformed)
        .map(Some)
}

impl StoreData {
    /// Reads `extend_info`: an object or `null`, its keys in either case, nulls as if absent
    /// (`spec/12`, wire 6).
    fn parse(text: &str) -> Result<Self, ParseRefusal> {
        const FIELD: &str = "extend_info";
        const RULE: &str = "a JSON object with texts of at most 256 characters, ids of at most 64";
        let malformed = || ParseRefusal::malformed(FIELD, RULE, text);
        let mut data = Self::default();
        let mut bad = false;
        json::read_object(text, |name, value| {
            let value = value.filter(|value| !value.is_empty());
            bad |= value.is_some_and(|value| data.set(name, &value).is_none());
        })
        .map_err(|_| malformed())?;
        if bad { Err(malformed()) } else { Ok(data) }
    }

    /// Takes one member; `None` when its value is not one. Members that we do not know say nothing.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let text = || {
            let fits = value.chars().count() <= TEXT_MAX;
            let carried = value
                .chars()
                .all(|letter| is_carriable(letter) && !letter.is_control());
            (fits && carried).then(|| Box::from(value))
        };
        match name.to_ascii_lowercase().as_str() {
            "secondary_merchant_id" => self.secondary_merchant_id = Some(value.parse().ok()?),
            "store_id" => self.store_id = Some(value.parse().ok()?),
            "secondary_merchant_name" => self.secondary_merchant_name = Some(text()?),
            "secondary_merchant_industry" => self.secondary_merchant_industry = Some(text()?),
            "store_name" => self.store_name = Some(text()?),
            "terminal_id" => self.terminal_id = Some(text()?),
            "sys_service_provider_id" => self.sys_service_provider_id = Some(text()?),
            _ => {}
        }
        Some(())
    }

    /// The object; `None` when there is nothing to say.
    fn to_json(&self) -> Option<String> {
        let members = [
            (
                "secondary_merchant_id",
                self.secondary_merchant_id
                    .as_ref()
                    .map(SecondaryMerchantId::as_str),
            ),
            (
                "secondary_merchant_industry",
                self.secondary_merchant_industry.as_deref(),
            ),
            (
                "secondary_merchant_name",
                self.secondary_merchant_name.as_deref(),
            ),
            ("store_id", self.store_id.as_ref().map(StoreId::as_str)),
            ("store_name", self.store_name.as_deref()),
            (
                "sys_service_provider_id",
                self.sys_service_provider_id.as_deref(),
            ),
            ("terminal_id", self.terminal_id.as_deref()),
        ];
        let mut json = String::new();
        for (name, value) in members
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
        {
            json.push(if json.is_empty() { '{' } else { ',' });
            json::write_string(name, &mut json);
            json.push(':');
            json::write_string(value, &mut json);
        }
        (!json.is_empty()).then(|| json + "}")
    }
}

/// What became of a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// `SUCCESS`: the money moved.
    Success(Box<Paid>),
    /// `FAILED`: it did not and will not.
    Failed {
        /// Why.
        error: Code,
        /// The partner's number, when it could be read.
        partner_trans_id: Option<PartnerTransId>,
        /// The gateway's, when there is a trade.
        alipay_trans_id: Option<TradeNo>,
    },
    /// `UNKNOW`: the buyer has to confirm, or a fault hides the outcome. Query, then cancel.
    Unknown {
        /// A fault's code; a trade that waits has none (`spec/13`, 18).
        error: Option<Code>,
        /// The partner's number.
        partner_trans_id: Option<PartnerTransId>,
        /// The gateway's, when there is a trade.
        alipay_trans_id: Option<TradeNo>,
        /// The price.
        amount: Option<Amount>,
    },
}

/// A trade that is paid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paid {
    /// The partner's number.
    pub partner_trans_id: PartnerTransId,
    /// The gateway's number.
    pub alipay_trans_id: TradeNo,
    /// When.
    pub pay_time: Timestamp,
    /// The price.
    pub amount: Amount,
    /// Who paid.
    pub buyer: Option<Buyer>,
    /// Which wallet paid: HK contracts (`spec/13`, 11).
    pub payment_inst: Option<PaymentInst>,
    /// What it was in CNY: standard contracts.
    pub conversion: Option<Conversion>,
}

impl Answer {
    /// The fields, ascending by name.
    pub fn fields(&self) -> Fields<'_> {
        let mut fields = Fields::new();
        match self {
            Self::Success(paid) => paid.put(&mut fields),
            Self::Failed {
                error,
                partner_trans_id,
                alipay_trans_id,
            } => {
                fields.put_some(
                    "alipay_trans_id",
                    alipay_trans_id.as_ref().map(TradeNo::as_str),
                );
                fields.put("error", &**error);
                let id = partner_trans_id.as_ref();
                fields.put_some("partner_trans_id", id.map(PartnerTransId::as_str));
                fields.put("result_code", "FAILED");
            }
            Self::Unknown {
                error,
                partner_trans_id,
                alipay_trans_id,
                amount,
            } => {
                let money = amount.map(Amount::money);
                fields.put_some(
                    "alipay_trans_id",
                    alipay_trans_id.as_ref().map(TradeNo::as_str),
                );
                fields.put_some("currency", money.map(|money| money.currency().code()));
                fields.put_some("error", error.as_deref());
                let id = partner_trans_id.as_ref();
                fields.put_some("partner_trans_id", id.map(PartnerTransId::as_str));
                fields.put("result_code", "UNKNOW");
                fields.put_some("trans_amount", money.map(Money::major));
            }
        }
        fields
    }

    /// Reads the fields; an error means that the outcome is unknown.
    pub fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let error = field::read_code(doc, ["error", "detail_error_code"]);
        Ok(match ResultCode::read(doc)? {
            ResultCode::Success => Self::Success(Box::new(Paid::read(doc)?)),
            ResultCode::Failed => Self::Failed {
                error: error.ok_or(FieldError::Missing("error"))?,
                partner_trans_id: doc.parsed("partner_trans_id")?,
                alipay_trans_id: doc.parsed("alipay_trans_id")?,
            },
            ResultCode::Unknown => Self::Unknown {
                error,
                partner_trans_id: doc.parsed("partner_trans_id")?,
                alipay_trans_id: doc.parsed("alipay_trans_id")?,
                amount: field::read_amount(doc, "trans_amount")?,
            },
        })
    }
}

impl Paid {
    fn put<'a>(&'a self, fields: &mut Fields<'a>) {
        let money = self.amount.money();
        Buyer::put(self.buyer.as_ref(), fields);
        fields.put("alipay_pay_time", self.pay_time.compact());
        fields.put("alipay_trans_id", self.alipay_trans_id.as_str());
        fields.put("currency", money.currency().code());
        fields.put_some(
            "exchange_rate",
            self.conversion
                .map(|conversion| conversion.rate.to_string()),
        );
        fields.put("partner_trans_id", self.partner_trans_id.as_str());
        fields.put_some("payment_inst", self.payment_inst.map(PaymentInst::as_str));
        fields.put("result_code", "SUCCESS");
        fields.put("trans_amount", money.major());
        fields.put_some(
            "trans_amount_cny",
            self.conversion.map(|conversion| conversion.cny.major()),
        );
    }

    fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let amount = field::read_amount(doc, "trans_amount")?;
        Ok(Self {
            partner_trans_id: field::read_required(doc, "partner_trans_id")?,
            alipay_trans_id: field::read_required(doc, "alipay_trans_id")?,
            pay_time: doc
                .parsed_with("alipay_pay_time", Timestamp::parse_compact)?
                .ok_or(FieldError::Missing("alipay_pay_time"))?,
            amount: amount.ok_or(FieldError::Missing("trans_amount"))?,
            buyer: Buyer::read(doc),
            payment_inst: doc.parsed("payment_inst")?,
            conversion: Conversion::read(doc, "trans_amount_cny")?,
        })
    }
}

#[cfg(test)]
#[path = "pay_tests.rs"]
mod tests;
