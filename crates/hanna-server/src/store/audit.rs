//! What the audit asks of a store. That an act is appended in the transaction of what it records is the promise of the
//! methods of [`Store`](super::Store), not of these.

use async_trait::async_trait;
use hanna_domain::Document;

use super::{Place, Result};
use crate::audit::chain::{Block, Entry, Head};
use crate::audit::{NewAct, PersonLookups, PersonalData};

/// Where the head of the chain stands among the settings.
pub const HEAD: &str = "audit_head";

/// What no act accounts for, in the SQL that every store understands; the keys, whose acts name them in JSON, each store asks
/// for in its own. Each names the table of what it finds.
pub const STRAYS: [(&str, &str); 8] = [
    ("statements", "SELECT id FROM statements EXCEPT SELECT record_id FROM audit WHERE act = 'LOOKUP'"),
    (
        "lookups",
        "SELECT id FROM lookups EXCEPT SELECT lookup_id FROM statements EXCEPT SELECT lookup_id FROM offline_lookups",
    ),
    (
        "outbox_items",
        "SELECT id FROM (SELECT id, submission FROM outbox_items
                         EXCEPT SELECT record_id, submission FROM audit WHERE act = 'ITEM') AS stray",
    ),
    (
        "earlier_refusals",
        "SELECT item_id FROM (SELECT item_id, submission FROM earlier_refusals
                              EXCEPT SELECT record_id, submission FROM audit WHERE act = 'ITEM') AS stray",
    ),
    (
        "usage_reports",
        "SELECT id FROM usage_reports
         EXCEPT SELECT id FROM outbox_items WHERE kind = 'usage_report' AND outcome <> 'refused'",
    ),
    (
        "voids",
        "SELECT id FROM voids EXCEPT SELECT id FROM outbox_items WHERE kind = 'void' AND outcome <> 'refused'",
    ),
    (
        "offline_lookups",
        "SELECT id FROM offline_lookups
         EXCEPT SELECT id FROM outbox_items WHERE kind = 'offline_lookup' AND outcome <> 'refused'",
    ),
    ("sessions", "SELECT id FROM sessions EXCEPT SELECT record_id FROM audit WHERE act = 'SIGN_IN'"),
];

/// The audit of a store.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Appends an act that stands for itself.
    async fn append(&self, act: NewAct) -> Result<()>;

    /// The next acts to seal, at most `acts_max`, as they stand in one state of the database. Only acts before which none
    /// can be committed any more: what is sealed has no gaps that somebody could fill. None while nobody can know that.
    async fn unsealed(&self, known: Head, acts_max: u32) -> Result<Unsealed>;

    /// Adds a block and moves the head on to it, unless the head is not `kept` any more: `false`. The very same block again
    /// is there already.
    async fn keep_block(&self, kept: Head, block: Block) -> Result<bool>;

    /// The first block after number `after`, with the acts that stand in its range now.
    async fn sealed_after(&self, after: i64) -> Result<Option<(Block, Vec<Entry>)>>;

    /// The head as it is kept; none before the first block.
    async fn audit_head(&self) -> Result<Option<Head>>;

    /// Records that are in no act, at most `count_max` of each kind.
    async fn strays(&self, count_max: u32) -> Result<Vec<Stray>>;

    /// Some of the lookups of the person whom `act` is about, and, unless they come after others, who else saw the data; appends
    /// `act`, which is not in the answer.
    async fn person_lookups(&self, range: LookupRange, act: NewAct) -> Result<PersonLookups>;

    /// Everything there is about a person; appends `act`, which is not in the answer.
    async fn personal_data(&self, document: Document, act: NewAct) -> Result<PersonalData>;
}

/// Which lookups of a person, the last one first.
#[derive(Debug, Clone, Copy)]
pub struct LookupRange {
    /// Only those that come after this answer in the list.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

impl LookupRange {
    /// All there are.
    pub const ALL: Self = Self { after: None, limit: u32::MAX };
}

/// What is to be sealed next.
#[derive(Debug, Clone)]
pub struct Unsealed {
    /// The head as it is kept, [`Head::NONE`] when there is none.
    pub kept: Head,
    /// On what to build: the furthest of the head kept, the last block, and the head that was known. The same as `kept`
    /// unless somebody tampered with the chain.
    pub head: Head,
    /// Up to where these acts are all there are.
    pub until: i64,
    /// The acts, in their order.
    pub entries: Vec<Entry>,
}

/// A row that no act accounts for: it was slipped in, or its act was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The table.
    pub table: &'static str,
    /// The row, as the table names it; ids in hexadecimal.
    pub id: String,
}
