//! Notifications, reckoned again: which decision writes one, and how it is sent.

use std::collections::BTreeSet;

use spotpay_core::command::Command;
use spotpay_core::decide::Context;
use spotpay_core::id::EventId;
use spotpay_core::notification::{Delivery, Notification, NotificationState, Tidings};
use spotpay_core::refund::RefundState;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{CloseCause, Slot, Trade, TradeState};

use super::{Rows, SECOND, Seen, hold, same, trades};
use crate::world::lines::{PAY_DIALECT, REFUND_DIALECT};

/// Seconds between the sends.
const LADDER: [i64; 7] = [120, 600, 600, 3_600, 7_200, 21_600, 54_000];

/// What must be told: by which event, of which trade, what, and where its request wants it.
struct News<'a> {
    event: EventId,
    trade: &'a Trade,
    tidings: Tidings,
    requested: Option<&'a str>,
}

/// Checks what a decision writes for a partner to hear.
pub(super) fn observe(seen: &Seen<'_>, context: &Context<'_>) -> Result<(), String> {
    let changes = &seen.decision.changes;
    let written = changes.notification.as_deref();
    match seen.command {
        Command::NoteDelivery(delivery) => {
            let was = seen.set.notification(delivery.notification);
            let should = was.map(|was| after(was, delivery));
            same("a notification that was sent", written, should.as_ref())?;
            let noted = was.map(|_| delivery);
            return same("the note of a sending", changes.delivery.as_deref(), noted);
        }
        Command::Reschedule { notification, at } => {
            let was = seen.set.notification(*notification);
            let should = was.map(|was| Notification {
                next_at: Some(*at),
                ..was.clone()
            });
            return same("a notification that is put off", written, should.as_ref());
        }
        Command::Pay(_)
        | Command::Confirm(_)
        | Command::Cancel(_)
        | Command::Close(_)
        | Command::Refund(_)
        | Command::WorkOff(_)
        | Command::Settle(_)
        | Command::Publish(_)
        | Command::RegisterStore(_)
        | Command::ReviewStore(_)
        | Command::OpenWallet(_)
        | Command::AmendWallet(_)
        | Command::TopUp(_)
        | Command::IssueAlias(_)
        | Command::Configure(_) => {}
    }
    let should = news(seen, written).and_then(|news| {
        let partner = context.config.partner(news.trade.key.partner);
        let agreed = partner.and_then(|partner| partner.contract.notify_url.as_deref());
        Some(Notification {
            id: news.event,
            partner: news.trade.key.partner,
            trade: news.trade.id,
            tidings: news.tidings,
            url: agreed.or(news.requested)?.into(),
            dialect: match news.tidings {
                Tidings::RefundDone(_) => REFUND_DIALECT,
                Tidings::TradePaid | Tidings::TradeClosed => PAY_DIALECT,
            },
            state: NotificationState::Waiting,
            attempts: 0,
            next_at: Some(context.now),
        })
    });
    same("a notification", written, should.as_ref())?;
    same("the note of a sending", &changes.delivery, &None)?;
    if let Some(row) = written {
        let second = context.now.as_micros().div_euclid(SECOND) * SECOND;
        same("number of a notification", row.id.at().as_micros(), second)?;
    }
    Ok(())
}

/// Whoever is paid, told no or out of time, or given back by night, is news.
fn news<'a>(seen: &Seen<'a>, written: Option<&Notification>) -> Option<News<'a>> {
    let changes = &seen.decision.changes;
    let Some(Slot::Trade(trade)) = &changes.slot else {
        return None;
    };
    for refund in &changes.refunds {
        let was = seen.set.refund(&refund.key)?;
        let RefundState::Done(moved) = refund.state else {
            continue;
        };
        return Some(News {
            event: moved.event,
            trade,
            tidings: Tidings::RefundDone(was.id),
            requested: refund.notify_url.as_deref(),
        });
    }
    let waited = match seen.set.slot(&trade.key) {
        Some(Slot::Trade(was)) => was.state == TradeState::Waiting,
        Some(Slot::Mark(_)) | None => true,
    };
    let (event, tidings) = match trade.state {
        TradeState::Paid(payment) if waited => (payment.event, Tidings::TradePaid),
        TradeState::Closed {
            cause: CloseCause::Expired | CloseCause::Declined,
            ..
        } if waited => {
            // Nothing moved, so this event is the notification's own.
            let event = written.map_or(EventId::from_i64(0), |row| row.id);
            (event, Tidings::TradeClosed)
        }
        TradeState::Waiting | TradeState::Paid(_) | TradeState::Closed { .. } => return None,
    };
    Some(News {
        event,
        trade,
        tidings,
        requested: trade.notify_url.as_deref(),
    })
}

/// What one sending makes of a notification.
fn after(was: &Notification, delivery: &Delivery) -> Notification {
    let gap = usize::try_from(was.attempts)
        .ok()
        .and_then(|sent| LADDER.get(sent));
    let waits = was.state == NotificationState::Waiting;
    let (state, gap) = if delivery.acknowledged {
        (NotificationState::Acknowledged, None)
    } else if waits && gap.is_none() {
        (NotificationState::GivenUp, None)
    } else {
        (was.state, gap.filter(|_| waits))
    };
    let next = |gap: &i64| Timestamp::from_micros(delivery.at.as_micros() + gap * SECOND);
    Notification {
        state,
        attempts: was.attempts + 1,
        next_at: gap.map(next),
        ..was.clone()
    }
}

/// One row for each thing to hear, in a state that its sendings explain.
pub(super) fn whole(rows: &Rows) -> Result<(), String> {
    let mut heard = BTreeSet::new();
    for (id, row) in &rows.notifications {
        same("number of a notification", *id, row.id)?;
        let known = trades(rows).any(|trade| trade.id == row.trade);
        hold(known, "a notification about no trade")?;
        let about = match row.tidings {
            Tidings::TradePaid => (0, 0),
            Tidings::TradeClosed => (1, 0),
            Tidings::RefundDone(refund) => (2, refund.as_i64()),
        };
        let once = heard.insert((row.trade, about));
        hold(once, "one thing is told twice")?;
        let sent: Vec<&Delivery> = rows
            .deliveries
            .range((*id, 0)..=(*id, u32::MAX))
            .map(|(_, delivery)| delivery)
            .collect();
        let attempts = u32::try_from(sent.len()).unwrap();
        same("sendings of a notification", row.attempts, attempts)?;
        let state = if sent.iter().any(|delivery| delivery.acknowledged) {
            NotificationState::Acknowledged
        } else if 8 <= attempts {
            NotificationState::GivenUp
        } else {
            NotificationState::Waiting
        };
        same("state of a notification", row.state, state)?;
        let waits = state == NotificationState::Waiting;
        hold(!waits || row.next_at.is_some(), "nobody sends it")?;
    }
    Ok(())
}
