//! Taking in affiliates and their companies: streamed into a table of the connection's own by `COPY`, looked through
//! there, and merged in one transaction. Desks go on meanwhile: whoever reads sees the people of before until it commits.
//!
//! Memory is bounded here by [`CHUNK_BYTES`] and the companies, and there by [`PREPARE`], however long the file.

use std::collections::HashMap;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, TryStreamExt};
use hanna_domain::Company;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::audit;
use super::columns::{Columns, Moment};
use super::fault::{Done, Remedy, Trouble};
use super::imports;
use super::locks::{self, Name};
use super::pool::{Connections, Tx};
use crate::audit::{Actor, NewAct};
use crate::store::{ImportCounts, ImportHow, ImportRow, ImportSource, RowConflict, SourceState};

/// What is sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// So many chunks wait for the line at most.
const CHUNKS_MAX: usize = 8;
/// How often the merge is begun at most.
const RUNS_MAX: u32 = 5;

/// An import takes as long as it takes.
const PREPARE: &str = "
    SET statement_timeout = 0; SET lock_timeout = 0; SET work_mem = '128MB';
    CREATE TEMPORARY TABLE arrived (
        line           bigint NOT NULL,
        kind           text COLLATE \"C\" NOT NULL,
        number         text COLLATE \"C\" NOT NULL,
        role           text NOT NULL,
        first_surname  text NOT NULL,
        second_surname text,
        first_name     text NOT NULL,
        second_name    text,
        status         text NOT NULL,
        tariff         text NOT NULL,
        company_nit    text COLLATE \"C\",
        company_name   text,  -- this and the next only in the company's first line
        company_status text
    )";
const COPY: &str = "
    COPY arrived (line, kind, number, role, first_surname, second_surname, first_name, second_name, status, tariff, company_nit,
                  company_name, company_status) FROM STDIN";
const ANALYZE: &str = "ANALYZE arrived (number, kind, company_nit)";

/// Who is as before is left alone, here and below.
const COMPANIES: &str = "
    INSERT INTO companies (nit, name, status, import_id, import_line)
    SELECT a.company_nit, a.company_name, a.company_status, $1, a.line FROM arrived a WHERE a.company_name IS NOT NULL
    ON CONFLICT (nit) DO UPDATE SET name = excluded.name, status = excluded.status, import_id = excluded.import_id,
        import_line = excluded.import_line
    WHERE (companies.name, companies.status) IS DISTINCT FROM (excluded.name, excluded.status)";
/// Nobody but an import writes people, and there is one import at a time: those who are there can be told from those who
/// are not, which is much faster than finding out with each of them.
const CHANGED: &str = "
    UPDATE affiliates k SET role = a.role, first_surname = a.first_surname, second_surname = a.second_surname,
        first_name = a.first_name, second_name = a.second_name, status = a.status, tariff = a.tariff, company_id = c.id,
        import_id = $1, import_line = a.line
    FROM arrived a LEFT JOIN companies c ON c.nit = a.company_nit
    WHERE k.number = a.number AND k.kind = a.kind
        AND (k.role, k.first_surname, k.second_surname, k.first_name, k.second_name, k.status, k.tariff, k.company_id)
            IS DISTINCT FROM
            (a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff, c.id)";
const ADDED: &str = "
    INSERT INTO affiliates (kind, number, role, first_surname, second_surname, first_name, second_name, status, tariff,
                            company_id, import_id, import_line)
    SELECT a.kind, a.number, a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff,
           c.id, $1, a.line
    FROM arrived a LEFT JOIN companies c ON c.nit = a.company_nit
    WHERE NOT EXISTS (SELECT 1 FROM affiliates k WHERE k.number = a.number AND k.kind = a.kind)";
/// How many of those who are there now have arrived: fewer than rows when somebody has twice.
const THERE: &str = "
    SELECT count(*) FROM affiliates k
    WHERE EXISTS (SELECT 1 FROM arrived a WHERE a.number = k.number AND a.kind = k.kind)";
const REMOVE: &str = "
    DELETE FROM affiliates k WHERE NOT EXISTS (SELECT 1 FROM arrived a WHERE a.number = k.number AND a.kind = k.kind)";
/// Companies nobody works for any more.
const REMOVE_COMPANIES: &str = "
    DELETE FROM companies c WHERE NOT EXISTS (SELECT 1 FROM affiliates k WHERE k.company_id = c.id)";

/// Who stood in an earlier line too, with both lines.
const REPEATED: &str = "
    SELECT a.line, f.line
    FROM arrived a
    JOIN (SELECT number, kind, min(line) AS line FROM arrived GROUP BY number, kind HAVING count(*) > 1) AS f
        ON f.number = a.number AND f.kind = a.kind
    WHERE a.line > f.line ORDER BY a.line";

/// Rows that have arrived and are not merged yet.
pub struct Arrived {
    /// The connection whose own they are.
    pub tx: Tx,
    /// Where they came from, read to its end.
    pub source: Box<dyn ImportSource>,
    rows: u64,
}

impl Arrived {
    /// Streams a source to its end.
    pub async fn from(connections: &Connections, source: Box<dyn ImportSource>) -> Done<Self> {
        let tx = Tx::on(connections.get().await?);
        tx.batch(PREPARE).await?;
        let (chunks, mut sent) = mpsc::channel(CHUNKS_MAX);
        let reading = tokio::task::spawn_blocking(move || read(source, &chunks));
        {
            let mut copy = pin!(tx.client()?.copy_in::<_, Bytes>(COPY).await?);
            while let Some(chunk) = sent.recv().await {
                copy.send(chunk).await?;
            }
            copy.finish().await?;
        }
        let (source, rows) = reading.await.map_err(|panic| Trouble::Unreadable(panic.into()))?;
        tx.batch(ANALYZE).await?;
        Ok(Self { tx, source, rows })
    }

    /// Merges the rows inside the transaction that is open; `None` when somebody stands twice, and then it must be taken
    /// back.
    pub async fn merge(&mut self, replaces: bool, now: Timestamp, by: &Actor) -> Done<Option<ImportCounts>> {
        let tx = &self.tx;
        locks::hold(tx, Name::of("import", &[])).await?;
        let lines = i64::try_from(self.source.lines()).unwrap_or(i64::MAX);
        let import: i64 = tx
            .row(
                "INSERT INTO imports (began_at, lines) VALUES ($1, $2) RETURNING id",
                &[&Moment(now), &lines],
            )
            .await?
            .value(0)?;
        tx.execute(COMPANIES, &[&import]).await?;
        tx.execute(CHANGED, &[&import]).await?;
        let added = match tx.execute(ADDED, &[&import]).await {
            Err(trouble) if trouble.is_of_a_key() => return Ok(None),
            added => added?,
        };
        if added < self.rows && tx.row(THERE, &[]).await?.value::<i64>(0)?.unsigned_abs() < self.rows {
            return Ok(None);
        }
        let removed = if replaces { tx.execute(REMOVE, &[]).await? } else { 0 };
        if replaces {
            tx.execute(REMOVE_COMPANIES, &[]).await?;
        }
        let counts = ImportCounts { added, updated: self.rows.saturating_sub(added), removed };
        audit::append(tx, &NewAct::imported(import, lines, counts, now).by(by)).await?;
        Ok(Some(counts))
    }

    /// Tells the source who stands twice.
    pub async fn tell_conflicts(&mut self) -> Done<()> {
        let none: [&str; 0] = [];
        let mut repeated = pin!(self.tx.client()?.query_raw(REPEATED, none).await?);
        while let Some(row) = repeated.try_next().await? {
            let line = row.value::<i64>(0)?.unsigned_abs();
            let first_line = row.value::<i64>(1)?.unsigned_abs();
            self.source.refuse(line, RowConflict::DuplicateDocument { first_line });
        }
        Ok(())
    }
}

/// Everything or nothing; `None` when anything is wrong, or it is not wanted any more.
pub async fn import(
    connections: &Connections,
    source: Box<dyn ImportSource>,
    how: ImportHow,
    now: Timestamp,
    by: &Actor,
) -> Done<Option<ImportCounts>> {
    let mut arrived = Arrived::from(connections, source).await?;
    let mut counts = None;
    if arrived.source.state() == SourceState::Sound {
        counts = merge_whole(&mut arrived, how, now, by).await?;
    }
    if counts.is_none() && arrived.source.state() != SourceState::Stopped {
        arrived.tell_conflicts().await?;
    }
    Ok(counts)
}

async fn merge_whole(
    arrived: &mut Arrived,
    how: ImportHow,
    now: Timestamp,
    by: &Actor,
) -> Done<Option<ImportCounts>> {
    let mut runs = 1;
    loop {
        arrived.tx.begin().await?;
        match arrived.merge(how.replaces, now, by).await {
            Ok(Some(counts)) => {
                let mut is_wanted = arrived.source.state() == SourceState::Sound;
                if let (true, false, Some(job)) = (is_wanted, how.dry_run, how.job) {
                    is_wanted = imports::done(&arrived.tx, job, &counts, arrived.source.lines(), now).await?;
                }
                if is_wanted && !how.dry_run {
                    arrived.tx.commit().await
                } else {
                    arrived.tx.roll_back().await
                }?;
                return Ok(is_wanted.then_some(counts));
            }
            Ok(None) => {
                arrived.tx.roll_back().await?;
                return Ok(None);
            }
            Err(trouble) if trouble.remedy() == Remedy::Again && runs < RUNS_MAX => {
                arrived.tx.roll_back().await?;
                runs += 1;
            }
            Err(trouble) => return Err(trouble),
        }
    }
}

/// The companies of a source so far: what its first line says, and which that is. A caja has far fewer of them than people.
type Companies = HashMap<String, (Company, u64)>;

/// Reads a source to its end, in the form of `COPY`. Stops when nobody takes it any more.
fn read(mut source: Box<dyn ImportSource>, chunks: &mpsc::Sender<Bytes>) -> (Box<dyn ImportSource>, u64) {
    let mut text = BytesMut::with_capacity(CHUNK_BYTES * 2);
    let mut companies = Companies::new();
    let mut rows = 0;
    while let Some(row) = source.next_row() {
        match first_of_company(&mut companies, &row) {
            Ok(is_first) => {
                rows += 1;
                write_row(&mut text, &row, is_first);
            }
            Err(conflict) => source.refuse(row.line, conflict),
        }
        if text.len() >= CHUNK_BYTES && chunks.blocking_send(text.split().freeze()).is_err() {
            return (source, rows);
        }
    }
    if !text.is_empty() {
        // As above.
        let _ = chunks.blocking_send(text.freeze());
    }
    (source, rows)
}

/// Whether this row is the first one of its company, which it must not contradict.
fn first_of_company(companies: &mut Companies, row: &ImportRow) -> Result<bool, RowConflict> {
    let Some((company, nit)) = row.affiliate.company.as_ref().zip(row.company_nit.as_ref()) else {
        return Ok(false);
    };
    match companies.get(nit) {
        Some((first, _)) if first == company => Ok(false),
        Some((_, first_line)) => Err(RowConflict::CompanyDisagrees { first_line: *first_line }),
        None => {
            companies.insert(nit.clone(), (company.clone(), row.line));
            Ok(true)
        }
    }
}

fn write_row(text: &mut BytesMut, row: &ImportRow, is_first_of_company: bool) {
    let affiliate = &row.affiliate;
    let company = affiliate.company.as_ref().filter(|_| is_first_of_company);
    text.extend_from_slice(row.line.to_string().as_bytes());
    for value in [
        Some(row.document.kind().code()),
        Some(row.document.number()),
        Some(affiliate.role.code()),
        Some(affiliate.first_surname.as_str()),
        affiliate.second_surname.as_deref(),
        Some(affiliate.first_name.as_str()),
        affiliate.second_name.as_deref(),
        Some(affiliate.status.code()),
        Some(affiliate.tariff.code()),
        affiliate.company.as_ref().and(row.company_nit.as_deref()),
        company.map(|company| company.name.as_str()),
        company.map(|company| company.status.code()),
    ] {
        text.extend_from_slice(b"\t");
        write_value(text, value);
    }
    text.extend_from_slice(b"\n");
}

fn write_value(text: &mut BytesMut, value: Option<&str>) {
    let Some(value) = value else {
        text.extend_from_slice(b"\\N");
        return;
    };
    for byte in value.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\t' => text.extend_from_slice(b"\\t"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            other => text.extend_from_slice(&[other]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_copy_would_misread_is_written_otherwise() {
        let written = |value: Option<&str>| {
            let mut text = BytesMut::new();
            write_value(&mut text, value);
            String::from_utf8(text.to_vec()).expect("UTF-8")
        };
        assert_eq!(written(None), r"\N");
        assert_eq!(written(Some(r"\N")), r"\\N");
        assert_eq!(written(Some("a\tb\nc\rd\\.é")), r"a\tb\nc\rd\\.é");
        assert_eq!(written(Some("")), "");
    }
}
