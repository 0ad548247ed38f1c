//! `GET /health`: whether the server lives, and whether its signer will go on signing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a server process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always `ok`: a server that cannot say so does not answer.
    #[schema(example = "ok")]
    pub status: String,
    /// The program's version.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// The server's clock.
    pub server_time: Timestamp,
    /// The name of the key that signs now.
    pub signing_kid: String,
    /// When that key ends. Rotate before.
    pub signing_key_expires_at: Timestamp,
}
