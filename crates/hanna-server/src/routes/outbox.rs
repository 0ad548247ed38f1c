//! `POST /v1/outbox`: a batch of what a desk recorded, answered item by item.

use axum::Json;
use axum::extract::State;
use hanna_domain::outbox::{ItemCode, ItemKind};
use hanna_wire::limits::BATCH_ITEMS_MAX;
use hanna_wire::outbox::{Batch, BatchAnswer, Item, ItemBody, Outcome, OutcomeKind};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use serde::Deserialize;
use serde_json::Value;
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
    request_body = Batch,
    responses((status = 200, description = "One outcome an item.", body = BatchAnswer), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(batch): Body<LooseBatch>,
) -> Result<Json<BatchAnswer>, Fault> {
    let entity_id = caller.entity()?;
    let count = batch.items.len();
    if count == 0 || count > BATCH_ITEMS_MAX {
        let detail = format!("a batch has between 1 and {BATCH_ITEMS_MAX} items");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    // Hundreds of signatures are no work for a thread that also answers others.
    let reader = app.clone();
    let read = tokio::task::spawn_blocking(move || read_all(&reader, batch.items));
    let read = read.await.map_err(Fault::internal)??;

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

/// A batch whose items are not looked at yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LooseBatch {
    items: Vec<Value>,
}

/// An item that could be read, or the id of one that could not.
type Read = Result<Arrival, Uuid>;

/// An item without an id cannot be answered for: then the whole batch is refused.
fn read_all(app: &App, items: Vec<Value>) -> Result<Vec<Read>, Fault> {
    let read = |(place, item): (usize, Value)| {
        let id = item.get("id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
        let id = id.ok_or_else(|| Fault::with(ErrorCode::Invalid, format!("items[{place}] has no id")))?;
        Ok(read_one(app, item).ok_or(id))
    };
    items.into_iter().enumerate().map(read).collect()
}

fn read_one(app: &App, item: Value) -> Option<Arrival> {
    let item: Item = serde_json::from_value(item).ok()?;
    let content_hash = item.content_hash().ok()?;
    if item.sequence < 1 {
        return None;
    }
    let (kind, statement) = match &item.body {
        ItemBody::UsageReport { branch_id, statement } => {
            let statement = rests_on(app.keys().verifier(), statement, *branch_id, item.occurred_at);
            (ItemKind::UsageReport, statement)
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
