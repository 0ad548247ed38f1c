//! The two local databases, both encrypted.
//!
//! | file | holds | when it cannot be read |
//! |---|---|---|
//! | `cache.sqlite` | statements, reference data, the draft of a form | set aside and made anew: the server has it, or somebody types it again |
//! | `outbox.sqlite` | what the server has not accepted yet, the clock mark | **never deleted**: set aside intact, a fresh one opened, the operator told |
//!
//! The same holds for a database that a newer program laid out: the desk goes on working, and what waits in it is brought
//! back, by this program as far as it knows the columns, or by the newer one. One made with another key is not touched at
//! all.

mod cache;
mod delivery;
mod draft;
mod export;
mod item;
mod key;
mod last_sync;
mod open;
mod operators;
mod outbox;
mod regulars;
mod set_aside;
mod users;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::ErrorCode;

pub use cache::CacheStore;
pub use delivery::Taken;
pub use item::{ItemRow, NewItem, Settled, SignedUse};
pub use key::DatabaseKey;
pub(crate) use key::hex;
pub(crate) use last_sync::waited;
pub use operators::KnownOperator;
pub use outbox::{Counts, Enqueued, OutboxStore};
pub use set_aside::{note_brought_back, set_aside_in};

use self::set_aside::set_aside;
use crate::view::Notice;

/// What can go wrong in a local database. None of it is ever an answer about a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No space left. Nothing was written.
    #[error("the disk is full")]
    Full,
    /// The folder or the file cannot be written. Nothing was written.
    #[error("the data folder cannot be written")]
    ReadOnly,
    /// Made by a newer version of the program.
    #[error("the database has version {found}, this program knows {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The databases were made with another key than the one at hand.
    #[error("the databases were made with another key")]
    WrongKey,
    /// This build of SQLite does not encrypt; it must not be used.
    #[error("this build of SQLite has no cipher")]
    NoCipher,
    /// The file is not a database under this key: damaged.
    #[error("the file is damaged")]
    Unreadable,
    /// A row holds something this program never wrote.
    #[error("a row of {0} cannot be read")]
    Content(&'static str),
    /// Anything else.
    #[error("the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(sqlite) if sqlite.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            Some(sqlite) => match sqlite.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Self::ReadOnly,
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Unreadable,
                _ => Self::Failed(error.into()),
            },
            None => Self::Failed(error.into()),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Failed(error.into()),
        }
    }
}

/// Both databases, open.
#[derive(Debug)]
pub struct Stores {
    /// Disposable.
    pub cache: CacheStore,
    /// Never lost.
    pub outbox: OutboxStore,
}

impl Stores {
    /// Whether `folder` holds databases already.
    pub fn exist_in(folder: &Path) -> bool {
        folder.join(outbox::FILE).exists() || folder.join(cache::FILE).exists()
    }

    /// Opens both databases in `folder` with `key`, making them at the first start.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] leaves everything as it was.
    pub fn open(folder: &Path, key: &DatabaseKey, now: Timestamp) -> Result<(Self, Vec<Notice>), StoreError> {
        key.check_fingerprint(folder)?;
        let mut notices = Vec::new();
        let outbox_path = folder.join(outbox::FILE);
        let outbox = match OutboxStore::open(&outbox_path, key) {
            Err(error @ (StoreError::Unreadable | StoreError::Newer { .. })) => {
                let kept = set_aside(&outbox_path, now)?;
                tracing::error!(%error, kept = %kept.display(), "the outbox cannot be opened and was set aside");
                OutboxStore::open(&outbox_path, key)?
            }
            opened => opened?,
        };
        // Also what was set aside before: until it is brought back, the operator is told.
        if !set_aside_in(folder)?.is_empty() {
            notices.push(Notice::OutboxSetAside);
        }
        let cache_path = folder.join(cache::FILE);
        let cache = match CacheStore::open(&cache_path, key) {
            Err(error @ (StoreError::Unreadable | StoreError::Newer { .. })) => {
                set_aside(&cache_path, now)?;
                tracing::warn!(%error, "the cache cannot be opened and was made anew");
                notices.push(Notice::CacheRebuilt);
                CacheStore::open(&cache_path, key)?
            }
            opened => opened?,
        };
        // Only now, so that a first start that failed half-way is a first start again.
        key.keep_fingerprint(folder)?;
        Ok((Self { cache, outbox }, notices))
    }
}

/// Milliseconds since 1970, as every time column has them.
fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time of a column.
fn time(millis: i64, table: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millis).map_err(|_| StoreError::Content(table))
}

#[cfg(test)]
mod outbox_tests;
#[cfg(test)]
mod set_aside_tests;
#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
