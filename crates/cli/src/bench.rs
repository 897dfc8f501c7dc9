//! `spotpay bench`: how fast, measured over HTTP against a real server with a real disk.

mod days;
mod limits;
mod load;
mod prepare;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

/// Which signature both sides use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sign {
    /// The shared key.
    Md5,
    /// SHA256withRSA, 2048 bits.
    Rsa2,
}

/// What to measure.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example: spotpay bench pay --sign rsa2 --json")]
pub(crate) enum Command {
    /// Payments per second and their latency
    Pay(PayArgs),
    /// Queries per second and their latency, after as many payments as connections
    Query(PayArgs),
    /// The ceilings of this machine, in the same run
    Limits(LimitsArgs),
    /// Settlement of a day's trades
    Settle(DayArgs),
    /// The file of a day's trades
    Files(DayArgs),
    /// A merchant's orders against the file of their day
    Reconcile(DayArgs),
}

/// How to drive the server.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: spotpay bench pay --sign md5 --connections 64 --duration 10s")]
pub(crate) struct PayArgs {
    /// The signature of requests and answers
    #[arg(long, value_enum, default_value_t = Sign::Md5)]
    sign: Sign,
    /// Connections that pay at the same time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// How long to measure, after a warm-up of two seconds
    #[arg(long, default_value = "10s", value_parser = read_duration)]
    duration: Duration,
    /// Open loop: so many payments per second, each timed from the moment it was due
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: Option<u64>,
    /// A running sandbox gateway instead of one of our own
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// All payments at one partner, instead of a thousand
    #[arg(long)]
    hot_merchant: bool,
    /// All payments from one wallet, instead of many
    #[arg(long)]
    hot_wallet: bool,
    /// Partner ids in no order, instead of till by till
    #[arg(long)]
    random_ids: bool,
    /// Trades that are stored before the measurement begins (our own server only)
    #[arg(long, value_name = "N", default_value_t = 0)]
    preload: u64,
    /// Keep the store in this folder instead of a temporary one (our own server only)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which ceilings.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: spotpay bench limits")]
pub(crate) struct LimitsArgs {
    /// How long to measure each
    #[arg(long, default_value = "3s", value_parser = read_duration)]
    duration: Duration,
    /// Payments in one commit of the store alone
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=512))]
    batch: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How long a day is.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: spotpay bench reconcile --rows 10000000")]
pub(crate) struct DayArgs {
    /// Trades to settle, rows of the file, or orders
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    rows: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn read_duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| "it must be a duration such as 10s or 1m".to_owned())?;
    let seconds = match unit {
        "s" | "" => number,
        "m" => number.saturating_mul(60),
        _ => return Err("it must be a duration such as 10s or 1m".to_owned()),
    };
    if (1..=3_600).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err("it must be 1s to 60m".to_owned())
    }
}

/// Runs a measurement.
pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Pay(args) => pay(&args, prepare::Kind::Pay),
        Command::Query(args) => pay(&args, prepare::Kind::Query),
        Command::Limits(args) => limits::run(&args),
        Command::Settle(args) => days::settle(&args),
        Command::Files(args) => days::files(&args),
        Command::Reconcile(args) => days::reconcile(&args),
    }
}

fn pay(args: &PayArgs, kind: prepare::Kind) -> anyhow::Result<ExitCode> {
    let server = match &args.gateway {
        Some(url) => server::Target::running(url)?,
        None => server::Target::start(args)?,
    };
    let outcome = load::measure(&server, args, kind)?;
    let right = outcome.books_balanced;
    if args.json {
        println!("{}", outcome.to_json());
    } else {
        print!("{outcome}");
    }
    server.stop()?;
    Ok(if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What came out.
#[derive(Debug)]
struct Outcome {
    answered: u64,
    measured: Duration,
    histogram: hdrhistogram::Histogram<u64>,
    refused: u64,
    failed: u64,
    server_cpu: Option<Duration>,
    bytes_per_payment: Option<u64>,
    books_balanced: bool,
    books: String,
}

impl Outcome {
    fn per_second(&self) -> u64 {
        let micros = u64::try_from(self.measured.as_micros()).unwrap_or(1).max(1);
        self.answered.saturating_mul(1_000_000) / micros
    }

    fn cpu_us(&self) -> Option<u64> {
        let cpu = u64::try_from(self.server_cpu?.as_micros()).ok()?;
        Some(cpu / self.answered.max(1))
    }

    /// Microseconds of a quantile, as milliseconds with two decimals.
    fn millis(&self, per_mille_of_ten: u64) -> String {
        let count = self.histogram.len().saturating_mul(per_mille_of_ten) / 10_000;
        let micros = if per_mille_of_ten >= 10_000 {
            self.histogram.max()
        } else {
            value_at(&self.histogram, count)
        };
        format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
    }

    fn to_json(&self) -> serde_json::Value {
        let millis = |place| self.millis(place).parse::<serde_json::Number>().ok();
        json!({
            "payments_per_s": self.per_second(),
            "p50_ms": millis(5_000),
            "p99_ms": millis(9_900),
            "p999_ms": millis(9_990),
            "max_ms": millis(10_000),
            "refused": self.refused,
            "failed": self.failed,
            "server_cpu_us_per_payment": self.cpu_us(),
            "bytes_per_payment": self.bytes_per_payment,
            "books_balanced": self.books_balanced,
        })
    }
}

/// The value below which so many recorded values lie.
fn value_at(histogram: &hdrhistogram::Histogram<u64>, count: u64) -> u64 {
    let mut seen = 0;
    for value in histogram.iter_recorded() {
        seen += value.count_since_last_iteration();
        if seen >= count {
            return value.value_iterated_to();
        }
    }
    histogram.max()
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or_dash = |value: Option<u64>, unit: &str| {
            value.map_or("-".to_owned(), |value| format!("{value} {unit}"))
        };
        writeln!(
            f,
            "answered            {} in {:.1?}",
            self.answered, self.measured
        )?;
        writeln!(f, "per second          {}", self.per_second())?;
        writeln!(
            f,
            "latency ms          p50 {}  p99 {}  p99.9 {}  max {}",
            self.millis(5_000),
            self.millis(9_900),
            self.millis(9_990),
            self.millis(10_000)
        )?;
        writeln!(f, "refused, failed     {}, {}", self.refused, self.failed)?;
        writeln!(
            f,
            "server CPU          {}",
            or_dash(self.cpu_us(), "us each")
        )?;
        writeln!(
            f,
            "disk                {}",
            or_dash(self.bytes_per_payment, "bytes each")
        )?;
        writeln!(f, "books               {}", self.books)
    }
}
