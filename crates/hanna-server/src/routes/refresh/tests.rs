use axum::http::StatusCode;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::json;
use uuid::Uuid;

use crate::testing::{Answer, Bench, Desk};

async fn refresh(bench: &Bench, token: &str, device_id: Uuid) -> Answer {
    bench.post(path::SESSIONS_REFRESH, &json!({ "refresh_token": token, "device_id": device_id })).await
}

fn refresh_token(answer: &Answer) -> String {
    answer.body["refresh_token"].as_str().expect("a token").to_owned()
}

async fn me(bench: &Bench, answer: &Answer) -> Answer {
    let token = answer.body["access_token"].as_str().expect("a token");
    bench.get(path::ME, Some(&format!("Bearer {token}"))).await
}

async fn desk(bench: &Bench) -> (Desk, String) {
    let desk = bench.desk("RECEPCION-1").await;
    let token = desk.refresh_token().to_owned();
    (desk, token)
}

#[tokio::test]
async fn an_access_token_ends_after_fifteen_minutes_and_a_refresh_brings_the_next() {
    let bench = Bench::open().await;
    let (desk, token) = desk(&bench).await;
    bench.clock.forward(899.seconds());
    assert_eq!(desk.get(path::ME).await.status, StatusCode::OK);
    bench.clock.forward(1.second());
    assert_eq!(desk.get(path::ME).await.code(), "SESSION_EXPIRED");

    let next = refresh(&bench, &token, desk.device_id).await;
    assert_eq!(me(&bench, &next).await.status, StatusCode::OK);
    assert_ne!(refresh_token(&next), token);
}

#[tokio::test]
async fn a_lost_answer_costs_nothing_for_two_minutes() {
    let bench = Bench::open().await;
    let (desk, first) = desk(&bench).await;
    let lost = refresh(&bench, &first, desk.device_id).await;
    bench.clock.forward(2.minutes());
    let second = refresh(&bench, &first, desk.device_id).await;
    assert_eq!(second.status, StatusCode::OK);
    // The lost one may have arrived after all, or arrive twice: whichever the desk kept goes on working.
    let third = refresh(&bench, &refresh_token(&lost), desk.device_id).await;
    assert_eq!(me(&bench, &third).await.status, StatusCode::OK);
    assert_eq!(me(&bench, &second).await.status, StatusCode::OK, "its access token lives out its time");
}

#[tokio::test]
async fn an_old_refresh_token_ends_the_session_for_everybody_who_has_a_part_of_it() {
    let bench = Bench::open().await;
    let (desk, first) = desk(&bench).await;
    let second = refresh(&bench, &first, desk.device_id).await;
    bench.clock.forward(120_001.milliseconds());
    let thief = refresh(&bench, &first, desk.device_id).await;
    assert_eq!((thief.status, thief.code()), (StatusCode::UNAUTHORIZED, "SESSION_EXPIRED"));
    assert_eq!(me(&bench, &second).await.code(), "SESSION_EXPIRED");
    assert_eq!(refresh(&bench, &refresh_token(&second), desk.device_id).await.code(), "SESSION_EXPIRED");
    let why: String = bench
        .sql()
        .query_row("SELECT ended_why FROM sessions", [], |row| row.get(0))
        .expect("the session stays on record");
    assert_eq!(why, "TOKEN_REUSED");
}

#[tokio::test]
async fn two_generations_back_is_too_old_even_at_once() {
    let bench = Bench::open().await;
    let (desk, first) = desk(&bench).await;
    let second = refresh(&bench, &first, desk.device_id).await;
    let third = refresh(&bench, &refresh_token(&second), desk.device_id).await;
    assert_eq!(third.status, StatusCode::OK);
    assert_eq!(refresh(&bench, &first, desk.device_id).await.code(), "SESSION_EXPIRED");
    assert_eq!(me(&bench, &third).await.code(), "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_refresh_token_is_worth_nothing_on_another_device_and_after_thirty_days() {
    let bench = Bench::open().await;
    let (desk, token) = desk(&bench).await;
    assert_eq!(refresh(&bench, &token, bench.id()).await.code(), "SESSION_EXPIRED");
    assert_eq!(desk.get(path::ME).await.status, StatusCode::OK, "and its own session goes on");
    bench.clock.forward((30 * 24).hours());
    assert_eq!(refresh(&bench, &token, desk.device_id).await.code(), "SESSION_EXPIRED");
    assert_eq!(refresh(&bench, "nada", desk.device_id).await.code(), "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_suspended_account_loses_its_session_and_gets_it_back() {
    let bench = Bench::open().await;
    let (desk, token) = desk(&bench).await;
    let set = |state: &str| {
        let changed = bench
            .sql()
            .execute("UPDATE accounts SET state = ?1 WHERE username = 'ana.rodriguez@gymcaribe.co'", [state]);
        assert_eq!(changed.expect("changed"), 1);
    };
    set("SUSPENDED");
    let answer = desk.get(path::ME).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "ACCOUNT_NOT_ACTIVE"));
    assert_eq!(refresh(&bench, &token, desk.device_id).await.code(), "ACCOUNT_NOT_ACTIVE");
    set("ACTIVE");
    assert_eq!(refresh(&bench, &token, desk.device_id).await.status, StatusCode::OK);
}
