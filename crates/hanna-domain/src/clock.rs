//! Whether this PC's clock can be believed.
//!
//! A copy is green only inside its validity, and validity is measured by a clock that the person at
//! the desk can change. So the desk keeps the highest server time it has ever seen and the difference
//! between its clock and the server's at the last answer; a clock behind that mark, or too far off, is
//! not trusted and no copy is green.
//!
//! Without the server the mark rises with the device's own clock: one that was put back by less than the time without a
//! connection is behind what it has said itself. The next answer settles it, whatever the clock said before.

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
    /// The highest device time since the last answer; none before the first one.
    pub device_time_high: Option<Timestamp>,
}

/// The judgement on the clock at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTrust {
    /// Copies may be used.
    Trusted,
    /// The device's clock is before a time the server is known to have reached, or that it has said itself.
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
        Self {
            server_time_high: Some(high),
            offset_ms: i64::try_from(offset).unwrap_or(i64::MAX),
            device_time_high: Some(device_time),
        }
    }

    /// The mark after the device's clock was read without an answer. A desk that never heard from the server keeps none:
    /// its clock may still have to be put right.
    #[must_use]
    pub fn passed(self, device_time: Timestamp) -> Self {
        Self { device_time_high: self.device_time_high.map(|high| high.max(device_time)), ..self }
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
        let behind =
            |high: Option<Timestamp>, now| high.is_some_and(|high| high.duration_since(now) > TOLERANCE);
        if behind(self.server_time_high, self.corrected(device_time))
            || behind(self.device_time_high, device_time)
        {
            return ClockTrust::Behind;
        }
        ClockTrust::Trusted
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
    fn a_clock_put_back_by_less_than_the_time_without_an_answer_is_behind() {
        let mark = ClockMark::default().seen(at("2026-11-22T10:00:00Z"), at("2026-11-22T10:00:00Z"));
        let mark = mark.passed(at("2026-11-22T20:00:00Z")).passed(at("2026-11-22T12:00:00Z"));
        assert_eq!(mark.trust(at("2026-11-22T12:00:00Z"), TWO_HOURS), ClockTrust::Behind);
        assert_eq!(mark.trust(at("2026-11-22T19:59:00Z"), TWO_HOURS), ClockTrust::Trusted);
        // The server's word settles it, also after the clock was wrongly put forward.
        let told = mark.seen(at("2026-11-22T12:00:00Z"), at("2026-11-22T12:00:00Z"));
        assert_eq!(told.trust(at("2026-11-22T12:00:01Z"), TWO_HOURS), ClockTrust::Trusted);
    }

    #[test]
    fn a_desk_that_never_heard_from_the_server_has_no_mark() {
        let never = ClockMark::default().passed(at("2030-01-01T00:00:00Z"));
        assert_eq!(never.trust(at("2026-11-22T10:00:00Z"), TWO_HOURS), ClockTrust::Trusted);
    }

    /// Any life of a desk between two answers: hours that pass, and moves of its clock.
    mod between_two_answers {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            #[test]
            fn what_is_trusted_is_never_before_what_the_clock_has_said(
                skew_s in -7_000_i64..7_000,
                moves in prop::collection::vec((0_i64..86_400, -90_000_i64..90_000), 1..20),
            ) {
                let begin = at("2026-11-22T10:00:00Z");
                let mut clock = begin - SignedDuration::from_secs(skew_s);
                let mut mark = ClockMark::default().seen(begin, clock);
                let mut highest = clock;
                for (pass_s, jump_s) in moves {
                    clock += SignedDuration::from_secs(pass_s);
                    highest = highest.max(clock);
                    mark = mark.passed(clock);
                    clock += SignedDuration::from_secs(jump_s);
                    let back = highest.duration_since(clock);
                    let trusted = mark.trust(clock, TWO_HOURS) == ClockTrust::Trusted;
                    prop_assert_eq!(trusted, back <= TOLERANCE);
                    highest = highest.max(clock);
                    mark = mark.passed(clock);
                }
            }
        }
    }
}
