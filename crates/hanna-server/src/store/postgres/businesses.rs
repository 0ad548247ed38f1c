//! Entities, their branches and agreements, as the caja keeps them.
//!
//! Somebody else may add the same thing just now: then this is begun again, and finds it. Whoever changes an agreement
//! holds its row.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_wire::admin::business::{
    AdminAgreement, AdminBranch, AdminEntity, AdminEntityDetail, ChangeBranch, EntityUsage,
};
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::me::{ApplicationState, Branch, Entity};
use jiff::civil::Date;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{Columns, Count, Moment, words};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use super::{PostgresStore, audit, business_usage};
use crate::application::CONVENIOS;
use crate::audit::NewAct;
use crate::branch_code;
use crate::store::words::Word;
use crate::store::{Act, Businesses, EntityFilter, NewBranch, Put, Result};

/// The columns of terms, of an agreement `g`.
macro_rules! terms_columns {
    () => {
        "g.name, g.first_day, g.last_day, g.tariffs, g.roles, g.daily_limit, g.over_limit, g.validity_h,
         g.void_window_min, g.offline_days_max, g.retention_days"
    };
}
pub(super) use terms_columns;

/// The terms in a row that has their columns from `at` on.
pub fn terms(row: &Row, at: usize) -> Done<AgreementTerms> {
    Ok(AgreementTerms {
        name: row.value(at)?,
        first_day: row.value(at + 1)?,
        last_day: row.value(at + 2)?,
        tariffs: row.words(at + 3)?,
        roles: row.words(at + 4)?,
        daily_limit: row.count(at + 5)?,
        over_limit: row.word(at + 6)?,
        validity_h: u8::try_from(row.count(at + 7)?).map_err(|error| Trouble::Unreadable(error.into()))?,
        void_window_min: row.count(at + 8)?,
        offline_days_max: row.count(at + 9)?,
        retention_days: row.count(at + 10)?,
    })
}

/// Writes an entity.
pub async fn insert_entity(tx: &Tx, entity: &Entity) -> Done<()> {
    let sql = "INSERT INTO entities (id, nit, name) VALUES ($1, $2, $3)";
    tx.execute(sql, &[&entity.id, &entity.nit, &entity.name]).await.map(drop)
}

/// Writes a branch.
pub async fn insert_branch(tx: &Tx, entity_id: Uuid, branch: &Branch) -> Done<()> {
    let sql = "INSERT INTO branches (id, entity_id, code, name, city) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, &[&branch.id, &entity_id, &branch.code, &branch.name, &branch.city]).await.map(drop)
}

/// Writes an agreement, or other terms and branches in their place.
pub async fn put_agreement(tx: &Tx, entity_id: Uuid, agreement: &AdminAgreement) -> Done<()> {
    let AdminAgreement { id, terms, branches } = agreement;
    tx.execute(
        "INSERT INTO agreements
             (id, entity_id, name, first_day, last_day, tariffs, roles, daily_limit, over_limit, validity_h,
              void_window_min, offline_days_max, retention_days)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, first_day = excluded.first_day,
             last_day = excluded.last_day, tariffs = excluded.tariffs, roles = excluded.roles,
             daily_limit = excluded.daily_limit, over_limit = excluded.over_limit, validity_h = excluded.validity_h,
             void_window_min = excluded.void_window_min, offline_days_max = excluded.offline_days_max,
             retention_days = excluded.retention_days",
        &[
            id,
            &entity_id,
            &terms.name,
            &terms.first_day,
            &terms.last_day,
            &words(&terms.tariffs),
            &words(&terms.roles),
            &Count(terms.daily_limit),
            &Word(terms.over_limit),
            &Count(u32::from(terms.validity_h)),
            &Count(terms.void_window_min),
            &Count(terms.offline_days_max),
            &Count(terms.retention_days),
        ],
    )
    .await?;
    tx.execute("DELETE FROM agreement_branches WHERE agreement_id = $1", &[id]).await?;
    let sql =
        "INSERT INTO agreement_branches (branch_id, agreement_id) SELECT b, $2 FROM unnest($1::uuid[]) AS b";
    tx.execute(sql, &[branches, id]).await.map(drop)
}

/// Makes a code for a branch of an entity that has none.
pub async fn made_code(tx: &Tx, entity_id: Uuid, entity_name: &str) -> Done<String> {
    let codes = |rows: Vec<Row>| rows.iter().map(|row| row.value(0)).collect::<Done<Vec<String>>>();
    let own = tx.rows("SELECT code FROM branches WHERE entity_id = $1 ORDER BY code", &[&entity_id]).await?;
    let prefix = branch_code::prefix(entity_name, &codes(own)?);
    let taken = tx.rows("SELECT code FROM branches WHERE starts_with(code, $1 || '-')", &[&prefix]).await?;
    Ok(branch_code::next(&prefix, &codes(taken)?))
}

/// Some entities: `$1`, with the agreements of a day (`$2`), and the application (`$3`).
const ENTITIES: &str = "
    SELECT e.id, e.nit, e.name, p.state,
           (SELECT count(*) FROM branches b WHERE b.entity_id = e.id AND b.closed_at IS NULL),
           (SELECT count(*) FROM agreements g WHERE g.entity_id = e.id AND $2 BETWEEN g.first_day AND g.last_day),
           (SELECT count(*) FROM accounts a WHERE a.entity_id = e.id AND a.state = 'ACTIVE')
    FROM entities e LEFT JOIN applications p ON p.entity_id = e.id AND p.code = $3
    WHERE e.id = ANY($1::uuid[]) ORDER BY e.nit";

async fn entities_of(tx: &Tx, ids: &[Uuid], today: Date) -> Done<Vec<AdminEntity>> {
    let rows = tx.rows(ENTITIES, &[&ids, &today, &CONVENIOS]).await?;
    let entity = |row: &Row| {
        Ok(AdminEntity {
            id: row.value(0)?,
            nit: row.value(1)?,
            name: row.value(2)?,
            application: row.word_or_none(3)?.unwrap_or(ApplicationState::NotRequested),
            branches: row.count(4)?,
            agreements_in_force: row.count(5)?,
            users: row.count(6)?,
        })
    };
    rows.iter().map(entity).collect()
}

async fn entities(tx: &Tx, filter: &EntityFilter) -> Done<Vec<AdminEntity>> {
    let sql = "SELECT id, nit, name FROM entities
               WHERE $1::uuid IS NULL OR nit > (SELECT nit FROM entities WHERE id = $1) ORDER BY nit";
    let rows = tx.rows(sql, &[&filter.after]).await?;
    let mut found: Vec<Uuid> = Vec::new();
    for row in &rows {
        if found.len() >= filter.limit as usize {
            break;
        }
        if filter.finds(row.value(1)?, row.value(2)?) {
            found.push(row.value(0)?);
        }
    }
    entities_of(tx, &found, filter.today).await
}

async fn detail(tx: &Tx, id: Uuid, today: Date) -> Done<Option<AdminEntityDetail>> {
    let Some(entity) = entities_of(tx, &[id], today).await?.pop() else { return Ok(None) };
    let sql =
        "SELECT id, code, name, city, closed_at, entity_id FROM branches WHERE entity_id = $1 ORDER BY code";
    let branches = tx.rows(sql, &[&id]).await?.iter().map(branch).collect::<Done<_>>()?;
    let sql = concat!(
        "SELECT g.id, ",
        terms_columns!(),
        ", ARRAY(SELECT b.id FROM agreement_branches gb JOIN branches b ON b.id = gb.branch_id
                 WHERE gb.agreement_id = g.id ORDER BY b.code)
         FROM agreements g WHERE g.entity_id = $1 ORDER BY g.first_day DESC, g.id DESC"
    );
    let agreements = tx.rows(sql, &[&id]).await?.iter().map(agreement).collect::<Done<_>>()?;
    Ok(Some(AdminEntityDetail { entity, branches, agreements }))
}

fn branch(row: &Row) -> Done<AdminBranch> {
    Ok(AdminBranch {
        id: row.value(0)?,
        code: row.value(1)?,
        name: row.value(2)?,
        city: row.value(3)?,
        closed_at: row.value::<Option<Moment>>(4)?.map(|at| at.0),
    })
}

fn agreement(row: &Row) -> Done<AdminAgreement> {
    Ok(AdminAgreement { id: row.value(0)?, terms: terms(row, 1)?, branches: row.value(12)? })
}

async fn add_entity(tx: &Tx, new: &Entity, who: &Act) -> Done<Put> {
    if let Some(row) = tx.row_or_none("SELECT nit, name FROM entities WHERE id = $1", &[&new.id]).await? {
        let is_same = row.value::<&str>(0)? == new.nit && row.value::<&str>(1)? == new.name;
        return Ok(if is_same { Put::Done(()) } else { Put::IdConflict });
    }
    if tx.exists("SELECT 1 FROM entities WHERE nit = $1", &[&new.nit]).await? {
        return Ok(Put::Taken);
    }
    insert_entity(tx, new).await?;
    audit::append(tx, &NewAct::entity_added(new.id, who)).await?;
    Ok(Put::Done(()))
}

async fn rename_entity(tx: &Tx, id: Uuid, name: &str, who: &Act) -> Done<Put> {
    let sql = "UPDATE entities SET name = $2 WHERE id = $1 AND name <> $2";
    if tx.execute(sql, &[&id, &name]).await? == 1 {
        audit::append(tx, &NewAct::entity_renamed(id, who)).await?;
        return Ok(Put::Done(()));
    }
    let is_there = tx.exists("SELECT 1 FROM entities WHERE id = $1", &[&id]).await?;
    Ok(if is_there { Put::Done(()) } else { Put::Unknown })
}

async fn add_branch(tx: &Tx, new: &NewBranch, who: &Act) -> Done<Put<AdminBranch>> {
    let entity = tx.row_or_none("SELECT name FROM entities WHERE id = $1", &[&new.entity_id]).await?;
    let Some(entity) = entity else { return Ok(Put::Unknown) };
    let sql = "SELECT id, code, name, city, closed_at, entity_id FROM branches WHERE id = $1";
    if let Some(row) = tx.row_or_none(sql, &[&new.id]).await? {
        let there = branch(&row)?;
        let is_same = row.value::<Uuid>(5)? == new.entity_id
            && new.code.as_ref().is_none_or(|code| *code == there.code)
            && (&new.name, &new.city) == (&there.name, &there.city);
        return Ok(if is_same { Put::Done(there) } else { Put::IdConflict });
    }
    let code = match &new.code {
        Some(code) if tx.exists("SELECT 1 FROM branches WHERE code = $1", &[code]).await? => {
            return Ok(Put::Taken);
        }
        Some(code) => code.clone(),
        None => made_code(tx, new.entity_id, entity.value(0)?).await?,
    };
    let branch = Branch { id: new.id, code, name: new.name.clone(), city: new.city.clone() };
    insert_branch(tx, new.entity_id, &branch).await?;
    audit::append(tx, &NewAct::branch_added(&branch, new.entity_id, who)).await?;
    let Branch { id, code, name, city } = branch;
    Ok(Put::Done(AdminBranch { id, code, name, city, closed_at: None }))
}

async fn change_branch(tx: &Tx, id: Uuid, change: &ChangeBranch, who: &Act) -> Done<Put<AdminBranch>> {
    let sql = "SELECT id, code, name, city, closed_at FROM branches WHERE id = $1 FOR NO KEY UPDATE";
    let Some(before) = tx.row_or_none(sql, &[&id]).await? else { return Ok(Put::Unknown) };
    let changed = tx
        .row(
            "UPDATE branches SET name = coalesce($2, name), city = coalesce($3, city),
                 closed_at = CASE $4::boolean WHEN true THEN coalesce(closed_at, $5) WHEN false THEN NULL
                                              ELSE closed_at END
             WHERE id = $1 RETURNING id, code, name, city, closed_at",
            &[&id, &change.name, &change.city, &change.closed, &Moment(who.now)],
        )
        .await?;
    let (before, after) = (branch(&before)?, branch(&changed)?);
    if let Some(act) = NewAct::branch_changed(&before, &after, who) {
        audit::append(tx, &act).await?;
    }
    Ok(Put::Done(after))
}

/// An agreement with its entity, held until the end of the transaction.
async fn hold(tx: &Tx, id: Uuid) -> Done<Option<(Uuid, AdminAgreement)>> {
    let sql = concat!(
        "SELECT g.id, ",
        terms_columns!(),
        ", ARRAY(SELECT gb.branch_id FROM agreement_branches gb WHERE gb.agreement_id = g.id), g.entity_id
         FROM agreements g WHERE g.id = $1 FOR UPDATE"
    );
    match tx.row_or_none(sql, &[&id]).await? {
        Some(row) => Ok(Some((row.value(13)?, agreement(&row)?))),
        None => Ok(None),
    }
}

async fn add_agreement(tx: &Tx, entity_id: Uuid, new: &AdminAgreement, who: &Act) -> Done<Put> {
    if !tx.exists("SELECT 1 FROM entities WHERE id = $1", &[&entity_id]).await? {
        return Ok(Put::Unknown);
    }
    if let Some((of, there)) = hold(tx, new.id).await? {
        let is_same = of == entity_id
            && there.terms == new.terms
            && there.branches.len() == new.branches.len()
            && there.branches.iter().all(|id| new.branches.contains(id));
        return Ok(if is_same { Put::Done(()) } else { Put::IdConflict });
    }
    let put = put_where_it_belongs(tx, entity_id, new).await?;
    if put == Put::Done(()) {
        audit::append(tx, &NewAct::agreement_added(new, entity_id, who)).await?;
    }
    Ok(put)
}

async fn change_agreement(tx: &Tx, new: &AdminAgreement, who: &Act) -> Done<Put> {
    let Some((entity_id, there)) = hold(tx, new.id).await? else { return Ok(Put::Unknown) };
    let put = put_where_it_belongs(tx, entity_id, new).await?;
    if put == Put::Done(())
        && let Some(act) = NewAct::agreement_changed(&there, new, entity_id, who)
    {
        audit::append(tx, &act).await?;
    }
    Ok(put)
}

async fn put_where_it_belongs(tx: &Tx, entity_id: Uuid, new: &AdminAgreement) -> Done<Put> {
    let sql = "SELECT count(*) FROM branches WHERE id = ANY($1::uuid[]) AND entity_id = $2";
    let own = tx.row(sql, &[&new.branches, &entity_id]).await?.count(0)?;
    if own as usize != new.branches.len() {
        return Ok(Put::BranchElsewhere);
    }
    put_agreement(tx, entity_id, new).await?;
    Ok(Put::Done(()))
}

#[async_trait]
impl Businesses for PostgresStore {
    async fn entities(&self, filter: EntityFilter) -> Result<Vec<AdminEntity>> {
        let filter = Arc::new(filter);
        self.0
            .read(move |tx| {
                let filter = Arc::clone(&filter);
                Box::pin(async move { entities(tx, &filter).await })
            })
            .await
    }

    async fn entity(&self, id: Uuid, today: Date) -> Result<Option<AdminEntityDetail>> {
        self.0.read(move |tx| Box::pin(detail(tx, id, today))).await
    }

    async fn add_entity(&self, entity: Entity, act: Act) -> Result<Put> {
        let asked = Arc::new((entity, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { add_entity(tx, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn rename_entity(&self, id: Uuid, name: String, act: Act) -> Result<Put> {
        let asked = Arc::new((name, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { rename_entity(tx, id, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn add_branch(&self, new: NewBranch, act: Act) -> Result<Put<AdminBranch>> {
        let asked = Arc::new((new, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { add_branch(tx, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn change_branch(&self, id: Uuid, change: ChangeBranch, act: Act) -> Result<Put<AdminBranch>> {
        let asked = Arc::new((change, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { change_branch(tx, id, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn add_agreement(&self, entity_id: Uuid, agreement: AdminAgreement, act: Act) -> Result<Put> {
        let asked = Arc::new((agreement, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { add_agreement(tx, entity_id, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn change_agreement(&self, agreement: AdminAgreement, act: Act) -> Result<Put> {
        let asked = Arc::new((agreement, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { change_agreement(tx, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn usage_by_entity(&self, from: Date, to: Date) -> Result<Vec<EntityUsage>> {
        self.0.read(move |tx| Box::pin(business_usage::by_entity(tx, from, to))).await
    }
}
