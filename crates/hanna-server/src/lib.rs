//! The reference backend of Hanna Convenios.
//!
//! Start with [`App`]: [`App::open`] a database, then [`App::serve`] it, or take its [`App::router`] into a test. Time and
//! randomness are passed in ([`Clock`], [`Entropy`]).
//!
//! A connection is held by `serving`, encrypted by `tls`. A request comes in through `answer` (trace id, problems, log), is read by `extract`
//! (session, body), handled by one file of `routes`, which asks the `store` one coarse question; what is decided there is
//! decided by the pure functions of `judge` and `usage`. `gate` turns those away who ask too much,
//! `clients` those who are too old.
//!
//! Deliberately absent: business rules in SQL, clocks and randomness made on the spot, personal data in logs and errors,
//! requests of our own to anybody but the mail server.

mod accounts;
mod agreement;
mod answer;
mod app;
mod application;
mod application_requests;
mod audit;
pub mod backup;
mod branch_code;
mod budget;
mod businesses;
mod claims;
pub mod cli;
mod clients;
mod clock;
mod codes;
mod console;
pub mod demo;
mod devices;
mod entity_users;
mod enumeration;
mod epoch;
mod extract;
mod fault;
mod folded;
mod gate;
pub mod import;
mod judge;
mod keys;
mod mail;
mod metrics;
pub mod openapi;
mod outbox_file;
mod page;
mod passwords;
mod reference;
mod retention;
mod routes;
mod secrets;
mod serving;
mod signer;
mod slow_down;
mod store;
#[cfg(test)]
mod testing;
mod tls;
mod tokens;
mod totp;
mod usage;
mod users;

pub use app::{App, Config, Database, Limits, OpenError, UnknownDatabase};
pub use audit::{Actor, Anchor, Finding, NoAnchor, PersonLookups, PersonalData, SealError, Verification};
pub use clock::{Clock, Entropy, SystemClock, SystemEntropy};
pub use gate::Budgets;
pub use keys::KeyFault;
pub use mail::{MailConfig, MailFault};
pub use outbox_file::{ImportedOutbox, OutboxFileError, OutboxFileFault};
pub use passwords::PasswordFault;
pub use signer::ListedKey;
pub use store::postgres::address::{Address, BadAddress};
pub use store::{Applicant, Device, Opened, Registration, StoreError};
pub use tls::{Tls, TlsFault, TlsFiles};
pub use users::CajaAccountError;
