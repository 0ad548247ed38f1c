//! `/v1/admin/keys`: the keys statements are signed with.

use axum::Json;
use axum::extract::State;
use hanna_wire::admin::people::AdminKey;
use hanna_wire::path;

use crate::app::App;
use crate::extract::CajaAdmin;
use crate::fault::Fault;
use crate::openapi::{CAJA, route_faults};
use crate::signer::ListedKey;

route_faults!(CAJA);

/// The signing keys
///
/// Every key, the newest first, with its validity, and which one signs now.
#[utoipa::path(
    get,
    path = path::ADMIN_KEYS,
    operation_id = "list_signing_keys",
    tag = "console",
    security(("session" = [])),
    responses((status = 200, description = "The keys.", body = Vec<AdminKey>), Faults)
)]
pub async fn list(State(app): State<App>, _: CajaAdmin) -> Result<Json<Vec<AdminKey>>, Fault> {
    Ok(Json(app.list_keys().await?.into_iter().map(told).collect()))
}

/// Make another signing key
///
/// It signs from now on; the others go on verifying what they signed. Every server takes it up within a minute.
#[utoipa::path(
    post,
    path = path::ADMIN_KEYS_ROTATE,
    operation_id = "rotate_signing_keys",
    tag = "console",
    security(("session" = [])),
    responses((status = 200, description = "The keys, the new one first.", body = Vec<AdminKey>), Faults)
)]
pub async fn rotate(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
) -> Result<Json<Vec<AdminKey>>, Fault> {
    let kid = app.rotate_keys(Some(caller.account_id)).await?;
    tracing::info!(account_id = %caller.account_id, kid, "a signing key was made");
    Ok(Json(app.list_keys().await?.into_iter().map(told).collect()))
}

fn told(ListedKey { kid, not_before, not_after, signs }: ListedKey) -> AdminKey {
    AdminKey { kid, not_before, not_after, signs }
}
