//! HTTPS with a certificate of our own making.
//!
//! At the first start an authority is made that may speak for the wanted names only, one server
//! certificate under it, and then the authority's key is forgotten: whoever trusts `ca.pem` trusts
//! nothing that anyone could still sign. Both last two years and are made anew when they are about
//! to expire, when the names change, or when the files do not fit together.
//!
//! Keys are P-256: rustls speaks authenticated ciphers only, and of those the old Windows stacks
//! (8.1, Server 2012 R2) have the ECDSA ones but not the RSA ones, while Java 8, PHP on OpenSSL
//! 1.0.1 and everything newer have both; a client too old for either would not be helped by an RSA
//! key. Making one takes no time, where two RSA keys would take twice what a first start may, and a
//! handshake costs a tenth.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use spotpay_core::time::{Span, Timestamp};

use crate::clock::{Clock as _, SystemClock};

/// The authority to trust, inside the data directory.
pub const CA_FILE: &str = "ca.pem";
/// The server's certificate.
pub const CERTIFICATE_FILE: &str = "tls-cert.pem";
/// Its key, readable by the owner only.
pub const KEY_FILE: &str = "tls-key.pem";

/// Phones and browsers refuse certificates of more than 825 days, also from authorities that the
/// owner trusts.
const VALID_DAYS: i32 = 730;
/// Clocks of tills run behind; a certificate from the future is refused.
const BACKDATED_DAYS: i32 = 1;
/// What must be left at a start.
const LEFT_AT_LEAST: Span = Span::hours(30 * 24);
/// Marks the line of the certificate's file that lists its names; readers of PEM skip it.
const NAMES_LINE: &str = "Spotpay, for: ";

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A name is neither a host name nor an address; wildcards are not taken.
    #[error("`{0}` is neither a host name nor an IP address")]
    Name(String),
    /// A file could not be written.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificates could not be made.
    #[error("the certificates could not be made")]
    Make(#[from] rcgen::Error),
    /// They could not be used.
    #[error("the certificates could not be used")]
    Use(#[from] rustls::Error),
}

/// TLS for `localhost`, `127.0.0.1` and these names, with the certificate in the data directory,
/// which is made when there is none that will do.
///
/// # Errors
/// A name that is none, or files that cannot be written.
pub fn server_config(data: &Path, names: &[String]) -> Result<Arc<ServerConfig>, TlsError> {
    server_config_at(data, names, SystemClock::new().real())
}

/// [`server_config`] at an instant of real time.
///
/// # Errors
/// As [`server_config`].
pub fn server_config_at(
    data: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let names = Names::new(names)?;
    let identity = match Identity::load(data, &names, now, &provider) {
        Some(identity) => identity,
        None => {
            tracing::info!(tls.names = %names.list(), "a certificate is made");
            Identity::make(data, &names, now)?
        }
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate], identity.key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Tills that connect for each payment resume; the tickets' key lives and dies with us.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(config))
}

/// What the certificate speaks for, without doubles and in a fixed order.
struct Names {
    hosts: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl Names {
    fn new(more: &[String]) -> Result<Self, TlsError> {
        let mut names = Self {
            hosts: BTreeSet::from(["localhost".to_owned()]),
            addresses: BTreeSet::from([IpAddr::V4(Ipv4Addr::LOCALHOST)]),
        };
        for name in more {
            let bare = name.trim_end_matches('.').to_ascii_lowercase();
            match ServerName::try_from(bare.as_str()) {
                Ok(ServerName::IpAddress(address)) => {
                    names.addresses.insert(IpAddr::from(address));
                }
                Ok(ServerName::DnsName(_)) => {
                    names.hosts.insert(bare);
                }
                Ok(_) | Err(_) => return Err(TlsError::Name(name.clone())),
            }
        }
        Ok(names)
    }

    /// All of them as text.
    fn all(&self) -> impl Iterator<Item = String> {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.hosts.iter().cloned().chain(addresses)
    }

    fn list(&self) -> String {
        self.all().collect::<Vec<_>>().join(", ")
    }

    /// These names and nothing else; what lies under a host name is included by the standard.
    fn constraints(&self) -> NameConstraints {
        let hosts = self.hosts.iter().cloned().map(GeneralSubtree::DnsName);
        let addresses = self.addresses.iter().map(|address| {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, bits))
        });
        NameConstraints {
            permitted_subtrees: hosts.chain(addresses).collect(),
            excluded_subtrees: Vec::new(),
        }
    }
}

/// What the server shows and proves.
struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// The identity on disk, if a partner who trusts `ca.pem` will take it for every name for some
    /// time to come.
    fn load(
        data: &Path,
        names: &Names,
        now: Timestamp,
        provider: &Arc<CryptoProvider>,
    ) -> Option<Self> {
        let text = std::fs::read_to_string(data.join(CERTIFICATE_FILE)).ok()?;
        let listed = text.lines().next()?.strip_prefix(NAMES_LINE)?;
        if listed != names.list() {
            return None;
        }
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).ok()?;
        let key = PrivateKeyDer::from_pem_file(data.join(KEY_FILE)).ok()?;
        // Refuses a key that is not the certificate's: a crash between two renames.
        CertifiedKey::from_der(vec![certificate.clone()], key.clone_key(), provider).ok()?;

        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(data.join(CA_FILE)).ok()?;
        roots.add(authority).ok()?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()
                .ok()?;
        for instant in [now, now.plus(LEFT_AT_LEAST)] {
            let seconds = u64::try_from(instant.as_seconds()).ok()?;
            let instant = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            for name in names.all() {
                let name = ServerName::try_from(name).ok()?;
                verifier
                    .verify_server_cert(&certificate, &[], &name, &[], instant)
                    .ok()?;
            }
        }
        Some(Self { certificate, key })
    }

    /// Makes an authority and a certificate under it, writes them, and forgets the authority's key.
    fn make(data: &Path, names: &Names, now: Timestamp) -> Result<Self, TlsError> {
        let authority_key = KeyPair::generate()?;
        let authority = authority(names, now, &authority_key)?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let key = KeyPair::generate()?;
        let certificate =
            leaf(names, now)?.signed_by(&key, &Issuer::from_params(&authority, &authority_key))?;

        let certificate_pem = format!("{NAMES_LINE}{}\n{}", names.list(), certificate.pem());
        write(data, KEY_FILE, &key.serialize_pem(), Readers::Owner)?;
        write(data, CERTIFICATE_FILE, &certificate_pem, Readers::All)?;
        write(data, CA_FILE, &authority_pem, Readers::All)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|reason| rustls::Error::General(reason.to_owned()))?;
        Ok(Self {
            certificate: certificate.der().clone(),
            key,
        })
    }
}

fn authority(
    names: &Names,
    now: Timestamp,
    key: &KeyPair,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = valid_from(now, CertificateParams::new(Vec::new())?);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // rcgen marks this extension critical: who does not know it must refuse the certificate.
    params.name_constraints = Some(names.constraints());
    // A name of its own for each: trust stores mix up authorities of one name with two keys.
    let mut number = String::new();
    for byte in params.key_identifier(key).iter().take(4) {
        number.push_str(&format!("{byte:02x}"));
    }
    let name = format!("Spotpay local authority {number}");
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn leaf(names: &Names, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let all: Vec<String> = names.all().collect();
    let mut params = valid_from(now, CertificateParams::new(all)?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    Ok(params)
}

fn valid_from(now: Timestamp, mut params: CertificateParams) -> CertificateParams {
    let midnight = |days: i32| {
        let (year, month, day) = now.business_date().plus_days(days).ymd();
        rcgen::date_time_ymd(i32::from(year), month, day)
    };
    params.not_before = midnight(-BACKDATED_DAYS);
    params.not_after = midnight(VALID_DAYS);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    Owner,
    All,
}

/// Writes a file whole or not at all.
fn write(data: &Path, name: &str, text: &str, readers: Readers) -> Result<(), TlsError> {
    let path = data.join(name);
    let fresh = data.join(format!(".{name}.new"));
    let write = || {
        // What a crash left behind may have been opened by others.
        if fresh.exists() {
            std::fs::remove_file(&fresh)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if readers == Readers::Owner {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)
    };
    write().map_err(|source| TlsError::File {
        path: path.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
    const DAY: Span = Span::hours(24);

    fn names(more: &[&str]) -> Vec<String> {
        more.iter().map(|&name| name.to_owned()).collect()
    }

    /// The certificate's bytes after a start at an instant.
    fn after_start(data: &Path, more: &[&str], now: Timestamp) -> String {
        server_config_at(data, &names(more), now).unwrap();
        std::fs::read_to_string(data.join(CERTIFICATE_FILE)).unwrap()
    }

    #[test]
    fn a_certificate_is_kept_while_it_will_do() {
        let data = tempfile::tempdir().unwrap();
        let first = after_start(data.path(), &["pay.example"], NOW);
        let days = |days: i32| (0..days).fold(NOW, |at, _| at.plus(DAY));
        assert_eq!(after_start(data.path(), &["Pay.Example."], NOW), first);
        let again = after_start(data.path(), &["pay.example", "localhost"], days(690));
        assert_eq!(again, first, "the same names, and time is left");
        let expiring = after_start(data.path(), &["pay.example"], days(702));
        assert_ne!(expiring, first, "28 days are too few");
        let fewer = after_start(data.path(), &[], days(702));
        assert_ne!(fewer, expiring, "a name that is gone is not spoken for");
    }

    #[test]
    fn files_that_do_not_fit_together_are_remade() {
        let data = tempfile::tempdir().unwrap();
        for broken in [CA_FILE, CERTIFICATE_FILE, KEY_FILE] {
            let before = after_start(data.path(), &[], NOW);
            std::fs::write(data.path().join(broken), "-----BEGIN nothing").unwrap();
            assert_ne!(after_start(data.path(), &[], NOW), before, "{broken}");
        }
        // A key of another certificate: what a crash between two renames leaves.
        let before = after_start(data.path(), &[], NOW);
        let other = KeyPair::generate().unwrap().serialize_pem();
        std::fs::write(data.path().join(KEY_FILE), other).unwrap();
        assert_ne!(after_start(data.path(), &[], NOW), before);
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let data = tempfile::tempdir().unwrap();
        for name in [
            "",
            "https://pay.example",
            "*.pay.example",
            "a b",
            "host:443",
        ] {
            let refused = server_config_at(data.path(), &names(&[name]), NOW);
            assert!(matches!(refused, Err(TlsError::Name(_))), "{name}");
        }
        assert!(!data.path().join(CA_FILE).exists());
    }

    /// Even with the authority's key, a certificate for another name convinces nobody.
    #[test]
    fn the_authority_speaks_for_its_names_only() {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let ours = Names::new(&names(&["pay.example", "10.0.0.7"])).unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let authority = authority(&ours, NOW, &authority_key).unwrap();
        let mut roots = RootCertStore::empty();
        let root = authority.self_signed(&authority_key).unwrap();
        roots.add(root.der().clone()).unwrap();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .unwrap();
        let seconds = u64::try_from(NOW.as_seconds()).unwrap();
        let instant = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        for (name, is_taken) in [
            ("pay.example", true),
            ("localhost", true),
            ("127.0.0.1", true),
            ("10.0.0.7", true),
            ("bank.example", false),
            ("10.0.0.8", false),
            ("::1", false),
        ] {
            let key = KeyPair::generate().unwrap();
            let mut params = leaf(&ours, NOW).unwrap();
            let only = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.subject_alt_names = only.subject_alt_names;
            let certificate = params
                .signed_by(&key, &Issuer::from_params(&authority, &authority_key))
                .unwrap();
            let name = ServerName::try_from(name).unwrap();
            let verified = verifier.verify_server_cert(certificate.der(), &[], &name, &[], instant);
            assert_eq!(verified.is_ok(), is_taken, "{name:?}: {verified:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let data = tempfile::tempdir().unwrap();
        after_start(data.path(), &[], NOW);
        let key = std::fs::metadata(data.path().join(KEY_FILE)).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}
