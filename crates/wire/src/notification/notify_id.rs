//! The number of a notification on the wire.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use spotpay_core::id::IdError;
use subtle::ConstantTimeEq as _;

/// Characters of a `notify_id` (`spec/06`).
const LENGTH: usize = 34;
/// The first of them are the row's number, which fits: 36^13 is more than 64 bits. The rest are
/// the tag, 108 bits.
const NUMBER_LENGTH: usize = 13;

/// What makes our ids hard to guess. Never printed, cheap to clone.
#[derive(Clone)]
pub struct NotifySecret(hmac::Key);

impl NotifySecret {
    /// From 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }
}

impl fmt::Debug for NotifySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotifySecret")
    }
}

/// `notify_id`: 34 lower-case letters and digits. Ours say which row they are of, and cannot be
/// made up, so that `notify_verify` needs no index.
///
/// ```
/// use spotpay_wire::notification::{NotifyId, NotifySecret};
/// let secret = NotifySecret::new(&[7; 32]);
/// let id = NotifyId::make(&secret, 42);
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert_eq!(id.number(&secret), Some(42));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotifyId([u8; LENGTH]);

impl NotifyId {
    /// The id of a row, always the same.
    pub fn make(secret: &NotifySecret, number: i64) -> Self {
        let tag = hmac::sign(&secret.0, &number.to_be_bytes());
        let tag = tag
            .as_ref()
            .first_chunk()
            .map_or(0, |bytes| u128::from_be_bytes(*bytes));
        let mut text = [b'0'; LENGTH];
        let (head, tail) = text.split_at_mut(NUMBER_LENGTH);
        write_base36(number.cast_unsigned().into(), head);
        write_base36(tag, tail);
        Self(text)
    }

    /// The row's number; `None` when the id was not made with this secret.
    pub fn number(&self, secret: &NotifySecret) -> Option<i64> {
        let head = self.0.first_chunk::<NUMBER_LENGTH>()?;
        let number = u64::from_str_radix(std::str::from_utf8(head).ok()?, 36).ok()?;
        let number = number.cast_signed();
        let same = Self::make(secret, number).0.ct_eq(&self.0);
        bool::from(same).then_some(number)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Fills the digits from the last to the first; what does not fit is cut off.
fn write_base36(mut number: u128, digits: &mut [u8]) {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(number % 36).unwrap_or_default();
        *digit = DIGITS.get(index).copied().unwrap_or(b'0');
        number /= 36;
    }
}

impl FromStr for NotifyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = <[u8; LENGTH]>::try_from(text.as_bytes()).map_err(|_| {
            if text.is_empty() {
                IdError::Empty
            } else {
                IdError::Malformed
            }
        })?;
        let allowed = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        if bytes.iter().all(allowed) {
            Ok(Self(bytes))
        } else {
            Err(IdError::BadCharacter)
        }
    }
}

impl fmt::Display for NotifyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NotifyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Goal: ids are in partners' hands, so how they are made may never change. The tag was
    // computed apart: HMAC-SHA256 of the number, its first 16 bytes modulo 36^21.
    #[test]
    fn ids_are_pinned() {
        let secret = NotifySecret::new(&[7; 32]);
        for (number, id) in [
            (0, "0000000000000om78o6pzidsl84btbvkrg"),
            (1, "0000000000001f69p69bvcqs2oy6l3zwso"),
            (i64::MAX, "1y2p0ij32e8e77jkj3vu4jj60skrwznw12"),
        ] {
            assert_eq!(NotifyId::make(&secret, number).to_string(), id);
        }
    }

    // Goal: an id that was not made with the secret has no number, however near it is.
    #[test]
    fn others_have_no_number() {
        let secret = NotifySecret::new(&[7; 32]);
        let ours = NotifyId::make(&secret, 42);
        assert_eq!(ours.number(&NotifySecret::new(&[8; 32])), None);
        for place in 0..LENGTH {
            let mut near = ours;
            near.0[place] = if near.0[place] == b'a' { b'b' } else { b'a' };
            assert_eq!(near.number(&secret), None, "{place}");
        }
        let genuine: NotifyId = "9938e4a7a8c50aa92aede16c8ffb9cam3i".parse().unwrap();
        assert_eq!(genuine.number(&secret), None);
        assert_eq!(
            "z".repeat(34).parse::<NotifyId>().unwrap().number(&secret),
            None
        );
    }

    #[test]
    fn texts() {
        for (text, error) in [
            ("".to_owned(), IdError::Empty),
            ("1234".to_owned(), IdError::Malformed),
            ("a".repeat(35), IdError::Malformed),
            ("A".repeat(34), IdError::BadCharacter),
            ("茶".repeat(11) + "a", IdError::BadCharacter),
            ("-".repeat(34), IdError::BadCharacter),
        ] {
            assert_eq!(text.parse::<NotifyId>(), Err(error), "{text}");
        }
        assert_eq!(format!("{:?}", NotifySecret::new(&[7; 32])), "NotifySecret");
    }

    proptest! {
        #[test]
        fn round_trip(secret: [u8; 32], number: i64) {
            let secret = NotifySecret::new(&secret);
            let id = NotifyId::make(&secret, number);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.number(&secret), Some(number));
        }
    }
}
