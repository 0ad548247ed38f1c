use axum::http::StatusCode;
use hanna_wire::account::RegistrationState;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::Decision;
use crate::testing::{Answer, Bench, code_in, has_code};

const PASSWORD: &str = "cuatro xilofonos";

fn registration(id: Uuid, email: &str) -> Value {
    json!({
        "id": id, "nit": "899999068-1", "entity_name": "GYM NUEVO", "display_name": "Nadia Núñez", "email": email,
        "phone": "3001234567", "password": PASSWORD, "privacy_notice": "2026-11",
    })
}

async fn confirm(bench: &Bench, id: Uuid, code: &str) -> Answer {
    bench.post(path::ACCOUNTS_CONFIRM, &json!({ "id": id, "code": code })).await
}

async fn sign_in(bench: &Bench, password: &str) -> Answer {
    bench.sign_in("nadia@gym-nuevo.co", password, bench.id(), "PC").await
}

/// Registers and confirms.
async fn pending(bench: &Bench) -> Uuid {
    let id = bench.id();
    bench.post(path::ACCOUNTS, &registration(id, "Nadia@gym-nuevo.co")).await;
    let code = code_in(&bench.mails().await[0]);
    assert_eq!(confirm(bench, id, &code).await.status, StatusCode::NO_CONTENT);
    id
}

#[tokio::test]
async fn from_the_form_to_the_first_sign_in() {
    let bench = Bench::open().await;
    let id = bench.id();
    let answer = bench.post(path::ACCOUNTS, &registration(id, "Nadia@gym-nuevo.co")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    assert_eq!(answer.body, json!({ "expires_in_s": 1800, "again_in_s": 60 }));
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("To: Nadia@gym-nuevo.co"));
    let code = code_in(&mails[0]);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(confirm(&bench, id, wrong).await.code(), "CODE_WRONG");
    assert_eq!(sign_in(&bench, PASSWORD).await.code(), "WRONG_CREDENTIALS");
    assert_eq!(confirm(&bench, id, &code).await.status, StatusCode::NO_CONTENT);
    assert_eq!(sign_in(&bench, PASSWORD).await.code(), "ACCOUNT_NOT_ACTIVE");

    assert_eq!(bench.app.approve_account(bench.id(), None).await.expect("asked"), Decision::Unknown);
    assert_eq!(bench.app.approve_account(id, None).await.expect("asked"), Decision::Done);
    assert_eq!(bench.app.approve_account(id, None).await.expect("asked"), Decision::NotPending);
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("GYM NUEVO"), "{mails:?}");
    let signed_in = sign_in(&bench, PASSWORD).await;
    assert_eq!(signed_in.status, StatusCode::OK);
    let authorization = format!("Bearer {}", signed_in.body["access_token"].as_str().expect("a token"));
    let me = bench.get(path::ME, Some(&authorization)).await.body;
    assert_eq!(me["entity"]["nit"], "899999068-1");
    assert_eq!(me["applications"][0]["state"], "NOT_REQUESTED");
    assert_eq!(me["roles"], json!(["ENTITY_ADMIN", "OPERATOR"]));
}

#[tokio::test]
async fn a_rejection_is_mailed_with_its_reason_and_one_may_register_again() {
    let bench = Bench::open().await;
    let id = pending(&bench).await;
    assert!(bench.app.reject_account(id, " ", None).await.is_err(), "a reason is needed");
    let reject = bench.app.reject_account(id, "El NIT es de otra empresa.", None);
    assert_eq!(reject.await.expect("asked"), Decision::Done);
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("El NIT es de otra empresa."), "{mails:?}");
    assert_eq!(sign_in(&bench, PASSWORD).await.code(), "WRONG_CREDENTIALS");
    let rejected = bench.app.registrations(Some(RegistrationState::Rejected)).await.expect("asked");
    assert_eq!(rejected.len(), 1);
    pending(&bench).await;
}

#[tokio::test]
async fn nobody_learns_whether_there_is_an_account() {
    let bench = Bench::open().await;
    let (known, unknown) = ("ana.rodriguez@gymcaribe.co", "nadie@gymcaribe.co");
    let mut told = Vec::new();
    for email in [known, unknown] {
        let id = bench.id();
        let mut answers = vec![bench.post(path::ACCOUNTS, &registration(id, email)).await];
        answers.push(bench.post(path::ACCOUNTS_CODE, &json!({ "id": id })).await);
        answers.push(bench.post(path::PASSWORD_FORGOT, &json!({ "email": email })).await);
        answers.push(bench.post(path::PASSWORD_FORGOT, &json!({ "email": email })).await);
        for _ in 0..6 {
            // A code nobody was mailed: each is one in a million.
            answers.push(confirm(&bench, id, "no-no!").await);
            let reset = json!({ "email": email, "code": "no-no!", "password": PASSWORD });
            answers.push(bench.post(path::PASSWORD_RESET, &reset).await);
        }
        told.push(answers.iter().map(said).collect::<Vec<_>>());
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].last().expect("an answer").1["code"], "CODE_EXPIRED");
    // In the mails it is told.
    let mails = bench.mails().await;
    let to = |email: &str| {
        let theirs: Vec<_> = mails.iter().filter(|mail| mail.contains(&format!("To: {email}"))).collect();
        (theirs.len(), theirs.iter().filter(|mail| has_code(mail)).count())
    };
    assert_eq!(to(known), (2, 1), "that there is an account, and the code for its password");
    assert_eq!(to(unknown), (1, 1), "the code of the registration");
}

/// What somebody sees of an answer, but for what differs with every one.
fn said(answer: &Answer) -> (StatusCode, Value, String) {
    let mut body = answer.body.clone();
    if let Some(problem) = body.as_object_mut() {
        problem.remove("trace_id");
    }
    (answer.status, body, answer.header("retry-after").to_owned())
}

#[tokio::test]
async fn the_same_registration_again_mails_nothing_and_another_under_its_id_is_refused() {
    let bench = Bench::open().await;
    let id = bench.id();
    for _ in 0..2 {
        let answer = bench.post(path::ACCOUNTS, &registration(id, "nadia@gym-nuevo.co")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    assert_eq!(bench.mails().await.len(), 1);
    for (field, value) in
        [("phone", "3007654321"), ("password", "cinco xilofonos"), ("email", "otra@gym-nuevo.co")]
    {
        let mut other = registration(id, "nadia@gym-nuevo.co");
        other[field] = json!(value);
        assert_eq!(bench.post(path::ACCOUNTS, &other).await.code(), "ID_CONFLICT", "{field}");
    }
}

#[tokio::test]
async fn a_code_is_mailed_again_after_a_minute_and_the_old_one_is_worth_nothing() {
    let bench = Bench::open().await;
    let id = bench.id();
    assert_eq!(bench.post(path::ACCOUNTS_CODE, &json!({ "id": id })).await.code(), "CODE_EXPIRED");
    bench.post(path::ACCOUNTS, &registration(id, "nadia@gym-nuevo.co")).await;
    let first = code_in(&bench.mails().await[0]);
    let early = bench.post(path::ACCOUNTS_CODE, &json!({ "id": id })).await;
    assert_eq!((early.code(), early.header("retry-after")), ("SLOW_DOWN", "60"));
    bench.clock.forward(1.minute());
    assert_eq!(bench.post(path::ACCOUNTS_CODE, &json!({ "id": id })).await.status, StatusCode::ACCEPTED);
    let second = code_in(&bench.mails().await[0]);
    if first != second {
        assert_eq!(confirm(&bench, id, &first).await.code(), "CODE_WRONG");
    }
    assert_eq!(confirm(&bench, id, &second).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        bench.post(path::ACCOUNTS_CODE, &json!({ "id": id })).await.code(),
        "CODE_EXPIRED",
        "confirmed"
    );
}

#[tokio::test]
async fn one_address_is_not_flooded() {
    let bench = Bench::open().await;
    for _ in 0..5 {
        let answer = bench.post(path::ACCOUNTS, &registration(bench.id(), "nadia@gym-nuevo.co")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    let sixth = bench.post(path::ACCOUNTS, &registration(bench.id(), "NADIA@gym-nuevo.co")).await;
    assert_eq!((sixth.code(), sixth.header("retry-after")), ("SLOW_DOWN", "30"));
    assert_eq!(bench.mails().await.len(), 5);
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_with_the_field() {
    let bench = Bench::open().await;
    for (field, value, code) in [
        ("nit", "899999068-2", "INVALID"),
        ("nit", "899999068", "INVALID"),
        ("nit", "899.999.068-1", "INVALID"),
        ("entity_name", " ", "INVALID"),
        ("display_name", "Nadia\u{7}", "INVALID"),
        ("email", "nadia", "INVALID"),
        ("email", "nadia@gym-nuevo.co\r\nBcc: x@y.co", "INVALID"),
        ("phone", "300 123", "INVALID"),
        ("privacy_notice", "2026-13", "INVALID"),
        ("password", "corta", "WEAK_PASSWORD"),
        ("password", "colombia2026", "WEAK_PASSWORD"),
        ("password", "gym-nuevo.nadia", "WEAK_PASSWORD"),
    ] {
        let mut wrong = registration(bench.id(), "nadia@gym-nuevo.co");
        wrong[field] = json!(value);
        let answer = bench.post(path::ACCOUNTS, &wrong).await;
        assert_eq!(answer.code(), code, "{field}: {value}");
        let detail = answer.body["detail"].as_str().expect("a detail");
        assert!(detail.starts_with(field) && (value == " " || !detail.contains(value)), "{detail}");
    }
    assert_eq!(bench.mails().await.len(), 0);
}

#[tokio::test]
async fn a_forgotten_password_is_set_with_the_code_and_every_session_ends() {
    let bench = Bench::open().await;
    let desk = bench.desk_as("ana.rodriguez@gymcaribe.co").await;
    let email = "Ana.Rodriguez@gymcaribe.co";
    let answer = bench.post(path::PASSWORD_FORGOT, &json!({ "email": email })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let code = code_in(&bench.mails().await[0]);
    let reset = async |password: &str| {
        bench.post(path::PASSWORD_RESET, &json!({ "email": email, "code": code, "password": password })).await
    };
    assert_eq!(reset("rodriguez123").await.code(), "WEAK_PASSWORD", "which costs no attempt");
    assert_eq!(reset(PASSWORD).await.status, StatusCode::NO_CONTENT);
    assert_eq!(reset(PASSWORD).await.code(), "CODE_WRONG", "once");
    assert_eq!(desk.get(path::ME).await.code(), "SESSION_EXPIRED");
    assert_eq!(bench.sign_in(email, PASSWORD, bench.id(), "PC").await.status, StatusCode::OK);
    assert_eq!(bench.mails().await.len(), 1, "and is told that it was");
}

#[tokio::test]
async fn whoever_is_signed_in_changes_their_password_with_the_old_one() {
    let bench = Bench::open().await;
    let (desk, other) = (bench.desk("RECEPCION-1").await, bench.desk("RECEPCION-2").await);
    let account = bench.demo.accounts[0].clone();
    let change = async |current: &str, password: &str| {
        desk.post(path::PASSWORD, &json!({ "current": current, "password": password })).await
    };
    assert_eq!(change("no es", PASSWORD).await.code(), "WRONG_CREDENTIALS");
    let tried: u32 = bench
        .sql()
        .query_row("SELECT count(*) FROM audit WHERE act = 'SIGN_IN_FAILED'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(tried, 1, "a guess at the old password is on record");
    assert_eq!(change(&account.password, "1234567890").await.code(), "WEAK_PASSWORD");
    assert_eq!(change(&account.password, PASSWORD).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get(path::ME).await.status, StatusCode::OK, "this session goes on");
    assert_eq!(other.get(path::ME).await.code(), "SESSION_EXPIRED");
    let sign_in = async |password: &str| bench.sign_in(&account.username, password, bench.id(), "PC").await;
    assert_eq!(sign_in(&account.password).await.code(), "WRONG_CREDENTIALS");
    assert_eq!(sign_in(PASSWORD).await.status, StatusCode::OK);
    assert_eq!(bench.mails().await.len(), 1);
    for _ in 0..5 {
        change("no es", PASSWORD).await;
    }
    assert_eq!(change(PASSWORD, PASSWORD).await.code(), "SLOW_DOWN", "guesses are slowed down here too");
}
