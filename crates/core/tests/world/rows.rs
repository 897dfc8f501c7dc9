//! The rows that a store would keep, with its unique keys.

use std::collections::{BTreeMap, BTreeSet};

use spotpay_core::command::Keys;
use spotpay_core::id::{EventId, PartnerId, TradeId, WalletId};
use spotpay_core::ledger::{Account, Entry};
use spotpay_core::money::{Currency, Money};
use spotpay_core::notification::{Delivery, Notification};
use spotpay_core::payment_code::Alias;
use spotpay_core::refund::{Refund, RefundKey, RefundState};
use spotpay_core::registration::{Registration, StoreKey};
use spotpay_core::settlement::{Batch, FileKey, PublishedFile};
use spotpay_core::shop::ShopKey;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{Slot, TradeKey};
use spotpay_core::wallet::{Device, Wallet};
use spotpay_core::working_set::{Sending, TimerChange, TurnoverKey, WorkingSet, Writes};

/// What a store would keep.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Rows {
    pub(super) slots: BTreeMap<TradeKey, Slot>,
    pub(super) wallets: BTreeMap<WalletId, Wallet>,
    pub(super) turnovers: BTreeMap<TurnoverKey, Money>,
    pub(super) timers: BTreeMap<TradeId, Timestamp>,
    pub(super) shops: BTreeSet<ShopKey>,
    pub(super) devices: BTreeMap<Alias, Device>,
    pub(super) entries: Vec<Entry>,
    pub(super) refunds: BTreeMap<RefundKey, Refund>,
    pub(super) stores: BTreeMap<StoreKey, Registration>,
    pub(super) notifications: BTreeMap<EventId, Notification>,
    /// Each sending under its notification and its place among that one's sendings.
    pub(super) deliveries: BTreeMap<(EventId, u32), Delivery>,
    pub(super) batches: Vec<Batch>,
    pub(super) files: BTreeMap<FileKey, PublishedFile>,
}

impl Rows {
    /// Only what the commands name, as a store would load it; a trade brings its wallet along, a
    /// refund its trade.
    pub(super) fn load(&self, keys: &Keys) -> WorkingSet {
        let mut set = WorkingSet::default();
        let mut wallets: BTreeSet<WalletId> = keys.wallets.iter().copied().collect();
        let refunds = keys.refunds.iter().filter_map(|key| self.refunds.get(key));
        let by_refund = refunds.clone().map(|refund| &refund.trade_key);
        let trades: BTreeSet<&TradeKey> = keys.trades.iter().chain(by_refund).collect();
        for slot in trades.into_iter().filter_map(|key| self.slots.get(key)) {
            if let Slot::Trade(trade) = slot {
                wallets.insert(trade.wallet);
            }
            set.loaded_slot(slot.clone());
        }
        let to_cancel = self.refunds.values().filter(|refund| {
            matches!(refund.state, RefundState::Accepted { .. })
                && keys.trades_to_cancel.contains(&refund.trade_key)
        });
        for refund in refunds.chain(to_cancel) {
            set.loaded_refund(refund.clone());
        }
        let named = |wallet: &&Wallet| keys.wallet_names.contains(&wallet.name);
        wallets.extend(self.wallets.values().filter(named).map(|wallet| wallet.id));
        for wallet in wallets.iter().filter_map(|id| self.wallets.get(id)) {
            set.loaded_wallet(wallet.clone());
        }
        for alias in &keys.aliases {
            if self.devices.contains_key(alias) {
                set.loaded_alias(*alias);
            }
        }
        for key in &keys.turnovers {
            if let Some(taken) = self.turnovers.get(key) {
                set.loaded_turnover(*key, *taken);
            }
        }
        for partner in &keys.funds {
            for funds in self.funds(*partner) {
                set.loaded_funds(*partner, funds);
            }
        }
        for registration in keys.stores.iter().filter_map(|key| self.stores.get(key)) {
            set.loaded_store(registration.clone());
        }
        for key in &keys.settlements {
            let last = self.batches.iter().rfind(|batch| batch.key == *key);
            if let Some(last) = last {
                set.loaded_batch(last.clone());
            }
        }
        for file in keys.files.iter().filter_map(|key| self.files.get(key)) {
            set.loaded_file(file.clone());
        }
        let notifications = keys.notifications.iter();
        for row in notifications.filter_map(|id| self.notifications.get(id)) {
            set.loaded_notification(row.clone());
        }
        set
    }

    /// What a partner is owed, in each currency in which it ever was.
    fn funds(&self, partner: PartnerId) -> Vec<Money> {
        let payable = Account::PartnerPayable(partner);
        let mut nets: BTreeMap<Currency, i64> = BTreeMap::new();
        for entry in &self.entries {
            let minor = entry.amount.money().minor();
            if entry.debit == payable {
                *nets.entry(entry.currency()).or_default() -= minor;
            }
            if entry.credit == payable {
                *nets.entry(entry.currency()).or_default() += minor;
            }
        }
        let money = nets.into_iter();
        money
            .map(|(currency, net)| Money::of_minor(net, currency))
            .collect()
    }

    /// Writes what is to be written, with the unique keys of a store.
    pub(super) fn write(&mut self, set: &WorkingSet, keys: &Keys) -> Result<(), String> {
        let Writes {
            slots_new,
            slots_changed,
            wallets_new,
            wallets_changed,
            entries,
            totals: _,
            timers,
            shops,
            turnovers,
            devices,
            config: _,
            refunds_new,
            refunds_changed,
            notifications_new,
            notifications_changed,
            deliveries,
            stores,
            batches,
            files,
        } = set.writes();
        let slots = [&slots_new[..], &slots_changed[..]];
        put(&mut self.slots, "slot", slots, |key| set.slot(key))?;
        let wallets = [&wallets_new[..], &wallets_changed[..]];
        put(&mut self.wallets, "wallet", wallets, |id| set.wallet(*id))?;
        let refunds = [&refunds_new[..], &refunds_changed[..]];
        put(&mut self.refunds, "refund", refunds, |key| set.refund(key))?;
        let rows = [&notifications_new[..], &notifications_changed[..]];
        let notification = |id: &EventId| set.notification(*id);
        put(&mut self.notifications, "notification", rows, notification)?;
        for file in files {
            let earlier = self.files.insert(file.key, file.clone());
            if earlier.is_some() {
                return Err("a published file changes".to_owned());
            }
        }
        for batch in batches {
            self.batches.push(batch.clone());
        }
        for key in stores {
            let row = set.store(key).ok_or("a store to write is gone")?;
            self.stores.insert(key.clone(), row.clone());
        }
        for Sending {
            delivery, attempt, ..
        } in deliveries
        {
            let key = (delivery.notification, *attempt);
            if self.deliveries.insert(key, delivery.clone()).is_some() {
                return Err("two sendings have one number".to_owned());
            }
        }
        for device in devices {
            let old = self.devices.insert(device.alias, device.clone());
            if old.is_some() {
                return Err("an alias is noted as new and was there".to_owned());
            }
        }
        self.write_timers(timers)?;
        self.entries.extend(entries);
        self.shops.extend(shops.iter().map(|shop| shop.key()));
        self.turnovers.extend(turnovers);
        self.nothing_forgotten(set, keys)
    }

    /// Whatever the batch changed in memory is also in the rows.
    fn nothing_forgotten(&self, set: &WorkingSet, keys: &Keys) -> Result<(), String> {
        let mut slots = self.slots.keys().chain(&keys.trades);
        let mut refunds = self.refunds.keys().chain(&keys.refunds);
        let mut wallets = self.wallets.keys().chain(&keys.wallets);
        let mut stores = self.stores.keys().chain(&keys.stores);
        let mut rows = self.notifications.keys().chain(&keys.notifications);
        // What was not loaded is not in the set.
        let differs = slots.any(|key| differs(set.slot(key), self.slots.get(key)))
            || refunds.any(|key| differs(set.refund(key), self.refunds.get(key)))
            || wallets.any(|id| differs(set.wallet(*id), self.wallets.get(id)))
            || stores.any(|key| differs(set.store(key), self.stores.get(key)))
            || rows.any(|id| differs(set.notification(*id), self.notifications.get(id)));
        match differs {
            false => Ok(()),
            true => Err("a changed row was not noted for writing".to_owned()),
        }
    }

    fn write_timers(&mut self, timers: &[TimerChange]) -> Result<(), String> {
        for change in timers {
            match change {
                TimerChange::Set(due, trade) => {
                    if self.timers.insert(trade.id, *due).is_some() {
                        return Err("a timer was there already".to_owned());
                    }
                }
                TimerChange::Clear(due, trade) => {
                    // A timer that has nothing left to do may be cleared twice.
                    if let Some(was) = self.timers.remove(&trade.id)
                        && was != *due
                    {
                        return Err(format!("a timer of {was} is cleared as of {due}"));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn trade_entries(&self, key: &TradeKey) -> Vec<&Entry> {
        let id = match self.slots.get(key) {
            Some(Slot::Trade(trade)) => Some(trade.id),
            Some(Slot::Mark(_)) | None => None,
        };
        let of_trade = |entry: &&Entry| id.is_some() && entry.trade == id;
        self.entries.iter().filter(of_trade).collect()
    }
}

fn differs<T: PartialEq>(is: Option<&T>, row: Option<&T>) -> bool {
    is.is_some_and(|is| Some(is) != row)
}

/// Puts the rows that are new, and those that are not, each where there is none and where there is
/// one.
fn put<'a, K: Clone + Ord + 'a, V: Clone + 'a>(
    rows: &mut BTreeMap<K, V>,
    what: &str,
    keys: [&'a [K]; 2],
    find: impl Fn(&'a K) -> Option<&'a V>,
) -> Result<(), String> {
    for (keys, there) in keys.into_iter().zip([false, true]) {
        for key in keys {
            let row = find(key).ok_or_else(|| format!("a {what} to write is gone"))?;
            if rows.insert(key.clone(), row.clone()).is_some() != there {
                return Err(format!("a {what} is noted as new, or as changed, wrongly"));
            }
        }
    }
    Ok(())
}
