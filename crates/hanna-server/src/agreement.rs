//! The agreement (*convenio*) between an entity and the caja: what it covers, when, and how often.

use hanna_domain::{AffiliateRole, Tariff};
use jiff::civil::Date;

/// The terms of an agreement at one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The first day it covers.
    pub first_day: Date,
    /// The last day it covers.
    pub last_day: Date,
    /// The price categories it covers.
    pub tariffs: Vec<Tariff>,
    /// The family roles it covers.
    pub roles: Vec<AffiliateRole>,
    /// How often one person may use the benefit in one Colombian day, at all branches of the entity together.
    pub daily_limit: u32,
    /// What becomes of a use above that.
    pub over_limit: OverLimit,
    /// How long a statement is worth something, in hours; 1 to 48.
    pub validity_h: u8,
    /// How long after a use its operator may take it back, in minutes, and never after its day; 0 not at all.
    pub void_window_min: u32,
    /// For how many days without the server a desk may be unlocked; 0 not at all.
    pub offline_days_max: u32,
    /// After how many days without a visit a desk forgets a person's copy.
    pub retention_days: u32,
}

/// What becomes of a use over the daily limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLimit {
    /// It is accepted, with a note.
    Note,
    /// It is refused.
    Refuse,
}

impl OverLimit {
    /// The word in SQL.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Note => "NOTE",
            Self::Refuse => "REFUSE",
        }
    }

    /// The value with this word.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Note, Self::Refuse].into_iter().find(|value| value.code() == code)
    }
}

impl Agreement {
    /// Of a branch's agreements the one that says what holds on `day`: the latest that has begun, also when it is over;
    /// before the first, the one that begins next.
    pub fn on(day: Date, agreements: Vec<Self>) -> Option<Self> {
        let (begun, coming): (Vec<_>, Vec<_>) =
            agreements.into_iter().partition(|agreement| agreement.first_day <= day);
        begun
            .into_iter()
            // Of two that overlap the one that lasts longer, so that a renewal made early counts.
            .max_by_key(|agreement| (agreement.last_day, agreement.first_day))
            .or_else(|| coming.into_iter().min_by_key(|agreement| agreement.first_day))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;

    pub(crate) fn agreement(first_day: Date, last_day: Date) -> Agreement {
        Agreement {
            first_day,
            last_day,
            tariffs: vec![Tariff::A, Tariff::B, Tariff::C],
            roles: AffiliateRole::ALL.to_vec(),
            daily_limit: 1,
            over_limit: OverLimit::Note,
            validity_h: 24,
            void_window_min: 24 * 60,
            offline_days_max: 7,
            retention_days: 30,
        }
    }

    #[test]
    fn the_agreement_of_a_day() {
        let first = agreement(date(2025, 1, 1), date(2025, 12, 31));
        let renewal = agreement(date(2026, 1, 1), date(2026, 12, 31));
        let both = || vec![renewal.clone(), first.clone()];
        assert_eq!(Agreement::on(date(2024, 6, 1), both()), Some(first.clone()), "the next to begin");
        assert_eq!(Agreement::on(date(2025, 12, 31), both()), Some(first.clone()));
        assert_eq!(Agreement::on(date(2026, 1, 1), both()), Some(renewal.clone()));
        assert_eq!(Agreement::on(date(2027, 1, 1), both()), Some(renewal.clone()), "the last one, over");
        assert_eq!(Agreement::on(date(2027, 1, 1), vec![]), None);
    }
}
