//! What a merchant does with a notification (`spec/06`): believes it or not, acts upon it once, and
//! answers `success` or `fail`. Of no web framework: bytes in, a word out.
//!
//! ```no_run
//! use std::io::{BufRead as _, BufReader, Read as _, Write as _};
//! use std::net::TcpListener;
//!
//! use spotpay_client::Settings;
//! use spotpay_client::notify::{BODY_BYTES_MAX, Event, FileSeen, Handler, TradeEnd};
//!
//! let settings = Settings::md5(
//!     "http://127.0.0.1:8080/gateway.do".parse()?,
//!     "2088000000000001".parse()?,
//!     "0123456789abcdefghijklmnopqrstuv",
//! )?;
//! let handler = Handler::new(&settings, FileSeen::open("notified.jsonl")?);
//! for stream in TcpListener::bind("127.0.0.1:9000")?.incoming() {
//!     let mut stream = BufReader::new(stream?);
//!     let (mut length, mut line) = (0, String::new());
//!     while stream.read_line(&mut line)? > 2 {
//!         if let Some((name, value)) = line.split_once(':') {
//!             if name.eq_ignore_ascii_case("content-length") {
//!                 length = value.trim().parse().unwrap_or(0);
//!             }
//!         }
//!         line.clear();
//!     }
//!     let mut body = vec![0; length.min(BODY_BYTES_MAX + 1)];
//!     stream.read_exact(&mut body)?;
//!
//!     let handled = handler.handle_with(&body, |event| match event {
//!         Event::Trade(trade) => match trade.end {
//!             TradeEnd::Paid { .. } => { println!("{} is paid", trade.out_trade_no); true }
//!             TradeEnd::Closed { .. } => { println!("{} is closed", trade.out_trade_no); true }
//!         },
//!         Event::Refund(refund) => { println!("{} is back", refund.out_return_no); true }
//!     });
//!     if let Some(refusal) = &handled.refusal {
//!         eprintln!("{refusal}");
//!     }
//!     let reply = handled.reply;
//!     let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", reply.len());
//!     write!(stream.get_mut(), "{head}{reply}")?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod seen;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use spotpay_core::id::PartnerId;
use spotpay_wire::charset::Charset;
use spotpay_wire::notification::Notification;
use spotpay_wire::signature::{SignType, Verifier};

pub use spotpay_wire::notification::{
    ACKNOWLEDGEMENT, Event, EventError, RefundEvent, TradeEnd, TradeEvent,
};

pub use seen::{FileSeen, MemorySeen, Seen, SeenError, SeenKey};

use crate::outcome::Doubt;
use crate::settings::Settings;

/// What asks a gateway to tell it once more.
pub const FAIL: &str = "fail";
/// The longest body that is read.
pub const BODY_BYTES_MAX: usize = 64_000;

/// What a gateway says of a notification's number; see [`crate::Client::notify_verify`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// It sent it to this partner, and waits for `success`.
    True,
    /// It did not, or was answered with `success` before.
    False,
    /// The question has a wrong partner or no number.
    Invalid,
    /// No word of it came.
    Unknown(Doubt),
}

/// What was made of a body.
#[derive(Debug)]
#[non_exhaustive]
pub struct Handled {
    /// The whole body of the answer, whose status is 200.
    pub reply: &'static str,
    /// What to act upon, or, of [`Handler::handle_with`], what was acted upon; none when there is
    /// nothing new.
    pub event: Option<Event>,
    /// Why it is not believed, or what went wrong with it.
    pub refusal: Option<NotifyRefusal>,
}

/// Why a notification is not acted upon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyRefusal {
    /// Over [`BODY_BYTES_MAX`].
    #[error("the body has {bytes} bytes, more than {BODY_BYTES_MAX}")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Not text in the settings' charset.
    #[error("the body is not in {0}")]
    Charset(&'static str),
    /// A parameter twice with different values, too many of them, or characters that none may have.
    #[error("the body is no sound form: {0}")]
    Unsound(String),
    /// No `sign_type`, or none that there is.
    #[error("sign_type is {0:?}, which is none")]
    SignTypeUnknown(String),
    /// A `sign_type` of which there is no key here.
    #[error("sign_type is {named}, and there is no key of this type here")]
    OtherSignType {
        /// The one that is named.
        named: SignType,
    },
    /// Not signed by the holder of the key.
    #[error("the signature does not verify")]
    BadSignature,
    /// Of another partner.
    #[error("{field} is {value:?}, another partner")]
    OtherPartner {
        /// The field.
        field: &'static str,
        /// What it says.
        value: String,
    },
    /// Genuine, but of something that is not known here.
    #[error(transparent)]
    Unreadable(EventError),
    /// The gateway was asked, and did not send it.
    #[error("the gateway says that it did not send it ({0})")]
    NotSent(&'static str),
    /// The gateway was asked, and gave no clear answer.
    #[error("whether the gateway sent it is not known: {0}")]
    NotAsked(Doubt),
    /// The merchant's own act failed.
    #[error("it could not be acted upon")]
    NotActed,
    /// That it was acted upon could not be kept.
    #[error(transparent)]
    NotKept(SeenError),
}

/// Who asks a gateway.
type Question = Box<dyn Fn(&str) -> Verdict + Send + Sync>;

/// Verifies notifications and lets each through once. One serves many threads.
pub struct Handler<S = MemorySeen> {
    partner: PartnerId,
    charset: Charset,
    verifiers: Vec<Verifier>,
    question: Option<Question>,
    seen: Mutex<S>,
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler")
            .field("partner", &self.partner)
            .field("charset", &self.charset)
            .finish_non_exhaustive()
    }
}

impl<S: Seen> Handler<S> {
    /// For the notifications of one partner, signed for its key and written in its charset.
    pub fn new(settings: &Settings, seen: S) -> Self {
        Self::of(settings.partner, settings.charset, seen).with_verifier(settings.verifier.clone())
    }

    /// For one partner, without a key as yet: [`Handler::with_verifier`] gives it one.
    pub const fn of(partner: PartnerId, charset: Charset, seen: S) -> Self {
        Self {
            partner,
            charset,
            verifiers: Vec::new(),
            question: None,
            seen: Mutex::new(seen),
        }
    }

    /// Takes notifications of a further key too: of another `sign_type`, or of before it was changed.
    #[must_use]
    pub fn with_verifier(mut self, verifier: Verifier) -> Self {
        self.verifiers.push(verifier);
        self
    }

    /// Asks the gateway about each one that is new, with [`crate::Client::notify_verify`].
    ///
    /// Worth its time with RSA keys: a gateway signs for all partners with one key, and a
    /// notification does not always say whose it is, so another partner's may verify.
    #[must_use]
    pub fn asking(mut self, question: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> Self {
        self.question = Some(Box::new(question));
        self
    }

    /// Whether a body is believed, and what it tells. Takes no note of it, and asks nobody.
    pub fn verify(&self, body: &[u8]) -> Result<Event, NotifyRefusal> {
        if body.len() > BODY_BYTES_MAX {
            return Err(NotifyRefusal::TooLarge { bytes: body.len() });
        }
        let notification = Notification::read(self.charset, body);
        if notification.form().charset().is_err() {
            return Err(NotifyRefusal::Charset(self.charset.label()));
        }
        if let Some(fault) = notification.form().first_fault() {
            return Err(NotifyRefusal::Unsound(fault.to_string()));
        }
        let named = notification.sign_type().map_err(|_| {
            let text = notification.get("sign_type").unwrap_or_default();
            NotifyRefusal::SignTypeUnknown(text.chars().take(80).collect())
        })?;
        let mut keys = self
            .verifiers
            .iter()
            .filter(|key| key.sign_type() == named)
            .peekable();
        if keys.peek().is_none() {
            return Err(NotifyRefusal::OtherSignType { named });
        }
        if !keys.any(|key| notification.verify(key)) {
            return Err(NotifyRefusal::BadSignature);
        }
        let partner = self.partner.to_string();
        for field in ["seller_id", "partner"] {
            if let Some(value) = notification.get(field).filter(|value| *value != partner) {
                let value = value.chars().take(80).collect();
                return Err(NotifyRefusal::OtherPartner { field, value });
            }
        }
        notification.read_event().map_err(NotifyRefusal::Unreadable)
    }

    /// Verifies a body, and gives its event out once: it counts as acted upon from here on. What a
    /// crash between this and the act would lose, [`Handler::handle_with`] does not.
    pub fn handle(&self, body: &[u8]) -> Handled {
        self.let_through(body, |seen, key, _| {
            seen.keep(key).map_err(NotifyRefusal::NotKept)
        })
    }

    /// Verifies a body, and acts upon its event if it is new. It counts as acted upon when `act`
    /// says so, else the gateway is asked to tell it once more. After a crash in between it is acted
    /// upon twice, so an act looks whether it is done already.
    ///
    /// One at a time: `act` must not call this handler.
    pub fn handle_with(&self, body: &[u8], act: impl FnOnce(&Event) -> bool) -> Handled {
        let mut not_kept = None;
        let mut handled = self.let_through(body, |seen, key, event| {
            if !act(event) {
                return Err(NotifyRefusal::NotActed);
            }
            // It is done; asking for it once more would do it twice.
            not_kept = seen.keep(key).err();
            Ok(())
        });
        if let Some(error) = not_kept {
            handled.refusal = Some(NotifyRefusal::NotKept(error));
        }
        handled
    }

    fn let_through(
        &self,
        body: &[u8],
        take: impl FnOnce(&mut S, &SeenKey, &Event) -> Result<(), NotifyRefusal>,
    ) -> Handled {
        match self.find_new(body, take) {
            Ok(event) => Handled {
                reply: ACKNOWLEDGEMENT,
                event,
                refusal: None,
            },
            Err(refusal) => Handled {
                reply: FAIL,
                event: None,
                refusal: Some(refusal),
            },
        }
    }

    fn find_new(
        &self,
        body: &[u8],
        take: impl FnOnce(&mut S, &SeenKey, &Event) -> Result<(), NotifyRefusal>,
    ) -> Result<Option<Event>, NotifyRefusal> {
        let event = self.verify(body)?;
        let key = SeenKey::of(&event);
        let lock = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A repeat may come after its `success` was lost, when the gateway says `false` already.
        if lock().contains(&key) {
            return Ok(None);
        }
        if let Some(question) = &self.question {
            match question(key.notify_id()) {
                Verdict::True => {}
                Verdict::False => return Err(NotifyRefusal::NotSent("false")),
                Verdict::Invalid => return Err(NotifyRefusal::NotSent("invalid")),
                Verdict::Unknown(doubt) => return Err(NotifyRefusal::NotAsked(doubt)),
            }
        }
        let mut seen = lock();
        // Another copy may have been faster while the gateway was asked.
        if seen.contains(&key) {
            return Ok(None);
        }
        take(&mut seen, &key, &event)?;
        Ok(Some(event))
    }
}

#[cfg(test)]
#[path = "notify_tests.rs"]
mod tests;
