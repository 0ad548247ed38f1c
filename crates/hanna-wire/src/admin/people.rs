//! People and their PCs: registrations, users, devices; and the keys statements are signed with.

use hanna_domain::{Redacted, words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::account::RegistrationState;
use crate::me::{Branch, Entity, Role};
use crate::second_factor::SecondFactor;

/// `GET /v1/admin/registrations`: the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RegistrationQuery {
    /// Only those in this state; otherwise all but the unconfirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RegistrationState>,
    /// Stands in the name, the address, the entity's name or its NIT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 120)]
    pub q: Option<String>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 256)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// Somebody who created an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminRegistration {
    /// Made by the desk.
    pub id: Uuid,
    /// Of the entity, with its check digit.
    #[schema(example = "900123456-8")]
    pub nit: String,
    /// What the person calls the entity.
    #[schema(example = "GYM CARIBE")]
    pub entity_name: String,
    /// Whether there is an entity of this NIT; otherwise approving makes it.
    pub entity_known: bool,
    /// The person.
    #[schema(value_type = String, example = "Ana Rodríguez")]
    #[ts(type = "string")]
    pub display_name: Redacted<String>,
    /// The user name to be.
    #[schema(value_type = String, format = Email, example = "ana@gymcaribe.co")]
    #[ts(type = "string")]
    pub email: Redacted<String>,
    /// Digits, with the country's code or without.
    #[schema(value_type = String, example = "3001234567")]
    #[ts(type = "string")]
    pub phone: Redacted<String>,
    /// When.
    #[ts(type = "string")]
    pub made_at: Timestamp,
    /// How far it is.
    pub state: RegistrationState,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// `POST /v1/admin/registrations/{id}/reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RejectRegistration {
    /// Why; it is mailed.
    #[schema(
        example = "El NIT no corresponde a una entidad en convenio.",
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub reason: String,
}

words! {
    /// Whether an account may be used.
    #[derive(ToSchema)]
    AdminUserState {
        /// *Invitado*: it has no password yet.
        Invited = "INVITED",
        /// *Pendiente de aprobación*: see the registration.
        Pending = "PENDING",
        /// It may.
        Active = "ACTIVE",
        /// *Suspendido* by an administrator of its entity, who can undo it.
        Suspended = "SUSPENDED",
        /// *Suspendido* by the caja, which alone can undo it.
        SuspendedByCaja = "SUSPENDED_BY_CAJA",
    }
}

words! {
    /// What the caja decides about the use of an account.
    #[derive(ToSchema)]
    AdminUserStanding {
        /// It may be used, whoever suspended it.
        Active = "ACTIVE",
        /// It may not; its sessions end.
        Suspended = "SUSPENDED",
    }
}

/// `GET /v1/admin/users`: by user name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// Stands in the name, the user name or the entity's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 120)]
    pub q: Option<String>,
    /// Only those of this entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<Uuid>,
    /// Only those with this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AdminUserState>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 256)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminUser {
    /// Stays the same for ever.
    pub id: Uuid,
    /// What they sign in with.
    #[schema(value_type = String, example = "ana@gymcaribe.co")]
    #[ts(type = "string")]
    pub username: Redacted<String>,
    /// The person.
    #[schema(value_type = String, example = "Ana Rodríguez")]
    #[ts(type = "string")]
    pub display_name: Redacted<String>,
    /// The business; none for people of the caja.
    pub entity: Option<Entity>,
    /// Whether the account may be used.
    pub state: AdminUserState,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The branches assigned, by code.
    pub branches: Vec<Branch>,
    /// Whether the account needs a second factor, and has one.
    pub second_factor: SecondFactor,
    /// When somebody signed in with it last.
    #[ts(type = "string | null")]
    pub last_sign_in_at: Option<Timestamp>,
}

/// `POST /v1/admin/users`: another account, whose person is mailed how to set its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct InviteAccount {
    /// Made by whoever asks. The same again with the same content mails nothing again.
    pub id: Uuid,
    /// The business; none makes an account of the caja, whose only role is `CAJA_ADMIN`.
    #[serde(default)]
    #[ts(optional)]
    pub entity_id: Option<Uuid>,
    /// The person.
    #[schema(value_type = String, example = "Ana Rodríguez", min_length = 1, max_length = 120, pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    #[ts(type = "string")]
    pub display_name: Redacted<String>,
    /// Where the invitation is mailed to; the user name.
    #[schema(value_type = String, format = Email, example = "ana@gymcaribe.co", min_length = 6, max_length = 120)]
    #[ts(type = "string")]
    pub email: Redacted<String>,
    /// `CAJA_ADMIN` for the caja; `OPERATOR`, `ENTITY_ADMIN` or both for an entity.
    #[schema(min_items = 1, max_items = 2)]
    pub roles: Vec<Role>,
    /// Branches of the entity; none for the caja.
    #[schema(max_items = 500)]
    pub branches: Vec<Uuid>,
}

/// `PATCH /v1/admin/users/{id}`: what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct AdminUserChange {
    /// The person.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Ana Rodríguez", min_length = 1, max_length = 120, pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    #[ts(as = "Option<String>")]
    pub display_name: Option<Redacted<String>>,
    /// Suspends the account, or lets it be used again.
    #[serde(default)]
    pub state: Option<AdminUserStanding>,
    /// What it may do from now on, within what its kind of account may: the caja's or an entity's.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 2)]
    pub roles: Option<Vec<Role>>,
    /// The branches of its entity assigned from now on.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub branches: Option<Vec<Uuid>>,
}

/// `GET /v1/admin/devices`: the one of the last contact first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeviceQuery {
    /// Stands in the PC's name, its entity's name, or the name of who signed in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 120)]
    pub q: Option<String>,
    /// Where the page before ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(max_length = 256)]
    pub after: Option<String>,
    /// Rows a page; 500 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// A PC that signed in at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminDevice {
    /// Made by the desk.
    pub id: Uuid,
    /// What people call it.
    #[schema(example = "RECEPCION-1")]
    pub name: String,
    /// The business of who signed in last; none for people of the caja.
    pub entity: Option<Entity>,
    /// Who signed in last.
    #[schema(value_type = Option<String>, example = "Ana Rodríguez")]
    #[ts(type = "string | null")]
    pub last_operator: Option<Redacted<String>>,
    /// Its first sign-in.
    #[ts(type = "string")]
    pub first_seen_at: Timestamp,
    /// The last time it signed in, refreshed its session or delivered.
    #[ts(type = "string")]
    pub last_contact_at: Timestamp,
    /// The highest `sequence` held of it, 0 for none.
    #[schema(minimum = 0)]
    #[ts(type = "number")]
    pub last_sequence: i64,
    /// How many items still waited at the PC when it said so last; none when it never did.
    #[ts(type = "number | null")]
    pub waiting: Option<u64>,
    /// Since when it is revoked, if it is.
    #[ts(type = "string | null")]
    pub revoked_at: Option<Timestamp>,
}

/// `GET /v1/admin/keys`: every key, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct AdminKey {
    /// What statements call it.
    pub kid: String,
    /// It signs nothing before.
    #[ts(type = "string")]
    pub not_before: Timestamp,
    /// It signs nothing after.
    #[ts(type = "string")]
    pub not_after: Timestamp,
    /// Whether it is the one that signs now. The others verify.
    pub signs: bool,
}
