//! The door out: one POST to a partner, bounded in every direction.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the door out: it owns its deadline"
)]

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{Method, Request, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiFuture, GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

/// From the first byte out to the last byte in.
const DELIVERY_MAX: Duration = Duration::from_secs(10);
/// For the connection alone.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Bytes of a receiver's body that are read; `success` is seven.
const BODY_MAX: usize = 4_096;

/// What a receiver answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// The status.
    pub status: u16,
    /// The body, or its beginning.
    pub body: Vec<u8>,
}

/// A POST on its way; what it comes to when there is no answer is why, in words.
pub type Post<'a> = Pin<Box<dyn Future<Output = Result<Heard, String>> + Send + 'a>>;

/// Posts forms. `serve` has HTTP, a simulation its own.
pub trait Courier: Send + Sync {
    /// Posts a form to an address; redirects are not followed.
    fn post<'a>(&'a self, url: &'a str, form: String) -> Post<'a>;
}

/// Which addresses may be notified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All: a sandbox talks to programs on the same machine.
    Anywhere,
    /// Those of the public internet: whoever may name an address must not reach into ours.
    PublicOnly,
}

/// Posts over HTTP and HTTPS.
pub struct HttpCourier {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    reach: Reach,
}

impl HttpCourier {
    /// A courier that reaches so far.
    pub fn new(reach: Reach) -> Self {
        let resolver = Resolver {
            inner: GaiResolver::new(),
            reach,
        };
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT_MAX));
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(DELIVERY_MAX)
            .pool_max_idle_per_host(4)
            .build(connector);
        Self { client, reach }
    }

    async fn exchange(&self, url: &str, form: String) -> Result<Heard, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
        // A resolver is asked for names only.
        let literal = uri.host().map(|host| host.trim_matches(['[', ']']));
        let literal = literal.and_then(|host| host.parse::<IpAddr>().ok());
        if literal.is_some_and(|ip| !self.reach.covers(ip)) {
            return Err(format!("{url} is not on the public internet"));
        }
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::USER_AGENT, "Spotpay")
            .body(Full::new(Bytes::from(form)))
            .map_err(|error| error.to_string())?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| why(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), BODY_MAX).collect().await;
        let body = body.map_err(|error| format!("status {status}, then {error}"))?;
        Ok(Heard {
            status,
            body: body.to_bytes().to_vec(),
        })
    }
}

impl Courier for HttpCourier {
    fn post<'a>(&'a self, url: &'a str, form: String) -> Post<'a> {
        Box::pin(async move {
            match tokio::time::timeout(DELIVERY_MAX, self.exchange(url, form)).await {
                Ok(heard) => heard,
                Err(_) => Err(format!("no answer within {} s", DELIVERY_MAX.as_secs())),
            }
        })
    }
}

/// The innermost reason: `connection refused`, not that a request failed.
fn why(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

impl Reach {
    fn covers(self, ip: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::PublicOnly => is_public(ip),
        }
    }
}

/// Looks names up, and keeps back addresses that may not be reached: checked on what is connected
/// to, so that a name cannot point elsewhere between check and use.
#[derive(Clone, Debug)]
struct Resolver {
    inner: GaiResolver,
    reach: Reach,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.reach;
        let host = name.to_string();
        let found: GaiFuture = self.inner.call(name);
        Box::pin(async move {
            let found: GaiAddrs = found.await?;
            let reachable: Vec<SocketAddr> =
                found.filter(|address| reach.covers(address.ip())).collect();
            if reachable.is_empty() {
                let reason = format!("{host} is not on the public internet");
                return Err(std::io::Error::other(reason));
            }
            Ok(reachable.into_iter())
        })
    }
}

/// Whether an address is one of the public internet, by the registries of special addresses.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation();
    let is_kept_back = match ip.octets() {
        [0, ..] | [240..=255, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => true,
        [100, second, ..] => (64..128).contains(&second),
        _ => false,
    };
    !special && !is_kept_back
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let inside = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        // Addresses of the old kind in new clothes count as what they are.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            inside(high, low)
        }
        [0x2002, high, low, ..] => inside(high, low),
        [0x2001, second, ..] => second > 0x1ff && second != 0xdb8,
        // The rest of what is given out begins with the bits 001.
        [first, ..] => (0x2000..0x4000).contains(&first) && first != 0x3fff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_public_internet() {
        for (address, public) in [
            ("8.8.8.8", true),
            ("110.75.1.1", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
            ("2001:db8::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    // Goal: an inner address is refused by number and by name, before anything is connected to.
    #[tokio::test]
    async fn the_inside_is_out_of_reach() {
        let courier = HttpCourier::new(Reach::PublicOnly);
        for url in [
            "http://127.0.0.1:9/notify",
            "http://[::1]:9/notify",
            "http://[::ffff:127.0.0.1]:9/",
            "http://localhost:9/notify",
        ] {
            let lost = courier.post(url, "a=1".to_owned()).await.unwrap_err();
            assert!(lost.contains("public internet"), "{url}: {lost}");
        }
    }
}
