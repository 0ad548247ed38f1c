//! The audit: who did what, where, when and why; and the proof that nobody changed it afterwards.
//!
//! An [`Act`] is appended in the transaction of what it records, and refers to it: a lookup to its statement, an item of an
//! outbox to the item. Every few seconds `sealer` puts the new acts, with everything they refer to, into a [`chain::Block`]:
//! the root of a Merkle tree, the hash of the block before, a signature. `verify` reads everything again and finds what was
//! changed, removed or slipped in. `person` answers *¿quién consultó mis datos?* See `docs/adr/0011-audit.md`, also for
//! what cannot be known.
//!
//! Deliberately absent: a second copy of what stands in other tables; hashing on the path of a lookup.

mod act;
pub mod chain;
mod decisions;
mod finding;
mod person;
mod purge;
mod sealer;
mod verify;

pub use self::act::{Act, Actor, NewAct};
pub use self::finding::Finding;
pub use self::person::{
    Access, Consulted, PersonLookups, PersonUse, PersonalData, RegisteredPerson, verdict_of,
};
pub use self::purge::{LastPurge, Purge, Removed};
pub use self::sealer::{SealError, Sealer};
pub use self::verify::{Anchor, NoAnchor, Verification};

#[cfg(test)]
pub(crate) mod tests;
