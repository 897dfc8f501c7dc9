//! `spotpay pay`: the whole checkout at a till.

use std::path::PathBuf;

use clap::Args;
use spotpay_client::{
    Amount, Call, Client, Currency, Doubt, Event, FileJournal, JournalError, Money, Outcome,
    PartnerTransId, Patience, PaymentCode, Reply, Sale, SystemPace,
};

use crate::duration::Length;
use crate::machine;
use crate::merchant::{Merchant, Till};
use crate::output::{self, Exit, Failure, Report};

/// Take a payment: pay, ask while it is not known, cancel at the limit
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay pay --code 288888888888888888 --amount 39.30\n  \
    spotpay pay --code \"$(spotpay code --wallet alice)\" --amount 39.30 --json\n\n\
    A payment that was cancelled at the limit is refused: exit 1.\n\
    A till that lost its power finishes what it had begun with `spotpay resume`."
)]
pub(crate) struct Pay {
    /// What the scanner read from the buyer's phone
    #[arg(long, value_name = "CODE", value_parser = payment_code)]
    code: PaymentCode,
    /// The price, such as 39.30
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    amount: String,
    /// The currency of the price [default: the partner's settlement currency]
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<Currency>,
    /// The payment's partner_trans_id [default: a new one]
    #[arg(long, value_name = "PARTNER_TRANS_ID")]
    id: Option<PartnerTransId>,
    /// What is sold, as the buyer's bill names it
    #[arg(long, value_name = "TEXT", default_value = "Spotpay sale", value_parser = name)]
    name: String,
    /// Send one request and print its answer; query and cancel are yours, and no journal is kept
    #[arg(long)]
    no_wait: bool,
    /// When a payment that is not known is cancelled
    #[arg(long, value_name = "LENGTH", default_value = "60s")]
    limit: Length,
    /// The till's journal [default: till-journal.jsonl in --data DIR]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    merchant: Merchant,
}

fn payment_code(text: &str) -> Result<PaymentCode, String> {
    let rule = "a payment code has 16 to 24 digits and begins with 25 to 30";
    text.parse().map_err(|_| rule.to_owned())
}

pub(crate) fn currency(text: &str) -> Result<Currency, String> {
    let rule = "a currency is like HKD";
    text.parse().map_err(|_| rule.to_owned())
}

fn name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.chars().count() <= 256;
    if fits && !text.contains(['"']) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 256 characters, without double quotes".to_owned())
    }
}

/// A price, or what goes back of it, in the currency it is in.
pub(crate) fn amount(text: &str, currency: Currency) -> Result<Amount, Failure> {
    let money = Money::parse_major(text, currency);
    money.and_then(Amount::new).map_err(|error| {
        let rule = format!("{error}; {currency} has {} decimals", currency.exponent());
        Failure::usage("--amount <AMOUNT>", text, &rule)
    })
}

/// The journal of a till, in a folder that is made when it is not there.
pub(crate) fn journal_path(
    file: &Option<PathBuf>,
    merchant: &Merchant,
) -> Result<PathBuf, Failure> {
    if let Some(file) = file {
        return Ok(file.clone());
    }
    std::fs::create_dir_all(merchant.data()).map_err(|error| {
        let folder = merchant.data().display().to_string();
        Failure::usage("--data <DIR>", &folder, &error.to_string())
    })?;
    Ok(merchant.data().join("till-journal.jsonl"))
}

pub(crate) fn journal_failure(error: &JournalError) -> Failure {
    Failure::missing(error.to_string())
}

fn not_begun(error: &JournalError) -> Failure {
    Failure::missing(format!("{error}; nothing was sent"))
}

impl Pay {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Some(id) = self.id.clone().or_else(machine::new_trans_id) else {
            return Err(Failure::missing("no new id could be made; give --id"));
        };
        let json = self.merchant.json;
        let till = self.merchant.till();
        let till = till.map_err(|failure| failure.with_report(json, &id))?;
        let amount = amount(&self.amount, self.currency.unwrap_or(till.currency))?;
        let sale = Sale::new(id.clone(), amount, self.name.as_str(), self.code.clone());
        output::say(&format!("paying {}; id {id}", amount.money()));
        let report = if self.no_wait {
            Report::of_pay(&till.client.pay(sale), &id, amount)
        } else {
            let ending = self.checkout(&till, sale)?;
            Report::of_ending(&ending, &id, amount)
        };
        Ok(report.print(json))
    }

    fn checkout(&self, till: &Till, sale: Sale) -> Result<spotpay_client::Ending, Failure> {
        let path = journal_path(&self.journal, &self.merchant)?;
        // Alone with the file, so nobody is in the middle of what is unfinished.
        if let Ok(journal) = FileJournal::open(&path)
            && let unfinished @ 1.. = journal.unfinished().len()
        {
            let hint = "`spotpay resume` finishes them";
            output::say(&format!("unfinished checkouts: {unfinished}; {hint}"));
        }
        let mut journal = FileJournal::open_shared(&path).map_err(|error| not_begun(&error))?;
        let mut settings = till.client.settings().clone();
        let limit = self.limit.span();
        settings.patience = Patience {
            limit,
            ..settings.patience
        };
        let client = Client::new(settings, till.client.transport().clone());
        let ending = client.checkout(sale, &mut journal, &SystemPace::new(), &mut progress());
        ending.map_err(|error| not_begun(&error))
    }
}

/// Tells people on standard error what a checkout is at; the same news only once.
pub(crate) fn progress() -> impl FnMut(&Event<'_>) {
    let mut last = String::new();
    move |event| {
        let Some(line) = line_of(event) else { return };
        if line != last {
            output::say(&line);
            last = line;
        }
    }
}

fn line_of(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Answered(Reply::Pay(Outcome::Unknown(doubt))) => news(doubt),
        Event::Answered(Reply::Query(Outcome::Unknown(doubt))) => format!("query: {}", news(doubt)),
        Event::Answered(Reply::Query(Outcome::Success(found))) => {
            format!("query: {}", found.status)
        }
        Event::Answered(Reply::Query(Outcome::Refused(refusal))) => format!("query: {refusal}"),
        Event::Answered(Reply::Cancel(Outcome::Unknown(doubt))) => {
            format!("cancel: {}", news(doubt))
        }
        Event::Answered(Reply::Cancel(Outcome::Refused(refusal))) => format!("cancel: {refusal}"),
        Event::Answered(Reply::Refund(Outcome::Unknown(doubt))) => {
            format!("refund: {}", news(doubt))
        }
        Event::Answered(Reply::Refund(Outcome::Refused(refusal))) => format!("refund: {refusal}"),
        Event::Sending(Call::Cancel(_)) => "cancelling".to_owned(),
        Event::Sending(Call::Refund(order)) => {
            let number = &order.partner_refund_id;
            format!("too late to cancel; refunding all of it, refund {number}")
        }
        Event::JournalFailed(error) => format!("warning: {error}"),
        Event::Answered(_) | Event::Sending(_) | Event::Waiting(_) | _ => return None,
    })
}

fn news(doubt: &Doubt) -> String {
    if matches!(doubt, Doubt::Waiting { .. }) {
        "waiting: the buyer has to confirm on the phone".to_owned()
    } else {
        format!("not known yet: {doubt}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: a price is exact in its currency or refused with flag, value and rule.
    #[test]
    fn prices() {
        for (text, currency, fits) in [
            ("39.30", Currency::HKD, true),
            ("39.3", Currency::HKD, true),
            ("39", Currency::JPY, true),
            ("39.305", Currency::HKD, false),
            ("39.3", Currency::JPY, false),
            ("0", Currency::HKD, false),
            ("-1", Currency::HKD, false),
            ("1e3", Currency::HKD, false),
            ("", Currency::HKD, false),
        ] {
            assert_eq!(amount(text, currency).is_ok(), fits, "{text} {currency}");
        }
    }

    #[test]
    fn names() {
        for (text, fits) in [
            ("Tea", true),
            ("茶", true),
            ("", false),
            ("a\"b", false),
            ("a\nb", false),
        ] {
            assert_eq!(name(text).is_ok(), fits, "{text:?}");
        }
    }
}
