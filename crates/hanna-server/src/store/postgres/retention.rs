//! Purging: what is older than records are kept goes, with the act of it. One process after the other, and none while a
//! delivery is judged.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{Columns, Moment};
use super::fault::{Done, Trouble};
use super::locks::{self, Name};
use super::pool::{Connections, Tx};
use super::{PostgresStore, audit};
use crate::audit::chain::places;
use crate::audit::{Anchor, LastPurge, NewAct, Purge, Removed};
use crate::secrets::hex;
use crate::store::retention::{Dialect, Pause};
use crate::store::{PurgeOrder, PurgeOutcome, Result, Retention};

const SQL: Dialect = Dialect { until: "$1", before: "$2", now: "$3", moment: "at" };

/// The act of the last purge.
pub const LAST_PURGE: &str = "
    SELECT id, at, account_id, said FROM audit WHERE act = 'PURGED' ORDER BY id DESC LIMIT 1";

/// The last place of the blocks after number `$1` that were sealed before `$2`.
const PURGEABLE: &str = "
    SELECT until_id FROM audit_blocks
    WHERE number > $1 AND number < coalesce(
        (SELECT b.number FROM audit_blocks b WHERE b.number > $1 AND b.sealed_us >= $2 ORDER BY b.number LIMIT 1),
        9223372036854775807)
    ORDER BY number DESC LIMIT 1";

/// The last purge. One whose words cannot be read is none.
async fn last(tx: &Tx) -> Done<Option<LastPurge>> {
    let Some(row) = tx.row_or_none(LAST_PURGE, &[]).await? else { return Ok(None) };
    let said = row.value::<Option<audit::Said>>(3)?;
    let Some(purge) = said.and_then(|said| serde_json::from_value(said.0).ok()) else { return Ok(None) };
    Ok(Some(LastPurge { id: row.value(0)?, at: row.moment(1)?, account_id: row.value(2)?, purge }))
}

/// From when on everything is there; none when nothing was ever purged.
pub async fn kept_from(tx: &Tx) -> Done<Option<Timestamp>> {
    Ok(last(tx).await?.map(|last| last.purge.kept_from))
}

/// Up to which place acts may be gone.
async fn purged_until(tx: &Tx, purge: &Purge) -> Done<Option<i64>> {
    let sql = "SELECT until_id FROM audit_blocks WHERE number = $1";
    tx.row_or_none(sql, &[&purge.block.number()]).await?.map(|row| row.value(0)).transpose()
}

/// What is there of the acts up to a place, as [`Purge::left`] says it.
async fn left(tx: &Tx, until: i64) -> Done<String> {
    let rows = tx.rows("SELECT id FROM audit WHERE id <= $1 ORDER BY id", &[&until]).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.value(0)).collect::<Done<_>>()?;
    Ok(hex(&places(&ids)))
}

async fn purge(tx: &Tx, order: &PurgeOrder) -> Done<PurgeOutcome> {
    locks::hold(tx, Name::purge()).await?;
    let PurgeOrder { until, by, .. } = order;
    let last = last(tx).await?;
    if last.as_ref().map(|last| last.id) != order.after {
        return Ok(PurgeOutcome::Overtaken);
    }
    let (mut kept_from, mut findings) = (order.before, order.findings);
    if let Some(LastPurge { purge, .. }) = last {
        // What is out by the purge before stays out.
        kept_from = kept_from.max(purge.kept_from);
        let is_as_left = match purged_until(tx, &purge).await? {
            Some(until) => left(tx, until).await? == purge.left,
            None => false,
        };
        if !is_as_left && !order.despite_findings {
            return Ok(PurgeOutcome::NotAsLeft);
        }
        findings += u64::from(!is_as_left);
    }
    let removed = remove(tx, until.until, kept_from).await?;
    tx.execute(
        "UPDATE audit_blocks SET purged = length(leaves) / 40, leaves = ''
         WHERE purged IS NULL AND number <= $1
           AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.id > after_id AND a.id <= until_id)",
        &[&until.number],
    )
    .await?;
    let left = left(tx, until.until).await?;
    let purge = Purge { block: Anchor::of(until), kept_from, left, removed, findings };
    audit::append(tx, &NewAct::purged(&purge, by, order.now)).await?;
    Ok(PurgeOutcome::Done(removed))
}

/// Removes what goes of the acts up to a place, and what they record.
async fn remove(tx: &Tx, until: i64, before: Timestamp) -> Done<Removed> {
    let before = Moment(before);
    let items = ids(&tx.rows(&SQL.items(), &[&until, &before]).await?, 0)?;
    let sessions = ids(&tx.rows(&SQL.sessions(), &[&until, &before]).await?, 0)?;
    let answers = tx.rows(&SQL.statements(), &[&until]).await?;
    let (statements, mut lookups) = (ids(&answers, 0)?, ids(&answers, 1)?);
    let of_items = "SELECT lookup_id FROM offline_lookups WHERE id = ANY($1::uuid[])";
    lookups.extend(ids(&tx.rows(of_items, &[&items]).await?, 0)?);
    let each = async |sql, ids: &Vec<Uuid>| tx.execute(sql, &[ids]).await;
    Ok(Removed {
        statements: each("DELETE FROM statements WHERE id = ANY($1::uuid[])", &statements).await?,
        voids: each("DELETE FROM voids WHERE id = ANY($1::uuid[])", &items).await?,
        uses: each("DELETE FROM usage_reports WHERE id = ANY($1::uuid[])", &items).await?,
        offline_lookups: each("DELETE FROM offline_lookups WHERE id = ANY($1::uuid[])", &items).await?,
        refusals: each("DELETE FROM earlier_refusals WHERE item_id = ANY($1::uuid[])", &items).await?,
        items: each("DELETE FROM outbox_items WHERE id = ANY($1::uuid[])", &items).await?,
        lookups: each(
            "DELETE FROM lookups l WHERE l.id = ANY($1::uuid[])
               AND NOT EXISTS (SELECT 1 FROM statements s WHERE s.lookup_id = l.id)
               AND NOT EXISTS (SELECT 1 FROM offline_lookups o WHERE o.lookup_id = l.id)",
            &lookups,
        )
        .await?,
        sessions: {
            each("DELETE FROM access_tokens WHERE session_id = ANY($1::uuid[])", &sessions).await?;
            each("DELETE FROM refresh_tokens WHERE session_id = ANY($1::uuid[])", &sessions).await?;
            each("DELETE FROM sessions WHERE id = ANY($1::uuid[])", &sessions).await?
        },
        acts: tx.execute(&SQL.remove_acts(), &[&until]).await?,
    })
}

fn ids(rows: &[Row], column: usize) -> Done<Vec<Uuid>> {
    rows.iter().map(|row| row.value(column)).collect()
}

async fn purgeable(connections: &Connections, before: Timestamp) -> Done<Removed> {
    let tx = at_length(connections).await?;
    let last = last(&tx).await?.map(|last| last.purge);
    let after = last.as_ref().map_or(0, |purge| purge.block.number());
    let Some(row) = tx.row_or_none(PURGEABLE, &[&after, &before.as_microsecond()]).await? else {
        return Ok(Removed::default());
    };
    let until: i64 = row.value(0)?;
    let before = Moment(last.map_or(before, |purge| purge.kept_from.max(before)));
    let row = tx.row(&SQL.count(), &[&until, &before]).await?;
    let count = |column| Done::Ok(row.value::<i64>(column)?.unsigned_abs());
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
}

/// On a connection of its own, as above: ten years have many blocks.
async fn longest_pause(
    connections: &Connections,
    act: Option<i64>,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Done<Option<Pause>> {
    let tx = at_length(connections).await?;
    let at = at.map(Timestamp::as_microsecond);
    let row = tx.row_or_none(&SQL.longest_pause(), &[&act, &at, &now.as_microsecond()]).await?;
    row.map(|row| Ok((moment(&row, 0)?, moment(&row, 1)?))).transpose()
}

fn moment(row: &Row, column: usize) -> Done<Timestamp> {
    Timestamp::from_microsecond(row.value(column)?).map_err(|error| Trouble::Unreadable(error.into()))
}

/// A connection of its own, for what may read everything there is.
async fn at_length(connections: &Connections) -> Done<Tx> {
    let tx = Tx::on(connections.get().await?);
    tx.batch("SET statement_timeout = 0; SET work_mem = '64MB'").await?;
    Ok(tx)
}

#[async_trait]
impl Retention for PostgresStore {
    async fn last_purge(&self) -> Result<Option<LastPurge>> {
        self.0.ask(|tx| Box::pin(last(tx))).await
    }

    async fn purge(&self, order: PurgeOrder) -> Result<PurgeOutcome> {
        let order = Arc::new(order);
        self.0
            .write(move |tx| {
                let order = Arc::clone(&order);
                Box::pin(async move { purge(tx, &order).await })
            })
            .await
    }

    async fn purgeable(&self, before: Timestamp) -> Result<Removed> {
        Ok(purgeable(&self.0, before).await?)
    }

    async fn longest_pause(&self, last: Option<&LastPurge>, now: Timestamp) -> Result<Option<Pause>> {
        let (act, at) = last.map(|last| (last.id, last.at)).unzip();
        Ok(longest_pause(&self.0, act, at, now).await?)
    }
}
