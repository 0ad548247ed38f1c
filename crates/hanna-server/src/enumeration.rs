//! Somebody who asks about one number after another to find out who exists gives themself away: nearly all of them are not
//! registered. Pure.
//!
//! Each unknown document adds a point, each known one takes two away, and a point passes every two minutes. A desk at which
//! every third person is known never collects any. From [`SLOW_FROM`] points on, lookups must be ten seconds apart; at
//! [`BLOCK_AT`] the account is blocked for an hour, and whoever runs the server is told.

use jiff::{SignedDuration, Timestamp};

use crate::budget::owed;

/// Points from which lookups are slowed down.
pub const SLOW_FROM: u32 = 30;
/// Points at which lookups are blocked.
pub const BLOCK_AT: u32 = 60;
/// How far apart lookups must be when they are slowed down.
const APART: SignedDuration = SignedDuration::from_secs(10);
/// How long a block lasts.
const BLOCK: SignedDuration = SignedDuration::from_hours(1);
/// In which time a point passes.
const POINT: SignedDuration = SignedDuration::from_mins(POINT_MIN);
const POINT_MIN: i64 = 2;

/// What is remembered of an account. The default is that of one that never asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trail {
    /// When all points will have passed.
    clean_at: Option<Timestamp>,
    /// The last question that was admitted.
    last: Option<Timestamp>,
    /// Until when it is blocked.
    blocked_until: Option<Timestamp>,
}

impl Trail {
    /// The time in which all points pass.
    pub const MOST: SignedDuration = SignedDuration::from_mins(POINT_MIN * BLOCK_AT as i64);

    /// Whether a lookup may be answered at `now`. Those that come at once are admitted one by one, whenever they are
    /// answered.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), SignedDuration> {
        let blocked = self.blocked(now);
        if blocked > SignedDuration::ZERO {
            return Err(blocked);
        }
        let early = owed(self.last.map(|last| last + APART), now, APART);
        if self.points(now) >= SLOW_FROM && early > SignedDuration::ZERO {
            return Err(early);
        }
        self.last = Some(now);
        Ok(())
    }

    /// Takes in what was answered at `now`; `true` when it leads to a block.
    pub fn answered(&mut self, unknown: u32, known: u32, now: Timestamp) -> bool {
        let points = self.points_owed(now) + POINT * count(unknown) - POINT * count(known) * 2;
        let points = points.clamp(SignedDuration::ZERO, Self::MOST);
        self.clean_at = Some(now + points);
        let is_too_much = points >= Self::MOST;
        if is_too_much {
            self.blocked_until = Some(now + BLOCK);
        }
        is_too_much
    }

    /// When all points will have passed.
    pub const fn clean_at(&self) -> Option<Timestamp> {
        self.clean_at
    }

    /// Until when it is blocked.
    pub const fn blocked_until(&self) -> Option<Timestamp> {
        self.blocked_until
    }

    /// The same account with what it did elsewhere, too.
    #[must_use]
    pub const fn with(self, clean_at: Timestamp, blocked_until: Option<Timestamp>) -> Self {
        Self { clean_at: Some(clean_at), blocked_until, ..self }
    }

    fn blocked(&self, now: Timestamp) -> SignedDuration {
        owed(self.blocked_until, now, BLOCK)
    }

    fn points(&self, now: Timestamp) -> u32 {
        u32::try_from(self.points_owed(now).as_secs() / POINT.as_secs()).unwrap_or(u32::MAX)
    }

    fn points_owed(&self, now: Timestamp) -> SignedDuration {
        owed(self.clean_at, now, Self::MOST)
    }
}

fn count(points: u32) -> i32 {
    i32::try_from(points.min(1_000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn noon() -> Timestamp {
        "2026-11-22T17:00:00Z".parse().expect("a timestamp")
    }

    #[test]
    fn a_run_of_unknown_documents_is_slowed_down_then_blocked_with_one_alarm() {
        let (mut trail, mut now, mut asked, mut slowed) = (Trail::default(), noon(), 0, 0);
        loop {
            if let Err(wait) = trail.admit(now) {
                slowed += 1;
                now += wait;
                assert_eq!(trail.admit(now), Ok(()), "after the wait");
            }
            asked += 1;
            if trail.answered(1, 0, now) {
                break;
            }
        }
        assert_eq!((asked, slowed), (63, 33), "thirty at once, and the points that passed meanwhile");
        assert_eq!(trail.admit(now), Err(SignedDuration::from_hours(1)));
        assert_eq!(trail.admit(now + 1.hour()), Ok(()));
        assert_eq!(trail.clean_at(), Some(now + 2.hours()), "half of the points are left by then");
    }

    #[test]
    fn a_desk_where_every_third_person_is_known_is_never_slowed_down() {
        let mut trail = Trail::default();
        for person in 0..300 {
            assert_eq!(trail.admit(noon()), Ok(()));
            assert!(!trail.answered(u32::from(person % 3 != 0), u32::from(person % 3 == 0), noon()));
        }
    }

    #[test]
    fn a_batch_of_unknown_people_is_as_many_lookups() {
        let mut trail = Trail::default();
        assert!(trail.answered(200, 0, noon()));
        assert!(trail.admit(noon()).is_err());
    }

    #[test]
    fn nobody_waits_for_a_clock_that_was_set_back() {
        let mut trail = Trail::default();
        assert!(trail.answered(60, 0, noon() + 48.hours()));
        assert_eq!(trail.admit(noon() + 48.hours()), Err(BLOCK));
        assert_eq!(trail.admit(noon()), Ok(()));
    }

    #[test]
    fn of_questions_at_once_one_is_admitted_before_any_is_answered() {
        let mut trail = Trail::default();
        assert!(!trail.answered(SLOW_FROM, 0, noon()));
        assert_eq!(trail.admit(noon()), Ok(()));
        assert_eq!(trail.admit(noon()), Err(APART));
        assert_eq!(trail.admit(noon() + APART), Ok(()));
    }
}
