//! What is counted of those who ask ([`crate::gate`]), summed up over all processes on the database.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Result;
use crate::budget::owed;
use crate::secrets::Mac;

/// What all processes counted.
#[async_trait]
pub trait Tallies: Send + Sync + 'static {
    /// Adds what this process counted to what all of them did, and says what that makes: in the order of `counted`, which
    /// names each key once. What has passed at `now` is cleared away.
    async fn add_tallies(&self, counted: Vec<Counted>, now: Timestamp) -> Result<Vec<Tally>>;
}

/// What a process counted of one key since it last said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Of what and whom.
    pub key: Mac,
    /// How much later all of it will have passed; negative when something was given back.
    pub added: SignedDuration,
    /// How much there can be of it.
    pub most: SignedDuration,
    /// Until when whoever it is is blocked, if they are.
    pub blocked_until: Option<Timestamp>,
}

/// What all processes counted of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// When all of it will have passed.
    pub until: Timestamp,
    /// Until when whoever it is is blocked, if they are.
    pub blocked_until: Option<Timestamp>,
}

impl Counted {
    /// What it makes together with what was counted before.
    pub fn and(&self, before: Option<Tally>, now: Timestamp) -> Tally {
        let all = owed_by_all(before.map(|before| before.until), now, self.most) + self.added;
        Tally {
            until: now + all.clamp(SignedDuration::ZERO, self.most),
            blocked_until: self.blocked_until.max(before.and_then(|before| before.blocked_until)),
        }
    }
}

/// How long until `until`, which a process set at most `most` ahead of its own clock: clocks of processes differ.
pub fn owed_by_all(until: Option<Timestamp>, now: Timestamp, most: SignedDuration) -> SignedDuration {
    owed(until, now, most * 2).min(most)
}

impl Tally {
    /// Whether nothing of it matters at `now` any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now && self.blocked_until.is_none_or(|until| until <= now)
    }
}
