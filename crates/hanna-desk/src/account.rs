//! Creating an account, and its password.
//!
//! What was typed is checked here as the server checks it, so that each field says at once what is wrong with it. A
//! registration that waits for its code is remembered, where this PC can keep a secret: the code may come back after the
//! program was closed.

use hanna_domain::password::{Strength, Weakness, judge};
use hanna_domain::{Redacted, nit};
use hanna_wire::account::{
    ChangePassword, CodeSent, Confirm, ForgotPassword, Register, ResendCode, ResetPassword, is_email, phone,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::desk::{Desk, lock, name};
use crate::error::{DeskError, ErrorCode};

/// What somebody fills in to create an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
pub struct RegistrationForm {
    /// Of the entity, with its check digit.
    pub nit: String,
    /// What the entity is called.
    pub entity_name: String,
    /// The person's name.
    #[ts(type = "string")]
    pub display_name: Redacted<String>,
    /// The user name to be.
    #[ts(type = "string")]
    pub email: Redacted<String>,
    /// As people write it.
    #[ts(type = "string")]
    pub phone: Redacted<String>,
    /// The password.
    #[ts(type = "string")]
    pub password: Redacted<String>,
    /// The version of the privacy notice that was accepted.
    pub privacy_notice: String,
}

/// A registration whose code is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PendingRegistration {
    /// The registration.
    pub id: Uuid,
    /// Where the code was mailed to.
    #[ts(type = "string")]
    pub email: Redacted<String>,
}

/// A code is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct CodeOnItsWay {
    /// The registration it is for; none for a forgotten password.
    pub registration_id: Option<Uuid>,
    /// How long it is good, in seconds.
    pub expires_in_s: u32,
    /// After how many seconds another one may be asked for.
    pub again_in_s: u32,
}

/// What a password is worth: one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct PasswordJudged {
    /// Why it is not taken.
    pub weakness: Option<Weakness>,
    /// How much it resists.
    pub strength: Option<Strength>,
}

/// Judges a password while it is typed; `personal` is what it must not come from.
pub fn judge_password(password: &Redacted<String>, personal: &[Redacted<String>]) -> PasswordJudged {
    let personal: Vec<&str> = personal.iter().map(|text| text.expose().as_str()).collect();
    let judged = judge(password.expose(), &personal);
    PasswordJudged { strength: judged.ok(), weakness: judged.err() }
}

/// Reads a NIT into the form in which entities keep it.
///
/// # Errors
/// [`ErrorCode::NitInvalid`], [`ErrorCode::NitCheckDigitMissing`], [`ErrorCode::NitCheckDigitWrong`].
pub fn check_nit(text: &str) -> Result<String, DeskError> {
    match nit::whole(text) {
        Ok(Some(nit)) => Ok(nit),
        Ok(None) => Err(ErrorCode::NitCheckDigitMissing.into()),
        Err(nit::NitFault::CheckDigit) => Err(ErrorCode::NitCheckDigitWrong.into()),
        Err(nit::NitFault::Shape) => Err(ErrorCode::NitInvalid.into()),
    }
}

/// Whether mail can be sent and a call made.
///
/// # Errors
/// [`ErrorCode::EmailInvalid`], [`ErrorCode::PhoneInvalid`].
pub fn check_contact(email: &Redacted<String>, number: &Redacted<String>) -> Result<(), DeskError> {
    check_email(email)?;
    phone(number.expose()).map(drop).ok_or_else(|| ErrorCode::PhoneInvalid.into())
}

fn check_email(text: &Redacted<String>) -> Result<Redacted<String>, DeskError> {
    let email = text.expose().trim();
    if is_email(email) { Ok(Redacted::new(email.to_owned())) } else { Err(ErrorCode::EmailInvalid.into()) }
}

fn check_password(password: &Redacted<String>, personal: &[&str]) -> Result<(), DeskError> {
    judge(password.expose(), personal).map(drop).map_err(|_| ErrorCode::WeakPassword.into())
}

impl CodeOnItsWay {
    const fn new(registration_id: Option<Uuid>, sent: CodeSent) -> Self {
        Self { registration_id, expires_in_s: sent.expires_in_s, again_in_s: sent.again_in_s }
    }
}

impl Desk {
    /// Registers somebody: the server mails them a code. The same form again is the same registration.
    ///
    /// # Errors
    /// What is wrong with a field, or why the server cannot be asked.
    pub async fn register(&self, form: &RegistrationForm) -> Result<CodeOnItsWay, DeskError> {
        let nit = check_nit(&form.nit)?;
        let email = check_email(&form.email)?;
        let number = phone(form.phone.expose()).ok_or(ErrorCode::PhoneInvalid)?;
        let (display_name, entity_name) = (form.display_name.expose().trim(), form.entity_name.trim());
        check_password(&form.password, &[display_name, email.expose(), entity_name, &nit])?;
        let request = Register {
            id: self.id_for(&self.inner.registering, form),
            nit,
            entity_name: entity_name.to_owned(),
            display_name: Redacted::new(display_name.to_owned()),
            email: email.clone(),
            phone: Redacted::new(number),
            password: form.password.clone(),
            privacy_notice: form.privacy_notice.clone(),
        };
        let outcome = self.inner.backend.register(&request).await;
        self.heard(&outcome);
        let sent = outcome?.value;
        self.keep_registration(Some(PendingRegistration { id: request.id, email })).await;
        Ok(CodeOnItsWay::new(Some(request.id), sent))
    }

    /// The registration that waits for its code, of this run or of the one before.
    pub(crate) fn pending_registration(&self) -> Option<PendingRegistration> {
        let stores = self.stores().ok()?;
        stores.cache.reference(name::REGISTRATION).ok().flatten()
    }

    /// Without a keyring nothing is kept before somebody has signed in: then the screens alone know.
    async fn keep_registration(&self, pending: Option<PendingRegistration>) {
        if self.opened().is_none() {
            return;
        }
        let kept = self.with_stores(move |stores| match &pending {
            Some(pending) => stores.cache.keep_reference(name::REGISTRATION, pending),
            None => stores.cache.forget_reference(name::REGISTRATION),
        });
        if let Err(error) = kept.await {
            tracing::warn!(%error, "the registration is not known after a restart");
        }
    }

    /// Has the code of a registration mailed again.
    ///
    /// # Errors
    /// [`ErrorCode::SlowDown`], [`ErrorCode::CodeExpired`] when it has to begin anew, or why the server cannot be asked.
    pub async fn resend_code(&self, registration_id: Uuid) -> Result<CodeOnItsWay, DeskError> {
        let outcome = self.inner.backend.resend_code(&ResendCode { id: registration_id }).await;
        self.heard(&outcome);
        Ok(CodeOnItsWay::new(Some(registration_id), outcome?.value))
    }

    /// Confirms a registration: from then on the caja decides.
    ///
    /// # Errors
    /// [`ErrorCode::CodeWrong`], [`ErrorCode::CodeExpired`], or why the server cannot be asked.
    pub async fn confirm_account(&self, id: Uuid, code: &Redacted<String>) -> Result<(), DeskError> {
        let code = check_code(code)?;
        let outcome = self.inner.backend.confirm_account(&Confirm { id, code }).await;
        self.heard(&outcome);
        outcome?;
        *lock(&self.inner.registering) = None;
        self.keep_registration(None).await;
        Ok(())
    }

    /// Has a code mailed to set a new password, if there is such an account.
    ///
    /// # Errors
    /// [`ErrorCode::EmailInvalid`], [`ErrorCode::SlowDown`], or why the server cannot be asked.
    pub async fn forgot_password(&self, email: &Redacted<String>) -> Result<CodeOnItsWay, DeskError> {
        let email = check_email(email)?;
        let outcome = self.inner.backend.forgot_password(&ForgotPassword { email }).await;
        self.heard(&outcome);
        Ok(CodeOnItsWay::new(None, outcome?.value))
    }

    /// Sets a new password with the code of the mail.
    ///
    /// # Errors
    /// [`ErrorCode::WeakPassword`], [`ErrorCode::CodeWrong`], [`ErrorCode::CodeExpired`], or why the server cannot be asked.
    pub async fn reset_password(
        &self,
        email: &Redacted<String>,
        code: &Redacted<String>,
        password: &Redacted<String>,
    ) -> Result<(), DeskError> {
        let (email, code) = (check_email(email)?, check_code(code)?);
        check_password(password, &[email.expose()])?;
        let request = ResetPassword { email, code, password: password.clone() };
        let outcome = self.inner.backend.reset_password(&request).await;
        self.heard(&outcome);
        outcome?;
        Ok(())
    }

    /// Changes the password of who is signed in; from then on it unlocks this PC too.
    ///
    /// # Errors
    /// [`ErrorCode::WrongCredentials`], [`ErrorCode::WeakPassword`], [`ErrorCode::SlowDown`], or why the server cannot be asked.
    pub async fn change_password(
        &self,
        current: &Redacted<String>,
        password: &Redacted<String>,
    ) -> Result<(), DeskError> {
        let me = self.me()?;
        check_password(password, &[&me.operator.username, &me.operator.display_name])?;
        let request = ChangePassword { current: current.clone(), password: password.clone() };
        self.authorized_as(Some(me.operator.id), |backend, token| {
            let request = request.clone();
            async move { backend.change_password(&token, &request).await }
        })
        .await?;
        if !self.has_keyring() {
            self.learn_password(&me.operator.username, password).await?;
        }
        self.remember_operator(&me.operator.username, password, me.as_ref().clone()).await;
        Ok(())
    }
}

/// Six digits, as people copy them: with spaces or without.
fn check_code(text: &Redacted<String>) -> Result<Redacted<String>, DeskError> {
    let code: String = text.expose().chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() == hanna_wire::limits::CODE_DIGITS && code.bytes().all(|b| b.is_ascii_digit()) {
        Ok(Redacted::new(code))
    } else {
        Err(ErrorCode::CodeWrong.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nit_says_what_is_wrong_with_it() {
        assert_eq!(check_nit("899.999.068-1").ok().as_deref(), Some("899999068-1"));
        let code = |text| check_nit(text).map_err(|error| error.code());
        assert_eq!(code("899999068"), Err(ErrorCode::NitCheckDigitMissing));
        assert_eq!(code("899999068-2"), Err(ErrorCode::NitCheckDigitWrong));
        assert_eq!(code("gym"), Err(ErrorCode::NitInvalid));
    }

    #[test]
    fn a_code_is_taken_as_people_copy_it() {
        let check = |text: &str| check_code(&Redacted::new(text.into())).map(Redacted::into_inner).ok();
        assert_eq!(check(" 048 213\n").as_deref(), Some("048213"));
        for text in ["", "04821", "0482133", "o48213", "٠٤٨٢١٣"] {
            assert_eq!(check(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_has_either_a_weakness_or_a_strength() {
        let judged =
            |text: &str| judge_password(&Redacted::new(text.into()), &[Redacted::new("Nadia".into())]);
        assert_eq!(judged("corta").weakness, Some(Weakness::TooShort));
        assert_eq!(judged("cuatro xilofonos").strength, Some(Strength::Strong));
        assert_eq!(judged("cuatro xilofonos").weakness, None);
    }
}
