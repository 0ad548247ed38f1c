//! Folders of JavaScript with a lock file.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::process::{self, find_program};

/// Installs the packages of the lock file in `folder` unless that was done since it last changed.
///
/// # Errors
/// When npm fails.
pub fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let asked = modified(&lock)?.with_context(|| format!("{} is missing", lock.display()))?;
    // npm writes this file last.
    let written = modified(&folder.join("node_modules/.package-lock.json"))?;
    if written.is_some_and(|installed| installed >= asked) {
        println!("Every npm package is here.");
        return Ok(());
    }
    process::run(&mut npm(folder, &["ci", "--no-audit", "--no-fund"])?)
}

/// `npm` in `folder`.
///
/// # Errors
/// When it is not installed.
pub fn npm(folder: &Path, args: &[&str]) -> Result<Command> {
    // On Windows npm is a script, which only its full name starts.
    let program = find_program("npm").or_else(|| find_program("npm.cmd"));
    let mut command = Command::new(program.context("npm is not installed")?);
    command.args(args).current_dir(folder);
    Ok(command)
}

/// When `path` was changed; none when it is not there.
pub fn modified(path: &Path) -> Result<Option<SystemTime>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.modified()?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
