//! `spotpay store`: secondary merchants and their stores.

use clap::{Args, Subcommand};
use serde::Serialize;
use spotpay_client::{
    Driver, FoundStore, Outcome, Pace as _, SecondaryMerchantId, StoreId, StoreOrder, StoreState,
    SystemPace,
};

use crate::merchant::Merchant;
use crate::output::{self, Exit, Failure, OutcomeWord};

/// Register stores, and ask what became of that
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay store status M001 S001")]
pub(crate) struct Store {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    merchant: Merchant,
}

#[derive(Subcommand, Debug)]
enum Action {
    Register(Box<Register>),
    Status(Status),
}

/// Register a store, or say what has changed of it
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay store register --merchant-id M002 --merchant-name 'Tea House Ltd' \
    --store-id S001 --store-name 'Tea House Central' --industry 5499 --country HK \
    --address '1 Queens Road, Hong Kong'\n  \
    spotpay store register --merchant-id M003 --merchant-name 'Lee' --store-id AB1234 \
    --store-name AB1234 --industry 4121 --address 'Hong Kong' --driver 'OP1,Lee,+852 1234 5678'"
)]
struct Register {
    /// The shop's number: letters, digits, - and _
    #[arg(long, value_name = "MERCHANT")]
    merchant_id: String,
    /// Its legal name
    #[arg(long, value_name = "TEXT")]
    merchant_name: String,
    /// The place's number; a taxi's is its number plate
    #[arg(long, value_name = "STORE")]
    store_id: String,
    /// The place's name
    #[arg(long, value_name = "TEXT")]
    store_name: String,
    /// Its merchant category of four digits; 4121 are taxis
    #[arg(long, value_name = "MCC")]
    industry: String,
    /// Where it is, as two capital letters
    #[arg(long, value_name = "CODE", default_value = "HK")]
    country: String,
    /// Its postal address
    #[arg(long, value_name = "TEXT")]
    address: String,
    /// Who drives it, if it is a taxi; for each driver
    #[arg(long, value_name = "OPID,NAME,CONTACT", value_parser = driver)]
    driver: Vec<Driver>,
    /// A further parameter of the request, such as registration_no=12345678
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
}

/// Ask what became of a registration
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  spotpay store status M001 S001 --json\n\n\
    Exit 0 when there is such a registration: its state is SUCCESS, PROCESSING or FAILED.")]
struct Status {
    /// The shop's number
    #[arg(value_name = "MERCHANT")]
    merchant_id: SecondaryMerchantId,
    /// The place's number
    #[arg(value_name = "STORE")]
    store_id: StoreId,
}

fn driver(text: &str) -> Result<Driver, String> {
    let rule = "a driver is like OP1,Lee or OP1,Lee,+852 1234 5678";
    let mut parts = text.splitn(3, ',').map(str::trim);
    let mut part = || parts.next().filter(|part| !part.is_empty());
    Ok(Driver {
        operation_id: part().ok_or(rule)?.to_owned(),
        contact_person: part().ok_or(rule)?.to_owned(),
        contact_way: part().map(str::to_owned),
    })
}

/// A parameter that no other flag says, and that is not for the client to set.
fn field(text: &str) -> Result<(String, String), String> {
    const NAMES: [&str; 15] = [
        "internal_store_photo",
        "external_storefront_photo",
        "secondary_merchant_type",
        "registration_no",
        "register_country",
        "register_address",
        "shareholder_name",
        "shareholder_id",
        "representative_name",
        "representative_id",
        "settlement_no",
        "contact_no",
        "contact_email",
        "cs_no",
        "cs_email",
    ];
    let (name, value) = text.split_once('=').unwrap_or_default();
    if NAMES.contains(&name) && !value.is_empty() {
        return Ok((name.to_owned(), value.to_owned()));
    }
    Err(format!(
        "a parameter is like registration_no=12345678; there are {}",
        NAMES.join(", ")
    ))
}

/// What these commands print with `--json`.
#[derive(Serialize)]
struct StoreReport {
    outcome: OutcomeWord,
    state: Option<&'static str>,
    error: Option<String>,
    secondary_merchant_id: String,
    store_id: String,
    reject_reason: Option<String>,
    #[serde(skip)]
    line: String,
}

impl StoreReport {
    fn new(merchant: &str, store: &str) -> Self {
        Self {
            outcome: OutcomeWord::Unknown,
            state: None,
            error: None,
            secondary_merchant_id: merchant.to_owned(),
            store_id: store.to_owned(),
            reject_reason: None,
            line: String::new(),
        }
    }

    fn of_register(self, outcome: &Outcome<()>) -> Self {
        if let Outcome::Success(()) = outcome {
            let line = "taken; `spotpay store status` tells whether payments may name it";
            return Self {
                outcome: OutcomeWord::Success,
                line: line.to_owned(),
                ..self
            };
        }
        self.failed(outcome, "not registered")
    }

    fn of_status(self, outcome: &Outcome<FoundStore>) -> Self {
        let Outcome::Success(found) = outcome else {
            return self.failed(outcome, "no answer about the store");
        };
        let (state, line, reason) = match &found.state {
            StoreState::Processing => ("PROCESSING", "it is looked at".to_owned(), None),
            StoreState::Verified => ("SUCCESS", "payments may name it".to_owned(), None),
            StoreState::Rejected { reason } => (
                "FAILED",
                format!("rejected: {reason}"),
                Some(reason.to_string()),
            ),
        };
        Self {
            outcome: OutcomeWord::Success,
            state: Some(state),
            reject_reason: reason,
            line: format!("{state}: {line}"),
            ..self
        }
    }

    fn failed<T>(self, outcome: &Outcome<T>, what: &str) -> Self {
        let (outcome, error, line) = output::not_done(outcome, what);
        Self {
            outcome,
            error,
            line,
            ..self
        }
    }

    fn print(&self, json: bool) -> Exit {
        if json {
            output::print_json(self);
        } else {
            let (line, merchant) = (&self.line, &self.secondary_merchant_id);
            output::print(&format!("{line}; store {merchant}/{}", self.store_id));
        }
        self.outcome.exit()
    }
}

impl Store {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let client = self.merchant.till()?.client;
        let now = SystemPace::new().now();
        let report = match &self.action {
            Action::Register(register) => {
                let request = register.order().request(client.settings(), now);
                let request = request.map_err(|refusal| Failure::missing(refusal.to_string()))?;
                StoreReport::new(&register.merchant_id, &register.store_id)
                    .of_register(&client.register_store(&request))
            }
            Action::Status(status) => {
                let (merchant, store) = (&status.merchant_id, &status.store_id);
                StoreReport::new(merchant.as_str(), store.as_str())
                    .of_status(&client.store_status(merchant, store, now))
            }
        };
        Ok(report.print(self.merchant.json))
    }
}

impl Register {
    fn order(&self) -> StoreOrder {
        let mut order = StoreOrder::new(&self.merchant_id, &self.store_id);
        order
            .secondary_merchant_name
            .clone_from(&self.merchant_name);
        order.store_name.clone_from(&self.store_name);
        order.industry.clone_from(&self.industry);
        order.country.clone_from(&self.country);
        order.address.clone_from(&self.address);
        order.drivers.clone_from(&self.driver);
        order.others.clone_from(&self.field);
        order
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
