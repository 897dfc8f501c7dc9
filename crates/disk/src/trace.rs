//! A running number over all calls, to tell whether two runs were the same.

use crate::disk::Call;

const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// Four numbers side by side, so that a processor works on all of them at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace([u64; 4]);

impl Trace {
    pub(crate) fn call(&mut self, call: Call, file: u64, at: usize, length: usize) {
        let call = match call {
            Call::Create => 1,
            Call::Delete => 2,
            Call::Read => 3,
            Call::Write => 4,
            Call::Truncate => 5,
            Call::Sync => 6,
            Call::Kill => 7,
        };
        let word = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.mix([call, file, word(at), word(length)]);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<32>();
        for block in blocks {
            self.block(block);
        }
        if !rest.is_empty() {
            let mut block = [0; 32];
            block[..rest.len()].copy_from_slice(rest);
            self.block(&block);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        let fold = |sum: u64, lane: &u64| (sum.rotate_left(17) ^ lane).wrapping_mul(MIX);
        self.0.iter().fold(0, fold)
    }

    fn block(&mut self, block: &[u8; 32]) {
        let (words, _) = block.as_chunks::<8>();
        let mut lanes = [0; 4];
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = u64::from_le_bytes(*word);
        }
        self.mix(lanes);
    }

    fn mix(&mut self, words: [u64; 4]) {
        for (lane, word) in self.0.iter_mut().zip(words) {
            *lane = (lane.rotate_left(5) ^ word).wrapping_mul(MIX);
        }
    }
}
