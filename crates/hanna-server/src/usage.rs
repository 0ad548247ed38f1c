//! Whether a reported use is taken in: pure, in two steps.
//!
//! [`rests_on`] needs only the item and its statement; [`rule`] what the database knows. A use that rests on a genuine,
//! usable statement within its validity is taken in **even if the person's state has changed since**: the desk acted on
//! the caja's own signed word.

use hanna_domain::Statement;
use hanna_domain::outbox::ItemCode;
use hanna_domain::statement::Verifier;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::agreement::{Agreement, OverLimit};

/// How much earlier than its statement a use may seem to have happened. A desk knows the server's clock from a header
/// in whole seconds, one way of the wire ago.
const EARLY_MAX: SignedDuration = SignedDuration::from_mins(2);

/// The statement a use rests on, if it carries it.
pub fn rests_on(
    verifier: &Verifier,
    jws: &str,
    branch_id: Uuid,
    occurred_at: Timestamp,
) -> Result<Statement, ItemCode> {
    // Every fault means the same for the record: these are not our words.
    let genuine = verifier.verify_any(jws).map_err(|_| ItemCode::StatementNotGenuine)?;
    let statement = genuine.statement();
    if statement.branch_id != branch_id {
        return Err(ItemCode::StatementMismatch);
    }
    if !statement.usable {
        return Err(ItemCode::StatementNotUsable);
    }
    if occurred_at.duration_since(statement.nbf) < -EARLY_MAX || occurred_at >= statement.exp {
        return Err(ItemCode::StatementNotValid);
    }
    Ok(statement.clone())
}

/// What the database knows about a use.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether branch, author and statement belong to the entity that delivers.
    pub of_this_entity: bool,
    /// The agreement of the branch on the day of the use.
    pub agreement: Option<Agreement>,
    /// How often the person used the benefit that day at this entity, by what was taken in so far.
    pub uses_that_day: u32,
}

/// The ruling on one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Taken in.
    Accepted,
    /// Taken in, with a note.
    Noted(ItemCode),
    /// Not taken in.
    Refused(ItemCode),
}

/// Rules on a use whose statement carries it.
pub fn rule(known: &Known) -> Ruling {
    if !known.of_this_entity {
        return Ruling::Refused(ItemCode::BranchNotAllowed);
    }
    match &known.agreement {
        Some(terms) if known.uses_that_day >= terms.daily_limit => match terms.over_limit {
            OverLimit::Note => Ruling::Noted(ItemCode::DailyLimitReached),
            OverLimit::Refuse => Ruling::Refused(ItemCode::DailyLimitReached),
        },
        // The branch has left its agreement since; the statement says that it had one.
        _ => Ruling::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::agreement::tests::agreement;

    #[test]
    fn the_daily_limit_is_noted_or_refused_as_the_agreement_says() {
        let terms = |over_limit| Agreement {
            daily_limit: 2,
            over_limit,
            ..agreement(date(2026, 1, 1), date(2026, 12, 31))
        };
        let ruling = |agreement: Option<Agreement>, uses_that_day| {
            rule(&Known { of_this_entity: true, agreement, uses_that_day })
        };
        for over_limit in [OverLimit::Note, OverLimit::Refuse] {
            assert_eq!(ruling(Some(terms(over_limit)), 0), Ruling::Accepted);
            assert_eq!(ruling(Some(terms(over_limit)), 1), Ruling::Accepted);
        }
        assert_eq!(ruling(Some(terms(OverLimit::Note)), 2), Ruling::Noted(ItemCode::DailyLimitReached));
        assert_eq!(ruling(Some(terms(OverLimit::Refuse)), 2), Ruling::Refused(ItemCode::DailyLimitReached));
        assert_eq!(ruling(None, 9), Ruling::Accepted);
    }

    #[test]
    fn another_entitys_use_is_refused_before_anything_else() {
        let known = Known { of_this_entity: false, agreement: None, uses_that_day: 0 };
        assert_eq!(rule(&known), Ruling::Refused(ItemCode::BranchNotAllowed));
    }
}
