//! Time and randomness, passed in so that tests move the one and repeat the other.

use jiff::Timestamp;
use rand::RngCore;
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Makes every token, key and id.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with values nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy {
    /// An array of such values.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A `UUIDv7` of the moment `now`.
    pub fn id(&self, now: Timestamp) -> Uuid {
        let since_1970_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(since_1970_ms, &self.bytes()).into_uuid()
    }
}

/// The system's clock: the only place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The system's randomness: the only place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
