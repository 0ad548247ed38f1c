//! `GET /v1/usage-reports`: reported uses, newest first.

use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::{Document, Tariff, UsageState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What to list. The range is half-open: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Only this branch; otherwise every branch the account may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_id: Option<Uuid>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128)]
    pub cursor: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// Which uses to count or to export, as in [`UsageQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UsageRange {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Only this branch; otherwise every branch the account may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_id: Option<Uuid>,
}

/// One reported use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageRow {
    /// The report's id, made by the desk.
    pub id: Uuid,
    /// When the benefit was used.
    pub occurred_at: Timestamp,
    /// Who used it.
    pub document: Document,
    /// `PÉREZ GÓMEZ, JUAN CARLOS`, as signed in the statement.
    pub affiliate_name: String,
    /// At which price category.
    pub tariff: Tariff,
    /// The employer, if any.
    pub company_name: Option<String>,
    /// Where.
    pub branch_id: Uuid,
    /// What people call that branch.
    pub branch_name: String,
    /// Who reported it.
    pub operator_name: String,
    /// `accepted` or `accepted_with_note`.
    pub state: UsageState,
    /// The note.
    pub code: Option<ItemCode>,
    /// What the PC's own clock said when the use was recorded; `occurred_at` is that time corrected to the server's clock.
    /// None when the server that took the report did not keep it.
    pub device_time: Option<Timestamp>,
    /// When the report first arrived, by the server's clock.
    pub received_at: Timestamp,
    /// The PC's own count of what it recorded; it orders events when clocks do not.
    pub sequence: i64,
    /// The void, when the use was taken back: it counts no more.
    pub void: Option<UsageVoid>,
}

/// A use was taken back (*anulación*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageVoid {
    /// The void's id, made by the desk.
    pub id: Uuid,
    /// When.
    pub occurred_at: Timestamp,
    /// Who.
    pub operator_name: String,
    /// Why.
    pub reason: VoidReason,
    /// Why, in words.
    pub text: Option<String>,
}

/// How many uses of a branch at a price category there were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageTotal {
    /// Where.
    pub branch_id: Uuid,
    /// What people call that branch.
    pub branch_name: String,
    /// At which price category.
    pub tariff: Tariff,
    /// Uses that count, those with a note among them.
    pub uses: u64,
    /// Uses that count and have a note.
    pub noted: u64,
    /// Uses that were taken back: they are in no other count.
    pub voided: u64,
}

/// Counts of reported uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageTotals {
    /// One for each branch and price category that was used, by the branch's name.
    pub items: Vec<UsageTotal>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsagePage {
    /// Newest first.
    #[schema(max_items = 500)]
    pub rows: Vec<UsageRow>,
    /// Pass it on to get the next page; none on the last one.
    pub next_cursor: Option<String>,
}
