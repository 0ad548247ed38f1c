//! The people a branch consulted lately (*habituales*), in `cache.sqlite`.

use hanna_domain::{Document, DocumentKind};
use jiff::Timestamp;
use uuid::Uuid;

use super::{CacheStore, StoreError, millis, time};

impl CacheStore {
    /// Notes that the person was consulted at the branch, and the copy answered.
    pub fn note_visit(&self, document: &Document, branch_id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        self.write(|db| {
            db.prepare_cached(
                "UPDATE statement SET visited_at = MAX(visited_at, ?4)
                 WHERE document_number = ?1 AND document_kind = ?2 AND branch_id = ?3",
            )?
            .execute((document.number(), document.kind().code(), branch_id, millis(at)))?;
            Ok(())
        })
    }

    /// Up to `count` people consulted at the branch since `since` whose copies end before `end`, whoever came last first.
    pub fn regulars(
        &self,
        branch_id: Uuid,
        since: Timestamp,
        end: Timestamp,
        count: usize,
    ) -> Result<Vec<Document>, StoreError> {
        const TABLE: StoreError = StoreError::Content("statement");
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT document_kind, document_number FROM statement
             WHERE branch_id = ?1 AND valid_until < ?2 AND visited_at >= ?3 ORDER BY visited_at DESC LIMIT ?4",
        )?;
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        let mut rows = query.query((branch_id, millis(end), millis(since), limit))?;
        let mut regulars = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, number): (String, String) = (row.get(0)?, row.get(1)?);
            let kind = DocumentKind::from_code(&kind).ok_or(TABLE)?;
            regulars.push(Document::parse(kind, &number).map_err(|_| TABLE)?);
        }
        Ok(regulars)
    }

    /// Until when the branch has any copy that is worth something; none when it has none.
    pub fn copies_until(&self, branch_id: Uuid) -> Result<Option<Timestamp>, StoreError> {
        let until: Option<i64> = self
            .db()
            .prepare_cached("SELECT MAX(valid_until) FROM statement WHERE branch_id = ?1")?
            .query_row([branch_id], |row| row.get(0))?;
        until.map(|until| time(until, "statement")).transpose()
    }

    /// Forgets whom nobody consulted since `since`; says how many.
    pub fn forget_unvisited(&self, since: Timestamp) -> Result<usize, StoreError> {
        self.write(|db| Ok(db.execute("DELETE FROM statement WHERE visited_at < ?1", [millis(since)])?))
    }
}
