//! The server's own secrets.

use hanna_domain::Redacted;
use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::audit;
use super::columns::Micros;
use crate::audit::{Actor, NewAct};
use crate::keys::SigningKey;

pub fn secret(tx: &Transaction<'_>, name: &str, candidate: [u8; 32]) -> rusqlite::Result<Vec<u8>> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![name, candidate.as_slice()],
    )?;
    tx.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
}

pub fn signing_keys(
    tx: &Transaction<'_>,
    candidate: &SigningKey,
    now: Timestamp,
) -> rusqlite::Result<Vec<SigningKey>> {
    let mut keys = all(tx)?;
    if !keys.iter().any(|key| key.signs_at(now)) {
        add(tx, candidate, now, &Actor::Server)?;
        keys = all(tx)?;
    }
    Ok(keys)
}

pub fn add(tx: &Connection, key: &SigningKey, now: Timestamp, by: &Actor) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO signing_keys (kid, pkcs8, public_key, not_before_us, not_after_us) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![key.kid, key.pkcs8.expose(), key.public_key, Micros(key.not_before), Micros(key.not_after)],
    )?;
    audit::append(tx, &NewAct::key_made(key, now).by(by))
}

pub fn all(tx: &Transaction<'_>) -> rusqlite::Result<Vec<SigningKey>> {
    let key = |row: &Row<'_>| {
        Ok(SigningKey {
            kid: row.get("kid")?,
            pkcs8: Redacted::new(row.get("pkcs8")?),
            public_key: row.get("public_key")?,
            not_before: row.get::<_, Micros>("not_before_us")?.0,
            not_after: row.get::<_, Micros>("not_after_us")?.0,
        })
    };
    tx.prepare("SELECT kid, pkcs8, public_key, not_before_us, not_after_us FROM signing_keys ORDER BY rowid")
        .and_then(|mut query| query.query_map([], key)?.collect())
}
