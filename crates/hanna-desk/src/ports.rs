//! What the desk is given from outside: time and chance. Neither is made inside.

use jiff::Timestamp;
use uuid::Uuid;

/// The clock of the PC. It may be wrong; see `hanna_domain::ClockMark`.
pub trait Clock: Send + Sync {
    /// What the PC's clock says.
    fn now(&self) -> Timestamp;
}

/// Chance: ids, keys, jitter.
pub trait Chance: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A new `UUIDv7` for something that happens at `now`.
    fn id(&self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    fn unit(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The system's own clock and randomness: the only place that makes either.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's clock enters")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Chance for System {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's randomness enters")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::RngCore::fill_bytes(&mut rand::rng(), bytes);
    }
}
