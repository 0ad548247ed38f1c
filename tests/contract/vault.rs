//! The vault: on a real Secret Service, and in memory; and the desk where the keyring is locked or missing.

use std::path::Path;
use std::process::Command;

use hanna_desk::vault::{MemoryVault, OsVault, Vault};
use hanna_domain::Redacted;
use hanna_testkit::keyring::Keyring;
use hanna_tests::programs::program;
use serde_json::Value;

fn secret(text: &str) -> Redacted<String> {
    Redacted::new(text.to_owned())
}

/// What every vault does.
fn suite(vault: &dyn Vault) {
    assert_eq!(vault.get("refresh-token"), Ok(None));
    assert_eq!(vault.delete("refresh-token"), Ok(()), "nothing there is fine");
    vault.set("refresh-token", &secret("uno")).expect("kept");
    vault.set("database-key", &secret(&"f".repeat(64))).expect("kept");
    vault.set("refresh-token", &secret("dos, con Ñ")).expect("replaced");
    assert_eq!(vault.get("refresh-token"), Ok(Some(secret("dos, con Ñ"))));
    vault.delete("refresh-token").expect("forgotten");
    assert_eq!(vault.get("refresh-token"), Ok(None));
    assert_eq!(vault.get("database-key"), Ok(Some(secret(&"f".repeat(64)))), "the other one stays");
}

#[test]
fn in_memory() {
    suite(&MemoryVault::default());
}

/// One test, because the session bus has room for one keyring at a time.
#[test]
fn in_a_real_keyring() {
    let home = tempfile::tempdir().expect("a folder");
    {
        let _keyring = Keyring::unlocked(home.path());
        suite(&OsVault::open("one").expect("the keyring opens"));
        // Another data folder has entries of its own.
        assert_eq!(OsVault::open("two").expect("opened").get("database-key"), Ok(None));
        assert!(OsVault::open("one").expect("opened").get("database-key").expect("read").is_some());
        the_key_outlives_the_program(&home.path().join("desk"));
    }
    // The same folder, and the keyring stays locked: nothing is lost, and the program says what is the matter.
    let keyring = Keyring::locked(home.path());
    let there = [("DBUS_SESSION_BUS_ADDRESS", keyring.bus())];
    assert_eq!(deskctl(&home.path().join("desk"), &there)["code"], "VAULT_FAILED");
}

fn the_key_outlives_the_program(folder: &Path) {
    for _ in 0..2 {
        let answer = deskctl(folder, &[]);
        assert_eq!(answer["ok"], true, "{answer}");
    }
    assert!(folder.join("outbox.sqlite").exists(), "with a keyring the databases need no password");
    assert!(!folder.join("key.json").exists());
}

#[test]
fn without_any_keyring_the_databases_wait_for_the_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere =
        [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent"), ("XDG_RUNTIME_DIR", "/nonexistent")];
    let answer = deskctl(folder.path(), &nowhere);
    assert_eq!(answer["code"], "NOT_SIGNED_IN", "{answer}");
    assert!(!folder.path().join("outbox.sqlite").exists());
}

/// What `hanna-deskctl --vault os` answers to `status` in this environment.
fn deskctl(folder: &Path, environment: &[(&str, &str)]) -> Value {
    use std::io::Write;
    let mut desk = Command::new(program("hanna-deskctl"))
        .args(["--vault", "os", "--server", "http://127.0.0.1:9", "--data-dir"])
        .arg(folder)
        .envs(environment.iter().copied())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    // It may have ended already, when it cannot open.
    let _ = desk.stdin.take().expect("its input").write_all(b"status\n");
    let output = desk.wait_with_output().expect("ended");
    serde_json::from_slice(&output.stdout).expect("one object")
}
