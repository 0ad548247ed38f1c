//! `POST /v1/outbox`: a batch of what a desk recorded, answered item by item.

use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::{Document, Verdict, words};
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
    /// How many items will still wait at the desk when these are taken in, those that wait for a person included. Older
    /// desks do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub waiting: Option<u64>,
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
    /// How often an operator has asked to judge the item again after it was refused: 0 at first. A replay repeats it and
    /// gets the same answer; a higher number is a new question about the same item.
    #[serde(default, skip_serializing_if = "is_first")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub submission: u32,
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
    /// A reported use was taken back. Sent after its report; the server keeps both.
    Void {
        /// The report, by its item's id.
        report_id: Uuid,
        /// Why.
        reason: VoidReason,
        /// Why, in words; there when the reason is `OTHER`.
        #[schema(max_length = 200)]
        text: Option<String>,
    },
    /// A lookup that the local copy answered.
    OfflineLookup {
        /// The lookup. When the server has answered it too, late, it is the same one.
        lookup_id: Uuid,
        /// Where it was asked.
        branch_id: Uuid,
        /// Whom it was about.
        document: Document,
        /// Why it was asked.
        #[schema(min_length = 1, max_length = 120)]
        purpose: String,
        /// What the card said.
        verdict: Verdict,
        /// The folio of the copy; none when there was none.
        statement_id: Option<Uuid>,
    },
}

/// Left out of the JSON, as by programs that know of no submissions: the hash of the content stays the same.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_first(submission: &u32) -> bool {
    *submission == 0
}

impl Item {
    /// SHA-256 of the item's JSON, whatever its `submission`: what makes "the same id with other content" detectable.
    ///
    /// # Errors
    /// When the item cannot be written as JSON.
    pub fn content_hash(&self) -> Result<[u8; 32], serde_json::Error> {
        let json = if self.submission == 0 {
            serde_json::to_vec(self)?
        } else {
            serde_json::to_vec(&Self { submission: 0, ..self.clone() })?
        };
        Ok(Sha256::digest(json).into())
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
    /// Another one after the server was restored from a backup: what it had accepted since may be lost, and desks offer it
    /// again.
    pub epoch: Uuid,
    /// The highest `sequence` the server held from this device before this batch, 0 for none. Less than the desk had seen
    /// accepted means the same as another epoch.
    #[schema(minimum = 0)]
    pub last_sequence: i64,
}
