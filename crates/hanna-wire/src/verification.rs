//! `GET /v1/verify/{code}`: whether a receipt or a report is genuine; and `POST /v1/report-codes`: the code of a report.

use hanna_domain::Tariff;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// A *Reporte de Convenio* that is being made. The range is half-open: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// The report's id. The same report under the same id is answered as the first time.
    pub id: Uuid,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Of this branch only; otherwise of every branch the account may see.
    pub branch_id: Option<Uuid>,
}

/// The code of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportCode {
    /// To be printed on it: 28 characters in groups of four.
    pub code: String,
    /// What whoever asks with the code is told.
    pub report: VerifiedReport,
}

/// What is known under a code. Nothing in it is about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verified {
    /// It is the receipt of a reported use.
    Use(VerifiedUse),
    /// It is a *Reporte de Convenio*.
    Report(VerifiedReport),
}

/// A reported use, as its receipt has to say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct VerifiedUse {
    /// Whose benefit was used.
    pub entity_name: String,
    /// Where.
    pub branch_name: String,
    /// When.
    #[ts(type = "string")]
    pub occurred_at: Timestamp,
    /// At which price category.
    pub tariff: Tariff,
    /// Whether it was taken back since.
    pub voided: bool,
}

/// What Hanna had on record of a range when a report of it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct VerifiedReport {
    /// Whose uses.
    pub entity_name: String,
    /// Of which branches; none for all of the entity's.
    pub branches: Vec<String>,
    /// From when.
    #[ts(type = "string")]
    pub from: Timestamp,
    /// Until when; it does not belong to the range.
    #[ts(type = "string")]
    pub to: Timestamp,
    /// When the report was made.
    #[ts(type = "string")]
    pub made_at: Timestamp,
    /// The uses that counted, by price category.
    pub totals: Vec<TariffUses>,
    /// Those that were taken back: they are in no other count.
    #[ts(type = "number")]
    pub voided: u64,
}

impl VerifiedReport {
    /// How many uses counted.
    pub fn uses(&self) -> u64 {
        self.totals.iter().map(|total| total.uses).sum()
    }
}

/// How many uses there were at a price category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct TariffUses {
    /// The price category.
    pub tariff: Tariff,
    /// Uses that count.
    #[ts(type = "number")]
    pub uses: u64,
}
