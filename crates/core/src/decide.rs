//! The one place where anything is decided: same inputs, same answer, nothing written.

mod back;
mod cancel;
mod confirm;
mod notification;
mod pay;
mod refund;
mod settle;
mod store;
mod wallet;

use crate::command::Command;
use crate::config::Config;
use crate::id::{EventId, TradeId};
use crate::ledger::{Account, Cause, Entry};
use crate::money::{Amount, Money, MoneyError};
use crate::notification::{Notification, Tidings};
use crate::partner::Partner;
use crate::registration::Registration;
use crate::settlement::{Batch, PublishedFile};
use crate::time::{CivilDate, Timestamp};
use crate::trade::{CloseCause, Slot, Trade, TradeState};
use crate::wallet::Wallet;
use crate::working_set::{Changes, TimerChange, TurnoverKey, WorkingSet};

pub use cancel::{CancelAction, CancelDone, CancelRefusal};
pub use confirm::ConfirmRefusal;
pub use notification::NotificationUnknown;
pub use pay::{PayDone, PayRefusal};
pub use refund::{RefundDone, RefundRefusal};
pub use settle::SettleRefusal;
pub use store::StoreRefusal;
pub use wallet::WalletRefusal;

/// What a decision is made with beside the rows: the time, the ids to use, the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The present instant.
    pub now: Timestamp,
    /// The last digits of whatever number this decision has to make.
    pub number: u32,
    /// The configuration.
    pub config: &'a Config,
}

impl Context<'_> {
    fn trade_id(&self, bucket: u16) -> Option<TradeId> {
        TradeId::new(self.now, bucket, self.number)
    }

    fn event_id(&self, bucket: u16) -> Option<EventId> {
        EventId::new(self.now, bucket, self.number)
    }
}

/// What the caller hears once the changes are stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// To [`Command::Pay`].
    Pay(Result<PayDone, PayRefusal>),
    /// To [`Command::Confirm`]: the trade as it is now.
    Confirm(Result<Box<Trade>, ConfirmRefusal>),
    /// To [`Command::Cancel`].
    Cancel(Result<CancelDone, CancelRefusal>),
    /// To [`Command::Close`] and [`Command::WorkOff`]: what the timer did.
    Timer(TimerOutcome),
    /// To [`Command::Refund`].
    Refund(Result<RefundDone, RefundRefusal>),
    /// To [`Command::Settle`]: the batch.
    Settled(Result<Box<Batch>, SettleRefusal>),
    /// To [`Command::Publish`]: the file as it is published, whoever made it first.
    Published(Box<PublishedFile>),
    /// To [`Command::RegisterStore`] and [`Command::ReviewStore`]: the store as it is now.
    Store(Result<Box<Registration>, StoreRefusal>),
    /// To [`Command::NoteDelivery`] and [`Command::Reschedule`]: the notification as it is now.
    Notification(Result<Box<Notification>, NotificationUnknown>),
    /// To the wallets' commands: the wallet as it is now.
    Wallet(Result<Box<Wallet>, WalletRefusal>),
    /// To [`Command::Configure`].
    Configured,
}

impl Reply {
    /// The answer to a wallet's command, if this is one.
    pub fn wallet(self) -> Option<Result<Box<Wallet>, WalletRefusal>> {
        match self {
            Self::Wallet(answer) => Some(answer),
            Self::Pay(_)
            | Self::Confirm(_)
            | Self::Cancel(_)
            | Self::Timer(_)
            | Self::Refund(_)
            | Self::Settled(_)
            | Self::Published(_)
            | Self::Store(_)
            | Self::Notification(_)
            | Self::Configured => None,
        }
    }

    /// The answer to a buyer's word, if this is one.
    pub fn confirm(self) -> Option<Result<Box<Trade>, ConfirmRefusal>> {
        match self {
            Self::Confirm(answer) => Some(answer),
            Self::Pay(_)
            | Self::Wallet(_)
            | Self::Cancel(_)
            | Self::Timer(_)
            | Self::Refund(_)
            | Self::Settled(_)
            | Self::Published(_)
            | Self::Store(_)
            | Self::Notification(_)
            | Self::Configured => None,
        }
    }
}

/// What a timer did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimerOutcome {
    /// What it was set for.
    Done,
    /// It comes again: another night, when the merchant has funds.
    PutOff,
    /// There was nothing to do (any more).
    Nothing,
    /// It is too early.
    Early,
}

/// The changes, and what may be said once they are stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// To be stored whole; empty when nothing changes.
    pub changes: Changes,
    /// To be said after that.
    pub reply: Reply,
}

impl Decision {
    fn unchanged(reply: Reply) -> Self {
        Self {
            changes: Changes::default(),
            reply,
        }
    }
}

/// Decides one command on the rows of its batch.
pub fn decide(set: &WorkingSet, command: &Command, context: &Context<'_>) -> Decision {
    match command {
        Command::Pay(pay) => pay::decide(set, pay, context),
        Command::Confirm(confirm) => confirm::decide(set, confirm, context),
        Command::Cancel(cancel) => cancel::decide(set, cancel, context),
        Command::Close(key) => cancel::decide_close(set, key, context),
        Command::Refund(ask) => refund::decide(set, ask, context),
        Command::WorkOff(key) => refund::decide_work_off(set, key, context),
        Command::Settle(settle) => settle::decide(set, settle, context),
        Command::Publish(file) => settle::decide_publish(set, file),
        Command::RegisterStore(data) => store::decide_register(set, data, context),
        Command::ReviewStore(review) => store::decide_review(set, review, context),
        Command::NoteDelivery(delivery) => notification::decide_delivery(set, delivery),
        Command::Reschedule { notification, at } => {
            notification::decide_reschedule(set, *notification, *at)
        }
        Command::OpenWallet(open) => wallet::decide_open(set, open, context),
        Command::AmendWallet(amend) => wallet::decide_amend(set, amend),
        Command::TopUp(top_up) => wallet::decide_top_up(set, top_up, context),
        Command::IssueAlias(device) => wallet::decide_alias(set, device),
        Command::Configure(change) => Decision {
            changes: Changes {
                config: Some(change.clone()),
                ..Changes::default()
            },
            reply: Reply::Configured,
        },
    }
}

/// The entries of one event, numbered as they are added. A zero amount makes none.
struct EventEntries {
    event: EventId,
    trade: Option<TradeId>,
    entries: Vec<Entry>,
}

impl EventEntries {
    fn new(event: EventId, trade: Option<TradeId>) -> Self {
        Self {
            event,
            trade,
            entries: Vec::with_capacity(2),
        }
    }

    fn add(&mut self, debit: Account, credit: Account, amount: Money, cause: Cause) {
        let Ok(amount) = Amount::new(amount) else {
            return;
        };
        let number = u8::try_from(self.entries.len()).unwrap_or(u8::MAX);
        debug_assert!(number < Entry::PER_EVENT, "an event has few entries");
        self.entries.push(Entry {
            event: self.event,
            number,
            trade: self.trade,
            debit,
            credit,
            amount,
            cause,
        });
    }
}

/// A payment's entries: from the wallet, through FX clearing where currencies differ, to the
/// partner; and our share from the partner (`architecture.md`, the ledger).
fn payment_entries(event: EventId, trade: &Trade, commission: Money) -> Vec<Entry> {
    let wallet = Account::Wallet(trade.wallet);
    let payable = Account::PartnerPayable(trade.key.partner);
    let (price, paid) = (trade.amount.money(), trade.buyer_amount().money());
    let mut entries = EventEntries::new(event, Some(trade.id));
    if paid.currency() == price.currency() {
        entries.add(wallet, payable, price, Cause::Payment);
    } else {
        entries.add(wallet, Account::FxClearing, paid, Cause::Payment);
        entries.add(Account::FxClearing, payable, price, Cause::Payment);
    }
    entries.add(
        payable,
        Account::CommissionIncome,
        commission,
        Cause::Commission,
    );
    entries.entries
}

/// What a payment turned into: everything that `pay` and `confirm` change alike.
struct Paying {
    trade: Trade,
    wallet: Wallet,
    entries: Vec<crate::ledger::Entry>,
    turnover: Option<(TurnoverKey, Money)>,
}

impl Paying {
    /// The paid trade, and all else that it changes; its partner hears of it.
    fn into_changes(self, partner: &Partner, context: &Context<'_>) -> (Trade, Changes) {
        let trade = &self.trade;
        let requested = (trade.notify_url.as_deref(), trade.dialect);
        let notification = trade.payment().and_then(|payment| {
            notification::of(
                payment.event,
                trade,
                Tidings::TradePaid,
                requested,
                (partner, context),
            )
        });
        let changes = Changes {
            wallet: Some(self.wallet),
            entries: self.entries,
            turnover: self.turnover,
            notification,
            ..Changes::default()
        };
        (self.trade, changes)
    }
}

/// Why money does not move although the trade could be.
enum PayingRefusal {
    PartnerDay,
    Wallet(crate::wallet::WalletLimit),
    FundsShort,
    Money(MoneyError),
}

impl From<MoneyError> for PayingRefusal {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// Moves the money of a trade: limits first, funds last.
fn pay_trade(
    set: &WorkingSet,
    trade: &Trade,
    wallet: &Wallet,
    partner: &Partner,
    event: EventId,
    now: Timestamp,
) -> Result<Paying, PayingRefusal> {
    let date = now.business_date();
    let turnover = turnover_after(set, partner, trade.amount, date)?;
    let buyer_amount = trade.buyer_amount();
    if let Some(limit) = wallet.limit_passed(buyer_amount, date)? {
        return Err(PayingRefusal::Wallet(limit));
    }
    let wallet = wallet
        .debited(buyer_amount, date)?
        .ok_or(PayingRefusal::FundsShort)?;
    let price = trade.amount.money();
    let commission = partner
        .contract
        .commission
        .of(price, crate::money::Rounding::HalfUp)?;
    let entries = payment_entries(event, trade, commission);
    let payment = crate::trade::Payment {
        at: now,
        event,
        commission,
        refunded: Money::zero(price.currency()),
        refunded_buyer: Money::zero(buyer_amount.currency()),
        commission_returned: Money::zero(price.currency()),
        refund_pending: Money::zero(price.currency()),
    };
    let trade = Trade {
        state: TradeState::Paid(payment),
        ..trade.clone()
    };
    Ok(Paying {
        trade,
        wallet,
        entries,
        turnover,
    })
}

/// What a limited partner will have taken in, or that this would be too much.
fn turnover_after(
    set: &WorkingSet,
    partner: &Partner,
    amount: Amount,
    date: CivilDate,
) -> Result<Option<(TurnoverKey, Money)>, PayingRefusal> {
    let Some(limit) = partner.contract.limit_per_day else {
        return Ok(None);
    };
    let key = TurnoverKey {
        partner: partner.id,
        date,
    };
    let taken = set
        .turnover(key, amount.currency())
        .checked_add(amount.money())?;
    if taken.minor() > limit.money().minor() {
        return Err(PayingRefusal::PartnerDay);
    }
    Ok(Some((key, taken)))
}

/// The timer of a waiting trade, to be cleared when it leaves that state.
fn clear_timer(trade: &Trade) -> Option<TimerChange> {
    match trade.state {
        TradeState::Waiting => Some(TimerChange::Clear(
            trade.waits_until(),
            Box::new(trade.clone()),
        )),
        TradeState::Paid(_) | TradeState::Closed { .. } => None,
    }
}

/// Closes a trade that waits past its time.
fn expire(trade: &Trade, context: &Context<'_>) -> Option<(Changes, Trade)> {
    match (trade.state, trade.state_at(context.now)) {
        (TradeState::Waiting, TradeState::Closed { at, cause, .. }) => {
            Some(close_waiting(trade, at, cause, context))
        }
        (TradeState::Waiting | TradeState::Paid(_) | TradeState::Closed { .. }, _) => None,
    }
}

/// Closes a waiting trade without money. Its partner hears of it unless it asked for it itself.
fn close_waiting(
    trade: &Trade,
    at: Timestamp,
    cause: CloseCause,
    context: &Context<'_>,
) -> (Changes, Trade) {
    let closed = Trade {
        state: TradeState::Closed {
            at,
            cause,
            payment: None,
        },
        ..trade.clone()
    };
    let event = match cause {
        CloseCause::Expired | CloseCause::Declined => context.event_id(trade.id.bucket()),
        CloseCause::Cancelled(_) | CloseCause::Refunded => None,
    };
    let requested = (trade.notify_url.as_deref(), trade.dialect);
    let partner = context.config.partner(trade.key.partner);
    let notification = event.zip(partner).and_then(|(event, partner)| {
        let both = (partner.as_ref(), context);
        notification::of(event, trade, Tidings::TradeClosed, requested, both)
    });
    let changes = Changes {
        slot: Some(Slot::Trade(Box::new(closed.clone()))),
        timer: clear_timer(trade),
        notification,
        ..Changes::default()
    };
    (changes, closed)
}
