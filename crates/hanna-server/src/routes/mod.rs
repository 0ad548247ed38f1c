//! The calls of the contract, one file each: what can go wrong, the documentation, the handler, its tests.

mod admin;
mod application_requests;
mod change_password;
mod confirm;
mod entity_users;
mod forgot_password;
mod health;
mod keys;
mod lookups;
mod me;
mod metrics;
pub(crate) mod outbox;
mod ready;
mod refresh;
mod register;
mod regulars;
mod report_codes;
mod resend_code;
mod reset_password;
mod second_factor;
mod sign_in;
mod sign_out;
mod usage_reports;
mod verify;
#[cfg(test)]
mod walk;

use axum::Router;
use hanna_wire::path;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::openapi;

/// Every route, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(register::handler))
        .routes(routes!(resend_code::handler))
        .routes(routes!(confirm::handler))
        .routes(routes!(forgot_password::handler))
        .routes(routes!(reset_password::handler))
        .routes(routes!(change_password::handler))
        .routes(routes!(sign_in::handler))
        .routes(routes!(refresh::handler))
        .routes(routes!(sign_out::handler))
        .routes(routes!(second_factor::begin))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(me::handler))
        .routes(routes!(keys::handler))
        .routes(routes!(lookups::handler))
        .routes(routes!(regulars::handler))
        .routes(routes!(outbox::handler))
        .routes(routes!(usage_reports::handler))
        .routes(routes!(usage_reports::totals))
        .routes(routes!(usage_reports::export))
        .routes(routes!(report_codes::handler))
        .routes(routes!(verify::handler))
        .routes(routes!(health::handler))
        .routes(routes!(ready::handler))
        .merge(application_requests::all())
        .merge(entity_users::all())
        .merge(admin::all())
}

/// `/metrics`, served apart from the rest.
pub fn metrics(app: App) -> Router {
    Router::new().route(path::METRICS, axum::routing::get(metrics::handler)).with_state(app)
}
