//! `POST /v1/lookups`: one question about one person, answered by a signed statement.

use std::slice;

use axum::Json;
use axum::extract::State;
use hanna_wire::limits::PURPOSE_MAX;
use hanna_wire::lookup::{LookupAnswer, LookupRequest};
use hanna_wire::me::Role;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::claims::Asked;
use crate::extract::{Body, text};
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::store::{Answered, Caller, Question};

route_faults!(
    WITH_BODY,
    SIGNED_IN,
    &[ErrorCode::Forbidden, ErrorCode::BranchNotAllowed, ErrorCode::IdConflict, ErrorCode::SlowDown]
);

/// Look a person up
///
/// Consulting never consumes the benefit, and is always on record: who, at which PC, where, when, why. A document that
/// is not registered is answered with a statement too. The same id for the same person and branch is the same lookup,
/// recorded once and judged anew.
///
/// Lookups have a budget: of the account, of the PC and of the entity. Whoever asks about one unknown document after another
/// is slowed down, then blocked for an hour.
#[utoipa::path(
    post,
    path = path::LOOKUPS,
    operation_id = "look_up",
    tag = "statements",
    security(("session" = [])),
    request_body = LookupRequest,
    responses((status = 200, description = "The signed statement.", body = LookupAnswer), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<LookupRequest>,
) -> Result<Json<LookupAnswer>, Fault> {
    let entity_id = caller.entity()?;
    if !caller.is(Role::Operator) {
        return Err(Fault::with(ErrorCode::Forbidden, "only operators look people up"));
    }
    text("purpose", &request.purpose, PURPOSE_MAX)?;
    let now = app.clock().now();
    app.admit_lookup(&caller, entity_id, now)?;
    // Before anything is recorded: what cannot be signed is not asked.
    let keys = app.keys().await?;
    let question = Question {
        account_id: caller.account_id,
        device_id: caller.device_id,
        document_mac: app.mac_key().document(&request.document),
        purpose: request.purpose,
        asked: Asked {
            statement_id: app.entropy().id(now),
            lookup_id: request.id,
            document: request.document,
            entity_id,
            branch_id: request.branch_id,
            now,
        },
    };
    match app.store().answer_lookup(question).await? {
        Answered::Claims(statement) => {
            app.answered(&caller, slice::from_ref(&statement), now);
            app.metrics().looked_up("lookup", slice::from_ref(&statement));
            let signed = keys.sign(&statement);
            let statement = signed.ok_or_else(|| Fault::unavailable("no signing key is valid now"))??;
            Ok(Json(LookupAnswer { statement }))
        }
        Answered::BranchNotAllowed => Err(Fault::new(ErrorCode::BranchNotAllowed)),
        Answered::NotApproved => {
            Err(Fault::with(ErrorCode::Forbidden, "the application CONVENIOS is not approved for the entity"))
        }
        Answered::IdConflict => Err(Fault::new(ErrorCode::IdConflict)),
    }
}

#[cfg(test)]
mod tests;
