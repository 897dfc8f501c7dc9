//! The one clock: what time it is, and how far the sandbox moved it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use spotpay_core::time::{Span, Timestamp};

/// Where time comes from. `serve` has the machine's, tests have their own.
pub trait Clock: Send + Sync {
    /// The instant that decisions are made with: real time plus the sandbox's offset.
    fn now(&self) -> Timestamp;
    /// Real time, for what outside parties compare with their own clocks.
    fn real(&self) -> Timestamp;
    /// Time since some instant, for durations; it never goes back.
    fn monotonic(&self) -> Span;
    /// Moves [`Clock::now`] to this distance from [`Clock::real`].
    fn set_offset(&self, offset: Span);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    offset: AtomicI64,
    start: Instant,
}

impl SystemClock {
    /// The machine's clock, not moved.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the door to the machine's clock"
    )]
    pub fn new() -> Self {
        Self {
            offset: AtomicI64::new(0),
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.real()
            .plus(Span::micros(self.offset.load(Ordering::Relaxed)))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the door to the machine's clock"
    )]
    fn real(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the door to the machine's clock"
    )]
    fn monotonic(&self) -> Span {
        Span::micros(i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    fn set_offset(&self, offset: Span) {
        self.offset.store(offset.as_micros(), Ordering::Relaxed);
    }
}
