//! `spotpay resume`: what a till finishes after it lost its power.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use spotpay_client::{Ending, FileJournal, OpenCheckout, SystemPace};

use crate::merchant::{Merchant, Till};
use crate::output::{self, Exit, Failure, Report};
use crate::pay::{journal_failure, journal_path, progress};

/// Finish the checkouts that a till had begun when it stopped
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay resume\n  spotpay resume --paid give-back\n\n\
    Each is queried, and cancelled unless it is paid. Exit 3: some stay open, people have to look."
)]
pub(crate) struct Resume {
    /// What to do with one that turns out to be paid: were the goods handed over?
    #[arg(long, value_name = "WHAT", value_enum, default_value = "leave-open")]
    paid: Paid,
    /// The till's journal [default: till-journal.jsonl in --data DIR]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Finish those of another URL too: it is the same gateway under a new address
    #[arg(long)]
    moved: bool,
    #[command(flatten)]
    merchant: Merchant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Paid {
    /// Only say so
    LeaveOpen,
    /// The goods were handed over: close it as paid
    Accept,
    /// They were not: cancel it
    GiveBack,
}

#[derive(Serialize)]
struct Resumed {
    still_open: usize,
    checkouts: Vec<Report>,
}

impl Resume {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let till = self.merchant.till()?;
        let path = journal_path(&self.journal, &self.merchant)?;
        let mut journal = FileJournal::open(&path).map_err(|error| journal_failure(&error))?;
        if journal.damaged_lines() > 1 {
            let lines = journal.damaged_lines();
            output::say(&format!(
                "warning: {lines} lines of {} cannot be read",
                path.display()
            ));
        }
        let mut checkouts = Vec::new();
        for open in journal.unfinished() {
            if self.is_ours(&open, &till) {
                let report = self.finish(&open, &till, &mut journal)?;
                if !self.merchant.json {
                    output::print(report.line());
                }
                checkouts.push(report);
            }
        }
        let still_open = journal.unfinished().len();
        if self.merchant.json {
            output::print_json(&Resumed {
                still_open,
                checkouts,
            });
        } else if checkouts.is_empty() && still_open == 0 {
            output::print("nothing was unfinished");
        }
        if still_open > 0 {
            output::say(&format!("{still_open} still open"));
            return Ok(Exit::Unknown);
        }
        Ok(Exit::Success)
    }

    fn is_ours(&self, open: &OpenCheckout, till: &Till) -> bool {
        let settings = till.client.settings();
        let same_partner = open.key.partner == settings.partner;
        let ours = till.client.owns(open) || (self.moved && same_partner);
        if !ours {
            let (id, partner) = (&open.key.partner_trans_id, open.key.partner);
            let gateway = &open.key.gateway;
            let hint = "give --partner and --gateway, or --moved if only the address is new";
            output::say(&format!(
                "{id} is of partner {partner} at {gateway}: {hint}"
            ));
        }
        ours
    }

    fn finish(
        &self,
        open: &OpenCheckout,
        till: &Till,
        journal: &mut FileJournal,
    ) -> Result<Report, Failure> {
        let (client, pace) = (&till.client, SystemPace::new());
        let (id, amount) = (&open.key.partner_trans_id, open.amount);
        output::say(&format!(
            "finishing {} of {}; id {id}",
            amount.money(),
            open.begun_at.spaced()
        ));
        let failure = |error| journal_failure(&error);
        let mut ending = client
            .resume(open, journal, &pace, &mut progress())
            .map_err(failure)?;
        if let Ending::Paid(receipt) = &ending {
            match self.paid {
                Paid::LeaveOpen => output::say(
                    "it is paid; were the goods handed over? --paid accept or --paid give-back",
                ),
                Paid::Accept => client
                    .accept(open, receipt, journal, &pace)
                    .map_err(failure)?,
                Paid::GiveBack => {
                    ending = client
                        .give_back(open, journal, &pace, &mut progress())
                        .map_err(failure)?;
                }
            }
        }
        Ok(Report::of_ending(&ending, id, amount))
    }
}
