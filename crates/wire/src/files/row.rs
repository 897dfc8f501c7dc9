//! One row of whatever layout, read into one form.

use spotpay_core::money::{Currency, FxRate, Money};
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::PaymentInst;

use super::column::{Columns, Contents};
use super::error::{ColumnAt, FileError};
use super::lines::Line;
use super::value::{self, Times};
use super::{Pricing, StoreColumns};

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowKind {
    /// Money from the buyer.
    Payment,
    /// Money back to the buyer, under the refund's number.
    Refund,
    /// A payment taken back.
    Cancel,
    /// The same, by its oldest name.
    Reverse,
}

/// Whether a row was settled, as settlement files and the online layouts say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// `P`: not yet.
    Pending,
    /// `L`, liquidated.
    Settled,
}

/// What stands in a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it only borrows from the line; a box would be an allocation a row"
)]
pub enum Record<'a> {
    /// A payment, a refund or a cancel.
    Row(FileRow<'a>),
    /// A settlement batch, of a file that lists batches.
    Batch(BatchRow<'a>),
}

/// A row in one form for all layouts; a text that its file does not have is empty.
///
/// Amount, fee and settlement are positive where the file has them negative to show that the money
/// goes back: the direction is the kind's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileRow<'a> {
    /// Where it stands, counted from one.
    pub line: u64,
    /// What it is about. A settlement row of type `R` whose two numbers are one is a cancel.
    pub kind: RowKind,
    /// The partner's number of the payment or the refund; what a cancel has, see `spec/07`.
    pub partner_transaction_id: &'a str,
    /// The gateway's number of the trade.
    pub transaction_id: &'a str,
    /// In the settlement currency.
    pub amount: Money,
    /// The commission, or what of it comes back.
    pub fee: Option<Money>,
    /// What the partner gets or gives.
    pub settlement: Option<Money>,
    /// When it took place.
    pub payment_time: Option<Timestamp>,
    /// When it was settled.
    pub settlement_time: Option<Timestamp>,
    /// Whether it was.
    pub status: Option<Status>,
    /// Which wallet paid.
    pub wallet: Option<PaymentInst>,
    /// A note.
    pub remark: &'a str,
    /// Where it took place.
    pub store: StoreColumns<'a>,
    /// `Order_scene`, or the product of an online file.
    pub order_scene: &'a str,
    /// The price as listed, when its currency is one we know.
    pub pricing: Option<Pricing>,
    /// CNY per unit of the currency.
    pub rate: Option<FxRate>,
    /// The amount in CNY.
    pub rmb_amount: Option<Money>,
    /// The settlement in CNY.
    pub rmb_settlement: Option<Money>,
    /// The payment's partner number, in refund rows of online files.
    pub original_id: &'a str,
}

impl FileRow<'_> {
    /// The settlement currency.
    pub const fn currency(&self) -> Currency {
        self.amount.currency()
    }

    /// Whether the row tells of a settlement that took place, not only of its transaction.
    pub const fn is_settled(&self) -> bool {
        let settled = match self.status {
            Some(Status::Settled) => true,
            Some(Status::Pending) | None => false,
        };
        self.settlement.is_some() && (settled || self.settlement_time.is_some())
    }
}

/// A settlement batch in a file that lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchRow<'a> {
    /// Where it stands, counted from one.
    pub line: u64,
    /// `Settle_batch_no`.
    pub batch_no: &'a str,
    /// `Settle_date`.
    pub settle_date: Option<Timestamp>,
    /// Before the fee.
    pub amount: Money,
    /// The commission.
    pub fee: Option<Money>,
    /// What was paid out.
    pub settlement: Option<Money>,
}

const MONEY_RULE: &str = "a decimal number with the decimals of its currency";
const TIME_RULE: &str = "a time such as 2026-11-23 12:00:00 or 11/23/2026 12:00";
const RATE_RULE: &str = "a decimal number above zero";

/// A line with the meaning of its fields.
struct Fields<'a, 'c> {
    line: Line<'a>,
    columns: &'c Columns,
    times: &'c mut Times,
}

/// Reads a line whose fields are split.
pub(super) fn read<'a>(
    line: Line<'a>,
    columns: &Columns,
    times: &mut Times,
) -> Result<Record<'a>, FileError> {
    let (found, expected) = (line.count(), columns.count());
    if found != expected {
        return Err(FileError::width(line.number, found, expected, line.text));
    }
    let fields = Fields {
        line,
        columns,
        times,
    };
    match columns.contents {
        Contents::Batches => fields.batch().map(Record::Batch),
        Contents::Transactions | Contents::Settlements | Contents::Either => {
            fields.row().map(Record::Row)
        }
    }
}

impl<'a> Fields<'a, '_> {
    fn text(&self, place: Option<usize>) -> &'a str {
        place.map_or("", |place| self.line.field(place))
    }

    fn wrong(&self, place: Option<usize>, rule: &'static str) -> FileError {
        let place = place.unwrap_or(0);
        let column = ColumnAt {
            number: place + 1,
            name: self.columns.name(place).to_owned(),
        };
        FileError::value(self.line.number, column, rule, self.line.field(place))
    }

    fn batch(mut self) -> Result<BatchRow<'a>, FileError> {
        let places = &self.columns.places;
        let currency = self.currency()?;
        Ok(BatchRow {
            line: self.line.number,
            batch_no: self.required(places.batch_no, "a batch number")?,
            settle_date: self.time(places.settlement_time)?,
            amount: self.amount(currency)?,
            fee: self.money(places.fee, currency)?,
            settlement: self.money(places.settlement, currency)?,
        })
    }

    fn row(mut self) -> Result<FileRow<'a>, FileError> {
        let places = &self.columns.places;
        let partner_transaction_id = self.text(places.partner_transaction_id);
        let transaction_id = self.text(places.transaction_id);
        if partner_transaction_id.is_empty() {
            let other = places.transaction_id.or(places.partner_transaction_id);
            self.required(other, "a number")?;
        }
        let currency = self.currency()?;
        let kind = self.kind()?;
        let back = match kind {
            RowKind::Payment => false,
            RowKind::Refund | RowKind::Cancel | RowKind::Reverse => true,
        };
        let size = |money: Money| match back {
            true => Money::of_minor(money.minor().saturating_abs(), money.currency()),
            false => money,
        };
        let (settlement_time, other_remark) = self.settlement_time()?;
        let remark = match self.text(places.remark) {
            "" => other_remark,
            remark => remark,
        };
        Ok(FileRow {
            line: self.line.number,
            kind,
            partner_transaction_id,
            transaction_id,
            amount: size(self.amount(currency)?),
            fee: self.money(places.fee, currency)?.map(size),
            settlement: self.money(places.settlement, currency)?.map(size),
            payment_time: self.time(places.payment_time)?,
            settlement_time,
            status: self.status()?,
            wallet: self.wallet(),
            remark,
            store: StoreColumns {
                industry: self.text(places.industry),
                merchant_name: self.text(places.merchant_name),
                merchant_id: self.text(places.merchant_id),
                operator_name: self.text(places.operator_name),
            },
            order_scene: self.text(places.order_scene),
            pricing: self.pricing()?,
            rate: self.rate(places.rate)?,
            rmb_amount: self.money(places.rmb_amount, Currency::CNY)?.map(size),
            rmb_settlement: self.money(places.rmb_settlement, Currency::CNY)?.map(size),
            original_id: self.text(places.original_id),
        })
    }

    fn required(&self, place: Option<usize>, rule: &'static str) -> Result<&'a str, FileError> {
        match self.text(place) {
            "" => Err(self.wrong(place, rule)),
            text => Ok(text),
        }
    }

    /// The currency of the row; a list currency that we do not know is left out, this one is not.
    fn currency(&self) -> Result<Currency, FileError> {
        let place = self.columns.places.currency;
        let text = self.text(place);
        text.parse()
            .or_else(|_| text.to_ascii_uppercase().parse())
            .map_err(|_| self.wrong(place, "a currency such as HKD"))
    }

    fn kind(&self) -> Result<RowKind, FileError> {
        const KINDS: [(&str, RowKind); 7] = [
            ("PAYMENT", RowKind::Payment),
            ("P", RowKind::Payment),
            ("REFUND", RowKind::Refund),
            ("R", RowKind::Refund),
            ("CANCEL", RowKind::Cancel),
            ("REVERSAL", RowKind::Reverse),
            ("REVERSE", RowKind::Reverse),
        ];
        const RULE: &str = "PAYMENT, REFUND, CANCEL or REVERSAL, or P or R";
        let places = &self.columns.places;
        let text = self.text(places.kind);
        let kind = KINDS
            .into_iter()
            .find_map(|(name, kind)| text.eq_ignore_ascii_case(name).then_some(kind))
            .ok_or_else(|| self.wrong(places.kind, RULE))?;
        let one_number =
            self.text(places.partner_transaction_id) == self.text(places.transaction_id);
        Ok(match kind {
            RowKind::Refund if one_number && places.settlement.is_some() => RowKind::Cancel,
            RowKind::Refund | RowKind::Payment | RowKind::Cancel | RowKind::Reverse => kind,
        })
    }

    fn amount(&self, currency: Currency) -> Result<Money, FileError> {
        let place = self.columns.places.amount;
        let money = self.money(place, currency)?;
        money.ok_or_else(|| self.wrong(place, MONEY_RULE))
    }

    fn money(&self, place: Option<usize>, currency: Currency) -> Result<Option<Money>, FileError> {
        match self.text(place) {
            "" => Ok(None),
            text => value::money(text, currency)
                .map(Some)
                .map_err(|_| self.wrong(place, MONEY_RULE)),
        }
    }

    fn time(&mut self, place: Option<usize>) -> Result<Option<Timestamp>, FileError> {
        match self.text(place) {
            "" => Ok(None),
            text => match self.times.read(text) {
                Some(time) => Ok(Some(time)),
                None => Err(self.wrong(place, TIME_RULE)),
            },
        }
    }

    /// An integrator's reader calls the eighth column of the transaction file Settlement_time,
    /// where the gateway writes the remark: there it may be either.
    fn settlement_time(&mut self) -> Result<(Option<Timestamp>, &'a str), FileError> {
        let places = &self.columns.places;
        match self.time(places.settlement_time) {
            Ok(time) => Ok((time, "")),
            Err(_) if places.settlement.is_none() => Ok((None, self.text(places.settlement_time))),
            Err(error) => Err(error),
        }
    }

    fn status(&self) -> Result<Option<Status>, FileError> {
        let place = self.columns.places.status;
        match self.text(place) {
            "" => Ok(None),
            "L" | "l" => Ok(Some(Status::Settled)),
            "P" | "p" => Ok(Some(Status::Pending)),
            _ => Err(self.wrong(place, "L or P")),
        }
    }

    /// A wallet that is neither of the two is nothing to fail for.
    fn wallet(&self) -> Option<PaymentInst> {
        let text = self.text(self.columns.places.wallet);
        let mut both = [PaymentInst::AlipayHk, PaymentInst::AlipayCn].into_iter();
        both.find(|inst| text.eq_ignore_ascii_case(inst.as_str()))
    }

    fn rate(&self, place: Option<usize>) -> Result<Option<FxRate>, FileError> {
        value::rate(self.text(place)).map_err(|_| self.wrong(place, RATE_RULE))
    }

    fn pricing(&self) -> Result<Option<Pricing>, FileError> {
        let places = &self.columns.places;
        let Ok(currency) = self.text(places.trans_currency).parse() else {
            return Ok(None);
        };
        let amount = self.money(places.trans_amount, currency)?;
        let forex_rate = self.rate(places.trans_forex_rate)?;
        Ok(amount.map(|amount| Pricing { amount, forex_rate }))
    }
}
