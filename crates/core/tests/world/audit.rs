//! What must hold after every step, reckoned again without core's own arithmetic.

mod notifications;
mod refunds;

use std::collections::{BTreeMap, BTreeSet};

use spotpay_core::command::Command;
use spotpay_core::config::{Config, ConfigChange};
use spotpay_core::decide::{Context, Decision, RefundRefusal, Reply};
use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::ledger::{Account, AccountTotal, Cause, Entry};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::trade::{CloseCause, Payment, Slot, Trade, TradeState};
use spotpay_core::working_set::{Changes, TotalMoved, WorkingSet, Writes};

use super::rows::Rows;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What the audit remembers by itself.
#[derive(Default)]
pub(super) struct Audit {
    /// Money that came into each wallet.
    topped: BTreeMap<WalletId, i128>,
    /// The codes of all trades.
    codes: BTreeSet<i64>,
    /// Partners whose contract always had a limit per day; of the others turnovers are not kept.
    limited: BTreeMap<PartnerId, bool>,
    /// What each partner is owed, kept up decision by decision.
    payable: BTreeMap<(PartnerId, Currency), i128>,
}

/// One decision.
pub(super) struct Seen<'a> {
    pub(super) command: &'a Command,
    /// The rows as they were before it.
    pub(super) set: &'a WorkingSet,
    pub(super) decision: &'a Decision,
}

type Nets = BTreeMap<(Account, Currency), i128>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Result<(), String> {
    if is == should {
        Ok(())
    } else {
        Err(format!("{what}: {is:?} is not {should:?}"))
    }
}

fn hold(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn minor(amount: Amount) -> i128 {
    amount.money().minor().into()
}

/// Days since 1970 in GMT+8.
fn day_of(at: Timestamp) -> i64 {
    (at.as_micros() + 8 * 3_600 * SECOND).div_euclid(DAY)
}

/// Seconds of the day in GMT+8.
fn second_of(at: Timestamp) -> i64 {
    (at.as_micros() + 8 * 3_600 * SECOND)
        .rem_euclid(DAY)
        .div_euclid(SECOND)
}

fn month_of(date: CivilDate) -> (i16, u8) {
    let (year, month, _) = date.ymd();
    (year, month)
}

fn half_up(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

fn nets<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Nets {
    let mut nets = Nets::new();
    for entry in entries {
        *nets.entry((entry.debit, entry.currency())).or_default() -= minor(entry.amount);
        *nets.entry((entry.credit, entry.currency())).or_default() += minor(entry.amount);
    }
    nets.retain(|_, net| *net != 0);
    nets
}

/// What a payment, less what went back of it, leaves in the books.
fn nets_of_payment(trade: &Trade, payment: &Payment) -> Nets {
    let currency = trade.amount.currency();
    let price = minor(trade.amount) - i128::from(payment.refunded.minor());
    let paid = trade.buyer_amount();
    let left = minor(paid) - i128::from(payment.refunded_buyer.minor());
    let back = i128::from(payment.commission_returned.minor());
    let commission = i128::from(payment.commission.minor()) - back;
    let payable = Account::PartnerPayable(trade.key.partner);
    let mut nets = Nets::from([
        ((Account::Wallet(trade.wallet), paid.currency()), -left),
        ((payable, currency), price - commission),
        ((Account::CommissionIncome, currency), commission),
    ]);
    if paid.currency() != currency {
        nets.insert((Account::FxClearing, currency), -price);
        nets.insert((Account::FxClearing, paid.currency()), left);
    }
    nets.retain(|_, net| *net != 0);
    nets
}

fn is_refusal(reply: &Reply) -> bool {
    match reply {
        Reply::Pay(answer) => answer.is_err(),
        Reply::Confirm(answer) => answer.is_err(),
        Reply::Cancel(answer) => answer.is_err(),
        Reply::Refund(answer) => answer.is_err(),
        Reply::Settled(answer) => answer.is_err(),
        Reply::Store(answer) => answer.is_err(),
        Reply::Notification(answer) => answer.is_err(),
        Reply::Wallet(answer) => answer.is_err(),
        Reply::Published(_) | Reply::Timer(_) | Reply::Configured => false,
    }
}

impl Audit {
    /// Checks one decision against what was there before it.
    pub(super) fn observe(&mut self, seen: &Seen<'_>, context: &Context<'_>) -> Result<(), String> {
        let Decision { changes, reply } = seen.decision;
        let refused = is_refusal(reply);
        let failed = matches!(reply, Reply::Refund(Err(RefundRefusal::FundsShort)));
        hold(
            !refused || failed || *changes == Changes::default(),
            "a refusal changes something",
        )?;
        for entry in &changes.entries {
            let second = context.now.as_micros().div_euclid(SECOND) * SECOND;
            same("instant of an event", entry.event.at().as_micros(), second)?;
        }
        if let (Command::OpenWallet(open), false) = (seen.command, refused) {
            let begins = open.balance.map_or(0, minor);
            *self.topped.entry(open.id).or_default() += begins;
        }
        if let (Command::TopUp(top_up), false) = (seen.command, refused) {
            *self.topped.entry(top_up.wallet).or_default() += minor(top_up.amount);
        }
        if let Command::Configure(ConfigChange::PutPartner(partner)) = seen.command {
            let limited = partner.contract.limit_per_day.is_some();
            let always = self.limited.entry(partner.id).or_insert(true);
            *always = *always && limited;
        }
        if let Some(after) = &changes.slot {
            self.transition(seen, after, context)?;
        }
        self.refunds(seen, context)?;
        notifications::observe(seen, context)?;
        for entry in &changes.entries {
            for (account, sign) in [(entry.debit, -1), (entry.credit, 1)] {
                if let Account::PartnerPayable(partner) = account {
                    let key = (partner, entry.currency());
                    *self.payable.entry(key).or_default() += sign * minor(entry.amount);
                }
            }
        }
        Ok(())
    }

    /// Nothing to waiting, paid or mark; waiting to paid or closed; paid to closed, or to paid with
    /// other refunds. No other way.
    fn transition(
        &mut self,
        seen: &Seen<'_>,
        after: &Slot,
        context: &Context<'_>,
    ) -> Result<(), String> {
        let before = seen.set.slot(after.key());
        let (was, trade) = match (before, after) {
            (None, Slot::Mark(_)) => return Ok(()),
            (Some(_), Slot::Mark(_)) => return Err("a mark is put over something".to_owned()),
            (Some(Slot::Mark(_)), Slot::Trade(_)) => {
                return Err("a cancelled id has a trade".to_owned());
            }
            (None, Slot::Trade(trade)) => {
                created(trade, context)?;
                hold(self.codes.insert(trade.code.0), "a code pays twice")?;
                (TradeState::Waiting, trade)
            }
            (Some(Slot::Trade(old)), Slot::Trade(trade)) => {
                let unchanged = Trade {
                    state: old.state,
                    ..Trade::clone(trade)
                };
                hold(unchanged == **old, "more than the state of a trade changes")?;
                (old.state, trade)
            }
        };
        let created_at = trade.id.at().as_micros();
        match (was, trade.state) {
            (TradeState::Waiting, TradeState::Waiting) => hold(before.is_none(), "no change"),
            (TradeState::Waiting, TradeState::Paid(payment)) => {
                let in_time = context.now.as_micros() < created_at + 180 * SECOND;
                hold(in_time, "paid when it was over")?;
                paid(trade, &payment, context)
            }
            (TradeState::Waiting, TradeState::Closed { payment, .. }) => {
                same("payment of an unpaid trade", payment, None)
            }
            (TradeState::Paid(was), TradeState::Paid(payment)) => {
                let should = refunds::payment_after(trade, was, seen)?;
                same("a payment", payment, should)
            }
            (TradeState::Paid(was), TradeState::Closed { at, cause, payment }) => {
                same("instant of an end", at, context.now)?;
                let mut should = refunds::payment_after(trade, was, seen)?;
                match cause {
                    CloseCause::Expired | CloseCause::Declined => {
                        return Err("a paid trade is closed as unpaid".to_owned());
                    }
                    CloseCause::Refunded => {}
                    CloseCause::Cancelled(_) => {
                        should.refunded = trade.amount.money();
                        should.refunded_buyer = trade.buyer_amount().money();
                        should.commission_returned = was.commission;
                    }
                }
                same("what went back", payment, Some(should))
            }
            (TradeState::Paid(_), TradeState::Waiting) => Err("a paid trade waits".to_owned()),
            (TradeState::Closed { .. }, _) => Err("a closed trade changes".to_owned()),
        }
    }

    /// Checks all rows against each other.
    pub(super) fn whole(&self, rows: &Rows) -> Result<(), String> {
        events(&rows.entries)?;
        let mut expected = Nets::new();
        let mut add = |account, currency, net| {
            *expected.entry((account, currency)).or_default() += net;
        };
        for (id, topped) in &self.topped {
            let Some(wallet) = rows.wallets.get(id) else {
                return Err(format!("wallet {id} is gone"));
            };
            add(Account::Wallet(*id), wallet.balance.currency(), *topped);
            add(Account::TopUpClearing, wallet.balance.currency(), -topped);
        }
        let mut waiting = BTreeMap::new();
        for trade in trades(rows) {
            let own = rows.trade_entries(&trade.key);
            match trade.state {
                TradeState::Waiting => {
                    let due = trade.id.at().as_micros() + 180 * SECOND;
                    waiting.insert(trade.id, Timestamp::from_micros(due));
                    same("entries of a waiting trade", own.len(), 0)?;
                }
                TradeState::Paid(payment)
                | TradeState::Closed {
                    payment: Some(payment),
                    ..
                } => {
                    let should = nets_of_payment(trade, &payment);
                    same("books of a payment", nets(own), should.clone())?;
                    for ((account, currency), net) in should {
                        add(account, currency, net);
                    }
                }
                TradeState::Closed { payment: None, .. } => {
                    same("entries of an unpaid trade", own.len(), 0)?;
                }
            }
            refunds::of_trade(rows, trade)?;
            debits(rows, trade)?;
            hold(rows.shops.contains(&trade.shop), "a shop was not stored")?;
        }
        same("timers", &rows.timers, &waiting)?;
        expected.retain(|_, net| *net != 0);
        let is = nets(&rows.entries);
        for &currency in Currency::ALL {
            let of_currency = is.iter().filter(|((_, other), _)| *other == currency);
            same("sum of the books", of_currency.map(|(_, net)| net).sum(), 0)?;
        }
        same("books", &is, &expected)?;
        self.payables(&is)?;
        wallets(rows, &is)?;
        notifications::whole(rows)?;
        self.turnovers(rows)
    }

    /// What partners are owed, summed decision by decision, is what the entries say.
    fn payables(&self, nets: &Nets) -> Result<(), String> {
        let mut is = self.payable.clone();
        is.retain(|_, net| *net != 0);
        let should = nets.iter().filter_map(|((account, currency), net)| {
            let Account::PartnerPayable(partner) = *account else {
                return None;
            };
            Some(((partner, *currency), *net))
        });
        same("what partners are owed", is, should.collect())
    }

    /// A limited partner's day holds what was paid on it and did not go back on it.
    fn turnovers(&self, rows: &Rows) -> Result<(), String> {
        let mut expected: BTreeMap<(PartnerId, i64), i128> = BTreeMap::new();
        let limited = |partner| self.limited.get(&partner) == Some(&true);
        for trade in trades(rows).filter(|trade| limited(trade.key.partner)) {
            if let Some(payment) = trade.payment() {
                let date = day_of(payment.at);
                let back = refunds::back_on(rows, trade, date);
                let day = (trade.key.partner, date);
                *expected.entry(day).or_default() += minor(trade.amount) - back;
            }
        }
        expected.retain(|_, taken| *taken != 0);
        let kept = rows
            .turnovers
            .iter()
            .filter(|(key, _)| limited(key.partner));
        let is: BTreeMap<_, _> = kept
            .map(|(key, taken)| {
                (
                    (key.partner, key.date.as_days().into()),
                    taken.minor().into(),
                )
            })
            .filter(|(_, taken)| *taken != 0)
            .collect();
        same("turnovers", is, expected)
    }
}

/// A new trade's conversion, by the configuration of that moment.
fn created(trade: &Trade, context: &Context<'_>) -> Result<(), String> {
    let second = context.now.as_micros().div_euclid(SECOND) * SECOND;
    same("creation", trade.id.at().as_micros(), second)?;
    let (from, to) = (trade.amount.currency(), trade.inst.currency());
    if from == to {
        return same("what the buyer gives", trade.buyer_amount(), trade.amount);
    }
    let rate = rate_e8(context.config, from, to, day_of(context.now)).ok_or("no rate")?;
    let up = 10_i128.pow(to.exponent());
    let down = 10_i128.pow(from.exponent()) * 100_000_000;
    let gives = half_up(minor(trade.amount) * rate * up, down).max(1);
    same("what the buyer gives", minor(trade.buyer_amount()), gives)?;
    same("its currency", trade.buyer_amount().currency(), to)
}

fn rate_e8(config: &Config, from: Currency, to: Currency, day: i64) -> Option<i128> {
    let rates = config.rates.rates().iter();
    rates
        .filter(|rate| {
            rate.base == from && rate.quote == to && i64::from(rate.from.as_days()) <= day
        })
        .max_by_key(|rate| rate.from)
        .map(|rate| rate.rate.e8().into())
}

/// A payment's instant and commission.
fn paid(trade: &Trade, payment: &Payment, context: &Context<'_>) -> Result<(), String> {
    let contract = context.config.partner(trade.key.partner);
    let contract = &contract.ok_or("a stranger was paid")?.contract;
    let millionths = i128::from(contract.commission.millionths());
    let share = half_up(minor(trade.amount) * millionths, 1_000_000);
    same("commission", i128::from(payment.commission.minor()), share)?;
    same("instant of a payment", payment.at, context.now)?;
    let zero = Money::zero(trade.amount.currency());
    let nothing = [
        payment.refunded,
        payment.commission_returned,
        payment.refund_pending,
    ];
    same("what went back", nothing, [zero; 3])?;
    let zero = Money::zero(trade.buyer_amount().currency());
    same("what the buyer got back", payment.refunded_buyer, zero)
}

fn trades(rows: &Rows) -> impl Iterator<Item = &Trade> {
    rows.slots.values().filter_map(|slot| match slot {
        Slot::Trade(trade) => Some(&**trade),
        Slot::Mark(_) => None,
    })
}

/// At most one debit per trade, of the whole amount and at its event; and never more back.
fn debits(rows: &Rows, trade: &Trade) -> Result<(), String> {
    let own = rows.trade_entries(&trade.key);
    let wallet = Account::Wallet(trade.wallet);
    let took: Vec<_> = own.iter().filter(|entry| entry.debit == wallet).collect();
    let gave: Vec<_> = own.iter().filter(|entry| entry.credit == wallet).collect();
    let payment = trade.payment();
    same("debits of a trade", took.len(), payment.iter().count())?;
    for entry in took {
        same("cause of a debit", entry.cause, Cause::Payment)?;
        same("amount of a debit", entry.amount, trade.buyer_amount())?;
        same(
            "event of a debit",
            Some(entry.event),
            payment.map(|it| it.event),
        )?;
    }
    let back: i128 = gave.iter().map(|entry| minor(entry.amount)).sum();
    let should = payment.map_or(0, |payment| payment.refunded_buyer.minor().into());
    same("what the buyer got back", back, should)?;
    hold(back <= minor(trade.buyer_amount()), "more back than paid")?;
    let returns = |entry: &&&Entry| matches!(entry.cause, Cause::Cancel | Cause::Refund);
    let others = gave.iter().filter(|entry| !returns(entry)).count();
    same("credits for another cause", others, 0)?;
    let zero = own.iter().filter(|entry| minor(entry.amount) <= 0).count();
    same("entries without money", zero, 0)
}

/// The entries of an event are numbered from 0 and are about one trade.
fn events(entries: &[Entry]) -> Result<(), String> {
    let mut numbers: BTreeMap<i64, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        numbers.entry(entry.event.as_i64()).or_default().push(entry);
    }
    for entries in numbers.values() {
        for (place, entry) in entries.iter().enumerate() {
            same("number of an entry", usize::from(entry.number), place)?;
            same("trade of an event", entry.trade, entries[0].trade)?;
            hold(entry.number < Entry::PER_EVENT, "an event has many entries")?;
        }
    }
    Ok(())
}

/// Every balance equals its entries and is not below zero; what was spent counts what was paid.
fn wallets(rows: &Rows, nets: &Nets) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for wallet in rows.wallets.values() {
        hold(names.insert(&wallet.name), "two wallets have one name")?;
        let balance = wallet.balance;
        same(
            "currency of a wallet",
            balance.currency(),
            wallet.inst.currency(),
        )?;
        hold(balance.minor() >= 0, "a balance is below zero")?;
        let own = nets.get(&(Account::Wallet(wallet.id), balance.currency()));
        let entries = own.copied().unwrap_or(0);
        same("balance", i128::from(balance.minor()), entries)?;
        let (mut day, mut month) = (0, 0);
        for trade in trades(rows).filter(|trade| trade.wallet == wallet.id) {
            let Some(payment) = trade.payment() else {
                continue;
            };
            let date = payment.at.business_date();
            let on_day = i64::from(wallet.spent.date.as_days()) == day_of(payment.at);
            let in_month = month_of(wallet.spent.date) == month_of(date);
            let gives = minor(trade.buyer_amount()) - i128::from(payment.refunded_buyer.minor());
            day += if on_day { gives } else { 0 };
            month += if in_month { gives } else { 0 };
        }
        same(
            "spent on the day",
            i128::from(wallet.spent.day.minor()),
            day,
        )?;
        same(
            "spent in the month",
            i128::from(wallet.spent.month.minor()),
            month,
        )?;
    }
    for (id, device) in &rows.devices {
        same("alias of a device", *id, device.alias)?;
        hold(
            rows.wallets.contains_key(&device.wallet),
            "a device is nobody's",
        )?;
    }
    Ok(())
}

/// The totals of a batch are the sums of its entries, per line of the trial balance and date.
pub(super) fn totals(writes: &Writes) -> Result<(), String> {
    let line = |account| match account {
        Account::Wallet(_) => AccountTotal::AllWallets,
        Account::PartnerPayable(_)
        | Account::CommissionIncome
        | Account::FxClearing
        | Account::BankClearing
        | Account::TopUpClearing => AccountTotal::One(account),
    };
    let mut sums: BTreeMap<_, TotalMoved> = BTreeMap::new();
    for entry in &writes.entries {
        let day = i32::try_from(day_of(entry.event.at())).unwrap();
        let (currency, date) = (entry.currency(), CivilDate::from_days(day));
        let moved = entry.amount.money().minor();
        sums.entry((line(entry.debit), currency, date))
            .or_default()
            .debits += moved;
        sums.entry((line(entry.credit), currency, date))
            .or_default()
            .credits += moved;
    }
    same("totals", &writes.totals, &sums)
}
