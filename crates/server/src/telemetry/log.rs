//! Log lines, written by a thread of their own so that no request waits for a terminal or a pipe.
//!
//! A line is copied into a buffer under a lock that is held for the copy only; the thread takes
//! the whole buffer and writes it in one call. A buffer that is full drops the line and counts it.

#![expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it owns the thread that writes log lines"
)]

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::clock::{Clock, SystemClock};

/// The variable that sets what is logged: `debug`, or `warn,spotpay_server=debug`.
const FILTER_VARIABLE: &str = "SPOTPAY_LOG";
/// Bytes of lines that wait, at most: some thousand lines.
const WAITING_BYTES_MAX: usize = 1_024 * 1_024;
/// How long an end waits for a reader that does not read.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// Starts logging to standard error with the machine's time: what `SPOTPAY_LOG` says, or level
/// info. Lines are written until the guard is dropped. A second start in one process changes
/// nothing.
pub fn init() -> Guard {
    init_with(Arc::new(SystemClock::new()))
}

/// [`init`] with the gateway's clock, which a sandbox may move.
pub fn init_with(clock: Arc<dyn Clock>) -> Guard {
    let filter = EnvFilter::builder()
        .with_env_var(FILTER_VARIABLE)
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    let (lines, guard) = Lines::start(io::stderr());
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(ClockTime(clock))
        .with_target(false)
        .with_ansi(false)
        .with_writer(lines)
        .finish();
    // Fails only when someone logs already, as tests do; then that log stays.
    drop(tracing::subscriber::set_global_default(logging));
    guard
}

/// Instants as the gateway's clock says, in GMT+8.
struct ClockTime(Arc<dyn Clock>);

impl FormatTime for ClockTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{}", self.0.now())
    }
}

/// Lines on their way out.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A line is copied whole or not at all, so a panic elsewhere leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.is_closed || waiting.lines.len() + line.len() > WAITING_BYTES_MAX {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Swaps what waits for an empty buffer; false once it is closed and nothing waits.
    fn take(&self, into: &mut Vec<u8>) -> bool {
        let waiting = self.lock();
        let mut waiting = self
            .filled
            .wait_while(waiting, |waiting| {
                waiting.lines.is_empty() && !waiting.is_closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, into);
        !into.is_empty()
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }
}

/// Hands lines to the queue.
#[derive(Clone, Debug)]
struct Lines(Arc<Queue>);

impl Lines {
    /// Starts the thread that writes to `out`. Without a thread nothing is logged.
    fn start(out: impl Write + Send + 'static) -> (Self, Guard) {
        let queue = Arc::new(Queue::default());
        let (done, written) = sync_channel(1);
        let thread = std::thread::Builder::new().name("log".into()).spawn({
            let queue = Arc::clone(&queue);
            move || write_all(&queue, out, &done)
        });
        if thread.is_err() {
            queue.close();
        }
        let guard = Guard {
            queue: Arc::clone(&queue),
            written,
        };
        (Self(queue), guard)
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter(&self.0)
    }
}

/// Takes one line; tracing-subscriber writes a line in one call.
struct LineWriter<'a>(&'a Queue);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(queue: &Queue, mut out: impl Write, done: &SyncSender<()>) {
    let mut lines = Vec::new();
    let mut dropped_before = 0;
    while queue.take(&mut lines) {
        // A terminal that is gone is nobody's fault; the process goes on.
        drop(out.write_all(&lines));
        lines.clear();
        let dropped = queue.dropped.load(Ordering::Relaxed);
        if dropped > dropped_before {
            let lines_dropped = dropped - dropped_before;
            drop(writeln!(
                out,
                "WARN log lines were dropped log.lines_dropped={lines_dropped}"
            ));
            dropped_before = dropped;
        }
    }
    drop(out.flush());
    // Nobody hears it when the guard gave up waiting.
    let _ = done.try_send(());
}

/// Lines are written as long as it lives; dropping it writes what waits.
#[derive(Debug)]
pub struct Guard {
    queue: Arc<Queue>,
    written: Receiver<()>,
}

impl Guard {
    /// Lines that were dropped, for metrics.
    pub fn gauge(&self) -> LogGauge {
        LogGauge(Arc::clone(&self.queue))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.queue.close();
        let _ = self.written.recv_timeout(FLUSH_TIME);
    }
}

/// How many lines found the queue full.
#[derive(Clone, Debug)]
pub struct LogGauge(Arc<Queue>);

impl LogGauge {
    /// Lines that were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place for lines that lets go of them only when told.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Valve>);

    #[derive(Default)]
    struct Valve {
        written: Mutex<Vec<u8>>,
        opened: Condvar,
        is_open: Mutex<bool>,
    }

    impl Pipe {
        fn open(&self) {
            *self.0.is_open.lock().unwrap() = true;
            self.0.opened.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.written.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let is_open = self.0.is_open.lock().unwrap();
            drop(self.0.opened.wait_while(is_open, |open| !*open).unwrap());
            self.0.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_up() {
        let pipe = Pipe::default();
        let (lines, guard) = Lines::start(pipe.clone());
        let line = [b'x'; 1_000];
        for _ in 0..5_000 {
            lines.make_writer().write_all(&line).unwrap();
        }
        let dropped = guard.gauge().dropped();
        // One buffer is being written, another waits.
        assert!((2_900..4_000).contains(&dropped), "{dropped} dropped");
        pipe.open();
        drop(guard);
        let text = pipe.text();
        assert!(text.contains(&format!("log.lines_dropped={dropped}\n")));
        let whole = usize::try_from(5_000 - dropped).unwrap() * 1_000;
        assert!(text.len() >= whole, "what was not dropped is written");
    }

    #[test]
    fn a_line_has_the_clock_s_time_and_its_fields() {
        use spotpay_core::time::{Span, Timestamp};
        struct Fixed;
        impl Clock for Fixed {
            fn now(&self) -> Timestamp {
                Timestamp::from_seconds(1_795_000_000)
            }
            fn real(&self) -> Timestamp {
                self.now()
            }
            fn monotonic(&self) -> Span {
                Span::micros(0)
            }
            fn set_offset(&self, _: Span) {}
        }
        let pipe = Pipe::default();
        pipe.open();
        let (lines, guard) = Lines::start(pipe.clone());
        let logging = tracing_subscriber::fmt()
            .with_timer(ClockTime(Arc::new(Fixed)))
            .with_target(false)
            .with_ansi(false)
            .with_writer(lines)
            .finish();
        tracing::subscriber::with_default(logging, || {
            tracing::info!(answer.code = "SUCCESS", request.duration_us = 12, "request");
        });
        drop(guard);
        let line = "2026-11-18T19:06:40+08:00  INFO request answer.code=\"SUCCESS\" \
                    request.duration_us=12\n";
        assert_eq!(pipe.text(), line);
    }
}
