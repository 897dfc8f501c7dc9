//! The payment code: made on the phone without a network, checked with one row and one HMAC.
//!
//! `PP AAAAAAAAA T MMMMMM`: prefix 25 to 30 (the minute, modulo 6), nine digits of the device's
//! alias, the tenth of that minute in which the code was made, and six digits (twelve in the
//! 24-digit form) of an HMAC-SHA-256 under the device's secret. `docs/payment-code.md` says what
//! this resists and what it does not.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::IdError;
use crate::time::{Span, Timestamp};

/// A tenth of a minute: a code names the one in which it was made.
pub const SLOT: Span = Span::seconds(6);
/// How long a code is good after the end of its slot (`spec/11`, 27).
pub const LIFETIME: Span = Span::minutes(2);

/// Prefix and tenth name one slot of six minutes.
const SLOTS_PER_CYCLE: i64 = 60;
/// Slots before the present one whose codes are still good.
const SLOTS_BACK: i64 = LIFETIME.as_micros() / SLOT.as_micros();
/// A phone's clock may be this many slots ahead.
const SLOTS_AHEAD: i64 = 1;

/// What a scanner read: 16 to 24 digits beginning with 25 to 30 (`spec/02`).
///
/// `Debug` does not print the digits: who reads them in a log could spend them.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentCode(Box<str>);

/// Digits of a code that we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeLength {
    /// The usual 18.
    Short,
    /// 24, as scanners must read them too (`spec/09`).
    Long,
}

/// Nine digits that lead to a device; they name neither the wallet nor its holder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Alias(u32);

impl Alias {
    /// How many there are.
    pub const COUNT: u32 = 1_000_000_000;

    /// From its number; `None` when it has more than nine digits.
    pub const fn from_number(number: u32) -> Option<Self> {
        if number < Self::COUNT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number, as the store keeps it.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// The secret that a device was given; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeSecret([u8; Self::BYTES]);

impl CodeSecret {
    /// Its size.
    pub const BYTES: usize = 16;

    /// From random bytes.
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store and for the device itself.
    pub const fn expose(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for CodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeSecret(..)")
    }
}

/// One code as the wallet remembers it once it is spent: an alias and a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CodeUse {
    /// The device's alias.
    pub alias: Alias,
    /// Slots of six seconds since 1970.
    pub slot: i64,
}

/// A code's digest, kept with its trade: a repeat with the same code is told from another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeTag(pub i64);

/// Why a code does not pay; the caller hears `SOUNDWAVE_PARSER_FAIL` for each (`spec/13`, 18).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeRefusal {
    /// Not digits of this construction.
    Malformed,
    /// No device has this alias.
    UnknownAlias,
    /// Expired, or from the future.
    OutOfTime,
    /// The last digits are not the device's.
    Forged,
    /// Spent already.
    Used,
    /// Too many wrong tries, of the partner or against the alias.
    TooManyTries,
}

/// The slot that an instant lies in.
pub const fn slot_at(now: Timestamp) -> i64 {
    now.as_micros().div_euclid(SLOT.as_micros())
}

impl PaymentCode {
    /// The code of a device at an instant.
    ///
    /// ```
    /// use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
    /// use spotpay_core::time::{Span, Timestamp};
    /// let (alias, secret) = (Alias::from_number(7).unwrap(), CodeSecret::new([1; 16]));
    /// let noon = Timestamp::parse_compact("20261123120000").unwrap();
    /// let code = PaymentCode::make(alias, &secret, noon, CodeLength::Short);
    /// assert!(code.check(&secret, noon.plus(Span::minutes(2))).is_ok());
    /// assert!(code.check(&secret, noon.plus(Span::seconds(126))).is_err());
    /// ```
    pub fn make(alias: Alias, secret: &CodeSecret, at: Timestamp, length: CodeLength) -> Self {
        let code = CodeUse {
            alias,
            slot: slot_at(at),
        };
        Self(Self::digits(code, secret, length).into())
    }

    fn digits(code: CodeUse, secret: &CodeSecret, length: CodeLength) -> String {
        let place = code.slot.rem_euclid(SLOTS_PER_CYCLE);
        let (prefix, tenth) = (25 + place / 10, place % 10);
        let alias = code.alias.number();
        match length {
            CodeLength::Short => {
                let mac = mac(code, secret, b"18") % 1_000_000;
                format!("{prefix}{alias:09}{tenth}{mac:06}")
            }
            CodeLength::Long => {
                let mac = mac(code, secret, b"24") % 1_000_000_000_000;
                format!("{prefix}{alias:09}{tenth}{mac:012}")
            }
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn length(&self) -> Option<CodeLength> {
        match self.0.len() {
            18 => Some(CodeLength::Short),
            24 => Some(CodeLength::Long),
            _ => None,
        }
    }

    /// The device's alias; `None` when the code is of another make.
    pub fn alias(&self) -> Option<Alias> {
        self.length()?;
        self.0.get(2..11)?.parse().ok().and_then(Alias::from_number)
    }

    /// Whether the device with this secret made the code lately; what to remember when it is spent.
    ///
    /// # Errors
    /// [`CodeRefusal::Malformed`], [`CodeRefusal::OutOfTime`] or [`CodeRefusal::Forged`], in this order.
    pub fn check(&self, secret: &CodeSecret, now: Timestamp) -> Result<CodeUse, CodeRefusal> {
        let length = self.length().ok_or(CodeRefusal::Malformed)?;
        let alias = self.alias().ok_or(CodeRefusal::Malformed)?;
        let digit = |index: usize| {
            self.0
                .as_bytes()
                .get(index)
                .map_or(0, |byte| i64::from(byte - b'0'))
        };
        let place = (digit(0) * 10 + digit(1) - 25) * 10 + digit(11);
        let slot_now = slot_at(now);
        let age = (slot_now + SLOTS_AHEAD - place).rem_euclid(SLOTS_PER_CYCLE) - SLOTS_AHEAD;
        if age > SLOTS_BACK {
            return Err(CodeRefusal::OutOfTime);
        }
        let code = CodeUse {
            alias,
            slot: slot_now - age,
        };
        let expected = Self::digits(code, secret, length);
        if bool::from(expected.as_bytes().ct_eq(self.0.as_bytes())) {
            Ok(code)
        } else {
            Err(CodeRefusal::Forged)
        }
    }

    /// The digest that the trade keeps.
    pub fn tag(&self) -> CodeTag {
        let digest = Sha256::digest(self.0.as_bytes());
        CodeTag(
            digest
                .first_chunk()
                .map_or(0, |bytes| i64::from_be_bytes(*bytes)),
        )
    }
}

impl CodeUse {
    /// The instant from which the code is refused.
    pub const fn expires_at(self) -> Timestamp {
        Timestamp::from_micros((self.slot + 1) * SLOT.as_micros()).plus(LIFETIME)
    }

    /// Whether the code is out of time, so that its use need not be remembered.
    pub const fn is_over(self, now: Timestamp) -> bool {
        self.expires_at().as_micros() <= now.as_micros()
    }
}

fn mac(code: CodeUse, secret: &CodeSecret, form: &[u8; 2]) -> u64 {
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else {
        unreachable!("HMAC takes a key of any length")
    };
    hmac.update(&code.alias.number().to_be_bytes());
    hmac.update(&code.slot.to_be_bytes());
    hmac.update(form);
    hmac.finalize()
        .into_bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl FromStr for PaymentCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > 24 {
            return Err(IdError::TooLong { max: 24 });
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = matches!(text.get(..2), Some("25" | "26" | "27" | "28" | "29" | "30"));
        if digits && prefix && text.len() >= 16 {
            Ok(Self(text.into()))
        } else {
            Err(IdError::Malformed)
        }
    }
}

impl fmt::Debug for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentCode(..)")
    }
}

/// The codes that a wallet spent lately: per alias a window of slots, a bit each.
///
/// Codes out of time are forgotten, so the set stays as small as the payments of two minutes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CodesUsed(Vec<UsedWindow>);

/// One alias: bit `n` says that the code of slot `first + n` is spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsedWindow {
    /// The alias.
    pub alias: Alias,
    /// The slot of bit 0.
    pub first: i64,
    /// Up to 64 slots, more than a code lives.
    pub bits: u64,
}

impl UsedWindow {
    fn is_over(&self, now: Timestamp) -> bool {
        let last = self.first + i64::from(63_u32.saturating_sub(self.bits.leading_zeros()));
        CodeUse {
            alias: self.alias,
            slot: last,
        }
        .is_over(now)
    }
}

impl CodesUsed {
    /// From what the store kept, in order of alias.
    pub fn from_windows(mut windows: Vec<UsedWindow>) -> Self {
        windows.sort_by_key(|window| window.alias);
        Self(windows)
    }

    /// What the store keeps.
    pub fn windows(&self) -> &[UsedWindow] {
        &self.0
    }

    /// Whether the code is spent.
    pub fn contains(&self, code: CodeUse) -> bool {
        self.place(code.alias)
            .ok()
            .and_then(|place| self.0.get(place))
            .is_some_and(|window| {
                let bit = u32::try_from(code.slot - window.first)
                    .ok()
                    .and_then(|shift| 1_u64.checked_shl(shift));
                bit.is_some_and(|bit| window.bits & bit != 0)
            })
    }

    /// Remembers a code as spent, and forgets those out of time.
    pub fn insert(&mut self, code: CodeUse, now: Timestamp) {
        self.0.retain(|window| !window.is_over(now));
        let fresh = UsedWindow {
            alias: code.alias,
            first: code.slot,
            bits: 1,
        };
        match self.place(code.alias) {
            Err(place) => self.0.insert(place, fresh),
            Ok(place) => {
                if let Some(window) = self.0.get_mut(place) {
                    *window = window.with(code.slot);
                }
            }
        }
    }

    fn place(&self, alias: Alias) -> Result<usize, usize> {
        self.0.binary_search_by_key(&alias, |window| window.alias)
    }
}

impl UsedWindow {
    /// The window with one more slot; slots that fall off its old end are out of time long since.
    fn with(self, slot: i64) -> Self {
        let reach = |from: i64, to: i64| u32::try_from(to - from).unwrap_or(u32::MAX);
        if slot < self.first {
            let bits = self.bits.checked_shl(reach(slot, self.first)).unwrap_or(0);
            return Self {
                first: slot,
                bits: bits | 1,
                ..self
            };
        }
        let excess = reach(self.first, slot).saturating_sub(63);
        let first = self.first + i64::from(excess);
        let bits = self.bits.checked_shr(excess).unwrap_or(0);
        Self {
            first,
            bits: bits | 1_u64.checked_shl(reach(first, slot)).unwrap_or(0),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn device() -> (Alias, CodeSecret) {
        (
            Alias::from_number(123_456_789).unwrap(),
            CodeSecret::new([7; 16]),
        )
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    // Goal: the edges of a code's life, to the second.
    #[test]
    fn life_of_a_code() {
        let (alias, secret) = device();
        for length in [CodeLength::Short, CodeLength::Long] {
            let code = PaymentCode::make(alias, &secret, at(0), length);
            for (second, verdict) in [
                (-7, Err(CodeRefusal::OutOfTime)),
                (-6, Ok(())),
                (0, Ok(())),
                (120, Ok(())),
                (125, Ok(())),
                (126, Err(CodeRefusal::OutOfTime)),
                (300, Err(CodeRefusal::OutOfTime)),
                (360, Err(CodeRefusal::Forged)),
                (3_600, Err(CodeRefusal::Forged)),
            ] {
                assert_eq!(
                    code.check(&secret, at(second)).map(|_| ()),
                    verdict,
                    "{length:?} at {second}"
                );
            }
        }
    }

    // Goal: the digits are a contract with every phone; they may never change.
    #[test]
    fn digits_are_pinned() {
        let (alias, secret) = device();
        let short = PaymentCode::make(alias, &secret, at(0), CodeLength::Short);
        let long = PaymentCode::make(alias, &secret, at(0), CodeLength::Long);
        assert_eq!((short.as_str().len(), long.as_str().len()), (18, 24));
        assert_eq!(short.as_str().get(..12), long.as_str().get(..12));
        assert_eq!(short.as_str(), "251234567890339443");
        assert_eq!(long.as_str(), "251234567890737283130393");
    }

    #[test]
    fn texts_that_are_no_codes() {
        for text in [
            "",
            "281234567890123",
            "2412345678901234",
            "3112345678901234",
            "28123456789012345x",
            "2812345678901234567890123",
        ] {
            assert!(text.parse::<PaymentCode>().is_err(), "{text:?}");
        }
        let foreign: PaymentCode = "2812345678901234".parse().unwrap();
        assert_eq!(foreign.alias(), None, "16 digits are of another make");
        assert_eq!(
            foreign.check(&device().1, at(0)),
            Err(CodeRefusal::Malformed)
        );
    }

    #[test]
    fn secrets_and_codes_are_not_printed() {
        let (alias, secret) = device();
        let code = PaymentCode::make(alias, &secret, at(0), CodeLength::Short);
        assert_eq!(
            format!("{code:?} {secret:?}"),
            "PaymentCode(..) CodeSecret(..)"
        );
    }

    proptest! {
        #[test]
        fn a_code_is_good_for_two_minutes_everywhere(seconds in 0..4_000_000_000_i64, alias in 0..Alias::COUNT, key: [u8; 16], after in -6_i64..=120) {
            let (alias, secret) = (Alias::from_number(alias).unwrap(), CodeSecret::new(key));
            let made = Timestamp::from_seconds(seconds);
            let code = PaymentCode::make(alias, &secret, made, CodeLength::Short);
            prop_assert_eq!(code.alias(), Some(alias));
            let expected = CodeUse { alias, slot: slot_at(made) };
            prop_assert_eq!(code.check(&secret, Timestamp::from_seconds(seconds.max(6) + after.max(0))).is_ok(), seconds >= 6 || after >= 0);
            prop_assert_eq!(code.check(&secret, made), Ok(expected));
            prop_assert_eq!(code.as_str().parse::<PaymentCode>(), Ok(code.clone()));
        }

        #[test]
        fn one_changed_digit_is_caught(place in 0_usize..18, add in 1_u8..10, key: [u8; 16]) {
            let (alias, secret) = (Alias::from_number(42).unwrap(), CodeSecret::new(key));
            let code = PaymentCode::make(alias, &secret, at(0), CodeLength::Short);
            let mut digits = code.as_str().as_bytes().to_vec();
            digits[place] = b'0' + (digits[place] - b'0' + add) % 10;
            let Ok(changed) = String::from_utf8(digits).unwrap().parse::<PaymentCode>() else { return Ok(()) };
            // A changed alias leads to another device or to none; here only this device's secret is tried.
            prop_assume!(changed.alias() == Some(alias));
            prop_assert!(changed.check(&secret, at(0)).is_err());
        }

        #[test]
        fn used_codes_are_remembered_while_they_live(mut slots in proptest::collection::vec((0_u32..3, 0_i64..60), 1..40)) {
            slots.sort_by_key(|(_, slot)| *slot);
            let mut used = CodesUsed::default();
            let mut spent = Vec::new();
            for (alias, slot) in slots {
                let code = CodeUse { alias: Alias::from_number(alias).unwrap(), slot };
                let now = Timestamp::from_micros(slot * SLOT.as_micros());
                prop_assert_eq!(used.contains(code), spent.contains(&code));
                used.insert(code, now);
                spent.push(code);
                for code in spent.iter().filter(|code| !code.is_over(now)) {
                    prop_assert!(used.contains(*code), "{:?} forgotten at {:?}", code, now);
                }
            }
            let later = Timestamp::from_seconds(3_600);
            used.insert(CodeUse { alias: Alias(9), slot: slot_at(later) }, later);
            prop_assert_eq!(used.windows().len(), 1);
        }
    }
}
