//! Imports of affiliates that are followed from their beginning to their end.
//!
//! One at a time: whoever imports holds the turn, which ends with the process at the latest. So an import that has not ended
//! while nobody has the turn was interrupted: it changed nothing, because what it writes and that it is done are one
//! transaction ([`super::ImportHow::job`]).

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use hanna_wire::admin::business::{ImportCounts, ImportJob, ImportMode, ImportState};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Act, Put, Result};

/// For how long the rejected lines of an import are kept.
pub const REJECTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is asked and done about imports.
#[async_trait]
pub trait Imports {
    /// The turn to import; none while any process has it.
    async fn import_turn(&self) -> Result<Option<ImportTurn>>;

    /// Ends as failed what was interrupted. The caller has the turn.
    async fn fail_interrupted_imports(&self, now: Timestamp) -> Result<()>;

    /// Begins an import, and ends as failed what was interrupted. The caller has the turn.
    async fn begin_import(&self, new: NewImport) -> Result<Put>;

    /// Forgets an import whose file never came whole.
    async fn forget_import(&self, id: Uuid, now: Timestamp) -> Result<()>;

    /// Says how far an import is, unless it has ended.
    async fn tell_import(&self, id: Uuid, step: ImportStep) -> Result<()>;

    /// Whether an import has not ended, and was not asked to.
    async fn is_import_wanted(&self, id: Uuid) -> Result<bool>;

    /// Ends an import that has not ended, or adds what else there is to say of one that is done.
    async fn end_import(&self, id: Uuid, end: ImportEnd) -> Result<()>;

    /// Asks an import to stop; one that has ended stays as it is. `false` when there is none.
    async fn cancel_import(&self, id: Uuid, act: Act) -> Result<bool>;

    /// An import.
    async fn import_job(&self, id: Uuid) -> Result<Option<ImportJob>>;

    /// Some imports, the last one first: only those that come after one in the list, at most `limit`.
    async fn import_jobs(&self, after: Option<(Timestamp, Uuid)>, limit: u32) -> Result<Vec<ImportJob>>;

    /// The rejected lines of an import, as CSV; none when there are none, or they are not kept any more.
    async fn rejected_lines(&self, id: Uuid) -> Result<Option<Vec<u8>>>;
}

/// The turn to import, for as long as this is there.
pub struct ImportTurn {
    _held: Box<dyn Any + Send>,
}

impl ImportTurn {
    /// Given back when `held` is dropped.
    pub fn new(held: impl Any + Send) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for ImportTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportTurn")
    }
}

/// An import to begin.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// Made by whoever begins it.
    pub id: Uuid,
    /// `Receiving` or `Running`.
    pub state: ImportState,
    /// What becomes of whoever the file does not name.
    pub mode: ImportMode,
    /// Whether everything is taken back in the end.
    pub dry_run: bool,
    /// What the file is called.
    pub file_name: Option<String>,
    /// Who begins it, and when.
    pub act: Act,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportStep {
    /// `Receiving` or `Running`.
    pub state: ImportState,
    /// How long the file is, as far as it is here.
    pub bytes: u64,
    /// How much of it is read.
    pub bytes_read: u64,
    /// How many lines were read.
    pub lines: u64,
    /// How much is wrong in them.
    pub rejected: u64,
}

/// How an import ended.
#[derive(Debug, Clone)]
pub struct ImportEnd {
    /// How far it came; its `state` is the last one.
    pub step: ImportStep,
    /// What changed, or would have.
    pub counts: Option<ImportCounts>,
    /// Why the file as a whole was refused.
    pub reason: Option<String>,
    /// The rejected lines, as CSV.
    pub rejected_csv: Option<Vec<u8>>,
    /// When.
    pub now: Timestamp,
}
