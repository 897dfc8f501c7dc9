//! `spotpay demo`: a shop's day against a gateway of its own, with every outcome foretold.
//!
//! The gateway is a second process on a temporary store and is reached through HTTP only; the tills
//! are the merchant SDK with its journal. The day runs on the sandbox clock: a till that waits moves
//! that clock, so that the day takes no longer than its requests do.

mod books;
mod day_end;
mod paper;
mod play;
mod script;
mod shop;

use std::path::Path;

use anyhow::Context as _;
use spotpay_client::{Pace as _, SystemPace};

use self::paper::Paper;
use self::play::Stage;
use crate::companion::Companion;
use crate::output::{Exit, Failure};

/// Play a shop's day through real HTTP, and check every step of it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  spotpay demo\n  spotpay demo --json\n\n\
    It needs no network and leaves nothing behind: the gateway listens on a free port of this \
    machine, with a store in a temporary folder.\n\
    Exit 0: every step came out as expected, and the books balance. Exit 1: something did not.")]
pub(crate) struct Args {
    /// Print one JSON object on standard output, and nothing else there
    #[arg(long)]
    json: bool,
}

/// Plays the day.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let folder = tempfile::tempdir()
        .context("there is no temporary folder")
        .map_err(|error| not_begun(&error, args.json))?;
    let data = folder.path().join("gateway");
    let started = SystemPace::new();
    let gateway = Companion::serve(&data, Some(script::OPENING))
        .map_err(|error| not_begun(&error, args.json))?;
    let mut paper = Paper::new(args.json);
    paper.opening(gateway.origin());
    if let Err(error) = play_all(&data, folder.path(), &mut paper) {
        paper.stopped(&format!("{error:#}"));
    }
    if let Err(error) = gateway.stop() {
        paper.stopped(&format!("{error:#}"));
    }
    let millis = started.monotonic().as_micros() / 1_000;
    Ok(if paper.ending(millis) {
        Exit::Success
    } else {
        Exit::Refused
    })
}

fn not_begun(error: &anyhow::Error, json: bool) -> Failure {
    Failure::refused("not_begun", &format!("{error:#}")).with_json(json)
}

fn play_all(data: &Path, folder: &Path, paper: &mut Paper) -> anyhow::Result<()> {
    let ears = Companion::listen(data, script::LISTENER)?;
    let mut stage = Stage::open(data, folder, ears.origin())?;
    let before = stage.balances()?;
    for part in script::DAY {
        paper.part(part.title);
        for row in part.rows {
            let (step, trouble) = stage.play(row);
            paper.step(part.title, step);
            trouble?;
        }
    }
    books::close(&stage, &before, paper)?;
    day_end::play(&stage, data, folder, paper)?;
    books::heard(&ears.stop()?, paper);
    Ok(())
}
