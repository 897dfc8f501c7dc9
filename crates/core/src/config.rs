//! What decisions are made by: partners and rates, as one value that never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::calendar::{CalendarName, Calendars};
use crate::fx::{Rate, RateTable};
use crate::id::PartnerId;
use crate::partner::Partner;
use crate::shop::Shop;
use crate::time::{CivilDate, Span, Timestamp};

/// A version of the configuration. A change makes another one; a decision sees exactly one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// Counts the changes since the process began.
    pub version: u64,
    /// The partners, by number.
    pub partners: BTreeMap<PartnerId, Arc<Partner>>,
    /// The rates.
    pub rates: RateTable,
    /// The holidays.
    pub calendars: Calendars,
    /// The day's work that is done: see [`ConfigChange::JobDone`].
    pub jobs: BTreeMap<Job, CivilDate>,
    /// How far the sandbox clock is ahead of the real one.
    pub clock_offset: Span,
}

/// What is done once a day by the clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Job {
    /// Settlement, at 15:30 GMT+8.
    Settlement,
    /// The files of the day before, at 09:00 GMT+8.
    Files,
}

impl Job {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Settlement, Self::Files];

    /// When it runs on a date.
    pub fn due(self, date: CivilDate) -> Timestamp {
        let span = match self {
            Self::Settlement => Span::minutes(15 * 60 + 30),
            Self::Files => Span::hours(9),
        };
        date.start().plus(span)
    }
}

/// One change of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigChange {
    /// A partner is new, or has other terms or keys.
    PutPartner(Arc<Partner>),
    /// The store of a partner's payments that name none has other names: a change by itself, so that
    /// it undoes no other one of the same batch.
    PutDefaultShop(Shop),
    /// A rate is new, or corrected.
    PutRate(Rate),
    /// These are the holidays of a calendar.
    SetHolidays(CalendarName, BTreeSet<CivilDate>),
    /// A job is done up to and with its run of a date.
    JobDone(Job, CivilDate),
    /// The sandbox clock went forward to this offset.
    MoveClock(Span),
}

impl Config {
    /// The next version.
    #[must_use]
    pub fn with(&self, change: &ConfigChange) -> Self {
        let mut next = Self {
            version: self.version + 1,
            ..self.clone()
        };
        match change {
            ConfigChange::PutPartner(partner) => {
                next.partners.insert(partner.id, Arc::clone(partner));
            }
            ConfigChange::PutDefaultShop(shop) => {
                if let Some(partner) = next.partners.get_mut(&shop.partner) {
                    *partner = Arc::new(Partner {
                        default_shop: shop.clone(),
                        ..Partner::clone(partner)
                    });
                }
            }
            ConfigChange::PutRate(rate) => next.rates.put(rate.clone()),
            ConfigChange::SetHolidays(calendar, dates) => next.calendars.set(*calendar, dates),
            ConfigChange::JobDone(job, date) => {
                next.jobs.insert(*job, *date);
            }
            ConfigChange::MoveClock(offset) => next.clock_offset = *offset,
        }
        next
    }

    /// A partner by its number.
    pub fn partner(&self, id: PartnerId) -> Option<&Arc<Partner>> {
        self.partners.get(&id)
    }
}
