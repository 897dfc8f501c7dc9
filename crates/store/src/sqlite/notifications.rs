//! Notifications and their deliveries: rows to values and back, and which are due.

use rusqlite::{Connection, Row, params};
use spotpay_core::id::{EventId, PartnerId, TradeId};
use spotpay_core::notification::{Notification, NotificationState, Tidings};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::Dialect;
use spotpay_core::working_set::{Sending, WorkingSet};

use super::read::{all, one};
use super::rows::{self, corrupt};
use crate::StoreError;

/// One sending, as pages show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRow {
    /// When.
    pub at: Timestamp,
    /// The status of the receiver's answer; none when there was none.
    pub status: Option<u16>,
    /// The beginning of its body, or why there was none.
    pub body: String,
    /// When it was to be sent next, as of then.
    pub next_at: Option<Timestamp>,
}

macro_rules! select_notification {
    ($where:literal) => {
        concat!(
            "SELECT key, partner, trade, tidings, refund, url, state, attempts, next_at, dialect FROM notification ",
            $where
        )
    };
}

const STATES: [NotificationState; 3] = [
    NotificationState::Waiting,
    NotificationState::Acknowledged,
    NotificationState::GivenUp,
];

fn notification(row: &Row<'_>) -> Result<Notification, StoreError> {
    let refund = || -> Result<EventId, StoreError> { Ok(rows::event_id(row.get(4)?)) };
    let state = usize::try_from(row.get::<_, i64>(6)?).ok();
    Ok(Notification {
        id: rows::event_id(row.get(0)?),
        partner: rows::partner_id(row.get(1)?, "notification")?,
        trade: rows::trade_id(row.get(2)?),
        tidings: match row.get(3)? {
            0 => Tidings::TradePaid,
            1 => Tidings::TradeClosed,
            2 => Tidings::RefundDone(refund()?),
            _ => return Err(corrupt("notification", "tidings")),
        },
        url: row.get(5)?,
        dialect: Dialect(row.get(9)?),
        state: state
            .and_then(|place| STATES.get(place).copied())
            .ok_or(corrupt("notification", "state"))?,
        attempts: row.get(7)?,
        next_at: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_micros),
    })
}

pub(super) fn by_id(
    connection: &Connection,
    id: EventId,
) -> Result<Option<Notification>, StoreError> {
    one(
        connection,
        select_notification!("WHERE key = ?"),
        [rows::event_key(id)],
        notification,
    )
}

pub(super) fn of_trade(
    connection: &Connection,
    trade: TradeId,
) -> Result<Vec<Notification>, StoreError> {
    let key = rows::row_key(trade.as_i64());
    all(
        connection,
        select_notification!("WHERE trade = ? ORDER BY key"),
        [key],
        notification,
    )
}

/// The newest first, from before one on.
pub(super) fn recent(
    connection: &Connection,
    before: Option<EventId>,
    limit: usize,
) -> Result<Vec<Notification>, StoreError> {
    let before = before.map_or(i64::MAX, rows::event_key);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(
        connection,
        select_notification!("WHERE key < ? ORDER BY key DESC LIMIT ?"),
        params![before, limit],
        notification,
    )
}

pub(super) fn deliveries(
    connection: &Connection,
    id: EventId,
) -> Result<Vec<DeliveryRow>, StoreError> {
    all(
        connection,
        "SELECT at, status, body, next_at FROM delivery WHERE notification = ? ORDER BY attempt",
        [rows::event_key(id)],
        |row| {
            Ok(DeliveryRow {
                at: Timestamp::from_micros(row.get(0)?),
                status: row.get(1)?,
                body: row.get(2)?,
                next_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_micros),
            })
        },
    )
}

/// The partners that have something to hear, each with the instant of its first, in order.
pub(super) fn waiting_partners(
    connection: &Connection,
) -> Result<Vec<(PartnerId, Timestamp)>, StoreError> {
    // One seek a partner: DISTINCT would read every row that waits.
    let mut found = Vec::new();
    let mut after = -1_i64;
    loop {
        let next = one(
            connection,
            "SELECT partner, next_at FROM notification WHERE partner > ? AND next_at IS NOT NULL
             ORDER BY partner, next_at LIMIT 1",
            [after],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?;
        let Some((partner, at)) = next else {
            return Ok(found);
        };
        after = partner;
        let partner = rows::partner_id(partner, "notification")?;
        found.push((partner, Timestamp::from_micros(at)));
    }
}

/// What a partner must hear until an instant, the earliest first.
pub(super) fn due(
    connection: &Connection,
    partner: PartnerId,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Notification>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(
        connection,
        select_notification!("WHERE partner = ? AND next_at <= ? ORDER BY next_at, key LIMIT ?"),
        params![rows::number(partner.number()), until.as_micros(), limit],
        notification,
    )
}

pub(super) fn write(tx: &Connection, set: &WorkingSet) -> Result<(), StoreError> {
    let writes = set.writes();
    let find = |id: &EventId| set.notification(*id);
    for notification in writes.notifications_new.iter().filter_map(find) {
        insert(tx, notification)?;
    }
    for notification in writes.notifications_changed.iter().filter_map(find) {
        let state = code(notification.state);
        let next_at = notification.next_at.map(Timestamp::as_micros);
        let key = rows::event_key(notification.id);
        tx.prepare_cached(
            "UPDATE notification SET state = ?2, attempts = ?3, next_at = ?4 WHERE key = ?1",
        )?
        .execute(params![key, state, notification.attempts, next_at])?;
    }
    for sending in &writes.deliveries {
        let Sending {
            delivery,
            attempt,
            next_at,
        } = sending;
        tx.prepare_cached(
            "INSERT INTO delivery (notification, attempt, at, status, body, next_at) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            rows::event_key(delivery.notification),
            attempt,
            delivery.at.as_micros(),
            delivery.status,
            delivery.body,
            next_at.map(Timestamp::as_micros),
        ])?;
    }
    Ok(())
}

fn insert(tx: &Connection, notification: &Notification) -> Result<(), StoreError> {
    let (tidings, refund) = match notification.tidings {
        Tidings::TradePaid => (0, None),
        Tidings::TradeClosed => (1, None),
        Tidings::RefundDone(refund) => (2, Some(rows::event_key(refund))),
    };
    tx.prepare_cached(
        "INSERT INTO notification (key, partner, trade, tidings, refund, url, state, attempts, next_at, dialect)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        rows::event_key(notification.id),
        rows::number(notification.partner.number()),
        rows::row_key(notification.trade.as_i64()),
        tidings,
        refund,
        notification.url,
        code(notification.state),
        notification.attempts,
        notification.next_at.map(Timestamp::as_micros),
        notification.dialect.0,
    ])?;
    Ok(())
}

fn code(state: NotificationState) -> i64 {
    let place = STATES.iter().position(|known| *known == state);
    place
        .and_then(|place| i64::try_from(place).ok())
        .unwrap_or(0)
}
