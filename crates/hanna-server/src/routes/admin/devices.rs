//! `/v1/admin/devices`: the PCs that signed in, and whether the caja trusts them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::admin::people::{AdminDevice, DeviceQuery};
use hanna_wire::page::Page;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::audit::Actor;
use crate::extract::{CajaAdmin, Id, Params};
use crate::fault::Fault;
use crate::openapi::{CAJA, route_faults};
use crate::page;
use crate::store::DeviceFilter;

route_faults!(ListFaults: CAJA, &[ErrorCode::Invalid]);
route_faults!(ActFaults: CAJA, &[ErrorCode::NotFound]);

/// List devices
///
/// Every PC that signed in at least once, the one of the last contact first, with how far it has delivered and how much it
/// said still waited.
#[utoipa::path(
    get,
    path = path::ADMIN_DEVICES,
    operation_id = "list_devices",
    tag = "console",
    security(("session" = [])),
    params(DeviceQuery),
    responses((status = 200, description = "One page.", body = Page<AdminDevice>), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<DeviceQuery>,
) -> Result<Json<Page<AdminDevice>>, Fault> {
    let limit = page::limit(query.limit)?;
    let filter = DeviceFilter {
        search: page::search(query.q.as_deref())?,
        after: query.after.as_deref().map(page::place).transpose()?,
        limit: limit + 1,
    };
    let rows = app.store().devices_by_contact(filter).await?;
    Ok(Json(page::page(rows, limit, |row| page::cursor((row.last_contact_at, row.id)))))
}

/// Revoke a device
///
/// The PC is answered `DEVICE_REVOKED`, forgets its copies, and nobody signs in there any more; what it recorded before it
/// may still deliver. One that is revoked already stays so from then on.
#[utoipa::path(
    post,
    path = path::ADMIN_DEVICE_REVOKE,
    operation_id = "revoke_device",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The PC.")),
    responses((status = 204, description = "It is revoked."), ActFaults)
)]
pub async fn revoke(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<StatusCode, Fault> {
    known(app.store().revoke_device(id, app.clock().now(), Actor::Account(caller.account_id)).await?)?;
    tracing::info!(account_id = %caller.account_id, device_id = %id, "a device was revoked");
    Ok(StatusCode::NO_CONTENT)
}

/// Trust a device again
#[utoipa::path(
    post,
    path = path::ADMIN_DEVICE_RESTORE,
    operation_id = "restore_device",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The PC.")),
    responses((status = 204, description = "It is trusted."), ActFaults)
)]
pub async fn restore(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<StatusCode, Fault> {
    known(app.store().restore_device(id, app.clock().now(), Actor::Account(caller.account_id)).await?)?;
    tracing::info!(account_id = %caller.account_id, device_id = %id, "a device is trusted again");
    Ok(StatusCode::NO_CONTENT)
}

fn known(known: bool) -> Result<(), Fault> {
    if known { Ok(()) } else { Err(Fault::new(ErrorCode::NotFound)) }
}
