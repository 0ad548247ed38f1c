//! `POST /v1/lookups/refresh`: people a branch consulted lately, verified again in a batch.

use axum::Json;
use axum::extract::State;
use hanna_wire::limits::REGULARS_MAX;
use hanna_wire::lookup::{Regular, RegularsAnswer, RegularsRequest};
use hanna_wire::me::Role;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::claims::Asked;
use crate::extract::Body;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::store::{Caller, Question, Round, RoundAnswered};

/// What is recorded as the purpose of these lookups (Ley 1581 de 2012).
const PURPOSE: &str = "reverificación de habituales";

route_faults!(
    WITH_BODY,
    SIGNED_IN,
    &[ErrorCode::Forbidden, ErrorCode::BranchNotAllowed, ErrorCode::IdConflict, ErrorCode::SlowDown]
);

/// Verify regulars again
///
/// Each of them becomes a lookup, on record like any other, and is answered with a signed statement. A branch has a budget
/// of them for each Colombian day; when it ends, those over it are left out of the answer. The same id for the same person
/// and branch is the same lookup: counted once and judged anew. Whoever asks about one unknown document after another is
/// slowed down, then blocked for an hour.
#[utoipa::path(
    post,
    path = path::LOOKUPS_REFRESH,
    operation_id = "refresh_regulars",
    tag = "statements",
    security(("session" = [])),
    request_body = RegularsRequest,
    responses((status = 200, description = "The signed statements.", body = RegularsAnswer), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<RegularsRequest>,
) -> Result<Json<RegularsAnswer>, Fault> {
    let entity_id = caller.entity()?;
    if !caller.is(Role::Operator) {
        return Err(Fault::with(ErrorCode::Forbidden, "only operators look people up"));
    }
    let RegularsRequest { branch_id, regulars } = request;
    if regulars.is_empty() || regulars.len() > REGULARS_MAX {
        let detail = format!("there are not between 1 and {REGULARS_MAX} regulars");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    let now = app.clock().now();
    app.admit_questions(&caller, now)?;
    // Before anything is recorded: what cannot be signed is not asked.
    let keys = app.keys().await?;
    let question = |Regular { id, document }| Question {
        account_id: caller.account_id,
        device_id: caller.device_id,
        document_mac: app.mac_key().document(&document),
        purpose: PURPOSE.to_owned(),
        asked: Asked {
            statement_id: app.entropy().id(now),
            lookup_id: id,
            document,
            entity_id,
            branch_id,
            now,
        },
    };
    let questions = regulars.into_iter().map(question).collect();
    match app.store().answer_regulars(Round { questions, budget: app.regulars_a_day_max() }).await? {
        RoundAnswered::Claims { statements, budget_left } => {
            app.answered(&caller, &statements, now);
            app.metrics().looked_up("regular", &statements);
            // Hundreds of signatures are no work for a thread that also answers others.
            let sign_all = move || statements.iter().map(|statement| keys.sign(statement)).collect();
            let signed: Vec<_> = tokio::task::spawn_blocking(sign_all).await.map_err(Fault::internal)?;
            let sign = |signed: Option<_>| -> Result<String, Fault> {
                Ok(signed.ok_or_else(|| Fault::unavailable("no signing key is valid now"))??)
            };
            let statements = signed.into_iter().map(sign).collect::<Result<Vec<_>, _>>()?;
            tracing::info!(%branch_id, statements = statements.len(), budget_left, "regulars were verified again");
            Ok(Json(RegularsAnswer { statements, budget_left }))
        }
        RoundAnswered::BranchNotAllowed => Err(Fault::new(ErrorCode::BranchNotAllowed)),
        RoundAnswered::NotApproved => {
            Err(Fault::with(ErrorCode::Forbidden, "the application CONVENIOS is not approved for the entity"))
        }
        RoundAnswered::IdConflict => Err(Fault::new(ErrorCode::IdConflict)),
    }
}

#[cfg(test)]
mod tests;
