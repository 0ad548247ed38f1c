//! Pages of long lists.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Page<T> {
    /// At most as many as were asked for.
    #[schema(max_items = 500)]
    pub items: Vec<T>,
    /// Pass it on as `after` to get the next page; none on the last one.
    pub next: Option<String>,
}
