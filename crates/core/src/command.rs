//! Commands: everything that may change money or state, as values.

use crate::config::{Config, ConfigChange};
use crate::id::{EventId, PartnerId, TradeId, WalletId};
use crate::money::{Amount, Currency};
use crate::notification::Delivery;
use crate::payment_code::{Alias, CodeRefusal, CodeTag, CodeUse};
use crate::refund::{RefundKey, RefundMode};
use crate::registration::{StoreData, StoreKey, StoreState};
use crate::settlement::{FileKey, Moves, PublishedFile, SettlementKey};
use crate::shop::{ShopFound, ShopRefusal};
use crate::time::{CivilDate, Timestamp};
use crate::trade::{CancelName, ContentHash, Dialect, TradeKey};
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
    /// A partner's refund request.
    Refund(Box<AskRefund>),
    /// The batch's turn of an accepted refund.
    WorkOff(RefundKey),
    /// A partner says what a store is.
    RegisterStore(Box<StoreData>),
    /// Somebody decided about a registered store.
    ReviewStore(Box<StoreReview>),
    /// What became of one sending of a notification.
    NoteDelivery(Delivery),
    /// A notification is to be sent at an instant: once more by hand, or later than it would be.
    Reschedule {
        /// Which.
        notification: EventId,
        /// When.
        at: Timestamp,
    },
    /// Closed business dates of a partner are settled.
    Settle(Box<Settle>),
    /// A file is made, and published from now on.
    Publish(Box<PublishedFile>),
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
    /// How the request was written.
    pub dialect: Dialect,
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

/// A partner's refund request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskRefund {
    /// Who, and its number for the refund.
    pub key: RefundKey,
    /// The partner's number of the payment.
    pub trade: TradeKey,
    /// Our number of the payment, when the request names it too: both must lead to one trade.
    pub trade_id: Option<TradeId>,
    /// How much.
    pub amount: Amount,
    /// When the caller wants to hear the result.
    pub mode: RefundMode,
    /// Why, in the partner's words.
    pub reason: Option<Box<str>>,
    /// Where the partner wants to hear of it.
    pub notify_url: Option<Box<str>>,
    /// How the request was written.
    pub dialect: Dialect,
}

/// What somebody decided about a registered store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreReview {
    /// Which store.
    pub key: StoreKey,
    /// What it is now.
    pub state: StoreState,
}

/// Closed business dates of a partner, with what moved on them: that never changes any more, so it
/// is added up before the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settle {
    /// Whose, and in which currency.
    pub key: SettlementKey,
    /// The last date of the batch before, as of when it was added up.
    pub after: Option<CivilDate>,
    /// The first date.
    pub first: CivilDate,
    /// The last date.
    pub last: CivilDate,
    /// The date of settlement, S.
    pub date: CivilDate,
    /// What moved.
    pub moves: Moves,
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
    /// Refunds; each brings its trade along.
    pub refunds: Vec<RefundKey>,
    /// Trades whose accepted refunds are needed as well.
    pub trades_to_cancel: Vec<TradeKey>,
    /// Partners whose unsettled funds are needed.
    pub funds: Vec<PartnerId>,
    /// Registered stores.
    pub stores: Vec<StoreKey>,
    /// Notifications.
    pub notifications: Vec<EventId>,
    /// Accounts whose last batch is needed.
    pub settlements: Vec<SettlementKey>,
    /// Published files.
    pub files: Vec<FileKey>,
}

impl Command {
    /// The partner that it is for, where it is for one: callers have their turns by partner.
    pub fn partner(&self) -> Option<PartnerId> {
        match self {
            Self::Pay(pay) => Some(pay.key.partner),
            Self::Confirm(confirm) => Some(confirm.key.partner),
            Self::Cancel(cancel) => Some(cancel.key.partner),
            Self::Close(key) => Some(key.partner),
            Self::Refund(refund) => Some(refund.key.partner),
            Self::WorkOff(key) => Some(key.partner),
            Self::Settle(settle) => Some(settle.key.partner),
            Self::Publish(file) => Some(file.key.partner),
            Self::RegisterStore(data) => Some(data.shop.partner),
            Self::ReviewStore(review) => Some(review.key.partner),
            Self::NoteDelivery(_)
            | Self::Reschedule { .. }
            | Self::OpenWallet(_)
            | Self::AmendWallet(_)
            | Self::TopUp(_)
            | Self::IssueAlias(_)
            | Self::Configure(_) => None,
        }
    }

    /// The trade that it names.
    fn trade(&self) -> Option<&TradeKey> {
        match self {
            Self::Pay(pay) => Some(&pay.key),
            Self::Confirm(confirm) => Some(&confirm.key),
            Self::Cancel(cancel) => Some(&cancel.key),
            Self::Close(key) => Some(key),
            Self::Refund(refund) => Some(&refund.trade),
            Self::WorkOff(_)
            | Self::Settle(_)
            | Self::Publish(_)
            | Self::RegisterStore(_)
            | Self::ReviewStore(_)
            | Self::NoteDelivery(_)
            | Self::Reschedule { .. }
            | Self::OpenWallet(_)
            | Self::AmendWallet(_)
            | Self::TopUp(_)
            | Self::IssueAlias(_)
            | Self::Configure(_) => None,
        }
    }

    /// Adds what this command names.
    pub fn add_keys(&self, config: &Config, now: Timestamp, keys: &mut Keys) {
        keys.trades.extend(self.trade().cloned());
        let limited = |partner: &PartnerId| {
            let partner = config.partner(*partner);
            partner.is_some_and(|partner| partner.contract.limit_per_day.is_some())
        };
        let turnover = self.partner().filter(limited).map(|partner| TurnoverKey {
            partner,
            date: now.business_date(),
        });
        keys.turnovers.extend(turnover);
        match self {
            Self::Pay(pay) => {
                keys.wallets
                    .extend(pay.buyer.iter().map(|buyer| buyer.wallet));
            }
            Self::Cancel(cancel) => keys.trades_to_cancel.push(cancel.key.clone()),
            Self::Refund(refund) => {
                keys.refunds.push(refund.key.clone());
                keys.funds.push(refund.key.partner);
            }
            Self::WorkOff(key) => {
                keys.refunds.push(key.clone());
                keys.funds.push(key.partner);
            }
            Self::Settle(settle) => keys.settlements.push(settle.key),
            Self::Publish(file) => keys.files.push(file.key),
            Self::RegisterStore(data) => keys.stores.push(data.key()),
            Self::ReviewStore(review) => keys.stores.push(review.key.clone()),
            Self::NoteDelivery(delivery) => keys.notifications.push(delivery.notification),
            Self::Reschedule { notification, .. } => keys.notifications.push(*notification),
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
            Self::Confirm(_) | Self::Close(_) | Self::Configure(_) => {}
        }
    }
}
