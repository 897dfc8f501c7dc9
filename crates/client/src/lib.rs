//! The merchant SDK: typed calls to a gateway, and the checkout with a journal.
//!
//! A till takes a payment with [`Client::checkout`]: it pays, queries while the outcome is not
//! known, cancels at the limit, and remembers in a [`Journal`] what it has begun, so that nothing
//! is lost with the power.
//!
//! ```no_run
//! use spotpay_client::{Client, Ending, FileJournal, Sale, SystemPace, Settings};
//! use spotpay_client::{Amount, Currency, HttpSettings, Money, Silent};
//!
//! let settings = Settings::md5(
//!     "http://127.0.0.1:8080/gateway.do".parse()?,
//!     "2088000000000001".parse()?,
//!     "0123456789abcdefghijklmnopqrstuv",
//! )?;
//! let client = Client::over_http(settings, &HttpSettings::default())?;
//! let mut journal = FileJournal::open("till-journal.jsonl")?;
//! let (pace, mut silent) = (SystemPace::new(), Silent);
//!
//! // What the last run of this till did not finish.
//! for open in journal.unfinished() {
//!     if client.owns(&open) {
//!         if let Ending::Paid(receipt) = client.resume(&open, &mut journal, &pace, &mut silent)? {
//!             // Ask the cashier whether the goods were handed over; if not: `give_back`.
//!             client.accept(&open, &receipt, &mut journal, &pace)?;
//!         }
//!     }
//! }
//!
//! let amount = Amount::new(Money::parse_major("39.30", Currency::HKD)?)?;
//! let sale = Sale::new("HK20250101000001".parse()?, amount, "Tea", "288888888888888888".parse()?);
//! match client.checkout(sale, &mut journal, &pace, &mut silent)? {
//!     Ending::Paid(receipt) => println!("paid, {}", receipt.alipay_trans_id),
//!     Ending::NotPaid(why) => println!("not paid: {why}"),
//!     Ending::Unknown(stuck) => println!("call the manager: {stuck}"),
//!     _ => println!("call the manager"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What touches the world is behind three doors: [`Transport`], [`Journal`] and [`Pace`].
//! [`Checkout`] itself is a machine without any of them, for whoever drives it with another clock.

mod ask;
mod call;
mod checkout;
mod client;
mod file_journal;
mod first_byte;
mod http;
mod journal;
mod line_file;
pub mod notify;
mod outcome;
mod pace;
mod refunding;
mod settings;
mod stores;
mod transport;

pub use ask::Cancelled;
pub use call::{Call, Reply};
pub use checkout::{Checkout, Sale, Step};
pub use client::{Client, Event, Silent, Watcher};
pub use file_journal::FileJournal;
pub use http::{HttpSettings, HttpSettingsError, HttpTransport, Opened};
pub use journal::{CheckoutKey, Fact, FactKind, Journal, JournalError, OpenCheckout};
pub use outcome::{Doubt, Ending, NotPaid, Outcome, Receipt, Refusal, Stuck};
pub use pace::{Pace, SystemPace};
pub use refunding::{LastResort, RefundOrder, RefundReceipt, Refunding};
pub use settings::{
    Gateway, GatewayError, HK_PRODUCTION, Patience, STANDARD_PRODUCTION,
    STANDARD_PRODUCTION_BACKUP, Settings, SettingsError, TEST,
};
pub use stores::{Driver, StoreOrder};
pub use transport::{Arrival, HttpAnswer, HttpRequest, Transport, TransportFailure};

pub use spotpay_core::id::{
    PartnerId, PartnerRefundId, PartnerTransId, SecondaryMerchantId, StoreId,
};
pub use spotpay_core::money::{Amount, Currency, Money, MoneyError};
pub use spotpay_core::payment_code::PaymentCode;
pub use spotpay_core::refund::RefundMode;
pub use spotpay_core::registration::StoreState;
pub use spotpay_core::time::{Span, Timestamp};
pub use spotpay_core::wallet::PaymentInst;
pub use spotpay_wire::cancel::Action;
pub use spotpay_wire::charset::Charset;
pub use spotpay_wire::code::Retry;
pub use spotpay_wire::pay::{Buyer, CodeType, Conversion, StoreData};
pub use spotpay_wire::query::{Found, TradeStatus};
pub use spotpay_wire::refund_query::{Found as FoundRefund, RefundStatus};
pub use spotpay_wire::refusal::ParseRefusal;
pub use spotpay_wire::signature::{SignType, Signer, Verifier};
pub use spotpay_wire::store::Request as StoreRequest;
pub use spotpay_wire::store_query::Found as FoundStore;
pub use spotpay_wire::trade_no::TradeNo;
