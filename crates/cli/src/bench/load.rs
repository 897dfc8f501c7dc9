//! The generator: connections that send what was prepared and time what comes back.

#![expect(
    clippy::disallowed_methods,
    reason = "a driver: it measures time and waits for it"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::prepare::{self, Cast, Kind, Prepared};
use super::server::Target;
use super::{Outcome, PayArgs, Sign};

/// Longer than this, and codes that were made beforehand run out of time.
const PAY_SECONDS_MAX: u64 = 50;
const WARM_UP: Duration = Duration::from_secs(2);
/// The most that the closed loop is expected to reach; more requests are not prepared.
const PER_SECOND_MD5: u64 = 60_000;
const PER_SECOND_RSA2: u64 = 10_000;
/// The longest latency that is told apart, in microseconds: a minute.
const LATENCY_MAX: u64 = 60_000_000;

/// Trades that queries ask for, again and again.
const QUERIED: u64 = 20_000;

impl Seen {
    fn paid(&self) -> u64 {
        self.histogram.len() - self.refused - self.failed
    }
}

/// How requests are sent.
#[derive(Clone, Copy)]
struct Pace {
    /// So many per second, each timed from the moment it was due; without one, as fast as answers come.
    rate: Option<u64>,
    /// For how long.
    limit: Duration,
    /// Begin again at the first request after the last one.
    again: bool,
}

/// What one connection saw.
struct Seen {
    histogram: Histogram<u64>,
    refused: u64,
    failed: u64,
}

/// Prepares, warms up, measures, and looks at the books.
pub(super) fn measure(target: &Target, args: &PayArgs, kind: Kind) -> anyhow::Result<Outcome> {
    let seconds = args.duration.as_secs();
    if kind == Kind::Pay && seconds > PAY_SECONDS_MAX {
        bail!(
            "--duration is {seconds}s; codes live two minutes, so it must be at most {PAY_SECONDS_MAX}s"
        );
    }
    let expected = args.rate.unwrap_or(match args.sign {
        Sign::Md5 => PER_SECOND_MD5,
        Sign::Rsa2 => PER_SECOND_RSA2,
    });
    let (warm, counted) = (expected * WARM_UP.as_secs(), expected * seconds);
    eprintln!("hiring wallets and partners");
    let cast = Cast::hire(target, args, warm + counted)?;
    let stored_before = stored(target)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    eprintln!("signing {} requests", warm + counted);
    let mut first = prepared(target, &cast, args, kind, warm + counted, &runtime)?;
    let again = kind == Kind::Query;
    let rest = if again {
        first.clone()
    } else {
        first.split_off(usize::try_from(warm)?.min(first.len()))
    };
    eprintln!("warming up");
    let pace = Pace {
        rate: args.rate,
        limit: WARM_UP,
        again,
    };
    let warmed = runtime.block_on(drive(target.authority(), first, args.connections, pace))?;
    let (bytes_before, trades_before) = (store_bytes(target)?, stored(target)?);
    eprintln!("measuring for {seconds} s");
    let cpu_before = target.cpu();
    let started = Instant::now();
    let pace = Pace {
        limit: args.duration,
        ..pace
    };
    let seen = runtime.block_on(drive(target.authority(), rest, args.connections, pace))?;
    let measured = started.elapsed();
    let server_cpu = cpu_before
        .zip(target.cpu())
        .map(|(before, after)| after.saturating_sub(before));
    let bytes = store_bytes(target)?.saturating_sub(bytes_before);
    let trades = stored(target)?.saturating_sub(trades_before);
    let paid = (kind == Kind::Pay).then(|| warmed.paid() + seen.paid());
    let (books_balanced, books) = books(target, stored_before, paid)?;
    Ok(Outcome {
        answered: seen.histogram.len(),
        measured,
        refused: seen.refused,
        failed: seen.failed,
        histogram: seen.histogram,
        server_cpu,
        bytes_per_payment: bytes.checked_div(trades).filter(|_| kind == Kind::Pay),
        books_balanced,
        books,
    })
}

/// The requests of a run; queries ask for trades that are paid here, before anything is measured.
fn prepared(
    target: &Target,
    cast: &Cast,
    args: &PayArgs,
    kind: Kind,
    count: u64,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<Vec<Prepared>> {
    match kind {
        Kind::Pay => prepare::requests(target, cast, args, count, Kind::Pay),
        Kind::Query => {
            let paid = prepare::requests(target, cast, args, QUERIED, Kind::Pay)?;
            let pace = Pace {
                rate: None,
                limit: Duration::from_secs(60),
                again: false,
            };
            runtime.block_on(drive(target.authority(), paid, args.connections, pace))?;
            prepare::queries(target, cast, args, QUERIED)
        }
    }
}

/// Sends the same request over so many connections; how many were answered.
pub(super) async fn repeat(
    authority: &str,
    bytes: Vec<u8>,
    connections: u32,
    limit: Duration,
) -> anyhow::Result<u64> {
    let pace = Pace {
        rate: None,
        limit,
        again: true,
    };
    Ok(
        drive(authority, vec![Prepared { bytes }], connections, pace)
            .await?
            .histogram
            .len(),
    )
}

/// Sends requests over so many connections until they are used up or the time is over.
async fn drive(
    authority: &str,
    requests: Vec<Prepared>,
    connections: u32,
    pace: Pace,
) -> anyhow::Result<Seen> {
    let mut sockets = Vec::new();
    for _ in 0..connections {
        let socket = TcpStream::connect(authority)
            .await
            .context("the server does not take connections")?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
    }
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let all = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now();
    let tasks = sockets.into_iter().map(|socket| {
        let (requests, next, all) = (Arc::clone(&requests), Arc::clone(&next), Arc::clone(&all));
        async move {
            let seen = connection(socket, &requests, &next, pace, start).await;
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(seen);
        }
    });
    let local = tokio::task::LocalSet::new();
    for task in tasks {
        local.spawn_local(task);
    }
    local.await;
    let mut total = empty()?;
    for seen in all.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let seen = seen?;
        total.histogram.add(&seen.histogram)?;
        total.refused += seen.refused;
        total.failed += seen.failed;
    }
    Ok(total)
}

fn empty() -> anyhow::Result<Seen> {
    Ok(Seen {
        histogram: Histogram::new_with_max(LATENCY_MAX, 3)?,
        refused: 0,
        failed: 0,
    })
}

async fn connection(
    mut socket: TcpStream,
    requests: &[Prepared],
    next: &AtomicUsize,
    pace: Pace,
    start: Instant,
) -> anyhow::Result<Seen> {
    let Pace { rate, limit, again } = pace;
    let mut seen = empty()?;
    let mut buffer = Vec::with_capacity(16_384);
    while start.elapsed() < limit {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(if again {
            place % requests.len().max(1)
        } else {
            place
        }) else {
            break;
        };
        let due = match rate {
            None => Instant::now(),
            Some(rate) => {
                let due = start
                    + Duration::from_nanos(
                        u64::try_from(place)?.saturating_mul(1_000_000_000) / rate,
                    );
                if due > start + limit {
                    break;
                }
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        socket
            .write_all(&request.bytes)
            .await
            .context("the server hung up")?;
        let success = read_answer(&mut socket, &mut buffer).await?;
        let micros = u64::try_from(due.elapsed().as_micros())?.clamp(1, LATENCY_MAX);
        seen.histogram.record(micros)?;
        match success {
            Verdict::Paid => {}
            Verdict::Refused => seen.refused += 1,
            Verdict::Failed => seen.failed += 1,
        }
    }
    Ok(seen)
}

enum Verdict {
    Paid,
    Refused,
    Failed,
}

/// Reads one HTTP answer and looks at its result.
async fn read_answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Verdict> {
    buffer.clear();
    let (mut head, mut length) = (None, 0);
    loop {
        if head.is_none()
            && let Some(end) = find(buffer, b"\r\n\r\n")
        {
            length = content_length(buffer.get(..end).unwrap_or_default())?;
            head = Some(end + 4);
        }
        if let Some(head) = head
            && buffer.len() >= head + length
        {
            break;
        }
        if socket
            .read_buf(buffer)
            .await
            .context("the server hung up")?
            == 0
        {
            bail!("the server hung up in the middle of an answer");
        }
    }
    Ok(if find(buffer, b"<result_code>SUCCESS<").is_some() {
        Verdict::Paid
    } else if find(buffer, b"<is_success>F<").is_some()
        || find(buffer, b"<result_code>UNKNOW").is_some()
    {
        Verdict::Failed
    } else {
        Verdict::Refused
    })
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let text = std::str::from_utf8(head).context("the head of an answer is no text")?;
    let field = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    field.context("an answer has no length")
}

/// A number of `/sandbox/v1/stats`.
fn stat(target: &Target, name: &str) -> anyhow::Result<u64> {
    target.get("/sandbox/v1/stats")?[name]
        .as_u64()
        .with_context(|| format!("the server does not count {name}"))
}

fn store_bytes(target: &Target) -> anyhow::Result<u64> {
    stat(target, "store_bytes")
}

fn stored(target: &Target) -> anyhow::Result<u64> {
    stat(target, "trades")
}

/// Whether every answered payment is stored, once, and the trial balance is zero.
fn books(target: &Target, before: u64, paid: Option<u64>) -> anyhow::Result<(bool, String)> {
    let balance = target.get("/sandbox/v1/ledger/trial-balance")?;
    let sums = balance["sums"]
        .as_object()
        .context("there is no trial balance")?;
    let zero = sums.values().all(|sum| {
        sum.as_str()
            .is_some_and(|sum| sum.bytes().all(|digit| digit == b'0' || digit == b'.'))
    });
    let checked = balance["checked"] == true;
    let trades = stored(target)?.saturating_sub(before);
    let kept = paid.is_none_or(|paid| paid == trades);
    let paid = paid.map_or(String::new(), |paid| {
        format!("{paid} paid, {trades} stored, ")
    });
    let verdict = if zero && checked && kept {
        "balanced"
    } else {
        "WRONG"
    };
    Ok((
        zero && checked && kept,
        format!("{verdict}: {paid}sums {}", balance["sums"]),
    ))
}
