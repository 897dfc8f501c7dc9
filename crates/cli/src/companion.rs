//! A process of our own beside this one, on a free port: a gateway, or a merchant that listens.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use anyhow::{Context as _, bail};

use crate::machine;

/// `spotpay serve` or `spotpay listen` on a free port.
pub(crate) struct Companion {
    child: Option<Child>,
    origin: String,
    /// Stays open, so that the process may go on writing.
    out: BufReader<ChildStdout>,
}

impl Companion {
    /// A gateway on a folder, the clock of an empty one at an instant if one is given.
    pub(crate) fn serve(data: &Path, clock: Option<&str>) -> anyhow::Result<Self> {
        let mut command = ourselves()?;
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(clock.into_iter().flat_map(|clock| ["--clock", clock]));
        Self::start(&mut command)
    }

    /// A partner of the gateway on a folder that hears notifications.
    pub(crate) fn listen(data: &Path, partner: &str) -> anyhow::Result<Self> {
        let mut command = ourselves()?;
        command
            .args(["listen", "--json", "--port", "0", "--partner", partner])
            .arg("--data")
            .arg(data);
        Self::start(&mut command)
    }

    /// Waits until it listens.
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let level = machine::variable("SPOTPAY_LOG").unwrap_or_else(|| "warn".to_owned());
        let mut child = command
            .env("SPOTPAY_LOG", level)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("it did not start")?;
        let out = child.stdout.take().context("it has no output")?;
        let mut companion = Self {
            child: Some(child),
            origin: String::new(),
            out: BufReader::new(out),
        };
        let mut line = String::new();
        let read = companion.out.read_line(&mut line);
        read.context("it said nothing")?;
        match line.trim().strip_prefix("listening on ") {
            Some(origin) => origin.clone_into(&mut companion.origin),
            None => bail!("it said {line:?} instead of where it listens"),
        }
        Ok(companion)
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Asks it to end, as an operator would; what it printed since it listens.
    pub(crate) fn stop(mut self) -> anyhow::Result<String> {
        let mut printed = String::new();
        let Some(child) = &mut self.child else {
            return Ok(printed);
        };
        // The shell has `kill` where the machine has none.
        let told = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\""])
            .arg(child.id().to_string())
            .status()
            .context("it could not be told to stop")?;
        if !told.success() {
            bail!("it could not be told to stop: {told}");
        }
        let ended = child.wait().context("it could not be awaited")?;
        self.child = None;
        let read = self.out.read_to_string(&mut printed);
        read.context("what it printed could not be read")?;
        if !ended.success() {
            bail!("it was told to stop, and ended with {ended} instead of exit 0");
        }
        Ok(printed)
    }
}

/// Runs one of our own commands to its end.
pub(crate) fn run(args: &[&OsStr]) -> anyhow::Result<Output> {
    let ran = ourselves()?.args(args).stdin(Stdio::null()).output();
    ran.context("it did not start")
}

fn ourselves() -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("our own program is not found")?;
    Ok(Command::new(program))
}

impl Drop for Companion {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Reached on a failure only: nothing is left to be saved.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
