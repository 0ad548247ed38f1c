//! `/v1/admin/application-requests`: what entities ask for, and what the caja decides.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use hanna_wire::application::{
    ApplicationQuery, ApplicationRequest, ApplicationRequests, ApproveApplication, RejectApplication,
};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::application_requests::ruled;
use crate::extract::{Body, CajaAdmin, Id, Params};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};
use crate::page;
use crate::routes::application_requests::{as_it_is, download, list as requests};
use crate::store::RequestFilter;

route_faults!(ListFaults: CAJA, &[ErrorCode::Invalid]);
route_faults!(FileFaults: CAJA, &[ErrorCode::NotFound]);
route_faults!(ReviewFaults: CAJA, &[ErrorCode::NotFound, ErrorCode::NotPending]);
route_faults!(ApproveFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound, ErrorCode::NotPending, ErrorCode::BranchCodeTaken]);
route_faults!(RejectFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound, ErrorCode::NotPending]);

/// Every route about requests, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(attachment))
        .routes(routes!(review))
        .routes(routes!(approve))
        .routes(routes!(reject))
}

/// The application requests
///
/// Of every entity, with what happened to each; the newest first.
#[utoipa::path(
    get,
    path = path::ADMIN_APPLICATION_REQUESTS,
    operation_id = "list_application_requests",
    tag = "console",
    security(("session" = [])),
    params(ApplicationQuery),
    responses((status = 200, description = "One page.", body = ApplicationRequests), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<ApplicationQuery>,
) -> Result<Json<ApplicationRequests>, Fault> {
    let filter = RequestFilter {
        entity_id: None,
        state: query.state,
        search: page::search(query.q.as_deref())?,
        after: query.after.as_deref().map(page::place).transpose()?,
        limit: page::limit(query.limit)?,
    };
    Ok(Json(requests::page(&app, filter).await?))
}

/// The file of a request
///
/// The one that its last revision names, to be saved.
#[utoipa::path(
    get,
    path = path::ADMIN_APPLICATION_REQUEST_ATTACHMENT,
    operation_id = "download_application_attachment",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The request.")),
    responses((status = 200, description = "Its bytes.", content(
        (String = "application/pdf"), (String = "image/png"), (String = "image/jpeg")
    )), FileFaults)
)]
pub async fn attachment(State(app): State<App>, _: CajaAdmin, Id(id): Id) -> Result<Response, Fault> {
    let file = app.store().attachment(id, None).await?;
    download(file.ok_or(Fault::new(ErrorCode::NotFound))?)
}

/// Begin to review a request
///
/// The entity sees that somebody looks at it. One that is in review already stays so.
#[utoipa::path(
    post,
    path = path::ADMIN_APPLICATION_REQUEST_REVIEW,
    operation_id = "review_application",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The request.")),
    responses((status = 200, description = "The request.", body = ApplicationRequest), ReviewFaults)
)]
pub async fn review(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<Json<ApplicationRequest>, Fault> {
    ruled(app.review_application(id, Some(caller.account_id)).await?)?;
    Ok(Json(as_it_is(&app, id).await?))
}

/// Approve a request
///
/// Makes the branches and the agreement that covers them; the administrators of the entity who are operators too may look
/// people up there at once. Mailed to who asked.
#[utoipa::path(
    post,
    path = path::ADMIN_APPLICATION_REQUEST_APPROVE,
    operation_id = "approve_application",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The request.")),
    request_body = ApproveApplication,
    responses((status = 200, description = "The request.", body = ApplicationRequest), ApproveFaults)
)]
pub async fn approve(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(approval): Body<ApproveApplication>,
) -> Result<Json<ApplicationRequest>, Fault> {
    ruled(app.approve_application(id, approval, Some(caller.account_id)).await?)?;
    Ok(Json(as_it_is(&app, id).await?))
}

/// Reject a request
///
/// The reason is mailed to who asked, who can correct the request and send it again.
#[utoipa::path(
    post,
    path = path::ADMIN_APPLICATION_REQUEST_REJECT,
    operation_id = "reject_application",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The request.")),
    request_body = RejectApplication,
    responses((status = 200, description = "The request.", body = ApplicationRequest), RejectFaults)
)]
pub async fn reject(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(rejection): Body<RejectApplication>,
) -> Result<Json<ApplicationRequest>, Fault> {
    ruled(app.reject_application(id, &rejection, Some(caller.account_id)).await?)?;
    Ok(Json(as_it_is(&app, id).await?))
}
