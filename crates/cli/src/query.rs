//! `spotpay query`: what became of a trade.

use clap::Args;
use spotpay_client::PartnerTransId;

use crate::merchant::Merchant;
use crate::output::{Exit, Failure, Report};

/// Ask what became of a payment
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay query HK20250101000001 --json")]
pub(crate) struct Query {
    /// The payment's partner_trans_id
    #[arg(value_name = "ID")]
    id: PartnerTransId,
    #[command(flatten)]
    merchant: Merchant,
}

impl Query {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        let till = self.merchant.till();
        let till = till.map_err(|failure| failure.with_report(json, &self.id))?;
        let outcome = till.client.query(&self.id);
        Ok(Report::of_query(&outcome, &self.id).print(json))
    }
}
