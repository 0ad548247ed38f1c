//! `POST /v1/accounts`: create an account.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_domain::nit;
use hanna_wire::account::{CodeSent, Register, phone};
use hanna_wire::limits::NAME_MAX;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::accounts::{check_email, check_password};
use crate::app::App;
use crate::codes;
use crate::extract::{Address, Body, text};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};
use crate::secrets::username_key;
use crate::store::{Admission, Applicant, NewRegistration, Registered};

route_faults!(WITH_BODY, &[ErrorCode::IdConflict, ErrorCode::WeakPassword, ErrorCode::SlowDown]);

/// Create an account
///
/// Keeps what was said and mails a code; the account is there when the code comes back, and may be used when the caja has
/// approved it. Somebody who has an account with this address already is mailed that instead; the answer is the same. A
/// registration that is not confirmed within a day is forgotten.
#[utoipa::path(
    post,
    path = path::ACCOUNTS,
    operation_id = "register",
    tag = "account",
    request_body = Register,
    responses((status = 202, description = "Something was mailed.", body = CodeSent), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    Body(register): Body<Register>,
) -> Result<(StatusCode, Json<CodeSent>), Fault> {
    let (id, password) = (register.id, register.password.clone());
    let applicant = applicant(register)?;
    let email_key = username_key(applicant.email.expose());
    let now = app.clock().now();
    app.gate().guess(address, now)?;
    if let Admission::Wait(until) =
        app.store().count_attempt(app.mac_key().registrations(&email_key), now).await?
    {
        return Err(Fault::slow_down(until.duration_since(now)));
    }
    let before = app.store().registration(id).await?.and_then(|registration| registration.password_hash);
    let password_hash = match before {
        // Said again: the password is compared here, the rest in the store.
        Some(stored) => {
            if !app.passwords().matches(password, Some(stored.expose().clone())).await? {
                return Err(Fault::new(ErrorCode::IdConflict));
            }
            stored
        }
        None => app.passwords().hash(password, app.entropy().bytes()).await?,
    };
    let ask = app.registration_code(id, &applicant, now);
    match app.store().register(NewRegistration { id, applicant, password_hash, ask }).await? {
        Registered::IdConflict => return Err(Fault::new(ErrorCode::IdConflict)),
        Registered::Kept => {
            tracing::info!(registration_id = %id, "somebody registered");
            app.mailer().wake();
        }
        Registered::Again => {}
    }
    Ok((StatusCode::ACCEPTED, Json(codes::sent())))
}

fn applicant(register: Register) -> Result<Applicant, Fault> {
    let Register { nit, entity_name, display_name, email, phone: number, password, privacy_notice, .. } =
        register;
    let invalid = |what: &str| Fault::with(ErrorCode::Invalid, what);
    if nit::whole(&nit) != Ok(Some(nit.clone())) {
        return Err(invalid("nit is none, or not with its right check digit"));
    }
    text("entity_name", &entity_name, NAME_MAX)?;
    text("display_name", display_name.expose(), NAME_MAX)?;
    check_email(&email)?;
    if phone(number.expose()).as_ref() != Some(number.expose()) {
        return Err(invalid("phone is no telephone number in digits"));
    }
    if !is_month(&privacy_notice) {
        return Err(invalid("privacy_notice is no month"));
    }
    check_password(&password, &[display_name.expose(), email.expose(), &entity_name, &nit])?;
    Ok(Applicant { nit, entity_name, display_name, email, phone: number, privacy_notice })
}

/// `2026-11`.
fn is_month(text: &str) -> bool {
    text.len() == 7 && text.starts_with("20") && format!("{text}-01").parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests;
