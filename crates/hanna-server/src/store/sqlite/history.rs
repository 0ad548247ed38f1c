//! Reported uses with their voids, newest first, page by page.

use hanna_domain::{Document, UsageState};
use hanna_wire::outbox::OutcomeKind;
use hanna_wire::usage::{UsageRow, UsageTotal, UsageVoid};
use rusqlite::types::ToSql;
use rusqlite::{Row, Transaction};

use super::columns::{Micros, Word};
use crate::audit::PersonUse;
use crate::store::UsageFilter;

pub fn usage_reports(tx: &Transaction<'_>, filter: &UsageFilter) -> rusqlite::Result<Vec<UsageRow>> {
    let range = [Micros(filter.from), Micros(filter.to)];
    let (mut conditions, mut values) = seen(filter, &range);
    let after = filter.after.map(|(occurred_at, id)| (Micros(occurred_at), id));
    if let Some((occurred_at, id)) = &after {
        conditions += " AND (u.occurred_us, u.id) < (?, ?)";
        values.extend([occurred_at as &dyn ToSql, id]);
    }
    values.push(&filter.limit);
    rows(tx, &conditions, "LIMIT ?", &values, usage_row)
}

/// What the uses of `filter`, in `range`, are found by, wherever a page ended.
fn seen<'a>(filter: &'a UsageFilter, range: &'a [Micros; 2]) -> (String, Vec<&'a dyn ToSql>) {
    let mut conditions = "u.entity_id = ? AND u.occurred_us >= ? AND u.occurred_us < ?".to_owned();
    let mut values: Vec<&dyn ToSql> = vec![&filter.entity_id, &range[0], &range[1]];
    if let Some(branches) = &filter.branches {
        conditions += " AND u.branch_id IN (";
        conditions += &vec!["?"; branches.len()].join(", ");
        conditions += ")";
        values.extend(branches.iter().map(|branch| branch as &dyn ToSql));
    }
    (conditions, values)
}

/// See [`crate::store::Store::usage_totals`].
pub fn totals(tx: &Transaction<'_>, filter: &UsageFilter) -> rusqlite::Result<Vec<UsageTotal>> {
    let range = [Micros(filter.from), Micros(filter.to)];
    let (conditions, mut values) = seen(filter, &range);
    let noted = Word(OutcomeKind::AcceptedWithNote);
    let count = |row: &Row<'_>, at| row.get(at).map(|count: i64| u64::try_from(count).unwrap_or(0));
    values.insert(0, &noted);
    tx.prepare_cached(&format!(
        "SELECT b.id, b.name, u.tariff, count(*) FILTER (WHERE v.id IS NULL),
                count(*) FILTER (WHERE v.id IS NULL AND i.outcome = ?), count(v.id)
         FROM usage_reports u
         JOIN outbox_items i ON i.id = u.id
         JOIN branches b ON b.id = u.branch_id
         LEFT JOIN voids v ON v.report_id = u.id
         WHERE {conditions}
         GROUP BY b.id, b.name, u.tariff
         ORDER BY b.name, b.id, u.tariff"
    ))?
    .query_map(values.as_slice(), |row| {
        Ok(UsageTotal {
            branch_id: row.get(0)?,
            branch_name: row.get(1)?,
            tariff: row.get::<_, Word<_>>(2)?.0,
            uses: count(row, 3)?,
            noted: count(row, 4)?,
            voided: count(row, 5)?,
        })
    })?
    .collect()
}

/// Every use of a person, with the entity's name.
pub fn of_person(tx: &Transaction<'_>, document: &Document) -> rusqlite::Result<Vec<PersonUse>> {
    let values: [&dyn ToSql; 2] = [&document.number(), &Word(document.kind())];
    rows(tx, "u.number = ? AND u.kind = ?", "", &values, |row| {
        Ok(PersonUse { entity_name: row.get("entity_name")?, row: usage_row(row)? })
    })
}

/// The rows for which `conditions` hold, newest first.
fn rows<T>(
    tx: &Transaction<'_>,
    conditions: &str,
    limit: &str,
    values: &[&dyn ToSql],
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    tx.prepare_cached(&format!(
        "SELECT u.id, u.occurred_us, u.kind, u.number, u.affiliate_name, u.tariff, u.company_name, u.branch_id,
                b.name AS branch_name, a.display_name AS operator_name, i.outcome, i.code,
                i.sequence, i.device_us, i.received_us, e.name AS entity_name,
                v.id AS void_id, v.occurred_us AS void_us, va.display_name AS void_operator, v.reason, v.text
         FROM usage_reports u
         JOIN outbox_items i ON i.id = u.id
         JOIN branches b ON b.id = u.branch_id
         JOIN entities e ON e.id = u.entity_id
         JOIN accounts a ON a.id = u.author_id
         LEFT JOIN voids v ON v.report_id = u.id
         LEFT JOIN accounts va ON va.id = v.author_id
         WHERE {conditions}
         ORDER BY u.occurred_us DESC, u.id DESC
         {limit}"
    ))?
    .query_map(values, read)?
    .collect()
}

fn usage_row(row: &Row<'_>) -> rusqlite::Result<UsageRow> {
    let number: String = row.get("number")?;
    let document = Document::parse(row.get::<_, Word<_>>("kind")?.0, &number).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, error.into())
    })?;
    Ok(UsageRow {
        id: row.get("id")?,
        occurred_at: row.get::<_, Micros>("occurred_us")?.0,
        document,
        affiliate_name: row.get("affiliate_name")?,
        tariff: row.get::<_, Word<_>>("tariff")?.0,
        company_name: row.get("company_name")?,
        branch_id: row.get("branch_id")?,
        branch_name: row.get("branch_name")?,
        operator_name: row.get("operator_name")?,
        state: match row.get::<_, Word<OutcomeKind>>("outcome")?.0 {
            OutcomeKind::AcceptedWithNote => UsageState::AcceptedWithNote,
            // Only what was accepted has a row.
            OutcomeKind::Accepted | OutcomeKind::Refused | OutcomeKind::Retry => UsageState::Accepted,
        },
        code: row.get::<_, Option<Word<_>>>("code")?.map(|word| word.0),
        device_time: row.get::<_, Option<Micros>>("device_us")?.map(|device_time| device_time.0),
        received_at: row.get::<_, Micros>("received_us")?.0,
        sequence: row.get("sequence")?,
        void: void(row)?,
    })
}

fn void(row: &Row<'_>) -> rusqlite::Result<Option<UsageVoid>> {
    let Some(id) = row.get("void_id")? else { return Ok(None) };
    Ok(Some(UsageVoid {
        id,
        occurred_at: row.get::<_, Micros>("void_us")?.0,
        operator_name: row.get("void_operator")?,
        reason: row.get::<_, Word<_>>("reason")?.0,
        text: row.get("text")?,
    }))
}
