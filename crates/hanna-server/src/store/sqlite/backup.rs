//! Copying the file while it is in use, and putting a copy in its place. See [`crate::backup`].
//!
//! Everything is made beside its place, under another name, checked, flushed, and then renamed: whatever fails in between
//! leaves what was there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use super::{epoch, fault, keys, make_private, migrate};
use crate::audit::Actor;
use crate::backup::{BackupError, Restored};
use crate::keys::SigningKey;
use crate::store::StoreError;

type Result<T> = std::result::Result<T, BackupError>;

/// How long to wait for whoever writes at the moment.
const BUSY_MAX: Duration = Duration::from_secs(10);
/// How long to wait for a server to let go of the database: none is about to.
const LET_GO_MAX: Duration = Duration::from_millis(200);

pub fn back_up(path: &Path, file: &Path) -> Result<()> {
    if file.exists() {
        return Err(BackupError::AlreadyThere(file.to_owned()));
    }
    let part = beside(file, ".part");
    copy(path, &part)?;
    finish(&part, file)
}

/// Who restores, and when.
pub struct Restoring<'a> {
    pub by: &'a Actor,
    pub now: Timestamp,
}

pub fn restore(
    file: &Path,
    path: &Path,
    force: bool,
    next: Uuid,
    restoring: &Restoring<'_>,
) -> Result<Restored> {
    let is_there = path.exists();
    if is_there && !force {
        return Err(BackupError::DatabaseThere(path.to_owned()));
    }
    let aside = beside(path, &format!(".replaced-{}", restoring.now.strftime("%Y%m%dT%H%M%SZ")));
    if aside.exists() {
        return Err(BackupError::AlreadyThere(aside));
    }
    let made = beside(path, ".restoring");
    copy(file, &made)?;
    let keys = if is_there { keys_of(path) } else { Ok(Some(Vec::new())) };
    let done = keys.and_then(|keys| prepare(&made, keys, next, restoring)).and_then(|keys_brought| {
        exchange(path, &made, &aside)?;
        Ok(Restored { set_aside: is_there.then_some(aside), keys_brought })
    });
    if done.is_err() {
        // The first error is the one to tell of.
        let _ = fs::remove_file(&made);
    }
    done
}

/// Sets what is at `path` aside, and gives its name to `made`.
fn exchange(path: &Path, made: &Path, aside: &Path) -> Result<()> {
    let mut moved = Vec::new();
    let mut exchange = || {
        // What belongs to the database that was there must not be taken for the new one's.
        for suffix in ["", "-wal", "-shm"] {
            let from = beside(path, suffix);
            if from.exists() {
                fs::rename(&from, beside(aside, suffix)).map_err(|cause| failed(&from, cause))?;
                moved.push(suffix);
            }
        }
        finish(made, path)
    };
    let done = exchange();
    if done.is_err() {
        for suffix in moved {
            // As far as it can be.
            let _ = fs::rename(beside(aside, suffix), beside(path, suffix));
        }
    }
    done
}

/// Copies one state of a whole database of ours into `to`, which is made anew.
fn copy(from: &Path, to: &Path) -> Result<()> {
    remove_if_there(to)?;
    make_private(to)?;
    let done = copy_into(from, to);
    if done.is_err() {
        // The first error is the one to tell of.
        let _ = fs::remove_file(to);
    }
    done
}

fn copy_into(from: &Path, to: &Path) -> Result<()> {
    let no_backup = || BackupError::NoBackup(from.to_owned());
    File::open(from).map_err(|cause| failed(from, cause))?;
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
    source.busy_timeout(BUSY_MAX).map_err(fault)?;
    let mut copy = Connection::open(to).map_err(fault)?;
    // All at once, from one state: in steps it would begin anew whenever somebody writes.
    let step = Backup::new(&source, &mut copy).and_then(|backup| backup.step(-1));
    match step {
        Ok(StepResult::Done) => {}
        Ok(_) => return Err(StoreError::Busy("the database is locked".into()).into()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(no_backup());
        }
        Err(error) => return Err(fault(error).into()),
    }
    // One file, that needs no log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(fault)?;
    if is_whole(&copy).map_err(fault)? { Ok(()) } else { Err(no_backup()) }
}

/// Whether it is a database of ours, and every page and every reference of it holds.
fn is_whole(db: &Connection) -> rusqlite::Result<bool> {
    let ours = "SELECT count(*) = 2 FROM sqlite_schema WHERE type = 'table' AND name IN ('settings', 'signing_keys')";
    let is_ours: bool = db.query_row(ours, [], |row| row.get(0))?;
    let says: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let is_loose = db.prepare("PRAGMA foreign_key_check")?.exists([])?;
    Ok(is_ours && says == "ok" && !is_loose)
}

/// The keys of the database that is to be set aside, if it can be read, with everything of it in its one file.
fn keys_of(path: &Path) -> Result<Option<Vec<SigningKey>>> {
    let read = || {
        let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.busy_timeout(LET_GO_MAX)?;
        // Only whoever is alone with it can leave its log: a server that runs is found out.
        let mode: String = db.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))?;
        if mode != "delete" {
            return Ok(None);
        }
        keys::all(&db.transaction()?).map(Some)
    };
    match read() {
        Ok(Some(keys)) => Ok(Some(keys)),
        Ok(None) => Err(BackupError::InUse(path.to_owned())),
        Err(error) => match fault(error) {
            StoreError::Busy(_) => Err(BackupError::InUse(path.to_owned())),
            StoreError::Newer { .. } | StoreError::Failed(_) => Ok(None),
        },
    }
}

/// Brings a copy to this program's schema, and gives it the keys it lacks and another epoch.
fn prepare(
    made: &Path,
    keys: Option<Vec<SigningKey>>,
    next: Uuid,
    restoring: &Restoring<'_>,
) -> Result<Option<usize>> {
    let mut db = Connection::open(made).map_err(fault)?;
    migrate::migrate(&mut db)?;
    let change = || {
        let tx = db.transaction()?;
        let brought = keys.map(|keys| keys.iter().map(|key| bring(&tx, key, restoring)).sum()).transpose()?;
        epoch::renew(&tx, next, restoring.now, restoring.by)?;
        tx.commit()?;
        Ok(brought)
    };
    change().map_err(|error| fault(error).into())
}

/// 1 if it lacked the key.
fn bring(db: &Connection, key: &SigningKey, restoring: &Restoring<'_>) -> rusqlite::Result<usize> {
    if db.prepare_cached("SELECT 1 FROM signing_keys WHERE kid = ?1")?.exists([&key.kid])? {
        return Ok(0);
    }
    keys::add(db, key, restoring.now, restoring.by)?;
    Ok(1)
}

/// Flushes `made` and gives it its name.
fn finish(made: &Path, name: &Path) -> Result<()> {
    let folder = match name.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let flush = || {
        OpenOptions::new().append(true).open(made)?.sync_all()?;
        fs::rename(made, name)?;
        // Where folders cannot be flushed, the name is as durable as that system makes it.
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    };
    flush().map_err(|cause: std::io::Error| failed(name, cause))
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(failed(path, cause)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn failed(path: &Path, cause: std::io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), cause: cause.into() }
}

#[cfg(test)]
mod tests;
