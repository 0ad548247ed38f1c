//! Pages of lists: how long one is, and how a cursor says where it ended.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_wire::limits::{PAGE_MAX, SEARCH_MAX};
use hanna_wire::page::Page;
use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use uuid::Uuid;

use crate::extract::text;
use crate::fault::Fault;
use crate::folded::fold;
use crate::store::Place;

/// How many rows a page has: all it may when nobody says.
///
/// # Errors
/// `INVALID`.
pub fn limit(asked: Option<u32>) -> Result<u32, Fault> {
    match asked.unwrap_or(PAGE_MAX) {
        limit if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        _ => Err(Fault::with(ErrorCode::Invalid, format!("limit is not between 1 and {PAGE_MAX}"))),
    }
}

/// What is searched for, folded; none when nothing is.
///
/// # Errors
/// `INVALID`.
pub fn search(q: Option<&str>) -> Result<Option<String>, Fault> {
    match q {
        Some(q) if !q.trim().is_empty() => text("q", q, SEARCH_MAX).map(|()| Some(fold(q))),
        _ => Ok(None),
    }
}

/// A page of rows of which one more was asked for than it has, which tells whether there is a next one.
pub fn page<T>(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Page<T> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(cursor);
    Page { items, next }
}

/// A cursor of a list that is in the order of time: the row's moment in microseconds, and its id.
pub fn cursor((at, id): Place) -> String {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&at.as_microsecond().to_be_bytes());
    bytes[8..].copy_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where a page ended.
///
/// # Errors
/// `INVALID`.
pub fn place(cursor: &str) -> Result<Place, Fault> {
    let read = || {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
        let (moment, id) = bytes.split_at(8);
        let moment = i64::from_be_bytes(moment.try_into().ok()?);
        Some((Timestamp::from_microsecond(moment).ok()?, Uuid::from_slice(id).ok()?))
    };
    read().ok_or_else(|| Fault::with(ErrorCode::Invalid, "the cursor is not one this call gave"))
}
