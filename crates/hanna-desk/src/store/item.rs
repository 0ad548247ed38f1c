//! The rows of the outbox: what is recorded, how it stands, and how it is read back.

use hanna_domain::outbox::{Event, ItemCode, ItemKind, ItemState};
use hanna_domain::{Cause, Document, DocumentKind, Tariff};
use hanna_wire::outbox::{Item, ItemBody};
use jiff::Timestamp;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::{StoreError, time};

/// Something to be recorded and delivered.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// The item's id, for ever.
    pub id: Uuid,
    /// Who did it.
    pub author_id: Uuid,
    /// What the author is called.
    pub author_name: String,
    /// Where.
    pub branch_id: Uuid,
    /// What the branch is called.
    pub branch_name: String,
    /// Whom it is about.
    pub document: Document,
    /// The lookup a use rests on, or that was made offline.
    pub lookup_id: Option<Uuid>,
    /// What lists and reports show of a use; none for anything else.
    pub usage: Option<SignedUse>,
    /// What is delivered.
    pub body: ItemBody,
    /// This PC's clock.
    pub device_time: Timestamp,
    /// Corrected to the server's.
    pub occurred_at: Timestamp,
}

/// What lists and reports show of a use, as signed in its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUse {
    /// `PÉREZ GÓMEZ, JUAN CARLOS`.
    pub affiliate_name: String,
    /// At which price category.
    pub tariff: Tariff,
    /// The employer.
    pub company_name: Option<String>,
}

/// An item as stored.
#[derive(Debug, Clone)]
pub struct ItemRow {
    /// This desk's count: what is brought back from an outbox that was set aside has one below zero.
    pub sequence: i64,
    /// Of what was brought back: its sequence in that outbox.
    pub recorded_sequence: Option<i64>,
    /// What was recorded.
    pub item: NewItem,
    /// How it stands.
    pub state: ItemState,
    /// Why the server noted or refused it.
    pub code: Option<ItemCode>,
    /// How often an operator asked again after a refusal.
    pub submission: u32,
    /// How often it was sent.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_cause: Option<Cause>,
    /// Not before this moment.
    pub next_attempt_at: Timestamp,
}

/// What became of an item that was being sent.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    /// The item.
    pub id: Uuid,
    /// What happened to it.
    pub event: Event,
    /// Why, for a note or a refusal.
    pub code: Option<ItemCode>,
    /// Why it is to be retried.
    pub cause: Option<Cause>,
    /// When it may be retried.
    pub next_attempt_at: Option<Timestamp>,
}

impl NewItem {
    /// What it is.
    pub const fn kind(&self) -> ItemKind {
        match self.body {
            ItemBody::UsageReport { .. } => ItemKind::UsageReport,
            ItemBody::Void { .. } => ItemKind::Void,
            ItemBody::OfflineLookup { .. } => ItemKind::OfflineLookup,
        }
    }

    /// What a void takes back.
    pub const fn report_id(&self) -> Option<Uuid> {
        match self.body {
            ItemBody::Void { report_id, .. } => Some(report_id),
            _ => None,
        }
    }
}

/// In the order in which [`read_row`] takes them.
pub(super) const COLUMNS: &str = "(SELECT body FROM item_body WHERE item_body.sequence = item.sequence) AS body, \
     sequence, recorded_sequence, state, code, submission, attempts, last_cause, next_attempt_at, id, \
     author_id, author_name, branch_id, branch_name, document_kind, document_number, lookup_id, affiliate_name, tariff, \
     company_name, device_time, occurred_at";

impl ItemRow {
    /// The item as it travels, the same at every attempt.
    pub fn to_wire(&self) -> Item {
        Item {
            id: self.item.id,
            sequence: self.recorded_sequence.unwrap_or(self.sequence),
            author_id: self.item.author_id,
            device_time: self.item.device_time,
            occurred_at: self.item.occurred_at,
            submission: self.submission,
            body: self.item.body.clone(),
        }
    }
}

/// Adds what is delivered of the item with this sequence.
pub(super) fn insert_body(db: &Connection, sequence: i64, body: &ItemBody) -> Result<(), StoreError> {
    let body = serde_json::to_string(body).map_err(|error| StoreError::Failed(error.into()))?;
    db.prepare_cached("INSERT INTO item_body (sequence, body) VALUES (?1, ?2)")?.execute((sequence, body))?;
    Ok(())
}

pub(super) fn read_rows(mut rows: rusqlite::Rows<'_>) -> Result<Vec<ItemRow>, StoreError> {
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read_row(row)?);
    }
    Ok(items)
}

/// How long the body is, as it is delivered.
pub(super) fn body_bytes(row: &Row<'_>) -> Result<usize, StoreError> {
    row.get_ref(0)?.as_str().map(str::len).map_err(|_| StoreError::Content("item"))
}

/// Reads a row of [`COLUMNS`], one column after the other: thousands are read at once when the server is back, and finding
/// each by its name took longer than reading it.
pub(super) fn read_row(row: &Row<'_>) -> Result<ItemRow, StoreError> {
    let mut cells = Cells { row, next: 0 };
    let body = serde_json::from_str(cells.text()?).map_err(|_| TABLE)?;
    Ok(ItemRow {
        sequence: cells.take()?,
        recorded_sequence: cells.take()?,
        state: cells.word(ItemState::from_code)?.ok_or(TABLE)?,
        code: cells.word(ItemCode::from_code)?,
        submission: cells.take()?,
        attempts: cells.take()?,
        last_cause: cells.word(Cause::from_code)?,
        next_attempt_at: cells.time()?,
        item: NewItem {
            id: cells.take()?,
            author_id: cells.take()?,
            author_name: cells.take()?,
            branch_id: cells.take()?,
            branch_name: cells.take()?,
            document: {
                let (kind, number) = (cells.step(), cells.step());
                read_document(row.get_ref(kind)?, row.get_ref(number)?)?
            },
            lookup_id: cells.take()?,
            usage: {
                let (name, tariff) = (cells.take()?, cells.word(Tariff::from_code)?);
                let company_name = cells.take()?;
                let signed = |(affiliate_name, tariff)| SignedUse { affiliate_name, tariff, company_name };
                Option::zip(name, tariff).map(signed)
            },
            body,
            device_time: cells.time()?,
            occurred_at: cells.time()?,
        },
    })
}

/// A document of its two columns, `document_kind` and `document_number`.
pub(super) fn read_document(kind: ValueRef<'_>, number: ValueRef<'_>) -> Result<Document, StoreError> {
    let kind = kind.as_str().ok().and_then(DocumentKind::from_code).ok_or(TABLE)?;
    Document::parse(kind, number.as_str().map_err(|_| TABLE)?).map_err(|_| TABLE)
}

const TABLE: StoreError = StoreError::Content("item");

/// The columns of a row, from the first to the last.
struct Cells<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Cells<'row> {
    fn step(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn take<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let at = self.step();
        Ok(self.row.get(at)?)
    }

    fn text(&mut self) -> Result<&'row str, StoreError> {
        let at = self.step();
        self.row.get_ref(at)?.as_str().map_err(|_| TABLE)
    }

    /// A word of a catalogue, or nothing.
    fn word<T>(&mut self, of: impl Fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        let at = self.step();
        let word = self.row.get_ref(at)?.as_str_or_null().map_err(|_| TABLE)?;
        word.map(|word| of(word).ok_or(TABLE)).transpose()
    }

    fn time(&mut self) -> Result<Timestamp, StoreError> {
        time(self.take()?, "item")
    }
}
