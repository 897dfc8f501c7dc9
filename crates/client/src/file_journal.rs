//! The journal as a file of JSON lines.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spotpay_core::money::{Amount, Money};
use spotpay_core::time::Timestamp;

use crate::journal::{CheckoutKey, Fact, FactKind, Journal, JournalError, OpenCheckout};
use crate::line_file::LineFile;

/// From here on a journal in which everything has ended is emptied.
const COMPACT_BYTES: u64 = 1_048_576;

/// One line of JSON per fact, synced one by one.
///
/// A till that is the only user of its file opens it with [`FileJournal::open`] and may finish what
/// others left behind; several at once use [`FileJournal::open_shared`] and only add.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    lines: LineFile,
    /// Known to the only user; those who share see only their own.
    open: BTreeMap<CheckoutKey, OpenCheckout>,
    exclusive: bool,
    damaged: usize,
}

impl FileJournal {
    /// For the only user. Refused while anybody else has the file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let mut journal = Self::new(path.into())?;
        match journal.lines.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse { path: journal.path });
            }
            Err(TryLockError::Error(error)) => return Err(journal.fault(error)),
        }
        journal.exclusive = true;
        journal.read_all()?;
        journal.compact()?;
        Ok(journal)
    }

    /// For one of several users. Waits while an only user has the file.
    pub fn open_shared(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let mut journal = Self::new(path.into())?;
        let long = journal.length()? > COMPACT_BYTES;
        if long && journal.lines.file.try_lock().is_ok() {
            journal.exclusive = true;
            journal.read_all()?;
            journal.compact()?;
            journal.exclusive = false;
            journal.open.clear();
            let unlocked = journal.lines.file.unlock();
            unlocked.map_err(|error| journal.fault(error))?;
        }
        let locked = journal.lines.file.lock_shared();
        let read = locked.and_then(|()| journal.lines.look_at_end());
        read.map_err(|error| journal.fault(error))?;
        Ok(journal)
    }

    fn new(path: PathBuf) -> Result<Self, JournalError> {
        let lines = LineFile::open(&path).map_err(|source| JournalError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            path,
            lines,
            open: BTreeMap::new(),
            exclusive: false,
            damaged: 0,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkouts without an end, oldest first. Those who share the file see only their own.
    pub fn unfinished(&self) -> Vec<OpenCheckout> {
        let mut open: Vec<OpenCheckout> = self.open.values().cloned().collect();
        open.sort_by_key(|checkout| checkout.begun_at);
        open
    }

    /// Lines that could not be read. One at the end is a write that a crash cut off, whose request
    /// was never sent; more than one are a damaged disk.
    pub const fn damaged_lines(&self) -> usize {
        self.damaged
    }

    fn fault(&self, source: io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn length(&self) -> Result<u64, JournalError> {
        self.lines.length().map_err(|error| self.fault(error))
    }

    fn read_all(&mut self) -> Result<(), JournalError> {
        let bytes = self.lines.read().map_err(|error| self.fault(error))?;
        for line in bytes.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            match Line::read(line) {
                Some(fact) => self.note(&fact),
                None => self.damaged += 1,
            }
        }
        Ok(())
    }

    fn note(&mut self, fact: &Fact) {
        let known = match &fact.kind {
            FactKind::Begin { amount } => {
                Some(OpenCheckout::new(fact.key.clone(), *amount, fact.at))
            }
            FactKind::Cancel
            | FactKind::Refund { .. }
            | FactKind::RefundRefused { .. }
            | FactKind::Stuck { .. }
            | FactKind::End { .. } => {
                let open = self.open.remove(&fact.key);
                open.and_then(|open| open.after(&fact.kind))
            }
        };
        if let Some(open) = known {
            self.open.insert(fact.key.clone(), open);
        }
    }

    /// Empties a long file in which everything has ended; only its only user may.
    fn compact(&mut self) -> Result<(), JournalError> {
        if !self.exclusive || !self.open.is_empty() || self.length()? <= COMPACT_BYTES {
            return Ok(());
        }
        self.lines.empty().map_err(|error| self.fault(error))
    }
}

impl Journal for FileJournal {
    fn write(&mut self, fact: &Fact) -> Result<(), JournalError> {
        let begins = matches!(fact.kind, FactKind::Begin { .. });
        if begins && self.open.contains_key(&fact.key) {
            return Err(JournalError::StillOpen(fact.key.partner_trans_id.clone()));
        }
        let line = serde_json::to_vec(&Line::new(fact))
            .map_err(|error| JournalError::Other(Box::new(error)))?;
        let written = self.lines.add(&line);
        written.map_err(|error| self.fault(error))?;
        self.note(fact);
        self.compact()
    }
}

/// A fact as it stands in the file. Names in here are for ever.
#[derive(Serialize, Deserialize)]
struct Line {
    fact: Kind,
    /// `yyyy-MM-dd HH:mm:ss` of GMT+8.
    at: String,
    gateway: Box<str>,
    partner: String,
    partner_trans_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alipay_trans_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_refund_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Begin,
    Cancel,
    Refund,
    RefundRefused,
    Paid,
    NotPaid,
    Stuck,
}

impl Line {
    fn new(fact: &Fact) -> Self {
        let mut line = Self {
            fact: Kind::Cancel,
            at: fact.at.spaced(),
            gateway: fact.key.gateway.clone(),
            partner: fact.key.partner.to_string(),
            partner_trans_id: fact.key.partner_trans_id.to_string(),
            amount: None,
            currency: None,
            alipay_trans_id: None,
            partner_refund_id: None,
            attempt: None,
            note: None,
        };
        match &fact.kind {
            FactKind::Begin { amount } => {
                line.fact = Kind::Begin;
                line.amount = Some(amount.money().major());
                line.currency = Some(amount.currency().code().to_owned());
            }
            FactKind::Cancel => {}
            FactKind::Refund {
                partner_refund_id,
                attempt,
            } => {
                line.fact = Kind::Refund;
                line.partner_refund_id = Some(partner_refund_id.to_string());
                line.attempt = Some(*attempt);
            }
            FactKind::RefundRefused {
                partner_refund_id,
                code,
            } => {
                line.fact = Kind::RefundRefused;
                line.partner_refund_id = Some(partner_refund_id.to_string());
                line.note = Some(code.clone());
            }
            FactKind::End {
                paid,
                alipay_trans_id,
                note,
            } => {
                line.fact = if *paid { Kind::Paid } else { Kind::NotPaid };
                line.alipay_trans_id = alipay_trans_id.as_ref().map(ToString::to_string);
                line.note = Some(note.clone());
            }
            FactKind::Stuck { note } => {
                line.fact = Kind::Stuck;
                line.note = Some(note.clone());
            }
        }
        line
    }

    /// `None` for a line that is cut off or damaged.
    fn read(bytes: &[u8]) -> Option<Fact> {
        let line: Self = serde_json::from_slice(bytes).ok()?;
        let end = |paid, line: &Self| {
            Some(FactKind::End {
                paid,
                alipay_trans_id: match &line.alipay_trans_id {
                    Some(number) => Some(number.parse().ok()?),
                    None => None,
                },
                note: line.note.clone().unwrap_or_default(),
            })
        };
        let kind = match line.fact {
            Kind::Begin => {
                let currency = line.currency.as_ref()?.parse().ok()?;
                let money = Money::parse_major(line.amount.as_ref()?, currency).ok()?;
                FactKind::Begin {
                    amount: Amount::new(money).ok()?,
                }
            }
            Kind::Cancel => FactKind::Cancel,
            Kind::Refund => FactKind::Refund {
                partner_refund_id: line.partner_refund_id.as_ref()?.parse().ok()?,
                attempt: line.attempt?,
            },
            Kind::RefundRefused => FactKind::RefundRefused {
                partner_refund_id: line.partner_refund_id.as_ref()?.parse().ok()?,
                code: line.note.clone().unwrap_or_default(),
            },
            Kind::Paid => end(true, &line)?,
            Kind::NotPaid => end(false, &line)?,
            Kind::Stuck => FactKind::Stuck {
                note: line.note.clone().unwrap_or_default(),
            },
        };
        Some(Fact {
            key: CheckoutKey {
                gateway: line.gateway.clone(),
                partner: line.partner.parse().ok()?,
                partner_trans_id: line.partner_trans_id.parse().ok()?,
            },
            at: Timestamp::parse_spaced(&line.at)?,
            kind,
        })
    }
}

#[cfg(test)]
#[path = "file_journal_tests.rs"]
mod tests;
