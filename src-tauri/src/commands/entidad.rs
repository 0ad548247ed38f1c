//! *Usuarios de la entidad*.

use hanna_desk::entity_users::{Branch, EntityUser, EntityUsers, InvitationForm, Role, SetState};
use tauri::{State, command};
use uuid::Uuid;

use super::Answer;
use crate::shell::Shell;

/// A page of the people of the own entity.
#[command(rename_all = "snake_case")]
pub async fn entity_users(shell: State<'_, Shell>, q: String, after: Option<String>) -> Answer<EntityUsers> {
    Ok(shell.desk()?.entity_users(&q, after).await?)
}

/// Every branch of the own entity.
#[command(rename_all = "snake_case")]
pub async fn entity_branches(shell: State<'_, Shell>) -> Answer<Vec<Branch>> {
    Ok(shell.desk()?.entity_branches().await?)
}

/// Invites somebody.
#[command(rename_all = "snake_case")]
pub async fn invite_user(shell: State<'_, Shell>, form: InvitationForm) -> Answer<EntityUser> {
    Ok(shell.desk()?.invite_user(&form).await?)
}

/// Sets what somebody may do, and where.
#[command(rename_all = "snake_case")]
pub async fn assign_user(
    shell: State<'_, Shell>,
    id: Uuid,
    roles: Vec<Role>,
    branches: Vec<Uuid>,
) -> Answer<EntityUser> {
    Ok(shell.desk()?.assign_user(id, roles, branches).await?)
}

/// Suspends somebody, or lets them in again.
#[command(rename_all = "snake_case")]
pub async fn set_user_state(shell: State<'_, Shell>, id: Uuid, state: SetState) -> Answer<EntityUser> {
    Ok(shell.desk()?.set_user_state(id, state).await?)
}

/// Makes somebody's password worth nothing, and mails how to set another.
#[command(rename_all = "snake_case")]
pub async fn reset_user(shell: State<'_, Shell>, id: Uuid) -> Answer<()> {
    Ok(shell.desk()?.reset_user(id).await?)
}

/// Mails somebody their invitation again.
#[command(rename_all = "snake_case")]
pub async fn invite_again(shell: State<'_, Shell>, id: Uuid) -> Answer<()> {
    Ok(shell.desk()?.invite_again(id).await?)
}
