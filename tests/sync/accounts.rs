//! Somebody creates an account at a desk, forgets its password, and changes it.

use std::path::PathBuf;

use hanna_desk::account::RegistrationForm;
use hanna_desk::{Desk, ErrorCode};
use hanna_domain::Redacted;
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use hanna_testkit::server::TestServer;
use hanna_wire::account::RegistrationState;

use crate::Story;

pub const EMAIL: &str = "nadia@gym-nuevo.co";
pub const PASSWORD: &str = "cuatro xilofonos";
pub const SECOND: &str = "cinco trompetas";

pub fn secret(text: &str) -> Redacted<String> {
    Redacted::new(text.to_owned())
}

pub fn form(email: &str) -> RegistrationForm {
    RegistrationForm {
        nit: "899.999.068-1".into(),
        entity_name: " GYM NUEVO ".into(),
        display_name: secret("Nadia Núñez"),
        email: secret(email),
        phone: secret("300 123 45 67"),
        password: secret(PASSWORD),
        privacy_notice: "2026-11".into(),
    }
}

/// What the server has mailed, in the order of time.
pub async fn mails(server: &TestServer) -> Vec<String> {
    server.app().deliver_mail().await.expect("delivered");
    let folder = server.folder.path().join("mail");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a mail")).collect()
}

pub fn code_in(mail: &str) -> Redacted<String> {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    secret(mail.lines().find(is_code).expect("a code"))
}

async fn enter(desk: &Desk, password: &str) -> Result<(), ErrorCode> {
    desk.sign_in(EMAIL, &secret(password)).await.map(drop).map_err(|error| error.code())
}

#[tokio::test]
async fn a_registration_whose_answer_was_lost_is_the_same_when_it_is_sent_again() {
    let clock = HandClock::new();
    let server = TestServer::start(&clock).await;
    let desk = TestDesk::new(&server.url(), &clock, 1);
    desk.line.next(Fault::LoseAnswer);
    let lost = desk.register(&form(EMAIL)).await.expect_err("no answer");
    assert_eq!(lost.code(), ErrorCode::ServerUnreachable);
    let sent = desk.register(&form(EMAIL)).await.expect("sent");
    let mailed = mails(&server).await;
    assert_eq!(mailed.len(), 1, "one registration, one mail");
    let other = desk.register(&form("nadia.nunez@gym-nuevo.co")).await.expect("sent");
    assert_ne!(other.registration_id, sent.registration_id, "what was corrected is another one");

    let id = sent.registration_id.expect("an id");
    let code = code_in(&mailed[0]);
    desk.line.next(Fault::LoseAnswer);
    desk.confirm_account(id, &code).await.expect_err("no answer");
    desk.confirm_account(id, &code).await.expect("confirmed all the same");
    assert_eq!(enter(&desk, PASSWORD).await, Err(ErrorCode::AccountNotActive));
    let pending = server.app().registrations(Some(RegistrationState::Pending)).await.expect("asked");
    assert_eq!(pending.len(), 1);
    assert_eq!(
        (pending[0].applicant.nit.as_str(), pending[0].applicant.entity_name.as_str()),
        ("899999068-1", "GYM NUEVO")
    );
    assert_eq!(pending[0].applicant.phone.expose(), "3001234567");
    server.app().approve_account(id, None).await.expect("approved");
    assert_eq!(enter(&desk, PASSWORD).await, Ok(()));
    assert_eq!(desk.session().expect("signed in").applications[0].state.code(), "NOT_REQUESTED");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_before_the_server_is_asked() {
    let mut story = Story::begin().await;
    story.server.stop().await;
    let wrong = async |change: fn(&mut RegistrationForm)| {
        let mut form = form(EMAIL);
        change(&mut form);
        story.desk.register(&form).await.expect_err("refused").code()
    };
    assert_eq!(wrong(|form| form.nit = "899999068-2".into()).await, ErrorCode::NitCheckDigitWrong);
    assert_eq!(wrong(|form| form.email = secret("nadia")).await, ErrorCode::EmailInvalid);
    assert_eq!(wrong(|form| form.phone = secret("no")).await, ErrorCode::PhoneInvalid);
    assert_eq!(wrong(|form| form.password = secret("gym nuevo nadia")).await, ErrorCode::WeakPassword);
    assert_eq!(wrong(|_| {}).await, ErrorCode::ServerUnreachable, "nothing was wrong");
}

#[tokio::test]
async fn a_changed_password_opens_this_pc_too_and_ends_the_other_sessions() {
    let mut story = Story::begin().await;
    let account = story.server.demo.accounts[0].clone();
    let other = TestDesk::signed_in(&story.server, &story.clock, 2).await;
    let change = async |current: &str, next: &str| {
        story.desk.change_password(&secret(current), &secret(next)).await.map_err(|error| error.code())
    };
    assert_eq!(change("no es", SECOND).await, Err(ErrorCode::WrongCredentials));
    assert_eq!(change(&account.password, "colombia2026").await, Err(ErrorCode::WeakPassword));
    assert_eq!(change(&account.password, SECOND).await, Ok(()));
    story.desk.refresh_session().await.expect("this session goes on");
    let ended = other.refresh_session().await.expect_err("the other one ended");
    assert_eq!(ended.code(), ErrorCode::SessionExpired);

    // Without the server and after a restart: the key of the databases, and the operator, know the new one.
    story.server.stop().await;
    story.desk.switch_off();
    story.desk.switch_on().await.expect("opened");
    let come_back = async |password: &str| {
        story.desk.sign_in(&account.username, &secret(password)).await.map(drop).map_err(|error| error.code())
    };
    assert_eq!(come_back(&account.password).await, Err(ErrorCode::WrongCredentials));
    assert_eq!(come_back(SECOND).await, Ok(()));
}

#[tokio::test]
async fn a_forgotten_password_is_set_with_the_code_of_the_mail() {
    let story = Story::begin().await;
    let account = story.server.demo.accounts[0].clone();
    let email = secret(&account.username);
    story.desk.forgot_password(&email).await.expect("sent");
    let early = story.desk.forgot_password(&email).await.expect_err("too soon");
    assert_eq!(early.code(), ErrorCode::SlowDown);
    let code = code_in(&mails(&story.server).await[0]);
    let reset = async |code: &Redacted<String>| {
        story.desk.reset_password(&email, code, &secret(SECOND)).await.map_err(|error| error.code())
    };
    assert_eq!(reset(&secret("no")).await, Err(ErrorCode::CodeWrong));
    assert_eq!(reset(&code).await, Ok(()));
    assert_eq!(reset(&code).await, Err(ErrorCode::CodeWrong), "once");
    let session = story.desk.sign_in(&account.username, &secret(SECOND)).await;
    assert_eq!(session.expect("signed in").operator.username, account.username);
    // A registration that waits for its code is known after a restart, once somebody has opened the databases.
    let id = story.desk.register(&form(EMAIL)).await.expect("sent").registration_id;
    assert_eq!(story.desk.start().registration.map(|pending| pending.id), id);
}
