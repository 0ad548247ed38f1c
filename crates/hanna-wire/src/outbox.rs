//! `POST /v1/outbox`: a batch of what a desk recorded, answered item by item.

use hanna_domain::outbox::ItemCode;
use hanna_domain::words;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

/// A batch. Items of one person are in the order they happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// 1 to 500 items.
    #[schema(min_items = 1, max_items = 500)]
    pub items: Vec<Item>,
}

/// One thing that happened at a desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Made by the desk; the idempotency key, for ever.
    pub id: Uuid,
    /// The desk's own count of items, without gaps; orders events when clocks do not.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// Who did it. May be another operator of the same PC than the one signed in now.
    pub author_id: Uuid,
    /// What the PC's clock said.
    pub device_time: Timestamp,
    /// Device time corrected by the last known offset to the server's clock: when it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub body: ItemBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ItemBody {
    /// A use of the benefit was reported.
    UsageReport {
        /// Where.
        branch_id: Uuid,
        /// The signed statement the use rests on: who, at which tariff.
        #[schema(max_length = 16384)]
        statement: String,
    },
}

impl Item {
    /// SHA-256 of the item's JSON: what makes "the same id with other content" detectable.
    ///
    /// # Errors
    /// When the item cannot be written as JSON.
    pub fn content_hash(&self) -> Result<[u8; 32], serde_json::Error> {
        Ok(Sha256::digest(serde_json::to_vec(self)?).into())
    }
}

words! {
    /// What became of one item.
    #[derive(utoipa::ToSchema)]
    OutcomeKind {
        /// The server has it.
        Accepted = "accepted",
        /// The server has it; `code` says what it noted.
        AcceptedWithNote = "accepted_with_note",
        /// The server will not take it; `code` says why. The desk keeps it for a person to look at.
        Refused = "refused",
        /// The server could not judge it now; send it again later.
        Retry = "retry",
    }
}

/// The answer to one item; a replay of the item gets the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// The item's id.
    pub id: Uuid,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// Why, for a note or a refusal.
    pub code: Option<ItemCode>,
}

/// The answer to a batch: one outcome an item, in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchAnswer {
    /// As many as there were items.
    #[schema(max_items = 500)]
    pub outcomes: Vec<Outcome>,
}
