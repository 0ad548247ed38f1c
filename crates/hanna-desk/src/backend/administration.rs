//! The calls of an entity's administrators.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hanna_wire::application::{
    ApplicationRequest, ApplicationRequests, Attachment, CorrectApplication, MediaType, SubmitApplication,
};
use hanna_wire::entity_users::{ChangeUser, EntityBranches, EntityUser, EntityUsers, InviteUser, UserQuery};
use uuid::Uuid;

use super::{AccessToken, Answered, Failure};

/// A file to bring to the server.
#[derive(Clone)]
pub struct Upload {
    /// Made by the desk. The same file again is the same attachment.
    pub id: Uuid,
    /// As the person called it, without a path.
    pub file_name: String,
    /// What it is.
    pub media_type: MediaType,
    /// What is in it.
    pub bytes: Bytes,
    /// Told how many bytes are on their way, each time that grows.
    pub tell: Arc<dyn Fn(u64) + Send + Sync>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("id", &self.id)
            .field("size_bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The calls for application requests and for the people of an entity.
#[async_trait]
pub trait Administration {
    /// `PUT /v1/attachments/{id}`
    async fn attach(&self, token: &AccessToken, upload: Upload) -> Result<Answered<Attachment>, Failure>;
    /// `GET /v1/application-requests`: the newest page.
    async fn application_requests(
        &self,
        token: &AccessToken,
    ) -> Result<Answered<ApplicationRequests>, Failure>;
    /// `POST /v1/application-requests`
    async fn submit_application(
        &self,
        token: &AccessToken,
        request: &SubmitApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure>;
    /// `PUT /v1/application-requests/{id}`
    async fn correct_application(
        &self,
        token: &AccessToken,
        id: Uuid,
        request: &CorrectApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure>;
    /// `GET /v1/entity/users`
    async fn entity_users(
        &self,
        token: &AccessToken,
        query: &UserQuery,
    ) -> Result<Answered<EntityUsers>, Failure>;
    /// `GET /v1/entity/branches`
    async fn entity_branches(&self, token: &AccessToken) -> Result<Answered<EntityBranches>, Failure>;
    /// `POST /v1/entity/users`
    async fn invite_user(
        &self,
        token: &AccessToken,
        request: &InviteUser,
    ) -> Result<Answered<EntityUser>, Failure>;
    /// `PATCH /v1/entity/users/{id}`
    async fn change_user(
        &self,
        token: &AccessToken,
        id: Uuid,
        change: &ChangeUser,
    ) -> Result<Answered<EntityUser>, Failure>;
    /// `POST /v1/entity/users/{id}/reset`
    async fn reset_user(&self, token: &AccessToken, id: Uuid) -> Result<Answered<()>, Failure>;
    /// `POST /v1/entity/users/{id}/invitation`
    async fn invite_again(&self, token: &AccessToken, id: Uuid) -> Result<Answered<()>, Failure>;
}
