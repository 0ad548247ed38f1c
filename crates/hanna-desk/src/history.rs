//! *Reporte de Convenio*: every use reported in a range of days.
//!
//! The server's account, and what this PC has not delivered yet. Without the server, what this PC knows of, and
//! the screen says so.

use std::collections::{BTreeMap, HashSet};

use hanna_domain::outbox::ItemState;
use hanna_domain::{Cause, Tariff, UsageState, colombia};
use hanna_wire::limits::{HISTORY_DAYS_MAX, PAGE_MAX};
use hanna_wire::outbox::ItemBody;
use hanna_wire::usage::{UsageQuery, UsageRow};
use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::Desk;
use crate::error::{DeskError, ErrorCode};
use crate::store::ItemRow;
use crate::view::{History, HistoryQuery, HistoryRow, TariffTotal, Voided};
use crate::void_use::may_void;

impl Desk {
    /// The uses of a range of days.
    ///
    /// # Errors
    /// [`ErrorCode::RangeInvalid`], or the local database's. An unreachable server is no error: see `History::complete`.
    pub async fn history(&self, query: HistoryQuery) -> Result<History, DeskError> {
        let me = self.me()?;
        let days = query.from.until(query.to).map_or(i64::MAX, |span| i64::from(span.get_days()));
        if !(0..HISTORY_DAYS_MAX).contains(&days) {
            return Err(ErrorCode::RangeInvalid.into());
        }
        if query.branch_id.is_some_and(|id| !me.branches.iter().any(|branch| branch.id == id)) {
            return Err(ErrorCode::BranchNotAllowed.into());
        }
        let (from, to) = colombia::days(query.from, query.to);
        let server = self.server_rows(from, to, query.branch_id).await;
        let (own, mut voids) = self
            .with_stores(move |stores| {
                let own = stores.outbox.uses_between(from, to, query.branch_id)?;
                Ok((own, stores.outbox.voids_between(from, to)?))
            })
            .await?;
        let (mut rows, cause) = match server {
            Ok(rows) => (rows, None),
            Err(cause) => (Vec::new(), Some(cause)),
        };
        let (_, now) = self.now();
        let voidable: HashSet<Uuid> = own
            .iter()
            .filter(|row| may_void(&me, &row.item, row.state, now))
            .map(|row| row.item.id)
            .collect();
        let known: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
        let theirs = |row: &ItemRow| me.branches.iter().any(|branch| branch.id == row.item.branch_id);
        rows.extend(
            own.into_iter().filter(theirs).filter(|row| !known.contains(&row.item.id)).filter_map(own_row),
        );
        for row in &mut rows {
            let own_void = voids.remove(&row.id);
            // One the server refused takes nothing back, and stands in the way of another until it is given up.
            let is_refused = own_void.as_ref().is_some_and(|void| void.state == ItemState::NeedsAttention);
            if row.voided.is_none() && !is_refused {
                row.voided = own_void.and_then(voided);
            }
            if row.voided.is_some() {
                row.state = UsageState::Voided;
            }
            row.may_void = row.voided.is_none() && !is_refused && voidable.contains(&row.id);
        }
        rows.sort_by(|a, b| b.occurred_at.cmp(&a.occurred_at).then_with(|| b.id.cmp(&a.id)));
        Ok(History { totals: totals(&rows), rows, complete: cause.is_none(), cause })
    }

    async fn server_rows(
        &self,
        from: Timestamp,
        to: Timestamp,
        branch_id: Option<Uuid>,
    ) -> Result<Vec<HistoryRow>, Cause> {
        let mut query = UsageQuery { from, to, branch_id, cursor: None, limit: Some(PAGE_MAX) };
        let mut rows = Vec::new();
        loop {
            let page = self
                .authorized(|backend, token| {
                    let query = query.clone();
                    async move { backend.usage_reports(&token, &query).await }
                })
                .await
                .map_err(|failure| failure.kind.cause())?
                .value;
            rows.extend(page.rows.into_iter().map(HistoryRow::from));
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return Ok(rows);
            }
        }
    }
}

/// Uses by tariff. What the server refused, or the operator withdrew or took back, is no use.
fn totals(rows: &[HistoryRow]) -> Vec<TariffTotal> {
    let mut uses: BTreeMap<Tariff, u32> = BTreeMap::new();
    for row in rows {
        if !matches!(row.state, UsageState::NeedsAttention | UsageState::Withdrawn | UsageState::Voided) {
            *uses.entry(row.tariff).or_default() += 1;
        }
    }
    uses.into_iter().map(|(tariff, uses)| TariffTotal { tariff, uses }).collect()
}

impl From<UsageRow> for HistoryRow {
    fn from(row: UsageRow) -> Self {
        Self {
            id: row.id,
            occurred_at: row.occurred_at,
            document: row.document,
            affiliate_name: row.affiliate_name,
            tariff: row.tariff,
            company_name: row.company_name,
            branch_name: row.branch_name,
            operator_name: row.operator_name,
            state: row.state,
            code: row.code,
            voided: row.void.map(|void| Voided {
                occurred_at: void.occurred_at,
                operator_name: void.operator_name,
                reason: void.reason,
                text: void.text,
                state: ItemState::Accepted,
            }),
            may_void: false,
        }
    }
}

/// The void as this PC recorded it.
pub(crate) fn voided(row: ItemRow) -> Option<Voided> {
    let ItemBody::Void { reason, text, .. } = row.item.body else { return None };
    Some(Voided {
        occurred_at: row.item.occurred_at,
        operator_name: row.item.author_name,
        reason,
        text,
        state: row.state,
    })
}

/// A use as this PC recorded it; nothing for any other item.
fn own_row(row: ItemRow) -> Option<HistoryRow> {
    let state = match row.state {
        ItemState::Queued | ItemState::Sending => UsageState::Queued,
        ItemState::Accepted => UsageState::Accepted,
        ItemState::AcceptedWithNote => UsageState::AcceptedWithNote,
        ItemState::NeedsAttention => UsageState::NeedsAttention,
        ItemState::Withdrawn => UsageState::Withdrawn,
    };
    let usage = row.item.usage?;
    Some(HistoryRow {
        id: row.item.id,
        occurred_at: row.item.occurred_at,
        document: row.item.document,
        affiliate_name: usage.affiliate_name,
        tariff: usage.tariff,
        company_name: usage.company_name,
        branch_name: row.item.branch_name,
        operator_name: row.item.author_name,
        state,
        code: row.code,
        voided: None,
        may_void: false,
    })
}
