//! RSA keys as partners paste them, parsed once and kept ready.
//!
//! aws-lc verifies everything and signs SHA-256 from 2,048 bits on; it neither signs SHA-1 nor
//! takes smaller private keys, so the `rsa` crate does those two, several times slower.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT};
use rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use rsa::pkcs8::der::Decode as _;
use rsa::pkcs8::der::zeroize::Zeroizing;
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    PrivateKeyInfoRef,
};
use rsa::traits::PublicKeyParts as _;

use crate::signature::SignType;

/// The sizes that the gateway takes.
pub const KEY_BITS: std::ops::RangeInclusive<u32> = 1_024..=4_096;
/// From here on aws-lc takes a private key.
const FAST_BITS_MIN: u32 = 2_048;
/// Up to here one signature takes well under a millisecond.
const FAST_BITS_MAX: u32 = 2_048;

/// What is wrong with a key that somebody pasted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing there.
    #[error("there is no key")]
    Empty,
    /// Neither PEM nor Base64.
    #[error("the key is not Base64")]
    NotBase64,
    /// The secret half, where the public half belongs.
    #[error("this is a private key; paste the public key and keep this one secret")]
    IsPrivate,
    /// The public half, where the secret half belongs.
    #[error("this is a public key; a private key is needed here")]
    IsPublic,
    /// An X.509 certificate.
    #[error("this is a certificate; paste the public key inside it")]
    IsCertificate,
    /// A private key under a pass phrase.
    #[error("the private key is encrypted with a pass phrase")]
    IsEncrypted,
    /// A DSA, EC or other key.
    #[error("this is not an RSA key")]
    NotRsa,
    /// Base64, but no key inside.
    #[error("this is not a key: neither PKCS#1 nor PKCS#8 nor SubjectPublicKeyInfo")]
    Malformed,
    /// Under 1,024 bits.
    #[error("the key has {bits} bits, fewer than {min}", min = KEY_BITS.start())]
    TooShort {
        /// Of the modulus.
        bits: u32,
    },
    /// Over 4,096 bits.
    #[error("the key has {bits} bits, more than {max}", max = KEY_BITS.end())]
    TooLong {
        /// Of the modulus.
        bits: u32,
    },
}

/// A public key: a merchant's at the gateway, the gateway's at a merchant. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey(Arc<PublicHalf>);

struct PublicHalf {
    bits: u32,
    spki: Box<[u8]>,
    sha1: ParsedPublicKey,
    sha256: ParsedPublicKey,
}

impl PublicKey {
    /// The size of its modulus.
    pub fn bits(&self) -> u32 {
        self.0.bits
    }

    /// X.509 SubjectPublicKeyInfo in one line of Base64, as partners exchange keys (`spec/01`).
    pub fn to_spki_base64(&self) -> String {
        STANDARD.encode(&self.0.spki)
    }

    pub(crate) fn verify_sha1(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.sha1.verify_sig(text, signature).is_ok()
    }

    pub(crate) fn verify_sha256(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.sha256.verify_sig(text, signature).is_ok()
    }

    /// The padded block inside a signature: what its maker put under the private key. `None` when
    /// the length is not the key's.
    pub(crate) fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let key = rsa::PublicKey::from_public_key_der(&self.0.spki).ok()?;
        if signature.len() != key.size() {
            return None;
        }
        let number = rsa::BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
        if number >= **key.n() {
            return None;
        }
        let block = rsa::hazmat::rsa_encrypt(&key, &number).ok()?.to_be_bytes();
        let start = block.len().checked_sub(key.size())?;
        block.get(start..).map(<[u8]>::to_vec)
    }

    fn new(key: &rsa::PublicKey) -> Result<Self, KeyError> {
        let bits = key.n().bit_width();
        check_bits(bits)?;
        let spki = key.to_public_key_der().map_err(|_| KeyError::Malformed)?;
        let parse = |algorithm| {
            ParsedPublicKey::new(algorithm, spki.as_bytes()).map_err(|_| KeyError::Malformed)
        };
        Ok(Self(Arc::new(PublicHalf {
            bits,
            spki: spki.as_bytes().into(),
            sha1: parse(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY)?,
            sha256: parse(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)?,
        })))
    }
}

/// Reads SubjectPublicKeyInfo or PKCS#1, with or without PEM armour and line breaks.
impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let der = read_der(text)?;
        match kind_of(&der) {
            Kind::Public => rsa::PublicKey::from_public_key_der(&der).ok(),
            Kind::PublicPkcs1 => rsa::PublicKey::from_pkcs1_der(&der).ok(),
            Kind::Private | Kind::PrivatePkcs1 => return Err(KeyError::IsPrivate),
            Kind::Other(error) => return Err(error),
        }
        .ok_or_else(|| size_error(&der))
        .and_then(|key| Self::new(&key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits)", self.0.bits)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.spki == other.0.spki
    }
}

impl Eq for PublicKey {}

/// A private key: the gateway's here, a merchant's in the SDK. Never printed, cheap to clone.
#[derive(Clone)]
pub struct PrivateKey(Arc<PrivateHalf>);

struct PrivateHalf {
    public: PublicKey,
    fast: Option<KeyPair>,
    slow: rsa::PrivateKey,
}

impl PrivateKey {
    /// The other half.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public
    }

    /// Whether a signature of this type takes around a millisecond or more: SHA-1, which the slow
    /// library signs, and every size but 2,048 bits. The server signs those on its blocking pool.
    pub fn is_slow(&self, sign_type: SignType) -> bool {
        match sign_type {
            SignType::Md5 => false,
            SignType::Rsa => true,
            SignType::Rsa2 => !(FAST_BITS_MIN..=FAST_BITS_MAX).contains(&self.0.public.bits()),
        }
    }

    /// PKCS#8 in one line of Base64, as the Java SDK wants it (`spec/01`).
    ///
    /// # Panics
    /// Not for a key that was parsed: what was read can be written.
    pub fn to_pkcs8_base64(&self) -> Zeroizing<String> {
        let der = self
            .0
            .slow
            .to_pkcs8_der()
            .expect("a parsed key can be written");
        Zeroizing::new(STANDARD.encode(der.as_bytes()))
    }

    pub(crate) fn sign_sha1(&self, text: &[u8]) -> Vec<u8> {
        self.sign_slowly(&digest::SHA1_FOR_LEGACY_USE_ONLY, SHA1_PREFIX, text)
    }

    pub(crate) fn sign_sha256(&self, text: &[u8]) -> Vec<u8> {
        let Some(key) = &self.0.fast else {
            return self.sign_slowly(&digest::SHA256, SHA256_PREFIX, text);
        };
        let mut signature = vec![0; key.public_modulus_len()];
        // Fails only when memory runs out, and then so does the request.
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text,
            &mut signature,
        )
        .expect("a checked RSA key signs");
        signature
    }

    fn sign_slowly(&self, hash: &'static digest::Algorithm, prefix: &[u8], text: &[u8]) -> Vec<u8> {
        let scheme = rsa::Pkcs1v15Sign {
            hash_len: Some(hash.output_len()),
            prefix: prefix.into(),
        };
        // Fails only when the system has no randomness for the blinding.
        self.0
            .slow
            .sign(scheme, digest::digest(hash, text).as_ref())
            .expect("a checked RSA key signs")
    }
}

/// The DER in front of a hash in PKCS#1 v1.5 (RFC 8017, 9.2).
const SHA1_PREFIX: &[u8] = &[
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14,
];
const SHA256_PREFIX: &[u8] = &[
    0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Reads PKCS#8 or PKCS#1, with or without PEM armour and line breaks.
impl FromStr for PrivateKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let der = read_der(text)?;
        let slow = match kind_of(&der) {
            Kind::Private => rsa::PrivateKey::from_pkcs8_der(&der).ok(),
            Kind::PrivatePkcs1 => rsa::PrivateKey::from_pkcs1_der(&der).ok(),
            Kind::Public | Kind::PublicPkcs1 => return Err(KeyError::IsPublic),
            Kind::Other(error) => return Err(error),
        }
        .ok_or_else(|| size_error(&der))?;
        let public = PublicKey::new(slow.as_public_key())?;
        let fast = if public.bits() < FAST_BITS_MIN {
            None
        } else {
            let pkcs8 = slow.to_pkcs8_der().map_err(|_| KeyError::Malformed)?;
            Some(KeyPair::from_pkcs8(pkcs8.as_bytes()).map_err(|_| KeyError::Malformed)?)
        };
        Ok(Self(Arc::new(PrivateHalf { public, fast, slow })))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} bits, ..)", self.0.public.bits())
    }
}

fn check_bits(bits: u32) -> Result<(), KeyError> {
    if bits < *KEY_BITS.start() {
        return Err(KeyError::TooShort { bits });
    }
    if bits > *KEY_BITS.end() {
        return Err(KeyError::TooLong { bits });
    }
    Ok(())
}

/// Why the library refused a key of the right shape: its size, or its numbers.
fn size_error(der: &[u8]) -> KeyError {
    let modulus = |der: &[u8]| {
        let public = rsa::pkcs1::RsaPublicKeyRef::from_der(der).map(|key| key.modulus);
        let private = |_| rsa::pkcs1::RsaPrivateKeyRef::from_der(der).map(|key| key.modulus);
        public
            .or_else(private)
            .ok()
            .and_then(|modulus| bit_width(modulus.as_bytes()))
    };
    let inner = |der| {
        let public = SubjectPublicKeyInfoRef::try_from(der).ok();
        let public = public.and_then(|info| modulus(info.subject_public_key.as_bytes()?));
        public.or_else(|| {
            modulus(
                PrivateKeyInfoRef::try_from(der)
                    .ok()?
                    .private_key
                    .as_bytes(),
            )
        })
    };
    let bits = modulus(der).or_else(|| inner(der));
    bits.and_then(|bits| check_bits(bits).err())
        .unwrap_or(KeyError::Malformed)
}

fn bit_width(number: &[u8]) -> Option<u32> {
    let bits = u32::try_from(number.len()).ok()?.checked_mul(8)?;
    Some(bits - number.first()?.leading_zeros())
}

/// What a DER text turned out to be.
enum Kind {
    Public,
    PublicPkcs1,
    Private,
    PrivatePkcs1,
    Other(KeyError),
}

fn kind_of(der: &[u8]) -> Kind {
    let is_rsa = |oid| oid == rsa::pkcs1::ALGORITHM_OID;
    if let Ok(info) = SubjectPublicKeyInfoRef::try_from(der) {
        return if is_rsa(info.algorithm.oid) {
            Kind::Public
        } else {
            Kind::Other(KeyError::NotRsa)
        };
    }
    if let Ok(info) = PrivateKeyInfoRef::try_from(der) {
        return if is_rsa(info.algorithm.oid) {
            Kind::Private
        } else {
            Kind::Other(KeyError::NotRsa)
        };
    }
    if rsa::pkcs1::RsaPublicKeyRef::from_der(der).is_ok() {
        return Kind::PublicPkcs1;
    }
    if rsa::pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
        return Kind::PrivatePkcs1;
    }
    Kind::Other(if is_certificate(der) {
        KeyError::IsCertificate
    } else {
        KeyError::Malformed
    })
}

/// A sequence that begins with a sequence that begins with `[0] { version }` or a serial number.
fn is_certificate(der: &[u8]) -> bool {
    matches!(der, [0x30, 0x82, _, _, 0x30, 0x82, _, _, 0xA0 | 0x02, ..])
}

/// The DER inside PEM armour or bare Base64, whatever white space it is broken with or without.
fn read_der(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // Between the dashes of armour stand its labels, outside of them its content.
    let label = text.split("-----").nth(1).unwrap_or_default();
    if label.contains("CERTIFICATE") {
        return Err(KeyError::IsCertificate);
    }
    if label.contains("ENCRYPTED") || text.contains("Proc-Type:") {
        return Err(KeyError::IsEncrypted);
    }
    if label.contains("EC ") || label.contains("DSA ") {
        return Err(KeyError::NotRsa);
    }
    let content = text.split("-----").step_by(2).flat_map(str::chars);
    let symbols: Zeroizing<String> =
        Zeroizing::new(content.filter(|letter| !letter.is_whitespace()).collect());
    if symbols.is_empty() {
        return Err(KeyError::Empty);
    }
    let der = STANDARD_PAD_INDIFFERENT.decode(symbols.as_bytes());
    der.map(Zeroizing::new).map_err(|_| KeyError::NotBase64)
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
