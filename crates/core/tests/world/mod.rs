//! A world in memory for tables of actions: it loads what commands name, decides, applies, writes
//! back what is to be written, and audits the books after every step.
//!
//! One line is one action; `words.rs` has the language. What is broken is an outcome as well
//! (`broken: ...`), so that a table shows it at its line.

mod audit;
mod lines;
mod rows;
mod timers;
mod told;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use spotpay_core::command::{Command, Keys};
use spotpay_core::config::{Config, ConfigChange};
use spotpay_core::decide::{Context, decide};
use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::payment_code::{CodeUse, PaymentCode};
use spotpay_core::time::Timestamp;

use audit::{Audit, Seen};
use rows::Rows;
use words::Words;

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
            "until" => {
                let to = words.instant(self.now);
                assert!(self.now <= to, "time goes forward: {line}");
                self.run_until(to)
            }
            "pass" => self.run_until(self.now.plus(words.span())),
            "timers" => {
                let slice = words.plain.pop_front();
                self.run_due(slice.map_or(1, |text| text.parse().unwrap()))
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
        self.decide_all(&commands, &mut outcomes);
        outcomes
    }

    /// Decides commands as one batch, their outcomes at the places that are empty.
    fn decide_all(&mut self, commands: &[Command], outcomes: &mut [String]) {
        if let Err(broken) = self.run(commands, outcomes) {
            let last = outcomes.last_mut().unwrap();
            *last = format!("broken: {broken} (after: {last})");
        }
    }

    /// The rows, to compare two worlds.
    #[allow(dead_code, reason = "only one of the two test crates compares worlds")]
    pub(crate) fn rows(&self) -> Rows {
        self.rows.clone()
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
            let seen = Seen {
                command,
                set: &set,
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
