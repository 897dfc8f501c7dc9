//! What a partner must still hear: which changes say so, and what becomes of it (`spec/06`).

use crate::decide::{Context, Decision, Reply};
use crate::id::EventId;
use crate::notification::{Delivery, Notification, NotificationState, Tidings};
use crate::partner::Partner;
use crate::time::Timestamp;
use crate::trade::{Dialect, Trade};
use crate::working_set::{Changes, WorkingSet};

/// No notification has this number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotificationUnknown;

/// The row that a change writes, where somebody wants to hear of it: the contract's address first,
/// else the request's (`spec/11`, 3).
pub(super) fn of(
    event: EventId,
    trade: &Trade,
    tidings: Tidings,
    (requested, dialect): (Option<&str>, Dialect),
    (partner, context): (&Partner, &Context<'_>),
) -> Option<Box<Notification>> {
    let url = partner.contract.notify_url.as_deref().or(requested)?;
    Some(Box::new(Notification {
        id: event,
        partner: trade.key.partner,
        trade: trade.id,
        tidings,
        url: url.into(),
        dialect,
        state: NotificationState::Waiting,
        attempts: 0,
        next_at: Some(context.now),
    }))
}

pub(super) fn decide_delivery(set: &WorkingSet, delivery: &Delivery) -> Decision {
    let Some(notification) = set.notification(delivery.notification) else {
        return Decision::unchanged(Reply::Notification(Err(NotificationUnknown)));
    };
    let mut decision = reply(notification.after(delivery));
    decision.changes.delivery = Some(Box::new(delivery.clone()));
    decision
}

pub(super) fn decide_reschedule(set: &WorkingSet, id: EventId, at: Timestamp) -> Decision {
    let Some(notification) = set.notification(id) else {
        return Decision::unchanged(Reply::Notification(Err(NotificationUnknown)));
    };
    reply(Notification {
        next_at: Some(at),
        ..notification.clone()
    })
}

fn reply(notification: Notification) -> Decision {
    let notification = Box::new(notification);
    Decision {
        changes: Changes {
            notification: Some(notification.clone()),
            ..Changes::default()
        },
        reply: Reply::Notification(Ok(notification)),
    }
}
