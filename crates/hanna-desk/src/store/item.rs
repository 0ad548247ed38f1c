//! The rows of the outbox: what is recorded, how it stands, and how it is read back.

use hanna_domain::outbox::{Event, ItemCode, ItemKind, ItemState};
use hanna_domain::{Cause, Document, DocumentKind, Tariff};
use hanna_wire::outbox::{Item, ItemBody};
use jiff::Timestamp;
use rusqlite::Row;
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

pub(super) const COLUMNS: &str = "sequence, recorded_sequence, id, state, code, submission, lookup_id, author_id, author_name, branch_id, \
     branch_name, document_kind, document_number, affiliate_name, tariff, company_name, body, \
     device_time, occurred_at, attempts, last_cause, next_attempt_at";

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

pub(super) fn read_rows(mut rows: rusqlite::Rows<'_>) -> Result<Vec<ItemRow>, StoreError> {
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read_row(row)?);
    }
    Ok(items)
}

pub(super) fn read_row(row: &Row<'_>) -> Result<ItemRow, StoreError> {
    const TABLE: StoreError = StoreError::Content("item");
    let word = |name: &str| row.get::<_, String>(name);
    let optional = |name: &str| row.get::<_, Option<String>>(name);
    let kind = DocumentKind::from_code(&word("document_kind")?).ok_or(TABLE)?;
    let usage = match (optional("affiliate_name")?, optional("tariff")?) {
        (Some(affiliate_name), Some(tariff)) => Some(SignedUse {
            affiliate_name,
            tariff: Tariff::from_code(&tariff).ok_or(TABLE)?,
            company_name: optional("company_name")?,
        }),
        _ => None,
    };
    Ok(ItemRow {
        sequence: row.get("sequence")?,
        recorded_sequence: row.get("recorded_sequence")?,
        state: ItemState::from_code(&word("state")?).ok_or(TABLE)?,
        code: optional("code")?.map(|code| ItemCode::from_code(&code).ok_or(TABLE)).transpose()?,
        submission: row.get("submission")?,
        attempts: row.get("attempts")?,
        last_cause: optional("last_cause")?.map(|cause| Cause::from_code(&cause).ok_or(TABLE)).transpose()?,
        next_attempt_at: time(row.get("next_attempt_at")?, "item")?,
        item: NewItem {
            id: row.get("id")?,
            author_id: row.get("author_id")?,
            author_name: row.get("author_name")?,
            branch_id: row.get("branch_id")?,
            branch_name: row.get("branch_name")?,
            document: Document::parse(kind, &word("document_number")?).map_err(|_| TABLE)?,
            lookup_id: row.get("lookup_id")?,
            usage,
            body: serde_json::from_str(&word("body")?).map_err(|_| TABLE)?,
            device_time: time(row.get("device_time")?, "item")?,
            occurred_at: time(row.get("occurred_at")?, "item")?,
        },
    })
}
