//! `POST /v1/outbox`: a batch of what a desk recorded, answered item by item.

use axum::Json;
use axum::extract::State;
use hanna_domain::outbox::{ItemCode, ItemKind};
use hanna_domain::statement::Verifier;
use hanna_wire::limits::BATCH_ITEMS_MAX;
use hanna_wire::outbox::{BatchAnswer, Item, ItemBody, Outcome, OutcomeKind};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use uuid::Uuid;

use crate::app::App;
use crate::extract::Body;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::store::{Arrival, Caller, Delivery};
use crate::usage::rests_on;

route_faults!(WITH_BODY, SIGNED_IN, &[ErrorCode::Forbidden]);

/// Deliver a batch
///
/// Each item has its own outcome, in the order of the items; one bad item does not spoil its batch. An item that was
/// accepted stays so for ever, and its replay is answered as the first time. One that was refused had no effect: the same
/// item may be sent again after somebody put right what was wrong. An item that cannot be read, but has an id, is refused
/// as `MALFORMED` and not remembered.
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
    caller: Caller,
    Body(batch): Body<ArrivedBatch>,
) -> Result<Json<BatchAnswer>, Fault> {
    let entity_id = caller.entity()?;
    let count = batch.items.len();
    if count == 0 || count > BATCH_ITEMS_MAX {
        let detail = format!("a batch has between 1 and {BATCH_ITEMS_MAX} items");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    // Hundreds of signatures are no work for a thread that also answers others.
    let reader = app.clone();
    let read_all = move || -> Vec<Read> {
        batch.items.into_iter().map(|item| read(reader.keys().verifier(), item)).collect()
    };
    let read = tokio::task::spawn_blocking(read_all).await.map_err(Fault::internal)?;

    let arrivals = read.iter().filter_map(|read| read.clone().ok()).collect();
    let delivery = Delivery {
        arrivals,
        entity_id,
        account_id: caller.account_id,
        device_id: caller.device_id,
        now: app.clock().now(),
    };
    let mut taken = app.store().take_in(delivery).await?.into_iter();
    let outcomes: Vec<Outcome> = read
        .into_iter()
        .filter_map(|read| read.map_or_else(|id| Some(malformed(id)), |_| taken.next()))
        .collect();
    tracing::info!(device_id = %caller.device_id, items = outcomes.len(), "a batch was taken in");
    Ok(Json(BatchAnswer { outcomes }))
}

/// A batch. Its items are read one by one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Batch)]
pub struct ArrivedBatch {
    /// 1 to 500 items. Items of one person are in the order they happened.
    #[schema(min_items = 1, max_items = 500)]
    items: Vec<ArrivedItem>,
}

/// An item; or anything else with an id, which is refused as `MALFORMED`: a newer desk may send what this server does
/// not know yet.
#[derive(Deserialize)]
#[serde(untagged)]
enum ArrivedItem {
    Readable(Box<Item>),
    Other { id: Uuid },
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

/// An item that could be read, or the id of one that could not.
type Read = Result<Arrival, Uuid>;

fn read(verifier: &Verifier, arrived: ArrivedItem) -> Read {
    match arrived {
        ArrivedItem::Readable(item) => arrival(verifier, &item).ok_or(item.id),
        ArrivedItem::Other { id } => Err(id),
    }
}

fn arrival(verifier: &Verifier, item: &Item) -> Option<Arrival> {
    if item.sequence < 1 {
        return None;
    }
    let content_hash = item.content_hash().ok()?;
    let (kind, statement) = match &item.body {
        ItemBody::UsageReport { branch_id, statement } => {
            (ItemKind::UsageReport, rests_on(verifier, statement, *branch_id, item.occurred_at))
        }
    };
    Some(Arrival {
        id: item.id,
        content_hash,
        kind,
        sequence: item.sequence,
        author_id: item.author_id,
        occurred_at: item.occurred_at,
        statement: statement.map(Box::new),
    })
}

const fn malformed(id: Uuid) -> Outcome {
    Outcome { id, outcome: OutcomeKind::Refused, code: Some(ItemCode::Malformed) }
}

#[cfg(test)]
mod tests;
