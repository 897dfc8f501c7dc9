//! Keeps the inspector's log off the road of payments: a bounded queue, a thread at low priority,
//! and a bound on how much is recorded at all.
//!
//! The bound is asked before a record is built ([`Recorder::wants`]), so that under load a request
//! pays for a look at a clock and a counter, and nothing more.

#![expect(
    clippy::disallowed_methods,
    reason = "this is a driver: it owns the thread of the request log and paces it"
)]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use spotpay_store::StoreError;
use spotpay_store::request_log::{RequestLog, RequestLogReader, RequestRecord, StoredRequest};

/// Records that wait for the thread, at most.
const WAITING_MAX: usize = 1_024;
/// Records a second, in the long run.
const RECORDS_PER_SECOND: u64 = 500;
/// Records at once after a quiet time; half of what may wait.
const BURST: u64 = 512;
/// How long the thread lets records gather: one transaction for many costs a third.
const GATHER: Duration = Duration::from_millis(20);
/// Records in one transaction, at most.
const BATCH_MAX: usize = 256;
/// How long a flush waits for a disk that hangs.
const FLUSH_TIME: Duration = Duration::from_secs(2);
/// The thread's niceness: whatever answers requests goes first.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Takes records from request threads and never holds them up.
#[derive(Debug)]
pub struct Recorder {
    /// Taken at the end, which ends the thread.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    reader: Option<RequestLogReader>,
    allowance: Allowance,
    dropped: AtomicU64,
}

/// What the thread is asked to do, in its order.
#[derive(Debug)]
enum Job {
    Record(Box<RequestRecord>),
    Clear,
    /// Answered once everything before it is in the file.
    Flush(SyncSender<()>),
}

impl Recorder {
    /// Opens the log of a data directory and starts the thread. It never fails: without a log or a
    /// thread, every record is dropped and counted.
    pub fn start(data: &Path) -> Self {
        let mut recorder = Self {
            jobs: None,
            thread: None,
            reader: None,
            allowance: Allowance::new(RECORDS_PER_SECOND, BURST),
            dropped: AtomicU64::new(0),
        };
        let log = match RequestLog::open(data) {
            Ok(log) => log,
            Err(error) => {
                tracing::warn!(fault.source = %error, "requests are not recorded");
                return recorder;
            }
        };
        recorder.reader = Some(log.reader());
        let (jobs, queue) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || keep(log, &queue));
        match thread {
            Ok(thread) => {
                recorder.thread = Some(thread);
                recorder.jobs = Some(jobs);
            }
            Err(error) => tracing::warn!(fault.source = %error, "requests are not recorded"),
        }
        recorder
    }

    /// Whether the next record will be taken; ask before building it. A no is counted as dropped.
    pub fn wants(&self) -> bool {
        let wants = self.jobs.is_some() && self.allowance.take();
        if !wants {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        wants
    }

    /// Hands a record over, or drops and counts it when too many wait.
    pub fn record(&self, record: RequestRecord) {
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.try_send(Job::Record(Box::new(record))).is_ok());
        if !sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests that were not recorded.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything handed over so far is in the file, at most two seconds.
    pub fn flush(&self) {
        let Some(jobs) = &self.jobs else { return };
        let (done, written) = sync_channel(1);
        // Waits while the queue is full; the thread empties it.
        if jobs.send(Job::Flush(done)).is_ok() {
            self.hurry();
            let _ = written.recv_timeout(FLUSH_TIME);
        }
    }

    /// Throws away all records, those that wait as well.
    pub fn clear(&self) {
        if let Some(jobs) = &self.jobs
            && jobs.send(Job::Clear).is_ok()
        {
            self.flush();
        }
    }

    /// Reads the log; none if there is no log.
    pub fn reader(&self) -> Option<&RequestLogReader> {
        self.reader.as_ref()
    }

    /// The newest records, with everything handed over so far among them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn recent(
        &self,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Vec<StoredRequest>, StoreError> {
        self.flush();
        self.reader
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), |reader| reader.recent(limit, before))
    }

    /// One record, while it is kept.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get(&self, id: i64) -> Result<Option<StoredRequest>, StoreError> {
        self.flush();
        self.reader
            .as_ref()
            .map_or(Ok(None), |reader| reader.get(id))
    }

    /// Ends the thread's gathering early.
    fn hurry(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.jobs = None;
        self.hurry();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the recorder's thread panicked");
        }
    }
}

/// Records handed out evenly over time, with some saved up in quiet times: the instant up to which
/// the allowance is used is one number, so taking one is one exchange and a refusal is one read.
#[derive(Debug)]
struct Allowance {
    start: Instant,
    used_until_ns: AtomicU64,
    each_ns: u64,
    burst_ns: u64,
}

impl Allowance {
    fn new(per_second: u64, burst: u64) -> Self {
        let each_ns = 1_000_000_000 / per_second;
        Self {
            start: Instant::now(),
            used_until_ns: AtomicU64::new(0),
            each_ns,
            burst_ns: each_ns * burst,
        }
    }

    fn take(&self) -> bool {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(now)
    }

    fn take_at(&self, now_ns: u64) -> bool {
        self.used_until_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used_until| {
                let used_until = used_until.max(now_ns).saturating_add(self.each_ns);
                (used_until <= now_ns.saturating_add(self.burst_ns)).then_some(used_until)
            })
            .is_ok()
    }
}

/// The thread: waits for a first job, lets more gather, and writes them together.
fn keep(mut log: RequestLog, queue: &Receiver<Job>) {
    step_back();
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut is_failing = false;
    while let Ok(first) = queue.recv() {
        std::thread::park_timeout(GATHER);
        let mut next = Some(first);
        while let Some(job) = next.take().or_else(|| queue.try_recv().ok()) {
            let ends_batch = match job {
                Job::Record(record) => {
                    batch.push(*record);
                    batch.len() >= BATCH_MAX
                }
                Job::Clear => {
                    batch.clear();
                    report(log.clear(), &mut is_failing);
                    false
                }
                Job::Flush(done) => {
                    report(write(&mut log, &mut batch), &mut is_failing);
                    // The one who asked may have given up.
                    let _ = done.try_send(());
                    false
                }
            };
            if ends_batch {
                report(write(&mut log, &mut batch), &mut is_failing);
            }
        }
        report(write(&mut log, &mut batch), &mut is_failing);
    }
}

fn write(log: &mut RequestLog, batch: &mut Vec<RequestRecord>) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let written = log.append(batch);
    batch.clear();
    written
}

/// Says once that it fails, and once more when it fails again after a success.
fn report(done: Result<(), StoreError>, is_failing: &mut bool) {
    if let Err(error) = &done
        && !*is_failing
    {
        tracing::warn!(fault.source = %error, "requests could not be recorded");
    }
    *is_failing = done.is_err();
}

/// Lowers the priority of this thread; where that is not possible it stays.
fn step_back() {
    // On Linux the call without a process means the calling thread; elsewhere it would be all.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use spotpay_core::time::Timestamp;

    fn record(number: i64) -> RequestRecord {
        RequestRecord {
            at: Timestamp::from_micros(number),
            service: "notify_verify".to_owned(),
            partner: "2088000000000001".to_owned(),
            result: "true".to_owned(),
            error: None,
            reason: None,
            duration_us: 1,
            params: Vec::new(),
            canonical: Vec::new(),
            sign_ok: None,
            likely_mistake: None,
            answer: b"true".to_vec(),
            trade: None,
        }
    }

    #[test]
    fn the_allowance_is_even_with_a_burst() {
        let allowance = Allowance::new(2_000, 512);
        let taken = |from_ms: u64, to_ms: u64| {
            // Asked far more often than it is allowed.
            (from_ms * 1_000..to_ms * 1_000)
                .filter(|step| allowance.take_at(step * 1_000))
                .count()
        };
        assert_eq!(
            taken(0, 1),
            512 + 1,
            "the burst, and what one ms more allows"
        );
        assert_eq!(taken(1, 1_001), 2_000, "the rate, whatever is asked");
        assert_eq!(taken(5_000, 5_001), 512 + 1, "a burst again after a pause");
    }

    #[test]
    fn a_flood_is_counted_and_the_rest_is_kept() {
        let data = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(data.path());
        let mut kept = 0;
        for number in 0..20_000 {
            if recorder.wants() {
                recorder.record(record(number));
                kept += 1;
            }
        }
        assert!(kept >= BURST, "{kept} kept");
        assert_eq!(kept + recorder.dropped(), 20_000);
        let found = recorder.recent(100_000, None).unwrap();
        assert_eq!(u64::try_from(found.len()).unwrap(), kept);
        let newest = found.first().unwrap();
        assert_eq!(recorder.get(newest.id).unwrap().as_ref(), Some(newest));
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let data = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(data.path());
        // Without asking first: more than may wait, faster than they are written.
        for number in 0..50_000 {
            recorder.record(record(number));
        }
        let found = recorder.recent(100_000, None).unwrap();
        let kept = u64::try_from(found.len()).unwrap();
        assert!(kept >= u64::try_from(WAITING_MAX).unwrap(), "{kept} kept");
        assert_eq!(kept + recorder.dropped(), 50_000);
    }

    #[test]
    fn what_was_recorded_is_there_after_the_end() {
        let data = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(data.path());
        for number in 0..100 {
            recorder.record(record(number));
        }
        drop(recorder);
        let recorder = Recorder::start(data.path());
        assert_eq!(recorder.recent(1_000, None).unwrap().len(), 100);
        recorder.record(record(100));
        recorder.clear();
        assert_eq!(recorder.recent(1_000, None).unwrap(), []);
        recorder.record(record(101));
        assert_eq!(recorder.recent(1_000, None).unwrap().len(), 1);
    }

    #[test]
    fn without_a_directory_everything_is_dropped() {
        let data = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(&data.path().join("missing"));
        assert!(!recorder.wants());
        recorder.record(record(1));
        recorder.flush();
        recorder.clear();
        assert_eq!(recorder.dropped(), 2);
        assert_eq!(recorder.recent(10, None).unwrap(), []);
    }
}
