//! Which notifications were acted upon already.

use std::collections::{BTreeSet, VecDeque};
use std::fs::TryLockError;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use spotpay_wire::notification::Event;

use crate::line_file::LineFile;

/// Notifications that are remembered: a gateway repeats one for 25 hours, so this is enough for four
/// thousand an hour.
const KEYS_MAX: usize = 100_000;

/// One notification: its number, and what it is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct SeenKey {
    notify_id: Box<str>,
    out_trade_no: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    out_return_no: Option<Box<str>>,
}

impl SeenKey {
    /// Of an event.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Trade(trade) => Self {
                notify_id: trade.notify_id.clone(),
                out_trade_no: trade.out_trade_no.as_str().into(),
                out_return_no: None,
            },
            Event::Refund(refund) => Self {
                notify_id: refund.notify_id.clone(),
                out_trade_no: refund.out_trade_no.as_str().into(),
                out_return_no: Some(refund.out_return_no.as_str().into()),
            },
        }
    }

    /// The number of the notification.
    pub fn notify_id(&self) -> &str {
        &self.notify_id
    }

    /// The partner's number for the trade.
    pub fn out_trade_no(&self) -> &str {
        &self.out_trade_no
    }

    /// The partner's number for the refund, if it is about one.
    pub fn out_return_no(&self) -> Option<&str> {
        self.out_return_no.as_deref()
    }
}

/// Why it could not be kept that a notification was acted upon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeenError {
    /// The disk said no.
    #[error("the file of notifications {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the file of notifications {path} is in use")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// What a merchant's own memory says.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// The door to the memory of notifications that were acted upon. A merchant with a database puts a
/// table behind it, and adds the row where it acts.
pub trait Seen {
    /// Whether it was acted upon.
    fn contains(&self, key: &SeenKey) -> bool;

    /// Keeps that it was, for as long as a gateway may repeat it.
    fn keep(&mut self, key: &SeenKey) -> Result<(), SeenError>;
}

/// Forgets with the process, and the oldest when there are many.
#[derive(Clone, Debug)]
pub struct MemorySeen {
    keys: BTreeSet<SeenKey>,
    order: VecDeque<SeenKey>,
    max: usize,
}

impl MemorySeen {
    /// For 100,000.
    pub const fn new() -> Self {
        Self::holding(KEYS_MAX)
    }

    /// For so many; at least one.
    pub const fn holding(max: usize) -> Self {
        Self {
            keys: BTreeSet::new(),
            order: VecDeque::new(),
            max,
        }
    }

    fn add(&mut self, key: SeenKey) {
        if self.keys.insert(key.clone()) {
            self.order.push_back(key);
            if self.order.len() > self.max.max(1)
                && let Some(oldest) = self.order.pop_front()
            {
                self.keys.remove(&oldest);
            }
        }
    }
}

impl Default for MemorySeen {
    fn default() -> Self {
        Self::new()
    }
}

impl Seen for MemorySeen {
    fn contains(&self, key: &SeenKey) -> bool {
        self.keys.contains(key)
    }

    fn keep(&mut self, key: &SeenKey) -> Result<(), SeenError> {
        self.add(key.clone());
        Ok(())
    }
}

/// One line of JSON per notification, synced one by one; only added to. A merchant may begin a new
/// file once the old one's last line is older than two days.
#[derive(Debug)]
pub struct FileSeen {
    path: PathBuf,
    lines: LineFile,
    newest: MemorySeen,
}

impl FileSeen {
    /// For the only user. Lines that cannot be read, as one that a crash cut off, count as not there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, SeenError> {
        let path = path.into();
        let fault = |source| SeenError::Io {
            path: path.clone(),
            source,
        };
        let mut lines = LineFile::open(&path).map_err(fault)?;
        match lines.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SeenError::InUse { path }),
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
        let mut newest = MemorySeen::new();
        let bytes = lines.read().map_err(fault)?;
        let keys = bytes.split(|byte| *byte == b'\n');
        for key in keys.filter_map(|line| serde_json::from_slice(line).ok()) {
            newest.add(key);
        }
        Ok(Self {
            path,
            lines,
            newest,
        })
    }
}

impl Seen for FileSeen {
    fn contains(&self, key: &SeenKey) -> bool {
        self.newest.contains(key)
    }

    fn keep(&mut self, key: &SeenKey) -> Result<(), SeenError> {
        let line = serde_json::to_vec(key).map_err(|error| SeenError::Other(Box::new(error)))?;
        self.lines.add(&line).map_err(|source| SeenError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.newest.add(key.clone());
        Ok(())
    }
}
