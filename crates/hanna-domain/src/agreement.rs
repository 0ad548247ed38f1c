//! What the server tells a desk about how to behave under its agreement (*convenio*).

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// The desk policy of an agreement, sent with `GET /v1/me` and kept for offline use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct DeskPolicy {
    /// How long a lookup waits for the server before the local copy answers, in milliseconds.
    #[schema(example = 3000, minimum = 500, maximum = 30000)]
    pub answer_wait_ms: u32,
    /// How many uses a person may have in one day before the card warns; the server judges.
    #[schema(example = 1, minimum = 1)]
    pub daily_limit: u32,
    /// The largest difference between this PC's clock and the server's that copies tolerate, in minutes.
    #[schema(example = 120, minimum = 1)]
    pub clock_skew_max_min: u32,
}

impl Default for DeskPolicy {
    fn default() -> Self {
        Self { answer_wait_ms: 3_000, daily_limit: 1, clock_skew_max_min: 120 }
    }
}
