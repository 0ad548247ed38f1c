//! Second factors.

use futures_util::future::join_all;
use hanna_domain::Redacted;
use hanna_wire::me::Role;
use hanna_wire::second_factor::SecondFactor;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::fixtures::*;
use crate::audit::Actor;
use crate::store::*;
use crate::totp::TotpSecret;

pub const BEATRIZ: Uuid = Uuid::from_u128(23);

/// The furnished database, with somebody of the caja.
pub async fn with_caja(store: &dyn Store) {
    furnished(store).await;
    let new = NewUser {
        id: BEATRIZ,
        entity_id: None,
        username: Redacted::new("beatriz".into()),
        display_name: Redacted::new("Beatriz Ávila".into()),
        roles: vec![Role::CajaAdmin],
        branches: Vec::new(),
        mail: None,
    };
    let act = Act { by: Actor::Server, now: noon() };
    assert_eq!(store.add_user(new, act).await.expect("asked"), UserPut::Done);
}

pub(super) fn secret() -> TotpSecret {
    TotpSecret::new([7; 20])
}

fn code(now: Timestamp) -> OneTimeCode {
    OneTimeCode::Totp(Redacted::new(secret().code(now)))
}

/// She was given no password yet.
fn of_beatriz(byte: u8) -> Opening {
    Opening { password_hash: Redacted::new(String::new()), ..opening(byte, BEATRIZ) }
}

pub(super) async fn open(
    store: &dyn Store,
    byte: u8,
    otp: Option<OneTimeCode>,
    now: Timestamp,
) -> SessionOpened {
    let tokens = tokens(byte, now);
    store.open_session(Opening { otp, tokens, now, ..of_beatriz(byte) }).await.expect("asked")
}

async fn has(store: &dyn Store, byte: u8) -> Option<SecondFactor> {
    store.caller(hash(byte), noon()).await.expect("asked").map(|caller| caller.second_factor)
}

pub(super) async fn confirm(store: &dyn Store, byte: u8, otp: String) -> CodeTried {
    let confirmation = FactorConfirmation {
        account_id: BEATRIZ,
        session_id: Uuid::from_u128(byte.into()),
        otp: Redacted::new(otp),
        recovery_codes: vec![Mac([1; 32]), Mac([2; 32])],
        now: noon(),
    };
    store.confirm_second_factor(confirmation).await.expect("asked")
}

/// With the second factor in force, and session 10.
async fn set_up(store: &dyn Store) {
    with_caja(store).await;
    assert_eq!(open(store, 10, None, noon()).await, SessionOpened::Done);
    assert!(store.begin_second_factor(BEATRIZ, secret()).await.expect("asked"));
    assert_eq!(confirm(store, 10, secret().code(noon())).await, CodeTried::Right);
}

pub async fn a_second_factor_is_in_force_once_it_is_confirmed(store: &dyn Store) {
    with_caja(store).await;
    assert_eq!(has(store, 1).await, Some(SecondFactor::NotNeeded), "an operator's session");
    assert_eq!(open(store, 10, None, noon()).await, SessionOpened::Done);
    assert_eq!(open(store, 11, None, noon()).await, SessionOpened::Done);
    assert_eq!(has(store, 10).await, Some(SecondFactor::ToSetUp));
    assert_eq!(confirm(store, 10, secret().code(noon())).await, CodeTried::Gone, "there is no secret");
    assert!(store.begin_second_factor(BEATRIZ, TotpSecret::new([9; 20])).await.expect("asked"));
    assert!(store.begin_second_factor(BEATRIZ, secret()).await.expect("asked"), "in its place");
    assert_eq!(open(store, 12, None, noon()).await, SessionOpened::Done, "not in force yet");
    assert_eq!(confirm(store, 10, "nada".into()).await, CodeTried::Wrong);
    assert_eq!(confirm(store, 10, secret().code(noon())).await, CodeTried::Right);

    assert_eq!(has(store, 10).await, Some(SecondFactor::SetUp));
    assert_eq!((has(store, 11).await, has(store, 12).await), (None, None), "the others have ended");
    assert!(!store.begin_second_factor(BEATRIZ, secret()).await.expect("asked"), "one is in force");
    assert_eq!(open(store, 13, None, noon()).await, SessionOpened::SecondFactorRequired);
    assert_eq!(has(store, 13).await, None);

    let act = Act { by: Actor::Server, now: noon() };
    assert!(store.reset_second_factor(BEATRIZ, act.clone()).await.expect("asked"));
    assert_eq!(has(store, 10).await, None);
    assert_eq!(open(store, 14, None, noon()).await, SessionOpened::Done);
    assert_eq!(has(store, 14).await, Some(SecondFactor::ToSetUp));
    assert!(!store.reset_second_factor(DEVICE, act).await.expect("asked"), "there is no such account");
}

pub async fn a_code_and_a_recovery_code_serve_once(store: &dyn Store) {
    set_up(store).await;
    assert_eq!(open(store, 20, Some(code(noon())), noon()).await, SessionOpened::CodeWrong, "it confirmed");
    let later = noon() + 30.seconds();
    assert_eq!(open(store, 21, Some(code(later)), later).await, SessionOpened::Done);
    assert_eq!(has(store, 21).await, Some(SecondFactor::SetUp));
    assert_eq!(open(store, 22, Some(code(later)), later).await, SessionOpened::CodeWrong);
    let recovery = |byte| Some(OneTimeCode::Recovery(Mac([byte; 32])));
    assert_eq!(open(store, 23, recovery(1), later).await, SessionOpened::Done);
    assert_eq!(open(store, 24, recovery(1), later).await, SessionOpened::CodeWrong);
    assert_eq!(open(store, 25, recovery(3), later).await, SessionOpened::CodeWrong);
    assert_eq!(open(store, 26, recovery(2), later).await, SessionOpened::Done);
}

pub async fn one_code_given_at_once_serves_one(store: &dyn Store) {
    set_up(store).await;
    let later = noon() + 30.seconds();
    let tries = (30..38).map(|byte| {
        let device_id = Uuid::from_u128(1_000 + u128::from(byte));
        let tokens = tokens(byte, later);
        let opening = Opening { otp: Some(code(later)), now: later, tokens, device_id, ..of_beatriz(byte) };
        store.open_session(opening)
    });
    let opened = join_all(tries).await.into_iter().map(|opened| opened.expect("asked"));
    assert_eq!(opened.filter(|opened| *opened == SessionOpened::Done).count(), 1);
}
