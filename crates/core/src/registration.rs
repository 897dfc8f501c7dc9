//! The registration of a store: what a partner says of it, and what came of that (`spec/08`).

use crate::id::{PartnerId, SecondaryMerchantId, StoreId};
use crate::partner::Country;
use crate::shop::Shop;
use crate::time::Timestamp;

/// The merchant category of taxis: their stores are number plates, and have drivers.
pub const TAXI_INDUSTRY: &str = "4121";

/// What a registration is kept under.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StoreKey {
    /// Whose.
    pub partner: PartnerId,
    /// The secondary merchant.
    pub secondary_merchant_id: SecondaryMerchantId,
    /// The place.
    pub store_id: StoreId,
}

/// What a partner says of a store: the parts that rules look at, and the rest as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreData {
    /// Its names and its merchant category; payments show them.
    pub shop: Shop,
    /// Where the store is.
    pub store_country: Country,
    /// Where the business is registered; acquirers say it.
    pub register_country: Option<Country>,
    /// The `operation_id` of each driver of a taxi, in the order sent.
    pub drivers: Vec<Box<str>>,
    /// Every other field with its value, in the order of the spec's table.
    pub details: Vec<(Box<str>, Box<str>)>,
}

/// What became of a registration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreState {
    /// It is looked at; payments still have to bring names and industry.
    Processing,
    /// Payments may name it.
    Verified,
    /// Payments at it are refused.
    Rejected {
        /// Why, in words for the partner.
        reason: Box<str>,
    },
}

/// A registered store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// What was said of it last.
    pub data: StoreData,
    /// What became of it.
    pub state: StoreState,
    /// When it was said.
    pub at: Timestamp,
}

impl StoreData {
    /// What it is kept under.
    pub fn key(&self) -> StoreKey {
        StoreKey {
            partner: self.shop.partner,
            secondary_merchant_id: self.shop.secondary_merchant_id.clone(),
            store_id: self.shop.store_id.clone(),
        }
    }
}
