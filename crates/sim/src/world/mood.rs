//! How bad a world is. Each has its own mood, so that rare mixes of faults come up too.

/// Chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mood {
    /// A message is lost.
    pub(super) lose: u16,
    /// A message arrives twice.
    pub(super) repeat: u16,
    /// A message takes seconds or minutes.
    pub(super) delay: u16,
    /// A receiver does not acknowledge.
    pub(super) deaf: u16,
    /// At each trouble: the disk fails in some way.
    pub(super) disk: u16,
    /// At each trouble: the process is killed.
    pub(super) kill: u16,
    /// At each trouble: the power goes.
    pub(super) power: u16,
    /// At each trouble: a till goes off.
    pub(super) till: u16,
    /// At each trouble: the wall clock is set.
    pub(super) clock: u16,
    /// At each trouble: hours go by.
    pub(super) hours: u16,
}

impl Mood {
    pub(super) fn draw(rng: &mut fastrand::Rng) -> Self {
        let mut of = |chances: [u16; 4]| chances[rng.usize(..4)];
        Self {
            lose: of([0, 10, 50, 250]),
            repeat: of([0, 10, 50, 250]),
            delay: of([0, 10, 50, 250]),
            deaf: of([0, 50, 200, 700]),
            disk: of([0, 20, 100, 400]),
            kill: of([0, 20, 50, 150]),
            power: of([0, 20, 50, 150]),
            till: of([0, 10, 30, 100]),
            clock: of([0, 0, 10, 50]),
            hours: of([10, 20, 40, 80]),
        }
    }
}

/// Whether something with so many chances in a thousand happens.
pub(super) fn happens(rng: &mut fastrand::Rng, chances: u16) -> bool {
    rng.u16(..1_000) < chances
}
