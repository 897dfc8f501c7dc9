//! The partner and its contract: who may call, what is accepted, what it costs.

use std::fmt;
use std::net::IpAddr;

use crate::calendar::CalendarName;
use crate::id::PartnerId;
use crate::money::{Amount, Currency, FeeRate, Money};
use crate::shop::Shop;
use crate::time::Timestamp;
use crate::wallet::PaymentInst;

/// The two kinds of contract (`spec/00`, differences).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Product {
    /// For entities in Hong Kong: both wallets, HKD only, no FX fields.
    Hk,
    /// For entities elsewhere: mainland wallets only, the contract's currency, FX fields.
    Standard,
}

impl Product {
    /// The name in the sandbox API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hk => "HK",
            Self::Standard => "STANDARD",
        }
    }
}

/// The wallets that a contract takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AcceptedWallets {
    /// Hong Kong and mainland.
    Both,
    /// Hong Kong only.
    HkOnly,
    /// Mainland only.
    CnOnly,
}

impl AcceptedWallets {
    /// Whether a wallet type may pay.
    pub const fn accepts(self, inst: PaymentInst) -> bool {
        match (self, inst) {
            (Self::Both, _)
            | (Self::HkOnly, PaymentInst::AlipayHk)
            | (Self::CnOnly, PaymentInst::AlipayCn) => true,
            (Self::HkOnly, PaymentInst::AlipayCn) | (Self::CnOnly, PaymentInst::AlipayHk) => false,
        }
    }
}

/// What happens to the commission of a refund (`spec/11`, 14); on a cancel it always comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommissionOnRefund {
    /// We keep it.
    Kept,
    /// It comes back in proportion.
    Returned,
}

/// When an asynchronous refund of the payment day is worked off (`spec/13`, 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsyncRefund {
    /// In the batch from 23:00.
    Batch,
    /// At once on the payment day.
    SameDay,
}

/// What a payment without store data means (`spec/13`, 15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreData {
    /// The partner's default store.
    Optional,
    /// A refusal by risk control.
    Required,
}

/// Whom the quarter of an hour after midnight serves (`spec/13`, 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelGrace {
    /// Paid trades too.
    PaidToo,
    /// Unpaid trades only.
    UnpaidOnly,
}

/// Whether registered stores are looked at before payments may name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreReview {
    /// They are verified as they come.
    Instant,
    /// Somebody decides.
    Manual,
}

/// Whether synchronous refunds rest from 00:00 to 01:30 GMT+8 (`spec/11`, 16).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncRefundPause {
    /// They never do.
    None,
    /// They do, as the standard product's page says.
    AfterMidnight,
}

/// A service that a contract lists; the three names of cancel are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContractService {
    /// Pay.
    Pay,
    /// Query.
    Query,
    /// Cancel, under each of its names.
    Cancel,
    /// Refund.
    Refund,
    /// Refund query.
    RefundQuery,
    /// Registration of stores.
    StoreMaintain,
    /// The state of a registration.
    StoreQuery,
}

/// The services of a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Services(u8);

impl ContractService {
    /// Every service, in the order of their bits in the store.
    pub const ALL: [Self; 7] = [
        Self::Pay,
        Self::Query,
        Self::Cancel,
        Self::Refund,
        Self::RefundQuery,
        Self::StoreMaintain,
        Self::StoreQuery,
    ];

    const fn bit(self) -> u8 {
        match self {
            Self::Pay => 1,
            Self::Query => 2,
            Self::Cancel => 4,
            Self::Refund => 8,
            Self::RefundQuery => 16,
            Self::StoreMaintain => 32,
            Self::StoreQuery => 64,
        }
    }
}

impl Services {
    /// All of them.
    pub const ALL: Self = Self(127);

    /// From a list.
    pub fn of(list: impl IntoIterator<Item = ContractService>) -> Self {
        Self(
            list.into_iter()
                .fold(0, |bits, service| bits | service.bit()),
        )
    }

    /// From the integer of the store.
    pub fn from_bits(bits: i64) -> Option<Self> {
        let bits = u8::try_from(bits).ok()?;
        (bits <= Self::ALL.0).then_some(Self(bits))
    }

    /// The integer of the store.
    pub fn bits(self) -> i64 {
        self.0.into()
    }

    /// Whether a service is among them.
    pub const fn has(self, service: ContractService) -> bool {
        self.0 & service.bit() != 0
    }
}

/// How the wallet column of the files is headed (`spec/13`, 23).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalletColumn {
    /// As in the introduction.
    PaymentInst,
    /// As in the file pages.
    Issue,
}

/// Whether the files of a standard contract have the three columns in CNY (`spec/13`, 24).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RmbColumns {
    /// Both files have them.
    Shown,
    /// The transaction file has the published 15 columns only.
    Hidden,
}

/// A country of ISO 3166: two capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Country([u8; 2]);

impl Country {
    /// Hong Kong.
    pub const HK: Self = Self(*b"HK");

    /// From two capital letters.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(letters))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

/// What was agreed with a partner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// The kind of contract.
    pub product: Product,
    /// Where the partner's entity is.
    pub country: Country,
    /// Prices, settlement and commission are in this currency.
    pub settlement_currency: Currency,
    /// The wallets taken.
    pub wallets: AcceptedWallets,
    /// Our share of each payment.
    pub commission: FeeRate,
    /// What happens to it on a refund.
    pub commission_on_refund: CommissionOnRefund,
    /// When asynchronous refunds of the payment day are worked off.
    pub async_refund: AsyncRefund,
    /// Days after the payment in which refunds are taken.
    pub refund_days: u16,
    /// Where results are told when the request names nothing, or before it does.
    pub notify_url: Option<Box<str>>,
    /// A deposit that covers refunds beyond what is unsettled (`spec/13`, 9).
    pub reserve: Money,
    /// What a payment without store data means.
    pub store_data: StoreData,
    /// Whom the minutes after midnight serve.
    pub cancel_grace: CancelGrace,
    /// How the wallet column of the files is headed.
    pub wallet_column: WalletColumn,
    /// Whether the files have columns in CNY, under a standard contract.
    pub rmb_columns: RmbColumns,
    /// By which holidays days settle.
    pub calendar: CalendarName,
    /// Whether registered stores are looked at first.
    pub store_review: StoreReview,
    /// Whether synchronous refunds rest after midnight.
    pub sync_refund_pause: SyncRefundPause,
    /// What the partner may call: `ILLEGAL_PARTNER_EXTERFACE` for the rest.
    pub services: Services,
    /// The addresses that may call; none listed, all may.
    pub client_ips: Vec<IpAddr>,
    /// The most in one payment: `BEYOND_PER_RECEIPT_RESTRICTION` above it.
    pub limit_per_payment: Option<Amount>,
    /// The most in one business day: `BEYOND_PAY_RESTRICTION` above it.
    pub limit_per_day: Option<Amount>,
    /// The most that the product takes in one payment: `PRODUCT_AMOUNT_LIMIT_ERROR` above it.
    pub limit_product: Option<Amount>,
}

/// Why a contract cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContractRefusal {
    /// The HK product is for entities in Hong Kong only.
    HkEntityRequired,
    /// The HK product settles in HKD.
    HkSettlesInHkd,
    /// The standard product takes mainland wallets only.
    StandardTakesCnOnly,
    /// A limit or the deposit is not in the settlement currency.
    CurrencyDiffers,
}

impl fmt::Display for ContractRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HkEntityRequired => "the HK product is for entities in Hong Kong only",
            Self::HkSettlesInHkd => "the HK product settles in HKD",
            Self::StandardTakesCnOnly => "the standard product takes ALIPAYCN only",
            Self::CurrencyDiffers => "limits and reserve are in the settlement currency",
        })
    }
}

impl Contract {
    /// A contract with the usual terms: 1.2 % kept on refunds, the 23:00 batch, 180 days, no limits.
    pub fn usual(product: Product, country: Country, settlement_currency: Currency) -> Self {
        Self {
            product,
            country,
            settlement_currency,
            wallets: match product {
                Product::Hk => AcceptedWallets::Both,
                Product::Standard => AcceptedWallets::CnOnly,
            },
            commission: FeeRate::of_millionths(12_000)
                .unwrap_or_else(|_| unreachable!("1.2 % is a share")),
            commission_on_refund: CommissionOnRefund::Kept,
            async_refund: AsyncRefund::Batch,
            refund_days: 180,
            notify_url: None,
            reserve: Money::zero(settlement_currency),
            store_data: StoreData::Optional,
            cancel_grace: CancelGrace::PaidToo,
            wallet_column: WalletColumn::PaymentInst,
            rmb_columns: RmbColumns::Shown,
            calendar: CalendarName::Cn,
            store_review: StoreReview::Instant,
            sync_refund_pause: SyncRefundPause::None,
            services: Services::ALL,
            client_ips: Vec::new(),
            limit_per_payment: None,
            limit_per_day: None,
            limit_product: None,
        }
    }

    /// Whether the terms fit each other.
    ///
    /// # Errors
    /// The first [`ContractRefusal`] that applies, in the order of its variants.
    pub fn checked(self) -> Result<Self, ContractRefusal> {
        match self.product {
            Product::Hk if self.country != Country::HK => {
                return Err(ContractRefusal::HkEntityRequired);
            }
            Product::Hk if self.settlement_currency != Currency::HKD => {
                return Err(ContractRefusal::HkSettlesInHkd);
            }
            Product::Standard if self.wallets != AcceptedWallets::CnOnly => {
                return Err(ContractRefusal::StandardTakesCnOnly);
            }
            Product::Hk | Product::Standard => {}
        }
        let limits = [
            self.limit_per_payment,
            self.limit_per_day,
            self.limit_product,
        ];
        let foreign = limits
            .iter()
            .flatten()
            .any(|limit| limit.currency() != self.settlement_currency);
        if foreign || self.reserve.currency() != self.settlement_currency {
            return Err(ContractRefusal::CurrencyDiffers);
        }
        Ok(self)
    }
}

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// The 32 characters that both sides share.
    Md5,
    /// The partner's public key, for RSA and RSA2.
    PartnerRsa,
}

/// One key with the time in which it counts. Core does not look inside.
#[derive(Clone, PartialEq, Eq)]
pub struct PartnerKey {
    /// What it is for.
    pub kind: KeyKind,
    /// The characters of an MD5 key, or a public key in Base64.
    pub text: Box<str>,
    /// The first instant at which it counts.
    pub from: Timestamp,
    /// The first instant at which it no longer does; two keys overlap while one is replaced.
    pub until: Option<Timestamp>,
}

impl fmt::Debug for PartnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartnerKey({:?}, ..)", self.kind)
    }
}

/// The calling identity with all that a decision may need of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partner {
    /// Its number.
    pub id: PartnerId,
    /// What people call it.
    pub name: Box<str>,
    /// What was agreed.
    pub contract: Contract,
    /// The store of payments that name none.
    pub default_shop: Shop,
    /// Its keys, the newest of a kind last.
    pub keys: Vec<PartnerKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contracts_that_cannot_be() {
        let usd = Currency::USD;
        let fr = Country::parse("FR").unwrap();
        let hk = Contract::usual(Product::Hk, Country::HK, Currency::HKD);
        let standard = Contract::usual(Product::Standard, fr, usd);
        assert!(hk.clone().checked().is_ok());
        assert!(standard.clone().checked().is_ok());
        let abroad = Contract {
            country: fr,
            ..hk.clone()
        };
        assert_eq!(abroad.checked(), Err(ContractRefusal::HkEntityRequired));
        let dollars = Contract {
            settlement_currency: usd,
            ..hk.clone()
        };
        assert_eq!(dollars.checked(), Err(ContractRefusal::HkSettlesInHkd));
        let both = Contract {
            wallets: AcceptedWallets::Both,
            ..standard.clone()
        };
        assert_eq!(both.checked(), Err(ContractRefusal::StandardTakesCnOnly));
        let reserve = Contract {
            reserve: Money::zero(Currency::HKD),
            ..standard
        };
        assert_eq!(reserve.checked(), Err(ContractRefusal::CurrencyDiffers));
    }
}
