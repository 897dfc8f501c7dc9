//! Instants, civil dates and the business day of GMT+8.
//!
//! Core never asks what time it is: `now` is an argument.

use std::fmt;
use std::ops::Range;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Span {
    /// So many microseconds.
    pub const fn micros(micros: i64) -> Self {
        Self(micros)
    }

    /// So many milliseconds.
    pub const fn millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// So many seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// So many minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// So many hours.
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }

    /// The microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us", self.0)
    }
}

/// GMT+8, the one zone of the scheme's calendar and of every time on the wire.
const OFFSET: Span = Span::hours(8);
const DAY: Span = Span::hours(24);

impl Timestamp {
    /// The latest instant that can be named; a deadline that never comes.
    pub const FAR_FUTURE: Self = Self(i64::MAX);

    /// From microseconds since 1970, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since 1970, UTC.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970, UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, UTC.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Later by a span.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Earlier by a span.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The span from `earlier` to this instant; negative when it is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The business date: the civil date in GMT+8.
    pub fn business_date(self) -> CivilDate {
        let days = self.0.saturating_add(OFFSET.0).div_euclid(DAY.0);
        CivilDate(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Second of the business day, 0 to 86,399.
    pub fn second_of_day(self) -> u32 {
        let micros = self.0.saturating_add(OFFSET.0).rem_euclid(DAY.0);
        u32::try_from(micros / 1_000_000).unwrap_or(0)
    }

    /// Appends `yyyyMMddHHmmss` in GMT+8, as answers carry it.
    pub fn write_compact(self, out: &mut String) {
        self.write_with(out, ["", "", "", "", ""]);
    }

    /// `yyyyMMddHHmmss` in GMT+8.
    pub fn compact(self) -> String {
        let mut text = String::with_capacity(14);
        self.write_compact(&mut text);
        text
    }

    /// `yyyy-MM-dd HH:mm:ss` in GMT+8, as notifications and files carry it.
    pub fn spaced(self) -> String {
        let mut text = String::with_capacity(19);
        self.write_spaced(&mut text);
        text
    }

    /// Appends [`Timestamp::spaced`] without an allocation, for files.
    pub fn write_spaced(self, out: &mut String) {
        self.write_with(out, ["-", "-", " ", ":", ":"]);
    }

    fn write_with(self, out: &mut String, between: [&str; 5]) {
        let (year, month, day) = self.business_date().ymd();
        let second = self.second_of_day();
        let parts = [
            u32::from(month),
            u32::from(day),
            second / 3600,
            second / 60 % 60,
            second % 60,
        ];
        push_digits(out, u32::from(year.unsigned_abs()), 4);
        for (separator, part) in between.into_iter().zip(parts) {
            out.push_str(separator);
            push_digits(out, part, 2);
        }
    }

    /// Reads `yyyyMMddHHmmss` of GMT+8.
    pub fn parse_compact(text: &str) -> Option<Self> {
        if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let date = CivilDate::parse_compact(text.get(..8)?)?;
        let part = |range: Range<usize>| text.get(range)?.parse::<i64>().ok();
        date.at(part(8..10)?, part(10..12)?, part(12..14)?)
    }

    /// Reads `yyyy-MM-dd HH:mm:ss` of GMT+8.
    pub fn parse_spaced(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shape = |index: usize, byte: u8| bytes.get(index) == Some(&byte);
        let whole = shape(4, b'-')
            && shape(7, b'-')
            && shape(10, b' ')
            && shape(13, b':')
            && shape(16, b':');
        if bytes.len() != 19 || !whole {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        Self::parse_compact(&digits)
    }
}

/// Appends a number with at least `width` digits.
fn push_digits(out: &mut String, number: u32, width: usize) {
    use fmt::Write as _;
    let written = write!(out, "{number:0width$}");
    debug_assert!(written.is_ok(), "a String takes every write");
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in GMT+8: `2026-11-23T23:00:00+08:00`, with the fraction when there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(32);
        self.write_with(&mut text, ["-", "-", "T", ":", ":"]);
        let micros = self.0.rem_euclid(1_000_000);
        if micros != 0 {
            text.push_str(format!(".{micros:06}").trim_end_matches('0'));
        }
        write!(f, "{text}+08:00")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A date without a time or a zone; as a business date, the civil date in GMT+8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(i32);

impl CivilDate {
    /// From days since 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn as_days(self) -> i32 {
        self.0
    }

    /// The date of a year, month and day, when there is such a day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = jiff::civil::Date::new(year, month, day).ok()?;
        let epoch = jiff::civil::date(1970, 1, 1);
        date.since((jiff::Unit::Day, epoch))
            .ok()
            .map(|span| Self(span.get_days()))
    }

    /// Year, month, day (proleptic Gregorian), after Howard Hinnant's `civil_from_days`: answers
    /// write a date per payment, so this is arithmetic and not a calendar library.
    pub fn ymd(self) -> (i16, u8, u8) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
        let month = if month_shifted < 10 {
            month_shifted + 3
        } else {
            month_shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (
            i16::try_from(year).unwrap_or(i16::MAX),
            u8::try_from(month).unwrap_or(0),
            u8::try_from(day).unwrap_or(0),
        )
    }

    /// The date so many days later.
    #[must_use]
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Whether it is a Saturday or a Sunday.
    pub const fn is_weekend(self) -> bool {
        // 1970-01-01 was a Thursday.
        matches!((self.0.wrapping_add(3)).rem_euclid(7), 5 | 6)
    }

    /// The first day of this date's month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        let (_, _, day) = self.ymd();
        Self(self.0 - i32::from(day) + 1)
    }

    /// The instant at which this date begins in GMT+8.
    pub fn start(self) -> Timestamp {
        Timestamp(
            i64::from(self.0)
                .saturating_mul(DAY.0)
                .saturating_sub(OFFSET.0),
        )
    }

    /// The instant of a time of day in GMT+8, when it is one (no leap second).
    pub fn at(self, hour: i64, minute: i64, second: i64) -> Option<Timestamp> {
        let valid =
            (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        valid.then(|| {
            self.start()
                .plus(Span::seconds(hour * 3600 + minute * 60 + second))
        })
    }

    /// Reads `yyyyMMdd`.
    pub fn parse_compact(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(
            text.get(..4)?.parse().ok()?,
            text.get(4..6)?.parse().ok()?,
            text.get(6..8)?.parse().ok()?,
        )
    }

    /// Reads `yyyy-MM-dd`.
    pub fn parse_dashed(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        Self::parse_compact(&digits)
    }

    /// `yyyyMMdd`, as in file names and trade numbers.
    pub fn compact(self) -> String {
        let (year, month, day) = self.ymd();
        format!("{year:04}{month:02}{day:02}")
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Goal: midnight of GMT+8 is the edge of the business day, to the microsecond.
    #[test]
    fn business_day_edges() {
        let midnight = CivilDate::new(2026, 11, 24).unwrap().start();
        assert_eq!(midnight.to_string(), "2026-11-24T00:00:00+08:00");
        assert_eq!(midnight.business_date().to_string(), "2026-11-24");
        let before = midnight.minus(Span::micros(1));
        assert_eq!(before.business_date().to_string(), "2026-11-23");
        assert_eq!(before.to_string(), "2026-11-23T23:59:59.999999+08:00");
        assert_eq!(before.compact(), "20261123235959");
        assert_eq!(before.spaced(), "2026-11-23 23:59:59");
        assert_eq!(
            Timestamp::from_seconds(0).to_string(),
            "1970-01-01T08:00:00+08:00"
        );
    }

    #[test]
    fn wrong_times_are_refused() {
        for text in [
            "20260230120000",
            "20261123240000",
            "20261123126000",
            "2026112312000",
            "2026112312000x",
            "2026-11-23120000",
        ] {
            assert_eq!(Timestamp::parse_compact(text), None, "{text}");
        }
        assert_eq!(Timestamp::parse_spaced("2026-11-23T12:00:00"), None);
        assert_eq!(CivilDate::parse_dashed("2025-02-29"), None);
    }

    proptest! {
        #[test]
        fn dates_agree_with_the_calendar_library(days in -700_000_i32..2_900_000) {
            let (year, month, day) = CivilDate::from_days(days).ymd();
            let date = CivilDate::new(year, i8::try_from(month).unwrap(), i8::try_from(day).unwrap());
            prop_assert_eq!(date, Some(CivilDate::from_days(days)));
        }

        #[test]
        fn texts_round_trip(seconds in 0..200_000_000_000_i64) {
            let at = Timestamp::from_seconds(seconds);
            prop_assert_eq!(Timestamp::parse_compact(&at.compact()), Some(at));
            prop_assert_eq!(Timestamp::parse_spaced(&at.spaced()), Some(at));
        }
    }
}
