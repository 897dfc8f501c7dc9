//! Everything that a request may need, put together once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use spotpay_store::Store;
use spotpay_store::sqlite::{SqliteStore, WalGauge};
use spotpay_wire::keys::PrivateKey;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::engine::driver::Driver;
use crate::engine::{Engine, EngineHandle, Fault};
use crate::entropy::Entropy;
use crate::faults::FaultRules;
use crate::gateway::CodeGuard;
use crate::jobs::Runs;
use crate::limits::{Limits, Pace};
use crate::listen::Traffic;
use crate::notifier::Notifier;
use crate::notifier::courier::Courier;
use crate::readers::Readers;
use crate::recorder::Recorder;
use crate::sandbox::GivenCodes;
use crate::seed;
use crate::snapshot::SnapshotCell;
use crate::telemetry::Metrics;

/// Slow signatures under way at once: one core is left for everybody else, where there are two.
fn slow_signatures_max() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

/// What the gateway, the pages and the sandbox share.
pub struct App {
    /// The one road for money.
    pub engine: EngineHandle,
    /// Reads beside it.
    pub readers: Readers,
    /// Partners, keys, rates.
    pub snapshot: Arc<SnapshotCell>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for new wallets and partners.
    pub entropy: Box<dyn Entropy>,
    /// What answers are signed with.
    pub gateway_key: PrivateKey,
    /// Wrong codes, counted.
    pub guard: CodeGuard,
    /// What the sandbox does wrong on purpose.
    pub faults: FaultRules,
    /// What partners must hear, on its way.
    pub notifier: Notifier,
    /// What is done once a day.
    pub job_runs: tokio::sync::Mutex<Runs>,
    /// Files are made one after another.
    pub file_turns: tokio::sync::Mutex<()>,
    /// The sandbox clock is moved by one caller at a time.
    pub clock_moves: tokio::sync::Mutex<()>,
    /// Codes that the sandbox made for a phone.
    pub given: GivenCodes,
    /// Changes of partners are read, checked and written one after another.
    pub partner_changes: tokio::sync::Mutex<()>,
    /// Room for one look at a wrong signature.
    pub autopsies: Semaphore,
    /// Room for slow signatures.
    pub slow_signatures: Semaphore,
    /// Numbers for `/metrics`.
    pub metrics: Metrics,
    /// Bounds that requests meet.
    pub limits: Limits,
    /// Requests of each partner, counted.
    pub pace: Pace,
    /// Connections, counted.
    pub traffic: Arc<Traffic>,
    /// The inspector's log; production has none.
    pub recorder: Option<Recorder>,
    /// The data directory.
    pub data: PathBuf,
    workshop: Workshop,
    wal: WalGauge,
    /// Where the outside reaches us, once that is known: `http://127.0.0.1:8080`.
    origin: Mutex<String>,
    /// Where published files are fetched, if they are.
    sftp: OnceLock<SocketAddr>,
}

/// Where work goes that takes a millisecond or more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workshop {
    /// To threads of its own, beside the requests.
    Beside,
    /// Nowhere: a simulation has one thread, and does one thing after another.
    Here,
}

/// What an application is put together from. `serve` brings the machine's, a simulation its own.
pub struct Parts {
    /// The data directory.
    pub data: PathBuf,
    /// Where the engine loads and commits.
    pub store: Box<dyn Store>,
    /// Reads of the same rows.
    pub readers: Readers,
    /// How full the WAL is.
    pub wal: WalGauge,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Box<dyn Entropy>,
    /// The door out.
    pub courier: Box<dyn Courier>,
    /// What callers may take.
    pub limits: Limits,
    /// Where slow work goes.
    pub workshop: Workshop,
    /// The inspector's log, if there is one.
    pub recorder: Option<Recorder>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process uses the data directory.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// The data directory cannot be used.
    #[error("{path}")]
    Data {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The store cannot be opened or read.
    #[error(transparent)]
    Store(#[from] spotpay_store::StoreError),
    /// The seeded data was not taken.
    #[error("the seed was refused: {0:?}")]
    Seed(Fault),
    /// A key that is built in is broken.
    #[error("the gateway's key: {0}")]
    Key(#[from] spotpay_wire::keys::KeyError),
    /// Nobody can listen there.
    #[error("{address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key of the SFTP server cannot be read or made.
    #[error("SFTP host key")]
    SftpKey(#[source] std::io::Error),
    /// There is no certificate to serve with.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// The machine has no thread or socket left.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The application with the threads under it.
pub struct Running {
    /// What requests share.
    pub app: Arc<App>,
    driver: Driver,
    /// Held while the process lives: one process per data directory.
    _lock: std::fs::File,
}

impl Running {
    /// Opens the data directory, or makes it, and starts the engine on it.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(
        data: &Path,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
        courier: Box<dyn Courier>,
    ) -> Result<Self, StartError> {
        Self::start_within(data, clock, entropy, courier, Limits::default())
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_within(
        data: &Path,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
        courier: Box<dyn Courier>,
        limits: Limits,
    ) -> Result<Self, StartError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| StartError::Data { path, source }
        };
        std::fs::create_dir_all(data).map_err(at(data))?;
        let lock = lock(data)?;
        let store = SqliteStore::open(data)?;
        let (gauge, checkpointer, readers) =
            (store.gauge(), store.checkpointer()?, Readers::new(&store)?);
        let (app, engine) = App::assemble(Parts {
            data: data.to_path_buf(),
            store: Box::new(store),
            readers,
            wal: gauge.clone(),
            clock,
            entropy,
            courier,
            limits,
            workshop: Workshop::Beside,
            recorder: Some(Recorder::start(data)),
        })?;
        let driver = Driver::start(engine, gauge, checkpointer)?;
        Ok(Self {
            app,
            driver,
            _lock: lock,
        })
    }

    /// Seeds an empty store, its clock at an instant if one is given.
    ///
    /// # Errors
    /// [`StartError::Seed`].
    pub async fn seed_if_empty(
        &self,
        clock: Option<spotpay_core::time::Timestamp>,
    ) -> Result<(), StartError> {
        if !self.app.snapshot.load().config.partners.is_empty() {
            return Ok(());
        }
        self.app
            .engine
            .reset(seed::commands(), clock)
            .await
            .map_err(StartError::Seed)?;
        Ok(())
    }

    /// Decides what waits, then ends the threads.
    pub fn stop(self) {
        self.app.engine.close();
        self.driver.join();
        if let Some(recorder) = &self.app.recorder {
            recorder.flush();
        }
    }
}

/// What `notify_id`s are made under: a secret of the gateway's key, so that they stay the same.
fn notify_secret(gateway_key: &str) -> [u8; 32] {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    digest.update(b"spotpay notify_id");
    digest.update(gateway_key.as_bytes());
    digest.finish().as_ref().try_into().unwrap_or_default()
}

fn lock(data: &Path) -> Result<std::fs::File, StartError> {
    let path = data.join("lock");
    let failed = |source| StartError::Data {
        path: path.clone(),
        source,
    };
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse(data.to_path_buf())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

impl App {
    /// Puts an application together, and the engine that its driver has to run.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn assemble(parts: Parts) -> Result<(Arc<Self>, Engine), StartError> {
        let Parts {
            data,
            store,
            readers,
            wal,
            clock,
            entropy,
            courier,
            limits,
            workshop,
            recorder,
        } = parts;
        let snapshot = Arc::new(SnapshotCell::default());
        let publish = Arc::clone(&snapshot);
        let publish = Box::new(move |config: &_| publish.publish(config));
        let (engine, handle) = Engine::new(store, Arc::clone(&clock), limits.queue, publish)?;
        let app = Self {
            engine: handle,
            readers,
            snapshot,
            clock,
            entropy,
            gateway_key: seed::GATEWAY_KEY.parse()?,
            guard: CodeGuard::default(),
            faults: FaultRules::default(),
            notifier: Notifier::new(courier, &notify_secret(seed::GATEWAY_KEY)),
            job_runs: tokio::sync::Mutex::default(),
            file_turns: tokio::sync::Mutex::default(),
            clock_moves: tokio::sync::Mutex::default(),
            given: GivenCodes::default(),
            partner_changes: tokio::sync::Mutex::default(),
            autopsies: Semaphore::new(1),
            slow_signatures: Semaphore::new(slow_signatures_max()),
            metrics: Metrics::default(),
            limits,
            pace: Pace::new(limits.partner_requests_per_second),
            traffic: Arc::default(),
            recorder,
            data,
            workshop,
            wal,
            origin: Mutex::default(),
            sftp: OnceLock::new(),
        };
        Ok((Arc::new(app), engine))
    }

    /// Where the outside reaches us.
    pub fn origin(&self) -> String {
        self.origin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Where the outside fetches published files over SFTP, if it can.
    pub fn sftp(&self) -> Option<SocketAddr> {
        self.sftp.get().copied()
    }

    /// Tells where that is, once.
    pub fn set_sftp(&self, address: SocketAddr) {
        // The first one stays.
        let _ = self.sftp.set(address);
    }

    /// Pages of the WAL after the last commit.
    pub fn wal_pages(&self) -> u32 {
        self.wal.pages()
    }

    /// Tells where the outside reaches us.
    pub fn set_origin(&self, origin: String) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = origin;
    }

    /// Runs what takes a millisecond or more beside the requests; `None` when it panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        match self.workshop {
            Workshop::Beside => tokio::task::spawn_blocking(work).await.ok(),
            Workshop::Here => std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok(),
        }
    }
}
