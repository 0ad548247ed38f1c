//! Imports that are followed: begun in the console or at the terminal, one at a time, told about while they run.
//!
//! While one runs it says every second how far it is, and looks whether somebody asked it to stop; both in the database, so
//! that any process may ask. What it changes and that it is done are one transaction.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hanna_wire::admin::business::{ImportJob, ImportMode, ImportState};
use jiff::Timestamp;
use uuid::Uuid;

use super::rejected;
use super::{ImportError, ImportHow, Progress, Report, Step};
use crate::app::App;
use crate::store::{Act, ImportEnd, ImportStep, ImportTurn, NewImport, Put, StoreError};

/// How often an import says how far it is, and asks whether it is still wanted.
pub const TELL_EVERY: Duration = Duration::from_secs(1);

/// What became of the wish to import.
#[derive(Debug)]
pub enum ImportBegun {
    /// It has begun.
    Now(ImportRun),
    /// It had begun before: the same import.
    Before(Box<ImportJob>),
    /// The id belongs to another import.
    IdConflict,
    /// Another import has not ended.
    Running,
}

/// An import that has begun, with its turn.
#[derive(Debug)]
pub struct ImportRun {
    new: NewImport,
    _turn: ImportTurn,
}

impl ImportRun {
    /// The import.
    pub const fn id(&self) -> Uuid {
        self.new.id
    }

    fn how(&self) -> ImportHow {
        let replaces = self.new.mode == ImportMode::Replace;
        ImportHow { replaces, dry_run: self.new.dry_run, job: Some(self.new.id) }
    }
}

/// Why a followed import ended without a report.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Another import has not ended.
    #[error("another import has not ended: one at a time")]
    Running,
    /// The import itself.
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Import(error.into())
    }
}

impl App {
    /// Begins an import, unless it had begun before or another one has not ended.
    pub(crate) async fn begin_import(&self, new: NewImport) -> Result<ImportBegun, StoreError> {
        if let Some(job) = self.store().import_job(new.id).await? {
            let is_same = (job.mode, job.dry_run, &job.file_name) == (new.mode, new.dry_run, &new.file_name);
            return Ok(if is_same { ImportBegun::Before(Box::new(job)) } else { ImportBegun::IdConflict });
        }
        let Some(turn) = self.store().import_turn().await? else { return Ok(ImportBegun::Running) };
        match self.store().begin_import(new.clone()).await? {
            Put::Done(()) => Ok(ImportBegun::Now(ImportRun { new, _turn: turn })),
            Put::IdConflict | Put::Unknown | Put::Taken | Put::BranchElsewhere => Ok(ImportBegun::IdConflict),
        }
    }

    /// Imports a file from the terminal of the server; see [`Self::import_affiliates`].
    ///
    /// # Errors
    /// See [`JobError`].
    pub async fn import_at_the_terminal(
        &self,
        file: &Path,
        how: ImportHow,
        rejected: Option<PathBuf>,
        progress: Progress,
    ) -> Result<Report, JobError> {
        let now = self.clock().now();
        let new = NewImport {
            id: self.entropy().id(now),
            state: ImportState::Running,
            mode: if how.replaces { ImportMode::Replace } else { ImportMode::Upsert },
            dry_run: how.dry_run,
            file_name: file.file_name().map(|name| name.to_string_lossy().into_owned()),
            act: Act { by: self.run_by().clone(), now },
        };
        match self.begin_import(new).await? {
            ImportBegun::Now(run) => Ok(self.follow(run, file, rejected, progress).await?),
            // The id was made just now.
            ImportBegun::Before(_) | ImportBegun::IdConflict | ImportBegun::Running => Err(JobError::Running),
        }
    }

    /// Imports the file of an import that has begun, and ends it. Given up on the way, it changes nothing.
    pub(super) async fn follow(
        &self,
        run: ImportRun,
        file: &Path,
        rejected: Option<PathBuf>,
        mut progress: Progress,
    ) -> Result<Report, ImportError> {
        let id = run.id();
        let watch = Arc::new(Watch::default());
        let given_up = GivenUp(Arc::clone(&watch));
        let bytes = tokio::fs::metadata(file).await.map_or(0, |file| file.len());
        let told = Arc::clone(&watch);
        let followed: Progress = Box::new(move |step| {
            told.see(step);
            if told.is_stopped.load(Ordering::Acquire) { ControlFlow::Break(()) } else { progress(step) }
        });
        let outcome = tokio::select! {
            outcome = self.import_affiliates(file, run.how(), rejected.clone(), followed) => outcome,
            never = self.tell(id, bytes, &watch) => match never {},
        };
        let end = ending(&outcome, watch.step(bytes), rejected.as_deref(), self.clock().now()).await;
        if let Err(error) = self.store().end_import(id, end).await {
            tracing::error!(import = %id, %error, "how an import ended could not be written down");
        }
        drop((given_up, run));
        outcome
    }

    /// Says again and again how far an import is, and stops it when it is not wanted any more. What cannot be said now is
    /// said the next time.
    async fn tell(&self, id: Uuid, bytes: u64, watch: &Watch) -> std::convert::Infallible {
        let mut last = None;
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            let step = watch.step(bytes);
            // While it is merged nothing is new, and SQLite has no place for another writer.
            if last != Some(step) && self.store().tell_import(id, step).await.is_ok() {
                last = Some(step);
            }
            if matches!(self.store().is_import_wanted(id).await, Ok(false)) {
                watch.is_stopped.store(true, Ordering::Release);
            }
        }
    }

    /// An import.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn import_job(&self, id: Uuid) -> Result<Option<ImportJob>, StoreError> {
        match self.store().import_job(id).await? {
            Some(job) if !job.state.is_final() && self.settle_imports().await? => {
                self.store().import_job(id).await
            }
            job => Ok(job),
        }
    }

    /// Some imports, the last one first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn import_jobs(
        &self,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<ImportJob>, StoreError> {
        let jobs = self.store().import_jobs(after, limit).await?;
        if jobs.iter().all(|job| job.state.is_final()) || !self.settle_imports().await? {
            return Ok(jobs);
        }
        self.store().import_jobs(after, limit).await
    }

    /// The rejected lines of an import, as CSV.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rejected_lines(&self, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        self.store().rejected_lines(id).await
    }

    /// Asks an import to stop: within a second or two it does, and changes nothing. None when there is no such import.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn cancel_import(&self, id: Uuid, by: Option<Uuid>) -> Result<Option<ImportJob>, StoreError> {
        if self.store().cancel_import(id, self.act(by)).await? { self.import_job(id).await } else { Ok(None) }
    }
}

/// How far an import is, for whoever tells about it.
#[derive(Debug, Default)]
struct Watch {
    step: Mutex<Option<Step>>,
    is_stopped: AtomicBool,
}

impl Watch {
    fn see(&self, step: Step) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
    }

    /// As it is told while the import runs.
    fn step(&self, bytes: u64) -> ImportStep {
        let step = *self.step.lock().unwrap_or_else(PoisonError::into_inner);
        ImportStep {
            state: ImportState::Running,
            bytes,
            bytes_read: step.map_or(0, |step| step.bytes),
            lines: step.map_or(0, |step| step.lines),
            rejected: step.map_or(0, |step| step.rejected),
        }
    }
}

/// Stops an import that nobody waits for any more, because its process ends.
struct GivenUp(Arc<Watch>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.is_stopped.store(true, Ordering::Release);
    }
}

async fn ending(
    outcome: &Result<Report, ImportError>,
    step: ImportStep,
    rejected: Option<&Path>,
    now: Timestamp,
) -> ImportEnd {
    let end = ImportEnd { step, counts: None, reason: None, rejected_csv: None, now };
    let ended = |state, step: ImportStep| ImportStep { state, ..step };
    let report = match outcome {
        Ok(report) => report,
        Err(ImportError::File(fault)) => {
            return ImportEnd {
                step: ended(ImportState::Refused, step),
                reason: Some(fault.to_string()),
                ..end
            };
        }
        Err(_) => return ImportEnd { step: ended(ImportState::Failed, step), ..end },
    };
    let step = ImportStep { lines: report.lines, rejected: report.bad_total, ..step };
    if report.changed.is_some() {
        return ImportEnd { step: ended(ImportState::Done, step), counts: report.changed, ..end };
    }
    if report.stopped || report.bad_total == 0 {
        return ImportEnd { step: ended(ImportState::Cancelled, step), ..end };
    }
    let rejected_csv = match rejected {
        Some(path) => rejected::kept(path).await.ok(),
        None => None,
    };
    ImportEnd { step: ended(ImportState::Refused, step), rejected_csv, ..end }
}
