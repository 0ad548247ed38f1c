//! Chance that comes out the same every time.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

/// The same seed gives the same ids, keys and tokens.
#[derive(Debug)]
pub struct Seeded(Mutex<StdRng>);

impl Seeded {
    /// Chance from `seed`.
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    fn draw(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

impl hanna_desk::ports::Chance for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.draw(bytes);
    }
}

impl hanna_server::Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.draw(bytes);
    }
}
