//! *Ingreso*.

use hanna_desk::view::{Session, Start};
use hanna_desk::{DeskError, ErrorCode};
use hanna_domain::Redacted;
use tauri::{AppHandle, Manager, State, WebviewWindow, command};

use super::Answer;
use crate::shell::Shell;

/// Opens the desk, and says what to show first.
#[command(rename_all = "snake_case")]
pub async fn start(app: AppHandle) -> Answer<Start> {
    let open = move || app.state::<Shell>().open(&app).map(hanna_desk::Desk::start);
    let opened = tauri::async_runtime::spawn_blocking(open).await;
    Ok(opened.map_err(|error| DeskError::caused(ErrorCode::Internal, error))??)
}

/// Signs in.
#[command(rename_all = "snake_case")]
pub async fn sign_in(shell: State<'_, Shell>, username: String, password: String) -> Answer<Session> {
    Ok(shell.desk()?.sign_in(&username, &Redacted::new(password)).await?)
}

/// Locks the desk until its operator is back.
#[command(rename_all = "snake_case")]
pub async fn lock_desk(shell: State<'_, Shell>) -> Answer<Session> {
    Ok(shell.desk()?.lock_desk().await?)
}

/// Unlocks the desk with its operator's password.
#[command(rename_all = "snake_case")]
pub async fn unlock_desk(shell: State<'_, Shell>, password: String) -> Answer<Session> {
    Ok(shell.desk()?.unlock_desk(&Redacted::new(password)).await?)
}

/// Closes the window, whatever waits: the operator was told.
#[command(rename_all = "snake_case")]
pub async fn close_window(window: WebviewWindow) -> Answer<()> {
    Ok(window.destroy().map_err(|error| DeskError::caused(ErrorCode::Internal, error))?)
}

/// Signs out; with something unsent only when `confirmed`.
#[command(rename_all = "snake_case")]
pub async fn sign_out(shell: State<'_, Shell>, confirmed: bool) -> Answer<()> {
    Ok(shell.desk()?.sign_out(confirmed).await?)
}
