//! What is wrong with a file: the line, the column, the rule, the value.

use crate::refusal::cut;

/// A column of a file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("column {number} ({name})")]
pub struct ColumnAt {
    /// Which, counted from one.
    pub number: usize,
    /// What it is called, in the file or in the pages.
    pub name: String,
}

/// Why a file cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The bytes do not come.
    #[error("line {line} cannot be read: {source}")]
    Io {
        /// Where.
        line: u64,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the file is empty; a day without rows has no file")]
    Empty,
    /// A line that no row of such a file can be.
    #[error("line {line} is longer than {max} bytes")]
    LineTooLong {
        /// Where.
        line: u64,
        /// The most that is read.
        max: usize,
    },
    /// Neither names of columns nor a known number of them.
    #[error(
        "line {line} has {found} columns separated by {separator:?}: it must name them, or have \
        8, 15, 16, 17, 18, 20 or 21 columns with '|', 6 or 14 with ','; it begins {value:?}"
    )]
    UnknownLayout {
        /// Where.
        line: u64,
        /// How many columns.
        found: usize,
        /// What seems to separate them.
        separator: char,
        /// The line, cut at 80 characters.
        value: String,
    },
    /// The line of names does not name what every row needs.
    #[error("line {line} names no column {name}")]
    ColumnMissing {
        /// Where.
        line: u64,
        /// Which.
        name: &'static str,
    },
    /// A row with more or fewer columns than the file has.
    #[error("line {line} has {found} columns; it must have {expected}; it begins {value:?}")]
    Width {
        /// Where.
        line: u64,
        /// How many.
        found: usize,
        /// How many it must have.
        expected: usize,
        /// The line, cut at 80 characters.
        value: String,
    },
    /// A value that its column does not take.
    #[error("line {line}, {column} is {value:?}; it must be {rule}")]
    Value {
        /// Where.
        line: u64,
        /// In which column.
        column: ColumnAt,
        /// What it takes.
        rule: &'static str,
        /// What stands there, cut at 80 characters.
        value: String,
    },
    /// The file ends before the rows that its first line announces, or after them. All rows that
    /// it has were given out.
    #[error(
        "line {line}, {column} is \"{stated}\"; it must be the number of rows, and there are {found}"
    )]
    Count {
        /// Where it is announced.
        line: u64,
        /// In which column.
        column: ColumnAt,
        /// How many were announced.
        stated: u64,
        /// How many there were.
        found: u64,
    },
}

impl FileError {
    pub(super) fn width(line: u64, found: usize, expected: usize, text: &str) -> Self {
        Self::Width {
            line,
            found,
            expected,
            value: cut(text),
        }
    }

    pub(super) fn value(line: u64, column: ColumnAt, rule: &'static str, value: &str) -> Self {
        Self::Value {
            line,
            column,
            rule,
            value: cut(value),
        }
    }
}
