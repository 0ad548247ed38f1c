//! `GET /v1/application-requests`: the requests of the own entity.

use axum::Json;
use axum::extract::State;
use hanna_wire::application::{ApplicationRequests, RequestsQuery};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::extract::Params;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, route_faults};
use crate::page;
use crate::store::{Caller, RequestFilter};

route_faults!(SIGNED_IN, &[ErrorCode::Forbidden, ErrorCode::Invalid]);

/// The requests of the own entity
///
/// With what happened to each; the newest first.
#[utoipa::path(
    get,
    path = path::APPLICATION_REQUESTS,
    operation_id = "application_requests",
    tag = "application",
    security(("session" = [])),
    params(RequestsQuery),
    responses((status = 200, description = "One page.", body = ApplicationRequests), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<RequestsQuery>,
) -> Result<Json<ApplicationRequests>, Fault> {
    let filter = RequestFilter {
        entity_id: Some(caller.administers()?),
        after: query.after.as_deref().map(page::place).transpose()?,
        limit: page::limit(query.limit)?,
        ..RequestFilter::default()
    };
    Ok(Json(page(&app, filter).await?))
}

/// One page. One row more than it tells whether there is a next one.
///
/// # Errors
/// When the store cannot be read.
pub async fn page(app: &App, filter: RequestFilter) -> Result<ApplicationRequests, Fault> {
    let limit = filter.limit;
    let mut items = app.application_requests(RequestFilter { limit: limit + 1, ..filter }).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    // A request is in its place by when it was first sent.
    let place = items.last().and_then(|last| Some((last.history.first()?.at, last.id)));
    Ok(ApplicationRequests { items, next: place.filter(|_| more).map(page::cursor) })
}
