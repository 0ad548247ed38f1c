//! What codes on receipts and reports stand for.

use async_trait::async_trait;
use hanna_domain::{CodeOf, VerificationCode};
use hanna_wire::verification::{Verified, VerifiedReport, VerifiedUse};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::columns::{Json, Micros, Word};
use super::{SqliteStore, history, organisation};
use crate::store::verification::Found;
use crate::store::{KeptReport, ReportKept, Result, UsageFilter, Verification};

#[async_trait]
impl Verification for SqliteStore {
    async fn keep_report(&self, report: KeptReport) -> Result<ReportKept> {
        self.write(move |tx| keep(tx, &report)).await
    }

    async fn verify(&self, code: VerificationCode) -> Result<Option<Verified>> {
        self.read(move |tx| {
            Ok(match code.of {
                CodeOf::Use => the_use(tx, code.id)?.map(Verified::Use),
                CodeOf::Report => report(tx, code.id)?.map(Verified::Report),
            })
        })
        .await
    }
}

fn keep(tx: &Transaction<'_>, new: &KeptReport) -> rusqlite::Result<ReportKept> {
    let UsageFilter { entity_id, branches, from, to, .. } = &new.uses;
    if tx
        .prepare_cached("SELECT 1 FROM report_codes WHERE id = ?1")?
        .query_row([new.id], |_| Ok(()))
        .optional()?
        .is_none()
    {
        let mut names = organisation::branches(tx, *entity_id)?;
        names.retain(|branch| branches.as_ref().is_some_and(|seen| seen.contains(&branch.id)));
        let names = names.into_iter().map(|branch| branch.name).collect();
        let found = Found::of(names, &history::totals(tx, &new.uses)?);
        tx.prepare_cached(
            "INSERT INTO report_codes (id, account_id, entity_id, from_us, to_us, made_us, found)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            new.id,
            new.account_id,
            entity_id,
            Micros(*from),
            Micros(*to),
            Micros(new.now),
            Json(found)
        ])?;
    }
    let is_same = tx
        .prepare_cached(
            "SELECT 1 FROM report_codes
             WHERE id = ?1 AND account_id = ?2 AND entity_id = ?3 AND from_us = ?4 AND to_us = ?5",
        )?
        .exists(params![new.id, new.account_id, entity_id, Micros(*from), Micros(*to)])?;
    let kept = report(tx, new.id)?.filter(|_| is_same);
    Ok(kept.map_or(ReportKept::IdConflict, |kept| ReportKept::Kept(Box::new(kept))))
}

fn report(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<VerifiedReport>> {
    let read = |row: &Row<'_>| {
        let Json(Found { branches, totals, voided }) = row.get(4)?;
        Ok(VerifiedReport {
            entity_name: row.get(0)?,
            from: row.get::<_, Micros>(1)?.0,
            to: row.get::<_, Micros>(2)?.0,
            made_at: row.get::<_, Micros>(3)?.0,
            branches,
            totals,
            voided,
        })
    };
    tx.prepare_cached(
        "SELECT e.name, r.from_us, r.to_us, r.made_us, r.found
         FROM report_codes r JOIN entities e ON e.id = r.entity_id WHERE r.id = ?1",
    )?
    .query_row([id], read)
    .optional()
}

fn the_use(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<VerifiedUse>> {
    let read = |row: &Row<'_>| {
        Ok(VerifiedUse {
            entity_name: row.get(0)?,
            branch_name: row.get(1)?,
            occurred_at: row.get::<_, Micros>(2)?.0,
            tariff: row.get::<_, Word<_>>(3)?.0,
            voided: row.get(4)?,
        })
    };
    tx.prepare_cached(
        "SELECT e.name, b.name, u.occurred_us, u.tariff, EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)
         FROM usage_reports u JOIN entities e ON e.id = u.entity_id JOIN branches b ON b.id = u.branch_id
         WHERE u.id = ?1",
    )?
    .query_row([id], read)
    .optional()
}
