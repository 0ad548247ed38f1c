//! What a statement says: the claims of the answer to one lookup.

use hanna_domain::{Document, Statement, Tariff, UsedToday, colombia};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::judge::{Person, judge, valid_until};
use hanna_wire::agreement::AgreementTerms;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The folio of the statement to be.
    pub statement_id: Uuid,
    /// The lookup.
    pub lookup_id: Uuid,
    /// Whom it is about.
    pub document: Document,
    /// The entity at whose desk it is asked.
    pub entity_id: Uuid,
    /// The branch at which it is asked.
    pub branch_id: Uuid,
    /// When.
    pub now: Timestamp,
}

/// What there is to know, read in one transaction.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who has this document.
    pub person: Person,
    /// The agreement of the branch today.
    pub agreement: Option<AgreementTerms>,
    /// The person's uses today at this entity, oldest first.
    pub used_today: Vec<UsedToday>,
}

/// The claims of the answer.
pub fn claims(asked: &Asked, known: Known) -> Statement {
    let Known { person, agreement, used_today } = known;
    let reasons = judge(&person, agreement.as_ref(), used_today.len(), colombia::day_of(asked.now));
    // Claims count in whole seconds; a statement is never valid before it was made.
    let iat = Timestamp::from_second(asked.now.as_second()).unwrap_or(asked.now);
    let exp = valid_until(iat, agreement.as_ref(), &reasons);
    let next_update = iat + SignedDuration::from_secs(exp.duration_since(iat).as_secs() / 2);
    let affiliate = match person {
        Person::Registered(affiliate) => Some(affiliate),
        Person::OtherKind | Person::Unknown => None,
    };
    Statement {
        jti: asked.statement_id,
        iat,
        nbf: iat,
        exp,
        next_update,
        lookup_id: asked.lookup_id,
        document: asked.document.clone(),
        entity_id: asked.entity_id,
        branch_id: asked.branch_id,
        tariff: affiliate.as_ref().map_or(Tariff::D, |affiliate| affiliate.tariff),
        // Uses are the business of whoever may be told about the person.
        used_today: if affiliate.is_some() { used_today } else { Vec::new() },
        affiliate,
        usable: reasons.is_empty(),
        reasons,
    }
}
