//! *Aplicaciones*.

use hanna_desk::applications::ApplicationRequest;
use hanna_desk::view::Session;
use tauri::{State, command};

use super::Answer;
use crate::shell::Shell;

/// Asks the server again who may do what.
#[command(rename_all = "snake_case")]
pub async fn refresh_session(shell: State<'_, Shell>) -> Answer<Session> {
    Ok(shell.desk()?.refresh_session().await?)
}

/// The requests of the own entity.
#[command(rename_all = "snake_case")]
pub async fn application_requests(shell: State<'_, Shell>) -> Answer<Vec<ApplicationRequest>> {
    Ok(shell.desk()?.application_requests().await?)
}
