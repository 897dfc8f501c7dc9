//! The real network, through `ureq` and `rustls`.

use std::sync::Arc;
use std::time::Duration;

use spotpay_wire::xml::ANSWER_BYTES_MAX;
use ureq::Agent;
use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};

use crate::first_byte::{self, Witness};
use crate::transport::{HttpAnswer, HttpRequest, Transport, TransportFailure};

/// How the network is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpSettings {
    /// To find the host, and again to connect.
    pub connect: Duration,
    /// To send the request, and again until the answer is there.
    pub read: Duration,
    /// Certificate authorities in PEM to trust **instead of** the public ones: a sandbox's `ca.pem`.
    pub ca_pem: Option<Vec<u8>>,
}

impl Default for HttpSettings {
    /// 3 s and 15 s, as the genuine SDK has them (`spec/01`); the public authorities.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(15),
            ca_pem: None,
        }
    }
}

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
pub enum HttpSettingsError {
    /// The certificates are not PEM.
    #[error("the certificate authority is not PEM")]
    NotPem(#[source] ureq::Error),
    /// PEM without a certificate.
    #[error("the PEM of the certificate authority has no certificate")]
    NoCertificate,
}

/// Keeps connections open between requests; cheap to clone, and one serves many threads.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    agent: Agent,
}

impl HttpTransport {
    /// Opens nothing yet.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpSettingsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider);
        if let Some(pem) = &settings.ca_pem {
            tls = tls.root_certs(RootCerts::from(certificates(pem)?));
        }
        let whole = settings.connect.saturating_add(settings.read);
        let config = Agent::config_builder()
            .tls_config(tls.build())
            // The environment decides nothing here, and a local gateway needs no proxy.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(settings.connect))
            .timeout_connect(Some(settings.connect))
            .timeout_send_request(Some(settings.read))
            .timeout_send_body(Some(settings.read))
            .timeout_recv_response(Some(settings.read))
            .timeout_recv_body(Some(settings.read))
            .timeout_per_call(Some(whole.saturating_mul(2)))
            .user_agent(concat!("spotpay-client/", env!("CARGO_PKG_VERSION")))
            .build();
        let connector = DefaultConnector::default().chain(Witness);
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Ok(Self { agent })
    }

    /// Reads something beside a gateway, such as what a sandbox hands out.
    pub fn fetch(&self, url: &str) -> Result<HttpAnswer, TransportFailure> {
        exchange(|| self.agent.get(url).call())
    }

    /// Opens something beside a gateway that is longer than answers are, such as a file.
    ///
    /// The body comes as it is read, for an hour at most; a failure on the way is an error there.
    pub fn open(&self, url: &str) -> Result<Opened, TransportFailure> {
        let (answer, went_out) = first_byte::watch(|| {
            let request = self.agent.get(url).config();
            let request = request
                .timeout_recv_body(Some(OPEN_TIME))
                .timeout_per_call(Some(OPEN_TIME));
            request.build().call()
        });
        let answer = answer.map_err(|error| failure(error, went_out))?;
        Ok(Opened {
            status: answer.status().as_u16(),
            body: Box::new(answer.into_body().into_reader()),
        })
    }

    /// Posts JSON beside a gateway, such as to the API of a sandbox.
    pub fn post_json(&self, url: &str, json: &str) -> Result<HttpAnswer, TransportFailure> {
        let post = self.agent.post(url).content_type("application/json");
        exchange(|| post.send(json.as_bytes()))
    }
}

/// For the longest file over the slowest line.
const OPEN_TIME: Duration = Duration::from_secs(3_600);

/// An answer whose body is still to be read.
pub struct Opened {
    /// The status.
    pub status: u16,
    /// The body, without a limit.
    pub body: Box<dyn std::io::Read + Send>,
}

impl Transport for HttpTransport {
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        let post = self.agent.post(&request.url);
        let post = post.content_type("application/x-www-form-urlencoded");
        exchange(|| post.send(request.body.as_bytes()))
    }

    fn fetch(&self, url: &str) -> Result<HttpAnswer, TransportFailure> {
        Self::fetch(self, url)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, HttpSettingsError> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(HttpSettingsError::NotPem)? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(HttpSettingsError::NoCertificate);
    }
    Ok(found)
}

/// Sends and reads everything; a failure before the first byte went out is "never".
fn exchange(
    send: impl FnOnce() -> Result<http::Response<ureq::Body>, ureq::Error>,
) -> Result<HttpAnswer, TransportFailure> {
    let (answer, went_out) = first_byte::watch(|| read(send()?));
    answer.map_err(|error| failure(error, went_out))
}

fn failure(error: ureq::Error, went_out: bool) -> TransportFailure {
    if went_out {
        TransportFailure::maybe(error)
    } else {
        TransportFailure::never(error)
    }
}

fn read(mut answer: http::Response<ureq::Body>) -> Result<HttpAnswer, ureq::Error> {
    let content_type = answer.headers().get(http::header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    Ok(HttpAnswer {
        status: answer.status().as_u16(),
        content_type,
        body: answer.body_mut().with_config().limit(limit).read_to_vec()?,
    })
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
