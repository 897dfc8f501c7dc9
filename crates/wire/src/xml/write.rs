//! The writer: one pass over the request's own bytes and the answer's fields.

use std::borrow::Cow;

use crate::canonical::canonical_pairs;
use crate::charset::Charset;
use crate::code::WireCode;
use crate::form::{Form, is_carriable};
use crate::signature::Signer;

/// The children of `<response><alipay>`: ascending by name, none empty, without leading, trailing
/// or doubled blanks, because some verifiers hash them in document order and one parser
/// normalises white space first (`spec/12`, answer 4).
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Fields<'a>(Vec<(&'static str, Cow<'a, str>)>);

impl<'a> Fields<'a> {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::with_capacity(16))
    }

    /// Adds a field, in ascending order; an empty one is left out.
    pub fn put(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        let value = normalised(value.into());
        if value.is_empty() {
            return;
        }
        match self.0.iter().rposition(|(before, _)| *before <= name) {
            // A caller that keeps the order, as all do, only ever appends.
            _ if self.0.last().is_none_or(|(last, _)| *last < name) => self.0.push((name, value)),
            Some(before) => self.0.insert(before + 1, (name, value)),
            None => self.0.insert(0, (name, value)),
        }
    }

    /// Adds a field when there is one.
    pub fn put_some(&mut self, name: &'static str, value: Option<impl Into<Cow<'a, str>>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_ref()))
    }
}

/// An answer with `is_success=T`: the request as it was received, the fields, and the signature
/// over them, in the charset of the request.
pub fn accepted(form: &Form, fields: &Fields<'_>, signer: &Signer) -> Vec<u8> {
    let charset = form.answer_charset();
    let mut text = Vec::with_capacity(512);
    canonical_pairs(charset, fields.iter(), &mut text);
    let sign = signer.sign(&text);

    let mut out = Vec::with_capacity(1_024 + form.size() * 2 + text.len() * 2);
    declaration(charset, &mut out);
    out.extend_from_slice(b"<alipay><is_success>T</is_success><request>");
    for (name, value) in form.echo() {
        out.extend_from_slice(b"<param name=\"");
        escape_into(name, &mut out);
        out.extend_from_slice(b"\">");
        escape_into(value, &mut out);
        out.extend_from_slice(b"</param>");
    }
    out.extend_from_slice(b"</request><response><alipay>");
    for (name, value) in fields.iter() {
        element(charset, name, value, &mut out);
    }
    out.extend_from_slice(b"</alipay></response>");
    element(charset, "sign", &sign, &mut out);
    element(charset, "sign_type", signer.sign_type().as_str(), &mut out);
    out.extend_from_slice(b"</alipay>");
    out
}

/// An answer with `is_success=F`: a code, unsigned (`spec/12`, answer 7).
pub fn rejected(charset: Charset, code: WireCode) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    declaration(charset, &mut out);
    out.extend_from_slice(b"<alipay><is_success>F</is_success>");
    element(charset, "error", code.code, &mut out);
    out.extend_from_slice(b"</alipay>");
    out
}

fn declaration(charset: Charset, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"");
    out.extend_from_slice(charset.label().as_bytes());
    out.extend_from_slice(b"\"?>");
}

fn element(charset: Charset, name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
    if charset == Charset::Utf8 || value.is_ascii() {
        escape_into(value.as_bytes(), out);
    } else {
        let mut escaped = Vec::with_capacity(value.len() + 16);
        escape_into(value.as_bytes(), &mut escaped);
        charset.encode_xml_into(&String::from_utf8_lossy(&escaped), out);
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// Appends bytes with what XML reads otherwise escaped, for text and for attributes alike.
///
/// This works on the bytes of each of our charsets: in GBK none of these is ever the second byte
/// of a character.
fn escape_into(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| reference(byte).is_some()) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&first, after)) = special.split_first() else {
            break;
        };
        out.extend_from_slice(reference(first).unwrap_or_default());
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// A carriage return, and white space in attributes, would be read back as something else.
const fn reference(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'"' => Some(b"&quot;"),
        b'\'' => Some(b"&apos;"),
        b'\r' => Some(b"&#13;"),
        b'\n' => Some(b"&#10;"),
        b'\t' => Some(b"&#9;"),
        _ => None,
    }
}

/// The value as every parser reads it: blanks once and inside only, nothing that XML cannot carry.
fn normalised(value: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    let blanks = bytes.first() == Some(&b' ')
        || bytes.last() == Some(&b' ')
        || bytes.windows(2).any(|pair| pair == b"  ");
    let odd = blanks || bytes.iter().any(|&byte| byte < b' ' || byte == 0xEF);
    if !odd {
        return value;
    }
    let carried: String = value
        .chars()
        .filter(|&letter| is_carriable(letter))
        .collect();
    let words = carried
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
