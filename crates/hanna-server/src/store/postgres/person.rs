//! What is recorded of one person.

use hanna_domain::{Document, Reason, Verdict};
use tokio_postgres::Row;

use super::audit::{self, Said};
use super::columns::{Bytes32, Columns};
use super::fault::Done;
use super::pool::Tx;
use super::{history, lookups};
use crate::audit::{Access, Consulted, NewAct, PersonLookups, PersonalData, RegisteredPerson};
use crate::store::words::Word;

const CONSULTED: &str = "
    SELECT l.id, given.at, e.name, b.name, d.name, a.display_name, l.purpose, l.regular, given.usable, given.reasons,
           given.verdict
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
    ORDER BY given.at, given.answer_id";

/// Who looked up the person of whom the act is; then appends the act.
pub async fn who_asked(tx: &Tx, act: &NewAct) -> Done<PersonLookups> {
    let mac = act.document.map(Bytes32::from);
    let lookups = tx.rows(CONSULTED, &[&mac]).await?.iter().map(consulted).collect::<Done<_>>()?;
    let sql = "SELECT at, act, account_id, said FROM audit WHERE document_mac = $1 ORDER BY at, id";
    let accesses = tx.rows(sql, &[&mac]).await?.iter().map(access).collect::<Done<_>>()?;
    audit::append(tx, act).await?;
    Ok(PersonLookups { lookups, accesses })
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
    Ok(PersonalData { document: document.clone(), registered, lookups: who_asked(tx, act).await?, uses })
}

fn consulted(row: &Row) -> Done<Consulted> {
    let reasons: Vec<Reason> =
        row.value::<Option<Vec<Word<_>>>>(9)?.unwrap_or_default().into_iter().map(|word| word.0).collect();
    // Only a copy's answer has its verdict in words.
    let of_copy: Option<Verdict> = row.word_or_none(10)?;
    let usable = row.value::<Option<bool>>(8)?.unwrap_or_default();
    Ok(Consulted {
        lookup_id: row.value(0)?,
        answered_at: row.moment(1)?,
        entity_name: row.value(2)?,
        branch_name: row.value(3)?,
        device_name: row.value(4)?,
        operator_name: row.value(5)?,
        purpose: row.value(6)?,
        regular: row.value(7)?,
        from_copy: of_copy.is_some(),
        verdict: of_copy.unwrap_or_else(|| Consulted::verdict(usable, &reasons)),
        reasons,
    })
}

fn access(row: &Row) -> Done<Access> {
    let said = row.value::<Option<Said>>(3)?.map(|said| said.0);
    let text = |name: &str| said.as_ref().and_then(|said| said[name].as_str()).map(str::to_owned);
    Ok(Access {
        at: row.moment(0)?,
        act: row.value(1)?,
        account_id: row.value(2)?,
        by: text("by"),
        purpose: text("purpose"),
    })
}
