//! `PUT /v1/attachments/{id}`: bring a file for an application request.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use hanna_domain::Redacted;
use hanna_wire::application::{Attachment, FILE_NAME_HEADER, MediaType, read_file_name};
use hanna_wire::limits::FILE_NAME_MAX;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::extract::{FileBody, Id, text};
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, route_faults};
use crate::store::{Attached, Caller, NewAttachment};

route_faults!(
    SIGNED_IN,
    &[
        ErrorCode::Forbidden,
        ErrorCode::NotFound,
        ErrorCode::Malformed,
        ErrorCode::RequestTimedOut,
        ErrorCode::IdConflict,
        ErrorCode::TooLarge,
        ErrorCode::UnsupportedMediaType,
        ErrorCode::Invalid,
        ErrorCode::SlowDown
    ]
);

/// Bring a file
///
/// A PDF, or an image in PNG or JPEG, of at most 5 MiB, as it is. It must be what its `Content-Type` says, told by its first
/// bytes. A file that no request names within a day goes; an entity may have 20 of them.
#[utoipa::path(
    put,
    path = path::ATTACHMENT,
    operation_id = "attach",
    tag = "application",
    security(("session" = [])),
    params(
        ("id" = Uuid, Path, description = "Made by the desk."),
        ("x-file-name" = String, Header, max_length = 800, pattern = "^([A-Za-z0-9._-]|%[2-7][0-9A-Fa-f])+$",
            description = "What the file is called, without a path: UTF-8, percent-encoded.", example = "camara%20de%20comercio.pdf"),
    ),
    request_body(
        content(
            (String = "application/pdf"),
            (String = "image/png"),
            (String = "image/jpeg"),
        ),
        description = "The bytes of the file."
    ),
    responses((status = 201, description = "It is there.", body = Attachment), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    FileBody(bytes): FileBody,
) -> Result<(StatusCode, Json<Attachment>), Fault> {
    let entity_id = caller.administers()?;
    let file_name = file_name(&headers)?;
    let wrong_kind = |detail: &str| Fault::with(ErrorCode::UnsupportedMediaType, detail);
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let declared = MediaType::from_code(&declared.to_ascii_lowercase())
        .ok_or_else(|| wrong_kind("a file must be application/pdf, image/png or image/jpeg"))?;
    if MediaType::of(&bytes) != Some(declared) {
        return Err(wrong_kind("the file is not what its Content-Type says"));
    }
    let attachment = Attachment {
        id,
        file_name,
        media_type: declared,
        size_bytes: u32::try_from(bytes.len()).map_err(Fault::internal)?,
        sha256: format!("{:x}", Sha256::digest(&bytes)),
    };
    let now = app.clock().now();
    let new = NewAttachment {
        attachment: attachment.clone(),
        bytes: Redacted::new(bytes.into()),
        entity_id,
        by: caller.account_id,
        now,
    };
    match app.store().attach(new).await? {
        Attached::Kept => Ok((StatusCode::CREATED, Json(attachment))),
        Attached::IdConflict => Err(Fault::new(ErrorCode::IdConflict)),
        Attached::Full(until) => Err(Fault::slow_down(until.duration_since(now))),
    }
}

fn file_name(headers: &HeaderMap) -> Result<String, Fault> {
    let written = headers.get(FILE_NAME_HEADER).and_then(|value| value.to_str().ok());
    let name = written.and_then(read_file_name).unwrap_or_default();
    text(FILE_NAME_HEADER, &name, FILE_NAME_MAX)?;
    if name.contains(['/', '\\']) {
        return Err(Fault::with(ErrorCode::Invalid, format!("{FILE_NAME_HEADER} has a path")));
    }
    Ok(name)
}
