//! Writing: to the letter of `spec/07` and `spec/13`, 22 to 26.

use std::borrow::Cow;

use spotpay_core::id::PartnerId;
use spotpay_core::money::{FxRate, Money};
use spotpay_core::partner::WalletColumn;
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::wallet::PaymentInst;

use super::column;
use super::{HttpRow, Pricing, Rmb, RmbColumns, SettlementRow, Style, TransactionRow};

/// A character that would end a field or a row for some reader: the pipe, control characters, and
/// the two that Unicode calls line and paragraph separator.
fn breaks(letter: char) -> bool {
    letter == '|' || letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// What is left of a text in a file: blanks for what would break a row, and none around it.
///
/// ```
/// # use spotpay_wire::files::plain;
/// assert_eq!(plain(" A|1\n"), "A 1");
/// ```
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(breaks) {
        Cow::Owned(text.replace(breaks, " ").trim().to_owned())
    } else {
        Cow::Borrowed(text.trim())
    }
}

/// One row on its way into the buffer.
struct Line<'o> {
    out: &'o mut String,
}

impl Line<'_> {
    fn text(&mut self, text: &str) {
        self.out.push_str(&plain(text));
        self.out.push('|');
    }

    fn money(&mut self, money: Money) {
        money.write_major(self.out);
        self.out.push('|');
    }

    fn time(&mut self, time: Timestamp) {
        time.write_spaced(self.out);
        self.out.push('|');
    }

    fn pricing(&mut self, pricing: Option<&Pricing>) {
        let Some(pricing) = pricing else {
            return self.out.push_str("|||");
        };
        self.text(pricing.amount.currency().code());
        self.money(pricing.amount);
        if let Some(rate) = pricing.forex_rate {
            push_forex_rate(rate, self.out);
        }
        self.out.push('|');
    }

    fn rate(&mut self, rmb: Option<&Rmb>) {
        if let Some(rmb) = rmb {
            self.out.push_str(&rmb.rate.to_string());
        }
        self.out.push('|');
    }

    fn maybe(&mut self, money: Option<Money>) {
        match money {
            Some(money) => self.money(money),
            None => self.out.push('|'),
        }
    }

    fn wallet(&mut self, wallet: Option<PaymentInst>) {
        self.text(wallet.map_or("", PaymentInst::as_str));
    }

    /// The last field has no pipe behind it.
    fn end(self) {
        self.out.pop();
        self.out.push('\n');
    }
}

/// The list rate as the pages show it: `1`, `0.031`.
fn push_forex_rate(rate: FxRate, out: &mut String) {
    match rate.e8() {
        100_000_000 => out.push('1'),
        _ => {
            let text = rate.to_string();
            out.push_str(text.trim_end_matches('0').trim_end_matches('.'));
        }
    }
}

impl Style {
    /// The first two lines of a transaction file: whose it is, of which business date and with how
    /// many rows, and the names of the columns.
    pub fn transaction_head(
        self,
        partner: PartnerId,
        date: CivilDate,
        count: u64,
        out: &mut String,
    ) {
        let head = format!("Partner:{partner}|Payment_time: {date}|Total_count:{count}\n");
        out.push_str(&head);
        out.push_str(match self {
            Self::Hk(WalletColumn::PaymentInst) => column::HK_TRANSACTION,
            Self::Hk(WalletColumn::Issue) => column::HK_TRANSACTION_ISSUE,
            Self::Standard(RmbColumns::Shown) => column::STANDARD_TRANSACTION_RMB,
            Self::Standard(RmbColumns::Hidden) => column::STANDARD_TRANSACTION,
        });
        out.push('\n');
    }

    /// Appends one row of a transaction file.
    pub fn transaction(self, row: &TransactionRow<'_>, out: &mut String) {
        debug_assert_eq!(row.amount.currency(), row.fee.currency(), "one currency");
        let mut line = Line { out };
        line.text(row.partner_transaction_id);
        line.text(row.transaction_id);
        line.money(row.amount);
        line.money(row.fee);
        line.text(row.amount.currency().code());
        line.time(row.payment_time);
        line.text(row.kind.as_str());
        line.text(row.remark);
        line.text(row.store.industry);
        line.text(row.store.merchant_name);
        match self {
            Self::Hk(_) => line.text(row.store.merchant_id),
            Self::Standard(_) => {}
        }
        line.text(row.store.operator_name);
        line.text(row.order_scene);
        line.pricing(row.pricing.as_ref());
        match self {
            Self::Hk(_) => line.wallet(row.wallet),
            Self::Standard(RmbColumns::Shown) => {
                line.rate(row.rmb.as_ref());
                line.maybe(row.rmb.map(|rmb| rmb.amount));
                line.maybe(row.rmb.map(|rmb| rmb.settlement));
            }
            Self::Standard(RmbColumns::Hidden) => {}
        }
        line.end();
    }

    /// The first line of a settlement file: the names of the columns.
    pub fn settlement_head(self, out: &mut String) {
        out.push_str(match self {
            Self::Hk(WalletColumn::PaymentInst) => column::HK_SETTLEMENT,
            Self::Hk(WalletColumn::Issue) => column::HK_SETTLEMENT_ISSUE,
            Self::Standard(RmbColumns::Shown | RmbColumns::Hidden) => column::STANDARD_SETTLEMENT,
        });
        out.push('\n');
    }

    /// Appends one row of a settlement file.
    pub fn settlement(self, row: &SettlementRow<'_>, out: &mut String) {
        debug_assert_eq!(row.amount.currency(), row.fee.currency(), "one currency");
        let standard = match self {
            Self::Hk(_) => false,
            Self::Standard(_) => true,
        };
        let mut line = Line { out };
        line.text(row.partner_transaction_id);
        line.text(row.transaction_id);
        line.money(row.amount);
        if standard {
            line.maybe(row.rmb.map(|rmb| rmb.amount));
        }
        line.money(row.fee);
        line.money(row.settlement);
        if standard {
            line.maybe(row.rmb.map(|rmb| rmb.settlement));
        }
        line.text(row.amount.currency().code());
        if standard {
            line.rate(row.rmb.as_ref());
        }
        line.time(row.payment_time);
        line.time(row.settlement_time);
        line.text(row.kind.as_str());
        line.text("L");
        line.text(row.remark);
        line.text(row.store.industry);
        line.text(row.store.merchant_name);
        if !standard {
            line.text(row.store.merchant_id);
        }
        line.text(row.store.operator_name);
        line.text(row.order_scene);
        line.pricing(row.pricing.as_ref());
        if !standard {
            line.wallet(row.wallet);
        }
        line.end();
    }

    /// The first line of an answer over HTTP: the names of the columns, the same for all.
    pub fn http_head(out: &mut String) {
        out.push_str(column::HTTP);
        out.push('\n');
    }

    /// Appends one row of an answer over HTTP. Nothing is split among partners, so `Distribute_...`
    /// stay empty, and so does under Hong Kong contracts all that is CNY (`spec/13`, 22).
    pub fn http(self, row: &HttpRow<'_>, out: &mut String) {
        debug_assert_eq!(row.amount.currency(), row.fee.currency(), "one currency");
        let rmb = match self {
            Self::Hk(_) => None,
            Self::Standard(_) => row.rmb,
        };
        let mut line = Line { out };
        line.text(row.partner_transaction_id);
        line.text(row.transaction_id);
        line.money(row.amount);
        line.maybe(rmb.map(|rmb| rmb.amount));
        line.money(row.fee);
        line.text("");
        line.text("");
        line.money(row.settlement);
        line.maybe(rmb.map(|rmb| rmb.settlement));
        line.text(row.amount.currency().code());
        line.rate(rmb.as_ref());
        line.time(row.payment_time);
        match row.settlement_time {
            Some(time) => line.time(time),
            None => line.text(""),
        }
        line.text(row.kind.as_str());
        line.text(row.settlement_time.map_or("P", |_| "L"));
        line.text(row.remark);
        line.end();
    }
}
