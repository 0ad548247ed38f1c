//! Every route of the contract, walked by everybody, with their own ids and with another entity's.
//!
//! One table says what each of them is answered. A route that is not in it, or is no more in the contract, fails; so does
//! an answer the contract does not document.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use hanna_domain::{CodeOf, Document, DocumentKind, VerificationCode};
use hanna_wire::agreement::AgreementTerms;
use hanna_wire::application::FILE_NAME_HEADER;
use hanna_wire::path;
use jiff::ToSpan;
use jiff::civil::date;
use rusqlite::params;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::openapi;
use crate::testing::{Answer, Bench};

/// Who comes. The places of the columns of [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With an access token that has ended.
    Expired,
    /// An operator, at a branch of theirs.
    Operator,
    /// An operator to whom no branch is assigned.
    Unassigned,
    /// An operator of an entity whose application is in review.
    InReview,
    /// The administrator of an entity.
    EntityAdmin,
    /// Somebody of the caja.
    CajaAdmin,
    /// An operator whose account was suspended after signing in.
    Suspended,
    /// An operator at a PC that was revoked after signing in.
    Revoked,
}

use Who::{CajaAdmin, EntityAdmin, Expired, InReview, Nobody, Operator, Revoked, Suspended, Unassigned};

const EVERYBODY: [Who; 9] =
    [Nobody, Expired, Operator, Unassigned, InReview, EntityAdmin, CajaAdmin, Suspended, Revoked];

/// Which ids a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ids {
    Own,
    /// Of another entity, or another PC.
    Others,
}

/// A route, and what everybody is answered: with their own ids, then with others'. `ok`, or the code of the problem; for
/// the outbox, the outcome of a use that happened just now. A route that names no ids has one line.
///
/// Looking up takes a branch of one's own; a use that rests on the caja's word is taken in of any operator of its entity.
#[derive(Clone)]
struct Row(Method, &'static str, [&'static str; 9], Option<[&'static str; 9]>);

const END: &str = "SESSION_EXPIRED";
const OFF: &str = "ACCOUNT_NOT_ACTIVE";
const GONE: &str = "DEVICE_REVOKED";
const NO: &str = "FORBIDDEN";
const NOT_HERE: &str = "BRANCH_NOT_ALLOWED";
const WRONG: &str = "WRONG_CREDENTIALS";
const REFUSED: &str = "refused BRANCH_NOT_ALLOWED";

/// The calls of the console that name businesses.
const IN_THE_CONSOLE_ABOUT_BUSINESSES: [&str; 5] = [
    path::ADMIN_ENTITIES,
    "/v1/admin/branches",
    "/v1/admin/agreements",
    path::ADMIN_IMPORTS,
    path::ADMIN_USAGE,
];

fn table() -> Vec<Row> {
    [in_the_application(), in_the_console()].concat()
}

/// What the caja's people may, and nobody else.
#[rustfmt::skip]
fn in_the_console() -> Vec<Row> {
    let caja = |said| [END, END, NO, NO, NO, NO, said, OFF, GONE];
    vec![
        Row(Method::GET, path::ADMIN_KEYS,           caja("ok"), None),
        Row(Method::POST, path::ADMIN_KEYS_ROTATE,   caja("ok"), None),
        Row(Method::POST, path::ADMIN_AUDIT_SEARCH,  caja("ok"), None),
        Row(Method::POST, path::ADMIN_AUDIT_EXPORT,  caja("ok"), None),
        Row(Method::POST, path::ADMIN_AUDIT_VERIFY,  caja("ok"), None),
        // The caja's, whoever's they are.
        Row(Method::GET, path::ADMIN_ENTITIES,       caja("ok"), None),
        Row(Method::POST, path::ADMIN_ENTITIES,      caja("ok"), None),
        Row(Method::GET, path::ADMIN_ENTITY,         caja("ok"), Some(caja("ok"))),
        Row(Method::PATCH, path::ADMIN_ENTITY,       caja("ok"), Some(caja("ok"))),
        Row(Method::POST, path::ADMIN_ENTITY_BRANCHES, caja("ok"), Some(caja("ok"))),
        Row(Method::PATCH, path::ADMIN_BRANCH,       caja("ok"), Some(caja("ok"))),
        Row(Method::POST, path::ADMIN_ENTITY_AGREEMENTS, caja("ok"), Some(caja("ok"))),
        Row(Method::PUT, path::ADMIN_AGREEMENT,      caja("ok"), Some(caja("ok"))),
        Row(Method::GET, path::ADMIN_IMPORTS,        caja("ok"), None),
        Row(Method::POST, path::ADMIN_IMPORTS,       caja("ok"), None),
        Row(Method::GET, path::ADMIN_IMPORT,         caja("ok"), None),
        Row(Method::POST, path::ADMIN_IMPORT_CANCEL, caja("ok"), None),
        Row(Method::GET, path::ADMIN_IMPORT_REJECTED, caja("ok"), None),
        Row(Method::GET, path::ADMIN_USAGE,          caja("ok"), None),
        Row(Method::GET, path::ADMIN_APPLICATION_REQUESTS, caja("ok"), None),
        Row(Method::GET, path::ADMIN_APPLICATION_REQUEST_ATTACHMENT, caja("ok"), Some(caja("ok"))),
        Row(Method::POST, path::ADMIN_APPLICATION_REQUEST_REVIEW, caja("NOT_PENDING"), None),
        Row(Method::POST, path::ADMIN_APPLICATION_REQUEST_APPROVE, caja("NOT_PENDING"), None),
        Row(Method::POST, path::ADMIN_APPLICATION_REQUEST_REJECT, caja("NOT_PENDING"), None),
        // People and their PCs, in the console. Nobody registered under the id that is named.
        Row(Method::GET, path::ADMIN_REGISTRATIONS,  caja("ok"), None),
        Row(Method::POST, path::ADMIN_REGISTRATION_APPROVE, caja("NOT_FOUND"), None),
        Row(Method::POST, path::ADMIN_REGISTRATION_REJECT, caja("NOT_FOUND"), None),
        Row(Method::GET, path::ADMIN_USERS,          caja("ok"), None),
        Row(Method::POST, path::ADMIN_USERS,         caja("ok"), None),
        Row(Method::PATCH, path::ADMIN_USER,         caja("ok"), None),
        Row(Method::POST, path::ADMIN_USER_RESET_PASSWORD, caja("ok"), None),
        Row(Method::POST, path::ADMIN_USER_RESET_SECOND_FACTOR, caja("ok"), None),
        Row(Method::GET, path::ADMIN_DEVICES,        caja("ok"), None),
        Row(Method::POST, path::ADMIN_DEVICE_REVOKE, caja("ok"), None),
        Row(Method::POST, path::ADMIN_DEVICE_RESTORE, caja("ok"), None),
    ]
}

#[rustfmt::skip]
fn in_the_application() -> Vec<Row> {
    let signed_in = [END, END, "ok", "ok", "ok", "ok", "ok", OFF, GONE];
    let nobody_needs_one = [END, END, NO, NO, NO, NO, NO, OFF, GONE];
    let administers = |admin| [END, END, NO, NO, NO, admin, NO, OFF, GONE];
    let looks_up = [END, END, "ok", NOT_HERE, NO, NO, NO, OFF, GONE];
    let looks_up_elsewhere = [END, END, NOT_HERE, NOT_HERE, NOT_HERE, NO, NO, OFF, GONE];
    vec![
        //                                           nobody expired operator  unassigned  in review entity admin caja suspended revoked
        Row(Method::GET, path::HEALTH,               ["ok"; 9], None),
        Row(Method::GET, path::READY,                ["ok"; 9], None),
        Row(Method::POST, path::ACCOUNTS,            ["ok"; 9], None),
        Row(Method::POST, path::ACCOUNTS_CODE,       ["CODE_EXPIRED"; 9], None),
        Row(Method::POST, path::ACCOUNTS_CONFIRM,    ["CODE_EXPIRED"; 9], None),
        Row(Method::POST, path::PASSWORD_FORGOT,     ["ok"; 9], None),
        Row(Method::POST, path::PASSWORD_RESET,      ["CODE_EXPIRED"; 9], None),
        // With a wrong password of until now: whoever is signed in gets as far as that.
        Row(Method::POST, path::PASSWORD,            [END, END, WRONG, WRONG, WRONG, WRONG, WRONG, OFF, GONE], None),
        Row(Method::POST, path::SESSIONS,            [WRONG, "ok", "ok", "ok", "ok", "ok", "ok", OFF, GONE], None),
        Row(Method::POST, path::SESSIONS_REFRESH,    [END, "ok", "ok", "ok", "ok", "ok", "ok", OFF, "ok"],
                                                     Some([END; 9])),
        Row(Method::DELETE, path::SESSIONS_CURRENT,  signed_in, None),
        Row(Method::POST, path::SECOND_FACTOR,       nobody_needs_one, None),
        Row(Method::POST, path::SECOND_FACTOR_CONFIRM, nobody_needs_one, None),
        Row(Method::GET, path::ME,                   signed_in, None),
        Row(Method::GET, path::KEYS,                 signed_in, None),
        Row(Method::POST, path::LOOKUPS,             looks_up, Some(looks_up_elsewhere)),
        Row(Method::POST, path::LOOKUPS_REFRESH,     looks_up, Some(looks_up_elsewhere)),
        Row(Method::POST, path::OUTBOX,              [END, END, "accepted", "accepted", REFUSED, REFUSED, NO, OFF, REFUSED],
                                                     Some([END, END, REFUSED, REFUSED, REFUSED, REFUSED, NO, OFF, REFUSED])),
        Row(Method::GET, path::USAGE_REPORTS,        [END, END, "ok", NOT_HERE, "ok", "ok", NO, OFF, GONE],
                                                     Some([END, END, NOT_HERE, NOT_HERE, NOT_HERE, NOT_HERE, NO, OFF, GONE])),
        Row(Method::GET, path::USAGE_REPORTS_TOTALS, [END, END, "ok", NOT_HERE, "ok", "ok", NO, OFF, GONE],
                                                     Some([END, END, NOT_HERE, NOT_HERE, NOT_HERE, NOT_HERE, NO, OFF, GONE])),
        Row(Method::GET, path::USAGE_REPORTS_EXPORT, [END, END, "ok", NOT_HERE, "ok", "ok", NO, OFF, GONE],
                                                     Some([END, END, NOT_HERE, NOT_HERE, NOT_HERE, NOT_HERE, NO, OFF, GONE])),
        Row(Method::POST, path::REPORT_CODES,        [END, END, "ok", NOT_HERE, "ok", "ok", NO, OFF, GONE],
                                                     Some([END, END, NOT_HERE, NOT_HERE, NOT_HERE, NOT_HERE, NO, OFF, GONE])),
        // Of a use that nobody reported.
        Row(Method::GET, path::VERIFY,               ["NOT_FOUND"; 9], None),
        // The gym has the application, and each entity a rejected request from before.
        Row(Method::PUT, path::ATTACHMENT,           administers("ok"), Some(administers("ID_CONFLICT"))),
        Row(Method::GET, path::APPLICATION_REQUESTS, administers("ok"), None),
        Row(Method::POST, path::APPLICATION_REQUESTS, administers("ALREADY_REQUESTED"), Some(administers("ALREADY_REQUESTED"))),
        Row(Method::PUT, path::APPLICATION_REQUEST,  administers("ALREADY_REQUESTED"), Some(administers("NOT_FOUND"))),
        Row(Method::GET, path::APPLICATION_REQUEST_ATTACHMENT, administers("ok"), Some(administers("NOT_FOUND"))),
        Row(Method::GET, path::ENTITY_USERS,         administers("ok"), None),
        Row(Method::POST, path::ENTITY_USERS,        administers("ok"), Some(administers(NOT_HERE))),
        Row(Method::PATCH, path::ENTITY_USER,        administers("ok"), Some(administers("NOT_FOUND"))),
        Row(Method::POST, path::ENTITY_USER_RESET,   administers("ok"), Some(administers("NOT_FOUND"))),
        Row(Method::POST, path::ENTITY_USER_INVITATION, administers("NOT_PENDING"), Some(administers("NOT_FOUND"))),
        Row(Method::GET, path::ENTITY_BRANCHES,      administers("ok"), None),
    ]
}

/// Somebody of the caja.
const CAJA: &str = "convenios@lacaja.co";
/// The branch of the gym's reception.
const GYM: &str = "GYM-01";
/// The branch of the clinic, the other entity.
const CLINIC: &str = "CLI-01";
/// The branch of the academy, whose application is in review.
const ACADEMY: &str = "ACA-01";

/// An import that was refused.
const IMPORT: Uuid = Uuid::from_u128(9);

/// Somebody who came, with what they know.
struct Caller {
    who: Who,
    username: String,
    password: String,
    account_id: Uuid,
    device_id: Uuid,
    tokens: Value,
}

impl Caller {
    fn token(&self) -> Option<String> {
        (self.who != Nobody)
            .then(|| format!("Bearer {}", self.tokens["access_token"].as_str().expect("a token")))
    }
}

/// The server, and what is asked about.
struct Walk {
    bench: Bench,
    /// A genuine statement of the gym's branch and one of the clinic's.
    statements: [Value; 2],
    /// A PC where nobody of those who come ever signed in.
    device_id: Uuid,
}

impl Walk {
    async fn begin() -> Self {
        let bench = Bench::open().await;
        bench
            .sql()
            .execute_batch(
                "INSERT INTO import_jobs (id, state, mode, dry_run, bytes, bytes_read, lines, rejected, began_us)
                 VALUES (x'00000000000000000000000000000009', 'REFUSED', 'upsert', 0, 9, 9, 1, 1, 1795359600000000);
                 INSERT INTO import_rejects SELECT id, x'41' FROM import_jobs;",
            )
            .expect("an import");
        for code in [GYM, CLINIC] {
            Self::add_request(&bench, code);
        }
        let mut statements = [Value::Null, Value::Null];
        let operators = ["luis.penaranda@gymcaribe.co", "ivan.acuna@sonrisas.co"];
        for (statement, operator) in statements.iter_mut().zip(operators) {
            let desk = bench.desk_as(operator).await;
            let answer = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
            *statement = answer.body["statement"].clone();
        }
        let device_id = bench.desk_as("rosa.ibanez@lapena.co").await.device_id;
        Self { bench, statements, device_id }
    }

    /// A rejected request of the entity of a branch, with its file: both have the id of that branch.
    fn add_request(bench: &Bench, code: &str) {
        bench
            .sql()
            .execute_batch(&format!(
                "INSERT INTO attachments
                     SELECT b.id, b.entity_id, 'a.pdf', 'application/pdf', 5, '{sha}', 0, a.id, CAST('%PDF-' AS BLOB)
                     FROM branches b JOIN accounts a ON a.entity_id = b.entity_id WHERE b.code = '{code}' LIMIT 1;
                 INSERT INTO application_requests
                     SELECT f.id, f.entity_id, 'CONVENIOS', 'REJECTED', 1, 0, f.added_by FROM attachments f
                     JOIN branches b ON b.id = f.id WHERE b.code = '{code}';
                 INSERT INTO application_revisions SELECT r.id, 1, '{content}', r.id FROM application_requests r
                     JOIN branches b ON b.id = r.id WHERE b.code = '{code}';",
                sha = "0".repeat(64),
                content = application_content(Uuid::nil()),
            ))
            .expect("a request");
    }

    fn account(&self, username: &str) -> Uuid {
        let sql = self.bench.sql();
        sql.query_row("SELECT id FROM accounts WHERE username = ?1", [username], |row| row.get(0))
            .expect("an account")
    }

    fn branch(&self, code: &str) -> Uuid {
        let sql = self.bench.sql();
        sql.query_row("SELECT id FROM branches WHERE code = ?1", [code], |row| row.get(0)).expect("a branch")
    }

    /// Signs somebody in, and then makes them what they are.
    async fn caller(&self, who: Who) -> Caller {
        let bench = &self.bench;
        let username = match who {
            Nobody | Expired | Operator | Suspended | Revoked => "ana.rodriguez@gymcaribe.co",
            Unassigned => "sin.sede@gymcaribe.co",
            InReview => "karen.nunez@academiarumba.co",
            EntityAdmin => "gerencia@gymcaribe.co",
            CajaAdmin => CAJA,
        };
        let account = bench.demo_account(username);
        let password = account.password.clone();
        let device_id = bench.id();
        let signed_in = bench.sign_in_as(&account, device_id, "PC").await;
        assert_eq!(signed_in.status, StatusCode::OK, "{who:?}: {}", signed_in.body);
        let account_id = self.account(username);
        match who {
            Expired => bench.clock.forward(16.minutes()),
            Suspended => self.set_state(account_id, "SUSPENDED"),
            Revoked => {
                assert!(bench.app.revoke_device(device_id).await.expect("revoked"));
                bench.clock.forward(1.second());
            }
            _ => {}
        }
        // Nobody knows neither a password nor a token.
        let password = if who == Nobody { "adivino".to_owned() } else { password };
        Caller { who, username: username.to_owned(), password, account_id, device_id, tokens: signed_in.body }
    }

    fn set_state(&self, account_id: Uuid, state: &str) {
        let sql = self.bench.sql();
        sql.execute("UPDATE accounts SET state = ?2 WHERE id = ?1", params![account_id, state]).expect("set");
    }

    /// What somebody sends to a route.
    fn request(&self, route: &Row, caller: &Caller, ids: Ids) -> (String, Value) {
        let path = route.1;
        let home = if caller.who == InReview { ACADEMY } else { GYM };
        let branch_id = self.branch(if ids == Ids::Own { home } else { CLINIC });
        if path.starts_with(path::USAGE_REPORTS) {
            let now = self.bench.clock.at();
            return (format!("{path}?from={now}&to={}&branch_id={branch_id}", now + 1.hour()), Value::Null);
        }
        if path == path::VERIFY {
            let code = VerificationCode { of: CodeOf::Use, id: self.bench.id() };
            return (path.replace("{code}", &code.to_string()), Value::Null);
        }
        if IN_THE_CONSOLE_ABOUT_BUSINESSES.iter().any(|about| path.starts_with(about)) {
            return self.business_request(route, branch_id);
        }
        let somebody =
            self.account(if ids == Ids::Own { "suspendido@gymcaribe.co" } else { "ivan.acuna@sonrisas.co" });
        let id = match path {
            path::ENTITY_USER | path::ENTITY_USER_RESET | path::ENTITY_USER_INVITATION => somebody,
            path::ATTACHMENT if ids == Ids::Own => self.bench.id(),
            path::ADMIN_DEVICE_REVOKE | path::ADMIN_DEVICE_RESTORE => self.device_id,
            path::ADMIN_USER | path::ADMIN_USER_RESET_PASSWORD | path::ADMIN_USER_RESET_SECOND_FACTOR => {
                self.account("rosa.ibanez@lapena.co")
            }
            path::ADMIN_REGISTRATION_APPROVE | path::ADMIN_REGISTRATION_REJECT => self.bench.id(),
            _ if ids == Ids::Own => self.branch(GYM),
            _ => branch_id,
        };
        (path::with_id(path, id), self.body(route, caller, ids, branch_id))
    }

    /// What stands in it.
    fn body(&self, route: &Row, caller: &Caller, ids: Ids, branch_id: Uuid) -> Value {
        let bench = &self.bench;
        let Row(ref method, path, ..) = *route;
        let document =
            Document::parse(DocumentKind::CC, &bench.demo.documents.active[0]).expect("a document");
        let now = bench.clock.at();
        match path {
            path::ACCOUNTS => json!({
                "id": bench.id(), "nit": "899999068-1", "entity_name": "GYM NUEVO", "display_name": "Nadia Núñez",
                "email": format!("{}@gym-nuevo.co", bench.id()), "phone": "3001234567",
                "password": "cuatro xilofonos", "privacy_notice": "2026-11",
            }),
            path::ACCOUNTS_CODE => json!({ "id": bench.id() }),
            path::ACCOUNTS_CONFIRM => json!({ "id": bench.id(), "code": "048213" }),
            path::PASSWORD_FORGOT => json!({ "email": format!("{}@gym-nuevo.co", bench.id()) }),
            path::PASSWORD_RESET => json!({
                "email": caller.username, "code": "048213", "password": "cuatro xilofonos",
            }),
            path::PASSWORD => json!({ "current": "no es esa", "password": "cuatro xilofonos" }),
            path::SESSIONS => json!({
                "username": caller.username, "password": caller.password,
                "device": { "id": caller.device_id, "name": "PC" },
                "otp": bench.otp(&bench.demo_account(&caller.username)),
            }),
            path::SECOND_FACTOR_CONFIRM => json!({ "otp": "048213" }),
            path::ADMIN_REGISTRATION_REJECT => json!({ "reason": "No es de la entidad." }),
            path::ADMIN_USERS if route.0 == Method::POST => json!({
                "id": bench.id(), "entity_id": null, "display_name": "Nadia Núñez",
                "email": format!("{}@lacaja.co", bench.id()), "roles": ["CAJA_ADMIN"], "branches": [],
            }),
            path::ADMIN_USER => json!({ "display_name": "Rosa Ibáñez" }),
            path::ADMIN_AUDIT_SEARCH | path::ADMIN_AUDIT_EXPORT => {
                json!({ "document": document, "purpose": "preguntó" })
            }
            path::ADMIN_AUDIT_VERIFY => json!({}),
            path::SESSIONS_REFRESH => {
                let refresh_token =
                    if caller.who == Nobody { &json!("adivino") } else { &caller.tokens["refresh_token"] };
                let device_id = if ids == Ids::Own { caller.device_id } else { bench.id() };
                json!({ "refresh_token": refresh_token, "device_id": device_id })
            }
            path::LOOKUPS => json!({
                "id": bench.id(), "branch_id": branch_id, "document": document, "purpose": "validar",
            }),
            path::LOOKUPS_REFRESH => json!({
                "branch_id": branch_id, "regulars": [{ "id": bench.id(), "document": document }],
            }),
            path::OUTBOX => json!({ "items": [{
                "id": bench.id(), "sequence": 1, "author_id": caller.account_id, "device_time": now,
                "occurred_at": now,
                "body": {
                    "kind": "usage_report", "branch_id": if ids == Ids::Own { self.branch(GYM) } else { branch_id },
                    "statement": self.statements[usize::from(ids == Ids::Others)],
                },
            }] }),
            path::REPORT_CODES => json!({
                "id": bench.id(), "from": now, "to": now + 1.hour(), "branch_id": branch_id,
            }),
            path::APPLICATION_REQUESTS if *method == Method::POST => json!({
                "id": bench.id(), "application": "CONVENIOS", "content": application_content(branch_id),
            }),
            path::APPLICATION_REQUEST => json!({ "revision": 1, "content": application_content(branch_id) }),
            path::ENTITY_USERS if *method == Method::POST => json!({
                "id": bench.id(), "display_name": "Eva Sosa", "email": format!("{}@gym.co", bench.id()),
                "roles": ["OPERATOR"], "branches": [branch_id],
            }),
            path::ENTITY_USER => json!({ "display_name": "Raúl Ordóñez" }),
            path::ADMIN_APPLICATION_REQUEST_APPROVE => json!({
                "revision": 1,
                "agreement": AgreementTerms::usual("Gimnasio".to_owned(), date(2026, 11, 22)),
                "branches": [{ "name": "Sede", "city": "Soledad" }],
            }),
            path::ADMIN_APPLICATION_REQUEST_REJECT => json!({ "revision": 1, "reason": "No." }),
            _ => Value::Null,
        }
    }

    /// What is sent to the caja's routes about businesses, that of a branch.
    fn business_request(&self, Row(method, path, ..): &Row, branch_id: Uuid) -> (String, Value) {
        let id = self.bench.id();
        let one = |sql: &str| -> Uuid {
            self.bench.sql().query_row(sql, [branch_id], |row| row.get(0)).expect("one of them")
        };
        let entity_id = one("SELECT entity_id FROM branches WHERE id = ?1");
        let agreement_id = one("SELECT agreement_id FROM agreement_branches WHERE branch_id = ?1");
        let terms = AgreementTerms::usual("Convenio".to_owned(), date(2026, 1, 1));
        let of = match *path {
            path::ADMIN_BRANCH => branch_id,
            path::ADMIN_AGREEMENT => agreement_id,
            path::ADMIN_IMPORT | path::ADMIN_IMPORT_CANCEL | path::ADMIN_IMPORT_REJECTED => IMPORT,
            _ => entity_id,
        };
        let body = match *path {
            path::ADMIN_ENTITIES => json!({ "id": id, "nit": "901111222-3", "name": "GYM NUEVO" }),
            path::ADMIN_ENTITY => json!({ "name": "GYM" }),
            path::ADMIN_ENTITY_BRANCHES => json!({ "id": id, "name": "Sede Nueva", "city": "Soledad" }),
            path::ADMIN_BRANCH => json!({ "city": "Soledad" }),
            path::ADMIN_ENTITY_AGREEMENTS => json!({ "id": id, "terms": terms, "branches": [branch_id] }),
            path::ADMIN_AGREEMENT => json!({ "terms": terms, "branches": [branch_id] }),
            path::ADMIN_IMPORTS => json!("tipo_documento\n"),
            _ => Value::Null,
        };
        let query = match (method, *path) {
            (&Method::POST, path::ADMIN_IMPORTS) => format!("?id={id}&dry_run=true"),
            (_, path::ADMIN_USAGE) => "?from=2026-11-01&to=2026-11-30".to_owned(),
            _ => String::new(),
        };
        let body = if method == Method::GET { Value::Null } else { body };
        (format!("{}{query}", path.replace("{id}", &of.to_string())), body)
    }

    /// What a route answers somebody: `ok`, the outcome of an item, or the code of a problem.
    async fn answer(&self, route: &Row, who: Who, ids: Ids) -> (StatusCode, String) {
        let caller = self.caller(who).await;
        let answer = self.answer_to(route, &caller, ids).await;
        if who == Suspended {
            self.set_state(caller.account_id, "ACTIVE");
        }
        answer
    }

    async fn answer_to(&self, route: &Row, caller: &Caller, ids: Ids) -> (StatusCode, String) {
        let (path, body) = self.request(route, caller, ids);
        let mut request = Request::builder().method(route.0.clone()).uri(path);
        if let Some(token) = caller.token() {
            request = request.header(header::AUTHORIZATION, token);
        }
        let request = if route.1 == path::ATTACHMENT {
            let request =
                request.header(header::CONTENT_TYPE, "application/pdf").header(FILE_NAME_HEADER, "a.pdf");
            request.body(Body::from("%PDF-1.7"))
        } else if let Some(csv) = body.as_str() {
            request.header(header::CONTENT_TYPE, "text/csv").body(Body::from(csv.to_owned()))
        } else if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        let answer: Answer = self.bench.send(request.expect("a request")).await;
        let outcome = &answer.body["outcomes"][0];
        let said = match (outcome["outcome"].as_str(), outcome["code"].as_str()) {
            (Some("refused"), Some(code)) => format!("refused {code}"),
            // With or without a note.
            (Some("accepted" | "accepted_with_note"), _) => "accepted".to_owned(),
            (Some(outcome), _) => outcome.to_owned(),
            (None, _) if answer.status.is_success() => "ok".to_owned(),
            (None, _) => answer.code().to_owned(),
        };
        (answer.status, said)
    }
}

fn application_content(attachment_id: Uuid) -> Value {
    json!({
        "contact_name": "Ana", "contact_email": "ana@gymcaribe.co", "contact_phone": "3001234567", "benefit": "20 %",
        "branches": [{ "name": "Sede", "city": "Soledad", "address": "Calle 1" }], "attachment_id": attachment_id,
    })
}

/// The operations of the contract: method, path, and the statuses they document.
fn contract() -> Vec<(String, String, Vec<String>)> {
    let document: Value = serde_json::from_str(&openapi::document().expect("written")).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let statuses = operation["responses"].as_object().expect("answers").keys().cloned().collect();
            operations.push((method.to_uppercase(), path.clone(), statuses));
        }
    }
    operations
}

#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says() {
    let contract = contract();
    let table = table();
    let in_table = |method: &str, path: &str| table.iter().any(|row| row.0 == method && row.1 == path);
    let missing: Vec<_> = contract.iter().filter(|(method, path, _)| !in_table(method, path)).collect();
    assert!(missing.is_empty(), "routes that are not in the table: {missing:?}");
    assert_eq!(
        table.len(),
        contract.len(),
        "the table has routes that are not in the contract, or has them twice"
    );

    let walk = Walk::begin().await;
    let (mut answers, mut unexpected) = (0, Vec::new());
    for row in &table {
        let statuses = contract
            .iter()
            .find(|(method, path, _)| row.0 == method.as_str() && row.1 == path)
            .map(|(_, _, statuses)| statuses)
            .expect("in the contract");
        let lines = [(Ids::Own, Some(row.2)), (Ids::Others, row.3)];
        for (ids, expected) in lines.into_iter().filter_map(|(ids, line)| line.map(|line| (ids, line))) {
            for (who, expected) in EVERYBODY.into_iter().zip(expected) {
                let (status, said) = walk.answer(row, who, ids).await;
                answers += 1;
                if said != expected {
                    unexpected.push(format!("{} {} {who:?} {ids:?}: {said}, not {expected}", row.0, row.1));
                }
                if !statuses.contains(&status.as_u16().to_string()) {
                    unexpected.push(format!("{} {} {who:?}: {status} is not documented", row.0, row.1));
                }
            }
        }
    }
    println!("{} routes × {} roles, {answers} answers", table.len(), EVERYBODY.len());
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

/// The routes that lead to a second factor, and those that ask for no session.
const ENTERED: [&str; 4] =
    [path::ME, path::SECOND_FACTOR, path::SECOND_FACTOR_CONFIRM, path::SESSIONS_CURRENT];

/// A session of the caja that still has to set its second factor up gets as far as that, and nowhere else.
#[tokio::test]
async fn no_other_route_takes_a_session_of_the_caja_without_its_second_factor() {
    let walk = Walk::begin().await;
    let caja = walk.bench.demo_account(CAJA);
    walk.bench.app.reset_second_factor(walk.account(CAJA)).await.expect("reset");
    let (mut refused, mut unexpected) = (0, Vec::new());
    for row in &table() {
        let asks_for_a_session = row.2[0] == END && row.1 != path::SESSIONS_REFRESH;
        if !asks_for_a_session {
            continue;
        }
        let device_id = walk.bench.id();
        let signed_in = walk.bench.sign_in(&caja.username, &caja.password, device_id, "PC").await;
        assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.body);
        let caller = Caller {
            who: CajaAdmin,
            username: caja.username.clone(),
            password: caja.password.clone(),
            account_id: walk.account(CAJA),
            device_id,
            tokens: signed_in.body,
        };
        let (_, said) = walk.answer_to(row, &caller, Ids::Own).await;
        let is_entered = ENTERED.contains(&row.1);
        refused += u32::from(!is_entered);
        if is_entered == (said == "SECOND_FACTOR_REQUIRED") {
            unexpected.push(format!("{} {}: {said}", row.0, row.1));
        }
    }
    assert!(refused > 10, "{refused}");
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

/// What the table cannot show: the outbox takes several kinds of items, and items name authors.
#[tokio::test]
async fn no_kind_of_item_reaches_another_entity() {
    let bench = Bench::open().await;
    let gym = bench.desk("RECEPCION-1").await;
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let number = &bench.demo.documents.active[0];
    let theirs = clinic.report(&bench, 0, &clinic.look_up(&bench, 0, number).await);
    assert_eq!(clinic.deliver(&[&theirs]).await, ["accepted"]);

    let item = |author_id: Uuid, body: Value| {
        let now = bench.clock.at();
        json!({
            "id": bench.id(), "sequence": 1, "author_id": author_id, "device_time": now, "occurred_at": now,
            "body": body,
        })
    };
    let lookup = |branch_id: Uuid| {
        json!({
            "kind": "offline_lookup", "lookup_id": bench.id(), "branch_id": branch_id,
            "document": { "kind": "CC", "number": number }, "purpose": "validar", "verdict": "NO_DATA",
            "statement_id": null,
        })
    };
    let void = json!({ "kind": "void", "report_id": theirs["id"], "reason": "REPORTED_TWICE", "text": null });
    for (author_id, body, outcome) in [
        (gym.operator_id, void.clone(), "refused VOID_NOT_ALLOWED"),
        (clinic.operator_id, void, "refused VOID_NOT_ALLOWED"),
        (gym.operator_id, lookup(clinic.branches[0].id), REFUSED),
        (clinic.operator_id, lookup(gym.branches[0].id), REFUSED),
        (gym.operator_id, lookup(gym.branches[0].id), "accepted"),
    ] {
        assert_eq!(gym.deliver(&[&item(author_id, body.clone())]).await, [outcome], "{author_id} {body}");
    }
}

#[tokio::test]
async fn what_was_counted_is_not_told_where_desks_come() {
    let bench = Bench::open().await;
    assert_eq!(bench.get(path::METRICS, None).await.code(), "NOT_FOUND");
}
