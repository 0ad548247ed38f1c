//! How often something may happen. Pure: one moment a key is all that is kept.
//!
//! A budget of *n* in a span is spent at once or one by one, and comes back evenly: one every *span ÷ n* (the generic cell
//! rate algorithm). What is kept is the moment at which all of it has come back.

use jiff::{SignedDuration, Timestamp};

/// So many in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many.
    pub count: u32,
    /// In which time.
    pub span: SignedDuration,
}

impl Budget {
    /// The time in which one comes back.
    fn one(self) -> SignedDuration {
        self.span / i32::try_from(self.count.max(1)).unwrap_or(i32::MAX)
    }

    /// Spends one at `now`: the moment at which all of the budget will have come back, or how long to wait for one.
    ///
    /// # Errors
    /// The wait, when nothing is left.
    pub fn spend(self, whole_at: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, SignedDuration> {
        let owed = owed(whole_at, now, self.span);
        let owed_after = owed + self.one();
        if self.count == 0 || owed_after > self.span {
            return Err((owed_after - self.span).max(SignedDuration::from_secs(1)));
        }
        Ok(now + owed_after)
    }

    /// Gives one back.
    pub fn give_back(self, whole_at: Timestamp) -> Timestamp {
        whole_at - self.one()
    }
}

/// How long until `moment`, which was set at most `most` ahead. If it lies further ahead than that, the clock was set back
/// since, and it holds no more: nobody waits for a clock.
pub fn owed(moment: Option<Timestamp>, now: Timestamp, most: SignedDuration) -> SignedDuration {
    let ahead = moment.map_or(SignedDuration::ZERO, |moment| moment.duration_since(now));
    if ahead > most { SignedDuration::ZERO } else { ahead.max(SignedDuration::ZERO) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn noon() -> Timestamp {
        "2026-11-22T17:00:00Z".parse().expect("a timestamp")
    }

    #[test]
    fn all_at_once_then_one_by_one_as_they_come_back() {
        let budget = Budget { count: 6, span: SignedDuration::from_mins(1) };
        let mut whole_at = None;
        for _ in 0..6 {
            whole_at = Some(budget.spend(whole_at, noon()).expect("left"));
        }
        assert_eq!(budget.spend(whole_at, noon()), Err(SignedDuration::from_secs(10)));
        assert_eq!(budget.spend(whole_at, noon() + 9.seconds()), Err(SignedDuration::from_secs(1)));
        let after = budget.spend(whole_at, noon() + 10.seconds()).expect("one came back");
        assert_eq!(budget.spend(Some(after), noon() + 10.seconds()), Err(SignedDuration::from_secs(10)));
        assert!(budget.spend(Some(budget.give_back(after)), noon() + 10.seconds()).is_ok());
    }

    #[test]
    fn nobody_waits_for_a_clock_that_was_set_back() {
        let budget = Budget { count: 1, span: SignedDuration::from_mins(1) };
        let whole_at = budget.spend(None, noon() + 24.hours()).expect("left");
        let whole_at = budget.spend(Some(whole_at), noon()).expect("what another clock said holds no more");
        assert_eq!(budget.spend(Some(whole_at), noon()), Err(SignedDuration::from_mins(1)));
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(Budget { count: 0, span: SignedDuration::from_hours(24) }.spend(None, noon()).is_err());
    }
}
