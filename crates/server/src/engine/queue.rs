//! The bounded, fair queue in front of the engine: round robin over partners, in order within one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use spotpay_core::id::PartnerId;
use spotpay_core::time::Span;

use super::Job;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Commands in all.
    pub total: usize,
    /// Commands of one partner.
    pub per_partner: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            total: 4_096,
            per_partner: 256,
        }
    }
}

/// Why a job did not get in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Full {
    /// Too much waits.
    Limit,
    /// The engine takes nothing any more.
    Closed,
}

#[derive(Default)]
struct Waiting {
    /// `None` holds what no partner asked for: wallets, configuration.
    lanes: HashMap<Option<PartnerId>, VecDeque<Job>>,
    /// The lanes that hold something, in the order of their turns.
    turns: VecDeque<Option<PartnerId>>,
    len: usize,
    closed: bool,
    engine_waits: bool,
}

/// Commands on their way to the engine.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    limits: QueueLimits,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            limits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A panic between two pushes leaves the queue as it was: go on.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) -> Result<(), Full> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Full::Closed);
        }
        let partner = job.partner();
        let lane = waiting.lanes.entry(partner).or_default();
        let lane_len = lane.len();
        if waiting.len >= self.limits.total
            || (partner.is_some() && lane_len >= self.limits.per_partner)
        {
            return Err(Full::Limit);
        }
        waiting.lanes.entry(partner).or_default().push_back(job);
        if lane_len == 0 {
            waiting.turns.push_back(partner);
        }
        waiting.len += 1;
        let wake = waiting.engine_waits;
        waiting.engine_waits = false;
        drop(waiting);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// The next jobs, one of each partner in turn.
    pub(super) fn take(&self, limit: usize) -> Vec<Job> {
        let mut waiting = self.lock();
        let mut jobs = Vec::with_capacity(limit.min(waiting.len));
        while jobs.len() < limit {
            let Some(partner) = waiting.turns.pop_front() else {
                break;
            };
            let Some(lane) = waiting.lanes.get_mut(&partner) else {
                continue;
            };
            jobs.extend(lane.pop_front());
            if lane.is_empty() {
                waiting.lanes.remove(&partner);
            } else {
                waiting.turns.push_back(partner);
            }
        }
        waiting.len -= jobs.len();
        jobs
    }

    /// Waits until there is something to take, or the time is over; whether there is.
    pub(super) fn wait(&self, limit: Span) -> bool {
        let mut waiting = self.lock();
        if waiting.len == 0 && !waiting.closed {
            waiting.engine_waits = true;
            let limit = Duration::from_micros(u64::try_from(limit.as_micros()).unwrap_or(0));
            let is_empty = |waiting: &mut Waiting| waiting.len == 0 && !waiting.closed;
            let woken = self.wake.wait_timeout_while(waiting, limit, is_empty);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            waiting.engine_waits = false;
        }
        waiting.len > 0
    }

    /// Lets nothing in any more; what is in is still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }

    pub(super) fn is_done(&self) -> bool {
        let waiting = self.lock();
        waiting.closed && waiting.len == 0
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len
    }
}
