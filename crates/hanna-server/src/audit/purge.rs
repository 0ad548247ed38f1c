//! What a purge says of itself, in its act. The last one says what may be missing of the record, and nothing else does.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Anchor;

/// A purge: of the blocks up to one, everything is gone but what the rest still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purge {
    /// The last block that was purged. Every one before it was, too.
    pub block: Anchor,
    /// What happened since then is all there.
    pub kept_from: Timestamp,
    /// The [hash](super::chain::places) of the places of those acts in these blocks that are still there, in hexadecimal.
    pub left: String,
    /// What this purge removed.
    pub removed: Removed,
    /// How much was found, before it went, not to be as it was sealed. More than none only if somebody said so.
    pub findings: u64,
}

/// What was removed, in rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Acts.
    pub acts: u64,
    /// Lookups.
    pub lookups: u64,
    /// Statements that answered them.
    pub statements: u64,
    /// Items of outboxes.
    pub items: u64,
    /// Answers to earlier submissions of these items.
    pub refusals: u64,
    /// Reported uses.
    pub uses: u64,
    /// Voids.
    pub voids: u64,
    /// Lookups that a copy answered.
    pub offline_lookups: u64,
    /// Sessions, with their tokens.
    pub sessions: u64,
}

impl Removed {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            acts: self.acts + other.acts,
            lookups: self.lookups + other.lookups,
            statements: self.statements + other.statements,
            items: self.items + other.items,
            refusals: self.refusals + other.refusals,
            uses: self.uses + other.uses,
            voids: self.voids + other.voids,
            offline_lookups: self.offline_lookups + other.offline_lookups,
            sessions: self.sessions + other.sessions,
        }
    }
}

/// The act of the last purge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPurge {
    /// Its place.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The account that did it; none: the server, or somebody at its terminal.
    pub account_id: Option<Uuid>,
    /// What it says.
    pub purge: Purge,
}
