//! Sign-in attempts, sessions and their tokens.
//!
//! A session is one *family* of tokens, as [`crate::store::generations`] says. Whoever trades one of its refresh tokens
//! holds the session's row, so that two who do so at once come one after the other.

use hanna_wire::me::Role;
use jiff::Timestamp;
use uuid::Uuid;

use super::columns::{Bytes32, Columns, Count, Moment};
use super::fault::Done;
use super::locks::{self, Name};
use super::pool::Tx;
use super::{audit, devices, second_factors};
use crate::audit::{Act, NewAct};
use crate::secrets::{Mac, TokenHash};
use crate::slow_down;
use crate::store::generations::{Presented, SIGNED_OUT, TOKEN_REUSED, Trade, trade};
use crate::store::words::Word;
use crate::store::{
    AccountState, Admission, Caller, Credentials, Opening, Refreshed, Rotation, SessionOpened, TokenPair,
    second_factor,
};

pub async fn count_attempt(tx: &Tx, username: Mac, now: Timestamp) -> Done<Admission> {
    locks::hold(tx, Name::of("attempts", &[&username.0])).await?;
    let username = Bytes32::from(username);
    // Anybody can make rows here, so the old ones go; those somebody else takes away just now are left to them.
    tx.execute(
        "DELETE FROM sign_in_attempts WHERE username_mac IN
             (SELECT username_mac FROM sign_in_attempts WHERE last_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        &[&Moment(slow_down::forgotten_before(now))],
    )
    .await?;
    let before = tx
        .row_or_none("SELECT attempts, last_at FROM sign_in_attempts WHERE username_mac = $1", &[&username])
        .await?;
    let before = match before {
        Some(row) => Some(slow_down::Attempts { count: row.count(0)?, last: row.moment(1)? }),
        None => None,
    };
    match slow_down::admit(before, now) {
        Err(until) => Ok(Admission::Wait(until)),
        Ok(attempts) => {
            tx.execute(
                "INSERT INTO sign_in_attempts (username_mac, attempts, last_at) VALUES ($1, $2, $3)
                 ON CONFLICT (username_mac) DO UPDATE SET attempts = excluded.attempts, last_at = excluded.last_at",
                &[&username, &Count(attempts.count), &Moment(attempts.last)],
            )
            .await?;
            Ok(Admission::Admitted)
        }
    }
}

pub async fn forget_attempts(tx: &Tx, username: Mac) -> Done<()> {
    tx.execute("DELETE FROM sign_in_attempts WHERE username_mac = $1", &[&Bytes32::from(username)])
        .await
        .map(drop)
}

pub async fn credentials(tx: &Tx, username_key: &str) -> Done<Option<Credentials>> {
    let sql = "SELECT id, state, password_hash FROM accounts WHERE username_key = $1";
    let Some(row) = tx.row_or_none(sql, &[&username_key]).await? else { return Ok(None) };
    Ok(Some(Credentials { account_id: row.value(0)?, state: row.word(1)?, password_hash: row.value(2)? }))
}

pub async fn open_session(tx: &Tx, opening: &Opening) -> Done<SessionOpened> {
    // There already: this very transaction, whose end was not heard of. What was given for it has served.
    if tx.exists("SELECT 1 FROM sessions WHERE id = $1", &[&opening.session_id]).await? {
        return Ok(SessionOpened::Done);
    }
    // Whoever sets another password waits for this session, and ends it.
    let is_good = "SELECT 1 FROM accounts WHERE id = $1 AND password_hash = $2 AND state = $3 FOR SHARE";
    let (password_hash, active) = (opening.password_hash.expose(), Word(AccountState::Active));
    if !tx.exists(is_good, &[&opening.account_id, password_hash, &active]).await? {
        return Ok(SessionOpened::NotGood);
    }
    let proved = second_factors::prove(tx, opening.account_id, opening.otp.as_ref(), opening.now).await?;
    let proved = match proved {
        Ok(proved) => proved,
        Err(not_opened) => return Ok(not_opened),
    };
    if !devices::register(tx, opening.device_id, &opening.device_name, opening.now).await? {
        audit::append(tx, &NewAct::turned_away(opening)).await?;
        return Ok(SessionOpened::DeviceRevoked);
    }
    tx.execute(
        "INSERT INTO sessions
             (id, account_id, device_id, opened_at, generation, rotated_at, ended_at, ended_why, second_factor_at)
         VALUES ($1, $2, $3, $4, 1, $4, NULL, NULL, $5)",
        &[
            &opening.session_id,
            &opening.account_id,
            &opening.device_id,
            &Moment(opening.now),
            &proved.map(Moment),
        ],
    )
    .await?;
    audit::append(tx, &NewAct::new(Act::SignIn, opening.now).about(opening.session_id)).await?;
    add_tokens(tx, opening.session_id, 1, &opening.tokens).await?;
    Ok(SessionOpened::Done)
}

/// Those that are there already are of this very transaction, whose end was not heard of.
async fn add_tokens(tx: &Tx, session_id: Uuid, generation: i64, tokens: &TokenPair) -> Done<()> {
    tx.execute(
        "INSERT INTO access_tokens (token_hash, session_id, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (token_hash) DO NOTHING",
        &[&Bytes32::from(tokens.access), &session_id, &Moment(tokens.access_expires_at)],
    )
    .await?;
    tx.execute(
        "INSERT INTO refresh_tokens (token_hash, session_id, generation, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (token_hash) DO NOTHING",
        &[&Bytes32::from(tokens.refresh), &session_id, &generation, &Moment(tokens.refresh_expires_at)],
    )
    .await
    .map(drop)
}

pub async fn refresh_session(tx: &Tx, rotation: &Rotation) -> Done<Refreshed> {
    let now = rotation.now;
    let presented = tx
        .row_or_none(
            "SELECT s.id, t.generation, s.generation, s.rotated_at, a.state
             FROM refresh_tokens t
             JOIN sessions s ON s.id = t.session_id
             JOIN accounts a ON a.id = s.account_id
             WHERE t.token_hash = $1 AND t.expires_at > $2 AND s.device_id = $3 AND s.ended_at IS NULL
             FOR UPDATE OF s",
            &[&Bytes32::from(rotation.presented), &Moment(now), &rotation.device_id],
        )
        .await?;
    let Some(row) = presented else { return Ok(Refreshed::NotGood) };
    let session_id: Uuid = row.value(0)?;
    let presented = Presented {
        generation: row.value(1)?,
        session_generation: row.value(2)?,
        rotated_at: row.moment(3)?,
    };
    if row.word::<AccountState>(4)? != AccountState::Active {
        return Ok(Refreshed::AccountNotActive);
    }
    let generation = match trade(&presented, now) {
        Trade::Next(next) => {
            tx.execute(
                "UPDATE sessions SET generation = $2, rotated_at = $3 WHERE id = $1",
                &[&session_id, &next, &Moment(now)],
            )
            .await?;
            next
        }
        Trade::Present(generation) => generation,
        Trade::Reused => {
            end_session(tx, session_id, now, TOKEN_REUSED).await?;
            return Ok(Refreshed::Reused);
        }
    };
    // Expired tokens say nothing any more; used ones stay, so that their reuse is noticed.
    for expired in [
        "DELETE FROM access_tokens WHERE session_id = $1 AND expires_at <= $2",
        "DELETE FROM refresh_tokens WHERE session_id = $1 AND expires_at <= $2",
    ] {
        tx.execute(expired, &[&session_id, &Moment(now)]).await?;
    }
    add_tokens(tx, session_id, generation, &rotation.tokens).await?;
    tx.execute(devices::NOTE_CONTACT, &[&rotation.device_id, &Moment(now), &None::<i64>]).await?;
    Ok(Refreshed::Granted)
}

pub async fn sign_out(tx: &Tx, session_id: Uuid, now: Timestamp) -> Done<()> {
    end_session(tx, session_id, now, SIGNED_OUT).await
}

async fn end_session(tx: &Tx, session_id: Uuid, now: Timestamp, why: &str) -> Done<()> {
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $2, ended_why = $3 WHERE id = $1 AND ended_at IS NULL",
            &[&session_id, &Moment(now), &why],
        )
        .await?;
    if ended == 1 {
        audit::append(tx, &NewAct::session_ended(session_id, why, now)).await?;
    }
    tx.execute("DELETE FROM access_tokens WHERE session_id = $1", &[&session_id]).await?;
    tx.execute("DELETE FROM refresh_tokens WHERE session_id = $1", &[&session_id]).await.map(drop)
}

pub async fn caller(tx: &Tx, access: TokenHash, now: Timestamp) -> Done<Option<Caller>> {
    let row = tx
        .row_or_none(
            "SELECT s.id, s.account_id, s.device_id, a.entity_id, a.state, d.revoked_at IS NOT NULL,
                    ARRAY(SELECT r.role FROM account_roles r WHERE r.account_id = a.id ORDER BY r.role),
                    s.second_factor_at IS NOT NULL
             FROM access_tokens t
             JOIN sessions s ON s.id = t.session_id
             JOIN devices d ON d.id = s.device_id
             JOIN accounts a ON a.id = s.account_id
             WHERE t.token_hash = $1 AND t.expires_at > $2 AND s.ended_at IS NULL",
            &[&Bytes32::from(access), &Moment(now)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let roles = row.words::<Role>(6)?;
    Ok(Some(Caller {
        session_id: row.value(0)?,
        account_id: row.value(1)?,
        device_id: row.value(2)?,
        entity_id: row.value(3)?,
        state: row.word(4)?,
        device_revoked: row.value(5)?,
        second_factor: second_factor(&roles, row.value(7)?),
        roles,
    }))
}
