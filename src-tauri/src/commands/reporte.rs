//! *Reporte de Convenio*.

use hanna_desk::view::{History, HistoryQuery, PrintJob, Printer, SavedReport};
use hanna_desk::{DeskError, ErrorCode};
use tauri::{AppHandle, State, command};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

use super::Answer;
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
    let (chosen, choice) = tokio::sync::oneshot::channel();
    app.dialog()
        .file()
        .add_filter("PDF", &["pdf"])
        .set_file_name(format!("Reporte de Convenio {} a {}.pdf", query.from, query.to))
        .save_file(move |path| {
            // The window may be gone; then nobody waits.
            let _ = chosen.send(path);
        });
    let Some(path) = choice.await.ok().flatten() else { return Ok(None) };
    let path = path.into_path().map_err(|error| DeskError::caused(ErrorCode::FileFailed, error))?;
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
