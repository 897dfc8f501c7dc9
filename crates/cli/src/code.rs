//! `spotpay code`: a fresh payment code of a sandbox wallet.

use clap::Args;
use serde_json::json;

use crate::merchant::{self, Merchant};
use crate::output::{self, Exit, Failure};

/// Print a fresh payment code of a sandbox wallet
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay code --wallet alice\n  \
    spotpay pay --code \"$(spotpay code --wallet bob)\" --amount 39.30")]
pub(crate) struct Code {
    /// Whose phone: alice, bob, poor, careful, frozen, or one that was made
    #[arg(long, value_name = "NAME", value_parser = wallet_name)]
    wallet: String,
    /// Digits of the code [default: 18]
    #[arg(long, value_name = "18|24", value_parser = ["18", "24"])]
    digits: Option<String>,
    #[command(flatten)]
    merchant: Merchant,
}

/// What fits into a path as it is.
fn wallet_name(text: &str) -> Result<String, String> {
    if merchant::is_plain(text) {
        Ok(text.to_owned())
    } else {
        Err("a wallet's name has letters, digits, '-', '_' and '.'".to_owned())
    }
}

impl Code {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let sandbox = self.merchant.sandbox()?;
        let body = match self.digits.as_deref() {
            Some("24") => json!({ "digits": 24 }),
            Some(_) | None => json!({}),
        };
        let answer = sandbox.post(&format!("/wallets/{}/code", self.wallet), &body)?;
        let code = answer.get("code").and_then(serde_json::Value::as_str);
        let Some(code) = code else {
            let message = "the sandbox's answer has no code";
            return Err(Failure::unknown("unreadable_answer", message));
        };
        if self.merchant.json {
            output::print_json(&answer);
        } else {
            output::print(code);
        }
        Ok(Exit::Success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallet_names() {
        for (name, fits) in [
            ("alice", true),
            ("a.b-c_1", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            ("a?b", false),
            ("茶", false),
        ] {
            assert_eq!(wallet_name(name).is_ok(), fits, "{name}");
        }
    }
}
