//! Secondary merchants and their stores: what a merchant says of one.

use serde::Serialize;
use spotpay_core::id::{SecondaryMerchantId, StoreId};
use spotpay_core::time::Timestamp;
use spotpay_wire::form::Form;
use spotpay_wire::refusal::ParseRefusal;
use spotpay_wire::{store, store_query};

use crate::call::Call;
use crate::settings::Settings;

/// A store that a merchant registers, or what has changed of it.
///
/// Texts stand here as they are typed; [`StoreOrder::request`] looks at them as the gateway will,
/// before anything is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StoreOrder {
    /// The shop's number: letters, digits, `-` and `_`; 20 or fewer are advised.
    pub secondary_merchant_id: String,
    /// Its legal name.
    pub secondary_merchant_name: String,
    /// The place's number; a taxi's is its number plate.
    pub store_id: String,
    /// The place's name.
    pub store_name: String,
    /// Its four-digit merchant category; `4121` are taxis.
    pub industry: String,
    /// Where it is, as two capital letters; `HK` under a HK contract.
    pub country: String,
    /// Its postal address.
    pub address: String,
    /// Who drives it, if it is a taxi.
    pub drivers: Vec<Driver>,
    /// The further fields of `spec/08`, such as what acquirers must say.
    pub others: Vec<(String, String)>,
}

/// Who drives a taxi.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Driver {
    /// Letters and digits; those of the first registration stay for ever.
    pub operation_id: String,
    /// A telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_way: Option<String>,
    /// A name.
    pub contact_person: String,
}

impl StoreOrder {
    /// With nothing said of it but its two numbers.
    pub fn new(secondary_merchant_id: impl Into<String>, store_id: impl Into<String>) -> Self {
        Self {
            secondary_merchant_id: secondary_merchant_id.into(),
            secondary_merchant_name: String::new(),
            store_id: store_id.into(),
            store_name: String::new(),
            industry: String::new(),
            country: "HK".to_owned(),
            address: String::new(),
            drivers: Vec::new(),
            others: Vec::new(),
        }
    }

    /// The request, made at an instant, or why the gateway would refuse it. It lives for 30 minutes,
    /// so a later repeat is made anew.
    pub fn request(
        &self,
        settings: &Settings,
        at: Timestamp,
    ) -> Result<store::Request, ParseRefusal> {
        let partner = settings.partner.to_string();
        let at = at.spaced();
        let mut pairs = vec![
            ("partner", partner.as_str()),
            ("timestamp", &at),
            ("secondary_merchant_name", &self.secondary_merchant_name),
            ("secondary_merchant_id", &self.secondary_merchant_id),
            ("store_id", &self.store_id),
            ("store_name", &self.store_name),
            ("store_country", &self.country),
            ("store_address", &self.address),
            ("store_industry", &self.industry),
        ];
        let drivers = if self.drivers.is_empty() {
            String::new()
        } else {
            // Texts and a list of them: nothing that JSON cannot say.
            serde_json::to_string(&self.drivers).unwrap_or_default()
        };
        pairs.push(("extend_params", &drivers));
        let others = self.others.iter();
        pairs.extend(others.map(|(name, value)| (name.as_str(), value.as_str())));
        store::Request::parse(&Form::from_pairs(settings.charset, pairs))
    }

    /// The call that registers it.
    pub fn call(&self, settings: &Settings, at: Timestamp) -> Result<Call, ParseRefusal> {
        let request = self.request(settings, at)?;
        Ok(Call::RegisterStore(Box::new(request)))
    }
}

pub(crate) fn status_of(
    settings: &Settings,
    merchant: &SecondaryMerchantId,
    store: &StoreId,
    at: Timestamp,
) -> store_query::Request {
    store_query::Request {
        partner: settings.partner,
        secondary_merchant_id: merchant.clone(),
        method: store_query::PaymentMethod::InStore(store.clone()),
        timestamp: at,
    }
}
