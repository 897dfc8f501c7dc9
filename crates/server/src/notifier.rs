//! Notifications on their way (`spec/06`): which are due, one sending, and what came of it.
//!
//! The rows are the truth; this holds only what is under way. A process that dies in between sends
//! again, under the same number. [`driver`] runs it with real time and with a moved clock.

pub mod courier;
pub mod driver;
mod letter;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spotpay_core::command::Command;
use spotpay_core::id::{EventId, PartnerId, TradeId};
use spotpay_core::notification::{Delivery, Notification, Tidings};
use spotpay_core::time::{Span, Timestamp};
use spotpay_store::StoreError;
use spotpay_wire::notification::{NotifyId, NotifySecret, is_acknowledged};
use tokio::sync::Notify;

use crate::app::App;
use crate::engine::Outcome;
use crate::faults::{NotifyEffect, Target};
use courier::{Courier, Heard};
pub use driver::{move_clock, until_told};

/// Sendings under way to one partner: a receiver that is slow or dead holds up only itself.
const PARTNER_FLIGHTS_MAX: usize = 16;
/// Sendings under way in all.
const FLIGHTS_MAX: usize = 512;
/// A sending that starts this late counts from when it starts, any other from when it was due: so
/// the gaps between sendings are those of the ladder, and a process that was down does not hurry.
const LATE: Span = Span::minutes(1);
/// How much of a receiver's body is kept, in characters.
const BODY_KEPT: usize = 200;

/// What is under way, and how it leaves.
pub struct Notifier {
    courier: Box<dyn Courier>,
    secret: NotifySecret,
    flights: Mutex<BTreeMap<EventId, Flight>>,
    landed: Notify,
    /// Numbers for `/metrics`.
    pub counts: Counts,
}

/// What became of sendings.
#[derive(Debug, Default)]
pub struct Counts {
    /// Sendings that were acknowledged.
    pub acknowledged: AtomicU64,
    /// Sendings that were not.
    pub not_acknowledged: AtomicU64,
}

/// One sending under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    partner: PartnerId,
    /// A moving clock waited for it long enough.
    is_waited_for: bool,
}

impl Notifier {
    /// Sends by a courier; numbers are made under a secret of the gateway.
    pub fn new(courier: Box<dyn Courier>, secret: &[u8; 32]) -> Self {
        Self {
            courier,
            secret: NotifySecret::new(secret),
            flights: Mutex::default(),
            landed: Notify::new(),
            counts: Counts::default(),
        }
    }

    fn flights(&self) -> MutexGuard<'_, BTreeMap<EventId, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `notify_id` of a notification, the same in every sending.
    pub fn notify_id(&self, id: EventId) -> NotifyId {
        NotifyId::make(&self.secret, id.as_i64())
    }

    /// Sendings under way.
    pub fn under_way(&self) -> usize {
        self.flights().len()
    }

    fn land(&self, id: EventId) {
        self.flights().remove(&id);
        self.landed.notify_waiters();
    }
}

/// Whether a partner's `notify_id` stands for something that was sent to it and not acknowledged.
///
/// # Errors
/// A fault of the store.
pub fn is_open(app: &App, partner: PartnerId, notify_id: &str) -> Result<bool, StoreError> {
    let number = notify_id
        .parse::<NotifyId>()
        .ok()
        .and_then(|id| id.number(&app.notifier.secret));
    let Some(number) = number else {
        return Ok(false);
    };
    let found = app
        .readers
        .read(|reader| reader.notification(EventId::from_i64(number)))?;
    Ok(found.is_some_and(|found| found.partner == partner && found.is_open()))
}

/// Whether somebody wants to hear of a trade.
pub fn will_tell(app: &App, trade: TradeId) -> bool {
    let found = app.readers.read(|reader| reader.notifications_of(trade));
    found.is_ok_and(|found| !found.is_empty())
}

/// The fields of a notification as a sending at an instant has them; none when it cannot be sent.
pub fn fields_at(
    app: &App,
    notification: &Notification,
    at: Timestamp,
) -> BTreeMap<String, String> {
    letter::shown(app, notification, at).unwrap_or_default()
}

/// What is due and not under way, each noted as under way now: fair to partners, whatever one of
/// them has waiting.
///
/// # Errors
/// A fault of the store.
pub fn take_due(app: &Arc<App>, now: Timestamp) -> Result<Vec<Sending>, StoreError> {
    let partners = app.readers.read(|reader| reader.waiting_partners())?;
    let mut taken = Vec::new();
    for (partner, first) in partners {
        if now < first {
            continue;
        }
        // Held while reading: one that is not under way was noted before, if it was sent at all.
        let mut flights = app.notifier.flights();
        let own = flights_of(&flights, partner);
        if PARTNER_FLIGHTS_MAX <= own || FLIGHTS_MAX <= flights.len() {
            continue;
        }
        let room = (PARTNER_FLIGHTS_MAX - own).min(FLIGHTS_MAX - flights.len());
        let due = app
            .readers
            .read(|reader| reader.notifications_due(partner, now, own + room))?;
        let free = due
            .into_iter()
            .filter(|found| !flights.contains_key(&found.id));
        let free: Vec<Notification> = free.take(room).collect();
        for notification in free {
            let flight = Flight {
                partner,
                is_waited_for: false,
            };
            flights.insert(notification.id, flight);
            taken.push(Sending {
                app: Arc::clone(app),
                notification,
            });
        }
    }
    Ok(taken)
}

fn flights_of(flights: &BTreeMap<EventId, Flight>, partner: PartnerId) -> usize {
    let of_partner = |flight: &&Flight| flight.partner == partner;
    flights.values().filter(of_partner).count()
}

fn under_way(app: &App, partner: PartnerId) -> Vec<EventId> {
    let flights = app.notifier.flights();
    let own = flights
        .iter()
        .filter(|(_, flight)| flight.partner == partner);
    own.map(|(id, _)| *id).collect()
}

/// When the next sending that is not under way is due; none while it has to wait for a landing.
///
/// # Errors
/// A fault of the store.
pub fn next_due(app: &App) -> Result<Option<Timestamp>, StoreError> {
    if FLIGHTS_MAX <= app.notifier.flights().len() {
        return Ok(None);
    }
    let mut next = None;
    for (partner, first) in app.readers.read(|reader| reader.waiting_partners())? {
        let under_way = under_way(app, partner);
        let due = match under_way.len() {
            0 => Some(first),
            // The next one goes when one of these lands.
            PARTNER_FLIGHTS_MAX.. => None,
            count => app
                .readers
                .read(|reader| {
                    let until = Timestamp::from_micros(i64::MAX);
                    reader.notifications_due(partner, until, count + 1)
                })?
                .into_iter()
                .find(|found| !under_way.contains(&found.id))
                .and_then(|found| found.next_at),
        };
        next = next.into_iter().chain(due).min();
    }
    Ok(next)
}

/// One sending, from the words to what is noted of it.
async fn send(app: &App, notification: &Notification) -> Outcome {
    let now = app.clock.now();
    let due = notification.next_at.unwrap_or(now);
    let at = if now < due.plus(LATE) { due } else { now };
    let target = match notification.tidings {
        Tidings::TradePaid | Tidings::TradeClosed => Target::NotifyTrade,
        Tidings::RefundDone(_) => Target::NotifyRefund,
    };
    let effect = app.faults.for_notification(target, notification.partner);
    if let Some(NotifyEffect::Late(by)) = effect {
        let command = Command::Reschedule {
            notification: notification.id,
            at: at.plus(by),
        };
        return app.engine.submit(command).await;
    }
    let heard = match letter::write(app, notification, at, effect).await {
        Ok(letter) => post(app, &notification.url, letter, effect).await,
        Err(error) => Err(error.to_string()),
    };
    let (status, body, acknowledged) = match heard {
        Ok(heard) => {
            let is_ok = (200..300).contains(&heard.status);
            // Whoever believes a forger has not heard us.
            let is_ours = effect != Some(NotifyEffect::Forge);
            let acknowledged = is_ours && is_ok && is_acknowledged(&heard.body);
            let body = String::from_utf8_lossy(&heard.body).into_owned();
            (Some(heard.status), body, acknowledged)
        }
        Err(lost) => (None, lost, false),
    };
    let counts = &app.notifier.counts;
    let count = if acknowledged {
        &counts.acknowledged
    } else {
        &counts.not_acknowledged
    };
    count.fetch_add(1, Ordering::Relaxed);
    let delivery = Delivery {
        notification: notification.id,
        at,
        status,
        body: body.chars().take(BODY_KEPT).collect(),
        acknowledged,
    };
    app.engine.submit(Command::NoteDelivery(delivery)).await
}

async fn post(
    app: &App,
    url: &str,
    letter: String,
    effect: Option<NotifyEffect>,
) -> Result<Heard, String> {
    match effect {
        Some(NotifyEffect::Lose) => Err("lost on the way by a fault rule".to_owned()),
        Some(NotifyEffect::Double) => {
            let courier = &app.notifier.courier;
            let (first, _) =
                tokio::join!(courier.post(url, letter.clone()), courier.post(url, letter));
            first
        }
        Some(
            NotifyEffect::Forge
            | NotifyEffect::WrongAmount
            | NotifyEffect::BeforeAnswer
            | NotifyEffect::Late(_),
        )
        | None => app.notifier.courier.post(url, letter).await,
    }
}

/// One sending under way; whatever ends it, a panic too, makes room for the next.
pub struct Sending {
    app: Arc<App>,
    notification: Notification,
}

impl Sending {
    /// Which notification.
    pub const fn id(&self) -> EventId {
        self.notification.id
    }

    /// Sends it and notes what came of it.
    ///
    /// # Errors
    /// That could not be noted: it is due as before.
    pub async fn go(&self) -> Outcome {
        send(&self.app, &self.notification).await
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.app.notifier.land(self.notification.id);
    }
}
