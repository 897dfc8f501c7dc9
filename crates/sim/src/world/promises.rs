//! What the gateway said to the outside, held against its rows: what was answered is stored.

use std::collections::BTreeMap;

use spotpay_client::{
    Call, HttpAnswer, Outcome, PartnerTransId, Refunding, Reply, Settings, TradeStatus,
};
use spotpay_core::id::PartnerId;

use super::till::{Belief, Refunded, Till};
use crate::books::{Books, Sight};

type Key = (PartnerId, PartnerTransId);

/// Everything that was ever promised, whoever heard it.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Each with the number of the answer that said it first.
    paid: BTreeMap<Key, u64>,
    closed: BTreeMap<Key, u64>,
    /// By number: minor units, and whether they were given back at once. What is only accepted may
    /// still be overtaken by a cancel.
    refunds: BTreeMap<(PartnerId, String), (i64, bool)>,
    /// Answers that were not faults.
    pub(super) answers: u64,
}

impl Promises {
    /// Takes an answer down as it leaves the gateway. One that breaks a promise is told, if the
    /// promise was out before the question came, after so many answers: what is asked at the same
    /// time may be answered in any order.
    pub(super) fn hear(
        &mut self,
        settings: &Settings,
        call: &Call,
        answer: &HttpAnswer,
        asked_after: u64,
    ) -> Result<(), String> {
        let partner = settings.partner;
        match call.open(settings, Ok(answer.clone())) {
            Reply::Pay(Outcome::Success(receipt)) => {
                self.pays((partner, receipt.partner_trans_id), asked_after)
            }
            Reply::Query(Outcome::Success(found)) => {
                let key = (partner, found.partner_trans_id);
                match found.status {
                    TradeStatus::TradeSuccess => self.pays(key, asked_after),
                    TradeStatus::TradeClosed => {
                        self.closes(key);
                        Ok(())
                    }
                    TradeStatus::WaitBuyerPay
                        if was_said(&self.paid, &key, asked_after)
                            || was_said(&self.closed, &key, asked_after) =>
                    {
                        Err(format!("{} waits after its end", key.1))
                    }
                    TradeStatus::WaitBuyerPay => Ok(()),
                }
            }
            Reply::Cancel(Outcome::Success(_)) => {
                if let Call::Cancel(request) = call
                    && let Some(id) = &request.partner_trans_id
                {
                    self.closes((partner, id.clone()));
                }
                Ok(())
            }
            Reply::Refund(Outcome::Success(refunding)) => {
                self.refunds_one(partner, &refunding);
                Ok(())
            }
            Reply::Pay(_)
            | Reply::Query(_)
            | Reply::Cancel(_)
            | Reply::Refund(_)
            | Reply::RefundQuery(_)
            | Reply::RegisterStore(_)
            | Reply::StoreStatus(_) => Ok(()),
            reply => unreachable!("an answer that nobody knows: {reply:?}"),
        }
    }

    fn pays(&mut self, key: Key, asked_after: u64) -> Result<(), String> {
        if was_said(&self.closed, &key, asked_after) {
            return Err(format!("{} is paid after it was closed", key.1));
        }
        self.answers += 1;
        self.paid.entry(key).or_insert(self.answers);
        Ok(())
    }

    fn closes(&mut self, key: Key) {
        self.answers += 1;
        self.closed.entry(key).or_insert(self.answers);
    }

    fn refunds_one(&mut self, partner: PartnerId, refunding: &Refunding) {
        self.answers += 1;
        let receipt = refunding.receipt();
        let number = receipt.partner_refund_id.to_string();
        let is_done = matches!(refunding, Refunding::Refunded(_));
        let amount = receipt.amount.money().minor();
        self.refunds.insert((partner, number), (amount, is_done));
    }

    /// Every promise that the rows do not keep.
    pub(super) fn broken(&self, books: &Books) -> Vec<String> {
        let mut broken = Vec::new();
        let sights = books.sights();
        for key in self.paid.keys() {
            if sights.get(&place(key)).is_none_or(|sight| !sight.was_paid) {
                broken.push(format!("{} was answered as paid and is not", key.1));
            }
        }
        for key in self.closed.keys() {
            if sights
                .get(&place(key))
                .is_none_or(|sight| sight.left != 0 || !sight.is_over)
            {
                broken.push(format!("{} was answered as closed and is not", key.1));
            }
        }
        for ((partner, number), (amount, is_done)) in &self.refunds {
            let found = books.refund(partner.number(), number);
            if found.is_none_or(|(there, done)| there != *amount || (*is_done && !done)) {
                broken.push(format!(
                    "refund {number} of {amount} was answered and is not there"
                ));
            }
        }
        broken
    }
}

/// Whether something was answered within so many answers.
fn was_said(said: &BTreeMap<Key, u64>, key: &Key, within: u64) -> bool {
    said.get(key).is_some_and(|number| *number <= within)
}

fn place(key: &Key) -> (u64, &str) {
    (key.0.number(), key.1.as_str())
}

/// Where a till believes something else than the rows say, once all is quiet.
pub(super) fn misbeliefs(till: &Till, books: &Books) -> Vec<String> {
    let sights = books.sights();
    let partner = till.settings.partner.number();
    let mut wrong = Vec::new();
    for (id, sold) in &till.sold {
        let left = sights
            .get(&(partner, id.as_str()))
            .map_or(0, |sight: &Sight| sight.left);
        let amount = sold.amount.money().minor();
        let sum = |which: Refunded| -> i64 {
            let refunds = sold.refunds.values();
            let of = refunds.filter(|(_, what)| *what == which);
            of.map(|(amount, _)| amount.money().minor()).sum()
        };
        let most = amount - sum(Refunded::Yes);
        let least = (most - sum(Refunded::Unsure)).max(0);
        let is_right = match sold.state {
            Belief::Paid => least <= left && left <= most,
            Belief::NotPaid | Belief::Cancelled => left == 0,
            Belief::Unsure => true,
            Belief::Open => false,
        };
        if !is_right {
            wrong.push(format!(
                "{id}: the till believes {:?}, {least} to {most}; the shop has {left}",
                sold.state
            ));
        }
    }
    wrong
}
