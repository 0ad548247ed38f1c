//! The console's part about businesses: entities, branches, agreements, imports of affiliates, usage by entity.

use hanna_domain::words;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::agreement::AgreementTerms;
use crate::me::{ApplicationState, Branch, Entity};

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EntitiesQuery {
    /// Only those whose name or NIT has this in it, whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 120)]
    pub q: Option<String>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// One page of entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminEntities {
    /// By NIT.
    #[schema(max_items = 500)]
    pub items: Vec<AdminEntity>,
    /// Pass it on as `after` to get the next page; none on the last one.
    pub next: Option<String>,
}

/// An entity in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminEntity {
    /// Stays the same for ever.
    pub id: Uuid,
    /// With its check digit.
    #[schema(example = "900123456-8")]
    pub nit: String,
    /// Trade name.
    #[schema(example = "GYM CARIBE")]
    pub name: String,
    /// How far its application CONVENIOS is.
    pub application: ApplicationState,
    /// How many branches are open.
    #[schema(example = 3)]
    pub branches: u32,
    /// How many agreements cover today.
    #[schema(example = 1)]
    pub agreements_in_force: u32,
    /// How many active accounts there are.
    #[schema(example = 4)]
    pub users: u32,
}

/// An entity with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminEntityDetail {
    /// The entity.
    pub entity: AdminEntity,
    /// Its branches, by code; those that are closed too.
    pub branches: Vec<AdminBranch>,
    /// Its agreements, the one that began last first.
    pub agreements: Vec<AdminAgreement>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminBranch {
    /// Stays the same for ever.
    pub id: Uuid,
    /// Short, unique in all Hanna; stays the same for ever.
    #[schema(example = "GYM-01")]
    pub code: String,
    /// What people call it.
    #[schema(example = "Sede Norte")]
    pub name: String,
    /// Where it is.
    #[schema(example = "Barranquilla")]
    pub city: String,
    /// Since when it is closed: nobody is looked up there any more. None: it is open.
    pub closed_at: Option<Timestamp>,
}

/// An agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminAgreement {
    /// Stays the same for ever.
    pub id: Uuid,
    /// What was agreed on.
    pub terms: AgreementTerms,
    /// The branches it holds at.
    pub branches: Vec<Uuid>,
}

/// `POST /v1/admin/entities`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CreateEntity {
    /// Made by the caller. The same again with the same content changes nothing.
    pub id: Uuid,
    /// With its check digit.
    #[schema(example = "900123456-8", pattern = "^[0-9]{6,10}-[0-9]$")]
    pub nit: String,
    /// Trade name.
    #[schema(
        example = "GYM CARIBE",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: String,
}

/// `PATCH /v1/admin/entities/{id}`: what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ChangeEntity {
    /// Trade name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "GYM CARIBE",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: Option<String>,
}

/// `POST /v1/admin/entities/{id}/branches`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct CreateBranch {
    /// Made by the caller. The same again with the same content changes nothing.
    pub id: Uuid,
    /// Unique in all Hanna; made from the entity's name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// `PATCH /v1/admin/branches/{id}`: what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ChangeBranch {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Sede Norte",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        example = "Barranquilla",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub city: Option<String>,
    /// `true` closes it (nobody is looked up there any more, what happened there stays), `false` opens it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
}

/// `POST /v1/admin/entities/{id}/agreements`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CreateAgreement {
    /// Made by the caller. The same again with the same content changes nothing.
    pub id: Uuid,
    /// What was agreed on.
    pub terms: AgreementTerms,
    /// The branches of the entity it holds at.
    #[schema(min_items = 1, max_items = 500)]
    pub branches: Vec<Uuid>,
}

/// `PUT /v1/admin/agreements/{id}`: holds from the next statement on; those given before hold until they expire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ChangeAgreement {
    /// What was agreed on.
    pub terms: AgreementTerms,
    /// The branches of the entity it holds at.
    #[schema(min_items = 1, max_items = 500)]
    pub branches: Vec<Uuid>,
}

words! {
    /// What becomes of whoever an imported file does not name.
    #[derive(utoipa::ToSchema)]
    ImportMode {
        /// They stay as they are.
        Upsert = "upsert",
        /// They are removed.
        Replace = "replace",
    }
}

words! {
    /// How far an import is.
    #[derive(utoipa::ToSchema)]
    ImportState {
        /// The file is arriving.
        Receiving = "RECEIVING",
        /// It is read, or written to the database.
        Running = "RUNNING",
        /// It is in; or, as a dry run, would be.
        Done = "DONE",
        /// Something in the file is wrong; nothing changed.
        Refused = "REFUSED",
        /// It was stopped; nothing changed.
        Cancelled = "CANCELLED",
        /// The server failed or ended; nothing changed.
        Failed = "FAILED",
    }
}

impl ImportState {
    /// Whether nothing happens any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Receiving | Self::Running)
    }
}

/// `POST /v1/admin/imports`: how to import the file that is the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// Made by the caller. The same again answers with the import it began.
    pub id: Uuid,
    /// What becomes of whoever the file does not name; they stay when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ImportMode>,
    /// Everything is done, counted and taken back.
    #[serde(default)]
    pub dry_run: bool,
    /// What the file is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 255)]
    pub file_name: Option<String>,
}

/// An import of affiliates. One at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ImportJob {
    /// Made by whoever began it.
    pub id: Uuid,
    /// How far it is.
    pub state: ImportState,
    /// What becomes of whoever the file does not name.
    pub mode: ImportMode,
    /// Whether everything is taken back in the end.
    pub dry_run: bool,
    /// What the file is called.
    #[schema(example = "afiliados-noviembre.csv")]
    pub file_name: Option<String>,
    /// How long the file is; while it is arriving, as far as it is here.
    #[schema(example = 94_371_840)]
    #[ts(type = "number")]
    pub bytes: u64,
    /// How much of it is read. When all of it is, it is being written to the database.
    #[schema(example = 31_457_280)]
    #[ts(type = "number")]
    pub bytes_read: u64,
    /// How many lines were read, the header too.
    #[schema(example = 333_334)]
    #[ts(type = "number")]
    pub lines: u64,
    /// How many things are wrong in them.
    #[schema(example = 0)]
    #[ts(type = "number")]
    pub rejected: u64,
    /// Why the file as a whole was refused, in Spanish; none when it was not, or for its lines.
    #[schema(example = "Faltan columnas en el encabezado: tarifa.")]
    pub reason: Option<String>,
    /// What changed, or would change; only when it is done.
    pub counts: Option<ImportCounts>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who began it; none: it was begun at the terminal of the server.
    #[schema(example = "Marta Cañas")]
    pub by: Option<String>,
}

/// What an import changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ImportCounts {
    /// Affiliates that were not there before.
    #[schema(example = 1200)]
    #[ts(type = "number")]
    pub added: u64,
    /// Affiliates that were there, changed or not.
    #[schema(example = 998_800)]
    #[ts(type = "number")]
    pub updated: u64,
    /// Affiliates that were there and that the file does not name.
    #[schema(example = 0)]
    #[ts(type = "number")]
    pub removed: u64,
}

/// Which imports to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportsQuery {
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// One page of imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct ImportJobs {
    /// The last one first.
    #[schema(max_items = 500)]
    pub items: Vec<ImportJob>,
    /// Pass it on as `after` to get the next page; none on the last one.
    pub next: Option<String>,
}

/// Of which Colombian days; both belong to the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminUsageQuery {
    /// The first day.
    #[param(example = "2026-11-01")]
    pub from: Date,
    /// The last day, not before the first; 400 days at most.
    #[param(example = "2026-11-30")]
    pub to: Date,
}

/// Lookups and uses of some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminUsage {
    /// The first day.
    #[schema(example = "2026-11-01")]
    pub from: Date,
    /// The last day.
    #[schema(example = "2026-11-30")]
    pub to: Date,
    /// Every entity, by name; also those where nothing happened.
    pub items: Vec<EntityUsage>,
}

/// Of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct EntityUsage {
    /// The entity.
    pub entity: Entity,
    /// At all its branches. Whoever came to two of them is one person.
    pub total: UsageCounts,
    /// Every branch, by code.
    pub branches: Vec<BranchUsage>,
}

/// At one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct BranchUsage {
    /// The branch.
    pub branch: Branch,
    /// What happened there.
    pub counts: UsageCounts,
}

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct UsageCounts {
    /// Lookups of people at the counter, with the server or without.
    #[schema(example = 412)]
    #[ts(type = "number")]
    pub lookups: u64,
    /// Uses that count.
    #[schema(example = 380)]
    #[ts(type = "number")]
    pub uses: u64,
    /// Uses that were taken back.
    #[schema(example = 3)]
    #[ts(type = "number")]
    pub voided: u64,
    /// How many different people the uses that count are of.
    #[schema(example = 241)]
    #[ts(type = "number")]
    pub people: u64,
}

#[cfg(test)]
mod tests {
    use ts_rs::Config;

    use super::*;

    /// Writes the types the console uses, with everything they are made of; see `cargo xtask gen`.
    #[test]
    fn export_bindings() -> Result<(), ts_rs::ExportError> {
        let config = Config::from_env();
        AdminEntities::export_all(&config)?;
        AdminEntityDetail::export_all(&config)?;
        CreateEntity::export_all(&config)?;
        ChangeEntity::export_all(&config)?;
        CreateBranch::export_all(&config)?;
        ChangeBranch::export_all(&config)?;
        CreateAgreement::export_all(&config)?;
        ChangeAgreement::export_all(&config)?;
        ImportJobs::export_all(&config)?;
        AdminUsage::export_all(&config)
    }
}
