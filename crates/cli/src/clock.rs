//! `spotpay clock`: the sandbox clock.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::duration::Length;
use crate::merchant::Merchant;
use crate::output::{self, Exit, Failure};

/// Show the sandbox clock, or move it forward
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay clock\n  spotpay clock advance 3m\n  \
    spotpay clock set 2026-11-23T23:00:00+08:00"
)]
pub(crate) struct Clock {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    merchant: Merchant,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// What time it is there
    #[command(after_help = "Example:\n  spotpay clock show --json")]
    Show,
    /// Move it forward; every job that is due until then runs first
    #[command(after_help = "Example:\n  spotpay clock advance 3m")]
    Advance {
        /// How far: 90s, 3m, 2h, 1d, 1h30m, PT3M
        #[arg(value_name = "LENGTH")]
        by: Length,
    },
    /// Move it forward to an instant; backwards is refused
    #[command(after_help = "Example:\n  spotpay clock set 2026-11-23T23:00:00+08:00")]
    Set {
        /// RFC 3339, with a zone
        #[arg(value_name = "INSTANT", value_parser = instant)]
        to: String,
    },
}

/// The shape of an RFC 3339 instant; whether there is such a day the sandbox knows.
fn instant(text: &str) -> Result<String, String> {
    const RULE: &str = "an instant is like 2026-11-23T23:00:00+08:00";
    let shape = |text: &str| -> String {
        let digit = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
        text.chars().map(digit).collect()
    };
    let upper = text.to_ascii_uppercase();
    let (day, rest) = upper.split_at_checked(19).ok_or(RULE)?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|letter: char| letter.is_ascii_digit()),
        None => rest,
    };
    let zoned = zone == "Z" || ["+00:00", "-00:00"].contains(&shape(zone).as_str());
    if shape(day) == "0000-00-00T00:00:00" && zoned && !rest.starts_with(".Z") {
        Ok(upper)
    } else {
        Err(RULE.to_owned())
    }
}

impl Clock {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let sandbox = self.merchant.sandbox()?;
        let answer = match self.action {
            None | Some(Action::Show) => sandbox.fetch("/clock")?,
            Some(Action::Advance { by }) => {
                sandbox.post("/clock", &json!({ "advance": by.iso() }))?
            }
            Some(Action::Set { to }) => sandbox.post("/clock", &json!({ "set": to }))?,
        };
        let Some(now) = answer.get("now").and_then(Value::as_str) else {
            let message = "the sandbox's answer has no time";
            return Err(Failure::unknown("unreadable_answer", message));
        };
        if self.merchant.json {
            output::print_json(&answer);
        } else {
            output::print(now);
        }
        Ok(Exit::Success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: what has the shape of an instant, and what has not.
    #[test]
    fn instants() {
        for (text, fits) in [
            ("2026-11-23T23:00:00+08:00", true),
            ("2026-11-23t23:00:00z", true),
            ("2026-11-23T23:00:00.123456-05:30", true),
            ("2026-11-23T23:00:00", false),
            ("2026-11-23 23:00:00+08:00", false),
            ("2026-11-23", false),
            ("2026-11-23T23:00:00.Z", false),
            ("2026-11-23T23:00:00+0800", false),
            ("now", false),
            ("２026-11-23T23:00:00Z", false),
        ] {
            assert_eq!(instant(text).is_ok(), fits, "{text}");
        }
    }
}
