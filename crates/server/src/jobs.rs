//! What is done once a day by the clock: settlement at 15:30 GMT+8, the files of the day before at
//! 09:00 (`spec/13`, 27).
//!
//! Each run may be repeated from its start: what is settled is not settled again, what is published
//! stays as it is. So a process that dies in the middle just begins anew.

mod files;
mod http;
mod rows;
mod settle;

use std::sync::Arc;

use spotpay_core::command::Command;
use spotpay_core::config::{ConfigChange, Job};
use spotpay_core::time::{CivilDate, Span, Timestamp};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::engine::Fault;
pub use files::{MakeError, forget_files, make, name_of, path_of};
pub(crate) use http::{ROWS_MAX, text};
pub use settle::{Wish, settle};

/// Why a run did not come to its end; the next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The rows cannot be read.
    #[error("the store could not be read")]
    Store(#[from] spotpay_store::StoreError),
    /// The engine did not take it.
    #[error("the engine did not answer: {0:?}")]
    Engine(Fault),
    /// A file could not be made.
    #[error(transparent)]
    File(#[from] MakeError),
    /// The process is ending.
    #[error("the work was given up")]
    Stopped,
    /// The engine answered another question: a bug.
    #[error("the engine answered another question")]
    Confused,
    /// A sum does not fit.
    #[error("a sum does not fit")]
    Sum,
}

impl From<Fault> for JobError {
    fn from(fault: Fault) -> Self {
        Self::Engine(fault)
    }
}

/// The date of the last run of each job, as far as this process knows; the configuration knows of
/// the last run that did something.
#[derive(Debug, Default)]
pub struct Runs(std::collections::BTreeMap<Job, CivilDate>);

/// The date of the next run. A store that never ran begins with today's.
fn next_run(app: &App, runs: &Runs, job: Job) -> CivilDate {
    let stored = app.snapshot.load().config.jobs.get(&job).copied();
    let known = runs.0.get(&job).copied().max(stored);
    let today = app.clock.now().business_date();
    known.map_or(today, |date| date.plus_days(1))
}

/// When the next run is due.
pub async fn next_due(app: &App) -> Timestamp {
    let mut runs = app.job_runs.lock().await;
    let all = Job::ALL.map(|job| {
        let date = next_run(app, &runs, job);
        // Without a run a new day would forget that yesterday was looked at.
        runs.0.entry(job).or_insert(date.plus_days(-1));
        job.due(date)
    });
    all.into_iter()
        .fold(Timestamp::from_micros(i64::MAX), Timestamp::min)
}

/// Runs everything that is due, in order of due time.
///
/// # Errors
/// [`JobError`]; what is done stays done.
pub async fn run_due(app: &Arc<App>) -> Result<(), JobError> {
    let mut runs = app.job_runs.lock().await;
    loop {
        let due = Job::ALL.map(|job| (job, next_run(app, &runs, job)));
        let next = due.into_iter().min_by_key(|(job, date)| job.due(*date));
        let Some((job, date)) = next.filter(|(job, date)| job.due(*date) <= app.clock.now()) else {
            return Ok(());
        };
        let did = match job {
            Job::Settlement => settle(app, date.plus_days(-1), date, Wish::Calendar)
                .await?
                .len(),
            Job::Files => files::publish_day(app, date.plus_days(-1)).await?,
        };
        if did > 0 {
            let done = ConfigChange::JobDone(job, date);
            app.engine.submit(Command::Configure(done)).await?;
        }
        runs.0.insert(job, date);
    }
}

/// The longest wait: a moved clock must not wait for a sleeping job.
const IDLE_MAX: Span = Span::seconds(1);

/// Runs the jobs with real time.
#[derive(Debug)]
pub struct Driver(JoinHandle<()>);

impl Driver {
    /// Starts it.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the driver: it owns the jobs' task and waits"
    )]
    pub fn start(app: &Arc<App>) -> Self {
        let app = Arc::clone(app);
        Self(tokio::spawn(async move {
            loop {
                if let Err(error) = run_due(&app).await {
                    tracing::error!(%error, "a job did not come to its end; it begins anew");
                }
                let rest = next_due(&app).await.since(app.clock.now());
                let rest = rest.clamp(Span::millis(100), IDLE_MAX);
                let micros = u64::try_from(rest.as_micros()).unwrap_or(0);
                tokio::time::sleep(std::time::Duration::from_micros(micros)).await;
            }
        }))
    }

    /// Starts nothing any more; what is under way begins anew with the next process.
    pub fn stop(self) {
        self.0.abort();
    }
}
