//! `GET /v1/usage-reports`: reported uses, newest first; their totals; and all of them as one file (`csv.rs`).

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use hanna_domain::colombia;
use hanna_wire::limits::{HISTORY_DAYS_MAX, PAGE_MAX};
use hanna_wire::me::Role;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::usage::{UsagePage, UsageQuery, UsageRange, UsageTotals};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::app::App;
use crate::extract::Params;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, route_faults};
use crate::page;
use crate::store::{Caller, UsageFilter};

route_faults!(SIGNED_IN, &[ErrorCode::Forbidden, ErrorCode::BranchNotAllowed, ErrorCode::Invalid]);

/// Reported uses
///
/// Operators see their own branches, administrators of an entity all of its branches. `next_cursor` leads to the next
/// page; rows that arrive meanwhile do not disturb it. A use that was taken back stays in the list, with its `void`.
#[utoipa::path(
    get,
    path = path::USAGE_REPORTS,
    operation_id = "usage_reports",
    tag = "usage",
    security(("session" = [])),
    params(UsageQuery),
    responses((status = 200, description = "One page.", body = UsagePage), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<UsageQuery>,
) -> Result<Json<UsagePage>, Fault> {
    let UsageQuery { from, to, branch_id, cursor, limit } = query;
    let limit = page::limit(limit)?;
    let after = cursor.as_deref().map(page::place).transpose()?;
    let seen = seen(&app, &caller, UsageRange { from, to, branch_id }).await?;
    // One row more than the page tells whether there is a next one.
    let filter = UsageFilter { after, limit: limit + 1, ..seen };
    let mut rows = app.store().usage_reports(filter).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|row| page::cursor((row.occurred_at, row.id)));
    Ok(Json(UsagePage { rows, next_cursor }))
}

/// Totals of reported uses
///
/// By branch and price category, of the same uses that the list has: what was taken back is counted apart.
#[utoipa::path(
    get,
    path = path::USAGE_REPORTS_TOTALS,
    operation_id = "usage_totals",
    tag = "usage",
    security(("session" = [])),
    params(UsageRange),
    responses((status = 200, description = "The counts.", body = UsageTotals), Faults)
)]
pub async fn totals(
    State(app): State<App>,
    caller: Caller,
    Params(range): Params<UsageRange>,
) -> Result<Json<UsageTotals>, Fault> {
    let filter = seen(&app, &caller, range).await?;
    Ok(Json(UsageTotals { items: app.store().usage_totals(filter).await? }))
}

/// Reported uses as a file
///
/// CSV in UTF-8, newest first, with a line of Spanish headings: everything the list has, as it is sent. A connection that ends
/// before the last line is an answer that is not whole.
#[utoipa::path(
    get,
    path = path::USAGE_REPORTS_EXPORT,
    operation_id = "export_usage_reports",
    tag = "usage",
    security(("session" = [])),
    params(UsageRange),
    responses(
        (status = 200, description = "The uses, `;` between the columns.", body = String, content_type = "text/csv"),
        Faults
    )
)]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    Params(range): Params<UsageRange>,
) -> Result<impl IntoResponse, Fault> {
    let filter = seen(&app, &caller, range).await?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"usos.csv\""),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, csv::body(app, filter)))
}

/// What of a range the caller may see.
pub(super) async fn seen(app: &App, caller: &Caller, range: UsageRange) -> Result<UsageFilter, Fault> {
    let UsageRange { from, to, branch_id } = range;
    let entity_id = caller.entity()?;
    let length = to.duration_since(from);
    if length <= SignedDuration::ZERO || length > SignedDuration::from_hours(24 * HISTORY_DAYS_MAX) {
        let detail = format!("from is not before to, or they are more than {HISTORY_DAYS_MAX} days apart");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    let branches = visible_branches(app, caller, entity_id, branch_id).await?;
    Ok(UsageFilter { entity_id, branches, from, to, after: None, limit: PAGE_MAX })
}

/// The branches to list: `None` for every one of the entity.
async fn visible_branches(
    app: &App,
    caller: &Caller,
    entity_id: Uuid,
    wanted: Option<Uuid>,
) -> Result<Option<Vec<Uuid>>, Fault> {
    let may_see: Vec<Uuid> = if caller.is(Role::EntityAdmin) {
        if wanted.is_none() {
            return Ok(None);
        }
        app.store().branches(entity_id).await?.into_iter().map(|branch| branch.id).collect()
    } else if caller.is(Role::Operator) {
        let today = colombia::day_of(app.clock().now());
        let surroundings = app.store().surroundings(caller.account_id, today).await?;
        surroundings.into_iter().flat_map(|seen| seen.branches).map(|branch| branch.id).collect()
    } else {
        return Err(Fault::new(ErrorCode::Forbidden));
    };
    match wanted {
        None => Ok(Some(may_see)),
        Some(wanted) if may_see.contains(&wanted) => Ok(Some(vec![wanted])),
        Some(_) => Err(Fault::new(ErrorCode::BranchNotAllowed)),
    }
}

mod csv;
#[cfg(test)]
mod tests;
