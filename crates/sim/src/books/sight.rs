//! What an outsider may ask of a store's file: where a trade stands, and what a refund gave back.

use std::collections::BTreeMap;

use super::rows::{Books, DONE, MARK, PAID};

/// A trade as an outsider sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    /// The buyer has paid, whatever came later.
    pub was_paid: bool,
    /// It will not change any more by a payment.
    pub is_over: bool,
    /// What of the price the shop keeps, in minor units; accepted refunds are taken off.
    pub left: i64,
}

impl Books {
    /// Every trade by the digits of its partner behind 2088 and the partner's number.
    pub fn sights(&self) -> BTreeMap<(u64, &str), Sight> {
        let sights = self.trades.iter().map(|trade| {
            let left = if trade.state == PAID {
                trade.amount - trade.refunded - trade.refund_pending
            } else {
                0
            };
            let sight = Sight {
                was_paid: trade.is_paid(),
                is_over: trade.state == MARK || trade.closed_at.is_some(),
                left,
            };
            let partner = u64::try_from(trade.partner).unwrap_or(0);
            ((partner, trade.partner_trans_id.as_str()), sight)
        });
        sights.collect()
    }

    /// The minor units of a refund, and whether it is done.
    pub fn refund(&self, partner: u64, number: &str) -> Option<(i64, bool)> {
        let found = self.refunds.iter().find(|refund| {
            u64::try_from(refund.partner) == Ok(partner) && refund.partner_refund_id == number
        });
        found.map(|refund| (refund.amount, refund.state == DONE))
    }

    /// Notifications that still wait to be sent.
    pub fn letters_waiting(&self) -> usize {
        let waiting = self.notifications.iter();
        waiting.filter(|found| found.next_at.is_some()).count()
    }

    /// Trades, refunds, batches and files, for whoever counts.
    pub fn counts(&self) -> [usize; 4] {
        [
            self.trades.len(),
            self.refunds.len(),
            self.batches.len(),
            self.published.len(),
        ]
    }
}
