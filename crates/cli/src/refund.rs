//! `spotpay refund` and `spotpay refund-query`: money back, and what became of it.

use clap::Args;
use spotpay_client::{
    Client, Currency, PartnerRefundId, PartnerTransId, RefundMode, RefundOrder, SystemPace,
};

use crate::machine;
use crate::merchant::Merchant;
use crate::output::{self, Exit, Failure, Report};
use crate::pay::{amount, currency};

/// How often a refund whose outcome is not known is sent: somebody waits.
const TRIES: u32 = 5;

/// Give money back, in part or whole
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay refund HK20250101000001 --amount 10.00\n  \
    spotpay refund HK20250101000001 --amount 10.00 --refund-id R1 --async \
    --notify-url http://127.0.0.1:9000/\n\n\
    A refund whose outcome is not known is sent up to 5 times. When it is unknown after that\n\
    (exit 3), run it again with the same --refund-id.\n\
    An asynchronous refund is only accepted; `spotpay refund-query` tells when it is done."
)]
pub(crate) struct Refund {
    /// The payment's partner_trans_id
    #[arg(value_name = "ID")]
    id: PartnerTransId,
    /// How much goes back, such as 10.00
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    amount: String,
    /// The currency of the payment [default: the partner's settlement currency]
    #[arg(long, value_name = "CODE", value_parser = currency)]
    currency: Option<Currency>,
    /// The refund's partner_refund_id, the same when it is run again [default: a new one]
    #[arg(long, value_name = "R")]
    refund_id: Option<PartnerRefundId>,
    /// Let the gateway's batch do it
    #[arg(long = "async")]
    asynchronous: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where to hear that an asynchronous refund is done
    #[arg(long, value_name = "URL", requires = "asynchronous")]
    notify_url: Option<String>,
    #[command(flatten)]
    merchant: Merchant,
}

impl Refund {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Some(refund_id) = self.refund_id.clone().or_else(machine::new_refund_id) else {
            return Err(Failure::missing(
                "no new id could be made; give --refund-id",
            ));
        };
        let json = self.merchant.json;
        let till = self.merchant.till();
        let till =
            till.map_err(|failure| failure.with_refund_report(json, &self.id, &refund_id))?;
        let amount = amount(&self.amount, self.currency.unwrap_or(till.currency))?;
        let mut order = RefundOrder::new(self.id.clone(), refund_id.clone(), amount);
        if self.asynchronous {
            order.mode = RefundMode::Async;
        }
        order.reason = self.reason.as_deref().map(Box::from);
        order.notify_url = self.notify_url.as_deref().map(Box::from);
        let checked = order.check(till.client.settings());
        checked.map_err(|refusal| Failure::missing(refusal.to_string()))?;
        let (money, id) = (amount.money(), &self.id);
        output::say(&format!("refunding {money}; id {id}, refund {refund_id}"));
        let mut settings = till.client.settings().clone();
        settings.patience.refund_tries = TRIES;
        let client = Client::new(settings, till.client.transport().clone());
        let outcome = client.refund(&order, &SystemPace::new());
        Ok(Report::of_refund(&outcome, id, &refund_id, amount).print(json))
    }
}

/// Ask what became of a refund
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay refund-query HK20250101000001 R1 --json\n\n\
    Exit 0 when there is such a refund: its state is REFUNDED, ACCEPTED, FAILED or CANCELED."
)]
pub(crate) struct RefundQuery {
    /// The payment's partner_trans_id
    #[arg(value_name = "ID")]
    id: PartnerTransId,
    /// The refund's partner_refund_id
    #[arg(value_name = "R")]
    refund_id: PartnerRefundId,
    #[command(flatten)]
    merchant: Merchant,
}

impl RefundQuery {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        let (id, refund_id) = (&self.id, &self.refund_id);
        let till = self.merchant.till();
        let till = till.map_err(|failure| failure.with_refund_report(json, id, refund_id))?;
        let outcome = till.client.refund_query(id, refund_id);
        Ok(Report::of_refund_query(&outcome, id, refund_id).print(json))
    }
}
