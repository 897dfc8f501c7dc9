//! Why a signature does not verify: the classic mistakes, repeated until one explains it.
//!
//! A guess counts as proven only when the signature verifies with the mistake made again, so what
//! is named is what happened. MD5 costs a hash for each guess; an RSA signature is opened once with
//! the public key, which gives the digest that it holds, and then costs a hash for each guess too.
//! The work is bounded by [`TEXTS_MAX`] and [`HASHED_BYTES_MAX`].
//!
//! ```
//! use spotpay_wire::autopsy::{Evidence, KeyRing, Mistake, Verdict, examine};
//! use spotpay_wire::signature::{Md5Key, Signer};
//!
//! let key: Md5Key = "0123456789abcdefghijklmnopqrstuv".parse()?;
//! // The client left `sign_type` in the text that it signed.
//! let sign = Signer::Md5(key.clone()).sign(b"partner=2088000000000001&service=s&sign_type=MD5");
//! let body = format!("partner=2088000000000001&service=s&sign={sign}&sign_type=MD5");
//! let keys = KeyRing { md5: &[key], ..KeyRing::default() };
//! let autopsy = examine(&Evidence::request(b"", body.as_bytes()), &keys);
//! let Verdict::Mistake(findings) = &autopsy.verdict else { panic!() };
//! assert_eq!(findings[0].mistake, Mistake::SignTypeSigned);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod change;
mod draft;
mod entity;
mod json_forms;
mod mistake;
mod report;
mod seal;

use std::collections::BTreeSet;
use std::fmt;

pub use mistake::{Certainty, Mistake};

use self::change::{Axis, Change};
use self::draft::Draft;
use self::mistake::Cause;
use self::seal::{Content, Md5Seal, Reading, RsaSeal, Seal};
use crate::canonical::{self, Spelling};
use crate::charset::Charset;
use crate::form::{CharsetRefusal, FORM_BYTES_MAX, Form, INPUT_CHARSET};
use crate::keys::{KeyError, PrivateKey, PublicKey};
use crate::signature::{Md5Key, SignType, Verifier};

/// Different texts that are compared with one signature.
pub const TEXTS_MAX: usize = 2_000;
/// Bytes of all these texts together.
pub const HASHED_BYTES_MAX: usize = 4_194_304;
/// Guesses that are made, whether or not they give a new text.
const GUESSES_MAX: usize = 8_000;
/// Parameters up to which mistakes of the text are tried; the gateway takes half as many.
const PIECES_MAX: usize = 128;
/// Findings of one autopsy.
pub const FINDINGS_MAX: usize = 3;

/// What arrived.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    query: &'a [u8],
    body: &'a [u8],
    /// That of a notification; a request names its own.
    charset: Option<Charset>,
}

impl<'a> Evidence<'a> {
    /// A request: what follows the `?` of the URL, and the body, both undecoded.
    pub const fn request(query: &'a [u8], body: &'a [u8]) -> Self {
        Self {
            query,
            body,
            charset: None,
        }
    }

    /// A notification, or another form whose charset is known: its undecoded body.
    pub const fn notification(charset: Charset, body: &'a [u8]) -> Self {
        Self {
            query: b"",
            body,
            charset: Some(charset),
        }
    }

    fn form(&self) -> Form {
        match self.charset {
            Some(charset) => Form::read_as(charset, self.body),
            None => Form::read(self.query, self.body),
        }
    }
}

/// Sizes only: the bytes may hold payment codes.
impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("query_bytes", &self.query.len())
            .field("body_bytes", &self.body.len())
            .field("charset", &self.charset)
            .finish()
    }
}

/// Whose a key is that should not have been used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    /// The side that did not sign: the gateway for a request, the merchant for a notification.
    OtherSide,
    /// Somebody else, or the same partner in another environment.
    OtherPartner,
    /// The signing side, but the key was replaced or never registered.
    NotInForce,
}

/// A key of either kind.
#[derive(Clone, Debug)]
pub enum Key {
    /// A shared secret.
    Md5(Md5Key),
    /// Of RSA and RSA2.
    Rsa(PublicKey),
}

/// A known key that is not the right one.
#[derive(Clone, Debug)]
pub struct OtherKey {
    /// Whose it is, for the finding: "dim-sum (2088...)".
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// The key.
    pub key: Key,
}

/// The keys that may explain a signature.
#[derive(Clone, Copy, Default)]
pub struct KeyRing<'a> {
    /// The MD5 keys in force of the side that signed.
    pub md5: &'a [Md5Key],
    /// Its public keys in force.
    pub rsa: &'a [PublicKey],
    /// Other known keys.
    pub others: &'a [OtherKey],
    /// The MD5 key as it stands in the caller's settings, with whatever surrounds it.
    pub md5_key_text: Option<&'a str>,
    /// The RSA key of the caller's settings, PEM or Base64, either half.
    pub rsa_key_text: Option<&'a str>,
}

/// Without key texts, which are secrets.
impl fmt::Debug for KeyRing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("md5", &self.md5.len())
            .field("rsa", &self.rsa)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

impl KeyRing<'_> {
    /// What the receiver verifies a signature of this type with.
    fn verifiers(&self, sign_type: SignType) -> Vec<Verifier> {
        match sign_type {
            SignType::Md5 => self.md5.iter().cloned().map(Verifier::Md5).collect(),
            SignType::Rsa => self.rsa.iter().cloned().map(Verifier::Rsa).collect(),
            SignType::Rsa2 => self.rsa.iter().cloned().map(Verifier::Rsa2).collect(),
        }
    }

    /// Every secret that a report must not show.
    fn secrets(&self) -> Vec<&str> {
        let own = self.md5.iter().map(Md5Key::expose);
        let others = self.others.iter().filter_map(|other| match &other.key {
            Key::Md5(key) => Some(key.expose()),
            Key::Rsa(_) => None,
        });
        let given = self.md5_key_text.map(str::trim);
        let secrets = own.chain(others).chain(given);
        secrets.filter(|secret| secret.len() >= 4).collect()
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub mistake: Mistake,
    /// How sure that is.
    pub certainty: Certainty,
    /// The parameters, bytes or key that it is about.
    pub detail: String,
    /// The bytes that were signed, where they are known and not those that should have been.
    pub theirs: Option<Vec<u8>>,
    /// Where `theirs` first differs.
    pub first_difference: Option<usize>,
}

/// Without `theirs`, which may hold a payment code.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Finding({}, {}, {:?})",
            self.mistake, self.certainty, self.detail
        )
    }
}

/// What came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The signature is right.
    Verifies(Spelling),
    /// It is wrong, and this is why; at least one finding, the most certain ones first.
    Mistake(Vec<Finding>),
    /// It is wrong, and nothing that is known explains it.
    Unexplained,
}

/// The result of [`examine`].
#[derive(Clone)]
pub struct Autopsy {
    /// The bytes that are signed by the rule.
    pub signed: Vec<u8>,
    /// What the form says; `None` when that is none of the three.
    pub sign_type: Option<SignType>,
    /// What came out.
    pub verdict: Verdict,
    report: String,
}

impl Autopsy {
    /// The line for a list of requests: the first finding, and the names of others. `None` when the
    /// signature is right or unexplained.
    pub fn summary(&self) -> Option<String> {
        let Verdict::Mistake(findings) = &self.verdict else {
            return None;
        };
        let (first, others) = findings.split_first()?;
        let mut line = format!(
            "{} ({}; {})",
            first.mistake.sentence(),
            first.certainty,
            first.detail
        );
        for other in others {
            line.push_str(&format!(
                " Also: {} ({})",
                other.mistake.sentence(),
                other.certainty
            ));
        }
        Some(line)
    }

    /// All of it as text for a terminal. Keys are masked in it, also where the form holds one.
    pub fn report(&self) -> String {
        self.report.clone()
    }
}

/// Without the bytes, which may hold a payment code.
impl fmt::Debug for Autopsy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Autopsy")
            .field("signed_bytes", &self.signed.len())
            .field("sign_type", &self.sign_type)
            .field("verdict", &self.verdict)
            .finish()
    }
}

/// Finds out why a signature does not verify.
///
/// Takes some ten milliseconds when nothing is found, so it does not belong on a thread that answers
/// requests.
pub fn examine(evidence: &Evidence<'_>, keys: &KeyRing<'_>) -> Autopsy {
    let too_large = evidence.query.len() + evidence.body.len() > FORM_BYTES_MAX;
    let empty = Evidence {
        query: b"",
        body: b"",
        ..*evidence
    };
    let evidence = if too_large { &empty } else { evidence };
    let form = evidence.form();
    let mut signed = Vec::new();
    canonical::canonical(&form, &mut signed);
    let sign_type = given(&form, "sign_type").and_then(|text| text.parse().ok());
    let (verdict, note) = if too_large {
        (
            Verdict::Unexplained,
            Some("The form is too large to be read."),
        )
    } else {
        judge(evidence, &form, &signed, sign_type, keys)
    };
    let mut autopsy = Autopsy {
        signed,
        sign_type,
        verdict,
        report: String::new(),
    };
    autopsy.report = report::render(&autopsy, note, &keys.secrets());
    autopsy
}

type Judged = (Verdict, Option<&'static str>);

fn judge(
    evidence: &Evidence<'_>,
    form: &Form,
    signed: &[u8],
    sign_type: Option<SignType>,
    keys: &KeyRing<'_>,
) -> Judged {
    if let Some(spelling) = spelling(evidence, form, sign_type, keys) {
        let verdict = match charset_cause(form) {
            Some(cause) => proven(cause, signed),
            None => Verdict::Verifies(spelling),
        };
        return (verdict, None);
    }
    let Some(sign) = given(form, "sign") else {
        let cause = Cause::new(Mistake::SignMissing, "`sign` is missing or empty");
        return (proven(cause, signed), None);
    };
    let reading = seal::read_sign(sign.as_bytes());
    let (mut found, note) = explain(evidence, signed, reading, sign_type, keys);
    let mut certain = Vec::new();
    if sign_type.is_none() {
        let given = given(form, "sign_type").unwrap_or_default();
        let detail = format!("sign_type is `{}`", given.escape_debug());
        certain.push(Cause::new(Mistake::SignTypeIllegal, detail));
    }
    if form.get("sign").is_none()
        && found
            .iter()
            .all(|finding| finding.mistake != Mistake::EntityDamage)
    {
        certain.push(Cause::new(Mistake::EntityDamage, change::AMP_SENT));
    }
    found.splice(0..0, findings(certain, Certainty::Proven, None, signed));
    found.sort_by_key(|finding| finding.certainty);
    found.truncate(FINDINGS_MAX);
    let verdict = if found.is_empty() {
        Verdict::Unexplained
    } else {
        Verdict::Mistake(found)
    };
    (verdict, note)
}

/// The value of a parameter, also under the name that it has after `&amp;` was sent for `&`.
fn given<'f>(form: &'f Form, name: &str) -> Option<&'f str> {
    form.get(name).or_else(|| form.get(&format!("amp;{name}")))
}

fn proven(cause: Cause, signed: &[u8]) -> Verdict {
    Verdict::Mistake(findings(vec![cause], Certainty::Proven, None, signed))
}

/// Whether the receiver takes the signature, as the gateway and the SDK decide it.
fn spelling(
    evidence: &Evidence<'_>,
    form: &Form,
    sign_type: Option<SignType>,
    keys: &KeyRing<'_>,
) -> Option<Spelling> {
    let verifiers = keys.verifiers(sign_type?);
    let mut text = Vec::new();
    let found = verifiers
        .iter()
        .find_map(|verifier| canonical::verify(form, verifier, &mut text));
    // A notification's empty values are dropped, always.
    found.filter(|found| evidence.charset.is_none() || *found == Spelling::Usual)
}

/// A signature may be right over bytes that are no text in the charset that was named.
fn charset_cause(form: &Form) -> Option<Cause> {
    match form.charset() {
        Ok(_) | Err(CharsetRefusal::IllegalLabel(_)) => None,
        Err(CharsetRefusal::Undecodable(undecodable)) => {
            let charset = undecodable.0.label();
            Some(match form.get(INPUT_CHARSET) {
                Some(_) => Cause::new(
                    Mistake::CharsetDiffers,
                    format!(
                        "the bytes that were sent are not {charset}, which `_input_charset` names"
                    ),
                ),
                None => Cause::new(
                    Mistake::CharsetNotSent,
                    format!("so they count as {charset}, and the bytes are not {charset}"),
                ),
            })
        }
    }
}

fn explain(
    evidence: &Evidence<'_>,
    signed: &[u8],
    reading: Option<Reading>,
    sign_type: Option<SignType>,
    keys: &KeyRing<'_>,
) -> (Vec<Finding>, Option<&'static str>) {
    let Some(Reading {
        content,
        causes: spelling,
    }) = reading
    else {
        let expected = match sign_type {
            Some(SignType::Md5) => "sign is not 32 hex digits",
            Some(SignType::Rsa | SignType::Rsa2) => {
                "sign is not Base64, or too short for a signature"
            }
            None => "sign is neither an MD5 nor an RSA signature",
        };
        let causes = vec![Cause::new(Mistake::SignMalformed, expected)];
        return (findings(causes, Certainty::Likely, None, signed), None);
    };
    let seal = match &content {
        Content::Digest(digest) => Some(Seal::Md5(Md5Seal::new(*digest, sign_type, keys))),
        Content::Signature(bytes) => RsaSeal::find(bytes, sign_type, keys).map(Seal::Rsa),
    };
    let hit = seal
        .as_ref()
        .and_then(|seal| search(evidence, signed, seal));
    if let Some(Hit { text, causes }) = hit {
        let causes = spelling.into_iter().chain(causes).collect();
        return (
            findings(causes, Certainty::Proven, Some(text), signed),
            None,
        );
    }
    match seal {
        Some(Seal::Rsa(seal)) => {
            let digest = seal::to_hex(&seal.digest);
            let detail = format!(
                "the {} of the text that was signed is {digest}",
                seal.hash.name()
            );
            let differs = Cause::new(Mistake::TextDiffers, detail);
            let causes = spelling
                .into_iter()
                .chain(seal.causes)
                .chain([differs])
                .collect();
            (findings(causes, Certainty::Proven, None, signed), None)
        }
        Some(Seal::Md5(_)) | None => {
            let mut causes = spelling;
            causes.extend(shape(&content, sign_type, keys));
            let note = match content {
                Content::Signature(_) => Some(
                    "No known key opens the signature: it was made with another private key, or changed on the way.",
                ),
                Content::Digest(_) => None,
            };
            (findings(causes, Certainty::Likely, None, signed), note)
        }
    }
}

/// What shape alone tells of a signature that nothing explains.
fn shape(content: &Content, sign_type: Option<SignType>, keys: &KeyRing<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    match (content, sign_type) {
        (Content::Digest(_), Some(wanted @ (SignType::Rsa | SignType::Rsa2))) => {
            let detail = format!("sign_type says {wanted}, the signature has the size of an MD5");
            causes.push(Cause::new(Mistake::SignTypeDiffers, detail));
        }
        (Content::Signature(_), Some(SignType::Md5)) => {
            let detail = "sign_type says MD5, the signature has the size of RSA";
            causes.push(Cause::new(Mistake::SignTypeDiffers, detail));
        }
        (Content::Signature(bytes), Some(SignType::Rsa | SignType::Rsa2)) => {
            let fits = |key: &PublicKey| {
                usize::try_from(key.bits().div_ceil(8)).is_ok_and(|size| size == bytes.len())
            };
            if !keys.rsa.is_empty() && !keys.rsa.iter().any(fits) {
                let sizes: Vec<String> = keys
                    .rsa
                    .iter()
                    .map(|key| key.bits().div_ceil(8).to_string())
                    .collect();
                let detail = format!(
                    "the signature has {} bytes, the key makes {}",
                    bytes.len(),
                    sizes.join(" or ")
                );
                causes.push(Cause::new(Mistake::SignLength, detail));
            }
        }
        (Content::Digest(_), Some(SignType::Md5) | None) | (Content::Signature(_), None) => {}
    }
    causes.extend(match content {
        Content::Digest(_) => keys.md5_key_text.and_then(|text| md5_key_cause(text, keys)),
        Content::Signature(_) => keys.rsa_key_text.and_then(|text| rsa_key_cause(text, keys)),
    });
    causes
}

/// What is wrong with a configured MD5 key.
fn md5_key_cause(text: &str, keys: &KeyRing<'_>) -> Option<Cause> {
    let trimmed = text.trim();
    if keys.md5.iter().any(|key| key.expose() == trimmed) {
        return (trimmed != text).then(|| Cause::new(Mistake::KeyBlank, seal::blanks_of(text)));
    }
    if trimmed.parse::<Md5Key>().is_err() {
        let detail = format!(
            "the configured key has {} characters, and not 32",
            trimmed.chars().count()
        );
        return Some(Cause::new(Mistake::KeyFormat, detail));
    }
    let detail = "the configured key is not a key of this partner";
    (!keys.md5.is_empty()).then(|| Cause::new(Mistake::KeyNotInForce, detail))
}

/// What is wrong with a configured RSA key.
fn rsa_key_cause(text: &str, keys: &KeyRing<'_>) -> Option<Cause> {
    let private = text.parse::<PrivateKey>();
    let public = match &private {
        Ok(key) => Ok(key.public_key().clone()),
        Err(KeyError::IsPublic) => text.parse::<PublicKey>(),
        Err(error) => Err(*error),
    };
    let key = match public {
        Ok(key) => key,
        Err(error) => return Some(Cause::new(Mistake::KeyFormat, error.to_string())),
    };
    let other = keys.others.iter().find(|other| match &other.key {
        Key::Rsa(other) => *other == key,
        Key::Md5(_) => false,
    });
    if keys.rsa.contains(&key) {
        // The right key, and yet it opens nothing: only a label that misleads libraries is left.
        let detail = "the label says PRIVATE KEY (PKCS#8), the content is PKCS#1, or the reverse";
        return (private.is_ok() && mislabelled(text))
            .then(|| Cause::new(Mistake::KeyFormat, detail));
    }
    match other {
        Some(other) => {
            let mut cause = other.owner.cause(&other.name);
            cause.detail = format!("the configured key is that of {}", other.name);
            Some(cause)
        }
        None => (!keys.rsa.is_empty()).then(|| {
            let detail = "the configured key is not the registered one, or its other half";
            Cause::new(Mistake::KeyNotInForce, detail)
        }),
    }
}

/// Whether the armour of a private key names another wrapping than it holds. PKCS#8 has the name of
/// its algorithm behind the version, PKCS#1 the modulus.
fn mislabelled(text: &str) -> bool {
    let mut parts = text.split("-----");
    let label = parts.nth(1).unwrap_or_default();
    let content: String = parts
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    // 30 82 xx xx 02 01 00, then 30 (a sequence) or 02 (a number): the 8th byte of the DER.
    let eighth = content.get(8..12).and_then(|symbols| {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(symbols)
            .ok()?;
        bytes.get(1).copied()
    });
    match label {
        "BEGIN PRIVATE KEY" => eighth == Some(2),
        "BEGIN RSA PRIVATE KEY" => eighth == Some(0x30),
        _ => false,
    }
}

/// The causes as findings of one certainty.
fn findings(
    causes: Vec<Cause>,
    certainty: Certainty,
    theirs: Option<Vec<u8>>,
    signed: &[u8],
) -> Vec<Finding> {
    let theirs = theirs.filter(|theirs| theirs != signed);
    let first_difference = theirs.as_deref().map(|theirs| {
        let same = theirs
            .iter()
            .zip(signed)
            .take_while(|(one, other)| one == other);
        same.count()
    });
    causes
        .into_iter()
        .map(|Cause { mistake, detail }| Finding {
            mistake,
            certainty,
            detail,
            theirs: theirs.clone(),
            first_difference,
        })
        .collect()
}

/// A text that the signature belongs to.
struct Hit {
    text: Vec<u8>,
    causes: Vec<Cause>,
}

/// Texts compared so far.
struct Search<'s> {
    seal: &'s Seal,
    seen: BTreeSet<Vec<u8>>,
    bytes: usize,
    guesses: usize,
}

impl Search<'_> {
    fn is_spent(&self) -> bool {
        self.seen.len() >= TEXTS_MAX
            || self.bytes >= HASHED_BYTES_MAX
            || self.guesses >= GUESSES_MAX
    }

    fn try_draft(&mut self, draft: &Draft<'_>) -> Option<Hit> {
        if self.is_spent() {
            return None;
        }
        let text = draft.text();
        if self.seen.contains(&text) {
            return None;
        }
        self.bytes += text.len();
        let thorough = draft.causes.len() <= 1;
        let Some(causes) = self.seal.opens(&text, thorough) else {
            self.seen.insert(text);
            return None;
        };
        let causes = causes
            .into_iter()
            .chain(draft.causes.iter().cloned())
            .collect();
        Some(Hit { text, causes })
    }
}

/// Makes the mistakes again: none, each one, then two, the fewest first.
fn search(evidence: &Evidence<'_>, signed: &[u8], seal: &Seal) -> Option<Hit> {
    let mut search = Search {
        seal,
        seen: BTreeSet::new(),
        bytes: 0,
        guesses: 0,
    };
    let (of_query, of_body) = (draft::pieces(evidence.query), draft::pieces(evidence.body));
    if of_query.len() + of_body.len() > PIECES_MAX {
        let causes = seal.opens(signed, true)?;
        let text = signed.to_vec();
        return Some(Hit { text, causes });
    }
    let pairs = draft::read(&of_query, &of_body);
    let base = Draft::of(&pairs);
    debug_assert!(
        base.text() == signed,
        "the two roads to the signed text agree"
    );
    if let Some(hit) = search.try_draft(&base) {
        return Some(hit);
    }
    let repairs = change::repairs(evidence.query, evidence.body);
    let mended = |search: &mut Search<'_>, evident: bool| {
        let mut these = repairs
            .iter()
            .filter(|repaired| repaired.evident == evident);
        these.find_map(|repaired| {
            let draft = Draft::of(&repaired.pairs).because(repaired.mistake, &repaired.detail);
            search.try_draft(&draft)
        })
    };
    if let Some(hit) = mended(&mut search, true) {
        return Some(hit);
    }
    let changes = change::changes(&pairs);
    for change in &changes {
        let draft = change.apply(&base);
        let hit = draft.and_then(|draft| search.try_draft(&draft));
        if hit.is_some() {
            return hit;
        }
    }
    if let Some(hit) = mended(&mut search, false) {
        return Some(hit);
    }
    combine(&mut search, &base, &changes)
}

/// Two mistakes at once, and empties kept besides.
fn combine<'a>(search: &mut Search<'_>, base: &Draft<'a>, changes: &[Change<'a>]) -> Option<Hit> {
    let applied: Vec<(&Change<'a>, Draft<'a>)> = changes
        .iter()
        .filter(|change| change.combines)
        .filter_map(|change| Some((change, change.apply(base)?)))
        .collect();
    let empties = applied
        .iter()
        .find(|(change, _)| change.axis == Axis::Empties)
        .map(|(change, _)| *change);
    // Ascending by the later one, so that the plausible ones meet each other first.
    for with_empties in [None, empties] {
        for (later, (change, _)) in applied.iter().enumerate() {
            for (first, draft) in applied.iter().take(later) {
                if search.is_spent() {
                    return None;
                }
                if change.axis == first.axis && change.axis != Axis::Drop {
                    continue;
                }
                search.guesses += 1;
                let both = change.apply(draft);
                let both = match with_empties {
                    Some(empties) => both.and_then(|draft| empties.apply(&draft)),
                    None => both,
                };
                let hit = both.and_then(|draft| search.try_draft(&draft));
                if hit.is_some() {
                    return hit;
                }
            }
        }
    }
    None
}

#[cfg(test)]
#[path = "autopsy_tests.rs"]
mod tests;
