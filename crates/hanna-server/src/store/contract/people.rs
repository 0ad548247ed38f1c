//! People and their PCs, as the caja sees them.

use hanna_domain::Redacted;
use hanna_wire::admin::people::{AdminUser, AdminUserChange, AdminUserStanding, AdminUserState};
use hanna_wire::entity_users::{SetState, UserState};
use hanna_wire::me::Role;
use jiff::ToSpan;
use uuid::Uuid;

use super::entity_users::unchanged;
use super::fixtures::*;
use super::second_factors::{BEATRIZ, with_caja};
use crate::audit::Actor;
use crate::mail::MailKind;
use crate::store::*;

pub(super) const NADIA: Uuid = Uuid::from_u128(24);

fn act(by: Uuid) -> Act {
    Act { by: Actor::Account(by), now: noon() }
}

pub(super) fn nadia() -> NewUser {
    let email = Redacted::new("Nadia@gym.co".to_owned());
    NewUser {
        id: NADIA,
        entity_id: Some(ENTITY),
        mail: Some(Mail::new(Uuid::from_u128(99), MailKind::Invited, &email, &[], noon())),
        username: email,
        display_name: Redacted::new("Nadia Núñez".into()),
        roles: vec![Role::Operator],
        branches: vec![NORTH],
    }
}

async fn users(store: &dyn Store, filter: AccountFilter) -> Vec<AdminUser> {
    store.users(filter).await.expect("listed")
}

async fn change(store: &dyn Store, id: Uuid, by: Uuid, change: AdminUserChange) -> UserPut {
    store.change_account(id, change, act(by)).await.expect("asked")
}

fn standing(state: AdminUserStanding) -> AdminUserChange {
    AdminUserChange { state: Some(state), ..AdminUserChange::default() }
}

pub async fn accounts_are_made_listed_changed_and_suspended(store: &dyn Store) {
    with_caja(store).await;
    let add = async |new| store.add_user(new, act(BEATRIZ)).await.expect("asked");
    assert_eq!(add(NewUser { branches: vec![ELSEWHERE], ..nadia() }).await, UserPut::BranchElsewhere);
    assert_eq!(add(NewUser { roles: vec![Role::CajaAdmin], ..nadia() }).await, UserPut::RolesElsewhere);
    assert_eq!(add(NewUser { entity_id: None, ..nadia() }).await, UserPut::RolesElsewhere);
    assert_eq!(add(NewUser { entity_id: Some(DEVICE), ..nadia() }).await, UserPut::Unknown);
    assert_eq!(add(nadia()).await, UserPut::Done);
    assert_eq!(add(nadia()).await, UserPut::Done, "said again");
    assert_eq!(add(NewUser { branches: vec![SOUTH], ..nadia() }).await, UserPut::IdConflict);
    assert_eq!(add(NewUser { id: DEVICE, ..nadia() }).await, UserPut::UsernameTaken);
    let mails = store.next_mails(noon(), noon() + 1.minute(), 9).await.expect("asked").mails;
    assert_eq!(mails.len(), 1, "mailed once");

    let everybody = AccountFilter { limit: 9, ..AccountFilter::default() };
    let names: Vec<String> =
        users(store, everybody.clone()).await.iter().map(|user| user.username.expose().clone()).collect();
    assert_eq!(names, ["ana", "beatriz", "luis", "Nadia@gym.co"]);
    let page = users(store, AccountFilter { after: Some("ana".into()), limit: 2, ..everybody.clone() }).await;
    assert_eq!(page.iter().map(|user| user.id).collect::<Vec<_>>(), [BEATRIZ, LUIS]);
    let count = async |filter| users(store, filter).await.len();
    assert_eq!(count(AccountFilter { search: Some("nunez".into()), ..everybody.clone() }).await, 1);
    assert_eq!(count(AccountFilter { entity_id: Some(ENTITY), ..everybody.clone() }).await, 3);
    assert_eq!(count(AccountFilter { role: Some(Role::CajaAdmin), ..everybody.clone() }).await, 1);
    assert_eq!(count(AccountFilter { state: Some(AdminUserState::Invited), ..everybody }).await, 2);
    let ana = store.user(ANA).await.expect("asked").expect("there");
    assert_eq!((ana.last_sign_in_at, ana.state), (Some(noon()), AdminUserState::Active));
    assert_eq!(ana.branches.iter().map(|branch| branch.id).collect::<Vec<_>>(), [NORTH, SOUTH], "by code");
    assert_eq!(ana.entity.map(|entity| entity.id), Some(ENTITY));

    let both = vec![Role::EntityAdmin, Role::Operator];
    let to = AdminUserChange {
        display_name: Some(Redacted::new("Ana R.".into())),
        roles: Some(both.clone()),
        branches: Some(vec![SOUTH]),
        state: None,
    };
    assert_eq!(change(store, ANA, BEATRIZ, to).await, UserPut::Done);
    let ana = store.user(ANA).await.expect("asked").expect("there");
    assert_eq!((ana.display_name.expose().as_str(), ana.roles), ("Ana R.", both));
    assert_eq!(ana.branches.iter().map(|branch| branch.id).collect::<Vec<_>>(), [SOUTH]);
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_some(), "the session goes on");
    let elsewhere = AdminUserChange { branches: Some(vec![ELSEWHERE]), ..AdminUserChange::default() };
    assert_eq!(change(store, ANA, BEATRIZ, elsewhere).await, UserPut::BranchElsewhere);
    assert_eq!(change(store, DEVICE, BEATRIZ, AdminUserChange::default()).await, UserPut::Unknown);

    assert_eq!(change(store, ANA, BEATRIZ, standing(AdminUserStanding::Suspended)).await, UserPut::Done);
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_none(), "its session has ended");
    assert_eq!(change(store, ANA, BEATRIZ, standing(AdminUserStanding::Active)).await, UserPut::Done);
    assert_eq!(store.open_session(opening(2, ANA)).await.expect("asked"), SessionOpened::Done);
    let taken = PasswordTaken { account_id: ANA, username_mac: Mac([3; 32]), mail: None, act: act(BEATRIZ) };
    assert!(store.take_password(taken.clone()).await.expect("asked"));
    assert!(store.caller(hash(2), noon()).await.expect("asked").is_none());
    assert_eq!(store.user(ANA).await.expect("asked").expect("there").state, AdminUserState::Invited);
    assert!(!store.take_password(PasswordTaken { account_id: DEVICE, ..taken }).await.expect("asked"));
}

pub async fn the_last_of_the_caja_stays(store: &dyn Store) {
    with_caja(store).await;
    let suspended = || standing(AdminUserStanding::Suspended);
    assert_eq!(change(store, BEATRIZ, ANA, suspended()).await, UserPut::LastAdministrator);
    let another = NewUser { entity_id: None, roles: vec![Role::CajaAdmin], branches: Vec::new(), ..nadia() };
    assert_eq!(store.add_user(another, act(BEATRIZ)).await.expect("asked"), UserPut::Done);
    assert_eq!(
        change(store, BEATRIZ, BEATRIZ, suspended()).await,
        UserPut::LastAdministrator,
        "nobody themselves"
    );
    assert_eq!(change(store, BEATRIZ, NADIA, suspended()).await, UserPut::Done);
    assert_eq!(change(store, NADIA, ANA, suspended()).await, UserPut::LastAdministrator);
}

pub async fn whom_the_caja_suspended_only_the_caja_lets_in_again(store: &dyn Store) {
    with_caja(store).await;
    let by_caja = async |to| change(store, ANA, BEATRIZ, standing(to)).await;
    let by_entity = async |to| {
        let change = UserChange { state: Some(to), ..unchanged(ANA) };
        store.change_user(change).await.expect("asked")
    };
    let seen = async || {
        let by_entity = store.entity_user(ENTITY, ANA).await.expect("asked").expect("there").state;
        (store.user(ANA).await.expect("asked").expect("there").state, by_entity)
    };
    let barred = (AdminUserState::SuspendedByCaja, UserState::SuspendedByCaja);

    assert_eq!(by_caja(AdminUserStanding::Suspended).await, UserPut::Done);
    assert_eq!(seen().await, barred);
    assert_eq!(by_entity(SetState::Active).await, UserChanged::SuspendedByCaja);
    assert_eq!(by_entity(SetState::Suspended).await, UserChanged::Done, "it changes nothing");
    assert_eq!(by_entity(SetState::Active).await, UserChanged::SuspendedByCaja);
    assert_eq!(seen().await, barred);
    assert_eq!(store.open_session(opening(2, ANA)).await.expect("asked"), SessionOpened::NotGood);
    assert_eq!(by_caja(AdminUserStanding::Active).await, UserPut::Done);
    assert_eq!(seen().await, (AdminUserState::Active, UserState::Active));

    // The caja may also suspend whom the entity had suspended, and let in whom the entity had suspended.
    assert_eq!(by_entity(SetState::Suspended).await, UserChanged::Done);
    assert_eq!(seen().await, (AdminUserState::Suspended, UserState::Suspended));
    assert_eq!(by_caja(AdminUserStanding::Suspended).await, UserPut::Done);
    assert_eq!(seen().await, barred);
    assert_eq!(by_caja(AdminUserStanding::Active).await, UserPut::Done);
    assert_eq!(by_entity(SetState::Suspended).await, UserChanged::Done);
    assert_eq!(by_entity(SetState::Active).await, UserChanged::Done);
    assert_eq!(seen().await, (AdminUserState::Active, UserState::Active));
}

pub async fn devices_say_what_waits(store: &dyn Store) {
    furnished(store).await;
    let list = async || {
        let filter = DeviceFilter { limit: 9, ..DeviceFilter::default() };
        store.devices_by_contact(filter).await.expect("listed").remove(0)
    };
    let device = list().await;
    assert_eq!((device.id, device.waiting, device.last_sequence), (DEVICE, None, 0));
    assert_eq!(device.last_operator.map(Redacted::into_inner).as_deref(), Some("ANA"));
    assert_eq!(device.entity.map(|entity| entity.id), Some(ENTITY));
    let active = statement(store, question(1, NORTH, "1001")).await;
    let deliver = async |id, waiting| {
        let delivery = Delivery {
            arrivals: vec![arrival(id, &active, noon())],
            entity_id: ENTITY,
            account_id: ANA,
            device_id: DEVICE,
            waiting,
            kept_from: Timestamp::MIN,
            now: noon(),
        };
        store.take_in(delivery).await.expect("taken in");
    };
    deliver(100, Some(7)).await;
    assert_eq!(list().await.waiting, Some(7));
    deliver(101, None).await;
    assert_eq!(list().await.waiting, Some(7), "an older desk says nothing");
    deliver(102, Some(0)).await;
    assert_eq!(list().await.waiting, Some(0));
    assert_eq!(store.devices().await.expect("listed")[0].waiting, Some(0));
    let after = DeviceFilter { after: Some((noon(), DEVICE)), limit: 9, search: None };
    assert!(store.devices_by_contact(after).await.expect("listed").is_empty());
    let nobody = DeviceFilter { search: Some("nadie".into()), limit: 9, after: None };
    assert!(store.devices_by_contact(nobody).await.expect("listed").is_empty());
}
