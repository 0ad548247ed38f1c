//! What is recorded of one person: *¿quién consultó mis datos?*, and everything there is (Ley 1581 de 2012, arts. 8 and
//! 14). Both are acts themselves.

use hanna_domain::{Affiliate, Document, Reason, Verdict};
use hanna_wire::usage::UsageRow;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Act, NewAct};
use crate::app::App;
use crate::store::StoreError;

/// Who looked a person up, and who else saw the data.
#[derive(Debug, Clone, Serialize)]
pub struct PersonLookups {
    /// The lookups, oldest first.
    pub lookups: Vec<Consulted>,
    /// Searches and exports at the caja, oldest first.
    pub accesses: Vec<Access>,
}

/// An answer to a lookup. A lookup that was asked again under its id has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consulted {
    /// The lookup.
    pub lookup_id: Uuid,
    /// When it was answered; by a copy: as the PC said.
    pub answered_at: Timestamp,
    /// The business.
    pub entity_name: String,
    /// The branch.
    pub branch_name: String,
    /// What people call the PC today.
    pub device_name: String,
    /// Who asked.
    pub operator_name: String,
    /// Why.
    pub purpose: String,
    /// Nobody stood at the counter: a person consulted lately was verified again.
    pub regular: bool,
    /// The server was away, and the copy of the PC answered.
    pub from_copy: bool,
    /// What was answered.
    pub verdict: Verdict,
    /// Why not; of a copy's answer not known.
    pub reasons: Vec<Reason>,
}

impl Consulted {
    /// The verdict of a statement.
    pub fn verdict(usable: bool, reasons: &[Reason]) -> Verdict {
        if usable {
            Verdict::Active
        } else if reasons.contains(&Reason::NotAffiliated) {
            Verdict::NotRegistered
        } else {
            Verdict::NotActive
        }
    }
}

/// Somebody at the caja saw what is recorded of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// When.
    pub at: Timestamp,
    /// `PERSON_SEARCHED` or `PERSON_EXPORTED`.
    pub act: String,
    /// The account, if somebody was signed in.
    pub account_id: Option<Uuid>,
    /// `terminal:` and the user of the system, if nobody was.
    pub by: Option<String>,
    /// Why.
    pub purpose: Option<String>,
}

/// Everything there is about a person.
#[derive(Debug, Clone, Serialize)]
pub struct PersonalData {
    /// Whose.
    pub document: Document,
    /// What the caja has registered; none when it has nobody with this document.
    pub registered: Option<RegisteredPerson>,
    /// Who looked the person up.
    #[serde(flatten)]
    pub lookups: PersonLookups,
    /// Reported uses with their voids, newest first.
    pub uses: Vec<PersonUse>,
}

/// What the caja has registered of a person.
#[derive(Debug, Clone, Serialize)]
pub struct RegisteredPerson {
    /// As desks are told.
    #[serde(flatten)]
    pub affiliate: Affiliate,
    /// The employer's NIT, without its check digit.
    pub company_nit: Option<String>,
    /// Of the import that wrote it last; one that found the person as before wrote nothing.
    pub imported_at: Timestamp,
}

/// A use that was reported of a person.
#[derive(Debug, Clone, Serialize)]
pub struct PersonUse {
    /// The business.
    pub entity_name: String,
    /// The use.
    #[serde(flatten)]
    pub row: UsageRow,
}

impl App {
    /// Who looked a person up.
    ///
    /// # Errors
    /// When the store cannot be read, or the search cannot be recorded.
    pub async fn search_audit(
        &self,
        document: &Document,
        purpose: &str,
    ) -> Result<PersonLookups, StoreError> {
        self.store().person_lookups(self.access(Act::PersonSearched, document, purpose)).await
    }

    /// Everything there is about a person.
    ///
    /// # Errors
    /// When the store cannot be read, or the export cannot be recorded.
    pub async fn export_person(
        &self,
        document: &Document,
        purpose: &str,
    ) -> Result<PersonalData, StoreError> {
        self.store()
            .personal_data(document.clone(), self.access(Act::PersonExported, document, purpose))
            .await
    }

    fn access(&self, act: Act, document: &Document, purpose: &str) -> NewAct {
        let act =
            NewAct::new(act, self.clock().now()).by(self.run_by()).saying(json!({ "purpose": purpose }));
        NewAct { document: Some(self.mac_key().document(document)), ..act }
    }
}
