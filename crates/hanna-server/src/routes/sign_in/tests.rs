use axum::http::StatusCode;
use hanna_wire::path;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::testing::Bench;

const ANA: &str = "ana.rodriguez@gymcaribe.co";

#[tokio::test]
async fn every_account_of_the_demo_that_can_sign_in_does() {
    let bench = Bench::open().await;
    for account in &bench.demo.accounts {
        let answer = bench.sign_in_as(account, bench.id(), "PC").await;
        match &account.note {
            None => assert_eq!(answer.status, StatusCode::OK, "{}", account.username),
            Some(_) => assert_eq!(answer.code(), "ACCOUNT_NOT_ACTIVE", "{}", account.username),
        }
    }
    let capitals = format!(" {} ", ANA.to_uppercase());
    let answer = bench.sign_in(&capitals, &bench.demo.accounts[0].password, bench.id(), "PC").await;
    assert_eq!(answer.status, StatusCode::OK, "user names are compared without case");
}

#[tokio::test]
async fn a_session_begins_with_tokens_of_fifteen_minutes_and_thirty_days_that_are_stored_nowhere() {
    let bench = Bench::open().await;
    let answer = bench.sign_in(ANA, &bench.demo.accounts[0].password, bench.id(), "RECEPCION-1").await;
    let time = |name: &str| answer.body[name].as_str().expect("a time").parse::<Timestamp>().expect("a time");
    assert_eq!(time("access_expires_at"), bench.clock.at() + 15.minutes());
    assert_eq!(time("refresh_expires_at"), bench.clock.at() + (30 * 24).hours());
    let mut files = Vec::new();
    for file in std::fs::read_dir(bench.dir()).expect("the directory") {
        files.extend(std::fs::read(file.expect("a file").path()).expect("readable"));
    }
    for token in ["access_token", "refresh_token"] {
        let token = answer.body[token].as_str().expect("a token").as_bytes();
        assert_eq!(token.len(), 43, "256 bits");
        assert!(!files.windows(token.len()).any(|window| window == token));
    }
    assert!(files.windows(11).any(|window| window == b"RECEPCION-1"), "the search would find it");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let bench = Bench::open().await;
    let wrong = bench.sign_in(ANA, "no es la clave", bench.id(), "PC").await;
    let unknown = bench.sign_in("nadie@gymcaribe.co", "no es la clave", bench.id(), "PC").await;
    let suspended = bench.sign_in("suspendido@gymcaribe.co", "no es la clave", bench.id(), "PC").await;
    for answer in [&wrong, &unknown, &suspended] {
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "WRONG_CREDENTIALS"));
        assert_eq!(answer.body["detail"], json!(null));
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_whether_or_not_there_is_such_an_account() {
    let bench = Bench::open().await;
    let right = bench.demo.accounts[0].password.clone();
    for username in [ANA, "nadie@gymcaribe.co"] {
        for _ in 0..5 {
            let answer = bench.sign_in(username, "adivino", bench.id(), "PC").await;
            assert_eq!(answer.code(), "WRONG_CREDENTIALS");
        }
        let answer = bench.sign_in(username, &right, bench.id(), "PC").await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::TOO_MANY_REQUESTS, "SLOW_DOWN"),
            "{username}"
        );
        assert_eq!(answer.header("retry-after"), "30");
    }
    let other = bench.sign_in("luis.penaranda@gymcaribe.co", &right, bench.id(), "PC").await;
    assert_eq!(other.status, StatusCode::OK, "only that account waits");

    let bench = bench.restart().await;
    bench.clock.forward(29.seconds());
    let answer = bench.sign_in(ANA, "adivino", bench.id(), "PC").await;
    assert_eq!((answer.code(), answer.header("retry-after")), ("SLOW_DOWN", "1"), "kept over a restart");
    bench.clock.forward(1.second());
    assert_eq!(bench.sign_in(ANA, "adivino", bench.id(), "PC").await.code(), "WRONG_CREDENTIALS");
    let answer = bench.sign_in(ANA, &right, bench.id(), "PC").await;
    assert_eq!((answer.code(), answer.header("retry-after")), ("SLOW_DOWN", "60"), "longer each time");
    bench.clock.forward(60.seconds());
    assert_eq!(bench.sign_in(ANA, &right, bench.id(), "PC").await.status, StatusCode::OK);
    assert_eq!(
        bench.sign_in(ANA, "adivino", bench.id(), "PC").await.code(),
        "WRONG_CREDENTIALS",
        "forgotten"
    );
}

#[tokio::test]
async fn what_anybody_can_write_without_signing_in_does_not_pile_up() {
    let bench = Bench::open().await;
    for guess in 0..3 {
        bench.sign_in(&format!("nadie{guess}@gymcaribe.co"), "adivino", bench.id(), "PC").await;
    }
    bench.clock.forward(31.minutes());
    bench.sign_in("otro@gymcaribe.co", "adivino", bench.id(), "PC").await;
    let rows: i64 = bench
        .sql()
        .query_row("SELECT count(*) FROM sign_in_attempts", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn attempts_at_once_do_not_outrun_the_count() {
    let bench = std::sync::Arc::new(Bench::open().await);
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let bench = std::sync::Arc::clone(&bench);
        attempts.spawn(async move { bench.sign_in(ANA, "adivino", bench.id(), "PC").await });
    }
    let answers = attempts.join_all().await;
    let slowed = answers.iter().filter(|answer| answer.code() == "SLOW_DOWN").count();
    assert_eq!(slowed, 7);
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_named_and_never_quoted() {
    let bench = Bench::open().await;
    let device = json!({ "id": bench.id(), "name": "PC" });
    for (body, field) in [
        (json!({ "username": "", "password": "x", "device": device }), "username"),
        (json!({ "username": "a".repeat(121), "password": "x", "device": device }), "username"),
        (json!({ "username": "a\u{0}b", "password": "x", "device": device }), "username"),
        (json!({ "username": "a", "password": "", "device": device }), "password"),
        (json!({ "username": "a", "password": "x".repeat(257), "device": device }), "password"),
        (
            json!({ "username": "a", "password": "x", "device": { "id": bench.id(), "name": " " } }),
            "device.name",
        ),
    ] {
        let answer = bench.post(path::SESSIONS, &body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "INVALID"), "{body}");
        assert!(answer.body["detail"].as_str().expect("a detail").starts_with(field), "{answer:?}");
    }
    for body in [
        json!({ "username": "SECRETO", "password": "x" }),
        json!({ "username": "SECRETO", "password": "x", "device": { "id": "SECRETO", "name": "PC" } }),
        json!({ "username": "SECRETO", "password": "x", "device": device, "SECRETO": 1 }),
        json!("SECRETO"),
    ] {
        let answer = bench.post(path::SESSIONS, &body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "MALFORMED"), "{body}");
        assert!(!answer.body.to_string().contains("SECRETO"), "{answer:?}");
    }
}
