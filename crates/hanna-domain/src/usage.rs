//! Reported uses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::words::words;

/// A use of the same person already reported today, as the statement and the card show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct UsedToday {
    /// When the benefit was used.
    #[ts(type = "string")]
    pub occurred_at: Timestamp,
    /// The name of the branch (*sede*) that reported it.
    #[schema(example = "Sede Norte", max_length = 120)]
    pub branch_name: String,
}

words! {
    /// How a usage report stands, as history shows it.
    #[derive(utoipa::ToSchema)]
    UsageState {
        /// On this PC's disk, not yet at the server.
        Queued = "queued",
        /// At the server.
        Accepted = "accepted",
        /// At the server, with a note (for example that it was the second one of the day).
        AcceptedWithNote = "accepted_with_note",
        /// The server refused it: a person has to look.
        NeedsAttention = "needs_attention",
        /// Given up by the operator, with a reason.
        Withdrawn = "withdrawn",
        /// Taken back, with a reason (*anulado*). Report and void both stay on record.
        Voided = "voided",
    }
}
