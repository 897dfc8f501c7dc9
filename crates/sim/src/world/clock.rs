//! Time and chance of a world: both begin where the seed says.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering};

use spotpay_core::time::{Span, Timestamp};
use spotpay_server::clock::Clock;
use spotpay_server::entropy::Entropy;

/// The gateway's machine: its wall clock may be set, its monotonic one may not.
#[derive(Debug, Default)]
pub(super) struct WorldClock {
    /// Microseconds since the world began.
    since: AtomicI64,
    /// How far the wall clock is off.
    skew: AtomicI64,
    offset: AtomicI64,
}

impl WorldClock {
    /// When every world begins: a Monday noon in Hong Kong.
    const BEGINNING: i64 = 1_795_406_400;

    /// An instant of the world, told by a clock that goes right.
    pub(super) fn right(since: i64) -> Timestamp {
        Timestamp::from_seconds(Self::BEGINNING).plus(Span::micros(since))
    }

    /// How long after the beginning an instant is.
    pub(super) fn since_beginning(at: Timestamp) -> i64 {
        at.since(Timestamp::from_seconds(Self::BEGINNING))
            .as_micros()
    }

    pub(super) fn go_to(&self, since: i64) {
        self.since.store(since, Ordering::Relaxed);
    }

    /// Sets the wall clock wrong by so much.
    pub(super) fn set_skew(&self, skew: i64) {
        self.skew.store(skew, Ordering::Relaxed);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.real()
            .plus(Span::micros(self.offset.load(Ordering::Relaxed)))
    }

    fn real(&self) -> Timestamp {
        let skew = self.skew.load(Ordering::Relaxed);
        Self::right(self.since.load(Ordering::Relaxed)).plus(Span::micros(skew))
    }

    fn monotonic(&self) -> Span {
        Span::micros(self.since.load(Ordering::Relaxed))
    }

    fn set_offset(&self, offset: Span) {
        self.offset.store(offset.as_micros(), Ordering::Relaxed);
    }
}

/// Randomness that a seed repeats.
pub(super) struct Seeded(pub(super) Mutex<fastrand::Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(bytes);
    }
}
