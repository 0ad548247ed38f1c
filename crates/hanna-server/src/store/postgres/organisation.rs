//! Entities, their branches and agreements, and what an account sees of them.

use std::collections::HashMap;

use hanna_wire::me::{Branch, Entity, Operator, Role};
use jiff::civil::Date;
use tokio_postgres::Row;
use uuid::Uuid;

use super::businesses::{terms, terms_columns};
use super::columns::Columns;
use super::fault::Done;
use super::pool::Tx;
use crate::agreement;
use crate::store::{ApplicationRow, Surroundings};
use hanna_wire::agreement::AgreementTerms;

pub async fn surroundings(tx: &Tx, account_id: Uuid, today: Date) -> Done<Option<Surroundings>> {
    let account = tx
        .row_or_none(
            "SELECT a.id, a.username, a.display_name, e.id, e.nit, e.name,
                    ARRAY(SELECT r.role FROM account_roles r WHERE r.account_id = a.id ORDER BY r.role)
             FROM accounts a LEFT JOIN entities e ON e.id = a.entity_id
             WHERE a.id = $1",
            &[&account_id],
        )
        .await?;
    let Some(row) = account else { return Ok(None) };
    let entity = match row.value::<Option<Uuid>>(3)? {
        Some(id) => Some(Entity { id, nit: row.value(4)?, name: row.value(5)? }),
        None => None,
    };
    let branches = tx
        .rows(
            "SELECT b.id, b.code, b.name, b.city FROM branches b
             JOIN account_branches ab ON ab.branch_id = b.id
             WHERE ab.account_id = $1 AND b.closed_at IS NULL ORDER BY b.code",
            &[&account_id],
        )
        .await?;
    let branches = branches.iter().map(branch).collect::<Done<Vec<Branch>>>()?;
    let ids: Vec<Uuid> = branches.iter().map(|branch| branch.id).collect();
    let mut of_branches = agreements(&tx.rows(AGREEMENTS, &[&ids, &Vec::<Uuid>::new()]).await?)?;
    let applications = tx
        .rows(
            "SELECT code, state, reason FROM applications WHERE entity_id = $1 ORDER BY code",
            &[&entity.as_ref().map(|entity| entity.id)],
        )
        .await?;
    Ok(Some(Surroundings {
        operator: Operator { id: row.value(0)?, username: row.value(1)?, display_name: row.value(2)? },
        entity,
        roles: row.words::<Role>(6)?,
        agreements: ids
            .iter()
            .filter_map(|id| agreement::of_day(today, of_branches.remove(id).unwrap_or_default()))
            .collect(),
        branches,
        applications: applications
            .iter()
            .map(|row| Ok(ApplicationRow { code: row.value(0)?, state: row.word(1)?, reason: row.value(2)? }))
            .collect::<Done<_>>()?,
    }))
}

pub async fn branches(tx: &Tx, entity_id: Uuid) -> Done<Vec<Branch>> {
    let sql = "SELECT b.id, b.code, b.name, b.city FROM branches b WHERE b.entity_id = $1 ORDER BY b.code";
    tx.rows(sql, &[&entity_id]).await?.iter().map(branch).collect()
}

fn branch(row: &Row) -> Done<Branch> {
    Ok(Branch { id: row.value(0)?, code: row.value(1)?, name: row.value(2)?, city: row.value(3)? })
}

/// The agreements of branches (`$1`), and of the branches of reported uses (`$2`).
pub const AGREEMENTS: &str = concat!(
    "SELECT gb.branch_id, ",
    terms_columns!(),
    " FROM agreement_branches gb JOIN agreements g ON g.id = gb.agreement_id
     WHERE gb.branch_id = ANY($1::uuid[] || ARRAY(SELECT u.branch_id FROM usage_reports u WHERE u.id = ANY($2::uuid[])))"
);

/// The rows of [`AGREEMENTS`], by branch.
pub fn agreements(rows: &[Row]) -> Done<HashMap<Uuid, Vec<AgreementTerms>>> {
    let mut of_branches: HashMap<Uuid, Vec<AgreementTerms>> = HashMap::new();
    for row in rows {
        of_branches.entry(row.value(0)?).or_default().push(terms(row, 1)?);
    }
    Ok(of_branches)
}
