//! Time that moves only when everybody waits for it: the runtime's paused clock, with a calendar.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hanna_desk::ports::Clock;
use hanna_tests::template::begin;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The true time of a run.
#[derive(Debug)]
pub struct Time {
    origin: Instant,
    begin: Timestamp,
}

impl Time {
    /// It begins with every run. In the runtime whose clock is paused.
    pub fn begin() -> Arc<Self> {
        let begin = begin();
        Arc::new(Self { origin: Instant::now(), begin })
    }

    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.origin.elapsed()).expect("a run is shorter than that");
        self.begin + passed
    }
}

/// Passes when nothing is left to do but to wait: what a step began in the background has ended then.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A desk's clock: the true time, wrong by so much.
#[derive(Debug)]
pub struct DeskClock {
    time: Arc<Time>,
    skew_s: AtomicI64,
    /// It does not go beyond this moment; see `Bug::IgnoresExpiry`.
    stop_us: AtomicI64,
}

impl DeskClock {
    pub fn new(time: &Arc<Time>) -> Arc<Self> {
        let (skew_s, stop_us) = (AtomicI64::new(0), AtomicI64::new(i64::MAX));
        Arc::new(Self { time: Arc::clone(time), skew_s, stop_us })
    }

    pub fn set_skew(&self, seconds: i64) {
        self.skew_s.store(seconds, Ordering::Relaxed);
    }

    /// What it would say if nobody stopped it.
    pub fn read(&self) -> Timestamp {
        self.time.now() + SignedDuration::from_secs(self.skew_s.load(Ordering::Relaxed))
    }

    pub fn stop_at(&self, moment: Timestamp) {
        self.stop_us.store(moment.as_microsecond(), Ordering::Relaxed);
    }
}

impl Clock for DeskClock {
    fn now(&self) -> Timestamp {
        let stop =
            Timestamp::from_microsecond(self.stop_us.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX);
        self.read().min(stop)
    }
}
