//! A day of the caja in its console: the built pages, as the server serves them, in Chromium. The server is prepared, and asked
//! afterwards what became of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hanna_desk::ports::{Chance as _, Clock as _, System};
use hanna_tests::programs::program;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::browser::Browser;
use crate::pictures::Album;
use crate::server::Server;

const CAJA: &str = "beatriz@caja-nueva.co";
const CAJA_PASSWORD: &str = "siete clarinetes";
const PASSWORD: &str = "cuatro xilofonos";
const DEVICE: &str = "RECEPCION-DE-PRUEBA";
/// A CSV of affiliates as the caja writes them.
const HEAD: &str = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;\
                    tipo_afiliado;nit_empresa;empresa;estado_empresa\n";
/// Ten digits, which nobody else of the demo's caja has.
const BAD: &str = "CC;3900000001;PÉREZ;;JUAN;;ACTIVO;X;TRABAJADOR;;;\n";
const GOOD: &str = "CC;3900000001;PÉREZ;;JUAN;;ACTIVO;B;TRABAJADOR;;;\n";

/// What a person of an entity has to do with the server before the caja sees it.
struct Counter {
    server: String,
    data: PathBuf,
    http: reqwest::Client,
}

impl Counter {
    /// Answers with the body of a call that has to succeed.
    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.expect("the server answers");
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        assert!(status.is_success(), "{status}: {body}");
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.server)).json(body)
    }

    /// What a subcommand prints.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(program("hanna-server"));
        let output = command.args(arguments).arg("--data-dir").arg(&self.data).output().expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Creates an account and confirms it with the code of its mail. Answers with its id.
    async fn register(&self, nit: &str, entity: &str, name: &str, email: &str) -> Uuid {
        let id = new_id();
        let account = json!({
            "id": id, "nit": nit, "entity_name": entity, "display_name": name, "email": email,
            "phone": "3001234567", "password": PASSWORD, "privacy_notice": "2026-11",
        });
        self.call(self.post("/v1/accounts", &account)).await;
        let code = self.mailed_code(email).await;
        self.call(self.post("/v1/accounts/confirm", &json!({ "id": id, "code": code }))).await;
        id
    }

    /// The code of the mail to somebody, once it is written.
    async fn mailed_code(&self, email: &str) -> String {
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        let mut found = None;
        for _ in 0..300 {
            let mails = std::fs::read_dir(self.data.join("mail")).into_iter().flatten();
            let texts = mails.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path()).ok());
            found = texts.into_iter().find(|text| text.contains(email));
            if found.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mail = found.expect("a mail to them");
        mail.lines().find(is_code).expect("a code").to_owned()
    }

    /// Signs in at a PC. Answers with the access token.
    async fn sign_in(&self, username: &str, password: &str) -> String {
        let device = json!({ "id": new_id(), "name": DEVICE });
        let body = json!({ "username": username, "password": password, "device": device });
        let granted = self.call(self.post("/v1/sessions", &body)).await;
        granted["access_token"].as_str().expect("a token").to_owned()
    }

    /// Asks for the application CONVENIOS, with an attachment.
    async fn request(&self, token: &str) {
        let attachment = new_id();
        let put = self.http.put(format!("{}/v1/attachments/{attachment}", self.server)).bearer_auth(token);
        let put = put.header("content-type", "application/pdf").header("x-file-name", "camara.pdf");
        self.call(put.body("%PDF-1.7\nuna camara de comercio\n")).await;
        let content = json!({
            "contact_name": "Nadia Núñez", "contact_email": "nadia@gym-nuevo.co", "contact_phone": "3001234567",
            "benefit": "20 % de descuento en la mensualidad",
            "branches": [{ "name": "Sede Norte", "city": "Barranquilla", "address": "Carrera 53 # 76-100" }],
            "attachment_id": attachment,
        });
        let body = json!({ "id": new_id(), "application": "CONVENIOS", "content": content });
        self.call(self.post("/v1/application-requests", &body).bearer_auth(token)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_the_caja_in_its_console() {
    let stage = tempfile::tempdir().expect("a folder");
    let data = stage.path().join("server");
    let server = Server::start(&data);
    let counter = Counter { server: server.url(), data, http: reqwest::Client::new() };

    let nadia = counter.register("899999068-1", "GYM NUEVO", "Nadia Núñez", "nadia@gym-nuevo.co").await;
    counter.run(&["account", "approve", &nadia.to_string()]);
    let token = counter.sign_in("nadia@gym-nuevo.co", PASSWORD).await;
    counter.request(&token).await;
    counter.register("899999068-1", "GYM NUEVO", "Ramón Pardo", "ramon@gym-nuevo.co").await;
    let printed = counter.run(&["account", "create-caja", "--username", CAJA, "--name", "Beatriz Ávila"]);
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    let code = printed.split_whitespace().find(is_code).expect("a code");

    let bad = file(stage.path(), "con-errores.csv", BAD);
    let good = file(stage.path(), "afiliados.csv", GOOD);
    let mut browser = Browser::open(&server, &Album::open(), "consola-");
    let first = json!({ "username": CAJA, "code": code, "password": CAJA_PASSWORD });
    let recovery = browser.does("first_sign_in", &first);
    browser.does("approve_registration", &json!({ "who": "Ramón Pardo" }));
    browser.does("review_request", &json!({ "entity": "GYM NUEVO" }));
    browser.does("approve_request", &json!({ "entity": "GYM NUEVO" }));
    browser.does("import_affiliates", &json!({ "bad": bad, "rejected": "tarifa", "good": good }));
    browser.does("revoke_device", &json!({ "name": DEVICE }));
    browser.does("look_around", &json!({}));
    browser.does("come_and_go", &json!({}));
    let again = json!({ "username": CAJA, "password": CAJA_PASSWORD, "recovery": recovery });
    browser.does("sign_in", &again);

    // What was done there is so: the request is approved, and the PC is trusted no more.
    let me = counter.sign_in("ramon@gym-nuevo.co", PASSWORD).await;
    let me = counter.call(counter.http.get(format!("{}/v1/me", counter.server)).bearer_auth(me)).await;
    assert_eq!(me["applications"][0]["state"], "APPROVED", "{me}");
    let refused = counter.http.get(format!("{}/v1/me", counter.server)).bearer_auth(&token);
    let refused = refused.send().await.expect("the server answers").status();
    assert!(refused.is_client_error(), "a revoked PC has no session: {refused}");
}

fn new_id() -> Uuid {
    System.id(System.now())
}

fn file(folder: &Path, name: &str, lines: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, format!("{HEAD}{lines}")).expect("a file");
    path
}
