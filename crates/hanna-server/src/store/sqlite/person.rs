//! What is recorded of one person.

use hanna_domain::{Document, Reason};
use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde_json::Value;

use super::columns::{Json, Micros, Word};
use super::{audit, history, lookups, retention};
use crate::audit::{Access, Consulted, NewAct, PersonLookups, PersonalData, RegisteredPerson, verdict_of};
use crate::store::LookupRange;

/// Who looked up the person of whom the act is; then appends the act.
pub fn who_asked(tx: &Transaction<'_>, range: LookupRange, act: &NewAct) -> rusqlite::Result<PersonLookups> {
    let accesses = if range.after.is_none() { accesses(tx, act)? } else { Vec::new() };
    let kept_from = retention::kept_from(tx)?;
    let found = PersonLookups { lookups: consulted(tx, range, act)?, accesses, kept_from };
    audit::append(tx, act)?;
    Ok(found)
}

/// Everything there is about a person; then appends the act.
pub fn data(tx: &Transaction<'_>, document: Document, act: &NewAct) -> rusqlite::Result<PersonalData> {
    let registered = lookups::affiliate_of(tx, &document)?
        .map(|affiliate| {
            let (company_nit, imported_at) = registration(tx, &document)?;
            Ok::<_, rusqlite::Error>(RegisteredPerson { affiliate, company_nit, imported_at })
        })
        .transpose()?;
    let uses = history::of_person(tx, &document)?;
    Ok(PersonalData { document, registered, lookups: who_asked(tx, LookupRange::ALL, act)?, uses })
}

fn registration(tx: &Transaction<'_>, document: &Document) -> rusqlite::Result<(Option<String>, Timestamp)> {
    tx.query_row(
        "SELECT c.nit, i.began_us FROM affiliates a JOIN imports i ON i.id = a.import_id
         LEFT JOIN companies c ON c.id = a.company_id
         WHERE a.number = ?1 AND a.kind = ?2",
        params![document.number(), Word(document.kind())],
        |row| Ok((row.get(0)?, row.get::<_, Micros>(1)?.0)),
    )
}

fn consulted(tx: &Transaction<'_>, range: LookupRange, act: &NewAct) -> rusqlite::Result<Vec<Consulted>> {
    let answer = |row: &Row<'_>| {
        let reasons: Vec<Reason> = row.get::<_, Option<Json<_>>>(10)?.map(|json| json.0).unwrap_or_default();
        // Only a copy's answer has its verdict in words.
        let of_copy = row.get::<_, Option<Word<_>>>(11)?.map(|word| word.0);
        let usable = row.get::<_, Option<bool>>(9)?.unwrap_or_default();
        Ok(Consulted {
            lookup_id: row.get(0)?,
            answer_id: row.get(1)?,
            answered_at: row.get::<_, Micros>(2)?.0,
            entity_name: row.get(3)?,
            branch_name: row.get(4)?,
            device_name: row.get(5)?,
            operator_name: row.get(6)?,
            purpose: row.get(7)?,
            regular: row.get(8)?,
            from_copy: of_copy.is_some(),
            verdict: of_copy.unwrap_or_else(|| verdict_of(usable, &reasons)),
            reasons,
        })
    };
    let (at, id) = range.after.unzip();
    tx.prepare(
        "SELECT l.id, given.answer_id, given.at_us, e.name, b.name, d.name, a.display_name, l.purpose, l.regular, given.usable,
                given.reasons, given.verdict
         FROM (
             SELECT l.id, s.id AS answer_id, s.issued_us AS at_us, s.usable, s.reasons, NULL AS verdict
             FROM lookups l JOIN statements s ON s.lookup_id = l.id WHERE l.document_mac = ?1
             UNION ALL
             SELECT l.id, o.id, o.occurred_us, NULL, NULL, o.verdict
             FROM lookups l JOIN offline_lookups o ON o.lookup_id = l.id WHERE l.document_mac = ?1
         ) given
         JOIN lookups l ON l.id = given.id
         JOIN entities e ON e.id = l.entity_id
         JOIN branches b ON b.id = l.branch_id
         JOIN devices d ON d.id = l.device_id
         JOIN accounts a ON a.id = l.account_id
         WHERE ?2 IS NULL OR (given.at_us, given.answer_id) < (?2, ?3)
         ORDER BY given.at_us DESC, given.answer_id DESC LIMIT ?4",
    )?
    .query_map(params![act.document, at.map(Micros), id, range.limit], answer)?
    .collect()
}

fn accesses(tx: &Transaction<'_>, act: &NewAct) -> rusqlite::Result<Vec<Access>> {
    let access = |row: &Row<'_>| {
        let said: Option<Value> = row.get::<_, Option<Json<_>>>(3)?.map(|json| json.0);
        let text = |name: &str| said.as_ref().and_then(|said| said[name].as_str()).map(str::to_owned);
        Ok(Access {
            at: row.get::<_, Micros>(0)?.0,
            act: row.get::<_, Word<_>>(1)?.0,
            account_name: row.get(2)?,
            by: text("by"),
            purpose: text("purpose"),
        })
    };
    tx.prepare(
        "SELECT u.at_us, u.act, a.display_name, u.said FROM audit u LEFT JOIN accounts a ON a.id = u.account_id
         WHERE u.document_mac = ?1 ORDER BY u.at_us DESC, u.id DESC",
    )?
    .query_map([act.document], access)?
    .collect()
}
