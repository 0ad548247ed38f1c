//! Entity administration: the people of the own entity, and where they work. For its administrators.

use hanna_domain::{Redacted, words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::me::{Branch, Role};

words! {
    /// Whether somebody can use their account.
    #[derive(ToSchema)]
    UserState {
        /// Invited, and has no password yet.
        Invited = "INVITED",
        /// They can.
        Active = "ACTIVE",
        /// Suspended by an administrator of the entity.
        Suspended = "SUSPENDED",
        /// Suspended by the caja, which alone can undo it.
        SuspendedByCaja = "SUSPENDED_BY_CAJA",
    }
}

words! {
    /// What an administrator sets an account to.
    #[derive(ToSchema)]
    SetState {
        /// It may be used again. Somebody who was invited still has to set a password.
        Active = "ACTIVE",
        /// It may not be used any more, and every session ends.
        Suspended = "SUSPENDED",
    }
}

/// Somebody of the entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct EntityUser {
    /// Stays the same for ever.
    pub id: Uuid,
    /// What they sign in with.
    #[ts(type = "string")]
    #[schema(value_type = String, example = "ana@gymcaribe.co")]
    pub username: Redacted<String>,
    /// Their name.
    #[ts(type = "string")]
    #[schema(value_type = String, example = "Ana Rodríguez")]
    pub display_name: Redacted<String>,
    /// What they said when they created the account; none of those who were invited.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>, example = "3001234567")]
    pub phone: Option<Redacted<String>>,
    /// Whether the account can be used.
    pub state: UserState,
    /// What they may do.
    pub roles: Vec<Role>,
    /// The branches assigned to them.
    pub branches: Vec<Uuid>,
    /// When they signed in last.
    pub last_sign_in_at: Option<Timestamp>,
    /// When the last invitation was mailed; none of those who created the account themselves.
    pub invited_at: Option<Timestamp>,
}

/// One page of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct EntityUsers {
    /// By user name.
    #[schema(max_items = 500)]
    pub items: Vec<EntityUser>,
    /// Pass it on as `after` to get the next page; none on the last one.
    pub next: Option<String>,
}

/// Every branch of the own entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct EntityBranches {
    /// By code.
    pub items: Vec<Branch>,
}

/// Whom to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// Only those whose name or user name has this, whatever its case and accents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 120)]
    pub q: Option<String>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 512)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// `POST /v1/entity/users`: invite somebody. They get a mail that says how to set a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteUser {
    /// Of the account, made by the desk. The same again with the same content mails nothing again.
    pub id: Uuid,
    /// Their name.
    #[schema(value_type = String, example = "Luis Peñaranda", min_length = 1, max_length = 120, pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    pub display_name: Redacted<String>,
    /// Where the invitation goes; the user name from then on.
    #[schema(value_type = String, format = Email, example = "luis@gymcaribe.co", min_length = 6, max_length = 120)]
    pub email: Redacted<String>,
    /// What they may do: `OPERATOR`, `ENTITY_ADMIN`, or both.
    #[schema(min_items = 1, max_items = 2)]
    pub roles: Vec<Role>,
    /// Branches of the own entity where they work; may be empty.
    #[schema(max_items = 500)]
    pub branches: Vec<Uuid>,
}

/// `PATCH /v1/entity/users/{id}`: what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "Luis Peñaranda", min_length = 1, max_length = 120, pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    pub display_name: Option<Redacted<String>>,
    /// What they may do: `OPERATOR`, `ENTITY_ADMIN`, or both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 2)]
    pub roles: Option<Vec<Role>>,
    /// Every branch of the own entity where they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500)]
    pub branches: Option<Vec<Uuid>>,
    /// Whether the account may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SetState>,
}

#[cfg(test)]
mod tests {
    use ts_rs::Config;

    use super::*;

    /// Writes the types the screens use; see `cargo xtask gen`.
    #[test]
    fn export_bindings() -> Result<(), ts_rs::ExportError> {
        let config = Config::from_env();
        EntityUsers::export_all(&config)?;
        EntityBranches::export_all(&config)?;
        SetState::export_all(&config)
    }
}
