//! `/v1/admin/…/agreements`: what entities and the caja agreed on.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::admin::business::{AdminAgreement, ChangeAgreement, CreateAgreement};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::extract::{Body, CajaAdmin, Id};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};

route_faults!(CreateFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound, ErrorCode::IdConflict]);
route_faults!(ChangeFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound]);

/// Add an agreement with an entity
///
/// The same again changes nothing.
#[utoipa::path(
    post,
    path = path::ADMIN_ENTITY_AGREEMENTS,
    operation_id = "create_agreement",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The entity.")),
    request_body = CreateAgreement,
    responses((status = 201, description = "It is there.", body = AdminAgreement), CreateFaults)
)]
pub async fn create(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(entity_id): Id,
    Body(new): Body<CreateAgreement>,
) -> Result<(StatusCode, Json<AdminAgreement>), Fault> {
    let agreement = app.create_agreement(entity_id, new, Some(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, agreement_id = %agreement.id, "an agreement was added");
    Ok((StatusCode::CREATED, Json(agreement)))
}

/// Change an agreement
///
/// Holds from the next statement on; those given before hold until they expire.
#[utoipa::path(
    put,
    path = path::ADMIN_AGREEMENT,
    operation_id = "change_agreement",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The agreement.")),
    request_body = ChangeAgreement,
    responses((status = 200, description = "As it is now.", body = AdminAgreement), ChangeFaults)
)]
pub async fn change(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(change): Body<ChangeAgreement>,
) -> Result<Json<AdminAgreement>, Fault> {
    let agreement = app.change_agreement(id, change, Some(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, agreement_id = %id, "an agreement was changed");
    Ok(Json(agreement))
}
