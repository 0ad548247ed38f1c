//! What goes wrong in a route: rich inside, a code of the closed set outside.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hanna_wire::client::Version;
use hanna_wire::problem::ErrorCode;
use jiff::SignedDuration;

use crate::app::OpenError;
use crate::keys::KeyFault;
use crate::passwords::PasswordFault;
use crate::store::{BoxError, StoreError};

/// How long a caller is asked to wait when the server cannot tell.
const WAIT: SignedDuration = SignedDuration::from_secs(2);

/// A failed request. [`crate::answer`] makes a problem of it, with the trace id, and logs its cause.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What the caller is told.
    pub code: ErrorCode,
    /// What was wrong this time, for a developer. Never personal data.
    pub detail: Option<String>,
    /// How long to wait before asking again.
    pub retry_after: Option<SignedDuration>,
    /// Which desk would be answered.
    pub minimum_version: Option<Version>,
    /// What the log is told. Never personal data.
    pub cause: Option<Arc<BoxError>>,
}

impl Fault {
    /// A fault with nothing to add.
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, detail: None, retry_after: None, minimum_version: None, cause: None }
    }

    /// A fault with a sentence for a developer.
    pub fn with(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// 429: come back after `wait`.
    pub fn slow_down(wait: SignedDuration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(ErrorCode::SlowDown) }
    }

    /// 503: come back soon.
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self {
            retry_after: Some(WAIT),
            cause: Some(Arc::new(cause.into())),
            ..Self::new(ErrorCode::Unavailable)
        }
    }

    /// 500.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self { cause: Some(Arc::new(cause.into())), ..Self::new(ErrorCode::Internal) }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(_) => Self::unavailable(error),
            StoreError::Newer { .. } | StoreError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<PasswordFault> for Fault {
    fn from(error: PasswordFault) -> Self {
        Self::internal(error)
    }
}

impl From<KeyFault> for Fault {
    fn from(error: KeyFault) -> Self {
        Self::internal(error)
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for Fault {
    /// The status and the headers; the body is written by [`crate::answer`], which knows the trace id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(wait) = self.retry_after {
            // Rounded up: whoever comes back on time must not be too early.
            let wait_s = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
            if let Ok(value) = HeaderValue::from_str(&wait_s.max(1).to_string()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
