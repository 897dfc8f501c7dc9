//! Reading: any layout, one row at a time.

use std::io::BufRead;

use spotpay_core::time::CivilDate;

use crate::refusal::cut;

use super::column::{Columns, Contents};
use super::error::{ColumnAt, FileError};
use super::lines::{Line, Lines};
use super::row::{self, Record};
use super::value::Times;

/// What a transaction file says of itself in its first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileHeader {
    /// Whose it is; samples have shorter numbers than real ones.
    pub partner: String,
    /// The business date of its rows.
    pub date: CivilDate,
    /// How many rows it has.
    pub count: u64,
}

/// Reads a file row by row and holds no more of it than a row.
///
/// It takes `\n` and `\r\n`, UTF-8 and GBK, blanks around fields, columns by their names in any case
/// and order or, without names, by their number. See [`super`] for an example.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    header: Option<(FileHeader, u64)>,
    columns: Columns,
    times: Times,
    /// The first record was read while looking for the names of the columns.
    first_is_read: bool,
    rows: u64,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads up to the first record, and knows the layout then.
    ///
    /// # Errors
    /// An empty file, or one of no known layout.
    pub fn new(source: R) -> Result<Self, FileError> {
        let mut lines = Lines::new(source);
        if !lines.advance()? {
            return Err(FileError::Empty);
        }
        lines.split('|');
        let header = read_header(lines.line())?;
        if let Some((header, line)) = &header
            && !lines.advance()?
        {
            return Err(match header.count {
                0 => FileError::Empty,
                _ => count_differs(header, *line, 0),
            });
        }
        let separator = Columns::separator(lines.line().text);
        lines.split(separator);
        let line = lines.line();
        let fields = line.fields();
        let named = Columns::named(separator, &fields);
        let first_is_read = named.is_none();
        let counted = || {
            Columns::counted(separator, fields.len()).ok_or_else(|| FileError::UnknownLayout {
                line: line.number,
                found: fields.len(),
                separator,
                value: cut(line.text),
            })
        };
        let columns = named.map_or_else(counted, Ok)?;
        if let Some(name) = columns.places.lacks(columns.contents) {
            let line = line.number;
            return Err(FileError::ColumnMissing { line, name });
        }
        Ok(Self {
            lines,
            header,
            columns,
            times: Times::default(),
            first_is_read,
            rows: 0,
            ended: false,
        })
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// A line that is no such row. After the last one [`FileError::Count`], once, when there were
    /// more or fewer than the file's first line says.
    pub fn read(&mut self) -> Result<Option<Record<'_>>, FileError> {
        if self.ended {
            return Ok(None);
        }
        if self.first_is_read {
            self.first_is_read = false;
        } else if self.lines.advance()? {
            self.lines.split(self.columns.separator);
        } else {
            self.ended = true;
            return self.check_count().map(|()| None);
        }
        self.rows += 1;
        row::read(self.lines.line(), &self.columns, &mut self.times).map(Some)
    }

    fn check_count(&self) -> Result<(), FileError> {
        match &self.header {
            Some((header, line)) if header.count != self.rows => {
                Err(count_differs(header, *line, self.rows))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What the file says of itself.
    pub fn header(&self) -> Option<&FileHeader> {
        self.header.as_ref().map(|(header, _)| header)
    }

    /// What its rows are.
    pub const fn contents(&self) -> Contents {
        self.columns.contents
    }

    /// Where the bytes come from.
    pub fn source(&self) -> &R {
        self.lines.source()
    }
}

const COUNT_COLUMN: (usize, &str) = (3, "Total_count");

fn count_differs(header: &FileHeader, line: u64, found: u64) -> FileError {
    FileError::Count {
        line,
        column: column_at(COUNT_COLUMN),
        stated: header.count,
        found,
    }
}

fn column_at((number, name): (usize, &str)) -> ColumnAt {
    ColumnAt {
        number,
        name: name.to_owned(),
    }
}

/// The first line of a transaction file: three pairs, or the three values without their names.
fn read_header(line: Line<'_>) -> Result<Option<(FileHeader, u64)>, FileError> {
    let fields = line.fields();
    let [partner, date, count] = fields.as_slice() else {
        return Ok(None);
    };
    let value = |field: &str| match field.split_once(':') {
        Some((_, value)) => value.trim().to_owned(),
        None => field.to_owned(),
    };
    let (partner_value, date_value, count_value) = (value(partner), value(date), value(count));
    let day = date_value.get(..10).and_then(CivilDate::parse_dashed);
    let begins = partner
        .get(..8)
        .is_some_and(|name| name.eq_ignore_ascii_case("partner:"));
    if !begins && day.is_none() {
        return Ok(None);
    }
    let wrong = |column, rule, value: &str| {
        Err(FileError::value(
            line.number,
            column_at(column),
            rule,
            value,
        ))
    };
    let Some(date) = day else {
        let rule = "a date such as 2026-11-23";
        return wrong((2, "Payment_time"), rule, &date_value);
    };
    let Ok(count) = count_value.parse() else {
        return wrong(COUNT_COLUMN, "the number of rows", &count_value);
    };
    let partner = partner_value;
    let header = FileHeader {
        partner,
        date,
        count,
    };
    Ok(Some((header, line.number)))
}
