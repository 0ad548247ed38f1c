//! The people of an entity: what may be asked for, and what they are mailed.

use hanna_domain::Redacted;
use hanna_wire::account::is_email;
use hanna_wire::me::Role;
use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use uuid::Uuid;

use crate::app::App;
use crate::fault::Fault;
use crate::mail::MailKind;
use crate::passwords::PasswordFault;
use crate::store::{Admission, Mail};

/// The most branches of one person.
const BRANCHES_MAX: usize = 500;

impl App {
    /// A PHC string of a password nobody knows.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) async fn nobodys_password(&self) -> Result<Redacted<String>, PasswordFault> {
        let password = crate::secrets::token(self.entropy());
        self.passwords().hash(password, self.entropy().bytes()).await
    }

    /// What somebody is mailed by who administers their entity; none when their user name is no address.
    pub(crate) fn user_mail(
        &self,
        kind: MailKind,
        (email, name): (&Redacted<String>, &Redacted<String>),
        entity_name: &str,
        now: Timestamp,
    ) -> Option<Mail> {
        let fields =
            [("name", name.expose().as_str()), ("entity", entity_name), ("email", email.expose().as_str())];
        is_email(email.expose()).then(|| Mail::new(self.entropy().id(now), kind, email, &fields, now))
    }

    /// Counts what is mailed to an account because somebody else asks for it.
    ///
    /// # Errors
    /// `SLOW_DOWN`.
    pub(crate) async fn count_mail(&self, account_id: Uuid, now: Timestamp) -> Result<(), Fault> {
        match self.store().count_attempt(self.mac_key().mailed_to(account_id), now).await? {
            Admission::Admitted => Ok(()),
            Admission::Wait(until) => Err(Fault::slow_down(until.duration_since(now))),
        }
    }
}

/// What an administrator may let somebody do.
///
/// # Errors
/// `INVALID`.
pub fn check_roles(roles: &[Role]) -> Result<(), Fault> {
    let is_theirs = |role: &Role| matches!(role, Role::Operator | Role::EntityAdmin);
    if !roles.is_empty() && roles.iter().all(is_theirs) && is_set(roles) {
        Ok(())
    } else {
        Err(Fault::with(ErrorCode::Invalid, "roles are not OPERATOR, ENTITY_ADMIN or both"))
    }
}

/// Where somebody may work.
///
/// # Errors
/// `INVALID`.
pub fn check_branches(branches: &[Uuid]) -> Result<(), Fault> {
    if branches.len() <= BRANCHES_MAX && is_set(branches) {
        Ok(())
    } else {
        let detail = format!("branches are more than {BRANCHES_MAX}, or name one twice");
        Err(Fault::with(ErrorCode::Invalid, detail))
    }
}

fn is_set<T: PartialEq>(values: &[T]) -> bool {
    values.iter().enumerate().all(|(place, value)| !values[..place].contains(value))
}
