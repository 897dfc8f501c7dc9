//! `spotpay sim`: seeded worlds that try to break the gateway, played beside each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Args as Arguments;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use spotpay_sim::canary::Canary;
use spotpay_sim::world::{Failure, Play, Tally, play};

use crate::output::{self, Exit, Failure as Refused};

/// Worlds between two lines of progress.
const WORLDS_PER_LINE: u64 = 500;

/// Play seeded worlds that try to break the gateway
#[derive(Arguments, Debug)]
#[command(
    after_help = "Example:\n  spotpay sim --seed 42 --steps 5000\n  spotpay sim --seeds 10000\n\n\
    A world is tills, buyers and receivers around the real client, gateway and store, on a network that \
    loses, repeats and delays, and on a disk in memory that fails and forgets. The same seed is the same \
    world. Exit 1: something was wrong in one; its seed, the step and the trace are on standard error."
)]
pub(crate) struct Args {
    /// The first world
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Noisy steps of each world; a quiet end comes on top
    #[arg(long, value_name = "M", default_value_t = 2_000)]
    steps: u64,
    /// How many worlds, one after another
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    seeds: u64,
    /// A gateway with a mistake instead of the real one: the worlds must find it
    #[arg(long, value_name = "MISTAKE", value_parser = PossibleValuesParser::new(Canary::ALL.map(Canary::name)))]
    broken: Option<String>,
    /// One JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize, Default)]
struct Report {
    seeds: u64,
    steps: u64,
    deaths: u64,
    power_cuts: u64,
    disk_faults: u64,
    answers_checked: u64,
    notifications_believed: u64,
    trades: u64,
    refunds: u64,
    batches: u64,
    files: u64,
    hash: String,
    failed: Option<Failed>,
}

#[derive(Serialize)]
struct Failed {
    seed: u64,
    step: u64,
    reason: String,
}

/// What all threads share.
struct Score {
    next: AtomicU64,
    is_over: AtomicBool,
    sums: Mutex<(Report, u64, Option<Box<Failure>>)>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Refused> {
    let canary = Canary::ALL
        .into_iter()
        .find(|canary| Some(canary.name()) == args.broken.as_deref());
    let score = Score {
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        sums: Mutex::default(),
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(args, canary, &score));
        }
    });
    let (mut report, hash, failure) = score
        .sums
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    report.hash = format!("{hash:016x}");
    if let Some(failure) = &failure {
        output::say(&failure.to_string());
        report.failed = Some(Failed {
            seed: failure.seed,
            step: failure.step,
            reason: failure.reason.clone(),
        });
    }
    if args.json {
        output::print_json(&report);
    } else {
        tell(&report);
    }
    Ok(if failure.is_some() {
        Exit::Refused
    } else {
        Exit::Success
    })
}

/// Plays the next world until there is none, or one failed.
fn work(args: &Args, canary: Option<Canary>, score: &Score) {
    while !score.is_over.load(Ordering::Relaxed) {
        let place = score.next.fetch_add(1, Ordering::Relaxed);
        if args.seeds <= place {
            return;
        }
        let world = Play {
            seed: args.seed.wrapping_add(place),
            steps: args.steps,
            canary,
        };
        let played = catch_unwind(AssertUnwindSafe(|| play(&world)));
        let played = played.unwrap_or_else(|_| {
            Err(Box::new(Failure {
                seed: world.seed,
                step: 0,
                reason: "the world itself panicked".to_owned(),
                trace: Vec::new(),
            }))
        });
        let mut sums = score
            .sums
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match played {
            Ok(tally) => {
                // In whatever order worlds end, the sum is the same.
                sums.1 = sums.1.wrapping_add(tally.hash);
                add(&mut sums.0, &tally);
                let report = &sums.0;
                if report.seeds.is_multiple_of(WORLDS_PER_LINE) {
                    let Report {
                        seeds,
                        steps,
                        deaths,
                        ..
                    } = report;
                    output::say(&format!(
                        "{seeds} worlds, {steps} steps, {deaths} deaths of the gateway"
                    ));
                }
            }
            Err(failure) => {
                score.is_over.store(true, Ordering::Relaxed);
                sums.2.get_or_insert(failure);
            }
        }
    }
}

fn add(report: &mut Report, tally: &Tally) {
    let count = |count: usize| u64::try_from(count).unwrap_or(0);
    report.seeds += 1;
    report.steps += tally.steps;
    report.deaths += tally.deaths;
    report.power_cuts += tally.power_cuts;
    report.disk_faults += tally.disk_faults;
    report.answers_checked += tally.answers;
    report.notifications_believed += tally.letters;
    report.trades += count(tally.trades);
    report.refunds += count(tally.refunds);
    report.batches += count(tally.batches);
    report.files += count(tally.files);
}

fn tell(report: &Report) {
    let rows = [
        ("worlds that held", report.seeds),
        ("steps", report.steps),
        ("deaths of the gateway", report.deaths),
        ("power cuts among them", report.power_cuts),
        ("faults of the disk", report.disk_faults),
        ("answers checked", report.answers_checked),
        ("notifications believed", report.notifications_believed),
        ("trades", report.trades),
        ("refunds", report.refunds),
        ("settlement batches", report.batches),
        ("published files", report.files),
    ];
    for (what, count) in rows {
        output::print(&format!("{count:>12}  {what}"));
    }
    output::print(&format!(
        "{:>12}  hash of all traces and disks",
        report.hash
    ));
}
