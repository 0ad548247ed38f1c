//! Files that the console sends: streamed into the data directory, imported, removed.
//!
//! A file that does not come whole leaves nothing, neither itself nor its import.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use axum::body::Body;
use futures_util::StreamExt;
use hanna_wire::admin::business::{ImportJob, ImportState};
use hanna_wire::limits::IMPORT_MAX_BYTES;
use hanna_wire::problem::ErrorCode;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::Progress;
use super::jobs::{ImportRun, TELL_EVERY};
use crate::app::App;
use crate::fault::Fault;
use crate::store::{ImportEnd, ImportStep, StoreError};

/// The most of a file that waits to be written.
const CHUNK_BYTES: usize = 1024 * 1024;

/// How a file arrived.
enum Arrived {
    /// Whole: so many bytes.
    Whole(u64),
    /// It was asked to stop on the way.
    Unwanted(u64),
}

/// A file that goes with this.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!(%error, "a file of an import could not be removed");
        }
    }
}

impl App {
    /// Takes the file of an import in, and begins to import it. The import goes on when the caller does not wait for it.
    ///
    /// # Errors
    /// When the file does not come whole; then the import is forgotten.
    pub(crate) async fn receive_import(&self, run: ImportRun, body: Body) -> Result<ImportJob, Fault> {
        let id = run.id();
        let file = Removed(self.imports().join(format!("{id}.csv")));
        let upload_max = self.limits().upload_max;
        let received = tokio::time::timeout(upload_max, self.receive(id, &file.0, body));
        let arrived = received.await.unwrap_or_else(|_| Err(too_slow()));
        match arrived {
            Ok(Arrived::Whole(bytes)) => {
                self.store().tell_import(id, step(ImportState::Running, bytes)).await?;
                let app = self.clone();
                tokio::spawn(async move { app.import_received(run, file).await });
            }
            Ok(Arrived::Unwanted(bytes)) => {
                let step = step(ImportState::Cancelled, bytes);
                let now = self.clock().now();
                let end = ImportEnd { step, counts: None, reason: None, rejected_csv: None, now };
                self.store().end_import(id, end).await?;
            }
            Err(fault) => {
                self.store().forget_import(id, self.clock().now()).await?;
                return Err(fault);
            }
        }
        self.store().import_job(id).await?.ok_or_else(|| Fault::internal("an import is gone"))
    }

    async fn receive(&self, id: Uuid, path: &Path, body: Body) -> Result<Arrived, Fault> {
        let mut file = self.make(path).await.map_err(Fault::unavailable)?;
        let (mut bytes, mut told) = (0_u64, Instant::now());
        let mut chunks = body.into_data_stream();
        loop {
            let next = tokio::time::timeout(self.limits().body_max, chunks.next());
            let Some(chunk) = next.await.map_err(|_| too_slow())? else { break };
            let chunk = chunk.map_err(|_| Fault::with(ErrorCode::Malformed, "the body could not be read"))?;
            bytes += chunk.len() as u64;
            if bytes > IMPORT_MAX_BYTES {
                return Err(too_large());
            }
            file.write_all(&chunk).await.map_err(Fault::unavailable)?;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.store().tell_import(id, step(ImportState::Receiving, bytes)).await?;
                if !self.store().is_import_wanted(id).await? {
                    return Ok(Arrived::Unwanted(bytes));
                }
            }
        }
        file.flush().await.map_err(Fault::unavailable)?;
        Ok(Arrived::Whole(bytes))
    }

    /// Makes a file that only its owner reads: it holds people's data.
    async fn make(&self, path: &Path) -> io::Result<File> {
        let mut folder = tokio::fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        folder.mode(0o700);
        folder.create(self.imports()).await?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(path).await?;
        file.set_max_buf_size(CHUNK_BYTES);
        Ok(file)
    }

    async fn import_received(&self, run: ImportRun, file: Removed) {
        let id = run.id();
        let rejected = Removed(file.0.with_extension("rejected.csv"));
        let unwatched: Progress = Box::new(|_| ControlFlow::Continue(()));
        match self.follow(run, &file.0, Some(rejected.0.clone()), unwatched).await {
            Ok(report) => tracing::info!(
                import = %id, lines = report.lines, rejected = report.bad_total, is_in = report.changed.is_some(),
                "an import ended"
            ),
            Err(error) => tracing::error!(import = %id, %error, "an import failed"),
        }
    }

    /// Ends as failed what was interrupted, and removes what files there are of it, unless an import runs; says whether none
    /// does.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn settle_imports(&self) -> Result<bool, StoreError> {
        let Some(turn) = self.store().import_turn().await? else { return Ok(false) };
        self.remove_leftovers().await;
        self.store().fail_interrupted_imports(self.clock().now()).await?;
        drop(turn);
        Ok(true)
    }

    async fn remove_leftovers(&self) {
        let Ok(mut entries) = tokio::fs::read_dir(self.imports()).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            if entry.path().extension().is_some_and(|extension| extension == "csv") {
                drop(Removed(entry.path()));
            }
        }
    }
}

const fn step(state: ImportState, bytes: u64) -> ImportStep {
    ImportStep { state, bytes, bytes_read: 0, lines: 0, rejected: 0 }
}

fn too_slow() -> Fault {
    Fault::with(ErrorCode::RequestTimedOut, "the file did not arrive in time")
}

/// The file is over the limit.
pub(crate) fn too_large() -> Fault {
    Fault::with(ErrorCode::TooLarge, format!("the file is over {} MiB", IMPORT_MAX_BYTES / (1024 * 1024)))
}
