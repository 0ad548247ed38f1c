//! Taking in affiliates and their companies: streamed into a table of the connection's own by `COPY`, looked through
//! there, and merged in one transaction. Desks go on meanwhile: whoever reads sees the people of before until it commits.
//!
//! Memory is bounded here by [`CHUNK_BYTES`] and there by [`PREPARE`], however long the file.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, TryStreamExt};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::columns::{Columns, Moment};
use super::fault::{Done, Remedy, Trouble};
use super::locks::{self, Name};
use super::pool::{Connections, Tx};
use crate::store::{ImportCounts, ImportRow, ImportSource, RowConflict};

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
        place          bigint NOT NULL,  -- in the order of the source
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
        company_name   text,
        company_status text
    )";
const COPY: &str = "
    COPY arrived (place, line, kind, number, role, first_surname, second_surname, first_name, second_name, status, tariff,
                  company_nit, company_name, company_status) FROM STDIN";

/// The first row of a company says what it is called and how it is; `arrived` knows nothing of lines twice.
const COMPANIES: &str = "
    INSERT INTO companies (nit, name, status, import_id, import_line)
    SELECT a.company_nit, a.company_name, a.company_status, $1, a.line
    FROM (SELECT min(place) AS place FROM arrived WHERE company_nit IS NOT NULL GROUP BY company_nit) AS f
    JOIN arrived a USING (place)
    ON CONFLICT (nit) DO UPDATE SET name = excluded.name, status = excluded.status, import_id = excluded.import_id,
        import_line = excluded.import_line
    WHERE (companies.name, companies.status) IS DISTINCT FROM (excluded.name, excluded.status)";
const CONTRADICTED: &str = "
    SELECT EXISTS (SELECT 1 FROM arrived a JOIN companies c ON c.nit = a.company_nit
                   WHERE (a.company_name, a.company_status) IS DISTINCT FROM (c.name, c.status))
        OR EXISTS (SELECT 1 FROM arrived GROUP BY number, kind HAVING count(*) > 1)";
/// Who is as before is left alone.
const AFFILIATES: &str = "
    INSERT INTO affiliates AS k (kind, number, role, first_surname, second_surname, first_name, second_name, status,
                                 tariff, company_id, import_id, import_line)
    SELECT a.kind, a.number, a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff,
           c.id, $1, a.line
    FROM arrived a LEFT JOIN companies c ON c.nit = a.company_nit
    ON CONFLICT (number, kind) DO UPDATE SET role = excluded.role, first_surname = excluded.first_surname,
        second_surname = excluded.second_surname, first_name = excluded.first_name, second_name = excluded.second_name,
        status = excluded.status, tariff = excluded.tariff, company_id = excluded.company_id,
        import_id = excluded.import_id, import_line = excluded.import_line
    WHERE (k.role, k.first_surname, k.second_surname, k.first_name, k.second_name, k.status, k.tariff, k.company_id)
        IS DISTINCT FROM (excluded.role, excluded.first_surname, excluded.second_surname, excluded.first_name,
                          excluded.second_name, excluded.status, excluded.tariff, excluded.company_id)";
const COUNT: &str = "SELECT count(*) FROM affiliates";

/// What is wrong, in the order of the source: a row whose company contradicts the company's first row is out, and of
/// those that are left one whose document stood in an earlier one.
const CONFLICTS: &str = "
    WITH judged AS (
        SELECT a.place, a.line, a.number, a.kind, f.line AS company_line,
               (a.company_name, a.company_status) IS DISTINCT FROM (f.company_name, f.company_status) AS disagrees
        FROM arrived a
        LEFT JOIN (SELECT company_nit, min(place) AS place FROM arrived WHERE company_nit IS NOT NULL GROUP BY company_nit)
            AS first ON first.company_nit = a.company_nit
        LEFT JOIN arrived f ON f.place = first.place
    ), repeated AS (
        SELECT number, kind, min(place) AS place FROM judged WHERE NOT disagrees
        GROUP BY number, kind HAVING count(*) > 1
    )
    SELECT j.place, j.line, j.company_line, true FROM judged j WHERE j.disagrees
    UNION ALL
    SELECT j.place, j.line, e.line, false
    FROM judged j JOIN repeated r ON r.number = j.number AND r.kind = j.kind AND j.place > r.place
    JOIN arrived e ON e.place = r.place
    WHERE NOT j.disagrees
    ORDER BY 1";

/// Rows that have arrived and are not merged yet.
pub struct Arrived {
    /// The connection whose own they are.
    pub tx: Tx,
    source: Box<dyn ImportSource>,
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
        tx.batch("ANALYZE arrived").await?;
        Ok(Self { tx, source, rows })
    }

    /// Whether the source found nothing wrong.
    pub fn is_clean(&self) -> bool {
        self.source.is_clean()
    }

    /// Merges the rows inside the transaction that is open; `None` when they contradict each other, and then it must be
    /// taken back.
    pub async fn merge(&mut self, now: Timestamp) -> Done<Option<ImportCounts>> {
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
        if tx.row(CONTRADICTED, &[]).await?.value(0)? {
            return Ok(None);
        }
        let before: i64 = tx.row(COUNT, &[]).await?.value(0)?;
        tx.execute(AFFILIATES, &[&import]).await?;
        let after: i64 = tx.row(COUNT, &[]).await?.value(0)?;
        let added = u64::try_from(after - before).unwrap_or(0);
        Ok(Some(ImportCounts { added, updated: self.rows.saturating_sub(added) }))
    }

    /// Tells the source which rows contradict earlier ones.
    pub async fn tell_conflicts(&mut self) -> Done<()> {
        let none: [&str; 0] = [];
        let mut conflicts = pin!(self.tx.client()?.query_raw(CONFLICTS, none).await?);
        while let Some(row) = conflicts.try_next().await? {
            let line = row.value::<i64>(1)?.unsigned_abs();
            let first_line = row.value::<i64>(2)?.unsigned_abs();
            let why = if row.value(3)? {
                RowConflict::CompanyDisagrees { first_line }
            } else {
                RowConflict::DuplicateDocument { first_line }
            };
            self.source.refuse(line, why);
        }
        Ok(())
    }
}

/// Everything or nothing; `None` when anything is wrong.
pub async fn import(
    connections: &Connections,
    source: Box<dyn ImportSource>,
    now: Timestamp,
) -> Done<Option<ImportCounts>> {
    let mut arrived = Arrived::from(connections, source).await?;
    let mut counts = None;
    if arrived.is_clean() {
        counts = merge_whole(&mut arrived, now).await?;
    }
    if counts.is_none() {
        arrived.tell_conflicts().await?;
    }
    arrived.tx.close();
    Ok(counts)
}

async fn merge_whole(arrived: &mut Arrived, now: Timestamp) -> Done<Option<ImportCounts>> {
    let mut runs = 1;
    loop {
        arrived.tx.begin().await?;
        match arrived.merge(now).await {
            Ok(Some(counts)) => {
                arrived.tx.commit().await?;
                return Ok(Some(counts));
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

/// Reads a source to its end, in the form of `COPY`. Stops when nobody takes it any more.
fn read(mut source: Box<dyn ImportSource>, chunks: &mpsc::Sender<Bytes>) -> (Box<dyn ImportSource>, u64) {
    let mut text = BytesMut::with_capacity(CHUNK_BYTES * 2);
    let mut rows = 0;
    while let Some(row) = source.next_row() {
        rows += 1;
        write_row(&mut text, rows, &row);
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

fn write_row(text: &mut BytesMut, place: u64, row: &ImportRow) {
    let affiliate = &row.affiliate;
    let company = affiliate.company.as_ref().zip(row.company_nit.as_ref());
    text.extend_from_slice(format!("{place}\t{}", row.line).as_bytes());
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
        company.map(|(_, nit)| nit.as_str()),
        company.map(|(company, _)| company.name.as_str()),
        company.map(|(company, _)| company.status.code()),
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
