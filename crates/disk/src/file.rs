//! One file: what a process sees of it, and what the platter would have after a power cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use crate::locks::Locks;

/// What a disk writes as one piece; it may still tear.
const SECTOR: usize = 512;

/// A piece of shared memory. Atomics, because several connections write it through pointers.
pub(crate) type Region = Arc<[AtomicU32]>;

/// A change that no sync has confirmed, with what is needed to take it back.
#[derive(Clone, Debug)]
struct Change {
    kind: Kind,
    at: usize,
    /// Bytes written, or cut off.
    length: usize,
    size_before: usize,
    /// Where the old bytes begin in [`File::old`]; they end where the next change's begin.
    old_from: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Write,
    Truncate,
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    /// What reads see. Shared with the image that it came from until the first write.
    data: Arc<Vec<u8>>,
    changes: Vec<Change>,
    old: Vec<u8>,
    /// Sectors that a failed sync left as they were on the platter, though the cache holds them as
    /// clean: only another write and sync of the same sector brings them there.
    stale: BTreeMap<usize, Vec<u8>>,
    /// The size on the platter, where a failed sync left it behind.
    stale_size: Option<usize>,
    /// Whether its name is on the platter.
    pub(crate) is_linked: bool,
    /// Open handles of the living process.
    pub(crate) handles: u32,
    pub(crate) locks: Locks,
    pub(crate) regions: Vec<Region>,
}

/// A number below its argument.
pub(crate) type Draw<'a> = &'a mut dyn FnMut(u64) -> u64;

impl File {
    /// A file whose content is on the platter.
    pub(crate) fn durable(data: Arc<Vec<u8>>) -> Self {
        Self {
            data,
            is_linked: true,
            ..Self::default()
        }
    }

    pub(crate) fn data(&self) -> &Arc<Vec<u8>> {
        &self.data
    }

    pub(crate) fn size(&self) -> usize {
        self.data.len()
    }

    /// Fills the buffer; what lies behind the end is zero. Says how much there was.
    pub(crate) fn read(&self, buffer: &mut [u8], at: usize) -> usize {
        let found = self.data.get(at..).unwrap_or_default();
        let count = found.len().min(buffer.len());
        let (head, tail) = buffer.split_at_mut(count);
        head.copy_from_slice(&found[..count]);
        tail.fill(0);
        count
    }

    pub(crate) fn write(&mut self, bytes: &[u8], at: usize) {
        self.note(Kind::Write, at, bytes.len());
        put(Arc::make_mut(&mut self.data), bytes, at);
    }

    /// Cuts the file off, or grows it by zeros.
    pub(crate) fn truncate(&mut self, size: usize) {
        let length = self.size().saturating_sub(size);
        self.note(Kind::Truncate, size, length);
        Arc::make_mut(&mut self.data).resize(size, 0);
    }

    fn note(&mut self, kind: Kind, at: usize, length: usize) {
        let size = self.data.len();
        self.changes.push(Change {
            kind,
            at,
            length,
            size_before: size,
            old_from: self.old.len(),
        });
        let old = self.data.get(at..size.min(at + length));
        self.old.extend_from_slice(old.unwrap_or_default());
    }

    /// Everything written so far is on the platter, but for what an earlier sync lost.
    pub(crate) fn sync(&mut self) {
        if !self.stale.is_empty() || self.stale_size.is_some() {
            for change in &self.changes {
                let end = change.at + change.length;
                match change.kind {
                    Kind::Write => {
                        for sector in change.at / SECTOR..end.div_ceil(SECTOR) {
                            self.stale.remove(&sector);
                        }
                        self.stale_size = self.stale_size.map(|size| size.max(end));
                    }
                    Kind::Truncate => {
                        self.stale.split_off(&change.at.div_ceil(SECTOR));
                        self.stale_size = None;
                    }
                }
            }
        }
        self.changes.clear();
        self.old.clear();
    }

    /// A sync that failed: some of it is on the platter, and nothing remembers what is not.
    pub(crate) fn fail_sync(&mut self, draw: Draw<'_>) {
        let platter = self.platter(draw);
        self.changes.clear();
        self.old.clear();
        self.stale.clear();
        let whole = platter.len().max(self.size()).div_ceil(SECTOR);
        for sector in 0..whole {
            let (kept, seen) = (piece(&platter, sector), piece(&self.data, sector));
            if kept != seen {
                // A whole sector, also behind the end: the file may grow past it later.
                let mut kept = kept.to_vec();
                kept.resize(SECTOR, 0);
                self.stale.insert(sector, kept);
            }
        }
        self.stale_size = (platter.len() != self.size()).then_some(platter.len());
    }

    /// The power is gone: only what the platter has is left.
    pub(crate) fn cut_power(&mut self, draw: Draw<'_>) {
        if !self.changes.is_empty() || !self.stale.is_empty() || self.stale_size.is_some() {
            *self = Self::durable(Arc::new(self.platter(draw)));
        }
    }

    /// One of the contents that the platter may have: each sector of each unconfirmed write is
    /// there, not there, or there in part, whatever became of the others.
    fn platter(&self, draw: Draw<'_>) -> Vec<u8> {
        let mut data = Vec::clone(&self.data);
        let mut ahead: Vec<Vec<u8>> = Vec::new();
        let mut old_to = self.old.len();
        for change in self.changes.iter().rev() {
            ahead.push(match change.kind {
                Kind::Write => data[change.at..change.at + change.length].to_vec(),
                Kind::Truncate => Vec::new(),
            });
            data.resize(change.size_before, 0);
            put(&mut data, &self.old[change.old_from..old_to], change.at);
            old_to = change.old_from;
        }
        let size = self.stale_size.unwrap_or(data.len());
        for (sector, bytes) in &self.stale {
            put(&mut data, bytes, sector * SECTOR);
        }
        data.resize(size, 0);
        for (change, new) in self.changes.iter().zip(ahead.iter().rev()) {
            match change.kind {
                Kind::Truncate if draw(2) == 0 => data.resize(change.at, 0),
                Kind::Truncate => {}
                Kind::Write => write_in_part(&mut data, new, change.at, draw),
            }
        }
        data
    }
}

/// Each sector of a write is drawn for itself.
fn write_in_part(data: &mut Vec<u8>, bytes: &[u8], at: usize, draw: Draw<'_>) {
    let mut done = 0;
    while done < bytes.len() {
        let from = at + done;
        let length = (SECTOR - from % SECTOR).min(bytes.len() - done);
        let sector = &bytes[done..done + length];
        match draw(4) {
            0 | 1 => put(data, sector, from),
            2 => {
                let below = u64::try_from(length).unwrap_or(u64::MAX);
                let kept = usize::try_from(draw(below)).unwrap_or(0);
                put(data, &sector[..kept], from);
            }
            // Lost, though the file may have grown for it.
            _ if data.len() < from + length && draw(2) == 0 => data.resize(from + length, 0),
            _ => {}
        }
        done += length;
    }
}

fn put(data: &mut Vec<u8>, bytes: &[u8], at: usize) {
    let end = at + bytes.len();
    if bytes.is_empty() {
        return;
    }
    if at == data.len() {
        data.extend_from_slice(bytes);
        return;
    }
    if data.len() < end {
        data.resize(end, 0);
    }
    data[at..end].copy_from_slice(bytes);
}

/// A sector of a file; short or empty at its end.
fn piece(data: &[u8], sector: usize) -> &[u8] {
    let from = (sector * SECTOR).min(data.len());
    &data[from..(from + SECTOR).min(data.len())]
}
