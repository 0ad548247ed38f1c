//! The keys a running server signs with. Others rotate them while it runs (`hanna-server keys rotate`), and a key may end
//! at any moment: the ring is read again every [`READ_AGAIN_AFTER`], and at once when no key of it may sign.
//!
//! When the store cannot be read in between, the server goes on with the ring it has, as long as that may sign.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::app::{App, OpenError};
use crate::fault::Fault;
use crate::keys::{KeyRing, SigningKey};
use crate::store::StoreError;

/// How old the ring may be.
const READ_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The ring, and when it was read.
#[derive(Debug)]
pub struct Signer(Mutex<Held>);

#[derive(Debug)]
struct Held {
    ring: Arc<KeyRing>,
    read_at: Timestamp,
}

impl Signer {
    /// A ring that was read at `now`.
    pub fn new(ring: KeyRing, now: Timestamp) -> Self {
        Self(Mutex::new(Held { ring: Arc::new(ring), read_at: now }))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Held) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The ring as it was read last.
    pub fn held(&self) -> Arc<KeyRing> {
        self.with(|held| Arc::clone(&held.ring))
    }

    /// The same, and whether the caller has to read it again. Asked at once, only one is told so: the others need not wait.
    fn take_turn(&self, now: Timestamp) -> (Arc<KeyRing>, bool) {
        self.with(|held| {
            let age = now.duration_since(held.read_at);
            // A clock put back tells nothing about the age.
            let is_due = age >= READ_AGAIN_AFTER || age.is_negative();
            if is_due {
                held.read_at = now;
            }
            (Arc::clone(&held.ring), is_due)
        })
    }

    fn hold(&self, ring: KeyRing, now: Timestamp) -> Arc<KeyRing> {
        let ring = Arc::new(ring);
        self.with(|held| *held = Held { ring: Arc::clone(&ring), read_at: now });
        ring
    }
}

/// A signing key, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// What statements call it.
    pub kid: String,
    /// It signs nothing before.
    pub not_before: Timestamp,
    /// It signs nothing after.
    pub not_after: Timestamp,
    /// Whether it is the one that signs now. The others verify.
    pub signs: bool,
}

impl App {
    /// The keys to sign with, and to tell desks about.
    pub(crate) async fn keys(&self) -> Result<Arc<KeyRing>, Fault> {
        let now = self.clock().now();
        let (held, is_due) = self.signer().take_turn(now);
        if held.current(now).is_none() {
            return self.read_keys(now).await;
        }
        if !is_due {
            return Ok(held);
        }
        match self.read_keys(now).await {
            Ok(ring) => Ok(ring),
            Err(fault) => {
                tracing::warn!(code = %fault.code, "the keys could not be read again: going on with those of before");
                Ok(held)
            }
        }
    }

    /// The keys to verify with, as they are kept at this moment: what is refused for the want of a key is remembered.
    pub(crate) async fn keys_as_kept(&self) -> Result<Arc<KeyRing>, Fault> {
        self.read_keys(self.clock().now()).await
    }

    async fn read_keys(&self, now: Timestamp) -> Result<Arc<KeyRing>, Fault> {
        let mut ring = KeyRing::new(self.store().keys().await?);
        if ring.current(now).is_none() {
            let made = SigningKey::make(self.entropy(), now)?;
            tracing::warn!(kid = %made.kid, "no key may sign any more: making one");
            ring = KeyRing::new(self.store().signing_keys(made, now).await?);
        }
        Ok(self.signer().hold(ring, now))
    }

    /// Makes a key that signs from now on, and answers with its name. The others go on verifying. A server that runs
    /// takes it up within a minute. `by`: who does; none: whoever runs this process.
    ///
    /// # Errors
    /// When no key can be made, or the store cannot be written.
    pub async fn rotate_keys(&self, by: Option<Uuid>) -> Result<String, OpenError> {
        let now = self.clock().now();
        let made = SigningKey::make(self.entropy(), now)?;
        let kid = made.kid.clone();
        self.store().add_key(made, now, self.who(by)).await?;
        Ok(kid)
    }

    /// Brings along those of `keys` that the database lacks, and answers with how many: what was signed with a key made after
    /// a backup is verified by it alone.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn bring_keys(&self, keys: Vec<SigningKey>) -> Result<usize, StoreError> {
        let now = self.clock().now();
        let ours = self.store().keys().await?;
        let mut brought = 0;
        for key in keys.into_iter().filter(|key| ours.iter().all(|our| our.kid != key.kid)) {
            self.store().add_key(key, now, self.who(None)).await?;
            brought += 1;
        }
        Ok(brought)
    }

    /// Every key, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_keys(&self) -> Result<Vec<ListedKey>, StoreError> {
        let ring = KeyRing::new(self.store().keys().await?);
        Ok(ring.list(self.clock().now()))
    }
}
