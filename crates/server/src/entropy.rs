//! Where randomness comes from: ids and secrets of new wallets and partners.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The door to randomness. `serve` has the machine's, tests have a seed.
pub trait Entropy: Send + Sync {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's randomness.
#[derive(Debug, Default)]
pub struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the door to the machine's randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            // Without randomness a secret would be guessable: better to stop this request.
            unreachable!("the machine has no randomness")
        }
    }
}

/// A number below a bound, near enough to evenly spread for ids.
pub fn number_below(entropy: &dyn Entropy, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_be_bytes(bytes) % bound.max(1)
}

/// Letters and digits, for keys that people copy.
pub fn letters(entropy: &dyn Entropy, count: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let pick = |_| {
        let place = number_below(entropy, u64::try_from(ALPHABET.len()).unwrap_or(1));
        usize::try_from(place)
            .ok()
            .and_then(|place| ALPHABET.get(place))
            .map_or('a', |letter| char::from(*letter))
    };
    (0..count).map(pick).collect()
}
