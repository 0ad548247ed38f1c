//! People and their PCs, as the caja sees them in its console.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::account::RegistrationState;
use hanna_wire::admin::people::{
    AdminDevice, AdminRegistration, AdminUser, AdminUserChange, AdminUserStanding, AdminUserState,
};
use hanna_wire::me::{Branch, Role};
use jiff::Timestamp;
use uuid::Uuid;

use super::{AccountState, Act, Mail, Result};
use crate::folded::fold;
use crate::secrets::Mac;

/// What the caja asks and does about people. Mails are put into the queue in the same transaction as what they tell.
#[async_trait]
pub trait People {
    /// Some registrations, the newest first.
    async fn registrations_by_time(&self, filter: RegistrationFilter) -> Result<Vec<AdminRegistration>>;

    /// Some accounts, by user name.
    async fn users(&self, filter: AccountFilter) -> Result<Vec<AdminUser>>;

    /// An account.
    async fn user(&self, id: Uuid) -> Result<Option<AdminUser>>;

    /// Adds an account that has no password yet. The same again changes nothing and mails nothing.
    async fn add_user(&self, new: NewUser, act: Act) -> Result<UserPut>;

    /// Changes an account. Suspending it ends its sessions.
    async fn change_account(&self, id: Uuid, change: AdminUserChange, act: Act) -> Result<UserPut>;

    /// Makes the password of an account worth nothing, ends its sessions and forgets its sign-in attempts. `false`: there is
    /// no such account.
    async fn take_password(&self, taken: PasswordTaken) -> Result<bool>;

    /// Some devices, the one of the last contact first.
    async fn devices_by_contact(&self, filter: DeviceFilter) -> Result<Vec<AdminDevice>>;
}

/// A row's place in a list that is in the order of time.
pub type Place = (Timestamp, Uuid);

/// Which registrations to list.
#[derive(Debug, Clone)]
pub struct RegistrationFilter {
    /// Only those in this state; otherwise all but the unconfirmed.
    pub state: Option<RegistrationState>,
    /// Only those which have this, folded ([`crate::folded`]), in a name, the address or the NIT.
    pub search: Option<String>,
    /// Only those that come after this one in the list.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

impl RegistrationFilter {
    /// Whether a registration is one of those that are searched for.
    pub fn finds(&self, registration: &AdminRegistration) -> bool {
        let AdminRegistration { nit, entity_name, display_name, email, .. } = registration;
        has_one(self.search.as_deref(), &[nit, entity_name, display_name.expose(), email.expose()])
    }
}

/// Which accounts to list.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// Only those which have this, folded ([`crate::folded`]), in the name, the user name or the entity's name.
    pub search: Option<String>,
    /// Only those of this entity.
    pub entity_id: Option<Uuid>,
    /// Only those with this role.
    pub role: Option<Role>,
    /// Only those in this state.
    pub state: Option<AdminUserState>,
    /// Only those whose user name comes after this one, as user names are compared.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

impl AccountFilter {
    /// Whether an account is one of those that are searched for.
    pub fn finds(&self, user: &AdminUser) -> bool {
        let entity = user.entity.as_ref().map_or("", |entity| entity.name.as_str());
        self.role.is_none_or(|role| user.roles.contains(&role))
            && self.state.is_none_or(|state| user.state == state)
            && has_one(self.search.as_deref(), &[user.display_name.expose(), user.username.expose(), entity])
    }
}

/// Which devices to list.
#[derive(Debug, Clone, Default)]
pub struct DeviceFilter {
    /// Only those which have this, folded ([`crate::folded`]), in their name, the entity's, or that of who signed in last.
    pub search: Option<String>,
    /// Only those that come after this one in the list.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

impl DeviceFilter {
    /// Whether a device is one of those that are searched for.
    pub fn finds(&self, device: &AdminDevice) -> bool {
        let entity = device.entity.as_ref().map_or("", |entity| entity.name.as_str());
        let operator = device.last_operator.as_ref().map_or("", |name| name.expose().as_str());
        has_one(self.search.as_deref(), &[&device.name, entity, operator])
    }
}

fn has_one(search: Option<&str>, texts: &[&str]) -> bool {
    search.is_none_or(|search| texts.iter().any(|text| fold(text).contains(search)))
}

/// An account to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The account.
    pub id: Uuid,
    /// The business; none for people of the caja.
    pub entity_id: Option<Uuid>,
    /// What they sign in with, as it was typed.
    pub username: Redacted<String>,
    /// The person.
    pub display_name: Redacted<String>,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Where it works.
    pub branches: Vec<Uuid>,
    /// What the person is told; none when that happens otherwise.
    pub mail: Option<Mail>,
}

impl NewUser {
    /// Whether this is the very account that is to be added.
    pub fn is(&self, there: &AdminUser) -> bool {
        let same = |wanted: &[Uuid], there: &[Branch]| {
            wanted.len() == there.len() && there.iter().all(|branch| wanted.contains(&branch.id))
        };
        self.username == there.username
            && self.display_name == there.display_name
            && self.entity_id == there.entity.as_ref().map(|entity| entity.id)
            && self.roles.len() == there.roles.len()
            && self.roles.iter().all(|role| there.roles.contains(role))
            && same(&self.branches, &there.branches)
    }
}

/// A password to take away.
#[derive(Debug, Clone)]
pub struct PasswordTaken {
    /// Whose.
    pub account_id: Uuid,
    /// Under which its sign-in attempts are counted.
    pub username_mac: Mac,
    /// What the person is told; none when the user name is no address.
    pub mail: Option<Mail>,
    /// Who does it.
    pub act: Act,
}

/// How adding or changing an account ended. Only [`Self::Done`] changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserPut {
    /// It is so now, or was so already.
    Done,
    /// There is no such account, or no such entity.
    Unknown,
    /// The id belongs to another one.
    IdConflict,
    /// Another account has the user name.
    UsernameTaken,
    /// The account waits for approval: that is decided about its registration.
    NotDecided,
    /// An account of the caja administers it and has no branches; one of an entity never administers the caja.
    RolesElsewhere,
    /// One of the branches is not the entity's.
    BranchElsewhere,
    /// Somebody would suspend themselves, or take the last active administrator of their kind away.
    LastAdministrator,
}

/// What the console calls the state of an account.
pub const fn user_state(state: AccountState, has_no_password: bool, by_caja: bool) -> AdminUserState {
    match state {
        AccountState::Suspended if by_caja => AdminUserState::SuspendedByCaja,
        AccountState::Pending => AdminUserState::Pending,
        AccountState::Suspended => AdminUserState::Suspended,
        AccountState::Active if has_no_password => AdminUserState::Invited,
        AccountState::Active => AdminUserState::Active,
    }
}

impl AccountState {
    /// What the caja decided.
    pub const fn of(standing: AdminUserStanding) -> Self {
        match standing {
            AdminUserStanding::Active => Self::Active,
            AdminUserStanding::Suspended => Self::Suspended,
        }
    }
}

/// Whether an account may have these roles: of the caja, or of an entity.
pub fn may_have(is_of_entity: bool, roles: &[Role]) -> bool {
    !roles.is_empty() && roles.iter().all(|role| (*role != Role::CajaAdmin) == is_of_entity)
}
