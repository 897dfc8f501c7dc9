//! How far the work is, for people at a terminal.

use std::io::{IsTerminal as _, Read, Write as _};

/// A line that is written again and again, on a terminal only.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    /// Bytes of all inputs.
    total: u64,
    /// Bytes of the inputs that were read to their end.
    before: u64,
    said: String,
}

impl Progress {
    pub(super) fn on_terminal() -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
            ..Self::silent()
        }
    }

    pub(super) const fn silent() -> Self {
        Self {
            shown: false,
            total: 0,
            before: 0,
            said: String::new(),
        }
    }

    pub(super) const fn expect(&mut self, bytes: u64) {
        self.total = bytes;
    }

    /// So many bytes of the present input were read.
    pub(super) fn read(&mut self, name: &str, bytes: u64) {
        if self.shown {
            let percent = hundredths(self.before.saturating_add(bytes), self.total);
            self.say(format!("reading {percent:3} %  {name}"));
        }
    }

    /// The present input is read.
    pub(super) const fn read_all(&mut self, bytes: u64) {
        self.before = self.before.saturating_add(bytes);
    }

    pub(super) fn match_part(&mut self, part: usize, parts: usize) {
        if self.shown {
            self.say(format!("matching, part {} of {parts}", part + 1));
        }
    }

    fn say(&mut self, line: String) {
        if line != self.said {
            // Nobody is left to see it when the terminal is gone.
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
            self.said = line;
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if !self.said.is_empty() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
            self.said.clear();
        }
    }
}

fn hundredths(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100)
        .checked_div(whole)
        .unwrap_or(0)
        .min(100)
}

/// A source that counts what was taken from it.
#[derive(Debug)]
pub(super) struct Counting<R> {
    source: R,
    pub(super) bytes: u64,
}

impl<R> Counting<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, bytes: 0 }
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}
