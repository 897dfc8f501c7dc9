//! The reader: what an answer says, from any gateway of this kind.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::canonical::canonical_pairs;
use crate::charset::{Charset, Undecodable};
use crate::form::is_carriable;
use crate::refusal::cut;
use crate::signature::Verifier;

/// The longest answer that is read; a pay answer has 3,000 bytes.
pub const ANSWER_BYTES_MAX: usize = 1_048_576;
/// Echoed parameters, and fields, of one answer.
pub const FIELDS_MAX: usize = 256;

/// Why bytes are no answer. The outcome of the request is then unknown, not failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not XML by its Content-Type: a file, or an error page (`spec/01`).
    #[error("the answer is {0:?}, not XML")]
    NotXml(String),
    /// Longer than [`ANSWER_BYTES_MAX`], or more than [`FIELDS_MAX`] fields.
    #[error("the answer is too large")]
    TooLarge,
    /// A charset that no gateway of this kind writes.
    #[error("the answer is in the unknown charset {0:?}")]
    UnknownCharset(String),
    /// Not in the charset it declares.
    #[error(transparent)]
    Undecodable(#[from] Undecodable),
    /// Not well-formed.
    #[error("the answer is not well-formed XML")]
    Malformed(#[from] quick_xml::Error),
    /// A document type, which could define entities.
    #[error("the answer has a document type")]
    DocType,
    /// An entity that XML does not define.
    #[error("the answer has the entity {0:?}")]
    Entity(String),
    /// An element where text was expected.
    #[error("the element {0:?} has no place in an answer")]
    Nested(String),
    /// An element that says something twice.
    #[error("the element {0:?} comes twice")]
    Doubled(&'static str),
    /// The end came too early.
    #[error("the answer is cut off")]
    Truncated,
    /// Well-formed, but it neither accepts nor rejects.
    #[error("the answer says neither T nor F")]
    NoResult,
}

/// A field that an answer should have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FieldError {
    /// Not there.
    #[error("the answer has no {0}")]
    Missing(&'static str),
    /// Not what the field holds.
    #[error("the answer's {name} is {value:?}")]
    Malformed {
        /// The field.
        name: &'static str,
        /// What came, cut at 80 characters.
        value: String,
    },
}

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnswerDoc {
    /// `is_success=F`, which is never signed.
    Rejected {
        /// The code.
        error: String,
    },
    /// `is_success=T`.
    Accepted(Accepted),
}

/// The parts of an answer with `is_success=T`, values decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The charset that it came in and is signed in.
    pub charset: Charset,
    /// The parameters of the request, as the gateway received them.
    pub params: Vec<(String, String)>,
    /// The children of the first element under `<response>`, whatever that is called.
    pub fields: Vec<(String, String)>,
    /// The signature over the fields.
    pub sign: String,
    /// Its type.
    pub sign_type: String,
}

/// Without the echo, which may hold a payment code.
impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("charset", &self.charset)
            .field("fields", &self.fields)
            .field("sign_type", &self.sign_type)
            .finish_non_exhaustive()
    }
}

impl Accepted {
    /// A field; `None` when it is not there or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(given, _)| given == name);
        field
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    pub fn required(&self, name: &'static str) -> Result<&str, FieldError> {
        self.get(name).ok_or(FieldError::Missing(name))
    }

    /// A field of a type, when it is there.
    pub fn parsed<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, FieldError> {
        self.parsed_with(name, |value| value.parse().ok())
    }

    pub(crate) fn parsed_with<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, FieldError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let malformed = || FieldError::Malformed {
            name,
            value: cut(value),
        };
        parse(value).ok_or_else(malformed).map(Some)
    }

    /// The text that is signed: the fields, ascending by name, in the charset of the answer.
    pub fn signed_text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(512);
        let fields = self.fields.iter();
        let pairs = fields.map(|(name, value)| (name.as_str(), value.as_str()));
        canonical_pairs(self.charset, pairs, &mut text);
        text
    }

    /// Whether the gateway that holds this key signed the fields.
    pub fn verify(&self, verifier: &Verifier) -> bool {
        self.sign_type == verifier.sign_type().as_str()
            && verifier.verify(&self.signed_text(), &self.sign)
    }
}

/// Reads an answer. An empty Content-Type is taken for XML; where it and the declaration name
/// different charsets, the declaration wins.
pub fn read_answer(bytes: &[u8], content_type: &str) -> Result<AnswerDoc, ReadError> {
    if bytes.len() > ANSWER_BYTES_MAX {
        return Err(ReadError::TooLarge);
    }
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if !["", "text/xml", "application/xml"]
        .iter()
        .any(|xml| media.eq_ignore_ascii_case(xml))
    {
        return Err(ReadError::NotXml(cut(content_type)));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let charset = match declared(bytes).or_else(|| charset_parameter(content_type)) {
        None => Charset::Utf8,
        Some(label) => {
            Charset::from_label(label).ok_or_else(|| ReadError::UnknownCharset(cut(label)))?
        }
    };
    let text = charset.decode(bytes)?;
    Document::new(&text).answer(charset)
}

/// The `encoding` of the XML declaration.
fn declared(bytes: &[u8]) -> Option<&str> {
    let end = bytes.windows(2).take(200).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(bytes.get(..end)?)
        .ok()?
        .strip_prefix("<?xml")?;
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    value.strip_prefix(['"', '\''])?.split(['"', '\'']).next()
}

fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    })
}

struct Document<'a> {
    reader: Reader<&'a [u8]>,
}

impl<'a> Document<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader }
    }

    fn answer(&mut self, charset: Charset) -> Result<AnswerDoc, ReadError> {
        let (mut is_success, mut error, mut params, mut fields, mut sign, mut sign_type) =
            (None, None, None, None, None, None);
        self.open()?.ok_or(ReadError::Truncated)?;
        while let Some(start) = self.open()? {
            match start.name().into_inner() {
                "is_success" => once("is_success", &mut is_success, self.text()?)?,
                "error" => once("error", &mut error, self.text()?)?,
                "request" => once("request", &mut params, self.params()?)?,
                "response" => once("response", &mut fields, self.response()?)?,
                "sign" => once("sign", &mut sign, self.text()?)?,
                "sign_type" => once("sign_type", &mut sign_type, self.text()?)?,
                _ => self.skip()?,
            }
        }
        match is_success.as_deref().map(str::trim) {
            Some("T") => Ok(AnswerDoc::Accepted(Accepted {
                charset,
                params: params.unwrap_or_default(),
                fields: fields.unwrap_or_default(),
                sign: trimmed(sign.unwrap_or_default()),
                sign_type: trimmed(sign_type.unwrap_or_default()),
            })),
            Some("F") => Ok(AnswerDoc::Rejected {
                error: trimmed(error.unwrap_or_default()),
            }),
            Some(_) | None => Err(ReadError::NoResult),
        }
    }

    /// The echo of the request. Its values are shown as they are, not trimmed.
    fn params(&mut self) -> Result<Vec<(String, String)>, ReadError> {
        let mut params = Vec::new();
        while let Some(start) = self.open()? {
            let name = start
                .try_get_attribute("name")
                .map_err(quick_xml::Error::from)?
                .map(|attribute| attribute.normalized_value(XmlVersion::Explicit1_0))
                .transpose()?
                .map(Cow::into_owned);
            push(&mut params, name.unwrap_or_default(), self.text()?)?;
        }
        Ok(params)
    }

    /// The children of the first element; what stands beside it is passed over.
    fn response(&mut self) -> Result<Vec<(String, String)>, ReadError> {
        let mut fields = Vec::new();
        let mut first = true;
        while self.open()?.is_some() {
            if !std::mem::take(&mut first) {
                self.skip()?;
                continue;
            }
            while let Some(start) = self.open()? {
                let name = start.name().into_inner().to_owned();
                push(&mut fields, name, trimmed(self.text()?))?;
            }
        }
        Ok(fields)
    }

    /// The next child's opening, or `None` at the end of the parent; text in between is white
    /// space or nothing that concerns us.
    fn open(&mut self) -> Result<Option<BytesStart<'a>>, ReadError> {
        loop {
            match self.event()? {
                Event::Start(start) | Event::Empty(start) => return Ok(Some(start)),
                Event::End(_) => return Ok(None),
                Event::Eof => return Err(ReadError::Truncated),
                Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::Comment(_)
                | Event::PI(_)
                | Event::Decl(_)
                | Event::DocType(_) => {}
            }
        }
    }

    /// The text of an element that has been opened, to its end.
    fn text(&mut self) -> Result<String, ReadError> {
        let mut text = String::new();
        loop {
            match self.event()? {
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::CData(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => text.push_str(&resolve(&reference)?),
                Event::End(_) => return Ok(text),
                Event::Start(start) | Event::Empty(start) => {
                    return Err(ReadError::Nested(cut(start.name().into_inner())));
                }
                Event::Eof => return Err(ReadError::Truncated),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {}
            }
        }
    }

    /// Passes over an element that has been opened.
    fn skip(&mut self) -> Result<(), ReadError> {
        let mut depth = 0_usize;
        loop {
            match self.open()? {
                Some(_) => depth += 1,
                None if depth == 0 => return Ok(()),
                None => depth -= 1,
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, ReadError> {
        let event = self.reader.read_event()?;
        if matches!(event, Event::DocType(_)) {
            return Err(ReadError::DocType);
        }
        Ok(event)
    }
}

/// A predefined entity or a character; nothing else is known, so nothing can expand.
fn resolve(reference: &BytesRef<'_>) -> Result<String, ReadError> {
    let unknown = || ReadError::Entity(cut(reference));
    match reference.resolve_char_ref()? {
        Some(letter) if is_carriable(letter) => Ok(letter.to_string()),
        Some(_) => Err(unknown()),
        None => resolve_xml_entity(reference)
            .map(str::to_owned)
            .ok_or_else(unknown),
    }
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), ReadError> {
    if slot.replace(value).is_some() {
        Err(ReadError::Doubled(name))
    } else {
        Ok(())
    }
}

fn push(into: &mut Vec<(String, String)>, name: String, value: String) -> Result<(), ReadError> {
    if into.len() >= FIELDS_MAX {
        return Err(ReadError::TooLarge);
    }
    into.push((name, value));
    Ok(())
}

/// Trims as Java does, and as the reference client therefore does before it verifies.
fn trimmed(text: String) -> String {
    let inner = text.trim_matches(|letter: char| letter <= ' ');
    if inner.len() == text.len() {
        text
    } else {
        inner.to_owned()
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
