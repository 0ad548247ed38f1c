//! The people of an entity.

use futures_util::future::join_all;
use hanna_domain::Redacted;
use hanna_wire::entity_users::{EntityUser, SetState, UserState};
use hanna_wire::me::Role;
use jiff::ToSpan;
use uuid::Uuid;

use super::fixtures::*;
use crate::audit::Actor;
use crate::mail::MailKind;
use crate::store::*;
use crate::testing::TestEntropy;

pub(super) const EVA: Uuid = Uuid::from_u128(700);

pub(super) fn mail(seed: u64) -> Mail {
    let id = TestEntropy::new(seed).new_id();
    Mail::new(id, MailKind::Invitation, &Redacted::new("eva@gym.co".into()), &[], noon())
}

pub(super) fn invitation(id: Uuid, email: &str, role: Role) -> Invitation {
    Invitation {
        id,
        content_sha256: "0".repeat(64),
        entity_id: ENTITY,
        email: Redacted::new(email.into()),
        display_name: Redacted::new("Eva Peñaranda".into()),
        password_hash: Redacted::new("$argon2id$nobody".into()),
        roles: vec![role],
        branches: vec![NORTH],
        mail: mail(1),
        by: Actor::Account(LUIS),
        now: noon(),
    }
}

pub(super) fn unchanged(id: Uuid) -> UserChange {
    UserChange {
        id,
        entity_id: ENTITY,
        display_name: None,
        roles: None,
        branches: None,
        state: None,
        by: Actor::Account(LUIS),
        now: noon(),
    }
}

async fn user(store: &dyn Store, id: Uuid) -> EntityUser {
    store.entity_user(ENTITY, id).await.expect("asked").expect("of the entity")
}

async fn changed(store: &dyn Store, change: UserChange) -> UserChanged {
    store.change_user(change).await.expect("asked")
}

async fn mailed(store: &dyn Store) -> usize {
    let turn = store.next_mails(noon(), noon(), 100).await.expect("asked");
    for mail in &turn.mails {
        store.mail_sent(mail.id).await.expect("told");
    }
    turn.mails.len()
}

pub async fn whoever_is_invited_accepts_with_a_first_password(store: &dyn Store) {
    furnished(store).await;
    let invite = async |new: Invitation| store.invite(new).await.expect("asked");
    let new = || invitation(EVA, "Eva@gym.co", Role::Operator);
    assert_eq!(invite(new()).await, Invited::Done);
    assert_eq!(invite(new()).await, Invited::Again);
    assert_eq!(mailed(store).await, 1, "once");
    let other_id = Uuid::from_u128(701);
    assert_eq!(invite(Invitation { content_sha256: "1".repeat(64), ..new() }).await, Invited::IdConflict);
    assert_eq!(invite(Invitation { entity_id: OTHER_ENTITY, ..new() }).await, Invited::IdConflict);
    assert_eq!(invite(invitation(ANA, "otra@gym.co", Role::Operator)).await, Invited::IdConflict);
    assert_eq!(invite(invitation(other_id, "EVA@gym.co", Role::Operator)).await, Invited::UsernameTaken);
    let elsewhere = Invitation {
        branches: vec![NORTH, ELSEWHERE],
        ..invitation(other_id, "otra@gym.co", Role::Operator)
    };
    assert_eq!(invite(elsewhere).await, Invited::BranchNotAllowed);
    assert!(store.entity_user(ENTITY, other_id).await.expect("asked").is_none());

    let eva = user(store, EVA).await;
    assert_eq!((eva.state, eva.branches, eva.roles), (UserState::Invited, vec![NORTH], vec![Role::Operator]));
    assert_eq!(eva.invited_at, Some(noon()));
    let later = noon() + 1.hour();
    let again =
        |id, entity_id| Reinvitation { id, entity_id, mail: mail(2), by: Actor::Account(LUIS), now: later };
    let invite_again = async |again| store.invite_again(again).await.expect("asked");
    assert_eq!(invite_again(again(EVA, OTHER_ENTITY)).await, InvitedAgain::Unknown);
    assert_eq!(invite_again(again(ANA, ENTITY)).await, InvitedAgain::NotPending);
    assert_eq!(invite_again(again(EVA, ENTITY)).await, InvitedAgain::Done);
    assert_eq!(user(store, EVA).await.invited_at, Some(later));
    assert_eq!(mailed(store).await, 1);

    let (subject, code) = (Mac([3; 32]), Mac([4; 32]));
    let letter = || Letter { code, mail: None };
    let username_key = "eva@gym.co".to_owned();
    let ask = CodeAsk {
        subject,
        username_key: username_key.clone(),
        if_known: letter(),
        if_unknown: letter(),
        at_terminal: false,
        now: noon(),
    };
    assert_eq!(store.ask_code(ask).await.expect("asked"), CodeAsked::Sent);
    let reset = PasswordReset {
        subject,
        code,
        spent: Mac([5; 32]),
        username_key,
        username_mac: Mac([6; 32]),
        password_hash: Redacted::new("$argon2id$eva".into()),
        mail: mail(3),
        now: noon(),
    };
    assert_eq!(store.reset_password(reset).await.expect("asked"), CodeTried::Right);
    assert_eq!(user(store, EVA).await.state, UserState::Active);
    assert_eq!(invite_again(again(EVA, ENTITY)).await, InvitedAgain::NotPending);
}

pub async fn people_are_changed_within_their_entity(store: &dyn Store) {
    furnished(store).await;
    let ana = user(store, ANA).await;
    assert_eq!((ana.state, ana.last_sign_in_at, ana.invited_at), (UserState::Active, Some(noon()), None));
    let theirs = UserChange { entity_id: OTHER_ENTITY, state: Some(SetState::Suspended), ..unchanged(ANA) };
    assert_eq!(changed(store, theirs).await, UserChanged::Unknown);
    let elsewhere = UserChange { branches: Some(vec![ELSEWHERE]), ..unchanged(ANA) };
    assert_eq!(changed(store, elsewhere).await, UserChanged::BranchNotAllowed);
    assert_eq!(user(store, ANA).await, ana, "nothing changed");

    let change = UserChange {
        display_name: Some(Redacted::new("Ana Ñ".into())),
        roles: Some(vec![Role::EntityAdmin, Role::Operator]),
        branches: Some(vec![SOUTH]),
        ..unchanged(ANA)
    };
    assert_eq!(changed(store, change).await, UserChanged::Done);
    let ana = user(store, ANA).await;
    assert_eq!((ana.display_name.expose().as_str(), &ana.branches), ("Ana Ñ", &vec![SOUTH]));
    assert_eq!(ana.roles, [Role::EntityAdmin, Role::Operator]);
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_some(), "still signed in");
    let suspend = UserChange { state: Some(SetState::Suspended), ..unchanged(ANA) };
    assert_eq!(changed(store, suspend).await, UserChanged::Done);
    assert_eq!(user(store, ANA).await.state, UserState::Suspended);
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_none(), "signed out");
    let back = UserChange { state: Some(SetState::Active), ..unchanged(ANA) };
    assert_eq!(changed(store, back).await, UserChanged::Done);

    store.open_session(opening(5, ANA)).await.expect("opened");
    let reset = |entity_id| UserReset {
        id: ANA,
        entity_id,
        password_hash: Redacted::new("$argon2id$nobody".into()),
        mail: Some(mail(4)),
        by: Actor::Account(LUIS),
        now: noon(),
    };
    assert!(!store.reset_user(reset(OTHER_ENTITY)).await.expect("asked"));
    assert!(store.caller(hash(5), noon()).await.expect("asked").is_some());
    assert!(store.reset_user(reset(ENTITY)).await.expect("asked"));
    assert!(store.caller(hash(5), noon()).await.expect("asked").is_none());
    let known = store.credentials("ana".into()).await.expect("asked").expect("there");
    assert_eq!(known.password_hash, "$argon2id$nobody");
    assert_eq!(mailed(store).await, 1);

    let page = async |search: Option<&str>, after: Option<&str>, limit| {
        let (search, after) = (search.map(str::to_owned), after.map(str::to_owned));
        let filter = UserFilter { entity_id: ENTITY, search, after, limit };
        let users = store.entity_users(filter).await.expect("asked");
        users.into_iter().map(|user| user.username.into_inner()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 9).await, ["ana", "luis"]);
    assert_eq!(page(None, None, 1).await, ["ana"]);
    assert_eq!(page(None, Some("ana"), 9).await, ["luis"]);
    assert_eq!(page(Some("anan"), None, 1).await, ["ana"], "Ana Ñ, folded");
    assert_eq!(page(Some("luis"), None, 1).await, ["luis"]);
}

pub async fn administrators_who_take_the_right_from_each_other_leave_one(store: &dyn Store) {
    furnished(store).await;
    let promote = UserChange { roles: Some(vec![Role::EntityAdmin]), ..unchanged(ANA) };
    assert_eq!(changed(store, promote).await, UserChanged::Done);
    let oneself = UserChange { state: Some(SetState::Suspended), ..unchanged(LUIS) };
    assert_eq!(changed(store, oneself).await, UserChanged::LastAdministrator, "nobody suspends themselves");
    let demote =
        |id, by| UserChange { roles: Some(vec![Role::Operator]), by: Actor::Account(by), ..unchanged(id) };
    let suspend =
        |id, by| UserChange { state: Some(SetState::Suspended), by: Actor::Account(by), ..unchanged(id) };
    let all = [demote(ANA, LUIS), suspend(LUIS, ANA), suspend(ANA, LUIS), demote(LUIS, ANA)];
    let done = join_all(all.map(|change| store.change_user(change))).await;
    let done: Vec<_> = done.into_iter().map(|done| done.expect("asked")).collect();
    assert!(done.contains(&UserChanged::LastAdministrator), "{done:?}");
    let mut left = 0;
    for id in [ANA, LUIS] {
        let user = user(store, id).await;
        left += usize::from(user.state == UserState::Active && user.roles.contains(&Role::EntityAdmin));
    }
    assert_eq!(left, 1);
    // Somebody invited administers nothing yet.
    let invited = invitation(EVA, "eva@gym.co", Role::EntityAdmin);
    assert_eq!(store.invite(invited).await.expect("asked"), Invited::Done);
    for id in [ANA, LUIS] {
        let last = UserChange { roles: Some(vec![Role::Operator]), by: Actor::Server, ..unchanged(id) };
        let expected = user(store, id).await;
        let is_last = expected.state == UserState::Active && expected.roles.contains(&Role::EntityAdmin);
        let expected = if is_last { UserChanged::LastAdministrator } else { UserChanged::Done };
        assert_eq!(changed(store, last).await, expected);
    }
}
