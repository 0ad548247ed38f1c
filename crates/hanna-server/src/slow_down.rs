//! Guessing passwords is slowed down, account by account. Pure.
//!
//! Five attempts are free; after that each one has to wait longer than the one before: 30 s, 1 min, 2, 4, 8, then
//! 15 min each. The right password ends it, and so do 15 minutes without an attempt after the wait.

use jiff::{SignedDuration, Timestamp};

const FREE: u32 = 5;
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
const WAIT_MAX: SignedDuration = SignedDuration::from_mins(15);
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// Attempts since the last right password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last: Timestamp,
}

/// Whether one more attempt may be made at `now`: the attempts with it, or the moment to wait for.
pub fn admit(before: Option<Attempts>, now: Timestamp) -> Result<Attempts, Timestamp> {
    let Some(before) = before else { return Ok(Attempts { count: 1, last: now }) };
    let free_at = before.last + wait_after(before.count);
    // A clock set back would otherwise lock everybody out.
    if before.last <= now && now < free_at {
        return Err(free_at);
    }
    if now.duration_since(free_at) >= FORGOTTEN_AFTER {
        return Ok(Attempts { count: 1, last: now });
    }
    Ok(Attempts { count: before.count.saturating_add(1), last: now })
}

/// Attempts before this moment say nothing any more at `now`.
pub fn forgotten_before(now: Timestamp) -> Timestamp {
    now - WAIT_MAX - FORGOTTEN_AFTER
}

fn wait_after(count: u32) -> SignedDuration {
    match count.checked_sub(FREE) {
        None => SignedDuration::ZERO,
        Some(over) => FIRST_WAIT.saturating_mul(1 << over.min(16)).min(WAIT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    #[test]
    fn five_are_free_then_each_waits_longer_up_to_a_quarter_of_an_hour() {
        let mut now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a timestamp");
        let mut attempts = None;
        for _ in 0..5 {
            attempts = Some(admit(attempts, now).expect("free"));
        }
        for wait_s in [30, 60, 120, 240, 480, 900, 900, 900] {
            assert_eq!(admit(attempts, now), Err(now + wait_s.seconds()));
            assert_eq!(admit(attempts, now + (wait_s - 1).seconds()), Err(now + wait_s.seconds()));
            now += wait_s.seconds();
            attempts = Some(admit(attempts, now).expect("waited long enough"));
        }
        assert_eq!(attempts.expect("counted").count, 13);
        now += (900 + 900).seconds();
        assert_eq!(admit(attempts, now), Ok(Attempts { count: 1, last: now }), "forgotten");
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a timestamp");
        let later = Attempts { count: 50, last: now + 24.hours() };
        assert!(admit(Some(later), now).is_ok());
    }
}
