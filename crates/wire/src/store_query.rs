//! `alipay.overseas.secmerchant.maintain.queryStatus` (`spec/08`).

use std::borrow::Cow;

use spotpay_core::id::{PartnerId, SecondaryMerchantId, StoreId};
use spotpay_core::registration::StoreState;
use spotpay_core::time::Timestamp;

use crate::field::{self, Code};
use crate::form::Form;
use crate::refusal::{ParseRefusal, StoreRefusal, cut};
use crate::service::Service;
use crate::store::{self, MERCHANT_ID_RULE, STORE_ID_RULE, required, shaped};
use crate::xml::{Accepted, FieldError, Fields};

/// The status of a store that is looked at. Its name and the next are not published (`spec/11`, 20).
pub const PROCESSING: &str = "PROCESSING";
/// The status of a store that payments may name.
pub const SUCCESS: &str = "SUCCESS";
/// The status of a store that was rejected.
pub const FAILED: &str = "FAILED";

/// The value of `status`.
pub const fn status(state: &StoreState) -> &'static str {
    match state {
        StoreState::Processing => PROCESSING,
        StoreState::Verified => SUCCESS,
        StoreState::Rejected { .. } => FAILED,
    }
}

/// `payment_method`: what a secondary merchant was registered for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PaymentMethod {
    /// `INSTORE_PAYMENT`, which names the store.
    InStore(StoreId),
    /// `ONLINE_PAYMENT`: of another product, which Spotpay does not have.
    Online,
}

const IN_STORE: &str = "INSTORE_PAYMENT";
const ONLINE: &str = "ONLINE_PAYMENT";

impl PaymentMethod {
    /// The value of the field.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::InStore(_) => IN_STORE,
            Self::Online => ONLINE,
        }
    }

    /// The store, of payments in stores.
    pub const fn store_id(&self) -> Option<&StoreId> {
        match self {
            Self::InStore(store_id) => Some(store_id),
            Self::Online => None,
        }
    }
}

/// Which store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller.
    pub partner: PartnerId,
    /// The secondary merchant.
    pub secondary_merchant_id: SecondaryMerchantId,
    /// What it was registered for, and the store.
    pub method: PaymentMethod,
    /// When the request was made; it lives for 30 minutes.
    pub timestamp: Timestamp,
}

impl Request {
    /// Reads a request whose signature has been verified; every refusal is `PARAM_ILLEGAL`.
    ///
    /// In this order: `timestamp`, `secondary_merchant_id`, `payment_method` and the `store_id`
    /// of payments in stores, each missing or not; then their values. A `store_id` of online
    /// payments is not looked at.
    pub fn parse(form: &Form) -> Result<Self, ParseRefusal> {
        for name in ["timestamp", "secondary_merchant_id", "payment_method"] {
            required(form, name, "in every request")?;
        }
        if form.get("payment_method") == Some(IN_STORE) {
            let when = "when payment_method is INSTORE_PAYMENT";
            required(form, "store_id", when)?;
        }
        Ok(Self::read(form)?)
    }

    fn read(form: &Form) -> Result<Self, StoreRefusal> {
        let given = |name| form.get(name).unwrap_or_default();
        let partner = store::partner(form)?;
        let timestamp = store::timestamp(form)?;
        let name = "secondary_merchant_id";
        let secondary_merchant_id = shaped(name, given(name), MERCHANT_ID_RULE)?;
        let method = match given("payment_method") {
            IN_STORE => {
                PaymentMethod::InStore(shaped("store_id", given("store_id"), STORE_ID_RULE)?)
            }
            ONLINE => PaymentMethod::Online,
            other => {
                let rule = "INSTORE_PAYMENT or ONLINE_PAYMENT";
                return Err(StoreRefusal::malformed("payment_method", rule, other));
            }
        };
        Ok(Self {
            partner,
            secondary_merchant_id,
            method,
            timestamp,
        })
    }

    /// The parameters, for [`crate::request::sign`].
    pub fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let mut params = vec![
            ("service", Service::StoreQuery.as_str().into()),
            ("partner", self.partner.to_string().into()),
            ("timestamp", self.timestamp.spaced().into()),
            (
                "secondary_merchant_id",
                self.secondary_merchant_id.as_str().into(),
            ),
            ("payment_method", self.method.as_str().into()),
        ];
        let store_id = self.method.store_id().map(StoreId::as_str);
        params.extend(store_id.map(|id| ("store_id", id.into())));
        params
    }
}

/// What a query finds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is such a registration; what became of it says [`Found::state`].
    Found(Box<Found>),
    /// There is none, or the query went wrong.
    Failed {
        /// Why; the answer says it twice.
        error: Code,
    },
}

/// A registration that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The secondary merchant.
    pub secondary_merchant_id: SecondaryMerchantId,
    /// What it was registered for, and the store.
    pub method: PaymentMethod,
    /// What became of it.
    pub state: StoreState,
}

impl Answer {
    /// The fields, ascending by name.
    pub fn fields(&self) -> Fields<'_> {
        match self {
            Self::Found(found) => found.fields(),
            Self::Failed { error } => store::failed_fields(error),
        }
    }

    /// Reads the fields; an error says nothing of the registration.
    pub fn read(doc: &Accepted) -> Result<Self, FieldError> {
        if doc.get("status").is_some() {
            return Ok(Self::Found(Box::new(Found::read(doc)?)));
        }
        let error = field::read_code(doc, ["error", "result_code"]).filter(|code| code != SUCCESS);
        Ok(Self::Failed {
            error: error.ok_or(FieldError::Missing("status"))?,
        })
    }
}

impl Found {
    fn fields(&self) -> Fields<'_> {
        let reason = match &self.state {
            StoreState::Rejected { reason } => Some(&**reason),
            StoreState::Processing | StoreState::Verified => None,
        };
        let store_id = self.method.store_id();
        let mut fields = Fields::new();
        fields.put("payment_method", self.method.as_str());
        fields.put_some("reject_reason", reason);
        fields.put("secondary_merchant_id", self.secondary_merchant_id.as_str());
        fields.put("status", status(&self.state));
        fields.put_some("store_id", store_id.map(StoreId::as_str));
        fields
    }

    fn read(doc: &Accepted) -> Result<Self, FieldError> {
        let state = |text: &str| match text {
            PROCESSING => Some(StoreState::Processing),
            SUCCESS => Some(StoreState::Verified),
            FAILED => Some(StoreState::Rejected {
                reason: doc.get("reject_reason").unwrap_or_default().into(),
            }),
            _ => None,
        };
        let state = doc.parsed_with("status", state)?;
        let store_id = || field::read_required(doc, "store_id");
        let method = match doc.required("payment_method")? {
            IN_STORE => PaymentMethod::InStore(store_id()?),
            ONLINE => PaymentMethod::Online,
            other => {
                let (name, value) = ("payment_method", cut(other));
                return Err(FieldError::Malformed { name, value });
            }
        };
        Ok(Self {
            secondary_merchant_id: field::read_required(doc, "secondary_merchant_id")?,
            method,
            state: state.ok_or(FieldError::Missing("status"))?,
        })
    }
}

#[cfg(test)]
#[path = "store_query_tests.rs"]
mod tests;
