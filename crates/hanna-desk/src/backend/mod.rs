//! The Hanna backend as the desk sees it.
//!
//! [`Backend`] is the contract of `hanna-wire` as calls; [`Http`] speaks it. What an HTTP answer means is
//! decided in one table, [`classify`].

mod address;
mod administration;
mod classify;
mod http;
mod http_administration;

use std::time::Duration;

use async_trait::async_trait;
use hanna_domain::{Cause, Redacted};
use hanna_wire::account::{
    ChangePassword, CodeSent, Confirm, ForgotPassword, Register, ResendCode, ResetPassword,
};
use hanna_wire::client::Version;
use hanna_wire::health::Health;
use hanna_wire::keys::Keys;
use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer, RegularsRequest};
use hanna_wire::me::Me;
use hanna_wire::outbox::{Batch, BatchAnswer};
use hanna_wire::problem::ErrorCode;
use hanna_wire::session::{Granted, Refresh, SignIn};
use hanna_wire::usage::{UsagePage, UsageQuery};
use hanna_wire::verification::{NewReport, ReportCode};
use jiff::Timestamp;

pub use address::{AddressError, ServerAddress};
pub use administration::{Administration, Upload};
pub use classify::classify;
pub use http::{Http, Transport};

/// An access token.
pub type AccessToken = Redacted<String>;

/// What the server said, and what its clock said.
#[derive(Debug, Clone)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// The server's time (the `Date` header), when it came.
    pub server_time: Option<Timestamp>,
}

/// Why there is no answer from Hanna.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// Hanna failed, or says it cannot answer now.
    ServerFailed,
    /// What answered is not Hanna, or was cut short.
    Unreadable,
    /// Hanna serves this version of the program and newer ones, and not this one. Nothing was asked, and nothing refused.
    TooOld(Version),
    /// Hanna asks to wait.
    SlowDown,
    /// Hanna does not know the access token, or no longer.
    SessionExpired,
    /// Hanna understood, and refuses.
    Refused(ErrorCode),
}

/// A call that gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the call to Hanna failed: {kind:?}")]
pub struct Failure {
    /// Why.
    pub kind: FailureKind,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Self { kind, retry_after: None }
    }
}

impl FailureKind {
    /// Whether the server was reached and spoke for itself. Otherwise the desk is offline: also where the server will not
    /// speak with this version of the program.
    pub const fn hanna_answered(self) -> bool {
        matches!(self, Self::SlowDown | Self::SessionExpired | Self::Refused(_))
    }

    /// The cause the card and the status bar show.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Unreachable => Cause::Unreachable,
            Self::TimedOut => Cause::TimedOut,
            Self::ServerFailed => Cause::ServerFailed,
            Self::Unreadable => Cause::Unreadable,
            Self::TooOld(_) => Cause::ProgramTooOld,
            Self::SlowDown => Cause::SlowDown,
            Self::SessionExpired => Cause::SessionExpired,
            Self::Refused(_) => Cause::Refused,
        }
    }
}

/// The calls of the contract: these, and those of [`Administration`]. Implementations never retry: every attempt is the
/// caller's decision.
#[async_trait]
pub trait Backend: Administration + Send + Sync {
    /// `POST /v1/accounts`
    async fn register(&self, request: &Register) -> Result<Answered<CodeSent>, Failure>;
    /// `POST /v1/accounts/code`
    async fn resend_code(&self, request: &ResendCode) -> Result<Answered<CodeSent>, Failure>;
    /// `POST /v1/accounts/confirm`
    async fn confirm_account(&self, request: &Confirm) -> Result<Answered<()>, Failure>;
    /// `POST /v1/password/forgot`
    async fn forgot_password(&self, request: &ForgotPassword) -> Result<Answered<CodeSent>, Failure>;
    /// `POST /v1/password/reset`
    async fn reset_password(&self, request: &ResetPassword) -> Result<Answered<()>, Failure>;
    /// `POST /v1/password`
    async fn change_password(
        &self,
        token: &AccessToken,
        request: &ChangePassword,
    ) -> Result<Answered<()>, Failure>;
    /// `POST /v1/sessions`
    async fn sign_in(&self, request: &SignIn) -> Result<Answered<Granted>, Failure>;
    /// `POST /v1/sessions/refresh`
    async fn refresh(&self, request: &Refresh) -> Result<Answered<Granted>, Failure>;
    /// `DELETE /v1/sessions/current`
    async fn sign_out(&self, token: &AccessToken) -> Result<Answered<()>, Failure>;
    /// `GET /v1/me`
    async fn me(&self, token: &AccessToken) -> Result<Answered<Me>, Failure>;
    /// `GET /v1/keys`
    async fn keys(&self, token: &AccessToken) -> Result<Answered<Keys>, Failure>;
    /// `POST /v1/lookups`
    async fn lookup(
        &self,
        token: &AccessToken,
        request: &LookupRequest,
    ) -> Result<Answered<LookupAnswer>, Failure>;
    /// `POST /v1/lookups/refresh`
    async fn refresh_regulars(
        &self,
        token: &AccessToken,
        request: &RegularsRequest,
    ) -> Result<Answered<RegularsAnswer>, Failure>;
    /// `POST /v1/outbox`
    async fn deliver(&self, token: &AccessToken, batch: &Batch) -> Result<Answered<BatchAnswer>, Failure>;
    /// `GET /v1/usage-reports`
    async fn usage_reports(
        &self,
        token: &AccessToken,
        query: &UsageQuery,
    ) -> Result<Answered<UsagePage>, Failure>;
    /// `POST /v1/report-codes`
    async fn make_report_code(
        &self,
        token: &AccessToken,
        report: &NewReport,
    ) -> Result<Answered<ReportCode>, Failure>;
    /// `GET /health`
    async fn health(&self) -> Result<Answered<Health>, Failure>;
}
