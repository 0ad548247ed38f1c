//! What happened on some days, by entity and branch.

use hanna_domain::colombia;
use hanna_wire::admin::business::{EntityUsage, UsageCounts};
use hanna_wire::me::{Branch, Entity};
use jiff::civil::Date;
use tokio_postgres::Row;

use super::columns::{Columns, Moment};
use super::fault::Done;
use super::pool::Tx;
use crate::store::business_usage;

/// From `$1` on, before `$2`. Uses are read entity by entity, as their index has them.
const USAGE: &str = "
    WITH looked AS MATERIALIZED (
        SELECT branch_id, count(*) AS lookups FROM lookups
        WHERE NOT regular AND asked_at >= $1 AND asked_at < $2 GROUP BY branch_id
    ), used AS MATERIALIZED (
        SELECT u.entity_id, u.branch_id, u.kind || u.number AS person, v.id IS NOT NULL AS is_voided
        FROM entities e
        CROSS JOIN LATERAL (SELECT * FROM usage_reports u
                            WHERE u.entity_id = e.id AND u.occurred_at >= $1 AND u.occurred_at < $2) AS u
        LEFT JOIN voids v ON v.report_id = u.id
    ), at_branch AS MATERIALIZED (
        SELECT branch_id, count(*) FILTER (WHERE NOT is_voided) AS uses, count(*) FILTER (WHERE is_voided) AS voided,
               count(DISTINCT person) FILTER (WHERE NOT is_voided) AS people
        FROM used GROUP BY branch_id
    ), at_entity AS MATERIALIZED (
        SELECT entity_id, count(DISTINCT person) AS people FROM used WHERE NOT is_voided GROUP BY entity_id
    )
    SELECT e.id, e.nit, e.name, coalesce(t.people, 0), b.id, b.code, b.name, b.city, coalesce(l.lookups, 0),
           coalesce(a.uses, 0), coalesce(a.voided, 0), coalesce(a.people, 0)
    FROM entities e
    LEFT JOIN at_entity t ON t.entity_id = e.id
    LEFT JOIN branches b ON b.entity_id = e.id
    LEFT JOIN looked l ON l.branch_id = b.id
    LEFT JOIN at_branch a ON a.branch_id = b.id
    ORDER BY e.name COLLATE \"C\", e.nit, b.code";

pub async fn by_entity(tx: &Tx, from: Date, to: Date) -> Done<Vec<EntityUsage>> {
    let (begin, end) = colombia::days(from, to);
    let rows = tx.rows(USAGE, &[&Moment(begin), &Moment(end)]).await?;
    let lines = rows.iter().map(line).collect::<Done<Vec<_>>>()?;
    Ok(business_usage::by_entity(lines))
}

fn line(row: &Row) -> Done<business_usage::UsageLine> {
    let count = |at: usize| row.value::<i64>(at).map(i64::unsigned_abs);
    let entity = Entity { id: row.value(0)?, nit: row.value(1)?, name: row.value(2)? };
    let branch = match row.value(4)? {
        Some(id) => {
            let branch = Branch { id, code: row.value(5)?, name: row.value(6)?, city: row.value(7)? };
            let counts =
                UsageCounts { lookups: count(8)?, uses: count(9)?, voided: count(10)?, people: count(11)? };
            Some((branch, counts))
        }
        None => None,
    };
    Ok((entity, count(3)?, branch))
}
