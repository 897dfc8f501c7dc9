//! Which business dates are working days, and when what happened on one is settled
//! (`spec/13`, 27).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::time::CivilDate;

/// A calendar of public holidays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CalendarName {
    /// Mainland China's.
    Cn,
    /// Hong Kong's.
    Hk,
}

impl CalendarName {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cn, Self::Hk];

    /// The name in files and in the sandbox API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "CN",
            Self::Hk => "HK",
        }
    }
}

impl fmt::Display for CalendarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownCalendar;

impl fmt::Display for UnknownCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is neither CN nor HK")
    }
}

impl std::error::Error for UnknownCalendar {}

impl FromStr for CalendarName {
    type Err = UnknownCalendar;

    fn from_str(text: &str) -> Result<Self, UnknownCalendar> {
        let mut all = Self::ALL.into_iter();
        all.find(|name| name.as_str() == text)
            .ok_or(UnknownCalendar)
    }
}

/// The holidays of every calendar. Make-up weekends are not working days here: the published texts
/// know only weekends and holidays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Calendars(BTreeSet<(CalendarName, CivilDate)>);

impl Calendars {
    /// Adds a holiday.
    pub fn put(&mut self, calendar: CalendarName, date: CivilDate) {
        self.0.insert((calendar, date));
    }

    /// Gives a calendar these holidays and no others.
    pub fn set(&mut self, calendar: CalendarName, dates: &BTreeSet<CivilDate>) {
        self.0.retain(|(name, _)| *name != calendar);
        self.0.extend(dates.iter().map(|date| (calendar, *date)));
    }

    /// The holidays of a calendar, in order.
    pub fn holidays(&self, calendar: CalendarName) -> impl Iterator<Item = CivilDate> {
        let own = self.0.iter().filter(move |(name, _)| *name == calendar);
        own.map(|(_, date)| *date)
    }

    /// Whether banks work.
    pub fn is_working_day(&self, calendar: CalendarName, date: CivilDate) -> bool {
        !date.is_weekend() && !self.0.contains(&(calendar, date))
    }

    /// The first working day strictly after a date: what happened on the date settles then.
    pub fn settlement_date(&self, calendar: CalendarName, date: CivilDate) -> CivilDate {
        let mut next = date.plus_days(1);
        // A year of holidays is a mistake of whoever listed them, not a reason to look for ever.
        let end = date.plus_days(366);
        while next < end && !self.is_working_day(calendar, next) {
            next = next.plus_days(1);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> CivilDate {
        CivilDate::parse_dashed(text).unwrap()
    }

    // Goal: `spec/07`, when: Friday to Sunday settle on Monday; the days of a holiday and the day
    // before it on the first working day after, although a weekend before it is made up for.
    #[test]
    fn settlement_dates() {
        let mut calendars = Calendars::default();
        for day in 1..=7 {
            calendars.put(CalendarName::Cn, CivilDate::new(2026, 10, day).unwrap());
        }
        calendars.put(CalendarName::Hk, date("2026-10-01"));
        for (calendar, traded, settled) in [
            (CalendarName::Cn, "2026-11-23", "2026-11-24"),
            (CalendarName::Cn, "2026-11-26", "2026-11-27"),
            (CalendarName::Cn, "2026-11-27", "2026-11-30"),
            (CalendarName::Cn, "2026-11-28", "2026-11-30"),
            (CalendarName::Cn, "2026-11-29", "2026-11-30"),
            (CalendarName::Cn, "2026-09-30", "2026-10-08"),
            (CalendarName::Cn, "2026-10-07", "2026-10-08"),
            (CalendarName::Cn, "2026-10-09", "2026-10-12"),
            (CalendarName::Hk, "2026-09-30", "2026-10-02"),
        ] {
            let found = calendars.settlement_date(calendar, date(traded));
            assert_eq!(found, date(settled), "{calendar} {traded}");
        }
    }

    #[test]
    fn names_lead_back() {
        for name in CalendarName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
        }
        assert_eq!("cn".parse::<CalendarName>(), Err(UnknownCalendar));
    }
}
