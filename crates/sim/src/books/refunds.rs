//! Refunds, asked for, done and failed.

use std::collections::BTreeSet;

use super::half_up;
use super::rows::{ACCEPTED, Books, DONE, PAID, REFUND, Refund, Trade};
use super::trades::{moves, moves_back};

pub(super) fn numbers(books: &Books, broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for refund in &books.refunds {
        if !seen.insert((refund.partner, refund.partner_refund_id.as_str())) {
            broken.push(format!(
                "{} of {}",
                refund.partner_refund_id, refund.partner
            ));
        }
    }
}

fn sum(refunds: &[&Refund], state: i64, of: fn(&Refund) -> i64) -> i128 {
    let counted = refunds.iter().filter(|refund| refund.state == state);
    counted.map(|refund| i128::from(of(refund))).sum()
}

/// The paid trades with their refunds.
fn refunded(books: &Books) -> impl Iterator<Item = (&Trade, Vec<&Refund>)> {
    let mut refunds = books.refunds_by_trade();
    let paid = books.trades.iter().filter(|trade| trade.is_paid());
    paid.map(move |trade| (trade, refunds.remove(&trade.key).unwrap_or_default()))
}

pub(super) fn sums(books: &Books, broken: &mut Vec<String>) {
    for refund in &books.refunds {
        let trade = books.trade(refund.trade);
        let fits = trade.is_some_and(|trade| {
            (trade.partner, trade.currency) == (refund.partner, refund.currency)
        });
        if !fits || (refund.state == ACCEPTED) != refund.due.is_some() {
            broken.push(format!("refund {}", refund.key));
        }
    }
    for (trade, refunds) in refunded(books) {
        let pending = sum(&refunds, ACCEPTED, |refund| refund.amount);
        let done = (
            sum(&refunds, DONE, |refund| refund.amount),
            sum(&refunds, DONE, |refund| refund.buyer_amount),
            sum(&refunds, DONE, |refund| refund.commission_returned),
        );
        let said = (
            i128::from(trade.refunded),
            i128::from(trade.refunded_buyer),
            i128::from(trade.commission_returned),
        );
        // What a cancel gave back counts there as well; its own rule looks at it.
        let agrees = trade.is_cancelled() || said == done;
        let is_open = trade.state == PAID;
        let is_left = trade.refunded < trade.amount;
        if !agrees
            || pending != i128::from(trade.refund_pending)
            || is_open != is_left
            || (pending > 0 && !is_open)
        {
            broken.push(format!(
                "trade {} says {said:?}, its refunds {done:?} and {pending}",
                trade.key
            ));
        }
    }
}

pub(super) fn limit(books: &Books, broken: &mut Vec<String>) {
    for (trade, refunds) in refunded(books) {
        let of = |refund: &Refund| refund.amount;
        let back = sum(&refunds, ACCEPTED, of) + sum(&refunds, DONE, of);
        if back > i128::from(trade.amount) {
            broken.push(format!("trade {}: {back} of {}", trade.key, trade.amount));
        }
    }
}

pub(super) fn entries(books: &Books, broken: &mut Vec<String>) {
    for (trade, mut refunds) in refunded(books) {
        refunds.retain(|refund| refund.state == DONE);
        refunds.sort_by_key(|refund| refund.at);
        for refund in &refunds {
            let slice = (
                i128::from(refund.amount),
                i128::from(refund.buyer_amount),
                i128::from(refund.commission_returned),
            );
            let moved = refund.event.map(|event| moves(books.event(event)));
            let wanted = moves_back(trade, slice, REFUND);
            if moved != Some(wanted) || refund.buyer_currency != Some(trade.buyer_currency()) {
                broken.push(format!("refund {}", refund.key));
            }
        }
        shares(books, trade, &refunds, broken);
    }
}

/// After each refund what is back is the part of the whole that it has come to, half up; so no
/// number of small refunds gives more or less than one large one.
fn shares(books: &Books, trade: &Trade, refunds: &[&Refund], broken: &mut Vec<String>) {
    let partner = books.partners.get(&trade.partner);
    let is_returned = partner.is_some_and(|partner| partner.commission_on_refund == 1);
    let whole = i128::from(trade.amount);
    let (mut price, mut buyer, mut share) = (0, 0, 0);
    // Those of one instant are in no order among themselves.
    for together in refunds.chunk_by(|one, next| one.at == next.at) {
        price += sum(together, DONE, |refund| refund.amount);
        buyer += sum(together, DONE, |refund| refund.buyer_amount);
        share += sum(together, DONE, |refund| refund.commission_returned);
        let part = |of: i64| half_up(i128::from(of) * price, whole);
        let wanted = (
            part(trade.buyer_amount()),
            if is_returned {
                part(trade.commission)
            } else {
                0
            },
        );
        if (buyer, share) != wanted {
            broken.push(format!(
                "trade {}: {buyer} and {share}, not {wanted:?}",
                trade.key
            ));
        }
    }
}
