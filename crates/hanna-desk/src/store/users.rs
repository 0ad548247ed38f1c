//! Whom a use was recorded of today: in memory, so that a lookup asks the disk only about those few.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hanna_domain::Document;
use jiff::Timestamp;

use super::StoreError;

/// Everybody of whom a use was recorded since some moment, and perhaps some whose use was given up.
#[derive(Debug, Default)]
pub(super) struct Users(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    since: Timestamp,
    people: HashSet<Document>,
}

impl Users {
    /// Whether a use of `document` may have been recorded since `since`. `read` asks the database who all these are, when
    /// that is not known of this moment.
    pub fn may_include(
        &self,
        document: &Document,
        since: Timestamp,
        read: impl FnOnce() -> Result<HashSet<Document>, StoreError>,
    ) -> Result<bool, StoreError> {
        let mut known = self.known();
        if let Some(known) = known.as_ref().filter(|known| known.since == since) {
            return Ok(known.people.contains(document));
        }
        let people = read()?;
        let includes = people.contains(document);
        *known = Some(Known { since, people });
        Ok(includes)
    }

    /// A use of `document` is on the disk. Only then: what is being read meanwhile may not have it.
    pub fn add(&self, document: &Document) {
        if let Some(known) = self.known().as_mut() {
            known.people.insert(document.clone());
        }
    }

    /// Others were added, nobody says whom.
    pub fn forget(&self) {
        *self.known() = None;
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
