//! `spotpay serve`: the routes, and the life of the process from open to clean shutdown.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{any, get};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use spotpay_core::time::Timestamp;
use spotpay_store::request_log::RequestRecord;
use spotpay_store::sqlite::Reader;
use spotpay_wire::form::Form;
use spotpay_wire::service::Service;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::app::{App, Running, StartError};
use crate::clock::Clock;
use crate::engine::Health;
use crate::entropy::SystemEntropy;
use crate::gateway::{self, Exchange};
use crate::limits::Limits;
use crate::listen::{self, BodyError, Peer};
use crate::notifier::courier::{HttpCourier, Reach};
use crate::recorder::Recorder;
use crate::sftp::{self, HostKey};
use crate::{jobs, mistake, notifier, sandbox, tls};

/// What `spotpay serve` was asked for (`contract.md`).
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub data: PathBuf,
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// HTTPS, with these names beside `localhost` and `127.0.0.1`.
    pub tls: Option<Vec<String>>,
    /// Where published files are fetched over SFTP; port 0 picks a free one.
    pub sftp: Option<SocketAddr>,
    /// Where the clock of an empty store starts.
    pub clock: Option<Timestamp>,
    /// What callers may take.
    pub limits: Limits,
}

/// Where a server that is ready can be reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    /// As in `http://127.0.0.1:8080`.
    pub origin: String,
    /// Where files are fetched, if they are.
    pub sftp: Option<SocketAddr>,
}

/// Every route of the process.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/gateway.do", any(serve_gateway))
        .route("/", get(front_page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .nest("/sandbox/v1", sandbox::routes())
        // A nest does not match its own path with a slash behind it.
        .route("/sandbox/v1/", any(sandbox::no_such_call))
        .with_state(app)
}

/// Every route without a socket, for whoever calls them in process.
pub struct InProcess(Router);

/// Why there is no answer to a call in process.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Method and address are none.
    #[error("no HTTP request")]
    NoRequest(#[from] axum::http::Error),
    /// The answer broke off.
    #[error("the answer broke off")]
    BrokeOff(#[from] axum::Error),
}

impl InProcess {
    /// The routes of an application.
    pub fn new(app: &Arc<App>) -> Self {
        Self(router(Arc::clone(app)))
    }

    /// Sends one request and reads the whole answer; a panic of a handler is the caller's.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(
        &self,
        method: &str,
        address: &str,
        body: Vec<u8>,
    ) -> Result<Response<Bytes>, CallError> {
        let request = Request::builder()
            .method(method)
            .uri(address)
            .body(Body::from(body))?;
        let answer = match self.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }
}

/// Serves until `shutdown` ends, then finishes what is under way. `ready` hears the addresses once
/// the process answers.
///
/// # Errors
/// [`StartError`].
pub async fn serve(
    options: Options,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(&Ready),
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let mut limits = options.limits;
    limits.listen = limits.listen.within_files(listen::raise_file_limit());
    let courier = Box::new(HttpCourier::new(Reach::Anywhere));
    let entropy = Box::new(SystemEntropy::default());
    let running = Running::start_within(&options.data, clock, entropy, courier, limits)?;
    running.seed_if_empty(options.clock).await?;
    let tls = options
        .tls
        .as_deref()
        .map(|names| tls::server_config(&options.data, names))
        .transpose()?;
    let listener = bind(options.listen)?;
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let origin = format!("{scheme}://{}", reachable(address));
    running.app.set_origin(origin.clone());
    let files = match options.sftp {
        Some(at) => Some(FileServer::start(&running.app, at)?),
        None => None,
    };
    sandbox::write_file(&running.app)?;
    let notifier = notifier::driver::Driver::start(&running.app);
    let jobs = jobs::Driver::start(&running.app);
    ready(&Ready {
        origin,
        sftp: running.app.sftp(),
    });
    let router = router(Arc::clone(&running.app));
    listen::serve_counted(
        listener,
        router,
        tls,
        limits.listen,
        Arc::clone(&running.app.traffic),
        shutdown,
    )
    .await?;
    jobs.stop();
    if let Some(files) = files {
        files.stop().await;
    }
    notifier.stop(&running.app).await;
    running.stop();
    Ok(())
}

fn bind(address: SocketAddr) -> Result<tokio::net::TcpListener, StartError> {
    listen::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// The SFTP server beside the other.
struct FileServer {
    tasks: JoinSet<()>,
    stop: oneshot::Sender<()>,
}

impl FileServer {
    fn start(app: &Arc<App>, at: SocketAddr) -> Result<Self, StartError> {
        let key = HostKey::load_or_make(&app.data, &*app.entropy).map_err(StartError::SftpKey)?;
        let listener = bind(at)?;
        app.set_sftp(reachable(listener.local_addr()?));
        let (stop, stops) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(sftp::serve(
            listener,
            app.shelf(),
            sftp::Options::new(key),
            async move { drop(stops.await) },
        ));
        Ok(Self { tasks, stop })
    }

    async fn stop(mut self) {
        drop(self.stop);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// An address that a program on this machine can use: one that listens everywhere listens here too.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(at) if at.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, at.port()).into(),
        SocketAddr::V6(at) if at.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, at.port()).into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => address,
    }
}

/// Form in, signed XML out; one line in the log, one row in the inspector.
async fn serve_gateway(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let started = app.clock.monotonic();
    let (head, body) = request.into_parts();
    let client = head
        .extensions
        .get::<Peer>()
        .map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.0.ip());
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let mut exchange = Exchange::default();
    let mut likely_mistake = None;
    let (form, answered) = match listen::read_body(body, &app.limits.listen).await {
        Ok(body) => {
            let form = Form::read_within(query, &body, app.limits.parameters);
            let answered = gateway::answer(&app, &form, client, &mut exchange).await;
            let partner = exchange.partner.parse().ok();
            if let (Some(false), Some(partner), true) =
                (exchange.sign_ok, partner, app.recorder.is_some())
            {
                likely_mistake = Box::pin(mistake::likely(&app, partner, query, &body)).await;
            }
            (form, answered)
        }
        // Too long is a refusal with a published code; late or broken is no request at all.
        Err(BodyError::TooLong) => {
            let form = Form::read(query, b"");
            let answered = gateway::too_large(&form, &mut exchange);
            (form, answered)
        }
        Err(error @ (BodyError::Late | BodyError::Broken(_))) => {
            return error.status().into_response();
        }
    };
    let duration_us = gateway::took(started, app.clock.monotonic());
    let told = Told {
        answer: &answered.body,
        duration_us,
        likely_mistake,
    };
    note(&app, &form, exchange, told);
    answered.into_response()
}

/// What the inspector keeps of an answer: every one in XML is shorter, a file may be much longer.
const RECORDED_BYTES_MAX: usize = 1_024 * 1_024;

/// What became of an exchange.
struct Told<'a> {
    answer: &'a Bytes,
    duration_us: u64,
    likely_mistake: Option<String>,
}

/// What is remembered of an exchange: numbers, a line (`docs/logging.md`), and the inspector's row.
fn note(app: &App, form: &Form, exchange: Exchange, told: Told<'_>) {
    let duration_us = told.duration_us;
    app.metrics
        .observe(exchange.service, exchange.result, duration_us);
    tracing::info!(
        request.service = exchange.service.map_or("unknown", Service::as_str),
        request.duration_us = duration_us,
        partner.id = %exchange.partner,
        trade.id = exchange.trade.map(tracing::field::display),
        answer.outcome = exchange.result,
        answer.code = exchange.error.as_deref(),
        "request"
    );
    if let Some(recorder) = app.recorder.as_ref().filter(|recorder| recorder.wants()) {
        let kept = told.answer.len().min(RECORDED_BYTES_MAX);
        recorder.record(RequestRecord {
            at: app.clock.now(),
            service: exchange
                .service
                .map_or("unknown", Service::as_str)
                .to_owned(),
            partner: exchange.partner,
            result: exchange.result.to_owned(),
            error: exchange.error,
            reason: exchange.reason,
            duration_us,
            params: form
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            canonical: exchange.canonical,
            sign_ok: exchange.sign_ok,
            likely_mistake: told.likely_mistake,
            answer: told.answer.slice(..kept).to_vec(),
            trade: exchange.trade,
        });
    }
}

async fn front_page(State(app): State<Arc<App>>) -> Html<String> {
    Html(include_str!("front.html").replace("{origin}", &app.origin()))
}

/// Ready while the store answers and nothing is in doubt.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let answers = app.readers.read(Reader::last_commit).is_ok();
    match app.engine.health() {
        Health::Ready if answers => (StatusCode::OK, "ready\n"),
        Health::Ready | Health::InDoubt => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not answer\n",
        ),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let mut gauges = engine_gauges(&app);
    gauges.extend(shell_gauges(&app));
    let text = app.metrics.render(&gauges);
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
}

/// A name, what it means, and its number now.
type Gauge = (&'static str, &'static str, u64);

fn engine_gauges(app: &App) -> Vec<Gauge> {
    let counters = app.engine.counters();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let ready = match app.engine.health() {
        Health::Ready => 1,
        Health::InDoubt => 0,
    };
    let queued = u64::try_from(app.engine.queued()).unwrap_or(u64::MAX);
    let bytes = app.readers.read(Reader::size_bytes).unwrap_or(0);
    vec![
        ("spotpay_ready", "Whether nothing is in doubt.", ready),
        (
            "spotpay_queue_commands",
            "Commands that wait for the engine.",
            queued,
        ),
        (
            "spotpay_wal_pages",
            "Pages of the WAL after the last commit.",
            app.wal_pages().into(),
        ),
        (
            "spotpay_store_bytes",
            "Size of the store with all tables and indexes.",
            bytes,
        ),
        (
            "spotpay_batches_total",
            "Batches committed.",
            count(&counters.batches),
        ),
        (
            "spotpay_commands_total",
            "Commands in them.",
            count(&counters.commands),
        ),
        (
            "spotpay_repeats_total",
            "Batches repeated after a conflict.",
            count(&counters.repeats),
        ),
        (
            "spotpay_doubts_total",
            "Commits that were in doubt.",
            count(&counters.doubts),
        ),
        (
            "spotpay_turned_away_total",
            "Commands turned away: too much waited.",
            count(&counters.turned_away),
        ),
    ]
}

fn shell_gauges(app: &App) -> Vec<Gauge> {
    let counts = &app.notifier.counts;
    let dropped = app.recorder.as_ref().map_or(0, Recorder::dropped);
    vec![
        (
            "spotpay_connections",
            "Connections that are open.",
            app.traffic.open(),
        ),
        (
            "spotpay_connections_total",
            "Connections that were taken.",
            app.traffic.accepted(),
        ),
        (
            "spotpay_connections_shed_total",
            "Connections closed at once for want of room.",
            app.traffic.shed(),
        ),
        (
            "spotpay_connections_late_total",
            "Connections cut because they were too slow.",
            app.traffic.timed_out(),
        ),
        (
            "spotpay_partner_over_pace_total",
            "Requests refused since their partner sent too many a second.",
            app.pace.refused(),
        ),
        (
            "spotpay_notifications_under_way",
            "Notifications that are being sent.",
            u64::try_from(app.notifier.under_way()).unwrap_or(u64::MAX),
        ),
        (
            "spotpay_notifications_acknowledged_total",
            "Sendings that were answered with success.",
            counts.acknowledged.load(Ordering::Relaxed),
        ),
        (
            "spotpay_notifications_not_acknowledged_total",
            "Sendings that were not.",
            counts.not_acknowledged.load(Ordering::Relaxed),
        ),
        (
            "spotpay_request_log_dropped_total",
            "Requests that the inspector did not keep.",
            dropped,
        ),
    ]
}
