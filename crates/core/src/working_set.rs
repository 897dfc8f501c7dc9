//! The rows of one batch in memory: loaded once, decided on, written once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::config::ConfigChange;
use crate::id::{EventId, PartnerId, WalletId};
use crate::ledger::{Account, AccountTotal, Entry};
use crate::money::{Currency, Money, MoneyError};
use crate::notification::{Delivery, Notification};
use crate::payment_code::Alias;
use crate::refund::{Refund, RefundKey, RefundState};
use crate::registration::{Registration, StoreKey};
use crate::settlement::{Batch, FileKey, PublishedFile, SettlementKey};
use crate::shop::Shop;
use crate::time::{CivilDate, Timestamp};
use crate::trade::{Slot, Trade, TradeKey};
use crate::wallet::{Device, Wallet};

/// What a partner took in on a business date; kept only where the contract limits it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TurnoverKey {
    /// Whose.
    pub partner: PartnerId,
    /// On which business date.
    pub date: CivilDate,
}

/// A timer's row: the trade to look at when it is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TimerChange {
    /// Look at the trade then.
    Set(Timestamp, Box<Trade>),
    /// It need not be looked at any more.
    Clear(Timestamp, Box<Trade>),
}

/// All that a decision changes. It is applied and written whole, or not at all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// The trade or mark as it is now.
    pub slot: Option<Slot>,
    /// The wallet as it is now.
    pub wallet: Option<Wallet>,
    /// What moved.
    pub entries: Vec<Entry>,
    /// When to look at the trade again.
    pub timer: Option<TimerChange>,
    /// A shop not seen before.
    pub shop: Option<Arc<Shop>>,
    /// What a limited partner took in on a date, as it is now.
    pub turnover: Option<(TurnoverKey, Money)>,
    /// A new alias.
    pub device: Option<Device>,
    /// A change of the configuration.
    pub config: Option<ConfigChange>,
    /// Refunds as they are now.
    pub refunds: Vec<Refund>,
    /// A notification as it is now.
    pub notification: Option<Box<Notification>>,
    /// What became of one sending of it.
    pub delivery: Option<Box<Delivery>>,
    /// A registered store as it is now.
    pub registration: Option<Box<Registration>>,
    /// A settlement batch, which is new.
    pub batch: Option<Box<Batch>>,
    /// A published file, which is new.
    pub file: Option<Box<PublishedFile>>,
}

/// Debits and credits of one account, currency and business date, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TotalMoved {
    /// Given.
    pub debits: i64,
    /// Taken.
    pub credits: i64,
}

/// One sending of a notification, as it was decided: what the same batch decides of the
/// notification afterwards does not change it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sending {
    /// What became of it.
    pub delivery: Delivery,
    /// Its number, from one on.
    pub attempt: u32,
    /// When the next one was due after it.
    pub next_at: Option<Timestamp>,
}

/// Everything that the decisions of a batch changed, each row once, in order of its first change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Writes {
    /// Trades and marks that are new.
    pub slots_new: Vec<TradeKey>,
    /// Trades that were there.
    pub slots_changed: Vec<TradeKey>,
    /// Wallets that are new.
    pub wallets_new: Vec<WalletId>,
    /// Wallets that were there.
    pub wallets_changed: Vec<WalletId>,
    /// Entries, in order.
    pub entries: Vec<Entry>,
    /// What the entries add to each total.
    pub totals: BTreeMap<(AccountTotal, Currency, CivilDate), TotalMoved>,
    /// Timers, in order.
    pub timers: Vec<TimerChange>,
    /// Shops not seen before.
    pub shops: Vec<Arc<Shop>>,
    /// Turnovers that changed.
    pub turnovers: BTreeMap<TurnoverKey, Money>,
    /// New aliases.
    pub devices: Vec<Device>,
    /// Changes of the configuration, in order.
    pub config: Vec<ConfigChange>,
    /// Refunds that are new.
    pub refunds_new: Vec<RefundKey>,
    /// Refunds that were there.
    pub refunds_changed: Vec<RefundKey>,
    /// Notifications that are new.
    pub notifications_new: Vec<EventId>,
    /// Notifications that were there.
    pub notifications_changed: Vec<EventId>,
    /// Sendings.
    pub deliveries: Vec<Sending>,
    /// Registered stores that are new or changed.
    pub stores: Vec<StoreKey>,
    /// Settlement batches.
    pub batches: Vec<Batch>,
    /// Published files.
    pub files: Vec<PublishedFile>,
}

impl Writes {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The rows of one batch. What a key leads to was looked for, or the look is a bug.
#[derive(Debug, Default)]
pub struct WorkingSet {
    slots: HashMap<TradeKey, Slot>,
    wallets: HashMap<WalletId, Wallet>,
    wallet_names: HashMap<Box<str>, WalletId>,
    aliases: HashSet<Alias>,
    turnovers: HashMap<TurnoverKey, Money>,
    /// In order: a cancel goes over them.
    refunds: BTreeMap<RefundKey, Refund>,
    funds: HashMap<(PartnerId, Currency), Money>,
    stores: HashMap<StoreKey, Registration>,
    notifications: HashMap<EventId, Notification>,
    last_batches: HashMap<SettlementKey, Batch>,
    files: HashMap<FileKey, PublishedFile>,
    writes: Writes,
}

impl WorkingSet {
    /// Adds a trade or mark as the store has it.
    pub fn loaded_slot(&mut self, slot: Slot) {
        self.slots.insert(slot.key().clone(), slot);
    }

    /// Adds a wallet as the store has it.
    pub fn loaded_wallet(&mut self, wallet: Wallet) {
        self.wallet_names.insert(wallet.name.clone(), wallet.id);
        self.wallets.insert(wallet.id, wallet);
    }

    /// Notes that an alias is taken.
    pub fn loaded_alias(&mut self, alias: Alias) {
        self.aliases.insert(alias);
    }

    /// Adds what a partner took in on a date.
    pub fn loaded_turnover(&mut self, key: TurnoverKey, taken: Money) {
        self.turnovers.insert(key, taken);
    }

    /// Adds a refund as the store has it.
    pub fn loaded_refund(&mut self, refund: Refund) {
        self.refunds.insert(refund.key.clone(), refund);
    }

    /// Adds what a partner is owed and was not settled, in one currency.
    pub fn loaded_funds(&mut self, partner: PartnerId, funds: Money) {
        self.funds.insert((partner, funds.currency()), funds);
    }

    /// Adds a registered store.
    pub fn loaded_store(&mut self, registration: Registration) {
        self.stores.insert(registration.data.key(), registration);
    }

    /// Adds a notification as the store has it.
    pub fn loaded_notification(&mut self, notification: Notification) {
        self.notifications.insert(notification.id, notification);
    }

    /// Adds the last settlement batch of an account.
    pub fn loaded_batch(&mut self, batch: Batch) {
        self.last_batches.insert(batch.key, batch);
    }

    /// Adds a published file.
    pub fn loaded_file(&mut self, file: PublishedFile) {
        self.files.insert(file.key, file);
    }

    /// What stands under a partner's number.
    pub fn slot(&self, key: &TradeKey) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// A wallet.
    pub fn wallet(&self, id: WalletId) -> Option<&Wallet> {
        self.wallets.get(&id)
    }

    /// Whether a name is taken.
    pub fn has_wallet_name(&self, name: &str) -> bool {
        self.wallet_names.contains_key(name)
    }

    /// Whether an alias is taken.
    pub fn has_alias(&self, alias: Alias) -> bool {
        self.aliases.contains(&alias)
    }

    /// What a partner took in on a date, so far.
    pub fn turnover(&self, key: TurnoverKey, currency: Currency) -> Money {
        self.turnovers
            .get(&key)
            .copied()
            .unwrap_or(Money::zero(currency))
    }

    /// A refund.
    pub fn refund(&self, key: &RefundKey) -> Option<&Refund> {
        self.refunds.get(key)
    }

    /// The refunds of a trade that are accepted and not worked off.
    pub fn accepted_refunds(&self, trade: &TradeKey) -> impl Iterator<Item = &Refund> {
        self.refunds.values().filter(move |refund| {
            refund.trade_key == *trade && matches!(refund.state, RefundState::Accepted { .. })
        })
    }

    /// What a partner is owed and was not settled, with what this batch moved so far.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn funds(&self, partner: PartnerId, currency: Currency) -> Result<Money, MoneyError> {
        let stored = self.funds.get(&(partner, currency)).copied();
        let account = (Account::PartnerPayable(partner).total(), currency);
        let first = (account.0, account.1, CivilDate::from_days(i32::MIN));
        let moved = self.writes.totals.range(first..);
        let moved = moved.take_while(|((total, own, _), _)| (*total, *own) == account);
        let mut funds = stored.unwrap_or(Money::zero(currency));
        for (_, moved) in moved {
            funds = funds
                .checked_add(Money::of_minor(moved.credits, currency))?
                .checked_sub(Money::of_minor(moved.debits, currency))?;
        }
        Ok(funds)
    }

    /// A registered store.
    pub fn store(&self, key: &StoreKey) -> Option<&Registration> {
        self.stores.get(key)
    }

    /// A notification.
    pub fn notification(&self, id: EventId) -> Option<&Notification> {
        self.notifications.get(&id)
    }

    /// The last settlement batch of an account.
    pub fn last_batch(&self, key: SettlementKey) -> Option<&Batch> {
        self.last_batches.get(&key)
    }

    /// A published file.
    pub fn file(&self, key: FileKey) -> Option<&PublishedFile> {
        self.files.get(&key)
    }

    /// What has to be written.
    pub fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Takes over a decision: later ones of the batch see it.
    pub fn apply(&mut self, changes: Changes) {
        let Changes {
            slot,
            wallet,
            entries,
            timer,
            shop,
            turnover,
            device,
            config,
            refunds,
            notification,
            delivery,
            registration,
            batch,
            file,
        } = changes;
        if let Some(slot) = slot {
            let key = slot.key().clone();
            let was_there = self.slots.insert(key.clone(), slot).is_some();
            note(
                key,
                was_there,
                &mut self.writes.slots_new,
                &mut self.writes.slots_changed,
            );
        }
        if let Some(wallet) = wallet {
            let id = wallet.id;
            self.wallet_names.entry(wallet.name.clone()).or_insert(id);
            let was_there = self.wallets.insert(id, wallet).is_some();
            note(
                id,
                was_there,
                &mut self.writes.wallets_new,
                &mut self.writes.wallets_changed,
            );
        }
        for entry in entries {
            self.add_to_totals(&entry);
            self.writes.entries.push(entry);
        }
        self.writes.timers.extend(timer);
        self.writes.shops.extend(shop);
        if let Some((key, taken)) = turnover {
            self.turnovers.insert(key, taken);
            self.writes.turnovers.insert(key, taken);
        }
        if let Some(device) = device {
            self.aliases.insert(device.alias);
            self.writes.devices.push(device);
        }
        self.writes.config.extend(config);
        self.apply_refunds(refunds);
        if let Some(notification) = notification {
            self.apply_notification(*notification, delivery);
        }
        self.apply_day(batch, file);
        if let Some(registration) = registration {
            let key = registration.data.key();
            self.stores.insert(key.clone(), *registration);
            if !self.writes.stores.contains(&key) {
                self.writes.stores.push(key);
            }
        }
    }

    /// What ends a day.
    fn apply_day(&mut self, batch: Option<Box<Batch>>, file: Option<Box<PublishedFile>>) {
        if let Some(batch) = batch {
            self.writes.batches.push(Batch::clone(&batch));
            self.last_batches.insert(batch.key, *batch);
        }
        if let Some(file) = file {
            self.writes.files.push(PublishedFile::clone(&file));
            self.files.insert(file.key, *file);
        }
    }

    fn apply_refunds(&mut self, refunds: Vec<Refund>) {
        for refund in refunds {
            let key = refund.key.clone();
            let was_there = self.refunds.insert(key.clone(), refund).is_some();
            note(
                key,
                was_there,
                &mut self.writes.refunds_new,
                &mut self.writes.refunds_changed,
            );
        }
    }

    fn apply_notification(&mut self, notification: Notification, delivery: Option<Box<Delivery>>) {
        let (id, attempt, next_at) = (notification.id, notification.attempts, notification.next_at);
        let was_there = self.notifications.insert(id, notification).is_some();
        note(
            id,
            was_there,
            &mut self.writes.notifications_new,
            &mut self.writes.notifications_changed,
        );
        let sending = delivery.map(|delivery| Sending {
            delivery: *delivery,
            attempt,
            next_at,
        });
        self.writes.deliveries.extend(sending);
    }

    fn add_to_totals(&mut self, entry: &Entry) {
        let (date, currency) = (entry.event.at().business_date(), entry.currency());
        let minor = entry.amount.money().minor();
        let debit = self
            .writes
            .totals
            .entry((entry.debit.total(), currency, date))
            .or_default();
        debit.debits = debit.debits.saturating_add(minor);
        let credit = self
            .writes
            .totals
            .entry((entry.credit.total(), currency, date))
            .or_default();
        credit.credits = credit.credits.saturating_add(minor);
    }
}

/// Notes a row as new or changed, once.
fn note<K: PartialEq>(key: K, was_there: bool, new: &mut Vec<K>, changed: &mut Vec<K>) {
    if !was_there {
        new.push(key);
    } else if !new.contains(&key) && !changed.contains(&key) {
        changed.push(key);
    }
}

impl Slot {
    /// The partner's key that leads here.
    pub fn key(&self) -> &TradeKey {
        match self {
            Self::Trade(trade) => &trade.key,
            Self::Mark(mark) => &mark.key,
        }
    }
}
