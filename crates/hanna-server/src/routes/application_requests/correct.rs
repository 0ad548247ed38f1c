//! `PUT /v1/application-requests/{id}`: correct a rejected request and send it again.

use axum::Json;
use axum::extract::State;
use hanna_wire::application::{ApplicationRequest, CorrectApplication};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use super::{as_it_is, submit};
use crate::app::App;
use crate::application_requests::check_content;
use crate::extract::{Body, Id};
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::store::{Caller, Corrected, Correction};

route_faults!(
    SIGNED_IN,
    WITH_BODY,
    &[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::NotPending, ErrorCode::AlreadyRequested]
);

/// Correct a request and send it again
///
/// Only one that is rejected, and says so under the revision that is named. It is the same request with the next revision.
#[utoipa::path(
    put,
    path = path::APPLICATION_REQUEST,
    operation_id = "correct_application",
    tag = "application",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The request.")),
    request_body = CorrectApplication,
    responses((status = 200, description = "The request.", body = ApplicationRequest), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(correct): Body<CorrectApplication>,
) -> Result<Json<ApplicationRequest>, Fault> {
    let entity_id = caller.administers()?;
    let CorrectApplication { revision, content } = correct;
    check_content(&content)?;
    let (by, now) = (caller.account_id, app.clock().now());
    let correction = Correction { id, entity_id, revision, content, by, now };
    match app.store().correct_application(correction).await? {
        Corrected::Done => tracing::info!(request_id = %id, "an application request was corrected"),
        Corrected::Again => {}
        Corrected::Unknown => return Err(Fault::new(ErrorCode::NotFound)),
        Corrected::NotRejected => return Err(Fault::new(ErrorCode::NotPending)),
        Corrected::AlreadyRequested => return Err(Fault::new(ErrorCode::AlreadyRequested)),
        Corrected::NoAttachment => return Err(submit::no_attachment()),
    }
    Ok(Json(as_it_is(&app, id).await?))
}
