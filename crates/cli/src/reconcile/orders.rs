//! The merchant's own orders: a CSV file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use csv::ByteRecord;
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::reconcile::{Claim, Kind, Order};
use spotpay_wire::files;

use super::progress::Progress;
use super::spill::Spill;
use super::{Heading, unreadable};
use crate::output::Failure;

/// A column of the orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    Type,
    Id,
    Amount,
    Currency,
    Time,
    State,
}

impl Column {
    pub(super) const ALL: [Self; 6] = [
        Self::Type,
        Self::Id,
        Self::Amount,
        Self::Currency,
        Self::Time,
        Self::State,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Id => "id",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Time => "time",
            Self::State => "state",
        }
    }

    const fn is_optional(self) -> bool {
        match self {
            Self::Type | Self::Id | Self::Amount | Self::Currency => false,
            Self::Time | Self::State => true,
        }
    }
}

/// What the other side needs to know of the orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OrderFacts {
    /// Every order took place.
    AllDone,
    /// Some say that they did not, so it matters which payments were refunded.
    SomeNotDone,
}

/// How often people at a terminal hear of it.
const ROWS_PER_WORD: u64 = 1 << 16;

/// Reads the orders into their partitions.
pub(super) fn read(
    path: &Path,
    headings: &[Heading],
    spill: &mut Spill,
    progress: &mut Progress,
) -> Result<OrderFacts, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut source = BufReader::with_capacity(1 << 18, file);
    let start = source
        .fill_buf()
        .map_err(|error| unreadable(path, &error))?;
    let delimiter = delimiter(start);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(source);
    let mut table = Table::new(path, headings, &mut reader)?;
    let mut record = ByteRecord::new();
    let mut facts = OrderFacts::AllDone;
    let mut rows: u64 = 0;
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| not_csv(path, &error))?
    {
        table.line = record.position().map_or(0, csv::Position::line);
        let order = table.order(&record)?;
        if order.claim == Claim::NotDone {
            facts = OrderFacts::SomeNotDone;
        }
        // As the files write it.
        let id = &*files::plain(order.id);
        spill.order(&Order { id, ..order })?;
        rows += 1;
        if rows.is_multiple_of(ROWS_PER_WORD) {
            progress.read(&path.to_string_lossy(), reader.position().byte());
        }
    }
    progress.read_all(reader.position().byte());
    Ok(facts)
}

fn not_csv(path: &Path, error: &csv::Error) -> Failure {
    Failure::missing(format!("{} cannot be read: {error}", path.display()))
}

/// The most frequent of the separators in the first line; spreadsheets of many countries write
/// semicolons.
fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    let mut best = b',';
    for other in [b';', b'\t', b'|'] {
        if count(other) > count(best) {
            best = other;
        }
    }
    best
}

/// Where the columns stand, and where we are.
struct Table<'p> {
    path: &'p Path,
    names: Vec<String>,
    places: [Option<usize>; 6],
    line: u64,
}

impl<'p> Table<'p> {
    fn new<R: std::io::Read>(
        path: &'p Path,
        headings: &[Heading],
        reader: &mut csv::Reader<R>,
    ) -> Result<Self, Failure> {
        let record = reader
            .byte_headers()
            .map_err(|error| not_csv(path, &error))?;
        let name = |field: &[u8]| String::from_utf8_lossy(field).trim().to_owned();
        let names: Vec<String> = record.iter().map(name).collect();
        let mut places = [None; 6];
        for (place, column) in places.iter_mut().zip(Column::ALL) {
            let other = headings.iter().rev().find(|it| it.column == column);
            let wanted = other.map_or(column.as_str(), |heading| heading.name.as_str());
            *place = names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(wanted));
            // An optional column that was asked for by name must be there.
            if place.is_none() && (!column.is_optional() || other.is_some()) {
                return Err(Failure::missing(format!(
                    "{}: line 1 names no column {wanted:?}, only {}; say what the {} is called \
                    with --column {}=HEADING",
                    path.display(),
                    names.join(", "),
                    column.as_str(),
                    column.as_str(),
                )));
            }
        }
        Ok(Self {
            path,
            names,
            places,
            line: 1,
        })
    }

    /// One line for a value that its column does not take.
    fn wrong(&self, column: Column, rule: &str, value: &str) -> Failure {
        let place = self.place(column).unwrap_or(0);
        let name = self.names.get(place).map_or("", String::as_str);
        let value: String = value.chars().take(80).collect();
        Failure::missing(format!(
            "{}: line {}, column {} ({name}) is {value:?}; it must be {rule}",
            self.path.display(),
            self.line,
            place + 1,
        ))
    }

    fn place(&self, column: Column) -> Option<usize> {
        let mut all = Column::ALL.into_iter().zip(self.places);
        all.find_map(|(known, place)| place.filter(|_| known == column))
    }

    fn text<'r>(&self, column: Column, record: &'r ByteRecord) -> Result<&'r str, Failure> {
        let Some(bytes) = self.place(column).and_then(|place| record.get(place)) else {
            return Ok("");
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.trim()),
            Err(_) => Err(self.wrong(column, "UTF-8 text", &String::from_utf8_lossy(bytes))),
        }
    }

    fn order<'r>(&self, record: &'r ByteRecord) -> Result<Order<'r>, Failure> {
        if record.len() != self.names.len() {
            return Err(Failure::missing(format!(
                "{}: line {} has {} columns; line 1 has {}",
                self.path.display(),
                self.line,
                record.len(),
                self.names.len(),
            )));
        }
        let text = self.text(Column::Type, record)?;
        let kind = kind(text)
            .ok_or_else(|| self.wrong(Column::Type, "PAYMENT, REFUND or CANCEL", text))?;
        let id = self.text(Column::Id, record)?;
        if id.is_empty() {
            return Err(self.wrong(Column::Id, "an id", id));
        }
        let state = self.text(Column::State, record)?;
        let claim = claim(state).ok_or_else(|| {
            let rule = "empty or a state such as PAID, CLOSED or UNKNOWN (see --help)";
            self.wrong(Column::State, rule, state)
        })?;
        Ok(Order {
            kind,
            id,
            amount: self.amount(kind, record)?,
            claim,
            state,
            time: self.text(Column::Time, record)?,
            line: self.line,
        })
    }

    /// What goes back may be written below zero.
    fn amount(&self, kind: Kind, record: &ByteRecord) -> Result<Money, Failure> {
        let text = self.text(Column::Currency, record)?;
        let currency: Currency = text
            .parse()
            .or_else(|_| text.to_ascii_uppercase().parse())
            .map_err(|_| self.wrong(Column::Currency, "a currency such as HKD", text))?;
        let text = self.text(Column::Amount, record)?;
        let positive = match kind {
            Kind::Payment => text,
            Kind::Refund | Kind::Cancel => text.strip_prefix('-').unwrap_or(text),
        };
        files::money(positive, currency)
            .and_then(Amount::new)
            .map(Amount::money)
            .map_err(|_| {
                let rule = "a decimal number above zero with the decimals of its currency";
                self.wrong(Column::Amount, rule, text)
            })
    }
}

fn kind(text: &str) -> Option<Kind> {
    const KINDS: [(&str, Kind); 4] = [
        ("PAYMENT", Kind::Payment),
        ("REFUND", Kind::Refund),
        ("CANCEL", Kind::Cancel),
        ("REVERSAL", Kind::Cancel),
    ];
    KINDS
        .into_iter()
        .find_map(|(name, kind)| name.eq_ignore_ascii_case(text).then_some(kind))
}

/// What a state claims; `None` for a word that nobody here knows.
fn claim(text: &str) -> Option<Claim> {
    const DONE: [&str; 8] = [
        "PAID",
        "SUCCESS",
        "SUCCEEDED",
        "FINISHED",
        "REFUNDED",
        "DONE",
        "OK",
        "COMPLETED",
    ];
    const NOT_DONE: [&str; 16] = [
        "CLOSED",
        "CANCELLED",
        "CANCELED",
        "CANCEL",
        "REVERSED",
        "FAILED",
        "FAIL",
        "REFUSED",
        "UNKNOWN",
        "UNKNOW",
        "WAITING",
        "WAIT_BUYER_PAY",
        "PENDING",
        "PROCESSING",
        "EXPIRED",
        "NOT_EXIST",
    ];
    if text.is_empty() {
        return Some(Claim::Unstated);
    }
    let word = match text.get(..6) {
        Some(start) if start.eq_ignore_ascii_case("TRADE_") => text.get(6..).unwrap_or(text),
        Some(_) | None => text,
    };
    let is = |known: &str| known.eq_ignore_ascii_case(word);
    if DONE.iter().any(|known| is(known)) {
        Some(Claim::Done)
    } else if NOT_DONE.iter().any(|known| is(known)) {
        Some(Claim::NotDone)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        for (text, expected) in [
            ("", Some(Claim::Unstated)),
            ("PAID", Some(Claim::Done)),
            ("trade_success", Some(Claim::Done)),
            ("TRADE_CLOSED", Some(Claim::NotDone)),
            ("WAIT_BUYER_PAY", Some(Claim::NotDone)),
            ("unknown", Some(Claim::NotDone)),
            ("perhaps", None),
            ("TRADE_", None),
        ] {
            assert_eq!(claim(text), expected, "{text}");
        }
    }

    #[test]
    fn delimiters() {
        for (start, expected) in [
            ("type,id,amount\n;;;;", b','),
            ("type;id;amount", b';'),
            ("type\tid", b'\t'),
            ("", b','),
        ] {
            assert_eq!(delimiter(start.as_bytes()), expected, "{start}");
        }
    }
}
