//! Values as files write them, ours and others'.

use spotpay_core::money::{Currency, FxRate, Money, MoneyError};
use spotpay_core::time::{CivilDate, Timestamp};

/// Reads major units as files write them: `100`, `0.0`, `555.0`, `852.40`, `-0.2`, and `500.00` of a
/// currency without decimals. Nothing is rounded: decimals that the currency lacks must be zeros.
///
/// # Errors
/// No decimal number, one with more decimals than the currency has, or one beyond 64 bits.
pub fn money(text: &str, currency: Currency) -> Result<Money, MoneyError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut minor: i64 = 0;
    let mut decimals: Option<u32> = None;
    let (first, last) = (digits.first(), digits.last());
    if !first.is_some_and(u8::is_ascii_digit) || !last.is_some_and(u8::is_ascii_digit) {
        return Err(MoneyError::Malformed);
    }
    for byte in digits {
        let digit = match (byte, decimals) {
            (b'0'..=b'9', _) => i64::from(byte - b'0'),
            (b'.', None) => {
                decimals = Some(0);
                continue;
            }
            (_, _) => return Err(MoneyError::Malformed),
        };
        if let Some(count) = decimals.as_mut() {
            if *count == currency.exponent() {
                match digit {
                    0 => continue,
                    _ => return Err(MoneyError::TooManyDecimals),
                }
            }
            *count += 1;
        }
        minor = minor
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(digit))
            .ok_or(MoneyError::Overflow)?;
    }
    for _ in decimals.unwrap_or(0)..currency.exponent() {
        minor = minor.checked_mul(10).ok_or(MoneyError::Overflow)?;
    }
    let minor = if negative { -minor } else { minor };
    Ok(Money::of_minor(minor, currency))
}

/// Reads a rate; nothing for none and for zero, and digits beyond the eighth decimal are left out.
pub(super) fn rate(text: &str) -> Result<Option<FxRate>, MoneyError> {
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    if decimals.is_empty() || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyError::Malformed);
    }
    let kept = decimals.get(..8).unwrap_or(decimals);
    match format!("{whole}.{kept}").parse() {
        Ok(rate) => Ok(Some(rate)),
        Err(MoneyError::NotPositive) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a time of GMT+8 as files write it: `yyyy-MM-dd HH:mm:ss`, `MM/DD/YYYY HH:MM`, and what
/// spreadsheets make of them: `yyyy/M/d H:mm`, a date alone, `yyyyMMddHHmmss`.
pub fn time(text: &str) -> Option<Timestamp> {
    Times::default().read(text)
}

/// The same for many rows, most of which are of one day.
#[derive(Default, Debug)]
pub(super) struct Times {
    last: Option<([u8; 10], CivilDate)>,
}

impl Times {
    pub(super) fn read(&mut self, text: &str) -> Option<Timestamp> {
        let [
            y1,
            y2,
            y3,
            y4,
            b'-',
            m1,
            m2,
            b'-',
            d1,
            d2,
            b' ',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
        ] = text.as_bytes()
        else {
            return any_time(text);
        };
        let day = [*y1, *y2, *y3, *y4, b'-', *m1, *m2, b'-', *d1, *d2];
        let date = match self.last {
            Some((known, date)) if known == day => date,
            Some(_) | None => {
                let date = CivilDate::parse_dashed(text.get(..10)?)?;
                self.last = Some((day, date));
                date
            }
        };
        date.at(pair(*h1, *h2)?, pair(*n1, *n2)?, pair(*s1, *s2)?)
    }
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// The slow road, for every other spelling.
fn any_time(text: &str) -> Option<Timestamp> {
    if let Some(time) = Timestamp::parse_compact(text) {
        return Some(time);
    }
    let (day, clock) = match text.split_once([' ', 'T']) {
        Some((day, clock)) => (day, clock.trim_start()),
        None => (text, "00:00:00"),
    };
    let separator = if day.contains('/') { '/' } else { '-' };
    let [first, second, third] = numbers(day, separator)?;
    let year_first = day.find(separator) == Some(4);
    let (year, month, of_month) = match (year_first, separator) {
        (true, _) => (first, second, third),
        (false, '/') => (third, first, second),
        (false, _) => return None,
    };
    let [hour, minute, second] = if clock.matches(':').count() == 1 {
        numbers(&format!("{clock}:00"), ':')?
    } else {
        numbers(clock, ':')?
    };
    let date = CivilDate::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        of_month.try_into().ok()?,
    )?;
    date.at(hour, minute, second)
}

/// Three numbers of one to four digits.
fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split(separator);
    for number in &mut found {
        let part = parts.next()?;
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *number = part.parse().ok().filter(|_| digits)?;
    }
    parts.next().is_none().then_some(found)
}
