//! What becomes due by itself: trades that nobody confirmed, and the nights' refunds.

use std::fmt::Write as _;

use spotpay_core::command::Command;
use spotpay_core::refund::RefundState;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::Slot;

use super::World;

/// The last digits of our numbers count up.
const NUMBERS: i64 = 100_000;

/// A timer's row.
#[derive(Clone, PartialEq, Debug)]
struct Timer {
    due: Timestamp,
    /// Timers of one instant run in the order of their making.
    made: (Timestamp, i64),
    /// The partner's number of the trade or refund.
    name: String,
    command: Command,
}

/// How often each timer had each outcome, in order of the first.
#[derive(Default)]
struct Told(Vec<(String, u32)>);

impl Told {
    fn add(&mut self, name: &str, outcome: &str) {
        let line = format!("{name} {outcome}");
        match self.0.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => self.0.push((line, 1)),
        }
    }

    fn text(self) -> String {
        let mut text = String::new();
        for (line, count) in self.0 {
            let comma = if text.is_empty() { "" } else { ", " };
            let times = match count {
                1 => String::new(),
                _ => format!(" x{count}"),
            };
            write!(text, "{comma}{line}{times}").unwrap();
        }
        text
    }
}

impl World {
    /// Runs what is due now, so many at once; an outcome like `R1 PutOff, R2 Done`.
    pub(super) fn run_due(&mut self, slice: usize) -> String {
        let mut told = Told::default();
        match self.run_slices(slice, &mut told) {
            Ok(()) => told.text(),
            Err(broken) => broken,
        }
    }

    /// Moves the time and runs what becomes due on the way, one after the other.
    pub(super) fn run_until(&mut self, to: Timestamp) -> String {
        let mut told = Told::default();
        loop {
            if let Err(broken) = self.run_slices(1, &mut told) {
                return broken;
            }
            match self.timers().first() {
                Some(timer) if timer.due <= to => self.now = self.now.max(timer.due),
                Some(_) | None => break,
            }
        }
        self.now = to;
        told.text()
    }

    fn run_slices(&mut self, slice: usize, told: &mut Told) -> Result<(), String> {
        loop {
            let mut due = self.timers();
            due.retain(|timer| timer.due <= self.now);
            due.truncate(slice);
            if due.is_empty() {
                return Ok(());
            }
            let commands: Vec<Command> = due.iter().map(|timer| timer.command.clone()).collect();
            let mut outcomes = vec![String::new(); commands.len()];
            self.decide_all(&commands, &mut outcomes);
            for (timer, outcome) in due.iter().zip(outcomes) {
                if outcome.starts_with("broken") {
                    return Err(outcome);
                }
                told.add(&timer.name, &outcome);
            }
            let left = self.timers();
            if let Some(stuck) = due.iter().find(|timer| left.contains(timer)) {
                return Err(format!("broken: {} stays due", stuck.name));
            }
        }
    }

    /// All timers in order of their time.
    fn timers(&self) -> Vec<Timer> {
        let waiting = self.rows.slots.iter().filter_map(|(key, slot)| match slot {
            Slot::Trade(trade) => self.rows.timers.get(&trade.id).map(|due| Timer {
                due: *due,
                made: (trade.id.at(), trade.id.as_i64() % NUMBERS),
                name: key.id.to_string(),
                command: Command::Close(key.clone()),
            }),
            Slot::Mark(_) => None,
        });
        let accepted = self
            .rows
            .refunds
            .values()
            .filter_map(|refund| match refund.state {
                RefundState::Accepted { due, .. } => Some(Timer {
                    due,
                    made: (refund.id.at(), refund.id.as_i64() % NUMBERS),
                    name: refund.key.id.to_string(),
                    command: Command::WorkOff(refund.key.clone()),
                }),
                RefundState::Done(_)
                | RefundState::FundsShort { .. }
                | RefundState::Cancelled { .. } => None,
            });
        let mut timers: Vec<Timer> = waiting.chain(accepted).collect();
        timers.sort_by_key(|timer| (timer.due, timer.made));
        timers
    }
}
