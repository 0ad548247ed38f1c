//! SQLite over disks that lose power: a VFS that passes everything on to the system's own, and tells the [`Disk`] under
//! the file what is done to it. It becomes the default one of the process; files that lie on no such disk are not touched.
#![expect(unsafe_code, reason = "a VFS of SQLite is a table of C functions")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use crate::disk::{Disk, Node, Refusal};

static DISKS: Mutex<Vec<(PathBuf, Arc<Disk>)>> = Mutex::new(Vec::new());

/// From now on the databases in `folder` lie on a disk of their own.
pub fn put_under(folder: &Path, disk: &Arc<Disk>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let folder = folder.canonicalize().expect("a folder");
    DISKS.lock().unwrap_or_else(PoisonError::into_inner).push((folder, Arc::clone(disk)));
}

fn disk_under(path: &Path) -> Option<Arc<Disk>> {
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.iter().find(|(folder, _)| path.starts_with(folder)).map(|(_, disk)| Arc::clone(disk))
}

/// An open file: SQLite's part, ours, and behind it in memory the one of the system's VFS.
#[repr(C)]
struct Shim {
    file: sqlite3_file,
    on: *mut OnDisk,
}

/// Which file of which disk it is.
struct OnDisk {
    disk: Arc<Disk>,
    node: Node,
    /// A journal that was just made: its first flush flushes its folder, as the system's VFS does.
    flushes_folder: bool,
}

fn register() {
    // SAFETY: the default VFS lives as long as the process, and so does the copy, which is leaked. It is registered once.
    unsafe {
        let base = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!base.is_null(), "the system's VFS");
        let shim = sqlite3_vfs {
            szOsFile: (*base).szOsFile + c_int::try_from(size_of::<Shim>()).expect("small"),
            pNext: std::ptr::null_mut(),
            zName: c"power".as_ptr(),
            pAppData: base.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            ..*base
        };
        let code = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(shim)), 1);
        assert_eq!(code, ffi::SQLITE_OK, "registered");
    }
}

/// The system's VFS behind ours.
///
/// # Safety
/// `vfs` is the one that was registered here.
unsafe fn base_of(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: as above.
    unsafe { (*vfs).pAppData.cast() }
}

/// The file of the system's VFS behind ours, and its functions.
///
/// # Safety
/// `file` was opened here.
unsafe fn behind(file: *mut sqlite3_file) -> (*mut sqlite3_file, &'static sqlite3_io_methods) {
    // SAFETY: SQLite has reserved `szOsFile` bytes, ours before theirs. The system's tables of functions are static.
    unsafe {
        let real: *mut sqlite3_file = file.cast::<Shim>().add(1).cast();
        (real, &*(*real).pMethods)
    }
}

/// # Safety
/// `file` was opened here, and nobody else uses it.
unsafe fn on<'a>(file: *mut sqlite3_file) -> &'a mut OnDisk {
    // SAFETY: as above; SQLite uses a file from one thread at a time.
    unsafe { &mut *(*file.cast::<Shim>()).on }
}

/// # Safety
/// `name` is a path of SQLite's, or null.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: as above.
    let name = unsafe { CStr::from_ptr(name) };
    Some(PathBuf::from(name.to_str().expect("a path in UTF-8")))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: called by SQLite with the VFS registered here, a path or null, and room for a file of ours.
    unsafe {
        let base = base_of(vfs);
        let base_open = (*base).xOpen.expect("opens");
        let path = path_of(name);
        let Some((path, disk)) = path.and_then(|path| Some((path.clone(), disk_under(&path)?))) else {
            // On no disk of ours: the system's own file, in our place.
            return base_open(base, name, file, flags, out_flags);
        };
        (*file).pMethods = std::ptr::null();
        if !disk.is_on() {
            return ffi::SQLITE_CANTOPEN;
        }
        let flags = if disk.refusal() == Some(Refusal::ReadOnly) {
            flags & !(ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE) | ffi::SQLITE_OPEN_READONLY
        } else {
            flags
        };
        let real: *mut sqlite3_file = file.cast::<Shim>().add(1).cast();
        let code = base_open(base, name, real, flags, out_flags);
        if code != ffi::SQLITE_OK {
            return code;
        }
        let was_there = disk.node(&path);
        let node = was_there.map_or_else(|| disk.make(&path), Ok);
        let Ok(node) = node else {
            if let Some(close) = (*(*real).pMethods).xClose {
                close(real);
            }
            return ffi::SQLITE_CANTOPEN;
        };
        let journal = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
        let flushes_folder = was_there.is_none() && flags & journal != 0;
        let on = Box::into_raw(Box::new(OnDisk { disk, node, flushes_folder }));
        file.cast::<Shim>().write(Shim { file: sqlite3_file { pMethods: &raw const METHODS }, on });
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, flush_folder: c_int) -> c_int {
    // SAFETY: called by SQLite with the VFS registered here and a path.
    unsafe {
        let base = base_of(vfs);
        let base_delete = (*base).xDelete.expect("deletes");
        let on_disk = path_of(name).and_then(|path| Some((path.clone(), disk_under(&path)?)));
        let Some((path, disk)) = on_disk else { return base_delete(base, name, flush_folder) };
        if disk.node(&path).is_some() && disk.delete(&path, flush_folder != 0).is_err() {
            return ffi::SQLITE_IOERR_DELETE;
        }
        base_delete(base, name, 0)
    }
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: called by SQLite with the VFS registered here and a path.
    unsafe {
        let base = base_of(vfs);
        let is_off = path_of(name).and_then(|path| disk_under(&path)).is_some_and(|disk| !disk.is_on());
        if is_off {
            return ffi::SQLITE_IOERR_ACCESS;
        }
        (*base).xAccess.expect("accesses")(base, name, flags, out)
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Without the third version there is no memory-mapped reading that would pass by.
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

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: called by SQLite once with a file opened here.
    unsafe {
        let (real, methods) = behind(file);
        let code = methods.xClose.expect("closes")(real);
        drop(Box::from_raw((*file.cast::<Shim>()).on));
        code
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: called by SQLite with a file opened here and room for `count` bytes.
    unsafe {
        if !on(file).disk.is_on() {
            return ffi::SQLITE_IOERR_READ;
        }
        let (real, methods) = behind(file);
        methods.xRead.expect("reads")(real, into, count, at)
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: called by SQLite with a file opened here and `count` bytes.
    unsafe {
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(count).expect("a length"));
        let on = on(file);
        if on.disk.refusal() == Some(Refusal::Full) {
            return ffi::SQLITE_FULL;
        }
        if on.disk.write(on.node, u64::try_from(at).expect("a place"), bytes).is_err() {
            return ffi::SQLITE_IOERR_WRITE;
        }
        let (real, methods) = behind(file);
        methods.xWrite.expect("writes")(real, from, count, at)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, to: i64) -> c_int {
    // SAFETY: called by SQLite with a file opened here.
    unsafe {
        let on = on(file);
        if on.disk.truncate(on.node, u64::try_from(to).expect("a length")).is_err() {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let (real, methods) = behind(file);
        methods.xTruncate.expect("truncates")(real, to)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: called by SQLite with a file opened here.
    unsafe {
        let on = on(file);
        let folder = std::mem::take(&mut on.flushes_folder);
        // The real file has nothing to flush: the disk is in `Disk`.
        if on.disk.flush(on.node, folder).is_err() { ffi::SQLITE_IOERR_FSYNC } else { ffi::SQLITE_OK }
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: called by SQLite with a file opened here.
    unsafe {
        if !on(file).disk.is_on() {
            return ffi::SQLITE_IOERR_FSTAT;
        }
        let (real, methods) = behind(file);
        methods.xFileSize.expect("has a size")(real, size)
    }
}

/// Passes a call on to the file behind.
macro_rules! pass_on {
    ($($name:ident $method:ident ($($argument:ident: $kind:ty),*) $(-> $returned:ty)?;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) $(-> $returned)? {
            // SAFETY: called by SQLite with a file opened here; the rest is between it and the system's VFS.
            unsafe {
                let (real, methods) = behind(file);
                methods.$method.expect("the system's VFS has it")(real $(, $argument)*)
            }
        }
    )*};
}

pass_on! {
    lock xLock(level: c_int) -> c_int;
    unlock xUnlock(level: c_int) -> c_int;
    check_reserved_lock xCheckReservedLock(out: *mut c_int) -> c_int;
    file_control xFileControl(what: c_int, argument: *mut c_void) -> c_int;
    sector_size xSectorSize() -> c_int;
    device_characteristics xDeviceCharacteristics() -> c_int;
    shm_map xShmMap(region: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int;
    shm_lock xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier xShmBarrier();
    shm_unmap xShmUnmap(delete: c_int) -> c_int;
}
