//! `GET /v1/keys`: the keys a desk keeps, to believe statements and to export without the server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::Redacted;
use hanna_domain::statement::PublicKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer: a JWKS (RFC 7517, RFC 8037) with validity dates, and what exports are sealed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// The keys statements are signed with, newest first.
    #[schema(max_items = 32)]
    pub keys: Vec<PublicKey>,
    /// What this PC seals its exports with; none from a server that takes no exports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportKeys>,
}

/// What a PC seals its exports with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportKeys {
    /// The caja's public key: X25519, 32 bytes, base64url without padding.
    #[schema(value_type = String, min_length = 43, max_length = 43)]
    pub caja: Key,
    /// A secret of this PC and the caja, by which the caja knows who sealed: 32 bytes, base64url without padding.
    #[schema(value_type = String, min_length = 43, max_length = 43)]
    pub device: Redacted<Key>,
}

/// 32 bytes, in JSON as base64url without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(pub [u8; 32]);

/// A text that is not 32 bytes in base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 32 bytes in base64url")]
pub struct NotAKey;

impl TryFrom<String> for Key {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAKey)?;
        bytes.try_into().map(Self).map_err(|_| NotAKey)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        URL_SAFE_NO_PAD.encode(key.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_travels_and_is_never_shown() {
        let export = ExportKeys { caja: Key([1; 32]), device: Redacted::new(Key([255; 32])) };
        let json = serde_json::to_string(&export).expect("JSON");
        assert_eq!(serde_json::from_str::<ExportKeys>(&json).expect("read"), export);
        assert!(format!("{export:?}").contains("device: •••"));
        for bad in [r#""AAAA""#, r#""""#, r#""no es base64""#] {
            assert!(serde_json::from_str::<Key>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_key_set_of_a_server_without_exports_is_read() {
        assert_eq!(serde_json::from_str::<Keys>(r#"{"keys":[]}"#).expect("read").export, None);
    }
}
