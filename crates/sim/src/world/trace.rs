//! What happened, as lines: a hash over all of them, and the last ones for whoever looks for a cause.

use std::collections::VecDeque;

/// Lines that are kept.
const KEPT: usize = 20_000;
/// Lines of the end that are always shown.
const END: usize = 40;

/// The lines of one world.
#[derive(Debug)]
pub(super) struct Trace {
    lines: VecDeque<String>,
    hash: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            lines: VecDeque::new(),
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Trace {
    pub(super) fn note(&mut self, line: String) {
        for byte in line.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// FNV-1a over all lines.
    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The end, and before it the lines about the numbers that a text names.
    pub(super) fn about(&self, text: &str) -> Vec<String> {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '-';
        let named: Vec<&str> = text
            .split(|letter| !is_part(letter))
            .filter(|word| word.len() > 3 && word.contains(|letter: char| letter.is_ascii_digit()))
            .collect();
        let tail = self.lines.len().saturating_sub(END);
        let is_shown =
            |place: usize, line: &str| tail <= place || named.iter().any(|word| names(line, word));
        let shown = self.lines.iter().enumerate();
        shown
            .filter(|(place, line)| is_shown(*place, line))
            .map(|(_, line)| line.clone())
            .collect()
    }
}

/// Whether a line names a number, and not one that only begins like it.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let rest = line.get(at + word.len()..).unwrap_or_default();
        !rest.starts_with(|letter: char| letter.is_ascii_digit())
    })
}
