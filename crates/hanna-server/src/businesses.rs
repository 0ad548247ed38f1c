//! What the caja does about businesses, in the console and at the terminal: checked here, done by the store.

use hanna_domain::{colombia, nit};
use hanna_wire::admin::business::{
    AdminAgreement, AdminBranch, AdminEntities, AdminEntityDetail, AdminUsage, ChangeAgreement, ChangeBranch,
    CreateAgreement, CreateBranch, CreateEntity,
};
use hanna_wire::limits::{AGREEMENT_BRANCHES_MAX, HISTORY_DAYS_MAX, NAME_MAX};
use hanna_wire::me::Entity;
use hanna_wire::problem::ErrorCode;
use jiff::civil::Date;
use uuid::Uuid;

use crate::app::App;
use crate::branch_code;
use crate::extract::text;
use crate::fault::Fault;
use crate::folded::fold;
use crate::store::{Act, EntityFilter, NewBranch, Put};

type Done<T> = Result<T, Fault>;

impl App {
    /// A new id.
    pub(crate) fn new_id(&self) -> Uuid {
        self.entropy().id(self.clock().now())
    }

    /// Who does something, now. `by`: the account; none: whoever runs this process.
    pub(crate) fn act(&self, by: Option<Uuid>) -> Act {
        Act { by: self.who(by), now: self.clock().now() }
    }

    /// Today in Colombia.
    pub(crate) fn today(&self) -> Date {
        colombia::day_of(self.clock().now())
    }

    /// Some entities, by NIT: those that have `search` in their name or NIT, after the entity `after`.
    pub(crate) async fn entities(
        &self,
        search: Option<&str>,
        after: Option<Uuid>,
        limit: u32,
    ) -> Done<AdminEntities> {
        let search = search.map(fold).filter(|search| !search.is_empty());
        // One more than the page tells whether there is a next one.
        let filter = EntityFilter { search, after, limit: limit.saturating_add(1), today: self.today() };
        let mut items = self.store().entities(filter).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|entity| entity.id.to_string());
        Ok(AdminEntities { items, next })
    }

    /// An entity with its branches and agreements.
    pub(crate) async fn entity(&self, id: Uuid) -> Done<AdminEntityDetail> {
        let entity = self.store().entity(id, self.today()).await?;
        entity.ok_or_else(|| unknown("entity"))
    }

    /// Adds an entity.
    pub(crate) async fn create_entity(&self, new: CreateEntity, by: Option<Uuid>) -> Done<AdminEntityDetail> {
        text("name", &new.name, NAME_MAX)?;
        let nit = nit::whole(&new.nit).ok().flatten();
        let nit = nit.ok_or_else(|| Fault::with(ErrorCode::Invalid, "nit is none with its check digit"))?;
        let id = new.id;
        let entity = Entity { id, nit, name: new.name };
        put(self.store().add_entity(entity, self.act(by)).await?, "entity", ErrorCode::NitTaken)?;
        self.entity(id).await
    }

    /// Calls an entity otherwise.
    pub(crate) async fn rename_entity(
        &self,
        id: Uuid,
        name: Option<String>,
        by: Option<Uuid>,
    ) -> Done<AdminEntityDetail> {
        if let Some(name) = name {
            text("name", &name, NAME_MAX)?;
            put(self.store().rename_entity(id, name, self.act(by)).await?, "entity", ErrorCode::NitTaken)?;
        }
        self.entity(id).await
    }

    /// Adds a branch to an entity.
    pub(crate) async fn create_branch(
        &self,
        entity_id: Uuid,
        new: CreateBranch,
        by: Option<Uuid>,
    ) -> Done<AdminBranch> {
        let CreateBranch { id, code, name, city } = new;
        text("name", &name, NAME_MAX)?;
        text("city", &city, NAME_MAX)?;
        if code.as_deref().is_some_and(|code| !branch_code::is_one(code)) {
            return Err(Fault::with(ErrorCode::Invalid, "code is not one as GYM-01"));
        }
        let added =
            self.store().add_branch(NewBranch { id, entity_id, code, name, city }, self.act(by)).await?;
        put(added, "entity", ErrorCode::BranchCodeTaken)
    }

    /// Changes, closes or opens a branch.
    pub(crate) async fn change_branch(
        &self,
        id: Uuid,
        change: ChangeBranch,
        by: Option<Uuid>,
    ) -> Done<AdminBranch> {
        for (field, value) in [("name", &change.name), ("city", &change.city)] {
            value.as_deref().map_or(Ok(()), |value| text(field, value, NAME_MAX))?;
        }
        let changed = self.store().change_branch(id, change, self.act(by)).await?;
        put(changed, "branch", ErrorCode::BranchCodeTaken)
    }

    /// Adds an agreement with an entity.
    pub(crate) async fn create_agreement(
        &self,
        entity_id: Uuid,
        new: CreateAgreement,
        by: Option<Uuid>,
    ) -> Done<AdminAgreement> {
        let CreateAgreement { id, terms, branches } = new;
        let agreement = checked(AdminAgreement { id, terms, branches })?;
        let added = self.store().add_agreement(entity_id, agreement.clone(), self.act(by)).await?;
        put(added, "entity", ErrorCode::IdConflict)?;
        Ok(agreement)
    }

    /// Puts other terms and branches in the place of those of an agreement.
    pub(crate) async fn change_agreement(
        &self,
        id: Uuid,
        change: ChangeAgreement,
        by: Option<Uuid>,
    ) -> Done<AdminAgreement> {
        let ChangeAgreement { terms, branches } = change;
        let agreement = checked(AdminAgreement { id, terms, branches })?;
        let changed = self.store().change_agreement(agreement.clone(), self.act(by)).await?;
        put(changed, "agreement", ErrorCode::IdConflict)?;
        Ok(agreement)
    }

    /// What happened from one Colombian day to another, by entity and branch.
    pub(crate) async fn usage_by_entity(&self, from: Date, to: Date) -> Done<AdminUsage> {
        let days = to.duration_since(from).as_hours() / 24 + 1;
        if !(1..=HISTORY_DAYS_MAX).contains(&days) {
            let detail = format!("to is before from, or they are more than {HISTORY_DAYS_MAX} days");
            return Err(Fault::with(ErrorCode::Invalid, detail));
        }
        Ok(AdminUsage { from, to, items: self.store().usage_by_entity(from, to).await? })
    }
}

fn checked(agreement: AdminAgreement) -> Done<AdminAgreement> {
    agreement.terms.check().map_err(|fault| Fault::with(ErrorCode::Invalid, format!("terms: {fault}")))?;
    let branches = &agreement.branches;
    let mut sorted = branches.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != branches.len() || !(1..=AGREEMENT_BRANCHES_MAX).contains(&branches.len()) {
        let detail = format!("branches are not 1 to {AGREEMENT_BRANCHES_MAX}, each once");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    Ok(agreement)
}

fn unknown(what: &str) -> Fault {
    Fault::with(ErrorCode::NotFound, format!("there is no such {what}"))
}

/// What was put, or why it was not.
fn put<T>(put: Put<T>, what: &str, taken: ErrorCode) -> Done<T> {
    match put {
        Put::Done(done) => Ok(done),
        Put::Unknown => Err(unknown(what)),
        Put::IdConflict => Err(Fault::new(ErrorCode::IdConflict)),
        Put::Taken => Err(Fault::new(taken)),
        Put::BranchElsewhere => Err(Fault::with(ErrorCode::Invalid, "not all branches are of the entity")),
    }
}
