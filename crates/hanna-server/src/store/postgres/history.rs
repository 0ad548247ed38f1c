//! Reported uses with their voids, newest first, page by page.

use hanna_domain::{Document, UsageState};
use hanna_wire::outbox::OutcomeKind;
use hanna_wire::usage::{UsageRow, UsageTotal, UsageVoid};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::columns::{Columns, Moment};
use super::fault::{Done, Trouble};
use super::pool::{Params, Tx};
use crate::audit::PersonUse;
use crate::store::UsageFilter;
use crate::store::words::Word;

pub async fn usage_reports(tx: &Tx, filter: &UsageFilter) -> Done<Vec<UsageRow>> {
    let (from, to) = (Moment(filter.from), Moment(filter.to));
    let limit = i64::from(filter.limit);
    let mut conditions = vec!["u.entity_id = $1 AND u.occurred_at >= $2 AND u.occurred_at < $3".to_owned()];
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&filter.entity_id, &from, &to, &limit];
    if let Some(branches) = &filter.branches {
        values.push(branches);
        conditions.push(format!("u.branch_id = ANY(${})", values.len()));
    }
    let after = filter.after.map(|(occurred_at, id)| (Moment(occurred_at), id));
    if let Some((occurred_at, id)) = &after {
        values.push(occurred_at);
        values.push(id);
        conditions.push(format!("(u.occurred_at, u.id) < (${}, ${})", values.len() - 1, values.len()));
    }
    let conditions = conditions.join(" AND ");
    rows(tx, &conditions, "LIMIT $4", &values).await?.iter().map(usage_row).collect()
}

/// See [`crate::store::Store::usage_totals`].
pub async fn totals(tx: &Tx, filter: &UsageFilter) -> Done<Vec<UsageTotal>> {
    let (from, to, noted) = (Moment(filter.from), Moment(filter.to), Word(OutcomeKind::AcceptedWithNote));
    let sql = "
        SELECT b.id, b.name, u.tariff, count(*) FILTER (WHERE v.id IS NULL),
               count(*) FILTER (WHERE v.id IS NULL AND i.outcome = $5), count(v.id)
        FROM usage_reports u
        JOIN outbox_items i ON i.id = u.id
        JOIN branches b ON b.id = u.branch_id
        LEFT JOIN voids v ON v.report_id = u.id
        WHERE u.entity_id = $1 AND u.occurred_at >= $2 AND u.occurred_at < $3
              AND ($4::uuid[] IS NULL OR u.branch_id = ANY($4))
        GROUP BY b.id, b.name, u.tariff
        ORDER BY b.name COLLATE \"C\", b.id, u.tariff";
    let rows = tx.rows(sql, &[&filter.entity_id, &from, &to, &filter.branches, &noted]).await?;
    let count = |row: &Row, at| row.value::<i64>(at).map(|count| u64::try_from(count).unwrap_or(0));
    rows.iter()
        .map(|row| {
            Ok(UsageTotal {
                branch_id: row.value(0)?,
                branch_name: row.value(1)?,
                tariff: row.word(2)?,
                uses: count(row, 3)?,
                noted: count(row, 4)?,
                voided: count(row, 5)?,
            })
        })
        .collect()
}

/// Every use of a person, with the entity's name.
pub async fn of_person(tx: &Tx, document: &Document) -> Done<Vec<PersonUse>> {
    let values: [&(dyn ToSql + Sync); 2] = [&document.number(), &document.kind().code()];
    let rows = rows(tx, "u.number = $1 AND u.kind = $2", "", &values).await?;
    rows.iter().map(|row| Ok(PersonUse { entity_name: row.value(20)?, row: usage_row(row)? })).collect()
}

/// The rows for which `conditions` hold, newest first.
async fn rows(tx: &Tx, conditions: &str, limit: &str, values: Params<'_>) -> Done<Vec<Row>> {
    tx.rows(
        &format!(
            "SELECT u.id, u.occurred_at, u.kind, u.number, u.affiliate_name, u.tariff, u.company_name, u.branch_id,
                    b.name, a.display_name, i.outcome, i.code, i.device_time, i.received_at, i.sequence,
                    v.id, v.occurred_at, va.display_name, v.reason, v.text, e.name
             FROM usage_reports u
             JOIN outbox_items i ON i.id = u.id
             JOIN branches b ON b.id = u.branch_id
             JOIN entities e ON e.id = u.entity_id
             JOIN accounts a ON a.id = u.author_id
             LEFT JOIN voids v ON v.report_id = u.id
             LEFT JOIN accounts va ON va.id = v.author_id
             WHERE {conditions}
             ORDER BY u.occurred_at DESC, u.id DESC
             {limit}"
        ),
        values,
    )
    .await
}

fn usage_row(row: &Row) -> Done<UsageRow> {
    let document = Document::parse(row.word(2)?, &row.value::<String>(3)?)
        .map_err(|error| Trouble::Unreadable(error.into()))?;
    Ok(UsageRow {
        id: row.value(0)?,
        occurred_at: row.moment(1)?,
        document,
        affiliate_name: row.value(4)?,
        tariff: row.word(5)?,
        company_name: row.value(6)?,
        branch_id: row.value(7)?,
        branch_name: row.value(8)?,
        operator_name: row.value(9)?,
        state: match row.word(10)? {
            OutcomeKind::AcceptedWithNote => UsageState::AcceptedWithNote,
            // Only what was accepted has a row.
            OutcomeKind::Accepted | OutcomeKind::Refused | OutcomeKind::Retry => UsageState::Accepted,
        },
        code: row.word_or_none(11)?,
        device_time: Some(row.moment(12)?),
        received_at: row.moment(13)?,
        sequence: row.value(14)?,
        void: void(row)?,
    })
}

fn void(row: &Row) -> Done<Option<UsageVoid>> {
    let Some(id) = row.value(15)? else { return Ok(None) };
    Ok(Some(UsageVoid {
        id,
        occurred_at: row.moment(16)?,
        operator_name: row.value(17)?,
        reason: row.word(18)?,
        text: row.value(19)?,
    }))
}
