//! Errors on the wire: `application/problem+json` (RFC 9457) with a code of a closed set.

use hanna_domain::words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::client::Version;

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

words! {
    /// What went wrong. A code is added when a client acts on it.
    #[derive(utoipa::ToSchema)]
    #[ts(rename = "ProblemCode")]
    ErrorCode {
        /// 400: the body is not the JSON this call takes.
        Malformed = "MALFORMED",
        /// 401: user name or password are wrong. Never says which.
        WrongCredentials = "WRONG_CREDENTIALS",
        /// 401: no access token, or one that is unknown, expired or revoked.
        SessionExpired = "SESSION_EXPIRED",
        /// 403: the account is not active (suspended, or waiting for approval).
        AccountNotActive = "ACCOUNT_NOT_ACTIVE",
        /// 403: signed in, but without the right to this.
        Forbidden = "FORBIDDEN",
        /// 403: the account needs its second factor: a code to sign in with, or one to be set up first.
        SecondFactorRequired = "SECOND_FACTOR_REQUIRED",
        /// 403: the caja has revoked this PC. It forgets its copies and its session, and keeps what it has not sent.
        DeviceRevoked = "DEVICE_REVOKED",
        /// 403: this branch is not one of the operator's.
        BranchNotAllowed = "BRANCH_NOT_ALLOWED",
        /// 404: there is no such route or thing.
        NotFound = "NOT_FOUND",
        /// 405: the route does not take this method.
        MethodNotAllowed = "METHOD_NOT_ALLOWED",
        /// 408: the request did not arrive in time.
        RequestTimedOut = "REQUEST_TIMED_OUT",
        /// 409: the same id with other content.
        IdConflict = "ID_CONFLICT",
        /// 409: somebody has decided about it already, or it is not far enough to be decided about.
        NotPending = "NOT_PENDING",
        /// 409: the entity has asked for this application already, or has it.
        AlreadyRequested = "ALREADY_REQUESTED",
        /// 409: another account has this user name.
        UsernameTaken = "USERNAME_TAKEN",
        /// 409: nobody suspends themselves, or takes the last active administrator away.
        LastAdministrator = "LAST_ADMINISTRATOR",
        /// 409: there is an entity with this NIT.
        NitTaken = "NIT_TAKEN",
        /// 409: there is a branch with this code.
        BranchCodeTaken = "BRANCH_CODE_TAKEN",
        /// 409: another import has not ended: one at a time.
        ImportRunning = "IMPORT_RUNNING",
        /// 413: the body is over the limit.
        TooLarge = "TOO_LARGE",
        /// 415: the body is not of a media type this call takes, or not what it says it is.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        /// 422: readable, but a value is outside what the contract allows.
        Invalid = "INVALID",
        /// 422: the password is too short or guessed too easily.
        WeakPassword = "WEAK_PASSWORD",
        /// 422: that is not the code that was mailed.
        CodeWrong = "CODE_WRONG",
        /// 422: the code is no longer good (too old, tried too often, replaced): ask for another.
        CodeExpired = "CODE_EXPIRED",
        /// 426: this desk is older than the server serves; `minimum_version` says which one it serves.
        ClientTooOld = "CLIENT_TOO_OLD",
        /// 429: too many requests; `Retry-After` says how long to wait.
        SlowDown = "SLOW_DOWN",
        /// 500: a fault of the server.
        Internal = "INTERNAL",
        /// 503: the server cannot answer now; `Retry-After` says how long to wait.
        Unavailable = "UNAVAILABLE",
    }
}

impl ErrorCode {
    /// The HTTP status that goes with the code.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::WrongCredentials | Self::SessionExpired => 401,
            Self::AccountNotActive
            | Self::Forbidden
            | Self::SecondFactorRequired
            | Self::DeviceRevoked
            | Self::BranchNotAllowed => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimedOut => 408,
            Self::IdConflict
            | Self::NotPending
            | Self::AlreadyRequested
            | Self::UsernameTaken
            | Self::LastAdministrator
            | Self::NitTaken
            | Self::BranchCodeTaken
            | Self::ImportRunning => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid | Self::WeakPassword | Self::CodeWrong | Self::CodeExpired => 422,
            Self::ClientTooOld => 426,
            Self::SlowDown => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// A short English title, the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed request",
            Self::WrongCredentials => "Wrong user name or password",
            Self::SessionExpired => "Session expired",
            Self::AccountNotActive => "Account not active",
            Self::Forbidden => "Not allowed",
            Self::SecondFactorRequired => "Second factor required",
            Self::DeviceRevoked => "Device revoked",
            Self::BranchNotAllowed => "Branch not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::RequestTimedOut => "Request timed out",
            Self::IdConflict => "Id already used for other content",
            Self::NotPending => "Not pending",
            Self::AlreadyRequested => "Already requested",
            Self::UsernameTaken => "User name taken",
            Self::LastAdministrator => "Last administrator",
            Self::NitTaken => "NIT already there",
            Self::BranchCodeTaken => "Branch code already there",
            Self::ImportRunning => "Another import is running",
            Self::TooLarge => "Body too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Invalid => "Value not allowed",
            Self::WeakPassword => "Password too weak",
            Self::CodeWrong => "Wrong code",
            Self::CodeExpired => "Code no longer good",
            Self::ClientTooOld => "Client too old",
            Self::SlowDown => "Too many requests",
            Self::Internal => "Internal error",
            Self::Unavailable => "Temporarily unavailable",
        }
    }
}

/// An error answer. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct Problem {
    /// `urn:hanna:problem:` and the code in small letters.
    #[serde(rename = "type")]
    #[schema(example = "urn:hanna:problem:session_expired")]
    pub kind: String,
    /// The same for every occurrence of the code.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What clients switch on.
    pub code: ErrorCode,
    /// What was wrong this time, for a developer.
    pub detail: Option<String>,
    /// Finds this occurrence in the server's log.
    pub trace_id: String,
    /// Of `CLIENT_TOO_OLD` alone: the oldest version that is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0.2.0")]
    #[ts(optional, as = "Option<String>")]
    pub minimum_version: Option<Version>,
}

impl Problem {
    /// The problem for `code`.
    pub fn new(code: ErrorCode, detail: Option<String>, trace_id: String) -> Self {
        Self {
            kind: format!("urn:hanna:problem:{}", code.code().to_lowercase()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail,
            trace_id,
            minimum_version: None,
        }
    }
}
