//! What Hanna Convenios knows, without any input or output.
//!
//! Documents, people, signed statements, the verdict, its reasons, and the legal moves of the
//! outbox. Everything here is a pure function of its arguments: no clock, no randomness, no
//! database, no network. Time and ids come in as parameters.
//!
//! Start with [`decide`]: every path that shows a verdict goes through it.

mod affiliate;
mod agreement;
mod clock;
pub mod colombia;
mod decide;
mod document;
pub mod nit;
pub mod outbox;
pub mod password;
mod reason;
mod redacted;
pub mod statement;
mod usage;
mod verification;
mod words;

pub use affiliate::{Affiliate, AffiliateRole, AffiliateStatus, Company, CompanyStatus, Tariff};
pub use agreement::DeskPolicy;
pub use clock::{ClockMark, ClockTrust};
pub use decide::{Answer, Cause, Decision, Source, Verdict, decide};
pub use document::{Document, DocumentError, DocumentKind};
pub use reason::{Fixer, Reason};
pub use redacted::Redacted;
pub use statement::{Statement, Verified};
pub use usage::{UsageState, UsedToday};
pub use verification::{CodeOf, NoVerificationCode, VerificationCode};
