//! Application requests (*solicitud de aplicaciones*): an entity asks the caja for an application, and follows it.
//!
//! A request is submitted by an administrator of the entity; the caja reviews, approves or rejects it. A rejected one can be
//! corrected and sent again: it is the same request with the next revision, and its history stays. Approval makes branches
//! and the agreement that covers them, so that the tile opens.

use hanna_domain::{Redacted, words};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::agreement::AgreementTerms;
use crate::me::{ApplicationState, Entity};

/// The header of `PUT /v1/attachments/{id}` with the name of the file: UTF-8, percent-encoded, see [`file_name_header`]. Not
/// in the URL, which ends in logs.
pub const FILE_NAME_HEADER: &str = "x-file-name";

/// What [`file_name_header`] leaves as it is, beside letters and digits.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A file name as it stands in [`FILE_NAME_HEADER`].
pub fn file_name_header(file_name: &str) -> String {
    utf8_percent_encode(file_name, ENCODED).to_string()
}

/// The file name that stands in [`FILE_NAME_HEADER`]; `None` when it is not UTF-8.
pub fn read_file_name(header: &str) -> Option<String> {
    percent_decode_str(header).decode_utf8().ok().map(Into::into)
}

words! {
    /// Of which kind an attachment is.
    #[derive(ToSchema)]
    MediaType {
        /// A document.
        Pdf = "application/pdf",
        /// An image.
        Png = "image/png",
        /// An image.
        Jpeg = "image/jpeg",
    }
}

impl MediaType {
    /// The kind a file is of, by how it begins. What it is called or declared to be says nothing.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        [(&b"%PDF-"[..], Self::Pdf), (b"\x89PNG\r\n\x1a\n", Self::Png), (b"\xff\xd8\xff", Self::Jpeg)]
            .into_iter()
            .find(|(begin, _)| bytes.starts_with(begin))
            .map(|(_, kind)| kind)
    }
}

/// A file that is on the server. One that no request names within a day goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Attachment {
    /// Made by the desk.
    pub id: Uuid,
    /// As the person called it, without a path.
    #[schema(example = "camara-de-comercio.pdf")]
    pub file_name: String,
    /// What it is.
    pub media_type: MediaType,
    /// Its length, in bytes; at most 5 MiB.
    #[schema(example = 482_113, minimum = 1, maximum = 5_242_880)]
    pub size_bytes: u32,
    /// SHA-256 of its bytes, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
}

/// A branch (*sede*) as the entity proposes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ProposedBranch {
    /// What people call it.
    #[schema(
        example = "Sede Norte",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: String,
    /// Where it is.
    #[schema(
        example = "Barranquilla",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub city: String,
    /// Street and number.
    #[schema(
        example = "Carrera 53 # 76-100",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub address: String,
}

/// What an entity says when it asks for an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ApplicationContent {
    /// Whom the caja talks to.
    #[ts(type = "string")]
    #[schema(value_type = String, example = "Ana Rodríguez", min_length = 1, max_length = 120, pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    pub contact_name: Redacted<String>,
    /// Their address.
    #[ts(type = "string")]
    #[schema(value_type = String, format = Email, example = "ana@gymcaribe.co", min_length = 6, max_length = 120)]
    pub contact_email: Redacted<String>,
    /// Digits, with the country's code or without.
    #[ts(type = "string")]
    #[schema(value_type = String, example = "3001234567", pattern = r"^\+?[0-9]{7,15}$")]
    pub contact_phone: Redacted<String>,
    /// The benefit (*beneficio*) offered to affiliates.
    #[schema(
        example = "20 % de descuento en la mensualidad",
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub benefit: String,
    /// Where it is given: 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub branches: Vec<ProposedBranch>,
    /// A document that says so, put there before: an attachment of the same entity.
    pub attachment_id: Uuid,
}

/// `POST /v1/application-requests`: ask for an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitApplication {
    /// Made by the desk. The same again with the same content is answered as the first time.
    pub id: Uuid,
    /// `CONVENIOS`.
    #[schema(example = "CONVENIOS", pattern = "^CONVENIOS$")]
    pub application: String,
    /// What is said.
    pub content: ApplicationContent,
}

/// `PUT /v1/application-requests/{id}`: correct a rejected request and send it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectApplication {
    /// The revision that was rejected. The same again is answered as the first time.
    #[schema(minimum = 1)]
    pub revision: u32,
    /// What is said now.
    pub content: ApplicationContent,
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ApplicationEvent {
    /// When.
    pub at: Timestamp,
    /// What it has been since.
    pub state: ApplicationState,
    /// Of which revision.
    #[schema(minimum = 1)]
    pub revision: u32,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// Who did it; none from the terminal of the server.
    pub by: Option<String>,
}

/// A request as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ApplicationRequest {
    /// Made by the desk.
    pub id: Uuid,
    /// `CONVENIOS`.
    #[schema(example = "CONVENIOS")]
    pub application: String,
    /// Who asks.
    pub entity: Entity,
    /// How far it is.
    pub state: ApplicationState,
    /// 1 when it was first sent; one more each time it was corrected.
    #[schema(minimum = 1)]
    pub revision: u32,
    /// What is said.
    pub content: ApplicationContent,
    /// The file it names.
    pub attachment: Attachment,
    /// What happened, the oldest first.
    pub history: Vec<ApplicationEvent>,
}

/// One page of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ApplicationRequests {
    /// The newest first.
    #[schema(max_items = 500)]
    pub items: Vec<ApplicationRequest>,
    /// Pass it on as `after` to get the next page; none on the last one.
    pub next: Option<String>,
}

/// Which requests of the own entity to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RequestsQuery {
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 512)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// Which requests to list for the caja.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ApplicationQuery {
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ApplicationState>,
    /// Only entities whose name or NIT has this, whatever its case and accents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 120)]
    pub q: Option<String>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 512)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// `POST /v1/admin/application-requests/{id}/approve`: make the branches and the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ApproveApplication {
    /// The revision that was looked at: what was corrected meanwhile is `NOT_PENDING`.
    #[schema(example = 1, minimum = 1)]
    pub revision: u32,
    /// What is agreed on, at all of the branches.
    pub agreement: AgreementTerms,
    /// The branches to make: 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    pub branches: Vec<ApprovedBranch>,
}

/// A branch to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ApprovedBranch {
    /// Unique in all Hanna; none to have one made of the entity's name.
    #[serde(default)]
    #[schema(example = "GYM-01", pattern = "^[A-Z0-9]{2,8}(-[A-Z0-9]{1,6})?$")]
    pub code: Option<String>,
    /// What people call it.
    #[schema(
        example = "Sede Norte",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: String,
    /// Where it is.
    #[schema(
        example = "Barranquilla",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub city: String,
}

/// `POST /v1/admin/application-requests/{id}/reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RejectApplication {
    /// The revision that was looked at: what was corrected meanwhile is `NOT_PENDING`.
    #[schema(example = 1, minimum = 1)]
    pub revision: u32,
    /// Why, in Spanish: who asked is mailed these words.
    #[schema(
        example = "La cámara de comercio está vencida.",
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use ts_rs::Config;

    use super::*;

    /// Writes the types the screens use; see `cargo xtask gen`.
    #[test]
    fn export_bindings() -> Result<(), ts_rs::ExportError> {
        let config = Config::from_env();
        ApplicationRequests::export_all(&config)?;
        ApproveApplication::export_all(&config)?;
        RejectApplication::export_all(&config)
    }

    #[test]
    fn file_names_travel_whole() {
        for name in ["cámara de comercio 2026.pdf", "100 %.png", "a\r\nb", "ñ"] {
            let header = file_name_header(name);
            assert!(header.bytes().all(|b| b.is_ascii_alphanumeric() || b"%-._".contains(&b)), "{header}");
            assert_eq!(read_file_name(&header).as_deref(), Some(name));
        }
        assert_eq!(read_file_name("%ff"), None);
    }

    #[test]
    fn the_kind_is_told_by_the_first_bytes() {
        assert_eq!(MediaType::of(b"%PDF-1.7\n..."), Some(MediaType::Pdf));
        assert_eq!(MediaType::of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(MediaType::Png));
        assert_eq!(MediaType::of(b"\xff\xd8\xff\xe0\0\x10JFIF"), Some(MediaType::Jpeg));
        for other in [&b""[..], b"%PD", b"GIF89a", b"<html>%PDF-", b"PK\x03\x04"] {
            assert_eq!(MediaType::of(other), None, "{}", other.escape_ascii());
        }
    }
}
