//! A world in memory for tables of actions: it loads what commands name, decides, applies, writes
//! back what is to be written, and audits the books after every step.
//!
//! One line is one action; `text.rs` has the words. What is broken is an outcome as well
//! (`broken: ...`), so that a table shows it at its line.

mod audit;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use spotpay_core::command::{Command, Keys};
use spotpay_core::config::{Config, ConfigChange};
use spotpay_core::decide::{Context, decide};
use spotpay_core::id::{PartnerId, TradeId, WalletId};
use spotpay_core::ledger::Entry;
use spotpay_core::money::Money;
use spotpay_core::payment_code::{Alias, CodeUse, PaymentCode};
use spotpay_core::shop::ShopKey;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{Slot, TradeKey};
use spotpay_core::wallet::{Device, Wallet};
use spotpay_core::working_set::{TimerChange, TurnoverKey, WorkingSet, Writes};

use audit::{Audit, Seen};
use text::Words;

/// What a store would keep.
#[derive(Clone, PartialEq, Debug, Default)]
struct Rows {
    slots: BTreeMap<TradeKey, Slot>,
    wallets: BTreeMap<WalletId, Wallet>,
    turnovers: BTreeMap<TurnoverKey, Money>,
    timers: BTreeMap<TradeId, Timestamp>,
    shops: BTreeSet<ShopKey>,
    devices: BTreeMap<Alias, Device>,
    entries: Vec<Entry>,
}

pub(crate) struct World {
    now: Timestamp,
    number: u32,
    config: Config,
    rows: Rows,
    audit: Audit,
    partners: Vec<String>,
    wallets: Vec<String>,
    codes: BTreeMap<String, PaymentCode>,
    drawn: BTreeSet<CodeUse>,
}

impl World {
    /// Noon of a working day, and nothing else.
    pub(crate) fn new() -> Self {
        Self {
            now: Timestamp::parse_compact("20261123120000").unwrap(),
            number: 0,
            config: Config::default(),
            rows: Rows::default(),
            audit: Audit::default(),
            partners: Vec::new(),
            wallets: Vec::new(),
            codes: BTreeMap::new(),
            drawn: BTreeSet::new(),
        }
    }

    /// Does what a line says and tells the outcome.
    pub(crate) fn step(&mut self, line: &str) -> String {
        let mut words = Words::new(line);
        match words.verb {
            "at" => {
                let to = words.instant(self.now);
                assert!(self.now <= to, "time goes forward: {line}");
                self.now = to;
                String::new()
            }
            "wait" => {
                self.now = self.now.plus(words.span());
                String::new()
            }
            "show" | "entries" | "timer" | "balance" | "turnover" | "books" => {
                self.answer(&mut words)
            }
            _ => self.batch(&[line]).remove(0),
        }
    }

    /// Decides several lines as one batch: rows are loaded before the first and written after the last.
    pub(crate) fn batch(&mut self, lines: &[&str]) -> Vec<String> {
        let mut commands = Vec::new();
        let mut outcomes = Vec::new();
        for line in lines {
            match self.command(&mut Words::new(line)) {
                Ok(command) => {
                    commands.push(command);
                    outcomes.push(String::new());
                }
                Err(refusal) => outcomes.push(format!("refused {refusal:?}")),
            }
        }
        if let Err(broken) = self.run(&commands, &mut outcomes) {
            let last = outcomes.last_mut().unwrap();
            *last = format!("broken: {broken} (after: {last})");
        }
        outcomes
    }

    /// The rows as text, to compare two worlds.
    #[allow(dead_code, reason = "only one of the two test crates compares worlds")]
    pub(crate) fn rows(&self) -> String {
        format!("{:#?}", self.rows)
    }

    fn run(&mut self, commands: &[Command], outcomes: &mut [String]) -> Result<(), String> {
        let mut keys = Keys::default();
        for command in commands {
            command.add_keys(&self.config, self.now, &mut keys);
        }
        let mut set = self.rows.load(&keys);
        let places = outcomes.iter_mut().filter(|outcome| outcome.is_empty());
        for (command, outcome) in commands.iter().zip(places) {
            self.number += 1;
            let context = Context {
                now: self.now,
                number: self.number,
                config: &self.config,
            };
            let decision = decide(&set, command, &context);
            if decision != decide(&set, command, &context) {
                return Err("the same inputs gave another decision".to_owned());
            }
            *outcome = self.told(command, &decision);
            let changed = decision.changes.slot.as_ref();
            let before = changed.and_then(|slot| set.slot(slot.key()));
            let seen = Seen {
                command,
                before,
                decision: &decision,
            };
            self.audit.observe(&seen, &context)?;
            set.apply(decision.changes);
        }
        audit::totals(set.writes())?;
        self.rows.write(&set, &keys)?;
        for change in &set.writes().config {
            self.config = self.config.with(change);
            if let ConfigChange::PutPartner(partner) = change {
                self.rows.shops.insert(partner.default_shop.key());
            }
        }
        self.audit.whole(&self.rows)
    }
}

impl Rows {
    /// Only what the commands name, as a store would load it; a trade brings its wallet along.
    fn load(&self, keys: &Keys) -> WorkingSet {
        let mut set = WorkingSet::default();
        let mut wallets: BTreeSet<WalletId> = keys.wallets.iter().copied().collect();
        for slot in keys.trades.iter().filter_map(|key| self.slots.get(key)) {
            if let Slot::Trade(trade) = slot {
                wallets.insert(trade.wallet);
            }
            set.loaded_slot(slot.clone());
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
        set
    }

    /// Writes what is to be written, with the unique keys of a store.
    fn write(&mut self, set: &WorkingSet, keys: &Keys) -> Result<(), String> {
        let writes = set.writes();
        let new = |was: bool, what: &str| match was {
            false => Ok(()),
            true => Err(format!("{what} is noted as new and was there")),
        };
        let changed = |was: bool, what: &str| match was {
            true => Ok(()),
            false => Err(format!("{what} is noted as changed and was not there")),
        };
        for key in &writes.slots_new {
            let row = set.slot(key).ok_or("a slot to write is gone")?.clone();
            new(self.slots.insert(key.clone(), row).is_some(), "a slot")?;
        }
        for key in &writes.slots_changed {
            let row = set.slot(key).ok_or("a slot to write is gone")?.clone();
            changed(self.slots.insert(key.clone(), row).is_some(), "a slot")?;
        }
        for id in &writes.wallets_new {
            let row = set.wallet(*id).ok_or("a wallet to write is gone")?.clone();
            new(self.wallets.insert(*id, row).is_some(), "a wallet")?;
        }
        for id in &writes.wallets_changed {
            let row = set.wallet(*id).ok_or("a wallet to write is gone")?.clone();
            changed(self.wallets.insert(*id, row).is_some(), "a wallet")?;
        }
        for device in &writes.devices {
            let old = self.devices.insert(device.alias, device.clone());
            new(old.is_some(), "an alias")?;
        }
        self.write_timers(writes)?;
        self.entries.extend(&writes.entries);
        self.shops
            .extend(writes.shops.iter().map(|shop| shop.key()));
        self.turnovers.extend(&writes.turnovers);
        let forgotten = keys
            .trades
            .iter()
            .any(|key| self.slots.get(key) != set.slot(key))
            || keys
                .wallets
                .iter()
                .any(|id| self.wallets.get(id) != set.wallet(*id));
        match forgotten {
            false => Ok(()),
            true => Err("a changed row was not noted for writing".to_owned()),
        }
    }

    fn write_timers(&mut self, writes: &Writes) -> Result<(), String> {
        for change in &writes.timers {
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

    fn trade_entries(&self, key: &TradeKey) -> Vec<&Entry> {
        let id = match self.slots.get(key) {
            Some(Slot::Trade(trade)) => Some(trade.id),
            Some(Slot::Mark(_)) | None => None,
        };
        let of_trade = |entry: &&Entry| id.is_some() && entry.trade == id;
        self.entries.iter().filter(of_trade).collect()
    }
}

/// The number that stands for a name: its place in order of first mention.
fn number_of(names: &mut Vec<String>, name: &str) -> u64 {
    let place = names.iter().position(|known| known == name);
    let place = place.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    u64::try_from(place + 1).unwrap()
}

/// The name that a number stands for.
fn name_of(names: &[String], number: u64) -> &str {
    usize::try_from(number)
        .ok()
        .and_then(|number| names.get(number - 1))
        .map_or("nobody", String::as_str)
}

impl World {
    fn partner_id(&mut self, name: &str) -> PartnerId {
        PartnerId::from_number(number_of(&mut self.partners, name)).unwrap()
    }

    fn wallet_id(&mut self, name: &str) -> WalletId {
        WalletId::from_number(number_of(&mut self.wallets, name)).unwrap()
    }
}
