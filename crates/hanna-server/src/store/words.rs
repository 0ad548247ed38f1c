//! Words of closed sets, as both databases keep them: by their codes.

use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::{AffiliateRole, AffiliateStatus, CompanyStatus, DocumentKind, Reason, Tariff, Verdict};
use hanna_wire::account::RegistrationState;
use hanna_wire::admin::audit::AccessAct;
use hanna_wire::admin::business::{ImportMode, ImportState};
use hanna_wire::application::MediaType;
use hanna_wire::me::{ApplicationState, Role};
use hanna_wire::outbox::OutcomeKind;

use super::AccountState;
use crate::mail::MailKind;
use hanna_wire::agreement::OverLimit;

/// A value of a closed set.
pub trait Coded: Copy {
    /// The word in SQL.
    fn code(self) -> &'static str;
    /// The value with this word.
    fn from_code(code: &str) -> Option<Self>;
}

/// A word of a closed set, as its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<T>(pub T);

/// A row holds a word this program does not know: the database is damaged, or of a program that did not say so.
#[derive(Debug, thiserror::Error)]
#[error("unknown {0}")]
pub struct UnknownWord(&'static str);

impl<T: Coded> Word<T> {
    /// The value with the word `code`.
    pub fn read(code: &str) -> Result<Self, UnknownWord> {
        T::from_code(code).map(Self).ok_or(UnknownWord(std::any::type_name::<T>()))
    }
}

macro_rules! coded {
    ($($type:ty),+ $(,)?) => {$(
        impl Coded for $type {
            fn code(self) -> &'static str {
                <$type>::code(self)
            }

            fn from_code(code: &str) -> Option<Self> {
                <$type>::from_code(code)
            }
        }
    )+};
}
coded!(
    AccessAct,
    AccountState,
    AffiliateRole,
    AffiliateStatus,
    ApplicationState,
    CompanyStatus,
    DocumentKind,
    ImportMode,
    ImportState,
    ItemCode,
    MailKind,
    MediaType,
    OutcomeKind,
    OverLimit,
    Reason,
    RegistrationState,
    Role,
    Tariff,
    Verdict,
    VoidReason,
);
