//! Businesses to bring into an empty database, with everything that belongs to them.

use hanna_domain::Redacted;
use hanna_wire::admin::business::AdminAgreement;
use hanna_wire::me::{ApplicationState, Branch, Entity, Operator, Role};
use uuid::Uuid;

use super::AccountState;

/// Businesses to add at once.
#[derive(Debug, Clone)]
pub struct Installation {
    /// What marks these data: installing the same mark twice changes nothing.
    pub mark: String,
    /// The businesses.
    pub entities: Vec<NewEntity>,
    /// The accounts.
    pub accounts: Vec<NewAccount>,
}

/// A business to add.
#[derive(Debug, Clone)]
pub struct NewEntity {
    /// The business.
    pub entity: Entity,
    /// Its branches.
    pub branches: Vec<Branch>,
    /// Its agreements.
    pub agreements: Vec<AdminAgreement>,
    /// How far its application CONVENIOS is.
    pub application: ApplicationState,
}

/// An account to add.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The account.
    pub operator: Operator,
    /// The business.
    pub entity_id: Option<Uuid>,
    /// A PHC string.
    pub password_hash: Redacted<String>,
    /// Whether it may be used.
    pub state: AccountState,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Where it works.
    pub branches: Vec<Uuid>,
}

/// How an installation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// The data are there now.
    Done,
    /// The data of this mark were there already; nothing changed.
    AlreadyThere,
    /// The database holds other businesses or people: those of another mark, or real ones. Nothing changed.
    OthersThere,
    /// The people contradict each other. Nothing changed.
    Contradiction,
}
