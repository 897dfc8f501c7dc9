//! Where time and numbers go on from.

use spotpay_core::id::TradeId;
use spotpay_core::time::Timestamp;
use spotpay_store::Resume;

/// How far time has come for whoever was answered. It never goes back, also behind a refusal that
/// left no commit: numbers of ours begin with their second, and lists behind the commits are filled
/// in the order of the numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    /// The time of the last decision that was heard.
    pub(super) at: Timestamp,
    /// The last digits of the next number in its second.
    next: u32,
}

impl Default for Reached {
    fn default() -> Self {
        Self {
            at: Timestamp::from_micros(0),
            next: 0,
        }
    }
}

impl Reached {
    pub(super) fn after(resume: &Resume) -> Self {
        let same_second = resume
            .newest
            .filter(|(made, _)| made.as_seconds() == resume.at.as_seconds());
        Self {
            at: resume.at,
            next: same_second.map_or(0, |(_, number)| number.saturating_add(1)),
        }
    }

    /// The last digits of a number made now, which is not before [`Self::at`].
    pub(super) fn next(&mut self, now: Timestamp) -> u32 {
        if self.at.as_seconds() < now.as_seconds() {
            self.next = 0;
        }
        self.at = self.at.max(now);
        let number = self.next % TradeId::NUMBERS;
        self.next = self.next.wrapping_add(1);
        number
    }
}
