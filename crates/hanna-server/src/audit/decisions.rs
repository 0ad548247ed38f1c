//! The acts of what the caja and the administrators of entities decide, put together once for both stores. They say ids,
//! words and numbers, and of names only that they were changed.

use hanna_domain::Redacted;
use hanna_wire::admin::business::{AdminAgreement, AdminBranch, ImportCounts, ImportState};
use hanna_wire::admin::people::{AdminUser, AdminUserChange, AdminUserStanding, AdminUserState};
use hanna_wire::entity_users::{EntityUser, SetState, UserState};
use hanna_wire::me::{Branch, Role};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Act, Actor, NewAct};
use crate::store::{
    self, Invitation, Judgement, NewImport, NewUser, PasswordTaken, Reinvitation, Ruling, UserChange,
    UserReset,
};

impl NewAct {
    fn decided(act: Act, who: &store::Act) -> Self {
        Self::new(act, who.now).by(&who.by)
    }

    /// An entity was added.
    pub fn entity_added(id: Uuid, who: &store::Act) -> Self {
        Self::decided(Act::EntityAdded, who).about(id)
    }

    /// An entity is called otherwise.
    pub fn entity_renamed(id: Uuid, who: &store::Act) -> Self {
        Self::decided(Act::EntityChanged, who).about(id).saying(json!({ "name": true }))
    }

    /// A branch was added to an entity.
    pub fn branch_added(branch: &Branch, entity_id: Uuid, who: &store::Act) -> Self {
        let said = json!({ "entity": entity_id, "code": branch.code });
        Self::decided(Act::BranchAdded, who).about(branch.id).saying(said)
    }

    /// A branch was changed, closed or opened; none when it is as before.
    pub fn branch_changed(before: &AdminBranch, after: &AdminBranch, who: &store::Act) -> Option<Self> {
        let is_closed = after.closed_at.is_some();
        let said = changes([
            ("name", (before.name != after.name).then_some(Value::Bool(true))),
            ("city", (before.city != after.city).then_some(Value::Bool(true))),
            ("closed", (before.closed_at.is_some() != is_closed).then_some(Value::Bool(is_closed))),
        ])?;
        Some(Self::decided(Act::BranchChanged, who).about(after.id).saying(said))
    }

    /// An agreement with an entity was added.
    pub fn agreement_added(agreement: &AdminAgreement, entity_id: Uuid, who: &store::Act) -> Self {
        Self::agreement(Act::AgreementAdded, agreement, entity_id, who)
    }

    /// Other terms and branches stand in the place of those of an agreement; none when they are the same.
    pub fn agreement_changed(
        before: &AdminAgreement,
        after: &AdminAgreement,
        entity_id: Uuid,
        who: &store::Act,
    ) -> Option<Self> {
        let is_same = before.terms == after.terms && are_same(&before.branches, &after.branches);
        (!is_same).then(|| Self::agreement(Act::AgreementChanged, after, entity_id, who))
    }

    fn agreement(act: Act, agreement: &AdminAgreement, entity_id: Uuid, who: &store::Act) -> Self {
        let AdminAgreement { id, terms, branches } = agreement;
        let said = json!({ "entity": entity_id, "terms": unnamed(json!(terms)), "branches": branches });
        Self::decided(act, who).about(*id).saying(said)
    }

    /// An account was made, of an entity or of the caja.
    pub fn account_made(new: &NewUser, who: &store::Act) -> Self {
        let said = json!({ "entity": new.entity_id, "roles": new.roles, "branches": new.branches });
        Self::decided(Act::AccountMade, who).about(new.id).saying(said)
    }

    /// The caja changed an account; none when it is as before.
    pub fn account_changed(before: &AdminUser, change: &AdminUserChange, who: &store::Act) -> Option<Self> {
        let branches: Vec<Uuid> = before.branches.iter().map(|branch| branch.id).collect();
        // Whom their entity suspended the caja may suspend as well. Active, or invited, which is told apart by the password.
        let is_so = |wanted: &AdminUserStanding| match wanted {
            AdminUserStanding::Suspended => before.state == AdminUserState::SuspendedByCaja,
            AdminUserStanding::Active => {
                !matches!(before.state, AdminUserState::Suspended | AdminUserState::SuspendedByCaja)
            }
        };
        let said = changes([
            ("name", renamed(&before.display_name, change.display_name.as_ref())),
            ("state", change.state.filter(|wanted| !is_so(wanted)).map(|state| json!(state.code()))),
            ("roles", other_roles(&before.roles, change.roles.as_deref())),
            ("branches", other_branches(&branches, change.branches.as_deref())),
        ])?;
        Some(Self::decided(Act::AccountChanged, who).about(before.id).saying(said))
    }

    /// A password was taken away.
    pub fn password_taken(taken: &PasswordTaken) -> Self {
        Self::decided(Act::PasswordTaken, &taken.act).about(taken.account_id)
    }

    /// An administrator invited somebody.
    pub fn invited(new: &Invitation) -> Self {
        let said = json!({ "entity": new.entity_id, "roles": new.roles, "branches": new.branches });
        Self::new(Act::AccountMade, new.now).by(&new.by).about(new.id).saying(said)
    }

    /// An invitation was mailed again.
    pub fn invited_again(again: &Reinvitation) -> Self {
        Self::new(Act::InvitationMailed, again.now).by(&again.by).about(again.id)
    }

    /// An administrator changed somebody; none when they are as before.
    pub fn user_changed(before: &EntityUser, change: &UserChange) -> Option<Self> {
        let is_suspended = matches!(before.state, UserState::Suspended | UserState::SuspendedByCaja);
        let is_so = |wanted: &SetState| (*wanted == SetState::Suspended) == is_suspended;
        let said = changes([
            ("name", renamed(&before.display_name, change.display_name.as_ref())),
            ("state", change.state.filter(|wanted| !is_so(wanted)).map(|state| json!(state.code()))),
            ("roles", other_roles(&before.roles, change.roles.as_deref())),
            ("branches", other_branches(&before.branches, change.branches.as_deref())),
        ])?;
        Some(Self::new(Act::AccountChanged, change.now).by(&change.by).about(before.id).saying(said))
    }

    /// An administrator took somebody's password away.
    pub fn user_reset(reset: &UserReset) -> Self {
        Self::new(Act::PasswordTaken, reset.now).by(&reset.by).about(reset.id)
    }

    /// A second factor is in force.
    pub fn second_factor_set_up(account_id: Uuid, now: Timestamp) -> Self {
        Self::new(Act::SecondFactorSetUp, now).by(&Actor::Account(account_id)).about(account_id)
    }

    /// A second factor was taken away.
    pub fn second_factor_reset(account_id: Uuid, who: &store::Act) -> Self {
        Self::decided(Act::SecondFactorReset, who).about(account_id)
    }

    /// An entity asked for an application, or asked again after a rejection.
    pub fn application_submitted(id: Uuid, entity_id: Uuid, revision: u32, by: Uuid, now: Timestamp) -> Self {
        let said = json!({ "entity": entity_id, "revision": revision });
        Self::new(Act::ApplicationSubmitted, now).by(&Actor::Account(by)).about(id).saying(said)
    }

    /// The caja reviews, approved or rejected a request. The reason stands with the request.
    pub fn application_ruled(ruling: &Ruling, entity_id: Uuid) -> Self {
        let mut said = json!({ "entity": entity_id, "revision": ruling.revision });
        let act = match &ruling.judgement {
            Judgement::Review => Act::ApplicationInReview,
            Judgement::Reject(_) => Act::ApplicationRejected,
            Judgement::Approve { agreement_id, terms, branches } => {
                said["agreement"] = json!(agreement_id);
                said["terms"] = unnamed(json!(terms));
                said["branches"] = branches.iter().map(|branch| json!(branch.id)).collect();
                Act::ApplicationApproved
            }
        };
        Self::new(act, ruling.now).by(&ruling.by).about(ruling.id).saying(said)
    }

    /// An import of affiliates was begun.
    pub fn import_begun(new: &NewImport) -> Self {
        let said = json!({ "mode": new.mode, "dry_run": new.dry_run });
        Self::decided(Act::ImportBegun, &new.act).about(new.id).saying(said)
    }

    /// Somebody asked an import to stop.
    pub fn import_stopped(id: Uuid, who: &store::Act) -> Self {
        Self::decided(Act::ImportStopped, who).about(id)
    }

    /// An import ended, with what changed; one whose file never came whole in no state at all.
    pub fn import_ended(
        id: Uuid,
        state: Option<ImportState>,
        counts: Option<ImportCounts>,
        now: Timestamp,
    ) -> Self {
        let mut said = json!({ "state": state });
        if let Some(ImportCounts { added, updated, removed }) = counts {
            said["counts"] = json!({ "added": added, "updated": updated, "removed": removed });
        }
        Self::new(Act::ImportEnded, now).by(&Actor::Server).about(id).saying(said)
    }
}

/// What was changed, by name; none when nothing was.
fn changes<const N: usize>(changes: [(&str, Option<Value>); N]) -> Option<Value> {
    let said: serde_json::Map<_, _> =
        changes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (!said.is_empty()).then_some(Value::Object(said))
}

/// Terms without what somebody typed.
fn unnamed(mut terms: Value) -> Value {
    if let Some(terms) = terms.as_object_mut() {
        terms.remove("name");
    }
    terms
}

fn renamed(before: &Redacted<String>, wanted: Option<&Redacted<String>>) -> Option<Value> {
    wanted.is_some_and(|name| name != before).then_some(Value::Bool(true))
}

fn other_roles(before: &[Role], wanted: Option<&[Role]>) -> Option<Value> {
    wanted.filter(|roles| !are_same(before, roles)).map(|roles| json!(roles))
}

fn other_branches(before: &[Uuid], wanted: Option<&[Uuid]>) -> Option<Value> {
    wanted.filter(|branches| !are_same(before, branches)).map(|branches| json!(branches))
}

/// Whether both have the same in them, in whatever order.
fn are_same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.iter().all(|value| other.contains(value)) && other.iter().all(|value| one.contains(value))
}
