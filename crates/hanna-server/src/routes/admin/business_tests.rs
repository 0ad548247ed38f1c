//! Entities, branches, agreements and usage, as the console asks for them.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use hanna_domain::Reason;
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::path;
use jiff::civil::date;
use serde_json::{Value, json};

use crate::testing::{Answer, Bench, Desk};

async fn send(caja: &Desk, method: Method, path: &str, id: &Value, body: &Value) -> Answer {
    let path = path.replace("{id}", id.as_str().unwrap_or("x"));
    caja.send(method, &path, "application/json", Body::from(body.to_string())).await
}

#[tokio::test]
async fn a_business_comes_in_through_the_console_and_is_found_again() {
    let bench = Bench::open().await;
    let caja = bench.caja().await;
    let id = json!(bench.id());
    let create = async |nit: &str, name: &str| {
        send(
            &caja,
            Method::POST,
            path::ADMIN_ENTITIES,
            &Value::Null,
            &json!({ "id": id, "nit": nit, "name": name }),
        )
        .await
    };
    let made = create("901.111.222-3", "CLÍNICA ÑANDÚ").await;
    assert_eq!((made.status, &made.body["entity"]["nit"]), (StatusCode::CREATED, &json!("901111222-3")));
    assert_eq!(made.body["entity"]["application"], "NOT_REQUESTED");
    assert_eq!(create("901111222-3", "CLÍNICA ÑANDÚ").await.status, StatusCode::CREATED, "the same again");
    for (nit, name, code) in [
        ("901111222-3", "OTRA", "ID_CONFLICT"),
        ("901111222-4", "CLÍNICA", "INVALID"),
        ("901111222", "CLÍNICA", "INVALID"),
        ("901111222-3", " ", "INVALID"),
    ] {
        assert_eq!(create(nit, name).await.code(), code, "{nit} {name}");
    }
    let other = json!({ "id": bench.id(), "nit": "901111222-3", "name": "OTRA" });
    let taken = send(&caja, Method::POST, path::ADMIN_ENTITIES, &Value::Null, &other).await;
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "NIT_TAKEN"));

    let found = caja.get(&format!("{}?q=nandu", path::ADMIN_ENTITIES)).await.body;
    assert_eq!((found["items"].as_array().map(Vec::len), &found["next"]), (Some(1), &Value::Null));
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = caja.get(&format!("{}?limit=2{after}", path::ADMIN_ENTITIES)).await.body;
        seen.extend(page["items"].as_array().expect("items").iter().map(|item| item["nit"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 5, "the demo's four, and this one: {seen:?}");
    for query in ["limit=0", "limit=501", "after=x", "q2=x", &format!("q={}", "x".repeat(121))] {
        assert_eq!(caja.get(&format!("{}?{query}", path::ADMIN_ENTITIES)).await.code(), "INVALID", "{query}");
    }

    let branch = json!({ "id": bench.id(), "name": "Sede Prado", "city": "Barranquilla" });
    let branch = send(&caja, Method::POST, path::ADMIN_ENTITY_BRANCHES, &id, &branch).await;
    assert_eq!(
        (branch.status, &branch.body["code"]),
        (StatusCode::CREATED, &json!("CLI-03")),
        "{}",
        branch.body
    );
    let terms = AgreementTerms::usual("Odontología".into(), date(2026, 11, 1));
    let agreement = json!({ "id": bench.id(), "terms": terms, "branches": [branch.body["id"]] });
    let made = send(&caja, Method::POST, path::ADMIN_ENTITY_AGREEMENTS, &id, &agreement).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let renamed = send(&caja, Method::PATCH, path::ADMIN_ENTITY, &id, &json!({ "name": "CLÍNICA" })).await;
    assert_eq!(renamed.status, StatusCode::OK);
    let read = caja.get(&path::ADMIN_ENTITY.replace("{id}", id.as_str().expect("an id"))).await.body;
    assert_eq!(read, renamed.body);
    assert_eq!(
        (&read["entity"]["name"], &read["entity"]["agreements_in_force"]),
        (&json!("CLÍNICA"), &json!(1))
    );
    assert_eq!(read["agreements"], json!([agreement]));
    assert_eq!(read["branches"], json!([branch.body]));

    for (method, path) in [(Method::PATCH, path::ADMIN_ENTITY), (Method::PATCH, path::ADMIN_BRANCH)] {
        for nobody in [json!(bench.id()), json!("x")] {
            let unknown = send(&caja, method.clone(), path, &nobody, &json!({ "name": "X" })).await;
            assert_eq!(unknown.code(), "NOT_FOUND", "{path}");
        }
    }
}

#[tokio::test]
async fn what_the_caja_changes_holds_from_the_next_statement() {
    let bench = Bench::open().await;
    let caja = bench.caja().await;
    let desk = bench.desk("RECEPCION-1").await;
    let branch = json!(desk.branches[0].id);
    let number = &bench.demo.documents.active[0];
    let before = desk.look_up(&bench, 0, number).await;
    assert!(bench.read(&before).usable);

    let entities = caja.get(&format!("{}?q=gym", path::ADMIN_ENTITIES)).await.body;
    let gym = caja
        .get(&path::ADMIN_ENTITY.replace("{id}", entities["items"][0]["id"].as_str().expect("an id")))
        .await
        .body;
    let agreement = &gym["agreements"][0];
    let mut change = json!({ "terms": agreement["terms"], "branches": agreement["branches"] });
    let clinic = caja.get(&format!("{}?q=sonrisas", path::ADMIN_ENTITIES)).await.body;
    let clinic = caja
        .get(&path::ADMIN_ENTITY.replace("{id}", clinic["items"][0]["id"].as_str().expect("an id")))
        .await
        .body;
    let put = async |change: &Value| {
        send(&caja, Method::PUT, path::ADMIN_AGREEMENT, &agreement["id"], change).await
    };
    for (place, value) in [
        ("/terms/last_day", json!("2020-01-01")),
        ("/terms/tariffs", json!([])),
        ("/terms/roles", json!([])),
        ("/terms/validity_h", json!(49)),
        ("/branches", json!([])),
        ("/branches", json!([branch, branch])),
        ("/branches", json!([clinic["branches"][0]["id"]])),
    ] {
        let mut wrong = change.clone();
        *wrong.pointer_mut(place).expect("a place") = value.clone();
        assert_eq!(put(&wrong).await.code(), "INVALID", "{place} {value}");
    }
    change["terms"]["first_day"] = json!("2027-01-01");
    assert_eq!(put(&change).await.status, StatusCode::OK);

    // Another process on the same data answers so at once, too.
    for _ in 0..2 {
        let after = bench.read(&desk.look_up(&bench, 0, number).await);
        assert_eq!(after.reasons, [Reason::AgreementNotStarted]);
    }
    let use_of_before = desk.report(&bench, 0, &before);
    assert_eq!(desk.deliver(&[&use_of_before]).await, ["accepted"], "a statement given before holds");

    let closed = send(&caja, Method::PATCH, path::ADMIN_BRANCH, &branch, &json!({ "closed": true })).await;
    assert_eq!(closed.body["closed_at"], json!(bench.clock.at()));
    let refused = desk.look_up(&bench, 0, number).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "BRANCH_NOT_ALLOWED"));
    let me = desk.get(path::ME).await.body;
    assert!(me["branches"].as_array().expect("a list").iter().all(|one| one["id"] != branch));
    let opened = send(&caja, Method::PATCH, path::ADMIN_BRANCH, &branch, &json!({ "closed": false })).await;
    assert_eq!(opened.body["closed_at"], Value::Null);
    assert_eq!(desk.look_up(&bench, 0, number).await.status, StatusCode::OK);

    let usage = caja.get(&format!("{}?from=2026-11-22&to=2026-11-22", path::ADMIN_USAGE)).await.body;
    let items = usage["items"].as_array().expect("items");
    let of_gym = items.iter().find(|item| item["entity"]["id"] == gym["entity"]["id"]).expect("the gym");
    assert_eq!(of_gym["total"], json!({ "lookups": 4, "uses": 1, "voided": 0, "people": 1 }));
    assert_eq!(items.len(), 4);
    for query in
        ["from=2026-11-22&to=2026-11-21", "from=2025-01-01&to=2026-11-21", "from=2026-11-22", "from=x&to=x"]
    {
        assert_eq!(caja.get(&format!("{}?{query}", path::ADMIN_USAGE)).await.code(), "INVALID", "{query}");
    }
}
