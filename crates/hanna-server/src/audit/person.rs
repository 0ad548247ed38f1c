//! What is recorded of one person: *¿quién consultó mis datos?*, and everything there is (Ley 1581 de 2012, arts. 8 and
//! 14). Both are acts themselves.

use hanna_domain::{Document, Reason, Verdict};
pub use hanna_wire::admin::audit::{
    Access, Consulted, PersonLookups, PersonUse, PersonalData, RegisteredPerson,
};
use serde_json::json;

use super::{Act, Actor, NewAct};
use crate::app::App;
use crate::store::{LookupRange, StoreError};

/// The verdict of a statement.
pub fn verdict_of(usable: bool, reasons: &[Reason]) -> Verdict {
    if usable {
        Verdict::Active
    } else if reasons.contains(&Reason::NotAffiliated) {
        Verdict::NotRegistered
    } else {
        Verdict::NotActive
    }
}

impl App {
    /// Who looked a person up: some of the lookups, and on the first page who else saw the data.
    ///
    /// # Errors
    /// When the store cannot be read, or the search cannot be recorded.
    pub(crate) async fn search_audit(
        &self,
        document: &Document,
        range: LookupRange,
        purpose: &str,
        by: &Actor,
    ) -> Result<PersonLookups, StoreError> {
        let act = self.access(Act::PersonSearched, document, purpose, by);
        self.store().person_lookups(range, act).await
    }

    /// Everything there is about a person.
    ///
    /// # Errors
    /// When the store cannot be read, or the export cannot be recorded.
    pub(crate) async fn export_person(
        &self,
        document: &Document,
        purpose: &str,
        by: &Actor,
    ) -> Result<PersonalData, StoreError> {
        let act = self.access(Act::PersonExported, document, purpose, by);
        self.store().personal_data(document.clone(), act).await
    }

    fn access(&self, act: Act, document: &Document, purpose: &str, by: &Actor) -> NewAct {
        let act = NewAct::new(act, self.clock().now()).by(by).saying(json!({ "purpose": purpose }));
        NewAct { document: Some(self.mac_key().document(document)), ..act }
    }
}
