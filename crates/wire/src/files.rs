//! The reconciliation files: how the gateway writes what a day came to, and how anybody reads it
//! back (`spec/07`; `spec/13`, 22 to 27).
//!
//! A [`Style`] writes row by row into a buffer that its owner empties whenever it likes; a
//! [`Reader`] gives one row at a time, of every layout that is known, old or new, ours or not. So a
//! file may be as long as a day can be, and neither side holds more than a row of it.
//!
//! **A text cannot break a row.** A pipe, a line break or another control character in a number, a
//! name or a remark is written as a blank, and blanks around a field are not part of it;
//! [`plain`] says what is left of a text, for whoever compares ids with those of a file.
//!
//! ```
//! use spotpay_core::money::{Currency, Money};
//! use spotpay_core::time::{CivilDate, Timestamp};
//! use spotpay_core::{partner::WalletColumn, wallet::PaymentInst};
//! use spotpay_wire::files::{
//!     Pricing, Reader, Record, RowKind, StoreColumns, Style, TransactionRow, TransactionType,
//! };
//!
//! let hkd = |minor| Money::of_minor(minor, Currency::HKD);
//! let style = Style::Hk(WalletColumn::PaymentInst);
//! let mut file = String::new();
//! let date = CivilDate::new(2026, 11, 23).ok_or("a date")?;
//! style.transaction_head("2088000000000001".parse()?, date, 1, &mut file);
//! style.transaction(
//!     &TransactionRow {
//!         partner_transaction_id: "T1",
//!         transaction_id: "2026112322001443200000100042",
//!         amount: hkd(39_30),
//!         fee: hkd(47),
//!         payment_time: Timestamp::parse_compact("20261123120000").ok_or("a time")?,
//!         kind: TransactionType::Payment,
//!         remark: "",
//!         store: StoreColumns::default(),
//!         order_scene: "",
//!         pricing: Some(Pricing::equal(hkd(39_30))),
//!         wallet: Some(PaymentInst::AlipayHk),
//!         rmb: None,
//!     },
//!     &mut file,
//! );
//! let mut reader = Reader::new(file.as_bytes())?;
//! let Some(Record::Row(row)) = reader.read()? else { return Err("a row".into()) };
//! assert_eq!((row.kind, row.partner_transaction_id), (RowKind::Payment, "T1"));
//! assert!(reader.read()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column;
mod error;
mod lines;
mod read;
mod row;
mod value;
mod write;

use std::fmt;
use std::str::FromStr;

use spotpay_core::id::PartnerId;
use spotpay_core::money::{FxRate, Money};
use spotpay_core::partner::{Contract, Product, WalletColumn};
use spotpay_core::shop::Shop;
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::trade::CancelName;
use spotpay_core::wallet::PaymentInst;

pub use spotpay_core::partner::RmbColumns;
pub use spotpay_core::settlement::FileKind;

pub use column::Contents;
pub use error::{ColumnAt, FileError};
pub use read::{FileHeader, Reader};
pub use row::{BatchRow, FileRow, Record, RowKind, Status};
pub use value::{money, time};
pub use write::plain;

/// A published file's name: `2088000000000001_transaction_20261123.txt`.
///
/// ```
/// # use spotpay_wire::files::FileName;
/// let name: FileName = "2088000000000001_settlement_20261124.txt".parse()?;
/// assert_eq!(name.to_string(), "2088000000000001_settlement_20261124.txt");
/// # Ok::<(), spotpay_wire::files::NotAFileName>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileName {
    /// Whose it is.
    pub partner: PartnerId,
    /// Which of the two.
    pub kind: FileKind,
    /// The business date of the transactions, or the day of the settlement.
    pub date: CivilDate,
}

/// Not the name of a published file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a file's name is like 2088000000000001_transaction_20261123.txt")]
pub struct NotAFileName;

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, date) = (self.kind.as_str(), self.date.compact());
        write!(f, "{}_{kind}_{date}.txt", self.partner)
    }
}

impl FromStr for FileName {
    type Err = NotAFileName;

    fn from_str(text: &str) -> Result<Self, NotAFileName> {
        let read = || {
            let (partner, rest) = text.strip_suffix(".txt")?.split_once('_')?;
            let (kind, date) = rest.split_once('_')?;
            let mut kinds = FileKind::ALL.into_iter();
            Some(Self {
                partner: partner.parse().ok()?,
                kind: kinds.find(|known| known.as_str() == kind)?,
                date: CivilDate::parse_compact(date)?,
            })
        };
        read().ok_or(NotAFileName)
    }
}

/// How a contract's files are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Hong Kong in-store: 17 and 20 columns, the last one the wallet under one of its two names.
    Hk(WalletColumn),
    /// Standard: 21 columns in the settlement file, and in the transaction file the 15 that are
    /// published, with or without three more.
    Standard(RmbColumns),
}

impl Style {
    /// The style of a contract's files.
    pub const fn of(contract: &Contract) -> Self {
        match contract.product {
            Product::Hk => Self::Hk(contract.wallet_column),
            Product::Standard => Self::Standard(contract.rmb_columns),
        }
    }
}

/// `Transaction_type` of the transaction file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransactionType {
    /// `PAYMENT`.
    Payment,
    /// `REVERSAL`: a cancel by its oldest name.
    Reverse,
    /// `CANCEL`.
    Cancel,
    /// `REFUND`.
    Refund,
}

impl TransactionType {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "PAYMENT",
            Self::Reverse => "REVERSAL",
            Self::Cancel => "CANCEL",
            Self::Refund => "REFUND",
        }
    }
}

impl From<CancelName> for TransactionType {
    /// The row of a cancel depends on the name it was asked for by (`spec/13`, 26).
    fn from(name: CancelName) -> Self {
        match name {
            CancelName::Cancel | CancelName::SpotCancel => Self::Cancel,
            CancelName::Reverse => Self::Reverse,
        }
    }
}

/// `Type` of the settlement file; a cancel is an `R` whose partner's number is the gateway's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SettlementType {
    /// A payment.
    P,
    /// A refund or a cancel.
    R,
}

impl SettlementType {
    /// The letter in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P => "P",
            Self::R => "R",
        }
    }
}

/// Where it took place: the columns that are filled from `extend_info` or the registered store.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StoreColumns<'a> {
    /// `Secondary_merchant_industry`, the MCC.
    pub industry: &'a str,
    /// `Secondary_merchant_name`.
    pub merchant_name: &'a str,
    /// `Secondary_merchant_id`; not in standard files.
    pub merchant_id: &'a str,
    /// `Operator_name`: the store's name.
    pub operator_name: &'a str,
}

impl<'a> StoreColumns<'a> {
    /// The columns of a shop.
    pub fn of(shop: &'a Shop) -> Self {
        Self {
            industry: &shop.secondary_merchant_industry,
            merchant_name: &shop.secondary_merchant_name,
            merchant_id: shop.secondary_merchant_id.as_str(),
            operator_name: &shop.store_name,
        }
    }
}

/// The price as the shop lists it: `Trans_currency`, `Trans_amount`, `Trans_forex_rate`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pricing {
    /// The price, in the list currency.
    pub amount: Money,
    /// From the list to the settlement currency.
    pub forex_rate: Option<FxRate>,
}

impl Pricing {
    /// Priced in the settlement currency, at a rate of `1`: every row of ours (`spec/13`, 13, 22).
    pub fn equal(amount: Money) -> Self {
        Self {
            amount,
            forex_rate: FxRate::of_e8(100_000_000).ok(),
        }
    }
}

/// The columns that only standard files have: the same money in CNY.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rmb {
    /// `Rate`: CNY per unit of the currency.
    pub rate: FxRate,
    /// `Rmb_amount`.
    pub amount: Money,
    /// `Rmb_settlement`.
    pub settlement: Money,
}

/// A row of the transaction file. Numbers are positive; the direction is the type's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionRow<'a> {
    /// The partner's number of the trade, of a refund that of the refund.
    pub partner_transaction_id: &'a str,
    /// Our number of the trade, also in rows of its refunds and its cancel.
    pub transaction_id: &'a str,
    /// In the settlement currency.
    pub amount: Money,
    /// `Charge_amount`: the commission, or what of it comes back; in the same currency.
    pub fee: Money,
    /// When this row's own event took place; it decides in which day's file the row stands.
    pub payment_time: Timestamp,
    /// What took place.
    pub kind: TransactionType,
    /// A note.
    pub remark: &'a str,
    /// Where.
    pub store: StoreColumns<'a>,
    /// `shopQrCode` for a shop's QR code, nothing for a barcode.
    pub order_scene: &'a str,
    /// The price as listed.
    pub pricing: Option<Pricing>,
    /// Which wallet paid; not in standard files.
    pub wallet: Option<PaymentInst>,
    /// Standard files only.
    pub rmb: Option<Rmb>,
}

/// A row of the settlement file. Numbers are positive; the direction is the type's. Its `Status` is
/// always `L`, liquidated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettlementRow<'a> {
    /// The partner's number of the trade or the refund; of a cancel, our number of the trade.
    pub partner_transaction_id: &'a str,
    /// Our number of the trade.
    pub transaction_id: &'a str,
    /// In the settlement currency.
    pub amount: Money,
    /// The commission, or what of it comes back.
    pub fee: Money,
    /// Amount less fee.
    pub settlement: Money,
    /// When this row's own event took place.
    pub payment_time: Timestamp,
    /// When its batch was settled.
    pub settlement_time: Timestamp,
    /// Which way the money goes.
    pub kind: SettlementType,
    /// A note.
    pub remark: &'a str,
    /// Where.
    pub store: StoreColumns<'a>,
    /// As in the transaction file.
    pub order_scene: &'a str,
    /// The price as listed.
    pub pricing: Option<Pricing>,
    /// Which wallet paid; not in standard files.
    pub wallet: Option<PaymentInst>,
    /// Standard files only.
    pub rmb: Option<Rmb>,
}

/// A row of the answer of `forex_compare_file` and `forex_liquidation_file`, which is laid out alike
/// for every contract and both files. Numbers are positive; the direction is the type's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HttpRow<'a> {
    /// As in the settlement file.
    pub partner_transaction_id: &'a str,
    /// Our number of the trade.
    pub transaction_id: &'a str,
    /// In the settlement currency.
    pub amount: Money,
    /// The commission, or what of it comes back.
    pub fee: Money,
    /// Amount less fee.
    pub settlement: Money,
    /// When this row's own event took place.
    pub payment_time: Timestamp,
    /// When its batch was settled; `None` in the transactions, whose `Status` is `P`.
    pub settlement_time: Option<Timestamp>,
    /// Which way the money goes.
    pub kind: SettlementType,
    /// A note.
    pub remark: &'a str,
    /// Standard contracts only.
    pub rmb: Option<Rmb>,
}

#[cfg(test)]
#[path = "files_round_trip_tests.rs"]
mod round_trip_tests;
#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
