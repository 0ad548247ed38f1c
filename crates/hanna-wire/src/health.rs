//! `GET /health`: whether the server lives, and whether its signer will go on signing. `GET /ready`: whether it can work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::client::Version;

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
    /// When that key ends. Rotate before; a key that ends is followed by a new one, which desks do not know yet.
    pub signing_key_expires_at: Timestamp,
    /// The epoch of the data, as a batch is answered with it: a desk with nothing to deliver notices here that the server was
    /// restored. Not there while the database does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Uuid>,
    /// The oldest desk that is served; not there when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0.2.0")]
    pub minimum_client: Option<Version>,
    /// What whoever runs the server should do soon, in a sentence; not there when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the signing key ends within 30 days: run `hanna-server keys rotate`")]
    pub warning: Option<String>,
}

/// `GET /ready`: a server process that can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// Always `ready`: a server that is not answers 503.
    #[schema(example = "ready")]
    pub status: String,
    /// The schema of the database.
    #[schema(example = 3, minimum = 1)]
    pub schema: i64,
}
