//! `POST /v1/outbox`: a batch of what a desk recorded, answered item by item.

use std::num::NonZero;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hanna_domain::Verified;
use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::statement::{StatementFault, Verifier};
use hanna_wire::limits::{BATCH_ITEMS_MAX, PURPOSE_MAX, REASON_TEXT_MAX, WAITING_MAX};
use hanna_wire::outbox::{BatchAnswer, Item, ItemBody, Outcome, OutcomeKind};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use uuid::Uuid;

use crate::app::App;
use crate::extract::{Body, Delivering, text};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, WITH_SESSION, route_faults};
use crate::store::{Arrival, Delivered, Delivery, OfflineLookup, Recorded, Sender, Void};
use crate::usage::rests_on;

route_faults!(WITH_BODY, WITH_SESSION, &[ErrorCode::SecondFactorRequired, ErrorCode::Forbidden]);

/// Deliver a batch
///
/// Each item has its own outcome, in the order of the items; one bad item does not spoil its batch. Every outcome is
/// remembered as long as records are kept, also a refusal: a replay of the item with the same `submission` is answered as the first time. A
/// higher `submission` asks to judge an item anew that was refused, after somebody put right what was wrong; an accepted
/// one stays accepted. The same id with other content is refused as `ID_CONFLICT` and changes nothing. An item that cannot
/// be read, but has an id, is refused as `MALFORMED` and not remembered; nor is `retry`.
///
/// A `void` comes after its report; one whose report the server does not know is answered `retry`, because the report may
/// still come. An `offline_lookup` that the server has answered too, late, is the same lookup.
///
/// A revoked PC may still make this call, and refresh its session for it: what happened before the revocation is taken in, what happened after it is
/// refused as `BRANCH_NOT_ALLOWED`.
///
/// What happened longer ago than the server keeps records (`keep_records_days`) is refused as `TOO_OLD`, unless its outcome is
/// still remembered: it may have been taken in and purged since.
///
/// `epoch` and `last_sequence` tell a desk whether the server may have lost what it had accepted, because it was restored
/// from a backup: the desk then offers it again, under the same ids.
#[utoipa::path(
    post,
    path = path::OUTBOX,
    operation_id = "deliver",
    tag = "usage",
    security(("session" = [])),
    request_body = ArrivedBatch,
    responses((status = 200, description = "One outcome an item.", body = BatchAnswer), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Delivering(caller): Delivering,
    Body(batch): Body<ArrivedBatch>,
) -> Result<Json<BatchAnswer>, Fault> {
    let sender =
        Sender { entity_id: caller.entity()?, account_id: caller.account_id, device_id: caller.device_id };
    let count = batch.items.len();
    if count == 0 || count > BATCH_ITEMS_MAX {
        let detail = format!("a batch has between 1 and {BATCH_ITEMS_MAX} items");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    if batch.waiting.is_some_and(|waiting| waiting > WAITING_MAX) {
        return Err(Fault::with(ErrorCode::Invalid, format!("waiting is more than {WAITING_MAX}")));
    }
    Ok(Json(take_in(&app, sender, batch).await?))
}

/// Judges items of one PC, one outcome an item and in their order: whether they came in a request or in a file.
pub async fn take_in(app: &App, sender: Sender, batch: ArrivedBatch) -> Result<BatchAnswer, Fault> {
    let ArrivedBatch { items, waiting } = batch;
    let mut arrivals = Vec::with_capacity(items.len());
    // The id of each item that could not be read, in its place.
    let mut unread = Vec::with_capacity(items.len());
    for item in read_all(app, items).await? {
        unread.push(item.map(|arrival| arrivals.push(arrival)).err());
    }
    let now = app.clock().now();
    let delivery = Delivery {
        arrivals,
        entity_id: sender.entity_id,
        account_id: sender.account_id,
        device_id: sender.device_id,
        waiting,
        kept_from: app.kept_from(now),
        now,
    };
    let Delivered { outcomes, epoch, last_sequence } = app.store().take_in(delivery).await?;
    let mut taken = outcomes.into_iter();
    let outcomes: Vec<Outcome> = unread
        .into_iter()
        .filter_map(|id| id.map_or_else(|| taken.next(), |id| Some(malformed(id))))
        .collect();
    app.metrics().delivered(&outcomes);
    tracing::info!(device_id = %sender.device_id, items = outcomes.len(), "a batch was taken in");
    Ok(BatchAnswer { outcomes, epoch, last_sequence })
}

/// A batch. Its items are read one by one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Batch)]
pub struct ArrivedBatch {
    /// 1 to 500 items. Items of one person are in the order they happened.
    #[schema(min_items = 1, max_items = 500)]
    pub(crate) items: Vec<ArrivedItem>,
    /// How many items will still wait at the desk when these are taken in, those that wait for a person included. Older
    /// desks do not say.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub(crate) waiting: Option<u64>,
}

/// An item; or anything else with an id, which is refused as `MALFORMED`: a newer desk may send what this server does
/// not know yet.
pub enum ArrivedItem {
    /// As the contract has it.
    Readable(Box<Item>),
    /// Anything else.
    Other {
        /// Its id.
        id: Uuid,
    },
}

impl ArrivedItem {
    /// Its id, and which submission of it this is.
    pub fn question(&self) -> (Uuid, u32) {
        match self {
            Self::Readable(item) => (item.id, item.submission),
            Self::Other { id } => (*id, 0),
        }
    }
}

impl ArrivedItem {
    /// What a use rests on.
    fn statement(&self) -> Option<&str> {
        match self {
            Self::Readable(item) => match &item.body {
                ItemBody::UsageReport { statement, .. } => Some(statement),
                ItemBody::Void { .. } | ItemBody::OfflineLookup { .. } => None,
            },
            Self::Other { .. } => None,
        }
    }
}

/// By hand: what `untagged` derives copies each item whole before it reads it.
impl<'de> Deserialize<'de> for ArrivedItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Other {
            id: Uuid,
        }
        let text = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(item) = serde_json::from_str(text.get()) {
            return Ok(Self::Readable(item));
        }
        let other = serde_json::from_str(text.get());
        other.map(|Other { id }| Self::Other { id }).map_err(|_| D::Error::custom("an item without an id"))
    }
}

/// By hand: an item is also an object with an id, so this is an `anyOf`, and deriving gives `oneOf`.
impl utoipa::PartialSchema for ArrivedItem {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        let other = ObjectBuilder::new().property("id", id).required("id");
        let any = AnyOfBuilder::new()
            .description(Some("An item. Anything else with an id is refused as `MALFORMED`."))
            .item(Ref::from_schema_name(item_name()))
            .item(other);
        Schema::from(any).into()
    }
}

impl utoipa::ToSchema for ArrivedItem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((item_name(), <Item as utoipa::PartialSchema>::schema()));
        <Item as utoipa::ToSchema>::schemas(schemas);
    }
}

fn item_name() -> String {
    <Item as utoipa::ToSchema>::name().into_owned()
}

/// On how many threads a batch is read at most.
const READERS_MAX: usize = 4;
/// How many items are worth a thread.
const SHARE_MIN: usize = 32;

/// The highest `submission` there is.
const SUBMISSION_MAX: u32 = 1_000_000;

/// An item that could be read, or the id of one that could not.
type Read = Result<Arrival, Uuid>;

/// Reads the items, in their order. Hundreds of signatures are no work for a thread that also answers others, nor for one
/// alone while other processors are idle.
async fn read_all(app: &App, mut items: Vec<ArrivedItem>) -> Result<Vec<Read>, Fault> {
    let keys = app.keys_as_kept().await?;
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(READERS_MAX);
    let share = items.len().div_ceil(threads).max(SHARE_MIN);
    let mut shares = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(share.min(items.len()));
        let mine = std::mem::replace(&mut items, rest);
        let (reader, keys) = (app.clone(), Arc::clone(&keys));
        shares.push(tokio::task::spawn_blocking(move || read_share(&reader, keys.verifier(), mine)));
    }
    let mut all = Vec::new();
    for share in shares {
        all.extend(share.await.map_err(Fault::internal)?);
    }
    Ok(all)
}

fn read_share(app: &App, verifier: &Verifier, items: Vec<ArrivedItem>) -> Vec<Read> {
    let statements: Vec<&str> = items.iter().filter_map(ArrivedItem::statement).collect();
    let mut judged = verifier.verify_each(&statements).into_iter();
    let mut founded = Vec::with_capacity(items.len());
    for item in &items {
        founded.push(item.statement().and_then(|_| judged.next()));
    }
    let read = |(item, founded): (ArrivedItem, _)| match item {
        ArrivedItem::Readable(item) => {
            let id = item.id;
            arrival(app, *item, founded).ok_or(id)
        }
        ArrivedItem::Other { id } => Err(id),
    };
    items.into_iter().zip(founded).map(read).collect()
}

/// What became of the text of the statement that an item rests on; none for an item that rests on none.
type Founded = Option<Result<Verified, StatementFault>>;

fn arrival(app: &App, item: Item, founded: Founded) -> Option<Arrival> {
    if item.sequence < 1 || item.submission > SUBMISSION_MAX {
        return None;
    }
    let content_hash = item.content_hash().ok()?;
    Some(Arrival {
        id: item.id,
        content_hash,
        submission: item.submission,
        sequence: item.sequence,
        author_id: item.author_id,
        device_time: item.device_time,
        occurred_at: item.occurred_at,
        recorded: recorded(app, item.body, item.occurred_at, founded)?,
    })
}

/// `None` for what the contract does not allow.
fn recorded(app: &App, body: ItemBody, occurred_at: Timestamp, founded: Founded) -> Option<Recorded> {
    match body {
        ItemBody::UsageReport { branch_id, .. } => {
            Some(Recorded::Use(rests_on(founded?, branch_id, occurred_at).map(Box::new)))
        }
        ItemBody::Void { report_id, reason, text } => {
            let words = text.as_deref().unwrap_or_default();
            // PostgreSQL keeps no NUL in a text, and nobody types one.
            let is_said = (reason != VoidReason::Other || !words.trim().is_empty()) && !words.contains('\0');
            (is_said && words.chars().count() <= REASON_TEXT_MAX).then_some(Recorded::Void(Void {
                report_id,
                reason,
                text,
            }))
        }
        ItemBody::OfflineLookup { lookup_id, branch_id, document, purpose, verdict, statement_id } => {
            let document_mac = app.mac_key().document(&document);
            let lookup = OfflineLookup { lookup_id, branch_id, document_mac, purpose, verdict, statement_id };
            text("purpose", &lookup.purpose, PURPOSE_MAX).ok()?;
            Some(Recorded::OfflineLookup(lookup))
        }
    }
}

const fn malformed(id: Uuid) -> Outcome {
    Outcome { id, outcome: OutcomeKind::Refused, code: Some(ItemCode::Malformed) }
}

#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod tests;
