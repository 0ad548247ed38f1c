//! Accounts, codes and mails.

use futures_util::future::join_all;
use hanna_domain::Redacted;
use hanna_wire::account::RegistrationState;
use hanna_wire::me::Role;
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::acts_since;
use super::fixtures::*;
use crate::audit::Actor;
use crate::audit::chain::{Field, Head};
use crate::mail::MailKind;
use crate::store::*;

const RIGHT: Mac = Mac([1; 32]);
const WRONG: Mac = Mac([2; 32]);
const NEWCOMER: &str = "Nadia@Gym-Nuevo.co";

fn subject(byte: u8) -> Mac {
    Mac([byte; 32])
}

fn mail(id: u128, kind: MailKind) -> Mail {
    Mail::new(Uuid::from_u128(id), kind, &Redacted::new(NEWCOMER.into()), &[("code", "048213")], noon())
}

fn ask(byte: u8, username: &str, now: Timestamp) -> CodeAsk {
    let id = u128::from(byte) * 1000 + u128::try_from(now.as_second() % 1000).expect("small");
    CodeAsk {
        subject: subject(byte),
        username_key: username.to_lowercase(),
        if_known: Letter { code: Mac([9; 32]), mail: Some(mail(id, MailKind::AlreadyRegistered)) },
        if_unknown: Letter { code: RIGHT, mail: Some(mail(id, MailKind::RegistrationCode)) },
        at_terminal: false,
        now,
    }
}

fn registration(id: u8, email: &str, now: Timestamp) -> NewRegistration {
    NewRegistration {
        id: Uuid::from_u128(id.into()),
        applicant: Applicant {
            nit: "899999068-1".into(),
            entity_name: "GYM NUEVO".into(),
            display_name: Redacted::new("Nadia Núñez".into()),
            email: Redacted::new(email.into()),
            phone: Redacted::new("3001234567".into()),
            privacy_notice: "2026-11".into(),
        },
        password_hash: Redacted::new("$argon2id$nadia".into()),
        ask: ask(id, email, now),
    }
}

async fn confirm(store: &dyn Store, id: u8, code: Mac, now: Timestamp) -> CodeTried {
    let confirmation = Confirmation {
        id: Uuid::from_u128(id.into()),
        subject: subject(id),
        code,
        account_id: Uuid::from_u128(u128::from(id) + 900),
        now,
    };
    store.confirm_registration(confirmation).await.expect("asked")
}

async fn approve(store: &dyn Store, id: u8) -> Decided {
    let approval = Approval {
        id: Uuid::from_u128(id.into()),
        entity_id: Uuid::from_u128(u128::from(id) + 800),
        by: Actor::Server,
        mail: mail(u128::from(id) + 700, MailKind::AccountApproved),
        now: noon(),
    };
    store.approve_registration(approval).await.expect("asked")
}

async fn state(store: &dyn Store, id: u8) -> Option<RegistrationState> {
    store
        .registration(Uuid::from_u128(id.into()))
        .await
        .expect("asked")
        .map(|registration| registration.state)
}

/// What is in the queue, by kind; it is taken out.
async fn mailed(store: &dyn Store) -> Vec<MailKind> {
    let turn = store.next_mails(noon(), noon(), 100).await.expect("asked");
    for mail in &turn.mails {
        store.mail_sent(mail.id).await.expect("told");
    }
    turn.mails.into_iter().map(|mail| mail.kind).collect()
}

pub async fn a_registration_becomes_an_account_that_the_caja_approves(store: &dyn Store) {
    furnished(store).await;
    assert_eq!(store.register(registration(1, NEWCOMER, noon())).await.expect("asked"), Registered::Kept);
    assert_eq!(store.register(registration(1, NEWCOMER, noon())).await.expect("asked"), Registered::Again);
    let other = registration(1, "otra@gym-nuevo.co", noon());
    assert_eq!(store.register(other).await.expect("asked"), Registered::IdConflict);
    assert_eq!(mailed(store).await, [MailKind::RegistrationCode], "once");
    assert!(
        store.credentials("nadia@gym-nuevo.co".into()).await.expect("asked").is_none(),
        "not before the code"
    );
    assert_eq!(approve(store, 1).await, Decided::NotPending);

    assert_eq!(confirm(store, 1, WRONG, noon()).await, CodeTried::Wrong);
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Right);
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Right, "an answer may be lost");
    assert_eq!(state(store, 1).await, Some(RegistrationState::Pending));
    let known = store.credentials("nadia@gym-nuevo.co".into()).await.expect("asked").expect("there");
    assert_eq!((known.state, known.password_hash.as_str()), (AccountState::Pending, "$argon2id$nadia"));
    let kept = store.registration(Uuid::from_u128(1)).await.expect("asked").expect("there");
    assert_eq!(kept.password_hash, None, "the account has it");

    let pending = store.registrations(Some(RegistrationState::Pending)).await.expect("asked");
    assert_eq!(pending.iter().map(|registration| registration.id.as_u128()).collect::<Vec<_>>(), [1]);
    assert_eq!(approve(store, 1).await, Decided::Done);
    assert_eq!(approve(store, 1).await, Decided::NotPending);
    assert_eq!(mailed(store).await, [MailKind::AccountApproved]);
    let known = store.credentials("nadia@gym-nuevo.co".into()).await.expect("asked").expect("there");
    assert_eq!(known.state, AccountState::Active);
    let seen = store.surroundings(known.account_id, date(2026, 11, 22)).await.expect("asked").expect("there");
    assert_eq!(
        seen.entity.map(|entity| (entity.nit, entity.name)),
        Some(("899999068-1".into(), "GYM NUEVO".into()))
    );
    assert_eq!(seen.roles, [Role::EntityAdmin, Role::Operator]);
    assert_eq!(seen.operator.username, NEWCOMER);

    // A second one of the same entity.
    store.register(registration(2, "luz@gym-nuevo.co", noon())).await.expect("asked");
    assert_eq!(confirm(store, 2, RIGHT, noon()).await, CodeTried::Right);
    assert_eq!(approve(store, 2).await, Decided::Done);
    let luz = store.credentials("luz@gym-nuevo.co".into()).await.expect("asked").expect("there");
    let seen = store.surroundings(luz.account_id, date(2026, 11, 22)).await.expect("asked").expect("there");
    assert_eq!(seen.roles, [Role::Operator], "the entity has its administrator");
    let each = ["REGISTERED", "REGISTRATION_CONFIRMED", "REGISTRATION_APPROVED"];
    assert_eq!(acts_since(store).await, [each, each].concat(), "what was done, once");
}

pub async fn a_rejected_registration_leaves_the_user_name_free(store: &dyn Store) {
    furnished(store).await;
    store.register(registration(1, NEWCOMER, noon())).await.expect("asked");
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Right);
    mailed(store).await;
    let rejection = Rejection {
        id: Uuid::from_u128(1),
        reason: "El NIT no coincide.".into(),
        by: Actor::Account(LUIS),
        mail: mail(50, MailKind::AccountRejected),
        now: noon(),
    };
    assert_eq!(store.reject_registration(rejection.clone()).await.expect("asked"), Decided::Done);
    assert_eq!(store.reject_registration(rejection).await.expect("asked"), Decided::NotPending);
    assert_eq!(mailed(store).await, [MailKind::AccountRejected]);
    let kept = store.registration(Uuid::from_u128(1)).await.expect("asked").expect("on record");
    assert_eq!(
        (kept.state, kept.reason.as_deref()),
        (RegistrationState::Rejected, Some("El NIT no coincide."))
    );
    assert!(store.credentials("nadia@gym-nuevo.co".into()).await.expect("asked").is_none());
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Gone);
    assert_eq!(store.register(registration(2, NEWCOMER, noon())).await.expect("asked"), Registered::Kept);
    assert_eq!(confirm(store, 2, RIGHT, noon()).await, CodeTried::Right);
    let each = ["REGISTERED", "REGISTRATION_CONFIRMED", "REGISTRATION_REJECTED"];
    assert_eq!(acts_since(store).await, [&each[..], &each[..2]].concat());
    let unsealed = store.unsealed(Head::NONE, 100).await.expect("asked");
    let by_luis = Field::Bytes(LUIS.as_bytes().to_vec());
    let who: Vec<&str> = unsealed
        .entries
        .iter()
        .filter(|entry| entry.columns.contains(&by_luis))
        .map(|entry| entry.act.as_str())
        .collect();
    assert_eq!(who, ["REGISTRATION_REJECTED"]);
}

pub async fn whoever_has_an_account_is_mailed_that_and_no_code(store: &dyn Store) {
    furnished(store).await;
    assert_eq!(
        store.register(registration(1, "ANA", noon())).await.expect("asked"),
        Registered::Kept,
        "as always"
    );
    assert_eq!(mailed(store).await, [MailKind::AlreadyRegistered]);
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Wrong);

    // Two registrations of one address: the first code that comes back decides.
    store.register(registration(2, NEWCOMER, noon())).await.expect("asked");
    store.register(registration(3, NEWCOMER, noon())).await.expect("asked");
    assert_eq!(confirm(store, 3, RIGHT, noon()).await, CodeTried::Right);
    assert_eq!(confirm(store, 2, RIGHT, noon()).await, CodeTried::Gone);
    assert_eq!(state(store, 2).await, Some(RegistrationState::Unconfirmed));
}

pub async fn codes_are_counted_and_replaced(store: &dyn Store) {
    furnished(store).await;
    store.register(registration(1, NEWCOMER, noon())).await.expect("asked");
    for _ in 0..5 {
        assert_eq!(confirm(store, 1, WRONG, noon()).await, CodeTried::Wrong);
    }
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Gone, "tried too often");
    let again = |now| {
        store.ask_code(CodeAsk { if_unknown: Letter { code: WRONG, mail: None }, ..ask(1, NEWCOMER, now) })
    };
    assert_eq!(again(noon()).await.expect("asked"), CodeAsked::Wait(noon() + 60.seconds()));
    let later = noon() + 60.seconds();
    assert_eq!(again(later).await.expect("asked"), CodeAsked::Sent);
    assert_eq!(confirm(store, 1, RIGHT, later).await, CodeTried::Wrong, "replaced");
    assert_eq!(confirm(store, 1, WRONG, later + 30.minutes()).await, CodeTried::Gone, "too old");
    assert_eq!(confirm(store, 7, RIGHT, noon()).await, CodeTried::Gone, "never asked for");
    assert_eq!(confirm(store, 1, WRONG, later).await, CodeTried::Right);

    // What nobody confirmed is forgotten after a day.
    store.register(registration(4, "lea@gym-nuevo.co", noon())).await.expect("asked");
    store.register(registration(5, "eva@gym-nuevo.co", noon() + 25.hours())).await.expect("asked");
    assert_eq!(state(store, 4).await, None);
    assert_eq!(state(store, 1).await, Some(RegistrationState::Pending), "who confirmed is not");
}

pub async fn a_password_is_changed_and_the_other_sessions_end(store: &dyn Store) {
    furnished(store).await;
    store.open_session(opening(2, ANA)).await.expect("a second session");
    let own = store.own_password(ANA).await.expect("asked").expect("there");
    assert_eq!((own.username.as_str(), own.display_name.as_str()), ("ana", "ANA"));
    assert!(store.own_password(ENTITY).await.expect("asked").is_none());
    let change = PasswordChange {
        account_id: ANA,
        was: Redacted::new("$argon2id$".into()),
        password_hash: Redacted::new("$argon2id$new".into()),
        keep: Uuid::from_u128(2),
        mail: Some(mail(60, MailKind::PasswordChanged)),
        now: noon(),
    };
    let of_before =
        PasswordChange { password_hash: Redacted::new("$argon2id$late".into()), ..change.clone() };
    assert!(store.change_password(change).await.expect("changed"));
    assert!(!store.change_password(of_before).await.expect("asked"), "what was right is not any more");
    // A sign-in under way with the password of before.
    assert_eq!(store.open_session(opening(3, ANA)).await.expect("asked"), SessionOpened::NotGood);
    assert!(store.caller(hash(3), noon()).await.expect("asked").is_none());
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_none());
    assert!(store.caller(hash(2), noon()).await.expect("asked").is_some());
    assert_eq!(mailed(store).await, [MailKind::PasswordChanged]);
    let known = store.credentials("ana".into()).await.expect("asked").expect("there");
    assert_eq!(known.password_hash, "$argon2id$new");
    assert_eq!(acts_since(store).await, ["SIGN_IN", "SESSION_ENDED", "PASSWORD_CHANGED"]);
}

pub async fn a_forgotten_password_takes_a_code_that_serves_once(store: &dyn Store) {
    furnished(store).await;
    let username_mac = Mac([77; 32]);
    while store.count_attempt(username_mac, noon()).await.expect("counted") == Admission::Admitted {}
    let forgotten = |byte, username: &str, now| CodeAsk {
        if_known: Letter { code: RIGHT, mail: Some(mail(u128::from(byte), MailKind::PasswordCode)) },
        if_unknown: Letter { code: Mac([9; 32]), mail: None },
        ..ask(byte, username, now)
    };
    let reset = |byte, username: &str, code| PasswordReset {
        subject: subject(byte),
        code,
        spent: Mac([7; 32]),
        username_key: username.to_owned(),
        username_mac,
        password_hash: Redacted::new("$argon2id$reset".into()),
        mail: mail(70, MailKind::PasswordChanged),
        now: noon(),
    };
    let tried = async |reset| store.reset_password(reset).await.expect("asked");

    assert_eq!(tried(reset(1, "ana", RIGHT)).await, CodeTried::Gone, "never asked for");
    for (byte, username) in [(1, "ana"), (2, "nadie")] {
        assert_eq!(store.ask_code(forgotten(byte, username, noon())).await.expect("asked"), CodeAsked::Sent);
        let wait = CodeAsked::Wait(noon() + 60.seconds());
        assert_eq!(store.ask_code(forgotten(byte, username, noon())).await.expect("asked"), wait, "alike");
        assert_eq!(tried(reset(byte, username, WRONG)).await, CodeTried::Wrong);
    }
    assert_eq!(mailed(store).await, [MailKind::PasswordCode], "to whom there is");
    let told = Letter { code: RIGHT, mail: None };
    let told = CodeAsk { if_known: told, at_terminal: true, ..forgotten(1, "ana", noon()) };
    assert_eq!(store.ask_code(told).await.expect("asked"), CodeAsked::Sent, "at the terminal nobody waits");
    assert_eq!(tried(reset(2, "nadie", RIGHT)).await, CodeTried::Wrong);

    assert_eq!(tried(reset(1, "ana", RIGHT)).await, CodeTried::Right);
    assert_eq!(tried(reset(1, "ana", RIGHT)).await, CodeTried::Right, "its end may not have been heard of");
    let other = PasswordReset { spent: Mac([8; 32]), ..reset(1, "ana", RIGHT) };
    assert_eq!(tried(other).await, CodeTried::Wrong, "once");
    let known = store.credentials("ana".into()).await.expect("asked").expect("there");
    assert_eq!(known.password_hash, "$argon2id$reset");
    assert!(store.caller(hash(1), noon()).await.expect("asked").is_none(), "every session ended");
    assert_eq!(store.count_attempt(username_mac, noon()).await.expect("counted"), Admission::Admitted);
    assert_eq!(mailed(store).await, [MailKind::PasswordChanged]);
    assert_eq!(acts_since(store).await, ["SESSION_ENDED", "PASSWORD_RESET"]);
}

pub async fn mails_wait_their_turn_until_they_are_sent_or_expire(store: &dyn Store) {
    furnished(store).await;
    for (id, username) in [(1, "a@a.co"), (2, "b@b.co"), (3, "c@c.co")] {
        store.register(registration(id, username, noon())).await.expect("asked");
    }
    let next = async |now, limit| {
        let turn = store.next_mails(now, now + 3.minutes(), limit).await.expect("asked");
        (turn.mails, turn.expired)
    };
    let (mut first, _) = next(noon(), 2).await;
    assert_eq!(first.len(), 2);
    let (second, _) = next(noon(), 2).await;
    assert_eq!(second.len(), 1, "what another has is not given again");
    assert_eq!(next(noon(), 2).await, (vec![], 0));
    let sent = first.remove(0);
    assert_eq!((sent.attempts, sent.recipient.expose().as_str()), (1, NEWCOMER));
    assert_eq!(sent.fields.expose().get("code").map(String::as_str), Some("048213"));
    assert_eq!((sent.made_at, sent.expires_at), (noon(), noon() + 30.minutes()));
    store.mail_sent(sent.id).await.expect("told");
    store.mail_sent(sent.id).await.expect("told twice");
    store.mail_failed(second[0].id, noon() + 10.seconds()).await.expect("told");

    let (again, _) = next(noon() + 10.seconds(), 9).await;
    assert_eq!(again.iter().map(|mail| (mail.id, mail.attempts)).collect::<Vec<_>>(), [(second[0].id, 2)]);
    store.mail_sent(again[0].id).await.expect("told");
    let (again, _) = next(noon() + 3.minutes(), 9).await;
    assert_eq!(
        again.iter().map(|mail| mail.id).collect::<Vec<_>>(),
        [first[0].id],
        "its sender said nothing"
    );
    assert_eq!(next(noon() + 30.minutes(), 9).await, (vec![], 1), "nobody wants it any more");
    assert_eq!(next(noon() + 30.minutes(), 9).await, (vec![], 0));
}

pub async fn attempts_at_a_code_at_once_cannot_outrun_the_count(store: &dyn Store) {
    furnished(store).await;
    store.register(registration(1, NEWCOMER, noon())).await.expect("asked");
    let tried = join_all((0..12).map(|_| confirm(store, 1, WRONG, noon()))).await;
    assert_eq!(tried.iter().filter(|tried| **tried == CodeTried::Wrong).count(), 5, "{tried:?}");
    assert_eq!(confirm(store, 1, RIGHT, noon()).await, CodeTried::Gone);

    let asked = join_all((0..6).map(|_| store.ask_code(ask(2, "nadie", noon())))).await;
    let sent = asked.iter().filter(|asked| matches!(asked, Ok(CodeAsked::Sent))).count();
    assert_eq!(sent, 1, "{asked:?}");
}

pub async fn one_address_confirmed_at_once_is_one_account(store: &dyn Store) {
    furnished(store).await;
    for id in 1..=6 {
        store.register(registration(id, NEWCOMER, noon())).await.expect("asked");
    }
    let tried = join_all((1..=6).map(|id| confirm(store, id, RIGHT, noon()))).await;
    assert_eq!(tried.iter().filter(|tried| **tried == CodeTried::Right).count(), 1, "{tried:?}");
    let pending = store.registrations(Some(RegistrationState::Pending)).await.expect("asked");
    assert_eq!(pending.len(), 1);
}

pub async fn accounts_approved_at_once_have_one_entity_and_one_administrator(store: &dyn Store) {
    furnished(store).await;
    for id in 1..=6 {
        let email = format!("persona{id}@gym-nuevo.co");
        store.register(registration(id, &email, noon())).await.expect("asked");
        assert_eq!(confirm(store, id, RIGHT, noon()).await, CodeTried::Right);
    }
    // Each of them twice: one of the two decides.
    let decided = join_all((1..=6).chain(1..=6).map(|id| approve(store, id))).await;
    assert_eq!(decided.iter().filter(|decided| **decided == Decided::Done).count(), 6, "{decided:?}");
    let mut entities = Vec::new();
    let mut administrators = 0;
    for id in 1..=6_u128 {
        let seen = store.surroundings(Uuid::from_u128(id + 900), date(2026, 11, 22)).await;
        let seen = seen.expect("asked").expect("there");
        entities.extend(seen.entity.map(|entity| entity.id));
        administrators += usize::from(seen.roles.contains(&Role::EntityAdmin));
    }
    entities.dedup();
    assert_eq!((entities.len(), administrators), (1, 1));
}

pub async fn senders_at_once_get_each_mail_once(store: &dyn Store) {
    furnished(store).await;
    for id in 1..=9 {
        let email = format!("persona{id}@gym-nuevo.co");
        store.register(registration(id, &email, noon())).await.expect("asked");
    }
    let turns = join_all((0..9).map(|_| store.next_mails(noon(), noon() + 3.minutes(), 4))).await;
    let mut ids: Vec<Uuid> =
        turns.into_iter().flat_map(|turn| turn.expect("asked").mails).map(|mail| mail.id).collect();
    let given = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), given, "to one sender each");
    let rest = store.next_mails(noon(), noon() + 3.minutes(), 100).await.expect("asked");
    assert_eq!(given + rest.mails.len(), 9, "none is passed over for good");
}
