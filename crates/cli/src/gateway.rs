//! A gateway of our own: this program as a process beside this one, on a free port.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::machine;

/// `spotpay serve` on a free port.
pub(crate) struct Gateway {
    child: Option<Child>,
    origin: String,
    /// Stays open, so that the process may go on writing.
    _out: BufReader<ChildStdout>,
}

impl Gateway {
    /// Starts it on a folder, the clock of an empty one at an instant if one is given, and waits
    /// until it listens.
    pub(crate) fn start(data: &Path, clock: Option<&str>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("our own program is not found")?;
        let level = machine::variable("SPOTPAY_LOG").unwrap_or_else(|| "warn".to_owned());
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(clock.into_iter().flat_map(|clock| ["--clock", clock]))
            .env("SPOTPAY_LOG", level)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the gateway did not start")?;
        let out = child.stdout.take().context("the gateway has no output")?;
        let mut gateway = Self {
            child: Some(child),
            origin: String::new(),
            _out: BufReader::new(out),
        };
        let mut line = String::new();
        let read = gateway._out.read_line(&mut line);
        read.context("the gateway said nothing")?;
        match line.trim().strip_prefix("listening on ") {
            Some(origin) => origin.clone_into(&mut gateway.origin),
            None => bail!("the gateway said {line:?} instead of where it listens"),
        }
        Ok(gateway)
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Asks it to end, as an operator would.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        // The shell has `kill` where the machine has none.
        let told = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\""])
            .arg(child.id().to_string())
            .status()
            .context("the gateway could not be told to stop")?;
        if !told.success() {
            bail!("the gateway could not be told to stop: {told}");
        }
        let ended = child.wait().context("the gateway could not be awaited")?;
        self.child = None;
        if !ended.success() {
            bail!("the gateway was told to stop, and ended with {ended} instead of exit 0");
        }
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Reached on a failure only: nothing is left to be saved.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
