//! The one road for money: collects commands into a batch, loads their rows, decides one after
//! another, commits once, and only then answers.
//!
//! [`Engine::step`] does one round and knows no thread, no sleep and no socket. [`driver`] runs it
//! with real time.

pub mod driver;
mod queue;
mod reached;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use spotpay_core::command::{Command, Keys};
use spotpay_core::config::{Config, ConfigChange};
use spotpay_core::decide::{Context, Reply, decide};
use spotpay_core::id::PartnerId;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::working_set::WorkingSet;
use spotpay_store::{BatchId, CommitError, Store, StoreError};
use tokio::sync::oneshot;

use crate::clock::Clock;
pub use queue::QueueLimits;
use queue::{Full, Queue};
use reached::Reached;

/// Commands in one batch.
pub const BATCH_MAX: usize = 512;
/// Timers in one batch: a quarter, so that they starve nobody and nobody starves them.
const TIMERS_MAX: usize = BATCH_MAX / 4;
/// A command not decided this long after its arrival is never decided.
const PATIENCE: Span = Span::seconds(10);
/// Doubt not cleared in this time is told as doubt.
const DOUBT_MAX: Span = Span::seconds(5);
/// Tries of a batch that runs into another writer, or into an id that is taken.
const REPEATS_MAX: u32 = 10;
/// A clock that is further behind the last commit was being moved when its process ended.
const CLOCK_SLACK: Span = Span::seconds(1);
/// After a timer that could not be read or stored no other is tried for this long: what is due stays
/// due, and a broken disk must not be asked in a circle.
const TIMERS_REST: Span = Span::seconds(1);
/// Rows that wait behind the commits, per slice.
const TEND_ROWS: usize = 256;

/// The machine could not do it; no rule was asked, or its answer was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing was done, and nothing will be: `SYSTEM_ERROR`.
    NothingDone,
    /// It may have been done: `UNKNOW`.
    Unknown,
}

/// What becomes of a command.
pub type Outcome = Result<Reply, Fault>;

/// What is asked of the engine.
#[derive(Clone, PartialEq, Eq)]
enum Errand {
    Decide(Command),
    /// Move the sandbox clock, running what is due on the way.
    MoveClock(Timestamp),
    /// Throw everything away and begin with these commands, the clock at an instant.
    Reset(Vec<Command>, Option<Timestamp>),
    /// Fill a slice of what waits behind the commits.
    Tend,
}

/// One thing that waits for the engine.
struct Job {
    errand: Errand,
    arrived: Span,
    /// Nobody listens to a timer.
    reply: Option<oneshot::Sender<Outcome>>,
}

impl Job {
    fn partner(&self) -> Option<PartnerId> {
        match &self.errand {
            Errand::Decide(command) => command.partner(),
            Errand::MoveClock(_) | Errand::Reset(..) | Errand::Tend => None,
        }
    }

    fn answer(self, outcome: Outcome) {
        if let Some(reply) = self.reply {
            // Whoever asked may be gone; what was decided stays decided.
            let _ = reply.send(outcome);
        }
    }
}

/// Whether the engine can answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// It can.
    Ready,
    /// A commit failed and may have happened: nobody is answered, queries included.
    InDoubt,
}

/// Counters that `/metrics` shows.
#[derive(Debug, Default)]
pub struct Counters {
    /// Batches committed.
    pub batches: AtomicU64,
    /// Commands in them.
    pub commands: AtomicU64,
    /// Batches repeated after a conflict.
    pub repeats: AtomicU64,
    /// Times that a commit was in doubt.
    pub doubts: AtomicU64,
    /// Commands turned away because too much waited.
    pub turned_away: AtomicU64,
}

/// What callers and the engine share.
struct Link {
    queue: Queue,
    health: AtomicU8,
    counters: Counters,
    clock: Arc<dyn Clock>,
    /// Woken when there is something to tell partners.
    notifications: tokio::sync::Notify,
}

/// The way in for everybody else: cheap to clone, safe from every thread.
#[derive(Clone)]
pub struct EngineHandle(Arc<Link>);

impl EngineHandle {
    /// Has a command decided and stored, and hears what came of it.
    ///
    /// # Errors
    /// [`Fault::NothingDone`] when too much waits or the store refuses; [`Fault::Unknown`] when the
    /// commit stays in doubt.
    pub async fn submit(&self, command: Command) -> Outcome {
        self.send(Errand::Decide(command)).await
    }

    /// Moves the sandbox clock forward and runs what is due on the way, in order of due time. It
    /// stops early at an instant at which there is something to tell partners.
    ///
    /// # Errors
    /// As [`EngineHandle::submit`].
    pub async fn move_clock(&self, target: Timestamp) -> Outcome {
        self.send(Errand::MoveClock(target)).await
    }

    /// Empties the store and begins anew with these commands as one batch, its clock at an instant
    /// if one is given.
    ///
    /// # Errors
    /// As [`EngineHandle::submit`].
    pub async fn reset(&self, seed: Vec<Command>, clock: Option<Timestamp>) -> Outcome {
        self.send(Errand::Reset(seed, clock)).await
    }

    /// Fills a slice of the lists that are filled behind the commits, for whoever waits for them.
    ///
    /// # Errors
    /// As [`EngineHandle::submit`].
    pub async fn tend(&self) -> Outcome {
        self.send(Errand::Tend).await
    }

    async fn send(&self, errand: Errand) -> Outcome {
        let waiting = self.enqueue(errand)?;
        // A sender dropped without a word: the engine is gone, perhaps in the middle of a commit.
        waiting.await.unwrap_or(Err(Fault::Unknown))
    }

    fn enqueue(&self, errand: Errand) -> Result<oneshot::Receiver<Outcome>, Fault> {
        let (reply, waiting) = oneshot::channel();
        let job = Job {
            errand,
            arrived: self.0.clock.monotonic(),
            reply: Some(reply),
        };
        match self.0.queue.push(job) {
            Ok(()) => Ok(waiting),
            Err(Full::Limit | Full::Closed) => {
                self.0.counters.turned_away.fetch_add(1, Ordering::Relaxed);
                Err(Fault::NothingDone)
            }
        }
    }

    /// Waits until something was written that partners must hear.
    pub async fn notifications_written(&self) {
        self.0.notifications.notified().await;
    }

    /// Whether reads may be answered.
    pub fn health(&self) -> Health {
        if self.0.health.load(Ordering::Acquire) == 0 {
            Health::Ready
        } else {
            Health::InDoubt
        }
    }

    /// The counters.
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Commands that wait.
    pub fn queued(&self) -> usize {
        self.0.queue.len()
    }

    /// Takes no more; what waits is still decided, then the driver ends.
    pub fn close(&self) {
        self.0.queue.close();
    }
}

/// A batch whose commit failed and may have happened.
struct Doubt {
    batch: BatchId,
    since: Span,
    /// How far time had come before it, and with it.
    before: Reached,
    now: Timestamp,
    jobs: Vec<Job>,
    replies: Vec<Outcome>,
    config: Vec<ConfigChange>,
}

/// What one [`Engine::step`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Commands decided, timers included.
    pub decided: usize,
    /// When the next timer is due.
    pub next_due: Option<Timestamp>,
}

/// Hears of every new configuration before anyone is answered by it.
pub type Publish = Box<dyn FnMut(&Arc<Config>) + Send>;

/// The engine: owner of the store, the only one who writes.
pub struct Engine {
    store: Box<dyn Store>,
    link: Arc<Link>,
    config: Arc<Config>,
    publish: Publish,
    reached: Reached,
    batch: BatchId,
    next_due: Option<Timestamp>,
    timers_rest_until: Timestamp,
    /// Since this was last looked at.
    notifications_written: bool,
    doubt: Option<Doubt>,
    /// What runs was in doubt before, and was not stored.
    is_repeat: bool,
}

impl Engine {
    /// An engine on a store, going on where the last one stopped.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(
        mut store: Box<dyn Store>,
        clock: Arc<dyn Clock>,
        limits: QueueLimits,
        mut publish: Publish,
    ) -> Result<(Self, EngineHandle), StoreError> {
        let mut config = store.config()?;
        let resume = store.resume()?;
        let next_due = store.next_due()?;
        clock.set_offset(config.clock_offset);
        // A process that was killed while it moved the clock left commits of later than its clock.
        if clock.now().plus(CLOCK_SLACK) < resume.at {
            config.clock_offset = resume.at.since(clock.real());
            clock.set_offset(config.clock_offset);
        }
        let config = Arc::new(config);
        publish(&config);
        let link = Arc::new(Link {
            queue: Queue::new(limits),
            health: AtomicU8::new(0),
            counters: Counters::default(),
            clock,
            notifications: tokio::sync::Notify::new(),
        });
        let engine = Self {
            store,
            link: Arc::clone(&link),
            config,
            publish,
            reached: Reached::after(&resume),
            batch: resume.batch,
            next_due,
            timers_rest_until: Timestamp::from_micros(0),
            notifications_written: false,
            doubt: None,
            is_repeat: false,
        };
        Ok((engine, EngineHandle(link)))
    }

    /// One round: doubt first, then what is due, then what waits.
    pub fn step(&mut self) -> Step {
        if let Some(doubt) = self.doubt.take() {
            self.clear_doubt(doubt);
            return self.stepped(0);
        }
        let now = self.now();
        let mut jobs = if now < self.timers_rest_until {
            Vec::new()
        } else {
            self.due(now)
        };
        let timers = jobs.len();
        jobs.extend(self.link.queue.take(BATCH_MAX - timers));
        let decided = jobs.len();
        if decided > 0 {
            self.run(jobs, now);
            if self.doubt.is_none() {
                self.maintain();
            }
        }
        self.stepped(decided)
    }

    fn stepped(&self, decided: usize) -> Step {
        let rested = |due: Timestamp| due.max(self.timers_rest_until);
        Step {
            decided,
            next_due: self.next_due.map(rested),
        }
    }

    /// A slice of what waits behind the commits; whether there is more.
    pub fn tend(&mut self) -> bool {
        if self.doubt.is_some() {
            return false;
        }
        let more = self.fill().unwrap_or(false);
        self.maintain();
        more
    }

    fn fill(&mut self) -> Result<bool, Fault> {
        if self.doubt.is_some() {
            return Err(Fault::NothingDone);
        }
        self.store.tend(TEND_ROWS).map_err(|error| {
            tracing::error!(%error, "activity lists could not be filled; they will be");
            Fault::NothingDone
        })
    }

    fn maintain(&mut self) {
        if let Err(error) = self.store.maintain() {
            tracing::error!(%error, "the WAL could not be moved; it grows until it can");
        }
    }

    /// The last act: everything moves into the main file.
    pub fn close(&mut self) {
        if let Err(error) = self.store.close() {
            tracing::error!(%error, "the WAL could not be moved; the next start does it");
        }
    }

    /// Whether a commit is in doubt.
    pub fn in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    fn now(&self) -> Timestamp {
        self.link.clock.now().max(self.reached.at)
    }

    fn due(&mut self, now: Timestamp) -> Vec<Job> {
        if self.next_due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        let arrived = self.link.clock.monotonic();
        match self.store.due(now, TIMERS_MAX) {
            Ok(due) => due
                .into_iter()
                .map(|command| Job {
                    errand: Errand::Decide(command),
                    arrived,
                    reply: None,
                })
                .collect(),
            Err(error) => {
                tracing::error!(%error, "timers could not be read; they will be");
                self.timers_rest_until = now.plus(TIMERS_REST);
                Vec::new()
            }
        }
    }

    /// Splits a round into batches of commands, and errands that stand alone.
    fn run(&mut self, jobs: Vec<Job>, now: Timestamp) {
        let arrival = self.link.clock.monotonic();
        let mut batch = Vec::with_capacity(jobs.len());
        for job in jobs {
            if PATIENCE < Span::micros(arrival.as_micros() - job.arrived.as_micros()) {
                job.answer(Err(Fault::NothingDone));
                continue;
            }
            match job.errand {
                Errand::Decide(_) => batch.push(job),
                Errand::MoveClock(target) => {
                    self.run_batch(std::mem::take(&mut batch), now);
                    self.run_clock(job, target);
                }
                Errand::Reset(..) => {
                    self.run_batch(std::mem::take(&mut batch), now);
                    self.run_reset(job);
                }
                Errand::Tend => {
                    self.run_batch(std::mem::take(&mut batch), now);
                    let outcome = self.fill();
                    job.answer(outcome.map(|_| Reply::Configured));
                }
            }
        }
        self.run_batch(batch, now);
    }

    /// Decides and commits; a fault that is nobody's in particular is narrowed down to the command
    /// that causes it.
    fn run_batch(&mut self, jobs: Vec<Job>, now: Timestamp) {
        if jobs.is_empty() {
            return;
        }
        // The clock may have moved since the round began.
        let now = now.max(self.reached.at);
        if self.doubt.is_some() {
            jobs.into_iter()
                .for_each(|job| job.answer(Err(Fault::NothingDone)));
            return;
        }
        match self.try_batch(jobs, now) {
            Ok(()) => {}
            Err((jobs, error)) if jobs.len() == 1 => {
                tracing::error!(%error, source = ?std::error::Error::source(&error), "a command could not be stored");
                for job in jobs {
                    self.note_failure(&job, now);
                    job.answer(Err(Fault::NothingDone));
                }
            }
            Err((jobs, error)) => {
                tracing::warn!(%error, commands = jobs.len(), "a batch could not be stored; one by one now");
                for job in jobs {
                    self.run_batch(vec![job], now);
                }
            }
        }
    }

    /// Whoever asked hears of it and may ask again; a timer stays due.
    fn note_failure(&mut self, job: &Job, now: Timestamp) {
        if job.reply.is_none() {
            self.timers_rest_until = now.plus(TIMERS_REST);
        }
    }

    /// One batch, repeated with new ids while it runs into others. Hands the jobs back on a fault.
    fn try_batch(&mut self, jobs: Vec<Job>, now: Timestamp) -> Result<(), (Vec<Job>, StoreError)> {
        let mut repeats = 0;
        loop {
            let keys = self.keys(&jobs, now);
            let mut set = match self.store.load(&keys) {
                Ok(set) => set,
                Err(error) => return Err((jobs, error)),
            };
            let before = self.reached;
            let replies = self.decide_all(&jobs, &mut set, now);
            if set.writes().is_empty() {
                self.store.abandon();
                answer_all(jobs, replies);
                return Ok(());
            }
            let batch = BatchId(self.batch.0 + 1);
            match self.store.commit(&set, batch, now) {
                Ok(()) => {
                    self.committed(batch, &set.writes().config);
                    self.note_writes(&set);
                    let counters = &self.link.counters;
                    counters.batches.fetch_add(1, Ordering::Relaxed);
                    counters
                        .commands
                        .fetch_add(u64::try_from(jobs.len()).unwrap_or(0), Ordering::Relaxed);
                    answer_all(jobs, replies);
                    return Ok(());
                }
                Err(CommitError::Failed(error)) if error.is_conflict() && repeats < REPEATS_MAX => {
                    repeats += 1;
                    self.link.counters.repeats.fetch_add(1, Ordering::Relaxed);
                }
                Err(CommitError::Failed(error)) => {
                    self.reached = before;
                    return Err((jobs, error));
                }
                Err(CommitError::InDoubt(error)) => {
                    tracing::error!(%error, source = ?std::error::Error::source(&error), "a commit failed and may have happened");
                    self.link.counters.doubts.fetch_add(1, Ordering::Relaxed);
                    self.link.health.store(1, Ordering::Release);
                    let since = self.link.clock.monotonic();
                    let config = set.writes().config.clone();
                    self.clear_doubt(Doubt {
                        batch,
                        since,
                        before,
                        now,
                        jobs,
                        replies,
                        config,
                    });
                    return Ok(());
                }
            }
        }
    }

    fn keys(&self, jobs: &[Job], now: Timestamp) -> Keys {
        let mut keys = Keys::default();
        for job in jobs {
            match &job.errand {
                Errand::Decide(command) => command.add_keys(&self.config, now, &mut keys),
                Errand::MoveClock(_) | Errand::Reset(..) | Errand::Tend => {}
            }
        }
        keys
    }

    /// Decides each command on what the ones before it left.
    fn decide_all(&mut self, jobs: &[Job], set: &mut WorkingSet, now: Timestamp) -> Vec<Outcome> {
        let mut replies = Vec::with_capacity(jobs.len());
        let config = Arc::clone(&self.config);
        for job in jobs {
            let Errand::Decide(command) = &job.errand else {
                replies.push(Err(Fault::NothingDone));
                continue;
            };
            let context = Context {
                now,
                number: self.reached.next(now),
                config: &config,
            };
            // A decision is whole or nothing: a panic leaves the rows as they were.
            match catch_unwind(AssertUnwindSafe(|| decide(set, command, &context))) {
                Ok(decision) => {
                    set.apply(decision.changes);
                    replies.push(Ok(decision.reply));
                }
                Err(_) => {
                    tracing::error!("a decision panicked; its command is answered as a fault");
                    self.note_failure(job, now);
                    replies.push(Err(Fault::NothingDone));
                }
            }
        }
        replies
    }

    fn committed(&mut self, batch: BatchId, config: &[ConfigChange]) {
        self.batch = batch;
        if !config.is_empty() {
            let next = config
                .iter()
                .fold(Config::clone(&self.config), |config, change| {
                    config.with(change)
                });
            self.take_config(next);
        }
    }

    fn take_config(&mut self, config: Config) {
        self.config = Arc::new(config);
        self.link.clock.set_offset(self.config.clock_offset);
        (self.publish)(&self.config);
    }

    /// What was written may be due sooner than what was known, or have to be told.
    fn note_writes(&mut self, set: &WorkingSet) {
        let writes = set.writes();
        let refunds = writes.refunds_new.len() + writes.refunds_changed.len();
        if !writes.timers.is_empty() || refunds > 0 {
            self.read_next_due();
        }
        if !writes.notifications_new.is_empty() || !writes.notifications_changed.is_empty() {
            self.notifications_written = true;
            self.link.notifications.notify_one();
        }
    }

    fn read_next_due(&mut self) {
        match self.store.next_due() {
            Ok(next) => self.next_due = next,
            Err(error) => tracing::error!(%error, "the next timer could not be read"),
        }
    }

    /// Finds out whether the batch is stored. While it cannot be known, nobody is answered; after
    /// five seconds its callers hear that it is unknown, and everybody else that the system is down.
    fn clear_doubt(&mut self, doubt: Doubt) {
        let Doubt {
            batch,
            since,
            before,
            now,
            jobs,
            replies,
            config,
        } = doubt;
        match self.store.resolve(batch) {
            Ok(stored) => {
                tracing::warn!(stored, "the doubt is cleared");
                self.link.health.store(0, Ordering::Release);
                if stored {
                    self.committed(batch, &config);
                    self.read_next_due();
                    self.notifications_written = true;
                    self.link.notifications.notify_one();
                    answer_all(jobs, replies);
                    return;
                }
                self.reached = before;
                if self.is_repeat {
                    // A disk that refuses every commit must not be asked in a circle.
                    for job in jobs {
                        self.note_failure(&job, now);
                        job.answer(Err(Fault::NothingDone));
                    }
                } else {
                    self.is_repeat = true;
                    self.run_batch(jobs, now);
                    self.is_repeat = false;
                }
            }
            Err(error) => {
                let waited = self.link.clock.monotonic().as_micros() - since.as_micros();
                let (mut jobs, mut replies) = (jobs, replies);
                if DOUBT_MAX.as_micros() <= waited {
                    tracing::error!(%error, "the doubt stays; its callers are told so");
                    jobs.drain(..)
                        .for_each(|job| job.answer(Err(Fault::Unknown)));
                    replies.clear();
                    for job in self.link.queue.take(usize::MAX) {
                        job.answer(Err(Fault::NothingDone));
                    }
                }
                self.doubt = Some(Doubt {
                    batch,
                    since,
                    before,
                    now,
                    jobs,
                    replies,
                    config,
                });
            }
        }
    }

    /// From due instant to due instant, then to the target; what is due runs with its own instant.
    fn run_clock(&mut self, job: Job, target: Timestamp) {
        let mut target = target;
        self.notifications_written = false;
        while let Some(due) = self.next_due.filter(|due| *due <= target) {
            let at = due.max(self.reached.at);
            let timers = self.due(at);
            let first = timers.first().map(|timer| timer.errand.clone());
            self.run_batch(timers, at);
            if self.doubt.is_some() {
                job.answer(Err(Fault::Unknown));
                return;
            }
            self.read_next_due();
            // More may be due at one instant than one batch holds; the same one twice is stuck.
            let next = self.due(at).first().map(|timer| timer.errand.clone());
            if first.is_none() || first == next {
                tracing::error!("a timer stays due; the clock goes past it");
                break;
            }
            if self.notifications_written {
                target = at;
            }
        }
        // Real time went on meanwhile: what is at the target already does not go back to it.
        let offset = target.since(self.link.clock.real());
        let offset = offset.max(self.config.clock_offset);
        let errand = Errand::Decide(Command::Configure(ConfigChange::MoveClock(offset)));
        let now = target.max(self.reached.at);
        self.run_batch(vec![Job { errand, ..job }], now);
    }

    fn run_reset(&mut self, job: Job) {
        let Job {
            errand: Errand::Reset(seed, clock),
            reply,
            arrived,
        } = job
        else {
            return;
        };
        let job = Job {
            errand: Errand::Reset(Vec::new(), None),
            arrived,
            reply,
        };
        if self.doubt.is_some() {
            job.answer(Err(Fault::NothingDone));
            return;
        }
        if let Err(error) = self.store.reset() {
            tracing::error!(%error, "the store could not be emptied");
            job.answer(Err(Fault::NothingDone));
            return;
        }
        self.reached = Reached::default();
        self.next_due = None;
        self.timers_rest_until = Timestamp::from_micros(0);
        // All of it in one batch: a store is empty or seeded, never half.
        let offset = clock.map(|at| at.since(self.link.clock.real()));
        self.take_config(Config {
            version: self.config.version + 1,
            clock_offset: offset.unwrap_or_default(),
            ..Config::default()
        });
        let clock_command =
            offset.map(|offset| Command::Configure(ConfigChange::MoveClock(offset)));
        let (jobs, heard): (Vec<Job>, Vec<_>) = clock_command
            .into_iter()
            .chain(seed)
            .map(|command| {
                let (reply, heard) = oneshot::channel();
                (
                    Job {
                        errand: Errand::Decide(command),
                        arrived,
                        reply: Some(reply),
                    },
                    heard,
                )
            })
            .unzip();
        self.run_batch(jobs, clock.unwrap_or(self.now()));
        let failed = heard
            .into_iter()
            .find_map(|mut heard| heard.try_recv().unwrap_or(Err(Fault::Unknown)).err());
        job.answer(failed.map_or(Ok(Reply::Configured), Err));
    }
}

fn answer_all(jobs: Vec<Job>, replies: Vec<Outcome>) {
    for (job, reply) in jobs.into_iter().zip(replies) {
        job.answer(reply);
    }
}
