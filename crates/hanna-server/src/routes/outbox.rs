//! `POST /v1/outbox`: a batch of what a desk recorded, answered item by item.

use axum::Json;
use axum::extract::State;
use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::statement::Verifier;
use hanna_wire::limits::{BATCH_ITEMS_MAX, PURPOSE_MAX, REASON_TEXT_MAX};
use hanna_wire::outbox::{BatchAnswer, Item, ItemBody, Outcome, OutcomeKind};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use uuid::Uuid;

use crate::app::App;
use crate::extract::{Body, Delivering, text};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, WITH_SESSION, route_faults};
use crate::store::{Arrival, Delivered, Delivery, OfflineLookup, Recorded, Sender, Void};
use crate::usage::rests_on;

route_faults!(WITH_BODY, WITH_SESSION, &[ErrorCode::Forbidden]);

/// Deliver a batch
///
/// Each item has its own outcome, in the order of the items; one bad item does not spoil its batch. Every outcome is
/// remembered for ever, also a refusal: a replay of the item with the same `submission` is answered as the first time. A
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
    Ok(Json(take_in(&app, sender, batch.items).await?))
}

/// Judges items of one PC, one outcome an item and in their order: whether they came in a request or in a file.
pub async fn take_in(app: &App, sender: Sender, items: Vec<ArrivedItem>) -> Result<BatchAnswer, Fault> {
    // Hundreds of signatures are no work for a thread that also answers others.
    let keys = app.keys_as_kept().await?;
    let reader = app.clone();
    let read_all =
        move || -> Vec<Read> { items.into_iter().map(|item| read(&reader, keys.verifier(), item)).collect() };
    let read = tokio::task::spawn_blocking(read_all).await.map_err(Fault::internal)?;

    let arrivals = read.iter().filter_map(|read| read.clone().ok()).collect();
    let delivery = Delivery {
        arrivals,
        entity_id: sender.entity_id,
        account_id: sender.account_id,
        device_id: sender.device_id,
        now: app.clock().now(),
    };
    let Delivered { outcomes, epoch, last_sequence } = app.store().take_in(delivery).await?;
    let mut taken = outcomes.into_iter();
    let outcomes: Vec<Outcome> = read
        .into_iter()
        .filter_map(|read| read.map_or_else(|id| Some(malformed(id)), |_| taken.next()))
        .collect();
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
}

/// An item; or anything else with an id, which is refused as `MALFORMED`: a newer desk may send what this server does
/// not know yet.
#[derive(Deserialize)]
#[serde(untagged)]
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

/// The highest `submission` there is.
const SUBMISSION_MAX: u32 = 1_000_000;

/// An item that could be read, or the id of one that could not.
type Read = Result<Arrival, Uuid>;

fn read(app: &App, verifier: &Verifier, arrived: ArrivedItem) -> Read {
    match arrived {
        ArrivedItem::Readable(item) => {
            let id = item.id;
            arrival(app, verifier, *item).ok_or(id)
        }
        ArrivedItem::Other { id } => Err(id),
    }
}

fn arrival(app: &App, verifier: &Verifier, item: Item) -> Option<Arrival> {
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
        occurred_at: item.occurred_at,
        recorded: recorded(app, verifier, item.body, item.occurred_at)?,
    })
}

/// `None` for what the contract does not allow.
fn recorded(app: &App, verifier: &Verifier, body: ItemBody, occurred_at: Timestamp) -> Option<Recorded> {
    match body {
        ItemBody::UsageReport { branch_id, statement } => {
            let founded = rests_on(verifier, &statement, branch_id, occurred_at);
            Some(Recorded::Use(founded.map(Box::new)))
        }
        ItemBody::Void { report_id, reason, text } => {
            let words = text.as_deref().unwrap_or_default();
            let is_said = reason != VoidReason::Other || !words.trim().is_empty();
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
