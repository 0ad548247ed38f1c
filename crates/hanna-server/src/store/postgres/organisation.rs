//! Entities, their branches and agreements, and what an account sees of them.

use std::collections::HashMap;

use hanna_wire::me::{Branch, Entity, Operator, Role};
use jiff::civil::Date;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::Columns;
use super::fault::{Done, Trouble};
use super::pool::Tx;
use crate::agreement::Agreement;
use crate::store::{ApplicationRow, Surroundings};

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
             WHERE ab.account_id = $1 ORDER BY b.code",
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
            .filter_map(|id| Agreement::on(today, of_branches.remove(id).unwrap_or_default()))
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
pub const AGREEMENTS: &str = "
    SELECT gb.branch_id, g.first_day, g.last_day, g.tariffs, g.roles, g.daily_limit, g.over_limit, g.validity_h,
           g.void_window_min, g.offline_days_max, g.retention_days
    FROM agreement_branches gb JOIN agreements g ON g.id = gb.agreement_id
    WHERE gb.branch_id = ANY($1::uuid[] || ARRAY(SELECT u.branch_id FROM usage_reports u WHERE u.id = ANY($2::uuid[])))";

/// The rows of [`AGREEMENTS`], by branch.
pub fn agreements(rows: &[Row]) -> Done<HashMap<Uuid, Vec<Agreement>>> {
    let mut of_branches: HashMap<Uuid, Vec<Agreement>> = HashMap::new();
    for row in rows {
        let agreement = Agreement {
            first_day: row.value(1)?,
            last_day: row.value(2)?,
            tariffs: row.words(3)?,
            roles: row.words(4)?,
            daily_limit: row.count(5)?,
            over_limit: row.word(6)?,
            validity_h: u8::try_from(row.count(7)?).map_err(|error| Trouble::Unreadable(error.into()))?,
            void_window_min: row.count(8)?,
            offline_days_max: row.count(9)?,
            retention_days: row.count(10)?,
        };
        of_branches.entry(row.value(0)?).or_default().push(agreement);
    }
    Ok(of_branches)
}
