//! What there is an act for, who acts, and what each act says.

use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Purge;
use crate::keys::SigningKey;
use crate::secrets::Mac;
use crate::store::{Approval, Confirmation, ImportCounts, Installation, Opening, Rejection};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A lookup was answered by the server; refers to the statement and its lookup.
    Lookup,
    /// An item of an outbox was judged: a use, a void, a lookup that a copy answered; refers to the item and its effect.
    Item,
    /// A session was opened; refers to it.
    SignIn,
    /// A password or an account was not good, or its PC was revoked; also the password of until now, of who wanted to change
    /// it.
    SignInFailed,
    /// A session ended: signed out, or its token came twice.
    SessionEnded,
    /// A key that signs was made; refers to it.
    KeyMade,
    /// The caja trusts a PC no more.
    DeviceRevoked,
    /// The caja trusts a PC again.
    DeviceTrusted,
    /// Another epoch began.
    EpochBegun,
    /// Affiliates were taken in.
    AffiliatesImported,
    /// Somebody asked for an account; about the registration.
    Registered,
    /// The code of its mail came back; about the registration, whose account is there from then on.
    RegistrationConfirmed,
    /// The caja approved it; about the registration.
    RegistrationApproved,
    /// The caja rejected it; about the registration, which keeps the reason.
    RegistrationRejected,
    /// Somebody changed the own password; about the account.
    PasswordChanged,
    /// A password was set with the code of a mail; about the account.
    PasswordReset,
    /// A file that a PC exported is about to be taken in; each of its items is an act of its own.
    OutboxImported,
    /// A business was added; about it.
    EntityAdded,
    /// A business is called otherwise; about it.
    EntityChanged,
    /// A branch was added; about it.
    BranchAdded,
    /// A branch was changed, closed or opened; about it.
    BranchChanged,
    /// An agreement was added; about it, with its terms.
    AgreementAdded,
    /// Other terms or branches hold; about the agreement, with its terms.
    AgreementChanged,
    /// An entity asked for an application, also again after a rejection; about the request.
    ApplicationSubmitted,
    /// The caja began to look at it; about the request.
    ApplicationInReview,
    /// The caja approved it; about the request, with the agreement and the branches that were made.
    ApplicationApproved,
    /// The caja rejected it; about the request, which keeps the reason.
    ApplicationRejected,
    /// Somebody was invited, or an account of the caja was made; about the account.
    AccountMade,
    /// An invitation was mailed again; about the account.
    InvitationMailed,
    /// An account was changed, suspended or let be used again; about it.
    AccountChanged,
    /// A password was taken away; about the account.
    PasswordTaken,
    /// A second factor is in force; about the account.
    SecondFactorSetUp,
    /// A second factor was taken away; about the account.
    SecondFactorReset,
    /// An import that is followed was begun; about it.
    ImportBegun,
    /// Somebody asked it to stop; about it.
    ImportStopped,
    /// It ended; about it, with its last state: none when its file never came whole.
    ImportEnded,
    /// An empty database was filled with businesses, accounts and people.
    Installed,
    /// Somebody asked who had looked a person up.
    PersonSearched,
    /// Somebody was given everything there is about a person.
    PersonExported,
    /// What was older than records are kept is gone; says what, and up to which block.
    Purged,
}

impl Act {
    /// All there are.
    pub(super) const ALL: [Self; 40] = [
        Self::Lookup,
        Self::Item,
        Self::SignIn,
        Self::SignInFailed,
        Self::SessionEnded,
        Self::KeyMade,
        Self::DeviceRevoked,
        Self::DeviceTrusted,
        Self::EpochBegun,
        Self::AffiliatesImported,
        Self::Registered,
        Self::RegistrationConfirmed,
        Self::RegistrationApproved,
        Self::RegistrationRejected,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::OutboxImported,
        Self::EntityAdded,
        Self::EntityChanged,
        Self::BranchAdded,
        Self::BranchChanged,
        Self::AgreementAdded,
        Self::AgreementChanged,
        Self::ApplicationSubmitted,
        Self::ApplicationInReview,
        Self::ApplicationApproved,
        Self::ApplicationRejected,
        Self::AccountMade,
        Self::InvitationMailed,
        Self::AccountChanged,
        Self::PasswordTaken,
        Self::SecondFactorSetUp,
        Self::SecondFactorReset,
        Self::ImportBegun,
        Self::ImportStopped,
        Self::ImportEnded,
        Self::Installed,
        Self::PersonSearched,
        Self::PersonExported,
        Self::Purged,
    ];

    /// The word in SQL.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lookup => "LOOKUP",
            Self::Item => "ITEM",
            Self::SignIn => "SIGN_IN",
            Self::SignInFailed => "SIGN_IN_FAILED",
            Self::SessionEnded => "SESSION_ENDED",
            Self::KeyMade => "KEY_MADE",
            Self::DeviceRevoked => "DEVICE_REVOKED",
            Self::DeviceTrusted => "DEVICE_TRUSTED",
            Self::EpochBegun => "EPOCH_BEGUN",
            Self::AffiliatesImported => "AFFILIATES_IMPORTED",
            Self::Registered => "REGISTERED",
            Self::RegistrationConfirmed => "REGISTRATION_CONFIRMED",
            Self::RegistrationApproved => "REGISTRATION_APPROVED",
            Self::RegistrationRejected => "REGISTRATION_REJECTED",
            Self::PasswordChanged => "PASSWORD_CHANGED",
            Self::PasswordReset => "PASSWORD_RESET",
            Self::OutboxImported => "OUTBOX_IMPORTED",
            Self::EntityAdded => "ENTITY_ADDED",
            Self::EntityChanged => "ENTITY_CHANGED",
            Self::BranchAdded => "BRANCH_ADDED",
            Self::BranchChanged => "BRANCH_CHANGED",
            Self::AgreementAdded => "AGREEMENT_ADDED",
            Self::AgreementChanged => "AGREEMENT_CHANGED",
            Self::ApplicationSubmitted => "APPLICATION_SUBMITTED",
            Self::ApplicationInReview => "APPLICATION_IN_REVIEW",
            Self::ApplicationApproved => "APPLICATION_APPROVED",
            Self::ApplicationRejected => "APPLICATION_REJECTED",
            Self::AccountMade => "ACCOUNT_MADE",
            Self::InvitationMailed => "INVITATION_MAILED",
            Self::AccountChanged => "ACCOUNT_CHANGED",
            Self::PasswordTaken => "PASSWORD_TAKEN",
            Self::SecondFactorSetUp => "SECOND_FACTOR_SET_UP",
            Self::SecondFactorReset => "SECOND_FACTOR_RESET",
            Self::ImportBegun => "IMPORT_BEGUN",
            Self::ImportStopped => "IMPORT_STOPPED",
            Self::ImportEnded => "IMPORT_ENDED",
            Self::Installed => "INSTALLED",
            Self::PersonSearched => "PERSON_SEARCHED",
            Self::PersonExported => "PERSON_EXPORTED",
            Self::Purged => "PURGED",
        }
    }

    /// The act with this word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.code() == code)
    }

    /// Whether it refers to rows of other tables, which are sealed with it.
    pub const fn has_record(self) -> bool {
        matches!(self, Self::Lookup | Self::Item | Self::SignIn | Self::KeyMade)
    }
}

/// Who acts, where no session says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The server by itself.
    Server,
    /// Somebody at the server's terminal, by the name that the system gave.
    Terminal(String),
    /// Somebody signed in.
    Account(Uuid),
}

impl Actor {
    /// The account, if it is one.
    pub const fn account_id(&self) -> Option<Uuid> {
        match self {
            Self::Account(id) => Some(*id),
            Self::Server | Self::Terminal(_) => None,
        }
    }
}

/// An act to append, in the transaction of what was done and only if it was done: `audit::append(tx, &act)` in `store/sqlite`,
/// `audit::append(tx, &act).await` in `store/postgres`. Lookups and items have their own, shorter ways there. To make one:
///
/// ```text
/// NewAct::new(Act::DeviceRevoked, now)      // what, when
///     .by(&actor)                           // who; left out when nobody knows
///     .about(id)                            // the record, the account, the entity …
///     .saying(json!({ "why": "LOST" }))     // what stands nowhere else: ids, words and numbers
/// ```
///
/// A new kind of act is a word in [`Act`]. What is said of it in both stores is put together once, here.
#[derive(Debug, Clone)]
pub struct NewAct {
    /// What was done.
    pub act: Act,
    /// When.
    pub at: Timestamp,
    /// Who did it; none where the record says it, or nobody knows.
    pub by: Option<Actor>,
    /// What it is about.
    pub record_id: Option<Uuid>,
    /// At which PC.
    pub device_id: Option<Uuid>,
    /// Whose data.
    pub document: Option<Mac>,
    /// An object with what stands nowhere else; null for nothing. Never a name, a document or what somebody typed.
    pub said: Value,
}

impl NewAct {
    /// An act of which nothing more is known.
    pub const fn new(act: Act, at: Timestamp) -> Self {
        Self { act, at, by: None, record_id: None, device_id: None, document: None, said: Value::Null }
    }

    /// The same, by somebody.
    pub fn by(self, actor: &Actor) -> Self {
        Self { by: Some(actor.clone()), ..self }
    }

    /// The same, about something that has an id.
    pub fn about(self, record_id: Uuid) -> Self {
        Self { record_id: Some(record_id), ..self }
    }

    /// The same, at a PC.
    pub fn at_device(self, device_id: Uuid) -> Self {
        Self { device_id: Some(device_id), ..self }
    }

    /// The same, with more to say.
    pub fn saying(self, said: Value) -> Self {
        Self { said, ..self }
    }

    /// A session was not opened: its PC is revoked.
    pub fn turned_away(opening: &Opening) -> Self {
        Self::new(Act::SignInFailed, opening.now)
            .by(&Actor::Account(opening.account_id))
            .at_device(opening.device_id)
            .saying(json!({ "code": ErrorCode::DeviceRevoked }))
    }

    /// A session ended.
    pub fn session_ended(session_id: Uuid, why: &str, now: Timestamp) -> Self {
        Self::new(Act::SessionEnded, now).about(session_id).saying(json!({ "why": why }))
    }

    /// A key was made, or brought along.
    pub fn key_made(key: &SigningKey, now: Timestamp) -> Self {
        Self::new(Act::KeyMade, now).saying(json!({ "kid": key.kid }))
    }

    /// Affiliates were taken in, by the import with this number and from so many lines.
    pub fn imported(import: i64, lines: i64, counts: ImportCounts, now: Timestamp) -> Self {
        let ImportCounts { added, updated, removed } = counts;
        Self::new(Act::AffiliatesImported, now).saying(json!({
            "import": import, "lines": lines, "added": added, "updated": updated, "removed": removed,
        }))
    }

    /// An empty database was filled.
    pub fn installed(installation: &Installation, now: Timestamp) -> Self {
        Self::new(Act::Installed, now).saying(json!({
            "mark": installation.mark,
            "entities": installation.entities.iter().map(|new| new.entity.id).collect::<Vec<_>>(),
            "accounts": installation.accounts.iter().map(|new| new.operator.id).collect::<Vec<_>>(),
        }))
    }

    /// A registration was confirmed.
    pub fn confirmed(confirmation: &Confirmation) -> Self {
        Self::new(Act::RegistrationConfirmed, confirmation.now)
            .about(confirmation.id)
            .saying(json!({ "account": confirmation.account_id }))
    }

    /// A registration was approved: its account may be used, for this entity.
    pub fn approved(approval: &Approval, account_id: Uuid, entity_id: Uuid) -> Self {
        Self::new(Act::RegistrationApproved, approval.now)
            .by(&approval.by)
            .about(approval.id)
            .saying(json!({ "account": account_id, "entity": entity_id }))
    }

    /// A registration was rejected: its account is gone.
    pub fn rejected(rejection: &Rejection, account_id: Uuid) -> Self {
        Self::new(Act::RegistrationRejected, rejection.now)
            .by(&rejection.by)
            .about(rejection.id)
            .saying(json!({ "account": account_id }))
    }

    /// Something was purged.
    pub fn purged(purge: &Purge, by: &Actor, now: Timestamp) -> Self {
        // What is made of numbers and texts is always JSON.
        Self::new(Act::Purged, now).by(by).saying(serde_json::to_value(purge).unwrap_or_default())
    }

    /// The account that did it, if an account did.
    pub fn account_id(&self) -> Option<Uuid> {
        self.by.as_ref().and_then(Actor::account_id)
    }

    /// What there is to say, as JSON, with whoever did it if no account did.
    pub fn in_words(&self) -> Option<String> {
        let by = match &self.by {
            Some(Actor::Server) => json!("server"),
            Some(Actor::Terminal(user)) => json!(format!("terminal:{user}")),
            Some(Actor::Account(_)) | None => Value::Null,
        };
        let mut said = self.said.clone();
        if !by.is_null() {
            if said.is_null() {
                said = json!({});
            }
            said["by"] = by;
        }
        (!said.is_null()).then(|| said.to_string())
    }
}
