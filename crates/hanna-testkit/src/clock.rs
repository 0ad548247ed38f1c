//! A clock moved by hand.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Stands still until it is moved. Desks and the server may share one, or differ.
#[derive(Debug)]
pub struct HandClock(Mutex<Timestamp>);

impl HandClock {
    /// A clock at a Sunday's ten in the morning in Colombia.
    pub fn new() -> Arc<Self> {
        Self::at("2026-11-22T15:00:00Z".parse().expect("a time"))
    }

    /// A clock at `time`.
    pub fn at(time: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(time)))
    }

    /// What the clock says.
    pub fn read(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock, forward or back.
    pub fn advance(&self, by: SignedDuration) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time = time.checked_add(by).expect("a time within range");
    }
}

impl hanna_desk::ports::Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.read()
    }
}

impl hanna_server::Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.read()
    }
}
