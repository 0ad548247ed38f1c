//! `/v1/admin/entities`: the businesses in agreement.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::admin::business::{
    AdminEntities, AdminEntityDetail, ChangeEntity, CreateEntity, EntitiesQuery,
};
use hanna_wire::limits::NAME_MAX;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use uuid::Uuid;

use crate::app::App;
use crate::extract::{Body, CajaAdmin, Id, Params};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};
use crate::page;

route_faults!(ListFaults: CAJA, &[ErrorCode::Invalid]);
route_faults!(CreateFaults: CAJA, WITH_BODY, &[ErrorCode::IdConflict, ErrorCode::NitTaken]);
route_faults!(ReadFaults: CAJA, &[ErrorCode::NotFound]);
route_faults!(ChangeFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound]);

/// The entities
///
/// By NIT, with how many branches are open, agreements in force, and accounts active.
#[utoipa::path(
    get,
    path = path::ADMIN_ENTITIES,
    operation_id = "list_entities",
    tag = "console",
    security(("session" = [])),
    params(EntitiesQuery),
    responses((status = 200, description = "One page.", body = AdminEntities), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<EntitiesQuery>,
) -> Result<Json<AdminEntities>, Fault> {
    let limit = page::limit(query.limit)?;
    if query.q.as_ref().is_some_and(|q| q.chars().count() > NAME_MAX) {
        return Err(Fault::with(ErrorCode::Invalid, format!("q has more than {NAME_MAX} characters")));
    }
    let after = query.after.map(|after| after.parse::<Uuid>()).transpose();
    let after = after.map_err(|_| Fault::with(ErrorCode::Invalid, "after is not one this call gave"))?;
    Ok(Json(app.entities(query.q.as_deref(), after, limit).await?))
}

/// Add an entity
///
/// The same again changes nothing.
#[utoipa::path(
    post,
    path = path::ADMIN_ENTITIES,
    operation_id = "create_entity",
    tag = "console",
    security(("session" = [])),
    request_body = CreateEntity,
    responses((status = 201, description = "It is there.", body = AdminEntityDetail), CreateFaults)
)]
pub async fn create(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Body(new): Body<CreateEntity>,
) -> Result<(StatusCode, Json<AdminEntityDetail>), Fault> {
    let id = new.id;
    let entity = app.create_entity(new, Some(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, entity_id = %id, "an entity was added");
    Ok((StatusCode::CREATED, Json(entity)))
}

/// One entity
///
/// With its branches, those that are closed too, and its agreements.
#[utoipa::path(
    get,
    path = path::ADMIN_ENTITY,
    operation_id = "read_entity",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The entity.")),
    responses((status = 200, description = "The entity.", body = AdminEntityDetail), ReadFaults)
)]
pub async fn read(
    State(app): State<App>,
    _: CajaAdmin,
    Id(id): Id,
) -> Result<Json<AdminEntityDetail>, Fault> {
    Ok(Json(app.entity(id).await?))
}

/// Change an entity
#[utoipa::path(
    patch,
    path = path::ADMIN_ENTITY,
    operation_id = "change_entity",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The entity.")),
    request_body = ChangeEntity,
    responses((status = 200, description = "As it is now.", body = AdminEntityDetail), ChangeFaults)
)]
pub async fn change(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(change): Body<ChangeEntity>,
) -> Result<Json<AdminEntityDetail>, Fault> {
    let entity = app.rename_entity(id, change.name, Some(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, entity_id = %id, "an entity was changed");
    Ok(Json(entity))
}
