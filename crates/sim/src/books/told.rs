//! Notifications, and how far their deliveries have come.

use std::collections::BTreeMap;

use super::SECOND;
use super::rows::{Books, DONE, Notification, Trade};

const HOUR: i64 = 3_600 * SECOND;
/// From one delivery to the next; after the last of these eight nothing comes.
const LADDER: [i64; 7] = [
    120 * SECOND,
    600 * SECOND,
    600 * SECOND,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    15 * HOUR,
];
/// The asynchronous mode of a refund.
const ASYNC: i64 = 1;

/// What was told: the trade, what of it, and which refund.
type Told = (i64, i64, Option<i64>);

/// Whether it was told of something that nobody needs to hear, or not told of what must be heard.
/// A contract's address may have come after the event, the request's own was there.
fn is_wrong(count: usize, is_due: bool, own: Option<&String>, contract: Option<&String>) -> bool {
    let (least, most) = match (is_due, own, contract) {
        (true, Some(_), _) => (1, 1),
        (true, None, Some(_)) => (0, 1),
        // The contract's address may be gone again.
        (true, None, None) => (0, 1),
        (false, ..) => (0, 0),
    };
    count < least || count > most
}

pub(super) fn once(books: &Books, broken: &mut Vec<String>) {
    let mut told: BTreeMap<Told, Vec<&Notification>> = BTreeMap::new();
    for notification in &books.notifications {
        let what = (
            notification.trade,
            notification.tidings,
            notification.refund,
        );
        told.entry(what).or_default().push(notification);
    }
    let contract = |partner: i64| {
        books
            .partners
            .get(&partner)
            .and_then(|partner| partner.notify_url.as_ref())
    };
    for trade in &books.trades {
        let (own, contract) = (trade.notify_url.as_ref(), contract(trade.partner));
        let is_closed_by_itself = trade.state == 2 && matches!(trade.close_cause, Some(1 | 2));
        for (tidings, is_due) in [(0, trade.is_paid()), (1, is_closed_by_itself)] {
            let rows = told.remove(&(trade.key, tidings, None)).unwrap_or_default();
            let is_of_event = rows.iter().all(|row| is_of(row, trade, tidings));
            if is_wrong(rows.len(), is_due, own, contract) || !is_of_event {
                broken.push(format!(
                    "trade {}: {} times told {tidings}",
                    trade.key,
                    rows.len()
                ));
            }
        }
    }
    for refund in &books.refunds {
        let (own, contract) = (refund.notify_url.as_ref(), contract(refund.partner));
        let what = (refund.trade, 2, Some(refund.key));
        let rows = told.remove(&what).unwrap_or_default();
        let is_due = refund.mode == ASYNC && refund.state == DONE;
        let is_of_event = rows
            .iter()
            .all(|row| Some(row.key) == refund.event && row.partner == refund.partner);
        if is_wrong(rows.len(), is_due, own, contract) || !is_of_event {
            broken.push(format!("refund {}: told {} times", refund.key, rows.len()));
        }
    }
    for (what, _) in told {
        broken.push(format!("{what:?} never happened"));
    }
}

fn is_of(row: &Notification, trade: &Trade, tidings: i64) -> bool {
    row.partner == trade.partner && (tidings != 0 || row.key == trade.event)
}

pub(super) fn deliveries(books: &Books, broken: &mut Vec<String>) {
    let keys: Vec<i64> = books.notifications.iter().map(|row| row.key).collect();
    for key in books.deliveries.keys() {
        if keys.binary_search(key).is_err() {
            broken.push(format!("deliveries of {key}, which is no notification"));
        }
    }
    for row in &books.notifications {
        let sent = books
            .deliveries
            .get(&row.key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let first = super::instant(row.key);
        let mut at = first;
        let mut is_in_turn = true;
        for (delivery, number) in sent.iter().zip(1_i64..) {
            // What is sent by hand after the end is not followed by more.
            let gap = usize::try_from(number - 1)
                .ok()
                .and_then(|sent| LADDER.get(sent));
            let is_on_ladder = delivery
                .next_at
                .is_none_or(|next| gap.is_some_and(|gap| next == delivery.at + gap));
            is_in_turn &= delivery.attempt == number && delivery.at >= at && is_on_ladder;
            at = delivery.at;
        }
        let heard = sent.iter().any(|delivery| {
            delivery
                .status
                .is_some_and(|status| (200..=299).contains(&status))
                && delivery.body.trim().eq_ignore_ascii_case("success")
        });
        let is_all = i64::try_from(sent.len()) == Ok(row.attempts);
        let rests = usize::try_from(row.attempts).is_ok_and(|attempts| attempts > LADDER.len());
        let is_there = match row.state {
            0 => !heard && !rests && row.next_at.is_some_and(|next| next >= at),
            1 => heard,
            2 => !heard && rests,
            _ => false,
        };
        if !is_in_turn || !is_all || !is_there {
            broken.push(format!(
                "notification {} in state {} after {}",
                row.key,
                row.state,
                sent.len()
            ));
        }
    }
}
