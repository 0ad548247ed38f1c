use axum::http::{Method, StatusCode};
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::limits::ATTACHMENT_MAX_BYTES;
use hanna_wire::me::{Branch, Role};
use hanna_wire::path;
use jiff::ToSpan;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::{Answer, Bench, Desk};

const PDF: &[u8] =
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n\
                     trailer<</Root 1 0 R>>\n%%EOF\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9";
const BOTH: [Role; 2] = [Role::EntityAdmin, Role::Operator];

async fn newcomer(bench: &Bench) -> Desk {
    bench.desk_of_new("nadia@gym-nuevo.co", Some("Ñandú Gym"), &BOTH).await
}

fn content(attachment_id: Uuid) -> Value {
    json!({
        "contact_name": "Nadia Núñez", "contact_email": "nadia@gym-nuevo.co", "contact_phone": "3001234567",
        "benefit": "20 % de descuento", "attachment_id": attachment_id,
        "branches": [
            { "name": "Norte", "city": "Barranquilla", "address": "Carrera 53 # 76-100" },
            { "name": "Sur", "city": "Soledad", "address": "Calle 18 # 4-2" },
        ],
    })
}

async fn attached(bench: &Bench, desk: &Desk) -> Uuid {
    let id = bench.id();
    let answer = desk.attach(id, "cámara.pdf", "application/pdf", PDF).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    id
}

/// Asks for CONVENIOS, with a file.
async fn submitted(bench: &Bench, desk: &Desk) -> Uuid {
    let id = bench.id();
    let answer = submit(desk, id, &content(attached(bench, desk).await)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    id
}

async fn submit(desk: &Desk, id: Uuid, content: &Value) -> Answer {
    let body = json!({ "id": id, "application": "CONVENIOS", "content": content });
    desk.post(path::APPLICATION_REQUESTS, &body).await
}

async fn decide(caja: &Desk, path: &str, id: Uuid, body: &Value) -> Answer {
    caja.post(&path::with_id(path, id), body).await
}

fn approval() -> Value {
    json!({
        "revision": 1,
        "agreement": AgreementTerms::usual("Gimnasio".to_owned(), date(2026, 11, 22)),
        "branches": [
            { "name": "Norte", "city": "Barranquilla" },
            { "code": "NAN-01", "name": "Sur", "city": "Soledad" },
        ],
    })
}

async fn tile(desk: &Desk) -> (Value, Value) {
    let me = desk.get(path::ME).await.body;
    (me["applications"][0]["state"].clone(), me["applications"][0]["reason"].clone())
}

#[tokio::test]
async fn from_the_request_to_the_first_lookup() {
    let bench = Bench::open().await;
    let (mut desk, caja) = (newcomer(&bench).await, bench.caja().await);
    assert_eq!(tile(&desk).await, (json!("NOT_REQUESTED"), Value::Null));
    let id = submitted(&bench, &desk).await;
    assert_eq!(tile(&desk).await, (json!("SUBMITTED"), Value::Null));
    assert_eq!(bench.mails().await.len(), 0);

    let listed = caja.get(&format!("{}?state=SUBMITTED&q=nandu", path::ADMIN_APPLICATION_REQUESTS)).await;
    assert_eq!(listed.body["items"][0]["id"], json!(id), "{}", listed.body);
    assert_eq!(listed.body["items"][0]["content"]["branches"][1]["city"], "Soledad");
    for _ in 0..2 {
        let answer = decide(&caja, path::ADMIN_APPLICATION_REQUEST_REVIEW, id, &Value::Null).await;
        assert_eq!((answer.status, answer.body["state"].as_str()), (StatusCode::OK, Some("IN_REVIEW")));
    }
    assert_eq!(tile(&desk).await.0, "IN_REVIEW");

    let approved = decide(&caja, path::ADMIN_APPLICATION_REQUEST_APPROVE, id, &approval()).await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.body);
    let states: Vec<_> = approved.body["history"].as_array().expect("a list").iter().collect();
    assert_eq!(
        states.iter().map(|event| &event["state"]).collect::<Vec<_>>(),
        ["SUBMITTED", "IN_REVIEW", "APPROVED"]
    );
    assert_eq!(tile(&desk).await.0, "APPROVED");
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("To: nadia@gym-nuevo.co"), "{mails:?}");

    let me = desk.get(path::ME).await.body;
    desk.branches = serde_json::from_value::<Vec<Branch>>(me["branches"].clone()).expect("branches");
    let codes: Vec<_> =
        desk.branches.iter().map(|branch| (branch.code.as_str(), branch.name.as_str())).collect();
    assert_eq!(codes, [("NAN-01", "Sur"), ("NAN-02", "Norte")]);
    let document = bench.demo.documents.active[0].clone();
    let statement = bench.read(&desk.look_up(&bench, 0, &document).await);
    assert!(statement.reasons.is_empty(), "usable: {statement:?}");

    for (path, body) in [
        (path::ADMIN_APPLICATION_REQUEST_REVIEW, Value::Null),
        (path::ADMIN_APPLICATION_REQUEST_APPROVE, approval()),
        (path::ADMIN_APPLICATION_REQUEST_REJECT, json!({ "revision": 1, "reason": "Tarde." })),
    ] {
        assert_eq!(decide(&caja, path, id, &body).await.code(), "NOT_PENDING", "{path}");
    }
    let again = content(attached(&bench, &desk).await);
    assert_eq!(submit(&desk, bench.id(), &again).await.code(), "ALREADY_REQUESTED");
}

#[tokio::test]
async fn a_rejected_request_is_corrected_and_keeps_its_history() {
    let bench = Bench::open().await;
    let (desk, caja) = (newcomer(&bench).await, bench.caja().await);
    let id = submitted(&bench, &desk).await;
    let reject = json!({ "revision": 1, "reason": "El certificado está vencido." });
    let none =
        decide(&caja, path::ADMIN_APPLICATION_REQUEST_REJECT, id, &json!({ "revision": 1, "reason": " " }))
            .await;
    assert_eq!(none.code(), "INVALID");
    let rejected = decide(&caja, path::ADMIN_APPLICATION_REQUEST_REJECT, id, &reject).await;
    assert_eq!(rejected.status, StatusCode::OK);
    assert_eq!(tile(&desk).await, (json!("REJECTED"), json!("El certificado está vencido.")));
    let mails = bench.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("vencido"), "{mails:?}");

    let path = path::with_id(path::APPLICATION_REQUEST, id);
    let new_content = content(attached(&bench, &desk).await);
    let early = json!({ "revision": 2, "content": new_content });
    assert_eq!(desk.call(Method::PUT, &path, &early).await.code(), "NOT_PENDING");
    let correction = json!({ "revision": 1, "content": new_content });
    for _ in 0..2 {
        let answer = desk.call(Method::PUT, &path, &correction).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!((&answer.body["state"], &answer.body["revision"]), (&json!("SUBMITTED"), &json!(2)));
        let history = answer.body["history"].as_array().expect("a list");
        let told: Vec<_> = history.iter().map(|event| (&event["state"], &event["revision"])).collect();
        assert_eq!(
            told,
            [
                (&json!("SUBMITTED"), &json!(1)),
                (&json!("REJECTED"), &json!(1)),
                (&json!("SUBMITTED"), &json!(2))
            ]
        );
        assert_eq!(history[1]["reason"], "El certificado está vencido.");
    }
    // Who still looks at the first revision decides nothing about the second.
    for (path, body) in [
        (path::ADMIN_APPLICATION_REQUEST_APPROVE, approval()),
        (path::ADMIN_APPLICATION_REQUEST_REJECT, reject),
    ] {
        assert_eq!(decide(&caja, path, id, &body).await.code(), "NOT_PENDING", "{path}");
    }
    let other = json!({ "revision": 1, "content": content(attached(&bench, &desk).await) });
    assert_eq!(desk.call(Method::PUT, &path, &other).await.code(), "NOT_PENDING");
    assert_eq!(tile(&desk).await, (json!("SUBMITTED"), Value::Null));
    let own = desk.get(path::APPLICATION_REQUESTS).await.body;
    assert_eq!((own["items"].as_array().expect("a list").len(), &own["next"]), (1, &Value::Null));
}

#[tokio::test]
async fn the_same_request_is_one_and_an_entity_has_one() {
    let bench = Bench::open().await;
    let desk = newcomer(&bench).await;
    let (id, content) = (bench.id(), content(attached(&bench, &desk).await));
    let first = submit(&desk, id, &content).await;
    let again = submit(&desk, id, &content).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    let mut other = content.clone();
    other["benefit"] = json!("Otro");
    assert_eq!(submit(&desk, id, &other).await.code(), "ID_CONFLICT");
    assert_eq!(submit(&desk, bench.id(), &content).await.code(), "ALREADY_REQUESTED");
    // The gym got it with the demo, without a request.
    let gym = bench.desk_as("gerencia@gymcaribe.co").await;
    let file = attached(&bench, &gym).await;
    assert_eq!(submit(&gym, bench.id(), &self::content(file)).await.code(), "ALREADY_REQUESTED");
}

#[tokio::test]
async fn files_are_what_they_say_and_no_more_than_five_mib() {
    let bench = Bench::open().await;
    let desk = newcomer(&bench).await;
    for (kind, bytes) in [("application/pdf", PDF), ("image/png", PNG), ("image/jpeg; q=1", JPEG)] {
        let answer = desk.attach(bench.id(), "foto ñ.pdf", kind, bytes).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert_eq!(answer.body["size_bytes"], bytes.len());
        assert_eq!(answer.body["file_name"], "foto ñ.pdf");
    }
    for (kind, bytes) in [
        ("application/pdf", PNG),
        ("image/png", PDF),
        ("image/jpeg", b"<html>".as_slice()),
        ("application/pdf", b""),
        ("text/html", b"<html>"),
        ("application/zip", b"PK\x03\x04"),
    ] {
        let answer = desk.attach(bench.id(), "a", kind, bytes).await;
        assert_eq!(answer.code(), "UNSUPPORTED_MEDIA_TYPE", "{kind}");
    }
    for name in ["", " ", "../a.pdf", "a\\b", "a\u{7}"] {
        assert_eq!(desk.attach(bench.id(), name, "application/pdf", PDF).await.code(), "INVALID", "{name:?}");
    }
    let mut large = PDF.to_vec();
    large.resize(ATTACHMENT_MAX_BYTES, b' ');
    let kept = desk.attach(bench.id(), "a", "application/pdf", &large).await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.body);
    large.push(b' ');
    assert_eq!(desk.attach(bench.id(), "a", "application/pdf", &large).await.code(), "TOO_LARGE");
}

#[tokio::test]
async fn a_file_is_the_same_again_and_downloaded_by_its_entity_and_the_caja_alone() {
    let bench = Bench::open().await;
    let (desk, caja) = (newcomer(&bench).await, bench.caja().await);
    let other = bench.desk_of_new("eva@otro.co", Some("OTRO"), &BOTH).await;
    let file = attached(&bench, &desk).await;
    assert_eq!(desk.attach(file, "cámara.pdf", "application/pdf", PDF).await.status, StatusCode::CREATED);
    assert_eq!(desk.attach(file, "otro.pdf", "application/pdf", PDF).await.code(), "ID_CONFLICT");
    assert_eq!(other.attach(file, "cámara.pdf", "application/pdf", PDF).await.code(), "ID_CONFLICT");
    assert_eq!(submit(&other, bench.id(), &content(file)).await.code(), "INVALID");
    assert_eq!(submit(&desk, bench.id(), &content(bench.id())).await.code(), "INVALID");
    let id = bench.id();
    assert_eq!(submit(&desk, id, &content(file)).await.status, StatusCode::CREATED);
    let own = path::with_id(path::APPLICATION_REQUEST_ATTACHMENT, id);
    let of_caja = path::with_id(path::ADMIN_APPLICATION_REQUEST_ATTACHMENT, id);
    for (desk, path) in [(&desk, &own), (&caja, &of_caja)] {
        let answer = desk.get(path).await;
        assert_eq!((answer.status, answer.bytes.as_ref()), (StatusCode::OK, PDF));
        assert_eq!(answer.header("content-type"), "application/pdf");
        assert_eq!(answer.header("content-disposition"), "attachment; filename*=UTF-8''c%C3%A1mara.pdf");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(other.get(&own).await.code(), "NOT_FOUND");
    let correction = json!({ "revision": 1, "content": content(file) });
    let path = path::with_id(path::APPLICATION_REQUEST, id);
    assert_eq!(other.call(Method::PUT, &path, &correction).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn files_that_no_request_names_are_few_and_go_after_a_day() {
    let bench = Bench::open().await;
    let desk = newcomer(&bench).await;
    let named = submitted(&bench, &desk).await;
    for _ in 0..20 {
        attached(&bench, &desk).await;
    }
    let full = desk.attach(bench.id(), "a", "application/pdf", PDF).await;
    assert_eq!((full.code(), full.header("retry-after")), ("SLOW_DOWN", "86400"));
    bench.clock.forward(25.hours());
    let desk = bench
        .desk_of(
            &crate::demo::Account { username: "nadia@gym-nuevo.co".into(), ..bench.demo.accounts[0].clone() },
            "PC",
        )
        .await;
    attached(&bench, &desk).await;
    let left: u32 =
        bench.sql().query_row("SELECT count(*) FROM attachments", [], |row| row.get(0)).expect("a count");
    assert_eq!(left, 2, "the one a request names, and the new one");
    let file = desk.get(&path::with_id(path::APPLICATION_REQUEST_ATTACHMENT, named)).await;
    assert_eq!(file.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_and_nothing_is_made() {
    let bench = Bench::open().await;
    let (desk, caja) = (newcomer(&bench).await, bench.caja().await);
    let file = attached(&bench, &desk).await;
    for (field, value) in [
        ("contact_name", json!(" ")),
        ("contact_email", json!("nadia")),
        ("contact_phone", json!("300 123")),
        ("benefit", json!("x".repeat(501))),
        ("branches", json!([])),
        ("branches", json!([{ "name": "A", "city": "B", "address": "" }])),
    ] {
        let mut wrong = content(file);
        wrong[field] = value;
        let answer = submit(&desk, bench.id(), &wrong).await;
        assert_eq!(answer.code(), "INVALID", "{field}");
        assert!(answer.body["detail"].as_str().expect("a detail").starts_with(field), "{}", answer.body);
    }
    let id = submitted(&bench, &desk).await;
    let approve = async |change: &dyn Fn(&mut Value)| {
        let mut approval = approval();
        change(&mut approval);
        decide(&caja, path::ADMIN_APPLICATION_REQUEST_APPROVE, id, &approval).await.code().to_owned()
    };
    assert_eq!(approve(&|body| body["agreement"]["last_day"] = json!("2020-01-01")).await, "INVALID");
    assert_eq!(approve(&|body| body["branches"] = json!([])).await, "INVALID");
    assert_eq!(approve(&|body| body["branches"][1]["code"] = json!("nan 1")).await, "INVALID");
    assert_eq!(approve(&|body| body["branches"][1]["code"] = json!("GYM-01")).await, "BRANCH_CODE_TAKEN");
    assert_eq!(approve(&|body| body["branches"][0]["code"] = json!("NAN-01")).await, "INVALID", "twice");
    assert_eq!(tile(&desk).await.0, "SUBMITTED");
    assert_eq!(desk.get(path::ME).await.body["branches"], json!([]));
    let nobody = decide(&caja, path::ADMIN_APPLICATION_REQUEST_APPROVE, bench.id(), &approval()).await;
    assert_eq!(nobody.code(), "NOT_FOUND");
}

#[tokio::test]
async fn requests_come_in_pages() {
    let bench = Bench::open().await;
    let caja = bench.caja().await;
    let mut ids = Vec::new();
    for name in ["UNO", "DOS", "TRES"] {
        let desk = bench.desk_of_new(&format!("{name}@x.co"), Some(name), &BOTH).await;
        ids.push(json!(submitted(&bench, &desk).await));
        bench.clock.forward(1.second());
    }
    ids.reverse();
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = caja.get(&format!("{}?limit=2{after}", path::ADMIN_APPLICATION_REQUESTS)).await.body;
        found.extend(page["items"].as_array().expect("a list").iter().map(|item| item["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(found, ids);
    let wrong = caja.get(&format!("{}?after=x", path::ADMIN_APPLICATION_REQUESTS)).await;
    assert_eq!(wrong.code(), "INVALID");
}
