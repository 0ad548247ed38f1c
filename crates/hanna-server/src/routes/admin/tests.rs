use axum::http::StatusCode;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::testing::{Bench, Desk, code_in};

const ROSA: &str = "rosa.ibanez@lapena.co";

/// Every page of a list, row by row.
async fn all(console: &Desk, path: &str) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let answer = console.get(&format!("{path}limit=3{after}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        rows.extend(answer.body["items"].as_array().expect("rows").clone());
        let Some(next) = answer.body["next"].as_str() else { return rows };
        after = format!("&after={next}");
    }
}

async fn user(console: &Desk, username: &str) -> Value {
    let users = all(console, &format!("{}?", path::ADMIN_USERS)).await;
    users.into_iter().find(|user| user["username"] == username).expect("listed")
}

fn of(path: &str, id: &Value) -> String {
    path.replace("{id}", id.as_str().expect("an id"))
}

#[tokio::test]
async fn accounts_are_listed_page_by_page_and_searched_as_people_type() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let everybody = all(&console, &format!("{}?", path::ADMIN_USERS)).await;
    let mut names: Vec<&str> =
        everybody.iter().map(|user| user["username"].as_str().expect("a name")).collect();
    assert_eq!(names.len(), bench.demo.accounts.len());
    assert!(names.is_sorted());
    names.dedup();
    assert_eq!(names.len(), bench.demo.accounts.len(), "each once");

    let count = async |query: &str| all(&console, &format!("{}?{query}&", path::ADMIN_USERS)).await.len();
    assert_eq!(count("q=ibanez").await, 1, "without accents");
    assert_eq!(count("q=GYM%20Caribe").await, 5, "by the entity");
    assert_eq!(count("role=CAJA_ADMIN").await, 2);
    assert_eq!(count("state=SUSPENDED").await, 1);
    assert_eq!(count("q=nadie").await, 0);
    assert_eq!(count("q=").await, bench.demo.accounts.len(), "nothing is searched for");
    let gym = user(&console, "gerencia@gymcaribe.co").await["entity"]["id"].clone();
    assert_eq!(count(&format!("entity_id={}", gym.as_str().expect("an id"))).await, 5);
    let caja = user(&console, "convenios@lacaja.co").await;
    assert_eq!((caja["second_factor"].as_str(), &caja["entity"]), (Some("SET_UP"), &Value::Null));
    assert_eq!(caja["last_sign_in_at"], json!(bench.clock.at()));
    for query in ["limit=0", "limit=501", "q=%00", "state=NADA", "otra=1"] {
        let answer = console.get(&format!("{}?{query}", path::ADMIN_USERS)).await;
        assert_eq!(answer.code(), "INVALID", "{query}");
    }
}

#[tokio::test]
async fn an_account_is_changed_and_suspending_it_ends_its_sessions() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let rosa = bench.desk_as(ROSA).await;
    let account = user(&console, ROSA).await;
    let place = of(path::ADMIN_USER, &account["id"]);
    let changed = console
        .patch(&place, &json!({ "display_name": "Rosa I.", "roles": ["OPERATOR", "ENTITY_ADMIN"] }))
        .await;
    assert_eq!(changed.body["display_name"], "Rosa I.");
    assert_eq!(changed.body["roles"], json!(["ENTITY_ADMIN", "OPERATOR"]));
    assert_eq!(changed.body["branches"], account["branches"], "what is left out stays");
    let gym = user(&console, "luis.penaranda@gymcaribe.co").await["branches"][0]["id"].clone();
    for wrong in [json!({ "roles": ["CAJA_ADMIN"] }), json!({ "roles": [] }), json!({ "branches": [gym] })] {
        assert_eq!(console.patch(&place, &wrong).await.code(), "INVALID", "{wrong}");
    }
    assert_eq!(console.patch(&place, &json!({ "branches": [] })).await.body["branches"], json!([]));

    let suspended = console.patch(&place, &json!({ "state": "SUSPENDED" })).await;
    assert_eq!(suspended.body["state"], "SUSPENDED_BY_CAJA");
    assert_eq!(rosa.get(path::ME).await.code(), "SESSION_EXPIRED");
    assert_eq!(
        bench.sign_in_as(&bench.demo_account(ROSA), bench.id(), "PC").await.code(),
        "ACCOUNT_NOT_ACTIVE"
    );
    assert_eq!(console.patch(&place, &json!({ "state": "ACTIVE" })).await.body["state"], "ACTIVE");
    assert_eq!(bench.sign_in_as(&bench.demo_account(ROSA), bench.id(), "PC").await.status, StatusCode::OK);

    let own = of(path::ADMIN_USER, &json!(console.operator_id));
    assert_eq!(console.patch(&own, &json!({ "state": "SUSPENDED" })).await.code(), "LAST_ADMINISTRATOR");
    let nobody = of(path::ADMIN_USER, &json!(bench.id()));
    assert_eq!(console.patch(&nobody, &json!({})).await.code(), "NOT_FOUND");
    assert_eq!(console.patch(&of(path::ADMIN_USER, &json!("nadie")), &json!({})).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn somebody_who_is_invited_sets_a_password_with_a_mailed_code() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let invite = json!({
        "id": bench.id(), "entity_id": null, "display_name": "Nadia Núñez", "email": "nadia@lacaja.co",
        "roles": ["CAJA_ADMIN"], "branches": [],
    });
    let invited = console.post(path::ADMIN_USERS, &invite).await;
    assert_eq!((invited.status, invited.body["state"].as_str()), (StatusCode::CREATED, Some("INVITED")));
    assert_eq!(console.post(path::ADMIN_USERS, &invite).await.status, StatusCode::CREATED, "said again");
    let mails = bench.mails().await;
    assert_eq!(mails.len(), 1, "mailed once");
    assert!(mails[0].contains("nadia@lacaja.co"));
    for (field, value, code) in [
        ("display_name", json!("Otra"), "ID_CONFLICT"),
        ("id", json!(bench.id()), "USERNAME_TAKEN"),
        ("email", json!("nadia"), "INVALID"),
    ] {
        let mut other = invite.clone();
        other[field] = value;
        assert_eq!(console.post(path::ADMIN_USERS, &other).await.code(), code, "{field}");
    }
    let mut elsewhere = invite.clone();
    (elsewhere["id"], elsewhere["email"]) = (json!(bench.id()), json!("otra@lacaja.co"));
    elsewhere["roles"] = json!(["OPERATOR"]);
    assert_eq!(console.post(path::ADMIN_USERS, &elsewhere).await.code(), "INVALID", "of no entity");
    elsewhere["entity_id"] = json!(bench.id());
    assert_eq!(console.post(path::ADMIN_USERS, &elsewhere).await.code(), "NOT_FOUND");

    let none = bench.sign_in("nadia@lacaja.co", "", bench.id(), "PC").await;
    assert_eq!(none.code(), "INVALID");
    assert_eq!(bench.sign_in("nadia@lacaja.co", "x", bench.id(), "PC").await.code(), "WRONG_CREDENTIALS");
    bench.post(path::PASSWORD_FORGOT, &json!({ "email": "nadia@lacaja.co" })).await;
    let code = code_in(&bench.mails().await[0]);
    let reset = json!({ "email": "nadia@lacaja.co", "code": code, "password": "cuatro xilofonos" });
    assert_eq!(bench.post(path::PASSWORD_RESET, &reset).await.status, StatusCode::NO_CONTENT);
    assert_eq!(user(&console, "nadia@lacaja.co").await["state"], "ACTIVE");
    let signed_in = bench.sign_in("nadia@lacaja.co", "cuatro xilofonos", bench.id(), "PC").await;
    assert_eq!(signed_in.status, StatusCode::OK);
    assert_eq!(user(&console, "nadia@lacaja.co").await["second_factor"], "TO_SET_UP");
}

#[tokio::test]
async fn a_password_or_a_second_factor_is_taken_away_and_the_sessions_end() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let rosa = bench.desk_as(ROSA).await;
    let id = user(&console, ROSA).await["id"].clone();
    let taken = console.post(&of(path::ADMIN_USER_RESET_PASSWORD, &id), &Value::Null).await;
    assert_eq!(taken.status, StatusCode::NO_CONTENT);
    assert!(bench.mails().await[0].contains(ROSA));
    assert_eq!(rosa.get(path::ME).await.code(), "SESSION_EXPIRED");
    assert_eq!(
        bench.sign_in_as(&bench.demo_account(ROSA), bench.id(), "PC").await.code(),
        "WRONG_CREDENTIALS"
    );
    assert_eq!(user(&console, ROSA).await["state"], "INVITED");

    let own = of(path::ADMIN_USER_RESET_SECOND_FACTOR, &json!(console.operator_id));
    assert_eq!(console.post(&own, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(console.get(path::ME).await.code(), "SESSION_EXPIRED");
    let caja = bench.demo_account("convenios@lacaja.co");
    let signed_in = bench.sign_in(&caja.username, &caja.password, bench.id(), "PC").await;
    assert_eq!(signed_in.status, StatusCode::OK, "to set up another");
}

#[tokio::test]
async fn devices_are_listed_with_what_waits_and_are_revoked_and_trusted_again() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    bench.clock.forward(1.minute());
    let desk = bench.desk("RECEPCION-1").await;
    let card = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    let item = desk.report(&bench, 0, &card);
    let list = async |query: &str| all(&console, &format!("{}?{query}", path::ADMIN_DEVICES)).await;
    assert_eq!(list("q=recepcion&").await[0]["waiting"], Value::Null, "it never said so");
    desk.post(path::OUTBOX, &json!({ "items": [item], "waiting": 7 })).await;
    desk.deliver(&[&item]).await;
    let listed = list("").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["name"], "RECEPCION-1", "the last contact first");
    assert_eq!((&listed[0]["waiting"], &listed[0]["last_sequence"]), (&json!(7), &json!(1)));
    assert_eq!(listed[0]["entity"]["name"], "GYM CARIBE");
    assert_eq!(listed[0]["last_operator"], "Ana Rodríguez");
    assert_eq!(listed[1]["entity"], Value::Null, "the console's");
    assert_eq!(list("q=Rodriguez&").await.len(), 1, "by who signed in last");
    let too_many = json!({ "items": [item], "waiting": 1_000_000_001 });
    assert_eq!(desk.post(path::OUTBOX, &too_many).await.code(), "INVALID");

    let revoke = of(path::ADMIN_DEVICE_REVOKE, &listed[0]["id"]);
    assert_eq!(console.post(&revoke, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get(path::ME).await.code(), "DEVICE_REVOKED");
    assert_eq!(list("q=recepcion&").await[0]["revoked_at"], json!(bench.clock.at()));
    let restore = of(path::ADMIN_DEVICE_RESTORE, &listed[0]["id"]);
    assert_eq!(console.post(&restore, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get(path::ME).await.status, StatusCode::OK);
    for path in [path::ADMIN_DEVICE_REVOKE, path::ADMIN_DEVICE_RESTORE] {
        assert_eq!(console.post(&of(path, &json!(bench.id())), &Value::Null).await.code(), "NOT_FOUND");
    }
}

#[tokio::test]
async fn registrations_are_decided_about_by_whoever_is_signed_in() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let id = bench.id();
        let email = format!("nueva{n}@gym-nuevo.co");
        let register = json!({
            "id": id, "nit": "899999068-1", "entity_name": "GYM ÑUEVO", "display_name": "Nadia Núñez", "email": email,
            "phone": "3001234567", "password": "cuatro xilofonos", "privacy_notice": "2026-11",
        });
        assert_eq!(bench.post(path::ACCOUNTS, &register).await.status, StatusCode::ACCEPTED);
        let code = code_in(&bench.mails().await[0]);
        if n < 4 {
            bench.post(path::ACCOUNTS_CONFIRM, &json!({ "id": id, "code": code })).await;
        }
        ids.push(json!(id));
        bench.clock.forward(1.second());
    }
    let list = async |query: &str| all(&console, &format!("{}?{query}", path::ADMIN_REGISTRATIONS)).await;
    let pending = list("state=PENDING&").await;
    let listed: Vec<&Value> = pending.iter().map(|registration| &registration["id"]).collect();
    assert_eq!(listed, [&ids[3], &ids[2], &ids[1], &ids[0]], "the newest first");
    assert_eq!(pending[0]["entity_known"], json!(false));
    assert_eq!(list("").await.len(), 4, "an unconfirmed one only when it is asked for");
    assert_eq!(list("state=UNCONFIRMED&").await.len(), 1);
    assert_eq!(list("q=nueva2&").await.len(), 1);
    assert_eq!(list("q=gym%20%C3%B1uevo&").await.len(), 4);

    let approve = of(path::ADMIN_REGISTRATION_APPROVE, &ids[0]);
    assert_eq!(console.post(&approve, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(console.post(&approve, &Value::Null).await.code(), "NOT_PENDING");
    assert_eq!(list("state=PENDING&").await[0]["entity_known"], json!(true));
    let reject = of(path::ADMIN_REGISTRATION_REJECT, &ids[1]);
    assert_eq!(console.post(&reject, &json!({ "reason": " " })).await.code(), "INVALID");
    assert_eq!(console.post(&reject, &json!({ "reason": "No es." })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(list("state=REJECTED&").await[0]["reason"], "No es.");
    let mails = bench.mails().await;
    assert_eq!(mails.len(), 2, "both are told");
    let by: i64 = bench
        .sql()
        .query_row("SELECT count(*) FROM registrations WHERE decided_by = ?1", [console.operator_id], |row| {
            row.get(0)
        })
        .expect("counted");
    assert_eq!(by, 2);
}

#[tokio::test]
async fn a_key_that_is_made_signs_from_then_on() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let before = console.get(path::ADMIN_KEYS).await.body;
    assert_eq!(before.as_array().expect("keys").len(), 1);
    let after = console.post(path::ADMIN_KEYS_ROTATE, &Value::Null).await.body;
    assert_eq!(after[1]["kid"], before[0]["kid"]);
    assert_eq!((&after[0]["signs"], &after[1]["signs"]), (&json!(true), &json!(false)));
    assert_eq!(console.get(path::ADMIN_KEYS).await.body, after);
    assert!(!after.to_string().contains("pkcs8"));
    let by: Vec<Option<uuid::Uuid>> = bench
        .sql()
        .prepare("SELECT account_id FROM audit WHERE act = 'KEY_MADE' ORDER BY id")
        .and_then(|mut made| made.query_map([], |row| row.get(0))?.collect())
        .expect("acts");
    assert_eq!(by, [None, Some(console.operator_id)], "the server's own, and the caja's");
}
