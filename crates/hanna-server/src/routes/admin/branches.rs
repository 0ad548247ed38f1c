//! `/v1/admin/…/branches`: the sites of entities.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::admin::business::{AdminBranch, ChangeBranch, CreateBranch};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::extract::{Body, CajaAdmin, Id};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};

route_faults!(
    CreateFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound, ErrorCode::IdConflict, ErrorCode::BranchCodeTaken]
);
route_faults!(ChangeFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound]);

/// Add a branch to an entity
///
/// Without a code it gets the next one of its entity. The same again changes nothing.
#[utoipa::path(
    post,
    path = path::ADMIN_ENTITY_BRANCHES,
    operation_id = "create_branch",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The entity.")),
    request_body = CreateBranch,
    responses((status = 201, description = "It is there.", body = AdminBranch), CreateFaults)
)]
pub async fn create(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(entity_id): Id,
    Body(new): Body<CreateBranch>,
) -> Result<(StatusCode, Json<AdminBranch>), Fault> {
    let branch = app.create_branch(entity_id, new, Some(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, branch_id = %branch.id, "a branch was added");
    Ok((StatusCode::CREATED, Json(branch)))
}

/// Change, close or open a branch
///
/// In a branch that is closed nobody is looked up any more, from the next request on. What happened there stays, and what
/// its desks have recorded is still taken in.
#[utoipa::path(
    patch,
    path = path::ADMIN_BRANCH,
    operation_id = "change_branch",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The branch.")),
    request_body = ChangeBranch,
    responses((status = 200, description = "As it is now.", body = AdminBranch), ChangeFaults)
)]
pub async fn change(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(change): Body<ChangeBranch>,
) -> Result<Json<AdminBranch>, Fault> {
    let branch = app.change_branch(id, change, Some(caller.account_id)).await?;
    let is_closed = branch.closed_at.is_some();
    tracing::info!(account_id = %caller.account_id, branch_id = %id, is_closed, "a branch was changed");
    Ok(Json(branch))
}
