//! What is counted of those who ask. There is one process, and what it counted outlives it.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::SqliteStore;
use super::columns::Micros;
use crate::store::{Counted, Result, Tallies, Tally};

fn add(tx: &Transaction<'_>, counted: &[Counted], now: Timestamp) -> rusqlite::Result<Vec<Tally>> {
    let mut find = tx.prepare_cached("SELECT until_us, blocked_until_us FROM tallies WHERE key = ?1")?;
    let mut put = tx.prepare_cached(
        "INSERT INTO tallies (key, until_us, blocked_until_us) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET until_us = excluded.until_us, blocked_until_us = excluded.blocked_until_us",
    )?;
    let mut sums = Vec::with_capacity(counted.len());
    for one in counted {
        let before = find
            .query_row([one.key], |row| {
                let blocked_until = row.get::<_, Option<Micros>>(1)?.map(|at| at.0);
                Ok(Tally { until: row.get::<_, Micros>(0)?.0, blocked_until })
            })
            .optional()?;
        let sum = one.and(before, now);
        if Some(sum) != before && (before.is_some() || !sum.is_over(now)) {
            put.execute(params![one.key, Micros(sum.until), sum.blocked_until.map(Micros)])?;
        }
        sums.push(sum);
    }
    tx.prepare_cached("DELETE FROM tallies WHERE until_us <= ?1 AND (blocked_until_us > ?1) IS NOT TRUE")?
        .execute([Micros(now)])?;
    Ok(sums)
}

#[async_trait]
impl Tallies for SqliteStore {
    async fn add_tallies(&self, counted: Vec<Counted>, now: Timestamp) -> Result<Vec<Tally>> {
        self.write(move |tx| add(tx, &counted, now)).await
    }
}
