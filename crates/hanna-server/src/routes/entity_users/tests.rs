use axum::http::{Method, StatusCode};
use hanna_wire::me::Role;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::{Answer, Bench, Desk, code_in};

const NEW_PASSWORD: &str = "cuatro xilofonos";

fn invitation(id: Uuid, branches: &[Uuid]) -> Value {
    json!({
        "id": id, "display_name": "Eva Sosa", "email": "Eva@gymcaribe.co", "roles": ["OPERATOR"], "branches": branches,
    })
}

async fn admin(bench: &Bench) -> Desk {
    bench.desk_as("gerencia@gymcaribe.co").await
}

async fn branches(admin: &Desk) -> Vec<Uuid> {
    let answer = admin.get(path::ENTITY_BRANCHES).await.body;
    let ids = answer["items"].as_array().expect("a list").iter().map(|branch| branch["id"].clone());
    ids.map(|id| serde_json::from_value(id).expect("an id")).collect()
}

async fn change(admin: &Desk, id: Uuid, body: &Value) -> Answer {
    admin.call(Method::PATCH, &path::with_id(path::ENTITY_USER, id), body).await
}

async fn act(admin: &Desk, path: &str, id: Uuid) -> Answer {
    admin.post(&path::with_id(path, id), &Value::Null).await
}

/// Sets a password with the code that is mailed.
async fn set_password(bench: &Bench, email: &str) {
    let asked = bench.post(path::PASSWORD_FORGOT, &json!({ "email": email })).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    let code = code_in(bench.mails().await.last().expect("a mail"));
    let reset = json!({ "email": email, "code": code, "password": NEW_PASSWORD });
    assert_eq!(bench.post(path::PASSWORD_RESET, &reset).await.status, StatusCode::NO_CONTENT);
}

async fn sign_in(bench: &Bench, email: &str, password: &str) -> Answer {
    bench.sign_in(email, password, bench.id(), "PC").await
}

#[tokio::test]
async fn somebody_invited_sets_a_password_and_works_at_their_branches() {
    let bench = Bench::open().await;
    let admin = admin(&bench).await;
    let (id, branches) = (bench.id(), branches(&admin).await);
    assert_eq!(branches.len(), 3);
    let invited = admin.post(path::ENTITY_USERS, &invitation(id, &branches[..1])).await;
    assert_eq!(invited.status, StatusCode::CREATED, "{}", invited.body);
    assert_eq!((&invited.body["state"], &invited.body["roles"]), (&json!("INVITED"), &json!(["OPERATOR"])));
    let again = admin.post(path::ENTITY_USERS, &invitation(id, &branches[..1])).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &invited.body));
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("To: Eva@gymcaribe.co"), "once: {mails:?}");
    assert_eq!(sign_in(&bench, "eva@gymcaribe.co", NEW_PASSWORD).await.code(), "WRONG_CREDENTIALS");

    set_password(&bench, "eva@gymcaribe.co").await;
    let signed_in = sign_in(&bench, "eva@gymcaribe.co", NEW_PASSWORD).await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.body);
    let token = format!("Bearer {}", signed_in.body["access_token"].as_str().expect("a token"));
    let me = bench.get(path::ME, Some(&token)).await.body;
    assert_eq!(me["branches"][0]["id"], json!(branches[0]));
    assert_eq!(act(&admin, path::ENTITY_USER_INVITATION, id).await.code(), "NOT_PENDING", "it was accepted");
    let listed = admin.get(&format!("{}?q=SOSA", path::ENTITY_USERS)).await.body;
    assert_eq!(listed["items"].as_array().expect("a list").len(), 1);
    assert_eq!(listed["items"][0]["state"], "ACTIVE");
    assert!(
        listed["items"][0]["last_sign_in_at"].is_string() && listed["items"][0]["invited_at"].is_string()
    );
}

#[tokio::test]
async fn invitations_that_cannot_be() {
    let bench = Bench::open().await;
    let admin = admin(&bench).await;
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let id = bench.id();
    admin.post(path::ENTITY_USERS, &invitation(id, &[])).await;
    let with = |field: &str, value: Value| {
        let mut body = invitation(bench.id(), &[]);
        body["email"] = json!("otra@gymcaribe.co");
        body[field] = value;
        body
    };
    for (body, code) in [
        (invitation(bench.id(), &[]), "USERNAME_TAKEN"),
        (with("id", json!(id)), "ID_CONFLICT"),
        (with("id", json!(clinic.operator_id)), "ID_CONFLICT"),
        (with("branches", json!([clinic.branches[0].id])), "BRANCH_NOT_ALLOWED"),
        (with("roles", json!([])), "INVALID"),
        (with("roles", json!(["CAJA_ADMIN"])), "INVALID"),
        (with("roles", json!(["OPERATOR", "OPERATOR"])), "INVALID"),
        (with("email", json!("nadie")), "INVALID"),
        (with("display_name", json!(" ")), "INVALID"),
    ] {
        let answer = admin.post(path::ENTITY_USERS, &body).await;
        assert_eq!(answer.code(), code, "{body}");
    }
    assert_eq!(bench.mails().await.len(), 1);
}

#[tokio::test]
async fn an_invitation_is_mailed_again_but_not_without_end() {
    let bench = Bench::open().await;
    let admin = admin(&bench).await;
    let id = bench.id();
    admin.post(path::ENTITY_USERS, &invitation(id, &[])).await;
    for _ in 0..5 {
        assert_eq!(act(&admin, path::ENTITY_USER_INVITATION, id).await.status, StatusCode::NO_CONTENT);
    }
    let sixth = act(&admin, path::ENTITY_USER_INVITATION, id).await;
    assert_eq!((sixth.code(), sixth.header("retry-after")), ("SLOW_DOWN", "30"));
    assert_eq!(bench.mails().await.len(), 6);
}

#[tokio::test]
async fn a_suspended_operator_is_out_at_once_and_comes_back() {
    let bench = Bench::open().await;
    let (admin, luis) = (admin(&bench).await, bench.desk_as("luis.penaranda@gymcaribe.co").await);
    let suspended = change(&admin, luis.operator_id, &json!({ "state": "SUSPENDED" })).await;
    assert_eq!(suspended.body["state"], "SUSPENDED", "{}", suspended.body);
    assert_eq!(luis.get(path::ME).await.code(), "SESSION_EXPIRED");
    let password = bench.demo.accounts[0].password.clone();
    let email = "luis.penaranda@gymcaribe.co";
    assert_eq!(sign_in(&bench, email, &password).await.code(), "ACCOUNT_NOT_ACTIVE");
    let active = change(&admin, luis.operator_id, &json!({ "state": "ACTIVE" })).await;
    assert_eq!(active.body["state"], "ACTIVE");
    assert_eq!(sign_in(&bench, email, &password).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whom_the_caja_suspended_an_administrator_cannot_let_in_again() {
    let bench = Bench::open().await;
    let (admin, console, luis) =
        (admin(&bench).await, bench.caja().await, bench.desk_as("luis.penaranda@gymcaribe.co").await);
    let at_the_caja = path::ADMIN_USER.replace("{id}", &luis.operator_id.to_string());
    console.patch(&at_the_caja, &json!({ "state": "SUSPENDED" })).await;
    let refused = change(&admin, luis.operator_id, &json!({ "state": "ACTIVE" })).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let renamed = change(&admin, luis.operator_id, &json!({ "roles": ["OPERATOR"] })).await;
    assert_eq!(renamed.body["state"], "SUSPENDED_BY_CAJA", "{}", renamed.body);
    assert_eq!(luis.get(path::ME).await.code(), "SESSION_EXPIRED");
}

#[tokio::test]
async fn roles_and_branches_are_changed_and_what_is_left_out_stays() {
    let bench = Bench::open().await;
    let (admin, luis) = (admin(&bench).await, bench.desk_as("luis.penaranda@gymcaribe.co").await);
    let branches = branches(&admin).await;
    let body = json!({ "branches": branches[1..], "roles": ["OPERATOR", "ENTITY_ADMIN"] });
    let changed = change(&admin, luis.operator_id, &body).await.body;
    assert_eq!(changed["branches"], json!(branches[1..]));
    assert_eq!(changed["roles"], json!(["ENTITY_ADMIN", "OPERATOR"]));
    assert_eq!((&changed["display_name"], &changed["state"]), (&json!("Luis Peñaranda"), &json!("ACTIVE")));
    assert_eq!(luis.get(path::ENTITY_USERS).await.status, StatusCode::OK, "an administrator now");
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let theirs = json!({ "branches": [clinic.branches[0].id] });
    assert_eq!(change(&admin, luis.operator_id, &theirs).await.code(), "BRANCH_NOT_ALLOWED");
    for body in [json!({ "display_name": "x" }), json!({ "state": "SUSPENDED" })] {
        assert_eq!(change(&admin, clinic.operator_id, &body).await.code(), "NOT_FOUND");
    }
    assert_eq!(change(&admin, luis.operator_id, &json!({ "state": "INVITED" })).await.code(), "MALFORMED");
}

#[tokio::test]
async fn an_entity_keeps_an_active_administrator() {
    let bench = Bench::open().await;
    let (admin, luis) = (admin(&bench).await, bench.desk_as("luis.penaranda@gymcaribe.co").await);
    let (me, to_operator) = (admin.operator_id, json!({ "roles": ["OPERATOR"] }));
    assert_eq!(change(&admin, me, &to_operator).await.code(), "LAST_ADMINISTRATOR");
    // Somebody invited, or suspended, administers nothing.
    let mut other = invitation(bench.id(), &[]);
    other["roles"] = json!(["ENTITY_ADMIN"]);
    admin.post(path::ENTITY_USERS, &other).await;
    change(&admin, luis.operator_id, &json!({ "roles": ["ENTITY_ADMIN"], "state": "SUSPENDED" })).await;
    assert_eq!(change(&admin, me, &to_operator).await.code(), "LAST_ADMINISTRATOR");
    change(&admin, luis.operator_id, &json!({ "state": "ACTIVE" })).await;
    assert_eq!(
        change(&admin, me, &json!({ "state": "SUSPENDED" })).await.code(),
        "LAST_ADMINISTRATOR",
        "oneself"
    );
    assert_eq!(change(&admin, me, &to_operator).await.status, StatusCode::OK);
    assert_eq!(admin.get(path::ENTITY_USERS).await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_password_taken_away_is_worth_nothing_and_another_is_set() {
    let bench = Bench::open().await;
    let (admin, luis) = (admin(&bench).await, bench.desk_as("luis.penaranda@gymcaribe.co").await);
    let answer = act(&admin, path::ENTITY_USER_RESET, luis.operator_id).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    assert_eq!(luis.get(path::ME).await.code(), "SESSION_EXPIRED");
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("To: luis.penaranda@gymcaribe.co"), "{mails:?}");
    let password = bench.demo.accounts[0].password.clone();
    let email = "luis.penaranda@gymcaribe.co";
    assert_eq!(sign_in(&bench, email, &password).await.code(), "WRONG_CREDENTIALS");
    set_password(&bench, email).await;
    assert_eq!(sign_in(&bench, email, NEW_PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn people_come_in_pages_by_user_name() {
    let bench = Bench::open().await;
    let admin = admin(&bench).await;
    bench.clock.forward(1.second());
    let all = admin.get(path::ENTITY_USERS).await.body["items"].as_array().expect("a list").clone();
    let names: Vec<_> = all.iter().map(|user| user["username"].as_str().expect("a name")).collect();
    assert!(names.is_sorted() && names.len() == 5, "{names:?}");
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{}?limit=2{after}", path::ENTITY_USERS)).await.body;
        found.extend(page["items"].as_array().expect("a list").clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, all);
    assert_eq!(admin.get(&format!("{}?after=-", path::ENTITY_USERS)).await.code(), "INVALID");
    let operator = bench.desk("PC").await;
    assert_eq!(operator.get(path::ENTITY_USERS).await.code(), "FORBIDDEN");
    let unused: [Role; 0] = [];
    let caja = bench.desk_of_new("nadie@caja.co", None, &unused).await;
    assert_eq!(caja.get(path::ENTITY_USERS).await.code(), "FORBIDDEN");
}
