//! `spotpay notify verify`: whether a notification is to be believed.

use clap::{Args, Subcommand};
use spotpay_client::Charset;

use crate::merchant::Merchant;
use crate::output::{self, Exit, Failure};
use crate::raw_request::{form_body, read_bytes};
use crate::received::{Reader, charset};

/// Look at notifications
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay notify verify --body body.txt")]
pub(crate) struct Notify {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    merchant: Merchant,
}

#[derive(Subcommand, Debug)]
enum Action {
    Verify(Verify),
}

/// Verify the body of a notification
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay notify verify --body body.txt\n  \
    spotpay notify verify --body - --partner 2088000000000001 --gateway-key gateway.pem < body.txt\n\n\
    Exit 0 when it is to be believed, 1 when it is not.")]
struct Verify {
    /// The body as it came: a file, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    body: String,
    /// What it is written in: what the partner's requests are written in
    #[arg(long, value_name = "NAME", default_value = "UTF-8", value_parser = charset)]
    charset: Charset,
}

impl Notify {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let Action::Verify(verify) = &self.action;
        let bytes = read_bytes("--body <FILE|->", &verify.body)?;
        let (partner, keys) = self.merchant.gateway_keys()?;
        let mut received = Reader::new(partner, verify.charset, keys).read(form_body(&bytes));
        // Nobody waits for an answer here.
        received.reply = None;
        if self.merchant.json {
            output::print_json(&received);
        } else {
            output::print(&received.line());
        }
        Ok(if received.verified {
            Exit::Success
        } else {
            Exit::Refused
        })
    }
}
