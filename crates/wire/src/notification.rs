//! Notifications (`spec/06`): what a gateway tells, signed, and how a merchant reads it.
//!
//! ```
//! use spotpay_core::money::{Amount, Currency, Money};
//! use spotpay_wire::charset::Charset;
//! use spotpay_wire::notification::{self, Event, Notification, RefundEvent};
//! use spotpay_wire::signature::{Md5Key, Signer};
//!
//! let key: Md5Key = "0123456789abcdefghijklmnopqrstuv".parse()?;
//! let signer = Signer::Md5(key);
//! let told = RefundEvent {
//!     notify_id: "9938e4a7a8c50aa92aede16c8ffb9cam3i".into(),
//!     notify_time: None,
//!     out_trade_no: "T1".parse()?,
//!     out_return_no: "R1".parse()?,
//!     trade_no: "2020120722001455203001700042".parse()?,
//!     amount: Amount::new(Money::parse_major("39.25", Currency::HKD)?)?,
//!     refunded_at: None,
//!     seller_id: None,
//! };
//! let body = notification::sign(Charset::Gbk, notification::refund_fields(&told), &signer);
//! let received = Notification::read(Charset::Gbk, body.as_bytes());
//! assert!(received.verify(&signer.verifier()));
//! assert_eq!(received.read_event(), Ok(Event::Refund(Box::new(told))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod event;
mod notify_id;

pub use event::{
    Event, EventError, REFUND_STATUS_SYNC, RefundEvent, TRADE_STATUS_SYNC, TradeEnd, TradeEvent,
    refund_fields, trade_fields,
};
pub use notify_id::{NotifyId, NotifySecret};

pub use crate::field::Buyer;

use crate::canonical::{self, canonical};
use crate::charset::Charset;
use crate::form::{Form, encode_pair};
use crate::signature::{IllegalSignType, SignType, Signer, Verifier};

/// What a gateway must hear, and nothing else, to stop repeating a notification.
pub const ACKNOWLEDGEMENT: &str = "success";

/// Whether a receiver's body acknowledges; pages disagree about the case (`spec/11`, 6).
pub fn is_acknowledged(body: &[u8]) -> bool {
    body.trim_ascii()
        .eq_ignore_ascii_case(ACKNOWLEDGEMENT.as_bytes())
}

/// A received notification, whatever its Content-Type said.
#[derive(Clone, Debug)]
pub struct Notification {
    form: Form,
}

impl Notification {
    /// Reads a body; the charset is that of the partner's requests.
    pub fn read(charset: Charset, body: &[u8]) -> Self {
        Self {
            form: Form::read_as(charset, body),
        }
    }

    /// A field; an empty one counts as missing.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name)
    }

    /// The fields in the order received.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// How it says that it is signed.
    pub fn sign_type(&self) -> Result<SignType, IllegalSignType> {
        self.get("sign_type").unwrap_or_default().parse()
    }

    /// What it tells; [`Notification::verify`] says whether to believe it.
    pub fn read_event(&self) -> Result<Event, EventError> {
        Event::read(self)
    }

    /// Whether the gateway that holds this key signed it: every field but `sign` and `sign_type`,
    /// empty ones dropped, after decoding.
    pub fn verify(&self, verifier: &Verifier) -> bool {
        let intact = self.form.charset().is_ok() && self.form.first_fault().is_none();
        intact
            && self.sign_type() == Ok(verifier.sign_type())
            && canonical::verify(&self.form, verifier, &mut Vec::new())
                == Some(canonical::Spelling::Usual)
    }
}

/// The body of a notification: the fields, signed. In GBK a character that the charset lacks is
/// sent, and signed, as `?`.
pub fn sign<N, V>(
    charset: Charset,
    fields: impl IntoIterator<Item = (N, V)>,
    signer: &Signer,
) -> String
where
    N: AsRef<str>,
    V: AsRef<str>,
{
    let form = Form::from_pairs(charset, fields);
    let mut text = Vec::with_capacity(512);
    canonical(&form, &mut text);
    let sign = signer.sign(&text);
    let mut body = String::with_capacity(1_024);
    for (name, value) in form.iter().filter(|(_, value)| !value.is_empty()) {
        encode_pair(charset, name, value, &mut body);
    }
    encode_pair(charset, "sign_type", signer.sign_type().as_str(), &mut body);
    encode_pair(charset, "sign", &sign, &mut body);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: the published vector of `spec/01`, and every way to spoil it.
    #[test]
    fn vector() {
        let verifier = Verifier::Md5("10000000000000000000000000000000".parse().unwrap());
        for (body, verifies) in [
            (
                "notify_id=1234&sign=22fc7e38e5acdfede396aa463870d111&sign_type=MD5",
                true,
            ),
            (
                "sign_type=MD5&sign=22fc7e38e5acdfede396aa463870d111&a=&notify_id=1234",
                true,
            ),
            (
                "notify_id=1235&sign=22fc7e38e5acdfede396aa463870d111&sign_type=MD5",
                false,
            ),
            (
                "notify_id=1234&sign=22fc7e38e5acdfede396aa463870d111",
                false,
            ),
            (
                "notify_id=1234&sign=22fc7e38e5acdfede396aa463870d111&sign_type=RSA",
                false,
            ),
            (
                "notify_id=1234&notify_id=1&sign=22fc7e38e5acdfede396aa463870d111&sign_type=MD5",
                false,
            ),
            (
                "notify_id=1234&sign=22FC7E38E5ACDFEDE396AA463870D111&sign_type=MD5",
                false,
            ),
            ("notify_id=1234&sign_type=MD5", false),
        ] {
            let notification = Notification::read(Charset::Utf8, body.as_bytes());
            assert_eq!(notification.verify(&verifier), verifies, "{body}");
        }
    }

    #[test]
    fn round_trip() {
        let signer = Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap());
        for charset in [Charset::Utf8, Charset::Gbk] {
            let fields = [("subject", "茶 & + =\""), ("notify_id", "n"), ("body", "")];
            let body = sign(charset, fields, &signer);
            let notification = Notification::read(charset, body.as_bytes());
            assert!(notification.verify(&signer.verifier()));
            assert_eq!(notification.get("subject"), Some("茶 & + =\""));
        }
    }

    #[test]
    fn acknowledgements() {
        for (body, acknowledged) in [
            ("success", true),
            (" SUCCESS\r\n", true),
            ("fail", false),
            ("", false),
        ] {
            assert_eq!(is_acknowledged(body.as_bytes()), acknowledged, "{body:?}");
        }
    }
}
