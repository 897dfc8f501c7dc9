//! The door to the network: a request goes out, an answer or a failure comes back.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A form that is to be posted. `Debug` does not print the body: it has a payment code inside.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// With the query.
    pub url: String,
    /// `application/x-www-form-urlencoded`.
    pub body: String,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("url", &self.url)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// What came back, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpAnswer {
    /// The status; gateways answer 200 to refusals too.
    pub status: u16,
    /// The Content-Type; empty when there is none.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether a request without an answer can have had an effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// No: no connection was made.
    Never,
    /// It may have, now or later.
    Maybe,
}

/// A request that got no answer.
#[derive(Clone, Debug)]
pub struct TransportFailure {
    arrival: Arrival,
    source: Arc<dyn Error + Send + Sync>,
}

impl TransportFailure {
    /// No connection was made, so nothing of the request was sent.
    pub fn never(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Arrival::Never, source.into())
    }

    /// Some or all of the request may have been sent. When in doubt, this one.
    pub fn maybe(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Arrival::Maybe, source.into())
    }

    fn new(arrival: Arrival, source: Box<dyn Error + Send + Sync>) -> Self {
        Self {
            arrival,
            source: source.into(),
        }
    }

    /// Whether the request may have arrived.
    pub const fn arrival(&self) -> Arrival {
        self.arrival
    }
}

impl fmt::Display for TransportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.arrival {
            Arrival::Never => write!(f, "the gateway could not be reached ({})", self.source),
            Arrival::Maybe => write!(f, "no answer came ({})", self.source),
        }
    }
}

impl Error for TransportFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Posts forms, and reads a URL. Implementations bring their own time-outs, follow no redirects and never repeat a
/// request by themselves.
pub trait Transport {
    /// Posts one form and waits for its answer.
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure>;

    /// Reads a URL, which only [`crate::Client::notify_verify`] does; a transport for calls alone
    /// leaves it out.
    fn fetch(&self, url: &str) -> Result<HttpAnswer, TransportFailure> {
        Err(TransportFailure::never(format!(
            "this transport only posts, and does not read {url}"
        )))
    }
}

impl<T: Transport + ?Sized> Transport for &T {
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        (**self).post(request)
    }

    fn fetch(&self, url: &str) -> Result<HttpAnswer, TransportFailure> {
        (**self).fetch(url)
    }
}
