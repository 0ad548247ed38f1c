//! What codes on receipts and reports stand for. Of two who keep a report under the same id at once, the later one reads what
//! the earlier one kept.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_domain::{CodeOf, VerificationCode};
use hanna_wire::verification::{Verified, VerifiedReport, VerifiedUse};
use uuid::Uuid;

use super::columns::{Columns, Moment};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use super::{PostgresStore, history, organisation};
use crate::store::verification::Found;
use crate::store::{KeptReport, ReportKept, Result, UsageFilter, Verification};

#[async_trait]
impl Verification for PostgresStore {
    async fn keep_report(&self, report: KeptReport) -> Result<ReportKept> {
        let report = Arc::new(report);
        self.0
            .write(move |tx| {
                let report = Arc::clone(&report);
                Box::pin(async move { keep(tx, &report).await })
            })
            .await
    }

    async fn verify(&self, code: VerificationCode) -> Result<Option<Verified>> {
        self.0
            .ask(move |tx| {
                Box::pin(async move {
                    Ok(match code.of {
                        CodeOf::Use => the_use(tx, code.id).await?.map(Verified::Use),
                        CodeOf::Report => report(tx, code.id).await?.map(Verified::Report),
                    })
                })
            })
            .await
    }
}

async fn keep(tx: &Tx, new: &KeptReport) -> Done<ReportKept> {
    let UsageFilter { entity_id, branches, from, to, .. } = &new.uses;
    let (from, to) = (Moment(*from), Moment(*to));
    if !tx.exists("SELECT 1 FROM report_codes WHERE id = $1", &[&new.id]).await? {
        let mut names = organisation::branches(tx, *entity_id).await?;
        names.retain(|branch| branches.as_ref().is_some_and(|seen| seen.contains(&branch.id)));
        let names = names.into_iter().map(|branch| branch.name).collect();
        let found = Found::of(names, &history::totals(tx, &new.uses).await?);
        let found = serde_json::to_string(&found).map_err(|error| Trouble::Unreadable(error.into()))?;
        tx.execute(
            "INSERT INTO report_codes (id, account_id, entity_id, from_at, to_at, made_at, found)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
            &[&new.id, &new.account_id, entity_id, &from, &to, &Moment(new.now), &found],
        )
        .await?;
    }
    let same = "SELECT 1 FROM report_codes
                WHERE id = $1 AND account_id = $2 AND entity_id = $3 AND from_at = $4 AND to_at = $5";
    if !tx.exists(same, &[&new.id, &new.account_id, entity_id, &from, &to]).await? {
        return Ok(ReportKept::IdConflict);
    }
    let kept = report(tx, new.id).await?;
    Ok(kept.map_or(ReportKept::IdConflict, |kept| ReportKept::Kept(Box::new(kept))))
}

async fn report(tx: &Tx, id: Uuid) -> Done<Option<VerifiedReport>> {
    let sql = "
        SELECT e.name, r.from_at, r.to_at, r.made_at, r.found
        FROM report_codes r JOIN entities e ON e.id = r.entity_id WHERE r.id = $1";
    let Some(row) = tx.row_or_none(sql, &[&id]).await? else { return Ok(None) };
    let Found { branches, totals, voided } =
        serde_json::from_str(row.value(4)?).map_err(|error| Trouble::Unreadable(error.into()))?;
    Ok(Some(VerifiedReport {
        entity_name: row.value(0)?,
        from: row.moment(1)?,
        to: row.moment(2)?,
        made_at: row.moment(3)?,
        branches,
        totals,
        voided,
    }))
}

async fn the_use(tx: &Tx, id: Uuid) -> Done<Option<VerifiedUse>> {
    let sql = "
        SELECT e.name, b.name, u.occurred_at, u.tariff, EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)
        FROM usage_reports u JOIN entities e ON e.id = u.entity_id JOIN branches b ON b.id = u.branch_id
        WHERE u.id = $1";
    let Some(row) = tx.row_or_none(sql, &[&id]).await? else { return Ok(None) };
    Ok(Some(VerifiedUse {
        entity_name: row.value(0)?,
        branch_name: row.value(1)?,
        occurred_at: row.moment(2)?,
        tariff: row.word(3)?,
        voided: row.value(4)?,
    }))
}
