use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use hanna_wire::limits::IMPORT_MAX_BYTES;
use hanna_wire::path;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::import::{ImportHow, JobError};
use crate::testing::{Answer, Bench, Desk};

const HEADER: &str = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;\
    tipo_afiliado;nit_empresa;empresa;estado_empresa\n";
const NUNEZ: &str = "CC;1045678901;ÑÚÑEZ;;JOSÉ;;ACTIVO;A;TRABAJADOR;;;\n";
/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(20);

async fn send(caja: &Desk, id: Uuid, query: &str, body: impl Into<Body>) -> Answer {
    let path = format!("{}?id={id}{query}", path::ADMIN_IMPORTS);
    caja.send(Method::POST, &path, "text/csv", body.into()).await
}

async fn job(caja: &Desk, id: Uuid) -> Answer {
    caja.get(&path::ADMIN_IMPORT.replace("{id}", &id.to_string())).await
}

/// Asks until the import is so.
async fn until(caja: &Desk, id: Uuid, wanted: impl Fn(&Answer) -> bool) -> Answer {
    let asked = async {
        loop {
            let found = job(caja, id).await;
            if wanted(&found) {
                return found;
            }
            // As seldom as a console asks: nobody's budget is used up.
            tokio::time::sleep(ASK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("it comes to that")
}

async fn ended(caja: &Desk, id: Uuid) -> Value {
    until(caja, id, |job| {
        assert_eq!(job.status, StatusCode::OK, "{}", job.body);
        !["RECEIVING", "RUNNING"].contains(&job.body["state"].as_str().expect("a state"))
    })
    .await
    .body
}

/// What there is of files.
fn files(bench: &Bench) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(bench.dir().join("imports")) else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Waits until there is none: an import ends before its file goes.
async fn no_files(bench: &Bench) {
    let gone = async {
        while !files(bench).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("removed");
}

fn people(bench: &Bench) -> i64 {
    bench.sql().query_row("SELECT count(*) FROM affiliates", [], |row| row.get(0)).expect("a count")
}

/// A body that comes piece by piece, as the test sends it.
fn in_pieces() -> (mpsc::Sender<std::io::Result<String>>, Body) {
    let (sender, mut received) = mpsc::channel(1);
    let stream = futures_util::stream::poll_fn(move |context| received.poll_recv(context));
    (sender, Body::from_stream(stream))
}

/// Begins to send a file that does not end.
async fn begun(
    bench: &Bench,
    caja: &std::sync::Arc<Desk>,
) -> (Uuid, mpsc::Sender<std::io::Result<String>>, tokio::task::JoinHandle<Answer>) {
    let id = bench.id();
    let (pieces, body) = in_pieces();
    let sending = std::sync::Arc::clone(caja);
    let sent = tokio::spawn(async move { send(&sending, id, "", body).await });
    pieces.send(Ok(HEADER.to_owned())).await.expect("taken");
    until(caja, id, |job| job.status == StatusCode::OK).await;
    (id, pieces, sent)
}

#[tokio::test]
async fn a_file_is_taken_in_followed_and_removed() {
    let bench = Bench::open().await;
    let caja = bench.caja().await;
    let before = people(&bench);
    let (dry, id) = (bench.id(), bench.id());
    let query = "&file_name=afiliados%20de%20noviembre.csv";
    let file = format!("{HEADER}{NUNEZ}");
    let begun = send(&caja, dry, "&dry_run=true", file.clone()).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
    let tried = ended(&caja, dry).await;
    assert_eq!((&tried["state"], &tried["dry_run"]), (&json!("DONE"), &json!(true)));
    assert_eq!(
        (&tried["counts"], people(&bench)),
        (&json!({ "added": 1, "updated": 0, "removed": 0 }), before)
    );

    let begun = send(&caja, id, query, file.clone()).await;
    assert_eq!((begun.status, &begun.body["bytes"]), (StatusCode::ACCEPTED, &json!(file.len())));
    let done = ended(&caja, id).await;
    assert_eq!((&done["state"], &done["counts"]["added"]), (&json!("DONE"), &json!(1)), "{done}");
    assert_eq!(
        (&done["lines"], &done["bytes_read"], &done["rejected"]),
        (&json!(2), &json!(file.len()), &json!(0))
    );
    assert_eq!(
        (&done["file_name"], &done["by"]),
        (&json!("afiliados de noviembre.csv"), &json!("Beatriz Ávila"))
    );
    assert_eq!(people(&bench), before + 1);
    no_files(&bench).await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::fs::metadata(bench.dir().join("imports")).expect("there");
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }

    let again = send(&caja, id, query, "").await;
    assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &done), "the same import");
    assert_eq!(send(&caja, id, "&mode=replace", file).await.code(), "ID_CONFLICT");
    let page = caja.get(&format!("{}?limit=1", path::ADMIN_IMPORTS)).await.body;
    let next = page["next"].as_str().expect("a next page");
    let rest = caja.get(&format!("{}?after={next}", path::ADMIN_IMPORTS)).await.body;
    let ids = [&page["items"][0]["id"], &rest["items"][0]["id"]];
    assert!(ids.contains(&&json!(id)) && ids.contains(&&json!(dry)), "{ids:?}");
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_line_by_line() {
    let bench = Bench::open().await;
    let caja = bench.caja().await;
    let before = people(&bench);
    let id = bench.id();
    let bad = format!("{HEADER}{NUNEZ}{NUNEZ}{}", NUNEZ.replace("ACTIVO", "VIVO"));
    send(&caja, id, "&mode=replace", bad).await;
    let refused = ended(&caja, id).await;
    assert_eq!((&refused["state"], &refused["rejected"]), (&json!("REFUSED"), &json!(2)), "{refused}");
    assert_eq!(
        (&refused["counts"], &refused["reason"], people(&bench)),
        (&Value::Null, &Value::Null, before)
    );
    let rejected_path = path::ADMIN_IMPORT_REJECTED.replace("{id}", &id.to_string());
    let rejected = caja.get(&rejected_path).await;
    assert_eq!(rejected.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(rejected.header("x-content-type-options"), "nosniff");
    let lines: Vec<&str> = rejected.body.as_str().expect("text").lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "\u{feff}linea;columna;motivo"));
    assert!(!rejected.body.as_str().expect("text").contains("1045678901"), "no value of the file");

    let id = bench.id();
    send(&caja, id, "", "documento\n").await;
    let refused = ended(&caja, id).await;
    assert_eq!(refused["state"], "REFUSED");
    assert!(
        refused["reason"].as_str().expect("a reason").starts_with("Faltan columnas en el encabezado"),
        "{refused}"
    );
    let none = caja.get(&path::ADMIN_IMPORT_REJECTED.replace("{id}", &id.to_string())).await;
    assert_eq!(none.code(), "NOT_FOUND");
    no_files(&bench).await;
}

#[tokio::test]
async fn one_import_at_a_time_wherever_it_was_begun() {
    let bench = Bench::open().await;
    let caja = std::sync::Arc::new(bench.caja().await);
    let (first, pieces, sent) = begun(&bench, &caja).await;
    assert_eq!(job(&caja, first).await.body["state"], "RECEIVING");
    let second = send(&caja, bench.id(), "", HEADER).await;
    assert_eq!((second.status, second.code()), (StatusCode::CONFLICT, "IMPORT_RUNNING"));

    let file = bench.dir().join("afiliados.csv");
    std::fs::write(&file, HEADER).expect("written");
    let terminal = bench.another().await;
    let import = async || {
        let unwatched = Box::new(|_| std::ops::ControlFlow::Continue(()));
        terminal.import_at_the_terminal(&file, ImportHow::default(), None, unwatched).await
    };
    assert!(matches!(import().await, Err(JobError::Running)));
    assert_eq!(job(&caja, first).await.body["state"], "RECEIVING", "whoever looks does not end it");

    pieces.send(Ok(NUNEZ.to_owned())).await.expect("taken");
    drop(pieces);
    assert_eq!(sent.await.expect("answered").status, StatusCode::ACCEPTED);
    assert_eq!(ended(&caja, first).await["state"], "DONE");
    let report = async {
        loop {
            if let Ok(report) = import().await {
                return report;
            }
        }
    };
    tokio::time::timeout(PATIENCE, report).await.expect("the turn is free again");
    let jobs = caja.get(path::ADMIN_IMPORTS).await.body;
    let terminals = jobs["items"].as_array().expect("items").iter().find(|job| job["by"] == Value::Null);
    assert_eq!(terminals.expect("on record")["state"], "DONE");
}

#[tokio::test]
async fn a_file_that_does_not_come_whole_leaves_nothing() {
    let bench = Bench::open().await;
    let caja = std::sync::Arc::new(bench.caja().await);
    let before = people(&bench);
    let (id, pieces, sent) = begun(&bench, &caja).await;
    let made = async {
        while files(&bench).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, made).await.expect("made");
    assert_eq!(files(&bench), [format!("{id}.csv")]);
    // The client is gone: nobody waits for the answer, and its body ends with an error.
    sent.abort();
    pieces.send(Ok(NUNEZ.to_owned())).await.expect("taken");
    let _ = pieces.send(Err(std::io::Error::other("gone"))).await;
    until(&caja, id, |job| job.status == StatusCode::NOT_FOUND).await;
    no_files(&bench).await;

    let (stalled, body) = in_pieces();
    let bench = bench.with(|config| config.limits.body_max = Duration::from_millis(50)).await;
    let caja = bench.at(std::sync::Arc::into_inner(caja).unwrap_or_else(|| panic!("shared")));
    let slow = send(&caja, bench.id(), "", body).await;
    assert_eq!((slow.status, slow.code()), (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMED_OUT"));
    drop(stalled);
    let authorization = caja.authorization();
    let large = axum::http::Request::post(format!("{}?id={}", path::ADMIN_IMPORTS, bench.id()))
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "text/csv")
        .header(header::CONTENT_LENGTH, IMPORT_MAX_BYTES + 1);
    let large = bench.send(large.body(Body::empty()).expect("a request")).await;
    assert_eq!((large.status, large.code()), (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"));
    let path = format!("{}?id={}", path::ADMIN_IMPORTS, bench.id());
    let json = caja.send(Method::POST, &path, "application/json", Body::from("{}")).await;
    assert_eq!(json.code(), "UNSUPPORTED_MEDIA_TYPE");
    for query in ["&mode=all", "&dry_run=x", "&file_name=a%0Ab", &format!("&file_name={}", "x".repeat(256))] {
        assert_eq!(send(&caja, bench.id(), query, HEADER).await.code(), "INVALID", "{query}");
    }
    no_files(&bench).await;
    assert_eq!(people(&bench), before);
    assert_eq!(caja.get(path::ADMIN_IMPORTS).await.body["items"], json!([]));
}

#[tokio::test]
async fn an_import_is_stopped_while_it_arrives_and_after_a_crash_it_has_failed() {
    let bench = Bench::open().await;
    let caja = std::sync::Arc::new(bench.caja().await);
    let before = people(&bench);
    let (id, pieces, sent) = begun(&bench, &caja).await;
    let cancel = path::ADMIN_IMPORT_CANCEL.replace("{id}", &id.to_string());
    assert_eq!(caja.post(&cancel, &Value::Null).await.status, StatusCode::OK);
    let sending = async { while pieces.send(Ok(NUNEZ.to_owned())).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, sending).await.expect("it stops reading");
    assert_eq!(sent.await.expect("answered").body["state"], "CANCELLED");
    assert_eq!(caja.post(&cancel, &Value::Null).await.body["state"], "CANCELLED", "again");
    let nobody = path::ADMIN_IMPORT_CANCEL.replace("{id}", &bench.id().to_string());
    assert_eq!(caja.post(&nobody, &Value::Null).await.code(), "NOT_FOUND");
    no_files(&bench).await;

    // As a server that was killed leaves it.
    let sql = "UPDATE import_jobs SET state = 'RUNNING', ended_us = NULL";
    assert_eq!(bench.sql().execute(sql, []).expect("changed"), 1);
    let leftover = bench.dir().join("imports").join(format!("{id}.csv"));
    std::fs::write(&leftover, NUNEZ).expect("written");
    let failed = ended(&caja, id).await;
    assert_eq!(failed["state"], "FAILED");
    assert_ne!(failed["ended_at"], Value::Null);
    assert_eq!((people(&bench), leftover.exists()), (before, false));
}
