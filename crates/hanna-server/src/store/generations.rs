//! The refresh tokens of a session: pure.
//!
//! A session is one *family* of tokens. Its refresh tokens come in generations: trading one of the present generation
//! begins the next. A token of the generation before may be traded again for [`GRACE`], because the answer with the next
//! one may have been lost on the way; it then buys another token of the present generation, beside the one that was lost
//! or was not. Any older token means that two parties hold the family's tokens: the session ends for both.

use jiff::{SignedDuration, Timestamp};

/// How long the refresh token of before still works.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// Why a session ended: its user signed out.
pub const SIGNED_OUT: &str = "SIGNED_OUT";
/// Why a session ended: an old refresh token of it came again.
pub const TOKEN_REUSED: &str = "TOKEN_REUSED";

/// A refresh token with the state of its session.
#[derive(Debug, Clone, Copy)]
pub struct Presented {
    /// The token's generation.
    pub generation: i64,
    /// The one that is good now.
    pub session_generation: i64,
    /// When that began.
    pub rotated_at: Timestamp,
}

/// What a refresh token buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trade {
    /// A token of the next generation, which begins now.
    Next(i64),
    /// Another one of the present generation.
    Present(i64),
    /// Nothing: the session ends.
    Reused,
}

/// What a token is worth at `now`.
pub fn trade(presented: &Presented, now: Timestamp) -> Trade {
    let present = presented.session_generation;
    if presented.generation == present {
        Trade::Next(present + 1)
    } else if presented.generation == present - 1 && now.duration_since(presented.rotated_at) <= GRACE {
        Trade::Present(present)
    } else {
        Trade::Reused
    }
}
