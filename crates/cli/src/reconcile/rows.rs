//! The gateway's files, and what their rows need to know of each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use spotpay_core::reconcile::{Family, Kind, Refunds, Row};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_wire::files::{Contents, FileRow, Reader, Record, RowKind};

use super::orders::OrderFacts;
use super::progress::{Counting, Progress};
use super::spill::{Spill, TradeRow, fingerprint};
use super::unreadable;
use crate::output::Failure;

/// What is kept of all files.
#[derive(Debug)]
pub(super) struct Rows {
    orders: OrderFacts,
    /// The business dates whose payments were settled.
    pub(super) settled: BTreeSet<CivilDate>,
    /// Cancels of settlement files, by the gateway's number of their trade.
    cancels: BTreeMap<u64, Vec<SettledCancel>>,
    /// Minor units refunded, by kind of file and number of trade; only when orders have states.
    refunded: HashMap<(Family, u64), i64>,
}

/// The row of a cancel whose payment is still to be found.
#[derive(Debug)]
struct SettledCancel {
    trade: Box<str>,
    row: Row<'static>,
}

/// How often people at a terminal hear of it.
const ROWS_PER_WORD: u64 = 1 << 16;

impl Rows {
    pub(super) fn new(orders: OrderFacts) -> Self {
        Self {
            orders,
            settled: BTreeSet::new(),
            cancels: BTreeMap::new(),
            refunded: HashMap::new(),
        }
    }

    /// Reads a file into its partitions.
    pub(super) fn read(
        &mut self,
        path: &Path,
        file: u16,
        spill: &mut Spill,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let wrong = |error| Failure::missing(format!("{}: {error}", path.display()));
        let source = File::open(path).map_err(|error| unreadable(path, &error))?;
        let source = BufReader::with_capacity(1 << 18, Counting::new(source));
        let mut reader = Reader::new(source).map_err(wrong)?;
        let contents = reader.contents();
        if contents == Contents::Batches {
            return Err(Failure::missing(format!(
                "{}: line 1 names settlement batches; give the files of what they hold",
                path.display()
            )));
        }
        let mut rows: u64 = 0;
        while let Some(record) = reader.read().map_err(wrong)? {
            let Record::Row(row) = record else { continue };
            if contents == Contents::Settlements && row.kind == RowKind::Payment {
                let date = row.payment_time.map(Timestamp::business_date);
                self.settled.extend(date);
            }
            if let Some(row) = self.take(&row, contents, file) {
                spill.row(&row)?;
            }
            rows += 1;
            if rows.is_multiple_of(ROWS_PER_WORD) {
                progress.read(&path.to_string_lossy(), reader.source().get_ref().bytes);
            }
        }
        progress.read_all(reader.source().get_ref().bytes);
        Ok(())
    }

    /// A row in core's terms; nothing when it has to wait for its payment.
    fn take<'a>(
        &mut self,
        found: &FileRow<'a>,
        contents: Contents,
        file: u16,
    ) -> Option<TradeRow<'a>> {
        let family = match contents {
            Contents::Transactions | Contents::Batches => Family::Transaction,
            Contents::Settlements => Family::Settlement,
            Contents::Either if found.is_settled() => Family::Settlement,
            Contents::Either => Family::Transaction,
        };
        let kind = match found.kind {
            RowKind::Payment => Kind::Payment,
            RowKind::Refund => Kind::Refund,
            RowKind::Cancel | RowKind::Reverse => Kind::Cancel,
        };
        let trade = fingerprint(found.transaction_id);
        let numbered_by_us = found.partner_transaction_id != found.transaction_id
            && !found.partner_transaction_id.is_empty();
        let id = match (numbered_by_us, kind, found.original_id) {
            (true, _, _) | (false, Kind::Payment | Kind::Refund, _) | (false, Kind::Cancel, "") => {
                found.partner_transaction_id
            }
            (false, Kind::Cancel, original) => original,
        };
        let id = if id.is_empty() {
            found.transaction_id
        } else {
            id
        };
        let row = Row {
            family,
            kind,
            id,
            amount: found.amount,
            fee: found.fee,
            settlement: found.settlement,
            at: found.payment_time,
            refunds: Refunds::Less,
            file,
            line: found.line,
        };
        if kind == Kind::Refund && self.orders == OrderFacts::SomeNotDone {
            let sum = self.refunded.entry((family, trade)).or_default();
            *sum = sum.saturating_add(found.amount.minor());
        }
        if kind == Kind::Cancel && id == found.transaction_id {
            self.cancels.entry(trade).or_default().push(SettledCancel {
                trade: found.transaction_id.into(),
                row: Row { id: "", ..row },
            });
            return None;
        }
        Some(TradeRow { row, trade })
    }

    /// The rows of a partition with what others know of them: the cancels of its payments, and
    /// which payments were refunded.
    pub(super) fn complete<'a>(&mut self, found: &[TradeRow<'a>]) -> Vec<Row<'a>> {
        let mut rows = Vec::with_capacity(found.len());
        for TradeRow { mut row, trade } in found.iter().copied() {
            // The refund may be in the other kind of file, when the payment's day is not.
            let refunded = |family| self.refunded.get(&(family, trade)).copied().unwrap_or(0);
            let most = refunded(Family::Transaction).max(refunded(Family::Settlement));
            if row.kind == Kind::Payment && most >= row.amount.minor() {
                row.refunds = Refunds::All;
            }
            rows.push(row);
            if row.kind == Kind::Refund || self.cancels.is_empty() {
                continue;
            }
            let cancels = self.cancels.remove(&trade).unwrap_or_default();
            rows.extend(cancels.iter().map(|cancel| Row {
                id: row.id,
                ..cancel.row
            }));
        }
        rows
    }

    /// Cancels whose payments are in no file: they stay under the gateway's number.
    pub(super) fn left_over(&self) -> Vec<Row<'_>> {
        let left = self.cancels.values().flatten();
        left.map(|cancel| Row {
            id: &cancel.trade,
            ..cancel.row
        })
        .collect()
    }
}
