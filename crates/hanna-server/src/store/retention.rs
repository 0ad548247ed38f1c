//! What retention asks of a store, and the SQL by which both say what may go.
//!
//! Purged is always a whole beginning of the chain: all blocks up to one. Of their acts, and of what these record, stays what
//! the rest still needs: a key; a session that was good later; an item that was judged again later; a use with its void as
//! long as one of them is younger. Each act goes with its record and each record with all of its acts, so that what is left
//! is whole. What stayed goes with a later purge.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::audit::chain::Head;
use crate::audit::{Actor, LastPurge, Removed};

/// What is kept, and what goes.
#[async_trait]
pub trait Retention: Send + Sync + 'static {
    /// The last purge there was.
    async fn last_purge(&self) -> Result<Option<LastPurge>>;

    /// Purges the blocks up to one, of what the last purge left and of those after it, and appends the act of it. A few
    /// blocks at a time: the writers wait.
    async fn purge(&self, order: PurgeOrder) -> Result<PurgeOutcome>;

    /// What would go in all if everything that was sealed before `before` were purged. Reads everything it counts; nobody
    /// waits for it.
    async fn purgeable(&self, before: Timestamp) -> Result<Removed>;

    /// The longest time in which no block was sealed, between `last`, or the first block if nothing was ever purged, and `now`:
    /// from when until when. None when there is nothing before `now`.
    async fn longest_pause(&self, last: Option<&LastPurge>, now: Timestamp) -> Result<Option<Pause>>;
}

/// A time in which nothing was sealed: from when until when.
pub type Pause = (Timestamp, Timestamp);

/// What is to be purged.
#[derive(Debug, Clone)]
pub struct PurgeOrder {
    /// The act of the last purge, as far as is known: if it is another one meanwhile, nothing is done.
    pub after: Option<i64>,
    /// The block up to which.
    pub until: Head,
    /// Before when things happened that may go.
    pub before: Timestamp,
    /// How much was found, in the blocks that go, not to be as it was sealed.
    pub findings: u64,
    /// Goes on also when the last purge left something else than there is.
    pub despite_findings: bool,
    /// Who purges.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// How a purge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurgeOutcome {
    /// So much is gone.
    Done(Removed),
    /// Somebody else has purged meanwhile; nothing was done.
    Overtaken,
    /// What the last purge left is not there as it left it; nothing was done.
    NotAsLeft,
}

/// How a store writes what differs: its parameters, and what the name of a moment's column ends with.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The place up to which acts go.
    pub until: &'static str,
    /// Before when things happened that may go.
    pub before: &'static str,
    /// Until when a pause may last.
    pub now: &'static str,
    /// `us` or `at`.
    pub moment: &'static str,
}

impl Dialect {
    fn write(self, sql: &str) -> String {
        let numbered = sql.replace("{until}", self.until).replace("{before}", self.before);
        numbered.replace("{now}", self.now).replace("{at}", self.moment)
    }

    /// The items that go.
    pub fn items(self) -> String {
        self.write(ITEMS)
    }

    /// The sessions that go.
    pub fn sessions(self) -> String {
        self.write(SESSIONS)
    }

    /// The statements that go, each with its lookup.
    pub fn statements(self) -> String {
        self.write(STATEMENTS)
    }

    /// The longest pause since an act (`until`) and its moment (`before`), both null for all there ever were, until `now`;
    /// moments in microseconds.
    pub fn longest_pause(self) -> String {
        self.write(PAUSE)
    }

    /// Removes the acts whose records are gone, and those that have none.
    pub fn remove_acts(self) -> String {
        self.write(
            "DELETE FROM audit WHERE id <= {until} AND act <> 'KEY_MADE'
             AND NOT (act = 'ITEM' AND EXISTS (SELECT 1 FROM outbox_items i WHERE i.id = audit.record_id))
             AND NOT (act = 'SIGN_IN' AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = audit.record_id))",
        )
    }

    /// Counts what goes, in the order of [`Removed`].
    pub fn count(self) -> String {
        let going = format!(
            "WITH items AS MATERIALIZED ({ITEMS}), over AS MATERIALIZED ({SESSIONS}), answers AS MATERIALIZED ({STATEMENTS})
             {COUNTS}"
        );
        self.write(&going)
    }
}

const PAUSE: &str = "
    SELECT from_us, to_us FROM (
        SELECT lag(at_us) OVER (ORDER BY number) AS from_us, at_us AS to_us FROM (
            SELECT 0 AS number, CAST({before} AS bigint) AS at_us
            UNION ALL
            SELECT number, sealed_us FROM audit_blocks WHERE number > coalesce(
                (SELECT number FROM audit_blocks WHERE until_id < CAST({until} AS bigint) ORDER BY number DESC LIMIT 1), 0)
            UNION ALL
            SELECT 9223372036854775807, CAST({now} AS bigint)) AS moments) AS pauses
    WHERE from_us < to_us ORDER BY to_us - from_us DESC, from_us LIMIT 1";

/// Items are refused once they are too old, by when they happened: what happened later than it is purged for must stay, or
/// it could come in again.
const ITEMS: &str = "
    WITH judged AS MATERIALIZED (
        SELECT record_id AS id, submission FROM audit WHERE id <= {until} AND act = 'ITEM'
    ), done AS MATERIALIZED (
        SELECT i.id FROM judged j
        JOIN outbox_items i ON i.id = j.id AND i.submission = j.submission
        LEFT JOIN usage_reports u ON u.id = i.id
        LEFT JOIN voids v ON v.id = i.id
        LEFT JOIN offline_lookups o ON o.id = i.id
        WHERE (coalesce(u.occurred_{at}, v.occurred_{at}, o.occurred_{at}) < {before}) IS NOT FALSE
          AND NOT EXISTS (SELECT 1 FROM earlier_refusals e WHERE e.item_id = i.id
                          AND (e.item_id, e.submission) NOT IN (SELECT id, submission FROM judged))
    )
    SELECT d.id FROM done d
    WHERE NOT EXISTS (SELECT 1 FROM voids v WHERE v.report_id = d.id AND v.id NOT IN (SELECT id FROM done))
      AND NOT EXISTS (SELECT 1 FROM voids v WHERE v.id = d.id AND v.report_id NOT IN (SELECT id FROM done))";

const SESSIONS: &str = "
    SELECT s.id FROM audit a JOIN sessions s ON s.id = a.record_id
    WHERE a.id <= {until} AND a.act = 'SIGN_IN' AND (s.ended_{at} < {before}) IS NOT FALSE
      AND NOT EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.session_id = s.id AND r.expires_{at} >= {before})";

const STATEMENTS: &str = "
    SELECT s.id, s.lookup_id FROM audit a JOIN statements s ON s.id = a.record_id
    WHERE a.id <= {until} AND a.act = 'LOOKUP'";

const COUNTS: &str = "
    SELECT
        (SELECT count(*) FROM audit a WHERE a.id <= {until} AND a.act <> 'KEY_MADE'
             AND (a.act <> 'ITEM' OR a.record_id IN (SELECT id FROM items))
             AND (a.act <> 'SIGN_IN' OR a.record_id IN (SELECT id FROM over))),
        (SELECT count(*) FROM lookups l
         WHERE (l.id IN (SELECT lookup_id FROM answers)
                OR l.id IN (SELECT o.lookup_id FROM offline_lookups o WHERE o.id IN (SELECT id FROM items)))
             AND NOT EXISTS (SELECT 1 FROM statements s
                             WHERE s.lookup_id = l.id AND s.id NOT IN (SELECT id FROM answers))
             AND NOT EXISTS (SELECT 1 FROM offline_lookups o
                             WHERE o.lookup_id = l.id AND o.id NOT IN (SELECT id FROM items))),
        (SELECT count(*) FROM answers),
        (SELECT count(*) FROM items),
        (SELECT count(*) FROM earlier_refusals e WHERE e.item_id IN (SELECT id FROM items)),
        (SELECT count(*) FROM usage_reports u WHERE u.id IN (SELECT id FROM items)),
        (SELECT count(*) FROM voids v WHERE v.id IN (SELECT id FROM items)),
        (SELECT count(*) FROM offline_lookups o WHERE o.id IN (SELECT id FROM items)),
        (SELECT count(*) FROM over)";
