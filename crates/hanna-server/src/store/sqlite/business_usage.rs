//! What happened on some days, by entity and branch.

use hanna_domain::colombia;
use hanna_wire::admin::business::{EntityUsage, UsageCounts};
use hanna_wire::me::{Branch, Entity};
use jiff::civil::Date;
use rusqlite::{Row, Transaction, params};

use super::columns::Micros;
use crate::store::business_usage;

/// From `?1` on, before `?2`. Uses are read entity by entity, as their index has them.
const USAGE: &str = "
    WITH looked AS MATERIALIZED (
        SELECT branch_id, count(*) AS lookups FROM lookups
        WHERE regular = 0 AND asked_us >= ?1 AND asked_us < ?2 GROUP BY branch_id
    ), used AS MATERIALIZED (
        SELECT u.entity_id, u.branch_id, u.kind || u.number AS person, v.id IS NOT NULL AS is_voided
        FROM entities e
        CROSS JOIN usage_reports u ON u.entity_id = e.id AND u.occurred_us >= ?1 AND u.occurred_us < ?2
        LEFT JOIN voids v ON v.report_id = u.id
    ), at_branch AS MATERIALIZED (
        SELECT branch_id, sum(NOT is_voided) AS uses, sum(is_voided) AS voided,
               count(DISTINCT CASE WHEN NOT is_voided THEN person END) AS people
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
    ORDER BY e.name, e.nit, b.code";

pub fn by_entity(tx: &Transaction<'_>, from: Date, to: Date) -> rusqlite::Result<Vec<EntityUsage>> {
    let (begin, end) = colombia::days(from, to);
    let count = |row: &Row<'_>, at: usize| row.get::<_, i64>(at).map(i64::unsigned_abs);
    let line = |row: &Row<'_>| {
        let entity = Entity { id: row.get(0)?, nit: row.get(1)?, name: row.get(2)? };
        let branch = match row.get(4)? {
            Some(id) => {
                let branch = Branch { id, code: row.get(5)?, name: row.get(6)?, city: row.get(7)? };
                let counts = UsageCounts {
                    lookups: count(row, 8)?,
                    uses: count(row, 9)?,
                    voided: count(row, 10)?,
                    people: count(row, 11)?,
                };
                Some((branch, counts))
            }
            None => None,
        };
        Ok((entity, count(row, 3)?, branch))
    };
    let lines = tx
        .prepare_cached(USAGE)?
        .query_map(params![Micros(begin), Micros(end)], line)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(business_usage::by_entity(lines))
}
