//! The door to time: what the checkout's driver waits with.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the door to the machine's clock"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use spotpay_core::time::{Span, Timestamp};

/// What time it is, and waiting. The driver is the only one to ask.
pub trait Pace {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some instant; it never goes back.
    fn monotonic(&self) -> Span;
    /// Returns when so much time has gone by, or earlier.
    fn pause(&self, span: Span);
}

impl<P: Pace + ?Sized> Pace for &P {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Span {
        (**self).monotonic()
    }

    fn pause(&self, span: Span) {
        (**self).pause(span);
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemPace {
    start: Instant,
}

impl SystemPace {
    /// The machine's clock.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemPace {
    fn default() -> Self {
        Self::new()
    }
}

impl Pace for SystemPace {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp::from_micros(micros(since.unwrap_or_default()))
    }

    fn monotonic(&self) -> Span {
        Span::micros(micros(self.start.elapsed()))
    }

    fn pause(&self, span: Span) {
        std::thread::sleep(Duration::from_micros(
            u64::try_from(span.as_micros()).unwrap_or(0),
        ));
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
