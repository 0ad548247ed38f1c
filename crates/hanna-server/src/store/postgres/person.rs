//! What is recorded of one person.

use hanna_domain::{Document, Reason, Verdict};
use tokio_postgres::Row;

use super::audit::{self, Said};
use super::columns::{Bytes32, Columns, Moment};
use super::fault::Done;
use super::pool::Tx;
use super::{history, lookups, retention};
use crate::audit::{Access, Consulted, NewAct, PersonLookups, PersonalData, RegisteredPerson, verdict_of};
use crate::store::LookupRange;
use crate::store::words::Word;

const CONSULTED: &str = "
    SELECT l.id, given.answer_id, given.at, e.name, b.name, d.name, a.display_name, l.purpose, l.regular, given.usable,
           given.reasons, given.verdict
    FROM (
        SELECT l.id, s.id AS answer_id, s.issued_at AS at, s.usable, s.reasons, NULL AS verdict
        FROM lookups l JOIN statements s ON s.lookup_id = l.id WHERE l.document_mac = $1
        UNION ALL
        SELECT l.id, o.id, o.occurred_at, NULL, NULL, o.verdict
        FROM lookups l JOIN offline_lookups o ON o.lookup_id = l.id WHERE l.document_mac = $1
    ) AS given
    JOIN lookups l ON l.id = given.id
    JOIN entities e ON e.id = l.entity_id
    JOIN branches b ON b.id = l.branch_id
    JOIN devices d ON d.id = l.device_id
    JOIN accounts a ON a.id = l.account_id
    WHERE $2::timestamptz IS NULL OR (given.at, given.answer_id) < ($2, $3::uuid)
    ORDER BY given.at DESC, given.answer_id DESC LIMIT $4";
const ACCESSES: &str = "
    SELECT u.at, u.act, a.display_name, u.said FROM audit u LEFT JOIN accounts a ON a.id = u.account_id
    WHERE u.document_mac = $1 ORDER BY u.at DESC, u.id DESC";

/// Who looked up the person of whom the act is; then appends the act.
pub async fn who_asked(tx: &Tx, range: LookupRange, act: &NewAct) -> Done<PersonLookups> {
    let mac = act.document.map(Bytes32::from);
    let (at, id) = range.after.unzip();
    let rows = tx.rows(CONSULTED, &[&mac, &at.map(Moment), &id, &i64::from(range.limit)]).await?;
    let lookups = rows.iter().map(consulted).collect::<Done<_>>()?;
    let rows = if range.after.is_none() { tx.rows(ACCESSES, &[&mac]).await? } else { Vec::new() };
    let accesses = rows.iter().map(access).collect::<Done<_>>()?;
    audit::append(tx, act).await?;
    let kept_from = retention::kept_from(tx).await?;
    Ok(PersonLookups { lookups, accesses, kept_from })
}

/// Everything there is about a person; then appends the act.
pub async fn data(tx: &Tx, document: &Document, act: &NewAct) -> Done<PersonalData> {
    let registered = match lookups::affiliate_of(tx, document).await? {
        None => None,
        Some(affiliate) => {
            let row = tx
                .row(
                    "SELECT c.nit, i.began_at FROM affiliates a JOIN imports i ON i.id = a.import_id
                     LEFT JOIN companies c ON c.id = a.company_id
                     WHERE a.number = $1 AND a.kind = $2",
                    &[&document.number(), &Word(document.kind())],
                )
                .await?;
            let (company_nit, imported_at) = (row.value(0)?, row.moment(1)?);
            Some(RegisteredPerson { affiliate, company_nit, imported_at })
        }
    };
    let uses = history::of_person(tx, document).await?;
    Ok(PersonalData {
        document: document.clone(),
        registered,
        lookups: who_asked(tx, LookupRange::ALL, act).await?,
        uses,
    })
}

fn consulted(row: &Row) -> Done<Consulted> {
    let reasons: Vec<Reason> =
        row.value::<Option<Vec<Word<_>>>>(10)?.unwrap_or_default().into_iter().map(|word| word.0).collect();
    // Only a copy's answer has its verdict in words.
    let of_copy: Option<Verdict> = row.word_or_none(11)?;
    let usable = row.value::<Option<bool>>(9)?.unwrap_or_default();
    Ok(Consulted {
        lookup_id: row.value(0)?,
        answer_id: row.value(1)?,
        answered_at: row.moment(2)?,
        entity_name: row.value(3)?,
        branch_name: row.value(4)?,
        device_name: row.value(5)?,
        operator_name: row.value(6)?,
        purpose: row.value(7)?,
        regular: row.value(8)?,
        from_copy: of_copy.is_some(),
        verdict: of_copy.unwrap_or_else(|| verdict_of(usable, &reasons)),
        reasons,
    })
}

fn access(row: &Row) -> Done<Access> {
    let said = row.value::<Option<Said>>(3)?.map(|said| said.0);
    let text = |name: &str| said.as_ref().and_then(|said| said[name].as_str()).map(str::to_owned);
    Ok(Access {
        at: row.moment(0)?,
        act: row.word(1)?,
        account_name: row.value(2)?,
        by: text("by"),
        purpose: text("purpose"),
    })
}
