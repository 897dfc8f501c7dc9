//! What a connection is doing and since when: marks that cost a store each, read by its watch.
//!
//! The bytes pass through [`Watched`], the bodies through `listen::body`; each leaves its mark
//! here, and `listen::connection` looks at the marks when its one timer fires. So a request on a
//! connection that is kept alive arms no timer at all.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the listening driver: it measures how long partners take"
)]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Limits;

/// What a connection is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// A request's head is awaited to its end: after accept, or once its first byte is here.
    Head,
    /// Kept alive between two requests.
    Idle,
    /// The handler works; it keeps its own deadline.
    Handling,
    /// The handler waits for the rest of the request's body.
    Body,
    /// The handler answered; its body is being made and sent.
    Answering,
    /// The answer is complete and leaves the buffers.
    Flushing,
    /// All is said; what still arrives is thrown away so that the answer is not lost to a reset.
    Lingering,
}

impl Phase {
    /// Its place in the low bits of a mark.
    const fn code(self) -> u64 {
        match self {
            Self::Head => 0,
            Self::Idle => 1,
            Self::Handling => 2,
            Self::Body => 3,
            Self::Answering => 4,
            Self::Flushing => 5,
            Self::Lingering => 6,
        }
    }

    const fn of(code: u64) -> Self {
        match code {
            0 => Self::Head,
            1 => Self::Idle,
            2 => Self::Handling,
            3 => Self::Body,
            4 => Self::Answering,
            5 => Self::Flushing,
            _ => Self::Lingering,
        }
    }
}

/// A phase and the millisecond of the connection's life in which it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark(u64);

impl Mark {
    const PHASE_BITS: u32 = 3;

    fn new(phase: Phase, since_ms: u64) -> Self {
        Self(since_ms << Self::PHASE_BITS | phase.code())
    }

    pub(super) fn phase(self) -> Phase {
        Phase::of(self.0 & ((1 << Self::PHASE_BITS) - 1))
    }

    pub(super) fn since_ms(self) -> u64 {
        self.0 >> Self::PHASE_BITS
    }
}

/// What the watch should do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Nothing; look again at this millisecond.
    Wait(u64),
    /// The body is late: its reader is told, and has until this millisecond to answer.
    BodyLate(u64),
    /// Nobody uses the connection: it closes in peace.
    IdleTooLong,
    /// The other side is too slow: it is cut off.
    Cut,
}

/// The marks of one connection. Nothing is decided by them but when to give up on it, so their
/// order towards other memory does not matter.
#[derive(Debug)]
pub(super) struct Link {
    start: Instant,
    mark: AtomicU64,
    /// The millisecond since which a write waits for the other side, plus one; 0: none does.
    stalled: AtomicU64,
    body_late: AtomicBool,
    /// Part of a request's body was left unread.
    unread: AtomicBool,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            mark: AtomicU64::new(Mark::new(Phase::Head, 0).0),
            stalled: AtomicU64::new(0),
            body_late: AtomicBool::new(false),
            unread: AtomicBool::new(false),
        }
    }

    /// Milliseconds of its life.
    pub(super) fn now_ms(&self) -> u64 {
        millis(self.start.elapsed())
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.mark.load(Ordering::Relaxed))
    }

    fn set(&self, phase: Phase, since_ms: u64) {
        self.mark
            .store(Mark::new(phase, since_ms).0, Ordering::Relaxed);
    }

    pub(super) fn handling(&self) {
        self.set(Phase::Handling, self.mark().since_ms());
    }

    /// The handler asked for more of the body than there is.
    pub(super) fn body_awaited(&self) {
        if self.mark().phase() == Phase::Handling {
            self.set(Phase::Body, self.now_ms());
        }
    }

    /// The body ended, well or not.
    pub(super) fn body_done(&self) {
        if self.mark().phase() == Phase::Body {
            self.handling();
        }
    }

    pub(super) fn body_left_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_body_late(&self) -> bool {
        self.body_late.load(Ordering::Relaxed)
    }

    pub(super) fn answering(&self) {
        self.set(Phase::Answering, self.mark().since_ms());
    }

    pub(super) fn answered(&self) {
        self.set(Phase::Flushing, self.now_ms());
    }

    fn bytes_came(&self) {
        if self.mark().phase() == Phase::Idle {
            self.set(Phase::Head, self.now_ms());
        }
    }

    fn flushed(&self) {
        let mark = self.mark();
        if mark.phase() == Phase::Flushing {
            self.set(Phase::Idle, mark.since_ms());
        }
    }

    fn stalls(&self) {
        self.stalled.store(self.now_ms() + 1, Ordering::Relaxed);
    }

    fn moves(&self) {
        self.stalled.store(0, Ordering::Relaxed);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed) != 0
    }

    /// Whether closing at once could take the answer away from a partner who is still sending.
    fn must_linger(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || self.mark().phase() == Phase::Head
    }

    /// When the watch must look again if nothing changes.
    pub(super) fn due_ms(&self, limits: &Limits) -> u64 {
        let mark = self.mark();
        let patience = match mark.phase() {
            Phase::Head => limits.head_time,
            Phase::Idle => limits.idle_time,
            Phase::Body if self.is_body_late() => limits.body_time + limits.late_answer_time,
            Phase::Body => limits.body_time,
            Phase::Lingering => limits.linger_time,
            // Not the partner's turn: only a write that does not move counts against them.
            Phase::Handling | Phase::Answering | Phase::Flushing => Duration::MAX,
        };
        let due = mark.since_ms().saturating_add(millis(patience));
        match self.stalled.load(Ordering::Relaxed) {
            0 => due,
            stalled => due.min((stalled - 1).saturating_add(millis(limits.stall_time))),
        }
    }

    /// Looks at the marks at a millisecond.
    pub(super) fn judge(&self, now_ms: u64, limits: &Limits) -> Verdict {
        let due = self.due_ms(limits);
        if now_ms < due {
            return Verdict::Wait(due.min(now_ms.saturating_add(millis(limits.idle_time))));
        }
        let phase = self.mark().phase();
        if self.is_stalled() {
            return Verdict::Cut;
        }
        match phase {
            Phase::Idle => Verdict::IdleTooLong,
            Phase::Body if !self.is_body_late() => {
                self.body_late.store(true, Ordering::Relaxed);
                Verdict::BodyLate(now_ms.saturating_add(millis(limits.late_answer_time)))
            }
            Phase::Head
            | Phase::Body
            | Phase::Lingering
            | Phase::Handling
            | Phase::Answering
            | Phase::Flushing => Verdict::Cut,
        }
    }
}

/// A duration in whole milliseconds, without the detour over 128 bits.
pub(super) fn millis(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000)
        .saturating_add(u64::from(duration.subsec_millis()))
}

/// A stream that leaves marks, and that lingers when it closes on someone who is still sending.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    link: Arc<Link>,
    /// What is still thrown away before the stream is let go.
    linger_bytes: usize,
    is_stalled: bool,
    is_shut: bool,
}

impl<T> Watched<T> {
    pub(super) fn new(stream: T, link: Arc<Link>, linger_bytes: usize) -> Self {
        Self {
            stream,
            link,
            linger_bytes,
            is_stalled: false,
            is_shut: false,
        }
    }

    fn watch_write<R>(&mut self, poll: &Poll<R>) {
        let stalls = poll.is_pending();
        if stalls != self.is_stalled {
            self.is_stalled = stalls;
            if stalls {
                self.link.stalls();
            } else {
                self.link.moves();
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        self.link.bytes_came();
        Poll::Ready(read)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(&flushed);
        if flushed.is_ready() {
            self.link.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
            self.watch_write(&shut);
            ready!(shut)?;
            self.is_shut = true;
            if !self.link.must_linger() {
                return Poll::Ready(Ok(()));
            }
            self.link.set(Phase::Lingering, self.link.now_ms());
        }
        let mut scratch = [0; 4_096];
        while self.linger_bytes > 0 && self.link.mark().phase() == Phase::Lingering {
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                break;
            }
            self.linger_bytes = self.linger_bytes.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(Ok(()))
    }
}
