//! The epoch of the data: another one after they were restored from a backup.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::audit;
use crate::audit::{Act, Actor, NewAct};

const NAME: &str = "epoch";

/// The epoch kept, or `candidate`, which is kept then.
pub fn begin(tx: &Transaction<'_>, candidate: Uuid) -> rusqlite::Result<Uuid> {
    if let Some(epoch) = present(tx).optional()? {
        return Ok(epoch);
    }
    put(tx, candidate)?;
    Ok(candidate)
}

pub fn renew(tx: &Transaction<'_>, next: Uuid, now: Timestamp, by: &Actor) -> rusqlite::Result<()> {
    put(tx, next)?;
    audit::append(tx, &NewAct::new(Act::EpochBegun, now).by(by).about(next))
}

fn put(tx: &Transaction<'_>, next: Uuid) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![NAME, next],
    )?;
    Ok(())
}

/// The epoch these data are in; there is one since they were first opened.
pub fn present(tx: &Connection) -> rusqlite::Result<Uuid> {
    tx.prepare_cached("SELECT value FROM settings WHERE name = ?1")?.query_row([NAME], |row| row.get(0))
}
