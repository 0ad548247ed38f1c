//! What is counted of those who ask: one process after the other adds its part.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use super::columns::{Bytes32, Columns, Moment};
use super::fault::Done;
use super::locks::{self, Name};
use super::pool::Tx;
use crate::store::{Counted, Result, Tallies, Tally};

const BEFORE: &str = "SELECT key, until_at, blocked_until_at FROM tallies WHERE key = ANY($1::bytea[])";
const PUT: &str = "
    INSERT INTO tallies (key, until_at, blocked_until_at)
    SELECT key, until_at, blocked_until_at FROM unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[])
        AS t (key, until_at, blocked_until_at)
    ON CONFLICT (key) DO UPDATE SET until_at = excluded.until_at, blocked_until_at = excluded.blocked_until_at";
const CLEAR: &str = "DELETE FROM tallies WHERE until_at <= $1 AND (blocked_until_at > $1) IS NOT TRUE";

async fn add(tx: &Tx, counted: &[Counted], now: Timestamp) -> Done<Vec<Tally>> {
    locks::hold(tx, Name::of("tallies", &[])).await?;
    let keys: Vec<Bytes32> = counted.iter().map(|one| one.key.into()).collect();
    let mut before = HashMap::new();
    for row in tx.rows(BEFORE, &[&keys]).await? {
        let blocked_until = row.value::<Option<Moment>>(2)?.map(|at| at.0);
        before.insert(row.value::<Bytes32>(0)?.0, Tally { until: row.moment(1)?, blocked_until });
    }
    let mut sums = Vec::with_capacity(counted.len());
    let (mut changed, mut untils, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
    for one in counted {
        let before = before.get(&one.key.0).copied();
        let sum = one.and(before, now);
        if Some(sum) != before && (before.is_some() || !sum.is_over(now)) {
            changed.push(Bytes32::from(one.key));
            untils.push(Moment(sum.until));
            blocks.push(sum.blocked_until.map(Moment));
        }
        sums.push(sum);
    }
    if !changed.is_empty() {
        tx.execute(PUT, &[&changed, &untils, &blocks]).await?;
    }
    tx.execute(CLEAR, &[&Moment(now)]).await?;
    Ok(sums)
}

#[async_trait]
impl Tallies for PostgresStore {
    async fn add_tallies(&self, counted: Vec<Counted>, now: Timestamp) -> Result<Vec<Tally>> {
        let counted = Arc::new(counted);
        self.0
            .write(move |tx| {
                let counted = Arc::clone(&counted);
                Box::pin(async move { add(tx, &counted, now).await })
            })
            .await
    }
}
