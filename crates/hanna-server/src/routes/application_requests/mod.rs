//! Application requests, for the administrators of an entity.

mod attach;
mod attachment;
mod correct;
pub mod list;
mod submit;

use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use hanna_wire::application::ApplicationRequest;
use hanna_wire::limits::ATTACHMENT_MAX_BYTES;
use hanna_wire::problem::ErrorCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;
use crate::fault::Fault;
use crate::store::AttachmentFile;

/// Every route about requests of the own entity, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    let files = OpenApiRouter::new()
        .routes(routes!(attach::handler))
        .layer(DefaultBodyLimit::max(ATTACHMENT_MAX_BYTES));
    OpenApiRouter::new()
        .merge(files)
        .routes(routes!(list::handler, submit::handler))
        .routes(routes!(correct::handler))
        .routes(routes!(attachment::handler))
}

/// A request as it is now.
///
/// # Errors
/// `NOT_FOUND` when there is none.
pub async fn as_it_is(app: &App, id: Uuid) -> Result<ApplicationRequest, Fault> {
    let kept = app.application_request(id).await?;
    Ok(kept.ok_or(Fault::new(ErrorCode::NotFound))?.request)
}

/// A file to save: no browser shows it on our page, whatever it is.
///
/// # Errors
/// When its name cannot stand in a header.
pub fn download(file: AttachmentFile) -> Result<Response, Fault> {
    use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
    let AttachmentFile { attachment, bytes } = file;
    // RFC 8187: what is percent-encoded is UTF-8.
    let name = hanna_wire::application::file_name_header(&attachment.file_name);
    Response::builder()
        .header(CONTENT_TYPE, attachment.media_type.code())
        .header(CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}"))
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(bytes.into_inner().into())
        .map_err(Fault::internal)
}

#[cfg(test)]
mod tests;
