//! Which of a branch's agreements holds.

use hanna_wire::agreement::AgreementTerms;
use jiff::civil::Date;

/// Of a branch's agreements the one that says what holds on `day`: the latest that has begun, also when it is over;
/// before the first, the one that begins next.
pub fn of_day(day: Date, agreements: Vec<AgreementTerms>) -> Option<AgreementTerms> {
    let (begun, coming): (Vec<_>, Vec<_>) =
        agreements.into_iter().partition(|agreement| agreement.first_day <= day);
    begun
        .into_iter()
        // Of two that overlap the one that lasts longer, so that a renewal made early counts.
        .max_by_key(|agreement| (agreement.last_day, agreement.first_day))
        .or_else(|| coming.into_iter().min_by_key(|agreement| agreement.first_day))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;

    /// The usual terms, between two days.
    pub(crate) fn agreement(first_day: Date, last_day: Date) -> AgreementTerms {
        AgreementTerms { last_day, ..AgreementTerms::usual("Convenio".to_owned(), first_day) }
    }

    #[test]
    fn the_agreement_of_a_day() {
        let first = agreement(date(2025, 1, 1), date(2025, 12, 31));
        let renewal = agreement(date(2026, 1, 1), date(2026, 12, 31));
        let both = || vec![renewal.clone(), first.clone()];
        assert_eq!(of_day(date(2024, 6, 1), both()), Some(first.clone()), "the next to begin");
        assert_eq!(of_day(date(2025, 12, 31), both()), Some(first.clone()));
        assert_eq!(of_day(date(2026, 1, 1), both()), Some(renewal.clone()));
        assert_eq!(of_day(date(2027, 1, 1), both()), Some(renewal.clone()), "the last one, over");
        assert_eq!(of_day(date(2027, 1, 1), vec![]), None);
    }
}
