//! What commands say, to people and to programs, and how they exit.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use spotpay_client::{
    Amount, Ending, Found, FoundRefund, NotPaid, Outcome, PartnerRefundId, PartnerTransId, Receipt,
    RefundStatus, Refunding, TradeNo,
};

/// How a process ends. The numbers are a contract with other people's scripts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exit {
    Success,
    Refused,
    Usage,
    Unknown,
}

impl Exit {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// A message for people, on standard error.
pub(crate) fn say(line: &str) {
    // Nobody is left to hear of it when the terminal is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A result, on standard output.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// One JSON object, on standard output.
pub(crate) fn print_json(object: &impl Serialize) {
    match serde_json::to_string(object) {
        Ok(json) => print(&json),
        Err(error) => say(&format!("error: {error}")),
    }
}

/// Why a command did not get to its request, or not to the end of it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// Printed as JSON when that is asked for.
    error: Option<String>,
    message: String,
}

impl Failure {
    /// Bad usage: the flag, the rule, the value.
    pub(crate) fn usage(flag: &str, value: &str, rule: &str) -> Self {
        Self::missing(format!("invalid value '{value}' for '{flag}': {rule}"))
    }

    /// Bad usage that no single value is to blame for.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            error: None,
            message: message.into(),
        }
    }

    /// A sandbox refused.
    pub(crate) fn refused(error: &str, message: &str) -> Self {
        Self {
            exit: Exit::Refused,
            error: Some(error.to_owned()),
            message: message.to_owned(),
        }
    }

    /// Nobody answered, or nothing that can be read.
    pub(crate) fn unknown(error: &str, message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Unknown,
            error: Some(error.to_owned()),
            message: message.into(),
        }
    }

    /// Prints `{"error","message"}` too, for commands that owe an object.
    pub(crate) fn with_json(self, json: bool) -> Self {
        if let (true, Some(error)) = (json, &self.error) {
            print_json(&serde_json::json!({ "error": error, "message": self.message }));
        }
        self
    }

    /// Prints a report of an unknown outcome too, for commands that owe one.
    pub(crate) fn with_report(self, json: bool, id: &PartnerTransId) -> Self {
        self.with(json, Report::new(OutcomeWord::Unknown, id))
    }

    /// The same for commands about a refund.
    pub(crate) fn with_refund_report(
        self,
        json: bool,
        id: &PartnerTransId,
        refund_id: &PartnerRefundId,
    ) -> Self {
        let report = Report::new(OutcomeWord::Unknown, id);
        self.with(json, report.of_refund_id(refund_id))
    }

    fn with(self, json: bool, report: Report) -> Self {
        if let (true, Some(error)) = (json, &self.error) {
            print_json(&Report {
                error: Some(error.clone()),
                ..report
            });
        }
        self
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn tell(&self) -> Exit {
        match (&self.error, self.exit) {
            (Some(error), Exit::Refused) => say(&format!("error: {error}: {}", self.message)),
            (_, _) => say(&format!("error: {}", self.message)),
        }
        self.exit
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeWord {
    Success,
    Refused,
    Unknown,
}

impl OutcomeWord {
    pub(crate) const fn exit(self) -> Exit {
        match self {
            Self::Success => Exit::Success,
            Self::Refused => Exit::Refused,
            Self::Unknown => Exit::Unknown,
        }
    }
}

/// What `pay`, `query`, `cancel` and those about refunds print with `--json`. Names and order are
/// fixed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Report {
    outcome: OutcomeWord,
    /// `alipay_trans_status`, as far as it is known; of a refund REFUNDED, ACCEPTED, FAILED or
    /// CANCELED.
    state: Option<&'static str>,
    /// A published code, or one word in lower case.
    error: Option<String>,
    partner_trans_id: String,
    alipay_trans_id: Option<String>,
    payment_inst: Option<&'static str>,
    amount: Option<String>,
    currency: Option<&'static str>,
    /// Of commands about a refund only.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_refund_id: Option<String>,
    /// The same for people.
    #[serde(skip)]
    line: String,
}

impl Report {
    fn new(outcome: OutcomeWord, id: &PartnerTransId) -> Self {
        Self {
            outcome,
            state: None,
            error: None,
            partner_trans_id: id.to_string(),
            alipay_trans_id: None,
            payment_inst: None,
            amount: None,
            currency: None,
            partner_refund_id: None,
            line: String::new(),
        }
    }

    fn priced(self, amount: Amount) -> Self {
        Self {
            amount: Some(amount.money().major()),
            currency: Some(amount.currency().code()),
            ..self
        }
    }

    fn numbered(self, number: Option<&TradeNo>) -> Self {
        Self {
            alipay_trans_id: number.map(ToString::to_string),
            ..self
        }
    }

    fn of_refund_id(self, refund_id: &PartnerRefundId) -> Self {
        Self {
            partner_refund_id: Some(refund_id.to_string()),
            ..self
        }
    }

    fn told(self, line: String) -> Self {
        let mut line = format!("{line}; id {}", self.partner_trans_id);
        for (what, number) in [
            ("refund", &self.partner_refund_id),
            ("trade", &self.alipay_trans_id),
        ] {
            if let Some(number) = number {
                line.push_str(&format!(", {what} {number}"));
            }
        }
        Self { line, ..self }
    }

    fn paid(receipt: &Receipt) -> Self {
        let inst = receipt
            .payment_inst
            .map(spotpay_client::PaymentInst::as_str);
        let with = inst.map(|inst| format!(" with {inst}")).unwrap_or_default();
        let report = Self {
            state: Some("TRADE_SUCCESS"),
            payment_inst: inst,
            ..Self::new(OutcomeWord::Success, &receipt.partner_trans_id)
        };
        report
            .priced(receipt.amount)
            .numbered(Some(&receipt.alipay_trans_id))
            .told(format!("paid {}{with}", receipt.amount.money()))
    }

    /// Of a whole checkout.
    pub(crate) fn of_ending(ending: &Ending, id: &PartnerTransId, amount: Amount) -> Self {
        let (word, state, error, line) = match ending {
            Ending::Paid(receipt) => return Self::paid(receipt),
            Ending::NotPaid(why) => {
                let (word, state, error) = match why {
                    NotPaid::Refused(refusal) => {
                        (OutcomeWord::Refused, None, Some(refusal.code().to_owned()))
                    }
                    NotPaid::Closed => (OutcomeWord::Refused, Some("TRADE_CLOSED"), None),
                    NotPaid::Cancelled { .. } | NotPaid::Refunded { .. } => {
                        (OutcomeWord::Refused, Some("TRADE_CLOSED"), None)
                    }
                    // Nobody answered, so it is not a refusal; but nobody has paid either.
                    NotPaid::NeverSent(_) => {
                        (OutcomeWord::Unknown, None, Some("not_sent".to_owned()))
                    }
                    _ => (OutcomeWord::Refused, None, None),
                };
                (word, state, error, format!("not paid: {why}"))
            }
            Ending::Unknown(stuck) => {
                let line = format!("unknown whether paid: {stuck}; do not hand over the goods yet");
                let error = Some(stuck.name().to_owned());
                (OutcomeWord::Unknown, None, error, line)
            }
            _ => {
                let line = "unknown whether paid".to_owned();
                (OutcomeWord::Unknown, None, None, line)
            }
        };
        let report = Self {
            state,
            error,
            ..Self::new(word, id)
        };
        report.priced(amount).told(line)
    }

    /// Of a single pay.
    pub(crate) fn of_pay(outcome: &Outcome<Receipt>, id: &PartnerTransId, amount: Amount) -> Self {
        match outcome {
            Outcome::Success(receipt) => Self::paid(receipt),
            Outcome::Unknown(spotpay_client::Doubt::Waiting { alipay_trans_id }) => {
                let report = Self {
                    state: Some("WAIT_BUYER_PAY"),
                    ..Self::new(OutcomeWord::Unknown, id)
                };
                report
                    .priced(amount)
                    .numbered(alipay_trans_id.as_ref())
                    .told("unknown: the buyer has to confirm; query, then cancel".to_owned())
            }
            Outcome::Refused(_) | Outcome::Unknown(_) | _ => {
                Self::not_done(outcome, id, "not paid").priced(amount)
            }
        }
    }

    /// Of a query: it worked when the trade is there, paid or not.
    pub(crate) fn of_query(outcome: &Outcome<Found>, id: &PartnerTransId) -> Self {
        match outcome {
            Outcome::Success(found) => {
                let inst = found.payment_inst.map(spotpay_client::PaymentInst::as_str);
                let with = inst.map(|inst| format!(" with {inst}")).unwrap_or_default();
                let report = Self {
                    state: Some(found.status.as_str()),
                    payment_inst: inst,
                    ..Self::new(OutcomeWord::Success, id)
                };
                report
                    .priced(found.amount)
                    .numbered(Some(&found.alipay_trans_id))
                    .told(format!("{} {}{with}", found.status, found.amount.money()))
            }
            Outcome::Refused(_) | Outcome::Unknown(_) | _ => {
                Self::not_done(outcome, id, "no answer about the trade")
            }
        }
    }

    /// Of a cancel.
    pub(crate) fn of_cancel(
        outcome: &Outcome<spotpay_client::Cancelled>,
        id: &PartnerTransId,
    ) -> Self {
        match outcome {
            Outcome::Success(done) => {
                let line = match done.action {
                    Some(spotpay_client::Action::Refund) => "cancelled, the money went back",
                    Some(spotpay_client::Action::Close) => "cancelled, no money had moved",
                    None => "cancelled, nothing was left to do",
                };
                // Without a number there never was a trade, so it has no state.
                let state = done.trade_no.as_ref().map(|_| "TRADE_CLOSED");
                let report = Self {
                    state,
                    ..Self::new(OutcomeWord::Success, id)
                };
                report
                    .numbered(done.trade_no.as_ref())
                    .told(line.to_owned())
            }
            Outcome::Refused(_) | Outcome::Unknown(_) | _ => {
                Self::not_done(outcome, id, "not cancelled")
            }
        }
    }

    /// Of a refund.
    pub(crate) fn of_refund(
        outcome: &Outcome<Refunding>,
        id: &PartnerTransId,
        refund_id: &PartnerRefundId,
        amount: Amount,
    ) -> Self {
        let (state, line, receipt) = match outcome {
            Outcome::Success(Refunding::Refunded(receipt)) => ("REFUNDED", "refunded", receipt),
            Outcome::Success(Refunding::Accepted(receipt)) => {
                ("ACCEPTED", "accepted, not refunded yet:", receipt)
            }
            Outcome::Success(_) | Outcome::Refused(_) | Outcome::Unknown(_) | _ => {
                let report = Self::new(OutcomeWord::Unknown, id).of_refund_id(refund_id);
                return report.failed(outcome, "not refunded").priced(amount);
            }
        };
        let report = Self {
            state: Some(state),
            ..Self::new(OutcomeWord::Success, id)
        };
        report
            .of_refund_id(refund_id)
            .priced(receipt.amount)
            .numbered(Some(&receipt.alipay_trans_id))
            .told(format!("{line} {}", receipt.amount.money()))
    }

    /// Of a query of a refund: it worked when there is one, done or not.
    pub(crate) fn of_refund_query(
        outcome: &Outcome<FoundRefund>,
        id: &PartnerTransId,
        refund_id: &PartnerRefundId,
    ) -> Self {
        let Outcome::Success(found) = outcome else {
            let report = Self::new(OutcomeWord::Unknown, id).of_refund_id(refund_id);
            return report.failed(outcome, "no answer about the refund");
        };
        let (state, line) = match found.status {
            RefundStatus::Success => ("REFUNDED", "refunded"),
            RefundStatus::Processing => ("ACCEPTED", "accepted, not refunded yet"),
            RefundStatus::Failed => ("FAILED", "failed, nothing went back"),
            RefundStatus::Cancelled => (
                "CANCELED",
                "the trade was cancelled first, which gave all back",
            ),
        };
        let amount = found.amount.map(|amount| format!(": {}", amount.money()));
        let why = found.error.as_ref().map(|code| format!(" ({code})"));
        let report = Self {
            state: Some(state),
            error: found.error.as_ref().map(ToString::to_string),
            amount: found.amount.map(|amount| amount.money().major()),
            currency: found.amount.map(|amount| amount.currency().code()),
            ..Self::new(OutcomeWord::Success, id)
        };
        let (amount, why) = (amount.unwrap_or_default(), why.unwrap_or_default());
        report
            .of_refund_id(refund_id)
            .numbered(Some(&found.trade_no))
            .told(format!("{line}{amount}{why}"))
    }

    fn not_done<T>(outcome: &Outcome<T>, id: &PartnerTransId, what: &str) -> Self {
        Self::new(OutcomeWord::Unknown, id).failed(outcome, what)
    }

    /// Of what was refused, or is not known.
    fn failed<T>(self, outcome: &Outcome<T>, what: &str) -> Self {
        let (outcome, error, line) = not_done(outcome, what);
        let report = Self {
            outcome,
            error,
            ..self
        };
        report.told(line)
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.outcome.exit()
    }

    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Prints it, in one of the two ways.
    pub(crate) fn print(&self, json: bool) -> Exit {
        if json {
            print_json(self);
        } else {
            print(&self.line);
        }
        self.exit()
    }
}

/// What is said of an outcome that is no success: the word, the code, and the line.
pub(crate) fn not_done<T>(
    outcome: &Outcome<T>,
    what: &str,
) -> (OutcomeWord, Option<String>, String) {
    match outcome {
        Outcome::Refused(refusal) => (
            OutcomeWord::Refused,
            Some(refusal.code().to_owned()),
            format!("{what}: refused: {refusal}"),
        ),
        Outcome::Unknown(doubt) => (
            OutcomeWord::Unknown,
            Some(doubt.name().to_owned()),
            format!("unknown: {doubt}"),
        ),
        Outcome::Success(_) | _ => (OutcomeWord::Unknown, None, "unknown".to_owned()),
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
