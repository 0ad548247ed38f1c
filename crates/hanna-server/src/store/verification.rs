//! What codes on receipts and reports stand for.

use async_trait::async_trait;
use hanna_domain::VerificationCode;
use hanna_wire::usage::UsageTotal;
use hanna_wire::verification::{TariffUses, Verified, VerifiedReport};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Result, UsageFilter};

/// What is asked and kept about codes.
#[async_trait]
pub trait Verification {
    /// Counts the uses of a report, and keeps what it found under the report's id; or answers what is kept there already, if it
    /// is the same report.
    async fn keep_report(&self, report: KeptReport) -> Result<ReportKept>;

    /// What is known under a code.
    async fn verify(&self, code: VerificationCode) -> Result<Option<Verified>>;
}

/// A report that is being made.
#[derive(Debug, Clone)]
pub struct KeptReport {
    /// Its id.
    pub id: Uuid,
    /// Who makes it.
    pub account_id: Uuid,
    /// Which uses; what it says about pages is of no account.
    pub uses: UsageFilter,
    /// When.
    pub now: Timestamp,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportKept {
    /// What was found.
    Kept(Box<VerifiedReport>),
    /// Another one is kept under this id.
    IdConflict,
}

/// What is kept of a report beside its columns, as JSON.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The names of the branches; none for all of the entity's.
    pub branches: Vec<String>,
    /// By price category, those that are none left out.
    pub totals: Vec<TariffUses>,
    /// Taken back.
    pub voided: u64,
}

impl Found {
    /// What there is to say of these counts. `branches`: the names of those asked about.
    pub fn of(branches: Vec<String>, counts: &[UsageTotal]) -> Self {
        let mut totals: Vec<TariffUses> = Vec::new();
        for UsageTotal { tariff, uses, .. } in counts.iter().filter(|count| count.uses > 0) {
            match totals.iter_mut().find(|total| total.tariff == *tariff) {
                Some(total) => total.uses += uses,
                None => totals.push(TariffUses { tariff: *tariff, uses: *uses }),
            }
        }
        totals.sort_by_key(|total| total.tariff);
        Self { branches, totals, voided: counts.iter().map(|count| count.voided).sum() }
    }
}
