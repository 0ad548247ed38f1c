//! Backups: a copy of the database made while the server serves, and putting it back.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::app::Database;
use crate::audit::Actor;
use crate::clock::Entropy;
use crate::epoch;
use crate::store::sqlite::backup::Restoring;
use crate::store::{BoxError, StoreError, sqlite};

/// Why there is no backup, or nothing was put back. In each case what was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there already, and is not overwritten.
    #[error("{} is there already", .0.display())]
    AlreadyThere(PathBuf),
    /// A database is where the backup was to go.
    #[error("there is a database at {} already: say --force to set it aside", .0.display())]
    DatabaseThere(PathBuf),
    /// A server has the database open.
    #[error("{} is in use: stop the server first", .0.display())]
    InUse(PathBuf),
    /// The database is PostgreSQL's, which has its own tools for this.
    #[error(
        "PostgreSQL is backed up and restored with its own tools, and then `epoch renew` is said: see docs/OPERATIONS.md"
    )]
    Postgres,
    /// The file is no whole backup.
    #[error("{} is no backup of this program, or it is damaged", .0.display())]
    NoBackup(PathBuf),
    /// The database or the backup failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be read or written.
    #[error("{} cannot be read or written: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: BoxError,
    },
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where the database that was there is now.
    pub set_aside: Option<PathBuf>,
    /// How many keys were brought along from it that the backup lacks; none when it could not be read.
    pub keys_brought: Option<usize>,
}

/// Copies the database into the new file `file`, also while servers serve.
///
/// # Errors
/// See [`BackupError`].
pub fn back_up(database: &Database, file: &Path) -> Result<(), BackupError> {
    let path = embedded(database)?;
    sqlite::backup::back_up(path, file)
}

fn embedded(database: &Database) -> Result<&Path, BackupError> {
    match database {
        Database::Sqlite(path) => Ok(path),
        Database::Postgres(_) => Err(BackupError::Postgres),
    }
}

/// Puts the backup `file` in the place of the database, which no server may have open, and begins another epoch. A database
/// that is there is set aside if `force` says so, and its keys are brought along.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(
    file: &Path,
    database: &Database,
    force: bool,
    entropy: &dyn Entropy,
    by: &Actor,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    let path = embedded(database)?;
    sqlite::backup::restore(file, path, force, epoch::made(entropy), &Restoring { by, now })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestEntropy;

    #[test]
    fn postgresql_has_tools_of_its_own_for_this() {
        let database: Database = "postgres://localhost/hanna".parse().expect("an address");
        let file = Path::new("copia.sqlite");
        assert!(matches!(back_up(&database, file), Err(BackupError::Postgres)));
        let restored =
            restore(file, &database, true, &TestEntropy::new(1), &Actor::Server, Timestamp::UNIX_EPOCH);
        assert!(matches!(restored, Err(BackupError::Postgres)));
        assert!(!file.exists());
    }
}
