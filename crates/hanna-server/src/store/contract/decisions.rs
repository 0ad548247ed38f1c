//! Acts of what the caja and the administrators of entities decide: each leaves one, in the transaction of what changed, with
//! who and about what; whatever is refused, or said again, leaves none.

use hanna_domain::{AffiliateStatus, Redacted};
use hanna_wire::admin::business::{AdminAgreement, ChangeBranch, ImportState};
use hanna_wire::admin::people::{AdminUserChange, AdminUserStanding};
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::entity_users::SetState;
use hanna_wire::me::{Entity, Role};
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;

use super::applications::{FILE, REQUEST, approve, asking, content, request, ruling, submitted};
use super::audit::acts;
use super::business::{ended, new_branch, new_import};
use super::entity_users::{EVA, invitation, mail, unchanged};
use super::fixtures::*;
use super::people::{NADIA, nadia};
use super::second_factors::{BEATRIZ, confirm, open, secret, with_caja};
use crate::audit::Actor;
use crate::audit::chain::Field;
use crate::store::*;

const NEW: Uuid = Uuid::from_u128(900);

fn who() -> Act {
    Act { by: Actor::Account(BEATRIZ), now: noon() }
}

fn terminal() -> Act {
    Act { by: Actor::Terminal("eva".into()), now: noon() }
}

/// Sees the acts that were appended since the last time.
struct Watch<'a> {
    store: &'a dyn Store,
    seen: usize,
}

impl<'a> Watch<'a> {
    async fn begin(store: &'a dyn Store) -> Self {
        Self { store, seen: acts(store).await.len() }
    }

    /// Word, account, about what, and what it says; sessions that ended left out.
    async fn since(&mut self) -> Vec<(String, Option<Uuid>, Option<Uuid>, Value)> {
        let new = acts(self.store).await.split_off(self.seen);
        self.seen += new.len();
        let id = |field: &Field| match field {
            Field::Bytes(bytes) => Some(Uuid::from_slice(bytes).expect("an id")),
            _ => None,
        };
        let told = |entry: crate::audit::chain::Entry| {
            let [_, _, _, about, _, account, _, document, said] = entry.columns.as_slice() else {
                panic!("columns: {:?}", entry.columns)
            };
            assert_eq!(document, &Field::Null);
            let said = match said {
                Field::Text(text) => serde_json::from_slice(text).expect("JSON"),
                _ => Value::Null,
            };
            (entry.act, id(account), id(about), said)
        };
        new.into_iter().map(told).filter(|(act, ..)| act != "SESSION_ENDED").collect()
    }

    /// There is exactly this one, of an account; gives what it says.
    async fn one(&mut self, act: &str, by: Uuid, about: Uuid) -> Value {
        let mut new = self.since().await;
        assert_eq!(new.len(), 1, "{act}: {new:?}");
        let (word, account, subject, said) = new.remove(0);
        assert_eq!((word.as_str(), account, subject), (act, Some(by), Some(about)), "{said}");
        assert_eq!(said["by"], Value::Null);
        said
    }

    /// There is exactly this one, of no account; gives what it says.
    async fn one_of(&mut self, by: &str, act: &str, about: Uuid) -> Value {
        let mut new = self.since().await;
        assert_eq!(new.len(), 1, "{act}: {new:?}");
        let (word, account, subject, said) = new.remove(0);
        assert_eq!((word.as_str(), account, subject), (act, None, Some(about)), "{said}");
        assert_eq!(said["by"], json!(by));
        said
    }

    async fn none(&mut self, why: &str) {
        assert_eq!(self.since().await, [], "{why}");
    }
}

pub async fn what_is_decided_about_businesses_is_an_act(store: &dyn Store) {
    with_caja(store).await;
    let mut acts = Watch::begin(store).await;
    let entity = |nit: &str| Entity { id: NEW, nit: nit.into(), name: "CLÍNICA".into() };
    assert_eq!(store.add_entity(entity("300"), who()).await.expect("asked"), Put::Done(()));
    acts.one("ENTITY_ADDED", BEATRIZ, NEW).await;
    assert_eq!(store.add_entity(entity("300"), who()).await.expect("asked"), Put::Done(()));
    assert_eq!(store.add_entity(entity("301"), who()).await.expect("asked"), Put::IdConflict);
    acts.none("said again, and refused").await;
    let rename = async |id, name: &str, act| store.rename_entity(id, name.into(), act).await.expect("asked");
    assert_eq!(rename(NEW, "OTRA", terminal()).await, Put::Done(()));
    assert_eq!(acts.one_of("terminal:eva", "ENTITY_CHANGED", NEW).await["name"], json!(true));
    assert_eq!(rename(NEW, "OTRA", who()).await, Put::Done(()));
    assert_eq!(rename(DEVICE, "OTRA", who()).await, Put::Unknown);
    acts.none("called so already, and nobody").await;

    let new = |code| NewBranch { entity_id: ENTITY, ..new_branch(901, code) };
    let id = new(None).id;
    let add = async |new| store.add_branch(new, who()).await.expect("asked");
    assert!(matches!(add(new(Some("SED-07"))).await, Put::Done(_)));
    let said = acts.one("BRANCH_ADDED", BEATRIZ, id).await;
    assert_eq!(said, json!({ "entity": ENTITY, "code": "SED-07" }));
    assert!(matches!(add(new(None)).await, Put::Done(_)));
    assert_eq!(add(new(Some("SED-08"))).await, Put::IdConflict);
    acts.none("said again, and refused").await;
    let close = ChangeBranch { closed: Some(true), ..ChangeBranch::default() };
    let change = async |id, change| store.change_branch(id, change, who()).await.expect("asked");
    assert!(matches!(change(id, close.clone()).await, Put::Done(_)));
    assert_eq!(acts.one("BRANCH_CHANGED", BEATRIZ, id).await, json!({ "closed": true }));
    assert!(matches!(change(id, close.clone()).await, Put::Done(_)));
    assert_eq!(change(DEVICE, close).await, Put::Unknown);
    acts.none("closed already, and nobody").await;

    let terms = AgreementTerms::usual("Gimnasio de Eva".into(), date(2026, 11, 1));
    let agreement = |daily_limit, branch| AdminAgreement {
        id: NEW,
        terms: AgreementTerms { daily_limit, ..terms.clone() },
        branches: vec![branch],
    };
    let add = async |agreement| store.add_agreement(ENTITY, agreement, who()).await.expect("asked");
    assert_eq!(add(agreement(1, ELSEWHERE)).await, Put::BranchElsewhere);
    acts.none("refused").await;
    assert_eq!(add(agreement(1, NORTH)).await, Put::Done(()));
    let said = acts.one("AGREEMENT_ADDED", BEATRIZ, NEW).await;
    assert_eq!((&said["entity"], &said["branches"]), (&json!(ENTITY), &json!([NORTH])));
    assert_eq!((&said["terms"]["daily_limit"], &said["terms"]["name"]), (&json!(1), &Value::Null));
    assert_eq!(add(agreement(1, NORTH)).await, Put::Done(()));
    assert_eq!(add(agreement(2, NORTH)).await, Put::IdConflict);
    let change = async |agreement| store.change_agreement(agreement, who()).await.expect("asked");
    assert_eq!(change(agreement(1, NORTH)).await, Put::Done(()));
    assert_eq!(change(agreement(2, ELSEWHERE)).await, Put::BranchElsewhere);
    assert_eq!(change(AdminAgreement { id: DEVICE, ..agreement(2, NORTH) }).await, Put::Unknown);
    acts.none("as before, refused, and nothing").await;
    assert_eq!(change(agreement(2, SOUTH)).await, Put::Done(()));
    let said = acts.one("AGREEMENT_CHANGED", BEATRIZ, NEW).await;
    assert_eq!((&said["terms"]["daily_limit"], &said["branches"]), (&json!(2), &json!([SOUTH])));
}

pub async fn what_the_caja_decides_about_accounts_is_an_act(store: &dyn Store) {
    with_caja(store).await;
    let mut acts = Watch::begin(store).await;
    let add = async |new, act| store.add_user(new, act).await.expect("asked");
    assert_eq!(add(NewUser { branches: vec![ELSEWHERE], ..nadia() }, who()).await, UserPut::BranchElsewhere);
    acts.none("refused").await;
    assert_eq!(add(nadia(), who()).await, UserPut::Done);
    let said = acts.one("ACCOUNT_MADE", BEATRIZ, NADIA).await;
    assert_eq!(said, json!({ "entity": ENTITY, "roles": ["OPERATOR"], "branches": [NORTH] }));
    assert_eq!(add(nadia(), who()).await, UserPut::Done);
    assert_eq!(add(NewUser { id: DEVICE, ..nadia() }, who()).await, UserPut::UsernameTaken);
    acts.none("said again, and taken").await;
    let of_the_caja = NewUser {
        id: NEW,
        entity_id: None,
        username: Redacted::new("otra@lacaja.co".into()),
        roles: vec![Role::CajaAdmin],
        branches: Vec::new(),
        mail: None,
        ..nadia()
    };
    assert_eq!(add(of_the_caja, terminal()).await, UserPut::Done);
    let said = acts.one_of("terminal:eva", "ACCOUNT_MADE", NEW).await;
    assert_eq!((&said["entity"], &said["roles"]), (&Value::Null, &json!(["CAJA_ADMIN"])));

    let change = async |id, to| store.change_account(id, to, who()).await.expect("asked");
    let to = || AdminUserChange {
        display_name: Some(Redacted::new("Ana R.".into())),
        branches: Some(vec![SOUTH]),
        ..AdminUserChange::default()
    };
    assert_eq!(change(ANA, to()).await, UserPut::Done);
    let said = acts.one("ACCOUNT_CHANGED", BEATRIZ, ANA).await;
    assert_eq!(said, json!({ "name": true, "branches": [SOUTH] }));
    assert_eq!(change(ANA, to()).await, UserPut::Done);
    let standing = |state| AdminUserChange { state: Some(state), ..AdminUserChange::default() };
    assert_eq!(change(ANA, standing(AdminUserStanding::Active)).await, UserPut::Done);
    assert_eq!(change(BEATRIZ, standing(AdminUserStanding::Suspended)).await, UserPut::LastAdministrator);
    assert_eq!(change(DEVICE, to()).await, UserPut::Unknown);
    acts.none("as before, refused, and nobody").await;
    assert_eq!(change(ANA, standing(AdminUserStanding::Suspended)).await, UserPut::Done);
    assert_eq!(acts.one("ACCOUNT_CHANGED", BEATRIZ, ANA).await, json!({ "state": "SUSPENDED" }));
    assert_eq!(change(ANA, standing(AdminUserStanding::Suspended)).await, UserPut::Done);
    acts.none("suspended already").await;

    let taken = |account_id| PasswordTaken { account_id, username_mac: Mac([3; 32]), mail: None, act: who() };
    assert!(store.take_password(taken(LUIS)).await.expect("asked"));
    acts.one("PASSWORD_TAKEN", BEATRIZ, LUIS).await;
    assert!(!store.take_password(taken(DEVICE)).await.expect("asked"));
    acts.none("nobody's").await;

    for is_new in [true, false] {
        assert!(store.revoke_device(DEVICE, noon(), Actor::Account(BEATRIZ)).await.expect("asked"));
        let new: Vec<_> = acts.since().await.into_iter().map(|(act, by, ..)| (act, by)).collect();
        assert_eq!(new.len(), usize::from(is_new), "{new:?}");
        assert!(new.iter().all(|one| *one == ("DEVICE_REVOKED".to_owned(), Some(BEATRIZ))));
    }
    for is_new in [true, false] {
        assert!(store.restore_device(DEVICE, noon(), Actor::Account(BEATRIZ)).await.expect("asked"));
        let new: Vec<_> = acts.since().await.into_iter().map(|(act, by, ..)| (act, by)).collect();
        assert_eq!(new.len(), usize::from(is_new), "{new:?}");
        assert!(new.iter().all(|one| *one == ("DEVICE_TRUSTED".to_owned(), Some(BEATRIZ))));
    }
}

pub async fn a_second_factor_that_is_set_up_and_taken_away_is_an_act(store: &dyn Store) {
    with_caja(store).await;
    assert_eq!(open(store, 10, None, noon()).await, SessionOpened::Done);
    let mut acts = Watch::begin(store).await;
    assert!(store.begin_second_factor(BEATRIZ, secret()).await.expect("asked"));
    assert_eq!(confirm(store, 10, "nada".into()).await, CodeTried::Wrong);
    acts.none("not in force yet").await;
    assert_eq!(confirm(store, 10, secret().code(noon())).await, CodeTried::Right);
    acts.one("SECOND_FACTOR_SET_UP", BEATRIZ, BEATRIZ).await;
    let reset = async |id| store.reset_second_factor(id, terminal()).await.expect("asked");
    assert!(reset(BEATRIZ).await);
    acts.one_of("terminal:eva", "SECOND_FACTOR_RESET", BEATRIZ).await;
    assert!(reset(BEATRIZ).await && !reset(DEVICE).await);
    acts.none("there is none any more, and nobody").await;
}

pub async fn what_an_administrator_decides_about_people_is_an_act(store: &dyn Store) {
    furnished(store).await;
    let mut acts = Watch::begin(store).await;
    let invite = async |new| store.invite(new).await.expect("asked");
    let new = || invitation(EVA, "eva@gym.co", Role::Operator);
    assert_eq!(invite(Invitation { branches: vec![ELSEWHERE], ..new() }).await, Invited::BranchNotAllowed);
    acts.none("refused").await;
    assert_eq!(invite(new()).await, Invited::Done);
    let said = acts.one("ACCOUNT_MADE", LUIS, EVA).await;
    assert_eq!(said, json!({ "entity": ENTITY, "roles": ["OPERATOR"], "branches": [NORTH] }));
    assert_eq!(invite(new()).await, Invited::Again);
    acts.none("said again").await;
    let again =
        |id| Reinvitation { id, entity_id: ENTITY, mail: mail(2), by: Actor::Account(LUIS), now: noon() };
    assert_eq!(store.invite_again(again(EVA)).await.expect("asked"), InvitedAgain::Done);
    acts.one("INVITATION_MAILED", LUIS, EVA).await;
    assert_eq!(store.invite_again(again(ANA)).await.expect("asked"), InvitedAgain::NotPending);
    acts.none("not pending").await;

    let change = async |change| store.change_user(change).await.expect("asked");
    let suspend = |id| UserChange { state: Some(SetState::Suspended), ..unchanged(id) };
    assert_eq!(change(suspend(ANA)).await, UserChanged::Done);
    assert_eq!(acts.one("ACCOUNT_CHANGED", LUIS, ANA).await, json!({ "state": "SUSPENDED" }));
    assert_eq!(change(suspend(ANA)).await, UserChanged::Done);
    assert_eq!(change(suspend(LUIS)).await, UserChanged::LastAdministrator);
    assert_eq!(change(suspend(DEVICE)).await, UserChanged::Unknown);
    acts.none("as before, refused, and nobody").await;
    let roles = vec![Role::Operator, Role::EntityAdmin];
    assert_eq!(change(UserChange { roles: Some(roles), ..unchanged(EVA) }).await, UserChanged::Done);
    let said = acts.one("ACCOUNT_CHANGED", LUIS, EVA).await;
    assert_eq!(said, json!({ "roles": ["OPERATOR", "ENTITY_ADMIN"] }));

    let reset = |id| UserReset {
        id,
        entity_id: ENTITY,
        password_hash: Redacted::new("$argon2id$nobody".into()),
        mail: None,
        by: Actor::Account(LUIS),
        now: noon(),
    };
    assert!(store.reset_user(reset(ANA)).await.expect("asked"));
    acts.one("PASSWORD_TAKEN", LUIS, ANA).await;
    assert!(!store.reset_user(reset(DEVICE)).await.expect("asked"));
    acts.none("nobody's").await;
}

pub async fn what_becomes_of_a_request_is_an_act(store: &dyn Store) {
    asking(store).await;
    let mut acts = Watch::begin(store).await;
    submitted(store).await;
    let said = acts.one("APPLICATION_SUBMITTED", LUIS, REQUEST).await;
    assert_eq!(said, json!({ "entity": ENTITY, "revision": 1 }));
    let again = store.submit_application(request(REQUEST, ENTITY, FILE)).await.expect("asked");
    assert_eq!(again, Submitted::Again);
    let another = store.submit_application(request(NEW, ENTITY, FILE)).await.expect("asked");
    assert_eq!(another, Submitted::AlreadyRequested);
    acts.none("said again, and asked already").await;

    let rule = async |revision, judgement, by: Actor| {
        store.rule(Ruling { by, ..ruling(REQUEST, revision, judgement) }).await.expect("asked")
    };
    let luis = || Actor::Account(LUIS);
    assert_eq!(rule(1, Judgement::Review, luis()).await, Ruled::Done);
    acts.one("APPLICATION_IN_REVIEW", LUIS, REQUEST).await;
    assert_eq!(rule(1, Judgement::Review, luis()).await, Ruled::Done);
    assert_eq!(rule(2, Judgement::Review, luis()).await, Ruled::NotPending);
    acts.none("in review already, and another revision").await;
    let reject = || Judgement::Reject("Falta la firma de Eva.".into());
    assert_eq!(rule(1, reject(), terminal().by).await, Ruled::Done);
    let said = acts.one_of("terminal:eva", "APPLICATION_REJECTED", REQUEST).await;
    assert!(!said.to_string().contains("Falta"), "{said}");
    assert_eq!(rule(1, reject(), luis()).await, Ruled::NotPending);
    acts.none("decided already").await;

    let correct = async || {
        let (id, entity_id, content) = (REQUEST, ENTITY, content(FILE, "30 %"));
        let correction = Correction { id, entity_id, revision: 1, content, by: ANA, now: noon() };
        store.correct_application(correction).await.expect("asked")
    };
    assert_eq!(correct().await, Corrected::Done);
    assert_eq!(acts.one("APPLICATION_SUBMITTED", ANA, REQUEST).await["revision"], json!(2));
    assert_eq!(correct().await, Corrected::Again);
    acts.none("said again").await;
    assert_eq!(rule(2, approve(ENTITY, 950, &[Some("GYM-77")]), luis()).await, Ruled::Done);
    let said = acts.one("APPLICATION_APPROVED", LUIS, REQUEST).await;
    assert_eq!(said["agreement"], json!(Uuid::from_u128(950)));
    assert_eq!(said["branches"], json!([Uuid::from_u128(951)]));
    assert_eq!((&said["terms"]["daily_limit"], &said["terms"]["name"]), (&json!(1), &Value::Null));
    assert_eq!(rule(2, approve(ENTITY, 960, &[None]), luis()).await, Ruled::NotPending);
    acts.none("decided already").await;
}

pub async fn an_import_that_begins_stops_or_ends_is_an_act(store: &dyn Store) {
    furnished(store).await;
    let mut acts = Watch::begin(store).await;
    let id = Uuid::from_u128;
    let begin = async |id, state| store.begin_import(new_import(id, state, noon())).await.expect("asked");
    assert_eq!(begin(81, ImportState::Running).await, Put::Done(()));
    let said = acts.one("IMPORT_BEGUN", ANA, id(81)).await;
    assert_eq!(said, json!({ "mode": "upsert", "dry_run": false }));
    assert_eq!(begin(81, ImportState::Running).await, Put::IdConflict);
    acts.none("begun already").await;
    let how = ImportHow { job: Some(id(81)), ..ImportHow::default() };
    let people = Box::new(Rows::new(vec![person(2, "1007", AffiliateStatus::Active)]));
    let counts = store.import_affiliates(people, how, noon(), Actor::Server).await.expect("asked");
    let new = acts.since().await;
    let words: Vec<&str> = new.iter().map(|(act, ..)| act.as_str()).collect();
    assert_eq!(words, ["AFFILIATES_IMPORTED", "IMPORT_ENDED"]);
    assert_eq!((new[1].2, &new[1].3["state"]), (Some(id(81)), &json!("DONE")));
    assert_eq!(new[1].3["counts"]["added"], json!(1));
    store.end_import(id(81), ended(ImportState::Done, 9, counts)).await.expect("ended");
    acts.none("it had ended").await;

    let stop = async |id| store.cancel_import(id, somebody_else()).await.expect("asked");
    assert!(stop(id(81)).await && !stop(id(99)).await);
    acts.none("too late, and none").await;
    begin(82, ImportState::Running).await;
    acts.one("IMPORT_BEGUN", ANA, id(82)).await;
    assert!(stop(id(82)).await);
    acts.one("IMPORT_STOPPED", LUIS, id(82)).await;
    assert!(stop(id(82)).await);
    acts.none("asked already").await;
    store.end_import(id(82), ended(ImportState::Cancelled, 2, None)).await.expect("ended");
    assert_eq!(acts.one_of("server", "IMPORT_ENDED", id(82)).await["state"], json!("CANCELLED"));

    begin(83, ImportState::Receiving).await;
    acts.one("IMPORT_BEGUN", ANA, id(83)).await;
    for is_new in [true, false] {
        store.forget_import(id(83), noon()).await.expect("asked");
        if is_new {
            assert_eq!(acts.one_of("server", "IMPORT_ENDED", id(83)).await["state"], Value::Null);
        } else {
            acts.none("forgotten").await;
        }
    }
    begin(84, ImportState::Running).await;
    acts.one("IMPORT_BEGUN", ANA, id(84)).await;
    for is_new in [true, false] {
        store.fail_interrupted_imports(noon()).await.expect("asked");
        if is_new {
            assert_eq!(acts.one_of("server", "IMPORT_ENDED", id(84)).await["state"], json!("FAILED"));
        } else {
            acts.none("it failed").await;
        }
    }
}

/// Not who began the imports.
fn somebody_else() -> Act {
    Act { by: Actor::Account(LUIS), now: noon() }
}
