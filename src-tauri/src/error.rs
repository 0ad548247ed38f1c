//! How an error reaches the screens: its code, and what its sentence needs.

use std::collections::BTreeMap;

use hanna_desk::{DeskError, ErrorCode, Param};
use serde::Serialize;

/// What every command rejects with.
#[derive(Debug, Serialize)]
pub struct CommandError {
    /// What the screens switch on.
    pub code: ErrorCode,
    /// What the sentence needs.
    pub params: BTreeMap<&'static str, Param>,
}

impl From<DeskError> for CommandError {
    fn from(error: DeskError) -> Self {
        // The whole chain goes to the log; it holds no personal data.
        tracing::info!(%error, "a command failed");
        Self { code: error.code(), params: error.params().clone() }
    }
}

impl From<ErrorCode> for CommandError {
    fn from(code: ErrorCode) -> Self {
        Self { code, params: BTreeMap::new() }
    }
}
