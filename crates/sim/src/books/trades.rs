//! Payments and cancels, one trade at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{
    Books, CANCEL, COMMISSION, COMMISSION_BACK, DONE, Entry, FX, INCOME, MARK, PAYMENT, Trade,
    WAITING,
};
use super::{DAY, SECOND, date, half_up, instant};

const MINUTE: i64 = 60 * SECOND;
const EIGHT_HOURS: i64 = 480 * MINUTE;
/// A rate of one.
const ONE: i64 = 100_000_000;

/// Debit, credit, amount, currency, cause.
type Move = (i64, i64, i128, i64, i64);

pub(super) fn moves(entries: &[Entry]) -> BTreeSet<Move> {
    let move_of = |entry: &Entry| {
        (
            entry.debit,
            entry.credit,
            i128::from(entry.amount),
            entry.currency,
            entry.cause,
        )
    };
    entries.iter().map(move_of).collect()
}

/// What goes back with a refund or a cancel: from the partner to the wallet, and our share.
pub(super) fn moves_back(
    trade: &Trade,
    (price, buyer, share): (i128, i128, i128),
    cause: i64,
) -> BTreeSet<Move> {
    let (wallet, payable) = (trade.wallet * 8 + 1, trade.partner * 8 + 2);
    let (currency, foreign) = (trade.currency, trade.buyer_currency());
    let mut moves = BTreeSet::new();
    if currency == foreign {
        moves.insert((payable, wallet, price, currency, cause));
    } else {
        moves.insert((payable, FX, price, currency, cause));
        moves.insert((FX, wallet, buyer, foreign, cause));
    }
    moves.insert((INCOME, payable, share, currency, COMMISSION_BACK));
    moves.retain(|(_, _, amount, ..)| *amount != 0);
    moves
}

fn paid(books: &Books) -> impl Iterator<Item = &Trade> {
    books.trades.iter().filter(|trade| trade.is_paid())
}

pub(super) fn one_debit(books: &Books, broken: &mut Vec<String>) {
    for trade in paid(books) {
        let (wallet, payable) = (trade.wallet * 8 + 1, trade.partner * 8 + 2);
        let (price, buyer) = (i128::from(trade.amount), i128::from(trade.buyer_amount()));
        let (currency, foreign) = (trade.currency, trade.buyer_currency());
        let wanted = if currency == foreign {
            BTreeSet::from([(wallet, payable, price, currency, PAYMENT)])
        } else {
            BTreeSet::from([
                (wallet, FX, buyer, foreign, PAYMENT),
                (FX, payable, price, currency, PAYMENT),
            ])
        };
        let event = books.event(trade.event);
        let count = event.iter().filter(|entry| entry.cause == PAYMENT).count();
        let mut moved = moves(event);
        moved.retain(|(.., cause)| *cause == PAYMENT);
        if moved != wanted || count != wanted.len() {
            broken.push(format!("trade {}: {moved:?}", trade.key));
        }
    }
}

/// Digits behind the point of a currency.
pub(super) fn decimals(currency: i64) -> u32 {
    match currency {
        // Yen, won, dong.
        392 | 410 | 704 => 0,
        _ => 2,
    }
}

pub(super) fn conversion(books: &Books, broken: &mut Vec<String>) {
    for trade in books.trades.iter().filter(|trade| trade.state != MARK) {
        let (from, to) = (trade.currency, trade.buyer_currency());
        let product = books
            .partners
            .get(&trade.partner)
            .map(|partner| partner.product);
        let fits = match (trade.rate, trade.buyer_amount) {
            (Some(rate), Some(buyer)) if from != to => {
                let numerator =
                    i128::from(trade.amount) * i128::from(rate) * 10_i128.pow(decimals(to));
                let whole = i128::from(ONE) * 10_i128.pow(decimals(from));
                half_up(numerator, whole).max(1) == i128::from(buyer)
            }
            (rate, buyer) if from == to && product == Some(1) => {
                rate == Some(ONE) && buyer == Some(trade.amount)
            }
            (None, None) => from == to,
            (Some(_) | None, _) => false,
        };
        if !fits {
            broken.push(format!("trade {} at {:?}", trade.key, trade.rate));
        }
    }
}

pub(super) fn commission(books: &Books, broken: &mut Vec<String>) {
    for trade in paid(books) {
        let partner = books.partners.get(&trade.partner);
        let rate = partner.map_or(0, |partner| partner.commission);
        let share = half_up(i128::from(trade.amount) * i128::from(rate), 1_000_000);
        let entries = books.event(trade.event).iter();
        let moved = entries.filter(|entry| entry.cause == COMMISSION);
        let moved: Vec<_> = moved
            .map(|entry| (entry.debit, i128::from(entry.amount), entry.currency))
            .collect();
        let wanted: Vec<_> = (share > 0)
            .then_some((trade.partner * 8 + 2, share, trade.currency))
            .into_iter()
            .collect();
        if share != i128::from(trade.commission) || moved != wanted {
            broken.push(format!(
                "trade {}: {} and {moved:?}, not {share}",
                trade.key, trade.commission
            ));
        }
    }
}

pub(super) fn numbers(books: &Books, broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for trade in &books.trades {
        if !seen.insert((trade.partner, trade.partner_trans_id.as_str())) {
            broken.push(format!("{} of {}", trade.partner_trans_id, trade.partner));
        }
    }
}

pub(super) fn codes(books: &Books, broken: &mut Vec<String>) {
    let mut seen = BTreeMap::new();
    for trade in &books.trades {
        let Some(code) = trade.code else { continue };
        // Digits come round again in time, so only trades of one day are compared.
        if let Some(first) = seen.insert(code, trade)
            && instant(trade.key) - instant(first.key) < DAY
        {
            broken.push(format!("trades {} and {}", first.key, trade.key));
        }
    }
}

/// Bytes of a window: alias, first slot, a bit per slot.
const WINDOW: usize = 20;

pub(super) fn code_marks(books: &Books, broken: &mut Vec<String>) {
    let mut trades: BTreeMap<i64, u32> = BTreeMap::new();
    for trade in books.trades.iter().filter(|trade| trade.state != MARK) {
        *trades.entry(trade.wallet).or_default() += 1;
    }
    for wallet in books.wallets.values() {
        let mut aliases = BTreeSet::new();
        let (mut marks, mut is_whole) = (0, true);
        for window in wallet.codes_used.chunks(WINDOW) {
            let (alias, bits) = (window.get(..4), window.get(12..WINDOW));
            let alias = alias.and_then(|bytes| bytes.try_into().ok());
            let alias = alias.map_or(-1, |bytes| i64::from(u32::from_be_bytes(bytes)));
            is_whole &= aliases.insert(alias) && books.devices.get(&alias) == Some(&wallet.id);
            let ones = bits
                .unwrap_or_default()
                .iter()
                .map(|byte| byte.count_ones());
            marks += ones.sum::<u32>();
        }
        let made = trades.get(&wallet.id).copied().unwrap_or(0);
        // The last trade's code is always remembered, older ones for as long as they could pay.
        if !is_whole || marks > made || (marks == 0) != (made == 0) {
            broken.push(format!(
                "wallet {}: {marks} marks of {made} trades",
                wallet.id
            ));
        }
    }
}

pub(super) fn instants(books: &Books, broken: &mut Vec<String>) {
    let trades = books.trades.iter().map(|trade| instant(trade.key));
    let entries = books.entries.iter().map(Entry::at);
    let closed = books.trades.iter().filter_map(|trade| trade.closed_at);
    let last = trades.chain(entries).chain(closed).max().unwrap_or(0);
    if last > books.committed_at {
        broken.push(format!("{last} is after {}", books.committed_at));
    }
}

pub(super) fn unpaid(books: &Books, broken: &mut Vec<String>) {
    let moved: BTreeSet<i64> = books
        .entries
        .iter()
        .filter_map(|entry| entry.trade)
        .collect();
    let refunds = books.refunds_by_trade();
    for trade in books.trades.iter().filter(|trade| !trade.is_paid()) {
        let sums = [
            trade.commission,
            trade.refunded,
            trade.refunded_buyer,
            trade.commission_returned,
            trade.refund_pending,
        ];
        // A waiting trade is paid when its buyer says so; a paid one says when.
        let is_open = trade.state == super::rows::PAID;
        if is_open
            || moved.contains(&trade.key)
            || sums != [0; 5]
            || refunds.contains_key(&trade.key)
        {
            broken.push(format!("trade {}", trade.key));
        }
    }
}

pub(super) fn cancelled(books: &Books, broken: &mut Vec<String>) {
    let mut events: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for entry in books.entries.iter().filter(|entry| entry.cause == CANCEL) {
        if let Some(trade) = entry.trade {
            events.entry(trade).or_default().insert(entry.event);
        }
    }
    let refunds = books.refunds_by_trade();
    for trade in paid(books) {
        let events: Vec<i64> = events.remove(&trade.key).into_iter().flatten().collect();
        let refunds = refunds
            .get(&trade.key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let back = |of: fn(&super::rows::Refund) -> i64| -> i128 {
            let done = refunds.iter().filter(|refund| refund.state == DONE);
            done.map(|refund| i128::from(of(refund))).sum()
        };
        let fits = if trade.is_cancelled() {
            let rest = (
                i128::from(trade.amount) - back(|refund| refund.amount),
                i128::from(trade.buyer_amount()) - back(|refund| refund.buyer_amount),
                i128::from(trade.commission) - back(|refund| refund.commission_returned),
            );
            let [event] = events.as_slice() else {
                broken.push(format!(
                    "trade {} gave back {} times",
                    trade.key,
                    events.len()
                ));
                continue;
            };
            moves(books.event(*event)) == moves_back(trade, rest, CANCEL)
                && (
                    trade.refunded,
                    trade.refunded_buyer,
                    trade.commission_returned,
                ) == (trade.amount, trade.buyer_amount(), trade.commission)
        } else {
            events.is_empty()
        };
        if !fits {
            broken.push(format!("trade {}", trade.key));
        }
    }
}

pub(super) fn cancelled_in_time(books: &Books, broken: &mut Vec<String>) {
    for trade in paid(books).filter(|trade| trade.is_cancelled()) {
        let made = instant(trade.key);
        let midnight = (date(made) + 1) * DAY - EIGHT_HOURS;
        let end = midnight.max(made + 15 * MINUTE);
        // The number says the second of creation.
        if trade
            .closed_at
            .is_none_or(|at| at < trade.paid_at() || at >= end)
        {
            broken.push(format!(
                "trade {} closed at {:?}",
                trade.key, trade.closed_at
            ));
        }
    }
}

pub(super) fn timers(books: &Books, broken: &mut Vec<String>) {
    let waiting = books.trades.iter().filter(|trade| trade.state == WAITING);
    let wanted: BTreeSet<(i64, i64)> = waiting
        .map(|trade| (instant(trade.key) + 3 * MINUTE, trade.key))
        .collect();
    let found = books.timers.iter().copied().collect();
    for (due, trade) in wanted.symmetric_difference(&found) {
        broken.push(format!("trade {trade} at {due}"));
    }
}
