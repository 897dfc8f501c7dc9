//! MD5, RSA and RSA2 over the signed text (`spec/01`).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use crate::keys::{PrivateKey, PublicKey};

/// The `sign_type` of a request; its answer is signed the same way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SignType {
    /// MD5 over text and shared key.
    Md5,
    /// SHA1withRSA.
    Rsa,
    /// SHA256withRSA.
    Rsa2,
}

impl SignType {
    /// The value of the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Rsa => "RSA",
            Self::Rsa2 => "RSA2",
        }
    }
}

/// A `sign_type` that is refused with `ILLEGAL_SIGN_TYPE`: another case, DSA, or anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("sign_type is MD5, RSA or RSA2, in upper case")]
pub struct IllegalSignType;

impl FromStr for SignType {
    type Err = IllegalSignType;

    fn from_str(text: &str) -> Result<Self, IllegalSignType> {
        match text {
            "MD5" => Ok(Self::Md5),
            "RSA" => Ok(Self::Rsa),
            "RSA2" => Ok(Self::Rsa2),
            _ => Err(IllegalSignType),
        }
    }
}

impl fmt::Display for SignType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The secret that a partner and the gateway share: 32 characters, never printed.
#[derive(Clone)]
pub struct Md5Key([u8; Self::LENGTH]);

/// Not 32 visible ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an MD5 key has {} letters and digits", Md5Key::LENGTH)]
pub struct MalformedMd5Key;

impl Md5Key {
    /// Characters of a key (`spec/01`).
    pub const LENGTH: usize = 32;

    /// The characters, for the store and for the page that shows a partner its key.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// `md5(text + key)` in lower-case hex.
    fn digest(&self, text: &[u8]) -> Digest {
        let digest = Md5::new()
            .chain_update(text)
            .chain_update(self.0)
            .finalize();
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        Digest(hex)
    }
}

/// What a signature must be. It has no `==`: the time of a comparison would tell a stranger how
/// many characters of a guess are right.
struct Digest([u8; 32]);

impl Digest {
    /// Whether `sign` is this one, in the same time wherever they differ.
    fn is(&self, sign: &str) -> bool {
        self.0.ct_eq(sign.as_bytes()).into()
    }

    fn into_sign(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

impl FromStr for Md5Key {
    type Err = MalformedMd5Key;

    fn from_str(text: &str) -> Result<Self, MalformedMd5Key> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| MalformedMd5Key)?;
        let visible = bytes.iter().all(u8::is_ascii_graphic);
        if visible {
            Ok(Self(bytes))
        } else {
            Err(MalformedMd5Key)
        }
    }
}

impl fmt::Debug for Md5Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Md5Key(..)")
    }
}

impl Drop for Md5Key {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler may leave the zeros out.
        std::hint::black_box(&self.0);
    }
}

/// Signs: requests with a merchant's key, answers and notifications with the gateway's.
#[derive(Clone, Debug)]
pub enum Signer {
    /// With the shared key.
    Md5(Md5Key),
    /// SHA1withRSA.
    Rsa(PrivateKey),
    /// SHA256withRSA.
    Rsa2(PrivateKey),
}

impl Signer {
    /// The `sign_type` that goes with the signature.
    pub const fn sign_type(&self) -> SignType {
        match self {
            Self::Md5(_) => SignType::Md5,
            Self::Rsa(_) => SignType::Rsa,
            Self::Rsa2(_) => SignType::Rsa2,
        }
    }

    /// The signature as it stands in `sign`, not URL-encoded.
    pub fn sign(&self, text: &[u8]) -> String {
        match self {
            Self::Md5(key) => key.digest(text).into_sign(),
            Self::Rsa(key) => STANDARD.encode(key.sign_sha1(text)),
            Self::Rsa2(key) => STANDARD.encode(key.sign_sha256(text)),
        }
    }

    /// Whether one signature takes so long that it belongs on a pool of its own.
    pub fn is_slow(&self) -> bool {
        match self {
            Self::Md5(_) => false,
            Self::Rsa(key) => key.is_slow(SignType::Rsa),
            Self::Rsa2(key) => key.is_slow(SignType::Rsa2),
        }
    }

    /// What verifies these signatures.
    pub fn verifier(&self) -> Verifier {
        match self {
            Self::Md5(key) => Verifier::Md5(key.clone()),
            Self::Rsa(key) => Verifier::Rsa(key.public_key().clone()),
            Self::Rsa2(key) => Verifier::Rsa2(key.public_key().clone()),
        }
    }
}

/// Verifies: requests with a merchant's key, answers and notifications with the gateway's.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// With the shared key.
    Md5(Md5Key),
    /// SHA1withRSA.
    Rsa(PublicKey),
    /// SHA256withRSA.
    Rsa2(PublicKey),
}

impl Verifier {
    /// The `sign_type` of the signatures that it verifies.
    pub const fn sign_type(&self) -> SignType {
        match self {
            Self::Md5(_) => SignType::Md5,
            Self::Rsa(_) => SignType::Rsa,
            Self::Rsa2(_) => SignType::Rsa2,
        }
    }

    /// Whether `sign` is a signature over the text.
    pub fn verify(&self, text: &[u8], sign: &str) -> bool {
        match self {
            Self::Md5(key) => key.digest(text).is(sign),
            Self::Rsa(key) => read_base64(sign).is_some_and(|sign| key.verify_sha1(text, &sign)),
            Self::Rsa2(key) => read_base64(sign).is_some_and(|sign| key.verify_sha256(text, &sign)),
        }
    }
}

/// Reads a received Base64 `sign`: a blank was a `+` before it was decoded once too often
/// (`spec/01`), and encoders of old break lines.
fn read_base64(sign: &str) -> Option<Vec<u8>> {
    let read = |byte| match byte {
        b' ' => Some(b'+'),
        b'\r' | b'\n' => None,
        other => Some(other),
    };
    let symbols: Vec<u8> = sign.bytes().filter_map(read).collect();
    STANDARD_PAD_INDIFFERENT.decode(symbols).ok()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
