//! Commands: everything that may change money or state, as values.

use crate::config::{Config, ConfigChange};
use crate::id::WalletId;
use crate::money::{Amount, Currency};
use crate::payment_code::{Alias, CodeRefusal, CodeTag, CodeUse};
use crate::shop::{ShopFound, ShopRefusal};
use crate::time::Timestamp;
use crate::trade::{CancelName, ContentHash, TradeKey};
use crate::wallet::{Confirmation, Device, PaymentInst, WalletState};
use crate::working_set::TurnoverKey;

/// One thing to decide.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A partner's pay request.
    Pay(Box<Pay>),
    /// A buyer's answer to a payment that waits.
    Confirm(Confirm),
    /// A partner's cancel.
    Cancel(Cancel),
    /// The timer of a waiting trade.
    Close(TradeKey),
    /// A wallet is opened with a first device and maybe money.
    OpenWallet(Box<OpenWallet>),
    /// A wallet gets another state or other limits.
    AmendWallet(AmendWallet),
    /// Money comes into a wallet.
    TopUp(TopUp),
    /// A device gets a further alias.
    IssueAlias(Device),
    /// Partners, rates or the clock change.
    Configure(ConfigChange),
}

/// Whose code it is, and what to remember when it is spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buyer {
    /// The wallet behind the code.
    pub wallet: WalletId,
    /// The code's place in time.
    pub code: CodeUse,
}

/// A pay request, with all that does not change looked up already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pay {
    /// Who, and its number.
    pub key: TradeKey,
    /// The price.
    pub amount: Amount,
    /// `trans_currency`, when it was sent.
    pub list_currency: Option<Currency>,
    /// The code, checked against the clock and its device.
    pub buyer: Result<Buyer, CodeRefusal>,
    /// The code's digest.
    pub code: CodeTag,
    /// Where it takes place.
    pub shop: Result<ShopFound, ShopRefusal>,
    /// The till.
    pub terminal: Option<Box<str>>,
    /// The title in the buyer's bill.
    pub title: Box<str>,
    /// The partner's note.
    pub memo: Option<Box<str>>,
    /// Where the partner wants to hear of it.
    pub notify_url: Option<Box<str>>,
    /// What a repeat must have in common.
    pub content: ContentHash,
}

/// What a buyer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuyerAnswer {
    /// Pay.
    Accept,
    /// Do not.
    Decline,
}

/// A buyer's answer to a payment that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confirm {
    /// Which trade.
    pub key: TradeKey,
    /// Who answers.
    pub wallet: WalletId,
    /// The answer.
    pub answer: BuyerAnswer,
}

/// A partner's cancel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cancel {
    /// Which trade.
    pub key: TradeKey,
    /// By which service.
    pub name: CancelName,
}

/// A new wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenWallet {
    /// Its number, chosen by the caller.
    pub id: WalletId,
    /// Its name, which no other wallet has.
    pub name: Box<str>,
    /// The holder's masked login.
    pub login: Box<str>,
    /// Its type.
    pub inst: PaymentInst,
    /// The money it begins with.
    pub balance: Option<Amount>,
    /// Whether its holder is asked.
    pub confirmation: Confirmation,
    /// Whether it may pay.
    pub state: WalletState,
    /// Its first device.
    pub device: Device,
}

/// Other terms for a wallet; `None` leaves what is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AmendWallet {
    /// Which.
    pub wallet: WalletId,
    /// Whether it may pay.
    pub state: Option<WalletState>,
    /// Whether its holder is asked.
    pub confirmation: Option<Confirmation>,
    /// Its limits, each by itself.
    pub limits: LimitsChange,
}

/// Other limits for a wallet: `None` leaves one as it is, `Some(None)` takes it away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LimitsChange {
    /// In one payment.
    pub per_payment: Option<Option<Amount>>,
    /// In one business day.
    pub per_day: Option<Option<Amount>>,
    /// In one month.
    pub per_month: Option<Option<Amount>>,
}

/// Money comes into a wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopUp {
    /// Which.
    pub wallet: WalletId,
    /// How much, in its currency.
    pub amount: Amount,
}

/// The rows that a command reads or may change. A trade brings its wallet along.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    /// Trades.
    pub trades: Vec<TradeKey>,
    /// Wallets.
    pub wallets: Vec<WalletId>,
    /// Names that a new wallet wants.
    pub wallet_names: Vec<Box<str>>,
    /// Aliases that a device wants.
    pub aliases: Vec<Alias>,
    /// What limited partners took in.
    pub turnovers: Vec<TurnoverKey>,
}

impl Command {
    /// Adds what this command names.
    pub fn add_keys(&self, config: &Config, now: Timestamp, keys: &mut Keys) {
        let trade_key = match self {
            Self::Pay(pay) => Some(&pay.key),
            Self::Confirm(confirm) => Some(&confirm.key),
            Self::Cancel(cancel) => Some(&cancel.key),
            Self::Close(key) => Some(key),
            Self::OpenWallet(_)
            | Self::AmendWallet(_)
            | Self::TopUp(_)
            | Self::IssueAlias(_)
            | Self::Configure(_) => None,
        };
        if let Some(key) = trade_key {
            keys.trades.push(key.clone());
            let limited = config
                .partner(key.partner)
                .is_some_and(|partner| partner.contract.limit_per_day.is_some());
            if limited {
                keys.turnovers.push(TurnoverKey {
                    partner: key.partner,
                    date: now.business_date(),
                });
            }
        }
        match self {
            Self::Pay(pay) => {
                keys.wallets
                    .extend(pay.buyer.iter().map(|buyer| buyer.wallet));
            }
            Self::OpenWallet(open) => {
                keys.wallets.push(open.id);
                keys.wallet_names.push(open.name.clone());
                keys.aliases.push(open.device.alias);
            }
            Self::AmendWallet(amend) => keys.wallets.push(amend.wallet),
            Self::TopUp(top_up) => keys.wallets.push(top_up.wallet),
            Self::IssueAlias(device) => {
                keys.wallets.push(device.wallet);
                keys.aliases.push(device.alias);
            }
            Self::Confirm(_) | Self::Cancel(_) | Self::Close(_) | Self::Configure(_) => {}
        }
    }
}
