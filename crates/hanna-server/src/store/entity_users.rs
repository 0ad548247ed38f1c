//! The people of an entity, as its administrators see them.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::entity_users::{EntityUser, SetState, UserState};
use hanna_wire::me::Role;
use jiff::Timestamp;
use uuid::Uuid;

use super::{AccountState, Mail, Result};
use crate::audit::Actor;
use crate::folded::fold;

/// What is asked and done about the people of an entity. Mails are put into the queue in the same transaction as what they
/// tell.
#[async_trait]
pub trait EntityUsers {
    /// One page of the people of an entity, by user name.
    async fn entity_users(&self, filter: UserFilter) -> Result<Vec<EntityUser>>;

    /// Somebody of an entity; none when they are not of it.
    async fn entity_user(&self, entity_id: Uuid, id: Uuid) -> Result<Option<EntityUser>>;

    /// Makes an account for somebody, who can use it once they have set a password with a mailed code. The same again
    /// changes nothing and mails nothing.
    async fn invite(&self, invitation: Invitation) -> Result<Invited>;

    /// Mails an invitation again that was not accepted yet.
    async fn invite_again(&self, again: Reinvitation) -> Result<InvitedAgain>;

    /// Changes somebody of the entity. Suspending ends their sessions. An entity that has an active administrator keeps one.
    async fn change_user(&self, change: UserChange) -> Result<UserChanged>;

    /// Puts a password nobody knows in the place of theirs, and ends their sessions. `false` when they are not of the entity.
    async fn reset_user(&self, reset: UserReset) -> Result<bool>;
}

/// Whom to list.
#[derive(Debug, Clone)]
pub struct UserFilter {
    /// The entity.
    pub entity_id: Uuid,
    /// Only those whose name or user name has this in it, folded ([`crate::folded`]).
    pub search: Option<String>,
    /// Only user names after this one, as they are compared.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl UserFilter {
    /// Whether somebody is one of those who are searched for.
    pub fn finds(&self, user: &EntityUser) -> bool {
        let has = |text: &Redacted<String>, search: &str| fold(text.expose()).contains(search);
        self.search
            .as_deref()
            .is_none_or(|search| has(&user.display_name, search) || has(&user.username, search))
    }
}

/// Somebody to invite.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The account to be, made by the desk.
    pub id: Uuid,
    /// SHA-256 of what was asked for, in hexadecimal digits.
    pub content_sha256: String,
    /// Of which entity.
    pub entity_id: Uuid,
    /// The user name to be.
    pub email: Redacted<String>,
    /// Their name.
    pub display_name: Redacted<String>,
    /// A PHC string of a password nobody knows.
    pub password_hash: Redacted<String>,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where they work.
    pub branches: Vec<Uuid>,
    /// What they are told.
    pub mail: Mail,
    /// Who invites.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// How inviting somebody ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invited {
    /// The account is there.
    Done,
    /// It was there already; nothing changed.
    Again,
    /// The id belongs to another one; nothing changed.
    IdConflict,
    /// An account has the user name; nothing changed.
    UsernameTaken,
    /// One of the branches is not of the entity; nothing changed.
    BranchNotAllowed,
}

/// An invitation to mail again.
#[derive(Debug, Clone)]
pub struct Reinvitation {
    /// Whose.
    pub id: Uuid,
    /// Of which entity.
    pub entity_id: Uuid,
    /// What they are told.
    pub mail: Mail,
    /// Who asks for it.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// How mailing an invitation again ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitedAgain {
    /// It is mailed.
    Done,
    /// They are not of the entity.
    Unknown,
    /// They were not invited, or have accepted; nothing changed.
    NotPending,
}

/// What of an account is to change; none stays as it is.
#[derive(Debug, Clone)]
pub struct UserChange {
    /// Whose.
    pub id: Uuid,
    /// Of which entity.
    pub entity_id: Uuid,
    /// Their name.
    pub display_name: Option<Redacted<String>>,
    /// What they may do.
    pub roles: Option<Vec<Role>>,
    /// Where they work.
    pub branches: Option<Vec<Uuid>>,
    /// Whether the account may be used.
    pub state: Option<SetState>,
    /// Who changes it.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// How changing somebody ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserChanged {
    /// They are changed.
    Done,
    /// They are not of the entity.
    Unknown,
    /// One of the branches is not of the entity; nothing changed.
    BranchNotAllowed,
    /// They would suspend themselves, or the entity would be left without an active administrator; nothing changed.
    LastAdministrator,
    /// The caja suspended them, and only the caja can undo it; nothing changed.
    SuspendedByCaja,
}

/// A password to take away.
#[derive(Debug, Clone)]
pub struct UserReset {
    /// Whose.
    pub id: Uuid,
    /// Of which entity.
    pub entity_id: Uuid,
    /// A PHC string of a password nobody knows.
    pub password_hash: Redacted<String>,
    /// What they are told; none when their user name is no address.
    pub mail: Option<Mail>,
    /// Who resets it.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

impl UserChange {
    /// Whether somebody changes their own account.
    pub fn is_of_oneself(&self) -> bool {
        self.by.account_id() == Some(self.id)
    }

    /// Whether it would undo what the caja did.
    pub fn undoes_the_caja(&self, before: &EntityUser) -> bool {
        before.state == UserState::SuspendedByCaja && self.state == Some(SetState::Active)
    }

    /// Whether `before` is an active administrator, and would be none any more.
    pub fn takes_administrator(&self, before: &EntityUser) -> bool {
        let is_one = before.state == UserState::Active && before.roles.contains(&Role::EntityAdmin);
        let loses_role = self.roles.as_ref().is_some_and(|roles| !roles.contains(&Role::EntityAdmin));
        is_one && (loses_role || self.state == Some(SetState::Suspended))
    }
}

impl AccountState {
    /// As an administrator of the entity sees it. Those who wait for the caja's approval are of no entity yet.
    pub const fn of_user(self, is_invited: bool, by_caja: bool) -> UserState {
        match self {
            Self::Suspended if by_caja => UserState::SuspendedByCaja,
            Self::Active if is_invited => UserState::Invited,
            Self::Active => UserState::Active,
            Self::Pending | Self::Suspended => UserState::Suspended,
        }
    }
}

impl From<SetState> for AccountState {
    fn from(state: SetState) -> Self {
        match state {
            SetState::Active => Self::Active,
            SetState::Suspended => Self::Suspended,
        }
    }
}
