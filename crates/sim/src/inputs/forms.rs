//! Forms, and the text that is signed.

use spotpay_wire::canonical::{self, Spelling};
use spotpay_wire::charset::Charset;
use spotpay_wire::form::{FORM_BYTES_MAX, Fault, Form, PARAMETERS_MAX, encode_pair};
use spotpay_wire::signature::{Md5Key, Signer};

use super::{BYTES_MAX, charset_of, halves};

/// The query is the first line, the body the rest. Reading never fails and keeps its limits, a form
/// encoded again reads the same, and bytes that a charset takes come back as they were.
///
/// # Panics
/// When one of these is not so.
pub fn form(data: &[u8]) {
    if data.len() > BYTES_MAX {
        return;
    }
    let (query, body) = halves(data);
    let form = Form::read(query, body);
    if query.len() + body.len() > FORM_BYTES_MAX {
        assert!(form.is_empty(), "nothing of a form too large is read");
        assert!(matches!(form.first_fault(), Some(Fault::TooLarge { .. })));
        return;
    }
    assert_eq!(form.iter().count(), form.len(), "each parameter once");
    let too_many = matches!(form.first_fault(), Some(Fault::TooMany { .. }));
    assert_eq!(too_many, form.len() > PARAMETERS_MAX, "at most so many");
    for (name, value) in form.iter().filter(|(name, _)| name.is_ascii()) {
        assert_eq!(form.given(name), Some(value), "{name}");
    }
    reads_again(&form);
    for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
        decodes(charset, body);
    }
}

/// Names that the charset may lack could become one name, so only forms with plain ones are held to
/// it.
fn reads_again(form: &Form) {
    if form.charset().is_err() || !form.iter().all(|(name, _)| name.is_ascii()) {
        return;
    }
    let charset = form.answer_charset();
    let mut encoded = String::new();
    for (name, value) in form.iter() {
        encode_pair(charset, name, value, &mut encoded);
    }
    let again = Form::read_as(charset, encoded.as_bytes());
    let sent: Vec<(&str, String)> = form
        .iter()
        .map(|(name, value)| (name, carried(charset, value)))
        .collect();
    let read: Vec<(&str, String)> = again
        .iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    assert_eq!(read, sent, "a form encoded again is the same");
}

/// A text as the charset carries it: `?` for what it lacks.
fn carried(charset: Charset, text: &str) -> String {
    let bytes = charset.encode(text);
    match charset.decode(&bytes) {
        Ok(text) => text.into_owned(),
        Err(error) => panic!("{text:?} was encoded, and {error}"),
    }
}

fn decodes(charset: Charset, bytes: &[u8]) {
    let shown = charset.decode_lossy(bytes);
    let Ok(text) = charset.decode(bytes) else {
        return;
    };
    assert_eq!(text, shown, "what can be read is shown as it is read");
    let once = carried(charset, &text);
    assert_eq!(
        carried(charset, &once),
        once,
        "the second time nothing is lost"
    );
}

/// A form of the parameters in the bytes, signed: the order, the empty ones and what is never
/// signed are as `spec/01` has them, its signature verifies, and no other text does.
///
/// # Panics
/// When one of these is not so.
pub fn canonical(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    if rest.len() > FORM_BYTES_MAX {
        return;
    }
    let charset = charset_of(first);
    let given = Form::read_as(charset, rest);
    let mut pairs: Vec<(&str, &str)> = given
        .iter()
        .filter(|(name, _)| *name != "sign" && *name != "sign_type" && name.is_ascii())
        .collect();
    let form = Form::from_pairs(charset, pairs.iter().copied());
    let mut text = Vec::new();
    canonical::canonical(&form, &mut text);
    assert_eq!(text, expected(charset, &pairs), "the signed text");

    let Ok(key) = "0123456789abcdefghijklmnopqrstuv".parse::<Md5Key>() else {
        unreachable!("32 visible characters")
    };
    let signer = Signer::Md5(key);
    let verifier = signer.verifier();
    let sign = signer.sign(&text);
    let signed = |pairs: &[(&str, &str)]| {
        let unsigned = [("sign", sign.as_str()), ("sign_type", "MD5")];
        Form::from_pairs(charset, pairs.iter().copied().chain(unsigned))
    };
    let mut seen = Vec::new();
    let found = canonical::verify(&signed(&pairs), &verifier, &mut seen);
    assert_eq!(found, Some(Spelling::Usual));
    assert_eq!(seen, text, "what was verified is what is shown");
    pairs.reverse();
    let found = canonical::verify(&signed(&pairs), &verifier, &mut seen);
    assert_eq!(found, Some(Spelling::Usual), "the order does not matter");

    pairs.push(("zz", "more"));
    let changed = signed(&pairs);
    let mut other = Vec::new();
    canonical::canonical(&changed, &mut other);
    let found = canonical::verify(&changed, &verifier, &mut seen);
    assert_eq!(found.is_some(), other == text, "one parameter more");
    let place = usize::from(first) % text.len().max(1);
    if let Some(byte) = text.get_mut(place) {
        *byte ^= 1;
        assert!(!verifier.verify(&text, &sign), "one byte changed");
    }
}

/// The rule said once more, slowly.
fn expected(charset: Charset, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut kept: Vec<(Vec<u8>, Vec<u8>)> = pairs
        .iter()
        .map(|(name, value)| {
            let encode = |text| charset.encode(text).into_owned();
            (encode(name), encode(value))
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    kept.sort();
    let runs: Vec<Vec<u8>> = kept
        .into_iter()
        .map(|(name, value)| [name, value].join(&b'='))
        .collect();
    runs.join(&b'&')
}
