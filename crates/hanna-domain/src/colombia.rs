//! Colombian days. The country has one time, five hours behind UTC, all year round.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Colombia's offset to UTC.
pub const OFFSET: Offset = Offset::constant(-5);

/// The wall clock at `moment`.
pub fn wall_clock(moment: Timestamp) -> DateTime {
    OFFSET.to_datetime(moment)
}

/// The day `moment` belongs to.
pub fn day_of(moment: Timestamp) -> Date {
    wall_clock(moment).date()
}

/// The moment `day` begins; the end of the range of time for a day beyond it.
pub fn start_of(day: Date) -> Timestamp {
    TimeZone::fixed(OFFSET).to_timestamp(day.to_datetime(Time::midnight())).unwrap_or(Timestamp::MAX)
}

/// The half-open range of moments that belong to the days `from` to `to`, both included.
pub fn days(from: Date, to: Date) -> (Timestamp, Timestamp) {
    let after = to.checked_add(1.day()).unwrap_or(Date::MAX);
    (start_of(from), start_of(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_five_utc() {
        let moment: Timestamp = "2026-11-23T04:59:59Z".parse().expect("time");
        assert_eq!(day_of(moment), jiff::civil::date(2026, 11, 22));
        assert_eq!(start_of(day_of(moment)).to_string(), "2026-11-22T05:00:00Z");
        let (from, to) = days(jiff::civil::date(2026, 11, 1), jiff::civil::date(2026, 11, 30));
        assert_eq!(
            (from.to_string(), to.to_string()),
            ("2026-11-01T05:00:00Z".into(), "2026-12-01T05:00:00Z".into())
        );
        assert!(days(Date::MAX, Date::MAX).0 <= Timestamp::MAX);
    }
}
