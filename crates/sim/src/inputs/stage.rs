//! A seeded gateway in process whose clock moves when it is told to.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use spotpay_core::command::Command;
use spotpay_core::time::{Span, Timestamp};
use spotpay_server::app::{App, Running};
use spotpay_server::clock::Clock;
use spotpay_server::entropy::SystemEntropy;
use spotpay_server::notifier::courier::{Courier, Heard, Post};
use spotpay_server::{jobs, notifier, seed};
use spotpay_store::sqlite::FILE_NAME;
use tokio::runtime::Runtime;

use crate::books::Books;

/// A Monday noon in Hong Kong, at the first instant of a code's slot.
const NOON: Timestamp = Timestamp::from_seconds(1_795_406_400);
/// As long as a slot of payment codes, so that each step has codes of its own.
const STEP: Span = Span::seconds(6);
const DAY: Span = Span::hours(24);

/// A machine whose clock goes by steps, with the sandbox's offset on it.
#[derive(Default)]
struct StepClock {
    steps: AtomicI64,
    offset: AtomicI64,
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        let offset = Span::micros(self.offset.load(Ordering::Relaxed));
        self.real().plus(offset)
    }

    fn real(&self) -> Timestamp {
        let steps = self.steps.load(Ordering::Relaxed);
        NOON.plus(Span::micros(steps * STEP.as_micros()))
    }

    fn monotonic(&self) -> Span {
        Span::micros(0)
    }

    fn set_offset(&self, offset: Span) {
        self.offset.store(offset.as_micros(), Ordering::Relaxed);
    }
}

/// Receivers who answer at once, as their address says.
struct Receivers;

impl Courier for Receivers {
    fn post<'a>(&'a self, url: &'a str, _: String) -> Post<'a> {
        Box::pin(async move {
            if url.contains("lost") {
                return Err("nobody is there".to_owned());
            }
            let (status, body) = if url.contains("bad") {
                (500, "fail")
            } else {
                (200, "success")
            };
            Ok(Heard {
                status,
                body: body.into(),
            })
        })
    }
}

/// It ends when it is dropped.
pub(super) struct Stage {
    running: Option<Running>,
    clock: Arc<StepClock>,
    runtime: Runtime,
    store: Mutex<Connection>,
    /// Kept, since its keys are slow to read.
    seed: Vec<Command>,
}

impl Stage {
    /// Starts one on an empty folder.
    pub(super) fn start(data: &Path) -> Self {
        let clock = Arc::new(StepClock::default());
        let shared: Arc<dyn Clock> = clock.clone();
        let runtime = Runtime::new().expect("a runtime");
        let entropy = Box::new(SystemEntropy::default());
        let running = runtime.block_on(async {
            let running =
                Running::start(data, shared, entropy, Box::new(Receivers)).expect("a gateway");
            notifier::driver::Driver::start(&running.app);
            running
        });
        let store = Connection::open(data.join(FILE_NAME)).expect("the store's file");
        let stage = Self {
            running: Some(running),
            clock,
            runtime,
            store: Mutex::new(store),
            seed: seed::commands(),
        };
        stage.begin_anew();
        stage
    }

    pub(super) fn app(&self) -> &Arc<App> {
        &self.running.as_ref().expect("it runs").app
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for something that it does.
    pub(super) fn wait<T>(&self, doing: impl Future<Output = T>) -> T {
        self.runtime.block_on(doing)
    }

    /// A freshly seeded store at noon, so that an input finds the same world in every run.
    pub(super) fn begin_anew(&self) {
        let app = self.app();
        self.wait(async {
            loop {
                let reset = app.engine.reset(self.seed.clone(), Some(NOON)).await;
                assert!(reset.is_ok(), "begins anew");
                if app.notifier.under_way() == 0 {
                    break;
                }
                // What is still being sent would meet the fault rules of the next input.
                while app.notifier.under_way() > 0 {
                    tokio::task::yield_now().await;
                }
            }
            *app.job_runs.lock().await = jobs::Runs::default();
        });
        jobs::forget_files(&app.data).expect("no files");
        app.guard.clear();
        app.given.clear();
        app.faults.clear();
    }

    /// The next slot of payment codes, with the refunds that are due in it: they must not be taken
    /// for the doing of the next request.
    pub(super) fn step(&self) {
        self.clock.steps.fetch_add(1, Ordering::Relaxed);
        let moving = self.app().engine.move_clock(self.now());
        assert!(self.wait(moving).is_ok(), "a slot goes by");
    }

    /// The clock a day on, with everything that is due until then.
    pub(super) fn day_over(&self) {
        let moving = notifier::move_clock(self.app(), self.now().plus(DAY));
        assert!(self.wait(moving).is_ok(), "a day goes by");
    }

    /// The store's own checker finds nothing.
    pub(super) fn check(&self) {
        let report = self.app().readers.read(|reader| reader.check());
        assert_eq!(report.expect("the store answers").problems, [""; 0]);
    }

    /// Nor does the judge that shares nothing with the store.
    pub(super) fn audit(&self) {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let books = Books::read(&store).expect("a store's file");
        let files = self.app().data.join("files");
        let books = books.with_files(&files).expect("files");
        assert_eq!(books.breaks(), []);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}
