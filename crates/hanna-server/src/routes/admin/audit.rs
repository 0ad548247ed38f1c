//! `/v1/admin/audit`: who looked a person up, everything there is about a person, and whether anybody changed the record.
//!
//! All are `POST`: a document number stands in no URL, and what asks about a person is an act itself.

use axum::Json;
use axum::extract::State;
use hanna_wire::admin::audit::{
    AuditExport, AuditSearch, AuditVerify, PersonAudit, PersonalData, PurgedRecords, Verification,
};
use hanna_wire::limits::PURPOSE_MAX;
use hanna_wire::page::Page;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::audit::{Actor, Anchor, Finding, NoAnchor};
use crate::extract::{Body, CajaAdmin, text};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};
use crate::page;
use crate::store::LookupRange;

route_faults!(CAJA, WITH_BODY);

/// Who looked a person up
///
/// Every answer to a lookup of this document, the last one first, and who at the caja saw what is recorded of the person.
/// The search is recorded with its purpose, each page of it.
#[utoipa::path(
    post,
    path = path::ADMIN_AUDIT_SEARCH,
    operation_id = "search_audit",
    tag = "console",
    security(("session" = [])),
    request_body = AuditSearch,
    responses((status = 200, description = "One page.", body = PersonAudit), Faults)
)]
pub async fn search(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Body(AuditSearch { document, purpose, after, limit }): Body<AuditSearch>,
) -> Result<Json<PersonAudit>, Fault> {
    text("purpose", &purpose, PURPOSE_MAX)?;
    let limit = page::limit(limit)?;
    let range = LookupRange { after: after.as_deref().map(page::place).transpose()?, limit: limit + 1 };
    let found = app.search_audit(&document, range, &purpose, &Actor::Account(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, "who looked a person up was searched");
    let Page { items, next } =
        page::page(found.lookups, limit, |row| page::cursor((row.answered_at, row.answer_id)));
    Ok(Json(PersonAudit { items, next, accesses: found.accesses, kept_from: found.kept_from }))
}

/// Everything there is about a person
///
/// What is registered, who looked the person up, reported uses with their voids, and who at the caja saw it. Recorded with
/// its purpose.
#[utoipa::path(
    post,
    path = path::ADMIN_AUDIT_EXPORT,
    operation_id = "export_person",
    tag = "console",
    security(("session" = [])),
    request_body = AuditExport,
    responses((status = 200, description = "Everything there is.", body = PersonalData), Faults)
)]
pub async fn export(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Body(AuditExport { document, purpose }): Body<AuditExport>,
) -> Result<Json<PersonalData>, Fault> {
    text("purpose", &purpose, PURPOSE_MAX)?;
    let data = app.export_person(&document, &purpose, &Actor::Account(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, "everything about a person was exported");
    Ok(Json(data))
}

/// Read the audit again
///
/// From the first block to the last act: whether anything was changed, removed or slipped in. Changes nothing. Of a long
/// record it takes minutes, at most half an hour; then the server's terminal can (`audit verify`). One at a time: others
/// wait.
#[utoipa::path(
    post,
    path = path::ADMIN_AUDIT_VERIFY,
    operation_id = "verify_audit",
    tag = "console",
    security(("session" = [])),
    request_body = AuditVerify,
    responses((status = 200, description = "What was found.", body = Verification), Faults)
)]
pub async fn verify(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Body(AuditVerify { anchor }): Body<AuditVerify>,
) -> Result<Json<Verification>, Fault> {
    let anchor = anchor.as_deref().map(str::parse::<Anchor>).transpose();
    let anchor = anchor.map_err(|error: NoAnchor| Fault::with(ErrorCode::Invalid, error.to_string()))?;
    let found = app.verify_audit(anchor).await?;
    tracing::info!(account_id = %caller.account_id, findings = found.findings_total, "the audit was read again");
    Ok(Json(Verification {
        blocks: found.blocks,
        sealed: found.sealed,
        purged: found
            .purged
            .map(|purged| PurgedRecords { acts: purged.acts, kept_from: purged.last.purge.kept_from }),
        unsealed: found.unsealed,
        anchor: found.anchor.map(|anchor| anchor.to_string()),
        findings: found.findings.iter().map(Finding::in_spanish).collect(),
        findings_total: found.findings_total,
    }))
}
