//! Who calls which gateway, and with which keys.

use std::fmt;
use std::str::FromStr;

use spotpay_core::id::PartnerId;
use spotpay_core::time::Span;
use spotpay_wire::charset::Charset;
use spotpay_wire::keys::{KeyError, PrivateKey, PublicKey};
use spotpay_wire::pay::StoreData;
use spotpay_wire::signature::{MalformedMd5Key, Md5Key, Signer, Verifier};

/// The genuine gateway of the HK product.
pub const HK_PRODUCTION: &str = "https://intlmapi.alipay.com/gateway.do";
/// The genuine gateway of the standard product.
pub const STANDARD_PRODUCTION: &str = "https://globalmapi.alipay.com/gateway.do";
/// Where the standard product is found when [`STANDARD_PRODUCTION`] cannot be reached.
pub const STANDARD_PRODUCTION_BACKUP: &str = "https://intlmapi.alipay.com/gateway.do";
/// The genuine test gateway.
pub const TEST: &str = "https://mapi.alipaydev.com/gateway.do";

/// The URL of a gateway, and of its twin that is asked when no connection to the first is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gateway {
    url: Box<str>,
    backup: Option<Box<str>>,
}

/// Why a text is not the URL of a gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GatewayError {
    /// Neither `http` nor `https`.
    #[error("does not begin with http:// or https://")]
    Scheme,
    /// Nothing between the scheme and the path.
    #[error("names no host")]
    Host,
    /// A query or a fragment, where the request puts its own.
    #[error("has a query or a fragment")]
    Query,
    /// A blank or a control character.
    #[error("has a blank or a control character")]
    Blank,
}

impl Gateway {
    /// [`HK_PRODUCTION`].
    pub fn hk_production() -> Self {
        Self::known(HK_PRODUCTION, None)
    }

    /// [`STANDARD_PRODUCTION`] with its backup.
    pub fn standard_production() -> Self {
        Self::known(STANDARD_PRODUCTION, Some(STANDARD_PRODUCTION_BACKUP))
    }

    /// [`TEST`].
    pub fn test() -> Self {
        Self::known(TEST, None)
    }

    fn known(url: &str, backup: Option<&str>) -> Self {
        Self {
            url: url.into(),
            backup: backup.map(Box::from),
        }
    }

    /// With a backup: another door to the **same** gateway, never another gateway.
    #[must_use]
    pub fn with_backup(self, backup: Self) -> Self {
        Self {
            backup: Some(backup.url),
            ..self
        }
    }

    /// The URL; in the journal it names the gateway.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the backup.
    pub fn backup(&self) -> Option<&str> {
        self.backup.as_deref()
    }

    /// The URL without the path, for what a sandbox has beside its gateway.
    pub fn origin(&self) -> &str {
        let host = self.url.find("://").map_or(0, |at| at + 3);
        let rest = self.url.get(host..).unwrap_or_default();
        let end = rest.find('/').map_or(self.url.len(), |at| host + at);
        self.url.get(..end).unwrap_or_default()
    }
}

impl FromStr for Gateway {
    type Err = GatewayError;

    fn from_str(url: &str) -> Result<Self, GatewayError> {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .ok_or(GatewayError::Scheme)?;
        if url.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err(GatewayError::Blank);
        }
        if url.contains(['?', '#']) {
            return Err(GatewayError::Query);
        }
        if rest.is_empty() || rest.starts_with(['/', ':']) {
            return Err(GatewayError::Host);
        }
        Ok(Self::known(url, None))
    }
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Which key of the settings cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SettingsError {
    /// The key that is shared with the gateway.
    #[error("the MD5 key: {0}")]
    Md5Key(#[from] MalformedMd5Key),
    /// The merchant's own key.
    #[error("the merchant's private key: {0}")]
    PrivateKey(KeyError),
    /// The gateway's key.
    #[error("the gateway's public key: {0}")]
    GatewayKey(KeyError),
}

/// Everything that requests and answers depend on. `Debug` prints no key.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who is called.
    pub gateway: Gateway,
    /// Who calls.
    pub partner: PartnerId,
    /// Signs requests.
    pub signer: Signer,
    /// Verifies answers.
    pub verifier: Verifier,
    /// What requests are written in.
    pub charset: Charset,
    /// The shop that a sale is made in when it names none.
    pub store: StoreData,
    /// How long a checkout waits, and how often it tries.
    pub patience: Patience,
}

impl Settings {
    /// With a signer and the verifier that goes with it; UTF-8, no default store.
    pub fn new(gateway: Gateway, partner: PartnerId, signer: Signer, verifier: Verifier) -> Self {
        Self {
            gateway,
            partner,
            signer,
            verifier,
            charset: Charset::Utf8,
            store: StoreData::default(),
            patience: Patience::default(),
        }
    }

    /// `sign_type=MD5`: one key of 32 characters on both sides.
    pub fn md5(gateway: Gateway, partner: PartnerId, key: &str) -> Result<Self, SettingsError> {
        let key: Md5Key = key.trim().parse()?;
        let verifier = Verifier::Md5(key.clone());
        Ok(Self::new(gateway, partner, Signer::Md5(key), verifier))
    }

    /// `sign_type=RSA2`: the merchant's private key and the gateway's public key, in any of the
    /// usual forms.
    pub fn rsa2(
        gateway: Gateway,
        partner: PartnerId,
        private_key: &str,
        gateway_key: &str,
    ) -> Result<Self, SettingsError> {
        let (private, public) = rsa_keys(private_key, gateway_key)?;
        let (signer, verifier) = (Signer::Rsa2(private), Verifier::Rsa2(public));
        Ok(Self::new(gateway, partner, signer, verifier))
    }

    /// `sign_type=RSA`, with SHA-1.
    pub fn rsa(
        gateway: Gateway,
        partner: PartnerId,
        private_key: &str,
        gateway_key: &str,
    ) -> Result<Self, SettingsError> {
        let (private, public) = rsa_keys(private_key, gateway_key)?;
        let (signer, verifier) = (Signer::Rsa(private), Verifier::Rsa(public));
        Ok(Self::new(gateway, partner, signer, verifier))
    }
}

fn rsa_keys(private: &str, public: &str) -> Result<(PrivateKey, PublicKey), SettingsError> {
    Ok((
        private.parse().map_err(SettingsError::PrivateKey)?,
        public.parse().map_err(SettingsError::GatewayKey)?,
    ))
}

/// How long a checkout waits, and how often it tries (`spec/09`, timers).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// Between two queries, and between two tries to reach a gateway that could not be reached.
    pub poll: Span,
    /// From the first pay to the last query; then the trade is cancelled.
    pub limit: Span,
    /// From the scan: how long a code is good enough to repeat a pay that did not arrive.
    pub code_fresh: Span,
    /// Pay requests of one checkout, the first included.
    pub pay_tries: u32,
    /// Cancel requests of one checkout.
    pub cancel_tries: u32,
    /// Between two of them.
    pub cancel_pause: Span,
    /// Refund requests under one number.
    pub refund_tries: u32,
    /// Between two of them.
    pub refund_pause: Span,
}

impl Default for Patience {
    /// Every 3 s up to 60 s; at most 3 pays, 10 cancels and 10 refunds.
    fn default() -> Self {
        Self {
            poll: Span::seconds(3),
            limit: Span::seconds(60),
            code_fresh: Span::seconds(60),
            pay_tries: 3,
            cancel_tries: 10,
            cancel_pause: Span::seconds(3),
            refund_tries: 10,
            refund_pause: Span::seconds(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: a URL is a gateway's or it is refused with its reason.
    #[test]
    fn gateways() {
        for (url, expected) in [
            (
                "http://127.0.0.1:8080/gateway.do",
                Ok("http://127.0.0.1:8080"),
            ),
            ("https://[::1]:1/g", Ok("https://[::1]:1")),
            ("https://host", Ok("https://host")),
            (HK_PRODUCTION, Ok("https://intlmapi.alipay.com")),
            ("ftp://host/", Err(GatewayError::Scheme)),
            ("", Err(GatewayError::Scheme)),
            ("http://", Err(GatewayError::Host)),
            ("http:///gateway.do", Err(GatewayError::Host)),
            ("http://host/?a=b", Err(GatewayError::Query)),
            ("http://host/a b", Err(GatewayError::Blank)),
        ] {
            let gateway = url.parse::<Gateway>();
            let origin = gateway
                .as_ref()
                .map(Gateway::origin)
                .map_err(|error| *error);
            assert_eq!(origin, expected, "{url}");
        }
    }

    // Goal: settings can be logged.
    #[test]
    fn no_key_is_printed() {
        let key = "0123456789abcdefghijklmnopqrstuv";
        let partner = PartnerId::from_number(1).unwrap();
        let settings = Settings::md5(Gateway::test(), partner, key).unwrap();
        assert!(!format!("{settings:?}").contains(key));
        let error = Settings::md5(Gateway::test(), partner, "short").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the MD5 key: an MD5 key has 32 letters and digits"
        );
    }
}
