//! Ids: parsed once at the edge; after that the type is the proof.
//!
//! Ours are integers ordered by time, never a database sequence. Theirs are text, unique per partner.

use std::fmt;
use std::str::FromStr;

use crate::time::{CivilDate, Span, Timestamp};

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Nothing there.
    Empty,
    /// More characters than the field takes.
    TooLong {
        /// The most characters the field takes.
        max: usize,
    },
    /// A character that the field does not take.
    BadCharacter,
    /// Not the digits of such a number.
    Malformed,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { max } => write!(f, "is longer than {max} characters"),
            Self::BadCharacter => f.write_str("has a character that is not allowed"),
            Self::Malformed => f.write_str("is not such a number"),
        }
    }
}

impl std::error::Error for IdError {}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, max = $max:literal, allowed = $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text, as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.is_empty() {
                    return Err(IdError::Empty);
                }
                if text.len() > $max && text.chars().count() > $max {
                    return Err(IdError::TooLong { max: $max });
                }
                let allowed: fn(&str) -> bool = $allowed;
                if allowed(text) { Ok(Self(text.into())) } else { Err(IdError::BadCharacter) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

/// Anything but control characters and the half-width double quote (`spec/01`). Blanks at an end or
/// doubled are refused: clients normalise white space before they verify an answer (`spec/12`).
fn printable(text: &str) -> bool {
    let blanks = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    !blanks
        && text
            .chars()
            .all(|letter| !letter.is_control() && letter != '"')
}

/// Letters, digits, `-` and `_` (`spec/02`, `extend_info`).
fn word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

text_id!(
    /// The partner's number for a trade, unique per partner; the key of retries (`spec/02`).
    PartnerTransId, max = 64, allowed = printable
);
text_id!(
    /// The partner's number for a refund, unique per partner (`spec/05`).
    PartnerRefundId, max = 64, allowed = printable
);
text_id!(
    /// A shop under a partner (`spec/08`).
    SecondaryMerchantId, max = 64, allowed = word
);
text_id!(
    /// A place of a secondary merchant (`spec/08`); a taxi's is its number plate.
    StoreId, max = 64, allowed = printable
);

macro_rules! member_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// From the twelve digits behind `2088`; `None` when it has more.
            pub const fn from_number(number: u64) -> Option<Self> {
                if number < 1_000_000_000_000 { Some(Self(number)) } else { None }
            }

            /// The twelve digits behind `2088`, as the store keeps them.
            pub const fn number(self) -> u64 {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.is_empty() {
                    return Err(IdError::Empty);
                }
                let digits = text.strip_prefix("2088").ok_or(IdError::Malformed)?;
                if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(IdError::Malformed);
                }
                digits.parse().map(Self).map_err(|_| IdError::Malformed)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "2088{:012}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

member_id!(
    /// The calling identity: 16 digits beginning with 2088 (`spec/01`).
    PartnerId
);
member_id!(
    /// A wallet, and its holder's user id on the wire: 16 digits beginning with 2088.
    WalletId
);

/// The number of shards that the keys of a trade's rows are spread over.
pub const BUCKETS: u16 = 10_000;

/// Our number for a trade: `seconds since 2020 x 10^9 + bucket x 10^5 + number`, one to one with
/// the 28 digits of `alipay_trans_id`: `yyyyMMdd`, `220014`, second of the day, bucket, number.
///
/// ```
/// use spotpay_core::{id::TradeId, time::Timestamp};
/// let id = TradeId::new(Timestamp::parse_compact("20201207152003").unwrap(), 17, 42).unwrap();
/// assert_eq!(id.to_string(), "2020120722001455203001700042");
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradeId(i64);

/// 2020-01-01T00:00:00+08:00, from which trade numbers count.
const EPOCH_SECONDS: i64 = 1_577_808_000;
const MARK: &str = "220014";

impl TradeId {
    /// The numbers that one second of one bucket has.
    pub const NUMBERS: u32 = 100_000;

    /// The number of a trade made at an instant; `None` before 2020 or with a part out of range.
    pub fn new(at: Timestamp, bucket: u16, number: u32) -> Option<Self> {
        let seconds = at.as_seconds().checked_sub(EPOCH_SECONDS)?;
        let in_range = seconds >= 0 && bucket < BUCKETS && number < Self::NUMBERS;
        let high = seconds.checked_mul(1_000_000_000)?;
        let low = i64::from(bucket) * i64::from(Self::NUMBERS) + i64::from(number);
        in_range.then(|| high.checked_add(low).map(Self)).flatten()
    }

    /// The integer of the store.
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// From the integer of the store.
    pub const fn from_i64(raw: i64) -> Self {
        Self(raw)
    }

    /// The instant of the trade, to the second.
    pub const fn at(self) -> Timestamp {
        Timestamp::from_seconds(self.0.div_euclid(1_000_000_000) + EPOCH_SECONDS)
    }

    /// The bucket of the trade's rows.
    pub fn bucket(self) -> u16 {
        u16::try_from(self.0.rem_euclid(1_000_000_000) / i64::from(Self::NUMBERS)).unwrap_or(0)
    }

    /// The last digits: which trade of its second and bucket.
    pub fn number(self) -> u32 {
        u32::try_from(self.0.rem_euclid(i64::from(Self::NUMBERS))).unwrap_or(0)
    }
}

impl fmt::Display for TradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at();
        let number = self.0.rem_euclid(i64::from(Self::NUMBERS));
        let date = at.business_date().compact();
        write!(
            f,
            "{date}{MARK}{:05}{:04}{number:05}",
            at.second_of_day(),
            self.bucket()
        )
    }
}

impl fmt::Debug for TradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for TradeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() != 28 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdError::Malformed);
        }
        let part = |from: usize, to: usize| text.get(from..to).ok_or(IdError::Malformed);
        let number = |from, to| {
            part(from, to)?
                .parse::<u32>()
                .map_err(|_| IdError::Malformed)
        };
        if part(8, 14)? != MARK {
            return Err(IdError::Malformed);
        }
        let date = CivilDate::parse_compact(part(0, 8)?).ok_or(IdError::Malformed)?;
        let second = i64::from(number(14, 19)?);
        let bucket = u16::try_from(number(19, 23)?).map_err(|_| IdError::Malformed)?;
        if second >= 86_400 {
            return Err(IdError::Malformed);
        }
        let at = date.start().plus(Span::seconds(second));
        Self::new(at, bucket, number(23, 28)?).ok_or(IdError::Malformed)
    }
}

/// The number of something that moved money: a trade's own when it was paid at once, else one made
/// in the same way at that instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventId(TradeId);

impl EventId {
    /// As [`TradeId::new`].
    pub fn new(at: Timestamp, bucket: u16, number: u32) -> Option<Self> {
        TradeId::new(at, bucket, number).map(Self)
    }

    /// The integer of the store.
    pub const fn as_i64(self) -> i64 {
        self.0.as_i64()
    }

    /// From the integer of the store.
    pub const fn from_i64(raw: i64) -> Self {
        Self(TradeId::from_i64(raw))
    }

    /// When it happened, to the second.
    pub const fn at(self) -> Timestamp {
        self.0.at()
    }
}

impl From<TradeId> for EventId {
    fn from(id: TradeId) -> Self {
        Self(id)
    }
}

/// The bucket of a trade: a hash of partner and `partner_trans_id`, the same on every machine.
///
/// FNV-1a with a final mix: ids that differ in their last digit land far apart.
pub fn bucket_of(partner: PartnerId, id: &str) -> u16 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in partner.0.to_be_bytes().into_iter().chain(id.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^= hash >> 32;
    u16::try_from(hash % u64::from(BUCKETS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_ids_refuse_what_their_field_does_not_take() {
        assert_eq!("".parse::<PartnerTransId>(), Err(IdError::Empty));
        assert_eq!(
            "x".repeat(65).parse::<PartnerTransId>(),
            Err(IdError::TooLong { max: 64 })
        );
        assert!("\u{8336}".repeat(64).parse::<PartnerTransId>().is_ok());
        assert_eq!("a\nb".parse::<PartnerTransId>(), Err(IdError::BadCharacter));
        assert_eq!("a\"b".parse::<PartnerTransId>(), Err(IdError::BadCharacter));
        for text in [" a", "a ", "a  b"] {
            assert_eq!(
                text.parse::<PartnerTransId>(),
                Err(IdError::BadCharacter),
                "{text:?}"
            );
        }
        assert!("a b".parse::<PartnerTransId>().is_ok());
        assert_eq!(
            "M 1".parse::<SecondaryMerchantId>(),
            Err(IdError::BadCharacter)
        );
        assert!("M_1-a".parse::<SecondaryMerchantId>().is_ok());
    }

    #[test]
    fn member_ids_begin_with_2088() {
        let id: PartnerId = "2088102012343978".parse().unwrap();
        assert_eq!(
            (id.number(), id.to_string().as_str()),
            (102_012_343_978, "2088102012343978")
        );
        for text in [
            "",
            "1088102012343978",
            "208810201234397",
            "20881020123439780",
            "2088 02012343978",
            "2088+02012343978",
        ] {
            assert!(text.parse::<PartnerId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn trade_numbers_of_another_make_are_refused() {
        for text in [
            "",
            "2020120722001401701436761112x",
            "2020120711001455203001700042",
            "2020130722001455203001700042",
            "2020120722001486400001700042",
        ] {
            assert!(text.parse::<TradeId>().is_err(), "{text:?}");
        }
    }

    // Goal: the hash is part of the stored keys, so it may never change.
    #[test]
    fn buckets_are_pinned() {
        let partner = PartnerId::from_number(1).unwrap();
        let buckets = ["T1", "T2", "HK20250101000001"].map(|id| bucket_of(partner, id));
        assert_eq!(buckets, [3267, 3673, 5341]);
        let mut counts = vec![0_u32; usize::from(BUCKETS)];
        for number in 0..100_000 {
            counts[usize::from(bucket_of(partner, &format!("TILL-{number:08}")))] += 1;
        }
        assert!(
            counts.iter().all(|&count| count < 40),
            "ordered ids spread over all buckets"
        );
    }

    proptest! {
        #[test]
        fn trade_number_round_trip(seconds in 0..9_000_000_000_i64, bucket in 0..BUCKETS, number in 0..TradeId::NUMBERS) {
            let at = Timestamp::from_seconds(EPOCH_SECONDS + seconds);
            prop_assume!(at.business_date().ymd().0 < 10_000);
            let id = TradeId::new(at, bucket, number).unwrap();
            prop_assert_eq!((id.at(), id.bucket()), (at, bucket));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
