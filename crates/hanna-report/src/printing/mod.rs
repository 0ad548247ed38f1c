//! Printing a PDF on one of the system's printers, through the spooler's own programs (`lp`, `lpstat`).
//!
//! ```text
//! list ─ lpstat ─→ the printers
//! print ─ lp ─→ a job ─ asked about until it has ended or the wait is over ─→ done | failed | queued
//! ```
//!
//! That the spooler took a job says nothing of paper: a job is *done* only when the spooler says that it ended well.
//! A spooler that does not say, and one still at it when the wait is over, leave the job *queued*.
//!
//! CUPS, that is Linux and macOS. Elsewhere every call answers [`PrintError::Unsupported`]: Windows has no spooler
//! that takes a PDF, and printing there comes with the reports.
//!
//! Programs are run without a shell, in the C locale, for a limited time. Every call here waits: none belongs on a
//! thread that paints or serves others.

mod ipp;
mod program;
mod spooler_says;

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use hanna_domain::words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use program::Program;

/// How long a job is followed.
const WAIT: Duration = Duration::from_secs(20);
/// How long to wait between two questions about a job.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(250);

/// On paper smaller than letter the page shrinks; what CUPS does by itself fills the paper and crops the page.
const SCALING: &str = "print-scaling=auto-fit";

/// A printer of the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Printer {
    /// The name the spooler knows it by.
    pub name: String,
    /// Whether it is the system's default.
    pub is_default: bool,
}

/// The spooler took a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PrintJob {
    /// The printer.
    pub printer: String,
    /// The spooler's name for the job, for example `PDF-12`.
    pub job: String,
    /// How it stands.
    pub state: PrintState,
}

words! {
    /// How a print job stands.
    PrintState {
        /// The spooler has it and has not finished.
        Queued = "queued",
        /// The printer took all of it.
        Done = "done",
        /// It was stopped or cancelled.
        Failed = "failed",
    }
}

/// Why nothing could be printed. What the spooler said is for the log: it is English, and made for others.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// Printing is not supported on this system.
    #[error("printing is not supported on this system")]
    Unsupported,
    /// The spooler's programs are not installed.
    #[error("no print spooler is installed: there is no program {0}")]
    NotInstalled(&'static str),
    /// The spooler is installed and does not run.
    #[error("the print spooler is not running")]
    NotRunning,
    /// The spooler did not answer in time.
    #[error("the print spooler did not answer: {0} took too long")]
    NotAnswering(&'static str),
    /// There is no such printer.
    #[error("there is no printer {0:?}")]
    PrinterNotFound(String),
    /// The spooler did not take the job, or did not answer a question.
    #[error("the print spooler refused: {0}")]
    Refused(String),
    /// The file to print cannot be read.
    #[error("the file to print cannot be read")]
    Unreadable(#[source] io::Error),
    /// A program of the spooler could not be run.
    #[error("{program} could not be run")]
    NotRun {
        /// Which one.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// A print spooler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooler {
    /// Where it listens (`/run/cups/cups.sock`, `printhost:631`); `None`: the system's own, or the one that
    /// `CUPS_SERVER` names.
    pub server: Option<String>,
    /// How long [`Spooler::print`] follows a job.
    pub wait: Duration,
}

impl Default for Spooler {
    fn default() -> Self {
        Self { server: None, wait: WAIT }
    }
}

/// The printers of the system's spooler; see [`Spooler::list`].
pub fn list() -> Result<Vec<Printer>, PrintError> {
    Spooler::default().list()
}

/// Prints on a printer of the system's spooler; see [`Spooler::print`].
pub fn print(pdf: &Path, printer: &str, title: &str) -> Result<PrintJob, PrintError> {
    Spooler::default().print(pdf, printer, title)
}

impl Spooler {
    /// The spooler that listens at `server`.
    pub fn at(server: impl Into<String>) -> Self {
        Self { server: Some(server.into()), ..Self::default() }
    }

    /// The printers, in the spooler's order. None is an answer too: a spooler that does not run is an error.
    pub fn list(&self) -> Result<Vec<Printer>, PrintError> {
        supported()?;
        // One after the other: without a scheduler `lpstat -e` prints nothing and calls that a success.
        let running = self.ask(&["-r"])?;
        if !spooler_says::is_running(&running) {
            return Err(PrintError::NotRunning);
        }
        let default = spooler_says::default_printer(&self.ask(&["-d"])?);
        Ok(spooler_says::names(&self.ask(&["-e"])?)
            .map(|name| Printer { name: name.to_owned(), is_default: default.as_deref() == Some(name) })
            .collect())
    }

    /// Gives `pdf` to `printer` and follows the job for at most [`Spooler::wait`]. `title` is what the queue and the
    /// printer's display call it: no personal data.
    ///
    /// # Errors
    /// Only what kept the job from being taken. A job that was taken and then failed is a [`PrintJob`].
    pub fn print(&self, pdf: &Path, printer: &str, title: &str) -> Result<PrintJob, PrintError> {
        supported()?;
        // Only names the spooler gave are given back to it.
        if !self.list()?.iter().any(|known| known.name == printer) {
            return Err(PrintError::PrinterNotFound(printer.to_owned()));
        }
        File::open(pdf).map_err(PrintError::Unreadable)?;
        let path = std::path::absolute(pdf).map_err(PrintError::Unreadable)?;
        let answer =
            self.program("lp").args(["-d", printer, "-t", title, "-o", SCALING, "--"]).arg(path).run()?;
        let (job, number) = spooler_says::job(&answer.output, printer)
            .ok_or_else(|| PrintError::Refused(answer.all_it_said()))?;
        Ok(PrintJob { printer: printer.to_owned(), job: job.to_owned(), state: self.follow(number) })
    }

    /// Asks how a job stands until it has ended or the wait is over. A question that fails is asked again: the job is
    /// with the spooler either way.
    fn follow(&self, job: u32) -> PrintState {
        let questions = self.wait.as_millis() / BETWEEN_QUESTIONS.as_millis();
        let Ok(server) = self.ask(&["-H"]) else { return PrintState::Queued };
        for question in 0..=questions {
            if question > 0 {
                pause();
            }
            if let Ok(Some(state)) = ipp::how_it_ended(spooler_says::server(&server), job) {
                return state;
            }
        }
        PrintState::Queued
    }

    /// What `lpstat` says.
    fn ask(&self, question: &[&str]) -> Result<String, PrintError> {
        let answer = self.program("lpstat").args(question).run()?;
        if answer.succeeded { Ok(answer.output) } else { Err(PrintError::Refused(answer.all_it_said())) }
    }

    fn program(&self, name: &'static str) -> Program {
        let program = Program::new(name);
        match &self.server {
            Some(server) => program.env("CUPS_SERVER", server),
            None => program,
        }
    }
}

const fn supported() -> Result<(), PrintError> {
    if cfg!(unix) { Ok(()) } else { Err(PrintError::Unsupported) }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a spooler says how a job stands when asked, and nothing says when that changes"
)]
fn pause() {
    std::thread::sleep(BETWEEN_QUESTIONS);
}
