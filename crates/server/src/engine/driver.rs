//! Runs the engine with real time: one thread that decides and commits, one that moves the WAL.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the driver: it owns the engine's threads"
)]

use std::thread::JoinHandle;

use spotpay_core::time::Span;
use spotpay_store::sqlite::{Checkpointer, WalGauge};

use super::Engine;

/// How often doubt is looked at again.
const DOUBT_PAUSE: Span = Span::millis(100);
/// The longest wait: a moved clock must not wait for a sleeping engine.
const IDLE_MAX: Span = Span::seconds(1);

/// The engine's threads; they end when its handle is closed.
#[derive(Debug)]
pub struct Driver {
    engine: JoinHandle<()>,
}

impl Driver {
    /// Starts the threads.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub fn start(
        engine: Engine,
        gauge: WalGauge,
        checkpointer: Checkpointer,
    ) -> std::io::Result<Self> {
        let mover = std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn({
                let gauge = gauge.clone();
                move || move_pages(checkpointer, &gauge)
            })?;
        let engine = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                drive(engine, || {
                    if gauge.is_full() {
                        mover.thread().unpark();
                    }
                });
            })?;
        Ok(Self { engine })
    }

    /// Waits for the engine to decide what is left. Close its handle first.
    pub fn join(self) {
        if self.engine.join().is_err() {
            tracing::error!("the engine's thread panicked");
        }
    }
}

fn drive(mut engine: Engine, after_round: impl Fn()) {
    loop {
        let step = engine.step();
        after_round();
        if engine.in_doubt() {
            std::thread::sleep(std::time::Duration::from_micros(
                u64::try_from(DOUBT_PAUSE.as_micros()).unwrap_or(0),
            ));
            if engine.link.queue.is_done() {
                return;
            }
            continue;
        }
        if step.decided > 0 || engine.tend() {
            continue;
        }
        if engine.link.queue.is_done() {
            return;
        }
        let due = step
            .next_due
            .map_or(IDLE_MAX, |due| due.since(engine.link.clock.now()));
        engine.link.queue.wait(due.clamp(Span::micros(0), IDLE_MAX));
    }
}

/// Parked until the WAL is full; then one pass, beside the writer.
fn move_pages(mut checkpointer: Checkpointer, gauge: &WalGauge) {
    loop {
        std::thread::park();
        if gauge.is_full()
            && let Err(error) = checkpointer.run()
        {
            tracing::error!(%error, "the WAL could not be moved; it grows until it can");
        }
    }
}
