//! `GET /v1/application-requests/{id}/attachment`: the file of a request of the own entity.

use axum::extract::State;
use axum::response::Response;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use super::download;
use crate::app::App;
use crate::extract::Id;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, route_faults};
use crate::store::Caller;

route_faults!(SIGNED_IN, &[ErrorCode::Forbidden, ErrorCode::NotFound]);

/// The file of a request
///
/// The one that its last revision names, to be saved.
#[utoipa::path(
    get,
    path = path::APPLICATION_REQUEST_ATTACHMENT,
    operation_id = "application_request_attachment",
    tag = "application",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The request.")),
    responses((status = 200, description = "Its bytes.", content(
        (String = "application/pdf"), (String = "image/png"), (String = "image/jpeg")
    )), Faults)
)]
pub async fn handler(State(app): State<App>, caller: Caller, Id(id): Id) -> Result<Response, Fault> {
    let entity_id = caller.administers()?;
    let file = app.store().attachment(id, Some(entity_id)).await?;
    download(file.ok_or(Fault::new(ErrorCode::NotFound))?)
}
