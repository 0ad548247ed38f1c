//! Colombian days. Colombia keeps UTC-5 all year round.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

const COLOMBIA: TimeZone = TimeZone::fixed(Offset::constant(-5));

/// The day a moment belongs to.
pub fn of(moment: Timestamp) -> Date {
    moment.to_zoned(COLOMBIA).date()
}

/// The first moment of a day.
pub fn start(day: Date) -> Timestamp {
    // Fails only within hours of the ends of representable time, years -9999 and 9999.
    day.to_zoned(COLOMBIA).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

/// The first moment after a day.
pub fn end(day: Date) -> Timestamp {
    start(day.saturating_add(1.day()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_day_begins_at_five_in_the_morning_utc() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        assert_eq!(of(at("2026-11-22T04:59:59.999Z")), date(2026, 11, 21));
        assert_eq!(of(at("2026-11-22T05:00:00Z")), date(2026, 11, 22));
        assert_eq!(start(date(2026, 11, 22)), at("2026-11-22T05:00:00Z"));
        assert_eq!(end(date(2026, 12, 31)), at("2027-01-01T05:00:00Z"));
    }
}
