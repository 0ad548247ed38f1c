//! Reported uses: judged, kept and counted. One that was taken back stays on record and does not count.

use hanna_domain::{Document, Statement, UsedToday, colombia};
use jiff::civil::Date;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::columns::{Day, Micros, Word};
use super::organisation::Standing;
use crate::store::Arrival;
use crate::usage::{Known, Ruling, rule};

pub fn judge(
    tx: &Connection,
    standing: &mut Standing,
    arrival: &Arrival,
    statement: &Statement,
) -> rusqlite::Result<Ruling> {
    let of_this_entity = statement.entity_id == standing.entity_id()
        && standing.has(tx, statement.branch_id, arrival.author_id)?;
    let day = colombia::day_of(arrival.occurred_at);
    Ok(rule(&Known {
        of_this_entity,
        agreement: standing.agreement_on(tx, statement.branch_id, day)?,
        uses_that_day: count(tx, statement, day)?,
    }))
}

fn count(tx: &Connection, statement: &Statement, day: Date) -> rusqlite::Result<u32> {
    let document = &statement.document;
    tx.prepare_cached(
        "SELECT count(*) FROM usage_reports u
         WHERE u.number = ?1 AND u.kind = ?2 AND u.entity_id = ?3 AND u.day = ?4
           AND NOT EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)",
    )?
    .query_row(params![document.number(), Word(document.kind()), statement.entity_id, Day(day)], |row| {
        row.get(0)
    })
}

/// The uses of a person at an entity on one day, oldest first.
pub fn of_day(
    tx: &Connection,
    entity_id: Uuid,
    document: &Document,
    day: Date,
) -> rusqlite::Result<Vec<UsedToday>> {
    tx.prepare_cached(
        "SELECT u.occurred_us, b.name FROM usage_reports u JOIN branches b ON b.id = u.branch_id
         WHERE u.number = ?1 AND u.kind = ?2 AND u.entity_id = ?3 AND u.day = ?4
           AND NOT EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)
         ORDER BY u.occurred_us, u.id",
    )?
    .query_map(params![document.number(), Word(document.kind()), entity_id, Day(day)], |row| {
        Ok(UsedToday { occurred_at: row.get::<_, Micros>(0)?.0, branch_name: row.get(1)? })
    })?
    .collect()
}

pub fn keep(tx: &Connection, arrival: &Arrival, statement: &Statement) -> rusqlite::Result<()> {
    let affiliate = statement.affiliate.as_ref();
    tx.prepare_cached(
        "INSERT INTO usage_reports
             (id, statement_id, lookup_id, entity_id, branch_id, author_id, occurred_us, day,
              kind, number, affiliate_name, tariff, company_name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        arrival.id,
        statement.jti,
        statement.lookup_id,
        statement.entity_id,
        statement.branch_id,
        arrival.author_id,
        Micros(arrival.occurred_at),
        Day(colombia::day_of(arrival.occurred_at)),
        Word(statement.document.kind()),
        statement.document.number(),
        // A usable statement always has a person: `Verifier` refuses any other.
        affiliate.map(hanna_domain::Affiliate::full_name).unwrap_or_default(),
        Word(statement.tariff),
        affiliate.and_then(|affiliate| affiliate.company.as_ref()).map(|company| &company.name),
    ])?;
    Ok(())
}
