//! The checkout as a machine: pay, query while unknown, cancel at the limit (`spec/09`).
//!
//! It holds no clock, no socket and no file: it says what to do next, is told what came of it, and
//! changes by nothing else. [`crate::Client`] drives it with real time, a simulation with its own.
//!
//! What it keeps to, whatever is lost, late or doubled:
//! * [`Ending::NotPaid`] is reported only when no request that may still arrive can take money:
//!   after a refusal of the only pay, after a closed trade, after a cancel or a full refund that
//!   succeeded.
//! * [`Ending::Paid`] is reported only when no cancel and no refund may still arrive.
//! * What can no longer be cancelled is refunded (`spec/13`, 5), under one number until the gateway
//!   has refused that number for good.
//! * Everything else is [`Ending::Unknown`], which stays open in the journal.

use std::num::NonZeroU64;

use spotpay_core::id::PartnerTransId;
use spotpay_core::money::{Amount, Currency};
use spotpay_core::payment_code::PaymentCode;
use spotpay_core::time::Timestamp;
use spotpay_wire::code::{
    CONTEXT_INCONSISTENT, Retry, SYSTEM_ERROR, TRADE_BUYER_NOT_MATCH, TRADE_CANCEL_TIME_OUT,
    TRADE_HAS_CLOSE,
};
use spotpay_wire::pay::{self, CodeType, StoreData};
use spotpay_wire::query::{Found, TradeStatus};
use spotpay_wire::trade_no::TradeNo;

use crate::ask::Cancelled;
use crate::call::{Call, Reply};
use crate::journal::{CheckoutKey, Fact, FactKind, OpenCheckout};
use crate::outcome::{Doubt, Ending, NotPaid, Outcome, Receipt, Refusal, Stuck};
use crate::refunding::{LastResort, RefundOrder, Refunding, is_spent};
use crate::settings::Settings;

/// What a till wants to be paid for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Sale {
    /// The partner's number for the trade, new for each sale.
    pub partner_trans_id: PartnerTransId,
    /// The price.
    pub amount: Amount,
    /// The title in the wallet's bill.
    pub name: Box<str>,
    /// What the scanner read.
    pub code: PaymentCode,
    /// How it was shown; gateways take `barcode` for both.
    pub code_type: CodeType,
    /// The list currency, which standard contracts know.
    pub trans_currency: Option<Currency>,
    /// Number of goods.
    pub quantity: Option<NonZeroU64>,
    /// The partner's note.
    pub memo: Option<Box<str>>,
    /// When the order was made.
    pub created_at: Option<Timestamp>,
    /// Where the partner wants to hear of it: standard contracts.
    pub notify_url: Option<Box<str>>,
    /// The shop, when it is not that of the settings.
    pub store: Option<StoreData>,
}

impl Sale {
    /// With what every sale has.
    pub fn new(
        partner_trans_id: PartnerTransId,
        amount: Amount,
        name: impl Into<Box<str>>,
        code: PaymentCode,
    ) -> Self {
        Self {
            partner_trans_id,
            amount,
            name: name.into(),
            code,
            code_type: CodeType::Barcode,
            trans_currency: None,
            quantity: None,
            memo: None,
            created_at: None,
            notify_url: None,
            store: None,
        }
    }

    /// The call that takes the payment.
    pub fn call(self, settings: &Settings) -> Call {
        Call::Pay(Box::new(self.into_request(settings)))
    }

    pub(crate) fn into_request(self, settings: &Settings) -> pay::Request {
        pay::Request {
            partner: settings.partner,
            partner_trans_id: self.partner_trans_id,
            amount: self.amount,
            trans_currency: self.trans_currency,
            trans_name: self.name,
            code: Ok(self.code),
            code_type: self.code_type,
            trans_create_time: self.created_at,
            quantity: self.quantity,
            memo: self.memo,
            notify_url: self.notify_url,
            store: self.store.unwrap_or_else(|| settings.store.clone()),
        }
    }
}

/// What to do next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Keep this fact for good, then say [`Checkout::written`].
    Write(Fact),
    /// Send this, then tell [`Checkout::answered`].
    Send(Call),
    /// Nothing before this instant; then ask again.
    Wait {
        /// When.
        until: Timestamp,
    },
    /// It is over.
    Done(Ending),
}

/// Where it is.
#[derive(Clone, Debug)]
enum Phase {
    /// The beginning is to be written.
    Begin,
    /// A pay is to be sent.
    PayAt(Timestamp),
    /// A query is to be sent.
    QueryAt(Timestamp),
    /// That a cancel comes is to be written.
    NoteCancel,
    /// A cancel is to be sent.
    CancelAt(Timestamp),
    /// A cancel or a refund led nowhere; one last query is to be sent.
    LastQuery(Stuck),
    /// That a full refund comes is to be written.
    NoteRefund(LastResort),
    /// A full refund is to be sent.
    RefundAt(Timestamp, LastResort),
    /// That a refund was refused for good is to be written.
    NoteSpent(LastResort, Refusal),
    /// The ending is to be written.
    NoteEnd(Ending),
    /// Over.
    Over(Ending),
}

/// One checkout, from the scan to its ending.
#[derive(Clone, Debug)]
pub struct Checkout {
    settings: Settings,
    id: PartnerTransId,
    amount: Amount,
    /// None for a checkout that was interrupted: it never pays again.
    pay: Option<Box<pay::Request>>,
    phase: Phase,
    begun_at: Timestamp,
    limit_at: Timestamp,
    pays_sent: u32,
    /// A pay may have been executed, or may yet arrive.
    pay_in_doubt: bool,
    /// What a repeated pay was refused with: no more pays.
    refusal: Option<Refusal>,
    cancels_sent: u32,
    /// A cancel may have been executed, or may yet arrive.
    cancel_in_doubt: bool,
    /// The instant that all cancels carry.
    cancel_at: Timestamp,
    /// What the journal knows of refunds.
    noted: Option<LastResort>,
    refunds_sent: u32,
    /// A refund may have been executed, or may yet arrive.
    refund_in_doubt: bool,
    /// Paid is for the caller to accept or to give back.
    resumed: bool,
}

impl Checkout {
    /// A new sale, at the instant of its scan.
    pub fn new(settings: &Settings, sale: Sale, now: Timestamp) -> Self {
        let pay = Box::new(sale.into_request(settings));
        let (id, amount) = (pay.partner_trans_id.clone(), pay.amount);
        Self {
            pay: Some(pay),
            limit_at: now.plus(settings.patience.limit),
            ..Self::at(settings, Phase::Begin, id, amount, now)
        }
    }

    /// One that was interrupted: a query, and a cancel unless it is paid. Paid ends without being
    /// written, because the till may not have handed over the goods: the caller accepts it or
    /// gives it back.
    pub fn resume(settings: &Settings, open: &OpenCheckout, now: Timestamp) -> Self {
        if open.cancelling {
            Self::give_back(settings, open, now)
        } else {
            Self::interrupted(settings, Phase::QueryAt(now), open, now)
        }
    }

    /// One that was interrupted, and whose payment is not wanted. What was being refunded is not
    /// cancelled once more: the time for that is over.
    pub fn give_back(settings: &Settings, open: &OpenCheckout, now: Timestamp) -> Self {
        let phase = match open.refund {
            Some(_) => Phase::LastQuery(Stuck::CancelWindowOver),
            None => Phase::NoteCancel,
        };
        Self::interrupted(settings, phase, open, now)
    }

    fn interrupted(settings: &Settings, phase: Phase, open: &OpenCheckout, now: Timestamp) -> Self {
        let id = open.key.partner_trans_id.clone();
        Self {
            pay_in_doubt: true,
            cancel_in_doubt: open.cancelling,
            noted: open.refund.clone(),
            refund_in_doubt: open.refund.is_some(),
            resumed: true,
            ..Self::at(settings, phase, id, open.amount, now)
        }
    }

    fn at(
        settings: &Settings,
        phase: Phase,
        id: PartnerTransId,
        amount: Amount,
        now: Timestamp,
    ) -> Self {
        Self {
            settings: settings.clone(),
            id,
            amount,
            pay: None,
            phase,
            begun_at: now,
            limit_at: now,
            pays_sent: 0,
            pay_in_doubt: false,
            refusal: None,
            cancels_sent: 0,
            cancel_in_doubt: false,
            cancel_at: now,
            noted: None,
            refunds_sent: 0,
            refund_in_doubt: false,
            resumed: false,
        }
    }

    /// Its name in the journal.
    pub fn key(&self) -> CheckoutKey {
        CheckoutKey {
            gateway: self.settings.gateway.url().into(),
            partner: self.settings.partner,
            partner_trans_id: self.id.clone(),
        }
    }

    /// Its price.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// What to do at this instant. Asking twice changes nothing.
    pub fn next(&self, now: Timestamp) -> Step {
        let wait_or = |at: Timestamp, call: &dyn Fn() -> Call| {
            if now < at {
                Step::Wait { until: at }
            } else {
                Step::Send(call())
            }
        };
        let write = |kind| {
            Step::Write(Fact {
                key: self.key(),
                at: now,
                kind,
            })
        };
        let query = || Call::query(&self.settings, &self.id, Some(self.amount));
        match &self.phase {
            Phase::Begin => write(FactKind::Begin {
                amount: self.amount,
            }),
            Phase::PayAt(at) => match &self.pay {
                Some(pay) => wait_or(*at, &|| Call::Pay(pay.clone())),
                None => wait_or(*at, &query),
            },
            Phase::QueryAt(at) => wait_or(*at, &query),
            Phase::NoteCancel => write(FactKind::Cancel),
            Phase::CancelAt(at) => wait_or(*at, &|| {
                Call::cancel(&self.settings, &self.id, self.cancel_at)
            }),
            Phase::LastQuery(_) => Step::Send(query()),
            Phase::NoteRefund(refund) => write(FactKind::Refund {
                partner_refund_id: refund.partner_refund_id.clone(),
                attempt: refund.attempt,
            }),
            Phase::RefundAt(at, refund) => wait_or(*at, &|| self.refund(refund)),
            Phase::NoteSpent(refund, refusal) => write(FactKind::RefundRefused {
                partner_refund_id: refund.partner_refund_id.clone(),
                code: refusal.code().to_owned(),
            }),
            Phase::NoteEnd(ending) => write(end_fact(ending)),
            Phase::Over(ending) => Step::Done(ending.clone()),
        }
    }

    /// The fact of [`Step::Write`] is kept, or cannot be. Only a beginning that cannot be kept must
    /// stop a checkout: later facts make a restart smoother, but what they announce makes the buyer
    /// safe.
    pub fn written(&mut self, now: Timestamp) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Begin) {
            Phase::Begin => Phase::PayAt(now),
            Phase::NoteCancel => {
                self.cancel_at = now;
                Phase::CancelAt(now)
            }
            Phase::NoteRefund(refund) => {
                self.noted = Some(refund.clone());
                Phase::RefundAt(now, refund)
            }
            Phase::NoteSpent(refund, refusal) => {
                self.noted = Some(LastResort {
                    spent: true,
                    ..refund
                });
                Phase::LastQuery(Stuck::RefundRefused(refusal))
            }
            Phase::NoteEnd(ending) => Phase::Over(ending),
            same @ (Phase::PayAt(_)
            | Phase::QueryAt(_)
            | Phase::CancelAt(_)
            | Phase::LastQuery(_)
            | Phase::RefundAt(..)
            | Phase::Over(_)) => same,
        };
    }

    /// The cashier does not want to wait any longer: what was sent is cancelled, what was not is
    /// not.
    pub fn give_up(&mut self, now: Timestamp) {
        self.limit_at = self.limit_at.min(now);
        let not_sent = Ending::NotPaid(NotPaid::Cancelled { action: None });
        match self.phase {
            Phase::QueryAt(_) => self.phase = self.phase_of_cancel(),
            Phase::PayAt(_) if self.pay_in_doubt => self.phase = self.phase_of_cancel(),
            Phase::PayAt(_) => self.ends(not_sent),
            Phase::Begin => self.phase = Phase::Over(not_sent),
            Phase::NoteCancel
            | Phase::CancelAt(_)
            | Phase::LastQuery(_)
            | Phase::NoteRefund(_)
            | Phase::RefundAt(..)
            | Phase::NoteSpent(..)
            | Phase::NoteEnd(_)
            | Phase::Over(_) => {}
        }
    }

    /// What came of [`Step::Send`]. A reply to anything else changes nothing.
    pub fn answered(&mut self, now: Timestamp, reply: Reply) {
        match (&self.phase, reply) {
            (Phase::PayAt(_), Reply::Pay(outcome)) => self.paid(now, outcome),
            (Phase::QueryAt(_), Reply::Query(outcome)) => self.queried(now, outcome),
            (Phase::CancelAt(_), Reply::Cancel(outcome)) => self.cancelled(now, outcome),
            (Phase::LastQuery(stuck), Reply::Query(outcome)) => {
                self.last_word(stuck.clone(), outcome);
            }
            (Phase::RefundAt(_, refund), Reply::Refund(outcome)) => {
                self.refunded(now, refund.clone(), outcome);
            }
            (
                _,
                Reply::Pay(_)
                | Reply::Query(_)
                | Reply::Cancel(_)
                | Reply::Refund(_)
                | Reply::RefundQuery(_)
                | Reply::RegisterStore(_)
                | Reply::StoreStatus(_),
            ) => {}
        }
    }

    fn paid(&mut self, now: Timestamp, outcome: Outcome<Receipt>) {
        self.pays_sent = self.pays_sent.saturating_add(1);
        match outcome {
            Outcome::Success(receipt) => self.ends(Ending::Paid(Box::new(receipt))),
            // A closed trade lets no pay through, and the only pay was all there was.
            Outcome::Refused(refusal) if refusal.is(TRADE_HAS_CLOSE) || !self.pay_in_doubt => {
                self.ends(Ending::NotPaid(NotPaid::Refused(refusal)));
            }
            // This one was refused, but an earlier one may have been executed, or may yet arrive.
            Outcome::Refused(refusal) => {
                self.refusal = Some(refusal);
                self.phase = Phase::QueryAt(now);
            }
            Outcome::Unknown(Doubt::NotSent(failure)) => self.unreachable(now, failure),
            Outcome::Unknown(Doubt::NoAnswer(_)) => {
                self.pay_in_doubt = true;
                self.phase = Phase::QueryAt(now);
            }
            Outcome::Unknown(_) => {
                self.pay_in_doubt = true;
                self.wait(now);
            }
        }
    }

    fn unreachable(&mut self, now: Timestamp, failure: crate::transport::TransportFailure) {
        if self.pay_in_doubt {
            self.wait(now);
        } else if self.may_pay(now) {
            self.phase = Phase::PayAt(now.plus(self.settings.patience.poll));
        } else {
            self.ends(Ending::NotPaid(NotPaid::NeverSent(failure)));
        }
    }

    fn may_pay(&self, now: Timestamp) -> bool {
        let patience = &self.settings.patience;
        self.pay.is_some()
            && self.refusal.is_none()
            && self.pays_sent < patience.pay_tries
            && now < self.limit_at
            && now < self.begun_at.plus(patience.code_fresh)
    }

    /// Queries again after a while, at the latest at the limit; after it, cancels.
    fn wait(&mut self, now: Timestamp) {
        self.phase = if now < self.limit_at {
            let next = now.plus(self.settings.patience.poll);
            Phase::QueryAt(next.min(self.limit_at))
        } else {
            self.phase_of_cancel()
        };
    }

    /// A cancel, unless the id is known to be another trade's.
    fn phase_of_cancel(&self) -> Phase {
        let other = [CONTEXT_INCONSISTENT, TRADE_BUYER_NOT_MATCH];
        let refusal = self.refusal.as_ref();
        if refusal.is_some_and(|refusal| other.into_iter().any(|code| refusal.is(code))) {
            Phase::NoteEnd(Ending::Unknown(Stuck::OtherTrade))
        } else {
            Phase::NoteCancel
        }
    }

    fn queried(&mut self, now: Timestamp, outcome: Outcome<Found>) {
        let nothing = outcome.is_nothing();
        match outcome {
            Outcome::Success(found) => match found.status {
                TradeStatus::TradeSuccess if self.cancel_in_doubt => {
                    self.phase = Phase::NoteCancel;
                }
                TradeStatus::TradeSuccess => self.ends(Ending::Paid(Box::new(found.into()))),
                TradeStatus::TradeClosed => self.ends(self.closed()),
                TradeStatus::WaitBuyerPay => self.wait(now),
            },
            Outcome::Refused(_) if nothing && self.may_pay(now) => {
                self.phase = Phase::PayAt(now);
            }
            Outcome::Refused(_) => self.phase = self.phase_of_cancel(),
            Outcome::Unknown(Doubt::AmountDiffers) => {
                self.ends(Ending::Unknown(Stuck::OtherTrade));
            }
            Outcome::Unknown(_) => self.wait(now),
        }
    }

    fn cancelled(&mut self, now: Timestamp, outcome: Outcome<Cancelled>) {
        self.cancels_sent = self.cancels_sent.saturating_add(1);
        match outcome {
            Outcome::Success(done) => {
                let action = done.action;
                let refusal = self.refusal.take();
                let why = refusal.map_or(NotPaid::Cancelled { action }, NotPaid::Refused);
                self.ends(Ending::NotPaid(why));
            }
            Outcome::Refused(refusal) => {
                self.cancel_in_doubt |= refusal.is(SYSTEM_ERROR);
                match refusal.retry() {
                    Retry::SameRequest => {
                        self.cancel_again(now, Stuck::CancelRefused(refusal));
                    }
                    Retry::Never | Retry::QueryFirst => {
                        self.phase = Phase::LastQuery(if refusal.is(TRADE_CANCEL_TIME_OUT) {
                            Stuck::CancelWindowOver
                        } else {
                            Stuck::CancelRefused(refusal)
                        });
                    }
                }
            }
            Outcome::Unknown(doubt) => {
                self.cancel_in_doubt |= !matches!(doubt, Doubt::NotSent(_));
                self.cancel_again(now, Stuck::CancelUnanswered(doubt));
            }
        }
    }

    fn cancel_again(&mut self, now: Timestamp, stuck: Stuck) {
        let patience = &self.settings.patience;
        self.phase = if self.cancels_sent < patience.cancel_tries {
            Phase::CancelAt(now.plus(patience.cancel_pause))
        } else {
            Phase::LastQuery(stuck)
        };
    }

    /// What a last query makes of a cancel or a refund that led nowhere.
    fn last_word(&mut self, stuck: Stuck, outcome: Outcome<Found>) {
        let ending = match outcome {
            Outcome::Success(found) => match (found.status, stuck) {
                (TradeStatus::TradeClosed, _) => self.closed(),
                (TradeStatus::TradeSuccess, Stuck::CancelRefused(_)) if !self.cancel_in_doubt => {
                    Ending::Paid(Box::new(found.into()))
                }
                (TradeStatus::TradeSuccess, Stuck::CancelWindowOver) => {
                    match LastResort::after(&self.id, self.noted.as_ref()) {
                        Some(refund) => {
                            self.phase = Phase::NoteRefund(refund);
                            return;
                        }
                        None => Ending::Unknown(Stuck::CancelWindowOver),
                    }
                }
                (TradeStatus::TradeSuccess | TradeStatus::WaitBuyerPay, stuck) => {
                    Ending::Unknown(stuck)
                }
            },
            Outcome::Unknown(Doubt::AmountDiffers) => Ending::Unknown(Stuck::OtherTrade),
            Outcome::Refused(_) | Outcome::Unknown(_) => Ending::Unknown(stuck),
        };
        self.ends(ending);
    }

    /// All of it, at once.
    fn refund(&self, refund: &LastResort) -> Call {
        let number = refund.partner_refund_id.clone();
        RefundOrder::new(self.id.clone(), number, self.amount).call(&self.settings)
    }

    fn refunded(&mut self, now: Timestamp, refund: LastResort, outcome: Outcome<Refunding>) {
        self.refunds_sent = self.refunds_sent.saturating_add(1);
        match outcome {
            Outcome::Success(Refunding::Refunded(receipt)) => {
                self.ends(Ending::NotPaid(NotPaid::Refunded {
                    partner_refund_id: Some(receipt.partner_refund_id),
                }));
            }
            Outcome::Success(Refunding::Accepted(_)) => {
                self.refund_in_doubt = true;
                self.phase = Phase::LastQuery(Stuck::RefundUnanswered(Doubt::OtherAnswer));
            }
            Outcome::Refused(refusal) if is_spent(&refusal) => {
                self.phase = Phase::NoteSpent(refund, refusal);
            }
            // Somebody may have given it back already: the query tells.
            Outcome::Refused(refusal) => {
                self.phase = Phase::LastQuery(Stuck::RefundRefused(refusal));
            }
            Outcome::Unknown(doubt) => {
                self.refund_in_doubt |= !matches!(doubt, Doubt::NotSent(_));
                let patience = &self.settings.patience;
                self.phase = if self.refunds_sent < patience.refund_tries {
                    Phase::RefundAt(now.plus(patience.refund_pause), refund)
                } else {
                    Phase::LastQuery(Stuck::RefundUnanswered(doubt))
                };
            }
        }
    }

    /// A closed trade: by a cancel or a refund of ours whose answer was lost, or by others.
    fn closed(&self) -> Ending {
        Ending::NotPaid(match &self.refusal {
            _ if self.refund_in_doubt || self.noted.is_some() => NotPaid::Refunded {
                partner_refund_id: None,
            },
            Some(refusal) => NotPaid::Refused(refusal.clone()),
            None if self.cancel_in_doubt => NotPaid::Cancelled { action: None },
            None => NotPaid::Closed,
        })
    }

    fn ends(&mut self, ending: Ending) {
        let for_caller = self.resumed && matches!(ending, Ending::Paid(_));
        self.phase = if for_caller {
            Phase::Over(ending)
        } else {
            Phase::NoteEnd(ending)
        };
    }
}

/// What the journal is told of an ending.
pub(crate) fn end_fact(ending: &Ending) -> FactKind {
    let end = |paid, alipay_trans_id: Option<TradeNo>, note: String| FactKind::End {
        paid,
        alipay_trans_id,
        note,
    };
    match ending {
        Ending::Paid(receipt) => end(
            true,
            Some(receipt.alipay_trans_id.clone()),
            "paid".to_owned(),
        ),
        Ending::NotPaid(why) => end(false, None, why.to_string()),
        Ending::Unknown(stuck) => FactKind::Stuck {
            note: stuck.to_string(),
        },
    }
}
