//! *Reporte de Convenio* on paper: the history laid out as a PDF, saved or printed.

use std::path::{Path, PathBuf};

use hanna_domain::colombia;
use hanna_report::ReportError;
use hanna_report::convenio::{ConvenioReport, Pdf, Row, Verifiable, render};
use hanna_report::printing::{PrintError, Spooler};
use hanna_wire::verification::NewReport;

use crate::desk::Desk;
use crate::error::{DeskError, ErrorCode};
use crate::file::write_whole;
use crate::messages;
use crate::view::{HistoryQuery, HistoryRow, PrintJob, Printer, SavedReport, Voided};

impl Desk {
    /// Writes the report of `query` to `path`, beside first and then renamed, so that no half file is left.
    ///
    /// # Errors
    /// As [`Desk::history`]; [`ErrorCode::DiskFull`] or [`ErrorCode::FileFailed`] when it cannot be written.
    pub async fn save_report(&self, query: HistoryQuery, path: PathBuf) -> Result<SavedReport, DeskError> {
        let (pdf, rows) = self.lay_out_report(query).await?;
        tokio::task::spawn_blocking(move || {
            write_whole(&path, |out| out.write_all(&pdf.bytes))?;
            let path = path.to_string_lossy().into_owned();
            Ok(SavedReport { path, rows, pages: pdf.pages })
        })
        .await?
    }

    /// Writes the report into `folder` under a name of its own that is not taken yet.
    ///
    /// # Errors
    /// As [`Desk::save_report`].
    pub async fn save_report_in(&self, query: HistoryQuery, folder: &Path) -> Result<SavedReport, DeskError> {
        let stem = format!("Reporte de Convenio {} a {}", query.from, query.to);
        let names = std::iter::once(format!("{stem}.pdf")).chain((2..).map(|n| format!("{stem} ({n}).pdf")));
        let path = names.map(|name| folder.join(name)).find(|path| !path.exists());
        self.save_report(query, path.ok_or(ErrorCode::FileFailed)?).await
    }

    /// The system's printers.
    ///
    /// # Errors
    /// [`ErrorCode::PrintFailed`] when there is no spooler, or it does not run.
    pub async fn printers(&self) -> Result<Vec<Printer>, DeskError> {
        Ok(tokio::task::spawn_blocking(|| Spooler::default().list()).await??)
    }

    /// Prints the report of `query`, and tells what the spooler made of it.
    ///
    /// # Errors
    /// As [`Desk::history`]; [`ErrorCode::PrinterNotFound`], [`ErrorCode::PrintFailed`].
    pub async fn print_report(&self, query: HistoryQuery, printer: String) -> Result<PrintJob, DeskError> {
        let (pdf, _) = self.lay_out_report(query).await?;
        // A report has names and documents: it stands on the disk only while the spooler reads it.
        let path = self.inner.data_dir.join(format!("{}.pdf", self.inner.chance.id(self.inner.clock.now())));
        tokio::task::spawn_blocking(move || {
            write_whole(&path, |out| out.write_all(&pdf.bytes))?;
            let outcome = Spooler::default().print(&path, &printer, "Reporte de Convenio");
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::error!(%error, "a printed report was not removed");
            }
            Ok(outcome?)
        })
        .await?
    }

    async fn lay_out_report(&self, query: HistoryQuery) -> Result<(Pdf, u32), DeskError> {
        let history = self.history(query).await?;
        let me = self.me()?;
        let entity = me.entity.as_ref();
        let branch = query.branch_id.and_then(|id| me.branches.iter().find(|branch| branch.id == id));
        let (_, now) = self.now();
        let verifiable = if history.complete { self.make_verifiable(&query).await } else { None };
        let report = ConvenioReport {
            entity_name: entity.map(|entity| entity.name.clone()).unwrap_or_default(),
            entity_nit: entity.map(|entity| entity.nit.clone()).unwrap_or_default(),
            branch_name: branch.map(|branch| branch.name.clone()),
            from: query.from,
            to: query.to,
            generated_at: colombia::wall_clock(now),
            generated_by: me.operator.display_name.clone(),
            complete: history.complete,
            verifiable,
            totals: history.totals.iter().map(|total| (total.tariff, total.uses)).collect(),
            // Oldest first: a report is read as a book.
            rows: history.rows.into_iter().rev().map(row).collect(),
        };
        let rows = u32::try_from(report.rows.len()).unwrap_or(u32::MAX);
        let pdf = tokio::task::spawn_blocking(move || render(&report)).await??;
        Ok((pdf, rows))
    }

    /// Has the server keep what it has on record, for whoever wants to verify the report. Without it the report has no code.
    async fn make_verifiable(&self, query: &HistoryQuery) -> Option<Verifiable> {
        let (from, to) = colombia::days(query.from, query.to);
        let (_, now) = self.now();
        let report = NewReport { id: self.inner.chance.id(now), from, to, branch_id: query.branch_id };
        let made = self
            .authorized(|backend, token| {
                let report = report.clone();
                async move { backend.make_report_code(&token, &report).await }
            })
            .await;
        match made {
            Ok(made) => {
                let uses = made.value.report.uses();
                Some(Verifiable { code: made.value.code, uses })
            }
            Err(failure) => {
                tracing::warn!(?failure, "a report is made without a code");
                None
            }
        }
    }
}

fn row(row: HistoryRow) -> Row {
    let why = |voided: Voided| messages::void_reason(voided.reason, voided.text.as_deref());
    let note = row.voided.map(why).or_else(|| row.code.map(messages::item_code));
    Row {
        occurred_at: colombia::wall_clock(row.occurred_at),
        document: row.document,
        affiliate_name: row.affiliate_name,
        tariff: row.tariff,
        company_name: row.company_name,
        branch_name: row.branch_name,
        operator_name: row.operator_name,
        state: row.state,
        note,
    }
}

impl From<ReportError> for DeskError {
    fn from(error: ReportError) -> Self {
        Self::caused(ErrorCode::Internal, error)
    }
}

impl From<PrintError> for DeskError {
    fn from(error: PrintError) -> Self {
        let code = match &error {
            PrintError::PrinterNotFound(_) => ErrorCode::PrinterNotFound,
            _ => ErrorCode::PrintFailed,
        };
        Self::caused(code, error)
    }
}
