//! `/v1/admin/imports`: affiliates from a file, followed from the first byte to the last row.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use hanna_wire::admin::business::{
    ImportJob, ImportJobs, ImportMode, ImportQuery, ImportState, ImportsQuery,
};
use hanna_wire::limits::{FILE_NAME_MAX, IMPORT_MAX_BYTES};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::extract::{CajaAdmin, Id, Params, text};
use crate::fault::Fault;
use crate::import::{ImportBegun, upload};
use crate::openapi::{CAJA, WITH_BODY, route_faults};
use crate::page;
use crate::store::NewImport;

route_faults!(SendFaults: CAJA, WITH_BODY, &[ErrorCode::IdConflict, ErrorCode::ImportRunning]);
route_faults!(ListFaults: CAJA, &[ErrorCode::Invalid]);
route_faults!(OneFaults: CAJA, &[ErrorCode::NotFound]);

/// The media type of the files.
const CSV: &str = "text/csv";

/// Import affiliates
///
/// The body is the CSV file, at most 512 MiB. It is taken in whole and then imported, while desks go on working; ask how far
/// it is. All of it or nothing. One import at a time, of all servers and terminals together. A file that does not come whole
/// leaves nothing.
#[utoipa::path(
    post,
    path = path::ADMIN_IMPORTS,
    operation_id = "send_import",
    tag = "console",
    security(("session" = [])),
    params(ImportQuery),
    request_body(content = String, content_type = "text/csv", description = "UTF-8 or Latin-1, `;` or `,`."),
    responses((status = 202, description = "It runs, or was stopped on the way.", body = ImportJob), SendFaults)
)]
pub async fn send(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Params(query): Params<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ImportJob>), Fault> {
    let ImportQuery { id, mode, dry_run, file_name } = query;
    file_name.as_deref().map_or(Ok(()), |name| text("file_name", name, FILE_NAME_MAX))?;
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let media_type = header(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case(CSV) {
        return Err(Fault::with(ErrorCode::UnsupportedMediaType, "the body must be text/csv"));
    }
    let declared: Option<u64> = header(CONTENT_LENGTH).and_then(|value| value.parse().ok());
    if declared.is_some_and(|length| length > IMPORT_MAX_BYTES) {
        return Err(upload::too_large());
    }
    let act = app.act(Some(caller.account_id));
    let mode = mode.unwrap_or(ImportMode::Upsert);
    let new = NewImport { id, state: ImportState::Receiving, mode, dry_run, file_name, act };
    let job = match app.begin_import(new).await? {
        ImportBegun::Now(run) => {
            tracing::info!(account_id = %caller.account_id, import = %id, "an import was begun");
            // A task of its own: when the client goes away, it sees the body end, and tidies up.
            let received = tokio::spawn(async move { app.receive_import(run, body).await });
            received.await.map_err(Fault::internal)??
        }
        ImportBegun::Before(job) => *job,
        ImportBegun::IdConflict => return Err(Fault::new(ErrorCode::IdConflict)),
        ImportBegun::Running => return Err(Fault::new(ErrorCode::ImportRunning)),
    };
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// The imports
///
/// The last one first, also those begun at the terminal of the server.
#[utoipa::path(
    get,
    path = path::ADMIN_IMPORTS,
    operation_id = "list_imports",
    tag = "console",
    security(("session" = [])),
    params(ImportsQuery),
    responses((status = 200, description = "One page.", body = ImportJobs), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<ImportsQuery>,
) -> Result<Json<ImportJobs>, Fault> {
    let limit = page::limit(query.limit)?;
    let after = query.after.as_deref().map(page::place).transpose()?;
    let mut items = app.import_jobs(after, limit + 1).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(|job| page::cursor((job.began_at, job.id)));
    Ok(Json(ImportJobs { items, next }))
}

/// How far an import is
#[utoipa::path(
    get,
    path = path::ADMIN_IMPORT,
    operation_id = "read_import",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The import.")),
    responses((status = 200, description = "The import.", body = ImportJob), OneFaults)
)]
pub async fn read(State(app): State<App>, _: CajaAdmin, Id(id): Id) -> Result<Json<ImportJob>, Fault> {
    app.import_job(id).await?.map(Json).ok_or_else(unknown)
}

/// Stop an import
///
/// It stops within a second or two, and has changed nothing. One that has ended stays as it is.
#[utoipa::path(
    post,
    path = path::ADMIN_IMPORT_CANCEL,
    operation_id = "cancel_import",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The import.")),
    responses((status = 200, description = "As it is now.", body = ImportJob), OneFaults)
)]
pub async fn cancel(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<Json<ImportJob>, Fault> {
    let job = app.cancel_import(id, Some(caller.account_id)).await?.ok_or_else(unknown)?;
    tracing::info!(account_id = %caller.account_id, import = %id, "an import was asked to stop");
    Ok(Json(job))
}

/// The rejected lines of an import
///
/// As CSV, at most the first 8 MiB of them, for 30 days. No value of the file stands in it.
#[utoipa::path(
    get,
    path = path::ADMIN_IMPORT_REJECTED,
    operation_id = "read_rejected_lines",
    tag = "console",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The import.")),
    responses(
        (status = 200, description = "`linea;columna;motivo`, in UTF-8.", body = String, content_type = "text/csv"),
        OneFaults
    )
)]
pub async fn rejected(State(app): State<App>, _: CajaAdmin, Id(id): Id) -> Result<impl IntoResponse, Fault> {
    let csv = app.rejected_lines(id).await?.ok_or_else(unknown)?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"rechazadas.csv\""),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, csv))
}

fn unknown() -> Fault {
    Fault::with(ErrorCode::NotFound, "there is no such import, or nothing of it was rejected")
}

#[cfg(test)]
mod tests;
