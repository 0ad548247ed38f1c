//! `POST /v1/application-requests`: ask for an application.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::application::{ApplicationRequest, SubmitApplication};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use super::as_it_is;
use crate::app::App;
use crate::application::CONVENIOS;
use crate::application_requests::check_content;
use crate::extract::Body;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::store::{Caller, NewApplication, Submitted};

route_faults!(
    SIGNED_IN,
    WITH_BODY,
    &[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::IdConflict, ErrorCode::AlreadyRequested]
);

/// Ask for an application
///
/// For administrators of an entity. The caja reviews, approves or rejects it, and mails that to who asked. An entity asks once:
/// a rejected request is corrected and sent again.
#[utoipa::path(
    post,
    path = path::APPLICATION_REQUESTS,
    operation_id = "submit_application",
    tag = "application",
    security(("session" = [])),
    request_body = SubmitApplication,
    responses((status = 201, description = "The request.", body = ApplicationRequest), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(submit): Body<SubmitApplication>,
) -> Result<(StatusCode, Json<ApplicationRequest>), Fault> {
    let entity_id = caller.administers()?;
    let SubmitApplication { id, application, content } = submit;
    if application != CONVENIOS {
        return Err(Fault::with(ErrorCode::Invalid, "application is none there is"));
    }
    check_content(&content)?;
    let (by, now) = (caller.account_id, app.clock().now());
    let new = NewApplication { id, application, entity_id, content, by, now };
    match app.store().submit_application(new).await? {
        Submitted::Kept => tracing::info!(request_id = %id, "an application was asked for"),
        Submitted::Again => {}
        Submitted::IdConflict => return Err(Fault::new(ErrorCode::IdConflict)),
        Submitted::AlreadyRequested => return Err(Fault::new(ErrorCode::AlreadyRequested)),
        Submitted::NoAttachment => return Err(no_attachment()),
    }
    Ok((StatusCode::CREATED, Json(as_it_is(&app, id).await?)))
}

/// The file was never brought, has gone, or is another entity's.
pub fn no_attachment() -> Fault {
    Fault::with(ErrorCode::Invalid, "attachment_id is no file of this entity")
}
