//! The screens: their packages, their build, their own checks.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use crate::process::{self, find_program};
use crate::workspace::Workspace;

/// Folders of `ui` that are made, not written. The bindings are written anew by every run of the tests, and hold types
/// alone, of which nothing is left in a built screen.
const MADE: &[&str] = &["node_modules", "dist", ".mock-dist", "bindings"];

/// Installs the packages of the lock file unless that was done since it last changed.
///
/// # Errors
/// When npm fails.
pub fn install(workspace: &Workspace) -> Result<()> {
    let ui = workspace.root().join("ui");
    let asked = modified(&ui.join("package-lock.json"))?.context("ui/package-lock.json is missing")?;
    // npm writes this file last.
    if modified(&ui.join("node_modules/.package-lock.json"))?.is_some_and(|installed| installed >= asked) {
        println!("Every npm package is here.");
        return Ok(());
    }
    process::run(&mut npm(workspace, &["ci", "--no-audit", "--no-fund"])?)
}

/// Builds the screens into `ui/dist`, from where they are compiled into the application, unless nothing changed.
///
/// # Errors
/// When the build fails or leaves no page.
pub fn build(workspace: &Workspace) -> Result<()> {
    let page = workspace.root().join("ui/dist/index.html");
    let mut newest = None;
    for sources in ["ui", "assets"] {
        newest = newest.max(newest_in(&workspace.root().join(sources))?);
    }
    if modified(&page)?.is_some_and(|built| Some(built) > newest) {
        println!("The screens are built already.");
        return Ok(());
    }
    process::run(&mut npm(workspace, &["run", "build"])?)?;
    ensure!(page.is_file(), "the build left no {}", page.display());
    Ok(())
}

/// Runs a script of `ui/package.json`.
///
/// # Errors
/// When the script fails.
pub fn script(workspace: &Workspace, name: &str) -> Result<()> {
    process::run(&mut npm(workspace, &["run", name])?)
}

fn npm(workspace: &Workspace, args: &[&str]) -> Result<Command> {
    // On Windows npm is a script, which only its full name starts.
    let program = find_program("npm").or_else(|| find_program("npm.cmd"));
    let mut command = Command::new(program.context("npm is not installed")?);
    command.args(args).current_dir(workspace.root().join("ui"));
    Ok(command)
}

/// When the newest file or folder below `folder` was changed. Folders count, because a file that was taken away
/// leaves its mark on them alone; `ui` itself does not, because what is made there is made in it.
fn newest_in(folder: &Path) -> Result<Option<SystemTime>> {
    let mut newest = None;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        newest = newest.max(Some(entry.metadata()?.modified()?));
        if entry.file_type()?.is_dir() {
            newest = newest.max(newest_in(&entry.path())?);
        }
    }
    Ok(newest)
}

/// When `path` was changed; none when it is not there.
fn modified(path: &Path) -> Result<Option<SystemTime>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.modified()?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
