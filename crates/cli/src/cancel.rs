//! `spotpay cancel`: undo a trade.

use clap::Args;
use spotpay_client::{Pace as _, PartnerTransId, SystemPace};

use crate::merchant::Merchant;
use crate::output::{Exit, Failure, Report};

/// Undo a payment: close it, or give the money back
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay cancel HK20250101000001\n\n\
    When the outcome is unknown (exit 3), run it again.")]
pub(crate) struct Cancel {
    /// The payment's partner_trans_id
    #[arg(value_name = "ID")]
    id: PartnerTransId,
    #[command(flatten)]
    merchant: Merchant,
}

impl Cancel {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        let till = self.merchant.till();
        let till = till.map_err(|failure| failure.with_report(json, &self.id))?;
        let outcome = till.client.cancel(&self.id, SystemPace::new().now());
        Ok(Report::of_cancel(&outcome, &self.id).print(json))
    }
}
