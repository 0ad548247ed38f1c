//! A session's pair of tokens: how long they last, what the desk gets, what the database keeps.

use hanna_wire::session::Granted;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Entropy;
use crate::secrets::{TokenHash, token};
use crate::store::TokenPair;

const ACCESS_VALIDITY: SignedDuration = SignedDuration::from_mins(15);
const REFRESH_VALIDITY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A new pair: for the desk, and for the database.
pub fn pair(entropy: &dyn Entropy, now: Timestamp) -> (Granted, TokenPair) {
    let granted = Granted {
        access_token: token(entropy),
        access_expires_at: now + ACCESS_VALIDITY,
        refresh_token: token(entropy),
        refresh_expires_at: now + REFRESH_VALIDITY,
    };
    let kept = TokenPair {
        access: TokenHash::of(granted.access_token.expose()),
        access_expires_at: granted.access_expires_at,
        refresh: TokenHash::of(granted.refresh_token.expose()),
        refresh_expires_at: granted.refresh_expires_at,
    };
    (granted, kept)
}
