//! People a branch consulted lately, verified again: lookups within a budget.

use hanna_domain::colombia;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::columns::Micros;
use super::lookups;
use crate::store::{Question, Round, RoundAnswered};

/// Only after [`RoundAnswered::Claims`] may the transaction be committed.
pub fn answer(tx: &Transaction<'_>, round: &Round) -> rusqlite::Result<RoundAnswered> {
    let Some(first) = round.questions.first() else {
        return Ok(RoundAnswered::Claims { statements: Vec::new(), budget_left: round.budget });
    };
    let asked = &first.asked;
    if !lookups::works_at(tx, first.account_id, asked.entity_id, asked.branch_id)? {
        return Ok(RoundAnswered::BranchNotAllowed);
    }
    if !lookups::is_approved(tx, asked.entity_id)? {
        return Ok(RoundAnswered::NotApproved);
    }
    let mut budget_left = round.budget.saturating_sub(spent(tx, asked.branch_id, asked.now)?);
    let mut statements = Vec::with_capacity(round.questions.len());
    for question in &round.questions {
        match is_same(tx, question)? {
            Some(true) => {}
            Some(false) => return Ok(RoundAnswered::IdConflict),
            None if budget_left == 0 => continue,
            None => {
                lookups::record(tx, question, lookups::Occasion::Regular)?;
                budget_left -= 1;
            }
        }
        statements.push(lookups::judge(tx, &question.asked)?);
    }
    Ok(RoundAnswered::Claims { statements, budget_left })
}

/// How many the branch has asked for on the day of `now`.
fn spent(tx: &Connection, branch_id: Uuid, now: Timestamp) -> rusqlite::Result<u32> {
    let today = colombia::day_of(now);
    let (from, to) = colombia::days(today, today);
    tx.prepare_cached(
        "SELECT count(*) FROM lookups WHERE regular = 1 AND branch_id = ?1 AND asked_us >= ?2 AND asked_us < ?3",
    )?
    .query_row(params![branch_id, Micros(from), Micros(to)], |row| row.get(0))
}

/// Whether the lookup that has this id is this one; `None` when no lookup has it.
fn is_same(tx: &Connection, question: &Question) -> rusqlite::Result<Option<bool>> {
    tx.prepare_cached("SELECT branch_id = ?2 AND document_mac = ?3 FROM lookups WHERE id = ?1")?
        .query_row(
            params![question.asked.lookup_id, question.asked.branch_id, question.document_mac],
            |row| row.get(0),
        )
        .optional()
}
