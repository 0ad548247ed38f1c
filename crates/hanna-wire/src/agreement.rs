//! Agreements (*convenios*): what an entity and the caja agreed on.

use hanna_domain::{AffiliateRole, DeskPolicy, Tariff, words};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::limits::NAME_MAX;

words! {
    /// What becomes of a use over the daily limit.
    #[derive(utoipa::ToSchema)]
    OverLimit {
        /// It is accepted, with a note.
        Note = "NOTE",
        /// It is refused.
        Refuse = "REFUSE",
    }
}

/// The longest validity of a statement, in hours.
pub const VALIDITY_H_MAX: u8 = 48;
/// The longest time after a use in which it may be taken back, in minutes.
pub const VOID_WINDOW_MAX_MIN: u32 = 24 * 60;
/// For how many days without the server a desk may be unlocked, at most.
pub const OFFLINE_DAYS_MAX: u32 = 60;
/// After how many days without a visit a desk forgets a person's copy, at the latest.
pub const RETENTION_DAYS_MAX: u32 = 365;
/// The most uses of one person in one day that can be agreed on.
pub const DAILY_LIMIT_MAX: u32 = 1_000;
/// How long an agreement may last: what is longer is a year mistyped.
pub const YEARS_MAX: i16 = 50;

/// What was agreed on: what is covered, when, how often, and what desks may do without the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct AgreementTerms {
    /// What people call the agreement.
    #[schema(
        example = "Gimnasio con tarifa preferencial",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub name: String,
    /// The first day it covers.
    #[schema(example = "2026-01-01")]
    pub first_day: Date,
    /// The last day it covers, not before the first.
    #[schema(example = "2026-12-31")]
    pub last_day: Date,
    /// The price categories it covers, each once.
    #[schema(min_items = 1, max_items = 4)]
    pub tariffs: Vec<Tariff>,
    /// The family roles it covers, each once.
    #[schema(min_items = 1, max_items = 2)]
    pub roles: Vec<AffiliateRole>,
    /// How often one person may use the benefit in one Colombian day, at all branches of the entity together.
    #[schema(example = 1, minimum = 1, maximum = 1000)]
    pub daily_limit: u32,
    /// What becomes of a use above that.
    pub over_limit: OverLimit,
    /// How long a statement is worth something, in hours.
    #[schema(example = 24, minimum = 1, maximum = 48)]
    pub validity_h: u8,
    /// How long after a use its operator may take it back, in minutes, and never after its day; 0 not at all.
    #[schema(example = 1440, minimum = 0, maximum = 1440)]
    pub void_window_min: u32,
    /// For how many days without the server a desk may be unlocked; 0 not at all.
    #[schema(example = 7, minimum = 0, maximum = 60)]
    pub offline_days_max: u32,
    /// After how many days without a visit a desk forgets a person's copy.
    #[schema(example = 30, minimum = 1, maximum = 365)]
    pub retention_days: u32,
}

/// What is wrong with terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermsFault {
    /// The name is empty, too long, or has control characters.
    #[error("name is not of 1 to {NAME_MAX} characters of text")]
    Name,
    /// The last day is before the first, or many years after it.
    #[error("last_day is not between first_day and {YEARS_MAX} years later")]
    Days,
    /// No price category, or one twice.
    #[error("tariffs is empty or names one twice")]
    Tariffs,
    /// No family role, or one twice.
    #[error("roles is empty or names one twice")]
    Roles,
    /// The daily limit.
    #[error("daily_limit is not between 1 and {DAILY_LIMIT_MAX}")]
    DailyLimit,
    /// The validity of statements.
    #[error("validity_h is not between 1 and {VALIDITY_H_MAX}")]
    Validity,
    /// The time in which a use may be taken back.
    #[error("void_window_min is over {VOID_WINDOW_MAX_MIN}")]
    VoidWindow,
    /// The days without the server.
    #[error("offline_days_max is over {OFFLINE_DAYS_MAX}")]
    OfflineDays,
    /// The days without a visit.
    #[error("retention_days is not between 1 and {RETENTION_DAYS_MAX}")]
    Retention,
}

impl AgreementTerms {
    /// What is usual: a year, tariffs A to C, the whole family, once a day, statements of a day.
    pub fn usual(name: String, first_day: Date) -> Self {
        let usual = DeskPolicy::default();
        let last_day = first_day.saturating_add(1.year());
        Self {
            name,
            first_day,
            // The day before, a year later.
            last_day: last_day.yesterday().unwrap_or(last_day),
            tariffs: vec![Tariff::A, Tariff::B, Tariff::C],
            roles: AffiliateRole::ALL.to_vec(),
            daily_limit: usual.daily_limit,
            over_limit: OverLimit::Note,
            validity_h: 24,
            void_window_min: usual.void_window_min,
            offline_days_max: usual.offline_days_max,
            retention_days: usual.retention_days,
        }
    }

    /// Whether these terms can hold.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn check(&self) -> Result<(), TermsFault> {
        let name = self.name.chars().count();
        let is_text = !self.name.trim().is_empty() && !self.name.chars().any(char::is_control);
        let latest = self.first_day.saturating_add(YEARS_MAX.years());
        let faults = [
            (name <= NAME_MAX && is_text, TermsFault::Name),
            ((self.first_day..=latest).contains(&self.last_day), TermsFault::Days),
            (is_set(&self.tariffs), TermsFault::Tariffs),
            (is_set(&self.roles), TermsFault::Roles),
            ((1..=DAILY_LIMIT_MAX).contains(&self.daily_limit), TermsFault::DailyLimit),
            ((1..=VALIDITY_H_MAX).contains(&self.validity_h), TermsFault::Validity),
            (self.void_window_min <= VOID_WINDOW_MAX_MIN, TermsFault::VoidWindow),
            (self.offline_days_max <= OFFLINE_DAYS_MAX, TermsFault::OfflineDays),
            ((1..=RETENTION_DAYS_MAX).contains(&self.retention_days), TermsFault::Retention),
        ];
        faults.into_iter().find(|(is_good, _)| !is_good).map_or(Ok(()), |(_, fault)| Err(fault))
    }
}

/// Something, and nothing twice.
fn is_set<T: PartialEq>(values: &[T]) -> bool {
    !values.is_empty() && values.iter().enumerate().all(|(place, value)| !values[..place].contains(value))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use ts_rs::Config;

    use super::*;

    /// Writes the types the screens use; see `cargo xtask gen`.
    #[test]
    fn export_bindings() -> Result<(), ts_rs::ExportError> {
        AgreementTerms::export_all(&Config::from_env())
    }

    #[test]
    fn usual_terms_hold_for_a_year() {
        let terms = AgreementTerms::usual("Gimnasio".to_owned(), date(2026, 3, 1));
        assert_eq!(terms.check(), Ok(()));
        assert_eq!(terms.last_day, date(2027, 2, 28));
    }

    #[test]
    fn terms_that_cannot_hold_say_what_is_wrong() {
        let usual = AgreementTerms::usual("Gimnasio".to_owned(), date(2026, 3, 1));
        let wrong = |change: fn(&mut AgreementTerms)| {
            let mut terms = usual.clone();
            change(&mut terms);
            terms.check().expect_err("wrong")
        };
        for (found, expected) in [
            (wrong(|terms| terms.name = " ".to_owned()), TermsFault::Name),
            (wrong(|terms| terms.name = "a\nb".to_owned()), TermsFault::Name),
            (wrong(|terms| terms.name = "ñ".repeat(121)), TermsFault::Name),
            (wrong(|terms| terms.last_day = date(2026, 2, 28)), TermsFault::Days),
            (wrong(|terms| terms.last_day = date(2206, 2, 28)), TermsFault::Days),
            (wrong(|terms| terms.tariffs.clear()), TermsFault::Tariffs),
            (wrong(|terms| terms.tariffs.push(Tariff::A)), TermsFault::Tariffs),
            (wrong(|terms| terms.roles.clear()), TermsFault::Roles),
            (wrong(|terms| terms.daily_limit = 0), TermsFault::DailyLimit),
            (wrong(|terms| terms.daily_limit = 1_001), TermsFault::DailyLimit),
            (wrong(|terms| terms.validity_h = 0), TermsFault::Validity),
            (wrong(|terms| terms.validity_h = 49), TermsFault::Validity),
            (wrong(|terms| terms.void_window_min = 1_441), TermsFault::VoidWindow),
            (wrong(|terms| terms.offline_days_max = 61), TermsFault::OfflineDays),
            (wrong(|terms| terms.retention_days = 0), TermsFault::Retention),
            (wrong(|terms| terms.retention_days = 366), TermsFault::Retention),
        ] {
            assert_eq!(found, expected);
        }
    }
}
