//! Entities, their branches and agreements, as the caja keeps them.

use async_trait::async_trait;
use hanna_wire::admin::business::{
    AdminAgreement, AdminBranch, AdminEntity, AdminEntityDetail, ChangeBranch, EntityUsage,
};
use hanna_wire::me::Entity;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::Result;
use crate::audit::Actor;

/// What the caja asks and does about businesses. What it changes holds for every process from the next question on: nothing
/// of it is kept outside of the database.
#[async_trait]
pub trait Businesses {
    /// Some entities, by NIT.
    async fn entities(&self, filter: EntityFilter) -> Result<Vec<AdminEntity>>;

    /// An entity with its branches and agreements; `today` tells which of them are in force.
    async fn entity(&self, id: Uuid, today: Date) -> Result<Option<AdminEntityDetail>>;

    /// Adds an entity. The same again changes nothing.
    async fn add_entity(&self, entity: Entity, act: Act) -> Result<Put>;

    /// Calls an entity otherwise.
    async fn rename_entity(&self, id: Uuid, name: String, act: Act) -> Result<Put>;

    /// Adds a branch to an entity; without a code it gets one ([`crate::branch_code`]). The same again changes nothing.
    async fn add_branch(&self, new: NewBranch, act: Act) -> Result<Put<AdminBranch>>;

    /// Changes, closes or opens a branch. One that is closed already stays so from then on.
    async fn change_branch(&self, id: Uuid, change: ChangeBranch, act: Act) -> Result<Put<AdminBranch>>;

    /// Adds an agreement with an entity. The same again changes nothing.
    async fn add_agreement(&self, entity_id: Uuid, agreement: AdminAgreement, act: Act) -> Result<Put>;

    /// Puts other terms and branches in the place of those of an agreement.
    async fn change_agreement(&self, agreement: AdminAgreement, act: Act) -> Result<Put>;

    /// What happened on some days, the first and the last too: every entity by name, its branches by code.
    async fn usage_by_entity(&self, from: Date, to: Date) -> Result<Vec<EntityUsage>>;
}

/// Who does something, and when.
#[derive(Debug, Clone)]
pub struct Act {
    /// The account, or whoever is at the terminal of the server.
    pub by: Actor,
    /// When.
    pub now: Timestamp,
}

/// Which entities to list.
#[derive(Debug, Clone)]
pub struct EntityFilter {
    /// Only those whose name or NIT has this in it, folded ([`crate::folded`]).
    pub search: Option<String>,
    /// Only those that come after this one in the list.
    pub after: Option<Uuid>,
    /// At most so many.
    pub limit: u32,
    /// Which agreements are in force.
    pub today: Date,
}

impl EntityFilter {
    /// Whether an entity is one of those that are searched for.
    pub fn finds(&self, nit: &str, name: &str) -> bool {
        let has = |text: &str, search: &str| crate::folded::fold(text).contains(search);
        self.search.as_deref().is_none_or(|search| has(nit, search) || has(name, search))
    }
}

/// A branch to add.
#[derive(Debug, Clone)]
pub struct NewBranch {
    /// The branch.
    pub id: Uuid,
    /// Whose.
    pub entity_id: Uuid,
    /// Unique in all Hanna; none: it is made.
    pub code: Option<String>,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub city: String,
}

/// How adding or changing something ended. Only [`Self::Done`] changed anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put<T = ()> {
    /// It is so now, or was so already.
    Done(T),
    /// There is no such thing to change, or to add it to.
    Unknown,
    /// The id belongs to another one.
    IdConflict,
    /// Another one has its NIT, or its code.
    Taken,
    /// One of the branches is not the entity's.
    BranchElsewhere,
}
