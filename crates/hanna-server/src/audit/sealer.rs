//! Sealing: every few seconds, and when the server stops. Nobody waits for it: what is to be sealed is read beside the
//! writers, and only the finished block is written.
//!
//! Several processes may seal the same database: whoever is second finds that the head has moved, and begins anew.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::chain::{Block, Head};
use crate::app::App;
use crate::fault::Fault;
use crate::keys::KeyFault;
use crate::store::{StoreError, Unsealed};

/// How often.
const EVERY: Duration = Duration::from_secs(5);
/// The most acts in one block: few enough to be read in a moment.
const ACTS_MAX: u32 = 4_096;

/// Why nothing could be sealed now.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// No key may sign, and none could be made.
    #[error("there is no key to sign with: {0}")]
    NoKey(String),
    /// A task of the runtime ended.
    #[error("sealing was broken off: {0}")]
    Runtime(#[from] tokio::task::JoinError),
}

impl From<Fault> for SealError {
    fn from(fault: Fault) -> Self {
        Self::NoKey(fault.cause.map_or_else(|| fault.code.to_string(), |cause| cause.to_string()))
    }
}

/// The end of the chain as this process knows it: a chain that became shorter is noticed.
#[derive(Debug)]
pub struct Sealer(Mutex<Head>);

impl Sealer {
    /// Knows nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Head::NONE))
    }

    fn known(&self) -> Head {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn know(&self, head: Head) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }
}

impl App {
    /// Seals every act that is not sealed yet, and answers with how many there were. Those that are appended meanwhile are for
    /// the next time: a busy server would never come to an end.
    ///
    /// # Errors
    /// See [`SealError`]; what could not be sealed is sealed the next time.
    pub async fn seal_audit(&self) -> Result<u64, SealError> {
        let mut sealed = 0;
        loop {
            let known = self.sealer().known();
            let Unsealed { kept, head, until, entries } = self.store().unsealed(known, ACTS_MAX).await?;
            if head != kept {
                // The gap stays in the chain for ever: `audit verify` finds it.
                tracing::error!(
                    block = kept.number,
                    known = known.number,
                    "the chain of the audit is not the one that was sealed: run audit verify"
                );
            }
            self.sealer().know(head);
            if entries.is_empty() {
                return Ok(sealed);
            }
            let (now, keys) = (self.clock().now(), self.keys().await?);
            let block = tokio::task::spawn_blocking(move || {
                let key =
                    keys.current(now).ok_or_else(|| SealError::NoKey("none is valid now".to_owned()))?;
                Ok::<_, SealError>(Block::seal(head, &entries, until, now, key)?)
            });
            let block = block.await??;
            let (next, acts) = (block.head(), block.leaves.len());
            if self.store().keep_block(kept, block).await? {
                self.sealer().know(next);
                sealed += u64::try_from(acts).unwrap_or(u64::MAX);
                tracing::info!(anchor = %super::Anchor::of(&next), acts, "audit sealed");
                if acts < ACTS_MAX as usize {
                    return Ok(sealed);
                }
            }
        }
    }

    /// Seals at once and then every few seconds, until `end`.
    pub async fn keep_sealing(&self, end: impl Future<Output = ()>) {
        let sealing = async {
            let mut turns = tokio::time::interval(EVERY);
            turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                self.seal_or_tell().await;
            }
        };
        tokio::select! {
            () = sealing => {}
            () = end => {}
        }
    }

    /// Seals, and tells the log when that fails: there is another turn.
    pub async fn seal_or_tell(&self) {
        if let Err(error) = self.seal_audit().await {
            tracing::error!(%error, "the audit could not be sealed");
        }
    }
}
