//! Partitions: orders and rows in a compact form, those of one id always in the same partition, in
//! memory while they are few and in a temporary file when they are many.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use spotpay_core::money::{Currency, Money};
use spotpay_core::reconcile::{Claim, Family, Kind, Order, Refunds, Row};
use spotpay_core::time::Timestamp;

use super::full;
use crate::output::Failure;

/// A number for a text, the same in every run.
pub(super) fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// A row with the gateway's number of its trade, as a fingerprint.
#[derive(Clone, Copy, Debug)]
pub(super) struct TradeRow<'a> {
    pub(super) row: Row<'a>,
    pub(super) trade: u64,
}

/// All partitions.
#[derive(Debug)]
pub(super) struct Spill {
    parts: Vec<Part>,
    /// So many bytes of one partition wait in memory.
    waiting_max: usize,
    temp: PathBuf,
}

#[derive(Default, Debug)]
struct Part {
    waiting: Vec<u8>,
    file: Option<File>,
}

impl Spill {
    pub(super) fn new(parts: usize, waiting_bytes: usize, temp: &Path) -> Self {
        let parts = parts.max(1);
        Self {
            parts: std::iter::repeat_with(Part::default).take(parts).collect(),
            waiting_max: waiting_bytes / parts,
            temp: temp.to_owned(),
        }
    }

    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    pub(super) fn order(&mut self, order: &Order<'_>) -> Result<(), Failure> {
        self.put(order.id, |out| encode_order(order, out))
            .map_err(|error| full(&self.temp, &error))
    }

    pub(super) fn row(&mut self, row: &TradeRow<'_>) -> Result<(), Failure> {
        self.put(row.row.id, |out| encode_row(row, out))
            .map_err(|error| full(&self.temp, &error))
    }

    /// All of a partition, which is empty afterwards.
    pub(super) fn take(&mut self, index: usize) -> Result<Vec<u8>, Failure> {
        self.bytes(index).map_err(|error| full(&self.temp, &error))
    }

    fn put(&mut self, id: &str, encode: impl FnOnce(&mut Vec<u8>)) -> std::io::Result<()> {
        let count = u64::try_from(self.parts.len()).unwrap_or(1);
        let index = usize::try_from(fingerprint(id) % count).unwrap_or(0);
        let Some(part) = self.parts.get_mut(index) else {
            return Ok(());
        };
        encode(&mut part.waiting);
        if part.waiting.len() < self.waiting_max {
            return Ok(());
        }
        // It has no name, so nothing is left of it however this process ends.
        let file = match part.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.temp)?,
        };
        part.file.insert(file).write_all(&part.waiting)?;
        part.waiting.clear();
        Ok(())
    }

    fn bytes(&mut self, index: usize) -> std::io::Result<Vec<u8>> {
        let Some(part) = self.parts.get_mut(index).map(std::mem::take) else {
            return Ok(Vec::new());
        };
        let Some(mut file) = part.file else {
            return Ok(part.waiting);
        };
        let length = usize::try_from(file.stream_position()?).unwrap_or(0);
        file.rewind()?;
        let mut bytes = Vec::with_capacity(length + part.waiting.len());
        file.read_to_end(&mut bytes)?;
        bytes.extend_from_slice(&part.waiting);
        Ok(bytes)
    }
}

const ORDER: u8 = 0;
const ROW: u8 = 1;

const fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Payment => 0,
        Kind::Refund => 1,
        Kind::Cancel => 2,
    }
}

const fn claim_number(claim: Claim) -> u8 {
    match claim {
        Claim::Unstated => 0,
        Claim::Done => 1,
        Claim::NotDone => 2,
    }
}

const fn family_number(family: Family) -> u8 {
    match family {
        Family::Transaction => 0,
        Family::Settlement => 1,
    }
}

/// Seven bits a byte, the low ones first.
fn put_number(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// Small numbers stay short, also negative ones.
fn put_signed(number: i64, out: &mut Vec<u8>) {
    let folded = (number << 1) ^ (number >> 63);
    put_number(u64::from_ne_bytes(folded.to_ne_bytes()), out);
}

/// Nothing is a zero before it, something a one.
fn put_maybe(number: Option<i64>, out: &mut Vec<u8>) {
    match number {
        None => out.push(0),
        Some(number) => {
            out.push(1);
            put_signed(number, out);
        }
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_number(u64::try_from(text.len()).unwrap_or(0), out);
    out.extend_from_slice(text.as_bytes());
}

fn encode_order(order: &Order<'_>, out: &mut Vec<u8>) {
    out.extend([ORDER, kind_number(order.kind), claim_number(order.claim)]);
    put_number(order.amount.currency().numeric().into(), out);
    put_signed(order.amount.minor(), out);
    put_number(order.line, out);
    put_text(order.id, out);
    put_text(order.state, out);
    put_text(order.time, out);
}

fn encode_row(found: &TradeRow<'_>, out: &mut Vec<u8>) {
    let row = &found.row;
    out.extend([ROW, kind_number(row.kind), family_number(row.family)]);
    put_number(row.amount.currency().numeric().into(), out);
    put_signed(row.amount.minor(), out);
    put_maybe(row.fee.map(Money::minor), out);
    put_maybe(row.settlement.map(Money::minor), out);
    put_maybe(row.at.map(Timestamp::as_seconds), out);
    put_number(row.file.into(), out);
    put_number(row.line, out);
    out.extend(found.trade.to_le_bytes());
    put_text(row.id, out);
}

/// The orders and rows of a partition; `None` when the bytes are not ours.
pub(super) fn decode(bytes: &[u8]) -> Option<(Vec<Order<'_>>, Vec<TradeRow<'_>>)> {
    let (mut orders, mut rows) = (Vec::new(), Vec::new());
    let mut cursor = Cursor { rest: bytes };
    while !cursor.rest.is_empty() {
        match cursor.byte()? {
            ORDER => orders.push(cursor.order()?),
            ROW => rows.push(cursor.row()?),
            _ => return None,
        }
    }
    Some((orders, rows))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let folded = self.number()?;
        let half = i64::try_from(folded >> 1).ok()?;
        Some(half ^ -i64::from(folded & 1 == 1))
    }

    fn maybe(&mut self) -> Option<Option<i64>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.signed().map(Some),
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    fn kind(&mut self) -> Option<Kind> {
        let number = self.byte()?;
        let mut all = [Kind::Payment, Kind::Refund, Kind::Cancel].into_iter();
        all.find(|kind| kind_number(*kind) == number)
    }

    fn money(&mut self) -> Option<Money> {
        let currency = Currency::from_numeric(u16::try_from(self.number()?).ok()?)?;
        Some(Money::of_minor(self.signed()?, currency))
    }

    fn order(&mut self) -> Option<Order<'a>> {
        let kind = self.kind()?;
        let claim = self.byte()?;
        let mut claims = [Claim::Unstated, Claim::Done, Claim::NotDone].into_iter();
        Some(Order {
            kind,
            claim: claims.find(|known| claim_number(*known) == claim)?,
            amount: self.money()?,
            line: self.number()?,
            id: self.text()?,
            state: self.text()?,
            time: self.text()?,
        })
    }

    fn row(&mut self) -> Option<TradeRow<'a>> {
        let kind = self.kind()?;
        let family = match self.byte()? {
            0 => Family::Transaction,
            _ => Family::Settlement,
        };
        let amount = self.money()?;
        let money = |minor| Money::of_minor(minor, amount.currency());
        let fee = self.maybe()?.map(money);
        let settlement = self.maybe()?.map(money);
        let at = self.maybe()?.map(Timestamp::from_seconds);
        let file = u16::try_from(self.number()?).ok()?;
        let line = self.number()?;
        let trade = u64::from_le_bytes(self.bytes(8)?.try_into().ok()?);
        let row = Row {
            family,
            kind,
            id: self.text()?,
            amount,
            fee,
            settlement,
            at,
            refunds: Refunds::Less,
            file,
            line,
        };
        Some(TradeRow { row, trade })
    }
}
