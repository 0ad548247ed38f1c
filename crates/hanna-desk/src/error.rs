//! The desk's errors: rich inside, a small closed set of codes outside.
//!
//! A code is added when a screen does something with it. The Spanish sentence for each stands in
//! `assets/i18n/es.json` under `error_<CODE>`; a test walks [`ErrorCode::ALL`].

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;

use hanna_domain::{DocumentError, words};
use hanna_wire::problem;
use serde::Serialize;
use ts_rs::TS;

use crate::backend::{Failure, FailureKind};
use crate::store::StoreError;
use crate::vault::VaultError;

words! {
    /// What the screens switch on.
    ErrorCode {
        /// User name or password are wrong.
        WrongCredentials = "WRONG_CREDENTIALS",
        /// The account waits for approval or is suspended.
        AccountNotActive = "ACCOUNT_NOT_ACTIVE",
        /// The account is the caja's, and works in the console: this program is for entities.
        SecondFactorRequired = "SECOND_FACTOR_REQUIRED",
        /// The text is no NIT.
        NitInvalid = "NIT_INVALID",
        /// The NIT stands there without its check digit.
        NitCheckDigitMissing = "NIT_CHECK_DIGIT_MISSING",
        /// The check digit is not the NIT's.
        NitCheckDigitWrong = "NIT_CHECK_DIGIT_WRONG",
        /// The text is no e-mail address.
        EmailInvalid = "EMAIL_INVALID",
        /// The text is no telephone number.
        PhoneInvalid = "PHONE_INVALID",
        /// The password is too short or guessed too easily.
        WeakPassword = "WEAK_PASSWORD",
        /// That is not the code that was mailed.
        CodeWrong = "CODE_WRONG",
        /// The code is no longer good: ask for another.
        CodeExpired = "CODE_EXPIRED",
        /// The server cannot be reached.
        ServerUnreachable = "SERVER_UNREACHABLE",
        /// The server failed.
        ServerFailed = "SERVER_FAILED",
        /// What answered is not Hanna: a captive portal, a proxy, a cut answer.
        AnswerUnreadable = "ANSWER_UNREADABLE",
        /// The server serves only version `version` of this program and newer ones.
        ProgramTooOld = "PROGRAM_TOO_OLD",
        /// Too many attempts: wait.
        SlowDown = "SLOW_DOWN",
        /// The server refuses this to this account.
        Forbidden = "FORBIDDEN",
        /// The session ended: sign in again. What was recorded waits.
        SessionExpired = "SESSION_EXPIRED",
        /// Nobody is signed in.
        NotSignedIn = "NOT_SIGNED_IN",
        /// The desk is locked: its operator has to unlock it.
        Locked = "LOCKED",
        /// Without the server nobody gets in: the clock of this PC cannot be believed.
        ClockWrong = "CLOCK_WRONG",
        /// Without the server this operator gets in no more: it let them in too many days ago.
        OfflineTooLong = "OFFLINE_TOO_LONG",
        /// The application CONVENIOS is not approved for this entity.
        ApplicationNotApproved = "APPLICATION_NOT_APPROVED",
        /// The account has no branch assigned.
        NoBranches = "NO_BRANCHES",
        /// The entity has asked for the application already, or has it.
        AlreadyRequested = "ALREADY_REQUESTED",
        /// Something of the request is missing, or longer than it may be.
        RequestIncomplete = "REQUEST_INCOMPLETE",
        /// The file is larger than `max` MiB.
        AttachmentTooLarge = "ATTACHMENT_TOO_LARGE",
        /// The file is neither a PDF nor a PNG or JPEG image.
        AttachmentKind = "ATTACHMENT_KIND",
        /// Somebody has this user name already.
        UsernameTaken = "USERNAME_TAKEN",
        /// Nobody suspends themselves, or takes the last active administrator away.
        LastAdministrator = "LAST_ADMINISTRATOR",
        /// No branch was chosen yet.
        NoBranchChosen = "NO_BRANCH_CHOSEN",
        /// The branch is not one of the operator's.
        BranchNotAllowed = "BRANCH_NOT_ALLOWED",
        /// No document was typed.
        DocumentEmpty = "DOCUMENT_EMPTY",
        /// The document has letters or other characters that do not belong to it.
        DocumentBadCharacter = "DOCUMENT_BAD_CHARACTER",
        /// The document is too short.
        DocumentTooShort = "DOCUMENT_TOO_SHORT",
        /// The document is too long.
        DocumentTooLong = "DOCUMENT_TOO_LONG",
        /// The document looks like a company's NIT.
        DocumentLooksLikeNit = "DOCUMENT_LOOKS_LIKE_NIT",
        /// The card is gone: consult again.
        LookupGone = "LOOKUP_GONE",
        /// The verdict does not allow a report.
        NotReportable = "NOT_REPORTABLE",
        /// The use of this card is reported already.
        AlreadyReported = "ALREADY_REPORTED",
        /// A use of this person was reported today already: the deliberate second key is needed.
        AlreadyUsedToday = "ALREADY_USED_TODAY",
        /// The statement expired, or the clock cannot be trusted any more, while the card was open: consult again.
        StatementExpired = "STATEMENT_EXPIRED",
        /// There are items not sent yet: signing out needs to be confirmed.
        UnsentItems = "UNSENT_ITEMS",
        /// No such item, or it is not in a state that allows this.
        ItemNotFound = "ITEM_NOT_FOUND",
        /// The use may not be taken back: not one's own, not of today, or too long ago.
        VoidNotAllowed = "VOID_NOT_ALLOWED",
        /// The use was taken back already.
        AlreadyVoided = "ALREADY_VOIDED",
        /// The reason has to be said in words.
        ReasonRequired = "REASON_REQUIRED",
        /// The words are more than `max` letters.
        ReasonTooLong = "REASON_TOO_LONG",
        /// The caja revoked this PC. Its copies and its session are gone; what was not sent is kept.
        DeviceRevoked = "DEVICE_REVOKED",
        /// The range of days is empty, reversed or too long.
        RangeInvalid = "RANGE_INVALID",
        /// The disk is full. Nothing was recorded, nothing lost.
        DiskFull = "DISK_FULL",
        /// The data folder cannot be written. Nothing was recorded, nothing lost.
        DiskReadOnly = "DISK_READ_ONLY",
        /// A local database was made by a newer version of the program; it was not touched.
        StoreNewer = "STORE_NEWER",
        /// The key of this PC does not open its databases; they were not touched.
        StoreWrongKey = "STORE_WRONG_KEY",
        /// A local database failed.
        StoreFailed = "STORE_FAILED",
        /// There is no keyring, and this operator never signed in on this PC: one who did has to open it first.
        KnownOperatorFirst = "KNOWN_OPERATOR_FIRST",
        /// The OS keyring is locked, or stopped answering.
        VaultFailed = "VAULT_FAILED",
        /// Another window of the program uses this data folder.
        AlreadyRunning = "ALREADY_RUNNING",
        /// A file could not be written.
        FileFailed = "FILE_FAILED",
        /// Nothing waits that could be exported.
        NothingToExport = "NOTHING_TO_EXPORT",
        /// The server has never said what exports are sealed with.
        ExportKeyUnknown = "EXPORT_KEY_UNKNOWN",
        /// Nothing can be read of an outbox that was set aside.
        SetAsideUnreadable = "SET_ASIDE_UNREADABLE",
        /// No such printer.
        PrinterNotFound = "PRINTER_NOT_FOUND",
        /// The system's spooler refused the job or is not running.
        PrintFailed = "PRINT_FAILED",
        /// The address of the server cannot be used.
        ServerAddressInvalid = "SERVER_ADDRESS_INVALID",
        /// `hanna-deskctl`: the line is not a command.
        BadCommand = "BAD_COMMAND",
        /// A fault of the program.
        Internal = "INTERNAL",
    }
}

impl From<DocumentError> for ErrorCode {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Empty => Self::DocumentEmpty,
            DocumentError::BadCharacter | DocumentError::NotCanonical => Self::DocumentBadCharacter,
            DocumentError::TooShort => Self::DocumentTooShort,
            DocumentError::TooLong => Self::DocumentTooLong,
            DocumentError::LooksLikeNit => Self::DocumentLooksLikeNit,
        }
    }
}

/// The value of a parameter of an error's sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(untagged)]
pub enum Param {
    /// A count or a duration.
    Number(#[ts(type = "number")] u64),
    /// A name that is not personal data.
    Text(String),
}

/// An error of the desk: a code for the screen, and what really happened for the log.
#[derive(Debug)]
pub struct DeskError {
    code: ErrorCode,
    params: BTreeMap<&'static str, Param>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl DeskError {
    /// The error with this code and nothing more to say.
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, params: BTreeMap::new(), source: None }
    }

    /// The error with this code, caused by `source`.
    pub fn caused(code: ErrorCode, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { code, params: BTreeMap::new(), source: Some(source.into()) }
    }

    /// Adds a parameter of the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Param) -> Self {
        self.params.insert(name, value);
        self
    }

    /// What the screen switches on.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// What the sentence needs.
    pub const fn params(&self) -> &BTreeMap<&'static str, Param> {
        &self.params
    }
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.code())?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for DeskError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<ErrorCode> for DeskError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl From<DocumentError> for DeskError {
    fn from(error: DocumentError) -> Self {
        Self::new(error.into())
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Full => ErrorCode::DiskFull,
            StoreError::ReadOnly => ErrorCode::DiskReadOnly,
            StoreError::Newer { .. } => ErrorCode::StoreNewer,
            StoreError::WrongKey => ErrorCode::StoreWrongKey,
            StoreError::NoCipher
            | StoreError::Unreadable
            | StoreError::Failed(_)
            | StoreError::Content(_) => ErrorCode::StoreFailed,
        };
        Self::caused(code, error)
    }
}

impl From<VaultError> for DeskError {
    fn from(error: VaultError) -> Self {
        Self::caused(ErrorCode::VaultFailed, error)
    }
}

impl From<Failure> for DeskError {
    fn from(failure: Failure) -> Self {
        let code = match failure.kind {
            FailureKind::Unreachable | FailureKind::TimedOut => ErrorCode::ServerUnreachable,
            FailureKind::ServerFailed => ErrorCode::ServerFailed,
            FailureKind::Unreadable => ErrorCode::AnswerUnreadable,
            FailureKind::TooOld(_) => ErrorCode::ProgramTooOld,
            FailureKind::SlowDown => ErrorCode::SlowDown,
            FailureKind::SessionExpired => ErrorCode::SessionExpired,
            FailureKind::Refused(refusal) => match refusal {
                problem::ErrorCode::WrongCredentials => ErrorCode::WrongCredentials,
                problem::ErrorCode::AccountNotActive => ErrorCode::AccountNotActive,
                problem::ErrorCode::SecondFactorRequired => ErrorCode::SecondFactorRequired,
                problem::ErrorCode::BranchNotAllowed => ErrorCode::BranchNotAllowed,
                problem::ErrorCode::DeviceRevoked => ErrorCode::DeviceRevoked,
                problem::ErrorCode::Forbidden => ErrorCode::Forbidden,
                problem::ErrorCode::WeakPassword => ErrorCode::WeakPassword,
                problem::ErrorCode::CodeWrong => ErrorCode::CodeWrong,
                problem::ErrorCode::CodeExpired => ErrorCode::CodeExpired,
                problem::ErrorCode::AlreadyRequested => ErrorCode::AlreadyRequested,
                problem::ErrorCode::UsernameTaken => ErrorCode::UsernameTaken,
                problem::ErrorCode::LastAdministrator => ErrorCode::LastAdministrator,
                problem::ErrorCode::NotPending | problem::ErrorCode::NotFound => ErrorCode::ItemNotFound,
                _ => ErrorCode::ServerFailed,
            },
        };
        let retry_after_s = failure.retry_after.map(|wait| wait.as_secs().max(1));
        let error = Self::caused(code, failure);
        match failure.kind {
            FailureKind::SlowDown => error.with("retry_after_s", Param::Number(retry_after_s.unwrap_or(60))),
            FailureKind::TooOld(minimum) => error.with("version", Param::Text(minimum.to_string())),
            _ => error,
        }
    }
}

impl From<tokio::task::JoinError> for DeskError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::caused(ErrorCode::Internal, error)
    }
}
