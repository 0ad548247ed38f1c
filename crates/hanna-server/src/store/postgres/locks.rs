//! Locks that transactions take by name and hold until their end, across every process on the database.
//!
//! PostgreSQL keeps a few thousand of them in all, for everybody: what would take many takes one wide one instead.

use sha2::{Digest, Sha256};

use super::fault::Done;
use super::pool::Tx;

/// The name of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub i64);

impl Name {
    /// A purge has it alone, deliveries share it: what an item is answered from is not taken away meanwhile.
    pub fn purge() -> Self {
        Self::of("purge", &[])
    }

    /// The lock of `what`, as `parts` name it. Two things may share a lock: then one waits for the other.
    pub fn of(what: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(what.as_bytes());
        for part in parts {
            hash.update([0]);
            hash.update(part);
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        Self(i64::from_be_bytes(first))
    }
}

/// Waits for one lock.
pub async fn hold(tx: &Tx, name: Name) -> Done<()> {
    tx.execute(HOLD, &[&name.0]).await.map(drop)
}

/// The statement of [`hold`].
pub const HOLD: &str = "SELECT pg_advisory_xact_lock($1)";
/// Takes a lock beside others who take it so, and not beside one who holds it alone.
pub const SHARE: &str = "SELECT pg_advisory_xact_lock_shared($1)";
/// Takes several, in their order, whoever names them.
pub const HOLD_ALL: &str = "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT k FROM unnest($1::bigint[]) AS k ORDER BY k) AS ordered";
