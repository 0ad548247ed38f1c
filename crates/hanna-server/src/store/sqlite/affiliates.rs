//! Taking in affiliates and their companies, row by row, inside one transaction.
//!
//! Each row keeps which import wrote it last, and in which line. That is how a document that stands twice in one file is
//! found without keeping the file in memory: the row is already of this import.

use hanna_domain::{Affiliate, Company};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::columns::{Micros, Word};
use crate::store::{ImportCounts, ImportRow, ImportSource, RowConflict};

pub fn import(
    tx: &Transaction<'_>,
    source: &mut dyn ImportSource,
    now: Timestamp,
) -> rusqlite::Result<ImportCounts> {
    let before = count(tx)?;
    tx.execute("INSERT INTO imports (began_us, lines) VALUES (?1, 0)", [Micros(now)])?;
    let import_id = tx.last_insert_rowid();
    let mut rows = 0;
    while let Some(row) = source.next_row() {
        rows += 1;
        if let Err(conflict) = take_in(tx, import_id, &row)? {
            source.refuse(row.line, conflict);
        }
    }
    let lines = i64::try_from(source.lines()).unwrap_or(i64::MAX);
    tx.execute("UPDATE imports SET lines = ?2 WHERE id = ?1", params![import_id, lines])?;
    let added = count(tx)? - before;
    Ok(ImportCounts { added, updated: rows - added.min(rows) })
}

fn count(tx: &Transaction<'_>) -> rusqlite::Result<u64> {
    tx.query_row("SELECT count(*) FROM affiliates", [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

type Checked<T> = Result<T, RowConflict>;

fn take_in(tx: &Transaction<'_>, import_id: i64, row: &ImportRow) -> rusqlite::Result<Checked<()>> {
    let company_id = match (&row.affiliate.company, &row.company_nit) {
        (Some(company), Some(nit)) => match put_company(tx, import_id, row.line, nit, company)? {
            Ok(id) => Some(id),
            Err(conflict) => return Ok(Err(conflict)),
        },
        _ => None,
    };
    put_affiliate(tx, import_id, row, company_id)
}

fn put_company(
    tx: &Transaction<'_>,
    import_id: i64,
    line: u64,
    nit: &str,
    company: &Company,
) -> rusqlite::Result<Checked<i64>> {
    let line = i64::try_from(line).unwrap_or(i64::MAX);
    let there = tx
        .prepare_cached("SELECT id, name, status, import_id, import_line FROM companies WHERE nit = ?1")?
        .query_row([nit], |row| {
            let kept = Company { name: row.get(1)?, status: row.get::<_, Word<_>>(2)?.0 };
            Ok((row.get::<_, i64>(0)?, kept, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
        })
        .optional()?;
    match there {
        Some((id, kept, written_by, first_line)) if written_by == import_id => {
            let first_line = first_line.unsigned_abs();
            Ok(if kept == *company { Ok(id) } else { Err(RowConflict::CompanyDisagrees { first_line }) })
        }
        Some((id, ..)) => {
            tx.prepare_cached(
                "UPDATE companies SET name = ?2, status = ?3, import_id = ?4, import_line = ?5 WHERE id = ?1",
            )?
            .execute(params![id, company.name, Word(company.status), import_id, line])?;
            Ok(Ok(id))
        }
        None => {
            tx.prepare_cached(
                "INSERT INTO companies (nit, name, status, import_id, import_line) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![nit, company.name, Word(company.status), import_id, line])?;
            Ok(Ok(tx.last_insert_rowid()))
        }
    }
}

fn put_affiliate(
    tx: &Transaction<'_>,
    import_id: i64,
    row: &ImportRow,
    company_id: Option<i64>,
) -> rusqlite::Result<Checked<()>> {
    let Affiliate {
        role,
        first_surname,
        second_surname,
        first_name,
        second_name,
        status,
        tariff,
        company: _,
    } = &row.affiliate;
    let (kind, number) = (Word(row.document.kind()), row.document.number());
    let written = tx
        .prepare_cached(
            "INSERT INTO affiliates
                 (kind, number, role, first_surname, second_surname, first_name, second_name, status, tariff,
                  company_id, import_id, import_line)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (number, kind) DO UPDATE SET
                 role = excluded.role, first_surname = excluded.first_surname,
                 second_surname = excluded.second_surname, first_name = excluded.first_name,
                 second_name = excluded.second_name, status = excluded.status, tariff = excluded.tariff,
                 company_id = excluded.company_id, import_id = excluded.import_id, import_line = excluded.import_line
             WHERE affiliates.import_id <> excluded.import_id",
        )?
        .execute(params![
            kind,
            number,
            Word(*role),
            first_surname,
            second_surname,
            first_name,
            second_name,
            Word(*status),
            Word(*tariff),
            company_id,
            import_id,
            i64::try_from(row.line).unwrap_or(i64::MAX),
        ])?;
    if written == 1 {
        return Ok(Ok(()));
    }
    let first_line: i64 = tx
        .prepare_cached("SELECT import_line FROM affiliates WHERE number = ?1 AND kind = ?2")?
        .query_row(params![number, kind], |row| row.get(0))?;
    Ok(Err(RowConflict::DuplicateDocument { first_line: first_line.unsigned_abs() }))
}
