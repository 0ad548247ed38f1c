//! The calls of the caja's console. Each takes a [`CajaAdmin`](crate::extract::CajaAdmin): no other caller gets in.

mod agreements;
mod application_requests;
mod branches;
#[cfg(test)]
mod business_tests;
mod entities;
mod imports;
mod keys;
mod usage;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Every route of the console, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .merge(application_requests::all())
        .merge(businesses())
}

/// Those about businesses.
fn businesses() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(entities::list, entities::create))
        .routes(routes!(entities::read, entities::change))
        .routes(routes!(branches::create))
        .routes(routes!(branches::change))
        .routes(routes!(agreements::create))
        .routes(routes!(agreements::change))
        .routes(routes!(imports::list, imports::send))
        .routes(routes!(imports::read))
        .routes(routes!(imports::cancel))
        .routes(routes!(imports::rejected))
        .routes(routes!(usage::read))
}
