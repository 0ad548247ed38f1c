//! The server's own secrets, its signing keys, and the epoch of the data.

use hanna_domain::Redacted;
use jiff::Timestamp;
use uuid::Uuid;

use super::audit;
use super::columns::{Columns, Moment};
use super::fault::Done;
use super::pool::Tx;
use crate::audit::{Act, Actor, NewAct};
use crate::keys::SigningKey;

const EPOCH: &str = "epoch";
/// Reads a setting.
pub const SETTING: &str = "SELECT value FROM settings WHERE name = $1";

pub async fn secret(tx: &Tx, name: &str, candidate: &[u8]) -> Done<Vec<u8>> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[&name, &candidate],
    )
    .await?;
    tx.row(SETTING, &[&name]).await?.value(0)
}

/// The epoch kept, or `candidate`, which is kept then.
pub async fn begin_epoch(tx: &Tx, candidate: Uuid) -> Done<Uuid> {
    uuid(&secret(tx, EPOCH, candidate.as_bytes()).await?)
}

pub async fn renew_epoch(tx: &Tx, next: Uuid, now: Timestamp, by: &Actor) -> Done<()> {
    let changed = tx
        .execute(
            "INSERT INTO settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value",
            &[&EPOCH, &next.as_bytes().as_slice()],
        )
        .await?;
    if changed == 0 {
        return Ok(());
    }
    audit::append(tx, &NewAct::new(Act::EpochBegun, now).by(by).about(next)).await
}

/// The epoch these data are in; there is one since they were first opened.
pub async fn epoch(tx: &Tx) -> Done<Uuid> {
    uuid(&tx.row(SETTING, &[&EPOCH]).await?.value::<Vec<u8>>(0)?)
}

fn uuid(bytes: &[u8]) -> Done<Uuid> {
    Uuid::from_slice(bytes).map_err(|error| super::fault::Trouble::Unreadable(error.into()))
}

pub async fn signing_keys(tx: &Tx, candidate: &SigningKey, now: Timestamp) -> Done<Vec<SigningKey>> {
    // Two servers that start at once make one key.
    tx.batch("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE").await?;
    let keys = all(tx).await?;
    if keys.iter().any(|key| key.signs_at(now)) {
        return Ok(keys);
    }
    add(tx, candidate, now, &Actor::Server).await?;
    all(tx).await
}

pub async fn add(tx: &Tx, key: &SigningKey, now: Timestamp, by: &Actor) -> Done<()> {
    let added = tx
        .execute(
            "INSERT INTO signing_keys (kid, pkcs8, public_key, not_before, not_after) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (kid) DO NOTHING",
            &[&key.kid, key.pkcs8.expose(), &key.public_key, &Moment(key.not_before), &Moment(key.not_after)],
        )
        .await?;
    if added == 0 {
        return Ok(());
    }
    audit::append(tx, &NewAct::key_made(key, now).by(by)).await
}

pub async fn all(tx: &Tx) -> Done<Vec<SigningKey>> {
    let rows = tx
        .rows("SELECT kid, pkcs8, public_key, not_before, not_after FROM signing_keys ORDER BY made", &[])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(SigningKey {
                kid: row.value(0)?,
                pkcs8: Redacted::new(row.value(1)?),
                public_key: row.value(2)?,
                not_before: row.moment(3)?,
                not_after: row.moment(4)?,
            })
        })
        .collect()
}
