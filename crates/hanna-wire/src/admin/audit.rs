//! The audit: *¿quién consultó mis datos?*, everything there is about a person (Ley 1581 de 2012, arts. 8 and 14), and
//! whether anybody changed the record.

use hanna_domain::{Affiliate, Document, Reason, Verdict, words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::usage::UsageRow;

/// `POST /v1/admin/audit/search`: who looked a person up. Each page is on record itself, with its purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditSearch {
    /// Whose.
    pub document: Document,
    /// Why it is searched; kept.
    #[schema(
        example = "responder al titular quién consultó sus datos",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub purpose: String,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    #[ts(optional)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 500)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Who looked a person up, and who else saw the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PersonAudit {
    /// One page of the lookups, the last one first.
    #[schema(max_items = 500)]
    pub items: Vec<Consulted>,
    /// Pass it on as `after` to get the next page; none on the last one.
    pub next: Option<String>,
    /// Searches and exports at the caja before this one, the last one first; on the first page only.
    pub accesses: Vec<Access>,
    /// What happened before was purged; left out when nothing ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "string")]
    pub kept_from: Option<Timestamp>,
}

/// An answer to a lookup. A lookup that was asked again under its id has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Consulted {
    /// The lookup.
    pub lookup_id: Uuid,
    /// The statement that answered it, or what was delivered of a copy's answer.
    pub answer_id: Uuid,
    /// When it was answered; by a copy: as the PC said.
    #[ts(type = "string")]
    pub answered_at: Timestamp,
    /// The business.
    #[schema(example = "GYM CARIBE")]
    pub entity_name: String,
    /// The branch.
    #[schema(example = "Sede Norte")]
    pub branch_name: String,
    /// What people call the PC today.
    #[schema(example = "RECEPCION-1")]
    pub device_name: String,
    /// Who asked.
    #[schema(example = "Ana Rodríguez")]
    pub operator_name: String,
    /// Why.
    #[schema(example = "validar beneficio del convenio")]
    pub purpose: String,
    /// Nobody stood at the counter: a person consulted lately was verified again.
    pub regular: bool,
    /// The server was away, and the copy of the PC answered.
    pub from_copy: bool,
    /// What was answered.
    pub verdict: Verdict,
    /// Why not; of a copy's answer not known.
    pub reasons: Vec<Reason>,
}

words! {
    /// How somebody at the caja saw what is recorded of a person.
    #[derive(ToSchema)]
    AccessAct {
        /// Searched who had looked the person up.
        Searched = "PERSON_SEARCHED",
        /// Was given everything there is.
        Exported = "PERSON_EXPORTED",
    }
}

/// Somebody at the caja saw what is recorded of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Access {
    /// When.
    #[ts(type = "string")]
    pub at: Timestamp,
    /// How.
    pub act: AccessAct,
    /// Whose account, if somebody was signed in.
    #[schema(example = "Marta Cañas")]
    pub account_name: Option<String>,
    /// `terminal:` and the user of the system, if nobody was.
    #[schema(example = "terminal:eva")]
    pub by: Option<String>,
    /// Why.
    #[schema(example = "responder al titular quién consultó sus datos")]
    pub purpose: Option<String>,
}

/// `POST /v1/admin/audit/export`: everything there is about a person. On record itself, with its purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditExport {
    /// Whose.
    pub document: Document,
    /// Why it is exported; kept.
    #[schema(
        example = "solicitud del titular, radicado 123",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub purpose: String,
}

/// Who looked a person up, and who else saw the data, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonLookups {
    /// The lookups, the last one first.
    pub lookups: Vec<Consulted>,
    /// Searches and exports at the caja, the last one first.
    pub accesses: Vec<Access>,
    /// What happened before was purged; left out when nothing ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<Timestamp>,
}

/// Everything there is about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonalData {
    /// Whose.
    pub document: Document,
    /// What the caja has registered; none when it has nobody with this document.
    pub registered: Option<RegisteredPerson>,
    /// Who looked the person up.
    #[serde(flatten)]
    pub lookups: PersonLookups,
    /// Reported uses with their voids, newest first.
    pub uses: Vec<PersonUse>,
}

/// What the caja has registered of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredPerson {
    /// As desks are told.
    #[serde(flatten)]
    pub affiliate: Affiliate,
    /// The employer's NIT, without its check digit.
    #[schema(example = "899999068")]
    pub company_nit: Option<String>,
    /// Of the import that wrote it last; one that found the person as before wrote nothing.
    pub imported_at: Timestamp,
}

/// A use that was reported of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonUse {
    /// The business.
    #[schema(example = "GYM CARIBE")]
    pub entity_name: String,
    /// The use.
    #[serde(flatten)]
    pub row: UsageRow,
}

/// `POST /v1/admin/audit/verify`: read everything again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct AuditVerify {
    /// `NUMBER:HASH` of a block that must be in the chain, as it was answered before.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{1,19}:[0-9a-fA-F]{64}$")]
    #[ts(optional)]
    pub anchor: Option<String>,
}

/// What reading everything again found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Verification {
    /// Blocks read.
    #[ts(type = "number")]
    pub blocks: u64,
    /// Acts that they seal, without those that are purged.
    #[ts(type = "number")]
    pub sealed: u64,
    /// What is purged, because it was older than records are kept; left out when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub purged: Option<PurgedRecords>,
    /// Acts that are not sealed yet: whoever changed them could not be found out.
    #[ts(type = "number")]
    pub unsealed: u64,
    /// `NUMBER:HASH` of the last block, to be kept elsewhere and asked with the next time; none when there is no block.
    pub anchor: Option<String>,
    /// What is not as it was, in Spanish; at most the first hundred.
    #[schema(max_items = 100)]
    pub findings: Vec<String>,
    /// How much is not as it was.
    #[ts(type = "number")]
    pub findings_total: u64,
}

/// What is purged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PurgedRecords {
    /// Acts.
    #[ts(type = "number")]
    pub acts: u64,
    /// What happened since then is all there.
    #[ts(type = "string")]
    pub kept_from: Timestamp,
}
