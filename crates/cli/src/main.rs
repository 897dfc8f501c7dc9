//! `spotpay`: the one binary. Each command is a module with its arguments and a `run`.

mod bench;
mod cancel;
mod clock;
mod code;
mod companion;
mod demo;
mod duration;
mod files;
mod listen;
mod machine;
mod merchant;
mod notify;
mod output;
mod pay;
mod query;
mod raw_request;
mod received;
mod reconcile;
mod refund;
mod resume;
mod sandbox_file;
mod serve;
mod sign;
mod sim;
mod store;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::output::{Exit, Failure};

/// A payment makes some sixty short allocations on one thread and frees half of them on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An open implementation of the AlipayHK in-store barcode payment system.
#[derive(Parser, Debug)]
#[command(name = "spotpay", version)]
#[command(
    after_help = "Every command exits 0 on success, 1 when the answer is a refusal, \
    2 on bad usage, 3 when the outcome is unknown."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    // The gateway's side; the operators' commands go here.
    /// Run the gateway
    Serve(serve::Args),
    Demo(demo::Args),
    /// Measure how fast it is
    #[command(subcommand)]
    Bench(bench::Command),
    Sim(sim::Args),

    // The merchant's side.
    Code(code::Code),
    Pay(pay::Pay),
    Query(query::Query),
    Cancel(cancel::Cancel),
    Refund(refund::Refund),
    RefundQuery(refund::RefundQuery),
    Resume(resume::Resume),
    Store(store::Store),
    Listen(listen::Listen),
    Notify(notify::Notify),
    Sign(sign::Sign),
    Clock(clock::Clock),
    Files(files::Files),
    Reconcile(reconcile::Reconcile),
}

impl Command {
    fn run(self) -> ExitCode {
        match self {
            Self::Serve(args) => served(serve::run(args)),
            Self::Demo(args) => asked(demo::run(&args)),
            Self::Bench(command) => served(bench::run(command)),
            Self::Sim(args) => asked(sim::run(&args)),
            Self::Code(command) => asked(command.run()),
            Self::Pay(command) => asked(command.run()),
            Self::Query(command) => asked(command.run()),
            Self::Cancel(command) => asked(command.run()),
            Self::Refund(command) => asked(command.run()),
            Self::RefundQuery(command) => asked(command.run()),
            Self::Resume(command) => asked(command.run()),
            Self::Store(command) => asked(command.run()),
            Self::Listen(command) => command.run(),
            Self::Notify(command) => asked(command.run()),
            Self::Sign(command) => asked(command.run()),
            Self::Clock(command) => asked(command.run()),
            Self::Files(command) => asked(command.run()),
            Self::Reconcile(command) => asked(command.run()),
        }
    }
}

/// The end of a merchant's command.
fn asked(result: Result<Exit, Failure>) -> ExitCode {
    result.unwrap_or_else(|failure| failure.tell()).into()
}

/// The end of any other command.
fn served(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        output::say(&format!("error: {error:#}"));
        Exit::Usage.into()
    })
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) => refuse_usage(&error).into(),
    }
}

/// Help goes out as it is; of anything else the first paragraph, in one line.
fn refuse_usage(error: &clap::Error) -> Exit {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if is_help {
        // Nobody is left to hear of it when the terminal is gone.
        let _ = error.print();
        return if error.use_stderr() {
            Exit::Usage
        } else {
            Exit::Success
        };
    }
    output::say(&first_paragraph(&error.render().to_string()));
    Exit::Usage
}

fn first_paragraph(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "main_tests.rs"]
mod tests;
