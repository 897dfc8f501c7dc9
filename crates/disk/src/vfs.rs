//! The table of C functions through which SQLite reaches a disk; all unsafe code of the project.
//!
//! Nothing is decided here: each function turns C's arguments into Rust's and calls a [`Handle`].
//! The table is a copy of the default file system's, which goes on serving all other paths, and
//! takes its place as the default: so code that opens a database need not know of disks.
#![expect(
    unsafe_code,
    reason = "SQLite's file systems are tables of C functions over raw pointers"
)]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, Once, OnceLock};

use rusqlite::ffi;

use crate::disk::{Content, Handle, Opening, Shared, State, Trouble, hold, place};
use crate::locks::Level;

/// The instant that SQL's own clock shows, 2000-01-01 00:00 UTC in milliseconds of the Julian
/// calendar: whoever asks SQL for the time gets one that is plainly wrong.
const NOW: i64 = 211_813_444_800_000;

/// What SQLite allocates for an open file: its part first, then ours.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    handle: *mut Handle,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

thread_local! {
    /// Whether a disk in memory refused this thread a lock just now: then the wait that SQLite
    /// asks for next is about that, and nobody else can free the lock meanwhile.
    static WAS_REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Puts the table in, once for the process.
pub(crate) fn register() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // SAFETY: SQLite is initialised first; `former` is then its default table, which lives as
        // long as the process. The new one is a leaked copy, so it does too, and is complete
        // before SQLite sees it.
        unsafe {
            ffi::sqlite3_initialize();
            let former = ffi::sqlite3_vfs_find(ptr::null());
            assert!(!former.is_null(), "SQLite has a default file system");
            let ours = c_int::try_from(size_of::<OpenFile>()).unwrap_or(c_int::MAX);
            let table = Box::leak(Box::new(ffi::sqlite3_vfs {
                szOsFile: ours.max((*former).szOsFile),
                pNext: ptr::null_mut(),
                zName: c"spotpay-disk".as_ptr(),
                pAppData: former.cast(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_pathname),
                xSleep: Some(sleep),
                xCurrentTimeInt64: Some(current_time),
                ..*former
            }));
            let code = ffi::sqlite3_vfs_register(table, 1);
            assert_eq!(code, ffi::SQLITE_OK, "SQLite takes the table");
        }
    });
}

/// Where nameless files are: on no disk, so they never fail. SQLite makes few, and none that
/// must outlive a crash.
fn scratch() -> &'static Shared {
    static SCRATCH: OnceLock<Shared> = OnceLock::new();
    SCRATCH.get_or_init(|| Arc::new(Mutex::new(State::new(0))))
}

/// The code by which SQLite knows a trouble.
fn code(trouble: Trouble) -> c_int {
    match trouble {
        Trouble::Busy => {
            WAS_REFUSED.set(true);
            ffi::SQLITE_BUSY
        }
        Trouble::Full => ffi::SQLITE_FULL,
        Trouble::Read => ffi::SQLITE_IOERR_READ,
        Trouble::Write => ffi::SQLITE_IOERR_WRITE,
        Trouble::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
        Trouble::Sync => ffi::SQLITE_IOERR_FSYNC,
        Trouble::NoFile => ffi::SQLITE_IOERR_DELETE_NOENT,
        Trouble::NoOpen | Trouble::NoDisk => ffi::SQLITE_CANTOPEN,
        Trouble::Dead => ffi::SQLITE_IOERR,
    }
}

fn answer(result: Result<(), Trouble>) -> c_int {
    result.map_or_else(code, |()| ffi::SQLITE_OK)
}

/// A place or size in a file; SQLite gives none below zero.
fn offset(at: i64) -> usize {
    usize::try_from(at).unwrap_or(0)
}

fn length(count: c_int) -> usize {
    usize::try_from(count).unwrap_or(0)
}

fn has(flags: c_int, flag: c_int) -> bool {
    flags & flag != 0
}

/// The path, if it is text: the paths of disks are.
///
/// # Safety
/// `name` is null or a C string that outlives the answer.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string by the promise above.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

/// The table that serves the paths of the machine.
///
/// # Safety
/// `vfs` is our table.
unsafe fn former(vfs: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: `register` put the former table there, and it lives as long as the process.
    unsafe { (*vfs).pAppData.cast() }
}

/// # Safety
/// `file` was opened by `open` below and is not closed. SQLite uses a file from one thread at a
/// time, so nobody else has its handle.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: then it is an `OpenFile` whose handle is a living box.
    unsafe { &mut *(*file.cast::<OpenFile>()).handle }
}

fn opening(flags: c_int) -> Opening {
    let content = if has(flags, ffi::SQLITE_OPEN_WAL) {
        Content::Wal
    } else if has(flags, ffi::SQLITE_OPEN_MAIN_DB) {
        Content::Database
    } else {
        Content::Journal
    };
    Opening {
        content,
        creates: has(flags, ffi::SQLITE_OPEN_CREATE),
        is_exclusive: has(flags, ffi::SQLITE_OPEN_EXCLUSIVE),
        is_passing: has(flags, ffi::SQLITE_OPEN_DELETEONCLOSE),
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a C string or null, and memory of `szOsFile` bytes, enough for either
    // table; a null `pMethods` tells it that there is nothing to close.
    unsafe {
        let opened = if name.is_null() {
            Handle::open(scratch(), None, opening(flags))
        } else {
            match text(name).and_then(place) {
                None => {
                    let former = former(vfs);
                    return (*former).xOpen.map_or(ffi::SQLITE_CANTOPEN, |open| {
                        open(former, name, file, flags, flags_out)
                    });
                }
                Some(found) => {
                    found.and_then(|(disk, name)| Handle::open(&disk, Some(name), opening(flags)))
                }
            }
        };
        let file = file.cast::<OpenFile>();
        match opened {
            Err(trouble) => {
                (*file).base.pMethods = ptr::null();
                code(trouble)
            }
            Ok(handle) => {
                (*file).handle = Box::into_raw(Box::new(handle));
                (*file).base.pMethods = &raw const METHODS;
                if !flags_out.is_null() {
                    *flags_out = flags;
                }
                ffi::SQLITE_OK
            }
        }
    }
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    syncs_folder: c_int,
) -> c_int {
    // SAFETY: a C string from SQLite, for the table it was given to.
    unsafe {
        match text(name).and_then(place) {
            None => {
                let former = former(vfs);
                (*former)
                    .xDelete
                    .map_or(ffi::SQLITE_IOERR_DELETE, |delete| {
                        delete(former, name, syncs_folder)
                    })
            }
            Some(found) => {
                answer(found.and_then(|(disk, name)| hold(&disk).delete(name, syncs_folder != 0)))
            }
        }
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: a C string and a place for the answer from SQLite.
    unsafe {
        match text(name).and_then(place) {
            None => {
                let former = former(vfs);
                (*former)
                    .xAccess
                    .map_or(ffi::SQLITE_IOERR_ACCESS, |access| {
                        access(former, name, flags, out)
                    })
            }
            Some(found) => match found.and_then(|(disk, name)| hold(&disk).exists(name)) {
                Ok(exists) => {
                    *out = c_int::from(exists);
                    ffi::SQLITE_OK
                }
                Err(trouble) => code(trouble),
            },
        }
    }
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: a C string, and `size` bytes for the answer, from SQLite; the copy, with its zero
    // at the end, is made only if it fits.
    unsafe {
        if text(name).and_then(place).is_none() {
            let former = former(vfs);
            return (*former)
                .xFullPathname
                .map_or(ffi::SQLITE_CANTOPEN, |full| full(former, name, size, out));
        }
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > length(size) {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast(), bytes.len());
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    if WAS_REFUSED.replace(false) {
        return micros;
    }
    // SAFETY: the former table sleeps for connections to files of the machine.
    unsafe {
        let former = former(vfs);
        (*former).xSleep.map_or(0, |sleep| sleep(former, micros))
    }
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: SQLite gives a place for the answer.
    unsafe { *out = NOW };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; the box came from `open`.
    unsafe {
        let file = file.cast::<OpenFile>();
        drop(Box::from_raw((*file).handle));
        (*file).handle = ptr::null_mut();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: an open file, and `count` bytes of SQLite's that nobody else touches meanwhile.
    let got = unsafe {
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length(count));
        handle(file).read(buffer, offset(at))
    };
    match got {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(trouble) => code(trouble),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    count: c_int,
    at: i64,
) -> c_int {
    // SAFETY: an open file, and `count` bytes that SQLite does not change meanwhile.
    unsafe {
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), length(count));
        answer(handle(file).write(bytes, offset(at)))
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file.
    answer(unsafe { handle(file) }.truncate(offset(size)))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file.
    answer(unsafe { handle(file) }.sync())
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: an open file and a place for the answer.
    unsafe {
        match handle(file).size() {
            Ok(size) => {
                *out = i64::try_from(size).unwrap_or(i64::MAX);
                ffi::SQLITE_OK
            }
            Err(trouble) => code(trouble),
        }
    }
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: an open file.
    answer(unsafe { handle(file) }.lock(level(wanted)))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, down_to: c_int) -> c_int {
    // SAFETY: an open file.
    answer(unsafe { handle(file) }.unlock(level(down_to)))
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file and a place for the answer.
    unsafe {
        match handle(file).is_reserved() {
            Ok(is_reserved) => {
                *out = c_int::from(is_reserved);
                ffi::SQLITE_OK
            }
            Err(trouble) => code(trouble),
        }
    }
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    // As SQLite's own says on Unix, so that its writes are the same.
    4_096
}

unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    size: c_int,
    makes: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file and a place for the answer. The region is made of atomics, which may be
    // changed through shared pointers, and the handle keeps it until SQLite unmaps or closes.
    unsafe {
        *out = ptr::null_mut();
        match handle(file).region(length(index), length(size).div_ceil(4), makes != 0) {
            Ok(region) => {
                if let Some(region) = region {
                    *out = region.as_ptr().cast_mut().cast();
                }
                ffi::SQLITE_OK
            }
            Err(trouble) => code(trouble),
        }
    }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let slots = ((1_u32 << count) - 1) << first;
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    answer(if has(flags, ffi::SQLITE_SHM_UNLOCK) {
        handle.free_slots(slots)
    } else {
        handle.take_slots(slots, has(flags, ffi::SQLITE_SHM_SHARED))
    })
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _deletes: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe { handle(file) }.unmap();
    ffi::SQLITE_OK
}
