//! Entity administration (*administración de la entidad*): the people of the own entity. For its administrators; everything
//! is asked of the server, nothing is kept here.

use hanna_domain::Redacted;
use hanna_wire::account::is_email;
use hanna_wire::entity_users::{ChangeUser, InviteUser, UserQuery};
pub use hanna_wire::entity_users::{EntityUser, EntityUsers, SetState};
pub use hanna_wire::me::{Branch, Role};
use serde::Deserialize;
use ts_rs::TS;
use uuid::Uuid;

use crate::desk::Desk;
use crate::error::{DeskError, ErrorCode};
use crate::session::Secret;

/// How many people a page has.
const PAGE: u32 = 100;

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, TS)]
pub struct InvitationForm {
    /// Their name.
    #[ts(type = "string")]
    pub display_name: Secret,
    /// Where the invitation goes.
    #[ts(type = "string")]
    pub email: Secret,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where they work.
    pub branches: Vec<Uuid>,
}

impl Desk {
    /// A page of the people of the own entity whose name or user name has `q`.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`], or why the server cannot be asked.
    pub async fn entity_users(&self, q: &str, after: Option<String>) -> Result<EntityUsers, DeskError> {
        let me = self.administrator()?;
        let q = Some(q.trim()).filter(|q| !q.is_empty()).map(str::to_owned);
        let query = UserQuery { q, after, limit: Some(PAGE) };
        let answer = self
            .authorized_as(Some(me.operator.id), |backend, token| {
                let query = query.clone();
                async move { backend.entity_users(&token, &query).await }
            })
            .await?;
        Ok(answer.value)
    }

    /// Every branch of the own entity.
    ///
    /// # Errors
    /// As [`Desk::entity_users`].
    pub async fn entity_branches(&self) -> Result<Vec<Branch>, DeskError> {
        let me = self.administrator()?;
        let answer = self
            .authorized_as(Some(me.operator.id), |backend, token| async move {
                backend.entity_branches(&token).await
            })
            .await?;
        Ok(answer.value.items)
    }

    /// Invites somebody: they are mailed how to set a password. The same form again is the same invitation.
    ///
    /// # Errors
    /// [`ErrorCode::EmailInvalid`], [`ErrorCode::UsernameTaken`], or as [`Desk::entity_users`].
    pub async fn invite_user(&self, form: &InvitationForm) -> Result<EntityUser, DeskError> {
        let me = self.administrator()?;
        let email = form.email.expose().trim();
        if !is_email(email) {
            return Err(ErrorCode::EmailInvalid.into());
        }
        let request = InviteUser {
            id: self.id_for(&self.inner.inviting, form),
            display_name: Redacted::new(form.display_name.expose().trim().to_owned()),
            email: Redacted::new(email.to_owned()),
            roles: form.roles.clone(),
            branches: form.branches.clone(),
        };
        let answer = self
            .authorized_as(Some(me.operator.id), |backend, token| {
                let request = request.clone();
                async move { backend.invite_user(&token, &request).await }
            })
            .await?;
        Ok(answer.value)
    }

    /// Sets what somebody may do, and where.
    ///
    /// # Errors
    /// [`ErrorCode::LastAdministrator`], [`ErrorCode::ItemNotFound`], or as [`Desk::entity_users`].
    pub async fn assign_user(
        &self,
        id: Uuid,
        roles: Vec<Role>,
        branches: Vec<Uuid>,
    ) -> Result<EntityUser, DeskError> {
        let (roles, branches) = (Some(roles), Some(branches));
        self.change_user(id, ChangeUser { roles, branches, ..ChangeUser::default() }).await
    }

    /// Suspends somebody: their sessions end. Or lets them in again.
    ///
    /// # Errors
    /// As [`Desk::assign_user`].
    pub async fn set_user_state(&self, id: Uuid, state: SetState) -> Result<EntityUser, DeskError> {
        self.change_user(id, ChangeUser { state: Some(state), ..ChangeUser::default() }).await
    }

    async fn change_user(&self, id: Uuid, change: ChangeUser) -> Result<EntityUser, DeskError> {
        let me = self.administrator()?;
        let answer = self
            .authorized_as(Some(me.operator.id), |backend, token| {
                let change = change.clone();
                async move { backend.change_user(&token, id, &change).await }
            })
            .await?;
        Ok(answer.value)
    }

    /// Makes somebody's password worth nothing: their sessions end, and they are mailed how to set another.
    ///
    /// # Errors
    /// [`ErrorCode::SlowDown`], [`ErrorCode::ItemNotFound`], or as [`Desk::entity_users`].
    pub async fn reset_user(&self, id: Uuid) -> Result<(), DeskError> {
        let me = self.administrator()?;
        self.authorized_as(Some(me.operator.id), |backend, token| async move {
            backend.reset_user(&token, id).await
        })
        .await?;
        Ok(())
    }

    /// Mails somebody their invitation again.
    ///
    /// # Errors
    /// As [`Desk::reset_user`]; [`ErrorCode::ItemNotFound`] when they have set a password meanwhile.
    pub async fn invite_again(&self, id: Uuid) -> Result<(), DeskError> {
        let me = self.administrator()?;
        self.authorized_as(Some(me.operator.id), |backend, token| async move {
            backend.invite_again(&token, id).await
        })
        .await?;
        Ok(())
    }
}
