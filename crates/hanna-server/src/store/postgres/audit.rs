//! The audit: appending acts, and reading them with what they refer to.
//!
//! Acts are numbered when they are appended, and committed in any order: while a transaction is open, the number it was
//! given looks like a gap. So acts are given out for sealing only up to a number below which nobody has one any more
//! (`settled`). A transaction that is taken back leaves a gap for ever.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hanna_domain::Document;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::columns::{Bytes32, Columns, Count, Moment};
use super::fault::{Done, Trouble};
use super::keys::SETTING;
use super::locks::{self, Name};
use super::pool::{Connections, Tx};
use super::{PostgresStore, person};
use crate::audit::chain::{Block, Entry, Field, Head, pack, unpack};
use crate::audit::{Act, NewAct, PersonLookups, PersonalData};
use crate::secrets::hex;
use crate::store::audit::{HEAD, STRAYS};
use crate::store::{AuditStore, BoxError, LookupRange, Result, Stray, Unsealed};

/// How long the sealer waits for those who were given a number; then it tries again at its next turn.
const SETTLING_MAX: Duration = Duration::from_secs(3);
/// Between two looks.
const SETTLING_PAUSE: Duration = Duration::from_millis(20);

const APPEND: &str = "
    INSERT INTO audit (at, act, record_id, account_id, device_id, document_mac, said)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::json)";
/// Appends that items (`$2`) were judged, each in a submission (`$3`).
pub const APPEND_ITEMS: &str = "
    INSERT INTO audit (at, act, record_id, submission)
    SELECT $1::timestamptz, 'ITEM', id, submission FROM unnest($2::uuid[], $3::bigint[]) AS i (id, submission)";

const ENTRIES: &str = "
    SELECT id, at, act, record_id, submission, account_id, device_id, document_mac, said
    FROM audit WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3";
const BLOCKS: &str = "SELECT number, previous, sealed_us, after_id, until_id, root, kid, signature, leaves, purged FROM audit_blocks";

/// Statements with their lookups. Here and below: first the place in what was asked, then what is sealed.
const LOOKUPS: &str = "
    SELECT k.place, s.id, s.lookup_id, s.issued_at, s.expires_at, s.usable, s.reasons, l.account_id, l.device_id,
           l.entity_id, l.branch_id, l.document_mac, l.purpose, l.asked_at, l.regular
    FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, place)
    JOIN statements s ON s.id = k.id
    LEFT JOIN lookups l ON l.id = s.lookup_id";
/// Items as they were judged in a submission, with the effect if that is the one that was taken in.
const ITEMS: &str = "
    SELECT k.place, i.id, i.content_hash, i.kind, i.sequence, i.author_id, i.device_id, i.sent_by, i.received_at,
           i.device_time, coalesce(e.submission, i.submission), coalesce(e.judged_at, i.judged_at),
           CASE WHEN e.item_id IS NULL THEN i.outcome ELSE 'refused' END, coalesce(e.code, i.code),
           u.statement_id, u.lookup_id, u.entity_id, u.branch_id, u.author_id, u.occurred_at, u.day, u.kind, u.number,
           u.affiliate_name, u.tariff, u.company_name,
           v.report_id, v.author_id, v.occurred_at, v.reason, v.text,
           o.lookup_id, o.occurred_at, o.verdict, o.statement_id,
           l.account_id, l.device_id, l.entity_id, l.branch_id, l.document_mac, l.purpose, l.asked_at, l.regular
    FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS k (id, submission, place)
    JOIN outbox_items i ON i.id = k.id
    LEFT JOIN earlier_refusals e ON e.item_id = i.id AND e.submission = k.submission
    LEFT JOIN usage_reports u ON u.id = i.id AND e.item_id IS NULL
    LEFT JOIN voids v ON v.id = i.id AND e.item_id IS NULL
    LEFT JOIN offline_lookups o ON o.id = i.id AND e.item_id IS NULL
    LEFT JOIN lookups l ON l.id = o.lookup_id";
/// Sessions as they were opened.
const SIGN_INS: &str = "
    SELECT k.place, s.id, s.account_id, s.device_id, s.opened_at
    FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, place) JOIN sessions s ON s.id = k.id";
const KEYS_MADE: &str = "
    SELECT k.place, s.kid, s.public_key, s.not_before, s.not_after
    FROM unnest($1::text[]) WITH ORDINALITY AS k (kid, place) JOIN signing_keys s ON s.kid = k.kid";

/// Keys that no act names.
const STRAY_KEYS: (&str, &str) = (
    "signing_keys",
    "SELECT kid FROM signing_keys EXCEPT SELECT said ->> 'kid' FROM audit WHERE act = 'KEY_MADE'",
);

/// Appends an act in the transaction of what it records. One whose transaction was committed, and begun again because that
/// was not heard of, stands twice unless the caller sees that there is nothing to do any more.
pub async fn append(tx: &Tx, act: &NewAct) -> Done<()> {
    tx.execute(
        APPEND,
        &[
            &Moment(act.at),
            &act.act.code(),
            &act.record_id,
            &act.account_id(),
            &act.device_id,
            &act.document.map(Bytes32::from),
            &act.in_words(),
        ],
    )
    .await
    .map(drop)
}

/// Appends that items were judged, each in a submission.
pub async fn append_items(tx: &Tx, items: &[(Uuid, u32)], at: Timestamp) -> Done<()> {
    if items.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = items.iter().map(|(id, _)| *id).collect();
    let submissions: Vec<Count> = items.iter().map(|(_, submission)| Count(*submission)).collect();
    tx.execute(APPEND_ITEMS, &[&Moment(at), &ids, &submissions]).await.map(drop)
}

/// Begins and ends its transaction itself.
async fn unsealed(tx: &Tx, known: Head, acts_max: u32) -> Done<Unsealed> {
    let settled = settled(tx).await?;
    tx.begin_reading().await?;
    let kept = head(tx).await?.unwrap_or(Head::NONE);
    let last = tx.row_or_none(&format!("{BLOCKS} ORDER BY number DESC LIMIT 1"), &[]).await?;
    let last = last.as_ref().map(block).transpose()?.map_or(Head::NONE, |block| block.head());
    let head = Head::furthest(kept, last, known);
    let entries = match settled {
        Some(settled) => entries(tx, head.until, settled, acts_max).await?,
        None => Vec::new(),
    };
    let until = entries.last().map_or(head.until, |entry| entry.id);
    Ok(Unsealed { kept, head, until, entries })
}

/// A number such that no act up to it can be committed any more; none when somebody takes long. Outside of any transaction,
/// and on one connection: another server might know less.
async fn settled(tx: &Tx) -> Done<Option<i64>> {
    let given_out: i64 = tx.row("SELECT last_value FROM audit_ids", &[]).await?.value(0)?;
    // Whoever was given a number up to that one had a transaction before: it is older than this one.
    let horizon: String = tx.row("SELECT pg_current_xact_id()::text", &[]).await?.value(0)?;
    let is_reached = "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8";
    let begun = tokio::time::Instant::now();
    while !tx.row(is_reached, &[&horizon]).await?.value::<bool>(0)? {
        if begun.elapsed() > SETTLING_MAX {
            tracing::warn!("a transaction takes long: until it ends nothing can be sealed");
            return Ok(None);
        }
        tokio::time::sleep(SETTLING_PAUSE).await;
    }
    Ok(Some(given_out))
}

async fn keep_block(tx: &Tx, kept: Head, block: &Block) -> Done<bool> {
    // One server process after the other.
    locks::hold(tx, Name::of("audit", &[])).await?;
    let present = head(tx).await?.unwrap_or(Head::NONE);
    if present != kept {
        return Ok(present == block.head());
    }
    tx.execute(
        "INSERT INTO audit_blocks (number, previous, sealed_us, after_id, until_id, root, kid, signature, leaves)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &block.number,
            &block.previous,
            &block.sealed_us,
            &block.after,
            &block.until,
            &block.root,
            &block.kid,
            &block.signature,
            &pack(&block.leaves),
        ],
    )
    .await?;
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[&HEAD, &block.head().pack()],
    )
    .await?;
    Ok(true)
}

/// The head as it is kept. One that cannot be read is none.
async fn head(tx: &Tx) -> Done<Option<Head>> {
    let Some(row) = tx.row_or_none(SETTING, &[&HEAD]).await? else { return Ok(None) };
    Ok(Head::unpack(&row.value::<Vec<u8>>(0)?))
}

async fn sealed_after(tx: &Tx, after: i64) -> Done<Option<(Block, Vec<Entry>)>> {
    let sql = format!("{BLOCKS} WHERE number > $1 ORDER BY number LIMIT 1");
    let Some(row) = tx.row_or_none(&sql, &[&after]).await? else { return Ok(None) };
    let block = block(&row)?;
    let entries = entries(tx, block.after, block.until, u32::MAX).await?;
    Ok(Some((block, entries)))
}

fn block(row: &Row) -> Done<Block> {
    Ok(Block {
        number: row.value(0)?,
        previous: row.value(1)?,
        sealed_us: row.value(2)?,
        after: row.value(3)?,
        until: row.value(4)?,
        root: row.value(5)?,
        kid: row.value(6)?,
        signature: row.value(7)?,
        leaves: unpack(row.value(8)?),
        purged: row.value(9)?,
    })
}

/// The acts after `after` and up to `until`, at most so many, with what they refer to.
async fn entries(tx: &Tx, after: i64, until: i64, acts_max: u32) -> Done<Vec<Entry>> {
    let rows = tx.rows(ENTRIES, &[&after, &until, &i64::from(acts_max)]).await?;
    let mut asked = Asked::default();
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let entry = Entry { id: row.value(0)?, act: row.value(2)?, columns: fields(row, 0)?, record: None };
        asked.add(entries.len(), &entry.act, row)?;
        entries.push(entry);
    }
    for (place, record) in asked.answers(tx).await? {
        if let Some(entry) = entries.get_mut(place) {
            entry.record = Some(record);
        }
    }
    Ok(entries)
}

/// What acts refer to, asked for all of a kind at once; each with its place among the acts.
#[derive(Default)]
struct Asked {
    lookups: (Vec<usize>, Vec<Option<Uuid>>),
    items: (Vec<usize>, Vec<Option<Uuid>>, Vec<Option<i64>>),
    sign_ins: (Vec<usize>, Vec<Option<Uuid>>),
    keys: (Vec<usize>, Vec<Option<String>>),
}

impl Asked {
    fn add(&mut self, place: usize, act: &str, row: &Row) -> Done<()> {
        let record_id = row.value(3)?;
        match Act::from_code(act) {
            Some(Act::Lookup) => {
                self.lookups.0.push(place);
                self.lookups.1.push(record_id);
            }
            Some(Act::Item) => {
                self.items.0.push(place);
                self.items.1.push(record_id);
                self.items.2.push(row.value(4)?);
            }
            Some(Act::SignIn) => {
                self.sign_ins.0.push(place);
                self.sign_ins.1.push(record_id);
            }
            Some(Act::KeyMade) => {
                let said = row.value::<Option<Said>>(8)?.map(|said| said.0);
                let kid = said.and_then(|said| said["kid"].as_str().map(str::to_owned));
                self.keys.0.push(place);
                self.keys.1.push(kid);
            }
            _ => {}
        }
        Ok(())
    }

    async fn answers(&self, tx: &Tx) -> Done<Vec<(usize, Vec<Field>)>> {
        let Self { lookups, items, sign_ins, keys } = self;
        let mut answers = Vec::new();
        let mut add = |places: &[usize], rows: Vec<Row>| {
            for row in &rows {
                // Counted from 1 on.
                let place = usize::try_from(row.value::<i64>(0)? - 1).ok().and_then(|at| places.get(at));
                let place = place.ok_or_else(|| Trouble::Unreadable("a row without a place".into()))?;
                answers.push((*place, fields(row, 1)?));
            }
            Done::Ok(())
        };
        if !lookups.0.is_empty() {
            add(&lookups.0, tx.rows(LOOKUPS, &[&lookups.1]).await?)?;
        }
        if !items.0.is_empty() {
            add(&items.0, tx.rows(ITEMS, &[&items.1, &items.2]).await?)?;
        }
        if !sign_ins.0.is_empty() {
            add(&sign_ins.0, tx.rows(SIGN_INS, &[&sign_ins.1]).await?)?;
        }
        if !keys.0.is_empty() {
            add(&keys.0, tx.rows(KEYS_MADE, &[&keys.1]).await?)?;
        }
        Ok(answers)
    }
}

/// What an act says, as it stands in its column.
pub struct Said(pub serde_json::Value);

impl<'a> FromSql<'a> for Said {
    fn from_sql(_: &Type, raw: &'a [u8]) -> std::result::Result<Self, BoxError> {
        Ok(Self(serde_json::from_slice(raw)?))
    }

    tokio_postgres::types::accepts!(JSON);
}

/// The columns of a row from `first` on, whatever they hold: what is no text and no number as PostgreSQL sends it.
fn fields(row: &Row, first: usize) -> Done<Vec<Field>> {
    (first..row.len()).map(|column| Ok(row.value::<Raw>(column)?.0)).collect()
}

struct Raw(Field);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> std::result::Result<Self, BoxError> {
        Ok(Self(match *kind {
            Type::TEXT | Type::JSON => Field::Text(raw.to_vec()),
            Type::INT8 => Field::Int(i64::from_be_bytes(raw.try_into()?)),
            _ => Field::Bytes(raw.to_vec()),
        }))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, BoxError> {
        Ok(Self(Field::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// On a connection of its own: it reads everything there is.
async fn strays(connections: &Connections, count_max: u32) -> Done<Vec<Stray>> {
    let tx = Tx::on(connections.get().await?);
    tx.batch("SET statement_timeout = 0; SET work_mem = '64MB'").await?;
    let mut strays = Vec::new();
    for (table, sql) in STRAYS.into_iter().chain([STRAY_KEYS]) {
        let rows = tx.rows(&format!("{sql} LIMIT $1"), &[&i64::from(count_max)]).await?;
        for row in &rows {
            let id = match row.value::<Raw>(0)?.0 {
                Field::Null => String::new(),
                Field::Int(number) => number.to_string(),
                Field::Text(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Field::Bytes(bytes) => hex(&bytes),
            };
            strays.push(Stray { table, id });
        }
    }
    Ok(strays)
}

#[async_trait]
impl AuditStore for PostgresStore {
    async fn append(&self, act: NewAct) -> Result<()> {
        let act = Arc::new(act);
        self.0
            .write(move |tx| {
                let act = Arc::clone(&act);
                Box::pin(async move { append(tx, &act).await })
            })
            .await
    }

    async fn unsealed(&self, known: Head, acts_max: u32) -> Result<Unsealed> {
        let unsealed =
            self.0.write_at_once(|_| true, move |tx| Box::pin(unsealed(tx, known, acts_max))).await;
        Ok(unsealed?)
    }

    async fn keep_block(&self, kept: Head, block: Block) -> Result<bool> {
        let block = Arc::new(block);
        self.0
            .write(move |tx| {
                let block = Arc::clone(&block);
                Box::pin(async move { keep_block(tx, kept, &block).await })
            })
            .await
    }

    async fn sealed_after(&self, after: i64) -> Result<Option<(Block, Vec<Entry>)>> {
        self.0.read(move |tx| Box::pin(sealed_after(tx, after))).await
    }

    async fn audit_head(&self) -> Result<Option<Head>> {
        self.0.ask(|tx| Box::pin(head(tx))).await
    }

    async fn strays(&self, count_max: u32) -> Result<Vec<Stray>> {
        Ok(strays(&self.0, count_max).await?)
    }

    async fn person_lookups(&self, range: LookupRange, act: NewAct) -> Result<PersonLookups> {
        let act = Arc::new(act);
        self.0
            .write(move |tx| {
                let act = Arc::clone(&act);
                Box::pin(async move { person::who_asked(tx, range, &act).await })
            })
            .await
    }

    async fn personal_data(&self, document: Document, act: NewAct) -> Result<PersonalData> {
        let asked = Arc::new((document, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { person::data(tx, &asked.0, &asked.1).await })
            })
            .await
    }
}
