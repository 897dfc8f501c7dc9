//! A till: the real client's checkout with its journal, a cashier who also refunds and cancels, and
//! what the shop believes of each sale.

use std::collections::BTreeMap;

use spotpay_client::{
    Amount, Call, Checkout, Client, Ending, FactKind, HttpAnswer, HttpRequest, Journal,
    JournalError, Money, OpenCheckout, Outcome, Pace, PartnerRefundId, PartnerTransId, RefundMode,
    RefundOrder, Reply, Sale, Settings, Span, Step, Timestamp, Transport, TransportFailure,
};

use super::people::{PHONES, Phone, currency, settings};

/// What a till does next.
#[derive(Debug)]
pub(super) enum Act {
    /// A call goes out under this number.
    Send {
        number: u64,
        call: Box<Call>,
        /// Whose code it shows, when it is a pay.
        phone: Option<Phone>,
    },
    /// Nothing before so many microseconds have gone by.
    Rest(i64),
    /// Nothing until somebody comes.
    Idle,
}

/// What the shop believes of a refund.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refunded {
    /// The gateway said that it is done or accepted.
    Yes,
    /// The gateway refused the only copy that was ever sent.
    No,
    /// Not known, or refused while an earlier copy had no answer.
    Unsure,
}

/// What the shop believes of a sale.
#[derive(Debug)]
pub(super) struct Sold {
    pub(super) amount: Amount,
    pub(super) state: Belief,
    pub(super) refunds: BTreeMap<PartnerRefundId, (Amount, Refunded)>,
}

/// Whether it is paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Belief {
    /// The checkout goes on.
    Open,
    /// The goods were handed over.
    Paid,
    /// The buyer keeps the money.
    NotPaid,
    /// A paid sale was cancelled by the cashier.
    Cancelled,
    /// Not known: people have to look.
    Unsure,
}

#[derive(Debug)]
enum Doing {
    Checkout(Box<Checkout>, Option<Phone>),
    /// A cashier's call, repeated while its outcome is not known.
    Asking {
        call: Box<Call>,
        trade: PartnerTransId,
        refund: Option<(PartnerRefundId, Amount)>,
        /// A copy of it may have arrived.
        arrived: bool,
    },
}

/// One till.
#[derive(Debug)]
pub(super) struct Till {
    pub(super) partner: usize,
    pub(super) settings: Settings,
    place: usize,
    /// How far its clock is off.
    skew: Span,
    serial: u32,
    doing: Option<Doing>,
    /// The call that it waits for.
    waiting: Option<(u64, Call)>,
    calls: u64,
    journal: Memory,
    pub(super) sold: BTreeMap<PartnerTransId, Sold>,
    /// The last code that it scanned: some buyers show a code twice.
    last_phone: Option<(Phone, Timestamp)>,
}

impl Till {
    pub(super) fn new(place: usize, partner: usize, rng: &mut fastrand::Rng) -> Self {
        Self {
            partner,
            settings: settings(partner),
            place,
            skew: Span::millis(rng.i64(-3_000..3_000)),
            serial: 0,
            doing: None,
            waiting: None,
            calls: 0,
            journal: Memory::default(),
            sold: BTreeMap::new(),
            last_phone: None,
        }
    }

    /// Whether a checkout or a call is under way.
    pub(super) const fn is_busy(&self) -> bool {
        self.doing.is_some()
    }

    /// Checkouts that its journal knows no end of.
    pub(super) fn unfinished(&self) -> usize {
        self.journal.0.len()
    }

    /// The power goes: only the journal stays.
    pub(super) fn crash(&mut self) {
        if let Some(Doing::Asking { trade, refund, .. }) = self.doing.take() {
            self.doubt(&trade, refund.as_ref());
        }
        self.waiting = None;
    }

    /// Goes on with what it does, or begins something.
    pub(super) fn go_on(
        &mut self,
        right: Timestamp,
        rng: &mut fastrand::Rng,
        is_open: bool,
    ) -> Act {
        if self.waiting.is_some() {
            return Act::Idle;
        }
        let now = right.plus(self.skew);
        if self.doing.is_none() {
            self.begin(now, right, rng, is_open);
        }
        match self.doing.take() {
            None => Act::Idle,
            Some(Doing::Checkout(checkout, phone)) => self.check_out(checkout, phone, now),
            Some(Doing::Asking {
                call,
                trade,
                refund,
                arrived,
            }) => {
                let act = self.send((*call).clone(), None);
                self.doing = Some(Doing::Asking {
                    call,
                    trade,
                    refund,
                    arrived,
                });
                act
            }
        }
    }

    fn send(&mut self, call: Call, phone: Option<Phone>) -> Act {
        self.calls += 1;
        let number = self.calls;
        self.waiting = Some((number, call.clone()));
        Act::Send {
            number,
            call: Box::new(call),
            phone,
        }
    }

    fn check_out(
        &mut self,
        mut checkout: Box<Checkout>,
        phone: Option<Phone>,
        now: Timestamp,
    ) -> Act {
        loop {
            match checkout.next(now) {
                Step::Write(fact) => {
                    self.journal.keep(&fact);
                    checkout.written(now);
                }
                Step::Send(call) => {
                    self.doing = Some(Doing::Checkout(checkout, phone));
                    return self.send(call, phone);
                }
                Step::Wait { until } => {
                    self.doing = Some(Doing::Checkout(checkout, phone));
                    return Act::Rest(until.since(now).as_micros().max(1));
                }
                Step::Done(ending) => {
                    self.ended(&checkout, &ending, now);
                    return Act::Rest(1);
                }
                step => unreachable!("a step that nobody knows: {step:?}"),
            }
        }
    }

    fn ended(&mut self, checkout: &Checkout, ending: &Ending, now: Timestamp) {
        let key = checkout.key();
        let id = key.partner_trans_id.clone();
        let belief = match ending {
            Ending::Paid(receipt) => {
                // Whoever finds it paid after a crash keeps it so: the goods are gone.
                if let Some(open) = self.journal.0.get(&id).cloned() {
                    let client = Client::new(self.settings.clone(), NoNetwork);
                    let pace = Stopped(now);
                    let _ = client.accept(&open, receipt, &mut self.journal, &pace);
                }
                Belief::Paid
            }
            Ending::NotPaid(_) => Belief::NotPaid,
            Ending::Unknown(_) => {
                self.journal.0.remove(&id);
                Belief::Unsure
            }
            ending => unreachable!("an ending that nobody knows: {ending:?}"),
        };
        if let Some(sold) = self.sold.get_mut(&id) {
            sold.state = belief;
        }
    }

    fn begin(&mut self, now: Timestamp, right: Timestamp, rng: &mut fastrand::Rng, is_open: bool) {
        if let Some(open) = self.journal.0.values().next() {
            let checkout = if rng.u8(..4) == 0 {
                Checkout::give_back(&self.settings, open, now)
            } else {
                Checkout::resume(&self.settings, open, now)
            };
            self.doing = Some(Doing::Checkout(Box::new(checkout), None));
            return;
        }
        if !is_open {
            return;
        }
        match rng.u8(..10) {
            0..7 => self.sell(now, right, rng),
            7 | 8 => self.refund(rng),
            _ => self.cancel(now, rng),
        }
    }

    fn sell(&mut self, now: Timestamp, right: Timestamp, rng: &mut fastrand::Rng) {
        self.serial += 1;
        let number = format!("T{}-{}", self.place, self.serial);
        let most = if rng.u8(..20) == 0 { 2_000_000 } else { 30_000 };
        let minor = rng.i64(1..most);
        let amount = Amount::new(Money::of_minor(minor, currency(self.partner)));
        let (Ok(id), Ok(amount)) = (number.parse::<PartnerTransId>(), amount) else {
            return;
        };
        let (phone, at) = match self.last_phone {
            Some(last) if rng.u8(..20) == 0 => last,
            _ => (PHONES[rng.usize(..PHONES.len())], right),
        };
        self.last_phone = Some((phone, at));
        let mut sale = Sale::new(id.clone(), amount, "Tea", phone.code(at));
        if rng.bool() {
            sale.notify_url = Some(format!("http://shop.test/{}", self.partner).into());
        }
        let sold = Sold {
            amount,
            state: Belief::Open,
            refunds: BTreeMap::new(),
        };
        self.sold.insert(id, sold);
        let checkout = Checkout::new(&self.settings, sale, now);
        self.doing = Some(Doing::Checkout(Box::new(checkout), Some(phone)));
    }

    /// A sale that the shop believes paid.
    fn some_paid(&self, rng: &mut fastrand::Rng) -> Option<PartnerTransId> {
        let paid: Vec<&PartnerTransId> = self
            .sold
            .iter()
            .filter(|(_, sold)| sold.state == Belief::Paid)
            .map(|(id, _)| id)
            .collect();
        let count = paid.len();
        (count > 0).then(|| paid[rng.usize(..count)].clone())
    }

    fn refund(&mut self, rng: &mut fastrand::Rng) {
        let Some(trade) = self.some_paid(rng) else {
            return;
        };
        let Some(sold) = self.sold.get(&trade) else {
            return;
        };
        let whole = sold.amount.money().minor();
        let minor = if rng.bool() {
            whole
        } else {
            rng.i64(1..=whole)
        };
        let number = format!("{}-R{}", trade.as_str(), sold.refunds.len() + 1);
        let amount = Amount::new(Money::of_minor(minor, currency(self.partner)));
        let (Ok(refund), Ok(amount)) = (number.parse::<PartnerRefundId>(), amount) else {
            return;
        };
        let mut order = RefundOrder::new(trade.clone(), refund.clone(), amount);
        if rng.u8(..3) == 0 {
            order.mode = RefundMode::Async;
            order.notify_url = Some(format!("http://shop.test/{}", self.partner).into());
        }
        self.doing = Some(Doing::Asking {
            call: Box::new(order.call(&self.settings)),
            trade,
            refund: Some((refund, amount)),
            arrived: false,
        });
    }

    fn cancel(&mut self, now: Timestamp, rng: &mut fastrand::Rng) {
        let Some(trade) = self.some_paid(rng) else {
            return;
        };
        self.doing = Some(Doing::Asking {
            call: Box::new(Call::cancel(&self.settings, &trade, now)),
            trade,
            refund: None,
            arrived: false,
        });
    }

    /// What came of a call; none when nobody waits for it any more.
    pub(super) fn hear(
        &mut self,
        number: u64,
        answer: Result<HttpAnswer, TransportFailure>,
        right: Timestamp,
    ) -> Option<String> {
        let call = self.waiting.take_if(|(waited, _)| *waited == number)?.1;
        let reply = call.open(&self.settings, answer);
        let shown = format!("{reply:?}");
        match self.doing.take() {
            Some(Doing::Checkout(mut checkout, phone)) => {
                checkout.answered(right.plus(self.skew), reply);
                self.doing = Some(Doing::Checkout(checkout, phone));
            }
            Some(Doing::Asking {
                call,
                trade,
                refund,
                arrived,
            }) => {
                let answer = if let Reply::Refund(outcome) = reply {
                    knowledge(&outcome)
                } else if let Reply::Cancel(outcome) = reply {
                    knowledge(&outcome)
                } else {
                    unreachable!("a cashier asks for refunds and cancels only")
                };
                match answer {
                    Some(true) => self.done(&trade, refund.as_ref()),
                    Some(false) if arrived => self.doubt(&trade, refund.as_ref()),
                    Some(false) => self.refused(&trade, refund.as_ref()),
                    None => {
                        self.doing = Some(Doing::Asking {
                            call,
                            trade,
                            refund,
                            arrived: true,
                        });
                    }
                }
            }
            None => {}
        }
        Some(shown)
    }

    fn note(&mut self, trade: &PartnerTransId, refund: &(PartnerRefundId, Amount), what: Refunded) {
        if let Some(sold) = self.sold.get_mut(trade) {
            sold.refunds.insert(refund.0.clone(), (refund.1, what));
        }
    }

    fn believe(&mut self, trade: &PartnerTransId, belief: Belief) {
        if let Some(sold) = self.sold.get_mut(trade) {
            sold.state = belief;
        }
    }

    fn done(&mut self, trade: &PartnerTransId, refund: Option<&(PartnerRefundId, Amount)>) {
        match refund {
            Some(refund) => self.note(trade, refund, Refunded::Yes),
            None => self.believe(trade, Belief::Cancelled),
        }
    }

    fn refused(&mut self, trade: &PartnerTransId, refund: Option<&(PartnerRefundId, Amount)>) {
        if let Some(refund) = refund {
            self.note(trade, refund, Refunded::No);
        }
    }

    fn doubt(&mut self, trade: &PartnerTransId, refund: Option<&(PartnerRefundId, Amount)>) {
        match refund {
            Some(refund) => self.note(trade, refund, Refunded::Unsure),
            None => self.believe(trade, Belief::Unsure),
        }
    }
}

/// Whether it was done; none when that is not known.
fn knowledge<T>(outcome: &Outcome<T>) -> Option<bool> {
    match outcome {
        Outcome::Success(_) => Some(true),
        Outcome::Refused(_) => Some(false),
        Outcome::Unknown(_) => None,
        _ => unreachable!("an outcome that nobody knows"),
    }
}

/// A journal that a power failure does not harm.
#[derive(Debug, Default)]
struct Memory(BTreeMap<PartnerTransId, OpenCheckout>);

impl Memory {
    fn keep(&mut self, fact: &spotpay_client::Fact) {
        let id = &fact.key.partner_trans_id;
        let open = if let FactKind::Begin { amount } = &fact.kind {
            Some(OpenCheckout::new(fact.key.clone(), *amount, fact.at))
        } else {
            self.0.remove(id).and_then(|open| open.after(&fact.kind))
        };
        if let Some(open) = open {
            self.0.insert(id.clone(), open);
        }
    }
}

impl Journal for Memory {
    fn write(&mut self, fact: &spotpay_client::Fact) -> Result<(), JournalError> {
        self.keep(fact);
        Ok(())
    }
}

/// For what is only written down.
#[derive(Debug)]
struct NoNetwork;

impl Transport for NoNetwork {
    fn post(&self, _: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        Err(TransportFailure::never("nothing is sent"))
    }
}

struct Stopped(Timestamp);

impl Pace for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic(&self) -> Span {
        Span::micros(0)
    }

    fn pause(&self, _: Span) {}
}
