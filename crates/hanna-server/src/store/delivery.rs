//! What desks deliver: a batch, its items, and what became of them.

use hanna_domain::outbox::{ItemCode, ItemKind, VoidReason};
use hanna_domain::{Statement, Verdict};
use hanna_wire::outbox::Outcome;
use jiff::Timestamp;
use uuid::Uuid;

use crate::secrets::Mac;

/// Who delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "three ids, each of something else")]
pub struct Sender {
    /// The entity.
    pub entity_id: Uuid,
    /// Who is signed in.
    pub account_id: Uuid,
    /// The PC.
    pub device_id: Uuid,
}

/// A batch as it arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The items that could be read, in their order.
    pub arrivals: Vec<Arrival>,
    /// The entity that delivers.
    pub entity_id: Uuid,
    /// Who is signed in.
    pub account_id: Uuid,
    /// The PC.
    pub device_id: Uuid,
    /// How many items still wait at the PC beside these, when it said so.
    pub waiting: Option<u64>,
    /// What happened before is refused, as is what happened before the last purge's limit.
    pub kept_from: Timestamp,
    /// When it arrived.
    pub now: Timestamp,
}

/// One item as it arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of its content, whatever its submission.
    pub content_hash: [u8; 32],
    /// How often an operator has asked to judge it anew.
    pub submission: u32,
    /// The desk's count.
    pub sequence: i64,
    /// Who did it.
    pub author_id: Uuid,
    /// What the PC's own clock said.
    pub device_time: Timestamp,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub recorded: Recorded,
}

/// What a desk recorded.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// A use, with the statement it rests on, or why there is none ([`crate::usage::rests_on`]).
    Use(Result<Box<Statement>, ItemCode>),
    /// A use was taken back.
    Void(Void),
    /// A lookup that the local copy answered.
    OfflineLookup(OfflineLookup),
}

impl Recorded {
    /// What the item is.
    pub const fn kind(&self) -> ItemKind {
        match self {
            Self::Use(_) => ItemKind::UsageReport,
            Self::Void(_) => ItemKind::Void,
            Self::OfflineLookup(_) => ItemKind::OfflineLookup,
        }
    }
}

/// A use taken back.
#[derive(Debug, Clone)]
pub struct Void {
    /// The report, by its item's id.
    pub report_id: Uuid,
    /// Why.
    pub reason: VoidReason,
    /// Why, in words.
    pub text: Option<String>,
}

/// A lookup that the local copy answered.
#[derive(Debug, Clone)]
pub struct OfflineLookup {
    /// The lookup.
    pub lookup_id: Uuid,
    /// Where it was asked.
    pub branch_id: Uuid,
    /// The document, as it is recorded.
    pub document_mac: Mac,
    /// Why it was asked.
    pub purpose: String,
    /// What the card said.
    pub verdict: Verdict,
    /// The folio of the copy; none when there was none.
    pub statement_id: Option<Uuid>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// One an arrival, in their order.
    pub outcomes: Vec<Outcome>,
    /// The epoch in which they were judged.
    pub epoch: Uuid,
    /// The highest `sequence` held of the PC before this batch, 0 for none.
    pub last_sequence: i64,
}
