//! Limits that an operator may set: what callers may take of the gateway, by name and number.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use spotpay_core::id::PartnerId;
use spotpay_core::time::Span;
use spotpay_wire::form::{FORM_BYTES_MAX, PARAMETERS_MAX};

use crate::engine::QueueLimits;
use crate::listen;

/// What callers may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections, sizes and waits.
    pub listen: listen::Limits,
    /// Commands that wait for the engine.
    pub queue: QueueLimits,
    /// Parameters of a form.
    pub parameters: usize,
    /// Signed requests of one partner in a second; 0 counts none.
    pub partner_requests_per_second: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            listen: listen::Limits::default(),
            queue: QueueLimits::default(),
            parameters: PARAMETERS_MAX,
            partner_requests_per_second: 0,
        }
    }
}

/// The place of a limit.
enum Slot<'a> {
    Count(&'a mut usize),
    Seconds(&'a mut Duration),
}

/// A limit as `--limit` names it.
#[derive(Debug)]
pub struct Limit {
    /// Its name, with the unit in it.
    pub name: &'static str,
    /// The least that works.
    pub min: u64,
    /// The most that makes sense, or that what lies below can keep.
    pub max: u64,
    /// What it bounds.
    pub bounds: &'static str,
    slot: fn(&mut Limits) -> Slot<'_>,
}

impl Limit {
    /// What it is when nobody says.
    pub fn default_value(&self) -> u64 {
        match (self.slot)(&mut Limits::default()) {
            Slot::Count(count) => u64::try_from(*count).unwrap_or(u64::MAX),
            Slot::Seconds(time) => time.as_secs(),
        }
    }
}

const fn limit(
    name: &'static str,
    (min, max): (u64, u64),
    bounds: &'static str,
    slot: fn(&mut Limits) -> Slot<'_>,
) -> Limit {
    Limit {
        name,
        min,
        max,
        bounds,
        slot,
    }
}

/// All of them, in the order of a request's way.
pub const ALL: &[Limit] = &[
    limit(
        "connections",
        (1, 1_000_000),
        "connections at once",
        |all| Slot::Count(&mut all.listen.connections),
    ),
    limit(
        "connections-per-address",
        (0, 1_000_000),
        "the same of one address; 0 is no limit",
        |all| Slot::Count(&mut all.listen.connections_per_address),
    ),
    limit("handshake-seconds", (1, 600), "a TLS handshake", |all| {
        Slot::Seconds(&mut all.listen.handshake_time)
    }),
    limit(
        "head-bytes",
        (1_024, 1_048_576),
        "the head of a request",
        |all| Slot::Count(&mut all.listen.header_bytes),
    ),
    // hyper counts to 100 by itself.
    limit("head-lines", (8, 100), "its lines", |all| {
        Slot::Count(&mut all.listen.headers)
    }),
    limit(
        "head-seconds",
        (1, 600),
        "from its first byte to its last",
        |all| Slot::Seconds(&mut all.listen.head_time),
    ),
    // A form is read up to 65,536 bytes, its query included.
    limit(
        "body-bytes",
        (4_096, 65_536),
        "the body of a request",
        |all| Slot::Count(&mut all.listen.body_bytes),
    ),
    limit(
        "body-seconds",
        (1, 600),
        "from its first byte to its last",
        |all| Slot::Seconds(&mut all.listen.body_time),
    ),
    limit(
        "parameters",
        (40, 1_000),
        "parameters of a request",
        |all| Slot::Count(&mut all.parameters),
    ),
    limit(
        "idle-seconds",
        (1, 3_600),
        "between two requests of a connection",
        |all| Slot::Seconds(&mut all.listen.idle_time),
    ),
    limit(
        "unread-seconds",
        (1, 600),
        "an answer that nobody reads",
        |all| Slot::Seconds(&mut all.listen.stall_time),
    ),
    limit(
        "partner-requests-per-second",
        (0, 1_000_000),
        "signed requests of one partner; 0 is no limit",
        |all| Slot::Count(&mut all.partner_requests_per_second),
    ),
    limit(
        "partner-commands",
        (1, 1_000_000),
        "commands of one partner that wait",
        |all| Slot::Count(&mut all.queue.per_partner),
    ),
    limit(
        "commands",
        (1, 1_000_000),
        "commands that wait, in all",
        |all| Slot::Count(&mut all.queue.total),
    ),
];

const _: () = assert!(FORM_BYTES_MAX == 65_536, "the bound of body-bytes");

/// One `NAME=NUMBER`.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    limit: &'static Limit,
    to: u64,
}

impl Change {
    /// The limits with this one changed.
    #[must_use]
    pub fn set(self, mut limits: Limits) -> Limits {
        match (self.limit.slot)(&mut limits) {
            Slot::Count(count) => *count = usize::try_from(self.to).unwrap_or(usize::MAX),
            Slot::Seconds(time) => *time = Duration::from_secs(self.to),
        }
        limits
    }
}

/// Why a `NAME=NUMBER` is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LimitError {
    /// Without `=`.
    #[error("a limit is written NAME=NUMBER, such as body-bytes=32000")]
    Shape,
    /// No limit has the name.
    #[error("there is no limit {0}; `spotpay serve --help` lists them")]
    Unknown(String),
    /// Not a number in its range.
    #[error("{name} is a whole number from {min} to {max}, not {given}")]
    Range {
        /// The limit.
        name: &'static str,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What was given.
        given: String,
    },
}

impl FromStr for Change {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (name, number) = text.split_once('=').ok_or(LimitError::Shape)?;
        let limit = ALL
            .iter()
            .find(|limit| limit.name == name)
            .ok_or_else(|| LimitError::Unknown(name.to_owned()))?;
        let Limit { name, min, max, .. } = *limit;
        // `+5` is a number to Rust, and a slip of the finger here.
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let to = number
            .parse()
            .ok()
            .filter(|to| digits && (min..=max).contains(to));
        let to = to.ok_or_else(|| LimitError::Range {
            name,
            min,
            max,
            given: number.to_owned(),
        })?;
        Ok(Self { limit, to })
    }
}

/// What `spotpay serve --help` says of them.
pub fn help() -> String {
    let mut text =
        "Change a limit; may stand several times, and the last of a name counts:".to_owned();
    for limit in ALL {
        let Limit { name, bounds, .. } = limit;
        let default = limit.default_value();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {name}={default}: {bounds}");
    }
    text
}

/// How many requests each partner has left: as many as a second allows at once, then one by one.
#[derive(Debug)]
pub struct Pace {
    /// Between two requests; `None` counts none.
    gap: Option<Span>,
    /// When each partner will have used up nothing.
    free_at: Mutex<HashMap<PartnerId, Span>>,
    refused: AtomicU64,
}

impl Pace {
    /// So many a second; 0 counts none.
    pub(crate) fn new(per_second: usize) -> Self {
        let per_second = i64::try_from(per_second).unwrap_or(i64::MAX);
        Self {
            gap: Span::seconds(1)
                .as_micros()
                .checked_div(per_second)
                .map(Span::micros),
            free_at: Mutex::default(),
            refused: AtomicU64::new(0),
        }
    }

    /// Counts a request; whether there was room for it.
    pub(crate) fn allows(&self, partner: PartnerId, now: Span) -> bool {
        let Some(gap) = self.gap else { return true };
        let mut all = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let free_at = all.entry(partner).or_insert(now);
        let next = (*free_at).max(now).as_micros() + gap.as_micros();
        let fits = next <= now.as_micros() + Span::seconds(1).as_micros();
        if fits {
            *free_at = Span::micros(next);
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }

    /// Requests for which there was none.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
