//! Lengths of time as people write them: `3m`, `90s`, `2h`, `1d`, `1h30m`, and ISO 8601 `PT3M`.

use std::str::FromStr;

use spotpay_client::Span;

/// A length of time of whole seconds, above zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Length(i64);

/// The longest: ten years, so that no date runs over.
const SECONDS_MAX: i64 = 3_650 * 86_400;

/// Not a length of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NotALength;

impl std::fmt::Display for NotALength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a length of time is like 90s, 3m, 2h, 1d, 1h30m or PT3M, at most 3650d")
    }
}

impl std::error::Error for NotALength {}

impl Length {
    pub(crate) const fn span(self) -> Span {
        Span::seconds(self.0)
    }

    /// ISO 8601, as the sandbox reads it.
    pub(crate) fn iso(self) -> String {
        let (hours, minutes, seconds) = (self.0 / 3_600, self.0 / 60 % 60, self.0 % 60);
        let mut text = "PT".to_owned();
        for (number, unit) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
            if number > 0 {
                text.push_str(&format!("{number}{unit}"));
            }
        }
        text
    }
}

impl FromStr for Length {
    type Err = NotALength;

    fn from_str(text: &str) -> Result<Self, NotALength> {
        let lower = text.to_ascii_lowercase();
        let parts = match lower.strip_prefix('p') {
            None => vec![(lower.as_str(), "dhms")],
            Some(iso) => match iso.split_once('t') {
                None => vec![(iso, "d")],
                Some((days, "")) if !days.is_empty() => return Err(NotALength),
                Some((days, time)) => vec![(days, "d"), (time, "hms")],
            },
        };
        let mut seconds = 0_i64;
        for (part, units) in parts {
            seconds = add(part, units, seconds).ok_or(NotALength)?;
        }
        if (1..=SECONDS_MAX).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(NotALength)
        }
    }
}

/// Adds numbers with their units, which come in this order and at most once each.
fn add(text: &str, units: &str, mut seconds: i64) -> Option<i64> {
    let (mut rest, mut units) = (text, units);
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, unit) = rest.split_at(end);
        let letter = unit.chars().next()?;
        let (_, later) = units.split_once(letter)?;
        let scale = match letter {
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            _ => 1,
        };
        let number = number.parse::<i64>().ok()?.checked_mul(scale)?;
        seconds = seconds.checked_add(number)?;
        (rest, units) = (unit.get(1..)?, later);
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: each spelling, and what is none.
    #[test]
    fn spellings() {
        for (text, iso) in [
            ("3m", "PT3M"),
            ("90s", "PT1M30S"),
            ("2h", "PT2H"),
            ("1d", "PT24H"),
            ("1h30m", "PT1H30M"),
            ("PT3M", "PT3M"),
            ("pt3m", "PT3M"),
            ("P1DT2H", "PT26H"),
            ("P2D", "PT48H"),
            ("PT0H5S", "PT5S"),
        ] {
            assert_eq!(
                text.parse::<Length>().map(Length::iso).as_deref(),
                Ok(iso),
                "{text}"
            );
        }
        for text in [
            "",
            "0s",
            "PT0S",
            "3",
            "m",
            "-3m",
            "+3m",
            "3 m",
            "3w",
            "3m3m",
            "3m1h",
            "PT",
            "P",
            "P1DT",
            "P3M",
            "T3M",
            "1.5h",
            "9999999999999999999s",
            "3651d",
            "３m",
        ] {
            assert_eq!(text.parse::<Length>(), Err(NotALength), "{text}");
        }
    }
}
