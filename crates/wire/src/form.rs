//! The parameters of a request, as they were received and as text.
//!
//! Reading never fails: what is wrong with a form is kept as a value, so that the gateway can
//! report it at its place in the order of `spec/13`, 17.

use std::fmt;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::charset::{Charset, Undecodable};

/// The name of the parameter that names the charset.
pub const INPUT_CHARSET: &str = "_input_charset";
/// Query and body together; a pay request with all its JSON is under 4,000.
pub const FORM_BYTES_MAX: usize = 65_536;
/// Parameters of one request, unless [`Form::read_within`] is told another bound; the longest service,
/// store registration, has 33.
pub const PARAMETERS_MAX: usize = 64;

/// Why the charset of a request is refused with `ILLEGAL_CHARSET`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CharsetRefusal {
    /// Not UTF-8, GBK or GB2312.
    #[error("_input_charset is {0:?}; UTF-8, GBK and GB2312 are known")]
    IllegalLabel(String),
    /// The bytes are not text in the charset that was named, or in GBK when none was.
    #[error(transparent)]
    Undecodable(Undecodable),
}

/// What is wrong with a form besides its charset; each is refused with `ILLEGAL_ARGUMENT`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// Longer than [`FORM_BYTES_MAX`]; nothing of it was read.
    #[error("the request has {bytes} bytes, more than {FORM_BYTES_MAX}")]
    TooLarge {
        /// Query and body together.
        bytes: usize,
    },
    /// More than the bound.
    #[error("the request has {count} parameters, more than {bound}")]
    TooMany {
        /// How many were given.
        count: usize,
        /// How many may be.
        bound: usize,
    },
    /// Given twice with different values (`spec/12`, wire 1); the first one counts.
    #[error("{name} is given twice with different values")]
    Doubled {
        /// The parameter.
        name: String,
    },
    /// A character that XML 1.0 or PostgreSQL text cannot carry.
    #[error("{name} has the character U+{:04X}, which XML cannot carry", u32::from(*.character))]
    Uncarriable {
        /// The parameter.
        name: String,
        /// The character.
        character: char,
    },
}

/// `name=value` inside a buffer.
#[derive(Clone, Copy)]
struct Field {
    start: usize,
    equals: usize,
    end: usize,
    /// Whether it is a name's only value, or the one of several that counts.
    counts: bool,
}

impl Field {
    const fn name(self) -> Range<usize> {
        self.start..self.equals
    }

    const fn value(self) -> Range<usize> {
        self.equals + 1..self.end
    }
}

/// The bytes of a form, percent-decoded, in its charset: `name=value&name=value`.
///
/// Each field is one run, so that the signed text is copied and not put together again.
#[derive(Clone, Default)]
struct Bytes {
    buffer: Vec<u8>,
    fields: Vec<Field>,
}

/// The same fields as text.
#[derive(Clone, Default)]
struct Text {
    buffer: String,
    fields: Vec<Field>,
}

/// A request's parameters: query and body merged, in the order received.
#[derive(Clone)]
pub struct Form {
    charset: Result<Charset, CharsetRefusal>,
    answer_charset: Charset,
    text: Text,
    /// The bytes, when they are not those of `text`.
    foreign: Option<Bytes>,
    /// Fields that count, ascending by the bytes of their names.
    sorted: Vec<usize>,
    faults: Vec<Fault>,
}

impl Form {
    /// Reads a request in each of its three shapes: all in the query, all in the body, or the
    /// charset in the query and the rest in the body (`spec/12`, wire 1).
    pub fn read(query: &[u8], body: &[u8]) -> Self {
        Self::read_within(query, body, PARAMETERS_MAX)
    }

    /// The same with another bound on parameters.
    pub fn read_within(query: &[u8], body: &[u8], parameters_max: usize) -> Self {
        let size = query.len() + body.len();
        if size > FORM_BYTES_MAX {
            let fault = Fault::TooLarge { bytes: size };
            return Self {
                faults: vec![fault],
                ..Self::new(Ok(Charset::Gbk), Charset::Gbk, Bytes::default())
            };
        }
        let mut bytes = Bytes::with_capacity(size);
        bytes.read(query);
        let of_query = bytes.fields.len();
        bytes.read(body);
        let (charset, answer_charset) = bytes.charsets(of_query);
        Self::new(charset, answer_charset, bytes).within(parameters_max)
    }

    /// Reads a body whose charset is known from elsewhere, as that of a notification.
    pub fn read_as(charset: Charset, body: &[u8]) -> Self {
        let mut bytes = Bytes::with_capacity(body.len());
        bytes.read(body);
        Self::new(Ok(charset), charset, bytes).within(PARAMETERS_MAX)
    }

    /// Parameters that were never encoded: for the client, notifications and tests.
    pub fn from_pairs<N, V>(charset: Charset, pairs: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut bytes = Bytes::with_capacity(1_024);
        for (name, value) in pairs {
            bytes.push(
                |out| charset.encode_into(name.as_ref(), out),
                |out| charset.encode_into(value.as_ref(), out),
            );
        }
        Self::new(Ok(charset), charset, bytes).within(PARAMETERS_MAX)
    }

    fn new(charset: Result<Charset, CharsetRefusal>, answer: Charset, bytes: Bytes) -> Self {
        let (text, foreign, undecodable) = bytes.into_text(answer);
        let charset = match undecodable {
            Some(undecodable) => charset.and(Err(CharsetRefusal::Undecodable(undecodable))),
            None => charset,
        };
        let mut form = Self {
            charset,
            answer_charset: answer,
            text,
            foreign,
            sorted: Vec::new(),
            faults: Vec::new(),
        };
        form.sort();
        form.find_uncarriable();
        form
    }

    /// Sorts by name and finds out which of several values of one name counts: the first that is
    /// not empty.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.text.fields.len()).collect();
        order.sort_unstable_by_key(|&index| (self.bytes_of(index).0, index));
        let mut sorted = Vec::with_capacity(order.len());
        let (mut faults, mut repeats): (Vec<Fault>, Vec<usize>) = Default::default();
        let same_name =
            |&one: &usize, &other: &usize| self.bytes_of(one).0 == self.bytes_of(other).0;
        for group in order.chunk_by(same_name) {
            let value = |index: &usize| self.bytes_of(*index).1;
            let with_value = group.iter().find(|index| !value(index).is_empty());
            let Some(counts) = with_value.or(group.first()) else {
                continue;
            };
            sorted.push(*counts);
            if group
                .iter()
                .any(|index| !value(index).is_empty() && value(index) != value(counts))
            {
                let name = self.text_of(*counts).0.to_owned();
                faults.push(Fault::Doubled { name });
            }
            repeats.extend(group.iter().filter(|index| *index != counts));
        }
        for index in repeats {
            if let Some(field) = self.text.fields.get_mut(index) {
                field.counts = false;
            }
        }
        (self.sorted, self.faults) = (sorted, faults);
    }

    /// Too many parameters come before every other fault.
    fn within(mut self, bound: usize) -> Self {
        let count = self.sorted.len();
        if count > bound {
            self.faults.insert(0, Fault::TooMany { count, bound });
        }
        self
    }

    fn find_uncarriable(&mut self) {
        // One pass over bytes that the compiler turns into vector code; the precise look is rare.
        let suspect = |byte: u8| byte < b' ' || byte == 0xEF;
        if !self.text.buffer.bytes().any(suspect) {
            return;
        }
        let found: Vec<Fault> = self
            .iter()
            .filter_map(|(name, value)| {
                let character = name
                    .chars()
                    .chain(value.chars())
                    .find(|&c| !is_carriable(c))?;
                let name = name.escape_debug().to_string();
                Some(Fault::Uncarriable { name, character })
            })
            .collect();
        self.faults.extend(found);
    }

    /// The charset, or why it is refused: that of the URL, else that of the body, else GBK
    /// (`spec/13`, 14).
    pub fn charset(&self) -> Result<Charset, &CharsetRefusal> {
        self.charset.as_ref().copied()
    }

    /// The charset that answers to this request are written in, whatever is wrong with it.
    pub const fn answer_charset(&self) -> Charset {
        self.answer_charset
    }

    /// All that is wrong besides the charset.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The fault that is reported.
    pub fn first_fault(&self) -> Option<&Fault> {
        self.faults.first()
    }

    /// The value of a parameter; an empty one counts as missing.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The value of a parameter, also when it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        let buffer = self.text.buffer.as_bytes();
        let named = |field: &&Field| {
            let size = field.equals - field.start;
            size == name.len() && field.counts && buffer.get(field.name()) == Some(name.as_bytes())
        };
        let field = self.text.fields.iter().find(named)?;
        self.text.buffer.get(field.value())
    }

    /// Parameters in the order received, each once, empty ones included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.counted().map(|index| self.text_of(index))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Parameters in the order received, as bytes in [`Form::answer_charset`].
    pub(crate) fn echo(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.counted().map(|index| self.bytes_of(index))
    }

    /// `(name, value, name=value)` as bytes in the charset, ascending by name.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
        self.sorted.iter().map(|&index| {
            let (name, value) = self.bytes_of(index);
            let (buffer, fields) = self.bytes();
            let run = fields
                .get(index)
                .and_then(|field| buffer.get(field.start..field.end));
            (name, value, run.unwrap_or_default())
        })
    }

    /// The size of all runs with the `&` between them.
    pub(crate) fn size(&self) -> usize {
        self.bytes().0.len()
    }

    fn counted(&self) -> impl Iterator<Item = usize> {
        let fields = self.text.fields.iter().enumerate();
        fields
            .filter(|(_, field)| field.counts)
            .map(|(index, _)| index)
    }

    fn bytes(&self) -> (&[u8], &[Field]) {
        match &self.foreign {
            Some(bytes) => (&bytes.buffer, &bytes.fields),
            None => (self.text.buffer.as_bytes(), &self.text.fields),
        }
    }

    fn bytes_of(&self, index: usize) -> (&[u8], &[u8]) {
        let (buffer, fields) = self.bytes();
        let part = |range| buffer.get(range).unwrap_or_default();
        let field = fields.get(index);
        field
            .map(|field| (part(field.name()), part(field.value())))
            .unwrap_or_default()
    }

    fn text_of(&self, index: usize) -> (&str, &str) {
        let part = |range| self.text.buffer.get(range).unwrap_or_default();
        let field = self.text.fields.get(index);
        field
            .map(|field| (part(field.name()), part(field.value())))
            .unwrap_or_default()
    }
}

/// Names only: values may be payment codes and signatures.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
        f.debug_struct("Form")
            .field("charset", &self.charset)
            .field("names", &names)
            .finish()
    }
}

impl Bytes {
    fn with_capacity(size: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(size + 16),
            fields: Vec::with_capacity(24),
        }
    }

    /// Appends the pairs of a query or a body.
    fn read(&mut self, encoded: &[u8]) {
        for pair in encoded
            .split(|&byte| byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let equals = pair
                .iter()
                .position(|&byte| byte == b'=')
                .unwrap_or(pair.len());
            let (name, value) = pair.split_at(equals);
            self.push(
                |out| percent_decode(name, out),
                |out| percent_decode(value.get(1..).unwrap_or_default(), out),
            );
        }
    }

    fn push(&mut self, name: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        // The ampersand keeps a character that was cut off at the end of one value from becoming
        // whole with the beginning of the next name.
        if !self.fields.is_empty() {
            self.buffer.push(b'&');
        }
        let start = self.buffer.len();
        name(&mut self.buffer);
        let equals = self.buffer.len();
        self.buffer.push(b'=');
        value(&mut self.buffer);
        self.fields.push(Field {
            start,
            equals,
            end: self.buffer.len(),
            counts: true,
        });
    }

    /// The charset of the request and that of its answer (`spec/13`, 14).
    fn charsets(&self, of_query: usize) -> (Result<Charset, CharsetRefusal>, Charset) {
        let label_in = |fields: &[Field]| {
            fields
                .iter()
                .filter(|field| self.buffer.get(field.name()) == Some(INPUT_CHARSET.as_bytes()))
                .filter_map(|field| self.buffer.get(field.value()))
                .find(|value| !value.is_empty())
                .map(String::from_utf8_lossy)
        };
        let (of_query, of_body) = self.fields.split_at(of_query);
        let (url, body) = (label_in(of_query), label_in(of_body));
        let legal = |label: Option<&str>| label.and_then(Charset::from_label);
        let answer = legal(url.as_deref()).or_else(|| legal(body.as_deref()));
        let charset = match url.or(body) {
            None => Ok(Charset::Gbk),
            Some(label) => Charset::from_label(&label)
                .ok_or_else(|| CharsetRefusal::IllegalLabel(label.into_owned())),
        };
        (charset, answer.unwrap_or(Charset::Gbk))
    }

    /// The text; the bytes too where they differ; and whether some could not be decoded.
    fn into_text(self, charset: Charset) -> (Text, Option<Self>, Option<Undecodable>) {
        let same = charset == Charset::Utf8 || self.buffer.is_ascii();
        let Self { buffer, fields } = self;
        let bytes = match (same, String::from_utf8(buffer)) {
            (true, Ok(buffer)) => return (Text { buffer, fields }, None, None),
            (false, Ok(buffer)) => Self {
                buffer: buffer.into_bytes(),
                fields,
            },
            (_, Err(error)) => Self {
                buffer: error.into_bytes(),
                fields,
            },
        };
        let mut text = Text::default();
        let mut undecodable = None;
        for field in &bytes.fields {
            let mut decode = |range| {
                let part = bytes.buffer.get(range).unwrap_or_default();
                charset.decode(part).unwrap_or_else(|error| {
                    undecodable = Some(error);
                    charset.decode_lossy(part)
                })
            };
            let (name, value) = (decode(field.name()), decode(field.value()));
            let start = text.buffer.len();
            text.buffer.push_str(&name);
            let equals = text.buffer.len();
            text.buffer.push('=');
            text.buffer.push_str(&value);
            text.fields.push(Field {
                start,
                equals,
                end: text.buffer.len(),
                counts: true,
            });
        }
        (text, Some(bytes), undecodable)
    }
}

/// Whether XML 1.0 and PostgreSQL text can carry a character.
pub(crate) const fn is_carriable(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{0}'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

/// Appends decoded bytes; `+` is a blank, and a `%` without two hex digits stands for itself.
pub(crate) fn percent_decode(encoded: &[u8], out: &mut Vec<u8>) {
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%' || byte == b'+') {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match special {
            [b'%', high, low, after @ ..]
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) =>
            {
                out.push(high << 4 | low);
                after
            }
            [b'+', after @ ..] => {
                out.push(b' ');
                after
            }
            [other, after @ ..] => {
                out.push(*other);
                after
            }
            [] => special,
        };
    }
    out.extend_from_slice(rest);
}

pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// What a form leaves as it is; a blank becomes `%20`, which every decoder reads.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*');

/// Appends `name=value`, percent-encoded, with a `&` before it unless it is the first.
pub fn encode_pair(charset: Charset, name: &str, value: &str, out: &mut String) {
    if !out.is_empty() {
        out.push('&');
    }
    out.extend(percent_encode(&charset.encode(name), KEPT));
    out.push('=');
    out.extend(percent_encode(&charset.encode(value), KEPT));
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
