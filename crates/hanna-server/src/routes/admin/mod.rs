//! The calls of the caja's console. Each takes a [`CajaAdmin`](crate::extract::CajaAdmin): no other caller gets in.

mod devices;
mod keys;
mod registrations;
#[cfg(test)]
mod tests;
mod users;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// Every route of the console, with its documentation.
pub fn all() -> OpenApiRouter<App> {
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
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
}
