use axum::http::StatusCode;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::demo::Account;
use crate::testing::{Answer, Bench, Desk};
use crate::totp::TotpSecret;

const CAJA: &str = "convenios@lacaja.co";

async fn sign_in(bench: &Bench, account: &Account, otp: &Value) -> Answer {
    let body = json!({
        "username": account.username, "password": account.password,
        "device": { "id": bench.id(), "name": "CONSOLA" }, "otp": otp,
    });
    bench.post(path::SESSIONS, &body).await
}

/// A caja account without its second factor, and a session of it.
async fn without(bench: &Bench) -> (Account, Desk) {
    let demo = bench.demo_account(CAJA);
    let id: Uuid = bench
        .sql()
        .query_row("SELECT id FROM accounts WHERE username = ?1", [CAJA], |row| row.get(0))
        .expect("an account");
    assert!(bench.app.reset_second_factor(id).await.expect("reset"));
    let account = Account { totp_secret: None, ..demo };
    let desk = bench.desk_of(&account, "CONSOLA").await;
    (account, desk)
}

#[tokio::test]
async fn signing_in_takes_the_code_after_the_password_and_each_code_once() {
    let bench = Bench::open().await;
    let caja = bench.demo_account(CAJA);
    let missing = sign_in(&bench, &caja, &Value::Null).await;
    assert_eq!((missing.status, missing.code()), (StatusCode::FORBIDDEN, "SECOND_FACTOR_REQUIRED"));
    let unknown = Account { password: "adivino".into(), ..caja.clone() };
    assert_eq!(
        sign_in(&bench, &unknown, &Value::Null).await.code(),
        "WRONG_CREDENTIALS",
        "the password first"
    );
    for _ in 0..10 {
        assert_eq!(sign_in(&bench, &caja, &Value::Null).await.code(), "SECOND_FACTOR_REQUIRED", "no attempt");
    }
    for shape in ["12345", "abcdef", "K3QWZ7MPLA"] {
        assert_eq!(sign_in(&bench, &caja, &json!(shape)).await.code(), "INVALID", "{shape}");
    }

    let otp = json!(bench.otp(&caja));
    assert_eq!(sign_in(&bench, &caja, &otp).await.status, StatusCode::OK);
    assert_eq!(sign_in(&bench, &caja, &otp).await.code(), "CODE_WRONG", "it has served");
    bench.clock.forward(2.minutes());
    assert_eq!(sign_in(&bench, &caja, &otp).await.code(), "CODE_WRONG", "too old");
}

#[tokio::test]
async fn wrong_codes_are_slowed_down_whatever_is_done_about_the_password() {
    let bench = Bench::open().await;
    let caja = bench.demo_account(CAJA);
    let right = bench.otp(&caja).expect("a code");
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(sign_in(&bench, &caja, &json!(wrong)).await.code(), "CODE_WRONG");
        assert_eq!(sign_in(&bench, &caja, &Value::Null).await.code(), "SECOND_FACTOR_REQUIRED");
    }
    let slowed = sign_in(&bench, &caja, &json!(right)).await;
    assert_eq!((slowed.status, slowed.code()), (StatusCode::TOO_MANY_REQUESTS, "SLOW_DOWN"));
    bench.clock.forward(10.minutes());
    assert_eq!(sign_in(&bench, &caja, &json!(bench.otp(&caja))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_second_factor_is_set_up_once_and_makes_the_session_a_whole_one() {
    let bench = Bench::open().await;
    let (account, console) = without(&bench).await;
    let other = bench.desk_of(&account, "OTRA").await;
    assert_eq!(console.get(path::ME).await.body["second_factor"], "TO_SET_UP");
    assert_eq!(console.get(path::ADMIN_KEYS).await.code(), "SECOND_FACTOR_REQUIRED");
    let confirm = async |otp: &str| console.post(path::SECOND_FACTOR_CONFIRM, &json!({ "otp": otp })).await;
    assert_eq!(confirm("048213").await.code(), "CODE_EXPIRED", "there is no secret yet");

    let first = console.post(path::SECOND_FACTOR, &Value::Null).await.body;
    let told = console.post(path::SECOND_FACTOR, &Value::Null).await.body;
    assert_ne!(first["secret"], told["secret"], "asked again it is another one");
    let text = told["secret"].as_str().expect("a secret");
    assert!(told["otpauth_uri"].as_str().expect("a link").contains(&format!("secret={text}")));
    let secret = TotpSecret::of_base32(text);
    let wrong = if secret.code(bench.clock.at()) == "000000" { "000001" } else { "000000" };
    assert_eq!(confirm(wrong).await.code(), "CODE_WRONG");
    let confirmed = confirm(&secret.code(bench.clock.at())).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.body);
    let codes: Vec<String> =
        serde_json::from_value(confirmed.body["recovery_codes"].clone()).expect("recovery codes");
    assert_eq!(codes.len(), 10);

    assert_eq!(console.get(path::ME).await.body["second_factor"], "SET_UP");
    assert_eq!(console.get(path::ADMIN_KEYS).await.status, StatusCode::OK);
    assert_eq!(other.get(path::ME).await.code(), "SESSION_EXPIRED", "the other session has ended");
    assert_eq!(console.post(path::SECOND_FACTOR, &Value::Null).await.code(), "FORBIDDEN");
    assert_eq!(confirm(&secret.code(bench.clock.at())).await.code(), "FORBIDDEN");

    let account = Account { totp_secret: Some(text.to_owned()), ..account };
    assert_eq!(sign_in(&bench, &account, &Value::Null).await.code(), "SECOND_FACTOR_REQUIRED");
    assert_eq!(sign_in(&bench, &account, &json!(bench.otp(&account))).await.status, StatusCode::OK);
    assert_eq!(
        sign_in(&bench, &account, &json!(codes[3])).await.status,
        StatusCode::OK,
        "in the place of a code"
    );
    assert_eq!(sign_in(&bench, &account, &json!(codes[3])).await.code(), "CODE_WRONG", "once");
    for code in &codes {
        let kept: i64 = bench
            .sql()
            .query_row("SELECT count(*) FROM recovery_codes WHERE code_mac = ?1", [code.as_bytes()], |row| {
                row.get(0)
            })
            .expect("counted");
        assert_eq!(kept, 0, "a recovery code stands nowhere");
    }
}

#[tokio::test]
async fn an_operator_needs_none_and_can_set_none_up() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    assert_eq!(desk.get(path::ME).await.body["second_factor"], "NOT_NEEDED");
    assert_eq!(desk.post(path::SECOND_FACTOR, &Value::Null).await.code(), "FORBIDDEN");
    let ana = bench.demo.accounts[0].clone();
    assert_eq!(sign_in(&bench, &ana, &json!("048213")).await.status, StatusCode::OK, "nobody asked for it");
}
