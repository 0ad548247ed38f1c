//! Affiliates from a CSV file: streamed, all or nothing, every bad line named.
//!
//! UTF-8 (with or without a byte order mark) or Latin-1, `;` or `,`, one line a person. The header names the columns of
//! [`Column`], in any order, with or without accents, capitals, spaces; others are ignored. Whatever is wrong is said in
//! Spanish with its line and column, never with the value, which may be anybody's data.

mod columns;
mod jobs;
mod lines;
mod rejected;
mod row;
pub(crate) mod upload;
mod why;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::columns::Column;
pub(crate) use self::jobs::ImportBegun;
pub use self::jobs::JobError;
use self::lines::Lines;
use self::rejected::RejectedFile;
use self::row::RowReader;
pub use self::why::{BadLine, FileFault, Why};
use crate::app::App;
pub use crate::store::{ImportCounts, ImportHow};
use crate::store::{ImportRow, ImportSource, RowConflict, SourceState, StoreError};

/// The most bad lines a report names. All are counted.
pub const BAD_LINES_MAX: usize = 200;
/// How often progress is told, in lines.
const PROGRESS_EVERY: u64 = 20_000;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many lines the file has, with its header.
    pub lines: u64,
    /// What is wrong, in the order of the lines; at most [`BAD_LINES_MAX`].
    pub bad: Vec<BadLine>,
    /// How much is wrong altogether.
    pub bad_total: u64,
    /// Whether it was stopped on the way, and nothing changed.
    pub stopped: bool,
    /// What changed, or would have; none when anything was wrong, and nothing changed.
    pub changed: Option<ImportCounts>,
}

/// Why a file could not be imported at all. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not one of affiliates.
    #[error(transparent)]
    File(#[from] FileFault),
    /// The file of rejected lines cannot be written.
    #[error("the file of rejected lines cannot be written: {0}")]
    Rejected(#[source] io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the runtime ended.
    #[error("the file could not be read: {0}")]
    Runtime(#[from] tokio::task::JoinError),
}

/// Is told how far it is, and says whether to go on. Asked for the last time just before the changes are kept.
pub type Progress = Box<dyn FnMut(Step) -> ControlFlow<()> + Send>;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How many lines were read.
    pub lines: u64,
    /// How many lines there are.
    pub lines_total: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// How much is wrong in them.
    pub rejected: u64,
}

impl App {
    /// Adds the people of `file`, or updates those that are there. If anything is wrong, nothing changes. All that is wrong
    /// is written to the file `rejected`, if there is to be one.
    ///
    /// # Errors
    /// See [`ImportError`]. Bad lines are no error: they stand in the [`Report`].
    pub async fn import_affiliates(
        &self,
        file: &Path,
        how: ImportHow,
        rejected: Option<PathBuf>,
        progress: Progress,
    ) -> Result<Report, ImportError> {
        let file = file.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let mut lines = Lines::open(&file)?;
            let rows = RowReader::new(&mut lines)?;
            let rejected = rejected.as_deref().map(RejectedFile::create).transpose();
            Ok::<_, ImportError>((lines, rows, rejected.map_err(ImportError::Rejected)?))
        });
        let (lines, rows, rejected) = opened.await??;
        let findings = Arc::new(Mutex::new(Findings { rejected, ..Findings::default() }));
        let nobody = how.replaces.then_some(FileFault::NoPeople);
        let source = CsvSource { lines, rows, nobody, progress, findings: Arc::clone(&findings) };
        let (now, by) = (self.clock().now(), self.run_by().clone());
        let changed = self.store().import_affiliates(Box::new(source), how, now, by).await?;
        let mut findings = lock(&findings);
        let written = findings.rejected.take().map(RejectedFile::finish).transpose();
        if let Some(fault) = findings.unwritten.take().or(written.err()) {
            return Err(ImportError::Rejected(fault));
        }
        if let Some(fault) = findings.broken.take() {
            return Err(fault.into());
        }
        findings.bad.sort_by_key(|bad| bad.line);
        Ok(Report {
            lines: findings.lines,
            bad: std::mem::take(&mut findings.bad),
            bad_total: findings.bad_total,
            stopped: findings.stopped,
            changed,
        })
    }
}

/// What was found on the way.
#[derive(Debug, Default)]
struct Findings {
    lines: u64,
    bad: Vec<BadLine>,
    bad_total: u64,
    /// The file could not be read to its end, or has nobody where there must be somebody.
    broken: Option<FileFault>,
    stopped: bool,
    rejected: Option<RejectedFile>,
    /// Why the file of rejected lines ends before all of them.
    unwritten: Option<io::Error>,
}

impl Findings {
    fn add(&mut self, bad: BadLine) {
        self.bad_total += 1;
        if let Some(Err(fault)) = self.rejected.as_mut().map(|file| file.add(&bad)) {
            self.rejected = None;
            self.unwritten = Some(fault);
        }
        if self.bad.len() < BAD_LINES_MAX {
            self.bad.push(bad);
        }
    }
}

fn lock(findings: &Mutex<Findings>) -> MutexGuard<'_, Findings> {
    findings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file as a source of affiliates.
struct CsvSource {
    lines: Lines,
    rows: RowReader,
    /// What is wrong with a file that names nobody, until somebody is named.
    nobody: Option<FileFault>,
    progress: Progress,
    findings: Arc<Mutex<Findings>>,
}

impl ImportSource for CsvSource {
    fn next_row(&mut self) -> Option<ImportRow> {
        loop {
            let line = match self.lines.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => {
                    if let Some(fault) = self.nobody.take() {
                        lock(&self.findings).broken = Some(fault);
                    }
                    return None;
                }
                Err(fault) => {
                    lock(&self.findings).broken = Some(fault);
                    return None;
                }
            };
            let number = line.number;
            lock(&self.findings).lines = number;
            if number.is_multiple_of(PROGRESS_EVERY) {
                self.ask(number);
            }
            if lock(&self.findings).stopped {
                return None;
            }
            match self.rows.read(line) {
                Ok(None) => {}
                Ok(Some(row)) => {
                    self.nobody = None;
                    return Some(row);
                }
                Err(whys) => {
                    self.nobody = None;
                    let mut findings = lock(&self.findings);
                    for (column, why) in whys {
                        findings.add(BadLine { line: number, column, why });
                    }
                }
            }
        }
    }

    fn refuse(&mut self, line: u64, why: RowConflict) {
        let (column, why) = match why {
            RowConflict::DuplicateDocument { first_line } => {
                (Column::Number, Why::DuplicateDocument { first_line })
            }
            RowConflict::CompanyDisagrees { first_line } => {
                (Column::CompanyNit, Why::CompanyDisagrees { first_line })
            }
        };
        lock(&self.findings).add(BadLine { line, column: Some(column), why });
    }

    fn lines(&self) -> u64 {
        lock(&self.findings).lines
    }

    fn state(&mut self) -> SourceState {
        self.ask(self.lines());
        let findings = lock(&self.findings);
        if findings.stopped || findings.broken.is_some() {
            SourceState::Stopped
        } else if findings.bad_total > 0 {
            SourceState::Faulty
        } else {
            SourceState::Sound
        }
    }
}

impl CsvSource {
    /// Says how far it is, and asks whether to go on.
    fn ask(&mut self, done: u64) {
        let step = Step {
            lines: done,
            lines_total: self.lines.total(),
            bytes: self.lines.read_bytes(),
            rejected: lock(&self.findings).bad_total,
        };
        if (self.progress)(step).is_break() {
            lock(&self.findings).stopped = true;
        }
    }
}

#[cfg(test)]
mod tests;
