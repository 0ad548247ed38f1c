//! The last delivery of what had waited, counted from the items themselves: nothing is kept twice.
//!
//! An item had waited when it was sent more than once, or was decided a minute or more after it happened. The moments at
//! which the server decided on such items come in clusters, one a delivery.

use hanna_domain::Tariff;
use hanna_domain::outbox::ItemKind;
use jiff::Timestamp;
use rusqlite::{Row, named_params};

use super::item::{COLUMNS, ItemRow, read_rows};
use super::{OutboxStore, StoreError, time};
use crate::view::{LastSync, OutboxItem, SyncGroup};

/// A pause this long ends a delivery: twice the longest between two attempts, so that an item that was tried once more
/// belongs to its own.
const PAUSE_MS: i64 = 10 * 60 * 1000;
/// An item decided sooner after it happened, at the first attempt, did not wait.
const WAITED_MS: i64 = 60 * 1000;
/// How many noted items are named.
const NOTED_MAX: u32 = 50;

/// What had waited, and the server has decided on.
const DECIDED_LATE: &str =
    "kind <> 'offline_lookup' AND state IN ('accepted', 'accepted_with_note', 'needs_attention')
     AND (attempts > 1 OR ABS(settled_at - occurred_at) >= :waited)";

/// Whether an item had waited when the server decided on it, `attempts` counting those before.
pub fn waited(row: &ItemRow, decided_at: Timestamp) -> bool {
    row.attempts > 0
        || decided_at.duration_since(row.item.occurred_at).abs().as_millis() >= i128::from(WAITED_MS)
}

impl OutboxStore {
    /// How the last delivery of uses and voids that had waited went.
    pub fn last_sync(&self) -> Result<Option<LastSync>, StoreError> {
        let db = self.reader();
        let (began, ended): (Option<i64>, Option<i64>) = db
            .prepare_cached(&format!(
                "SELECT MAX(settled_at) FILTER (WHERE pause IS NULL OR pause > :pause), MAX(settled_at) FROM (
                     SELECT settled_at, settled_at - LAG(settled_at) OVER (ORDER BY settled_at) AS pause
                     FROM item WHERE {DECIDED_LATE})"
            ))?
            .query_row(named_params! { ":pause": PAUSE_MS, ":waited": WAITED_MS }, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let (Some(began), Some(ended)) = (began, ended) else { return Ok(None) };

        let mut groups = Vec::new();
        // A void has no tariff of its own: it is its use's.
        let mut query = db.prepare_cached(&format!(
            "SELECT kind, branch_name,
                    COALESCE(tariff, (SELECT tariff FROM item AS report WHERE report.id = item.report_id)) AS price,
                    COUNT(*) FILTER (WHERE state = 'accepted') AS accepted,
                    COUNT(*) FILTER (WHERE state = 'accepted_with_note') AS noted,
                    COUNT(*) FILTER (WHERE state = 'needs_attention') AS refused
             FROM item WHERE {DECIDED_LATE} AND settled_at >= :began
             GROUP BY kind, branch_id, price ORDER BY kind, branch_name, price"
        ))?;
        let mut rows = query.query(named_params! { ":began": began, ":waited": WAITED_MS })?;
        while let Some(row) = rows.next()? {
            groups.push(group(row)?);
        }

        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item WHERE {DECIDED_LATE} AND settled_at >= :began AND state = 'accepted_with_note'
             ORDER BY sequence LIMIT :max"
        ))?;
        let noted = read_rows(query.query(named_params! {
            ":began": began,
            ":waited": WAITED_MS,
            ":max": NOTED_MAX,
        })?)?;
        Ok(Some(LastSync {
            began_at: time(began, "item")?,
            ended_at: time(ended, "item")?,
            groups,
            noted: noted.into_iter().map(OutboxItem::from).collect(),
        }))
    }
}

fn group(row: &Row<'_>) -> Result<SyncGroup, StoreError> {
    const TABLE: StoreError = StoreError::Content("item");
    let kind: String = row.get("kind")?;
    let tariff: Option<String> = row.get("price")?;
    Ok(SyncGroup {
        kind: ItemKind::from_code(&kind).ok_or(TABLE)?,
        branch_name: row.get("branch_name")?,
        tariff: tariff.map(|tariff| Tariff::from_code(&tariff).ok_or(TABLE)).transpose()?,
        accepted: row.get("accepted")?,
        noted: row.get("noted")?,
        refused: row.get("refused")?,
    })
}
