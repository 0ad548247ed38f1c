//! The calls of the caja's console. Each takes a [`CajaAdmin`](crate::extract::CajaAdmin): no other caller gets in.

mod application_requests;
mod keys;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Every route of the console, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .merge(application_requests::all())
}
