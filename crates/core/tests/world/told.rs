//! Decisions and rows to text.

use std::collections::BTreeMap;

use spotpay_core::command::Command;
use spotpay_core::decide::{CancelDone, Decision, Reply};
use spotpay_core::ledger::Account;
use spotpay_core::money::{Currency, Money};
use spotpay_core::notification::{Notification, NotificationState, Tidings};
use spotpay_core::refund::{Refund, RefundState};
use spotpay_core::registration::{Registration, StoreState};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{Slot, Trade, TradeState};
use spotpay_core::working_set::{Changes, TurnoverKey};

use super::words::Words;
use super::{World, name_of};

impl World {
    /// A decision as a table says it.
    pub(super) fn told(&self, command: &Command, decision: &Decision) -> String {
        let repeat = match (command, decision.changes == Changes::default()) {
            (
                Command::Pay(_) | Command::Confirm(_) | Command::Cancel(_) | Command::Refund(_),
                true,
            ) => "repeat, ",
            _ => "",
        };
        match &decision.reply {
            Reply::Pay(Ok(done)) => format!("{repeat}{}", describe(&done.trade, done.trade.state)),
            Reply::Confirm(Ok(trade)) => format!("{repeat}{}", describe(trade, trade.state)),
            Reply::Cancel(Ok(CancelDone::Nothing)) => format!("{repeat}nothing"),
            Reply::Cancel(Ok(CancelDone::Closed { trade, action })) => {
                format!("{repeat}{}, {action:?}", describe(trade, trade.state))
            }
            Reply::Timer(outcome) => format!("{outcome:?}"),
            Reply::Refund(Ok(done)) => {
                let buyer = Some(done.buyer_amount);
                let told = describe_refund(&done.refund, buyer, self.now);
                format!("{repeat}{told}, left {}", left(&done.trade))
            }
            Reply::Settled(Ok(batch)) => format!("settled {}", batch.paid_out),
            Reply::Published(file) => format!("published {} rows", file.rows),
            Reply::Store(Ok(registration)) => store(registration),
            Reply::Notification(Ok(notification)) => self.notice(notification),
            Reply::Wallet(Ok(wallet)) => wallet.balance.to_string(),
            Reply::Configured => "configured".to_owned(),
            Reply::Pay(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Confirm(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Cancel(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Refund(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Settled(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Store(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Notification(Err(refusal)) => format!("refused {refusal:?}"),
            Reply::Wallet(Err(refusal)) => format!("refused {refusal:?}"),
        }
    }

    /// What the rows say to a question.
    pub(super) fn answer(&mut self, words: &mut Words<'_>) -> String {
        let answer = match words.verb {
            "show" => self.show(words),
            "entries" => {
                let key = self.key(words);
                let entries = self.rows.trade_entries(&key);
                let told = entries.iter().map(|entry| {
                    let sides = (self.place(entry.debit), self.place(entry.credit));
                    let money = entry.amount.money();
                    format!("{} > {} {money} {}", sides.0, sides.1, entry.cause.as_str())
                });
                told.collect::<Vec<_>>().join("; ")
            }
            "timer" => {
                let key = self.key(words);
                match self.rows.slots.get(&key) {
                    Some(Slot::Trade(trade)) => {
                        let due = self.rows.timers.get(&trade.id);
                        due.map_or("none".to_owned(), |due| time(*due))
                    }
                    Some(Slot::Mark(_)) | None => "none".to_owned(),
                }
            }
            "balance" => {
                let id = self.wallet_id(words.plain());
                let wallet = &self.rows.wallets[&id];
                let (day, month) = (wallet.spent.day.major(), wallet.spent.month.major());
                let date = wallet.spent.date;
                format!(
                    "{} spent {day} on {date}, {month} in its month",
                    wallet.balance
                )
            }
            "turnover" => {
                let (partner, date) = (self.partner_id(words.plain()), self.now.business_date());
                let taken = self.rows.turnovers.get(&TurnoverKey { partner, date });
                taken.map_or("none".to_owned(), Money::to_string)
            }
            _ => self.books(),
        };
        words.end();
        answer
    }

    fn show(&mut self, words: &mut Words<'_>) -> String {
        let told = match words.plain.front().copied() {
            Some("refund") => {
                words.plain();
                let key = self.refund_key(words);
                let refund = self.rows.refunds.get(&key);
                refund.map(|refund| {
                    let told = describe_refund(refund, None, self.now);
                    format!("{} {told}", refund.amount.money().major())
                })
            }
            Some("notification") => {
                words.plain();
                let id = self.notification(words);
                let row = self.rows.notifications.get(&id);
                row.map(|row| self.notice(row))
            }
            Some("store") => {
                words.plain();
                let key = self.store_key(words);
                self.rows.stores.get(&key).map(store)
            }
            Some("default") => {
                words.plain();
                let partner = self.partner_id(words.plain());
                let partner = self.config.partner(partner);
                partner.map(|partner| {
                    let shop = &partner.default_shop;
                    let rate = partner.contract.commission;
                    format!("{} at {rate}", shop.store_name)
                })
            }
            Some(_) | None => {
                let key = self.key(words);
                self.rows.slots.get(&key).map(|slot| match slot {
                    Slot::Mark(mark) => format!("mark at {}", time(mark.at)),
                    Slot::Trade(trade) => show(trade, self.now),
                })
            }
        };
        told.unwrap_or_else(|| "nothing".to_owned())
    }

    /// A notification: what it tells and where, and whether that was heard.
    fn notice(&self, row: &Notification) -> String {
        let state = match row.state {
            NotificationState::Waiting => "waiting",
            NotificationState::Acknowledged => "acknowledged",
            NotificationState::GivenUp => "given up",
        };
        let next = row.next_at.map_or(String::new(), |next| {
            format!(", next {}", moment(next, self.now))
        });
        let tidings = match row.tidings {
            Tidings::TradePaid => "TradePaid",
            Tidings::TradeClosed => "TradeClosed",
            Tidings::RefundDone(_) => "RefundDone",
        };
        let open = if row.is_open() { "open" } else { "void" };
        let (url, sent) = (&row.url, row.attempts);
        format!("{tidings} to {url} {state} {open}, sent {sent}{next}")
    }

    fn books(&self) -> String {
        let mut nets: BTreeMap<(Currency, Account), i64> = BTreeMap::new();
        for entry in &self.rows.entries {
            let minor = entry.amount.money().minor();
            *nets.entry((entry.currency(), entry.debit)).or_default() -= minor;
            *nets.entry((entry.currency(), entry.credit)).or_default() += minor;
        }
        nets.retain(|_, net| *net != 0);
        let told = nets.iter().map(|((currency, account), net)| {
            format!(
                "{} {}",
                self.place(*account),
                Money::of_minor(*net, *currency)
            )
        });
        told.collect::<Vec<_>>().join(", ")
    }

    fn place(&self, account: Account) -> String {
        match account {
            Account::Wallet(id) => name_of(&self.wallets, id.number()).to_owned(),
            Account::PartnerPayable(id) => name_of(&self.partners, id.number()).to_owned(),
            Account::CommissionIncome => "commission".to_owned(),
            Account::FxClearing => "fx".to_owned(),
            Account::BankClearing => "bank".to_owned(),
            Account::TopUpClearing => "topups".to_owned(),
        }
    }
}

fn describe(trade: &Trade, state: TradeState) -> String {
    let converted = trade.conversion.map_or(String::new(), |conversion| {
        format!(
            " {} at {}",
            conversion.buyer_amount.money(),
            conversion.rate
        )
    });
    match state {
        TradeState::Waiting => format!("waiting{converted} until {}", time(trade.waits_until())),
        TradeState::Paid(payment) => {
            format!("paid{converted} commission {}", payment.commission.major())
        }
        TradeState::Closed { cause, .. } => format!("closed {cause:?}"),
    }
}

fn show(trade: &Trade, now: Timestamp) -> String {
    let state = trade.state_at(now);
    let told = describe(trade, state);
    match state {
        TradeState::Waiting => told,
        TradeState::Paid(payment) => {
            let some = |word: &str, money: Money| match money.is_zero() {
                true => String::new(),
                false => format!(", {word} {}", money.major()),
            };
            let refunded = some("refunded", payment.refunded);
            let pending = some("pending", payment.refund_pending);
            format!("{told} at {}{refunded}{pending}", time(payment.at))
        }
        TradeState::Closed { at, payment, .. } => {
            let money = if payment.is_some() {
                "after payment"
            } else {
                "unpaid"
            };
            format!("{told} {money} at {}", time(at))
        }
    }
}

/// The time of day in GMT+8.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let (_, time) = text.split_once('T').unwrap();
    time.trim_end_matches("+08:00").to_owned()
}

/// The same, with its date when that is not today.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    if at.business_date() == now.business_date() {
        time(at)
    } else {
        format!("{} {}", at.business_date(), time(at))
    }
}

/// What of a trade no refund asked for yet.
fn left(trade: &Trade) -> String {
    let gone = trade.payment().map_or(0, |payment| {
        payment.refunded.minor() + payment.refund_pending.minor()
    });
    let money = trade.amount.money();
    Money::of_minor(money.minor() - gone, money.currency()).major()
}

/// A refund's state; `buyer` is what an answer says that the buyer gets.
fn describe_refund(refund: &Refund, buyer: Option<Money>, now: Timestamp) -> String {
    let converted = |buyer: Money| match buyer.currency() == refund.amount.currency() {
        true => String::new(),
        false => format!(" {buyer}"),
    };
    match refund.state {
        RefundState::Accepted { due, short } => {
            let converted = buyer.map_or(String::new(), converted);
            let short = if short { " short" } else { "" };
            format!("accepted{short}{converted} due {}", moment(due, now))
        }
        RefundState::Done(moved) => {
            let commission = match moved.commission_returned.is_zero() {
                true => String::new(),
                false => format!(" commission {}", moved.commission_returned.major()),
            };
            let converted = converted(buyer.unwrap_or(moved.buyer_amount));
            let at = moment(moved.at, now);
            format!("done{converted}{commission} at {at}")
        }
        RefundState::FundsShort { at } => format!("failed at {}", moment(at, now)),
        RefundState::Cancelled { at } => format!("cancelled at {}", moment(at, now)),
    }
}

fn store(registration: &Registration) -> String {
    let state = match &registration.state {
        StoreState::Processing => "processing".to_owned(),
        StoreState::Verified => "verified".to_owned(),
        StoreState::Rejected { reason } => format!("rejected {reason}"),
    };
    let name = &registration.data.shop.store_name;
    format!("{state} {name} at {}", time(registration.at))
}
