//! The store on embedded SQLite: one writer, a few readers, write-ahead log.
//!
//! `synchronous=FULL`: what was answered is on disk, also after a power cut. Each subject has its file of plain functions
//! over a transaction; this one opens the database and hands the work out.

mod access;
mod accounts;
mod affiliates;
mod applications;
mod audit;
pub mod backup;
mod business_usage;
mod businesses;
mod codes;
mod columns;
mod deliveries;
mod devices;
mod entity_users;
mod epoch;
mod history;
mod imports;
mod installation;
mod keys;
mod lookups;
mod mails;
mod migrate;
mod offline_lookups;
mod organisation;
mod people;
mod person;
mod registrations;
mod regulars;
mod retention;
mod second_factors;
mod tallies;
mod threads;
mod uses;
mod verification;
mod voids;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use hanna_domain::Document;
use hanna_wire::me::Branch;
use hanna_wire::usage::{UsageRow, UsageTotal};
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, InterruptHandle, Transaction, TransactionBehavior};
use uuid::Uuid;

use self::threads::Threads;
use super::generations::SIGNED_OUT;
use super::{
    Admission, Answered, AuditStore, Caller, Credentials, Delivered, Delivery, Device, ImportCounts,
    ImportHow, ImportSource, Installation, Installed, LookupRange, Opened, Opening, Question, Refreshed,
    Result, Rotation, Round, RoundAnswered, Sender, SessionOpened, Store, StoreError, Stray, Surroundings,
    Unsealed, UsageFilter,
};
use crate::audit::chain::{Block, Entry, Head};
use crate::audit::{Actor, NewAct, PersonLookups, PersonalData};
use crate::keys::SigningKey;
use crate::secrets::{Mac, TokenHash};

/// How many questions are answered at once beside the writer.
const READERS: usize = 4;
/// How long another process (an import from the terminal) may hold the write lock before we say so.
const BUSY_MAX: Duration = Duration::from_secs(10);
/// Prepared statements kept by each connection.
const STATEMENTS_MAX: usize = 64;

/// Hanna's data in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped in this order: the last connection to close empties the log into the database.
    readers: Threads,
    writer: Threads,
    /// Where it is, for work that takes long and has a connection of its own.
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the database at `path`, made if it is not there, and brings it to this program's schema.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a database of a newer program, which is left alone.
    pub fn open(path: &Path) -> Result<(Self, Opened)> {
        make_private(path)?;
        let mut writer = connect(path)?;
        let schema_before = migrate::migrate(&mut writer)?;
        let readers = (0..READERS).map(|_| connect(path)).collect::<Result<_>>()?;
        let store = Self {
            readers: Threads::start("hanna-sqlite-read", readers).map_err(failed)?,
            writer: Threads::start("hanna-sqlite-write", vec![writer]).map_err(failed)?,
            path: path.to_owned(),
        };
        Ok((store, Opened { schema_before, schema: migrate::newest() }))
    }

    /// Runs `work` as one transaction that may write.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.write_if(|_| true, work).await
    }

    /// The same, and takes everything back unless the result is worth keeping.
    async fn write_if<T, F>(&self, keep: fn(&T) -> bool, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let write = move |db: &mut Connection| {
            let mut tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&mut tx)?;
            if keep(&done) { tx.commit() } else { tx.rollback() }?;
            Ok(done)
        };
        self.writer.run(|db| write(db).map_err(fault)).await
    }

    /// Runs `work` on one state of the database.
    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let read = |db: &mut Connection| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            work(&tx)
        };
        self.readers.run(|db| read(db).map_err(fault)).await
    }

    /// Runs `work`, which reads everything there is, on a connection of its own, and no longer than somebody waits.
    async fn read_at_length<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let path = self.path.clone();
        let mut db = beside(move || connect(&path)).await?;
        let _stops = Stops(db.get_interrupt_handle());
        let read = move || {
            let tx = db.transaction_with_behavior(TransactionBehavior::Deferred)?;
            work(&tx)
        };
        beside(move || read().map_err(fault)).await
    }
}

/// Makes the file readable by its owner alone before SQLite opens it: it holds people's data and the signing key.
fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(path);
    let file = opened.map_err(|source| failed(CannotOpen { path: path.to_owned(), source }))?;
    #[cfg(unix)]
    if let Err(error) = give_to_the_folders_owner(&file, path) {
        tracing::warn!(%error, "a database that root made could not be given to the owner of its folder");
    }
    drop(file);
    Ok(())
}

/// What root makes in the folder of the server's own user, the server must be able to open.
#[cfg(unix)]
fn give_to_the_folders_owner(file: &std::fs::File, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or_else(|| Path::new("."));
    let folder = std::fs::metadata(folder)?;
    if file.metadata()?.uid() == 0 && folder.uid() != 0 {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

/// The database file cannot be opened or made.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be opened: {source}", path.display())]
struct CannotOpen {
    path: PathBuf,
    source: std::io::Error,
}

fn connect(path: &Path) -> Result<Connection> {
    let db = Connection::open(path).map_err(fault)?;
    db.busy_timeout(BUSY_MAX).map_err(fault)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(fault)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).map_err(fault)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false).map_err(fault)?;
    let mode: String =
        db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        return Err(failed("the file system of the database does not allow a write-ahead log"));
    }
    for (pragma, value) in [("synchronous", "FULL"), ("foreign_keys", "ON"), ("trusted_schema", "OFF")] {
        db.pragma_update(None, pragma, value).map_err(fault)?;
    }
    // Batches write to the same leaves of an index again and again: written back to the database rarely, each goes once for
    // many. 4000 pages are 16 MiB of log.
    db.pragma_update(None, "wal_autocheckpoint", 4000).map_err(fault)?;
    // On macOS only these reach the disk itself; elsewhere they do nothing.
    db.pragma_update(None, "fullfsync", "ON").map_err(fault)?;
    db.pragma_update(None, "checkpoint_fullfsync", "ON").map_err(fault)?;
    Ok(db)
}

/// Runs what takes long beside everything else.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// Breaks off what its connection reads when it is dropped.
struct Stops(InterruptHandle);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

/// Sorts SQLite's errors into those that may pass and those that do not.
fn fault(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => {
            StoreError::Busy(error.into())
        }
        _ => failed(error),
    }
}

fn failed(error: impl Into<super::BoxError>) -> StoreError {
    StoreError::Failed(error.into())
}

#[async_trait]
impl Store for SqliteStore {
    async fn schema(&self) -> Result<i64> {
        self.readers.run(|db| migrate::version(db)).await
    }

    async fn secret(&self, name: &'static str, candidate: [u8; 32]) -> Result<Vec<u8>> {
        self.write(move |tx| keys::secret(tx, name, candidate)).await
    }

    async fn signing_keys(&self, candidate: SigningKey, now: Timestamp) -> Result<Vec<SigningKey>> {
        self.write(move |tx| keys::signing_keys(tx, &candidate, now)).await
    }

    async fn keys(&self) -> Result<Vec<SigningKey>> {
        self.read(keys::all).await
    }

    async fn add_key(&self, key: SigningKey, now: Timestamp, by: Actor) -> Result<()> {
        self.write(move |tx| keys::add(tx, &key, now, &by)).await
    }

    async fn epoch(&self, candidate: Uuid) -> Result<Uuid> {
        self.write(move |tx| epoch::begin(tx, candidate)).await
    }

    async fn renew_epoch(&self, next: Uuid, now: Timestamp, by: Actor) -> Result<()> {
        self.write(move |tx| epoch::renew(tx, next, now, &by)).await
    }

    async fn count_attempt(&self, username: Mac, now: Timestamp) -> Result<Admission> {
        self.write(move |tx| access::count_attempt(tx, username, now)).await
    }

    async fn forget_attempts(&self, username: Mac) -> Result<()> {
        self.write(move |tx| access::forget_attempts(tx, username)).await
    }

    async fn credentials(&self, username_key: String) -> Result<Option<Credentials>> {
        self.read(move |tx| access::credentials(tx, &username_key)).await
    }

    async fn open_session(&self, opening: Opening) -> Result<SessionOpened> {
        self.write(move |tx| access::open_session(tx, &opening)).await
    }

    async fn refresh_session(&self, rotation: Rotation) -> Result<Refreshed> {
        self.write(move |tx| access::refresh_session(tx, &rotation)).await
    }

    async fn end_session(&self, session_id: Uuid, now: Timestamp) -> Result<()> {
        self.write(move |tx| access::end_session(tx, session_id, now, SIGNED_OUT)).await
    }

    async fn devices(&self) -> Result<Vec<Device>> {
        self.read(|tx| devices::all(tx)).await
    }

    async fn revoke_device(&self, id: Uuid, now: Timestamp, by: Actor) -> Result<bool> {
        self.write(move |tx| devices::revoke(tx, id, now, &by)).await
    }

    async fn restore_device(&self, id: Uuid, now: Timestamp, by: Actor) -> Result<bool> {
        self.write(move |tx| devices::restore(tx, id, now, &by)).await
    }

    async fn caller(&self, access: TokenHash, now: Timestamp) -> Result<Option<Caller>> {
        self.read(move |tx| access::caller(tx, access, now)).await
    }

    async fn surroundings(&self, account_id: Uuid, today: Date) -> Result<Option<Surroundings>> {
        self.read(move |tx| organisation::surroundings(tx, account_id, today)).await
    }

    async fn answer_lookup(&self, question: Question) -> Result<Answered> {
        self.write(move |tx| lookups::answer(tx, &question)).await
    }

    async fn answer_regulars(&self, round: Round) -> Result<RoundAnswered> {
        let answered: fn(&RoundAnswered) -> bool = |round| matches!(round, RoundAnswered::Claims { .. });
        self.write_if(answered, move |tx| regulars::answer(tx, &round)).await
    }

    async fn take_in(&self, delivery: Delivery) -> Result<Delivered> {
        self.write(move |tx| deliveries::take_in(tx, &delivery)).await
    }

    async fn last_sender(&self, device_id: Uuid) -> Result<Option<Sender>> {
        self.read(move |tx| devices::last_sender(tx, device_id)).await
    }

    async fn held(&self, ids: Vec<Uuid>) -> Result<Vec<(Uuid, u32)>> {
        self.read(move |tx| deliveries::held_of(tx, &ids)).await
    }

    async fn usage_reports(&self, filter: UsageFilter) -> Result<Vec<UsageRow>> {
        self.read(move |tx| history::usage_reports(tx, &filter)).await
    }

    async fn usage_totals(&self, filter: UsageFilter) -> Result<Vec<UsageTotal>> {
        self.read(move |tx| history::totals(tx, &filter)).await
    }

    async fn branches(&self, entity_id: Uuid) -> Result<Vec<Branch>> {
        self.read(move |tx| organisation::branches(tx, entity_id)).await
    }

    async fn import_affiliates(
        &self,
        source: Box<dyn ImportSource>,
        how: ImportHow,
        now: Timestamp,
        by: Actor,
    ) -> Result<Option<ImportCounts>> {
        let path = self.path.clone();
        beside(move || affiliates::import(&path, source, how, now, &by)).await
    }

    async fn install(
        &self,
        installation: Installation,
        people: Box<dyn ImportSource>,
        now: Timestamp,
        by: Actor,
    ) -> Result<Installed> {
        let path = self.path.clone();
        beside(move || installation::install(&path, &installation, people, now, &by)).await
    }
}

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append(&self, act: NewAct) -> Result<()> {
        self.write(move |tx| audit::append(tx, &act)).await
    }

    async fn unsealed(&self, known: Head, acts_max: u32) -> Result<Unsealed> {
        self.read(move |tx| audit::unsealed(tx, known, acts_max)).await
    }

    async fn keep_block(&self, kept: Head, block: Block) -> Result<bool> {
        self.write(move |tx| audit::keep_block(tx, kept, &block)).await
    }

    async fn sealed_after(&self, after: i64) -> Result<Option<(Block, Vec<Entry>)>> {
        self.read(move |tx| audit::sealed_after(tx, after)).await
    }

    async fn audit_head(&self) -> Result<Option<Head>> {
        self.read(|tx| audit::head(tx)).await
    }

    async fn strays(&self, count_max: u32) -> Result<Vec<Stray>> {
        self.read_at_length(move |tx| audit::strays(tx, count_max)).await
    }

    async fn person_lookups(&self, range: LookupRange, act: NewAct) -> Result<PersonLookups> {
        self.write(move |tx| person::who_asked(tx, range, &act)).await
    }

    async fn personal_data(&self, document: Document, act: NewAct) -> Result<PersonalData> {
        self.write(move |tx| person::data(tx, document, &act)).await
    }
}

#[cfg(test)]
mod tests;
