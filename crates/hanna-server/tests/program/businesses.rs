//! Entities, branches, agreements, imports and usage at the terminal.

use std::path::Path;

use crate::server::{run, text};

pub fn businesses_are_kept_from_the_terminal(dir: &Path) {
    let said = |args: &[&str]| {
        let output = run(dir, args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let first_word = |said: &str| said.split_whitespace().next().expect("a word").to_owned();
    let created = said(&["entity", "create", "--nit", "901111222-3", "--name", "GYM NUEVO"]);
    let id = first_word(&created);
    let again = run(dir, &["entity", "create", "--nit", "901111222-3", "--name", "GYM NUEVO"]);
    assert!(
        !again.status.success() && text(&again.stderr).contains("NIT already there"),
        "{}",
        text(&again.stderr)
    );
    said(&["entity", "rename", &id, "--name", "GYM DEL CARIBE"]);
    let listed = said(&["entity", "list", "--search", "caribe"]);
    assert!(
        listed.contains(&id)
            && listed.contains("901111222-3   NOT_REQUESTED         0           0      0  GYM DEL CARIBE"),
        "{listed}"
    );

    let branch = said(&["branch", "create", &id, "--name", "Sede Norte", "--city", "Soledad"]);
    assert!(branch.ends_with(" is added as GYM-01\n"), "{branch}");
    let branch = first_word(&branch);
    said(&["branch", "create", &id, "--code", "SUR", "--name", "Sede Sur", "--city", "Soledad"]);

    let days = ["--first-day", "2026-01-01", "--last-day", "2026-06-30"];
    let added = said(&[&["agreement", "create", id.as_str(), "--tariffs", "A,B"], &days[..]].concat());
    let agreement = first_word(&added);
    let wrong = run(dir, &["agreement", "change", &id, &agreement, "--last-day", "2025-12-31"]);
    assert!(!wrong.status.success() && text(&wrong.stderr).contains("last_day"), "{}", text(&wrong.stderr));
    said(&["agreement", "change", &id, &agreement, "--last-day", "2026-12-31", "--branches", "GYM-01"]);
    let listed = said(&["agreement", "list", &id]);
    assert!(listed.contains("2026-01-01  2026-12-31  A,B       GYM DEL CARIBE · GYM-01"), "{listed}");

    let closed = said(&["branch", "change", &branch, "--close"]);
    assert_eq!(closed, "GYM-01 is closed: Sede Norte, Soledad\n");
    let listed = said(&["branch", "list", &id]);
    assert_eq!(listed.lines().filter(|line| line.contains("  -  ")).count(), 1, "{listed}");
    said(&["branch", "change", &branch, "--open", "--city", "Malambo"]);

    let usage = said(&["usage", "--from", "2026-11-01", "--to", "2026-11-30"]);
    assert!(
        usage.contains("        0          0          0          0  GYM DEL CARIBE · GYM-01\n"),
        "{usage}"
    );

    std::fs::write(dir.join("vacia.csv"), "documento\n").expect("written");
    assert!(!run(dir, &["import-affiliates", "vacia.csv"]).status.success());
    let imports = said(&["import", "list"]);
    let job = first_word(imports.lines().nth(1).expect("one import"));
    assert!(imports.contains("REFUSED") && imports.contains("vacia.csv"), "{imports}");
    assert!(said(&["import", "cancel", &job]).ends_with("had ended: REFUSED\n"));
    assert!(!run(dir, &["import", "rejected", &job]).status.success(), "it was refused as a whole");
}
