//! The gateway's number for a trade as it comes over the wire.

use std::fmt;
use std::str::FromStr;

use spotpay_core::id::{IdError, TradeId};

/// `alipay_trans_id` or `trade_no`: up to 64 characters, of whichever gateway made it.
///
/// A number of another make is not malformed, it is a trade that does not exist here; the SDK
/// reads numbers of the genuine gateway as well.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TradeNo(Box<str>);

impl TradeNo {
    /// Most characters (`spec/03`, `spec/04`).
    pub const LENGTH_MAX: usize = 64;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trade id, when the number is of our make.
    pub fn ours(&self) -> Option<TradeId> {
        self.0.parse().ok()
    }
}

impl From<TradeId> for TradeNo {
    fn from(id: TradeId) -> Self {
        Self(id.to_string().into())
    }
}

impl FromStr for TradeNo {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.chars().count() > Self::LENGTH_MAX {
            return Err(IdError::TooLong {
                max: Self::LENGTH_MAX,
            });
        }
        if text
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace())
        {
            return Err(IdError::BadCharacter);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for TradeNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TradeNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_makes() {
        for (text, ours) in [
            ("2020120722001455203001700042", true),
            ("2020120722001401701436761112", true),
            ("201311221703338463", false),
        ] {
            let number: TradeNo = text.parse().unwrap();
            assert_eq!(
                number.ours().map(TradeNo::from),
                ours.then_some(number),
                "{text}"
            );
        }
        assert_eq!("1 2".parse::<TradeNo>(), Err(IdError::BadCharacter));
        assert_eq!(
            "1".repeat(65).parse::<TradeNo>(),
            Err(IdError::TooLong { max: 64 })
        );
    }
}
