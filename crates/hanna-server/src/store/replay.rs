//! Whether an item that arrives is answered from memory: pure.

use hanna_domain::outbox::ItemCode;
use hanna_wire::outbox::OutcomeKind;

use super::Arrival;

/// What became of an item, and why.
pub type Taken = (OutcomeKind, Option<ItemCode>);

/// What is held under an id: the answer to its highest submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Of what arrived first.
    pub content_hash: [u8; 32],
    /// The highest that was judged.
    pub submission: u32,
    /// Its answer.
    pub taken: Taken,
}

/// What to do with an item whose id is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// It is answered so.
    Answered(Taken),
    /// It is answered as exactly this submission was, if it ever was; otherwise so.
    AnsweredBefore(Taken),
    /// It is a new question about the same item.
    New,
}

impl Held {
    /// What to do with `arrival`, which has this id.
    pub fn replay(&self, arrival: &Arrival) -> Replay {
        if self.content_hash != arrival.content_hash {
            return Replay::Answered((OutcomeKind::Refused, Some(ItemCode::IdConflict)));
        }
        if arrival.submission < self.submission {
            return Replay::AnsweredBefore(self.taken);
        }
        if arrival.submission > self.submission && self.taken.0 == OutcomeKind::Refused {
            return Replay::New;
        }
        Replay::Answered(self.taken)
    }
}
