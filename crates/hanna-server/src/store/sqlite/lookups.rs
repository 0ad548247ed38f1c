//! Lookups: authorised, judged and recorded in one transaction.

use hanna_domain::{Affiliate, Company, Document, Statement, colombia};
use hanna_wire::me::ApplicationState;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::columns::{Json, Micros, Word};
use super::organisation::agreement_on;
use super::uses;
use crate::application::CONVENIOS;
use crate::claims::{Asked, Known, claims};
use crate::judge::Person;
use crate::store::{Answered, Question};

pub fn answer(tx: &Transaction<'_>, question: &Question) -> rusqlite::Result<Answered> {
    let asked = &question.asked;
    if !works_at(tx, question.account_id, asked.entity_id, asked.branch_id)? {
        return Ok(Answered::BranchNotAllowed);
    }
    if !is_approved(tx, asked.entity_id)? {
        return Ok(Answered::NotApproved);
    }
    if !record_question(tx, question)? {
        return Ok(Answered::IdConflict);
    }
    Ok(Answered::Claims(Box::new(judge(tx, asked)?)))
}

/// Judges what was asked, and records the answer.
pub fn judge(tx: &Transaction<'_>, asked: &Asked) -> rusqlite::Result<Statement> {
    let today = colombia::day_of(asked.now);
    let known = Known {
        person: person(tx, &asked.document)?,
        agreement: agreement_on(tx, asked.branch_id, today)?,
        used_today: uses::of_day(tx, asked.entity_id, &asked.document, today)?,
    };
    let statement = claims(asked, known);
    record_answer(tx, &statement)?;
    Ok(statement)
}

/// Whether an account works at a branch that is open.
pub fn works_at(
    tx: &Transaction<'_>,
    account_id: Uuid,
    entity_id: Uuid,
    branch_id: Uuid,
) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM account_branches ab JOIN branches b ON b.id = ab.branch_id
         WHERE ab.account_id = ?1 AND ab.branch_id = ?2 AND b.entity_id = ?3 AND b.closed_us IS NULL",
    )?
    .exists(params![account_id, branch_id, entity_id])
}

pub fn is_approved(tx: &Transaction<'_>, entity_id: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM applications WHERE entity_id = ?1 AND code = ?2 AND state = ?3")?
        .exists(params![entity_id, CONVENIOS, Word(ApplicationState::Approved)])
}

/// Records who asks, once; `false` when the id belongs to another lookup.
fn record_question(tx: &Transaction<'_>, question: &Question) -> rusqlite::Result<bool> {
    if record(tx, question, Occasion::Counter)? {
        return Ok(true);
    }
    let asked = &question.asked;
    tx.prepare_cached(
        "SELECT 1 FROM lookups WHERE id = ?1 AND account_id = ?2 AND branch_id = ?3 AND document_mac = ?4",
    )?
    .exists(params![asked.lookup_id, question.account_id, asked.branch_id, question.document_mac])
}

/// Why a lookup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody stands at the counter.
    Counter,
    /// A regular is verified again.
    Regular,
}

/// Records who asks; `false` when the id is on record already.
pub fn record(tx: &Transaction<'_>, question: &Question, occasion: Occasion) -> rusqlite::Result<bool> {
    let asked = &question.asked;
    let added = tx
        .prepare_cached(
            "INSERT INTO lookups
                 (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_us, regular)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            asked.lookup_id,
            question.account_id,
            question.device_id,
            asked.entity_id,
            asked.branch_id,
            question.document_mac,
            question.purpose,
            Micros(asked.now),
            occasion == Occasion::Regular,
        ])?;
    Ok(added == 1)
}

fn record_answer(tx: &Transaction<'_>, statement: &Statement) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO statements (id, lookup_id, issued_us, expires_us, usable, reasons)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        statement.jti,
        statement.lookup_id,
        Micros(statement.iat),
        Micros(statement.exp),
        statement.usable,
        Json(&statement.reasons),
    ])?;
    Ok(())
}

fn person(tx: &Transaction<'_>, document: &Document) -> rusqlite::Result<Person> {
    let registered = tx
        .prepare_cached(
            "SELECT a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff,
                    c.name, c.status
             FROM affiliates a LEFT JOIN companies c ON c.id = a.company_id
             WHERE a.number = ?1 AND a.kind = ?2",
        )?
        .query_row(params![document.number(), Word(document.kind())], affiliate)
        .optional()?;
    if let Some(affiliate) = registered {
        return Ok(Person::Registered(affiliate));
    }
    let other_kind =
        tx.prepare_cached("SELECT 1 FROM affiliates WHERE number = ?1")?.exists([document.number()])?;
    Ok(if other_kind { Person::OtherKind } else { Person::Unknown })
}

fn affiliate(row: &Row<'_>) -> rusqlite::Result<Affiliate> {
    let company = match row.get::<_, Option<String>>(7)? {
        Some(name) => Some(Company { name, status: row.get::<_, Word<_>>(8)?.0 }),
        None => None,
    };
    Ok(Affiliate {
        role: row.get::<_, Word<_>>(0)?.0,
        first_surname: row.get(1)?,
        second_surname: row.get(2)?,
        first_name: row.get(3)?,
        second_name: row.get(4)?,
        status: row.get::<_, Word<_>>(5)?.0,
        tariff: row.get::<_, Word<_>>(6)?.0,
        company,
    })
}
