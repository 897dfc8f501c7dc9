//! `spotpay reconcile`: a merchant's own orders against the gateway's files.
//!
//! Both sides are read once and written, in a compact form and by a hash of their ids, into as many
//! partitions as keep each small; then one partition after the other is matched in memory, by the
//! rules of [`spotpay_core::reconcile`]. So the memory needed is that of one partition, however long
//! the files are.
//!
//! Three things are kept for all partitions, because rows of other ids need them: the cancels of
//! settlement files, which stand under the gateway's number until their payment is found; what was
//! refunded of each trade, when orders have states; and the business dates that were settled.

mod breaks;
mod orders;
mod progress;
mod rows;
mod spill;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use spotpay_core::money::FeeRate;
use spotpay_core::reconcile::{self, Terms};

use crate::output::{Exit, Failure};
use breaks::Breaks;
use progress::Progress;
use rows::Rows;
use spill::Spill;

const KINDS: &str = "Each break has a kind:
  missing_here   a file has it, the orders do not
  missing_there  it is an order, and in no file
  amount         the amounts differ
  currency       the currencies differ
  duplicate      the same type and id once more, in the orders or in one kind of file
  state          an order that is refused, cancelled or unknown was paid and not cancelled there,
                 or an order that is paid was cancelled there
  commission     the fee is not the commission, rounded half-up; a refund may give back nothing
                 of it or its share, a cancel its share or all of it (with --commission only)
  settled_short  a settlement is not amount less fee, or the day was settled without it

Transaction files and settlement files may be given together, of as many days as you like: each
order must be in one of them and agree with all. A cancelled payment is two rows: two orders, or
one whose state is CANCELLED. An order without a state is one that took place. States that mean
paid: PAID, SUCCESS, FINISHED, REFUNDED, DONE; not paid, undone or not known: CLOSED, CANCELLED,
REVERSED, FAILED, REFUSED, UNKNOWN, WAITING, PENDING, PROCESSING; with or without TRADE_ before.

Exits 0 without breaks, 1 with breaks, 2 when a file cannot be read.

Example:
  spotpay reconcile --orders orders.csv --file 2088000000000001_transaction_20261123.txt
  spotpay reconcile --orders sales.csv --column id=order_no --column type=kind --file *.txt --json";

/// Compare the merchant's own orders with the gateway's files
#[derive(Args, Debug)]
#[command(after_help = KINDS)]
pub(crate) struct Reconcile {
    /// The orders: CSV with the columns type (PAYMENT, REFUND, CANCEL), id, amount, currency, and
    /// if you like time and state
    #[arg(long, value_name = "FILE")]
    orders: PathBuf,
    /// Transaction and settlement files, in any layout the gateway ever had
    #[arg(long = "file", value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,
    /// What a column of the orders is called there, such as type=kind
    #[arg(long = "column", value_name = "NAME=HEADING")]
    columns: Vec<Heading>,
    /// The contract's commission, such as 0.012, to check fees with
    #[arg(long, value_name = "RATE")]
    commission: Option<FeeRate>,
    /// Write every break into this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Where to keep what does not fit into memory, instead of the system's temporary folder
    #[arg(long, value_name = "DIR")]
    temp: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Another name for a column of the orders.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Heading {
    column: orders::Column,
    name: String,
}

impl FromStr for Heading {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || orders::Column::ALL.map(orders::Column::as_str).join(", ");
        let rule = || format!("it must be like type=kind, with one of {} first", known());
        let (column, name) = text.split_once('=').ok_or_else(rule)?;
        let mut all = orders::Column::ALL.into_iter();
        let column = all
            .find(|known| known.as_str() == column)
            .ok_or_else(rule)?;
        let name = name.trim().to_owned();
        Ok(Self { column, name })
    }
}

/// How much memory the work may take.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// So many bytes of input make one partition.
    part_bytes: u64,
    /// So many bytes of all partitions together wait in memory for their file.
    waiting_bytes: usize,
    /// So many breaks are kept in memory; more go to a file, and are not sorted any more.
    breaks: usize,
}

/// What a machine of today has to spare: about a quarter of a gigabyte in all.
const BUDGET: Budget = Budget {
    part_bytes: 48 << 20,
    waiting_bytes: 64 << 20,
    breaks: 100_000,
};

impl Reconcile {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut progress = Progress::on_terminal();
        let outcome = self.compare(BUDGET, &mut progress);
        progress.clear();
        let (matched, breaks) = outcome?;
        let any = breaks.count() > 0;
        breaks
            .report(matched, self.json, self.csv.as_deref())
            .map_err(|error| Failure::missing(format!("{error:#}")))?;
        Ok(if any { Exit::Refused } else { Exit::Success })
    }

    /// How many orders are matched, and what is not.
    fn compare(&self, budget: Budget, progress: &mut Progress) -> Result<(u64, Breaks), Failure> {
        let temp = self.temp.clone().unwrap_or_else(std::env::temp_dir);
        let inputs = || std::iter::once(&self.orders).chain(&self.files);
        progress.expect(inputs().map(|path| length(path)).sum());
        let mut spill = Spill::new(parts(inputs(), budget), budget.waiting_bytes, &temp);
        let facts = orders::read(&self.orders, &self.columns, &mut spill, progress)?;
        let mut rows = Rows::new(facts);
        for (number, path) in self.files.iter().enumerate() {
            let number = u16::try_from(number)
                .map_err(|_| Failure::missing("there are more than 65536 files"))?;
            rows.read(path, number, &mut spill, progress)?;
        }
        let settled = std::mem::take(&mut rows.settled);
        let terms = Terms {
            commission: self.commission,
            settled: &settled,
        };
        let mut breaks = Breaks::new(&self.orders, &self.files, budget.breaks, &temp);
        let mut matched = 0;
        let count = spill.parts();
        for part in 0..count {
            progress.match_part(part, count);
            let bytes = spill.take(part)?;
            let (mut orders, found) = spill::decode(&bytes)
                .ok_or_else(|| Failure::missing("a temporary file is not as it was written"))?;
            let mut found = rows.complete(&found);
            matched += reconcile::match_rows(&mut orders, &mut found, &terms, &mut |found| {
                breaks.add(&found);
            });
        }
        let mut found = rows.left_over();
        reconcile::match_rows(&mut [], &mut found, &terms, &mut |found| breaks.add(&found));
        breaks.finish().map_err(|error| full(&temp, &error))?;
        Ok((matched, breaks))
    }
}

/// One line for a folder in which nothing can be kept.
fn full(temp: &Path, error: &std::io::Error) -> Failure {
    let temp = temp.display();
    Failure::missing(format!(
        "nothing can be kept in {temp}: {error}; choose another folder with --temp"
    ))
}

/// One line for a file that cannot be opened or read.
fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::missing(format!("{} cannot be read: {error}", path.display()))
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// The most partitions: each has a file open.
const PARTS_MAX: u64 = 256;
/// Partitions for inputs of which nobody knows how long they are, such as pipes.
const PARTS_UNKNOWN: u64 = 64;

fn parts<'p>(mut inputs: impl Iterator<Item = &'p PathBuf> + Clone, budget: Budget) -> usize {
    let bytes: u64 = inputs.clone().map(|path| length(path)).sum();
    let known = inputs.all(|path| path.is_file());
    let wanted = bytes.div_euclid(budget.part_bytes) + 1;
    let wanted = if known {
        wanted
    } else {
        wanted.max(PARTS_UNKNOWN)
    };
    usize::try_from(wanted.min(PARTS_MAX)).unwrap_or(1)
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
