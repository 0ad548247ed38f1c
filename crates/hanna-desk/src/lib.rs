//! The desk engine: everything the front desk does, without a window.
//!
//! [`Desk`] is the one entry point; the window and `hanna-deskctl` are thin over it. Its use cases, each in
//! the file of its name: sign in ([`session`](Desk::sign_in)), look up ([`Desk::lookup`]), report a use
//! ([`Desk::report_use`]) or take it back ([`Desk::void_use`]), deliver what was recorded ([`Desk::sync_now`]), and the history.
//!
//! What comes from outside is passed in ([`Setup`]): the clock, chance, the backend, the vault. SQL stands in
//! `store/`, HTTP in `backend/`, secrets in `vault/`; the verdict is `hanna_domain::decide` and nothing else.

pub mod account;
pub mod applications;
pub mod backend;
mod batch_size;
mod connection;
mod desk;
pub mod entity_users;
mod error;
mod export;
mod file;
mod history;
mod lookup;
pub mod messages;
mod outbox;
pub mod ports;
mod reconciliation;
mod regulars;
mod report;
mod report_use;
mod session;
mod set_aside;
pub mod store;
mod tray;
mod unlock;
pub mod vault;
pub mod view;
mod void_use;

pub use desk::{Desk, Event, Setup, VaultChoice};
pub use error::{DeskError, ErrorCode, Param};
pub use hanna_wire::limits::BATCH_ITEMS_MAX;

/// A statement for the tests of this crate.
#[cfg(test)]
pub(crate) fn test_statement(now: jiff::Timestamp) -> hanna_domain::Statement {
    use hanna_domain::{Document, DocumentKind, Reason, Statement, Tariff};
    use jiff::ToSpan;
    use uuid::Uuid;

    Statement {
        jti: Uuid::from_u128(1),
        iat: now,
        nbf: now,
        exp: now + 24.hours(),
        next_update: now + 12.hours(),
        lookup_id: Uuid::from_u128(2),
        document: Document::parse(DocumentKind::CC, "1045678901").expect("a cédula"),
        entity_id: Uuid::from_u128(3),
        branch_id: Uuid::from_u128(4),
        affiliate: None,
        tariff: Tariff::D,
        usable: false,
        reasons: vec![Reason::NotAffiliated],
        used_today: vec![],
    }
}
