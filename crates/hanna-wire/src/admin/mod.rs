//! What the caja does in its console. Every call needs the role `CAJA_ADMIN`.

pub mod business;
