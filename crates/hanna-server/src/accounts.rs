//! What becomes of people who create an account, and what they are mailed on the way.
//!
//! A registration is unconfirmed until the code of its mail comes back; then its account is there, pending, until the caja
//! approves or rejects it. Whatever may be asked by anybody is answered alike whether or not there is such an account, after
//! the same work: what differs stands in the mail alone.

use hanna_domain::{Redacted, password};
use hanna_wire::account::RegistrationState;
use hanna_wire::limits::{PASSWORD_MAX, USERNAME_MAX};
use hanna_wire::me::Role;
use hanna_wire::problem::ErrorCode;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::app::App;
use crate::audit::Actor;
use crate::codes;
use crate::extract;
use crate::fault::Fault;
use crate::mail::MailKind;
use crate::secrets::{Mac, username_key};
use crate::store::{
    Applicant, Approval, CodeAsk, CodeAsked, CodeTried, Decided, Letter, Mail, Registration, Rejection,
    StoreError,
};

/// How long a registration may stay unconfirmed.
pub const UNCONFIRMED_MAX: SignedDuration = SignedDuration::from_hours(24);

/// The longest reason of a rejection, in characters.
const REASON_MAX: usize = 500;

/// What an approved account may do: the first of its entity administers it and works there; whoever comes later is an
/// operator, whom the administrator gives branches and perhaps more.
pub const fn roles_of_approved(entity_has_admin: bool) -> &'static [Role] {
    if entity_has_admin { &[Role::Operator] } else { &[Role::Operator, Role::EntityAdmin] }
}

/// How a decision about a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is decided, and will be mailed.
    Done,
    /// There is no such registration.
    Unknown,
    /// It is not pending: unconfirmed, or decided already.
    NotPending,
}

/// A rejection whose reason cannot be mailed.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The reason is empty or longer than 500 characters.
    #[error("the reason must have between 1 and {REASON_MAX} characters, and no control characters")]
    Reason,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The registrations in `state`, or all of them; the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn registrations(
        &self,
        state: Option<RegistrationState>,
    ) -> Result<Vec<Registration>, StoreError> {
        self.store().registrations(state).await
    }

    /// Approves a pending registration, and mails that. `by`: who does; none: whoever runs this
    /// process.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn approve_account(&self, id: Uuid, by: Option<Uuid>) -> Result<Decision, StoreError> {
        let Some(registration) = self.store().registration(id).await? else { return Ok(Decision::Unknown) };
        let now = self.clock().now();
        let mail = self.decided(MailKind::AccountApproved, &registration.applicant, "", now);
        let approval = Approval { id, entity_id: self.entropy().id(now), by: self.who(by), mail, now };
        Ok(self.told(id, self.store().approve_registration(approval).await?, RegistrationState::Approved))
    }

    /// Rejects a pending registration with a reason, which is mailed.
    ///
    /// # Errors
    /// When the reason is none, or the store cannot be written.
    pub async fn reject_account(
        &self,
        id: Uuid,
        reason: &str,
        by: Option<Uuid>,
    ) -> Result<Decision, DecisionError> {
        let reason = reason.trim().to_owned();
        extract::text("reason", &reason, REASON_MAX).map_err(|_| DecisionError::Reason)?;
        let Some(registration) = self.store().registration(id).await? else { return Ok(Decision::Unknown) };
        let now = self.clock().now();
        let mail = self.decided(MailKind::AccountRejected, &registration.applicant, &reason, now);
        let rejection = Rejection { id, reason, by: self.who(by), mail, now };
        Ok(self.told(id, self.store().reject_registration(rejection).await?, RegistrationState::Rejected))
    }

    /// The account, or whoever runs this process.
    pub(crate) fn who(&self, by: Option<Uuid>) -> Actor {
        by.map_or_else(|| self.run_by().clone(), Actor::Account)
    }

    fn decided(&self, kind: MailKind, applicant: &Applicant, reason: &str, now: Timestamp) -> Mail {
        let name = applicant.display_name.expose();
        let fields = [("name", name.as_str()), ("entity", &applicant.entity_name), ("reason", reason)];
        Mail::new(self.entropy().id(now), kind, &applicant.email, &fields, now)
    }

    fn told(&self, registration_id: Uuid, decided: Decided, state: RegistrationState) -> Decision {
        match decided {
            Decided::NotPending => Decision::NotPending,
            Decided::Done => {
                tracing::info!(%registration_id, state = state.code(), "a registration was decided");
                self.mailer().wake();
                Decision::Done
            }
        }
    }

    /// A code for a registration: to somebody who has an account already it is not told.
    pub(crate) fn registration_code(&self, id: Uuid, applicant: &Applicant, now: Timestamp) -> CodeAsk {
        let subject = self.mac_key().registration(id);
        let code = codes::make(self.entropy());
        let mail = |kind, fields: &[(&str, &str)]| {
            Some(Mail::new(self.entropy().id(now), kind, &applicant.email, fields, now))
        };
        let name = applicant.display_name.expose();
        let fields = [("name", name.as_str()), ("entity", &applicant.entity_name), ("code", code.expose())];
        CodeAsk {
            subject,
            username_key: username_key(applicant.email.expose()),
            if_known: Letter { code: self.nobodys_code(), mail: mail(MailKind::AlreadyRegistered, &[]) },
            if_unknown: Letter {
                code: self.mac_key().code(subject, code.expose()),
                mail: mail(MailKind::RegistrationCode, &fields),
            },
            at_terminal: false,
            now,
        }
    }

    /// A code for a forgotten password: where there is no account nobody is told one.
    pub(crate) fn password_code(&self, email: &Redacted<String>, now: Timestamp) -> CodeAsk {
        let username_key = username_key(email.expose());
        let subject = self.mac_key().forgotten(&username_key);
        let code = codes::make(self.entropy());
        let fields = [("code", code.expose().as_str())];
        let mail = Mail::new(self.entropy().id(now), MailKind::PasswordCode, email, &fields, now);
        CodeAsk {
            subject,
            username_key,
            if_known: Letter { code: self.mac_key().code(subject, code.expose()), mail: Some(mail) },
            if_unknown: Letter { code: self.nobodys_code(), mail: None },
            at_terminal: false,
            now,
        }
    }

    /// The keyed hash of no code.
    fn nobodys_code(&self) -> Mac {
        Mac(self.entropy().bytes())
    }

    /// What somebody is mailed whose password was changed.
    pub(crate) fn password_changed(&self, email: &Redacted<String>, now: Timestamp) -> Mail {
        Mail::new(self.entropy().id(now), MailKind::PasswordChanged, email, &[], now)
    }
}

/// What whoever asked for a code is told.
///
/// # Errors
/// `SLOW_DOWN`.
pub fn asked(asked: CodeAsked, now: Timestamp) -> Result<(), Fault> {
    match asked {
        CodeAsked::Sent => Ok(()),
        CodeAsked::Wait(until) => Err(Fault::slow_down(until.duration_since(now))),
    }
}

/// What whoever tried a code is told.
///
/// # Errors
/// `CODE_WRONG`, `CODE_EXPIRED`.
pub const fn tried(tried: CodeTried) -> Result<(), Fault> {
    match tried {
        CodeTried::Right => Ok(()),
        CodeTried::Wrong => Err(Fault::new(ErrorCode::CodeWrong)),
        CodeTried::Gone => Err(Fault::new(ErrorCode::CodeExpired)),
    }
}

/// A password that somebody chooses; `personal` is what it must not come from.
///
/// # Errors
/// `WEAK_PASSWORD`, `INVALID`.
pub fn check_password(chosen: &Redacted<String>, personal: &[&str]) -> Result<(), Fault> {
    if chosen.expose().chars().count() > PASSWORD_MAX {
        let detail = format!("password has more than {PASSWORD_MAX} characters");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    match password::judge(chosen.expose(), personal) {
        Ok(_) => Ok(()),
        Err(weakness) => Err(Fault::with(ErrorCode::WeakPassword, format!("password: {weakness}"))),
    }
}

/// An address that mail goes to, which is a user name too.
///
/// # Errors
/// `INVALID`.
pub fn check_email(email: &Redacted<String>) -> Result<(), Fault> {
    extract::text("email", email.expose(), USERNAME_MAX)?;
    if hanna_wire::account::is_email(email.expose()) {
        Ok(())
    } else {
        Err(Fault::with(ErrorCode::Invalid, "email is no e-mail address"))
    }
}
