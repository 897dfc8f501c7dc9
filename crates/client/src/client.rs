//! The client: typed calls over a transport, and the driver of the checkout.

use spotpay_core::id::{PartnerRefundId, PartnerTransId, SecondaryMerchantId, StoreId};
use spotpay_core::time::{Span, Timestamp};
use spotpay_wire::charset::Charset;
use spotpay_wire::form::encode_pair;
use spotpay_wire::query::Found;
use spotpay_wire::service::Service;
use spotpay_wire::{refund_query, store, store_query};

use crate::ask::{self, Ask, Cancelled, Wanted};
use crate::call::{Call, Reply, cancel_of, query_of, refund_query_of};
use crate::checkout::{Checkout, Sale, Step, end_fact};
use crate::http::{HttpSettings, HttpSettingsError, HttpTransport};
use crate::journal::{Fact, FactKind, Journal, JournalError, OpenCheckout};
use crate::notify::Verdict;
use crate::outcome::{Doubt, Ending, Outcome, Receipt};
use crate::pace::Pace;
use crate::refunding::{RefundOrder, Refunding, is_spent};
use crate::settings::Settings;
use crate::stores::status_of;
use crate::transport::{Arrival, HttpAnswer, HttpRequest, Transport, TransportFailure};

/// A merchant's side of the gateway. One serves many tills: nothing in here changes.
#[derive(Clone, Debug)]
pub struct Client<T = HttpTransport> {
    settings: Settings,
    transport: T,
}

/// What a driver tells while it works.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call is about to be sent.
    Sending(&'a Call),
    /// What came of it.
    Answered(&'a Reply),
    /// Nothing happens for so long.
    Waiting(Span),
    /// A fact could not be kept; the checkout goes on, because the buyer must be safe first.
    JournalFailed(&'a JournalError),
}

/// Who is told, and may ask to stop. Every `FnMut(&Event)` is one that never stops.
pub trait Watcher {
    /// Something happened.
    fn see(&mut self, event: &Event<'_>);

    /// Whether the cashier has given up; asked between two steps.
    fn gives_up(&mut self) -> bool {
        false
    }
}

impl<F: FnMut(&Event<'_>)> Watcher for F {
    fn see(&mut self, event: &Event<'_>) {
        self(event);
    }
}

/// Looks at nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Watcher for Silent {
    fn see(&mut self, _event: &Event<'_>) {}
}

impl Client {
    /// Over the real network.
    pub fn over_http(settings: Settings, http: &HttpSettings) -> Result<Self, HttpSettingsError> {
        Ok(Self::new(settings, HttpTransport::new(http)?))
    }
}

impl<T: Transport> Client<T> {
    /// Over a transport.
    pub const fn new(settings: Settings, transport: T) -> Self {
        Self {
            settings,
            transport,
        }
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The transport.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// Sends one call; to the backup when no connection to the gateway is made.
    pub fn send(&self, call: &Call) -> Reply {
        let request = call.seal(&self.settings);
        let answer = self.post(request);
        call.open(&self.settings, answer)
    }

    fn post(&self, request: HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        let answer = self.transport.post(&request);
        let gateway = &self.settings.gateway;
        match (&answer, gateway.backup()) {
            (Err(failure), Some(backup)) if failure.arrival() == Arrival::Never => {
                let query = request.url.strip_prefix(gateway.url()).unwrap_or_default();
                self.transport.post(&HttpRequest {
                    url: format!("{backup}{query}"),
                    body: request.body,
                })
            }
            (Ok(_) | Err(_), _) => answer,
        }
    }

    fn ask<A: Ask>(&self, ask: &A) -> Outcome<A::Answer> {
        let answer = self.post(ask::seal(&self.settings, ask));
        ask::open(&self.settings, ask, answer)
    }

    /// One pay request, without what makes a checkout safe: an unknown outcome is the caller's to
    /// query and cancel. Tills use [`Client::checkout`].
    pub fn pay(&self, sale: Sale) -> Outcome<Receipt> {
        self.ask(&sale.into_request(&self.settings))
    }

    /// Looks at a trade. Success means that there is one; whether it is paid says its status.
    pub fn query(&self, id: &PartnerTransId) -> Outcome<Found> {
        self.ask(&Wanted(&query_of(&self.settings, id), None))
    }

    /// Closes a trade, or gives it back when it is paid. A repeat carries the same instant.
    pub fn cancel(&self, id: &PartnerTransId, at: Timestamp) -> Outcome<Cancelled> {
        self.ask(&cancel_of(&self.settings, id, at))
    }

    /// Gives money back. A request whose outcome is not known is repeated under the same number, a
    /// bounded number of times ([`crate::Patience`]); that a repeat has no second effect is the
    /// gateway's promise. When it is still unknown after that, ask for the same order again, later.
    ///
    /// An order that was refused may be changed; one that was refused with
    /// `MERCHANT_BALANCE_NOT_ENOUGH` needs a new number for another try.
    pub fn refund(&self, order: &RefundOrder, pace: &dyn Pace) -> Outcome<Refunding> {
        let request = order.request(&self.settings);
        let patience = &self.settings.patience;
        let (mut sent, mut arrived) = (0_u32, None);
        loop {
            let doubt = match self.ask(&request) {
                Outcome::Refused(refusal) if arrived.is_some() && !is_spent(&refusal) => {
                    return Outcome::Unknown(Doubt::RefusedLate(refusal));
                }
                Outcome::Unknown(doubt) => doubt,
                known @ (Outcome::Success(_) | Outcome::Refused(_)) => return known,
            };
            if !matches!(doubt, Doubt::NotSent(_)) {
                arrived = Some(doubt.clone());
            }
            sent = sent.saturating_add(1);
            if sent >= patience.refund_tries || matches!(doubt, Doubt::AmountDiffers) {
                // A copy that was not sent takes nothing back of what another may have done.
                return Outcome::Unknown(arrived.unwrap_or(doubt));
            }
            pace.pause(patience.refund_pause);
        }
    }

    /// Looks at a refund. Success means that there is one; whether the money is back says its
    /// status.
    pub fn refund_query(
        &self,
        id: &PartnerTransId,
        refund_id: &PartnerRefundId,
    ) -> Outcome<refund_query::Found> {
        self.ask(&refund_query_of(&self.settings, id, refund_id))
    }

    /// Registers a store, or changes what was said of it: `order.request(client.settings(), now)`.
    /// Success means that it is taken; [`Client::store_status`] says whether payments may name it.
    pub fn register_store(&self, request: &store::Request) -> Outcome<()> {
        self.ask(request)
    }

    /// Looks at the registration of a store; a request lives for 30 minutes from its instant.
    pub fn store_status(
        &self,
        merchant: &SecondaryMerchantId,
        store: &StoreId,
        at: Timestamp,
    ) -> Outcome<store_query::Found> {
        self.ask(&status_of(&self.settings, merchant, store, at))
    }

    /// Asks whether a notification was really sent, and not acknowledged yet: at once, before it is
    /// answered with `success`, which voids its number (`spec/06`).
    pub fn notify_verify(&self, notify_id: &str) -> Verdict {
        let mut query = String::new();
        for (name, value) in [
            ("service", Service::NotifyVerify.as_str()),
            ("partner", &self.settings.partner.to_string()),
            ("notify_id", notify_id),
        ] {
            encode_pair(Charset::Utf8, name, value, &mut query);
        }
        let gateway = &self.settings.gateway;
        let fetch = |url: &str| self.transport.fetch(&format!("{url}?{query}"));
        let answer = match (fetch(gateway.url()), gateway.backup()) {
            (Err(failure), Some(backup)) if failure.arrival() == Arrival::Never => fetch(backup),
            (answer, _) => answer,
        };
        match answer {
            Ok(answer) => match (answer.status, answer.body.as_slice()) {
                (200, b"true") => Verdict::True,
                (200, b"false") => Verdict::False,
                (200, b"invalid") => Verdict::Invalid,
                (_, _) => Verdict::Unknown(Doubt::NoVerdict),
            },
            Err(failure) => Verdict::Unknown(ask::not_answered(failure)),
        }
    }

    /// The whole checkout: pay, query while it is not known, cancel at the limit.
    ///
    /// An error means that the journal could not take the beginning, and nothing was sent.
    pub fn checkout(
        &self,
        sale: Sale,
        journal: &mut dyn Journal,
        pace: &dyn Pace,
        watcher: &mut dyn Watcher,
    ) -> Result<Ending, JournalError> {
        let checkout = Checkout::new(&self.settings, sale, pace.now());
        self.drive(checkout, journal, pace, watcher)
    }

    /// Whether an interrupted checkout is one of this partner at this gateway. Finishing it at
    /// another gateway would find nothing there, and leave the money where it is.
    pub fn owns(&self, open: &OpenCheckout) -> bool {
        *open.key.gateway == *self.settings.gateway.url()
            && open.key.partner == self.settings.partner
    }

    /// Finishes a checkout that was interrupted: a query, and a cancel unless it is paid.
    ///
    /// [`Ending::Paid`] stays open in the journal: the till may not have handed over the goods.
    /// Ask the cashier, then [`Client::accept`] it or [`Client::give_back`].
    ///
    /// Ask [`Client::owns`] first.
    pub fn resume(
        &self,
        open: &OpenCheckout,
        journal: &mut dyn Journal,
        pace: &dyn Pace,
        watcher: &mut dyn Watcher,
    ) -> Result<Ending, JournalError> {
        let checkout = Checkout::resume(&self.settings, open, pace.now());
        self.drive(checkout, journal, pace, watcher)
    }

    /// Cancels a checkout that was interrupted, paid or not.
    pub fn give_back(
        &self,
        open: &OpenCheckout,
        journal: &mut dyn Journal,
        pace: &dyn Pace,
        watcher: &mut dyn Watcher,
    ) -> Result<Ending, JournalError> {
        let checkout = Checkout::give_back(&self.settings, open, pace.now());
        self.drive(checkout, journal, pace, watcher)
    }

    /// Takes note that an interrupted checkout counts as paid: the goods were handed over.
    pub fn accept(
        &self,
        open: &OpenCheckout,
        receipt: &Receipt,
        journal: &mut dyn Journal,
        pace: &dyn Pace,
    ) -> Result<(), JournalError> {
        let ending = Ending::Paid(Box::new(receipt.clone()));
        journal.write(&Fact {
            key: open.key.clone(),
            at: pace.now(),
            kind: end_fact(&ending),
        })
    }

    /// The one loop around the machine. Its time is the wall clock's at the beginning, and runs on
    /// by the monotonic clock, so that a clock that is set does not stretch a limit.
    fn drive(
        &self,
        mut checkout: Checkout,
        journal: &mut dyn Journal,
        pace: &dyn Pace,
        watcher: &mut dyn Watcher,
    ) -> Result<Ending, JournalError> {
        let (wall, start) = (pace.now(), pace.monotonic().as_micros());
        let now = || {
            let since = pace.monotonic().as_micros().saturating_sub(start);
            wall.plus(Span::micros(since))
        };
        loop {
            if watcher.gives_up() {
                checkout.give_up(now());
            }
            match checkout.next(now()) {
                Step::Write(fact) => {
                    if let Err(error) = journal.write(&fact) {
                        match fact.kind {
                            FactKind::Begin { .. } => return Err(error),
                            FactKind::Cancel
                            | FactKind::Refund { .. }
                            | FactKind::RefundRefused { .. }
                            | FactKind::End { .. }
                            | FactKind::Stuck { .. } => {
                                watcher.see(&Event::JournalFailed(&error));
                            }
                        }
                    }
                    checkout.written(now());
                }
                Step::Send(call) => {
                    watcher.see(&Event::Sending(&call));
                    let reply = self.send(&call);
                    watcher.see(&Event::Answered(&reply));
                    checkout.answered(now(), reply);
                }
                Step::Wait { until } => {
                    let span = until.since(now());
                    watcher.see(&Event::Waiting(span));
                    pace.pause(span);
                }
                Step::Done(ending) => return Ok(ending),
            }
        }
    }
}
