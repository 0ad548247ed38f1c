//! *Consulta*.

use hanna_desk::view::{Card, RecentLookup, Voided};
use hanna_domain::DocumentKind;
use hanna_domain::outbox::VoidReason;
use tauri::{State, command};
use uuid::Uuid;

use super::Answer;
use crate::shell::Shell;

/// Looks a person up.
#[command(rename_all = "snake_case")]
pub async fn lookup(shell: State<'_, Shell>, kind: DocumentKind, number: String) -> Answer<Card> {
    Ok(shell.desk()?.lookup(kind, &number).await?)
}

/// The operator cleared the card.
#[command(rename_all = "snake_case")]
pub async fn clear_card(shell: State<'_, Shell>) -> Answer<()> {
    shell.desk()?.clear_card();
    Ok(())
}

/// Records that the benefit was used.
#[command(rename_all = "snake_case")]
pub async fn report_use(shell: State<'_, Shell>, lookup_id: Uuid, again: bool) -> Answer<Card> {
    Ok(shell.desk()?.report_use(lookup_id, again).await?)
}

/// Takes a reported use back, with a reason.
#[command(rename_all = "snake_case")]
pub async fn void_use(
    shell: State<'_, Shell>,
    report_id: Uuid,
    reason: VoidReason,
    text: String,
) -> Answer<Voided> {
    Ok(shell.desk()?.void_use(report_id, reason, &text).await?)
}

/// The last lookups of this shift.
#[command(rename_all = "snake_case")]
pub async fn recent_lookups(shell: State<'_, Shell>) -> Answer<Vec<RecentLookup>> {
    Ok(shell.desk()?.recent_lookups())
}
