//! Entities, their branches and agreements, as the caja keeps them.

use async_trait::async_trait;
use hanna_wire::admin::business::{
    AdminAgreement, AdminBranch, AdminEntity, AdminEntityDetail, ChangeBranch, EntityUsage,
};
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::me::{ApplicationState, Branch, Entity};
use jiff::civil::Date;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::columns::{Day, Json, Micros, Word};
use super::{SqliteStore, audit, business_usage};
use crate::application::CONVENIOS;
use crate::audit::NewAct;
use crate::branch_code;
use crate::store::{Act, Businesses, EntityFilter, NewBranch, Put, Result};

/// The columns of terms, of an agreement `g`.
pub const TERMS: &str =
    "g.name, g.first_day, g.last_day, g.tariffs, g.roles, g.daily_limit, g.over_limit, g.validity_h,
    g.void_window_min, g.offline_days_max, g.retention_days";

/// The terms in a row that has [`TERMS`] from the column `at` on.
pub fn terms(row: &Row<'_>, at: usize) -> rusqlite::Result<AgreementTerms> {
    Ok(AgreementTerms {
        name: row.get(at)?,
        first_day: row.get::<_, Day>(at + 1)?.0,
        last_day: row.get::<_, Day>(at + 2)?.0,
        tariffs: row.get::<_, Json<_>>(at + 3)?.0,
        roles: row.get::<_, Json<_>>(at + 4)?.0,
        daily_limit: row.get(at + 5)?,
        over_limit: row.get::<_, Word<_>>(at + 6)?.0,
        validity_h: row.get(at + 7)?,
        void_window_min: row.get(at + 8)?,
        offline_days_max: row.get(at + 9)?,
        retention_days: row.get(at + 10)?,
    })
}

/// Writes an entity.
pub fn insert_entity(tx: &Transaction<'_>, entity: &Entity) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO entities (id, nit, name) VALUES (?1, ?2, ?3)",
        params![entity.id, entity.nit, entity.name],
    )?;
    Ok(())
}

/// Writes a branch.
pub fn insert_branch(tx: &Transaction<'_>, entity_id: Uuid, branch: &Branch) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO branches (id, entity_id, code, name, city) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![branch.id, entity_id, branch.code, branch.name, branch.city],
    )?;
    Ok(())
}

/// Writes an agreement, or other terms and branches in their place.
pub fn put_agreement(
    tx: &Transaction<'_>,
    entity_id: Uuid,
    agreement: &AdminAgreement,
) -> rusqlite::Result<()> {
    let AdminAgreement { id, terms, branches } = agreement;
    tx.execute(
        "INSERT INTO agreements
             (id, entity_id, name, first_day, last_day, tariffs, roles, daily_limit, over_limit, validity_h,
              void_window_min, offline_days_max, retention_days)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, first_day = excluded.first_day,
             last_day = excluded.last_day, tariffs = excluded.tariffs, roles = excluded.roles,
             daily_limit = excluded.daily_limit, over_limit = excluded.over_limit, validity_h = excluded.validity_h,
             void_window_min = excluded.void_window_min, offline_days_max = excluded.offline_days_max,
             retention_days = excluded.retention_days",
        params![
            id,
            entity_id,
            terms.name,
            Day(terms.first_day),
            Day(terms.last_day),
            Json(&terms.tariffs),
            Json(&terms.roles),
            terms.daily_limit,
            Word(terms.over_limit),
            terms.validity_h,
            terms.void_window_min,
            terms.offline_days_max,
            terms.retention_days,
        ],
    )?;
    tx.execute("DELETE FROM agreement_branches WHERE agreement_id = ?1", [id])?;
    for branch_id in branches {
        tx.execute(
            "INSERT INTO agreement_branches (branch_id, agreement_id) VALUES (?1, ?2)",
            params![branch_id, id],
        )?;
    }
    Ok(())
}

/// Makes a code for a branch of an entity that has none.
pub fn made_code(tx: &Transaction<'_>, entity_id: Uuid, entity_name: &str) -> rusqlite::Result<String> {
    let own = codes(tx, "SELECT code FROM branches WHERE entity_id = ?1 ORDER BY code", entity_id)?;
    let prefix = branch_code::prefix(entity_name, &own);
    let taken = codes(tx, "SELECT code FROM branches WHERE code LIKE ?1 || '-%'", &prefix)?;
    Ok(branch_code::next(&prefix, &taken))
}

fn codes(tx: &Transaction<'_>, sql: &str, of: impl rusqlite::ToSql) -> rusqlite::Result<Vec<String>> {
    tx.prepare_cached(sql)?.query_map([of], |row| row.get(0))?.collect()
}

const ENTITY: &str = "
    SELECT e.id, e.nit, e.name, p.state,
           (SELECT count(*) FROM branches b WHERE b.entity_id = e.id AND b.closed_us IS NULL),
           (SELECT count(*) FROM agreements g WHERE g.entity_id = e.id AND ?2 BETWEEN g.first_day AND g.last_day),
           (SELECT count(*) FROM accounts a WHERE a.entity_id = e.id AND a.state = 'ACTIVE')
    FROM entities e LEFT JOIN applications p ON p.entity_id = e.id AND p.code = ?3
    WHERE e.id = ?1";

fn entity(tx: &Transaction<'_>, id: Uuid, today: Date) -> rusqlite::Result<Option<AdminEntity>> {
    let entity = |row: &Row<'_>| {
        let state = row.get::<_, Option<Word<_>>>(3)?;
        Ok(AdminEntity {
            id: row.get(0)?,
            nit: row.get(1)?,
            name: row.get(2)?,
            application: state.map_or(ApplicationState::NotRequested, |word| word.0),
            branches: row.get(4)?,
            agreements_in_force: row.get(5)?,
            users: row.get(6)?,
        })
    };
    tx.prepare_cached(ENTITY)?.query_row(params![id, Day(today), CONVENIOS], entity).optional()
}

fn entities(tx: &Transaction<'_>, filter: &EntityFilter) -> rusqlite::Result<Vec<AdminEntity>> {
    let mut query = tx.prepare_cached(
        "SELECT id, nit, name FROM entities WHERE ?1 IS NULL OR nit > (SELECT nit FROM entities WHERE id = ?1) ORDER BY nit",
    )?;
    let mut rows = query.query([filter.after])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() >= filter.limit as usize {
            break;
        }
        if filter.finds(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?) {
            found.extend(entity(tx, row.get(0)?, filter.today)?);
        }
    }
    Ok(found)
}

fn detail(tx: &Transaction<'_>, id: Uuid, today: Date) -> rusqlite::Result<Option<AdminEntityDetail>> {
    let Some(entity) = entity(tx, id, today)? else { return Ok(None) };
    let branches = tx
        .prepare_cached(
            "SELECT id, code, name, city, closed_us FROM branches WHERE entity_id = ?1 ORDER BY code",
        )?
        .query_map([id], branch)?
        .collect::<rusqlite::Result<_>>()?;
    let sql = format!(
        "SELECT g.id, {TERMS} FROM agreements g WHERE g.entity_id = ?1 ORDER BY g.first_day DESC, g.id DESC"
    );
    let agreements: Vec<(Uuid, AgreementTerms)> = tx
        .prepare_cached(&sql)?
        .query_map([id], |row| Ok((row.get(0)?, terms(row, 1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let agreements = agreements
        .into_iter()
        .map(|(id, terms)| Ok(AdminAgreement { branches: branches_of(tx, id)?, id, terms }))
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(AdminEntityDetail { entity, branches, agreements }))
}

fn branch(row: &Row<'_>) -> rusqlite::Result<AdminBranch> {
    Ok(AdminBranch {
        id: row.get(0)?,
        code: row.get(1)?,
        name: row.get(2)?,
        city: row.get(3)?,
        closed_at: row.get::<_, Option<Micros>>(4)?.map(|at| at.0),
    })
}

/// The branches an agreement holds at, by code.
fn branches_of(tx: &Transaction<'_>, agreement_id: Uuid) -> rusqlite::Result<Vec<Uuid>> {
    tx.prepare_cached(
        "SELECT b.id FROM agreement_branches gb JOIN branches b ON b.id = gb.branch_id
         WHERE gb.agreement_id = ?1 ORDER BY b.code",
    )?
    .query_map([agreement_id], |row| row.get(0))?
    .collect()
}

fn add_entity(tx: &Transaction<'_>, new: &Entity, who: &Act) -> rusqlite::Result<Put> {
    let there = tx
        .query_row("SELECT nit, name FROM entities WHERE id = ?1", [new.id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    if let Some((nit, name)) = there {
        return Ok(if nit == new.nit && name == new.name { Put::Done(()) } else { Put::IdConflict });
    }
    if tx.prepare("SELECT 1 FROM entities WHERE nit = ?1")?.exists([&new.nit])? {
        return Ok(Put::Taken);
    }
    insert_entity(tx, new)?;
    audit::append(tx, &NewAct::entity_added(new.id, who))?;
    Ok(Put::Done(()))
}

fn rename_entity(tx: &Transaction<'_>, id: Uuid, name: &str, who: &Act) -> rusqlite::Result<Put> {
    let sql = "UPDATE entities SET name = ?2 WHERE id = ?1 AND name <> ?2";
    if tx.execute(sql, params![id, name])? == 1 {
        audit::append(tx, &NewAct::entity_renamed(id, who))?;
        return Ok(Put::Done(()));
    }
    let is_there = tx.prepare("SELECT 1 FROM entities WHERE id = ?1")?.exists([id])?;
    Ok(if is_there { Put::Done(()) } else { Put::Unknown })
}

fn add_branch(tx: &Transaction<'_>, new: &NewBranch, who: &Act) -> rusqlite::Result<Put<AdminBranch>> {
    let name: Option<String> = tx
        .query_row("SELECT name FROM entities WHERE id = ?1", [new.entity_id], |row| row.get(0))
        .optional()?;
    let Some(entity_name) = name else { return Ok(Put::Unknown) };
    if let Some((entity_id, there)) = branch_and_entity(tx, new.id)? {
        let is_same = entity_id == new.entity_id
            && new.code.as_ref().is_none_or(|code| *code == there.code)
            && (&new.name, &new.city) == (&there.name, &there.city);
        return Ok(if is_same { Put::Done(there) } else { Put::IdConflict });
    }
    let code = match &new.code {
        Some(code) if tx.prepare("SELECT 1 FROM branches WHERE code = ?1")?.exists([code])? => {
            return Ok(Put::Taken);
        }
        Some(code) => code.clone(),
        None => made_code(tx, new.entity_id, &entity_name)?,
    };
    let branch = Branch { id: new.id, code, name: new.name.clone(), city: new.city.clone() };
    insert_branch(tx, new.entity_id, &branch)?;
    audit::append(tx, &NewAct::branch_added(&branch, new.entity_id, who))?;
    let Branch { id, code, name, city } = branch;
    Ok(Put::Done(AdminBranch { id, code, name, city, closed_at: None }))
}

fn branch_and_entity(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<(Uuid, AdminBranch)>> {
    let sql = "SELECT id, code, name, city, closed_us, entity_id FROM branches WHERE id = ?1";
    tx.query_row(sql, [id], |row| Ok((row.get(5)?, branch(row)?))).optional()
}

fn change_branch(
    tx: &Transaction<'_>,
    id: Uuid,
    change: &ChangeBranch,
    who: &Act,
) -> rusqlite::Result<Put<AdminBranch>> {
    let Some((_, before)) = branch_and_entity(tx, id)? else { return Ok(Put::Unknown) };
    tx.execute(
        "UPDATE branches SET name = coalesce(?2, name), city = coalesce(?3, city),
             closed_us = CASE ?4 WHEN 1 THEN coalesce(closed_us, ?5) WHEN 0 THEN NULL ELSE closed_us END
         WHERE id = ?1",
        params![id, change.name, change.city, change.closed, Micros(who.now)],
    )?;
    let Some((_, after)) = branch_and_entity(tx, id)? else { return Ok(Put::Unknown) };
    if let Some(act) = NewAct::branch_changed(&before, &after, who) {
        audit::append(tx, &act)?;
    }
    Ok(Put::Done(after))
}

fn add_agreement(
    tx: &Transaction<'_>,
    entity_id: Uuid,
    new: &AdminAgreement,
    who: &Act,
) -> rusqlite::Result<Put> {
    if !tx.prepare("SELECT 1 FROM entities WHERE id = ?1")?.exists([entity_id])? {
        return Ok(Put::Unknown);
    }
    if let Some((of, there)) = agreement(tx, new.id)? {
        let is_same =
            of == entity_id && there.terms == new.terms && is_same_set(&there.branches, &new.branches);
        return Ok(if is_same { Put::Done(()) } else { Put::IdConflict });
    }
    let put = put_where_it_belongs(tx, entity_id, new)?;
    if put == Put::Done(()) {
        audit::append(tx, &NewAct::agreement_added(new, entity_id, who))?;
    }
    Ok(put)
}

fn change_agreement(tx: &Transaction<'_>, new: &AdminAgreement, who: &Act) -> rusqlite::Result<Put> {
    let Some((entity_id, there)) = agreement(tx, new.id)? else { return Ok(Put::Unknown) };
    let put = put_where_it_belongs(tx, entity_id, new)?;
    if put == Put::Done(())
        && let Some(act) = NewAct::agreement_changed(&there, new, entity_id, who)
    {
        audit::append(tx, &act)?;
    }
    Ok(put)
}

fn put_where_it_belongs(
    tx: &Transaction<'_>,
    entity_id: Uuid,
    new: &AdminAgreement,
) -> rusqlite::Result<Put> {
    for branch_id in &new.branches {
        if branch_and_entity(tx, *branch_id)?.is_none_or(|(of, _)| of != entity_id) {
            return Ok(Put::BranchElsewhere);
        }
    }
    put_agreement(tx, entity_id, new)?;
    Ok(Put::Done(()))
}

fn agreement(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<(Uuid, AdminAgreement)>> {
    let sql = format!("SELECT g.entity_id, {TERMS} FROM agreements g WHERE g.id = ?1");
    let there = tx.query_row(&sql, [id], |row| Ok((row.get(0)?, terms(row, 1)?))).optional()?;
    let Some((entity_id, terms)) = there else { return Ok(None) };
    Ok(Some((entity_id, AdminAgreement { id, terms, branches: branches_of(tx, id)? })))
}

fn is_same_set(one: &[Uuid], other: &[Uuid]) -> bool {
    one.len() == other.len() && one.iter().all(|id| other.contains(id))
}

#[async_trait]
impl Businesses for SqliteStore {
    async fn entities(&self, filter: EntityFilter) -> Result<Vec<AdminEntity>> {
        self.read(move |tx| entities(tx, &filter)).await
    }

    async fn entity(&self, id: Uuid, today: Date) -> Result<Option<AdminEntityDetail>> {
        self.read(move |tx| detail(tx, id, today)).await
    }

    async fn add_entity(&self, entity: Entity, act: Act) -> Result<Put> {
        self.write(move |tx| add_entity(tx, &entity, &act)).await
    }

    async fn rename_entity(&self, id: Uuid, name: String, act: Act) -> Result<Put> {
        self.write(move |tx| rename_entity(tx, id, &name, &act)).await
    }

    async fn add_branch(&self, new: NewBranch, act: Act) -> Result<Put<AdminBranch>> {
        self.write(move |tx| add_branch(tx, &new, &act)).await
    }

    async fn change_branch(&self, id: Uuid, change: ChangeBranch, act: Act) -> Result<Put<AdminBranch>> {
        self.write(move |tx| change_branch(tx, id, &change, &act)).await
    }

    async fn add_agreement(&self, entity_id: Uuid, agreement: AdminAgreement, act: Act) -> Result<Put> {
        self.write(move |tx| add_agreement(tx, entity_id, &agreement, &act)).await
    }

    async fn change_agreement(&self, agreement: AdminAgreement, act: Act) -> Result<Put> {
        self.write(move |tx| change_agreement(tx, &agreement, &act)).await
    }

    async fn usage_by_entity(&self, from: Date, to: Date) -> Result<Vec<EntityUsage>> {
        self.read(move |tx| business_usage::by_entity(tx, from, to)).await
    }
}
