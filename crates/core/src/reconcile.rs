//! Reconciliation: what a partner's own books say against what the gateway's files say. Pure
//! matching; where orders and rows come from, and how many fit into memory, is for the caller.
//!
//! An order and a row belong together when their kind and their id are one: a payment's
//! `partner_trans_id`, a refund's `partner_refund_id`, a cancel's payment. Every order ends up
//! matched or in a [`Break`], and so does every row.
//!
//! Where there are transaction files and settlement files, an order is looked for in both; it is
//! there when one of them has it, and it must agree with each that has it.

use std::collections::BTreeSet;

use crate::money::{FeeRate, Money, Rounding};
use crate::time::{CivilDate, Timestamp};

/// What an order or a row is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Money from the buyer.
    Payment,
    /// Money back, under the refund's id.
    Refund,
    /// A payment taken back, by whichever name; under the payment's id.
    Cancel,
}

/// What the state of an order claims.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It has no state: it took place, and whether it was undone later is told by other orders.
    Unstated,
    /// It took place and it stands: paid, refunded.
    Done,
    /// No money stands behind it: refused, cancelled, closed, or not known yet.
    NotDone,
}

/// A line of the partner's own books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order<'a> {
    /// What it is about.
    pub kind: Kind,
    /// The partner's number.
    pub id: &'a str,
    /// How much, above zero.
    pub amount: Money,
    /// What its state claims.
    pub claim: Claim,
    /// The state in the partner's words.
    pub state: &'a str,
    /// The time in the partner's words.
    pub time: &'a str,
    /// Where it stands.
    pub line: u64,
}

/// Which of the two files of the gateway.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// What took place on a day.
    Transaction,
    /// What was settled.
    Settlement,
}

/// What became of a payment's money, as other rows of the files tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refunds {
    /// At least a part of it was not refunded.
    Less,
    /// All of it was.
    All,
}

/// A row of the gateway's files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row<'a> {
    /// Which file.
    pub family: Family,
    /// What it is about.
    pub kind: Kind,
    /// The partner's number; of a cancel that of its payment, also in a settlement file.
    pub id: &'a str,
    /// How much, above zero.
    pub amount: Money,
    /// The commission, or what of it comes back.
    pub fee: Option<Money>,
    /// What the partner gets or gives.
    pub settlement: Option<Money>,
    /// When it took place.
    pub at: Option<Timestamp>,
    /// Of a payment: how much of it was refunded.
    pub refunds: Refunds,
    /// Which of the files.
    pub file: u16,
    /// Where in it.
    pub line: u64,
}

/// What the two sides agreed on, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t> {
    /// The commission of a payment; unknown, it is not checked.
    pub commission: Option<FeeRate>,
    /// The business dates whose payments the settlement files hold. A batch holds whole dates, so
    /// every row of such a date in a transaction file must have been settled.
    pub settled: &'t BTreeSet<CivilDate>,
}

/// What a difference is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BreakKind {
    /// A file has a row of which the orders know nothing.
    MissingHere,
    /// An order that took place is in no file.
    MissingThere,
    /// Both have it with different amounts.
    Amount,
    /// Both have it in different currencies; the amounts are not compared then.
    Currency,
    /// The same kind and id once more, among the orders or in the same kind of file. The others
    /// are compared as if this one were not there.
    Duplicate,
    /// One side says that the money stands, the other that it does not: an order is refused,
    /// cancelled or unknown and a file has its payment uncancelled, or an order is paid and a file
    /// has its cancel.
    State,
    /// The fee is not the agreed commission, rounded half-up. A refund may give nothing of it
    /// back or its share, a cancel its share or all of it.
    Commission,
    /// A row's settlement is not its amount less its fee; or its day was settled and it was not
    /// among what was settled.
    SettledShort,
}

impl BreakKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::MissingHere,
        Self::MissingThere,
        Self::Amount,
        Self::Currency,
        Self::Duplicate,
        Self::State,
        Self::Commission,
        Self::SettledShort,
    ];

    /// The name in reports; other people's programs read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Duplicate => "duplicate",
            Self::State => "state",
            Self::Commission => "commission",
            Self::SettledShort => "settled_short",
        }
    }
}

/// A difference between the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Break<'a> {
    /// What it is.
    pub kind: BreakKind,
    /// The order; none when the row has none, or is one too many.
    pub order: Option<Order<'a>>,
    /// The row; none when the order has none, or is one too many.
    pub row: Option<Row<'a>>,
    /// What the fee or the settlement would have to be.
    pub expected: Option<Money>,
}

/// Matches orders with rows, tells every break, and says how many orders are matched.
///
/// Both slices are sorted on the way. Orders and rows of one id must come in one call; different
/// ids may come in different calls, so that the whole need not fit into memory.
pub fn match_rows<'a>(
    orders: &mut [Order<'a>],
    rows: &mut [Row<'a>],
    terms: &Terms<'_>,
    tell: &mut dyn FnMut(Break<'a>),
) -> u64 {
    orders.sort_unstable_by_key(|order| (order.id, order.kind, order.line));
    rows.sort_unstable_by_key(|row| (row.id, row.kind, row.family, row.file, row.line));
    let (mut orders, mut rows) = (&*orders, &*rows);
    let mut matched = 0;
    loop {
        let id = match (orders.first(), rows.first()) {
            (None, None) => return matched,
            (Some(order), None) => order.id,
            (None, Some(row)) => row.id,
            (Some(order), Some(row)) => order.id.min(row.id),
        };
        let (of_id, later) = orders.split_at(orders.iter().take_while(|it| it.id == id).count());
        orders = later;
        let (rows_of_id, later) = rows.split_at(rows.iter().take_while(|it| it.id == id).count());
        rows = later;
        matched += judge(of_id, rows_of_id, terms, tell);
    }
}

/// What stands under one kind and id once duplicates are set aside.
#[derive(Clone, Copy, Default)]
struct Pair<'a> {
    order: Option<Order<'a>>,
    /// From a transaction file.
    transaction: Option<Row<'a>>,
    /// From a settlement file.
    settlement: Option<Row<'a>>,
}

impl<'a> Pair<'a> {
    fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        self.transaction.into_iter().chain(self.settlement)
    }

    fn row(&self) -> Option<Row<'a>> {
        self.rows().next()
    }

    fn claim(&self) -> Option<Claim> {
        self.order.map(|order| order.claim)
    }
}

/// Judges one id: its payment, its refund and its cancel, because they explain each other.
fn judge<'a>(
    orders: &[Order<'a>],
    rows: &[Row<'a>],
    terms: &Terms<'_>,
    tell: &mut dyn FnMut(Break<'a>),
) -> u64 {
    let pairs = [Kind::Payment, Kind::Refund, Kind::Cancel]
        .map(|kind| pair(kind, orders, rows, &mut *tell));
    let [payment, _, cancel] = pairs;
    let mut matched = 0;
    for (kind, pair) in [Kind::Payment, Kind::Refund, Kind::Cancel]
        .into_iter()
        .zip(pairs)
    {
        let mut judge = Judge {
            terms,
            payment,
            cancel,
            told: Vec::new(),
            tell: &mut *tell,
        };
        match pair.order {
            Some(order) => {
                judge.order(kind, &pair, order);
                matched += u64::from(judge.told.is_empty());
            }
            None => judge.strangers(kind, &pair),
        }
    }
    matched
}

/// Sets duplicates aside and tells them. Of several orders the one that fits a row is the pair's.
fn pair<'a>(
    kind: Kind,
    orders: &[Order<'a>],
    rows: &[Row<'a>],
    tell: &mut dyn FnMut(Break<'a>),
) -> Pair<'a> {
    let mut first_row = |family| {
        let mut all = rows
            .iter()
            .filter(|row| row.kind == kind && row.family == family);
        let first = all.next().copied();
        for row in all {
            tell(Break {
                kind: BreakKind::Duplicate,
                order: None,
                row: Some(*row),
                expected: None,
            });
        }
        first
    };
    let mut pair = Pair {
        order: None,
        transaction: first_row(Family::Transaction),
        settlement: first_row(Family::Settlement),
    };
    let of_kind = || orders.iter().filter(|order| order.kind == kind);
    let amount = pair.row().map(|row| row.amount);
    let fits = |order: &&Order<'a>| Some(order.amount) == amount;
    pair.order = of_kind().find(fits).or_else(|| of_kind().next()).copied();
    for order in of_kind().filter(|order| Some(order.line) != pair.order.map(|it| it.line)) {
        tell(Break {
            kind: BreakKind::Duplicate,
            order: Some(*order),
            row: None,
            expected: None,
        });
    }
    pair
}

/// The judgement of one kind and id.
struct Judge<'a, 'j> {
    terms: &'j Terms<'j>,
    payment: Pair<'a>,
    cancel: Pair<'a>,
    /// What was told of it: each kind of break once.
    told: Vec<BreakKind>,
    tell: &'j mut dyn FnMut(Break<'a>),
}

impl<'a> Judge<'a, '_> {
    fn tell(
        &mut self,
        kind: BreakKind,
        order: Option<Order<'a>>,
        row: Option<Row<'a>>,
        expected: Option<Money>,
    ) {
        if !self.told.contains(&kind) {
            self.told.push(kind);
            (self.tell)(Break {
                kind,
                order,
                row,
                expected,
            });
        }
    }

    /// An order, and what the files have of it.
    fn order(&mut self, kind: Kind, pair: &Pair<'a>, order: Order<'a>) {
        let Some(row) = pair.row() else {
            // The cancel of a payment that never was has no row (`spec/13`, 26).
            let of_nothing = kind == Kind::Cancel
                && self.payment.claim() == Some(Claim::NotDone)
                && self.payment.row().is_none();
            if order.claim != Claim::NotDone && !of_nothing {
                self.tell(BreakKind::MissingThere, Some(order), None, None);
            }
            return;
        };
        if let Some(other) = self.contradicts(kind, &order, row) {
            return self.tell(BreakKind::State, Some(order), Some(other), None);
        }
        for row in pair.rows() {
            self.compare(&order, row);
        }
        self.unsettled(pair, order);
    }

    /// The row that says the opposite of an order's state.
    fn contradicts(&self, kind: Kind, order: &Order<'a>, row: Row<'a>) -> Option<Row<'a>> {
        let (cancelled, cancel_known) = (self.cancel.row(), self.cancel.order.is_some());
        match (kind, order.claim) {
            (_, Claim::Unstated) | (Kind::Refund | Kind::Cancel, Claim::Done) => None,
            (Kind::Payment, Claim::Done) => cancelled.filter(|_| !cancel_known),
            (Kind::Payment, Claim::NotDone) => {
                // With a cancel among the orders it is that one which the files lack.
                let stands = cancelled.is_none() && row.refunds == Refunds::Less && !cancel_known;
                stands.then_some(row)
            }
            (Kind::Refund | Kind::Cancel, Claim::NotDone) => Some(row),
        }
    }

    fn compare(&mut self, order: &Order<'a>, row: Row<'a>) {
        let order = Some(*order);
        if order.map(|order| order.amount.currency()) != Some(row.amount.currency()) {
            return self.tell(BreakKind::Currency, order, Some(row), None);
        }
        if order.map(|order| order.amount) != Some(row.amount) {
            return self.tell(BreakKind::Amount, order, Some(row), None);
        }
        if let Some(expected) = self.wrong_commission(row) {
            self.tell(BreakKind::Commission, order, Some(row), Some(expected));
        }
        if let (Some(net), Some(settlement)) = (net(row), row.settlement)
            && net != settlement
        {
            self.tell(BreakKind::SettledShort, order, Some(row), Some(net));
        }
    }

    /// What the fee would have to be, when it is something else.
    fn wrong_commission(&self, row: Row<'a>) -> Option<Money> {
        let (rate, fee) = (self.terms.commission?, row.fee?);
        let share = |amount| rate.of(amount, Rounding::HalfUp).ok();
        let expected = share(row.amount)?;
        // Parts of a commission are rounded so that they add up to the whole.
        let apart = fee.minor().saturating_sub(expected.minor());
        let nearly = apart.saturating_abs() <= 1;
        let right = match row.kind {
            Kind::Payment => fee == expected,
            Kind::Refund => nearly || fee.is_zero(),
            Kind::Cancel => {
                let paid = self.payment.row().and_then(|row| share(row.amount));
                nearly || Some(fee) == paid
            }
        };
        (!right).then_some(expected)
    }

    /// A row of a day that was settled, and that was not settled with it.
    fn unsettled(&mut self, pair: &Pair<'a>, order: Order<'a>) {
        let (Some(row), None) = (pair.transaction, pair.settlement) else {
            return;
        };
        let date = row.at.map(Timestamp::business_date);
        if date.is_some_and(|date| self.terms.settled.contains(&date)) {
            let expected = net(row).or(Some(row.amount));
            self.tell(BreakKind::SettledShort, Some(order), Some(row), expected);
        }
    }

    /// Rows without an order. A cancel's is accounted for by the state of its payment.
    fn strangers(&mut self, kind: Kind, pair: &Pair<'a>) {
        let accounted = match kind {
            Kind::Payment | Kind::Refund => false,
            Kind::Cancel => match self.payment.claim() {
                Some(Claim::Done) => self.payment.row().is_some(),
                Some(Claim::NotDone) => true,
                Some(Claim::Unstated) | None => false,
            },
        };
        if let (Some(row), false) = (pair.row(), accounted) {
            self.tell(BreakKind::MissingHere, None, Some(row), None);
        }
    }
}

/// Amount less fee.
fn net(row: Row<'_>) -> Option<Money> {
    row.amount.checked_sub(row.fee?).ok()
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
