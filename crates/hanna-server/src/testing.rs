//! What the tests share: a server in this process, its clock moved by hand, desks that call it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use hanna_domain::statement::Verifier;
use hanna_domain::{Document, DocumentKind, Statement};
use hanna_wire::application::{FILE_NAME_HEADER, file_name_header};
use hanna_wire::me::{Branch, Role};
use hanna_wire::path;
use jiff::{Span, Timestamp};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::params;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use crate::app::{App, Config, Database};
use crate::clock::{Clock, Entropy};
use crate::demo::{Account, Demo};
use crate::totp::TotpSecret;

/// A clock moved by hand.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    pub fn new(at: &str) -> Self {
        Self(Arc::new(Mutex::new(at.parse().expect("a timestamp"))))
    }

    pub fn at(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn forward(&self, span: Span) {
        self.set(self.at() + span);
    }

    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.at()
    }
}

/// Randomness from a seed.
pub struct TestEntropy(Mutex<ChaCha8Rng>);

impl TestEntropy {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl TestEntropy {
    /// An id of no particular moment.
    pub fn new_id(&self) -> Uuid {
        (self as &dyn Entropy).id(Timestamp::UNIX_EPOCH)
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// A server with a small demo, on Sunday 22 November 2026 at ten in the morning in Colombia.
pub struct Bench {
    pub clock: TestClock,
    pub demo: Demo,
    pub app: App,
    router: Router,
    database: Database,
    dir: TempDir,
}

impl Bench {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let database = Database::Sqlite(dir.path().join("hanna.sqlite"));
        Self::with_demo(dir, database).await
    }

    /// The same over another, empty database.
    pub async fn on(database: Database) -> Self {
        Self::with_demo(tempfile::tempdir().expect("a directory"), database).await
    }

    async fn with_demo(dir: TempDir, database: Database) -> Self {
        let clock = TestClock::new("2026-11-22T15:00:00Z");
        let app = open_as(Config::new(database.clone()), &clock, 1).await;
        let demo = app.seed_demo(7, 200).await.expect("seeded");
        Self { clock, demo, router: app.router(), app, database, dir }
    }

    /// The same database, opened again.
    pub async fn restart(self) -> Self {
        self.between_lives(|_| ()).await
    }

    /// The same database, opened again with another configuration.
    pub async fn with(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { clock, demo, app, router, database, dir } = self;
        drop((app, router));
        let mut config = Config::new(database.clone());
        change(&mut config);
        let app = open_as(config, &clock, 4).await;
        Self { clock, demo, router: app.router(), app, database, dir }
    }

    /// Does something with the directory while no server has it open.
    pub async fn between_lives(self, change: impl FnOnce(&std::path::Path)) -> Self {
        let Self { clock, demo, app, router, database, dir } = self;
        drop((app, router));
        change(dir.path());
        let app = open_as(Config::new(database.clone()), &clock, 2).await;
        Self { clock, demo, router: app.router(), app, database, dir }
    }

    /// The same database, opened by another process.
    pub async fn another(&self) -> App {
        open_as(Config::new(self.database.clone()), &self.clock, 3).await
    }

    /// The same database, opened by another process that is configured otherwise.
    pub async fn another_with(&self, config: Config) -> App {
        open_as(config, &self.clock, 5).await
    }

    /// The same server with other routes.
    pub fn with_routes(self, others: Router<App>) -> Self {
        Self { router: self.app.finish(others), ..self }
    }

    /// The directory of this server's data.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Delivers what is in the queue, and gives what was written since the last time, in order.
    pub async fn mails(&self) -> Vec<String> {
        self.app.deliver_mail().await.expect("delivered");
        let folder = self.dir.path().join("mail");
        let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        // Ids are in the order of time.
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).expect("a mail");
            std::fs::remove_file(path).expect("removed");
            text
        };
        paths.iter().map(read).collect()
    }

    /// The database, to look into it, or to change what only the caja changes.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.path().join("hanna.sqlite")).expect("the database")
    }

    pub fn demo_account(&self, username: &str) -> Account {
        self.demo.accounts.iter().find(|account| account.username == username).expect("in the demo").clone()
    }

    /// A desk of the first account.
    pub async fn desk(&self, device_name: &str) -> Desk {
        self.desk_of(&self.demo.accounts[0].clone(), device_name).await
    }

    /// Adds somebody with the password of everybody, of a new entity if one is named; otherwise of the caja.
    pub async fn desk_of_new(&self, username: &str, entity_name: Option<&str>, roles: &[Role]) -> Desk {
        let sql = self.sql();
        let (account_id, entity_id) = (self.id(), entity_name.map(|_| self.id()));
        if let (Some(id), Some(name)) = (entity_id, entity_name) {
            sql.execute(
                "INSERT INTO entities (id, nit, name) VALUES (?1, ?2, ?3)",
                params![id, username, name],
            )
            .expect("an entity");
        }
        sql.execute(
            "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
             SELECT ?1, ?2, lower(?2), 'Nadia Núñez', ?3, password_hash, 'ACTIVE' FROM accounts LIMIT 1",
            params![account_id, username, entity_id],
        )
        .expect("an account");
        for role in roles {
            let add = "INSERT INTO account_roles (account_id, role) VALUES (?1, ?2)";
            sql.execute(add, params![account_id, role.code()]).expect("a role");
        }
        drop(sql);
        let known = self.demo.accounts[0].clone();
        self.desk_of(&Account { username: username.to_owned(), ..known }, "PC").await
    }

    /// A desk of an account of the demo, by its user name.
    pub async fn desk_as(&self, username: &str) -> Desk {
        self.desk_of(&self.demo_account(username), "PC").await
    }

    pub async fn desk_of(&self, account: &Account, device_name: &str) -> Desk {
        let device_id = self.id();
        let answer = self.sign_in_as(account, device_id, device_name).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let mut desk = Desk {
            router: self.router.clone(),
            device_id,
            tokens: answer.body,
            operator_id: Uuid::nil(),
            branches: Vec::new(),
        };
        let me = desk.get(path::ME).await.body;
        desk.operator_id = serde_json::from_value(me["operator"]["id"].clone()).expect("an id");
        desk.branches = serde_json::from_value(me["branches"].clone()).expect("branches");
        desk
    }

    /// Somebody of the caja at the console, with the second factor.
    pub async fn caja(&self) -> Desk {
        self.desk_as("convenios@lacaja.co").await
    }

    /// The same desk, at this server.
    pub fn at(&self, desk: Desk) -> Desk {
        Desk { router: self.router.clone(), ..desk }
    }

    pub async fn sign_in(&self, username: &str, password: &str, device_id: Uuid, name: &str) -> Answer {
        let body = json!({
            "username": username, "password": password, "device": { "id": device_id, "name": name },
        });
        self.post(path::SESSIONS, &body).await
    }

    /// With the second factor, of an account that has one.
    pub async fn sign_in_as(&self, account: &Account, device_id: Uuid, name: &str) -> Answer {
        let mut body = json!({
            "username": account.username, "password": account.password, "device": { "id": device_id, "name": name },
        });
        if let Some(otp) = self.otp(account) {
            body["otp"] = otp.into();
        }
        self.post(path::SESSIONS, &body).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = request(Method::POST, path, None).header(header::CONTENT_TYPE, "application/json");
        send(&self.router, request.body(Body::from(body.to_string())).expect("a request")).await
    }

    pub async fn get(&self, path: &str, authorization: Option<&str>) -> Answer {
        let request = request(Method::GET, path, authorization);
        send(&self.router, request.body(Body::empty()).expect("a request")).await
    }

    /// An answer that need not be JSON.
    pub async fn get_bytes(&self, path: &str) -> axum::response::Response {
        self.send_bytes(request(Method::GET, path, None).body(Body::empty()).expect("a request")).await
    }

    /// The answer to any request, which need not be JSON.
    pub async fn send_bytes(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    /// A code of an account's second factor that has not served yet: the clock goes on for as long as that takes.
    pub fn otp(&self, account: &Account) -> Option<String> {
        let secret = account.totp_secret.as_ref()?;
        self.clock.forward(Span::new().seconds(30));
        Some(TotpSecret::of_base32(secret).code(self.clock.at()))
    }

    /// Any request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    /// A new id.
    pub fn id(&self) -> Uuid {
        self.app.entropy().id(self.clock.at())
    }

    /// What a signed statement says.
    pub fn read(&self, answer: &Answer) -> Statement {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let jws = answer.body["statement"].as_str().expect("a statement");
        let verifier = Verifier::new(&self.app.signer().held().public(self.clock.at()));
        verifier.verify_any(jws).expect("genuine").statement().clone()
    }
}

async fn open_as(config: Config, clock: &TestClock, seed: u64) -> App {
    let entropy = Arc::new(TestEntropy::new(seed));
    App::open(config, Arc::new(clock.clone()), entropy).await.expect("opened")
}

/// A PC with somebody signed in.
#[derive(Clone)]
pub struct Desk {
    router: Router,
    pub device_id: Uuid,
    pub operator_id: Uuid,
    pub branches: Vec<Branch>,
    tokens: Value,
}

impl Desk {
    /// The same desk, at another server.
    pub fn at(self, app: &App) -> Self {
        Self { router: app.router(), ..self }
    }

    pub fn refresh_token(&self) -> &str {
        self.tokens["refresh_token"].as_str().expect("a token")
    }

    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.tokens["access_token"].as_str().expect("a token"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = request(Method::GET, path, Some(&self.authorization()));
        send(&self.router, request.body(Body::empty()).expect("a request")).await
    }

    /// Any request with a body.
    pub async fn send(&self, method: Method, path: &str, media_type: &str, body: Body) -> Answer {
        let request = request(method, path, Some(&self.authorization()));
        send(&self.router, request.header(header::CONTENT_TYPE, media_type).body(body).expect("a request"))
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        let request = request(Method::DELETE, path, Some(&self.authorization()));
        send(&self.router, request.body(Body::empty()).expect("a request")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, body).await
    }

    /// A call with a body.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = request(method, path, Some(&self.authorization()))
            .header(header::CONTENT_TYPE, "application/json");
        send(&self.router, request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Brings a file.
    pub async fn attach(&self, id: Uuid, name: &str, kind: &str, bytes: &[u8]) -> Answer {
        let path = path::with_id(path::ATTACHMENT, id);
        let request = request(Method::PUT, &path, Some(&self.authorization()))
            .header(header::CONTENT_TYPE, kind)
            .header(FILE_NAME_HEADER, file_name_header(name));
        send(&self.router, request.body(Body::from(bytes.to_vec())).expect("a request")).await
    }

    /// Looks a cédula up at one of the desk's branches.
    pub async fn look_up(&self, bench: &Bench, branch: usize, number: &str) -> Answer {
        let document = Document::parse(DocumentKind::CC, number).expect("a cédula");
        self.post(
            path::LOOKUPS,
            &json!({
                "id": bench.id(),
                "branch_id": self.branches[branch].id,
                "document": document,
                "purpose": "validar beneficio del convenio",
            }),
        )
        .await
    }

    /// A usage report of now that rests on a statement.
    pub fn report(&self, bench: &Bench, branch: usize, statement: &Answer) -> Value {
        let now = bench.clock.at();
        json!({
            "id": bench.id(),
            "sequence": 1,
            "author_id": self.operator_id,
            "device_time": now,
            "occurred_at": now,
            "body": {
                "kind": "usage_report",
                "branch_id": self.branches[branch].id,
                "statement": statement.body["statement"],
            },
        })
    }

    /// Delivers items and gives their outcomes as `outcome` or `outcome CODE`.
    pub async fn deliver(&self, items: &[&Value]) -> Vec<String> {
        let answer = self.post(path::OUTBOX, &json!({ "items": items })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let outcomes = answer.body["outcomes"].as_array().expect("outcomes");
        assert_eq!(outcomes.len(), items.len());
        for (outcome, item) in outcomes.iter().zip(items) {
            assert_eq!(outcome["id"], item["id"], "in the order of the items");
        }
        outcomes
            .iter()
            .map(|outcome| {
                let kind = outcome["outcome"].as_str().expect("a word");
                outcome["code"].as_str().map_or(kind.to_owned(), |code| format!("{kind} {code}"))
            })
            .collect()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// What it says; nothing when it is no JSON.
    pub body: Value,
    /// What it is.
    pub bytes: axum::body::Bytes,
}

impl Answer {
    /// The code of a problem.
    pub fn code(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(self.body["trace_id"], self.header("x-trace-id"));
        self.body["code"].as_str().expect("a code")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

fn request(method: Method, path: &str, authorization: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    match authorization {
        Some(value) => request.header(header::AUTHORIZATION, value),
        None => request,
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let body = match kind {
        Some(kind) if kind.ends_with("json") => serde_json::from_slice(&bytes).expect("JSON"),
        Some(kind) if kind.starts_with("text/") => {
            Value::String(String::from_utf8(bytes.to_vec()).expect("UTF-8"))
        }
        _ => Value::Null,
    };
    Answer { status: parts.status, headers: parts.headers, body, bytes }
}

/// The code in a mail.
pub fn code_in(mail: &str) -> String {
    mail.lines().find(|line| is_code(line)).expect("a code").to_owned()
}

/// Whether a mail has a code.
pub fn has_code(mail: &str) -> bool {
    mail.lines().any(is_code)
}

fn is_code(line: &str) -> bool {
    line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit())
}
