//! `/v1/admin/registrations`: who created an account, and what the caja decides about it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::admin::people::{AdminRegistration, RegistrationQuery, RejectRegistration};
use hanna_wire::page::Page;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::accounts::{Decision, DecisionError};
use crate::app::App;
use crate::extract::{Body, CajaAdmin, Id, Params};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};
use crate::page;
use crate::store::RegistrationFilter;

route_faults!(ListFaults: CAJA, &[ErrorCode::Invalid]);
route_faults!(ApproveFaults: CAJA, &[ErrorCode::NotFound, ErrorCode::NotPending]);
route_faults!(RejectFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound, ErrorCode::NotPending]);

/// List registrations
///
/// The people who created an account, the newest first.
#[utoipa::path(
    get,
    path = path::ADMIN_REGISTRATIONS,
    operation_id = "list_registrations",
    tag = "console",
    security(("session" = [])),
    params(RegistrationQuery),
    responses((status = 200, description = "One page.", body = Page<AdminRegistration>), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<RegistrationQuery>,
) -> Result<Json<Page<AdminRegistration>>, Fault> {
    let limit = page::limit(query.limit)?;
    let filter = RegistrationFilter {
        state: query.state,
        search: page::search(query.q.as_deref())?,
        after: query.after.as_deref().map(page::place).transpose()?,
        limit: limit + 1,
    };
    let rows = app.store().registrations_by_time(filter).await?;
    Ok(Json(page::page(rows, limit, |row| page::cursor((row.made_at, row.id)))))
}

/// Approve a registration
///
/// The account may be used from then on, which is mailed. The first of an entity administers it; the entity is made if there
/// is none of its NIT.
#[utoipa::path(
    post,
    path = path::ADMIN_REGISTRATION_APPROVE,
    operation_id = "approve_registration",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The registration.")),
    responses((status = 204, description = "It is approved."), ApproveFaults)
)]
pub async fn approve(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<StatusCode, Fault> {
    decided(app.approve_account(id, Some(caller.account_id)).await?)
}

/// Reject a registration
///
/// Its account goes, and the user name is free again; the reason is mailed.
#[utoipa::path(
    post,
    path = path::ADMIN_REGISTRATION_REJECT,
    operation_id = "reject_registration",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The registration.")),
    request_body = RejectRegistration,
    responses((status = 204, description = "It is rejected."), RejectFaults)
)]
pub async fn reject(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(rejection): Body<RejectRegistration>,
) -> Result<StatusCode, Fault> {
    match app.reject_account(id, &rejection.reason, Some(caller.account_id)).await {
        Ok(decision) => decided(decision),
        Err(DecisionError::Reason) => {
            Err(Fault::with(ErrorCode::Invalid, "reason is empty, too long, or has control characters"))
        }
        Err(DecisionError::Store(error)) => Err(error.into()),
    }
}

fn decided(decision: Decision) -> Result<StatusCode, Fault> {
    match decision {
        Decision::Done => Ok(StatusCode::NO_CONTENT),
        Decision::Unknown => Err(Fault::new(ErrorCode::NotFound)),
        Decision::NotPending => Err(Fault::new(ErrorCode::NotPending)),
    }
}
