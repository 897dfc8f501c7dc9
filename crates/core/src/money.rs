//! Money: minor units with a currency, checked arithmetic, and rates that say how they round.
//!
//! There is no `+`, no default and no float: an amount in the wrong currency or one that overflows
//! is a [`MoneyError`], never a wrong number.

use std::fmt;
use std::str::FromStr;

macro_rules! currencies {
    ($($code:ident = $numeric:literal, $exponent:literal;)*) => {
        /// A currency of ISO 4217, with its published exponent.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "a variant is its own ISO 4217 code")]
        pub enum Currency { $($code,)* }

        impl Currency {
            /// Every currency Spotpay knows, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The three-letter code, as it stands on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// The ISO 4217 number, as it stands in the store.
            pub const fn numeric(self) -> u16 {
                match self { $(Self::$code => $numeric,)* }
            }

            /// Digits behind the decimal point: 2 for HKD, 0 for JPY.
            pub const fn exponent(self) -> u32 {
                match self { $(Self::$code => $exponent,)* }
            }

            /// The currency with this ISO 4217 number.
            pub const fn from_numeric(numeric: u16) -> Option<Self> {
                match numeric { $($numeric => Some(Self::$code),)* _ => None }
            }
        }

        impl FromStr for Currency {
            type Err = MoneyError;

            fn from_str(text: &str) -> Result<Self, MoneyError> {
                match text { $(stringify!($code) => Ok(Self::$code),)* _ => Err(MoneyError::UnknownCurrency) }
            }
        }
    };
}

// The currencies that the genuine gateway settles in, and those that its wallets hold.
currencies! {
    HKD = 344, 2;
    CNY = 156, 2;
    USD = 840, 2;
    EUR = 978, 2;
    GBP = 826, 2;
    AUD = 36, 2;
    CAD = 124, 2;
    CHF = 756, 2;
    DKK = 208, 2;
    IDR = 360, 2;
    JPY = 392, 0;
    KRW = 410, 0;
    MOP = 446, 2;
    MYR = 458, 2;
    NOK = 578, 2;
    NZD = 554, 2;
    PHP = 608, 2;
    RUB = 643, 2;
    SEK = 752, 2;
    SGD = 702, 2;
    THB = 764, 2;
    TWD = 901, 2;
    VND = 704, 0;
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a sum, a conversion or a text is not money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Two amounts of different currencies met.
    CurrencyDiffers,
    /// The result does not fit 64 bits of minor units.
    Overflow,
    /// The text is not digits with at most one point.
    Malformed,
    /// More decimals than the currency has: `500.5` JPY, `1.001` HKD.
    TooManyDecimals,
    /// Zero or less where an amount has to be above zero.
    NotPositive,
    /// Not a currency of the table.
    UnknownCurrency,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CurrencyDiffers => "the currencies differ",
            Self::Overflow => "the number is too large",
            Self::Malformed => "not a decimal number",
            Self::TooManyDecimals => "more decimals than the currency has",
            Self::NotPositive => "not above zero",
            Self::UnknownCurrency => "unknown currency",
        })
    }
}

impl std::error::Error for MoneyError {}

/// Minor units of one currency; may be zero or negative.
///
/// ```
/// use spotpay_core::money::{Currency, Money};
/// let price = Money::parse_major("39.3", Currency::HKD)?;
/// assert_eq!(price.minor(), 3930);
/// assert_eq!(price.major(), "39.30");
/// # Ok::<(), spotpay_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// So many minor units (cents, fen; whole yen).
    pub const fn of_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether this is exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum; refuses another currency and an overflow.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The difference; refuses another currency and an overflow.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self
            .minor
            .checked_sub(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The same part of this money that `part` is of `whole`: how a refund's CNY and commission
    /// follow from its price (`spec/13`, 12).
    ///
    /// # Errors
    /// Part and whole in two currencies, a whole of nothing, or a result beyond 64 bits.
    pub fn share(self, part: Self, whole: Self, rounding: Rounding) -> Result<Self, MoneyError> {
        part.same_currency(whole)?;
        let product = i128::from(self.minor) * i128::from(part.minor);
        let minor = rounding
            .divide(product, i128::from(whole.minor))
            .and_then(|minor| i64::try_from(minor).ok())
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyDiffers)
        }
    }

    /// Reads major units: exact or refused, never rounded. A minus sign is allowed, a plus sign,
    /// an exponent and digit groups are not.
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
            return Err(MoneyError::Malformed);
        }
        if digits.contains('.') && decimals.is_empty() {
            return Err(MoneyError::Malformed);
        }
        let exponent = usize::try_from(currency.exponent()).map_err(|_| MoneyError::Overflow)?;
        if decimals.len() > exponent {
            return Err(MoneyError::TooManyDecimals);
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', exponent - decimals.len());
        for digit in whole.bytes().chain(decimals.bytes()).chain(padding) {
            minor = minor
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::Overflow)?;
        }
        Ok(Self {
            minor: if negative { -minor } else { minor },
            currency,
        })
    }

    /// Major units with every decimal of the currency: `39.30`, `500` for JPY.
    pub fn major(self) -> String {
        let mut text = String::with_capacity(16);
        self.write_major(&mut text);
        text
    }

    /// Appends [`Money::major`] without a second allocation, for answers and files.
    pub fn write_major(self, out: &mut String) {
        use fmt::Write as _;
        let scale = 10_u64.pow(self.currency.exponent());
        let size = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        let written = match self.currency.exponent() {
            0 => write!(out, "{sign}{size}"),
            width => {
                let width = usize::try_from(width).unwrap_or(0);
                write!(out, "{sign}{}.{:0width$}", size / scale, size % scale)
            }
        };
        debug_assert!(written.is_ok(), "a String takes every write");
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.major())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Money above zero, checked once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Amount(Money);

impl Amount {
    /// Takes money above zero.
    pub const fn new(money: Money) -> Result<Self, MoneyError> {
        if money.minor > 0 {
            Ok(Self(money))
        } else {
            Err(MoneyError::NotPositive)
        }
    }

    /// The same as plain money.
    pub const fn money(self) -> Money {
        self.0
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.0.currency
    }
}

/// How a result between two minor units is decided. There is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// To the nearest, the half away from zero (`spec/07`, fee arithmetic).
    HalfUp,
    /// Away from zero.
    Up,
}

impl Rounding {
    /// `numerator / denominator`, rounded; `denominator` is above zero.
    fn divide(self, numerator: i128, denominator: i128) -> Option<i128> {
        let size = numerator.checked_abs()?;
        let whole = size.checked_div(denominator)?;
        let rest = size.checked_rem(denominator)?;
        let up = match self {
            Self::Down => false,
            Self::HalfUp => rest >= denominator - rest,
            Self::Up => rest != 0,
        };
        let rounded = if up { whole.checked_add(1)? } else { whole };
        Some(if numerator < 0 { -rounded } else { rounded })
    }
}

/// A share of an amount in millionths: 1.2 % is 12,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(u32);

impl FeeRate {
    /// So many millionths; at most the whole.
    pub const fn of_millionths(millionths: u32) -> Result<Self, MoneyError> {
        if millionths <= 1_000_000 {
            Ok(Self(millionths))
        } else {
            Err(MoneyError::Overflow)
        }
    }

    /// The millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// This share of the money.
    pub fn of(self, money: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let product = i128::from(money.minor) * i128::from(self.0);
        let minor = rounding
            .divide(product, 1_000_000)
            .ok_or(MoneyError::Overflow)?;
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Ok(Money { minor, ..money })
    }
}

impl FromStr for FeeRate {
    type Err = MoneyError;

    /// Reads a decimal share: `0.012` is 1.2 %.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let millionths = parse_scaled(text, 6)?;
        Self::of_millionths(u32::try_from(millionths).map_err(|_| MoneyError::Overflow)?)
    }
}

impl fmt::Display for FeeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Units of one currency for one unit of another, at 1e-8 as on the wire: `0.92000000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FxRate(u64);

impl FxRate {
    const SCALE: u64 = 100_000_000;

    /// The largest that the stores keep.
    const E8_MAX: u64 = i64::MAX.unsigned_abs();

    /// So many hundred-millionths; above zero, and within 63 bits.
    pub const fn of_e8(e8: u64) -> Result<Self, MoneyError> {
        match e8 {
            0 => Err(MoneyError::NotPositive),
            1..=Self::E8_MAX => Ok(Self(e8)),
            _ => Err(MoneyError::Overflow),
        }
    }

    /// The hundred-millionths.
    pub const fn e8(self) -> u64 {
        self.0
    }

    /// The money in another currency, at least one minor unit of it (`spec/13`, 12).
    pub fn convert(
        self,
        amount: Amount,
        to: Currency,
        rounding: Rounding,
    ) -> Result<Amount, MoneyError> {
        let from = amount.0;
        let up = 10_i128.pow(to.exponent());
        let down = 10_i128.pow(from.currency.exponent()) * i128::from(Self::SCALE);
        let product = i128::from(from.minor)
            .checked_mul(i128::from(self.0))
            .and_then(|product| product.checked_mul(up))
            .ok_or(MoneyError::Overflow)?;
        let minor = rounding
            .divide(product, down)
            .ok_or(MoneyError::Overflow)?
            .max(1);
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Amount::new(Money {
            minor,
            currency: to,
        })
    }
}

impl FromStr for FxRate {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::of_e8(parse_scaled(text, 8)?)
    }
}

impl fmt::Display for FxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.0 / Self::SCALE, self.0 % Self::SCALE)
    }
}

/// An unsigned decimal with at most `places` decimals, as an integer of that scale.
fn parse_scaled(text: &str, places: usize) -> Result<u64, MoneyError> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return Err(MoneyError::Malformed);
    }
    if decimals.len() > places {
        return Err(MoneyError::TooManyDecimals);
    }
    let mut scaled: u64 = 0;
    let padding = std::iter::repeat_n(b'0', places - decimals.len());
    for digit in whole.bytes().chain(decimals.bytes()).chain(padding) {
        scaled = scaled
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
            .ok_or(MoneyError::Overflow)?;
    }
    Ok(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hkd(text: &str) -> Money {
        Money::parse_major(text, Currency::HKD).unwrap()
    }

    // Goal: the fee arithmetic of `spec/07` to the cent, and the traps of float percentages.
    #[test]
    fn fee_table() {
        for (rate, gross, fee) in [
            ("0.012", "2899.05", "34.79"),
            ("0.01", "852.40", "8.52"),
            ("0.012", "555.00", "6.66"),
            ("0.012", "0.01", "0.00"),
            ("0.006", "10.00", "0.06"),
            ("0.029", "10.00", "0.29"),
            ("0.011", "10.00", "0.11"),
            ("1", "10.00", "10.00"),
            ("0", "10.00", "0.00"),
        ] {
            let rate: FeeRate = rate.parse().unwrap();
            assert_eq!(
                rate.of(hkd(gross), Rounding::HalfUp).unwrap(),
                hkd(fee),
                "{rate} of {gross}"
            );
        }
    }

    // Goal: a text is exactly an amount or it is refused, for every way to be wrong.
    #[test]
    fn parse_table() {
        use Currency::{HKD, JPY};
        for (text, currency, expected) in [
            ("39.30", HKD, Ok(3930)),
            ("0.1", HKD, Ok(10)),
            ("10", HKD, Ok(1000)),
            ("-0.01", HKD, Ok(-1)),
            ("500", JPY, Ok(500)),
            ("500.5", JPY, Err(MoneyError::TooManyDecimals)),
            ("1.001", HKD, Err(MoneyError::TooManyDecimals)),
            ("", HKD, Err(MoneyError::Malformed)),
            (".5", HKD, Err(MoneyError::Malformed)),
            ("5.", HKD, Err(MoneyError::Malformed)),
            ("+5", HKD, Err(MoneyError::Malformed)),
            ("1e3", HKD, Err(MoneyError::Malformed)),
            ("1,000", HKD, Err(MoneyError::Malformed)),
            (" 1", HKD, Err(MoneyError::Malformed)),
            ("\u{ff11}", HKD, Err(MoneyError::Malformed)),
            ("92233720368547758.07", HKD, Ok(i64::MAX)),
            ("92233720368547758.08", HKD, Err(MoneyError::Overflow)),
        ] {
            assert_eq!(
                Money::parse_major(text, currency).map(Money::minor),
                expected,
                "{text:?}"
            );
        }
    }

    // Goal: conversion rounds half-up and never gives nothing for something.
    #[test]
    fn convert_table() {
        for (rate, from, currency, to) in [
            ("0.92000000", "100.00", Currency::HKD, "92.00"),
            ("7.20", "0.01", Currency::USD, "0.07"),
            ("0.92", "0.01", Currency::HKD, "0.01"),
            ("0.04", "0.01", Currency::HKD, "0.01"),
            ("0.05", "100", Currency::JPY, "5.00"),
            ("6.64640000", "0.01", Currency::USD, "0.07"),
        ] {
            let rate: FxRate = rate.parse().unwrap();
            let amount = Amount::new(Money::parse_major(from, currency).unwrap()).unwrap();
            let converted = rate
                .convert(amount, Currency::CNY, Rounding::HalfUp)
                .unwrap();
            assert_eq!(converted.money().major(), to, "{rate} {from} {currency}");
        }
    }

    #[test]
    fn currency_table_is_one_to_one() {
        for &currency in Currency::ALL {
            assert_eq!(Currency::from_numeric(currency.numeric()), Some(currency));
            assert_eq!(currency.code().parse(), Ok(currency));
        }
    }

    proptest! {
        #[test]
        fn text_round_trip(minor in any::<i64>().prop_filter("the least has no absolute", |m| *m != i64::MIN), index in 0..Currency::ALL.len()) {
            let money = Money::of_minor(minor, Currency::ALL[index]);
            prop_assert_eq!(Money::parse_major(&money.major(), money.currency()), Ok(money));
        }

        #[test]
        fn halves_bracket_the_share(minor in 0..i64::MAX / 2, millionths in 0..=1_000_000_u32) {
            let money = Money::of_minor(minor, Currency::HKD);
            let rate = FeeRate::of_millionths(millionths).unwrap();
            let down = rate.of(money, Rounding::Down).unwrap().minor();
            let half = rate.of(money, Rounding::HalfUp).unwrap().minor();
            let up = rate.of(money, Rounding::Up).unwrap().minor();
            prop_assert!(down <= half && half <= up && up - down <= 1);
            prop_assert!(up <= minor);
        }
    }
}
