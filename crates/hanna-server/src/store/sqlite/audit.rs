//! The audit: appending acts, and reading them with what they refer to.
//!
//! SQLite has one writer, so acts are numbered in the order of their commits, and without gaps: a gap is a finding, and
//! what is there may be sealed at once.

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use uuid::Uuid;

use super::columns::Micros;
use super::retention;
use crate::audit::chain::{Block, Entry, Field, Head, pack, unpack};
use crate::audit::{Act, NewAct};
use crate::secrets::hex;
use crate::store::audit::{HEAD, STRAYS};
use crate::store::{Stray, Unsealed};

/// A statement with its lookup.
const LOOKUP: &str = "
    SELECT s.id, s.lookup_id, s.issued_us, s.expires_us, s.usable, s.reasons, l.account_id, l.device_id, l.entity_id,
           l.branch_id, l.document_mac, l.purpose, l.asked_us, l.regular
    FROM statements s LEFT JOIN lookups l ON l.id = s.lookup_id WHERE s.id = ?1";
/// An item as it was judged in a submission, with its effect if that is the one that was taken in.
const ITEM: &str = "
    SELECT i.id, i.content_hash, i.kind, i.sequence, i.author_id, i.device_id, i.sent_by, i.received_us, i.device_us,
           coalesce(e.submission, i.submission), coalesce(e.judged_us, i.judged_us),
           CASE WHEN e.item_id IS NULL THEN i.outcome ELSE 'refused' END, coalesce(e.code, i.code),
           u.statement_id, u.lookup_id, u.entity_id, u.branch_id, u.author_id, u.occurred_us, u.day, u.kind, u.number,
           u.affiliate_name, u.tariff, u.company_name,
           v.report_id, v.author_id, v.occurred_us, v.reason, v.text,
           o.lookup_id, o.occurred_us, o.verdict, o.statement_id,
           l.account_id, l.device_id, l.entity_id, l.branch_id, l.document_mac, l.purpose, l.asked_us, l.regular
    FROM outbox_items i
    LEFT JOIN earlier_refusals e ON e.item_id = i.id AND e.submission = ?2
    LEFT JOIN usage_reports u ON u.id = i.id AND e.item_id IS NULL
    LEFT JOIN voids v ON v.id = i.id AND e.item_id IS NULL
    LEFT JOIN offline_lookups o ON o.id = i.id AND e.item_id IS NULL
    LEFT JOIN lookups l ON l.id = o.lookup_id
    WHERE i.id = ?1";
/// A session as it was opened.
const SIGN_IN: &str = "SELECT id, account_id, device_id, opened_us FROM sessions WHERE id = ?1";
// What somebody made to be no JSON names no key, and is no reason to read no further.
const KEY_MADE: &str = "
    SELECT kid, public_key, not_before_us, not_after_us FROM signing_keys
    WHERE kid = CASE WHEN json_valid(?1) THEN ?1 ->> 'kid' END";

const ENTRIES: &str = "
    SELECT id, at_us, act, record_id, submission, account_id, device_id, document_mac, said
    FROM audit WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3";

/// Keys that no act names.
const STRAY_KEYS: (&str, &str) = (
    "signing_keys",
    "SELECT kid FROM signing_keys
     EXCEPT SELECT CASE WHEN json_valid(said) THEN said ->> 'kid' END FROM audit WHERE act = 'KEY_MADE'",
);

/// Numbers that were never given out, or whose act is gone, after those that were purged.
const GAPS: &str = "
    SELECT id FROM (SELECT id, lag(id, 1, ?1) OVER (ORDER BY id) AS before FROM audit WHERE id > ?1)
    WHERE id <> before + 1 LIMIT ?2";

/// Appends an act in the transaction of what it records.
pub fn append(tx: &Connection, act: &NewAct) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO audit (at_us, act, record_id, submission, account_id, device_id, document_mac, said)
         VALUES (?1, ?2, ?3, NULL, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        Micros(act.at),
        act.act.code(),
        act.record_id,
        act.account_id(),
        act.device_id,
        act.document,
        act.in_words(),
    ])?;
    Ok(())
}

/// Appends that a lookup was answered by a statement.
pub fn append_lookup(tx: &Connection, statement_id: Uuid, at: Timestamp) -> rusqlite::Result<()> {
    append_record(tx, Act::Lookup, statement_id, None, at)
}

/// Appends that an item was judged.
pub fn append_item(tx: &Connection, item_id: Uuid, submission: u32, at: Timestamp) -> rusqlite::Result<()> {
    append_record(tx, Act::Item, item_id, Some(submission), at)
}

fn append_record(
    tx: &Connection,
    act: Act,
    record_id: Uuid,
    submission: Option<u32>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO audit (at_us, act, record_id, submission) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![Micros(at), act.code(), record_id, submission])?;
    Ok(())
}

pub fn unsealed(tx: &Connection, known: Head, acts_max: u32) -> rusqlite::Result<Unsealed> {
    let kept = head(tx)?.unwrap_or(Head::NONE);
    let last = tx
        .prepare_cached(&format!("{BLOCKS} ORDER BY number DESC LIMIT 1"))?
        .query_row([], block)
        .optional()?
        .map_or(Head::NONE, |block| block.head());
    let head = Head::furthest(kept, last, known);
    let entries = entries(tx, head.until, i64::MAX, acts_max)?;
    let until = entries.last().map_or(head.until, |entry| entry.id);
    Ok(Unsealed { kept, head, until, entries })
}

pub fn keep_block(tx: &Connection, kept: Head, block: &Block) -> rusqlite::Result<bool> {
    let present = head(tx)?.unwrap_or(Head::NONE);
    if present != kept {
        return Ok(present == block.head());
    }
    tx.prepare_cached(
        "INSERT INTO audit_blocks (number, previous, sealed_us, after_id, until_id, root, kid, signature, leaves)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        block.number,
        block.previous,
        block.sealed_us,
        block.after,
        block.until,
        block.root,
        block.kid,
        block.signature,
        pack(&block.leaves),
    ])?;
    tx.prepare_cached(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![HEAD, block.head().pack()])?;
    Ok(true)
}

/// The head as it is kept. One that cannot be read is none.
pub fn head(tx: &Connection) -> rusqlite::Result<Option<Head>> {
    let value = tx
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([HEAD], |row| row.get::<_, Vec<u8>>(0))
        .optional()?;
    Ok(value.as_deref().and_then(Head::unpack))
}

pub fn sealed_after(tx: &Connection, after: i64) -> rusqlite::Result<Option<(Block, Vec<Entry>)>> {
    let found = tx
        .prepare_cached(&format!("{BLOCKS} WHERE number > ?1 ORDER BY number LIMIT 1"))?
        .query_row([after], block)
        .optional()?;
    let Some(block) = found else { return Ok(None) };
    let entries = entries(tx, block.after, block.until, u32::MAX)?;
    Ok(Some((block, entries)))
}

const BLOCKS: &str = "SELECT number, previous, sealed_us, after_id, until_id, root, kid, signature, leaves, purged FROM audit_blocks";

fn block(row: &Row<'_>) -> rusqlite::Result<Block> {
    Ok(Block {
        number: row.get(0)?,
        previous: row.get(1)?,
        sealed_us: row.get(2)?,
        after: row.get(3)?,
        until: row.get(4)?,
        root: row.get(5)?,
        kid: String::from_utf8_lossy(row.get_ref(6)?.as_bytes()?).into_owned(),
        signature: row.get(7)?,
        leaves: unpack(&row.get::<_, Vec<u8>>(8)?),
        purged: row.get(9)?,
    })
}

/// The acts after `after` and up to `until`, at most so many, with what they refer to.
fn entries(tx: &Connection, after: i64, until: i64, acts_max: u32) -> rusqlite::Result<Vec<Entry>> {
    let act = |row: &Row<'_>| {
        let text = String::from_utf8_lossy(row.get_ref(2)?.as_bytes()?).into_owned();
        Ok(Entry { id: row.get(0)?, act: text, columns: fields(row)?, record: None })
    };
    let mut entries: Vec<Entry> = tx
        .prepare_cached(ENTRIES)?
        .query_map(params![after, until, acts_max], act)?
        .collect::<rusqlite::Result<_>>()?;
    for entry in &mut entries {
        entry.record = record(tx, entry)?;
    }
    Ok(entries)
}

/// What an act refers to, if that is there.
fn record(tx: &Connection, entry: &Entry) -> rusqlite::Result<Option<Vec<Field>>> {
    let [_, _, _, record_id, submission, .., said] = entry.columns.as_slice() else { return Ok(None) };
    let one = |sql, values: &[&dyn ToSql]| tx.prepare_cached(sql)?.query_row(values, fields).optional();
    match Act::from_code(&entry.act) {
        Some(Act::Lookup) => one(LOOKUP, &[record_id]),
        Some(Act::Item) => one(ITEM, &[record_id, submission]),
        Some(Act::SignIn) => one(SIGN_IN, &[record_id]),
        Some(Act::KeyMade) => one(KEY_MADE, &[said]),
        _ => Ok(None),
    }
}

impl ToSql for Field {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The columns of a row, whatever they hold.
fn fields(row: &Row<'_>) -> rusqlite::Result<Vec<Field>> {
    let columns = row.as_ref().column_count();
    let field = |column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => Field::Null,
            ValueRef::Integer(value) => Field::Int(value),
            // No column of ours holds one.
            ValueRef::Real(value) => Field::Bytes(value.to_be_bytes().to_vec()),
            ValueRef::Text(bytes) => Field::Text(bytes.to_vec()),
            ValueRef::Blob(bytes) => Field::Bytes(bytes.to_vec()),
        })
    };
    (0..columns).map(field).collect()
}

pub fn strays(tx: &Connection, count_max: u32) -> rusqlite::Result<Vec<Stray>> {
    let mut strays = Vec::new();
    for (table, sql) in STRAYS.into_iter().chain([STRAY_KEYS]) {
        let found = tx.prepare(&format!("{sql} LIMIT ?1"))?.query_map([count_max], row_id)?.collect();
        strays.extend(stray(table, found)?);
    }
    let purged = retention::purged_until(tx)?.unwrap_or(0);
    let gaps = tx.prepare(GAPS)?.query_map(params![purged, count_max], row_id)?.collect();
    strays.extend(stray("audit, after a gap", gaps)?);
    Ok(strays)
}

fn stray(
    table: &'static str,
    found: rusqlite::Result<Vec<String>>,
) -> rusqlite::Result<impl Iterator<Item = Stray>> {
    Ok(found?.into_iter().map(move |id| Stray { table, id }))
}

fn row_id(row: &Row<'_>) -> rusqlite::Result<String> {
    Ok(match row.get_ref(0)? {
        ValueRef::Blob(bytes) => hex(bytes),
        ValueRef::Integer(number) => number.to_string(),
        other => String::from_utf8_lossy(other.as_bytes().unwrap_or_default()).into_owned(),
    })
}
