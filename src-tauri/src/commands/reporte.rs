//! *Reporte de Convenio*.

use hanna_desk::view::{History, HistoryQuery, PrintJob, Printer, SavedReport};
use hanna_desk::{DeskError, ErrorCode};
use tauri::{AppHandle, State, command};
use tauri_plugin_opener::OpenerExt;

use super::{Answer, ask_where};
use crate::shell::Shell;

/// The uses of a range of days.
#[command(rename_all = "snake_case")]
pub async fn history(shell: State<'_, Shell>, query: HistoryQuery) -> Answer<History> {
    Ok(shell.desk()?.history(query).await?)
}

/// Saves the PDF among the operator's documents.
#[command(rename_all = "snake_case")]
pub async fn save_report(
    app: AppHandle,
    shell: State<'_, Shell>,
    query: HistoryQuery,
) -> Answer<SavedReport> {
    let saved = shell.desk()?.save_report_in(query, &Shell::documents(&app)?).await?;
    shell.remember_saved(&saved.path);
    Ok(saved)
}

/// Saves the PDF where the operator says; nothing when they think better of it.
#[command(rename_all = "snake_case")]
pub async fn save_report_as(
    app: AppHandle,
    shell: State<'_, Shell>,
    query: HistoryQuery,
) -> Answer<Option<SavedReport>> {
    let name = format!("Reporte de Convenio {} a {}.pdf", query.from, query.to);
    let Some(path) = ask_where(&app, "PDF", "pdf", name).await? else { return Ok(None) };
    let saved = shell.desk()?.save_report(query, path).await?;
    shell.remember_saved(&saved.path);
    Ok(Some(saved))
}

/// Opens a PDF this program saved, with the system's viewer.
#[command(rename_all = "snake_case")]
pub async fn open_report(app: AppHandle, shell: State<'_, Shell>, path: String) -> Answer<()> {
    if !shell.has_saved(&path) {
        return Err(ErrorCode::FileFailed.into());
    }
    let opened = app.opener().open_path(path, None::<&str>);
    Ok(opened.map_err(|error| DeskError::caused(ErrorCode::FileFailed, error))?)
}

/// The system's printers.
#[command(rename_all = "snake_case")]
pub async fn printers(shell: State<'_, Shell>) -> Answer<Vec<Printer>> {
    Ok(shell.desk()?.printers().await?)
}

/// Prints the report.
#[command(rename_all = "snake_case")]
pub async fn print_report(shell: State<'_, Shell>, query: HistoryQuery, printer: String) -> Answer<PrintJob> {
    Ok(shell.desk()?.print_report(query, printer).await?)
}
