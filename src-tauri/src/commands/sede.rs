//! *Sede*.

use hanna_desk::view::Session;
use tauri::{State, command};
use uuid::Uuid;

use super::Answer;
use crate::shell::Shell;

/// Chooses the branch of this PC.
#[command(rename_all = "snake_case")]
pub async fn choose_branch(shell: State<'_, Shell>, branch_id: Uuid) -> Answer<Session> {
    Ok(shell.desk()?.choose_branch(branch_id).await?)
}
