//! Notifications: what a partner must still hear, as a row that is written with the change that
//! causes it (`spec/06`).

use crate::id::{EventId, PartnerId, TradeId};
use crate::time::{Span, Timestamp};
use crate::trade::Dialect;

/// The gaps between the sends of one notification until it is acknowledged (`spec/11`, 7).
pub const GAPS: [Span; 7] = [
    Span::minutes(2),
    Span::minutes(10),
    Span::minutes(10),
    Span::hours(1),
    Span::hours(2),
    Span::hours(6),
    Span::hours(15),
];

/// What a notification tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tidings {
    /// The trade is paid.
    TradePaid,
    /// The trade is closed without money.
    TradeClosed,
    /// A refund is done; our number for it.
    RefundDone(EventId),
}

/// Whether the partner has heard it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotificationState {
    /// Not yet.
    Waiting,
    /// It answered `success`.
    Acknowledged,
    /// It was told eight times in vain.
    GivenUp,
}

/// One notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Our number: the event that caused it.
    pub id: EventId,
    /// Who must hear it.
    pub partner: PartnerId,
    /// The trade that it is about.
    pub trade: TradeId,
    /// What it tells.
    pub tidings: Tidings,
    /// Where it is sent.
    pub url: Box<str>,
    /// How it is written: as the request that it is about.
    pub dialect: Dialect,
    /// Whether it was heard.
    pub state: NotificationState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it is sent next; none when it is not.
    pub next_at: Option<Timestamp>,
}

/// What a receiver did with one sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Which notification.
    pub notification: EventId,
    /// When it was sent.
    pub at: Timestamp,
    /// The status of the receiver's answer; none when there was none.
    pub status: Option<u16>,
    /// The beginning of the answer's body, or why there was none.
    pub body: Box<str>,
    /// Whether it says `success`.
    pub acknowledged: bool,
}

impl Notification {
    /// Whether a receiver that asks hears `true`: it was not acknowledged yet, or is being sent
    /// once more by hand (`spec/06`, notify_verify).
    pub fn is_open(&self) -> bool {
        self.state != NotificationState::Acknowledged || self.next_at.is_some()
    }

    /// The notification after one sending: quiet once it is acknowledged, else sent again after the
    /// next gap, and given up after the last. One sent by hand after that changes nothing but its
    /// acknowledgement.
    #[must_use]
    pub fn after(&self, delivery: &Delivery) -> Self {
        let gap = usize::try_from(self.attempts)
            .ok()
            .and_then(|sent| GAPS.get(sent));
        let (state, next_at) = match (self.state, gap) {
            _ if delivery.acknowledged => (NotificationState::Acknowledged, None),
            (NotificationState::Waiting, Some(gap)) => {
                (NotificationState::Waiting, Some(delivery.at.plus(*gap)))
            }
            (NotificationState::Waiting, None) => (NotificationState::GivenUp, None),
            (state @ (NotificationState::Acknowledged | NotificationState::GivenUp), _) => {
                (state, None)
            }
        };
        Self {
            state,
            next_at,
            attempts: self.attempts.saturating_add(1),
            ..self.clone()
        }
    }
}
