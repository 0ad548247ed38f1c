//! Mail: what is written in one, and how it leaves.
//!
//! Routes and decisions put mails into the queue of the store; [`App::run_mail`] takes them out and hands them to the mail
//! server, again and again until they are taken or have expired. Without a mail server they are written to a folder.
//! Personal data stay out of the log: it has the id and the kind of a mail.

mod address;
mod deliver;
mod template;

use hanna_domain::Redacted;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub use address::{MailConfig, MailFault};
pub use deliver::Mailer;

use crate::codes;
use crate::store::{Mail, MailFields};

/// How long a decision or a notice is worth being delivered.
const NOTICE_VALIDITY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Which mail it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// The code of a registration: `name`, `entity`, `code`.
    RegistrationCode,
    /// Somebody registers with the address of an account that is there.
    AlreadyRegistered,
    /// The caja approved: `name`, `entity`.
    AccountApproved,
    /// The caja rejected: `name`, `entity`, `reason`.
    AccountRejected,
    /// The code for a forgotten password: `code`.
    PasswordCode,
    /// A password was changed.
    PasswordChanged,
    /// The caja approved an application: `name`, `entity`, `application`.
    ApplicationApproved,
    /// The caja rejected an application: `name`, `entity`, `application`, `reason`.
    ApplicationRejected,
    /// Somebody is invited: `name`, `entity`, `email`.
    Invitation,
    /// An administrator took the password away: `name`, `entity`, `email`.
    PasswordReset,
}

impl MailKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::RegistrationCode,
        Self::AlreadyRegistered,
        Self::AccountApproved,
        Self::AccountRejected,
        Self::PasswordCode,
        Self::PasswordChanged,
        Self::ApplicationApproved,
        Self::ApplicationRejected,
        Self::Invitation,
        Self::PasswordReset,
    ];

    /// The word in SQL.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RegistrationCode => "REGISTRATION_CODE",
            Self::AlreadyRegistered => "ALREADY_REGISTERED",
            Self::AccountApproved => "ACCOUNT_APPROVED",
            Self::AccountRejected => "ACCOUNT_REJECTED",
            Self::PasswordCode => "PASSWORD_CODE",
            Self::PasswordChanged => "PASSWORD_CHANGED",
            Self::ApplicationApproved => "APPLICATION_APPROVED",
            Self::ApplicationRejected => "APPLICATION_REJECTED",
            Self::Invitation => "INVITATION",
            Self::PasswordReset => "PASSWORD_RESET",
        }
    }

    /// The value with this word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// How long it is worth being delivered.
    const fn validity(self) -> SignedDuration {
        match self {
            Self::RegistrationCode | Self::PasswordCode => codes::VALIDITY,
            Self::AlreadyRegistered
            | Self::AccountApproved
            | Self::AccountRejected
            | Self::PasswordChanged
            | Self::ApplicationApproved
            | Self::ApplicationRejected
            | Self::Invitation
            | Self::PasswordReset => NOTICE_VALIDITY,
        }
    }
}

impl Mail {
    /// A mail to put into the queue.
    pub fn new(
        id: Uuid,
        kind: MailKind,
        recipient: &Redacted<String>,
        fields: &[(&str, &str)],
        now: Timestamp,
    ) -> Self {
        let fields: MailFields =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self {
            id,
            kind,
            recipient: recipient.clone(),
            fields: Redacted::new(fields),
            made_at: now,
            expires_at: now + kind.validity(),
            attempts: 0,
        }
    }
}

#[cfg(test)]
mod tests;
