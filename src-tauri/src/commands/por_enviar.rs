//! *Por enviar*, and the status bar.

use hanna_desk::view::{ExportedOutbox, OutboxView, Recovered, Status};
use tauri::{AppHandle, State, command};
use uuid::Uuid;

use super::{Answer, ask_where};
use crate::shell::Shell;

/// Every item not yet accepted.
#[command(rename_all = "snake_case")]
pub async fn outbox(shell: State<'_, Shell>) -> Answer<OutboxView> {
    Ok(shell.desk()?.outbox().await?)
}

/// Sends an item that requires attention once more.
#[command(rename_all = "snake_case")]
pub async fn retry_item(shell: State<'_, Shell>, id: Uuid) -> Answer<OutboxView> {
    Ok(shell.desk()?.retry_item(id).await?)
}

/// Sends everything that requires attention once more.
#[command(rename_all = "snake_case")]
pub async fn retry_all(shell: State<'_, Shell>) -> Answer<OutboxView> {
    Ok(shell.desk()?.retry_all().await?)
}

/// Gives an item that requires attention up, with a reason.
#[command(rename_all = "snake_case")]
pub async fn withdraw_item(shell: State<'_, Shell>, id: Uuid, why: String) -> Answer<OutboxView> {
    Ok(shell.desk()?.withdraw_item(id, &why).await?)
}

/// Writes what waits, sealed to the caja, where the operator says; nothing when they think better of it.
#[command(rename_all = "snake_case")]
pub async fn export_outbox(app: AppHandle, shell: State<'_, Shell>) -> Answer<Option<ExportedOutbox>> {
    let desk = shell.desk()?;
    let name = desk.export_name();
    let Some(path) = ask_where(&app, "Hanna", "hanna", name).await? else { return Ok(None) };
    Ok(Some(desk.export_outbox(path).await?))
}

/// Brings back what an outbox holds that was set aside.
#[command(rename_all = "snake_case")]
pub async fn recover_set_aside(shell: State<'_, Shell>) -> Answer<Recovered> {
    Ok(shell.desk()?.recover_set_aside().await?)
}

/// Tries everything at once.
#[command(rename_all = "snake_case")]
pub async fn sync_now(shell: State<'_, Shell>) -> Answer<Status> {
    Ok(shell.desk()?.sync_now().await?)
}

/// The status bar.
#[command(rename_all = "snake_case")]
pub async fn status(shell: State<'_, Shell>) -> Answer<Status> {
    Ok(shell.desk()?.status()?)
}
