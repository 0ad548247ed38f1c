//! `cargo xtask gen`: what is generated, committed, and never edited by hand.
//!
//! - `ui/src/bindings`: the types that cross to the screens, in TypeScript. Written by the tests named
//!   `export_bindings`, each beside the types it exports.
//! - `docs/openapi.json`: the server's contract, printed by the server.
//!
//! Both are made in a scratch folder first. Then they either replace what is committed or are compared with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process;
use crate::workspace::{Targets, Workspace};

const BINDINGS: &str = "ui/src/bindings";
const OPENAPI: &str = "docs/openapi.json";

/// Files by their path in the repository, with what they hold.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Makes everything anew. Only files that change are written.
///
/// # Errors
/// When something cannot be built, run or written.
pub fn generate(workspace: &Workspace) -> Result<()> {
    let made = make(workspace)?;
    let committed = committed(workspace.root())?;
    for path in differences(&committed, &made) {
        let target = workspace.root().join(&path);
        let Some(content) = made.get(&path) else {
            fs::remove_file(&target).with_context(|| format!("cannot remove {}", path.display()))?;
            println!("removed {}", path.display());
            continue;
        };
        let folder = target.parent().context("a generated file lies in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&target, content))
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    println!("{} generated files are fresh.", made.len());
    Ok(())
}

/// Passes when generating anew would change nothing.
///
/// # Errors
/// When it would, with the files named.
pub fn assert_fresh(workspace: &Workspace) -> Result<()> {
    let made = make(workspace)?;
    let stale = differences(&committed(workspace.root())?, &made);
    let names: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    ensure!(names.is_empty(), "stale; `cargo xtask gen` makes them anew:\n  {}", names.join("\n  "));
    println!("{} generated files are fresh.", made.len());
    Ok(())
}

fn make(workspace: &Workspace) -> Result<Files> {
    let scratch = workspace.scratch().join("bindings");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).with_context(|| format!("cannot empty {}", scratch.display()))?;
    }
    let tests =
        ["test", "--quiet", "--locked", "--workspace", "--exclude", "xtask", "--lib", "export_bindings"];
    let mut export = workspace.cargo(&tests);
    process::output(export.env("TS_RS_EXPORT_DIR", &scratch))?;
    let mut made = read_folder(&scratch, Path::new(BINDINGS))?;
    ensure!(!made.is_empty(), "no test named `export_bindings` wrote a file");

    workspace.build(Targets::Programs)?;
    let openapi = process::output(Command::new(workspace.binary("hanna-server")).arg("openapi"))?;
    made.insert(OPENAPI.into(), openapi.into_bytes());
    Ok(made)
}

fn committed(root: &Path) -> Result<Files> {
    let mut files = read_folder(&root.join(BINDINGS), Path::new(BINDINGS))?;
    let openapi = root.join(OPENAPI);
    if openapi.exists() {
        files.insert(OPENAPI.into(), fs::read(&openapi).with_context(|| format!("cannot read {OPENAPI}"))?);
    }
    Ok(files)
}

/// The paths that are on one side only, or hold something else on the other.
fn differences(committed: &Files, made: &Files) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = made
        .iter()
        .filter(|(path, content)| committed.get(*path) != Some(*content))
        .map(|(path, _)| path.clone())
        .collect();
    paths.extend(committed.keys().filter(|path| !made.contains_key(*path)).cloned());
    paths
}

/// Every file below `folder`, as if it lay at `name`; none when there is no such folder.
fn read_folder(folder: &Path, name: &Path) -> Result<Files> {
    let mut files = Files::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = name.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.append(&mut read_folder(&entry.path(), &name)?);
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(path, content)| (path.into(), content.as_bytes().to_vec())).collect()
    }

    #[test]
    fn new_changed_and_left_over_files_differ() {
        let committed = files(&[("same", "1"), ("changed", "1"), ("left over", "1")]);
        let made = files(&[("same", "1"), ("changed", "2"), ("new", "1")]);
        assert_eq!(differences(&committed, &made), ["changed", "new", "left over"].map(PathBuf::from));
        assert!(differences(&committed, &committed).is_empty());
    }
}
