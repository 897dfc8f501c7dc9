//! Runs the notifier with real time, and with the sandbox's moved clock.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the driver: it owns the notifier's tasks and waits"
)]

use std::sync::Arc;
use std::time::Duration;

use spotpay_core::id::{EventId, TradeId};
use spotpay_core::time::{Span, Timestamp};
use tokio::task::JoinHandle;

use super::{Flight, next_due, take_due};
use crate::app::App;
use crate::engine::Fault;
use crate::jobs;

/// The longest wait: a moved clock must not wait for a sleeping notifier.
const IDLE_MAX: Span = Span::seconds(1);
/// Between two looks, so that a burst of payments is one look and not thousands.
const BREATH: Duration = Duration::from_millis(2);
/// How long a sending whose end could not be noted rests before it is tried again.
const REST: Duration = Duration::from_secs(1);
/// How long a moving clock waits for a sending (`architecture.md`, time).
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How long whoever sends once more by hand waits to see what came of it.
const RESENT_MAX: Duration = Duration::from_secs(12);
/// How long an answer waits for the notification that must come before it.
const TOLD_MAX: Duration = Duration::from_secs(5);

/// Sends what is due until its handle is stopped.
#[derive(Debug)]
pub struct Driver(JoinHandle<()>);

impl Driver {
    /// Starts sending.
    pub fn start(app: &Arc<App>) -> Self {
        Self(tokio::spawn(run(Arc::clone(app))))
    }

    /// Starts nothing any more, and gives what is under way a moment.
    pub async fn stop(self, app: &App) {
        self.0.abort();
        // Whatever is still under way then is sent again by the next process.
        wait_while(app, WAIT_MAX, || !app.notifier.flights().is_empty()).await;
    }
}

async fn run(app: Arc<App>) {
    loop {
        start_due(&app);
        let now = app.clock.now();
        let rest = match next_due(&app) {
            Ok(due) => due.map_or(IDLE_MAX, |due| due.since(now)),
            Err(_) => IDLE_MAX,
        };
        let rest = rest.clamp(Span::micros(0), IDLE_MAX);
        let micros = u64::try_from(rest.as_micros()).unwrap_or(0);
        tokio::select! {
            biased;
            () = app.engine.notifications_written() => {}
            () = app.notifier.landed.notified() => {}
            () = tokio::time::sleep(Duration::from_micros(micros)) => {}
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Starts a task for everything that is due; whether there was something.
fn start_due(app: &Arc<App>) -> bool {
    let due = take_due(app, app.clock.now()).unwrap_or_else(|error| {
        tracing::error!(%error, "due notifications could not be read; they will be");
        Vec::new()
    });
    let found = !due.is_empty();
    for sending in due {
        tokio::spawn(async move {
            if sending.go().await.is_err() {
                let id = sending.id().as_i64();
                tracing::warn!(
                    id,
                    "what came of a sending could not be noted; it is sent again"
                );
                tokio::time::sleep(REST).await;
            }
        });
    }
    found
}

/// Moves the clock to an instant: from due instant to due instant, timers, refunds,
/// notifications and daily jobs in their order, each sending waited for at most a second.
///
/// # Errors
/// As [`crate::engine::EngineHandle::submit`].
pub async fn move_clock(app: &Arc<App>, target: Timestamp) -> Result<(), Fault> {
    let _turn = app.clock_moves.lock().await;
    // What is due at this very instant runs too, when the clock does not move at all.
    let mut is_run = false;
    loop {
        settle(app).await;
        let due = next_due(app).map_err(|error| {
            tracing::error!(%error, "due notifications could not be read");
            Fault::NothingDone
        })?;
        let now = app.clock.now();
        let due = jobs::next_due(app).await.min(due.unwrap_or(target));
        let stop = due.min(target).max(now);
        if now < stop || !is_run {
            app.engine.move_clock(stop).await?;
            jobs::run_due(app).await.map_err(|error| {
                tracing::error!(%error, "a job did not come to its end; it begins anew");
                Fault::NothingDone
            })?;
            is_run = true;
        } else if target <= now {
            return Ok(());
        }
    }
}

/// Sends what is due now and waits for it, side by side.
async fn settle(app: &Arc<App>) {
    loop {
        start_due(app);
        let is_waited_for = |flight: &Flight| flight.is_waited_for;
        let landed = wait_while(app, WAIT_MAX, || {
            !app.notifier.flights().values().all(is_waited_for)
        });
        if !landed.await {
            for flight in app.notifier.flights().values_mut() {
                flight.is_waited_for = true;
            }
        }
        // With all rooms taken more may be due than was started.
        if !start_due(app) {
            return;
        }
    }
}

/// Waits until every notification about a trade was sent once, or too long.
pub async fn until_told(app: &App, trade: TradeId) {
    let find = || app.readers.read(|reader| reader.notifications_of(trade));
    wait_while(app, TOLD_MAX, || {
        find().is_ok_and(|found| found.iter().any(|found| found.attempts == 0))
    })
    .await;
}

/// Waits until a notification was sent more often than before, or too long.
pub async fn until_sent(app: &App, id: EventId, attempts_before: u32) {
    let find = || app.readers.read(|reader| reader.notification(id));
    wait_while(app, RESENT_MAX, || {
        find().is_ok_and(|found| found.is_some_and(|found| found.attempts <= attempts_before))
    })
    .await;
}

/// Looks again whenever a sending is over, at most so long; whether there is nothing to wait for.
async fn wait_while(app: &App, at_most: Duration, waits: impl Fn() -> bool) -> bool {
    let no_more = async {
        loop {
            let landed = app.notifier.landed.notified();
            if !waits() {
                return;
            }
            landed.await;
        }
    };
    tokio::time::timeout(at_most, no_more).await.is_ok()
}
