//! Runs the engine with real time: one thread that decides and commits, one that moves the WAL.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the driver: it owns the engine's threads"
)]

use std::sync::Arc;
use std::thread::JoinHandle;

use spotpay_core::time::Span;
use spotpay_store::sqlite::{CHECKPOINT_PAGES, Checkpointer, WalGauge};

use super::Engine;

/// How often doubt is looked at again.
const DOUBT_PAUSE: Span = Span::millis(100);
/// A queue that stays empty this long is idle.
const LULL: Span = Span::millis(20);
/// Work behind the commits gets a slice this often, however busy it is.
const TEND_AT_LEAST: Span = Span::seconds(1);
/// Pages of the WAL above which nothing is added that can wait.
const TEND_PAGES_MAX: u32 = 2 * CHECKPOINT_PAGES;
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
        mut engine: Engine,
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
                drive(&mut engine, &gauge, || mover.thread().unpark());
                if !engine.in_doubt() {
                    engine.close();
                }
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

fn drive(engine: &mut Engine, gauge: &WalGauge, move_pages: impl Fn()) {
    let clock = Arc::clone(&engine.link.clock);
    // Whether the queue stayed empty for a while: a busy system has such gaps between two batches
    // all the time, and work behind the commits would cost it a sync in each.
    let mut idle = false;
    let mut tended = clock.monotonic();
    loop {
        let step = engine.step();
        if gauge.is_full() {
            move_pages();
        }
        if engine.in_doubt() {
            std::thread::sleep(duration(DOUBT_PAUSE));
            if engine.link.queue.is_done() {
                return;
            }
            continue;
        }
        let overdue =
            clock.monotonic().as_micros() - tended.as_micros() > TEND_AT_LEAST.as_micros();
        let mut more = false;
        if idle || overdue {
            // A long read keeps the WAL from being moved; what can wait must not grow it meanwhile.
            if gauge.pages() < TEND_PAGES_MAX {
                more = engine.tend();
            } else {
                engine.maintain();
            }
            tended = clock.monotonic();
        }
        if step.decided > 0 {
            idle = false;
            continue;
        }
        if engine.link.queue.is_done() {
            return;
        }
        let rest = if more {
            Span::micros(0)
        } else if idle {
            IDLE_MAX
        } else {
            LULL
        };
        let due = step.next_due.map_or(rest, |due| due.since(clock.now()));
        idle = !engine.link.queue.wait(due.clamp(Span::micros(0), rest));
    }
}

fn duration(span: Span) -> std::time::Duration {
    std::time::Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(0))
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
