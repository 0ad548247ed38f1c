//! Flags, environment and file; backups; what a person at a terminal is told.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::server::{Server, program, run, seeded, text};

fn with_env(dir: &Path, variable: &str, value: &str, args: &[&str]) -> Output {
    program(dir).env(variable, value).args(args).output().expect("the program runs")
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(
        dir.path().join("h.toml"),
        "lookups_a_day = 1\nlookups_a_minute = 1\nregulars_a_day = 1\n",
    )
    .expect("written");
    let printed = program(dir.path())
        .env("HANNA_SERVER_CONFIG", "h.toml")
        .env("HANNA_SERVER_LOOKUPS_A_MINUTE", "2")
        .env("HANNA_SERVER_REGULARS_A_DAY", "2")
        .args(["config", "print", "--regulars-a-day", "3"])
        .output()
        .expect("the program runs");
    let says = text(&printed.stdout);
    for line in
        ["lookups_a_day = 1", "lookups_a_minute = 2", "regulars_a_day = 3", "listen = \"127.0.0.1:8740\""]
    {
        assert!(says.lines().any(|said| said == line), "{line} is not in\n{says}");
    }
    assert!(!dir.path().join("hanna-data").exists(), "nothing was made");
    std::fs::write(dir.path().join("same.toml"), &printed.stdout).expect("written");
    let again = run(dir.path(), &["config", "print", "--config", "same.toml"]);
    assert_eq!(text(&again.stdout), says, "what is printed is a file that says the same");
}

#[test]
fn what_is_not_understood_stops_every_command_and_is_said_in_spanish() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("mal.toml"), "puerto = 80\n").expect("written");
    for command in [&["config", "check"][..], &["serve"], &["migrate"]] {
        let refused = run(dir.path(), &[command, &["--config", "mal.toml"]].concat());
        assert_eq!(refused.status.code(), Some(1), "{command:?}");
        let says = text(&refused.stderr);
        assert!(
            says.contains("mal.toml: la clave «puerto» no existe. Las que existen son: data_dir,"),
            "{says}"
        );
    }
    let missing = run(dir.path(), &["config", "check", "--config", "no.toml"]);
    assert!(text(&missing.stderr).contains("no.toml: no se puede leer"));
    let misspelt = with_env(dir.path(), "HANNA_SERVER_LISTN", "127.0.0.1:1", &["config", "check"]);
    assert_eq!(misspelt.status.code(), Some(1));
    assert!(text(&misspelt.stderr).contains("«HANNA_SERVER_LISTN» no existe"));
    let fine = with_env(dir.path(), "HANNA_SERVER_LISTEN", "127.0.0.1:1", &["config", "check"]);
    assert_eq!((fine.status.code(), text(&fine.stdout)), (Some(0), "La configuración se entiende.\n"));
    assert!(!dir.path().join("hanna-data").exists(), "nothing was made");
}

#[test]
fn the_packaged_configuration_is_understood() {
    let packaged = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/server/hanna-server.toml");
    let dir = tempfile::tempdir().expect("a directory");
    let checked = run(dir.path(), &["config", "check", "--config", packaged]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
}

#[test]
fn a_backup_is_made_beside_a_running_server_and_put_back_when_it_has_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    seeded(dir.path());
    let mut server = Server::start(dir.path(), &[]);
    let epoch = |server: &Server| server.call("GET", "/health", None, &Value::Null).2["epoch"].clone();
    let before = epoch(&server);
    let made = run(dir.path(), &["backup", "ayer.sqlite"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let again = run(dir.path(), &["backup", "ayer.sqlite"]);
    assert!(text(&again.stderr).contains("ayer.sqlite is there already"));
    let running = run(dir.path(), &["restore", "ayer.sqlite", "--force"]);
    assert_eq!(running.status.code(), Some(1));
    assert!(text(&running.stderr).contains("stop the server first"), "{}", text(&running.stderr));
    assert_eq!(epoch(&server), before);

    server.signal("-TERM");
    assert_eq!(server.process.wait().expect("it ends").code(), Some(0));
    let unasked = run(dir.path(), &["restore", "ayer.sqlite"]);
    assert!(text(&unasked.stderr).contains("--force"));
    let restored = run(dir.path(), &["restore", "ayer.sqlite", "--force"]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    assert!(text(&restored.stdout).contains("keys brought along from it: 0"), "{}", text(&restored.stdout));
    let server = Server::start(dir.path(), &[]);
    let after = epoch(&server);
    assert!(after.is_string() && after != before, "desks notice");
}
