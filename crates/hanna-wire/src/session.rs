//! Sessions: opaque tokens bound to a device.

use hanna_domain::Redacted;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// `POST /v1/sessions`: sign in, and register the device.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user name, usually an e-mail; compared without case.
    #[schema(
        example = "ana@gymcaribe.co",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub username: String,
    /// The password.
    #[schema(value_type = String, format = Password, example = "una clave larga", min_length = 1, max_length = 256)]
    #[ts(type = "string")]
    pub password: Redacted<String>,
    /// The PC.
    pub device: Device,
    /// The second factor, for an account that has one: the six digits its authenticator application shows now, or a
    /// recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "048213", pattern = "^([0-9]{6}|[A-Z2-7]{5}-[A-Z2-7]{5})$")]
    #[ts(as = "Option<String>", optional)]
    pub otp: Option<Redacted<String>>,
}

/// A PC at a front desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Made by the desk at its first start, and kept.
    pub id: Uuid,
    /// What people call it.
    #[schema(
        example = "RECEPCION-1",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: String,
}

/// `POST /v1/sessions/refresh`: trade the refresh token for a new pair.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token. The one before it still works for two minutes.
    #[schema(value_type = String, min_length = 1, max_length = 128)]
    #[ts(type = "string")]
    pub refresh_token: Redacted<String>,
    /// The device the session is bound to.
    pub device_id: Uuid,
}

/// A pair of tokens, both opaque.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, TS)]
pub struct Granted {
    /// Goes into `Authorization: Bearer …`.
    #[schema(value_type = String)]
    #[ts(type = "string")]
    pub access_token: Redacted<String>,
    /// When the access token ends.
    #[ts(type = "string")]
    pub access_expires_at: Timestamp,
    /// Buys the next pair.
    #[schema(value_type = String)]
    #[ts(type = "string")]
    pub refresh_token: Redacted<String>,
    /// When the refresh token ends.
    #[ts(type = "string")]
    pub refresh_expires_at: Timestamp,
}
