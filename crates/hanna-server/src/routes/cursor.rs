//! The place of a row in a list by time: its moment in microseconds, and its id.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use uuid::Uuid;

use crate::fault::Fault;

/// As callers pass it on.
pub fn written(at: Timestamp, id: Uuid) -> String {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&at.as_microsecond().to_be_bytes());
    bytes[8..].copy_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// As a call gave it.
///
/// # Errors
/// `INVALID`.
pub fn read(cursor: &str) -> Result<(Timestamp, Uuid), Fault> {
    let read = || {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
        let (moment, id) = bytes.split_at(8);
        let moment = i64::from_be_bytes(moment.try_into().ok()?);
        Some((Timestamp::from_microsecond(moment).ok()?, Uuid::from_slice(id).ok()?))
    };
    read().ok_or_else(|| Fault::with(ErrorCode::Invalid, "the cursor is not one this call gave"))
}
