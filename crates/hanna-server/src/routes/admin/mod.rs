//! The calls of the caja's console. Each takes a [`CajaAdmin`](crate::extract::CajaAdmin): no other caller gets in.

mod agreements;
mod application_requests;
mod audit;
#[cfg(test)]
mod audit_tests;
mod branches;
#[cfg(test)]
mod business_tests;
mod devices;
mod entities;
mod imports;
mod keys;
mod registrations;
#[cfg(test)]
mod tests;
mod usage;
mod users;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Every route of the console, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(audit::search))
        .routes(routes!(audit::export))
        .routes(routes!(audit::verify))
        .merge(people())
        .merge(application_requests::all())
        .merge(businesses())
}

/// Those about people and their PCs.
fn people() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(registrations::list))
        .routes(routes!(registrations::approve))
        .routes(routes!(registrations::reject))
        .routes(routes!(users::list, users::invite))
        .routes(routes!(users::change))
        .routes(routes!(users::reset_password))
        .routes(routes!(users::reset_second_factor))
        .routes(routes!(devices::list))
        .routes(routes!(devices::revoke))
        .routes(routes!(devices::restore))
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
