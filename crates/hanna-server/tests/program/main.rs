//! The program as it is run: what it prints, how it ends, what its log holds.
#![cfg(unix)]

mod businesses;
mod configuration;
mod limits;
mod retention;
mod server;
mod tls;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use businesses::businesses_are_kept_from_the_terminal;
use retention::what_is_old_is_purged_from_the_terminal;
use server::{ADDRESS, Server, database, program, run, seeded, text};

/// Stories of the program's data, each in a directory of its own: over embedded SQLite, and over PostgreSQL.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[test]
                fn $story() {
                    let dir = tempfile::tempdir().expect("a directory");
                    super::$story(dir.path());
                }
            )+
        }

        #[test]
        fn all_of_it_on_postgresql() {
            let cluster = hanna_cluster::Cluster::start().expect("a cluster");
            $(
                println!("{}", stringify!($story));
                let dir = tempfile::tempdir().expect("a directory");
                let address = cluster.make(stringify!($story)).expect("a database");
                std::fs::write(dir.path().join(ADDRESS), address).expect("written");
                $story(dir.path());
            )+
        }
    };
}
on_both!(
    the_demo_is_as_promised_and_doing_it_again_changes_nothing,
    a_bad_file_of_affiliates_is_reported_in_spanish_and_a_good_one_taken_in,
    an_import_that_is_interrupted_changes_nothing,
    businesses_are_kept_from_the_terminal,
    keys_are_rotated_and_listed_the_newest_first,
    the_epoch_is_renewed_by_hand_and_says_what_for,
    a_device_is_listed_revoked_beside_a_running_server,
    accounts_of_the_caja_are_made_and_mended_at_the_terminal,
    the_log_has_trace_ids_and_nobodys_data,
    the_audit_is_sealed_at_shutdown_verified_searched_and_exported,
    what_is_old_is_purged_from_the_terminal,
);

#[test]
fn it_says_where_it_listens_answers_and_ends_gently_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut server = Server::start(dir.path(), &[]);
        let (status, _, health) = server.call("GET", "/health", None, &Value::Null);
        assert_eq!((status, &health["status"]), (200, &json!("ok")));
        // An idle connection must not keep the server alive.
        let _idle = TcpStream::connect(&server.address).expect("it listens");
        server.signal(signal);
        assert_eq!(server.process.wait().expect("it ends").code(), Some(0));
        let mut files: Vec<_> = std::fs::read_dir(dir.path().join("hanna-data"))
            .expect("the default directory")
            .map(|file| file.expect("a file").file_name())
            .collect();
        files.sort();
        let expected = ["hanna.sqlite", "hanna.sqlite.import"];
        assert_eq!(files, expected, "the log was written back: the database was closed");
    }
}

#[test]
fn plain_http_stays_on_this_machine_unless_told_otherwise() {
    let dir = tempfile::tempdir().expect("a directory");
    let refused = run(dir.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("--allow-plain-http"));
    assert!(refused.stdout.is_empty());
    assert!(!dir.path().join("hanna-data").exists(), "nothing was made");
}

#[test]
fn a_database_of_another_kind_or_of_a_newer_program_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    for (database, says) in [
        ("mysql://caja/hanna", "sqlite:PATH or postgres://"),
        ("postgres://caja/hanna?sslmode=prefer", "sslmode"),
        ("postgres://caja/hanna?target_session_attrs=read-only", "has to write"),
    ] {
        let refused = run(dir.path(), &["serve", "--database", database]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(says), "{}", text(&refused.stderr));
    }

    assert_eq!(text(&run(dir.path(), &["migrate"]).stdout), "schema 0 -> 12\n");
    assert_eq!(text(&run(dir.path(), &["migrate"]).stdout), "schema 12: nothing to do\n");
    let file = dir.path().join("hanna-data/hanna.sqlite");
    let db = rusqlite::Connection::open(&file).expect("the database");
    db.pragma_update(None, "user_version", 99).expect("set");
    drop(db);
    let before = std::fs::read(&file).expect("readable");
    for command in ["serve", "migrate", "seed-demo"] {
        let refused = run(dir.path(), &[command]);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        assert!(text(&refused.stderr).contains("schema 99"), "{}", text(&refused.stderr));
    }
    assert_eq!(std::fs::read(&file).expect("readable"), before, "left alone");
}

#[test]
fn the_data_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    assert!(run(dir.path(), &["migrate", "--data-dir", "d"]).status.success());
    let mode =
        |path: &str| std::fs::metadata(dir.path().join(path)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("d"), mode("d/hanna.sqlite")), (0o700, 0o600));
}

fn the_demo_is_as_promised_and_doing_it_again_changes_nothing(dir: &Path) {
    let demo = seeded(dir);
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&demo), ["accounts", "documents"]);
    assert_eq!(keys(&demo["accounts"][0]), ["branches", "password", "roles", "username"]);
    assert!(demo["accounts"][0]["branches"].as_array().is_some_and(|branches| branches.len() > 1));
    let numbers = demo["documents"].as_object().expect("an object");
    assert_eq!(
        keys(&demo["documents"]),
        ["active", "company_suspended", "inactive", "not_registered", "retired"]
    );
    assert!(numbers.values().all(|sort| sort.as_array().is_some_and(|sort| sort.len() == 20)));
    let notes: Vec<bool> = demo["accounts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|account| account.get("note").is_some())
        .collect();
    assert!(notes.is_sorted() && notes.contains(&true), "those who cannot sign in come last");

    assert_eq!(seeded(dir), demo);
    let again = run(dir, &["seed-demo", "--affiliates", "200"]);
    assert!(text(&again.stdout).contains("nada cambió"));
    let other = run(dir, &["seed-demo", "--seed", "5"]);
    assert_eq!(other.status.code(), Some(1), "another seed would mix with this one");
}

fn accounts_of_the_caja_are_made_and_mended_at_the_terminal(dir: &Path) {
    let create =
        |username| run(dir, &["account", "create-caja", "--username", username, "--name", "Tía TIC"]);
    let made = create("tic@caja.co");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let code =
        text(&made.stdout).lines().last().and_then(|line| line.split(' ').next()).expect("a code").to_owned();
    assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
    assert_eq!(create("TIC@caja.co").status.code(), Some(1), "there is one");
    assert_eq!(create("tic").status.code(), Some(1), "no address");

    let server = Server::start(dir, &[]);
    let device = json!({ "id": "01936d3e-0000-7000-8000-000000000001", "name": "CONSOLA" });
    let sign_in = json!({ "username": "tic@caja.co", "password": "cuatro xilofonos", "device": device });
    assert_eq!(
        server.call("POST", "/v1/sessions", None, &sign_in).0,
        401,
        "without a password nobody gets in"
    );
    let reset = json!({ "email": "tic@caja.co", "code": code, "password": "cuatro xilofonos" });
    assert_eq!(server.call("POST", "/v1/password/reset", None, &reset).0, 204);
    let (status, _, granted) = server.call("POST", "/v1/sessions", None, &sign_in);
    assert_eq!(status, 200);
    let token = granted["access_token"].as_str();
    assert_eq!(server.call("GET", "/v1/me", token, &Value::Null).2["second_factor"], "TO_SET_UP");
    let (status, _, refused) = server.call("GET", "/v1/admin/users", token, &Value::Null);
    assert_eq!((status, &refused["code"]), (403, &json!("SECOND_FACTOR_REQUIRED")));

    let of = |command| run(dir, &["account", command, "--username", "tic@caja.co"]);
    assert!(text(&run(dir, &["account", "users"]).stdout).contains("CAJA_ADMIN · tic@caja.co · Tía TIC"));
    assert!(of("second-factor-reset").status.success());
    assert_eq!(server.call("GET", "/v1/me", token, &Value::Null).0, 401, "its sessions have ended");
    assert_eq!(of("suspend").status.code(), Some(1), "the last one stays");
    assert!(create("otra@caja.co").status.success());
    assert!(of("suspend").status.success());
    assert_eq!(server.call("POST", "/v1/sessions", None, &sign_in).0, 403);
    assert!(of("restore").status.success());
    assert!(of("password-reset").status.success());
    assert_eq!(server.call("POST", "/v1/sessions", None, &sign_in).0, 401);
    let nobody = run(dir, &["account", "suspend", "--username", "nadie@caja.co"]);
    assert_eq!(nobody.status.code(), Some(1));
}

fn a_bad_file_of_affiliates_is_reported_in_spanish_and_a_good_one_taken_in(dir: &Path) {
    let header = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;\
                  tipo_afiliado;nit_empresa;empresa;estado_empresa\n";
    let good = "CC;1.045.678.901;MUÑOZ;;JOSÉ;;ACTIVO;A;TRABAJADOR;;;\n";
    std::fs::write(dir.join("mala.csv"), format!("{header}{good}{good}")).expect("written");
    std::fs::write(dir.join("buena.csv"), format!("{header}{good}")).expect("written");
    std::fs::write(dir.join("otra.csv"), "nombre;edad\nJosé;3\n").expect("written");

    let bad = run(dir, &["import-affiliates", "mala.csv", "--rejected", "rechazadas.csv"]);
    assert_eq!(bad.status.code(), Some(1));
    assert_eq!(
        text(&bad.stdout),
        "Línea 3, columna documento: el documento está repetido; ya aparece en la línea 2.\n\
         Errores: 1, en un archivo de 3 líneas. No se cambió ningún dato: corrija el archivo e impórtelo de nuevo.\n"
    );
    let rejected = std::fs::read_to_string(dir.join("rechazadas.csv")).expect("written");
    let why = "el documento está repetido; ya aparece en la línea 2";
    assert_eq!(rejected, format!("\u{feff}linea;columna;motivo\n3;documento;\"{why}\"\n"));
    let other = run(dir, &["import-affiliates", "otra.csv"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stdout).starts_with("Faltan columnas en el encabezado: tipo_documento, documento,"));
    let missing = run(dir, &["import-affiliates", "no-existe.csv"]);
    assert_eq!(missing.status.code(), Some(1));
    let taken = run(dir, &["import-affiliates", "buena.csv"]);
    assert_eq!(taken.status.code(), Some(0));
    assert_eq!(text(&taken.stdout), "Importación terminada. Afiliados nuevos: 1; actualizados: 0.\n");

    let another = good.replace("1.045.678.901", "1.045.678.902");
    std::fs::write(dir.join("nueva.csv"), format!("{header}{another}")).expect("written");
    let counts = "Afiliados nuevos: 1; actualizados: 0; eliminados: 1.";
    for _ in 0..2 {
        let tried = run(dir, &["import-affiliates", "nueva.csv", "--replace", "--dry-run"]);
        let said = format!("Prueba terminada, sin errores. {counts} No se cambió ningún dato.\n");
        assert_eq!((tried.status.code(), text(&tried.stdout)), (Some(0), said.as_str()));
    }
    let replaced = run(dir, &["import-affiliates", "nueva.csv", "--replace", "--rejected", "rechazadas.csv"]);
    assert_eq!(text(&replaced.stdout), format!("Importación terminada. {counts}\n"));
    let rejected = std::fs::read_to_string(dir.join("rechazadas.csv")).expect("written");
    assert_eq!(rejected, "\u{feff}linea;columna;motivo\n", "nothing was wrong this time");
}

fn an_import_that_is_interrupted_changes_nothing(dir: &Path) {
    let header = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;\
                  tipo_afiliado;nit_empresa;empresa;estado_empresa\n";
    let line = |number| format!("CC;{number};MUÑOZ;;JOSÉ;;ACTIVO;A;TRABAJADOR;;;\n");
    let people: String = (10_000_000..10_400_000).map(line).collect();
    std::fs::write(dir.join("larga.csv"), format!("{header}{people}")).expect("written");
    let mut import = program(dir)
        .args(["import-affiliates", "larga.csv"])
        .args(database(dir))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut progress = BufReader::new(import.stderr.take().expect("piped"));
    let mut told = String::new();
    while !told.ends_with("20000 de 400001 líneas\n") {
        assert_ne!(progress.read_line(&mut told).expect("read"), 0, "it tells how far it is: {told}");
    }
    let sent = Command::new("kill").args(["-INT", &import.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    progress.read_to_string(&mut told).expect("read");
    let output = import.wait_with_output().expect("ended");
    assert_eq!(text(&output.stdout), "Importación cancelada. No se cambió ningún dato.\n", "{told}");
    assert_eq!(output.status.code(), Some(1));

    let few: String = (10_000_000..10_000_010).map(line).collect();
    std::fs::write(dir.join("corta.csv"), format!("{header}{few}")).expect("written");
    let taken = run(dir, &["import-affiliates", "corta.csv"]);
    assert_eq!(text(&taken.stdout), "Importación terminada. Afiliados nuevos: 10; actualizados: 0.\n");
}

fn keys_are_rotated_and_listed_the_newest_first(dir: &Path) {
    let kids = |args: &[&str]| -> Vec<(String, String)> {
        let output = run(dir, args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let table = text(&output.stdout).lines().skip_while(|line| !line.starts_with("kid")).skip(1);
        let row = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            (words.next().unwrap_or_default(), words.next().unwrap_or_default())
        };
        table.map(row).collect()
    };
    let first = kids(&["keys", "list"]);
    assert_eq!(first.iter().map(|(_, does)| does.as_str()).collect::<Vec<_>>(), ["signs"]);
    let rotated = kids(&["keys", "rotate"]);
    assert_eq!(rotated.iter().map(|(_, does)| does.as_str()).collect::<Vec<_>>(), ["signs", "verifies"]);
    assert_eq!(rotated[1].0, first[0].0);
    assert_eq!(kids(&["keys", "list"]), rotated);
}

fn the_epoch_is_renewed_by_hand_and_says_what_for(dir: &Path) {
    let first = run(dir, &["epoch", "renew"]);
    let second = run(dir, &["epoch", "renew"]);
    assert!(first.status.success() && second.status.success());
    assert!(text(&first.stdout).starts_with("epoch "));
    assert_ne!(first.stdout, second.stdout);
    let help = run(dir, &["epoch", "renew", "--help"]);
    assert!(text(&help.stdout).contains("backup"));
}

fn a_device_is_listed_revoked_beside_a_running_server(dir: &Path) {
    let demo = seeded(dir);
    let server = Server::start(dir, &[]);
    let account = &demo["accounts"][0];
    let id = "01936d3e-0000-7000-8000-000000000001";
    let sign_in = json!({
        "username": account["username"], "password": account["password"],
        "device": { "id": id, "name": "RECEPCION-1" },
    });
    let (_, _, tokens) = server.call("POST", "/v1/sessions", None, &sign_in);
    let me = || server.call("GET", "/v1/me", tokens["access_token"].as_str(), &Value::Null);
    assert_eq!(me().0, 200);
    let listed = run(dir, &["device", "list"]);
    assert!(
        text(&listed.stdout)
            .lines()
            .any(|line| line.starts_with(id) && line.ends_with("-                     RECEPCION-1"))
    );
    assert!(run(dir, &["device", "revoke", id]).status.success());
    let (status, _, problem) = me();
    assert_eq!((status, &problem["code"]), (403, &json!("DEVICE_REVOKED")));
    assert!(run(dir, &["device", "restore", id]).status.success());
    assert_eq!(me().0, 200);
    let unknown = run(dir, &["device", "revoke", "01936d3e-0000-7000-8000-000000000002"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("there is no device"));
}

#[test]
fn openapi_prints_the_committed_document() {
    let dir = tempfile::tempdir().expect("a directory");
    let printed = run(dir.path(), &["openapi"]);
    let committed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json"));
    assert!(printed.stdout == committed.expect("committed"));
    assert!(!dir.path().join("hanna-data").exists(), "nothing was made");
}

/// A use, its void, a lookup that a copy answered, and something that cannot be read.
fn batch_of_every_kind(me: &Value, now: &Value, statement: &Value, number: &str) -> Value {
    let (author_id, branch_id) = (&me["operator"]["id"], &me["branches"][0]["id"]);
    let id = |place: u8| format!("01936d3e-0000-7000-8000-00000000010{place}");
    let item = |place: u8, body: Value| {
        json!({
            "id": id(place), "sequence": place, "author_id": author_id, "device_time": now, "occurred_at": now,
            "body": body,
        })
    };
    let report = json!({ "kind": "usage_report", "branch_id": branch_id, "statement": statement });
    let void = json!({ "kind": "void", "report_id": id(1), "reason": "OTHER", "text": "era para la vecina" });
    let copied = json!({
        "kind": "offline_lookup", "lookup_id": id(9), "branch_id": branch_id,
        "document": { "kind": "CC", "number": number }, "purpose": "validar beneficio del convenio",
        "verdict": "ACTIVE_FROM_COPY", "statement_id": null,
    });
    let unreadable = json!({ "id": id(4), "number": number });
    json!({ "items": [item(1, report), item(2, void), item(3, copied), unreadable] })
}

/// At its most talkative, with the logs of every library.
fn the_log_has_trace_ids_and_nobodys_data(dir: &Path) {
    let demo = seeded(dir);
    let server = Server::start(dir, &["--log", "trace", "--log-format", "json"]);
    let account = &demo["accounts"][0];
    let number = demo["documents"]["active"][0].as_str().expect("a number");
    let device_id = "01936d3e-0000-7000-8000-000000000001";
    let sign_in = |password: &Value| {
        json!({
            "username": account["username"], "password": password,
            "device": { "id": device_id, "name": "RECEPCION-SECRETA" },
        })
    };
    let wrong = server.call("POST", "/v1/sessions", None, &sign_in(&json!("una clave equivocada")));
    let (status, _, tokens) = server.call("POST", "/v1/sessions", None, &sign_in(&account["password"]));
    assert_eq!((wrong.0, status), (401, 200));
    let token = tokens["access_token"].as_str().expect("a token");
    let me = server.call("GET", "/v1/me", Some(token), &Value::Null).2;
    let branch_id = &me["branches"][0]["id"];
    let lookup = json!({
        "id": device_id, "branch_id": branch_id, "document": { "kind": "CC", "number": number },
        "purpose": "validar beneficio del convenio",
    });
    let (status, _, answer) = server.call("POST", "/v1/lookups", Some(token), &lookup);
    assert_eq!(status, 200);
    let now = server.call("GET", "/health", None, &Value::Null).2["server_time"].clone();
    let batch = batch_of_every_kind(&me, &now, &answer["statement"], number);
    let outcomes = server.call("POST", "/v1/outbox", Some(token), &batch).2;
    for place in 0..3 {
        assert_eq!(outcomes["outcomes"][place]["outcome"], "accepted", "{outcomes}");
    }
    let regulars = json!({
        "branch_id": branch_id,
        "regulars": [{ "id": me["operator"]["id"], "document": { "kind": "CC", "number": number } }],
    });
    assert_eq!(server.call("POST", "/v1/lookups/refresh", Some(token), &regulars).0, 200);
    let (_, head, lost) = server.call("GET", &format!("/v1/lookups/{number}"), Some(token), &Value::Null);
    server.call("GET", &format!("/v1/usage-reports?from={number}"), Some(token), &Value::Null);
    server.call("POST", "/v1/lookups", Some(token), &json!({ "number": number }));
    let rows = "/v1/usage-reports?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z";
    let row = server.call("GET", rows, Some(token), &Value::Null).2["rows"][0].clone();
    let refresh = json!({ "refresh_token": tokens["refresh_token"], "device_id": device_id });
    server.call("POST", "/v1/sessions/refresh", None, &refresh);
    let of_caja = json!({
        "username": "nueva@lacaja.co", "password": account["password"],
        "device": { "id": "01936d3e-0000-7000-8000-000000000002", "name": "CONSOLA-SECRETA" },
    });
    let entering = server.call("POST", "/v1/sessions", None, &of_caja).2;
    let entering = entering["access_token"].as_str();
    let second_factor = server.call("POST", "/v1/second-factor", entering, &Value::Null).2;
    let guess = json!({ "otp": "739204" });
    assert_eq!(server.call("POST", "/v1/second-factor/confirm", entering, &guess).0, 422);
    drop(server);

    let log = Server::log_in(dir);
    let trace_id = lost["trace_id"].as_str().expect("a trace id");
    assert!(head.contains(&format!("x-trace-id: {trace_id}")) && log.contains(trace_id));
    let surname = row["affiliate_name"].as_str().and_then(|name| name.split([' ', ',']).next());
    let mut secrets =
        vec![number, surname.unwrap_or("?"), "una clave equivocada", "RECEPCION-SECRETA", "la vecina", token];
    secrets.extend([
        "nueva@lacaja.co",
        "CONSOLA-SECRETA",
        second_factor["secret"].as_str().expect("a secret"),
    ]);
    secrets.extend(
        [
            &account["username"],
            &account["password"],
            &tokens["refresh_token"],
            &answer["statement"],
            &row["company_name"],
            &row["affiliate_name"],
        ]
        .into_iter()
        .filter_map(Value::as_str),
    );
    assert_eq!(secrets.len(), 15);
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

#[test]
fn what_a_desk_exported_is_imported_beside_a_running_server_and_told_in_spanish() {
    use hanna_wire::export::{Head, Sealer};
    use hanna_wire::keys::Keys;

    let dir = tempfile::tempdir().expect("a directory");
    let demo = seeded(dir.path());
    let server = Server::start(dir.path(), &[]);
    let account = &demo["accounts"][0];
    let device = "01936d3e-0000-7000-8000-000000000001";
    let sign_in = json!({
        "username": account["username"], "password": account["password"],
        "device": { "id": device, "name": "RECEPCION-1" },
    });
    let (_, _, tokens) = server.call("POST", "/v1/sessions", None, &sign_in);
    let token = tokens["access_token"].as_str();
    let (_, _, me) = server.call("GET", "/v1/me", token, &Value::Null);
    let (_, _, keys) = server.call("GET", "/v1/keys", token, &Value::Null);
    let keys =
        serde_json::from_value::<Keys>(keys).expect("keys").export.expect("what exports are sealed with");
    let branch = &me["branches"][0]["id"];
    let items: Vec<Value> = (1..=2)
        .map(|n| {
            let question = json!({
                "id": format!("01936d3e-0000-7000-8000-00000000001{n}"), "branch_id": branch,
                "document": { "kind": "CC", "number": demo["documents"]["active"][0] },
                "purpose": "validar beneficio del convenio",
            });
            let (_, _, answer) = server.call("POST", "/v1/lookups", token, &question);
            let (_, _, health) = server.call("GET", "/health", None, &Value::Null);
            json!({
                "id": format!("01936d3e-0000-7000-8000-00000000002{n}"), "sequence": n,
                "author_id": me["operator"]["id"], "device_time": health["server_time"], "occurred_at": health["server_time"],
                "body": { "kind": "usage_report", "branch_id": branch, "statement": answer["statement"] },
            })
        })
        .collect();
    let head = Head::new(keys.caja, device.parse().expect("an id"), 2);
    let mut sealer =
        Sealer::begin(Vec::new(), head, keys.caja, keys.device.expose(), [1; 32]).expect("begun");
    sealer.page(&serde_json::to_vec(&json!({ "items": items })).expect("JSON"), true).expect("written");
    let file = sealer.into_inner();
    std::fs::write(dir.path().join("cortado"), &file[..file.len() - 1]).expect("written");
    std::fs::write(dir.path().join("pendientes.hanna"), &file).expect("written");

    let cut = run(dir.path(), &["import-outbox", "cortado"]);
    assert_eq!(cut.status.code(), Some(1));
    assert_eq!(
        text(&cut.stdout),
        "El archivo está incompleto: cópielo de nuevo desde el equipo que lo exportó.\nNo se cambió ningún dato.\n"
    );
    let first = run(dir.path(), &["import-outbox", "pendientes.hanna"]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert_eq!(
        text(&first.stdout),
        "Equipo RECEPCION-1 (01936d3e-0000-7000-8000-000000000001)\n\
         Registros en el archivo: 2. Aceptados: 1; aceptados con observación: 1; rechazados: 0; ya estaban: 0.\n  \
         DAILY_LIMIT_REACHED: 1\n"
    );
    let second = run(dir.path(), &["import-outbox", "--json", "pendientes.hanna"]);
    let told: Value = serde_json::from_slice(&second.stdout).expect("one JSON object");
    assert_eq!(
        (&told["items"], &told["accepted"], &told["already_there"]),
        (&json!(2), &json!(0), &json!(2))
    );
    let (_, _, delivered) = server.call("POST", "/v1/outbox", token, &json!({ "items": items }));
    let outcomes: Vec<&Value> =
        delivered["outcomes"].as_array().expect("outcomes").iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes, ["accepted", "accepted_with_note"], "the first answers");
}

fn the_audit_is_sealed_at_shutdown_verified_searched_and_exported(dir: &Path) {
    let demo = seeded(dir);
    let number = demo["documents"]["active"][0].as_str().expect("a number");
    let mut server = Server::start(dir, &[]);
    let account = &demo["accounts"][0];
    let sign_in = json!({
        "username": account["username"], "password": account["password"],
        "device": { "id": "01936d3e-0000-7000-8000-000000000001", "name": "RECEPCION-1" },
    });
    let (_, _, tokens) = server.call("POST", "/v1/sessions", None, &sign_in);
    let token = tokens["access_token"].as_str();
    let (_, _, me) = server.call("GET", "/v1/me", token, &Value::Null);
    let lookup = json!({
        "id": "01936d3e-0000-7000-8000-000000000011", "branch_id": me["branches"][0]["id"],
        "document": { "kind": "CC", "number": number }, "purpose": "validar beneficio del convenio",
    });
    assert_eq!(server.call("POST", "/v1/lookups", token, &lookup).0, 200);
    server.signal("-TERM");
    assert!(server.process.wait().expect("ended").success());

    let verify = |more: &[&str]| {
        let output = run(dir, &[&["audit", "verify"], more].concat());
        (output.status.code(), text(&output.stdout).to_owned())
    };
    let (code, said) = verify(&[]);
    assert!(code == Some(0) && said.contains("not sealed yet: 0 acts"), "{said}");
    let anchor =
        said.lines().find_map(|line| line.strip_prefix("last block: ")).expect("an anchor").to_owned();
    assert!(server.log().contains(&anchor), "each block is logged");
    assert_eq!(verify(&["--anchor", &anchor]).0, Some(0));
    let (code, said) = verify(&["--anchor", &format!("1:{}", "0".repeat(64))]);
    assert!(code == Some(1) && said.contains("is not in the chain"), "{said}");
    assert_eq!(verify(&["--anchor", "1:x"]).0, Some(2));

    let document = format!("CC:{number}");
    let found = run(dir, &["audit", "search", "--document", &document]);
    let found = text(&found.stdout);
    assert!(
        found.starts_with("Consultas de este documento: 1\n") && found.contains("RECEPCION-1"),
        "{found}"
    );
    assert!(found.contains("para: validar beneficio del convenio. Se respondió: ACTIVO"), "{found}");
    let nobody = run(dir, &["audit", "search", "--document", "CC:1000000007"]);
    assert_eq!(text(&nobody.stdout), "Nadie ha consultado este documento.\n");
    let without_purpose = run(dir, &["audit", "export", "--document", &document]);
    assert_eq!(without_purpose.status.code(), Some(2));
    let exported = run(dir, &["audit", "export", "--document", &document, "--purpose", "radicado 123"]);
    let exported: Value = serde_json::from_slice(&exported.stdout).expect("JSON");
    assert_eq!(exported["lookups"].as_array().map(Vec::len), Some(1));
    assert_eq!(exported["accesses"][0]["act"], "PERSON_SEARCHED");
    let (code, said) = verify(&[]);
    assert!(code == Some(0) && said.contains("not sealed yet: 3 acts"), "searches and the export: {said}");
}

#[test]
fn what_was_tampered_with_is_named_and_the_exit_code_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    the_audit_is_sealed_at_shutdown_verified_searched_and_exported(dir.path());
    let db = rusqlite::Connection::open(dir.path().join("hanna-data/hanna.sqlite")).expect("the database");
    db.execute("UPDATE lookups SET purpose = 'curiosidad'", []).expect("tampered");
    drop(db);
    let verified = run(dir.path(), &["audit", "verify"]);
    let said = text(&verified.stdout);
    assert!(verified.status.code() == Some(1) && said.contains("TAMPERED: act"), "{said}");
}
