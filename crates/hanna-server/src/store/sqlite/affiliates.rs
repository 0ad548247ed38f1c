//! Taking in affiliates and their companies: gathered on a connection of the import's own, in tables of its own, and merged
//! in one transaction. Desks go on meanwhile: nothing is locked while the source is read, and whoever writes waits only for
//! the merge.
//!
//! The tables of the import are files that nobody else can open, so memory is bounded however long the source is.

use std::path::Path;

use hanna_domain::{Affiliate, Company};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::audit;
use super::columns::{Micros, Word};
use super::{connect, fault, imports};
use crate::audit::{Actor, NewAct};
use crate::store::{ImportCounts, ImportHow, ImportRow, ImportSource, Result, RowConflict, SourceState};

/// A person that stands twice, or a company that contradicts itself, is found where it is gathered.
const PREPARE: &str = "
    PRAGMA temp_store = FILE;
    CREATE TEMPORARY TABLE arrived_companies (
        nit    TEXT PRIMARY KEY NOT NULL,
        name   TEXT NOT NULL,
        status TEXT NOT NULL,
        line   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TEMPORARY TABLE arrived (
        number         TEXT NOT NULL,
        kind           TEXT NOT NULL,
        role           TEXT NOT NULL,
        first_surname  TEXT NOT NULL,
        second_surname TEXT,
        first_name     TEXT NOT NULL,
        second_name    TEXT,
        status         TEXT NOT NULL,
        tariff         TEXT NOT NULL,
        company_nit    TEXT,
        line           INTEGER NOT NULL,
        PRIMARY KEY (number, kind)
    ) STRICT, WITHOUT ROWID;";

/// Who is as before is left alone.
const COMPANIES: &str = "
    INSERT INTO companies (nit, name, status, import_id, import_line)
    SELECT nit, name, status, ?1, line FROM arrived_companies WHERE true
    ON CONFLICT (nit) DO UPDATE SET name = excluded.name, status = excluded.status, import_id = excluded.import_id,
        import_line = excluded.import_line
    WHERE (companies.name, companies.status) IS NOT (excluded.name, excluded.status)";
const AFFILIATES: &str = "
    INSERT INTO affiliates AS k (kind, number, role, first_surname, second_surname, first_name, second_name, status,
                                 tariff, company_id, import_id, import_line)
    SELECT a.kind, a.number, a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff,
           c.id, ?1, a.line
    FROM arrived a LEFT JOIN companies c ON c.nit = a.company_nit WHERE true
    ORDER BY a.number, a.kind
    ON CONFLICT (number, kind) DO UPDATE SET role = excluded.role, first_surname = excluded.first_surname,
        second_surname = excluded.second_surname, first_name = excluded.first_name, second_name = excluded.second_name,
        status = excluded.status, tariff = excluded.tariff, company_id = excluded.company_id,
        import_id = excluded.import_id, import_line = excluded.import_line
    WHERE (k.role, k.first_surname, k.second_surname, k.first_name, k.second_name, k.status, k.tariff, k.company_id)
        IS NOT (excluded.role, excluded.first_surname, excluded.second_surname, excluded.first_name,
                excluded.second_name, excluded.status, excluded.tariff, excluded.company_id)";
const REMOVE: &str = "
    DELETE FROM affiliates
    WHERE NOT EXISTS (SELECT 1 FROM arrived a WHERE a.number = affiliates.number AND a.kind = affiliates.kind)";
/// Companies nobody works for any more.
const REMOVE_COMPANIES: &str = "
    DELETE FROM companies WHERE id NOT IN (SELECT company_id FROM affiliates WHERE company_id IS NOT NULL)";

/// Everything or nothing; `None` when anything is wrong, or it is not wanted any more.
pub fn import(
    path: &Path,
    source: Box<dyn ImportSource>,
    how: ImportHow,
    now: Timestamp,
    by: &Actor,
) -> Result<Option<ImportCounts>> {
    let Arrived { mut db, mut source, rows } = Arrived::from(path, source)?;
    if source.state() != SourceState::Sound {
        return Ok(None);
    }
    // Nobody but an import writes people and companies, and it sees to it itself that they belong together: asking for each
    // company that goes whether somebody works there would read all people each time.
    db.pragma_update(None, "foreign_keys", "OFF").map_err(fault)?;
    let mut merge_all = || {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let counts = merge(&tx, (source.lines(), rows), how.replaces, now, by)?;
        let mut is_wanted = source.state() == SourceState::Sound;
        if let (true, false, Some(job)) = (is_wanted, how.dry_run, how.job) {
            is_wanted = imports::done(&tx, job, &counts, source.lines(), now)?;
        }
        if is_wanted && !how.dry_run { tx.commit() } else { tx.rollback() }?;
        Ok(is_wanted.then_some(counts))
    };
    merge_all().map_err(fault)
}

/// People who have arrived and are not merged yet.
pub struct Arrived {
    /// The connection whose own they are.
    pub db: Connection,
    /// Where they came from, read to its end.
    pub source: Box<dyn ImportSource>,
    /// How many they are, if nothing is wrong with any of them.
    pub rows: u64,
}

impl Arrived {
    /// Gathers a source to its end.
    pub fn from(path: &Path, mut source: Box<dyn ImportSource>) -> Result<Self> {
        let db = connect(path)?;
        let rows = gather(&db, source.as_mut()).map_err(fault)?;
        Ok(Self { db, source, rows })
    }
}

/// Only tables of the connection's own are written: nobody waits for it.
fn gather(db: &Connection, source: &mut dyn ImportSource) -> rusqlite::Result<u64> {
    db.execute_batch(PREPARE)?;
    let tx = db.unchecked_transaction()?;
    let mut rows = 0;
    while let Some(row) = source.next_row() {
        rows += 1;
        if let Err(conflict) = take_in(&tx, &row)? {
            source.refuse(row.line, conflict);
        }
    }
    tx.commit()?;
    Ok(rows)
}

/// Merges what has arrived: `rows` people from `lines` lines.
pub fn merge(
    tx: &Transaction<'_>,
    (lines, rows): (u64, u64),
    replaces: bool,
    now: Timestamp,
    by: &Actor,
) -> rusqlite::Result<ImportCounts> {
    let lines = i64::try_from(lines).unwrap_or(i64::MAX);
    tx.execute("INSERT INTO imports (began_us, lines) VALUES (?1, ?2)", params![Micros(now), lines])?;
    let import_id = tx.last_insert_rowid();
    let before = count(tx)?;
    tx.execute(COMPANIES, [import_id])?;
    tx.execute(AFFILIATES, [import_id])?;
    let added = count(tx)? - before;
    let removed = if replaces { tx.execute(REMOVE, [])? } else { 0 };
    if replaces {
        tx.execute(REMOVE_COMPANIES, [])?;
    }
    let counts = ImportCounts { added, updated: rows - added.min(rows), removed: removed as u64 };
    audit::append(tx, &NewAct::imported(import_id, lines, counts, now).by(by))?;
    Ok(counts)
}

fn count(tx: &Transaction<'_>) -> rusqlite::Result<u64> {
    tx.query_row("SELECT count(*) FROM affiliates", [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

type Checked<T> = std::result::Result<T, RowConflict>;

fn take_in(tx: &Transaction<'_>, row: &ImportRow) -> rusqlite::Result<Checked<()>> {
    let company = row.affiliate.company.as_ref().zip(row.company_nit.as_deref());
    if let Some((company, nit)) = company
        && let Err(conflict) = put_company(tx, row.line, nit, company)?
    {
        return Ok(Err(conflict));
    }
    put_affiliate(tx, row, company.map(|(_, nit)| nit))
}

fn put_company(
    tx: &Transaction<'_>,
    line: u64,
    nit: &str,
    company: &Company,
) -> rusqlite::Result<Checked<()>> {
    let there = tx
        .prepare_cached("SELECT name, status, line FROM arrived_companies WHERE nit = ?1")?
        .query_row([nit], |row| {
            let kept = Company { name: row.get(0)?, status: row.get::<_, Word<_>>(1)?.0 };
            Ok((kept, row.get::<_, i64>(2)?.unsigned_abs()))
        })
        .optional()?;
    match there {
        Some((kept, _)) if kept == *company => {}
        Some((_, first_line)) => return Ok(Err(RowConflict::CompanyDisagrees { first_line })),
        None => {
            let line = i64::try_from(line).unwrap_or(i64::MAX);
            tx.prepare_cached(
                "INSERT INTO arrived_companies (nit, name, status, line) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![nit, company.name, Word(company.status), line])?;
        }
    }
    Ok(Ok(()))
}

fn put_affiliate(
    tx: &Transaction<'_>,
    row: &ImportRow,
    company_nit: Option<&str>,
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
            "INSERT INTO arrived
                 (kind, number, role, first_surname, second_surname, first_name, second_name, status, tariff,
                  company_nit, line)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (number, kind) DO NOTHING",
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
            company_nit,
            i64::try_from(row.line).unwrap_or(i64::MAX),
        ])?;
    if written == 1 {
        return Ok(Ok(()));
    }
    let first_line: i64 = tx
        .prepare_cached("SELECT line FROM arrived WHERE number = ?1 AND kind = ?2")?
        .query_row(params![number, kind], |row| row.get(0))?;
    Ok(Err(RowConflict::DuplicateDocument { first_line: first_line.unsigned_abs() }))
}
