//! The disk as callers see it, and what SQLite asks of it, in safe code.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::file::{File, Region};
use crate::locks::Level;
use crate::trace::Trace;

/// Where all disks are, for SQLite.
pub(crate) const ROOT: &str = "/spotpay-disk/";

/// Every living disk, by the number in its folder.
static DISKS: Mutex<BTreeMap<u64, Shared>> = Mutex::new(BTreeMap::new());

static NEXT: AtomicU64 = AtomicU64::new(1);

pub(crate) type Shared = Arc<Mutex<State>>;

/// A disk in memory. Clones are the same disk; the last one dropped takes it away.
///
/// SQLite finds it by path: a database under [`Disk::folder`] is on it.
#[derive(Clone, Debug)]
pub struct Disk {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    number: u64,
    state: Shared,
}

impl Drop for Owner {
    fn drop(&mut self) {
        hold(&DISKS).remove(&self.number);
    }
}

/// The files of a disk at one moment, to begin other disks with; cheap to clone and to begin from.
#[derive(Clone, Debug, Default)]
pub struct Image(Vec<(String, Arc<Vec<u8>>)>);

/// What goes wrong, once, after so many more calls of that kind have gone right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A write fails and nothing of it is done.
    WriteFails {
        /// Writes that go right before.
        after: u64,
    },
    /// A write does its first half, then the disk is full.
    ShortWrite {
        /// Writes that go right before.
        after: u64,
    },
    /// A write finds the disk full.
    Full {
        /// Writes that go right before.
        after: u64,
    },
    /// A read fails.
    ReadFails {
        /// Reads that go right before.
        after: u64,
    },
    /// A truncate fails and nothing of it is done.
    TruncateFails {
        /// Truncates that go right before.
        after: u64,
    },
    /// A sync fails. Some of the data is on the platter, the rest is not and counts as clean: a
    /// later sync goes right and does not bring it there, as on Linux.
    SyncFails {
        /// Syncs that go right before.
        after: u64,
    },
    /// From that change on, whatever its kind, every call fails: the process dies inside it.
    Dies {
        /// Changes that go right before, counted as in [`Disk::writes`].
        after: u64,
    },
}

/// What a fault counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Read,
    Write,
    Truncate,
    Sync,
    Change,
}

impl Fault {
    fn class(&mut self) -> (Class, &mut u64) {
        match self {
            Self::WriteFails { after } | Self::ShortWrite { after } | Self::Full { after } => {
                (Class::Write, after)
            }
            Self::ReadFails { after } => (Class::Read, after),
            Self::TruncateFails { after } => (Class::Truncate, after),
            Self::SyncFails { after } => (Class::Sync, after),
            Self::Dies { after } => (Class::Change, after),
        }
    }
}

impl Disk {
    /// An empty disk. The seed draws what a failed sync leaves on the platter.
    pub fn new(seed: u64) -> Self {
        Self::from_image(seed, &Image::default())
    }

    /// A disk that holds what the image holds, all of it on the platter.
    pub fn from_image(seed: u64, image: &Image) -> Self {
        crate::vfs::register();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut state = State::new(seed);
        for (name, data) in &image.0 {
            state.used += data.len();
            state.add(name, File::durable(Arc::clone(data)));
        }
        let state = Arc::new(Mutex::new(state));
        hold(&DISKS).insert(number, Arc::clone(&state));
        Self {
            owner: Arc::new(Owner { number, state }),
        }
    }

    /// What the files hold now, as reads see it.
    pub fn image(&self) -> Image {
        let state = self.state();
        let named = state.names.iter().filter_map(|(name, id)| {
            let file = state.files.get(id)?;
            Some((name.clone(), Arc::clone(file.data())))
        });
        Image(named.collect())
    }

    /// The folder in which SQLite finds this disk; no other disk of this process ever has it.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(format!("{ROOT}{}", self.owner.number))
    }

    /// Changes asked for so far: files made and deleted, writes, truncates, syncs.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Bytes in all files.
    pub fn used(&self) -> u64 {
        u64::try_from(self.state().used).unwrap_or(u64::MAX)
    }

    /// A number for all that was asked of this disk, in order: the same for the same run.
    /// The salts and checksums of SQLite's logs are left out, because they come from one generator
    /// for the whole process, in whatever order its threads draw from it.
    pub fn trace_hash(&self) -> u64 {
        self.state().trace.hash()
    }

    /// Plans something to go wrong, beside what is planned already.
    pub fn plan(&self, fault: Fault) {
        self.state().planned.push(fault);
    }

    /// Forgets what was planned and has not happened.
    pub fn clear_faults(&self) {
        self.state().planned.clear();
    }

    /// Faults that are planned and have not happened.
    pub fn planned(&self) -> usize {
        self.state().planned.len()
    }

    /// Whether [`Fault::Dies`] has struck and the process is not declared dead yet.
    pub fn is_dying(&self) -> bool {
        self.state().is_dying
    }

    /// How much fits on it; what would grow a file beyond finds the disk full.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// A disk that says that it synced and did not, as some cheap ones do: a committed transaction
    /// may be lost. Nothing can be built on it; it is there to prove that a checker sees the loss.
    pub fn lie_about_syncs(&self, lies: bool) {
        self.state().lies = lies;
    }

    /// The process that used the disk is gone: what it wrote stays, in the system's cache; its
    /// locks and shared memory go; every handle of it fails from now on.
    pub fn kill_process(&self) {
        let mut state = self.state();
        state.trace.call(Call::Kill, 0, 0, 0);
        state.kill();
    }

    /// The machine is gone as well: of what no sync confirmed, each sector of each write is kept,
    /// lost or torn by itself; new names and deletions are kept or undone.
    /// `draw` gives a number below its argument.
    pub fn cut_power(&self, draw: &mut dyn FnMut(u64) -> u64) {
        let mut state = self.state();
        state.trace.call(Call::Kill, 1, 0, 0);
        state.cut_power(draw);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        hold(&self.owner.state)
    }
}

/// Writes the bytes of a file on a disk over themselves and syncs it, so that what an earlier sync
/// lost is on the platter; a file that is not there is left so.
///
/// # Errors
/// The write or the sync failed, the process is dying, or the path is on no disk.
pub fn rewrite(path: &Path) -> io::Result<()> {
    let rewrite = || {
        let named = path.to_str().and_then(place);
        let (disk, name) = named.unwrap_or(Err(Trouble::NoDisk))?;
        let as_it_is = Opening {
            content: Content::Wal,
            creates: false,
            is_exclusive: false,
            is_passing: false,
        };
        match Handle::open(&disk, Some(name), as_it_is) {
            Ok(file) => file.rewrite(),
            Err(Trouble::NoOpen) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    };
    rewrite().map_err(|trouble| io::Error::other(format!("{trouble:?}")))
}

/// A panic elsewhere does not make what is kept here wrong: every change is done as a whole.
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The disk and the name of a path, if the path is on a disk at all.
pub(crate) fn place(path: &str) -> Option<Result<(Shared, &str), Trouble>> {
    let inside = path.strip_prefix(ROOT)?;
    let (number, name) = inside.split_once(['/', '\\']).unwrap_or((inside, ""));
    let number = number.parse().unwrap_or(0);
    let disk = hold(&DISKS).get(&number).map(Arc::clone);
    Some(disk.map(|disk| (disk, name)).ok_or(Trouble::NoDisk))
}

/// Why a call did not do what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    Busy,
    Full,
    Read,
    Write,
    Truncate,
    Sync,
    /// No such file to delete.
    NoFile,
    /// No such file to open.
    NoOpen,
    /// No such disk.
    NoDisk,
    /// The process that opened the handle is gone, or this one is dying.
    Dead,
}

/// Kinds of calls, for the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Create,
    Delete,
    Read,
    Write,
    Truncate,
    Sync,
    Kill,
}

/// What SQLite keeps in a file, by its own word when it opens it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    Database,
    Wal,
    Journal,
}

/// All of a disk.
#[derive(Debug)]
pub(crate) struct State {
    files: BTreeMap<u64, File>,
    names: BTreeMap<String, u64>,
    /// Deleted, but the platter may still have the name.
    graves: Vec<(String, u64)>,
    next: u64,
    /// Processes that died here.
    life: u64,
    is_dying: bool,
    lies: bool,
    writes: u64,
    used: usize,
    capacity: Option<usize>,
    planned: Vec<Fault>,
    random: u64,
    trace: Trace,
}

/// What SQLite holds of an open file.
#[derive(Debug)]
pub(crate) struct Handle {
    disk: Shared,
    number: u64,
    file: u64,
    life: u64,
    content: Content,
    /// Its own count of the shared memory, which thus outlives the process that dies.
    regions: Vec<Region>,
    /// Deleted when closed.
    is_passing: bool,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            graves: Vec::new(),
            next: 0,
            life: 0,
            is_dying: false,
            lies: false,
            writes: 0,
            used: 0,
            capacity: None,
            planned: Vec::new(),
            random: seed,
            trace: Trace::default(),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn add(&mut self, name: &str, file: File) -> u64 {
        let id = self.number();
        self.files.insert(id, file);
        self.names.insert(name.to_owned(), id);
        id
    }

    fn kill(&mut self) {
        self.life += 1;
        self.is_dying = false;
        for file in self.files.values_mut() {
            file.handles = 0;
            file.locks = crate::locks::Locks::default();
            file.regions.clear();
        }
        self.sweep();
    }

    fn cut_power(&mut self, draw: &mut dyn FnMut(u64) -> u64) {
        let files = &self.files;
        self.names
            .retain(|_, id| files.get(id).is_some_and(|file| file.is_linked) || draw(2) == 0);
        for (name, id) in std::mem::take(&mut self.graves) {
            if draw(2) == 0 {
                self.names.entry(name).or_insert(id);
            }
        }
        for id in self.names.values() {
            if let Some(file) = self.files.get_mut(id) {
                file.cut_power(draw);
                file.is_linked = true;
            }
        }
        self.kill();
    }

    /// Frees the files that nobody can reach any more.
    fn sweep(&mut self) {
        let Self {
            files,
            names,
            graves,
            ..
        } = self;
        files.retain(|id, file| {
            file.handles > 0
                || names.values().any(|named| named == id)
                || graves.iter().any(|(_, buried)| buried == id)
        });
        self.used = self.files.values().map(File::size).sum();
    }

    /// Counts a change; it fails when the process dies in it.
    fn change(&mut self) -> Result<(), Trouble> {
        self.alive()?;
        self.writes += 1;
        if self.strikes(Class::Change).is_some() {
            self.is_dying = true;
        }
        self.alive()
    }

    fn alive(&self) -> Result<(), Trouble> {
        if self.is_dying {
            Err(Trouble::Dead)
        } else {
            Ok(())
        }
    }

    /// Counts one call against the planned faults of its class; gives the one whose time has come.
    fn strikes(&mut self, class: Class) -> Option<Fault> {
        let mut struck = None;
        for (at, fault) in self.planned.iter_mut().enumerate() {
            let (own, after) = fault.class();
            if own != class {
                continue;
            }
            if *after == 0 && struck.is_none() {
                struck = Some(at);
            }
            *after = after.saturating_sub(1);
        }
        struck.map(|at| self.planned.remove(at))
    }

    /// The names as they are now are on the platter.
    fn sync_folder(&mut self) {
        if self.lies {
            return;
        }
        self.graves.clear();
        for id in self.names.values() {
            if let Some(file) = self.files.get_mut(id) {
                file.is_linked = true;
            }
        }
        self.sweep();
    }

    pub(crate) fn delete(&mut self, name: &str, syncs_folder: bool) -> Result<(), Trouble> {
        self.change()?;
        self.trace.call(Call::Delete, 0, 0, name.len());
        let id = self.names.remove(name).ok_or(Trouble::NoFile)?;
        if self.files.get(&id).is_some_and(|file| file.is_linked) {
            self.graves.push((name.to_owned(), id));
        }
        if syncs_folder {
            self.sync_folder();
        } else {
            self.sweep();
        }
        Ok(())
    }

    /// Whether there is something under the name; an empty file counts as none, as in SQLite's own.
    pub(crate) fn exists(&self, name: &str) -> Result<bool, Trouble> {
        self.alive()?;
        let id = self.names.get(name);
        Ok(id
            .and_then(|id| self.files.get(id))
            .is_some_and(|file| file.size() > 0))
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) content: Content,
    /// Make it if it is not there.
    pub(crate) creates: bool,
    /// It must not be there.
    pub(crate) is_exclusive: bool,
    pub(crate) is_passing: bool,
}

impl Handle {
    pub(crate) fn open(disk: &Shared, name: Option<&str>, how: Opening) -> Result<Self, Trouble> {
        let mut state = hold(disk);
        state.alive()?;
        let found = name.and_then(|name| state.names.get(name)).copied();
        let file = match found {
            Some(_) if how.is_exclusive && how.creates => return Err(Trouble::NoOpen),
            Some(file) => file,
            None if how.creates => {
                state.change()?;
                let name = name.unwrap_or_default();
                state.trace.call(Call::Create, 0, 0, name.len());
                let file = state.add(name, File::default());
                if name.is_empty() {
                    state.names.remove(name);
                }
                file
            }
            None => return Err(Trouble::NoOpen),
        };
        let number = state.number();
        if let Some(file) = state.files.get_mut(&file) {
            file.handles += 1;
            file.locks.open(number);
        }
        let life = state.life;
        drop(state);
        Ok(Self {
            disk: Arc::clone(disk),
            number,
            file,
            life,
            content: how.content,
            regions: Vec::new(),
            is_passing: how.is_passing,
        })
    }

    /// Does something with the state and the file, if the process still lives.
    fn with<T>(
        &self,
        act: impl FnOnce(&mut State, &mut File) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut state = hold(&self.disk);
        state.alive()?;
        if self.life != state.life {
            return Err(Trouble::Dead);
        }
        // Out and in again, so that both can be changed; it is a move of a few words.
        let mut file = state.files.remove(&self.file).ok_or(Trouble::Dead)?;
        let done = act(&mut state, &mut file);
        state.files.insert(self.file, file);
        done
    }

    /// Fills the buffer; false if the file ended before.
    pub(crate) fn read(&self, buffer: &mut [u8], at: usize) -> Result<bool, Trouble> {
        self.with(|state, file| {
            state.trace.call(Call::Read, self.file, at, buffer.len());
            if state.strikes(Class::Read).is_some() {
                return Err(Trouble::Read);
            }
            Ok(file.read(buffer, at) == buffer.len())
        })
    }

    pub(crate) fn write(&self, bytes: &[u8], at: usize) -> Result<(), Trouble> {
        self.with(|state, file| {
            state.trace.call(Call::Write, self.file, at, bytes.len());
            state.trace.bytes(without_random(self.content, bytes));
            state.change()?;
            let mut part = bytes;
            let mut result = Ok(());
            match state.strikes(Class::Write) {
                None => {}
                Some(Fault::WriteFails { .. }) => return Err(Trouble::Write),
                Some(Fault::ShortWrite { .. }) => {
                    part = &bytes[..bytes.len() / 2];
                    result = Err(Trouble::Full);
                }
                Some(
                    Fault::Full { .. }
                    | Fault::ReadFails { .. }
                    | Fault::TruncateFails { .. }
                    | Fault::SyncFails { .. }
                    | Fault::Dies { .. },
                ) => return Err(Trouble::Full),
            }
            let grows = (at + part.len()).saturating_sub(file.size());
            if grows > 0 && state.capacity.is_some_and(|most| state.used + grows > most) {
                return Err(Trouble::Full);
            }
            state.used += grows;
            file.write(part, at);
            result
        })
    }

    /// Writes what it holds over itself, in one piece.
    fn rewrite(&self) -> Result<(), Trouble> {
        self.with(|state, file| {
            state.trace.call(Call::Write, self.file, 0, file.size());
            state.change()?;
            if state.strikes(Class::Write).is_some() {
                return Err(Trouble::Write);
            }
            let bytes = Arc::clone(file.data());
            file.write(&bytes, 0);
            Ok(())
        })?;
        self.sync()
    }

    pub(crate) fn truncate(&self, size: usize) -> Result<(), Trouble> {
        self.with(|state, file| {
            state.trace.call(Call::Truncate, self.file, size, 0);
            state.change()?;
            if state.strikes(Class::Truncate).is_some() {
                return Err(Trouble::Truncate);
            }
            state.used = (state.used + size).saturating_sub(file.size());
            file.truncate(size);
            Ok(())
        })
    }

    /// Syncs the file; the first sync of a new one syncs the folder too, as SQLite's own does.
    pub(crate) fn sync(&self) -> Result<(), Trouble> {
        let is_new = self.with(|state, file| {
            state.trace.call(Call::Sync, self.file, 0, 0);
            state.change()?;
            if state.strikes(Class::Sync).is_some() {
                let mut random = state.random;
                file.fail_sync(&mut |below| next(&mut random) % below);
                state.random = random;
                return Err(Trouble::Sync);
            }
            if !state.lies {
                file.sync();
            }
            Ok(!file.is_linked)
        })?;
        if is_new {
            hold(&self.disk).sync_folder();
        }
        Ok(())
    }

    pub(crate) fn size(&self) -> Result<usize, Trouble> {
        self.with(|_, file| Ok(file.size()))
    }

    pub(crate) fn lock(&self, level: Level) -> Result<(), Trouble> {
        self.with(|_, file| {
            let got = file.locks.lock(self.number, level);
            got.map_err(|_| Trouble::Busy)
        })
    }

    pub(crate) fn unlock(&self, level: Level) -> Result<(), Trouble> {
        self.with(|_, file| {
            file.locks.unlock(self.number, level);
            Ok(())
        })
    }

    pub(crate) fn is_reserved(&self) -> Result<bool, Trouble> {
        self.with(|_, file| Ok(file.locks.is_reserved()))
    }

    /// A region of the shared memory; none if it is not there and shall not be made.
    pub(crate) fn region(
        &mut self,
        index: usize,
        words: usize,
        makes: bool,
    ) -> Result<Option<&Region>, Trouble> {
        let regions = self.with(|_, file| {
            while makes && file.regions.len() <= index {
                file.regions.push((0..words).map(|_| 0.into()).collect());
            }
            file.locks.map_memory(self.number);
            Ok(file
                .regions
                .iter()
                .skip(self.regions.len())
                .cloned()
                .collect::<Vec<_>>())
        })?;
        self.regions.extend(regions);
        Ok(self.regions.get(index))
    }

    pub(crate) fn take_slots(&self, slots: u32, is_shared: bool) -> Result<(), Trouble> {
        self.with(|_, file| {
            let got = if is_shared {
                file.locks.share_slots(self.number, slots)
            } else {
                file.locks.take_slots(self.number, slots)
            };
            got.map_err(|_| Trouble::Busy)
        })
    }

    pub(crate) fn free_slots(&self, slots: u32) -> Result<(), Trouble> {
        self.with(|_, file| {
            file.locks.free_slots(self.number, slots);
            Ok(())
        })
    }

    /// Leaves the shared memory; it goes with the last who used it.
    pub(crate) fn unmap(&mut self) {
        // The handle of a dead process has nothing left to leave.
        let _: Result<(), Trouble> = self.with(|_, file| {
            if file.locks.unmap_memory(self.number) {
                file.regions.clear();
            }
            Ok(())
        });
        self.regions.clear();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = hold(&self.disk);
        if state.life != self.life {
            return;
        }
        if let Some(file) = state.files.get_mut(&self.file) {
            file.handles = file.handles.saturating_sub(1);
            file.locks.close(self.number);
        }
        if self.is_passing {
            let own = self.file;
            state.names.retain(|_, id| *id != own);
        }
        state.sweep();
    }
}

/// What of a write is the same in every run: logs carry salts, and checksums over them.
fn without_random(content: Content, bytes: &[u8]) -> &[u8] {
    match (content, bytes.len()) {
        (Content::Database, _) => bytes,
        (Content::Journal, _) => &[],
        // The WAL's header up to its salts.
        (Content::Wal, 32) => &bytes[..16],
        // A frame's page number and size, before its salts.
        (Content::Wal, 24) => &bytes[..8],
        (Content::Wal, _) => bytes,
    }
}

/// SplitMix64: small, and good enough to draw which sectors a failed sync kept.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
