//! Entities, their branches and agreements, and what an account sees of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use hanna_wire::me::{Branch, Entity, Operator, Role};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::access::roles;
use super::businesses::{TERMS, terms};
use super::columns::Word;
use crate::agreement;
use crate::store::{ApplicationRow, Surroundings};
use hanna_wire::agreement::AgreementTerms;

pub fn surroundings(
    tx: &Transaction<'_>,
    account_id: Uuid,
    today: Date,
) -> rusqlite::Result<Option<Surroundings>> {
    let account = tx
        .query_row(
            "SELECT a.id, a.username, a.display_name, e.id, e.nit, e.name
             FROM accounts a LEFT JOIN entities e ON e.id = a.entity_id
             WHERE a.id = ?1",
            [account_id],
            |row| {
                let operator = Operator { id: row.get(0)?, username: row.get(1)?, display_name: row.get(2)? };
                let entity = match row.get::<_, Option<Uuid>>(3)? {
                    Some(id) => Some(Entity { id, nit: row.get(4)?, name: row.get(5)? }),
                    None => None,
                };
                Ok((operator, entity))
            },
        )
        .optional()?;
    let Some((operator, entity)) = account else { return Ok(None) };
    let branches = branches_where(
        tx,
        "b.closed_us IS NULL AND b.id IN (SELECT branch_id FROM account_branches WHERE account_id = ?1)",
        account_id,
    )?;
    let mut agreements = Vec::new();
    for branch in &branches {
        agreements.extend(agreement_on(tx, branch.id, today)?);
    }
    let applications = match &entity {
        Some(entity) => applications(tx, entity.id)?,
        None => Vec::new(),
    };
    Ok(Some(Surroundings {
        operator,
        entity,
        roles: roles(tx, account_id)?,
        branches,
        applications,
        agreements,
    }))
}

pub fn branches(tx: &Transaction<'_>, entity_id: Uuid) -> rusqlite::Result<Vec<Branch>> {
    branches_where(tx, "b.entity_id = ?1", entity_id)
}

fn branches_where(tx: &Transaction<'_>, condition: &str, id: Uuid) -> rusqlite::Result<Vec<Branch>> {
    let branch = |row: &Row<'_>| {
        Ok(Branch { id: row.get(0)?, code: row.get(1)?, name: row.get(2)?, city: row.get(3)? })
    };
    let query =
        format!("SELECT b.id, b.code, b.name, b.city FROM branches b WHERE {condition} ORDER BY b.code");
    tx.prepare_cached(&query)?.query_map([id], branch)?.collect()
}

fn applications(tx: &Transaction<'_>, entity_id: Uuid) -> rusqlite::Result<Vec<ApplicationRow>> {
    let application = |row: &Row<'_>| {
        Ok(ApplicationRow { code: row.get(0)?, state: row.get::<_, Word<_>>(1)?.0, reason: row.get(2)? })
    };
    tx.prepare_cached("SELECT code, state, reason FROM applications WHERE entity_id = ?1 ORDER BY code")?
        .query_map([entity_id], application)?
        .collect()
}

/// What a batch is judged by, asked for once: most of its items are of one branch, one operator and one day.
pub struct Standing {
    entity_id: Uuid,
    branches: HashMap<Uuid, bool>,
    operators: HashMap<Uuid, bool>,
    agreements: HashMap<(Uuid, Date), Option<AgreementTerms>>,
}

impl Standing {
    /// Of the entity that delivers.
    pub fn of(entity_id: Uuid) -> Self {
        Self { entity_id, branches: HashMap::new(), operators: HashMap::new(), agreements: HashMap::new() }
    }

    /// The entity that delivers.
    pub const fn entity_id(&self) -> Uuid {
        self.entity_id
    }

    /// Whether branch and operator are of the entity; see [`is_operator_of`].
    pub fn has(&mut self, tx: &Connection, branch_id: Uuid, account_id: Uuid) -> rusqlite::Result<bool> {
        let entity_id = self.entity_id;
        let is_branch = once(&mut self.branches, branch_id, || is_branch_of(tx, branch_id, entity_id))?;
        let is_operator =
            once(&mut self.operators, account_id, || is_operator_of(tx, account_id, entity_id))?;
        Ok(is_branch && is_operator)
    }

    /// [`agreement_on`].
    pub fn agreement_on(
        &mut self,
        tx: &Connection,
        branch_id: Uuid,
        day: Date,
    ) -> rusqlite::Result<Option<AgreementTerms>> {
        once(&mut self.agreements, (branch_id, day), || agreement_on(tx, branch_id, day))
    }
}

fn once<K: Eq + Hash, V: Clone>(
    known: &mut HashMap<K, V>,
    of: K,
    ask: impl FnOnce() -> rusqlite::Result<V>,
) -> rusqlite::Result<V> {
    match known.entry(of) {
        Entry::Occupied(said) => Ok(said.get().clone()),
        Entry::Vacant(unasked) => Ok(unasked.insert(ask()?).clone()),
    }
}

fn is_branch_of(tx: &Connection, branch_id: Uuid, entity_id: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM branches WHERE id = ?1 AND entity_id = ?2")?
        .exists([branch_id, entity_id])
}

/// Also one who is suspended by now: what they recorded before still counts.
fn is_operator_of(tx: &Connection, account_id: Uuid, entity_id: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
         WHERE a.id = ?1 AND a.entity_id = ?2 AND r.role = ?3",
    )?
    .exists(params![account_id, entity_id, Word(Role::Operator)])
}

/// The agreement that says what holds at the branch on `day`.
pub fn agreement_on(tx: &Connection, branch_id: Uuid, day: Date) -> rusqlite::Result<Option<AgreementTerms>> {
    let agreements = tx
        .prepare_cached(&format!(
            "SELECT {TERMS} FROM agreement_branches gb JOIN agreements g ON g.id = gb.agreement_id
             WHERE gb.branch_id = ?1"
        ))?
        .query_map([branch_id], |row| terms(row, 0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(agreement::of_day(day, agreements))
}
