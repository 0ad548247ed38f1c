//! Uses taken back. Both the report and its void are kept.

use hanna_domain::outbox::ItemCode;
use hanna_domain::{DeskPolicy, colombia};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::columns::{Micros, Word};
use super::organisation::Standing;
use crate::store::{Arrival, Void};
use crate::usage::{Reported, Ruling, rule_void};

pub fn judge(
    tx: &Connection,
    standing: &mut Standing,
    arrival: &Arrival,
    void: &Void,
) -> rusqlite::Result<Ruling> {
    if let Some(report) = reported(tx, standing, void.report_id)? {
        return Ok(rule_void(&report, arrival.author_id, arrival.occurred_at));
    }
    let is_held = tx.prepare_cached("SELECT 1 FROM outbox_items WHERE id = ?1")?.exists([void.report_id])?;
    // Held, but no use: it was refused, or is another kind of item. There is nothing to take back. What is not held may
    // still come: its batch was lost on the way, or it is not in the backup these data were restored from.
    Ok(if is_held { Ruling::Refused(ItemCode::VoidNotAllowed) } else { Ruling::NotYet })
}

fn reported(tx: &Connection, standing: &mut Standing, report_id: Uuid) -> rusqlite::Result<Option<Reported>> {
    struct Row {
        entity_id: Uuid,
        branch_id: Uuid,
        author_id: Uuid,
        occurred_at: Timestamp,
        is_voided: bool,
    }
    let found = tx
        .prepare_cached(
            "SELECT u.entity_id, u.branch_id, u.author_id, u.occurred_us, v.id IS NOT NULL
             FROM usage_reports u LEFT JOIN voids v ON v.report_id = u.id
             WHERE u.id = ?1",
        )?
        .query_row([report_id], |row| {
            Ok(Row {
                entity_id: row.get(0)?,
                branch_id: row.get(1)?,
                author_id: row.get(2)?,
                occurred_at: row.get::<_, Micros>(3)?.0,
                is_voided: row.get(4)?,
            })
        })
        .optional()?;
    let Some(report) = found else { return Ok(None) };
    let agreement = standing.agreement_on(tx, report.branch_id, colombia::day_of(report.occurred_at))?;
    // A branch that has left its agreement since is judged by what is usual.
    let usual = DeskPolicy::default().void_window_min;
    Ok(Some(Reported {
        of_this_entity: report.entity_id == standing.entity_id(),
        author_id: report.author_id,
        occurred_at: report.occurred_at,
        window_min: agreement.map_or(usual, |agreement| agreement.void_window_min),
        is_voided: report.is_voided,
    }))
}

pub fn keep(tx: &Connection, arrival: &Arrival, void: &Void) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO voids (id, report_id, author_id, occurred_us, reason, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        arrival.id,
        void.report_id,
        arrival.author_id,
        Micros(arrival.occurred_at),
        Word(void.reason),
        void.text,
    ])?;
    Ok(())
}
