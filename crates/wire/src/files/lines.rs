//! Bytes to lines, lines to fields.

use std::io::{BufRead, Read as _};
use std::ops::Range;

use crate::charset::Charset;

use super::error::FileError;

/// Bytes of a line; the longest row of the pages has under two thousand characters.
pub(super) const LINE_MAX: u64 = 65_536;
/// What stands in the text for a separator outside quotes, once the quotes are gone.
const UNIT: char = '\u{1f}';

/// The lines of a file, one at a time, as text.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    /// The line without its end.
    text: String,
    /// Its number, from one.
    number: u64,
    /// Where its fields stand, blanks around them left out.
    fields: Vec<Range<usize>>,
    /// What the first line with another character than ASCII was written in.
    charset: Option<Charset>,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(source: R) -> Self {
        Self {
            source,
            text: String::new(),
            number: 0,
            fields: Vec::new(),
            charset: None,
        }
    }

    /// Goes to the next line that is not blank; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, FileError> {
        loop {
            let mut bytes = std::mem::take(&mut self.text).into_bytes();
            bytes.clear();
            self.number += 1;
            let read = (&mut self.source)
                .take(LINE_MAX + 2)
                .read_until(b'\n', &mut bytes)
                .map_err(|source| FileError::Io {
                    line: self.number,
                    source,
                })?;
            if read == 0 {
                return Ok(false);
            }
            while bytes
                .last()
                .is_some_and(|last| matches!(last, b'\n' | b'\r'))
            {
                bytes.pop();
            }
            let max = usize::try_from(LINE_MAX).unwrap_or(usize::MAX);
            if bytes.len() > max {
                let line = self.number;
                return Err(FileError::LineTooLong { line, max });
            }
            if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
                bytes.drain(..3);
            }
            self.text = match String::from_utf8(bytes) {
                Ok(text) => {
                    if self.charset.is_none() && !text.is_ascii() {
                        self.charset = Some(Charset::Utf8);
                    }
                    self.reread(text)
                }
                Err(error) => self.decode(error.as_bytes()),
            };
            if !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// A line that is UTF-8 by chance in a file that is not.
    fn reread(&self, text: String) -> String {
        if self.charset == Some(Charset::Gbk) && !text.is_ascii() {
            Charset::Gbk.decode_lossy(text.as_bytes()).into_owned()
        } else {
            text
        }
    }

    /// A line that is not UTF-8. In a file that so far was UTF-8 it may be a name that was cut in
    /// the middle of a character, so that one line alone does not change the others.
    fn decode(&mut self, bytes: &[u8]) -> String {
        match Charset::Gbk.decode(bytes) {
            Ok(text) => {
                self.charset.get_or_insert(Charset::Gbk);
                text.into_owned()
            }
            Err(_) => {
                let charset = self.charset.unwrap_or(Charset::Utf8);
                charset.decode_lossy(bytes).into_owned()
            }
        }
    }

    /// Finds the fields of the line.
    pub(super) fn split(&mut self, separator: char) {
        self.fields.clear();
        let quoted = separator == ',' && self.text.contains('"');
        if quoted {
            self.text = unquote(&self.text, separator);
        }
        let separator = if quoted { UNIT } else { separator };
        let mut start = 0;
        for field in self.text.split(separator) {
            let end = start + field.len();
            let left = start + (field.len() - field.trim_start().len());
            self.fields
                .push(left..left.max(start + field.trim_end().len()));
            start = end + separator.len_utf8();
        }
    }

    pub(super) fn line(&self) -> Line<'_> {
        Line {
            number: self.number,
            text: &self.text,
            fields: &self.fields,
        }
    }

    pub(super) fn source(&self) -> &R {
        &self.source
    }
}

/// Quotes taken off, and what they kept together kept together.
fn unquote(text: &str, separator: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '"' {
            if inside && letters.next_if_eq(&'"').is_some() {
                out.push('"');
            } else {
                inside = !inside;
            }
        } else if letter == separator && !inside {
            out.push(UNIT);
        } else {
            out.push(letter);
        }
    }
    out
}

/// A line whose fields were found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) text: &'a str,
    fields: &'a [Range<usize>],
}

impl<'a> Line<'a> {
    /// How many fields.
    pub(super) const fn count(self) -> usize {
        self.fields.len()
    }

    /// The field of a place; empty where there is none.
    pub(super) fn field(self, place: usize) -> &'a str {
        let range = self.fields.get(place).cloned();
        range.and_then(|range| self.text.get(range)).unwrap_or("")
    }

    pub(super) fn fields(self) -> Vec<&'a str> {
        let all = self.fields.iter().cloned();
        all.filter_map(|range| self.text.get(range)).collect()
    }
}
