//! Reads every file of the repository: nothing in it may name the machine it was written on, and one subject seldom
//! takes more than 500 lines.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// Above this a source file is named, for somebody to ask whether it has one subject.
const LINES_MAX: usize = 500;

/// The beginnings of paths that exist on somebody's machine only, and the hosts of registries and their mirrors: names
/// are enough for cargo, npm and apt. Cut in two, so that this file passes.
const MACHINE: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers\\"),
    concat!("registry.np", "mjs"),
    concat!("index.cr", "ates.io"),
    concat!("static.cr", "ates.io"),
    concat!("pythonhos", "ted"),
    concat!("deb.deb", "ian.org"),
];

/// The home of the front desk that the pictures of the screens show, which is nobody's.
const INVENTED: &str = "/home/recepcion/";

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// `file:line: what`, none of which may stay.
    pub machine: Vec<String>,
    /// `lines file`, longest first, to think about.
    pub long: Vec<String>,
}

/// Reads the files git knows or would take. None when there is no git to ask.
///
/// # Errors
/// When a file cannot be read.
pub fn scan(root: &Path) -> Result<Option<Findings>> {
    if !root.join(".git").exists() || process::find_program("git").is_none() {
        return Ok(None);
    }
    let mut list = Command::new("git");
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let mut findings = Findings::default();
    let mut long = Vec::new();
    for name in process::output(&mut list)?.split('\0').filter(|name| !name.is_empty()) {
        let path = root.join(name);
        // One that was taken away and not yet committed, or a link, is no file to read.
        if !path.is_file() || is_lock(name) {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (line, what) in machine_names(&text) {
            findings.machine.push(format!("{name}:{line}: {what}"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX && is_written_source(name) {
            long.push((lines, name.to_owned()));
        }
    }
    long.sort_by(|a, b| b.cmp(a));
    findings.long = long.into_iter().map(|(lines, name)| format!("{lines} {name}")).collect();
    Ok(Some(findings))
}

/// The lines that name a machine, counted from 1, and what they name.
fn machine_names(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for name in MACHINE {
            // In `target/work/` or `${HOME}/work/` the name is part of a longer, relative path.
            let stands_alone = line.match_indices(name).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let is_relative = before.is_some_and(|it| it.is_alphanumeric() || "._-~*})".contains(it));
                !is_relative && !line[at..].starts_with(INVENTED)
            });
            if stands_alone {
                found.push((index + 1, *name));
            }
        }
    }
    found
}

/// Lock files name the registry they were made from, by their own format.
fn is_lock(name: &str) -> bool {
    name.ends_with("Cargo.lock") || name.ends_with("package-lock.json")
}

fn is_written_source(name: &str) -> bool {
    let written =
        ["rs", "ts", "svelte"].iter().any(|kind| Path::new(name).extension().is_some_and(|it| it == *kind));
    written && !name.contains("/bindings/") && !name.ends_with(".d.ts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_path_is_found_and_a_relative_one_is_not() {
        let named = |text: &str| machine_names(text).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        let [home, users, ..] = MACHINE else { panic!("the list is empty") };
        assert_eq!(named(&format!("fine\n  cd {home}ana/hanna\nfine\n\"{users}ana\"")), [2, 4]);
        assert_eq!(named(&format!("target{home}x ~{home}x ${{HOME}}{home}x")), Vec::<usize>::new());
        assert_eq!(named(&format!("`{INVENTED}Documentos` {home}ana")), [1]);
        assert_eq!(named(&format!("`{INVENTED}Documentos`")), Vec::<usize>::new());
        assert_eq!(named(&format!("https://{}.org/x", MACHINE[5])), [1]);
    }

    #[test]
    fn lock_files_and_what_is_generated_are_not_judged() {
        assert!(is_lock("Cargo.lock") && is_lock("ui/package-lock.json") && !is_lock("ui/package.json"));
        assert!(is_written_source("ui/src/App.svelte"));
        assert!(!is_written_source("ui/src/bindings/Card.ts") && !is_written_source("ui/src/x.d.ts"));
        assert!(!is_written_source("docs/openapi.json"));
    }
}
