//! The gateway's process in a world: it starts on what the disk has, works one poll at a time, and
//! dies without a word.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use spotpay_client::HttpAnswer;
use spotpay_core::command::Command;
use spotpay_core::payment_code::{Alias, CodeSecret};
use spotpay_core::time::Timestamp;
use spotpay_core::wallet::Device;
use spotpay_disk::{Disk, Image};
use spotpay_server::app::{App, Parts, StartError, Workshop};
use spotpay_server::clock::Clock;
use spotpay_server::engine::{Engine, Outcome, Step};
use spotpay_server::gateway::{self, Exchange};
use spotpay_server::jobs;
use spotpay_server::limits::Limits;
use spotpay_server::notifier::courier::{Courier, Heard, Post};
use spotpay_server::notifier::{self, Sending};
use spotpay_server::readers::Readers;
use spotpay_server::seed;
use spotpay_store::Store;
use spotpay_store::sqlite::{Checkpointer, SqliteStore};
use spotpay_wire::form::Form;
use tokio::sync::oneshot;

use super::clock::{Seeded, WorldClock};
use super::people::PHONES;
use crate::canary::{Canary, Spoilt};

/// What a task came to.
#[derive(Debug)]
pub(super) enum Done {
    /// The answer to a request.
    Answer(HttpAnswer),
    /// A notification was sent, and what came of it noted, or not.
    Told(bool),
    /// The daily jobs ran, or did not come to their end.
    Jobs(bool),
    /// A buyer's answer was heard.
    Confirmed(Outcome),
}

/// Something under way in the process.
pub(super) type Task = Pin<Box<dyn Future<Output = Done>>>;

/// A notification on its way to a partner.
pub(super) struct Letter {
    pub(super) url: String,
    pub(super) form: String,
    pub(super) reply: oneshot::Sender<Result<Heard, String>>,
}

/// Letters that left the process.
pub(super) type Outbox = Arc<Mutex<Vec<Letter>>>;

struct WorldCourier(Outbox);

impl Courier for WorldCourier {
    fn post<'a>(&'a self, url: &'a str, form: String) -> Post<'a> {
        let (reply, heard) = oneshot::channel();
        let letter = Letter {
            url: url.to_owned(),
            form,
            reply,
        };
        let out = &self.0;
        out.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(letter);
        Box::pin(async move { heard.await.unwrap_or_else(|_| Err("lost".to_owned())) })
    }
}

/// The process while it lives.
pub(super) struct House {
    pub(super) app: Arc<App>,
    engine: Engine,
    checkpointer: Checkpointer,
    pub(super) tasks: BTreeMap<u64, Task>,
    pub(super) outbox: Outbox,
}

/// What a process is born with.
pub(super) struct Birth<'a> {
    pub(super) disk: &'a Disk,
    /// Where files are published.
    pub(super) files: &'a Path,
    pub(super) clock: Arc<WorldClock>,
    pub(super) seed: u64,
    pub(super) canary: Option<Canary>,
}

impl House {
    /// Starts on what the disk has.
    pub(super) fn start(birth: &Birth<'_>) -> Result<Self, StartError> {
        let store = SqliteStore::open_on(&birth.disk.folder(), spotpay_disk::rewrite)?;
        let checkpointer = store.checkpointer()?;
        let (readers, wal) = (Readers::new(&store)?, store.gauge());
        let store: Box<dyn Store> = match birth.canary {
            None => Box::new(store),
            Some(canary) => Box::new(Spoilt::new(store, canary, birth.seed)?),
        };
        let outbox = Outbox::default();
        let clock: Arc<dyn Clock> = birth.clock.clone();
        let (app, engine) = App::assemble(Parts {
            data: birth.files.to_path_buf(),
            store,
            readers,
            wal,
            clock,
            entropy: Box::new(Seeded(Mutex::new(fastrand::Rng::with_seed(birth.seed)))),
            courier: Box::new(WorldCourier(Arc::clone(&outbox))),
            limits: Limits::default(),
            workshop: Workshop::Here,
            recorder: None,
        })?;
        Ok(Self {
            app,
            engine,
            checkpointer,
            tasks: BTreeMap::new(),
            outbox,
        })
    }

    /// One round of the engine.
    pub(super) fn step(&mut self) -> Step {
        self.engine.step()
    }

    pub(super) fn in_doubt(&self) -> bool {
        self.engine.in_doubt()
    }

    pub(super) fn queued(&self) -> usize {
        self.app.engine.queued()
    }

    /// A slice of what waits behind the commits; whether there is more.
    pub(super) fn tend(&mut self) -> bool {
        self.engine.tend()
    }

    /// Moves the WAL; that it cannot be moved harms nobody.
    pub(super) fn move_pages(&mut self) -> bool {
        self.checkpointer.run().is_ok()
    }

    /// Polls a task once; what it came to, when it is over.
    pub(super) fn poll(&mut self, id: u64) -> Option<Done> {
        let task = self.tasks.get_mut(&id)?;
        match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(done) => {
                self.tasks.remove(&id);
                Some(done)
            }
        }
    }

    /// A request that has arrived.
    pub(super) fn request(&self, url: &str, body: &str) -> Task {
        let app = Arc::clone(&self.app);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let form = Form::read(query.as_bytes(), body.as_bytes());
        Box::pin(async move {
            let mut exchange = Exchange::default();
            let client = IpAddr::from([127, 0, 0, 1]);
            let answered = gateway::answer(&app, &form, client, &mut exchange).await;
            Done::Answer(HttpAnswer {
                status: 200,
                content_type: answered.content_type().to_owned(),
                body: answered.body.to_vec(),
            })
        })
    }

    /// A command from a phone.
    pub(super) fn command(&self, command: Command) -> Task {
        let app = Arc::clone(&self.app);
        Box::pin(async move { Done::Confirmed(app.engine.submit(command).await) })
    }

    /// The notifications that are due; none when they cannot be read.
    pub(super) fn due_letters(&self, now: Timestamp) -> Vec<Task> {
        let due = notifier::take_due(&self.app, now).unwrap_or_default();
        due.into_iter().map(told).collect()
    }

    /// When the next notification is due.
    pub(super) fn next_letter(&self) -> Option<Timestamp> {
        notifier::next_due(&self.app).ok().flatten()
    }

    /// The daily jobs.
    pub(super) fn jobs(&self) -> Task {
        let app = Arc::clone(&self.app);
        Box::pin(async move { Done::Jobs(jobs::run_due(&app).await.is_ok()) })
    }

    /// When they are due; none while they run.
    pub(super) fn next_jobs(&self) -> Option<Timestamp> {
        let due = std::pin::pin!(jobs::next_due(&self.app));
        match due.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(due) => Some(due),
            Poll::Pending => None,
        }
    }

    /// Runs something to its end, the engine beside it.
    fn finish<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(done) => return done,
                Poll::Pending => {
                    self.engine.step();
                }
            }
        }
    }
}

fn told(sending: Sending) -> Task {
    Box::pin(async move { Done::Told(sending.go().await.is_ok()) })
}

/// The disk of a fresh sandbox with all phones of the world; made once.
pub(super) fn fresh() -> &'static Image {
    static FRESH: OnceLock<Image> = OnceLock::new();
    FRESH.get_or_init(|| {
        let disk = Disk::new(0);
        let birth = Birth {
            disk: &disk,
            files: Path::new("unused"),
            clock: Arc::default(),
            seed: 0,
            canary: None,
        };
        let started = House::start(&birth);
        let mut house = started.unwrap_or_else(|error| panic!("a fresh world: {error}"));
        let app = Arc::clone(&house.app);
        let seeded = house.finish(app.engine.reset(seed::commands(), None));
        assert!(seeded.is_ok(), "the seed is taken");
        for phone in &PHONES {
            let device = Device {
                alias: phone.alias(),
                wallet: phone.wallet(),
                secret: phone.secret(),
            };
            let issued = house.finish(app.engine.submit(Command::IssueAlias(device)));
            assert!(issued.is_ok(), "a phone is taken");
        }
        house.engine.close();
        disk.image()
    })
}

/// The nine digits and the secret of a phone.
pub(super) fn digits(place: u32) -> (Alias, CodeSecret) {
    let alias = Alias::from_number(200_000_000 + place);
    let byte = u8::try_from(place % 251).unwrap_or(0);
    (
        alias.unwrap_or_else(|| unreachable!("nine digits")),
        CodeSecret::new([byte; CodeSecret::BYTES]),
    )
}
