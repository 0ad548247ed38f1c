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
    /// How long after a use its operator may take it back, in minutes, and never after its day; 0 not at all.
    #[schema(example = 1440, maximum = 1440)]
    #[serde(default = "void_window_default")]
    pub void_window_min: u32,
    /// For how many days without the server an operator of this PC may unlock it with their password; 0 not at all.
    #[schema(example = 7, maximum = 60)]
    #[serde(default = "offline_days_default")]
    pub offline_days_max: u32,
    /// After how many days without a visit a person's copy is forgotten.
    #[schema(example = 30, minimum = 1, maximum = 365)]
    #[serde(default = "retention_default")]
    pub retention_days: u32,
}

// What a policy kept by an older program says of what it did not know.

const fn void_window_default() -> u32 {
    24 * 60
}

const fn offline_days_default() -> u32 {
    7
}

const fn retention_default() -> u32 {
    30
}

impl Default for DeskPolicy {
    fn default() -> Self {
        Self {
            answer_wait_ms: 3_000,
            daily_limit: 1,
            clock_skew_max_min: 120,
            void_window_min: void_window_default(),
            offline_days_max: offline_days_default(),
            retention_days: retention_default(),
        }
    }
}
