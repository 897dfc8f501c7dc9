//! What the demo writes: a line a step, the closing table, or one JSON object.

use std::io::IsTerminal as _;

use serde::Serialize;
use spotpay_client::{Currency, Money, Timestamp};

use super::script::{Row, SHOPS, Sign};
use crate::machine;
use crate::output;

/// What came of a step, or must.
#[derive(PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    pub(super) result: String,
    /// The change of the buyer's wallet.
    pub(super) wallet: String,
    /// The change of our income.
    pub(super) commission: String,
}

impl Seen {
    /// Of a step that was not played to its end.
    pub(super) fn nothing() -> Self {
        Self {
            result: "it did not come to its end".to_owned(),
            wallet: "not looked at".to_owned(),
            commission: "not looked at".to_owned(),
        }
    }
}

/// One step as it was played.
#[derive(Serialize)]
pub(super) struct Step {
    part: &'static str,
    at: String,
    shop: &'static str,
    buyer: &'static str,
    what: &'static str,
    partner_trans_id: &'static str,
    amount: &'static str,
    currency: &'static str,
    expected: Seen,
    got: Seen,
    as_expected: bool,
    #[serde(skip)]
    time: String,
}

impl Step {
    pub(super) fn new(row: &'static Row, currency: Currency, at: Timestamp, got: Seen) -> Self {
        let expected = Seen {
            result: row.result.to_owned(),
            wallet: row.moved.to_owned(),
            commission: row.commission.to_owned(),
        };
        let time = at.spaced().split_off("2026-11-23 ".len());
        Self {
            part: "",
            at: at.to_string(),
            shop: row.shop,
            buyer: row.wallet,
            what: row.what,
            partner_trans_id: row.id,
            amount: row.amount,
            currency: currency.code(),
            as_expected: expected == got,
            expected,
            got,
            time,
        }
    }
}

/// One line of the closing table.
#[derive(Serialize)]
pub(super) struct Check {
    about: &'static str,
    name: String,
    before: Option<String>,
    expected: String,
    got: String,
    as_expected: bool,
}

impl Check {
    pub(super) fn new(about: &'static str, name: &str, expected: &str, got: String) -> Self {
        Self {
            about,
            name: name.to_owned(),
            before: None,
            expected: expected.to_owned(),
            as_expected: expected == got,
            got,
        }
    }

    pub(super) fn from(self, before: String) -> Self {
        Self {
            before: Some(before),
            ..self
        }
    }
}

/// `39.30 HKD`.
pub(super) fn with_currency(money: Money) -> String {
    format!("{} {}", money.major(), money.currency())
}

/// `-39.30 HKD`, `+0.47 HKD`, `0.00 HKD`.
pub(super) fn signed(money: Money) -> String {
    let plus = if money.minor() > 0 { "+" } else { "" };
    format!("{plus}{}", with_currency(money))
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Soft,
    Good,
    Bad,
}

/// The whole day on paper.
pub(super) struct Paper {
    json: bool,
    coloured: bool,
    steps: Vec<Step>,
    closing: Vec<Check>,
    stopped: Vec<String>,
}

/// What is printed with `--json`.
#[derive(Serialize)]
struct Report<'a> {
    outcome: &'static str,
    steps: &'a [Step],
    closing: &'a [Check],
    /// What kept the day from being played to its end.
    stopped: &'a [String],
}

impl Paper {
    pub(super) fn new(json: bool) -> Self {
        let dumb = machine::variable("TERM").is_some_and(|term| term == "dumb");
        let plain = dumb || machine::variable("NO_COLOR").is_some();
        Self {
            json,
            coloured: !plain && std::io::stdout().is_terminal(),
            steps: Vec::new(),
            closing: Vec::new(),
            stopped: Vec::new(),
        }
    }

    fn ink(&self, ink: Ink, text: &str) -> String {
        let number = match ink {
            Ink::Bold => 1,
            Ink::Soft => 2,
            Ink::Good => 32,
            Ink::Bad => 31,
        };
        if self.coloured {
            format!("\x1b[{number}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(&self, line: &str) {
        if !self.json {
            output::print(line.trim_end());
        }
    }

    fn mark(&self, as_expected: bool) -> String {
        if as_expected {
            self.ink(Ink::Good, "ok")
        } else {
            self.ink(Ink::Bad, "NOT AS EXPECTED")
        }
    }

    /// The title and the heads of the columns.
    pub(super) fn opening(&self, origin: &str) {
        let signs = SHOPS.iter().map(|shop| {
            let sign = match shop.sign {
                Sign::Md5 => "MD5",
                Sign::Rsa => "RSA",
                Sign::Rsa2 => "RSA2",
            };
            format!("{} signs {sign}", shop.name)
        });
        let signs = signs.collect::<Vec<_>>().join(", ");
        self.line(&self.ink(Ink::Bold, "A shop's day"));
        self.line(&format!("Gateway {origin}, on a fresh store; {signs}."));
        self.line("Times are the sandbox clock's, GMT+8; a till that waits moves it.");
        self.line(
            "A result in capitals is a refusal's code; `wallet` and `commission` are what changed.",
        );
        self.line("A line ends in `ok` when all three are what they must be.");
        self.line("");
        let heads = row([
            "time",
            "shop",
            "what happens",
            "amount",
            "result",
            "wallet",
            "commission",
        ]);
        self.line(&self.ink(Ink::Soft, &heads));
    }

    pub(super) fn part(&self, title: &str) {
        self.line("");
        self.line(&self.ink(Ink::Bold, title));
    }

    pub(super) fn step(&mut self, part: &'static str, step: Step) {
        let amount = format!("{} {}", step.amount, step.currency);
        let got = &step.got;
        let columns = row([
            &step.time,
            step.shop,
            step.what,
            &amount,
            &got.result,
            &got.wallet,
            &got.commission,
        ]);
        self.line(&format!("{columns}  {}", self.mark(step.as_expected)));
        if !step.as_expected {
            let must = &step.expected;
            let text = format!(
                "          it must be: {}; wallet {}; commission {}",
                must.result, must.wallet, must.commission
            );
            self.line(&self.ink(Ink::Bad, &text));
        }
        self.steps.push(Step { part, ..step });
    }

    pub(super) fn closing(&self) {
        self.part("The day is over: what is left, and what must be");
        let heads = closing_row("", "", "before", "after", "expected");
        self.line(&self.ink(Ink::Soft, &heads));
    }

    pub(super) fn check(&mut self, check: Check) {
        let last = self.closing.last().map(|last| last.about);
        let about = if last == Some(check.about) {
            ""
        } else {
            check.about
        };
        let before = check.before.as_deref().unwrap_or_default();
        let columns = closing_row(about, &check.name, before, &check.got, &check.expected);
        self.line(&format!("{columns}  {}", self.mark(check.as_expected)));
        self.closing.push(check);
    }

    /// The day does not go on.
    pub(super) fn stopped(&mut self, why: &str) {
        let text = format!("The demo could not go on: {why}");
        if self.json {
            output::say(&text);
        } else {
            self.line(&self.ink(Ink::Bad, &text));
        }
        self.stopped.push(why.to_owned());
    }

    fn wrong(&self) -> (usize, usize) {
        let steps = self.steps.iter().filter(|it| !it.as_expected).count();
        let lines = self.closing.iter().filter(|it| !it.as_expected).count();
        (steps, lines)
    }

    fn is_played(&self) -> bool {
        self.stopped.is_empty() && !self.closing.is_empty()
    }

    fn is_good(&self) -> bool {
        self.is_played() && self.wrong() == (0, 0)
    }

    /// The last line, or the object; whether all was as expected.
    pub(super) fn ending(&self, millis: i64) -> bool {
        let good = self.is_good();
        if self.json {
            output::print_json(&Report {
                outcome: if good { "as_expected" } else { "differs" },
                steps: &self.steps,
                closing: &self.closing,
                stopped: &self.stopped,
            });
            return good;
        }
        let took = format!("{}.{:02} s", millis / 1_000, millis % 1_000 / 10);
        let count = self.steps.len();
        let (ink, text) = if good {
            let text = format!("All {count} steps came out as expected, and the books balance.");
            (Ink::Good, text)
        } else {
            let (lines, (wrong_steps, wrong_lines)) = (self.closing.len(), self.wrong());
            let text = format!(
                "Not as expected: {wrong_steps} of {count} steps, {wrong_lines} of {lines} closing \
                 lines{}.",
                if self.is_played() {
                    ""
                } else {
                    "; the day was not played to its end"
                }
            );
            (Ink::Bad, text)
        };
        self.line("");
        self.line(&format!("{} It took {took}.", self.ink(ink, &text)));
        if good {
            self.line("Try it yourself: `spotpay serve`, and in another terminal");
            self.line("`spotpay pay --code \"$(spotpay code --wallet alice)\" --amount 39.30`.");
        }
        good
    }
}

fn row([time, shop, what, amount, result, wallet, commission]: [&str; 7]) -> String {
    format!(
        "{time:<8}  {shop:<9}  {what:<30}  {amount:>10}  {result:<27}  {wallet:>11}  {commission:>10}"
    )
}

fn closing_row(about: &str, name: &str, before: &str, after: &str, expected: &str) -> String {
    format!("{about:<19}  {name:<33}  {before:>13}  {after:>13}  {expected:>13}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::script::DAY;

    fn played(result: &str, wallet: &str) -> Step {
        let row = &DAY[0].rows[0];
        let got = Seen {
            result: result.to_owned(),
            wallet: wallet.to_owned(),
            commission: row.commission.to_owned(),
        };
        Step::new(row, Currency::HKD, Timestamp::from_seconds(0), got)
    }

    // Goal: a demo ends well only when every step and every closing line is as expected.
    #[test]
    fn ends_well_or_not() {
        let (result, moved) = (DAY[0].rows[0].result, DAY[0].rows[0].moved);
        for (got, wallet, sum, stopped, good) in [
            (result, moved, Some("0.00"), None, true),
            ("closed, not paid", moved, Some("0.00"), None, false),
            (result, "-78.60 HKD", Some("0.00"), None, false),
            (result, moved, Some("0.01"), None, false),
            (result, moved, None, None, false),
            (
                result,
                moved,
                Some("0.00"),
                Some("the gateway is gone"),
                false,
            ),
        ] {
            let sum = sum.map(|sum: &str| Check::new("sum", "HKD", "0.00", sum.to_owned()));
            let paper = Paper {
                steps: vec![played(got, wallet)],
                closing: sum.into_iter().collect(),
                stopped: stopped.map(str::to_owned).into_iter().collect(),
                ..Paper::new(true)
            };
            assert_eq!(paper.is_good(), good, "{got} {wallet} {stopped:?}");
        }
    }

    #[test]
    fn changes_have_a_sign() {
        for (minor, expected) in [(47, "+0.47 HKD"), (0, "0.00 HKD"), (-3_930, "-39.30 HKD")] {
            assert_eq!(signed(Money::of_minor(minor, Currency::HKD)), expected);
        }
    }

    // Goal: no text of the day breaks its column.
    #[test]
    fn the_day_fits_its_columns() {
        for row in DAY.iter().flat_map(|part| part.rows) {
            let widths = [
                (row.what, 30),
                (row.result, 27),
                (row.moved, 11),
                (row.commission, 10),
            ];
            for (text, width) in widths {
                assert!(text.chars().count() <= width, "{text}");
            }
        }
    }
}
