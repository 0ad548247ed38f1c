//! Sign-in attempts, sessions and their tokens.
//!
//! A session is one *family* of tokens, as [`crate::store::generations`] says.

use hanna_wire::me::Role;
use hanna_wire::second_factor::SecondFactor;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::columns::{Micros, Word};
use super::{audit, devices, second_factors};
use crate::audit::{Act, NewAct};
use crate::secrets::{Mac, TokenHash};
use crate::slow_down;
use crate::store::generations::{Presented, TOKEN_REUSED, Trade, trade};
use crate::store::{
    AccountState, Admission, Caller, Credentials, Opening, Refreshed, Rotation, SessionOpened, TokenPair,
    second_factor,
};

pub fn count_attempt(tx: &Transaction<'_>, username: Mac, now: Timestamp) -> rusqlite::Result<Admission> {
    // Anybody can make rows here, so the old ones go.
    tx.prepare_cached("DELETE FROM sign_in_attempts WHERE last_us < ?1")?
        .execute([Micros(slow_down::forgotten_before(now))])?;
    let before = tx
        .prepare_cached("SELECT attempts, last_us FROM sign_in_attempts WHERE username_mac = ?1")?
        .query_row([username], |row| {
            Ok(slow_down::Attempts { count: row.get(0)?, last: row.get::<_, Micros>(1)?.0 })
        })
        .optional()?;
    match slow_down::admit(before, now) {
        Err(until) => Ok(Admission::Wait(until)),
        Ok(attempts) => {
            tx.prepare_cached(
                "INSERT INTO sign_in_attempts (username_mac, attempts, last_us) VALUES (?1, ?2, ?3)
                 ON CONFLICT (username_mac) DO UPDATE SET attempts = excluded.attempts, last_us = excluded.last_us",
            )?
            .execute(params![username, attempts.count, Micros(attempts.last)])?;
            Ok(Admission::Admitted)
        }
    }
}

pub fn forget_attempts(tx: &Transaction<'_>, username: Mac) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM sign_in_attempts WHERE username_mac = ?1")?.execute([username])?;
    Ok(())
}

pub fn credentials(tx: &Transaction<'_>, username_key: &str) -> rusqlite::Result<Option<Credentials>> {
    tx.prepare_cached("SELECT id, state, password_hash FROM accounts WHERE username_key = ?1")?
        .query_row([username_key], |row| {
            Ok(Credentials {
                account_id: row.get(0)?,
                state: row.get::<_, Word<_>>(1)?.0,
                password_hash: row.get(2)?,
            })
        })
        .optional()
}

pub fn open_session(tx: &Transaction<'_>, opening: &Opening) -> rusqlite::Result<SessionOpened> {
    let is_good = tx
        .prepare_cached("SELECT 1 FROM accounts WHERE id = ?1 AND password_hash = ?2 AND state = ?3")?
        .exists(params![opening.account_id, opening.password_hash.expose(), Word(AccountState::Active)])?;
    if !is_good {
        return Ok(SessionOpened::NotGood);
    }
    let proved = match second_factors::prove(tx, opening.account_id, opening.otp.as_ref(), opening.now)? {
        Ok(proved) => proved,
        Err(not_opened) => return Ok(not_opened),
    };
    if !devices::register(tx, opening.device_id, &opening.device_name, opening.now)? {
        audit::append(tx, &NewAct::turned_away(opening))?;
        return Ok(SessionOpened::DeviceRevoked);
    }
    tx.execute(
        "INSERT INTO sessions
             (id, account_id, device_id, opened_us, generation, rotated_us, ended_us, ended_why, second_factor_us)
         VALUES (?1, ?2, ?3, ?4, 1, ?4, NULL, NULL, ?5)",
        params![
            opening.session_id,
            opening.account_id,
            opening.device_id,
            Micros(opening.now),
            proved.map(Micros)
        ],
    )?;
    audit::append(tx, &NewAct::new(Act::SignIn, opening.now).about(opening.session_id))?;
    add_tokens(tx, opening.session_id, 1, &opening.tokens)?;
    Ok(SessionOpened::Done)
}

fn add_tokens(
    tx: &Transaction<'_>,
    session_id: Uuid,
    generation: i64,
    tokens: &TokenPair,
) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO access_tokens (token_hash, session_id, expires_us) VALUES (?1, ?2, ?3)",
        params![tokens.access, session_id, Micros(tokens.access_expires_at)],
    )?;
    tx.execute(
        "INSERT INTO refresh_tokens (token_hash, session_id, generation, expires_us) VALUES (?1, ?2, ?3, ?4)",
        params![tokens.refresh, session_id, generation, Micros(tokens.refresh_expires_at)],
    )?;
    Ok(())
}

pub fn refresh_session(tx: &Transaction<'_>, rotation: &Rotation) -> rusqlite::Result<Refreshed> {
    let now = rotation.now;
    let found = tx
        .query_row(
            "SELECT s.id, t.generation, s.generation, s.rotated_us, a.state
             FROM refresh_tokens t
             JOIN sessions s ON s.id = t.session_id
             JOIN accounts a ON a.id = s.account_id
             WHERE t.token_hash = ?1 AND t.expires_us > ?2 AND s.device_id = ?3 AND s.ended_us IS NULL",
            params![rotation.presented, Micros(now), rotation.device_id],
            |row| {
                let presented = Presented {
                    generation: row.get(1)?,
                    session_generation: row.get(2)?,
                    rotated_at: row.get::<_, Micros>(3)?.0,
                };
                Ok((row.get(0)?, presented, row.get::<_, Word<_>>(4)?.0))
            },
        )
        .optional()?;
    let found: Option<(Uuid, Presented, AccountState)> = found;
    let Some((session_id, presented, account)) = found else { return Ok(Refreshed::NotGood) };
    if account != AccountState::Active {
        return Ok(Refreshed::AccountNotActive);
    }
    let generation = match trade(&presented, now) {
        Trade::Next(next) => {
            tx.execute(
                "UPDATE sessions SET generation = ?2, rotated_us = ?3 WHERE id = ?1",
                params![session_id, next, Micros(now)],
            )?;
            next
        }
        Trade::Present(generation) => generation,
        Trade::Reused => {
            end_session(tx, session_id, now, TOKEN_REUSED)?;
            return Ok(Refreshed::Reused);
        }
    };
    // Expired tokens say nothing any more; used ones stay, so that their reuse is noticed.
    for table in ["access_tokens", "refresh_tokens"] {
        tx.execute(
            &format!("DELETE FROM {table} WHERE session_id = ?1 AND expires_us <= ?2"),
            params![session_id, Micros(now)],
        )?;
    }
    add_tokens(tx, session_id, generation, &rotation.tokens)?;
    devices::note_contact(tx, rotation.device_id, None, now)?;
    Ok(Refreshed::Granted)
}

pub fn end_session(
    tx: &Transaction<'_>,
    session_id: Uuid,
    now: Timestamp,
    why: &str,
) -> rusqlite::Result<()> {
    let ended = tx.execute(
        "UPDATE sessions SET ended_us = ?2, ended_why = ?3 WHERE id = ?1 AND ended_us IS NULL",
        params![session_id, Micros(now), why],
    )?;
    if ended == 1 {
        audit::append(tx, &NewAct::session_ended(session_id, why, now))?;
    }
    for table in ["access_tokens", "refresh_tokens"] {
        tx.execute(&format!("DELETE FROM {table} WHERE session_id = ?1"), [session_id])?;
    }
    Ok(())
}

pub fn caller(tx: &Transaction<'_>, access: TokenHash, now: Timestamp) -> rusqlite::Result<Option<Caller>> {
    let caller = tx
        .prepare_cached(
            "SELECT s.id, s.account_id, s.device_id, a.entity_id, a.state, d.revoked_us IS NOT NULL,
                    s.second_factor_us IS NOT NULL
             FROM access_tokens t
             JOIN sessions s ON s.id = t.session_id
             JOIN devices d ON d.id = s.device_id
             JOIN accounts a ON a.id = s.account_id
             WHERE t.token_hash = ?1 AND t.expires_us > ?2 AND s.ended_us IS NULL",
        )?
        .query_row(params![access, Micros(now)], |row| {
            let caller = Caller {
                session_id: row.get(0)?,
                account_id: row.get(1)?,
                device_id: row.get(2)?,
                entity_id: row.get(3)?,
                state: row.get::<_, Word<_>>(4)?.0,
                device_revoked: row.get(5)?,
                roles: Vec::new(),
                second_factor: SecondFactor::NotNeeded,
            };
            Ok((caller, row.get(6)?))
        })
        .optional()?;
    let Some((caller, has_second_factor)) = caller else { return Ok(None) };
    let roles = roles(tx, caller.account_id)?;
    Ok(Some(Caller { second_factor: second_factor(&roles, has_second_factor), roles, ..caller }))
}

pub fn roles(tx: &Transaction<'_>, account_id: Uuid) -> rusqlite::Result<Vec<Role>> {
    tx.prepare_cached("SELECT role FROM account_roles WHERE account_id = ?1 ORDER BY role")?
        .query_map([account_id], |row| Ok(row.get::<_, Word<_>>(0)?.0))?
        .collect()
}
