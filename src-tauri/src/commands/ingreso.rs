//! *Ingreso*.

use hanna_desk::view::{Session, Start};
use hanna_desk::{DeskError, ErrorCode};
use hanna_domain::Redacted;
use tauri::{AppHandle, Manager, State, command};

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

/// Signs out; with something unsent only when `confirmed`.
#[command(rename_all = "snake_case")]
pub async fn sign_out(shell: State<'_, Shell>, confirmed: bool) -> Answer<()> {
    Ok(shell.desk()?.sign_out(confirmed).await?)
}
