//! Accounts: registrations, what the caja decides about them, codes, passwords.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::account::RegistrationState;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Mail, Result};
use crate::audit::Actor;
use crate::codes::{self, Code};
use crate::secrets::Mac;

/// What is asked and done about accounts. Mails are put into the queue in the same transaction as what they tell.
#[async_trait]
pub trait Accounts {
    /// A registration, whatever its state.
    async fn registration(&self, id: Uuid) -> Result<Option<Registration>>;

    /// The registrations in `state`, or all of them; the oldest first. One that nobody confirmed within a day is forgotten.
    async fn registrations(&self, state: Option<RegistrationState>) -> Result<Vec<Registration>>;

    /// Takes a registration in, unconfirmed, with its code. The same id with the same content changes nothing and mails
    /// nothing; the caller has compared the passwords.
    async fn register(&self, new: NewRegistration) -> Result<Registered>;

    /// Keeps another code in the place of the one before, within the limits of [`crate::codes`], and mails it. What it says
    /// does not depend on whether there is such an account.
    async fn ask_code(&self, ask: CodeAsk) -> Result<CodeAsked>;

    /// Confirms a registration: the account is there then, pending. The right code for one that is confirmed already is
    /// right again. [`CodeTried::Gone`] also when somebody else has the user name by now.
    async fn confirm_registration(&self, confirmation: Confirmation) -> Result<CodeTried>;

    /// Approves a pending registration: the account may be used, for the entity of the NIT, which is made if there is none.
    async fn approve_registration(&self, approval: Approval) -> Result<Decided>;

    /// Rejects a pending registration: its account goes, and the user name is free again.
    async fn reject_registration(&self, rejection: Rejection) -> Result<Decided>;

    /// What is needed to check and change the password of who is signed in.
    async fn own_password(&self, account_id: Uuid) -> Result<Option<OwnPassword>>;

    /// Sets a password, and ends every session of the account but `keep`; unless `was` is not the password any more, when nothing
    /// changes and the answer is no.
    async fn change_password(&self, change: PasswordChange) -> Result<bool>;

    /// Sets a password with a code, which is worth nothing afterwards; ends every session of the account and forgets its
    /// sign-in attempts. The very same reset again, with its `spent`, is right and changes nothing.
    async fn reset_password(&self, reset: PasswordReset) -> Result<CodeTried>;
}

/// A registration as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Made by the desk.
    pub id: Uuid,
    /// What was said.
    pub applicant: Applicant,
    /// When.
    pub made_at: Timestamp,
    /// How far it is.
    pub state: RegistrationState,
    /// The password's PHC string, while it is unconfirmed.
    pub password_hash: Option<Redacted<String>>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// What somebody says of themselves when they register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    /// Of the entity, with its check digit.
    pub nit: String,
    /// What they call the entity.
    pub entity_name: String,
    /// Their own name.
    pub display_name: Redacted<String>,
    /// The user name to be, as it was typed.
    pub email: Redacted<String>,
    /// Digits.
    pub phone: Redacted<String>,
    /// The version of the privacy notice they accepted.
    pub privacy_notice: String,
}

/// A registration to take in.
#[derive(Debug, Clone)]
pub struct NewRegistration {
    /// Made by the desk.
    pub id: Uuid,
    /// What was said.
    pub applicant: Applicant,
    /// A PHC string.
    pub password_hash: Redacted<String>,
    /// Its first code.
    pub ask: CodeAsk,
}

/// How taking in a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is there now.
    Kept,
    /// It was there already; nothing changed.
    Again,
    /// The id belongs to another one; nothing changed.
    IdConflict,
}

/// A code to keep, and a mail to send.
#[derive(Debug, Clone)]
pub struct CodeAsk {
    /// The keyed hash of what it is for.
    pub subject: Mac,
    /// Whose name decides which letter it is; as user names are compared.
    pub username_key: String,
    /// When an account has that name.
    pub if_known: Letter,
    /// When none has.
    pub if_unknown: Letter,
    /// Whether it is told to somebody at the server's terminal: then how many there were does not matter.
    pub at_terminal: bool,
    /// When.
    pub now: Timestamp,
}

impl CodeAsk {
    /// The code that follows `before`, or the moment to wait for.
    pub fn next(&self, before: Option<Code>, mac: Mac) -> std::result::Result<Code, Timestamp> {
        if self.at_terminal {
            return Ok(codes::at_terminal(before, mac, self.now));
        }
        codes::next(before, mac, self.now)
    }
}

/// A code and its mail. Without a mail nobody is told the code, which is kept all the same, so that both cases look alike.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The keyed hash of subject and code.
    pub code: Mac,
    /// What is mailed.
    pub mail: Option<Mail>,
}

/// Whether another code was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeAsked {
    /// It was.
    Sent,
    /// Not before this moment; nothing changed.
    Wait(Timestamp),
}

/// What a code was worth. A wrong attempt is counted in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeTried {
    /// It was right; what it was for is done.
    Right,
    /// It was not.
    Wrong,
    /// There is no code that is good: never asked for, too old, tried too often, used.
    Gone,
}

/// A code that came back for a registration.
#[derive(Debug, Clone, Copy)]
pub struct Confirmation {
    /// The registration.
    pub id: Uuid,
    /// The keyed hash of what the code is for.
    pub subject: Mac,
    /// The keyed hash of subject and code.
    pub code: Mac,
    /// The account to be.
    pub account_id: Uuid,
    /// When.
    pub now: Timestamp,
}

/// A registration to approve.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The registration.
    pub id: Uuid,
    /// The entity to be, if there is none of its NIT.
    pub entity_id: Uuid,
    /// Who approves.
    pub by: Actor,
    /// What the person is told.
    pub mail: Mail,
    /// When.
    pub now: Timestamp,
}

/// A registration to reject.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// The registration.
    pub id: Uuid,
    /// Why.
    pub reason: String,
    /// Who rejects.
    pub by: Actor,
    /// What the person is told.
    pub mail: Mail,
    /// When.
    pub now: Timestamp,
}

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It is decided now.
    Done,
    /// It was not pending; nothing changed.
    NotPending,
}

/// The password of an account.
#[derive(Debug, Clone)]
pub struct OwnPassword {
    /// The user name.
    pub username: String,
    /// The person's name.
    pub display_name: String,
    /// A PHC string.
    pub password_hash: String,
}

/// A password to set.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// Whose.
    pub account_id: Uuid,
    /// The PHC string of the password that was right.
    pub was: Redacted<String>,
    /// A PHC string.
    pub password_hash: Redacted<String>,
    /// The session that goes on.
    pub keep: Uuid,
    /// What the person is told; none when the user name is no address.
    pub mail: Option<Mail>,
    /// When.
    pub now: Timestamp,
}

/// A password to set with a code.
#[derive(Debug, Clone)]
pub struct PasswordReset {
    /// The keyed hash of what the code is for.
    pub subject: Mac,
    /// The keyed hash of subject and code.
    pub code: Mac,
    /// Stands in the place of the code once it has served: what nobody can guess, and no code has.
    pub spent: Mac,
    /// Whose, as user names are compared.
    pub username_key: String,
    /// Under which its sign-in attempts are counted.
    pub username_mac: Mac,
    /// A PHC string.
    pub password_hash: Redacted<String>,
    /// What the person is told.
    pub mail: Mail,
    /// When.
    pub now: Timestamp,
}
