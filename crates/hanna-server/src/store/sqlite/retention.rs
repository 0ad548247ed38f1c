//! Purging: what is older than records are kept goes, with the act of it.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::columns::Micros;
use super::{SqliteStore, audit};
use crate::audit::chain::places;
use crate::audit::{Anchor, LastPurge, NewAct, Purge, Removed};
use crate::secrets::hex;
use crate::store::retention::{Dialect, Pause};
use crate::store::{PurgeOrder, PurgeOutcome, Result, Retention};

const SQL: Dialect = Dialect { until: "?1", before: "?2", now: "?3", moment: "us" };

/// The last place of the blocks after number `?1` that were sealed before `?2`.
const PURGEABLE: &str = "
    SELECT until_id FROM audit_blocks
    WHERE number > ?1 AND number < coalesce(
        (SELECT b.number FROM audit_blocks b WHERE b.number > ?1 AND b.sealed_us >= ?2 ORDER BY b.number LIMIT 1),
        9223372036854775807)
    ORDER BY number DESC LIMIT 1";

/// The last purge. One whose words cannot be read is none.
fn last(tx: &Connection) -> rusqlite::Result<Option<LastPurge>> {
    let read = |row: &Row<'_>| {
        let said = row.get_ref(3)?.as_bytes_or_null().ok().flatten().unwrap_or_default();
        let Ok(purge) = serde_json::from_slice(said) else { return Ok(None) };
        Ok(Some(LastPurge {
            id: row.get(0)?,
            at: row.get::<_, Micros>(1)?.0,
            account_id: row.get(2)?,
            purge,
        }))
    };
    let found = tx
        .prepare_cached(
            "SELECT id, at_us, account_id, said FROM audit WHERE act = 'PURGED' ORDER BY id DESC LIMIT 1",
        )?
        .query_row([], read)
        .optional()?;
    Ok(found.flatten())
}

/// From when on everything is there; none when nothing was ever purged.
pub fn kept_from(tx: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    Ok(last(tx)?.map(|last| last.purge.kept_from))
}

/// Up to which place acts may be gone.
pub fn purged_until(tx: &Connection) -> rusqlite::Result<Option<i64>> {
    let Some(last) = last(tx)? else { return Ok(None) };
    tx.prepare_cached("SELECT until_id FROM audit_blocks WHERE number = ?1")?
        .query_row([last.purge.block.number()], |row| row.get(0))
        .optional()
}

/// What is there of the acts up to a place, as [`Purge::left`] says it.
fn left(tx: &Connection, until: i64) -> rusqlite::Result<String> {
    let ids: Vec<i64> = tx
        .prepare_cached("SELECT id FROM audit WHERE id <= ?1 ORDER BY id")?
        .query_map([until], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(hex(&places(&ids)))
}

fn purge(tx: &Transaction<'_>, order: &PurgeOrder) -> rusqlite::Result<PurgeOutcome> {
    let PurgeOrder { until, by, .. } = order;
    let last = last(tx)?;
    if last.as_ref().map(|last| last.id) != order.after {
        return Ok(PurgeOutcome::Overtaken);
    }
    let (mut kept_from, mut findings) = (order.before, order.findings);
    if let Some(last) = last {
        // What is out by the purge before stays out.
        kept_from = kept_from.max(last.purge.kept_from);
        let is_as_left = match purged_until(tx)? {
            Some(until) => left(tx, until)? == last.purge.left,
            None => false,
        };
        if !is_as_left && !order.despite_findings {
            return Ok(PurgeOutcome::NotAsLeft);
        }
        findings += u64::from(!is_as_left);
    }
    // Numbers are given out once, also when the last act there was goes.
    let next: i64 = tx.query_row("SELECT coalesce(max(id), 0) + 1 FROM audit", [], |row| row.get(0))?;
    // What goes is written over in the file, too.
    tx.pragma_update(None, "secure_delete", "ON")?;
    let removed = remove(tx, until.until, kept_from)?;
    tx.prepare_cached(
        "UPDATE audit_blocks SET purged = length(leaves) / 40, leaves = x''
         WHERE purged IS NULL AND number <= ?1
           AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.id > after_id AND a.id <= until_id)",
    )?
    .execute([until.number])?;
    tx.pragma_update(None, "secure_delete", "OFF")?;
    let purge =
        Purge { block: Anchor::of(until), kept_from, left: left(tx, until.until)?, removed, findings };
    audit::append(tx, &NewAct::purged(&purge, by, order.now))?;
    tx.execute("UPDATE audit SET id = ?1 WHERE id = last_insert_rowid()", [next])?;
    Ok(PurgeOutcome::Done(removed))
}

/// Removes what goes of the acts up to a place, and what they record.
fn remove(tx: &Transaction<'_>, until: i64, before: Timestamp) -> rusqlite::Result<Removed> {
    let range = params![until, Micros(before)];
    let items = ids(tx, &SQL.items(), range)?;
    let sessions = ids(tx, &SQL.sessions(), range)?;
    let answers: Vec<(Uuid, Uuid)> = tx
        .prepare_cached(&SQL.statements())?
        .query_map([until], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let (statements, mut lookups): (Vec<Uuid>, Vec<Uuid>) = answers.into_iter().unzip();
    let mut of_item = tx.prepare_cached("SELECT lookup_id FROM offline_lookups WHERE id = ?1")?;
    for item in &items {
        lookups.extend(of_item.query_row([item], |row| row.get::<_, Uuid>(0)).optional()?);
    }
    Ok(Removed {
        statements: each(tx, "DELETE FROM statements WHERE id = ?1", &statements)?,
        voids: each(tx, "DELETE FROM voids WHERE id = ?1", &items)?,
        uses: each(tx, "DELETE FROM usage_reports WHERE id = ?1", &items)?,
        offline_lookups: each(tx, "DELETE FROM offline_lookups WHERE id = ?1", &items)?,
        refusals: each(tx, "DELETE FROM earlier_refusals WHERE item_id = ?1", &items)?,
        items: each(tx, "DELETE FROM outbox_items WHERE id = ?1", &items)?,
        lookups: each(
            tx,
            "DELETE FROM lookups WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM statements s WHERE s.lookup_id = ?1)
             AND NOT EXISTS (SELECT 1 FROM offline_lookups o WHERE o.lookup_id = ?1)",
            &lookups,
        )?,
        sessions: {
            each(tx, "DELETE FROM access_tokens WHERE session_id = ?1", &sessions)?;
            each(tx, "DELETE FROM refresh_tokens WHERE session_id = ?1", &sessions)?;
            each(tx, "DELETE FROM sessions WHERE id = ?1", &sessions)?
        },
        acts: count(tx.prepare_cached(&SQL.remove_acts())?.execute([until])?),
    })
}

fn ids(tx: &Transaction<'_>, sql: &str, values: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<Vec<Uuid>> {
    tx.prepare_cached(sql)?.query_map(values, |row| row.get(0))?.collect()
}

/// Does the same to each, and counts the rows.
fn each(tx: &Transaction<'_>, sql: &str, ids: &[Uuid]) -> rusqlite::Result<u64> {
    let mut done = tx.prepare_cached(sql)?;
    ids.iter().try_fold(0, |rows, id| Ok(rows + count(done.execute([id])?)))
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn purgeable(tx: &Transaction<'_>, before: Timestamp) -> rusqlite::Result<Removed> {
    let last = last(tx)?.map(|last| last.purge);
    let after = last.as_ref().map_or(0, |purge| purge.block.number());
    let until: Option<i64> =
        tx.query_row(PURGEABLE, params![after, Micros(before)], |row| row.get(0)).optional()?;
    let Some(until) = until else { return Ok(Removed::default()) };
    let before = last.map_or(before, |purge| purge.kept_from.max(before));
    tx.query_row(&SQL.count(), params![until, Micros(before)], |row| {
        let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
        Ok(Removed {
            acts: count(0)?,
            lookups: count(1)?,
            statements: count(2)?,
            items: count(3)?,
            refusals: count(4)?,
            uses: count(5)?,
            voids: count(6)?,
            offline_lookups: count(7)?,
            sessions: count(8)?,
        })
    })
}

#[async_trait]
impl Retention for SqliteStore {
    async fn last_purge(&self) -> Result<Option<LastPurge>> {
        self.read(|tx| last(tx)).await
    }

    async fn purge(&self, order: PurgeOrder) -> Result<PurgeOutcome> {
        self.write(move |tx| purge(tx, &order)).await
    }

    async fn purgeable(&self, before: Timestamp) -> Result<Removed> {
        self.read_at_length(move |tx| purgeable(tx, before)).await
    }

    async fn longest_pause(&self, last: Option<&LastPurge>, now: Timestamp) -> Result<Option<Pause>> {
        let (act, at) = last.map(|last| (last.id, Micros(last.at))).unzip();
        self.read_at_length(move |tx| {
            let pause = |row: &Row<'_>| Ok((row.get::<_, Micros>(0)?.0, row.get::<_, Micros>(1)?.0));
            tx.query_row(&SQL.longest_pause(), params![act, at, Micros(now)], pause).optional()
        })
        .await
    }
}
