//! `POST /v1/report-codes`: the code that makes a *Reporte de Convenio* verifiable.

use axum::Json;
use axum::extract::State;
use hanna_domain::{CodeOf, VerificationCode};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::usage::UsageRange;
use hanna_wire::verification::{NewReport, ReportCode};

use super::usage_reports::seen;
use crate::app::App;
use crate::extract::Body;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::store::{Caller, KeptReport, ReportKept};

route_faults!(
    WITH_BODY,
    SIGNED_IN,
    &[ErrorCode::Forbidden, ErrorCode::BranchNotAllowed, ErrorCode::IdConflict]
);

/// A code for a report
///
/// Counts the uses of the range that the caller may see, as the totals do, and keeps the counts: they are what `verify` answers,
/// whatever is reported afterwards. The same report under the same id gets what it got before.
#[utoipa::path(
    post,
    path = path::REPORT_CODES,
    operation_id = "make_report_code",
    tag = "usage",
    security(("session" = [])),
    request_body = NewReport,
    responses((status = 200, description = "The code, and what it stands for.", body = ReportCode), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(report): Body<NewReport>,
) -> Result<Json<ReportCode>, Fault> {
    let NewReport { id, from, to, branch_id } = report;
    let uses = seen(&app, &caller, UsageRange { from, to, branch_id }).await?;
    let new = KeptReport { id, account_id: caller.account_id, uses, now: app.clock().now() };
    match app.store().keep_report(new).await? {
        ReportKept::IdConflict => Err(Fault::new(ErrorCode::IdConflict)),
        ReportKept::Kept(report) => {
            let code = VerificationCode { of: CodeOf::Report, id }.to_string();
            Ok(Json(ReportCode { code, report: *report }))
        }
    }
}
