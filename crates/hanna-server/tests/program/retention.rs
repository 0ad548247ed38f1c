//! Purging at the terminal what is older than records are kept.

use std::path::Path;
use std::sync::Arc;

use hanna_server::{App, Clock, Config, SystemEntropy};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::server::{call, database, run, text};

/// A clock that stands.
struct Then(Timestamp);

impl Clock for Then {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Fills the folder's database as it was in 2010: somebody signed in and looked a person up. Says whom.
fn looked_up_in_2010(dir: &Path) -> String {
    let database = database(dir).pop().unwrap_or_else(|| {
        std::fs::create_dir(dir.join("hanna-data")).expect("a directory");
        format!("sqlite:{}", dir.join("hanna-data/hanna.sqlite").display())
    });
    let config = Config::new(database.parse().expect("an address"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (app, demo, listener) = runtime.block_on(async {
        let clock = Then("2010-03-01T15:00:00Z".parse().expect("a timestamp"));
        let app = App::open(config, Arc::new(clock), Arc::new(SystemEntropy)).await.expect("opened");
        let demo = app.seed_demo(7, 200).await.expect("seeded");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        (app, demo, listener)
    });
    let address = listener.local_addr().expect("an address").to_string();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let served = app.clone();
    let serving = runtime.spawn(async move {
        served.serve(listener, async { drop(ended.await) }).await;
    });
    let (account, number) = (&demo.accounts[0], demo.documents.active[0].clone());
    let sign_in = json!({
        "username": account.username, "password": account.password,
        "device": { "id": "01936d3e-0000-7000-8000-000000000001", "name": "RECEPCION-1" },
    });
    let (_, _, tokens) = call(&address, "POST", "/v1/sessions", None, &sign_in);
    let token = tokens["access_token"].as_str();
    let (_, _, me) = call(&address, "GET", "/v1/me", token, &Value::Null);
    let lookup = json!({
        "id": "01936d3e-0000-7000-8000-000000000011", "branch_id": me["branches"][0]["id"],
        "document": { "kind": "CC", "number": number }, "purpose": "validar beneficio del convenio",
    });
    assert_eq!(call(&address, "POST", "/v1/lookups", token, &lookup).0, 200);
    end.send(()).expect("it serves");
    runtime.block_on(async {
        serving.await.expect("ended");
        app.seal_audit().await.expect("sealed");
    });
    number
}

pub fn what_is_old_is_purged_from_the_terminal(dir: &Path) {
    let number = looked_up_in_2010(dir);
    let said = |args: &[&str]| {
        let output = run(dir, args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let verified = said(&["audit", "verify"]);
    let anchor = verified.lines().find_map(|line| line.strip_prefix("last block: ")).expect("an anchor");
    let document = format!("CC:{number}");
    let search = ["audit", "search", "--document", &document];
    assert!(said(&search).starts_with("Consultas de este documento: 1\n"));

    assert_eq!(
        said(&["purge", "--before", "2010-03-01"]),
        "No hay nada anterior al 2010-03-01 que depurar.\n"
    );
    let planned = said(&["purge", "--dry-run", "--before", "2010-03-02"]);
    assert_eq!(
        planned,
        "Se depuraría lo anterior al 2010-03-02:\n  consultas: 1\n  constancias: 1\n  usos: 0\n  anulaciones: 0\n  \
         consultas respondidas por copias: 0\n  envíos de equipos: 0\n  respuestas a envíos repetidos: 0\n  \
         sesiones: 0\n  actos de la auditoría: 3\n",
        "the session was good for a month"
    );
    let too_young = run(dir, &["purge", "--before", "2099-01-01"]);
    assert_eq!(too_young.status.code(), Some(1));
    assert!(text(&too_young.stderr).contains("keep_records_days"), "{}", text(&too_young.stderr));
    let too_few = run(dir, &["purge", "--keep-records-days", "729"]);
    assert!(text(&too_few.stderr).contains("«keep_records_days» debe estar entre 730 y 36500"));
    assert!(said(&search).starts_with("Consultas de este documento: 1\n"), "nothing was purged");

    let purged = said(&["purge", "--before", "2010-03-02"]);
    assert_eq!(purged, planned.replace("depuraría", "depuró"));
    assert_eq!(
        said(&["purge", "--before", "2010-03-02"]),
        "No hay nada anterior al 2010-03-02 que depurar.\n"
    );
    let verified = said(&["audit", "verify", "--anchor", anchor]);
    assert!(
        verified.contains("depurados por antigüedad: 3 actos; desde el 2010-03-02 se conserva todo\n"),
        "{verified}"
    );
    assert_eq!(
        said(&search).lines().take(2).collect::<Vec<_>>(),
        [
            "Nadie ha consultado este documento desde el 2010-03-02.",
            "Los registros anteriores a ese día se depuraron."
        ]
    );
}
