//! Where a payment took place: a store of a secondary merchant, as it was named at that time.

use sha2::{Digest, Sha256};

use crate::id::{PartnerId, SecondaryMerchantId, StoreId};

/// A shop's number: made from its content, so that the same shop always has the same number and
/// a renamed one has another. Trades keep the number, files the names behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShopKey(pub i64);

/// A store under a secondary merchant under a partner; never changed, only followed by another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shop {
    /// Whose it is.
    pub partner: PartnerId,
    /// The secondary merchant.
    pub secondary_merchant_id: SecondaryMerchantId,
    /// Its name, in the wallet and in the files.
    pub secondary_merchant_name: Box<str>,
    /// Its four-digit merchant category (MCC).
    pub secondary_merchant_industry: Box<str>,
    /// The place.
    pub store_id: StoreId,
    /// The place's name.
    pub store_name: Box<str>,
}

impl Shop {
    /// The number of exactly this content.
    pub fn key(&self) -> ShopKey {
        let number = self.partner.number().to_be_bytes();
        let fields = [
            &number[..],
            self.secondary_merchant_id.as_str().as_bytes(),
            self.secondary_merchant_name.as_bytes(),
            self.secondary_merchant_industry.as_bytes(),
            self.store_id.as_str().as_bytes(),
            self.store_name.as_bytes(),
        ];
        let mut digest = Sha256::new();
        for field in fields {
            digest.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(field);
        }
        let digest = digest.finalize();
        ShopKey(
            digest
                .first_chunk()
                .map_or(0, |bytes| i64::from_be_bytes(*bytes)),
        )
    }
}

/// The shop of a payment, as it was found before the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShopFound {
    /// It is stored already.
    Stored(ShopKey),
    /// The request brought names and industry: it is stored with the trade.
    New(std::sync::Arc<Shop>),
}

impl ShopFound {
    /// Its number.
    pub fn key(&self) -> ShopKey {
        match self {
            Self::Stored(key) => *key,
            Self::New(shop) => shop.key(),
        }
    }
}

/// Why a payment has no shop (`spec/13`, 15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShopRefusal {
    /// The contract requires store data and there is none.
    StoreDataRequired,
    /// The named store is not registered, and names and industry are missing.
    NotRegistered,
    /// The named store was rejected.
    Rejected,
}
