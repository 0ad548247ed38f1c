//! `GET /v1/admin/usage`: what happened on some days, by entity and branch.

use axum::Json;
use axum::extract::State;
use hanna_wire::admin::business::{AdminUsage, AdminUsageQuery};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::extract::{CajaAdmin, Params};
use crate::fault::Fault;
use crate::openapi::{CAJA, route_faults};

route_faults!(CAJA, &[ErrorCode::Invalid]);

/// Usage by entity and branch
///
/// Of some Colombian days, the first and the last too.
#[utoipa::path(
    get,
    path = path::ADMIN_USAGE,
    operation_id = "usage_by_entity",
    tag = "console",
    security(("session" = [])),
    params(AdminUsageQuery),
    responses((status = 200, description = "Every entity.", body = AdminUsage), Faults)
)]
pub async fn read(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<AdminUsageQuery>,
) -> Result<Json<AdminUsage>, Fault> {
    Ok(Json(app.usage_by_entity(query.from, query.to).await?))
}
