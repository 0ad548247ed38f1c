//! Whether this PC's clock can be believed.
//!
//! A copy is green only inside its validity, and validity is measured by a clock that the person at
//! the desk can change. So the desk keeps the highest server time it has ever seen and the difference
//! between its clock and the server's at the last answer; a clock behind that mark, or too far off, is
//! not trusted and no copy is green.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far behind the server's times this PC's may seem and still be believed. The server's time is known from a header
/// in whole seconds, and answers may overtake each other on the way.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// What the desk remembers of the server's clock. Kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClockMark {
    /// The highest server time seen.
    pub server_time_high: Option<Timestamp>,
    /// Server time minus device time at the last answer, in milliseconds.
    pub offset_ms: i64,
}

/// The judgement on the clock at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTrust {
    /// Copies may be used.
    Trusted,
    /// The device's clock is before a time the server is known to have reached.
    Behind,
    /// The device's clock and the server's differ by more than the policy allows.
    Skewed,
}

impl ClockMark {
    /// The mark after an answer stamped `server_time` arrived at `device_time`.
    #[must_use]
    pub fn seen(self, server_time: Timestamp, device_time: Timestamp) -> Self {
        let high = self.server_time_high.map_or(server_time, |high| high.max(server_time));
        let offset = server_time.duration_since(device_time).as_millis();
        Self { server_time_high: Some(high), offset_ms: i64::try_from(offset).unwrap_or(i64::MAX) }
    }

    /// The server's time as far as this desk can tell: device time plus the last offset.
    pub fn corrected(self, device_time: Timestamp) -> Timestamp {
        device_time.saturating_add(SignedDuration::from_millis(self.offset_ms)).unwrap_or(device_time)
    }

    /// Judges `device_time`. A desk that never heard from the server has nothing to contradict it, and no copies.
    pub fn trust(self, device_time: Timestamp, skew_max: SignedDuration) -> ClockTrust {
        let skew_max_ms = i64::try_from(skew_max.as_millis()).unwrap_or(i64::MAX);
        if self.offset_ms.saturating_abs() > skew_max_ms {
            return ClockTrust::Skewed;
        }
        match self.server_time_high {
            Some(high) if high.duration_since(self.corrected(device_time)) > TOLERANCE => ClockTrust::Behind,
            _ => ClockTrust::Trusted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }
    const TWO_HOURS: SignedDuration = SignedDuration::from_hours(2);

    #[test]
    fn the_mark_only_rises_and_the_offset_follows_the_last_answer() {
        let mark = ClockMark::default().seen(at("2026-11-22T10:00:00Z"), at("2026-11-22T09:59:00Z"));
        assert_eq!(mark.offset_ms, 60_000);
        let later = mark.seen(at("2026-11-22T09:00:00Z"), at("2026-11-22T09:00:00Z"));
        assert_eq!(later.server_time_high, Some(at("2026-11-22T10:00:00Z")));
        assert_eq!(later.offset_ms, 0);
    }

    #[test]
    fn a_clock_put_back_is_behind_and_a_clock_far_off_is_skewed() {
        let mark = ClockMark::default().seen(at("2026-11-22T10:00:00Z"), at("2026-11-22T10:00:00Z"));
        assert_eq!(mark.trust(at("2026-11-22T10:00:01Z"), TWO_HOURS), ClockTrust::Trusted);
        assert_eq!(mark.trust(at("2026-11-22T09:59:00Z"), TWO_HOURS), ClockTrust::Trusted);
        assert_eq!(mark.trust(at("2026-11-22T09:58:59Z"), TWO_HOURS), ClockTrust::Behind);
        assert_eq!(mark.trust(at("2026-11-21T10:00:00Z"), TWO_HOURS), ClockTrust::Behind);
        let off = ClockMark::default().seen(at("2026-11-22T10:00:00Z"), at("2026-11-22T07:59:59Z"));
        assert_eq!(off.trust(at("2026-11-22T08:00:10Z"), TWO_HOURS), ClockTrust::Skewed);
        let slow = ClockMark::default().seen(at("2026-11-22T10:00:00Z"), at("2026-11-22T08:30:00Z"));
        assert_eq!(slow.trust(at("2026-11-22T08:30:01Z"), TWO_HOURS), ClockTrust::Trusted);
    }

    #[test]
    fn a_desk_that_never_heard_from_the_server_has_no_mark() {
        assert_eq!(ClockMark::default().trust(at("2026-11-22T10:00:00Z"), TWO_HOURS), ClockTrust::Trusted);
    }
}
