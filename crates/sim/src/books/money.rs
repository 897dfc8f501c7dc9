//! The ledger, its totals, and what the wallets say of themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{
    Books, CANCEL, COMMISSION, COMMISSION_BACK, DONE, PAYMENT, REFUND, SETTLEMENT, TOP_UP,
    wallet_currency,
};
use super::{DAY, SECOND, date};

const KINDS: i64 = 8;
const KIND_WALLET: i64 = 1;

pub(super) fn sides(books: &Books, broken: &mut Vec<String>) {
    for entry in &books.entries {
        let kinds = (entry.debit % KINDS, entry.credit % KINDS);
        let fits = match entry.cause {
            TOP_UP => kinds == (6, 1),
            PAYMENT => matches!(kinds, (1, 2 | 4) | (4, 2)),
            COMMISSION => kinds == (2, 3),
            CANCEL | REFUND => matches!(kinds, (2, 1 | 4) | (4, 1)),
            COMMISSION_BACK => kinds == (3, 2),
            SETTLEMENT => kinds == (2, 5),
            _ => false,
        };
        let in_its_currency = [entry.debit, entry.credit].iter().all(|account| {
            let wallet = books.wallets.get(&(account / KINDS));
            account % KINDS != KIND_WALLET
                || wallet.is_some_and(|wallet| wallet_currency(wallet.inst) == entry.currency)
        });
        if !fits || !in_its_currency || entry.amount <= 0 {
            broken.push(format!("entry {}", entry.key));
        }
    }
}

pub(super) fn totals(books: &Books, broken: &mut Vec<String>) {
    // All wallets are one line.
    let line = |account: i64| {
        if account % KINDS == KIND_WALLET {
            0
        } else {
            account
        }
    };
    let mut left: BTreeMap<(i64, i64, i64), (i128, i128)> = BTreeMap::new();
    let mut sums: BTreeMap<i64, i128> = BTreeMap::new();
    for total in &books.totals {
        let (debits, credits) = left
            .entry((total.account, total.currency, total.date))
            .or_default();
        *debits += i128::from(total.debits);
        *credits += i128::from(total.credits);
        *sums.entry(total.currency).or_default() +=
            i128::from(total.credits) - i128::from(total.debits);
    }
    for entry in &books.entries {
        let amount = i128::from(entry.amount);
        let key = |account| (line(account), entry.currency, date(entry.at()));
        left.entry(key(entry.debit)).or_default().0 -= amount;
        left.entry(key(entry.credit)).or_default().1 -= amount;
    }
    left.retain(|_, rest| *rest != (0, 0));
    for ((account, currency, date), rest) in left {
        broken.push(format!(
            "account {account} in {currency} on {date}: off by {rest:?}"
        ));
    }
    sums.retain(|_, sum| *sum != 0);
    for (currency, sum) in sums {
        broken.push(format!("{currency} sums to {sum}"));
    }
}

/// What each wallet took less what it gave, second by second.
fn moves(books: &Books) -> BTreeMap<i64, BTreeMap<i64, i128>> {
    let mut moves: BTreeMap<i64, BTreeMap<i64, i128>> = BTreeMap::new();
    for entry in &books.entries {
        let amount = i128::from(entry.amount);
        for (account, amount) in [(entry.debit, -amount), (entry.credit, amount)] {
            if account % KINDS == KIND_WALLET {
                let seconds = moves.entry(account / KINDS).or_default();
                *seconds.entry(entry.at()).or_default() += amount;
            }
        }
    }
    moves
}

pub(super) fn balance(books: &Books, broken: &mut Vec<String>) {
    let moves = moves(books);
    for wallet in books.wallets.values() {
        let moved: i128 = moves
            .get(&wallet.id)
            .map_or(0, |seconds| seconds.values().sum());
        if i128::from(wallet.balance) != moved {
            let (id, balance) = (wallet.id, wallet.balance);
            broken.push(format!("wallet {id} has {balance}, its entries {moved}"));
        }
    }
}

pub(super) fn below_zero(books: &Books, broken: &mut Vec<String>) {
    for (wallet, seconds) in moves(books) {
        let mut has = 0;
        for (at, moved) in seconds {
            has += moved;
            if has < 0 {
                broken.push(format!("wallet {wallet} has {has} at {at}"));
                break;
            }
        }
    }
}

fn month(date: i64) -> (i64, i64) {
    let (year, month, _) = civil(date);
    (year, month)
}

/// Year, month and day of days since 1970, by the civil calendar.
pub(super) fn civil(date: i64) -> (i64, i64, i64) {
    // Days from the first of March of the year 0, in eras of 400 years.
    let day = date + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let (month, next) = if from_march < 10 {
        (from_march + 3, 0)
    } else {
        (from_march - 9, 1)
    };
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    (year + era * 400 + next, month, day)
}

pub(super) fn spent(books: &Books, broken: &mut Vec<String>) {
    // By wallet and the date of the payment, less what went back of it since.
    let mut spent: BTreeMap<i64, BTreeMap<i64, i128>> = BTreeMap::new();
    for entry in &books.entries {
        let trade = entry.trade.and_then(|trade| books.trade(trade));
        let Some(trade) = trade.filter(|trade| trade.is_paid()) else {
            continue;
        };
        let amount = i128::from(entry.amount);
        for (account, amount) in [(entry.debit, amount), (entry.credit, -amount)] {
            if account % KINDS == KIND_WALLET {
                let days = spent.entry(account / KINDS).or_default();
                *days.entry(date(trade.paid_at())).or_default() += amount;
            }
        }
    }
    for wallet in books.wallets.values() {
        let nothing = BTreeMap::new();
        let days = spent.get(&wallet.id).unwrap_or(&nothing);
        let last = days.keys().next_back().copied();
        let day = last.and_then(|last| days.get(&last)).copied().unwrap_or(0);
        let of_month = days
            .iter()
            .filter(|(date, _)| last.is_some_and(|last| month(**date) == month(last)));
        let of_month: i128 = of_month.map(|(_, amount)| amount).sum();
        let said = (i128::from(wallet.spent_day), i128::from(wallet.spent_month));
        let on_its_day = last.is_none_or(|last| last == wallet.spent_date);
        if said != (day, of_month) || !on_its_day {
            let id = wallet.id;
            broken.push(format!(
                "wallet {id} says {said:?}, spent {day} and {of_month}"
            ));
        }
    }
}

pub(super) fn explained(books: &Books, broken: &mut Vec<String>) {
    let done = books.refunds.iter().filter(|refund| refund.state == DONE);
    let refunds: BTreeMap<i64, i64> = done
        .filter_map(|refund| Some((refund.event?, refund.trade)))
        .collect();
    let batches: BTreeSet<i64> = books.batches.iter().map(|batch| batch.key).collect();
    for entry in &books.entries {
        let trade = entry.trade.and_then(|trade| books.trade(trade));
        let fits = match entry.cause {
            TOP_UP => entry.trade.is_none(),
            PAYMENT | COMMISSION => {
                trade.is_some_and(|trade| trade.is_paid() && trade.event == entry.event)
            }
            CANCEL => trade.is_some_and(|trade| trade.is_paid() && trade.is_cancelled()),
            REFUND => refunds.get(&entry.event).copied() == entry.trade,
            COMMISSION_BACK => {
                let mut beside = books.event(entry.event).iter();
                trade.is_some()
                    && beside.any(|other| {
                        matches!(other.cause, CANCEL | REFUND) && other.trade == entry.trade
                    })
            }
            SETTLEMENT => entry.trade.is_none() && batches.contains(&entry.event),
            // The rule of the sides says so.
            _ => true,
        };
        if !fits {
            broken.push(format!("entry {} of cause {}", entry.key, entry.cause));
        }
    }
    for trade in books.trades.iter().filter(|trade| trade.is_paid()) {
        let second = trade.paid_at().div_euclid(SECOND) * SECOND;
        if second != super::instant(trade.event) || second >= super::instant(trade.key) + DAY {
            broken.push(format!("trade {} was paid at another instant", trade.key));
        }
    }
}
