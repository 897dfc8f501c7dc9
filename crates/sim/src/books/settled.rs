//! Settlement batches against the entries of their days.

use std::collections::BTreeSet;

use super::date;
use super::rows::{
    BANK, Batch, Books, CANCEL, COMMISSION, COMMISSION_BACK, Entry, PAYMENT, REFUND, SETTLEMENT,
};

/// The entries on a partner's account that a settlement counts.
fn owed<'a>(books: &'a Books, batch: &'a Batch) -> impl Iterator<Item = &'a Entry> {
    let account = batch.partner * 8 + 2;
    books.entries.iter().filter(move |entry| {
        (entry.debit == account || entry.credit == account)
            && entry.currency == batch.currency
            && entry.cause != SETTLEMENT
    })
}

fn net(batch: &Batch) -> i128 {
    i128::from(batch.gross) - i128::from(batch.refunds) - i128::from(batch.commission)
        + i128::from(batch.commission_back)
}

/// Each batch with the one before it on the same account.
fn in_turn(books: &Books) -> impl Iterator<Item = (Option<&Batch>, &Batch)> {
    let mut before: Option<&Batch> = None;
    books.batches.iter().map(move |batch| {
        let account = |batch: &Batch| (batch.partner, batch.currency);
        let own = before.filter(|before| account(before) == account(batch));
        before = Some(batch);
        (own, batch)
    })
}

pub(super) fn sums(books: &Books, broken: &mut Vec<String>) {
    for batch in &books.batches {
        let days = batch.first..=batch.last;
        let (mut gross, mut back, mut share, mut share_back) = (0, 0, 0, 0);
        let mut events = BTreeSet::new();
        for entry in owed(books, batch).filter(|entry| days.contains(&date(entry.at()))) {
            let amount = i128::from(entry.amount);
            match entry.cause {
                PAYMENT => gross += amount,
                REFUND | CANCEL => back += amount,
                COMMISSION => share += amount,
                COMMISSION_BACK => share_back += amount,
                _ => {}
            }
            events.insert(entry.event);
        }
        let said = [
            batch.gross,
            batch.refunds,
            batch.commission,
            batch.commission_back,
            batch.count,
        ];
        let count = i128::try_from(events.len()).unwrap_or(i128::MAX);
        let wanted = [gross, back, share, share_back, count];
        if said.map(i128::from) != wanted {
            broken.push(format!(
                "batch {} says {said:?}, its days {wanted:?}",
                batch.key
            ));
        }
    }
}

pub(super) fn once(books: &Books, broken: &mut Vec<String>) {
    for (before, batch) in in_turn(books) {
        let after = before.map_or(i64::MIN, |before| before.last);
        let fits = batch.first <= batch.last
            && batch.first > after
            && batch.last < batch.date
            && batch.last < date(super::instant(batch.key));
        // What moved between two batches would never be settled.
        let is_left_out = owed(books, batch)
            .map(|entry| date(entry.at()))
            .any(|day| day > after && day < batch.first);
        if !fits || is_left_out {
            broken.push(format!(
                "batch {} of {} to {}",
                batch.key, batch.first, batch.last
            ));
        }
    }
}

pub(super) fn paid_out(books: &Books, broken: &mut Vec<String>) {
    for (before, batch) in in_turn(books) {
        let carried = before.map_or(0, |before| {
            i128::from(before.carried_in) + net(before) - i128::from(before.paid_out)
        });
        let wanted = (carried + net(batch)).max(0);
        let moved: Vec<_> = books
            .event(batch.key)
            .iter()
            .map(|entry| {
                (
                    entry.debit,
                    entry.credit,
                    i128::from(entry.amount),
                    entry.currency,
                )
            })
            .collect();
        let entries: Vec<_> = (wanted > 0)
            .then_some((batch.partner * 8 + 2, BANK, wanted, batch.currency))
            .into_iter()
            .collect();
        let said = (i128::from(batch.carried_in), i128::from(batch.paid_out));
        if said != (carried, wanted) || moved != entries {
            broken.push(format!(
                "batch {} says {said:?}, not {:?}; {moved:?}",
                batch.key,
                (carried, wanted)
            ));
        }
    }
}
