//! Lists that are filled behind the commits: up to their cursors they are whole.

use std::collections::BTreeSet;

use super::rows::{Books, CANCEL, MARK, PAYMENT, REFUND};

const KIND_PAYABLE: i64 = 2;

pub(super) fn activity(books: &Books, broken: &mut Vec<String>) {
    let listed = books
        .trades
        .iter()
        .filter(|trade| trade.state != MARK && trade.key <= books.activity_cursor);
    let wanted: BTreeSet<(i64, i64)> = listed
        .flat_map(|trade| {
            [
                (trade.wallet * 8 + 1, trade.key),
                (trade.partner * 8 + 2, trade.key),
            ]
        })
        .collect();
    let found = books.activity.iter().copied().collect();
    for (account, trade) in wanted.symmetric_difference(&found) {
        broken.push(format!("trade {trade} on account {account}"));
    }
}

pub(super) fn statement(books: &Books, broken: &mut Vec<String>) {
    let mut wanted = BTreeSet::new();
    for entry in &books.entries {
        let is_listed =
            matches!(entry.cause, PAYMENT | REFUND | CANCEL) && entry.key <= books.statement_cursor;
        let account = [entry.debit, entry.credit]
            .into_iter()
            .find(|account| account % 8 == KIND_PAYABLE);
        if let (true, Some(account), Some(trade)) = (is_listed, account, entry.trade) {
            wanted.insert((account / 8, entry.event, trade));
        }
    }
    let found = books.statement.iter().copied().collect();
    for (partner, event, trade) in wanted.symmetric_difference(&found) {
        broken.push(format!("event {event} of trade {trade} for {partner}"));
    }
}
