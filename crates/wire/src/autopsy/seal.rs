//! The signature: in which spelling it came, and which text and key it belongs to.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use md5::{Digest as _, Md5};
use rsa::pkcs8::der::zeroize::Zeroizing;

use super::mistake::{Cause, Mistake};
use super::{Key, KeyRing, Owner};
use crate::form::{hex, percent_decode};
use crate::keys::{PrivateKey, PublicKey};
use crate::signature::SignType;

/// The shortest RSA signature that is looked at; no key in use is smaller.
const SIGNATURE_BYTES_MIN: usize = 64;

/// A `sign` taken out of its spelling.
pub(super) struct Reading {
    pub(super) content: Content,
    /// What is wrong with the spelling.
    pub(super) causes: Vec<Cause>,
}

pub(super) enum Content {
    Digest([u8; 16]),
    Signature(Vec<u8>),
}

/// Reads a `sign` whatever its `sign_type` says.
pub(super) fn read_sign(sign: &[u8]) -> Option<Reading> {
    if let Some(reading) = read_hex(sign) {
        return Some(reading);
    }
    if sign.contains(&b'%') {
        let mut decoded = Vec::new();
        percent_decode(sign, &mut decoded);
        let at = sign.iter().position(|&byte| byte == b'%').unwrap_or(0);
        let rest = sign.get(at..).unwrap_or_default();
        let found = rest.get(..3.min(rest.len())).unwrap_or_default();
        let detail = format!("`{}` at character {at} of sign", found.escape_ascii());
        let cause = Cause::new(Mistake::SignEncoded, detail);
        // A second `%` would be a second round, which nobody was seen to do.
        let reading = if decoded.contains(&b'%') {
            None
        } else {
            read_sign(&decoded)
        };
        return reading.map(|reading| reading.because(cause));
    }
    if let Some(reading) = read_base64(sign) {
        return Some(reading);
    }
    let trimmed = sign.trim_ascii();
    if trimmed.len() < sign.len() {
        let detail = "sign has blanks at an end";
        return read_sign(trimmed)
            .map(|reading| reading.because(Cause::new(Mistake::SignBlanks, detail)));
    }
    None
}

impl Reading {
    fn because(mut self, cause: Cause) -> Self {
        self.causes.push(cause);
        self
    }

    fn new(content: Content, mistake: Option<(Mistake, &str)>) -> Self {
        let cause = mistake.map(|(mistake, detail)| Cause::new(mistake, detail));
        Self {
            content,
            causes: cause.into_iter().collect(),
        }
    }
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    };
    digits.chunks_exact(2).map(pair).collect()
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of(digits: &[u8]) -> Option<[u8; 16]> {
    from_hex(digits)?.try_into().ok()
}

fn read_hex(sign: &[u8]) -> Option<Reading> {
    let bytes = from_hex(sign)?;
    if let Ok(digest) = <[u8; 16]>::try_from(bytes.as_slice()) {
        let upper = sign.iter().any(u8::is_ascii_uppercase);
        let mistake = upper.then_some((Mistake::HexUpperCase, "sign has capital letters"));
        return Some(Reading::new(Content::Digest(digest), mistake));
    }
    if let Some(digest) = digest_of(&bytes) {
        let mistake = Some((Mistake::HexTwice, "sign has 64 digits, the hex of hex"));
        return Some(Reading::new(Content::Digest(digest), mistake));
    }
    let mistake = Some((Mistake::SignatureInHex, "sign has hex digits only"));
    (bytes.len() >= 2 * SIGNATURE_BYTES_MIN)
        .then(|| Reading::new(Content::Signature(bytes), mistake))
}

fn read_base64(sign: &[u8]) -> Option<Reading> {
    // As the verifier reads it: a blank was a `+`, and lines may be broken.
    let mut symbols: Vec<u8> = sign.to_vec();
    symbols.retain(|byte| !matches!(byte, b'\r' | b'\n'));
    for symbol in symbols.iter_mut().filter(|symbol| **symbol == b' ') {
        *symbol = b'+';
    }
    let url_safe = symbols.iter().any(|byte| matches!(byte, b'-' | b'_'));
    for symbol in &mut symbols {
        *symbol = match *symbol {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
    }
    let bytes = STANDARD_PAD_INDIFFERENT.decode(&symbols).ok()?;
    let digest = <[u8; 16]>::try_from(bytes.as_slice()).ok();
    if let Some(digest) = digest.or_else(|| digest_of(&bytes)) {
        let mistake = Some((Mistake::DigestInBase64, "sign is the Base64 of an MD5"));
        return Some(Reading::new(Content::Digest(digest), mistake));
    }
    if bytes.len() < SIGNATURE_BYTES_MIN {
        return None;
    }
    let url_safe = url_safe.then_some((Mistake::Base64UrlSafe, "sign has `-` or `_`"));
    let twice = STANDARD_PAD_INDIFFERENT.decode(&bytes).ok();
    if let Some(inner) = twice.filter(|inner| inner.len() >= SIGNATURE_BYTES_MIN) {
        let mistake = Some((Mistake::Base64Twice, "sign is the Base64 of Base64"));
        return Some(Reading::new(Content::Signature(inner), mistake));
    }
    Some(Reading::new(Content::Signature(bytes), url_safe))
}

/// The hash functions that are met inside RSA signatures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Each with what stands before its digest in PKCS#1 v1.5 (RFC 8017, 9.2).
    const PREFIXES: [(Self, &[u8]); 5] = [
        (
            Self::Md5,
            &[
                0x30, 0x20, 0x30, 0x0C, 0x06, 0x08, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02, 0x05,
                0x05, 0x00, 0x04, 0x10,
            ],
        ),
        (
            Self::Sha1,
            &[
                0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04,
                0x14,
            ],
        ),
        (
            Self::Sha256,
            &[
                0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x01, 0x05, 0x00, 0x04, 0x20,
            ],
        ),
        (
            Self::Sha384,
            &[
                0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x02, 0x05, 0x00, 0x04, 0x30,
            ],
        ),
        (
            Self::Sha512,
            &[
                0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x03, 0x05, 0x00, 0x04, 0x40,
            ],
        ),
    ];

    const fn of(sign_type: SignType) -> Self {
        match sign_type {
            SignType::Md5 => Self::Md5,
            SignType::Rsa => Self::Sha1,
            SignType::Rsa2 => Self::Sha256,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    pub(super) fn digest(self, text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Md5 => return Md5::digest(text).to_vec(),
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, text).as_ref().to_vec()
    }
}

/// A signature that can be compared with many texts at the cost of a hash each.
pub(super) enum Seal {
    Md5(Md5Seal),
    Rsa(RsaSeal),
}

impl Seal {
    /// The mistakes that explain the signature over this text. Few ways to use the key are tried
    /// unless `thorough`.
    pub(super) fn opens(&self, text: &[u8], thorough: bool) -> Option<Vec<Cause>> {
        match self {
            Self::Md5(seal) => seal.opens(text, thorough),
            Self::Rsa(seal) => (seal.hash.digest(text) == seal.digest).then(|| seal.causes.clone()),
        }
    }
}

/// What an RSA signature holds, opened with the key that fits it.
pub(super) struct RsaSeal {
    pub(super) hash: Hash,
    pub(super) digest: Vec<u8>,
    /// Proven by the opening alone, whatever the text is.
    pub(super) causes: Vec<Cause>,
}

impl RsaSeal {
    /// Opens a signature with the first key that fits; `None` when none does.
    pub(super) fn find(
        signature: &[u8],
        sign_type: Option<SignType>,
        ring: &KeyRing<'_>,
    ) -> Option<Self> {
        let own = ring.rsa.iter().map(|key| (key.clone(), None));
        let others = ring.others.iter().filter_map(|other| match &other.key {
            Key::Rsa(key) => Some((key.clone(), Some(other.owner.cause(&other.name)))),
            Key::Md5(_) => None,
        });
        let given = ring.rsa_key_text.and_then(public_half).map(|key| {
            let detail = "the signature fits the key that was given, and not a registered one";
            (key, Some(Cause::new(Mistake::KeyNotInForce, detail)))
        });
        own.chain(others).chain(given).find_map(|(key, cause)| {
            let (hash, digest, bare) = open(&key, signature)?;
            let mut seal = Self {
                hash,
                digest,
                causes: cause.into_iter().collect(),
            };
            seal.compare(sign_type, bare);
            Some(seal)
        })
    }

    fn compare(&mut self, sign_type: Option<SignType>, bare: bool) {
        if bare {
            let detail = format!("a bare digest of {} bytes is inside", self.digest.len());
            self.causes.push(Cause::new(Mistake::RawDigest, detail));
        }
        let name = self.hash.name();
        match sign_type {
            Some(SignType::Md5) => {
                let detail = format!("sign_type says MD5, the signature is {name}withRSA");
                self.causes
                    .push(Cause::new(Mistake::SignTypeDiffers, detail));
            }
            Some(sign_type) if Hash::of(sign_type) != self.hash => {
                let wanted = Hash::of(sign_type).name();
                let detail =
                    format!("sign_type {sign_type} wants {wanted}, the signature holds {name}");
                self.causes.push(Cause::new(Mistake::HashDiffers, detail));
            }
            Some(_) | None => {}
        }
    }
}

/// The hash and digest in a signature, and whether the name of the hash is missing.
fn open(key: &PublicKey, signature: &[u8]) -> Option<(Hash, Vec<u8>, bool)> {
    let block = key.open(signature)?;
    let rest = block.strip_prefix(&[0, 1])?;
    let filled = rest.iter().take_while(|&&byte| byte == 0xFF).count();
    let payload = rest.get(filled..)?.strip_prefix(&[0])?;
    if filled < 8 {
        return None;
    }
    let named = Hash::PREFIXES.iter().find_map(|(hash, prefix)| {
        let digest = payload.strip_prefix(*prefix)?;
        let whole = prefix
            .last()
            .is_some_and(|&length| usize::from(length) == digest.len());
        whole.then(|| (*hash, digest.to_vec(), false))
    });
    named.or_else(|| {
        let hash = match payload.len() {
            16 => Hash::Md5,
            20 => Hash::Sha1,
            32 => Hash::Sha256,
            _ => return None,
        };
        Some((hash, payload.to_vec(), true))
    })
}

/// The public key in a text that holds either half.
pub(super) fn public_half(text: &str) -> Option<PublicKey> {
    let private = text
        .parse::<PrivateKey>()
        .map(|key| key.public_key().clone());
    private.or_else(|_| text.parse()).ok()
}

/// An MD5 with the ways in which keys are hashed.
pub(super) struct Md5Seal {
    digest: [u8; 16],
    uses: Vec<KeyUse>,
    causes: Vec<Cause>,
}

/// What is hashed around the text.
struct KeyUse {
    before: Zeroizing<Vec<u8>>,
    after: Zeroizing<Vec<u8>>,
    cause: Option<Cause>,
    /// Tried only with texts that have at most one mistake.
    rare: bool,
}

impl KeyUse {
    fn after(bytes: &[&[u8]], cause: Option<Cause>, rare: bool) -> Self {
        Self {
            before: Zeroizing::new(Vec::new()),
            after: Zeroizing::new(bytes.concat()),
            cause,
            rare,
        }
    }
}

impl Md5Seal {
    pub(super) fn new(digest: [u8; 16], sign_type: Option<SignType>, ring: &KeyRing<'_>) -> Self {
        let mut uses = Vec::new();
        for key in ring.md5 {
            uses.push(KeyUse::after(&[key.expose().as_bytes()], None, false));
        }
        for other in ring.others {
            if let Key::Md5(key) = &other.key {
                let cause = other.owner.cause(&other.name);
                uses.push(KeyUse::after(
                    &[key.expose().as_bytes()],
                    Some(cause),
                    false,
                ));
            }
        }
        if let Some(text) = ring.md5_key_text {
            uses.extend(configured(text, ring));
        }
        for key in ring.md5 {
            uses.extend(misused(key.expose()));
        }
        let detail = "no key was hashed";
        let none = Cause::new(Mistake::KeyMissing, detail);
        uses.push(KeyUse::after(&[], Some(none), true));
        let differs = sign_type.filter(|sign_type| *sign_type != SignType::Md5);
        let causes = differs.map(|sign_type| {
            let detail = format!("sign_type says {sign_type}, the signature is an MD5");
            Cause::new(Mistake::SignTypeDiffers, detail)
        });
        Self {
            digest,
            uses,
            causes: causes.into_iter().collect(),
        }
    }

    fn opens(&self, text: &[u8], thorough: bool) -> Option<Vec<Cause>> {
        let hashed = Md5::new().chain_update(text);
        let found = self.uses.iter().find(|way| {
            if way.rare && !thorough {
                return false;
            }
            let state = if way.before.is_empty() {
                hashed.clone()
            } else {
                Md5::new()
                    .chain_update(way.before.as_slice())
                    .chain_update(text)
            };
            state
                .chain_update(way.after.as_slice())
                .finalize()
                .as_slice()
                == self.digest
        })?;
        Some(self.causes.iter().chain(&found.cause).cloned().collect())
    }
}

/// The key as it stands in the caller's settings, and trimmed.
fn configured(text: &str, ring: &KeyRing<'_>) -> Vec<KeyUse> {
    let known = |text: &str| ring.md5.iter().any(|key| key.expose() == text);
    let trimmed = text.trim();
    let mut uses = Vec::new();
    if !known(text) {
        let cause = if known(trimmed) {
            Cause::new(Mistake::KeyBlank, blanks_of(text))
        } else {
            let detail = "the configured key is not a key of this partner";
            Cause::new(Mistake::KeyNotInForce, detail)
        };
        uses.push(KeyUse::after(&[text.as_bytes()], Some(cause), false));
    }
    if !known(trimmed) {
        let detail = "the configured key is not a key of this partner";
        let cause = Cause::new(Mistake::KeyNotInForce, detail);
        uses.push(KeyUse::after(&[trimmed.as_bytes()], Some(cause), false));
    }
    uses
}

/// Where a configured key has blanks.
pub(super) fn blanks_of(text: &str) -> String {
    let lead = text.len() - text.trim_start().len();
    let tail = text.trim_end().len();
    let show = |part: Option<&str>| part.unwrap_or_default().escape_default().to_string();
    let (before, after) = (show(text.get(..lead)), show(text.get(tail..)));
    format!("the configured key has \"{before}\" before it and \"{after}\" behind it")
}

/// What was seen to be hashed instead of the key.
fn misused(key: &str) -> Vec<KeyUse> {
    let mut uses = Vec::new();
    let blanks = [
        ("\n", "\\n"),
        (" ", "a blank"),
        ("\r\n", "\\r\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
        ("\0", "\\0"),
    ];
    for (blank, name) in blanks {
        let cause = Cause::new(
            Mistake::KeyBlank,
            format!("the key was hashed with {name} behind it"),
        );
        uses.push(KeyUse::after(
            &[key.as_bytes(), blank.as_bytes()],
            Some(cause),
            true,
        ));
    }
    for (blank, name) in [
        (" ", "a blank"),
        ("\u{FEFF}", "a byte order mark"),
        ("\n", "\\n"),
    ] {
        let cause = Cause::new(
            Mistake::KeyBlank,
            format!("the key was hashed with {name} before it"),
        );
        uses.push(KeyUse::after(
            &[blank.as_bytes(), key.as_bytes()],
            Some(cause),
            true,
        ));
    }
    for separator in ["&key=", "&", "key=", "&sign_key=", "&KEY=", "="] {
        let cause = Cause::new(
            Mistake::KeySeparator,
            format!("`{separator}` was hashed before the key"),
        );
        uses.push(KeyUse::after(
            &[separator.as_bytes(), key.as_bytes()],
            Some(cause),
            true,
        ));
    }
    for (other, name) in [(key.to_uppercase(), "upper"), (key.to_lowercase(), "lower")] {
        if other != key {
            let cause = Cause::new(
                Mistake::KeyCase,
                format!("the key was hashed in {name} case"),
            );
            uses.push(KeyUse::after(&[other.as_bytes()], Some(cause), true));
        }
    }
    for (between, detail) in [
        ("", "the key was hashed before the text"),
        ("&", "the key and `&` were hashed before the text"),
    ] {
        uses.push(KeyUse {
            before: Zeroizing::new([key, between].concat().into_bytes()),
            ..KeyUse::after(&[], Some(Cause::new(Mistake::KeyFirst, detail)), true)
        });
    }
    uses
}

impl Owner {
    /// What it means that a signature fits a key of this owner.
    pub(super) fn cause(self, name: &str) -> Cause {
        let mistake = match self {
            Self::OtherSide => Mistake::KeyOfOtherSide,
            Self::OtherPartner => Mistake::KeyOfOtherPartner,
            Self::NotInForce => Mistake::KeyNotInForce,
        };
        Cause::new(mistake, format!("the signature fits the key of {name}"))
    }
}
